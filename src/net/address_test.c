/* Addresses, ranges and lists as an administrator writes them and as a peer might. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/address.h"

#include <netinet/in.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct {
	const char *name, *text, *written;
} lawful[] = {
	{ "an IPv4 address", "192.0.2.1", "192.0.2.1" },
	{ "the largest", "255.255.255.255", "255.255.255.255" },
	{ "zero", "0.0.0.0", "0.0.0.0" },
	{ "all groups", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6" },
	{ "capitals and leading zeros", "2001:0DB8:0001::00AB", "2001:db8:1::ab" },
	{ "unspecified", "::", "::" },
	{ "loopback", "::1", "::1" },
	{ "a gap at the end", "2001:db8::", "2001:db8::" },
	{ "one zero group stays", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "a gap that stands for one group", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
	{ "the longest run is cut", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "the first of equal runs is cut", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "IPv4 at the end", "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
	{ "IPv4 behind six groups", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
	{ "a mapped address is IPv4", "::ffff:192.0.2.1", "192.0.2.1" },
	{ "the same in groups", "0:0:0:0:0:FFFF:c000:0201", "192.0.2.1" },
	{ "not mapped, only near", "::fffe:192.0.2.1", "::fffe:c000:201" },
};

static const struct {
	const char *name, *text;
} unlawful[] = {
	{ "nothing", "" },
	{ "three numbers", "192.0.2" },
	{ "five numbers", "192.0.2.1.1" },
	{ "one number", "3221225985" },
	{ "a number too large", "192.0.2.256" },
	{ "a leading zero", "192.0.02.1" },
	{ "octal", "0300.0.2.1" },
	{ "hexadecimal", "0xc0.0.2.1" },
	{ "an empty number", "192..2.1" },
	{ "a dot behind", "192.0.2.1." },
	{ "a dot in front", ".192.0.2.1" },
	{ "a blank in front", " 192.0.2.1" },
	{ "a blank behind", "192.0.2.1 " },
	{ "a sign", "192.0.2.-1" },
	{ "a plus", "+192.0.2.1" },
	{ "a name", "localhost" },
	{ "one colon", ":" },
	{ "three colons", ":::" },
	{ "two gaps", "1::2::3" },
	{ "seven groups", "1:2:3:4:5:6:7" },
	{ "nine groups", "1:2:3:4:5:6:7:8:9" },
	{ "eight groups and a gap", "1:2:3:4:5:6:7:8::" },
	{ "a gap and eight groups", "::1:2:3:4:5:6:7:8" },
	{ "a group of five digits", "2001:0db88::1" },
	{ "a colon behind", "1:2:3:4:5:6:7:" },
	{ "a colon in front", ":1:2:3:4:5:6:7" },
	{ "not a digit", "2001:db8::g" },
	{ "a zone", "fe80::1%eth0" },
	{ "brackets", "[::1]" },
	{ "IPv4 in the middle", "::192.0.2.1:1" },
	{ "IPv4 behind seven groups", "1:2:3:4:5:6:7:1.2.3.4" },
	{ "half an IPv4 behind", "::1.2.3" },
	{ "a prefix", "192.0.2.0/24" },
	{ "a port", "192.0.2.1:25" },
};

static void addresses_are_read_and_written(void **state)
{
	char text[NET_ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t row = 0; row < COUNT(lawful); row++) {
		struct net_address address, again;
		if (net_address_parse(slice_str(lawful[row].text), &address) != RC_OK)
			fail_msg("%s: refused", lawful[row].name);
		assert_string_equal(net_address_text(&address, text), lawful[row].written);
		assert_int_equal(net_address_parse(slice_str(text), &again), RC_OK);
		assert_true(net_address_eq_port(&address, &again));
	}
	for (size_t row = 0; row < COUNT(unlawful); row++) {
		struct net_address address = { .port = 7 };
		if (net_address_parse(slice_str(unlawful[row].text), &address) != RC_SYNTAX)
			fail_msg("%s: taken", unlawful[row].name);
		assert_int_equal(address.port, 7); /* untouched */
	}
	struct net_address address;
	assert_int_equal(net_address_parse(SLICE("192.0.2.1\0"), &address), RC_SYNTAX);
	assert_int_equal(net_address_parse(SLICE("::1\0"), &address), RC_SYNTAX);
}

