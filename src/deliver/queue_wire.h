/*
 * What `hangu queue` and the gate say to each other over the control socket: one frame asks, one frame answers. Little-endian, versioned, bounded; either side reads the other
 * as untrusted.
 *
 *   request  u8 version, u8 kind, u8 verb, u8 zero; filter: u64 id, u32 states, i64 older_ms, i64 younger_ms, u8 quarantined, block destination, domain, recipient,
 *            sender, cause; u64 after; u32 max; block route, block reason
 *   answer   u8 version, u8 kind, u8 rc, u8 zero; u64 after, matched, changed, busy; u32 count; rows (list), counts (summary)
 */
#ifndef DELIVER_QUEUE_WIRE_H
#define DELIVER_QUEUE_WIRE_H

#include "base/arena.h"
#include "queue/listing.h"
#include "queue/schedule.h"

#define QUEUE_WIRE_VERSION     1u
#define QUEUE_WIRE_TEXT_MAX    1024u
#define QUEUE_WIRE_ROWS_MAX    200u
#define QUEUE_WIRE_REQUEST_MAX (16u << 10)
#define QUEUE_WIRE_ANSWER_MAX  (60u << 10)
#define QUEUE_WIRE_ACTS_MAX    10000u /* recipients that match, then a request looks at no further message: ask again */

enum queue_wire_kind {
	QUEUE_WIRE_LIST,         /* recipients, a page at a time */
	QUEUE_WIRE_SUMMARY,      /* counts of the whole queue */
	QUEUE_WIRE_DESTINATIONS, /* one row each; `after` counts them */
	QUEUE_WIRE_ACT,          /* `verb` on every recipient that matches */
	QUEUE_WIRE_KIND_COUNT
};

struct queue_wire_request {
	enum queue_wire_kind kind;
	enum event_verb      verb;   /* for ACT */
	struct queue_filter  filter;
	uint64_t             after;  /* where the last page ended, 0: start */
	uint32_t             max;    /* rows wanted, 1 to QUEUE_WIRE_ROWS_MAX */
	struct slice         route;  /* for VERB_REROUTE */
	struct slice         reason; /* for ACT: why */
};

struct queue_wire_row {
	uint64_t     id;
	uint32_t     recipient;
	uint8_t      state;       /* enum queue_state */
	bool         quarantined;
	uint16_t     attempts;
	uint16_t     code;
	int64_t      received_ms, tried_ms, due_ms;
	uint64_t     bytes;
	struct slice sender, address, destination, enhanced, host, text;
};

struct queue_wire_destination {
	struct slice key;
	uint64_t     recipients, ready;
	bool         paused;
	int64_t      paused_until_ms;
	uint32_t     connections, window;
	struct slice trouble; /* what its hosts last said, or empty */
};

struct queue_wire_answer {
	enum queue_wire_kind kind;
	enum rc              rc;      /* of the request as a whole; RC_NOTFOUND: no route of that name */
	uint64_t             after;   /* where to go on; 0: this was the end */
	uint64_t             matched; /* recipients; of a list: of the messages on this page, more than `count` when one was larger than a page */
	uint64_t             changed; /* acts written */
	uint64_t             busy;    /* matched, but being sent just now: ask again */
	struct queue_counts  counts;  /* SUMMARY */
	const struct queue_wire_row         *rows;
	const struct queue_wire_destination *destinations;
	size_t               count;   /* of rows or destinations */
};

void queue_wire_request_put(struct buf *out, const struct queue_wire_request *request);
/* RC_SYNTAX, RC_UNSUPPORTED (another version). Slices borrow from `bytes`. */
MUST_CHECK enum rc queue_wire_request_read(struct slice bytes, struct queue_wire_request *out);

/* An answer is written head first, then row by row; false when a row does not fit any more: then it was not written. */
void queue_wire_answer_put(struct buf *out, const struct queue_wire_answer *answer);
bool queue_wire_row_put(struct buf *out, const struct queue_wire_row *row);
bool queue_wire_destination_put(struct buf *out, const struct queue_wire_destination *destination);
/* After the last row: write `after`, `matched` and the count of rows into the head. */
void queue_wire_answer_end(struct buf *out, uint64_t after, uint64_t matched, uint32_t count);

/* RC_SYNTAX, RC_UNSUPPORTED, RC_NOMEM (arena). */
MUST_CHECK enum rc queue_wire_answer_read(struct slice bytes, struct arena *arena, struct queue_wire_answer *out);

#endif
