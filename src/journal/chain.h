/*
 * The hash chain: each record's value covers all records before it.
 *
 *   chain(n) = SHA-256( chain(n-1), header bytes 0 to 79 with JOURNAL_FLAG_DROPPED cleared, payload unless a body )
 *
 * A body is covered by its digest, which stands in the header: dropping its bytes leaves the chain as it is. The first
 * record of a journal follows a value of 32 zero bytes. Neither the segment's number nor an offset is covered, so a
 * segment can be rewritten without its bodies.
 */
#ifndef JOURNAL_CHAIN_H
#define JOURNAL_CHAIN_H

#include "journal/record.h"

/*
 * The value after a record whose encoded header is `head` (its chain field is not looked at); `payload` is ignored
 * for a body.
 */
void journal_chain_next(const struct digest *before, const uint8_t head[JOURNAL_RECORD_HEAD_SIZE],
                        const struct slice *payload, size_t payload_count, struct digest *out);

#endif
