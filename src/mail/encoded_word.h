/*
 * Encoded words (RFC 2047, language suffix of RFC 2231 section 5) undone and brought to UTF-8, in whatever character
 * set they are (text/charset.h, which must be ready).
 */
#ifndef MAIL_ENCODED_WORD_H
#define MAIL_ENCODED_WORD_H

#include "base/slice.h"
#include "text/charset.h"

#define WORD_FOUND   1u  /* at least one encoded word was decoded */
#define WORD_BROKEN  2u  /* "=?" that is no whole word, a bad encoding letter, or flaws inside the encoding */
#define WORD_CONTROL 4u  /* NUL, line end or another control character came out */
#define WORD_CHARSET 8u  /* of a character set that nobody knows, or bytes that are not of the set it names */
#define WORD_CUT     16u /* did not fit into `room` */

struct word_result {
	size_t   size;    /* bytes written */
	uint32_t flags;   /* WORD_x */
	uint8_t  control; /* the first control character that came out */
};

/*
 * Decode the encoded words of `text` (unfolded) into `out`; what stands between is copied, white space between two
 * words dropped. Never more than `room` bytes, cut between characters. Bytes outside words are taken for UTF-8, for the
 * set that they speak for where they are not (charset_guess.h). A character that is split between two words of one
 * set is put together, as many readers do, with WORD_BROKEN. A word of a set that nobody knows is guessed, too.
 */
struct word_result encoded_word_decode(struct slice text, uint8_t *out, size_t room);

/*
 * `bytes` of that set as UTF-8 in `out`; CHARSET_NONE: of the set they speak for. flags: WORD_CONTROL, WORD_CHARSET,
 * WORD_CUT.
 */
struct word_result word_to_utf8(struct slice bytes, enum charset charset, uint8_t *out, size_t room);

#endif
