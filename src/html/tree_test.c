/* Who is inside of whom: tags in, the stack out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "html/tree.h"

static struct html_tree      tree;
static struct html_tokenizer tokenizer;

static void on_closed(void *context, const struct html_open *item)
{
	unsigned *count = context;

	(void)item;
	++*count;
}

/* All tags of a page; the names of what is open at its end. */
static void feed(struct slice page, struct buf *out)
{
	static uint8_t    memory[1024];
	struct arena      arena = arena_on(memory, sizeof memory);
	struct html_token token;
	struct html_open  item;
	unsigned          closed = 0;

	html_tree_init(&tree, on_closed, &closed);
	html_tokenizer_init(&tokenizer, page, &arena);
	while (html_tokenizer_next(&tokenizer, &token) == RC_OK) {
		if (token.kind == HTML_TOKEN_END) {
			html_tree_end(&tree, &token);
		} else if (token.kind == HTML_TOKEN_TEXT) {
			html_tree_text(&tree);
			(void)html_tree_reopen(&tree);
		} else if (token.kind == HTML_TOKEN_START && html_tree_before(&tree, &token)) {
			html_tree_item(&tree, &token, &item);
			html_tree_look(&tree, &item);
			if ((html_element_flags(token.element) & HTML_VOID) == 0)
				html_tree_push(&tree, &item);
		}
		assert_true(tree.depth <= HTML_DEPTH_MAX && tree.formatting_count <= HTML_FORMATTING_MAX);
	}
	for (size_t i = 0; i < tree.depth && out != NULL; i++) {
		assert_true(tree.items[i].parent < i || tree.items[i].parent == HTML_DEPTH_MAX);
		buf_put(out, html_element_text(tree.items[i].element));
		buf_put_byte(out, ' ');
	}
	const size_t depth = tree.depth;
	closed = 0;
	html_tree_close(&tree);
	assert_int_equal(closed, depth);
}

struct row {
	const char  *name;
	struct slice page;
	const char  *open;
};

#define ROW(name, page, open) { name, SLICE_INIT(page), open }

static const struct row rows[] = {
	ROW("in each other", "<div><p><b>", "div p b "),
	ROW("p ends p", "<p><p>", "p "),
	ROW("a block ends p, also around a span", "<p><span><div>", "div "),
	ROW("a button keeps p", "<p><button><div>", "p button div "),
	ROW("li ends li", "<ul><li><b><li>", "ul li "),
	ROW("but not that of another list", "<ul><li><ul><li>", "ul li ul li "),
	ROW("dt and dd", "<dl><dt><dd>", "dl dd "),
	ROW("option", "<select><option><option>", "select option "),
	ROW("headings", "<h1><h2>", "h2 "),
	ROW("rows and cells", "<table><tr><td><tr><td><td>", "table tr td "),
	ROW("a table in a cell", "<table><tr><td><table><tr><td>", "table tr td table tr td "),
	ROW("its end", "<table><tr><td><table><tr><td></table>", "table tr td "),
	ROW("a table right in a table", "<table><tr><table>", "table "),
	ROW("no cell without a table", "<td><tr>x", ""),
	ROW("a cell's tags do not end what is around", "<div><table><td></div></p>", "div table td "),
	ROW("inline ends stop at blocks", "<span><div></span>", "span div "),
	ROW("block ends do not", "<div><span></div>", ""),
	ROW("misnested formatting", "<b><p></b>x", "p "),
	ROW("opened again", "<p><b></p>x", "b "),
	ROW("not opened again behind a cell", "<table><td><b><td>x", "table td "),
	ROW("a in a", "<a><b><a>", "a "),
	ROW("form in form", "<form><form>", "form "),
	ROW("head ends with text", "<html><head><title></title>x", "html "),
	ROW("svg", "<svg><path><g></svg>", ""),
	ROW("html ends svg", "<svg><desc></desc><g><p>", "p "),
	ROW("html in svg", "<svg><foreignObject><p>", "svg foreignobject p "),
	ROW("</p> ends svg", "<svg><g></p>", ""),
	ROW("nothing ends nothing", "</b></p></table></x></body>", ""),
	ROW("unknown elements", "<x><y></x>", ""),
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf open = buf_make(4096);
		feed(rows[i].page, &open);
		/* Names that are none of ours come out as nothing. */
		struct buf names = buf_make(4096);
		for (size_t at = 0; at < open.len; at++) {
			if (open.ptr[at] != ' ' || (at != 0 && open.ptr[at - 1] != ' '))
				buf_put_byte(&names, open.ptr[at]);
		}
		if (!slice_eq(buf_slice(&names), slice_str(rows[i].open)))
			fail_msg("%s: %.*s", rows[i].name, (int)names.len, (const char *)names.ptr);
		buf_done(&open);
		buf_done(&names);
	}
}

static void test_depth(void **state)
{
	(void)state;
	for (size_t depth = HTML_DEPTH_MAX - 1; depth <= HTML_DEPTH_MAX + 1; depth++) {
		struct buf page = buf_make(1u << 16), open = buf_make(1u << 16);
		for (size_t i = 0; i < depth; i++)
			buf_put_str(&page, "<div>");
		feed(buf_slice(&page), &open);
		assert_int_equal(open.len, 4 * (depth < HTML_DEPTH_MAX ? depth : HTML_DEPTH_MAX));
		buf_done(&page);
		buf_done(&open);
	}
}

static void test_formatting(void **state)
{
	(void)state;
	/* Of so many open formatting elements that a block cuts short, the last HTML_FORMATTING_MAX are opened again. */
	for (size_t count = HTML_FORMATTING_MAX - 1; count <= HTML_FORMATTING_MAX + 1; count++) {
		struct buf page = buf_make(1u << 16), open = buf_make(1u << 16);
		buf_put_str(&page, "<div>");
		for (size_t i = 0; i < count; i++)
			buf_put_str(&page, "<i>");
		buf_put_str(&page, "</div>x");
		feed(buf_slice(&page), &open);
		assert_int_equal(open.len, 2 * (count < HTML_FORMATTING_MAX ? count : HTML_FORMATTING_MAX));
		buf_done(&page);
		buf_done(&open);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_depth), cmocka_unit_test(test_formatting) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
