/*
 * The server's side of an SMTP (or LMTP) session as a machine: fed with the peer's bytes, it answers with events for
 * the one who decides and with bytes to send. No sockets, no clock, no memory but a small buf while AUTH is under way.
 * RFC 5321, 2033, 2920, 1870, 6152, 3030, 2034, 3461, 6531, 3207, 4954, and Postfix's XCLIENT.
 *
 * How it is driven:
 *
 *     smtp_server_init(); smtp_server_greet();
 *     on readable: put the bytes behind what was left over, then
 *         do { kind = smtp_server_feed(&server, &input, &out, &event); ... } while (kind != SMTP_EVENT_NONE);
 *         keep what is left of `input` (at most SMTP_COMMAND_LINE_MAX octets unless a decision is pending) and send
 *         `out`.
 *
 * `out` is sent when feed has nothing more to say, or when a decision takes time; so the replies to pipelined commands
 * leave together (RFC 2920 section 3.2). A kind marked DECIDE stops the machine: until smtp_server_accept() or
 * smtp_server_reply() was called, feed takes nothing and returns SMTP_EVENT_NONE. Slices of an event are borrowed from
 * the input (or from the server, for AUTH) and are good until the next call.
 *
 * The machine answers everything that the grammar, the order of commands, its configuration and the bounds decide; each
 * such refusal is told by SMTP_EVENT_REFUSED, for the trace and the counters. The envelope is the caller's to keep: the
 * machine counts only.
 *
 * A transaction begins with an accepted SMTP_EVENT_MAIL and ends with the reply to SMTP_EVENT_BODY_END, with
 * SMTP_EVENT_BODY_DEAD, or with any of HELLO (accepted), STARTTLS (accepted), XCLIENT (accepted), RESET, QUIT, CLOSE.
 */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include "base/buf.h"
#include "smtp/command.h"
#include "smtp/dot.h"
#include "smtp/parameter.h"
#include "smtp/reply.h"
#include "smtp/xclient.h"

/*
 * Commands that move nothing (NOOP, RSET, VRFY, HELP, EHLO) taken between two messages; each one above counts as
 * an error.
 */
#define SMTP_IDLE_COMMANDS_MAX 100u
/* Bytes of a refused body that are swallowed for the sake of its answer, where message_bytes_max is not larger. */
#define SMTP_SWALLOW_MAX       ((uint64_t)64 << 20)

/* What a listener offers and allows; constant while sessions use it. */
struct smtp_server_config {
	struct slice        host;                /* our name in the greeting and in the answer to EHLO */
	unsigned            extensions;          /* enum smtp_extension joined: what may be offered. STARTTLS is
	                                           offered while TLS is off, AUTH while it is on, XCLIENT to peers
	                                           marked so */
	uint64_t            message_bytes_max;   /* SIZE; 0: no bound and no number offered */
	uint64_t            data_line_bytes_max; /* longest line of a message without CRLF; 0: no bound. Lines are
	                                            never folded */
	uint32_t            recipients_max;      /* accepted in one transaction; then 452 4.5.3. At least 100 (RFC
	                                           5321 section 4.5.3.1.8) */
	uint32_t            errors_max;          /* refusals of the machine's own in one session; the one that passes
	                                           it is answered 421 and ends it. 0: no bound */
	enum smtp_line_ends line_ends;           /* NORMALISE: peers that send bare LF are borne with (commands too).
	                                           The end of data stays CRLF.CRLF */
	bool                bdat_any_bytes;      /* BDAT bodies are not checked for bare CR, bare LF and NUL (the
	                                           sender by DATA downstream then has to) */
	bool                lmtp;                /* LHLO instead of EHLO; one reply for each accepted recipient after
	                                           the body */
	bool                tls_required;        /* 530 5.7.0 to everything but EHLO, STARTTLS, NOOP, RSET, QUIT, HELP
	                                           while TLS is off (RFC 3207 section 4) */
	bool                auth_required;       /* 530 5.7.0 to MAIL without authentication (RFC 4954 section 6) */
};

