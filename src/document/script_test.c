/* Scripts: kinds by name and content, encoded ones, words and addresses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "document/script.h"
#include "harness/told.h"
#include "document/script_encoded.h"

struct row {
	const char  *name;
	struct slice bytes;
	enum rc      rc;
	const char  *told;
};

#define ROW(name, bytes, rc, told) { name, SLICE_INIT(bytes), rc, told }

/* clang-format off: a table */
static const struct row rows[] = {
	ROW("plain words", "hello", RC_OK, "fact script.kind|"),
	ROW("a shell", "x = CreateObject(\"wscript.shell\")", RC_OK, "fact script.kind|fact script.suspicious|"),
	ROW("an address", "f('http://a.test/x');", RC_OK, "fact script.kind|[script]link http://a.test/x|"),
	ROW("UTF-16", "\xff\xfe" "e\0v\0a\0l\0(\0", RC_OK, "fact script.kind|[64]member   eval(|fact script.suspicious|"),
	ROW("encoded", "#@~^DgAAAA==\\ko$K6,JC\x7fV^GJqAQAAA==^#~@", RC_OK, "fact script.kind|fact script.encoded|[64]member   MsgBox \"Hello\"|"),
	ROW("encoded, with escapes", "#@~^JgAAAA==@#@&IdcZ^W/\x7f`*@#@&5AgAAA==^#~@!", RC_OK,
	    "fact script.kind|fact script.encoded|[64]member   \r\nRs.Close()\r\n!|"),
	ROW("broken into letters", "p^o^w^e^r^s^h^e^l^l^ ^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a^a", RC_OK,
	    "fact script.kind|fact script.obfuscated|"),
};
/* clang-format on */

static enum rc open_it(struct slice bytes, struct budget *budget)
{
	told_begin();
	return script_open(SCRIPT_VBSCRIPT, bytes, budget, &told_sink);
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

static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(script_kind_of(SLICE("a.JS"), SLICE("")), SCRIPT_JSCRIPT);
	assert_int_equal(script_kind_of(SLICE("a.pdf.vbs . "), SLICE("")), SCRIPT_VBSCRIPT);
	assert_int_equal(script_kind_of(SLICE("a"), SLICE("#!/usr/bin/python")), SCRIPT_PYTHON);
	assert_int_equal(script_kind_of(SLICE("a"), SLICE("#!/bin/sh")), SCRIPT_SHELL);
	assert_int_equal(script_kind_of(SLICE("a.htm"), SLICE("<html><HTA:APPLICATION>")), SCRIPT_HTA);
	assert_int_equal(script_kind_of(SLICE("js"), SLICE("x")), SCRIPT_NONE);
	assert_int_equal(script_kind_of(SLICE(""), SLICE("")), SCRIPT_NONE);
}

static int end(void **state)
{
	(void)state;
	buf_done(&told);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_kinds) };
	return cmocka_run_group_tests(tests, NULL, end);
}
