/*
 * One link at a time: the table's services first, which say where their target stands; then whatever else in it looks
 * like a URL. What is found is looked at in turn, so that wrappers in wrappers come off.
 */
#include "link/unwrap.h"

#include "link/unwrap_table.h"
#include "link/writer.h"

#define PARAMETERS_MAX 64u
#define ENCODINGS_MAX  3u

struct work {
	struct arena     *arena;
	struct unwrap    *out;
	size_t            parent;
	size_t            depth;
	const struct url *url;
	enum rc           rc; /* RC_NOMEM sticks */
};

static bool starts_as_url(struct slice s)
{
	return slice_starts_nocase(s, SLICE("http://")) || slice_starts_nocase(s, SLICE("https://")) ||
	       slice_starts_nocase(s, SLICE("http:\\")) || slice_starts_nocase(s, SLICE("https:\\")) ||
	       slice_starts_nocase(s, SLICE("ftp://"));
}

/* A percent sign still means something. */
static bool is_encoded(struct slice s)
{
	for (size_t at = slice_find(s, '%'); at < s.len; at += 1 + slice_find(slice_drop(s, at + 1), '%')) {
		if (hex_digit(slice_at(s, at + 1)) >= 0 && hex_digit(slice_at(s, at + 2)) >= 0)
			return true;
	}
	return false;
}

static bool bytes_take(struct work *work, size_t room, struct writer *out)
{
	*out = (struct writer){ .ptr = arena_bytes(work->arena, room), .room = room };
	if (out->ptr == NULL)
		work->rc = RC_NOMEM;
	return out->ptr != NULL;
}

static struct slice decode_once(struct work *work, struct slice s)
{
	struct writer writer;

	if (!bytes_take(work, s.len, &writer))
		return (struct slice){ NULL, 0 };
	writer_percent_decoded(&writer, s);
	return writer_from(&writer, 0);
}

static bool is_same(const struct work *work, const struct url *url)
{
	if (slice_eq(url->href, work->url->href))
		return true;
	for (size_t i = 0; i < work->out->count; i++) {
		if (work->out->items[i].has_url && slice_eq(work->out->items[i].url.href, url->href))
			return true;
	}
	return false;
}

static void add(struct work *work, const char *by, enum unwrap_kind kind, const struct url *url)
{
	struct unwrap *out = work->out;

	if (out->count == UNWRAP_TARGETS_MAX || work->depth > UNWRAP_DEPTH_MAX) {
		out->cut = true;
		return;
	}
	struct unwrap_target *target = &out->items[out->count++];
	*target = (struct unwrap_target){ .by = by, .kind = kind, .depth = work->depth, .parent = work->parent };
	if (url != NULL) {
		target->has_url = true;
		target->url = *url;
	}
}

/* `value` as it stands is a URL, or a host without scheme when the service says so. True: a target (new or known). */
static bool add_text(struct work *work, const char *by, enum unwrap_kind kind, struct slice value, bool sure)
{
	struct url url;

	if (value.len == 0 || value.len > UNWRAP_VALUE_MAX)
		return false;
	if (!starts_as_url(value)) {
		const bool relative = slice_starts(value, SLICE("//"));
		if (!relative && !sure && !slice_starts_nocase(value, SLICE("www.")))
			return false;
		if (slice_find(value, '.') == value.len || (!relative && (value.ptr[0] == '/' || value.ptr[0] == '.')))
			return false;
		struct writer writer;
		if (!bytes_take(work, value.len + 7, &writer))
			return false;
		writer_put(&writer, relative ? SLICE("http:") : SLICE("http://"));
		writer_put(&writer, value);
		value = writer_from(&writer, 0);
	}
	const enum rc rc = url_parse(value, NULL, work->arena, &url);
	if (rc == RC_NOMEM)
		work->rc = rc;
	if (rc != RC_OK || url.host.len == 0)
		return false;
	if (!is_same(work, &url))
		add(work, by, kind, &url);
	return true;
}

/* The same, after as many percent-decodings as it takes. */
static bool add_value(struct work *work, const char *by, enum unwrap_kind kind, struct slice value, bool sure)
{
	const size_t used = work->arena->used;

	for (size_t i = 0; i <= ENCODINGS_MAX && work->rc == RC_OK; i++) {
		const bool encoded = i < ENCODINGS_MAX && is_encoded(value);
		if ((starts_as_url(value) || !encoded) && add_text(work, by, kind, value, sure))
			return true;
		if (!encoded)
			break;
		value = decode_once(work, value);
	}
	work->arena->used = used;
	return false;
}

