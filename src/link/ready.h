/*
 * Everything of this room that must be opened before the box closes: ICU's data is loaded and asked, the suffix list
 * opened, and one link of every kind is read as a proof.
 */
#ifndef LINK_READY_H
#define LINK_READY_H

#include "link/suffix.h"

/*
 * `list_text`: a newer public suffix list than libpsl's own, or empty. RC_UNSUPPORTED: ICU does not answer; the errors
 * of suffix_open(). Give *out back with suffix_close().
 */
MUST_CHECK enum rc link_ready(struct slice list_text, struct suffix_list **out);

#endif
