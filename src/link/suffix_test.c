/* Registrable domains by the built-in list and by one handed over; lists that are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "link/ready.h"
#include "link/suffix.h"

struct row {
	const char *host;
	const char *suffix;
	const char *registrable;
	bool        listed;
	bool        private_part;
};

static const struct row rows[] = {
	{ "example.com", "com", "example.com", true, false },
	{ "www.example.com", "com", "example.com", true, false },
	{ "WWW.Example.COM", "COM", "Example.COM", true, false },
	{ "www.example.com.", "com", "example.com", true, false },
	{ "a.b.example.co.uk", "co.uk", "example.co.uk", true, false },
	{ "www.example.com.cn", "com.cn", "example.com.cn", true, false },
	{ "co.uk", "co.uk", "", true, false },
	{ "com", "com", "", true, false },
	{ "someone.github.io", "github.io", "someone.github.io", true, true },
	{ "a.b.kawasaki.jp", "b.kawasaki.jp", "a.b.kawasaki.jp", true, false },
	{ "city.kawasaki.jp", "kawasaki.jp", "city.kawasaki.jp", true, false },
	{ "x.xn--fiqs8s", "xn--fiqs8s", "x.xn--fiqs8s", true, false },
	{ "www.example.za", "za", "example.za", true, false },
	{ "a.b.unlisted", "unlisted", "b.unlisted", false, false },
	{ "localhost", "localhost", "", false, false },
	{ "", "", "", false, false },
	{ ".", "", "", false, false },
	{ "192.0.2.1", "", "", false, false },
	{ "[::1]", "", "", false, false },
};

static void built_in(void **state)
{
	struct suffix_list *list = NULL;

	(void)state;
	assert_int_equal(link_ready((struct slice){ NULL, 0 }, &list), RC_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct suffix found;
		suffix_find(list, slice_str(rows[i].host), &found);
		if (!slice_eq(found.suffix, slice_str(rows[i].suffix)) || !slice_eq(found.registrable, slice_str(rows[i].registrable)) ||
		    found.listed != rows[i].listed || found.private_part != rows[i].private_part)
			fail_msg("%s: %.*s %.*s %d %d", rows[i].host, (int)found.suffix.len, (const char *)found.suffix.ptr,
			         (int)found.registrable.len, (const char *)found.registrable.ptr, found.listed, found.private_part);
	}
	assert_true(suffix_is_top(list, SLICE("com")) && suffix_is_top(list, SLICE("Cn")) && suffix_is_top(list, SLICE("za")));
	assert_true(suffix_is_top(list, SLICE("xn--p1ai")));
	assert_false(suffix_is_top(list, SLICE("unlisted")) || suffix_is_top(list, SLICE("")) || suffix_is_top(list, SLICE("co.uk")));
	suffix_close(&list);
	suffix_close(&list);
}

static void longest_host(void **state)
{
	static uint8_t      host[SUFFIX_HOST_MAX + 1];
	struct suffix_list *list = NULL;

	(void)state;
	assert_int_equal(suffix_open((struct slice){ NULL, 0 }, &list), RC_OK);
	memset(host, 'a', sizeof host);
	for (size_t size = SUFFIX_HOST_MAX - 1; size <= SUFFIX_HOST_MAX + 1; size++) {
		struct suffix found;
		memset(host, 'a', sizeof host);
		memcpy(host + size - 4, ".com", 4);
		suffix_find(list, slice_of(host, size), &found);
		assert_int_equal(found.registrable.len, size > SUFFIX_HOST_MAX ? 0 : size);
	}
	suffix_close(&list);
}

static void from_memory(void **state)
{
	struct suffix_list *list = NULL;
	struct suffix       found;

	(void)state;
	assert_int_equal(suffix_open(SLICE("com\nuk\nco.uk\nbrandnew\n"), &list), RC_OK);
	suffix_find(list, SLICE("a.b.brandnew"), &found);
	assert_true(found.listed && slice_eq(found.registrable, SLICE("b.brandnew")));
	suffix_close(&list);
	assert_int_equal(suffix_open(SLICE("nothing here\n"), &list), RC_SYNTAX);
	assert_int_equal(suffix_open(SLICE("com\nuk\n"), &list), RC_SYNTAX);
	assert_int_equal(suffix_open(SLICE("com\nco.uk\n*.com\n"), &list), RC_SYNTAX);
	assert_null(list);
}

static void too_long(void **state)
{
	uint8_t            *text = memory_take(1, SUFFIX_LIST_BYTES_MAX + 1);
	struct suffix_list *list = NULL;
	const char          start[] = "com\nuk\nco.uk\n";

	(void)state;
	memset(text, '\n', SUFFIX_LIST_BYTES_MAX + 1);
	memcpy(text, start, sizeof start - 1);
	assert_int_equal(suffix_open(slice_of(text, SUFFIX_LIST_BYTES_MAX + 1), &list), RC_LIMIT);
	assert_int_equal(suffix_open(slice_of(text, SUFFIX_LIST_BYTES_MAX), &list), RC_OK);
	suffix_close(&list);
	assert_int_equal(suffix_open(slice_of(text, SUFFIX_LIST_BYTES_MAX - 1), &list), RC_OK);
	suffix_close(&list);
	memory_give(text);
}

static void without_memory(void **state)
{
	struct suffix_list *list = NULL;

	(void)state;
	for (long count = 0; count < 2; count++) {
		memory_fail_after(count);
		assert_int_equal(suffix_open(SLICE("com\nuk\nco.uk\n"), &list), RC_NOMEM);
		assert_null(list);
	}
	memory_fail_after(-1);
	assert_int_equal(suffix_open(SLICE("com\nuk\nco.uk\n"), &list), RC_OK);
	suffix_close(&list);
}

int main(void)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(built_in), cmocka_unit_test(longest_host), cmocka_unit_test(from_memory),
		                          cmocka_unit_test(too_long), cmocka_unit_test(without_memory) };

	return cmocka_run_group_tests(all, NULL, NULL);
}
