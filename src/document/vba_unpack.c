/* The compression of Visual Basic sources: chunks of 4096 bytes, each with copies from itself only. */
#include "document/vba.h"

#include "document/ole_bytes.h"

#define CHUNK_BYTES 4096u

/* [MS-OVBA] section 2.4.1.3.19.1: how many bits of a copy token say how far back, for a chunk of `done` bytes. */
static unsigned offset_bits(size_t done)
{
	unsigned bits = 4;

	while ((size_t)1 << bits < done && bits < 12)
		bits++;
	return bits;
}

/* One copy from what this chunk has given so far; false when it points before the chunk. */
static bool copy(unsigned token, size_t start, struct buf *out)
{
	const size_t   done = out->len - start;
	const unsigned bits = offset_bits(done);
	const size_t   back = (size_t)(token >> (16 - bits)) + 1;
	const size_t   count = (size_t)(token & (0xffffu >> bits)) + 3;

	if (back > done)
		return false;
	for (size_t i = 0; i < count && out->len - start < CHUNK_BYTES && !out->failed; i++)
		buf_put_byte(out, out->ptr[out->len - back]);
	return true;
}

static bool chunk(struct slice data, struct buf *out)
{
	const size_t start = out->len;
	size_t       at = 0;

	while (at < data.len) {
		const unsigned flags = data.ptr[at++];
		for (unsigned bit = 0; bit < 8 && at < data.len; bit++) {
			if (out->len - start >= CHUNK_BYTES)
				return true;
			if ((flags >> bit & 1) == 0) {
				buf_put_byte(out, data.ptr[at++]);
				continue;
			}
			if (at + 2 > data.len || !copy(bytes_u16(data, at), start, out))
				return false;
			at += 2;
		}
	}
	return true;
}

enum rc vba_unpack(struct slice packed, struct budget *budget, struct buf *out, bool *damaged)
{
	if (packed.len < 3 || packed.ptr[0] != 1 || (bytes_u16(packed, 1) >> 12 & 7) != 3)
		return RC_SYNTAX;
	struct slice rest = slice_drop(packed, 1);
	while (rest.len >= 2) {
		const unsigned header = bytes_u16(rest, 0);
		const size_t   size = (header & 0xfff) + 1;
		if ((header >> 12 & 7) != 3)
			return RC_OK;
		const struct slice data = slice_cut(rest, 2, size);
		if (!budget_take(budget, BUDGET_STEPS, CHUNK_BYTES) || !budget_take(budget, BUDGET_BYTES, CHUNK_BYTES))
			return RC_LIMIT;
		if (data.len < size)
			*damaged = true;
		if ((header & 0x8000) == 0)
			buf_put(out, slice_take(data, CHUNK_BYTES));
		else if (!chunk(data, out))
			*damaged = true;
		if (out->failed)
			return RC_LIMIT;
		rest = slice_drop(rest, 2 + size);
	}
	return RC_OK;
}
