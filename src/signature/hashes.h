/*
 * Files that the organisation knows, by their SHA-256: a sorted set, made from a list that an administrator keeps.
 *
 * A line of the list is 64 hexadecimal digits, blanks, and a name of its own for it; or empty; or begins with "#".
 */
#ifndef SIGNATURE_HASHES_H
#define SIGNATURE_HASHES_H

#include "base/digest.h"
#include "base/rc.h"
#include "base/slice.h"

#define HASHES_MAX      5000000u
#define HASHES_NAME_MAX 128u /* longer names are cut, at a character of UTF-8 */

struct hashes; /* opaque, read only once made */

/*
 * Read a list. The caller gives the set back with hashes_drop(). Of two lines with one digest the first counts.
 *
 * RC_SYNTAX  a line is none of the three; *ret_line is its number, from 1.
 * RC_LIMIT   more than HASHES_MAX; *ret_line is the first that is too much.
 * RC_NOMEM
 */
MUST_CHECK enum rc hashes_read(struct slice text, struct hashes **out, size_t *ret_line);
void               hashes_drop(struct hashes **hashes);
size_t             hashes_count(const struct hashes *hashes);

/* Is it one of them? Then *ret_name is its name (lives as long as the set; may be empty). */
bool hashes_find(const struct hashes *hashes, const struct digest *digest, struct slice *ret_name);

#endif
