/* Compound files over any bytes: directory and every stream. */
#include "base/must.h"
#include "document/ole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena  arena;
	struct ole    ole;
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

	if (size > 1u << 20 || arena_init(&arena, OLE_ARENA(size)) != RC_OK)
		return 0;
	budget.left[BUDGET_STEPS] = 1u << 24;
	if (ole_open(slice_of(data, size), &budget, &arena, &ole) == RC_OK) {
		must(ole.count <= OLE_ENTRIES_MAX);
		for (uint32_t i = 0; i < ole.count; i++) {
			const struct ole_entry *e = &ole.entries[i];
			const size_t            mark = arena.used;
			struct slice            bytes;
			bool                    whole;
			must(e->name.len <= OLE_NAME_MAX);
			must(e->parent == OLE_NONE || e->parent < ole.count);
			if (ole_stream(&ole, i, &budget, &arena, &bytes, &whole) != RC_OK)
				break;
			must(bytes.len <= size && bytes.len <= e->claimed);
			arena.used = mark;
		}
		must(ole_path(&ole, 0, SLICE("Macros/VBA/dir")) == OLE_NONE || ole.count > 3);
	}
	arena_done(&arena);
	return 0;
}
