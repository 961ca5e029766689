#include "base/cursor.h"

#include "base/fault.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void write_record(struct buf *b)
{
	cursor_put_u8(b, 0xfe);
	cursor_put_u16(b, 0x1234);
	cursor_put_u32(b, 0x89abcdef);
	cursor_put_u64(b, 0x0123456789abcdef);
	cursor_put_block(b, SLICE("block"));
	cursor_put_block(b, slice_of(NULL, 0));
}

/* Reads the record and says whether all of it was there. */
static bool read_record(struct slice bytes)
{
	struct cursor      c = cursor_on(bytes);
	const uint8_t      one = cursor_u8(&c);
	const uint16_t     two = cursor_u16(&c);
	const uint32_t     four = cursor_u32(&c);
	const uint64_t     eight = cursor_u64(&c);
	const struct slice block = cursor_block(&c, 5);
	const struct slice nothing = cursor_block(&c, 5);

	if (c.failed) {
		assert_false(cursor_ended(&c));
		return false;
	}
	assert_int_equal(one, 0xfe);
	assert_int_equal(two, 0x1234);
	assert_int_equal(four, 0x89abcdef);
	assert_int_equal(eight, 0x0123456789abcdef);
	assert_true(slice_eq(block, SLICE("block")));
	assert_int_equal(nothing.len, 0);
	return cursor_ended(&c);
}

static void goes_round(void **state)
{
	struct buf b = buf_make(100);

	(void)state;
	write_record(&b);
	assert_false(b.failed);
	assert_true(read_record(buf_slice(&b)));
	/* Cut short anywhere it fails, and one byte more is left over. */
	for (size_t size = 0; size < b.len; size++)
		assert_false(read_record(slice_take(buf_slice(&b), size)));
	buf_put_byte(&b, 0);
	assert_false(read_record(buf_slice(&b)));
	buf_done(&b);
}

static void is_little_endian(void **state)
{
	struct buf b = buf_make(100);

	(void)state;
	cursor_put_u32(&b, 0x04030201);
	cursor_put_block(&b, SLICE("x"));
	assert_true(slice_eq(buf_slice(&b), SLICE("\1\2\3\4\1\0\0\0x")));
	buf_done(&b);
}

static void failure_sticks(void **state)
{
	struct cursor c = cursor_on(SLICE("\1\2\3"));

	(void)state;
	assert_int_equal(cursor_u64(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(cursor_bytes(&c, 0).len, 0);
	assert_int_equal(c.rest.len, 3);
}

static void block_has_a_bound(void **state)
{
	struct cursor c = cursor_on(SLICE("\3\0\0\0abc"));

	(void)state;
	assert_int_equal(cursor_block(&c, 3).len, 3);
	assert_true(cursor_ended(&c));
	c = cursor_on(SLICE("\3\0\0\0abc"));
	assert_int_equal(cursor_block(&c, 2).len, 0);
	assert_true(c.failed);
	c = cursor_on(SLICE("\xff\xff\xff\xff" "abc"));
	assert_int_equal(cursor_block(&c, SIZE_MAX).len, 0);
	assert_true(c.failed);
}

static void write_stops_at_the_bound(void **state)
{
	struct buf b = buf_make(7);

	(void)state;
	cursor_put_u64(&b, 1);
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void words_and_faults(void **state)
{
	struct fault fault = { .rc = RC_OK };

	(void)state;
	for (unsigned rc = 0; rc < RC_COUNT; rc++)
		assert_true(strcmp(rc_word((enum rc)rc), "unknown") != 0);
	assert_string_equal(rc_word(RC_OK), "ok");
	assert_string_equal(rc_word(RC_COUNT), "unknown");
	assert_int_equal(fault_set(&fault, RC_IO, "trying", 5, 6), RC_IO);
	assert_string_equal(fault.text, "trying");
	assert_int_equal(fault_set(NULL, RC_BUSY, "trying", 5, 6), RC_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_round),
		cmocka_unit_test(is_little_endian),
		cmocka_unit_test(failure_sticks),
		cmocka_unit_test(block_has_a_bound),
		cmocka_unit_test(write_stops_at_the_bound),
		cmocka_unit_test(words_and_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
