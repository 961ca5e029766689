/* Sources: what their words and strings say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "document/vba_marks.h"
#include "harness/heard.h"

/* Lines that must be heard, one a line; a line that begins with "-" must not. */
#define ROW(name, bytes, wanted)                \
	{                                       \
		name, SLICE_INIT(bytes), wanted \
	}

/* clang-format off: a table */
static const struct heard_row rows[] = {
	ROW("opens by itself", "Sub AutoOpen()\nEnd Sub\n", "fact macro.autorun AutoOpen"),
	ROW("in any case", "private sub WORKBOOK_open()\n", "fact macro.autorun WORKBOOK_open"),
	ROW("only named", "Call AutoOpen\n' Sub AutoOpen()\n", "-fact macro.autorun"),
	ROW("starts a program", "x = Shell(\"calc\", 1)\n", "fact macro.execute Shell"),
	ROW("in a comment", "' Shell \"calc\"\nRem Shell\n", "-fact macro.execute"),
	ROW("an object", "Set o = CreateObject(\"WScript.Shell\")\n",
	    "fact macro.object CreateObject\nfact macro.execute WScript.Shell"),
	ROW("from the net", "CreateObject(\"MSXML2.XMLHTTP\").Open \"GET\", \"http://a.example/x\"\n",
	    "fact macro.network MSXML2.XMLHTTP\nlink 3 http://a.example/x"),
	ROW("a member behind a dot", "s.SaveToFile \"x\"\n", "fact macro.file SaveToFile"),
	ROW("a library",
	    "Private Declare PtrSafe Function f Lib \"urlmon\" Alias \"URLDownloadToFileA\" (ByVal a As Long) As Long\n",
	    "fact macro.native Private Declare\nfact macro.network urlmon\nfact macro.network URLDownloadToFileA"),
	ROW("joined", "x = \"pow\" & \"ersh\" + \"ell\"\n", "fact macro.execute powershell\ntext 3 powershell"),
	ROW("joined over lines", "x = \"pow\" & _\r\n  \"ershell\"\r\n", "fact macro.execute powershell"),
	ROW("joined in a variable", "x = \"pow\"\nx = x & \"er\"\nx = x & \"shell\"\n",
	    "fact macro.execute powershell"),
	ROW("another variable", "x = \"pow\"\ny = x & \"ershell\"\n", "-fact macro.execute"),
	ROW("characters",
	    "x = Chr(112) & Chr$(111) & ChrW(&H77) & Chr(100 + 1) & \"r\" & Chr(115 Xor 0) & Chr(208 - 104) & Chr(101) & \"ll\"\n",
	    "fact macro.execute powershell\nfact macro.obfuscation a string of Chr"),
	ROW("a line end is no hiding", "x = \"a\" & Chr(13) & Chr(10) & \"b\"\n", "-fact macro.obfuscation"),
	ROW("backwards", "x = StrReverse(\"llehsrewop\")\n",
	    "fact macro.obfuscation StrReverse\nfact macro.execute powershell"),
	ROW("an address backwards", "x = \"exe.a/elpmaxe.a//:ptth\"\n", "link 3 http://a.example/a.exe"),
	ROW("hexadecimal", "x = \"706f7765727368656c6c20687474703a2f2f612e6578616d706c65\"\n",
	    "fact macro.obfuscation a string in hexadecimal\nfact macro.execute powershell\nlink 3 http://a.example"),
	ROW("base64", "x = \"cG93ZXJzaGVsbCBodHRwOi8vYS5leGFtcGxl\"\n",
	    "fact macro.obfuscation a string in base64\nfact macro.execute powershell"),
	ROW("what PowerShell takes", "x = \"x -e cABvAHcAZQByAHMAaABlAGwAbAAgAGkAZQB4AA==\"\n",
	    "fact macro.execute powershell"),
	ROW("a program in base64", "x = \"TVqQAAMAAAAEAAAA\"\n", "member 0 decoded|MZ\\x90"),
	ROW("a list of numbers", "x = Array(104,116,116,112,58,47,47,97,46,98)\n",
	    "fact macro.obfuscation a list\nlink 3 http://a.b"),
	ROW("a list of other numbers", "x = Array(1,2,3,4,5,6,7,8,9)\n", "-fact macro.obfuscation"),
	ROW("a long word is no coding", "x = \"ThisIsAVeryLongIdentifierName\"\n", "-fact macro.obfuscation"),
	ROW("a share", "x = \"\\\\\\\\host\\\\share\\\\a.dll\"\n", "-link 3 x"),
	ROW("quotes in a string", "x = \"say \"\"powershell\"\" now\"\n", "fact macro.execute powershell"),
	ROW("no end of a string", "x = \"powershell\ny = 1\n", "fact macro.execute powershell"),
	ROW("told once", "Shell 1\nShell 2\n", "fact macro.execute Shell"),
	ROW("nothing to say", "Sub Total()\nx = 1 + 2\nMsgBox \"Hello, world\"\nEnd Sub\n", "-fact"),
};
/* clang-format on */

static enum rc read_row(struct slice bytes, struct budget *budget, struct heard *heard)
{
	const struct content_sink sink = heard_sink(heard);

	return vba_marks(bytes, budget, &sink);
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

static void test_missing(void **state)
{
	(void)state;
	assert_true(
		slice_eq(vba_marks_missing(SLICE("\1\2AutoOpen\0xx\5Shell"), SLICE("Sub AutoOpen()")), SLICE("shell")));
	assert_int_equal(vba_marks_missing(SLICE("\1\2AutoOpen\0"), SLICE("Sub autoopen()")).len, 0);
	assert_int_equal(vba_marks_missing(SLICE("CommandButton1_Click"), SLICE("")).len, 0);
}

/* The table is sorted: each of these is found wherever it stands in it. */
static void test_table(void **state)
{
	static const char *const words[] = {
		"accessvbom",   "autoopen",      "document_open", "workbook_open",
		"createobject", "wscript.shell", "xmlhttp",       "zwallocatevirtualmemory"
	};

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf                source = buf_make(256);
		buf_printf(&source, "Sub %s()\n\"%s\"\n", words[i], words[i]);
		assert_int_equal(vba_marks(buf_slice(&source), &budget, &sink), RC_OK);
		if (!heard_line(&heard, "fact macro."))
			fail_msg("%s is not found", words[i]);
		buf_done(&source);
		heard_done(&heard);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rows_broken),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
