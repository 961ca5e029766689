/*
 * The proof that boxes hold. At each start a child enters the box of every role and tries to run a program: it must die of it, or
 * the gateway does not start. On demand (`hangu prove`) hostile doubles try everything a taken-over role would try; each attempt in
 * a child of its own, in the same box, as the same user, with the descriptors of the real one. A line tells what became of each.
 */
#include "daemon/inside.h"

#include "base/digest.h"
#include "base/must.h"
#include "daemon/prove_attempts.h"
#include "daemon/roles.h"
#include "scan/wire.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/slab.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTEMPT_TIME_MS 5000u

static const char message_text[] = "From: a@example.org\r\nTo: b@example.org\r\nSubject: the double's own message\r\n\r\nbody\r\n";

/* ---- in the double ---- */

__attribute__((noreturn)) static void be_double(const struct supervisor *s, struct role_start *start, const struct attempt *attempt,
                                                struct attempt_target *target, int32_t parent)
{
	struct fault fault = { 0 };

	/* Like the real one, it ignores what its own descriptors cannot tell; reports on standard error would only confuse. */
	if (role_begin(start, &s->user, parent, &fault) != RC_OK || !role_close_box(start))
		_exit(ATTEMPT_NO_BOX);
	_exit(attempt->run(target));
}

/* ---- in the supervisor ---- */

/* Its wait status; a double that hangs is killed. */
static int wait_for(pid_t pid)
{
	const uint64_t until_ms = clock_mono_ms() + ATTEMPT_TIME_MS;
	int            status = 0;

	for (;;) {
		const pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return status;
		if (got < 0)
			return ATTEMPT_NO_BOX << 8;
		if (clock_mono_ms() > until_ms)
			(void)kill(pid, SIGKILL);
		clock_sleep_ms(1);
	}
}

/* A double holds what the real role holds, but channels of its own: it must not speak in the real one's name. */
static pid_t fork_double(const struct supervisor *s, const struct child *child, const struct attempt *attempt,
                         struct attempt_target *target, int channel)
{
	struct role_start start = child_start_of(s, child);
	const int32_t     parent = getpid();

	start.scan_count = 1;
	start.scan_channels[0] = channel;
	start.control = target->own_slab;
	target->channel = channel;
	target->journal_dir = start.journal_dir;
	const pid_t pid = fork();
	if (pid == 0)
		be_double(s, &start, attempt, target, parent);
	return pid;
}

static const char *word_of(int status, bool held)
{
	if (sandbox_is_breach(status))
		return "killed by the kernel";
	if (WIFEXITED(status) && WEXITSTATUS(status) == ATTEMPT_REFUSED)
		return "refused by the kernel";
	if (WIFEXITED(status) && WEXITSTATUS(status) == ATTEMPT_NO_BOX)
		return "NOT TRIED: the box could not be closed";
	return held ? "held" : "SUCCEEDED";
}

static void tell_result(const struct child *child, const struct attempt *attempt, const char *result, bool held,
                        void (*tell)(void *context, struct slice line), void *context)
{
	struct buf line = buf_make(300);

	buf_printf(&line, "%-8s %-44s %-8s %s", role_word(child->role), attempt->name, held ? "ok" : "FAILED", result);
	tell(context, buf_slice(&line));
	buf_done(&line);
	if (held)
		log_notice(LOG_EVENT("prove.breach"), LOG_STR("which", role_word(child->role)), LOG_STR("attempt", attempt->name),
		           LOG_STR("result", result));
	else
		log_error(LOG_EVENT("prove.failed"), LOG_STR("which", role_word(child->role)), LOG_STR("attempt", attempt->name),
		          LOG_STR("result", result));
}

/* What a lying scanner sent, read as the gate reads it: nothing of it may pass. */
static bool lies_are_refused(int channel, const struct attempt_target *target)
{
	static uint8_t   room[IPC_FRAME_MAX];
	static uint8_t   memory[SCAN_ARENA_BYTES];
	struct ipc_frame frame;
	struct digest    engine;
	unsigned         frames = 0;

	scan_engine_digest(&target->request.options, &engine);
	for (;;) {
		const enum rc rc = ipc_receive(channel, room, sizeof room, 0, &frame);
		if (rc == RC_CLOSED || rc == RC_AGAIN)
			return frames != 0;
		frames++;
		if (rc != RC_OK)
			continue; /* too large, or with descriptors: dropped before anybody reads it */
		struct arena    arena = arena_on(memory, sizeof memory);
		struct findings findings;
		enum scan_end   end;
		if (scan_answer_decode(frame.bytes, &target->request, &engine, target->message, &arena, &end, &findings, NULL) == RC_OK)
			return false;
	}
}

