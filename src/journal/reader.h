/*
 * Reading a journal from a mark onwards, group by group, each checked whole: checksums, sequence, epoch and chain.
 *
 * Two kinds of reader use this. Recovery and verify read to the end and want to know what the end is. A follower (the
 * records role, in another process) reads read-only behind the writer, up to a durable position it is told. Segments
 * may be compacted or recycled under a follower: it then opens the segment again by name and goes on at the same seq.
 */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include "base/fault.h"
#include "journal/disk.h"
#include "journal/record.h"

struct journal_reader; /* opaque; takes about 300 KiB plus the largest group's events */

/*
 * Which bodies are read to check their bytes. A follower does not need them; the digest in the header is chained
 * anyway.
 */
enum journal_check {
	JOURNAL_CHECK_NO_BODIES,
	JOURNAL_CHECK_LAST_SEGMENT, /* checksums of bodies in the last segment: recovery */
	JOURNAL_CHECK_ALL,          /* checksums and digests of all bodies that are there: verify */
};

/*
 * Start at `from` (NULL: the first record of the oldest segment). `disk` is borrowed until close.
 * RC_NOTFOUND: no segment, or that of `from` is gone. RC_CORRUPT, RC_UNSUPPORTED: its header. RC_NOMEM, RC_IO.
 */
MUST_CHECK enum rc journal_reader_open(struct journal_disk *disk, const struct journal_mark *from,
                                       enum journal_check check, struct fault *fault, struct journal_reader **out);

/* NULL inside is legal; clears the caller's pointer. */
void journal_reader_close(struct journal_reader **reader);

/*
 * The next whole group: *count records at *out, borrowed until the next call. Groups of the journal's own records are
 * returned too (type >= JOURNAL_TYPE_OWN): skip them.
 *
 * `until`: read no group that ends behind this position (the durable one); NULL: to the end of what is there.
 *
 * RC_OK       a group.
 * RC_AGAIN    `until` is reached: ask again with a later one.
 * RC_CLOSED   without `until`: behind the last whole group; journal_reader_end() tells more.
 * RC_CORRUPT  a record that had been durable is damaged; `fault` (may be NULL) and journal_reader_end() tell where.
 * RC_UNSUPPORTED a later format.  RC_NOMEM, RC_IO.
 */
MUST_CHECK enum rc journal_reader_next(struct journal_reader *reader, const struct journal_position *until,
                                       const struct journal_record **out, size_t *count, struct fault *fault);

/* Behind the last group that was returned: what a follower stores to go on later. */
struct journal_mark journal_reader_mark(const struct journal_reader *reader);

/*
 * Where the batch of the last group began: what lies from there on may have been written and never synced, for only a
 * later batch tells that it was.
 */
struct journal_position journal_reader_tail(const struct journal_reader *reader);

/* What lies behind the last whole group, after RC_CLOSED or RC_CORRUPT. */
struct journal_reader_end {
	struct journal_position position;     /* of the first byte that is not trusted */
	uint64_t                cut_bytes;    /* from there to the last byte that is not zero; 0: a clean end */
	uint64_t                cut_records;  /* whole records there that belong to an unfinished group */
	struct journal_position bad;          /* the first record that is not good */
	uint32_t                epoch_max;    /* highest epoch seen behind it in that segment */
	bool                    segment_good; /* the header of bad.segment is good and belongs there */
};
struct journal_reader_end journal_reader_end(const struct journal_reader *reader);

#endif
