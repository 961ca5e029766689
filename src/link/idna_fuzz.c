/* Names over any bytes: what ToASCII writes it leaves as it is; Punycode comes back from what it went to. */
#include "base/must.h"
#include "link/idna.h"
#include "link/ready.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct suffix_list *list;
	static uint32_t            points[2048];
	static uint8_t             out[IDNA_ASCII_MAX], again[IDNA_ASCII_MAX], shown[IDNA_DISPLAY_MAX];
	const struct slice         text = slice_of(data, size);
	size_t                     count = 0, written = 0, second = 0;

	if (list == NULL)
		must(link_ready((struct slice){ NULL, 0 }, &list) == RC_OK);
	for (unsigned flags = 0; flags <= IDNA_STRICT; flags++) {
		if (idna_ascii(text, flags, out, sizeof out, &written) != RC_OK || written > IDNA_BYTES_MAX)
			continue;
		must(idna_ascii(slice_of(out, written), flags, again, sizeof again, &second) == RC_OK);
		must(slice_eq(slice_of(out, written), slice_of(again, second)));
		must(idna_display(slice_of(out, written), shown, sizeof shown, &second) == RC_OK);
	}
	if (size <= 1024 && punycode_decode(text, points, 2048, &count) == RC_OK &&
	    punycode_encode(points, count, out, sizeof out, &written) == RC_OK) {
		must(punycode_decode(slice_of(out, written), points + 1024, 1024, &second) != RC_OK || second == count);
	}
	return 0;
}
