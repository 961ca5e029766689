/*
 * Objects of PDF as values: ISO 32000-1 section 7.3, read as its readers read it: no error ends it, what makes no sense
 * is left out. The same grammar serves files, object streams, content streams and character maps.
 */
#ifndef DOCUMENT_PDF_VALUE_H
#define DOCUMENT_PDF_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"
#include "base/slice.h"

/* Arrays and dictionaries in each other; what is deeper is read flat. */
#define PDF_DEPTH_MAX 32u
/* Values that are open at one time, that is of one object; more are left out. */
#define PDF_VALUES_MAX 32768u

enum pdf_kind {
	PDF_NULL,
	PDF_BOOL,
	PDF_NUMBER,
	PDF_NAME,
	PDF_STRING,
	PDF_ARRAY,
	PDF_DICTIONARY,
	PDF_REFERENCE,
	PDF_WORD, /* an operator of a content stream, or what nobody knows */
};

struct pdf_value {
	enum pdf_kind           kind;
	bool                    escaped; /* a name that was written with "#" */
	int32_t                 number;  /* rounded towards 0; of a reference: which object; of PDF_BOOL: 1 is true */
	double                  real;    /* of PDF_NUMBER */
	struct slice            text;    /* of a name, string (both decoded) or word */
	const struct pdf_value *items;   /* of an array; of a dictionary: name, value, name, value */
	size_t                  count;
};

struct pdf_parser {
	struct slice      text;
	size_t            at;      /* where the next token begins */
	struct arena     *arena;   /* takes items and decoded texts */
	struct pdf_value *stack;   /* PDF_VALUES_MAX of them, lent by the caller */
	bool              content; /* of a content stream: "1 0 R" is no reference */
	bool              cut;     /* something was left out for a bound */
};

/*
 * The next value. RC_NOTFOUND: nothing but blanks and comments is left. RC_NOMEM: the arena is full. Time is linear in
 * what is read.
 */
MUST_CHECK enum rc pdf_parse(struct pdf_parser *parser, struct pdf_value *out);

/* The value of `key`, or NULL. Of several the first. */
const struct pdf_value *pdf_get(const struct pdf_value *dictionary, const char *key);

/* Is it this name? NULL is not. */
bool pdf_is_name(const struct pdf_value *value, const char *name);

/* White space and delimiters of section 7.2.2. */
bool pdf_is_blank(int byte);
bool pdf_is_delimiter(int byte);

/* A text string (section 7.9.2.2) as UTF-8: UTF-16 or UTF-8 with its mark, else PDFDocEncoding. */
void pdf_put_text(struct slice string, struct buf *out);
/* UTF-16, most significant byte first; what is no character is U+FFFD. */
void pdf_put_utf16(struct slice text, bool little, struct buf *out);
/* One code point as UTF-8. */
void pdf_put_code(struct buf *out, uint32_t code);

#endif
