/*
 * Tests of handing messages to scanners: two loops' ports on one loop, scanners that are played by the test (they answer, or die, when it
 * says so), small messages in real slabs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gate/scan_link.h"

#include "base/digest.h"
#include "scan/serve.h"
#include "sys/clock.h"
#include "sys/ipc.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS 2
#define SCANNERS 2
#define JOBS 12

struct scanner {
	int                   main_channel;
	int                   channels[PORTS]; /* by port */
	struct scan_progress *progress;
};

struct rig {
	struct loop        *loop;
	struct scan_link   *link;
	struct scan_port   *ports[PORTS];
	struct scanner      scanners[SCANNERS];
	struct scan_options options;
	struct digest       engine;
	struct scan_server  server;
	struct arena        arena;
	struct slab        *slab;
	struct scan_job     jobs[JOBS];
	enum scan_result    results[JOBS];
	unsigned            done[JOBS];
	unsigned            replaced[SCANNERS];
	uint8_t             room[SCAN_PARCEL_MAX];
};

static struct rig rig; /* too large for a stack; one test at a time */

static void replace(void *context, size_t index)
{
	(void)context;
	rig.replaced[index]++;
}

static void scanned(struct scan_job *job, enum scan_result result, const struct findings *findings, struct slice frame)
{
	const size_t i = (size_t)(job - rig.jobs);

	(void)findings;
	(void)frame;
	rig.results[i] = result;
	rig.done[i]++;
}

static void turn(void)
{
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_turn(rig.loop, 1), RC_OK);
}

/* A process comes up as scanner `index`. */
static void scanner_up(size_t index)
{
	struct scanner  *scanner = &rig.scanners[index];
	struct ipc_frame frame;
	size_t           count;
	int              theirs;

	assert_int_equal(ipc_pair(&theirs, &scanner->main_channel), RC_OK);
	assert_int_equal(scan_link_attach(rig.link, index, theirs), RC_OK);
	assert_int_equal(ipc_receive(scanner->main_channel, rig.room, sizeof rig.room, PORTS + 1, &frame), RC_OK);
	assert_int_equal(scan_attach_read(frame.bytes, frame.fd_count, &count), RC_OK);
	assert_int_equal(count, PORTS);
	for (size_t i = 0; i < PORTS; i++)
		scanner->channels[i] = frame.fds[i];
	scanner->progress = mmap(NULL, SCAN_PROGRESS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, frame.fds[PORTS], 0);
	assert_true(scanner->progress != MAP_FAILED);
	(void)close(frame.fds[PORTS]);
	turn();
}

/* It dies, at message `at`. */
static void scanner_dies(size_t index, uint64_t at)
{
	struct scanner *scanner = &rig.scanners[index];

	atomic_store(&scanner->progress->message, at);
	for (size_t i = 0; i < PORTS; i++)
		(void)close(scanner->channels[i]);
	(void)close(scanner->main_channel);
	(void)munmap(scanner->progress, SCAN_PROGRESS_BYTES);
	*scanner = (struct scanner){ .main_channel = -1 };
	turn();
}

/* The next request of a port at a scanner, answered; its lane, or -1 when there is none. */
static int answer_one(size_t index, size_t port)
{
	struct scan_request request;
	struct ipc_frame    frame;
	struct slice        asked, message;
	struct buf          answer = buf_make(SCAN_FRAME_MAX);

	if (ipc_receive(rig.scanners[index].channels[port], rig.room, sizeof rig.room, 1, &frame) != RC_OK)
		return -1;
	assert_int_equal(scan_parcel_read(frame.bytes, frame.fd_count, &asked, &message), RC_OK);
	assert_int_equal(scan_request_decode(asked, &request, NULL), RC_OK);
	assert_true(slice_eq(message, slab_bytes(rig.slab)));
	scan_serve_one(&rig.server, asked, message, &rig.arena, &answer);
	ipc_frame_close(&frame);
	assert_int_equal(ipc_send(rig.scanners[index].channels[port], buf_slice(&answer), NULL, 0), RC_OK);
	buf_done(&answer);
	turn();
	return (int)request.lane;
}

