/*
 * PDF: what a document says, links to, carries and does (ISO 32000-1, -2). Every object of the file is looked at, also those that
 * no reader would reach, since readers differ in what they reach.
 *
 * Told to the sink: text of pages, annotations and fields; title and author; targets of links, forms and jumps; JavaScript
 * as members with CONTENT_MEMBER_SCRIPT; embedded files and XFA forms as members; pictures as members of kind image/jpeg,
 * image/jp2, or image/x-portable-anymap for those without a file format of their own; facts pdf.*.
 */
#ifndef DOCUMENT_PDF_H
#define DOCUMENT_PDF_H

#include "content/sink.h"

/* Bytes in front of "%PDF-" that readers skip. */
#define PDF_HEAD_BYTES_MAX 1024u

/* Does it begin as a PDF does? */
bool pdf_is(struct slice bytes);

/*
 * Read `bytes`. An encrypted document is tried with the empty password, which readers do by themselves, then with each of
 * `passwords`; each takes one of BUDGET_TRIES.
 *
 * RC_OK     also for a damaged or closed one: facts say so.
 * RC_SYNTAX there is no object in it.
 * RC_LIMIT, RC_NOMEM, or what the sink returned: told until then.
 */
MUST_CHECK enum rc pdf_open(struct slice bytes, const struct slice *passwords, size_t password_count, struct budget *budget,
                            const struct content_sink *sink);

/* Decrypts a small document, so that the libraries have loaded what they load. Before the box closes. RC_UNSUPPORTED. */
MUST_CHECK enum rc pdf_ready(void);

#endif
