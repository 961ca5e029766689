/*
 * The client's side of an SMTP or LMTP session as a machine: fed with the next hop's bytes, it answers with events and
 * with bytes to send. No sockets, no clock, no memory of its own. RFC 5321, 2033, 2920, 1870, 6152, 3030, 3461, 6531,
 * 3207, 4954.
 *
 * How it is driven:
 *
 *     smtp_client_init();                        the connection stands (TLS already on:
 *     smtp_client_config.tls_on_connect) on readable: put the bytes behind what was left over, then
 *         do { kind = smtp_client_feed(&client, &input, &out, &event); ... } while (kind != SMTP_CLIENT_NONE);
 *         keep what is left of `input` (part of a reply, at most SMTP_REPLY_BYTES_MAX octets), send `out`.
 *     SMTP_CLIENT_READY: smtp_client_start(envelope) for the next message, or smtp_client_quit().
 *     SMTP_CLIENT_BODY:  send `out`, then the body (by smtp/dot.h's encoder, with its end; or raw, event.chunked), then
 *     smtp_client_body_sent().
 *
 * One transaction goes: start, [SENDER refused], RECIPIENT for each recipient, [BODY], RESULT (SMTP: one for all
 * accepted recipients; LMTP: one for each), DONE. Every recipient hears of its fate exactly once: by a RECIPIENT that
 * refuses, by a RESULT, or by SENDER / DONE / CLOSING / BROKEN / smtp_client_lost() when the whole transaction ended
 * before.
 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/buf.h"
#include "smtp/parameter.h"
#include "smtp/reply.h"

#define SMTP_CLIENT_RECIPIENTS_MAX 1024u /* in one transaction */
#define SMTP_CLIENT_WINDOW         64u   /* commands sent ahead of their replies */

enum smtp_client_tls {
	SMTP_CLIENT_TLS_NEVER,
	SMTP_CLIENT_TLS_IF_OFFERED, /* also goes on in plain text when STARTTLS is answered 4xx or 5xx */
	SMTP_CLIENT_TLS_REQUIRED,   /* not offered or refused: SMTP_CLIENT_REFUSED at stage STARTTLS */
};

/* Constant while the session uses it. */
struct smtp_client_config {
	struct slice         host; /* our name in EHLO */
	enum smtp_client_tls tls;
	bool                 tls_on_connect; /* TLS is on already */
	bool                 lmtp;           /* LHLO; one reply for each recipient after the body */
	bool                 pipelining;     /* use it where offered */
	bool                 chunking;       /* use BDAT where offered */
	bool                 auth_in_clear;  /* AUTH also without TLS */
	struct slice         user, password; /* AUTH with these where `user` is not empty; PLAIN, or else LOGIN. Not
	                                        offered: refused at stage AUTH */
};

struct smtp_client_recipient {
	struct slice address; /* "local@domain" or "postmaster" */
	unsigned     notify;  /* enum smtp_notify joined; sent where DSN is offered */
	struct slice orcpt;   /* encoded, "rfc822;..."; sent where DSN is offered; empty: none */
};

/* One transaction; the caller keeps it alive until DONE (or the end of the session). */
struct smtp_client_envelope {
	struct slice                        sender; /* "local@domain"; empty: <> */
	const struct smtp_client_recipient *recipients;
	size_t                              count; /* 1 to SMTP_CLIENT_RECIPIENTS_MAX */
	uint64_t                            size;  /* bytes of the message as sent by BDAT (before dots are doubled) */
	bool                                eightbit; /* BODY=8BITMIME where offered; where not: what to do is the
	                                                 caller's (route's) to decide before */
	bool                                smtputf8;
	enum smtp_ret                       ret;     /* sent where DSN is offered */
	struct slice                        envid;   /* encoded; sent where DSN is offered */
	bool                                no_data; /* only ask: MAIL and RCPT, then RSET (call-ahead) */
};

enum smtp_client_event_kind {
	SMTP_CLIENT_NONE,      /* more bytes are needed: send `out`, wait */
	SMTP_CLIENT_STARTTLS,  /* do the handshake, then smtp_client_tls_started(). The input is empty: bytes behind
	                          the 220 are SMTP_CLIENT_BROKEN */
	SMTP_CLIENT_READY,     /* smtp_client_start() may be called; client->extensions and ->size_max say what is
	                          offered */
	SMTP_CLIENT_SENDER,    /* MAIL was refused: event.reply; the whole transaction has this answer; DONE follows */
	SMTP_CLIENT_RECIPIENT, /* event.index, event.reply, event.accepted; event.too_many: send the rest in another
	                          transaction at once (I-8) */
	SMTP_CLIENT_BODY,      /* send the body now, as event.chunked says */
	SMTP_CLIENT_RESULT,    /* the message's answer: event.reply, event.accepted; event.index for LMTP,
	                          SMTP_CLIENT_ALL for SMTP: every accepted recipient. Also a DATA or BDAT that was
	                          refused */
	SMTP_CLIENT_DONE,      /* the transaction is over: smtp_client_start() may be called again */
	SMTP_CLIENT_REFUSED,   /* the session was refused: event.stage, event.reply (lines 0: nothing was answered,
	                          e.g. STARTTLS not offered); the client has sent QUIT; CLOSING follows */
	SMTP_CLIENT_CLOSING,   /* 221, or 421 in event.reply (lines 0: none): close the connection. Recipients
	                          without an answer have this one */
	SMTP_CLIENT_BROKEN,    /* event.rc: RC_SYNTAX or RC_LIMIT: no SMTP, or bytes where none may be. Close; what
	                          smtp_client_lost() says holds for the message */
	SMTP_CLIENT_COUNT
};

