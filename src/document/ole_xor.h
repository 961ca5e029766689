/* The XOR obfuscation of Excel 5 to 2003, method 1. Source: [MS-OFFCRYPTO] section 2.3.7. */
#ifndef DOCUMENT_OLE_XOR_H
#define DOCUMENT_OLE_XOR_H

#include "base/slice.h"

/* Whether `password` (at most 15 bytes are counted) gives key and verifier; then `out` is the array of its file. */
bool ole_xor_unlock(struct slice password, uint16_t key, uint16_t verifier, uint8_t out[16]);

#endif
