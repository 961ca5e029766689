/*
 * The transparency of RFC 5321 section 4.5.2: message bytes in and out of the DATA phase, at the speed of memory.
 *
 * Decoder: bytes of the peer -> runs of the message, leading dots taken out, the end found. Encoder: runs of the
 * message -> bytes for the peer, leading dots doubled. Both are strict about line ends: what comes out of either holds
 * CR and LF only as CRLF, and no NUL, so that no reader behind us can find an end of data that we did not mean. Runs
 * are borrowed from the input (nothing is copied), or are short constants.
 */
#ifndef SMTP_DOT_H
#define SMTP_DOT_H

#include "base/rc.h"
#include "base/slice.h"

enum smtp_line_ends {
	SMTP_LINE_ENDS_REFUSE,    /* a bare CR, a bare LF or a NUL is RC_SYNTAX */
	SMTP_LINE_ENDS_NORMALISE, /* a bare LF becomes CRLF; a bare CR or a NUL is still RC_SYNTAX when receiving;
	                             when sending, a bare CR becomes CRLF and a NUL is left out */
};

struct smtp_dot_decoder {
	uint64_t            line_bytes;     /* in the current line so far */
	uint64_t            line_bytes_max; /* 0: none */
	enum smtp_line_ends line_ends;
	uint8_t             state;
	bool                changed; /* what came out is not what came in: a dot was taken out, a line end mended */
};

/* `line_bytes_max`: longest line without its CRLF, 0 for no bound (lines are never folded). */
void smtp_dot_decoder_init(struct smtp_dot_decoder *decoder, enum smtp_line_ends line_ends, uint64_t line_bytes_max);

/*
 * Take bytes from the front of `*input` and give the next run of the message.
 *
 * RC_OK      *out is a run (not empty); call again.
 * RC_AGAIN   *input is used up (all of it was taken; there is nothing to keep).
 * RC_CLOSED  <CRLF>.<CRLF> was taken; *input stands behind it. Only this sequence ends the data, whatever line_ends
 *            says.
 * RC_SYNTAX  a bare CR, bare LF or NUL; RC_LIMIT: a line is too long. *input stands before or on the byte: go on with
 *            smtp_dot_swallow().
 */
MUST_CHECK enum rc smtp_dot_decode(struct smtp_dot_decoder *decoder, struct slice *input, struct slice *out);

/* After RC_CLOSED: is the message, to the byte, what the peer sent (decoder->changed is false)? False before the end. */
bool smtp_dot_unchanged(const struct smtp_dot_decoder *decoder);

/*
 * After RC_SYNTAX or RC_LIMIT, or when the message is refused anyway: take bytes up to the genuine end of data and drop
 * them. RC_AGAIN: *input used up; RC_CLOSED: the end was taken.
 */
MUST_CHECK enum rc smtp_dot_swallow(struct smtp_dot_decoder *decoder, struct slice *input);

/*
 * Bodies that come by BDAT, or lie in store: is every CR followed by LF and every LF led by CR, and is there no NUL?
 * Fed piecewise.
 */
struct smtp_line_check {
	bool after_cr; /* the last byte was a CR */
};

/* RC_OK or RC_SYNTAX. */
MUST_CHECK enum rc smtp_line_check(struct smtp_line_check *check, struct slice bytes);
/* At the end of the body: RC_SYNTAX when it ends in a CR. */
MUST_CHECK enum rc smtp_line_check_end(const struct smtp_line_check *check);

struct smtp_dot_encoder {
	enum smtp_line_ends line_ends;
	uint8_t             state;
};

void smtp_dot_encoder_init(struct smtp_dot_encoder *encoder, enum smtp_line_ends line_ends);

/*
 * Take bytes of the message from the front of `*input` and give the next run to send. RC_OK: *out is a run, call again;
 * RC_AGAIN: *input is used up; RC_SYNTAX (with SMTP_LINE_ENDS_REFUSE only): the message cannot be sent by DATA. A
 * message may be fed in any pieces (trace header, cuts, body).
 */
MUST_CHECK enum rc smtp_dot_encode(struct smtp_dot_encoder *encoder, struct slice *input, struct slice *out);

/*
 * The same for a message that smtp_dot_unchanged() was said of, whole and in one piece: it needs no look. Only where a
 * line begins.
 */
void smtp_dot_encode_unchanged(struct smtp_dot_encoder *encoder, struct slice *input, struct slice *out);

/*
 * What ends the data: ".CRLF", with the CRLF in front that a message without a last line end lacks. RC_SYNTAX as above.
 */
MUST_CHECK enum rc smtp_dot_encode_end(struct smtp_dot_encoder *encoder, struct slice *out);

#endif
