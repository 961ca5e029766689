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
#define WANTED 0x20000u              /* the same: the next one it gets is alone, whoever set this */
#define PORT_ARENA_BYTES ((size_t)1 << 20)
#define LATE_MAX SCAN_PIPELINE       /* deadlines of a message that may pass while its scanner says that it is at others */
#define LOST_MAX 8u                  /* scanners that may go while a message waits there, before one is taken for its doing */

/* A progress page of one scanner process, mapped read-only; counted, for ports may still look at it when the process was replaced. */
struct progress_page {
	atomic_uint           holders;
	struct scan_progress *progress;
};

struct scan_scanner {
	atomic_uint           load; /* requests on their way, or ALONE; WANTED beside either */
	atomic_bool           alive;
	struct progress_page *page; /* of the present process; held */
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
	struct timer          lost;                     /* it has ended, and no other came yet */
	struct scan_port     *port;
	struct progress_page *page;                     /* as it was when this channel was made; held */
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
	struct progress_page *page; /* held */
	size_t                index;
	int                   fd;
};

static void channel_missed(struct timer *timer);
static void port_pump(struct scan_port *port);
static void kick_others(struct scan_port *port);
static void load_give(struct scan_scanner *scanner);
static void job_unwait(struct scan_port *port, struct scan_job *job);
static void job_end(struct scan_job *job, enum scan_result result, const struct findings *findings, struct slice frame);

/* ---- progress pages ---- */

static struct progress_page *page_hold(struct progress_page *page)
{
	atomic_fetch_add(&page->holders, 1);
	return page;
}

/* Any thread; clears the caller's pointer. */
static void page_drop(struct progress_page **page)
{
	struct progress_page *gone = *page;

	*page = NULL;
	if (gone == NULL || atomic_fetch_sub(&gone->holders, 1) != 1)
		return;
	(void)munmap(gone->progress, SCAN_PROGRESS_BYTES);
	memory_give(gone);
}

/* A new page with one holder, and a descriptor of it for the scanner. */
static enum rc page_make(int *ret_fd, struct progress_page **out)
{
	struct progress_page *page = memory_take(1, sizeof *page);
	const int             fd = page == NULL ? -1 : memfd_create("scan-progress", MFD_CLOEXEC);
	void *bytes = fd >= 0 && ftruncate(fd, SCAN_PROGRESS_BYTES) == 0
	                      ? mmap(NULL, SCAN_PROGRESS_BYTES, PROT_READ, MAP_SHARED, fd, 0)
	                      : MAP_FAILED;

	if (bytes == MAP_FAILED) {
		if (fd >= 0)
			(void)close(fd);
		memory_give(page);
		return RC_IO;
	}
	atomic_init(&page->holders, 1);
	page->progress = bytes;
	*ret_fd = fd;
	*out = page;
	return RC_OK;
}

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
		page_drop(&gone->scanners[i].page);
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
		timer_init(&port->channels[i].lost, channel_missed);
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
	for (size_t i = 0; i < SCANNERS_MAX; i++) {
		timer_stop(&gone->channels[i].lost);
		channel_close(&gone->channels[i]);
		page_drop(&gone->channels[i].page);
	}
	loop_defer_stop(&gone->pump);
	arena_done(&gone->arena);
	buf_done(&gone->frame);
	memory_give(gone->room);
	memory_give(gone);
}

/* ---- the work of a scanner, counted by all ports ---- */

/* One more request; not where a message runs alone, or is the next to. */
static bool load_take(struct scan_scanner *scanner)
{
	unsigned load = atomic_load(&scanner->load);

	do {
		if (load >= SCAN_PIPELINE)
			return false;
	} while (!atomic_compare_exchange_weak(&scanner->load, &load, load + 1));
	return true;
}

static void load_give(struct scan_scanner *scanner)
{
	unsigned load = atomic_load(&scanner->load);

	do {
		must((load & ~WANTED) != 0);
	} while (!atomic_compare_exchange_weak(&scanner->load, &load, (load & ALONE) != 0 ? load & ~ALONE : load - 1));
}

static bool is_usable(const struct scan_channel *channel)
{
	return channel->watch.fd >= 0 && !channel->doomed;
}

/* It has had its turn alone, or gives it up: others may use that scanner again. */
static void unwant(struct scan_port *port, struct scan_job *job)
{
	if (job->wants)
		atomic_fetch_and(&port->link->scanners[job->wanted].load, ~WANTED);
	job->wants = false;
}

