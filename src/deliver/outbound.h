/*
 * The way out: the queue and all outgoing connections, on the delivery loop's thread. Durable messages come in from the committer's thread in the order of the
 * journal; attempts run; each result is an event in the journal, and takes effect here when the journal has answered, so that the queue is a fold over the
 * journal at every moment.
 *
 *     outbound_open ── replay (outbound_restore, outbound_replay) ── outbound_start ── accept*, command*, config* ── outbound_drain ── outbound_close
 *
 * Requirements: I-3 to I-9, I-19d, I-24 to I-28, I-30, I-33, I-34 of the integration page.
 */
#ifndef DELIVER_OUTBOUND_H
#define DELIVER_OUTBOUND_H

#include "config/route.h"
#include "journal/body.h"
#include "journal/writer.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "queue/fold.h"
#include "smtp/reply.h"
#include "sys/slab.h"

struct outbound; /* opaque */
struct config;

/* ---- a message on its way in ---- */

enum through_result {
	THROUGH_DELIVERED, /* the next hop took it: 250 */
	THROUGH_REFUSED,   /* it refused it for good, or we do in its place (too large for it, say), and nobody else was told: answer `reply` */
	THROUGH_QUEUED,    /* anything else: it is ours, 250 */
};

#define OUTBOUND_REPLY_TEXT_MAX 512u

/* Somebody waits for the next hop's own answer (I-24, I-25). Lies with the asker until its task has run. */
struct outbound_through {
	struct loop        *home;  /* where the answer is run */
	struct loop_task    task;  /* .run set by the asker; posted once, whatever happens */
	enum through_result result;
	struct smtp_reply   reply; /* with THROUGH_REFUSED; its text lies in `text` */
	uint8_t             text[OUTBOUND_REPLY_TEXT_MAX];
};

/* A message with exactly one recipient may go through when this says so. Any thread. */
bool outbound_is_through(const struct route_table *table, struct slice address);

/* A durable message: made by who accepted it, then the delivery loop's. */
struct outbound_message {
	struct loop_task         task;    /* internal */
	struct buf               payload; /* EVENT_MESSAGE as journaled, owned */
	struct slab             *slab;    /* the body, sealed, owned; NULL: it is read from the journal */
	bool                     unchanged; /* the slab holds what came by DATA to the byte: no line begins with a dot, all ends are CRLF */
	struct journal_place     body;    /* set once durable */
	struct journal_place     message;
	struct journal_mark      after;
	struct outbound_through *through; /* or NULL */
	struct outbound         *owner;   /* internal */
	uint32_t                 uses;    /* internal */
};

/* With an empty payload whose bound is EVENT_PAYLOAD_MAX; NULL without memory. */
struct outbound_message *outbound_message_make(void);
/* Frees payload and slab. NULL inside is legal; clears the caller's pointer. */
void outbound_message_drop(struct outbound_message **message);

/*
 * Hand over a durable message. From the thread on which the journal answers, in its order: the queue counts on that. Never fails. `through`, when set, will be
 * answered. The delivery loop is not woken: outbound_wake() does that, when all who are more urgent have been told.
 */
void outbound_accept(struct outbound *outbound, struct outbound_message *message);
void outbound_wake(struct outbound *outbound);

/* Is there room in the queue for more? To be asked at MAIL, and answered 452. Any thread; an atomic read. */
bool outbound_has_room(const struct outbound *outbound);

/* ---- life ---- */

struct outbound_options {
	struct loop     *loop;                    /* the delivery loop */
	struct resolver *resolver;                /* its own */
	struct config   *config;                  /* in force; held while it is used */
	uint64_t       (*next_id)(void *context); /* ids for notices of ours */
	void            *context;
	uint64_t         seed;                    /* random */
};

/* RC_NOMEM. No connection is made before outbound_start(). */
MUST_CHECK enum rc outbound_open(const struct outbound_options *options, struct outbound **out);

/* struct journal_replay: `context` is the outbound. */
enum rc outbound_restore(void *context, struct slice blob, const struct journal_mark *mark);
enum rc outbound_replay(void *context, const struct journal_record *records, size_t count);

/*
 * The journal is open and not yet started: claim the bodies that are still owed. Bodies that cannot be found are counted and named in the log; their messages are held. RC_NOMEM.
 */
MUST_CHECK enum rc outbound_claim(struct outbound *outbound, struct journal_writer *journal);

/* The highest id that a message of this journal ever had (queue_last_id()). Between outbound_claim() and outbound_start(). */
uint64_t outbound_last_id(const struct outbound *outbound);

/* Begin to deliver; on the loop's thread, the journal's threads run. */
void outbound_start(struct outbound *outbound);

/* journal_writer_events.snapshot_due: from any thread. A snapshot follows soon. */
void outbound_snapshot_due(struct outbound *outbound);

/* New settings, on the loop's thread. RC_NOMEM: the old ones stay in force. */
MUST_CHECK enum rc outbound_config(struct outbound *outbound, struct config *config);

/*
 * Clients that wait for a next hop's own answer wait no longer: each hears THROUGH_QUEUED soon, since its message is ours; so do those to
 * come. For an end whose time is up. Any thread.
 */
void outbound_through_stop(struct outbound *outbound);

/*
 * No new attempts; what is being sent goes on to its end. `done` is called on the loop's thread when no attempt is left and every result is durable; at the latest
 * after `wait_ms`, when what is left is cut off (a message whose end had been sent then counts as uncertain).
 */
void outbound_drain(struct outbound *outbound, uint64_t wait_ms, void (*done)(void *context), void *context);

/*
 * After the journal was closed and the loop has ended. Whoever still waits for a next hop's answer is posted one (THROUGH_QUEUED): the loops of
 * those have to be there still. NULL inside is legal; clears the caller's pointer.
 */
void outbound_close(struct outbound **outbound);

/* ---- administrators ---- */

struct command_request;

/*
 * Carry out one request of deliver/queue_wire.h on the loop's thread, for `who`. `answer` is called once, perhaps from in here, with the answer's bytes (borrowed until the
 * return): acts are answered when they are durable.
 */
void outbound_command(struct outbound *outbound, struct slice request, struct slice who,
                      void (*answer)(void *context, struct slice bytes), void *context);

/* For `hangu status` and metrics; on the loop's thread. */
struct outbound_counts {
	struct queue_counts queue;
	uint64_t connections;      /* now, those under way counted in */
	uint64_t busy_connections; /* with a message */
	uint64_t hot_bytes;        /* of messages kept in memory */
	uint64_t attempts;         /* transactions since start */
	uint64_t delivered, deferred, failed, expired, uncertain, held; /* results since start, by recipient */
	uint64_t notices;
};
void outbound_count(const struct outbound *outbound, struct outbound_counts *out);

#endif
