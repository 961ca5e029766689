/*
 * The PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt): who really connected, told by a load
 * balancer in front of the first byte. Only listed peers are asked for it; that is the caller's to know.
 */
#ifndef SMTP_PROXY_H
#define SMTP_PROXY_H

#include "mail/ip.h"

#define PROXY_V1_MAX 107u /* with CRLF */
#define PROXY_V2_MAX \
	2048u /* 16 octets of header and what it announces: addresses and TLVs; ours is smaller than the
                              protocol's 65551 */

struct proxy_header {
	bool      local; /* LOCAL or UNKNOWN: the balancer speaks for itself (a health check); the addresses are
	                     IP_NONE */
	struct ip source, target;
	uint16_t  source_port, target_port;
};

/*
 * Take a header of either version from the front of `*input`. RC_AGAIN: not whole yet; RC_SYNTAX: not a PROXY header,
 * or a wrong one; RC_LIMIT: longer than its bound; RC_UNSUPPORTED: UDP or Unix sockets. Only RC_OK writes. After
 * anything but RC_OK and RC_AGAIN close the connection.
 */
MUST_CHECK enum rc proxy_take(struct slice *input, struct proxy_header *out);

#endif
