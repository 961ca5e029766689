/* The adapter to libsodium's password hashing. */
#include "gate/password.h"

#include <sodium.h>

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_ROOM, "a hash fits");

enum rc password_ready(void)
{
	return sodium_init() < 0 ? RC_UNSUPPORTED : RC_OK;
}

enum rc password_hash(struct slice password, char out[PASSWORD_HASH_ROOM])
{
	const int answer = crypto_pwhash_str(out, (const char *)password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
	                                     crypto_pwhash_MEMLIMIT_INTERACTIVE);

	return answer == 0 ? RC_OK : RC_NOMEM;
}

bool password_fits(const char *hash, struct slice password)
{
	return crypto_pwhash_str_verify(hash, (const char *)password.ptr, password.len) == 0;
}
