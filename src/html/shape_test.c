/* Scripts, cells and fingerprints: what is said of a page without showing it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "html/cells.h"
#include "html/fingerprint.h"
#include "html/names.h"
#include "html/script.h"

#define D HTML_SCRIPT_DECODES
#define E HTML_SCRIPT_EVALUATES
#define M HTML_SCRIPT_MEMORY
#define S HTML_SCRIPT_SAVES
#define G HTML_SCRIPT_SMUGGLES
#define N HTML_SCRIPT_NAVIGATES
#define X HTML_SCRIPT_SENDS

static const struct {
	const char *name, *source;
	uint32_t    signs;
} scripts[] = {
	{ "nothing", "var a = 1; b(a);", 0 },
	{ "atob", "atob(x)", D },
	{ "as a text", "window['at'+'ob'](x);window[\"atob\"](x)", D },
	{ "part of a word", "myatob(x); atobx; xeval", 0 },
	{ "eval of codes", "eval(String.fromCharCode(1,2))", D | E },
	{ "a blob that is saved", "u=URL.createObjectURL(new Blob([x]))", M | S | G },
	{ "for the old reader", "navigator.msSaveOrOpenBlob(x)", M | S | G },
	{ "a saved link alone", "a.download = 'x'", S },
	{ "leads away", "window.location='x'", N },
	{ "sends", "fetch('x');new XMLHttpRequest", X },
	{ "in a text", "a('eval is no call')", 0 },
	{ "an escaped quote", "a('\\'');eval(x)", E },
	{ "an unclosed text ends with its line", "a('x\neval(y)", E },
};

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
		struct html_script_signs found = { .signs = 0 };
		const struct slice       source = slice_str(scripts[i].source);
		html_script_read(source, &found);
		if (found.signs != scripts[i].signs)
			fail_msg("%s: %x", scripts[i].name, found.signs);
		for (size_t cut = 0; cut < source.len; cut++)
			html_script_read(slice_take(source, cut), &found);
	}
}

static void test_literal(void **state)
{
	(void)state;
	for (size_t size = HTML_LITERAL_MIN - 1; size <= HTML_LITERAL_MIN + 1; size++) {
		struct html_script_signs found = { .signs = 0 };
		struct buf               source = buf_make(4096);
		buf_put_str(&source, "x='");
		for (size_t i = 0; i < size; i++)
			buf_put_byte(&source, 'A');
		buf_put_str(&source, "';");
		html_script_read(buf_slice(&source), &found);
		assert_int_equal(found.literal.len, size < HTML_LITERAL_MIN ? 0 : size);
		buf_done(&source);
	}
}

static void test_cells_bounds(void **state)
{
	static struct html_cells cells;

	(void)state;
	html_cells_init(&cells);
	html_cells_put(&cells, 0, true); /* in no row */
	assert_int_equal(cells.width, 0);
	for (unsigned y = 0; y < HTML_CELLS_MAX; y++)
		assert_true(html_cells_row(&cells));
	assert_false(html_cells_row(&cells));
	html_cells_put(&cells, HTML_CELLS_MAX - 1, true);
	assert_int_equal(cells.width, HTML_CELLS_MAX);
	html_cells_put(&cells, HTML_CELLS_MAX, true);
	assert_int_equal(cells.width, HTML_CELLS_MAX);
}

static void test_cells_text(void **state)
{
	static struct html_cells cells;
	struct buf               text = buf_make(1u << 16);

	(void)state;
	buf_put_str(&text, "Hello\n##\nworld\n");
	for (unsigned y = 0; y < 5; y++)
		buf_put_str(&text, "> \xe2\x96\x84\xe2\x96\x80\xe2\x96\x88 \xe2\x96\x84\xe2\x96\x80\xe2\x96\x88 \xe2\x96\x84\n");
	buf_put_str(&text, "Bye\n");
	assert_true(html_cells_text(buf_slice(&text), &cells));
	assert_int_equal(cells.width, 10);
	assert_int_equal(cells.height, 10);
	assert_int_equal(cells.bits[0], 0x33); /* " .##..##" of the upper halves, behind the quote's blank */
	assert_int_equal(cells.bits[HTML_CELLS_STRIDE], 0x55);
	buf_clear(&text);
	buf_put_str(&text, "# a heading\n# another\n## and so on, which is no picture\n");
	assert_false(html_cells_text(buf_slice(&text), &cells));
	buf_done(&text);
}

static void shape(const char *names, struct slice classes, struct html_fingerprint *out)
{
	struct slice rest = slice_str(names);

	html_fingerprint_init(out);
	while (rest.len != 0)
		html_fingerprint_add(out, html_name_hash(slice_until(&rest, ' ')), classes);
}

static void test_fingerprint(void **state)
{
	static const char       page[] = "table tr td p a img br p b td p table tr td a p i td p br br a img hr div div p a span b";
	struct html_fingerprint one, two;
	struct buf              long_page = buf_make(4096);

	(void)state;
	shape(page, SLICE("btn-1"), &one);
	shape(page, SLICE("btn-23456"), &two);
	assert_true(one.exact == two.exact);
	assert_int_equal(html_fingerprint_similar(&one, &two), 1000);
	shape(page, SLICE("btn"), &two);
	assert_true(one.exact != two.exact);
	buf_put_str(&long_page, page);
	buf_put_str(&long_page, " p p");
	buf_put_byte(&long_page, 0);
	shape((const char *)long_page.ptr, SLICE("btn-1"), &two);
	assert_true(one.exact != two.exact);
	assert_true(html_fingerprint_similar(&one, &two) > 700);
	shape("p p p p i i i i b b", SLICE(""), &two);
	assert_true(html_fingerprint_similar(&one, &two) < 100);
	shape("p p p p", SLICE(""), &two); /* shorter than a shingle */
	assert_int_equal(html_fingerprint_similar(&two, &two), 0);
	buf_done(&long_page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),    cmocka_unit_test(test_literal),     cmocka_unit_test(test_cells_bounds),
		cmocka_unit_test(test_cells_text), cmocka_unit_test(test_fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
