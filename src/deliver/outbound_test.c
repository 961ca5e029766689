/* Tests of the way out: what a next hop gets, what its answers mean, and who is told (tests/harness/outbound_rig.h). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness/outbound_rig.h"

/* ---- delivering ---- */

static void a_message_arrives_byte_for_byte(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b" }, .prefix = "Received: here\r\n", .body = "X-Hangu-Class: clean\r\nSubject: a\r\n\r\n.\r\nend",
		               .cut = { 0, 22 } };

	(void)state;
	for (int cold = 0; cold < 2; cold++) {
		rig_up(&rig, NULL, 0);
		shape.cold = cold == 1;
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_bytes(&rig.hops[0].messages[0].bytes, "Received: here\r\nSubject: a\r\n\r\n.\r\nend\r\n");
		assert_bytes(&rig.hops[0].messages[0].envelope, "MAIL FROM:<s@x> SIZE=36\nRCPT TO:<a@b>\n");
		assert_int_equal(rig.outbound->hot_bytes, 0);
		rig_down(&rig);
	}
}

/* I-15, I-16: what a route wants below our own fields, and when it is not written. */
static void a_route_adds_fields(void **state)
{
#define PREFIX "Received: here\r\n"
#define SPAM "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=6.5 required=5.0\r\nX-Spam-Level: ******\r\n"
#define HAM "X-Spam-Flag: NO\r\nX-Spam-Status: No, score=0.5 required=5.0\r\nX-Spam-Level: \r\n"
#define SCL "X-MS-Exchange-Organization-SCL: "
#define END "A: b\r\n\r\nc\r\n"
	static const struct {
		enum route_spam_headers spam;
		bool                    all_routes, scl;
		int32_t                 score;
		uint32_t                flags;
		enum direction          direction;
		const char             *arrives;
	} rows[] = {
		{ ROUTE_SPAM_HEADERS_STANDARD, false, false, 6500, 0, DIRECTION_INBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_STANDARD, true, false, 6500, 0, DIRECTION_INBOUND, PREFIX SPAM END },
		{ ROUTE_SPAM_HEADERS_NO, true, false, 6500, 0, DIRECTION_INBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_YES, false, false, 500, 0, DIRECTION_OUTBOUND, PREFIX HAM END },
		{ ROUTE_SPAM_HEADERS_YES, false, true, 6500, 0, DIRECTION_INBOUND, PREFIX SPAM SCL "5\r\n" END },
		{ ROUTE_SPAM_HEADERS_NO, false, true, 500, 0, DIRECTION_INBOUND, PREFIX SCL "1\r\n" END },
		{ ROUTE_SPAM_HEADERS_NO, false, true, 12000, 0, DIRECTION_OUTBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_NO, false, true, 500, 0, DIRECTION_INTERNAL, PREFIX END },
		{ ROUTE_SPAM_HEADERS_YES, false, true, 0, EVENT_FLAG_UNSCANNED, DIRECTION_INBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_YES, false, true, 0, EVENT_FLAG_UNSCANNABLE, DIRECTION_INBOUND, PREFIX END },
	};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t row = i / 2;
		struct shape shape = { .sender = "s@x", .to = { "a@b" }, .prefix = PREFIX, .body = END, .cold = i % 2 == 1, .score = rows[row].score,
			               .flags = rows[row].flags, .direction = rows[row].direction };
		struct buf envelope = buf_make(100);

		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.route[0] = route_standard(&rig);
		rig.route[0].spam_headers = rows[row].spam;
		rig.route[0].scl = rows[row].scl;
		rig.config.settings.policy.spam_headers = rows[row].all_routes;
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_bytes(&rig.hops[0].messages[0].bytes, rows[row].arrives);
		buf_printf(&envelope, "MAIL FROM:<s@x> SIZE=%zu\nRCPT TO:<a@b>\n", strlen(rows[row].arrives));
		buf_put_byte(&envelope, 0);
		assert_bytes(&rig.hops[0].messages[0].envelope, (const char *)envelope.ptr);
		buf_done(&envelope);
		rig_down(&rig);
	}
