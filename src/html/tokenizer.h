/*
 * The tokenizer of HTML 13.2.5: bytes of UTF-8 in, one token a call out. It never fails on any bytes; what browsers
 * call parse errors is read as they read it.
 *
 * Text comes in pieces (a line, a character reference), so that nearly all of it is borrowed from the input. Line ends
 * are LF as HTML 13.2.3.5 asks for. Linear in the input; takes memory only from the arena given, and only for names with
 * capitals and for values with references or line ends.
 */
#ifndef HTML_TOKENIZER_H
#define HTML_TOKENIZER_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"
#include "html/entity.h"
#include "html/names.h"

/* More attributes of one tag are left out, and the token says so. */
#define HTML_ATTRIBUTES_MAX 128u

enum html_token_kind { HTML_TOKEN_TEXT, HTML_TOKEN_START, HTML_TOKEN_END, HTML_TOKEN_COMMENT, HTML_TOKEN_DOCTYPE };

/* The states of HTML 13.2.5 that tree construction chooses. */
enum html_mode { HTML_MODE_DATA, HTML_MODE_RCDATA, HTML_MODE_RAWTEXT, HTML_MODE_SCRIPT, HTML_MODE_PLAINTEXT, HTML_MODE_CDATA };

struct html_attribute {
	struct slice             text; /* the name, in lower case */
	struct slice             value;
	struct slice             raw; /* the value as it stands in the input */
	enum html_attribute_name name;
	uint32_t                 hash; /* html_name_hash() of `text` */
};

#define HTML_TOKEN_SELF_CLOSING 1u
#define HTML_TOKEN_LIMIT        2u  /* attributes were left out: HTML_ATTRIBUTES_MAX */
#define HTML_TOKEN_FULL         4u  /* the arena is full: names or values stand as in the input */
#define HTML_TOKEN_DUPLICATE    8u  /* an attribute occurred twice; the first counts */
#define HTML_TOKEN_QUIRKS       16u /* a doctype that is not correct */
#define HTML_TOKEN_PUBLIC       32u /* a doctype with a public identifier, maybe an empty one */
#define HTML_TOKEN_SYSTEM       64u
#define HTML_TOKEN_NAME         128u /* a doctype with a name */
#define HTML_TOKEN_REFERENCE    256u /* text that was written as a character reference */
#define HTML_TOKEN_BOGUS        512u /* a comment that no reader of SGML takes for one: "<?", "<!x", "</1" */
#define HTML_TOKEN_CDATA        1024u /* a comment that is a CDATA section where there can be none; text without "[CDATA[" */

struct html_token {
	enum html_token_kind         kind;
	enum html_element            element; /* of a tag */
	uint32_t                     hash;    /* html_name_hash() of a tag's name */
	uint32_t                     flags;   /* HTML_TOKEN_x */
	struct slice                 name;    /* of a tag or doctype, in lower case */
	struct slice                 text;    /* of text and comments */
	const struct html_attribute *attributes;
	size_t                       count;
	struct slice                 public_id, system_id;
	size_t                       start, end; /* where it stands in the input */
};

enum html_script_state { HTML_SCRIPT_PLAIN, HTML_SCRIPT_ESCAPED, HTML_SCRIPT_DOUBLE };

struct html_tokenizer {
	struct slice           input;
	size_t                 at;
	struct arena          *arena;
	size_t                 arena_mark; /* what the arena held before; reset to it at each token */
	enum html_mode         mode;
	bool                   cdata;     /* set by the caller: inside SVG or MathML, CDATA sections are text */
	bool                   unclosed;  /* the input ended inside a tag, which is not seen therefore */
	size_t                 unclosed_at;
	struct slice           last;      /* name of the last start tag: the one that ends RCDATA, RAWTEXT and scripts */
	enum html_script_state script;
	unsigned               dashes;
	size_t                 cdata_end; /* where the "]]>" of the present section stands; SIZE_MAX: not looked for yet */
	uint8_t                last_text[32];
	struct html_reference  reference;
	struct html_attribute  attributes[HTML_ATTRIBUTES_MAX];
};

/* Begin. `input` and `arena` outlive the tokens; the arena's parts made from here on die at the next token. */
void html_tokenizer_init(struct html_tokenizer *t, struct slice input, struct arena *arena);

/* The next token. RC_CLOSED: there are no more. Its slices live until the next call. */
MUST_CHECK enum rc html_tokenizer_next(struct html_tokenizer *t, struct html_token *out);

/* To be called between two tokens, as tree construction does behind <title>, <style>, <script> ... */
void html_tokenizer_mode(struct html_tokenizer *t, enum html_mode mode);

/* Name (lower case, at most 32 bytes) of the start tag that stands before the input: for fragments. */
void html_tokenizer_last(struct html_tokenizer *t, struct slice name);

/* The mode behind a start tag outside SVG and MathML. `scripting`: whether the reader runs scripts (for noscript). */
enum html_mode html_element_mode(enum html_element element, bool scripting);

/* The attribute of that name, or NULL. */
const struct html_attribute *html_token_attribute(const struct html_token *token, enum html_attribute_name name);

/* Its value; the empty slice without one. */
struct slice html_token_value(const struct html_token *token, enum html_attribute_name name);

static inline bool html_is_space(int byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\f' || byte == '\r';
}

#endif
