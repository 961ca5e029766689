/* Tests of words and expressions: what is found and what is not, errors with their place, bounds, many at once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/memory.h"
#include "signature/words.h"

struct heard {
	uint64_t ids; /* a bit each */
	unsigned calls, stop_after;
};

static bool hear(void *context, uint32_t id, uint64_t end)
{
	struct heard *heard = context;

	assert_true(end != 0);
	heard->ids |= UINT64_C(1) << id;
	return ++heard->calls != heard->stop_after;
}

static const struct word few[] = {
	{ SLICE_INIT("invoice"), 0, 0 },
	{ SLICE_INIT("Urgent"), WORD_ANY_CASE, 1 },
	{ SLICE_INIT("a.c"), 0, 2 }, /* the dot is a dot */
	{ SLICE_INIT("pass(word|phrase)s?"), WORD_EXPRESSION | WORD_ANY_CASE, 3 },
	{ SLICE_INIT("\xe9\x93\xb6\xe8\xa1\x8c"), 0, 4 }, /* a bank */
	{ SLICE_INIT("^\\d{16}$"), WORD_EXPRESSION, 5 },
	{ SLICE_INIT("stra\xc3\x9f" "e"), WORD_EXPRESSION | WORD_ANY_CASE, 6 },
};

static void what_stands_there_is_found_once(void **state)
{
	static const struct {
		const char *text;
		uint64_t    ids;
	} rows[] = {
		{ "", 0 },
		{ "an invoice and an invoice", 1 },
		{ "an Invoice", 0 },
		{ "URGENT", 2 },
		{ "abc", 0 },
		{ "a.c", 4 },
		{ "your PassPhrases", 8 },
		{ "\xe4\xb8\xad\xe5\x9b\xbd\xe9\x93\xb6\xe8\xa1\x8c", 16 },
		{ "1234567890123456", 32 },
		{ "12345678901234567", 0 },
		{ "STRA\xc3\x9f" "E", 64 },
		{ "hangu:canary:7f1c9b52", 0 }, /* ours is not told */
		{ "invoice urgent a.c password", 15 },
	};
	struct words         *words = NULL;
	struct words_scratch *scratch = NULL;
	struct words_error    error;

	(void)state;
	assert_int_equal(words_make(few, sizeof few / sizeof few[0], &error, &words), RC_OK);
	assert_int_equal(words_scratch_make(words, &scratch), RC_OK);
	assert_true(words_check(words, scratch));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct heard heard = { 0 };

		assert_int_equal(words_find(words, scratch, slice_str(rows[i].text), hear, &heard), RC_OK);
		if (heard.ids != rows[i].ids || heard.calls != (unsigned)__builtin_popcountll(rows[i].ids))
			fail_msg("%s: %llx in %u calls", rows[i].text, (unsigned long long)heard.ids, heard.calls);
	}

	struct heard two = { .stop_after = 2 };

	assert_int_equal(words_find(words, scratch, SLICE("invoice urgent a.c password"), hear, &two), RC_OK);
	assert_int_equal(two.calls, 2);
	words_scratch_drop(&scratch);
	words_drop(&words);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct word bad_expression[] = { { SLICE_INIT("fine"), 0, 1 }, { SLICE_INIT("(unclosed"), WORD_EXPRESSION, 2 } };
	static const struct word empty_match[] = { { SLICE_INIT("x*"), WORD_EXPRESSION, 1 } };
	static const struct word look_around[] = { { SLICE_INIT("a(?=b)"), WORD_EXPRESSION, 1 } };
	static const struct word empty[] = { { SLICE_INIT("a"), 0, 1 }, { SLICE_INIT(""), 0, 2 } };
	static const struct word nul[] = { { SLICE_INIT("a\0b"), 0, 1 } };
	static const struct {
		const struct word *items;
		size_t             count, index;
		enum rc            rc;
	} rows[] = {
		{ bad_expression, 2, 1, RC_SYNTAX }, { empty_match, 1, 0, RC_SYNTAX }, { look_around, 1, 0, RC_SYNTAX },
		{ empty, 2, 1, RC_LIMIT },           { nul, 1, 0, RC_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct words      *words = NULL;
		struct words_error error;

		assert_int_equal(words_make(rows[i].items, rows[i].count, &error, &words), rows[i].rc);
		assert_int_equal(error.index, rows[i].index);
		assert_true(error.text[0] != '\0');
		assert_null(words);
	}
}

