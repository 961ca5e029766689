/* Colours, declarations, sheets and their bounds. What comes of them for text stands in read_test.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "html/colour.h"
#include "html/style.h"

#define NONE 0xdeadbeefu

struct colour_row {
	const char *text;
	uint32_t    css, legacy; /* NONE: it is no colour */
};

static const struct colour_row colours[] = {
	{ "red", 0xffff0000, 0xffff0000 },
	{ " ReD ", 0xffff0000, 0xffff0000 },
	{ "#f00", 0xffff0000, 0xffff0000 },
	{ "#f008", 0x88ff0000, 0xfff00800 },
	{ "#12345678", 0x78123456, 0xff124578 },
	{ "ff0000", NONE, 0xffff0000 },
	{ "transparent", 0, NONE },
	{ "rgb(1,2,3)", 0xff010203, 0xff001030 },
	{ "rgb(100% 0% 50% / 50%)", 0x7fff007f, 0 },
	{ "rgba(300,-5,0,2)", 0xffff0000, 0 },
	{ "hsl(120,100%,50%)", 0xff00ff00, 0 },
	{ "hsla(240deg 100% 25% / .5)", 0x7f00007f, 0 },
	{ "window", 0xffffffff, 0xffffffff },
	{ "yellowgreen", 0xff9acd32, 0xff9acd32 },
	{ "aliceblue", 0xfff0f8ff, 0xfff0f8ff },
	{ "chucknorris", NONE, 0xffc00000 },
	{ "sick", NONE, 0xff00c000 },
	{ "#", NONE, 0xff000000 },
	{ "#ggg", NONE, 0xff000000 },
	{ "rgb(1,2)", NONE, 0 },
	{ "rgb()", NONE, 0 },
	{ "", NONE, NONE },
};

static void test_colours(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
		const struct slice text = slice_str(colours[i].text);
		uint32_t           css = NONE, legacy = NONE;
		(void)html_colour_css(text, &css);
		(void)html_colour_legacy(text, &legacy);
		/* What the old rule makes of "rgb(" is of no interest but for one. */
		if (css != colours[i].css || (colours[i].legacy != 0 && legacy != colours[i].legacy))
			fail_msg("%s: %x, %x", colours[i].text, css, legacy);
	}
	assert_int_equal(html_colour_over(0x80ffffff, HTML_COLOUR_BLACK), 0xff808080);
	assert_int_equal(html_colour_distance(0xff102030, 0xff3020ff), 0xff - 0x30);
}

struct css_row {
	const char  *name;
	struct slice text;
	const char  *found; /* property=number/unit, "!" where important */
	const char  *urls;
};

#define ROW(name, text, found, urls) { name, SLICE_INIT(text), found, urls }

static const struct css_row css_rows[] = {
	ROW("one", "left:-5px", "14=-5000/1 ", ""),
	ROW("units", "left:1pt;left:1em;left:1%;left:1in;left:1", "14=1333/1 14=1000/2 14=1000/3 14=96000/1 14=1000/1 ", ""),
	ROW("important", "left:0 ! important;top:0!IMPORTANT", "14=0/1! 15=0/1! ", ""),
	ROW("another bang", "left:0!x", "", ""),
	ROW("comments", "/*a*/left/*b*/:/*c*/0/*d;top:0*/", "14=0/1 ", ""),
	ROW("escapes", "\\6c eft:0;l\\65 ft:0", "14=0/1 14=0/1 ", ""),
	ROW("blanks of every kind", "\f\t\nleft\f\n: \f0", "14=0/1 ", ""),
	ROW("quotes and brackets", "a:';left:0';b:(;left:0);top:0", "15=0/1 ", ""),
	ROW("an unclosed quote ends with its line", "a:'x\n;left:0", "14=0/1 ", ""),
	ROW("no colon, no name", "left;:0;;top:0", "15=0/1 ", ""),
	ROW("no such value", "left:abc;font-size:-1px;visibility", "", ""),
	ROW("addresses", "background:url( 'a;b' ) red;x:url(c)", "4=-65536/5 5=1/4 ", "a;b|c|"),
	ROW("an unclosed address", "background-image:url('x", "5=1/4 ", "x|"),
	ROW("margins", "margin:1px;margin:1px 2px;margin:1px 2px 3px 4px", "20=1000/1 19=1000/1 20=1000/1 19=2000/1 20=1000/1 19=4000/1 ", ""),
	ROW("font", "font:bold 0.5em/0 x", "6=500/2 7=0/2 ", ""),
	ROW("largest", "left:99999999999999px", "14=1000000000/1 ", ""),
};

struct css_taken {
	struct buf found, urls;
};

static void on_declaration(void *context, const struct html_declaration *declaration)
{
	struct css_taken *taken = context;

	buf_printf(&taken->found, "%u=%d/%u%s ", declaration->property, declaration->number, declaration->unit,
	           declaration->important ? "!" : "");
}