#undef PREFIX
#undef SPAM
#undef HAM
#undef SCL
#undef END
}

static void a_long_message_comes_in_windows(void **state)
{
	struct rig rig;
	size_t size = 300000;
	char *body = memory_take(1, size + 1);
	struct shape shape = { .sender = "s@x", .to = { "a@b" }, .prefix = "Received: here\r\n", .body = body };

	(void)state;
	for (size_t i = 0; i < size; i++)
		body[i] = i % 80 == 78 ? '\r' : i % 80 == 79 ? '\n' : i % 80 == 0 ? '.' : 'x';
	memcpy(body, "A: b\r\n\r\n", 8);
	for (int cold = 0; cold < 4; cold++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.route[0] = route_standard(&rig);
		rig.route[0].chunking = cold >= 2;
		routes_up(&rig, 1);
		outbound_up(&rig);
		shape.cold = cold % 2 == 1;
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].messages[0].chunked, cold >= 2);
		assert_int_equal(rig.hops[0].messages[0].bytes.len, size + 16);
		assert_memory_equal(rig.hops[0].messages[0].bytes.ptr + 16, body, size);
		rig_down(&rig);
	}
	memory_give(body);
}

static void connections_are_reused(void **state)
{
	struct rig rig;

	(void)state;
	rig_up(&rig, NULL, 0);
	for (int i = 0; i < 40; i++)
		take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 40);
	assert_in_range(rig.hops[0].connections, 1, 5);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	assert_in_range(rig.hops[0].connections, 1, 5);
	rig_down(&rig);
}

/* I-7: a connection on which the next hop found four errors is left before the fifth. */
static void protocol_errors_end_a_connection(void **state)
{
	static const struct fake_rule rules[] = { { .on = "RCPT TO:<bad@", .say = "501 5.1.3 bad address" } };
	struct shape shape = { .sender = "", .to = { "bad@b", "good@b" } };
	struct rig rig;

	(void)state;
	for (unsigned errors = OUTBOUND_ERRORS_MAX - 1; errors <= OUTBOUND_ERRORS_MAX + 1; errors++) {
		rig_begin(&rig);
		hop_open(&rig, rules, 1);
		rig.route[0] = route_standard(&rig);
		rig.route[0].connections_max = 1;
		routes_up(&rig, 1);
		outbound_up(&rig);
		for (unsigned i = 0; i < errors; i++) {
			take_in(&rig, &shape);
			UNTIL(&rig, rig.hops[0].delivered == i + 1);
		}
		assert_int_equal(rig.hops[0].connections, errors <= OUTBOUND_ERRORS_MAX ? 1 : 2);
		UNTIL(&rig, fake_next_hop_heard(&rig.hops[0], "QUIT") == (errors >= OUTBOUND_ERRORS_MAX));
		rig_down(&rig);
	}
}

static void recipients_share_a_transaction(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@d", "e@f" } };

	(void)state;
	rig_up(&rig, NULL, 0);
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].message_count, 1);
	assert_int_equal(fake_next_hop_heard(&rig.hops[0], "RCPT"), 3);
	rig_down(&rig);
}

static void too_many_recipients_go_on_at_once(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<c@d>", 1, FAKE_SAY, "452 4.5.3 too many" }, { "RCPT TO:<e@f>", 1, FAKE_SAY, "552 too many" } };
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@d", "e@f" } };

	(void)state;
	rig_up(&rig, rules, 2);
	rig.route[0].retry = (struct setting_list){ 0 };
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 2);
	assert_int_equal(rig.outbound->counts.deferred, 0);
	rig_down(&rig);
}