static void submit(size_t port, size_t job)
{
	rig.jobs[job] = (struct scan_job){ .id = job + 1, .slab = rig.slab, .options = &rig.options, .engine = &rig.engine, .done = scanned };
	rig.done[job] = 0;
	scan_submit(rig.ports[port], &rig.jobs[job], 60000);
	turn();
}

static void rig_up(size_t scanner_count)
{
	const struct scan_link_options options = { .scanner_count = scanner_count, .waiting_max = 100, .lost_ms = 20, .replace = replace };
	struct fault                   fault;

	memset(&rig, 0, sizeof rig);
	assert_int_equal(digest_ready(), RC_OK);
	assert_int_equal(loop_open(0, &rig.loop, &fault), RC_OK);
	assert_int_equal(arena_init(&rig.arena, SCAN_ARENA_BYTES), RC_OK);
	rig.options = (struct scan_options){ .limits = SCAN_LIMITS_STANDARD };
	scan_engine_digest(&rig.options, &rig.engine);
	assert_int_equal(slab_open(100, &rig.slab), RC_OK);
	assert_int_equal(slab_append(rig.slab, SLICE("Subject: a\r\n\r\nb\r\n")), RC_OK);
	assert_int_equal(slab_seal(rig.slab), RC_OK);
	assert_int_equal(scan_link_open(&options, &rig.link), RC_OK);
	for (size_t i = 0; i < PORTS; i++)
		assert_int_equal(scan_port_open(rig.link, rig.loop, &rig.ports[i]), RC_OK);
	for (size_t i = 0; i < SCANNERS; i++)
		rig.scanners[i].main_channel = -1;
	for (size_t i = 0; i < scanner_count; i++)
		scanner_up(i);
}

static void rig_down(void)
{
	for (size_t i = 0; i < PORTS; i++)
		scan_port_close(&rig.ports[i]);
	for (size_t i = 0; i < SCANNERS; i++) {
		if (rig.scanners[i].main_channel >= 0)
			scanner_dies(i, 0);
	}
	scan_link_close(&rig.link);
	loop_close(&rig.loop);
	slab_close(&rig.slab);
	arena_done(&rig.arena);
}

static void findings_come_back(void **state)
{
	(void)state;
	rig_up(1);
	submit(0, 0);
	submit(1, 1);
	assert_int_equal(answer_one(0, 0), SCAN_LANE_QUICK);
	assert_int_equal(answer_one(0, 1), SCAN_LANE_QUICK);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(rig.done[i], 1);
		assert_int_equal(rig.results[i], SCAN_RESULT_FINDINGS);
	}
	rig_down();
}

/* Its second try waits for a scanner of its own; meanwhile another loop has one message after the other. */
static void a_second_try_comes_to_its_turn(void **state)
{
	(void)state;
	rig_up(2);
	submit(1, 1); /* scanner 0 has one */
	submit(1, 2); /* and scanner 1 */
	submit(0, 0); /* scanner 0: the message that kills it */
	scanner_dies(0, 1);
	/* What was only behind it goes on elsewhere, the guilty one waits; the other loop is busy all the time. */
	for (size_t i = 3; i < 9; i++) {
		submit(1, i);
		if (answer_one(1, 0) == SCAN_LANE_ALONE)
			break;
		(void)answer_one(1, 1);
	}
	assert_int_equal(rig.done[0], 1);
	assert_int_equal(rig.results[0], SCAN_RESULT_FINDINGS);
	while (answer_one(1, 1) >= 0)
		;
	for (size_t i = 1; i < 9 && rig.jobs[i].id != 0; i++)
		assert_int_equal(rig.done[i], 1);
	rig_down();
}

