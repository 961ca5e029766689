/*
 * The event loop: one per thread, on epoll. It watches descriptors, fires timers, and runs what other threads post. A
 * loop and everything that belongs to it is used by the thread that runs it; only loop_post(), loop_put(),
 * loop_stop() and loop_wake() may be called from elsewhere.
 *
 * Nothing is allocated while it runs: watches, timers and tasks lie in their owners. No handler may block or wait.
 * One turn: wait for descriptors, look at the clock, call their handlers, run posted and deferred tasks, fire timers.
 * Each of these is bounded per turn, so that no kind of work can starve another; what is left over comes in the next
 * turn.
 *
 * System calls while running: epoll_wait, epoll_ctl, write (on the eventfd), clock_gettime (vDSO); at loop_open also
 * epoll_create1, eventfd2.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/fault.h"
#include "base/list.h"
#include "base/slice.h"
#include "net/timer.h"

struct loop; /* opaque */

/* Read scratch: what one read may bring. Two such areas belong to a loop: one to read into, one to gather output in. */
#define LOOP_SCRATCH_MIN      (16u << 10)
#define LOOP_SCRATCH_MAX      (1u << 20)
#define LOOP_SCRATCH_STANDARD (128u << 10)

/* Bounds per turn. */
#define LOOP_EVENTS_PER_TURN 128u
#define LOOP_TASKS_PER_TURN  512u
#define LOOP_TIMERS_PER_TURN 512u

/* Readiness, as epoll names it (the values are the same). */
#define LOOP_IN        0x001u
#define LOOP_OUT       0x004u
#define LOOP_ERR       0x008u /* always reported */
#define LOOP_HUP       0x010u /* always reported */
#define LOOP_RDHUP     0x2000u
#define LOOP_EXCLUSIVE 0x10000000u /* one of the loops that watch the same descriptor wakes; may not be changed later */
#define LOOP_EDGE      0x80000000u /* report changes, not states */

/* A watched descriptor. It lies in its owner, which finds itself with LIST_OF(). The descriptor stays the owner's. */
struct loop_watch {
	int      fd;     /* -1: not watched */
	uint32_t events; /* what is asked for */
	void (*ready)(struct loop_watch *watch, uint32_t events);
};

/* Work handed over from any thread. It lies in its owner and may not be touched between loop_post() and its run(). */
struct loop_task {
	struct loop_task *next;
	void (*run)(struct loop_task *task);
};

/* Work of the loop's own thread for its next turn; can be taken back. */
struct loop_defer {
	struct list link;
	void (*run)(struct loop_defer *defer);
};

/*
 * A loop for the calling thread or one started later. `scratch_bytes` between LOOP_SCRATCH_MIN and LOOP_SCRATCH_MAX,
 * 0 for the standard. RC_NOMEM; RC_IO (no descriptor). Close with loop_close().
 */
MUST_CHECK enum rc loop_open(size_t scratch_bytes, struct loop **out, struct fault *fault);

/* Nothing may be watched, set or posted any more. NULL inside is legal; clears the caller's pointer. */
void loop_close(struct loop **loop);

/*
 * Run until loop_stop(). Everything posted before the stop has been run when it returns; what is posted later is run by
 * loop_drain() or by the next loop_run(). RC_IO: epoll itself failed, which is final.
 */
MUST_CHECK enum rc loop_run(struct loop *loop);

/* One turn; waits at most `wait_ms` for something to happen. For tests and for draining by hand. RC_OK, RC_IO. */
MUST_CHECK enum rc loop_turn(struct loop *loop, uint64_t wait_ms);

/* Run posted tasks until there are none; descriptors, timers and deferred work are left alone. Returns how many ran. */
size_t loop_drain(struct loop *loop);

/* From any thread, also from a signal handler: make loop_run() return soon. */
void loop_stop(struct loop *loop);

/*
 * From any thread: run `task` on the loop's thread, after every task posted before it by the same thread. Never fails,
 * never allocates, takes no lock; wakes the loop with one system call when it sleeps and with none when it does not.
 */
void loop_post(struct loop *loop, struct loop_task *task);

/*
 * The same without waking it: for the less urgent of two posts to two loops, so that the other one wakes first. The same
 * thread calls loop_wake() soon after.
 */
void loop_put(struct loop *loop, struct loop_task *task);

/* From any thread: end the loop's wait. */
void loop_wake(struct loop *loop);

/* ---- from here on: the loop's own thread only ---- */

/* Monotonic time as it was when this turn began (or at loop_time_refresh()). */
uint64_t loop_now_ms(const struct loop *loop);
uint64_t loop_now_us(const struct loop *loop);
/* Look at the clock again, after work that took long. */
void loop_time_refresh(struct loop *loop);

/* Set `timer` to fire `delay_ms` after now; at its earliest in the next turn. Stop it with timer_stop(). */
void loop_timer_set(struct loop *loop, struct timer *timer, uint64_t delay_ms);
/* The same at a moment of the loop's clock. */
void loop_timer_set_at(struct loop *loop, struct timer *timer, uint64_t due_ms);

/*
 * Start watching `fd`; `watch` and its ready() are set here. RC_IO: the kernel refused (out of memory, too many
 * watches).
 */
MUST_CHECK enum rc loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
                              void (*ready)(struct loop_watch *watch, uint32_t events));
/* Ask for other events. Not with LOOP_EXCLUSIVE. */
MUST_CHECK enum rc loop_rewatch(struct loop *loop, struct loop_watch *watch, uint32_t events);
/*
 * Stop watching; events already gathered in this turn are forgotten, so that the owner may be freed. Legal when not
 * watched.
 */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);
/* The same when the owner closes the descriptor at once and holds its only copy: saves the system call. */
void loop_unwatch_closing(struct loop *loop, struct loop_watch *watch);

static inline void loop_defer_init(struct loop_defer *defer, void (*run)(struct loop_defer *defer))
{
	*defer = (struct loop_defer){ .run = run };
}
/* Run once in the next turn; a second call before that changes nothing. */
void loop_defer(struct loop *loop, struct loop_defer *defer);
/* Take it back. Legal when it is not waiting. */
static inline void loop_defer_stop(struct loop_defer *defer)
{
	list_remove(&defer->link);
}

/*
 * The two scratch areas, of the same size. Their bytes mean nothing after the handler that filled them has returned,
 * and nobody but net/stream.c and a handler that is not inside a stream's call may use them.
 */
uint8_t *loop_scratch_in(struct loop *loop);
uint8_t *loop_scratch_out(struct loop *loop);
size_t   loop_scratch_size(const struct loop *loop);

/* Numbers since the loop was opened, for the metrics page. */
struct loop_counts {
	uint64_t turns;
	uint64_t events;
	uint64_t timers;
	uint64_t tasks;   /* posted */
	uint64_t wakes;   /* system calls made to wake it (counted by the loop as wake-ups seen) */
	uint64_t busy_us; /* time not spent waiting */
};
const struct loop_counts *loop_counts(const struct loop *loop);

#endif
