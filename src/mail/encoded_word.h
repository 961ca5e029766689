/*
 * Encoded words (RFC 2047, language suffix of RFC 2231 section 5) undone, and text of the character sets that need no
 * table (UTF-8, US-ASCII, ISO-8859-1, UTF-16) brought to UTF-8. Text of any other set keeps its ASCII and shows
 * U+FFFD for the rest.
 */
#ifndef MAIL_ENCODED_WORD_H
#define MAIL_ENCODED_WORD_H

#include "base/slice.h"

#define WORD_FOUND   1u  /* at least one encoded word was decoded */
#define WORD_BROKEN  2u  /* "=?" that is no whole word, a bad encoding letter, or flaws inside the encoding */
#define WORD_CONTROL 4u  /* NUL, line end or another control character came out */
#define WORD_CHARSET 8u  /* of a character set this room cannot read, or bytes that are not of the set it names */
#define WORD_CUT     16u /* did not fit into `room` */

struct word_result {
	size_t   size;    /* bytes written */
	uint32_t flags;   /* WORD_x */
	uint8_t  control; /* the first control character that came out */
};

/*
 * Decode the encoded words of `text` (unfolded) into `out`; what stands between is copied, white space between two
 * words dropped. Never more than `room` bytes, cut between characters. Bytes outside words are taken for UTF-8,
 * others of them for ISO-8859-1.
 */
struct word_result encoded_word_decode(struct slice text, uint8_t *out, size_t room);

/* Which character set, as far as this room knows them. */
enum word_charset { WORD_ASCII, WORD_UTF8, WORD_LATIN1, WORD_UTF16BE, WORD_UTF16LE, WORD_OTHER };
enum word_charset word_charset_of(struct slice name);

/* `bytes` of that set as UTF-8 in `out`. flags: WORD_CONTROL, WORD_CHARSET, WORD_CUT. */
struct word_result word_to_utf8(struct slice bytes, enum word_charset charset, uint8_t *out, size_t room);

/*
 * The character at the front of `s` and its size in *ret_size; UINT32_MAX for bytes that are not UTF-8 (size 1). `s`
 * is not empty. RFC 3629 section 4.
 */
uint32_t utf8_decode(struct slice s, size_t *ret_size);

#endif
