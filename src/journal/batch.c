/*
 * The committer's work on one batch: headers and chain are made, everything goes out in one write, one fdatasync
 * follows, and only then is anybody told. Any failure on that way is final (journal/writer.h).
 */
#include "journal/engine.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "base/must.h"
#include "journal/chain.h"
#include "sys/clock.h"

#include <errno.h>

static const uint8_t zeros[JOURNAL_ALIGN];

enum rc journal_batch_init(struct journal_writer *writer)
{
	struct journal_batch *batch = &writer->batch;

	list_init(&batch->groups);
	batch->heads = memory_take(JOURNAL_BATCH_RECORDS_MAX, JOURNAL_RECORD_HEAD_SIZE);
	batch->pieces = memory_take(JOURNAL_BATCH_PIECES_MAX, sizeof *batch->pieces);
	if (batch->heads == NULL || batch->pieces == NULL)
		return RC_NOMEM;
	if (writer->limits.compress_level != 0)
		return journal_compressor_open((unsigned)writer->limits.compress_level, &writer->compressor);
	return RC_OK;
}

static void give_packed(struct journal_batch *batch, size_t kept)
{
	while (batch->packed_count > kept)
		memory_give(batch->packed[--batch->packed_count]);
}

void journal_batch_done(struct journal_writer *writer)
{
	give_packed(&writer->batch, 0);
	memory_give(writer->batch.heads);
	memory_give(writer->batch.pieces);
	journal_compressor_close(&writer->compressor);
}

enum rc journal_writer_fail(struct journal_writer *writer, enum rc rc, const char *text, int64_t number)
{
	const struct fault fault = { .rc = rc, .text = text, .error = errno, .number = number };

	if (!atomic_exchange(&writer->failed, true) && writer->events.failed != NULL)
		writer->events.failed(writer->events.context, &fault);
	return RC_IO;
}

static struct journal_group *group_of(struct list *link)
{
	return LIST_OF(link, struct journal_group, link);
}

static void empty_batch(struct journal_writer *writer)
{
	struct journal_batch *batch = &writer->batch;

	give_packed(batch, 0);
	batch->record_count = 0;
	batch->piece_count = 0;
	batch->bytes = 0;
	batch->body_bytes = 0;
	batch->stored_bytes = 0;
	batch->now_groups = 0;
	batch->group_count = 0;
}

static void publish(struct journal_writer *writer)
{
	mutex_lock(&writer->lock);
	writer->durable = writer->tail;
	mutex_unlock(&writer->lock);
}

/* Write what the batch holds at `offset` of the open segment, and sync. */
static enum rc write_batch(struct journal_writer *writer, uint64_t offset)
{
	struct journal_batch *batch = &writer->batch;
	struct journal_disk  *disk = writer->disk;

	/* The first byte behind the tail is zero, so that a clean end is told from a torn one. */
	if (offset + batch->bytes + sizeof zeros <= writer->file_size)
		batch->pieces[batch->piece_count++] = slice_of(zeros, sizeof zeros);
	enum rc rc = disk->calls->write(disk, writer->file, offset, batch->pieces, batch->piece_count);
	if (rc != RC_OK)
		return journal_writer_fail(writer, rc, "writing to the journal", (int64_t)offset);
	const uint64_t start = clock_mono_us();
	rc = disk->calls->sync(disk, writer->file);
	if (rc != RC_OK)
		return journal_writer_fail(writer, rc, "syncing the journal", (int64_t)offset);
	journal_count(&writer->counters.sync_us, clock_mono_us() - start);
	journal_count(&writer->counters.syncs, 1);
	journal_count(&writer->counters.records, batch->record_count);
	journal_count(&writer->counters.bytes, batch->bytes);
	writer->synced = writer->tail.position.seq - 1;
	return RC_OK;
}

static void tell_snapshot(struct journal_writer *writer)
{
	writer->since_snapshot = 0;
	atomic_store(&writer->snapshot_due, true);
	if (writer->events.snapshot_due != NULL)
		writer->events.snapshot_due(writer->events.context);
}

