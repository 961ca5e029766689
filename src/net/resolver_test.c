/* The resolver against a name server that answers, is slow, is silent, or lies; and inside the gate's box. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "harness/fake_dns.h"
#include "net/resolver.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURNS_MAX 20000
#define A         1
#define CNAME     5
#define PTR       12
#define MX        15
#define TXT       16
#define AAAA      28

static char long_text[1500];

static const struct fake_dns_record zone[] = {
	{ "mx1.example.test", A, "192.0.2.1", 300 },
	{ "mx1.example.test", A, "192.0.2.2", 300 },
	{ "mx1.example.test", AAAA, "2001:db8::1", 300 },
	{ "example.test", MX, "20 mx2.example.test", 300 },
	{ "example.test", MX, "10 MX1.example.test", 300 },
	{ "example.test", TXT, "v=spf1 -all", 300 },
	{ "null.test", MX, "0 .", 300 },
	{ "alias.test", CNAME, "mx1.example.test", 300 },
	{ "big.truncates.test", TXT, long_text, 300 },
	{ "fleeting.test", A, "192.0.2.7", 0 },
	{ "short.test", A, "192.0.2.8", 1 },
	{ "slow.test", A, "192.0.2.9", 300 },
	{ "1.2.0.192.in-addr.arpa", PTR, "mx1.example.test", 300 },
	{ "5.2.0.192.in-addr.arpa", PTR, "wrong.example.test", 300 },
	{ "wrong.example.test", A, "192.0.2.99", 300 },
	{ "6.2.0.192.in-addr.arpa", PTR, "nowhere.example.test", 300 },
	{ "6.2.0.192.in-addr.arpa", PTR, "six.example.test", 300 },
	{ "six.example.test", A, "192.0.2.66", 300 },
	{ "six.example.test", A, "192.0.2.6", 300 },
	{ "7.2.0.192.in-addr.arpa", PTR, "host.servfail.test", 300 },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", PTR, "mx1.example.test", 300 },
	{ "1.0.0.127.in-addr.arpa", PTR, "loop.example.test", 300 },
	{ "loop.example.test", A, "127.0.0.1", 300 },
	{ "4.3.2.10.in-addr.arpa", PTR, "ten.example.test", 300 },
	{ "ten.example.test", A, "10.2.3.4", 300 },
	{ "other.example.test", A, "192.0.2.13", 300 },
	{ NULL, 0, NULL, 0 },
};

static const struct fake_dns_rule rules[] = {
	{ "servfail.test", FAKE_DNS_SERVFAIL },
	{ "refused.test", FAKE_DNS_REFUSED },
	{ "silent.test", FAKE_DNS_SILENT },
	{ "slow.test", FAKE_DNS_SLOW },
	{ "truncates.test", FAKE_DNS_TRUNCATES },
	{ "lies.test", FAKE_DNS_OTHER_NAME },
	{ "garbage.test", FAKE_DNS_GARBAGE },
	{ "8.2.0.192.in-addr.arpa", FAKE_DNS_SERVFAIL },
	{ NULL, 0 },
};

static struct loop          *loop;
static struct fake_dns      *server;
static struct resolver_core *core;
static struct resolver      *resolver;

/* ---- asking and waiting ---- */

struct asker {
	struct resolver_query  query;
	struct resolver_answer answer;
	struct arena           arena;
	enum rc                rc;
	unsigned               calls;
	uint8_t                memory[8192];
};

static void done(struct resolver_query *query, const struct resolver_answer *answer)
{
	struct asker *asker = (struct asker *)(void *)query;

	asker->answer = *answer;
	asker->calls++;
}

static void begin(struct asker *asker, enum resolver_type type, const char *name, uint64_t timeout_ms)
{
	memset(asker, 0, offsetof(struct asker, memory));
	asker->arena = arena_on(asker->memory, sizeof asker->memory);
	asker->query.done = done;
	asker->query.arena = &asker->arena;
	asker->rc = resolver_ask(resolver, &asker->query, type, slice_str(name), timeout_ms, &asker->answer);
}

static void turn(void)
{
	assert_int_equal(loop_turn(loop, 20), RC_OK);
}

