/*
 * Keys and certificates from bytes in memory: reading, checking, and what they say of themselves. Nothing here speaks
 * TLS; see tls.c.
 */
#include "net/tls_inner.h"

#include "base/memory.h"
#include "base/must.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define SUBJECT_MAX    1024u
#define NAME_MAX_BYTES 255u

/* A key that asks for a password is refused before this is asked; without it OpenSSL would ask at the terminal. */
static int no_password(char *to, int size, int writing, void *context)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static BIO *bio_on(struct slice bytes)
{
	must(bytes.len <= INT32_MAX);
	return BIO_new_mem_buf(bytes.ptr != NULL ? (const void *)bytes.ptr : "", (int)bytes.len);
}

/* Did the last PEM reader stop because no further object stood there? */
static bool ended_well(void)
{
	const unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static enum rc read_certificates(struct slice pem, int64_t number, struct tls_chain *chain, struct fault *fault)
{
	BIO *bio = bio_on(pem);

	if (bio == NULL)
		return fault_set(fault, RC_NOMEM, "taking memory to read a certificate", 0, number);
	enum rc rc = RC_OK;
	for (;;) {
		X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
		if (certificate == NULL)
			break;
		if (chain->count == TLS_CHAIN_MAX) {
			X509_free(certificate);
			rc = fault_set(fault, RC_LIMIT, "more certificates in a chain than are read", 0, number);
			break;
		}
		chain->certificates[chain->count++] = certificate;
	}
	if (rc == RC_OK && !ended_well())
		rc = fault_set(fault, RC_SYNTAX, "a certificate in the file cannot be read", 0, number);
	if (rc == RC_OK && chain->count == 0)
		rc = fault_set(fault, RC_SYNTAX, "no certificate was found in the file", 0, number);
	BIO_free(bio);
	return rc;
}

static enum rc read_key(struct slice pem, int64_t number, struct tls_chain *chain, struct fault *fault)
{
	/* RFC 5958 PEM label, and the header of the traditional form (RFC 1421 section 4.6.1.1). */
	if (slice_search(pem, SLICE("ENCRYPTED")) != pem.len)
		return fault_set(fault, RC_DENIED, "the private key is encrypted; nobody can type its password here", 0,
		                 number);
	BIO *bio = bio_on(pem);
	if (bio == NULL)
		return fault_set(fault, RC_NOMEM, "taking memory to read a private key", 0, number);
	chain->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (chain->key == NULL)
		return fault_set(fault, RC_SYNTAX, "no private key could be read from the file", 0, number);
	return RC_OK;
}

enum rc tls_chain_read(const struct tls_pair *pair, int64_t number, struct tls_chain *out, struct fault *fault)
{
	struct tls_chain chain = { 0 };

	if (pair->certificates.len > TLS_PEM_BYTES_MAX || pair->key.len > TLS_PEM_BYTES_MAX)
		return fault_set(fault, RC_LIMIT, "a key or certificate file is too large", 0, number);
	ERR_clear_error();
	enum rc rc = read_certificates(pair->certificates, number, &chain, fault);
	if (rc == RC_OK)
		rc = read_key(pair->key, number, &chain, fault);
	if (rc == RC_OK && X509_check_private_key(chain.certificates[0], chain.key) != 1)
		rc = fault_set(fault, RC_CONFLICT,
		               "the private key does not belong to the first certificate of the file", 0, number);
	ERR_clear_error();
	if (rc == RC_OK)
		*out = chain;
	else
		tls_chain_free(&chain);
	return rc;
}

void tls_chain_free(struct tls_chain *chain)
{
	for (size_t index = 0; index < chain->count; index++)
		X509_free(chain->certificates[index]);
	EVP_PKEY_free(chain->key);
	*chain = (struct tls_chain){ 0 };
}

/* Seconds since 1970; a time that cannot be read lies before everything. */
static int64_t moment_of(const ASN1_TIME *time)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int        days = 0, seconds = 0;
	int64_t    moment = INT64_MIN;

	if (epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1)
		moment = (int64_t)days * 86400 + seconds;
	ASN1_TIME_free(epoch);
	return moment;
}

