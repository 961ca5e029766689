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
	} rows[] = { { 400, 0 }, { 31, 0 }, { 30, 1 }, { 15, 1 }, { 14, 2 }, { 8, 2 }, { 7, 3 }, { 1, 3 }, { 0, 4 }, { -5, 4 } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (watch_certificate_alarm(rows[i].days) != rows[i].alarm)
			fail_msg("%lld days", (long long)rows[i].days);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(alarms_come_at_thirty_fourteen_seven_and_the_end) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
