/*
 * Groups out of segment files. What is accepted stands in read_record(); what the end of the bytes means, a torn tail
 * or damage, is decided in judge_end().
 */
#include "journal/reader.h"

#include "base/memory.h"
#include "base/must.h"
#include "journal/chain.h"
#include "journal/compress.h"
#include "journal/holes.h"
#include "journal/segment.h"

#define UNPACK_SIZE (64u << 10)

struct journal_reader {
	struct journal_disk        *disk;
	enum journal_check          check;
	uint64_t                    last_segment; /* when opened; for JOURNAL_CHECK_LAST_SEGMENT */
	uint8_t                     id[JOURNAL_ID_SIZE];
	bool                        id_known;
	struct journal_file        *file; /* of mark.position.segment, or NULL */
	uint64_t                    file_number;
	uint64_t                    file_size;
	struct journal_segment_head head;
	uint32_t                    seed;
	struct journal_window       window;
	struct journal_numbers      holes; /* of this segment; known only when bodies are checked */
	struct journal_mark         mark;  /* behind the last whole group */
	struct journal_position     tail;
	struct journal_reader_end   end;
	struct buf                  events; /* payloads of the group at hand */
	size_t                      payload_at[JOURNAL_GROUP_RECORDS_MAX];
	struct journal_record       records[JOURNAL_GROUP_RECORDS_MAX];
	size_t                      count;
};

static void leave_segment(struct journal_reader *reader)
{
	if (reader->file != NULL)
		reader->disk->calls->close(reader->disk, reader->file);
	reader->file = NULL;
	reader->file_number = 0;
	journal_numbers_done(&reader->holes);
}

/* The bytes of a body: RC_OK, RC_CORRUPT, or RC_IO. One that was punched out is dropped, whatever is left of it. */
static enum rc check_stored(struct journal_reader *reader, const struct journal_head *head, uint64_t offset,
                            bool *dropped)
{
	uint32_t crc;

	*dropped = journal_holes_have(&reader->holes, offset - JOURNAL_RECORD_HEAD_SIZE);
	if (*dropped)
		return RC_OK;
	const enum rc rc = journal_window_checksum(&reader->window, offset, head->stored_bytes, &crc);
	return rc == RC_OK && crc != head->checksum ? RC_CORRUPT : rc;
}

/* Feed one stored piece to the digest, unpacked if it is packed. */
static enum rc digest_piece(struct digest_run *run, struct journal_unpacker *unpacker, struct slice part, uint8_t *room,
                            uint64_t *bytes)
{
	if (unpacker == NULL) {
		digest_run_add(run, part);
		*bytes += part.len;
		return RC_OK;
	}
	for (;;) {
		size_t        got;
		const enum rc rc = journal_unpack(unpacker, &part, room, UNPACK_SIZE, &got);
		if (rc != RC_OK)
			return rc;
		digest_run_add(run, slice_of(room, got));
		*bytes += got;
		if (got < UNPACK_SIZE && part.len == 0)
			return RC_OK;
	}
}

/* Does the body give the digest in its header? RC_OK, RC_CORRUPT, RC_NOMEM, RC_IO. */
static enum rc check_digest(struct journal_reader *reader, const struct journal_head *head, uint64_t offset)
{
	struct digest_run       *run = NULL;
	struct journal_unpacker *unpacker = NULL;
	uint8_t                 *room = NULL;
	uint64_t                 bytes = 0;
	struct digest            digest;

