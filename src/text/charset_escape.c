/*
 * Sets of 7 bits that switch by escape sequences: ISO-2022-JP as the Encoding Standard reads it (section 12.2.1; the
 * sequences of RFC 1554 for the larger sets), ISO-2022-KR (RFC 1557), ISO-2022-CN (RFC 1922), HZ (RFC 1843), and
 * UTF-7 (RFC 2152). A line's end brings the shifting ones back to ASCII.
 */
#include "text/charset_table.h"

#define ESCAPE    0x1bu
#define SHIFT_OUT 0x0eu
#define SHIFT_IN  0x0fu

enum mode {
	MODE_ASCII,
	MODE_ROMAN,
	MODE_KATAKANA,
	MODE_JIS0208,
	MODE_JIS0212,
	MODE_GB2312,
	MODE_KSC,
	MODE_CNS1,
	MODE_CNS2,
	MODE_SINGLE_SHIFT
};

struct sequence {
	uint8_t   bytes[3]; /* behind the escape character */
	uint8_t   size;
	bool      extended; /* not in plain ISO-2022-JP */
	enum mode mode;
};

static const struct sequence jp_sequences[] = {
	{ "(B", 2, false, MODE_ASCII },   { "(J", 2, false, MODE_ROMAN },   { "(I", 2, false, MODE_KATAKANA },
	{ "$@", 2, false, MODE_JIS0208 }, { "$B", 2, false, MODE_JIS0208 }, { "$(D", 3, true, MODE_JIS0212 },
	{ "$A", 2, true, MODE_GB2312 },   { "$(C", 3, true, MODE_KSC },     { "$(B", 3, true, MODE_JIS0208 },
	{ "$(@", 3, true, MODE_JIS0208 }, { "(H", 2, true, MODE_ROMAN },
};

static const struct sequence shift_sequences[] = {
	{ "$)C", 3, true, MODE_KSC },  { "$)A", 3, true, MODE_GB2312 }, { "$)E", 3, true, MODE_GB2312 },
	{ "$)G", 3, true, MODE_CNS1 }, { "$*H", 3, true, MODE_CNS2 },   { "N", 1, true, MODE_SINGLE_SHIFT },
};

/*
 * What the bytes behind an escape character are so far: a whole sequence (in *out), the beginning of one, or neither.
 */
enum found { FOUND_NONE, FOUND_PART, FOUND_WHOLE };

static enum found sequence_find(const struct sequence *sequences, size_t count, bool extended, struct slice bytes,
                                enum mode *out)
{
	enum found found = FOUND_NONE;

	for (size_t i = 0; i < count; i++) {
		const struct slice whole = slice_of(sequences[i].bytes, sequences[i].size);
		if ((sequences[i].extended && !extended) || !slice_starts(whole, bytes))
			continue;
		if (bytes.len == whole.len) {
			*out = sequences[i].mode;
			return FOUND_WHOLE;
		}
		found = FOUND_PART;
	}
	return found;
}

static uint32_t mode_cell(enum mode mode, uint32_t row, uint32_t cell)
{
	switch (mode) {
	case MODE_JIS0208:
		return charset_jis0208_cell(row, cell);
	case MODE_JIS0212:
		return charset_jis0212_cell(row, cell);
	case MODE_GB2312:
		return charset_gb2312_cell(row, cell);
	case MODE_KSC:
		return charset_ksc_cell(row, cell);
	case MODE_CNS1:
		return charset_cns_cell(1, row, cell);
	case MODE_CNS2:
		return charset_cns_cell(2, row, cell);
	case MODE_ASCII:
	case MODE_ROMAN:
	case MODE_KATAKANA:
	case MODE_SINGLE_SHIFT:
		break;
	}
	return 0;
}

static void character_or_bad(struct charset_run *run, struct charset_out *out, uint32_t character)
{
	if (character != 0)
		charset_put(run, out, character);
	else
		charset_bad(run, out);
}

/* ---- ISO-2022-JP ---- */

/* A byte in a set of one byte a character. */
static void jp_single(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	run->output = false;
	if (run->charset == CHARSET_ISO_2022_JP_2 && byte >= 0xa1 && byte <= 0xdf)
		charset_put(run, out, 0xff61u - 0xa1 + byte);
	else if (run->mode == MODE_KATAKANA && byte >= 0x21 && byte <= 0x5f)
		charset_put(run, out, 0xff61u - 0x21 + byte);
	else if (byte >= 0x80 || byte == SHIFT_OUT || byte == SHIFT_IN || run->mode == MODE_KATAKANA)
		charset_bad(run, out);
	else if (run->mode == MODE_ROMAN && (byte == 0x5c || byte == 0x7e))
		charset_put(run, out, byte == 0x5c ? 0xa5 : 0x203e);
	else
		charset_put(run, out, byte);
}

