/* RTF: what Word finds in it, however it is written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "document/rtf.h"
#include "harness/heard.h"

/* Lines that must be heard, one a line; a line that begins with "-" must not. */
#define ROW(name, bytes, wanted)                \
	{                                       \
		name, SLICE_INIT(bytes), wanted \
	}

/* clang-format off: a table */
static const struct heard_row rows[] = {
	ROW("text", "{\\rtf1 Hello\\par World}", "text 0 Hello\\x0aWorld"),
	ROW("a short head", "{\\rt Hello}", "text 0 Hello"),
	ROW("unicode and its stand-in", "{\\rtf1 a\\u8364?b\\'e9}", "text 0 a\\xe2\\x82\\xacb\\xc3\\xa9"),
	ROW("two stand-ins", "{\\rtf1\\uc2 a\\u20013??b}", "text 0 a\\xe4\\xb8\\xadb"),
	ROW("hidden text", "{\\rtf1 a{\\v b}c}", "text 0 a\ntext 1 b\ntext 0 c"),
	ROW("fonts are no text", "{\\rtf1{\\fonttbl{\\f0 Arial;}}x}", "text 0 x\n-text 0 Arial"),
	ROW("unknown destination is no text", "{\\rtf1{\\*\\zzz secret}x}", "text 0 x\n-text 0 secret"),
	ROW("the title", "{\\rtf1{\\info{\\title Bill}}x}", "text 2 Bill"),
	ROW("a link", "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"http://a.example/\"}{\\fldrslt here}}}",
	    "link 0 http://a.example/|here"),
	ROW("a link without quotes", "{\\rtf1{\\field{\\*\\fldinst{HYPERLINK http://a.example/ }}{\\fldrslt{here}}}}",
	    "link 0 http://a.example/|here"),
	ROW("a picture from elsewhere",
	    "{\\rtf1{\\field{\\*\\fldinst INCLUDEPICTURE \"http://a.example/p.png\" \\\\d}}}",
	    "fact office.external http://a.example/p.png\nlink 4 http://a.example/p.png"),
	ROW("DDE", "{\\rtf1{\\field{\\*\\fldinst DDEAUTO c:\\\\\\\\cmd.exe \"/k calc\"}}}", "fact office.dde DDEAUTO"),
	ROW("a template", "{\\rtf1{\\*\\template http://a.example/t.dotm}x}",
	    "fact office.template http://a.example/t.dotm\nlink 4 http://a.example/t.dotm"),
	ROW("a template on a share", "{\\rtf1{\\*\\template \\\\\\\\a\\\\t.dot}x}", "fact office.template"),
	ROW("a template of one's own", "{\\rtf1{\\*\\template Normal.dotm}x}", "-fact office.template"),
	ROW("an object",
	    "{\\rtf1{\\object\\objemb{\\*\\objdata 0105000002000000040000004162630000000000000000000300000078797a}}}",
	    "fact office.object Abc\nmember 0 |xyz"),
	ROW("blanks among the digits",
	    "{\\rtf1{\\object{\\*\\objdata 01 05 0000\r\n02000000\t04000000 41626300 00000000 00000000 03000000 78797a}}}",
	    "member 0 |xyz\n-fact office.obfuscated"),
	ROW("groups among the digits",
	    "{\\rtf1{\\object{\\*\\objdata 0105{\\*\\zz 99}0000020000000400000041626300{\\par}00000000000000000300000078797a}}}",
	    "member 0 |xyz\nfact office.obfuscated"),
	ROW("other characters among the digits",
	    "{\\rtf1{\\object{\\*\\objdata 0105ZZ00000200000004000000;41626300000000000000000003000000!78797a}}}",
	    "member 0 |xyz\nfact office.obfuscated"),
	ROW("binary among the digits",
	    "{\\rtf1{\\object{\\*\\objdata 01050000020000000400000041626300000000000000000003000000\\bin3 xyz}}}",
	    "member 0 |xyz"),
	ROW("a quoted byte drops half a byte",
	    "{\\rtf1{\\object{\\*\\objdata 01050000020000000400000041626300000000000000000003000000 7\\'4178797a}}}",
	    "member 0 |xyz\nfact office.obfuscated"),
	ROW("no end", "{\\rtf1{\\object{\\*\\objdata 0105000002000000040000004162630000000000000000000300000078797a",
	    "member 0 |xyz"),
	ROW("the Equation Editor", "{\\rtf1{\\object{\\*\\objclass Equation.3}{\\*\\objdata 0105}}}",
	    "fact office.equation Equation.3"),
	ROW("updates itself", "{\\rtf1{\\object\\objautlink\\objupdate{\\*\\objdata 00}}}", "fact office.auto_object"),
	ROW("a control", "{\\rtf1{\\object\\objocx{\\*\\objdata 00}}}", "fact office.activex"),
	ROW("a linked object",
	    "{\\rtf1{\\object{\\*\\objdata 0105000001000000020000004100060000005c5c615c62000000000000}}}",
	    "fact office.external \\x5c\\x5ca\\x5cb\nlink 4 \\x5c\\x5ca\\x5cb"),
	ROW("a compound file without its header", "{\\rtf1{\\object{\\*\\objdata ffffffffffd0cf11e0a1b11ae10011}}}",
	    "fact office.obfuscated\nmember 0 |\\xd0\\xcf\\x11\\xe0"),
	ROW("a picture", "{\\rtf1{\\pict\\pngblip 89504e47}}", "member 0 |\\x89PNG"),
	ROW("closing too often", "{\\rtf1 a}}}}}b", "text 0 ab"),
	ROW("a shape's address", "{\\rtf1{\\*\\hl{\\hlfr x}{\\hlsrc http://a.example/}}}", "link 0 http://a.example/|"),
};
/* clang-format on */

