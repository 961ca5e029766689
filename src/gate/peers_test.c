/* Limits for each peer: at the bound, one below, one above, and that peers do not pay for each other. */
#include "gate/peers.h"

#include "mail/domain.h"

#include "base/must.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct net_address address_of(const char *text)
{
	struct net_address address;

	must(net_address_parse(slice_str(text), &address) == RC_OK);
	return address;
}

/* Whoever is let in here is counted. */
static enum rc enter(struct peers *peers, const struct net_address *address, uint64_t open_max, uint64_t rate, uint64_t now_ms)
{
	bool          counted;
	const enum rc rc = peers_enter(peers, address, open_max, rate, now_ms, &counted);

	must(counted == (rc == RC_OK));
	return rc;
}

static void open_connections_are_bounded(void **state)
{
	(void)state;
	struct peers            *peers;
	const struct net_address one = address_of("192.0.2.1"), other = address_of("192.0.2.2");

	assert_int_equal(peers_open(1, &peers), RC_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(peers, &one, 3, 1000, 0), RC_OK);
	assert_int_equal(enter(peers, &one, 3, 1000, 0), RC_LIMIT);
	assert_int_equal(enter(peers, &other, 3, 1000, 0), RC_OK);
	peers_leave(peers, &one);
	assert_int_equal(enter(peers, &one, 3, 1000, 0), RC_OK);
	assert_int_equal(enter(peers, &one, 3, 1000, 0), RC_LIMIT);
	peers_close(&peers);
}

static void a_home_is_one_peer(void **state)
{
	(void)state;
	struct peers            *peers;
	const struct net_address first = address_of("2001:db8::1"), second = address_of("2001:db8::ffff:1");
	const struct net_address neighbour = address_of("2001:db8:0:1::1");

	assert_int_equal(peers_open(1, &peers), RC_OK);
	assert_int_equal(enter(peers, &first, 1, 1000, 0), RC_OK);
	assert_int_equal(enter(peers, &second, 1, 1000, 0), RC_LIMIT);
	assert_int_equal(enter(peers, &neighbour, 1, 1000, 0), RC_OK);
	peers_close(&peers);
}

static void a_rate_lets_a_minutes_worth_through_and_then_one_by_one(void **state)
{
	(void)state;
	struct peers            *peers;
	const struct net_address one = address_of("192.0.2.1");

	assert_int_equal(peers_open(1, &peers), RC_OK);
	for (int i = 0; i < 60; i++)
		assert_int_equal(peers_message(peers, &one, 60, 0), RC_OK);
	assert_int_equal(peers_message(peers, &one, 60, 0), RC_BUSY);
	assert_int_equal(peers_message(peers, &one, 60, 999), RC_BUSY);
	assert_int_equal(peers_message(peers, &one, 60, 1000), RC_OK);
	assert_int_equal(peers_message(peers, &one, 60, 1000), RC_BUSY);
	for (int i = 0; i < 60; i++)
		assert_int_equal(peers_message(peers, &one, 60, 120000), RC_OK);
	assert_int_equal(peers_message(peers, &one, 60, 120000), RC_BUSY);
	peers_close(&peers);
}

static void too_fast_is_not_counted_as_open(void **state)
{
	(void)state;
	struct peers            *peers;
	const struct net_address one = address_of("192.0.2.1");

	assert_int_equal(peers_open(1, &peers), RC_OK);
	assert_int_equal(enter(peers, &one, 10, 1, 0), RC_OK);
	assert_int_equal(enter(peers, &one, 10, 1, 0), RC_BUSY);
	peers_leave(peers, &one);
	peers_leave(peers, &one); /* one too many changes nothing */
	assert_int_equal(enter(peers, &one, 1, 1, 60000), RC_OK);
	peers_close(&peers);
}

/* Senders of one domain, from however many addresses; any case, no domain at all, one that is no domain. */
static void a_domain_has_a_rate_of_its_own(void **state)
{
	struct peers            *peers;
	const struct net_address one = address_of("192.0.2.1");
	uint8_t                  longest[DOMAIN_BYTES_MAX + 1];

	(void)state;
	memset(longest, 'a', sizeof longest);
	assert_int_equal(peers_open(1, &peers), RC_OK);
	for (int i = 0; i < 10; i++)
		assert_int_equal(peers_domain_message(peers, i % 2 == 0 ? SLICE("big.example") : SLICE("BIG.Example"), 10, 0), RC_OK);
	assert_int_equal(peers_domain_message(peers, SLICE("big.example"), 10, 0), RC_BUSY);
	assert_int_equal(peers_domain_message(peers, SLICE("big.example"), 10, 6000), RC_OK);
	assert_int_equal(peers_domain_message(peers, SLICE("small.example"), 10, 0), RC_OK);
	assert_int_equal(peers_message(peers, &one, 1, 0), RC_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(peers_domain_message(peers, (struct slice){ NULL, 0 }, 1, 0), RC_OK);
	for (size_t size = DOMAIN_BYTES_MAX - 1; size <= DOMAIN_BYTES_MAX + 1; size++) {
		assert_int_equal(peers_domain_message(peers, slice_of(longest, size), 1, 0), RC_OK);
		assert_int_equal(peers_domain_message(peers, slice_of(longest, size), 1, 0), size > DOMAIN_BYTES_MAX ? RC_OK : RC_BUSY);
	}
	peers_close(&peers);
}

static void a_full_table_forgets_the_quiet_and_lets_strangers_in(void **state)
{
	(void)state;
	struct peers      *peers;
	struct net_address address = address_of("10.0.0.0");

	assert_int_equal(peers_open(1, &peers), RC_OK);
	for (uint32_t i = 0; i < PEERS_MAX + 5000; i++) {
		address.bytes[1] = (uint8_t)(i >> 16);
		address.bytes[2] = (uint8_t)(i >> 8);
		address.bytes[3] = (uint8_t)i;
		assert_int_equal(peers_message(peers, &address, 1000000, i), RC_OK);
	}
	assert_true(peers_count(peers) <= PEERS_MAX);
	peers_close(&peers);
}

/* Who came in when the table was full must not be taken for one who is in it later. */
static void who_was_not_counted_says_so(void **state)
{
	(void)state;
	struct peers            *peers;
	struct net_address       address = address_of("10.0.0.0");
	const struct net_address late = address_of("192.0.2.1");
	bool                     counted = true;

	assert_int_equal(peers_open(1, &peers), RC_OK);
	for (uint32_t i = 0; i < 2 * PEERS_MAX; i++) {
		address.bytes[1] = (uint8_t)(i >> 16);
		address.bytes[2] = (uint8_t)(i >> 8);
		address.bytes[3] = (uint8_t)i;
		assert_int_equal(peers_enter(peers, &address, 1, 1000, 0, &counted), RC_OK);
	}
	assert_false(counted);
	assert_int_equal(peers_enter(peers, &late, 1, 1000, 0, &counted), RC_OK);
	assert_false(counted);
	peers_close(&peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_connections_are_bounded),
		cmocka_unit_test(a_home_is_one_peer),
		cmocka_unit_test(a_rate_lets_a_minutes_worth_through_and_then_one_by_one),
		cmocka_unit_test(too_fast_is_not_counted_as_open),
		cmocka_unit_test(who_was_not_counted_says_so),
		cmocka_unit_test(a_domain_has_a_rate_of_its_own),
		cmocka_unit_test(a_full_table_forgets_the_quiet_and_lets_strangers_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
