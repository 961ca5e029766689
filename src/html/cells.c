/* Cells, and the reader of block characters. */
#include "html/cells.h"

#define LINE_ODD_MAX 2u /* characters of a line that are neither dark nor light: prompts, quotes */

void html_cells_init(struct html_cells *cells)
{
	cells->width = cells->height = 0;
}

bool html_cells_row(struct html_cells *cells)
{
	if (cells->height == HTML_CELLS_MAX)
		return false;
	memset(&cells->bits[cells->height * HTML_CELLS_STRIDE], 0, HTML_CELLS_STRIDE);
	cells->height++;
	return true;
}

void html_cells_put(struct html_cells *cells, unsigned x, bool dark)
{
	if (x >= HTML_CELLS_MAX || cells->height == 0)
		return;
	uint8_t      *byte = &cells->bits[(cells->height - 1) * HTML_CELLS_STRIDE + x / 8];
	const uint8_t bit = (uint8_t)(0x80u >> x % 8);
	*byte = (uint8_t)(dark ? *byte | bit : *byte & ~bit);
	if (x >= cells->width)
		cells->width = x + 1;
}

bool html_cells_is_picture(const struct html_cells *cells)
{
	unsigned dark = 0;

	if (cells->width < HTML_CELLS_MIN || cells->height < HTML_CELLS_MIN)
		return false;
	for (size_t i = 0; i < (size_t)cells->height * HTML_CELLS_STRIDE; i++)
		dark += (unsigned)__builtin_popcount(cells->bits[i]);
	return dark >= HTML_CELLS_MIN && cells->width * cells->height - dark >= HTML_CELLS_MIN;
}

/* The upper and the lower half of a character, and whether it is two cells wide. */
struct glyph {
	uint8_t size; /* bytes */
	bool    top, bottom, wide, odd, drawn;
};

static struct glyph glyph_at(struct slice s)
{
	const uint8_t first = s.ptr[0];
	struct glyph  glyph = { .size = 1, .odd = true };

	if (first == ' ') {
		glyph.odd = false;
	} else if (first == '#') {
		glyph = (struct glyph){ .size = 1, .top = true, .bottom = true, .drawn = true };
	} else if (first >= 0x80) {
		size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
		size = size < s.len ? size : s.len;
		glyph.size = (uint8_t)size;
		const uint32_t code = size == 3 ? (first & 15u) << 12 | (s.ptr[1] & 63u) << 6 | (s.ptr[2] & 63u)
		                      : size == 2 ? (first & 31u) << 6 | (s.ptr[1] & 63u)
		                                  : 0;
		glyph.odd = false;
		glyph.drawn = true;
		if (code == 0x2588) /* full block */
			glyph.top = glyph.bottom = true;
		else if (code == 0x2580)
			glyph.top = true;
		else if (code == 0x2584)
			glyph.bottom = true;
		else if (code == 0x25a0 || code == 0x2b1b) /* black squares */
			glyph.top = glyph.bottom = glyph.wide = true;
		else if (code == 0x25a1 || code == 0x2b1c || code == 0x3000) /* white squares, ideographic space */
			glyph.wide = true;
		else if (code == 0x00a0 || (code >= 0x2000 && code <= 0x200a))
			glyph.drawn = false;
		else
			glyph.odd = true;
	}
	return glyph;
}

/* Whether a line is drawn: it has a block, and hardly anything but blocks and blanks. */
static bool is_drawn(struct slice line)
{
	unsigned odd = 0, drawn = 0;

	while (line.len != 0) {
		const struct glyph glyph = glyph_at(line);
		odd += glyph.odd;
		drawn += !glyph.odd && glyph.drawn;
		line = slice_drop(line, glyph.size);
	}
	return drawn != 0 && odd <= LINE_ODD_MAX;
}

static void line_put(struct html_cells *cells, struct slice line)
{
	for (unsigned half = 0; half < 2; half++) {
		struct slice rest = line;
		unsigned     x = 0;
		if (!html_cells_row(cells))
			return;
		while (rest.len != 0 && x < HTML_CELLS_MAX) {
			const struct glyph glyph = glyph_at(rest);
			rest = slice_drop(rest, glyph.size);
			if (glyph.odd)
				continue;
			for (unsigned i = 0; i < 1u + glyph.wide; i++)
				html_cells_put(cells, x++, half == 0 ? glyph.top : glyph.bottom);
		}
	}
}

bool html_cells_text(struct slice text, struct html_cells *out)
{
	struct slice best = { NULL, 0 }, run = { NULL, 0 };
	size_t       best_lines = 0, lines = 0;

	for (struct slice rest = text; rest.len != 0;) {
		const struct slice from = rest;
		const struct slice line = slice_until(&rest, '\n');
		lines = is_drawn(line) ? lines + 1 : 0;
		if (lines == 1)
			run = from;
		if (lines > best_lines) {
			best_lines = lines;
			best = slice_take(run, run.len - rest.len);
		}
	}
	html_cells_init(out);
	while (best.len != 0) {
		struct slice line = slice_until(&best, '\n');
		if (slice_last(line) == '\r')
			line = slice_take(line, line.len - 1);
		line_put(out, line);
	}
	return html_cells_is_picture(out);
}
