/* Formulas of Excel 4: each token of each form, and what stands where no token should. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "document/xlm.h"
#include "document/xlm_sylk.h"
#include "harness/heard.h"

struct row {
	const char   *name;
	enum xlm_form form;
	struct slice  tokens;
	const char   *text;
};

#define ROW(name, form, tokens, text)                \
	{                                            \
		name, form, SLICE_INIT(tokens), text \
	}

/* clang-format off: a table */
static const struct row rows[] = {
	ROW("a string", XLM_EXCEL97, "\x17\3\0abc", "\"abc\""),
	ROW("a wide string", XLM_EXCEL97, "\x17\1\1\x2d\x4e", "\"\xe4\xb8\xad\""),
	ROW("a string of Excel 5", XLM_EXCEL5, "\x17\3abc", "\"abc\""),
	ROW("a string of Excel 2007", XLM_EXCEL2007, "\x17\2\0a\0b\0", "\"ab\""),
	ROW("a quote in a string", XLM_EXCEL97, "\x17\3\0a\"b", "\"a\"\"b\""),
	ROW("a call", XLM_EXCEL97, "\x17\1\0a\x41\x6e\0", "EXEC(\"a\")"),
	ROW("a call with its count", XLM_EXCEL97, "\x17\1\0a\x17\1\0b\x1e\5\0\x42\3\x96\0", "CALL(\"a\",\"b\",5)"),
	ROW("a call of nothing", XLM_EXCEL97, "\x42\0\x36\0", "HALT()"),
	ROW("a command", XLM_EXCEL97, "\x17\1\0a\x42\1\x76\x80", "ALERT(\"a\")"),
	ROW("a function nobody knows", XLM_EXCEL97, "\x42\0\x34\x12", "F1234()"),
	ROW("characters joined", XLM_EXCEL97, "\x1e\x41\0\x41\x6f\0\x1e\x42\0\x41\x6f\0\x08", "CHAR(65)&CHAR(66)"),
	ROW("numbers", XLM_EXCEL97, "\x1e\5\0\x1e\7\0\x03\x1d\1\x0b", "5+7=TRUE"),
	ROW("a double", XLM_EXCEL97, "\x1f\0\0\0\0\0\0\x45\x40", "42"),
	ROW("a large double", XLM_EXCEL97, "\x1f\0\0\0\0\0\0\x30\x43", "4503599627370496"),
	ROW("a fraction", XLM_EXCEL97, "\x1f\0\0\0\0\0\0\xe0\x3f", "0.5"),
	ROW("a negative number", XLM_EXCEL97, "\x1e\5\0\x13", "-5"),
	ROW("a reference", XLM_EXCEL97, "\x44\0\0\2\xc0", "R1C3"),
	ROW("a reference of Excel 5", XLM_EXCEL5, "\x44\1\xc0\2", "R2C3"),
	ROW("a reference of Excel 2007", XLM_EXCEL2007, "\x44\1\0\1\0\2\xc0", "R65538C3"),
	ROW("an area", XLM_EXCEL97, "\x25\0\0\1\0\0\0\1\0", "AREA0"),
	ROW("an argument that is missing", XLM_EXCEL97, "\x16\x17\1\0a\x42\2\x96\0", "CALL(,\"a\")"),
	ROW("a sum by attribute", XLM_EXCEL97, "\x1e\1\0\x19\x10\0\0", "SUM(1)"),
	ROW("an attribute with a table", XLM_EXCEL97, "\x19\4\1\0\0\0\0\0\x1e\1\0", "1"),
	ROW("nothing", XLM_EXCEL97, "", ""),
	ROW("a token nobody knows", XLM_EXCEL97, "\x1e\1\0\x7f\x1e\2\0", "1"),
	ROW("an operator without operands", XLM_EXCEL97, "\x03\x1e\1\0", ""),
	ROW("more arguments than operands", XLM_EXCEL97, "\x1e\1\0\x42\x1e\x96\0", "CALL(1)"),
	ROW("a string that is cut", XLM_EXCEL97, "\x17\x0a\0ab", "\"ab\""),
};
/* clang-format on */

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf    text = buf_make(65536);
		assert_int_equal(xlm_formula(rows[i].tokens, rows[i].form, &budget, &text), RC_OK);
		if (!slice_eq(buf_slice(&text), slice_str(rows[i].text)))
			fail_msg("%s: %.*s", rows[i].name, (int)text.len, (const char *)text.ptr);
		for (size_t cut = 0; cut < rows[i].tokens.len; cut++)
			for (unsigned form = XLM_EXCEL5; form <= XLM_EXCEL2007; form++)
				assert_int_equal(xlm_formula(slice_take(rows[i].tokens, cut), (enum xlm_form)form,
				                             &budget, &text),
				                 RC_OK);
		buf_done(&text);
	}
}

