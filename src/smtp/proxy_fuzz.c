/* PROXY headers. */
#include "base/must.h"
#include "smtp/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice        input = { data, size };
	struct proxy_header header;
	const enum rc       rc = proxy_take(&input, &header);

	must(rc == RC_OK || input.len == size);
	must(rc != RC_AGAIN || size < PROXY_V2_MAX);
	if (rc != RC_OK)
		return 0;
	must(header.source.family == header.target.family);
	must(header.local == (header.source.family == IP_NONE));
	/* The same bytes without what follows them say the same; any fewer are not enough. */
	const size_t used = size - input.len;
	for (size_t cut = 0; cut <= used; cut++) {
		struct slice        part = { data, cut };
		struct proxy_header again;
		must(proxy_take(&part, &again) == (cut == used ? RC_OK : RC_AGAIN));
	}
	return 0;
}
