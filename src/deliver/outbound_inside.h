/*
 * The inside of the way out, for the outbound_* files only. All of it belongs to the delivery loop's thread, except outbound_accept(), outbound_has_room() and
 * outbound_snapshot_due().
 *
 *   outbound.c             life, arrival, the pump that gives work to destinations, snapshots
 *   outbound_record.c      results and acts on their way into the journal and back into the queue
 *   outbound_destination.c hosts of a destination: look-ups, health, what to do when none answers
 *   outbound_connection.c  one connection: the session up to the first message, reuse, time-outs
 *   outbound_delivery.c    one message on a connection: envelope, bytes, what each recipient's answer means
 *   outbound_result.c      from answers to events: retries, expiry, notices
 *   outbound_bounce.c      making notices
 *   outbound_command.c     administrators
 */
#ifndef DELIVER_OUTBOUND_INSIDE_H
#define DELIVER_OUTBOUND_INSIDE_H

#include "config/config.h"
#include "deliver/outbound.h"
#include "deliver/queue_wire.h"
#include "journal/event.h"
#include "net/stream.h"
#include "queue/notice.h"
#include "queue/retry.h"
#include "queue/schedule.h"
#include "smtp/client.h"
#include "smtp/dot.h"

#include <stdatomic.h>

/* ---- bounds ---- */

#define OUTBOUND_TARGETS_MAX       64u          /* addresses of one destination */
#define OUTBOUND_HOSTS_MAX         16u          /* hosts of one destination that are looked up */
#define OUTBOUND_LOOKUP_MS         10000u       /* for one question */
#define OUTBOUND_LOOKUP_KEEP_MAX_S 300u         /* hosts are looked up again after so long at the latest */
#define OUTBOUND_PIECES_MAX        128u         /* runs of a message handed to the kernel at once */
#define OUTBOUND_WINDOW_BYTES      (64u << 10)  /* read from the journal at once */
#define OUTBOUND_CHUNK_BYTES       (256u << 10) /* of a message handed to the stream at once */
#define OUTBOUND_BATCH_ITEMS       60u          /* records written together, below JOURNAL_GROUP_RECORDS_MAX */
#define OUTBOUND_BATCH_BYTES       (16u << 20)
#define OUTBOUND_FAIL_MAX          1000u        /* recipients put off at once when no host of a destination answers */
#define OUTBOUND_TEXT_MAX          400u         /* of a reply that is kept */
#define OUTBOUND_ERRORS_MAX        4u           /* protocol errors on one connection: Exchange closes it at the 5th (I-7) */
#define OUTBOUND_NO_ROUTE_MS       60000u       /* pause of a destination without a route */

/* ---- hosts ---- */

/* One address to connect to. */
struct target {
	struct net_address address;
	uint16_t           host;        /* index into the destination's names */
	uint32_t           failures;    /* in a row */
	uint64_t           rest_until_ms; /* loop's clock: left alone until then */
};

/* The last thing that went wrong before a message was offered, for those whose mail waits. */
struct trouble {
	enum retry_stage   stage;
	struct retry_reply reply;
	char               host[64];
	char               text[256];
};

struct destination {
	struct list               link;
	struct outbound          *outbound;
	struct config            *config;        /* held: the route lies in it */
	const struct route       *route;         /* NULL: none */
	struct queue_destination *queue;         /* used; NULL once the settings have changed */
	struct retry_window       window;
	struct list               idle;          /* connections without work */
	struct list               busy;          /* all others */
	uint32_t                  connection_count;
	uint32_t                  opening_count; /* of them, not ready yet */
	uint32_t                  failures;      /* times in a row that no host answered */
	struct timer              probe;         /* asks whether it is back while nothing is due (I-33) */
	struct timer              linger;        /* goes away when nothing is left */
	struct list               through;       /* struct waiter, first come first */
	/* look-up */
	bool                      looking;
	uint64_t                  known_until_ms; /* loop's clock; 0: never looked up */
	struct resolver_query     query;
	struct arena              answer;
	enum resolver_type        asking;
	uint32_t                  ttl_s;
	size_t                    host_index;     /* being looked up */
	size_t                    host_count;
	struct looked_up {
		uint8_t  name[RESOLVER_NAME_MAX];
		uint8_t  name_size;
		uint16_t port, priority, weight;
		bool     literal;                 /* an address in the settings: nothing to ask */
		bool     mx;                      /* its MX is asked for; what comes takes its place */
	} hosts[OUTBOUND_HOSTS_MAX];
	size_t                    target_count;
	struct target             targets[OUTBOUND_TARGETS_MAX];
	struct target            *known;          /* targets of the look-up before, whose health is remembered; OUTBOUND_TARGETS_MAX, or NULL */
	size_t                    known_count;
	struct trouble            trouble;
	size_t                    domain_size;
	uint8_t                   domain[RESOLVER_NAME_MAX]; /* whose MX is asked for when the route names no host */
};