static void replies_decide_for_each_recipient(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<later@b>", 1, FAKE_SAY, "451 4.7.1 greylisted" },
		                                  { "RCPT TO:<never@b>", 0, FAKE_SAY, "550 5.1.1 no such user" } };
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "good@b", "later@b", "never@b" } };
	uint64_t id;

	(void)state;
	rig_up(&rig, rules, 2);
	id = take_in(&rig, &shape);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DELIVERED] == 1);
	/* The stranger is not told: the message is held instead (I-27). */
	assert_int_equal(queue_recipient_state(recipient(&rig, id, 2)), QUEUE_HELD);
	assert_true(slice_eq(queue_memo_text(recipient(&rig, id, 2)), SLICE("no such user")));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 2)), SLICE("5.1.1")));
	assert_int_equal(recipient(&rig, id, 1)->attempts, 1);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DELIVERED] == 2);
	assert_int_equal(rig.hops[0].delivered, 2);
	rig_down(&rig);
}

static void a_lost_answer_is_uncertain_and_tried_again(void **state)
{
	static const struct fake_rule rules[] = { { ".", 1, FAKE_CLOSE, NULL } };
	struct rig rig;

	(void)state;
	rig_up(&rig, rules, 1);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, rig.outbound->counts.uncertain == 1);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].message_count, 2);
	assert_int_equal(rig.hops[0].delivered, 1);
	rig_down(&rig);
}

static void a_line_lost_before_the_end_is_no_delivery(void **state)
{
	static const char *const places[] = { "MAIL", "RCPT", "DATA" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (int how = 0; how < 2; how++) {
			struct fake_rule rule = { places[i], 1, how == 0 ? FAKE_CLOSE : FAKE_RESET, NULL };
			struct rig rig;

			rig_up(&rig, &rule, 1);
			take_one(&rig, "s@x", "a@b");
			UNTIL(&rig, messages(&rig) == 0);
			assert_int_equal(rig.hops[0].delivered, 1);
			assert_int_equal(rig.outbound->counts.uncertain, 0);
			assert_int_equal(rig.outbound->counts.deferred, 1);
			rig_down(&rig);
		}
}

static void a_kept_connection_that_is_gone_costs_no_attempt(void **state)
{
	/* The second MAIL on a connection finds it closed. */
	static const struct fake_rule rules[] = { { "MAIL", 1, FAKE_SAY, "250 2.1.0 fine" }, { "MAIL", 1, FAKE_CLOSE, NULL } };
	struct rig rig;

	(void)state;
	rig_up(&rig, rules, 2);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 2);
	assert_int_equal(rig.outbound->counts.deferred, 0);
	assert_int_equal(rig.hops[0].connections, 2);
	rig_down(&rig);
}

static void a_silent_peer_runs_out_of_time(void **state)
{
	static const char *const places[] = { "", "EHLO", "MAIL", "." };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fake_rule rule = { places[i], 1, FAKE_STALL, NULL };
		struct rig rig;

		rig_begin(&rig);
		hop_open(&rig, &rule, 1);
		rig.route[0] = route_standard(&rig);
		rig.route[0].timeout_greeting = rig.route[0].timeout_command = rig.route[0].timeout_end = 100;
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_one(&rig, "s@x", "a@b");
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_int_equal(rig.outbound->counts.uncertain, i == 3);
		rig_down(&rig);
	}
}

static void the_next_host_is_tried_in_the_same_attempt(void **state)
{
	static const struct fake_rule greeting[] = { { "", 0, FAKE_CLOSE, "554 not today" } };
	struct rig rig;

	(void)state;
	for (int how = 0; how < 2; how++) {
		rig_begin(&rig);
		hop_open(&rig, how == 0 ? greeting : NULL, how == 0 ? 1 : 0);
		hop_open(&rig, NULL, 0);
		if (how == 1)
			fake_next_hop_stop(&rig.hops[0]); /* refused */
		rig.route[0] = route_standard(&rig);
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_one(&rig, "s@x", "a@b");
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[1].delivered, 1);
		assert_int_equal(rig.outbound->counts.deferred, 0);
		rig_down(&rig);
	}
}

