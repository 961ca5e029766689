/*
 * The inside of the writer, shared by its parts and by nobody else:
 *
 *   writer.c   the queue, the threads, the public calls
 *   batch.c    groups -> bytes -> one write, one sync; the change to the next segment   (committer's thread)
 *   recover.c  from a folder to a writer that can go on                                  (before the threads)
 *   keeper.c   spare segments, snapshots, free space                                     (keeper's thread)
 *   compact.c  segments without their bodies, holes in those that keep some              (keeper's thread)
 */
#ifndef JOURNAL_ENGINE_H
#define JOURNAL_ENGINE_H

#include "journal/bodies.h"
#include "journal/compress.h"
#include "journal/crowd.h"
#include "journal/segment.h"
#include "journal/writer.h"
#include "sys/threads.h"

#include <stdatomic.h>

/* Bounds of one batch: what one write and one sync make durable. A single group may be larger in bytes. */
#define JOURNAL_BATCH_BYTES_MAX   (32u << 20)
#define JOURNAL_BATCH_RECORDS_MAX 2048u
#define JOURNAL_BATCH_PIECES_MAX  8192u

/* A SEAL record: first seq, records, bodies, stored bytes of bodies in its segment; u64 each. */
#define JOURNAL_SEAL_PAYLOAD 32u
#define JOURNAL_SEAL_SPAN    (JOURNAL_RECORD_HEAD_SIZE + JOURNAL_SEAL_PAYLOAD)

_Static_assert(JOURNAL_BATCH_RECORDS_MAX >= JOURNAL_GROUP_RECORDS_MAX, "a group fits a batch");
_Static_assert(JOURNAL_BATCH_PIECES_MAX > JOURNAL_GROUP_RECORDS_MAX * (JOURNAL_ITEM_PIECES_MAX + 2),
               "a group fits a batch");

struct journal_batch {
	struct list   groups; /* in it, in order */
	uint8_t      *heads;  /* JOURNAL_BATCH_RECORDS_MAX encoded headers */
	struct slice *pieces;
	uint8_t      *packed[JOURNAL_BATCH_RECORDS_MAX]; /* compressed bodies, freed when the batch ends */
	size_t        record_count;
	size_t        piece_count;
	size_t        packed_count;
	uint64_t      bytes;
	uint64_t      body_bytes;
	uint64_t      stored_bytes;
	uint64_t      now_groups;
	uint64_t      group_count;
};

/* An emptied or prepared file. */
struct journal_spare {
	struct journal_file *file; /* NULL: none */
	uint64_t             number;
	bool                 used_before;
};

struct journal_counters {
	_Atomic uint64_t syncs, batches, groups, now_groups, records, bytes, body_bytes, stored_bytes, sync_us,
		segments, recycled, compacted, punched_bytes, snapshots, busy, no_space;
};

struct journal_writer {
	struct journal_disk         *disk;
	struct journal_limits        limits;
	struct journal_writer_events events;
	int64_t (*now_ms)(void *context);
	void                   *now_context;
	uint8_t                 id[JOURNAL_ID_SIZE];
	struct journal_bodies  *bodies;
	struct journal_counters counters;
	atomic_bool             failed;
	atomic_int              expected; /* announced and not yet submitted */
	atomic_bool             has_room;
	_Atomic uint64_t        free_bytes;
	atomic_bool             snapshot_due;

	struct mutex        lock; /* guards the queue and `durable` */
	struct condition    wake;
	struct list         queue;
	uint64_t            queued_groups;
	uint64_t            queued_bytes;
	uint64_t            queued_now;   /* groups of urgency NOW */
	uint64_t            first_now_us; /* when the oldest of them came */
	uint64_t            first_lazy_us;
	struct journal_crowd crowd;       /* how many NOW groups come together lately */
	bool                sleeping; /* the committer waits on `wake` */
	bool                closing;
	bool                failure_told;
	struct journal_mark durable;

