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
/* Fails the test `name` unless each line of `wanted` begins a line that was heard, or, behind "-", begins none. */
void heard_compare(const char *name, const struct heard *heard, const char *wanted);

/* Bytes for an opener, and what it has to tell of them. */
struct heard_row {
	const char  *name;
	struct slice bytes;
	const char  *wanted;
};

typedef enum rc heard_reader(struct slice bytes, struct budget *budget, struct heard *heard);

/* Each row is read with RC_OK and says what is wanted. */
void heard_rows(const struct heard_row *rows, size_t count, heard_reader *read);
/* Each row cut at every byte, with every answer of the sink and every allocation failing, with steps running out: it ends. */
void heard_rows_broken(const struct heard_row *rows, size_t count, heard_reader *read);

#endif
