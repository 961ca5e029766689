/*
 * What the gate asks a second engine, and what that answers: frames of a SOCK_SEQPACKET socket. The engine is a program
 * of its own, in a package of its own (hangu-av); nothing but these frames connects the two.
 *
 * The asker sends a request with one descriptor, a memfd sealed against every change (sys/slab.h), and gets one answer
 * for it; answers come in any order. Both ends treat the other as hostile: an engine that was taken over can lie about
 * what it was given, and nothing else.
 *
 * Integers little-endian; layout in wire.c.
 */
#ifndef ANTIVIRUS_WIRE_H
#define ANTIVIRUS_WIRE_H

#include "base/buf.h"
#include "base/rc.h"
#include "base/slice.h"

#define AV_WIRE_VERSION  1u
#define AV_FRAME_MAX     1024u
#define AV_NAME_MAX      255u /* of a file, and of a signature */
#define AV_ENGINE_MAX    64u
#define AV_BYTES_MAX     (UINT64_C(1) << 30)

struct av_request {
	uint64_t     id;    /* the answer repeats it */
	uint64_t     bytes; /* of the descriptor that comes along: 0 to AV_BYTES_MAX */
	struct slice name;  /* as its sender wrote it, at most AV_NAME_MAX bytes; may be empty. Context, never a path */
};

enum av_result {
	AV_CLEAN,   /* looked at whole, and no signature matched: believed only while the canary is found */
	AV_FOUND,   /* `signature` says what */
	AV_CUT,     /* a limit of the engine was met before the end; nothing was found until then */
	AV_FAILED,  /* the engine could not look at it */
	AV_DOWN,    /* the engine does not find its canary, or has no signatures: it says nothing about anything */
	AV_RESULTS
};

struct av_answer {
	uint64_t       id;
	enum av_result result;
	struct slice   signature;        /* AV_FOUND only: 1 to AV_NAME_MAX bytes of printable ASCII */
	struct slice   engine;           /* "ClamAV 1.4.3": at most AV_ENGINE_MAX bytes of printable ASCII */
	uint32_t       database;         /* its version; 0: none that has one */
	uint64_t       database_s;       /* when the newest of its files was made or changed, seconds since 1970; 0: unknown */
	uint32_t       signature_count;
};

/* Append a frame to an empty `out`. Names longer than they may be are cut; bytes that may not stand in them become '?'. */
void av_request_put(const struct av_request *request, struct buf *out);
void av_answer_put(const struct av_answer *answer, struct buf *out);

/* Read one; slices borrow from `frame`. RC_UNSUPPORTED: another version. RC_SYNTAX, RC_LIMIT: no such frame. */
MUST_CHECK enum rc av_request_read(struct slice frame, struct av_request *out);
MUST_CHECK enum rc av_answer_read(struct slice frame, struct av_answer *out);

/* "clean", "found", "cut", "failed", "down". */
const char *av_result_word(enum av_result result);

#endif
