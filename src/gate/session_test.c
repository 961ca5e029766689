/* Tests of whole sessions: what they say and leave behind when things end, are refused, or break. See harness/session_rig.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness/session_rig.h"

/* ---- the end of the drain time ---- */

/* The loop is being emptied: what gate_loop.c does at a drain, and when its time is up. */
static void cut(struct rig *rig)
{
	gate_loop_shed(rig->home, true);
	outbound_through_stop(rig->gate.outbound);
}

static void what_is_being_committed_is_answered_at_the_end(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, "", "", NULL, 0);
	greeted(&rig);
	talk(&rig, envelope, "354 ");
	buf_clear(&rig.heard);
	say(&rig, message);
	UNTIL(&rig, is_committing(&rig), WITHOUT_JOURNAL);
	cut(&rig);
	round_once(&rig, WITHOUT_JOURNAL);
	cut(&rig);
	assert_int_equal(rig.home->session_count, 1);
	UNTIL(&rig, heard(&rig, "421 4.3.2"), WITH_JOURNAL);
	assert_true(heard(&rig, "250 2.0.0 Ok: kept as"));
	rig_down(&rig);
}

static void what_is_not_yet_committed_is_deferred_at_the_end(void **state)
{
	const uint64_t before = counted(COUNT_MESSAGES_DEFERRED);
	struct rig     rig;
	(void)state;

	rig_up(&rig, "", "", NULL, 0);
	greeted(&rig);
	talk(&rig, envelope, "354 ");
	((struct policy_settings *)&rig.gate.config->settings.policy)->deadline_ms = 60000;
	buf_clear(&rig.heard);
	say(&rig, message);
	UNTIL(&rig, the_session(&rig)->state == SESSION_WAIT, WITHOUT_JOURNAL);
	cut(&rig);
	UNTIL(&rig, rig.client < 0, WITH_JOURNAL);
	assert_true(heard(&rig, "421 4.3.2"));
	assert_non_null(refused(&rig, "closing"));
	assert_int_equal(refused(&rig, "closing")->stage, STAGE_MESSAGE);
	assert_int_equal(counted(COUNT_MESSAGES_DEFERRED), before + 1);
	/* The scanner link drops it without having been answered: it is not ours. */
	rig_down(&rig);
}

static void who_waits_for_the_next_hop_is_answered_at_the_end(void **state)
{
	static const struct fake_rule stall[] = { { ".", 1, FAKE_STALL, NULL } };
	struct rig                    rig;
	(void)state;

	rig_up(&rig, "", "mode = through\n", stall, 1);
	greeted(&rig);
	talk(&rig, envelope, "354 ");
	buf_clear(&rig.heard);
	say(&rig, message);
	UNTIL(&rig, rig.hop.message_count == 1 && rig.hop.messages[0].bytes.len != 0, WITH_JOURNAL);
	assert_false(heard(&rig, "250 "));
	cut(&rig);
	UNTIL(&rig, heard(&rig, "421 4.3.2"), WITH_JOURNAL);
	assert_true(heard(&rig, "250 2.0.0 Ok: kept as"));
	rig_down(&rig);
}

/* The gate ends at once (its supervisor is gone): the journal's last answers still find their clients. */
static void an_end_without_a_drain_leaves_nobody_without_an_answer(void **state)
{
	static const struct fake_rule stall[] = { { ".", 1, FAKE_STALL, NULL } };
	(void)state;

	for (int through = 0; through < 2; through++) {
		const uint64_t before = counted(COUNT_MESSAGES_ACCEPTED);
		struct rig     rig;

		rig_up(&rig, "", through ? "mode = through\n" : "", stall, 1);
		greeted(&rig);
		talk(&rig, envelope, "354 ");
		buf_clear(&rig.heard);
		say(&rig, message);
		UNTIL(&rig, through ? rig.hop.message_count == 1 && rig.hop.messages[0].bytes.len != 0 : is_committing(&rig),
		      through ? WITH_JOURNAL : WITHOUT_JOURNAL);
		rig_down(&rig);
		assert_int_equal(counted(COUNT_MESSAGES_ACCEPTED), before + 1);
	}
}

