/* Passwords to keys, keys to bytes. */
#include "document/ole_crypt.h"

#include "base/must.h"
#include "document/ole_agile.h"
#include "document/ole_bytes.h"
#include "document/ole_xor.h"

/* Excel tries this one without asking ([MS-OFFCRYPTO] section 2.4.2.3 and [MS-XLS] section 2.2.10). */
static const struct slice password_default = SLICE_INIT("VelvetSweatshop");

#define STANDARD_SPINS 50000u
/* Steps for one round of a digest. */
#define SPIN_STEPS     64u

static struct slice salt_slice(const struct ole_salt *salt)
{
	return slice_of(salt->bytes, salt->size);
}

static enum rc rc4_read(struct slice body, struct ole_crypt *out)
{
	if (body.len < 48)
		return RC_SYNTAX;
	out->kind = OLE_CRYPT_RC4;
	out->salt.size = 16;
	memcpy(out->salt.bytes, body.ptr, 16);
	memcpy(out->verifier, slice_drop(body, 16).ptr, 16);
	memcpy(out->verifier_hash, slice_drop(body, 32).ptr, 16);
	return RC_OK;
}

/* EncryptionHeader and EncryptionVerifier ([MS-OFFCRYPTO] sections 2.3.2 and 2.3.3). */
static enum rc header_read(struct slice body, struct ole_crypt *out)
{
	const uint32_t     header_size = bytes_u32(body, 4);
	const struct slice header = slice_cut(body, 8, header_size);
	const struct slice verifier = slice_drop(body, 8 + (size_t)header_size);
	const uint32_t     algorithm = bytes_u32(header, 8);
	uint32_t           key_bits = bytes_u32(header, 16);

	if (header.len < 32 || verifier.len < 4 + 16 + 16 + 4 + 20)
		return RC_SYNTAX;
	const bool aes = algorithm >= 0x660e && algorithm <= 0x6610;
	if (!aes && algorithm != 0x6801 && algorithm != 0)
		return RC_UNSUPPORTED;
	if (aes)
		key_bits = algorithm == 0x660e ? 128 : algorithm == 0x660f ? 192 : 256;
	if (key_bits == 0)
		key_bits = 40;
	if (key_bits > 256 || key_bits < 40 || bytes_u32(verifier, 0) != 16 ||
	    (aes && verifier.len < 4 + 16 + 16 + 4 + 32))
		return RC_SYNTAX;
	out->kind = aes ? OLE_CRYPT_STANDARD : OLE_CRYPT_RC4_API;
	out->key_bytes = key_bits / 8;
	out->salt.size = 16;
	memcpy(out->salt.bytes, slice_drop(verifier, 4).ptr, 16);
	memcpy(out->verifier, slice_drop(verifier, 20).ptr, 16);
	memcpy(out->verifier_hash, slice_drop(verifier, 40).ptr, aes ? 32 : 20);
	return RC_OK;
}

enum rc ole_crypt_read(struct slice info, struct ole_crypt *out)
{
	struct ole_crypt crypt = { .kind = OLE_CRYPT_XOR };
	const unsigned   major = bytes_u16(info, 0), minor = bytes_u16(info, 2);
	enum rc          rc = RC_UNSUPPORTED;

	if (info.len < 8)
		return RC_SYNTAX;
	if (major == 1 && minor == 1)
		rc = rc4_read(slice_drop(info, 4), &crypt);
	else if (minor == 2 && major >= 2 && major <= 4)
		rc = header_read(slice_drop(info, 4), &crypt);
	else if (minor == 4 && major == 4)
		rc = ole_agile_read(slice_drop(info, 8), &crypt);
	if (rc == RC_OK)
		*out = crypt;
	return rc;
}

void ole_crypt_xor(uint16_t key, uint16_t verifier, struct ole_crypt *out)
{
	*out = (struct ole_crypt){ .kind = OLE_CRYPT_XOR, .xor_key = key, .xor_verifier = verifier };
}

/* [MS-OFFCRYPTO] section 2.3.6.2. */
static enum rc rc4_derive(struct ole_crypt *crypt, struct slice wide)
{
	struct ole_digest digest;
	struct slice      pieces[32];
	uint8_t           truncated[5];

	enum rc rc = ole_hash_of(OLE_HASH_MD5, &wide, 1, &digest);
	if (rc != RC_OK)
		return rc;
	memcpy(truncated, digest.bytes, 5);
	for (size_t i = 0; i < 32; i += 2) {
		pieces[i] = slice_of(truncated, 5);
		pieces[i + 1] = salt_slice(&crypt->salt);
	}
	rc = ole_hash_of(OLE_HASH_MD5, pieces, 32, &digest);
	memcpy(crypt->key, digest.bytes, 5);
	crypt->key_size = 5;
	return rc;
}

/* [MS-OFFCRYPTO] section 2.3.5.2: the digest, of which each block makes a key. */
static enum rc api_derive(struct ole_crypt *crypt, struct slice wide)
{
	const struct slice pieces[2] = { salt_slice(&crypt->salt), wide };
	struct ole_digest  digest;
	const enum rc      rc = ole_hash_of(OLE_HASH_SHA1, pieces, 2, &digest);

