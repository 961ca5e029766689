/* Threads, locks, queues, clocks and random numbers: what a table cannot show is shown by many threads at once. */
#include "sys/threads.h"

#include "base/memory.h"
#include "sys/clock.h"
#include "sys/random.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define WRITERS 4u
#define EACH    5000u

struct shared {
	struct thread_queue *queue;
	struct mutex         mutex;
	struct condition     condition;
	unsigned             number;
	bool                 go;
};

static void write_many(void *argument)
{
	struct shared *shared = argument;

	for (uintptr_t i = 1; i <= EACH; i++) {
		while (thread_queue_put(shared->queue, (void *)i, NULL) == RC_LIMIT)
			clock_sleep_ms(0);
	}
	mutex_lock(&shared->mutex);
	shared->number++;
	mutex_unlock(&shared->mutex);
}

static void test_many_writers(void **state)
{
	struct shared  shared = { .number = 0 };
	struct thread *threads[WRITERS] = { NULL };
	void          *items[64];
	uint64_t       sum = 0, count = 0;

	(void)state;
	mutex_init(&shared.mutex);
	assert_int_equal(thread_queue_open(16, &shared.queue), RC_OK);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(thread_start("writer", THREAD_STACK_MIN, write_many, &shared, &threads[i]), RC_OK);
	while (count < WRITERS * EACH) {
		const size_t got = thread_queue_wait(shared.queue, items, 64, UINT64_MAX, NULL);
		assert_true(got >= 1 && got <= 16);
		for (size_t i = 0; i < got; i++)
			sum += (uintptr_t)items[i];
		count += got;
	}
	for (size_t i = 0; i < WRITERS; i++)
		thread_join(&threads[i]);
	assert_int_equal(sum, (uint64_t)WRITERS * EACH * (EACH + 1) / 2);
	assert_int_equal(shared.number, WRITERS);
	assert_int_equal(thread_queue_count(shared.queue), 0);
	thread_queue_close(&shared.queue);
	thread_queue_close(&shared.queue);
	mutex_done(&shared.mutex);
}

static void test_queue_rows(void **state)
{
	struct thread_queue *queue = NULL;
	void                *items[4];
	int                  one, two, three;
	bool                 first = false, ended = false;

	(void)state;
	assert_int_equal(thread_queue_open(2, &queue), RC_OK);
	assert_int_equal(thread_queue_take(queue, items, 4), 0);
	assert_int_equal(thread_queue_put(queue, &one, &first), RC_OK);
	assert_true(first);
	assert_int_equal(thread_queue_put(queue, &two, &first), RC_OK);
	assert_false(first);
	assert_int_equal(thread_queue_put(queue, &three, &first), RC_LIMIT);
	assert_int_equal(thread_queue_take(queue, items, 1), 1);
	assert_ptr_equal(items[0], &one);
	assert_int_equal(thread_queue_put(queue, &three, &first), RC_OK);
	assert_false(first);
	assert_int_equal(thread_queue_take(queue, items, 4), 2);
	assert_ptr_equal(items[0], &two);
	assert_ptr_equal(items[1], &three);
	assert_int_equal(thread_queue_wait(queue, items, 4, clock_mono_us() + 1000, &ended), 0);
	assert_false(ended);
	assert_int_equal(thread_queue_put(queue, &one, NULL), RC_OK);
	thread_queue_end(queue);
	assert_int_equal(thread_queue_put(queue, &two, NULL), RC_CLOSED);
	assert_int_equal(thread_queue_wait(queue, items, 4, UINT64_MAX, &ended), 1);
	assert_false(ended);
	assert_int_equal(thread_queue_wait(queue, items, 4, UINT64_MAX, &ended), 0);
	assert_true(ended);
	thread_queue_close(&queue);
	for (long allowed = 0; allowed < 2; allowed++) {
		memory_fail_after(allowed);
		const enum rc rc = thread_queue_open(2, &queue);
		memory_fail_after(-1);
		assert_int_equal(rc, RC_NOMEM);
		assert_null(queue);
	}
}

static void wait_for_go(void *argument)
{
	struct shared *shared = argument;

	mutex_lock(&shared->mutex);
	while (!shared->go)
		condition_wait(&shared->condition, &shared->mutex);
	shared->number++;
	mutex_unlock(&shared->mutex);
}

static void test_conditions(void **state)
{
	struct shared  shared = { .number = 0 };
	struct thread *threads[3] = { NULL };

	(void)state;
	mutex_init(&shared.mutex);
	condition_init(&shared.condition);
	mutex_lock(&shared.mutex);
	assert_false(condition_wait_until(&shared.condition, &shared.mutex, clock_mono_us() + 1000));
	mutex_unlock(&shared.mutex);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(thread_start("waiter", THREAD_STACK_MIN, wait_for_go, &shared, &threads[i]), RC_OK);
	mutex_lock(&shared.mutex);
	shared.go = true;
	condition_broadcast(&shared.condition);
	mutex_unlock(&shared.mutex);
	for (size_t i = 0; i < 3; i++)
		thread_join(&threads[i]);
	assert_int_equal(shared.number, 3);
	memory_fail_after(0);
	const enum rc rc = thread_start("none", THREAD_STACK_MIN, wait_for_go, &shared, &threads[0]);
	memory_fail_after(-1);
	assert_int_equal(rc, RC_NOMEM);
	thread_join(&threads[0]);
	condition_done(&shared.condition);
	mutex_done(&shared.mutex);
	assert_true(thread_processors() >= 1);
}

static void test_clocks(void **state)
{
	const uint64_t mono = clock_mono_us(), cpu = clock_cpu_us();

	(void)state;
	clock_sleep_ms(2);
	assert_true(clock_mono_us() >= mono + 2000);
	assert_true(clock_cpu_us() >= cpu);
	assert_true(clock_thread_cpu_us() <= clock_cpu_us());
	assert_true(clock_mono_ms() >= mono / 1000);
	assert_true(clock_wall_ms() > 1600000000000u);
	assert_true(clock_wall_us() / 1000 >= 1600000000000u);
}

static void test_random(void **state)
{
	uint8_t  one[1000], two[1000];
	unsigned seen[7] = { 0 };

	(void)state;
	random_bytes(one, sizeof one);
	random_bytes(two, sizeof two);
	assert_memory_not_equal(one, two, sizeof one);
	random_bytes(one, 0);
	assert_true(random_u64() != random_u64() || random_u64() != random_u64());
	for (int i = 0; i < 7000; i++)
		seen[random_below(7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 700, 1300);
	assert_int_equal(random_below(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_writers),
		cmocka_unit_test(test_queue_rows),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
