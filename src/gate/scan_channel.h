/*
 * How gate and a scanner process meet. The supervisor gives each of them one end of a main channel. Over it gate sends one
 * attach frame: a channel for each of its event loops, and the progress page, in which the scanner says which message it is
 * working on, so that a message that kills its scanner is told from those that waited behind it. Requests and answers
 * (scan/wire.h) go over the loops' channels; a request is wrapped with its message, or comes with the message's slab.
 *
 *     attach frame: "HgA1", u8 number of channels; descriptors: the channels, then the progress page
 *     parcel:       u32 bytes of the request (little-endian), the request, the message; or, with the slab's descriptor, no message
 */
#ifndef GATE_SCAN_CHANNEL_H
#define GATE_SCAN_CHANNEL_H

#include "base/buf.h"
#include "scan/wire.h"
#include "sys/slab.h"

#include <stdatomic.h>

#define SCAN_CHANNELS_MAX 16u /* event loops of one gate */
#define SCAN_ATTACH_BYTES 5u

/* One page of shared memory, written by the scanner and only read by gate; what it says is believed about its own messages only. */
struct scan_progress {
	_Atomic uint64_t message; /* id of the request it works on; 0: none */
	_Atomic uint64_t done;    /* requests answered */
};
#define SCAN_PROGRESS_BYTES 4096u

#define SCAN_PARCEL_HEAD 4u
#define SCAN_PARCEL_MAX  (SCAN_PARCEL_HEAD + SCAN_REQUEST_MAX + SLAB_SMALL_MAX)

void scan_attach_put(struct buf *out, size_t channel_count);
/* RC_SYNTAX: not an attach frame, or a count that does not go with the descriptors that came along. */
MUST_CHECK enum rc scan_attach_read(struct slice frame, size_t fd_count, size_t *ret_channel_count);

/* Append a parcel but for its message, which follows as it is. RC_LIMIT as scan_request_encode(). out->failed when it does not fit. */
MUST_CHECK enum rc scan_parcel_put(const struct scan_request *request, struct buf *out);
/*
 * A parcel's request and message, which lie in it; `message` is empty when `fd_count` is 1, the message being in its slab.
 * RC_SYNTAX: shorter than it says, two descriptors or more, or a message in the parcel and in a slab.
 */
MUST_CHECK enum rc scan_parcel_read(struct slice parcel, size_t fd_count, struct slice *ret_request, struct slice *ret_message);

#endif
