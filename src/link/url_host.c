/* Hosts: domains, the many ways to write an IPv4 address, IPv6, opaque ones; and the percent-encode sets. */
#include "link/url_host.h"

#include "link/idna.h"

#define LOW(byte)  (UINT64_C(1) << (byte))
#define HIGH(byte) (UINT64_C(1) << ((byte)-64))

/* Bits of the 128 ASCII codes: the lower 64 first. Source: URL Standard section 1.3. */
#define C0_LOW       UINT64_C(0xffffffff)
#define C0_HIGH      HIGH(0x7f)
#define FRAGMENT_LOW (C0_LOW | LOW(' ') | LOW('"') | LOW('<') | LOW('>'))
#define QUERY_LOW    (C0_LOW | LOW(' ') | LOW('"') | LOW('#') | LOW('<') | LOW('>'))
#define PATH_LOW     (QUERY_LOW | LOW('?'))
#define PATH_HIGH    (C0_HIGH | HIGH('^') | HIGH('`') | HIGH('{') | HIGH('}'))

static const uint64_t sets[][2] = {
	[URL_SET_C0] = { C0_LOW, C0_HIGH },
	[URL_SET_FRAGMENT] = { FRAGMENT_LOW, C0_HIGH | HIGH('`') },
	[URL_SET_QUERY] = { QUERY_LOW, C0_HIGH },
	[URL_SET_SPECIAL_QUERY] = { QUERY_LOW | LOW('\''), C0_HIGH },
	[URL_SET_PATH] = { PATH_LOW, PATH_HIGH },
	[URL_SET_USERINFO] = { PATH_LOW | LOW('/') | LOW(':') | LOW(';') | LOW('='),
	                       PATH_HIGH | HIGH('@') | HIGH('[') | HIGH('\\') | HIGH(']') | HIGH('|') },
};

/* Section 3.1, forbidden host code points, and the further ones of domains. */
static const uint64_t forbidden_host[2] = {
	LOW(0) | LOW('\t') | LOW('\n') | LOW('\r') | LOW(' ') | LOW('#') | LOW('/') | LOW(':') | LOW('<') | LOW('>') |
		LOW('?'),
	HIGH('@') | HIGH('[') | HIGH('\\') | HIGH(']') | HIGH('^') | HIGH('|'),
};
static const uint64_t forbidden_domain[2] = {
	C0_LOW | LOW(' ') | LOW('#') | LOW('/') | LOW(':') | LOW('<') | LOW('>') | LOW('?') | LOW('%'),
	C0_HIGH | HIGH('@') | HIGH('[') | HIGH('\\') | HIGH(']') | HIGH('^') | HIGH('|'),
};

static bool in_set(const uint64_t set[2], uint8_t byte)
{
	return byte < 0x80 && (set[byte >> 6] >> (byte & 63) & 1) != 0;
}

void url_encode(struct slice text, enum url_set set, struct writer *out, uint32_t *flags)
{
	while (text.len != 0) {
		size_t plain = 0;
		while (plain < text.len && text.ptr[plain] < 0x80 && !in_set(sets[set], text.ptr[plain]))
			plain++;
		writer_put(out, slice_take(text, plain));
		text = slice_drop(text, plain);
		if (text.len == 0)
			break;
		uint32_t     code_point;
		bool         valid;
		const size_t size = utf8_take(text, &code_point, &valid);
		for (size_t i = 0; valid && i < size; i++)
			writer_percent(out, text.ptr[i]);
		if (!valid) {
			*flags |= URL_INVALID_UTF8;
			writer_put(out, SLICE("%EF%BF%BD"));
		}
		text = slice_drop(text, size);
	}
}

/*
 * An IPv4 number, section 3.5: "0x" is hexadecimal, a leading "0" octal. False: none. Values above what any part
 * could hold stay above it.
 */
static bool number_read(struct slice text, uint64_t *out, uint32_t *flags)
{
	uint64_t base = 10, value = 0;

	if (text.len == 0)
		return false;
	if (slice_starts_nocase(text, SLICE("0x"))) {
		base = 16;
		text = slice_drop(text, 2);
		*flags |= URL_IPV4_HEX | URL_IPV4_NUMBER;
	} else if (text.len >= 2 && text.ptr[0] == '0') {
		base = 8;
		text = slice_drop(text, 1);
		*flags |= URL_IPV4_OCTAL | URL_IPV4_NUMBER;
	}
	for (size_t i = 0; i < text.len; i++) {
		const int digit = hex_digit(text.ptr[i]);
		if (digit < 0 || (uint64_t)digit >= base)
			return false;
		if (value <= UINT32_MAX)
			value = value * base + (uint64_t)digit;
	}
	*out = value;
	return true;
}

