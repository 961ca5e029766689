/*
 * Handing messages to scanners and taking findings back. What is shared between loops is a count of work for each scanner and a
 * count of those that wait; everything else belongs to one port and its loop.
 */
#include "gate/scan_link.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/clock.h"
#include "sys/counters.h"
#include "sys/ipc.h"
#include "sys/threads.h"

#include <sys/mman.h>
#include <unistd.h>

#define ALONE 0x10000u               /* in a scanner's load: taken for one message alone */
#define PORT_ARENA_BYTES ((size_t)1 << 20)
#define LATE_MAX SCAN_PIPELINE       /* deadlines of a message that may pass while its scanner says that it is at others */
#define LOST_MAX 8u                  /* scanners that may go while a message waits there, before one is taken for its doing */

struct scan_scanner {
	atomic_uint           load;     /* requests on their way, or ALONE */
	atomic_bool           alive;
	struct scan_progress *progress; /* of the present process; mapped read-only */
	int                   main_channel;
};

struct scan_link {
	struct scan_link_options options;
	atomic_size_t            waiting;
	atomic_size_t            waiting_max;
	struct mutex             lock;      /* guards the list of ports while one is added */
	struct scan_port        *ports[SCAN_CHANNELS_MAX];
	size_t                   port_count;
	struct scan_scanner      scanners[SCANNERS_MAX];
};

/* One port's channel to one scanner. */
struct scan_channel {
	struct loop_watch     watch;
	struct scan_port     *port;
	struct scan_progress *progress;                 /* as it was when this channel was made */
	struct scan_job      *jobs[SCAN_PIPELINE];      /* sent, not answered */
	uint8_t               index;
	bool                  doomed;                   /* its scanner is to be replaced */
};

struct scan_port {
	struct scan_link   *link;
	struct loop        *loop;
	struct list         waiting;    /* scan_job.link */
	struct list         failing;    /* the same: they never wait for a scanner */
	struct loop_task    kick;       /* another port has room for us to use */
	atomic_bool         kicked;
	struct loop_defer   pump;
	struct arena        arena;
	struct buf          frame;
	uint8_t            *room;       /* SCAN_FRAME_MAX */
	struct scan_channel channels[SCANNERS_MAX];
};

/* A new channel on its way from the attaching thread to a port. */
struct attach_task {
	struct loop_task      task;
	struct scan_port     *port;
	struct scan_progress *progress;
	size_t                index;
	int                   fd;
};

static void port_pump(struct scan_port *port);
static void load_give(struct scan_scanner *scanner);
static void job_unwait(struct scan_port *port, struct scan_job *job);
static void job_end(struct scan_job *job, enum scan_result result, const struct findings *findings, struct slice frame);

/* ---- open and close ---- */

enum rc scan_link_open(const struct scan_link_options *options, struct scan_link **out)
{
	must(options->scanner_count <= SCANNERS_MAX);
	struct scan_link *link = memory_take(1, sizeof *link);

	if (link == NULL)
		return RC_NOMEM;
	link->options = *options;
	atomic_init(&link->waiting_max, options->waiting_max);
	mutex_init(&link->lock);
	for (size_t i = 0; i < SCANNERS_MAX; i++)
		link->scanners[i].main_channel = -1;
	*out = link;
	return RC_OK;
}

void scan_link_close(struct scan_link **link)
{
	struct scan_link *gone = *link;

	*link = NULL;
	if (gone == NULL)
		return;
	for (size_t i = 0; i < SCANNERS_MAX; i++) {
		if (gone->scanners[i].main_channel >= 0)
			(void)close(gone->scanners[i].main_channel);
		if (gone->scanners[i].progress != NULL)
			(void)munmap(gone->scanners[i].progress, SCAN_PROGRESS_BYTES);
	}
	mutex_done(&gone->lock);
	memory_give(gone);
}

void scan_link_waiting_max(struct scan_link *link, uint64_t waiting_max)
{
	atomic_store(&link->waiting_max, waiting_max);
}

size_t scan_link_alive(const struct scan_link *link)
{
	size_t count = 0;

	for (size_t i = 0; i < link->options.scanner_count; i++)
		count += atomic_load(&link->scanners[i].alive);
	return count;
}

static void port_kicked(struct loop_task *task)
{
	struct scan_port *port = LIST_OF(task, struct scan_port, kick);

	atomic_store(&port->kicked, false);
	port_pump(port);
}

static void port_pumped(struct loop_defer *defer)
{
	port_pump(LIST_OF(defer, struct scan_port, pump));
}

