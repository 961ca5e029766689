/*
 * OneNote sections (.one, .onetoc2): the files that are embedded in them, with their names, and the text. Source:
 * [MS-ONESTORE], [MS-ONE].
 *
 * Embedded files are found by the mark that each begins with, wherever it stands, so that revisions that the index no
 * longer names are found, too. Linear in the file.
 */
#ifndef DOCUMENT_ONENOTE_H
#define DOCUMENT_ONENOTE_H

#include "content/sink.h"

#define ONENOTE_NAMES_MAX 256u /* names of files that are remembered */

bool onenote_is(struct slice file);

/* RC_SYNTAX: not a section; nothing was told. RC_LIMIT, RC_NOMEM, or what the sink returned. */
MUST_CHECK enum rc onenote_open(struct slice file, struct budget *budget, const struct content_sink *sink);

#endif
