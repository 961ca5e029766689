/*
 * TLS contexts and sessions on OpenSSL 3; reading keys and certificates is tls_pair.c's, tickets' keys are
 * tls_tickets.c's.
 */
#include "net/tls.h"

#include "base/memory.h"
#include "base/must.h"
#include "net/tls_inner.h"
#include "sys/clock.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

/*
 * TLS 1.2 suites with forward secrecy first; plain RSA key exchange stays for hosts of long ago, who would otherwise
 * be sent to in the clear. Level 0 for the opportunistic client, for the same reason (RFC 7435 section 3); else level
 * 1.
 */
#define CIPHERS                                                                                     \
	"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:" \
	"!aNULL:!eNULL:!PSK:!SRP:!DSS:!MD5:!aECDH"
#define CIPHERS_OF_OLD       CIPHERS ":@SECLEVEL=0"
#define CIPHERS_NORMAL       CIPHERS ":@SECLEVEL=1"
#define PEER_CHAIN_BYTES_MAX 65536 /* a client's or host's whole Certificate message */

struct tls_context {
	atomic_uint         holders;
	bool                server;
	enum tls_level      level;
	bool                verifies; /* authorities are given */
	int64_t             not_after_s;
	struct tls_tickets *tickets;
	struct tls_names    names; /* of the pairs: which context answers for which */
	size_t              count;
	SSL_CTX           **contexts; /* one for each pair; a client has one */
};

struct tls_session {
	SSL                *ssl;
	struct tls_context *context;
	int                 fd;
	int                 error;   /* errno of the last call that failed for good */
	bool                drained; /* the socket held less than was asked for */
	bool                ended;   /* its end stands behind the bytes: read until it is met */
	bool                at_end;
	uint8_t             want; /* enum tls_want */
};

/* ---- the socket below a session ---- */

/* Made by tls_socket_ready() before threads start, and never changed after it. */
static BIO_METHOD *socket_method;

static int socket_read(BIO *bio, char *bytes, int size)
{
	struct tls_session *session = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (session->drained) {
		BIO_set_retry_read(bio);
		return -1;
	}
	const ssize_t count = recv(session->fd, bytes, (size_t)size, 0);
	if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
		session->drained = errno == EAGAIN;
		BIO_set_retry_read(bio);
		return -1;
	}
	if (count < 0)
		session->error = errno;
	session->at_end = count == 0;
	session->drained = count > 0 && count < size && !session->ended;
	return (int)count;
}

static int socket_write(BIO *bio, const char *bytes, int size)
{
	struct tls_session *session = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	const ssize_t count = send(session->fd, bytes, (size_t)size, MSG_NOSIGNAL);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	else if (count < 0)
		session->error = errno;
	return (int)count;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
	const struct tls_session *session = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return session != NULL && session->at_end;
	default:
		return 0;
	}
}

enum rc tls_socket_ready(void)
{
	if (socket_method != NULL)
		return RC_OK;
	BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hangu socket");
	if (made == NULL || BIO_meth_set_read(made, socket_read) != 1 || BIO_meth_set_write(made, socket_write) != 1 ||
	    BIO_meth_set_ctrl(made, socket_control) != 1) {
		BIO_meth_free(made);
		return RC_UNSUPPORTED;
	}
	socket_method = made;
	return RC_OK;
}

/* ---- contexts ---- */

/* What OpenSSL complains of, in our words. */
static const char *setup_text(void)
{
	switch (ERR_GET_REASON(ERR_peek_last_error())) {
	case SSL_R_EE_KEY_TOO_SMALL:
	case SSL_R_CA_KEY_TOO_SMALL:
		return "the key of a certificate is too short";
	case SSL_R_CA_MD_TOO_WEAK:
		return "a certificate is signed with a digest that is too weak";
	case SSL_R_NO_CIPHER_MATCH:
		return "the list of ciphers names none that is known";
	case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
		return "the key is of a kind that TLS does not use";
	default:
		return "OpenSSL refuses the key, certificate or ciphers";
	}
}

static enum rc refuse(struct fault *fault, int64_t number)
{
	const char *text = setup_text();

	ERR_clear_error();
	return fault_set(fault, RC_UNSUPPORTED, text, 0, number);
}

static int64_t now_s(void)
{
	return (int64_t)(clock_mono_ms() / 1000);
}

