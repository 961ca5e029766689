/*
 * Settings of the way out: [route NAME], [queue], [callahead]. What was written in the file; config/route.h makes routes of it.
 * Durations are milliseconds, sizes bytes (see base/setting.h).
 */
#ifndef CONFIG_ROUTE_SETTINGS_H
#define CONFIG_ROUTE_SETTINGS_H

#include "base/setting.h"

enum route_protocol { ROUTE_SMTP, ROUTE_LMTP, ROUTE_PROTOCOL_COUNT };

/* I-34, without DANE and MTA-STS. */
enum route_tls {
	ROUTE_TLS_NONE,          /* never */
	ROUTE_TLS_OPPORTUNISTIC, /* when offered; any certificate; plain text when it fails */
	ROUTE_TLS_REQUIRE,       /* always; any certificate */
	ROUTE_TLS_VERIFY,        /* always; certificate of a trusted authority with one of the names */
	ROUTE_TLS_COUNT
};

/* I-24. */
enum route_mode { ROUTE_STORE, ROUTE_THROUGH, ROUTE_MODE_COUNT };

/* I-4: an 8-bit message for a next hop without 8BITMIME. Never transcoded: that would break signatures. */
enum route_eightbit { ROUTE_EIGHTBIT_SEND, ROUTE_EIGHTBIT_BOUNCE, ROUTE_EIGHTBIT_COUNT };

/* I-15: X-Spam-* fields for the next hops of a route. */
enum route_spam_headers { ROUTE_SPAM_HEADERS_STANDARD, ROUTE_SPAM_HEADERS_NO, ROUTE_SPAM_HEADERS_YES, ROUTE_SPAM_HEADERS_COUNT };

/* Which addresses of a host are tried. */
enum route_families { ROUTE_FAMILIES_ANY, ROUTE_FAMILIES_IPV4, ROUTE_FAMILIES_IPV6, ROUTE_FAMILIES_COUNT };

#define ROUTES_MAX 1000u
#define ROUTE_HOSTS_MAX 64u

/* [route NAME] */
struct gate_route_settings {
	struct slice        name;
	struct setting_list domains;      /* "example.cn" exact, ".example.cn" every domain below it, "*" the rest */
	struct setting_list hosts;        /* "host[:port] [priority=N] [weight=N]", "mx:name ..."; empty: MX of the recipient's domain */
	uint64_t            port;         /* of hosts without their own */
	uint32_t            protocol;     /* enum route_protocol */
	struct setting_list source;       /* at most one IPv4 and one IPv6 address of ours; empty: the system chooses */
	uint32_t            families;     /* enum route_families */
	struct slice        helo;         /* our name in EHLO; empty: [gateway] hostname */
	uint32_t            tls;          /* enum route_tls */
	struct setting_list tls_names;    /* for verify; empty: the host's name */
	struct slice        certificate;  /* client certificate: name of a [certificate] section; empty: none */
	struct slice        user;         /* AUTH as a client; empty: none */
	struct slice        password;     /* secret */
	uint32_t            mode;         /* enum route_mode */
	uint64_t            through_wait; /* how long the client of a `through` route waits, as written; struct route has the time in force */
	bool                chunking;     /* BDAT when offered (I-3) */
	bool                dsn;          /* pass DSN parameters on when offered */
	uint32_t            eightbit;     /* enum route_eightbit */
	uint32_t            spam_headers; /* enum route_spam_headers; standard: as [scan] spam_headers says */
	bool                scl;          /* X-MS-Exchange-Organization-SCL (I-16) */
	uint64_t            connections_max;
	uint64_t            messages_per_connection;
	uint64_t            recipients_max;      /* in one transaction */
	uint64_t            connection_lifetime;
	uint64_t            connection_idle;
	uint64_t            timeout_connect, timeout_greeting, timeout_command, timeout_data, timeout_block, timeout_end;
	struct setting_list retry;        /* durations: "1m", "5m" ... */
	uint64_t            retry_slow_after, retry_slow;
	uint64_t            retry_jitter; /* percent */
	uint64_t            expire;
	uint64_t            delay_notice; /* 0: none */
	uint64_t            probe;        /* how often a destination that failed is asked whether it is back, while mail waits for it; 0: mail itself asks when it is due */
};

/* [queue] */
struct gate_queue_settings {
	uint64_t     messages_max;
	uint64_t     memory_max;
	uint64_t     hot_bytes_max;    /* messages kept in memory between acceptance and the first attempt */
	uint64_t     connections_max;  /* outgoing, all destinations together */
	uint64_t     hold_expire;      /* held and quarantined mail is dropped after so long; 0: never */
	struct slice postmaster;       /* gets notices that nobody else can get; empty: they are held */
	bool         notices;          /* send delivery status notifications at all */
};

/* [callahead]: asking a domain's own mail system whether a recipient exists (I-23). */
struct gate_callahead_settings {
	struct slice sender;           /* MAIL FROM of the question; empty: <> */
	uint64_t     connections_max;  /* for each destination, apart from those of mail */
	uint64_t     timeout;          /* for one question */
	uint64_t     keep_positive;
	uint64_t     refresh_before;   /* a positive answer is asked anew so long before it ends */
	uint64_t     keep_negative;
	uint64_t     keep_dead;        /* how long a domain that cannot be asked is left alone */
	uint64_t     keep_last_good;   /* how long an old positive answer helps when the verifier is away (I-20) */
	uint64_t     entries_max;
};

extern const struct setting gate_route_settings[];
extern const struct setting gate_queue_settings[];
extern const struct setting gate_callahead_settings[];

#endif
