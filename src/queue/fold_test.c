/*
 * Tests of queue/fold, queue/schedule and queue/listing: single records by name, then the property the queue stands on: however a history is
 * cut into a snapshot and a rest, the outcome is the same, byte for byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/fold.h"
#include "queue/listing.h"
#include "queue/schedule.h"

#include "base/memory.h"

/* ---- making histories ---- */

/* The route of a hand-moved recipient, else "r/" and the domain. */
static void test_key(void *context, struct slice address, struct slice route, struct buf *out)
{
	buf_put_str(out, context == NULL ? "" : context);
	if (route.len != 0)
		buf_put(out, route);
	else
		buf_put_str(out, "r");
	buf_put_str(out, "/");
	buf_put(out, queue_domain(address));
}

static const struct queue_settings test_settings = {
	.messages_max = 1000, .memory_max = 1u << 24, .hold_expire_ms = 1000000, .seed = 7, .key = test_key,
};

static struct queue *open_queue(void)
{
	struct queue *queue = NULL;

	assert_int_equal(queue_open(&test_settings, &queue), RC_OK);
	return queue;
}

#define RECIPIENTS_MAX 8

struct shape {
	const char            *sender;
	const char            *addresses[RECIPIENTS_MAX];
	enum event_disposition dispositions[RECIPIENTS_MAX];
};

/* A message record's place: sequence numbers are ids here. */
static struct queue_place place_of(uint64_t id)
{
	struct queue_place place = { .body = { .position = { 1, 4096 + id * 1024, id * 2 }, .bytes = 10, .stored_bytes = 10 },
		                     .message = { .position = { 1, 4096 + id * 1024 + 512, id * 2 + 1 }, .bytes = 20, .stored_bytes = 20 } };

	return place;
}

static enum rc add_shape(struct queue *queue, uint64_t id, int64_t at_ms, const struct shape *shape, struct queue_change *change)
{
	struct event_recipient recipients[RECIPIENTS_MAX] = { 0 };
	struct event_message message = { .id = id, .received_ms = at_ms, .sender = slice_str(shape->sender), .body_size = 10,
		                         .recipients = recipients };
	struct queue_place place = place_of(id);

	for (size_t i = 0; i < RECIPIENTS_MAX && shape->addresses[i] != NULL; i++) {
		recipients[i].address = slice_str(shape->addresses[i]);
		recipients[i].disposition = shape->dispositions[i];
		if (shape->dispositions[i] != DISPOSITION_DELIVER)
			recipients[i].reason = SLICE("a finding");
		message.recipient_count++;
	}
	return queue_apply_message(queue, &message, &place, change);
}

static void add(struct queue *queue, uint64_t id, const char *address)
{
	struct shape shape = { .sender = "s@x", .addresses = { address } };

	assert_int_equal(add_shape(queue, id, (int64_t)id, &shape, NULL), RC_OK);
}

static enum rc result_at(struct queue *queue, uint64_t id, uint32_t recipient, enum event_result result, int64_t next_ms, uint64_t notice,
                      struct queue_change *change)
{
	struct event_recipient_result one = { .recipient = recipient, .result = result, .code = 451, .enhanced = SLICE("4.2.2"),
		                              .text = SLICE("mailbox busy"), .next_ms = next_ms };
	struct event_outcome outcome = { .message = id, .at_ms = 77, .attempt = 1, .host = SLICE("mx.b"), .notice = notice,
		                         .results = &one, .result_count = 1 };

	return queue_apply_outcome(queue, &outcome, change);
}

static enum rc act(struct queue *queue, uint64_t id, uint32_t recipient, enum event_verb verb, const char *argument, struct queue_change *change)
{
	struct event_act one = { .message = id, .at_ms = 88, .verb = verb, .recipient = recipient, .who = SLICE("root"),
		                 .reason = SLICE("because"), .argument = slice_str(argument) };

	return queue_apply_act(queue, &one, change);
}

static struct queue_destination *destination(struct queue *queue, const char *key)
{
	return queue_destination_find(queue, slice_str(key));
}

static struct queue_counts counts(const struct queue *queue)
{
	struct queue_counts out;

	queue_count(queue, &out);
	return out;
}

/* ---- single records ---- */

