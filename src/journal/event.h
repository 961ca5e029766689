/*
 * What the journal's records say: the vocabulary of events and their payloads. The queue, the trace, the statistics and the
 * audit views are folds over these; nothing else is the truth about a message.
 *
 * A payload begins with a version byte. Decoders treat payloads as untrusted: every count and block is bounded by the constants
 * here, and a payload of another version is RC_UNSUPPORTED. Decoded slices borrow from the payload, arrays lie in the
 * arena given. Encoders append to a buf; out->failed tells that its bound was too small.
 *
 * Identifiers are 64-bit, unique per node and rising with time (44 bits of milliseconds since 1970, 20 bits of count), and
 * written for people as 13 characters of Crockford's base32. The same series names sessions and messages.
 */
#ifndef JOURNAL_EVENT_H
#define JOURNAL_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"

#define EVENT_VERSION 1u

#define EVENT_TEXT_MAX 1024u        /* bytes of any short text: names, addresses, replies, subjects */
#define EVENT_PREFIX_MAX 8192u      /* bytes of our own header fields on top of a message */
#define EVENT_FINDINGS_MAX 65536u   /* bytes of the scanner's findings in wire form */
#define EVENT_RECIPIENTS_MAX 10000u /* recipients of one message */
#define EVENT_CUTS_MAX 256u         /* header fields taken out of one message */
#define EVENT_PAYLOAD_MAX (16u << 20)

/* Types of journal records. EVENT_BODY's payload is a message's bytes; every other one is described below. */
enum event_type {
	EVENT_BODY = 1,     /* stands directly before its EVENT_MESSAGE, in the same group */
	EVENT_MESSAGE = 2,  /* accepted: from here the message is ours */
	EVENT_OUTCOME = 3,  /* what an attempt to deliver gave, per recipient */
	EVENT_REFUSED = 4,  /* a session, transaction, recipient or message that was refused */
	EVENT_ACT = 5,      /* an administrator's act on a queued or held message */
	EVENT_SESSION = 6,  /* the end of a session that is worth telling */
	EVENT_NODE = 7,     /* of the gateway itself: start, stop, settings, degradation, a lost scanner, an alarm */
	EVENT_CERTIFICATE = 8, /* the certificate a client showed in its session (I-35); versions up to 0.1.0 pass over it */
};

/* Thirteen characters and no NUL. */
#define EVENT_ID_TEXT 13u
void event_id_put(struct buf *out, uint64_t id);
/* RC_SYNTAX: not 13 characters of the alphabet (either case), or above 64 bits. */
MUST_CHECK enum rc event_id_read(struct slice text, uint64_t *out);
/* Milliseconds since 1970 at which the id was given out. */
static inline int64_t event_id_time_ms(uint64_t id)
{
	return (int64_t)(id >> 20);
}

/* Which way a message goes: decided once, from listener, peer and authentication. */
enum direction { DIRECTION_INBOUND, DIRECTION_OUTBOUND, DIRECTION_INTERNAL, DIRECTION_RELAY, DIRECTION_COUNT };

/* Where a message came from. */
enum event_origin {
	ORIGIN_SMTP,   /* a session */
	ORIGIN_NOTICE, /* a delivery status notification of ours; `parent` names its message */
	ORIGIN_COUNT
};

/* What was decided for one recipient when the message was accepted. */
enum event_disposition {
	DISPOSITION_DELIVER, /* send it on, our trace header on top */
	DISPOSITION_HOLD,    /* keep it in quarantine until released, dropped or expired */
	DISPOSITION_DISCARD, /* accepted, recorded, and not delivered */
	DISPOSITION_COUNT
};

/* RFC 3461 section 4.1: NOTIFY as bits; 0 means the parameter was not given (failure and delay by default). */
#define EVENT_NOTIFY_NEVER 1u
#define EVENT_NOTIFY_SUCCESS 2u
#define EVENT_NOTIFY_FAILURE 4u
#define EVENT_NOTIFY_DELAY 8u

/* struct event_message.flags */
#define EVENT_FLAG_SMTPUTF8 1u    /* MAIL had SMTPUTF8 */
#define EVENT_FLAG_8BITMIME 2u    /* MAIL had BODY=8BITMIME, or the body has bytes above 127 */
#define EVENT_FLAG_RET_FULL 4u    /* RET=FULL */
#define EVENT_FLAG_RET_HDRS 8u    /* RET=HDRS */
#define EVENT_FLAG_TLS 16u        /* the session was encrypted when the message came */
#define EVENT_FLAG_TRUSTED 32u    /* authenticated, or from a peer of our own: a notice to the sender is not backscatter */
#define EVENT_FLAG_UNSCANNED 64u  /* passed with a mark: no scanner was available */
#define EVENT_FLAG_UNSCANNABLE 128u /* two scanners failed at it */
#define EVENT_FLAG_NO_FORWARD 256u /* REQUIRETLS and the like: reserved */

