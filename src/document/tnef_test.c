/* TNEF: a stream with each kind of attribute, what it is told as, cut anywhere, with memory and budget that end; compressed RTF. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "document/outlook_item.h"
#include "document/outlook_rtf.h"
#include "document/tnef.h"
#include "harness/told.h"

/* The seed of the fuzz target: a subject, two attachments (one a stream of its own), bodies in all forms, a reminder. */
#define SEED "tests/fuzz/corpus/document_tnef/whole"

static uint8_t bytes[8192];
static size_t  size;

static int begin(void **state)
{
	FILE *file = fopen(SEED, "rb");

	(void)state;
	if (file == NULL)
		return 1;
	size = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_done(&told);
	return 0;
}

static enum rc open_it(size_t count, struct budget *budget)
{
	uint8_t *exact = malloc(count + 1);

	memcpy(exact, bytes, count);
	told_begin();
	const enum rc rc = tnef_open(slice_of(exact, count), budget, &told_sink);
	free(exact);
	return rc;
}

static void test_whole(void **state)
{
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

	(void)state;
	assert_int_equal(open_it(size, &budget), RC_OK);
	/* NULs in a member end the text that is compared. */
	for (size_t i = 0; i < told.len; i++)
		told.ptr[i] = told.ptr[i] == 0 ? '.' : told.ptr[i];
	if (slice_search(buf_slice(&told), SLICE("[reference]link")) == told.len || slice_search(buf_slice(&told), SLICE("text Subject\n|text body\n|")) == told.len ||
	    slice_search(buf_slice(&told), SLICE("<p>hi\xe2\x82\xac" "A</p>")) == told.len ||
	    !slice_starts(buf_slice(&told), SLICE("member a.txt  bytes|")))
		fail_msg("%.*s", (int)told.len, (const char *)told.ptr);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(open_it(cut, &budget), cut < 4 ? RC_SYNTAX : RC_OK);
}

static void test_failures(void **state)
{
	(void)state;
	for (long count = 0; count < 20; count++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		memory_fail_after(count);
		const enum rc rc = tnef_open(slice_of(bytes, size), &budget, &(struct content_sink){ .context = NULL });
		memory_fail_after(-1);
		assert_true(rc == RC_OK || rc == RC_NOMEM || rc == RC_LIMIT);
	}
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
	budget.left[BUDGET_STEPS] = size - 1;
	assert_int_equal(open_it(size, &budget), RC_LIMIT);
	budget = budget_make(&BUDGET_LIMITS_STANDARD);
	budget.left[BUDGET_ITEMS] = 1;
	assert_int_equal(open_it(size, &budget), RC_LIMIT);
}

/* The example of [MS-OXRTFCP] section 4.1.1. */
static void test_rtf(void **state)
{
	static const uint8_t packed[] = { 0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03,
		                          0x00, 0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65,
		                          0x6c, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0 };
	struct buf           out = buf_make(4096);
	struct budget        budget = budget_make(&BUDGET_LIMITS_STANDARD);
	bool                 html = false;

	(void)state;
	assert_int_equal(outlook_rtf_unpack(slice_of(packed, sizeof packed), &budget, &out), RC_OK);
	assert_true(slice_eq(buf_slice(&out), SLICE("{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n")));
	struct buf small = buf_make(out.len - 1);
	assert_int_equal(outlook_rtf_unpack(slice_of(packed, sizeof packed), &budget, &small), RC_LIMIT);
	buf_done(&small);
	assert_int_equal(outlook_rtf_unpack(SLICE("0123456789abcdef"), &budget, &out), RC_SYNTAX);
	buf_clear(&out);
	assert_int_equal(outlook_rtf_unwrap(SLICE("{\\rtf1 hello}"), &out, &html), RC_NOTFOUND);
	assert_int_equal(outlook_rtf_unwrap(SLICE("{\\rtf1\\fromtext a\\par b}"), &out, &html), RC_OK);
	assert_false(html);
	assert_true(slice_eq(buf_slice(&out), SLICE("a\r\nb")));
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole), cmocka_unit_test(test_failures), cmocka_unit_test(test_rtf) };
	return cmocka_run_group_tests(tests, begin, end);
}
