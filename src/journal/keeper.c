/*
 * The keeper: makes the next segment's file ahead of its use, writes snapshots, watches the free space, and has emptied
 * segments compacted. Nothing it does is a promise, so that a failure is told and tried again later.
 */
#include "journal/engine.h"

#include "base/memory.h"
#include "base/must.h"
#include "journal/snapshot.h"
#include "sys/clock.h"

#include <errno.h>

#define PASS_US        1000000u  /* between two looks when nobody wakes the keeper */
#define RETRY_US       60000000u /* after something failed */
#define PREWRITE_CHUNK (1u << 20)
#define PUNCH_BEHIND   4u /* segments that must have been begun since: younger ones are likely to empty as a whole */
#define PUNCH_SHARE    4u /* holes are worth it from a quarter of a segment on */

static void tell(struct journal_writer *writer, const struct fault *fault)
{
	writer->retry_us = clock_mono_us() + RETRY_US;
	if (writer->events.upkeep_failed != NULL)
		writer->events.upkeep_failed(writer->events.context, fault);
}

static enum rc write_zeros(struct journal_writer *writer, struct journal_file *file, uint64_t bytes)
{
	uint8_t *zeros = memory_take(1, PREWRITE_CHUNK);
	enum rc  rc = zeros == NULL ? RC_NOMEM : RC_OK;

	/* In pieces, each synced, so that a sync of the committer never finds much of ours before it. */
	for (uint64_t at = 0; rc == RC_OK && at < bytes; at += PREWRITE_CHUNK) {
		const uint64_t     rest = bytes - at;
		const struct slice piece = slice_of(zeros, rest < PREWRITE_CHUNK ? (size_t)rest : PREWRITE_CHUNK);
		rc = writer->disk->calls->write(writer->disk, file, at, &piece, 1);
		if (rc == RC_OK)
			rc = writer->disk->calls->sync(writer->disk, file);
	}
	memory_give(zeros);
	return rc;
}

/* A new file of `bytes`, named as a spare when it is whole. */
static enum rc make_spare(struct journal_writer *writer, uint64_t number, uint64_t bytes, bool prewrite,
                          struct journal_spare *out)
{
	const struct journal_file_name aside = journal_name(JOURNAL_NAME_SPARE_NEW, number);
	const struct journal_file_name name = journal_name(JOURNAL_NAME_SPARE, number);
	struct journal_disk           *disk = writer->disk;
	struct journal_file           *file;

	enum rc rc = disk->calls->open(disk, aside.text, JOURNAL_OPEN_CREATE, &file);
	if (rc != RC_OK)
		return rc;
	rc = disk->calls->allocate(disk, file, bytes);
	if (rc == RC_OK && prewrite)
		rc = write_zeros(writer, file, bytes);
	if (rc == RC_OK)
		rc = disk->calls->rename(disk, aside.text, name.text);
	if (rc != RC_OK) {
		disk->calls->close(disk, file);
		/* What stays behind is removed at the next start. */
		(void)(disk->calls->remove(disk, aside.text) == RC_OK);
		return rc;
	}
	*out = (struct journal_spare){ .file = file, .number = number };
	return RC_OK;
}

/* Take one from the pool, or none: *number is 0. */
static void pop_spare(struct journal_writer *writer, uint64_t *number)
{
	mutex_lock(&writer->keep_lock);
	*number = writer->spares.count == 0 ? 0 : writer->spares.items[--writer->spares.count];
	mutex_unlock(&writer->keep_lock);
}

static uint64_t next_number(struct journal_writer *writer)
{
	mutex_lock(&writer->keep_lock);
	const uint64_t number = ++writer->spare_number;
	mutex_unlock(&writer->keep_lock);
	return number;
}

/* From the pool, or new. */
static enum rc find_spare(struct journal_writer *writer, bool prewrite, struct journal_spare *out)
{
	uint64_t number;

	for (pop_spare(writer, &number); number != 0; pop_spare(writer, &number)) {
		const struct journal_file_name name = journal_name(JOURNAL_NAME_SPARE, number);
		struct journal_file           *file;
		if (writer->disk->calls->open(writer->disk, name.text, JOURNAL_OPEN_WRITE, &file) == RC_OK) {
			*out = (struct journal_spare){ .file = file, .number = number, .used_before = true };
			return RC_OK;
		}
	}
	return make_spare(writer, next_number(writer), writer->limits.segment_bytes, prewrite, out);
}

enum rc journal_spare_take(struct journal_writer *writer, uint64_t size, struct journal_spare *out)
{
	if (size != writer->limits.segment_bytes)
		return make_spare(writer, next_number(writer), size, false, out);
	mutex_lock(&writer->keep_lock);
	const struct journal_spare ready = writer->ready;
	writer->ready.file = NULL;
	mutex_unlock(&writer->keep_lock);
	if (ready.file != NULL) {
		*out = ready;
		return RC_OK;
	}
	/* The committer waits for this one: no time for writing zeros. */
	return find_spare(writer, false, out);
}

enum rc journal_spare_first(struct journal_writer *writer, struct journal_spare *out)
{
	return find_spare(writer, writer->limits.prewrite, out);
}

void journal_spare_return(struct journal_writer *writer, struct journal_spare *spare)
{
	if (spare->file != NULL)
		writer->disk->calls->close(writer->disk, spare->file);
	spare->file = NULL;
}

