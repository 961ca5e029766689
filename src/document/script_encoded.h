/*
 * Microsoft's Script Encoder (.vbe, .jse, "VBScript.Encode" in pages): text between "#@~^" and "^#~@", each character one
 * of three by its place. The substitution is known since 2001 and no secret.
 */
#ifndef DOCUMENT_SCRIPT_ENCODED_H
#define DOCUMENT_SCRIPT_ENCODED_H

#include "base/buf.h"

bool script_encoded_is(struct slice text);

/*
 * Append `text` with all its encoded pieces decoded; what stands between them stays. RC_LIMIT: the bound of `out`. Linear.
 */
MUST_CHECK enum rc script_encoded_decode(struct slice text, struct buf *out);

#endif
