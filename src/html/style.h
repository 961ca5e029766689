/*
 * Whether the text of an element can be seen: what its own declarations and its ancestors' come to.
 */
#ifndef HTML_STYLE_H
#define HTML_STYLE_H

#include "html/sheet.h"

/* Why text is not seen. One table: enumerator, word. */
/* clang-format off: a table */
#define HTML_HIDDEN_TABLE(X)                                                                           \
	X(DISPLAY, "display")         /* display: none, the hidden attribute */                        \
	X(VISIBILITY, "visibility")                                                                    \
	X(OPACITY, "opacity")         /* below a twentieth, of it and its ancestors together */        \
	X(FONT, "font")               /* below HTML_FONT_TINY */                                       \
	X(COLOUR, "colour")           /* nearly that of its background */                              \
	X(SIZE, "size")               /* of no width or height, and what does not fit is cut */        \
	X(OFFSCREEN, "offscreen")     /* position, margin, or a transform puts it out of the window */ \
	X(INDENT, "indent")                                                                            \
	X(CLIP, "clip")                                                                                \
	X(SCALE, "scale")             /* transform: scale(0) */                                        \
	X(LINE, "line")               /* line-height: 0; some readers draw lines over each other */    \
	X(MSO, "mso")                 /* mso-hide: all; Outlook alone hides it */                      \
	X(INERT, "inert")             /* template, head, script, style and the like */                 \
	X(FALLBACK, "fallback")       /* for readers without pictures, frames, scripts, sounds */      \
	X(CLOSED, "closed")           /* in details or dialog, until one opens it */                   \
	X(CONDITIONAL, "conditional") /* a conditional comment: some versions of one reader show it */ \
	X(MEDIUM, "medium")           /* on some screens only */                                       \
	X(COMMENT, "comment")
/* clang-format on */

enum html_hidden {
#define HTML_HIDDEN_ENUMERATOR(name, text) HTML_HIDDEN_##name,
	HTML_HIDDEN_TABLE(HTML_HIDDEN_ENUMERATOR)
#undef HTML_HIDDEN_ENUMERATOR
	HTML_HIDDENS
};

#define HTML_HIDDEN_BIT(reason) (1u << (reason))

/* The word of a reason. */
const char *html_hidden_word(enum html_hidden reason);

#define HTML_FONT_STANDARD 16000 /* thousandths of a pixel */
#define HTML_FONT_TINY     4000  /* smaller text is not read by eyes */
#define HTML_COLOUR_NEAR   20u   /* no channel differs by more: eyes see no difference on a page */
#define HTML_OFFSCREEN     500000 /* thousandths of a pixel to the left or above */
#define HTML_OFFSCREEN_FAR 5000000 /* to the right or below, where one could scroll */

/* What an element brings itself. */
struct html_own {
	struct html_cascade cascade;
	uint32_t            hidden;    /* bits: it hides its content from everybody */
	uint32_t            some;      /* bits: from some readers */
	bool                some_show; /* a rule for some readers shows it although another one hides it */
};

/* What comes of it. */
struct html_look {
	uint32_t hidden; /* bits of enum html_hidden: reasons for which nobody sees its text */
	uint32_t some;   /* for which some readers do not */
	uint32_t sticky_hidden, sticky_some; /* those of them that no element inside can undo */
	uint32_t colour, background;
	int32_t  font;        /* thousandths of a pixel */
	int32_t  line_height; /* the same; -1: normal */
	int32_t  indent;
	int32_t  opacity;     /* thousandths */
	bool     picture;     /* a picture lies behind the text: its colour is not known */
	bool     invisible, mso_hidden;
	bool     pre;         /* line ends and blanks count */
	bool     rtl, override;
	bool     block;
	bool     display_set;
};

/* How a page begins: black on white. */
struct html_look html_look_start(void);

void html_look_of(const struct html_look *parent, const struct html_own *own, struct html_look *out);

/* Put a value that an attribute of HTML stands for; a rule of a sheet is stronger. */
void html_own_hint(struct html_own *own, enum html_property property, enum html_unit unit, int32_t number);

#endif
