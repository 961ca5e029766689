/*
 * Bodies: reading a message's bytes from where the writer put them, and letting them go when nobody needs them any
 * more.
 *
 * The table counts, per segment, the bodies that are still needed. The writer enters each body it has made durable;
 * after a start the queue's fold claims those it still owes (journal_bodies_claim) before the threads start. A sealed
 * segment without live bodies is compacted: rewritten with headers and events only, and its file used again. In
 * segments that keep a live body for long, the others' space is given back (hole punching) where the file system can.
 *
 * That a body was dropped is not written by this part: it follows from the events (outcomes) that the fold reads again.
 */
#ifndef JOURNAL_BODY_H
#define JOURNAL_BODY_H

#include "journal/disk.h"
#include "journal/record.h"

struct journal_bodies; /* opaque; journal_writer_bodies() */
struct journal_body;   /* opaque: one body open for reading; used by one thread at a time */

/* A body the fold still needs after a start. RC_NOTFOUND: no such segment. RC_NOMEM. Claiming twice counts once. */
MUST_CHECK enum rc journal_bodies_claim(struct journal_bodies *bodies, const struct journal_place *place);

/*
 * Nobody will read this body again: close it first, and call this only when the record that says so is durable, or a
 * start after a crash would look for bytes that are gone. Any thread; takes a short lock. A body that is not live is
 * ignored.
 */
void journal_bodies_drop(struct journal_bodies *bodies, const struct journal_place *place);

struct journal_bodies_statistics {
	uint64_t live;       /* bodies */
	uint64_t live_bytes; /* stored */
	uint64_t segments;   /* segment files there are */
	uint64_t compacted;  /* of those, already without bodies */
};
struct journal_bodies_statistics journal_bodies_statistics(struct journal_bodies *bodies);

/*
 * Append to `out` the payload of the event at `place`, which lies in the same segment as a body that is live (so that
 * it is not compacted meanwhile). RC_NOTFOUND: no such segment. RC_CORRUPT: something else lies there. RC_NOMEM, RC_IO.
 */
MUST_CHECK enum rc journal_event_load(struct journal_bodies *bodies, const struct journal_place *place,
                                      struct buf *out);

/*
 * Open a live body. RC_NOTFOUND: its bytes have been dropped, or the segment is gone. RC_CORRUPT: something else lies
 * there. RC_NOMEM: no memory, or too many open at once. RC_IO.
 */
MUST_CHECK enum rc journal_body_open(struct journal_bodies *bodies, const struct journal_place *place,
                                     struct journal_body **out);

/*
 * NULL inside is legal; clears the caller's pointer. Legal also after journal_writer_close(), as long as the disk is open; no
 * other call on bodies is.
 */
void journal_body_close(struct journal_body **body);

/* Of the body as it was submitted. */
uint64_t             journal_body_bytes(const struct journal_body *body);
const struct digest *journal_body_digest(const struct journal_body *body);

/*
 * Up to `room` bytes from `offset`; *out is 0 at the end. Reading forward is cheap; a compressed body read backwards
 * is unpacked from its start again. RC_CORRUPT (compressed bytes do not unpack), RC_IO.
 */
MUST_CHECK enum rc journal_body_read(struct journal_body *body, uint64_t offset, void *to, size_t room, size_t *out);

/* Read all of it and compare with its digest. RC_CORRUPT, RC_NOMEM, RC_IO. */
MUST_CHECK enum rc journal_body_check(struct journal_body *body);

#endif
