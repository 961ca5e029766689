/* The attach frame, and the wrapping of a request with its message. */
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

enum rc scan_parcel_put(const struct scan_request *request, struct buf *out)
{
	const size_t head = out->len;

	cursor_put_u32(out, 0);
	const enum rc rc = scan_request_encode(request, out);
	if (rc != RC_OK || out->failed)
		return rc;
	const size_t size = out->len - head - SCAN_PARCEL_HEAD;
	for (size_t i = 0; i < SCAN_PARCEL_HEAD; i++)
		out->ptr[head + i] = (uint8_t)(size >> 8 * i);
	return RC_OK;
}

enum rc scan_parcel_read(struct slice parcel, size_t fd_count, struct slice *ret_request, struct slice *ret_message)
{
	struct cursor      c = cursor_on(parcel);
	const uint32_t     request_bytes = cursor_u32(&c);
	const struct slice request = cursor_bytes(&c, request_bytes);

	if (c.failed || fd_count > 1 || (fd_count == 1 && !cursor_ended(&c)))
		return RC_SYNTAX;
	*ret_request = request;
	*ret_message = slice_drop(parcel, SCAN_PARCEL_HEAD + request.len);
	return RC_OK;
}
