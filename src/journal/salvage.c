/* See salvage.h. Three steps: headers made again, the writer's own recovery with `salvage`, and a search of what was set aside. */
#include "journal/salvage.h"

#include "base/memory.h"
#include "journal/chain.h"
#include "journal/compress.h"
#include "journal/segment.h"

#include <string.h>

#define IDS_MAX        32u /* different ones; one is usual */
#define SNAPSHOT_ID_AT 16u
#define SEGMENT_ID_AT  88u
#define LOOK_SIZE      4096u /* of the window at a time, so that it is not filled anew for each record */

struct salvage {
	struct journal_disk                *disk;
	const struct journal_salvage_calls *calls;
	struct journal_salvage_report      *report;
	struct journal_window               window;
	uint8_t                             ids[IDS_MAX][JOURNAL_ID_SIZE]; /* that a segment may belong to */
	size_t                              id_count;
};

/* ---- whose segments these are ---- */

static void add_id(struct salvage *s, const uint8_t *id)
{
	for (size_t i = 0; i < s->id_count; i++) {
		if (memcmp(s->ids[i], id, JOURNAL_ID_SIZE) == 0)
			return;
	}
	if (s->id_count < IDS_MAX)
		memcpy(s->ids[s->id_count++], id, JOURNAL_ID_SIZE);
}

/* The id is where a good header would have it; the checksum of a record decides later whether it is one. */
static enum rc add_id_of(struct salvage *s, struct journal_file_name name, uint64_t at)
{
	struct journal_file *file;
	uint8_t              id[JOURNAL_ID_SIZE];
	size_t               got;

	enum rc rc = s->disk->calls->open(s->disk, name.text, JOURNAL_OPEN_READ, &file);
	if (rc != RC_OK)
		return rc;
	rc = s->disk->calls->read(s->disk, file, at, id, sizeof id, &got);
	if (rc == RC_OK && got == sizeof id)
		add_id(s, id);
	s->disk->calls->close(s->disk, file);
	return rc;
}

static enum rc collect_ids(struct salvage *s, const struct journal_numbers *segments)
{
	struct journal_numbers snapshots;
	enum rc                rc = journal_numbers_list(s->disk, JOURNAL_NAME_SNAPSHOT, &snapshots);

	for (size_t i = 0; rc == RC_OK && i < snapshots.count; i++)
		rc = add_id_of(s, journal_name(JOURNAL_NAME_SNAPSHOT, snapshots.items[i]), SNAPSHOT_ID_AT);
	journal_numbers_done(&snapshots);
	for (size_t i = 0; rc == RC_OK && i < segments->count; i++)
		rc = add_id_of(s, journal_name(JOURNAL_NAME_SEGMENT, segments->items[i]), SEGMENT_ID_AT);
	return rc;
}

/* ---- one file, looked at without its header ---- */

/* RC_OK: `name` is open in the window. */
static enum rc look_at(struct salvage *s, struct journal_file_name name, enum journal_open how, struct journal_file **file, uint64_t *size)
{
	enum rc rc = s->disk->calls->open(s->disk, name.text, how, file);

	if (rc != RC_OK)
		return rc;
	rc = s->disk->calls->size(s->disk, *file, size);
	if (rc != RC_OK) {
		s->disk->calls->close(s->disk, *file);
		return rc;
	}
	journal_window_set(&s->window, *file, *size);
	return RC_OK;
}

/* The record header at `at`, encoded and read. */
static enum rc see_head(struct salvage *s, uint64_t at, uint32_t seed, uint8_t encoded[JOURNAL_RECORD_HEAD_SIZE], struct journal_head *out)
{
	struct slice bytes;
	enum rc      rc = journal_window_see(&s->window, at, JOURNAL_RECORD_HEAD_SIZE, &bytes);

	if (rc == RC_OK)
		rc = journal_head_decode(bytes, seed, out);
	if (rc == RC_OK)
		memcpy(encoded, bytes.ptr, JOURNAL_RECORD_HEAD_SIZE);
	return rc;
}

/* The id under whose seed a record stands at the front of segment `number`. RC_NOTFOUND. */
static enum rc find_id(struct salvage *s, uint64_t number, const uint8_t **out)
{
	uint8_t             encoded[JOURNAL_RECORD_HEAD_SIZE];
	struct journal_head head;

	for (size_t i = 0; i < s->id_count; i++) {
		const enum rc rc = see_head(s, JOURNAL_SEGMENT_HEAD_SIZE, journal_seed(s->ids[i], number), encoded, &head);
		if (rc == RC_OK) {
			*out = s->ids[i];
			return RC_OK;
		}
		if (rc == RC_IO || rc == RC_UNSUPPORTED)
			return rc;
	}
	return RC_NOTFOUND;
}

