/* Small pieces that all files of this room write with. */
#include "link/writer.h"

void writer_number(struct writer *w, uint32_t number)
{
	uint8_t digits[10];
	size_t  start = sizeof digits;

	do {
		digits[--start] = (uint8_t)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	writer_put(w, (struct slice){ digits + start, sizeof digits - start });
}

void writer_percent(struct writer *w, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";
	const uint8_t     text[3] = { '%', (uint8_t)digits[byte >> 4], (uint8_t)digits[byte & 15] };

	writer_put(w, (struct slice){ text, sizeof text });
}

void writer_utf8(struct writer *w, uint32_t code_point)
{
	uint8_t text[4];
	size_t  size;

	if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff))
		code_point = 0xfffd;
	if (code_point < 0x80) {
		text[0] = (uint8_t)code_point;
		size = 1;
	} else if (code_point < 0x800) {
		text[0] = (uint8_t)(0xc0 | code_point >> 6);
		text[1] = (uint8_t)(0x80 | (code_point & 0x3f));
		size = 2;
	} else if (code_point < 0x10000) {
		text[0] = (uint8_t)(0xe0 | code_point >> 12);
		text[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
		text[2] = (uint8_t)(0x80 | (code_point & 0x3f));
		size = 3;
	} else {
		text[0] = (uint8_t)(0xf0 | code_point >> 18);
		text[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3f));
		text[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
		text[3] = (uint8_t)(0x80 | (code_point & 0x3f));
		size = 4;
	}
	writer_put(w, (struct slice){ text, size });
}

size_t utf8_take(struct slice s, uint32_t *code_point, bool *valid)
{
	const uint8_t first = s.ptr[0];
	uint8_t       low = 0x80, high = 0xbf;
	size_t        more;

	*valid = true;
	*code_point = first;
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf) {
		more = 1;
		*code_point = first & 0x1fu;
	} else if (first >= 0xe0 && first <= 0xef) {
		more = 2;
		*code_point = first & 0x0fu;
		low = first == 0xe0 ? 0xa0 : 0x80;
		high = first == 0xed ? 0x9f : 0xbf;
	} else if (first >= 0xf0 && first <= 0xf4) {
		more = 3;
		*code_point = first & 0x07u;
		low = first == 0xf0 ? 0x90 : 0x80;
		high = first == 0xf4 ? 0x8f : 0xbf;
	} else {
		more = 0;
		*valid = false;
	}
	size_t size = 1;
	for (; *valid && size <= more; size++) {
		const int byte = slice_at(s, size);
		if (byte < low || byte > high) {
			*valid = false;
			break;
		}
		*code_point = *code_point << 6 | ((uint32_t)byte & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	if (!*valid)
		*code_point = 0xfffd;
	return size;
}

int hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

void writer_percent_decoded(struct writer *w, struct slice s)
{
	while (s.len != 0) {
		const struct slice plain = slice_take(s, slice_find(s, '%'));
		writer_put(w, plain);
		s = slice_drop(s, plain.len);
		if (s.len == 0)
			break;
		const int  high = hex_digit(slice_at(s, 1)), low = hex_digit(slice_at(s, 2));
		const bool coded = high >= 0 && low >= 0;
		writer_byte(w, coded ? (uint8_t)(high << 4 | low) : (uint8_t)'%');
		s = slice_drop(s, coded ? 3 : 1);
	}
}
