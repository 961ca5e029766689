/* Any bytes as content; what stands behind the first line end is the content, the line itself name and label. */
#include "base/must.h"
#include "content/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice       bytes = slice_of(data, size);
	const struct slice name = slice_until(&bytes, '\n');
	struct sniff       s;

	sniff(bytes, name, slice_take(name, 20), &s);
	must(s.count >= 1 && s.count <= SNIFF_HITS_MAX);
	for (size_t i = 0; i < s.count; i++)
		must(s.hits[i].kind < KINDS && s.hits[i].at <= bytes.len);
	sniff(slice_of(data, size), slice_of(NULL, 0), slice_of(NULL, 0), &s);
	must(s.count >= 1);
	return 0;
}
