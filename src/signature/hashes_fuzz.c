/* Any bytes as a list of digests: what is read is found again. */
#include "base/must.h"
#include "signature/hashes.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hashes *hashes;
	struct digest  digest = { { 0 } };
	struct slice   name;
	size_t         line;

	if (hashes_read((struct slice){ data, size }, &hashes, &line) != RC_OK)
		return 0;
	must(hashes_count(hashes) <= size / 64);
	if (size >= DIGEST_SIZE)
		memcpy(digest.bytes, data, DIGEST_SIZE);
	if (hashes_find(hashes, &digest, &name))
		must(name.len <= HASHES_NAME_MAX);
	hashes_drop(&hashes);
	return 0;
}
