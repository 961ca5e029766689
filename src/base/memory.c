/* malloc and its kin, and the switch with which tests make them fail. */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Negative: off. A test hook; shared by threads, hence atomic. */
static atomic_long fail_after = -1;

static bool refused(void)
{
	if (atomic_load_explicit(&fail_after, memory_order_relaxed) < 0)
		return false;
	if (atomic_load(&fail_after) == 0)
		return true;
	atomic_fetch_sub(&fail_after, 1);
	return false;
}

void *memory_take(size_t count, size_t size)
{
	if (count == 0 || size == 0 || refused())
		return NULL;
	return calloc(count, size);
}

void *memory_resize(void *old, size_t size)
{
	if (size == 0 || refused())
		return NULL;
	return realloc(old, size);
}

void memory_give(void *ptr)
{
	free(ptr);
}

void memory_wipe(void *ptr, size_t size)
{
	if (size != 0)
		explicit_bzero(ptr, size);
}

void memory_fail_after(long count)
{
	atomic_store(&fail_after, count);
}