static void a_message_is_due_for_its_recipients(void **state)
{
	struct queue *queue = open_queue();
	struct shape shape = { "s@x", { "a@b", "c@d", "e@b", "q@b", "z@b" }, { [3] = DISPOSITION_HOLD, [4] = DISPOSITION_DISCARD } };
	struct queue_change change;
	struct queue_recipient *taken[8];

	(void)state;
	assert_int_equal(add_shape(queue, 1, 5, &shape, &change), RC_OK);
	assert_non_null(change.entry);
	assert_false(change.ended);
	assert_int_equal(change.message, 1);
	assert_int_equal(counts(queue).recipients[QUEUE_DUE], 3);
	assert_int_equal(counts(queue).recipients[QUEUE_HELD], 1);
	assert_int_equal(counts(queue).recipients[QUEUE_DROPPED], 1);
	assert_int_equal(counts(queue).ready, 3);
	assert_int_equal(destination(queue, "r/b")->recipient_count, 3);
	assert_int_equal(queue_take(queue, destination(queue, "r/b"), 8, taken), 2);
	assert_true(slice_eq(queue_address(taken[0]), SLICE("a@b")));
	assert_true(slice_eq(queue_address(taken[1]), SLICE("e@b")));
	assert_int_equal(counts(queue).recipients[QUEUE_SENDING], 2);
	assert_int_equal(counts(queue).recipients[QUEUE_DUE], 1);
	assert_int_equal(queue_take(queue, destination(queue, "r/b"), 8, taken + 2), 0);
	queue_untake(queue, taken[1]);
	assert_int_equal(queue_take(queue, destination(queue, "r/b"), 8, taken + 1), 1);
	queue_untake(queue, taken[0]);
	queue_untake(queue, taken[1]);
	assert_int_equal(add_shape(queue, 1, 5, &shape, &change), RC_EXISTS);
	queue_close(&queue);
	assert_null(queue);
}

static void a_message_nobody_gets_ends_at_once(void **state)
{
	struct queue *queue = open_queue();
	struct shape shape = { "", { "a@b" }, { DISPOSITION_DISCARD } };
	struct queue_change change;

	(void)state;
	assert_int_equal(add_shape(queue, 9, 5, &shape, &change), RC_OK);
	assert_true(change.ended);
	assert_null(change.entry);
	assert_int_equal(change.place.body.position.seq, 18);
	assert_int_equal(counts(queue).messages, 0);
	assert_int_equal(counts(queue).destinations, 0);
	queue_close(&queue);
}

static void results_move_recipients(void **state)
{
	struct queue *queue = open_queue();
	struct shape shape = { "s@x", { "a@b", "c@b" }, { 0 } };
	struct queue_change change;
	struct queue_recipient *taken[8];
	int hot = 0;

	(void)state;
	assert_int_equal(add_shape(queue, 1, 5, &shape, &change), RC_OK);
	change.entry->hot = &hot;
	assert_int_equal(queue_take(queue, destination(queue, "r/b"), 8, taken), 2);
	assert_int_equal(result_at(queue, 1, 0, RESULT_DEFERRED, 1000, 0, &change), RC_OK);
	assert_int_equal(queue_recipient_state(taken[0]), QUEUE_DEFERRED);
	assert_int_equal(taken[0]->attempts, 1);
	assert_int_equal(taken[0]->tried_ms, 77);
	assert_true(slice_eq(queue_memo_text(taken[0]), SLICE("mailbox busy")));
	assert_true(slice_eq(queue_memo_host(taken[0]), SLICE("mx.b")));
	assert_true(slice_eq(queue_memo_enhanced(taken[0]), SLICE("4.2.2")));
	assert_int_equal(queue_memo_code(taken[0]), 451);
	assert_int_equal(queue_wake_ms(queue), 1000);
	queue_tick(queue, 999);
	assert_null(queue_next(queue));
	queue_tick(queue, 1000);
	assert_ptr_equal(queue_next(queue), destination(queue, "r/b"));
	assert_int_equal(result_at(queue, 1, 1, RESULT_DELIVERED, 0, 0, &change), RC_OK);
	assert_false(change.ended);
	assert_int_equal(queue_take(queue, destination(queue, "r/b"), 8, taken), 1);
	assert_int_equal(result_at(queue, 1, 0, RESULT_UNCERTAIN, 2000, 0, &change), RC_OK);
	assert_int_equal(queue_recipient_state(taken[0]), QUEUE_UNCERTAIN);
	assert_int_equal(result_at(queue, 1, 0, RESULT_RELAYED, 0, 0, &change), RC_OK);
	assert_true(change.ended);
	assert_ptr_equal(change.hot, &hot);
	assert_int_equal(result_at(queue, 1, 0, RESULT_DELIVERED, 0, 0, &change), RC_NOTFOUND);
	assert_int_equal(counts(queue).memory_bytes, counts(queue).memory_bytes);
	assert_int_equal(queue_wake_ms(queue), INT64_MAX);
	queue_close(&queue);
}

