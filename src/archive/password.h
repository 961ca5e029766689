/*
 * Passwords that a message gives away: people, and those who write to them, send the password along with the locked
 * archive. Candidates are collected from texts, names and subjects, best first, and tried by the openers as long as the
 * budget has BUDGET_TRIES.
 */
#ifndef ARCHIVE_PASSWORD_H
#define ARCHIVE_PASSWORD_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"

#define PASSWORDS_MAX         256u   /* candidates that are kept; better ones push out worse ones */
#define PASSWORD_BYTES_MAX    128u   /* a longer one is none */
#define PASSWORD_TEXT_MAX     131072u /* bytes of one text that are read */

/* Where a candidate comes from; the order in which they are tried. */
enum password_rank {
	PASSWORD_SAID,   /* behind "password:" and its like */
	PASSWORD_NEAR,   /* on the same line or the next one */
	PASSWORD_QUOTED, /* a word in quotes or brackets, anywhere */
	PASSWORD_WORD,   /* a word of a subject or a file name */
	PASSWORD_COMMON, /* one that many use */
	PASSWORD_RANKS
};

struct password {
	struct slice       text; /* in the arena, or static */
	enum password_rank rank;
};

struct password_list {
	struct password items[PASSWORDS_MAX]; /* different from each other, sorted by rank, in the order of their coming in each */
	size_t          count;
	struct arena   *arena; /* borrowed; copies of the candidates */
};

/* A list with the common ones in it. */
void password_init(struct password_list *list, struct arena *arena);

/*
 * Read one text (UTF-8; other bytes do no harm): candidates behind words for "password" in nine languages, near them, and in
 * quotes. Each of the following answers RC_OK or, when the arena is full, RC_NOMEM; what was found before stays.
 */
MUST_CHECK enum rc password_text(struct password_list *list, struct slice text);

/* The words of a subject or a file name, whole and in pieces, each with and without its extension. */
MUST_CHECK enum rc password_words(struct password_list *list, struct slice name);

/* One more. Empty and too long ones are left out, and those that are there already. */
MUST_CHECK enum rc password_add(struct password_list *list, struct slice text, enum password_rank rank);

/* The password at `index` opened something: to the front with it. */
void password_was_right(struct password_list *list, size_t index);

#endif
