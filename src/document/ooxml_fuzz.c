/* Parts of packages: one byte says which, the rest is the part; and the same as a file of its own. */
#include "base/must.h"
#include "content/sink.h"
#include "document/ooxml.h"

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
	static const struct slice names[] = { SLICE_INIT("word/document.xml"),
		                              SLICE_INIT("word/_rels/document.xml.rels"), SLICE_INIT("xl/workbook.bin"),
		                              SLICE_INIT("xl/macrosheets/sheet1.bin"), SLICE_INIT("content.xml") };
	struct ooxml             *package = NULL;

	if (size == 0 || ooxml_open(&budget, &sink, &package) != RC_OK)
		return 0;
	if (ooxml_part(package, names[data[0] % 5], slice_drop(bytes, 1)) == RC_OK)
		(void)!ooxml_end(package);
	ooxml_close(&package);
	(void)!ooxml_flat(bytes, &budget, &sink);
	return 0;
}
