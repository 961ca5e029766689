/*
 * Fingerprints of any bytes: a mask no longer than the text and stable under itself but for what it joins; the same
 * text is like itself.
 */
#include "base/must.h"
#include "text/fingerprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t     memory[1 << 15];
	struct arena       arena = arena_on(memory, sizeof memory);
	struct fingerprint whole, half;
	struct slice       masked;

	if (size > 4096 || digest_ready() != RC_OK)
		return 0;
	must(fingerprint_mask(slice_of(data, size), &arena, &masked) == RC_OK);
	must(masked.len <= size);
	must(fingerprint_of(slice_of(data, size), &arena, &whole) == RC_OK);
	must(whole.bytes == masked.len);
	must(fingerprint_similarity(&whole, &whole) == (masked.len != 0 ? 100 : 0));
	must(fingerprint_of(slice_of(data, size / 2), &arena, &half) == RC_OK);
	must(fingerprint_similarity(&whole, &half) <= 100);
	must(fingerprint_similarity(&whole, &half) == fingerprint_similarity(&half, &whole));
	return 0;
}
