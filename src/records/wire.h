/*
 * What records is told and asked. This part is the following of the journal: gate says up to which mark everything is durable, and
 * records reads no further. One frame of an ipc channel:
 *
 *     u8 version, 64 bytes journal_mark (journal/record.h)
 */
#ifndef RECORDS_WIRE_H
#define RECORDS_WIRE_H

#include "base/buf.h"
#include "journal/record.h"

#define RECORDS_WIRE_VERSION 1u
#define RECORDS_DURABLE_BYTES 65u

void records_durable_put(struct buf *out, const struct journal_mark *mark);
/* RC_SYNTAX, RC_UNSUPPORTED (another version). */
MUST_CHECK enum rc records_durable_read(struct slice frame, struct journal_mark *out);

#endif
