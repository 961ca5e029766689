/* Tests of queue/schedule where moments move: a clock that was set, and a destination that works again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/fold.h"
#include "queue/schedule.h"

#define HOUR INT64_C(3600000)

static void domain_key(void *context, struct slice address, struct slice route, struct buf *out)
{
	(void)context;
	(void)route;
	buf_put(out, queue_domain(address));
}

static struct queue *open_queue(void)
{
	static const struct queue_settings settings = {
		.messages_max = 100000, .memory_max = 1u << 26, .hold_expire_ms = HOUR, .seed = 7, .key = domain_key,
	};
	struct queue *queue = NULL;

	assert_int_equal(queue_open(&settings, &queue), RC_OK);
	return queue;
}

/* A message for `address`, tried and put off until `next_ms`: by a word about itself, or because nobody is there. */
static void put_off(struct queue *queue, uint64_t id, const char *address, bool stranded, int64_t next_ms)
{
	struct event_recipient recipient = { .address = slice_str(address) };
	struct event_message message = { .id = id, .sender = SLICE("s@x"), .body_size = 10, .recipients = &recipient, .recipient_count = 1 };
	struct queue_place place = { .body = { .position = { 1, 64, 2 * id } }, .message = { .position = { 1, 64, 2 * id + 1 } } };
	struct event_recipient_result result = { .result = RESULT_DEFERRED, .code = 451, .next_ms = next_ms };
	struct event_outcome outcome = { .message = id, .at_ms = 5000, .attempt = 1, .results = &result, .result_count = 1 };

	struct queue_recipient *taken = NULL;

	assert_int_equal(queue_apply_message(queue, &message, &place, NULL), RC_OK);
	assert_int_equal(queue_take(queue, queue_find(queue, id)->recipients[0].destination, 1, &taken), 1);
	if (stranded)
		queue_strand(taken);
	assert_int_equal(queue_apply_outcome(queue, &outcome, NULL), RC_OK);
}

static uint64_t ready(const struct queue *queue)
{
	struct queue_counts counts;

	queue_count(queue, &counts);
	return counts.ready;
}

static void a_clock_set_back_makes_nothing_wait_longer(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	for (uint64_t id = 1; id <= 5; id++)
		put_off(queue, id, "a@b", false, 30 * HOUR + (int64_t)id * 1000);
	assert_int_equal(queue_wake_ms(queue), 30 * HOUR + 1000);
	queue_clock_moved(queue, -29 * HOUR);
	assert_int_equal(queue_wake_ms(queue), HOUR + 1000);
	queue_tick(queue, HOUR + 3000);
	assert_int_equal(ready(queue), 3);
	queue_clock_moved(queue, -100 * HOUR); /* never before the beginning of time */
	assert_int_equal(queue_wake_ms(queue), 1);
	queue_tick(queue, 1);
	assert_int_equal(ready(queue), 5);
	queue_close(&queue);
}

/* Far ahead and back again: nothing has come early, and nothing late. */
static void a_clock_that_comes_back_leaves_all_as_it_was(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	for (uint64_t id = 1; id <= 5; id++)
		put_off(queue, id, "a@b", false, HOUR + (int64_t)id * 1000);
	queue_clock_moved(queue, 100 * HOUR);
	queue_tick(queue, 101 * HOUR);
	assert_int_equal(ready(queue), 0);
	assert_int_equal(queue_wake_ms(queue), 101 * HOUR + 1000);
	queue_clock_moved(queue, -100 * HOUR);
	assert_int_equal(queue_wake_ms(queue), HOUR + 1000);
	queue_clock_moved(queue, INT64_MAX); /* the end of time: never, and no overflow */
	assert_int_equal(queue_wake_ms(queue), INT64_MAX);
	queue_close(&queue);
}

/* All in one millisecond: what counts is the reason, not the moment. */
static void a_destination_that_is_back_gets_what_it_missed(void **state)
{
	struct queue *queue = open_queue();
	struct queue_recipient *taken = NULL;

	(void)state;
	for (uint64_t id = 1; id <= 4; id++)
		put_off(queue, id, "a@b", id != 1, HOUR - (int64_t)id);
	put_off(queue, 5, "a@elsewhere", true, HOUR);
	struct queue_destination *destination = queue_find(queue, 1)->recipients[0].destination;
	queue_destination_hasten(queue, destination);
	assert_int_equal(queue_wake_ms(queue), 1);
	queue_tick(queue, 10000);
	assert_int_equal(ready(queue), 3); /* not what was put off for its own sake, and nobody else's */
	assert_int_equal(queue_wake_ms(queue), HOUR - 1);
	/* Handed out again and put off by the host: that is its own affair from now on. */
	struct event_recipient_result result = { .result = RESULT_DEFERRED, .code = 451, .next_ms = 2 * HOUR };
	assert_int_equal(queue_take(queue, destination, 1, &taken), 1);
	struct event_outcome outcome = { .message = queue_entry_of(taken)->id, .at_ms = 5000, .attempt = 2, .results = &result, .result_count = 1 };
	assert_int_equal(queue_apply_outcome(queue, &outcome, NULL), RC_OK);
	queue_destination_hasten(queue, destination);
	assert_int_equal(queue_wake_ms(queue), HOUR - 1);
	queue_tick(queue, HOUR);
	assert_int_equal(ready(queue), 4);
	queue_tick(queue, 2 * HOUR);
	assert_int_equal(ready(queue), 5);
	queue_close(&queue);
}

/* Many, in no order: the heap is one again afterwards. */
static void the_order_of_moments_holds(void **state)
{
	struct queue *queue = open_queue();
	int64_t last = 0;

	(void)state;
	for (uint64_t id = 1; id <= 2000; id++)
		put_off(queue, id, id % 3 == 0 ? "a@b" : "a@c", true, HOUR + (int64_t)(id * 7919 % 2003));
	queue_destination_hasten(queue, queue_find(queue, 3)->recipients[0].destination);
	queue_tick(queue, 1);
	assert_int_equal(ready(queue), 666);
	while (queue_wake_ms(queue) != INT64_MAX) {
		assert_true(queue_wake_ms(queue) > last);
		last = queue_wake_ms(queue);
		queue_tick(queue, last);
	}
	assert_int_equal(ready(queue), 2000);
	queue_close(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_set_back_makes_nothing_wait_longer),
		cmocka_unit_test(a_clock_that_comes_back_leaves_all_as_it_was),
		cmocka_unit_test(a_destination_that_is_back_gets_what_it_missed),
		cmocka_unit_test(the_order_of_moments_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