static enum rc read_row(struct slice bytes, struct budget *budget, struct heard *heard)
{
	const struct content_sink sink = heard_sink(heard);

	return rtf_open(bytes, budget, &sink) == RC_SYNTAX ? RC_OK : rtf_open(bytes, budget, &sink);
}

static void test_rows(void **state)
{
	(void)state;
	heard_rows(rows, sizeof rows / sizeof rows[0], read_row);
}

static void test_rows_broken(void **state)
{
	(void)state;
	heard_rows_broken(rows, sizeof rows / sizeof rows[0], read_row);
}

static void test_not_rtf(void **state)
{
	struct heard              heard = heard_make();
	const struct content_sink sink = heard_sink(&heard);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);

	(void)state;
	assert_int_equal(rtf_open(SLICE(""), &budget, &sink), RC_SYNTAX);
	assert_int_equal(rtf_open(SLICE("rtf1"), &budget, &sink), RC_SYNTAX);
	assert_true(rtf_is(SLICE(" \r\n{\\RTF1")));
	assert_int_equal(heard.lines.len, 0);
	heard_done(&heard);
}

/* RTF_DEPTH_MAX: one group less, as many, one more; text behind them is there in each case. */
static void test_depth_max(void **state)
{
	(void)state;
	for (size_t depth = RTF_DEPTH_MAX - 1; depth <= RTF_DEPTH_MAX + 1; depth++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf                file = buf_make(65536);
		buf_put_str(&file, "{\\rtf1 ");
		for (size_t i = 0; i < depth; i++)
			buf_put_str(&file, "{");
		buf_put_str(&file, "in");
		for (size_t i = 0; i < depth; i++)
			buf_put_str(&file, "}");
		buf_put_str(&file, "out}");
		assert_int_equal(rtf_open(buf_slice(&file), &budget, &sink), RC_OK);
		assert_true(heard_line(&heard, "text 0 inout"));
		buf_done(&file);
		heard_done(&heard);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rows_broken),
		cmocka_unit_test(test_not_rtf),
		cmocka_unit_test(test_depth_max),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
