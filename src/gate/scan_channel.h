/*
 * How gate and a scanner process meet. The supervisor gives each of them one end of a main channel. Over it gate sends one
 * attach frame: a channel for each of its event loops, and the progress page, in which the scanner says which message it is
 * working on, so that a message that kills its scanner is told from those that waited behind it. Requests and answers
 * (scan/wire.h) go over the loops' channels.
 *
 *     attach frame: "HgA1", u8 number of channels; descriptors: the channels, then the progress page
 */
#ifndef GATE_SCAN_CHANNEL_H
#define GATE_SCAN_CHANNEL_H

#include "base/buf.h"

#include <stdatomic.h>

#define SCAN_CHANNELS_MAX 16u /* event loops of one gate */
#define SCAN_ATTACH_BYTES 5u

/* One page of shared memory, written by the scanner and only read by gate; what it says is believed about its own messages only. */
struct scan_progress {
	_Atomic uint64_t message; /* id of the request it works on; 0: none */
	_Atomic uint64_t done;    /* requests answered */
};
#define SCAN_PROGRESS_BYTES 4096u

void scan_attach_put(struct buf *out, size_t channel_count);
/* RC_SYNTAX: not an attach frame, or a count that does not go with the descriptors that came along. */
MUST_CHECK enum rc scan_attach_read(struct slice frame, size_t fd_count, size_t *ret_channel_count);

#endif
