/*
 * See schedule.h. Lists and heap are derived: everything here follows from the states that fold.c sets, and from what the owner of the
 * connections says about destinations.
 */
#include "queue/state.h"

#include "base/map.h"
#include "base/memory.h"
#include "base/must.h"

/* ---- destinations ---- */

static void turn_settle(struct queue *queue, struct queue_destination *destination)
{
	bool wanted = destination->ready_count != 0 && !destination->shut && !destination->paused;

	if (wanted && !list_linked(&destination->turn))
		list_append(&queue->turn, &destination->turn);
	else if (!wanted)
		list_remove(&destination->turn);
}

struct queue_destination *queue_destination_find(const struct queue *queue, struct slice key)
{
	uint64_t hash = map_hash(queue->settings.seed, key);
	struct queue_destination *destination;

	if (queue->destination_bucket_count == 0)
		return NULL;
	destination = queue->destination_buckets[hash & (queue->destination_bucket_count - 1)];
	while (destination != NULL &&
	       (destination->hash != hash || !slice_eq(queue_destination_key(destination), key)))
		destination = destination->next;
	return destination;
}

static enum rc destination_buckets_grow(struct queue *queue)
{
	size_t count = queue->destination_bucket_count == 0 ? 64 : queue->destination_bucket_count * 2;
	struct queue_destination **buckets;

	if (queue->destination_count < queue->destination_bucket_count)
		return RC_OK;
	buckets = memory_take(count, sizeof(struct queue_destination *));
	if (buckets == NULL)
		return queue->destination_bucket_count == 0 ? RC_NOMEM : RC_OK; /* longer chains for now */
	for (size_t i = 0; i < queue->destination_bucket_count; i++) {
		struct queue_destination *destination = queue->destination_buckets[i];

		while (destination != NULL) {
			struct queue_destination *next = destination->next;
			struct queue_destination **bucket = &buckets[destination->hash & (count - 1)];

			destination->next = *bucket;
			*bucket = destination;
			destination = next;
		}
	}
	memory_give(queue->destination_buckets);
	queue->destination_buckets = buckets;
	queue->destination_bucket_count = count;
	return RC_OK;
}

static enum rc destination_make(struct queue *queue, struct slice key, struct queue_destination **out)
{
	struct queue_destination *destination;
	struct queue_destination **bucket;

	if (key.len == 0 || key.len > QUEUE_KEY_MAX)
		return RC_LIMIT;
	if (destination_buckets_grow(queue) != RC_OK || queue_heap_reserve(&queue->heap, 1) != RC_OK)
		return RC_NOMEM;
	destination = memory_take(1, sizeof(*destination) + key.len);
	if (destination == NULL) {
		queue_heap_release(&queue->heap, 1);
		return RC_NOMEM;
	}
	memcpy(destination->key, key.ptr, key.len);
	destination->key_size = (uint16_t)key.len;
	destination->hash = map_hash(queue->settings.seed, key);
	destination->timer.kind = QUEUE_TIMER_DESTINATION;
	list_init(&destination->ready);
	bucket = &queue->destination_buckets[destination->hash & (queue->destination_bucket_count - 1)];
	destination->next = *bucket;
	*bucket = destination;
	queue->destination_count++;
	queue->memory_bytes += sizeof(*destination) + key.len;
	*out = destination;
	return RC_OK;
}

void queue_destination_settle(struct queue *queue, struct queue_destination *destination)
{
	struct queue_destination **at;

	if (destination->recipient_count != 0 || destination->use_count != 0)
		return;
	must(destination->ready_count == 0);
	must(destination->owner == NULL);
	list_remove(&destination->turn);
	queue_heap_remove(&queue->heap, &destination->timer);
	queue_heap_release(&queue->heap, 1);
	at = &queue->destination_buckets[destination->hash & (queue->destination_bucket_count - 1)];
	while (*at != destination)
		at = &(*at)->next;
	*at = destination->next;
	queue->destination_count--;
	queue->memory_bytes -= sizeof(*destination) + destination->key_size;
	memory_give(destination);
}

enum rc queue_destination_for(struct queue *queue, struct slice address, struct slice route, struct queue_destination **out)
{
	buf_clear(&queue->key);
	queue->settings.key(queue->settings.context, address, route, &queue->key);
	if (queue->key.failed)
		return RC_NOMEM;
	must(queue->key.len != 0);

	struct queue_destination *destination = queue_destination_find(queue, buf_slice(&queue->key));

	if (destination == NULL)
		return destination_make(queue, buf_slice(&queue->key), out);
	*out = destination;
	return RC_OK;
}

enum rc queue_destination_use(struct queue *queue, struct slice key, struct queue_destination **out)
{
	struct queue_destination *destination = queue_destination_find(queue, key);

	if (destination == NULL) {
		enum rc rc = destination_make(queue, key, &destination);

		if (rc != RC_OK)
			return rc;
	}
	destination->use_count++;
	*out = destination;
	return RC_OK;
}

