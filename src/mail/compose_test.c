/* What we write: exact texts for the plain cases, and no way out of its place for any byte of a peer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "mail/compose.h"
#include "mail/encoded_word.h"
#include "mail/message.h"

static struct slice received_text(const struct compose_received *received, struct buf *out)
{
	buf_clear(out);
	compose_received(received, out);
	assert_false(out->failed);
	return buf_slice(out);
}

static const struct compose_received usual = {
	.helo = SLICE_INIT("mail.example"),
	.reverse_name = SLICE_INIT("host.example"),
	.address = SLICE_INIT("192.0.2.1"),
	.own_name = SLICE_INIT("mx.hangu.example"),
	.protocol = SLICE_INIT("ESMTPS"),
	.tls = SLICE_INIT("TLSv1.3 TLS_AES_256_GCM_SHA384"),
	.id = SLICE_INIT("0123456789ABC"),
	.recipient = SLICE_INIT("user@example.cn"),
	.unix_s = 1795358239,
	.offset_minutes = 480,
};

static void test_received(void **state)
{
	struct buf              out = buf_make(COMPOSE_RECEIVED_MAX);
	struct compose_received received = usual;

	(void)state;
	assert_true(slice_eq(received_text(&received, &out),
	                     SLICE("Received: from mail.example (host.example [192.0.2.1])\r\n"
	                           "\tby mx.hangu.example with ESMTPS id 0123456789ABC\r\n"
	                           "\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
	                           "\tfor <user@example.cn>;\r\n"
	                           "\tSun, 22 Nov 2026 22:37:19 +0800\r\n")));
	received.recipient = SLICE("");
	received.tls = SLICE("");
	received.reverse_name = SLICE("");
	received.address = SLICE("2001:db8::1");
	received.helo = SLICE("[IPv6:2001:db8::1]");
	assert_true(slice_eq(received_text(&received, &out),
	                     SLICE("Received: from [IPv6:2001:db8::1] (unknown [IPv6:2001:db8::1])\r\n"
	                           "\tby mx.hangu.example with ESMTPS id 0123456789ABC;\r\n"
	                           "\tSun, 22 Nov 2026 22:37:19 +0800\r\n")));
	buf_done(&out);
}

/*
 * Every line is a field or a continuation, nothing is longer than 998, and only printable ASCII, tabs and CRLF occur.
 */
static void fields_check(struct slice text, size_t fields)
{
	size_t count = 0;

	assert_true(slice_ends(text, SLICE("\r\n")));
	while (text.len != 0) {
		struct slice line = slice_until(&text, '\n');
		assert_int_equal(slice_last(line), '\r');
		line.len--;
		assert_in_range(line.len, 1, 998);
		count += line.ptr[0] != ' ' && line.ptr[0] != '\t';
		for (size_t i = 0; i < line.len; i++)
			assert_true(byte_is_print(line.ptr[i]) || line.ptr[i] == '\t');
	}
	assert_int_equal(count, fields);
}

static void test_received_hostile(void **state)
{
	static const struct slice hostile[] = {
		SLICE_INIT("a\r\nX-Evil: 1"),
		SLICE_INIT("a)\r\n\r\nbody"),
		SLICE_INIT("\0\0\0"),
		SLICE_INIT("a b (c) <d> \"e\" ; f"),
		SLICE_INIT("\xff\xfe\x80"),
		SLICE_INIT("\xe4\xb8\xad"),
		SLICE_INIT(""),
		SLICE_INIT("\\(\\)\\"),
		SLICE_INIT("a@b> x <c@d"),
		SLICE_INIT("\t\t\t"),
	};
	struct buf out = buf_make(COMPOSE_RECEIVED_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		struct compose_received received = usual;
		received.helo = received.reverse_name = received.address = received.tls = received.id = hostile[i];
		received.recipient = received.protocol = hostile[i];
		fields_check(received_text(&received, &out), 1);
	}
	/* The longest of everything fits the bound that the header promises. */
	uint8_t long_name[4096];
	memset(long_name, 'x', sizeof long_name);
	struct compose_received received = usual;
	received.helo = received.reverse_name = received.address = received.tls = received.id =
		slice_of(long_name, sizeof long_name);
	received.own_name = received.protocol = slice_of(long_name, sizeof long_name);
	received.recipient = slice_of(long_name, 512);
	fields_check(received_text(&received, &out), 1);
	buf_done(&out);
}

