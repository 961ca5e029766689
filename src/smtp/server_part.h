/*
 * What the files of the server share: the phases of a session, and how each verb's file is called. Nobody outside
 * smtp/server*.c includes this.
 */
#ifndef SMTP_SERVER_PART_H
#define SMTP_SERVER_PART_H

#include "smtp/order.h"
#include "smtp/server.h"

/* What the next byte of the peer is. */
enum smtp_phase {
	PHASE_COMMAND,
	PHASE_AUTH, /* an answer to a 334 */
	PHASE_DATA,
	PHASE_DATA_SWALLOW, /* the rest of a refused body; server->held is its answer */
	PHASE_CHUNK,
	PHASE_CHUNK_SWALLOW, /* of a chunk that was answered already */
	PHASE_TLS,           /* none: the handshake is to come */
	PHASE_CLOSE,         /* dropped */
};

/* One call of smtp_server_feed(). */
struct smtp_feed {
	struct smtp_server *server;
	struct slice       *input;
	struct buf         *out;
	struct smtp_event  *event;
	struct smtp_command command;
};

/* Append a reply, with its enhanced code if those are offered. */
void smtp_server_put(const struct smtp_server *server, const struct smtp_reply *reply, struct buf *out);

/* Answer a command with a refusal of the machine's own and tell it: the event is SMTP_EVENT_REFUSED. */
void smtp_server_refuse(struct smtp_feed *feed, enum smtp_refusal refusal, const struct smtp_reply *reply);
/* The same, and the session is over. */
void smtp_server_refuse_last(struct smtp_feed *feed, enum smtp_refusal refusal, const struct smtp_reply *reply);

/* 503 with a word about what is missing. */
void smtp_server_refuse_order(struct smtp_feed *feed);

/* Stop for a decision on `kind`. */
void smtp_server_ask(struct smtp_feed *feed, enum smtp_event_kind kind);

/* A command that moves nothing was answered: too many of them are an error. May set the event to SMTP_EVENT_REFUSED. */
void smtp_server_idle(struct smtp_feed *feed);

/* Legal here? If not it has been refused. The place itself moves when the command is accepted (smtp_server_move). */
MUST_CHECK bool smtp_server_may(struct smtp_feed *feed, enum smtp_on on);
void            smtp_server_move(struct smtp_server *server, enum smtp_on on);

/* The transaction is over or forgotten; `at` is the caller's to set. */
void smtp_server_forget(struct smtp_server *server);

/* What the peer may use now: enum smtp_extension joined. */
unsigned smtp_server_offers(const struct smtp_server *server);

/*
 * A line of the peer. False: more bytes are needed, or it was refused and the session is over (then the event says so).
 */
MUST_CHECK bool smtp_server_take_line(struct smtp_feed *feed, struct slice *line);

/* Has the peer gone on where PIPELINING is not offered? Then that was refused and the session is over. */
MUST_CHECK bool smtp_server_sent_ahead(struct smtp_feed *feed);

/* Verbs. Each either leaves the event at SMTP_EVENT_NONE (answered; go on) or sets it. */
void smtp_server_hello(struct smtp_feed *feed);
void smtp_server_starttls(struct smtp_feed *feed);
void smtp_server_xclient(struct smtp_feed *feed);
void smtp_server_auth(struct smtp_feed *feed);
void smtp_server_mail(struct smtp_feed *feed);
void smtp_server_rcpt(struct smtp_feed *feed);
void smtp_server_data(struct smtp_feed *feed);
void smtp_server_bdat(struct smtp_feed *feed);

/* Phases other than commands. True: something was done, look again (or at the event); false: more bytes are needed. */
MUST_CHECK bool smtp_server_auth_line(struct smtp_feed *feed);
MUST_CHECK bool smtp_server_data_bytes(struct smtp_feed *feed);
MUST_CHECK bool smtp_server_data_swallow(struct smtp_feed *feed);
MUST_CHECK bool smtp_server_chunk_bytes(struct smtp_feed *feed);
MUST_CHECK bool smtp_server_chunk_swallow(struct smtp_feed *feed);

/* Decisions: what accepting means beyond the reply. `reply` is NULL for the standard one. */
void smtp_server_hello_accept(struct smtp_server *server, struct buf *out);
void smtp_server_data_decide(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out);
void smtp_server_end_decide(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out);

/* Wipe and free what AUTH or XCLIENT decoded. */
void smtp_server_wipe(struct smtp_server *server);

#endif