/* What is known of the peer when the session begins. */
struct smtp_server_peer {
	bool tls;            /* TLS is on already (implicit TLS) */
	bool xclient;        /* may use XCLIENT */
	bool long_addresses; /* ADDRESS_LONG: an Exchange server of ours */
};

enum smtp_event_kind {
	SMTP_EVENT_NONE,      /* more bytes are needed, or a decision is pending: send `out`, wait */
	SMTP_EVENT_HELLO,     /* DECIDE  EHLO, HELO or LHLO (event.verb) with event.name as the peer wrote it */
	SMTP_EVENT_STARTTLS,  /* DECIDE  accepted: send `out`, do the handshake, call smtp_server_tls_started(). What
	                         else arrived in plain text is the end of it */
	SMTP_EVENT_AUTH,      /* DECIDE  event.auth; accepted: 235 */
	SMTP_EVENT_XCLIENT,   /* DECIDE  event.xclient; accepted: a new greeting, and the session begins anew */
	SMTP_EVENT_MAIL,      /* DECIDE  event.mail */
	SMTP_EVENT_RCPT,      /* DECIDE  event.rcpt */
	SMTP_EVENT_DATA,      /* DECIDE  before the first byte of the body, by DATA or BDAT (event.verb); a refusal
	                         is 4xx/5xx for the message */
	SMTP_EVENT_BODY,      /* told    event.body: append to the message; dots taken out, line ends checked */
	SMTP_EVENT_BODY_END,  /* DECIDE  the message is whole: the promise is the 250. LMTP: one reply for each
	                         accepted recipient, in their order */
	SMTP_EVENT_BODY_DEAD, /* told    event.refusal: the body broke a rule or bound; drop it. The machine swallows
	                         the rest and answers; the transaction is over */
	SMTP_EVENT_RESET,     /* told    RSET, answered: the transaction, if any, is over */
	SMTP_EVENT_VRFY,      /* told    VRFY, answered 252; event.name is what was asked for */
	SMTP_EVENT_REFUSED,   /* told    event.refusal: the machine has answered a command with 4xx or 5xx */
	SMTP_EVENT_QUIT,      /* told    QUIT, answered; SMTP_EVENT_CLOSE follows */
	SMTP_EVENT_CLOSE,     /* told    send `out`, then close; event.refusal says why (SMTP_REFUSAL_NONE after QUIT
	                         or a reply of the caller's). Feeding on drops the input and says CLOSE again */
	SMTP_EVENT_COUNT
};

/* Why the machine refused: names for the trace and the counters. */
enum smtp_refusal {
	SMTP_REFUSAL_NONE,
	SMTP_REFUSAL_VERB,         /* 500 unknown command */
	SMTP_REFUSAL_OFFER,        /* 502 a command that is not offered here (EXPN, AUTH without TLS, BDAT ...) */
	SMTP_REFUSAL_FOREIGN,      /* 500 and close: HTTP or the like */
	SMTP_REFUSAL_ORDER,        /* 503 bad sequence of commands */
	SMTP_REFUSAL_ARGUMENTS,    /* 501 arguments */
	SMTP_REFUSAL_ADDRESS,      /* 501 5.1.7 / 5.1.3 address syntax */
	SMTP_REFUSAL_UTF8,         /* 553 5.6.7 UTF-8 address without SMTPUTF8 */
	SMTP_REFUSAL_PARAMETER,    /* 555 unknown parameter */
	SMTP_REFUSAL_LINE_ENDS,    /* 500 and close: bare CR, bare LF or NUL in a command; 554 5.6.0 in a message,
	                              then close */
	SMTP_REFUSAL_LINE_LONG,    /* 500 a command line, 554 a message line that is too long */
	SMTP_REFUSAL_SIZE,         /* 552 5.3.4 declared or real */
	SMTP_REFUSAL_RECIPIENTS,   /* 452 4.5.3 */
	SMTP_REFUSAL_NO_RECIPIENT, /* 554 5.5.1 DATA or BDAT when every recipient was refused */
	SMTP_REFUSAL_TLS,          /* 530 5.7.0 TLS first */
	SMTP_REFUSAL_AUTH,         /* 530 5.7.0 authentication first */
	SMTP_REFUSAL_AUTH_FORM,    /* 501 5.5.2 no base64, 504 unknown mechanism, 501 cancelled */
	SMTP_REFUSAL_MEMORY,       /* 454 4.7.0 no memory for AUTH */
	SMTP_REFUSAL_INJECTION,    /* plaintext pipelined behind STARTTLS or XCLIENT: dropped, 554 5.5.0, close */
	SMTP_REFUSAL_CHUNK,        /* 501 and close: a BDAT whose size cannot be read, so that no command can be told
	                              from content after it */
	SMTP_REFUSAL_ERRORS,       /* 421 4.7.0 and close: errors_max passed */
	SMTP_REFUSAL_DECIDED,      /* the caller's own refusal, repeated to the next BDAT of the same message */
	SMTP_REFUSAL_AHEAD,        /* 554 5.5.0 and close: sent ahead of an answer where PIPELINING is not offered */
	SMTP_REFUSAL_COUNT
};

