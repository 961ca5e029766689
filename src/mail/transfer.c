/* The transfer decoders. Each reads from the front of `rest` and stops when the caller's piece is full. */
#include "mail/transfer.h"

#include "base/must.h"
#include "mail/transfer_inner.h"

enum transfer_encoding transfer_encoding_of(struct slice name)
{
	static const struct {
		struct slice           name;
		enum transfer_encoding encoding;
	} known[] = {
		{ SLICE_INIT("7bit"), TRANSFER_7BIT },
		{ SLICE_INIT("8bit"), TRANSFER_8BIT },
		{ SLICE_INIT("binary"), TRANSFER_BINARY },
		{ SLICE_INIT("base64"), TRANSFER_BASE64 },
		{ SLICE_INIT("quoted-printable"), TRANSFER_QUOTED_PRINTABLE },
		/* Misspellings that mean the same to everybody. */
		{ SLICE_INIT("7-bit"), TRANSFER_7BIT },
		{ SLICE_INIT("8-bit"), TRANSFER_8BIT },
		{ SLICE_INIT("8bits"), TRANSFER_8BIT },
		{ SLICE_INIT("x-uuencode"), TRANSFER_UUENCODE },
		{ SLICE_INIT("uuencode"), TRANSFER_UUENCODE },
		{ SLICE_INIT("x-uue"), TRANSFER_UUENCODE },
		{ SLICE_INIT("uue"), TRANSFER_UUENCODE },
		{ SLICE_INIT("x-uu"), TRANSFER_UUENCODE },
		{ SLICE_INIT("yenc"), TRANSFER_YENC },
		{ SLICE_INIT("x-yenc"), TRANSFER_YENC },
		{ SLICE_INIT("x-yencode"), TRANSFER_YENC },
		{ SLICE_INIT("binhex"), TRANSFER_BINHEX },
		{ SLICE_INIT("binhex40"), TRANSFER_BINHEX },
		{ SLICE_INIT("x-binhex40"), TRANSFER_BINHEX },
		{ SLICE_INIT("mac-binhex40"), TRANSFER_BINHEX },
	};

	name = slice_trim(name);
	if (name.len == 0)
		return TRANSFER_7BIT;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (slice_eq_nocase(name, known[i].name))
			return known[i].encoding;
	}
	return TRANSFER_UNKNOWN;
}

bool transfer_is_coded(enum transfer_encoding encoding)
{
	return encoding >= TRANSFER_BASE64 && encoding < TRANSFER_UNKNOWN;
}

struct transfer transfer_begin(enum transfer_encoding encoding, enum transfer_padding padding, struct slice body)
{
	return (struct transfer){ .encoding = encoding, .padding = padding, .rest = body, .ended = false };
}

/* ---- base64 (RFC 2045 section 6.8) ---- */

#define SIX_BITS_MAX BASE64_VALUE_MAX
#define BLANK        BASE64_BLANK
#define PAD          BASE64_PAD
#define FOREIGN      255u

/* clang-format off: sixteen bytes a line */
/* The value of each byte (RFC 4648 table 1), or one of the three above. */
static const uint8_t base64_value[256] = {
	255, 255, 255, 255, 255, 255, 255, 255, 255, 64,  64,  255, 255, 64,  255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 64,  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 62,
	255, 255, 255, 63,  52,  53,  54,  55,  56,  57,  58,  59,  60,  61,  255, 255, 255, 65,  255, 255, 255, 0,
	1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,  16,  17,  18,  19,  20,  21,  22,
	23,  24,  25,  255, 255, 255, 255, 255, 255, 26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,
	39,  40,  41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
};
/* clang-format on */

uint8_t base64_value_of(uint8_t byte)
{
	return base64_value[byte];
}

/*
 * Whole groups without anything foreign, and the line ends between them: the fast way. Four bytes are written for a
 * group of three. Returns bytes made; *ret_used bytes were read.
 */
static size_t base64_run(struct slice in, uint8_t *out, size_t room, size_t *ret_used)
{
	size_t at = 0, made = 0;

	while (in.len - at >= 4 && room - made >= 4) {
		const uint32_t a = base64_value[in.ptr[at]], b = base64_value[in.ptr[at + 1]];
		const uint32_t c = base64_value[in.ptr[at + 2]], d = base64_value[in.ptr[at + 3]];
		if ((a | b | c | d) > SIX_BITS_MAX) {
			if (a != BLANK)
				break;
			at++;
			continue;
		}
		uint32_t group = a << 26 | b << 20 | c << 14 | d << 8;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		group = __builtin_bswap32(group);
#endif
		memcpy(&out[made], &group, sizeof group);
		at += 4;
		made += 3;
	}
	*ret_used = at;
	return made;
}

