/* Threads, locks and queues over pthreads. Anything that can only fail by our own mistake ends the process. */
#include "sys/threads.h"

#include "base/memory.h"
#include "base/must.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define QUEUE_ITEMS_MAX (1u << 20)
#define BACKGROUND_NICE 10

struct thread {
	pthread_t   inner;
	const char *name;
	void (*run)(void *argument);
	void *argument;
};

static void *begin(void *argument)
{
	const struct thread *self = argument;

	thread_name(self->name);
	self->run(self->argument);
	return NULL;
}

/* Signals are the first thread's business: block them while the new thread inherits the mask. */
static int create_deaf(struct thread *thread, const pthread_attr_t *attributes)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	/* The processor's own complaints must still end the process, with the right signal. */
	(void)sigdelset(&all, SIGSEGV);
	(void)sigdelset(&all, SIGBUS);
	(void)sigdelset(&all, SIGILL);
	(void)sigdelset(&all, SIGFPE);
	(void)sigdelset(&all, SIGSYS);
	must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	const int error = pthread_create(&thread->inner, attributes, begin, thread);
	must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return error;
}

enum rc thread_start(const char *name, size_t stack_bytes, void (*run)(void *argument), void *argument, struct thread **out)
{
	pthread_attr_t attributes;
	struct thread *thread = memory_take(1, sizeof *thread);

	must(strlen(name) <= THREAD_NAME_MAX);
	must(stack_bytes >= THREAD_STACK_MIN);
	if (thread == NULL)
		return RC_NOMEM;
	*thread = (struct thread){ .name = name, .run = run, .argument = argument };
	must(pthread_attr_init(&attributes) == 0);
	must(pthread_attr_setstacksize(&attributes, stack_bytes) == 0);
	const int error = create_deaf(thread, &attributes);
	(void)pthread_attr_destroy(&attributes);
	if (error != 0) {
		memory_give(thread);
		return error == EAGAIN ? RC_LIMIT : RC_NOMEM;
	}
	*out = thread;
	return RC_OK;
}

void thread_join(struct thread **thread)
{
	if (*thread == NULL)
		return;
	must(pthread_join((*thread)->inner, NULL) == 0);
	memory_give(*thread);
	*thread = NULL;
}

void thread_name(const char *name)
{
	/* A name is a help for people; without it we work as well. */
	(void)pthread_setname_np(pthread_self(), name);
}

void thread_stand_back(void)
{
	(void)setpriority(PRIO_PROCESS, 0, BACKGROUND_NICE); /* 0: the thread, on Linux */
}

unsigned thread_processors(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 1)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

void mutex_init(struct mutex *m)
{
	pthread_mutexattr_t attributes;

	must(pthread_mutexattr_init(&attributes) == 0);
	must(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0);
	must(pthread_mutex_init(&m->inner, &attributes) == 0);
	(void)pthread_mutexattr_destroy(&attributes);
}

void mutex_done(struct mutex *m)
{
	must(pthread_mutex_destroy(&m->inner) == 0);
}

void mutex_lock(struct mutex *m)
{
	must(pthread_mutex_lock(&m->inner) == 0);
}

void mutex_unlock(struct mutex *m)
{
	must(pthread_mutex_unlock(&m->inner) == 0);
}

void condition_init(struct condition *c)
{
	pthread_condattr_t attributes;

	must(pthread_condattr_init(&attributes) == 0);
	must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	must(pthread_cond_init(&c->inner, &attributes) == 0);
	(void)pthread_condattr_destroy(&attributes);
}

void condition_done(struct condition *c)
{
	must(pthread_cond_destroy(&c->inner) == 0);
}

void condition_wait(struct condition *c, struct mutex *m)
{
	must(pthread_cond_wait(&c->inner, &m->inner) == 0);
}

bool condition_wait_until(struct condition *c, struct mutex *m, uint64_t deadline_us)
{
	const struct timespec until = { .tv_sec = (time_t)(deadline_us / 1000000u),
		                        .tv_nsec = (long)(deadline_us % 1000000u) * 1000L };
	const int error = pthread_cond_timedwait(&c->inner, &m->inner, &until);

	must(error == 0 || error == ETIMEDOUT);
	return error == 0;
}

