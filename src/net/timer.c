/* The hierarchical timer wheel; the header says how it behaves. */
#include "net/timer.h"

#include "base/must.h"

#define LEVEL_BITS 6u
#define MOMENT_MAX ((1ull << (LEVEL_BITS * TIMER_LEVELS)) - 1)

_Static_assert(TIMER_SLOTS == 1u << LEVEL_BITS, "a slot number is one group of bits of a moment");
_Static_assert(TIMER_SLOTS == 64, "the filled slots of a level are the bits of one word");

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
	must(now_ms <= MOMENT_MAX);
	for (unsigned level = 0; level < TIMER_LEVELS; level++) {
		for (unsigned slot = 0; slot < TIMER_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
		wheel->filled[level] = 0;
	}
	list_init(&wheel->due);
	wheel->now_ms = now_ms;
}

/*
 * A timer's level is the highest group of six bits in which its moment differs from now, its slot the value of that
 * group. So the slots in use of a level always lie behind the present one, and every slot of a level comes up before
 * any of the next.
 */
static void insert(struct timer_wheel *wheel, struct timer *timer)
{
	const uint64_t moment = timer->due_ms < MOMENT_MAX ? timer->due_ms : MOMENT_MAX;

	if (moment <= wheel->now_ms) {
		timer->slot_ms = wheel->now_ms;
		list_append(&wheel->due, &timer->link);
		return;
	}
	const unsigned highest = 63u - (unsigned)__builtin_clzll(moment ^ wheel->now_ms);
	const unsigned level = highest / LEVEL_BITS;
	const unsigned shift = level * LEVEL_BITS;
	const unsigned slot = (unsigned)(moment >> shift) % TIMER_SLOTS;
	timer->slot_ms = moment >> shift << shift;
	list_append(&wheel->slots[level][slot], &timer->link);
	wheel->filled[level] |= 1ull << slot;
}

void timer_wheel_set(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms)
{
	must(timer->fire != NULL);
	timer->due_ms = due_ms;
	if (list_linked(&timer->link)) {
		if (timer->slot_ms <= due_ms)
			return;
		list_remove(&timer->link);
	}
	insert(wheel, timer);
}

/*
 * The slot that comes up first, and when; false when there is none. Slots whose timers were all stopped are forgotten
 * here.
 */
static bool first_slot(struct timer_wheel *wheel, unsigned *level_out, unsigned *slot_out, uint64_t *moment)
{
	for (unsigned level = 0; level < TIMER_LEVELS; level++) {
		const unsigned shift = level * LEVEL_BITS;
		while (wheel->filled[level] != 0) {
			const unsigned slot = (unsigned)__builtin_ctzll(wheel->filled[level]);
			if (list_empty(&wheel->slots[level][slot])) {
				wheel->filled[level] &= wheel->filled[level] - 1;
				continue;
			}
			const unsigned upper = shift + LEVEL_BITS;
			*moment = (wheel->now_ms >> upper << upper) + ((uint64_t)slot << shift);
			*level_out = level;
			*slot_out = slot;
			return true;
		}
	}
	return false;
}

uint64_t timer_wheel_next(struct timer_wheel *wheel)
{
	unsigned level, slot;
	uint64_t moment;

	if (!list_empty(&wheel->due))
		return wheel->now_ms;
	return first_slot(wheel, &level, &slot, &moment) ? moment : UINT64_MAX;
}

/* Move everything of `source` behind what is in `target`. */
static void splice(struct list *target, struct list *source)
{
	if (list_empty(source))
		return;
	source->next->prev = target->prev;
	target->prev->next = source->next;
	source->prev->next = target;
	target->prev = source->prev;
	list_init(source);
}

/* Go on to `now_ms`; slots that came up are sorted into `due` and lower levels. */
static void turn(struct timer_wheel *wheel, uint64_t now_ms)
{
	unsigned level, slot;
	uint64_t moment;

	while (first_slot(wheel, &level, &slot, &moment) && moment <= now_ms) {
		struct list came;
		list_init(&came);
		splice(&came, &wheel->slots[level][slot]);
		wheel->filled[level] &= ~(1ull << slot);
		must(moment >= wheel->now_ms);
		wheel->now_ms = moment;
		for (struct list *link = list_shift(&came); link != NULL; link = list_shift(&came))
			insert(wheel, LIST_OF(link, struct timer, link));
	}
	wheel->now_ms = now_ms;
}

unsigned timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms, unsigned fire_max)
{
	struct list batch;
	unsigned    fired = 0;

	must(now_ms <= MOMENT_MAX);
	if (now_ms > wheel->now_ms)
		turn(wheel, now_ms);
	/* What a fired timer sets to the present moment waits for the next call: the batch is closed now. */
	list_init(&batch);
	splice(&batch, &wheel->due);
	while (fired < fire_max) {
		struct list *link = list_shift(&batch);
		if (link == NULL)
			break;
		struct timer *timer = LIST_OF(link, struct timer, link);
		if (timer->due_ms > wheel->now_ms) {
			insert(wheel, timer); /* it was moved to a later moment while it waited here */
			continue;
		}
		fired++;
		timer->fire(timer);
	}
	splice(&batch, &wheel->due);
	splice(&wheel->due, &batch);
	return fired;
}
