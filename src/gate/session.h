/*
 * One inbound SMTP session: the stream, the protocol machine, and what is known of the client. Small while idle (about 1.3 KiB
 * and its texts); everything that belongs to one message is in gate/transaction.h.
 *
 * Belongs to the thread of its loop. It ends by on_closed of its stream, by a deadline, or by session_end().
 */
#ifndef GATE_SESSION_H
#define GATE_SESSION_H

#include "gate/inside.h"
#include "gate/recipients.h"
#include "smtp/server.h"

struct transaction;
struct naming;
struct verification;

enum session_state {
	SESSION_PROXY,     /* waits for the balancer's header */
	SESSION_HANDSHAKE, /* TLS from the first byte */
	SESSION_HUSH,      /* the greeting is held back: who speaks now is no mail server */
	SESSION_TALK,
	SESSION_STARTTLS,  /* the handshake behind STARTTLS */
	SESSION_TARPIT,    /* a refusal is held back */
	SESSION_WAIT,      /* somebody else decides: a scanner, the journal, a password check, call-ahead */
	SESSION_CLOSING,   /* the last reply is on its way */
};

#define SESSION_WINDOW      4096u          /* while commands are read: the longest line twice */
#define SESSION_WINDOW_BODY (128u << 10)

struct session {
	struct stream                 stream;
	struct loop_watch             front;       /* until the balancer's header has come: the connection before it is a stream */
	struct smtp_server            smtp;
	struct timer                  timer;
	struct list                   link;
	struct gate_loop             *home;
	struct config                *config;      /* held; the newest one is taken between two messages */
	const struct config_listener *listener;
	const struct config_account  *account;     /* who has authenticated, or NULL */
	struct transaction           *transaction; /* or NULL */
	struct naming                *naming;      /* the question for the peer's name, or NULL */
	struct account_query         *query;       /* the password that is being checked, or NULL */
	struct verification          *verification; /* the recipient that is being asked for, or NULL */
	struct net_address            peer;        /* the client; not the balancer */
	struct net_address            counted;     /* what was counted in peers; no family: nothing */
	uint64_t                      id;
	int64_t                       opened_ms;
	uint64_t                      session_until_ms; /* of the loop's clock */
	uint64_t                      message_until_ms;
	struct slice                  helo;        /* owned, as are the next two */
	struct slice                  peer_name;   /* confirmed reverse name */
	struct slice                  tls;         /* "TLSv1.3 TLS_AES_256_GCM_SHA384[, certificate SHA-256 SUBJECT]" */
	struct buf                    held;        /* replies that the tarpit holds back */
	uint32_t                      listener_index;
	uint32_t                      messages;    /* accepted */
	uint32_t                      refused;     /* replies of 4xx and 5xx */
	uint32_t                      unknown;     /* recipients */
	uint32_t                      auth_failures;
	uint32_t                      tarpit_ms;   /* for the reply being made */
	uint8_t                       state;       /* enum session_state */
	bool                          peer_ended;  /* it will send nothing more */
	bool                          quit;        /* it said so, and sends nothing more */
	bool                          passed_on;   /* with XCLIENT: the peer is not who speaks */
	bool                          certificate; /* the client's certificate is one of our own systems' */
	bool                          ours;        /* own network, internal listener, or such a certificate */
	bool                          relay;       /* in the listener's relay_from */
	const char                   *end;         /* why it ends: a fixed word */
};

/* A connection has come in. Takes the descriptor, whatever happens. */
void session_accept(struct gate_loop *home, uint32_t listener_index, int fd, const struct net_address *peer);

/*
 * End it: `reply` (421 ...) if it is at a place where one may stand, then close. A session whose message is being committed ends behind the
 * answer to that, if its loop is shedding sessions by then. `end` is a fixed word.
 */
void session_end(struct session *session, const struct smtp_reply *reply, const char *end);

/* Between two messages, and nothing is under way? */
bool session_idle(const struct session *session);

/* ---- between session.c and session_begin.c ---- */

extern const struct stream_handlers session_handlers;

/* The deadline of whatever state the session is in. */
void session_timer(struct timer *timer);
void session_set_deadline(struct session *session);
/* The client may come in: greet it, at once or after the listener's delay. */
void session_begin_talk(struct session *session);
/* The machine as the client's address and TLS ask for it. */
void session_begin_machine(struct session *session);
/* Somebody we believe told us who the client is; then what follows from its address. */
void session_set_peer(struct session *session, struct ip told);
void session_know_peer(struct session *session);
/* Newer settings are in force, and the session is between two messages: go on by them. False: by them it may not go on. */
MUST_CHECK bool session_take_settings(struct session *session);
/* PROXY was asked for and did not come: the session is gone afterwards. */
void session_proxy_failed(struct session *session, const char *why);
void session_forget_naming(struct session *session);
/* One of the session's own texts: a copy, cut at 255 bytes; without memory it is empty. */
void session_text_set(struct slice *slot, struct slice text);
void session_text_drop(struct slice *slot);
/* Close the connection at once; the session is gone afterwards. `end` is a fixed word. */
void session_close(struct session *session, const char *end);
/* The last act: what held a connection is closed already. */
void session_free(struct session *session);

/* ---- for the files that decide (session_mail.c, transaction.c) ---- */

/* The pending event was decided into home->out by smtp_server_accept() or _reply() after a wait: send, and go on. */
void session_go_on(struct session *session);

/* Refuse the pending event and write down why. `reason` is a fixed word. Delayed by the tarpit when the session earned it. */
void session_refuse(struct session *session, const struct smtp_reply *reply, enum event_stage stage, struct slice recipient,
                    const char *reason);

/*
 * Only write down and count a refusal that is answered elsewhere. `reply` without a code: nothing can be answered, because no SMTP is spoken yet
 * (the balancer's header, the TLS handshake).
 */
void session_note_refusal(struct session *session, enum event_stage stage, const struct smtp_reply *reply, struct slice recipient,
                          const char *reason);

/*
 * What every refusal comes down to: its event for the trace, its line in the log, its counter. Fills in time, code, status and text. `line`: the
 * command that was refused, where the machine itself did it.
 */
void session_tell_refusal(struct gate_loop *home, struct event_refused *event, const struct smtp_reply *reply, struct slice line);

/* The events that concern a message: MAIL to BODY_END. True when it was one of them. */
bool session_mail_event(struct session *session, const struct smtp_event *event);

/* The three ends of RCPT: take the recipient, refuse it as unknown, ask the mail system behind about it (session_verify.c). */
void session_take_recipient(struct session *session, const struct recipient_decision *decision, struct slice orcpt, uint32_t notify);
void session_refuse_unknown(struct session *session, struct slice address);
void session_verify(struct session *session, const struct recipient_decision *decision, struct slice orcpt, uint32_t notify);
/* The session is going: its question will be answered to nobody. */
void session_forget_verification(struct session *session);

/* May this client send anywhere? */
static inline bool session_is_ours(const struct session *session)
{
	return session->ours || session->certificate || session->account != NULL;
}

#endif
