/*
 * Content-Type and Content-Disposition: a word and its parameters (RFC 2045 section 5.1, RFC 2183, RFC 2231), and the
 * readings that common readers make of one parameter. Where the grammar is broken, every reading that some reader
 * takes is offered.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"

#define MIME_FIELD_MALFORMED 1u /* the grammar is broken: no type, no "=", text behind a quoted string ... */
#define MIME_FIELD_DUPLICATE 2u /* a parameter occurs twice with different values */
#define MIME_FIELD_LIMIT     4u /* more parameters than the limit: the rest is not read */
#define MIME_FIELD_COMMENT   8u /* has comments, which some readers take for text */

#define MIME_SECTION_NONE (-1)

struct mime_parameter {
	struct slice name;     /* in lower case, without "*0*" and the like */
	struct slice value;    /* unquoted, comments dropped */
	struct slice raw;      /* from behind "=" up to the next ";" that is not quoted, trimmed */
	struct slice tail;     /* from there to the end of the field: for readers that cut elsewhere */
	int          section;  /* the number of RFC 2231 section 3, or MIME_SECTION_NONE */
	bool         extended; /* "*" at its end: percent-encoded (RFC 2231 section 4) */
};

struct mime_field {
	struct slice                 word;       /* "multipart/mixed" or "attachment", in lower case, without blanks */
	const struct mime_parameter *parameters; /* in the arena */
	size_t                       count;
	uint32_t                     flags; /* MIME_FIELD_x */
};

/*
 * Read the unfolded value of a field. Slices borrow from `value` or lie in `arena`. RC_NOMEM; no bytes make it fail
 * otherwise.
 */
MUST_CHECK enum rc mime_field_read(struct slice value, size_t parameters_max, struct arena *arena,
                                   struct mime_field *out);

/* Ways in which a reading came about. */
#define MIME_READING_EXTENDED 1u  /* RFC 2231 */
#define MIME_READING_WORD     2u  /* RFC 2047 encoded word inside a parameter, which RFC 2047 section 5 forbids */
#define MIME_READING_BROKEN   4u  /* only a lenient reader comes to this */
#define MIME_READING_CHARSET  8u  /* of a character set this room cannot read: bytes above 127 are U+FFFD */
#define MIME_READING_CONTROL  16u /* holds a NUL, line end or other control character */
#define MIME_READING_CUT      32u /* longer than MIME_READING_BYTES_MAX, or than MIME_READING_PLAIN_MAX */

#define MIME_READINGS_MAX      12u
#define MIME_READING_BYTES_MAX 1024u  /* of a text that had to be decoded */
#define MIME_READING_PLAIN_MAX 16384u /* of one that stands so in the field, printable ASCII all of it */

struct mime_reading {
	struct slice text;  /* UTF-8 */
	uint32_t     flags; /* MIME_READING_x */
};

struct mime_readings {
	/* different from each other; the first is what most readers show */
	struct mime_reading items[MIME_READINGS_MAX];
	size_t              count;
};

/* Add the readings of parameter `name` (lower case) to *out, as far as there is room. RC_NOMEM. */
MUST_CHECK enum rc mime_readings_add(const struct mime_field *field, struct slice name, struct arena *arena,
                                     struct mime_readings *out);

/* The first plain value of that parameter, or the empty slice. For parameters nobody lies about (charset). */
struct slice mime_parameter_plain(const struct mime_field *field, struct slice name);

#endif