/* ---- what is told of a message, and when ---- */

static void a_message_is_accepted_when_the_journal_has_it(void **state)
{
	(void)state;
	for (int good = 0; good < 2; good++) {
		const uint64_t accepted = counted(COUNT_MESSAGES_ACCEPTED), bytes = counted(COUNT_MESSAGE_BYTES);
		const uint64_t held = counted(COUNT_MESSAGES_HELD);
		struct rig     rig;

		rig_up(&rig, "", "", NULL, 0);
		((struct policy_settings *)&rig.gate.config->settings.policy)->on_scan_failure = SCAN_FAILURE_HOLD;
		greeted(&rig);
		talk(&rig, envelope, "354 ");
		buf_clear(&rig.heard);
		say(&rig, message);
		UNTIL(&rig, is_committing(&rig), WITHOUT_JOURNAL);
		assert_int_equal(counted(COUNT_MESSAGE_BYTES), bytes);
		assert_int_equal(counted(COUNT_MESSAGES_HELD), held);
		if (good == 0)
			sim_disk_fail_at(rig.disk, sim_disk_operations(rig.disk) + 1, 100, RC_IO);
		UNTIL(&rig, heard(&rig, good == 1 ? "250 2.0.0 Ok" : "451 4.3.0"), WITH_JOURNAL);
		assert_int_equal(counted(COUNT_MESSAGES_ACCEPTED), accepted + (good == 1));
		assert_int_equal(counted(COUNT_MESSAGE_BYTES), bytes + (good == 1 ? strlen(message) - 3 : 0));
		assert_int_equal(counted(COUNT_MESSAGES_HELD), held + (good == 1));
		rig_down(&rig);
	}
}

/* ---- refusals ---- */

static struct gate_listener_settings *limits_of(struct rig *rig)
{
	return (struct gate_listener_settings *)(uintptr_t)rig->home->config->listeners[0].settings;
}

static void one_before(struct rig *rig)
{
	come_in(rig, "192.0.2.1");
	rig->client = -1; /* it stays connected */
	UNTIL(rig, rig->home->session_count == 1, WITH_JOURNAL);
}

static void never_greeted(struct rig *rig)
{
	limits_of(rig)->greeting_delay = 60000;
}

static void shedding(struct rig *rig)
{
	rig->home->shedding = true;
}

static void no_room_in_the_queue(struct rig *rig)
{
	atomic_store(&rig->gate.outbound->has_room, false);
}

static void no_memory_for_messages(struct rig *rig)
{
	(void)rig;
	slab_limit_set(0);
}

static void no_scanner_means_defer(struct rig *rig)
{
	((struct policy_settings *)(uintptr_t)&rig->gate.config->settings.policy)->on_scan_failure = SCAN_FAILURE_DEFER;
}

static struct smtp_server_config *machine_of(struct rig *rig)
{
	return (struct smtp_server_config *)(uintptr_t)&rig->home->config->listeners[0].strict;
}

static void one_recipient_only(struct rig *rig)
{
	machine_of(rig)->recipients_max = 1;
}

static void small_messages_only(struct rig *rig)
{
	machine_of(rig)->message_bytes_max = 20;
}

static void short_lines_only(struct rig *rig)
{
	machine_of(rig)->data_line_bytes_max = 20;
}

static void a_broken_disk(struct rig *rig)
{
	sim_disk_fail_at(rig->disk, sim_disk_operations(rig->disk) + 1, 100, RC_IO);
}

#define MAIL_OF "MAIL FROM:<s@example.org>\r\n"
#define ENVELOPE MAIL_OF "RCPT TO:<r@example.net>\r\n"
#define LONG_LINE "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_512 LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE

