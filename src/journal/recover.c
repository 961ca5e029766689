/*
 * From a folder to a writer that can go on: lock, leftovers away, newest good snapshot, replay, tail made good, a new
 * epoch.
 *
 * What was written but perhaps never synced is written again before anything is appended: the page cache may hold bytes
 * that the disk refused, and nothing acknowledged may ever stand behind bytes that are not on the disk.
 */
#include "journal/engine.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "base/must.h"
#include "journal/reader.h"
#include "journal/snapshot.h"
#include "sys/clock.h"
#include "sys/random.h"

#include <errno.h>

#define COPY_SIZE      (256u << 10)
#define OPENED_PAYLOAD 16u

struct opening {
	struct journal_writer               *writer;
	const struct journal_writer_options *options;
	struct journal_recovery              recovery;
	struct journal_numbers               segments;
	struct journal_position              tail;      /* from here on not proven durable */
	uint32_t                             epoch_max; /* highest seen, also in what is cut off */
	struct fault                        *fault;
};

static int64_t system_now_ms(void *context)
{
	(void)context;
	return (int64_t)clock_wall_ms();
}

static enum rc remove_all(struct journal_disk *disk, enum journal_name kind)
{
	struct journal_numbers numbers;
	enum rc                rc = journal_numbers_list(disk, kind, &numbers);

	for (size_t i = 0; rc == RC_OK && i < numbers.count; i++) {
		const struct journal_file_name name = journal_name(kind, numbers.items[i]);
		rc = disk->calls->remove(disk, name.text);
	}
	journal_numbers_done(&numbers);
	return rc;
}

static enum rc remove_leftovers(struct journal_disk *disk)
{
	enum rc rc = remove_all(disk, JOURNAL_NAME_SEGMENT_NEW);

	if (rc == RC_OK)
		rc = remove_all(disk, JOURNAL_NAME_SPARE_NEW);
	if (rc == RC_OK)
		rc = remove_all(disk, JOURNAL_NAME_SNAPSHOT_NEW);
	if (rc == RC_OK)
		rc = remove_all(disk, JOURNAL_NAME_HOLES_NEW);
	return rc;
}

/* Groups of the journal's own records are not the fold's. */
static enum rc apply(struct opening *opening, const struct journal_record *records, size_t count)
{
	const struct journal_replay *replay = &opening->options->replay;

	if (records[0].type >= JOURNAL_TYPE_OWN)
		return RC_OK;
	opening->recovery.groups++;
	return replay->apply == NULL ? RC_OK : replay->apply(replay->context, records, count);
}

static enum rc set_aside(struct opening *opening, const struct journal_reader_end *end);

/* Read everything behind the reader's mark. */
static enum rc replay_from(struct opening *opening, struct journal_reader *reader)
{
	const struct journal_record *records;
	size_t                       count;
	enum rc                      rc;

	opening->recovery.groups = 0;
	while ((rc = journal_reader_next(reader, NULL, &records, &count, opening->fault)) == RC_OK) {
		rc = apply(opening, records, count);
		if (rc != RC_OK)
			return fault_set(opening->fault, rc, "the fold refused a record", 0,
			                 (int64_t)records[0].place.position.seq);
	}
	const struct journal_reader_end end = journal_reader_end(reader);
	if (rc == RC_CORRUPT && opening->options->salvage) {
		opening->recovery.salvaged = true;
		opening->recovery.bad = end.bad;
		rc = set_aside(opening, &end);
		if (rc != RC_OK)
			return fault_set(opening->fault, rc, "setting damaged segments aside", errno,
			                 (int64_t)end.bad.segment);
		rc = RC_CLOSED;
	}
	if (rc != RC_CLOSED) {
		opening->recovery.bad = end.bad;
		return rc;
	}
	opening->recovery.end = journal_reader_mark(reader);
	opening->recovery.cut_bytes = end.cut_bytes;
	opening->recovery.cut_records = end.cut_records;
	opening->tail = journal_reader_tail(reader);
	if (opening->recovery.end.epoch > opening->epoch_max)
		opening->epoch_max = opening->recovery.end.epoch;
	if (end.epoch_max > opening->epoch_max)
		opening->epoch_max = end.epoch_max;
	return RC_OK;
}