/* One write, one sync, then the answers. */
static void flush(struct journal_writer *writer)
{
	struct journal_batch *batch = &writer->batch;

	if (batch->record_count == 0)
		return;
	const uint64_t bytes = batch->bytes;
	const enum rc  rc =
                atomic_load(&writer->failed) ? RC_IO : write_batch(writer, writer->tail.position.offset - bytes);
	if (rc == RC_OK) {
		publish(writer);
		journal_count(&writer->counters.batches, 1);
		journal_count(&writer->counters.groups, batch->group_count);
		journal_count(&writer->counters.now_groups, batch->now_groups);
		journal_count(&writer->counters.body_bytes, batch->body_bytes);
		journal_count(&writer->counters.stored_bytes, batch->stored_bytes);
	}
	for (struct list *link = list_shift(&batch->groups); link != NULL; link = list_shift(&batch->groups)) {
		struct journal_group *group = group_of(link);
		group->answer(group, rc);
	}
	empty_batch(writer);
	if (rc != RC_OK)
		return;
	if (writer->events.durable != NULL)
		writer->events.durable(writer->events.context, &writer->tail);
	writer->since_snapshot += bytes;
	if (writer->since_snapshot >= writer->limits.snapshot_bytes)
		tell_snapshot(writer);
}

static uint64_t padded(uint64_t bytes)
{
	return (bytes + (JOURNAL_ALIGN - 1)) & ~(uint64_t)(JOURNAL_ALIGN - 1);
}

/*
 * Compress a body if that is wanted and pays; sets what is stored. RC_NOMEM only from the compressor itself: stored
 * as it is.
 */
static void pack(struct journal_writer *writer, struct journal_item *item, struct slice *stored)
{
	struct journal_batch *batch = &writer->batch;
	const uint32_t        bytes = item->place.bytes;
	size_t                size;

	*stored = (struct slice){ NULL, 0 };
	item->place.stored_bytes = bytes;
	if (!item->body || writer->compressor == NULL || bytes < writer->limits.compress_from_bytes)
		return;
	uint8_t *to = memory_take(1, bytes - bytes / 16);
	if (to == NULL)
		return;
	if (journal_compress(writer->compressor, item->pieces, item->piece_count, to, bytes - bytes / 16, &size) !=
	    RC_OK) {
		memory_give(to);
		return;
	}
	batch->packed[batch->packed_count++] = to;
	*stored = slice_of(to, size);
	item->place.stored_bytes = (uint32_t)size;
}

/* Sizes of a group; `stored` gets the compressed bodies. Returns the bytes it takes in a segment. */
static uint64_t measure(struct journal_writer *writer, struct journal_group *group, struct slice *stored,
                        size_t *pieces)
{
	uint64_t span = 0;

	*pieces = 0;
	for (size_t i = 0; i < group->item_count; i++) {
		struct journal_item *item = &group->items[i];
		item->place.bytes = 0;
		for (size_t k = 0; k < item->piece_count; k++)
			item->place.bytes += (uint32_t)item->pieces[k].len;
		pack(writer, item, &stored[i]);
		span += padded(JOURNAL_RECORD_HEAD_SIZE + (uint64_t)item->place.stored_bytes);
		*pieces += item->piece_count + 2;
	}
	return span;
}

static void add_piece(struct journal_batch *batch, struct slice piece)
{
	if (piece.len != 0)
		batch->pieces[batch->piece_count++] = piece;
}

/* One record behind *tail, which moves. `pieces` are as stored; the digest of a body is in `head` already. */
static void encode(struct journal_writer *writer, struct journal_head *head, const struct slice *pieces, size_t count,
                   struct journal_mark *tail)
{
	struct journal_batch *batch = &writer->batch;
	uint8_t              *encoded = batch->heads + batch->record_count * JOURNAL_RECORD_HEAD_SIZE;
	struct digest         chain;

