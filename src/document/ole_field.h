/*
 * Fields of word processors: HYPERLINK, INCLUDEPICTURE, DDE and their kin, as Word, RTF and Office Open XML all have
 * them. Source: ECMA-376 part 1, section 17.16.5.
 */
#ifndef DOCUMENT_OLE_FIELD_H
#define DOCUMENT_OLE_FIELD_H

#include "content/sink.h"

#define OLE_FIELD_MAX 8192u /* bytes of an instruction that are read */

/*
 * One field: its instruction ("HYPERLINK \"http://...\" \\o \"hint\"") and the result that its reader shows. Both UTF-8.
 * QUOTE fields of character numbers, which hide words inside of others, are to be undone before: ole_field_quote().
 */
MUST_CHECK enum rc ole_field_tell(struct slice instruction, struct slice shown, const struct content_sink *sink);

struct buf;

/* When `instruction` is QUOTE with character numbers, append those characters and say so. */
bool ole_field_quote(struct slice instruction, struct buf *out);

#endif
