/* The names of roles, and frames that carry listeners. */
#include "sys/role.h"

#include "base/must.h"

const char *role_word(enum role role)
{
	static const char *const words[] = {
		[ROLE_SUPERVISOR] = "supervisor",
		[ROLE_GATE] = "gate",
		[ROLE_RECORDS] = "records",
		[ROLE_SCAN] = "scan",
	};

	must(role < ROLE_COUNT);
	return words[role];
}

void role_listeners_put(const struct role_listener *listeners, size_t count, struct buf *out)
{
	must(count <= ROLE_LISTENERS_MAX);
	cursor_put_u16(out, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		cursor_put_block(out, slice_str(listeners[i].name));
		cursor_put_block(out, slice_str(listeners[i].address));
	}
}

/* A text that becomes a C string: no NUL inside, room for its own. */
static void read_text(struct cursor *c, char out[ROLE_NAME_MAX])
{
	const struct slice text = cursor_block(c, ROLE_NAME_MAX - 1);

	if (slice_find(text, 0) != text.len)
		c->failed = true;
	if (!c->failed)
		(void)slice_to_cstr(text, out, ROLE_NAME_MAX);
}

void role_listeners_read(struct cursor *c, const int *fds, size_t fd_count, struct role_listener *out, size_t *ret_count)
{
	const size_t count = cursor_u16(c);

	if (count != fd_count || count > ROLE_LISTENERS_MAX)
		c->failed = true;
	for (size_t i = 0; i < count && !c->failed; i++) {
		read_text(c, out[i].name);
		read_text(c, out[i].address);
		out[i].fd = fds[i];
	}
	*ret_count = c->failed ? 0 : count;
}
