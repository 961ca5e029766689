/* Tests of the budget: each part at N-1, N and N+1, and what is remembered. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "content/budget.h"

static void what_is_left_can_be_taken_and_no_more(void **state)
{
	const struct budget_limits limits = BUDGET_LIMITS_STANDARD;

	(void)state;
	for (int part = 0; part < BUDGET_PARTS; part++) {
		struct budget  budget = budget_make(&limits);
		const uint64_t whole = budget.left[part];

		assert_true(budget_take(&budget, (enum budget_part)part, whole - 1));
		assert_true(budget_take(&budget, (enum budget_part)part, 1));
		assert_false(budget.cut[part]);
		assert_false(budget_take(&budget, (enum budget_part)part, 1));
		assert_true(budget.cut[part]);
		assert_int_equal(budget.left[part], 0);
		assert_true(budget_take(&budget, (enum budget_part)part, 0));
	}
}

static void a_refusal_takes_nothing(void **state)
{
	struct budget budget = { .left = { [BUDGET_BYTES] = 10 } };

	(void)state;
	assert_false(budget_take(&budget, BUDGET_BYTES, 11));
	assert_false(budget_take(&budget, BUDGET_BYTES, UINT64_MAX));
	assert_true(budget_take(&budget, BUDGET_BYTES, 10));
	assert_true(budget.cut[BUDGET_BYTES]);
	assert_false(budget.cut[BUDGET_ITEMS]);
}

static void depth_comes_back(void **state)
{
	struct budget_limits limits = BUDGET_LIMITS_STANDARD;

	(void)state;
	limits.depth = 2;

	struct budget budget = budget_make(&limits);

	for (int round = 0; round < 3; round++) {
		assert_true(budget_enter(&budget));
		assert_true(budget_enter(&budget));
		assert_false(budget_enter(&budget));
		budget_leave(&budget);
		budget_leave(&budget);
	}
}

static void limits_are_checked_at_both_ends(void **state)
{
	static const struct {
		size_t   at; /* of the field, in struct budget_limits */
		uint64_t low, high;
	} rows[] = {
		{ offsetof(struct budget_limits, bytes), UINT64_C(64) << 10, UINT64_C(64) << 30 },
		{ offsetof(struct budget_limits, items), 16, 1000000 },
		{ offsetof(struct budget_limits, steps), UINT64_C(1) << 16, UINT64_C(1) << 40 },
		{ offsetof(struct budget_limits, depth), 1, 64 },
		{ offsetof(struct budget_limits, tries), 0, 10000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct budget_limits limits = BUDGET_LIMITS_STANDARD;
		uint64_t            *field = (uint64_t *)(void *)((char *)&limits + rows[i].at);

		assert_true(budget_limits_check(&limits));
		*field = rows[i].low;
		assert_true(budget_limits_check(&limits));
		*field = rows[i].high;
		assert_true(budget_limits_check(&limits));
		*field = rows[i].high + 1;
		assert_false(budget_limits_check(&limits));
		*field = rows[i].low - 1; /* below 0: the largest number there is */
		assert_false(budget_limits_check(&limits));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_can_be_taken_and_no_more),
		cmocka_unit_test(a_refusal_takes_nothing),
		cmocka_unit_test(depth_comes_back),
		cmocka_unit_test(limits_are_checked_at_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
