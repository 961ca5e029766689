/*
 * What is due, for where: the ready recipients in one list for each destination, everything else in a heap of moments. The schedule is derived
 * from the fold (a restart builds it anew); time is an argument.
 *
 * The owner of the connections keeps for each destination whether it can take work (queue_destination_open / _shut / _pause); queue_next() names
 * destinations that have work and can take it, in turn; queue_take() hands out recipients of one message for one transaction; an applied
 * EVENT_OUTCOME or queue_untake() takes them back.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "queue/fold.h"

/* One destination; callers read it, and change `owner` only. */
struct queue_destination {
	struct list        ready;    /* queue_recipient.link, first come first */
	struct list        turn;     /* in the queue's round of destinations with work that can take it */
	struct queue_timer timer;    /* end of a pause */
	uint32_t           ready_count;
	uint32_t           recipient_count; /* that have not ended: ready, waiting, held and being sent */
	uint32_t           use_count; /* references by queue_destination_use() */
	bool               shut;     /* the owner can take no more work now */
	bool               paused;   /* until timer.at_ms */
	void              *owner;    /* the pool of connections, or NULL */
	struct queue_destination *next; /* in its bucket of the index by key */
	uint64_t           hash;
	uint16_t           key_size;
	uint8_t            key[];
};

static inline struct slice queue_destination_key(const struct queue_destination *destination)
{
	return (struct slice){ destination->key, destination->key_size };
}

/*
 * The destination of that name, made when there is none; it stays until queue_destination_release(), also without recipients. RC_NOMEM; RC_LIMIT
 * when the key is longer than QUEUE_KEY_MAX or empty.
 */
MUST_CHECK enum rc queue_destination_use(struct queue *queue, struct slice key, struct queue_destination **out);
/* Clears the caller's pointer. `owner` must be NULL when this was the last use. */
void queue_destination_release(struct queue *queue, struct queue_destination **destination);
/* The destination of that name, or NULL; without taking a use. */
struct queue_destination *queue_destination_find(const struct queue *queue, struct slice key);
/* Walk all destinations in no order: NULL gives the first one; NULL at the end. None may be added or released meanwhile. */
struct queue_destination *queue_destination_after(const struct queue *queue, const struct queue_destination *destination);

/* It can take no more work (all its connections are busy), and it can again. */
void queue_destination_shut(struct queue *queue, struct queue_destination *destination);
void queue_destination_open(struct queue *queue, struct queue_destination *destination);
/* Leave it alone until `until_ms`; 0 ends a pause now. */
void queue_destination_pause(struct queue *queue, struct queue_destination *destination, int64_t until_ms);

/*
 * This recipient, which is being sent, is about to be put off for no other reason than that its destination is away. Holds until it is handed out
 * again.
 */
void queue_strand(struct queue_recipient *recipient);

/*
 * The destination works again: what was stranded there need not wait for its moment; the next tick makes it ready. Other deferrals have
 * other reasons and keep theirs.
 */
void queue_destination_hasten(struct queue *queue, const struct queue_destination *destination);

/* Everything whose moment has come becomes ready. */
void queue_tick(struct queue *queue, int64_t now_ms);
/* The earliest moment at which queue_tick() has something to do; INT64_MAX when there is none. */
int64_t queue_wake_ms(const struct queue *queue);

/*
 * The clock was set on by `by_ms`, or back when that is negative (never 0): every moment that is waited for moves along, so that what was put
 * off by a minute waits a minute, and neither goes at once nor waits as long as the clock was wrong.
 */
void queue_clock_moved(struct queue *queue, int64_t by_ms);

/* A destination with ready recipients that can take work; the next call names another one if there is one. NULL when there is none. */
struct queue_destination *queue_next(struct queue *queue);

/*
 * Hand out the first ready recipient of `destination` and further ready ones of the same message there, at most `max` (at least 1), into
 * `recipients`, in the order of the message. They are being sent until an applied outcome names them, or queue_untake(). Returns how many; 0 when none is ready.
 * The entry stays readable as long as one of them is being sent.
 */
size_t queue_take(struct queue *queue, struct queue_destination *destination, size_t max, struct queue_recipient **recipients);
/* The same for the ready recipients of one message, whatever their place in the list ("through": the client waits). */
size_t queue_take_of(struct queue *queue, struct queue_entry *entry, struct queue_destination *destination, size_t max,
                     struct queue_recipient **recipients);

/* Take one back as if it had not been handed out: ready again, at the front. If its message has ended meanwhile, its memory goes with the last one. */
void queue_untake(struct queue *queue, struct queue_recipient *recipient);

/*
 * A held recipient whose time is up (queue_settings.hold_expire_ms), for the owner to write a VERB_DROP act about; NULL when there is none. It is handed
 * out once per start.
 */
struct queue_recipient *queue_take_expired(struct queue *queue);

/*
 * Hand out ready recipients of `destination` whose message came at or before `received_ms`, at most `max`, those of one message next to each other:
 * for a destination that is paused again and again, whose mail would else never expire. With `unnoticed`, only those whose sender was not told
 * of the delay. Returns how many; they are being sent until an applied outcome names them, or queue_untake().
 */
size_t queue_take_old(struct queue *queue, struct queue_destination *destination, int64_t received_ms, bool unnoticed, size_t max,
                      struct queue_recipient **recipients);

#endif
