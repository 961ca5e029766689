/*
 * Small text codings that protocols share: base64 (RFC 4648 section 4), hexadecimal, and xtext (RFC 3461 section 4).
 * MIME's own lenient base64 is mail/transfer's; this one is strict: no blanks, exact padding, no stray bits.
 */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "base/buf.h"

/* Appends to `out`; RC_SYNTAX leaves `out` as it was, RC_LIMIT sets out->failed. */
MUST_CHECK enum rc codec_base64_decode(struct slice text, struct buf *out);
void codec_base64_encode(struct slice bytes, struct buf *out);

MUST_CHECK enum rc codec_hex_decode(struct slice text, struct buf *out);

/* "+XX" for every byte outside "!".."~" and for "+" and "=". */
MUST_CHECK enum rc codec_xtext_decode(struct slice text, struct buf *out);
void codec_xtext_encode(struct slice bytes, struct buf *out);

/*
 * A peer's bytes as they may stand in a log line, a trace or a reply: printable ASCII except backslash and double quote as it is, every other
 * byte as \xNN, at most `max` bytes of output, "..." at the end of what was cut.
 */
void codec_quote(struct slice bytes, size_t max, struct buf *out);

#endif