enum rc scan_port_open(struct scan_link *link, struct loop *loop, struct scan_port **out)
{
	struct scan_port *port = memory_take(1, sizeof *port);

	if (port == NULL)
		return RC_NOMEM;
	port->link = link;
	port->loop = loop;
	list_init(&port->waiting);
	list_init(&port->failing);
	port->kick.run = port_kicked;
	loop_defer_init(&port->pump, port_pumped);
	port->frame = buf_make(SCAN_FRAME_MAX);
	port->room = memory_take(1, SCAN_FRAME_MAX);
	for (size_t i = 0; i < SCANNERS_MAX; i++) {
		port->channels[i].watch.fd = -1;
		port->channels[i].port = port;
		port->channels[i].index = (uint8_t)i;
	}
	if (port->room == NULL || arena_init(&port->arena, PORT_ARENA_BYTES) != RC_OK) {
		scan_port_close(&port);
		return RC_NOMEM;
	}
	mutex_lock(&link->lock);
	const bool room = link->port_count < SCAN_CHANNELS_MAX;
	if (room)
		link->ports[link->port_count++] = port;
	mutex_unlock(&link->lock);
	if (!room) {
		scan_port_close(&port);
		return RC_LIMIT;
	}
	*out = port;
	return RC_OK;
}

static void channel_close(struct scan_channel *channel)
{
	const int fd = channel->watch.fd;

	if (fd < 0)
		return;
	loop_unwatch_closing(channel->port->loop, &channel->watch);
	channel->watch.fd = -1;
	(void)close(fd);
}

/* Whoever asked has nothing to wait for any more. */
static void jobs_drop(struct scan_port *port)
{
	static const struct slice nothing = { NULL, 0 };

	for (size_t i = 0; i < SCANNERS_MAX * SCAN_PIPELINE; i++) {
		struct scan_job **place = &port->channels[i / SCAN_PIPELINE].jobs[i % SCAN_PIPELINE];
		struct scan_job  *job = *place;
		*place = NULL;
		if (job != NULL) {
			load_give(&port->link->scanners[i / SCAN_PIPELINE]);
			job_end(job, SCAN_RESULT_UNAVAILABLE, NULL, nothing);
		}
	}
	while (!list_empty(&port->waiting)) {
		struct scan_job *job = LIST_OF(port->waiting.next, struct scan_job, link);
		job_unwait(port, job);
		job_end(job, SCAN_RESULT_UNAVAILABLE, NULL, nothing);
	}
	while (!list_empty(&port->failing))
		job_end(LIST_OF(port->failing.next, struct scan_job, link), SCAN_RESULT_UNAVAILABLE, NULL, nothing);
}

void scan_port_close(struct scan_port **port)
{
	struct scan_port *gone = *port;

	*port = NULL;
	if (gone == NULL)
		return;
	jobs_drop(gone);
	for (size_t i = 0; i < SCANNERS_MAX; i++)
		channel_close(&gone->channels[i]);
	loop_defer_stop(&gone->pump);
	arena_done(&gone->arena);
	buf_done(&gone->frame);
	memory_give(gone->room);
	memory_give(gone);
}

/* ---- the work of a scanner, counted by all ports ---- */

static bool load_take(struct scan_scanner *scanner, bool alone)
{
	unsigned load = atomic_load(&scanner->load);

	do {
		if (alone ? load != 0 : load >= SCAN_PIPELINE)
			return false;
	} while (!atomic_compare_exchange_weak(&scanner->load, &load, alone ? ALONE : load + 1));
	return true;
}

static void load_give(struct scan_scanner *scanner)
{
	unsigned load = atomic_load(&scanner->load);

	do {
		must(load != 0);
	} while (!atomic_compare_exchange_weak(&scanner->load, &load, load == ALONE ? 0 : load - 1));
}

/* The channel of the scanner with the least work, its load taken; NULL when none has room for this job. */
static struct scan_channel *choose(struct scan_port *port, const struct scan_job *job)
{
	const bool alone = job->failures != 0;

	for (unsigned load = 0; load < SCAN_PIPELINE; load++) {
		for (size_t i = 0; i < port->link->options.scanner_count; i++) {
			struct scan_channel *channel = &port->channels[i];
			struct scan_scanner *scanner = &port->link->scanners[i];
			if (channel->watch.fd < 0 || channel->doomed || atomic_load(&scanner->load) != load)
				continue;
			if (load_take(scanner, alone))
				return channel;
		}
		if (alone)
			break;
	}
	return NULL;
}

/* ---- one job's way ---- */

