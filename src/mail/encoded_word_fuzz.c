/* Encoded words over any bytes: what comes out is UTF-8 and fits. */
#include "base/must.h"
#include "mail/encoded_word.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t                  out[1024];
	const size_t             room = size % sizeof out;
	must(charset_ready() == RC_OK);
	const struct word_result result = encoded_word_decode(slice_of(data, size), out, room);

	must(result.size <= room);
	for (struct slice rest = slice_of(out, result.size); rest.len != 0;) {
		size_t count;
		must(utf8_decode(rest, &count) != UINT32_MAX);
		rest = slice_drop(rest, count);
	}
	return 0;
}
