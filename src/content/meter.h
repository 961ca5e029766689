/*
 * What comes out of one compressed stream, held against the budget and against what went in: a stream that expands beyond
 * METER_RATIO_MAX is a bomb, whatever the budget would still allow. Whoever unpacks asks for room, unpacks no more than
 * that, and says how much came.
 */
#ifndef CONTENT_METER_H
#define CONTENT_METER_H

#include <stddef.h>

#include "base/rc.h"
#include "content/budget.h"

/*
 * Deflate reaches 1,032 to 1 on zeros and seldom 50 to 1 on what people write. The first METER_RATIO_FREE bytes of a stream
 * are free, so that a blank picture or a sparse table is no bomb.
 */
#define METER_RATIO_MAX  100u
#define METER_RATIO_FREE (16u << 20)

struct meter {
	struct budget *budget;
	uint64_t       in;    /* bytes of the stream itself, as far as known */
	uint64_t       out;   /* bytes that came */
	uint64_t       steps; /* of BUDGET_STEPS that one byte costs, 1 to 64: slow methods cost more */
	bool           bomb;  /* it expanded beyond measure */
};

struct meter meter_make(struct budget *budget, uint64_t in, uint64_t steps);

/* How many of `wanted` bytes may come; 0 with the budget's cut or `bomb` set: stop. `wanted` is not 0. */
size_t meter_room(struct meter *meter, size_t wanted);

/* `count` bytes came, no more than the room that was given. */
void meter_came(struct meter *meter, size_t count);

#endif
