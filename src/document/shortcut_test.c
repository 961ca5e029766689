/* Shortcuts: each part of a .lnk, arguments that hide, and the kinds in text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "document/shortcut.h"
#include "harness/told.h"

struct row {
	const char  *name;
	struct slice bytes;
	enum rc      rc;
	const char  *told;
};

#define ROW(name, bytes, rc, told) { name, SLICE_INIT(bytes), rc, told }

/* clang-format off: a table */
#define LNK(flags) "\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46" flags "\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
static const struct row rows[] = {
	ROW("nothing in it", LNK("\0") "\0\0\0\0", RC_OK, ""),
	ROW("a relative path", LNK("\x08") "\x05\0a.exe" "\0\0\0\0", RC_OK,
	    "fact shortcut.target|[script]text target: |[script]text a.exe|[script]text \n|"),
	ROW("arguments", LNK("\x20") "\x02\0/c", RC_OK, "[script]text arguments: |[script]text /c|[script]text \n|"),
	ROW("an address in the arguments", LNK("\xa0") "\x0a\0h\0t\0t\0p\0:\0/\0/\0a\0 \0b\0", RC_OK,
	    "[script]text arguments: |[script]text http://a b|[script]text \n|[script]link http://a|"),
	ROW("15 blanks", LNK("\x20") "\x11\0a               b", RC_OK,
	    "[script]text arguments: |[script]text a               b|[script]text \n|"),
	ROW("16 blanks", LNK("\x20") "\x12\0a                b", RC_OK,
	    "fact shortcut.arguments_hidden|[script]text arguments: |[script]text a                b|[script]text \n|"),
	ROW("an icon on a server", LNK("\x40") "\x05\0\\\\h\\i", RC_OK,
	    "fact shortcut.icon|[script]text icon: |[script]text \\\\h\\i|[script]text \n|fact shortcut.remote|[reference]link \\\\h\\i|"),
	ROW("a list of items", LNK("\x01") "\x17\0" "\x07\0\x2f" "C:\\\0" "\x0e\0\x32\0\0\0\0\0\0\0\0\0\0\0" "\0\0" "\0\0\0\0", RC_OK,
	    "fact shortcut.target|[script]text target: |[script]text C:\\|[script]text \n|"),
	ROW("data behind its end", LNK("\0") "\0\0\0\0MZ!!!", RC_OK, "fact shortcut.trailing|[128]member   MZ!!!|"),
	ROW("cut in its strings", LNK("\x20") "\x09\0/c", RC_OK,
	    "[script]text arguments: |[script]text /c|[script]text \n|fact content.damaged|"),
	ROW("an address", "[InternetShortcut]\r\nURL=http://a.test/\r\nIconFile=\\\\h\\x\r\n", RC_OK,
	    "link http://a.test/|fact shortcut.icon|[script]text icon: |[script]text \\\\h\\x|[script]text \n|fact shortcut.remote|[reference]link \\\\h\\x|"),
	ROW("a file on a server", "[InternetShortcut]\nURL=file://h/x.exe", RC_OK, "link file://h/x.exe|fact shortcut.remote|"),
	ROW("a desktop entry", "[Desktop Entry]\nExec=sh -c x\n", RC_OK,
	    "fact shortcut.target|[script]text target: |[script]text sh -c x|[script]text \n|"),
	ROW("a property list", "<plist><dict><key>URL</key>\n<string>http://a/</string>", RC_OK, "link http://a/|"),
	ROW("neither", "hello", RC_SYNTAX, ""),
};
/* clang-format on */

static enum rc open_it(struct slice bytes, struct budget *budget)
{
	told_begin();
	return shortcut_lnk_is(bytes) ? shortcut_lnk_open(bytes, budget, &told_sink) : shortcut_text_open(bytes, budget, &told_sink);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const enum rc rc = open_it(rows[i].bytes, &budget);
		if (rc != rows[i].rc || !slice_eq(buf_slice(&told), slice_str(rows[i].told)))
			fail_msg("%s: %s, %.*s", rows[i].name, rc_word(rc), (int)told.len, (const char *)told.ptr);
		for (size_t cut = 0; cut < rows[i].bytes.len; cut++) {
			uint8_t *exact = malloc(cut + 1);
			memcpy(exact, rows[i].bytes.ptr, cut);
			assert_in_range(open_it(slice_of(exact, cut), &budget), RC_OK, RC_LIMIT);
			free(exact);
		}
		budget.left[BUDGET_STEPS] = 0;
		assert_int_equal(open_it(rows[i].bytes, &budget), rc == RC_OK && rows[i].bytes.len != 0 ? RC_LIMIT : rc);
	}
}

/* One character below, at and above what Windows shows. */
static void test_arguments(void **state)
{
	(void)state;
	for (size_t size = SHORTCUT_ARGUMENTS_SHOWN - 1; size <= SHORTCUT_ARGUMENTS_SHOWN + 1; size++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf    bytes = buf_make(4096);
		buf_put(&bytes, SLICE(LNK("\x20")));
		buf_put_byte(&bytes, (uint8_t)size);
		buf_put_byte(&bytes, (uint8_t)(size >> 8));
		for (size_t i = 0; i < size; i++)
			buf_put_byte(&bytes, 'a');
		assert_int_equal(open_it(buf_slice(&bytes), &budget), RC_OK);
		assert_int_equal(slice_starts(buf_slice(&told), SLICE("fact shortcut.arguments_hidden")), size > SHORTCUT_ARGUMENTS_SHOWN);
		buf_done(&bytes);
	}
}

static int end(void **state)
{
	(void)state;
	buf_done(&told);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_arguments) };
	return cmocka_run_group_tests(tests, NULL, end);
}