/* Whether the last label makes the whole an IPv4 address or nothing. */
static bool ends_in_number(struct slice host)
{
	uint64_t value;
	uint32_t unused = 0;

	if (slice_last(host) == '.')
		host.len--;
	const size_t       dot = slice_find_last(host, '.');
	const struct slice last = dot == host.len ? host : slice_drop(host, dot + 1);
	if (last.len == 0)
		return false;
	size_t digits = 0;
	while (digits < last.len && byte_is_digit(last.ptr[digits]))
		digits++;
	return digits == last.len || number_read(last, &value, &unused);
}

static bool ipv4_read(struct slice host, uint32_t *out, uint32_t *flags)
{
	uint64_t parts[4];
	size_t   count = 0;
	uint32_t found = 0;

	if (slice_last(host) == '.')
		host.len--;
	for (bool more = true; more; count++) {
		more = slice_find(host, '.') != host.len;
		if (count == 4 || !number_read(slice_until(&host, '.'), &parts[count], &found))
			return false;
	}
	uint64_t address = parts[count - 1];
	if (address >= UINT64_C(1) << (8 * (5 - count)))
		return false;
	for (size_t i = 0; i + 1 < count; i++) {
		if (parts[i] > 255)
			return false;
		address += parts[i] << (8 * (3 - i));
	}
	*flags |= found | (count != 4 ? URL_IPV4_NUMBER : 0);
	*out = (uint32_t)address;
	return true;
}

static void ipv4_write(uint32_t address, struct writer *out)
{
	for (unsigned shift = 32; shift != 0; shift -= 8) {
		writer_number(out, address >> (shift - 8) & 255);
		if (shift != 8)
			writer_byte(out, '.');
	}
}

/* The dotted tail of an IPv6 address: four decimal numbers without leading zeros, and nothing behind. */
static bool ipv4_tail_read(struct slice text, uint16_t pair[2])
{
	uint32_t address = 0;

	for (unsigned part = 0; part < 4; part++) {
		const struct slice digits = part < 3 ? slice_take(text, slice_find(text, '.')) : text;
		uint32_t           value = 0;
		if (digits.len == 0 || digits.len > 3 || (digits.len > 1 && digits.ptr[0] == '0') ||
		    (part < 3 && digits.len == text.len))
			return false;
		for (size_t i = 0; i < digits.len; i++) {
			if (!byte_is_digit(digits.ptr[i]))
				return false;
			value = value * 10 + (uint32_t)(digits.ptr[i] - '0');
		}
		if (value > 255)
			return false;
		address = address << 8 | value;
		text = slice_drop(text, digits.len + 1);
	}
	pair[0] = (uint16_t)(address >> 16);
	pair[1] = (uint16_t)address;
	return true;
}

/* The part between the brackets: URL Standard section 3.5, the IPv6 parser. */
static bool ipv6_read(struct slice text, uint16_t pieces[8])
{
	size_t count = 0, gap = 8;

	for (size_t i = 0; i < 8; i++)
		pieces[i] = 0;
	if (slice_at(text, 0) == ':') {
		if (slice_at(text, 1) != ':')
			return false;
		text = slice_drop(text, 2);
		gap = 0;
	}
	while (text.len != 0) {
		if (count == 8)
			return false;
		if (text.ptr[0] == ':') {
			if (gap != 8)
				return false;
			text = slice_drop(text, 1);
			gap = count;
			continue;
		}
		uint32_t value = 0;
		size_t   digits = 0;
		while (digits < 4 && hex_digit(slice_at(text, digits)) >= 0)
			value = value << 4 | (uint32_t)hex_digit(slice_at(text, digits++));
		if (slice_at(text, digits) == '.') {
			if (digits == 0 || count > 6 || !ipv4_tail_read(text, pieces + count))
				return false;
			count += 2;
			break;
		}
		pieces[count++] = (uint16_t)value;
		text = slice_drop(text, digits);
		if (slice_at(text, 0) == ':') {
			text = slice_drop(text, 1);
			if (text.len == 0)
				return false;
		} else if (text.len != 0) {
			return false;
		}
	}
	if (gap == 8)
		return count == 8;
	if (count == 8)
		return false; /* "::" stands for nothing at all */
	for (size_t i = count; i > gap; i--) {
		pieces[8 - count + i - 1] = pieces[i - 1];
		pieces[i - 1] = 0;
	}
	return true;
}

