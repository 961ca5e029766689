/*
 * Segments whose bodies are needed no more. Compaction writes the segment anew, aside, with every header and every
 * event but without the bytes of bodies, and follows the chain while it does: it must come out as it was. The two
 * files then change names in one step, so that at no moment the segment is missing, and the old file is used again.
 */
#include "journal/engine.h"

#include "base/memory.h"
#include "base/must.h"
#include "journal/chain.h"
#include "journal/holes.h"

#include <errno.h>

#define WRITE_ROOM (256u << 10)

struct compaction {
	struct journal_writer *writer;
	uint64_t               number;
	uint32_t               seed;
	struct digest          chain;
	uint64_t               seq;
	uint64_t               from; /* next byte of the old file */
	uint64_t               to;   /* next byte of the new file, with what waits in `out` */
	struct journal_file   *file; /* new */
	struct buf             out;
	bool                   sealed; /* the SEAL record was copied */
};

static enum rc write_out(struct compaction *c)
{
	const struct slice piece = buf_slice(&c->out);

	if (c->out.failed)
		return RC_NOMEM;
	const enum rc rc = c->writer->disk->calls->write(c->writer->disk, c->file, c->to - piece.len, &piece, 1);
	buf_clear(&c->out);
	return rc;
}

static enum rc put(struct compaction *c, struct slice piece)
{
	buf_put(&c->out, piece);
	c->to += piece.len;
	return c->out.len >= WRITE_ROOM || c->out.failed ? write_out(c) : RC_OK;
}

/* An event's payload, to the new file and into `chained` for the chain. */
static enum rc copy_payload(struct compaction *c, const struct journal_head *head, struct buf *chained)
{
	uint32_t crc = 0;

	for (uint64_t at = 0; at < head->stored_bytes;) {
		struct slice   part;
		const uint64_t rest = head->stored_bytes - at;
		enum rc        rc = journal_window_see(&c->writer->window, c->from + JOURNAL_RECORD_HEAD_SIZE + at,
                                                rest < JOURNAL_WINDOW_SIZE ? (size_t)rest : JOURNAL_WINDOW_SIZE, &part);
		if (rc == RC_OK && part.len == 0)
			rc = RC_CORRUPT;
		if (rc != RC_OK)
			return rc;
		crc = digest_crc32c(crc, part);
		buf_put(chained, part);
		at += part.len;
	}
	if (chained->failed)
		return RC_NOMEM;
	return crc == head->checksum ? put(c, buf_slice(chained)) : RC_CORRUPT;
}

static enum rc copy_record(struct compaction *c, struct buf *chained)
{
	static const uint8_t zeros[JOURNAL_ALIGN];
	struct slice         bytes;
	struct journal_head  head;
	uint8_t              encoded[JOURNAL_RECORD_HEAD_SIZE];

	enum rc rc = journal_window_see(&c->writer->window, c->from, sizeof encoded, &bytes);
	if (rc == RC_OK)
		rc = journal_head_decode(bytes, c->seed, &head);
	if (rc != RC_OK || head.seq != c->seq)
		return rc == RC_IO ? rc : RC_CORRUPT;
	const uint64_t old_span = journal_head_span(&head);
	if ((head.flags & JOURNAL_FLAG_BODY) != 0)
		head.flags |= JOURNAL_FLAG_DROPPED;
	journal_head_encode(&head, c->seed, encoded);
	rc = put(c, slice_of(encoded, sizeof encoded));
	buf_clear(chained);
	if (rc == RC_OK && (head.flags & JOURNAL_FLAG_BODY) == 0)
		rc = copy_payload(c, &head, chained);
	if (rc != RC_OK)
		return rc;
	const struct slice payload = buf_slice(chained);
	struct digest      chain;
	journal_chain_next(&c->chain, encoded, &payload, 1, &chain);
	if (!digest_eq(&chain, &head.chain))
		return RC_CORRUPT;
	c->chain = chain;
	c->seq++;
	c->from += old_span;
	c->sealed = head.type == JOURNAL_TYPE_SEAL;
	return put(c, slice_of(zeros, (size_t)(-c->to & (JOURNAL_ALIGN - 1))));
}

/* The whole new file, synced. */
static enum rc write_compacted(struct compaction *c, struct journal_segment_head *head)
{
	uint8_t    encoded[JOURNAL_SEGMENT_HEAD_SIZE];
	struct buf chained = buf_make(JOURNAL_EVENT_BYTES_MAX);