static const struct fake_rule next_hop_refuses[] = { { ".", 0, FAKE_SAY, "554 5.7.1 smells" } };

/* What a client says behind EHLO (NULL: it only connects), and how it is refused. Status and reason as they stand in the trace. */
static const struct refusal_row {
	const char      *name;
	const char      *listener, *more;
	void           (*prepare)(struct rig *rig);
	const char      *say;
	const char      *reason;
	enum event_stage stage;
	uint32_t         code;
	const char      *status;
} refusal_rows[] = {
	{ "a host that may not", "peers = 203.0.113.0/24", "", NULL, NULL, "peer_not_allowed", STAGE_CONNECT, 554, "5.7.1" },
	{ "one connection too many", "connections_per_peer = 1", "", one_before, NULL, "peer_connections", STAGE_CONNECT, 421, "4.7.0" },
	{ "connections too fast", "connection_rate = 1", "", one_before, NULL, "peer_rate", STAGE_CONNECT, 421, "4.7.0" },
	{ "a full listener", "connections_max = 1", "", one_before, NULL, "listener_connections", STAGE_CONNECT, 421, "4.3.2" },
	{ "who speaks first", "", "", never_greeted, "", "early_talker", STAGE_CONNECT, 554, "5.5.1" },
	{ "a gate that closes", "", "", shedding, NULL, "closing", STAGE_CONNECT, 421, "4.3.2" },
	{ "silence", "", "", NULL, "NOOP\r\n", "timeout", STAGE_HELO, 421, "4.4.2" },
	{ "silence behind RCPT", "", "", NULL, ENVELOPE, "timeout", STAGE_RCPT, 421, "4.4.2" },
	{ "silence in a message", "", "", NULL, ENVELOPE "DATA\r\nSubject: a\r\n", "timeout", STAGE_DATA, 421, "4.4.2" },
	{ "silence in a chunk", "", "", NULL, ENVELOPE "BDAT 100\r\nSubject: a\r\n", "timeout", STAGE_DATA, 421, "4.4.2" },
	{ "no command", "", "", NULL, "FROB\r\n", "unknown-command", STAGE_HELO, 500, "5.5.1" },
	{ "EXPN", "", "", NULL, "EXPN staff\r\n", "not-offered", STAGE_HELO, 502, "5.5.1" },
	{ "another protocol", "", "", NULL, "GET / HTTP/1.1\r\n", "foreign-protocol", STAGE_HELO, 500, "5.5.1" },
	{ "DATA first", "", "", NULL, "DATA\r\n", "bad-sequence", STAGE_DATA, 503, "5.5.1" },
	{ "no colon", "", "", NULL, "MAIL FROM s@example.org\r\n", "bad-arguments", STAGE_MAIL, 501, "5.5.4" },
	{ "no address", "", "", NULL, "MAIL FROM:<@@>\r\n", "bad-address", STAGE_MAIL, 501, "5.1.7" },
	{ "a parameter nobody knows", "", "", NULL, "MAIL FROM:<s@example.org> X=Y\r\n", "unknown-parameter", STAGE_MAIL, 555, "5.5.4" },
	{ "a bare LF", "", "", NULL, "NOOP\nNOOP\r\n", "bare-line-end", STAGE_HELO, 500, "5.5.2" },
	{ "a long line", "", "", NULL, LONG_512 LONG_512 LONG_512 LONG_512 LONG_512, "line-too-long", STAGE_HELO, 500, "5.5.2" },
	{ "a declared size", "message_size_max = 1M", "", NULL, "MAIL FROM:<s@example.org> SIZE=2000000\r\n", "message-too-large", STAGE_MAIL, 552,
	  "5.3.4" },
	{ "a recipient too many", "", "", one_recipient_only, ENVELOPE "RCPT TO:<q@example.net>\r\n", "too-many-recipients", STAGE_RCPT, 452, "4.5.3" },
	{ "nobody left", "", "", NULL, MAIL_OF "RCPT TO:<r@elsewhere.example>\r\nDATA\r\n", "no-valid-recipient", STAGE_DATA, 554, "5.5.1" },
	{ "errors without end", "errors_max = 1", "", NULL, "FROB\r\nFROB\r\n", "too-many-errors", STAGE_HELO, 421, "4.7.0" },
	{ "a chunk of no size", "", "", NULL, ENVELOPE "BDAT x\r\n", "bad-chunk-size", STAGE_DATA, 501, "5.5.4" },
	{ "a bare LF in a message", "", "", NULL, ENVELOPE "DATA\r\na\nb\r\n.\r\n", "bare-line-end", STAGE_DATA, 554, "5.6.0" },
	{ "a bare LF in a chunk", "", "", NULL, ENVELOPE "BDAT 4 LAST\r\na\nb\n", "bare-line-end", STAGE_DATA, 554, "5.6.0" },
	{ "messages too many", "messages_per_session = 1", "", NULL, ENVELOPE "DATA\r\n\r\n.\r\n" MAIL_OF, "session_messages", STAGE_MAIL, 421,
	  "4.7.0" },
	{ "messages too fast", "message_rate = 1", "", NULL, MAIL_OF "RSET\r\n" MAIL_OF, "peer_messages", STAGE_MAIL, 450, "4.7.1" },
	{ "a full queue", "", "", no_room_in_the_queue, MAIL_OF, "queue_full", STAGE_MAIL, 452, "4.3.1" },
	{ "a domain of others", "", "", NULL, MAIL_OF "RCPT TO:<r@elsewhere.example>\r\n", "relay_denied", STAGE_RCPT, 550, "5.7.1" },
	{ "nobody of that name", "", "[domain few.example]\nrecipients = list\nrecipient = a\n", NULL, MAIL_OF "RCPT TO:<b@few.example>\r\n",
	  "unknown_recipient", STAGE_RCPT, 550, "5.1.1" },
	{ "names being guessed", "unknown_recipients_max = 1", "[domain few.example]\nrecipients = list\nrecipient = a\n", NULL,
	  MAIL_OF "RCPT TO:<b@few.example>\r\nRCPT TO:<c@few.example>\r\n", "unknown_recipient", STAGE_RCPT, 421, "4.7.0" },
	{ "no memory for a message", "", "", no_memory_for_messages, ENVELOPE "DATA\r\nSubject: a\r\n\r\n.\r\n", "message_memory", STAGE_DATA, 452,
	  "4.3.1" },
	{ "a message too large", "", "", small_messages_only, ENVELOPE "DATA\r\n" LONG_LINE "\r\n.\r\n", "message-too-large", STAGE_DATA, 552, "5.3.4" },
	{ "a long line in a message", "", "", short_lines_only, ENVELOPE "DATA\r\n" LONG_LINE "\r\n.\r\n", "line-too-long", STAGE_DATA, 554, "5.6.0" },
	{ "no scanner", "", "", no_scanner_means_defer, ENVELOPE "DATA\r\n\r\n.\r\n", "unscanned", STAGE_MESSAGE, 451, "4.3.0" },
	{ "a disk that fails", "", "", a_broken_disk, ENVELOPE "DATA\r\n\r\n.\r\n", "journal_failed", STAGE_MESSAGE, 451, "4.3.0" },
	{ "a next hop that refuses", "", "mode = through\n", NULL, ENVELOPE "DATA\r\n\r\n.\r\n", "next_hop", STAGE_MESSAGE, 554, "5.7.1" },
};

