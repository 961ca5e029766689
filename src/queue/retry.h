/*
 * Judgement on one attempt, and the moment of the next: what a reply means for a recipient, how long to wait, how many connections
 * a destination bears. Values in, values out; time and randomness are arguments. Nothing here knows a socket, a queue or a journal.
 *
 * Sources: RFC 5321 sections 4.2.1, 4.5.3.1.10, 4.5.4.1; RFC 3463; I-8, I-9 and I-30 of the integration page.
 */
#ifndef QUEUE_RETRY_H
#define QUEUE_RETRY_H

#include "base/slice.h"

/* ---- what a reply means ------------------------------------------------------------------------------------------------- */

/* Where in the conversation something was answered, or the line was lost. The order is the order of a conversation. */
enum retry_stage {
	RETRY_STAGE_ROUTE,    /* finding hosts: the settings, MX and address look-ups */
	RETRY_STAGE_CONNECT,  /* TCP */
	RETRY_STAGE_GREETING, /* the 220 */
	RETRY_STAGE_HELLO,    /* EHLO, HELO or LHLO */
	RETRY_STAGE_TLS,      /* STARTTLS, the handshake, the check of the name */
	RETRY_STAGE_AUTH,     /* AUTH as a client */
	RETRY_STAGE_MAIL,     /* MAIL FROM */
	RETRY_STAGE_RCPT,     /* RCPT TO of this recipient */
	RETRY_STAGE_DATA,     /* DATA, before any byte of the message */
	RETRY_STAGE_BODY,     /* while the message was being sent: its end had not left us */
	RETRY_STAGE_END,      /* the final dot or the last BDAT had left us */
	RETRY_STAGE_COUNT
};

/* The stage as a fixed word for logs and events ("connect", "final dot" ...); never NULL. */
const char *retry_stage_word(enum retry_stage stage);

/* A reply boiled down. No reply at all (lost line, time-out) is code 0. */
struct retry_reply {
	uint16_t code;    /* 200 to 599, or 0: none came */
	uint8_t  class;   /* enhanced status code (RFC 3463): 2, 4 or 5; 0: the reply had none */
	uint16_t subject; /* 0 to 999 */
	uint16_t detail;  /* 0 to 999 */
};

/* What to do with the recipients that a reply speaks of. */
enum retry_answer {
	RETRY_DELIVERED, /* the next hop has taken it */
	RETRY_NEXT_HOST, /* this host is out for this attempt: go on with the next one, or defer when it was the last */
	RETRY_AGAIN_NOW, /* take it back and offer it again without waiting and without counting an attempt (I-8) */
	RETRY_DEFER,     /* later, by the plan */
	RETRY_BOUNCE,    /* for good */
	RETRY_UNCERTAIN, /* it may have been delivered and nobody can say (RFC 5321 section 4.5.3.2.6): kept by name, then tried again */
	RETRY_ANSWER_COUNT
};

const char *retry_answer_word(enum retry_answer answer);

/*
 * What `reply` at `stage` means. `accepted_before` says whether an earlier recipient of the same transaction had been accepted: only
 * then does "too many recipients" (452, or 552 without a code that says otherwise) mean "go on with the rest at once".
 * A 2xx or 3xx before RETRY_STAGE_END is no decision and must not be asked about.
 */
enum retry_answer retry_judge(enum retry_stage stage, struct retry_reply reply, bool accepted_before);

/* Does this answer speak against the destination as a whole, so that its window should halve (I-9): 421, a lost line, a time-out, a 4xx before MAIL. */
bool retry_is_strain(enum retry_stage stage, struct retry_reply reply);

/*
 * The enhanced status code to report (RFC 3464 section 2.3.4): the reply's own when it has one that agrees with its code, else one made from
 * stage, code and answer.
 */
struct retry_reply retry_status(enum retry_stage stage, struct retry_reply reply, enum retry_answer answer);

/* ---- when to try again -------------------------------------------------------------------------------------------------- */

#define RETRY_STEPS_MAX 16u

/* The retry plan of a route. */
struct retry_plan {
	int64_t  steps_ms[RETRY_STEPS_MAX]; /* wait after the 1st, 2nd ... failed attempt; the last one holds on */
	uint32_t step_count;                /* 1 to RETRY_STEPS_MAX */
	int64_t  slow_after_ms;             /* older than this: wait slow_ms instead; 0: never */
	int64_t  slow_ms;
	int64_t  delay_notice_ms;           /* age at which the sender is told of the delay (once); 0: never */
	int64_t  expire_ms;                 /* age at which a failed attempt is the last; above 0 */
	uint32_t jitter_percent;            /* 0 to 50: each wait is spread by so much to both sides */
};

/* I-30: 1 m, 5 m, 10 m, 20 m, then 30 m up to 4 h, then hourly; jitter 20 %; delay notice after 4 h, given up after 5 days. */
extern const struct retry_plan retry_plan_standard;

/*
 * The moment of the next attempt after `attempts` (at least 1) failed ones, for a message taken at `arrived_ms`. `chance` is any number,
 * evenly spread over 32 bits. Never before `now_ms + 1`, never later than the moment of expiry unless that has passed.
 */
int64_t retry_next_ms(const struct retry_plan *plan, uint32_t attempts, int64_t arrived_ms, int64_t now_ms, uint32_t chance);

/* Has a message taken at `arrived_ms` had its time? A clock that jumped back makes it younger, never negative. */
bool retry_expired(const struct retry_plan *plan, int64_t arrived_ms, int64_t now_ms);

/* Is it old enough for the delay notice? */
bool retry_notice_due(const struct retry_plan *plan, int64_t arrived_ms, int64_t now_ms);

/* How long a host (or a whole destination) that failed `failures` times in a row is left alone: 5 s, doubling, at most 10 minutes. */
int64_t retry_host_pause_ms(uint32_t failures, uint32_t chance);

/* ---- how many at once --------------------------------------------------------------------------------------------------- */

/* The number of connections that a destination is thought to bear (I-9). */
struct retry_window {
	uint32_t max;       /* from the route; at least 1 */
	uint32_t limit;     /* now allowed: 1 to max */
	uint32_t successes; /* since the limit last moved */
};

#define RETRY_WINDOW_START 5u

struct retry_window retry_window_make(uint32_t max);
/* A transaction went through: one connection more for each full window of them. */
void retry_window_success(struct retry_window *window);
/* Strain: half as many. */
void retry_window_strain(struct retry_window *window);
/* The route's bound has changed. */
void retry_window_bound(struct retry_window *window, uint32_t max);

#endif
