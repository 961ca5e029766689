/* The reader's text under way: shared by normalise.c (characters) and normalise_words.c (words), and by nobody else. */
#ifndef TEXT_NORMALISE_INSIDE_H
#define TEXT_NORMALISE_INSIDE_H

#include "text/normalise.h"

struct normalise_run {
	struct normalised *out;
	uint8_t           *text;
	size_t             size;   /* bytes written */
	size_t             offset; /* in the raw text, of the character under way */
	uint32_t           before; /* the last character written; 0: none */
	uint32_t           marks;  /* behind it */
	uint32_t           hidden; /* invisible characters since */
	size_t             hidden_offset;
	bool               flag;     /* inside an emoji's sequence of tags */
	bool               override; /* inside U+202E */
	size_t             override_start;

	/* The word under way. */
	bool     in_word;
	size_t   word_start;
	size_t   word_offset;
	uint32_t alphabets[UNICODE_SCRIPTS];
	uint32_t posing;  /* letters that look like Latin ones */
	uint32_t numbers; /* digits and signs that may stand for letters */

	/* Letters one by one with one separator each. */
	uint32_t spaced; /* how many */
	uint32_t spaced_by;
	size_t   spaced_start;
	size_t   spaced_end;
	size_t   spaced_offset;
	size_t   single_end; /* where the last such letter ends */
};

void normalise_count(struct normalise_run *run, enum normalise_kind kind, uint32_t count, size_t offset);

/* The Latin letter that `character` poses as; 0: none. */
uint8_t normalise_pose(uint32_t character);
/* The character that two halves make; 0: none. */
uint32_t normalise_joined(uint32_t left, uint32_t right);
/* Fills the tables of both. */
MUST_CHECK enum rc normalise_tables_ready(void);

/* A character that may be part of a word, just written at run->word_start or behind it; `start`: where. */
void normalise_word_add(struct normalise_run *run, uint32_t character, size_t start);
/* The word ends; `separator` comes behind it, 0 at the end of the text. */
void normalise_word_end(struct normalise_run *run, uint32_t separator);
/*
 * A character that is a word of its own (an ideograph) was written at `start`; `offset`: where it stands in the raw
 * text.
 */
void normalise_word_single(struct normalise_run *run, size_t start, size_t offset);
/* No letters one by one go on from here. */
void normalise_spaced_end(struct normalise_run *run);

#endif