static void wait_for(struct asker *asker)
{
	if (asker->rc != RC_AGAIN)
		return;
	for (unsigned turns = 0; asker->calls == 0; turns++) {
		assert_true(turns < TURNS_MAX);
		turn();
	}
	assert_int_equal(asker->calls, 1);
}

static struct asker *ask(enum resolver_type type, const char *name)
{
	static struct asker asker;

	begin(&asker, type, name, 20000);
	wait_for(&asker);
	return &asker;
}

static void open_on(const struct net_address *servers, size_t count)
{
	const struct resolver_settings settings = {
		.servers = servers, .servers_count = count, .cache_bytes = 4u << 20, .private_names = true
	};
	struct fault fault = { 0 };

	if (resolver_core_open(&settings, loop, &core, &fault) != RC_OK)
		fail_msg("%s: %ld", fault.text, (long)fault.number);
	assert_int_equal(resolver_open(core, loop, 32, 64, &resolver), RC_OK);
}

static int set_up(void **state)
{
	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	if (loop_open(0, &loop, NULL) != RC_OK)
		return -1;
	server = fake_dns_start(zone, rules);
	const struct net_address address = fake_dns_address(server);
	open_on(&address, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	resolver_close(&resolver);
	resolver_close(&resolver);
	resolver_core_close(&core);
	resolver_core_close(&core);
	fake_dns_stop(&server);
	loop_close(&loop);
	return 0;
}

/* ---- answers ---- */

static void each_type_is_answered(void **state)
{
	char          text[NET_ADDRESS_TEXT_MAX];
	struct asker *asker;

	(void)state;
	asker = ask(RESOLVER_A, "mx1.example.test");
	assert_int_equal(asker->answer.status, RESOLVER_OK);
	assert_int_equal(asker->answer.count, 2);
	assert_false(asker->answer.secure);
	assert_true(asker->answer.ttl_s > 290 && asker->answer.ttl_s <= 300);
	asker = ask(RESOLVER_AAAA, "MX1.example.test.");
	assert_int_equal(asker->answer.count, 1);
	assert_string_equal(net_address_text(&asker->answer.addresses[0], text), "2001:db8::1");
	asker = ask(RESOLVER_MX, "example.test");
	assert_int_equal(asker->answer.count, 2);
	assert_int_equal(asker->answer.mx[0].preference, 10);
	assert_true(slice_eq(asker->answer.mx[0].host, SLICE("mx1.example.test")));
	assert_true(slice_eq(asker->answer.mx[1].host, SLICE("mx2.example.test")));
	asker = ask(RESOLVER_TXT, "example.test");
	assert_int_equal(asker->answer.count, 1);
	assert_true(slice_eq(asker->answer.names[0], SLICE("v=spf1 -all")));
	asker = ask(RESOLVER_PTR, "1.2.0.192.in-addr.arpa");
	assert_true(slice_eq(asker->answer.names[0], SLICE("mx1.example.test")));
	asker = ask(RESOLVER_A, "alias.test");
	assert_int_equal(asker->answer.status, RESOLVER_OK);
	assert_int_equal(asker->answer.count, 2);
	asker = ask(RESOLVER_MX, "null.test");
	assert_int_equal(asker->answer.status, RESOLVER_OK);
	assert_true(asker->answer.null_mx);
	assert_int_equal(asker->answer.count, 0);
}

static const struct {
	const char          *name;
	enum resolver_type   type;
	enum resolver_status status;
} unlucky[] = {
	{ "nothing.example.test", RESOLVER_A, RESOLVER_NXDOMAIN },
	{ "mx1.example.test", RESOLVER_MX, RESOLVER_NODATA },
	{ "a.servfail.test", RESOLVER_A, RESOLVER_FAILED },
	{ "a.refused.test", RESOLVER_MX, RESOLVER_FAILED },
	{ "a.lies.test", RESOLVER_A, RESOLVER_FAILED },
	{ "a.garbage.test", RESOLVER_A, RESOLVER_FAILED },
};

static void what_goes_wrong_has_a_name(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof unlucky / sizeof *unlucky; row++) {
		const struct asker *asker = ask(unlucky[row].type, unlucky[row].name);
		if (asker->answer.status != unlucky[row].status &&
		    !(asker->answer.status == RESOLVER_TIMEOUT && unlucky[row].status == RESOLVER_FAILED))
			fail_msg("%s: %d", unlucky[row].name, (int)asker->answer.status);
		assert_int_equal(asker->answer.count, 0);
	}
	struct asker asker;
	begin(&asker, RESOLVER_A, "not a name", 1000);
	assert_int_equal(asker.rc, RC_SYNTAX);
	begin(&asker, RESOLVER_A, "", 1000);
	assert_int_equal(asker.rc, RC_SYNTAX);
}

