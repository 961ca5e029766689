/* Names and labels: the tables are sorted and whole, extensions are found as Windows finds them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "content/kind.h"

#define RUNS    KIND_NAME_RUNS
#define BLOCKED KIND_NAME_BLOCKED

static const struct {
	struct slice name;
	enum kind    kind;
	unsigned     runs;
} names[] = {
	{ SLICE_INIT("a.zip"), KIND_ZIP, 0 },
	{ SLICE_INIT("A.ZIP"), KIND_ZIP, 0 },
	{ SLICE_INIT("a.tar.gz"), KIND_GZIP, 0 },
	{ SLICE_INIT("a.exe"), KIND_PE, RUNS | BLOCKED },
	{ SLICE_INIT("a.exe. . "), KIND_PE, RUNS | BLOCKED }, /* Windows drops dots and blanks */
	{ SLICE_INIT("a.pdf.js"), KIND_JS, RUNS | BLOCKED },
	{ SLICE_INIT("a.settingcontent-ms"), KIND_XML, RUNS | BLOCKED },
	{ SLICE_INIT("a.settingcontent-msx"), KIND_UNKNOWN, 0 },
	{ SLICE_INIT("a.docm"), KIND_DOCX, KIND_NAME_MACRO },
	{ SLICE_INIT("a.zst"), KIND_ZSTD, 0 },
	{ SLICE_INIT("a.001"), KIND_UNKNOWN, 0 },
	{ SLICE_INIT("a.7z"), KIND_SEVENZIP, 0 },
	{ SLICE_INIT("exe"), KIND_UNKNOWN, 0 },
	{ SLICE_INIT("a."), KIND_UNKNOWN, 0 },
	{ SLICE_INIT(""), KIND_UNKNOWN, 0 },
	{ SLICE_INIT("..."), KIND_UNKNOWN, 0 },
	{ SLICE_INIT("a.e\0xe"), KIND_UNKNOWN, 0 },
};

static void names_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		unsigned runs = 99;
		assert_int_equal(kind_of_name(names[i].name, &runs), names[i].kind);
		assert_int_equal(runs, names[i].runs);
		assert_int_equal(kind_of_name(names[i].name, NULL), names[i].kind);
	}
}

static void labels_are_known(void **state)
{
	(void)state;
	assert_int_equal(kind_of_label(SLICE("Application/ZIP")), KIND_ZIP);
	assert_int_equal(kind_of_label(SLICE("application/x-msdownload")), KIND_PE);
	assert_int_equal(kind_of_label(SLICE("application/octet-stream")), KIND_UNKNOWN);
	assert_int_equal(kind_of_label(SLICE("application/nothing")), KIND_UNKNOWN);
	assert_int_equal(kind_of_label(SLICE("")), KIND_UNKNOWN);
}

static void every_kind_has_its_own_words(void **state)
{
	(void)state;
	for (int a = 0; a < KINDS; a++) {
		assert_true(kind_class((enum kind)a) < KIND_CLASSES);
		for (int b = 0; b < a; b++) {
			assert_string_not_equal(kind_word((enum kind)a), kind_word((enum kind)b));
			assert_string_not_equal(kind_media((enum kind)a), kind_media((enum kind)b));
		}
		if (a >= KIND_TEXT)
			assert_int_equal(kind_of_label(slice_str(kind_media((enum kind)a))), a);
	}
	for (int class = 0; class < KIND_CLASSES; class++)
		assert_non_null(kind_class_word((enum kind_class)class));
}

/* All that Outlook blocks (its level 1), from Microsoft's page: if the table were out of order, some would not be found. */
static void outlooks_list_is_blocked(void **state)
{
	static const char *const list[] = {
		"ade", "adp", "app", "application", "appref-ms", "asp", "aspx", "asx", "bas", "bat", "bgi", "cab", "cer", "chm", "cmd",
		"cnt", "com", "cpl", "crt", "csh", "der", "diagcab", "exe", "fxp", "gadget", "grp", "hlp", "hpj", "hta", "htc", "inf",
		"ins", "isp", "its", "jar", "jnlp", "js", "jse", "ksh", "lnk", "mad", "maf", "mag", "mam", "maq", "mar", "mas", "mat",
		"mau", "mav", "maw", "mcf", "mda", "mdb", "mde", "mdt", "mdw", "mdz", "msc", "msh", "msh1", "msh2", "mshxml", "msh1xml",
		"msh2xml", "msi", "msp", "mst", "msu", "ops", "osd", "pcd", "pif", "pl", "plg", "prf", "prg", "printerexport", "ps1",
		"ps1xml", "ps2", "ps2xml", "psc1", "psc2", "psd1", "psdm1", "pst", "py", "pyc", "pyo", "pyw", "pyz", "pyzw", "reg",
		"scf", "scr", "sct", "shb", "shs", "theme", "tmp", "url", "vb", "vbe", "vbp", "vbs", "vhd", "vhdx", "vsmacros", "vsw",
		"webpnp", "website", "ws", "wsc", "wsf", "wsh", "xbap", "xll", "xnk",
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		unsigned runs = 0;
		(void)kind_of_extension(slice_str(list[i]), &runs);
		if (!(runs & BLOCKED))
			fail_msg("%s is not blocked", list[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_known),
		cmocka_unit_test(labels_are_known),
		cmocka_unit_test(every_kind_has_its_own_words),
		cmocka_unit_test(outlooks_list_is_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