static const struct {
	const char *name, *text;
	enum rc     rc;
	const char *written;
} with_port[] = {
	{ "IPv4 alone", "192.0.2.1", RC_OK, "192.0.2.1:25" },
	{ "IPv4 and port", "192.0.2.1:587", RC_OK, "192.0.2.1:587" },
	{ "IPv6 alone", "2001:db8::1", RC_OK, "[2001:db8::1]:25" },
	{ "IPv6 in brackets", "[2001:db8::1]", RC_OK, "[2001:db8::1]:25" },
	{ "IPv6 and port", "[::1]:65535", RC_OK, "[::1]:65535" },
	{ "mapped and port", "[::ffff:10.0.0.1]:2525", RC_OK, "10.0.0.1:2525" },
	{ "port 0", "192.0.2.1:0", RC_LIMIT, NULL },
	{ "a port too large", "[::1]:65536", RC_LIMIT, NULL },
	{ "no digits", "192.0.2.1:", RC_SYNTAX, NULL },
	{ "no digits behind brackets", "[::1]:", RC_SYNTAX, NULL },
	{ "a word for a port", "192.0.2.1:smtp", RC_SYNTAX, NULL },
	{ "IPv4 in brackets", "[192.0.2.1]:25", RC_SYNTAX, NULL },
	{ "bracket not closed", "[::1", RC_SYNTAX, NULL },
	{ "bytes behind the bracket", "[::1]25", RC_SYNTAX, NULL },
	{ "empty brackets", "[]:25", RC_SYNTAX, NULL },
	{ "only a port", ":25", RC_SYNTAX, NULL },
	{ "nothing", "", RC_SYNTAX, NULL },
};

static void ports_are_read(void **state)
{
	char text[NET_ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t row = 0; row < COUNT(with_port); row++) {
		struct net_address address;
		if (net_address_parse_port(slice_str(with_port[row].text), 25, &address) != with_port[row].rc)
			fail_msg("%s: another answer", with_port[row].name);
		if (with_port[row].rc == RC_OK)
			assert_string_equal(net_address_text_port(&address, text), with_port[row].written);
	}
	const struct net_address none = { 0 };
	assert_string_equal(net_address_text(&none, text), "");
	assert_string_equal(net_address_text_port(&none, text), "");
}

static struct net_address at(const char *text)
{
	struct net_address address;

	assert_int_equal(net_address_parse(slice_str(text), &address), RC_OK);
	return address;
}

static void the_kernel_form_goes_both_ways(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1", "::1", "0.0.0.0" };
	struct sockaddr_storage  storage;

	(void)state;
	for (size_t row = 0; row < COUNT(texts); row++) {
		struct net_address address = at(texts[row]), again;
		address.port = 2525;
		const socklen_t size = net_address_sockaddr(&address, &storage);
		assert_int_equal(net_address_of_sockaddr((struct sockaddr *)&storage, size, &again), RC_OK);
		assert_true(net_address_eq_port(&address, &again));
		assert_int_equal(net_address_of_sockaddr((struct sockaddr *)&storage, size - 1, &again),
		                 RC_UNSUPPORTED);
		assert_int_equal(net_address_of_sockaddr((struct sockaddr *)&storage, 0, &again), RC_UNSUPPORTED);
	}
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
	mapped.sin6_addr.s6_addr[10] = 0xff;
	mapped.sin6_addr.s6_addr[11] = 0xff;
	mapped.sin6_addr.s6_addr[12] = 10;
	struct net_address address, expected = at("10.0.0.0");
	expected.port = 25;
	assert_int_equal(net_address_of_sockaddr((struct sockaddr *)&mapped, sizeof mapped, &address), RC_OK);
	assert_true(net_address_eq_port(&address, &expected));
	storage.ss_family = AF_UNIX;
	assert_int_equal(net_address_of_sockaddr((struct sockaddr *)&storage, sizeof storage, &address),
	                 RC_UNSUPPORTED);
}

static void reverse_names(void **state)
{
	struct net_address v4 = at("192.0.2.10"), v6 = at("2001:db8::567:89ab");
	struct buf         out = buf_make(NET_ADDRESS_REVERSE_MAX);

	(void)state;
	net_address_put_reverse(&out, &v4);
	assert_true(slice_eq(buf_slice(&out), SLICE("10.2.0.192.in-addr.arpa")));
	buf_clear(&out);
	net_address_put_reverse(&out, &v6);
	assert_true(slice_eq(buf_slice(&out),
	                     SLICE("b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")));
	assert_false(out.failed);
	buf_done(&out);
}