static void results_out_of_range_change_nothing(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	add(queue, 1, "a@b");
	assert_int_equal(result_at(queue, 1, 1, RESULT_DELIVERED, 0, 0, NULL), RC_SYNTAX);
	assert_int_equal(result_at(queue, 1, 0, RESULT_COUNT, 0, 0, NULL), RC_SYNTAX);
	assert_int_equal(act(queue, 1, 1, VERB_DROP, NULL, NULL), RC_SYNTAX);
	assert_int_equal(act(queue, 1, 0, VERB_COUNT, NULL, NULL), RC_SYNTAX);
	assert_int_equal(act(queue, 2, 0, VERB_DROP, NULL, NULL), RC_NOTFOUND);
	assert_int_equal(counts(queue).recipients[QUEUE_DUE], 1);
	queue_close(&queue);
}

static void a_drop_while_sending_ends_it_safely(void **state)
{
	struct queue *queue = open_queue();
	struct queue_change change;
	struct queue_recipient *taken[2];

	(void)state;
	add(queue, 1, "a@b");
	assert_int_equal(queue_take(queue, destination(queue, "r/b"), 2, taken), 1);
	assert_int_equal(act(queue, 1, EVENT_ALL_RECIPIENTS, VERB_DROP, NULL, &change), RC_OK);
	assert_true(change.ended);
	assert_int_equal(counts(queue).messages, 0);
	assert_int_equal(result_at(queue, 1, 0, RESULT_DELIVERED, 0, 0, NULL), RC_NOTFOUND);
	assert_true(slice_eq(queue_address(taken[0]), SLICE("a@b"))); /* still readable */
	queue_untake(queue, taken[0]);
	for (size_t i = 0; i < QUEUE_STATE_COUNT; i++)
		assert_int_equal(counts(queue).recipients[i], 0);
	queue_close(&queue);
}

static void a_hold_wins_over_a_deferral(void **state)
{
	struct queue *queue = open_queue();
	struct queue_recipient *taken[2];

	(void)state;
	add(queue, 1, "a@b");
	assert_int_equal(queue_take(queue, destination(queue, "r/b"), 2, taken), 1);
	assert_int_equal(act(queue, 1, 0, VERB_HOLD, NULL, NULL), RC_OK);
	assert_int_equal(queue_recipient_state(taken[0]), QUEUE_SENDING);
	assert_int_equal(result_at(queue, 1, 0, RESULT_DEFERRED, 1000, 0, NULL), RC_OK);
	assert_int_equal(queue_recipient_state(taken[0]), QUEUE_HELD);
	queue_tick(queue, 5000);
	assert_null(queue_next(queue));
	assert_null(queue_take_expired(queue));
	queue_tick(queue, 1000001);
	assert_ptr_equal(queue_take_expired(queue), taken[0]);
	assert_null(queue_take_expired(queue));
	assert_int_equal(act(queue, 1, 0, VERB_RETRY, NULL, NULL), RC_OK); /* a held one is released, not retried */
	assert_int_equal(queue_recipient_state(taken[0]), QUEUE_HELD);
	assert_int_equal(act(queue, 1, 0, VERB_RELEASE, NULL, NULL), RC_OK);
	assert_non_null(queue_next(queue));
	queue_close(&queue);
}

