/*
 * What eyes see, by rows: the text, the reader's text, and what was undone; plain writing of many languages beside
 * it, where nothing is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/normalise.h"
#include "text/utf8.h"

static uint8_t memory[1 << 16];

static const struct {
	const char         *name;
	const char         *raw, *reader;
	enum normalise_kind kind;
	uint32_t            count, offset;
} rows[] = {
	{ "zero width inside a word", "pay\u200bpal", "paypal", NORMALISE_INVISIBLE, 1, 3 },
	{ "soft hyphens inside a word", "x vi\u00adag\u00adra", "x viagra", NORMALISE_INVISIBLE, 2, 4 },
	{ "zero width among ideographs", "发\u200b票", "发票", NORMALISE_INVISIBLE, 1, 3 },
	{ "zero width between words", "a \u200b b", "a  b", NORMALISE_FILLER, 1, 2 },
	{ "a blank of Braille", "pay\u2800pal", "paypal", NORMALISE_INVISIBLE, 1, 3 },
	{ "a file's name turned round", "invoice_\u202efdp.exe", "invoice_exe.pdf", NORMALISE_BIDI, 1, 8 },
	{ "turned round up to its end", "a \u202e(cb\u202c d", "a bc) d", NORMALISE_BIDI, 1, 2 },
	{ "turned round up to the line's end", "\u202e票发\nab", "发票\nab", NORMALISE_BIDI, 1, 0 },
	{ "tags", "hi\U000e0061\U000e0062", "hi", NORMALISE_TAG, 2, 2 },
	{ "variation selectors on letters", "a\ufe01b", "ab", NORMALISE_VARIATION, 1, 1 },
	{ "marks piled up", "e\u0301\u0302\u0303\u0304\u0305x", "\u00e9\u0302\u0303x", NORMALISE_STACK, 2, 7 },
	{ "full width", "Ｐａｙ１", "Pay1", NORMALISE_WIDTH, 4, 0 },
	{ "mathematical letters", "\U0001d5e3\U0001d5ee\U0001d606", "Pay", NORMALISE_STYLE, 3, 0 },
	{ "circled letters", "ⓟⓐⓨ", "pay", NORMALISE_STYLE, 3, 0 },
	{ "squared white letters", "\U0001f17f\U0001f170\U0001f188", "PAY", NORMALISE_STYLE, 3, 0 },
	{ "small capitals", "ᴘᴀᴅ", "pad", NORMALISE_STYLE, 3, 0 },
	{ "Cyrillic in a Latin word", "see p\u0430yp\u0430l", "see paypal", NORMALISE_CONFUSABLE, 2, 4 },
	{ "Greek in a Latin word", "g\u03bf\u03bfgle", "google", NORMALISE_CONFUSABLE, 2, 0 },
	{ "a Latin word all of Cyrillic", "open your account now with \u0430\u0440\u0440\u04cf\u0435 today",
	  "open your account now with apple today", NORMALISE_CONFUSABLE, 5, 27 },
	{ "a Latin letter of phonetics", "p\u0251ypal", "paypal", NORMALISE_CONFUSABLE, 1, 0 },
	{ "radicals", "\u2f64\u2f12", "用力", NORMALISE_STROKE, 2, 0 },
	{ "halves", "讠正", "证", NORMALISE_SPLIT, 1, 3 },
	{ "halves, the old form", "言永", "詠", NORMALISE_SPLIT, 1, 3 },
	{ "halves in a sentence", "亻尔女子", "你女子", NORMALISE_SPLIT, 1, 3 },
	{ "digits for letters", "v1ag3a!", "vlagea!", NORMALISE_LEET, 1, 0 },
	{ "digits twice", "g00gle acc0unt", "google account", NORMALISE_LEET, 2, 0 },
	{ "signs for letters", "p@ypal pa$$word", "paypal password", NORMALISE_LEET, 2, 0 },
	{ "letters one by one", "get f r e e now", "get free now", NORMALISE_SPACED, 1, 4 },
	{ "letters with dots", "f.r.e.e", "free", NORMALISE_SPACED, 1, 0 },
	{ "ideographs one by one", "代 开 发 票公司", "代开发票公司", NORMALISE_SPACED, 1, 0 },
	{ "ideographs with stars", "请*加*微*信 123", "请加微信 123", NORMALISE_SPACED, 1, 0 },
	{ "ideographs one below the other", "代\n开\n发\n票", "代开发票", NORMALISE_SPACED, 1, 0 },
	{ "controls", "a\bb\x7f", "ab", NORMALISE_CONTROL, 2, 1 },
};

static const char *const plain[] = {
	"",
	"Hello, world.\r\n\tIt costs $100 (50%).",
	"user@example.com and a@b.org",
	"您好，请查收附件。发票金额：１００",
	"caf\u00e9 na\u00efve \u00fcber",
	"Привет, мир",
	"Москва и Россия",
	"Καλημέρα κόσμε",
	"שלום עולם",
	"مرحبا بالعالم",
	"สวัสดีครับ",
	"안녕하세요",
	"こんにちは世界",
	"नमस्ते क्\u200dष",
	"می\u200cخواهم",
	"5 μm, 3 kΩ",
	"H2O, MP3, COVID19, h264, B2B, base64, sha1 A1B2C3",
	"aG0wZXNlM3Q dGVzd3Q1cw",
	"U.S.A. and e.g. this",
	"I saw a cat", "https://x.example/mohammed0ratul/e3xx mst3k-the lz4_compress =kh5na jo3xfwqnwh", "铅，汞，锰，铬，砷", "a, b, c,d,e,f",
	"on that: Ιαν 05 18:20:53 mainland and so on and on",
	"女子言行",
	"口合金出口马来西亚",
	"国王见面",
	"1 2 3 4 5",
	"https://example.com/?a=1&b=2",
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena      arena = arena_on(memory, sizeof memory);
		struct normalised text;
		assert_int_equal(normalise_text(slice_str(rows[i].raw), &arena, &text), RC_OK);
		const struct normalise_difference *difference = &text.differences[rows[i].kind];
		if (!slice_eq(text.reader, slice_str(rows[i].reader)) || difference->count != rows[i].count ||
		    difference->offset != rows[i].offset)
			fail_msg("%s: \"%.*s\", %u at %u", rows[i].name, (int)text.reader.len,
			         (const char *)text.reader.ptr, difference->count, difference->offset);
		for (size_t kind = 0; kind < NORMALISE_KINDS; kind++) {
			if (kind != rows[i].kind && text.differences[kind].count != 0)
				fail_msg("%s: %s, too", rows[i].name, normalise_word((enum normalise_kind)kind));
		}
		assert_true(text.differs);
	}
}

static void test_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		struct arena      arena = arena_on(memory, sizeof memory);
		struct normalised text;
		assert_int_equal(normalise_text(slice_str(plain[i]), &arena, &text), RC_OK);
		for (size_t kind = 0; kind < NORMALISE_KINDS; kind++) {
			if (text.differences[kind].count != 0 && !(kind == NORMALISE_WIDTH && i == 3))
				fail_msg("%s: %s", plain[i], normalise_word((enum normalise_kind)kind));
		}
		assert_int_equal(text.mixed_words, 0);
	}
}

/* What no trick is, and is still read plain: emoji with selectors and joiners, flags, signs. */
static void test_uncounted(void **state)
{
	static const char *const texts[][2] = {
		{ "\u2764\ufe0f \U0001f468\u200d\U0001f469", "\u2764 \U0001f468\U0001f469" },
		{ "\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4" },
		{ "a\u00a0b\u3000c", "a b c" },
		{ "1\ufe0f\u20e3", "1\u20e3" },
		{ "Word\u2122 \u2460", "WordTM 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct arena      arena = arena_on(memory, sizeof memory);
		struct normalised text;
		assert_int_equal(normalise_text(slice_str(texts[i][0]), &arena, &text), RC_OK);
		if (!slice_eq(text.reader, slice_str(texts[i][1])) || text.differs)
			fail_msg("%s: %.*s", texts[i][0], (int)text.reader.len, (const char *)text.reader.ptr);
	}
}

static void test_limits(void **state)
{
	char              word[2 * NORMALISE_WORD_MAX];
	struct normalised text;

	(void)state;
	/* Words of one byte less than the most, of the most, of one more. */
	for (size_t size = NORMALISE_WORD_MAX - 1; size <= NORMALISE_WORD_MAX + 1; size++) {
		struct arena arena = arena_on(memory, sizeof memory);
		
		memset(word, 'a', sizeof word);
		word[3] = '0';
		assert_int_equal(normalise_text(slice_of(word, size), &arena, &text), RC_OK);
		assert_int_equal(text.differences[NORMALISE_LEET].count, size <= NORMALISE_WORD_MAX);
	}
	/* Letters one by one: one less, as many, one more. */
	for (size_t count = NORMALISE_SPACED_MIN - 1; count <= NORMALISE_SPACED_MIN + 1; count++) {
		struct arena arena = arena_on(memory, sizeof memory);
		assert_int_equal(normalise_text(slice_of("a-b-c-d-e", 2 * count - 1), &arena, &text), RC_OK);
		assert_int_equal(text.differences[NORMALISE_SPACED].count, count >= NORMALISE_SPACED_MIN);
	}
	/* Marks. */
	for (size_t count = NORMALISE_MARKS_MAX - 1; count <= NORMALISE_MARKS_MAX + 1; count++) {
		struct arena arena = arena_on(memory, sizeof memory);
		assert_int_equal(normalise_text(slice_of("x\u0302\u0303\u0304\u0305", 1 + 2 * count), &arena, &text),
		                 RC_OK);
		assert_int_equal(text.differences[NORMALISE_STACK].count, count > NORMALISE_MARKS_MAX);
	}
	/* An arena that is too small is an answer, and gets nothing taken. */
	for (size_t room = 1; room < 72; room++) {
		struct arena  small = arena_on(memory, room);
		const enum rc rc = normalise_text(SLICE("p\xd0\xb0ypal"), &small, &text);
		assert_true(rc == RC_OK || (rc == RC_NOMEM && small.used == 0));
		assert_true(rc == RC_NOMEM || room >= 64);
	}
	/* Plain text takes nothing and is borrowed. */
	struct arena arena = arena_on(memory, sizeof memory);
	assert_int_equal(normalise_text(SLICE("plain"), &arena, &text), RC_OK);
	assert_int_equal(arena.used, 0);
	assert_int_equal(text.letters[UNICODE_LATIN], 5);
}

static int ready(void **state)
{
	(void)state;
	return normalise_ready() == RC_OK && normalise_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_plain),
		                            cmocka_unit_test(test_uncounted), cmocka_unit_test(test_limits) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
