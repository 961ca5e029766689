/*
 * Snapshots of the queue's fold: an opaque blob and the mark it belongs to, in a file of its own, so that a start
 * reads only what came later. A snapshot is never the truth: one that is damaged is passed over, and reading all
 * segments gives the same.
 *
 * File "SEQ.snapshot" (SEQ: 20 digits of the mark's seq), little-endian:
 *
 *     0  u64  magic "HgJsnp1\n"      96  u64  size of the blob
 *     8  u32  format version        104  32   SHA-256 of the blob
 *    12  u32  zero                  136  u32  zero
 *    16  16   the journal's id      140  u32  CRC-32C of bytes 0 to 139
 *    32  64   mark                  144       blob
 */
#ifndef JOURNAL_SNAPSHOT_H
#define JOURNAL_SNAPSHOT_H

#include "base/fault.h"
#include "journal/disk.h"
#include "journal/record.h"

#define JOURNAL_SNAPSHOT_HEAD_SIZE 144u
#define JOURNAL_SNAPSHOTS_KEPT     2u

/*
 * Read a snapshot's bytes. RC_AGAIN: shorter than it says. RC_CORRUPT: checksum, digest, or another journal's `id`
 * (NULL: any). RC_UNSUPPORTED: a later version. `blob` borrows from `bytes`.
 */
MUST_CHECK enum rc journal_snapshot_decode(struct slice bytes, const uint8_t id[JOURNAL_ID_SIZE],
                                           struct journal_mark *mark, struct slice *blob);

/*
 * Write one aside, sync, rename, sync the folder; then remove all but the JOURNAL_SNAPSHOTS_KEPT newest. RC_NOMEM,
 * RC_IO.
 */
MUST_CHECK enum rc journal_snapshot_write(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE],
                                          const struct journal_mark *mark, struct slice blob, struct fault *fault);

/*
 * The newest good snapshot whose seq is below `before` (0: any). *out is owned by the caller (buf_done); *mark and
 * *blob are what decode gives, `blob` borrowing from *out. RC_NOTFOUND: none. *bad counts those passed over (may be
 * NULL). RC_NOMEM, RC_IO.
 */
MUST_CHECK enum rc journal_snapshot_load(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE], uint64_t before,
                                         struct buf *out, struct journal_mark *mark, struct slice *blob, uint32_t *bad);

#endif