/* XLM_DEPTH_MAX operands that wait: one less, as many, one more; what is too much ends the formula. */
static void test_depth_max(void **state)
{
	(void)state;
	for (size_t depth = XLM_DEPTH_MAX - 1; depth <= XLM_DEPTH_MAX + 1; depth++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf    tokens = buf_make(65536), text = buf_make(65536);
		for (size_t i = 0; i < depth; i++)
			buf_put(&tokens, SLICE("\x1e\1\0"));
		assert_int_equal(xlm_formula(buf_slice(&tokens), XLM_EXCEL97, &budget, &text), RC_OK);
		assert_int_equal(text.len, depth < XLM_DEPTH_MAX ? depth : XLM_DEPTH_MAX);
		buf_done(&tokens);
		buf_done(&text);
	}
}

/* XLM_FORMULA_MAX: a string's text with its quotes of one byte less, as many, one more: that one is left out. */
static void test_formula_max(void **state)
{
	(void)state;
	for (size_t size = XLM_FORMULA_MAX - 1; size <= XLM_FORMULA_MAX + 1; size++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf    tokens = buf_make(65536), text = buf_make(65536);
		const size_t  count = size - 2;
		buf_put_byte(&tokens, 0x17);
		buf_put_byte(&tokens, (uint8_t)count);
		buf_put_byte(&tokens, (uint8_t)(count >> 8));
		for (size_t i = 0; i < count; i++)
			buf_put(&tokens, SLICE("a\0"));
		assert_int_equal(xlm_formula(buf_slice(&tokens), XLM_EXCEL2007, &budget, &text), RC_OK);
		assert_int_equal(text.len, size <= XLM_FORMULA_MAX ? size : XLM_FORMULA_MAX);
		buf_done(&tokens);
		buf_done(&text);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_true(xlm_name_runs(SLICE("Auto_Open")));
	assert_true(xlm_name_runs(SLICE("AUTO_OPEN42")));
	assert_true(xlm_name_runs(SLICE("_xlnm.Auto_Close")));
	assert_false(xlm_name_runs(SLICE("Open")));
	assert_false(xlm_name_runs(SLICE("")));
}

static void test_sylk(void **state)
{
	struct heard              heard = heard_make();
	const struct content_sink sink = heard_sink(&heard);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);

	(void)state;
	assert_int_equal(
		xlm_sylk_open(
			SLICE("ID;P\r\nO;E\r\nNN;NAuto_open;ER1C1\r\nC;Y1;X1;K\"shown\";EEXEC(\"a;;b\")\r\nE\r\n"),
			&budget, &sink),
		RC_OK);
	assert_true(heard_line(&heard, "fact macro.xlm SYLK"));
	assert_true(heard_line(&heard, "fact macro.autorun Auto_open"));
	assert_true(heard_line(&heard, "fact macro.execute EXEC"));
	assert_true(heard_line(&heard, "text 0 \\x22shown\\x22"));
	assert_true(heard_line(&heard, "member 64 macrosheet|=R1C1\\x0a=EXEC(\\x22a;b\\x22)"));
	buf_clear(&heard.lines);
	assert_int_equal(xlm_sylk_open(SLICE("C;EEXEC(1)"), &budget, &sink), RC_SYNTAX);
	assert_int_equal(xlm_sylk_open(SLICE("ID;P\nC;EEXEC(1)\n"), &budget, &sink), RC_OK);
	assert_int_equal(heard.lines.len, 0);
	heard_done(&heard);
}

static void test_table(void **state)
{
	static const struct {
		struct slice text;
		bool         dde;
	} tables[] = {
		{ SLICE_INIT("a,b\n=cmd|'/c calc'!A0,1\n"), true }, { SLICE_INIT("a;\"=cmd|' /c calc'!A0\"\n"), true },
		{ SLICE_INIT("x\t@SUM(cmd|'/c x'!A0)\n"), true },   { SLICE_INIT("a,=1+2\n"), false },
		{ SLICE_INIT("a cmd|'/c calc'!A0\n"), false },      { SLICE_INIT(""), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		assert_int_equal(xlm_table_open(tables[i].text, &budget, &sink), RC_OK);
		if (heard_line(&heard, "fact office.dde") != tables[i].dde)
			fail_msg("%.*s", (int)tables[i].text.len, (const char *)tables[i].text.ptr);
		heard_done(&heard);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_depth_max), cmocka_unit_test(test_formula_max),
		cmocka_unit_test(test_names), cmocka_unit_test(test_sylk),      cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
