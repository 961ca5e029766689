/* The scanner's loop. Everything it is sent is hostile, also what gate sends: gate may have been taken over. */
#include "gate/scan_loop.h"

#include "base/arena.h"
#include "base/memory.h"
#include "gate/scan_channel.h"
#include "scan/serve.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/slab.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#define TURN_EVENTS 8

struct scanner {
	int                   epoll;
	int                   main_channel;
	int                   channels[SCAN_CHANNELS_MAX];
	size_t                channel_count;
	struct scan_progress *progress;
	struct scan_server    server;
	struct arena          arena;
	struct buf            answer;
	uint8_t               room[SCAN_PARCEL_MAX];
};

static enum rc watch(const struct scanner *scanner, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(scanner->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? RC_OK : RC_IO;
}

/* Once in a life: the channels, and the page to write progress into. */
static enum rc attach(struct scanner *scanner)
{
	struct ipc_frame frame;
	enum rc          rc = ipc_receive(scanner->main_channel, scanner->room, sizeof scanner->room, SCAN_CHANNELS_MAX + 1, &frame);
	size_t           count = 0;

	if (rc != RC_OK)
		return rc;
	rc = scanner->progress == NULL ? scan_attach_read(frame.bytes, frame.fd_count, &count) : RC_CONFLICT;
	if (rc != RC_OK) {
		ipc_frame_close(&frame);
		return rc;
	}
	void *page = mmap(NULL, SCAN_PROGRESS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, frame.fds[count], 0);
	(void)close(frame.fds[count]);
	if (page == MAP_FAILED)
		return RC_IO;
	scanner->progress = page;
	scanner->channel_count = count;
	for (size_t i = 0; i < count; i++) {
		scanner->channels[i] = frame.fds[i];
		if (watch(scanner, frame.fds[i]) != RC_OK)
			return RC_IO;
	}
	return RC_OK;
}

/* Send the answer, waiting while gate does not keep up: its own deadline ends us if it never does. */
static enum rc answer(struct scanner *scanner, int channel)
{
	enum rc rc = ipc_send(channel, buf_slice(&scanner->answer), NULL, 0);

	while (rc == RC_AGAIN) {
		struct pollfd ready = { .fd = channel, .events = POLLOUT };
		(void)poll(&ready, 1, -1);
		rc = ipc_send(channel, buf_slice(&scanner->answer), NULL, 0);
	}
	return rc;
}

static enum rc serve(struct scanner *scanner, int channel)
{
	struct ipc_frame    frame;
	struct scan_request request = { .id = 0 };
	struct slice        asked = { NULL, 0 }, message = { NULL, 0 };
	struct slab        *slab = NULL;
	enum rc             rc = ipc_receive(channel, scanner->room, sizeof scanner->room, 1, &frame);

	if (rc != RC_OK)
		return rc;
	/* What cannot be read is answered as such; a wrong slab is an empty message of a wrong size. */
	if (scan_parcel_read(frame.bytes, frame.fd_count, &asked, &message) == RC_OK &&
	    scan_request_decode(asked, &request, NULL) == RC_OK && frame.fd_count == 1) {
		const enum rc taken = slab_take(frame.fds[0], request.message_bytes, SCAN_MESSAGE_MAX, &slab);
		frame.fd_count = 0; /* closed, whatever the answer */
		if (taken == RC_OK)
			message = slab_bytes(slab);
	}
	ipc_frame_close(&frame);
	atomic_store_explicit(&scanner->progress->message, request.id, memory_order_release);
	scan_serve_one(&scanner->server, asked, message, &scanner->arena, &scanner->answer);
	slab_close(&slab);
	memory_wipe(scanner->room, frame.bytes.len); /* the next message shall not find this one */
	rc = answer(scanner, channel);
	atomic_store_explicit(&scanner->progress->message, 0, memory_order_release);
	atomic_fetch_add_explicit(&scanner->progress->done, 1, memory_order_relaxed);
	return rc;
}

/* RC_CLOSED: gate has closed the main channel; RC_OK otherwise. A channel of a loop that has gone is forgotten. */
static enum rc handle(struct scanner *scanner, int fd)
{
	if (fd == scanner->main_channel) {
		const enum rc rc = attach(scanner);
		return rc == RC_AGAIN ? RC_OK : rc;
	}
	if (serve(scanner, fd) == RC_CLOSED) {
		(void)epoll_ctl(scanner->epoll, EPOLL_CTL_DEL, fd, NULL);
		(void)close(fd);
	}
	return RC_OK;
}

int scan_loop_run(int main_channel)
{
	static struct scanner scanner; /* one a process, and too large for a stack */
	struct epoll_event    events[TURN_EVENTS];
	enum rc               rc = arena_init(&scanner.arena, SCAN_ARENA_BYTES);

	scanner.main_channel = main_channel;
	scanner.answer = buf_make(SCAN_FRAME_MAX);
	scanner.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (rc != RC_OK || scanner.epoll < 0 || buf_reserve(&scanner.answer, SCAN_FRAME_MAX) == NULL ||
	    watch(&scanner, main_channel) != RC_OK)
		return 1;
	while (rc == RC_OK) {
		const int count = epoll_wait(scanner.epoll, events, TURN_EVENTS, -1);
		for (int i = 0; i < count && rc == RC_OK; i++)
			rc = handle(&scanner, events[i].data.fd);
	}
	return rc == RC_CLOSED ? 0 : 1;
}