/* With the longest run of two or more zeros as "::", the first of equal ones. */
static void ipv6_write(const uint16_t pieces[8], struct writer *out)
{
	size_t best = 8, best_count = 1;

	for (size_t i = 0; i < 8;) {
		size_t run = 0;
		while (i + run < 8 && pieces[i + run] == 0)
			run++;
		if (run > best_count) {
			best = i;
			best_count = run;
		}
		i += run == 0 ? 1 : run;
	}
	writer_byte(out, '[');
	for (size_t i = 0; i < 8; i++) {
		if (i == best) {
			writer_put(out, i == 0 ? SLICE("::") : SLICE(":"));
			i += best_count - 1;
			continue;
		}
		static const char digits[] = "0123456789abcdef";
		bool              begun = false;
		for (unsigned shift = 16; shift != 0; shift -= 4) {
			const unsigned digit = (unsigned)pieces[i] >> (shift - 4) & 15;
			begun |= digit != 0 || shift == 4;
			if (begun)
				writer_byte(out, (uint8_t)digits[digit]);
		}
		if (i != 7)
			writer_byte(out, ':');
	}
	writer_byte(out, ']');
}

static enum rc opaque_write(struct slice text, struct writer *out, uint32_t *flags)
{
	for (size_t i = 0; i < text.len; i++) {
		if (in_set(forbidden_host, text.ptr[i]))
			return RC_SYNTAX;
	}
	url_encode(text, URL_SET_C0, out, flags);
	return RC_OK;
}

/* Whether a label begins with "xn--": then the name is not plain ASCII to UTS 46. */
static bool has_a_label(struct slice host)
{
	for (;;) {
		if (slice_starts_nocase(host, SLICE("xn--")))
			return true;
		const size_t dot = slice_find(host, '.');
		if (dot == host.len)
			return false;
		host = slice_drop(host, dot + 1);
	}
}

/*
 * "Domain to ASCII" (section 3.3) of what `out` holds from `start` on, in place. Plain ASCII, which nearly all are,
 * is only put into lower case.
 */
static enum rc domain_to_ascii(struct writer *out, size_t start, uint32_t *flags)
{
	bool ascii = true;

	for (size_t i = start; i < out->len; i++) {
		ascii &= out->ptr[i] < 0x80;
		out->ptr[i] = byte_lower(out->ptr[i]);
	}
	if (ascii && !has_a_label(writer_from(out, start)))
		return RC_OK;
	uint8_t       name[IDNA_ASCII_MAX];
	size_t        size = 0;
	const enum rc rc = idna_ascii(writer_from(out, start), 0, name, sizeof name, &size);
	if (rc != RC_OK)
		return rc == RC_LIMIT ? RC_LIMIT : RC_SYNTAX;
	out->len = start;
	writer_put(out, slice_of(name, size));
	*flags |= has_a_label(slice_of(name, size)) ? URL_HOST_IDN : URL_HOST_MAPPED;
	return RC_OK;
}

static enum rc domain_write(struct slice text, struct writer *out, enum url_host *kind, uint32_t *flags)
{
	const size_t start = out->len;
	uint32_t     address;

	writer_percent_decoded(out, text);
	if (out->failed)
		return RC_NOMEM;
	if (out->len - start != text.len)
		*flags |= URL_HOST_ENCODED;
	const enum rc rc = domain_to_ascii(out, start, flags);
	if (rc != RC_OK)
		return rc;
	const struct slice host = writer_from(out, start);
	if (out->failed)
		return RC_NOMEM;
	if (host.len == 0)
		return RC_SYNTAX;
	for (size_t i = 0; i < host.len; i++) {
		if (in_set(forbidden_domain, host.ptr[i]))
			return RC_SYNTAX;
	}
	*kind = URL_HOST_DOMAIN;
	if (!ends_in_number(host))
		return RC_OK;
	if (!ipv4_read(host, &address, flags))
		return RC_SYNTAX;
	*kind = URL_HOST_IPV4;
	out->len = start;
	ipv4_write(address, out);
	return RC_OK;
}

enum rc url_host_write(struct slice text, bool opaque, struct writer *out, enum url_host *kind, uint32_t *flags)
{
	if (slice_at(text, 0) == '[') {
		uint16_t pieces[8];
		if (slice_last(text) != ']' || text.len < 2 || !ipv6_read(slice_cut(text, 1, text.len - 2), pieces))
			return RC_SYNTAX;
		ipv6_write(pieces, out);
		*kind = URL_HOST_IPV6;
		return RC_OK;
	}
	*kind = URL_HOST_OPAQUE;
	return opaque ? opaque_write(text, out, flags) : domain_write(text, out, kind, flags);
}