/* Write what an unfinished group holds: one byte of two characters, two bytes of three. */
static size_t base64_flush(struct transfer *t, uint8_t *out)
{
	size_t made = 0;

	if (t->have >= 2)
		out[made++] = (uint8_t)(t->have == 2 ? t->bits >> 4 : t->bits >> 10);
	if (t->have == 3)
		out[made++] = (uint8_t)(t->bits >> 2);
	t->have = 0;
	t->bits = 0;
	return made;
}

static size_t base64_pad(struct transfer *t, uint8_t *out)
{
	t->padded = true;
	if (t->padding == TRANSFER_PADDING_IGNORED)
		return 0;
	if (t->have == 1)
		t->flaws |= TRANSFER_FLAW_CUT_SHORT;
	const size_t made = base64_flush(t, out);
	if (t->padding == TRANSFER_PADDING_ENDS) {
		for (size_t i = 0; i < t->rest.len; i++) {
			if (base64_value[t->rest.ptr[i]] <= SIX_BITS_MAX) {
				t->flaws |= TRANSFER_FLAW_PADDING_INSIDE;
				break;
			}
		}
		t->rest = (struct slice){ NULL, 0 };
	}
	return made;
}

/* One character; at most three bytes come out. */
static size_t base64_step(struct transfer *t, uint8_t byte, uint8_t *out)
{
	const uint32_t value = base64_value[byte];

	if (value == BLANK)
		return 0;
	if (value == PAD)
		return base64_pad(t, out);
	if (value == FOREIGN) {
		t->flaws |= TRANSFER_FLAW_FOREIGN | (byte >= 0x80 ? TRANSFER_FLAW_8BIT : 0);
		t->foreign++;
		return 0;
	}
	if (t->padded)
		t->flaws |= TRANSFER_FLAW_PADDING_INSIDE;
	t->bits = t->bits << 6 | value;
	if (++t->have < 4)
		return 0;
	out[0] = (uint8_t)(t->bits >> 16);
	out[1] = (uint8_t)(t->bits >> 8);
	out[2] = (uint8_t)t->bits;
	t->have = 0;
	t->bits = 0;
	return 3;
}

static size_t base64_read(struct transfer *t, uint8_t *out, size_t room)
{
	size_t made = 0;

	while (t->rest.len != 0 && room - made >= 3) {
		if (t->have == 0 && !t->padded) {
			size_t used;
			made += base64_run(t->rest, &out[made], room - made, &used);
			t->rest = slice_drop(t->rest, used);
			if (t->rest.len == 0 || room - made < 3)
				break;
		}
		const uint8_t byte = t->rest.ptr[0];
		t->rest = slice_drop(t->rest, 1);
		made += base64_step(t, byte, &out[made]);
	}
	if (t->rest.len == 0 && !t->ended && room - made >= 2) {
		t->ended = true;
		if (t->have == 1 || (t->have != 0 && !t->padded))
			t->flaws |= TRANSFER_FLAW_CUT_SHORT;
		made += base64_flush(t, &out[made]);
	}
	return made;
}

/* ---- quoted-printable (RFC 2045 section 6.7) ---- */

static int hex_value(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return -1;
}

/* How many bytes behind the "=" belong to a soft line break: blanks and one line end. 0: it is none. */
static size_t soft_break_size(struct slice rest)
{
	size_t i = 1;

	while (i < rest.len && byte_is_wsp(rest.ptr[i]))
		i++;
	if (i == rest.len)
		return i;
	if (rest.ptr[i] == '\r' && slice_at(rest, i + 1) == '\n')
		return i + 2;
	return rest.ptr[i] == '\n' || rest.ptr[i] == '\r' ? i + 1 : 0;
}

/*
 * "=" at the front of `rest`: a byte, a soft break, or a flaw, in which case "=" stands for itself. Returns bytes
 * written, 0 or 1.
 */