/* Keep the scanner with the least work free for this job. One that somebody else waits for so stays his. */
static void want(struct scan_port *port, struct scan_job *job)
{
	if (job->wants && is_usable(&port->channels[job->wanted]))
		return;
	unwant(port, job);
	for (unsigned load = 1; load <= SCAN_PIPELINE + 1; load++) {
		for (size_t i = 0; i < port->link->options.scanner_count && !job->wants; i++) {
			unsigned now = load <= SCAN_PIPELINE ? load : ALONE;
			if (!is_usable(&port->channels[i]))
				continue;
			job->wants = atomic_compare_exchange_strong(&port->link->scanners[i].load, &now, now | WANTED);
			job->wanted = (uint8_t)i;
		}
	}
}

/* A scanner that has nothing else to do, or else one that soon will not. */
static struct scan_channel *choose_alone(struct scan_port *port, struct scan_job *job)
{
	for (size_t i = 0; i < port->link->options.scanner_count; i++) {
		unsigned free = job->wants && job->wanted == i ? WANTED : 0;
		if (!is_usable(&port->channels[i]) ||
		    !atomic_compare_exchange_strong(&port->link->scanners[i].load, &free, free | ALONE))
			continue;
		unwant(port, job);
		return &port->channels[i];
	}
	want(port, job);
	return NULL;
}

