/*
 * Sets of two and more bytes a character, read as the WHATWG Encoding Standard's sections 10 to 14 say, a byte at a
 * time.
 */
#include "text/charset_table.h"
#include "text/utf8.h"

static uint32_t cell(const uint16_t table[PLANE_POINTERS], uint32_t row, uint32_t column)
{
	return row < 94 && column < 94 ? table[row * 94 + column] : 0;
}

/* GB2312's rows 0xa1.. and cells 0xa1.. inside GBK's larger square. */
uint32_t charset_gb2312_cell(uint32_t row, uint32_t column)
{
	return row < 94 && column < 94 ? charset_tables()->gb18030[(row + 0x20) * 190 + column + 0x60] : 0;
}

uint32_t charset_ksc_cell(uint32_t row, uint32_t column)
{
	return row < 94 && column < 94 ? charset_tables()->euc_kr[(row + 0x20) * 190 + column + 0x60] : 0;
}

uint32_t charset_jis0208_cell(uint32_t row, uint32_t column)
{
	return cell(charset_tables()->jis0208, row, column);
}

uint32_t charset_jis0212_cell(uint32_t row, uint32_t column)
{
	return cell(charset_tables()->jis0212, row, column);
}

uint32_t charset_cns_cell(uint32_t plane, uint32_t row, uint32_t column)
{
	if (plane == 1)
		return cell(charset_tables()->cns1, row, column);
	return plane == 2 && row < 94 && column < 94 ? charset_tables()->cns2[row * 94 + column] : 0;
}

void charset_held_end(struct charset_run *run, struct charset_out *out)
{
	if (run->held != 0)
		charset_bad(run, out);
	run->held = 0;
}

static void hold(struct charset_run *run, uint8_t byte)
{
	run->lead[run->held++] = byte;
}

/* A pair's character, or U+FFFD; then an ASCII second byte stands for itself (Encoding Standard: "restore byte"). */
static void pair_put(struct charset_run *run, struct charset_out *out, uint32_t character, uint8_t second)
{
	if (character != 0) {
		charset_put(run, out, character);
		return;
	}
	charset_bad(run, out);
	if (second < 0x80)
		charset_put(run, out, second);
}

/* ---- GB18030: section 10.2.1 ---- */

/* The standard's "index gb18030 ranges code point"; 0: none. */
static uint32_t ranges_character(uint32_t pointer)
{
	const struct charset_tables *tables = charset_tables();
	size_t                       low = 0, high = tables->gb18030_range_count;

	if (pointer >= 189000 && pointer <= 1237575)
		return pointer - 189000 + 0x10000;
	if (pointer > 39419)
		return 0;
	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (tables->gb18030_ranges[middle].pointer <= pointer)
			low = middle;
		else
			high = middle;
	}
	return high == 0 ? 0 : tables->gb18030_ranges[low].first + (pointer - tables->gb18030_ranges[low].pointer);
}

static bool is_gb_lead(uint8_t byte)
{
	return byte >= 0x81 && byte <= 0xfe;
}

static void gb18030_first(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (byte < 0x80)
		charset_put(run, out, byte);
	else if (byte == 0x80)
		charset_put(run, out, 0x20ac);
	else if (is_gb_lead(byte))
		hold(run, byte);
	else
		charset_bad(run, out);
}

static void gb18030_second(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	uint32_t character = 0;

	if (byte_is_digit(byte)) {
		hold(run, byte);
		return;
	}
	if (byte >= 0x40 && byte != 0x7f && byte != 0xff)
		character =
			charset_tables()->gb18030[(run->lead[0] - 0x81u) * 190 + byte - (byte < 0x7f ? 0x40u : 0x41u)];
	run->held = 0;
	pair_put(run, out, character, byte);
}

static void gb18030_third(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (is_gb_lead(byte)) {
		hold(run, byte);
		return;
	}
	run->held = 0;
	charset_bad(run, out);
	charset_put(run, out, run->lead[1]);
	gb18030_first(run, out, byte);
}

static void gb18030_fourth(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const uint8_t second = run->lead[1], third = run->lead[2];

	run->held = 0;
	if (byte_is_digit(byte)) {
		pair_put(run, out,
		         ranges_character(((run->lead[0] - 0x81u) * 10 + second - 0x30u) * 1260 + (third - 0x81u) * 10 +
		                          byte - 0x30u),
		         0xff);
		return;
	}
	/* The digit stands for itself, and the third byte begins anew. */
	charset_bad(run, out);
	charset_put(run, out, second);
	hold(run, third);
	gb18030_second(run, out, byte);
}

void charset_gb18030_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	static void (*const steps[])(struct charset_run *, struct charset_out *,
	                             uint8_t) = { gb18030_first, gb18030_second, gb18030_third, gb18030_fourth };

	steps[run->held](run, out, byte);
}