static void kinds_and_prefixes(void **state)
{
	char text[NET_ADDRESS_TEXT_MAX];

	(void)state;
	static const struct {
		const char *text;
		bool        loopback, any, private, unusable;
	} kinds[] = {
		{ "127.0.0.1", true, false, false, false },
		{ "127.255.255.255", true, false, false, false },
		{ "128.0.0.1", false, false, false, false },
		{ "::1", true, false, false, false },
		{ "::2", false, false, false, false },
		{ "0.0.0.0", false, true, false, true },
		{ "::", false, true, false, true },
		{ "10.255.0.1", false, false, true, false },
		{ "172.15.255.255", false, false, false, false },
		{ "172.16.0.0", false, false, true, false },
		{ "172.31.255.255", false, false, true, false },
		{ "172.32.0.0", false, false, false, false },
		{ "192.168.3.4", false, false, true, false },
		{ "100.64.0.1", false, false, true, false },
		{ "100.128.0.1", false, false, false, false },
		{ "169.254.1.1", false, false, true, false },
		{ "fd00::1", false, false, true, false },
		{ "fe80::1", false, false, true, false },
		{ "fec0::1", false, false, false, false },
		{ "224.0.0.1", false, false, false, true },
		{ "255.255.255.255", false, false, false, true },
		{ "223.255.255.255", false, false, false, false },
		{ "ff02::1", false, false, false, true },
		{ "0.1.2.3", false, false, false, true },
		{ "::ffff:127.0.0.1", true, false, false, false },
	};
	for (size_t row = 0; row < COUNT(kinds); row++) {
		const struct net_address address = at(kinds[row].text);
		if (net_address_is_loopback(&address) != kinds[row].loopback ||
		    net_address_is_any(&address) != kinds[row].any ||
		    net_address_is_private(&address) != kinds[row].private ||
		    net_address_is_unusable(&address) != kinds[row].unusable)
			fail_msg("%s: another kind", kinds[row].text);
	}
	struct net_address address = at("192.0.2.255");
	struct net_address prefix = net_address_prefix(&address, 26, 64);
	assert_string_equal(net_address_text(&prefix, text), "192.0.2.192");
	prefix = net_address_prefix(&address, 0, 64);
	assert_string_equal(net_address_text(&prefix, text), "0.0.0.0");
	prefix = net_address_prefix(&address, 32, 64);
	assert_string_equal(net_address_text(&prefix, text), "192.0.2.255");
	address = at("2001:db8:1:2:3:4:5:6");
	prefix = net_address_prefix(&address, 32, 64);
	assert_string_equal(net_address_text(&prefix, text), "2001:db8:1:2::");
	prefix = net_address_prefix(&address, 32, 128);
	assert_string_equal(net_address_text(&prefix, text), "2001:db8:1:2:3:4:5:6");
}

static const struct {
	const char *name, *text;
	enum rc     rc;
	const char *first, *last;
} ranges[] = {
	{ "one address", "192.0.2.1", RC_OK, "192.0.2.1", "192.0.2.1" },
	{ "a network", "192.0.2.0/24", RC_OK, "192.0.2.0", "192.0.2.255" },
	{ "an odd prefix", "192.0.2.128/27", RC_OK, "192.0.2.128", "192.0.2.159" },
	{ "everything", "0.0.0.0/0", RC_OK, "0.0.0.0", "255.255.255.255" },
	{ "a host prefix", "192.0.2.7/32", RC_OK, "192.0.2.7", "192.0.2.7" },
	{ "from to", "192.0.2.1-192.0.2.9", RC_OK, "192.0.2.1", "192.0.2.9" },
	{ "from to with blanks", "192.0.2.1 - 192.0.2.9", RC_OK, "192.0.2.1", "192.0.2.9" },
	{ "an IPv6 network", "2001:db8::/32", RC_OK, "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "all of IPv6", "::/0", RC_OK, "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "a mapped network", "::ffff:10.0.0.0/104", RC_OK, "10.0.0.0", "10.255.255.255" },
	{ "bits behind the prefix", "10.1.2.3/8", RC_SYNTAX, NULL, NULL },
	{ "prefix too long", "10.0.0.0/33", RC_LIMIT, NULL, NULL },
	{ "IPv6 prefix too long", "::/129", RC_LIMIT, NULL, NULL },
	{ "a mapped prefix that is too short", "::ffff:0.0.0.0/95", RC_SYNTAX, NULL, NULL },
	{ "no prefix", "10.0.0.0/", RC_SYNTAX, NULL, NULL },
	{ "a netmask", "10.0.0.0/255.0.0.0", RC_SYNTAX, NULL, NULL },
	{ "two slashes", "10.0.0.0/8/8", RC_SYNTAX, NULL, NULL },
	{ "backwards", "192.0.2.9-192.0.2.1", RC_SYNTAX, NULL, NULL },
	{ "two families", "192.0.2.1-2001:db8::1", RC_SYNTAX, NULL, NULL },
	{ "open end", "192.0.2.1-", RC_SYNTAX, NULL, NULL },
	{ "three ends", "192.0.2.1-192.0.2.2-192.0.2.3", RC_SYNTAX, NULL, NULL },
	{ "a short range", "192.0.2.1-9", RC_SYNTAX, NULL, NULL },
	{ "nothing", "", RC_SYNTAX, NULL, NULL },
};