	/* The committer's own. */
	struct thread             *committer;
	struct journal_batch       batch;
	struct journal_compressor *compressor; /* NULL: bodies are stored as they are */
	struct journal_file       *file;       /* the open segment */
	uint64_t                   file_size;
	uint32_t                   seed;
	struct journal_mark        tail;      /* behind everything encoded */
	uint64_t                   synced;    /* seq of the last durable record */
	uint64_t                   first_seq; /* of the open segment */
	uint64_t                   segment_bodies;
	uint64_t                   segment_stored;
	uint64_t                   since_snapshot; /* bytes */

	struct mutex           keep_lock; /* guards what follows */
	struct condition       keep_wake;
	struct thread         *keeper;
	bool                   keeper_ends;
	struct journal_spare   ready;        /* the next segment's file */
	struct journal_numbers spares;       /* further ones, not open */
	uint64_t               spare_number; /* last one given out */
	struct buf             snapshot;     /* to be written; empty: none */
	struct journal_mark    snapshot_mark;
	bool                   snapshot_busy;

	/* The keeper's own. */
	uint64_t              compact_from; /* segments below were looked at and left */
	uint64_t              punch_from;
	uint64_t              retry_us; /* when what failed is tried again */
	struct journal_window window;
};

static inline void journal_count(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* batch.c */

/* Memory for batches. RC_NOMEM. */
MUST_CHECK enum rc journal_batch_init(struct journal_writer *writer);
void               journal_batch_done(struct journal_writer *writer);
/* Write, sync and answer all groups of `groups`, in order; it is empty afterwards. */
void journal_batch_run(struct journal_writer *writer, struct list *groups);
/* Write and sync one record of the journal's own. Not RC_OK: the writer has failed. */
MUST_CHECK enum rc journal_batch_own(struct journal_writer *writer, uint16_t type, struct slice payload,
                                     uint32_t epoch);
/* The record that begins an epoch, in the next segment if this one has no room. As above. */
MUST_CHECK enum rc journal_batch_opened(struct journal_writer *writer, struct slice payload, uint32_t epoch);
/*
 * Begin segment `writer->tail.position.segment`, at whose first record the tail stands, in a file of at least `size`
 * bytes. RC_NOMEM: no space, nothing changed. Anything else: the writer has failed.
 */
MUST_CHECK enum rc journal_segment_begin(struct journal_writer *writer, struct journal_spare *spare, uint64_t size);
/* Call the writer failed, once. Returns `rc`. */
enum rc journal_writer_fail(struct journal_writer *writer, enum rc rc, const char *text, int64_t number);

/* keeper.c */

/* A file of `size` bytes for the next segment. RC_NOMEM (no space, no memory), RC_IO. */
MUST_CHECK enum rc journal_spare_take(struct journal_writer *writer, uint64_t size, struct journal_spare *out);
/* The file of a new journal's first segment: there is time to write zeros. */
MUST_CHECK enum rc journal_spare_first(struct journal_writer *writer, struct journal_spare *out);
/* Give one back that was not used. */
void journal_spare_return(struct journal_writer *writer, struct journal_spare *spare);
/* Everything that is due. */
void journal_keeper_pass(struct journal_writer *writer);
void journal_keeper_run(void *writer);
void journal_keeper_wake(struct journal_writer *writer);
void journal_keeper_space(struct journal_writer *writer);
/* Find the spares that are there. RC_NOMEM, RC_IO. */
MUST_CHECK enum rc journal_keeper_init(struct journal_writer *writer);
void               journal_keeper_done(struct journal_writer *writer);

/* compact.c */

/*
 * Rewrite a sealed segment without its bodies; its old file becomes a spare or goes. RC_OK also when it was compacted
 * already.
 */
MUST_CHECK enum rc journal_compact(struct journal_writer *writer, uint64_t segment, struct fault *fault);
/* Give back the space of the dropped bodies of a sealed segment. */
MUST_CHECK enum rc journal_punch(struct journal_writer *writer, uint64_t segment, struct fault *fault);

#endif
