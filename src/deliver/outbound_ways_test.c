/* Tests of the way out: which hosts are asked, how they fare, TLS, and clients that wait for them (tests/harness/outbound_rig.h). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "harness/outbound_rig.h"

/* ---- names and routes ---- */

static void the_mx_of_the_domain_is_asked(void **state)
{
	struct rig rig;
	uint64_t id;
	struct shape shape = { .sender = "s@x", .to = { "a@b" } };

	(void)state;
	mx_up(&rig, NULL, 0);
	take_in(&rig, &shape);
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 2);
	assert_int_equal(names.asked, 3); /* MX, A, AAAA: once */
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.mx_status = RESOLVER_NODATA; /* no MX: the domain itself */
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.null_mx = true; /* RFC 7505 */
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.1.10")));
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.mx_status = RESOLVER_NXDOMAIN;
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.1.2")));
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.mx_status = RESOLVER_TIMEOUT;
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_DEFERRED));
	names.mx_status = RESOLVER_OK;
	UNTIL(&rig, messages(&rig) == 0);
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	route_table_close(&rig.config.route_table);
	rig.own = rig.hops[0].address; /* I-19d: the MX is this gateway */
	routes_up(&rig, 1);
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.4.6")));
	assert_int_equal(rig.hops[0].connections, 0);
	rig_down(&rig);
}

static void without_a_route_mail_waits(void **state)
{
	static const struct slice other[] = { S("other.example") };
	struct rig rig;
	uint64_t id;
	struct shape shape = { .sender = "s@x", .to = { "a@b" } };

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, NULL, 0);
	rig.route[0] = route_standard(&rig);
	rig.route[0].domains = (struct setting_list){ other, 1 };
	routes_up(&rig, 1);
	outbound_up(&rig);
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_DEFERRED));

	/* New settings bring one. */
	static struct config fresh;

	fresh = rig.config;
	rig.route[1] = route_standard(&rig);
	rig.config.route_table = NULL;
	rig.route[0] = rig.route[1];
	routes_up(&rig, 1);
	{
		struct route_table *old = fresh.route_table;

		fresh.route_table = rig.config.route_table;
		rig.config.route_table = old;
	}
	atomic_store(&fresh.holders, 1000);
	assert_int_equal(outbound_config(rig.outbound, &fresh), RC_OK);
	assert_int_equal(queue_find(rig.outbound->queue, id)->recipients[0].state, QUEUE_DEFERRED);
	struct event_act retry = { .message = id, .verb = VERB_RETRY, .recipient = 0, .who = SLICE("test") };
	outbound_act(rig.outbound, &retry);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 1);
	outbound_down(&rig);
	route_table_close(&fresh.route_table);
	rig.outbound = NULL;
	rig_down(&rig);
}

/* Names are looked up again after a while; what is known of an address stays known. */
static void health_outlives_a_lookup(void **state)
{
	struct rig rig;
	char host[64];

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, NULL, 0);
	(void)snprintf(host, sizeof(host), "mx.example:%u", (unsigned)rig.hops[0].address.port);
	rig.host_texts[0] = slice_str(host);
	names.address_status = RESOLVER_OK;
	names.address = rig.hops[0].address;
	names.address.port = 0;
	rig.route[0] = route_standard(&rig);
	routes_up(&rig, 1);
	outbound_up(&rig);
	fake_next_hop_stop(&rig.hops[0]);
	take_one(&rig, "s@x", "a@b");
	struct destination *destination = LIST_OF(rig.outbound->destinations.next, struct destination, link);
	for (unsigned failures = 1; failures <= 3; failures++) {
		const unsigned asked = names.asked;

		UNTIL(&rig, destination->target_count == 1 && destination->targets[0].failures >= failures && names.asked > asked - (failures == 1));
		assert_int_equal(destination->targets[0].failures, failures);
		destination->known_until_ms = 0; /* its time is up */
	}
	fake_next_hop_restart(&rig.hops[0]);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(destination->targets[0].failures, 0);
	rig_down(&rig);
}

