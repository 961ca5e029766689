/* Snapshots: written aside, checked when read, passed over when anything is wrong. */
#include "journal/snapshot.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "base/must.h"
#include "journal/segment.h"

#define SNAPSHOT_MAGIC 0x0a31706e734a6748u /* "HgJsnp1\n" */
#define CHECKSUM_AT    140u

static void encode_head(struct buf *out, const uint8_t id[JOURNAL_ID_SIZE], const struct journal_mark *mark,
                        struct slice blob)
{
	struct digest digest;

	digest_of(&blob, 1, &digest);
	cursor_put_u64(out, SNAPSHOT_MAGIC);
	cursor_put_u32(out, JOURNAL_FORMAT_VERSION);
	cursor_put_u32(out, 0);
	buf_put(out, slice_of(id, JOURNAL_ID_SIZE));
	journal_mark_put(out, mark);
	cursor_put_u64(out, blob.len);
	buf_put(out, slice_of(digest.bytes, DIGEST_SIZE));
	cursor_put_u32(out, 0);
	cursor_put_u32(out, digest_crc32c(0, buf_slice(out)));
}

enum rc journal_snapshot_decode(struct slice bytes, const uint8_t id[JOURNAL_ID_SIZE], struct journal_mark *mark,
                                struct slice *blob)
{
	struct cursor cursor = cursor_on(bytes);

	if (bytes.len < JOURNAL_SNAPSHOT_HEAD_SIZE)
		return RC_AGAIN;
	const uint64_t     magic = cursor_u64(&cursor);
	const uint32_t     version = cursor_u32(&cursor);
	const uint32_t     zero = cursor_u32(&cursor);
	const struct slice owner = cursor_bytes(&cursor, JOURNAL_ID_SIZE);
	struct cursor      mark_cursor = cursor_on(cursor_bytes(&cursor, 64));
	const uint64_t     size = cursor_u64(&cursor);
	const struct slice digest = cursor_bytes(&cursor, DIGEST_SIZE);
	const uint32_t     zero_too = cursor_u32(&cursor);
	const uint32_t     checksum = cursor_u32(&cursor);

	if (magic != SNAPSHOT_MAGIC || checksum != digest_crc32c(0, slice_take(bytes, CHECKSUM_AT)))
		return RC_CORRUPT;
	if (version != JOURNAL_FORMAT_VERSION || zero != 0 || zero_too != 0)
		return RC_UNSUPPORTED;
	if (id != NULL && !slice_eq(owner, slice_of(id, JOURNAL_ID_SIZE)))
		return RC_CORRUPT;
	const struct journal_mark found = journal_mark_take(&mark_cursor);
	if (mark_cursor.failed || size > JOURNAL_SNAPSHOT_BYTES_MAX)
		return RC_CORRUPT;
	if (cursor.rest.len < size)
		return RC_AGAIN;
	if (cursor.rest.len > size)
		return RC_CORRUPT;
	struct digest      actual;
	const struct slice rest = cursor.rest;
	digest_of(&rest, 1, &actual);
	if (memcmp(actual.bytes, digest.ptr, DIGEST_SIZE) != 0)
		return RC_CORRUPT;
	*mark = found;
	*blob = rest;
	return RC_OK;
}

static void remove_old(struct journal_disk *disk, uint64_t newest)
{
	struct journal_numbers numbers;
	size_t                 kept = 0;

	if (journal_numbers_list(disk, JOURNAL_NAME_SNAPSHOT, &numbers) == RC_OK) {
		for (size_t i = numbers.count; i != 0; i--) {
			/* One that is ahead of the newest comes from a history that was cut off: never read again. */
			if (numbers.items[i - 1] <= newest && kept++ < JOURNAL_SNAPSHOTS_KEPT)
				continue;
			const struct journal_file_name name = journal_name(JOURNAL_NAME_SNAPSHOT, numbers.items[i - 1]);
			/* One that stays is one more to choose from. */
			(void)(disk->calls->remove(disk, name.text) == RC_OK);
		}
	}
	journal_numbers_done(&numbers);
}

