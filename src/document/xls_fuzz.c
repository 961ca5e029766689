/* Workbooks: records over any bytes, and tables of text. */
#include "base/must.h"
#include "content/sink.h"
#include "document/ole_inside.h"
#include "document/xlm_sylk.h"

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
	const struct ole        none = { .count = 0 };
	struct arena            arena;

	if (ole_cipher_ready() != RC_OK || arena_init(&arena, 4u << 20) != RC_OK)
		return 0;
	const struct ole_office office = { &none, NULL, &budget, &arena, &sink };
	(void)!ole_excel_records(&office, bytes);
	(void)!xlm_sylk_open(bytes, &budget, &sink);
	(void)!xlm_table_open(bytes, &budget, &sink);
	arena_done(&arena);
	return 0;
}