int64_t tls_chain_not_after_s(const struct tls_chain *chain, int64_t *not_before_s)
{
	int64_t first = INT64_MAX;

	must(chain->count != 0);
	for (size_t index = 0; index < chain->count; index++) {
		const int64_t moment = moment_of(X509_get0_notAfter(chain->certificates[index]));
		if (moment < first)
			first = moment;
	}
	*not_before_s = moment_of(X509_get0_notBefore(chain->certificates[0]));
	return first;
}

/* ---- what a certificate says ---- */

/* A copy in lower case; names that hold what no name holds are left out (*out stays empty). */
static enum rc keep_name(const ASN1_STRING *text, struct arena *arena, struct slice *out)
{
	const struct slice name = slice_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));

	*out = (struct slice){ NULL, 0 };
	if (name.len == 0 || name.len > NAME_MAX_BYTES)
		return RC_OK;
	for (size_t index = 0; index < name.len; index++) {
		if (slice_at(name, index) <= ' ' || slice_at(name, index) > '~')
			return RC_OK;
	}
	uint8_t *bytes = arena_bytes(arena, name.len);
	if (bytes == NULL)
		return RC_NOMEM;
	for (size_t index = 0; index < name.len; index++)
		bytes[index] = byte_lower(name.ptr[index]);
	*out = slice_of(bytes, name.len);
	return RC_OK;
}

static enum rc read_common_name(const X509 *certificate, struct arena *arena, struct slice *names, size_t *count)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	const int        where = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (where < 0)
		return RC_OK;
	const enum rc rc = keep_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, where)), arena, names);
	if (rc == RC_OK && names->len != 0)
		*count = 1;
	return rc;
}

enum rc tls_names_read(const X509 *certificate, bool mailboxes, struct arena *arena, const struct slice **out,
                       size_t *out_count)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const int      all_count = all != NULL ? sk_GENERAL_NAME_num(all) : 0;
	const size_t   room = all_count > (int)TLS_NAMES_MAX ? TLS_NAMES_MAX : (size_t)all_count;
	size_t         count = 0;
	enum rc        rc = RC_OK;

	struct slice *names = arena_take(arena, room + 1, sizeof *names);
	if (names == NULL)
		rc = RC_NOMEM;
	for (int index = 0; rc == RC_OK && index < all_count && count < room; index++) {
		int                type;
		const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all, index), &type);
		if (type != GEN_DNS && !(mailboxes && type == GEN_EMAIL))
			continue;
		rc = keep_name(text, arena, &names[count]);
		if (rc == RC_OK && names[count].len != 0)
			count++;
	}
	GENERAL_NAMES_free(all);
	if (rc == RC_OK && count == 0 && !mailboxes)
		rc = read_common_name(certificate, arena, names, &count);
	ERR_clear_error();
	if (rc != RC_OK)
		return rc;
	*out = names;
	*out_count = count;
	return RC_OK;
}

static enum rc name_read(const X509_NAME *name, struct arena *arena, struct slice *out)
{
	BIO    *bio = BIO_new(BIO_s_mem());
	char   *text = NULL;
	enum rc rc = RC_NOMEM;

	if (bio == NULL)
		return RC_NOMEM;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		const long size = BIO_get_mem_data(bio, &text);
		rc = arena_copy(arena, slice_take(slice_of(text, size > 0 ? (size_t)size : 0), SUBJECT_MAX), out);
	}
	BIO_free(bio);
	ERR_clear_error();
	return rc;
}

enum rc tls_subject_read(const X509 *certificate, struct arena *arena, struct slice *out)
{
	return name_read(X509_get_subject_name(certificate), arena, out);
}

enum rc tls_issuer_read(const X509 *certificate, struct arena *arena, struct slice *out)
{
	return name_read(X509_get_issuer_name(certificate), arena, out);
}

