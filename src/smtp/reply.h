/*
 * SMTP replies: built for our clients, read from our next hops. RFC 5321 sections 4.2 and 4.5.3.1.5, RFC 2034, RFC
 * 3463.
 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "base/buf.h"

/*
 * One line of ours with CRLF; RFC 5321 section 4.5.3.1.5 asks for at most 512. Longer texts go on over several lines.
 */
#define SMTP_REPLY_LINE_MAX       400u
/* Of one text we send; the rest is cut. */
#define SMTP_REPLY_TEXT_MAX       2000u
#define SMTP_REPLY_TEXT_LINES_MAX 32u
/* Bounds for a whole reply of a peer. Real EHLO replies stay below 2 KiB. */
#define SMTP_REPLY_BYTES_MAX      16384u
#define SMTP_REPLY_LINES_MAX      256u

/* An enhanced status code, RFC 3463; class 0: none. */
struct smtp_enhanced {
	uint8_t class;    /* 2, 4, 5, or 0 */
	uint16_t subject; /* 0 to 999 */
	uint16_t detail;  /* 0 to 999 */
};

/*
 * A reply of ours. The text may hold any bytes: it is sanitised to printable ASCII when written (every other byte
 * becomes "?"), except that a LF starts a new line of the same reply. It must not be empty for a person's sake.
 */
struct smtp_reply {
	uint16_t             code; /* 200 to 599 */
	struct smtp_enhanced enhanced;
	struct slice         text;
};

/*
 * SMTP_REPLY(550, 1, 1, "No such user"): a reply with an enhanced code of the same class and a literal text;
 * SMTP_REPLY_INIT the same as an initialiser of a static one.
 */
#define SMTP_REPLY_INIT(reply_code, reply_subject, reply_detail, literal)                                             \
	{                                                                                                             \
		.code = (reply_code), .enhanced = { (uint8_t)((reply_code) / 100), (reply_subject), (reply_detail) }, \
		.text = { (const uint8_t *)("" literal ""), sizeof(literal) - 1 },                                    \
	}
#define SMTP_REPLY(reply_code, reply_subject, reply_detail, literal) \
	((struct smtp_reply)SMTP_REPLY_INIT(reply_code, reply_subject, reply_detail, literal))

/*
 * Append the reply with CRLFs; with enhanced code unless its class is 0 or `enhanced` is false (before EHLO, RFC 2034
 * section 4).
 */
void smtp_reply_write(const struct smtp_reply *reply, bool enhanced, struct buf *out);

/* A reply of a peer, borrowed from the input. */
struct smtp_reply_read {
	uint16_t             code;     /* 200 to 599 */
	struct smtp_enhanced enhanced; /* of the last line, if its class fits the code; otherwise class 0 */
	uint16_t             lines;
	struct slice         raw; /* all lines as they came, line ends included */
};

/*
 * Take one whole reply, all its lines, from the front of `*input`. Lines may end in CRLF or in LF alone (some servers
 * do); codes of the lines of one reply must agree.
 *
 * RC_OK moves *input past it. RC_AGAIN: not whole yet. RC_SYNTAX: no reply, a NUL, or codes that differ; RC_LIMIT: more
 * than SMTP_REPLY_BYTES_MAX octets or SMTP_REPLY_LINES_MAX lines. After these two the connection is of no more use.
 * Only RC_OK writes.
 */
MUST_CHECK enum rc smtp_reply_take(struct slice *input, struct smtp_reply_read *out);

/*
 * The text of the next line of `*raw` (a smtp_reply_read.raw), without code, separator and line end; false when none is
 * left.
 */
bool smtp_reply_line(struct slice *raw, struct slice *out);

/*
 * Append the text of a peer's reply as one line of printable ASCII, lines joined by a space, enhanced codes left out,
 * at most `max` octets.
 */
void smtp_reply_text(const struct smtp_reply_read *reply, size_t max, struct buf *out);

/*
 * What a client of ours is told when its message was answered so downstream while it waited (mode `through`, one
 * recipient or one answer for all):  421, 450, 451, 452 -> 451 4.x.x; 550 5.1.x, 552 5.3.4, 552 5.2.2 unchanged; 554
 * 5.7.x -> 554 5.7.1; every other 5xx keeps its code. The text begins with "rejected by next hop: " or "deferred by
 * next hop: " where the answer is not ours to give as it stands, is printable ASCII of at most 400 octets, and lies in
 * `text`, which the caller cleared. `reply->code` is 400 to 599.
 */
struct smtp_reply smtp_reply_map(const struct smtp_reply_read *reply, struct buf *text);

#endif