/* A copy of the damaged segment for whoever wants to look at it; the file itself goes on as the open one. */
static enum rc copy_damaged(struct opening *opening, uint64_t number)
{
	const struct journal_file_name name = journal_name(JOURNAL_NAME_SEGMENT, number);
	const struct journal_file_name to = journal_name(JOURNAL_NAME_DAMAGED, number);
	struct journal_disk           *disk = opening->writer->disk;
	struct journal_file           *from_file, *to_file;
	uint8_t                       *bytes = memory_take(1, COPY_SIZE);
	size_t                         got = 0;

	enum rc rc = bytes == NULL ? RC_NOMEM : disk->calls->open(disk, name.text, JOURNAL_OPEN_READ, &from_file);
	if (rc != RC_OK) {
		memory_give(bytes);
		return rc;
	}
	(void)(disk->calls->remove(disk, to.text) == RC_OK); /* of an earlier try */
	rc = disk->calls->open(disk, to.text, JOURNAL_OPEN_CREATE, &to_file);
	if (rc == RC_OK) {
		uint64_t at = 0;
		do {
			rc = disk->calls->read(disk, from_file, at, bytes, COPY_SIZE, &got);
			const struct slice piece = slice_of(bytes, got);
			if (rc == RC_OK && got != 0)
				rc = disk->calls->write(disk, to_file, at, &piece, 1);
			at += got;
		} while (rc == RC_OK && got != 0);
		if (rc == RC_OK)
			rc = disk->calls->sync(disk, to_file);
		disk->calls->close(disk, to_file);
	}
	disk->calls->close(disk, from_file);
	memory_give(bytes);
	return rc;
}

/* Segments from `from` on get another name. Their epochs are remembered, so that the next one is above them all. */
static enum rc damaged_segments(struct opening *opening, uint64_t from)
{
	struct journal_disk *disk = opening->writer->disk;
	enum rc              rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < opening->segments.count; i++) {
		const uint64_t                 number = opening->segments.items[i];
		const struct journal_file_name name = journal_name(JOURNAL_NAME_SEGMENT, number);
		const struct journal_file_name to = journal_name(JOURNAL_NAME_DAMAGED, number);
		struct journal_segment_head    head;
		struct journal_file           *file;
		if (number < from)
			continue;
		if (journal_segment_open(disk, number, JOURNAL_OPEN_READ, &file, &head) == RC_OK) {
			disk->calls->close(disk, file);
			if (head.epoch >= opening->epoch_max)
				opening->epoch_max = head.epoch + 1;
		}
		rc = disk->calls->rename(disk, name.text, to.text);
	}
	while (rc == RC_OK && opening->segments.count != 0 &&
	       opening->segments.items[opening->segments.count - 1] >= from)
		opening->segments.count--;
	return rc;
}

static enum rc set_aside(struct opening *opening, const struct journal_reader_end *end)
{
	struct journal_disk   *disk = opening->writer->disk;
	struct journal_numbers snapshots;
	uint64_t               from = end->position.segment;

	/* The good part of the segment stays, if there is one. */
	enum rc rc = RC_OK;
	if (end->segment_good)
		rc = copy_damaged(opening, from++);
	if (rc == RC_OK)
		rc = damaged_segments(opening, from);
	/* Snapshots of what is lost would lead the next start astray. */
	if (rc == RC_OK) {
		rc = journal_numbers_list(disk, JOURNAL_NAME_SNAPSHOT, &snapshots);
		for (size_t i = 0; rc == RC_OK && i < snapshots.count; i++) {
			const struct journal_file_name name = journal_name(JOURNAL_NAME_SNAPSHOT, snapshots.items[i]);
			if (snapshots.items[i] > end->position.seq)
				rc = disk->calls->remove(disk, name.text);
		}
		journal_numbers_done(&snapshots);
	}
	return rc == RC_OK ? disk->calls->sync_folder(disk) : rc;
}