/* ---- Big5: section 11.1.1 ---- */

void charset_big5_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (run->held == 0) {
		gb18030_first(run, out, byte == 0x80 ? 0xff : byte);
		return;
	}
	run->held = 0;
	if (!((byte >= 0x40 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xfe))) {
		pair_put(run, out, 0, byte);
		return;
	}
	const uint32_t pointer = (run->lead[0] - 0x81u) * 157 + byte - (byte < 0x7f ? 0x40u : 0x62u);
	/* Four codes are a letter and a mark. */
	if (pointer == 1133 || pointer == 1135 || pointer == 1164 || pointer == 1166) {
		charset_put(run, out, pointer < 1150 ? 0xca : 0xea);
		charset_put(run, out, pointer == 1133 || pointer == 1164 ? 0x304 : 0x30c);
		return;
	}
	pair_put(run, out, charset_tables()->big5[pointer], byte);
}

/* ---- Shift_JIS: section 12.3.1 ---- */

void charset_shift_jis_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	uint32_t character = 0;

	if (run->held == 0) {
		if (byte <= 0x80)
			charset_put(run, out, byte);
		else if (byte >= 0xa1 && byte <= 0xdf)
			charset_put(run, out, 0xff61u - 0xa1 + byte);
		else if (byte != 0xa0 && byte <= 0xfc)
			hold(run, byte);
		else
			charset_bad(run, out);
		return;
	}
	run->held = 0;
	if (byte >= 0x40 && byte != 0x7f && byte <= 0xfc) {
		const uint32_t row = run->lead[0] - (run->lead[0] < 0xa0 ? 0x81u : 0xc1u);
		const uint32_t pointer = row * 188 + byte - (byte < 0x7f ? 0x40u : 0x41u);
		character = pointer >= 8836 && pointer <= 10715 ? 0xe000 - 8836 + pointer
		                                                : charset_tables()->jis0208[pointer];
	}
	pair_put(run, out, character, byte);
}

/* ---- EUC-JP: section 12.1.1 ---- */

void charset_euc_jp_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const uint8_t lead = run->lead[0];

	if (run->held == 0) {
		if (byte < 0x80)
			charset_put(run, out, byte);
		else if (byte == 0x8e || byte == 0x8f || (byte >= 0xa1 && byte <= 0xfe))
			hold(run, byte);
		else
			charset_bad(run, out);
		return;
	}
	if (run->held == 1 && lead == 0x8e && byte >= 0xa1 && byte <= 0xdf) {
		run->held = 0;
		charset_put(run, out, 0xff61u - 0xa1 + byte);
		return;
	}
	if (run->held == 1 && lead == 0x8f && byte >= 0xa1 && byte <= 0xfe) {
		hold(run, byte);
		return;
	}
	const bool    is_0212 = run->held == 2;
	const uint8_t first = is_0212 ? run->lead[1] : lead;
	uint32_t      character = 0;
	if (first >= 0xa1 && byte >= 0xa1 && byte <= 0xfe)
		character = is_0212 ? charset_jis0212_cell(first - 0xa1u, byte - 0xa1u)
		                    : charset_jis0208_cell(first - 0xa1u, byte - 0xa1u);
	run->held = 0;
	pair_put(run, out, character, byte);
}

/* ---- EUC-KR: section 13.1.1 ---- */

void charset_euc_kr_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	if (run->held == 0) {
		gb18030_first(run, out, byte == 0x80 ? 0xff : byte);
		return;
	}
	run->held = 0;
	pair_put(run, out,
	         byte >= 0x41 && byte <= 0xfe ? charset_tables()->euc_kr[(run->lead[0] - 0x81u) * 190 + byte - 0x41u]
	                                      : 0,
	         byte);
}

/* ---- EUC-TW: 0x8e and a plane's number in front of a pair, or a pair of plane 1 ---- */

void charset_euc_tw_byte(struct charset_run *run, struct charset_out *out, uint8_t byte)
{
	const bool high = byte >= 0xa1 && byte <= 0xfe;

	if (run->held == 0) {
		if (byte < 0x80)
			charset_put(run, out, byte);
		else if (high || byte == 0x8e)
			hold(run, byte);
		else
			charset_bad(run, out);
		return;
	}
	if (run->lead[0] == 0x8e && run->held < 3 && high) {
		hold(run, byte);
		return;
	}
	const uint32_t plane = run->lead[0] == 0x8e ? run->lead[1] - 0xa0u : 1;
	const uint8_t  first = run->lead[run->held - 1];
	const bool     whole = high && (run->held == 3 || run->lead[0] != 0x8e);
	run->held = 0;
	pair_put(run, out, whole ? charset_cns_cell(plane, first - 0xa1u, byte - 0xa1u) : 0, byte);
}