/* Somebody who waits for the next hop's answer. */
struct waiter {
	struct list              link;      /* in the destination, or in no list once its message is being sent */
	struct outbound         *outbound;
	struct outbound_through *through;
	uint64_t                 message;
	struct timer             timer;
	struct delivery         *delivery;  /* that carries it, or NULL */
};

/* ---- one message on a connection ---- */

/* What became of one recipient in a transaction. */
struct answered {
	bool               settled;
	enum retry_stage   stage;
	enum retry_answer  answer;
	struct retry_reply reply;
	uint32_t           text;     /* in delivery.texts */
	uint32_t           text_size;
};

struct delivery {
	struct connection           *connection;
	struct queue_entry          *entry;
	size_t                       count;
	struct queue_recipient     **recipients;
	struct answered             *answered;
	struct smtp_client_recipient *asked;
	struct smtp_client_envelope  envelope;
	struct buf                   texts;
	struct waiter               *waiter;
	struct outbound_message     *hot;        /* used; or NULL and: */
	struct journal_body         *body;
	struct buf                   record;     /* EVENT_MESSAGE's payload */
	struct slice                 prefix;     /* in the event's payload, or in: */
	struct buf                   fields;     /* the prefix and what the route wants below it; empty when it wants nothing */
	struct event_cut            *cuts;       /* owned copy, or NULL */
	size_t                       cut_count;
	uint64_t                     size;       /* of what is sent */
	/* sending */
	bool                         chunked;
	bool                         body_handed; /* all of it was given to the stream */
	bool                         end_left;    /* and the kernel has it */
	bool                         offered;     /* the next hop has answered something in this transaction */
	bool                         accepted;    /* a recipient was accepted */
	uint64_t                     offset;      /* in prefix, then body */
	size_t                       cut_index;
	uint8_t                     *window;     /* OUTBOUND_WINDOW_BYTES, while a body is read from the journal */
	struct slice                 input;       /* of the message, not yet encoded */
	bool                         input_windowed; /* `input` lies in the window */
	struct smtp_dot_encoder      dot;
};

struct connection {
	struct list               link;
	struct destination       *destination;
	struct stream             stream;
	struct smtp_client        client;
	struct smtp_client_config session;
	struct timer              timer;
	struct delivery          *delivery;
	uint64_t                  opened_ms;
	uint32_t                  transactions;
	uint16_t                  order[OUTBOUND_TARGETS_MAX];
	uint16_t                  order_count;
	uint16_t                  order_next;
	uint16_t                  target;
	struct net_address        address;
	bool                      connected;  /* TCP stands */
	bool                      ready;      /* it has been READY: no longer counted as opening */
	bool                      clear;      /* opportunistic TLS has failed here: plain this time */
	bool                      quitting;
	bool                      probe;      /* opened while its destination rests */
	bool                      refused;    /* the session was refused; `trouble` says how */
	struct trouble            trouble;
	char                      tls[96];    /* "TLSv1.3 TLS_AES_256_GCM_SHA384" */
	struct delivery          *sending;    /* whose bytes `pieces` are; NULL when that delivery is over */
	struct stream_pieces      pieces;
	struct slice              runs[OUTBOUND_PIECES_MAX];
};