static void test_verdict(void **state)
{
	struct buf             out = buf_make(COMPOSE_VERDICT_MAX);
	struct compose_verdict verdict = { .class_word = "clean", .score = 1250, .id = SLICE("0123456789ABC") };

	(void)state;
	compose_verdict(&verdict, &out);
	assert_true(slice_eq(buf_slice(&out),
	                     SLICE("X-Hangu-Class: clean\r\nX-Hangu-Score: 1.2\r\nX-Hangu-Id: 0123456789ABC\r\n")));
	buf_clear(&out);
	verdict = (struct compose_verdict){ .class_word = "spam",
		                            .score = 7300,
		                            .id = SLICE("A\r\nB: c"),
		                            .mark = "unscanned" };
	compose_verdict(&verdict, &out);
	assert_true(slice_eq(
		buf_slice(&out),
		SLICE("X-Hangu-Class: spam\r\nX-Hangu-Score: 7.3\r\nX-Hangu-Id: ABc\r\nX-Hangu-Mark: unscanned\r\n")));
	buf_clear(&out);
	verdict.score = INT32_MIN;
	compose_verdict(&verdict, &out);
	fields_check(buf_slice(&out), 4);
	buf_done(&out);
}

static void test_spam(void **state)
{
	struct buf          out = buf_make(COMPOSE_SPAM_MAX);
	struct compose_spam spam = { .score = 7300, .required = 5000, .is_spam = true };

	(void)state;
	compose_spam(&spam, &out);
	assert_true(slice_eq(buf_slice(&out), SLICE("X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.3 required=5.0\r\n"
	                                            "X-Spam-Level: *******\r\n")));
	buf_clear(&out);
	spam.is_spam = false;
	spam.score = -100;
	compose_spam(&spam, &out);
	assert_true(slice_eq(buf_slice(&out),
	                     SLICE("X-Spam-Flag: NO\r\nX-Spam-Status: No, score=-0.1 required=5.0\r\nX-Spam-Level: \r\n")));
	for (int end = 0; end < 2; end++) {
		buf_clear(&out);
		spam.score = end == 0 ? INT32_MIN : INT32_MAX;
		spam.required = spam.score;
		compose_spam(&spam, &out);
		assert_false(out.failed);
		fields_check(buf_slice(&out), 3);
	}
	for (int level = -1; level <= 9; level++) {
		struct buf expected = buf_make(COMPOSE_SCL_MAX);

		buf_printf(&expected, "X-MS-Exchange-Organization-SCL: %d\r\n", level);
		buf_clear(&out);
		compose_scl(level, &out);
		assert_true(slice_eq(buf_slice(&out), buf_slice(&expected)));
		buf_done(&expected);
	}
	buf_done(&out);
}

static void test_text(void **state)
{
	struct buf out = buf_make(4096);
	uint8_t    decoded[1024];
	struct slice text = SLICE("退信通知：您的邮件未能送达，因为对方的邮箱已满，请稍后再试一次。");

	(void)state;
	compose_put_text(SLICE("plain text"), 200, &out);
	assert_true(slice_eq(buf_slice(&out), SLICE("plain text")));
	buf_clear(&out);
	compose_put_text(text, 200, &out);
	struct slice       written = buf_slice(&out);
	struct word_result result = encoded_word_decode(written, decoded, sizeof decoded);
	assert_true(slice_eq(slice_of(decoded, result.size), text));
	while (written.len != 0)
		assert_true(slice_until(&written, '\n').len <= 77);
	buf_clear(&out);
	compose_put_text(SLICE("a\r\nB: \0 =?x?Q?y?= \xff"), 200, &out);
	result = encoded_word_decode(buf_slice(&out), decoded, sizeof decoded);
	assert_true(slice_eq(slice_of(decoded, result.size), SLICE("a??B: ? =?x?Q?y?= ?")));
	buf_done(&out);
}

