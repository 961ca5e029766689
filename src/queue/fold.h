/*
 * The queue as a fold over the journal: queue_apply() with each record in order rebuilds it exactly, from the first record or from a
 * snapshot and the records behind it. Nothing else changes what is owed to whom; who sends, sends on what schedule.h hands out, writes the
 * outcome to the journal, and applies the record once its position is known.
 *
 * One thread owns a queue. The queue takes memory (base/memory.h) per message and gives it back when the last recipient has ended; bounds
 * on how many may wait are asked for with queue_room() before a message is accepted, never afterwards: what the journal has is ours.
 */
#ifndef QUEUE_FOLD_H
#define QUEUE_FOLD_H

#include "queue/entry.h"

struct queue; /* opaque */

struct queue_settings {
	uint64_t messages_max;   /* room for so many messages, 1 to 2^31; queue_room() */
	uint64_t memory_max;     /* and for so many bytes of memory */
	int64_t  hold_expire_ms; /* a held recipient of a message so old is handed out by queue_take_expired(); 0: never */
	uint64_t seed;           /* random: keys the indexes */
	/*
	 * The name of where a recipient is sent: recipients with equal names may share a transaction, a pool of connections and a state of
	 * health. Appends at most QUEUE_KEY_MAX bytes to *out, at least one. `route` is the name of the route it was moved to by hand,
	 * or empty. Must give the same answer until queue_rekey().
	 */
	void (*key)(void *context, struct slice address, struct slice route, struct buf *out);
	void *context;
};

#define QUEUE_KEY_MAX 512u

/* RC_NOMEM. Close with queue_close(). */
MUST_CHECK enum rc queue_open(const struct queue_settings *settings, struct queue **out);
/* Frees everything; the owner must have let go of its `hot` parts. Clears the caller's pointer; NULL inside is legal. */
void queue_close(struct queue **queue);

/* What a record changed, for the owner. */
struct queue_change {
	struct queue_entry *entry;   /* the message it was about, still in the queue; NULL otherwise */
	bool                ended;   /* the last recipient ended: the body at `place` may be dropped */
	uint64_t            message; /* its id; 0: the record was about no message of the queue */
	struct queue_place  place;
	void               *hot;     /* with `ended`: what the entry's `hot` was; the owner lets go of it */
};

/*
 * Apply one record. An EVENT_BODY is remembered for the EVENT_MESSAGE directly behind it. Records of other types than these, EVENT_OUTCOME and
 * EVENT_ACT change nothing and are RC_OK. *out is always written on RC_OK; `out` may be NULL.
 *
 * Results that do not end a recipient and have a `notice` mean: the sender was told of the delay. Results for a recipient that has ended already
 * change nothing; a result that defers one that is held leaves it held.
 *
 * RC_OK        applied.
 * RC_NOTFOUND  an outcome or act about a message that is not here (it has ended): nothing changed, and that is no fault.
 * RC_EXISTS    this message is here already: nothing changed.
 * RC_SYNTAX, RC_UNSUPPORTED  not a payload we can read, or it speaks of recipients the message does not have: nothing changed.
 * RC_NOMEM     the system gave no memory: nothing changed.
 */
MUST_CHECK enum rc queue_apply(struct queue *queue, const struct journal_record *record, struct queue_change *out);

/* The same for those who hold the event decoded already. */
MUST_CHECK enum rc queue_apply_message(struct queue *queue, const struct event_message *message, const struct queue_place *place,
                                       struct queue_change *out);
MUST_CHECK enum rc queue_apply_outcome(struct queue *queue, const struct event_outcome *outcome, struct queue_change *out);
MUST_CHECK enum rc queue_apply_act(struct queue *queue, const struct event_act *act, struct queue_change *out);

/* The entry of that id, or NULL. */
struct queue_entry *queue_find(const struct queue *queue, uint64_t id);

/* The oldest entry, and the one behind `entry`; NULL at the end. */
struct queue_entry *queue_first(const struct queue *queue);
struct queue_entry *queue_after(const struct queue *queue, const struct queue_entry *entry);

/*
 * The highest id that any message of this journal ever had, ended ones too; 0: none. Ids are made from the clock, and a clock that was set
 * back over a restart must not make one a second time.
 */
uint64_t queue_last_id(const struct queue *queue);

/* Is there room for one more message of so many recipients? */
bool queue_room(const struct queue *queue, size_t recipient_count);

struct queue_counts {
	uint64_t messages;
	uint64_t recipients[QUEUE_STATE_COUNT]; /* of the messages that are here, by queue_recipient_state() */
	uint64_t ready;                         /* of those due, deferred or uncertain: so many could be sent now */
	uint64_t destinations;
	uint64_t body_bytes;
	uint64_t memory_bytes;                  /* taken by the queue itself */
	uint64_t oldest_ms;                     /* received_ms of the oldest message; 0 when empty */
};

void queue_count(const struct queue *queue, struct queue_counts *out);

/* New limits and new routes: every recipient gets its key anew, everything that waits for its time keeps it. RC_NOMEM leaves the old ones in force. */
MUST_CHECK enum rc queue_rekey(struct queue *queue, const struct queue_settings *settings);

/*
 * ---- snapshot ----
 *
 * A snapshot is the fold's state after some record: fold(snapshot, records behind it) equals fold(all records). What is being sent is written
 * as not sent yet. Destinations are derived and not in it. The form is the queue's own, versioned, little-endian; the journal keeps it
 * as opaque bytes under a checksum, and reading still treats it as untrusted.
 */
#define QUEUE_SNAPSHOT_VERSION 2u /* 1 had no highest id; it is read still */

/* Bytes that queue_snapshot_put() will write now. */
uint64_t queue_snapshot_size(const struct queue *queue);
/* out->failed when the buf's bound is too small. Equal queues give equal bytes. */
void queue_snapshot_put(const struct queue *queue, struct buf *out);
/* Into an empty queue. RC_SYNTAX, RC_UNSUPPORTED (another version), RC_NOMEM: the queue is empty again. */
MUST_CHECK enum rc queue_snapshot_read(struct queue *queue, struct slice bytes);

#endif