/*
 * SSL_CTX_set_tlsext_ticket_key_evp_cb: 1 goes on, 2 goes on and asks for a new ticket, 0 knows no such key, -1 is
 * broken.
 */
static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                      int seal)
{
	const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct tls_ticket_key     key;
	bool                      renew = false;
	int                       answer = -1;

	if (seal) {
		tls_tickets_newest(context->tickets, (uint64_t)now_s(), &key);
		memcpy(name, key.name, sizeof key.name);
		if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
			return -1;
	} else if (!tls_tickets_find(context->tickets, (uint64_t)now_s(), name, &key, &renew)) {
		return 0;
	}
	char       digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof key.mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, seal) == 1 &&
	    EVP_MAC_CTX_set_params(mac, parameters) == 1)
		answer = renew ? 2 : 1;
	memory_wipe(&key, sizeof key);
	return answer;
}

/* RFC 6066 section 3: the name a client asks for. */
static int server_name(SSL *ssl, int *alert, void *argument)
{
	const struct tls_context *context = argument;
	size_t                    pair;

	(void)alert;
	if (!tls_names_find(&context->names, slice_str(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)), &pair))
		return SSL_TLSEXT_ERR_NOACK;
	if (pair != 0 && SSL_set_SSL_CTX(ssl, context->contexts[pair]) == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

/* Whatever the peer shows is recorded and nothing ends by it. */
static int accept_any(int verified, X509_STORE_CTX *store)
{
	(void)verified;
	(void)store;
	return 1;
}

struct common {
	bool                    server;
	enum tls_version        minimum;
	struct slice            ciphers;
	const char             *ciphers_standard;
	struct tls_authorities *authorities;
};

static enum rc make_context(const struct common *common, struct tls_context *context, int64_t number, SSL_CTX **out,
                            struct fault *fault)
{
	char     ciphers[1024];
	char     groups[] = "X25519:P-256:P-384:P-521"; /* OpenSSL's macro takes it without const */
	SSL_CTX *made = SSL_CTX_new(common->server ? TLS_server_method() : TLS_client_method());

	if (made == NULL)
		return fault_set(fault, RC_NOMEM, "taking memory for a TLS context", 0, number);
	*out = made; /* the caller frees it, also when the rest fails */
	SSL_CTX_set_app_data(made, context);
	(void)SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
	                                        SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	(void)SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(made, 1);
	SSL_CTX_set_max_cert_list(made, PEER_CHAIN_BYTES_MAX);
	SSL_CTX_set_verify_depth(made, (int)TLS_CHAIN_MAX);
	(void)SSL_CTX_set_dh_auto(made, 1);
	if (common->ciphers.len >= sizeof ciphers)
		return fault_set(fault, RC_LIMIT, "the list of ciphers is too long", 0, number);
	(void)slice_to_cstr(common->ciphers, ciphers, sizeof ciphers);
	if (SSL_CTX_set_min_proto_version(made, common->minimum == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) !=
	            1 ||
	    SSL_CTX_set_max_proto_version(made, 0) != 1 ||
	    SSL_CTX_set_cipher_list(made, common->ciphers.len != 0 ? ciphers : common->ciphers_standard) != 1 ||
	    SSL_CTX_set1_groups_list(made, groups) != 1)
		return refuse(fault, number);
	if (common->authorities != NULL)
		SSL_CTX_set1_cert_store(made, common->authorities->store);
	return RC_OK;
}

static enum rc use_chain(SSL_CTX *made, const struct tls_chain *chain, int64_t number, struct fault *fault)
{
	if (SSL_CTX_use_certificate(made, chain->certificates[0]) != 1 || SSL_CTX_use_PrivateKey(made, chain->key) != 1)
		return refuse(fault, number);
	for (size_t index = 1; index < chain->count; index++) {
		if (SSL_CTX_add1_chain_cert(made, chain->certificates[index]) != 1)
			return refuse(fault, number);
	}
	return RC_OK;
}

/* Nobody holds it any more. */
static void free_context(struct tls_context *context)
{
	tls_names_done(&context->names);
	for (size_t index = 0; index < context->count; index++)
		SSL_CTX_free(context->contexts[index]);
	memory_give(context->contexts);
	memory_give(context);
}

static struct tls_context *take_context(size_t count)
{
	struct tls_context *context = memory_take(1, sizeof *context);
	SSL_CTX           **contexts = memory_take(count, sizeof(SSL_CTX *));

	if (context == NULL || contexts == NULL) {
		memory_give(context);
		memory_give(contexts);
		return NULL;
	}
	atomic_init(&context->holders, 1);
	context->contexts = contexts;
	context->count = count;
	context->not_after_s = INT64_MAX;
	return context;
}

static void note_end(struct tls_context *context, const struct tls_chain *chain)
{
	int64_t       not_before_s;
	const int64_t not_after_s = tls_chain_not_after_s(chain, &not_before_s);

	if (not_after_s < context->not_after_s)
		context->not_after_s = not_after_s;
}

static enum rc add_server_pair(const struct tls_server_settings *settings, struct tls_context *context, size_t index,
                               struct fault *fault)
{
	const struct common common = { true, settings->minimum, settings->ciphers, CIPHERS_NORMAL,
		                       settings->client_authorities };
	struct tls_chain    chain;
	SSL_CTX           **slot = &context->contexts[index];

	enum rc rc = tls_chain_read(&settings->pairs[index], (int64_t)index, &chain, fault);
	if (rc != RC_OK)
		return rc;
	rc = make_context(&common, context, (int64_t)index, slot, fault);
	if (rc == RC_OK)
		rc = use_chain(*slot, &chain, (int64_t)index, fault);
	if (rc == RC_OK && tls_names_add(&context->names, index, chain.certificates[0]) != RC_OK)
		rc = fault_set(fault, RC_NOMEM, "taking memory for the names of a certificate", 0, (int64_t)index);
	note_end(context, &chain);
	tls_chain_free(&chain);
	if (rc != RC_OK)
		return rc;
	static const unsigned char session_id[] = "hangu";
	(void)SSL_CTX_set_session_id_context(*slot, session_id, sizeof session_id - 1);
	if (settings->ask_client)
		SSL_CTX_set_verify(*slot, SSL_VERIFY_PEER, accept_any);
	if (settings->tickets != NULL) {
		(void)SSL_CTX_set_num_tickets(*slot, 1);
		(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(*slot, ticket_key);
	} else {
		(void)SSL_CTX_set_options(*slot, SSL_OP_NO_TICKET);
		(void)SSL_CTX_set_num_tickets(*slot, 0);
	}
	(void)SSL_CTX_set_tlsext_servername_callback(*slot, server_name);
	(void)SSL_CTX_set_tlsext_servername_arg(*slot, context);
	return RC_OK;
}

/* Of keys of one kind a context shows one certificate; OpenSSL chooses among kinds by what the client can check (RFC 8446 section 4.4.2.2). */
static bool has_kind(SSL_CTX *context, const EVP_PKEY *key)
{
	bool found = false;

	for (long more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); more == 1 && !found;
	     more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT))
		found = EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(context)) == EVP_PKEY_get_base_id(key);
	return found;
}

