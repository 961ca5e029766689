/* data: URLs: the head up to the comma is text of a URL, the rest is bytes. */
#include "link/data.h"

#include "link/url.h"
#include "link/url_host.h"
#include "link/writer.h"

_Static_assert(9 * DATA_HEAD_MAX + 10 <= DATA_TYPE_MAX, "a head with every byte encoded is a type that is read");

static bool is_token(uint8_t c)
{
	return byte_is_alnum(c) || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool all_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_token(s.ptr[i]))
			return false;
	}
	return s.len != 0;
}

/* HTTP quoted-string token code points: tab, printable ASCII, and U+0080 to U+00FF. */
static bool all_quotable(struct slice s)
{
	while (s.len != 0) {
		uint32_t     c;
		bool         valid;
		const size_t size = utf8_take(s, &c, &valid);
		if (!valid || c > 0xff || (c < 0x20 && c != '\t') || c == 0x7f)
			return false;
		s = slice_drop(s, size);
	}
	return true;
}

static size_t until(struct slice s, const char *stops)
{
	size_t size = 0;

	while (size < s.len && (s.ptr[size] == 0 || strchr(stops, s.ptr[size]) == NULL))
		size++;
	return size;
}

/* Spaces, tabs and line ends at the end. */
static struct slice end_trimmed(struct slice s)
{
	while (s.len != 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r' ||
	                      s.ptr[s.len - 1] == '\n'))
		s.len--;
	return s;
}

static void put_lower(struct writer *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		writer_byte(out, byte_lower(s.ptr[i]));
}

/* "Collect an HTTP quoted string", its value appended to `out`; moves *rest past it. */
static void quoted_take(struct slice *rest, struct writer *out)
{
	*rest = slice_drop(*rest, 1);
	while (rest->len != 0) {
		const uint8_t c = rest->ptr[0];
		*rest = slice_drop(*rest, 1);
		if (c == '"')
			return;
		if (c != '\\' || rest->len == 0) {
			writer_byte(out, c);
			continue;
		}
		writer_byte(out, rest->ptr[0]);
		*rest = slice_drop(*rest, 1);
	}
}

static void parameter_write(struct slice name, struct slice value, struct writer *out)
{
	writer_byte(out, ';');
	put_lower(out, name);
	writer_byte(out, '=');
	if (all_token(value)) {
		writer_put(out, value);
		return;
	}
	writer_byte(out, '"');
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"' || value.ptr[i] == '\\')
			writer_byte(out, '\\');
		writer_byte(out, value.ptr[i]);
	}
	writer_byte(out, '"');
}

struct names {
	struct slice items[DATA_PARAMETERS_MAX];
	size_t       count;
};

static bool is_new(struct names *names, struct slice name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (slice_eq_nocase(names->items[i], name))
			return false;
	}
	if (names->count == DATA_PARAMETERS_MAX)
		return false;
	names->items[names->count++] = name;
	return true;
}

/* Steps 11 and on of section 4.4. `value` has room for the longest value. */
static void parameters_write(struct slice rest, struct writer *value, struct writer *out)
{
	struct names names = { .count = 0 };

	while (rest.len != 0) {
		rest = slice_drop(rest, 1);
		while (rest.len != 0 && strchr(" \t\r\n", rest.ptr[0]) != NULL && rest.ptr[0] != 0)
			rest = slice_drop(rest, 1);
		const struct slice name = slice_take(rest, until(rest, ";="));
		rest = slice_drop(rest, name.len);
		if (slice_at(rest, 0) != '=')
			continue;
		rest = slice_drop(rest, 1);
		struct slice text;
		if (slice_at(rest, 0) == '"') {
			value->len = 0;
			quoted_take(&rest, value);
			rest = slice_drop(rest, until(rest, ";"));
			text = writer_from(value, 0);
		} else {
			const size_t size = until(rest, ";");
			text = end_trimmed(slice_take(rest, size));
			rest = slice_drop(rest, size);
			if (text.len == 0)
				continue;
		}
		if (all_token(name) && all_quotable(text) && is_new(&names, name))
			parameter_write(name, text, out);
	}
}

