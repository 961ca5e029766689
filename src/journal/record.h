/*
 * The journal's records: what one is, how it lies on disk, and when a message becomes ours.
 *
 * Pure: this header and record.c know bytes, not files. The journal does not know what a record says (journal/event.h
 * does); to it a type is a number. docs/formats/journal.md shows every byte, and a test reads that page.
 *
 * A message and its records
 *
 *   | the message is ...        | known from                    | who owes it              | after a power cut       |
 *   | ------------------------- | ----------------------------- | ------------------------ | ----------------------- |
 *   | arriving                  | nothing on disk               | the sender               | sender tries again      |
 *   | being judged              | nothing on disk               | the sender               | sender tries again      |
 *   | handed to the committer   | nothing on disk               | the sender               | sender tries again      |
 *   | written, not yet synced   | perhaps its group, or not     | the sender               | gone, or ours and sent  |
 *   |                           |                               |                          | again by the sender     |
 *   | DURABLE: fdatasync gave 0 | its group: body, event        | *** we do, from here *** | in the queue            |
 *   | accepted: 250 was sent    | the same                      | we do                    | in the queue            |
 *   | deferred, held, released  | + an event for each change    | we do                    | as the last event says  |
 *   | sent, answer unknown      | + an event: uncertain         | we do                    | tried again, so named   |
 *   | done: delivered, bounced, | + an event for each recipient | the next hop, or nobody  | done; if the last event |
 *   | dropped                   |                               |                          | was lost: tried again   |
 *   | forgotten                 | events stay, bytes go         | nobody                   | the same                |
 *
 * There is one instant at which a message becomes ours: when the fdatasync that covers its group returns 0. The
 * callback of journal_writer_submit() with RC_OK comes after it, and 250 is sent after that callback and never
 * before. A record that was written but not synced is no promise, though a restart may find it and then keeps it.
 */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/rc.h"
#include "base/slice.h"

#define JOURNAL_FORMAT_VERSION 1u

/* Sizes on disk, in bytes. Records start at multiples of JOURNAL_ALIGN; the gap before the next one is zero. */
#define JOURNAL_RECORD_HEAD_SIZE 120u
#define JOURNAL_ALIGN            8u

/* Bounds. A writer refuses to pass them; a reader that meets more calls it corrupt. */
#define JOURNAL_EVENT_BYTES_MAX       (16u << 20) /* payload of a record that is not a body */
#define JOURNAL_BODY_BYTES_MAX        (1u << 30)  /* a body, before and after compression */
#define JOURNAL_GROUP_RECORDS_MAX     64u         /* records that become visible together */
#define JOURNAL_SNAPSHOT_BYTES_MAX    (1u << 30)  /* the queue's state in one snapshot */
#define JOURNAL_GROUP_EVENT_BYTES_MAX (32u << 20) /* sum of a group's payloads that are not bodies */

/* Types from here on are the journal's own; all below belong to the rooms above (journal/event.h). */
#define JOURNAL_TYPE_OWN    0xff00u
#define JOURNAL_TYPE_OPENED 0xff00u /* a writer opened the journal; starts a new epoch */
#define JOURNAL_TYPE_SEAL   0xff01u /* last record of a segment */

/* Flags of a record. */
#define JOURNAL_FLAG_LAST       0x01u /* ends its group */
#define JOURNAL_FLAG_BODY       0x02u /* the payload is a body: the chain covers its digest, so its bytes may go */
#define JOURNAL_FLAG_COMPRESSED 0x04u /* a body stored as one zstd frame */
#define JOURNAL_FLAG_DROPPED    0x08u /* a body whose bytes are gone: no payload follows; not covered by the chain */
#define JOURNAL_FLAGS_KNOWN     0x0fu

/*
 * Where a record starts, or (as "the position reached") where the next one will. `seq` alone decides order and
 * identity; `segment` names the file; `offset` is exact except in a compacted segment, where it may be too high.
 */
struct journal_position {
	uint64_t segment; /* number of the segment file, from 1; 0: no position */
	uint64_t offset;  /* bytes from the start of that file */
	uint64_t seq;     /* sequence number of the record, from 1 */
};

/*
 * All that a reader needs to go on from a position and to know that it reads the same history: what a snapshot
 * stores.
 */
struct journal_mark {
	struct journal_position position; /* of the next record */
	uint32_t                epoch;    /* in force there */
	struct digest           chain;    /* value after the record before */
};

/* Where a body lies: enough to find it again. Kept by the queue for each message; written into snapshots. */
struct journal_place {
	struct journal_position position;     /* of the body's record */
	uint32_t                bytes;        /* of the body itself */
	uint32_t                stored_bytes; /* on disk; fewer when compressed */
};

/* One record as a reader hands it out. */
struct journal_record {
	uint16_t type;
	uint8_t  flags;             /* JOURNAL_FLAG_* */
	int64_t  time_ms;           /* wall clock of the committer, since 1970; clocks jump: no order follows from it */
	struct journal_place place; /* place.bytes is the payload's size */
	struct digest        digest;  /* of a body: SHA-256 of its bytes as submitted; else zero */
	struct slice         payload; /* borrowed until the reader's next step; empty for a body */
};

static inline bool journal_record_is_body(const struct journal_record *record)
{
	return (record->flags & JOURNAL_FLAG_BODY) != 0;
}

