/*
 * Documents of office programs of every kind, as an opener for content/walk.h: compound files, packages in zip files,
 * flat XML, RTF, OneNote, SYLK, tables. Picked by what content/sniff.h found and by how the bytes themselves begin.
 *
 * Members of a package are told by the opener of archives, which opens the same file as the zip that it is; here its
 * parts are only read as parts.
 */
#ifndef DOCUMENT_OFFICE_H
#define DOCUMENT_OFFICE_H

#include "content/sink.h"
#include "content/sniff.h"

/* Once per process before any thread starts and before the sandbox closes: document/ole_cipher.h. */
MUST_CHECK enum rc office_ready(void);

/*
 * Open every document that `kinds` found in `bytes`. `passwords` is a struct password_list (archive/password.h), or NULL.
 *
 * RC_OK, however damaged they are; RC_UNSUPPORTED: there is none in it; RC_LIMIT: the budget ended it; RC_NOMEM; or what
 * the sink answered.
 */
MUST_CHECK enum rc office_open(void *passwords, struct slice bytes, const struct sniff *kinds, struct budget *budget,
                               const struct content_sink *sink);

#endif