/* "unknown-command" ...: a fixed lower-case word; never NULL. */
const char *smtp_refusal_word(enum smtp_refusal refusal);

enum smtp_mechanism {
	SMTP_AUTH_PLAIN, /* RFC 4616 */
	SMTP_AUTH_LOGIN, /* draft-murchison-sasl-login: what some clients still speak */
};

/* Decoded credentials: any bytes but NUL; good until the decision, then wiped. */
struct smtp_credentials {
	enum smtp_mechanism mechanism;
	struct slice        authzid; /* PLAIN only; empty: the user itself */
	struct slice        user;
	struct slice        password;
};

struct smtp_event {
	enum smtp_event_kind kind;
	enum smtp_verb       verb;    /* the command it came from; SMTP_VERB_UNKNOWN if none */
	struct smtp_reply    reply;   /* REFUSED, BODY_DEAD: what is answered, its text static; otherwise its code is 0 */
	enum smtp_refusal    refusal; /* REFUSED, BODY_DEAD, CLOSE */
	struct slice         line;    /* the command line as it came, where there is one; quote it before it is shown
	                                 anywhere */
	union {
		struct slice            name;
		struct smtp_mail        mail;
		struct smtp_rcpt        rcpt;
		struct slice            body;
		struct smtp_credentials auth;
		struct xclient          xclient;
	};
};

/* Where a session stands: the rows of the table in smtp/order.h. */
enum smtp_at {
	SMTP_AT_START, /* greeted, no EHLO yet */
	SMTP_AT_READY,
	SMTP_AT_MAIL, /* sender accepted */
	SMTP_AT_RCPT, /* at least one recipient accepted */
	SMTP_AT_BDAT, /* at least one chunk taken, the last one not yet */
	SMTP_AT_DEAD, /* chunks of a message already refused */
	SMTP_AT_COUNT
};

/* One session; the fields are the machine's, those marked R may be read. */
struct smtp_server {
	const struct smtp_server_config *config;

	struct buf              secret; /* AUTH: what was decoded so far; wiped */
	struct smtp_dot_decoder decoder;
	struct smtp_line_check  check;
	struct smtp_reply       held;       /* the answer to a body that is being swallowed; its text is static */
	unsigned                extensions; /* of the configuration at the last EHLO: what the peer was told */
	uint64_t                body_bytes; /* R of the present message so far */
	uint64_t                bytes_max;  /* of the present message; see smtp_server_limit() */
	uint64_t                chunk_left; /* bytes of a BDAT chunk still to come */
	uint64_t                swallowed;  /* bytes dropped in one go */
	uint32_t                recipients; /* R accepted in the transaction */
	uint32_t                recipients_refused; /* R */
	uint32_t                replies_owed;       /* LMTP: after the body */
	uint32_t                errors;             /* R refusals of the machine's own */
	uint32_t                idle;               /* NOOP, RSET, VRFY ... since the last message */
	uint32_t                transactions;       /* R accepted messages' bodies answered */
	enum smtp_refusal       closing;            /* why */
	uint8_t                 at;                 /* R enum smtp_at */
	uint8_t                 phase;   /* what the next byte is: a command, body ... (smtp/server_part.h) */
	uint8_t                 pending; /* enum smtp_event_kind to decide, or 0 */
	uint8_t                 verb;    /* of the pending command */
	uint8_t                 mechanism;
	uint16_t                user_bytes; /* AUTH LOGIN: of the user in `secret` */
	bool                    greeted;
	bool                    tls;           /* R */
	bool                    extended;      /* R EHLO or LHLO, not HELO */
	bool                    authenticated; /* R */
	bool                    smtputf8;      /* R the transaction's MAIL asked for it */
	bool                    xclient;
	bool                    long_addresses;
	bool                    last_chunk;
	bool                    answer_owed; /* `held`, when the chunk has been swallowed */
};

