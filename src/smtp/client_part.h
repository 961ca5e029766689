/* What the files of the client share. Nobody outside smtp/client*.c includes this. */
#ifndef SMTP_CLIENT_PART_H
#define SMTP_CLIENT_PART_H

#include "smtp/client.h"

/* One call of smtp_client_feed() that has taken a reply. */
struct smtp_answer {
	struct smtp_client           *client;
	const struct smtp_reply_read *reply;
	struct slice                  behind; /* input after the reply */
	struct buf                   *out;
	struct smtp_client_event     *event;
};

/* Replies up to READY. */
void smtp_client_on_greeting(struct smtp_answer *answer);
void smtp_client_on_hello(struct smtp_answer *answer);
void smtp_client_on_starttls(struct smtp_answer *answer);
void smtp_client_on_auth(struct smtp_answer *answer);
/* Say EHLO, LHLO, or HELO when `extended` is false. */
void smtp_client_hello(struct smtp_client *client, bool extended, struct buf *out);

/* Replies of a transaction. */
void smtp_client_on_transaction(struct smtp_answer *answer);
void smtp_client_on_body(struct smtp_answer *answer);
void smtp_client_on_final(struct smtp_answer *answer);

/* Set the event; for SMTP_CLIENT_REFUSED also says QUIT. */
void smtp_client_tell(struct smtp_answer *answer, enum smtp_client_event_kind kind);
void smtp_client_refused(struct smtp_answer *answer, enum smtp_client_stage stage, bool answered);
/* The session is of no more use. */
void smtp_client_break(struct smtp_client *client, enum rc rc, struct smtp_client_event *event);

#endif
