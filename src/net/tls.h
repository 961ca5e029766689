/*
 * TLS through OpenSSL 3 (tls.c is the only file of the house that includes <openssl/ssl.h>): contexts made from bytes
 * in memory, sessions on a connected socket. net/stream.h is what most callers use; they meet only contexts, names
 * and facts here.
 *
 * A context is immutable and counted: a reload makes a new one, new sessions take it, and the old one goes away with
 * its last session. TLS 1.2 is the least that is spoken (RFC 8996); renegotiation, compression, early data and SSLv2
 * hellos are refused. No file is opened here: keys, certificates and authorities come as PEM bytes. SM2/SM3/SM4 and
 * TLCP are not spoken.
 *
 * Sessions write with MSG_NOSIGNAL: SIGPIPE never comes from here.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/slice.h"

/*
 * Once per process, before threads start and before the sandbox closes: loads what OpenSSL loads lazily, and proves
 * it by a TLS 1.3 and a TLS 1.2 handshake with itself in memory. Reads no configuration file. RC_UNSUPPORTED with
 * *fault. Afterwards OpenSSL needs of the kernel: getrandom, futex, mmap/munmap/brk, and the socket calls of
 * net/stream.h.
 */
MUST_CHECK enum rc net_tls_ready(struct fault *fault);

/* ---- certificates ---- */

enum tls_version {
	TLS_VERSION_1_2 = 0,
	TLS_VERSION_1_3,
};

/* A private key (PKCS#8 or traditional PEM, not encrypted) and its certificate followed by the intermediate ones. */
struct tls_pair {
	struct slice certificates;
	struct slice key;
};

/* What a pair says of itself. Slices live in the arena given. */
struct tls_pair_facts {
	struct slice subject; /* RFC 4514 text */
	const struct slice
		     *names; /* dNSName entries in lower case, wildcards as they are; without any the common name */
	size_t        names_count;
	int64_t       not_before_s; /* seconds since 1970 */
	int64_t       not_after_s;  /* of the first certificate of the chain to end */
	struct digest fingerprint;  /* SHA-256 of the certificate */
};

/* Bounds of what is read. */
#define TLS_PEM_BYTES_MAX   (1u << 20) /* certificates or key of one pair */
#define TLS_AUTHORITIES_MAX (8u << 20) /* a whole bundle of authorities */
#define TLS_CHAIN_MAX       10u
#define TLS_NAMES_MAX       256u /* names looked at in one certificate */
#define TLS_PAIRS_MAX       256u

/*
 * Look at a pair without using it: for `hangu check`, and for the alarms 30, 14 and 7 days before the end.
 *
 * RC_OK          usable at `now_s`.
 * RC_SYNTAX      no certificate or no key could be read (the text says which).
 * RC_DENIED      the key is encrypted.
 * RC_CONFLICT    the key does not belong to the certificate.
 * RC_UNSUPPORTED a key or signature OpenSSL refuses (too short, unknown curve).
 * RC_TIMEOUT     expired, or not valid yet; *out is filled.
 * RC_LIMIT, RC_NOMEM.
 */
MUST_CHECK enum rc tls_pair_check(const struct tls_pair *pair, int64_t now_s, struct arena *arena,
                                  struct tls_pair_facts *out, struct fault *fault);

/* ---- session tickets (RFC 5077, RFC 8446 section 4.6.1) ---- */

struct tls_tickets; /* opaque: a ring of keys for all server contexts and threads; outlives reloads */

/*
 * Keys are made at random, change every `rotate_s` seconds (60 to 604,800), and a ticket is honoured for at most two
 * such spans. Nothing is ever stored outside the process. RC_NOMEM, RC_UNSUPPORTED (no randomness). Close after the
 * last context.
 */
MUST_CHECK enum rc tls_tickets_open(uint32_t rotate_s, struct tls_tickets **out);
void               tls_tickets_close(struct tls_tickets **tickets);

/* ---- contexts ---- */

struct tls_context; /* opaque, immutable, counted */

/* Authorities (trust anchors) read once and shared by contexts; counted. */
struct tls_authorities; /* opaque */
/* `pem` holds at least one certificate; those that cannot be read fail the whole. RC_SYNTAX, RC_LIMIT, RC_NOMEM. */
MUST_CHECK enum rc tls_authorities_open(struct slice pem, struct tls_authorities **out, struct fault *fault);
/* Contexts made with it keep it alive. */
void tls_authorities_close(struct tls_authorities **authorities);

struct tls_server_settings {
	/*
	 * The first one answers when no name matches, or none is asked for; of several that carry a name the first one does. Pairs with keys
	 * of different kinds (RSA, ECDSA) for the same names answer together: each client is shown what it can check.
	 */
	const struct tls_pair  *pairs;
	size_t                  pairs_count; /* 1 to TLS_PAIRS_MAX */
	enum tls_version        minimum;
	struct slice            ciphers;            /* OpenSSL's list for TLS 1.2; empty: the house's own */
	bool                    ask_client;         /* request a certificate; a missing or unknown one ends nothing */
	struct tls_authorities *client_authorities; /* who may sign it; NULL: nothing verifies */
	struct tls_tickets     *tickets;            /* NULL: no tickets, hence no resumption */
};

/* Errors as in tls_pair_check (expiry is not looked at); fault->number is the index of the pair. */
MUST_CHECK enum rc tls_server_open(const struct tls_server_settings *settings, struct tls_context **out,
                                   struct fault *fault);

