/*
 * The loop: descriptors, tasks from other threads, deferred work, stopping. Only the kernel's readiness decides, no
 * clock.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "net/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int set_up(void **state)
{
	struct loop *loop = NULL;

	if (loop_open(0, &loop, NULL) != RC_OK)
		return -1;
	*state = loop;
	return 0;
}

static int tear_down(void **state)
{
	struct loop *loop = *state;

	loop_close(&loop);
	return loop != NULL;
}

/* ---- descriptors ---- */

struct end {
	struct loop_watch watch;
	struct loop      *loop;
	unsigned          calls;
	uint32_t          events;
	struct end       *drop; /* another one to take away while handling */
};

static struct end *called; /* the last one */

static void ready(struct loop_watch *watch, uint32_t events)
{
	struct end *end = LIST_OF(watch, struct end, watch);
	char        byte;

	called = end;
	end->calls++;
	end->events |= events;
	if ((events & LOOP_IN) != 0)
		(void)!read(watch->fd, &byte, 1);
	if (end->drop != NULL) {
		loop_unwatch(end->loop, &end->drop->watch);
		free(end->drop);
		end->drop = NULL;
	}
}

static void a_descriptor_is_watched_and_left(void **state)
{
	struct loop *loop = *state;
	int          pair[2];
	struct end   end = { .loop = loop };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(loop_watch(loop, &end.watch, pair[0], LOOP_IN, ready), RC_OK);
	assert_int_equal(loop_turn(loop, 0), RC_OK);
	assert_int_equal(end.calls, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(loop_turn(loop, 1000), RC_OK);
	assert_int_equal(end.calls, 1);
	assert_int_equal(loop_rewatch(loop, &end.watch, LOOP_IN | LOOP_OUT), RC_OK);
	assert_int_equal(loop_turn(loop, 1000), RC_OK);
	assert_int_equal(end.calls, 2);
	assert_true((end.events & LOOP_OUT) != 0);
	loop_unwatch(loop, &end.watch);
	loop_unwatch(loop, &end.watch);
	assert_int_equal(loop_turn(loop, 0), RC_OK);
	assert_int_equal(end.calls, 2);
	(void)close(pair[0]);
	(void)close(pair[1]);
	/* A descriptor that epoll refuses is an answer, not a crash. */
	assert_int_equal(loop_watch(loop, &end.watch, 100000, LOOP_IN, ready), RC_IO);
}

static void an_owner_freed_in_the_same_turn_is_not_called(void **state)
{
	struct loop *loop = *state;
	int          pairs[2][2];
	struct end  *ends[2];

	for (unsigned index = 0; index < 2; index++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[index]), 0);
		ends[index] = calloc(1, sizeof **ends);
		assert_non_null(ends[index]);
		ends[index]->loop = loop;
		assert_int_equal(loop_watch(loop, &ends[index]->watch, pairs[index][0], LOOP_IN, ready), RC_OK);
		assert_int_equal(write(pairs[index][1], "x", 1), 1);
	}
	/* Whichever comes first drops the other. */
	ends[0]->drop = ends[1];
	ends[1]->drop = ends[0];
	assert_int_equal(loop_turn(loop, 1000), RC_OK);
	assert_int_equal(loop_counts(loop)->events, 2);
	for (unsigned index = 0; index < 2; index++) {
		(void)close(pairs[index][0]);
		(void)close(pairs[index][1]);
	}
	assert_non_null(called);
	free(called);
}

/* ---- deferred work and timers ---- */

struct repeat {
	struct loop_defer defer;
	struct loop      *loop;
	unsigned          runs;
};

static void run_again(struct loop_defer *defer)
{
	struct repeat *repeat = LIST_OF(defer, struct repeat, defer);

	repeat->runs++;
	loop_defer(repeat->loop, defer);
}

static void deferred_work_runs_once_a_turn(void **state)
{
	struct loop  *loop = *state;
	struct repeat repeat = { .loop = loop };

	loop_defer_init(&repeat.defer, run_again);
	loop_defer(loop, &repeat.defer);
	loop_defer(loop, &repeat.defer);
	for (unsigned turn = 1; turn <= 3; turn++) {
		assert_int_equal(loop_turn(loop, 100000), RC_OK); /* does not wait: there is work */
		assert_int_equal(repeat.runs, turn);
	}
	loop_defer_stop(&repeat.defer);
	assert_int_equal(loop_turn(loop, 0), RC_OK);
	assert_int_equal(repeat.runs, 3);
}

struct stopper {
	struct timer timer;
	struct loop *loop;
};

static void stop_now(struct timer *timer)
{
	loop_stop(LIST_OF(timer, struct stopper, timer)->loop);
}

static void a_timer_ends_the_wait(void **state)
{
	struct loop   *loop = *state;
	struct stopper stopper = { .loop = loop };
	const uint64_t began_ms = loop_now_ms(loop);

	timer_init(&stopper.timer, stop_now);
	loop_timer_set(loop, &stopper.timer, 20);
	assert_int_equal(loop_run(loop), RC_OK);
	assert_true(loop_now_ms(loop) >= began_ms + 20);
	assert_int_equal(loop_counts(loop)->timers, 1);
}

