/* Arenas: a pointer that moves up, and a wall at the end. */
#include "base/arena.h"

#include "base/memory.h"
#include "base/must.h"

#include <stdalign.h>

enum rc arena_init(struct arena *a, size_t size)
{
	uint8_t *ptr = memory_take(1, size);

	if (ptr == NULL)
		return RC_NOMEM;
	*a = (struct arena){ .ptr = ptr, .size = size, .owned = true };
	return RC_OK;
}

struct arena arena_on(void *memory, size_t size)
{
	must(memory != NULL);
	return (struct arena){ .ptr = memory, .size = size };
}

void arena_done(struct arena *a)
{
	if (a->owned)
		memory_give(a->ptr);
	*a = (struct arena){ .ptr = NULL };
}

void arena_reset(struct arena *a)
{
	a->used = 0;
}

void arena_release(struct arena *a, size_t mark)
{
	must(mark <= a->used);
	a->used = mark;
}

void *arena_take(struct arena *a, size_t count, size_t size)
{
	must(a->used <= a->size);
	must(size != 0);

	size_t       start, bytes;
	const size_t mask = alignof(max_align_t) - 1;

	if (a->ptr == NULL || __builtin_add_overflow(a->used, mask, &start))
		return NULL;
	start &= ~mask;
	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	if (start > a->size || bytes > a->size - start)
		return NULL;
	a->used = start + bytes;
	return memset(a->ptr + start, 0, bytes);
}

uint8_t *arena_bytes(struct arena *a, size_t count)
{
	must(a->used <= a->size);
	if (a->ptr == NULL || count > a->size - a->used)
		return NULL;
	uint8_t *bytes = a->ptr + a->used;
	a->used += count;
	return bytes;
}

size_t arena_left(const struct arena *a)
{
	must(a->used <= a->size);
	return a->ptr == NULL ? 0 : a->size - a->used;
}

void arena_keep(struct arena *a, const uint8_t *piece, size_t kept)
{
	must(piece >= a->ptr);
	must((size_t)(piece - a->ptr) <= a->used);
	must(kept <= a->used - (size_t)(piece - a->ptr));
	a->used = (size_t)(piece - a->ptr) + kept;
}

enum rc arena_copy(struct arena *a, struct slice s, struct slice *out)
{
	uint8_t *bytes = arena_bytes(a, s.len);

	if (bytes == NULL)
		return RC_NOMEM;
	if (s.len != 0)
		memcpy(bytes, s.ptr, s.len);
	*out = slice_of(bytes, s.len);
	return RC_OK;
}

enum rc arena_cstr(struct arena *a, struct slice s, const char **out)
{
	if (slice_find(s, '\0') != s.len)
		return RC_SYNTAX;
	uint8_t *bytes = s.len < SIZE_MAX ? arena_bytes(a, s.len + 1) : NULL;
	if (bytes == NULL)
		return RC_NOMEM;
	(void)slice_to_cstr(s, (char *)bytes, s.len + 1);
	*out = (const char *)bytes;
	return RC_OK;
}
