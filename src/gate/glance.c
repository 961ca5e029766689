/* See glance.h: one pass over the lines of a header. */
#include "gate/glance.h"

#include "mail/address.h"

/* Behind the line end of the line at `at`. */
static size_t line_next(struct slice s, size_t at)
{
	const size_t feed = slice_find(slice_drop(s, at), '\n');

	return at + feed + (at + feed < s.len ? 1 : 0);
}

/* The line at `at` without its line end. */
static struct slice line_at(struct slice s, size_t at)
{
	struct slice line = slice_cut(s, at, line_next(s, at) - at);

	if (slice_last(line) == '\n')
		line.len--;
	if (slice_last(line) == '\r')
		line.len--;
	return line;
}

/* No byte at which some reader ends a line: CR, NUL, and other control characters but the tab. */
static bool is_one_line(struct slice line)
{
	for (size_t i = 0; i < line.len; i++) {
		if ((line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

/* A name and its colon with nothing between (RFC 5322 section 2.2), and no byte in it that some reader ends a line at. */
static bool is_plain(struct slice line, struct slice name)
{
	if (name.len == 0 || name.len == line.len || !is_one_line(line))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!byte_is_print(name.ptr[i]) || name.ptr[i] == ' ')
			return false;
	}
	return true;
}

/* What may stand in front of "<": words, or one quoted string; nothing that another reader could take for an address or a second one. */
static bool is_plain_name(struct slice name)
{
	static const struct slice never = SLICE_INIT("\"\\@<>()"), bare_never = SLICE_INIT(",;:[]");
	bool                      quoted = false;

	name = slice_trim(name);
	if (name.len >= 2 && name.ptr[0] == '"' && slice_last(name) == '"') {
		name = slice_cut(name, 1, name.len - 2);
		quoted = true;
	}
	for (size_t i = 0; i < name.len; i++) {
		if (slice_find(never, name.ptr[i]) != never.len || (!quoted && slice_find(bare_never, name.ptr[i]) != bare_never.len))
			return false;
	}
	return true;
}

/* The value of the one From field. */
static enum glance_author author_of(struct slice value, struct slice *ret_address)
{
	struct slice   text = slice_trim(value);
	const size_t   open = slice_find(text, '<');
	struct address address;

	if (open != text.len) {
		if (slice_last(text) != '>' || !is_plain_name(slice_take(text, open)))
			return GLANCE_AUTHOR_UNCLEAR;
		text = slice_cut(text, open + 1, text.len - open - 2);
	}
	if (address_mailbox_read(text, 0, &address) != RC_OK || address.kind != ADDRESS_IS_HOSTED || address.quoted)
		return GLANCE_AUTHOR_UNCLEAR;
	*ret_address = text;
	return GLANCE_AUTHOR_ONE;
}

static struct slice message_id_of(struct slice value)
{
	const struct slice text = slice_trim(value);

	if (text.len < 3 || text.len > GLANCE_MESSAGE_ID_MAX || text.ptr[0] != '<' || slice_find(text, '>') != text.len - 1)
		return (struct slice){ NULL, 0 };
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_print(text.ptr[i]) || text.ptr[i] == ' ')
			return (struct slice){ NULL, 0 };
	}
	return text;
}

void glance_read(struct slice message, size_t header_bytes, struct glance *out)
{
	const struct slice front = slice_take(message, header_bytes);
	struct slice       from = { NULL, 0 };
	struct glance      glance = { .author = GLANCE_AUTHOR_NONE };
	bool               plain = true, ended = front.len == message.len;
	size_t             froms = 0;

	for (size_t at = 0; at < front.len;) {
		const struct slice line = line_at(front, at);
		if (line.len == 0) {
			ended = true;
			break;
		}
		const size_t start = at;
		at = line_next(front, at);
		while (at < front.len && byte_is_wsp(front.ptr[at])) {
			const struct slice more = line_at(front, at);
			plain = plain && is_one_line(more);
			at = line_next(front, at);
		}
		const struct slice name = slice_take(line, slice_find(line, ':'));
		const struct slice value = slice_drop(slice_cut(front, start, at - start), name.len + 1);
		plain = plain && is_plain(line, name);
		if (slice_eq_nocase(name, SLICE("From"))) {
			froms++;
			from = value;
		} else if (glance.message_id.len == 0 && slice_eq_nocase(name, SLICE("Message-ID"))) {
			glance.message_id = message_id_of(value);
		}
	}
	if (!plain || !ended || froms > 1)
		glance.author = GLANCE_AUTHOR_UNCLEAR;
	else if (froms == 1)
		glance.author = author_of(from, &glance.address);
	*out = glance;
}
