/* Deflate in its wrappers, deflate64 with what it has beyond deflate, damage at every byte, and the meter's bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "content/inflate.h"

#define TEXT "hangu hangu hangu, and again hangu"

static const struct slice raw = SLICE_INIT("\xcb\x48\xcc\x4b\x2f\x55\xc8\x40\x90\x3a\x0a\x89\x79\x29\x0a\x89\xe9\x89\x99\x79\x10\x01\x00");
static const struct slice wrapped = SLICE_INIT("\x78\xda\xcb\x48\xcc\x4b\x2f\x55\xc8\x40\x90\x3a\x0a\x89\x79\x29\x0a\x89\xe9\x89\x99\x79\x10\x01\x00\xd7\xfc\x0c\x4c");

static enum rc take(enum inflate_form form, struct slice bytes, uint64_t left, struct buf *out, size_t *used)
{
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

	budget.left[BUDGET_BYTES] = left;

	struct meter  meter = meter_make(&budget, bytes.len, 1);
	const enum rc rc = inflate_take(form, bytes, &meter, out, used);

	assert_int_equal(budget.left[BUDGET_BYTES] + out->len, left);
	return rc;
}

static void whole_streams_come_out(void **state)
{
	struct buf out = buf_make(100);
	size_t     used = 0;

	(void)state;
	assert_int_equal(take(INFLATE_RAW, raw, 100, &out, &used), RC_OK);
	assert_true(slice_eq(buf_slice(&out), SLICE(TEXT)));
	assert_int_equal(used, raw.len);
	buf_clear(&out);
	assert_int_equal(take(INFLATE_ZLIB, wrapped, 100, &out, NULL), RC_OK);
	assert_true(slice_eq(buf_slice(&out), SLICE(TEXT)));
	buf_clear(&out);
	assert_int_equal(take(INFLATE_64, raw, 100, &out, &used), RC_OK);
	assert_true(slice_eq(buf_slice(&out), SLICE(TEXT)));
	assert_int_equal(used, raw.len);
	buf_done(&out);
}

static void every_cut_is_damage(void **state)
{
	struct buf out = buf_make(100);

	(void)state;
	for (size_t cut = 0; cut < raw.len; cut++) {
		buf_clear(&out);
		assert_int_equal(take(INFLATE_RAW, slice_take(raw, cut), 100, &out, NULL), RC_CORRUPT);
		assert_true(slice_starts(SLICE(TEXT), buf_slice(&out)));
		buf_clear(&out);
		assert_int_equal(take(INFLATE_64, slice_take(raw, cut), 100, &out, NULL), RC_CORRUPT);
		assert_true(slice_starts(SLICE(TEXT), buf_slice(&out)));
	}
	buf_done(&out);
}

static void bounds_are_kept(void **state)
{
	static const enum inflate_form forms[] = { INFLATE_RAW, INFLATE_64 };
	const size_t                   size = sizeof TEXT - 1;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t left = 0; left <= size + 1; left++) {
			struct buf out = buf_make(100), narrow = buf_make(left);
			assert_int_equal(take(forms[i], raw, left, &out, NULL), left < size ? RC_LIMIT : RC_OK);
			assert_int_equal(take(forms[i], raw, 100, &narrow, NULL), left < size ? RC_LIMIT : RC_OK);
			buf_done(&out);
			buf_done(&narrow);
		}
	}
}

struct writer {
	struct buf bytes;
	unsigned   count;
	uint8_t    byte;
};

static void put(struct writer *w, uint32_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		w->byte |= (uint8_t)((value >> i & 1) << w->count);
		if (++w->count == 8) {
			buf_put_byte(&w->bytes, w->byte);
			w->byte = 0;
			w->count = 0;
		}
	}
}

/* Huffman codes stand with their highest bit first. */
static void put_code(struct writer *w, uint32_t code, unsigned count)
{
	while (count-- != 0)
		put(w, code >> count & 1, 1);
}

/* 60,000 stored bytes, then in fixed codes a length of 65,538 at a distance of 50,001: neither is in deflate. */
static void deflate64_goes_beyond(void **state)
{
	struct writer w = { .bytes = buf_make(100000) };
	struct buf    out = buf_make(200000);

	(void)state;
	put(&w, 0, 3);
	put(&w, 0, 5);
	put(&w, 60000, 16);
	put(&w, 60000 ^ 0xffff, 16);
	for (uint32_t i = 0; i < 60000; i++)
		put(&w, i % 251, 8);
	put(&w, 3, 3); /* last, fixed */
	put_code(&w, 0xc0 + (285 - 280), 8);
	put(&w, 65535, 16);
	put_code(&w, 31, 5); /* 49,153 and 14 bits more */
	put(&w, 50001 - 49153, 14);
	put_code(&w, 0, 7);
	put(&w, 0, 7);
	assert_int_equal(take(INFLATE_64, buf_slice(&w.bytes), 200000, &out, NULL), RC_OK);
	assert_int_equal(out.len, 60000 + 65538);
	for (size_t i = 60000; i < out.len; i++)
		assert_int_equal(out.ptr[i], out.ptr[i - 50001]);
	buf_done(&out);
	buf_done(&w.bytes);
}

static void without_memory_it_says_so(void **state)
{
	(void)state;
	for (long count = 0; count < 3; count++) {
		struct buf out = buf_make(100);
		memory_fail_after(count);
		const enum rc rc = take(INFLATE_RAW, raw, 100, &out, NULL);
		memory_fail_after(-1);
		assert_true(rc == RC_NOMEM || rc == RC_OK);
		buf_done(&out);
	}
}

static void the_checksum_is_that_of_zip(void **state)
{
	(void)state;
	assert_int_equal(inflate_crc32(0, SLICE("123456789")), 0xcbf43926u);
	assert_int_equal(inflate_crc32(inflate_crc32(0, SLICE("1234")), SLICE("56789")), 0xcbf43926u);
	assert_int_equal(inflate_crc32(7, SLICE("")), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_streams_come_out),
		cmocka_unit_test(every_cut_is_damage),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(deflate64_goes_beyond),
		cmocka_unit_test(without_memory_it_says_so),
		cmocka_unit_test(the_checksum_is_that_of_zip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
