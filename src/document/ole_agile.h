/* Agile encryption of ECMA-376 packages. Source: [MS-OFFCRYPTO] sections 2.3.4.10 to 2.3.4.15. */
#ifndef DOCUMENT_OLE_AGILE_H
#define DOCUMENT_OLE_AGILE_H

#include "document/ole_crypt.h"

/* The XML behind the version. RC_SYNTAX; RC_UNSUPPORTED: another cipher than AES in CBC mode, or no password's key. */
MUST_CHECK enum rc ole_agile_read(struct slice xml, struct ole_crypt *out);

/* RC_DENIED: another password. `wide` is UTF-16. RC_OK leaves the package's key in crypt->key. */
MUST_CHECK enum rc ole_agile_unlock(struct ole_crypt *crypt, struct slice wide);

/* Segments of 4096 bytes, each with its own start; `data` is whole blocks of 16, `out` as large. */
MUST_CHECK enum rc ole_agile_package(const struct ole_crypt *crypt, struct slice data, uint8_t *out);

#endif
