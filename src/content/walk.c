/* The recursion goes through the openers: walk, open, sink, walk. */
#include "content/walk.h"

#include "content/meter.h"

#define SNIFF_STEPS 2u /* what a look at one byte costs: words are searched in several passes */

struct place {
	const struct walk_plan *plan;
	const struct place     *outer;
	struct slice            bytes;
	struct content_sink     sink;
	size_t                  root; /* bytes of the file at the root */
	unsigned                depth;
};

static enum rc walk_one(const struct walk_plan *plan, const struct place *outer, const struct content_member *member);

static enum rc on_member(void *context, const struct content_member *member)
{
	const struct place *outer = context;

	return walk_one(outer->plan, outer, member);
}

static enum rc on_text(void *context, enum content_place where, struct slice text)
{
	return sink_text(((const struct place *)context)->plan->sink, where, text);
}

static enum rc on_link(void *context, enum content_place where, struct slice address, struct slice shown)
{
	return sink_link(((const struct place *)context)->plan->sink, where, address, shown);
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	return sink_fact(((const struct place *)context)->plan->sink, fact, evidence);
}

/* The same bytes somewhere on the way to here. */
static bool holds_itself(const struct place *outer, struct slice bytes)
{
	for (; outer != NULL; outer = outer->outer) {
		if (bytes.len != 0 && slice_eq(outer->bytes, bytes))
			return true;
	}
	return false;
}

static enum rc open_all(struct place *here, const struct sniff *kinds)
{
	const struct walk_plan *plan = here->plan;
	enum rc                 rc = RC_OK;

	for (size_t i = 0; i < plan->opener_count && rc == RC_OK; i++) {
		rc = plan->openers[i].open(plan->openers[i].context, here->bytes, kinds, plan->budget, &here->sink);
		/* what is cut here is told by the budget; what stands beside it still has its turn */
		if (rc == RC_UNSUPPORTED || rc == RC_LIMIT)
			rc = RC_OK;
	}
	return rc;
}

static enum rc walk_one(const struct walk_plan *plan, const struct place *outer, const struct content_member *member)
{
	struct place here = { .plan = plan,
		              .outer = outer,
		              .bytes = member->bytes,
		              .root = outer == NULL ? member->bytes.len : outer->root,
		              .depth = outer == NULL ? 0 : outer->depth + 1 };
	struct sniff kinds;

	if (!budget_take(plan->budget, BUDGET_STEPS, (uint64_t)member->bytes.len * SNIFF_STEPS))
		return RC_OK;
	sniff(member->bytes, member->name, member->kind, &kinds);
	enum rc rc = plan->visit == NULL ? RC_OK : plan->visit(plan->context, member, &kinds, here.depth);
	if (rc == RC_DENIED)
		return RC_OK;
	if (rc != RC_OK || member->bytes.len == 0 || (member->flags & CONTENT_MEMBER_LINK))
		return rc;
	if (holds_itself(outer, member->bytes) || member->bytes.len > METER_RATIO_FREE + (uint64_t)here.root * METER_RATIO_MAX)
		return sink_fact(plan->sink, CONTENT_FACT_BOMB, member->name);
	here.sink = (struct content_sink){ &here, on_member, on_text, on_link, on_fact };
	if (!budget_enter(plan->budget))
		return RC_OK;
	rc = open_all(&here, &kinds);
	budget_leave(plan->budget);
	return rc;
}

enum rc content_walk(const struct walk_plan *plan, const struct content_member *root)
{
	return walk_one(plan, NULL, root);
}