/* ---- notices ---- */

static const struct dsn_recipient one = {
	.address = SLICE_INIT("nobody@example.cn"),
	.original = SLICE_INIT("rfc822;nobody+2B1@example.cn"),
	.action = DSN_FAILED,
	.status = SLICE_INIT("5.1.1"),
	.remote_name = SLICE_INIT("mx.example.cn"),
	.code = 550,
	.text = SLICE_INIT("5.1.1 no such user"),
	.last_attempt_s = 1795358239,
};

static const struct compose_dsn notice = {
	.own_name = SLICE_INIT("mx.hangu.example"),
	.from = SLICE_INIT("MAILER-DAEMON@mx.hangu.example"),
	.to = SLICE_INIT("sender@example.org"),
	.message_id = SLICE_INIT("0123456789ABD@mx.hangu.example"),
	.envelope_id = SLICE_INIT("QQ+2B314159"),
	.id = SLICE_INIT("0123456789ABC"),
	.subject = SLICE_INIT("报价单"),
	.boundary_seed = SLICE_INIT("0123456789ABD"),
	.unix_s = 1795358240,
	.offset_minutes = 480,
	.arrival_s = 1795358000,
	.original = SLICE_INIT("From: a@b\r\nSubject: x\r\n y\r\n\r\nbody\r\n"),
	.recipients = &one,
	.recipient_count = 1,
};

static const struct message_limits limits = {
	.header = { .bytes = 65536, .fields = 100 },
	.parts = 20,
	.depth = 5,
	.parameters = 16,
	.steps = 1 << 24,
};

static void hear(void *context, const struct oddity *oddity)
{
	unsigned *oddities = context;

	(void)oddity;
	++*oddities;
}

/* Our own reader finds nothing odd in it, and as many parts as there should be. */
static void notice_check(const struct compose_dsn *dsn, struct buf *out, struct arena *arena, struct message *message,
                         size_t parts)
{
	unsigned                 oddities = 0;
	const struct oddity_sink sink = { hear, &oddities };

	buf_clear(out);
	arena_reset(arena);
	assert_int_equal(compose_dsn(dsn, out), RC_OK);
	assert_int_equal(message_read(buf_slice(out), &limits, &sink, arena, message), RC_OK);
	assert_int_equal(message->count, parts);
	assert_int_equal(oddities, 0);
	assert_true(message->line_max <= 998);
	assert_true(slice_eq(message->parts[0]->type.word, SLICE("multipart/report")));
	assert_true(slice_eq(mime_parameter_plain(&message->parts[0]->type, SLICE("report-type")),
	                     SLICE("delivery-status")));
}

static void test_notice(void **state)
{
	struct buf     out = buf_make(1 << 20);
	struct arena   arena;
	struct message message;

	(void)state;
	assert_int_equal(digest_ready(), RC_OK);
	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	notice_check(&notice, &out, &arena, &message, 4);
	assert_true(slice_eq(message.parts[1]->type.word, SLICE("text/plain")));
	assert_true(slice_eq(message.parts[2]->type.word, SLICE("message/delivery-status")));
	assert_true(slice_eq(
		message.parts[2]->body,
		SLICE("Reporting-MTA: dns; mx.hangu.example\r\nOriginal-Envelope-Id: QQ+314159\r\nX-Hangu-Id: 0123456789ABC\r\n"
	              "Arrival-Date: Sun, 22 Nov 2026 22:33:20 +0800\r\n\r\n"
	              "Original-Recipient: rfc822; nobody+1@example.cn\r\nFinal-Recipient: rfc822; nobody@example.cn\r\n"
	              "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.cn\r\n"
	              "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
	              "Last-Attempt-Date: Sun, 22 Nov 2026 22:37:19 +0800\r\n")));
	assert_true(slice_eq(message.parts[3]->type.word, SLICE("text/rfc822-headers")));
	assert_true(slice_eq(message.parts[3]->body, SLICE("From: a@b\r\nSubject: x\r\n y\r\n")));
	/* The human part, decoded: both languages and the reply. */
	uint8_t         text[4096];
	struct transfer transfer = transfer_begin(TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, message.parts[1]->body);
	const size_t    size = transfer_read(&transfer, text, sizeof text);
	const struct slice human = slice_of(text, size);
	assert_int_equal(transfer.flaws, 0);
	assert_true(slice_search(human, SLICE("您的邮件未能送达以下收件人")) < human.len);
	assert_true(slice_search(human, SLICE("could not be delivered")) < human.len);
	assert_true(slice_search(human, SLICE("mx.example.cn: 550 5.1.1 no such user")) < human.len);
	assert_true(slice_search(human, SLICE("报价单")) < human.len);
	buf_done(&out);
	arena_done(&arena);
}

