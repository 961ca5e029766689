/*
 * Guessing by likeness: each candidate set decodes a sample, and every character that comes out brings points for
 * being common in a language that uses the set, or takes some for being rare, misplaced or nothing at all. The best
 * sum wins; what no set explains is windows-1252.
 */
#include "text/charset_guess.h"

#include "text/charset_common.h"
#include "text/charset_table.h"
#include "text/utf8.h"

#define HAN_FIRST     0x4e00u
#define HAN_LAST      0x9fffu
#define HANGUL_FIRST  0xac00u
#define HANGUL_LAST   0xd7a3u
#define LETTERS_LAST  0x0e7fu
#define HOPELESS      (-300) /* points of a set that is read no further */
#define AROUND        4u     /* ASCII bytes kept on each side of what is above 127: a trail may be one */
#define ZEROS_SAMPLE  512u   /* bytes looked at for UTF-16 */
#define HZ_LINE_MAX   160u   /* RFC 1843 asks for lines of less than 80 */
#define ACCIDENT_MAX  24u    /* bytes of which UTF-8 may be made by accident */
#define UTF7_RUNS_MAX 4096u  /* plus signs looked at */

/* Bits of common[]. */
#define COMMON_SIMPLIFIED  1u
#define COMMON_TRADITIONAL 2u
#define COMMON_JAPANESE    4u
#define LEVEL1_GB          8u  /* GB2312's first level, rows 16 to 55 */
#define LEVEL1_BIG5        16u /* Big5's frequent ones */
#define LEVEL1_JIS         32u /* JIS X 0208's first level, rows 16 to 47 */
#define LEVEL2             64u /* in GB2312 at all */

/* Written by charset_guess_ready() before any thread starts; only read after. */
static uint8_t han[HAN_LAST - HAN_FIRST + 1];
static uint8_t hangul[(HANGUL_LAST - HANGUL_FIRST) / 8 + 1];    /* a bit each: common */
static uint8_t ks_hangul[(HANGUL_LAST - HANGUL_FIRST) / 8 + 1]; /* one of the 2,350 of KS X 1001 */
static uint8_t letters[LETTERS_LAST / 8 + 1];

static bool bit_get(const uint8_t *bits, uint32_t at)
{
	return (bits[at / 8] & 1u << at % 8) != 0;
}

static void bit_set(uint8_t *bits, uint32_t at)
{
	bits[at / 8] |= (uint8_t)(1u << at % 8);
}

static void mark(uint32_t character, uint8_t bit)
{
	if (character >= HAN_FIRST && character <= HAN_LAST)
		han[character - HAN_FIRST] |= bit;
	else if (character >= HANGUL_FIRST && character <= HANGUL_LAST)
		bit_set(bit == 0 ? ks_hangul : hangul, character - HANGUL_FIRST);
	else if (character <= LETTERS_LAST)
		bit_set(letters, character);
}

static void mark_all(const char *text, uint8_t bit)
{
	size_t size;

	for (struct slice rest = slice_str(text); rest.len != 0; rest = slice_drop(rest, size))
		mark(utf8_decode(rest, &size), bit);
}

void charset_guess_ready(void)
{
	const struct charset_tables *tables = charset_tables();

	mark_all(charset_common_simplified, COMMON_SIMPLIFIED);
	mark_all(charset_common_traditional, COMMON_TRADITIONAL);
	mark_all(charset_common_japanese, COMMON_JAPANESE);
	mark_all(charset_common_hangul, 1);
	mark_all(charset_common_letters, 0);
	for (uint32_t row = 15; row < 87; row++) {
		for (uint32_t cell = 0; cell < 94; cell++) {
			mark(charset_gb2312_cell(row, cell), row < 55 ? LEVEL1_GB | LEVEL2 : LEVEL2);
			if (row < 47)
				mark(charset_jis0208_cell(row, cell), LEVEL1_JIS);
			if (row < 40)
				mark(charset_ksc_cell(row, cell), 0);
		}
	}
	for (uint32_t pointer = (0xa4 - 0x81) * 157; pointer < (0xc6 - 0x81) * 157; pointer++)
		mark(tables->big5[pointer], LEVEL1_BIG5);
}

/* ---- what a character is worth ---- */

/* Points are for a whole character; a byte's share is what sets compare. */
enum { WORTH_BAD = -40, WORTH_ODD = -12, WORTH_RARE = -6, WORTH_KNOWN = 5, WORTH_COMMON = 13, WORTH_MARK = 5 };

