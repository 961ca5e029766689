/*
 * The inside of a queue, for the files of this room only: fold.c changes who is owed what, schedule.c keeps lists and heap in step with it,
 * snapshot.c writes it down.
 *
 * Where a recipient stands follows from its state alone (queue_place_recipient):
 *
 *   ended or being sent      nowhere
 *   due                      its destination's list of the ready
 *   deferred, uncertain      the heap until timer.at_ms, then its destination's list
 *   held                     the heap until its message is hold_expire_ms old, then the list of the expired
 */
#ifndef QUEUE_STATE_H
#define QUEUE_STATE_H

#include "queue/fold.h"
#include "queue/schedule.h"

enum queue_timer_kind { QUEUE_TIMER_RECIPIENT, QUEUE_TIMER_DESTINATION };

/* Moments in a heap with four children a node; the first one is the earliest. Room is reserved ahead, so that pushing never fails. */
struct queue_heap {
	struct queue_timer **items;
	size_t               count;
	size_t               room;
	size_t               reserved; /* timers that may be in it at once */
};

struct queue {
	struct queue_settings      settings;
	struct list                entries;
	struct queue_entry       **buckets;      /* by id */
	size_t                     bucket_count; /* a power of two */
	size_t                     entry_count;
	struct queue_destination **destination_buckets;
	size_t                     destination_bucket_count;
	size_t                     destination_count;
	struct queue_heap          heap;
	struct list                turn;
	struct list                expired;
	struct journal_place       body; /* of the last EVENT_BODY; position.seq 0: none */
	struct arena               scratch;
	struct buf                 key;
	uint64_t                   state_count[QUEUE_STATE_COUNT]; /* recipients by queue_recipient_state() */
	uint64_t                   ready_count;
	uint64_t                   body_bytes;
	uint64_t                   memory_bytes;
	uint64_t                   last_id; /* the highest that any message ever had */
};

/* Room for decoding one payload of EVENT_RECIPIENTS_MAX recipients, and a pointer for each. */
#define QUEUE_SCRATCH_BYTES (2u << 20)

/* heap.c */
MUST_CHECK enum rc queue_heap_reserve(struct queue_heap *heap, size_t more);
void               queue_heap_release(struct queue_heap *heap, size_t fewer);
void               queue_heap_push(struct queue_heap *heap, struct queue_timer *timer);
/* Legal on a timer that is not in the heap. */
void               queue_heap_remove(struct queue_heap *heap, struct queue_timer *timer);
/* After moments were changed in place. */
void               queue_heap_order(struct queue_heap *heap);
void               queue_heap_done(struct queue_heap *heap);

/* schedule.c */
/* Put a recipient where its state says; `front`: before the others in its list. */
void queue_place_recipient(struct queue *queue, struct queue_recipient *recipient, bool front);
/* Take it out of every list and the heap. */
void queue_unplace_recipient(struct queue *queue, struct queue_recipient *recipient);
/* The destination for an address, made when there is none; not yet counted in it. RC_NOMEM. */
MUST_CHECK enum rc queue_destination_for(struct queue *queue, struct slice address, struct slice route,
                                         struct queue_destination **out);
/* Free it when nothing refers to it. */
void queue_destination_settle(struct queue *queue, struct queue_destination *destination);
/* One of `entry` is no longer being sent; frees the entry when it has ended and this was the last. */
void queue_unpin(struct queue_entry *entry);

/* fold.c */
/* An entry with all its recipients due (held, dropped by their disposition), counted and indexed but not yet placed. */
MUST_CHECK enum rc queue_entry_make(struct queue *queue, const struct event_message *message, const struct queue_place *place,
                                    struct queue_entry **out);
/* Take it out of the queue: free, or marked as ended while recipients are being sent. */
void queue_entry_end(struct queue *queue, struct queue_entry *entry);
void queue_set_sending(struct queue *queue, struct queue_recipient *recipient, bool sending);
void queue_set_state(struct queue *queue, struct queue_recipient *recipient, enum queue_state state);
/* A memo of these parts, each cut to its bound; NULL without memory. */
struct queue_memo *queue_memo_make(struct queue *queue, uint32_t code, struct slice enhanced, struct slice route, struct slice host,
                                   struct slice text);
void queue_memo_give(struct queue *queue, struct queue_memo **memo);

#endif