/* ---- records on their way through the journal ---- */

struct command;

/* A group of events; applied to the queue once durable. */
struct batch {
	struct list          link;       /* stuck, or being written: the outbound's */
	struct outbound     *outbound;
	struct journal_group group;
	struct loop_task     task;
	enum rc              rc;
	struct buf           payload;    /* of all items, one after the other */
	size_t               count;
	bool                 urgent;
	struct journal_item  items[OUTBOUND_BATCH_ITEMS];
	struct slice         pieces[OUTBOUND_BATCH_ITEMS];
	struct list          waiters;    /* answered when this is durable */
	struct command      *commands[OUTBOUND_BATCH_ITEMS]; /* told of their act, by item */
};

struct outbound {
	struct outbound_options   options;
	struct loop              *loop;
	struct config            *config;
	struct queue             *queue;
	struct journal_writer    *journal;
	struct journal_bodies    *bodies;
	struct journal_mark       mark;        /* behind the last group applied */
	struct list               destinations;
	struct timer              wake;        /* the queue's next moment */
	struct loop_defer         pump;
	struct batch             *open;        /* being filled in this turn, or NULL */
	struct loop_defer         flush;
	struct list               writing;     /* batches given to the journal */
	struct list               stuck;       /* batches the journal did not take */
	struct timer              again;       /* for those */
	struct loop_task          snapshot_task;
	atomic_bool               snapshot_posted;
	struct timer              snapshot_timer;
	struct loop_task          through_task;
	atomic_bool               through_posted;
	bool                      through_stopped; /* nobody waits for a next hop's own answer any more */
	atomic_bool               has_room;
	bool                      started;
	bool                      draining;
	bool                      closing;     /* the journal is closed: nothing is written any more */
	void                    (*drained)(void *context);
	void                     *drain_context;
	struct timer              drain_timer;
	uint64_t                  hot_bytes;
	uint64_t                  connection_count;
	uint64_t                  busy_count;
	uint64_t                  chance;
	int64_t                   clock_ms;    /* how far the wall clock was ahead of the loop's when it was looked at last */
	struct arena              arena;       /* for one decision; reset before each */
	struct buf                line;        /* commands being composed; empty between calls */
	struct outbound_counts    counts;
};

/* outbound.c */
int64_t  outbound_wall_ms(void);
uint64_t outbound_chance(struct outbound *outbound);
/* Before a moment is made from the wall clock: a step that is seen only afterwards would move it, too. */
void     outbound_look_at_clock(struct outbound *outbound);
void     outbound_pump_soon(struct outbound *outbound);
void     outbound_settle_drain(struct outbound *outbound);
void     outbound_hot_use(struct outbound_message *message);
void     outbound_hot_release(struct outbound *outbound, struct outbound_message **message);
/* A durable record, applied to the queue; `hot` is what is kept of a new message, or NULL. */
void     outbound_apply(struct outbound *outbound, const struct journal_record *record);
void     waiter_answer(struct waiter *waiter, enum through_result result);

/* outbound_record.c */
/* Append a record to the open batch; a notice's three records go in one call so that they stay in one group. NULL without memory. */
struct record_item {
	enum event_type type;
	struct slice    payload;
};
struct batch *outbound_record(struct outbound *outbound, const struct record_item *items, size_t count, bool urgent);
void          outbound_record_again(struct timer *timer);
void          outbound_record_flush(struct loop_defer *defer);
void          outbound_record_close(struct outbound *outbound);

/* outbound_destination.c */
struct destination *destination_of(struct outbound *outbound, struct queue_destination *from);
/* Give it work if it can take some: an idle connection, or a new one. */
void destination_work(struct destination *destination);
/* New work has come: think again about taking it. */
void destination_consider(struct destination *destination);
/* A connection has gone. */
void destination_settle(struct destination *destination);
/* The settings have changed: no new work, idle connections end. */
void destination_retire(struct destination *destination);
/* No target answered: put off what is ready, leave it alone for a while. */
void destination_failed(struct destination *destination, const struct trouble *trouble);
void destination_target_failed(struct destination *destination, size_t target, const struct trouble *trouble);
void destination_target_good(struct destination *destination, size_t target);
/* An order of targets to try, resting ones left out unless all rest. */
size_t destination_order(struct destination *destination, uint16_t *order);
struct slice destination_host_name(const struct destination *destination, size_t target);
void trouble_set(struct trouble *trouble, enum retry_stage stage, struct retry_reply reply, struct slice host, struct slice text);