/* One try: from the snapshot `mark`, or from the first segment when it is NULL. RC_AGAIN: this snapshot is no good. */
static enum rc try_from(struct opening *opening, const struct journal_mark *mark, struct slice blob)
{
	const struct journal_replay *replay = &opening->options->replay;
	struct journal_reader       *reader;

	enum rc rc =
		journal_reader_open(opening->writer->disk, mark, JOURNAL_CHECK_LAST_SEGMENT, opening->fault, &reader);
	if (rc != RC_OK)
		return mark != NULL && (rc == RC_NOTFOUND || rc == RC_CORRUPT) ? RC_AGAIN : rc;
	opening->recovery.start = journal_reader_mark(reader);
	if (replay->restore != NULL)
		rc = replay->restore(replay->context, blob, &opening->recovery.start);
	if (rc != RC_OK) {
		(void)fault_set(opening->fault, rc, "the fold refused its snapshot", 0,
		                (int64_t)opening->recovery.start.position.seq);
		rc = mark != NULL && (rc == RC_SYNTAX || rc == RC_UNSUPPORTED) ? RC_AGAIN : rc;
	} else {
		rc = replay_from(opening, reader);
	}
	journal_reader_close(&reader);
	return rc;
}

/* Snapshots from the newest on, at last everything. */
static enum rc replay(struct opening *opening)
{
	uint64_t before = 0;

	for (;;) {
		struct buf          file;
		struct journal_mark mark;
		struct slice        blob;
		enum rc rc = journal_snapshot_load(opening->writer->disk, opening->writer->id, before, &file, &mark,
		                                   &blob, &opening->recovery.snapshots_bad);
		if (rc == RC_NOTFOUND)
			return try_from(opening, NULL, (struct slice){ NULL, 0 });
		if (rc != RC_OK)
			return fault_set(opening->fault, rc, "reading snapshots", errno, 0);
		rc = try_from(opening, &mark, blob);
		buf_done(&file);
		if (rc != RC_AGAIN)
			return rc;
		opening->recovery.snapshots_bad++;
		before = mark.position.seq;
	}
}

/* Write [from, to) of the open segment again, as it is. */
static enum rc rewrite(struct journal_writer *writer, uint64_t from, uint64_t to)
{
	uint8_t *bytes = memory_take(1, COPY_SIZE);
	enum rc  rc = bytes == NULL ? RC_NOMEM : RC_OK;

	while (rc == RC_OK && from < to) {
		const size_t want = to - from < COPY_SIZE ? (size_t)(to - from) : COPY_SIZE;
		size_t       got;
		rc = writer->disk->calls->read(writer->disk, writer->file, from, bytes, want, &got);
		if (rc == RC_OK && got != want)
			rc = RC_IO;
		const struct slice piece = slice_of(bytes, want);
		if (rc == RC_OK)
			rc = writer->disk->calls->write(writer->disk, writer->file, from, &piece, 1);
		from += want;
	}
	memory_give(bytes);
	return rc;
}

/* Open segment `number` for writing and make its header and everything from `tail` to `end` durable. */
static enum rc make_good(struct opening *opening, uint64_t number, uint64_t end)
{
	struct journal_writer      *writer = opening->writer;
	struct journal_segment_head head;
	const uint64_t tail = opening->tail.segment == number ? opening->tail.offset : JOURNAL_SEGMENT_HEAD_SIZE;

