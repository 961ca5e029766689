/* The wheel against a plain list of moments, by a clock of the test's own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/timer.h"

#include <stdlib.h>

struct clocked {
	struct timer timer;
	unsigned     fired;
	uint64_t     fired_at;
};

static struct timer_wheel wheel;

static void fire(struct timer *timer)
{
	struct clocked *clocked = LIST_OF(timer, struct clocked, timer);

	assert_false(timer_is_set(timer));
	clocked->fired++;
	clocked->fired_at = wheel.now_ms;
}

static const struct {
	const char *name;
	uint64_t    start, due;
} rows[] = {
	{ "the next millisecond", 1000, 1001 },
	{ "the present one", 1000, 1000 },
	{ "one that has passed", 1000, 3 },
	{ "the end of a level", 0, 63 },
	{ "the start of the next level", 0, 64 },
	{ "just before a block ends", 62, 64 },
	{ "from the last slot of a level", 63, 64 },
	{ "from the last slot of two levels", 4095, 4096 },
	{ "a minute", 123456789, 123456789 + 60000 },
	{ "five minutes", 123456789, 123456789 + 300000 },
	{ "a day", 123456789, 123456789 + 86400000ull },
	{ "five days over a block edge", (1ull << 36) - 5, (1ull << 36) + 432000000ull },
	{ "a century", 5, 3155760000000ull },
};

static void each_fires_at_its_moment(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		struct clocked clocked = { 0 };
		timer_init(&clocked.timer, fire);
		timer_wheel_init(&wheel, rows[row].start);
		assert_true(timer_wheel_next(&wheel) == UINT64_MAX);
		timer_wheel_set(&wheel, &clocked.timer, rows[row].due);
		unsigned steps = 0;
		while (clocked.fired == 0) {
			const uint64_t next = timer_wheel_next(&wheel);
			if (next > rows[row].due && rows[row].due > rows[row].start)
				fail_msg("%s: sleeps past its moment", rows[row].name);
			(void)timer_wheel_advance(&wheel, next, 100);
			if (++steps > TIMER_LEVELS + 1)
				fail_msg("%s: too many steps", rows[row].name);
		}
		const uint64_t expected = rows[row].due > rows[row].start ? rows[row].due : rows[row].start;
		if (clocked.fired_at != expected)
			fail_msg("%s: fired at another moment", rows[row].name);
		assert_true(timer_wheel_next(&wheel) == UINT64_MAX);
	}
}

static void later_and_earlier(void **state)
{
	struct clocked clocked = { 0 };

	(void)state;
	timer_init(&clocked.timer, fire);
	timer_wheel_init(&wheel, 50);
	timer_wheel_set(&wheel, &clocked.timer, 100);
	timer_wheel_set(&wheel, &clocked.timer, 5000); /* stays in its slot */
	(void)timer_wheel_advance(&wheel, 4999, 10);
	assert_int_equal(clocked.fired, 0);
	timer_wheel_set(&wheel, &clocked.timer, 5010);
	timer_wheel_set(&wheel, &clocked.timer, 5001);
	(void)timer_wheel_advance(&wheel, 5000, 10);
	assert_int_equal(clocked.fired, 0);
	(void)timer_wheel_advance(&wheel, 5001, 10);
	assert_int_equal(clocked.fired, 1);
	timer_wheel_set(&wheel, &clocked.timer, 6000);
	timer_stop(&clocked.timer);
	timer_stop(&clocked.timer);
	(void)timer_wheel_advance(&wheel, 7000, 10);
	assert_int_equal(clocked.fired, 1);
	assert_true(timer_wheel_next(&wheel) == UINT64_MAX);
}

static struct clocked     *victim;
static struct timer_wheel *refill;

static void fire_and_stop_other(struct timer *timer)
{
	fire(timer);
	if (victim != NULL) {
		timer_stop(&victim->timer);
		free(victim); /* its memory goes: the wheel may not look at it again */
		victim = NULL;
	}
}

