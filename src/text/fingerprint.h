/*
 * Which texts are one: fingerprints of a body for campaigns and replay. Both are of the masked text, in which what
 * senders change from copy to copy (white space, case, numbers, addresses of mail and web) is one sign each: an exact
 * digest, and 64 minima of hashed shingles of 12 bytes, whose share of equal ones estimates how much of two texts is
 * common (A. Broder, "On the resemblance and containment of documents", 1997; one permutation in bins: P. Li, A.
 * Owen, C.-H. Zhang, "One permutation hashing", 2012; empty bins filled as in A. Shrivastava, "Optimal densification
 * for fast and accurate minwise hashing", 2017).
 */
#ifndef TEXT_FINGERPRINT_H
#define TEXT_FINGERPRINT_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/rc.h"
#include "base/slice.h"

#define FINGERPRINT_BINS    64u
#define FINGERPRINT_SHINGLE 12u /* bytes */

struct fingerprint {
	struct digest exact; /* SHA-256 of the masked text */
	uint16_t      bins[FINGERPRINT_BINS];
	uint64_t      bytes; /* of the masked text; 0: nothing was said, and nothing is like it */
};

/*
 * `text` (UTF-8; best the reader's text, text/normalise.h) with white space in one blank, ASCII letters small, each
 * number "0", each mail address "@" and each web address "://". Never longer than the text; in the arena. RC_NOMEM.
 */
MUST_CHECK enum rc fingerprint_mask(struct slice text, struct arena *arena, struct slice *out);

/*
 * Both fingerprints of `text`. What the arena gave for it is given back. RC_NOMEM. Needs digest_ready(). Time is
 * linear.
 */
MUST_CHECK enum rc fingerprint_of(struct slice text, struct arena *arena, struct fingerprint *out);

/*
 * How alike, in percent: an estimate of the shingles in common among all of both, good to about 6 points. 100 for the
 * same text, 0 with an empty one.
 */
unsigned fingerprint_similarity(const struct fingerprint *a, const struct fingerprint *b);

#endif