enum rc journal_snapshot_write(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE],
                               const struct journal_mark *mark, struct slice blob, struct fault *fault)
{
	const struct journal_file_name aside = journal_name(JOURNAL_NAME_SNAPSHOT_NEW, mark->position.seq);
	const struct journal_file_name name = journal_name(JOURNAL_NAME_SNAPSHOT, mark->position.seq);
	struct buf                     head = buf_make(JOURNAL_SNAPSHOT_HEAD_SIZE);
	struct journal_file           *file = NULL;

	must(blob.len <= JOURNAL_SNAPSHOT_BYTES_MAX);
	encode_head(&head, id, mark, blob);
	enum rc rc = head.failed ? RC_NOMEM : disk->calls->open(disk, aside.text, JOURNAL_OPEN_CREATE, &file);
	if (rc == RC_EXISTS && disk->calls->remove(disk, aside.text) == RC_OK)
		rc = disk->calls->open(disk, aside.text, JOURNAL_OPEN_CREATE, &file);
	if (rc == RC_OK) {
		const struct slice pieces[] = { buf_slice(&head), blob };
		rc = disk->calls->write(disk, file, 0, pieces, 2);
		if (rc == RC_OK)
			rc = disk->calls->sync(disk, file);
		disk->calls->close(disk, file);
		if (rc == RC_OK)
			rc = disk->calls->rename(disk, aside.text, name.text);
		if (rc == RC_OK)
			rc = disk->calls->sync_folder(disk);
		if (rc != RC_OK)
			(void)(disk->calls->remove(disk, aside.text) == RC_OK);
	}
	buf_done(&head);
	if (rc != RC_OK)
		return fault_set(fault, rc == RC_EXISTS ? RC_IO : rc, "writing a snapshot", 0,
		                 (int64_t)mark->position.seq);
	remove_old(disk, mark->position.seq);
	return RC_OK;
}

/* The whole file into `out`. */
static enum rc read_file(struct journal_disk *disk, uint64_t number, struct buf *out)
{
	const struct journal_file_name name = journal_name(JOURNAL_NAME_SNAPSHOT, number);
	struct journal_file           *file;
	uint64_t                       size;
	size_t                         got = 0;

	enum rc rc = disk->calls->open(disk, name.text, JOURNAL_OPEN_READ, &file);
	if (rc != RC_OK)
		return rc;
	rc = disk->calls->size(disk, file, &size);
	if (rc == RC_OK && size > JOURNAL_SNAPSHOT_HEAD_SIZE + (uint64_t)JOURNAL_SNAPSHOT_BYTES_MAX)
		rc = RC_CORRUPT;
	if (rc == RC_OK && size != 0) {
		*out = buf_make((size_t)size);
		uint8_t *to = buf_reserve(out, (size_t)size);
		rc = to == NULL ? RC_NOMEM : disk->calls->read(disk, file, 0, to, (size_t)size, &got);
		if (rc == RC_OK)
			buf_grew(out, got);
	}
	disk->calls->close(disk, file);
	return rc;
}

enum rc journal_snapshot_load(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE], uint64_t before,
                              struct buf *out, struct journal_mark *mark, struct slice *blob, uint32_t *bad)
{
	struct journal_numbers numbers;
	enum rc                rc = journal_numbers_list(disk, JOURNAL_NAME_SNAPSHOT, &numbers);

	if (rc == RC_OK)
		rc = RC_NOTFOUND;
	for (size_t i = numbers.count; rc == RC_NOTFOUND && i != 0; i--) {
		const uint64_t number = numbers.items[i - 1];
		struct buf     file = buf_make(0);
		if (before != 0 && number >= before)
			continue;
		enum rc one = read_file(disk, number, &file);
		if (one == RC_OK)
			one = journal_snapshot_decode(buf_slice(&file), id, mark, blob);
		if (one == RC_OK && mark->position.seq != number)
			one = RC_CORRUPT;
		if (one == RC_OK) {
			*out = file;
			rc = RC_OK;
			break;
		}
		buf_done(&file);
		if (one == RC_NOMEM)
			rc = RC_NOMEM;
		else if (bad != NULL)
			++*bad;
	}
	journal_numbers_done(&numbers);
	return rc;
}
