/* ToUnicode maps and encodings. */
#include "document/pdf_font.h"

#include "base/num.h"

/* windows-1252 above 0x7f where it differs from Latin-1; what Windows and most writers of simple fonts use. */
static const uint16_t windows[32] = { 0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160,
	                              0x2039, 0x152,  0,      0x17d,  0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	                              0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0,      0x17e, 0x178 };

/* MacRomanEncoding above 0x7f. */
static const uint16_t mac[128] = {
	0xc4,   0xc5,   0xc7,   0xc9,   0xd1,   0xd6,   0xdc,   0xe1,   0xe0,   0xe2,   0xe4,   0xe3,   0xe5,   0xe7,   0xe9,   0xe8,
	0xea,   0xeb,   0xed,   0xec,   0xee,   0xef,   0xf1,   0xf3,   0xf2,   0xf4,   0xf6,   0xf5,   0xfa,   0xf9,   0xfb,   0xfc,
	0x2020, 0xb0,   0xa2,   0xa3,   0xa7,   0x2022, 0xb6,   0xdf,   0xae,   0xa9,   0x2122, 0xb4,   0xa8,   0x2260, 0xc6,   0xd8,
	0x221e, 0xb1,   0x2264, 0x2265, 0xa5,   0xb5,   0x2202, 0x2211, 0x220f, 0x3c0,  0x222b, 0xaa,   0xba,   0x3a9,  0xe6,   0xf8,
	0xbf,   0xa1,   0xac,   0x221a, 0x192,  0x2248, 0x2206, 0xab,   0xbb,   0x2026, 0xa0,   0xc0,   0xc3,   0xd5,   0x152,  0x153,
	0x2013, 0x2014, 0x201c, 0x201d, 0x2018, 0x2019, 0xf7,   0x25ca, 0xff,   0x178,  0x2044, 0x20ac, 0x2039, 0x203a, 0xfb01, 0xfb02,
	0x2021, 0xb7,   0x201a, 0x201e, 0x2030, 0xc2,   0xca,   0xc1,   0xcb,   0xc8,   0xcd,   0xce,   0xcf,   0xcc,   0xd3,   0xd4,
	0xf8ff, 0xd2,   0xda,   0xdb,   0xd9,   0x131,  0x2c6,  0x2dc,  0xaf,   0x2d8,  0x2d9,  0x2da,  0xb8,   0x2dd,  0x2db,  0x2c7,
};