/* The last refusal of that reason and code. */
static const struct refusal *last_refused(const struct rig *rig, const struct refusal_row *row)
{
	for (size_t i = rig->refusal_count; i != 0; i--) {
		if (strcmp(rig->refusals[i - 1].reason, row->reason) == 0 && rig->refusals[i - 1].code == row->code)
			return &rig->refusals[i - 1];
	}
	return NULL;
}

static uint64_t refusals_counted(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STAGE_COUNT; i++)
		sum += counted((enum counter)(COUNT_REFUSED_CONNECT + i));
	return sum;
}

static void check_refusal(const struct refusal_row *row)
{
	const uint64_t before = refusals_counted(), stage = counted((enum counter)(COUNT_REFUSED_CONNECT + row->stage));
	struct rig     rig;
	char           line[600];

	rig_up(&rig, row->listener, row->more, next_hop_refuses, 1);
	if (row->prepare != NULL)
		row->prepare(&rig);
	if (row->say != NULL && row->stage != STAGE_CONNECT)
		greeted(&rig);
	else
		come_in(&rig, "192.0.2.1");
	if (strcmp(row->reason, "timeout") == 0) {
		struct session *session = the_session(&rig);
		const uint64_t  all = session->stream.received + strlen(row->say);
		say(&rig, row->say);
		UNTIL(&rig, session->stream.received == all, WITH_JOURNAL);
		loop_timer_set(rig.loop, &session->timer, 0);
	} else if (row->say != NULL) {
		say(&rig, row->stage == STAGE_CONNECT ? "EHLO early\r\n" : row->say);
	}
	UNTIL(&rig, last_refused(&rig, row) != NULL, WITH_JOURNAL);
	const struct refusal *refusal = last_refused(&rig, row);
	assert_int_equal(refusal->stage, row->stage);
	assert_string_equal(refusal->status, row->status);
	assert_true(strlen(refusal->text) > 10);
	(void)snprintf(line, sizeof line, "%u %s %s\r\n", row->code, row->status, refusal->text);
	UNTIL(&rig, heard(&rig, line), WITH_JOURNAL);
	assert_true(counted((enum counter)(COUNT_REFUSED_CONNECT + row->stage)) > stage);
	assert_int_equal(refusals_counted() - before, rig.refusal_count);
	slab_limit_set(UINT64_MAX);
	rig_down(&rig);
}

