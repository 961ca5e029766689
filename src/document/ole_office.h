/*
 * Compound files that office programs write: Word, Excel and PowerPoint 97 to 2003 and their embedded objects, encrypted
 * packages of the later ones, macro projects, packages. Every stream is looked at by its name, wherever it stands, so
 * that an object in an object, or one that no storage leads to, is found like the document itself.
 */
#ifndef DOCUMENT_OLE_OFFICE_H
#define DOCUMENT_OLE_OFFICE_H

#include "content/sink.h"
#include "document/ole_crypt.h"

#define OLE_MEMORY_MAX (192u << 20) /* for what is gathered of one file */

/*
 * Read `file`. `passwords` may be NULL: then only the one that Excel knows is tried.
 *
 * RC_SYNTAX  not a compound file: nothing was told.
 * RC_LIMIT   the budget: what was told until then stands.
 * RC_NOMEM   the file is too large for OLE_MEMORY_MAX, or there is no memory.
 * Or what the sink returned.
 */
MUST_CHECK enum rc ole_office_open(struct slice file, const struct ole_passwords *passwords, struct budget *budget,
                                   const struct content_sink *sink);

#endif
