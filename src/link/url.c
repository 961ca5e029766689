/*
 * The basic URL parser. The standard's states walk over single code points; here the text is cut at its delimiters
 * first ("?" and "#" end every state behind the scheme), a plan says what comes from the text and what from the base
 * (url_plan.c), and then everything is written once (url_build.c). Hosts and percent-encoding: url_host.c.
 */
#include "link/url.h"

#include "link/url_host.h"
#include "link/url_plan.h"

static const struct {
	struct slice name;
	int32_t      port;
} specials[] = {
	[URL_ORDINARY] = { SLICE_INIT(""), -1 },    [URL_FTP] = { SLICE_INIT("ftp"), 21 },
	[URL_FILE] = { SLICE_INIT("file"), -1 },    [URL_HTTP] = { SLICE_INIT("http"), 80 },
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
	const size_t    used = arena->used;
	struct url_plan plan = { .base = base };
	struct url      url = { .port = -1 };

	if (text.len > URL_BYTES_MAX)
		return RC_LIMIT;
	enum rc rc = clean(text, arena, &text, &plan.flags);
	if (rc == RC_OK && !url_plan_make(&plan, text))
		rc = RC_SYNTAX;
	struct writer writer = { .room = 0 };
	if (rc == RC_OK) {
		writer.room = room_for(text) + (base == NULL ? 0 : base->href.len) + URL_HOST_ROOM;
		writer.ptr = arena_bytes(arena, writer.room);
		rc = writer.ptr == NULL ? RC_NOMEM : url_build(&plan, &writer, &url);
	}
	if (rc != RC_OK) {
		arena->used = used;
		return rc;
	}
	arena->used -= writer.room - writer.len;
	*out = url;
	return RC_OK;
}