	head->seq = tail->position.seq;
	head->epoch = tail->epoch;
	head->synced = writer->synced;
	head->checksum = 0;
	for (size_t i = 0; i < count; i++)
		head->checksum = digest_crc32c(head->checksum, pieces[i]);
	journal_head_encode(head, writer->seed, encoded);
	journal_chain_next(&tail->chain, encoded, pieces, count, &chain);
	journal_head_finish(encoded, writer->seed, &chain);

	add_piece(batch, slice_of(encoded, JOURNAL_RECORD_HEAD_SIZE));
	for (size_t i = 0; i < count; i++)
		add_piece(batch, pieces[i]);
	const uint64_t bytes = JOURNAL_RECORD_HEAD_SIZE + (uint64_t)head->stored_bytes;
	add_piece(batch, slice_of(zeros, (size_t)(padded(bytes) - bytes)));
	batch->record_count++;
	batch->bytes += padded(bytes);
	tail->position.offset += padded(bytes);
	tail->position.seq++;
	tail->chain = chain;
}

/* Put the group's records into the batch. RC_NOMEM: no memory to remember its bodies; the batch is as before. */
static enum rc add_group(struct journal_writer *writer, struct journal_group *group, const struct slice *stored)
{
	struct journal_batch *batch = &writer->batch;
	const size_t          records = batch->record_count, pieces = batch->piece_count;
	const uint64_t        bytes = batch->bytes;
	struct journal_mark   tail = writer->tail;
	const int64_t         now_ms = writer->now_ms(writer->now_context);

	for (size_t i = 0; i < group->item_count; i++) {
		struct journal_item *item = &group->items[i];
		struct journal_head  head = {
			 .type = item->type,
			 .flags = i + 1 == group->item_count ? JOURNAL_FLAG_LAST : 0,
			 .time_ms = now_ms,
			 .bytes = item->place.bytes,
			 .stored_bytes = item->place.stored_bytes,
		};
		item->place.position = tail.position;
		if (item->body) {
			if (journal_bodies_claim(writer->bodies, &item->place) != RC_OK) {
				while (i-- != 0) {
					if (group->items[i].body)
						journal_bodies_drop(writer->bodies, &group->items[i].place);
				}
				batch->record_count = records;
				batch->piece_count = pieces;
				batch->bytes = bytes;
				return RC_NOMEM;
			}
			if (item->digest != NULL)
				item->body_digest = *item->digest;
			else
				digest_of(item->pieces, item->piece_count, &item->body_digest);
			head.digest = item->body_digest;
			head.flags |= JOURNAL_FLAG_BODY | (stored[i].len != 0 ? JOURNAL_FLAG_COMPRESSED : 0);
		}
		if (stored[i].len != 0)
			encode(writer, &head, &stored[i], 1, &tail);
		else
			encode(writer, &head, item->pieces, item->piece_count, &tail);
	}
	for (size_t i = 0; i < group->item_count; i++) {
		if (!group->items[i].body)
			continue;
		batch->body_bytes += group->items[i].place.bytes;
		batch->stored_bytes += group->items[i].place.stored_bytes;
		writer->segment_bodies++;
		writer->segment_stored += group->items[i].place.stored_bytes;
	}
	group->after = tail;
	writer->tail = tail;
	batch->group_count++;
	batch->now_groups += group->urgency == JOURNAL_NOW;
	list_append(&batch->groups, &group->link);
	return RC_OK;
}

enum rc journal_batch_own(struct journal_writer *writer, uint16_t type, struct slice payload, uint32_t epoch)
{
	struct journal_head head = {
		.type = type,
		.flags = JOURNAL_FLAG_LAST,
		.time_ms = writer->now_ms(writer->now_context),
		.bytes = (uint32_t)payload.len,
		.stored_bytes = (uint32_t)payload.len,
	};