/* I-33: what waits for a host that was away goes when it is back, and not an hour later. */
static void a_host_that_is_back_gets_its_mail_at_once(void **state)
{
	static const struct fake_rule later[] = { { "RCPT TO:<later", 1, FAKE_SAY, "450 4.2.1 later" } };
	static const struct slice retry[] = { S("1h") };
	struct rig rig;
	struct shape away = { .sender = "s@x", .to = { "a@b" } }, later_one = { .sender = "s@x", .to = { "later@b" } };

	(void)state;
	for (int named = 0; named < 2; named++) {
		char host[64];

		rig_begin(&rig);
		hop_open(&rig, later, 1);
		if (named == 1) {
			(void)snprintf(host, sizeof(host), "mx.example:%u", (unsigned)rig.hops[0].address.port);
			rig.host_texts[0] = slice_str(host);
			names.address_status = RESOLVER_OK;
			names.address = rig.hops[0].address;
			names.address.port = 0;
		}
		rig.route[0] = route_standard(&rig);
		rig.route[0].retry = (struct setting_list){ retry, 1 };
		routes_up(&rig, 1);
		outbound_up(&rig);
		/* One that the host itself put off is its own affair. */
		const uint64_t put_off = take_in(&rig, &later_one);
		UNTIL(&rig, state_is(&rig, put_off, 0, QUEUE_DEFERRED));
		fake_next_hop_stop(&rig.hops[0]);
		const uint64_t waiting = take_in(&rig, &away);
		UNTIL(&rig, state_is(&rig, waiting, 0, QUEUE_DEFERRED));
		fake_next_hop_restart(&rig.hops[0]);
		UNTIL(&rig, rig.hops[0].delivered == 1);
		UNTIL(&rig, messages(&rig) == 1);
		assert_true(state_is(&rig, put_off, 0, QUEUE_DEFERRED));
		rig_down(&rig);
	}
}

/* It is back before the journal has said that mail was put off for it. */
static void a_host_that_is_back_too_soon_gets_its_mail_too(void **state)
{
	static const struct slice retry[] = { S("1h") };
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, NULL, 0);
	rig.route[0] = route_standard(&rig);
	rig.route[0].retry = (struct setting_list){ retry, 1 };
	rig.route[0].probe = 0; /* nobody else comes to its help */
	routes_up(&rig, 1);
	outbound_up(&rig);
	fake_next_hop_stop(&rig.hops[0]);
	const uint64_t waiting = take_in(&rig, &(struct shape){ .sender = "s@x", .to = { "a@b" } });
	struct destination *destination = LIST_OF(rig.outbound->destinations.next, struct destination, link);
	UNTIL(&rig, destination->failures == 1);
	assert_false(state_is(&rig, waiting, 0, QUEUE_DEFERRED)); /* the outcome is on its way */
	fake_next_hop_restart(&rig.hops[0]);
	destination_target_good(destination, 0);
	UNTIL(&rig, messages(&rig) == 0);
	rig_down(&rig);
}

/* A probe that fails while its destination still rests is a failure like any other, and not the last time that it is asked. */
static void a_probe_during_the_rest_is_not_the_last(void **state)
{
	static const struct slice retry[] = { S("1h") };
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, NULL, 0);
	rig.route[0] = route_standard(&rig);
	rig.route[0].retry = (struct setting_list){ retry, 1 };
	routes_up(&rig, 1);
	outbound_up(&rig);
	fake_next_hop_stop(&rig.hops[0]);
	take_one(&rig, "s@x", "a@b");
	struct destination *destination = LIST_OF(rig.outbound->destinations.next, struct destination, link);
	for (unsigned failures = 1; failures <= 3; failures++) {
		UNTIL(&rig, destination->failures >= failures);
		assert_int_equal(destination->failures, failures);
		queue_destination_pause(rig.outbound->queue, destination->queue, outbound_wall_ms() + 3600000); /* the wall clock lags behind */
	}
	fake_next_hop_restart(&rig.hops[0]);
	UNTIL(&rig, messages(&rig) == 0);
	rig_down(&rig);
}

