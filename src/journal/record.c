/* Headers of records and segments, byte by byte. docs/formats/journal.md shows the same with an example. */
#include "journal/record.h"

#include "base/cursor.h"
#include "base/must.h"

#define SEGMENT_MAGIC       0x0a316765734a6748u /* "HgJseg1\n" */
#define HEAD_CHAIN_AT       80u
#define HEAD_ZERO_AT        112u
#define HEAD_CHECKSUM_AT    116u
#define SEGMENT_CHECKSUM_AT 124u

static void put(uint8_t *to, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t take(const uint8_t *from, size_t size)
{
	uint64_t number = 0;

	for (size_t i = size; i != 0; i--)
		number = number << 8 | from[i - 1];
	return number;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

uint32_t journal_seed(const uint8_t id[JOURNAL_ID_SIZE], uint64_t segment)
{
	uint8_t bytes[JOURNAL_ID_SIZE + 8];

	memcpy(bytes, id, JOURNAL_ID_SIZE);
	put(bytes + JOURNAL_ID_SIZE, segment, 8);
	return digest_crc32c(0, slice_of(bytes, sizeof bytes));
}

uint64_t journal_head_span(const struct journal_head *head)
{
	const uint64_t payload = (head->flags & JOURNAL_FLAG_DROPPED) != 0 ? 0 : head->stored_bytes;

	return (JOURNAL_RECORD_HEAD_SIZE + payload + (JOURNAL_ALIGN - 1)) & ~(uint64_t)(JOURNAL_ALIGN - 1);
}

void journal_head_encode(const struct journal_head *head, uint32_t seed, uint8_t out[JOURNAL_RECORD_HEAD_SIZE])
{
	must((head->flags & ~JOURNAL_FLAGS_KNOWN) == 0);

	put(out, JOURNAL_MAGIC, 4);
	put(out + 4, head->type, 2);
	out[6] = JOURNAL_FORMAT_VERSION;
	out[7] = head->flags;
	put(out + 8, head->seq, 8);
	put(out + 16, (uint64_t)head->time_ms, 8);
	put(out + 24, head->epoch, 4);
	put(out + 28, head->checksum, 4);
	put(out + 32, head->bytes, 4);
	put(out + 36, head->stored_bytes, 4);
	put(out + 40, head->synced, 8);
	memcpy(out + 48, head->digest.bytes, DIGEST_SIZE);
	put(out + HEAD_ZERO_AT, 0, 4);
	journal_head_finish(out, seed, &head->chain);
}

void journal_head_finish(uint8_t head[JOURNAL_RECORD_HEAD_SIZE], uint32_t seed, const struct digest *chain)
{
	memcpy(head + HEAD_CHAIN_AT, chain->bytes, DIGEST_SIZE);
	put(head + HEAD_CHECKSUM_AT, digest_crc32c(seed, slice_of(head, HEAD_CHECKSUM_AT)), 4);
}

/* What the format page demands beyond a good checksum. */
static bool head_lawful(const struct journal_head *head)
{
	const bool body = (head->flags & JOURNAL_FLAG_BODY) != 0;

	if (!body && (head->flags & (JOURNAL_FLAG_COMPRESSED | JOURNAL_FLAG_DROPPED)) != 0)
		return false;
	if (!body && (head->bytes != head->stored_bytes || head->bytes > JOURNAL_EVENT_BYTES_MAX ||
	              !all_zero(head->digest.bytes, DIGEST_SIZE)))
		return false;
	if (body && (head->bytes > JOURNAL_BODY_BYTES_MAX || head->stored_bytes > head->bytes ||
	             head->type >= JOURNAL_TYPE_OWN))
		return false;
	if (body && (head->flags & JOURNAL_FLAG_COMPRESSED) == 0 && head->stored_bytes != head->bytes)
		return false;
	return head->seq != 0 && head->synced < head->seq;
}

enum rc journal_head_decode(struct slice bytes, uint32_t seed, struct journal_head *out)
{
	const uint8_t *from = bytes.ptr;

	if (bytes.len < JOURNAL_RECORD_HEAD_SIZE)
		return RC_AGAIN;
	const uint32_t magic = (uint32_t)take(from, 4);
	if (magic == 0)
		return RC_NOTFOUND;
	if (magic != JOURNAL_MAGIC)
		return RC_CORRUPT;
	if (take(from + HEAD_CHECKSUM_AT, 4) != digest_crc32c(seed, slice_take(bytes, HEAD_CHECKSUM_AT)))
		return RC_CORRUPT;
	if (from[6] != JOURNAL_FORMAT_VERSION || (from[7] & ~JOURNAL_FLAGS_KNOWN) != 0 ||
	    take(from + HEAD_ZERO_AT, 4) != 0)
		return RC_UNSUPPORTED;

	struct journal_head head = {
		.type = (uint16_t)take(from + 4, 2),
		.flags = from[7],
		.seq = take(from + 8, 8),
		.time_ms = (int64_t)take(from + 16, 8),
		.epoch = (uint32_t)take(from + 24, 4),
		.checksum = (uint32_t)take(from + 28, 4),
		.bytes = (uint32_t)take(from + 32, 4),
		.stored_bytes = (uint32_t)take(from + 36, 4),
		.synced = take(from + 40, 8),
	};
	memcpy(head.digest.bytes, from + 48, DIGEST_SIZE);
	memcpy(head.chain.bytes, from + HEAD_CHAIN_AT, DIGEST_SIZE);
	if (!head_lawful(&head))
		return RC_SYNTAX;
	*out = head;
	return RC_OK;
}

void journal_segment_head_encode(const struct journal_segment_head *head, uint8_t out[JOURNAL_SEGMENT_HEAD_SIZE])
{
	memset(out, 0, JOURNAL_SEGMENT_HEAD_SIZE);
	put(out, SEGMENT_MAGIC, 8);
	put(out + 8, JOURNAL_FORMAT_VERSION, 4);
	put(out + 12, head->flags, 4);
	put(out + 16, head->number, 8);
	put(out + 24, head->first_seq, 8);
	put(out + 32, head->size, 8);
	put(out + 40, (uint64_t)head->time_ms, 8);
	put(out + 48, head->epoch, 4);
	memcpy(out + 56, head->chain.bytes, DIGEST_SIZE);
	memcpy(out + 88, head->id, JOURNAL_ID_SIZE);
	put(out + SEGMENT_CHECKSUM_AT, digest_crc32c(0, slice_of(out, SEGMENT_CHECKSUM_AT)), 4);
}

enum rc journal_segment_head_decode(struct slice bytes, struct journal_segment_head *out)
{
	const uint8_t *from = bytes.ptr;

	if (bytes.len < JOURNAL_SEGMENT_HEAD_USED)
		return RC_AGAIN;
	if (take(from, 8) != SEGMENT_MAGIC)
		return RC_CORRUPT;
	if (take(from + SEGMENT_CHECKSUM_AT, 4) != digest_crc32c(0, slice_take(bytes, SEGMENT_CHECKSUM_AT)))
		return RC_CORRUPT;
	if (take(from + 8, 4) != JOURNAL_FORMAT_VERSION || take(from + 12, 4) > JOURNAL_SEGMENT_FLAG_COMPACTED)
		return RC_UNSUPPORTED;

	struct journal_segment_head head = {
		.flags = (uint32_t)take(from + 12, 4),
		.number = take(from + 16, 8),
		.first_seq = take(from + 24, 8),
		.size = take(from + 32, 8),
		.time_ms = (int64_t)take(from + 40, 8),
		.epoch = (uint32_t)take(from + 48, 4),
	};
	memcpy(head.chain.bytes, from + 56, DIGEST_SIZE);
	memcpy(head.id, from + 88, JOURNAL_ID_SIZE);
	if (head.number == 0 || head.first_seq == 0 || head.size < JOURNAL_SEGMENT_HEAD_SIZE || head.size > INT64_MAX)
		return RC_CORRUPT;
	*out = head;
	return RC_OK;
}

static void position_put(struct buf *out, const struct journal_position *position)
{
	cursor_put_u64(out, position->segment);
	cursor_put_u64(out, position->offset);
	cursor_put_u64(out, position->seq);
}

static struct journal_position position_take(struct cursor *cursor)
{
	struct journal_position position = { .segment = cursor_u64(cursor) };

	position.offset = cursor_u64(cursor);
	position.seq = cursor_u64(cursor);
	if (position.segment == 0 || position.seq == 0 || position.offset < JOURNAL_SEGMENT_HEAD_SIZE ||
	    position.offset > INT64_MAX || position.offset % JOURNAL_ALIGN != 0)
		cursor->failed = true;
	return position;
}

void journal_mark_put(struct buf *out, const struct journal_mark *mark)
{
	position_put(out, &mark->position);
	cursor_put_u32(out, mark->epoch);
	cursor_put_u32(out, 0);
	buf_put(out, slice_of(mark->chain.bytes, DIGEST_SIZE));
}

struct journal_mark journal_mark_take(struct cursor *cursor)
{
	struct journal_mark mark = { .position = position_take(cursor) };

	mark.epoch = cursor_u32(cursor);
	if (cursor_u32(cursor) != 0)
		cursor->failed = true;
	const struct slice chain = cursor_bytes(cursor, DIGEST_SIZE);
	if (chain.len == DIGEST_SIZE)
		memcpy(mark.chain.bytes, chain.ptr, DIGEST_SIZE);
	return mark;
}

void journal_place_put(struct buf *out, const struct journal_place *place)
{
	position_put(out, &place->position);
	cursor_put_u32(out, place->bytes);
	cursor_put_u32(out, place->stored_bytes);
}

struct journal_place journal_place_take(struct cursor *cursor)
{
	struct journal_place place = { .position = position_take(cursor) };

	place.bytes = cursor_u32(cursor);
	place.stored_bytes = cursor_u32(cursor);
	if (place.bytes > JOURNAL_BODY_BYTES_MAX || place.stored_bytes > place.bytes)
		cursor->failed = true;
	return place;
}
