/*
 * Fonts as far as they tell which characters a text shows: ToUnicode maps, encodings and their differences, and the
 * predefined maps of composite fonts whose codes are Unicode. ISO 32000-1 sections 9.6 to 9.10.
 */
#ifndef DOCUMENT_PDF_FONT_H
#define DOCUMENT_PDF_FONT_H

#include "document/pdf_file.h"

#define PDF_RANGES_MAX 65536u

/* Codes `low` to `high` are shown as `text` (UTF-16BE), its last unit counted up. */
struct pdf_range {
	uint32_t     low, high;
	struct slice text;
};

struct pdf_font {
	bool              wide;    /* codes of two bytes where no map says otherwise */
	bool              unicode; /* codes are UTF-16BE */
	uint16_t          table[256]; /* of codes of one byte; 0: none */
	struct pdf_range *ranges;     /* of the map */
	size_t            count;
	bool              unsorted; /* they are not in order, or overlap */
	bool              mapped; /* there is a map */
	unsigned          bytes_min, bytes_max; /* of a code, as the map says */
};

/* Read a font's dictionary; what it needs lies in `arena`. RC_LIMIT, RC_NOMEM. */
MUST_CHECK enum rc pdf_font_read(struct pdf_file *file, const struct pdf_value *dictionary, struct arena *arena,
                                 struct pdf_font *out);

/* Append what `string` shows to `out`, as UTF-8. Returns the steps that it took. */
uint64_t pdf_font_put(const struct pdf_font *font, struct slice string, struct buf *out);

/* The code point that a glyph's name means (Adobe Glyph List; "uni20AC", "u1F600"), or 0. */
uint32_t pdf_glyph_code(struct slice name);

#endif
