/* Writing down what a sink hears. */
#include "harness/heard.h"

#include "base/codec.h"

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
