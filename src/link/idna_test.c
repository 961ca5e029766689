/* Names: what is mapped, what is refused leniently and strictly, how it is shown, Punycode, and the bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/idna.h"
#include "link/idna_icu.h"

struct row {
	const char *name;
	const char *text;
	const char *ascii; /* NULL: refused */
	unsigned    flags;
};

static const struct row rows[] = {
	{ "plain", "Example.COM", "example.com", 0 },
	{ "sharp s stays", "fa\xc3\x9f.de", "xn--fa-hia.de", 0 },
	{ "capital sharp s too", "FA\xe1\xba\x9e.de", "xn--fa-hia.de", 0 },
	{ "full-width", "\xef\xbc\xa1\xef\xbd\x82\xef\xbc\x8e" "c", "ab.c", 0 },
	{ "ideographic dots", "a\xe3\x80\x82" "b\xef\xbd\xa1" "c", "a.b.c", 0 },
	{ "invisible", "a\xe2\x80\x8b" "b\xc2\xad" "c", "abc", 0 },
	{ "mathematical letters", "\xf0\x9d\x90\xa0oogle.com", "google.com", 0 },
	{ "Chinese", "\xe4\xb8\xad\xe5\x9b\xbd.cn", "xn--fiqs8s.cn", 0 },
	{ "an A-label", "XN--FIQS8S", "xn--fiqs8s", 0 },
	{ "empty labels", "a..b", "a..b", 0 },
	{ "hyphens anywhere", "-a.b-.cd--e", "-a.b-.cd--e", 0 },
	{ "a joiner where it belongs", "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7", "xn--11b2ezcw70k", 0 },
	{ "Hebrew", "\xd7\x90\xd7\x91.co", "xn--4dbc.co", 0 },
	{ "a new Chinese character", "\xf0\xae\xaf\xb0.cn", "xn--8g0n.cn", 0 },
	{ "an A-label of ASCII", "xn--abc-", NULL, 0 },
	{ "an A-label of nothing", "xn--", NULL, 0 },
	{ "an A-label that decodes to nothing known", "xn--999999999", NULL, 0 },
	{ "an A-label not in its mapped form", "xn--a-ecp", NULL, 0 },
	{ "a joiner alone", "a\xe2\x80\x8d" "b", NULL, 0 },
	{ "a mark in front", "\xcc\x88" "a", NULL, 0 },
	{ "both directions", "a\xd7\x90", NULL, 0 },
	{ "a digit before right-to-left", "1.\xd7\x90", NULL, 0 },
	{ "private use", "\xee\x80\x80", NULL, 0 },
	{ "no UTF-8", "a\xff", NULL, 0 },
	{ "strict: plain", "a-b.c1", "a-b.c1", IDNA_STRICT },
	{ "strict: an underscore", "a_b", NULL, IDNA_STRICT },
	{ "strict: a hyphen in front", "-a", NULL, IDNA_STRICT },
	{ "strict: an empty label", "a..b", NULL, IDNA_STRICT },
	{ "strict: nothing", "", NULL, IDNA_STRICT },
};

static void each_row(void **state)
{
	(void)state;
	assert_int_equal(idna_icu_ready(), RC_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t       out[IDNA_ASCII_MAX];
		size_t        size = 0;
		const enum rc rc = idna_ascii(slice_str(rows[i].text), rows[i].flags, out, sizeof out, &size);
		if (rc != (rows[i].ascii == NULL ? RC_SYNTAX : RC_OK))
			fail_msg("%s: %d %.*s", rows[i].name, rc, (int)size, (const char *)out);
		if (rc == RC_OK && !slice_eq(slice_of(out, size), slice_str(rows[i].ascii)))
			fail_msg("%s: %.*s", rows[i].name, (int)size, (const char *)out);
	}
}

