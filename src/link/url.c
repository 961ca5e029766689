/*
 * The basic URL parser. The standard's states walk over single code points; here the text is cut at its delimiters
 * first ("?" and "#" end every state behind the scheme), a plan says what comes from the text and what from the base,
 * and then everything is written once. Hosts and percent-encoding: url_host.c.
 */
#include "link/url.h"

#include "link/url_host.h"

static const struct {
	struct slice name;
	int32_t      port;
} specials[] = {
	[URL_ORDINARY] = { SLICE_INIT(""), -1 },   [URL_FTP] = { SLICE_INIT("ftp"), 21 },
	[URL_FILE] = { SLICE_INIT("file"), -1 },   [URL_HTTP] = { SLICE_INIT("http"), 80 },
	[URL_HTTPS] = { SLICE_INIT("https"), 443 }, [URL_WS] = { SLICE_INIT("ws"), 80 },
	[URL_WSS] = { SLICE_INIT("wss"), 443 },
};

enum url_special url_special_of(struct slice scheme)
{
	for (enum url_special i = URL_FTP; i <= URL_WSS; i++) {
		if (slice_eq_nocase(scheme, specials[i].name))
			return i;
	}
	return URL_ORDINARY;
}

int32_t url_port_usual(enum url_special special)
{
	return specials[special].port;
}

/* Where the parts of the result come from. */
enum authority {
	AUTHORITY_NONE,
	AUTHORITY_EMPTY,     /* an empty host */
	AUTHORITY_BASE,      /* user name, password, host and port of the base */
	AUTHORITY_TEXT,      /* user:password@host:port */
	AUTHORITY_FILE_HOST, /* a host and nothing else */
};

struct plan {
	const struct url *base;
	struct slice      scheme;
	enum url_special  special;
	enum authority    authority;
	struct slice      authority_text;
	struct slice      path_base; /* goes in front, serialised already; "" or "/..." */
	bool              path_shorten;
	bool              path_walk; /* walk over `path`, segment by segment */
	struct slice      path;      /* without its first slash */
	bool              opaque;
	struct slice      query;
	bool              has_query;
	bool              query_coded; /* it is the base's */
	struct slice      fragment;
	bool              has_fragment;
	uint32_t          flags;
};

static bool is_c0_or_space(int byte)
{
	return byte >= 0 && byte <= ' ';
}

/* Step 1 and 3 of the basic URL parser: ends trimmed, tabs and line ends dropped. */
static enum rc clean(struct slice text, struct arena *arena, struct slice *out, uint32_t *flags)
{
	const size_t whole = text.len;

	while (is_c0_or_space(slice_at(text, 0)))
		text = slice_drop(text, 1);
	while (is_c0_or_space(slice_last(text)))
		text.len--;
	*flags |= text.len != whole ? URL_TRIMMED : 0;
	*out = text;
	size_t first = 0;
	while (first < text.len && text.ptr[first] != '\t' && text.ptr[first] != '\n' && text.ptr[first] != '\r')
		first++;
	if (first == text.len)
		return RC_OK;
	*flags |= URL_LINE_BREAKS;
	uint8_t *copy = arena_bytes(arena, text.len);
	size_t   size = 0;
	if (copy == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\t' && text.ptr[i] != '\n' && text.ptr[i] != '\r')
			copy[size++] = text.ptr[i];
	}
	*out = slice_of(copy, size);
	return RC_OK;
}

/* "scheme:" at the front; moves *rest past it. */
static bool scheme_take(struct slice *rest, struct slice *out)
{
	size_t size = 0;

	if (rest->len == 0 || !byte_is_alpha(rest->ptr[0]))
		return false;
	while (size < rest->len && (byte_is_alnum(rest->ptr[size]) || rest->ptr[size] == '+' || rest->ptr[size] == '-' ||
	                            rest->ptr[size] == '.'))
		size++;
	if (slice_at(*rest, size) != ':')
		return false;
	*out = slice_take(*rest, size);
	*rest = slice_drop(*rest, size + 1);
	return true;
}

/* A "/" to this scheme. Says so when it is the other one. */
static bool is_slash(struct plan *plan, int byte)
{
	if (byte == '\\' && plan->special != URL_ORDINARY) {
		plan->flags |= URL_BACKSLASH;
		return true;
	}
	return byte == '/';
}

/* Two code points: a letter and ":" or "|" (section 4.2, Windows drive letter). */
static bool is_drive(struct slice s)
{
	return s.len == 2 && byte_is_alpha(s.ptr[0]) && (s.ptr[1] == ':' || s.ptr[1] == '|');
}

static bool starts_with_drive(struct slice s)
{
	const int third = slice_at(s, 2);

	return is_drive(slice_take(s, 2)) && (third < 0 || third == '/' || third == '\\');
}

/* A serialised path that begins with a drive ("/C:", "/C:/x"): that segment, or nothing. */
static struct slice drive_of(struct slice path)
{
	const struct slice segment = slice_take(slice_drop(path, 1), 2);
	const int          after = slice_at(path, 3);