static void a_reroute_moves_to_the_other_destination(void **state)
{
	struct queue *queue = open_queue();

	(void)state;
	add(queue, 1, "a@b");
	assert_int_equal(result_at(queue, 1, 0, RESULT_DEFERRED, 9000, 0, NULL), RC_OK);
	assert_int_equal(act(queue, 1, 0, VERB_REROUTE, "backup", NULL), RC_OK);
	assert_null(destination(queue, "r/b"));
	assert_ptr_equal(queue_next(queue), destination(queue, "backup/b"));
	assert_true(slice_eq(queue_memo_route(&queue_find(queue, 1)->recipients[0]), SLICE("backup")));
	assert_true(slice_eq(queue_memo_text(&queue_find(queue, 1)->recipients[0]), SLICE("mailbox busy")));
	assert_int_equal(result_at(queue, 1, 0, RESULT_DEFERRED, 9000, 0, NULL), RC_OK); /* the route stays through results */
	assert_non_null(destination(queue, "backup/b"));
	assert_int_equal(act(queue, 1, 0, VERB_REROUTE, "", NULL), RC_OK);
	assert_non_null(destination(queue, "r/b"));
	assert_null(destination(queue, "backup/b"));
	queue_close(&queue);
}

static void destinations_take_turns_and_pauses(void **state)
{
	struct queue *queue = open_queue();
	struct queue_destination *b, *d;

	(void)state;
	add(queue, 1, "a@b");
	add(queue, 2, "a@b");
	add(queue, 3, "c@d");
	b = destination(queue, "r/b");
	d = destination(queue, "r/d");
	assert_ptr_equal(queue_next(queue), b);
	assert_ptr_equal(queue_next(queue), d);
	assert_ptr_equal(queue_next(queue), b);
	queue_destination_shut(queue, b);
	assert_ptr_equal(queue_next(queue), d);
	queue_destination_pause(queue, d, 500);
	assert_null(queue_next(queue));
	assert_int_equal(queue_wake_ms(queue), 500);
	queue_destination_open(queue, b);
	assert_ptr_equal(queue_next(queue), b);
	queue_tick(queue, 500);
	assert_false(d->paused);
	assert_ptr_equal(queue_next(queue), b);
	assert_ptr_equal(queue_next(queue), d);
	queue_destination_pause(queue, d, 900);
	queue_destination_pause(queue, d, 0);
	assert_int_equal(queue_wake_ms(queue), INT64_MAX);

	struct queue_destination *used = NULL;

	assert_int_equal(queue_destination_use(queue, SLICE("r/d"), &used), RC_OK);
	assert_ptr_equal(used, d);
	assert_int_equal(result_at(queue, 3, 0, RESULT_DELIVERED, 0, 0, NULL), RC_OK);
	assert_ptr_equal(destination(queue, "r/d"), d);
	queue_destination_release(queue, &used);
	assert_null(destination(queue, "r/d"));
	assert_int_equal(queue_destination_use(queue, SLICE(""), &used), RC_LIMIT);
	queue_close(&queue);
}

static void old_ones_of_a_dead_destination_are_found(void **state)
{
	struct queue *queue = open_queue();
	struct queue_recipient *taken[10];

	(void)state;
	for (uint64_t id = 1; id <= 10; id++)
		add(queue, id, "a@b");
	assert_int_equal(queue_take_old(queue, destination(queue, "r/b"), 4, false, 10, taken), 4);
	assert_int_equal(queue_entry_of(taken[3])->id, 4);
	for (int i = 0; i < 4; i++)
		queue_untake(queue, taken[i]);
	assert_int_equal(result_at(queue, 2, 0, RESULT_DEFERRED, 100, 999, NULL), RC_OK);
	queue_tick(queue, 100);
	assert_true(queue_find(queue, 2)->recipients[0].noticed);
	assert_int_equal(queue_take_old(queue, destination(queue, "r/b"), 4, true, 10, taken), 3);
	for (int i = 0; i < 3; i++)
		queue_untake(queue, taken[i]);
	queue_close(&queue);
}

static void room_is_bounded(void **state)
{
	struct queue_settings settings = test_settings;
	struct queue *queue = NULL;

	(void)state;
	settings.messages_max = 3;
	assert_int_equal(queue_open(&settings, &queue), RC_OK);
	for (uint64_t id = 1; id <= 3; id++) {
		assert_true(queue_room(queue, 1));
		add(queue, id, "a@b");
	}
	assert_false(queue_room(queue, 1));
	add(queue, 4, "a@b"); /* what the journal has is ours all the same */
	queue_close(&queue);
	settings.messages_max = 100000;
	settings.memory_max = 100000;
	assert_int_equal(queue_open(&settings, &queue), RC_OK);
	uint64_t id = 1;
	while (queue_room(queue, 1))
		add(queue, id++, "a@b");
	assert_in_range(id, 100, 400);
	queue_close(&queue);
}