	enum rc rc = digest_run_open(&run);
	if (rc == RC_OK && (head->flags & JOURNAL_FLAG_COMPRESSED) != 0) {
		rc = journal_unpacker_open(&unpacker);
		room = memory_take(1, UNPACK_SIZE);
		if (rc == RC_OK && room == NULL)
			rc = RC_NOMEM;
	}
	for (uint64_t at = 0; rc == RC_OK && at < head->stored_bytes;) {
		struct slice   part;
		const uint64_t rest = head->stored_bytes - at;
		rc = journal_window_see(&reader->window, offset + at,
		                        rest < JOURNAL_WINDOW_SIZE ? (size_t)rest : JOURNAL_WINDOW_SIZE, &part);
		if (rc == RC_OK && part.len == 0)
			rc = RC_CORRUPT;
		at += part.len;
		if (rc == RC_OK)
			rc = digest_piece(run, unpacker, part, room, &bytes);
	}
	digest_run_end(&run, rc == RC_OK ? &digest : NULL);
	journal_unpacker_close(&unpacker);
	memory_give(room);
	if (rc != RC_OK)
		return rc;
	return bytes == head->bytes && digest_eq(&digest, &head->digest) ? RC_OK : RC_CORRUPT;
}

static enum rc check_body(struct journal_reader *reader, const struct journal_head *head, uint64_t offset,
                          bool *dropped)
{
	if ((head->flags & JOURNAL_FLAG_DROPPED) != 0 || reader->check == JOURNAL_CHECK_NO_BODIES ||
	    (reader->check == JOURNAL_CHECK_LAST_SEGMENT && reader->file_number < reader->last_segment))
		return RC_OK;
	const enum rc rc = check_stored(reader, head, offset, dropped);
	if (rc != RC_OK || *dropped || reader->check != JOURNAL_CHECK_ALL)
		return rc;
	return check_digest(reader, head, offset);
}

/* The payload of an event into `events`, checked. */
static enum rc take_event(struct journal_reader *reader, const struct journal_head *head, uint64_t offset)
{
	uint32_t crc = 0;

	for (uint64_t at = 0; at < head->stored_bytes;) {
		struct slice   part;
		const uint64_t rest = head->stored_bytes - at;
		const enum rc  rc =
			journal_window_see(&reader->window, offset + at,
		                           rest < JOURNAL_WINDOW_SIZE ? (size_t)rest : JOURNAL_WINDOW_SIZE, &part);
		if (rc != RC_OK)
			return rc;
		if (part.len == 0)
			return RC_CORRUPT;
		crc = digest_crc32c(crc, part);
		buf_put(&reader->events, part);
		at += part.len;
	}
	if (crc != head->checksum)
		return RC_CORRUPT;
	return reader->events.failed ? RC_NOMEM : RC_OK;
}

/* Is this header the one that must follow `at`? `first` is the seq of its group's first record. */
static bool follows(const struct journal_reader *reader, const struct journal_mark *at, uint64_t first,
                    const struct journal_head *head)
{
	const bool opens = head->type == JOURNAL_TYPE_OPENED && at->position.seq == first;

	if (head->seq != at->position.seq || head->synced >= first)
		return false;
	if (opens ? head->epoch <= at->epoch : head->epoch != at->epoch)
		return false;
	return journal_head_span(head) <= reader->file_size - at->position.offset;
}

/*
 * The record at `*at`, which moves behind it. RC_NOTFOUND and RC_CORRUPT: none there that could be the next one of
 * this history. `keep` puts it into the group at hand; without it only the chain is followed.
 */
static enum rc read_record(struct journal_reader *reader, struct journal_mark *at, uint64_t first, bool keep,
                           struct journal_head *head)
{
	struct slice bytes;
	uint8_t      encoded[JOURNAL_RECORD_HEAD_SIZE];
	bool         dropped = false;

	enum rc rc = journal_window_see(&reader->window, at->position.offset, sizeof encoded, &bytes);
	if (rc == RC_OK)
		rc = journal_head_decode(bytes, reader->seed, head);
	if (rc == RC_AGAIN)
		rc = RC_NOTFOUND;
	if (rc == RC_SYNTAX || (rc == RC_OK && !follows(reader, at, first, head)))
		rc = RC_CORRUPT;
	if (rc != RC_OK)
		return rc;
	memcpy(encoded, bytes.ptr, sizeof encoded);

