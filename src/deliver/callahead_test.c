/*
 * Tests of call-ahead: real connections on loopback to mail systems that follow a script. Names are answered by a resolver made here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "deliver/callahead_inside.h"

#include "base/memory.h"
#include "harness/fake_next_hop.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>

/* What is known of names: nothing, unless a test says so. */
static struct {
	bool               known;
	bool               no_mx;   /* the name has addresses and no MX */
	struct net_address far;     /* of mx1 */
	struct net_address address; /* of mx2, and of the name itself */
	unsigned           asked;
} names;

enum rc resolver_ask(struct resolver *resolver, struct resolver_query *query, enum resolver_type type, struct slice name, uint64_t timeout_ms,
                     struct resolver_answer *answer)
{
	static const struct resolver_mx mx[] = { { 10, SLICE_INIT("mx1.example") }, { 20, SLICE_INIT("mx2.example") } };

	(void)resolver;
	(void)query;
	(void)timeout_ms;
	if (!names.known)
		return RC_BUSY;
	names.asked++;
	*answer = (struct resolver_answer){ .type = type, .status = RESOLVER_NODATA, .ttl_s = 60 };
	if (type == RESOLVER_MX && !names.no_mx) {
		answer->status = RESOLVER_OK;
		answer->mx = mx;
		answer->count = 2;
	} else if (type == RESOLVER_A) {
		answer->status = RESOLVER_OK;
		answer->addresses = slice_eq(name, SLICE("mx1.example")) ? &names.far : &names.address;
		answer->count = 1;
	}
	return RC_OK;
}

void resolver_cancel(struct resolver_query *query)
{
	(void)query;
}

#define S(text) { (const uint8_t *)(text), sizeof(text) - 1 }

struct rig {
	struct loop                   *loop;
	struct fake_next_hop           hop;
	char                           host_bytes[NET_ADDRESS_TEXT_MAX];
	struct slice                   host;
	struct gate_route_settings     route;
	struct gate_callahead_settings settings;
	struct config                  config;
	struct callahead              *callahead;
	struct callahead_query         queries[4];
	unsigned                       answers;
};

/* `host`: as in the settings; NULL: the fake hop's address. */
static void rig_up_at(struct rig *rig, const char *host, const struct fake_rule *rules, size_t count)
{
	static const struct slice all[] = { S("*") }, retry[] = { S("1m") };
	struct route_source source = { .routes = &rig->route, .count = 1, .hostname = S("gate.example"), .seed = 1 };
	struct callahead_options options;
	struct buf why = buf_make(1000);
	struct fault fault;

	memset(rig, 0, sizeof(*rig));
	log_open(LOG_FORM_TEXT, LOG_LEVEL_ERROR);
	assert_int_equal(loop_open(0, &rig->loop, &fault), RC_OK);
	fake_next_hop_open(&rig->hop, rig->loop, rules, count);
	rig->host = slice_str(host != NULL ? host : net_address_text_port(&rig->hop.address, rig->host_bytes));
	rig->route = (struct gate_route_settings){ .name = S("main"), .domains = { all, 1 }, .hosts = { &rig->host, 1 }, .port = rig->hop.address.port,
		                                   .tls = ROUTE_TLS_NONE, .retry = { retry, 1 }, .expire = 1000 };
	assert_int_equal(route_table_make(&source, &why, &rig->config.route_table), RC_OK);
	buf_done(&why);
	rig->settings = (struct gate_callahead_settings){ .connections_max = 2, .timeout = 300, .keep_positive = 60000, .keep_negative = 60000,
		                                          .keep_dead = 100, .keep_last_good = 120000, .entries_max = 100 };
	rig->config.settings.callahead = &rig->settings;
	atomic_store(&rig->config.holders, 1000);
	options = (struct callahead_options){ .loop = rig->loop, .config = &rig->config, .seed = 5 };
	assert_int_equal(callahead_open(&options, &rig->callahead), RC_OK);
}

