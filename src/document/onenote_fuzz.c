/* OneNote over any bytes, and behind the mark of a section. */
#include "base/must.h"
#include "content/sink.h"
#include "document/onenote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc on_member(void *context, const struct content_member *member)
{
	(void)context;
	must(member->bytes.len == 0 || member->bytes.ptr != NULL);
	return RC_OK;
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	(void)context;
	must(fact < CONTENT_FACTS && evidence.len <= CONTENT_EVIDENCE_MAX);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct content_sink sink = { .member = on_member, .fact = on_fact };
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	const struct slice        bytes = slice_of(data, size);

	if (size > 1u << 20)
		return 0;
	budget.left[BUDGET_STEPS] = 1u << 24;
	budget.left[BUDGET_BYTES] = 1u << 24;
	(void)!onenote_open(bytes, &budget, &sink);
	return 0;
}