	const uint64_t payload_at = at->position.offset + JOURNAL_RECORD_HEAD_SIZE;
	const bool     body = (head->flags & JOURNAL_FLAG_BODY) != 0;
	const size_t   event_at = reader->events.len;
	rc = body ? check_body(reader, head, payload_at, &dropped) : take_event(reader, head, payload_at);
	if (rc != RC_OK)
		return rc;
	const struct slice payload = slice_drop(buf_slice(&reader->events), event_at);
	struct digest      chain;
	journal_chain_next(&at->chain, encoded, &payload, 1, &chain);
	if (!digest_eq(&chain, &head->chain))
		return RC_CORRUPT;

	if (keep) {
		reader->payload_at[reader->count] = event_at;
		reader->records[reader->count++] = (struct journal_record){
			.type = head->type,
			.flags = (uint8_t)(head->flags | (dropped ? JOURNAL_FLAG_DROPPED : 0)),
			.time_ms = head->time_ms,
			.place = { .position = at->position, .bytes = head->bytes, .stored_bytes = head->stored_bytes },
			.digest = head->digest,
		};
	} else {
		buf_clear(&reader->events);
	}
	at->position.offset += journal_head_span(head);
	at->position.seq++;
	at->epoch = head->epoch;
	at->chain = chain;
	return RC_OK;
}

/* All records up to the next one flagged LAST. Moves `at` in any case, so that the bad record can be named. */
static enum rc read_group(struct journal_reader *reader, struct journal_mark *at)
{
	const struct journal_position start = at->position;
	struct journal_head           head;

	buf_clear(&reader->events);
	reader->count = 0;
	do {
		if (reader->count == JOURNAL_GROUP_RECORDS_MAX)
			return RC_CORRUPT;
		const enum rc rc = read_record(reader, at, start.seq, true, &head);
		if (rc != RC_OK)
			return rc;
	} while ((head.flags & JOURNAL_FLAG_LAST) == 0);

	if (head.synced == start.seq - 1)
		reader->tail = start;
	if (head.type == JOURNAL_TYPE_SEAL) {
		at->position.segment++;
		at->position.offset = JOURNAL_SEGMENT_HEAD_SIZE;
	}
	return RC_OK;
}

/* In a compacted segment offsets are lower than they were: walk from its first record to the one that is wanted. */
static enum rc seek_compacted(struct journal_reader *reader, struct fault *fault)
{
	struct journal_mark at = {
		.position = { reader->file_number, JOURNAL_SEGMENT_HEAD_SIZE, reader->head.first_seq },
		.epoch = reader->head.epoch,
		.chain = reader->head.chain,
	};
	uint64_t first = at.position.seq;

	buf_clear(&reader->events);
	while (at.position.seq < reader->mark.position.seq) {
		struct journal_head head;
		const enum rc       rc = read_record(reader, &at, first, false, &head);
		if (rc == RC_NOTFOUND || rc == RC_CORRUPT)
			return fault_set(fault, RC_CORRUPT, "a record of a compacted segment is damaged", 0,
			                 (int64_t)at.position.seq);
		if (rc != RC_OK)
			return fault_set(fault, rc, "reading a compacted segment", 0, (int64_t)reader->file_number);
		if ((head.flags & JOURNAL_FLAG_LAST) != 0)
			first = at.position.seq;
	}
	if (at.position.seq != reader->mark.position.seq || !digest_eq(&at.chain, &reader->mark.chain))
		return fault_set(fault, RC_CORRUPT, "the position to read from belongs to another history", 0,
		                 (int64_t)reader->mark.position.seq);
	reader->mark.position.offset = at.position.offset;
	return RC_OK;
}

/* Open the segment of the mark and find the mark in it. */
static enum rc enter_segment(struct journal_reader *reader, struct fault *fault)
{
	const struct journal_position *position = &reader->mark.position;
	struct journal_segment_head    head;

