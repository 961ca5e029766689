/* Every payload survives the way to bytes and back; every cut or changed payload is refused or decodes to bounded values. */
#include "journal/event.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const struct event_cut       cuts[] = { { 0, 10 }, { 20, 12 } };
static const struct event_recipient recipients[] = {
	{ .address = SLICE_INIT("b@example.com"), .original = SLICE_INIT("rfc822;b@example.com"), .notify = EVENT_NOTIFY_SUCCESS },
	{ .address = SLICE_INIT("c@example.com"), .disposition = DISPOSITION_HOLD, .reason = SLICE_INIT("mime.executable_name") },
};

static struct event_message sample_message(void)
{
	return (struct event_message){
		.id = (1700000000000ull << 20) | 5, .session = 7, .received_ms = 1700000000000, .direction = DIRECTION_OUTBOUND,
		.flags = EVENT_FLAG_TLS | EVENT_FLAG_TRUSTED, .listener = SLICE("internet"), .peer = SLICE("192.0.2.1"),
		.peer_port = 4025, .helo = SLICE("client"), .sender = SLICE("a@example.org"), .body_size = 100, .header_size = 60,
		.subject = SLICE("hello"), .score = -250, .verdict = SLICE("clean"), .prefix = SLICE("Received: x\r\n"),
		.cuts = cuts, .cut_count = 2, .recipients = recipients, .recipient_count = 2,
	};
}

static void a_message_comes_back_as_it_went(void **state)
{
	(void)state;
	uint8_t              memory[4096];
	struct arena         arena = arena_on(memory, sizeof memory);
	struct buf           bytes = buf_make(EVENT_PAYLOAD_MAX);
	struct event_message sent = sample_message(), got;

	event_message_put(&bytes, &sent);
	assert_false(bytes.failed);
	assert_int_equal(event_message_read(buf_slice(&bytes), &arena, &got), RC_OK);
	assert_int_equal(got.id, sent.id);
	assert_int_equal(got.score, -250);
	assert_int_equal(got.cut_count, 2);
	assert_int_equal(got.cuts[1].size, 12);
	assert_int_equal(got.recipient_count, 2);
	assert_true(slice_eq(got.recipients[1].reason, recipients[1].reason));
	assert_int_equal(got.recipients[1].disposition, DISPOSITION_HOLD);
	assert_true(slice_eq(got.prefix, sent.prefix));
	buf_done(&bytes);
}

static void every_cut_message_is_refused(void **state)
{
	(void)state;
	struct buf           bytes = buf_make(EVENT_PAYLOAD_MAX);
	struct event_message sent = sample_message(), got;

	event_message_put(&bytes, &sent);
	for (size_t size = 0; size < bytes.len; size++) {
		uint8_t      memory[4096];
		struct arena arena = arena_on(memory, sizeof memory);
		assert_int_equal(event_message_read(slice_take(buf_slice(&bytes), size), &arena, &got), RC_SYNTAX);
	}
	buf_put_byte(&bytes, 0);
	uint8_t      memory[4096];
	struct arena arena = arena_on(memory, sizeof memory);
	assert_int_equal(event_message_read(buf_slice(&bytes), &arena, &got), RC_SYNTAX);
	bytes.ptr[0] = EVENT_VERSION + 1;
	assert_int_equal(event_message_read(buf_slice(&bytes), &arena, &got), RC_UNSUPPORTED);
	buf_done(&bytes);
}

