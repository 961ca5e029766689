/* Writing a URL: userinfo, host and port, the walk over the path, and the serialiser (section 4.5). */
#include "link/url_plan.h"

#include "link/url_host.h"

/* Places in the href while it is written. */
struct place {
	size_t start;
	size_t size;
};

struct building {
	struct writer out;
	struct place  scheme, username, password, host, path, query, fragment;
};

static void place_end(const struct building *b, struct place *place)
{
	place->size = b->out.len - place->start;
}

static void building_put(struct building *b, struct place *place, struct slice s)
{
	place->start = b->out.len;
	writer_put(&b->out, s);
	place->size = s.len;
}

static void write_userinfo(struct building *b, struct slice text, uint32_t *flags)
{
	const size_t colon = slice_find(text, ':');

	*flags |= URL_USERINFO | (slice_find(text, '@') != text.len ? URL_USERINFO_AT : 0);
	b->username.start = b->out.len;
	url_encode(slice_take(text, colon), URL_SET_USERINFO, &b->out, flags);
	place_end(b, &b->username);
	const struct slice password = slice_drop(text, colon + 1);
	if (password.len != 0) {
		writer_byte(&b->out, ':');
		b->password.start = b->out.len;
		url_encode(password, URL_SET_USERINFO, &b->out, flags);
		place_end(b, &b->password);
	}
	if (b->username.size != 0 || b->password.size != 0)
		writer_byte(&b->out, '@');
}

/* Port state. RC_SYNTAX: no number, or above 65,535. */
static enum rc port_read(struct slice text, enum url_special special, int32_t *out)
{
	int32_t port = 0;

	*out = -1;
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_digit(text.ptr[i]))
			return RC_SYNTAX;
		port = port * 10 + (text.ptr[i] - '0');
		if (port > 65535)
			return RC_SYNTAX;
	}
	if (text.len != 0 && port != url_port_usual(special))
		*out = port;
	return RC_OK;
}

/* Host state: up to the first ":" that is not in brackets. */
static size_t host_size(struct slice text)
{
	bool   inside = false;
	size_t size = 0;

	for (; size < text.len && (inside || text.ptr[size] != ':'); size++) {
		if (text.ptr[size] == '[')
			inside = true;
		else if (text.ptr[size] == ']')
			inside = false;
	}
	return size;
}

static enum rc write_authority_text(struct building *b, const struct url_plan *plan, struct url *url)
{
	struct slice text = plan->authority_text;
	const size_t at = slice_find_last(text, '@');

	if (at != text.len) {
		write_userinfo(b, slice_take(text, at), &url->flags);
		text = slice_drop(text, at + 1);
		if (text.len == 0)
			return RC_SYNTAX;
	}
	const size_t size = host_size(text);
	const bool   port = size != text.len;
	url->host_kind = URL_HOST_EMPTY;
	b->host.start = b->out.len;
	if (size == 0 && (port || plan->special != URL_ORDINARY))
		return RC_SYNTAX;
	if (size != 0) {
		const enum rc rc = url_host_write(slice_take(text, size), plan->special == URL_ORDINARY, &b->out,
		                                  &url->host_kind, &url->flags);
		if (rc != RC_OK)
			return rc;
	}
	place_end(b, &b->host);
	if (!port)
		return RC_OK;
	url->flags |= URL_PORT_GIVEN;
	const enum rc rc = port_read(slice_drop(text, size + 1), plan->special, &url->port);
	if (rc == RC_OK && url->port >= 0) {
		writer_byte(&b->out, ':');
		writer_number(&b->out, (uint32_t)url->port);
	}
	return rc;
}

static void write_authority_base(struct building *b, const struct url *base, struct url *url)
{
	url->host_kind = base->host_kind;
	url->port = base->port;
	if (base->host_kind == URL_HOST_NONE)
		return;
	writer_put(&b->out, SLICE("//"));
	building_put(b, &b->username, base->username);
	if (base->password.len != 0) {
		writer_byte(&b->out, ':');
		building_put(b, &b->password, base->password);
	}
	if (base->username.len != 0 || base->password.len != 0)
		writer_byte(&b->out, '@');
	building_put(b, &b->host, base->host);
	if (base->port >= 0) {
		writer_byte(&b->out, ':');
		writer_number(&b->out, (uint32_t)base->port);
	}
}

static enum rc write_authority(struct building *b, const struct url_plan *plan, struct url *url)
{
	enum rc rc = RC_OK;

	url->host_kind = URL_HOST_NONE;
	switch (plan->authority) {
	case AUTHORITY_NONE:
		break;
	case AUTHORITY_BASE:
		write_authority_base(b, plan->base, url);
		break;
	case AUTHORITY_EMPTY:
		writer_put(&b->out, SLICE("//"));
		url->host_kind = URL_HOST_EMPTY;
		break;
	case AUTHORITY_TEXT:
		writer_put(&b->out, SLICE("//"));
		rc = write_authority_text(b, plan, url);
		break;
	case AUTHORITY_FILE_HOST:
		writer_put(&b->out, SLICE("//"));
		b->host.start = b->out.len;
		rc = url_host_write(plan->authority_text, false, &b->out, &url->host_kind, &url->flags);
		if (rc == RC_OK && slice_eq(writer_from(&b->out, b->host.start), SLICE("localhost"))) {
			b->out.len = b->host.start;
			url->host_kind = URL_HOST_EMPTY;
		}
		place_end(b, &b->host);
		break;
	}
	return rc;
}

