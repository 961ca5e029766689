/*
 * base64 as readers take it that cut it into groups at other places than RFC 2045 section 6.8 says, one character at a
 * time: it is read only when the body breaks the rules, and its beginning only.
 */
#include "mail/transfer_inner.h"

/* What an unfinished group holds: one byte of two characters, two bytes of three. */
static size_t group_end(struct transfer *t, uint8_t *out)
{
	size_t made = 0;

	for (uint32_t bits = t->have * 6; bits >= 8; bits -= 8)
		out[made++] = (uint8_t)(t->bits >> (bits - 8));
	t->have = 0;
	t->bits = 0;
	t->repeat = 0;
	return made;
}

static size_t value_take(struct transfer *t, uint32_t value, uint8_t *out)
{
	t->bits = t->bits << 6 | value;
	return ++t->have == 4 ? group_end(t, out) : 0;
}

static size_t pad_take(struct transfer *t, uint8_t *out)
{
	if (t->padding == TRANSFER_PADDING_ZERO)
		return value_take(t, 0, out);
	return t->padding == TRANSFER_PADDING_QUADS ? 0 : group_end(t, out);
}

static bool is_line_end(uint8_t byte)
{
	return byte == '\n' || byte == '\r';
}

/* One character; at most three bytes come out. */
static size_t character_take(struct transfer *t, uint8_t byte, uint8_t *out)
{
	const uint8_t value = base64_value_of(byte);

	if (is_line_end(byte)) {
		t->padded = false; /* the comment ends */
		if (t->padding == TRANSFER_PADDING_LINES)
			t->have = t->bits = 0;
		return 0;
	}
	if (t->padded || value == BASE64_BLANK)
		return 0;
	if (value > BASE64_PAD) {
		t->padded = t->padding == TRANSFER_PADDING_COMMENT;
		t->flaws |= TRANSFER_FLAW_FOREIGN;
		t->foreign++;
		return 0;
	}
	size_t made = value == BASE64_PAD ? pad_take(t, out) : value_take(t, value, out);
	if (t->padding == TRANSFER_PADDING_QUADS && made == 0 && ++t->repeat == 4)
		made = group_end(t, out);
	return made;
}

size_t base64_loose_read(struct transfer *t, uint8_t *out, size_t room)
{
	size_t made = 0;

	while (t->rest.len != 0 && room - made >= 3) {
		const uint8_t byte = t->rest.ptr[0];
		t->rest = slice_drop(t->rest, 1);
		made += character_take(t, byte, &out[made]);
	}
	if (t->rest.len == 0 && !t->ended && room - made >= 3) {
		t->ended = true;
		if (t->padding != TRANSFER_PADDING_LINES && t->padding != TRANSFER_PADDING_WHOLE)
			made += group_end(t, &out[made]);
	}
	return made;
}
