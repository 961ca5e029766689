/*
 * The ciphers and digests that office programs encrypt with: the adapter to libcrypto, and RC4, which libcrypto has only
 * in a module that it would load as a file.
 */
#ifndef DOCUMENT_OLE_CIPHER_H
#define DOCUMENT_OLE_CIPHER_H

#include "base/rc.h"
#include "base/slice.h"

enum ole_hash { OLE_HASH_MD5, OLE_HASH_SHA1, OLE_HASH_SHA256, OLE_HASH_SHA384, OLE_HASH_SHA512, OLE_HASHES };

#define OLE_HASH_BYTES_MAX 64u

struct ole_digest {
	uint8_t bytes[OLE_HASH_BYTES_MAX];
	size_t  size;
};

/*
 * To be called once per process before any thread starts and before the sandbox closes: fetches what libcrypto fetches
 * lazily. RC_UNSUPPORTED: a digest is missing; files that need it are then told as encrypted.
 */
MUST_CHECK enum rc ole_cipher_ready(void);

/* Digest of the pieces one after the other. RC_UNSUPPORTED: not fetched. */
MUST_CHECK enum rc ole_hash_of(enum ole_hash hash, const struct slice *pieces, size_t count, struct ole_digest *out);

/* *state = H(number || *state) for number = 0 to `spins` - 1, little-endian ([MS-OFFCRYPTO] section 2.3.4.11). */
MUST_CHECK enum rc ole_hash_spin(enum ole_hash hash, uint32_t spins, struct ole_digest *state);

/*
 * AES without padding: ECB when `iv` is empty, else CBC with its 16 bytes. `key` has 16, 24 or 32 bytes, `data` whole
 * blocks of 16; `out` has room for as many. RC_SYNTAX: other sizes; RC_UNSUPPORTED.
 */
MUST_CHECK enum rc ole_aes_open(struct slice key, struct slice iv, struct slice data, uint8_t *out);

struct ole_rc4 {
	uint8_t state[256];
	uint8_t i, j;
};

/* `key` is not empty. */
void ole_rc4_begin(struct ole_rc4 *rc4, struct slice key);
/* Changes `count` bytes in place. */
void ole_rc4_apply(struct ole_rc4 *rc4, uint8_t *bytes, size_t count);

#endif