static void unlawful_messages_are_refused(void **state)
{
	(void)state;
	static const struct event_cut overlapping[] = { { 0, 10 }, { 9, 5 } };
	static const struct event_cut in_the_body[] = { { 50, 11 } };
	const struct {
		const char             *name;
		const struct event_cut *cuts;
		size_t                  cut_count;
		uint32_t                header_size;
		size_t                  recipient_count;
	} rows[] = {
		{ "cuts that overlap", overlapping, 2, 60, 2 },
		{ "a cut that reaches the body", in_the_body, 1, 60, 2 },
		{ "a header larger than the message", NULL, 0, 101, 2 },
		{ "nobody to deliver to", NULL, 0, 60, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t              memory[4096];
		struct arena         arena = arena_on(memory, sizeof memory);
		struct buf           bytes = buf_make(EVENT_PAYLOAD_MAX);
		struct event_message sent = sample_message(), got;
		sent.cuts = rows[i].cuts;
		sent.cut_count = rows[i].cut_count;
		sent.header_size = rows[i].header_size;
		sent.recipient_count = rows[i].recipient_count;
		event_message_put(&bytes, &sent);
		if (event_message_read(buf_slice(&bytes), &arena, &got) != RC_SYNTAX)
			fail_msg("%s", rows[i].name);
		buf_done(&bytes);
	}
}

static void a_full_arena_is_an_answer(void **state)
{
	(void)state;
	uint8_t              memory[16];
	struct arena         arena = arena_on(memory, sizeof memory);
	struct buf           bytes = buf_make(EVENT_PAYLOAD_MAX);
	struct event_message sent = sample_message(), got;

	event_message_put(&bytes, &sent);
	assert_int_equal(event_message_read(buf_slice(&bytes), &arena, &got), RC_NOMEM);
	buf_done(&bytes);
}

static void an_outcome_comes_back(void **state)
{
	(void)state;
	uint8_t      memory[4096];
	struct arena arena = arena_on(memory, sizeof memory);
	struct buf   bytes = buf_make(EVENT_PAYLOAD_MAX);
	const struct event_recipient_result results[] = {
		{ .recipient = 0, .result = RESULT_DELIVERED, .code = 250, .enhanced = SLICE("2.0.0"), .text = SLICE("ok") },
		{ .recipient = 1, .result = RESULT_DEFERRED, .code = 451, .next_ms = 99 },
	};
	const struct event_outcome sent = { .message = 9, .at_ms = 3, .attempt = 2, .destination = SLICE("default example.com"),
		                                .host = SLICE("mx.example.com"), .results = results, .result_count = 2 };
	struct event_outcome       got;

	event_outcome_put(&bytes, &sent);
	assert_int_equal(event_outcome_read(buf_slice(&bytes), &arena, &got), RC_OK);
	assert_int_equal(got.result_count, 2);
	assert_int_equal(got.results[1].next_ms, 99);
	assert_int_equal(got.results[0].code, 250);
	for (size_t size = 0; size < bytes.len; size++) {
		arena_reset(&arena);
		assert_int_equal(event_outcome_read(slice_take(buf_slice(&bytes), size), &arena, &got), RC_SYNTAX);
	}
	buf_done(&bytes);
}

static void the_small_events_come_back(void **state)
{
	(void)state;
	struct buf bytes = buf_make(EVENT_PAYLOAD_MAX);

	const struct event_refused refused = { .session = 1, .stage = STAGE_RCPT, .code = 550, .reason = SLICE("relay_denied") };
	struct event_refused       refused_got;
	event_refused_put(&bytes, &refused);
	assert_int_equal(event_refused_read(buf_slice(&bytes), &refused_got), RC_OK);
	assert_int_equal(refused_got.stage, STAGE_RCPT);
	assert_true(slice_eq(refused_got.reason, refused.reason));

	buf_clear(&bytes);
	const struct event_act act = { .message = 4, .verb = VERB_REROUTE, .recipient = EVENT_ALL_RECIPIENTS, .who = SLICE("root"),
		                           .argument = SLICE("backup") };
	struct event_act       act_got;
	event_act_put(&bytes, &act);
	assert_int_equal(event_act_read(buf_slice(&bytes), &act_got), RC_OK);
	assert_int_equal(act_got.recipient, EVENT_ALL_RECIPIENTS);
	assert_true(slice_eq(act_got.argument, act.argument));

	buf_clear(&bytes);
	const struct event_session session = { .session = 5, .opened_ms = 10, .closed_ms = 20, .messages = 3, .end = SLICE("quit") };
	struct event_session       session_got;
	event_session_put(&bytes, &session);
	assert_int_equal(event_session_read(buf_slice(&bytes), &session_got), RC_OK);
	assert_int_equal(session_got.messages, 3);
	assert_true(slice_eq(session_got.end, session.end));

	buf_clear(&bytes);
	const struct event_node node = { .at_ms = 1, .what = SLICE("start"), .text = SLICE("the gateway starts") };
	struct event_node       node_got;
	event_node_put(&bytes, &node);
	assert_int_equal(event_node_read(buf_slice(&bytes), &node_got), RC_OK);
	assert_true(slice_eq(node_got.what, node.what));

	buf_clear(&bytes);
	const struct event_certificate certificate = { .session = 9, .at_ms = 2, .subject = SLICE("CN=a"), .issuer = SLICE("CN=b"),
		                                       .fingerprint = { { 1, 2 } }, .ours = true, .why = SLICE("expired") };
	struct event_certificate       certificate_got;
	event_certificate_put(&bytes, &certificate);
	for (size_t size = 0; size < bytes.len; size++)
		assert_int_equal(event_certificate_read(slice_take(buf_slice(&bytes), size), &certificate_got), RC_SYNTAX);
	assert_int_equal(event_certificate_read(buf_slice(&bytes), &certificate_got), RC_OK);
	assert_int_equal(certificate_got.session, 9);
	assert_true(certificate_got.ours && !certificate_got.verified);
	assert_true(digest_eq(&certificate_got.fingerprint, &certificate.fingerprint));
	assert_true(slice_eq(certificate_got.issuer, certificate.issuer));
	assert_true(slice_eq(certificate_got.why, certificate.why));
	bytes.ptr[bytes.len - 4 - certificate.why.len - 1] = 2; /* `ours` is a word: yes or no */
	assert_int_equal(event_certificate_read(buf_slice(&bytes), &certificate_got), RC_SYNTAX);
	buf_done(&bytes);
}

static void ids_are_thirteen_characters(void **state)
{
	(void)state;
	static const uint64_t ids[] = { 0, 1, 31, 32, UINT64_MAX, (1700000000000ull << 20) | 77 };
	uint64_t              got;

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct buf text = buf_make(64);
		event_id_put(&text, ids[i]);
		assert_int_equal(text.len, EVENT_ID_TEXT);
		assert_int_equal(event_id_read(buf_slice(&text), &got), RC_OK);
		assert_true(got == ids[i]);
		buf_done(&text);
	}
	assert_int_equal(event_id_time_ms(ids[5]), 1700000000000);
	assert_int_equal(event_id_read(SLICE("000000000000"), &got), RC_SYNTAX);
	assert_int_equal(event_id_read(SLICE("00000000000000"), &got), RC_SYNTAX);
	assert_int_equal(event_id_read(SLICE("000000000000U"), &got), RC_SYNTAX);
	assert_int_equal(event_id_read(SLICE("G000000000000"), &got), RC_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_comes_back_as_it_went), cmocka_unit_test(every_cut_message_is_refused),
		cmocka_unit_test(unlawful_messages_are_refused),   cmocka_unit_test(a_full_arena_is_an_answer),
		cmocka_unit_test(an_outcome_comes_back),           cmocka_unit_test(the_small_events_come_back),
		cmocka_unit_test(ids_are_thirteen_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