/* Three sets of bits of han[]: common, first level, and what still passes. */
static int han_worth(uint32_t character, uint8_t common, uint8_t level, uint8_t passes)
{
	const uint8_t bits = character >= HAN_FIRST && character <= HAN_LAST ? han[character - HAN_FIRST] : 0;

	if ((bits & common) != 0)
		return WORTH_COMMON;
	if ((bits & level) != 0)
		return WORTH_KNOWN;
	return (bits & passes) != 0 ? 0 : WORTH_RARE;
}

static bool is_han(uint32_t c)
{
	return (c >= 0x3400 && c <= HAN_LAST) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

/* Punctuation and full-width forms that all of East Asia writes. */
static bool is_east_mark(uint32_t c)
{
	return (c >= 0x3000 && c <= 0x3011) || (c >= 0xff01 && c <= 0xff5e) || c == 0x2026 || c == 0x2014 ||
	       (c >= 0x2018 && c <= 0x201d) || c == 0x30fb || c == 0x30fc || c == 0xb7;
}

static int east_worth(enum charset charset, uint32_t c)
{
	const bool japanese = charset == CHARSET_SHIFT_JIS || charset == CHARSET_EUC_JP;

	if (is_east_mark(c))
		return WORTH_MARK;
	if (is_han(c)) {
		switch ((int)charset) {
		case CHARSET_GB18030:
			return han_worth(c, COMMON_SIMPLIFIED, LEVEL1_GB, LEVEL2 | COMMON_TRADITIONAL);
		case CHARSET_BIG5:
			return han_worth(c, COMMON_TRADITIONAL, LEVEL1_BIG5, 0);
		case CHARSET_EUC_KR:
			return WORTH_RARE / 2;
		case CHARSET_EUC_JP: /* without kana it is rather Chinese */
			return han_worth(c, COMMON_JAPANESE, LEVEL1_JIS, 0) - WORTH_KNOWN / 2;
		default:
			return han_worth(c, COMMON_JAPANESE, LEVEL1_JIS, 0);
		}
	}
	if (c >= 0x3041 && c <= 0x30fa)
		return japanese ? WORTH_COMMON - 2 : WORTH_RARE / 2;
	if (c >= 0xff61 && c <= 0xff9f)
		return WORTH_RARE / 2;
	if (c >= HANGUL_FIRST && c <= HANGUL_LAST) {
		if (bit_get(hangul, c - HANGUL_FIRST))
			return WORTH_COMMON;
		return bit_get(ks_hangul, c - HANGUL_FIRST) ? WORTH_KNOWN - 2 : WORTH_ODD;
	}
	return c >= 0xe000 && c <= 0xf8ff ? WORTH_BAD : WORTH_RARE;
}

/*
 * Which alphabet a letter is of: 0 none, 1 ASCII, 2 Latin with marks, 3 Greek, 4 Cyrillic, 5 Hebrew, 6 Arabic, 7
 * Thai.
 */
static int alphabet(uint32_t c)
{
	if (c < 0x80)
		return byte_is_alpha((uint8_t)c) ? 1 : 0;
	if ((c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7) || c == 0xaa || c == 0xba)
		return 2;
	if (c >= 0x386 && c <= 0x3ce)
		return 3;
	if (c >= 0x401 && c <= 0x491)
		return 4;
	if (c >= 0x5d0 && c <= 0x5ea)
		return 5;
	if (c >= 0x620 && c <= 0x6d2)
		return 6;
	return c >= 0xe01 && c <= 0xe5b ? 7 : 0;
}

static bool is_upper(uint32_t c)
{
	/* Latin Extended-A has its capitals on even places, but for two runs. */
	if (c >= 0x100 && c <= 0x17f)
		return c != 0x131 && c != 0x138 && (c % 2 == 0) != ((c >= 0x139 && c <= 0x148) || c >= 0x179);
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde) || (c >= 0x391 && c <= 0x3ab) ||
	       (c >= 0x400 && c <= 0x42f);
}

/* Signs of Western texts: quotation marks, dashes, currency, blanks. */
static bool is_west_mark(uint32_t c)
{
	return c == 0xa0 || c == 0xa9 || c == 0xab || c == 0xbb || c == 0xae || c == 0xb0 || c == 0xb7 || c == 0xa3 ||
	       c == 0xbf || c == 0xa1 || (c >= 0x2013 && c <= 0x2026) || c == 0x20ac || c == 0x2122;
}

