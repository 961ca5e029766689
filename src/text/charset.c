/* The decoders' frame: which set is read how, the pieces, and the sets that need no table or one of 256 characters. */
#include "text/charset.h"

#include "base/must.h"
#include "text/charset_table.h"
#include "text/utf8.h"

#define BYTE_ORDER_MARK 0xfeffu
#define ORDER_SAMPLE    512u /* bytes looked at for the order of UTF-16 and UTF-32 without a mark */

/* ---- characters out ---- */

static bool is_unicode(enum charset charset)
{
	return charset >= CHARSET_UTF8 && charset <= CHARSET_UTF7;
}

void charset_put(struct charset_run *run, struct charset_out *out, uint32_t character)
{
	const bool first = !run->begun;

	run->begun = true;
	if (first && character == BYTE_ORDER_MARK && is_unicode(run->charset))
		return;
	out->size += utf8_encode(character, &out->ptr[out->size]);
}

void charset_bad(struct charset_run *run, struct charset_out *out)
{
	run->begun = true;
	run->replaced++;
	out->size += utf8_encode(UTF8_REPLACEMENT, &out->ptr[out->size]);
}

/* ---- the simple sets ---- */

static void ascii_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (byte < 0x80)
		charset_put(run, out, byte);
	else
		charset_bad(run, out);
}

static void user_defined_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	charset_put(run, out, byte < 0x80 ? byte : 0xf780u + byte - 0x80);
}

static void single_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const uint16_t character = charset_tables()->single[run->charset - CHARSET_SINGLE_FIRST][byte];

	if (character != 0 || byte == 0)
		charset_put(run, out, character);
	else if (byte < 0x80 && !charset_tables()->ready)
		charset_put(run, out, byte);
	else
		charset_bad(run, out);
}

static void none_end(struct charset_run *run, struct charset_out *out)
{
	(void)run;
	(void)out;
}

/* ---- UTF-8 ---- */

/* How many bytes a character with that first byte has; 1 for what cannot begin one. */
static size_t utf8_size(uint8_t lead)
{
	if (lead < 0xc2 || lead > 0xf4)
		return 1;
	return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

/* Adds the byte to those held, and puts out what is decided: the maximal subparts, one by one. */
void charset_utf8_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	run->lead[run->held++] = byte;
	while (run->held != 0) {
		struct slice rest = slice_of(run->lead, run->held);
		size_t       size = 1;
		uint32_t     character = utf8_decode(rest, &size);
		if (character == UINT32_MAX) {
			size = utf8_bad_size(rest);
			if (size == rest.len && size < utf8_size(rest.ptr[0]))
				return; /* it may still become one */
			charset_bad(run, out);
		} else {
			charset_put(run, out, character);
		}
		run->held = (uint8_t)(run->held - size);
		memmove(run->lead, &run->lead[size], run->held);
	}
}

/* ---- UTF-16: section 14.2 ---- */

static bool is_little(enum charset charset)
{
	return charset != CHARSET_UTF16BE && charset != CHARSET_UTF32BE;
}

static void utf16_unit(struct charset_run *run, struct charset_out *out, uint16_t unit)
{
	const uint32_t high = run->high;

	run->high = 0;
	if (high != 0 && unit >= 0xdc00 && unit <= 0xdfff) {
		charset_put(run, out, 0x10000 + ((high & 0x3ff) << 10 | (unit & 0x3ffu)));
		return;
	}
	if (high != 0)
		charset_bad(run, out);
	if (unit >= 0xd800 && unit <= 0xdbff)
		run->high = unit;
	else if (unit >= 0xdc00 && unit <= 0xdfff)
		charset_bad(run, out);
	else
		charset_put(run, out, unit);
}

void charset_utf16_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (run->held == 0) {
		run->lead[run->held++] = byte;
		return;
	}
	run->held = 0;
	/* The mark of the other order is believed, whatever the label. */
	if (!run->begun && run->lead[0] == (is_little(run->charset) ? 0xfe : 0xff) &&
	    byte == (is_little(run->charset) ? 0xff : 0xfe))
		run->charset = is_little(run->charset) ? CHARSET_UTF16BE : CHARSET_UTF16LE;
	if (is_little(run->charset))
		utf16_unit(run, out, (uint16_t)(byte << 8 | run->lead[0]));
	else
		utf16_unit(run, out, (uint16_t)(run->lead[0] << 8 | byte));
}

