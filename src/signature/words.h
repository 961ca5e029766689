/*
 * Many words and expressions over a text at once, through vectorscan: thousands cost little more than one. A set is
 * made before the box closes and never changes; a reader that scans has a scratch of its own.
 *
 * Expressions are those of vectorscan (no look-around, no back-reference), in UTF-8; \w, \d and \s mean ASCII, for
 * Unicode's make compiling three times as long. Each is told at most once a text.
 * Every set holds one more word, the canary: words_check() must find it.
 *
 * Source: the developer's reference of vectorscan 5.4.
 */
#ifndef SIGNATURE_WORDS_H
#define SIGNATURE_WORDS_H

#include "base/rc.h"
#include "base/slice.h"

#define WORDS_MAX            1000000u
#define WORDS_PATTERN_MAX    4096u
#define WORDS_ERROR_TEXT_MAX 200u

#define WORD_EXPRESSION 1u /* else the text itself, every byte of it literal */
#define WORD_ANY_CASE   2u /* upper and lower case are the same, in all of Unicode for expressions, in ASCII for words */

struct word {
	struct slice text;  /* valid UTF-8, 1 to WORDS_PATTERN_MAX bytes, no NUL */
	uint32_t     flags; /* WORD_x */
	uint32_t     id;    /* the caller's, told when it is found; not UINT32_MAX */
};

struct words_error {
	size_t index;                      /* of the word that is wrong; SIZE_MAX: all of them together */
	char   text[WORDS_ERROR_TEXT_MAX];
};

struct words;         /* opaque, read only once made */
struct words_scratch; /* opaque, of one thread */

/*
 * Compile them into one set; the caller gives it back with words_drop(). No words at all is a set, too.
 *
 * RC_SYNTAX  an expression is not right, or would match the empty text; *error says which and why.
 * RC_LIMIT   too many, one too long or empty, or all together too large for the library.
 * RC_NOMEM
 */
MUST_CHECK enum rc words_make(const struct word *items, size_t count, struct words_error *error, struct words **out);
void               words_drop(struct words **words);

/* RC_NOMEM. One scratch serves one set. */
MUST_CHECK enum rc words_scratch_make(const struct words *words, struct words_scratch **out);
void               words_scratch_drop(struct words_scratch **scratch);

/*
 * Which of them stand in `text`. `found` is told the id and the offset behind a match (which one, if there are several,
 * is not said); it returns false to hear no more. RC_OK; RC_LIMIT: a text of 4 GiB or more. Linear in the text.
 */
MUST_CHECK enum rc words_find(const struct words *words, struct words_scratch *scratch, struct slice text,
                              bool (*found)(void *context, uint32_t id, uint64_t end), void *context);

/* Is the canary found? */
bool words_check(const struct words *words, struct words_scratch *scratch);

/* "5.4.9 2023-...", for the engine's digest. */
const char *words_version(void);

#endif
