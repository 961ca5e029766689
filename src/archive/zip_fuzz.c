/* Any bytes as a zip, with a few passwords, in a small budget. */
#include "archive/libarchive.h"
#include "archive/zip.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the limit on address space does in the scanner: an archive that asks for gigabytes gets none. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

static enum rc on_member(void *context, const struct content_member *member)
{
	*(size_t *)context += member->bytes.len;
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t              memory[1 << 12];
	static struct password_list list;
	static bool                 ready;
	struct arena                arena = arena_on(memory, sizeof memory);
	struct budget               budget = { .left = { 1 << 20, 200, 1 << 24, 3, 4 } };
	size_t                      total = 0;
	const struct content_sink   sink = { .context = &total, .member = on_member };
	const struct archive_job    job = { slice_of(data, size), &list, &budget, &sink };

	if (!ready)
		ready = libarchive_ready() == RC_OK;
	must(ready);
	password_init(&list, &arena);
	const enum rc rc = zip_open(&job);
	must(rc == RC_OK || rc == RC_UNSUPPORTED || rc == RC_LIMIT);
	return 0;
}
