/* Addresses, their text both ways, and the list of ranges to match against. */
#include "net/address.h"

#include "base/must.h"
#include "base/num.h"

#include <netinet/in.h>

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static unsigned bits_of(const struct net_address *address)
{
	return address->family == NET_FAMILY_V4 ? 32 : 128;
}

static unsigned bytes_of(const struct net_address *address)
{
	return bits_of(address) / 8;
}

/* ::ffff:a.b.c.d becomes a.b.c.d. */
static void unmap(struct net_address *address)
{
	if (address->family != NET_FAMILY_V6 || memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) != 0)
		return;
	memmove(address->bytes, address->bytes + 12, 4);
	memset(address->bytes + 4, 0, 12);
	address->family = NET_FAMILY_V4;
}

/* ---- reading ---- */

/* Four decimal numbers of one to three digits, no leading zeros: some readers take "010" as octal. */
static enum rc parse_v4(struct slice text, uint8_t out[4])
{
	for (unsigned index = 0; index < 4; index++) {
		uint64_t     number;
		const size_t before = text.len;
		if (num_take(&text, 255, &number) != RC_OK)
			return RC_SYNTAX;
		const size_t digits = before - text.len;
		if (digits != (number > 99 ? 3u : number > 9 ? 2u : 1u))
			return RC_SYNTAX;
		out[index] = (uint8_t)number;
		if (index < 3) {
			if (slice_at(text, 0) != '.')
				return RC_SYNTAX;
			text = slice_drop(text, 1);
		}
	}
	return text.len == 0 ? RC_OK : RC_SYNTAX;
}

/* One group of one to four hexadecimal digits from the front of *text; RC_SYNTAX when there is none. */
static enum rc take_group(struct slice *text, unsigned *out)
{
	unsigned number = 0, digits = 0;

	for (; digits < 5; digits++) {
		const int byte = slice_at(*text, digits);
		if (byte >= '0' && byte <= '9')
			number = number << 4 | (unsigned)(byte - '0');
		else if (byte >= 0 && byte_lower((uint8_t)byte) >= 'a' && byte_lower((uint8_t)byte) <= 'f')
			number = number << 4 | (unsigned)(byte_lower((uint8_t)byte) - 'a' + 10);
		else
			break;
	}
	if (digits == 0 || digits > 4)
		return RC_SYNTAX;
	*text = slice_drop(*text, digits);
	*out = number;
	return RC_OK;
}

/* RFC 4291 section 2.2: groups, at most one "::", and the last two groups may be written as IPv4. */
static enum rc parse_v6(struct slice text, uint8_t out[16])
{
	uint8_t bytes[16] = { 0 };
	size_t  count = 0;      /* bytes read */
	size_t  gap = SIZE_MAX; /* where "::" stands */

	if (slice_starts(text, SLICE("::"))) {
		gap = 0;
		text = slice_drop(text, 2);
	}
	while (text.len != 0) {
		unsigned     group;
		const size_t end = slice_find(text, ':');
		if (count <= 12 && end == text.len && slice_find(text, '.') != text.len) {
			if (parse_v4(text, bytes + count) != RC_OK)
				return RC_SYNTAX;
			count += 4;
			break;
		}
		if (count == 16 || take_group(&text, &group) != RC_OK)
			return RC_SYNTAX;
		bytes[count++] = (uint8_t)(group >> 8);
		bytes[count++] = (uint8_t)group;
		if (text.len == 0)
			break;
		if (gap == SIZE_MAX && slice_starts(text, SLICE("::"))) {
			gap = count;
			text = slice_drop(text, 2);
		} else if (slice_at(text, 0) == ':' && text.len > 1) {
			text = slice_drop(text, 1);
		} else {
			return RC_SYNTAX;
		}
	}
	/* "::" stands for at least one group (RFC 5952 section 4.2.2 asks writers for two; readers take one). */
	if (gap == SIZE_MAX ? count != 16 : count > 14)
		return RC_SYNTAX;
	memset(out, 0, 16);
	if (gap == SIZE_MAX)
		gap = count;
	memcpy(out, bytes, gap);
	memcpy(out + 16 - (count - gap), bytes + gap, count - gap);
	return RC_OK;
}

