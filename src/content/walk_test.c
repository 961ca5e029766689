/* A toy container, "(name:members)", walked: order, depth, a file that contains itself, what visitors answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "content/meter.h"
#include "content/walk.h"

struct seen {
	struct buf   text;
	unsigned     facts;
	enum rc      answer;
	struct slice at; /* answer there */
};

static enum rc on_visit(void *context, const struct content_member *member, const struct sniff *kinds, unsigned depth)
{
	struct seen *seen = context;

	assert_in_range(kinds->count, 1, SNIFF_HITS_MAX);
	buf_put_u64(&seen->text, depth);
	buf_put(&seen->text, member->bytes);
	buf_put_byte(&seen->text, ' ');
	return slice_eq(seen->at, member->bytes) ? seen->answer : RC_OK;
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	struct seen *seen = context;

	(void)evidence;
	assert_int_equal(fact, CONTENT_FACT_BOMB);
	seen->facts++;
	return RC_OK;
}

/* "(ab)" holds "a" and "b"; "((a)b)" holds "(a)" and "b"; "*" holds "*". */
static enum rc toy_open(void *context, struct slice bytes, const struct sniff *kinds, struct budget *budget, const struct content_sink *sink)
{
	unsigned depth = 0;
	size_t   start = 1;
	enum rc  rc = RC_OK;

	(void)context;
	(void)kinds;
	if (slice_eq(bytes, SLICE("*")))
		return sink_member(sink, budget, &(struct content_member){ .bytes = bytes });
	if (slice_at(bytes, 0) != '(')
		return RC_UNSUPPORTED;
	for (size_t i = 1; i + 1 < bytes.len && rc == RC_OK; i++) {
		depth += bytes.ptr[i] == '(';
		depth -= bytes.ptr[i] == ')';
		if (depth != 0)
			continue;
		rc = sink_member(sink, budget, &(struct content_member){ .bytes = slice_cut(bytes, start, i + 1 - start) });
		start = i + 1;
	}
	return rc;
}

static enum rc walk(struct slice bytes, uint64_t depth, struct seen *seen)
{
	static const struct content_opener openers[] = { { NULL, toy_open } };
	struct budget                      budget = budget_make(&BUDGET_LIMITS_STANDARD);
	const struct content_sink          sink = { .context = seen, .fact = on_fact };
	const struct walk_plan             plan = { openers, 1, &budget, on_visit, seen, &sink };

	budget.left[BUDGET_DEPTH] = depth;
	buf_clear(&seen->text);
	const enum rc rc = content_walk(&plan, &(struct content_member){ .bytes = bytes });
	assert_int_equal(budget.left[BUDGET_DEPTH], depth);
	return rc;
}

static void all_levels_are_seen(void **state)
{
	struct seen seen = { .text = buf_make(1000) };

	(void)state;
	assert_int_equal(walk(SLICE("((a)b)"), 3, &seen), RC_OK);
	assert_true(slice_eq(buf_slice(&seen.text), SLICE("0((a)b) 1(a) 2a 1b ")));
	/* at the depth the budget has, and one below */
	assert_int_equal(walk(SLICE("((a)b)"), 2, &seen), RC_OK);
	assert_true(slice_eq(buf_slice(&seen.text), SLICE("0((a)b) 1(a) 2a 1b ")));
	assert_int_equal(walk(SLICE("((a)b)"), 1, &seen), RC_OK);
	assert_true(slice_eq(buf_slice(&seen.text), SLICE("0((a)b) 1(a) 1b ")));
	assert_int_equal(walk(SLICE("((a)b)"), 0, &seen), RC_OK);
	assert_true(slice_eq(buf_slice(&seen.text), SLICE("0((a)b) ")));
	buf_done(&seen.text);
}

static void itself_is_not_entered(void **state)
{
	struct seen seen = { .text = buf_make(1000) };

	(void)state;
	assert_int_equal(walk(SLICE("*"), 12, &seen), RC_OK);
	assert_true(slice_eq(buf_slice(&seen.text), SLICE("0* 1* ")));
	assert_int_equal(seen.facts, 1);
	buf_done(&seen.text);
}

/* "!" holds METER_RATIO_FREE + METER_RATIO_MAX bytes, as much as one byte may, "?" one more. */
static enum rc swell_open(void *context, struct slice bytes, const struct sniff *kinds, struct budget *budget,
                          const struct content_sink *sink)
{
	static uint8_t much[METER_RATIO_FREE + METER_RATIO_MAX + 1];

	(void)context;
	(void)kinds;
	if (slice_at(bytes, 0) != '!' && slice_at(bytes, 0) != '?')
		return bytes.len > 1 ? RC_NOMEM : RC_UNSUPPORTED; /* it was let in */
	return sink_member(sink, budget,
	                   &(struct content_member){ .bytes = slice_of(much, sizeof much - (bytes.ptr[0] == '!')) });
}

static void layers_that_swell_are_told(void **state)
{
	static const struct content_opener openers[] = { { NULL, swell_open } };
	struct seen                        seen = { .facts = 0 };
	struct budget                      budget = budget_make(&BUDGET_LIMITS_STANDARD);
	const struct content_sink          sink = { .context = &seen, .fact = on_fact };
	const struct walk_plan             plan = { openers, 1, &budget, NULL, NULL, &sink };

	(void)state;
	assert_int_equal(content_walk(&plan, &(struct content_member){ .bytes = SLICE("!") }), RC_NOMEM);
	assert_int_equal(seen.facts, 0);
	assert_int_equal(content_walk(&plan, &(struct content_member){ .bytes = SLICE("?") }), RC_OK);
	assert_int_equal(seen.facts, 1);
}

static void visitors_decide(void **state)
{
	struct seen seen = { .text = buf_make(1000), .answer = RC_DENIED, .at = SLICE("(a)") };

	(void)state;
	assert_int_equal(walk(SLICE("((a)b)"), 9, &seen), RC_OK);
	assert_true(slice_eq(buf_slice(&seen.text), SLICE("0((a)b) 1(a) 1b ")));
	seen.answer = RC_NOMEM;
	assert_int_equal(walk(SLICE("((a)b)"), 9, &seen), RC_NOMEM);
	assert_true(slice_eq(buf_slice(&seen.text), SLICE("0((a)b) 1(a) ")));
	buf_done(&seen.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_levels_are_seen),
		cmocka_unit_test(itself_is_not_entered),
		cmocka_unit_test(layers_that_swell_are_told),
		cmocka_unit_test(visitors_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
