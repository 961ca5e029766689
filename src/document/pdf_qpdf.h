/*
 * Opening encrypted PDF files: what comes out is the same file without its encryption, to be read by pdf_file.h.
 */
#ifndef DOCUMENT_PDF_QPDF_H
#define DOCUMENT_PDF_QPDF_H

#include "base/buf.h"
#include "base/rc.h"

/* The library holds every object at once, at some ten times its size: larger files stay closed. */
#define PDF_QPDF_BYTES_MAX ((size_t)24 << 20)

/*
 * Append the file without encryption to `out`.
 *
 * RC_DENIED  the password opens it neither as user nor as owner.
 * RC_SYNTAX  damaged so that the library cannot make anything of it, or encrypted in a way it does not know.
 * RC_LIMIT   larger than PDF_QPDF_BYTES_MAX, or than `out` may hold.
 * RC_NOMEM
 */
MUST_CHECK enum rc pdf_qpdf_open(struct slice bytes, struct slice password, struct buf *out);

#endif
