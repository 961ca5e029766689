/*
 * SMTP paths: strict, one at a time. The grammar is RFC 5321 section 4.1.2 with RFC 6531 section 3.3 for bytes above
 * 0x7f. Lists of header fields are mail/address_list.c's.
 */
#include "mail/address.h"

#include "mail/domain.h"

static bool is_atext(uint8_t byte)
{
	if (byte_is_alnum(byte) || byte >= 0x80)
		return true;
	switch (byte) {
	case '!':
	case '#':
	case '$':
	case '%':
	case '&':
	case '\'':
	case '*':
	case '+':
	case '-':
	case '/':
	case '=':
	case '?':
	case '^':
	case '_':
	case '`':
	case '{':
	case '|':
	case '}':
	case '~':
		return true;
	default:
		return false;
	}
}

/* Bytes of the quoted string at the front of `s`, quotes included; 0: it is none. */
static size_t quoted_bytes(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		const uint8_t byte = s.ptr[i];
		if (byte == '"')
			return i + 1;
		if (byte == '\\') {
			if (i + 1 == s.len || !byte_is_print(s.ptr[i + 1]))
				return 0;
			i++;
		} else if (byte < 0x80 && !byte_is_print(byte)) {
			return 0;
		}
	}
	return 0;
}

/* Bytes of the dot-string at the front of `s`; 0: it is none. A dot at an end, or two together, make it none. */
static size_t dot_string_bytes(struct slice s)
{
	size_t end = 0;

	while (end < s.len && (is_atext(s.ptr[end]) || (s.ptr[end] == '.' && end != 0 && s.ptr[end - 1] != '.')))
		end++;
	return end != 0 && s.ptr[end - 1] == '.' ? 0 : end;
}

static bool has_wide(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] >= 0x80)
			return true;
	}
	return false;
}

static enum rc take_local(struct slice *rest, unsigned flags, struct address *out)
{
	out->quoted = slice_at(*rest, 0) == '"';
	out->local = slice_take(*rest, out->quoted ? quoted_bytes(*rest) : dot_string_bytes(*rest));
	if (out->local.len == 0)
		return RC_SYNTAX;
	if (has_wide(out->local)) {
		out->utf8 = true;
		if (!utf8_valid(out->local))
			return RC_SYNTAX;
	}
	*rest = slice_drop(*rest, out->local.len);
	return out->local.len > (flags & ADDRESS_LONG ? ADDRESS_LONG_LOCAL_MAX : ADDRESS_LOCAL_MAX) ? RC_LIMIT : RC_OK;
}

/* RFC 5321 section 4.1.3: in a literal "::" stands for at least two groups, so six others at most are written. */
static bool compresses_one(struct slice text)
{
	unsigned groups = 0;

	if (slice_search(text, SLICE("::")) == text.len)
		return false;
	while (text.len != 0) {
		const struct slice group = slice_until(&text, ':');
		groups += group.len == 0 ? 0 : slice_find(group, '.') != group.len ? 2 : 1;
	}
	return groups > 6;
}

static enum rc read_literal(struct slice content, struct ip *out)
{
	if (!slice_starts_nocase(content, SLICE("IPv6:")))
		return ip_v4_read(content, out);
	const struct slice text = slice_drop(content, 5);
	return compresses_one(text) ? RC_SYNTAX : ip_v6_read(text, out);
}

/* "[...]" or a name, up to what cannot be part of one. */
static enum rc take_domain(struct slice *rest, struct address *out)
{
	size_t end = 0;

	if (slice_at(*rest, 0) == '[') {
		end = slice_find(*rest, ']');
		if (end == rest->len || read_literal(slice_cut(*rest, 1, end - 1), &out->ip) != RC_OK)
			return RC_SYNTAX;
		out->kind = ADDRESS_IS_LITERAL;
		end++;
		out->domain = slice_take(*rest, end);
		*rest = slice_drop(*rest, end);
		return RC_OK;
	}
	while (end < rest->len && (byte_is_alnum(rest->ptr[end]) || rest->ptr[end] >= 0x80 || rest->ptr[end] == '.' ||
	                           rest->ptr[end] == '-' || rest->ptr[end] == '_'))
		end++;
	out->kind = ADDRESS_IS_HOSTED;
	out->domain = slice_take(*rest, end);
	*rest = slice_drop(*rest, end);
	if (has_wide(out->domain))
		out->utf8 = true;
	return domain_check(out->domain, true);
}

/*
 * A mailbox at the front of `*rest`. Lengths are told only when the grammar holds, so a code never depends on what is
 * looked at first.
 */
static enum rc take_mailbox(struct slice *rest, unsigned flags, struct address *out)
{
	const size_t  before = rest->len;
	enum rc       rc = take_local(rest, flags, out);
	const enum rc local = rc;

	if (rc != RC_OK && rc != RC_LIMIT)
		return rc;
	if (slice_at(*rest, 0) != '@') {
		out->kind = ADDRESS_IS_LOCAL;
		if (flags & ADDRESS_POSTMASTER && slice_eq_nocase(out->local, SLICE("postmaster")))
			return RC_OK;
		return RC_SYNTAX;
	}
	*rest = slice_drop(*rest, 1);
	rc = take_domain(rest, out);
	if (rc != RC_OK)
		return rc;
	if (!(flags & ADDRESS_LONG) && before - rest->len > ADDRESS_PATH_MAX - 2)
		return RC_LIMIT;
	return local;
}

