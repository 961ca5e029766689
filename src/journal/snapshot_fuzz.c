/* Snapshots: the first byte's bit 0 makes checksum and digest right, so that the fields behind them are reached. */
#include "journal/snapshot.h"

#include "base/memory.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *bytes, size_t size)
{
	struct digest digest;

	if (size < JOURNAL_SNAPSHOT_HEAD_SIZE)
		return;
	const struct slice blob = slice_of(bytes + JOURNAL_SNAPSHOT_HEAD_SIZE, size - JOURNAL_SNAPSHOT_HEAD_SIZE);
	memcpy(bytes, "HgJsnp1\n\1\0\0\0\0\0\0\0", 16);
	for (unsigned i = 0; i < 8; i++)
		bytes[96 + i] = (uint8_t)((uint64_t)blob.len >> (8 * i));
	digest_of(&blob, 1, &digest);
	memcpy(bytes + 104, digest.bytes, DIGEST_SIZE);
	memset(bytes + 136, 0, 4);
	const uint32_t crc = digest_crc32c(0, slice_of(bytes, 140));
	for (unsigned i = 0; i < 4; i++)
		bytes[140 + i] = (uint8_t)(crc >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_mark mark;
	struct slice        blob;

	must(digest_ready() == RC_OK);
	if (size < 2)
		return 0;
	uint8_t *bytes = memory_take(1, size - 1);
	must(bytes != NULL);
	memcpy(bytes, data + 1, size - 1);
	if ((data[0] & 1) != 0)
		mend(bytes, size - 1);
	if (journal_snapshot_decode(slice_of(bytes, size - 1), NULL, &mark, &blob) == RC_OK) {
		must(blob.len <= size - 1 - JOURNAL_SNAPSHOT_HEAD_SIZE);
		must(mark.position.segment != 0 && mark.position.seq != 0);
	}
	memory_give(bytes);
	return 0;
}