/* `count` bytes at `at` into `out`. RC_CORRUPT: they are not all there, or have another checksum. */
static enum rc copy_bytes(struct salvage *s, uint64_t at, uint64_t count, uint32_t checksum, struct buf *out)
{
	while (out->len < count) {
		struct slice   part;
		const uint64_t rest = count - out->len;
		const enum rc  rc = journal_window_see(&s->window, at + out->len, rest < JOURNAL_WINDOW_SIZE ? (size_t)rest : JOURNAL_WINDOW_SIZE, &part);
		if (rc != RC_OK)
			return rc;
		if (part.len == 0)
			return RC_CORRUPT;
		buf_put(out, part);
		if (out->failed)
			return RC_NOMEM;
	}
	return digest_crc32c(0, buf_slice(out)) == checksum ? RC_OK : RC_CORRUPT;
}

/* ---- an id that nobody knows any more ---- */

/* One step of CRC-32C (reflected polynomial of RFC 3720) back: what stood before `byte` came in. */
static uint32_t crc_back(uint32_t state, uint8_t byte)
{
	for (unsigned bit = 0; bit < 8; bit++)
		state = (state & 0x80000000u) != 0 ? (state ^ 0x82f63b78u) << 1 | 1u : state << 1;
	return state ^ byte;
}

/*
 * All that the id is for is the seed of a segment's header checksums, and a header with its checksum gives the seed away, since a CRC can
 * be run backwards. An id with that seed: twelve zeros and four bytes. It is as good as the one that was lost, unless something else
 * still says that one.
 */
static void solve_id(const uint8_t head[JOURNAL_RECORD_HEAD_SIZE], uint64_t number, uint8_t out[JOURNAL_ID_SIZE])
{
	uint32_t state = ~((uint32_t)head[116] | (uint32_t)head[117] << 8 | (uint32_t)head[118] << 16 | (uint32_t)head[119] << 24);
	uint8_t  zeros[JOURNAL_ID_SIZE - 4] = { 0 };

	for (size_t i = 116; i-- > 0;)
		state = crc_back(state, head[i]);
	for (size_t i = 8; i-- > 0;)
		state = crc_back(state, (uint8_t)(number >> (8 * i)));
	for (size_t i = 0; i < 4; i++)
		state = crc_back(state, 0);
	state ^= ~digest_crc32c(0, slice_of(zeros, sizeof zeros));
	memset(out, 0, JOURNAL_ID_SIZE);
	for (size_t i = 0; i < 4; i++)
		out[JOURNAL_ID_SIZE - 4 + i] = (uint8_t)(state >> (8 * i));
}

/* For the first of the segments that begins with what looks like a record; its checksum is right then, and says nothing. */
static enum rc add_solved_id(struct salvage *s, const struct journal_numbers *segments)
{
	const uint8_t *known;
	uint8_t        id[JOURNAL_ID_SIZE];
	enum rc        rc = RC_OK;
	bool           found = false;

	for (size_t i = 0; rc == RC_OK && !found && i < segments->count; i++) {
		struct journal_file *file;
		struct slice         bytes;
		uint64_t             size;
		rc = look_at(s, journal_name(JOURNAL_NAME_SEGMENT, segments->items[i]), JOURNAL_OPEN_READ, &file, &size);
		if (rc != RC_OK)
			return rc;
		found = find_id(s, segments->items[i], &known) == RC_OK;
		rc = journal_window_see(&s->window, JOURNAL_SEGMENT_HEAD_SIZE, JOURNAL_RECORD_HEAD_SIZE, &bytes);
		if (rc == RC_OK && !found && bytes.len == JOURNAL_RECORD_HEAD_SIZE && memcmp(bytes.ptr, "HgJ1", 4) == 0) {
			solve_id(bytes.ptr, segments->items[i], id);
			add_id(s, id);
			found = true;
		}
		s->disk->calls->close(s->disk, file);
	}
	return rc;
}

/* ---- headers made again ---- */

