/* SMTP paths. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mail/address.h"
#include "mail/domain.h"

struct row {
	const char       *path;
	unsigned          flags;
	const char       *local;
	const char       *domain;
	enum address_kind kind;
	const char       *key;
};

static const struct row lawful[] = {
	{ "<a@b>", 0, "a", "b", ADDRESS_IS_HOSTED, "a@b" },
	{ "<User.Name+tag@Example.COM>", 0, "User.Name+tag", "Example.COM", ADDRESS_IS_HOSTED,
	  "user.name+tag@example.com" },
	{ "<!#$%&'*+-/=?^_`{|}~@b>", 0, "!#$%&'*+-/=?^_`{|}~", "b", ADDRESS_IS_HOSTED, "!#$%&'*+-/=?^_`{|}~@b" },
	{ "<\"a b\"@c>", 0, "\"a b\"", "c", ADDRESS_IS_HOSTED, "\"a b\"@c" },
	{ "<\"ab\"@c>", 0, "\"ab\"", "c", ADDRESS_IS_HOSTED, "ab@c" },
	{ "<\"a\\b\"@c>", 0, "\"a\\b\"", "c", ADDRESS_IS_HOSTED, "ab@c" },
	{ "<\"a\\\"\\\\b\"@c>", 0, "\"a\\\"\\\\b\"", "c", ADDRESS_IS_HOSTED, "\"a\\\"\\\\b\"@c" },
	{ "<\"\"@c>", 0, "\"\"", "c", ADDRESS_IS_HOSTED, "\"\"@c" },
	{ "<\"a@b>\"@c>", 0, "\"a@b>\"", "c", ADDRESS_IS_HOSTED, "\"a@b>\"@c" },
	{ "<\"a..b\"@c>", 0, "\"a..b\"", "c", ADDRESS_IS_HOSTED, "\"a..b\"@c" },
	{ "<a@[192.0.2.1]>", 0, "a", "[192.0.2.1]", ADDRESS_IS_LITERAL, "a@[192.0.2.1]" },
	{ "<a@[IPv6:2001:DB8::1]>", 0, "a", "[IPv6:2001:DB8::1]", ADDRESS_IS_LITERAL, "a@[ipv6:2001:db8::1]" },
	{ "<a@[IPv6:1:2:3:4:5::8]>", 0, "a", "[IPv6:1:2:3:4:5::8]", ADDRESS_IS_LITERAL, "a@[ipv6:1:2:3:4:5::8]" },
	{ "<@x:a@b>", 0, "a", "b", ADDRESS_IS_HOSTED, "a@b" },
	{ "<@x,@y.z,@[1.2.3.4]:a@b>", 0, "a", "b", ADDRESS_IS_HOSTED, "a@b" },
	{ "<>", ADDRESS_NULL, "", "", ADDRESS_IS_NULL, "" },
	{ "<PostMaster>", ADDRESS_POSTMASTER, "PostMaster", "", ADDRESS_IS_LOCAL, "postmaster" },
	{ "postmaster", ADDRESS_POSTMASTER | ADDRESS_BARE, "postmaster", "", ADDRESS_IS_LOCAL, "postmaster" },
	{ "a@b", ADDRESS_BARE, "a", "b", ADDRESS_IS_HOSTED, "a@b" },
	{ "<\xc3\xa4@b\xc3\xbc"
	  "cher.x>",
	  ADDRESS_UTF8, "\xc3\xa4",
	  "b\xc3\xbc"
	  "cher.x",
	  ADDRESS_IS_HOSTED, "\xc3\xa4@xn--bcher-kva.x" },
	{ "<\"\xc3\xa4 \"@b>", ADDRESS_UTF8, "\"\xc3\xa4 \"", "b", ADDRESS_IS_HOSTED, "\"\xc3\xa4 \"@b" },
};

static void test_lawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lawful / sizeof lawful[0]; i++) {
		const struct row *row = &lawful[i];
		struct address    address, again;
		struct buf        key = buf_make(1000), written = buf_make(1000);
		enum rc           rc = address_path_read(slice_str(row->path), row->flags, &address);
		if (rc != RC_OK)
			fail_msg("%s: %s", row->path, rc_word(rc));
		if (!slice_eq(address.local, slice_str(row->local)) ||
		    !slice_eq(address.domain, slice_str(row->domain)) || address.kind != row->kind)
			fail_msg("%s: %.*s %.*s", row->path, (int)address.local.len, (const char *)address.local.ptr,
			         (int)address.domain.len, (const char *)address.domain.ptr);
		assert_int_equal(address_key(&address, &key), RC_OK);
		if (!slice_eq(buf_slice(&key), slice_str(row->key)))
			fail_msg("%s: key %.*s", row->path, (int)key.len, (char *)key.ptr);
		/* What is written is read as the same mailbox. */
		address_write(&address, &written);
		if (row->kind != ADDRESS_IS_NULL) {
			assert_int_equal(address_mailbox_read(buf_slice(&written), row->flags, &again), RC_OK);
			assert_true(slice_eq(again.local, address.local) && slice_eq(again.domain, address.domain));
		}
		/* Something behind it stays; a prefix of it is none. */
		struct buf more = buf_make(1000);
		buf_put_str(&more, row->path);
		buf_put_str(&more, " SIZE=1");
		struct slice input = buf_slice(&more);
		assert_int_equal(address_path_take(&input, row->flags, &again), RC_OK);
		assert_true(slice_eq(input, SLICE(" SIZE=1")));
		for (size_t cut = 0; !(row->flags & ADDRESS_BARE) && cut < strlen(row->path); cut++) {
			rc = address_path_read(slice_take(slice_str(row->path), cut), row->flags, &again);
			assert_true(rc == RC_SYNTAX || rc == RC_UNSUPPORTED);
		}
		buf_done(&key);
		buf_done(&written);
		buf_done(&more);
	}
}

