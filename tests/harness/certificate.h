/*
 * Keys and certificates for tests, made in memory: an authority, and certificates that it signs. Everything is freed by
 * certificate_done(). A failure ends the test program.
 */
#ifndef HARNESS_CERTIFICATE_H
#define HARNESS_CERTIFICATE_H

#include "net/tls.h"

struct certificate_wish {
	const char *common_name;
	const char *names;        /* "DNS:a.example,DNS:*.b.example,email:x@y"; NULL: none */
	int64_t     not_before_s; /* seconds from now */
	int64_t     not_after_s;  /* seconds from now; 0: a day */
	unsigned    rsa_bits;     /* 0: a P-256 key */
	bool        authority;
	bool        old_digest; /* signed with SHA-1 */
};

struct certificate {
	void           *x509, *key; /* OpenSSL's */
	void           *x509_pem, *key_pem, *encrypted_pem;
	struct tls_pair pair;
	struct slice    encrypted_key; /* the same key under a password */
};

/* Signed by `issuer`, or by itself when that is NULL. */
void certificate_make(struct certificate *out, const struct certificate_wish *wish, const struct certificate *issuer);
void certificate_done(struct certificate *certificate);

#endif
