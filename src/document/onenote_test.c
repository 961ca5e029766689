/* OneNote sections: files, their names, texts, and sizes that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/memory.h"
#include "document/onenote.h"
#include "harness/heard.h"

static const struct slice section = SLICE_INIT("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3");
static const struct slice mark = SLICE_INIT("\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac");

static void zeros(struct buf *out, size_t count)
{
	while (count-- != 0)
		buf_put_byte(out, 0);
}

static void wide(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		cursor_put_u16(out, (uint8_t)*text);
	cursor_put_u16(out, 0);
}

static void object(struct buf *out, uint64_t claimed, struct slice bytes)
{
	buf_put(out, mark);
	cursor_put_u64(out, claimed);
	zeros(out, 12);
	buf_put(out, bytes);
	zeros(out, bytes.len % 2);
}

static struct buf sample(uint64_t claimed)
{
	struct buf file = buf_make(65536);

	buf_put(&file, section);
	zeros(&file, 112);
	wide(&file, "Click to open");
	wide(&file, "invoice.hta");
	wide(&file, "second.bat");
	wide(&file, "invoice.hta");
	object(&file, 4, SLICE("\x89PNG"));
	object(&file, claimed, SLICE("<script>"));
	object(&file, 3, SLICE("dir"));
	return file;
}

static void test_files(void **state)
{
	struct heard              heard = heard_make();
	const struct content_sink sink = heard_sink(&heard);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct buf                file = sample(8);

	(void)state;
	assert_true(onenote_is(buf_slice(&file)));
	assert_int_equal(onenote_open(buf_slice(&file), &budget, &sink), RC_OK);
	assert_true(heard_line(&heard, "text 0 Click to open\\x0a"));
	assert_true(heard_line(&heard, "text 6 invoice.hta"));
	assert_true(heard_line(&heard, "member 0 |\\x89PNG"));
	assert_true(heard_line(&heard, "member 0 invoice.hta|<script>"));
	assert_true(heard_line(&heard, "fact office.package second.bat"));
	assert_true(heard_line(&heard, "member 0 second.bat|dir"));
	buf_done(&file);
	heard_done(&heard);
}

/* A size beyond the file does not hide what comes behind. */
static void test_size_lies(void **state)
{
	static const uint64_t lies[] = { 0, 7, 9, 4096, UINT32_MAX, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf                file = sample(lies[i]);
		assert_int_equal(onenote_open(buf_slice(&file), &budget, &sink), RC_OK);
		assert_true(heard_line(&heard, "member 0 second.bat|dir") ||
		            heard_line(&heard, "member 0 invoice.hta|dir"));
		buf_done(&file);
		heard_done(&heard);
	}
}

static void test_broken(void **state)
{
	struct heard              heard = heard_make();
	const struct content_sink sink = heard_sink(&heard);
	struct buf                file = sample(8);

	(void)state;
	for (size_t cut = 0; cut < file.len; cut++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		buf_clear(&heard.lines);
		assert_int_equal(onenote_open(slice_take(buf_slice(&file), cut), &budget, &sink),
		                 cut < 16 ? RC_SYNTAX : RC_OK);
	}
	for (long count = 0; count < 10; count++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		heard.fail_after = count;
		const enum rc rc = onenote_open(buf_slice(&file), &budget, &sink);
		assert_true(rc == RC_OK || rc == RC_CONFLICT);
	}
	heard.fail_after = -1;
	for (long count = 0; count < 10; count++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		memory_fail_after(count);
		(void)!onenote_open(buf_slice(&file), &budget, &sink);
		memory_fail_after(-1);
	}
	for (uint64_t steps = file.len * 2 - 1; steps <= file.len * 2 + 1; steps++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		budget.left[BUDGET_STEPS] = steps;
		assert_int_equal(onenote_open(buf_slice(&file), &budget, &sink),
		                 steps < file.len * 2 ? RC_LIMIT : RC_OK);
	}
	/* Of 4, 8 and 3 bytes: one less than all, all, one more. */
	for (uint64_t bytes = 14; bytes <= 16; bytes++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		budget.left[BUDGET_BYTES] = bytes;
		assert_int_equal(onenote_open(buf_slice(&file), &budget, &sink), bytes < 15 ? RC_LIMIT : RC_OK);
	}
	buf_done(&file);
	heard_done(&heard);
}

/* ONENOTE_NAMES_MAX: one name less, as many, one more; the one too much is text and no name. */
static void test_names_max(void **state)
{
	(void)state;
	for (size_t count = ONENOTE_NAMES_MAX - 1; count <= ONENOTE_NAMES_MAX + 1; count++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf                file = buf_make(65536);
		size_t                    names = 0;
		buf_put(&file, section);
		zeros(&file, 112);
		for (size_t i = 0; i < count; i++) {
			char name[] = "f000.bat";
			name[1] = (char)('a' + i / 100);
			name[2] = (char)('a' + i / 10 % 10);
			name[3] = (char)('a' + i % 10);
			wide(&file, name);
		}
		assert_int_equal(onenote_open(buf_slice(&file), &budget, &sink), RC_OK);
		struct slice rest = buf_slice(&heard.lines);
		while (rest.len != 0)
			names += slice_starts(slice_until(&rest, '\n'), SLICE("text 6 "));
		assert_int_equal(names, count < ONENOTE_NAMES_MAX ? count : ONENOTE_NAMES_MAX);
		buf_done(&file);
		heard_done(&heard);
	}
}

/* The packing of the cloud: files are known by how they begin. */
static void test_packaged(void **state)
{
	struct heard              heard = heard_make();
	const struct content_sink sink = heard_sink(&heard);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct buf                file = buf_make(65536);

	(void)state;
	buf_put(&file, section);
	zeros(&file, 32);
	buf_put(&file, SLICE("\x2f\xe9\x8d\x63\xd4\xa6\xc1\x4b\x9a\x36\xb3\xfc\x25\x11\xa5\xb7"));
	zeros(&file, 9);
	buf_put(&file, SLICE("%PDF-1.4 abc"));
	buf_put(&file, SLICE("PK\3\4def"));
	assert_int_equal(onenote_open(buf_slice(&file), &budget, &sink), RC_OK);
	assert_true(heard_line(&heard, "member 0 |%PDF-1.4 abc"));
	assert_true(heard_line(&heard, "member 0 |PK\\x03\\x04def"));
	buf_done(&file);
	heard_done(&heard);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_files),     cmocka_unit_test(test_size_lies), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_names_max), cmocka_unit_test(test_packaged),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
