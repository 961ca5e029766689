/* What kinds of bytes and line ends a message has, counted in one pass over all of it. Inside this room. */
#ifndef SCAN_SURVEY_H
#define SCAN_SURVEY_H

#include "base/slice.h"

struct survey {
	size_t nul;
	size_t bare_cr;
	size_t bare_lf;
	bool   high; /* a byte above 127 */
};

struct survey survey_of(struct slice bytes);

#endif