/* The chain's value at the end of segment `number`, if it is sealed and its headers can be walked. */
static bool end_of(struct salvage *s, uint64_t number, const uint8_t *id, struct digest *out)
{
	uint8_t              encoded[JOURNAL_RECORD_HEAD_SIZE];
	struct journal_head  head = { .type = 0 };
	struct journal_file *file;
	uint64_t             size, at = JOURNAL_SEGMENT_HEAD_SIZE;

	if (look_at(s, journal_name(JOURNAL_NAME_SEGMENT, number), JOURNAL_OPEN_READ, &file, &size) != RC_OK)
		return false;
	while (head.type != JOURNAL_TYPE_SEAL && see_head(s, at, journal_seed(id, number), encoded, &head) == RC_OK)
		at += journal_head_span(&head);
	s->disk->calls->close(s->disk, file);
	*out = head.chain;
	return head.type == JOURNAL_TYPE_SEAL;
}

/* A compacted segment has bodies flagged as dropped; one without any lies as it was written. */
static uint32_t flags_of(struct salvage *s, uint32_t seed)
{
	uint8_t             encoded[JOURNAL_RECORD_HEAD_SIZE];
	struct journal_head head;

	for (uint64_t at = JOURNAL_SEGMENT_HEAD_SIZE; see_head(s, at, seed, encoded, &head) == RC_OK; at += journal_head_span(&head)) {
		if ((head.flags & JOURNAL_FLAG_DROPPED) != 0)
			return JOURNAL_SEGMENT_FLAG_COMPACTED;
	}
	return 0;
}

/*
 * What the header must have said, from the first record: its chain value proves the one before it, which is zero in segment 1, else that
 * at the end of the segment before, else (that one is gone) still readable in the damaged header. RC_NOTFOUND: it cannot be proved.
 */
static enum rc derive(struct salvage *s, uint64_t number, uint64_t size, const uint8_t raw[JOURNAL_SEGMENT_HEAD_USED],
                      const struct digest *before, struct journal_segment_head *out)
{
	const uint8_t      *id = NULL;
	uint8_t             encoded[JOURNAL_RECORD_HEAD_SIZE];
	struct journal_head first = { .type = 0 };
	struct digest       candidates[3] = { { { 0 } }, { { 0 } }, { { 0 } } }, chain;
	struct buf          payload = buf_make(JOURNAL_EVENT_BYTES_MAX + 1);

	enum rc rc = find_id(s, number, &id);
	if (rc == RC_OK)
		rc = see_head(s, JOURNAL_SEGMENT_HEAD_SIZE, journal_seed(id, number), encoded, &first);
	if (rc == RC_OK && (first.flags & JOURNAL_FLAG_BODY) == 0)
		rc = copy_bytes(s, JOURNAL_SEGMENT_HEAD_SIZE + JOURNAL_RECORD_HEAD_SIZE, first.stored_bytes, first.checksum, &payload);
	if (rc == RC_OK) {
		memcpy(candidates[0].bytes, raw + 56, DIGEST_SIZE);
		if (before != NULL)
			candidates[1] = *before;
		const struct slice bytes = buf_slice(&payload);
		rc = RC_NOTFOUND;
		for (size_t i = 0; rc != RC_OK && i < 3; i++) {
			journal_chain_next(&candidates[i], encoded, &bytes, 1, &chain);
			if (!digest_eq(&chain, &first.chain))
				continue;
			*out = (struct journal_segment_head){
				.flags = flags_of(s, journal_seed(id, number)),
				.number = number,
				.first_seq = first.seq,
				.size = size,
				.time_ms = first.time_ms,
				.epoch = first.type == JOURNAL_TYPE_OPENED && first.epoch != 0 ? first.epoch - 1 : first.epoch,
				.chain = candidates[i],
			};
			memcpy(out->id, id, JOURNAL_ID_SIZE);
			rc = RC_OK;
		}
	}
	buf_done(&payload);
	return rc == RC_CORRUPT ? RC_NOTFOUND : rc;
}

static enum rc mend(struct salvage *s, uint64_t number)
{
	uint8_t                     raw[JOURNAL_SEGMENT_HEAD_USED] = { 0 }, encoded[JOURNAL_SEGMENT_HEAD_SIZE];
	struct journal_segment_head head;
	struct journal_file        *file;
	struct digest               before;
	uint64_t                    size;
	size_t                      got;
	bool                        known = false;

