/*
 * Passwords as Argon2id (RFC 9106) through libsodium; password.c is the only file of the house that knows it. A hash is the text
 * that libsodium writes, "$argon2id$v=19$m=65536,t=2,p=1$...", and costs 64 MiB and some tens of milliseconds to check.
 */
#ifndef GATE_PASSWORD_H
#define GATE_PASSWORD_H

#include "base/rc.h"
#include "base/slice.h"

#define PASSWORD_HASH_ROOM 128u /* bytes of a hash with its NUL, at most */

/* Loads the library; before the box closes and before threads. RC_UNSUPPORTED. */
MUST_CHECK enum rc password_ready(void);

/* A hash of `password` with fresh salt. RC_NOMEM: 64 MiB were not to be had. */
MUST_CHECK enum rc password_hash(struct slice password, char out[PASSWORD_HASH_ROOM]);

/* Does it fit? Takes the same time for any password. `hash` is NUL-terminated; one that is none fits nothing. */
bool password_fits(const char *hash, struct slice password);

#endif
