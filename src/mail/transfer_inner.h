/* The decoders that have files of their own, for mail/transfer.c alone. Each has the contract of transfer_read(). */
#ifndef MAIL_TRANSFER_INNER_H
#define MAIL_TRANSFER_INNER_H

#include "mail/transfer.h"

/* The value of a character of base64, or one of these. */
#define BASE64_VALUE_MAX 63u
#define BASE64_BLANK     64u /* white space and line ends: always skipped */
#define BASE64_PAD       65u
uint8_t base64_value_of(uint8_t byte);

/* The paddings from TRANSFER_PADDING_ZERO on. */
size_t base64_loose_read(struct transfer *t, uint8_t *out, size_t room);
size_t yenc_read(struct transfer *t, uint8_t *out, size_t room);
size_t binhex_read(struct transfer *t, uint8_t *out, size_t room);
size_t tight_read(struct transfer *t, uint8_t *out, size_t room);

#endif