void condition_signal(struct condition *c)
{
	must(pthread_cond_signal(&c->inner) == 0);
}

void condition_broadcast(struct condition *c)
{
	must(pthread_cond_broadcast(&c->inner) == 0);
}

/* A ring of pointers; `mutex` guards everything below it. */
struct thread_queue {
	struct mutex     mutex;
	struct condition some;    /* count != 0 or ended */
	size_t           room;
	size_t           first;
	size_t           count;
	size_t           waiting; /* readers that sleep */
	bool             ended;
	void           **items;
};

enum rc thread_queue_open(size_t items_max, struct thread_queue **out)
{
	must(items_max != 0);
	must(items_max <= QUEUE_ITEMS_MAX);
	struct thread_queue *queue = memory_take(1, sizeof *queue);
	if (queue == NULL)
		return RC_NOMEM;
	queue->items = memory_take(items_max, sizeof *queue->items);
	if (queue->items == NULL) {
		memory_give(queue);
		return RC_NOMEM;
	}
	queue->room = items_max;
	mutex_init(&queue->mutex);
	condition_init(&queue->some);
	*out = queue;
	return RC_OK;
}

void thread_queue_close(struct thread_queue **queue)
{
	if (*queue == NULL)
		return;
	must((*queue)->waiting == 0);
	condition_done(&(*queue)->some);
	mutex_done(&(*queue)->mutex);
	memory_give((*queue)->items);
	memory_give(*queue);
	*queue = NULL;
}

enum rc thread_queue_put(struct thread_queue *queue, void *item, bool *ret_first)
{
	enum rc rc = RC_OK;

	mutex_lock(&queue->mutex);
	if (queue->ended) {
		rc = RC_CLOSED;
	} else if (queue->count == queue->room) {
		rc = RC_LIMIT;
	} else {
		if (ret_first != NULL)
			*ret_first = queue->count == 0;
		queue->items[(queue->first + queue->count) % queue->room] = item;
		queue->count++;
		if (queue->waiting != 0)
			condition_signal(&queue->some);
	}
	mutex_unlock(&queue->mutex);
	return rc;
}

/* The lock is held. */
static size_t take_locked(struct thread_queue *queue, void **items, size_t room)
{
	const size_t count = room < queue->count ? room : queue->count;

	for (size_t i = 0; i < count; i++) {
		items[i] = queue->items[queue->first];
		queue->first = (queue->first + 1) % queue->room;
	}
	queue->count -= count;
	return count;
}

size_t thread_queue_take(struct thread_queue *queue, void **items, size_t room)
{
	mutex_lock(&queue->mutex);
	const size_t count = take_locked(queue, items, room);
	mutex_unlock(&queue->mutex);
	return count;
}

size_t thread_queue_wait(struct thread_queue *queue, void **items, size_t room, uint64_t deadline_us, bool *ret_ended)
{
	bool in_time = true;

	must(room != 0);
	mutex_lock(&queue->mutex);
	queue->waiting++;
	while (queue->count == 0 && !queue->ended && in_time) {
		if (deadline_us == UINT64_MAX)
			condition_wait(&queue->some, &queue->mutex);
		else
			in_time = condition_wait_until(&queue->some, &queue->mutex, deadline_us);
	}
	queue->waiting--;
	const size_t count = take_locked(queue, items, room);
	if (ret_ended != NULL)
		*ret_ended = queue->ended && count == 0;
	mutex_unlock(&queue->mutex);
	return count;
}

void thread_queue_end(struct thread_queue *queue)
{
	mutex_lock(&queue->mutex);
	queue->ended = true;
	condition_broadcast(&queue->some);
	mutex_unlock(&queue->mutex);
}

size_t thread_queue_count(struct thread_queue *queue)
{
	mutex_lock(&queue->mutex);
	const size_t count = queue->count;
	mutex_unlock(&queue->mutex);
	return count;
}
