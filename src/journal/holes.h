/*
 * Which bodies of a segment have been punched out: written before the punching, so that even half-punched bodies are
 * known to be dropped and every other body must be whole.
 *
 * File "N.holes" (N as in the segment's name), little-endian:
 *
 *     0  u64  magic "HgJhol1\n"      32  u64  count
 *     8  u32  format version         40  u64  offset of each body's record, ascending
 *    12  u32  zero                  ...  u32  CRC-32C of all before
 *    16  16   the journal's id
 */
#ifndef JOURNAL_HOLES_H
#define JOURNAL_HOLES_H

#include "journal/segment.h"

#define JOURNAL_HOLES_MAX (1u << 26)

/* RC_NOTFOUND: none. RC_CORRUPT, RC_UNSUPPORTED, RC_NOMEM, RC_IO. Free with journal_numbers_done(). */
MUST_CHECK enum rc journal_holes_load(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE], uint64_t segment,
                                      struct journal_numbers *out);

/* Written aside, synced, renamed, folder synced. `offsets` ascend. RC_NOMEM, RC_IO. */
MUST_CHECK enum rc journal_holes_write(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE], uint64_t segment,
                                       const struct journal_numbers *offsets);

/* Is `offset` among them? */
bool journal_holes_have(const struct journal_numbers *offsets, uint64_t offset);

#endif