/* base64, either alphabet, padded or not; stops at the first byte that is none. */
static struct slice base64_read(struct work *work, struct slice text)
{
	struct writer writer;
	uint32_t      bits = 0;
	unsigned      count = 0;

	if (!bytes_take(work, text.len, &writer))
		return (struct slice){ NULL, 0 };
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.ptr[i];
		uint32_t      value = 64;
		if (c >= 'A' && c <= 'Z')
			value = c - 'A';
		else if (c >= 'a' && c <= 'z')
			value = c - 'a' + 26u;
		else if (c >= '0' && c <= '9')
			value = c - '0' + 52u;
		else if (c == '+' || c == '-')
			value = 62;
		else if (c == '/' || c == '_')
			value = 63;
		if (value == 64)
			break;
		bits = bits << 6 | value;
		if (++count % 4 != 1)
			writer_byte(&writer, (uint8_t)(bits >> (count % 4 == 2 ? 4 : count % 4 == 3 ? 2 : 0)));
	}
	return writer_from(&writer, 0);
}

static bool add_base64(struct work *work, const char *by, enum unwrap_kind kind, struct slice value)
{
	for (size_t skip = 0; skip <= 2 && work->rc == RC_OK; skip += 2) {
		const struct slice text = base64_read(work, slice_drop(value, skip));
		if (starts_as_url(text) && add_text(work, by, kind, text, false))
			return true;
	}
	return false;
}

/* "a|b|c" holds `name`, in any case. */
static bool is_named(struct slice names, struct slice name)
{
	while (names.len != 0) {
		if (slice_eq_nocase(slice_until(&names, '|'), name))
			return true;
	}
	return false;
}

/* The next "name=value" of a query. */
static bool parameter_take(struct slice *query, struct slice *name, struct slice *value)
{
	if (query->len == 0)
		return false;
	size_t size = 0;
	while (size < query->len && query->ptr[size] != '&' && query->ptr[size] != ';')
		size++;
	struct slice pair = slice_take(*query, size);
	*query = slice_drop(*query, size + 1);
	*name = slice_until(&pair, '=');
	*value = pair;
	return true;
}

/*
 * A value that is a URL of its own, unencoded, goes on to the end of the query: its "&" are its own. Sites read it
 * cut, people whole; the cut one is taken, for that is where the site leads.
 */
static struct slice parameter_find(struct slice query, struct slice names)
{
	struct slice name, value;

	for (size_t i = 0; i < PARAMETERS_MAX && parameter_take(&query, &name, &value); i++) {
		if (value.len != 0 && is_named(names, name))
			return value;
	}
	return (struct slice){ NULL, 0 };
}

/* Proofpoint version 2: "https-3A__example.com_a" for "https://example.com/a". */
static struct slice proofpoint_2(struct work *work, struct slice value)
{
	struct writer writer;

	if (!bytes_take(work, value.len, &writer))
		return value;
	for (size_t i = 0; i < value.len; i++) {
		const uint8_t c = value.ptr[i];
		writer_byte(&writer, c == '-' ? '%' : c == '_' ? '/' : c);
	}
	return decode_once(work, writer_from(&writer, 0));
}

