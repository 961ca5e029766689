/*
 * What an opener tells, as text for tables of tests: "member NAME KIND BYTES|", "link ADDRESS|", "text TEXT|", "fact NAME|" in the order in which it
 * came; flags of a member and places other than the body stand in front as "[...]". To be included by one test file.
 */
#ifndef TESTS_HARNESS_TOLD_H
#define TESTS_HARNESS_TOLD_H

#include "base/buf.h"
#include "content/sink.h"

static struct buf told;

static void told_put(const char *word, struct slice text)
{
	buf_put_str(&told, word);
	buf_put(&told, text);
}

static void told_place(enum content_place place)
{
	static const char *const names[] = { "", "[hidden]", "[metadata]", "[script]", "[reference]", "[code]", "[name]" };
	buf_put_str(&told, names[place]);
}

static enum rc told_member(void *context, const struct content_member *member)
{
	(void)context;
	if (member->flags != 0)
		buf_printf(&told, "[%u]", member->flags);
	told_put("member ", member->name);
	told_put(" ", member->kind);
	told_put(" ", member->bytes);
	buf_put_str(&told, "|");
	return RC_OK;
}

static enum rc told_text(void *context, enum content_place place, struct slice text)
{
	(void)context;
	told_place(place);
	told_put("text ", text);
	buf_put_str(&told, "|");
	return RC_OK;
}

static enum rc told_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	(void)context;
	(void)shown;
	told_place(place);
	told_put("link ", address);
	buf_put_str(&told, "|");
	return RC_OK;
}

static enum rc told_fact(void *context, enum content_fact fact, struct slice evidence)
{
	(void)context;
	(void)evidence;
	buf_put_str(&told, "fact ");
	buf_put_str(&told, content_fact_name(fact));
	buf_put_str(&told, "|");
	return RC_OK;
}

static const struct content_sink told_sink = { .member = told_member, .text = told_text, .link = told_link, .fact = told_fact };

/* Forget what was told. */
static void told_begin(void)
{
	told.max = 1 << 20;
	buf_clear(&told);
}

#endif
