/*
 * A page of HTML as its readers see it: text in reading order and what hides other text, links with the text that
 * carries them, forms, scripts, embedded bytes, pictures drawn with cells, and facts (facts.h).
 *
 * Where readers differ, text is neither shown nor hidden but shown to some, with the reasons. Comments that some
 * versions of Outlook read, srcdoc and data: pages are read after the page itself, in the same way.
 *
 * All slices given to a sink are valid during the call only, and hostile.
 */
#ifndef HTML_READ_H
#define HTML_READ_H

#include "html/cells.h"
#include "html/facts.h"
#include "html/fingerprint.h"
#include "html/style.h"
#include "html/tokenizer.h"

#define HTML_EVIDENCE_MAX  200u  /* bytes of a fact's evidence */
#define HTML_LINK_TEXT_MAX 1024u /* bytes of the text that is kept of one link */
#define HTML_INNER_MAX     256u  /* pages in the page */
#define HTML_INNER_DEPTH   3u    /* and in these */

/* Steps for one page of any size that mail has; a core takes about 200 million in a second. */
#define HTML_STEPS_STANDARD (UINT64_C(1) << 25)

enum html_place {
	HTML_PLACE_SHOWN,  /* everybody sees it */
	HTML_PLACE_SOME,   /* some readers show it: html_text.some says why others do not */
	HTML_PLACE_HIDDEN, /* html_text.hidden says why */
	HTML_PLACE_TITLE,  /* <title> */
	HTML_PLACE_ALT,    /* in place of a picture */
	HTML_PLACE_LABEL,  /* title, aria-label, placeholder, a button's or field's value, a frame's or option's label */
	HTML_PLACES
};

#define HTML_TEXT_REVERSED 1u /* shown from right to left whatever its letters are (bdo, unicode-bidi) */

/* Pieces of one place join; a line end is "\n", a new cell of a table "\t". Blanks are as a browser leaves them. */
struct html_text {
	enum html_place place;
	struct slice    text;
	uint32_t        hidden, some; /* bits of enum html_hidden */
	uint32_t        flags;        /* HTML_TEXT_x */
};

enum html_role {
	HTML_ROLE_CLICK,   /* followed when one clicks */
	HTML_ROLE_SUBMIT,  /* gets what a form was filled with */
	HTML_ROLE_PICTURE, /* loaded by the reader */
	HTML_ROLE_FETCH,   /* other things that are loaded: sounds, fonts, style sheets */
	HTML_ROLE_SCRIPT,
	HTML_ROLE_FRAME,   /* a page in the page, an object */
	HTML_ROLE_REFRESH, /* where the page leads by itself */
	HTML_ROLE_BASE,    /* what relative addresses of the page belong to */
	HTML_ROLE_PING,    /* told when one clicks */
	HTML_ROLE_CITE,    /* named, but never followed */
	HTML_ROLES
};

struct html_link {
	enum html_role           role;
	enum html_element        element;   /* HTML_ELEMENT_STYLE for url() of a sheet */
	enum html_attribute_name attribute; /* HTML_ATTRIBUTE_STYLE for url() */
	struct slice             address;   /* as it stands there, references undone; not resolved against `base` */
	struct slice             base;      /* the href of <base>, as far as it was read; or empty */
	struct slice             shown;     /* what it carries, of a link one clicks; at most HTML_LINK_TEXT_MAX */
	struct slice             title;     /* its title or alt text */
	bool                     seen;      /* it carries text or a picture that can be seen */
	bool                     picture;   /* it carries a picture */
	bool                     download;
};

enum html_script_place { HTML_SCRIPT_ELEMENT, HTML_SCRIPT_HANDLER, HTML_SCRIPT_ADDRESS };

#define HTML_INPUT_TEXT     1u
#define HTML_INPUT_PASSWORD 2u
#define HTML_INPUT_EMAIL    4u
#define HTML_INPUT_PHONE    8u
#define HTML_INPUT_CARD     16u
#define HTML_INPUT_FILE     32u
#define HTML_INPUT_HIDDEN   64u
#define HTML_INPUT_CHOICE   128u /* boxes, lists, dates */
#define HTML_INPUT_SUBMIT   256u

struct html_form {
	struct slice action, method, base; /* empty action: none, or fields without a form */
	uint32_t     inputs;               /* HTML_INPUT_x */
	uint32_t     count;
};

enum html_embedded_kind {
	HTML_EMBEDDED_DATA,    /* the contents of a data: address, decoded */
	HTML_EMBEDDED_LITERAL, /* an encoded text of a script, as it stands there */
	HTML_EMBEDDED_XML      /* an island of XML for Office */
};

struct html_embedded {
	enum html_embedded_kind kind;
	struct slice            media; /* the type of a data: address */
	struct slice            bytes;
	struct slice            name; /* of a download */
	bool                    cut;  /* not all of it */
};

/* RC_OK: go on. Anything else: stop, and html_read() returns that. A sink may leave out what it does not want (NULL). */
struct html_sink {
	void *context;
	enum rc (*text)(void *context, const struct html_text *text);
	enum rc (*link)(void *context, const struct html_link *link);
	enum rc (*script)(void *context, enum html_script_place place, struct slice source);
	enum rc (*form)(void *context, const struct html_form *form);
	enum rc (*embedded)(void *context, const struct html_embedded *embedded);
	enum rc (*picture)(void *context, const struct html_cells *cells);
	enum rc (*fact)(void *context, enum html_fact fact, struct slice evidence);
};

/* For one page after the other; less than a MiB (HTML_READER_MAX), made once. */
struct html_reader;

#define HTML_READER_MAX (1u << 20)

/* NULL when the arena is full. */
struct html_reader *html_reader_make(struct arena *arena);

struct html_options {
	bool scripting; /* its reader runs scripts: an attachment in a browser. Mail programs do not. */
};

struct html_summary {
	struct html_fingerprint fingerprint;
	uint64_t                shown, some, hidden; /* bytes of text */
	uint32_t                hidden_reasons, some_reasons;
	uint32_t                elements, links, pictures_remote;
	bool                    cut; /* by *steps, the arena or a limit; HTML_FACT_CUT was told too */
};

/*
 * Read `page` (UTF-8). Rules of style sheets and decoded contents are kept in `arena` as far as it has room. Takes about
 * one of *steps a byte and a rule looked at, and ends where there are none left; never fails on any bytes. Returns RC_OK
 * or what a sink returned; *out is set in both cases.
 */
MUST_CHECK enum rc html_read(struct html_reader *reader, struct slice page, const struct html_options *options,
                             struct arena *arena, const struct html_sink *sink, uint64_t *steps, struct html_summary *out);

#endif