/* -1, 0, 1 as `a` lies before, at or behind `b`. */
static inline int journal_position_compare(const struct journal_position *a, const struct journal_position *b)
{
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/*
 * The fixed header of a record. On disk, little-endian, offsets in bytes:
 *
 *     0  u32  magic "HgJ1"          40  u64  synced
 *     4  u16  type                  48  32   digest of a body, else zero
 *     6  u8   format version        80  32   chain
 *     7  u8   flags                112  u32  zero
 *     8  u64  seq                  116  u32  checksum of the header
 *    16  i64  time_ms              120       payload, then zeros up to a multiple of 8
 *    24  u32  epoch
 *    28  u32  checksum of the payload as stored
 *    32  u32  bytes
 *    36  u32  stored bytes
 *
 * The header's checksum is CRC-32C over the journal's id, the segment's number (u64) and bytes 0 to 115, so that a
 * header left over in a recycled file, copied to another segment, or forged inside a message (the id is never told to
 * anybody) is not valid. `chain` is described in journal/chain.h.
 */
struct journal_head {
	uint16_t      type;
	uint8_t       flags;
	uint64_t      seq;
	int64_t       time_ms;
	uint32_t      epoch;        /* how often a writer had opened this journal when the record was written */
	uint32_t      checksum;     /* CRC-32C of the stored payload */
	uint32_t      bytes;        /* of the payload, uncompressed */
	uint32_t      stored_bytes; /* on disk when the record was written; stays when the body is dropped */
	uint64_t      synced;       /* seq of the last record that was durable when this one was written */
	struct digest digest;
	struct digest chain;
};

#define JOURNAL_MAGIC 0x314a6748u /* "HgJ1" */

#define JOURNAL_ID_SIZE 16u

/* What the checksums of all headers in one segment start from. */
uint32_t journal_seed(const uint8_t id[JOURNAL_ID_SIZE], uint64_t segment);

/* Bytes that a record takes in its segment, from its header to the next one. */
uint64_t journal_head_span(const struct journal_head *head);

/* Write the header as it lies in the segment with that seed. */
void journal_head_encode(const struct journal_head *head, uint32_t seed, uint8_t out[JOURNAL_RECORD_HEAD_SIZE]);

/* Set chain and checksum of an encoded header anew; the committer does so when it knows the chain. */
void journal_head_finish(uint8_t head[JOURNAL_RECORD_HEAD_SIZE], uint32_t seed, const struct digest *chain);

/*
 * Read a header from the front of `bytes`, as it must lie in the segment with that seed.
 *
 * RC_AGAIN        fewer than JOURNAL_RECORD_HEAD_SIZE bytes.
 * RC_NOTFOUND     the first four bytes are zero: nothing was written here.
 * RC_CORRUPT      wrong magic or checksum: torn, stale or damaged.
 * RC_UNSUPPORTED  a good checksum, but a version or flag we do not know.
 * RC_SYNTAX       a good checksum, but sizes or flags that break this page (only our own mistake can write that).
 */
MUST_CHECK enum rc journal_head_decode(struct slice bytes, uint32_t seed, struct journal_head *out);

/*
 * The header of a segment file; records follow at JOURNAL_SEGMENT_HEAD_SIZE. On disk:
 *
 *     0  u64  magic "HgJseg1\n"     40  i64  time_ms
 *     8  u32  format version        48  u32  epoch at the first record
 *    12  u32  flags                 52  u32  zero
 *    16  u64  number                56  32   chain before the first record
 *    24  u64  first seq             88  16   the journal's own id
 *    32  u64  size of the file     104  ...  zeros up to 124
 *                                  124  u32  CRC-32C of bytes 0 to 123
 */
#define JOURNAL_SEGMENT_HEAD_SIZE      4096u
#define JOURNAL_SEGMENT_HEAD_USED      128u
#define JOURNAL_SEGMENT_FLAG_COMPACTED 0x01u /* rewritten without the bytes of its bodies */

struct journal_segment_head {
	uint32_t      flags;
	uint64_t      number;
	uint64_t      first_seq;
	uint64_t      size; /* of the file */
	int64_t       time_ms;
	uint32_t      epoch;
	struct digest chain;
	uint8_t       id[JOURNAL_ID_SIZE]; /* drawn once for each journal, so that segments of two are never mixed */
};

/* Writes JOURNAL_SEGMENT_HEAD_SIZE bytes. */
void journal_segment_head_encode(const struct journal_segment_head *head, uint8_t out[JOURNAL_SEGMENT_HEAD_SIZE]);

/* RC_AGAIN (too short), RC_CORRUPT, RC_UNSUPPORTED (a later version) as for records. */
MUST_CHECK enum rc journal_segment_head_decode(struct slice bytes, struct journal_segment_head *out);

/*
 * A mark (64 bytes: segment, offset, seq, epoch u32, zero u32, chain) and a place (32 bytes: segment, offset, seq,
 * bytes u32, stored bytes u32) as they stand in snapshots. A field out of range fails the cursor.
 */
struct cursor;
void                 journal_mark_put(struct buf *out, const struct journal_mark *mark);
struct journal_mark  journal_mark_take(struct cursor *cursor);
void                 journal_place_put(struct buf *out, const struct journal_place *place);
struct journal_place journal_place_take(struct cursor *cursor);

#endif
