/* Tests of the way out: restart and drain, what administrators do, and what is bounded (tests/harness/outbound_rig.h). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness/outbound_rig.h"

/* ---- restart ---- */

static void after_a_restart_it_goes_on(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@b" }, .prefix = "Received: here\r\n" };

	(void)state;
	for (int snapshot = 0; snapshot < 2; snapshot++) {
		rig_up(&rig, NULL, 0);
		fake_next_hop_stop(&rig.hops[0]);
		take_in(&rig, &shape);
		UNTIL(&rig, rig.outbound->counts.deferred >= 2);
		if (snapshot == 1) {
			outbound_snapshot_due(rig.outbound);
			for (int i = 0; i < 10; i++)
				round_once(&rig);
		}
		outbound_down(&rig);
		sim_disk_new_process(rig.disk);
		outbound_up(&rig);
		assert_int_equal(messages(&rig), 1);
		fake_next_hop_restart(&rig.hops[0]);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_bytes(&rig.hops[0].messages[0].bytes, "Received: here\r\nSubject: hello\r\n\r\n.dot\r\n..two\r\nend\r\n");
		rig_down(&rig);
	}
}

static void done(void *context)
{
	((struct rig *)context)->drained = true;
}

static void a_drain_lets_what_is_sent_end(void **state)
{
	static const struct fake_rule rules[] = { { ".", 1, FAKE_STALL, NULL } };
	struct rig rig;

	(void)state;
	rig_up(&rig, NULL, 0);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	outbound_drain(rig.outbound, 5000, done, &rig);
	UNTIL(&rig, rig.drained);
	take_one(&rig, "s@x", "a@b");
	for (int i = 0; i < 10; i++)
		round_once(&rig);
	assert_int_equal(messages(&rig), 1);
	rig_down(&rig);

	rig_up(&rig, rules, 1);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, rig.hops[0].taken[0] == 1);
	outbound_drain(rig.outbound, 50, done, &rig);
	assert_false(rig.drained);
	UNTIL(&rig, rig.drained);
	assert_int_equal(rig.outbound->counts.uncertain, 1);
	rig_down(&rig);
}

/* ---- commands ---- */

static void keep_answer(void *context, struct slice bytes)
{
	struct rig *rig = context;

	buf_clear(&rig->answer);
	buf_put(&rig->answer, bytes);
	rig->answered = true;
}

static struct queue_wire_answer ask(struct rig *rig, const struct queue_wire_request *request, struct arena *arena)
{
	struct buf bytes = buf_make(QUEUE_WIRE_REQUEST_MAX);
	struct queue_wire_answer answer;

	queue_wire_request_put(&bytes, request);
	rig->answered = false;
	outbound_command(rig->outbound, buf_slice(&bytes), SLICE("root"), keep_answer, rig);
	UNTIL(rig, rig->answered);
	buf_done(&bytes);
	arena_reset(arena);
	assert_int_equal(queue_wire_answer_read(buf_slice(&rig->answer), arena, &answer), RC_OK);
	return answer;
}

