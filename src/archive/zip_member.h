/*
 * One member of a zip unpacked and, if need be, opened with a password: stored, deflate and deflate64 here, the other
 * methods and AES through libarchive on a small zip made of this member alone, so that no other reading of the file
 * comes between. Classic encryption (APPNOTE section 6.1) is undone here.
 */
#ifndef ARCHIVE_ZIP_MEMBER_H
#define ARCHIVE_ZIP_MEMBER_H

#include "archive/job.h"
#include "archive/zip_index.h"

/* Members whose keys are given up after no candidate fitted the first: each try is paid with BUDGET_TRIES. */
struct zip_keys {
	bool exhausted; /* every candidate has been tried on a member, and none fitted */
};

/*
 * Unpack `entry` to `out`, which is empty. *flags: CONTENT_MEMBER_x that hold. RC_OK whatever came out; RC_LIMIT: the budget
 * is used up (out has what came); RC_NOMEM.
 */
MUST_CHECK enum rc zip_member_take(const struct archive_job *job, const struct zip_entry *entry, struct zip_keys *keys,
                                   struct buf *out, uint32_t *flags);

#endif
