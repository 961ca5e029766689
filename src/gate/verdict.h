/*
 * From findings to what is done: dispositions for each recipient, our header fields, and the event that the journal keeps. Pure:
 * values in, values out. This is the built-in table's verdict; the judge of later work takes its place behind the same face.
 */
#ifndef GATE_VERDICT_H
#define GATE_VERDICT_H

#include "config/config.h"
#include "policy/dispose.h"
#include "smtp/reply.h"

enum scan_state {
	SCAN_STATE_DONE,
	SCAN_STATE_UNSCANNABLE,
	SCAN_STATE_UNAVAILABLE,
};

/* One message's verdict; borrowed findings stay the caller's. */
struct verdict {
	const struct policy_settings *settings;
	const struct config          *config;
	enum scan_state               state;
	const struct findings        *findings; /* NULL unless SCAN_STATE_DONE */
	const struct header_cut      *cuts;     /* the scanner's, or without one our own */
	size_t                        cut_count;
	struct disposition            worst;    /* over all recipients seen so far */
	struct disposition            refusal;  /* the first POLICY_REJECT */
	size_t                        recipients;
	size_t                        refused;
};

/*
 * What a scanner found, or did not: without findings the fields of `body` that only the receiving side may write (I-12) are looked for here.
 * If they cannot all be cut, a message that would pass unscanned is held as unscannable instead. `options` are those the scan was asked for
 * with. RC_NOMEM: `arena`, in which cuts of our own live, is full.
 */
MUST_CHECK enum rc verdict_make(const struct config *config, enum scan_state state, const struct findings *findings,
                                const struct scan_options *options, struct slice body, struct arena *arena, struct verdict *out);

/*
 * Decide for one recipient: sets its disposition and reason. A rejection becomes a hold here, because others may get the message
 * (I-26); verdict_refuses() tells afterwards whether everybody would have refused it.
 */
void verdict_recipient(struct verdict *verdict, enum direction direction, bool postmaster, struct event_recipient *recipient);

/* Every recipient refuses it: then *reply says why, and nothing is kept. */
bool verdict_refuses(const struct verdict *verdict, struct smtp_reply *reply);

/* Is it refused because it goes round? */
bool verdict_is_loop(const struct verdict *verdict);

/* The word of what decided; a static text. */
const char *verdict_reason(const struct verdict *verdict);

/*
 * Fill what the verdict knows into *event (class, score, extracts, cuts, prefix) and append the event to `payload`. What *event
 * points to then lives in `arena`. RC_NOMEM.
 */
MUST_CHECK enum rc verdict_compose(const struct verdict *verdict, struct event_message *event, struct slice body, bool tls,
                                   bool extended, struct arena *arena, struct buf *payload);

#endif
