/* Writing down what a sink hears. */
#include "harness/heard.h"

#include "base/codec.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define LINE_MAX 400u

struct heard heard_make(void)
{
	return (struct heard){ .lines = buf_make(1u << 20), .fail_after = -1 };
}

void heard_done(struct heard *heard)
{
	buf_done(&heard->lines);
}

static enum rc answer(struct heard *heard)
{
	if (heard->fail_after == 0)
		return RC_CONFLICT;
	if (heard->fail_after > 0)
		heard->fail_after--;
	return RC_OK;
}

static enum rc on_member(void *context, const struct content_member *member)
{
	struct heard *heard = context;

	buf_printf(&heard->lines, "member %u ", (unsigned)member->flags);
	codec_quote(member->name, LINE_MAX, &heard->lines);
	buf_put_byte(&heard->lines, '|');
	codec_quote(member->bytes, LINE_MAX, &heard->lines);
	buf_put_byte(&heard->lines, '\n');
	return answer(heard);
}

static enum rc on_text(void *context, enum content_place place, struct slice text)
{
	struct heard *heard = context;

	buf_printf(&heard->lines, "text %u ", (unsigned)place);
	codec_quote(text, LINE_MAX, &heard->lines);
	buf_put_byte(&heard->lines, '\n');
	return answer(heard);
}

static enum rc on_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	struct heard *heard = context;

	buf_printf(&heard->lines, "link %u ", (unsigned)place);
	codec_quote(address, LINE_MAX, &heard->lines);
	buf_put_byte(&heard->lines, '|');
	codec_quote(shown, LINE_MAX, &heard->lines);
	buf_put_byte(&heard->lines, '\n');
	return answer(heard);
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	struct heard *heard = context;

	buf_printf(&heard->lines, "fact %s ", content_fact_name(fact));
	codec_quote(evidence, LINE_MAX, &heard->lines);
	buf_put_byte(&heard->lines, '\n');
	return answer(heard);
}

struct content_sink heard_sink(struct heard *heard)
{
	return (struct content_sink){ heard, on_member, on_text, on_link, on_fact };
}

bool heard_line(const struct heard *heard, const char *start)
{
	struct slice rest = buf_slice(&heard->lines);

	while (rest.len != 0)
		if (slice_starts(slice_until(&rest, '\n'), slice_str(start)))
			return true;
	return false;
}

void heard_compare(const char *name, const struct heard *heard, const char *wanted)
{
	struct slice rest = slice_str(wanted);
	char         line[512];

	while (rest.len != 0) {
		const struct slice want = slice_until(&rest, '\n');
		const bool         unwanted = slice_at(want, 0) == '-';

		(void)slice_to_cstr(slice_drop(want, unwanted ? 1 : 0), line, sizeof line);
		if (want.len != 0 && heard_line(heard, line) == unwanted)
			fail_msg("%s: %s%s\n%.*s", name, unwanted ? "not wanted: " : "missing: ", line, (int)heard->lines.len,
			         (const char *)heard->lines.ptr);
	}
}

void heard_rows(const struct heard_row *rows, size_t count, heard_reader *read)
{
	for (size_t i = 0; i < count; i++) {
		struct heard  heard = heard_make();
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

		assert_int_equal(read(rows[i].bytes, &budget, &heard), RC_OK);
		heard_compare(rows[i].name, &heard, rows[i].wanted);
		heard_done(&heard);
	}
}

/* With less of everything, and nothing to be said of the answer but that there is one. */
static void starve(const struct heard_row *row, heard_reader *read, struct heard *heard)
{
	for (long count = 0; count < 40; count++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

		buf_clear(&heard->lines);
		memory_fail_after(count);
		(void)!read(row->bytes, &budget, heard);
		memory_fail_after(-1);
	}
	for (uint64_t steps = 0; steps < 2000; steps += 61) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

		budget.left[BUDGET_STEPS] = steps;
		buf_clear(&heard->lines);
		(void)!read(row->bytes, &budget, heard);
	}
}

void heard_rows_broken(const struct heard_row *rows, size_t count, heard_reader *read)
{
	for (size_t i = 0; i < count; i++) {
		struct heard heard = heard_make();

		for (size_t cut = 0; cut < rows[i].bytes.len; cut++) {
			struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

			buf_clear(&heard.lines);
			(void)!read(slice_take(rows[i].bytes, cut), &budget, &heard);
		}
		for (long calls = 0; calls < 12; calls++) {
			struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

			heard.fail_after = calls;
			const enum rc rc = read(rows[i].bytes, &budget, &heard);
			assert_true(rc == RC_OK || rc == RC_CONFLICT);
		}
		heard.fail_after = -1;
		starve(&rows[i], read, &heard);
		heard_done(&heard);
	}
}
