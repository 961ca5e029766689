/* Every form of deflate over any bytes, in a small budget. The first byte picks the form. */
#include "base/must.h"
#include "content/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = slice_of(data, size);
	struct budget      budget = { .left = { [BUDGET_BYTES] = 1 << 18, [BUDGET_STEPS] = 1 << 24 } };
	struct meter       meter = meter_make(&budget, size, 1);
	struct buf         out = buf_make(1 << 18);
	size_t             used = 0;

	if (size != 0) {
		const enum rc rc = inflate_take((enum inflate_form)(data[0] & 3), slice_drop(bytes, 1), &meter, &out, &used);
		must(rc == RC_OK || rc == RC_CORRUPT || rc == RC_LIMIT);
		must(used <= size);
		must(out.len == meter.out && out.len <= 1 << 18);
	}
	buf_done(&out);
	return 0;
}
