/* Names and answers as bytes of the wire: what a lying name server might say, and what is made of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "net/resolver_answer.h"

#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct {
	const char *name, *text, *key; /* no key: refused */
} names[] = {
	{ "a host", "mx.example.test", "mx.example.test" },
	{ "a final dot", "mx.example.test.", "mx.example.test" },
	{ "capitals", "MX.Example.TEST", "mx.example.test" },
	{ "an underscore", "_dmarc.example.test", "_dmarc.example.test" },
	{ "one label", "localhost", "localhost" },
	{ "the longest label", LABEL_63 ".test", LABEL_63 ".test" },
	{ "the longest name",
	  LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
	  LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg" },
	{ "one octet too long",
	  LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg", NULL },
	{ "a label of 64", LABEL_63 "a.test", NULL },
	{ "nothing", "", NULL },
	{ "the root", ".", NULL },
	{ "two dots", "a..test", NULL },
	{ "a dot in front", ".test", NULL },
	{ "two final dots", "test..", NULL },
	{ "a blank", "a b.test", NULL },
	{ "an escape", "a\\.b.test", NULL },
	{ "UTF-8", "\xc3\xa4.test", NULL },
	{ "an address literal", "[192.0.2.1]", NULL },
	{ "a wildcard", "*.test", NULL },
	{ "a slash", "1/2.test", NULL },
};

static void names_become_keys(void **state)
{
	uint8_t key[RESOLVER_NAME_MAX];
	size_t  size;

	(void)state;
	for (size_t row = 0; row < COUNT(names); row++) {
		const enum rc rc = resolver_name_key(slice_str(names[row].text), key, &size);
		if (rc != (names[row].key != NULL ? RC_OK : RC_SYNTAX))
			fail_msg("%s: %s", names[row].name, rc_word(rc));
		if (rc == RC_OK)
			assert_true(slice_eq(slice_of(key, size), slice_str(names[row].key)));
	}
	assert_int_equal(resolver_name_key(SLICE("a\0b.test"), key, &size), RC_SYNTAX);
}

static uint64_t first(uint64_t bound)
{
	(void)bound;
	return 0;
}

static uint64_t last(uint64_t bound)
{
	return bound - 1;
}

#define WIRE(literal)                                         \
	{                                                     \
		(const uint8_t *)literal, sizeof(literal) - 1 \
	}

static const struct {
	const char          *name;
	enum resolver_type   type;
	struct slice         record;
	enum resolver_status status; /* of an answer of this record alone */
} records[] = {
	{ "an address", RESOLVER_A, WIRE("\xc0\x00\x02\x01"), RESOLVER_OK },
	{ "a short address", RESOLVER_A, WIRE("\xc0\x00\x02"), RESOLVER_FAILED },
	{ "a long address", RESOLVER_A, WIRE("\xc0\x00\x02\x01\x01"), RESOLVER_FAILED },
	{ "an IPv6 address", RESOLVER_AAAA, WIRE("0123456789abcdef"), RESOLVER_OK },
	{ "an IPv4 address for IPv6", RESOLVER_AAAA, WIRE("0123"), RESOLVER_FAILED },
	{ "a name", RESOLVER_PTR, WIRE("\2mx\4test"), RESOLVER_NODATA },
	{ "a whole name", RESOLVER_PTR, WIRE("\2mx\4test\0"), RESOLVER_OK },
	{ "bytes behind it", RESOLVER_PTR, WIRE("\2mx\4test\0x"), RESOLVER_NODATA },
	{ "a label that ends too late", RESOLVER_PTR, WIRE("\2mx\6test\0"), RESOLVER_NODATA },
	{ "a pointer", RESOLVER_PTR, WIRE("\2mx\xc0\x0c"), RESOLVER_NODATA },
	{ "the root as a name", RESOLVER_PTR, WIRE("\0"), RESOLVER_NODATA },
	{ "no bytes", RESOLVER_PTR, WIRE(""), RESOLVER_NODATA },
	{ "a line break in a name", RESOLVER_PTR, WIRE("\4m\r\nx\4test\0"), RESOLVER_NODATA },
	{ "a NUL in a name", RESOLVER_PTR, WIRE("\3m\0x\4test\0"), RESOLVER_NODATA },
	{ "a dot in a label", RESOLVER_PTR, WIRE("\3m.x\4test\0"), RESOLVER_NODATA },
	{ "an MX", RESOLVER_MX, WIRE("\0\xa\2mx\4test\0"), RESOLVER_OK },
	{ "an MX without a host", RESOLVER_MX, WIRE("\0\xa"), RESOLVER_FAILED },
	{ "half a preference", RESOLVER_MX, WIRE("\0"), RESOLVER_FAILED },
	{ "an MX with a bad host", RESOLVER_MX, WIRE("\0\xa\2m \4test\0"), RESOLVER_FAILED },
	{ "null MX", RESOLVER_MX, WIRE("\0\0\0"), RESOLVER_OK },
	{ "null MX with a preference", RESOLVER_MX, WIRE("\0\xa\0"), RESOLVER_OK },
	{ "a text", RESOLVER_TXT, WIRE("\7v=spf1 "), RESOLVER_OK },
	{ "an empty text", RESOLVER_TXT, WIRE("\0"), RESOLVER_OK },
	{ "two strings", RESOLVER_TXT, WIRE("\1a\1b"), RESOLVER_OK },
	{ "a string too short", RESOLVER_TXT, WIRE("\7v=spf1"), RESOLVER_FAILED },
	{ "no string", RESOLVER_TXT, WIRE(""), RESOLVER_FAILED },
};

static void records_are_checked(void **state)
{
	(void)state;
	for (size_t row = 0; row < COUNT(records); row++) {
		const struct resolver_found found = { RESOLVER_OK, true, 60, &records[row].record, 1 };
		struct resolver_packed     *packed = NULL;
		struct resolver_answer      answer;
		uint8_t                     memory[1024];
		struct arena                arena = arena_on(memory, sizeof memory);
		assert_int_equal(resolver_pack(records[row].type, &found, &packed), RC_OK);
		assert_int_equal(resolver_unpack(packed, &arena, first, &answer), RC_OK);
		if (answer.status != records[row].status)
			fail_msg("%s: another status", records[row].name);
		assert_int_equal(answer.truncated, answer.status != RESOLVER_OK);
		assert_int_equal(answer.null_mx, slice_starts(slice_str(records[row].name), SLICE("null MX")));
		assert_int_equal(answer.count, answer.status == RESOLVER_OK && !answer.null_mx);
		assert_int_equal(answer.ttl_s, 60);
		assert_true(answer.secure);
		memory_give(packed);
	}
}

static void hosts_come_by_preference_and_mixed(void **state)
{
	static const struct slice wire[] = {
		WIRE("\0\x14\1c\0"), WIRE("\0\xa\1a\0"), WIRE("\1"),
		WIRE("\0\xa\1B\0"),  WIRE("\1\0\1d\0"),  WIRE("\0\0\0"),
	};
	const struct resolver_found found = { RESOLVER_OK, false, 60, wire, COUNT(wire) };
	struct resolver_packed     *packed = NULL;
	struct resolver_answer      answer;
	uint8_t                     memory[2048];

	(void)state;
	assert_int_equal(resolver_pack(RESOLVER_MX, &found, &packed), RC_OK);
	for (unsigned round = 0; round < 2; round++) {
		struct arena arena = arena_on(memory, sizeof memory);
		assert_int_equal(resolver_unpack(packed, &arena, round == 0 ? first : last, &answer), RC_OK);
		assert_int_equal(answer.count, 4);
		assert_true(answer.truncated); /* two were left out */
		assert_false(answer.null_mx);
		assert_true(slice_eq(answer.mx[0].host, round == 0 ? SLICE("b") : SLICE("a")));
		assert_true(slice_eq(answer.mx[1].host, round == 0 ? SLICE("a") : SLICE("b")));
		assert_true(slice_eq(answer.mx[2].host, SLICE("c")));
		assert_int_equal(answer.mx[2].preference, 20);
		assert_int_equal(answer.mx[3].preference, 256);
	}
	struct arena small = arena_on(memory, 70);
	assert_int_equal(resolver_unpack(packed, &small, first, &answer), RC_NOMEM);
	memory_give(packed);
}

static void answers_are_bounded(void **state)
{
	struct slice            many[RESOLVER_RECORDS_MAX + 1];
	static uint8_t          text[17 * 256];
	struct resolver_found   found = { RESOLVER_OK, false, 60, many, 0 };
	struct resolver_packed *packed = NULL;
	struct resolver_answer  answer;
	struct arena            arena;

	(void)state;
	assert_int_equal(arena_init(&arena, 1u << 20), RC_OK);
	for (size_t index = 0; index < COUNT(many); index++)
		many[index] = slice_of("\xc0\x00\x02\x01", 4);
	for (found.count = RESOLVER_RECORDS_MAX - 1; found.count <= RESOLVER_RECORDS_MAX + 1; found.count++) {
		assert_int_equal(resolver_pack(RESOLVER_A, &found, &packed), RC_OK);
		assert_int_equal(resolver_unpack(packed, &arena, first, &answer), RC_OK);
		assert_int_equal(answer.truncated, found.count > RESOLVER_RECORDS_MAX);
		assert_int_equal(answer.count, found.count > RESOLVER_RECORDS_MAX ? RESOLVER_RECORDS_MAX : found.count);
		memory_give(packed);
	}
	/* A text of exactly the bound, and one octet more. */
	for (size_t size = RESOLVER_TEXT_MAX; size <= RESOLVER_TEXT_MAX + 1; size++) {
		size_t used = 0;
		for (size_t left = size; left != 0;) {
			const size_t part = left < 255 ? left : 255;
			text[used] = (uint8_t)part;
			used += part + 1;
			left -= part;
		}
		const struct slice one = slice_of(text, used);
		found = (struct resolver_found){ RESOLVER_OK, false, 60, &one, 1 };
		assert_int_equal(resolver_pack(RESOLVER_TXT, &found, &packed), RC_OK);
		assert_int_equal(packed->status, size == RESOLVER_TEXT_MAX ? RESOLVER_OK : RESOLVER_FAILED);
		memory_give(packed);
	}
	/* More than one packed answer holds: the first ones, and it is said. */
	text[0] = 255;
	for (size_t index = 0; index < 16; index++)
		text[index * 256] = index < 15 ? 255 : 100;
	for (size_t index = 0; index < 8; index++)
		many[index] = slice_of(text, 15 * 256 + 101);
	found = (struct resolver_found){ RESOLVER_OK, false, 60, many, 8 };
	assert_int_equal(resolver_pack(RESOLVER_TXT, &found, &packed), RC_OK);
	assert_int_equal(packed->count, RESOLVER_PACKED_MAX / (15 * 255 + 102));
	assert_true(packed->truncated);
	memory_give(packed);
	for (long count = 0; count < 3; count++) {
		found = (struct resolver_found){ RESOLVER_OK, false, 60, many, 1 };
		memory_fail_after(count);
		const enum rc rc = resolver_pack(RESOLVER_TXT, &found, &packed);
		memory_fail_after(-1);
		if (rc == RC_OK)
			memory_give(packed);
		else
			assert_int_equal(rc, RC_NOMEM);
	}
	arena_done(&arena);
}

static void servers_of_a_resolv_conf(void **state)
{
	const struct slice text = SLICE(
		"# made by hand\nsearch example.test\nnameserver 192.0.2.53\n  nameserver\t2001:db8::53  # second\n"
		"nameserver nonsense\nnameservers 192.0.2.1\nnameserver\noptions edns0\nnameserver 192.0.2.54");
	struct net_address out[4];
	char               address[NET_ADDRESS_TEXT_MAX];

	(void)state;
	assert_int_equal(resolver_servers_parse(text, out, 4), 3);
	assert_string_equal(net_address_text(&out[0], address), "192.0.2.53");
	assert_string_equal(net_address_text(&out[1], address), "2001:db8::53");
	assert_string_equal(net_address_text(&out[2], address), "192.0.2.54");
	assert_int_equal(resolver_servers_parse(text, out, 2), 2);
	assert_int_equal(resolver_servers_parse(SLICE(""), out, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_keys),
		cmocka_unit_test(records_are_checked),
		cmocka_unit_test(hosts_come_by_preference_and_mixed),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(servers_of_a_resolv_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
