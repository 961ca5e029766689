/*
 * A segment, a list of holes and a reader with every check on. First byte of the input: bit 0 makes checksums, seq,
 * epoch and chain of the records right, so that what lies behind those checks is reached too; bit 1 the same for the
 * list of holes; bit 2 reads as a follower does. Then a u8 count of bytes for the list, the list, and the records.
 */
#include "journal/reader.h"

#include "base/must.h"
#include "journal/chain.h"
#include "journal/segment.h"

#include <stdlib.h>

#define IMAGE_MAX (128u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct journal_file {
	struct slice bytes;
};

struct memory_disk {
	struct journal_disk disk;
	struct slice        segment, holes;
};

static enum rc memory_open(struct journal_disk *disk, const char *name, enum journal_open how,
                           struct journal_file **out)
{
	struct memory_disk *me = (struct memory_disk *)(void *)disk;
	uint64_t            number;
	struct slice        bytes = { NULL, 0 };

	(void)how;
	switch (journal_name_read(name, &number)) {
	case JOURNAL_NAME_SEGMENT:
		bytes = number == 1 ? me->segment : bytes;
		break;
	case JOURNAL_NAME_HOLES:
		bytes = me->holes;
		break;
	case JOURNAL_NAME_SPARE:
	case JOURNAL_NAME_SNAPSHOT:
	case JOURNAL_NAME_SEGMENT_NEW:
	case JOURNAL_NAME_SPARE_NEW:
	case JOURNAL_NAME_SNAPSHOT_NEW:
	case JOURNAL_NAME_HOLES_NEW:
	case JOURNAL_NAME_DAMAGED:
	case JOURNAL_NAME_OTHER:
		break;
	}
	if (bytes.len == 0)
		return RC_NOTFOUND;
	*out = malloc(sizeof **out);
	must(*out != NULL);
	(*out)->bytes = bytes;
	return RC_OK;
}

static void memory_close(struct journal_disk *disk, struct journal_file *file)
{
	(void)disk;
	free(file);
}

static enum rc memory_size(struct journal_disk *disk, struct journal_file *file, uint64_t *out)
{
	(void)disk;
	*out = file->bytes.len;
	return RC_OK;
}

static enum rc memory_read(struct journal_disk *disk, struct journal_file *file, uint64_t offset, void *to, size_t size,
                           size_t *out)
{
	const struct slice part =
		slice_cut(file->bytes, offset < file->bytes.len ? (size_t)offset : file->bytes.len, size);

	(void)disk;
	if (part.len != 0)
		memcpy(to, part.ptr, part.len);
	*out = part.len;
	return RC_OK;
}

static enum rc memory_list(struct journal_disk *disk, enum rc (*each)(void *context, const char *name), void *context)
{
	(void)disk;
	return each(context, journal_name(JOURNAL_NAME_SEGMENT, 1).text);
}

static const struct journal_disk_calls calls = {
	.open = memory_open,
	.close = memory_close,
	.size = memory_size,
	.read = memory_read,
	.list = memory_list,
};

static void put_u32(uint8_t *to, uint32_t number)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(number >> (8 * i));
}