	enum rc rc = journal_segment_open(writer->disk, number, JOURNAL_OPEN_WRITE, &writer->file, &head);
	if (rc != RC_OK)
		return rc;
	writer->seed = journal_seed(writer->id, number);
	writer->first_seq = head.first_seq;
	rc = writer->disk->calls->size(writer->disk, writer->file, &writer->file_size);
	if (rc == RC_OK)
		rc = rewrite(writer, 0, JOURNAL_SEGMENT_HEAD_SIZE);
	if (rc == RC_OK)
		rc = rewrite(writer, tail, end);
	if (rc == RC_OK)
		rc = writer->disk->calls->sync(writer->disk, writer->file);
	return rc;
}

/* The segment that the end stands in is not there: begin it. */
static enum rc begin_missing(struct journal_writer *writer)
{
	struct journal_spare spare;

	const enum rc rc = journal_spare_first(writer, &spare);
	return rc != RC_OK ? rc : journal_segment_begin(writer, &spare, writer->limits.segment_bytes);
}

/* Segments that were punched before are no use as spares. */
static enum rc remember_holes(struct journal_writer *writer)
{
	struct journal_numbers holes;
	const enum rc          rc = journal_numbers_list(writer->disk, JOURNAL_NAME_HOLES, &holes);

	for (size_t i = 0; i < holes.count; i++)
		journal_bodies_punched(writer->bodies, holes.items[i]);
	journal_numbers_done(&holes);
	return rc;
}

/* From what was found to a writer that stands at the end of it. */
static enum rc continue_at(struct opening *opening)
{
	struct journal_writer     *writer = opening->writer;
	const struct journal_mark *end = &opening->recovery.end;
	const uint64_t             last = opening->segments.items[opening->segments.count - 1];
	enum rc                    rc;

	writer->tail = *end;
	if (last == end->position.segment) {
		rc = make_good(opening, last, end->position.offset);
	} else if (opening->tail.segment == last) {
		/*
		 * Sealed, and the next was not begun. The end of the seal is not known here; the whole rest is
		 * written again.
		 */
		rc = make_good(opening, last, opening->tail.offset);
		if (rc == RC_OK)
			rc = rewrite(writer, opening->tail.offset, writer->file_size);
		if (rc == RC_OK)
			rc = writer->disk->calls->sync(writer->disk, writer->file);
		writer->disk->calls->close(writer->disk, writer->file);
		writer->file = NULL;
	} else {
		rc = RC_OK;
	}
	if (rc == RC_OK)
		rc = writer->disk->calls->sync_folder(writer->disk);
	if (rc == RC_OK && writer->file == NULL) {
		rc = journal_bodies_begin(writer->bodies, end->position.segment);
		if (rc == RC_OK)
			rc = begin_missing(writer);
	} else if (rc == RC_OK) {
		journal_bodies_unseal(writer->bodies, last);
	}
	writer->synced = writer->tail.position.seq - 1;
	return rc == RC_OK ? RC_OK
	                   : fault_set(opening->fault, rc, "making the end of the journal good", errno,
	                               (int64_t)end->position.segment);
}

/* A journal of nothing. */
static enum rc create(struct opening *opening)
{
	struct journal_writer *writer = opening->writer;
	struct journal_numbers snapshots;

	enum rc    rc = journal_numbers_list(writer->disk, JOURNAL_NAME_SNAPSHOT, &snapshots);
	const bool lost = rc == RC_OK && snapshots.count != 0 && !opening->options->salvage;
	journal_numbers_done(&snapshots);
	if (rc != RC_OK)
		return fault_set(opening->fault, rc, "looking at the journal's folder", errno, 0);
	if (lost)
		return fault_set(opening->fault, RC_CORRUPT, "there are snapshots but no segments", 0, 0);
	random_bytes(writer->id, sizeof writer->id);
	opening->recovery.created = true;
	writer->tail.position =
		(struct journal_position){ .segment = 1, .offset = JOURNAL_SEGMENT_HEAD_SIZE, .seq = 1 };
	opening->recovery.start = writer->tail;
	opening->recovery.end = writer->tail;
	rc = journal_bodies_open(writer->disk, writer->id, &opening->segments, &writer->bodies);
	if (rc == RC_OK)
		rc = journal_bodies_begin(writer->bodies, 1);
	if (rc == RC_OK)
		rc = begin_missing(writer);
	if (rc != RC_OK)
		return fault_set(opening->fault, rc, "making a journal", errno, 0);
	const struct journal_replay *replay_calls = &opening->options->replay;
	if (replay_calls->restore != NULL)
		rc = replay_calls->restore(replay_calls->context, (struct slice){ NULL, 0 }, &writer->tail);
	return rc == RC_OK ? RC_OK : fault_set(opening->fault, rc, "the fold refused to begin", 0, 0);
}

