/*
 * One message on its way in, from MAIL to the answer at the final dot: envelope, slab, scan, disposition, journal. It outlives
 * its session when the journal already has it; before that it goes with the session.
 *
 *     open ── add* ── begin ── append* ── finish ── scan ── decide ── commit ── answer
 *
 * Everything runs on the session's loop, except that the committer's thread hands a durable message to the delivery loop.
 */
#ifndef GATE_TRANSACTION_H
#define GATE_TRANSACTION_H

#include "gate/recipients.h"
#include "gate/session.h"

struct transaction; /* opaque */

/* MAIL was accepted. RC_NOMEM. The session's `transaction` is set by the caller. */
MUST_CHECK enum rc transaction_open(struct session *session, const struct smtp_mail *mail, struct transaction **out);

/*
 * A recipient that was decided to be accepted. A second one of the same address changes nothing. RC_NOMEM. `orcpt` as in
 * struct smtp_rcpt, `notify` EVENT_NOTIFY_ bits.
 */
MUST_CHECK enum rc transaction_add(struct transaction *transaction, const struct recipient_decision *decision, struct slice orcpt,
                                   uint32_t notify);
/* The least message_size_max of the recipients' domains; 0: none has one. */
uint64_t transaction_size_max(const struct transaction *transaction);

/* The body begins: takes a slab. RC_NOMEM: too much is under way. */
MUST_CHECK enum rc transaction_begin(struct transaction *transaction, uint64_t size_max);
/* RC_NOMEM, RC_LIMIT as slab_append(). */
MUST_CHECK enum rc transaction_append(struct transaction *transaction, struct slice bytes);
/* The body is whole. The answer comes through smtp_server_reply() and session_go_on(), never from in here. */
void transaction_finish(struct transaction *transaction);

/*
 * The journal has it, or the next hop is being asked: the answer comes by itself and soon, and without it the client would send the
 * message a second time.
 */
bool transaction_commits(const struct transaction *transaction);

/* RSET, a refused body, or the session is gone: nobody will be answered. The session forgets it. */
void transaction_abandon(struct transaction *transaction);

struct slice transaction_sender(const struct transaction *transaction);
uint64_t     transaction_id(const struct transaction *transaction);

#endif
