/*
 * Archives, compressed files and disk images of any kind: picked by what content/sniff.h found, opened one level deep. What
 * comes out goes to the sink; whoever asked looks into that in turn (content/walk.h).
 *
 * archive_ready() is called once before the sandbox closes and before there are threads: see archive/libarchive.h.
 */
#ifndef ARCHIVE_OPEN_H
#define ARCHIVE_OPEN_H

#include "archive/job.h"
#include "content/sniff.h"

MUST_CHECK enum rc archive_ready(void);

/* Is it a kind that archive_open() opens, or tells to be one that cannot be read? */
bool archive_is(enum kind kind);

/*
 * Open every archive that `kinds` found in `bytes`. `passwords` is a struct password_list, or NULL (the type is void so that this
 * is a content/walk.h opener).
 *
 * RC_OK, however damaged they are; RC_UNSUPPORTED: there is none in it; RC_LIMIT: the budget ended it; RC_NOMEM; or what
 * the sink answered. Kinds that are recognised and cannot be read are CONTENT_FACT_UNREADABLE with the word of the kind.
 */
MUST_CHECK enum rc archive_open(void *passwords, struct slice bytes, const struct sniff *kinds, struct budget *budget,
                                const struct content_sink *sink);

#endif