/* A byte in a set of two. */
static void jp_double(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const bool in_plane = byte >= 0x21 && byte <= 0x7e;

	if (run->held == 0) {
		run->output = false;
		if (in_plane)
			run->lead[run->held++] = byte;
		else if (run->charset == CHARSET_ISO_2022_JP_2 && (byte == '\n' || byte == '\r'))
			charset_put(run, out, byte); /* careless senders leave the set switched on over a line's end */
		else
			charset_bad(run, out);
		return;
	}
	run->held = 0;
	character_or_bad(run, out, in_plane ? mode_cell((enum mode)run->mode, run->lead[0] - 0x21u, byte - 0x21u) : 0);
}

static void jp_text(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (byte != ESCAPE) {
		if (run->mode <= MODE_KATAKANA)
			jp_single(run, out, byte);
		else
			jp_double(run, out, byte);
		return;
	}
	charset_held_end(run, out); /* half a pair */
	run->escape = 1;
}

/*
 * What is held of an escape sequence was none: it is text. No byte of a sequence's beginning is an escape character
 * but the last one.
 */
static void sequence_undo(struct charset_run *run, struct charset_out *out,
                          void (*text)(struct charset_run *, struct charset_out *, uint8_t))
{
	const uint8_t count = run->held;
	uint8_t       bytes[sizeof run->lead];

	memcpy(bytes, run->lead, sizeof bytes);
	run->held = run->escape = 0;
	run->output = false;
	charset_bad(run, out);
	for (uint8_t i = 0; i < count; i++)
		text(run, out, bytes[i]);
}

void charset_iso_2022_jp_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	enum mode mode = MODE_ASCII;

	if (run->escape == 0) {
		jp_text(run, out, byte);
		return;
	}
	run->lead[run->held++] = byte;
	switch (sequence_find(jp_sequences, sizeof jp_sequences / sizeof jp_sequences[0],
	                      run->charset == CHARSET_ISO_2022_JP_2, slice_of(run->lead, run->held), &mode)) {
	case FOUND_PART:
		return;
	case FOUND_NONE:
		sequence_undo(run, out, jp_text);
		return;
	case FOUND_WHOLE:
		break;
	}
	run->mode = (uint8_t)mode;
	run->held = run->escape = 0;
	/* Two sequences with nothing between them hide something: the Encoding Standard's "output flag". */
	if (run->output)
		charset_bad(run, out);
	run->output = true;
}

void charset_iso_2022_jp_end(struct charset_run *run, struct charset_out *out)
{
	if (run->escape != 0)
		sequence_undo(run, out, jp_text);
	charset_held_end(run, out);
}

/* ---- ISO-2022-KR and -CN ----
 * mode: the set designated for shift-out; shift: bit 0 shifted out, bit 1 the next two bytes are of plane 2. */

static enum mode shift_mode(const struct charset_run *run)
{
	if ((run->shift & 2) != 0)
		return MODE_CNS2;
	if (run->mode != MODE_ASCII)
		return (enum mode)run->mode;
	return run->charset == CHARSET_ISO_2022_KR ? MODE_KSC : MODE_GB2312;
}

static void shift_text(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const bool in_plane = byte >= 0x21 && byte <= 0x7e;

	if (run->held != 0 && !in_plane) {
		charset_held_end(run, out);
		run->shift &= 1;
	}
	if (byte == ESCAPE) {
		run->escape = 1;
	} else if (byte == SHIFT_OUT || byte == SHIFT_IN) {
		run->shift = byte == SHIFT_OUT;
	} else if (byte == '\n') {
		/*
		 * RFC 1922 section 2: designations end with the line; RFC 1557's one stands for the whole text, and
		 * is its standard here.
		 */
		run->shift = 0;
		run->mode = MODE_ASCII;
		charset_put(run, out, byte);
	} else if (run->shift != 0 && in_plane) {
		run->lead[run->held++] = byte;
		if (run->held < 2)
			return;
		run->held = 0;
		character_or_bad(run, out, mode_cell(shift_mode(run), run->lead[0] - 0x21u, byte - 0x21u));
		run->shift &= 1;
	} else if (byte < 0x80) {
		charset_put(run, out, byte);
	} else {
		charset_bad(run, out);
	}
}