	head->flags |= JOURNAL_SEGMENT_FLAG_COMPACTED;
	journal_segment_head_encode(head, encoded);
	c->out = buf_make(WRITE_ROOM + JOURNAL_EVENT_BYTES_MAX + JOURNAL_SEGMENT_HEAD_SIZE);
	enum rc rc = put(c, slice_of(encoded, sizeof encoded));
	while (rc == RC_OK && !c->sealed)
		rc = copy_record(c, &chained);
	if (rc == RC_OK)
		rc = write_out(c);
	if (rc == RC_OK)
		rc = c->writer->disk->calls->sync(c->writer->disk, c->file);
	buf_done(&chained);
	buf_done(&c->out);
	return rc;
}

/* The old file, now under the name of the unfinished one: a spare, or nothing. */
static void reuse(struct journal_writer *writer, uint64_t number, uint64_t size)
{
	const struct journal_file_name old = journal_name(JOURNAL_NAME_SEGMENT_NEW, number);
	bool                           keep;
	uint64_t                       spare = 0;

	mutex_lock(&writer->keep_lock);
	keep = writer->spares.count < writer->limits.spare_segments && writer->spares.count < writer->spares.room &&
	       size == writer->limits.segment_bytes && !journal_bodies_has_holes(writer->bodies, number);
	if (keep)
		spare = ++writer->spare_number;
	mutex_unlock(&writer->keep_lock);
	if (keep) {
		const struct journal_file_name name = journal_name(JOURNAL_NAME_SPARE, spare);
		keep = writer->disk->calls->rename(writer->disk, old.text, name.text) == RC_OK;
	}
	if (!keep) {
		/* A file that cannot be removed is removed at the next start. */
		(void)(writer->disk->calls->remove(writer->disk, old.text) == RC_OK);
		return;
	}
	mutex_lock(&writer->keep_lock);
	writer->spares.items[writer->spares.count++] = spare;
	mutex_unlock(&writer->keep_lock);
}

static enum rc swap_files(struct journal_writer *writer, uint64_t number, uint64_t size)
{
	const struct journal_file_name aside = journal_name(JOURNAL_NAME_SEGMENT_NEW, number);
	const struct journal_file_name name = journal_name(JOURNAL_NAME_SEGMENT, number);
	struct journal_disk           *disk = writer->disk;
	bool                           old_left = true;

	enum rc rc = disk->calls->exchange(disk, aside.text, name.text);
	if (rc == RC_UNSUPPORTED) {
		rc = disk->calls->rename(disk, aside.text, name.text);
		old_left = false;
	}
	if (rc != RC_OK)
		return rc;
	/* The old file may be written over only when no power cut can bring its name back. */
	rc = disk->calls->sync_folder(disk);
	if (rc == RC_OK && old_left)
		reuse(writer, number, size);
	return rc;
}

static enum rc room_for_spare(struct journal_writer *writer)
{
	enum rc rc = RC_OK;

	mutex_lock(&writer->keep_lock);
	if (writer->spares.room <= writer->limits.spare_segments) {
		const size_t room = (size_t)writer->limits.spare_segments + 1;
		uint64_t    *items = memory_resize(writer->spares.items, room * sizeof *items);
		if (items == NULL) {
			rc = RC_NOMEM;
		} else {
			writer->spares.items = items;
			writer->spares.room = room;
		}
	}
	mutex_unlock(&writer->keep_lock);
	return rc;
}

enum rc journal_compact(struct journal_writer *writer, uint64_t segment, struct fault *fault)
{
	const struct journal_file_name aside = journal_name(JOURNAL_NAME_SEGMENT_NEW, segment);
	struct journal_disk           *disk = writer->disk;
	struct journal_segment_head    head;
	struct journal_file           *old;
	uint64_t                       size;

