/*
 * Where something of the settings stands, and how a person is told: "hangu.conf:12:9: [listener internet] peers: expected ...".
 * Between the files of this room only. Values borrow from the text they were read from, so their place is found by where they lie.
 */
#ifndef SETTINGS_PLACE_H
#define SETTINGS_PLACE_H

#include "base/buf.h"
#include "settings/sections.h"

/* Both from 1. Line 0: the file as a whole; column 0: the line as a whole. */
struct settings_place {
	size_t line, column;
};

/* The place of `part`, which borrows from `text`; line 0 when it does not, or is empty. Time: one pass over `text`. */
struct settings_place settings_place_of(struct slice text, struct slice part);

/*
 * The place of the value of `key` in the section whose heading is on `heading_line` (of the key, when its value is empty; of the first
 * one, when it is repeated); line 0 when it is not written there. `text` is one that setting_read() took.
 */
struct settings_place settings_place_of_key(struct slice text, size_t heading_line, const char *key);

/* Something that is said of a section. */
struct settings_spot {
	enum settings_kind kind;
	size_t             index; /* which of its kind */
	const char        *key;   /* or NULL: the section as a whole */
	const char        *text;  /* what is wrong, and what was expected */
	struct slice       found; /* may be empty */
};

/* The closest place of it that is written: of what was found, else of the key, else of the heading, else the file. */
struct settings_place settings_place_of_spot(struct slice text, const struct setting_values *values, const struct settings_spot *spot);

/* "hangu.conf:12:9: "; line 0 and column 0 are left out. */
void settings_put_place(struct slice path, struct settings_place place, struct buf *out);
/* "[listener internet] peers: expected ...: found" and LF. */
void settings_put_spot(const struct setting_values *values, const struct settings_spot *spot, struct buf *out);

/* The path of a file that the settings name: one that does not begin with a slash is beside the settings file. RC_LIMIT. */
MUST_CHECK enum rc settings_put_path(struct slice settings_path, struct slice name, struct buf *out);

#endif
