/*
 * Address lists of header fields. A row says what is read, as "name <local|domain>" for each item with its group in
 * front, and what is odd about it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mail/address.h"

#include <stdlib.h>

struct row {
	const char  *name;
	struct slice body;
	const char  *items;
	uint32_t     oddities;
};

#define ROW(row_name, text, row_items, row_oddities)                                                       \
	{                                                                                                  \
		(row_name), { (const uint8_t *)"" text "", sizeof(text) - 1 }, (row_items), (row_oddities) \
	}

static const struct row lawful[] = {
	ROW("nothing", "", "", 0),
	ROW("blanks", " \r\n\t", "", 0),
	ROW("an address", "a@b", "<a|b>", 0),
	ROW("in brackets", "<a@b>", "<a|b>", 0),
	ROW("a name", "John Doe <jd@a.example>", "John Doe <jd|a.example>", 0),
	ROW("a quoted name", "\"Joe Q. Public\" <jqp@a>", "Joe Q. Public <jqp|a>", 0),
	ROW("escapes in a name", "\"Giant; \\\"Big\\\" Box\" <s@a>", "Giant; \"Big\" Box <s|a>", 0),
	ROW("an address as a name, quoted", "\"a@b\" <c@d>", "a@b <c|d>", 0),
	ROW("folded", "John\r\n Doe\r\n\t<a@b>\r\n", "John Doe <a|b>", 0),
	ROW("folded inside quotes", "\"John\r\n Doe\" <a@b>", "John Doe <a|b>", 0),
	ROW("several", "A <a@x>, b@y,\"C\" <c@z>", "A <a|x>,<b|y>,C <c|z>", 0),
	ROW("an encoded word stays", "=?utf-8?q?J=C3=B6rg?= <j@x>", "=?utf-8?q?J=C3=B6rg?= <j|x>", 0),
	ROW("UTF-8", "J\xc3\xb6rg <j\xc3\xb6@x>", "J\xc3\xb6rg <j\xc3\xb6|x>", ADDRESS_ODD_UTF8),
	ROW("a comment as a name", "jdoe@a (John Doe)", "John Doe <jdoe|a>", ADDRESS_ODD_COMMENT),
	ROW("comments everywhere", "(1)A(2)<(3)a(4)@(5)b(6)>(7)", "A <a|b>", ADDRESS_ODD_COMMENT | ADDRESS_ODD_SPACED),
	ROW("nested comments", "a@b (x (y \\) z) w)", "x (y ) z) w <a|b>", ADDRESS_ODD_COMMENT),
	ROW("a comma in a comment", "a@b (x, y), c@d", "x, y <a|b>,<c|d>", ADDRESS_ODD_COMMENT),
	ROW("a quoted local part", "\"a b\"@c", "<a b|c>", ADDRESS_ODD_QUOTED),
	ROW("quotes and dots", "\"a b\".c.\"d\"@e", "<a b.c.d|e>", ADDRESS_ODD_QUOTED),
	ROW("blanks around dots and at", "a . b @ c . d", "<a.b|c.d>", ADDRESS_ODD_SPACED),
	ROW("a literal", "a@[192.0.2.1]", "<a|[192.0.2.1]>", ADDRESS_ODD_LITERAL),
	ROW("a route", "<@x,@y:a@b>", "<a|b>", ADDRESS_ODD_ROUTE),
	ROW("a route and a second one", "<@x,@y:a@b>, <@z:c@d>", "<a|b>,<c|d>", ADDRESS_ODD_ROUTE),
	ROW("empty items", ", a@b,, c@d,", "<a|b>,<c|d>", ADDRESS_ODD_EMPTY_ITEM),
	ROW("a dot in a name", "Joe Q. Public <a@b>", "Joe Q. Public <a|b>", ADDRESS_ODD_PHRASE_DOT),
	ROW("a group", "Team: a@b, C <c@d>; , e@f", "Team:<a|b>,Team:C <c|d>,<e|f>", ADDRESS_ODD_GROUP),
	ROW("an empty group", "Undisclosed recipients:;", "", ADDRESS_ODD_GROUP),
	ROW("a group with a comment", "A(x) : (nobody) ;", "", ADDRESS_ODD_GROUP | ADDRESS_ODD_COMMENT),
	ROW("a colon in quotes", "\"a: b\" <c@d>", "a: b <c|d>", 0),
};

static const struct row unlawful[] = {
	ROW("two senders in brackets", "<a@b> <c@d>", "<a|b>,<c|d>", ADDRESS_ODD_TWO_ANGLES),
	ROW("two senders without a comma", "a@b c@d", "<a|b>,<c|d>", ADDRESS_ODD_NO_COMMA),
	ROW("an address as a name", "a@b <c@d>", "a@b <c|d>", ADDRESS_ODD_NAME_AT),
	ROW("an address behind", "<a@b> c@d", "<a|b>", ADDRESS_ODD_TRAILING),
	ROW("a name without brackets", "John a@b", "<a|b>", ADDRESS_ODD_BROKEN),
	ROW("two ats", "a@b@c", "<a@b|c>", ADDRESS_ODD_MANY_AT | ADDRESS_ODD_LOCAL),
	ROW("no domain", "root", "<root|>", ADDRESS_ODD_NO_DOMAIN),
	ROW("words only", "nobody at all", "nobody at all <|>", ADDRESS_ODD_NO_DOMAIN),
	ROW("no domain in brackets", "A <root>", "A <root|>", ADDRESS_ODD_NO_DOMAIN),
	ROW("nothing in brackets", "A <>", "A <|>", ADDRESS_ODD_NO_DOMAIN | ADDRESS_ODD_NO_LOCAL),
	ROW("no local part", "@b", "<|b>", ADDRESS_ODD_NO_LOCAL),
	ROW("a bracket that stays open", "A <a@b", "A <a|b>", ADDRESS_ODD_UNCLOSED),
	ROW("a bracket that stays open before a comma", "A <a@b, C <c@d>", "A <a|b>,C <c|d>", ADDRESS_ODD_UNCLOSED),
	ROW("a quote that stays open", "\"A <a@b>", "<A <a@b>|>",
	    ADDRESS_ODD_UNCLOSED | ADDRESS_ODD_NO_DOMAIN | ADDRESS_ODD_QUOTED),
	ROW("a comment that stays open", "a@b (x", "x <a|b>", ADDRESS_ODD_UNCLOSED | ADDRESS_ODD_COMMENT),
	ROW("a group that stays open", "A: b@c", "A:<b|c>", ADDRESS_ODD_UNCLOSED | ADDRESS_ODD_GROUP),
	ROW("a group in a group", "A: B: c@d;", "A:<c|d>", ADDRESS_ODD_BROKEN | ADDRESS_ODD_GROUP),
	ROW("a semicolon as a comma", "a@b; c@d", "<a|b>,<c|d>", ADDRESS_ODD_BROKEN),
	ROW("no comma behind a group", "A:; b@c", "<b|c>", ADDRESS_ODD_BROKEN | ADDRESS_ODD_GROUP),
	ROW("NUL", "a\0@b", "<a|b>", ADDRESS_ODD_NUL),
	ROW("a control byte", "a\x01@b", "<a\x01|b>", ADDRESS_ODD_BROKEN | ADDRESS_ODD_LOCAL),
	ROW("bytes that are no UTF-8", "J\xf6rg <a@b>", "J\xf6rg <a|b>", ADDRESS_ODD_8BIT),
	ROW("dots that are too many", "a..b@c", "<a..b|c>", ADDRESS_ODD_LOCAL),
	ROW("a dot at the end of the domain", "a@b.", "<a|b.>", ADDRESS_ODD_DOMAIN),
	ROW("a domain that is none", "a@b_c#d", "<a|b_c#d>", ADDRESS_ODD_DOMAIN),
	ROW("quotes beside letters", "a\"b\"@c", "<ab|c>", ADDRESS_ODD_QUOTED | ADDRESS_ODD_LOCAL),
	ROW("a blank inside", "<a b@c>", "<a b|c>", ADDRESS_ODD_LOCAL | ADDRESS_ODD_SPACED),
	ROW("a blank inside the domain", "<a@b c>", "<a|b c>", ADDRESS_ODD_DOMAIN | ADDRESS_ODD_SPACED),
	ROW("a tag in square brackets", "[Ext] A <a@b>", "[Ext] A <a|b>", ADDRESS_ODD_BROKEN),
};

static void put_item(struct buf *out, const struct address_item *item)
{
	if (item->group.len != 0) {
		buf_put(out, item->group);
		buf_put_byte(out, ':');
	}
	if (item->name.len != 0) {
		buf_put(out, item->name);
		buf_put_byte(out, ' ');
	}
	buf_put_byte(out, '<');
	buf_put(out, item->local);
	buf_put_byte(out, '|');
	buf_put(out, item->domain);
	buf_put_byte(out, '>');
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row   *row = &rows[i];
		struct arena        arena;
		struct address_list list;
		struct buf          out = buf_make(1000);
		/* Memory of exactly the body's size lets a sanitizer see a read behind it. */
		uint8_t *exact = malloc(row->body.len + 1);
		assert_non_null(exact);
		memcpy(exact, row->body.ptr, row->body.len);
		assert_int_equal(arena_init(&arena, 4096), RC_OK);
		assert_int_equal(address_list_read((struct slice){ exact, row->body.len }, &arena, &list), RC_OK);
		for (size_t item = 0; item < list.count; item++) {
			if (item != 0)
				buf_put_byte(&out, ',');
			put_item(&out, &list.items[item]);
		}
		if (!slice_eq(buf_slice(&out), slice_str(row->items)) || list.oddities != row->oddities)
			fail_msg("%s: %.*s, oddities %x, expected %x", row->name, (int)out.len,
			         out.len != 0 ? (char *)out.ptr : "", list.oddities, row->oddities);
		buf_done(&out);
		arena_done(&arena);
		free(exact);
	}
}