/* ---- tasks from other threads ---- */

enum { POSTERS = 4, POSTS = 20000 };

struct post {
	struct loop_task task;
	unsigned         poster, number;
};

static struct loop *posted_to;
static struct post  posts[POSTERS][POSTS];
static unsigned     expected[POSTERS];
static size_t       posts_run;

static void run_post(struct loop_task *task)
{
	const struct post *post = (const struct post *)(const void *)task;

	assert_int_equal(expected[post->poster], post->number); /* each poster's own order is kept */
	expected[post->poster]++;
	if (++posts_run == (size_t)POSTERS * POSTS)
		loop_stop(posted_to);
}

static void *post_all(void *argument)
{
	const unsigned poster = *(const unsigned *)argument;

	for (unsigned number = 0; number < POSTS; number++) {
		posts[poster][number] = (struct post){ .task.run = run_post, .poster = poster, .number = number };
		loop_post(posted_to, &posts[poster][number].task);
	}
	return NULL;
}

static void posts_of_several_threads_all_run(void **state)
{
	pthread_t threads[POSTERS];
	unsigned  numbers[POSTERS];

	posted_to = *state;
	posts_run = 0;
	for (unsigned index = 0; index < POSTERS; index++) {
		numbers[index] = index;
		expected[index] = 0;
		assert_int_equal(pthread_create(&threads[index], NULL, post_all, &numbers[index]), 0);
	}
	assert_int_equal(loop_run(posted_to), RC_OK);
	for (unsigned index = 0; index < POSTERS; index++)
		assert_int_equal(pthread_join(threads[index], NULL), 0);
	assert_int_equal(posts_run, (size_t)POSTERS * POSTS);
	assert_true(loop_counts(posted_to)->wakes <= loop_counts(posted_to)->turns);
}

static void run_count(struct loop_task *task)
{
	(void)task;
	posts_run++;
}

static void what_was_posted_before_the_stop_is_run(void **state)
{
	struct loop     *loop = *state;
	struct loop_task tasks[LOOP_TASKS_PER_TURN * 2 + 1];

	posts_run = 0;
	for (size_t index = 0; index < sizeof tasks / sizeof *tasks; index++) {
		tasks[index].run = run_count;
		loop_post(loop, &tasks[index]);
	}
	loop_stop(loop);
	assert_int_equal(loop_run(loop), RC_OK);
	assert_int_equal(posts_run, sizeof tasks / sizeof *tasks);
	/* A turn runs no more than its bound. */
	for (size_t index = 0; index < sizeof tasks / sizeof *tasks; index++)
		loop_post(loop, &tasks[index]);
	posts_run = 0;
	assert_int_equal(loop_turn(loop, 1000), RC_OK);
	assert_int_equal(posts_run, LOOP_TASKS_PER_TURN);
	assert_int_equal(loop_drain(loop), LOOP_TASKS_PER_TURN + 1);
}

/* A turn of a loop that was asleep when something was put: the next turn runs it, woken or not, and in its place in the order. */
static void what_was_put_waits_for_the_wake(void **state)
{
	struct loop     *loop = *state;
	struct loop_task tasks[2] = { { .run = run_count }, { .run = run_count } };
	const uint64_t   wakes = loop_counts(loop)->wakes;

	posts_run = 0;
	loop_put(loop, &tasks[0]);
	assert_int_equal(posts_run, 0);
	loop_wake(loop);
	assert_int_equal(loop_turn(loop, 1000), RC_OK);
	assert_int_equal(posts_run, 1);
	loop_put(loop, &tasks[0]);
	loop_post(loop, &tasks[1]);
	assert_int_equal(loop_turn(loop, 1000), RC_OK);
	assert_int_equal(posts_run, 3);
	assert_true(loop_counts(loop)->wakes <= wakes + 2);
}

static void no_memory_is_an_answer(void **state)
{
	struct loop *loop = NULL;

	(void)state;
	for (long count = 0; count < 2; count++) {
		struct fault fault = { 0 };
		memory_fail_after(count);
		assert_int_equal(loop_open(LOOP_SCRATCH_MIN, &loop, &fault), RC_NOMEM);
		memory_fail_after(-1);
		assert_int_equal(fault.rc, RC_NOMEM);
		assert_null(loop);
	}
	assert_int_equal(loop_open(LOOP_SCRATCH_MIN, &loop, NULL), RC_OK);
	assert_int_equal(loop_scratch_size(loop), LOOP_SCRATCH_MIN);
	assert_ptr_equal(loop_scratch_out(loop), loop_scratch_in(loop) + LOOP_SCRATCH_MIN);
	loop_close(&loop);
	loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_descriptor_is_watched_and_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_owner_freed_in_the_same_turn_is_not_called, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deferred_work_runs_once_a_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_ends_the_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(posts_of_several_threads_all_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_posted_before_the_stop_is_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_put_waits_for_the_wake, set_up, tear_down),
		cmocka_unit_test(no_memory_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
