/*
 * LHA and LZH: headers of levels 0 to 3 are read here; each member is then given to libarchive as a small archive of its own
 * with a level-0 header. (A header may name any code page, which the library would load a converter for; inside the box that
 * ends the process.)
 */
#ifndef ARCHIVE_LHA_H
#define ARCHIVE_LHA_H

#include "archive/job.h"

#define LHA_MEMBER_STEPS 256u

/* RC_OK; RC_UNSUPPORTED: no header is there; RC_LIMIT; RC_NOMEM; or what the sink answered. */
MUST_CHECK enum rc lha_open(const struct archive_job *job);

#endif