/* Each is answered with a code, a status and a sentence, and stands in the trace and the counters just so. */
static void every_refusal_says_and_leaves_five_things(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusal_rows / sizeof *refusal_rows; i++) {
		print_message("  %s\n", refusal_rows[i].name);
		check_refusal(&refusal_rows[i]);
	}
}

/* As many errors as errors_max are borne, the next one ends the session. What our rules refuse is no error. */
static void errors_are_borne_up_to_their_number(void **state)
{
	static const struct {
		const char *listener;
		int         max;
	} rows[] = {
		{ "tarpit = 0s\nerrors_max = 1", 1 },
		{ "tarpit = 0s\nerrors_max = 2", 2 },
		{ "tarpit = 0s", 20 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (int errors = rows[i].max - 1; errors <= rows[i].max + 1; errors++) {
			struct rig rig;

			rig_up(&rig, rows[i].listener, "", NULL, 0);
			greeted(&rig);
			for (int k = 0; k < rows[i].max + 1; k++)
				talk(&rig, MAIL_OF "RCPT TO:<r@elsewhere.example>\r\nRSET\r\n", "250 2.0.0");
			for (int k = 1; k <= errors; k++)
				talk(&rig, "FROB\r\n", k > rows[i].max ? "421 4.7.0" : "500 5.5.1");
			if (errors <= rows[i].max)
				talk(&rig, "NOOP\r\n", "250 ");
			else
				UNTIL(&rig, rig.client < 0, WITH_JOURNAL);
			assert_int_equal(refused(&rig, "too-many-errors") != NULL, errors > rows[i].max);
			rig_down(&rig);
		}
	}
}

/* ---- without a scanner ---- */

static void what_passes_unscanned_carries_no_forged_fields(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, "", "", NULL, 0);
	greeted(&rig);
	talk(&rig, envelope, "354 ");
	talk(&rig,
	     "X-Hangu-Class: clean\r\nSubject: hello\r\nx-ms-exchange-organization-scl: -1\r\n and more\r\n"
	     "Authentication-Results: gate.example; spf=pass\r\nTo: r@example.net\r\n\r\nX-Hangu-Class: in the body\r\n.\r\n",
	     "250 2.0.0 Ok: kept as");
	UNTIL(&rig, rig.hop.delivered == 1, WITH_JOURNAL);
	const struct slice got = buf_slice(&rig.hop.messages[0].bytes);
	const struct slice rest = SLICE("Subject: hello\r\nTo: r@example.net\r\n\r\nX-Hangu-Class: in the body\r\n");
	assert_true(slice_ends(got, rest));
	/* Above that stand our own words, and that nobody has looked. */
	assert_true(slice_search(slice_take(got, got.len - rest.len), SLICE("clean\r\n and more")) == got.len - rest.len);
	assert_true(slice_search(got, SLICE("unscanned")) != got.len);
	rig_down(&rig);
}