/* Where another pair of ours answers for names that this one carries, too, with a key of another kind: both are shown there. */
static enum rc join_pair(const struct tls_server_settings *settings, struct tls_context *context, size_t index, struct fault *fault)
{
	struct tls_chain chain;
	struct tls_names own = { .items = NULL };
	enum rc          rc = tls_chain_read(&settings->pairs[index], (int64_t)index, &chain, fault);

	if (rc != RC_OK)
		return rc;
	if (tls_names_add(&own, index, chain.certificates[0]) != RC_OK)
		rc = fault_set(fault, RC_NOMEM, "taking memory for the names of a certificate", 0, (int64_t)index);
	for (size_t other = 0; rc == RC_OK && other < context->count; other++) {
		if (other != index && tls_names_covered(&context->names, other, &own) && !has_kind(context->contexts[other], chain.key))
			rc = use_chain(context->contexts[other], &chain, (int64_t)index, fault);
	}
	tls_names_done(&own);
	tls_chain_free(&chain);
	return rc;
}

enum rc tls_server_open(const struct tls_server_settings *settings, struct tls_context **out, struct fault *fault)
{
	must(settings->pairs_count != 0);
	must(settings->pairs_count <= TLS_PAIRS_MAX);
	struct tls_context *context = take_context(settings->pairs_count);
	if (context == NULL)
		return fault_set(fault, RC_NOMEM, "taking memory for a TLS context", 0, 0);
	context->server = true;
	context->verifies = settings->client_authorities != NULL;
	context->tickets = settings->tickets;
	for (size_t index = 0; index < settings->pairs_count; index++) {
		const enum rc rc = add_server_pair(settings, context, index, fault);
		if (rc != RC_OK) {
			free_context(context);
			return rc;
		}
	}
	for (size_t index = 0; index < settings->pairs_count; index++) {
		const enum rc rc = join_pair(settings, context, index, fault);
		if (rc != RC_OK) {
			free_context(context);
			return rc;
		}
	}
	*out = context;
	return RC_OK;
}

