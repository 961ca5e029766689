#include "base/buf.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_text(const struct buf *b, const char *text)
{
	assert_false(b->failed);
	assert_int_equal(b->len, strlen(text));
	assert_memory_equal(buf_slice(b).len == 0 ? (const uint8_t *)"" : buf_slice(b).ptr, text, b->len);
}

static void takes_nothing_before_its_first_byte(void **state)
{
	struct buf b = buf_make(10);

	(void)state;
	assert_null(b.ptr);
	assert_int_equal(buf_slice(&b).len, 0);
	buf_put(&b, slice_of(NULL, 0));
	assert_null(b.ptr);
	buf_done(&b);
	buf_done(&b);
}

static void stops_at_its_bound(void **state)
{
	(void)state;
	for (size_t max = 1; max < 300; max += max < 10 ? 1 : 61) {
		struct buf b = buf_make(max);
		for (size_t i = 0; i < max; i++)
			buf_put_byte(&b, 'x');
		assert_false(b.failed);
		assert_int_equal(b.len, max);
		assert_true(b.room <= max);
		buf_put_byte(&b, 'x');
		assert_true(b.failed);
		assert_int_equal(b.len, max);
		buf_clear(&b);
		assert_false(b.failed);
		buf_put(&b, SLICE("y"));
		assert_text(&b, "y");
		buf_done(&b);
		assert_int_equal(b.max, max);
	}
}

static void failure_sticks(void **state)
{
	struct buf b = buf_make(3);

	(void)state;
	buf_put_str(&b, "ab");
	buf_put_str(&b, "cd");
	assert_true(b.failed);
	buf_put_str(&b, "c");
	assert_int_equal(b.len, 2);
	assert_null(buf_reserve(&b, 1));
	buf_clear(&b);
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	buf_done(&b);
}

static void writes_numbers(void **state)
{
	struct buf b = buf_make(400);

	(void)state;
	buf_put_u64(&b, 0);
	buf_put_byte(&b, ' ');
	buf_put_u64(&b, UINT64_MAX);
	buf_put_byte(&b, ' ');
	buf_put_i64(&b, INT64_MIN);
	buf_put_byte(&b, ' ');
	buf_put_i64(&b, INT64_MAX);
	buf_put_byte(&b, ' ');
	buf_put_i64(&b, -1);
	buf_put_byte(&b, ' ');
	buf_put_padded(&b, 7, 3);
	buf_put_byte(&b, ' ');
	buf_put_padded(&b, 12345, 3);
	buf_put_byte(&b, ' ');
	buf_put_padded(&b, 1, 99);
	buf_put_byte(&b, ' ');
	buf_put_hex(&b, SLICE("\x00\x7f\xff"));
	assert_text(&b, "0 18446744073709551615 -9223372036854775808 9223372036854775807 -1 007 12345 00000000000000000001 007fff");
	buf_done(&b);
}

static void prints(void **state)
{
	struct buf b = buf_make(8);

	(void)state;
	buf_printf(&b, "%s=%d", "ab", 42);
	assert_text(&b, "ab=42");
	buf_printf(&b, "%d", 123456);
	assert_true(b.failed);
	assert_int_equal(b.len, 5);
	buf_done(&b);
}

static void is_cut_at_both_ends(void **state)
{
	struct buf b = buf_make(100);

	(void)state;
	buf_put_str(&b, "0123456789");
	buf_drop(&b, 0);
	buf_drop(&b, 3);
	assert_text(&b, "3456789");
	buf_truncate(&b, 2);
	assert_text(&b, "34");
	buf_drop(&b, 99);
	assert_text(&b, "");
	buf_drop(&b, 1);
	assert_text(&b, "");
	buf_done(&b);
}

static void reserves(void **state)
{
	struct buf b = buf_make(100);
	uint8_t   *to = buf_reserve(&b, 100);

	(void)state;
	assert_non_null(to);
	memset(to, 'r', 100);
	buf_grew(&b, 4);
	assert_text(&b, "rrrr");
	assert_non_null(buf_reserve(&b, 96));
	assert_null(buf_reserve(&b, 97));
	buf_done(&b);
}

static void survives_every_failed_allocation(void **state)
{
	(void)state;
	for (long allowed = 0;; allowed++) {
		struct buf b = buf_make(1000);
		memory_fail_after(allowed);
		for (unsigned i = 0; i < 300; i++)
			buf_put_byte(&b, 'x');
		memory_fail_after(-1);
		const bool failed = b.failed;
		assert_int_equal(b.len == 300, !failed);
		buf_done(&b);
		if (!failed)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_nothing_before_its_first_byte),
		cmocka_unit_test(stops_at_its_bound),
		cmocka_unit_test(failure_sticks),
		cmocka_unit_test(writes_numbers),
		cmocka_unit_test(prints),
		cmocka_unit_test(is_cut_at_both_ends),
		cmocka_unit_test(reserves),
		cmocka_unit_test(survives_every_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
