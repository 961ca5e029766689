/* The event loop on epoll; the header says what a turn is. */
#include "net/loop.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert(LOOP_IN == EPOLLIN && LOOP_OUT == EPOLLOUT && LOOP_ERR == EPOLLERR && LOOP_HUP == EPOLLHUP,
               "the same bits");
_Static_assert(LOOP_RDHUP == EPOLLRDHUP && LOOP_EXCLUSIVE == EPOLLEXCLUSIVE && LOOP_EDGE == EPOLLET, "the same bits");

/* The longest wait: a clock that jumps or a lost wake-up then costs at most this. */
#define WAIT_MAX_MS 60000u

struct loop {
	int                epoll;
	int                wake_fd;
	struct loop_watch  wake_watch;
	uint64_t           now_us;
	struct timer_wheel wheel;
	struct list        deferred;
	struct loop_task  *tasks; /* taken from `posted`, in order, not run yet */
	struct loop_task **tasks_end;
	struct epoll_event events[LOOP_EVENTS_PER_TURN];
	unsigned           event_index; /* the one being handled */
	unsigned           event_count;
	struct loop_counts counts;
	size_t             scratch_bytes;
	uint8_t           *scratch; /* two areas, one after the other */

	/* Touched by other threads; apart from the rest so that they share no cache line with it. */
	uint8_t                     apart[64];
	_Atomic(struct loop_task *) posted; /* newest first */
	atomic_bool                 asleep;
	atomic_bool                 stopping;
};

static void woken(struct loop_watch *watch, uint32_t events)
{
	/* Watched by edge: the eventfd's count is never read, each write wakes anew. */
	(void)watch;
	(void)events;
}

enum rc loop_open(size_t scratch_bytes, struct loop **out, struct fault *fault)
{
	if (scratch_bytes == 0)
		scratch_bytes = LOOP_SCRATCH_STANDARD;
	must(scratch_bytes >= LOOP_SCRATCH_MIN);
	must(scratch_bytes <= LOOP_SCRATCH_MAX);

	struct loop *loop = memory_take(1, sizeof *loop);
	uint8_t     *scratch = memory_take(2, scratch_bytes);
	if (loop == NULL || scratch == NULL) {
		memory_give(loop);
		memory_give(scratch);
		return fault_set(fault, RC_NOMEM, "taking memory for an event loop", 0, 0);
	}
	loop->scratch = scratch;
	loop->scratch_bytes = scratch_bytes;
	loop->wake_watch.fd = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->now_us = clock_mono_us();
	timer_wheel_init(&loop->wheel, loop->now_us / 1000);
	list_init(&loop->deferred);
	loop->tasks_end = &loop->tasks;
	if (loop->epoll < 0 || loop->wake_fd < 0 ||
	    loop_watch(loop, &loop->wake_watch, loop->wake_fd, LOOP_IN | LOOP_EDGE, woken) != RC_OK) {
		const int error = errno;
		loop_close(&loop);
		return fault_set(fault, RC_IO, "opening the descriptors of an event loop", error, 0);
	}
	*out = loop;
	return RC_OK;
}

void loop_close(struct loop **loop)
{
	if (*loop == NULL)
		return;
	if ((*loop)->epoll >= 0)
		(void)close((*loop)->epoll);
	if ((*loop)->wake_fd >= 0)
		(void)close((*loop)->wake_fd);
	memory_give((*loop)->scratch);
	memory_give(*loop);
	*loop = NULL;
}

/* ---- other threads ---- */

void loop_wake(struct loop *loop)
{
	const uint64_t one = 1;

	/* Whoever finds it asleep wakes it, and only that one. */
	if (atomic_load(&loop->asleep) && atomic_exchange(&loop->asleep, false)) {
		const ssize_t count = write(loop->wake_fd, &one, sizeof one);
		(void)count; /* it fails only when the counter is full, and then the loop has long been woken */
	}
}