	if (is_drive(segment) && segment.ptr[1] == ':' && (after < 0 || after == '/'))
		return slice_take(path, 3);
	return (struct slice){ NULL, 0 };
}

/* Path state from here on. */
static void plan_walk(struct plan *plan, struct slice path)
{
	plan->path_walk = true;
	plan->path = path;
}

/* Path start state: the first slash belongs to no segment; an ordinary scheme may have no path at all. */
static void plan_path_start(struct plan *plan, struct slice rest)
{
	if (plan->special != URL_ORDINARY) {
		plan_walk(plan, is_slash(plan, slice_at(rest, 0)) ? slice_drop(rest, 1) : rest);
	} else if (rest.len != 0) {
		plan_walk(plan, slice_drop(rest, 1));
	}
}

/* Authority state: up to the first slash. */
static void plan_authority(struct plan *plan, struct slice rest)
{
	size_t size = 0;

	while (size < rest.len && !is_slash(plan, rest.ptr[size]))
		size++;
	plan->authority = AUTHORITY_TEXT;
	plan->authority_text = slice_take(rest, size);
	plan_path_start(plan, slice_drop(rest, size));
}

/* Special authority (ignore) slashes states: as many as there are. */
static void plan_special_authority(struct plan *plan, struct slice rest, size_t seen)
{
	size_t count = 0;

	while (is_slash(plan, slice_at(rest, count)))
		count++;
	if (count + seen != 2)
		plan->flags |= URL_SLASHES;
	plan_authority(plan, slice_drop(rest, count));
}

static void plan_base_query(struct plan *plan)
{
	plan->query = plan->base->query;
	plan->has_query = plan->base->has_query;
	plan->query_coded = true;
}

/* Relative state. */
static void plan_relative(struct plan *plan, struct slice rest)
{
	plan->scheme = plan->base->scheme;
	plan->special = plan->base->special;
	if (is_slash(plan, slice_at(rest, 0))) {
		if (is_slash(plan, slice_at(rest, 1))) {
			if (plan->special != URL_ORDINARY)
				plan_special_authority(plan, slice_drop(rest, 2), 2);
			else
				plan_authority(plan, slice_drop(rest, 2));
			return;
		}
		plan->authority = AUTHORITY_BASE;
		plan_walk(plan, slice_drop(rest, 1));
		return;
	}
	plan->authority = AUTHORITY_BASE;
	plan->path_base = plan->base->path;
	if (rest.len != 0) {
		plan->path_shorten = true;
		plan_walk(plan, rest);
	} else if (!plan->has_query) {
		plan_base_query(plan);
	}
}

/* File host state: what stands behind two slashes. */
static void plan_file_host(struct plan *plan, struct slice rest)
{
	size_t size = 0;

	while (size < rest.len && !is_slash(plan, rest.ptr[size]))
		size++;
	const struct slice host = slice_take(rest, size);
	if (is_drive(host)) {
		plan->authority = AUTHORITY_EMPTY;
		plan_walk(plan, rest);
		return;
	}
	plan->authority = size == 0 ? AUTHORITY_EMPTY : AUTHORITY_FILE_HOST;
	plan->authority_text = host;
	plan_path_start(plan, slice_drop(rest, size));
}

/* File state and file slash state. */
static void plan_file(struct plan *plan, struct slice rest)
{
	const struct url *base = plan->base != NULL && plan->base->special == URL_FILE ? plan->base : NULL;

	plan->scheme = specials[URL_FILE].name;
	plan->special = URL_FILE;
	plan->authority = AUTHORITY_EMPTY;
	if (is_slash(plan, slice_at(rest, 0))) {
		if (is_slash(plan, slice_at(rest, 1))) {
			plan_file_host(plan, slice_drop(rest, 2));
			return;
		}
		plan->flags |= URL_SLASHES;
		if (base != NULL) {
			plan->authority = AUTHORITY_BASE;
			if (!starts_with_drive(slice_drop(rest, 1)))
				plan->path_base = drive_of(base->path);
		}
		plan_walk(plan, slice_drop(rest, 1));
		return;
	}
	if (base == NULL) {
		plan_walk(plan, rest);
		return;
	}
	plan->authority = AUTHORITY_BASE;
	if (rest.len == 0) {
		plan->path_base = base->path;
		if (!plan->has_query)
			plan_base_query(plan);
	} else {
		if (!starts_with_drive(rest)) {
			plan->path_base = base->path;
			plan->path_shorten = true;
		}
		plan_walk(plan, rest);
	}
}

/* Scheme state and what follows it. */
static void plan_scheme(struct plan *plan, struct slice rest)
{
	plan->special = url_special_of(plan->scheme);
	if (plan->special == URL_FILE) {
		plan_file(plan, rest);
	} else if (plan->special != URL_ORDINARY) {
		const bool same = plan->base != NULL && plan->base->special == plan->special;
		if (same && !slice_starts(rest, SLICE("//"))) {
			plan->flags |= URL_SLASHES;
			plan_relative(plan, rest);
		} else {
			plan_special_authority(plan, rest, 0);
		}
	} else if (slice_starts(rest, SLICE("//"))) {
		plan_authority(plan, slice_drop(rest, 2));
	} else if (slice_at(rest, 0) == '/') {
		plan_walk(plan, slice_drop(rest, 1));
	} else {
		plan->opaque = true;
		plan->path = rest;
	}
}

