/* Tests of signature rules: what matches and what is told of it, refused sets with their place, bounds, the canary. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "signature/yara.h"

struct heard {
	struct buf text; /* "source:rule tags severity;" each */
	size_t     calls;
};

static void hear(void *context, const struct yara_match *match)
{
	struct heard *heard = context;

	heard->calls++;
	buf_put(&heard->text, match->source);
	buf_put_byte(&heard->text, ':');
	buf_put(&heard->text, match->rule);
	buf_put_byte(&heard->text, ' ');
	buf_put(&heard->text, match->tags);
	buf_put_byte(&heard->text, ' ');
	buf_put_i64(&heard->text, match->severity);
	buf_put_byte(&heard->text, ';');
}

static struct yara_scanner *scanner_of(const struct yara_source *sources, size_t count, struct yara_rules **rules)
{
	struct yara_scanner *scanner = NULL;
	struct yara_error    error;

	assert_int_equal(yara_rules_make(sources, count, &error, rules), RC_OK);
	assert_int_equal(yara_scanner_make(*rules, &scanner), RC_OK);
	assert_true(yara_scanner_check(scanner));
	return scanner;
}

static void matches_are_told_with_what_they_carry(void **state)
{
	static const struct yara_source sources[] = {
		{ SLICE_INIT("one.yar"), SLICE_INIT("rule Plain { strings: $a = \"needle\" condition: $a }\n"
			                            "private rule Quiet { strings: $a = \"needle\" condition: $a }\n"
			                            "rule Tagged : bank phish { meta: severity = 90 strings: $a = \"thread\" condition: $a and Quiet }") },
		{ SLICE_INIT("two.yar"), SLICE_INIT("rule Plain { meta: severity = 101 strings: $a = /n[aeiou]{2}dle/ nocase condition: #a > 1 }\n"
			                            "rule Name { meta: severity = \"high\" condition: filename == \"a.exe\" }") },
	};
	static const struct {
		const char *name, *bytes, *heard;
	} rows[] = {
		{ "x", "", "" },
		{ "x", "a needle", "one.yar:Plain  50;" },
		{ "x", "thread only", "" },
		{ "x", "needle and thread", "one.yar:Plain  50;one.yar:Tagged bank phish 90;" },
		{ "x", "NEEDLE and neadle", "two.yar:Plain  50;" },
		{ "a.exe", "", "two.yar:Name  50;" },
		{ "hangu", "hangu:canary:7f1c9b52", "" }, /* ours is not told */
	};
	struct yara_rules   *rules = NULL;
	struct yara_scanner *scanner = scanner_of(sources, 2, &rules);

	(void)state;
	assert_int_equal(yara_rules_count(rules), 5);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct heard heard = { .text = buf_make(1000) };
		size_t       count = 99;

		assert_int_equal(yara_scan(scanner, slice_str(rows[i].name), slice_str(rows[i].bytes), hear, &heard, &count), RC_OK);
		if (!slice_eq(buf_slice(&heard.text), slice_str(rows[i].heard)) || count != heard.calls)
			fail_msg("\"%s\": %.*s", rows[i].bytes, (int)heard.text.len, (char *)heard.text.ptr);
		buf_done(&heard.text);
	}
	yara_scanner_drop(&scanner);
	yara_rules_drop(&rules);
}