	if (rc == RC_OK) {
		memcpy(crypt->key, digest.bytes, 20);
		crypt->key_size = 20;
	}
	return rc;
}

/* [MS-OFFCRYPTO] section 2.3.4.7. */
static enum rc standard_derive(struct ole_crypt *crypt, struct slice wide)
{
	static const uint8_t block[4] = { 0, 0, 0, 0 };
	const struct slice   pieces[2] = { salt_slice(&crypt->salt), wide };
	struct ole_digest    digest, halves[2];
	enum rc              rc = ole_hash_of(OLE_HASH_SHA1, pieces, 2, &digest);

	if (rc == RC_OK)
		rc = ole_hash_spin(OLE_HASH_SHA1, STANDARD_SPINS, &digest);
	if (rc == RC_OK) {
		const struct slice last[2] = { slice_of(digest.bytes, digest.size), slice_of(block, 4) };
		rc = ole_hash_of(OLE_HASH_SHA1, last, 2, &digest);
	}
	for (unsigned half = 0; rc == RC_OK && half < 2; half++) {
		uint8_t pad[64];
		memset(pad, half == 0 ? 0x36 : 0x5c, sizeof pad);
		for (size_t i = 0; i < digest.size; i++)
			pad[i] = (uint8_t)(pad[i] ^ digest.bytes[i]);
		const struct slice one = slice_of(pad, sizeof pad);
		rc = ole_hash_of(OLE_HASH_SHA1, &one, 1, &halves[half]);
		memcpy(crypt->key + half * 20u, halves[half].bytes, 20);
	}
	crypt->key_size = crypt->key_bytes;
	return rc;
}

/* The key of a block of RC4. */
static enum rc block_key(const struct ole_crypt *crypt, uint32_t block, struct ole_rc4 *out)
{
	const uint8_t      number[4] = { (uint8_t)block, (uint8_t)(block >> 8), (uint8_t)(block >> 16),
		                         (uint8_t)(block >> 24) };
	const struct slice pieces[2] = { slice_of(crypt->key, crypt->key_size), slice_of(number, 4) };
	const bool         api = crypt->kind == OLE_CRYPT_RC4_API;
	struct ole_digest  digest;
	const enum rc      rc = ole_hash_of(api ? OLE_HASH_SHA1 : OLE_HASH_MD5, pieces, 2, &digest);
	size_t             size = 16;

	if (rc != RC_OK)
		return rc;
	if (api && crypt->key_bytes == 5)
		memset(digest.bytes + 5, 0, 11);
	else if (api)
		size = crypt->key_bytes < 20 ? crypt->key_bytes : 20;
	ole_rc4_begin(out, slice_of(digest.bytes, size));
	return RC_OK;
}

static enum rc rc4_fits(const struct ole_crypt *crypt)
{
	const bool        api = crypt->kind == OLE_CRYPT_RC4_API;
	const size_t      hash_size = api ? 20 : 16;
	uint8_t           plain[16 + 20];
	struct ole_rc4    rc4;
	struct ole_digest digest;

	memcpy(plain, crypt->verifier, 16);
	memcpy(plain + 16, crypt->verifier_hash, hash_size);
	enum rc rc = block_key(crypt, 0, &rc4);
	if (rc != RC_OK)
		return rc;
	ole_rc4_apply(&rc4, plain, 16 + hash_size);
	const struct slice verifier = slice_of(plain, 16);
	rc = ole_hash_of(api ? OLE_HASH_SHA1 : OLE_HASH_MD5, &verifier, 1, &digest);
	if (rc != RC_OK)
		return rc;
	return memcmp(digest.bytes, plain + 16, hash_size) == 0 ? RC_OK : RC_DENIED;
}

static enum rc standard_fits(const struct ole_crypt *crypt)
{
	const struct slice none = { NULL, 0 };
	const struct slice key = slice_of(crypt->key, crypt->key_size);
	uint8_t            verifier[16], hash[32];
	struct ole_digest  digest;
	enum rc            rc = ole_aes_open(key, none, slice_of(crypt->verifier, 16), verifier);

	if (rc == RC_OK)
		rc = ole_aes_open(key, none, slice_of(crypt->verifier_hash, 32), hash);
	const struct slice plain = slice_of(verifier, 16);
	if (rc == RC_OK)
		rc = ole_hash_of(OLE_HASH_SHA1, &plain, 1, &digest);
	if (rc != RC_OK)
		return rc;
	return memcmp(digest.bytes, hash, 20) == 0 ? RC_OK : RC_DENIED;
}

static uint64_t steps_of(const struct ole_crypt *crypt)
{
	if (crypt->kind == OLE_CRYPT_STANDARD)
		return (uint64_t)STANDARD_SPINS * SPIN_STEPS;
	if (crypt->kind == OLE_CRYPT_AGILE)
		return (uint64_t)crypt->password.spins * SPIN_STEPS;
	return SPIN_STEPS;
}

/* RC_DENIED: it is another password. `wide` is UTF-16, `plain` the same as it came. */
static enum rc password_try(struct ole_crypt *crypt, struct slice plain, struct slice wide)
{
	enum rc rc;