static void a_truncated_answer_comes_by_tcp(void **state)
{
	const struct asker *asker = ask(RESOLVER_TXT, "big.truncates.test");

	(void)state;
	assert_int_equal(asker->answer.status, RESOLVER_OK);
	assert_int_equal(asker->answer.names[0].len, sizeof long_text - 1);
}

static void a_silent_server_costs_the_deadline_only(void **state)
{
	struct asker   asker, second;
	const uint64_t began_ms = loop_now_ms(loop);

	(void)state;
	begin(&asker, RESOLVER_A, "a.silent.test", 60);
	begin(&second, RESOLVER_A, "a.silent.test", 90);
	wait_for(&asker);
	assert_int_equal(asker.answer.status, RESOLVER_TIMEOUT);
	assert_int_equal(second.calls, 0);
	wait_for(&second);
	assert_int_equal(second.answer.status, RESOLVER_TIMEOUT);
	assert_true(loop_now_ms(loop) - began_ms >= 90);
	assert_int_equal(resolver_counts(resolver)->timeouts, 2);
	assert_int_equal(resolver_counts(resolver)->joined, 1);
	assert_int_equal(resolver_counts(resolver)->under_way, 1); /* it flies on */
	/* Others are answered meanwhile. */
	assert_int_equal(ask(RESOLVER_A, "mx1.example.test")->answer.status, RESOLVER_OK);
}

static void a_dead_server_is_a_failure(void **state)
{
	struct net_address dead = fake_dns_address(server);

	(void)state;
	resolver_close(&resolver);
	resolver_core_close(&core);
	fake_dns_stop(&server); /* nobody listens there any more */
	open_on(&dead, 1);
	static struct asker asker;
	begin(&asker, RESOLVER_A, "mx1.example.test", 300);
	wait_for(&asker);
	assert_true(asker.answer.status == RESOLVER_FAILED || asker.answer.status == RESOLVER_TIMEOUT);
	/* Of two, one is enough. */
	resolver_close(&resolver);
	resolver_core_close(&core);
	server = fake_dns_start(zone, rules);
	const struct net_address both[] = { dead, fake_dns_address(server) };
	open_on(both, 2);
	assert_int_equal(ask(RESOLVER_A, "mx1.example.test")->answer.status, RESOLVER_OK);
}

/* ---- the loop's own cache ---- */

static void known_answers_cost_nothing(void **state)
{
	(void)state;
	(void)ask(RESOLVER_A, "mx1.example.test");
	const unsigned asked = fake_dns_asked(server, "mx1.example.test");
	for (unsigned round = 0; round < 100; round++) {
		const struct asker *asker = ask(RESOLVER_A, "MX1.example.TEST");
		assert_int_equal(asker->rc, RC_OK);
		assert_int_equal(asker->answer.count, 2);
		assert_int_equal(asker->calls, 0);
	}
	assert_int_equal(fake_dns_asked(server, "mx1.example.test"), asked);
	assert_int_equal(resolver_counts(resolver)->known, 100);
	/* What is not there is remembered too, and failures for a moment. */
	assert_int_equal(ask(RESOLVER_A, "nothing.example.test")->rc, RC_AGAIN);
	assert_int_equal(ask(RESOLVER_A, "nothing.example.test")->rc, RC_OK);
	assert_int_equal(ask(RESOLVER_A, "a.servfail.test")->rc, RC_AGAIN);
	assert_int_equal(ask(RESOLVER_A, "a.servfail.test")->rc, RC_OK);
	/* A TTL of 0 is for whoever waits, and nobody else. */
	assert_int_equal(ask(RESOLVER_A, "fleeting.test")->answer.status, RESOLVER_OK);
	assert_int_equal(ask(RESOLVER_A, "fleeting.test")->rc, RC_AGAIN);
	assert_int_equal(ask(RESOLVER_A, "fleeting.test")->answer.status, RESOLVER_OK);
}

