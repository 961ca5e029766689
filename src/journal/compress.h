/*
 * zstd for bodies: one frame each. The only place that knows the library. A body that does not become smaller is
 * stored as it is.
 */
#ifndef JOURNAL_COMPRESS_H
#define JOURNAL_COMPRESS_H

#include "base/rc.h"
#include "base/slice.h"

struct journal_compressor; /* opaque; used by one thread at a time */
struct journal_unpacker;   /* opaque */

#define JOURNAL_COMPRESS_LEVEL_MAX 9u

/* RC_NOMEM. */
MUST_CHECK enum rc journal_compressor_open(unsigned level, struct journal_compressor **out);
void               journal_compressor_close(struct journal_compressor **compressor);

/* Pack `pieces` into at most `room` bytes at `to`. RC_LIMIT: it does not fit, so store it as it is. RC_NOMEM. */
MUST_CHECK enum rc journal_compress(struct journal_compressor *compressor, const struct slice *pieces, size_t count,
                                    uint8_t *to, size_t room, size_t *out);

/* Unpacking takes memory by the frame's window, which is bounded; a frame that wants more is RC_CORRUPT. RC_NOMEM. */
MUST_CHECK enum rc journal_unpacker_open(struct journal_unpacker **out);
void               journal_unpacker_close(struct journal_unpacker **unpacker);
/* Begin a new frame. */
void journal_unpacker_reset(struct journal_unpacker *unpacker);
/*
 * Unpack from *input (moved on) into `to`; *out bytes came. 0 bytes and an empty input: more input is needed, or the
 * frame has ended. RC_CORRUPT.
 */
MUST_CHECK enum rc journal_unpack(struct journal_unpacker *unpacker, struct slice *input, uint8_t *to, size_t room,
                                  size_t *out);

#endif