#define SMTP_CLIENT_ALL SIZE_MAX

enum smtp_client_stage {
	SMTP_STAGE_GREETING,
	SMTP_STAGE_HELLO,
	SMTP_STAGE_STARTTLS,
	SMTP_STAGE_HANDSHAKE, /* between 220 and smtp_client_tls_started() */
	SMTP_STAGE_AUTH,
	SMTP_STAGE_READY,
	SMTP_STAGE_MAIL,
	SMTP_STAGE_RCPT,
	SMTP_STAGE_DATA,
	SMTP_STAGE_BODY,  /* ours to send */
	SMTP_STAGE_FINAL, /* after the dot */
	SMTP_STAGE_RSET,
	SMTP_STAGE_QUIT,
	SMTP_STAGE_CLOSED,
	SMTP_STAGE_COUNT
};

/* "greeting", "ehlo", "starttls" ...: a fixed word for traces; never NULL. */
const char *smtp_client_stage_word(enum smtp_client_stage stage);

struct smtp_client_event {
	enum smtp_client_event_kind kind;
	enum smtp_client_stage      stage;
	size_t                      index;
	bool                        accepted;
	bool                        too_many;
	bool                        chunked;
	enum rc                     rc;
	struct smtp_reply_read      reply; /* borrowed from the input */
};

/* The fields are the machine's, those marked R may be read. */
struct smtp_client {
	const struct smtp_client_config   *config;
	const struct smtp_client_envelope *envelope;

	uint64_t size_max;                                     /* R of SIZE; 0: no number, or not offered */
	uint64_t is_accepted[SMTP_CLIENT_RECIPIENTS_MAX / 64]; /* a bit for each recipient */
	unsigned extensions;  /* R enum smtp_extension joined: what the last EHLO offered */
	uint32_t sent;        /* commands of the transaction written: [RSET] MAIL RCPT... [DATA] */
	uint32_t answered;    /* their replies */
	uint32_t accepted;    /* R recipients accepted */
	uint32_t result_next; /* LMTP: the recipient whose final reply is next */
	uint32_t errors;      /* R replies 500 to 504 in this session: protocol errors, of which a peer bears few (I-7) */
	uint8_t  stage;       /* R enum smtp_client_stage */
	uint8_t  owed;        /* an event to tell next: enum smtp_client_event_kind, or 0 */
	uint8_t  fate;        /* enum rc: what smtp_client_lost() says of a session that is over */
	uint8_t  auth_step;
	bool     tls;      /* R */
	bool     extended; /* EHLO (LHLO), not HELO, is or was said */
	bool     auth_plain, auth_login, authenticated;
	bool     starttls_refused;
	bool     sender_refused;
	bool     with_reset;   /* RSET stands in front of this transaction's MAIL */
	bool     reset_needed; /* the peer may hold an open transaction */
	bool     chunked;
};

void smtp_client_init(struct smtp_client *client, const struct smtp_client_config *config);

/*
 * Take bytes from the front of `*input`; see the top of this page. Returns event->kind. A failed `out` (its bound) is
 * the caller's to see: close then.
 */
enum smtp_client_event_kind smtp_client_feed(struct smtp_client *client, struct slice *input, struct buf *out,
                                             struct smtp_client_event *event);

/* The handshake is done: says EHLO again; what plain text told is forgotten (RFC 3207 section 4.2). */
void smtp_client_tls_started(struct smtp_client *client, struct buf *out);

/*
 * Begin a transaction after READY or DONE.
 *
 * RC_UNSUPPORTED  SMTPUTF8 is needed and not offered (I-5: 550 5.6.7). RC_LIMIT: larger than the peer's SIZE (552
 *                 5.3.4).
 * RC_SYNTAX       an address or parameter that would break the command line. RC_CONFLICT: not ready.
 * Anything but RC_OK sends nothing and leaves the client ready. `envelope->recipients[i]` are asked in this order.
 */
MUST_CHECK enum rc smtp_client_start(struct smtp_client *client, const struct smtp_client_envelope *envelope,
                                     struct buf *out);

/* The body and its end (the dot, or the last byte of the chunk) are on their way. */
void smtp_client_body_sent(struct smtp_client *client);

/* After READY or DONE: say QUIT; CLOSING follows. */
void smtp_client_quit(struct smtp_client *client, struct buf *out);

/* May a transaction be started? */
bool smtp_client_ready(const struct smtp_client *client);

/*
 * The connection is gone, or its time ran out: what does that mean for the recipients that have no answer yet?
 * RC_UNCERTAIN: the whole body with its end was sent and not answered (RFC 5321 section 4.5.3.2.6): it may or may not
 * have been taken. RC_CLOSED: it was not taken. RC_OK: no transaction was open.
 */
enum rc smtp_client_lost(const struct smtp_client *client);

/*
 * How long to wait for the next byte in the present stage, in seconds: RFC 5321 section 4.5.3.2. In SMTP_STAGE_BODY:
 * for progress in sending.
 */
unsigned smtp_client_timeout_s(const struct smtp_client *client);

_Static_assert(sizeof(struct smtp_client) < 300, "a connection is small");

#endif