static void a_word_is_as_long_as_it_may_be(void **state)
{
	static uint8_t bytes[WORDS_PATTERN_MAX + 1];

	(void)state;
	memset(bytes, 'w', sizeof bytes);
	for (size_t size = WORDS_PATTERN_MAX - 1; size <= WORDS_PATTERN_MAX + 1; size++) {
		const struct word     word = { { bytes, size }, 0, 0 };
		struct words         *words = NULL;
		struct words_scratch *scratch = NULL;
		struct words_error    error;
		struct heard          heard = { 0 };

		assert_int_equal(words_make(&word, 1, &error, &words), size <= WORDS_PATTERN_MAX ? RC_OK : RC_LIMIT);
		if (words == NULL)
			continue;
		assert_int_equal(words_scratch_make(words, &scratch), RC_OK);
		assert_int_equal(words_find(words, scratch, slice_of(bytes, size - 1), hear, &heard), RC_OK);
		assert_int_equal(heard.calls, 0);
		assert_int_equal(words_find(words, scratch, slice_of(bytes, size), hear, &heard), RC_OK);
		assert_int_equal(heard.calls, 1);
		words_scratch_drop(&scratch);
		words_drop(&words);
	}
}

static void no_words_are_a_set_too(void **state)
{
	struct words         *words = NULL;
	struct words_scratch *scratch = NULL;
	struct words_error    error;
	struct heard          heard = { 0 };

	(void)state;
	assert_int_equal(words_make(NULL, 0, &error, &words), RC_OK);
	assert_int_equal(words_scratch_make(words, &scratch), RC_OK);
	assert_true(words_check(words, scratch));
	assert_int_equal(words_find(words, scratch, SLICE("anything"), hear, &heard), RC_OK);
	assert_int_equal(heard.calls, 0);
	words_scratch_drop(&scratch);
	words_drop(&words);
	assert_true(strlen(words_version()) != 0);
}

static bool count_one(void *context, uint32_t id, uint64_t end)
{
	size_t *count = context;

	(void)id;
	(void)end;
	(*count)++;
	return true;
}

static void thousands_are_found_at_once(void **state)
{
	enum { MANY = 10000 };
	struct word          *items = memory_take(MANY, sizeof *items);
	struct buf            text = buf_make(1u << 20);
	struct words         *words = NULL;
	struct words_scratch *scratch = NULL;
	struct words_error    error;
	size_t                count = 0;

	(void)state;
	assert_non_null(items);
	for (unsigned i = 0; i < MANY; i++)
		buf_printf(&text, "[word%05u]", i);
	for (unsigned i = 0; i < MANY; i++)
		items[i] = (struct word){ slice_cut(buf_slice(&text), (size_t)i * 11 + 1, 9), 0, i };
	assert_int_equal(words_make(items, MANY, &error, &words), RC_OK);
	assert_int_equal(words_scratch_make(words, &scratch), RC_OK);
	assert_int_equal(words_find(words, scratch, buf_slice(&text), count_one, &count), RC_OK);
	assert_int_equal(count, MANY);
	words_scratch_drop(&scratch);
	words_drop(&words);
	memory_give(items);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_there_is_found_once),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_word_is_as_long_as_it_may_be),
		cmocka_unit_test(no_words_are_a_set_too),
		cmocka_unit_test(thousands_are_found_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
