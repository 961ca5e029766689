/*
 * `hangu verify`: walk a journal offline from its first record to its last, check everything that can be checked, and
 * name the first record that is bad. Reads only; the writer may be running, but then the end is a moving one.
 */
#ifndef JOURNAL_VERIFY_H
#define JOURNAL_VERIFY_H

#include "base/fault.h"
#include "journal/disk.h"
#include "journal/record.h"

struct journal_verdict {
	uint64_t                segments; /* files read, compacted ones included */
	uint64_t                compacted;
	uint64_t                groups;
	uint64_t                records;
	uint64_t                bodies;         /* whose bytes are there and match their digest */
	uint64_t                bodies_dropped; /* whose bytes are gone, as they may be */
	uint64_t                body_bytes;
	uint64_t                snapshots;     /* good ones */
	uint64_t                snapshots_bad; /* harmless: they are passed over */
	uint64_t                cut_bytes;     /* behind the last whole group: what a power cut left */
	struct journal_mark     first;         /* where the walk began (older segments may have been retired) */
	struct journal_mark     end;           /* behind the last whole group; end.chain names the whole history */
	struct journal_position bad;           /* the first bad record; segment 0: none */
};

/*
 * RC_OK: whole. RC_CORRUPT: *out.bad and `fault` tell where and what; the counts are of what lies before.
 * RC_NOTFOUND: no journal. RC_UNSUPPORTED, RC_NOMEM, RC_IO. *out is always written. `progress` (may be NULL) is
 * called after each segment.
 */
MUST_CHECK enum rc journal_verify(struct journal_disk *disk, void (*progress)(void *context, uint64_t segment),
                                  void *context, struct journal_verdict *out, struct fault *fault);

#endif