static void a_dead_destination_comes_back(void **state)
{
	struct rig rig;
	uint64_t id;
	struct shape shape = { .sender = "s@x", .to = { "a@b" } };

	(void)state;
	rig_up(&rig, NULL, 0);
	fake_next_hop_stop(&rig.hops[0]);
	id = take_in(&rig, &shape);
	UNTIL(&rig, rig.outbound->counts.deferred >= 1);
	UNTIL(&rig, queue_find(rig.outbound->queue, id)->recipients[0].memo != NULL);
	assert_true(slice_eq(queue_memo_text(recipient(&rig, id, 0)), SLICE("connection refused")));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("4.4.1")));
	fake_next_hop_restart(&rig.hops[0]);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 1);
	rig_down(&rig);
}

static void lmtp_answers_each_recipient(void **state)
{
	static const struct fake_rule rules[] = { { ".", 1, FAKE_SAY, "250 2.0.0 first" }, { ".", 1, FAKE_SAY, "452 4.2.2 full" },
		                                  { ".", 1, FAKE_SAY, "550 5.2.1 closed" } };
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@b", "e@b" } };
	uint64_t id;

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, rules, 3);
	rig.hops[0].lmtp = true;
	rig.route[0] = route_standard(&rig);
	rig.route[0].protocol = ROUTE_LMTP;
	routes_up(&rig, 1);
	outbound_up(&rig);
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_DELIVERED));
	assert_int_equal(queue_recipient_state(recipient(&rig, id, 2)), QUEUE_HELD);
	UNTIL(&rig, state_is(&rig, id, 1, QUEUE_DELIVERED));
	assert_int_equal(fake_next_hop_heard(&rig.hops[0], "LHLO"), 1);
	rig_down(&rig);
}

static void what_the_next_hop_lacks_decides(void **state)
{
	struct rig rig;
	struct shape utf8 = { .sender = "s@x", .to = { "\xc3\xbc@b" }, .flags = EVENT_FLAG_SMTPUTF8 };
	struct shape eight = { .sender = "s@x", .to = { "a@b" }, .flags = EVENT_FLAG_8BITMIME };
	uint64_t id;

	(void)state;
	for (int bounce = 0; bounce < 2; bounce++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.hops[0].extensions = "SIZE 20";
		rig.route[0] = route_standard(&rig);
		rig.route[0].eightbit = bounce == 1 ? ROUTE_EIGHTBIT_BOUNCE : ROUTE_EIGHTBIT_SEND;
		routes_up(&rig, 1);
		outbound_up(&rig);
		id = take_in(&rig, &utf8);
		UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
		assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.6.7")));
		id = take_in(&rig, &eight);
		UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
		assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), bounce == 1 ? SLICE("5.6.3") : SLICE("5.3.4")));
		rig_down(&rig);
	}
}

/* ---- notices ---- */

static void a_trusted_sender_is_told(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<gone@b>", 0, FAKE_SAY, "550 5.1.1 no such user" } };
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "gone@b" }, .flags = EVENT_FLAG_TRUSTED, .envelope_id = "id7", .original = "rfc822;Gone@b" };

	(void)state;
	for (int cold = 0; cold < 2; cold++) {
		rig_up(&rig, rules, 1);
		shape.cold = cold == 1;
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_int_equal(rig.outbound->counts.notices, 1);

		const struct fake_message *notice = &rig.hops[0].messages[rig.hops[0].message_count - 1];
		struct slice bytes = buf_slice(&notice->bytes);

		assert_true(slice_starts(buf_slice(&notice->envelope), SLICE("MAIL FROM:<>")));
		assert_true(slice_search(buf_slice(&notice->envelope), SLICE("RCPT TO:<user@own> NOTIFY=NEVER")) != notice->envelope.len);
		assert_true(slice_search(bytes, SLICE("Action: failed")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Status: 5.1.1")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Original-Recipient: rfc822; Gone@b")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Original-Envelope-Id: id7")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Subject: hello")) != bytes.len);
		rig_down(&rig);
	}
}