static void administrators_act(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<slow@b>", 0, FAKE_SAY, "451 4.2.1 later" } };
	struct rig rig;
	struct arena arena;
	struct shape shape = { .sender = "user@own", .to = { "slow@b", "slow@b", "slow@b" }, .flags = EVENT_FLAG_TRUSTED };
	struct queue_wire_request request = { .kind = QUEUE_WIRE_ACT, .verb = VERB_HOLD, .max = 10, .reason = SLICE("why not") };
	struct queue_wire_answer answer;
	static const struct slice retry[] = { S("1h") };
	uint64_t id;

	(void)state;
	assert_int_equal(arena_init(&arena, 1u << 20), RC_OK);
	rig_begin(&rig);
	hop_open(&rig, rules, 1);
	rig.route[0] = route_standard(&rig);
	rig.route[0].retry = (struct setting_list){ retry, 1 };
	routes_up(&rig, 1);
	outbound_up(&rig);
	id = take_in(&rig, &shape);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);

	answer = ask(&rig, &(struct queue_wire_request){ .kind = QUEUE_WIRE_LIST, .max = 10 }, &arena);
	assert_int_equal(answer.count, 3);
	assert_int_equal(answer.rows[0].id, id);
	assert_int_equal(answer.rows[0].state, QUEUE_DEFERRED);
	assert_int_equal(answer.rows[0].code, 451);
	assert_true(slice_eq(answer.rows[0].text, SLICE("later")));
	assert_true(slice_eq(answer.rows[0].destination, SLICE("main/")));
	answer = ask(&rig, &(struct queue_wire_request){ .kind = QUEUE_WIRE_SUMMARY, .max = 1 }, &arena);
	assert_int_equal(answer.counts.messages, 1);
	answer = ask(&rig, &(struct queue_wire_request){ .kind = QUEUE_WIRE_DESTINATIONS, .max = 10 }, &arena);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.destinations[0].recipients, 3);

	request.filter.cause = SLICE("451");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	assert_int_equal(counts(&rig).recipients[QUEUE_HELD], 3);
	request.filter.cause = SLICE("");
	request.verb = VERB_RETRY;
	answer = ask(&rig, &request, &arena); /* what is held is released, not retried */
	assert_int_equal(answer.matched, 0);
	request.filter.states = 1u << QUEUE_HELD;
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.matched, 0);
	request.verb = VERB_RELEASE;
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	assert_int_equal(recipient(&rig, id, 0)->attempts, 2);
	request = (struct queue_wire_request){ .kind = QUEUE_WIRE_ACT, .verb = VERB_RETRY, .max = 10, .filter = { .id = id } };
	answer = ask(&rig, &request, &arena);
	UNTIL(&rig, recipient(&rig, id, 0)->attempts == 3);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	request.verb = VERB_REROUTE;
	request.route = SLICE("nowhere");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.rc, RC_NOTFOUND);
	request.route = SLICE("main");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	UNTIL(&rig, recipient(&rig, id, 0)->attempts == 4);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	assert_true(slice_eq(queue_memo_route(recipient(&rig, id, 0)), SLICE("main")));
	request.route = SLICE("");
	request.verb = VERB_BOUNCE;
	request.filter.recipient = SLICE("slow@b");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.matched, 3);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 3); /* three notices */
	take_in(&rig, &shape);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	request = (struct queue_wire_request){ .kind = QUEUE_WIRE_ACT, .verb = VERB_DROP, .max = 10 };
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	assert_int_equal(messages(&rig), 0);
	assert_int_equal(rig.hops[0].delivered, 3);
	rig_down(&rig);
	arena_done(&arena);
}

/* ---- bounds ---- */

/* All of the queue, request by request as `hangu queue` asks; what the first two matched. */
static size_t hold_all(struct rig *rig, struct arena *arena, uint64_t *matched)
{
	struct queue_wire_request request = { .kind = QUEUE_WIRE_ACT, .verb = VERB_HOLD, .max = 10 };
	size_t requests = 0;

	do {
		struct queue_wire_answer answer = ask(rig, &request, arena);

		assert_int_equal(answer.rc, RC_OK);
		assert_int_equal(answer.busy, 0);
		assert_int_equal(answer.changed, answer.matched);
		if (requests < 2)
			matched[requests] = answer.matched;
		requests++;
		request.after = answer.after;
	} while (request.after != 0);
	return requests;
}