static void an_entry_is_small(void **state)
{
	struct queue_settings settings = test_settings;
	struct queue *queue = NULL;
	uint64_t empty;

	(void)state;
	settings.messages_max = 300000;
	assert_int_equal(queue_open(&settings, &queue), RC_OK);
	empty = counts(queue).memory_bytes;
	for (uint64_t id = 1; id <= 200000; id++)
		add(queue, id, "somebody@example.org");
	assert_in_range((counts(queue).memory_bytes - empty) / 200000, 1, 400 + 23);
	for (uint64_t id = 1; id <= 200000; id++)
		assert_int_equal(result_at(queue, id, 0, RESULT_DELIVERED, 0, 0, NULL), RC_OK);
	assert_int_equal(counts(queue).messages, 0);
	assert_int_equal(counts(queue).body_bytes, 0);
	queue_close(&queue);
}

/* ---- records as the journal hands them out ---- */

static void records_are_applied_in_order(void **state)
{
	struct queue *queue = open_queue();
	struct event_recipient recipient = { .address = SLICE("a@b") };
	struct event_message message = { .id = 5, .received_ms = 1, .recipients = &recipient, .recipient_count = 1, .body_size = 3 };
	struct buf payload = buf_make(EVENT_PAYLOAD_MAX);
	struct queue_place place = place_of(5);
	struct journal_record body = { .type = EVENT_BODY, .place = place.body };
	struct journal_record record = { .type = EVENT_MESSAGE, .place = place.message };
	struct journal_record other = { .type = EVENT_SESSION, .place = place.message };
	struct queue_change change;

	(void)state;
	event_message_put(&payload, &message);
	record.payload = buf_slice(&payload);
	assert_int_equal(queue_apply(queue, &record, &change), RC_SYNTAX); /* without its body */
	assert_int_equal(queue_apply(queue, &body, &change), RC_OK);
	assert_int_equal(queue_apply(queue, &record, &change), RC_OK);
	assert_int_equal(change.message, 5);
	assert_int_equal(change.entry->place.body.position.seq, 10);
	assert_int_equal(queue_apply(queue, &other, &change), RC_OK);
	assert_int_equal(change.message, 0);
	record.payload = slice_take(record.payload, record.payload.len - 1);
	assert_int_equal(queue_apply(queue, &record, &change), RC_SYNTAX);
	buf_done(&payload);
	queue_close(&queue);
}

/* ---- the property ---- */

static uint64_t roll_state;

static uint32_t roll(uint32_t sides)
{
	roll_state = roll_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(roll_state >> 33) % sides;
}

/* One random record, the same for the same dice. */
static void random_record(struct queue *queue, uint64_t step, uint64_t *last_id)
{
	static const char *const addresses[] = { "a@b", "c@b", "d@e", "f@g", "h@i" };
	uint32_t kind = roll(10);
	uint64_t id = *last_id == 0 ? 0 : 1 + roll((uint32_t)*last_id);
	enum rc rc;

	if (kind < 3 || *last_id == 0) {
		struct shape shape = { .sender = roll(2) ? "s@x" : "", .addresses = { 0 } };
		uint32_t count = 1 + roll(4);

		for (uint32_t i = 0; i < count; i++) {
			shape.addresses[i] = addresses[roll(5)];
			shape.dispositions[i] = (enum event_disposition)(roll(4) == 0 ? 1 + roll(2) : 0);
		}
		rc = add_shape(queue, ++*last_id, (int64_t)step, &shape, NULL);
		assert_int_equal(rc, RC_OK);
	} else if (kind < 7) {
		enum event_result what = (enum event_result)roll(RESULT_COUNT);

		rc = result_at(queue, id, roll(4), what, (int64_t)(step + roll(1000)), roll(5) == 0 ? 1 : 0, NULL);
		assert_true(rc == RC_OK || rc == RC_NOTFOUND || rc == RC_SYNTAX);
	} else {
		rc = act(queue, id, roll(3) == 0 ? EVENT_ALL_RECIPIENTS : roll(3), (enum event_verb)roll(VERB_COUNT), roll(2) ? "" : "backup",
		         NULL);
		assert_true(rc == RC_OK || rc == RC_NOTFOUND || rc == RC_SYNTAX);
	}
}

