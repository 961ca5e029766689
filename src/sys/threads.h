/*
 * Threads with a name and a stack of known size, locks that guard a named struct for a few lines, and bounded queues in
 * which ownership of things moves from one thread to another.
 *
 * Threads are started after the box of the role is closed and never after a fork. All signals are blocked in them; the
 * thread that entered the role takes signals.
 */
#ifndef SYS_THREADS_H
#define SYS_THREADS_H

#include "base/rc.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREAD_STACK_MIN   (64u << 10)
#define THREAD_STACK_LOOP  (512u << 10) /* an event loop: OpenSSL's handshakes want room */
#define THREAD_STACK_WORK  (256u << 10)
#define THREAD_NAME_MAX    15u          /* the kernel's own bound */

struct thread; /* opaque */

/*
 * Start `run(argument)` on a thread called `name` (at most THREAD_NAME_MAX bytes, static) with `stack_bytes` of stack and a
 * guard page below. RC_LIMIT: the kernel has no more; RC_NOMEM. Join with thread_join().
 */
MUST_CHECK enum rc thread_start(const char *name, size_t stack_bytes, void (*run)(void *argument), void *argument,
                                struct thread **out);
/* Wait for its end and free it. NULL inside is legal; clears the caller's pointer. */
void thread_join(struct thread **thread);
/* Name the calling thread (for the first thread of a role). */
void thread_name(const char *name);
/*
 * The calling thread, and all that it starts from then on, stand back behind others that want a processor. For a role that
 * follows and that nobody waits for, before its box closes. A kernel that refuses changes nothing.
 */
void thread_stand_back(void);
/* Processors this process may run on, at least 1. Reads the affinity mask, so that it can be called inside a box. */
unsigned thread_processors(void);

/* A mutex. Locking twice, or unlocking without holding, is our own mistake and ends the process. */
struct mutex {
	pthread_mutex_t inner;
};

void mutex_init(struct mutex *m);
void mutex_done(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

/* A condition of things guarded by a mutex; waits on the monotonic clock. */
struct condition {
	pthread_cond_t inner;
};

void condition_init(struct condition *c);
void condition_done(struct condition *c);
void condition_wait(struct condition *c, struct mutex *m);
/* False when `deadline_us` (clock_mono_us) came first. Spurious wake-ups return true. */
bool condition_wait_until(struct condition *c, struct mutex *m, uint64_t deadline_us);
void condition_signal(struct condition *c);
void condition_broadcast(struct condition *c);

/*
 * A bounded first-in-first-out queue of pointers, many writers, one reader (more readers are legal). Full is an answer.
 * Items left in a queue that is closed belong to the one who closes it: take them first.
 */
struct thread_queue; /* opaque */

/* RC_NOMEM. `items_max` is 1 to 1,048,576. */
MUST_CHECK enum rc thread_queue_open(size_t items_max, struct thread_queue **out);
void thread_queue_close(struct thread_queue **queue);

/*
 * Append. RC_LIMIT: full, RC_CLOSED: thread_queue_end() was called; the item stays the caller's. `ret_first` (may be NULL)
 * becomes true when the queue was empty before: the moment to write an eventfd, and the only one.
 */
MUST_CHECK enum rc thread_queue_put(struct thread_queue *queue, void *item, bool *ret_first);
/* Take up to `room` items without waiting; returns how many. */
size_t thread_queue_take(struct thread_queue *queue, void **items, size_t room);
/*
 * Wait until there is at least one item, `deadline_us` (clock_mono_us; UINT64_MAX: for ever) passes or the queue ends; then
 * as thread_queue_take(). 0 with *ret_ended true: ended and empty, nothing will come any more. `ret_ended` may be NULL.
 */
size_t thread_queue_wait(struct thread_queue *queue, void **items, size_t room, uint64_t deadline_us, bool *ret_ended);
/* No more items are taken in; waiting readers return. What is inside can still be taken. */
void thread_queue_end(struct thread_queue *queue);
size_t thread_queue_count(struct thread_queue *queue);

#endif