	must(writer->batch.record_count == 0);
	must(type >= JOURNAL_TYPE_OWN);
	writer->tail.epoch = epoch;
	const uint64_t offset = writer->tail.position.offset;
	encode(writer, &head, &payload, 1, &writer->tail);
	const enum rc rc = write_batch(writer, offset);
	empty_batch(writer);
	return rc;
}

enum rc journal_segment_begin(struct journal_writer *writer, struct journal_spare *spare, uint64_t size)
{
	const struct journal_position *position = &writer->tail.position;
	struct journal_disk           *disk = writer->disk;
	const struct journal_file_name from = journal_name(JOURNAL_NAME_SPARE, spare->number);
	const struct journal_file_name to = journal_name(JOURNAL_NAME_SEGMENT, position->segment);
	uint8_t                        encoded[JOURNAL_SEGMENT_HEAD_SIZE];
	struct journal_segment_head    head = {
		   .number = position->segment,
		   .first_seq = position->seq,
		   .size = size,
		   .time_ms = writer->now_ms(writer->now_context),
		   .epoch = writer->tail.epoch,
		   .chain = writer->tail.chain,
	};

	must(position->offset == JOURNAL_SEGMENT_HEAD_SIZE);
	memcpy(head.id, writer->id, JOURNAL_ID_SIZE);
	journal_segment_head_encode(&head, encoded);
	const struct slice pieces[] = { slice_of(encoded, sizeof encoded), slice_of(zeros, sizeof zeros) };
	enum rc            rc = disk->calls->write(disk, spare->file, 0, pieces, 2);
	if (rc == RC_OK)
		rc = disk->calls->sync(disk, spare->file);
	if (rc == RC_OK)
		rc = disk->calls->rename(disk, from.text, to.text);
	if (rc == RC_OK)
		rc = disk->calls->sync_folder(disk);
	if (rc != RC_OK) {
		disk->calls->close(disk, spare->file);
		spare->file = NULL;
		return journal_writer_fail(writer, rc, "beginning a segment", (int64_t)position->segment);
	}
	writer->file = spare->file;
	spare->file = NULL;
	writer->file_size = size;
	writer->seed = journal_seed(writer->id, position->segment);
	writer->first_seq = position->seq;
	writer->segment_bodies = 0;
	writer->segment_stored = 0;
	journal_count(&writer->counters.syncs, 1);
	journal_count(&writer->counters.segments, 1);
	if (spare->used_before)
		journal_count(&writer->counters.recycled, 1);
	return RC_OK;
}

/* Seal the open segment and go on in the next, which will have room for `span` bytes. The batch is empty. */
static enum rc change_segment(struct journal_writer *writer, uint64_t span)
{
	const uint64_t old = writer->tail.position.segment;
	const uint64_t need = JOURNAL_SEGMENT_HEAD_SIZE + span + JOURNAL_SEAL_SPAN + sizeof zeros;
	const uint64_t size =
		need <= writer->limits.segment_bytes ? writer->limits.segment_bytes : (need + 4095) & ~4095ull;
	struct journal_spare spare;
	struct buf           seal = buf_make(JOURNAL_SEAL_PAYLOAD);

	/* All that may fail without harm comes first. */
	enum rc rc = journal_bodies_begin(writer->bodies, old + 1);
	if (rc != RC_OK)
		return rc;
	cursor_put_u64(&seal, writer->first_seq);
	cursor_put_u64(&seal, writer->tail.position.seq + 1 - writer->first_seq);
	cursor_put_u64(&seal, writer->segment_bodies);
	cursor_put_u64(&seal, writer->segment_stored);
	rc = seal.failed ? RC_NOMEM : journal_spare_take(writer, size, &spare);
	if (rc != RC_OK) {
		buf_done(&seal);
		return rc == RC_NOMEM ? rc : journal_writer_fail(writer, rc, "making a segment", (int64_t)(old + 1));
	}