	for (size_t i = 0; !known && number > 1 && i < s->id_count; i++)
		known = end_of(s, number - 1, s->ids[i], &before);
	enum rc rc = look_at(s, journal_name(JOURNAL_NAME_SEGMENT, number), JOURNAL_OPEN_WRITE, &file, &size);
	if (rc != RC_OK)
		return rc;
	rc = s->disk->calls->read(s->disk, file, 0, raw, sizeof raw, &got);
	if (rc == RC_OK)
		rc = derive(s, number, size, raw, known ? &before : NULL, &head);
	if (rc == RC_OK) {
		journal_segment_head_encode(&head, encoded);
		const struct slice piece = slice_of(encoded, sizeof encoded);
		rc = s->disk->calls->write(s->disk, file, 0, &piece, 1);
		if (rc == RC_OK)
			rc = s->disk->calls->sync(s->disk, file);
	}
	s->disk->calls->close(s->disk, file);
	if (rc == RC_OK) {
		s->report->mended++;
		s->calls->mended(s->calls->context, number);
	}
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc mend_all(struct salvage *s, const struct journal_numbers *segments)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < segments->count; i++) {
		struct journal_segment_head head;
		struct journal_file        *file;
		rc = journal_segment_open(s->disk, segments->items[i], JOURNAL_OPEN_READ, &file, &head);
		if (rc == RC_OK)
			s->disk->calls->close(s->disk, file);
		else if (rc == RC_CORRUPT)
			rc = mend(s, segments->items[i]);
	}
	return rc;
}

/* ---- what was set aside ---- */

static enum rc unpack(const struct journal_head *head, struct slice stored, struct buf *out)
{
	struct journal_unpacker *unpacker;
	enum rc                  rc = journal_unpacker_open(&unpacker);

	if (rc != RC_OK)
		return rc;
	while (rc == RC_OK && out->len < head->bytes) {
		size_t   got;
		uint8_t *room = buf_reserve(out, 1u << 16);
		rc = room == NULL ? RC_NOMEM : journal_unpack(unpacker, &stored, room, 1u << 16, &got);
		if (rc == RC_OK && got == 0 && stored.len == 0)
			rc = RC_CORRUPT;
		if (rc == RC_OK)
			buf_grew(out, got);
	}
	journal_unpacker_close(&unpacker);
	return rc;
}

/* Tell the record at `at`. RC_CORRUPT: its payload is damaged. */
static enum rc tell(struct salvage *s, uint64_t segment, uint64_t at, const struct journal_head *head)
{
	struct journal_record record = {
		.type = head->type,
		.flags = head->flags,
		.time_ms = head->time_ms,
		.place = { .position = { segment, at, head->seq }, .bytes = head->bytes, .stored_bytes = head->stored_bytes },
		.digest = head->digest,
	};
	struct buf stored = buf_make((size_t)head->stored_bytes + 1), whole = buf_make((size_t)head->bytes + (1u << 17));
	enum rc    rc = RC_OK;

	if ((head->flags & JOURNAL_FLAG_DROPPED) == 0) {
		rc = copy_bytes(s, at + JOURNAL_RECORD_HEAD_SIZE, head->stored_bytes, head->checksum, &stored);
		if (rc == RC_OK && (head->flags & JOURNAL_FLAG_COMPRESSED) != 0)
			rc = unpack(head, buf_slice(&stored), &whole);
		record.payload = (head->flags & JOURNAL_FLAG_COMPRESSED) != 0 ? buf_slice(&whole) : buf_slice(&stored);
	}
	if (rc == RC_OK) {
		s->report->lost++;
		s->calls->lost(s->calls->context, segment, &record);
	}
	buf_done(&stored);
	buf_done(&whole);
	return rc;
}

/* The next place from `*at` on where a record may begin. False: none, up to the end of the file. */
static bool find_magic(struct salvage *s, uint64_t size, uint64_t *at)
{
	for (;; *at += JOURNAL_ALIGN) {
		struct slice bytes;
		if (*at + JOURNAL_RECORD_HEAD_SIZE > size || journal_window_see(&s->window, *at, LOOK_SIZE, &bytes) != RC_OK ||
		    bytes.len < JOURNAL_RECORD_HEAD_SIZE)
			return false;
		for (size_t i = 0; i + 4 <= bytes.len; i += JOURNAL_ALIGN, *at += JOURNAL_ALIGN) {
			if (bytes.ptr[i] == 'H' && bytes.ptr[i + 1] == 'g' && bytes.ptr[i + 2] == 'J' && bytes.ptr[i + 3] == '1')
				return true;
		}
		*at -= JOURNAL_ALIGN;
	}
}

/* Every record in the file whose header is good and whose seq is above `kept_seq`. */
static enum rc search(struct salvage *s, uint64_t segment, uint64_t kept_seq)
{
	uint8_t              encoded[JOURNAL_RECORD_HEAD_SIZE];
	struct journal_file *file;
	uint64_t             size, at = JOURNAL_SEGMENT_HEAD_SIZE;

