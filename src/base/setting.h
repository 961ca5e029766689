/*
 * Settings as tables: each room publishes its keys once, and the reader, the checker, `hangu check`, the manual and the
 * console's form all read that table.
 *
 * The file is lines of `key = value` below headings `[section]` or `[section name]`; `#` starts a comment at the front of a
 * line or after white space, so no value holds a "#" behind a blank; a list value is written with commas, or by repeating
 * the key. Unknown sections, unknown keys, a key given twice (unless it is a list), values out of range: each an error with
 * line, column and what was expected.
 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include "base/arena.h"
#include "base/buf.h"

#define SETTING_SECTION_KINDS_MAX 24u
#define SETTING_KEYS_MAX          128u         /* of one section */
#define SETTING_NAME_MAX          255u         /* bytes of a section's name: printable ASCII without blanks and brackets */
#define SETTING_LINE_MAX          16384u       /* bytes */
#define SETTING_FILE_MAX          (4u << 20)   /* bytes */
#define SETTING_ERRORS_MAX        64u          /* a useful size for the array of errors */

enum setting_kind {
	SETTING_BOOL,     /* bool:      yes | no */
	SETTING_NUMBER,   /* uint64_t:  digits */
	SETTING_SIZE,     /* uint64_t:  bytes; suffix K, M, G (1024) */
	SETTING_DURATION, /* uint64_t:  milliseconds; suffix ms, s, m, h, d is required */
	SETTING_WORD,     /* uint32_t:  index into `words` */
	SETTING_TEXT,     /* struct slice: anything without control bytes */
	SETTING_LIST,     /* struct setting_list: texts */
};

struct setting_list {
	const struct slice *items;
	size_t              count;
};

/* One key. `min` and `max` bound numbers, bytes, milliseconds, text bytes, or the count of a list. */
struct setting {
	const char        *key;
	enum setting_kind  kind;
	size_t             offset;   /* of the field in the section's struct */
	uint64_t           min, max;
	const char        *standard; /* as written in a file; NULL: the key must be given */
	const char *const *words;    /* for SETTING_WORD, ends with NULL */
	const char        *unit;     /* for people: "bytes", "seconds", "" */
	const char        *help;     /* one line, a whole sentence */
	bool               secret;   /* never printed back */
};

/* One kind of section. */
struct setting_section {
	const char           *name;     /* "listener" */
	bool                  named;    /* [listener internet]: may occur several times, each with another name */
	const struct setting *settings; /* ends with a NULL key */
	size_t                size;     /* bytes of the section's struct; its first member is `struct slice name` when named */
	size_t                max;      /* how many may occur */
	const char           *help;
};

/* Where an error stands and what was expected there; text is static or lies in the arena given. */
struct setting_error {
	size_t       line;   /* from 1; 0: the file as a whole */
	size_t       column; /* from 1 */
	const char  *text;   /* "expected a size such as 50M between 1K and 2G" */
	struct slice found;  /* borrowed from the file; may be empty */
};

/* What came out: for each section kind (same order as given), its structs in file order. An unnamed one is always there once. */
struct setting_values {
	struct {
		void        *items; /* array of the section's struct */
		size_t       count;
		const size_t *lines; /* line of each heading, 0 when it was not in the file */
	} sections[SETTING_SECTION_KINDS_MAX];
};

/*
 * Read `text` by `sections` (count of them, at most SETTING_SECTION_KINDS_MAX). Values and everything they point to live in `arena`; slices may also borrow from
 * `text`, which the caller keeps alive. RC_SYNTAX: *error_count errors (1 to `errors_max`) stand in `errors` and nothing in
 * *out may be used. RC_NOMEM: the arena is full (it needs about 8 KiB and the structs). RC_LIMIT: `text` is larger than SETTING_FILE_MAX.
 * A standard value that breaks its own bounds ends the process: every table of settings has a test that reads an empty file.
 */
MUST_CHECK enum rc setting_read(struct slice text, const struct setting_section *sections, size_t count, struct arena *arena,
                                struct setting_values *out, struct setting_error *errors, size_t errors_max, size_t *error_count);

/* The manual: every key with type, unit, range, default and help, as a commented settings file. */
void setting_describe(const struct setting_section *sections, size_t count, struct buf *out);

#endif
