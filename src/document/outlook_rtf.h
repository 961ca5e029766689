/* Compressed RTF ([MS-OXRTFCP]) and the HTML that it may wrap ([MS-OXRTFEX]). */
#ifndef DOCUMENT_OUTLOOK_RTF_H
#define DOCUMENT_OUTLOOK_RTF_H

#include "base/buf.h"
#include "content/budget.h"

/* Append what `bytes` unpacks to. RC_SYNTAX: neither of the two signatures; RC_LIMIT: the budget or the bound of `out`. */
MUST_CHECK enum rc outlook_rtf_unpack(struct slice bytes, struct budget *budget, struct buf *out);

/*
 * Append the HTML, or plain text, that `rtf` wraps, as UTF-8. RC_NOTFOUND: it wraps none. Linear. *html: it is HTML.
 */
MUST_CHECK enum rc outlook_rtf_unwrap(struct slice rtf, struct buf *out, bool *html);

#endif