static void old_answers_are_asked_anew(void **state)
{
	unsigned anew = 0;

	(void)state;
	for (unsigned turns = 0; anew < 3; turns++) {
		const struct asker *asker = ask(RESOLVER_A, "short.test");
		assert_int_equal(asker->answer.status, RESOLVER_OK);
		assert_true(asker->answer.ttl_s <= 1);
		assert_true(resolver_counts(resolver)->entries <= 1);
		anew += asker->rc == RC_AGAIN;
		assert_true(turns < TURNS_MAX);
		turn();
	}
}

static void the_cache_is_bounded(void **state)
{
	char name[64];

	(void)state;
	(void)ask(RESOLVER_A, "mx1.example.test");
	for (unsigned index = 0; index < 100; index++) {
		(void)snprintf(name, sizeof name, "n%u.example.test", index);
		assert_int_equal(ask(RESOLVER_A, name)->answer.status, RESOLVER_NXDOMAIN);
		if (index % 10 == 0) /* used again and again: it stays */
			assert_int_equal(ask(RESOLVER_A, "mx1.example.test")->rc, RC_OK);
		assert_true(resolver_counts(resolver)->entries <= 32);
	}
	assert_int_equal(resolver_counts(resolver)->entries, 32);
}

static void questions_under_way_are_bounded(void **state)
{
	static struct asker askers[65];
	char                name[64];

	(void)state;
	for (unsigned index = 0; index < 65; index++) {
		(void)snprintf(name, sizeof name, "n%u.silent.test", index);
		begin(&askers[index], RESOLVER_A, name, 60000);
		assert_int_equal(askers[index].rc, index < 64 ? RC_AGAIN : RC_BUSY);
	}
	assert_int_equal(resolver_counts(resolver)->refused, 1);
	for (unsigned index = 0; index < 65; index++) {
		resolver_cancel(&askers[index].query);
		resolver_cancel(&askers[index].query);
	}
	turn();
	for (unsigned index = 0; index < 65; index++)
		assert_int_equal(askers[index].calls, 0);
}

static struct asker again;

static void done_and_ask_again(struct resolver_query *query, const struct resolver_answer *answer)
{
	done(query, answer);
	if (again.query.done == NULL)
		begin(&again, RESOLVER_A, "fleeting.test", 20000);
}

static void one_flight_answers_all_who_wait(void **state)
{
	static struct asker askers[10];

	(void)state;
	for (unsigned index = 0; index < 10; index++) {
		begin(&askers[index], RESOLVER_A, "slow.test", 20000);
		assert_int_equal(askers[index].rc, RC_AGAIN);
	}
	while (fake_dns_asked(server, "slow.test") == 0)
		turn();
	resolver_cancel(&askers[3].query);
	begin(&askers[3], RESOLVER_A, FAKE_DNS_RELEASE, 20000);
	for (unsigned index = 0; index < 10; index++)
		wait_for(&askers[index]);
	for (unsigned index = 0; index < 10; index++)
		assert_int_equal(askers[index].answer.status, index == 3 ? RESOLVER_FAILED : RESOLVER_OK);
	/* Asking again while being told. */
	memset(&again, 0, sizeof again);
	begin(&askers[0], RESOLVER_A, "fleeting.test", 20000);
	askers[0].query.done = done_and_ask_again;
	begin(&askers[1], RESOLVER_A, "fleeting.test", 20000);
	wait_for(&askers[0]);
	wait_for(&askers[1]);
	wait_for(&again);
	assert_int_equal(again.answer.status, RESOLVER_OK);
}

static void a_small_arena_is_a_failure(void **state)
{
	struct asker asker;

	(void)state;
	begin(&asker, RESOLVER_MX, "example.test", 20000);
	asker.arena.used = asker.arena.size - 20;
	wait_for(&asker);
	assert_int_equal(asker.answer.status, RESOLVER_FAILED);
	memset(&asker, 0, sizeof asker);
	asker.arena = arena_on(asker.memory, 20);
	asker.query.done = done;
	asker.query.arena = &asker.arena;
	assert_int_equal(resolver_ask(resolver, &asker.query, RESOLVER_MX, SLICE("example.test"), 1000, &asker.answer),
	                 RC_NOMEM);
}

