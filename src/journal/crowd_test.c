/* Tests of the crowd: whom it pays to wait for, how it shrinks, and that one that is gone is forgotten. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal/crowd.h"

static void few_wait_for_nobody_and_many_for_some(void **state)
{
	static const struct {
		uint64_t together, goal;
	} rows[] = { { 0, 1 }, { 1, 1 }, { 3, 1 }, { 4, 4 }, { 5, 5 }, { 7, 7 }, { 8, 8 }, { 9, 8 }, { 500, 8 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct journal_crowd crowd = { 0 };

		journal_crowd_took(&crowd, rows[i].together);
		assert_int_equal(journal_crowd_goal(&crowd), rows[i].goal);
	}
}

static void it_grows_at_once_and_shrinks_slowly(void **state)
{
	struct journal_crowd crowd = { 0 };
	unsigned             batches = 0;

	(void)state;
	journal_crowd_took(&crowd, 20);
	journal_crowd_took(&crowd, 0); /* lazy groups only: says nothing about who waits */
	for (; journal_crowd_goal(&crowd) > 1; batches++)
		journal_crowd_took(&crowd, 1);
	assert_in_range(batches, 8, 20);
	journal_crowd_took(&crowd, 20);
	assert_int_equal(journal_crowd_goal(&crowd), 8);
}

static void one_that_is_gone_is_forgotten(void **state)
{
	(void)state;
	for (uint64_t after = JOURNAL_CROWD_LASTS_US - 1; after <= JOURNAL_CROWD_LASTS_US + 1; after++) {
		struct journal_crowd crowd = { 0 };

		journal_crowd_took(&crowd, 20);
		journal_crowd_answered(&crowd, 5000);
		journal_crowd_answered(&crowd, 1000000000); /* of a batch of lazy groups: nobody waited for it */
		journal_crowd_came(&crowd, 5000 + after);
		assert_int_equal(journal_crowd_goal(&crowd), after <= JOURNAL_CROWD_LASTS_US ? 8 : 1);
	}
}

/* A disk that takes long for a sync does not disperse anybody. */
static void a_slow_sync_is_no_absence(void **state)
{
	struct journal_crowd crowd = { 0 };

	(void)state;
	journal_crowd_took(&crowd, 20);
	journal_crowd_came(&crowd, 5000 + 100 * JOURNAL_CROWD_LASTS_US); /* while it is being written */
	assert_int_equal(journal_crowd_goal(&crowd), 8);
	journal_crowd_answered(&crowd, 5000 + 200 * JOURNAL_CROWD_LASTS_US);
	journal_crowd_came(&crowd, 5001 + 200 * JOURNAL_CROWD_LASTS_US);
	assert_int_equal(journal_crowd_goal(&crowd), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_wait_for_nobody_and_many_for_some),
		cmocka_unit_test(it_grows_at_once_and_shrinks_slowly),
		cmocka_unit_test(one_that_is_gone_is_forgotten),
		cmocka_unit_test(a_slow_sync_is_no_absence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
