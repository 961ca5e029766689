/* PDF over any bytes; a second run with encryption tried would cost most of the time and is left to the conformance runner. */
#include "base/must.h"
#include "document/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc take_member(void *context, const struct content_member *member)
{
	(void)context;
	must(member->bytes.len == 0 || member->bytes.ptr != NULL);
	return RC_OK;
}

static enum rc take_text(void *context, enum content_place place, struct slice text)
{
	(void)context;
	must(place < CONTENT_PLACES && text.len != 0);
	return RC_OK;
}

static enum rc take_fact(void *context, enum content_fact fact, struct slice evidence)
{
	(void)context;
	must(fact < CONTENT_FACTS && evidence.len <= CONTENT_EVIDENCE_MAX);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct content_sink sink = { .member = take_member, .text = take_text, .fact = take_fact };
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);

	budget.left[BUDGET_STEPS] = 1 << 24;
	budget.left[BUDGET_BYTES] = 1 << 24;
	const enum rc rc = pdf_open(slice_of(data, size), NULL, 0, &budget, &sink);
	must(rc == RC_OK || rc == RC_SYNTAX || rc == RC_LIMIT || rc == RC_NOMEM);
	return 0;
}