enum rc tls_client_open(const struct tls_client_settings *settings, struct tls_context **out, struct fault *fault)
{
	const struct common common = { false, settings->minimum, settings->ciphers,
		                       settings->level == TLS_LEVEL_OPPORTUNISTIC ? CIPHERS_OF_OLD : CIPHERS_NORMAL,
		                       settings->authorities };

	if (settings->level == TLS_LEVEL_VERIFY && settings->authorities == NULL)
		return fault_set(fault, RC_CONFLICT, "certificates are to be verified, but no authorities are given", 0,
		                 0);
	struct tls_context *context = take_context(1);
	if (context == NULL)
		return fault_set(fault, RC_NOMEM, "taking memory for a TLS context", 0, 0);
	context->level = settings->level;
	context->verifies = settings->authorities != NULL;
	enum rc rc = make_context(&common, context, 0, &context->contexts[0], fault);
	if (rc == RC_OK && settings->pair != NULL) {
		struct tls_chain chain;
		rc = tls_chain_read(settings->pair, 0, &chain, fault);
		if (rc == RC_OK) {
			rc = use_chain(context->contexts[0], &chain, 0, fault);
			note_end(context, &chain);
			tls_chain_free(&chain);
		}
	}
	if (rc != RC_OK) {
		free_context(context);
		return rc;
	}
	if (settings->level == TLS_LEVEL_VERIFY)
		SSL_CTX_set_verify(context->contexts[0], SSL_VERIFY_PEER, NULL);
	else if (context->verifies)
		SSL_CTX_set_verify(context->contexts[0], SSL_VERIFY_PEER, accept_any);
	*out = context;
	return RC_OK;
}

struct tls_context *tls_context_share(struct tls_context *context)
{
	must(atomic_fetch_add(&context->holders, 1) != 0);
	return context;
}

void tls_context_close(struct tls_context **context)
{
	struct tls_context *held = *context;

	*context = NULL;
	if (held != NULL && atomic_fetch_sub(&held->holders, 1) == 1)
		free_context(held);
}

int64_t tls_context_not_after_s(const struct tls_context *context)
{
	return context->not_after_s;
}

/* ---- sessions ---- */

static enum rc open_session(struct tls_context *context, int fd, struct tls_session **out)
{
	must(socket_method != NULL); /* net_tls_ready() was called */
	struct tls_session *session = memory_take(1, sizeof *session);
	BIO                *bio = BIO_new(socket_method);

	if (session != NULL && bio != NULL)
		session->ssl = SSL_new(context->contexts[0]);
	if (session == NULL || bio == NULL || session->ssl == NULL) {
		memory_give(session);
		BIO_free(bio);
		ERR_clear_error();
		return RC_NOMEM;
	}
	session->fd = fd;
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	SSL_set_bio(session->ssl, bio, bio);
	session->context = tls_context_share(context);
	*out = session;
	return RC_OK;
}

enum rc tls_session_server(struct tls_context *context, int fd, struct tls_session **out)
{
	must(context->server);
	const enum rc rc = open_session(context, fd, out);
	if (rc == RC_OK)
		SSL_set_accept_state((*out)->ssl);
	return rc;
}

/* A host name as a C string; `dotted` allows one dot in front. */
static enum rc host_text(struct slice name, bool dotted, char out[256])
{
	const struct slice body = dotted && slice_at(name, 0) == '.' ? slice_drop(name, 1) : name;

	if (body.len == 0 || name.len > 253 || slice_at(body, 0) == '.' || slice_last(body) == '.')
		return RC_SYNTAX;
	for (size_t index = 0; index < body.len; index++) {
		const uint8_t byte = body.ptr[index];
		if (!byte_is_alnum(byte) && byte != '-' && byte != '.' && byte != '_')
			return RC_SYNTAX;
	}
	(void)slice_to_cstr(name, out, 256);
	return RC_OK;
}