void queue_destination_release(struct queue *queue, struct queue_destination **destination)
{
	struct queue_destination *gone = *destination;

	*destination = NULL;
	if (gone == NULL)
		return;
	must(gone->use_count != 0);
	gone->use_count--;
	if (gone->use_count == 0)
		must(gone->owner == NULL);
	queue_destination_settle(queue, gone);
}

struct queue_destination *queue_destination_after(const struct queue *queue, const struct queue_destination *destination)
{
	size_t bucket = 0;

	if (destination != NULL) {
		if (destination->next != NULL)
			return destination->next;
		bucket = (destination->hash & (queue->destination_bucket_count - 1)) + 1;
	}
	for (; bucket < queue->destination_bucket_count; bucket++)
		if (queue->destination_buckets[bucket] != NULL)
			return queue->destination_buckets[bucket];
	return NULL;
}

void queue_destination_shut(struct queue *queue, struct queue_destination *destination)
{
	destination->shut = true;
	turn_settle(queue, destination);
}

void queue_destination_open(struct queue *queue, struct queue_destination *destination)
{
	destination->shut = false;
	turn_settle(queue, destination);
}

void queue_destination_pause(struct queue *queue, struct queue_destination *destination, int64_t until_ms)
{
	queue_heap_remove(&queue->heap, &destination->timer);
	destination->timer.at_ms = until_ms;
	destination->paused = until_ms != 0;
	if (until_ms != 0)
		queue_heap_push(&queue->heap, &destination->timer);
	turn_settle(queue, destination);
}

/* ---- where recipients stand ---- */

static void ready_add(struct queue *queue, struct queue_recipient *recipient, bool front)
{
	struct queue_destination *destination = recipient->destination;

	if (front)
		list_prepend(&destination->ready, &recipient->link);
	else
		list_append(&destination->ready, &recipient->link);
	destination->ready_count++;
	queue->ready_count++;
	turn_settle(queue, destination);
}

void queue_unplace_recipient(struct queue *queue, struct queue_recipient *recipient)
{
	queue_heap_remove(&queue->heap, &recipient->timer);
	if (!list_linked(&recipient->link))
		return;
	list_remove(&recipient->link);
	if (recipient->state == QUEUE_HELD)
		return; /* it was in the list of the expired */
	must(recipient->destination->ready_count != 0);
	recipient->destination->ready_count--;
	queue->ready_count--;
	turn_settle(queue, recipient->destination);
}

/* A moment for the heap: 0 would mean none. */
static void wait_until(struct queue *queue, struct queue_recipient *recipient, int64_t at_ms)
{
	recipient->timer.at_ms = at_ms < 1 ? 1 : at_ms;
	queue_heap_push(&queue->heap, &recipient->timer);
}

void queue_place_recipient(struct queue *queue, struct queue_recipient *recipient, bool front)
{
	must(!list_linked(&recipient->link) && recipient->timer.slot == 0);
	if (recipient->sending)
		return;
	switch ((enum queue_state)recipient->state) {
	case QUEUE_DUE:
		recipient->timer.at_ms = 0;
		ready_add(queue, recipient, front);
		break;
	case QUEUE_DEFERRED:
	case QUEUE_UNCERTAIN:
		wait_until(queue, recipient, recipient->timer.at_ms);
		break;
	case QUEUE_HELD:
		recipient->timer.at_ms = 0;
		if (queue->settings.hold_expire_ms > 0) {
			int64_t at_ms;

			if (__builtin_add_overflow(queue_entry_of(recipient)->received_ms, queue->settings.hold_expire_ms, &at_ms))
				at_ms = INT64_MAX;
			wait_until(queue, recipient, at_ms);
		}
		break;
	case QUEUE_DELIVERED:
	case QUEUE_BOUNCED:
	case QUEUE_DROPPED:
		break;
	case QUEUE_SENDING:
	case QUEUE_STATE_COUNT:
		must(false);
	}
}

/* ---- time ---- */

void queue_strand(struct queue_recipient *recipient)
{
	must(recipient->sending);
	recipient->stranded = true;
}

void queue_destination_hasten(struct queue *queue, const struct queue_destination *destination)
{
	for (size_t i = 0; i < queue->heap.count; i++) {
		struct queue_timer *timer = queue->heap.items[i];
		const struct queue_recipient *recipient = LIST_OF(timer, struct queue_recipient, timer);

		if (timer->kind == QUEUE_TIMER_RECIPIENT && recipient->state == QUEUE_DEFERRED && recipient->destination == destination &&
		    recipient->stranded)
			timer->at_ms = 1;
	}
	queue_heap_order(&queue->heap);
}

