/*
 * The store behind the projections, narrow on purpose: apply projected rows together with the journal mark they reach, ask for
 * traces with a typed filter, forget everything. The journal is the truth; a store that is lost or damaged is made anew from it.
 *
 * Rows are handed in between store_begin() and store_commit(), which also stores the mark: after a crash the rows are exactly
 * those before the stored mark. One thread uses a store.
 */
#ifndef RECORDS_STORE_H
#define RECORDS_STORE_H

#include "base/arena.h"
#include "base/fault.h"
#include "journal/event.h"
#include "journal/record.h"

/* The form of the rows; a store of another version is set aside and made anew. */
#define STORE_VERSION 1

/* A step in the life of a message or session, as a trace shows it. */
struct store_step {
	uint64_t     seq;     /* of its journal record */
	uint64_t     message; /* 0: of a session without a message */
	uint64_t     session; /* 0: none */
	int64_t      at_ms;
	struct slice what;    /* "accepted", "delivered", "deferred", "refused", "release", ... */
	uint32_t     recipient; /* index, or EVENT_ALL_RECIPIENTS */
	uint32_t     code;    /* of a reply, or 0 */
	struct slice status;  /* "5.1.1" */
	struct slice who;     /* next hop, peer or administrator */
	struct slice text;
};

/* Where a recipient stands. */
struct store_recipient {
	uint32_t     index;
	struct slice address;
	struct slice state;   /* "queued", "held", "discarded", "dropped", "bounced", or an event_result_word() */
	struct slice reason;
	struct slice host;    /* next hop that last answered */
	struct slice text;    /* what it said */
	uint32_t     code;
	int64_t      at_ms;   /* of that */
	int64_t      next_ms; /* when it is tried again, or 0 */
};

struct store; /* opaque */

/* What can be asked for; every field that is set must hold. Addresses and ids are matched without ASCII case. */
struct store_filter {
	uint64_t     message;    /* this message, or all of this session when `session` is set to the same */
	uint64_t     session;
	struct slice address;    /* envelope sender, author or any recipient */
	struct slice message_id; /* the Message-ID field, with or without its brackets */
	int64_t      from_ms;    /* accepted at or after; 0: any */
	int64_t      until_ms;   /* accepted before; 0: any */
	uint64_t     before;     /* only messages with a lower id: where the last answer ended; 0: from the newest */
	uint32_t     limit;      /* at most so many; 1 to STORE_LIMIT_MAX */
};
#define STORE_LIMIT_MAX 1000u
#define STORE_RECIPIENTS_SHOWN 1000u
#define STORE_STEPS_SHOWN 1000u

/* A message with its story. Lives in the arena of the question. */
struct store_trace {
	struct event_message          message;    /* without findings, prefix, cuts and recipients */
	const struct store_recipient *recipients;
	size_t                        recipient_count;
	const struct store_step      *steps;      /* by seq; with the certificate that its session's client showed */
	size_t                        step_count;
};

/* A session, a refusal without a message. */
struct store_refusal {
	struct event_refused refused;
	uint64_t             seq;
};

struct store_calls {
	void (*close)(struct store *store);
	/* The mark up to which the rows reach; zero when the store is empty. */
	enum rc (*mark)(struct store *store, struct journal_mark *out);
	enum rc (*begin)(struct store *store);
	enum rc (*message)(struct store *store, const struct event_message *message);
	enum rc (*recipient)(struct store *store, uint64_t message, const struct store_recipient *recipient, bool fresh);
	enum rc (*step)(struct store *store, const struct store_step *step);
	enum rc (*refusal)(struct store *store, uint64_t seq, const struct event_refused *refused);
	enum rc (*commit)(struct store *store, const struct journal_mark *mark);
	void (*abort)(struct store *store);
	/* Newest first; calls `each` for every message that matches. The arena is reset between two of them. */
	enum rc (*trace)(struct store *store, const struct store_filter *filter, struct arena *arena,
	                 void (*each)(void *context, const struct store_trace *trace), void *context);
	/* The same for refusals (address: sender or recipient), newest first. */
	enum rc (*refusals)(struct store *store, const struct store_filter *filter, struct arena *arena,
	                    void (*each)(void *context, const struct store_refusal *refusal), void *context);
};

struct store {
	const struct store_calls *calls;
};

/*
 * SQLite in the file `path` (relative to the working directory). RC_CORRUPT: damaged, or of another version: the caller sets it
 * aside. RC_IO, RC_NOMEM.
 */
MUST_CHECK enum rc store_sqlite_open(const char *path, struct fault *fault, struct store **out);

/* NULL inside is legal; clears the caller's pointer. */
static inline void store_close(struct store **store)
{
	struct store *gone = *store;

	*store = NULL;
	if (gone != NULL)
		gone->calls->close(gone);
}

#endif