static size_t escape_take(struct transfer *t, struct slice rest, uint8_t *out, size_t *ret_used)
{
	const int high = hex_value(slice_at(rest, 1)), low = hex_value(slice_at(rest, 2));

	if (high >= 0 && low >= 0) {
		out[0] = (uint8_t)(high << 4 | low);
		*ret_used = 3;
		return 1;
	}
	*ret_used = soft_break_size(rest);
	if (*ret_used != 0)
		return 0;
	t->flaws |= TRANSFER_FLAW_ESCAPE;
	t->foreign++;
	out[0] = '=';
	*ret_used = 1;
	return 1;
}

#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Does one of eight bytes equal the one that `word` was xor-ed with? */
static uint64_t has_zero(uint64_t word)
{
	return (word - EIGHT(1)) & ~word & EIGHT(0x80);
}

/* Copy what stands before the first "=" or LF, at most `max` bytes (and bytes of `s`). */
static size_t plain_copy(struct slice s, uint8_t *out, size_t max)
{
	const size_t end = s.len < max ? s.len : max;
	size_t       i = 0;

	for (; end - i >= 8; i += 8) {
		uint64_t word;
		memcpy(&word, &s.ptr[i], sizeof word);
		if ((has_zero(word ^ EIGHT('=')) | has_zero(word ^ EIGHT('\n'))) != 0)
			break;
		memcpy(&out[i], &word, sizeof word);
	}
	for (; i < end && s.ptr[i] != '=' && s.ptr[i] != '\n'; i++)
		out[i] = s.ptr[i];
	return i;
}

/*
 * White space at the front: does it end its line, and so does not count (RFC 2045 section 6.7 rule 3)? Its size, else
 * 0.
 */
static size_t blanks_ending_line(struct slice s)
{
	size_t i = 0;

	while (i < s.len && byte_is_wsp(s.ptr[i]))
		i++;
	if (i == s.len || s.ptr[i] == '\n' || (s.ptr[i] == '\r' && slice_at(s, i + 1) == '\n'))
		return i;
	return 0;
}

/* How many bytes before `end`, not before `from`, are white space as it stands in the body. */
static size_t blanks_before(struct slice s, size_t from, size_t end)
{
	size_t count = 0;

	while (end - count > from && byte_is_wsp(s.ptr[end - count - 1]))
		count++;
	return count;
}

/* A piece that begins with more white space than fits: dropped, or `t->blanks` says how much of it is kept. */
static void long_blanks_settle(struct transfer *t)
{
	const size_t dropped = blanks_ending_line(t->rest);

	t->rest = slice_drop(t->rest, dropped);
	if (dropped != 0)
		return;
	while (byte_is_wsp((uint8_t)slice_at(t->rest, t->blanks)))
		t->blanks++;
}

/*
 * White space is copied like anything else and taken back when its line ends behind it. `settled` is the first byte
 * of the body that can still be taken back; what stands at the end of the piece and may yet be taken back is left for
 * the next one.
 */
static size_t quoted_piece(struct transfer *t, uint8_t *out, size_t room)
{
	const struct slice in = t->rest;
	size_t             at = 0, made = 0, settled;

	for (; t->blanks != 0 && made < room; t->blanks--)
		out[made++] = in.ptr[at++];
	settled = at;
	while (at < in.len && made < room) {
		const size_t run = plain_copy(slice_drop(in, at), &out[made], room - made);
		at += run;
		made += run;
		if (at == in.len || made == room)
			break;
		size_t used = 1;
		if (in.ptr[at] == '=') {
			made += escape_take(t, slice_drop(in, at), &out[made], &used);
		} else {
			const size_t cr = at > settled && in.ptr[at - 1] == '\r';
			made -= blanks_before(in, settled, at - cr) + cr;
			if (cr != 0)
				out[made++] = '\r';
			out[made++] = '\n';
		}
		at += used;
		settled = at;
	}
	const size_t cr = at < in.len && at > settled && in.ptr[at - 1] == '\r';
	const size_t open = blanks_before(in, settled, at - cr);
	if (open != 0) {
		made -= open + cr;
		at -= at < in.len ? open + cr : 0;
	}
	t->rest = slice_drop(in, at);
	return made;
}

static size_t quoted_read(struct transfer *t, uint8_t *out, size_t room)
{
	size_t made = 0;

	while (made == 0 && t->rest.len != 0) {
		const size_t before = t->rest.len;
		made = quoted_piece(t, out, room);
		if (made == 0 && t->rest.len == before)
			long_blanks_settle(t);
	}
	return made;
}

