/* CHM: a directory of two names, one stored and one packed; and directories that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "document/chm.h"
#include "harness/told.h"

struct row {
	const char  *name;
	struct slice bytes;
	enum rc      rc;
	const char  *told;
};

#define ROW(name, bytes, rc, told) { name, SLICE_INIT(bytes), rc, told }

/* clang-format off: a table */
#define CHM(directory) "ITSF\3\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\x60\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" directory
static const struct row rows[] = {
	ROW("two names", CHM("\xf4\0\0\0\0\0\0\0") "ITSP\1\0\0\0\x54\0\0\0\x0a\0\0\0" "\x40\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\1\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "PMGL" "\x1b\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0" "\2/a\0\0\2" "\2/b\1\0\5" "\1/\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "hi", RC_OK,
	    "member /a  hi|[8]member /b  |fact content.unreadable|"),
	ROW("no directory", "ITSF\3\0\0\0", RC_OK, "fact content.damaged|"),
	ROW("another", "ITSP", RC_SYNTAX, ""),
};
/* clang-format on */

static enum rc open_it(struct slice bytes, struct budget *budget)
{
	told_begin();
	return chm_open(bytes, budget, &told_sink);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const enum rc rc = open_it(rows[i].bytes, &budget);
		if (rc != rows[i].rc || !slice_eq(buf_slice(&told), slice_str(rows[i].told)))
			fail_msg("%s: %s, %.*s", rows[i].name, rc_word(rc), (int)told.len, (const char *)told.ptr);
		for (size_t cut = 0; cut < rows[i].bytes.len; cut++) {
			uint8_t *exact = malloc(cut + 1);
			memcpy(exact, rows[i].bytes.ptr, cut);
			assert_in_range(open_it(slice_of(exact, cut), &budget), RC_OK, RC_LIMIT);
			free(exact);
		}
		budget.left[BUDGET_STEPS] = 0;
		assert_int_equal(open_it(rows[i].bytes, &budget), rc == RC_OK && rows[i].bytes.len != 0 ? RC_LIMIT : rc);
	}
}

static int end(void **state)
{
	(void)state;
	buf_done(&told);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
	return cmocka_run_group_tests(tests, NULL, end);
}
