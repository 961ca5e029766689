/*
 * Every CE entry in the image is followed, whether a directory leads to it or not: that is simple, and an image with a circle
 * nobody points at is no loss. Steps pay for each area that is read.
 */
#include "archive/iso.h"

#include "base/cursor.h"

#define SECTOR   2048u
#define CE_SIZE  28u
#define AREA_MAX 65536u /* of one continuation area, looked at */

/* The area that the CE entry at the front of `s` leads to: block, offset, size, each in both byte orders. */
static struct slice area_of(struct slice bytes, struct slice s)
{
	struct cursor  c = cursor_on(slice_drop(s, 4));
	const uint64_t block = cursor_u32(&c);
	(void)cursor_u32(&c);
	const uint64_t offset = cursor_u32(&c);
	(void)cursor_u32(&c);
	const uint64_t size = cursor_u32(&c);
	const uint64_t at = block * SECTOR + offset;

	if (c.failed || at >= bytes.len)
		return (struct slice){ NULL, 0 };
	return slice_cut(bytes, (size_t)at, size > AREA_MAX ? AREA_MAX : (size_t)size);
}

static struct slice entry_in(struct slice s)
{
	return slice_drop(s, slice_search(s, SLICE("CE\x1c\x01")));
}

bool iso_is_sane(struct slice bytes, struct budget *budget)
{
	for (struct slice rest = entry_in(bytes); rest.len >= CE_SIZE; rest = entry_in(slice_drop(rest, 4))) {
		struct slice entry = rest;
		unsigned     hops = 0;
		while (entry.len >= CE_SIZE) {
			const struct slice area = area_of(bytes, entry);
			if (++hops > ISO_CHAIN_MAX || !budget_take(budget, BUDGET_STEPS, CE_SIZE + area.len))
				return false;
			entry = entry_in(area);
		}
	}
	return true;
}
