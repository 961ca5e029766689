/*
 * Zip files, in every reading: the members of all of them go to the sink, what they disagree about become facts. See
 * archive/zip_index.h for the readings and archive/zip_member.h for the methods.
 */
#ifndef ARCHIVE_ZIP_H
#define ARCHIVE_ZIP_H

#include "archive/job.h"

/*
 * RC_OK, however damaged it is. RC_UNSUPPORTED: there is no record of a zip in it; RC_LIMIT: the budget ended it; RC_NOMEM;
 * or what the sink answered.
 */
MUST_CHECK enum rc zip_open(const struct archive_job *job);

#endif
