/* Subtraction that cannot go below nothing, and remembers who was refused. */
#include "content/budget.h"

#include "base/must.h"

bool budget_limits_check(const struct budget_limits *limits)
{
	return limits->bytes >= UINT64_C(64) << 10 && limits->bytes <= UINT64_C(64) << 30 && limits->items >= 16 &&
	       limits->items <= 1000000 && limits->steps >= UINT64_C(1) << 16 && limits->steps <= UINT64_C(1) << 40 &&
	       limits->depth >= 1 && limits->depth <= 64 && limits->tries <= 10000;
}

struct budget budget_make(const struct budget_limits *limits)
{
	return (struct budget){ .left = {
		                        [BUDGET_BYTES] = limits->bytes,
		                        [BUDGET_ITEMS] = limits->items,
		                        [BUDGET_STEPS] = limits->steps,
		                        [BUDGET_DEPTH] = limits->depth,
		                        [BUDGET_TRIES] = limits->tries,
		                } };
}

bool budget_take(struct budget *budget, enum budget_part part, uint64_t amount)
{
	must(part < BUDGET_PARTS);
	if (budget->left[part] < amount) {
		budget->cut[part] = true;
		return false;
	}
	budget->left[part] -= amount;
	return true;
}

bool budget_enter(struct budget *budget)
{
	return budget_take(budget, BUDGET_DEPTH, 1);
}

void budget_leave(struct budget *budget)
{
	budget->left[BUDGET_DEPTH]++;
}
