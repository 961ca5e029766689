/*
 * What an opener of archives is given, and what all of them do in the same way: names that lead astray, members told to
 * the sink.
 */
#ifndef ARCHIVE_JOB_H
#define ARCHIVE_JOB_H

#include "archive/password.h"
#include "base/buf.h"
#include "content/sink.h"

/* A member is never larger than this, whatever the budget says; what comes later is cut off. */
#define ARCHIVE_MEMBER_MAX ((size_t)1 << 30)

struct archive_job {
	struct slice               bytes;     /* the whole file */
	struct password_list      *passwords; /* may be NULL: none; the one that opened something moves to its front */
	struct budget             *budget;
	const struct content_sink *sink;
};

/* One fact, `evidence` a name or the like. As sink_fact(). */
MUST_CHECK enum rc archive_fact(const struct archive_job *job, enum content_fact fact, struct slice evidence);

/*
 * Tell the sink about a member and, before that, what its name and flags mean for the archive: CONTENT_FACT_ARCHIVE_NAME,
 * _ENCRYPTED, _PASSWORD, _DAMAGED, _UNREADABLE.
 */
MUST_CHECK enum rc archive_member(const struct archive_job *job, const struct content_member *member);

/*
 * Does a name lead out of the folder that the archive is unpacked into, or mean different things to different readers: an
 * absolute path, a drive, "..", a NUL or other control character, a device of Windows?
 */
bool archive_name_is_bad(struct slice name);

#endif