static enum rc set_names(struct tls_session *session, const struct tls_client_names *names)
{
	char text[256];

	if (names->names_count > TLS_CLIENT_NAMES_MAX)
		return RC_LIMIT;
	if (names->sni.len != 0) {
		if (host_text(names->sni, false, text) != RC_OK)
			return RC_SYNTAX;
		if (SSL_set_tlsext_host_name(session->ssl, text) != 1)
			return RC_NOMEM;
	}
	SSL_set_hostflags(session->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_SINGLE_LABEL_SUBDOMAINS);
	for (size_t index = 0; index < names->names_count; index++) {
		if (host_text(names->names[index], true, text) != RC_OK)
			return RC_SYNTAX;
		if ((index == 0 ? SSL_set1_host(session->ssl, text) : SSL_add1_host(session->ssl, text)) != 1)
			return RC_NOMEM;
	}
	return RC_OK;
}

enum rc tls_session_client(struct tls_context *context, int fd, const struct tls_client_names *names,
                           struct tls_session **out)
{
	struct tls_session *session = NULL;

	must(!context->server);
	if (context->level == TLS_LEVEL_VERIFY && names->names_count == 0)
		return RC_CONFLICT; /* nothing to verify against must not mean that anything will do */
	enum rc rc = open_session(context, fd, &session);
	if (rc != RC_OK)
		return rc;
	SSL_set_connect_state(session->ssl);
	rc = set_names(session, names);
	ERR_clear_error();
	if (rc == RC_OK)
		*out = session;
	else
		tls_session_close(&session);
	return rc;
}

void tls_session_close(struct tls_session **session)
{
	if (*session == NULL)
		return;
	SSL_free((*session)->ssl);
	tls_context_close(&(*session)->context);
	memory_give(*session);
	*session = NULL;
}

void tls_session_cap(struct tls_session *session)
{
	(void)SSL_set_max_proto_version(session->ssl, TLS1_2_VERSION);
}

enum tls_want tls_session_want(const struct tls_session *session)
{
	return (enum tls_want)session->want;
}

void tls_session_readable(struct tls_session *session, bool ended)
{
	session->drained = false;
	session->ended = session->ended || ended;
}

/* What a call's outcome means for the caller. RC_OK is not among the answers. */
static enum rc outcome(struct tls_session *session, int result)
{
	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		session->want = TLS_WANT_READ;
		return RC_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		session->want = TLS_WANT_WRITE;
		return RC_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return RC_CLOSED;
	case SSL_ERROR_SYSCALL:
		return session->error != 0 && session->error != ECONNRESET && session->error != EPIPE ? RC_IO
		                                                                                      : RC_CLOSED;
	default:
		return RC_SYNTAX;
	}
}

