/*
 * The proof at start: a key and a certificate are made in memory, and a server and a client of ours talk over a
 * socket pair with each TLS version. What OpenSSL loads lazily is loaded by that, and what it cannot do shows before
 * the box closes.
 */
#include "net/tls_inner.h"

#include "base/must.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEPS_MAX 20 /* turns of the two sides; a handshake takes two or three each */

/* One second each way is enough: the pair is used at once, and its dates are not looked at. */
static X509 *make_certificate(EVP_PKEY *key)
{
	X509      *made = X509_new();
	X509_NAME *name = X509_NAME_new();
	bool       well = made != NULL && name != NULL;

	well = well && X509_set_version(made, X509_VERSION_3) == 1;
	well = well && ASN1_INTEGER_set(X509_get_serialNumber(made), 1) == 1;
	well = well && X509_gmtime_adj(X509_getm_notBefore(made), -1) != NULL;
	well = well && X509_gmtime_adj(X509_getm_notAfter(made), 86400) != NULL;
	well = well && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"proof.invalid", -1,
	                                          -1, 0) == 1;
	well = well && X509_set_subject_name(made, name) == 1 && X509_set_issuer_name(made, name) == 1;
	well = well && X509_set_pubkey(made, key) == 1 && X509_sign(made, key, EVP_sha256()) != 0;
	X509_NAME_free(name);
	if (well)
		return made;
	X509_free(made);
	return NULL;
}

static struct slice pem_of(BIO *bio)
{
	char *text = NULL;
	long  size = BIO_get_mem_data(bio, &text);

	return slice_of(text, size > 0 ? (size_t)size : 0);
}

/* Shake hands and carry one byte each way. */
static bool converse(struct tls_session *server, struct tls_session *client)
{
	struct tls_session *const sides[2] = { server, client };
	enum rc                   shaken[2] = { RC_AGAIN, RC_AGAIN };
	uint8_t                   byte = 0;
	size_t                    count = 0;

	for (unsigned step = 0; step < STEPS_MAX && (shaken[0] != RC_OK || shaken[1] != RC_OK); step++) {
		const unsigned side = step % 2;
		tls_session_readable(sides[side], false);
		if (shaken[side] != RC_OK)
			shaken[side] = tls_session_handshake(sides[side], NULL);
		if (shaken[side] != RC_OK && shaken[side] != RC_AGAIN)
			return false;
	}
	for (unsigned side = 0; side < 2; side++) {
		if (tls_session_write(sides[side], SLICE("!"), &count) != RC_OK || count != 1)
			return false;
		tls_session_readable(sides[1 - side], false);
		if (tls_session_read(sides[1 - side], &byte, 1, &count) != RC_OK || byte != '!')
			return false;
	}
	return true;
}

static bool prove(struct tls_context *server_context, struct tls_context *client_context, bool cap)
{
	const struct tls_client_names names = { .sni = SLICE("proof.invalid") };
	struct tls_session           *server = NULL, *client = NULL;
	int                           pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	bool well = tls_session_server(server_context, pair[0], &server) == RC_OK &&
	            tls_session_client(client_context, pair[1], &names, &client) == RC_OK;
	if (well && cap)
		tls_session_cap(client);
	well = well && converse(server, client);
	tls_session_close(&server);
	tls_session_close(&client);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return well;
}

static enum rc prove_pair(const struct tls_pair *pair, struct tls_tickets *tickets, struct fault *fault)
{
	const struct tls_server_settings server_settings = { .pairs = pair, .pairs_count = 1, .tickets = tickets };
	const struct tls_client_settings client_settings = { .level = TLS_LEVEL_OPPORTUNISTIC };
	struct tls_context              *server = NULL, *client = NULL;

	enum rc rc = tls_server_open(&server_settings, &server, fault);
	if (rc == RC_OK)
		rc = tls_client_open(&client_settings, &client, fault);
	if (rc == RC_OK && (!prove(server, client, false) || !prove(server, client, true)))
		rc = fault_set(fault, RC_UNSUPPORTED, "OpenSSL cannot shake hands with itself", 0, 0);
	tls_context_close(&server);
	tls_context_close(&client);
	return rc;
}

enum rc net_tls_ready(struct fault *fault)
{
	struct tls_tickets *tickets = NULL;
	X509               *certificate = NULL;
	enum rc             rc = RC_UNSUPPORTED;

	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
	                                OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS,
	                        NULL) != 1 ||
	    tls_socket_ready() != RC_OK)
		return fault_set(fault, RC_UNSUPPORTED, "starting OpenSSL", 0, 0);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO      *key_pem = BIO_new(BIO_s_mem());
	BIO      *certificate_pem = BIO_new(BIO_s_mem());
	if (key != NULL)
		certificate = make_certificate(key);
	if (certificate != NULL && key_pem != NULL && certificate_pem != NULL &&
	    PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    PEM_write_bio_X509(certificate_pem, certificate) == 1 && tls_tickets_open(3600, &tickets) == RC_OK) {
		const struct tls_pair pair = { pem_of(certificate_pem), pem_of(key_pem) };
		rc = prove_pair(&pair, tickets, fault);
	} else {
		rc = fault_set(fault, RC_UNSUPPORTED, "making a key and a certificate to prove TLS with", 0, 0);
	}
	tls_tickets_close(&tickets);
	X509_free(certificate);
	BIO_free(key_pem);
	BIO_free(certificate_pem);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return rc;
}
