/* One-permutation minhash over shingles of elements. */
#include "html/fingerprint.h"

static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 30;
	hash *= UINT64_C(0xbf58476d1ce4e5b9);
	hash ^= hash >> 27;
	hash *= UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

/* "x_btn-12 a" and "x_btn-7 b" are one shape: runs of letters, of digits, of other bytes, without their length. */
static uint64_t shape_of(struct slice class_names)
{
	uint64_t hash = 0;
	unsigned before = 0;

	for (size_t i = 0; i < class_names.len && i < 256; i++) {
		const uint8_t  byte = class_names.ptr[i];
		const unsigned kind = byte_is_alpha(byte) ? 1 : byte_is_digit(byte) ? 2 : byte <= ' ' ? 3 : 4;
		if (kind != before)
			hash = hash * 5 + kind;
		before = kind;
	}
	return hash;
}

void html_fingerprint_init(struct html_fingerprint *fingerprint)
{
	*fingerprint = (struct html_fingerprint){ .exact = 0 };
	memset(fingerprint->bins, 0xff, sizeof fingerprint->bins);
}

void html_fingerprint_add(struct html_fingerprint *fingerprint, uint32_t name_hash, struct slice class_names)
{
	const uint64_t one = mix((uint64_t)name_hash << 32 ^ shape_of(class_names));
	uint64_t       shingle = 0;

	fingerprint->exact = mix(fingerprint->exact ^ one);
	for (size_t i = 0; i + 1 < HTML_FINGERPRINT_SHINGLE; i++) {
		fingerprint->last[i] = fingerprint->last[i + 1];
		shingle = (shingle ^ fingerprint->last[i]) * UINT64_C(0x9e3779b97f4a7c15);
	}
	fingerprint->last[HTML_FINGERPRINT_SHINGLE - 1] = one;
	fingerprint->elements += fingerprint->elements != UINT32_MAX;
	if (fingerprint->elements < HTML_FINGERPRINT_SHINGLE)
		return;
	shingle = mix(shingle ^ one);
	const uint32_t value = (uint32_t)(shingle >> 32);
	uint32_t      *bin = &fingerprint->bins[shingle % HTML_FINGERPRINT_BINS];
	if (value < *bin)
		*bin = value;
}

unsigned html_fingerprint_similar(const struct html_fingerprint *a, const struct html_fingerprint *b)
{
	unsigned either = 0, equal = 0;

	for (size_t i = 0; i < HTML_FINGERPRINT_BINS; i++) {
		if (a->bins[i] == HTML_FINGERPRINT_EMPTY && b->bins[i] == HTML_FINGERPRINT_EMPTY)
			continue;
		either++;
		equal += a->bins[i] == b->bins[i];
	}
	return either != 0 ? equal * 1000 / either : 0;
}
