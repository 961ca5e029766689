/* The filters of PDF streams that give bytes: ISO 32000-1 section 7.4. Pictures are decoded by nobody here. */
#ifndef DOCUMENT_PDF_FILTER_H
#define DOCUMENT_PDF_FILTER_H

#include "content/budget.h"
#include "document/pdf_value.h"

struct pdf_predictor {
	int32_t predictor; /* 1: none; 2: TIFF; 10 and above: PNG */
	int32_t colors;
	int32_t bits;
	int32_t columns;
	int32_t early; /* of LZW: codes grow one early; 1 is standard */
};

/*
 * Append what filter `name` makes of `bytes` to `out`. RC_UNSUPPORTED: none that is known here, nothing was done. RC_LIMIT,
 * RC_NOMEM: `out` holds what came until then. *damaged is set, never cleared. Linear in what comes out.
 */
MUST_CHECK enum rc pdf_filter(struct slice name, const struct pdf_predictor *predictor, struct slice bytes,
                              struct budget *budget, struct buf *out, bool *damaged);

#endif