static void fire_and_set_again(struct timer *timer)
{
	fire(timer);
	timer_wheel_set(refill, timer, refill->now_ms);
}

static void handlers_may_stop_free_and_set(void **state)
{
	struct clocked first = { 0 }, again = { 0 };

	(void)state;
	timer_wheel_init(&wheel, 0);
	victim = calloc(1, sizeof *victim);
	assert_non_null(victim);
	timer_init(&first.timer, fire_and_stop_other);
	timer_init(&victim->timer, fire);
	timer_wheel_set(&wheel, &first.timer, 10);
	timer_wheel_set(&wheel, &victim->timer, 10);
	assert_int_equal(timer_wheel_advance(&wheel, 10, 10), 1);
	assert_null(victim);

	refill = &wheel;
	timer_init(&again.timer, fire_and_set_again);
	timer_wheel_set(&wheel, &again.timer, 20);
	assert_int_equal(timer_wheel_advance(&wheel, 20, 10), 1); /* not for ever */
	assert_true(timer_wheel_next(&wheel) == 20);
	assert_int_equal(timer_wheel_advance(&wheel, 20, 10), 1);
	timer_stop(&again.timer);
}

static void no_more_than_asked_for(void **state)
{
	struct clocked many[10] = { 0 };

	(void)state;
	timer_wheel_init(&wheel, 0);
	for (unsigned index = 0; index < 10; index++) {
		timer_init(&many[index].timer, fire);
		timer_wheel_set(&wheel, &many[index].timer, 5 + index % 2);
	}
	assert_int_equal(timer_wheel_advance(&wheel, 6, 4), 4);
	assert_true(timer_wheel_next(&wheel) == 6);
	timer_wheel_set(&wheel, &many[9].timer, 500); /* waits among the due, and is moved on */
	assert_int_equal(timer_wheel_advance(&wheel, 6, 100), 5);
	assert_int_equal(many[9].fired, 0);
	assert_int_equal(timer_wheel_advance(&wheel, 500, 100), 1);
	for (unsigned index = 0; index < 10; index++)
		assert_int_equal(many[index].fired, 1);
}

/* A small generator, so that each run is the same. */
static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

static void like_a_plain_list(void **state)
{
	enum { MANY = 200, STEPS = 20000 };
	static struct clocked many[MANY];
	static uint64_t       due[MANY]; /* 0: not set */
	uint64_t              seed = 7, now = 1000;

	(void)state;
	timer_wheel_init(&wheel, now);
	for (unsigned index = 0; index < MANY; index++)
		timer_init(&many[index].timer, fire);
	for (unsigned step = 0; step < STEPS; step++) {
		const size_t which = draw(&seed) % MANY;
		switch (draw(&seed) % 4) {
		case 0:
		case 1:
			due[which] = now + 1 + (draw(&seed) >> draw(&seed) % 30);
			timer_wheel_set(&wheel, &many[which].timer, due[which]);
			break;
		case 2:
			due[which] = 0;
			timer_stop(&many[which].timer);
			break;
		default:
			now += draw(&seed) >> (8 + draw(&seed) % 22);
			(void)timer_wheel_advance(&wheel, now, MANY);
			break;
		}
		uint64_t first = UINT64_MAX;
		for (unsigned index = 0; index < MANY; index++) {
			const bool should = due[index] != 0 && due[index] <= now;
			if (should) {
				assert_int_equal(many[index].fired, 1);
				many[index].fired = 0;
				due[index] = 0;
			}
			assert_int_equal(many[index].fired, 0);
			assert_int_equal(timer_is_set(&many[index].timer), due[index] != 0);
			if (due[index] != 0 && due[index] < first)
				first = due[index];
		}
		assert_true(timer_wheel_next(&wheel) <= first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fires_at_its_moment),
		cmocka_unit_test(later_and_earlier),
		cmocka_unit_test(handlers_may_stop_free_and_set),
		cmocka_unit_test(no_more_than_asked_for),
		cmocka_unit_test(like_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
