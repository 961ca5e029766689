/*
 * The only file of this room's charsets that knows ICU: it asks ICU's converters, once, for the character of every
 * code, and closes them again. No byte of a peer ever reaches ICU's converters. Where ICU's tables (IBM's and
 * Microsoft's) differ from those of the WHATWG Encoding Standard, charset_fixes.c has the Standard's.
 */
#include <unicode/ucnv.h>
#include <unicode/udata.h>

#include "text/charset_fixes.h"
#include "text/charset_guess.h"
#include "text/charset_table.h"

/* Written by charset_ready() before any thread starts; only read after. */
static struct charset_tables tables;

const struct charset_tables *charset_tables(void)
{
	return &tables;
}

static const char *icu_name(enum charset charset)
{
	static const char *const names[CHARSET_SINGLE_COUNT] = {
#define NAME(charset, name) [charset - CHARSET_SINGLE_FIRST] = name
		NAME(CHARSET_WINDOWS_1252, "windows-1252"),
		NAME(CHARSET_WINDOWS_1250, "windows-1250"),
		NAME(CHARSET_WINDOWS_1251, "windows-1251"),
		NAME(CHARSET_WINDOWS_1253, "windows-1253"),
		NAME(CHARSET_WINDOWS_1254, "windows-1254"),
		NAME(CHARSET_WINDOWS_1255, "windows-1255"),
		NAME(CHARSET_WINDOWS_1256, "windows-1256"),
		NAME(CHARSET_WINDOWS_1257, "windows-1257"),
		NAME(CHARSET_WINDOWS_1258, "windows-1258"),
		NAME(CHARSET_WINDOWS_874, "windows-874"),
		NAME(CHARSET_ISO_8859_2, "iso-8859-2"),
		NAME(CHARSET_ISO_8859_3, "iso-8859-3"),
		NAME(CHARSET_ISO_8859_4, "iso-8859-4"),
		NAME(CHARSET_ISO_8859_5, "iso-8859-5"),
		NAME(CHARSET_ISO_8859_6, "iso-8859-6"),
		NAME(CHARSET_ISO_8859_7, "iso-8859-7"),
		NAME(CHARSET_ISO_8859_8, "iso-8859-8"),
		NAME(CHARSET_ISO_8859_10, "iso-8859-10"),
		NAME(CHARSET_ISO_8859_13, "iso-8859-13"),
		NAME(CHARSET_ISO_8859_14, "iso-8859-14"),
		NAME(CHARSET_ISO_8859_15, "iso-8859-15"),
		NAME(CHARSET_ISO_8859_16, "iso-8859-2"),
		/* ICU has no -16; charset_fixes.c makes it one */ NAME(CHARSET_KOI8_R, "koi8-r"),
		NAME(CHARSET_KOI8_U, "koi8-u"),
		NAME(CHARSET_MACINTOSH, "macintosh"),
		NAME(CHARSET_MAC_CYRILLIC, "x-mac-cyrillic"),
		NAME(CHARSET_MAC_GREEK, "x-mac-greek"),
		NAME(CHARSET_MAC_TURKISH, "x-mac-turkish"),
		NAME(CHARSET_MAC_CENTRAL, "x-mac-ce"),
		NAME(CHARSET_IBM_437, "ibm-437"),
		NAME(CHARSET_IBM_720, "ibm-720"),
		NAME(CHARSET_IBM_737, "ibm-737"),
		NAME(CHARSET_IBM_775, "ibm-775"),
		NAME(CHARSET_IBM_850, "ibm-850"),
		NAME(CHARSET_IBM_852, "ibm-852"),
		NAME(CHARSET_IBM_855, "ibm-855"),
		NAME(CHARSET_IBM_857, "ibm-857"),
		NAME(CHARSET_IBM_858, "ibm-858"),
		NAME(CHARSET_IBM_860, "ibm-860"),
		NAME(CHARSET_IBM_861, "ibm-861"),
		NAME(CHARSET_IBM_862, "ibm-862"),
		NAME(CHARSET_IBM_863, "ibm-863"),
		NAME(CHARSET_IBM_864, "ibm-864"),
		NAME(CHARSET_IBM_865, "ibm-865"),
		NAME(CHARSET_IBM_866, "ibm-866"),
		NAME(CHARSET_IBM_869, "ibm-869"),
		NAME(CHARSET_IBM_037, "ibm-37"),
		NAME(CHARSET_IBM_500, "ibm-500"),
		NAME(CHARSET_IBM_1047, "ibm-1047"),
		NAME(CHARSET_IBM_1140, "ibm-1140"),
		NAME(CHARSET_HP_ROMAN8, "hp-roman8"),
#undef NAME
	};

	return names[charset - CHARSET_SINGLE_FIRST];
}