static void a_set_that_is_not_right_is_refused_with_the_place(void **state)
{
	static const struct {
		struct slice name, text;
		enum rc      rc;
		uint32_t     line;
	} rows[] = {
		{ SLICE_INIT("a"), SLICE_INIT("rule x {\n condition: }"), RC_SYNTAX, 2 },
		{ SLICE_INIT("a"), SLICE_INIT("\n\nrule x { strings: $a = \"a\" condition: $b }"), RC_SYNTAX, 3 },
		{ SLICE_INIT("a"), SLICE_INIT("rule x { condition: true }\nrule x { condition: true }"), RC_SYNTAX, 2 },
		{ SLICE_INIT("a"), SLICE_INIT("include \"/etc/passwd\"\n"), RC_SYNTAX, 1 },
		{ SLICE_INIT("a"), SLICE_INIT("import \"nothing_like_it\"\nrule x { condition: true }"), RC_SYNTAX, 1 },
		{ SLICE_INIT("a"), SLICE_INIT("rule x { condition: true }\0 }"), RC_SYNTAX, 0 },
		{ SLICE_INIT("a\0b"), SLICE_INIT("rule x { condition: true }"), RC_SYNTAX, 0 },
		{ SLICE_INIT(""), SLICE_INIT("rule x { condition: true }"), RC_LIMIT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct yara_source sources[] = { { SLICE("good"), SLICE("rule y { condition: true }") }, { rows[i].name, rows[i].text } };
		struct yara_rules       *rules = NULL;
		struct yara_error        error;
		const enum rc            rc = yara_rules_make(sources, 2, &error, &rules);

		if (rc != rows[i].rc || error.line != rows[i].line || error.text[0] == '\0' || rules != NULL)
			fail_msg("row %zu: %s, line %u, %s", i, rc_word(rc), error.line, error.text);
		if (error.line != 0)
			assert_string_equal(error.source, "a");
	}
}

static void names_have_a_bound(void **state)
{
	static uint8_t name[YARA_NAME_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof name);
	for (size_t size = YARA_NAME_MAX - 1; size <= YARA_NAME_MAX + 1; size++) {
		const struct yara_source source = { { name, size }, SLICE("rule y { condition: true }") };
		struct yara_rules       *rules = NULL;
		struct yara_error        error;

		assert_int_equal(yara_rules_make(&source, 1, &error, &rules), size <= YARA_NAME_MAX ? RC_OK : RC_LIMIT);
		yara_rules_drop(&rules);
	}
}

static void so_many_matches_are_told_and_all_are_counted(void **state)
{
	(void)state;
	for (unsigned rules_made = YARA_MATCHES_MAX - 1; rules_made <= YARA_MATCHES_MAX + 1; rules_made++) {
		struct buf           text = buf_make(1u << 20);
		struct heard         heard = { .text = buf_make(1u << 20) };
		struct yara_rules   *rules = NULL;
		struct yara_scanner *scanner;
		size_t               count = 0;

		for (unsigned i = 0; i < rules_made; i++)
			buf_printf(&text, "rule r%u { condition: true }\n", i);

		const struct yara_source source = { SLICE("many"), buf_slice(&text) };

		scanner = scanner_of(&source, 1, &rules);
		assert_int_equal(yara_scan(scanner, SLICE(""), SLICE("x"), hear, &heard, &count), RC_OK);
		assert_int_equal(count, rules_made);
		assert_int_equal(heard.calls, rules_made < YARA_MATCHES_MAX ? rules_made : YARA_MATCHES_MAX);
		yara_scanner_drop(&scanner);
		yara_rules_drop(&rules);
		buf_done(&text);
		buf_done(&heard.text);
	}
}

static void no_rules_are_a_set_too(void **state)
{
	struct yara_rules   *rules = NULL;
	struct yara_scanner *scanner = scanner_of(NULL, 0, &rules);
	size_t               count = 99;

	(void)state;
	assert_int_equal(yara_rules_count(rules), 0);
	assert_int_equal(yara_scan(scanner, SLICE(""), SLICE("x"), NULL, NULL, &count), RC_OK);
	assert_int_equal(count, 0);
	yara_scanner_drop(&scanner);
	yara_rules_drop(&rules);
	assert_true(strlen(yara_version()) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_are_told_with_what_they_carry),
		cmocka_unit_test(a_set_that_is_not_right_is_refused_with_the_place),
		cmocka_unit_test(names_have_a_bound),
		cmocka_unit_test(so_many_matches_are_told_and_all_are_counted),
		cmocka_unit_test(no_rules_are_a_set_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
