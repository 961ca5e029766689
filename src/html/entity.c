/* Character references. Names lie in entity_table.h, found by the same hash as element names. */
#include "html/entity.h"

#include "html/entity_table.h"
#include "html/names.h"

#define CODE_MAX 0x10ffffu

/* HTML 13.2.5.80: what windows-1252 has at 0x80 to 0x9f; 0: as it stands. */
static const uint16_t controls[32] = {
	0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

size_t html_utf8_put(uint32_t code, uint8_t *out)
{
	if (code > CODE_MAX || (code >= 0xd800 && code < 0xe000))
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

static int digit_of(int byte, bool hexadecimal)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (hexadecimal && (byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

static bool number_take(struct slice s, struct html_reference *out)
{
	const bool hexadecimal = (slice_at(s, 2) | 0x20) == 'x';
	size_t     at = hexadecimal ? 3 : 2;
	uint32_t   code = 0;

	if (digit_of(slice_at(s, at), hexadecimal) < 0)
		return false;
	for (int digit; (digit = digit_of(slice_at(s, at), hexadecimal)) >= 0; at++) {
		if (code <= CODE_MAX)
			code = code * (hexadecimal ? 16 : 10) + (uint32_t)digit;
	}
	if (slice_at(s, at) == ';')
		at++;
	if (code == 0)
		code = 0xfffd;
	else if (code >= 0x80 && code < 0xa0 && controls[code - 0x80] != 0)
		code = controls[code - 0x80];
	out->size = html_utf8_put(code, out->text);
	out->taken = at;
	return true;
}

/* The number of the entity from 1, or 0. */
static unsigned entity_find(struct slice name)
{
	uint32_t at = html_name_hash(name) % HTML_ENTITY_SLOTS;

	for (; html_entity_slots[at] != 0; at = (at + 1) % HTML_ENTITY_SLOTS) {
		const unsigned     number = html_entity_slots[at];
		const unsigned     start = html_entity_starts[number - 1];
		const struct slice text =
		    slice_of(&html_entity_names[start / HTML_ENTITY_LINE][start % HTML_ENTITY_LINE],
		             html_entity_sizes[number - 1] & 127u);
		if (slice_eq(text, name))
			return number;
	}
	return 0;
}

static void entity_put(unsigned number, size_t taken, struct html_reference *out)
{
	const uint32_t code = html_entity_codes[number - 1];

	out->size = html_utf8_put(code & 0xffffff, out->text);
	if (code >> 24 != 0)
		out->size += html_utf8_put(html_entity_seconds[(code >> 24) - 1], &out->text[out->size]);
	out->taken = taken;
}

bool html_reference_take(struct slice s, bool attribute, struct html_reference *out)
{
	struct slice name = slice_cut(s, 1, HTML_ENTITY_NAME_MAX);
	size_t       size = 0;

	if (slice_at(s, 1) == '#')
		return number_take(s, out);
	while (size < name.len && byte_is_alnum(name.ptr[size]))
		size++;
	name = slice_take(name, size);
	if (slice_at(s, 1 + size) == ';') {
		const unsigned number = entity_find(name);
		if (number != 0) {
			entity_put(number, size + 2, out);
			return true;
		}
	}
	for (size = size < HTML_ENTITY_BARE_MAX ? size : HTML_ENTITY_BARE_MAX; size >= 2; size--) {
		const unsigned number = entity_find(slice_take(name, size));
		const int      next = slice_at(s, 1 + size);
		if (number == 0 || (html_entity_sizes[number - 1] & 128u) == 0)
			continue;
		if (attribute && (next == '=' || (next >= 0 && byte_is_alnum((uint8_t)next))))
			return false;
		entity_put(number, size + 1, out);
		return true;
	}
	return false;
}