	leave_segment(reader);
	enum rc rc = journal_segment_open(reader->disk, position->segment, JOURNAL_OPEN_READ, &reader->file, &head);
	if (rc != RC_OK)
		return fault_set(fault, rc, "opening a segment", 0, (int64_t)position->segment);
	reader->file_number = position->segment;
	reader->head = head;
	rc = reader->disk->calls->size(reader->disk, reader->file, &reader->file_size);
	if (rc == RC_OK && reader->id_known && memcmp(reader->id, head.id, JOURNAL_ID_SIZE) != 0)
		rc = RC_CORRUPT;
	if (rc == RC_OK && reader->file_size < JOURNAL_SEGMENT_HEAD_SIZE)
		rc = RC_CORRUPT;
	if (rc == RC_OK && position->offset == JOURNAL_SEGMENT_HEAD_SIZE &&
	    (head.first_seq != position->seq || head.epoch != reader->mark.epoch ||
	     !digest_eq(&head.chain, &reader->mark.chain)))
		rc = RC_CORRUPT;
	if (rc != RC_OK) {
		leave_segment(reader);
		return fault_set(fault, rc, "a segment does not belong here", 0, (int64_t)position->segment);
	}
	memcpy(reader->id, head.id, JOURNAL_ID_SIZE);
	reader->id_known = true;
	reader->seed = journal_seed(head.id, head.number);
	journal_window_set(&reader->window, reader->file, reader->file_size);
	if (reader->check == JOURNAL_CHECK_ALL) {
		rc = journal_holes_load(reader->disk, head.id, head.number, &reader->holes);
		/* A damaged list is no list: then every body must be whole. */
		if (rc != RC_OK && rc != RC_NOTFOUND && rc != RC_CORRUPT) {
			leave_segment(reader);
			return fault_set(fault, rc, "reading a list of holes", 0, (int64_t)position->segment);
		}
	}
	if ((head.flags & JOURNAL_SEGMENT_FLAG_COMPACTED) == 0 || position->offset == JOURNAL_SEGMENT_HEAD_SIZE)
		return RC_OK;
	rc = seek_compacted(reader, fault);
	if (rc != RC_OK)
		leave_segment(reader);
	return rc;
}

static enum rc find_start(struct journal_reader *reader, const struct journal_mark *from, struct fault *fault)
{
	struct journal_numbers numbers;
	enum rc                rc = journal_numbers_list(reader->disk, JOURNAL_NAME_SEGMENT, &numbers);

	if (rc == RC_OK && numbers.count == 0)
		rc = RC_NOTFOUND;
	if (rc == RC_OK) {
		reader->last_segment = numbers.items[numbers.count - 1];
		if (from != NULL)
			reader->mark = *from;
		else
			reader->mark.position.segment = numbers.items[0];
	}
	journal_numbers_done(&numbers);
	if (rc != RC_OK)
		return fault_set(fault, rc, "looking for segments", 0, 0);
	if (from != NULL)
		return RC_OK;

	struct journal_file        *file;
	struct journal_segment_head head;
	rc = journal_segment_open(reader->disk, reader->mark.position.segment, JOURNAL_OPEN_READ, &file, &head);
	if (rc != RC_OK)
		return fault_set(fault, rc, "opening the first segment", 0, (int64_t)reader->mark.position.segment);
	reader->disk->calls->close(reader->disk, file);
	reader->mark.position.offset = JOURNAL_SEGMENT_HEAD_SIZE;
	reader->mark.position.seq = head.first_seq;
	reader->mark.epoch = head.epoch;
	reader->mark.chain = head.chain;
	return RC_OK;
}

enum rc journal_reader_open(struct journal_disk *disk, const struct journal_mark *from, enum journal_check check,
                            struct fault *fault, struct journal_reader **out)
{
	struct journal_reader *reader = memory_take(1, sizeof *reader);

