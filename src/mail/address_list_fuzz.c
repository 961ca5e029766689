/* Address lists of header fields. */
#include "base/must.h"
#include "mail/address.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct address_list list;

	if (size > (1u << 15))
		return 0;
	if (arena.ptr == NULL && arena_init(&arena, 8u << 20) != RC_OK)
		abort();
	arena_reset(&arena);
	if (address_list_read((struct slice){ data, size }, &arena, &list) != RC_OK)
		return 0;
	must(list.count <= ADDRESS_LIST_COUNT_MAX);
	for (size_t i = 0; i < list.count; i++) {
		const struct address_item *item = &list.items[i];
		must((item->oddities & ~list.oddities) == 0);
		must(item->name.len <= size && item->local.len <= size && item->domain.len <= size &&
		     item->group.len <= size);
		must(item->raw.len <= size);
		must(item->local.len != 0 || item->oddities & (ADDRESS_ODD_NO_LOCAL | ADDRESS_ODD_NO_DOMAIN |
		                                               ADDRESS_ODD_QUOTED | ADDRESS_ODD_NUL));
		must(item->domain.len != 0 ||
		     item->oddities & (ADDRESS_ODD_NO_DOMAIN | ADDRESS_ODD_DOMAIN | ADDRESS_ODD_NUL));
	}
	return 0;
}
