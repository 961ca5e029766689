/*
 * An arena: memory of a fixed size whose parts live and die together. One message, one session, one query = one arena.
 * Full is an answer (NULL, hence RC_NOMEM: refuse this one, keep serving), never a reason to grow.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/rc.h"
#include "base/slice.h"

struct arena {
	uint8_t *ptr;  /* owned when made by arena_init, borrowed when by arena_on */
	size_t   size;
	size_t   used;
	bool     owned;
};

/* An arena of `size` bytes of its own. RC_NOMEM leaves *a untouched. Give back with arena_done(). */
MUST_CHECK enum rc arena_init(struct arena *a, size_t size);

/* An arena on memory that the caller keeps alive. */
struct arena arena_on(void *memory, size_t size);

/* Free what arena_init took; every part is dead. Legal twice, and on an arena of arena_on(). */
void arena_done(struct arena *a);

/* Forget every part, keep the memory. */
void arena_reset(struct arena *a);

/* Forget what was taken since a->used was `mark`. For work that is done one piece after the other in the same room. */
void arena_release(struct arena *a, size_t mark);

/* `count * size` zeroed bytes aligned for any type; NULL when full or on overflow. `size` is not 0. */
void *arena_take(struct arena *a, size_t count, size_t size);

/* `count` bytes, neither aligned nor zeroed: for text. NULL when full. */
uint8_t *arena_bytes(struct arena *a, size_t count);

/* How many bytes arena_bytes() can still give. */
size_t arena_left(const struct arena *a);

/*
 * Give back the end of `piece`, the last that arena_bytes() gave: its first `kept` bytes stay. For results whose size
 * is known only when they are there.
 */
void arena_keep(struct arena *a, const uint8_t *piece, size_t kept);

/* A copy of `s` in the arena. RC_NOMEM when full. */
MUST_CHECK enum rc arena_copy(struct arena *a, struct slice s, struct slice *out);

/* A NUL-terminated copy for C APIs: RC_SYNTAX when `s` holds a NUL, RC_NOMEM when full. */
MUST_CHECK enum rc arena_cstr(struct arena *a, struct slice s, const char **out);

#endif
