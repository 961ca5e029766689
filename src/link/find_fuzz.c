/* The finder over any bytes: finds stand in order, within the text, and each is a URL. */
#include "base/must.h"
#include "link/find.h"
#include "link/facts.h"
#include "link/ready.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t             memory[8 << 20];
	static struct suffix_list *list;
	struct arena               arena = arena_on(memory, sizeof memory);
	struct link_finder        *finder;
	struct link_found          found;
	size_t                     end = 0, count = 0;
	enum rc                    rc;

	if (list == NULL)
		must(link_ready((struct slice){ NULL, 0 }, &list) == RC_OK);
	if (size > 1 << 16)
		return 0;
	must(link_find_open(slice_of(data, size), list, &arena, &finder) == RC_OK);
	while ((rc = link_find_next(finder, &arena, &found)) == RC_OK) {
		must(found.size != 0 && found.offset <= size && found.size <= size - found.offset);
		must((found.flags & LINK_LONGER) != 0 || found.offset >= end);
		if ((found.flags & LINK_LONGER) == 0)
			end = found.offset + found.size;
		must(found.written.len != 0 && found.url.href.len != 0);
		(void)link_facts(&found.url, list, NULL);
		must(++count <= 2 * size);
	}
	must(rc == RC_CLOSED || rc == RC_NOMEM);
	return 0;
}