static void test_lawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lawful / sizeof lawful[0]; i++)
		assert_true(lawful[i].oddities < ADDRESS_ODD_BROKEN);
	check_rows(lawful, sizeof lawful / sizeof lawful[0]);
}

static void test_unlawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unlawful / sizeof unlawful[0]; i++)
		assert_true(unlawful[i].oddities >= ADDRESS_ODD_BROKEN);
	check_rows(unlawful, sizeof unlawful / sizeof unlawful[0]);
}

/* An arena of every size up to what is needed: refused, and nothing written. */
static void test_no_room(void **state)
{
	const struct slice  body = SLICE("\"A B\" <\"a b\"@c>, G: d@e (x);");
	struct address_list list = { .count = 77 };
	enum rc             rc = RC_NOMEM;
	size_t              size = 1;

	(void)state;
	for (; rc != RC_OK; size++) {
		struct arena arena;
		assert_true(size < 4096);
		assert_int_equal(arena_init(&arena, size), RC_OK);
		rc = address_list_read(body, &arena, &list);
		if (rc != RC_OK) {
			assert_int_equal(rc, RC_NOMEM);
			assert_int_equal(list.count, 77);
		}
		arena_done(&arena);
	}
	assert_int_equal(list.count, 2);
}

static void test_bounds(void **state)
{
	struct buf          body = buf_make(2 * ADDRESS_LIST_BYTES_MAX);
	struct arena        arena;
	struct address_list list;

	(void)state;
	assert_int_equal(arena_init(&arena, 8u << 20), RC_OK);
	for (size_t count = ADDRESS_LIST_COUNT_MAX - 1; count <= ADDRESS_LIST_COUNT_MAX + 1; count++) {
		buf_clear(&body);
		arena_reset(&arena);
		for (size_t i = 0; i < count; i++)
			buf_put_str(&body, "a@b,");
		buf_put_str(&body, "\r\n");
		assert_int_equal(address_list_read(buf_slice(&body), &arena, &list), RC_OK);
		assert_int_equal(list.count, count < ADDRESS_LIST_COUNT_MAX ? count : ADDRESS_LIST_COUNT_MAX);
		assert_int_equal((list.oddities & ADDRESS_ODD_LIMIT) != 0, count > ADDRESS_LIST_COUNT_MAX);
	}
	for (size_t size = ADDRESS_LIST_BYTES_MAX - 1; size <= ADDRESS_LIST_BYTES_MAX + 1; size++) {
		buf_clear(&body);
		arena_reset(&arena);
		buf_put_str(&body, "a@b ");
		while (body.len < size)
			buf_put_byte(&body, ' ');
		assert_int_equal(address_list_read(buf_slice(&body), &arena, &list), RC_OK);
		assert_int_equal((list.oddities & ADDRESS_ODD_LIMIT) != 0, size > ADDRESS_LIST_BYTES_MAX);
	}
	for (size_t depth = ADDRESS_COMMENT_DEPTH_MAX - 1; depth <= ADDRESS_COMMENT_DEPTH_MAX + 1; depth++) {
		buf_clear(&body);
		arena_reset(&arena);
		for (size_t i = 0; i < depth; i++)
			buf_put_byte(&body, '(');
		for (size_t i = 0; i < depth; i++)
			buf_put_byte(&body, ')');
		buf_put_str(&body, "a@b");
		assert_int_equal(address_list_read(buf_slice(&body), &arena, &list), RC_OK);
		assert_int_equal(list.count, 1);
		assert_int_equal((list.oddities & ADDRESS_ODD_LIMIT) != 0, depth > ADDRESS_COMMENT_DEPTH_MAX);
	}
	arena_done(&arena);
	buf_done(&body);
}

/*
 * Bodies made to be slow: each is read in time that grows with its size, not with its square. A test that hangs has
 * failed.
 */
static void test_worst(void **state)
{
	static const char *const units[] = { "(",      "<",  "\"", "a@",   "a ", ",", ":",
		                             "a b@c ", "<a", "@,", "((a)", ". ", "\\" };
	struct arena             arena;

	(void)state;
	assert_int_equal(arena_init(&arena, 16u << 20), RC_OK);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		struct buf          body = buf_make(ADDRESS_LIST_BYTES_MAX);
		struct address_list list;
		while (body.len + 10 < ADDRESS_LIST_BYTES_MAX)
			buf_put_str(&body, units[i]);
		arena_reset(&arena);
		(void)!address_list_read(buf_slice(&body), &arena, &list);
		buf_done(&body);
	}
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lawful), cmocka_unit_test(test_unlawful), cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
