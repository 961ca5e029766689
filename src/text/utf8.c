/*
 * UTF-8 by its bytes. What is common goes fast: runs of ASCII by words, runs of three-byte characters (Chinese,
 * Japanese, Korean) without a table.
 */
#include "text/utf8.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

uint32_t utf8_decode(struct slice s, size_t *ret_size)
{
	const uint8_t lead = s.ptr[0];
	const size_t  size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	*ret_size = 1;
	if (lead < 0x80)
		return lead;
	if (lead < 0xc2 || lead > 0xf4 || size > s.len)
		return UINT32_MAX;
	uint32_t character = lead & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((s.ptr[i] & 0xc0) != 0x80)
			return UINT32_MAX;
		character = character << 6 | (s.ptr[i] & 0x3fu);
	}
	if ((size == 3 && character < 0x800) || (size == 4 && character < 0x10000) || character > UTF8_LAST ||
	    (character >= 0xd800 && character <= 0xdfff))
		return UINT32_MAX;
	*ret_size = size;
	return character;
}

/* May `second` follow `lead` (0xe0 to 0xf4)? The Unicode Standard, table 3-7. */
static bool second_fits(uint8_t lead, uint8_t second)
{
	const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

size_t utf8_bad_size(struct slice s)
{
	const uint8_t lead = s.ptr[0];
	const size_t  size = lead >= 0xf0 ? 4 : 3;
	size_t        i = 1;

	if (lead < 0xe0 || lead > 0xf4 || s.len < 2 || !second_fits(lead, s.ptr[1]))
		return 1;
	for (i = 2; i < size - 1 && i < s.len; i++) {
		if ((s.ptr[i] & 0xc0) != 0x80)
			break;
	}
	return i;
}

size_t utf8_encode(uint32_t character, uint8_t out[4])
{
	if (character > UTF8_LAST || (character >= 0xd800 && character <= 0xdfff))
		character = UTF8_REPLACEMENT;
	if (character < 0x80) {
		out[0] = (uint8_t)character;
		return 1;
	}
	if (character < 0x800) {
		out[0] = (uint8_t)(0xc0 | character >> 6);
		out[1] = (uint8_t)(0x80 | (character & 0x3f));
		return 2;
	}
	if (character < 0x10000) {
		out[0] = (uint8_t)(0xe0 | character >> 12);
		out[1] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (character & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | character >> 18);
	out[1] = (uint8_t)(0x80 | (character >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (character & 0x3f));
	return 4;
}

size_t utf8_ascii_size(struct slice s)
{
	size_t   i = 0;
	uint64_t word[4];

	for (; s.len - i >= sizeof word; i += sizeof word) {
		memcpy(word, &s.ptr[i], sizeof word);
		if (((word[0] | word[1] | word[2] | word[3]) & HIGH_BITS) != 0)
			break;
	}
	for (; s.len - i >= sizeof word[0]; i += sizeof word[0]) {
		memcpy(word, &s.ptr[i], sizeof word[0]);
		if ((word[0] & HIGH_BITS) != 0)
			break;
	}
	while (i < s.len && s.ptr[i] < 0x80)
		i++;
	return i;
}

/* A three-byte character whose lead needs no second look. */
static bool is_three(const uint8_t bytes[3])
{
	return (bytes[0] & 0xf0) == 0xe0 && (bytes[1] & 0xc0) == 0x80 && (bytes[2] & 0xc0) == 0x80 &&
	       bytes[0] != 0xe0 && bytes[0] != 0xed;
}

size_t utf8_valid_size(struct slice s)
{
	size_t i = 0, size;

	while (i < s.len) {
		if (s.ptr[i] < 0x80) {
			i += utf8_ascii_size(slice_drop(s, i));
			continue;
		}
		if (s.len - i >= 3 && is_three(&s.ptr[i])) {
			i += 3;
			continue;
		}
		if (utf8_decode(slice_drop(s, i), &size) == UINT32_MAX)
			break;
		i += size;
	}
	return i;
}

size_t utf8_cut(struct slice s, size_t size)
{
	if (size >= s.len)
		return s.len;
	while (size > 0 && (s.ptr[size] & 0xc0) == 0x80)
		size--;
	return size;
}
