/* When a certificate's end is an alarm: at each bound, one day before it and one behind. */
#include "gate/watch.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void alarms_come_at_thirty_fourteen_seven_and_the_end(void **state)
{
	(void)state;
	static const struct {
		int64_t  days;
		unsigned alarm;
	} rows[] = { { 400, 0 }, { 31, 0 }, { 30, 1 }, { 15, 1 }, { 14, 2 }, { 8, 2 }, { 7, 3 }, { 1, 3 }, { 0, 3 }, { -1, 4 }, { -5, 4 } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (watch_certificate_alarm(rows[i].days) != rows[i].alarm)
			fail_msg("%lld days", (long long)rows[i].days);
	}
}

static void days_are_whole_and_rounded_down(void **state)
{
	(void)state;
	static const struct {
		int64_t left_s, days;
	} rows[] = { { 86400, 1 }, { 86399, 0 }, { 1, 0 }, { 0, 0 }, { -1, -1 }, { -86400, -1 }, { -86401, -2 }, { 30 * 86400, 30 }, { 31 * 86400 - 1, 30 } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(watch_certificate_days(1700000000 + rows[i].left_s, 1700000000), rows[i].days);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(alarms_come_at_thirty_fourteen_seven_and_the_end),
		                            cmocka_unit_test(days_are_whole_and_rounded_down) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
