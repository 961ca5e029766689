/* IP addresses read and written, without the C library's parsers: those want NUL-terminated text and take odd forms. */
#include "mail/ip.h"

#include "base/num.h"

#define V6_GROUPS 8u

enum rc ip_v4_read(struct slice text, struct ip *out)
{
	struct ip ip = { .family = IP_V4 };

	for (unsigned i = 0; i < 4; i++) {
		const struct slice part = slice_take(text, slice_find(text, '.'));
		uint64_t           number;

		if (part.len == 0 || part.len > 3 || (part.len > 1 && part.ptr[0] == '0'))
			return RC_SYNTAX;
		if (num_u64(part, UINT8_MAX, &number) != RC_OK)
			return RC_SYNTAX;
		ip.bytes[i] = (uint8_t)number;
		if ((i == 3) != (part.len == text.len))
			return RC_SYNTAX;
		text = slice_drop(text, part.len + 1);
	}
	*out = ip;
	return RC_OK;
}

/* Up to 8 groups: those before "::" go to the front, those behind it to the back. */
enum rc ip_v6_read(struct slice text, struct ip *out)
{
	struct ip ip = { .family = IP_V6 };
	unsigned  count = 0;
	unsigned  gap = V6_GROUPS + 1;
	bool      open = true; /* a group, not a colon, may come */

	if (slice_starts(text, SLICE("::"))) {
		gap = 0;
		text = slice_drop(text, 2);
	}
	while (text.len != 0) {
		const struct slice part = slice_take(text, slice_find(text, ':'));
		uint64_t           number;

		if (part.len == text.len && slice_find(part, '.') != part.len) {
			struct ip tail;
			if (count > V6_GROUPS - 2 || ip_v4_read(part, &tail) != RC_OK)
				return RC_SYNTAX;
			memcpy(ip.bytes + 2 * count, tail.bytes, 4);
			count += 2;
			open = false;
			break;
		}
		if (count == V6_GROUPS || part.len > 4 || num_hex(part, UINT16_MAX, &number) != RC_OK)
			return RC_SYNTAX;
		ip.bytes[2 * count] = (uint8_t)(number >> 8);
		ip.bytes[2 * count + 1] = (uint8_t)number;
		count++;
		open = part.len != text.len;
		text = slice_drop(text, part.len + 1);
		if (slice_at(text, 0) == ':') {
			if (gap <= V6_GROUPS)
				return RC_SYNTAX;
			gap = count;
			open = false;
			text = slice_drop(text, 1);
		}
	}
	if (gap > V6_GROUPS ? count != V6_GROUPS || open : count == V6_GROUPS || (open && count != 0))
		return RC_SYNTAX;
	if (gap <= V6_GROUPS) {
		const size_t moved = 2 * (size_t)(count - gap);
		memmove(ip.bytes + sizeof ip.bytes - moved, ip.bytes + 2 * (size_t)gap, moved);
		memset(ip.bytes + 2 * (size_t)gap, 0, sizeof ip.bytes - moved - 2 * (size_t)gap);
	}
	*out = ip;
	return RC_OK;
}

enum rc ip_read(struct slice text, struct ip *out)
{
	return slice_find(text, ':') != text.len ? ip_v6_read(text, out) : ip_v4_read(text, out);
}

static void write_v4(const uint8_t *bytes, struct buf *out)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i != 0)
			buf_put_byte(out, '.');
		buf_put_u64(out, bytes[i]);
	}
}

static bool is_mapped(const struct ip *ip)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return ip->family == IP_V6 && memcmp(ip->bytes, prefix, sizeof prefix) == 0;
}

static unsigned group_at(const struct ip *ip, unsigned index)
{
	return (unsigned)ip->bytes[2 * index] << 8 | ip->bytes[2 * index + 1];
}

/* The longest run of two or more zero groups, the first of equals: RFC 5952 section 4.2. */
static void find_gap(const struct ip *ip, unsigned *ret_start, unsigned *ret_count)
{
	unsigned best = 0, best_count = 1, run = 0;

	for (unsigned i = 0; i < V6_GROUPS; i++) {
		run = group_at(ip, i) == 0 ? run + 1 : 0;
		if (run > best_count) {
			best_count = run;
			best = i + 1 - run;
		}
	}
	*ret_start = best_count > 1 ? best : V6_GROUPS;
	*ret_count = best_count > 1 ? best_count : 0;
}

static void write_hex(unsigned number, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";

	for (int shift = number > 0xfff ? 12 : number > 0xff ? 8 : number > 0xf ? 4 : 0; shift >= 0; shift -= 4)
		buf_put_byte(out, (uint8_t)digits[number >> shift & 15]);
}

void ip_write(const struct ip *ip, struct buf *out)
{
	unsigned gap, count;

	if (ip->family == IP_V4)
		write_v4(ip->bytes, out);
	if (ip->family != IP_V6)
		return;
	if (is_mapped(ip)) {
		buf_put_str(out, "::ffff:");
		write_v4(ip->bytes + 12, out);
		return;
	}
	find_gap(ip, &gap, &count);
	for (unsigned i = 0; i < V6_GROUPS; i++) {
		if (i == gap) {
			buf_put_str(out, "::");
			i += count - 1;
			continue;
		}
		if (i != 0 && i != gap + count)
			buf_put_byte(out, ':');
		write_hex(group_at(ip, i), out);
	}
}

struct ip ip_unmapped(struct ip ip)
{
	if (!is_mapped(&ip))
		return ip;
	struct ip v4 = { .family = IP_V4 };
	memcpy(v4.bytes, ip.bytes + 12, 4);
	return v4;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
