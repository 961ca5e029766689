/*
 * The one writer of a journal: recovery at the start, then group commit on a thread of its own.
 *
 *   journal_writer_open()    locks the folder, finds the newest good snapshot, replays what follows into the caller's
 *                            fold, cuts off a torn tail, begins a new epoch. No thread yet.
 *   journal_bodies_claim()   (journal/body.h) by the caller, for each body its fold still needs.
 *   journal_writer_start()   two threads: the committer, and the keeper (new segments, snapshots, compaction).
 *   journal_writer_submit()  from any thread. Answered on the committer's thread.
 *   journal_writer_stop()    writes out what waits and ends the threads; for a caller whose answers are still on their way.
 *   journal_writer_close()   the same, and frees everything. journal_disk_close() then unlocks the folder.
 *
 * One write and one fdatasync make everything durable that waits at that moment. With siblings announced
 * (journal_writer_expect) the committer waits for them, at most limits.delay_ms, so that many sessions share a sync; it
 * does the same while groups have lately come in crowds, announced or not. A single session never waits.
 *
 * A failed write or sync is final. The writer then answers RC_IO to all who wait and to all who come, calls `failed`
 * once, and promises nothing any more; its owner lets the process end and be started anew. Whether a group answered
 * so is found after the restart is open: nobody was told that it is ours.
 */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include "base/fault.h"
#include "base/list.h"
#include "journal/disk.h"
#include "journal/limits.h"
#include "journal/record.h"

struct journal_writer; /* opaque */
struct journal_bodies; /* journal/body.h */

enum journal_urgency {
	JOURNAL_NOW,  /* someone waits for the answer */
	JOURNAL_LAZY, /* rides along with the next sync; synced alone after limits.lazy_ms */
};

/* One record to be written. Everything pointed to is borrowed until the group's answer. */
struct journal_item {
	uint16_t             type;        /* below JOURNAL_TYPE_OWN */
	bool                 body;        /* covered by its digest; may be compressed; can be dropped later */
	const struct digest *digest;      /* SHA-256 of a body; NULL: the committer takes it */
	const struct slice  *pieces;      /* the payload, one after the other */
	size_t               piece_count; /* 0 is an empty payload */
	struct journal_place place;       /* out: where it lies, set before the answer */
	struct digest        body_digest; /* out: of a body */
};

#define JOURNAL_ITEM_PIECES_MAX 64u

/*
 * Records that become visible all or nothing, in one segment. The struct lies in the caller's own thing and, with all
 * it points to, must stay as it is from submit to answer; submit itself allocates nothing.
 */
struct journal_group {
	struct list          link;  /* the writer's; {0} before submit */
	struct journal_item *items; /* 1 to JOURNAL_GROUP_RECORDS_MAX */
	size_t               item_count;
	enum journal_urgency urgency;
	bool announced; /* journal_writer_expect(+1) was made for it; submit takes it back in any case */
	/*
	 * The answer, on the committer's thread (in journal_writer_step() when there is none): be short, post to a
	 * loop, return. RC_OK: durable; `items[].place` and `after` are set. RC_NOMEM: no space for it on the disk,
	 * nothing was written, the writer lives. RC_IO: the writer has failed. RC_CLOSED: the writer was closed
	 * before its turn. Groups are answered in the order of submission. The group is the caller's again when this
	 * is called, so it may be freed inside.
	 */
	void (*answer)(struct journal_group *group, enum rc rc);
	struct journal_mark after; /* out: the position behind the group */
};

/* Counters since open. Read at any time; each number is whole, together they may be of slightly different moments. */
struct journal_writer_statistics {
	uint64_t syncs; /* fdatasync on segments: batches plus segment changes */
	uint64_t batches;
	uint64_t groups;
	uint64_t now_groups; /* groups of urgency NOW: the messages in sync.per_message */
	uint64_t records;
	uint64_t bytes;        /* written to segments */
	uint64_t body_bytes;   /* of bodies as submitted */
	uint64_t stored_bytes; /* of bodies as written */
	uint64_t sync_us;      /* time spent in fdatasync */
	uint64_t segments;     /* begun */
	uint64_t recycled;     /* of those, in a file used before */
	uint64_t compacted;
	uint64_t punched_bytes;
	uint64_t snapshots;
	uint64_t busy;          /* submits refused with RC_BUSY */
	uint64_t no_space;      /* groups answered RC_NOMEM */
	uint64_t queued_groups; /* waiting now */
	uint64_t queued_bytes;
};

/* The owner's ears. Any may be NULL. All are called on the committer's or keeper's thread: be short. */
struct journal_writer_events {
	void *context;
	/* After each sync, behind the answers of its groups: everything before `reached` is durable. */
	void (*durable)(void *context, const struct journal_mark *reached);
	/* Once, before the answers RC_IO. */
	void (*failed)(void *context, const struct fault *fault);
	/*
	 * limits.snapshot_bytes were written, or a segment sealed, since the last one: call journal_writer_snapshot()
	 * soon.
	 */
	void (*snapshot_due)(void *context);
	/* Upkeep (compaction, spare files, a snapshot) failed; nothing is lost; tried again later. */
	void (*upkeep_failed)(void *context, const struct fault *fault);
};