/* Names of the Adobe Glyph List for what is not its own name, as far as the Latin encodings go. */
static const struct {
	const char *name;
	uint16_t    code;
} glyphs[] = {
	{ "space", ' ' },          { "exclam", '!' },         { "quotedbl", '"' },       { "numbersign", '#' },
	{ "dollar", '$' },         { "percent", '%' },        { "ampersand", '&' },      { "quotesingle", '\'' },
	{ "parenleft", '(' },      { "parenright", ')' },     { "asterisk", '*' },       { "plus", '+' },
	{ "comma", ',' },          { "hyphen", '-' },         { "period", '.' },         { "slash", '/' },
	{ "zero", '0' },           { "one", '1' },            { "two", '2' },            { "three", '3' },
	{ "four", '4' },           { "five", '5' },           { "six", '6' },            { "seven", '7' },
	{ "eight", '8' },          { "nine", '9' },           { "colon", ':' },          { "semicolon", ';' },
	{ "less", '<' },           { "equal", '=' },          { "greater", '>' },        { "question", '?' },
	{ "at", '@' },             { "bracketleft", '[' },    { "backslash", '\\' },     { "bracketright", ']' },
	{ "asciicircum", '^' },    { "underscore", '_' },     { "grave", '`' },          { "braceleft", '{' },
	{ "bar", '|' },            { "braceright", '}' },     { "asciitilde", '~' },     { "exclamdown", 0xa1 },
	{ "cent", 0xa2 },          { "sterling", 0xa3 },      { "currency", 0xa4 },      { "yen", 0xa5 },
	{ "brokenbar", 0xa6 },     { "section", 0xa7 },       { "dieresis", 0xa8 },      { "copyright", 0xa9 },
	{ "ordfeminine", 0xaa },   { "guillemotleft", 0xab }, { "logicalnot", 0xac },    { "registered", 0xae },
	{ "macron", 0xaf },        { "degree", 0xb0 },        { "plusminus", 0xb1 },     { "acute", 0xb4 },
	{ "mu", 0xb5 },            { "paragraph", 0xb6 },     { "periodcentered", 0xb7 }, { "cedilla", 0xb8 },
	{ "ordmasculine", 0xba },  { "guillemotright", 0xbb }, { "onequarter", 0xbc },   { "onehalf", 0xbd },
	{ "threequarters", 0xbe }, { "questiondown", 0xbf },  { "Agrave", 0xc0 },        { "Aacute", 0xc1 },
	{ "Acircumflex", 0xc2 },   { "Atilde", 0xc3 },        { "Adieresis", 0xc4 },     { "Aring", 0xc5 },
	{ "AE", 0xc6 },            { "Ccedilla", 0xc7 },      { "Egrave", 0xc8 },        { "Eacute", 0xc9 },
	{ "Ecircumflex", 0xca },   { "Edieresis", 0xcb },     { "Igrave", 0xcc },        { "Iacute", 0xcd },
	{ "Icircumflex", 0xce },   { "Idieresis", 0xcf },     { "Eth", 0xd0 },           { "Ntilde", 0xd1 },
	{ "Ograve", 0xd2 },        { "Oacute", 0xd3 },        { "Ocircumflex", 0xd4 },   { "Otilde", 0xd5 },
	{ "Odieresis", 0xd6 },     { "multiply", 0xd7 },      { "Oslash", 0xd8 },        { "Ugrave", 0xd9 },
	{ "Uacute", 0xda },        { "Ucircumflex", 0xdb },   { "Udieresis", 0xdc },     { "Yacute", 0xdd },
	{ "Thorn", 0xde },         { "germandbls", 0xdf },    { "agrave", 0xe0 },        { "aacute", 0xe1 },
	{ "acircumflex", 0xe2 },   { "atilde", 0xe3 },        { "adieresis", 0xe4 },     { "aring", 0xe5 },
	{ "ae", 0xe6 },            { "ccedilla", 0xe7 },      { "egrave", 0xe8 },        { "eacute", 0xe9 },
	{ "ecircumflex", 0xea },   { "edieresis", 0xeb },     { "igrave", 0xec },        { "iacute", 0xed },
	{ "icircumflex", 0xee },   { "idieresis", 0xef },     { "eth", 0xf0 },           { "ntilde", 0xf1 },
	{ "ograve", 0xf2 },        { "oacute", 0xf3 },        { "ocircumflex", 0xf4 },   { "otilde", 0xf5 },
	{ "odieresis", 0xf6 },     { "divide", 0xf7 },        { "oslash", 0xf8 },        { "ugrave", 0xf9 },
	{ "uacute", 0xfa },        { "ucircumflex", 0xfb },   { "udieresis", 0xfc },     { "yacute", 0xfd },
	{ "thorn", 0xfe },         { "ydieresis", 0xff },     { "quoteleft", 0x2018 },   { "quoteright", 0x2019 },
	{ "quotedblleft", 0x201c }, { "quotedblright", 0x201d }, { "quotesinglbase", 0x201a }, { "quotedblbase", 0x201e },
	{ "endash", 0x2013 },      { "emdash", 0x2014 },      { "bullet", 0x2022 },      { "ellipsis", 0x2026 },
	{ "Euro", 0x20ac },        { "trademark", 0x2122 },   { "fi", 0xfb01 },          { "fl", 0xfb02 },
	{ "ff", 0xfb00 },          { "ffi", 0xfb03 },         { "ffl", 0xfb04 },         { "nbspace", 0xa0 },
	{ "minus", 0x2212 },       { "fraction", 0x2044 },    { "guilsinglleft", 0x2039 }, { "guilsinglright", 0x203a },
	{ "dagger", 0x2020 },      { "daggerdbl", 0x2021 },   { "OE", 0x152 },           { "oe", 0x153 },
	{ "Scaron", 0x160 },       { "scaron", 0x161 },       { "Zcaron", 0x17d },       { "zcaron", 0x17e },
	{ "dotlessi", 0x131 },     { "Lslash", 0x141 },       { "lslash", 0x142 },       { "sfthyphen", 0xad },
};

uint32_t pdf_glyph_code(struct slice name)
{
	uint64_t code;

	name = slice_take(name, slice_find(name, '.')); /* "a.alt" looks like "a" */
	if (name.len == 1)
		return name.ptr[0];
	if (slice_starts(name, SLICE("uni")) && name.len >= 7 && num_hex(slice_cut(name, 3, 4), 0xffff, &code) == RC_OK)
		return (uint32_t)code;
	if (slice_starts(name, SLICE("u")) && name.len >= 5 && name.len <= 7 &&
	    num_hex(slice_drop(name, 1), 0x10ffff, &code) == RC_OK)
		return (uint32_t)code;
	for (size_t i = 0; i < sizeof glyphs / sizeof glyphs[0]; i++) {
		if (slice_eq(name, slice_str(glyphs[i].name)))
			return glyphs[i].code;
	}
	return 0;
}