static void closing_with_questions_in_flight(void **state)
{
	struct asker asker;

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		begin(&asker, RESOLVER_A, "mx1.example.test", 20000);
		resolver_cancel(&asker.query);
		begin(&asker, RESOLVER_A, "a.silent.test", 20000);
		resolver_cancel(&asker.query);
		if (round % 2 == 0)
			turn();
		resolver_close(&resolver);
		turn();
		assert_int_equal(resolver_open(core, loop, 32, 64, &resolver), RC_OK);
	}
}

/* ---- the peer's name ---- */

static const struct {
	const char               *address;
	enum resolver_peer_status status;
	const char               *name;
} peers[] = {
	{ "192.0.2.1", RESOLVER_PEER_CONFIRMED, "mx1.example.test" },
	{ "2001:db8::1", RESOLVER_PEER_CONFIRMED, "mx1.example.test" },
	{ "192.0.2.5", RESOLVER_PEER_UNCONFIRMED, "wrong.example.test" },
	{ "192.0.2.6", RESOLVER_PEER_CONFIRMED, "six.example.test" }, /* the second of two names */
	{ "192.0.2.7", RESOLVER_PEER_UNKNOWN, "host.servfail.test" },
	{ "192.0.2.8", RESOLVER_PEER_UNKNOWN, "" },
	{ "192.0.2.200", RESOLVER_PEER_UNNAMED, "" },
	{ "127.0.0.1", RESOLVER_PEER_CONFIRMED, "loop.example.test" },
	{ "10.2.3.4", RESOLVER_PEER_CONFIRMED, "ten.example.test" },
};

struct peer_asker {
	struct resolver_peer      peer;
	enum resolver_peer_status status;
	struct slice              name;
	unsigned                  calls;
};

static void peer_done(struct resolver_peer *peer, enum resolver_peer_status status, struct slice name)
{
	struct peer_asker *asker = (struct peer_asker *)(void *)peer;

	asker->status = status;
	asker->name = name;
	asker->calls++;
}

static void peers_are_named(void **state)
{
	(void)state;
	for (size_t row = 0; row < 2 * sizeof peers / sizeof *peers; row++) {
		const size_t       which = row / 2; /* each twice: asked, and known */
		uint8_t            memory[4096];
		struct arena       arena = arena_on(memory, sizeof memory);
		struct peer_asker  asker = { .peer.done = peer_done, .peer.arena = &arena };
		struct net_address address;
		assert_int_equal(net_address_parse(slice_str(peers[which].address), &address), RC_OK);
		const enum rc rc =
			resolver_ask_peer(resolver, &asker.peer, &address, 20000, &asker.status, &asker.name);
		assert_int_equal(rc, row % 2 == 0 ? RC_AGAIN : RC_OK);
		for (unsigned turns = 0; rc == RC_AGAIN && asker.calls == 0; turns++) {
			assert_true(turns < TURNS_MAX);
			turn();
		}
		if (asker.status != peers[which].status || !slice_eq(asker.name, slice_str(peers[which].name)))
			fail_msg("%s: %d", peers[which].address, (int)asker.status);
	}
	/* Given up half-way: nobody is called. */
	uint8_t                  memory[4096];
	struct arena             arena = arena_on(memory, sizeof memory);
	struct peer_asker        asker = { .peer.done = peer_done, .peer.arena = &arena };
	const struct net_address address = { .family = NET_FAMILY_V4, .bytes = { 192, 0, 2, 77 } };
	assert_int_equal(resolver_ask_peer(resolver, &asker.peer, &address, 20000, &asker.status, &asker.name),
	                 RC_AGAIN);
	resolver_peer_cancel(&asker.peer);
	for (unsigned turns = 0; turns < 5; turns++)
		turn();
	assert_int_equal(asker.calls, 0);
}

/* ---- the box ---- */

