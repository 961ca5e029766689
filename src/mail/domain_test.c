/* Domain names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mail/domain.h"

static const struct {
	const char *name;
	enum rc     rc; /* without UTF-8 */
	enum rc     utf8_rc;
	const char *ascii;
} rows[] = {
	{ "example.com", RC_OK, RC_OK, "example.com" },
	{ "Example.COM", RC_OK, RC_OK, "example.com" },
	{ "localhost", RC_OK, RC_OK, "localhost" },
	{ "1.2", RC_OK, RC_OK, "1.2" },
	{ "a-b.c--d", RC_OK, RC_OK, "a-b.c--d" },
	{ "_dmarc.a_b.example", RC_OK, RC_OK, "_dmarc.a_b.example" },
	{ "xn--bcher-kva.example", RC_OK, RC_OK, "xn--bcher-kva.example" },
	{ "b\xc3\xbc"
	  "cher.example",
	  RC_UNSUPPORTED, RC_OK, "xn--bcher-kva.example" },
	{ "\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd", RC_UNSUPPORTED, RC_OK, "xn--fsqu00a.xn--fiqs8s" },
	{ "\xcf\x80\xce\xb1\xcf\x81\xce\xac\xce\xb4\xce\xb5\xce\xb9\xce\xb3\xce\xbc\xce\xb1.x", RC_UNSUPPORTED, RC_OK,
	  "xn--hxajbheg2az3al.x" },
	{ "\xd1\x81-\xd0\xb1\xd0\xb0\xd0\xbb\xd0\xb0\xd0\xbb\xd0\xb0\xd0\xb9\xd0\xba\xd0\xbe\xd0\xb9.\xd1\x80\xd1\x84",
	  RC_UNSUPPORTED, RC_OK, "xn----8sbaac5cahfb0b0a.xn--p1ai" },
	{ "", RC_SYNTAX, RC_SYNTAX, NULL },
	{ ".", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "a.", RC_SYNTAX, RC_SYNTAX, NULL },
	{ ".a", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "a..b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "-a.b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "a-.b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "a b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "a@b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "a/b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "a\x01.b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "[1.2.3.4]", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "\xe4.b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "\xc0\xaf.b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "\xed\xa0\x80.b", RC_SYNTAX, RC_SYNTAX, NULL },
	{ "\xc2\x85.b", RC_SYNTAX, RC_SYNTAX, NULL },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct slice name = slice_str(rows[i].name);
		struct buf         out = buf_make(300);
		if (domain_check(name, false) != rows[i].rc || domain_check(name, true) != rows[i].utf8_rc)
			fail_msg("%s: %s %s", rows[i].name, rc_word(domain_check(name, false)),
			         rc_word(domain_check(name, true)));
		buf_put_str(&out, "x");
		assert_int_equal(domain_ascii(name, &out), rows[i].utf8_rc);
		if (rows[i].ascii != NULL && !slice_eq(slice_drop(buf_slice(&out), 1), slice_str(rows[i].ascii)))
			fail_msg("%s became %.*s", rows[i].name, (int)out.len, (char *)out.ptr);
		if (rows[i].ascii == NULL)
			assert_int_equal(out.len, 1);
		buf_done(&out);
	}
}

static void test_bounds(void **state)
{
	struct buf name = buf_make(400), out = buf_make(400);

	(void)state;
	for (unsigned size = DOMAIN_LABEL_MAX - 1; size <= DOMAIN_LABEL_MAX + 1; size++) {
		buf_clear(&name);
		while (name.len < size)
			buf_put_byte(&name, 'x');
		buf_put_str(&name, ".example");
		assert_int_equal(domain_check(buf_slice(&name), false), size <= DOMAIN_LABEL_MAX ? RC_OK : RC_LIMIT);
	}
	for (unsigned size = DOMAIN_BYTES_MAX - 1; size <= DOMAIN_BYTES_MAX + 1; size++) {
		buf_clear(&name);
		while (name.len < size)
			buf_put_byte(&name, name.len % 50 == 49 && name.len + 1 < size ? '.' : 'x');
		assert_int_equal(domain_check(buf_slice(&name), false), size <= DOMAIN_BYTES_MAX ? RC_OK : RC_LIMIT);
	}
	/* A label that is short in UTF-8 and too long as an A-label. */
	buf_clear(&name);
	for (unsigned i = 0; i < 60; i++)
		buf_put(&name, SLICE("\xe4\xb8\xad"));
	assert_int_equal(domain_check(buf_slice(&name), true), RC_OK);
	buf_clear(&name);
	for (unsigned i = 0; i < 80; i++)
		buf_put(&name, i % 2 == 0 ? SLICE("\xe4\xb8\xad") : SLICE("\xd0\xb0"));
	assert_int_equal(domain_ascii(buf_slice(&name), &out), RC_LIMIT);
	assert_int_equal(out.len, 0);
	/* No room. */
	struct buf small = buf_make(5);
	assert_int_equal(domain_ascii(SLICE("example"), &small), RC_LIMIT);

	/* A-labels make it longer: "\u00fc." is "xn--tda.", and 31 of them with 6, 7 and 8 letters behind are 254, 255 and 256 bytes. */
	for (size_t letters = 6; letters <= 8; letters++) {
		struct buf long_name = buf_make(512), long_out = buf_make(512);
		for (unsigned i = 0; i < 31; i++)
			buf_put_str(&long_name, "\xc3\xbc.");
		buf_put(&long_name, slice_take(SLICE("abcdefgh"), letters));
		assert_int_equal(domain_ascii(buf_slice(&long_name), &long_out), letters < 8 ? RC_OK : RC_LIMIT);
		assert_int_equal(long_out.len, letters < 8 ? 248 + letters : 0);
		buf_done(&long_name);
		buf_done(&long_out);
	}
	assert_int_equal(small.len, 0);
	assert_false(small.failed);
	buf_done(&small);
	buf_done(&name);
	buf_done(&out);
}

static void test_utf8(void **state)
{
	(void)state;
	assert_true(utf8_valid(SLICE("")));
	assert_true(utf8_valid(SLICE("a\0b\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf")));
	assert_false(utf8_valid(SLICE("\x80")));
	assert_false(utf8_valid(SLICE("\xc1\xbf")));
	assert_false(utf8_valid(SLICE("\xc3")));
	assert_false(utf8_valid(SLICE("\xe0\x9f\xbf")));
	assert_false(utf8_valid(SLICE("\xed\xbf\xbf")));
	assert_false(utf8_valid(SLICE("\xf0\x8f\xbf\xbf")));
	assert_false(utf8_valid(SLICE("\xf4\x90\x80\x80")));
	assert_false(utf8_valid(SLICE("\xf8\x88\x80\x80\x80")));
	assert_false(utf8_valid(SLICE("\xe4\xb8")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