static void rig_up(struct rig *rig, const struct fake_rule *rules, size_t count)
{
	names.known = false;
	rig_up_at(rig, NULL, rules, count);
}

static void rig_down(struct rig *rig)
{
	callahead_close(&rig->callahead);
	(void)loop_drain(rig->loop);
	fake_next_hop_close(&rig->hop);
	(void)loop_drain(rig->loop);
	route_table_close(&rig->config.route_table);
	loop_close(&rig->loop);
}

static struct rig *asking;

static void answered(struct loop_task *task)
{
	(void)task;
	asking->answers++;
}

static void turn_until(struct rig *rig, unsigned answers)
{
	uint64_t until_ms = clock_mono_ms() + 10000;

	while (rig->answers < answers && clock_mono_ms() < until_ms)
		assert_int_equal(loop_turn(rig->loop, 2), RC_OK);
	assert_int_equal(rig->answers, answers);
}

static enum callahead_result ask(struct rig *rig, const char *address)
{
	struct callahead_query *query = &rig->queries[0];
	enum rc rc;

	asking = rig;
	*query = (struct callahead_query){ .home = rig->loop, .task.run = answered, .address = slice_str(address) };
	rig->answers = 0;
	rc = callahead_ask(rig->callahead, query);
	assert_true(rc == RC_OK || rc == RC_AGAIN);
	if (rc == RC_AGAIN)
		turn_until(rig, 1);
	return query->result;
}

static void answers_are_believed_and_kept(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<good@b>", 0, FAKE_SAY, "250 2.1.5 fine" }, { "RCPT TO:<later@b>", 0, FAKE_SAY, "450 4.2.1 later" },
		                                  { "RCPT", 0, FAKE_SAY, "550 5.1.1 unknown" } };
	struct rig rig;

	(void)state;
	rig_up(&rig, rules, 3);
	assert_int_equal(ask(&rig, "good@b"), CALLAHEAD_YES);
	assert_int_equal(ask(&rig, "Good@B"), CALLAHEAD_YES);
	assert_int_equal(ask(&rig, "bad@b"), CALLAHEAD_NO);
	assert_int_equal(ask(&rig, "bad@b"), CALLAHEAD_NO);
	assert_int_equal(ask(&rig, "later@b"), CALLAHEAD_UNKNOWN);
	assert_int_equal(fake_next_hop_heard(&rig.hop, "RCPT"), 4); /* a name nobody has, good, bad, later */
	assert_int_equal(fake_next_hop_heard(&rig.hop, "DATA"), 0);
	assert_int_equal(rig.hop.connections, 1);
	assert_int_equal(fake_next_hop_heard(&rig.hop, "MAIL FROM:<>"), 4);
	rig_down(&rig);
}

