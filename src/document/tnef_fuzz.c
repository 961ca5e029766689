/* TNEF over any bytes: attributes, properties, compressed RTF and the HTML in it. */
#include "base/must.h"
#include "document/outlook_rtf.h"
#include "document/tnef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc take_member(void *context, const struct content_member *member)
{
	(void)context;
	must(member->bytes.len == 0 || member->bytes.ptr != NULL);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct content_sink sink = { .member = take_member };
	const struct slice        bytes = slice_of(data, size);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct buf                out = buf_make(1 << 20);
	bool                      html;

	const enum rc rc = tnef_open(bytes, &budget, &sink);
	must(rc == RC_OK || rc == RC_SYNTAX || rc == RC_LIMIT || rc == RC_NOMEM);
	must(tnef_is(bytes) || rc == RC_SYNTAX);
	(void)!outlook_rtf_unpack(bytes, &budget, &out);
	buf_clear(&out);
	(void)!outlook_rtf_unwrap(bytes, &out, &html);
	buf_done(&out);
	return 0;
}