/* Number of dots when the segment is "." or ".." in any spelling (section 4.4), else 0. */
static unsigned dots_of(struct slice segment)
{
	unsigned dots = 0;

	if (segment.len > 6)
		return 0;
	while (segment.len != 0) {
		if (segment.ptr[0] == '.')
			segment = slice_drop(segment, 1);
		else if (slice_starts_nocase(segment, SLICE("%2e")))
			segment = slice_drop(segment, 3);
		else
			return 0;
		if (++dots > 2)
			return 0;
	}
	return dots;
}

/* "Shorten a url's path": section 4.4. A drive letter that stands alone stays. */
static void path_shorten(struct building *b, const struct url_plan *plan)
{
	const struct slice path = writer_from(&b->out, b->path.start);

	if (plan->special == URL_FILE && path.len == 3 && url_drive_of(path).len == 3)
		return;
	const size_t slash = slice_find_last(path, '/');
	if (slash != path.len)
		b->out.len = b->path.start + slash;
}

/* Path state, over the whole. */
static void path_walk(struct building *b, struct url_plan *plan, uint32_t *flags)
{
	struct slice rest = plan->path;

	for (bool more = true; more;) {
		size_t size = 0;
		while (size < rest.len && rest.ptr[size] != '/' &&
		       (plan->special == URL_ORDINARY || rest.ptr[size] != '\\'))
			size++;
		const struct slice segment = slice_take(rest, size);
		more = size != rest.len;
		if (more)
			(void)url_is_slash(plan, rest.ptr[size]);
		rest = slice_drop(rest, size + 1);
		const unsigned dots = dots_of(segment);
		if (dots == 2)
			path_shorten(b, plan);
		if (dots == 0 || !more)
			writer_byte(&b->out, '/');
		if (dots != 0)
			continue;
		if (plan->special == URL_FILE && b->out.len == b->path.start + 1 && url_is_drive(segment)) {
			writer_byte(&b->out, segment.ptr[0]);
			writer_byte(&b->out, ':');
			*flags |= URL_DRIVE_LETTER;
		} else {
			url_encode(segment, URL_SET_PATH, &b->out, flags);
		}
	}
}

/* Opaque path state: only the last space before a query or fragment is encoded. */
static void path_opaque(struct building *b, const struct url_plan *plan, uint32_t *flags)
{
	struct slice path = plan->path;
	const bool   space = slice_last(path) == ' ' && (plan->has_query || plan->has_fragment);

	if (space)
		path.len--;
	url_encode(path, URL_SET_C0, &b->out, flags);
	if (space)
		writer_put(&b->out, SLICE("%20"));
}

static void write_path(struct building *b, struct url_plan *plan, struct url *url)
{
	b->path.start = b->out.len;
	writer_put(&b->out, plan->path_base);
	if (plan->path_shorten)
		path_shorten(b, plan);
	if (plan->opaque)
		path_opaque(b, plan, &url->flags);
	else if (plan->path_walk)
		path_walk(b, plan, &url->flags);
	place_end(b, &b->path);
	/* Section 4.5: without a host, "//x" as a path must not look like one. */
	if (b->out.failed || url->host_kind != URL_HOST_NONE || plan->opaque ||
	    !slice_starts(writer_from(&b->out, b->path.start), SLICE("//")))
		return;
	writer_put(&b->out, SLICE("/."));
	if (b->out.failed)
		return;
	uint8_t *path = b->out.ptr + b->path.start;
	memmove(path + 2, path, b->path.size);
	path[0] = '/';
	path[1] = '.';
	b->path.start += 2;
}

static void write_rest(struct building *b, const struct url_plan *plan, struct url *url)
{
	url->has_query = plan->has_query;
	if (plan->has_query) {
		writer_byte(&b->out, '?');
		b->query.start = b->out.len;
		if (plan->query_coded)
			writer_put(&b->out, plan->query);
		else
			url_encode(plan->query, plan->special != URL_ORDINARY ? URL_SET_SPECIAL_QUERY : URL_SET_QUERY,
			           &b->out, &url->flags);
		place_end(b, &b->query);
	}
	url->has_fragment = plan->has_fragment;
	if (plan->has_fragment) {
		writer_byte(&b->out, '#');
		b->fragment.start = b->out.len;
		url_encode(plan->fragment, URL_SET_FRAGMENT, &b->out, &url->flags);
		place_end(b, &b->fragment);
	}
}

static enum rc write_all(struct building *b, struct url_plan *plan, struct url *url)
{
	url->port = -1;
	url->special = plan->special;
	url->opaque_path = plan->opaque;
	b->scheme.start = b->out.len;
	for (size_t i = 0; i < plan->scheme.len; i++)
		writer_byte(&b->out, byte_lower(plan->scheme.ptr[i]));
	place_end(b, &b->scheme);
	writer_byte(&b->out, ':');
	const enum rc rc = write_authority(b, plan, url);
	if (rc != RC_OK)
		return rc;
	write_path(b, plan, url);
	write_rest(b, plan, url);
	url->flags |= plan->flags;
	return b->out.failed ? RC_NOMEM : RC_OK;
}

static struct slice placed(const struct building *b, struct place place)
{
	return slice_cut(writer_from(&b->out, 0), place.start, place.size);
}

static void finish(const struct building *b, struct url *url)
{
	url->href = writer_from(&b->out, 0);
	url->scheme = placed(b, b->scheme);
	url->username = placed(b, b->username);
	url->password = placed(b, b->password);
	url->host = placed(b, b->host);
	url->path = placed(b, b->path);
	url->query = placed(b, b->query);
	url->fragment = placed(b, b->fragment);
}

enum rc url_build(struct url_plan *plan, struct writer *out, struct url *url)
{
	struct building b = { .out = *out };
	const enum rc   rc = write_all(&b, plan, url);

	*out = b.out;
	if (rc == RC_OK)
		finish(&b, url);
	return rc;
}
