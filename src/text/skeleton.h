/*
 * What looks alike: the skeleton of UTS 39 (section 4), and behind it what its table leaves out and eyes still take
 * for the same: "cl" for "d", "vv" for "w", the traditional form of a character that banks and payment words are
 * written with. For names and domains, not for bodies.
 */
#ifndef TEXT_SKELETON_H
#define TEXT_SKELETON_H

#include "base/rc.h"
#include "base/slice.h"

#define SKELETON_TEXT_MAX 1024u /* bytes of a text that has a skeleton */
#define SKELETON_ROOM     4096u /* bytes that are room enough for it */

/*
 * The skeleton of `s` (valid UTF-8), caseless: two texts that look alike have the same bytes. Writes at most `room`
 * bytes and sets *ret_size.
 * RC_LIMIT: `s` is longer than SKELETON_TEXT_MAX or it does not fit. RC_UNSUPPORTED before unicode_ready().
 */
MUST_CHECK enum rc skeleton_of(struct slice s, uint8_t *out, size_t room, size_t *ret_size);

/* Do they look alike and yet differ by more than their case? False for what has no skeleton. */
bool skeleton_is_alike(struct slice a, struct slice b);

#endif
