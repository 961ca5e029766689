/* Keys and certificates for tests; see the header. */
#include "harness/certificate.h"

#include "base/must.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static struct slice pem_of(BIO *bio)
{
	char *text = NULL;
	long  size = BIO_get_mem_data(bio, &text);

	return slice_of(text, (size_t)size);
}

static void extend(X509 *made, const X509 *issuer, int kind, const char *value)
{
	X509V3_CTX context;
	union {
		const X509 *borrowed;
		X509       *plain;
	} from = { .borrowed = issuer };

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, from.plain, made, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	must(extension != NULL);
	must(X509_add_ext(made, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

void certificate_make(struct certificate *out, const struct certificate_wish *wish, const struct certificate *issuer)
{
	static long serial = 1;

	*out = (struct certificate){ 0 };
	EVP_PKEY *key = wish->rsa_bits != 0 ? EVP_RSA_gen(wish->rsa_bits) : EVP_EC_gen("P-256");
	X509     *made = X509_new();
	must(key != NULL);
	must(made != NULL);
	must(X509_set_version(made, X509_VERSION_3) == 1);
	must(ASN1_INTEGER_set(X509_get_serialNumber(made), serial++) == 1);
	must(X509_gmtime_adj(X509_getm_notBefore(made), (long)wish->not_before_s) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(made), wish->not_after_s != 0 ? (long)wish->not_after_s : 86400) !=
	     NULL);
	X509_NAME *name = X509_get_subject_name(made);
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)wish->common_name, -1, -1,
	                                0) == 1);
	const X509 *signer = issuer != NULL ? issuer->x509 : made;
	must(X509_set_issuer_name(made, X509_get_subject_name(signer)) == 1);
	must(X509_set_pubkey(made, key) == 1);
	extend(made, signer, NID_basic_constraints, wish->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (wish->names != NULL)
		extend(made, signer, NID_subject_alt_name, wish->names);
	must(X509_sign(made, issuer != NULL ? issuer->key : key, wish->old_digest ? EVP_sha1() : EVP_sha256()) != 0);

	BIO *x509_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem()), *encrypted = BIO_new(BIO_s_mem());
	must(PEM_write_bio_X509(x509_pem, made) == 1);
	must(PEM_write_bio_PKCS8PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1);
	char password[] = "secret";
	must(PEM_write_bio_PKCS8PrivateKey(encrypted, key, EVP_aes_128_cbc(), password, 6, NULL, NULL) == 1);
	out->x509 = made;
	out->key = key;
	out->x509_pem = x509_pem;
	out->key_pem = key_pem;
	out->encrypted_pem = encrypted;
	out->pair = (struct tls_pair){ pem_of(x509_pem), pem_of(key_pem) };
	out->encrypted_key = pem_of(encrypted);
}

void certificate_done(struct certificate *certificate)
{
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->key);
	BIO_free(certificate->x509_pem);
	BIO_free(certificate->key_pem);
	BIO_free(certificate->encrypted_pem);
	*certificate = (struct certificate){ 0 };
}
