/*
 * One value of a settings file: from text to the field of a section's struct, and what to tell a person who wrote another.
 * The reader in base/setting.c is its only user; rooms include base/setting.h.
 */
#ifndef BASE_SETTING_VALUE_H
#define BASE_SETTING_VALUE_H

#include "base/setting.h"

/* Where the items of a list stand while it grows; all zero at first. */
struct setting_list_room {
	struct slice *items;
	size_t        count;
};

/*
 * Read `text` (trimmed, without comment) as a value of `setting` into its field of the section struct at `item`. A list is
 * added to what the field holds; the caller keeps *list_room from one call to the next.
 *
 * RC_SYNTAX  not such a value; *bad is the part that is wrong (all of it, or one item of a list).
 * RC_LIMIT   out of its range; *bad as above.
 * RC_NOMEM   the arena is full.
 */
MUST_CHECK enum rc setting_value_read(const struct setting *setting, struct slice text, struct arena *arena, void *item,
                                      struct setting_list_room *list_room, struct slice *bad);

/* What such a value looks like: "a size such as 50M, from 1K to 2G". */
void setting_value_expected(const struct setting *setting, struct buf *out);

#endif
