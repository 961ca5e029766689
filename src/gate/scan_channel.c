/* The attach frame. */
#include "gate/scan_channel.h"

#include "base/cursor.h"

static const struct slice magic = SLICE_INIT("HgA1");

void scan_attach_put(struct buf *out, size_t channel_count)
{
	buf_put(out, magic);
	cursor_put_u8(out, (uint8_t)channel_count);
}

enum rc scan_attach_read(struct slice frame, size_t fd_count, size_t *ret_channel_count)
{
	struct cursor c = cursor_on(frame);

	if (!slice_eq(cursor_bytes(&c, magic.len), magic))
		return RC_SYNTAX;
	const size_t count = cursor_u8(&c);
	if (!cursor_ended(&c) || count == 0 || count > SCAN_CHANNELS_MAX || count + 1 != fd_count)
		return RC_SYNTAX;
	*ret_channel_count = count;
	return RC_OK;
}