/* outbound_connection.c */
/* Open one more connection; targets are known. */
void connection_open(struct destination *destination);
/* It is ready and has no message: take the next one, or wait for one. */
void connection_next(struct connection *connection);
/* Say goodbye when nothing is under way. */
void connection_quit(struct connection *connection);
void connection_close(struct connection *connection);
void connection_send_line(struct connection *connection);
void connection_set_timer(struct connection *connection);

/* outbound_delivery.c */
/* Start sending `count` recipients of one message; false: it could not be begun and was settled (the connection is free again). */
bool delivery_start(struct connection *connection, struct queue_recipient **recipients, size_t count, struct waiter *waiter);
void delivery_event(struct delivery *delivery, const struct smtp_client_event *event);
/* The bytes: on BODY, and each time the stream has taken what it was given. */
void delivery_send(struct delivery *delivery);
/* The connection has ended: what that means for those without an answer. */
void delivery_lost(struct delivery *delivery, const struct trouble *trouble);
/* All have an answer: write it down and free the delivery. */
void delivery_end(struct delivery *delivery);
/* Has the end of the data left us? */
bool delivery_end_left(const struct delivery *delivery);
/* Open what is sent of an entry: hot, or from the journal. */
MUST_CHECK enum rc delivery_source(struct delivery *delivery);

/* outbound_result.c */
/* What is told about an attempt in its event. */
struct attempt {
	struct queue_entry *entry;
	const struct route *route;
	struct slice        destination, host, address, tls;
	bool                lmtp;
	bool                dsn;      /* the next hop offers DSN */
	bool                counted;  /* an attempt was made */
	struct waiter      *waiter;
};
struct settled {
	struct queue_recipient *recipient;
	enum retry_stage        stage;
	enum retry_answer       answer;
	struct retry_reply      reply;
	struct slice            text;
	bool                    expired; /* its time was up and that is why it is given up */
};
/* Write the results of some recipients of one message into the journal. AGAIN_NOW and NEXT_HOST are given back to the queue. */
void outbound_results(struct outbound *outbound, const struct attempt *attempt, const struct settled *settled, size_t count);

/* outbound_bounce.c */
/* What kind of mail a message is where telling its sender is concerned; the later one wins. */
enum bounce_nature {
	BOUNCE_ORDINARY,
	BOUNCE_AUTOMATIC, /* sent by a robot: a list, bulk, an auto-reply */
	BOUNCE_REPORT,    /* a mail system's journal report */
};
/* Reads the header; ORDINARY when it cannot be read. */
enum bounce_nature bounce_nature(struct outbound *outbound, struct queue_entry *entry);
struct bounce_recipient {
	const struct queue_recipient *recipient;
	enum notice_kind              kind;
	struct slice                  enhanced; /* "5.1.1" */
	uint32_t                      code;
	struct slice                  text;
	bool                          final;    /* LMTP: "delivered" instead of "relayed" */
};
/*
 * Compose a notice: *body gets the message, *payload its EVENT_MESSAGE. To the sender, or to `postmaster` when that is not empty. RC_NOMEM, or what reading the
 * original answers.
 */
MUST_CHECK enum rc bounce_make(struct outbound *outbound, const struct attempt *attempt, const struct bounce_recipient *recipients, size_t count,
                               struct slice postmaster, uint64_t *ret_id, struct buf *body, struct buf *payload);

/* outbound_command.c */
/* Item `index` of a batch has been written (or not). */
void command_item_done(struct command *command, enum rc rc);
/* Write an act of our own ("expired in quarantine"). */
void outbound_act(struct outbound *outbound, const struct event_act *act);

#endif