/* Set *server up; takes no memory. Give back with smtp_server_done(). */
void smtp_server_init(struct smtp_server *server, const struct smtp_server_config *config,
                      const struct smtp_server_peer *peer);
/* Frees and wipes; legal at any time. */
void smtp_server_done(struct smtp_server *server);

/*
 * Append the greeting: "220 host ESMTP Hangu" and `text` if it is not empty. Until then feed takes nothing (early
 * talkers are the caller's to notice).
 */
void smtp_server_greet(struct smtp_server *server, struct slice text, struct buf *out);

/*
 * Take bytes from the front of `*input`; see the top of this page. Returns event->kind. A failed `out` (its bound) is
 * the caller's to see: close then.
 */
enum smtp_event_kind smtp_server_feed(struct smtp_server *server, struct slice *input, struct buf *out,
                                      struct smtp_event *event);

/*
 * Decide the pending event with the standard positive reply (EHLO: with all that is offered; BODY_END: "250 2.0.0 Ok").
 */
void smtp_server_accept(struct smtp_server *server, struct buf *out);

/*
 * Decide it with a reply of the caller's own. Its class decides: 2xx (3xx for DATA) accepts, 4xx and 5xx refuse; 421
 * and 521 also end the session. EHLO, BDAT's SMTP_EVENT_DATA and STARTTLS are accepted by smtp_server_accept() only.
 * The text is copied, except that a refusal of SMTP_EVENT_DATA by BDAT and smtp_server_refuse_body() need a static
 * text.
 */
void smtp_server_reply(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out);

/*
 * While a body is coming in (not after BODY_END): drop the rest of it and answer so when its end has come; no event
 * follows. `reply` with a static text, 4xx or 5xx.
 */
void smtp_server_refuse_body(struct smtp_server *server, const struct smtp_reply *reply);

/*
 * Lower or raise the bound of the present transaction's message, e.g. by the recipients' domains; until the body
 * begins. 0: none.
 */
void smtp_server_limit(struct smtp_server *server, uint64_t message_bytes_max);

/* At BODY_END: did the message come by DATA, and does it stand in it to the byte as it was sent (smtp/dot.h)? */
bool smtp_server_unchanged(const struct smtp_server *server);

/* Between two transactions, at a place where the next byte begins a command? */
bool smtp_server_between(const struct smtp_server *server);
/*
 * From here on by another configuration, and for a peer of whom something else is known (its `tls` is not looked at); only while
 * smtp_server_between(). What was offered stays allowed until the next EHLO.
 */
void smtp_server_change(struct smtp_server *server, const struct smtp_server_config *config, const struct smtp_server_peer *peer);

/*
 * The handshake after an accepted STARTTLS is done: everything known from the plain text is forgotten (RFC 3207 section
 * 4.2).
 */
void smtp_server_tls_started(struct smtp_server *server);

/* End the session now (idle too long, shutting down): append `reply` (421 ...); the next feed says SMTP_EVENT_CLOSE. */
void smtp_server_end(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out);

/* Is a body coming in (another timeout then)? */
bool smtp_server_in_body(const struct smtp_server *server);
/* Is a decision pending? */
static inline bool smtp_server_waits(const struct smtp_server *server)
{
	return server->pending != 0;
}

_Static_assert(sizeof(struct smtp_server) < 600, "an idle session is small");

#endif
