/*
 * The set that bytes without a (true) label speak for: by their escapes, by UTF-8's form, by zeros, and by how likely
 * the characters are that each set makes of them, which tells even a subject of a few characters. It looks at no more
 * than CHARSET_SAMPLE_MAX bytes.
 */
#ifndef TEXT_CHARSET_GUESS_H
#define TEXT_CHARSET_GUESS_H

#include "text/charset.h"

#define CHARSET_SAMPLE_MAX 1024u /* bytes looked at for statistics, those above 127 and what stands beside them */

/* Fills what the statistics need; charset_ready() calls it. */
void charset_guess_ready(void);

/*
 * A set for `bytes`: CHARSET_ASCII when all are below 128 and no escape says more, CHARSET_WINDOWS_1252 when nothing
 * else is likely. UTF-7 is never an answer (charset_has_utf7).
 */
enum charset charset_guess(struct slice bytes);

/*
 * How well the bytes above 127 read in a set: points for a hundred of those bytes; about 500 for plain text of its
 * language, below 0 for nonsense.
 */
int charset_likeness(enum charset charset, struct slice bytes);

/* The set whose escapes stand in 7-bit text (ISO-2022-JP, -KR, -CN, HZ); CHARSET_NONE: none. */
enum charset charset_escapes(struct slice bytes);

/* Does 7-bit text hold a run of UTF-7 that decodes to something? */
bool charset_has_utf7(struct slice bytes);

#endif
