/* UTF-8 at its borders: first and last characters of each size, what is no character, and cuts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/utf8.h"

static const struct {
	struct slice bytes;
	uint32_t     character;
	size_t       size; /* of the character, or of the bytes that one U+FFFD replaces */
} cases[] = {
	{ SLICE_INIT("a"), 'a', 1 },
	{ SLICE_INIT("\0"), 0, 1 },
	{ SLICE_INIT("\xc2\x80"), 0x80, 2 },
	{ SLICE_INIT("\xdf\xbf"), 0x7ff, 2 },
	{ SLICE_INIT("\xe0\xa0\x80"), 0x800, 3 },
	{ SLICE_INIT("\xed\x9f\xbf"), 0xd7ff, 3 },
	{ SLICE_INIT("\xee\x80\x80"), 0xe000, 3 },
	{ SLICE_INIT("\xef\xbf\xbf"), 0xffff, 3 },
	{ SLICE_INIT("\xf0\x90\x80\x80"), 0x10000, 4 },
	{ SLICE_INIT("\xf4\x8f\xbf\xbf"), 0x10ffff, 4 },
	{ SLICE_INIT("\x80"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xc1\xbf"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xc2"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xc2\x20"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xe0\x9f\xbf"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xed\xa0\x80"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xf0\x8f\xbf\xbf"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xf4\x90\x80\x80"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xf5\x80\x80\x80"), UINT32_MAX, 1 },
	{ SLICE_INIT("\xe4\xb8"), UINT32_MAX, 2 },
	{ SLICE_INIT("\xe4\xb8\x20"), UINT32_MAX, 2 },
	{ SLICE_INIT("\xf0\x9f\x98"), UINT32_MAX, 3 },
	{ SLICE_INIT("\xf0\x9f\x98\x20"), UINT32_MAX, 3 },
	{ SLICE_INIT("\xf0\x9f"), UINT32_MAX, 2 },
};

static void test_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t     size;
		uint8_t    bytes[4];
		const bool good = cases[i].character != UINT32_MAX;
		assert_int_equal(utf8_decode(cases[i].bytes, &size), cases[i].character);
		assert_int_equal(size, good ? cases[i].size : 1);
		assert_int_equal(utf8_valid_size(cases[i].bytes), good ? cases[i].size : 0);
		if (!good) {
			assert_int_equal(utf8_bad_size(cases[i].bytes), cases[i].size);
			continue;
		}
		assert_int_equal(utf8_encode(cases[i].character, bytes), cases[i].size);
		assert_memory_equal(bytes, cases[i].bytes.ptr, cases[i].size);
	}
}

/* Every code point there and back. */
static void test_all(void **state)
{
	uint8_t bytes[4];
	size_t  size;

	(void)state;
	for (uint32_t c = 0; c <= UTF8_LAST; c++) {
		const size_t count = utf8_encode(c, bytes);
		const bool   surrogate = c >= 0xd800 && c <= 0xdfff;
		assert_int_equal(utf8_decode(slice_of(bytes, count), &size), surrogate ? UTF8_REPLACEMENT : c);
		assert_int_equal(size, count);
	}
	assert_int_equal(utf8_encode(UTF8_LAST + 1, bytes), 3);
}

/* The quick runs see a foreign byte at every place. */
static void test_runs(void **state)
{
	uint8_t text[100];

	(void)state;
	for (size_t size = 0; size <= sizeof text; size++) {
		memset(text, 'a', sizeof text);
		assert_int_equal(utf8_ascii_size(slice_of(text, size)), size);
		for (size_t i = 0; i < size; i++) {
			memset(text, 'a', sizeof text);
			text[i] = 0x80;
			assert_int_equal(utf8_ascii_size(slice_of(text, size)), i);
			assert_int_equal(utf8_valid_size(slice_of(text, size)), i);
		}
	}
}

static void test_cut(void **state)
{
	const struct slice  text = SLICE("a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
	static const size_t cuts[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

	(void)state;
	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
		assert_int_equal(utf8_cut(text, i), cuts[i]);
	assert_int_equal(utf8_cut(slice_of(NULL, 0), 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_characters), cmocka_unit_test(test_all),
		                            cmocka_unit_test(test_runs), cmocka_unit_test(test_cut) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
