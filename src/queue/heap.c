/* A heap of moments with four children a node (shallow: a queue of a million has ten levels). Each timer knows its slot, so that one can be taken out. */
#include "queue/state.h"

#include "base/memory.h"
#include "base/must.h"

#define CHILDREN 4u

enum rc queue_heap_reserve(struct queue_heap *heap, size_t more)
{
	size_t wanted = heap->reserved + more;

	if (wanted > heap->room) {
		size_t room = heap->room < 64 ? 64 : heap->room * 2;
		struct queue_timer **items;

		while (room < wanted)
			room *= 2;
		if (room > UINT32_MAX / 2)
			return RC_NOMEM;
		items = memory_resize(heap->items, room * sizeof(struct queue_timer *));
		if (items == NULL)
			return RC_NOMEM;
		heap->items = items;
		heap->room = room;
	}
	heap->reserved = wanted;
	return RC_OK;
}

void queue_heap_release(struct queue_heap *heap, size_t fewer)
{
	must(fewer <= heap->reserved);
	heap->reserved -= fewer;
	must(heap->count <= heap->reserved);
}

static void put_at(struct queue_heap *heap, size_t index, struct queue_timer *timer)
{
	heap->items[index] = timer;
	timer->slot = (uint32_t)index + 1;
}

/* Move `timer` up from the free place at `index` to where it belongs. */
static void sift_up(struct queue_heap *heap, size_t index, struct queue_timer *timer)
{
	while (index != 0) {
		size_t parent = (index - 1) / CHILDREN;

		if (heap->items[parent]->at_ms <= timer->at_ms)
			break;
		put_at(heap, index, heap->items[parent]);
		index = parent;
	}
	put_at(heap, index, timer);
}

static void sift_down(struct queue_heap *heap, size_t index, struct queue_timer *timer)
{
	for (;;) {
		size_t first = index * CHILDREN + 1;
		size_t least = first;

		if (first >= heap->count)
			break;
		for (size_t child = first + 1; child < first + CHILDREN && child < heap->count; child++)
			if (heap->items[child]->at_ms < heap->items[least]->at_ms)
				least = child;
		if (heap->items[least]->at_ms >= timer->at_ms)
			break;
		put_at(heap, index, heap->items[least]);
		index = least;
	}
	put_at(heap, index, timer);
}

void queue_heap_push(struct queue_heap *heap, struct queue_timer *timer)
{
	must(timer->slot == 0);
	must(heap->count < heap->reserved);
	heap->count++;
	sift_up(heap, heap->count - 1, timer);
}

void queue_heap_remove(struct queue_heap *heap, struct queue_timer *timer)
{
	if (timer->slot == 0)
		return;

	size_t index = timer->slot - 1;
	struct queue_timer *last;

	must(index < heap->count && heap->items[index] == timer);
	last = heap->items[--heap->count];
	timer->slot = 0;
	if (last == timer)
		return;
	if (index != 0 && heap->items[(index - 1) / CHILDREN]->at_ms > last->at_ms)
		sift_up(heap, index, last);
	else
		sift_down(heap, index, last);
}

void queue_heap_order(struct queue_heap *heap)
{
	for (size_t index = heap->count; index-- != 0;)
		sift_down(heap, index, heap->items[index]);
}

void queue_heap_done(struct queue_heap *heap)
{
	memory_give(heap->items);
	*heap = (struct queue_heap){ 0 };
}
