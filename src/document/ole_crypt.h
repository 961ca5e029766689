/*
 * How office programs encrypt documents: XOR, RC4, RC4 by CryptoAPI, and the packages of ECMA-376, "standard" and
 * "agile". Source: [MS-OFFCRYPTO].
 *
 * Passwords are tried in this order: the one that Excel tries by itself, then those that the caller has. Each but the
 * first takes one of BUDGET_TRIES, and its digests are charged to BUDGET_STEPS.
 */
#ifndef DOCUMENT_OLE_CRYPT_H
#define DOCUMENT_OLE_CRYPT_H

#include "base/buf.h"
#include "content/budget.h"
#include "document/ole_cipher.h"

/* Candidates from the message, UTF-8; the caller's. */
struct ole_passwords {
	const struct slice *items;
	size_t              count;
};

#define OLE_PASSWORD_MAX 255u      /* UTF-16 units; longer candidates are not tried */
#define OLE_SPINS_MAX    10000000u /* [MS-OFFCRYPTO] section 2.3.4.10 */
#define OLE_SALT_MAX     64u

enum ole_crypt_kind { OLE_CRYPT_XOR, OLE_CRYPT_RC4, OLE_CRYPT_RC4_API, OLE_CRYPT_STANDARD, OLE_CRYPT_AGILE };

struct ole_salt {
	uint8_t bytes[OLE_SALT_MAX];
	size_t  size;
};

/* One "key encryptor" or "key data" of agile encryption. */
struct ole_agile {
	enum ole_hash   hash;
	size_t          key_bytes;
	size_t          block_bytes;
	uint32_t        spins;
	struct ole_salt salt;
	struct ole_salt verifier_input, verifier_value, key_value;
};

struct ole_crypt {
	enum ole_crypt_kind kind;
	struct ole_salt     salt;
	size_t              key_bytes;
	uint8_t             verifier[16];
	uint8_t             verifier_hash[32];
	uint16_t            xor_key, xor_verifier;
	struct ole_agile    package, password;
	/* after ole_crypt_unlock() */
	uint8_t key[64];
	size_t  key_size;
	uint8_t xor_array[16];
};

/*
 * Read what stands before the encrypted bytes: version and header of RC4, CryptoAPI, standard, or agile's XML.
 * RC_SYNTAX: it makes no sense; RC_UNSUPPORTED: a way that we cannot read.
 */
MUST_CHECK enum rc ole_crypt_read(struct slice info, struct ole_crypt *out);

/* The XOR of Excel: key and verifier as they stand in its FILEPASS record. */
void ole_crypt_xor(uint16_t key, uint16_t verifier, struct ole_crypt *out);

/*
 * Find the password. *by_default: it was the one that is tried without asking.
 * RC_DENIED: none fits; RC_LIMIT: tries or steps ran out; RC_UNSUPPORTED.
 */
MUST_CHECK enum rc ole_crypt_unlock(struct ole_crypt *crypt, const struct ole_passwords *passwords,
                                    struct budget *budget, bool *by_default);

/*
 * The stream "EncryptedPackage", opened into `out`. Standard and agile only. RC_LIMIT: the budget or the bound of `out`;
 * RC_SYNTAX, RC_UNSUPPORTED.
 */
MUST_CHECK enum rc ole_crypt_package(const struct ole_crypt *crypt, struct slice package, struct budget *budget,
                                     struct buf *out);

/* RC4 of both kinds: open `count` bytes in place that begin a stream, with a new key each `block_bytes`. */
MUST_CHECK enum rc ole_crypt_stream(const struct ole_crypt *crypt, uint8_t *bytes, size_t count, size_t block_bytes,
                                    uint32_t first_block);

/* XOR: open `count` bytes in place; `index` is where in the array they begin. */
void ole_crypt_xor_apply(const struct ole_crypt *crypt, uint8_t *bytes, size_t count, size_t index);

#endif