	enum rc rc = look_at(s, journal_name(JOURNAL_NAME_DAMAGED, segment), JOURNAL_OPEN_READ, &file, &size);
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_OK : rc;
	s->report->aside++;
	while (rc == RC_OK && find_magic(s, size, &at)) {
		struct journal_head head;
		enum rc             seen = RC_NOTFOUND;
		for (size_t i = 0; seen != RC_OK && i < s->id_count; i++)
			seen = see_head(s, at, journal_seed(s->ids[i], segment), encoded, &head);
		if (seen != RC_OK) {
			at += JOURNAL_ALIGN;
			continue;
		}
		const enum rc told = head.type >= JOURNAL_TYPE_OWN || head.seq <= kept_seq ? RC_OK : tell(s, segment, at, &head);
		if (told == RC_CORRUPT)
			s->report->dark++;
		else
			rc = told;
		/* A size that is damaged would have broken the header's checksum; damaged bytes may still hide nothing. */
		at += told == RC_OK ? journal_head_span(&head) : JOURNAL_RECORD_HEAD_SIZE;
	}
	s->disk->calls->close(s->disk, file);
	return rc;
}

/* Segments that were there before and are no more, and the one that was cut. */
static enum rc search_all(struct salvage *s, const struct journal_numbers *before)
{
	struct journal_numbers now;
	enum rc                rc = journal_numbers_list(s->disk, JOURNAL_NAME_SEGMENT, &now);

	for (size_t i = 0; rc == RC_OK && i < before->count; i++) {
		bool stays = false;
		for (size_t k = 0; k < now.count; k++)
			stays |= now.items[k] == before->items[i];
		if (!stays || s->report->kept_seq == 0)
			rc = search(s, before->items[i], 0);
		else if (before->items[i] == s->report->bad.segment)
			rc = search(s, before->items[i], s->report->kept_seq);
	}
	journal_numbers_done(&now);
	return rc;
}

/* ---- all of it ---- */

static enum rc open_once(struct salvage *s, const struct journal_limits *limits, bool salvage, struct journal_recovery *recovery,
                         struct fault *fault)
{
	const struct journal_writer_options options = { .disk = s->disk, .limits = limits, .salvage = salvage };
	struct journal_writer              *writer = NULL;
	const enum rc                       rc = journal_writer_open(&options, recovery, fault, &writer);

	journal_writer_close(&writer);
	return rc;
}

static enum rc work(struct salvage *s, const struct journal_limits *limits, const struct journal_numbers *segments, struct fault *fault)
{
	struct journal_recovery recovery = { .groups = 0 };

	enum rc rc = collect_ids(s, segments);
	if (rc == RC_OK)
		rc = add_solved_id(s, segments);
	if (rc == RC_OK)
		rc = mend_all(s, segments);
	if (rc != RC_OK)
		return fault_set(fault, rc, "reading the segments", 0, 0);
	rc = open_once(s, limits, false, &recovery, fault);
	if (rc != RC_CORRUPT)
		return rc;
	rc = open_once(s, limits, true, &recovery, fault);
	if (rc != RC_OK)
		return rc;
	s->report->cut = true;
	s->report->bad = recovery.bad;
	s->report->kept_seq = recovery.created ? 0 : recovery.end.position.seq - 1;
	rc = search_all(s, segments);
	return rc == RC_OK ? RC_OK : fault_set(fault, rc, "reading what was set aside", 0, 0);
}

enum rc journal_salvage(struct journal_disk *disk, const struct journal_limits *limits, const struct journal_salvage_calls *calls,
                        struct journal_salvage_report *out, struct fault *fault)
{
	struct salvage         s = { .disk = disk, .calls = calls, .report = out };
	struct journal_numbers segments = { .items = NULL };

	*out = (struct journal_salvage_report){ .mended = 0 };
	enum rc rc = disk->calls->lock(disk);
	if (rc != RC_OK)
		return fault_set(fault, rc, "locking the journal's folder", 0, 0);
	rc = journal_numbers_list(disk, JOURNAL_NAME_SEGMENT, &segments);
	if (rc == RC_OK && segments.count == 0)
		rc = RC_NOTFOUND;
	if (rc == RC_OK)
		rc = journal_window_init(&s.window, disk);
	if (rc != RC_OK) {
		journal_numbers_done(&segments);
		return fault_set(fault, rc, "looking at the journal's folder", 0, 0);
	}
	rc = work(&s, limits, &segments, fault);
	journal_window_done(&s.window);
	journal_numbers_done(&segments);
	return rc;
}
