/*
 * Call-ahead: does a recipient exist, asked of the mail system behind (I-21, I-23), with a cache that answers most questions on the asker's own thread. Asking is done on the
 * delivery loop with connections of its own: EHLO, MAIL FROM, RCPT TO, RSET; never DATA. Only a 5xx to RCPT says no.
 *
 * A mail system that says yes to everybody is found out by a question about a name nobody has: then every answer is CALLAHEAD_UNKNOWN, and the log says so.
 */
#ifndef DELIVER_CALLAHEAD_H
#define DELIVER_CALLAHEAD_H

#include "config/route.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "smtp/reply.h"

struct callahead; /* opaque */
struct config;

enum callahead_result {
	CALLAHEAD_YES,
	CALLAHEAD_NO,      /* 550 5.1.1 */
	CALLAHEAD_UNKNOWN, /* could not be asked, or the answer was no answer: the domain's `unverified` decides */
};

/* A question; lies with the asker, from callahead_ask() until `task` has run. */
struct callahead_query {
	struct loop          *home;    /* where the answer is run */
	struct loop_task      task;    /* .run set by the asker */
	struct slice          address; /* borrowed until the answer */
	enum callahead_result result;
	struct loop_task      there;   /* internal: on its way to the delivery loop */
	struct callahead     *owner;   /* internal */
	struct list           link;    /* internal */
};

struct callahead_options {
	struct loop     *loop;     /* the delivery loop */
	struct resolver *resolver; /* its own */
	struct config   *config;   /* in force; held while it is used */
	uint64_t         seed;
};

/* RC_NOMEM. */
MUST_CHECK enum rc callahead_open(const struct callahead_options *options, struct callahead **out);
/* On the loop's thread, or after it ended: every question is answered CALLAHEAD_UNKNOWN. Clears the caller's pointer; NULL inside is legal. */
void callahead_close(struct callahead **callahead);

/* RC_OK: known, query->result is set. RC_AGAIN: query->task will run once on query->home. Any thread. */
MUST_CHECK enum rc callahead_ask(struct callahead *callahead, struct callahead_query *query);

/* New settings, on the loop's thread. */
void callahead_config(struct callahead *callahead, struct config *config);

#endif
