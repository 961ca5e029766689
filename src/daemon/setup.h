/*
 * What the supervisor itself needs to know of the settings, copied out of them: whom to become, where to work, which
 * addresses to bind, how many scanners. The settings as a whole, with every key and certificate they name, are read and checked
 * by a process that ends right after; the supervisor, from which all roles are forked, never has a secret in its memory.
 */
#ifndef DAEMON_SETUP_H
#define DAEMON_SETUP_H

#include "base/buf.h"
#include "sys/log.h"
#include "sys/role.h"
#include "sys/sandbox.h"

#define SETUP_PATH_MAX 256u
#define SETUP_WHY_MAX  (16u << 10)

struct slab;

struct setup {
	char                 user[64];      /* "": nobody named */
	char                 state[SETUP_PATH_MAX];
	char                 run[SETUP_PATH_MAX];
	uint64_t             drain_ms;
	struct role_listener listeners[ROLE_LISTENERS_MAX]; /* wanted: their descriptors are -1 */
	size_t               listener_count;
	char                 metrics[ROLE_NAME_MAX]; /* address, or "" */
	size_t               scanner_count; /* 1 to ROLE_SCANNERS_MAX */
	uint64_t             scanner_memory_max;
	enum log_form        log_form;
	enum log_level       log_least;
	/* Only compared, to tell of a reload what it cannot change. */
	uint64_t             loops;
	uint32_t             journal, dns; /* CRC-32C of [journal], and of what a start alone reads in [dns] */
};

/* One version of the settings, as sealed memory that roles are handed. */
struct bundle {
	int whole;  /* with the bytes of every file named: for the gate. -1: none */
	int public_part; /* the settings alone, without the files: for the supervisor and records */
};

#define BUNDLE_NONE ((struct bundle){ -1, -1 })

void bundle_close(struct bundle *bundle);

/* A reading that is going on in a process of its own. */
struct setup_reading {
	int32_t pid;     /* 0: none */
	int     channel; /* readable when it has finished */
};

/* Begin to read the file at `path`. RC_LIMIT, RC_IO: no process or channel could be made. */
MUST_CHECK enum rc setup_begin(const char *path, struct setup_reading *out);
/*
 * Take what it found; the channel is readable (or closed). RC_OK: *bundle and *out are set, `why` holds lines about what works but is
 * seldom meant (settings_check()'s notes), or nothing. RC_AGAIN: not yet. RC_SYNTAX: the settings are
 * wrong, `why` holds lines for people. RC_CLOSED: it ended without an answer. The process is reaped by the caller's waitpid.
 */
MUST_CHECK enum rc setup_finish(struct setup_reading *reading, struct bundle *bundle, struct setup *out, struct buf *why);

/* All of it at once, waiting: at the start. `why` as above. */
MUST_CHECK enum rc setup_read(const char *path, struct bundle *bundle, struct setup *out, struct buf *why);

/* Map a sealed part; `sealed` stays open. RC_DENIED, RC_NOMEM, RC_LIMIT. Close with slab_close(). */
MUST_CHECK enum rc setup_map(int sealed, struct slab **out);

#endif