void queue_tick(struct queue *queue, int64_t now_ms)
{
	while (queue->heap.count != 0 && queue->heap.items[0]->at_ms <= now_ms) {
		struct queue_timer *timer = queue->heap.items[0];

		queue_heap_remove(&queue->heap, timer);
		if (timer->kind == QUEUE_TIMER_DESTINATION) {
			struct queue_destination *destination = LIST_OF(timer, struct queue_destination, timer);

			timer->at_ms = 0;
			destination->paused = false;
			turn_settle(queue, destination);
			continue;
		}

		struct queue_recipient *recipient = LIST_OF(timer, struct queue_recipient, timer);

		if (recipient->state == QUEUE_HELD)
			list_append(&queue->expired, &recipient->link);
		else
			ready_add(queue, recipient, false);
	}
}

void queue_clock_moved(struct queue *queue, int64_t by_ms)
{
	must(by_ms != 0);
	/* All by the same amount, and the ends of time are ends for all: the order of the heap stays. */
	for (size_t i = 0; i < queue->heap.count; i++) {
		struct queue_timer *timer = queue->heap.items[i];
		int64_t at_ms;

		if (timer->at_ms == INT64_MAX)
			continue;
		if (__builtin_add_overflow(timer->at_ms, by_ms, &at_ms))
			at_ms = by_ms > 0 ? INT64_MAX : 1;
		timer->at_ms = at_ms < 1 ? 1 : at_ms;
	}
}

int64_t queue_wake_ms(const struct queue *queue)
{
	return queue->heap.count == 0 ? INT64_MAX : queue->heap.items[0]->at_ms;
}

/* ---- handing out ---- */

struct queue_destination *queue_next(struct queue *queue)
{
	struct list *first = list_shift(&queue->turn);

	if (first == NULL)
		return NULL;
	list_append(&queue->turn, first);
	return LIST_OF(first, struct queue_destination, turn);
}

/* Is it in its destination's list of the ready? */
static bool is_ready(const struct queue_recipient *recipient)
{
	return list_linked(&recipient->link) && recipient->state != QUEUE_HELD;
}

static void hand_out(struct queue *queue, struct queue_recipient *recipient)
{
	queue_unplace_recipient(queue, recipient);
	queue_set_sending(queue, recipient, true);
	recipient->stranded = false;
	queue_entry_of(recipient)->pin_count++;
}

size_t queue_take_of(struct queue *queue, struct queue_entry *entry, struct queue_destination *destination, size_t max,
                     struct queue_recipient **recipients)
{
	size_t count = 0;

	must(max != 0);
	for (size_t i = 0; i < entry->recipient_count && count < max; i++) {
		struct queue_recipient *recipient = &entry->recipients[i];

		if (recipient->destination != destination || !is_ready(recipient))
			continue;
		hand_out(queue, recipient);
		recipients[count++] = recipient;
	}
	return count;
}

size_t queue_take(struct queue *queue, struct queue_destination *destination, size_t max, struct queue_recipient **recipients)
{
	if (list_empty(&destination->ready))
		return 0;
	return queue_take_of(queue, queue_entry_of(LIST_OF(destination->ready.next, struct queue_recipient, link)), destination, max,
	                     recipients);
}

size_t queue_take_old(struct queue *queue, struct queue_destination *destination, int64_t received_ms, bool unnoticed, size_t max,
                      struct queue_recipient **recipients)
{
	size_t count = 0;
	struct list *next;

	for (struct list *link = destination->ready.next; link != &destination->ready && count < max; link = next) {
		struct queue_recipient *recipient = LIST_OF(link, struct queue_recipient, link);

		next = link->next;
		if (queue_entry_of(recipient)->received_ms > received_ms || (unnoticed && recipient->noticed))
			continue;
		hand_out(queue, recipient);
		recipients[count++] = recipient;
	}
	return count;
}

void queue_unpin(struct queue_entry *entry)
{
	must(entry->pin_count != 0);
	entry->pin_count--;
	if (entry->ended && entry->pin_count == 0)
		memory_give(entry);
}

void queue_untake(struct queue *queue, struct queue_recipient *recipient)
{
	struct queue_entry *entry = queue_entry_of(recipient);

	must(recipient->sending);
	queue_set_sending(queue, recipient, false);
	if (!entry->ended) {
		int64_t at_ms = recipient->timer.at_ms;

		/* One whose moment had come goes back to the list, not to the heap: it keeps its moment for the snapshot. */
		if (recipient->state == QUEUE_DEFERRED || recipient->state == QUEUE_UNCERTAIN)
			ready_add(queue, recipient, true);
		else
			queue_place_recipient(queue, recipient, true);
		if (recipient->state == QUEUE_DEFERRED || recipient->state == QUEUE_UNCERTAIN)
			recipient->timer.at_ms = at_ms;
	}
	queue_unpin(entry);
}

struct queue_recipient *queue_take_expired(struct queue *queue)
{
	struct list *first = list_shift(&queue->expired);

	return first == NULL ? NULL : LIST_OF(first, struct queue_recipient, link);
}
