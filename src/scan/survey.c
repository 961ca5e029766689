/*
 * Counting bytes sixteen at a time with the compiler's vectors: about 10 GB/s, so that the whole of a large
 * attachment is looked at for less than it costs to receive.
 */
#include "scan/survey.h"

typedef uint8_t bytes16 __attribute__((vector_size(16)));

#define BLOCKS_PER_ROUND 255u /* so many ones fit into a byte */

struct counts {
	size_t nul, cr, lf, pairs;
	bool   high;
};

static size_t sum_of(bytes16 v)
{
	size_t sum = 0;

	for (unsigned i = 0; i < 16; i++)
		sum += v[i];
	return sum;
}

static bytes16 load(struct slice s, size_t at)
{
	bytes16 v;

	memcpy(&v, &s.ptr[at], sizeof v);
	return v;
}

/* Blocks of sixteen from `at` on while a byte behind each of them still exists. Returns where it stopped. */
static size_t blocks_count(struct slice s, size_t at, struct counts *counts)
{
	while (s.len - at >= 17) {
		bytes16 nul = { 0 }, cr = { 0 }, lf = { 0 }, pairs = { 0 }, high = { 0 };
		size_t  blocks = (s.len - at - 1) / 16;
		blocks = blocks < BLOCKS_PER_ROUND ? blocks : BLOCKS_PER_ROUND;
		for (size_t i = 0; i < blocks; i++, at += 16) {
			const bytes16 here = load(s, at), next = load(s, at + 1);
			const bytes16 is_cr = (bytes16)(here == '\r');
			/* A true comparison is -1 in each place, so taking it away counts one. */
			nul -= (bytes16)(here == 0);
			cr -= is_cr;
			lf -= (bytes16)(here == '\n');
			pairs -= is_cr & (bytes16)(next == '\n');
			high |= here;
		}
		counts->nul += sum_of(nul);
		counts->cr += sum_of(cr);
		counts->lf += sum_of(lf);
		counts->pairs += sum_of(pairs);
		counts->high |= sum_of((bytes16)(high > 127)) != 0;
	}
	return at;
}

struct survey survey_of(struct slice s)
{
	struct counts counts = { 0 };

	for (size_t at = blocks_count(s, 0, &counts); at < s.len; at++) {
		counts.nul += s.ptr[at] == 0;
		counts.cr += s.ptr[at] == '\r';
		counts.lf += s.ptr[at] == '\n';
		counts.pairs += s.ptr[at] == '\r' && slice_at(s, at + 1) == '\n';
		counts.high |= s.ptr[at] >= 0x80;
	}
	return (struct survey){ .nul = counts.nul,
		                .bare_cr = counts.cr - counts.pairs,
		                .bare_lf = counts.lf - counts.pairs,
		                .high = counts.high };
}