static void job_end(struct scan_job *job, enum scan_result result, const struct findings *findings, struct slice frame)
{
	timer_stop(&job->timer);
	list_remove(&job->link);
	job->port = NULL;
	job->done(job, result, findings, frame);
}

static void job_wait(struct scan_port *port, struct scan_job *job, bool first)
{
	job->sent = false;
	atomic_fetch_add(&port->link->waiting, 1);
	if (first)
		list_prepend(&port->waiting, &job->link);
	else
		list_append(&port->waiting, &job->link);
}

static void job_unwait(struct scan_port *port, struct scan_job *job)
{
	list_remove(&job->link);
	atomic_fetch_sub(&port->link->waiting, 1);
}

static void channel_lost(struct scan_channel *channel);

static size_t job_place(const struct scan_channel *channel, const struct scan_job *job)
{
	size_t place = 0;

	while (place < SCAN_PIPELINE && channel->jobs[place] != job)
		place++;
	return place;
}

/* RC_OK: on its way. Otherwise the channel is of no use any more. */
static enum rc job_send(struct scan_channel *channel, struct scan_job *job)
{
	struct scan_port         *port = channel->port;
	const int                 fd = slab_fd(job->slab);
	const struct scan_request request = {
		.id = job->id, .message_bytes = slab_bytes(job->slab).len, .deadline_ms = job->deadline_ms,
		.lane = job->failures != 0 ? SCAN_LANE_ALONE : SCAN_LANE_QUICK, .options = *job->options,
	};
	const size_t place = job_place(channel, NULL);

	if (place == SCAN_PIPELINE)
		return RC_BUSY;
	buf_clear(&port->frame);
	must(scan_request_encode(&request, &port->frame) == RC_OK && !port->frame.failed);
	const enum rc rc = ipc_send(channel->watch.fd, buf_slice(&port->frame), &fd, 1);
	if (rc != RC_OK)
		return rc;
	channel->jobs[place] = job;
	job->scanner = channel->index;
	job->sent = true;
	job->sent_us = clock_mono_us();
	job->late = 0;
	loop_timer_set(port->loop, &job->timer, job->deadline_ms);
	return RC_OK;
}

static void replace(struct scan_channel *channel)
{
	if (channel->doomed)
		return;
	channel->doomed = true;
	atomic_store(&channel->port->link->scanners[channel->index].alive, false);
	channel->port->link->options.replace(channel->port->link->options.context, channel->index);
}

/*
 * The job's time is up: while it waits, nobody came free; at a scanner, that scanner overran unless it is at another message. But what
 * it is at it says itself, and it may have been taken over: those before us have deadlines, too, so it cannot go on for long.
 */
static void job_late(struct timer *timer)
{
	struct scan_job  *job = LIST_OF(timer, struct scan_job, timer);
	struct scan_port *port = job->port;

	if (!job->sent) {
		if (!job->fails)
			job_unwait(port, job);
		job_end(job, SCAN_RESULT_UNAVAILABLE, NULL, (struct slice){ NULL, 0 });
		return;
	}
	struct scan_channel *channel = &port->channels[job->scanner];
	if (atomic_load_explicit(&channel->progress->message, memory_order_acquire) == job->id || ++job->late >= LATE_MAX) {
		job->late = 0;
		counter_up(COUNT_SCAN_TIMEOUTS);
		replace(channel);
	}
	loop_timer_set(port->loop, &job->timer, job->deadline_ms);
}

static void job_begin(struct scan_port *port, struct scan_job *job, uint32_t deadline_ms)
{
	job->port = port;
	job->deadline_ms = deadline_ms;
	job->failures = 0;
	job->losses = 0;
	job->late = 0;
	job->sent = false;
	job->fails = false;
	job->link = (struct list){ NULL, NULL };
	timer_init(&job->timer, job_late);
	loop_timer_set(port->loop, &job->timer, deadline_ms);
}

void scan_submit(struct scan_port *port, struct scan_job *job, uint32_t deadline_ms)
{
	/* Too many wait already: answered by the timer in the next turn, so that done() never comes from in here. */
	if (atomic_load(&port->link->waiting) >= atomic_load(&port->link->waiting_max)) {
		scan_fail(port, job);
		return;
	}
	job_begin(port, job, deadline_ms);
	job_wait(port, job, false);
	port_pump(port);
}

void scan_fail(struct scan_port *port, struct scan_job *job)
{
	job_begin(port, job, 0);
	job->fails = true;
	list_append(&port->failing, &job->link);
}

