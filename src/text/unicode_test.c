/* Normal forms, skeletons and scripts: that the library says what its standard says, within its bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "text/unicode.h"

static const struct {
	enum unicode_form form;
	struct slice      text, formed;
} forms[] = {
	{ UNICODE_NFC, SLICE_INIT(""), SLICE_INIT("") },
	{ UNICODE_NFC, SLICE_INIT("e\xcc\x81"), SLICE_INIT("\xc3\xa9") },
	{ UNICODE_NFD, SLICE_INIT("\xc3\xa9"), SLICE_INIT("e\xcc\x81") },
	{ UNICODE_NFKC, SLICE_INIT("\xef\xbc\xa1\xe2\x91\xa0\xef\xac\x81"), SLICE_INIT("A1fi") },
	{ UNICODE_NFKC, SLICE_INIT("a\0b"), SLICE_INIT("a\0b") },
	{ UNICODE_NFKC_FOLDED, SLICE_INIT("\xc3\x84\xe2\x80\x8b\xef\xbc\xa1"),
	  SLICE_INIT("\xc3\xa4"
	             "a") },
};

static void test_forms(void **state)
{
	uint8_t out[64];
	size_t  size;

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		assert_int_equal(unicode_normalise(forms[i].form, forms[i].text, out, sizeof out, &size), RC_OK);
		assert_true(slice_eq(slice_of(out, size), forms[i].formed));
		if (forms[i].formed.len != 0)
			assert_int_equal(
				unicode_normalise(forms[i].form, forms[i].text, out, forms[i].formed.len - 1, &size),
				RC_LIMIT);
		assert_int_equal(unicode_normalise(forms[i].form, forms[i].text, out, forms[i].formed.len, &size),
		                 RC_OK);
	}
}

static void test_limits(void **state)
{
	static uint8_t text[UNICODE_TEXT_MAX + 1], out[2 * UNICODE_TEXT_MAX];
	size_t         size;

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t length = UNICODE_TEXT_MAX - 1; length <= UNICODE_TEXT_MAX + 1; length++) {
		const enum rc rc = length <= UNICODE_TEXT_MAX ? RC_OK : RC_LIMIT;
		assert_int_equal(unicode_normalise(UNICODE_NFC, slice_of(text, length), out, sizeof out, &size), rc);
		assert_int_equal(unicode_skeleton(slice_of(text, length), out, sizeof out, &size), rc);
	}
	/* The one character that grows most: 18 for one. */
	for (size_t i = 0; i + 3 <= UNICODE_TEXT_MAX; i += 3)
		memcpy(&text[i], "\xef\xb7\xba", 3);
	assert_int_equal(
		unicode_normalise(UNICODE_NFKC, slice_of(text, UNICODE_TEXT_MAX / 3 * 3), out, sizeof out, &size),
		RC_LIMIT);
}

static void test_properties(void **state)
{
	static const struct {
		uint32_t            character;
		enum unicode_script script;
		bool                letter, mark, invisible;
	} cases[] = {
		{ 'a', UNICODE_LATIN, true, false, false },      { '1', UNICODE_COMMON, false, false, false },
		{ 0x3b1, UNICODE_GREEK, true, false, false },    { 0x430, UNICODE_CYRILLIC, true, false, false },
		{ 0x561, UNICODE_ARMENIAN, true, false, false }, { 0x13a0, UNICODE_CHEROKEE, true, false, false },
		{ 0x5d0, UNICODE_HEBREW, true, false, false },   { 0x628, UNICODE_ARABIC, true, false, false },
		{ 0xe01, UNICODE_THAI, true, false, false },     { 0x4e2d, UNICODE_HAN, true, false, false },
		{ 0x3042, UNICODE_KANA, true, false, false },    { 0xac00, UNICODE_HANGUL, true, false, false },
		{ 0x915, UNICODE_OTHER, true, false, false },    { 0x301, UNICODE_COMMON, false, true, false },
		{ 0x200b, UNICODE_COMMON, false, false, true },  { 0xe0041, UNICODE_COMMON, false, false, true },
		{ 0xfe0f, UNICODE_COMMON, false, true, true },   { 0x10ffff, UNICODE_OTHER, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(unicode_script(cases[i].character), cases[i].script);
		assert_int_equal(unicode_is_letter(cases[i].character), cases[i].letter);
		assert_int_equal(unicode_is_mark(cases[i].character), cases[i].mark);
		assert_int_equal(unicode_is_invisible(cases[i].character), cases[i].invisible);
	}
}

/* Once it is ready no file is opened. */
static void test_opens_nothing(void **state)
{
	struct rlimit limit, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	test_forms(state);
	test_properties(state);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int ready(void **state)
{
	uint8_t out[8];
	size_t  size;

	(void)state;
	if (unicode_normalise(UNICODE_NFC, SLICE("a"), out, sizeof out, &size) != RC_UNSUPPORTED ||
	    unicode_skeleton(SLICE("a"), out, sizeof out, &size) != RC_UNSUPPORTED)
		return -1;
	return unicode_ready() == RC_OK && unicode_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms), cmocka_unit_test(test_limits),
		                            cmocka_unit_test(test_properties), cmocka_unit_test(test_opens_nothing) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