void charset_utf16_end(struct charset_run *run, struct charset_out *out)
{
	if (run->held != 0 || run->high != 0)
		charset_bad(run, out);
	run->held = 0;
	run->high = 0;
}

void charset_utf32_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const uint8_t *b = run->lead;

	run->lead[run->held++] = byte;
	if (run->held < 4)
		return;
	run->held = 0;
	uint32_t character = is_little(run->charset)
	                             ? (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0]
	                             : (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	if (!run->begun && character == 0xfffe0000) {
		run->charset = is_little(run->charset) ? CHARSET_UTF32BE : CHARSET_UTF32LE;
		return;
	}
	if (character > UTF8_LAST || (character >= 0xd800 && character <= 0xdfff))
		charset_bad(run, out);
	else
		charset_put(run, out, character);
}

/*
 * The order of units of `width` bytes, without a mark: text is full of characters whose upper bytes are 0 (blanks,
 * line ends, Latin letters). With as many zeros at either end it is little, as browsers take it.
 */
static bool guess_little(struct slice bytes, size_t width)
{
	size_t little = 0, big = 0;

	for (size_t i = 0; i + width <= bytes.len && i < ORDER_SAMPLE; i += width) {
		little += bytes.ptr[i] != 0 && bytes.ptr[i + width - 1] == 0;
		big += bytes.ptr[i] == 0 && bytes.ptr[i + width - 1] != 0;
	}
	return little >= big;
}

/* ---- the frame ---- */

static const struct charset_way single_way = { single_byte, none_end, true, { 0 } };

static const struct charset_way ways[CHARSET_SINGLE_FIRST] = {
	[CHARSET_NONE] = { ascii_byte, none_end, true, { 0 } },
	[CHARSET_ASCII] = { ascii_byte, none_end, true, { 0 } },
	[CHARSET_UTF8] = { charset_utf8_byte, charset_held_end, true, { 0 } },
	[CHARSET_UTF16LE] = { charset_utf16_byte, charset_utf16_end, false, { 0 } },
	[CHARSET_UTF16BE] = { charset_utf16_byte, charset_utf16_end, false, { 0 } },
	[CHARSET_UTF16] = { charset_utf16_byte, charset_utf16_end, false, { 0 } },
	[CHARSET_UTF32LE] = { charset_utf32_byte, charset_held_end, false, { 0 } },
	[CHARSET_UTF32BE] = { charset_utf32_byte, charset_held_end, false, { 0 } },
	[CHARSET_UTF32] = { charset_utf32_byte, charset_held_end, false, { 0 } },
	[CHARSET_UTF7] = { charset_utf7_byte, charset_utf7_end, true, { '+' } },
	[CHARSET_GB18030] = { charset_gb18030_byte, charset_held_end, true, { 0 } },
	[CHARSET_BIG5] = { charset_big5_byte, charset_held_end, true, { 0 } },
	[CHARSET_SHIFT_JIS] = { charset_shift_jis_byte, charset_held_end, true, { 0 } },
	[CHARSET_EUC_JP] = { charset_euc_jp_byte, charset_held_end, true, { 0 } },
	[CHARSET_EUC_KR] = { charset_euc_kr_byte, charset_held_end, true, { 0 } },
	[CHARSET_EUC_TW] = { charset_euc_tw_byte, charset_held_end, true, { 0 } },
	[CHARSET_ISO_2022_JP] = { charset_iso_2022_jp_byte, charset_iso_2022_jp_end, true, { 0x1b, 0x0e, 0x0f } },
	[CHARSET_ISO_2022_JP_2] = { charset_iso_2022_jp_byte, charset_iso_2022_jp_end, true, { 0x1b, 0x0e, 0x0f } },
	[CHARSET_ISO_2022_KR] = { charset_iso_2022_shift_byte,
	                          charset_iso_2022_shift_end,
	                          true,
	                          { 0x1b, 0x0e, 0x0f, '\n' } },
	[CHARSET_ISO_2022_CN] = { charset_iso_2022_shift_byte,
	                          charset_iso_2022_shift_end,
	                          true,
	                          { 0x1b, 0x0e, 0x0f, '\n' } },
	[CHARSET_HZ] = { charset_hz_byte, charset_hz_end, true, { '~' } },
	[CHARSET_USER_DEFINED] = { user_defined_byte, none_end, true, { 0 } },
};

