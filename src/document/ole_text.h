/*
 * The texts of Microsoft's binary formats as UTF-8: UTF-16 little-endian, and code pages by their number.
 */
#ifndef DOCUMENT_OLE_TEXT_H
#define DOCUMENT_OLE_TEXT_H

#include "base/buf.h"

/* One code point as UTF-8: 1 to 4 bytes, returned. A surrogate or one above U+10FFFF is U+FFFD. */
size_t ole_utf8(uint32_t code, uint8_t out[4]);

void ole_put_code(struct buf *out, uint32_t code);

/* UTF-16 little-endian; an unpaired surrogate is U+FFFD, an odd last byte is left out. */
void ole_put_utf16(struct slice text, struct buf *out);

/* Text in a Windows code page (1252, 936 ...). One that is not known is read as windows-1252. */
void ole_put_codepage(unsigned codepage, struct slice text, struct buf *out);

#endif
