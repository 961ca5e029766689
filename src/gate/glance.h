/*
 * The little that the gate reads of a header by itself, when no scanner has: what the trace finds the message by, and in whose name it is
 * written. Line by line and literally, without the readers of mail/header.h: of these bytes one may just have killed two scanners, so
 * what is not plain is not understood, and whoever asks takes that for a no.
 */
#ifndef GATE_GLANCE_H
#define GATE_GLANCE_H

#include "base/slice.h"

#define GLANCE_MESSAGE_ID_MAX 255u /* bytes, with "<" and ">" */

enum glance_author {
	GLANCE_AUTHOR_NONE,    /* no From field, and nothing that could be taken for one */
	GLANCE_AUTHOR_ONE,     /* one address, of which nobody can read another */
	GLANCE_AUTHOR_UNCLEAR, /* anything else */
};

struct glance {
	enum glance_author author;
	struct slice       address;    /* of GLANCE_AUTHOR_ONE: local@domain in ASCII, borrowed from the message */
	struct slice       message_id; /* "<...>" in printable ASCII, borrowed; empty when there is none such */
};

/* Look at the header section of `message`, at most `header_bytes` of it. Time: one pass. */
void glance_read(struct slice message, size_t header_bytes, struct glance *out);

#endif