static uint32_t take_u32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* Make every record one that follows the one before, as far as its sizes allow. */
static void mend_records(uint8_t *image, size_t size, const struct journal_segment_head *segment)
{
	const uint32_t seed = journal_seed(segment->id, segment->number);
	struct digest  chain = segment->chain;
	uint32_t       seq = 1;

	for (size_t at = JOURNAL_SEGMENT_HEAD_SIZE; size - at >= JOURNAL_RECORD_HEAD_SIZE; seq++) {
		uint8_t     *head = image + at;
		const bool   body = (head[7] & JOURNAL_FLAG_BODY) != 0, dropped = (head[7] & JOURNAL_FLAG_DROPPED) != 0;
		const size_t rest = size - at - JOURNAL_RECORD_HEAD_SIZE;
		uint32_t     stored = take_u32(head + 36);
		if (stored > rest)
			stored = (uint32_t)rest;
		put_u32(head, JOURNAL_MAGIC);
		head[6] = JOURNAL_FORMAT_VERSION;
		put_u32(head + 8, seq);
		memset(head + 12, 0, 4);
		put_u32(head + 24, segment->epoch);
		put_u32(head + 36, stored);
		if (!body || (head[7] & JOURNAL_FLAG_COMPRESSED) == 0)
			put_u32(head + 32, stored);
		memset(head + 40, 0, 8);
		if (!body)
			memset(head + 48, 0, DIGEST_SIZE);
		memset(head + 112, 0, 4);
		const size_t       payload_size = dropped ? 0 : stored;
		const struct slice payload = slice_of(head + JOURNAL_RECORD_HEAD_SIZE, payload_size);
		put_u32(head + 28, digest_crc32c(0, payload));
		if (body && (head[7] & JOURNAL_FLAG_COMPRESSED) == 0) {
			struct digest digest;
			digest_of(&payload, 1, &digest);
			memcpy(head + 48, digest.bytes, DIGEST_SIZE);
		}
		journal_chain_next(&chain, head, &payload, 1, &chain);
		journal_head_finish(head, seed, &chain);
		at += (JOURNAL_RECORD_HEAD_SIZE + payload_size + 7) & ~(size_t)7;
		if (at > size)
			return;
	}
}

static void mend_holes(uint8_t *holes, size_t size, const struct journal_segment_head *segment)
{
	static const uint8_t start[16] = "HgJhol1\n\1\0\0\0\0\0\0";

	if (size < 52)
		return;
	memcpy(holes, start, sizeof start);
	memcpy(holes + 16, segment->id, JOURNAL_ID_SIZE);
	memset(holes + 36, 0, 4);
	put_u32(holes + 32, (uint32_t)((size - 44) / 8));
	put_u32(holes + size - 4, digest_crc32c(0, slice_of(holes, size - 4)));
}

static void read_all(struct memory_disk *disk, bool follow)
{
	const struct journal_position until = { 1, disk->segment.len, UINT64_MAX };
	const struct journal_record  *records;
	struct journal_reader        *reader;
	size_t                        count;
	uint64_t                      seq = 0;

	if (journal_reader_open(&disk->disk, NULL, JOURNAL_CHECK_ALL, NULL, &reader) != RC_OK)
		return;
	while (journal_reader_next(reader, follow ? &until : NULL, &records, &count, NULL) == RC_OK) {
		must(count != 0 && count <= JOURNAL_GROUP_RECORDS_MAX);
		for (size_t i = 0; i < count; i++) {
			must(records[i].place.position.seq == ++seq);
			must((records[i].flags & JOURNAL_FLAG_LAST) == (i + 1 == count ? JOURNAL_FLAG_LAST : 0));
			must(journal_record_is_body(&records[i]) || records[i].payload.len == records[i].place.bytes);
		}
	}
	journal_reader_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t              image[IMAGE_MAX], holes[256];
	struct journal_segment_head head = {
		.number = 1, .first_seq = 1, .size = IMAGE_MAX, .epoch = 1, .id = "fuzzed journal"
	};
	struct memory_disk disk = { .disk = { .calls = &calls } };

	must(digest_ready() == RC_OK);
	if (size < 2 || size > IMAGE_MAX - JOURNAL_SEGMENT_HEAD_SIZE || size - 2 < data[1])
		return 0;
	const uint8_t mode = data[0];
	const size_t  holes_size = data[1], records_size = size - 2 - holes_size;
	memcpy(holes, data + 2, holes_size);
	journal_segment_head_encode(&head, image);
	if (records_size != 0)
		memcpy(image + JOURNAL_SEGMENT_HEAD_SIZE, data + 2 + holes_size, records_size);
	if ((mode & 1) != 0)
		mend_records(image, JOURNAL_SEGMENT_HEAD_SIZE + records_size, &head);
	if ((mode & 2) != 0)
		mend_holes(holes, holes_size, &head);
	disk.segment = slice_of(image, JOURNAL_SEGMENT_HEAD_SIZE + records_size);
	disk.holes = slice_of(holes, holes_size);
	read_all(&disk, (mode & 4) != 0);
	return 0;
}
