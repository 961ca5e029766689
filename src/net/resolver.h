/*
 * DNS questions, asked without waiting, through libunbound (resolver.c is the only file that includes <unbound.h>).
 *
 * Two levels. One `struct resolver_core` per process: libunbound's context with its cache and its one thread. One
 * `struct resolver` per event loop: a small cache of its own, so that a repeated question costs about a microsecond
 * and no thread hop, and the count of its questions under way. The same question asked twice while under way is asked
 * once.
 *
 * Everything is bounded: questions under way, answers (records, bytes), cache entries, time. A name server may be
 * dead, slow or lying: the answer is then RESOLVER_FAILED or RESOLVER_TIMEOUT, at the asker's own deadline at the
 * latest.
 *
 * The box: resolver_ready() before it closes. resolver_core_open() and everything after it then work in a box with
 * SANDBOX_CALLS_THREADS, SANDBOX_CALLS_LOOPS, SANDBOX_NET_CONNECT and no paths (sys/sandbox.h; resolver_test.c does
 * just that): libunbound opens no file, makes a socket pair, an epoll handle and, at the first question, its one
 * thread, and talks to name servers from UDP and TCP sockets that it makes itself. Opening the core inside the box is
 * best, since Landlock binds only threads that begin after it. /etc/hosts and /etc/resolv.conf are not read: whoever
 * starts the process reads the latter and passes its bytes to resolver_servers_parse().
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "base/arena.h"
#include "base/fault.h"
#include "net/address.h"
#include "net/loop.h"

/* Loads what libunbound loads lazily. Once, before the box closes. RC_UNSUPPORTED. */
MUST_CHECK enum rc resolver_ready(struct fault *fault);

#define RESOLVER_SERVERS_MAX   16u
#define RESOLVER_NAME_MAX      253u  /* octets of a name without the final dot, RFC 1035 section 2.3.4 */
#define RESOLVER_RECORDS_MAX   64u   /* records of one answer that are looked at */
#define RESOLVER_TEXT_MAX      4096u /* octets of one TXT record, its strings joined */
#define RESOLVER_UNDER_WAY_MAX 4096u /* questions inside libunbound, all loops together */
#define RESOLVER_TTL_MAX_S     3600u /* no answer is kept longer in the loops' own caches */
#define RESOLVER_FAILURE_TTL_S 5u    /* how long a failure is remembered there */

struct resolver_settings {
	const struct net_address *servers;       /* ask these (port 0 means 53); none: the public tree from its root */
	size_t                    servers_count; /* up to RESOLVER_SERVERS_MAX */
	struct net_address        source;        /* ask from this address; family none: the kernel chooses */
	uint64_t                  cache_bytes;   /* libunbound's message and record caches together; 1M to 1G */
	struct slice trust_anchor; /* DS or DNSKEY records in zone-file text, one a line; empty: no validation */
	bool         ipv6;         /* servers may be asked over IPv6 */
	/*
	 * Ask also for names without a meaning in the public tree (10.in-addr.arpa, "test."): for servers of one's own.
	 * Otherwise they are NXDOMAIN without a question (RFC 6303, RFC 6761).
	 */
	bool private_names;
};

struct resolver_core; /* opaque */
struct resolver;      /* opaque */

/*
 * `home` is the loop on whose thread libunbound's answers are taken; it hands them to the loop that asked. RC_SYNTAX:
 * a trust anchor or server that libunbound refuses; RC_LIMIT; RC_NOMEM; RC_IO. To be called on home's thread or
 * before it runs.
 */
MUST_CHECK enum rc resolver_core_open(const struct resolver_settings *settings, struct loop *home,
                                      struct resolver_core **out, struct fault *fault);
/* After every resolver of it is closed; ends the thread. On home's thread or after it ended. */
void resolver_core_close(struct resolver_core **core);

/*
 * The resolver of one loop. `cache_entries` 16 to 65,536 (an entry takes about 200 bytes); `under_way_max` 1 to
 * RESOLVER_UNDER_WAY_MAX. RC_NOMEM.
 */
MUST_CHECK enum rc resolver_open(struct resolver_core *core, struct loop *loop, size_t cache_entries,
                                 size_t under_way_max, struct resolver **out);
/* Nobody waits for an answer any more (resolver_cancel). On its loop's thread, or after it ended. */
void resolver_close(struct resolver **resolver);

enum resolver_type { /* the values are those of the wire */
	             RESOLVER_A = 1,
	             RESOLVER_PTR = 12,
	             RESOLVER_MX = 15,
	             RESOLVER_TXT = 16,
	             RESOLVER_AAAA = 28,
};

enum resolver_status {
	RESOLVER_OK = 0,   /* there are records */
	RESOLVER_NODATA,   /* the name exists, without records of this type */
	RESOLVER_NXDOMAIN, /* the name does not exist (RFC 8020: nor anything below it) */
	RESOLVER_FAILED,   /* SERVFAIL, REFUSED, nonsense, or no server answered: nothing is known */
	RESOLVER_BOGUS,    /* DNSSEC says the answer is forged */
	RESOLVER_TIMEOUT,  /* our own deadline passed first */
};