/* Hand out what waits, as far as scanners have room. */
static void port_pump(struct scan_port *port)
{
	while (!list_empty(&port->waiting)) {
		struct scan_job     *job = LIST_OF(port->waiting.next, struct scan_job, link);
		struct scan_channel *channel = choose(port, job);
		if (channel == NULL)
			return;
		job_unwait(port, job);
		const enum rc rc = job_send(channel, job);
		if (rc == RC_OK)
			continue;
		load_give(&port->link->scanners[channel->index]);
		job_wait(port, job, true);
		if (rc == RC_AGAIN || rc == RC_BUSY || rc == RC_LIMIT)
			return;
		channel_lost(channel);
	}
}

/* Somebody else's messages may wait for the room that came free here. */
static void kick_others(struct scan_port *port)
{
	struct scan_link *link = port->link;

	if (!list_empty(&port->waiting) || atomic_load(&link->waiting) == 0)
		return;
	for (size_t i = 0; i < link->port_count; i++) {
		if (link->ports[i] != port && !atomic_exchange(&link->ports[i]->kicked, true))
			loop_post(link->ports[i]->loop, &link->ports[i]->kick);
	}
}

static void job_failed(struct scan_port *port, struct scan_job *job)
{
	job->failures++;
	if (job->failures >= SCAN_FAILURES_MAX) {
		job_end(job, SCAN_RESULT_UNSCANNABLE, NULL, (struct slice){ NULL, 0 });
		return;
	}
	loop_timer_set(port->loop, &job->timer, job->deadline_ms);
	job_wait(port, job, true);
}

/*
 * Is the end of a scanner this message's doing? Yes when it says that it was at it, and when it had no other. And yes when that happens
 * to one message again and again: a scanner that was taken over would say anything.
 */
static bool is_guilty(struct scan_job *job, uint64_t at)
{
	return job->id == at || job->failures != 0 || ++job->losses >= LOST_MAX;
}

/* The scanner's end is closed: it died or was killed. Who was being worked on is to blame, the others go back to the line. */
static void channel_lost(struct scan_channel *channel)
{
	struct scan_port    *port = channel->port;
	struct scan_scanner *scanner = &port->link->scanners[channel->index];
	const uint64_t       at = atomic_load_explicit(&channel->progress->message, memory_order_acquire);

	atomic_store(&scanner->alive, false);
	channel_close(channel);
	channel->doomed = true;
	for (size_t i = 0; i < SCAN_PIPELINE; i++) {
		struct scan_job *job = channel->jobs[i];
		channel->jobs[i] = NULL;
		if (job == NULL)
			continue;
		load_give(scanner);
		if (is_guilty(job, at)) {
			counter_up(COUNT_SCAN_CRASHES);
			job_failed(port, job);
		} else {
			loop_timer_set(port->loop, &job->timer, job->deadline_ms);
			job_wait(port, job, true);
		}
	}
	loop_defer(port->loop, &port->pump);
	kick_others(port);
}

/* An answer as hostile input: who it is for, then what it says. */
static enum rc channel_answer(struct scan_channel *channel, struct slice frame)
{
	struct scan_port *port = channel->port;
	struct findings   findings;
	enum scan_end     end;
	uint64_t          id;
	size_t            place = 0;

	if (scan_answer_id(frame, &id) != RC_OK)
		return RC_CORRUPT;
	while (place < SCAN_PIPELINE && (channel->jobs[place] == NULL || channel->jobs[place]->id != id))
		place++;
	if (place == SCAN_PIPELINE)
		return RC_CORRUPT;
	struct scan_job          *job = channel->jobs[place];
	const struct slice        message = slab_bytes(job->slab);
	const struct scan_request request = { .id = id, .message_bytes = message.len, .deadline_ms = job->deadline_ms,
		                              .lane = job->failures != 0 ? SCAN_LANE_ALONE : SCAN_LANE_QUICK,
		                              .options = *job->options };
	arena_reset(&port->arena);
	const enum rc rc = scan_answer_decode(frame, &request, job->engine, message, &port->arena, &end, &findings, NULL);
	channel->jobs[place] = NULL;
	load_give(&port->link->scanners[channel->index]);
	if (rc == RC_OK && end == SCAN_END_DONE) {
		histogram_add(HISTOGRAM_SCAN, clock_mono_us() - job->sent_us);
		job_end(job, SCAN_RESULT_FINDINGS, &findings, frame);
		return RC_OK;
	}
	job_failed(port, job);
	return RC_CORRUPT;
}

