/* Calling a sink. */
#include "content/sink.h"

enum rc sink_member(const struct content_sink *sink, struct budget *budget, const struct content_member *member)
{
	if (!budget_take(budget, BUDGET_ITEMS, 1))
		return RC_LIMIT;
	return sink->member == NULL ? RC_OK : sink->member(sink->context, member);
}

enum rc sink_text(const struct content_sink *sink, enum content_place place, struct slice text)
{
	return sink->text == NULL || text.len == 0 ? RC_OK : sink->text(sink->context, place, text);
}

enum rc sink_link(const struct content_sink *sink, enum content_place place, struct slice address, struct slice shown)
{
	return sink->link == NULL || address.len == 0 ? RC_OK : sink->link(sink->context, place, address, shown);
}

enum rc sink_fact(const struct content_sink *sink, enum content_fact fact, struct slice evidence)
{
	if (evidence.len > CONTENT_EVIDENCE_MAX)
		evidence.len = CONTENT_EVIDENCE_MAX;
	return sink->fact == NULL ? RC_OK : sink->fact(sink->context, fact, evidence);
}
