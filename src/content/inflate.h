/*
 * Deflate (RFC 1951), bare or inside zlib (RFC 1950) or gzip (RFC 1952), and deflate64, under a meter. Damaged streams
 * give what came before the damage: that is what a reader who repairs will show.
 */
#ifndef CONTENT_INFLATE_H
#define CONTENT_INFLATE_H

#include "base/buf.h"
#include "content/meter.h"

enum inflate_form {
	INFLATE_RAW,
	INFLATE_ZLIB,
	INFLATE_GZIP, /* one member of a gzip file */
	INFLATE_64,   /* deflate64, method 9 of zip: a window of 64 KiB, lengths up to 65,538 */
};

/*
 * Unpack the stream at the front of `bytes` to the end of `out`; *used: bytes of it that were read (may be NULL).
 *
 * RC_OK       to its end.
 * RC_CORRUPT  damaged, a wrong checksum, or it ends early; `out` has what came.
 * RC_LIMIT    the meter or the bound of `out` stopped it; `out` has what came.
 * RC_NOMEM
 */
MUST_CHECK enum rc inflate_take(enum inflate_form form, struct slice bytes, struct meter *meter, struct buf *out, size_t *used);

/* The checksum of zip and gzip (ISO 3309), going on from `crc` (0 to start). */
uint32_t inflate_crc32(uint32_t crc, struct slice bytes);

#endif
