/*
 * Files written into text: yEnc (the draft of 2002 that all its readers follow) and BinHex 4.0 (RFC 1741). Both begin
 * at a line of their own, which is looked for from the front of the body.
 */
#include "mail/transfer_inner.h"

/* Move to the first line that begins with `word`; false when there is none, and nothing is left. */
static bool line_seek(struct transfer *t, struct slice word)
{
	while (t->rest.len != 0) {
		if (slice_starts(t->rest, word))
			return true;
		(void)slice_until(&t->rest, '\n');
	}
	return false;
}

/* ---- yEnc ---- */

#define YENC_SHIFT  42
#define YENC_ESCAPE 64

/* "=ybegin", perhaps "=ypart", then the data. */
static void yenc_begin(struct transfer *t)
{
	t->have = 1;
	if (!line_seek(t, SLICE("=ybegin "))) {
		t->ended = true;
		return;
	}
	(void)slice_until(&t->rest, '\n');
	if (slice_starts(t->rest, SLICE("=ypart ")))
		(void)slice_until(&t->rest, '\n');
	t->blanks = 1; /* at the beginning of a line */
}

size_t yenc_read(struct transfer *t, uint8_t *out, size_t room)
{
	size_t made = 0;

	if (t->have == 0)
		yenc_begin(t);
	while (!t->ended && made < room) {
		if (t->rest.len == 0) {
			t->flaws |= TRANSFER_FLAW_CUT_SHORT;
			t->ended = true;
			break;
		}
		if (t->blanks != 0 && slice_starts(t->rest, SLICE("=yend"))) {
			t->ended = true;
			break;
		}
		uint8_t byte = t->rest.ptr[0];
		t->rest = slice_drop(t->rest, 1);
		t->blanks = byte == '\n';
		if (byte == '\r' || byte == '\n')
			continue;
		if (byte == '=') {
			if (t->rest.len == 0)
				continue;
			byte = (uint8_t)(t->rest.ptr[0] - YENC_ESCAPE);
			t->rest = slice_drop(t->rest, 1);
		}
		out[made++] = (uint8_t)(byte - YENC_SHIFT);
	}
	return made;
}

/* ---- BinHex 4.0 ---- */

#define BINHEX_REPEAT 0x90u
#define BINHEX_FIXED  22u /* bytes of its header besides the name (RFC 1741 section 5, "The first fork") */

static const struct slice binhex_alphabet =
	SLICE_INIT("!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr");

static void binhex_begin(struct transfer *t)
{
	t->have = 1;
	t->bits = 1; /* a one in front of the bits that wait: eight of them make a byte */
	if (line_seek(t, SLICE("(This file must be converted with BinHex")))
		(void)slice_until(&t->rest, '\n');
	const size_t colon = slice_find(t->rest, ':');
	t->ended = colon == t->rest.len;
	t->rest = slice_drop(t->rest, colon + 1);
	t->skip = BINHEX_FIXED;
	t->named = false;
}

/* One byte of the stream behind its run-length coding: header bytes are swallowed. */
static size_t binhex_put(struct transfer *t, uint8_t byte, uint8_t *out)
{
	if (!t->named) {
		t->named = true;
		t->skip = BINHEX_FIXED + byte - 1u;
		return 0;
	}
	if (t->skip != 0) {
		t->skip--;
		return 0;
	}
	*out = byte;
	return 1;
}

/* One byte as the characters spell it. */
static size_t binhex_take(struct transfer *t, uint8_t byte, uint8_t *out)
{
	if (!t->padded) {
		if (byte == BINHEX_REPEAT) {
			t->padded = true; /* a count follows */
			return 0;
		}
		t->last = byte;
		return binhex_put(t, byte, out);
	}
	t->padded = false;
	if (byte == 0) {
		t->last = BINHEX_REPEAT;
		return binhex_put(t, BINHEX_REPEAT, out);
	}
	t->repeat = byte - 1u;
	return 0;
}

size_t binhex_read(struct transfer *t, uint8_t *out, size_t room)
{
	size_t made = 0;

	if (t->have == 0)
		binhex_begin(t);
	while (made < room) {
		if (t->repeat != 0) {
			t->repeat--;
			made += binhex_put(t, t->last, &out[made]);
			continue;
		}
		if (t->ended || t->rest.len == 0)
			break;
		const uint8_t byte = t->rest.ptr[0];
		t->rest = slice_drop(t->rest, 1);
		const size_t value = slice_find(binhex_alphabet, byte);
		if (byte == ':') {
			t->ended = true;
			continue;
		}
		if (value == binhex_alphabet.len) {
			if (byte > ' ') {
				t->flaws |= TRANSFER_FLAW_FOREIGN;
				t->foreign++;
			}
			continue;
		}
		t->bits = t->bits << 6 | (uint32_t)value;
		for (unsigned width = 14; width >= 8; width -= 2) {
			if (t->bits >> width != 1)
				continue;
			const uint8_t whole = (uint8_t)(t->bits >> (width - 8));
			t->bits = (t->bits & ((1u << (width - 8)) - 1)) | 1u << (width - 8);
			made += binhex_take(t, whole, &out[made]);
			break;
		}
	}
	return made;
}
