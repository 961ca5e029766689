/* zlib: inflating. */
#include "document/inflate.h"

#include <zlib.h>

#define PIECE 65536u

/* One attempt with that window; RC_SYNTAX: nothing came out. */
static enum rc attempt(struct slice bytes, int window, struct budget *budget, struct buf *out, bool *damaged)
{
	z_stream     stream = { .zalloc = Z_NULL };
	const size_t before = out->len;
	enum rc      rc = RC_OK;
	int          state = Z_OK;

	if (bytes.len > UINT32_MAX)
		return RC_LIMIT;
	if (inflateInit2(&stream, window) != Z_OK)
		return RC_NOMEM;
	stream.next_in = (z_const Bytef *)(uintptr_t)bytes.ptr;
	stream.avail_in = (uInt)bytes.len;
	while (state == Z_OK && rc == RC_OK) {
		const size_t left = out->max - out->len, size = left < PIECE ? left : PIECE;
		uint8_t     *room = size == 0 ? NULL : buf_reserve(out, size);
		if (room == NULL) {
			rc = size == 0 ? RC_LIMIT : RC_NOMEM;
			break;
		}
		stream.next_out = room;
		stream.avail_out = (uInt)size;
		state = inflate(&stream, Z_NO_FLUSH);
		const size_t came = size - stream.avail_out;
		buf_grew(out, came);
		if (!budget_take(budget, BUDGET_BYTES, came) || !budget_take(budget, BUDGET_STEPS, came + 64))
			rc = RC_LIMIT;
		if (state == Z_OK && came == 0)
			state = Z_BUF_ERROR;
	}
	(void)inflateEnd(&stream);
	if (rc == RC_OK && out->len == before && state != Z_STREAM_END)
		return RC_SYNTAX;
	*damaged = state != Z_STREAM_END;
	return rc;
}

enum rc inflate_all(struct slice bytes, struct budget *budget, struct buf *out, bool *damaged)
{
	bool    broken = false;
	enum rc rc = attempt(bytes, MAX_WBITS, budget, out, &broken);

	if (rc == RC_SYNTAX) /* the head is damaged or missing */
		rc = attempt(slice_drop(bytes, 2), -MAX_WBITS, budget, out, &broken);
	if (rc == RC_SYNTAX)
		rc = attempt(bytes, -MAX_WBITS, budget, out, &broken);
	if (damaged != NULL)
		*damaged = broken || rc == RC_SYNTAX;
	return rc == RC_SYNTAX ? RC_OK : rc;
}