/* Thai writes marks above and below on consonants alone, and no digits of its own in mail. */
static int thai_worth(uint32_t before, uint32_t c)
{
	const bool on_consonant = before >= 0xe01 && before <= 0xe2e;
	const bool on_mark =
		before == 0xe31 || (before >= 0xe34 && before <= 0xe3a) || (before >= 0xe47 && before <= 0xe4e);

	if (c == 0xe31 || (c >= 0xe34 && c <= 0xe3a))
		return on_consonant ? 4 : WORTH_ODD;
	if (c >= 0xe47 && c <= 0xe4e)
		return on_consonant || on_mark ? 4 : WORTH_ODD;
	if (c >= 0xe4f)
		return WORTH_RARE;
	return alphabet(before) == 7 ? 3 : 0;
}

/* Cyrillic letters of Serbian and Macedonian: rare beside those of Russian, Ukrainian and Bulgarian. */
static bool is_balkan(uint32_t c)
{
	const uint32_t capital = c >= 0x450 && c <= 0x45f ? c - 0x50 : c;

	return capital >= 0x402 && capital <= 0x40f && capital != 0x404 && capital != 0x406 && capital != 0x407;
}

/* `before` and `c` stand side by side. */
static int west_worth(uint32_t before, uint32_t c)
{
	const int of_before = alphabet(before), of_c = alphabet(c);
	const int common = c <= LETTERS_LAST && bit_get(letters, c) ? 2 : 0;

	if (of_c == 0) {
		/* Signs that stand before or behind a word, not in it. */
		const bool inside = of_before != 0 && c < 0xc0 && c != 0xa0 && c != 0xb7 && c != 0xbb && c != 0xae;
		return is_west_mark(c) && !inside ? 2 : WORTH_RARE;
	}
	if (of_c == 2) {
		if (of_before > 2)
			return WORTH_RARE;
		if (of_before == 2)
			return common != 0 && !is_upper(c) && !is_upper(before) ? 0 : WORTH_RARE / 2;
		if (of_before == 1 && is_upper(c) && !is_upper(before))
			return WORTH_RARE;
		return common != 0 || bit_get(letters, c + 0x20) ? 5 : -1;
	}
	/* The other alphabets come in words of their own. */
	if (of_before == 1 || of_before == 2)
		return WORTH_RARE;
	if (of_c == 7)
		return thai_worth(before, c) + common / 2;
	if (of_c == 4 && is_balkan(c))
		return WORTH_RARE;
	if (of_before == of_c && is_upper(c))
		return is_upper(before) ? 2 : WORTH_RARE;
	return (of_before == of_c ? 4 : 0) + common;
}

/* ---- sums over a sample ---- */

struct tally {
	int      points;
	uint32_t high; /* bytes above 127 */
	uint32_t bad;
};

/*
 * ASCII behind `run_size` others: one ideograph alone beside a letter is rather a Western sign that took the letter's
 * neighbour.
 */
static int east_ascii_worth(size_t run_size, uint32_t run_before, uint32_t c)
{
	const bool beside = byte_is_alpha((uint8_t)c) || (run_before < 0x80 && byte_is_alpha((uint8_t)run_before));

	return run_size == 1 && beside ? WORTH_ODD : 0;
}

/* ASCII behind `before`: no letter goes on in another alphabet, and a digit seldom follows a letter with a mark. */
static int west_ascii_worth(uint32_t before, uint32_t c)
{
	if (byte_is_alpha((uint8_t)c))
		return alphabet(before) > 2 ? WORTH_RARE : 0;
	return byte_is_digit((uint8_t)c) && alphabet(before) == 2 ? WORTH_RARE : 0;
}

static bool is_east(enum charset charset)
{
	return charset >= CHARSET_GB18030 && charset <= CHARSET_EUC_TW;
}

static struct tally tally_of(enum charset charset, struct slice sample)
{
	struct charset_run run = charset_begin(charset);
	struct tally       tally = { 0, 0, 0 };
	uint32_t           before = ' ', run_before = ' ';
	uint8_t            text[256];
	size_t             count, size, run_size = 0;

	for (size_t i = 0; i < sample.len; i++)
		tally.high += sample.ptr[i] >= 0x80;
	while (tally.points > HOPELESS &&
	       ((count = charset_read(&run, &sample, false, text, sizeof text)) != 0 || sample.len != 0)) {
		for (struct slice rest = slice_of(text, count); rest.len != 0; rest = slice_drop(rest, size)) {
			const uint32_t c = utf8_decode(rest, &size);
			if (c == UTF8_REPLACEMENT || (c >= 0x80 && c < 0xa0))
				tally.points += WORTH_BAD;
			else if (c >= 0x80)
				tally.points += is_east(charset) ? east_worth(charset, c) : west_worth(before, c);
			else
				tally.points += is_east(charset) ? east_ascii_worth(run_size, run_before, c)
				                                 : west_ascii_worth(before, c);
			run_before = c >= 0x80 && run_size == 0 ? before : run_before;
			run_size = c >= 0x80 ? run_size + 1 : 0;
			before = c;
		}
	}
	tally.bad = (uint32_t)run.replaced;
	return tally;
}