/* Who gives up, or is ended, keeps nothing free. */
static void a_scanner_kept_free_is_given_back(void **state)
{
	(void)state;
	rig_up(2);
	submit(1, 1);
	submit(1, 2);
	submit(0, 0);
	scanner_dies(0, 1);
	scan_port_close(&rig.ports[0]);
	assert_int_equal(rig.results[0], SCAN_RESULT_UNAVAILABLE);
	submit(1, 3);
	while (answer_one(1, 1) >= 0)
		;
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(rig.done[i], 1);
	rig_down();
}

/* Lines of /proc/self/maps that are progress pages. */
static unsigned pages_mapped(void)
{
	FILE    *maps = fopen("/proc/self/maps", "r");
	char     line[512];
	unsigned count = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL)
		count += strstr(line, "scan-progress") != NULL && strstr(line, " r--s ") != NULL;
	(void)fclose(maps);
	return count;
}

static void pages_of_scanners_that_were_replaced_go(void **state)
{
	(void)state;
	rig_up(1);
	assert_int_equal(pages_mapped(), 1);
	for (int i = 0; i < 5; i++) {
		scanner_dies(0, 0);
		scanner_up(0);
		assert_int_equal(pages_mapped(), 1);
	}
	rig_down();
	assert_int_equal(pages_mapped(), 0);
}

/* A scanner that was taken over closes a channel, or sends a frame of nothing, which is read as the same: it must not live on unused. */
static void a_scanner_that_hangs_up_is_replaced(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		rig_up(2);
		submit(0, 0);
		if (how == 0)
			(void)close(rig.scanners[0].channels[0]);
		else
			assert_int_equal(send(rig.scanners[0].channels[0], "", 0, MSG_NOSIGNAL), 0);
		while (rig.replaced[0] == 0)
			turn();
		assert_int_equal(rig.replaced[1], 0);
		assert_int_equal(answer_one(1, 0), SCAN_LANE_QUICK);
		assert_int_equal(rig.results[0], SCAN_RESULT_FINDINGS);
		if (how == 0) /* for scanner_dies() */
			rig.scanners[0].channels[0] = dup(rig.scanners[0].channels[1]);
		scanner_dies(0, 0);
		scanner_up(0);
		rig.replaced[0] = 0;
		submit(1, 1);
		assert_int_equal(answer_one(0, 1), SCAN_LANE_QUICK);
		assert_int_equal(rig.replaced[0], 0);
		rig_down();
	}
}

/* What scanners have does not wait. So many may, of all loops together; the next hears that nobody looked. */
static void as_many_wait_as_may(void **state)
{
	(void)state;
	for (size_t max = 1; max <= 3; max++) {
		size_t next = SCAN_PIPELINE;

		rig_up(1);
		scan_link_waiting_max(rig.link, max);
		for (size_t i = 0; i < SCAN_PIPELINE; i++)
			submit(0, i);
		for (size_t waiting = 1; waiting <= max + 1; waiting++, next++) {
			submit(next % PORTS, next);
			assert_int_equal(rig.done[next], waiting > max);
		}
		assert_int_equal(rig.results[next - 1], SCAN_RESULT_UNAVAILABLE);
		/* One goes, and there is room for one more. */
		assert_int_equal(answer_one(0, 0), SCAN_LANE_QUICK);
		for (size_t i = 0; i < 2; i++, next++) {
			submit(next % PORTS, next);
			assert_int_equal(rig.done[next], i == 1);
		}
		while (answer_one(0, 0) >= 0 || answer_one(0, 1) >= 0)
			;
		for (size_t i = 0; i < next; i++) {
			const bool refused = i == SCAN_PIPELINE + max || i == next - 1;
			assert_int_equal(rig.done[i], 1);
			assert_int_equal(rig.results[i], refused ? SCAN_RESULT_UNAVAILABLE : SCAN_RESULT_FINDINGS);
		}
		rig_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_come_back),
		cmocka_unit_test(a_second_try_comes_to_its_turn),
		cmocka_unit_test(a_scanner_kept_free_is_given_back),
		cmocka_unit_test(a_scanner_that_hangs_up_is_replaced),
		cmocka_unit_test(pages_of_scanners_that_were_replaced_go),
		cmocka_unit_test(as_many_wait_as_may),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