struct event_recipient {
	struct slice           address;     /* as it will be sent on, without angle brackets */
	struct slice           original;    /* ORCPT as given ("rfc822;a@b"), or empty */
	uint32_t               notify;      /* EVENT_NOTIFY_ bits */
	enum event_disposition disposition;
	struct slice           reason;      /* why it is held or discarded: a finding's name or a rule; else empty */
};

/* One header field taken out before the message is sent on (a forged X-Hangu-Class and the like). */
struct event_cut {
	uint32_t offset; /* from the first byte of the message */
	uint32_t size;   /* the whole folded field with its last CRLF */
};

struct event_message {
	uint64_t          id;
	uint64_t          session;     /* 0 for ORIGIN_NOTICE */
	uint64_t          parent;      /* the message this is a notice about, or 0 */
	int64_t           received_ms; /* wall clock, milliseconds since 1970 */
	enum event_origin origin;
	enum direction    direction;
	uint32_t          flags;
	struct slice      listener;    /* its name in the settings */
	struct slice      peer;        /* "192.0.2.1" or "2001:db8::1"; empty for notices */
	uint16_t          peer_port;
	struct slice      peer_name;   /* confirmed reverse name, or empty */
	struct slice      helo;
	struct slice      tls;         /* "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty */
	struct slice      account;     /* who authenticated, or empty */
	struct slice      sender;      /* envelope sender without angle brackets; empty for <> */
	struct slice      envelope_id; /* ENVID, or empty */
	uint64_t          body_size;
	uint32_t          header_size; /* bytes up to and with the empty line */
	struct digest     body_digest; /* SHA-256 of the body record's bytes */
	struct slice      subject;     /* as the scanner read it, decoded where it could, cut to EVENT_TEXT_MAX */
	struct slice      author;      /* the From address, or empty when there is not exactly one */
	struct slice      message_id;  /* with its angle brackets */
	uint32_t          verdict_class; /* policy's class, as a number; its word stands in `verdict` */
	int32_t           score;       /* thousandths */
	struct slice      verdict;     /* "clean", "malware", ... */
	struct slice      verdict_reason; /* the finding that decided, or empty */
	struct digest     engine;      /* what produced the findings: code, tables, limits */
	struct digest     settings;    /* what decided: the settings in force */
	struct slice      findings;    /* wire form (scan/wire.h), or empty */
	struct slice      prefix;      /* our header fields, whole lines with CRLF */
	const struct event_cut       *cuts;
	size_t                        cut_count;
	const struct event_recipient *recipients;
	size_t                        recipient_count; /* 1 to EVENT_RECIPIENTS_MAX */
};

void event_message_put(struct buf *out, const struct event_message *message);
/* RC_SYNTAX, RC_UNSUPPORTED, RC_NOMEM (arena full). */
MUST_CHECK enum rc event_message_read(struct slice payload, struct arena *arena, struct event_message *out);

/* How an attempt, or the wait for one, ended for one recipient. */
enum event_result {
	RESULT_DELIVERED,  /* the next hop answered 2xx */
	RESULT_RELAYED,    /* delivered, and the next hop will send no success notice (RFC 3461 section 5.2.2) */
	RESULT_DEFERRED,   /* tried, or could not be tried; next_ms says when again */
	RESULT_FAILED,     /* the next hop answered 5xx, or there can be no next hop */
	RESULT_EXPIRED,    /* tried until its time ran out */
	RESULT_UNCERTAIN,  /* the connection was lost after the final dot: it may have arrived; next_ms says when again */
	RESULT_HELD,       /* will not be tried until released (a notice that would be backscatter, a loop) */
	RESULT_COUNT
};

/* RESULT_DELIVERED, _RELAYED, _FAILED and _EXPIRED end a recipient. */
static inline bool event_result_ends(enum event_result result)
{
	return result == RESULT_DELIVERED || result == RESULT_RELAYED || result == RESULT_FAILED || result == RESULT_EXPIRED;
}

struct event_recipient_result {
	uint32_t          recipient; /* index into the message's recipients */
	enum event_result result;
	uint32_t          code;      /* reply code 200 to 599, or 0 when there was no reply */
	struct slice      enhanced;  /* "5.1.1", or empty */
	struct slice      text;      /* the reply's text, or our own sentence; not yet quoted */
	int64_t           next_ms;   /* when it is due again; 0 when never */
};

struct event_outcome {
	uint64_t     message;
	int64_t      at_ms;
	uint32_t     attempt;     /* from 1; 0: no attempt was made */
	struct slice destination; /* the queue's name for where it goes: a route and a domain */
	struct slice host;        /* name of the next hop, or empty */
	struct slice address;     /* "192.0.2.1:25", or empty */
	struct slice tls;         /* as in the message; empty for plain */
	uint64_t     notice;      /* id of the notice this outcome caused, or 0 */
	const struct event_recipient_result *results;
	size_t                               result_count; /* 1 to EVENT_RECIPIENTS_MAX */
};