static const struct {
	const char *path;
	unsigned    flags;
	enum rc     rc;
} unlawful[] = {
	{ "", ADDRESS_BARE | ADDRESS_NULL, RC_SYNTAX },
	{ "<>", 0, RC_SYNTAX },
	{ "<>", ADDRESS_BARE | ADDRESS_POSTMASTER, RC_SYNTAX },
	{ "< >", ADDRESS_NULL, RC_SYNTAX },
	{ "a@b", 0, RC_SYNTAX },
	{ "<postmaster>", 0, RC_SYNTAX },
	{ "<root>", ADDRESS_POSTMASTER, RC_SYNTAX },
	{ "<a>", 0, RC_SYNTAX },
	{ "<@b>", 0, RC_SYNTAX },
	{ "<a@>", 0, RC_SYNTAX },
	{ "<a@b", 0, RC_SYNTAX },
	{ "a@b>", ADDRESS_BARE, RC_SYNTAX },
	{ "<a@b>>", 0, RC_SYNTAX },
	{ "<<a@b>>", 0, RC_SYNTAX },
	{ "< a@b>", 0, RC_SYNTAX },
	{ "<a@b >", 0, RC_SYNTAX },
	{ "<a b@c>", 0, RC_SYNTAX },
	{ "<a@b c>", 0, RC_SYNTAX },
	{ "<a@b@c>", 0, RC_SYNTAX },
	{ "<.a@b>", 0, RC_SYNTAX },
	{ "<a.@b>", 0, RC_SYNTAX },
	{ "<a..b@c>", 0, RC_SYNTAX },
	{ "<a(x)@b>", 0, RC_SYNTAX },
	{ "<a@b(x)>", 0, RC_SYNTAX },
	{ "<\"a@b>", 0, RC_SYNTAX },
	{ "<\"a\"b@c>", 0, RC_SYNTAX },
	{ "<a\"b\"@c>", 0, RC_SYNTAX },
	{ "<\"a\tb\"@c>", 0, RC_SYNTAX },
	{ "<\"a\\\tb\"@c>", 0, RC_SYNTAX },
	{ "<\"a\\", 0, RC_SYNTAX },
	{ "<a\\b@c>", 0, RC_SYNTAX },
	{ "<a\x7f@c>", 0, RC_SYNTAX },
	{ "<a@b.>", 0, RC_SYNTAX },
	{ "<a@.b>", 0, RC_SYNTAX },
	{ "<a@-b>", 0, RC_SYNTAX },
	{ "<a@b#>", 0, RC_SYNTAX },
	{ "<a@[1.2.3]>", 0, RC_SYNTAX },
	{ "<a@[1.2.3.4>", 0, RC_SYNTAX },
	{ "<a@[1.2.3.4]x>", 0, RC_SYNTAX },
	{ "<a@[]>", 0, RC_SYNTAX },
	{ "<a@[::1]>", 0, RC_SYNTAX },
	{ "<a@[IPv6:1]>", 0, RC_SYNTAX },
	{ "<a@[IPv6:1:2:3:4:5:6::8]>", 0, RC_SYNTAX },
	{ "<a@[IPv6:1:2:3:4:5::1.2.3.4]>", 0, RC_SYNTAX },
	{ "<a@[x:y]>", 0, RC_SYNTAX },
	{ "<@x a@b>", 0, RC_SYNTAX },
	{ "<@x;a@b>", 0, RC_SYNTAX },
	{ "<@x,y:a@b>", 0, RC_SYNTAX },
	{ "<@:a@b>", 0, RC_SYNTAX },
	{ "<@x,:a@b>", 0, RC_SYNTAX },
	{ "<\xc3\xa4@b>", 0, RC_UNSUPPORTED },
	{ "<a@\xc3\xa4>", 0, RC_UNSUPPORTED },
	{ "<@\xc3\xa4:a@b>", 0, RC_UNSUPPORTED },
	{ "<\xe4@b>", ADDRESS_UTF8, RC_SYNTAX },
	{ "<\xe4@b>", 0, RC_SYNTAX },
	{ "<a@\xe4>", ADDRESS_UTF8, RC_SYNTAX },
};