/* At the bound of the header it passes, one byte behind it it does not. */
static void a_header_too_long_to_be_looked_through_does_not_pass(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		const uint64_t held = counted(COUNT_MESSAGES_HELD);
		struct buf     text = buf_make(8192);
		struct rig     rig;

		rig_up(&rig, "", "", NULL, 0);
		struct scan_options *options = (struct scan_options *)(uintptr_t)&rig.gate.config->scan[DIRECTION_INBOUND];
		options->limits.header_bytes = 2048;
		buf_put_str(&text, "Subject: ");
		while (text.len < 2048u - 4u + (unsigned)more)
			buf_put_byte(&text, 'x');
		buf_put_str(&text, "\r\n\r\nText\r\n.\r\n");
		buf_put_byte(&text, '\0');
		greeted(&rig);
		talk(&rig, envelope, "354 ");
		talk(&rig, (const char *)text.ptr, "250 2.0.0 Ok: kept as");
		assert_int_equal(counted(COUNT_MESSAGES_HELD), held + (unsigned)more);
		buf_done(&text);
		rig_down(&rig);
	}
}

/* ---- windows ---- */

static void the_window_is_large_only_while_a_body_comes(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, "message_size_max = 1M", "", NULL, 0);
	greeted(&rig);
	assert_int_equal(the_session(&rig)->stream.window, SESSION_WINDOW);
	talk(&rig, envelope, "354 ");
	assert_int_equal(the_session(&rig)->stream.window, SESSION_WINDOW_BODY);
	talk(&rig, message, "250 2.0.0 Ok: kept as");
	assert_int_equal(the_session(&rig)->stream.window, SESSION_WINDOW);
	/* A chunk, half a chunk, and RSET. */
	talk(&rig, ENVELOPE "BDAT 4\r\na: b", "250 2.0.0 Chunk");
	assert_int_equal(the_session(&rig)->stream.window, SESSION_WINDOW);
	say(&rig, "BDAT 4\r\n\r\n");
	UNTIL(&rig, the_session(&rig)->stream.window == SESSION_WINDOW_BODY, WITH_JOURNAL);
	talk(&rig, "c:", "250 2.0.0 Chunk");
	talk(&rig, "RSET\r\n", "250 ");
	assert_int_equal(the_session(&rig)->stream.window, SESSION_WINDOW);
	/* A body that breaks a rule. */
	talk(&rig, ENVELOPE "DATA\r\n", "354 ");
	talk(&rig, "a\nb\r\n.\r\n", "554 5.6.0");
	rig_down(&rig);
}

/* ---- replies nobody reads ---- */