/* After a suspension, say: the first that is heard of is a connection that broke. Its rest begins now, and is not moved by what came before. */
static void a_step_of_the_clock_moves_no_rest_that_begins_after_it(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, NULL, 0);
	rig.route[0] = route_standard(&rig);
	routes_up(&rig, 1);
	outbound_up(&rig);
	fake_next_hop_stop(&rig.hops[0]);
	take_one(&rig, "s@x", "a@b");
	struct destination *destination = LIST_OF(rig.outbound->destinations.next, struct destination, link);
	UNTIL(&rig, destination->failures == 1);
	const struct trouble trouble = destination->trouble;
	const int64_t clock_ms = rig.outbound->clock_ms;
	rig.outbound->clock_ms -= 36000000; /* ten hours on, and nobody has looked */
	destination_failed(destination, &trouble);
	UNTIL(&rig, rig.outbound->clock_ms > clock_ms - 60000 && !list_linked(&rig.outbound->pump.link));
	assert_true(destination->queue->timer.at_ms < outbound_wall_ms() + 3600000);
	rig_down(&rig);
}

/* A route's own hosts are asked every [route] probe; those of other people's domains less and less often. */
static void hosts_of_other_domains_are_asked_less_often(void **state)
{
	struct rig rig;

	(void)state;
	for (int named = 0; named < 2; named++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		names.mx[0] = "mx.example";
		names.address_status = RESOLVER_OK;
		names.address = rig.hops[0].address;
		names.address.port = 0;
		rig.route[0] = route_standard(&rig);
		rig.route[0].port = rig.hops[0].address.port;
		rig.route[0].hosts.count = (size_t)named;
		routes_up(&rig, 1);
		outbound_up(&rig);
		fake_next_hop_stop(&rig.hops[0]);
		take_one(&rig, "s@x", "a@b");
		struct destination *destination = LIST_OF(rig.outbound->destinations.next, struct destination, link);
		UNTIL(&rig, destination->failures != 0);
		assert_int_equal(destination->probe.due_ms > loop_now_ms(rig.loop) + 1000, named == 0);
		rig_down(&rig);
	}
}

/* ---- through ---- */

static void through_waits_for_the_next_hop(void **state)
{
	static const struct fake_rule refuse[] = { { ".", 0, FAKE_SAY, "554 5.7.1 smells" } }, defer[] = { { "RCPT", 1, FAKE_SAY, "451 4.7.1 later" } },
				      lose[] = { { ".", 1, FAKE_RESET, NULL } };
	static const struct {
		const char             *name;
		const struct fake_rule *rules;
		bool                    away;
		enum through_result     result;
		unsigned                messages; /* afterwards in the queue, at once */
	} rows[] = {
		{ "taken", NULL, false, THROUGH_DELIVERED, 0 }, { "refused", refuse, false, THROUGH_REFUSED, 0 },
		{ "deferred", defer, false, THROUGH_QUEUED, 1 }, { "lost", lose, false, THROUGH_QUEUED, 1 },
		{ "nobody there", NULL, true, THROUGH_QUEUED, 1 },
	};
	struct shape shape = { .sender = "user@own", .to = { "a@b" }, .flags = EVENT_FLAG_TRUSTED, .through = true };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;

		rig_up(&rig, rows[i].rules, rows[i].rules == NULL ? 0 : 1);
		if (rows[i].away)
			fake_next_hop_stop(&rig.hops[0]);
		take_in(&rig, &shape);
		UNTIL(&rig, rig.through_answered);
		if (rig.through.result != rows[i].result)
			print_error("row \"%s\": %d\n", rows[i].name, (int)rig.through.result);
		assert_int_equal(rig.through.result, rows[i].result);
		if (rows[i].result == THROUGH_REFUSED) {
			assert_int_equal(rig.through.reply.code, 554);
			assert_true(slice_search(rig.through.reply.text, SLICE("smells")) != rig.through.reply.text.len);
			assert_int_equal(messages(&rig), 0);
			assert_int_equal(rig.outbound->counts.notices, 0);
		}
		if (rows[i].away)
			fake_next_hop_restart(&rig.hops[0]);
		UNTIL(&rig, messages(&rig) == 0);
		rig_down(&rig);
	}
}