static void snapshot(const struct queue *queue, struct buf *out)
{
	*out = buf_make(1u << 24);
	queue_snapshot_put(queue, out);
	assert_false(out->failed);
	assert_int_equal(out->len, queue_snapshot_size(queue));
}

/* What the schedule says must agree with what the fold says. */
static void check_sums(struct queue *queue)
{
	struct queue_counts sums = counts(queue);
	uint64_t open = 0, ready = 0;

	for (struct queue_destination *at = queue_destination_after(queue, NULL); at != NULL; at = queue_destination_after(queue, at)) {
		open += at->recipient_count;
		ready += at->ready_count;
	}
	assert_int_equal(open, sums.recipients[QUEUE_DUE] + sums.recipients[QUEUE_DEFERRED] + sums.recipients[QUEUE_UNCERTAIN] +
	                               sums.recipients[QUEUE_HELD] + sums.recipients[QUEUE_SENDING]);
	assert_int_equal(ready, sums.ready);
}

static void a_snapshot_and_the_rest_equal_the_whole(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct queue *whole = open_queue(), *cut = open_queue();
		uint64_t whole_id = 0, cut_id = 0;
		uint64_t cut_at = 1 + seed * 7 % 200;
		struct queue_recipient *taken[8];
		struct buf first, second;

		roll_state = seed;
		for (uint64_t step = 0; step < 200; step++)
			random_record(whole, step, &whole_id);
		roll_state = seed;
		for (uint64_t step = 0; step < 200; step++) {
			random_record(cut, step, &cut_id);
			check_sums(cut);
			if (step % 13 == 0) { /* the live one also ticks and hands out; that must not show */
				struct queue_destination *next;
				size_t count;

				queue_tick(cut, (int64_t)step);
				next = queue_next(cut);
				count = next == NULL ? 0 : queue_take(cut, next, 8, taken);
				check_sums(cut);
				for (size_t i = 0; i < count; i++)
					queue_untake(cut, taken[i]);
			}
			if (step == cut_at) {
				snapshot(cut, &first);
				queue_close(&cut);
				cut = open_queue();
				assert_int_equal(queue_snapshot_read(cut, buf_slice(&first)), RC_OK);
				snapshot(cut, &second);
				assert_true(slice_eq(buf_slice(&first), buf_slice(&second)));
				buf_done(&first);
				buf_done(&second);
			}
		}
		snapshot(whole, &first);
		snapshot(cut, &second);
		assert_true(slice_eq(buf_slice(&first), buf_slice(&second)));
		assert_int_equal(counts(whole).memory_bytes > 0, true);
		buf_done(&first);
		buf_done(&second);
		queue_close(&whole);
		queue_close(&cut);
	}
}

static void new_routes_change_destinations_only(void **state)
{
	struct queue *queue = open_queue();
	struct queue_settings settings = test_settings;
	uint64_t last = 0;
	struct buf before, after;
	static char prefix[] = "new-";

	(void)state;
	roll_state = 99;
	for (uint64_t step = 0; step < 200; step++)
		random_record(queue, step, &last);
	queue_tick(queue, 100);
	snapshot(queue, &before);
	settings.context = prefix;
	assert_int_equal(queue_rekey(queue, &settings), RC_OK);
	check_sums(queue);
	for (struct queue_destination *at = queue_destination_after(queue, NULL); at != NULL; at = queue_destination_after(queue, at))
		assert_true(slice_starts(queue_destination_key(at), SLICE("new-")));
	snapshot(queue, &after);
	assert_true(slice_eq(buf_slice(&before), buf_slice(&after)));
	buf_done(&before);
	buf_done(&after);
	queue_close(&queue);
}

/* Ids are made from the clock: the highest one is known after a restart, also when its message has ended long ago. */
static void the_last_id_is_never_forgotten(void **state)
{
	struct queue *queue = open_queue(), *other = open_queue();
	struct buf bytes;

	(void)state;
	assert_int_equal(queue_last_id(queue), 0);
	add(queue, 7, "a@b");
	add(queue, 9, "c@d");
	add(queue, 8, "e@f");
	assert_int_equal(result_at(queue, 9, 0, RESULT_DELIVERED, 1000, 0, NULL), RC_OK);
	assert_null(queue_find(queue, 9));
	assert_int_equal(queue_last_id(queue), 9);
	snapshot(queue, &bytes);
	assert_int_equal(queue_snapshot_read(other, buf_slice(&bytes)), RC_OK);
	assert_int_equal(queue_last_id(other), 9);
	queue_close(&other);

	/* Version 1 has no such number: the highest of those that are there serves. */
	other = open_queue();
	bytes.ptr[0] = 1;
	memmove(bytes.ptr + 1, bytes.ptr + 9, bytes.len - 9);
	assert_int_equal(queue_snapshot_read(other, slice_take(buf_slice(&bytes), bytes.len - 8)), RC_OK);
	assert_int_equal(queue_last_id(other), 8);
	assert_int_equal(counts(other).messages, 2);
	queue_close(&other);
	buf_done(&bytes);
	queue_close(&queue);
}

