/* The adapter to zlib, whose memory is ours (base/memory.h). */
#include "content/inflate.h"

#include "base/memory.h"
#include "base/must.h"
#include "content/inflate64.h"

#define ZLIB_CONST
#include <zlib.h>

#define CHUNK_MIN ((size_t)4 << 10)
#define CHUNK_MAX ((size_t)256 << 10)
#define PIECE_MAX ((size_t)1 << 30) /* zlib counts input in unsigned int */
#define STOPPED   100               /* beside zlib's own answers: the meter or the buf stopped it */

static voidpf take(voidpf opaque, uInt count, uInt size)
{
	(void)opaque;
	return memory_take(count, size);
}

static void give(voidpf opaque, voidpf ptr)
{
	(void)opaque;
	memory_give(ptr);
}

/* No room: one byte beside the buf tells whether there is more to come. */
static int probe(z_stream *stream)
{
	uint8_t beside;

	stream->next_out = &beside;
	stream->avail_out = 1;
	const int answer = inflate(stream, Z_NO_FLUSH);
	return stream->avail_out == 0 ? STOPPED : answer;
}

/* One piece of output. Z_OK: go on. */
static int step(z_stream *stream, struct meter *meter, struct buf *out)
{
	size_t wanted = out->len < CHUNK_MIN ? CHUNK_MIN : out->len > CHUNK_MAX ? CHUNK_MAX : out->len;

	if (wanted > out->max - out->len)
		wanted = out->max - out->len;
	const size_t room = wanted == 0 ? 0 : meter_room(meter, wanted);
	if (room == 0)
		return probe(stream);
	uint8_t *place = buf_reserve(out, room);
	if (place == NULL)
		return Z_MEM_ERROR;
	stream->next_out = place;
	stream->avail_out = (uInt)room;
	const int    answer = inflate(stream, Z_NO_FLUSH);
	const size_t came = room - stream->avail_out;
	buf_grew(out, came);
	meter_came(meter, came);
	return answer;
}

enum rc inflate_take(enum inflate_form form, struct slice bytes, struct meter *meter, struct buf *out, size_t *used)
{
	static const int windows[] = { [INFLATE_RAW] = -MAX_WBITS, [INFLATE_ZLIB] = MAX_WBITS, [INFLATE_GZIP] = MAX_WBITS + 16 };
	z_stream         stream = { .zalloc = take, .zfree = give };
	int              answer = Z_OK;

	if (form == INFLATE_64)
		return inflate64_take(bytes, meter, out, used);
	must(form <= INFLATE_GZIP);
	if (inflateInit2(&stream, windows[form]) != Z_OK)
		return RC_NOMEM;
	const struct slice piece = slice_take(bytes, PIECE_MAX);
	stream.next_in = piece.ptr;
	stream.avail_in = (uInt)piece.len;
	while (answer == Z_OK)
		answer = step(&stream, meter, out);
	if (used != NULL)
		*used = piece.len - stream.avail_in;
	(void)inflateEnd(&stream);
	if (answer == Z_STREAM_END)
		return RC_OK;
	if (answer == STOPPED)
		return RC_LIMIT;
	return answer == Z_MEM_ERROR ? RC_NOMEM : RC_CORRUPT;
}

uint32_t inflate_crc32(uint32_t crc, struct slice bytes)
{
	return bytes.len == 0 ? crc : (uint32_t)crc32_z(crc, bytes.ptr, bytes.len);
}