/* The bytes above 127 of `bytes` with their neighbours, up to CHARSET_SAMPLE_MAX; from the front. */
static struct slice sample_take(struct slice bytes, uint8_t sample[CHARSET_SAMPLE_MAX])
{
	size_t size = 0;

	while (bytes.len != 0 && size < CHARSET_SAMPLE_MAX) {
		const size_t plain = utf8_ascii_size(bytes);
		const size_t after = size == 0 ? 0 : plain < AROUND ? plain : AROUND;
		const size_t ahead = plain - after < AROUND ? plain - after : AROUND;
		struct slice pieces[] = { slice_take(bytes, after),
			                  slice_cut(bytes, plain - ahead, ahead),
			                  { NULL, 0 } };
		size_t       high = plain;
		while (high < bytes.len && bytes.ptr[high] >= 0x80 && high - plain < CHARSET_SAMPLE_MAX)
			high++;
		pieces[2] = slice_cut(bytes, plain, high - plain);
		for (size_t i = 0; i < 3; i++) {
			const struct slice piece = slice_take(pieces[i], CHARSET_SAMPLE_MAX - size);
			if (piece.len != 0)
				memcpy(&sample[size], piece.ptr, piece.len);
			size += piece.len;
		}
		bytes = slice_drop(bytes, high);
	}
	return slice_of(sample, size);
}

int charset_likeness(enum charset charset, struct slice bytes)
{
	uint8_t            memory[CHARSET_SAMPLE_MAX];
	const struct tally tally = tally_of(charset, sample_take(bytes, memory));

	return tally.high == 0 ? 0 : tally.points * 100 / (int)tally.high;
}

/* What a set that mail hardly uses must be better by. */
static int handicap(enum charset charset)
{
	const bool rare = charset == CHARSET_ISO_8859_5 || charset == CHARSET_IBM_866 || charset == CHARSET_WINDOWS_874;

	return rare ? 2 * WORTH_KNOWN : 0;
}

static enum charset guess_by_likeness(struct slice bytes)
{
	/* Of two that explain the bytes alike the earlier one is taken. */
	static const enum charset candidates[] = {
		CHARSET_WINDOWS_1252, CHARSET_GB18030,      CHARSET_BIG5,         CHARSET_SHIFT_JIS,
		CHARSET_EUC_JP,       CHARSET_EUC_KR,       CHARSET_WINDOWS_1251, CHARSET_KOI8_R,
		CHARSET_IBM_866,      CHARSET_ISO_8859_5,   CHARSET_WINDOWS_1250, CHARSET_ISO_8859_2,
		CHARSET_WINDOWS_1253, CHARSET_WINDOWS_1254, CHARSET_WINDOWS_1255, CHARSET_WINDOWS_1256,
		CHARSET_WINDOWS_874,
	};
	uint8_t      memory[CHARSET_SAMPLE_MAX];
	struct slice sample = sample_take(bytes, memory);
	enum charset best = CHARSET_WINDOWS_1252;
	int          best_points = 0;

	for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
		const int points = tally_of(candidates[i], sample).points - handicap(candidates[i]);
		if (points > best_points) {
			best = candidates[i];
			best_points = points;
		}
	}
	return best;
}

/* ---- what needs no statistics ---- */

/* Zeros in every other byte: UTF-16 of Latin letters. */
static enum charset guess_by_zeros(struct slice bytes)
{
	const size_t size = bytes.len < ZEROS_SAMPLE ? bytes.len : ZEROS_SAMPLE;
	size_t       even = 0, odd = 0;

	for (size_t i = 0; i < size; i++) {
		even += i % 2 == 0 && bytes.ptr[i] == 0;
		odd += i % 2 != 0 && bytes.ptr[i] == 0;
	}
	if (size < 4 || even + odd < size / 4 || (even != 0 && odd != 0))
		return CHARSET_NONE;
	return even != 0 ? CHARSET_UTF16BE : CHARSET_UTF16LE;
}

/* "~{", pairs of GB2312, "~}" on one line. */
static bool is_hz_run(struct slice s)
{
	const size_t end = slice_search(s, SLICE("~}"));

	if (end == s.len || end < 2 || end % 2 != 0)
		return false;
	for (size_t i = 0; i < end; i += 2) {
		if (charset_gb2312_cell(s.ptr[i] - 0x21u, s.ptr[i + 1] - 0x21u) == 0)
			return false;
	}
	return true;
}