static void test_unlawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unlawful / sizeof unlawful[0]; i++) {
		struct address address;
		const enum rc  rc = address_path_read(slice_str(unlawful[i].path), unlawful[i].flags, &address);
		if (rc != unlawful[i].rc)
			fail_msg("%s: %s", unlawful[i].path, rc_word(rc));
	}
	struct address address;
	assert_int_equal(address_path_read(SLICE("<a\0@b>"), 0, &address), RC_SYNTAX);
	assert_int_equal(address_path_read(SLICE("<a@b\0>"), 0, &address), RC_SYNTAX);
	assert_int_equal(address_mailbox_read(SLICE("<a@b>"), 0, &address), RC_SYNTAX);
	assert_int_equal(address_mailbox_read(SLICE(""), ADDRESS_NULL, &address), RC_SYNTAX);
}

static void put_many(struct buf *out, uint8_t byte, size_t count)
{
	while (count-- > 0)
		buf_put_byte(out, byte);
}

/* "<" local "@" domain ">" with parts of these sizes. */
static enum rc read_sizes(size_t local, size_t domain, unsigned flags)
{
	struct buf     path = buf_make(2000);
	struct address address;

	buf_put_byte(&path, '<');
	put_many(&path, 'l', local);
	buf_put_byte(&path, '@');
	for (size_t i = 0; i < domain; i++)
		buf_put_byte(&path, i % 50 == 49 && i + 1 < domain ? '.' : 'd');
	buf_put_byte(&path, '>');
	const enum rc rc = address_path_read(buf_slice(&path), flags, &address);
	buf_done(&path);
	return rc;
}

static void test_bounds(void **state)
{
	(void)state;
	assert_int_equal(read_sizes(ADDRESS_LOCAL_MAX, 10, 0), RC_OK);
	assert_int_equal(read_sizes(ADDRESS_LOCAL_MAX + 1, 10, 0), RC_LIMIT);
	assert_int_equal(read_sizes(10, ADDRESS_PATH_MAX - 13, 0), RC_OK);
	assert_int_equal(read_sizes(10, ADDRESS_PATH_MAX - 12, 0), RC_LIMIT);
	/* 571 octets in all. */
	assert_int_equal(read_sizes(ADDRESS_LONG_LOCAL_MAX, DOMAIN_BYTES_MAX, ADDRESS_LONG), RC_OK);
	assert_int_equal(read_sizes(ADDRESS_LONG_LOCAL_MAX + 1, DOMAIN_BYTES_MAX, ADDRESS_LONG), RC_LIMIT);
	assert_int_equal(read_sizes(ADDRESS_LONG_LOCAL_MAX, DOMAIN_BYTES_MAX + 1, ADDRESS_LONG), RC_LIMIT);
	for (size_t extra = 0; extra < 2; extra++) {
		struct buf     path = buf_make(2000);
		struct address address;
		buf_put_byte(&path, '<');
		/* "@rr," many times, and a last "@r...:" */
		while (path.len + 50 < ADDRESS_ROUTE_MAX)
			buf_put_str(&path, "@rr,");
		buf_put_byte(&path, '@');
		put_many(&path, 'r', ADDRESS_ROUTE_MAX + extra - path.len);
		buf_put_str(&path, ":a@b>");
		assert_int_equal(address_path_read(buf_slice(&path), 0, &address), extra ? RC_LIMIT : RC_OK);
		buf_done(&path);
	}
}

static void test_key_bounds(void **state)
{
	struct address address;

	(void)state;
	assert_int_equal(address_path_read(SLICE("<\"a b\"@c>"), 0, &address), RC_OK);
	for (size_t room = 0; room < 8; room++) {
		struct buf    key = buf_make(room);
		const enum rc rc = address_key(&address, &key);
		assert_int_equal(rc, room < 7 ? RC_LIMIT : RC_OK);
		assert_int_equal(key.len, room < 7 ? 0 : 7);
		assert_false(key.failed);
		buf_done(&key);
	}
	struct buf local = buf_make(10);
	address_local_write(&address, &local);
	assert_true(slice_eq(buf_slice(&local), SLICE("a b")));
	buf_done(&local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lawful),
		cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_key_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