/* "@a,@b:" at the front of `*rest`, moved past: RFC 5321 appendix F.2 asks to accept and to ignore it. */
static enum rc skip_route(struct slice *rest, struct address *out)
{
	const size_t before = rest->len;

	for (;;) {
		struct address hop = { 0 };
		if (slice_at(*rest, 0) != '@')
			return RC_SYNTAX;
		*rest = slice_drop(*rest, 1);
		const enum rc rc = take_domain(rest, &hop);
		if (rc != RC_OK)
			return rc;
		out->utf8 = out->utf8 || hop.utf8;
		const int next = slice_at(*rest, 0);
		*rest = slice_drop(*rest, 1);
		if (before - rest->len > ADDRESS_ROUTE_MAX)
			return RC_LIMIT;
		if (next == ':')
			break;
		if (next != ',')
			return RC_SYNTAX;
	}
	out->routed = true;
	return RC_OK;
}

static enum rc take_angled(struct slice *rest, unsigned flags, struct address *out)
{
	*rest = slice_drop(*rest, 1);
	if (slice_at(*rest, 0) == '>') {
		*rest = slice_drop(*rest, 1);
		out->kind = ADDRESS_IS_NULL;
		return flags & ADDRESS_NULL ? RC_OK : RC_SYNTAX;
	}
	if (slice_at(*rest, 0) == '@') {
		const enum rc rc = skip_route(rest, out);
		if (rc != RC_OK)
			return rc;
	}
	const enum rc rc = take_mailbox(rest, flags, out);
	if (rc != RC_OK && rc != RC_LIMIT)
		return rc;
	if (slice_at(*rest, 0) != '>')
		return RC_SYNTAX;
	*rest = slice_drop(*rest, 1);
	return rc;
}

enum rc address_path_take(struct slice *input, unsigned flags, struct address *out)
{
	struct slice   rest = *input;
	struct address address = { 0 };
	enum rc        rc = RC_SYNTAX;

	if (slice_at(rest, 0) == '<')
		rc = take_angled(&rest, flags, &address);
	else if (flags & ADDRESS_BARE)
		rc = take_mailbox(&rest, flags, &address);
	if (rc != RC_OK)
		return rc;
	if (address.utf8 && !(flags & ADDRESS_UTF8))
		return RC_UNSUPPORTED;
	*input = rest;
	*out = address;
	return RC_OK;
}

enum rc address_path_read(struct slice text, unsigned flags, struct address *out)
{
	struct address address;
	const enum rc  rc = address_path_take(&text, flags, &address);

	if (rc != RC_OK)
		return rc;
	if (text.len != 0)
		return RC_SYNTAX;
	*out = address;
	return RC_OK;
}

enum rc address_mailbox_read(struct slice text, unsigned flags, struct address *out)
{
	if (slice_at(text, 0) == '<')
		return RC_SYNTAX;
	return address_path_read(text, (flags | ADDRESS_BARE) & ~(unsigned)ADDRESS_NULL, out);
}

void address_write(const struct address *address, struct buf *out)
{
	buf_put(out, address->local);
	if (address->domain.len != 0) {
		buf_put_byte(out, '@');
		buf_put(out, address->domain);
	}
}

void address_local_write(const struct address *address, struct buf *out)
{
	struct slice rest = address->local;

	if (!address->quoted) {
		buf_put(out, rest);
		return;
	}
	rest = slice_cut(rest, 1, rest.len - 2);
	while (rest.len != 0) {
		if (rest.ptr[0] == '\\')
			rest = slice_drop(rest, 1);
		buf_put(out, slice_take(rest, 1));
		rest = slice_drop(rest, 1);
	}
}

/* The local part as meant, in lower case; quoted again, in one way, when it is no dot-string. */
static void put_local_key(const struct address *address, struct buf *out)
{
	const size_t start = out->len;

	address_local_write(address, out);
	if (out->failed)
		return;
	for (size_t i = start; i < out->len; i++)
		out->ptr[i] = byte_lower(out->ptr[i]);
	const size_t       count = out->len - start;
	const struct slice plain = slice_drop(buf_slice(out), start);
	if (count != 0 && dot_string_bytes(plain) == count)
		return;
	/* Bytes move up by the quotes and backslashes put in, from the last to the first. */
	size_t added = 2;
	for (size_t i = 0; i < count && i < plain.len; i++)
		added += plain.ptr[i] == '"' || plain.ptr[i] == '\\';
	uint8_t *behind = buf_reserve(out, added);
	if (behind == NULL)
		return;
	buf_grew(out, added);
	uint8_t *to = out->ptr + out->len;
	*--to = '"';
	for (size_t i = count; i-- > 0;) {
		const uint8_t byte = out->ptr[start + i];
		*--to = byte;
		if (byte == '"' || byte == '\\')
			*--to = '\\';
	}
	*--to = '"';
}

enum rc address_key(const struct address *address, struct buf *out)
{
	const size_t start = out->len;
	enum rc      rc = RC_OK;

	if (out->failed)
		return RC_LIMIT;
	if (address->kind != ADDRESS_IS_NULL)
		put_local_key(address, out);
	if (address->domain.len != 0) {
		buf_put_byte(out, '@');
		if (address->kind == ADDRESS_IS_LITERAL) {
			buf_put_str(out, address->ip.family == IP_V6 ? "[ipv6:" : "[");
			ip_write(&address->ip, out);
			buf_put_byte(out, ']');
		} else {
			rc = domain_ascii(address->domain, out);
		}
	}
	if (rc == RC_OK && !out->failed)
		return RC_OK;
	out->failed = false;
	buf_truncate(out, start);
	return RC_LIMIT;
}
