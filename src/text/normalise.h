/*
 * The reader's text: what eyes see of a text, apart from its raw bytes. Invisible characters are gone, overridden
 * order is the visible one, full-width and decorated letters are plain, letters borrowed from another script are the
 * ones they pose as, halves of Chinese characters are put together, and words that were spaced out or written with
 * digits are words. What had to be undone is counted by kind, with its first place: those differences become
 * findings. What plain writing holds too (an emoji's selector, joiners of Persian or Hindi, a unit's Greek letter) is
 * undone and not counted.
 */
#ifndef TEXT_NORMALISE_H
#define TEXT_NORMALISE_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"
#include "text/unicode.h"

enum normalise_kind {
	NORMALISE_INVISIBLE,  /* characters that are not drawn, inside a word */
	NORMALISE_FILLER,     /* the same between words */
	NORMALISE_BIDI,       /* runs whose order is overridden (U+202E) */
	NORMALISE_TAG,        /* tag characters (U+E0020 and on): ASCII that nobody sees */
	NORMALISE_VARIATION,  /* variation selectors behind what has no variants */
	NORMALISE_STACK,      /* marks piled on one letter beyond NORMALISE_MARKS_MAX */
	NORMALISE_WIDTH,      /* full-width letters and digits */
	NORMALISE_STYLE,      /* mathematical, circled, squared, superscript and small-capital letters */
	NORMALISE_CONFUSABLE, /* letters that pose as Latin ones */
	NORMALISE_STROKE,     /* Chinese radicals and compatibility ideographs that pose as the common character */
	NORMALISE_SPLIT,      /* Chinese characters written as two */
	NORMALISE_LEET,       /* digits and signs for letters inside a word */
	NORMALISE_SPACED,     /* words whose letters stand apart */
	NORMALISE_CONTROL,    /* control characters other than tab and line ends */
	NORMALISE_KINDS
};

#define NORMALISE_MARKS_MAX  3u  /* combining marks on one letter that some language writes */
#define NORMALISE_SPACED_MIN 4u  /* letters one by one that are a word spaced out */
#define NORMALISE_WORD_MAX   64u /* bytes of a word that is looked at; a longer one stays as it is */

struct normalise_difference {
	uint32_t count;
	uint32_t offset; /* of the first one, in the raw text; 0 without one */
};

struct normalised {
	struct slice                reader; /* UTF-8; the raw text itself when both are the same, else in the arena */
	struct normalise_difference differences[NORMALISE_KINDS];
	uint32_t                    letters[UNICODE_SCRIPTS]; /* by script, as written */
	uint32_t                    mixed_words;              /* words with letters of more than one alphabet */
	bool                        differs;                  /* any count is not 0 */
};

/*
 * Fill the tables; calls unicode_ready(). Once per process, before its threads start and its sandbox closes; only
 * read after.
 */
MUST_CHECK enum rc normalise_ready(void);

/*
 * The reader's text of `raw`, which is valid UTF-8 of less than 4 GiB. RC_NOMEM: the arena is full. Time is linear;
 * at most NORMALISE_GROWTH times the bytes and 64 of the arena are taken on the way, and what is not needed is given
 * back.
 */
#define NORMALISE_GROWTH 4u
MUST_CHECK enum rc normalise_text(struct slice raw, struct arena *arena, struct normalised *out);

/* The kind as a fixed lower-case word ("invisible"); never NULL. */
const char *normalise_word(enum normalise_kind kind);

#endif
