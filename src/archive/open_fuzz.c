/* Any bytes walked as archives of any kind, libarchive behind it, in a small budget. */
#include "archive/open.h"
#include "base/must.h"
#include "content/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the limit on address space does in the scanner: an archive that asks for gigabytes gets none. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t              memory[1 << 12];
	static struct password_list list;
	static bool                 ready;
	struct arena                arena = arena_on(memory, sizeof memory);
	struct budget               budget = { .left = { 1 << 20, 200, 1 << 24, 3, 4 } };
	const struct content_opener openers[] = { { &list, archive_open } };
	const struct content_sink   sink = { .context = NULL };
	const struct walk_plan      plan = { .openers = openers, .opener_count = 1, .budget = &budget, .sink = &sink };

	if (!ready)
		ready = archive_ready() == RC_OK;
	must(ready);
	password_init(&list, &arena);
	const enum rc rc = content_walk(&plan, &(struct content_member){ .bytes = slice_of(data, size) });
	must(rc == RC_OK || rc == RC_NOMEM);
	must(budget.left[BUDGET_DEPTH] == 3);
	return 0;
}
