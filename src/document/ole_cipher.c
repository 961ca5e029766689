/* The adapter to libcrypto for documents, and RC4. */
#include "document/ole_cipher.h"

#include "base/must.h"

#include <openssl/evp.h>

/* Set once by ole_cipher_ready(), before any thread starts; only read after. */
static EVP_MD     *hashes[OLE_HASHES];
static EVP_CIPHER *ciphers[6];

static const char *const hash_names[OLE_HASHES] = { "MD5", "SHA1", "SHA256", "SHA384", "SHA512" };
static const char *const cipher_names[6] = { "AES-128-ECB", "AES-192-ECB", "AES-256-ECB",
	                                     "AES-128-CBC", "AES-192-CBC", "AES-256-CBC" };

enum rc ole_cipher_ready(void)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < OLE_HASHES; i++) {
		if (hashes[i] == NULL)
			hashes[i] = EVP_MD_fetch(NULL, hash_names[i], NULL);
		if (hashes[i] == NULL)
			rc = RC_UNSUPPORTED;
	}
	for (size_t i = 0; i < 6; i++) {
		if (ciphers[i] == NULL)
			ciphers[i] = EVP_CIPHER_fetch(NULL, cipher_names[i], NULL);
		if (ciphers[i] == NULL)
			rc = RC_UNSUPPORTED;
	}
	return rc;
}

static bool digest_pieces(EVP_MD_CTX *context, const struct slice *pieces, size_t count, struct ole_digest *out)
{
	unsigned size = 0;

	for (size_t i = 0; i < count; i++)
		if (pieces[i].len != 0 && EVP_DigestUpdate(context, pieces[i].ptr, pieces[i].len) != 1)
			return false;
	if (EVP_DigestFinal_ex(context, out->bytes, &size) != 1)
		return false;
	out->size = size;
	return true;
}

enum rc ole_hash_of(enum ole_hash hash, const struct slice *pieces, size_t count, struct ole_digest *out)
{
	must(hash < OLE_HASHES);
	EVP_MD_CTX *context = hashes[hash] == NULL ? NULL : EVP_MD_CTX_new();
	const bool  done = context != NULL && EVP_DigestInit_ex2(context, hashes[hash], NULL) == 1 &&
	                  digest_pieces(context, pieces, count, out);

	EVP_MD_CTX_free(context);
	return done ? RC_OK : RC_UNSUPPORTED;
}

enum rc ole_hash_spin(enum ole_hash hash, uint32_t spins, struct ole_digest *state)
{
	must(hash < OLE_HASHES);
	EVP_MD_CTX *context = hashes[hash] == NULL ? NULL : EVP_MD_CTX_new();
	bool        good = context != NULL && EVP_DigestInit_ex2(context, hashes[hash], NULL) == 1;

	for (uint32_t i = 0; good && i < spins; i++) {
		const uint8_t number[4] = { (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16), (uint8_t)(i >> 24) };
		const struct slice pieces[2] = { slice_of(number, 4), slice_of(state->bytes, state->size) };
		good = digest_pieces(context, pieces, 2, state) && EVP_DigestInit_ex2(context, NULL, NULL) == 1;
	}
	EVP_MD_CTX_free(context);
	return good ? RC_OK : RC_UNSUPPORTED;
}

enum rc ole_aes_open(struct slice key, struct slice iv, struct slice data, uint8_t *out)
{
	if ((key.len != 16 && key.len != 24 && key.len != 32) || (iv.len != 0 && iv.len != 16) || data.len % 16 != 0 ||
	    data.len > INT32_MAX)
		return RC_SYNTAX;
	if (data.len == 0)
		return RC_OK;
	EVP_CIPHER     *cipher = ciphers[key.len / 8 - 2 + (iv.len == 0 ? 0 : 3)];
	EVP_CIPHER_CTX *context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
	int             count = 0;
	const bool      done = context != NULL && EVP_DecryptInit_ex2(context, cipher, key.ptr, iv.ptr, NULL) == 1 &&
	                  EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
	                  EVP_DecryptUpdate(context, out, &count, data.ptr, (int)data.len) == 1 &&
	                  (size_t)count == data.len;

	EVP_CIPHER_CTX_free(context);
	return done ? RC_OK : RC_UNSUPPORTED;
}

void ole_rc4_begin(struct ole_rc4 *rc4, struct slice key)
{
	must(key.len != 0);
	uint8_t j = 0;

	for (unsigned i = 0; i < 256; i++)
		rc4->state[i] = (uint8_t)i;
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t kept = rc4->state[i];
		j = (uint8_t)(j + kept + key.ptr[i % key.len]);
		rc4->state[i] = rc4->state[j];
		rc4->state[j] = kept;
	}
	rc4->i = rc4->j = 0;
}

void ole_rc4_apply(struct ole_rc4 *rc4, uint8_t *bytes, size_t count)
{
	for (size_t at = 0; at < count; at++) {
		rc4->i = (uint8_t)(rc4->i + 1);
		const uint8_t kept = rc4->state[rc4->i];
		rc4->j = (uint8_t)(rc4->j + kept);
		rc4->state[rc4->i] = rc4->state[rc4->j];
		rc4->state[rc4->j] = kept;
		bytes[at] = (uint8_t)(bytes[at] ^ rc4->state[(uint8_t)(kept + rc4->state[rc4->i])]);
	}
}
