#include "base/slice.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const struct slice empty = { NULL, 0 };

static void assert_slice(struct slice s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	if (s.len != 0)
		assert_memory_equal(s.ptr, text, s.len);
}

static void is_made(void **state)
{
	(void)state;
	assert_int_equal(SLICE("a\0b").len, 3);
	assert_int_equal(slice_of(NULL, 7).len, 0);
	assert_int_equal(slice_str(NULL).len, 0);
	assert_slice(slice_str("abc"), "abc");
}

static void is_cut(void **state)
{
	const struct slice s = SLICE("abcdef");

	(void)state;
	assert_slice(slice_take(s, 0), "");
	assert_slice(slice_take(s, 2), "ab");
	assert_slice(slice_take(s, 6), "abcdef");
	assert_slice(slice_take(s, SIZE_MAX), "abcdef");
	assert_slice(slice_drop(s, 0), "abcdef");
	assert_slice(slice_drop(s, 5), "f");
	assert_slice(slice_drop(s, 6), "");
	assert_slice(slice_drop(s, SIZE_MAX), "");
	assert_slice(slice_cut(s, 2, 2), "cd");
	assert_slice(slice_cut(s, 5, 9), "f");
	assert_slice(slice_cut(s, 6, 1), "");
	assert_slice(slice_cut(s, SIZE_MAX, SIZE_MAX), "");
	assert_slice(slice_take(empty, 3), "");
	assert_slice(slice_drop(empty, 3), "");
	assert_int_equal(slice_at(s, 5), 'f');
	assert_int_equal(slice_at(s, 6), -1);
	assert_int_equal(slice_at(SLICE("\xff"), 0), 255);
	assert_int_equal(slice_last(s), 'f');
	assert_int_equal(slice_last(empty), -1);
}

