/* Dates as mail writes them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/date.h"

struct row {
	struct slice text;
	int64_t      seconds; /* -1: no date */
	uint32_t     flags;
};

#define ROW(text, seconds, flags)                \
	{                                        \
		SLICE_INIT(text), seconds, flags \
	}
#define LOOSE DATE_LOOSE

static const struct row rows[] = {
	ROW("Sun, 22 Nov 2026 14:37:19 +0000", 1795358239, 0),
	ROW(" Sun, 22 Nov 2026 22:37:19 +0800\r\n", 1795358239, 0),
	ROW("22 Nov 2026 14:37:19 +0000", 1795358239, 0),
	ROW("22 Nov 2026 14:37 +0000", 1795358220, 0),
	ROW("Sun,\r\n 22 Nov\r\n 2026 14:37:19 +0000 (UTC)", 1795358239, 0),
	ROW("Thu, 1 Jan 1970 00:00:00 +0000", 0, 0),
	ROW("Sun, 22 Nov 2026 14:37:19 GMT", 1795358239, LOOSE),
	ROW("Sun, 22 Nov 2026 09:37:19 EST", 1795358239, LOOSE),
	ROW("Sun, 22 Nov 2026 14:37:19", 1795358239, LOOSE),
	ROW("Sun, 22 Nov 26 14:37:19 +0000", 1795358239, LOOSE),
	ROW("Sun, 22 Nov 126 14:37:19 +0000", 1795358239, LOOSE),
	ROW("Sunday, 22-Nov-2026 14:37:19 +0000", 1795358239, 0),
	ROW("22 November 2026 14:37:19 +0000", 1795358239, 0),
	ROW("Nov 22, 2026 14:37:19 +0000", 1795358239, LOOSE),
	ROW("Sun Nov 22 14:37:19 2026", 1795358239, LOOSE),
	ROW("Sun Nov 22 22:37:19 +0800 2026", 1795358239, LOOSE),
	ROW("2026-11-22T14:37:19Z", 1795358239, LOOSE),
	ROW("2026-11-22 14:37:19 +0000", 1795358239, LOOSE),
	ROW("22 (the (second) one) Nov 2026 14:37:19 +0000", 1795358239, 0),
	ROW("", -1, 0),
	ROW("yesterday", -1, 0),
	ROW("Sun, 22 Nov 2026", -1, 0),
	ROW("Sun, 32 Nov 2026 14:37:19 +0000", -1, 0),
	ROW("Sun, 22 Foo 2026 14:37:19 +0000", -1, 0),
	ROW("Sun, 22 Nov 2026 24:37:19 +0000", -1, 0),
	ROW("Sun, 22 Nov 2026 14:60:19 +0000", -1, 0),
	ROW("Sun, 22 Nov 1969 14:37:19 +0000", -1, 0),
	ROW("Sun, 22 Nov 99999 14:37:19 +0000", -1, 0),
	ROW("30 Feb 2026 14:37:19 +0000", -1, 0),
	ROW("14:37:19 +0000", -1, 0),
	ROW("(((((((((((((", -1, 0),
	ROW("\0\0\0\0", -1, 0),
	ROW("1 2 3 4 5 6 7 8 9 10 11 12 13", -1, 0),
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t       seconds = -1;
		uint32_t      flags = 0;
		const enum rc rc = date_read(rows[i].text, &seconds, &flags);
		if ((rc == RC_OK) != (rows[i].seconds >= 0) || seconds != rows[i].seconds || flags != rows[i].flags)
			fail_msg("%.*s: %lld, flags %u", (int)rows[i].text.len, (const char *)rows[i].text.ptr,
			         (long long)seconds, flags);
		for (size_t cut = 0; cut < rows[i].text.len; cut++)
			assert_in_range(date_read(slice_take(rows[i].text, cut), &seconds, &flags), RC_OK, RC_SYNTAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