static void channel_ready(struct loop_watch *watch, uint32_t events)
{
	struct scan_channel *channel = LIST_OF(watch, struct scan_channel, watch);
	struct scan_port    *port = channel->port;
	struct ipc_frame     frame;
	(void)events;

	for (unsigned i = 0; i < SCAN_PIPELINE; i++) {
		enum rc rc = ipc_receive(channel->watch.fd, port->room, SCAN_FRAME_MAX, 0, &frame);
		if (rc == RC_AGAIN)
			break;
		if (rc == RC_CLOSED || rc == RC_IO) {
			channel_lost(channel);
			return;
		}
		if (rc == RC_OK)
			rc = channel_answer(channel, frame.bytes);
		if (rc != RC_OK) {
			counter_up(COUNT_SCAN_BAD_ANSWERS);
			replace(channel);
		}
		if (channel->watch.fd < 0)
			return;
	}
	port_pump(port);
	kick_others(port);
}

/* ---- attaching ---- */

static void channel_attach(struct loop_task *task)
{
	struct attach_task  *attach = LIST_OF(task, struct attach_task, task);
	struct scan_port    *port = attach->port;
	struct scan_channel *channel = &port->channels[attach->index];

	if (channel->watch.fd >= 0)
		channel_lost(channel);
	channel->progress = attach->progress;
	channel->doomed = false;
	if (loop_watch(port->loop, &channel->watch, attach->fd, LOOP_IN, channel_ready) != RC_OK) {
		channel->watch.fd = -1;
		(void)close(attach->fd);
	} else {
		/* Said again: the end of the process before may have been noticed here, or elsewhere, only after the new one came. */
		atomic_store(&port->link->scanners[attach->index].alive, true);
	}
	memory_give(attach);
	port_pump(port);
}

static enum rc progress_page(int *ret_fd, struct scan_progress **out)
{
	const int fd = memfd_create("scan-progress", MFD_CLOEXEC);

	if (fd < 0)
		return RC_IO;
	void *page = ftruncate(fd, SCAN_PROGRESS_BYTES) == 0
	                     ? mmap(NULL, SCAN_PROGRESS_BYTES, PROT_READ, MAP_SHARED, fd, 0)
	                     : MAP_FAILED;
	if (page == MAP_FAILED) {
		(void)close(fd);
		return RC_IO;
	}
	*ret_fd = fd;
	*out = page;
	return RC_OK;
}

static enum rc attach_ports(struct scan_link *link, size_t index, struct scan_progress *progress, int progress_fd)
{
	struct attach_task *tasks[SCAN_CHANNELS_MAX] = { NULL };
	int                 theirs[SCAN_CHANNELS_MAX + 1];
	struct buf          frame = buf_make(SCAN_ATTACH_BYTES);
	size_t              count = 0;
	enum rc             rc = RC_OK;

	for (; rc == RC_OK && count < link->port_count; count++) {
		tasks[count] = memory_take(1, sizeof *tasks[count]);
		rc = tasks[count] == NULL ? RC_NOMEM : ipc_pair(&tasks[count]->fd, &theirs[count]);
		if (rc != RC_OK) {
			memory_give(tasks[count]);
			break;
		}
		tasks[count]->task.run = channel_attach;
		tasks[count]->port = link->ports[count];
		tasks[count]->progress = progress;
		tasks[count]->index = index;
	}
	if (rc == RC_OK) {
		theirs[count] = progress_fd;
		scan_attach_put(&frame, count);
		rc = frame.failed ? RC_NOMEM : ipc_send(link->scanners[index].main_channel, buf_slice(&frame), theirs, count + 1);
	}
	for (size_t i = 0; i < count; i++) {
		(void)close(theirs[i]);
		if (rc == RC_OK) {
			loop_post(link->ports[i]->loop, &tasks[i]->task);
		} else {
			(void)close(tasks[i]->fd);
			memory_give(tasks[i]);
		}
	}
	buf_done(&frame);
	return rc;
}

enum rc scan_link_attach(struct scan_link *link, size_t index, int main_channel)
{
	must(index < link->options.scanner_count);
	struct scan_scanner  *scanner = &link->scanners[index];
	struct scan_progress *progress;
	int                   progress_fd;

	if (scanner->main_channel >= 0)
		(void)close(scanner->main_channel);
	scanner->main_channel = main_channel;
	enum rc rc = progress_page(&progress_fd, &progress);
	if (rc != RC_OK)
		return rc;
	rc = attach_ports(link, index, progress, progress_fd);
	(void)close(progress_fd);
	if (rc != RC_OK) {
		(void)munmap(progress, SCAN_PROGRESS_BYTES);
		return rc;
	}
	/* The page of the process before stays mapped: a port may still look at it. One page for each replaced scanner. */
	scanner->progress = progress;
	atomic_store(&scanner->alive, true);
	return RC_OK;
}