	enum rc rc = journal_segment_open(disk, segment, JOURNAL_OPEN_READ, &old, &head);
	if (rc != RC_OK)
		return fault_set(fault, rc, "opening a segment to compact it", errno, (int64_t)segment);
	if ((head.flags & JOURNAL_SEGMENT_FLAG_COMPACTED) != 0) {
		disk->calls->close(disk, old);
		journal_bodies_compacted(writer->bodies, segment);
		return RC_OK;
	}
	struct compaction c = {
		.writer = writer,
		.number = segment,
		.seed = journal_seed(head.id, segment),
		.chain = head.chain,
		.seq = head.first_seq,
		.from = JOURNAL_SEGMENT_HEAD_SIZE,
	};
	rc = room_for_spare(writer);
	if (rc == RC_OK)
		rc = disk->calls->size(disk, old, &size);
	if (rc == RC_OK)
		rc = disk->calls->open(disk, aside.text, JOURNAL_OPEN_CREATE, &c.file);
	if (rc == RC_EXISTS && disk->calls->remove(disk, aside.text) == RC_OK)
		rc = disk->calls->open(disk, aside.text, JOURNAL_OPEN_CREATE, &c.file);
	if (rc == RC_OK) {
		journal_window_set(&writer->window, old, size);
		rc = write_compacted(&c, &head);
		disk->calls->close(disk, c.file);
		if (rc == RC_OK)
			rc = swap_files(writer, segment, size);
		else
			(void)(disk->calls->remove(disk, aside.text) == RC_OK);
	}
	disk->calls->close(disk, old);
	if (rc != RC_OK)
		return fault_set(fault, rc, "compacting a segment", errno, (int64_t)segment);
	if (journal_bodies_has_holes(writer->bodies, segment)) {
		/* Of no use any more; one that stays is harmless. */
		const struct journal_file_name holes = journal_name(JOURNAL_NAME_HOLES, segment);
		(void)(disk->calls->remove(disk, holes.text) == RC_OK);
	}
	journal_bodies_compacted(writer->bodies, segment);
	journal_count(&writer->counters.compacted, 1);
	return RC_OK;
}

/* Offsets of all bodies that are not live, ascending. */
static enum rc list_dropped(struct journal_writer *writer, const struct journal_segment_head *segment,
                            struct journal_numbers *dropped)
{
	const uint32_t seed = journal_seed(segment->id, segment->number);
	uint64_t       at = JOURNAL_SEGMENT_HEAD_SIZE;

	for (;;) {
		struct journal_head head;
		struct slice        bytes;
		enum rc             rc = journal_window_see(&writer->window, at, JOURNAL_RECORD_HEAD_SIZE, &bytes);
		if (rc == RC_OK)
			rc = journal_head_decode(bytes, seed, &head);
		if (rc != RC_OK)
			return rc == RC_IO ? rc : RC_CORRUPT;
		if (head.type == JOURNAL_TYPE_SEAL)
			return RC_OK;
		if ((head.flags & JOURNAL_FLAG_BODY) != 0 && head.stored_bytes != 0 &&
		    !journal_bodies_live(writer->bodies, segment->number, at))
			rc = journal_numbers_add(dropped, at);
		if (rc != RC_OK)
			return rc;
		at += journal_head_span(&head);
	}
}

/* Those bodies lose their bytes, never their headers. */
static enum rc punch_bodies(struct journal_writer *writer, const struct journal_segment_head *segment,
                            struct journal_file *file, const struct journal_numbers *dropped)
{
	const uint32_t seed = journal_seed(segment->id, segment->number);

	for (size_t i = 0; i < dropped->count; i++) {
		struct journal_head head;
		struct slice        bytes;
		enum rc rc = journal_window_see(&writer->window, dropped->items[i], JOURNAL_RECORD_HEAD_SIZE, &bytes);
		if (rc == RC_OK)
			rc = journal_head_decode(bytes, seed, &head);
		if (rc == RC_OK)
			rc = writer->disk->calls->punch(
				writer->disk, file, dropped->items[i] + JOURNAL_RECORD_HEAD_SIZE, head.stored_bytes);
		if (rc != RC_OK)
			return rc;
		journal_count(&writer->counters.punched_bytes, head.stored_bytes);
	}
	return RC_OK;
}

enum rc journal_punch(struct journal_writer *writer, uint64_t segment, struct fault *fault)
{
	struct journal_numbers      dropped = { .items = NULL };
	struct journal_segment_head head;
	struct journal_file        *file;
	uint64_t                    size;

	enum rc rc = journal_segment_open(writer->disk, segment, JOURNAL_OPEN_WRITE, &file, &head);
	if (rc != RC_OK)
		return fault_set(fault, rc, "opening a segment to punch holes", errno, (int64_t)segment);
	rc = writer->disk->calls->size(writer->disk, file, &size);
	if (rc == RC_OK) {
		journal_window_set(&writer->window, file, size);
		rc = list_dropped(writer, &head, &dropped);
	}
	if (rc == RC_OK && dropped.count != 0)
		rc = journal_holes_write(writer->disk, writer->id, segment, &dropped);
	/* Told before it is done: a file with holes is never used again, whatever comes between. */
	journal_bodies_punched(writer->bodies, segment);
	if (rc == RC_OK)
		rc = punch_bodies(writer, &head, file, &dropped);
	journal_numbers_done(&dropped);
	writer->disk->calls->close(writer->disk, file);
	return rc == RC_OK ? RC_OK : fault_set(fault, rc, "punching holes into a segment", errno, (int64_t)segment);
}
