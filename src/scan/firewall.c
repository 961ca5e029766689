/*
 * Fields that must not come in from outside. It walks lines by itself instead of asking mail/header.h: gate runs the
 * same code over the claims of a scanner that it does not trust.
 */
#include "scan/firewall.h"

static const struct {
	struct slice  prefix;
	enum cut_kind kind;
	uint32_t      bit;
} forbidden[] = {
	{ SLICE_INIT("X-Hangu-"), CUT_HANGU, SCAN_CUT_HANGU },
	{ SLICE_INIT("X-MS-Exchange-Organization-"), CUT_EXCHANGE, SCAN_CUT_EXCHANGE },
	{ SLICE_INIT("X-MS-Exchange-Forest-"), CUT_EXCHANGE, SCAN_CUT_EXCHANGE },
	{ SLICE_INIT("X-MS-Exchange-CrossPremises-"), CUT_EXCHANGE, SCAN_CUT_EXCHANGE },
	{ SLICE_INIT("X-Spam-"), CUT_SPAM, SCAN_CUT_SPAM },
};

#define AUTHSERV_LOOK_MAX 2048u /* bytes behind the colon in which the authserv-id has to begin */

/* White space, line ends and comments in front of a token. */
static struct slice blanks_drop(struct slice s)
{
	unsigned depth = 0;
	size_t   i = 0;

	for (; i < s.len; i++) {
		const uint8_t byte = s.ptr[i];
		if (byte == '\\' && depth != 0)
			i++;
		else if (byte == '(')
			depth++;
		else if (byte == ')' && depth != 0)
			depth--;
		else if (depth == 0 && !byte_is_wsp(byte) && byte != '\r' && byte != '\n')
			break;
	}
	return slice_drop(s, i);
}

/* RFC 8601 section 2.2: the authserv-id is a token or a quoted string in front of the version or the first ";". */
static bool names_us(struct slice value, const struct scan_options *options)
{
	struct slice id = blanks_drop(slice_take(value, AUTHSERV_LOOK_MAX));
	const bool   quoted = slice_at(id, 0) == '"';
	size_t       end = 0;

	if (quoted)
		id = slice_drop(id, 1);
	while (end < id.len && id.ptr[end] != ';' && id.ptr[end] != '"' && id.ptr[end] != '(' && id.ptr[end] > ' ')
		end++;
	id = slice_take(id, end);
	if (slice_last(id) == '.')
		id.len--;
	const struct slice own = options->authserv_id.len != 0 ? options->authserv_id : options->own_name;
	return own.len != 0 && (slice_eq_nocase(id, own) || slice_eq_nocase(id, options->own_name));
}

bool firewall_forbids(struct slice text, const struct scan_options *options, enum cut_kind *ret_kind)
{
	static const struct slice results = SLICE_INIT("Authentication-Results");
	size_t                    name = 0, colon;

	while (name < text.len && text.ptr[name] > ' ' && text.ptr[name] != ':')
		name++;
	colon = name;
	while (colon < text.len && byte_is_wsp(text.ptr[colon]))
		colon++;
	if (slice_at(text, colon) != ':')
		return false;
	const struct slice field = slice_take(text, name);
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		if ((options->cut & forbidden[i].bit) != 0 && slice_starts_nocase(field, forbidden[i].prefix)) {
			*ret_kind = forbidden[i].kind;
			return true;
		}
	}
	if ((options->cut & SCAN_CUT_AUTHENTICATION) == 0 || !slice_eq_nocase(field, results) ||
	    !names_us(slice_drop(text, colon + 1), options))
		return false;
	*ret_kind = CUT_AUTHENTICATION;
	return true;
}

/* Behind the line end of the line at `at`. */
static size_t line_next(struct slice s, size_t at)
{
	const size_t feed = slice_find(slice_drop(s, at), '\n');

	return at + feed + (feed < s.len - at ? 1 : 0);
}

static bool line_empty(struct slice s, size_t at)
{
	return slice_at(s, at) == '\n' || (slice_at(s, at) == '\r' && slice_at(s, at + 1) == '\n');
}

size_t firewall_header_end(struct slice message)
{
	size_t at = 0;

	while (at < message.len) {
		const size_t next = line_next(message, at);
		if (line_empty(message, at))
			return next;
		at = next;
	}
	return message.len;
}

/* Behind the last continuation line of the field at `at`. */
static size_t field_next(struct slice s, size_t at)
{
	size_t next = line_next(s, at);

	while (next < s.len && byte_is_wsp(s.ptr[next]))
		next = line_next(s, next);
	return next;
}

/* The cut that begins at `at`, where a line begins or a CR without LF stands. */
static bool cut_at(struct slice header, size_t at, const struct scan_options *options, struct header_cut *out)
{
	struct header_cut cut = { .offset = (uint32_t)at };
	size_t            end;

	if (at == 0 && byte_is_wsp((uint8_t)slice_at(header, 0))) {
		cut.kind = CUT_LEADING;
		end = field_next(header, 0);
	} else if (at == 0 || header.ptr[at - 1] == '\n') {
		if (!firewall_forbids(slice_drop(header, at), options, &cut.kind))
			return false;
		end = field_next(header, at);
	} else {
		if (!firewall_forbids(slice_drop(header, at + 1), options, &cut.kind))
			return false;
		end = at + 1;
		while (end < header.len && header.ptr[end] != '\r' && header.ptr[end] != '\n')
			end++;
	}
	cut.size = (uint32_t)(end - at);
	*out = cut;
	return true;
}

/* Where the next line or CR without LF stands, from `at` on. header.len: none. */
static size_t start_next(struct slice header, size_t at)
{
	const struct slice line = slice_drop(header, at);
	const size_t       feed = slice_find(line, '\n');
	const size_t       cr = slice_find(slice_take(line, feed), '\r');

	if (cr < feed && cr + 1 != feed)
		return at + cr;
	if (cr < feed && feed == line.len)
		return at + cr; /* a CR at the very end */
	return feed == line.len ? header.len : at + feed + 1;
}

bool firewall_find(struct slice message, size_t header_end, const struct scan_options *options, struct header_cut *cuts,
                   size_t *ret_count)
{
	const struct slice header = slice_take(message, header_end);
	size_t             at = 0;

	*ret_count = 0;
	while (at < header.len) {
		struct header_cut cut;
		if (!cut_at(header, at, options, &cut)) {
			at = start_next(header, header.ptr[at] == '\r' ? at + 1 : at);
			continue;
		}
		if (*ret_count == FINDINGS_CUTS_MAX)
			return false;
		cuts[(*ret_count)++] = cut;
		at = cut.offset + cut.size;
	}
	return true;
}

bool firewall_cut_valid(struct slice message, size_t header_end, const struct scan_options *options,
                        const struct header_cut *cut)
{
	const struct slice header = slice_take(message, header_end);
	struct header_cut  true_cut;

	if (cut->offset >= header.len || cut->size == 0)
		return false;
	const bool starts = cut->offset == 0 || header.ptr[cut->offset - 1] == '\n' ||
	                    (header.ptr[cut->offset] == '\r' && slice_at(header, cut->offset + 1) != '\n');
	return starts && cut_at(header, cut->offset, options, &true_cut) && true_cut.kind == cut->kind &&
	       true_cut.size == cut->size;
}
