/* Outlook messages: compound files whose names and streams are any. */
#include "base/must.h"
#include "document/outlook_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc take_member(void *context, const struct content_member *member)
{
	(void)context;
	must(member->bytes.len == 0 || member->bytes.ptr != NULL);
	return RC_OK;
}

static enum rc take_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	(void)context;
	(void)shown;
	must(place < CONTENT_PLACES && address.len != 0);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct content_sink sink = { .member = take_member, .link = take_link };
	const struct slice        bytes = slice_of(data, size);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	static uint8_t            memory[1 << 20];

	struct arena arena = arena_on(memory, sizeof memory);
	struct ole   ole;

	if (ole_open(bytes, &budget, &arena, &ole) == RC_OK)
		(void)!outlook_msg_open(&ole, &budget, &arena, &sink);
	return 0;
}