/* ---- uuencode ---- */

#define UU_LINE_MAX 45u

static struct slice uu_line_take(struct transfer *t)
{
	struct slice line = slice_until(&t->rest, '\n');

	if (slice_last(line) == '\r')
		line.len--;
	return line;
}

/* Behind the line "begin 644 name"; a body without one is read from its front. */
static void uu_begin_take(struct transfer *t)
{
	const struct slice body = t->rest;

	while (t->rest.len != 0) {
		if (slice_starts(uu_line_take(t), SLICE("begin")))
			return;
	}
	t->rest = body;
	t->flaws |= TRANSFER_FLAW_LINE;
}

static uint32_t uu_value(struct transfer *t, struct slice line, size_t index)
{
	const int byte = slice_at(line, index);

	if (byte < 0)
		return 0; /* trailing blanks were lost on the way: they stand for zeros */
	if (byte < ' ' || byte > '`') {
		t->flaws |= TRANSFER_FLAW_FOREIGN;
		t->foreign++;
	}
	return (uint32_t)(byte - ' ') & SIX_BITS_MAX;
}

/* One line of at most 45 bytes; `out` has room for them. */
static size_t uu_line_decode(struct transfer *t, struct slice line, uint8_t *out)
{
	size_t made = 0;

	if (line.len == 0)
		return 0;
	if (slice_eq(line, SLICE("end"))) {
		t->ended = true;
		return 0;
	}
	const size_t count = uu_value(t, line, 0);
	if (count > UU_LINE_MAX) {
		t->flaws |= TRANSFER_FLAW_LINE;
		return 0;
	}
	if (line.len > 1 + (count + 2) / 3 * 4 + 1)
		t->flaws |= TRANSFER_FLAW_LINE;
	for (size_t at = 1; made < count; at += 4) {
		const uint32_t group = uu_value(t, line, at) << 18 | uu_value(t, line, at + 1) << 12 |
		                       uu_value(t, line, at + 2) << 6 | uu_value(t, line, at + 3);
		for (unsigned i = 0; i < 3 && made < count; i++)
			out[made++] = (uint8_t)(group >> (16 - 8 * i));
	}
	return made;
}

static size_t uu_read(struct transfer *t, uint8_t *out, size_t room)
{
	size_t made = 0;

	if (t->have == 0) {
		t->have = 1;
		uu_begin_take(t);
	}
	while (!t->ended && room - made >= UU_LINE_MAX) {
		if (t->rest.len == 0) {
			t->flaws |= TRANSFER_FLAW_CUT_SHORT;
			t->ended = true;
			break;
		}
		made += uu_line_decode(t, uu_line_take(t), &out[made]);
	}
	return made;
}

/* ---- the common way in ---- */

static size_t plain_read(struct transfer *t, uint8_t *out, size_t room)
{
	const struct slice piece = slice_take(t->rest, room);

	if (piece.len != 0)
		memcpy(out, piece.ptr, piece.len);
	t->rest = slice_drop(t->rest, piece.len);
	return piece.len;
}

static size_t piece_read(struct transfer *t, uint8_t *out, size_t room)
{
	switch (t->encoding) {
	case TRANSFER_BASE64:
		return t->padding >= TRANSFER_PADDING_ZERO ? base64_loose_read(t, out, room) : base64_read(t, out, room);
	case TRANSFER_QUOTED_PRINTABLE:
		return quoted_read(t, out, room);
	case TRANSFER_UUENCODE:
		return uu_read(t, out, room);
	case TRANSFER_YENC:
		return yenc_read(t, out, room);
	case TRANSFER_BINHEX:
		return binhex_read(t, out, room);
	case TRANSFER_QUOTED_TIGHT:
	case TRANSFER_QUOTED_LINES:
	case TRANSFER_QUOTED_SIGN:
	case TRANSFER_QUOTED_UPPER:
		return tight_read(t, out, room);
	case TRANSFER_7BIT:
	case TRANSFER_8BIT:
	case TRANSFER_BINARY:
	case TRANSFER_UNKNOWN:
	case TRANSFER_ENCODINGS:
		break;
	}
	return plain_read(t, out, room);
}

size_t transfer_read(struct transfer *t, uint8_t *out, size_t room)
{
	must(room >= TRANSFER_ROOM_MIN);
	return piece_read(t, out, room);
}
