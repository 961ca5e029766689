/* content/inflate.h with what documents forgive. */
#include "document/inflate.h"

#include "content/inflate.h"

enum rc inflate_all(struct slice bytes, struct budget *budget, struct buf *out, bool *damaged)
{
	const size_t start = out->len;
	enum rc      rc = RC_CORRUPT;

	/* As it should be; with a head that is damaged; without one. */
	for (unsigned way = 0; way < 3 && rc == RC_CORRUPT && out->len == start; way++) {
		struct meter meter = meter_make(budget, bytes.len, 1);
		rc = inflate_take(way == 0 ? INFLATE_ZLIB : INFLATE_RAW, way == 1 ? slice_drop(bytes, 2) : bytes, &meter, out, NULL);
	}
	if (damaged != NULL)
		*damaged = rc == RC_CORRUPT;
	return rc == RC_CORRUPT ? RC_OK : rc;
}
