#include "base/codec.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct pair {
	const char  *name;
	struct slice text;
	struct slice bytes;
};

struct bad {
	const char  *name;
	struct slice text;
};

#define PAIR(name, text, bytes) { name, SLICE_INIT(text), SLICE_INIT(bytes) }
#define BAD(name, text) { name, SLICE_INIT(text) }
#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* RFC 4648 section 10, and AUTH PLAIN's way of writing NULs. */
static const struct pair base64_pairs[] = {
	PAIR("nothing", "", ""),
	PAIR("two of padding", "Zg==", "f"),
	PAIR("one of padding", "Zm8=", "fo"),
	PAIR("no padding", "Zm9v", "foo"),
	PAIR("four", "Zm9vYg==", "foob"),
	PAIR("five", "Zm9vYmE=", "fooba"),
	PAIR("six", "Zm9vYmFy", "foobar"),
	PAIR("all bits", "////", "\xff\xff\xff"),
	PAIR("plus", "++++", "\xfb\xef\xbe"),
	PAIR("NULs", "AGEAYg==", "\0a\0b"),
};

static const struct bad base64_bad[] = {
	BAD("one letter", "Z"),
	BAD("two letters", "Zg"),
	BAD("three letters", "Zm9"),
	BAD("padding alone", "="),
	BAD("four of padding", "===="),
	BAD("three of padding", "Z==="),
	BAD("two of padding and no group", "=="),
	BAD("padding in front", "=Zg="),
	BAD("padding between", "Zg==Zg=="),
	BAD("letter behind padding", "Zm=v"),
	BAD("stray bits behind two letters", "Zh=="),
	BAD("stray bits behind three letters", "Zm9="),
	BAD("blank", "Zm 9v"),
	BAD("blank for a letter", "Zm v"),
	BAD("line end", "Zm9v\r\n"),
	BAD("tail of a line", "Zm9vZg\r\n"),
	BAD("URL alphabet minus", "Zm-v"),
	BAD("URL alphabet underscore", "Zm_v"),
	BAD("NUL", "Zm9\0"),
	BAD("high byte", "Zm9\xff"),
	BAD("asterisk, the SMTP cancel", "*"),
};

static const struct pair hex_pairs[] = {
	PAIR("nothing", "", ""),
	PAIR("lower", "00ff7f", "\x00\xff\x7f"),
	PAIR("upper", "ABCDEF", "\xab\xcd\xef"),
};

static const struct bad hex_bad[] = {
	BAD("odd", "0"), BAD("odd, three", "000"), BAD("letter", "0g"), BAD("first letter", "g0"), BAD("blank", "0 "), BAD("NUL", "0\0"), BAD("colon", "00:0"),
};

static const struct pair xtext_pairs[] = {
	PAIR("nothing", "", ""),
	PAIR("plain", "rfc822;a@b.cn", "rfc822;a@b.cn"),
	PAIR("plus", "a+2Bb", "a+b"),
	PAIR("equals", "+3D", "="),
	PAIR("blank", "+20+20", "  "),
	PAIR("NUL and high", "+00+FF", "\0\xff"),
	PAIR("UTF-8", "+E5+BC+A0", "\xe5\xbc\xa0"),
};

/* clang-format off */
static const struct bad xtext_bad[] = {
	BAD("plus at the end", "a+"),
	BAD("one digit", "a+2"),
	BAD("no digits", "a+zz"),
	BAD("second is no digit", "+2z"),
	BAD("equals", "a=b"),
	BAD("blank", "a b"),
	BAD("CR LF", "a\r\nb"),
	BAD("NUL", "a\0"),
	BAD("DEL", "\x7f"),
	BAD("high byte", "\xe5\xbc\xa0"),
};
/* clang-format on */

typedef enum rc decode_function(struct slice text, struct buf *out);
typedef void encode_function(struct slice bytes, struct buf *out);

static void check(decode_function *decode, encode_function *encode, const struct pair *pairs, size_t pair_count,
                  const struct bad *bad, size_t bad_count)
{
	for (size_t i = 0; i < pair_count; i++) {
		struct buf out = buf_make(100), text = buf_make(100), small = buf_make(pairs[i].bytes.len);

		print_message("%s\n", pairs[i].name);
		buf_put_str(&out, "kept");
		assert_int_equal(decode(pairs[i].text, &out), RC_OK);
		assert_true(slice_eq(slice_drop(buf_slice(&out), 4), pairs[i].bytes));
		/* A buf with just enough room does, one with a byte less does not. */
		assert_int_equal(decode(pairs[i].text, &small), RC_OK);
		if (pairs[i].bytes.len != 0) {
			struct buf smaller = buf_make(pairs[i].bytes.len - 1);
			assert_int_equal(decode(pairs[i].text, &smaller), RC_LIMIT);
			assert_true(smaller.failed);
			assert_int_equal(smaller.len, 0);
			buf_done(&smaller);
		}
		if (encode != NULL) {
			encode(pairs[i].bytes, &text);
			assert_true(slice_eq(buf_slice(&text), pairs[i].text));
		}
		buf_done(&out);
		buf_done(&small);
		buf_done(&text);
	}
	for (size_t i = 0; i < bad_count; i++) {
		struct buf out = buf_make(100);

		print_message("%s\n", bad[i].name);
		buf_put_str(&out, "kept");
		assert_int_equal(decode(bad[i].text, &out), RC_SYNTAX);
		assert_true(slice_eq(buf_slice(&out), SLICE("kept")));
		assert_false(out.failed);
		buf_done(&out);
	}
}