static UConverter *converter_open(const char *name)
{
	UErrorCode  status = U_ZERO_ERROR;
	UConverter *converter = ucnv_open(name, &status);

	if (U_SUCCESS(status))
		ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &status);
	if (U_SUCCESS(status))
		return converter;
	ucnv_close(converter); /* NULL is legal */
	return NULL;
}

/* The one character that those bytes are; 0: none, or more than one. */
static uint32_t converter_ask(UConverter *converter, const uint8_t *bytes, size_t size)
{
	UChar         units[4];
	UErrorCode    status = U_ZERO_ERROR;
	const int32_t count = ucnv_toUChars(converter, units, 4, (const char *)bytes, (int32_t)size, &status);

	if (U_FAILURE(status) || count < 1 || units[0] == 0xfffd)
		return 0;
	if (count == 1 && !U16_IS_SURROGATE(units[0]))
		return units[0];
	return count == 2 && U16_IS_LEAD(units[0]) && U16_IS_TRAIL(units[1])
	               ? (uint32_t)U16_GET_SUPPLEMENTARY(units[0], units[1])
	               : 0;
}

/* ---- one byte a character ---- */

static bool single_fill(enum charset charset)
{
	const size_t at = charset - CHARSET_SINGLE_FIRST;
	UConverter  *converter = converter_open(icu_name(charset));
	bool         ascii = true;

	if (converter == NULL)
		return false;
	for (unsigned byte = 0; byte < 256; byte++) {
		tables.single[at][byte] = (uint16_t)converter_ask(converter, &(uint8_t){ (uint8_t)byte }, 1);
		ascii = ascii && (byte >= 0x80 || tables.single[at][byte] == byte);
		/* The Encoding Standard leaves no hole among the controls of Windows' sets. */
		if (byte >= 0x80 && byte < 0xa0 && tables.single[at][byte] == 0 && charset <= CHARSET_WINDOWS_874)
			tables.single[at][byte] = (uint16_t)byte;
	}
	tables.single_ascii[at] = ascii;
	ucnv_close(converter);
	return true;
}

/* ---- squares of leads and trails ---- */

/*
 * `prefix` bytes in front, leads from `lead` on, trails from `trail` on but for `hole` (0: none); `row` trails a
 * lead.
 */
struct square {
	const char *name;
	uint8_t     prefix[2];
	uint8_t     prefix_size;
	uint8_t     lead_first, lead_last;
	uint8_t     trail_first, trail_last;
	uint8_t     hole_first, hole_last;
	uint16_t   *narrow; /* one of the two is where it goes */
	uint32_t   *wide;
	size_t      size;
};

static bool square_fill(const struct square *square)
{
	UConverter *converter = converter_open(square->name);
	uint8_t     bytes[4];
	size_t      at = 0;

	if (converter == NULL)
		return false;
	memcpy(bytes, square->prefix, sizeof square->prefix);
	for (unsigned lead = square->lead_first; lead <= square->lead_last; lead++) {
		for (unsigned trail = square->trail_first; trail <= square->trail_last && at < square->size; trail++) {
			if (trail >= square->hole_first && trail <= square->hole_last)
				continue;
			bytes[square->prefix_size] = (uint8_t)lead;
			bytes[square->prefix_size + 1] = (uint8_t)trail;
			const uint32_t character = converter_ask(converter, bytes, square->prefix_size + 2u);
			if (square->wide != NULL)
				square->wide[at++] = character;
			else
				square->narrow[at++] = character <= 0xffff ? (uint16_t)character : 0;
		}
	}
	ucnv_close(converter);
	return at == square->size;
}

