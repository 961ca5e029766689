/*
 * Internet addresses with a port as 20 plain bytes; their text; lists of ranges to match against; names for reverse
 * DNS.
 *
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2) is an IPv4 address everywhere in the house:
 * every way into a `struct net_address` turns one into the other, so that a list entry 10.0.0.0/8 cannot be slipped
 * past. Zone identifiers (fe80::1%eth0) are refused.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"

#include <sys/socket.h>

enum net_family {
	NET_FAMILY_NONE = 0, /* no address; what zero bytes mean */
	NET_FAMILY_V4 = 4,
	NET_FAMILY_V6 = 6,
};

struct net_address {
	uint8_t  bytes[16]; /* network order; IPv4 uses the first four, the rest is 0 */
	uint16_t port;      /* host order; 0: none */
	uint8_t  family;    /* enum net_family */
	uint8_t  reserved;  /* 0 */
};
_Static_assert(sizeof(struct net_address) == 20, "one fits a session many times");

/* "[", 39 digits and colons, "]:65535" and a NUL fit. */
#define NET_ADDRESS_TEXT_MAX 48u

/*
 * An address alone: "192.0.2.1", "2001:db8::1" (RFC 4291 section 2.2, all three forms). IPv4 is four decimal numbers
 * without leading zeros, nothing shorter. RC_SYNTAX. The port of *out is 0.
 */
MUST_CHECK enum rc net_address_parse(struct slice text, struct net_address *out);

/*
 * An address with an optional port: "192.0.2.1", "192.0.2.1:25", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:25".
 * Without one the port is `port_standard`. RC_SYNTAX; RC_LIMIT: the port is not 1 to 65535.
 */
MUST_CHECK enum rc net_address_parse_port(struct slice text, uint16_t port_standard, struct net_address *out);

/* The address without its port, IPv6 as RFC 5952 section 4 asks. "" for NET_FAMILY_NONE. */
void net_address_put(struct buf *out, const struct net_address *address);
/* With its port: "192.0.2.1:25", "[2001:db8::1]:25". */
void net_address_put_port(struct buf *out, const struct net_address *address);
/* The same into `out`, with a NUL: no allocation. Returns `out`. */
const char *net_address_text(const struct net_address *address, char out[NET_ADDRESS_TEXT_MAX]);
const char *net_address_text_port(const struct net_address *address, char out[NET_ADDRESS_TEXT_MAX]);

/* RC_UNSUPPORTED: neither AF_INET nor AF_INET6, or too short. */
MUST_CHECK enum rc net_address_of_sockaddr(const struct sockaddr *address, socklen_t size, struct net_address *out);
/* Returns the size to give to the kernel. `address` has a family. */
socklen_t net_address_sockaddr(const struct net_address *address, struct sockaddr_storage *out);

/* Equal without looking at the ports. */
bool net_address_eq(const struct net_address *a, const struct net_address *b);
bool net_address_eq_port(const struct net_address *a, const struct net_address *b);

/* 127.0.0.0/8, ::1. */
bool net_address_is_loopback(const struct net_address *address);
/* 0.0.0.0, ::. */
bool net_address_is_any(const struct net_address *address);
/* RFC 1918, RFC 6598, RFC 4193 and link-local. */
bool net_address_is_private(const struct net_address *address);
/* Multicast, broadcast, 0.0.0.0/8, "::": nothing one can connect to. */
bool net_address_is_unusable(const struct net_address *address);

/*
 * The address with all but its first bits cleared and no port: what per-peer limits are counted by. `bits_v4` up to
 * 32, `bits_v6` up to 128; a home with a /64 is one peer.
 */
struct net_address net_address_prefix(const struct net_address *address, unsigned bits_v4, unsigned bits_v6);

/*
 * "1.2.0.192.in-addr.arpa" (RFC 1035 section 3.5) or "...ip6.arpa" (RFC 3596 section 2.5), without a final dot. Has a
 * family.
 */
void net_address_put_reverse(struct buf *out, const struct net_address *address);
/* The longest such name. */
#define NET_ADDRESS_REVERSE_MAX 73u

/* All addresses from `first` to `last`, both included; same family. */
struct net_range {
	struct net_address first;
	struct net_address last;
};

/*
 * "192.0.2.1", "192.0.2.0/24", "192.0.2.1-192.0.2.9", "2001:db8::/32". RC_SYNTAX: not one of these, bits set behind
 * the prefix (10.1.2.3/8 is a slip of the hand), families mixed, or the end before the start. RC_LIMIT: a prefix
 * longer than the address.
 */
MUST_CHECK enum rc net_range_parse(struct slice text, struct net_range *out);

/*
 * A list to match against: sorted, neighbours merged, looked up in O(log n). Read-only after it is made, hence shared
 * by threads.
 */
struct net_match {
	const struct net_range *ranges; /* IPv4 first */
	size_t                  count;
	size_t                  count_v4;
};

/* Made of `count` ranges, in `arena`. RC_NOMEM. An empty list matches nothing. */
MUST_CHECK enum rc net_match_make(const struct net_range *ranges, size_t count, struct arena *arena,
                                  struct net_match *out);
/* The same from texts of net_range_parse(); *bad_index is the text that was wrong. RC_SYNTAX, RC_LIMIT, RC_NOMEM. */
MUST_CHECK enum rc net_match_parse(const struct slice *texts, size_t count, struct arena *arena, struct net_match *out,
                                   size_t *bad_index);
bool               net_match_has(const struct net_match *match, const struct net_address *address);

#endif
