/* One body as scan/content.c looks at it. Inside this room. */
#ifndef SCAN_CONTENT_H
#define SCAN_CONTENT_H

#include "mail/body.h"
#include "scan/work.h"

struct scan_body {
	uint16_t     part;
	struct slice bytes;
	uint32_t     offset; /* where it stands in the message, and how long it is there: for findings */
	uint32_t     size;
	bool         text;
	bool         other;  /* not of the primary reading */
	bool         inside; /* it was decoded out of a part: offset and size are that part's */
	bool         eicar;  /* found so far */
	bool         gtube;
	bool         hidden; /* found in a reading that the header does not announce */
};

/* Look at every reading that `walk` gives, and collect what was found. */
void scan_body_walk(struct scan_work *work, struct scan_body *body, struct body_walk *walk);

#endif