/* The reasons a handshake fails for, as an administrator would say them. */
static const struct {
	int         reason;
	const char *text;
} reasons[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, "the other side does not speak TLS here" },
	{ SSL_R_PACKET_LENGTH_TOO_LONG, "the other side does not speak TLS here" },
	{ SSL_R_HTTP_REQUEST, "the other side speaks HTTP" },
	{ SSL_R_HTTPS_PROXY_REQUEST, "the other side speaks HTTP" },
	{ SSL_R_BAD_RECORD_TYPE, "the other side does not speak TLS here" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "no TLS version in common" },
	{ SSL_R_VERSION_TOO_LOW, "no TLS version in common" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the other side accepts none of our TLS versions" },
	{ SSL_R_NO_SHARED_CIPHER, "no cipher in common" },
	{ SSL_R_NO_SUITABLE_KEY_SHARE, "no key exchange group in common" },
	{ SSL_R_NO_SHARED_GROUPS, "no key exchange group in common" },
	{ SSL_R_DH_KEY_TOO_SMALL, "the other side's Diffie-Hellman key is too short" },
	{ SSL_R_EE_KEY_TOO_SMALL, "the other side's certificate has too short a key" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the other side found nothing in common (alert handshake_failure)" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the other side says our certificate has expired" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the other side refuses our certificate (alert bad_certificate)" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the other side refuses our certificate (alert certificate_unknown)" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the other side does not know who signed our certificate (alert unknown_ca)" },
	{ SSL_R_TLSV1_ALERT_ACCESS_DENIED, "the other side refuses us (alert access_denied)" },
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the other side wants a client certificate" },
	{ SSL_R_TLSV1_UNRECOGNIZED_NAME, "the other side does not serve that name (alert unrecognized_name)" },
	{ SSL_R_TLSV1_ALERT_INTERNAL_ERROR, "the other side had an internal error (alert internal_error)" },
};

static const char *handshake_text(int reason)
{
	for (size_t index = 0; index < sizeof reasons / sizeof *reasons; index++) {
		if (reasons[index].reason == reason)
			return reasons[index].text;
	}
	return "the TLS handshake failed";
}

enum rc tls_session_handshake(struct tls_session *session, struct fault *fault)
{
	ERR_clear_error();
	const int result = SSL_do_handshake(session->ssl);
	if (result == 1)
		return RC_OK;
	enum rc rc = outcome(session, result);
	if (rc == RC_AGAIN)
		return rc;
	const int reason = ERR_GET_REASON(ERR_peek_error());
	if (rc == RC_SYNTAX && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		const long verdict = SSL_get_verify_result(session->ssl);
		rc = fault_set(fault, RC_DENIED, X509_verify_cert_error_string(verdict), 0, verdict);
	} else if (rc == RC_SYNTAX) {
		rc = fault_set(fault, rc, handshake_text(reason), 0, reason);
	} else {
		rc = fault_set(fault, rc, "the connection ended during the TLS handshake", session->error, 0);
	}
	ERR_clear_error();
	return rc;
}

enum rc tls_session_read(struct tls_session *session, uint8_t *bytes, size_t room, size_t *out_count)
{
	size_t count = 0;

	ERR_clear_error();
	const int result = SSL_read_ex(session->ssl, bytes, room, &count);
	if (result == 1 && count != 0) {
		*out_count = count;
		return RC_OK;
	}
	const enum rc rc = outcome(session, result);
	ERR_clear_error();
	return rc;
}

enum rc tls_session_write(struct tls_session *session, struct slice bytes, size_t *out_count)
{
	size_t count = 0;

	must(bytes.len != 0);
	ERR_clear_error();
	const int result = SSL_write_ex(session->ssl, bytes.ptr, bytes.len, &count);
	if (result == 1) {
		*out_count = count;
		return RC_OK;
	}
	const enum rc rc = outcome(session, result);
	ERR_clear_error();
	return rc == RC_SYNTAX ? RC_IO : rc;
}

enum rc tls_session_shutdown(struct tls_session *session)
{
	ERR_clear_error();
	if (!SSL_is_init_finished(session->ssl))
		return RC_CLOSED;
	const int result =
		SSL_shutdown(session->ssl); /* 0: ours is sent, the peer's has not come; that is enough here */
	if (result >= 0)
		return RC_OK;
	const enum rc rc = outcome(session, result);
	ERR_clear_error();
	return rc == RC_SYNTAX ? RC_IO : rc;
}

enum rc tls_session_facts(const struct tls_session *session, struct arena *arena, struct tls_facts *out)
{
	const SSL       *ssl = session->ssl;
	struct tls_facts facts = { .version = SSL_get_version(ssl),
		                   .cipher = SSL_get_cipher_name(ssl),
		                   .peer_error = "" };
	enum rc          rc = RC_OK;

	facts.bits = (unsigned)SSL_get_cipher_bits(ssl, NULL);
	facts.resumed = SSL_session_reused(ssl) == 1;
	if (session->context->server)
		rc = arena_copy(arena, slice_str(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)), &facts.sni);
	const X509 *certificate = SSL_get0_peer_certificate(ssl);
	if (rc == RC_OK && certificate != NULL) {
		const long verdict = SSL_get_verify_result(ssl);
		facts.peer_certificate = true;
		facts.peer_verified = verdict == X509_V_OK && session->context->verifies;
		if (!facts.peer_verified)
			facts.peer_error = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
			                                        : "no authorities are given";
		tls_fingerprint(certificate, &facts.peer_fingerprint);
		rc = tls_subject_read(certificate, arena, &facts.peer_subject);
		if (rc == RC_OK)
			rc = tls_issuer_read(certificate, arena, &facts.peer_issuer);
		if (rc == RC_OK)
			rc = tls_names_read(certificate, true, arena, &facts.peer_names, &facts.peer_names_count);
	}
	if (rc == RC_OK)
		*out = facts;
	return rc;
}
