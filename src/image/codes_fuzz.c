/* Pictures of every kind decoded and searched for codes. */
#include "base/must.h"
#include "image/codes.h"
#include "image/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc take_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	(void)context;
	must(place == CONTENT_PLACE_CODE && address.len != 0 && shown.len == 0);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct code_reader *reader;
	static uint8_t             memory[1 << 16];
	const struct content_sink  sink = { .link = take_link };
	struct arena               arena = arena_on(memory, sizeof memory);
	struct budget              budget = budget_make(&BUDGET_LIMITS_STANDARD);

	if (reader == NULL)
		must(image_ready() == RC_OK && code_reader_open(&reader) == RC_OK);
	budget.left[BUDGET_STEPS] = 1 << 23;
	budget.left[BUDGET_BYTES] = 1 << 22;
	const enum rc rc = codes_open(reader, slice_of(data, size), &arena, &budget, &sink);
	must(rc == RC_OK || rc == RC_SYNTAX || rc == RC_UNSUPPORTED || rc == RC_LIMIT || rc == RC_NOMEM);
	return 0;
}
