/* The frames of records/wire.h. */
#include "records/wire.h"

#include "base/cursor.h"

void records_durable_put(struct buf *out, const struct journal_mark *mark)
{
	cursor_put_u8(out, RECORDS_WIRE_VERSION);
	journal_mark_put(out, mark);
}

enum rc records_durable_read(struct slice frame, struct journal_mark *out)
{
	struct cursor c = cursor_on(frame);
	const uint8_t version = cursor_u8(&c);

	if (c.failed)
		return RC_SYNTAX;
	if (version != RECORDS_WIRE_VERSION)
		return RC_UNSUPPORTED;
	const struct journal_mark mark = journal_mark_take(&c);
	if (!cursor_ended(&c))
		return RC_SYNTAX;
	*out = mark;
	return RC_OK;
}
