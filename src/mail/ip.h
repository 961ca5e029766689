/*
 * An IP address as bytes, and its text forms. Names, ports and sockets are elsewhere: this is what an address literal,
 * a PROXY header, an XCLIENT attribute or a trace line holds.
 */
#ifndef MAIL_IP_H
#define MAIL_IP_H

#include "base/buf.h"

enum ip_family {
	IP_NONE = 0, /* unknown, or not an IP connection */
	IP_V4 = 4,
	IP_V6 = 6,
};

struct ip {
	uint8_t family;    /* enum ip_family */
	uint8_t bytes[16]; /* network order; IPv4 in the first four, the rest zero */
};

/* "::ffff:" and six groups at most: RFC 5952 never writes more. */
#define IP_TEXT_MAX 45u

/* All of `text` is "192.0.2.1": four decimal numbers to 255 without leading zeros. RC_SYNTAX otherwise. */
MUST_CHECK enum rc ip_v4_read(struct slice text, struct ip *out);

/* All of `text` is an IPv6 address (RFC 4291 section 2.2, the dotted tail included); no zone. RC_SYNTAX otherwise. */
MUST_CHECK enum rc ip_v6_read(struct slice text, struct ip *out);

/* Either of the two. */
MUST_CHECK enum rc ip_read(struct slice text, struct ip *out);

/* RFC 5952 text without brackets; an IPv4-mapped IPv6 address as "::ffff:192.0.2.1". Nothing for IP_NONE. */
void ip_write(const struct ip *ip, struct buf *out);

/* ::ffff:a.b.c.d becomes a.b.c.d; every other address stays. */
struct ip ip_unmapped(struct ip ip);

bool ip_eq(const struct ip *a, const struct ip *b);

#endif