enum rc data_type_read(struct slice text, struct arena *arena, struct slice *out)
{
	if (text.len > DATA_TYPE_MAX)
		return RC_LIMIT;
	text = slice_trim(text);
	const struct slice type = slice_take(text, slice_find(text, '/'));
	struct slice       rest = slice_drop(text, type.len + 1);
	const size_t       size = until(rest, ";");
	const struct slice subtype = end_trimmed(slice_take(rest, size));
	if (type.len == text.len || !all_token(type) || !all_token(subtype))
		return RC_SYNTAX;
	rest = slice_drop(rest, size);
	/* A backslash before each byte, and quotes around each value. */
	struct writer value = { .ptr = arena_bytes(arena, text.len + 1), .room = text.len + 1 };
	struct writer writer = { .ptr = arena_bytes(arena, 4 * text.len + 1), .room = 4 * text.len + 1 };
	if (value.ptr == NULL || writer.ptr == NULL)
		return RC_NOMEM;
	put_lower(&writer, type);
	writer_byte(&writer, '/');
	put_lower(&writer, subtype);
	parameters_write(rest, &value, &writer);
	if (writer.failed || value.failed)
		return RC_NOMEM;
	*out = writer_from(&writer, 0);
	return RC_OK;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (byte_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Forgiving-base64 decode, in place. */
static bool base64_decode(struct writer *body)
{
	uint8_t *bytes = body->ptr;
	size_t   size = 0, out = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < body->len; i++) {
		const uint8_t c = bytes[i];
		if (c != ' ' && c != '\t' && c != '\n' && c != '\f' && c != '\r')
			bytes[size++] = c;
	}
	for (unsigned i = 0, whole = size % 4 == 0; whole && i < 2 && size != 0 && bytes[size - 1] == '='; i++)
		size--;
	if (size % 4 == 1)
		return false;
	for (size_t i = 0; i < size; i++) {
		const int value = base64_value(bytes[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 0)
			bytes[out++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	body->len = out;
	return true;
}

/* ";", spaces, "base64" at the end of the type: cut off. */
static bool base64_cut(struct slice *type)
{
	if (!slice_ends_nocase(*type, SLICE("base64")))
		return false;
	struct slice rest = slice_take(*type, type->len - 6);
	while (slice_last(rest) == ' ')
		rest.len--;
	if (slice_last(rest) != ';')
		return false;
	rest.len--;
	*type = rest;
	return true;
}

static enum rc type_read(struct slice head, struct arena *arena, struct data_url *out)
{
	struct writer writer = { .room = 9 * head.len + 16 };
	uint32_t      flags = 0;

	if (head.len > DATA_HEAD_MAX)
		return RC_LIMIT;
	writer.ptr = arena_bytes(arena, writer.room);
	if (writer.ptr == NULL)
		return RC_NOMEM;
	writer_put(&writer, SLICE("text/plain"));
	url_encode(head, URL_SET_C0, &writer, &flags);
	struct slice type = slice_trim(slice_drop(writer_from(&writer, 0), 10));
	out->base64 = base64_cut(&type);
	/* A type left out, with parameters: the words stand just before it, for only blanks were trimmed. */
	if (slice_at(type, 0) == ';') {
		const size_t blanks = (size_t)(type.ptr - writer.ptr) - 10;
		memmove(writer.ptr + blanks, "text/plain", 10);
		type = slice_of(writer.ptr + blanks, type.len + 10);
	}
	const enum rc rc = data_type_read(type, arena, &out->type);
	if (rc == RC_SYNTAX)
		out->type = SLICE("text/plain;charset=US-ASCII");
	return rc == RC_SYNTAX ? RC_OK : rc;
}

/* The body's bytes: as a URL has them percent-encoded and as they come out again, in one step. */
static enum rc body_read(struct slice body, struct arena *arena, struct writer *out)
{
	size_t high = 0;

	for (size_t i = 0; i < body.len; i++)
		high += body.ptr[i] >> 7;
	*out = (struct writer){ .room = body.len + 2 * high + 1 };
	out->ptr = arena_bytes(arena, out->room);
	if (out->ptr == NULL)
		return RC_NOMEM;
	while (body.len != 0) {
		size_t plain = 0;
		while (plain < body.len && body.ptr[plain] < 0x80)
			plain++;
		writer_percent_decoded(out, slice_take(body, plain));
		body = slice_drop(body, plain);
		if (body.len == 0)
			break;
		uint32_t     code_point;
		bool         valid;
		const size_t size = utf8_take(body, &code_point, &valid);
		writer_utf8(out, code_point);
		body = slice_drop(body, size);
	}
	return out->failed ? RC_NOMEM : RC_OK;
}

/* Without what a URL parser drops. */
static enum rc clean(struct slice text, struct arena *arena, struct slice *out)
{
	struct writer writer = { .ptr = arena_bytes(arena, text.len + 1), .room = text.len + 1 };

	if (writer.ptr == NULL)
		return RC_NOMEM;
	while (text.len != 0 && text.ptr[0] <= ' ')
		text = slice_drop(text, 1);
	while (text.len != 0 && text.ptr[text.len - 1] <= ' ')
		text.len--;
	while (text.len != 0) {
		const size_t size = until(text, "\t\r\n");
		writer_put(&writer, slice_take(text, size));
		text = slice_drop(text, size + 1);
	}
	*out = writer_from(&writer, 0);
	return RC_OK;
}

static enum rc data_read(struct slice text, struct arena *arena, struct data_url *out)
{
	struct writer body;
	struct url    url;

	enum rc rc = clean(text, arena, &text);
	if (rc != RC_OK)
		return rc;
	if (!slice_starts_nocase(text, SLICE("data:")))
		return RC_UNSUPPORTED;
	if (slice_at(text, 5) == '/') {
		rc = url_parse(text, NULL, arena, &url);
		if (rc != RC_OK)
			return rc;
		text = url.href;
	}
	text = slice_drop(slice_take(text, slice_find(text, '#')), 5);
	const size_t comma = slice_find(text, ',');
	if (comma == text.len)
		return RC_SYNTAX;
	rc = type_read(slice_take(text, comma), arena, out);
	if (rc == RC_OK)
		rc = body_read(slice_drop(text, comma + 1), arena, &body);
	if (rc != RC_OK)
		return rc;
	if (out->base64 && !base64_decode(&body))
		return RC_SYNTAX;
	out->bytes = writer_from(&body, 0);
	return RC_OK;
}

enum rc data_url_read(struct slice text, struct arena *arena, struct data_url *out)
{
	const size_t    used = arena->used;
	struct data_url found = { .base64 = false };
	const enum rc   rc = data_read(text, arena, &found);

	if (rc != RC_OK) {
		arena->used = used;
		return rc;
	}
	*out = found;
	return RC_OK;
}
