/*
 * The shape of a page, for campaigns: the order of its elements and the shapes of their classes, without any of its
 * text. Two mails of one template have equal or similar fingerprints though words, addresses and colours differ.
 */
#ifndef HTML_FINGERPRINT_H
#define HTML_FINGERPRINT_H

#include "base/slice.h"

#define HTML_FINGERPRINT_BINS    64u
#define HTML_FINGERPRINT_SHINGLE 5u         /* elements in a row */
#define HTML_FINGERPRINT_EMPTY   UINT32_MAX /* a bin without a value */

struct html_fingerprint {
	uint64_t exact;                       /* of the whole sequence */
	uint32_t bins[HTML_FINGERPRINT_BINS]; /* minhash in one permutation: the least value of each bin's shingles */
	uint32_t elements;
	uint64_t last[HTML_FINGERPRINT_SHINGLE]; /* private: the elements before */
};

void html_fingerprint_init(struct html_fingerprint *fingerprint);

/* The next start tag: html_name_hash() of its name, and its class attribute. */
void html_fingerprint_add(struct html_fingerprint *fingerprint, uint32_t name_hash, struct slice class_names);

/* Of 1,000: bins with equal values among those that either has. 0 where one has none. */
unsigned html_fingerprint_similar(const struct html_fingerprint *a, const struct html_fingerprint *b);

#endif
