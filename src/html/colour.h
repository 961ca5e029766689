/*
 * Colours: CSS Color 4 (names, hexadecimal, rgb(), hsl()) and the "legacy colour values" of HTML 2.3.6, as 0xAARRGGBB.
 */
#ifndef HTML_COLOUR_H
#define HTML_COLOUR_H

#include "base/slice.h"

#define HTML_COLOUR_CLEAR 0x00000000u
#define HTML_COLOUR_WHITE 0xffffffffu
#define HTML_COLOUR_BLACK 0xff000000u

/* The colour that all of `text` (trimmed, any case) is. False: none that is known; *out is untouched. */
bool html_colour_css(struct slice text, uint32_t *out);

/* What browsers make of a colour attribute: nearly any text is a colour there. False: empty or "transparent". */
bool html_colour_legacy(struct slice text, uint32_t *out);

/* `top` painted on the opaque `under`; opaque. */
uint32_t html_colour_over(uint32_t top, uint32_t under);

/* The largest difference of one of red, green and blue, 0 to 255. */
unsigned html_colour_distance(uint32_t a, uint32_t b);

#endif
