/*
 * A look at an ISO 9660 image before libarchive reads it: the continuation areas of Rock Ridge (SUSP 1.12, section 5.1) may point
 * at each other in a circle, which that library follows until memory ends.
 */
#ifndef ARCHIVE_ISO_H
#define ARCHIVE_ISO_H

#include <stdbool.h>

#include "base/slice.h"
#include "content/budget.h"

#define ISO_CHAIN_MAX 16u /* continuation areas one after the other; writers need two or three */

/* False: a chain of continuations that is longer than ISO_CHAIN_MAX, or the budget's steps are used up. */
bool iso_is_sane(struct slice bytes, struct budget *budget);

#endif
