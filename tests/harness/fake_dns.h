/*
 * A name server for tests: one thread on 127.0.0.1, UDP and TCP on the same port, which the kernel chooses. It knows
 * the records it is given, and behaves badly where it is told to. A failure of its own ends the test program.
 */
#ifndef HARNESS_FAKE_DNS_H
#define HARNESS_FAKE_DNS_H

#include "net/address.h"

enum fake_dns_manner {
	FAKE_DNS_ANSWERS = 0,
	FAKE_DNS_SERVFAIL,
	FAKE_DNS_REFUSED,
	FAKE_DNS_SILENT,
	FAKE_DNS_SLOW,       /* answers after the next question for FAKE_DNS_RELEASE, or when it is stopped */
	FAKE_DNS_TRUNCATES,  /* by UDP only the bit; by TCP the answer */
	FAKE_DNS_OTHER_NAME, /* answers a question that nobody asked */
	FAKE_DNS_GARBAGE,    /* bytes that are no message */
};

/* A question for this name (any type) releases the slow answers; it is answered with SERVFAIL itself. */
#define FAKE_DNS_RELEASE "release.fake.test"

/*
 * A row of the zone. `data` as in a zone file: "192.0.2.1", "2001:db8::1", "10 mx.example.test", "host.example.test",
 * text. "." is the root.
 */
struct fake_dns_record {
	const char *name;
	uint16_t    type; /* 1 A, 5 CNAME, 12 PTR, 15 MX, 16 TXT, 28 AAAA */
	const char *data;
	uint32_t    ttl_s;
};

/* How questions for a name (and all below it) are treated. */
struct fake_dns_rule {
	const char          *name;
	enum fake_dns_manner manner;
};

struct fake_dns; /* opaque */

/* The tables are borrowed until the stop; each ends with a NULL name. */
struct fake_dns   *fake_dns_start(const struct fake_dns_record *records, const struct fake_dns_rule *rules);
void               fake_dns_stop(struct fake_dns **server);
struct net_address fake_dns_address(const struct fake_dns *server);
/* Questions that came for that name, of any type. */
unsigned fake_dns_asked(struct fake_dns *server, const char *name);

#endif