static void test_notice_kinds(void **state)
{
	struct buf           out = buf_make(1 << 20);
	struct arena         arena;
	struct message       message;
	struct compose_dsn   dsn = notice;
	struct dsn_recipient several[3] = { one, one, one };

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	dsn.returned = DSN_RETURN_NOTHING;
	notice_check(&dsn, &out, &arena, &message, 3);
	dsn.returned = DSN_RETURN_FULL;
	notice_check(&dsn, &out, &arena, &message, 5);
	assert_true(slice_eq(message.parts[3]->type.word, SLICE("message/rfc822")));
	assert_true(slice_eq(message.parts[3]->body, notice.original));
	several[1].action = DSN_DELAYED;
	several[1].retry_until_s = 1795444640;
	several[1].status = SLICE("nonsense");
	several[2].action = DSN_RELAYED;
	several[2].status = SLICE("");
	several[2].text = SLICE("");
	several[2].code = 0;
	dsn.recipients = several;
	dsn.recipient_count = 3;
	dsn.returned = DSN_RETURN_HEADERS;
	notice_check(&dsn, &out, &arena, &message, 4);
	const struct slice machine = message.parts[2]->body;
	assert_true(slice_search(machine, SLICE("Action: delayed\r\nStatus: 4.0.0")) < machine.len);
	assert_true(slice_search(machine, SLICE("Will-Retry-Until: Mon, 23 Nov 2026 22:37:20 +0800")) < machine.len);
	assert_true(slice_search(machine, SLICE("Action: relayed\r\nStatus: 2.0.0")) < machine.len);
	buf_done(&out);
	arena_done(&arena);
}

/* RFC 6533: UTF-8 addresses as they are, or escaped where only ASCII may stand. */
static void test_notice_utf8(void **state)
{
	struct buf           out = buf_make(1 << 20);
	struct arena         arena;
	struct message       message;
	struct compose_dsn   dsn = notice;
	struct dsn_recipient recipient = one;

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	recipient.address = SLICE("用户@example.cn");
	recipient.original = SLICE("");
	dsn.recipients = &recipient;
	dsn.original = SLICE("Subject: 中文\r\n\r\n");
	notice_check(&dsn, &out, &arena, &message, 4);
	struct slice machine = message.parts[2]->body;
	assert_true(slice_search(machine, SLICE("Final-Recipient: utf-8; \\x{7528}\\x{6237}@example.cn")) <
	            machine.len);
	assert_int_equal(message.parts[3]->encoding, TRANSFER_BASE64);
	for (size_t i = 0; i < out.len; i++)
		assert_true(out.ptr[i] < 0x80);
	dsn.smtputf8 = true;
	notice_check(&dsn, &out, &arena, &message, 4);
	machine = message.parts[2]->body;
	assert_true(slice_eq(message.parts[2]->type.word, SLICE("message/global-delivery-status")));
	assert_true(slice_search(machine, SLICE("Final-Recipient: utf-8; 用户@example.cn")) < machine.len);
	assert_true(slice_eq(message.parts[3]->type.word, SLICE("message/global-headers")));
	buf_done(&out);
	arena_done(&arena);
}

