/* Targets of any URL: bounded, in order, and facts of each. */
#include "base/must.h"
#include "link/facts.h"
#include "link/ready.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t             memory[8 << 20];
	static struct suffix_list *list;
	struct arena               arena = arena_on(memory, sizeof memory);
	struct url                 url;
	struct unwrap              unwrap;

	if (list == NULL)
		must(link_ready((struct slice){ NULL, 0 }, &list) == RC_OK);
	if (size > 1 << 14 || url_parse(slice_of(data, size), NULL, &arena, &url) != RC_OK ||
	    unwrap_url(&url, &arena, &unwrap) != RC_OK)
		return 0;
	must(unwrap.count <= UNWRAP_TARGETS_MAX);
	for (size_t i = 0; i < unwrap.count; i++) {
		const struct unwrap_target *target = &unwrap.items[i];
		must(target->depth >= 1 && target->depth <= UNWRAP_DEPTH_MAX);
		must(target->parent == UNWRAP_TARGETS_MAX ? target->depth == 1 : target->parent < i);
		if (target->has_url)
			(void)link_facts(&target->url, list, NULL);
	}
	(void)link_facts(&url, list, &unwrap);
	return 0;
}
