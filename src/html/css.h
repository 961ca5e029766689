/*
 * Declarations of CSS: of all properties those that decide whether text can be seen (CSS Syntax 3 section 5.4.4;
 * css-display, css-fonts, css-position ...). Comments, escapes, quotes and !important are read as browsers do.
 */
#ifndef HTML_CSS_H
#define HTML_CSS_H

#include "base/slice.h"

enum html_property {
	HTML_PROPERTY_DISPLAY,     /* HTML_KEYWORD_x */
	HTML_PROPERTY_VISIBILITY,  /* HTML_KEYWORD_NONE: hidden or collapse */
	HTML_PROPERTY_OPACITY,     /* thousandths */
	HTML_PROPERTY_COLOUR,
	HTML_PROPERTY_BACKGROUND,  /* its colour */
	HTML_PROPERTY_IMAGE,       /* a background picture; its number means nothing */
	HTML_PROPERTY_FONT_SIZE,
	HTML_PROPERTY_LINE_HEIGHT,
	HTML_PROPERTY_WIDTH,
	HTML_PROPERTY_HEIGHT,
	HTML_PROPERTY_MAX_WIDTH,
	HTML_PROPERTY_MAX_HEIGHT,
	HTML_PROPERTY_OVERFLOW,    /* HTML_KEYWORD_NONE: what does not fit is not seen */
	HTML_PROPERTY_POSITION,    /* HTML_KEYWORD_NONE: static */
	HTML_PROPERTY_LEFT,
	HTML_PROPERTY_TOP,
	HTML_PROPERTY_RIGHT,
	HTML_PROPERTY_BOTTOM,
	HTML_PROPERTY_TEXT_INDENT,
	HTML_PROPERTY_MARGIN_LEFT,
	HTML_PROPERTY_MARGIN_TOP,
	HTML_PROPERTY_MSO_HIDE,    /* HTML_KEYWORD_NONE: all */
	HTML_PROPERTY_CLIP,        /* HTML_KEYWORD_NONE: everything is cut away */
	HTML_PROPERTY_SCALE,       /* HTML_KEYWORD_NONE: scale(0) */
	HTML_PROPERTY_SHIFT,       /* of a transform, the largest */
	HTML_PROPERTY_DIRECTION,   /* HTML_KEYWORD_OTHER: from right to left */
	HTML_PROPERTY_BIDI,        /* HTML_KEYWORD_OTHER: override */
	HTML_PROPERTY_SPACE,       /* HTML_KEYWORD_OTHER: line ends count, as in pre */
	HTML_PROPERTIES
};

enum html_unit {
	HTML_UNIT_NUMBER,  /* thousandths */
	HTML_UNIT_PX,      /* thousandths of a pixel; absolute units become this */
	HTML_UNIT_EM,      /* thousandths of the font's size */
	HTML_UNIT_PERCENT, /* thousandths of a percent */
	HTML_UNIT_KEYWORD, /* enum html_keyword */
	HTML_UNIT_COLOUR   /* the bits of 0xAARRGGBB */
};

enum html_keyword { HTML_KEYWORD_NONE, HTML_KEYWORD_OTHER, HTML_KEYWORD_BLOCK, HTML_KEYWORD_INHERIT };

struct html_declaration {
	uint8_t property;  /* enum html_property */
	uint8_t unit;      /* enum html_unit */
	bool    important;
	int32_t number;
};

struct html_css_sink {
	void *context;
	void (*declaration)(void *context, const struct html_declaration *declaration);
	/* The address in a url(), unquoted, as it stands otherwise. NULL: not asked for. */
	void (*url)(void *context, struct slice address);
	/* A value that runs a script in some readers: expression(), behavior, -moz-binding. NULL: not asked for. */
	void (*script)(void *context, struct slice text);
};

/* Longer values are read as far as this; addresses are not cut. */
#define HTML_CSS_VALUE_MAX 256u

/*
 * Read "name: value; name: value". Linear; takes one of *steps for each byte and stops when there are none left, which
 * *steps shows.
 */
void html_css_read(struct slice text, const struct html_css_sink *sink, uint64_t *steps);

/* Bytes of a comment, a quoted string, or an escape at the front of `s`; 0: none of these. Unclosed ones go to the end. */
size_t html_css_skip(struct slice s);

/*
 * `s` as CSS reads it to `out`: escapes undone, comments left out, ASCII in lower case, blanks trimmed, at most `room`
 * bytes. Returns the bytes.
 */
size_t html_css_plain(struct slice s, uint8_t *out, size_t room);

#endif
