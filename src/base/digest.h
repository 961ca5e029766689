/*
 * SHA-256 (through libcrypto, the only file of base/ that knows it) and CRC-32C (RFC 3720 appendix B.4; the processor's own
 * instruction where it has one, the same answer where it has not).
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/rc.h"
#include "base/slice.h"

#define DIGEST_SIZE 32u

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

struct digest_run; /* opaque: a SHA-256 in progress */

/* To be called once per process before any thread starts and before the sandbox closes: loads what libcrypto loads lazily. RC_UNSUPPORTED. */
MUST_CHECK enum rc digest_ready(void);

/* SHA-256 of `count` pieces one after the other. Never fails after digest_ready(). */
void digest_of(const struct slice *pieces, size_t count, struct digest *out);

/* The same piece by piece. RC_NOMEM. digest_run_end() frees the run and clears the pointer; `out` may be NULL to drop it. */
MUST_CHECK enum rc digest_run_open(struct digest_run **out);
void digest_run_add(struct digest_run *run, struct slice piece);
void digest_run_end(struct digest_run **run, struct digest *out);

bool digest_eq(const struct digest *a, const struct digest *b);

/* CRC-32C of `s`, going on from `crc` (0 to start). */
uint32_t digest_crc32c(uint32_t crc, struct slice s);
/* The same without the processor's instruction; public so that tests can hold the two against each other. */
uint32_t digest_crc32c_table(uint32_t crc, struct slice s);

#endif
