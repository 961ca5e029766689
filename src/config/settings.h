/*
 * The gate's settings: one struct and one table for each kind of section (see base/setting.h). These structs hold what was
 * written in the file; what is made of them (address lists, TLS contexts, route tables) is config/config.h's.
 *
 * Durations are milliseconds, sizes bytes. Routes and the queue have their own tables in config/route_settings.h.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/setting.h"

/* [gateway] */
struct gate_gateway_settings {
	struct slice hostname;         /* our name in greetings, Received fields and loops */
	struct slice user;             /* whom the roles run as when started by root */
	struct slice state;            /* directory: journal/, records/ below it */
	struct slice run;              /* directory of the control sockets */
	uint64_t     loops;            /* threads that hold sessions; 0: one for each processor, at most 8 */
	uint64_t     message_bytes_max; /* all messages being received or scanned, together */
	uint64_t     drain;            /* how long sessions may go on when the gateway ends or is replaced */
};

/* Who may speak to a listener, and as what. */
enum listener_role {
	LISTENER_INTERNET,   /* strangers: hosted recipients only */
	LISTENER_SUBMISSION, /* people with accounts: AUTH over TLS first */
	LISTENER_INTERNAL,   /* the organisation's own mail systems, by address or certificate */
	LISTENER_JOURNAL,    /* envelope journal reports of a mail system */
	LISTENER_ROLE_COUNT
};

enum listener_tls { LISTENER_TLS_NONE, LISTENER_TLS_STARTTLS, LISTENER_TLS_REQUIRED, LISTENER_TLS_IMPLICIT, LISTENER_TLS_COUNT };

/* [listener NAME] */
struct gate_listener_settings {
	struct slice        name;
	struct setting_list addresses;    /* "0.0.0.0:25", "[::]:25" */
	uint32_t            role;         /* enum listener_role */
	uint32_t            tls;          /* enum listener_tls */
	struct setting_list certificates; /* names of [certificate] sections; the first one answers clients without SNI */
	bool                ask_certificate;
	struct setting_list peers;        /* networks that may connect; empty: everybody (never for `internal` and `journal`) */
	struct setting_list tls_required_from;
	struct setting_list peer_certificates; /* SHA-256 fingerprints that count as own mail systems, as hexadecimal */
	struct setting_list proxies;      /* networks whose PROXY header is required and believed */
	struct setting_list xclient;      /* networks that may use XCLIENT */
	struct setting_list bare_newline_from; /* networks whose bare CR or LF is mended instead of refused */
	struct setting_list relay_from;   /* networks that may send to any domain: direction `relay` */
	bool                dsn, chunking, smtputf8;
	uint64_t            message_size_max;
	uint64_t            recipients_max;
	uint64_t            connections_max;
	uint64_t            connections_per_peer;
	uint64_t            connection_rate;    /* new connections of one peer in a minute */
	uint64_t            message_rate;       /* messages of one peer in a minute */
	uint64_t            sender_domain_rate; /* messages with senders of one domain in a minute (I-9) */
	uint64_t            messages_per_session;
	uint64_t            errors_max;         /* protocol errors before 421 */
	uint64_t            unknown_recipients_max; /* in one session, before 421 */
	uint64_t            tarpit;             /* delay of each refusal after the first few */
	uint64_t            greeting_delay;     /* 0: greet at once */
	uint64_t            timeout_command;
	uint64_t            timeout_data;       /* between two blocks of a message */
	uint64_t            timeout_message;    /* for a whole message */
	uint64_t            timeout_session;
};

/* Is it for the organisation's own mail systems alone? Who is none of them may not even say MAIL there. */
static inline bool gate_listener_is_own(const struct gate_listener_settings *listener)
{
	return listener->role == LISTENER_INTERNAL || listener->role == LISTENER_JOURNAL;
}

/* [certificate NAME]: key and certificate chain in PEM. */
struct gate_certificate_settings {
	struct slice        name;
	struct slice        file;
	struct slice        key;
	struct setting_list names; /* server names it answers for; empty: those in the certificate */
};

