/* Lists of punched bodies. */
#include "journal/holes.h"

#include "base/cursor.h"
#include "base/memory.h"

#define HOLES_MAGIC   0x0a316c6f684a6748u /* "HgJhol1\n" */
#define HEAD_SIZE     40u
#define CHECKSUM_SIZE 4u

static enum rc read_whole(struct journal_disk *disk, const char *name, struct buf *out)
{
	struct journal_file *file;
	uint64_t             size;
	size_t               got;

	enum rc rc = disk->calls->open(disk, name, JOURNAL_OPEN_READ, &file);
	if (rc != RC_OK)
		return rc;
	rc = disk->calls->size(disk, file, &size);
	if (rc == RC_OK && (size < HEAD_SIZE + CHECKSUM_SIZE || size > JOURNAL_HOLES_MAX))
		rc = RC_CORRUPT;
	uint8_t *to = rc == RC_OK ? buf_reserve(out, (size_t)size) : NULL;
	if (rc == RC_OK && to == NULL)
		rc = RC_NOMEM;
	if (rc == RC_OK)
		rc = disk->calls->read(disk, file, 0, to, (size_t)size, &got);
	if (rc == RC_OK)
		buf_grew(out, got);
	disk->calls->close(disk, file);
	return rc;
}

static enum rc decode(struct slice bytes, const uint8_t id[JOURNAL_ID_SIZE], struct journal_numbers *out)
{
	struct cursor cursor = cursor_on(bytes);

	if (bytes.len < HEAD_SIZE + CHECKSUM_SIZE)
		return RC_CORRUPT;
	struct cursor end = cursor_on(slice_drop(bytes, bytes.len - CHECKSUM_SIZE));
	if (cursor_u32(&end) != digest_crc32c(0, slice_take(bytes, bytes.len - CHECKSUM_SIZE)) ||
	    cursor_u64(&cursor) != HOLES_MAGIC)
		return RC_CORRUPT;
	if (cursor_u32(&cursor) != JOURNAL_FORMAT_VERSION || cursor_u32(&cursor) != 0)
		return RC_UNSUPPORTED;
	if (!slice_eq(cursor_bytes(&cursor, JOURNAL_ID_SIZE), slice_of(id, JOURNAL_ID_SIZE)))
		return RC_CORRUPT;
	const uint64_t count = cursor_u64(&cursor);
	if (count == 0 || count != (bytes.len - HEAD_SIZE - CHECKSUM_SIZE) / 8)
		return RC_CORRUPT;
	out->items = memory_take((size_t)count, sizeof *out->items);
	if (out->items == NULL)
		return RC_NOMEM;
	out->count = out->room = (size_t)count;
	for (size_t i = 0; i < out->count; i++)
		out->items[i] = cursor_u64(&cursor);
	return RC_OK;
}

enum rc journal_holes_load(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE], uint64_t segment,
                           struct journal_numbers *out)
{
	const struct journal_file_name name = journal_name(JOURNAL_NAME_HOLES, segment);
	struct buf                     bytes = buf_make(JOURNAL_HOLES_MAX);

	*out = (struct journal_numbers){ .items = NULL };
	enum rc rc = read_whole(disk, name.text, &bytes);
	if (rc == RC_OK)
		rc = decode(buf_slice(&bytes), id, out);
	buf_done(&bytes);
	return rc;
}

enum rc journal_holes_write(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE], uint64_t segment,
                            const struct journal_numbers *offsets)
{
	const struct journal_file_name aside = journal_name(JOURNAL_NAME_HOLES_NEW, segment);
	const struct journal_file_name name = journal_name(JOURNAL_NAME_HOLES, segment);
	struct buf                     bytes = buf_make(JOURNAL_HOLES_MAX);
	struct journal_file           *file;

	cursor_put_u64(&bytes, HOLES_MAGIC);
	cursor_put_u32(&bytes, JOURNAL_FORMAT_VERSION);
	cursor_put_u32(&bytes, 0);
	buf_put(&bytes, slice_of(id, JOURNAL_ID_SIZE));
	cursor_put_u64(&bytes, offsets->count);
	for (size_t i = 0; i < offsets->count; i++)
		cursor_put_u64(&bytes, offsets->items[i]);
	cursor_put_u32(&bytes, digest_crc32c(0, buf_slice(&bytes)));

	enum rc rc = bytes.failed ? RC_NOMEM : disk->calls->open(disk, aside.text, JOURNAL_OPEN_CREATE, &file);
	if (rc == RC_EXISTS && disk->calls->remove(disk, aside.text) == RC_OK)
		rc = disk->calls->open(disk, aside.text, JOURNAL_OPEN_CREATE, &file);
	if (rc == RC_OK) {
		const struct slice piece = buf_slice(&bytes);
		rc = disk->calls->write(disk, file, 0, &piece, 1);
		if (rc == RC_OK)
			rc = disk->calls->sync(disk, file);
		disk->calls->close(disk, file);
		if (rc == RC_OK)
			rc = disk->calls->rename(disk, aside.text, name.text);
		if (rc == RC_OK)
			rc = disk->calls->sync_folder(disk);
	}
	buf_done(&bytes);
	return rc;
}

bool journal_holes_have(const struct journal_numbers *offsets, uint64_t offset)
{
	size_t low = 0, high = offsets->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (offsets->items[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < offsets->count && offsets->items[low] == offset;
}
