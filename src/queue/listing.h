/*
 * Which entries an administrator speaks of: `hangu queue list`, `retry`, `hold`, `release`, `drop`, `reroute` all use one filter. Pure: time is an
 * argument; matching reads, never changes.
 */
#ifndef QUEUE_LISTING_H
#define QUEUE_LISTING_H

#include "queue/fold.h"

/* Every field that is set must hold. Texts are matched without regard to ASCII case. */
struct queue_filter {
	uint64_t     id;          /* this message; 0: any */
	uint32_t     states;      /* bits 1 << enum queue_state; 0: any that has not ended */
	struct slice destination; /* the whole key, or its part after the last "/" */
	struct slice domain;      /* of the recipient */
	struct slice recipient;   /* the whole address */
	struct slice sender;      /* the whole address; "<>" for the empty one; "@domain" for a domain */
	struct slice cause;       /* occurs in the reason, or is its enhanced code, its reply code ("451") or its start ("4") */
	int64_t      older_ms;    /* at least so old; 0: any */
	int64_t      younger_ms;  /* at most so old; 0: any */
	bool         quarantined; /* held by their disposition only */
};

/* Does this recipient match? */
bool queue_filter_match(const struct queue_filter *filter, const struct queue_recipient *recipient, int64_t now_ms);

/*
 * Walk the matching recipients in the order of the journal. Starts behind the message whose EVENT_MESSAGE has the sequence number `after` (0: at the front), calls `each`
 * for every matching recipient of a message, and looks at no further message once `max` have been called. `each` must not change the queue. Returns how
 * many; *ret_after is where to go on, 0 at the end.
 */
size_t queue_list(const struct queue *queue, const struct queue_filter *filter, int64_t now_ms, uint64_t after, size_t max,
                  void (*each)(void *context, const struct queue_recipient *recipient), void *context, uint64_t *ret_after);

#endif
