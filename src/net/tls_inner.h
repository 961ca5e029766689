/*
 * Between tls.c, tls_names.c, tls_pair.c and tls_tickets.c only: certificates as OpenSSL holds them, and the keys of session
 * tickets. OpenSSL's types are named here and not included, so that its headers stay in those files.
 */
#ifndef NET_TLS_INNER_H
#define NET_TLS_INNER_H

#include "net/tls.h"

#include <stdatomic.h>

struct x509_st;
struct evp_pkey_st;
struct x509_store_st;

/* A pair as read. */
struct tls_chain {
	struct x509_st     *certificates[TLS_CHAIN_MAX]; /* ours first */
	size_t              count;
	struct evp_pkey_st *key;
};

/* Answers as tls_pair_check() but RC_TIMEOUT; `number` goes into the fault. Free what RC_OK brought. */
MUST_CHECK enum rc tls_chain_read(const struct tls_pair *pair, int64_t number, struct tls_chain *out,
                                  struct fault *fault);
void               tls_chain_free(struct tls_chain *chain);
/* When the first of them ends; the key's certificate first becomes valid at *not_before_s. */
int64_t tls_chain_not_after_s(const struct tls_chain *chain, int64_t *not_before_s);

/*
 * The certificate's dNSName entries in lower case, with `mailboxes` also its rfc822Name entries; without any of them
 * and without `mailboxes` its common name. At most TLS_NAMES_MAX. RC_NOMEM.
 */
MUST_CHECK enum rc tls_names_read(const struct x509_st *certificate, bool mailboxes, struct arena *arena,
                                  const struct slice **out, size_t *out_count);
MUST_CHECK enum rc tls_subject_read(const struct x509_st *certificate, struct arena *arena, struct slice *out);
MUST_CHECK enum rc tls_issuer_read(const struct x509_st *certificate, struct arena *arena, struct slice *out);
void               tls_fingerprint(const struct x509_st *certificate, struct digest *out);

struct tls_authorities {
	atomic_uint           holders;
	struct x509_store_st *store;
};

/* Makes what sessions write to sockets with. Once, before threads start. RC_UNSUPPORTED. */
MUST_CHECK enum rc tls_socket_ready(void);
/* Speak at most TLS 1.2: for the proof at start. */
void tls_session_cap(struct tls_session *session);

/* ---- names ---- */

/* A name of a certificate, in lower case, and the pair that shows it. */
struct tls_name {
	struct slice name; /* owned */
	size_t       pair;
};

/* Sorted by name; all zero is empty. */
struct tls_names {
	struct tls_name *items;
	size_t           count;
};

/* The names of a pair's certificate; those that are there already stay with the pair that came first. RC_NOMEM. */
MUST_CHECK enum rc tls_names_add(struct tls_names *names, size_t pair, const struct x509_st *certificate);
/* Who answers for the name a client asks for; a wildcard stands for one label (RFC 6125 section 6.4.3). False: nobody. */
bool tls_names_find(const struct tls_names *names, struct slice asked, size_t *ret_pair);
/* Is there a name that `pair` answers for, and are all of them among `by`? */
bool tls_names_covered(const struct tls_names *names, size_t pair, const struct tls_names *by);
void tls_names_done(struct tls_names *names);

/* ---- tickets ---- */

#define TLS_TICKET_NAME_SIZE 16u

struct tls_ticket_key {
	uint8_t  name[TLS_TICKET_NAME_SIZE];
	uint8_t  cipher[32]; /* AES-256-CBC */
	uint8_t  mac[32];    /* HMAC-SHA-256 */
	uint64_t born_s;
};

/* The key to seal a new ticket with; changes the ring when its time has come. */
void tls_tickets_newest(struct tls_tickets *tickets, uint64_t now_s, struct tls_ticket_key *out);
/* The key of that name. False: none, or too old. *renew: a newer one is in use. */
bool tls_tickets_find(struct tls_tickets *tickets, uint64_t now_s, const uint8_t name[TLS_TICKET_NAME_SIZE],
                      struct tls_ticket_key *out, bool *renew);

#endif
