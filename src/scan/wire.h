/*
 * The scan channel's frames: a request (gate to scanner, with the message's slab beside it) and its answer
 * (findings). One frame is one datagram of a SOCK_SEQPACKET socket, at most SCAN_FRAME_MAX bytes. Versioned; integers
 * little-endian.
 *
 * Both decoders treat their input as hostile: a scanner that was taken over may send any bytes. What a decoder
 * returns is within the bounds of scan/findings.h, its spans lie in the message, and every cut is checked again
 * against the message's own bytes, so that a lying scanner can at most misjudge the messages it is given.
 */
#ifndef SCAN_WIRE_H
#define SCAN_WIRE_H

#include "base/arena.h"
#include "base/fault.h"
#include "scan/scan.h"

#define SCAN_FRAME_MAX    65536u
#define SCAN_WIRE_VERSION 1u
#define SCAN_REQUEST_MAX  1024u /* bytes of a request */

/* Which line the request waits in; the scanner works the same for both. */
enum scan_lane {
	SCAN_LANE_QUICK,
	SCAN_LANE_ALONE, /* the second try of a message whose first scanner died or overran */
	SCAN_LANES
};

struct scan_request {
	uint64_t            id;            /* chosen by the asker; the answer repeats it */
	uint64_t            message_bytes; /* of the slab that comes along */
	enum scan_lane      lane;
	uint32_t            deadline_ms; /* for the asker's own clock; the scanner only repeats it in its log */
	struct scan_options options;
};

/* How a scan ended, when it did not end in findings. */
enum scan_end {
	SCAN_END_DONE, /* findings follow */
	/* the request made no sense to the scanner: unknown version, options, or a slab of another size */
	SCAN_END_REFUSED,
	SCAN_END_NOMEM, /* the scanner's arena is too small for its own list: a fault of its set-up */
	SCAN_ENDS
};

/* Append the request's frame. RC_LIMIT: the options fail scan_options_check(). out->failed when it does not fit. */
MUST_CHECK enum rc scan_request_encode(const struct scan_request *request, struct buf *out);

/*
 * Read a request. Names borrow from `frame`.
 * RC_UNSUPPORTED: another version; *ret_id (may be NULL) is still set, so that a refusal can name it. RC_SYNTAX,
 * RC_LIMIT.
 */
MUST_CHECK enum rc scan_request_decode(struct slice frame, struct scan_request *out, uint64_t *ret_id);

/*
 * Append the answer's frame to an empty `out`. `findings` is looked at for SCAN_END_DONE only. out->failed when it
 * does not fit.
 */
void scan_answer_encode(uint64_t id, enum scan_end end, const struct findings *findings, struct buf *out);

/* The id an answer claims to be for, before anything else of it is believed: RC_SYNTAX, RC_UNSUPPORTED. */
MUST_CHECK enum rc scan_answer_id(struct slice frame, uint64_t *out);

/*
 * Read the answer to `request` about `message`. Everything in *out is copied into `arena`. *ret_end says how the scan
 * ended; only for SCAN_END_DONE is *out written.
 *
 * RC_SYNTAX       the frame breaks its form: a count, kind, span, order or text that cannot be; the wrong id; bytes
 *                 left over.
 * RC_CORRUPT      a fact that gate can see for itself is wrong: the message's size, the engine, a cut that is no such
 *                 field.
 * RC_UNSUPPORTED  another version.
 * RC_NOMEM        the arena is full.
 *
 * With each of them `fault` (may be NULL) says which check failed; the scanner that sent it is not to be trusted
 * further.
 */
MUST_CHECK enum rc scan_answer_decode(struct slice frame, const struct scan_request *request,
                                      const struct digest *engine, struct slice message, struct arena *arena,
                                      enum scan_end *ret_end, struct findings *out, struct fault *fault);

/*
 * Is `cut` one whole field of that kind in `message`, as struct header_cut says? Looks at the message's bytes only. A
 * cut behind the end of the header section is none.
 */
bool scan_cut_valid(struct slice message, const struct scan_options *options, const struct header_cut *cut);

/*
 * The cuts of a message that no scanner has read: *ret_count of them in `cuts`, which has FINDINGS_CUTS_MAX places, in rising order. Walks
 * lines of the header, of at most limits.header_bytes, and nothing else. RC_LIMIT: the header does not end there, or more would have to be
 * cut: the message must not pass; what was found until then is given all the same.
 */
MUST_CHECK enum rc scan_cuts_find(struct slice message, const struct scan_options *options, struct header_cut *cuts, size_t *ret_count);

#endif
