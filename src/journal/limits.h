/* The journal's bounds and delays, as the [journal] section of the settings file gives them. */
#ifndef JOURNAL_LIMITS_H
#define JOURNAL_LIMITS_H

#include "base/setting.h"

struct journal_limits {
	struct slice folder;           /* path of the journal's folder */
	uint64_t     segment_bytes;    /* size of a segment file, allocated when it is made */
	uint64_t     spare_segments;   /* emptied segment files kept for use again; at least one is always made ahead */
	uint64_t     delay_ms;         /* longest wait for announced siblings before a sync */
	uint64_t     lazy_ms;          /* longest wait of a lazy group for company */
	uint64_t     queue_bytes_max;  /* payload bytes waiting for the committer; more: RC_BUSY */
	uint64_t     queue_groups_max; /* groups waiting for the committer; more: RC_BUSY */
	uint64_t     free_floor_bytes; /* below this much free space no new message is taken (452) */
	uint64_t     snapshot_bytes;   /* a snapshot is due after this many bytes of records */
	uint64_t     compress_level;   /* zstd level for bodies; 0: stored as they are */
	uint64_t     compress_from_bytes; /* smaller bodies are stored as they are */
	bool         prewrite; /* write zeros over a new segment ahead of its use: fdatasync is then cheaper */
};

/* Keys, ranges and defaults of [journal]; ends with a NULL key. */
extern const struct setting journal_settings[];

/* The defaults of that table, for tests and tools; `folder` is empty. */
struct journal_limits journal_limits_standard(void);

#endif