enum rc net_address_parse(struct slice text, struct net_address *out)
{
	struct net_address address = { 0 };

	if (slice_find(text, ':') != text.len) {
		address.family = NET_FAMILY_V6;
		if (parse_v6(text, address.bytes) != RC_OK)
			return RC_SYNTAX;
		unmap(&address);
	} else {
		address.family = NET_FAMILY_V4;
		if (parse_v4(text, address.bytes) != RC_OK)
			return RC_SYNTAX;
	}
	*out = address;
	return RC_OK;
}

enum rc net_address_parse_port(struct slice text, uint16_t port_standard, struct net_address *out)
{
	struct net_address address;
	struct slice       host = text, port = { NULL, 0 };
	bool               has_port = false;

	if (slice_at(text, 0) == '[') {
		const size_t end = slice_find(text, ']');
		if (end == text.len)
			return RC_SYNTAX;
		host = slice_cut(text, 1, end - 1);
		port = slice_drop(text, end + 1);
		has_port = port.len != 0;
		if ((has_port && slice_at(port, 0) != ':') || slice_find(host, ':') == host.len)
			return RC_SYNTAX;
		port = slice_drop(port, 1);
	} else if (slice_find(text, ':') != text.len && slice_find(text, ':') == slice_find_last(text, ':')) {
		port = text;
		host = slice_until(&port, ':');
		has_port = true;
	}
	const enum rc rc = net_address_parse(host, &address);
	if (rc != RC_OK)
		return rc;
	address.port = port_standard;
	if (has_port) {
		uint64_t      number;
		const enum rc port_rc = num_u64(port, UINT16_MAX, &number);
		if (port_rc != RC_OK)
			return port_rc;
		if (number == 0)
			return RC_LIMIT;
		address.port = (uint16_t)number;
	}
	*out = address;
	return RC_OK;
}

/* ---- writing ---- */

/* Text of fixed size under way. */
struct text {
	char    *ptr;
	unsigned len;
};

static void add(struct text *text, char byte)
{
	must(text->len < NET_ADDRESS_TEXT_MAX - 1);
	text->ptr[text->len++] = byte;
}

static void add_decimal(struct text *text, unsigned number)
{
	char     digits[5];
	unsigned count = 0;

	must(number <= UINT16_MAX);
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	while (count != 0)
		add(text, digits[--count]);
}

static void add_hex(struct text *text, unsigned number)
{
	static const char digits[] = "0123456789abcdef";
	bool              begun = false;

	for (unsigned shift = 16; shift != 0; shift -= 4) {
		const unsigned digit = number >> (shift - 4) & 15;
		begun = begun || digit != 0 || shift == 4;
		if (begun)
			add(text, digits[digit]);
	}
}

/* RFC 5952 section 4: the longest run of two or more zero groups becomes "::", the first of equals. */
static void add_v6(struct text *text, const uint8_t bytes[16])
{
	unsigned groups[8], run = 0, best_start = 8, best = 1;

	for (unsigned index = 0; index < 8; index++) {
		groups[index] = (unsigned)bytes[(size_t)index * 2] << 8 | bytes[(size_t)index * 2 + 1];
		run = groups[index] == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			best_start = index + 1 - run;
		}
	}
	for (unsigned index = 0; index < 8; index++) {
		if (index == best_start) {
			add(text, ':');
			add(text, ':');
			index += best - 1;
			continue;
		}
		if (index != 0 && index != best_start + best)
			add(text, ':');
		add_hex(text, groups[index]);
	}
}

static void add_address(struct text *text, const struct net_address *address)
{
	if (address->family == NET_FAMILY_V6) {
		add_v6(text, address->bytes);
	} else if (address->family == NET_FAMILY_V4) {
		for (unsigned index = 0; index < 4; index++) {
			if (index != 0)
				add(text, '.');
			add_decimal(text, address->bytes[index]);
		}
	}
}

const char *net_address_text(const struct net_address *address, char out[NET_ADDRESS_TEXT_MAX])
{
	struct text text = { .ptr = out };

	add_address(&text, address);
	out[text.len] = '\0';
	return out;
}

