/* Tests of gate/route: reading routes, choosing one, ordering hosts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/route.h"

#include "base/memory.h"

#define LIST(...) { (const struct slice[]){ __VA_ARGS__ }, sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice) }
#define S(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static struct gate_route_settings plain(struct setting_list domains, struct setting_list hosts)
{
	static const struct slice retry[] = { S("1m"), S("5m"), S("90s") };

	return (struct gate_route_settings){ .name = S("r"), .domains = domains, .hosts = hosts, .port = 25, .retry = { retry, 3 },
		                             .expire = 1000, .tls = ROUTE_TLS_NONE };
}

static struct route_source source_of(const struct gate_route_settings *routes, size_t count)
{
	static struct net_address own[2] = { { .bytes = { 192, 0, 2, 1 }, .port = 25, .family = NET_FAMILY_V4 },
		                             { .port = 2525, .family = NET_FAMILY_V4 } };

	return (struct route_source){ .routes = routes, .count = count, .hostname = S("mx.example"), .own = own, .own_count = 2, .seed = 3 };
}

static void hosts_are_read(void **state)
{
	static const struct {
		const char *name;
		const char *host;
		enum rc     rc;
		const char *host_name;
		unsigned    port, priority, weight;
		bool        mx;
	} rows[] = {
		{ "name", "mail.Example", RC_OK, "mail.example", 25, 10, 1, false },
		{ "name and port", "mail.example:2525", RC_OK, "mail.example", 2525, 10, 1, false },
		{ "address", "192.0.2.9", RC_OK, "192.0.2.9", 25, 10, 1, false },
		{ "address and port", "127.0.0.1:26", RC_OK, "127.0.0.1:26", 26, 10, 1, false },
		{ "IPv6", "[2001:db8::1]:26", RC_OK, "[2001:db8::1]:26", 26, 10, 1, false },
		{ "priority and weight", "a.example priority=5 weight=7", RC_OK, "a.example", 25, 5, 7, false },
		{ "blanks", "  a.example   weight=0 ", RC_OK, "a.example", 25, 10, 0, false },
		{ "MX", "mx:Example.cn", RC_OK, "example.cn", 25, 10, 1, true },
		{ "empty", "", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "MX with port", "mx:example.cn:25", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "port 0", "a.example:0", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "port too large", "a.example:65536", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "unknown word", "a.example backup", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "priority without number", "a.example priority=", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "weight too large", "a.example weight=65536", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "no name", "ex ample", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "bad name", "-a-.example", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "unusable address", "0.0.0.0", RC_SYNTAX, NULL, 0, 0, 0, false },
		{ "our own listener (I-19d)", "192.0.2.1", RC_CONFLICT, NULL, 0, 0, 0, false },
		{ "our own listener by loopback", "127.0.0.1:2525", RC_CONFLICT, NULL, 0, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice item = slice_str(rows[i].host);
		struct gate_route_settings settings = plain((struct setting_list)LIST(S("*")), (struct setting_list){ &item, 1 });
		struct route_source source = source_of(&settings, 1);
		struct route_table *table = NULL;
		struct buf why = buf_make(1000);
		enum rc rc = route_table_make(&source, &why, &table);

		if (rc != rows[i].rc)
			print_error("row \"%s\": %s\n", rows[i].name, rc_word(rc));
		assert_int_equal(rc, rows[i].rc);
		if (rc == RC_OK) {
			const struct route_host *host = &route_at(table, 0)->hosts[0];

			assert_true(slice_eq(host->name, slice_str(rows[i].host_name)));
			assert_int_equal(host->port, rows[i].port);
			assert_int_equal(host->priority, rows[i].priority);
			assert_int_equal(host->weight, rows[i].weight);
			assert_int_equal(host->mx, rows[i].mx);
			assert_int_equal(why.len, 0);
		} else {
			assert_true(slice_starts(buf_slice(&why), SLICE("[route r] hosts: ")));
			assert_null(table);
		}
		buf_done(&why);
		route_table_close(&table);
	}
}

static void other_keys_are_checked(void **state)
{
	static const struct slice bad_retry[] = { S("1m"), S("5") }, none[] = { S("0s") }, two[] = { S("192.0.2.7"), S("192.0.2.8") };
	static const struct slice all[] = { S("*") }, all_twice[] = { S("*"), S("*") }, bad_domain[] = { S("a b") }, same[] = { S("A.b"), S("a.B") };
	struct gate_route_settings good = plain((struct setting_list){ all, 1 }, (struct setting_list){ 0 });
	struct gate_route_settings rows[10];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		rows[i] = good;
	rows[count++].retry = (struct setting_list){ bad_retry, 2 };
	rows[count++].retry = (struct setting_list){ none, 1 };
	rows[count++].retry = (struct setting_list){ 0 };
	rows[count++].source = (struct setting_list){ two, 2 };
	rows[count++].source = (struct setting_list){ bad_domain, 1 };
	rows[count++].domains = (struct setting_list){ bad_domain, 1 };
	rows[count++].domains = (struct setting_list){ same, 2 };
	rows[count++].domains = (struct setting_list){ all_twice, 2 };
	rows[count++].user = (struct slice)S("account");
	rows[count++].tls = ROUTE_TLS_VERIFY;
	for (size_t i = 0; i < count; i++) {
		struct route_source source = source_of(&rows[i], 1);
		struct route_table *table = NULL;
		struct buf why = buf_make(1000);

		assert_int_not_equal(route_table_make(&source, &why, &table), RC_OK);
		assert_true(why.len > 10);
		assert_null(table);
		buf_done(&why);
	}
	for (long n = 0;; n++) {
		struct route_source source = source_of(&good, 1);
		struct route_table *table = NULL;
		struct buf why = buf_make(1000);
		enum rc rc;

		memory_fail_after(n);
		rc = route_table_make(&source, &why, &table);
		memory_fail_after(-1);
		buf_done(&why);
		route_table_close(&table);
		if (rc == RC_OK)
			break;
		assert_true(n < 100);
	}
}

static void the_closest_route_is_chosen(void **state)
{
	static const struct slice exact[] = { S("example.cn") }, below[] = { S(".example.cn"), S(".cn") }, rest[] = { S("*") };
	static const struct {
		const char *address, *moved, *key;
	} rows[] = {
		{ "a@example.cn", "", "exact/" },
		{ "a@EXAMPLE.CN", "", "exact/" },
		{ "a@mail.example.cn", "", "below/mail.example.cn" },
		{ "a@x.mail.Example.cn", "", "below/x.mail.example.cn" },
		{ "a@other.cn", "", "below/other.cn" },
		{ "a@cn", "", "rest/cn" },
		{ "a@notexample.org", "", "rest/notexample.org" },
		{ "a@[192.0.2.1]", "", "rest/[192.0.2.1]" },
		{ "postmaster", "", "rest/" },
		{ "a@b\xc3\xbc.org", "", "rest/xn--b-eha.org" },
		{ "a@b.org", "exact", "exact/" },
		{ "a@example.cn", "below", "below/example.cn" },
		{ "a@example.cn", "gone", "exact/" },
	};
	static const struct slice host[] = { S("127.0.0.1:26") };
	struct gate_route_settings routes[3] = { plain((struct setting_list){ exact, 1 }, (struct setting_list){ host, 1 }),
		                                 plain((struct setting_list){ below, 2 }, (struct setting_list){ 0 }),
		                                 plain((struct setting_list){ rest, 1 }, (struct setting_list){ 0 }) };
	struct route_source source;
	struct route_table *table = NULL;
	struct buf why = buf_make(1000);

	(void)state;
	routes[0].name = (struct slice)S("exact");
	routes[1].name = (struct slice)S("below");
	routes[2].name = (struct slice)S("rest");
	source = source_of(routes, 3);
	assert_int_equal(route_table_make(&source, &why, &table), RC_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf key = buf_make(512);

		route_key(table, slice_str(rows[i].address), slice_str(rows[i].moved), &key);
		if (!slice_eq(buf_slice(&key), slice_str(rows[i].key)))
			print_error("row \"%s\": %.*s\n", rows[i].address, (int)key.len, (const char *)key.ptr);
		assert_true(slice_eq(buf_slice(&key), slice_str(rows[i].key)));
		buf_done(&key);
	}
	assert_int_equal(route_at(table, 0)->plan.step_count, 3);
	assert_int_equal(route_at(table, 0)->plan.steps_ms[2], 90000);
	assert_true(slice_eq(route_at(table, 0)->helo, SLICE("mx.example")));
	route_table_close(&table);
	source.count = 2;
	assert_int_equal(route_table_make(&source, &why, &table), RC_OK);
	assert_null(route_of(table, SLICE("a@b.org"), SLICE("")));
	struct buf key = buf_make(512);
	route_key(table, SLICE("a@b.org"), SLICE(""), &key);
	assert_true(slice_eq(buf_slice(&key), SLICE("-/b.org")));
	buf_done(&key);
	route_table_close(&table);
	buf_done(&why);
}

/* I-24: a longer wait is taken and counts as the longest. */
static void a_client_waits_so_long(void **state)
{
	static const struct {
		uint64_t written_ms, in_force_ms;
	} rows[] = { { 1000, 1000 }, { 29000, 29000 }, { 29999, 29999 }, { 30000, 30000 }, { 30001, 30000 }, { 31000, 30000 }, { 120000, 30000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate_route_settings settings = plain((struct setting_list)LIST(S("*")), (struct setting_list)LIST(S("a.example")));
		struct buf why = buf_make(1000);
		struct route_table *table = NULL;

		settings.through_wait = rows[i].written_ms;

		const struct route_source source = source_of(&settings, 1);

		assert_int_equal(route_table_make(&source, &why, &table), RC_OK);
		assert_int_equal(route_at(table, 0)->through_wait_ms, rows[i].in_force_ms);
		route_table_close(&table);
		buf_done(&why);
	}
}

static void hosts_come_by_priority_and_weight(void **state)
{
	const uint16_t priorities[] = { 20, 10, 10, 5, 20 };
	const uint16_t weights[] = { 1, 3, 1, 0, 0 };
	unsigned first_of_ten[5] = { 0 }, last[5] = { 0 };

	(void)state;
	for (uint64_t chance = 0; chance < 4000; chance++) {
		uint16_t order[5] = { 9, 9, 9, 9, 9 };

		route_order(priorities, weights, 5, chance * UINT64_C(0x9e3779b97f4a7c15), order);
		assert_int_equal(order[0], 3);
		assert_true(priorities[order[1]] == 10 && priorities[order[2]] == 10 && order[1] != order[2]);
		assert_true(priorities[order[3]] == 20 && priorities[order[4]] == 20 && order[3] != order[4]);
		first_of_ten[order[1]]++;
		last[order[4]]++;
	}
	assert_in_range(first_of_ten[1], 2700, 3300);
	assert_int_equal(last[4], 4000); /* weight 0 comes last */
}

/* 0.0.0.0:2525 takes that port on every address; 192.0.2.1:25 takes its own one only. */
static void a_port_taken_everywhere_is_ours(void **state)
{
	const struct gate_route_settings settings = plain((struct setting_list)LIST(S("*")), (struct setting_list)LIST(S("a.example")));
	const struct route_source        source = source_of(&settings, 1);
	struct buf                       why = buf_make(1000);
	struct route_table              *table = NULL;
	const struct net_address         v6 = { .port = 2525, .family = NET_FAMILY_V6 };

	(void)state;
	assert_int_equal(route_table_make(&source, &why, &table), RC_OK);
	for (uint16_t port = 2524; port <= 2526; port++) {
		const struct net_address address = { .bytes = { 203, 0, 113, 7 }, .port = port, .family = NET_FAMILY_V4 };
		assert_int_equal(route_is_own_port(table, &address), port == 2525);
		assert_false(route_is_own(table, &address));
	}
	assert_false(route_is_own_port(table, &(struct net_address){ .bytes = { 192, 0, 2, 1 }, .port = 25, .family = NET_FAMILY_V4 }));
	assert_false(route_is_own_port(table, &v6));
	route_table_close(&table);
	buf_done(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_read),
		cmocka_unit_test(other_keys_are_checked),
		cmocka_unit_test(the_closest_route_is_chosen),
		cmocka_unit_test(a_port_taken_everywhere_is_ours),
		cmocka_unit_test(a_client_waits_so_long),
		cmocka_unit_test(hosts_come_by_priority_and_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