static bool squares_fill(void)
{
	const struct square squares[] = {
		{ "gb18030", { 0 }, 0, 0x81, 0xfe, 0x40, 0xfe, 0x7f, 0x7f, tables.gb18030, NULL, GB18030_POINTERS },
		{ "big5-hkscs", { 0 }, 0, 0x81, 0xfe, 0x40, 0xfe, 0x7f, 0xa0, NULL, tables.big5, BIG5_POINTERS },
		{ "windows-949", { 0 }, 0, 0x81, 0xfe, 0x41, 0xfe, 0, 0, tables.euc_kr, NULL, EUC_KR_POINTERS },
		{ "ibm-943_P15A-2003", { 0 }, 0, 0x81, 0x9f, 0x40, 0xfc, 0x7f, 0x7f, tables.jis0208, NULL, 31 * 188 },
		{ "ibm-943_P15A-2003",
		  { 0 },
		  0,
		  0xe0,
		  0xfc,
		  0x40,
		  0xfc,
		  0x7f,
		  0x7f,
		  &tables.jis0208[31 * 188],
		  NULL,
		  29 * 188 },
		{ "euc-jp", { 0x8f }, 1, 0xa1, 0xfe, 0xa1, 0xfe, 0, 0, tables.jis0212, NULL, PLANE_POINTERS },
		{ "euc-tw", { 0 }, 0, 0xa1, 0xfe, 0xa1, 0xfe, 0, 0, tables.cns1, NULL, PLANE_POINTERS },
		{ "euc-tw", { 0x8e, 0xa2 }, 2, 0xa1, 0xfe, 0xa1, 0xfe, 0, 0, NULL, tables.cns2, PLANE_POINTERS },
	};

	for (size_t i = 0; i < sizeof squares / sizeof squares[0]; i++) {
		if (!square_fill(&squares[i]))
			return false;
	}
	return true;
}

/*
 * GB18030's four-byte codes of the first plane stand, in order, for every character that the two-byte codes of its
 * edition of 2000 leave over; so the ranges follow from ICU's table before it is corrected.
 */
static bool ranges_fill(void)
{
	static uint8_t taken[0x10000 / 8]; /* used once, at start */
	uint32_t       pointer = 0;
	bool           open = false;

	for (size_t i = 0; i < GB18030_POINTERS; i++)
		taken[tables.gb18030[i] / 8] |= (uint8_t)(1u << tables.gb18030[i] % 8);
	/*
	 * The edition of 2005, which is ICU's, exchanged these two; the ranges stayed as they were but for that
	 * place.
	 */
	taken[0x1e3f / 8] &= (uint8_t) ~(1u << 0x1e3f % 8);
	taken[0xe7c7 / 8] |= 1u << 0xe7c7 % 8;
	tables.gb18030_range_count = 0;
	for (uint32_t character = 0x80; character <= 0xffff; character++) {
		if ((character >= 0xd800 && character <= 0xdfff) || (taken[character / 8] & 1u << character % 8) != 0) {
			open = false;
			continue;
		}
		if (!open && tables.gb18030_range_count == GB18030_RANGES)
			return false;
		const uint16_t first = character == 0x1e3f ? 0xe7c7 : (uint16_t)character;
		open = open && first == character;
		if (!open)
			tables.gb18030_ranges[tables.gb18030_range_count++] = (struct charset_range){ pointer, first };
		open = first == character;
		pointer++;
	}
	return true;
}

/* ---- the Standard's corrections ---- */

static void fix_put(const struct charset_fix *fix)
{
	for (uint32_t i = 0; i < fix->count; i++) {
		const size_t   at = fix->pointer + i;
		const uint32_t character = fix->first == 0 ? 0 : fix->first + i * fix->step;
		switch (fix->table) {
		case CHARSET_FIX_GB18030:
			tables.gb18030[at] = (uint16_t)character;
			break;
		case CHARSET_FIX_BIG5:
			tables.big5[at] = character;
			break;
		case CHARSET_FIX_EUC_KR:
			tables.euc_kr[at] = (uint16_t)character;
			break;
		case CHARSET_FIX_JIS0208:
			tables.jis0208[at] = (uint16_t)character;
			break;
		case CHARSET_FIX_JIS0212:
			tables.jis0212[at] = (uint16_t)character;
			break;
		case CHARSET_FIX_SINGLE:
			tables.single[at / 256][at % 256] = (uint16_t)character;
			break;
		}
	}
}

enum rc charset_ready(void)
{
	UErrorCode status = U_ZERO_ERROR;

	if (tables.ready)
		return RC_OK;
	udata_setFileAccess(UDATA_NO_FILES, &status); /* its data stands in its library; a file is never asked for */
	if (U_FAILURE(status) || !squares_fill() || !ranges_fill())
		return RC_UNSUPPORTED;
	for (enum charset charset = CHARSET_SINGLE_FIRST; charset < CHARSET_COUNT; charset++) {
		if (!single_fill(charset))
			return RC_UNSUPPORTED;
	}
	for (size_t i = 0; i < charset_fixes_count; i++)
		fix_put(&charset_fixes[i]);
	tables.ready = true;
	charset_guess_ready();
	return RC_OK;
}
