/*
 * What went wrong, for the one who logs: a code, a static sentence, up to two numbers. It never carries a peer's bytes.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/rc.h"

#include <stddef.h>
#include <stdint.h>

struct fault {
	enum rc     rc;
	const char *text;   /* static; what was being tried, e.g. "opening the segment" */
	int         error;  /* errno, or 0 */
	int64_t     number; /* what the text speaks of (a position, a line), or 0 */
};

/* Fill *fault (NULL is legal) and return `rc`, so that a function can end with `return fault_set(...)`. */
static inline enum rc fault_set(struct fault *fault, enum rc rc, const char *text, int error, int64_t number)
{
	if (fault != NULL)
		*fault = (struct fault){ .rc = rc, .text = text, .error = error, .number = number };
	return rc;
}

#endif