/* The caller's fold during recovery. */
struct journal_replay {
	void *context;
	/*
	 * Begin anew, from a snapshot's blob or, when `blob` is empty, from nothing; may be called several times.
	 * RC_OK, or RC_SYNTAX / RC_UNSUPPORTED for a blob it cannot read: then an older snapshot is tried, at last
	 * none. Anything else ends the open.
	 */
	enum rc (*restore)(void *context, struct slice blob, const struct journal_mark *mark);
	/*
	 * The next whole group, in order. Own records of the journal (type >= JOURNAL_TYPE_OWN) are not shown. Not
	 * RC_OK ends the open.
	 */
	enum rc (*apply)(void *context, const struct journal_record *records, size_t count);
};

/* What recovery found. */
struct journal_recovery {
	struct journal_mark     start;     /* where reading began: behind the snapshot, or at the first record */
	struct journal_mark     end;       /* behind the last whole, chained group */
	uint64_t                groups;    /* replayed */
	uint64_t                cut_bytes; /* of a torn tail, never trusted and now overwritten; 0 after a clean end */
	uint64_t                cut_records;   /* whole records of an incomplete group that were cut off with it */
	uint32_t                snapshots_bad; /* snapshots passed over */
	bool                    salvaged;      /* RECOVER_SALVAGE was needed: records behind the damage are lost */
	bool                    created;       /* there was no journal */
	struct journal_position bad;           /* after RC_CORRUPT or a salvage: the first record that is not good */
};

struct journal_writer_options {
	struct journal_disk         *disk;   /* borrowed until close */
	const struct journal_limits *limits; /* copied */
	struct journal_writer_events events;
	struct journal_replay        replay; /* used by open only; may be all NULL */
	/* Wall clock in ms since 1970; NULL: the system's. */
	int64_t (*now_ms)(void *context);
	void *now_context;
	/*
	 * Damage in the middle (records that had been durable are unreadable) ends open with RC_CORRUPT. With
	 * `salvage` the journal is kept up to the damage, the damaged segment and all behind it are renamed to
	 * *.damaged, and writing goes on.
	 */
	bool salvage;
};

/*
 * RC_OK: *out. RC_BUSY: another process has the folder. RC_CORRUPT: damage in the middle, `fault` names segment and
 * offset. RC_UNSUPPORTED: written by a later version. RC_NOMEM: no space, no memory. RC_IO, or what the fold answered.
 * `recovery` and `fault` may be NULL. Nothing is changed on disk before the history has been read whole, except that
 * leftovers of unfinished upkeep are removed.
 */
MUST_CHECK enum rc journal_writer_open(const struct journal_writer_options *options, struct journal_recovery *recovery,
                                       struct fault *fault, struct journal_writer **out);

/* Start the threads. RC_NOMEM, RC_IO: none runs. Without it journal_writer_step() does their work. */
MUST_CHECK enum rc journal_writer_start(struct journal_writer *writer);

/*
 * Write and sync what waits, now, on the caller's thread; and do the upkeep that is due. Only without threads: tests
 * and tools.
 */
void journal_writer_step(struct journal_writer *writer);

/*
 * Everything submitted before is written and answered; then the threads end. Groups that can no longer be written are
 * answered RC_CLOSED or RC_IO. From now on every submit is refused with RC_CLOSED, and nothing is answered any more; bodies may
 * still be read and dropped. Does nothing the second time.
 */
void journal_writer_stop(struct journal_writer *writer);

/* Stops it if nobody has, and frees it. NULL inside is legal; clears the caller's pointer. */
void journal_writer_close(struct journal_writer **writer);

/*
 * Hand a group over. RC_OK: it will be answered. Otherwise it will not, and is the caller's at once:
 * RC_BUSY    the queue is full (limits.queue_*): answer 452 and go on.
 * RC_LIMIT   it breaks a bound of journal/record.h.
 * RC_IO      the writer has failed.  RC_CLOSED  it is closing.
 */
MUST_CHECK enum rc journal_writer_submit(struct journal_writer *writer, struct journal_group *group);

/*
 * Tell how many messages will soon be submitted: +1 when one is about to be (its last byte has come), -1 when it will
 * not be after all. A submit with `announced` set takes its own +1 back. Any thread; costs an atomic addition.
 */
void journal_writer_expect(struct journal_writer *writer, int change);

/* The position up to which everything is durable. Any thread. */
struct journal_mark journal_writer_durable(struct journal_writer *writer);

/* True after a failed write or sync. */
bool journal_writer_failed(const struct journal_writer *writer);

/* Free bytes in the journal's file system, as of at most a second ago, spare segments counted in. Any thread. */
uint64_t journal_writer_free_bytes(struct journal_writer *writer);

/* False when that is below limits.free_floor_bytes: answer 452 to MAIL. Any thread; an atomic read. */
bool journal_writer_has_room(const struct journal_writer *writer);

struct journal_writer_statistics journal_writer_statistics(struct journal_writer *writer);

/* Where bodies are read and dropped; lives as long as the writer. */
struct journal_bodies *journal_writer_bodies(struct journal_writer *writer);

/* True from the moment a snapshot is due until one has been handed over. */
bool journal_writer_snapshot_due(const struct journal_writer *writer);

/*
 * Store the fold's state `blob` as it is after every group before `mark` (the `after` of the last group it has
 * applied). The bytes become the writer's and are freed by it; `blob` is left empty. Written by the keeper; failures
 * go to upkeep_failed. RC_BUSY: one is still being written (`blob` stays the caller's). RC_LIMIT: larger than
 * JOURNAL_SNAPSHOT_BYTES_MAX.
 */
MUST_CHECK enum rc journal_writer_snapshot(struct journal_writer *writer, const struct journal_mark *mark,
                                           struct buf *blob);

#endif