void event_outcome_put(struct buf *out, const struct event_outcome *outcome);
MUST_CHECK enum rc event_outcome_read(struct slice payload, struct arena *arena, struct event_outcome *out);

/* At which step something was refused. */
enum event_stage {
	STAGE_CONNECT,
	STAGE_HELO,
	STAGE_TLS,
	STAGE_AUTH,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,    /* while the bytes came */
	STAGE_MESSAGE, /* after the final dot */
	STAGE_COUNT
};

struct event_refused {
	uint64_t         session;
	int64_t          at_ms;
	enum event_stage stage;
	struct slice     listener;
	struct slice     peer;
	struct slice     helo;
	struct slice     sender;
	struct slice     recipient; /* empty when it is not about one */
	uint32_t         code;      /* the reply */
	struct slice     enhanced;
	struct slice     text;
	struct slice     reason;    /* a fixed word of ours, "relay_denied": what counters and searches use */
	uint64_t         message;   /* id given out for it, or 0 */
	uint64_t         size;      /* bytes that had come, or 0 */
};

void event_refused_put(struct buf *out, const struct event_refused *refused);
MUST_CHECK enum rc event_refused_read(struct slice payload, struct event_refused *out);

/* What an administrator did to a message's recipients. */
enum event_verb {
	VERB_RETRY,   /* due now */
	VERB_HOLD,
	VERB_RELEASE, /* due now; also out of quarantine */
	VERB_DROP,    /* never delivered; no notice */
	VERB_BOUNCE,  /* given up now, with a notice to the sender */
	VERB_REROUTE, /* `argument` is the route's name from now on; empty: as the settings say again */
	VERB_COUNT
};

#define EVENT_ALL_RECIPIENTS UINT32_MAX

struct event_act {
	uint64_t        message;
	int64_t         at_ms;
	enum event_verb verb;
	uint32_t        recipient; /* index, or EVENT_ALL_RECIPIENTS */
	struct slice    who;       /* "root", an account; never empty */
	struct slice    reason;
	struct slice    argument;
	uint64_t        notice;    /* VERB_BOUNCE: id of the notice, or 0 */
};

void event_act_put(struct buf *out, const struct event_act *act);
MUST_CHECK enum rc event_act_read(struct slice payload, struct event_act *out);

struct event_session {
	uint64_t     session;
	int64_t      opened_ms, closed_ms;
	struct slice listener;
	struct slice peer;
	uint16_t     peer_port;
	struct slice peer_name;
	struct slice helo;
	struct slice tls;
	struct slice account;
	uint32_t     messages; /* accepted */
	uint32_t     refused;  /* replies of 4xx and 5xx */
	uint64_t     bytes;    /* received */
	struct slice end;      /* a fixed word: "quit", "lost", "timeout", "limit", "smuggling", ... */
};

void event_session_put(struct buf *out, const struct event_session *session);
MUST_CHECK enum rc event_session_read(struct slice payload, struct event_session *out);

/* Its session's messages are found by the session's id. */
struct event_certificate {
	uint64_t      session;
	int64_t       at_ms;
	struct slice  listener;
	struct slice  peer;
	struct slice  subject;     /* RFC 4514 text, as the client's certificate says; this and the next are not yet quoted */
	struct slice  issuer;
	struct digest fingerprint; /* SHA-256 of the certificate */
	bool          verified;    /* it chains to an authority of ours */
	bool          ours;        /* it is one of the listener's peer_certificates */
	struct slice  why;         /* why it is not verified; else empty */
};

void event_certificate_put(struct buf *out, const struct event_certificate *certificate);
MUST_CHECK enum rc event_certificate_read(struct slice payload, struct event_certificate *out);

struct event_node {
	int64_t       at_ms;
	struct slice  what;   /* a fixed word: "start", "stop", "settings", "degrade", "scanner_lost", "alarm", ... */
	struct slice  text;   /* a sentence */
	struct digest digest; /* of the settings or the program; zero when there is none */
};

void event_node_put(struct buf *out, const struct event_node *node);
MUST_CHECK enum rc event_node_read(struct slice payload, struct event_node *out);

/* The fixed words of the enums above ("inbound", "deferred", "rcpt", ...), for people and for searches; "unknown" out of range. */
const char *direction_word(enum direction direction);
const char *event_type_word(enum event_type type);
const char *event_disposition_word(enum event_disposition disposition);
const char *event_result_word(enum event_result result);
const char *event_stage_word(enum event_stage stage);
const char *event_verb_word(enum event_verb verb);

#endif