/* A route's mx:NAME leads call-ahead where it leads mail: through its hosts in order, to the name itself without an MX, never to us. */
static void mx_is_followed(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<good@b>", 0, FAKE_SAY, "250 2.1.5 fine" }, { "RCPT", 0, FAKE_SAY, "550 5.1.1 unknown" } };
	static const struct {
		const char           *name;
		bool                  no_mx, second_is_own, first_is_own;
		enum callahead_result result;
	} rows[] = {
		{ "the second of two hosts", false, false, false, CALLAHEAD_YES },
		{ "no MX", true, false, false, CALLAHEAD_YES },
		{ "the far one is us", false, true, false, CALLAHEAD_UNKNOWN },
		{ "the near one is us", false, false, true, CALLAHEAD_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_address own = { 0 };
		struct rig rig;

		names.known = true;
		names.no_mx = rows[i].no_mx;
		assert_int_equal(net_address_parse(SLICE("127.0.0.3"), &names.far), RC_OK); /* nobody is there */
		assert_int_equal(net_address_parse(SLICE("127.0.0.1"), &names.address), RC_OK);
		/* The hop's port is known only once it is up; whatever the port, an address of ours with it is us. */
		rig_up_at(&rig, "mx:corp.example", rules, 2);
		if (rows[i].first_is_own || rows[i].second_is_own) {
			own = rows[i].first_is_own ? names.far : names.address;
			own.port = rig.hop.address.port;
			route_table_close(&rig.config.route_table);
			const struct route_source source = { .routes = &rig.route, .count = 1, .hostname = S("gate.example"), .own = &own,
				                             .own_count = 1, .seed = 1 };
			struct buf why = buf_make(1000);
			assert_int_equal(route_table_make(&source, &why, &rig.config.route_table), RC_OK);
			buf_done(&why);
		}
		assert_int_equal(ask(&rig, "good@b"), rows[i].result);
		if (rows[i].result == CALLAHEAD_YES)
			assert_int_equal(ask(&rig, "bad@b"), CALLAHEAD_NO);
		rig_down(&rig);
	}
	names.known = false;
}

static void who_says_yes_to_everybody_is_not_believed(void **state)
{
	struct rig rig;

	(void)state;
	rig_up(&rig, NULL, 0);
	assert_int_equal(ask(&rig, "anybody@b"), CALLAHEAD_UNKNOWN);
	assert_int_equal(ask(&rig, "other@b"), CALLAHEAD_UNKNOWN);
	assert_true(fake_next_hop_heard(&rig.hop, "RCPT") <= 2);
	rig_down(&rig);
}

static void only_a_refused_recipient_means_no(void **state)
{
	static const struct fake_rule rows[] = {
		{ "", 0, FAKE_CLOSE, "554 go away" },   { "", 0, FAKE_STALL, NULL },          { "", 0, FAKE_RESET, NULL },
		{ "EHLO", 0, FAKE_SAY, "550 no" },      { "MAIL", 0, FAKE_SAY, "550 5.7.1 no" }, { "MAIL", 0, FAKE_CLOSE, NULL },
		{ "RCPT", 0, FAKE_SAY, "421 4.3.2 busy" }, { "RCPT", 0, FAKE_RESET, NULL },   { "RCPT", 0, FAKE_STALL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;
		enum callahead_result result;

		rig_up(&rig, &rows[i], 1);
		result = ask(&rig, "a@b");
		if (result != CALLAHEAD_UNKNOWN)
			print_error("row %zu (\"%s\"): %d\n", i, rows[i].on, (int)result);
		assert_int_equal(result, CALLAHEAD_UNKNOWN);
		rig_down(&rig);
	}
}

static void an_old_yes_serves_while_nobody_is_there(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<good@b>", 0, FAKE_SAY, "250 2.1.5 fine" }, { "RCPT", 0, FAKE_SAY, "550 5.1.1 unknown" } };
	struct rig rig;
	uint64_t until_ms;

	(void)state;
	rig_up(&rig, rules, 2);
	rig.settings.keep_positive = 1;
	assert_int_equal(ask(&rig, "good@b"), CALLAHEAD_YES);
	fake_next_hop_stop(&rig.hop);
	until_ms = clock_mono_ms() + 5;
	while (clock_mono_ms() < until_ms)
		assert_int_equal(loop_turn(rig.loop, 1), RC_OK);
	assert_int_equal(ask(&rig, "good@b"), CALLAHEAD_YES);
	assert_int_equal(ask(&rig, "new@b"), CALLAHEAD_UNKNOWN);
	rig_down(&rig);
}

static void one_question_answers_many(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT", 0, FAKE_SAY, "550 5.1.1 unknown" } };
	struct rig rig;

	(void)state;
	rig_up(&rig, rules, 1);
	asking = &rig;
	for (int i = 0; i < 4; i++) {
		rig.queries[i] = (struct callahead_query){ .home = rig.loop, .task.run = answered, .address = SLICE("a@b") };
		assert_int_equal(callahead_ask(rig.callahead, &rig.queries[i]), RC_AGAIN);
	}
	turn_until(&rig, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(rig.queries[i].result, CALLAHEAD_NO);
	assert_int_equal(fake_next_hop_heard(&rig.hop, "RCPT"), 2);

	/* Closing answers whoever still waits. */
	rig.answers = 0;
	rig.queries[0] = (struct callahead_query){ .home = rig.loop, .task.run = answered, .address = SLICE("z@b") };
	assert_int_equal(callahead_ask(rig.callahead, &rig.queries[0]), RC_AGAIN);
	(void)loop_drain(rig.loop);
	callahead_config(rig.callahead, &rig.config);
	(void)loop_drain(rig.loop);
	assert_int_equal(rig.answers, 1);
	assert_int_equal(rig.queries[0].result, CALLAHEAD_UNKNOWN);
	rig_down(&rig);
}

static void the_cache_is_bounded(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT", 0, FAKE_SAY, "550 5.1.1 unknown" } };
	struct rig rig;

	(void)state;
	rig_up(&rig, rules, 1);
	rig.settings.entries_max = 3;
	for (int i = 0; i < 9; i++) {
		struct buf address = buf_make(64);

		buf_printf(&address, "a%d@b", i);
		buf_put_byte(&address, 0);
		assert_int_equal(ask(&rig, (const char *)address.ptr), CALLAHEAD_NO);
		buf_done(&address);
	}
	assert_int_equal(rig.callahead->known_count, 3);
	rig_down(&rig);
}

/* What is asked of a mail system that says nothing; the question whether it says no at all is one of them. */
static void questions_under_way_are_bounded(void **state)
{
	static const struct fake_rule rules[] = { { "", 0, FAKE_STALL, NULL } };
	struct callahead_query       *queries = memory_take(CALLAHEAD_QUESTIONS_MAX + 1, sizeof(*queries));
	char(*addresses)[16] = memory_take(CALLAHEAD_QUESTIONS_MAX + 1, sizeof(*addresses));

	(void)state;
	assert_true(queries != NULL && addresses != NULL);
	for (unsigned count = CALLAHEAD_QUESTIONS_MAX - 2; count <= CALLAHEAD_QUESTIONS_MAX; count++) {
		const unsigned refused = count + 1 > CALLAHEAD_QUESTIONS_MAX;
		struct rig rig;

		rig_up(&rig, rules, 1);
		rig.settings.timeout = 3600000;
		asking = &rig;
		for (unsigned i = 0; i < count; i++) {
			(void)snprintf(addresses[i], sizeof(addresses[i]), "a%u@b", i);
			queries[i] = (struct callahead_query){ .home = rig.loop, .task.run = answered };
			queries[i].address = slice_str(addresses[i]);
			assert_int_equal(callahead_ask(rig.callahead, &queries[i]), RC_AGAIN);
		}
		/* And an address that is asked for already, which is no question more. */
		queries[count] = (struct callahead_query){ .home = rig.loop, .task.run = answered };
		queries[count].address = slice_str(addresses[0]);
		assert_int_equal(callahead_ask(rig.callahead, &queries[count]), RC_AGAIN);
		while (queries[count].link.next == NULL) /* the last to arrive */
			assert_int_equal(loop_turn(rig.loop, 0), RC_OK);
		turn_until(&rig, refused);
		assert_int_equal(rig.callahead->question_count, count + 1 - refused);
		if (refused != 0)
			assert_int_equal(queries[count - 1].result, CALLAHEAD_UNKNOWN);
		/* All are answered at the end, and their places free. */
		callahead_config(rig.callahead, &rig.config);
		turn_until(&rig, count + 1);
		assert_int_equal(rig.callahead->question_count, 0);
		rig_down(&rig);
	}
	memory_give(addresses);
	memory_give(queries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_believed_and_kept),
		cmocka_unit_test(mx_is_followed),
		cmocka_unit_test(who_says_yes_to_everybody_is_not_believed),
		cmocka_unit_test(only_a_refused_recipient_means_no),
		cmocka_unit_test(an_old_yes_serves_while_nobody_is_there),
		cmocka_unit_test(one_question_answers_many),
		cmocka_unit_test(the_cache_is_bounded),
		cmocka_unit_test(questions_under_way_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