static void a_broken_snapshot_is_refused_whole(void **state)
{
	struct queue *queue = open_queue(), *other;
	struct shape shape = { "s@x", { "a@b", "c@d" }, { 0, DISPOSITION_HOLD } };
	struct buf bytes;

	(void)state;
	assert_int_equal(add_shape(queue, 1, 5, &shape, NULL), RC_OK);
	add(queue, 2, "a@b");
	assert_int_equal(result_at(queue, 2, 0, RESULT_DEFERRED, 1000, 0, NULL), RC_OK);
	snapshot(queue, &bytes);
	for (size_t size = 0; size < bytes.len; size++) {
		other = open_queue();
		assert_int_not_equal(queue_snapshot_read(other, slice_take(buf_slice(&bytes), size)), RC_OK);
		assert_int_equal(counts(other).messages, 0);
		assert_int_equal(counts(other).destinations, 0);
		queue_close(&other);
	}
	for (size_t at = 0; at < bytes.len; at++) { /* any byte: never a crash, and what is taken can be written again */
		uint8_t kept = bytes.ptr[at];
		struct buf again = buf_make(1u << 20);

		bytes.ptr[at] ^= 0xff;
		other = open_queue();
		if (queue_snapshot_read(other, buf_slice(&bytes)) == RC_OK)
			check_sums(other);
		queue_snapshot_put(other, &again);
		buf_done(&again);
		queue_close(&other);
		bytes.ptr[at] = kept;
	}
	buf_put_byte(&bytes, 0);
	other = open_queue();
	assert_int_equal(queue_snapshot_read(other, buf_slice(&bytes)), RC_SYNTAX);
	bytes.ptr[0] = 9;
	assert_int_equal(queue_snapshot_read(other, buf_slice(&bytes)), RC_UNSUPPORTED);
	queue_close(&other);
	buf_done(&bytes);
	queue_close(&queue);
}

/* Each record with its n-th allocation failing: nothing has changed, and the second try works. */
static void without_memory_nothing_changes(void **state)
{
	(void)state;
	for (long n = 0;; n++) {
		struct queue *queue = open_queue();
		struct shape shape = { "s@x", { "a@b", "c@d", "e@f" }, { 0, DISPOSITION_HOLD } };
		struct buf before, after;
		bool failed = false;
		enum rc rc;

		for (int step = 0; step < 4; step++) {
			snapshot(queue, &before);
			for (int again = 0; again < 2; again++) {
				if (again == 0)
					memory_fail_after(n);
				rc = step == 0   ? add_shape(queue, 1, 5, &shape, NULL)
				     : step == 1 ? result_at(queue, 1, 0, RESULT_DEFERRED, 10, 0, NULL)
				     : step == 2 ? act(queue, 1, EVENT_ALL_RECIPIENTS, VERB_REROUTE, "backup", NULL)
				                 : queue_rekey(queue, &test_settings);
				memory_fail_after(-1);
				if (rc == RC_OK)
					break;
				assert_int_equal(rc, RC_NOMEM);
				assert_int_equal(again, 0);
				failed = true;
				check_sums(queue);
				snapshot(queue, &after);
				assert_true(slice_eq(buf_slice(&before), buf_slice(&after)));
				buf_done(&after);
			}
			buf_done(&before);
		}
		queue_close(&queue);
		if (!failed)
			break;
		assert_true(n < 200);
	}
}

/* ---- lists ---- */

static void count_one(void *context, const struct queue_recipient *recipient)
{
	(void)recipient;
	++*(size_t *)context;
}