/* At QUEUE_WIRE_ACTS_MAX a request ends, but never inside a message: nobody would come back for the rest of it. */
static void a_request_acts_on_so_many(void **state)
{
	static const struct {
		const char *name;
		size_t      before; /* recipients of the messages of one that stand before those of eight */
		size_t      eights;
		size_t      behind; /* and behind them */
		size_t      requests;
		uint64_t    matched[2];
	} rows[] = {
		{ "one below", 7, QUEUE_WIRE_ACTS_MAX / 8 - 1, 0, 1, { QUEUE_WIRE_ACTS_MAX - 1 } },
		{ "at the bound", 0, QUEUE_WIRE_ACTS_MAX / 8, 0, 1, { QUEUE_WIRE_ACTS_MAX } },
		{ "one above", 0, QUEUE_WIRE_ACTS_MAX / 8, 1, 2, { QUEUE_WIRE_ACTS_MAX, 1 } },
		{ "a message at both sides", 7, QUEUE_WIRE_ACTS_MAX / 8, 0, 1, { QUEUE_WIRE_ACTS_MAX + 7 } },
		{ "and one behind it", 7, QUEUE_WIRE_ACTS_MAX / 8, 1, 2, { QUEUE_WIRE_ACTS_MAX + 7, 1 } },
	};
	static const struct shape eight = { .sender = "s@x",
		                            .to = { "a@b", "b@b", "c@b", "d@b", "e@b", "f@b", "g@b", "h@b" } };
	struct arena arena;

	(void)state;
	assert_int_equal(arena_init(&arena, 1u << 20), RC_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t all = rows[i].before + 8 * rows[i].eights + rows[i].behind;
		uint64_t matched[2] = { 0, 0 };
		struct rig rig;

		print_message("  %s\n", rows[i].name);
		rig_up(&rig, NULL, 0);
		outbound_drain(rig.outbound, 1, done, &rig); /* nothing is sent */
		for (size_t k = 0; k < rows[i].before; k++)
			take_one(&rig, "s@x", "a@b");
		for (size_t k = 0; k < rows[i].eights; k++)
			(void)take_in(&rig, &eight);
		for (size_t k = 0; k < rows[i].behind; k++)
			take_one(&rig, "s@x", "a@b");
		assert_int_equal(hold_all(&rig, &arena, matched), rows[i].requests);
		assert_int_equal(matched[0], rows[i].matched[0]);
		assert_int_equal(matched[1], rows[i].matched[1]);
		assert_int_equal(counts(&rig).recipients[QUEUE_HELD], all);
		rig_down(&rig);
	}
	arena_done(&arena);
}

static void a_busy_journal_loses_no_result(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	rig.limits.queue_groups_max = 1;
	hop_open(&rig, NULL, 0);
	rig.route[0] = route_standard(&rig);
	routes_up(&rig, 1);
	outbound_up(&rig);
	for (int i = 0; i < 8; i++)
		take_one(&rig, "s@x", "a@b");
	for (int i = 0; i < 200 && rig.hops[0].delivered < 8; i++) /* the journal takes no step: its queue of one group is full at once */
		assert_int_equal(loop_turn(rig.loop, 2), RC_OK);
	assert_int_equal(rig.hops[0].delivered, 8);
	assert_int_equal(messages(&rig), 8);
	assert_int_equal(counts(&rig).recipients[QUEUE_SENDING], 8);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 8);
	rig_down(&rig);
}

static void all_connections_together_are_bounded(void **state)
{
	static const char *const to[] = { "a@b1", "a@b2", "a@b3", "a@b4", "a@b5", "a@b6" };
	struct rig rig;

	(void)state;
	mx_up(&rig, NULL, 0);
	rig.queue.connections_max = 2;
	for (int i = 0; i < 6; i++)
		take_one(&rig, "s@x", to[i]);
	for (int i = 0; i < 20; i++) {
		round_once(&rig);
		assert_true(rig.outbound->connection_count <= 2);
	}
	/* Kept connections make room for others when their time is up. */
	rig.route[0].connection_idle = 20;
	for (struct list *at = rig.outbound->destinations.next; at != &rig.outbound->destinations; at = at->next)
		for (struct list *one = LIST_OF(at, struct destination, link)->idle.next; one != &LIST_OF(at, struct destination, link)->idle;) {
			struct connection *connection = LIST_OF(one, struct connection, link);

			one = one->next;
			connection_quit(connection);
		}
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 6);
	rig_down(&rig);
}

static void what_is_held_too_long_is_dropped(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT", 0, FAKE_SAY, "550 5.1.1 no" } };
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, rules, 1);
	rig.route[0] = route_standard(&rig);
	routes_up(&rig, 1);
	rig.queue.hold_expire = 200;
	outbound_up(&rig);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, counts(&rig).recipients[QUEUE_HELD] == 1);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.outbound->counts.notices, 0);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_restart_it_goes_on),
		cmocka_unit_test(a_drain_lets_what_is_sent_end),
		cmocka_unit_test(administrators_act),
		cmocka_unit_test(a_request_acts_on_so_many),
		cmocka_unit_test(a_busy_journal_loses_no_result),
		cmocka_unit_test(all_connections_together_are_bounded),
		cmocka_unit_test(what_is_held_too_long_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
