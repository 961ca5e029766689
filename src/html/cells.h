/*
 * Pictures drawn without a picture: the cells of a table, or block characters. They come out as one bit a cell, for
 * those who read QR codes and letters in pictures.
 */
#ifndef HTML_CELLS_H
#define HTML_CELLS_H

#include "base/slice.h"

#define HTML_CELLS_MAX    256u /* width and height; what is further is left out */
#define HTML_CELLS_STRIDE (HTML_CELLS_MAX / 8)
#define HTML_CELLS_MIN    10u /* a smaller one is no picture: a QR code has 21, or 11 in a small form */

struct html_cells {
	unsigned width, height;
	uint8_t  bits[HTML_CELLS_MAX * HTML_CELLS_STRIDE]; /* rows from the top; the highest bit is the left one; 1: dark */
};

void html_cells_init(struct html_cells *cells);

/* Begin the next row. False: there are HTML_CELLS_MAX. */
bool html_cells_row(struct html_cells *cells);

/* Set cell `x` of the last row. */
void html_cells_put(struct html_cells *cells, unsigned x, bool dark);

/* Whether it is large enough for a picture and has both dark and light cells. */
bool html_cells_is_picture(const struct html_cells *cells);

/*
 * The picture that the lines of `text` (UTF-8) draw with block characters and blanks (two cells of height a line): the
 * longest run of lines that have some and nothing else. False: there is none. Linear.
 */
bool html_cells_text(struct slice text, struct html_cells *out);

#endif
