/*
 * A loader of hangu-av: one generation of signatures. It loads them, looks for the canary, says that it is ready, forks
 * the scanners and replaces those that end. New signatures are a new loader's: when that one is ready, this one is told
 * to go (SIGTERM), and its scanners finish what they have in hand.
 */
#ifndef CLAMAV_LOADER_H
#define CLAMAV_LOADER_H

#include "clamav/engine.h"

#define LOADER_SCANNERS_MAX 64u

/* What a loader says to the front once, on its pipe. */
struct loader_ready {
	uint32_t signatures;
	uint32_t database;
	uint64_t database_s;
};

struct loader_options {
	struct engine_options engine;
	unsigned              scanners;   /* 1 to LOADER_SCANNERS_MAX */
	uint64_t              memory_max; /* of a scanner's address space; 0: none */
	int                   listener;
	int                   ready;      /* where loader_ready goes */
};

/* In a process forked for it; returns its exit status. */
int loader_run(const struct loader_options *options);

#endif