static void base64(void **state)
{
	(void)state;
	check(codec_base64_decode, codec_base64_encode, base64_pairs, COUNT(base64_pairs), base64_bad, COUNT(base64_bad));
}

static void hex(void **state)
{
	(void)state;
	check(codec_hex_decode, NULL, hex_pairs, COUNT(hex_pairs), hex_bad, COUNT(hex_bad));
}

static void xtext(void **state)
{
	struct buf out = buf_make(10);

	(void)state;
	check(codec_xtext_decode, codec_xtext_encode, xtext_pairs, COUNT(xtext_pairs), xtext_bad, COUNT(xtext_bad));
	assert_int_equal(codec_xtext_decode(SLICE("+2b"), &out), RC_OK); /* lower case, as some senders write it */
	assert_true(slice_eq(buf_slice(&out), SLICE("+")));
	buf_done(&out);
}

static void every_byte_goes_round(void **state)
{
	uint8_t bytes[256];

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	for (unsigned count = 0; count <= 256; count++) {
		struct buf text = buf_make(4096), back = buf_make(4096);
		codec_base64_encode(slice_of(bytes, count), &text);
		assert_int_equal(codec_base64_decode(buf_slice(&text), &back), RC_OK);
		assert_true(slice_eq(buf_slice(&back), slice_of(bytes, count)));
		buf_clear(&text);
		buf_clear(&back);
		codec_xtext_encode(slice_of(bytes, count), &text);
		assert_int_equal(codec_xtext_decode(buf_slice(&text), &back), RC_OK);
		assert_true(slice_eq(buf_slice(&back), slice_of(bytes, count)));
		buf_done(&text);
		buf_done(&back);
	}
}

static void encoding_stops_at_the_bound(void **state)
{
	struct buf out = buf_make(3);

	(void)state;
	codec_base64_encode(SLICE("a"), &out);
	assert_true(out.failed);
	assert_int_equal(out.len, 0);
	memory_fail_after(0);
	buf_clear(&out);
	codec_quote(SLICE("a"), 9, &out);
	memory_fail_after(-1);
	assert_true(out.failed);
	buf_done(&out);
}

struct quote {
	const char  *name;
	struct slice bytes;
	size_t       max;
	const char  *text;
};

static const struct quote quotes[] = {
	{ "plain", SLICE_INIT("a b~"), 80, "a b~" },
	{ "nothing", SLICE_INIT(""), 80, "" },
	{ "a forged line", SLICE_INIT("x\r\n250 ok"), 80, "x\\x0d\\x0a250 ok" },
	{ "quote and backslash", SLICE_INIT("\"\\"), 80, "\\x22\\x5c" },
	{ "NUL, DEL, high, escape", SLICE_INIT("\0\x7f\xff\x1b"), 80, "\\x00\\x7f\\xff\\x1b" },
	{ "fits exactly", SLICE_INIT("abcdef"), 6, "abcdef" },
	{ "one too long", SLICE_INIT("abcdefg"), 6, "abc..." },
	{ "escape fits exactly", SLICE_INIT("ab\n"), 6, "ab\\x0a" },
	{ "escape is not cut", SLICE_INIT("ab\nc"), 6, "ab..." },
	{ "escape is kept before the dots", SLICE_INIT("\nabcdef"), 7, "\\x0a..." },
	{ "escape does not leave room for dots", SLICE_INIT("\nabcdef"), 6, "..." },
	{ "only dots", SLICE_INIT("abcdef"), 3, "..." },
	{ "less than dots", SLICE_INIT("abcdef"), 2, ".." },
	{ "no room", SLICE_INIT("abcdef"), 0, "" },
};

static void quotes_for_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(quotes); i++) {
		struct buf out = buf_make(100);

		print_message("%s\n", quotes[i].name);
		codec_quote(quotes[i].bytes, quotes[i].max, &out);
		assert_true(slice_eq(buf_slice(&out), slice_str(quotes[i].text)));
		assert_true(out.len <= quotes[i].max);
		buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),
		cmocka_unit_test(hex),
		cmocka_unit_test(xtext),
		cmocka_unit_test(every_byte_goes_round),
		cmocka_unit_test(encoding_stops_at_the_bound),
		cmocka_unit_test(quotes_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