static void lists_by_every_filter(void **state)
{
	struct queue *queue = open_queue();
	struct shape many = { "bulk@list.example", { "a@b", "c@b", "d@e", "f@g" }, { 0, 0, 0, DISPOSITION_HOLD } };
	struct shape bounce = { "", { "s@x" }, { 0 } };
	const struct {
		const char         *name;
		struct queue_filter filter;
		size_t              count;
	} rows[] = {
		{ "all", { 0 }, 7 },
		{ "one message", { .id = 2 }, 4 },
		{ "no such message", { .id = 99 }, 0 },
		{ "due", { .states = 1u << QUEUE_DUE }, 5 },
		{ "held", { .states = 1u << QUEUE_HELD }, 1 },
		{ "in quarantine", { .quarantined = true }, 1 },
		{ "ended", { .states = 1u << QUEUE_DELIVERED }, 0 },
		{ "destination", { .destination = SLICE("r/b") }, 4 },
		{ "destination's domain", { .destination = SLICE("B") }, 4 },
		{ "domain", { .domain = SLICE("E") }, 1 },
		{ "recipient", { .recipient = SLICE("A@b") }, 3 },
		{ "sender", { .sender = SLICE("bulk@list.EXAMPLE") }, 4 },
		{ "sender's domain", { .sender = SLICE("@list.example") }, 4 },
		{ "bounces", { .sender = SLICE("<>") }, 1 },
		{ "cause by word", { .cause = SLICE("BUSY") }, 1 },
		{ "cause by code", { .cause = SLICE("451") }, 1 },
		{ "cause by class", { .cause = SLICE("4") }, 1 },
		{ "cause by enhanced code", { .cause = SLICE("4.2.2") }, 1 },
		{ "cause by finding", { .cause = SLICE("finding") }, 1 },
		{ "other cause", { .cause = SLICE("5") }, 0 },
		{ "older", { .older_ms = 500 }, 5 },
		{ "younger", { .younger_ms = 499 }, 2 },
		{ "two at once", { .domain = SLICE("b"), .sender = SLICE("s@x") }, 2 },
	};

	(void)state;
	add(queue, 1, "a@b");
	assert_int_equal(add_shape(queue, 2, 500, &many, NULL), RC_OK);
	add(queue, 3, "a@b");
	assert_int_equal(add_shape(queue, 4, 900, &bounce, NULL), RC_OK);
	assert_int_equal(result_at(queue, 1, 0, RESULT_DEFERRED, 5000, 0, NULL), RC_OK);
	queue_find(queue, 3)->received_ms = 950;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t seen = 0;
		uint64_t after;
		size_t count = queue_list(queue, &rows[i].filter, 1000, 0, 100, count_one, &seen, &after);

		if (count != rows[i].count)
			print_error("row \"%s\": %zu\n", rows[i].name, count);
		assert_int_equal(count, rows[i].count);
		assert_int_equal(seen, count);
		assert_int_equal(after, 0);
	}

	uint64_t after = 0;
	size_t seen = 0, pages = 0;

	do {
		(void)queue_list(queue, &(struct queue_filter){ 0 }, 1000, after, 1, count_one, &seen, &after);
		pages++;
	} while (after != 0);
	assert_int_equal(seen, 7);
	assert_int_equal(pages, 4);
	queue_close(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_due_for_its_recipients),
		cmocka_unit_test(a_message_nobody_gets_ends_at_once),
		cmocka_unit_test(results_move_recipients),
		cmocka_unit_test(results_out_of_range_change_nothing),
		cmocka_unit_test(a_drop_while_sending_ends_it_safely),
		cmocka_unit_test(a_hold_wins_over_a_deferral),
		cmocka_unit_test(a_reroute_moves_to_the_other_destination),
		cmocka_unit_test(destinations_take_turns_and_pauses),
		cmocka_unit_test(old_ones_of_a_dead_destination_are_found),
		cmocka_unit_test(room_is_bounded),
		cmocka_unit_test(an_entry_is_small),
		cmocka_unit_test(records_are_applied_in_order),
		cmocka_unit_test(a_snapshot_and_the_rest_equal_the_whole),
		cmocka_unit_test(new_routes_change_destinations_only),
		cmocka_unit_test(the_last_id_is_never_forgotten),
		cmocka_unit_test(a_broken_snapshot_is_refused_whole),
		cmocka_unit_test(without_memory_nothing_changes),
		cmocka_unit_test(lists_by_every_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
