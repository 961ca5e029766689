/* Tests of the sink: what is left out is not called, what stops stops, bounds of evidence and items; the table's words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "content/sink.h"

struct heard {
	size_t  members, texts, links;
	size_t  evidence;
	enum rc answer;
};

static enum rc on_member(void *context, const struct content_member *member)
{
	struct heard *heard = context;

	heard->members += member->bytes.len;
	return heard->answer;
}

static enum rc on_text(void *context, enum content_place place, struct slice text)
{
	struct heard *heard = context;

	assert_int_equal(place, CONTENT_PLACE_BODY);
	heard->texts += text.len;
	return heard->answer;
}

static enum rc on_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	struct heard *heard = context;

	assert_int_equal(place, CONTENT_PLACE_CODE);
	heard->links += address.len + shown.len;
	return heard->answer;
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	struct heard *heard = context;

	assert_int_equal(fact, CONTENT_FACT_BOMB);
	heard->evidence = evidence.len;
	return heard->answer;
}

static void all_of_it_is_heard(void **state)
{
	static const uint8_t        long_one[CONTENT_EVIDENCE_MAX + 1];
	struct heard                heard = { 0 };
	const struct content_sink   sink = { &heard, on_member, on_text, on_link, on_fact };
	const struct content_member member = { .bytes = SLICE("12345") };
	struct budget               budget = { .left = { [BUDGET_ITEMS] = 2 } };

	(void)state;
	assert_int_equal(sink_member(&sink, &budget, &member), RC_OK);
	assert_int_equal(sink_member(&sink, &budget, &member), RC_OK);
	assert_int_equal(sink_member(&sink, &budget, &member), RC_LIMIT);
	assert_int_equal(heard.members, 10);
	assert_true(budget.cut[BUDGET_ITEMS]);
	assert_int_equal(sink_text(&sink, CONTENT_PLACE_BODY, SLICE("abc")), RC_OK);
	assert_int_equal(sink_text(&sink, CONTENT_PLACE_HIDDEN, SLICE("")), RC_OK); /* nothing to hear */
	assert_int_equal(heard.texts, 3);
	assert_int_equal(sink_link(&sink, CONTENT_PLACE_CODE, SLICE("http://a/"), SLICE("a")), RC_OK);
	assert_int_equal(sink_link(&sink, CONTENT_PLACE_BODY, SLICE(""), SLICE("a")), RC_OK);
	assert_int_equal(heard.links, 10);
	for (size_t size = CONTENT_EVIDENCE_MAX - 1; size <= CONTENT_EVIDENCE_MAX + 1; size++) {
		assert_int_equal(sink_fact(&sink, CONTENT_FACT_BOMB, slice_of(long_one, size)), RC_OK);
		assert_int_equal(heard.evidence, size < CONTENT_EVIDENCE_MAX ? size : CONTENT_EVIDENCE_MAX);
	}
}

static void what_it_answers_comes_back(void **state)
{
	struct heard                heard = { .answer = RC_LIMIT };
	const struct content_sink   sink = { &heard, on_member, on_text, on_link, on_fact };
	const struct content_sink   deaf = { 0 };
	const struct content_member member = { 0 };
	struct budget               budget = { .left = { [BUDGET_ITEMS] = 9 } };

	(void)state;
	assert_int_equal(sink_member(&sink, &budget, &member), RC_LIMIT);
	assert_int_equal(sink_text(&sink, CONTENT_PLACE_BODY, SLICE("a")), RC_LIMIT);
	assert_int_equal(sink_link(&sink, CONTENT_PLACE_CODE, SLICE("a"), SLICE("")), RC_LIMIT);
	assert_int_equal(sink_fact(&sink, CONTENT_FACT_BOMB, SLICE("a")), RC_LIMIT);
	assert_int_equal(sink_member(&deaf, &budget, &member), RC_OK);
	assert_int_equal(sink_text(&deaf, CONTENT_PLACE_BODY, SLICE("a")), RC_OK);
	assert_int_equal(sink_link(&deaf, CONTENT_PLACE_CODE, SLICE("a"), SLICE("")), RC_OK);
	assert_int_equal(sink_fact(&deaf, CONTENT_FACT_BOMB, SLICE("a")), RC_OK);
	assert_int_equal(budget.left[BUDGET_ITEMS], 7);
}

static void every_fact_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int a = 0; a < CONTENT_FACTS; a++) {
		assert_true(strlen(content_fact_meaning((enum content_fact)a)) > 10);
		assert_non_null(strchr(content_fact_name((enum content_fact)a), '.'));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(content_fact_name((enum content_fact)a), content_fact_name((enum content_fact)b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_heard),
		cmocka_unit_test(what_it_answers_comes_back),
		cmocka_unit_test(every_fact_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