enum charset charset_escapes(struct slice bytes)
{
	static const struct {
		struct slice sequence;
		enum charset charset;
	} escapes[] = {
		{ SLICE_INIT("$B"), CHARSET_ISO_2022_JP },    { SLICE_INIT("$@"), CHARSET_ISO_2022_JP },
		{ SLICE_INIT("(J"), CHARSET_ISO_2022_JP },    { SLICE_INIT("(I"), CHARSET_ISO_2022_JP },
		{ SLICE_INIT("$(D"), CHARSET_ISO_2022_JP_2 }, { SLICE_INIT("$A"), CHARSET_ISO_2022_JP_2 },
		{ SLICE_INIT("$(C"), CHARSET_ISO_2022_JP_2 }, { SLICE_INIT("$)C"), CHARSET_ISO_2022_KR },
		{ SLICE_INIT("$)A"), CHARSET_ISO_2022_CN },   { SLICE_INIT("$)G"), CHARSET_ISO_2022_CN },
	};

	for (struct slice rest = bytes; rest.len != 0;) {
		rest = slice_drop(rest, slice_find(rest, 0x1b) + 1);
		for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
			if (slice_starts(rest, escapes[i].sequence))
				return escapes[i].charset;
		}
	}
	for (struct slice rest = bytes; rest.len != 0;) {
		rest = slice_drop(rest, slice_search(rest, SLICE("~{")) + 2);
		const struct slice line = slice_take(rest, HZ_LINE_MAX);
		if (is_hz_run(slice_take(line, slice_find(line, '\n'))))
			return CHARSET_HZ;
	}
	return CHARSET_NONE;
}

/* `text` came out of one run of base64: characters that somebody would write, or hide. */
static bool is_utf7_sense(struct slice text)
{
	size_t size, count = 0;

	for (struct slice rest = text; rest.len != 0; rest = slice_drop(rest, size)) {
		const uint32_t c = utf8_decode(rest, &size);
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xe000 && c <= 0xf8ff) || (c >= 0x250 && c <= 0x36f) ||
		    (c >= 0x700 && c <= 0xdff))
			return false;
		count++;
	}
	return count != 0;
}

bool charset_has_utf7(struct slice bytes)
{
	uint8_t text[256];

	for (size_t runs = 0; bytes.len != 0 && runs < UTF7_RUNS_MAX; runs++) {
		bytes = slice_drop(bytes, slice_find(bytes, '+') + 1);
		size_t size = 0;
		while (size < bytes.len && size < 64 && (byte_is_alnum(bytes.ptr[size]) || bytes.ptr[size] == '/'))
			size++;
		/* A run of three characters or more that ends with its "-". */
		if (size < 3 || slice_at(bytes, size) != '-')
			continue;
		struct charset_run run = charset_begin(CHARSET_UTF7);
		struct slice       plus = SLICE("+"), rest = slice_take(bytes, size + 1);
		(void)charset_read(&run, &plus, false, text, sizeof text);
		const size_t count = charset_read(&run, &rest, true, text, sizeof text);
		if (run.replaced == 0 && is_utf7_sense(slice_of(text, count)))
			return true;
	}
	return false;
}

/*
 * A few pairs of bytes that are lawful UTF-8 by accident ("notice" in GB2312 is one): all of them characters of two
 * bytes that no text has side by side.
 */
static bool is_accident(struct slice bytes)
{
	uint8_t            memory[CHARSET_SAMPLE_MAX];
	const struct slice sample = sample_take(bytes, memory);

	for (size_t i = 0; i < sample.len; i++) {
		if (sample.ptr[i] >= 0xe0)
			return false;
	}
	return sample.len < ACCIDENT_MAX && tally_of(CHARSET_UTF8, sample).points < 0 &&
	       tally_of(CHARSET_GB18030, sample).points > 0;
}

enum charset charset_guess(struct slice bytes)
{
	enum charset charset = guess_by_zeros(bytes);

	if (charset != CHARSET_NONE)
		return charset;
	const size_t ascii = utf8_ascii_size(bytes);
	if (ascii == bytes.len) {
		charset = charset_escapes(bytes);
		return charset != CHARSET_NONE ? charset : CHARSET_ASCII;
	}
	/* A text may have been cut inside its last character. */
	const size_t valid = ascii + utf8_valid_size(slice_drop(bytes, ascii));
	const bool   some = valid > ascii;
	if (valid == bytes.len ||
	    (some && bytes.len - valid < 4 && valid + utf8_bad_size(slice_drop(bytes, valid)) == bytes.len))
		return is_accident(bytes) ? CHARSET_GB18030 : CHARSET_UTF8;
	return guess_by_likeness(bytes);
}
