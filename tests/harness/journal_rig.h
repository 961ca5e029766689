/*
 * A small journal for unit tests: on the simulated disk, without threads, with a clock that stands still. Texts go
 * in, and the fold remembers what came back at the last start.
 */
#ifndef HARNESS_JOURNAL_RIG_H
#define HARNESS_JOURNAL_RIG_H

#include "harness/sim_disk.h"
#include "journal/body.h"
#include "journal/reader.h"
#include "journal/verify.h"
#include "journal/writer.h"

#define RIG_TEXTS_MAX 1024u
#define RIG_TEXT_MAX  256u
#define RIG_TYPE_BODY 1u
#define RIG_TYPE_TEXT 2u

struct rig {
	struct sim_disk        *sim;
	struct journal_disk    *disk;
	struct journal_limits   limits; /* may be changed before rig_start() */
	bool                    salvage;
	struct journal_writer  *writer;
	struct fault            fault;
	struct journal_recovery recovery;
	char                    texts[RIG_TEXTS_MAX][RIG_TEXT_MAX]; /* replayed, in order */
	size_t                  count;
	struct journal_mark     after; /* the last group that was acknowledged */
	unsigned                durable, failed, snapshots_due, upkeep_failed; /* how often those events came */
	enum rc                 restore_rc;             /* what the fold says to a snapshot that is not empty */
	char                    restored[RIG_TEXT_MAX]; /* the blob it was last given */
};

void rig_open(struct rig *rig, uint64_t seed);
void rig_close(struct rig *rig);

/* Open the writer; closes one that is open. */
enum rc rig_start(struct rig *rig);
void    rig_stop(struct rig *rig);

/* One record, written and answered. */
enum rc rig_write(struct rig *rig, const char *text);
/* A body and a text in one group. */
enum rc rig_write_body(struct rig *rig, struct slice body, const char *text, struct journal_place *out);

/* Name of segment `number`. */
const char *rig_segment(uint64_t number);

#endif
