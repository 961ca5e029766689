/* The supervisor's and the roles' words as frames. Layout: u8 version, u8 word, then the fields of the word. */
#include "sys/role_wire.h"

#include "base/cursor.h"
#include "base/must.h"

/* What a word carries besides itself. */
struct shape {
	bool known, generation, index, deadline, text, fd, listeners;
};

/* clang-format off */
static const struct shape shapes[ROLE_SAYS_END] = {
	[ROLE_SAYS_READY]    = { .known = true },
	[ROLE_SAYS_PREPARE]  = { .known = true, .generation = true, .fd = true, .listeners = true },
	[ROLE_SAYS_PREPARED] = { .known = true, .generation = true },
	[ROLE_SAYS_REFUSED]  = { .known = true, .generation = true, .text = true },
	[ROLE_SAYS_SWITCH]   = { .known = true, .generation = true },
	[ROLE_SAYS_SWITCHED] = { .known = true, .generation = true },
	[ROLE_SAYS_ABORT]    = { .known = true, .generation = true },
	[ROLE_SAYS_SCANNER]  = { .known = true, .index = true, .fd = true },
	[ROLE_SAYS_PEER]     = { .known = true, .fd = true },
	[ROLE_SAYS_DRAIN]    = { .known = true, .deadline = true },
	[ROLE_SAYS_DRAINED]  = { .known = true },
	[ROLE_SAYS_SICK]     = { .known = true, .text = true },
	[ROLE_SAYS_KILL]     = { .known = true, .index = true },
};
/* clang-format on */

void role_wire_put(const struct role_message *message, struct buf *out)
{
	must(message->word < ROLE_SAYS_END);
	const struct shape *shape = &shapes[message->word];
	must(shape->known);

	cursor_put_u8(out, ROLE_WIRE_VERSION);
	cursor_put_u8(out, (uint8_t)message->word);
	if (shape->generation)
		cursor_put_u64(out, message->generation);
	if (shape->index)
		cursor_put_u32(out, message->index);
	if (shape->deadline)
		cursor_put_u64(out, message->deadline_ms);
	if (shape->text)
		cursor_put_block(out, slice_take(message->text, ROLE_WIRE_TEXT_MAX));
	if (shape->listeners)
		role_listeners_put(message->listeners, message->listener_count, out);
}

enum rc role_wire_read(struct slice bytes, const int *fds, size_t fd_count, struct role_message *out)
{
	struct cursor       c = cursor_on(bytes);
	struct role_message message = { .fd = -1 };

	if (cursor_u8(&c) != ROLE_WIRE_VERSION)
		return c.failed ? RC_SYNTAX : RC_UNSUPPORTED;
	const unsigned word = cursor_u8(&c);
	if (c.failed || word >= ROLE_SAYS_END || !shapes[word].known)
		return RC_SYNTAX;
	const struct shape *shape = &shapes[word];
	message.word = (enum role_saying)word;
	if (shape->generation)
		message.generation = cursor_u64(&c);
	if (shape->index)
		message.index = cursor_u32(&c);
	if (shape->deadline)
		message.deadline_ms = cursor_u64(&c);
	if (shape->text)
		message.text = cursor_block(&c, ROLE_WIRE_TEXT_MAX);
	if (shape->fd && fd_count != 0)
		message.fd = fds[0];
	if (shape->fd && fd_count == 0)
		return RC_SYNTAX;
	const size_t own = shape->fd ? 1 : 0;
	if (shape->listeners)
		role_listeners_read(&c, fds + own, fd_count - own, message.listeners, &message.listener_count);
	else if (fd_count != own)
		return RC_SYNTAX;
	if (!cursor_ended(&c))
		return RC_SYNTAX;
	if (message.index >= ROLE_SCANNERS_MAX)
		return RC_LIMIT;
	*out = message;
	return RC_OK;
}

enum rc role_wire_send(int control, const struct role_message *message)
{
	struct buf frame = buf_make(ROLE_WIRE_MAX);
	int        fds[ROLE_LISTENERS_MAX + 1];
	size_t     count = 0;
	enum rc    rc = RC_NOMEM;

	if (shapes[message->word].fd)
		fds[count++] = message->fd;
	if (shapes[message->word].listeners) {
		for (size_t i = 0; i < message->listener_count; i++)
			fds[count++] = message->listeners[i].fd;
	}
	role_wire_put(message, &frame);
	if (!frame.failed)
		rc = ipc_send(control, buf_slice(&frame), fds, count);
	buf_done(&frame);
	return rc;
}

enum rc role_wire_receive(int control, uint8_t room[ROLE_WIRE_MAX], struct role_message *out)
{
	struct ipc_frame frame;
	enum rc          rc = ipc_receive(control, room, ROLE_WIRE_MAX, ROLE_LISTENERS_MAX + 1, &frame);

	if (rc != RC_OK)
		return rc;
	rc = role_wire_read(frame.bytes, frame.fds, frame.fd_count, out);
	if (rc != RC_OK)
		ipc_frame_close(&frame);
	return rc;
}

enum rc role_wire_say(int control, enum role_saying word, uint64_t generation)
{
	const struct role_message message = { .word = word, .generation = generation, .fd = -1 };

	must(!shapes[word].fd && !shapes[word].text);
	return role_wire_send(control, &message);
}

enum rc role_wire_explain(int control, enum role_saying word, uint64_t generation, struct slice text)
{
	const struct role_message message = { .word = word, .generation = generation, .text = text, .fd = -1 };

	must(shapes[word].text);
	return role_wire_send(control, &message);
}