static void test_notice_hostile(void **state)
{
	static const struct slice hostile[] = {
		SLICE_INIT("a\r\nBcc: x@y\r\n\r\n--b"),
		SLICE_INIT("\r\n.\r\n"),
		SLICE_INIT("\0"),
		SLICE_INIT("\xff\xff"),
		SLICE_INIT(";;;"),
		SLICE_INIT("x;+ZZ"),
		SLICE_INIT("\x1b[2J\x07"),
		SLICE_INIT("\xc2\x85"),
	};
	struct buf     out = buf_make(1 << 20);
	struct arena   arena;
	struct message message;

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	for (size_t i = 0; i < 2 * sizeof hostile / sizeof hostile[0]; i++) {
		const struct slice   bytes = hostile[i / 2];
		struct dsn_recipient recipient = one;
		struct compose_dsn   dsn = notice;
		recipient.address = recipient.original = recipient.status = recipient.remote_name = recipient.text =
			bytes;
		dsn.to = dsn.envelope_id = dsn.id = dsn.subject = bytes;
		dsn.recipients = &recipient;
		dsn.smtputf8 = i % 2 != 0;
		notice_check(&dsn, &out, &arena, &message, 4);
		assert_int_equal(message.parts[0]->header.count, 8);
	}
	buf_done(&out);
	arena_done(&arena);
}

static void test_notice_bounds(void **state)
{
	static struct dsn_recipient many[DSN_RECIPIENTS_MAX + 1];
	struct buf                  out = buf_make(4 << 20), original = buf_make(1 << 20);
	struct arena                arena;
	struct message              message;
	struct compose_dsn          dsn = notice;

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
		many[i] = one;
	dsn.recipients = many;
	dsn.recipient_count = DSN_RECIPIENTS_MAX;
	notice_check(&dsn, &out, &arena, &message, 4);
	dsn.recipient_count = DSN_RECIPIENTS_MAX + 1;
	assert_int_equal(compose_dsn(&dsn, &out), RC_SYNTAX);
	dsn.recipient_count = 0;
	assert_int_equal(compose_dsn(&dsn, &out), RC_SYNTAX);
	dsn = notice;
	dsn.to = SLICE("");
	assert_int_equal(compose_dsn(&dsn, &out), RC_SYNTAX);
	/* A header larger than the bound is cut between two fields. */
	dsn = notice;
	while (original.len < 2 * DSN_HEADERS_MAX)
		buf_put_str(&original, "X: 1\r\n 23\r\n");
	buf_put_str(&original, "\r\nbody");
	dsn.original = buf_slice(&original);
	notice_check(&dsn, &out, &arena, &message, 4);
	assert_in_range(message.parts[3]->body.len, DSN_HEADERS_MAX - 20, DSN_HEADERS_MAX);
	assert_true(slice_ends(message.parts[3]->body, SLICE("\r\n 23\r\n")));
	buf_done(&out);
	buf_done(&original);
	arena_done(&arena);
}

static void test_no_memory(void **state)
{
	(void)state;
	for (long count = 0; count < 40; count++) {
		struct buf out = buf_make(1 << 20);
		memory_fail_after(count);
		const enum rc rc = compose_dsn(&notice, &out);
		memory_fail_after(-1);
		assert_true(rc == RC_OK || rc == RC_NOMEM);
		buf_done(&out);
	}
	struct buf small = buf_make(100);
	assert_int_equal(compose_dsn(&notice, &small), RC_NOMEM);
	buf_done(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received),      cmocka_unit_test(test_received_hostile),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_spam),       cmocka_unit_test(test_text),
		cmocka_unit_test(test_notice),        cmocka_unit_test(test_notice_kinds),
		cmocka_unit_test(test_notice_utf8),   cmocka_unit_test(test_notice_hostile),
		cmocka_unit_test(test_notice_bounds), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
