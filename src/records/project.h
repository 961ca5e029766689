/*
 * From journal records to rows: what each event means for the trace. Knows no database and no file; the same records give the same
 * rows, so that a rebuilt store equals one that followed.
 */
#ifndef RECORDS_PROJECT_H
#define RECORDS_PROJECT_H

#include "records/store.h"

/*
 * Apply one record between begin and commit. A record that cannot be read (of a later version, broken, or larger than the arena) is
 * passed over and counted in *ret_skipped. What else is not RC_OK is the store's answer, RC_NOMEM too: the batch is to be given up
 * and read again.
 */
MUST_CHECK enum rc project_record(struct store *store, const struct journal_record *record, struct arena *arena,
                                  uint64_t *ret_skipped);

#endif