static const struct charset_way *way_of(enum charset charset)
{
	return charset < CHARSET_SINGLE_FIRST ? &ways[charset] : &single_way;
}

struct charset_run charset_begin(enum charset charset)
{
	return (struct charset_run){ .charset = charset < CHARSET_COUNT ? charset : CHARSET_NONE };
}

/* How many bytes at the front of `s` go through as they are. */
static size_t plain_size(const struct charset_run *run, const struct charset_way *way, struct slice s)
{
	if (!way->ascii || run->held != 0 || run->mode != 0 || run->shift != 0 || run->escape != 0)
		return 0;
	if (run->charset == CHARSET_UTF8)
		return utf8_valid_size(s);
	if (run->charset >= CHARSET_SINGLE_FIRST &&
	    !charset_tables()->single_ascii[run->charset - CHARSET_SINGLE_FIRST])
		return 0;
	size_t size = utf8_ascii_size(s);
	for (size_t i = 0; i < sizeof way->special && way->special[i] != 0; i++)
		size = slice_find(slice_take(s, size), way->special[i]);
	return size;
}

/* Copy what goes through as it is; false when there is none. */
static bool plain_copy(struct charset_run *run, const struct charset_way *way, struct slice *input,
                       struct charset_out *out, size_t room)
{
	const struct slice window = slice_take(*input, room - out->size);
	size_t size = window.ptr[0] < 0x80 || run->charset == CHARSET_UTF8 ? plain_size(run, way, window) : 0;

	if (size == 0 || (!run->begun && run->charset == CHARSET_UTF8 && slice_starts(window, SLICE("\xef\xbb\xbf"))))
		return false;
	memcpy(&out->ptr[out->size], window.ptr, size);
	out->size += size;
	run->begun = true;
	run->output = false;
	*input = slice_drop(*input, size);
	return true;
}

size_t charset_read(struct charset_run *run, struct slice *input, bool last, uint8_t *out, size_t room)
{
	struct charset_out to = { .ptr = out };

	must(room >= CHARSET_ROOM_MIN);
	if (run->charset == CHARSET_UTF16 && input->len != 0)
		run->charset = guess_little(*input, 2) ? CHARSET_UTF16LE : CHARSET_UTF16BE;
	if (run->charset == CHARSET_UTF32 && input->len != 0)
		run->charset = guess_little(*input, 4) ? CHARSET_UTF32LE : CHARSET_UTF32BE;
	const struct charset_way *way = way_of(run->charset);
	while (input->len != 0 && room - to.size >= CHARSET_ROOM_MIN) {
		if (plain_copy(run, way, input, &to, room))
			continue;
		way->byte(run, &to, input->ptr[0]);
		*input = slice_drop(*input, 1);
	}
	if (last && input->len == 0 && room - to.size >= CHARSET_ROOM_MIN)
		way->end(run, &to);
	return to.size;
}

bool charset_keeps_ascii(enum charset charset)
{
	switch ((int)charset) {
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
	case CHARSET_UTF16:
	case CHARSET_UTF32LE:
	case CHARSET_UTF32BE:
	case CHARSET_UTF32:
	case CHARSET_UTF7:
	case CHARSET_ISO_2022_JP:
	case CHARSET_ISO_2022_JP_2:
	case CHARSET_ISO_2022_KR:
	case CHARSET_ISO_2022_CN:
	case CHARSET_HZ:
		return false;
	default:
		return charset < CHARSET_SINGLE_FIRST || charset_tables()->single_ascii[charset - CHARSET_SINGLE_FIRST];
	}
}

size_t charset_room(size_t size)
{
	return 3 * size + 2 * CHARSET_ROOM_MIN;
}