	rc = journal_batch_own(writer, JOURNAL_TYPE_SEAL, buf_slice(&seal), writer->tail.epoch);
	buf_done(&seal);
	if (rc != RC_OK) {
		journal_spare_return(writer, &spare);
		return rc;
	}
	writer->disk->calls->close(writer->disk, writer->file);
	writer->file = NULL;
	writer->tail.position.segment = old + 1;
	writer->tail.position.offset = JOURNAL_SEGMENT_HEAD_SIZE;
	rc = journal_segment_begin(writer, &spare, size);
	if (rc != RC_OK)
		return rc;
	journal_bodies_seal(writer->bodies, old);
	publish(writer);
	if (writer->events.durable != NULL)
		writer->events.durable(writer->events.context, &writer->tail);
	tell_snapshot(writer);
	journal_keeper_wake(writer);
	return RC_OK;
}

enum rc journal_batch_opened(struct journal_writer *writer, struct slice payload, uint32_t epoch)
{
	const uint64_t span = padded(JOURNAL_RECORD_HEAD_SIZE + payload.len);

	if (writer->tail.position.offset + span + JOURNAL_SEAL_SPAN > writer->file_size) {
		const enum rc rc = change_segment(writer, span);
		if (rc != RC_OK)
			return rc;
	}
	return journal_batch_own(writer, JOURNAL_TYPE_OPENED, payload, epoch);
}

static bool fits_batch(const struct journal_batch *batch, const struct journal_group *group, uint64_t span,
                       size_t pieces)
{
	if (batch->record_count == 0)
		return true;
	return batch->record_count + group->item_count <= JOURNAL_BATCH_RECORDS_MAX &&
	       batch->piece_count + pieces < JOURNAL_BATCH_PIECES_MAX && batch->bytes + span <= JOURNAL_BATCH_BYTES_MAX;
}

/* Into the batch, with whatever has to happen before. On an answer other than RC_OK the group is not in it. */
static enum rc place_group(struct journal_writer *writer, struct journal_group *group)
{
	struct slice stored[JOURNAL_GROUP_RECORDS_MAX];
	size_t       pieces;

	if (atomic_load(&writer->failed))
		return RC_IO;
	/* Compressed bodies of earlier groups go with their batch; only this group's would be lost with it. */
	if (writer->batch.packed_count + group->item_count > JOURNAL_BATCH_RECORDS_MAX)
		flush(writer);
	const size_t   packed = writer->batch.packed_count;
	const uint64_t span = measure(writer, group, stored, &pieces);
	const bool     room = writer->tail.position.offset + span + JOURNAL_SEAL_SPAN <= writer->file_size;

	if (!room || !fits_batch(&writer->batch, group, span, pieces)) {
		/* What this group has packed already stays: it is moved out of the way of the flush. */
		uint8_t     *own[JOURNAL_GROUP_RECORDS_MAX];
		const size_t own_count = writer->batch.packed_count - packed;
		for (size_t i = 0; i < own_count; i++)
			own[i] = writer->batch.packed[packed + i];
		writer->batch.packed_count = packed;
		flush(writer);
		enum rc rc = atomic_load(&writer->failed) ? RC_IO : RC_OK;
		if (rc == RC_OK && !room)
			rc = change_segment(writer, span);
		for (size_t i = 0; i < own_count; i++)
			writer->batch.packed[writer->batch.packed_count++] = own[i];
		if (rc != RC_OK) {
			give_packed(&writer->batch, 0);
			return rc;
		}
	}
	return add_group(writer, group, stored);
}

void journal_batch_run(struct journal_writer *writer, struct list *groups)
{
	for (struct list *link = list_shift(groups); link != NULL; link = list_shift(groups)) {
		struct journal_group *group = group_of(link);
		const enum rc         rc = place_group(writer, group);
		if (rc == RC_OK)
			continue;
		/* Answers keep the order of submission: first those before it. */
		flush(writer);
		if (rc == RC_NOMEM)
			journal_count(&writer->counters.no_space, 1);
		group->answer(group, rc);
	}
	flush(writer);
}