void tls_fingerprint(const X509 *certificate, struct digest *out)
{
	unsigned size = 0;
	uint8_t  bytes[EVP_MAX_MD_SIZE];

	*out = (struct digest){ { 0 } };
	if (X509_digest(certificate, EVP_sha256(), bytes, &size) == 1 && size == DIGEST_SIZE)
		memcpy(out->bytes, bytes, DIGEST_SIZE);
}

enum rc tls_pair_check(const struct tls_pair *pair, int64_t now_s, struct arena *arena, struct tls_pair_facts *out,
                       struct fault *fault)
{
	struct tls_chain    chain;
	struct tls_context *context = NULL;
	enum rc             rc = tls_chain_read(pair, 0, &chain, fault);

	if (rc != RC_OK)
		return rc;
	struct tls_pair_facts facts = { 0 };
	facts.not_after_s = tls_chain_not_after_s(&chain, &facts.not_before_s);
	tls_fingerprint(chain.certificates[0], &facts.fingerprint);
	rc = tls_names_read(chain.certificates[0], false, arena, &facts.names, &facts.names_count);
	if (rc == RC_OK)
		rc = tls_subject_read(chain.certificates[0], arena, &facts.subject);
	if (rc != RC_OK) {
		rc = fault_set(fault, RC_NOMEM, "taking memory for what a certificate says", 0, 0);
		goto done;
	}
	/* What TLS itself refuses (short keys, weak signatures) is found by making a context of it. */
	rc = tls_server_open(&(struct tls_server_settings){ .pairs = pair, .pairs_count = 1 }, &context, fault);
	tls_context_close(&context);
	if (rc != RC_OK)
		goto done;
	*out = facts;
	if (now_s > facts.not_after_s)
		rc = fault_set(fault, RC_TIMEOUT, "the certificate, or one of its chain, has expired", 0,
		               facts.not_after_s);
	else if (now_s < facts.not_before_s)
		rc = fault_set(fault, RC_TIMEOUT, "the certificate is not valid yet", 0, facts.not_before_s);
done:
	tls_chain_free(&chain);
	return rc;
}

/* ---- authorities ---- */

enum rc tls_authorities_open(struct slice pem, struct tls_authorities **out, struct fault *fault)
{
	if (pem.len > TLS_AUTHORITIES_MAX)
		return fault_set(fault, RC_LIMIT, "the file of authorities is too large", 0, 0);
	struct tls_authorities *made = memory_take(1, sizeof *made);
	BIO                    *bio = bio_on(pem);
	int64_t                 count = 0;
	enum rc                 rc = RC_OK;
	if (made == NULL || bio == NULL || (made->store = X509_STORE_new()) == NULL) {
		rc = fault_set(fault, RC_NOMEM, "taking memory for authorities", 0, 0);
		goto done;
	}
	ERR_clear_error();
	for (;;) {
		X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
		if (certificate == NULL)
			break;
		count++;
		const int added = X509_STORE_add_cert(made->store, certificate);
		X509_free(certificate);
		if (added != 1) {
			rc = fault_set(fault, RC_NOMEM, "taking memory for authorities", 0, count);
			goto done;
		}
	}
	if (!ended_well() || count == 0)
		rc = fault_set(fault, RC_SYNTAX, "a certificate in the file of authorities cannot be read", 0,
		               count + 1);
done:
	ERR_clear_error();
	BIO_free(bio);
	if (rc == RC_OK) {
		atomic_init(&made->holders, 1);
		*out = made;
	} else if (made != NULL) {
		X509_STORE_free(made->store);
		memory_give(made);
	}
	return rc;
}

void tls_authorities_close(struct tls_authorities **authorities)
{
	struct tls_authorities *held = *authorities;

	*authorities = NULL;
	if (held == NULL || atomic_fetch_sub(&held->holders, 1) != 1)
		return;
	X509_STORE_free(held->store);
	memory_give(held);
}