/* The number that at most four bytes make. */
static uint32_t code_of(struct slice bytes)
{
	uint32_t code = 0;

	for (size_t i = 0; i < bytes.len && i < 4; i++)
		code = code << 8 | bytes.ptr[i];
	return code;
}

static enum rc add_range(struct pdf_font *font, struct arena *arena, uint32_t low, uint32_t high, struct slice text)
{
	struct slice copy;

	if (font->count == PDF_RANGES_MAX || high < low)
		return RC_OK;
	const enum rc rc = arena_copy(arena, slice_take(text, 64), &copy);
	if (rc != RC_OK)
		return rc;
	if (font->count != 0 && low <= font->ranges[font->count - 1].high)
		font->unsorted = true;
	font->ranges[font->count++] = (struct pdf_range){ .low = low, .high = high, .text = copy };
	return RC_OK;
}

/* Which part of a map the parser is in. */
enum map_part {
	MAP_NONE,
	MAP_SPACE,
	MAP_CHAR,
	MAP_RANGE
};

/* Values of a map's part come in twos or threes. */
static enum rc take_entry(struct pdf_font *font, struct arena *arena, enum map_part part, const struct pdf_value *v)
{
	const uint32_t low = code_of(v[0].text), high = code_of(v[1].text);

	if (part == MAP_SPACE) {
		const unsigned size = v[0].text.len > 4 ? 4 : (unsigned)v[0].text.len;
		if (size != 0 && (font->bytes_min == 0 || size < font->bytes_min))
			font->bytes_min = size;
		if (size > font->bytes_max)
			font->bytes_max = size;
		return RC_OK;
	}
	if (part == MAP_CHAR)
		return add_range(font, arena, low, low, v[1].text);
	if (v[2].kind == PDF_STRING)
		return add_range(font, arena, low, high, v[2].text);
	for (size_t i = 0; v[2].kind == PDF_ARRAY && i < v[2].count; i++) {
		const enum rc rc = add_range(font, arena, low + (uint32_t)i, low + (uint32_t)i, v[2].items[i].text);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc read_map(struct pdf_file *file, struct slice text, struct arena *arena, struct pdf_font *font)
{
	struct pdf_parser parser = { .text = text, .arena = &file->arena, .stack = file->stack, .content = true };
	struct pdf_value  values[3];
	enum map_part     part = MAP_NONE;
	size_t            have = 0, used = file->arena.used;
	enum rc           rc = RC_OK;

	/* No entry is shorter than four bytes. */
	const size_t room = PDF_RANGES_MAX < text.len / 4 + 1 ? PDF_RANGES_MAX : text.len / 4 + 1;
	font->ranges = arena_take(arena, room, sizeof *font->ranges);
	if (font->ranges == NULL)
		return RC_NOMEM;
	while (rc == RC_OK && font->count + 1 < room && (rc = pdf_parse(&parser, &values[have])) == RC_OK) {
		const struct pdf_value *value = &values[have];
		if (value->kind == PDF_WORD) {
			part = slice_eq(value->text, SLICE("begincodespacerange")) ? MAP_SPACE
			       : slice_eq(value->text, SLICE("beginbfchar"))       ? MAP_CHAR
			       : slice_eq(value->text, SLICE("beginbfrange"))      ? MAP_RANGE
			                                                           : MAP_NONE;
			have = 0;
		} else if (part != MAP_NONE && (value->kind == PDF_STRING || (have == 2 && value->kind == PDF_ARRAY))) {
			if (value->kind == PDF_ARRAY && value->count > room - font->count)
				break;
			if (++have < (part == MAP_RANGE ? 3u : 2u))
				continue;
			have = 0;
			rc = take_entry(font, arena, part, values);
		} else {
			have = 0;
		}
		file->arena.used = used;
	}
	font->mapped = font->count != 0;
	file->arena.used = used;
	return rc == RC_NOTFOUND || rc == RC_NOMEM ? RC_OK : rc;
}

static enum rc read_to_unicode(struct pdf_file *file, const struct pdf_value *dictionary, struct arena *arena, struct pdf_font *font)
{
	struct pdf_value map;
	struct slice     stream, rest;
	struct buf       text = buf_make((size_t)4 << 20);
	enum rc          rc = pdf_file_follow(file, pdf_get(dictionary, "ToUnicode"), &map, &stream);

	if (rc == RC_OK && stream.len != 0)
		rc = pdf_file_decode(file, &map, stream, &text, &rest);
	if (rc == RC_OK && text.len != 0)
		rc = read_map(file, buf_slice(&text), arena, font);
	buf_done(&text);
	return rc;
}

/* Base encoding and differences of a simple font. */
static enum rc read_encoding(struct pdf_file *file, const struct pdf_value *encoding, struct pdf_font *font)
{
	struct pdf_value base = *encoding, differences;

	for (unsigned i = 0x20; i < 256; i++)
		font->table[i] = (uint16_t)(i >= 0x80 && i < 0xa0 ? windows[i - 0x80] : i);
	if (encoding->kind == PDF_DICTIONARY) {
		const enum rc rc = pdf_file_get(file, encoding, "BaseEncoding", &base);
		if (rc != RC_OK)
			return rc;
	}
	for (unsigned i = 0; i < 128 && pdf_is_name(&base, "MacRomanEncoding"); i++)
		font->table[0x80 + i] = mac[i];
	if (encoding->kind != PDF_DICTIONARY)
		return RC_OK;
	const enum rc rc = pdf_file_get(file, encoding, "Differences", &differences);
	if (rc != RC_OK || differences.kind != PDF_ARRAY)
		return rc;
	int32_t at = 0;
	for (size_t i = 0; i < differences.count; i++) {
		const struct pdf_value *item = &differences.items[i];
		if (item->kind == PDF_NUMBER)
			at = item->number;
		else if (item->kind == PDF_NAME && at >= 0 && at < 256)
			font->table[at++] = (uint16_t)pdf_glyph_code(item->text);
	}
	return RC_OK;
}

enum rc pdf_font_read(struct pdf_file *file, const struct pdf_value *dictionary, struct arena *arena, struct pdf_font *out)
{
	struct pdf_value encoding;
	const size_t     used = file->arena.used;

	*out = (struct pdf_font){ .wide = pdf_is_name(pdf_get(dictionary, "Subtype"), "Type0") };
	enum rc rc = pdf_file_get(file, dictionary, "Encoding", &encoding);
	if (rc == RC_OK && out->wide && encoding.kind == PDF_NAME)
		out->unicode = slice_search(encoding.text, SLICE("UCS2")) < encoding.text.len ||
		               slice_search(encoding.text, SLICE("UTF16")) < encoding.text.len;
	else if (rc == RC_OK && !out->wide)
		rc = read_encoding(file, &encoding, out);
	file->arena.used = used;
	return rc != RC_OK ? rc : read_to_unicode(file, dictionary, arena, out);
}

/* Of ranges that overlap the last one counts, as readers that fill a table have it. */
static const struct pdf_range *range_of(const struct pdf_font *font, uint32_t code, uint64_t *steps)
{
	size_t low = 0, high = font->count;

	while (!font->unsorted && low < high) {
		const size_t middle = low + (high - low) / 2;
		if (font->ranges[middle].high < code)
			low = middle + 1;
		else
			high = middle;
	}
	if (!font->unsorted)
		return low < font->count && code >= font->ranges[low].low ? &font->ranges[low] : NULL;
	for (size_t i = font->count; i-- > 0; ++*steps) {
		if (code >= font->ranges[i].low && code <= font->ranges[i].high)
			return &font->ranges[i];
	}
	return NULL;
}

static void put_range(const struct pdf_range *range, uint32_t code, struct buf *out)
{
	uint8_t      units[64];
	const size_t size = range->text.len & ~(size_t)1;

	if (range->text.len == 1) {
		pdf_put_code(out, range->text.ptr[0] + (code - range->low));
		return;
	}
	if (size == 0)
		return;
	memcpy(units, range->text.ptr, size);
	const uint32_t last = ((uint32_t)units[size - 2] << 8 | units[size - 1]) + (code - range->low);
	units[size - 2] = (uint8_t)(last >> 8);
	units[size - 1] = (uint8_t)last;
	pdf_put_utf16(slice_of(units, size), false, out);
}

uint64_t pdf_font_put(const struct pdf_font *font, struct slice string, struct buf *out)
{
	uint64_t steps = string.len;
	size_t   size = font->wide ? 2 : 1;

	if (font->mapped && font->bytes_min != 0 && font->bytes_min == font->bytes_max)
		size = font->bytes_max;
	if (!font->wide && size > 1)
		size = 1; /* codes of a simple font are bytes, whatever its map says */
	if (!font->mapped && font->unicode) {
		pdf_put_utf16(string, false, out);
		return steps;
	}
	for (size_t at = 0; at < string.len; at += size) {
		const struct slice      bytes = slice_cut(string, at, size);
		const uint32_t          code = code_of(bytes);
		const struct pdf_range *range = range_of(font, code, &steps);
		if (range != NULL)
			put_range(range, code, out);
		else if (size == 1 && font->table[code & 0xff] != 0)
			pdf_put_code(out, font->table[code & 0xff]);
	}
	return steps;
}