static void success_is_told_when_the_next_hop_will_not(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "a@b" }, .flags = EVENT_FLAG_TRUSTED, .notify = EVENT_NOTIFY_SUCCESS };

	(void)state;
	for (int dsn = 0; dsn < 2; dsn++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.hops[0].extensions = dsn == 1 ? "DSN" : "8BITMIME";
		rig.route[0] = route_standard(&rig);
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.outbound->counts.notices, dsn == 1 ? 0 : 1);
		assert_int_equal(rig.hops[0].delivered, dsn == 1 ? 1 : 2);
		if (dsn == 1)
			assert_int_equal(fake_next_hop_heard(&rig.hops[0], "RCPT TO:<a@b> NOTIFY=SUCCESS"), 1);
		else
			assert_true(slice_search(buf_slice(&rig.hops[0].messages[1].bytes), SLICE("Action: relayed")) != rig.hops[0].messages[1].bytes.len);
		rig_down(&rig);
	}
}

static void the_time_of_a_message_ends(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<late@b>", 0, FAKE_SAY, "451 4.2.1 later" } };
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "late@b" }, .flags = EVENT_FLAG_TRUSTED };

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, rules, 1);
	rig.route[0] = route_standard(&rig);
	rig.route[0].expire = 150;
	rig.route[0].delay_notice = 60;
	routes_up(&rig, 1);
	outbound_up(&rig);
	take_in(&rig, &shape);
	UNTIL(&rig, rig.outbound->counts.expired == 1);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.outbound->counts.notices, 2); /* late, once; then given up */
	assert_int_equal(rig.hops[0].delivered, 2);
	rig_down(&rig);
}

static void a_notice_that_fails_makes_no_notice(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<postmaster@own>", 0, FAKE_SAY, "250 2.1.5 fine" }, { "RCPT", 0, FAKE_SAY, "550 5.1.1 no" } };
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "gone@b" }, .flags = EVENT_FLAG_TRUSTED };

	(void)state;
	for (int postmaster = 0; postmaster < 2; postmaster++) {
		rig_up(&rig, rules, 2);
		rig.queue.postmaster = postmaster == 1 ? SLICE("postmaster@own") : SLICE("");
		take_in(&rig, &shape);
		if (postmaster == 1) {
			UNTIL(&rig, messages(&rig) == 0);
			assert_int_equal(rig.outbound->counts.notices, 2);
			assert_int_equal(rig.hops[0].delivered, 1);
		} else {
			UNTIL(&rig, counts(&rig).recipients[QUEUE_HELD] == 1);
			assert_int_equal(rig.outbound->counts.notices, 1);
			assert_int_equal(messages(&rig), 1);
		}
		rig_down(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_byte_for_byte),
		cmocka_unit_test(a_route_adds_fields),
		cmocka_unit_test(a_long_message_comes_in_windows),
		cmocka_unit_test(connections_are_reused),
		cmocka_unit_test(protocol_errors_end_a_connection),
		cmocka_unit_test(recipients_share_a_transaction),
		cmocka_unit_test(too_many_recipients_go_on_at_once),
		cmocka_unit_test(replies_decide_for_each_recipient),
		cmocka_unit_test(a_lost_answer_is_uncertain_and_tried_again),
		cmocka_unit_test(a_line_lost_before_the_end_is_no_delivery),
		cmocka_unit_test(a_kept_connection_that_is_gone_costs_no_attempt),
		cmocka_unit_test(a_silent_peer_runs_out_of_time),
		cmocka_unit_test(the_next_host_is_tried_in_the_same_attempt),
		cmocka_unit_test(a_dead_destination_comes_back),
		cmocka_unit_test(lmtp_answers_each_recipient),
		cmocka_unit_test(what_the_next_hop_lacks_decides),
		cmocka_unit_test(a_trusted_sender_is_told),
		cmocka_unit_test(success_is_told_when_the_next_hop_will_not),
		cmocka_unit_test(the_time_of_a_message_ends),
		cmocka_unit_test(a_notice_that_fails_makes_no_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