/* How a hosted domain knows its recipients. */
enum recipient_source { RECIPIENTS_ANY, RECIPIENTS_LIST, RECIPIENTS_CALLAHEAD, RECIPIENT_SOURCE_COUNT };

/* [domain NAME]: mail that we accept from strangers. */
struct gate_domain_settings {
	struct slice        name;              /* "example.cn" */
	struct setting_list aliases;           /* domains whose recipients are the same people here */
	uint32_t            recipients;        /* enum recipient_source */
	struct setting_list recipient_list;    /* local parts or addresses */
	struct slice        recipient_file;    /* one of them a line */
	struct slice        plus_separator;    /* "+"; empty: off */
	uint64_t            message_size_max;  /* 0: the listener's */
	struct slice        archive;           /* address that gets a copy of each message; empty: none */
	struct slice        postmaster;        /* where postmaster, abuse, security, hostmaster go; empty: as written */
	uint32_t            unverified;        /* when call-ahead cannot tell: 0 accept, 1 defer */
};

/* [organisation]: what counts as ours beside the hosted domains. */
struct gate_organisation_settings {
	struct setting_list networks;   /* addresses of our own mail systems, wherever they connect */
	bool                sender_must_match; /* on submission, MAIL FROM and From must be addresses of the account */
};

/* [accounts] */
struct gate_accounts_settings {
	struct slice file;           /* "name:argon2id hash:address[,address...]" a line; empty: nobody can authenticate */
	uint64_t     failures_max;   /* in one session */
	uint64_t     failure_delay;
};

/* [tls] */
struct gate_tls_settings {
	uint32_t     minimum;  /* 0: TLS 1.2, 1: TLS 1.3 */
	bool         tickets;
	struct slice ca_file;  /* who signs the certificates of next hops that are verified; empty: the system's */
};

/* [dns] */
struct gate_dns_settings {
	struct setting_list servers;      /* "127.0.0.1:53"; empty: those of /etc/resolv.conf at start */
	bool                reverse;      /* ask for the names of peers */
	uint64_t            timeout;
	uint64_t            cache_bytes;
};

/*
 * What a scanner needs beside its message, in bytes of address space: the program and its libraries (25 MiB on Debian 12, amd64), the
 * memory for findings, and room for libraries that are laid out more generously elsewhere.
 */
#define GATE_SCANNER_OWN_BYTES (UINT64_C(96) << 20)

/* [scanner]: the processes; what they look for and what follows from it is policy's (policy/settings.h). */
struct gate_scanner_settings {
	uint64_t count;        /* 0: one for each processor, at most 8 */
	uint64_t memory_max;   /* of one scanner process; at least the largest message and GATE_SCANNER_OWN_BYTES */
	uint64_t waiting_max;  /* messages that wait for a scanner */
};

/* [metrics] */
struct gate_metrics_settings {
	struct slice address; /* loopback only; empty: off */
};

/* [log] */
struct gate_log_settings {
	uint32_t format; /* 0 text, 1 json */
	uint32_t target; /* 0 stderr, 1 journald */
	uint32_t level;  /* 0 error, 1 warning, 2 notice, 3 info, 4 debug */
};

#define GATE_LISTENERS_MAX 32u
#define GATE_CERTIFICATES_MAX 64u
#define GATE_DOMAINS_MAX 10000u

extern const struct setting gate_gateway_settings[];
extern const struct setting gate_listener_settings[];
extern const struct setting gate_certificate_settings[];
extern const struct setting gate_domain_settings[];
extern const struct setting gate_organisation_settings[];
extern const struct setting gate_accounts_settings[];
extern const struct setting gate_tls_settings[];
extern const struct setting gate_dns_settings[];
extern const struct setting gate_scanner_settings[];
extern const struct setting gate_metrics_settings[];
extern const struct setting gate_log_settings[];

#endif
