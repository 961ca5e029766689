/*
 * Requests as a scanner reads them, and the whole answer to them: the first two bytes say how long the frame is, the
 * rest is the message.
 */
#include "base/digest.h"
#include "base/must.h"
#include "scan/serve.h"
#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t     memory[SCAN_ARENA_BYTES];
	struct scan_server server = { .known = false };
	struct arena       arena = arena_on(memory, sizeof memory);
	struct buf         out = buf_make(SCAN_FRAME_MAX);

	if (size < 2 || digest_ready() != RC_OK || charset_ready() != RC_OK)
		return 0;
	const struct slice bytes = slice_of(data + 2, size - 2);
	const struct slice frame = slice_take(bytes, (size_t)data[0] | (size_t)data[1] << 8);
	scan_serve_one(&server, frame, slice_drop(bytes, frame.len), &arena, &out);
	must(!out.failed && out.len != 0);
	buf_done(&out);
	return 0;
}
