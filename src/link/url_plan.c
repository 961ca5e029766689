/* What a URL is made of: the states of the basic URL parser from the scheme on, up to where a path begins. */
#include "link/url_plan.h"

/* "scheme:" at the front; moves *rest past it. */
static bool scheme_take(struct slice *rest, struct slice *out)
{
	size_t size = 0;

	if (rest->len == 0 || !byte_is_alpha(rest->ptr[0]))
		return false;
	while (size < rest->len && (byte_is_alnum(rest->ptr[size]) || rest->ptr[size] == '+' ||
	                            rest->ptr[size] == '-' || rest->ptr[size] == '.'))
		size++;
	if (slice_at(*rest, size) != ':')
		return false;
	*out = slice_take(*rest, size);
	*rest = slice_drop(*rest, size + 1);
	return true;
}

bool url_is_slash(struct url_plan *plan, int byte)
{
	if (byte == '\\' && plan->special != URL_ORDINARY) {
		plan->flags |= URL_BACKSLASH;
		return true;
	}
	return byte == '/';
}

bool url_is_drive(struct slice s)
{
	return s.len == 2 && byte_is_alpha(s.ptr[0]) && (s.ptr[1] == ':' || s.ptr[1] == '|');
}

static bool starts_with_drive(struct slice s)
{
	const int third = slice_at(s, 2);

	return url_is_drive(slice_take(s, 2)) && (third < 0 || third == '/' || third == '\\');
}

struct slice url_drive_of(struct slice path)
{
	const struct slice segment = slice_take(slice_drop(path, 1), 2);
	const int          after = slice_at(path, 3);

	if (url_is_drive(segment) && segment.ptr[1] == ':' && (after < 0 || after == '/'))
		return slice_take(path, 3);
	return (struct slice){ NULL, 0 };
}

/* Path state from here on. */
static void plan_walk(struct url_plan *plan, struct slice path)
{
	plan->path_walk = true;
	plan->path = path;
}

/* Path start state: the first slash belongs to no segment; an ordinary scheme may have no path at all. */
static void plan_path_start(struct url_plan *plan, struct slice rest)
{
	if (plan->special != URL_ORDINARY) {
		plan_walk(plan, url_is_slash(plan, slice_at(rest, 0)) ? slice_drop(rest, 1) : rest);
	} else if (rest.len != 0) {
		plan_walk(plan, slice_drop(rest, 1));
	}
}

/* Authority state: up to the first slash. */
static void plan_authority(struct url_plan *plan, struct slice rest)
{
	size_t size = 0;

	while (size < rest.len && !url_is_slash(plan, rest.ptr[size]))
		size++;
	plan->authority = AUTHORITY_TEXT;
	plan->authority_text = slice_take(rest, size);
	plan_path_start(plan, slice_drop(rest, size));
}

/* Special authority (ignore) slashes states: as many as there are. */
static void plan_special_authority(struct url_plan *plan, struct slice rest, size_t seen)
{
	size_t count = 0;

	while (url_is_slash(plan, slice_at(rest, count)))
		count++;
	if (count + seen != 2)
		plan->flags |= URL_SLASHES;
	plan_authority(plan, slice_drop(rest, count));
}

static void plan_base_query(struct url_plan *plan)
{
	plan->query = plan->base->query;
	plan->has_query = plan->base->has_query;
	plan->query_coded = true;
}

/* Relative state. */
static void plan_relative(struct url_plan *plan, struct slice rest)
{
	plan->scheme = plan->base->scheme;
	plan->special = plan->base->special;
	if (url_is_slash(plan, slice_at(rest, 0))) {
		if (url_is_slash(plan, slice_at(rest, 1))) {
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
static void plan_file_host(struct url_plan *plan, struct slice rest)
{
	size_t size = 0;

	while (size < rest.len && !url_is_slash(plan, rest.ptr[size]))
		size++;
	const struct slice host = slice_take(rest, size);
	if (url_is_drive(host)) {
		plan->authority = AUTHORITY_EMPTY;
		plan_walk(plan, rest);
		return;
	}
	plan->authority = size == 0 ? AUTHORITY_EMPTY : AUTHORITY_FILE_HOST;
	plan->authority_text = host;
	plan_path_start(plan, slice_drop(rest, size));
}

/* File state and file slash state. */
static void plan_file(struct url_plan *plan, struct slice rest)
{
	const struct url *base = plan->base != NULL && plan->base->special == URL_FILE ? plan->base : NULL;

	plan->scheme = SLICE("file");
	plan->special = URL_FILE;
	plan->authority = AUTHORITY_EMPTY;
	if (url_is_slash(plan, slice_at(rest, 0))) {
		if (url_is_slash(plan, slice_at(rest, 1))) {
			plan_file_host(plan, slice_drop(rest, 2));
			return;
		}
		plan->flags |= URL_SLASHES;
		if (base != NULL) {
			plan->authority = AUTHORITY_BASE;
			if (!starts_with_drive(slice_drop(rest, 1)))
				plan->path_base = url_drive_of(base->path);
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
static void plan_scheme(struct url_plan *plan, struct slice rest)
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
static bool plan_no_scheme(struct url_plan *plan, struct slice rest)
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

bool url_plan_make(struct url_plan *plan, struct slice text)
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
