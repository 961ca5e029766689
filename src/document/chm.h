/*
 * Compiled HTML help (.chm, ITSF): recognised, its directory read for names. The pages in it are packed with LZX and stay
 * unread; what is stored unpacked is a member. Source: the public description of the ITSF format by P. Matthews.
 */
#ifndef DOCUMENT_CHM_H
#define DOCUMENT_CHM_H

#include "content/sink.h"

#define CHM_ENTRIES_MAX 4096u

bool chm_is(struct slice bytes);

/*
 * Tell its names as members: CONTENT_MEMBER_UNREAD for those that are packed. The fact content.unreadable when there is one
 * such, content.damaged when the directory cannot be read. RC_SYNTAX: none; RC_LIMIT, or what the sink returned. Linear.
 */
MUST_CHECK enum rc chm_open(struct slice bytes, struct budget *budget, const struct content_sink *sink);

#endif
