/*
 * What the queue knows about a message that has not ended for all of its recipients: where its record and its body stand in the journal,
 * who gets it, and how each of them fares. Callers read these structs and change nothing in them except `hot`.
 *
 * The state of a recipient comes from the journal alone; "sending" is the one thing that does not survive a restart, and stands apart.
 * About 350 bytes for a message with one recipient, beside its addresses.
 */
#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include "base/list.h"
#include "base/slice.h"
#include "journal/event.h"
#include "journal/record.h"

struct queue_destination;

/* Where a message's two records stand in the journal; both lie in one segment. */
struct queue_place {
	struct journal_place body;    /* EVENT_BODY */
	struct journal_place message; /* EVENT_MESSAGE: our prefix and the cuts are read from there; its seq orders the messages */
};

enum queue_state {
	QUEUE_DUE,       /* never tried, or released, or told to retry */
	QUEUE_SENDING,   /* handed out by queue_take(); what queue_recipient_state() says instead of the stored state */
	QUEUE_DEFERRED,  /* tried in vain; due again at timer.at_ms */
	QUEUE_UNCERTAIN, /* the line was lost after the end of data: perhaps delivered; due again at timer.at_ms */
	QUEUE_HELD,      /* not tried until released */
	QUEUE_DELIVERED, /* this and what follows ends a recipient */
	QUEUE_BOUNCED,
	QUEUE_DROPPED,   /* discarded by the disposition, or dropped by an administrator */
	QUEUE_STATE_COUNT
};

/* "due", "sending", "deferred" ...; never NULL. */
const char *queue_state_word(enum queue_state state);

static inline bool queue_state_ends(enum queue_state state)
{
	return state >= QUEUE_DELIVERED;
}

/* A place in the queue's heap of moments. */
struct queue_timer {
	int64_t  at_ms; /* wall clock, milliseconds since 1970; 0: none */
	uint32_t slot;  /* index in the heap plus 1; 0: not in it */
	uint32_t kind;  /* whose timer it is; the queue's own business */
};

#define QUEUE_REASON_MAX 512u /* bytes kept of a reply's or a finding's text */

/* Why a recipient is not delivered, and what an administrator changed. Made when there is something to say. */
struct queue_memo {
	uint16_t code;          /* the last reply's, or 0 */
	uint8_t  enhanced_size; /* "4.2.2" */
	uint8_t  route_size;    /* the route it was moved to by hand */
	uint8_t  host_size;     /* the next hop that said it */
	uint16_t text_size;
	uint8_t  bytes[];       /* enhanced, route, host, text */
};

struct queue_recipient {
	struct list               link;        /* in its destination's list of the ready, or in none */
	struct queue_timer        timer;       /* when it is due again, or when a held one expires */
	struct queue_destination *destination; /* NULL once it has ended */
	struct queue_memo        *memo;        /* or NULL */
	int64_t                   tried_ms;    /* moment of the last attempt; 0: none */
	uint32_t                  index;       /* in its entry */
	uint32_t                  text;        /* where its address stands in the entry's text; its ORCPT follows */
	uint16_t                  address_size;
	uint16_t                  original_size;
	uint16_t                  attempts;    /* that counted */
	uint8_t                   state;       /* enum queue_state, never QUEUE_SENDING */
	uint8_t                   notify;      /* EVENT_NOTIFY_ bits */
	bool                      sending;
	bool                      quarantined; /* held by the disposition it came with */
	bool                      noticed;     /* the sender was told of the delay */
	bool                      stranded;    /* put off because its destination is away: queue_destination_hasten() frees it. Not kept over a start */
};

struct queue_entry {
	struct list         link;        /* all entries, in the journal's order */
	struct queue_entry *next;        /* in its bucket of the index by id */
	uint64_t            id;
	struct queue_place  place;
	int64_t             received_ms;
	uint64_t            body_size;
	uint64_t            parent;      /* the message this is a notice about, or 0 */
	uint32_t            header_size;
	uint32_t            flags;       /* EVENT_FLAG_ */
	uint32_t            recipient_count;
	uint32_t            open_count;  /* recipients that have not ended */
	uint32_t            pin_count;   /* recipients that are being sent */
	uint16_t            sender_size;
	uint16_t            envelope_size;
	uint8_t             origin;      /* enum event_origin */
	uint8_t             direction;   /* enum direction */
	bool                ended;       /* out of the queue; the memory waits for the last one being sent */
	void               *hot;         /* the owner's: what it still holds of the message in memory, or NULL */
	uint8_t            *text;        /* sender, envelope id, then addresses: behind the recipients, in one allocation */
	struct queue_recipient recipients[];
};

static inline struct slice queue_sender(const struct queue_entry *entry)
{
	return slice_of(entry->text, entry->sender_size);
}

static inline struct slice queue_envelope_id(const struct queue_entry *entry)
{
	return slice_of(entry->text + entry->sender_size, entry->envelope_size);
}

static inline struct queue_entry *queue_entry_of(const struct queue_recipient *recipient)
{
	/* Through an integer: a const recipient lies in an entry that its reader may still ask for writing. */
	return (struct queue_entry *)((uintptr_t)(recipient - recipient->index) - offsetof(struct queue_entry, recipients));
}

static inline struct slice queue_address(const struct queue_recipient *recipient)
{
	return slice_of(queue_entry_of(recipient)->text + recipient->text, recipient->address_size);
}

/* ORCPT as it was given, or empty. */
static inline struct slice queue_original(const struct queue_recipient *recipient)
{
	return slice_of(queue_entry_of(recipient)->text + recipient->text + recipient->address_size, recipient->original_size);
}

static inline enum queue_state queue_recipient_state(const struct queue_recipient *recipient)
{
	return recipient->sending ? QUEUE_SENDING : (enum queue_state)recipient->state;
}

/* The parts of its memo; empty when there is none. */
struct slice queue_memo_enhanced(const struct queue_recipient *recipient);
struct slice queue_memo_route(const struct queue_recipient *recipient);
struct slice queue_memo_host(const struct queue_recipient *recipient);
struct slice queue_memo_text(const struct queue_recipient *recipient);
/* The last reply's code, or 0. */
uint16_t queue_memo_code(const struct queue_recipient *recipient);

/* The address's domain: what follows its last "@"; empty without one. Borrowed. */
struct slice queue_domain(struct slice address);

#endif
