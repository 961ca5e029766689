/*
 * The records role: follows the journal and keeps the projections, answers `hangu trace`, and serves the metrics. It stands beside
 * the mail path: while it is away, mail flows, and afterwards it catches up from the journal.
 *
 * records_open() while files can still be opened by name; the box closes; records_run() serves.
 */
#ifndef RECORDS_RECORDS_H
#define RECORDS_RECORDS_H

#include "base/buf.h"
#include "sys/role.h"

struct records; /* opaque */

/*
 * `start` is borrowed for the life of the role. The working directory must be the records folder. A damaged store is set aside (renamed to
 * records.db.bad-N) and made anew. RC_IO, RC_NOMEM; `why` then holds a sentence.
 */
MUST_CHECK enum rc records_open(const struct role_start *start, struct buf *why, struct records **out);

/* Serve until told to drain: 0. 1: something broke that a new process can mend. */
int records_run(struct records *records);

#endif
