/* One request after the other, inside a box: no network, no file but temporary ones, no other program. */
#include "clamav/scanner.h"

#include "sys/clock.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/sandbox.h"
#include "sys/slab.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

struct scanner {
	struct engine *engine;
	int            listener;
	bool           down;     /* the canary was not found */
	uint64_t       check_ms; /* when it is looked for again */
	uint8_t        room[AV_FRAME_MAX];
};

static volatile sig_atomic_t ending;

static void on_end(int number)
{
	(void)number;
	ending = 1;
}

static void check(struct scanner *scanner)
{
	const bool was_down = scanner->down;

	scanner->down = !engine_check(scanner->engine);
	scanner->check_ms = clock_mono_ms() + (scanner->down ? SCANNER_CHECK_DOWN_MS : SCANNER_CHECK_MS);
	if (scanner->down && !was_down)
		log_error(LOG_EVENT("av.down"), LOG_STR("text", "the canary is not found: no answer of this engine counts"));
	if (!scanner->down && was_down)
		log_notice(LOG_EVENT("av.up"), LOG_STR("text", "the canary is found again"));
}

/* Signals are let in only while it waits: a request that was taken is answered. */
static bool wait_readable(int fd, uint64_t wait_ms)
{
	const struct timespec wait = { .tv_sec = (time_t)(wait_ms / 1000), .tv_nsec = (long)(wait_ms % 1000) * 1000000 };
	struct pollfd         ready = { .fd = fd, .events = POLLIN };
	sigset_t              none;

	(void)sigemptyset(&none);
	return ppoll(&ready, 1, &wait, &none) == 1;
}

static void answer(struct scanner *scanner, int connection, struct ipc_frame *frame)
{
	struct av_request request;
	struct av_answer  says = { .result = AV_FAILED };
	struct slab      *slab = NULL;
	struct buf        out = buf_make(AV_FRAME_MAX);

	if (frame->fd_count != 1 || av_request_read(frame->bytes, &request) != RC_OK) {
		log_warning(LOG_EVENT("av.request_refused"), LOG_STR("text", "no such request"));
		return;
	}
	says.id = request.id;
	engine_describe(scanner->engine, &says);
	frame->fd_count = 0; /* closed by slab_take(), whatever its answer */
	if (slab_take(frame->fds[0], request.bytes, AV_BYTES_MAX, &slab) == RC_OK) {
		if (scanner->down)
			says.result = AV_DOWN;
		else
			engine_scan(scanner->engine, slab_bytes(slab), request.name, &says);
	} else {
		log_warning(LOG_EVENT("av.request_refused"), LOG_STR("text", "no sealed memory of that size came with it"));
	}
	av_answer_put(&says, &out);
	if (says.result == AV_FOUND)
		log_info(LOG_EVENT("av.found"), LOG_NUMBER("id", says.id), LOG_TEXT("signature", says.signature), LOG_TEXT("name", request.name));
	/* Who asked and went away does not want to know. */
	(void)(ipc_send(connection, buf_slice(&out), NULL, 0) == RC_OK);
	buf_done(&out);
	slab_close(&slab);
}

static void serve_one(struct scanner *scanner)
{
	struct ipc_frame frame;
	int              connection = -1;

	if (ipc_accept(scanner->listener, &connection) != RC_OK)
		return; /* another one was quicker */
	if (wait_readable(connection, SCANNER_REQUEST_WAIT_MS) && ipc_receive(connection, scanner->room, sizeof scanner->room, 1, &frame) == RC_OK) {
		answer(scanner, connection, &frame);
		ipc_frame_close(&frame);
	}
	file_close(&connection);
}

static bool close_box(int temporary, uint64_t memory_max)
{
	const struct sandbox_path paths[] = { { .handle = temporary, .write = true } };
	const struct sandbox      box = { .role = "av", .calls = SANDBOX_CALLS_FILES | SANDBOX_CALLS_UNPACK, .network = SANDBOX_NET_ACCEPT, .paths = paths, .path_count = 1,
		                          .memory_max = memory_max, .files_max = 256, .core_dump = false };
	struct fault              fault = { 0 };

	if (sandbox_enter(&box, NULL, NULL, &fault) == RC_OK)
		return true;
	log_error(LOG_EVENT("box.failed"), LOG_FAULT(&fault));
	return false;
}

int scanner_run(struct engine *engine, int listener, int temporary, uint64_t memory_max)
{
	static struct scanner  scanner; /* one a process */
	const struct sigaction end = { .sa_handler = on_end };
	sigset_t               held;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGTERM);
	(void)sigprocmask(SIG_SETMASK, &held, NULL);
	(void)sigaction(SIGTERM, &end, NULL);
	if (!close_box(temporary, memory_max))
		return 1;
	scanner = (struct scanner){ .engine = engine, .listener = listener };
	check(&scanner);
	while (!ending) {
		const uint64_t now = clock_mono_ms();

		if (now >= scanner.check_ms)
			check(&scanner);
		else if (wait_readable(listener, scanner.check_ms - now))
			serve_one(&scanner);
	}
	return 0;
}
