/*
 * A bounded hash map from byte strings to pointers. Keys are copied into the map; values are the caller's.
 *
 * The hash is keyed (SipHash-1-3) with the seed given at the start, so that a peer who chooses keys cannot choose
 * collisions. Iteration order means nothing.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/rc.h"
#include "base/slice.h"

struct map; /* opaque */

/*
 * A map that holds at most `count_max` keys (1 to 1,073,741,823) of at most 65,535 bytes; it takes memory as it fills.
 * RC_NOMEM. Close with map_close().
 */
MUST_CHECK enum rc map_open(size_t count_max, uint64_t seed, struct map **out);
/* Frees keys and table, not the values. NULL inside is legal; clears the caller's pointer. */
void map_close(struct map **map);

size_t map_count(const struct map *map);

/* RC_EXISTS leaves the old value. RC_NOMEM: full. */
MUST_CHECK enum rc map_add(struct map *map, struct slice key, void *value);
/* Add or replace; the value that was there (or NULL) goes to *old when `old` is not NULL. RC_NOMEM: full. */
MUST_CHECK enum rc map_put(struct map *map, struct slice key, void *value, void **old);
/* The value, or NULL when there is none. */
void *map_get(const struct map *map, struct slice key);
/* Take the key out; returns its value, or NULL when there was none. */
void *map_remove(struct map *map, struct slice key);

/*
 * Walk: start with *position = 0; each call that returns true sets *key (borrowed) and *value. Removing the key just
 * returned is allowed during a walk; adding is not.
 */
bool map_next(const struct map *map, size_t *position, struct slice *key, void **value);

/* The keyed hash itself, for counters and buckets that need no map. */
uint64_t map_hash(uint64_t seed, struct slice key);

/* SipHash-1-3 with its full key of 128 bits, as two little-endian halves (Aumasson and Bernstein, "SipHash", 2012). */
uint64_t map_siphash(uint64_t key_low, uint64_t key_high, struct slice s);

#endif