/* The id of the journal stands in each of its segments; the first readable one tells. */
static enum rc read_id(struct opening *opening)
{
	struct journal_writer *writer = opening->writer;
	enum rc                rc = RC_CORRUPT;

	for (size_t i = 0; rc == RC_CORRUPT && i < opening->segments.count; i++) {
		struct journal_segment_head head;
		struct journal_file        *file;
		rc = journal_segment_open(writer->disk, opening->segments.items[i], JOURNAL_OPEN_READ, &file, &head);
		if (rc == RC_OK) {
			writer->disk->calls->close(writer->disk, file);
			memcpy(writer->id, head.id, JOURNAL_ID_SIZE);
		}
	}
	return rc == RC_OK ? RC_OK : fault_set(opening->fault, rc, "no segment has a readable header", errno, 0);
}

/*
 * The oldest segments whose headers nobody can read get another name: the journal begins behind them, as it does when they are retired.
 * RC_NOTFOUND: the oldest one can be read, so that this is not the trouble.
 */
static enum rc salvage_front(struct opening *opening)
{
	struct journal_numbers *segments = &opening->segments;
	struct journal_disk    *disk = opening->writer->disk;
	size_t                  count = 0;
	enum rc                 rc = RC_OK;

	for (; rc == RC_OK && count < segments->count; count++) {
		const struct journal_file_name name = journal_name(JOURNAL_NAME_SEGMENT, segments->items[count]);
		const struct journal_file_name to = journal_name(JOURNAL_NAME_DAMAGED, segments->items[count]);
		struct journal_segment_head    head;
		struct journal_file           *file;
		rc = journal_segment_open(disk, segments->items[count], JOURNAL_OPEN_READ, &file, &head);
		if (rc == RC_OK) {
			disk->calls->close(disk, file);
			break;
		}
		if (rc == RC_CORRUPT)
			rc = disk->calls->rename(disk, name.text, to.text);
	}
	if (rc == RC_OK && count == 0)
		return RC_NOTFOUND;
	if (rc == RC_OK)
		rc = disk->calls->sync_folder(disk);
	if (rc != RC_OK)
		return fault_set(opening->fault, rc, "setting damaged segments aside", errno, 0);
	if (!opening->recovery.salvaged)
		opening->recovery.bad = (struct journal_position){ .segment = segments->items[0] };
	opening->recovery.salvaged = true;
	segments->count -= count;
	memmove(segments->items, segments->items + count, segments->count * sizeof *segments->items);
	return RC_OK;
}

/* Nothing is left: what snapshots and lists of holes say is about nothing, too. */
static enum rc create_after_salvage(struct opening *opening)
{
	enum rc rc = remove_all(opening->writer->disk, JOURNAL_NAME_SNAPSHOT);

	if (rc == RC_OK)
		rc = remove_all(opening->writer->disk, JOURNAL_NAME_HOLES);
	return rc == RC_OK ? create(opening) : fault_set(opening->fault, rc, "setting damaged segments aside", errno, 0);
}

static enum rc find_history(struct opening *opening)
{
	struct journal_writer *writer = opening->writer;
	struct journal_disk   *disk = writer->disk;
	const bool             salvage = opening->options->salvage;