static void ranges_are_read(void **state)
{
	(void)state;
	for (size_t row = 0; row < COUNT(ranges); row++) {
		struct net_range range;
		if (net_range_parse(slice_str(ranges[row].text), &range) != ranges[row].rc)
			fail_msg("%s: another answer", ranges[row].name);
		if (ranges[row].rc != RC_OK)
			continue;
		const struct net_address first = at(ranges[row].first), last = at(ranges[row].last);
		if (!net_address_eq(&range.first, &first) || !net_address_eq(&range.last, &last))
			fail_msg("%s: other ends", ranges[row].name);
	}
}

static void lists_match(void **state)
{
	static const char *const texts[] = { "192.0.2.128/25", "10.0.0.0/8",      "192.0.2.0/25",
		                             "2001:db8::/32",  "172.16.0.1",      "10.2.0.0/16",
		                             "172.16.0.2",     "255.255.255.255", "::1" };
	static const struct {
		const char *address;
		bool        has;
	} rows[] = {
		{ "9.255.255.255", false },
		{ "10.0.0.0", true },
		{ "10.2.3.4", true },
		{ "10.255.255.255", true },
		{ "11.0.0.0", false },
		{ "172.16.0.0", false },
		{ "172.16.0.1", true },
		{ "172.16.0.2", true },
		{ "172.16.0.3", false },
		{ "192.0.1.255", false },
		{ "192.0.2.0", true },
		{ "192.0.2.255", true },
		{ "192.0.3.0", false },
		{ "255.255.255.255", true },
		{ "::1", true },
		{ "::", false },
		{ "2001:db8::", true },
		{ "2001:db9::", false },
		{ "::ffff:10.0.0.1", true },
		{ "::10.0.0.1", false },
	};
	uint8_t          memory[4096];
	struct arena     arena = arena_on(memory, sizeof memory);
	struct slice     items[COUNT(texts)];
	struct net_match match;
	size_t           bad = 99;

	(void)state;
	for (size_t index = 0; index < COUNT(texts); index++)
		items[index] = slice_str(texts[index]);
	assert_int_equal(net_match_parse(items, COUNT(texts), &arena, &match, &bad), RC_OK);
	assert_int_equal(match.count, 6); /* neighbours and parts were merged */
	assert_int_equal(match.count_v4, 4);
	for (size_t row = 0; row < COUNT(rows); row++) {
		const struct net_address address = at(rows[row].address);
		if (net_match_has(&match, &address) != rows[row].has)
			fail_msg("%s: matched wrongly", rows[row].address);
	}
	items[4] = SLICE("10.0.0.1/8");
	assert_int_equal(net_match_parse(items, COUNT(texts), &arena, &match, &bad), RC_SYNTAX);
	assert_int_equal(bad, 4);
	struct arena small = arena_on(memory, 64);
	assert_int_equal(net_match_parse(items, COUNT(texts), &small, &match, &bad), RC_NOMEM);
	const struct net_address address = at("10.0.0.1"), none = { 0 };
	assert_int_equal(net_match_make(NULL, 0, &arena, &match), RC_OK);
	assert_false(net_match_has(&match, &address));
	assert_false(net_match_has(&match, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(ports_are_read),
		cmocka_unit_test(the_kernel_form_goes_both_ways),
		cmocka_unit_test(reverse_names),
		cmocka_unit_test(kinds_and_prefixes),
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(lists_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