/* Everything is opened inside: no file, no socket but its own. Returns an exit status. */
static int in_the_box(const struct net_address *address)
{
	static const struct sandbox box = {
		.role = "test",
		.calls = SANDBOX_CALLS_THREADS | SANDBOX_CALLS_LOOPS,
		.network = SANDBOX_NET_CONNECT,
		.paths = SANDBOX_NO_PATHS,
	};
	static struct asker asker;
	struct fault        fault = { 0 };

	if (resolver_ready(&fault) != RC_OK)
		return 2;
	if (sandbox_enter(&box, NULL, NULL, &fault) != RC_OK)
		return 3;
	if (loop_open(0, &loop, &fault) != RC_OK)
		return 4;
	const struct resolver_settings settings = {
		.servers = address, .servers_count = 1, .cache_bytes = 4u << 20, .private_names = true
	};
	if (resolver_core_open(&settings, loop, &core, &fault) != RC_OK ||
	    resolver_open(core, loop, 32, 64, &resolver) != RC_OK)
		return 5;
	static const char *const names[] = { "mx1.example.test", "big.truncates.test", "a.silent.test" };
	for (unsigned index = 0; index < 3; index++) {
		begin(&asker, index == 1 ? RESOLVER_TXT : RESOLVER_A, names[index], index == 2 ? 300 : 20000);
		for (unsigned turns = 0; asker.rc == RC_AGAIN && asker.calls == 0 && turns < TURNS_MAX; turns++)
			(void)!loop_turn(loop, 20);
		if (asker.answer.status != (index == 2 ? RESOLVER_TIMEOUT : RESOLVER_OK))
			return 6;
	}
	resolver_close(&resolver);
	resolver_core_close(&core);
	loop_close(&loop);
	return 0;
}

static void it_works_inside_the_box(void **state)
{
	int status = 0;

	(void)state;
#ifdef __SANITIZE_THREAD__
	print_message("skipped: ThreadSanitizer allows no thread after a fork\n");
	skip();
#endif
	const struct net_address address = fake_dns_address(server);
	const pid_t              child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(in_the_box(&address));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 3) {
		print_message("skipped: this kernel or container has no seccomp\n");
		skip();
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("ended with %x", (unsigned)status);
}

static void settings_that_cannot_work_are_refused(void **state)
{
	struct resolver_core    *none = NULL;
	struct net_address       many[RESOLVER_SERVERS_MAX + 1];
	struct fault             fault = { 0 };
	struct resolver_settings settings = { .cache_bytes = 1u << 20, .trust_anchor = SLICE("this is no anchor\n") };

	(void)state;
	assert_int_equal(resolver_core_open(&settings, loop, &none, &fault), RC_SYNTAX);
	assert_non_null(fault.text);
	settings.trust_anchor =
		SLICE("; the root's key of 2017\n"
	              ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n");
	assert_int_equal(resolver_core_open(&settings, loop, &none, &fault), RC_OK);
	resolver_core_close(&none);
	for (size_t index = 0; index < RESOLVER_SERVERS_MAX + 1; index++)
		many[index] = fake_dns_address(server);
	settings = (struct resolver_settings){ .cache_bytes = 1u << 20,
		                               .servers = many,
		                               .servers_count = RESOLVER_SERVERS_MAX + 1 };
	assert_int_equal(resolver_core_open(&settings, loop, &none, &fault), RC_LIMIT);
	settings.servers_count--;
	assert_int_equal(resolver_core_open(&settings, loop, &none, &fault), RC_OK);
	resolver_core_close(&none);
	assert_int_equal(resolver_ready(&fault), RC_OK);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_type_is_answered),
		TEST(what_goes_wrong_has_a_name),
		TEST(a_truncated_answer_comes_by_tcp),
		TEST(a_silent_server_costs_the_deadline_only),
		TEST(a_dead_server_is_a_failure),
		TEST(known_answers_cost_nothing),
		TEST(old_answers_are_asked_anew),
		TEST(the_cache_is_bounded),
		TEST(questions_under_way_are_bounded),
		TEST(one_flight_answers_all_who_wait),
		TEST(a_small_arena_is_a_failure),
		TEST(closing_with_questions_in_flight),
		TEST(peers_are_named),
		TEST(it_works_inside_the_box),
		TEST(settings_that_cannot_work_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
