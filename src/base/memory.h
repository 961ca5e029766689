/*
 * The only place of the house that asks the C library for memory. Arenas, bufs and pools stand on it; nothing else calls
 * it on the mail path after start-up.
 *
 * Tests can make the n-th request fail (memory_fail_after), so that every path that allocates is run with each of its
 * allocations failing.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* `count * size` zeroed bytes, or NULL: overflow, a size of 0, or no memory. Give back with memory_give(). */
void *memory_take(size_t count, size_t size);

/* Grow or shrink `old` (may be NULL) to `size` bytes; bytes past the old size are not zeroed. NULL leaves `old` as it was. */
void *memory_resize(void *old, size_t size);

/* NULL is legal. */
void memory_give(void *ptr);

/* Zero `size` bytes at `ptr` in a way the compiler may not drop: for secrets. */
void memory_wipe(void *ptr, size_t size);

/* For tests: let `count` requests of this process succeed, then fail every later one. Negative switches it off. */
void memory_fail_after(long count);

#endif
