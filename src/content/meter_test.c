/* Room is what budget, steps and the ratio leave: each at one below its bound, at it, and above. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "content/meter.h"

static void bytes_and_steps_bound_it(void **state)
{
	struct budget budget = { .left = { [BUDGET_BYTES] = 10, [BUDGET_STEPS] = 100 } };
	struct meter  meter = meter_make(&budget, 1000, 4);

	(void)state;
	assert_int_equal(meter_room(&meter, 9), 9);
	assert_int_equal(meter_room(&meter, 10), 10);
	assert_int_equal(meter_room(&meter, 11), 10);
	meter_came(&meter, 9);
	assert_int_equal(budget.left[BUDGET_STEPS], 64);
	assert_int_equal(meter_room(&meter, 11), 1);
	assert_false(budget.cut[BUDGET_BYTES]);
	meter_came(&meter, 1);
	assert_int_equal(meter_room(&meter, 1), 0);
	assert_true(budget.cut[BUDGET_BYTES]);
	budget.left[BUDGET_BYTES] = 100;
	assert_int_equal(meter_room(&meter, 16), 15); /* 60 steps are left */
	budget.left[BUDGET_STEPS] = 3;
	assert_int_equal(meter_room(&meter, 1), 0);
	assert_true(budget.cut[BUDGET_STEPS]);
	assert_false(meter.bomb);
}

static void the_ratio_bounds_it(void **state)
{
	struct budget  budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct meter   meter = meter_make(&budget, 4, 1);
	const uint64_t most = METER_RATIO_FREE + 4 * METER_RATIO_MAX;

	(void)state;
	meter_came(&meter, most - 1);
	assert_int_equal(meter_room(&meter, 2), 1);
	assert_false(meter.bomb);
	meter_came(&meter, 1);
	assert_int_equal(meter_room(&meter, 1), 0);
	assert_true(meter.bomb);
	assert_false(budget.cut[BUDGET_BYTES]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_steps_bound_it),
		cmocka_unit_test(the_ratio_bounds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
