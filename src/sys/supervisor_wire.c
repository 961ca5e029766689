/* What `hangu` and the supervisor say to one another, as frames. Layout: u8 version, u8 word, then the fields of the word. */
#include "sys/supervisor_wire.h"

#include "base/cursor.h"
#include "base/must.h"
#include "sys/ipc.h"

static bool is_known(unsigned word)
{
	return word >= SUPERVISOR_ASK_STATUS && word < SUPERVISOR_WORD_END;
}

void supervisor_wire_put(const struct supervisor_message *message, struct buf *out)
{
	must(is_known(message->word));
	cursor_put_u8(out, SUPERVISOR_WIRE_VERSION);
	cursor_put_u8(out, (uint8_t)message->word);
	if (message->word == SUPERVISOR_SAYS_LINE)
		cursor_put_block(out, slice_take(message->text, SUPERVISOR_WIRE_LINE_MAX));
	if (message->word == SUPERVISOR_SAYS_DONE)
		cursor_put_u8(out, (uint8_t)message->rc);
	if (message->word == SUPERVISOR_SAYS_LISTENERS)
		role_listeners_put(message->listeners, message->listener_count, out);
}

enum rc supervisor_wire_read(struct slice bytes, const int *fds, size_t fd_count, struct supervisor_message *out)
{
	struct cursor             c = cursor_on(bytes);
	struct supervisor_message message = { .rc = RC_OK };

	if (cursor_u8(&c) != SUPERVISOR_WIRE_VERSION)
		return c.failed ? RC_SYNTAX : RC_UNSUPPORTED;
	const unsigned word = cursor_u8(&c);
	if (c.failed || !is_known(word))
		return RC_SYNTAX;
	message.word = (enum supervisor_word)word;
	if (message.word == SUPERVISOR_SAYS_LINE)
		message.text = cursor_block(&c, SUPERVISOR_WIRE_LINE_MAX);
	if (message.word == SUPERVISOR_SAYS_DONE) {
		const unsigned rc = cursor_u8(&c);
		if (rc >= RC_COUNT)
			return RC_SYNTAX;
		message.rc = (enum rc)rc;
	}
	if (message.word == SUPERVISOR_SAYS_LISTENERS)
		role_listeners_read(&c, fds, fd_count, message.listeners, &message.listener_count);
	else if (fd_count != 0)
		return RC_SYNTAX;
	if (!cursor_ended(&c))
		return RC_SYNTAX;
	*out = message;
	return RC_OK;
}

enum rc supervisor_wire_send(int socket, const struct supervisor_message *message)
{
	struct buf frame = buf_make(SUPERVISOR_WIRE_MAX);
	int        fds[ROLE_LISTENERS_MAX];
	size_t     count = 0;
	enum rc    rc = RC_NOMEM;

	if (message->word == SUPERVISOR_SAYS_LISTENERS) {
		for (size_t i = 0; i < message->listener_count; i++)
			fds[count++] = message->listeners[i].fd;
	}
	supervisor_wire_put(message, &frame);
	if (!frame.failed)
		rc = ipc_send(socket, buf_slice(&frame), fds, count);
	buf_done(&frame);
	return rc;
}

enum rc supervisor_wire_receive(int socket, uint8_t room[SUPERVISOR_WIRE_MAX], struct supervisor_message *out)
{
	struct ipc_frame frame;
	enum rc          rc = ipc_receive(socket, room, SUPERVISOR_WIRE_MAX, ROLE_LISTENERS_MAX, &frame);

	if (rc != RC_OK)
		return rc;
	rc = supervisor_wire_read(frame.bytes, frame.fds, frame.fd_count, out);
	if (rc != RC_OK)
		ipc_frame_close(&frame);
	return rc;
}