void loop_put(struct loop *loop, struct loop_task *task)
{
	struct loop_task *newest = atomic_load_explicit(&loop->posted, memory_order_relaxed);

	must(task->run != NULL);
	do {
		task->next = newest;
	} while (!atomic_compare_exchange_weak(&loop->posted, &newest, task));
}

void loop_post(struct loop *loop, struct loop_task *task)
{
	loop_put(loop, task);
	loop_wake(loop);
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopping, true);
	loop_wake(loop);
}

/* ---- time ---- */

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_us / 1000;
}

uint64_t loop_now_us(const struct loop *loop)
{
	return loop->now_us;
}

void loop_time_refresh(struct loop *loop)
{
	loop->now_us = clock_mono_us();
}

void loop_timer_set_at(struct loop *loop, struct timer *timer, uint64_t due_ms)
{
	timer_wheel_set(&loop->wheel, timer, due_ms);
}

void loop_timer_set(struct loop *loop, struct timer *timer, uint64_t delay_ms)
{
	uint64_t due_ms;

	if (__builtin_add_overflow(loop_now_ms(loop), delay_ms, &due_ms))
		due_ms = UINT64_MAX;
	timer_wheel_set(&loop->wheel, timer, due_ms);
}

/* ---- descriptors ---- */

enum rc loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
                   void (*ready)(struct loop_watch *watch, uint32_t events))
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	must(fd >= 0);
	must(ready != NULL);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		return RC_IO;
	*watch = (struct loop_watch){ .fd = fd, .events = events, .ready = ready };
	return RC_OK;
}

enum rc loop_rewatch(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	must(watch->fd >= 0);
	must((watch->events & LOOP_EXCLUSIVE) == 0);
	if (watch->events == events)
		return RC_OK;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) != 0)
		return RC_IO;
	watch->events = events;
	return RC_OK;
}

void loop_unwatch_closing(struct loop *loop, struct loop_watch *watch)
{
	if (watch->fd < 0)
		return;
	/* Events of this turn that were gathered for it must not reach memory that may be gone. */
	for (unsigned index = loop->event_index + 1; index < loop->event_count; index++) {
		if (loop->events[index].data.ptr == watch)
			loop->events[index].data.ptr = NULL;
	}
	watch->fd = -1;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	if (watch->fd < 0)
		return;
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	loop_unwatch_closing(loop, watch);
}

/* ---- tasks ---- */

void loop_defer(struct loop *loop, struct loop_defer *defer)
{
	must(defer->run != NULL);
	if (!list_linked(&defer->link))
		list_append(&loop->deferred, &defer->link);
}

