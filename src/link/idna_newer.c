/* The table of idna_newer.h, in order. Source: IdnaMappingTable.txt and the Unicode Character Database, 15.1 to 17.0. */
#include "link/idna_newer.h"

#define IGNORED INT32_MIN

struct row {
	uint32_t first;
	uint32_t last;
	int32_t  offset; /* added to the code point: 0 is valid; or IGNORED */
	char     bidi;   /* L, R, M (a mark, NSM), V (a virama), N (neutral) */
	char     joining;
};

/* clang-format off: a table */
static const struct row rows[] = {
	/* since revision 31 and 33 mapped as their case folding says, no longer disallowed */
	{ 0x4c0, 0x4c0, 0x4cf - 0x4c0, 'L', 0 },
	{ 0x10a0, 0x10c5, 0x2d00 - 0x10a0, 'L', 0 },
	{ 0x10c7, 0x10c7, 0x2d27 - 0x10c7, 'L', 0 },
	{ 0x10cd, 0x10cd, 0x2d2d - 0x10cd, 'L', 0 },
	{ 0x115f, 0x1160, IGNORED, 'L', 0 },
	{ 0x17b4, 0x17b5, IGNORED, 'M', 0 },
	{ 0x1e9e, 0x1e9e, 0xdf - 0x1e9e, 'L', 0 },
	{ 0x2132, 0x2132, 0x214e - 0x2132, 'L', 0 },
	{ 0x2183, 0x2183, 1, 'L', 0 },
	{ 0x3164, 0x3164, IGNORED, 'L', 0 },
	{ 0xffa0, 0xffa0, IGNORED, 'L', 0 },
	{ 0x2ebf0, 0x2ee5d, 0, 'L', 0 }, /* CJK extension I, 15.1 */
	{ 0x2f868, 0x2f868, 0x36fc - 0x2f868, 'L', 0 },
	{ 0x2f874, 0x2f874, 0x5f53 - 0x2f874, 'L', 0 },
	{ 0x2f91f, 0x2f91f, 0x243ab - 0x2f91f, 'L', 0 },
	{ 0x2f95f, 0x2f95f, 0x7aee - 0x2f95f, 'L', 0 },
	{ 0x2f9bf, 0x2f9bf, 0x45d7 - 0x2f9bf, 'L', 0 },
	{ 0x323b0, 0x33479, 0, 'L', 0 }, /* CJK extension J, 17.0 */
};
/* clang-format on */

bool idna_newer_find(uint32_t code_point, struct idna_newer *out)
{
	size_t low = 0, high = sizeof rows / sizeof rows[0];

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (code_point > rows[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == sizeof rows / sizeof rows[0] || code_point < rows[low].first)
		return false;
	const struct row *row = &rows[low];
	*out = (struct idna_newer){
		.mapped = row->offset == IGNORED ? 0 : (uint32_t)((int32_t)code_point + row->offset),
		.joining = row->joining,
		.mark = row->bidi == 'M' || row->bidi == 'V',
		.virama = row->bidi == 'V',
		.bidi = row->bidi == 'L'   ? IDNA_BIDI_L
			: row->bidi == 'R' ? IDNA_BIDI_R
			: row->bidi == 'N' ? IDNA_BIDI_NEUTRAL
					   : IDNA_BIDI_NSM,
	};
	return true;
}