/* No scheme state. False: failure. */
static bool plan_no_scheme(struct plan *plan, struct slice rest)
{
	const struct url *base = plan->base;

	if (base == NULL)
		return false;
	if (base->opaque_path) {
		if (rest.len != 0 || plan->has_query || !plan->has_fragment)
			return false;
		plan->scheme = base->scheme;
		plan->special = base->special;
		plan->opaque = true;
		plan->path_base = base->path;
		plan_base_query(plan);
		return true;
	}
	if (base->special == URL_FILE)
		plan_file(plan, rest);
	else
		plan_relative(plan, rest);
	return true;
}

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
	if (text.len != 0 && port != specials[special].port)
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

static enum rc write_authority_text(struct building *b, const struct plan *plan, struct url *url)
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

static enum rc write_authority(struct building *b, const struct plan *plan, struct url *url)
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
static void path_shorten(struct building *b, const struct plan *plan)
{
	const struct slice path = writer_from(&b->out, b->path.start);

	if (plan->special == URL_FILE && path.len == 3 && drive_of(path).len == 3)
		return;
	const size_t slash = slice_find_last(path, '/');
	if (slash != path.len)
		b->out.len = b->path.start + slash;
}

/* Path state, over the whole. */
static void path_walk(struct building *b, struct plan *plan, uint32_t *flags)
{
	struct slice rest = plan->path;

	for (bool more = true; more;) {
		size_t size = 0;
		while (size < rest.len && rest.ptr[size] != '/' && (plan->special == URL_ORDINARY || rest.ptr[size] != '\\'))
			size++;
		const struct slice segment = slice_take(rest, size);
		more = size != rest.len;
		if (more)
			(void)is_slash(plan, rest.ptr[size]);
		rest = slice_drop(rest, size + 1);
		const unsigned dots = dots_of(segment);
		if (dots == 2)
			path_shorten(b, plan);
		if (dots == 0 || !more)
			writer_byte(&b->out, '/');
		if (dots != 0)
			continue;
		if (plan->special == URL_FILE && b->out.len == b->path.start + 1 && is_drive(segment)) {
			writer_byte(&b->out, segment.ptr[0]);
			writer_byte(&b->out, ':');
			*flags |= URL_DRIVE_LETTER;
		} else {
			url_encode(segment, URL_SET_PATH, &b->out, flags);
		}
	}
}

/* Opaque path state: only the last space before a query or fragment is encoded. */
static void path_opaque(struct building *b, const struct plan *plan, uint32_t *flags)
{
	struct slice path = plan->path;
	const bool   space = slice_last(path) == ' ' && (plan->has_query || plan->has_fragment);

	if (space)
		path.len--;
	url_encode(path, URL_SET_C0, &b->out, flags);
	if (space)
		writer_put(&b->out, SLICE("%20"));
}

static void write_path(struct building *b, struct plan *plan, struct url *url)
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

static void write_rest(struct building *b, const struct plan *plan, struct url *url)
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

static enum rc build(struct building *b, struct plan *plan, struct url *url)
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

static bool plan_make(struct plan *plan, struct slice text)
{
	struct slice rest = slice_take(text, slice_find(text, '#'));

	plan->has_fragment = rest.len != text.len;
	plan->fragment = slice_drop(text, rest.len + 1);
	const size_t mark = slice_find(rest, '?');
	plan->has_query = mark != rest.len;
	plan->query = slice_drop(rest, mark + 1);
	rest = slice_take(rest, mark);
	if (!scheme_take(&rest, &plan->scheme))
		return plan_no_scheme(plan, rest);
	plan_scheme(plan, rest);
	return true;
}

/* Three bytes for each, nine where a byte may become U+FFFD. */
static size_t room_for(struct slice text)
{
	size_t high = 0;

	for (size_t i = 0; i < text.len; i++)
		high += text.ptr[i] >> 7;
	return 3 * text.len + 6 * high;
}

enum rc url_parse(struct slice text, const struct url *base, struct arena *arena, struct url *out)
{
	const size_t used = arena->used;
	struct plan  plan = { .base = base };
	struct url   url = { .port = -1 };

	if (text.len > URL_BYTES_MAX)
		return RC_LIMIT;
	enum rc rc = clean(text, arena, &text, &plan.flags);
	if (rc == RC_OK && !plan_make(&plan, text))
		rc = RC_SYNTAX;
	struct building b = { .scheme = { 0, 0 } };
	if (rc == RC_OK) {
		b.out.room = room_for(text) + (base == NULL ? 0 : base->href.len) + URL_HOST_ROOM;
		b.out.ptr = arena_bytes(arena, b.out.room);
		rc = b.out.ptr == NULL ? RC_NOMEM : build(&b, &plan, &url);
	}
	if (rc != RC_OK) {
		arena->used = used;
		return rc;
	}
	arena->used -= b.out.room - b.out.len;
	finish(&b, &url);
	*out = url;
	return RC_OK;
}
