/* The key of a package from a password, and its segments. Of the XML only the attributes of two elements matter. */
#include "document/ole_agile.h"

#include "base/codec.h"
#include "base/num.h"

#define SEGMENT_BYTES 4096u

/* The attributes of the first element called `name`, whatever its prefix. */
static struct slice element(struct slice xml, struct slice name)
{
	struct slice rest = xml;

	while (rest.len != 0) {
		const size_t at = slice_search(rest, name);
		const int    before = at == 0 ? -1 : slice_at(rest, at - 1);
		const int    behind = slice_at(rest, at + name.len);
		rest = slice_drop(rest, at);
		if (rest.len != 0 && (before == '<' || before == ':') &&
		    (behind == ' ' || behind == '\r' || behind == '\n' || behind == '\t'))
			return slice_take(rest, slice_find(rest, '>'));
		rest = slice_drop(rest, name.len);
	}
	return rest;
}

static struct slice attribute(struct slice tag, struct slice name)
{
	while (tag.len != 0) {
		const size_t at = slice_search(tag, name);
		const int    before = at == 0 ? -1 : slice_at(tag, at - 1);
		struct slice rest = slice_drop(tag, at + name.len);
		tag = rest;
		if (before > ' ' || slice_at(rest, 0) != '=')
			continue;
		const int quote = slice_at(rest, 1);
		if (quote != '"' && quote != '\'')
			continue;
		rest = slice_drop(rest, 2);
		return slice_until(&rest, (uint8_t)quote);
	}
	return tag;
}

static bool number_read(struct slice tag, struct slice name, uint64_t max, uint64_t *out)
{
	return num_u64(attribute(tag, name), max, out) == RC_OK;
}

static bool salt_read(struct slice tag, struct slice name, struct ole_salt *out)
{
	struct buf bytes = buf_make(OLE_SALT_MAX);
	const bool good = codec_base64_decode(attribute(tag, name), &bytes) == RC_OK && bytes.len != 0;

	if (good) {
		memcpy(out->bytes, bytes.ptr, bytes.len);
		out->size = bytes.len;
	}
	buf_done(&bytes);
	return good;
}

static bool hash_read(struct slice tag, enum ole_hash *out)
{
	static const struct slice names[OLE_HASHES] = { SLICE_INIT("MD5"), SLICE_INIT("SHA1"), SLICE_INIT("SHA256"),
		                                        SLICE_INIT("SHA384"), SLICE_INIT("SHA512") };
	const struct slice        name = attribute(tag, SLICE("hashAlgorithm"));

	if (slice_eq_nocase(name, SLICE("SHA-1"))) {
		*out = OLE_HASH_SHA1;
		return true;
	}
	for (unsigned i = 0; i < OLE_HASHES; i++)
		if (slice_eq_nocase(name, names[i])) {
			*out = (enum ole_hash)i;
			return true;
		}
	return false;
}

static enum rc key_read(struct slice tag, struct ole_agile *out)
{
	uint64_t bits, block;

	if (tag.len == 0 || !number_read(tag, SLICE("keyBits"), 512, &bits) ||
	    !number_read(tag, SLICE("blockSize"), 4096, &block) || !salt_read(tag, SLICE("saltValue"), &out->salt))
		return RC_SYNTAX;
	if (!slice_eq_nocase(attribute(tag, SLICE("cipherAlgorithm")), SLICE("AES")) ||
	    !slice_eq_nocase(attribute(tag, SLICE("cipherChaining")), SLICE("ChainingModeCBC")) ||
	    !hash_read(tag, &out->hash) || block != 16 || (bits != 128 && bits != 192 && bits != 256))
		return RC_UNSUPPORTED;
	out->key_bytes = (size_t)bits / 8;
	out->block_bytes = (size_t)block;
	return RC_OK;
}

enum rc ole_agile_read(struct slice xml, struct ole_crypt *out)
{
	const struct slice password = element(xml, SLICE("encryptedKey"));
	uint64_t           spins;