static void is_compared(void **state)
{
	(void)state;
	assert_true(slice_eq(empty, SLICE("")));
	assert_true(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
	assert_false(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	assert_false(slice_eq(SLICE("a"), SLICE("ab")));
	assert_true(slice_eq_nocase(SLICE("MaIl\0"), SLICE("mAiL\0")));
	assert_false(slice_eq_nocase(SLICE("["), SLICE("{")));
	assert_false(slice_eq_nocase(SLICE("\xc4"), SLICE("\xe4")));
	assert_true(slice_compare(SLICE("a"), SLICE("b")) < 0);
	assert_true(slice_compare(SLICE("ab"), SLICE("a")) > 0);
	assert_true(slice_compare(SLICE("a"), SLICE("ab")) < 0);
	assert_true(slice_compare(SLICE("\xff"), SLICE("a")) > 0);
	assert_int_equal(slice_compare(empty, empty), 0);
	assert_int_equal(slice_compare(SLICE("x"), SLICE("x")), 0);
}

static void has_ends(void **state)
{
	const struct slice s = SLICE("Example.CN");

	(void)state;
	assert_true(slice_starts(s, SLICE("Exam")));
	assert_true(slice_starts(s, empty));
	assert_false(slice_starts(s, SLICE("exam")));
	assert_false(slice_starts(SLICE("Ex"), SLICE("Exam")));
	assert_true(slice_starts_nocase(s, SLICE("exAM")));
	assert_true(slice_ends(s, SLICE(".CN")));
	assert_true(slice_ends(s, empty));
	assert_false(slice_ends(s, SLICE(".cn")));
	assert_false(slice_ends(SLICE("CN"), SLICE(".CN")));
	assert_true(slice_ends_nocase(s, SLICE(".cn")));
	assert_true(slice_ends(s, s));
}

static void is_searched(void **state)
{
	const struct slice s = SLICE("aXbXaab\0aaab");

	(void)state;
	assert_int_equal(slice_find(s, 'X'), 1);
	assert_int_equal(slice_find(s, '\0'), 7);
	assert_int_equal(slice_find(s, 'q'), s.len);
	assert_int_equal(slice_find(empty, 'q'), 0);
	assert_int_equal(slice_find_last(s, 'X'), 3);
	assert_int_equal(slice_find_last(s, 'q'), s.len);
	assert_int_equal(slice_search(s, SLICE("aaab")), 8);
	assert_int_equal(slice_search(s, SLICE("b\0a")), 6);
	assert_int_equal(slice_search(s, SLICE("aab")), 4);
	assert_int_equal(slice_search(s, SLICE("aaaab")), s.len);
	assert_int_equal(slice_search(s, s), 0);
	assert_int_equal(slice_search(s, empty), 0);
	assert_int_equal(slice_search(empty, SLICE("a")), 0);
	assert_int_equal(slice_search(SLICE("ab"), SLICE("abc")), 2);
	assert_int_equal(slice_search_nocase(s, SLICE("xA")), 3);
	assert_int_equal(slice_search_nocase(s, SLICE("qq")), s.len);
	assert_int_equal(slice_search_nocase(empty, SLICE("q")), 0);
}

/* Against the plainest way to search, over all words of four letters out of two. */
static void search_agrees_with_the_plain_way(void **state)
{
	(void)state;
	for (unsigned word = 0; word < 1u << 10; word++) {
		uint8_t text[10];
		for (unsigned i = 0; i < 10; i++)
			text[i] = word >> i & 1 ? 'a' : 'b';
		for (unsigned size = 1; size <= 4; size++) {
			for (unsigned bits = 0; bits < 1u << size; bits++) {
				uint8_t needle[4];
				for (unsigned i = 0; i < size; i++)
					needle[i] = bits >> i & 1 ? 'a' : 'b';
				size_t plain = 0;
				while (plain + size <= 10 && memcmp(text + plain, needle, size) != 0)
					plain++;
				if (plain + size > 10)
					plain = 10;
				assert_int_equal(slice_search(slice_of(text, 10), slice_of(needle, size)), plain);
				assert_int_equal(slice_search_nocase(slice_of(text, 10), slice_of(needle, size)), plain);
			}
		}
	}
}

static void is_split(void **state)
{
	struct slice rest = SLICE("a,,b");

	(void)state;
	assert_slice(slice_until(&rest, ','), "a");
	assert_slice(rest, ",b");
	assert_slice(slice_until(&rest, ','), "");
	assert_slice(slice_until(&rest, ','), "b");
	assert_int_equal(rest.len, 0);
	assert_slice(slice_until(&rest, ','), "");
	rest = SLICE("end,");
	assert_slice(slice_until(&rest, ','), "end");
	assert_int_equal(rest.len, 0);
}

static void is_trimmed(void **state)
{
	(void)state;
	assert_slice(slice_trim(SLICE(" \t\r\n a b \n")), "a b");
	assert_slice(slice_trim(SLICE(" \t\r\n")), "");
	assert_slice(slice_trim(empty), "");
	assert_slice(slice_trim(SLICE("\v")), "\v");
}

static void becomes_a_c_string(void **state)
{
	char out[4] = "zzz";

	(void)state;
	assert_int_equal(slice_to_cstr(SLICE("abcdef"), out, sizeof out), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(slice_to_cstr(SLICE("a\0c"), out, sizeof out), 1);
	assert_string_equal(out, "a");
	assert_int_equal(slice_to_cstr(empty, out, 1), 0);
	assert_string_equal(out, "");
	out[0] = 'z';
	assert_int_equal(slice_to_cstr(SLICE("abc"), out, 0), 0);
	assert_int_equal(out[0], 'z');
}

static void knows_its_bytes(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		const bool upper = byte >= 'A' && byte <= 'Z', lower = byte >= 'a' && byte <= 'z', digit = byte >= '0' && byte <= '9';
		assert_int_equal(byte_is_alpha((uint8_t)byte), upper || lower);
		assert_int_equal(byte_is_digit((uint8_t)byte), digit);
		assert_int_equal(byte_is_alnum((uint8_t)byte), upper || lower || digit);
		assert_int_equal(byte_is_print((uint8_t)byte), byte >= 32 && byte < 127);
		assert_int_equal(byte_is_wsp((uint8_t)byte), byte == 32 || byte == 9);
		assert_int_equal(byte_lower((uint8_t)byte), upper ? byte + 32 : byte);
	}
}

static void is_found_where_it_lies(void **state)
{
	const struct slice whole = SLICE("abcdef");
	static const struct {
		size_t start, count, offset;
	} rows[] = { { 0, 6, 0 }, { 0, 1, 0 }, { 2, 3, 2 }, { 5, 1, 5 }, { 3, 0, SIZE_MAX }, { 6, 1, SIZE_MAX } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(slice_offset(whole, slice_cut(whole, rows[i].start, rows[i].count)), rows[i].offset);
	/* Beside it, before it and after it; the bytes do not count. */
	assert_int_equal(slice_offset(slice_cut(whole, 2, 2), slice_take(whole, 1)), SIZE_MAX);
	assert_int_equal(slice_offset(slice_cut(whole, 2, 2), slice_cut(whole, 1, 2)), SIZE_MAX);
	assert_int_equal(slice_offset(slice_cut(whole, 2, 2), slice_drop(whole, 4)), SIZE_MAX);
	assert_int_equal(slice_offset(SLICE(""), whole), SIZE_MAX);
	assert_int_equal(slice_offset((struct slice){ NULL, 0 }, whole), SIZE_MAX);
	assert_int_equal(slice_offset(whole, (struct slice){ NULL, 0 }), SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_made),
		cmocka_unit_test(is_cut),
		cmocka_unit_test(is_compared),
		cmocka_unit_test(has_ends),
		cmocka_unit_test(is_searched),
		cmocka_unit_test(search_agrees_with_the_plain_way),
		cmocka_unit_test(is_split),
		cmocka_unit_test(is_trimmed),
		cmocka_unit_test(becomes_a_c_string),
		cmocka_unit_test(is_found_where_it_lies),
		cmocka_unit_test(knows_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
