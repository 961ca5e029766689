/* UTF-16 and code pages to UTF-8. */
#include "document/ole_text.h"

#include "document/ole_bytes.h"
#include "text/charset.h"

/* windows-1252, 0x80 to 0x9f (WHATWG encoding standard, index windows-1252). */
static const uint16_t windows_1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

size_t ole_utf8(uint32_t code, uint8_t out[4])
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = 0xfffd;
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (uint8_t)(0xc0 | code >> 6);
		out[1] = (uint8_t)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (uint8_t)(0xe0 | code >> 12);
		out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | code >> 18);
	out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (code & 0x3f));
	return 4;
}

void ole_put_code(struct buf *out, uint32_t code)
{
	uint8_t      bytes[4];
	const size_t count = ole_utf8(code, bytes);

	buf_put(out, slice_of(bytes, count));
}

void ole_put_utf16(struct slice text, struct buf *out)
{
	for (size_t at = 0; at + 2 <= text.len; at += 2) {
		uint32_t code = bytes_u16(text, at);
		if (code >= 0xd800 && code < 0xdc00) {
			const uint32_t low = bytes_u16(text, at + 2);
			if (low >= 0xdc00 && low <= 0xdfff) {
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
				at += 2;
			}
		}
		ole_put_code(out, code);
	}
}

/* Numbers of code pages that are no "windows-..." label (Windows' list of identifiers). */
static const struct {
	unsigned     codepage;
	enum charset charset;
} codepages[] = {
	{ 437, CHARSET_IBM_437 },        { 737, CHARSET_IBM_737 },       { 775, CHARSET_IBM_775 },
	{ 850, CHARSET_IBM_850 },        { 852, CHARSET_IBM_852 },       { 855, CHARSET_IBM_855 },
	{ 857, CHARSET_IBM_857 },        { 866, CHARSET_IBM_866 },       { 874, CHARSET_WINDOWS_874 },
	{ 932, CHARSET_SHIFT_JIS },      { 936, CHARSET_GB18030 },       { 949, CHARSET_EUC_KR },
	{ 950, CHARSET_BIG5 },           { 951, CHARSET_BIG5 },          { 1200, CHARSET_UTF16LE },
	{ 1201, CHARSET_UTF16BE },       { 1250, CHARSET_WINDOWS_1250 }, { 1251, CHARSET_WINDOWS_1251 },
	{ 1253, CHARSET_WINDOWS_1253 },  { 1254, CHARSET_WINDOWS_1254 }, { 1255, CHARSET_WINDOWS_1255 },
	{ 1256, CHARSET_WINDOWS_1256 },  { 1257, CHARSET_WINDOWS_1257 }, { 1258, CHARSET_WINDOWS_1258 },
	{ 1361, CHARSET_EUC_KR },        { 10000, CHARSET_MACINTOSH },   { 10001, CHARSET_SHIFT_JIS },
	{ 10002, CHARSET_BIG5 },         { 10003, CHARSET_EUC_KR },      { 10006, CHARSET_MAC_GREEK },
	{ 10007, CHARSET_MAC_CYRILLIC }, { 10008, CHARSET_GB18030 },     { 10029, CHARSET_MAC_CENTRAL },
	{ 10081, CHARSET_MAC_TURKISH },  { 20866, CHARSET_KOI8_R },      { 20932, CHARSET_EUC_JP },
	{ 20936, CHARSET_GB18030 },      { 21866, CHARSET_KOI8_U },      { 51932, CHARSET_EUC_JP },
	{ 51936, CHARSET_GB18030 },      { 51949, CHARSET_EUC_KR },      { 52936, CHARSET_HZ },
	{ 54936, CHARSET_GB18030 },      { 65000, CHARSET_UTF7 },        { 65001, CHARSET_UTF8 },
};

static void put_charset(enum charset charset, struct slice text, struct buf *out)
{
	struct charset_run run = charset_begin(charset);
	uint8_t            piece[1024];
	size_t             count;

	while ((count = charset_read(&run, &text, true, piece, sizeof piece)) != 0)
		buf_put(out, slice_of(piece, count));
}

void ole_put_codepage(unsigned codepage, struct slice text, struct buf *out)
{
	for (size_t i = 0; i < sizeof codepages / sizeof codepages[0]; i++)
		if (codepages[i].codepage == codepage) {
			put_charset(codepages[i].charset, text, out);
			return;
		}
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t byte = text.ptr[i];
		ole_put_code(out, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte);
	}
}
