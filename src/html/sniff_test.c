/* Which encoding a page says it is in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "html/sniff.h"

struct row {
	const char  *name;
	struct slice page;
	const char  *label;
};

#define ROW(name, page, label) { name, SLICE_INIT(page), label }

static const struct row rows[] = {
	ROW("meta charset", "<meta charset=gbk>", "gbk"),
	ROW("in quotes, with blanks", "<META  CharSet = ' Big5 ' />", "Big5"),
	ROW("content-type", "<meta http-equiv=content-type content='text/html; charset=koi8-r'>", "koi8-r"),
	ROW("in the other order", "<meta content='text/html; charset=\"koi8-r\"' http-equiv=Content-Type>", "koi8-r"),
	ROW("the byte order mark is stronger", "\xef\xbb\xbf<meta charset=gbk>", "utf-8"),
	ROW("UTF-16 disproves itself", "<meta charset=utf-16le>", "utf-8"),
	ROW("marks of UTF-16", "\xff\xfe<", "utf-16le"),
	ROW("behind other tags", "<html a='<meta charset=x>'></p><meta charset=gbk>", "gbk"),
	ROW("refused, then another", "<meta charset=bogus><meta charset=gbk>", "gbk"),
	ROW("in a comment", "<!--<meta charset=gbk>-->", ""),
	ROW("behind the shortest comment", "<!--><meta charset=gbk>", "gbk"),
	ROW("content without http-equiv", "<meta content='text/html; charset=gbk'>", ""),
	ROW("a longer name", "<metacharset=gbk>", ""),
	ROW("unclosed", "<meta charset=gbk", ""),
	ROW("unclosed quote", "<meta charset='gbk>", ""),
	ROW("nothing", "", ""),
};

static bool is_label(struct slice label)
{
	return !slice_eq(label, SLICE("bogus"));
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct slice label = html_sniff(rows[i].page, HTML_SNIFF_BYTES, is_label);
		if (!slice_eq(label, slice_str(rows[i].label)))
			fail_msg("%s: %.*s", rows[i].name, (int)label.len, (const char *)label.ptr);
		for (size_t cut = 0; cut < rows[i].page.len; cut++)
			(void)html_sniff(slice_take(rows[i].page, cut), HTML_SNIFF_BYTES, NULL);
	}
}

static void test_limit(void **state)
{
	uint8_t page[HTML_SNIFF_BYTES + 1];

	(void)state;
	for (size_t size = HTML_SNIFF_BYTES - 1; size <= HTML_SNIFF_BYTES + 1; size++) {
		memset(page, ' ', sizeof page);
		memcpy(&page[size - 18], "<meta charset=gbk>", 18);
		const struct slice label = html_sniff(slice_of(page, size), HTML_SNIFF_BYTES, NULL);
		assert_int_equal(label.len, size <= HTML_SNIFF_BYTES ? 3 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_limit) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
