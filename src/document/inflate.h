/*
 * Deflated bytes (RFC 1950, RFC 1951) of documents, lenient as their readers are: what came out before damage counts.
 */
#ifndef DOCUMENT_INFLATE_H
#define DOCUMENT_INFLATE_H

#include "base/buf.h"
#include "content/budget.h"

/*
 * Append to `out` what `bytes` inflates to: a zlib stream, or one without its head. *damaged (not NULL) says whether it
 * ended early or broke. Charges BUDGET_BYTES and BUDGET_STEPS for what comes out.
 *
 * RC_LIMIT  the budget, or the bound of `out`: it holds what came until then.
 * RC_NOMEM
 */
MUST_CHECK enum rc inflate_all(struct slice bytes, struct budget *budget, struct buf *out, bool *damaged);

#endif
