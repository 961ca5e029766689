/* Bytes, steps and the ratio of one stream. */
#include "content/meter.h"

#include "base/must.h"

#define STEPS_MAX 64u

struct meter meter_make(struct budget *budget, uint64_t in, uint64_t steps)
{
	must(budget != NULL);
	must(steps >= 1 && steps <= STEPS_MAX);
	return (struct meter){ .budget = budget, .in = in, .steps = steps };
}

size_t meter_room(struct meter *meter, size_t wanted)
{
	const uint64_t bytes = meter->budget->left[BUDGET_BYTES];
	const uint64_t steps = meter->budget->left[BUDGET_STEPS] / meter->steps;
	const uint64_t most = METER_RATIO_FREE + meter->in * METER_RATIO_MAX;

	must(wanted != 0);
	must(meter->in <= UINT64_MAX / METER_RATIO_MAX / 2);
	if (meter->out >= most) {
		meter->bomb = true;
		return 0;
	}
	if (bytes == 0)
		meter->budget->cut[BUDGET_BYTES] = true;
	if (steps == 0)
		meter->budget->cut[BUDGET_STEPS] = true;
	if (wanted > most - meter->out)
		wanted = (size_t)(most - meter->out);
	if (wanted > bytes)
		wanted = (size_t)bytes;
	return wanted > steps ? (size_t)steps : wanted;
}

void meter_came(struct meter *meter, size_t count)
{
	must(budget_take(meter->budget, BUDGET_BYTES, count));
	must(budget_take(meter->budget, BUDGET_STEPS, count * meter->steps));
	meter->out += count;
}