/* How the certificate of the host we send to is looked at (RFC 7435 for the first two). */
enum tls_level {
	TLS_LEVEL_OPPORTUNISTIC = 0, /* encrypt; verification is tried and recorded, and decides nothing */
	TLS_LEVEL_REQUIRE,           /* the same for TLS; the caller does not fall back to plain text */
	TLS_LEVEL_VERIFY,            /* chain to `authorities` and one of the names of tls_client_names */
};

struct tls_client_settings {
	enum tls_level          level;
	struct tls_authorities *authorities; /* NULL: nothing is verified; not with TLS_LEVEL_VERIFY */
	const struct tls_pair  *pair;        /* our client certificate; NULL: none */
	enum tls_version        minimum;
	struct slice            ciphers;
};

/* Errors as for a server. RC_CONFLICT also: TLS_LEVEL_VERIFY without authorities. */
MUST_CHECK enum rc tls_client_open(const struct tls_client_settings *settings, struct tls_context **out,
                                   struct fault *fault);

/* One more holder. From any thread. */
struct tls_context *tls_context_share(struct tls_context *context);
/* One holder less. NULL inside is legal; clears the caller's pointer. From any thread. */
void tls_context_close(struct tls_context **context);

/*
 * The moment (seconds since 1970) at which the first of the context's own certificates ends; INT64_MAX without
 * certificates.
 */
int64_t tls_context_not_after_s(const struct tls_context *context);

/* ---- sessions ---- */

struct tls_session; /* opaque: one TLS connection; belongs to one thread */

/* Who we want to talk to. Names are without a final dot, in ASCII (A-labels). */
struct tls_client_names {
	struct slice sni; /* server_name sent (RFC 6066 section 3); empty: none. Not an address literal */
	const struct slice
		*names;       /* any may match; ".example.com" stands for any host directly below, "*" is not allowed */
	size_t   names_count; /* up to TLS_CLIENT_NAMES_MAX; not 0 with TLS_LEVEL_VERIFY */
};
#define TLS_CLIENT_NAMES_MAX 16u

/*
 * A session on connected, non-blocking socket `fd`, which stays the caller's. The session holds the context. RC_NOMEM;
 * RC_SYNTAX (a name holds what no host name may hold), RC_LIMIT (too many names), RC_CONFLICT (TLS_LEVEL_VERIFY without
 * names).
 */
MUST_CHECK enum rc tls_session_server(struct tls_context *context, int fd, struct tls_session **out);
MUST_CHECK enum rc tls_session_client(struct tls_context *context, int fd, const struct tls_client_names *names,
                                      struct tls_session **out);
/* Frees; sends nothing. */
void tls_session_close(struct tls_session **session);

/* What a call that answered RC_AGAIN waits for. */
enum tls_want {
	TLS_WANT_READ = 0,
	TLS_WANT_WRITE,
};
enum tls_want tls_session_want(const struct tls_session *session);

/*
 * The socket became readable: only after this does the session read from it again. A read that brought less than was
 * asked for has emptied the socket; the session remembers that and saves the call that would say so. `ended`: the
 * peer's end of the connection stands behind the bytes (no further notice will come), so that it must go on to read
 * until it meets it.
 */
void tls_session_readable(struct tls_session *session, bool ended);

/*
 * RC_OK: established. RC_AGAIN. RC_CLOSED: the peer went. RC_DENIED: its certificate is not what is asked for.
 * RC_SYNTAX: no TLS, or no version, cipher or group in common, or an alert; *fault says which in our words.
 */
MUST_CHECK enum rc tls_session_handshake(struct tls_session *session, struct fault *fault);

/*
 * RC_OK with *out_count > 0; RC_AGAIN; RC_CLOSED: end of input (with or without close_notify); RC_SYNTAX, RC_IO:
 * broken.
 */
MUST_CHECK enum rc tls_session_read(struct tls_session *session, uint8_t *bytes, size_t room, size_t *out_count);
/*
 * Takes a part of `bytes` (not empty). After RC_AGAIN the next write starts with the same bytes and is not shorter.
 * RC_CLOSED, RC_IO.
 */
MUST_CHECK enum rc tls_session_write(struct tls_session *session, struct slice bytes, size_t *out_count);
/* close_notify. RC_OK: sent. RC_AGAIN. RC_CLOSED, RC_IO: cannot be sent any more. */
MUST_CHECK enum rc tls_session_shutdown(struct tls_session *session);

/* What is known of an established session; slices live in the arena. */
struct tls_facts {
	const char         *version; /* "TLSv1.3"; static */
	const char         *cipher;  /* "TLS_AES_256_GCM_SHA384"; static */
	unsigned            bits;    /* of the cipher */
	bool                resumed;
	bool                peer_certificate; /* the peer showed one */
	bool                peer_verified;    /* it chains to the authorities and carries one of the names given */
	const char         *peer_error;       /* why not, static; "" when verified or when there is none */
	struct slice        peer_subject;     /* RFC 4514 text; what the peer wrote: quote it */
	struct slice        peer_issuer;      /* the same of who signed it, as the certificate says */
	const struct slice *peer_names;       /* its dNSName and rfc822Name entries */
	size_t              peer_names_count; /* at most TLS_NAMES_MAX */
	struct digest       peer_fingerprint; /* SHA-256 of the certificate */
	struct slice        sni;              /* what a client asked us for */
};
/* RC_NOMEM: the arena is full. */
MUST_CHECK enum rc tls_session_facts(const struct tls_session *session, struct arena *arena, struct tls_facts *out);

#endif