	out->kind = OLE_CRYPT_AGILE;
	enum rc rc = key_read(element(xml, SLICE("keyData")), &out->package);
	if (rc == RC_OK)
		rc = key_read(password, &out->password);
	if (rc != RC_OK)
		return rc;
	if (!number_read(password, SLICE("spinCount"), OLE_SPINS_MAX, &spins) ||
	    !salt_read(password, SLICE("encryptedVerifierHashInput"), &out->password.verifier_input) ||
	    !salt_read(password, SLICE("encryptedVerifierHashValue"), &out->password.verifier_value) ||
	    !salt_read(password, SLICE("encryptedKeyValue"), &out->password.key_value))
		return RC_SYNTAX;
	out->password.spins = (uint32_t)spins;
	return RC_OK;
}

/* As many bytes of `from` as `size`, more of them 0x36. */
static void padded(struct slice from, size_t size, uint8_t *out)
{
	memset(out, 0x36, size);
	if (from.len != 0)
		memcpy(out, from.ptr, from.len < size ? from.len : size);
}

/* One of the three values that the password opens; `purpose` is its 8 bytes ([MS-OFFCRYPTO] section 2.3.4.13). */
static enum rc value_open(const struct ole_agile *a, const struct ole_digest *digest, const uint8_t purpose[8],
                          const struct ole_salt *value, uint8_t out[OLE_SALT_MAX])
{
	const struct slice pieces[2] = { slice_of(digest->bytes, digest->size), slice_of(purpose, 8) };
	struct ole_digest  made;
	uint8_t            key[32], iv[16];
	const enum rc      rc = ole_hash_of(a->hash, pieces, 2, &made);

	if (rc != RC_OK)
		return rc;
	padded(slice_of(made.bytes, made.size), a->key_bytes, key);
	padded(slice_of(a->salt.bytes, a->salt.size), sizeof iv, iv);
	return ole_aes_open(slice_of(key, a->key_bytes), slice_of(iv, sizeof iv), slice_of(value->bytes, value->size),
	                    out);
}

enum rc ole_agile_unlock(struct ole_crypt *crypt, struct slice wide)
{
	static const uint8_t    for_input[8] = { 0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79 };
	static const uint8_t    for_value[8] = { 0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e };
	static const uint8_t    for_key[8] = { 0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6 };
	const struct ole_agile *a = &crypt->password;
	const struct slice      pieces[2] = { slice_of(a->salt.bytes, a->salt.size), wide };
	struct ole_digest       digest, check;
	uint8_t                 input[OLE_SALT_MAX], value[OLE_SALT_MAX];
	enum rc                 rc = ole_hash_of(a->hash, pieces, 2, &digest);

	if (rc == RC_OK)
		rc = ole_hash_spin(a->hash, a->spins, &digest);
	if (rc == RC_OK)
		rc = value_open(a, &digest, for_input, &a->verifier_input, input);
	if (rc == RC_OK)
		rc = value_open(a, &digest, for_value, &a->verifier_value, value);
	const struct slice plain =
		slice_of(input, a->verifier_input.size < a->salt.size ? a->verifier_input.size : a->salt.size);
	if (rc == RC_OK)
		rc = ole_hash_of(a->hash, &plain, 1, &check);
	if (rc != RC_OK)
		return rc;
	if (a->verifier_value.size < check.size || memcmp(check.bytes, value, check.size) != 0)
		return RC_DENIED;
	if (a->key_value.size < crypt->package.key_bytes)
		return RC_SYNTAX;
	crypt->key_size = crypt->package.key_bytes;
	return value_open(a, &digest, for_key, &a->key_value, crypt->key);
}

enum rc ole_agile_package(const struct ole_crypt *crypt, struct slice data, uint8_t *out)
{
	const struct slice salt = slice_of(crypt->package.salt.bytes, crypt->package.salt.size);
	uint32_t           number = 0;

	for (size_t at = 0; at < data.len; at += SEGMENT_BYTES, number++) {
		const uint8_t      count[4] = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
			                        (uint8_t)(number >> 24) };
		const struct slice pieces[2] = { salt, slice_of(count, 4) };
		struct ole_digest  digest;
		uint8_t            iv[16];
		enum rc            rc = ole_hash_of(crypt->package.hash, pieces, 2, &digest);
		if (rc != RC_OK)
			return rc;
		padded(slice_of(digest.bytes, digest.size), sizeof iv, iv);
		rc = ole_aes_open(slice_of(crypt->key, crypt->key_size), slice_of(iv, sizeof iv),
		                  slice_cut(data, at, SEGMENT_BYTES), out + at);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}