static size_t run_length(int c)
{
	const struct slice all = SLICE("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

	if (c < 0)
		return 0;
	const size_t index = slice_find(all, (uint8_t)c);
	return index == all.len ? 0 : index + 2;
}

/*
 * Proofpoint version 3: "__URL__;BASE64!!HASH". Each "*" in the URL is a character put aside in the base64, "**x" a
 * run of them whose length x says.
 */
static struct slice proofpoint_3(struct work *work, struct slice path)
{
	const size_t start = slice_search(path, SLICE("__"));
	struct slice rest = slice_drop(path, start + 2);
	const size_t end = slice_search(rest, SLICE("__;"));
	struct slice text = slice_take(rest, end == rest.len ? slice_search(rest, SLICE("__")) : end);
	rest = slice_drop(rest, end + 3);
	struct slice  aside = base64_read(work, slice_take(rest, slice_find(rest, '!')));
	struct writer writer;

	if (!bytes_take(work, text.len + aside.len, &writer))
		return (struct slice){ NULL, 0 };
	while (text.len != 0) {
		size_t run = 0, size = 1;
		if (text.ptr[0] == '*') {
			run = slice_at(text, 1) == '*' ? run_length(slice_at(text, 2)) : 1;
			size = slice_at(text, 1) == '*' ? 3 : 1;
		}
		if (run == 0 || aside.len == 0)
			writer_put(&writer, slice_take(text, 1));
		for (; run != 0 && aside.len != 0; run--) {
			uint32_t     code_point;
			bool         valid;
			const size_t bytes = utf8_take(aside, &code_point, &valid);
			writer_put(&writer, slice_take(aside, bytes));
			aside = slice_drop(aside, bytes);
		}
		text = slice_drop(text, size);
	}
	return writer_from(&writer, 0);
}

/* "example-com.translate.goog": the host it stands for. */
static struct slice translate_host(struct work *work, const struct url *url)
{
	struct writer      writer;
	const struct slice label = slice_take(url->host, slice_find(url->host, '.'));

	if (!bytes_take(work, label.len + url->path.len, &writer))
		return (struct slice){ NULL, 0 };
	for (size_t i = 0; i < label.len; i++) {
		const bool twice = label.ptr[i] == '-' && slice_at(label, i + 1) == '-';
		writer_byte(&writer, label.ptr[i] == '-' && !twice ? '.' : label.ptr[i]);
		i += twice;
	}
	writer_put(&writer, url->path);
	return writer_from(&writer, 0);
}

/* The path from where a URL begins in it, the query with it. */
static struct slice url_in_path(const struct url *url)
{
	const size_t       offset = (size_t)(url->path.ptr - url->href.ptr);
	const struct slice all = slice_drop(url->href, offset);
	const struct slice path = slice_drop(url->path, 1);
	size_t             at = slice_search_nocase(path, SLICE("http"));

	while (at < path.len) {
		const struct slice rest = slice_drop(path, at);
		const size_t       skip = slice_starts_nocase(rest, SLICE("https")) ? 5 : 4;
		const struct slice colon = slice_drop(rest, skip);
		if (slice_starts(colon, SLICE(":/")) || slice_starts_nocase(colon, SLICE("%3a%2f")) ||
		    slice_starts_nocase(colon, SLICE(":%2f")) || slice_starts_nocase(colon, SLICE("%253a")))
			return slice_drop(all, at + 1);
		at += 4 + slice_search_nocase(slice_drop(rest, 4), SLICE("http"));
	}
	return (struct slice){ NULL, 0 };
}

/* "https:/x" inside a path: servers and browsers merge slashes. */
static struct slice slashes_mended(struct work *work, struct slice s)
{
	const size_t colon = slice_find(s, ':');

	if (colon > 5 || slice_at(s, colon + 1) != '/' || slice_at(s, colon + 2) == '/')
		return s;
	struct writer writer;
	if (!bytes_take(work, s.len + 1, &writer))
		return s;
	writer_put(&writer, slice_take(s, colon + 2));
	writer_byte(&writer, '/');
	writer_put(&writer, slice_drop(s, colon + 2));
	return writer_from(&writer, 0);
}

static struct slice yahoo_value(struct slice path)
{
	const size_t       at = slice_search(path, SLICE("/RU="));
	const struct slice rest = slice_drop(path, at + 4);

	return slice_take(rest, slice_find(rest, '/'));
}

static struct slice amp_value(const struct unwrap_service *service, struct slice path)
{
	struct slice rest = slice_drop(path, service->path.len);

	return slice_starts(rest, SLICE("s/")) ? slice_drop(rest, 2) : rest;
}

static bool service_read(struct work *work, const struct unwrap_service *service, const struct url *url)
{
	const struct slice value = parameter_find(url->query, service->names);

	switch (service->how) {
	case HOW_PARAMETER:
		return add_value(work, service->name, service->kind, value, true) ||
		       add_base64(work, service->name, service->kind, value);
	case HOW_BASE64:
		return add_base64(work, service->name, service->kind, value) ||
		       add_value(work, service->name, service->kind, value, true);
	case HOW_PROOFPOINT_2:
		return add_value(work, service->name, service->kind, proofpoint_2(work, value), true);
	case HOW_PROOFPOINT_3:
		return add_value(
			work, service->name, service->kind,
			slashes_mended(work, proofpoint_3(work, slice_drop(url->href,
		                                                           (size_t)(url->path.ptr - url->href.ptr)))),
			true);
	case HOW_PATH:
		return add_value(work, service->name, service->kind, slashes_mended(work, url_in_path(url)), true);
	case HOW_AMP:
		return add_value(work, service->name, service->kind, amp_value(service, url->path), true);
	case HOW_YAHOO:
		return add_value(work, service->name, service->kind, yahoo_value(url->path), true);
	case HOW_TRANSLATE:
		return add_value(work, service->name, service->kind, translate_host(work, url), true);
	case HOW_DOMAIN:
		if (!add_value(work, service->name, service->kind, value, true))
			add(work, service->name, UNWRAP_OPAQUE, NULL);
		return true;
	case HOW_NOT:
		add(work, service->name, UNWRAP_OPAQUE, NULL);
		return true;
	}
	return false;
}

/* "example.com" matches itself and what is below; "google.*" one or two more labels. */
static bool host_matches(struct slice host, struct slice pattern)
{
	if (slice_last(pattern) == '*') {
		const struct slice stem = slice_take(pattern, pattern.len - 1);
		const size_t       at = slice_search(host, stem);
		const struct slice top = slice_drop(host, at + stem.len);
		const size_t       dot = slice_find(top, '.');
		return at < host.len && (at == 0 || host.ptr[at - 1] == '.') && top.len != 0 &&
		       (dot == top.len || (dot <= 3 && slice_find(slice_drop(top, dot + 1), '.') == top.len - dot - 1));
	}
	return slice_ends(host, pattern) && (host.len == pattern.len || host.ptr[host.len - pattern.len - 1] == '.');
}

static bool services_read(struct work *work, const struct url *url)
{
	for (size_t i = 0; i < unwrap_services_count; i++) {
		const struct unwrap_service *service = &unwrap_services[i];
		if (host_matches(url->host, service->host) && slice_starts_nocase(url->path, service->path) &&
		    service_read(work, service, url))
			return true;
	}
	for (size_t i = 0; i < unwrap_shorteners_count; i++) {
		if (host_matches(url->host, unwrap_shorteners[i]) && url->path.len > 1) {
			add(work, "shortener", UNWRAP_SHORTENER, NULL);
			return true;
		}
	}
	return false;
}

static bool is_redirect_name(struct slice name)
{
	for (size_t i = 0; i < unwrap_parameters_count; i++) {
		if (slice_eq_nocase(name, unwrap_parameters[i]))
			return true;
	}
	return false;
}

/* Looks like a host with a path: "example.com/x". */
static bool looks_like_host(struct slice value)
{
	size_t dots = 0, size = 0;

	for (; size < value.len && value.ptr[size] != '/'; size++) {
		if (!byte_is_alnum(value.ptr[size]) && value.ptr[size] != '-' && value.ptr[size] != '.')
			return false;
		dots += value.ptr[size] == '.' && size != 0;
	}
	return dots != 0 && size >= 4 && size < value.len && byte_is_alpha(value.ptr[size - 1]);
}

static void parameters_read(struct work *work, struct slice query, const char *by)
{
	struct slice name, value;

	for (size_t i = 0; i < PARAMETERS_MAX && work->rc == RC_OK && parameter_take(&query, &name, &value); i++) {
		const bool sure = is_redirect_name(name) && looks_like_host(value);
		if (add_value(work, by, UNWRAP_CANDIDATE, value.len != 0 ? value : name, sure))
			continue;
		/* "aHR0c" is "http" in base64, whatever follows. */
		if (slice_starts(value, SLICE("aHR0c")) || slice_starts(value, SLICE("a1aHR0c")))
			(void)add_base64(work, by, UNWRAP_CANDIDATE, value);
	}
}

static void base64_in_path(struct work *work, struct slice path)
{
	while (path.len != 0 && work->rc == RC_OK) {
		const struct slice segment = slice_until(&path, '/');
		if (slice_starts(segment, SLICE("aHR0c")))
			(void)add_base64(work, "path", UNWRAP_CANDIDATE, segment);
	}
}

static void one(struct work *work, const struct url *url)
{
	const size_t before = work->out->count;

	if (url->href.len > UNWRAP_URL_MAX) {
		work->out->cut = true;
		return;
	}
	const bool known = url->host.len != 0 && services_read(work, url);

	if (known && work->out->count > before && work->out->items[before].has_url)
		return;
	parameters_read(work, url->query, "parameter");
	parameters_read(work, url->fragment, "fragment");
	if (work->rc != RC_OK || url->path.len == 0 || url->opaque_path)
		return;
	const struct slice inside = url_in_path(url);
	if (inside.len != 0)
		(void)add_value(work, "path", UNWRAP_CANDIDATE, slashes_mended(work, inside), false);
	base64_in_path(work, url->path);
}

enum rc unwrap_url(const struct url *url, struct arena *arena, struct unwrap *out)
{
	struct unwrap found = { .count = 0 };
	struct work   work = { .arena = arena, .out = &found, .parent = UNWRAP_TARGETS_MAX, .depth = 1, .url = url };

	one(&work, url);
	for (size_t i = 0; i < found.count && work.rc == RC_OK; i++) {
		if (!found.items[i].has_url)
			continue;
		work.parent = i;
		work.depth = found.items[i].depth + 1;
		one(&work, &found.items[i].url);
	}
	if (work.rc != RC_OK)
		return work.rc;
	*out = found;
	return RC_OK;
}