void charset_iso_2022_shift_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	enum mode mode = MODE_ASCII;

	if (run->escape == 0) {
		shift_text(run, out, byte);
		return;
	}
	run->lead[run->held++] = byte;
	switch (sequence_find(shift_sequences, sizeof shift_sequences / sizeof shift_sequences[0], true,
	                      slice_of(run->lead, run->held), &mode)) {
	case FOUND_PART:
		return;
	case FOUND_NONE:
		sequence_undo(run, out, shift_text);
		return;
	case FOUND_WHOLE:
		break;
	}
	run->held = run->escape = 0;
	if (mode == MODE_SINGLE_SHIFT)
		run->shift |= 2; /* plane 2 is the only one that comes so */
	else if (mode != MODE_CNS2)
		run->mode = (uint8_t)mode;
}

void charset_iso_2022_shift_end(struct charset_run *run, struct charset_out *out)
{
	if (run->escape != 0)
		sequence_undo(run, out, shift_text);
	charset_held_end(run, out);
}

/* ---- HZ: "~{" on, "~}" off, "~~" a tilde, "~" at a line's end joins it to the next ---- */

static void hz_tilde(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	run->held = 0;
	if (byte == '{' || byte == '}') {
		run->mode = byte == '{' ? MODE_GB2312 : MODE_ASCII;
	} else if (byte == '~') {
		charset_put(run, out, '~');
	} else if (byte != '\n') {
		charset_bad(run, out);
		charset_hz_byte(run, out, byte); /* nothing is held and it is no tilde: not again */
	}
}

void charset_hz_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (run->held != 0 && run->lead[0] == '~') {
		hz_tilde(run, out, byte);
		return;
	}
	if (run->held != 0) {
		run->held = 0;
		const bool in_plane = byte >= 0x21 && byte <= 0x7e;
		character_or_bad(run, out, in_plane ? charset_gb2312_cell(run->lead[0] - 0x21u, byte - 0x21u) : 0);
		if (byte == '\n') {
			run->mode = MODE_ASCII;
			charset_put(run, out, byte);
		}
	} else if (byte == '~' || (run->mode != MODE_ASCII && byte >= 0x21 && byte <= 0x7d)) {
		run->lead[run->held++] = byte;
	} else if (byte >= 0x80) {
		charset_bad(run, out);
	} else {
		if (byte == '\n')
			run->mode = MODE_ASCII;
		charset_put(run, out, byte);
	}
}

void charset_hz_end(struct charset_run *run, struct charset_out *out)
{
	charset_held_end(run, out);
}

/* ---- UTF-7 ----
 * shift: inside base64; bits, have: what is not yet a unit; held: 1 right behind "+". */

static int base64_value(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte_is_digit(byte))
		return byte - '0' + 52;
	return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

static void utf7_unit(struct charset_run *run, struct charset_out *out, uint16_t unit)
{
	if (run->high != 0) {
		const uint32_t high = run->high;
		run->high = 0;
		if (unit >= 0xdc00 && unit <= 0xdfff) {
			charset_put(run, out, 0x10000 + ((high & 0x3ff) << 10 | (unit & 0x3ffu)));
			return;
		}
		charset_bad(run, out);
	}
	if (unit >= 0xd800 && unit <= 0xdbff)
		run->high = unit;
	else if (unit >= 0xdc00 && unit <= 0xdfff)
		charset_bad(run, out);
	else
		charset_put(run, out, unit);
}

/* The base64 ends: what is left of it must be less than 6 bits, and zeros. */
static void utf7_close(struct charset_run *run, struct charset_out *out)
{
	if (run->high != 0 || run->have >= 6 || (run->bits & ((1u << run->have) - 1)) != 0)
		charset_bad(run, out);
	run->high = 0;
	run->bits = 0;
	run->have = run->shift = run->held = 0;
}

void charset_utf7_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const int  value = base64_value(byte);
	const bool opened = run->held != 0;

	if (run->shift == 0) {
		if (byte == '+')
			run->shift = run->held = 1;
		else if (byte < 0x80)
			charset_put(run, out, byte);
		else
			charset_bad(run, out);
		return;
	}
	run->held = 0;
	if (value >= 0) {
		run->bits = run->bits << 6 | (uint32_t)value;
		run->have = (uint8_t)(run->have + 6);
		if (run->have >= 16) {
			run->have = (uint8_t)(run->have - 16);
			utf7_unit(run, out, (uint16_t)(run->bits >> run->have));
			run->bits &= (1u << run->have) - 1;
		}
		return;
	}
	utf7_close(run, out);
	if (byte == '-') {
		if (opened)
			charset_put(run, out, '+');
	} else if (byte < 0x80) {
		if (opened) /* a plus sign that nobody meant as one: readers show it */
			charset_put(run, out, '+');
		charset_put(run, out, byte);
	} else {
		charset_bad(run, out);
	}
}

void charset_utf7_end(struct charset_run *run, struct charset_out *out)
{
	const bool opened = run->held != 0;

	if (run->shift != 0)
		utf7_close(run, out);
	if (opened)
		charset_put(run, out, '+');
}
