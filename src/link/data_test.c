/* data: URLs: types and bytes, what a browser does not show, and the bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/data.h"

static uint8_t memory[1 << 20];

struct row {
	const char  *name;
	struct slice text;
	enum rc      rc;
	const char  *type;
	struct slice bytes;
};

/* clang-format off: a table */
static const struct row rows[] = {
	{ "nothing but bytes", SLICE_INIT("data:,abc"), RC_OK, "text/plain;charset=US-ASCII", SLICE_INIT("abc") },
	{ "HTML", SLICE_INIT("data:text/html,<b>%20"), RC_OK, "text/html", SLICE_INIT("<b> ") },
	{ "base64", SLICE_INIT("data:text/html;base64,PGI+"), RC_OK, "text/html", SLICE_INIT("<b>") },
	{ "base64 without padding", SLICE_INIT("data:a/b;base64,YQ"), RC_OK, "a/b", SLICE_INIT("a") },
	{ "percent-encoded base64", SLICE_INIT("data:a/b;base64,%50%47%49%2B"), RC_OK, "a/b", SLICE_INIT("<b>") },
	{ "line ends in base64", SLICE_INIT("da\nta:a/b;base64,PG\r\n I+"), RC_OK, "a/b", SLICE_INIT("<b>") },
	{ "any case", SLICE_INIT(" DATA:Text/HTML;Charset=X;BASE64,"), RC_OK, "text/html;charset=X", SLICE_INIT("") },
	{ "a parameter without a type", SLICE_INIT("data: ;charset=x,y"), RC_OK, "text/plain;charset=x", SLICE_INIT("y") },
	{ "a fragment", SLICE_INIT("data:,a#b"), RC_OK, "text/plain;charset=US-ASCII", SLICE_INIT("a") },
	{ "NUL", SLICE_INIT("data:,a\0b"), RC_OK, "text/plain;charset=US-ASCII", SLICE_INIT("a\0b") },
	{ "no UTF-8", SLICE_INIT("data:,\xff"), RC_OK, "text/plain;charset=US-ASCII", SLICE_INIT("\xef\xbf\xbd") },
	{ "no type at all", SLICE_INIT("data:nothing,x"), RC_OK, "text/plain;charset=US-ASCII", SLICE_INIT("x") },
	{ "no comma", SLICE_INIT("data:text/html"), RC_SYNTAX, NULL, SLICE_INIT("") },
	{ "a comma in the fragment", SLICE_INIT("data:text/html#,"), RC_SYNTAX, NULL, SLICE_INIT("") },
	{ "one letter of base64", SLICE_INIT("data:;base64,Y"), RC_SYNTAX, NULL, SLICE_INIT("") },
	{ "padding in the middle", SLICE_INIT("data:;base64,YQ==YQ=="), RC_SYNTAX, NULL, SLICE_INIT("") },
	{ "a letter that is none of base64", SLICE_INIT("data:;base64,YQ-_"), RC_SYNTAX, NULL, SLICE_INIT("") },
	{ "a host with a bad port", SLICE_INIT("data://a:b/,x"), RC_SYNTAX, NULL, SLICE_INIT("") },
	{ "another scheme", SLICE_INIT("date:,x"), RC_UNSUPPORTED, NULL, SLICE_INIT("") },
	{ "nothing", SLICE_INIT(""), RC_UNSUPPORTED, NULL, SLICE_INIT("") },
};
/* clang-format on */

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena    arena = arena_on(memory, sizeof memory);
		struct data_url found;
		const enum rc   rc = data_url_read(rows[i].text, &arena, &found);
		if (rc != rows[i].rc)
			fail_msg("%s: %d", rows[i].name, rc);
		if (rc != RC_OK)
			assert_int_equal(arena.used, 0);
		else if (!slice_eq(found.type, slice_str(rows[i].type)) || !slice_eq(found.bytes, rows[i].bytes))
			fail_msg("%s: %.*s", rows[i].name, (int)found.type.len, (const char *)found.type.ptr);
	}
}

static void lengths(void **state)
{
	static uint8_t text[DATA_TYPE_MAX + 1];
	struct slice   type;

	(void)state;
	memset(text, 'a', sizeof text);
	text[1] = '/';
	for (size_t size = DATA_TYPE_MAX - 1; size <= DATA_TYPE_MAX + 1; size++) {
		struct arena arena = arena_on(memory, sizeof memory);
		assert_int_equal(data_type_read(slice_of(text, size), &arena, &type), size > DATA_TYPE_MAX ? RC_LIMIT : RC_OK);
	}
	memcpy(text, "data:a/", 7);
	for (size_t size = DATA_HEAD_MAX - 1; size <= DATA_HEAD_MAX + 1; size++) {
		struct arena    arena = arena_on(memory, sizeof memory);
		struct data_url found;
		text[5 + size] = ',';
		assert_int_equal(data_url_read(slice_of(text, 6 + size), &arena, &found), size > DATA_HEAD_MAX ? RC_LIMIT : RC_OK);
		text[5 + size] = 'a';
	}
}

static void many_parameters(void **state)
{
	(void)state;
	for (size_t count = DATA_PARAMETERS_MAX - 1; count <= DATA_PARAMETERS_MAX + 1; count++) {
		struct arena arena = arena_on(memory, sizeof memory);
		uint8_t      text[512] = "a/b";
		struct slice type;
		for (size_t i = 0; i < count; i++) {
			text[3 + 5 * i] = ';';
			text[4 + 5 * i] = (uint8_t)('a' + i / 10);
			text[5 + 5 * i] = (uint8_t)('0' + i % 10);
			text[6 + 5 * i] = '=';
			text[7 + 5 * i] = 'x';
		}
		assert_int_equal(data_type_read(slice_of(text, 3 + 5 * count), &arena, &type), RC_OK);
		assert_int_equal(type.len, 3 + 5 * (count < DATA_PARAMETERS_MAX ? count : DATA_PARAMETERS_MAX));
	}
}

static void small_arenas(void **state)
{
	(void)state;
	for (size_t size = 1;; size += 5) {
		struct arena    arena = arena_on(memory, size);
		struct data_url found;
		const enum rc   rc = data_url_read(SLICE("data:text/html;charset=utf-8;base64,PGI+"), &arena, &found);
		if (rc == RC_OK)
			break;
		assert_int_equal(rc, RC_NOMEM);
		assert_true(size < 4096);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(each_row), cmocka_unit_test(lengths),
		                          cmocka_unit_test(many_parameters), cmocka_unit_test(small_arenas) };

	return cmocka_run_group_tests(all, NULL, NULL);
}
