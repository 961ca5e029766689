/*
 * Timers as an intrusive hierarchical wheel: the timer lies in the thing it belongs to, so that setting one never
 * fails, never allocates and costs O(1). Time is an argument, in milliseconds of any clock that does not run
 * backwards; the loop (net/loop.h) drives one wheel with the monotonic clock.
 *
 * Moving a timer to a later moment, which sessions do for every line they read, is one store: it stays in its slot
 * and is looked at again when that slot comes up. Timers that are due in the same millisecond fire in no particular
 * order.
 */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include "base/list.h"

#include <stdint.h>

/* Seven levels of 64 slots: 2^42 ms, about 139 years. A later moment than that is treated as that. */
#define TIMER_LEVELS 7u
#define TIMER_SLOTS  64u

struct timer {
	struct list link; /* in no list: not set */
	uint64_t    due_ms;
	uint64_t    slot_ms;               /* when its slot comes up; never after due_ms rounded down */
	void (*fire)(struct timer *timer); /* called once per setting, with the timer already stopped */
};

struct timer_wheel {
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
	uint64_t    filled[TIMER_LEVELS]; /* bit n: slot n may hold timers */
	struct list due;                  /* came up, not fired yet */
	uint64_t    now_ms;               /* everything before it has come up */
};

/* An empty wheel that starts at `now_ms`. It holds pointers to itself: it may not be moved. */
void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* A timer that is not set. Must be called before any other use. */
static inline void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
	*timer = (struct timer){ .fire = fire };
}

static inline bool timer_is_set(const struct timer *timer)
{
	return list_linked(&timer->link);
}

/* Set, or set again, to fire at `due_ms`; a moment that has passed fires at the next advance. */
void timer_wheel_set(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms);

/* Legal on a timer that is not set. Must be called before the timer's memory goes away. */
static inline void timer_stop(struct timer *timer)
{
	list_remove(&timer->link);
}

/*
 * Go on to `now_ms` and fire what is due, at most `fire_max` timers; what is left over fires at the next call. A
 * timer's function may set and stop any timer, its own too, and free its owner. Returns how many fired.
 */
unsigned timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms, unsigned fire_max);

/*
 * A moment up to which nothing needs to be done: the first due timer, or an earlier moment when timers must be sorted
 * anew. UINT64_MAX when no timer is set. Not before the wheel's own now_ms.
 */
uint64_t timer_wheel_next(struct timer_wheel *wheel);

#endif
