/* UTF-16 and code pages to UTF-8. */
#include "document/ole_text.h"

#include "document/ole_bytes.h"

/* windows-1252, 0x80 to 0x9f (WHATWG encoding standard, index windows-1252). */
static const uint16_t windows_1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
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

void ole_put_codepage(unsigned codepage, struct slice text, struct buf *out)
{
	if (codepage == 1200) {
		ole_put_utf16(text, out);
		return;
	}
	if (codepage == 65001) {
		buf_put(out, text);
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t byte = text.ptr[i];
		ole_put_code(out, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte);
	}
}
