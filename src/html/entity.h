/*
 * Character references (HTML 13.2.5.72 to 13.2.5.80): "&amp;", "&#38;", "&#x26;" and what browsers make of wrong ones.
 */
#ifndef HTML_ENTITY_H
#define HTML_ENTITY_H

#include "base/slice.h"

#define HTML_REFERENCE_SIZE 8u

struct html_reference {
	uint8_t text[HTML_REFERENCE_SIZE]; /* UTF-8, one or two code points */
	size_t  size;                      /* bytes of `text` */
	size_t  taken;                     /* bytes of the input */
};

/*
 * Read the reference at the front of `s`, which begins with "&". False: there is none and the "&" is text; *out is
 * untouched then. `attribute`: in an attribute's value a name without a semicolon is none when "=", a letter or a digit
 * follows. The cost is bounded by the longest name, or by the digits, all of which are taken.
 */
bool html_reference_take(struct slice s, bool attribute, struct html_reference *out);

/* UTF-8 of `code` to `out`, which has room for 4 bytes; U+FFFD for what is no scalar value. Returns the bytes. */
size_t html_utf8_put(uint32_t code, uint8_t *out);

#endif