static void who_reads_nothing_is_not_talked_to_again(void **state)
{
	struct rig rig;
	struct buf all = buf_make(1u << 20);
	(void)state;

	rig_up(&rig, "recipients_max = 10000", "", NULL, 0);
	greeted(&rig);
	talk(&rig, envelope, "354 ");
	/* One window of a body's end, a message with more recipients than there is room for answers, and a decision that takes time. */
	buf_put_str(&all, "\r\n.\r\n" MAIL_OF);
	while (all.len < 100000)
		buf_put_str(&all, "RCPT TO:<r@example.net>\r\n");
	buf_put_str(&all, "DATA\r\n\r\n.\r\n" MAIL_OF);
	const int room = 1 << 20;
	assert_int_equal(setsockopt(rig.client, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
	assert_int_equal(send(rig.client, all.ptr, all.len, MSG_NOSIGNAL), (ssize_t)all.len);
	UNTIL(&rig, rig.home->session_count == 0 || the_session(&rig)->state == SESSION_CLOSING, WITH_JOURNAL);
	for (int i = 0; i < 20; i++) {
		round_once(&rig, WITH_JOURNAL);
		assert_true(rig.home->session_count == 0 || the_session(&rig)->state == SESSION_CLOSING);
	}
	buf_done(&all);
	rig_down(&rig);
}

/* on_scan_failure = pass, and sender_must_match: the gate looks at From itself; what is not plain waits for a person. */
static void an_account_without_a_scanner_writes_in_its_own_name(void **state)
{
	static const struct slice          own[] = { SLICE_INIT("s@example.org") };
	static const struct config_account account = { .addresses = own, .address_count = 1 };
	static const struct {
		const char *name, *from, *answer;
		unsigned    held;
	} rows[] = {
		{ "its own", "From: Ann <s@example.org>\r\n", "250 2.0.0", 0 },
		{ "none", "", "250 2.0.0", 0 },
		{ "another's", "From: Boss <boss@example.org>\r\n", "550 5.7.1", 0 },
		{ "two fields", "From: s@example.org\r\nFrom: boss@example.org\r\n", "250 2.0.0", 1 },
		{ "two addresses", "From: s@example.org, boss@example.org\r\n", "250 2.0.0", 1 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rig          rig;
		struct queue_counts counts;
		char                text[200];

		rig_up(&rig, "", "", NULL, 0);
		greeted(&rig);
		the_session(&rig)->account = &account;
		talk(&rig, envelope, "354 ");
		(void)snprintf(text, sizeof text, "%sSubject: x\r\n\r\nText\r\n.\r\n", rows[i].from);
		print_message("  %s\n", rows[i].name);
		talk(&rig, text, rows[i].answer);
		queue_count(rig.gate.outbound->queue, &counts);
		assert_int_equal(counts.recipients[QUEUE_HELD], rows[i].held);
		assert_int_equal(refused(&rig, "author_not_allowed") != NULL, rows[i].answer[0] == '5');
		the_session(&rig)->account = NULL;
		rig_down(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_being_committed_is_answered_at_the_end),
		cmocka_unit_test(what_is_not_yet_committed_is_deferred_at_the_end),
		cmocka_unit_test(who_waits_for_the_next_hop_is_answered_at_the_end),
		cmocka_unit_test(an_end_without_a_drain_leaves_nobody_without_an_answer),
		cmocka_unit_test(a_message_is_accepted_when_the_journal_has_it),
		cmocka_unit_test(every_refusal_says_and_leaves_five_things),
		cmocka_unit_test(errors_are_borne_up_to_their_number),
		cmocka_unit_test(what_passes_unscanned_carries_no_forged_fields),
		cmocka_unit_test(a_header_too_long_to_be_looked_through_does_not_pass),
		cmocka_unit_test(an_account_without_a_scanner_writes_in_its_own_name),
		cmocka_unit_test(the_window_is_large_only_while_a_body_comes),
		cmocka_unit_test(who_reads_nothing_is_not_talked_to_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