/*
 * What is decided here, without an answer of the next hop to this message, is told to who waits, too: he is the only one who is told, so a 250
 * would be the end of the message.
 */
static void through_is_refused_here(void **state)
{
	static const struct fake_rule later[] = { { "RCPT", 0, FAKE_SAY, "451 4.7.1 later" } };
	static const struct {
		const char             *name, *extensions, *to;
		const struct fake_rule *rules;
		uint32_t                flags;
		int64_t                 age_ms;
		struct smtp_reply       reply;
	} rows[] = {
		{ "too large", "SIZE 20", "a@b", NULL, 0, 0, { .code = 552, .enhanced = { 5, 3, 4 } } },
		{ "no SMTPUTF8", "SIZE", "\xc3\xbc@b", NULL, EVENT_FLAG_SMTPUTF8, 0, { .code = 550, .enhanced = { 5, 6, 7 } } },
		{ "no 8BITMIME", "SIZE", "a@b", NULL, EVENT_FLAG_8BITMIME, 0, { .code = 554, .enhanced = { 5, 6, 3 } } },
		{ "later than it may be", "SIZE", "a@b", later, 0, 3600000, { .code = 554, .enhanced = { 5, 7, 1 } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct shape shape = { .sender = "user@own", .to = { rows[i].to }, .flags = EVENT_FLAG_TRUSTED | rows[i].flags,
		                       .age_ms = rows[i].age_ms, .through = true };
		const struct smtp_reply *reply;
		struct rig rig;

		rig_begin(&rig);
		hop_open(&rig, rows[i].rules, rows[i].rules == NULL ? 0 : 1);
		rig.hops[0].extensions = rows[i].extensions;
		rig.route[0] = route_standard(&rig);
		rig.route[0].eightbit = ROUTE_EIGHTBIT_BOUNCE;
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_in(&rig, &shape);
		UNTIL(&rig, rig.through_answered);
		reply = &rig.through.reply;
		if (rig.through.result != THROUGH_REFUSED || reply->code != rows[i].reply.code || reply->enhanced.class != rows[i].reply.enhanced.class ||
		    reply->enhanced.subject != rows[i].reply.enhanced.subject || reply->enhanced.detail != rows[i].reply.enhanced.detail ||
		    reply->text.len == 0)
			fail_msg("row \"%s\": result %d, %u %u.%u.%u %.*s", rows[i].name, (int)rig.through.result, reply->code, reply->enhanced.class,
			         reply->enhanced.subject, reply->enhanced.detail, (int)reply->text.len, (const char *)reply->text.ptr);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.outbound->counts.notices, 0);
		rig_down(&rig);
	}
}

/* ---- TLS ---- */

static void tls_is_as_the_route_says(void **state)
{
	enum offer { NOT_OFFERED, REFUSED, GOOD, OTHER_NAME, BROKEN };
	static const struct {
		const char    *name;
		enum route_tls policy;
		enum offer     offer;
		bool           delivered;
		bool           encrypted;
	} rows[] = {
		{ "opportunistic, not offered", ROUTE_TLS_OPPORTUNISTIC, NOT_OFFERED, true, false },
		{ "opportunistic, refused", ROUTE_TLS_OPPORTUNISTIC, REFUSED, true, false },
		{ "opportunistic, offered", ROUTE_TLS_OPPORTUNISTIC, GOOD, true, true },
		{ "opportunistic, any name", ROUTE_TLS_OPPORTUNISTIC, OTHER_NAME, true, true },
		{ "opportunistic, no handshake", ROUTE_TLS_OPPORTUNISTIC, BROKEN, true, false },
		{ "never, offered", ROUTE_TLS_NONE, GOOD, true, false },
		{ "required, not offered", ROUTE_TLS_REQUIRE, NOT_OFFERED, false, false },
		{ "required, refused", ROUTE_TLS_REQUIRE, REFUSED, false, false },
		{ "required, any name", ROUTE_TLS_REQUIRE, OTHER_NAME, true, true },
		{ "required, no handshake", ROUTE_TLS_REQUIRE, BROKEN, false, false },
		{ "verified", ROUTE_TLS_VERIFY, GOOD, true, true },
		{ "verified, another name", ROUTE_TLS_VERIFY, OTHER_NAME, false, false },
	};
	static const struct fake_rule broken[] = { { "STARTTLS", 0, FAKE_CLOSE, "220 2.0.0 go on" } };
	static const struct slice tls_names[] = { S("good.example") };
	struct certificate root, good, other;
	struct fault fault;

	(void)state;
	assert_int_equal(net_tls_ready(&fault), RC_OK);
	certificate_make(&root, &(struct certificate_wish){ .common_name = "root", .authority = true }, NULL);
	certificate_make(&good, &(struct certificate_wish){ .common_name = "x", .names = "DNS:good.example" }, &root);
	certificate_make(&other, &(struct certificate_wish){ .common_name = "x", .names = "DNS:other.example" }, &root);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_server_settings server = { .pairs = rows[i].offer == OTHER_NAME ? &other.pair : &good.pair, .pairs_count = 1 };
		struct rig rig;

		rig_begin(&rig);
		hop_open(&rig, broken, rows[i].offer == BROKEN ? 1 : 0);
		rig.hops[0].extensions = rows[i].offer == NOT_OFFERED ? "8BITMIME" : "STARTTLS";
		if (rows[i].offer == GOOD || rows[i].offer == OTHER_NAME)
			assert_int_equal(tls_server_open(&server, &rig.hops[0].tls, &fault), RC_OK);
		assert_int_equal(tls_authorities_open(root.pair.certificates, &rig.authorities, &fault), RC_OK);
		rig.route[0] = route_standard(&rig);
		rig.route[0].tls = rows[i].policy;
		rig.route[0].tls_names = (struct setting_list){ tls_names, 1 };
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_one(&rig, "s@x", "a@b");
		UNTIL(&rig, messages(&rig) == 0 || rig.outbound->counts.deferred != 0);
		if ((rig.hops[0].delivered == 1) != rows[i].delivered)
			print_error("row \"%s\"\n", rows[i].name);
		assert_int_equal(rig.hops[0].delivered, rows[i].delivered);
		assert_int_equal(rows[i].delivered && fake_next_hop_heard(&rig.hops[0], "EHLO") == 2 && rig.hops[0].connections == 1 &&
		                         rows[i].offer != REFUSED,
		                 rows[i].encrypted);
		struct tls_context *context = rig.hops[0].tls;
		struct tls_authorities *authorities = rig.authorities;

		rig_down(&rig);
		tls_context_close(&context);
		tls_authorities_close(&authorities);
	}
	certificate_done(&root);
	certificate_done(&good);
	certificate_done(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mx_of_the_domain_is_asked),
		cmocka_unit_test(without_a_route_mail_waits),
		cmocka_unit_test(a_host_that_is_back_gets_its_mail_at_once),
		cmocka_unit_test(a_host_that_is_back_too_soon_gets_its_mail_too),
		cmocka_unit_test(a_probe_during_the_rest_is_not_the_last),
		cmocka_unit_test(a_step_of_the_clock_moves_no_rest_that_begins_after_it),
		cmocka_unit_test(hosts_of_other_domains_are_asked_less_often),
		cmocka_unit_test(health_outlives_a_lookup),
		cmocka_unit_test(through_waits_for_the_next_hop),
		cmocka_unit_test(through_is_refused_here),
		cmocka_unit_test(tls_is_as_the_route_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