static bool run_one(const struct supervisor *s, const struct child *child, const struct attempt *attempt,
                    struct attempt_target *target, void (*tell)(void *context, struct slice line), void *context)
{
	int ours = -1, theirs = -1;

	if (ipc_pair(&ours, &theirs) != RC_OK)
		return false;
	const pid_t pid = fork_double(s, child, attempt, target, theirs);
	file_close(&theirs);
	const int   status = pid > 0 ? wait_for(pid) : ATTEMPT_NO_BOX << 8;
	bool        held = sandbox_is_breach(status) || (WIFEXITED(status) && WEXITSTATUS(status) == ATTEMPT_REFUSED);
	const char *result = word_of(status, held);
	if (attempt->lies) {
		/* The attempt itself is lawful: what it sent must not be believed. */
		held = WIFEXITED(status) && WEXITSTATUS(status) == ATTEMPT_DONE && lies_are_refused(ours, target);
		result = held ? "sent, and refused by the gate's decoder" : "BELIEVED";
	}
	file_close(&ours);
	if (tell != NULL)
		tell_result(child, attempt, result, held, tell, context);
	return held;
}

static bool open_slab(struct slice message, struct slab **out)
{
	return slab_open(message.len, out) == RC_OK && slab_append(*out, message) == RC_OK && slab_seal(*out) == RC_OK &&
	       slab_share(*out) == RC_OK;
}

static bool open_target(const struct supervisor *s, struct attempt_target *target, struct slab **own, struct slab **foreign)
{
	*target = (struct attempt_target){
		.supervisor = getpid(), .sibling = s->gate.pid != 0 ? s->gate.pid : getpid(), .own_slab = -1, .foreign_slab = -1,
		.message = slice_of(message_text, sizeof message_text - 1),
		.request = { .id = 4711, .message_bytes = sizeof message_text - 1, .options = { .depth = SCAN_DEPTH_STRUCTURE, .limits = SCAN_LIMITS_STANDARD } },
	};
	if (!open_slab(target->message, own) || !open_slab(SLICE("somebody else's letter"), foreign))
		return false;
	target->own_slab = slab_fd(*own);
	target->foreign_slab = slab_fd(*foreign);
	return true;
}

bool prove_all(const struct supervisor *s, void (*tell)(void *context, struct slice line), void *context)
{
	static const enum role roles[] = { ROLE_GATE, ROLE_RECORDS, ROLE_SCAN };
	struct slab           *own = NULL, *foreign = NULL;
	struct attempt_target  target;
	bool                   all = open_target(s, &target, &own, &foreign);

	if (digest_ready() != RC_OK)
		all = false;
	if (!all)
		tell(context, SLICE("the doubles' messages could not be made"));
	for (size_t i = 0; all && i < sizeof roles / sizeof roles[0]; i++) {
		const struct child child = { .role = roles[i] };
		for (size_t j = 0; j < attempt_count; j++) {
			if ((attempts[j].roles & ATTEMPT_OF(roles[i])) != 0 && !run_one(s, &child, &attempts[j], &target, tell, context))
				all = false;
		}
	}
	slab_close(&own);
	slab_close(&foreign);
	return all;
}

bool prove_at_start(const struct supervisor *s)
{
	static const enum role roles[] = { ROLE_SUPERVISOR, ROLE_GATE, ROLE_RECORDS, ROLE_SCAN };
	const struct attempt  *run_a_program = &attempts[0];

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
		const struct child    child = { .role = roles[i] };
		struct attempt_target target = { .supervisor = getpid(), .sibling = getpid(), .own_slab = -1, .foreign_slab = -1 };
		struct role_start     start = child_start_of(s, &child);
		const int32_t         parent = getpid();
		const pid_t           pid = fork();
		if (pid == 0)
			be_double(s, &start, run_a_program, &target, parent);
		if (pid < 0 || !sandbox_is_breach(wait_for(pid))) {
			log_error(LOG_EVENT("box.unproved"), LOG_STR("which", role_word(roles[i])),
			          LOG_STR("text", "execve could be tried inside this box without dying of it: not starting"));
			return false;
		}
	}
	log_notice(LOG_EVENT("box.proved"), LOG_STR("text", "in each role's box a child tried execve and died of it"));
	return true;
}
