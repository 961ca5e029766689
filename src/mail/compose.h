/*
 * What we write into the world ourselves: our trace header on top of a message, and delivery status notifications.
 * Output goes through a struct buf whose bound the caller chose; out->failed tells that it was too small. Every byte
 * that came from a peer is quoted for the place it is written to, so that nothing a peer said can begin a line, end a
 * comment, or look like a word of ours.
 *
 * Lines end in CRLF, are folded before 78 bytes where white space allows it and are never longer than 998.
 */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include "base/buf.h"

/* Bound of everything compose_received() and compose_verdict() write, in bytes. */
#define COMPOSE_RECEIVED_MAX 2048u
#define COMPOSE_VERDICT_MAX  2048u

/* The Received field (RFC 5321 section 4.4, I-13). */
struct compose_received {
	struct slice helo;         /* what the client called itself; may be empty */
	struct slice reverse_name; /* confirmed reverse name, or empty: "unknown" */
	/* client IP as text without brackets; IPv6 is written [IPv6:...] (RFC 5321 section 4.1.3) */
	struct slice address;
	struct slice own_name; /* our host name */
	/* "SMTP", "ESMTP", "ESMTPS", "ESMTPSA", "UTF8SMTPS", "LMTP" (RFC 3848, RFC 6531) */
	struct slice protocol;
	struct slice tls;            /* "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty: written as a comment */
	struct slice id;             /* our id of the message */
	struct slice recipient;      /* the one recipient, without brackets; empty when there are several (no "for") */
	int64_t      unix_s;         /* when it came */
	int32_t      offset_minutes; /* of local time, east of UTC */
};

void compose_received(const struct compose_received *received, struct buf *out);

/* X-Hangu-Class, -Score, -Id and perhaps -Mark (I-15). */
struct compose_verdict {
	const char  *class_word; /* policy/disposition.h: mail_class_word() */
	int32_t      score;      /* thousandths; written with one decimal */
	struct slice id;
	const char  *mark; /* X-Hangu-Mark: one of our own words ("unscanned"); NULL: no such field */
};

void compose_verdict(const struct compose_verdict *verdict, struct buf *out);

/* What some mail systems sort by; a route asks for it. */
struct compose_spam {
	int32_t score;    /* thousandths; written with one decimal */
	int32_t required; /* thousandths, for X-Spam-Status "required=" */
	bool    is_spam;  /* X-Spam-Flag: YES */
};

/* X-Spam-Flag, -Status and -Level as SpamAssassin writes them (I-15). At most COMPOSE_SPAM_MAX bytes. */
#define COMPOSE_SPAM_MAX 256u
void compose_spam(const struct compose_spam *spam, struct buf *out);
/* X-MS-Exchange-Organization-SCL (I-16): `level` from -1 to 9. At most COMPOSE_SCL_MAX bytes. */
#define COMPOSE_SCL_MAX 48u
void compose_scl(int level, struct buf *out);

/* ---- Delivery status notifications (RFC 3461, 3462, 3464, 6522, 6533; I-28) ---- */

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED, DSN_ACTIONS };

/* What is returned of the message: RET= of RFC 3461 section 4.3. HDRS is the standard. */
enum dsn_return { DSN_RETURN_HEADERS, DSN_RETURN_FULL, DSN_RETURN_NOTHING };

struct dsn_recipient {
	struct slice    address;  /* final recipient without brackets, as it was sent on */
	struct slice    original; /* ORCPT as given: "rfc822;user+40x" (xtext kept), or empty */
	enum dsn_action action;
	struct slice    status;      /* "5.1.1"; anything not of that form is written as the action's own x.0.0 */
	struct slice    remote_name; /* Remote-MTA: next hop's name or "[192.0.2.1]"; empty: no such field */
	uint32_t        code;        /* Diagnostic-Code: smtp; code and text; 0: our own words only */
	/* the reply's text, or our own sentence; may have line ends, which become blanks */
	struct slice text;
	int64_t      last_attempt_s; /* 0: no Last-Attempt-Date */
	int64_t      retry_until_s;  /* Will-Retry-Until for DSN_DELAYED; 0: none */
};

#define DSN_RECIPIENTS_MAX 1000u
#define DSN_HEADERS_MAX    65536u /* bytes of the returned header section; cut at a whole field */

struct compose_dsn {
	struct slice own_name; /* reporting MTA */
	struct slice from;     /* our address, "MAILER-DAEMON@mx.example" */
	/* the envelope sender without brackets; never empty: nobody is told about a bounce */
	struct slice to;
	struct slice message_id;    /* of the notice, without brackets: "local@own_name"; the caller makes it unique */
	struct slice envelope_id;   /* ENVID as given (xtext), or empty */
	struct slice id;            /* our id of the message it is about */
	struct slice subject;       /* of that message, decoded UTF-8, or empty: told in the human part */
	struct slice boundary_seed; /* bytes that make the boundary unique: the notice's id */
	int64_t      unix_s;        /* now */
	int32_t      offset_minutes;
	int64_t      arrival_s; /* Arrival-Date; 0: none */
	/* RFC 6533: message/global-delivery-status and UTF-8 addresses; only to a next hop that takes it */
	bool                        smtputf8;
	enum dsn_return             returned;
	struct slice                original; /* the message as received; for HEADERS its header section is enough */
	const struct dsn_recipient *recipients;
	size_t                      recipient_count; /* 1 to DSN_RECIPIENTS_MAX */
};

/*
 * Append the whole message: multipart/report; report-type=delivery-status, with a human part in Chinese and English,
 * the machine part, and what is returned. Its envelope sender must be <>. Not 8-bit unless `smtputf8` or
 * DSN_RETURN_FULL of an 8-bit message.
 *
 * RC_SYNTAX   no recipient, no `to`, no `own_name`, or more recipients than DSN_RECIPIENTS_MAX.
 * RC_NOMEM    out->failed: its bound was too small.
 */
MUST_CHECK enum rc compose_dsn(const struct compose_dsn *dsn, struct buf *out);

/* ---- Quoting, for those who write other fields ---- */

/*
 * A host name as it may stand in a field: letters, digits, ".-_:[]" as they are, every other byte "?"; "unknown" when
 * empty; at most `max`.
 */
void compose_put_host(struct slice name, size_t max, struct buf *out);
/* Inside a comment: printable ASCII without "()\" as it is, other bytes "?", at most `max`. */
void compose_put_comment(struct slice text, size_t max, struct buf *out);
/*
 * Unstructured text in a header: as it is when printable ASCII and not like an encoded word, else as encoded words
 * (RFC 2047) in UTF-8.
 */
void compose_put_text(struct slice text, size_t max, struct buf *out);
/* "Sun, 22 Nov 2026 14:37:19 +0800" */
void compose_put_date(int64_t unix_s, int32_t offset_minutes, struct buf *out);

#endif