/* The channel of the scanner with the least work, its load taken; NULL when none has room for this job. */
static struct scan_channel *choose(struct scan_port *port, struct scan_job *job)
{
	if (job->failures != 0)
		return choose_alone(port, job);
	for (unsigned load = 0; load < SCAN_PIPELINE; load++) {
		for (size_t i = 0; i < port->link->options.scanner_count; i++) {
			struct scan_scanner *scanner = &port->link->scanners[i];
			if (is_usable(&port->channels[i]) && atomic_load(&scanner->load) == load && load_take(scanner))
				return &port->channels[i];
		}
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

/* One more may wait, and is counted: one step, for all loops ask at once. */
static bool waiting_take(struct scan_link *link)
{
	size_t waiting = atomic_load(&link->waiting);

	do {
		if (waiting >= atomic_load(&link->waiting_max))
			return false;
	} while (!atomic_compare_exchange_weak(&link->waiting, &waiting, waiting + 1));
	return true;
}

/* Into the line; it is counted there already. */
static void job_line_up(struct scan_port *port, struct scan_job *job, bool first)
{
	job->sent = false;
	if (first)
		list_prepend(&port->waiting, &job->link);
	else
		list_append(&port->waiting, &job->link);
}

/* Back into the line: it has been let in before, so no bound keeps it out now. */
static void job_wait(struct scan_port *port, struct scan_job *job, bool first)
{
	atomic_fetch_add(&port->link->waiting, 1);
	job_line_up(port, job, first);
}

static void job_unwait(struct scan_port *port, struct scan_job *job)
{
	list_remove(&job->link);
	atomic_fetch_sub(&port->link->waiting, 1);
	unwant(port, job);
}

static void channel_lost(struct scan_channel *channel);

static size_t job_place(const struct scan_channel *channel, const struct scan_job *job)
{
	size_t place = 0;

	while (place < SCAN_PIPELINE && channel->jobs[place] != job)
		place++;
	return place;
}

/*
 * The request that lies in port->frame, with its message: a copy behind it when it is small, otherwise its descriptor. That is also the
 * way when the kernel was told to take less in one frame than a small message may have.
 */
static enum rc parcel_send(struct scan_channel *channel, struct scan_job *job)
{
	const struct slice pieces[] = { buf_slice(&channel->port->frame), slab_bytes(job->slab) };

	if (slab_fd(job->slab) < 0) {
		const enum rc rc = ipc_send_pieces(channel->watch.fd, pieces, sizeof pieces / sizeof pieces[0]);
		if (rc != RC_LIMIT)
			return rc;
		if (slab_share(job->slab) != RC_OK)
			return RC_LIMIT; /* of descriptors, say; its deadline ends the wait if none comes free */
	}
	const int fd = slab_fd(job->slab);
	return ipc_send(channel->watch.fd, pieces[0], &fd, 1);
}

/* RC_OK: on its way. Otherwise the channel is of no use any more. */
static enum rc job_send(struct scan_channel *channel, struct scan_job *job)
{
	struct scan_port         *port = channel->port;
	const struct scan_request request = {
		.id = job->id, .message_bytes = slab_bytes(job->slab).len, .deadline_ms = job->deadline_ms,
		.lane = job->failures != 0 ? SCAN_LANE_ALONE : SCAN_LANE_QUICK, .options = *job->options,
	};
	const size_t place = job_place(channel, NULL);

	if (place == SCAN_PIPELINE)
		return RC_BUSY;
	buf_clear(&port->frame);
	must(scan_parcel_put(&request, &port->frame) == RC_OK && !port->frame.failed);
	const enum rc rc = parcel_send(channel, job);
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

/* Whoever closed this end still lives, or another would have come: a scanner that was taken over could do so to be left in peace. */
static void channel_missed(struct timer *timer)
{
	struct scan_channel            *channel = LIST_OF(timer, struct scan_channel, lost);
	const struct scan_link_options *options = &channel->port->link->options;

	options->replace(options->context, channel->index);
	loop_timer_set(channel->port->loop, &channel->lost, options->lost_ms);
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
		/* It may have kept a scanner free for itself. */
		loop_defer(port->loop, &port->pump);
		kick_others(port);
		return;
	}
	struct scan_channel *channel = &port->channels[job->scanner];
	if (atomic_load_explicit(&channel->page->progress->message, memory_order_acquire) == job->id || ++job->late >= LATE_MAX) {
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
	job->wants = false;
	job->link = (struct list){ NULL, NULL };
	timer_init(&job->timer, job_late);
	loop_timer_set(port->loop, &job->timer, deadline_ms);
}

void scan_submit(struct scan_port *port, struct scan_job *job, uint32_t deadline_ms)
{
	/* Too many wait already: answered by the timer in the next turn, so that done() never comes from in here. */
	if (!waiting_take(port->link)) {
		scan_fail(port, job);
		return;
	}
	job_begin(port, job, deadline_ms);
	job_line_up(port, job, false);
	port_pump(port);
}

void scan_fail(struct scan_port *port, struct scan_job *job)
{
	job_begin(port, job, 0);
	job->fails = true;
	list_append(&port->failing, &job->link);
}

/* Hand out what waits, as far as scanners have room. Who waits to run alone holds nobody up that has a scanner to go to. */
static void port_pump(struct scan_port *port)
{
	struct list *link = port->waiting.next;

	while (link != &port->waiting) {
		struct scan_job     *job = LIST_OF(link, struct scan_job, link);
		struct scan_channel *channel = choose(port, job);
		link = link->next;
		if (channel == NULL && job->failures != 0)
			continue;
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
		/* What had gone there waits again, too: from the front. */
		channel_lost(channel);
		link = port->waiting.next;
	}
}

/* Is a scanner free that was kept so for one message? */
static bool is_one_kept(const struct scan_link *link)
{
	for (size_t i = 0; i < link->options.scanner_count; i++) {
		if (atomic_load(&link->scanners[i].load) == WANTED)
			return true;
	}
	return false;
}

/* Somebody else's messages may wait for the room that came free here. */
static void kick_others(struct scan_port *port)
{
	struct scan_link *link = port->link;

	if (atomic_load(&link->waiting) == 0 || (!list_empty(&port->waiting) && !is_one_kept(link)))
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
	const uint64_t       at = atomic_load_explicit(&channel->page->progress->message, memory_order_acquire);

	atomic_store(&scanner->alive, false);
	channel_close(channel);
	channel->doomed = true;
	loop_timer_set(port->loop, &channel->lost, port->link->options.lost_ms);
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
	page_drop(&channel->page);
	channel->page = attach->page;
	channel->doomed = false;
	if (loop_watch(port->loop, &channel->watch, attach->fd, LOOP_IN, channel_ready) != RC_OK) {
		channel->watch.fd = -1;
		(void)close(attach->fd);
		loop_timer_set(port->loop, &channel->lost, port->link->options.lost_ms);
	} else {
		timer_stop(&channel->lost);
		/* Said again: the end of the process before may have been noticed here, or elsewhere, only after the new one came. */
		atomic_store(&port->link->scanners[attach->index].alive, true);
	}
	memory_give(attach);
	port_pump(port);
}

static enum rc attach_ports(struct scan_link *link, size_t index, struct progress_page *page, int progress_fd)
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
		tasks[count]->page = page_hold(page);
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
			page_drop(&tasks[i]->page);
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
	struct progress_page *page;
	int                   progress_fd;

	if (scanner->main_channel >= 0)
		(void)close(scanner->main_channel);
	scanner->main_channel = main_channel;
	enum rc rc = page_make(&progress_fd, &page);
	if (rc != RC_OK)
		return rc;
	rc = attach_ports(link, index, page, progress_fd);
	(void)close(progress_fd);
	if (rc != RC_OK) {
		page_drop(&page);
		return rc;
	}
	page_drop(&scanner->page);
	scanner->page = page;
	atomic_store(&scanner->alive, true);
	return RC_OK;
}