const char *net_address_text_port(const struct net_address *address, char out[NET_ADDRESS_TEXT_MAX])
{
	struct text text = { .ptr = out };

	if (address->family == NET_FAMILY_V6)
		add(&text, '[');
	add_address(&text, address);
	if (address->family == NET_FAMILY_V6)
		add(&text, ']');
	if (address->family != NET_FAMILY_NONE) {
		add(&text, ':');
		add_decimal(&text, address->port);
	}
	out[text.len] = '\0';
	return out;
}

void net_address_put(struct buf *out, const struct net_address *address)
{
	char text[NET_ADDRESS_TEXT_MAX];

	buf_put_str(out, net_address_text(address, text));
}

void net_address_put_port(struct buf *out, const struct net_address *address)
{
	char text[NET_ADDRESS_TEXT_MAX];

	buf_put_str(out, net_address_text_port(address, text));
}

void net_address_put_reverse(struct buf *out, const struct net_address *address)
{
	static const char digits[] = "0123456789abcdef";

	must(address->family != NET_FAMILY_NONE);
	for (unsigned index = bytes_of(address); index != 0; index--) {
		const uint8_t byte = address->bytes[index - 1];
		if (address->family == NET_FAMILY_V4) {
			buf_put_u64(out, byte);
			buf_put_byte(out, '.');
			continue;
		}
		const char pair[] = { digits[byte & 15], '.', digits[byte >> 4], '.' };
		buf_put(out, slice_of(pair, sizeof pair));
	}
	buf_put_str(out, address->family == NET_FAMILY_V4 ? "in-addr.arpa" : "ip6.arpa");
}

/* ---- the kernel's form ---- */

enum rc net_address_of_sockaddr(const struct sockaddr *address, socklen_t size, struct net_address *out)
{
	struct net_address found = { 0 };

	if (size < sizeof(sa_family_t))
		return RC_UNSUPPORTED;
	if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		memcpy(found.bytes, &in->sin_addr, 4);
		found.port = ntohs(in->sin_port);
		found.family = NET_FAMILY_V4;
	} else if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
		memcpy(found.bytes, &in6->sin6_addr, 16);
		found.port = ntohs(in6->sin6_port);
		found.family = NET_FAMILY_V6;
		unmap(&found);
	} else {
		return RC_UNSUPPORTED;
	}
	*out = found;
	return RC_OK;
}

