/*
 * A sink that writes down what it hears, one line each, so that a test compares texts: "fact NAME EVIDENCE",
 * "link PLACE ADDRESS|SHOWN", "member FLAGS NAME|BYTES", "text PLACE TEXT". Bytes that do not print are \xNN.
 */
#ifndef HARNESS_HEARD_H
#define HARNESS_HEARD_H

#include "base/buf.h"
#include "content/sink.h"

struct heard {
	struct buf lines;
	long       fail_after; /* so many calls are answered RC_OK, then RC_CONFLICT; negative: all */
};

struct heard        heard_make(void);
void                heard_done(struct heard *heard);
struct content_sink heard_sink(struct heard *heard);

/* Whether a line begins so. */
bool heard_line(const struct heard *heard, const char *start);

#endif