	enum rc rc = disk->calls->lock(disk);
	if (rc != RC_OK)
		return fault_set(opening->fault, rc, "locking the journal's folder", errno, 0);
	rc = remove_leftovers(disk);
	if (rc == RC_OK)
		rc = journal_numbers_list(disk, JOURNAL_NAME_SEGMENT, &opening->segments);
	if (rc == RC_OK)
		rc = journal_keeper_init(writer);
	if (rc != RC_OK)
		return fault_set(opening->fault, rc, "looking at the journal's folder", errno, 0);
	if (opening->segments.count == 0)
		return create(opening);
	rc = read_id(opening);
	if (rc == RC_OK)
		rc = replay(opening);
	if (rc == RC_CORRUPT && salvage) {
		const enum rc front = salvage_front(opening);
		if (front != RC_OK)
			return front == RC_NOTFOUND ? rc : front;
		rc = opening->segments.count == 0 ? RC_OK : read_id(opening);
		if (rc == RC_OK && opening->segments.count != 0)
			rc = replay(opening);
	}
	if (rc != RC_OK)
		return rc;
	/* Only a salvage takes segments away. */
	if (opening->segments.count == 0)
		return create_after_salvage(opening);
	rc = journal_bodies_open(disk, writer->id, &opening->segments, &writer->bodies);
	if (rc == RC_OK)
		rc = remember_holes(writer);
	if (rc != RC_OK)
		return fault_set(opening->fault, rc, "opening the journal", 0, 0);
	return continue_at(opening);
}

/* From here on records of this writer are told from all that may lie behind the end. */
static enum rc begin_epoch(struct opening *opening)
{
	struct journal_writer *writer = opening->writer;
	struct buf             payload = buf_make(OPENED_PAYLOAD);
	const uint32_t epoch = (opening->epoch_max > writer->tail.epoch ? opening->epoch_max : writer->tail.epoch) + 1;

	cursor_put_u64(&payload, opening->recovery.cut_bytes);
	cursor_put_u64(&payload, opening->recovery.cut_records);
	enum rc rc = payload.failed ? RC_NOMEM : journal_batch_opened(writer, buf_slice(&payload), epoch);
	buf_done(&payload);
	if (rc != RC_OK)
		return fault_set(opening->fault, rc, "writing the first record of a new epoch", errno,
		                 (int64_t)writer->tail.position.segment);
	writer->durable = writer->tail;
	return RC_OK;
}

static void set_up(struct journal_writer *writer, const struct journal_writer_options *options)
{
	writer->disk = options->disk;
	writer->limits = *options->limits;
	writer->now_ms = options->now_ms != NULL ? options->now_ms : system_now_ms;
	writer->now_context = options->now_context;
	mutex_init(&writer->lock);
	mutex_init(&writer->keep_lock);
	condition_init(&writer->wake);
	condition_init(&writer->keep_wake);
	list_init(&writer->queue);
	list_init(&writer->batch.groups);
	atomic_store(&writer->has_room, true);
}

enum rc journal_writer_open(const struct journal_writer_options *options, struct journal_recovery *recovery,
                            struct fault *fault, struct journal_writer **out)
{
	struct journal_writer *writer = memory_take(1, sizeof *writer);
	struct opening         opening = { .writer = writer, .options = options, .fault = fault };

	if (writer == NULL)
		return fault_set(fault, RC_NOMEM, "opening the journal", 0, 0);
	set_up(writer, options);
	enum rc rc = journal_batch_init(writer);
	if (rc != RC_OK)
		(void)fault_set(fault, rc, "opening the journal", 0, 0);
	if (rc == RC_OK)
		rc = find_history(&opening);
	if (rc == RC_OK)
		rc = begin_epoch(&opening);
	journal_numbers_done(&opening.segments);
	if (recovery != NULL)
		*recovery = opening.recovery;
	if (rc != RC_OK) {
		/* Nothing was promised: closing writes nothing. */
		atomic_store(&writer->failed, true);
		journal_writer_close(&writer);
		return rc;
	}
	writer->events = options->events;
	journal_keeper_space(writer);
	*out = writer;
	return RC_OK;
}