static void keep_ready(struct journal_writer *writer)
{
	struct journal_spare spare;

	mutex_lock(&writer->keep_lock);
	const bool there = writer->ready.file != NULL;
	mutex_unlock(&writer->keep_lock);
	if (there)
		return;
	const enum rc rc = find_spare(writer, writer->limits.prewrite, &spare);
	if (rc != RC_OK) {
		const struct fault fault = { .rc = rc, .text = "making the next segment's file", .error = errno };
		tell(writer, &fault);
		return;
	}
	mutex_lock(&writer->keep_lock);
	if (writer->ready.file == NULL) {
		writer->ready = spare;
		spare.file = NULL;
	}
	mutex_unlock(&writer->keep_lock);
	journal_spare_return(writer, &spare);
}

void journal_keeper_space(struct journal_writer *writer)
{
	uint64_t bytes;

	if (writer->disk->calls->free_bytes(writer->disk, &bytes) != RC_OK)
		return;
	mutex_lock(&writer->keep_lock);
	bytes += (writer->spares.count + (writer->ready.file != NULL)) * writer->limits.segment_bytes;
	mutex_unlock(&writer->keep_lock);
	atomic_store(&writer->free_bytes, bytes);
	atomic_store(&writer->has_room, bytes >= writer->limits.free_floor_bytes);
}

static void write_snapshot(struct journal_writer *writer)
{
	struct fault fault;

	mutex_lock(&writer->keep_lock);
	const bool                busy = writer->snapshot_busy;
	const struct journal_mark mark = writer->snapshot_mark;
	mutex_unlock(&writer->keep_lock);
	if (!busy)
		return;
	/* While snapshot_busy is set the blob is the keeper's. */
	const enum rc rc =
		journal_snapshot_write(writer->disk, writer->id, &mark, buf_slice(&writer->snapshot), &fault);
	if (rc == RC_OK)
		journal_count(&writer->counters.snapshots, 1);
	else
		tell(writer, &fault);
	mutex_lock(&writer->keep_lock);
	buf_done(&writer->snapshot);
	writer->snapshot_busy = false;
	mutex_unlock(&writer->keep_lock);
}

static void empty_segments(struct journal_writer *writer)
{
	struct fault fault;

	mutex_lock(&writer->lock);
	const uint64_t open = writer->durable.position.segment;
	mutex_unlock(&writer->lock);
	for (uint64_t segment = journal_bodies_to_compact(writer->bodies, writer->compact_from);
	     segment != 0 && segment < open;
	     segment = journal_bodies_to_compact(writer->bodies, writer->compact_from)) {
		if (journal_compact(writer, segment, &fault) != RC_OK) {
			tell(writer, &fault);
			writer->compact_from = segment + 1;
		}
	}
	if (open <= PUNCH_BEHIND)
		return;
	for (;;) {
		const uint64_t segment =
			journal_bodies_to_punch(writer->bodies, writer->punch_from, open - PUNCH_BEHIND,
		                                writer->limits.segment_bytes / PUNCH_SHARE);
		if (segment == 0)
			return;
		const enum rc rc = journal_punch(writer, segment, &fault);
		if (rc == RC_UNSUPPORTED) {
			writer->punch_from = UINT64_MAX;
		} else if (rc != RC_OK) {
			tell(writer, &fault);
			writer->punch_from = segment + 1;
		}
	}
}

void journal_keeper_pass(struct journal_writer *writer)
{
	if (writer->retry_us != 0 && clock_mono_us() >= writer->retry_us) {
		writer->retry_us = 0;
		writer->compact_from = 0;
		if (writer->punch_from != UINT64_MAX)
			writer->punch_from = 0;
	}
	write_snapshot(writer);
	if (writer->retry_us == 0)
		keep_ready(writer);
	empty_segments(writer);
	journal_keeper_space(writer);
}

void journal_keeper_run(void *argument)
{
	struct journal_writer *writer = argument;

	mutex_lock(&writer->keep_lock);
	while (!writer->keeper_ends) {
		mutex_unlock(&writer->keep_lock);
		journal_keeper_pass(writer);
		mutex_lock(&writer->keep_lock);
		if (!writer->keeper_ends && !writer->snapshot_busy)
			(void)condition_wait_until(&writer->keep_wake, &writer->keep_lock, clock_mono_us() + PASS_US);
	}
	mutex_unlock(&writer->keep_lock);
	write_snapshot(writer);
}

void journal_keeper_wake(struct journal_writer *writer)
{
	mutex_lock(&writer->keep_lock);
	condition_signal(&writer->keep_wake);
	mutex_unlock(&writer->keep_lock);
}

/* Spares that are of another size, or too many, go. */
enum rc journal_keeper_init(struct journal_writer *writer)
{
	struct journal_disk *disk = writer->disk;
	size_t               kept = 0;
	enum rc              rc = journal_window_init(&writer->window, disk);

	if (rc == RC_OK)
		rc = journal_numbers_list(disk, JOURNAL_NAME_SPARE, &writer->spares);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < writer->spares.count; i++) {
		const uint64_t                 number = writer->spares.items[i];
		const struct journal_file_name name = journal_name(JOURNAL_NAME_SPARE, number);
		struct journal_file           *file;
		uint64_t                       size = 0;
		if (number > writer->spare_number)
			writer->spare_number = number;
		if (disk->calls->open(disk, name.text, JOURNAL_OPEN_READ, &file) == RC_OK) {
			if (disk->calls->size(disk, file, &size) != RC_OK)
				size = 0;
			disk->calls->close(disk, file);
		}
		if (size == writer->limits.segment_bytes && kept <= writer->limits.spare_segments)
			writer->spares.items[kept++] = number;
		else
			(void)(disk->calls->remove(disk, name.text) ==
			       RC_OK); /* one that stays is seen at the next start */
	}
	writer->spares.count = kept;
	return RC_OK;
}

void journal_keeper_done(struct journal_writer *writer)
{
	journal_spare_return(writer, &writer->ready);
	journal_numbers_done(&writer->spares);
	journal_window_done(&writer->window);
	buf_done(&writer->snapshot);
}