struct resolver_mx {
	uint16_t     preference;
	struct slice host; /* lower case, without the final dot */
};

/* Plain data; everything it points to lies in the arena of the question. */
struct resolver_answer {
	enum resolver_status status;
	enum resolver_type   type;
	bool                 secure;    /* validated by DNSSEC */
	bool                 null_mx;   /* MX: the domain takes no mail (RFC 7505); no record is given then */
	bool                 truncated; /* more than RESOLVER_RECORDS_MAX, or some were unreadable and left out */
	uint32_t             ttl_s;
	size_t               count; /* of the array that belongs to the type; not 0 when RESOLVER_OK and not null_mx */
	const struct net_address *addresses; /* A, AAAA; port 0 */
	const struct resolver_mx *mx;        /* by preference; equal ones in random order, new for each question */
	const struct slice       *names;     /* PTR: host names, lower case; TXT: texts, any bytes */
};

/* A question; lies with the asker. Start with zero bytes and `done` and `arena` set; the rest is internal. */
struct resolver_query {
	/* The answer is borrowed until the return; what it points to lies in `arena`. */
	void (*done)(struct resolver_query *query, const struct resolver_answer *answer);
	struct arena    *arena;
	struct list      link;
	struct timer     timer;
	struct resolver *resolver;
	void            *flight;
};

/*
 * Ask. `name` in ASCII (A-labels), with or without a final dot, 1 to RESOLVER_NAME_MAX octets of letters, digits, "-"
 * and "_" in labels of 1 to 63; `timeout_ms` from now. done() is called after RC_AGAIN only.
 *
 * RC_OK      known already: *answer is filled.
 * RC_AGAIN   done() will be called once, from the loop; until then or until resolver_cancel() the query may not be
 * touched.
 * RC_SYNTAX  not a name.
 * RC_BUSY    too many questions are under way: treat as RESOLVER_FAILED.
 * RC_NOMEM   the arena is full, or memory is (an arena that is full later makes the answer RESOLVER_FAILED).
 */
MUST_CHECK enum rc resolver_ask(struct resolver *resolver, struct resolver_query *query, enum resolver_type type,
                                struct slice name, uint64_t timeout_ms, struct resolver_answer *answer);
/* Nobody wants the answer any more. Legal when the query is not under way, and on zero bytes. */
void resolver_cancel(struct resolver_query *query);

/*
 * The name of a peer: PTR of its address, and the first of at most RESOLVER_CONFIRM_NAMES names whose own address is
 * the peer's again (RFC 1912 section 2.1).
 */
#define RESOLVER_CONFIRM_NAMES 4u

enum resolver_peer_status {
	RESOLVER_PEER_CONFIRMED = 0, /* `name` */
	RESOLVER_PEER_UNCONFIRMED,   /* there is a PTR (`name`, the first) but its address is another one, or none */
	RESOLVER_PEER_UNNAMED,       /* no PTR */
	RESOLVER_PEER_UNKNOWN,       /* DNS failed or the time ran out: nothing may be concluded */
};

/* Start with zero bytes and `done` and `arena` set; the rest is internal. */
struct resolver_peer {
	/* `name` lies in the arena; it is empty when there is none. */
	void (*done)(struct resolver_peer *peer, enum resolver_peer_status status, struct slice name);
	struct arena         *arena;
	struct resolver_query query;
	struct loop          *loop;
	struct net_address    address;
	struct slice          names[RESOLVER_CONFIRM_NAMES];
	size_t                count;
	size_t                index;
	uint64_t              due_ms;
	bool                  doubt;
};

/* As resolver_ask(); RC_OK sets *status and *name. Give up with resolver_peer_cancel(). */
MUST_CHECK enum rc resolver_ask_peer(struct resolver *resolver, struct resolver_peer *peer,
                                     const struct net_address *address, uint64_t timeout_ms,
                                     enum resolver_peer_status *status, struct slice *name);
static inline void resolver_peer_cancel(struct resolver_peer *peer)
{
	resolver_cancel(&peer->query);
}

/*
 * The servers named by the bytes of a resolv.conf ("nameserver ADDRESS" lines; others are ignored). At most `max`.
 * Returns how many.
 */
size_t resolver_servers_parse(struct slice resolv_conf, struct net_address *out, size_t max);

/* The loop it belongs to. */
struct loop *resolver_loop(const struct resolver *resolver);

/* Numbers since start of one loop's resolver, for the metrics page. */
struct resolver_counts {
	uint64_t asked;
	uint64_t known;  /* answered from the loop's own cache */
	uint64_t joined; /* shared the answer of a question already under way */
	uint64_t failed;
	uint64_t timeouts;
	uint64_t refused;   /* RC_BUSY */
	uint64_t under_way; /* now */
	uint64_t entries;   /* now */
};
const struct resolver_counts *resolver_counts(const struct resolver *resolver);

#endif