static void lengths(void **state)
{
	uint8_t text[IDNA_BYTES_MAX + 1], out[IDNA_ASCII_MAX];
	size_t  size = 0;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(idna_ascii(slice_of(text, IDNA_BYTES_MAX - 1), 0, out, sizeof out, &size), RC_OK);
	assert_int_equal(idna_ascii(slice_of(text, IDNA_BYTES_MAX), 0, out, sizeof out, &size), RC_OK);
	assert_int_equal(size, IDNA_BYTES_MAX);
	assert_int_equal(idna_ascii(slice_of(text, IDNA_BYTES_MAX + 1), 0, out, sizeof out, &size), RC_LIMIT);
	assert_int_equal(idna_ascii(slice_of(text, 10), 0, out, 10, &size), RC_OK);
	assert_int_equal(idna_ascii(slice_of(text, 10), 0, out, 9, &size), RC_LIMIT);
	assert_int_equal(idna_ascii(slice_of(text, 62), IDNA_STRICT, out, sizeof out, &size), RC_OK);
	assert_int_equal(idna_ascii(slice_of(text, 63), IDNA_STRICT, out, sizeof out, &size), RC_OK);
	assert_int_equal(idna_ascii(slice_of(text, 64), IDNA_STRICT, out, sizeof out, &size), RC_SYNTAX);
	for (size_t i = 63; i < 256; i += 64)
		text[i] = '.';
	assert_int_equal(idna_ascii(slice_of(text, 252), IDNA_STRICT, out, sizeof out, &size), RC_OK);
	assert_int_equal(idna_ascii(slice_of(text, 253), IDNA_STRICT, out, sizeof out, &size), RC_OK);
	assert_int_equal(idna_ascii(slice_of(text, 254), IDNA_STRICT, out, sizeof out, &size), RC_SYNTAX);
	/* A character that is mapped to four. */
	for (size_t i = 0; i + 3 <= IDNA_BYTES_MAX; i += 3)
		memcpy(text + i, "\xe3\x8d\xbf", 3);
	assert_int_equal(idna_ascii(slice_of(text, 30), 0, out, sizeof out, &size), RC_OK);
	assert_int_equal(idna_ascii(slice_of(text, IDNA_BYTES_MAX - IDNA_BYTES_MAX % 3), 0, out, sizeof out, &size), RC_LIMIT);
	/* A result at its limit: "xn--", the letters, and "-" with three digits. */
	memset(text, 'a', sizeof text);
	memcpy(text, "\xc3\xa9", 2);
	size_t longest = 0;
	for (size_t bytes = 900; bytes <= IDNA_BYTES_MAX; bytes++) {
		const enum rc rc = idna_ascii(slice_of(text, bytes), 0, out, sizeof out, &size);
		assert_int_equal(rc, longest < IDNA_ASCII_MAX ? RC_OK : RC_LIMIT);
		longest = size;
	}
	assert_int_equal(longest, IDNA_ASCII_MAX);
}

static void shown(void **state)
{
	static const char *const pairs[][2] = {
		{ "xn--fiqs8s.example", "\xe4\xb8\xad\xe5\x9b\xbd.example" },
		{ "www.xn--bcher-kva.de", "www.b\xc3\xbc" "cher.de" },
		{ "xn--.de", "xn--.de" },
		{ "xn--a-ecp.ru", "xn--a-ecp.ru" },
		{ "a..b", "a..b" },
	};
	uint8_t out[IDNA_DISPLAY_MAX];
	size_t  size = 0;

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		assert_int_equal(idna_display(slice_str(pairs[i][0]), out, sizeof out, &size), RC_OK);
		if (!slice_eq(slice_of(out, size), slice_str(pairs[i][1])))
			fail_msg("%s: %.*s", pairs[i][0], (int)size, (const char *)out);
	}
	assert_int_equal(idna_display(SLICE("abc"), out, 2, &size), RC_LIMIT);
}

static void punycode(void **state)
{
	static const uint32_t points[] = { 'b', 0xfc, 'c', 'h', 'e', 'r' };
	uint8_t               out[64];
	uint32_t              back[64];
	size_t                size = 0, count = 0;

	(void)state;
	assert_int_equal(punycode_encode(points, 6, out, sizeof out, &size), RC_OK);
	assert_true(slice_eq(slice_of(out, size), SLICE("bcher-kva")));
	assert_int_equal(punycode_decode(slice_of(out, size), back, 6, &count), RC_OK);
	assert_int_equal(count, 6);
	assert_memory_equal(points, back, sizeof points);
	assert_int_equal(punycode_encode(points, 6, out, 8, &size), RC_LIMIT);
	assert_int_equal(punycode_encode(points, 6, out, 9, &size), RC_OK);
	assert_int_equal(punycode_decode(SLICE("bcher-kva"), back, 5, &count), RC_LIMIT);
	assert_int_equal(punycode_decode(SLICE("a-k!"), back, 64, &count), RC_SYNTAX);
	assert_int_equal(punycode_decode(SLICE("99999999"), back, 64, &count), RC_SYNTAX);
	assert_int_equal(punycode_decode(SLICE("\xff-kva"), back, 64, &count), RC_SYNTAX);
	assert_int_equal(punycode_decode(SLICE("z"), back, 64, &count), RC_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(each_row), cmocka_unit_test(lengths), cmocka_unit_test(shown),
		                          cmocka_unit_test(punycode) };

	return cmocka_run_group_tests(all, NULL, NULL);
}
