/*
 * Numbers written as text by a peer, a file or an administrator: digits only, no sign, no blanks, no base prefix, bounded.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/rc.h"
#include "base/slice.h"

/* All of `s` is decimal digits. RC_SYNTAX: empty or another byte; RC_LIMIT: above `max`. */
MUST_CHECK enum rc num_u64(struct slice s, uint64_t max, uint64_t *out);

/* All of `s` is hexadecimal digits (either case). RC_SYNTAX, RC_LIMIT as above. */
MUST_CHECK enum rc num_hex(struct slice s, uint64_t max, uint64_t *out);

/* The digits at the front of `*rest`; moves `*rest` past them. RC_SYNTAX when there is none, RC_LIMIT above `max`: then `*rest` stays. */
MUST_CHECK enum rc num_take(struct slice *rest, uint64_t max, uint64_t *out);

#endif