	if (reader == NULL)
		return fault_set(fault, RC_NOMEM, "opening a reader", 0, 0);
	reader->disk = disk;
	reader->check = check;
	reader->events = buf_make(JOURNAL_GROUP_EVENT_BYTES_MAX);
	enum rc rc = journal_window_init(&reader->window, disk);
	if (rc != RC_OK)
		(void)fault_set(fault, rc, "opening a reader", 0, 0);
	if (rc == RC_OK)
		rc = find_start(reader, from, fault);
	/* A mark behind the last seal points to a segment that may not be there yet. */
	if (rc == RC_OK && (from == NULL || from->position.offset != JOURNAL_SEGMENT_HEAD_SIZE))
		rc = enter_segment(reader, fault);
	if (rc != RC_OK) {
		journal_reader_close(&reader);
		return rc;
	}
	reader->tail = reader->mark.position;
	*out = reader;
	return RC_OK;
}

void journal_reader_close(struct journal_reader **reader)
{
	if (*reader == NULL)
		return;
	leave_segment(*reader);
	journal_window_done(&(*reader)->window);
	buf_done(&(*reader)->events);
	memory_give(*reader);
	*reader = NULL;
}

struct journal_mark journal_reader_mark(const struct journal_reader *reader)
{
	return reader->mark;
}

struct journal_position journal_reader_tail(const struct journal_reader *reader)
{
	return reader->tail;
}

struct journal_reader_end journal_reader_end(const struct journal_reader *reader)
{
	return reader->end;
}

/* Is there a segment behind `number`? */
static enum rc later_segment(struct journal_reader *reader, uint64_t number, bool *out)
{
	struct journal_numbers numbers;
	const enum rc          rc = journal_numbers_list(reader->disk, JOURNAL_NAME_SEGMENT, &numbers);

	if (rc == RC_OK)
		*out = numbers.count != 0 && numbers.items[numbers.count - 1] > number;
	journal_numbers_done(&numbers);
	return rc;
}

/*
 * Look at every place behind `from` where a record could start. A header of this segment that was written when the
 * record `seq` had already been durable (its `synced`) proves damage; others were part of a batch that never became
 * durable.
 */
static enum rc search_behind(struct journal_reader *reader, uint64_t from, uint64_t seq, bool *damage,
                             uint64_t *furthest)
{
	uint64_t at = from;

	for (;;) {
		struct slice  bytes;
		const enum rc rc = journal_window_see(&reader->window, at, JOURNAL_WINDOW_SIZE, &bytes);
		if (rc != RC_OK)
			return rc;
		size_t i = 0;
		for (; i + JOURNAL_RECORD_HEAD_SIZE <= bytes.len; i += JOURNAL_ALIGN) {
			struct journal_head head;
			if (bytes.ptr[i] == 0 ||
			    journal_head_decode(slice_drop(bytes, i), reader->seed, &head) != RC_OK ||
			    head.epoch < reader->mark.epoch)
				continue;
			if (head.synced >= seq)
				*damage = true;
			*furthest = at + i + journal_head_span(&head);
			if (head.epoch > reader->end.epoch_max)
				reader->end.epoch_max = head.epoch;
		}
		if (i == 0)
			return RC_OK;
		at += i;
	}
}

/*
 * No good record at `bad`, and nobody said that there must be one: is this where the writing stopped, or has a record
 * been damaged that was durable? RC_CLOSED or RC_CORRUPT.
 */
static enum rc judge_end(struct journal_reader *reader, const struct journal_position *bad, struct fault *fault)
{
	bool         damage = false;
	uint64_t     furthest = bad->offset;
	struct slice first = { NULL, 0 };