static void on_url(void *context, struct slice address)
{
	struct css_taken *taken = context;

	buf_put(&taken->urls, address);
	buf_put_byte(&taken->urls, '|');
}

static void test_css(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof css_rows / sizeof css_rows[0]; i++) {
		struct css_taken           taken = { .found = buf_make(4096), .urls = buf_make(4096) };
		const struct html_css_sink sink = { .context = &taken, .declaration = on_declaration, .url = on_url };
		uint64_t                   steps = 1000;
		html_css_read(css_rows[i].text, &sink, &steps);
		if (!slice_eq(buf_slice(&taken.found), slice_str(css_rows[i].found)) ||
		    !slice_eq(buf_slice(&taken.urls), slice_str(css_rows[i].urls)))
			fail_msg("%s: %.*s, %.*s", css_rows[i].name, (int)taken.found.len, (const char *)taken.found.ptr,
			         (int)taken.urls.len, (const char *)taken.urls.ptr);
		assert_true(steps < 1000);
		for (size_t cut = 0; cut < css_rows[i].text.len; cut++)
			html_css_read(slice_take(css_rows[i].text, cut), &sink, &steps);
		buf_done(&taken.found);
		buf_done(&taken.urls);
	}
}

static void test_value_max(void **state)
{
	(void)state;
	/* A word at the end of a long value is read as long as it fits. */
	for (size_t size = HTML_CSS_VALUE_MAX - 1; size <= HTML_CSS_VALUE_MAX + 1; size++) {
		struct css_taken           taken = { .found = buf_make(4096), .urls = buf_make(4096) };
		const struct html_css_sink sink = { .context = &taken, .declaration = on_declaration, .url = on_url };
		struct buf                 text = buf_make(1024);
		uint64_t                   steps = 10000;
		buf_put_str(&text, "background:");
		for (size_t i = 0; i + 4 < size; i++)
			buf_put_byte(&text, 'x');
		buf_put_str(&text, " red");
		html_css_read(buf_slice(&text), &sink, &steps);
		assert_int_equal(slice_starts(buf_slice(&taken.found), SLICE("4=-65536/5 ")), size <= HTML_CSS_VALUE_MAX);
		buf_done(&taken.found);
		buf_done(&taken.urls);
		buf_done(&text);
	}
}

static const struct html_css_sink nobody = { .context = NULL };

static void test_rules_max(void **state)
{
	struct arena arena;

	(void)state;
	assert_int_equal(arena_init(&arena, 4u << 20), RC_OK);
	for (size_t count = HTML_RULES_MAX - 1; count <= HTML_RULES_MAX + 1; count++) {
		struct html_sheet sheet;
		struct buf        text = buf_make(1u << 20);
		uint64_t          steps = 1u << 24;
		for (size_t i = 0; i < count; i++)
			buf_put_str(&text, "a{left:0}");
		arena_reset(&arena);
		html_sheet_init(&sheet, &arena, &nobody);
		html_sheet_add(&sheet, buf_slice(&text), &steps);
		assert_int_equal(sheet.count, count < HTML_RULES_MAX ? count : HTML_RULES_MAX);
		assert_int_equal(sheet.cut, count > HTML_RULES_MAX);
		buf_done(&text);
	}
	arena_done(&arena);
}

static void test_compounds_max(void **state)
{
	uint8_t memory[16384];

	(void)state;
	for (size_t count = HTML_COMPOUNDS_MAX - 1; count <= HTML_COMPOUNDS_MAX + 1; count++) {
		struct arena      arena = arena_on(memory, sizeof memory);
		struct html_sheet sheet;
		struct buf        text = buf_make(1024);
		uint64_t          steps = 10000;
		for (size_t i = 0; i < count; i++)
			buf_put_str(&text, "a ");
		buf_put_str(&text, "{left:0}");
		html_sheet_init(&sheet, &arena, &nobody);
		html_sheet_add(&sheet, buf_slice(&text), &steps);
		assert_int_equal(sheet.count, count <= HTML_COMPOUNDS_MAX);
		buf_done(&text);
	}
}

static void test_full(void **state)
{
	static uint8_t memory[2048];

	(void)state;
	for (size_t size = 0; size <= sizeof memory; size += 8) {
		struct arena      arena = arena_on(memory, size);
		struct html_sheet sheet;
		uint64_t          steps = 10000;
		html_sheet_init(&sheet, &arena, &nobody);
		html_sheet_add(&sheet, SLICE("a,b{left:0}@media x{c d{top:0}}"), &steps);
		assert_true(sheet.cut ? sheet.count < 3 : sheet.count == 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_colours),   cmocka_unit_test(test_css),           cmocka_unit_test(test_value_max),
		cmocka_unit_test(test_rules_max), cmocka_unit_test(test_compounds_max), cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