/* Take what was posted, turn it round, and put it behind what waits already. */
static void take_posted(struct loop *loop)
{
	if (atomic_load_explicit(&loop->posted, memory_order_relaxed) == NULL)
		return;
	struct loop_task *newest = atomic_exchange(&loop->posted, NULL);
	struct loop_task *oldest = NULL;
	struct loop_task *last = newest;
	while (newest != NULL) {
		struct loop_task *next = newest->next;
		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	if (oldest == NULL)
		return;
	*loop->tasks_end = oldest;
	loop->tasks_end = &last->next;
}

static unsigned run_posted(struct loop *loop, unsigned max)
{
	unsigned count = 0;

	take_posted(loop);
	while (loop->tasks != NULL && count < max) {
		struct loop_task *task = loop->tasks;
		loop->tasks = task->next;
		if (loop->tasks == NULL)
			loop->tasks_end = &loop->tasks;
		task->next = NULL;
		count++;
		task->run(task);
	}
	loop->counts.tasks += count;
	return count;
}

/* A mark at the end closes the batch: what is deferred meanwhile stands behind it and waits for the next turn. */
static unsigned run_deferred(struct loop *loop, unsigned max)
{
	struct list mark;
	unsigned    count = 0;

	list_append(&loop->deferred, &mark);
	while (count < max && loop->deferred.next != &mark) {
		struct list       *link = list_shift(&loop->deferred);
		struct loop_defer *defer = LIST_OF(link, struct loop_defer, link);
		count++;
		defer->run(defer);
	}
	list_remove(&mark);
	return count;
}

size_t loop_drain(struct loop *loop)
{
	size_t count = 0;

	for (unsigned more = 1; more != 0; count += more)
		more = run_posted(loop, LOOP_TASKS_PER_TURN);
	return count;
}

/* ---- turning ---- */

static unsigned wait_span(struct loop *loop, uint64_t wait_ms)
{
	if (loop->tasks != NULL || !list_empty(&loop->deferred))
		return 0;
	const uint64_t next_ms = timer_wheel_next(&loop->wheel);
	const uint64_t now_ms = loop_now_ms(loop);
	if (next_ms <= now_ms)
		return 0;
	if (next_ms - now_ms < wait_ms)
		wait_ms = next_ms - now_ms;
	return wait_ms < WAIT_MAX_MS ? (unsigned)wait_ms : WAIT_MAX_MS;
}

/* Wait for events; RC_IO when epoll fails. */
static enum rc wait_events(struct loop *loop, uint64_t wait_ms)
{
	/* The clock is looked at before a wait, too: handlers took time, and timers were set by the old one. */
	const uint64_t began_us = clock_mono_us();
	loop->counts.busy_us += began_us - loop->now_us;
	loop->now_us = began_us;

	unsigned span_ms = wait_span(loop, wait_ms);
	if (span_ms != 0) {
		/* First say that we sleep, then look once more: a poster either sees that or is seen. */
		atomic_store(&loop->asleep, true);
		if (atomic_load(&loop->posted) != NULL || atomic_load(&loop->stopping))
			span_ms = 0;
	}
	const int count = epoll_wait(loop->epoll, loop->events, LOOP_EVENTS_PER_TURN, (int)span_ms);
	const int error = errno;
	atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
	loop->now_us = clock_mono_us();
	if (count < 0 && error != EINTR)
		return RC_IO;
	loop->event_count = count < 0 ? 0 : (unsigned)count;
	return RC_OK;
}

enum rc loop_turn(struct loop *loop, uint64_t wait_ms)
{
	const enum rc rc = wait_events(loop, wait_ms);

	if (rc != RC_OK)
		return rc;
	loop->counts.turns++;
	loop->counts.events += loop->event_count;
	for (loop->event_index = 0; loop->event_index < loop->event_count; loop->event_index++) {
		const struct epoll_event *event = &loop->events[loop->event_index];
		struct loop_watch        *watch = event->data.ptr;
		if (watch == NULL)
			continue;
		if (watch == &loop->wake_watch)
			loop->counts.wakes++;
		else
			watch->ready(watch, event->events);
	}
	loop->event_count = 0;
	loop->event_index = 0;
	(void)run_posted(loop, LOOP_TASKS_PER_TURN);
	(void)run_deferred(loop, LOOP_TASKS_PER_TURN);
	loop->counts.timers += timer_wheel_advance(&loop->wheel, loop_now_ms(loop), LOOP_TIMERS_PER_TURN);
	return RC_OK;
}

enum rc loop_run(struct loop *loop)
{
	for (;;) {
		if (atomic_exchange(&loop->stopping, false)) {
			(void)loop_drain(loop);
			return RC_OK;
		}
		const enum rc rc = loop_turn(loop, UINT64_MAX);
		if (rc != RC_OK)
			return rc;
	}
}

/* ---- what belongs to it ---- */

uint8_t *loop_scratch_in(struct loop *loop)
{
	return loop->scratch;
}

uint8_t *loop_scratch_out(struct loop *loop)
{
	return loop->scratch + loop->scratch_bytes;
}

size_t loop_scratch_size(const struct loop *loop)
{
	return loop->scratch_bytes;
}

const struct loop_counts *loop_counts(const struct loop *loop)
{
	return &loop->counts;
}