socklen_t net_address_sockaddr(const struct net_address *address, struct sockaddr_storage *out)
{
	must(address->family != NET_FAMILY_NONE);
	memset(out, 0, sizeof *out);
	if (address->family == NET_FAMILY_V4) {
		struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
		in->sin_family = AF_INET;
		in->sin_port = htons(address->port);
		memcpy(&in->sin_addr, address->bytes, 4);
		return sizeof *in;
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(address->port);
	memcpy(&in6->sin6_addr, address->bytes, 16);
	return sizeof *in6;
}

/* ---- comparing ---- */

bool net_address_eq(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool net_address_eq_port(const struct net_address *a, const struct net_address *b)
{
	return net_address_eq(a, b) && a->port == b->port;
}

/* Do the first `bits` bits equal those of `bytes`? */
static bool below(const struct net_address *address, const uint8_t *bytes, unsigned bits)
{
	const unsigned whole = bits / 8;

	if (memcmp(address->bytes, bytes, whole) != 0)
		return false;
	return bits % 8 == 0 || ((address->bytes[whole] ^ bytes[whole]) >> (8 - bits % 8)) == 0;
}

struct block {
	uint8_t family;
	uint8_t bits;
	uint8_t bytes[16];
};

static bool in_blocks(const struct net_address *address, const struct block *blocks, size_t count)
{
	for (size_t index = 0; index < count; index++) {
		if (blocks[index].family == address->family && below(address, blocks[index].bytes, blocks[index].bits))
			return true;
	}
	return false;
}

#define IN_BLOCKS(address, blocks) in_blocks(address, blocks, sizeof(blocks) / sizeof *(blocks))

bool net_address_is_loopback(const struct net_address *address)
{
	static const struct block blocks[] = {
		{ NET_FAMILY_V4, 8, { 127 } },
		{ NET_FAMILY_V6, 128, { [15] = 1 } },
	};

	return IN_BLOCKS(address, blocks);
}

bool net_address_is_any(const struct net_address *address)
{
	static const struct block blocks[] = {
		{ NET_FAMILY_V4, 32, { 0 } },
		{ NET_FAMILY_V6, 128, { 0 } },
	};

	return IN_BLOCKS(address, blocks);
}

bool net_address_is_private(const struct net_address *address)
{
	static const struct block blocks[] = {
		{ NET_FAMILY_V4, 8, { 10 } }, /* RFC 1918 */
		{ NET_FAMILY_V4, 12, { 172, 16 } },    { NET_FAMILY_V4, 16, { 192, 168 } },
		{ NET_FAMILY_V4, 10, { 100, 64 } },    /* RFC 6598 */
		{ NET_FAMILY_V4, 16, { 169, 254 } },   /* RFC 3927 */
		{ NET_FAMILY_V6, 7, { 0xfc } },        /* RFC 4193 */
		{ NET_FAMILY_V6, 10, { 0xfe, 0x80 } }, /* RFC 4291 section 2.5.6 */
	};

	return IN_BLOCKS(address, blocks);
}

bool net_address_is_unusable(const struct net_address *address)
{
	static const struct block blocks[] = {
		{ NET_FAMILY_V4, 8, { 0 } },   /* RFC 1122 section 3.2.1.3 */
		{ NET_FAMILY_V4, 3, { 224 } }, /* multicast, reserved, broadcast */
		{ NET_FAMILY_V6, 128, { 0 } },
		{ NET_FAMILY_V6, 8, { 0xff } }, /* multicast */
	};

	return address->family == NET_FAMILY_NONE || IN_BLOCKS(address, blocks);
}

/* Clear (or set) every bit behind the first `bits`. */
static void fill_behind(struct net_address *address, unsigned bits, bool ones)
{
	for (unsigned index = 0; index < bytes_of(address); index++) {
		const unsigned kept = bits > index * 8 ? bits - index * 8 : 0;
		const uint8_t  mask = (uint8_t)(0xffu >> (kept < 8 ? kept : 8));
		address->bytes[index] = ones ? (uint8_t)(address->bytes[index] | mask)
		                             : (uint8_t)(address->bytes[index] & (uint8_t)~mask);
	}
}

struct net_address net_address_prefix(const struct net_address *address, unsigned bits_v4, unsigned bits_v6)
{
	struct net_address prefix = *address;

	must(bits_v4 <= 32);
	must(bits_v6 <= 128);
	fill_behind(&prefix, prefix.family == NET_FAMILY_V4 ? bits_v4 : bits_v6, false);
	prefix.port = 0;
	return prefix;
}

/* ---- ranges ---- */

static int compare(const struct net_address *a, const struct net_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* "address/bits". A prefix of mapped addresses (::ffff:10.0.0.0/104) counts its bits as IPv6 does. */
static enum rc parse_prefix(struct slice host, struct slice bits_text, struct net_range *out)
{
	struct net_address first;
	uint64_t           bits;

	if (net_address_parse(host, &first) != RC_OK)
		return RC_SYNTAX;
	const bool    mapped = first.family == NET_FAMILY_V4 && slice_find(host, ':') != host.len;
	const enum rc rc = num_u64(bits_text, mapped ? 128 : bits_of(&first), &bits);
	if (rc != RC_OK)
		return rc;
	if (mapped && bits < 96)
		return RC_SYNTAX;
	if (mapped)
		bits -= 96;
	struct net_address last = first;
	struct net_address start = first;
	fill_behind(&start, (unsigned)bits, false);
	if (compare(&start, &first) != 0)
		return RC_SYNTAX;
	fill_behind(&last, (unsigned)bits, true);
	*out = (struct net_range){ first, last };
	return RC_OK;
}

enum rc net_range_parse(struct slice text, struct net_range *out)
{
	struct net_range range;
	struct slice     rest = text;

	if (slice_find(text, '/') != text.len) {
		const struct slice host = slice_until(&rest, '/');
		return parse_prefix(host, rest, out);
	}
	if (slice_find(text, '-') == text.len) {
		if (net_address_parse(text, &range.first) != RC_OK)
			return RC_SYNTAX;
		*out = (struct net_range){ range.first, range.first };
		return RC_OK;
	}
	const struct slice host = slice_until(&rest, '-');
	if (net_address_parse(slice_trim(host), &range.first) != RC_OK ||
	    net_address_parse(slice_trim(rest), &range.last) != RC_OK)
		return RC_SYNTAX;
	if (range.first.family != range.last.family || compare(&range.first, &range.last) > 0)
		return RC_SYNTAX;
	*out = range;
	return RC_OK;
}

/* Heap sort by first address: in place, without recursion, and no worse for a list that someone made on purpose. */
static void sift(struct net_range *ranges, size_t root, size_t count)
{
	for (;;) {
		size_t child = 2 * root + 1;
		if (child >= count)
			return;
		if (child + 1 < count && compare(&ranges[child].first, &ranges[child + 1].first) < 0)
			child++;
		if (compare(&ranges[root].first, &ranges[child].first) >= 0)
			return;
		const struct net_range kept = ranges[root];
		ranges[root] = ranges[child];
		ranges[child] = kept;
		root = child;
	}
}

static void sort(struct net_range *ranges, size_t count)
{
	for (size_t root = count / 2; root != 0; root--)
		sift(ranges, root - 1, count);
	for (size_t end = count; end > 1; end--) {
		const struct net_range kept = ranges[0];
		ranges[0] = ranges[end - 1];
		ranges[end - 1] = kept;
		sift(ranges, 0, end - 1);
	}
}

/* The address behind `address`; false behind the last one. */
static bool successor(struct net_address *address)
{
	for (unsigned index = bytes_of(address); index != 0; index--) {
		if (++address->bytes[index - 1] != 0)
			return true;
	}
	return false;
}

enum rc net_match_make(const struct net_range *ranges, size_t count, struct arena *arena, struct net_match *out)
{
	struct net_match match = { 0 };

	if (count == 0) {
		*out = match;
		return RC_OK;
	}
	struct net_range *sorted = arena_take(arena, count, sizeof *sorted);
	if (sorted == NULL)
		return RC_NOMEM;
	memcpy(sorted, ranges, count * sizeof *sorted);
	sort(sorted, count);
	size_t kept = 0;
	for (size_t index = 0; index < count; index++) {
		struct net_range *range = &sorted[index];
		must(range->first.family == range->last.family);
		range->first.port = 0;
		if (kept != 0) {
			struct net_range  *previous = &sorted[kept - 1];
			struct net_address edge = previous->last;
			const bool         open = successor(&edge);
			if (previous->last.family == range->first.family &&
			    (!open || compare(&range->first, &edge) <= 0)) {
				if (compare(&range->last, &previous->last) > 0)
					previous->last = range->last;
				continue;
			}
		}
		sorted[kept++] = *range;
	}
	match.ranges = sorted;
	match.count = kept;
	while (match.count_v4 < kept && sorted[match.count_v4].first.family == NET_FAMILY_V4)
		match.count_v4++;
	*out = match;
	return RC_OK;
}

enum rc net_match_parse(const struct slice *texts, size_t count, struct arena *arena, struct net_match *out,
                        size_t *bad_index)
{
	if (count == 0)
		return net_match_make(NULL, 0, arena, out);
	struct net_range *ranges = arena_take(arena, count, sizeof *ranges);
	if (ranges == NULL)
		return RC_NOMEM;
	for (size_t index = 0; index < count; index++) {
		const enum rc rc = net_range_parse(texts[index], &ranges[index]);
		if (rc != RC_OK) {
			*bad_index = index;
			return rc;
		}
	}
	return net_match_make(ranges, count, arena, out);
}

bool net_match_has(const struct net_match *match, const struct net_address *address)
{
	size_t low = 0, high = match->count;

	if (address->family == NET_FAMILY_V4)
		high = match->count_v4;
	else
		low = match->count_v4;
	/* The first range that starts behind the address; the one before it is the only candidate. */
	const size_t start = low;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (compare(&match->ranges[middle].first, address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > start && compare(address, &match->ranges[low - 1].last) <= 0;
}