	switch (crypt->kind) {
	case OLE_CRYPT_XOR:
		return ole_xor_unlock(plain, crypt->xor_key, crypt->xor_verifier, crypt->xor_array) ? RC_OK : RC_DENIED;
	case OLE_CRYPT_RC4:
		rc = rc4_derive(crypt, wide);
		return rc == RC_OK ? rc4_fits(crypt) : rc;
	case OLE_CRYPT_RC4_API:
		rc = api_derive(crypt, wide);
		return rc == RC_OK ? rc4_fits(crypt) : rc;
	case OLE_CRYPT_STANDARD:
		rc = standard_derive(crypt, wide);
		return rc == RC_OK ? standard_fits(crypt) : rc;
	case OLE_CRYPT_AGILE:
		return ole_agile_unlock(crypt, wide);
	}
	return RC_UNSUPPORTED;
}

/* UTF-8 to UTF-16 little-endian; false when too long. Bytes that are no UTF-8 are taken for Latin-1. */
static bool widen(struct slice text, uint8_t out[OLE_PASSWORD_MAX * 2], size_t *size)
{
	size_t used = 0;

	while (text.len != 0) {
		const uint8_t first = text.ptr[0];
		const size_t  more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
		uint32_t      code = more == 0 ? first : first & (0x3fu >> more);
		bool          good = text.len > more;
		for (size_t i = 1; good && i <= more; i++) {
			good = (text.ptr[i] & 0xc0) == 0x80;
			code = code << 6 | (text.ptr[i] & 0x3f);
		}
		text = slice_drop(text, good ? more + 1 : 1);
		if (!good)
			code = first;
		const bool     pair = code >= 0x10000;
		const uint32_t units[2] = { pair ? 0xd800 + ((code - 0x10000) >> 10 & 0x3ff) : code,
			                    0xdc00 + (code & 0x3ff) };
		for (size_t i = 0; i < (pair ? 2u : 1u); i++) {
			if (used + 2 > OLE_PASSWORD_MAX * 2)
				return false;
			out[used++] = (uint8_t)units[i];
			out[used++] = (uint8_t)(units[i] >> 8);
		}
	}
	*size = used;
	return true;
}

enum rc ole_crypt_unlock(struct ole_crypt *crypt, const struct ole_passwords *passwords, struct budget *budget,
                         bool *by_default)
{
	uint8_t      wide[OLE_PASSWORD_MAX * 2];
	size_t       size = 0;
	const size_t count = passwords == NULL ? 0 : passwords->count;

	for (size_t i = 0; i <= count; i++) {
		const struct slice plain = i == 0 ? password_default : passwords->items[i - 1];
		if (!widen(plain, wide, &size))
			continue;
		if ((i != 0 && !budget_take(budget, BUDGET_TRIES, 1)) ||
		    !budget_take(budget, BUDGET_STEPS, steps_of(crypt)))
			return RC_LIMIT;
		const enum rc rc = password_try(crypt, plain, slice_of(wide, size));
		if (rc == RC_DENIED)
			continue;
		if (rc == RC_OK)
			*by_default = i == 0;
		return rc;
	}
	return RC_DENIED;
}

enum rc ole_crypt_stream(const struct ole_crypt *crypt, uint8_t *bytes, size_t count, size_t block_bytes,
                         uint32_t first_block)
{
	must(block_bytes != 0);
	for (size_t at = 0; at < count; at += block_bytes) {
		struct ole_rc4 rc4;
		const enum rc  rc = block_key(crypt, first_block + (uint32_t)(at / block_bytes), &rc4);
		if (rc != RC_OK)
			return rc;
		ole_rc4_apply(&rc4, bytes + at, count - at < block_bytes ? count - at : block_bytes);
	}
	return RC_OK;
}

void ole_crypt_xor_apply(const struct ole_crypt *crypt, uint8_t *bytes, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t value = bytes[i] ^ crypt->xor_array[(index + i) % 16];
		bytes[i] = (uint8_t)(value >> 5 | value << 3);
	}
}

enum rc ole_crypt_package(const struct ole_crypt *crypt, struct slice package, struct budget *budget, struct buf *out)
{
	const uint64_t claimed = bytes_u64(package, 0);
	struct slice   data = slice_drop(package, 8);
	const size_t   start = out->len;

	data = slice_take(data, data.len - data.len % 16);
	if (data.len == 0)
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_BYTES, data.len) || !budget_take(budget, BUDGET_STEPS, data.len))
		return RC_LIMIT;
	uint8_t *to = buf_reserve(out, data.len);
	if (to == NULL)
		return RC_LIMIT;
	const enum rc rc = crypt->kind == OLE_CRYPT_AGILE ? ole_agile_package(crypt, data, to)
	                                                  : ole_aes_open(slice_of(crypt->key, crypt->key_size),
	                                                                 (struct slice){ NULL, 0 }, data, to);
	if (rc != RC_OK)
		return rc;
	buf_grew(out, data.len);
	if (claimed < data.len)
		buf_truncate(out, start + (size_t)claimed);
	return RC_OK;
}