	reader->end = (struct journal_reader_end){
		.position = reader->mark.position,
		.cut_records = reader->count,
		.bad = *bad,
		.segment_good = true,
	};
	enum rc rc = later_segment(reader, bad->segment, &damage);
	if (rc == RC_OK && !damage)
		rc = search_behind(reader, bad->offset, reader->mark.position.seq, &damage, &furthest);
	if (rc == RC_OK && damage)
		return fault_set(fault, RC_CORRUPT, "a record that had been durable is damaged", 0, (int64_t)bad->seq);
	/* The writer leaves a zero behind each batch: another byte there is the start of one that was not finished. */
	if (rc == RC_OK && furthest == bad->offset)
		rc = journal_window_see(&reader->window, bad->offset, 1, &first);
	if (rc != RC_OK)
		return fault_set(fault, rc, "reading the end of the journal", 0, (int64_t)bad->segment);
	if (furthest == bad->offset && first.len != 0 && first.ptr[0] != 0)
		furthest += JOURNAL_RECORD_HEAD_SIZE;
	if (furthest > reader->file_size)
		furthest = reader->file_size;
	reader->end.cut_bytes = furthest - reader->mark.position.offset;
	return RC_CLOSED;
}

/* The segment behind a seal is not there. */
static enum rc judge_missing(struct journal_reader *reader, bool expected, struct fault *fault)
{
	bool    later = expected;
	enum rc rc = RC_OK;

	reader->end = (struct journal_reader_end){ .position = reader->mark.position, .bad = reader->mark.position };
	if (!later)
		rc = later_segment(reader, reader->mark.position.segment, &later);
	if (rc != RC_OK)
		return fault_set(fault, rc, "looking for segments", 0, 0);
	if (later)
		return fault_set(fault, RC_CORRUPT, "a segment is missing", 0, (int64_t)reader->mark.position.segment);
	return RC_CLOSED;
}

static enum rc next_group(struct journal_reader *reader, const struct journal_position *until, struct journal_mark *at,
                          struct fault *fault)
{
	if (reader->file_number != reader->mark.position.segment) {
		const enum rc rc = enter_segment(reader, fault);
		if (rc == RC_NOTFOUND)
			return judge_missing(reader, until != NULL, fault);
		if (rc == RC_CORRUPT)
			reader->end = (struct journal_reader_end){ .position = reader->mark.position,
				                                   .bad = reader->mark.position };
		if (rc != RC_OK)
			return rc;
	}
	reader->window.limit =
		until != NULL && until->segment == reader->file_number && until->offset < reader->file_size
			? until->offset
			: reader->file_size;
	*at = reader->mark;
	const enum rc rc = read_group(reader, at);
	if (rc == RC_OK || rc == RC_UNSUPPORTED || rc == RC_NOMEM || rc == RC_IO)
		return rc == RC_OK ? RC_OK : fault_set(fault, rc, "reading a record", 0, (int64_t)at->position.seq);
	return RC_NOTFOUND;
}

enum rc journal_reader_next(struct journal_reader *reader, const struct journal_position *until,
                            const struct journal_record **out, size_t *count, struct fault *fault)
{
	struct journal_mark at = reader->mark; /* where it stays when a segment cannot be entered at all */

	if (until != NULL && reader->mark.position.seq >= until->seq)
		return RC_AGAIN;
	enum rc rc = next_group(reader, until, &at, fault);
	if (rc == RC_NOTFOUND && until != NULL) {
		/* The file may have been compacted or recycled under us: once more, by name. */
		leave_segment(reader);
		rc = next_group(reader, until, &at, fault);
	}
	if (rc == RC_NOTFOUND && until == NULL)
		return judge_end(reader, &at.position, fault);
	if (rc == RC_NOTFOUND) {
		reader->end = (struct journal_reader_end){ .position = reader->mark.position, .bad = at.position };
		return fault_set(fault, RC_CORRUPT, "a durable record is damaged", 0, (int64_t)at.position.seq);
	}
	if (rc != RC_OK)
		return rc;
	if (until != NULL && at.position.seq > until->seq)
		return RC_AGAIN;
	for (size_t i = 0; i < reader->count; i++) {
		struct journal_record *record = &reader->records[i];
		if (!journal_record_is_body(record))
			record->payload =
				slice_cut(buf_slice(&reader->events), reader->payload_at[i], record->place.bytes);
	}
	reader->mark = at;
	*out = reader->records;
	*count = reader->count;
	return RC_OK;
}
