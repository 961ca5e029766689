/* Roles as processes: what each is handed, how its end is told and counted, when it comes back. */
#include "daemon/inside.h"

#include "base/must.h"
#include "daemon/roles.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/slab.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define GATE_WAITS_MS 20u

struct counters_page *child_page(const struct supervisor *s, const struct child *child)
{
	/* 0 supervisor, 1 gate, 2 records, then the scanners. */
	const size_t at = child->role == ROLE_GATE ? 1 : child->role == ROLE_RECORDS ? 2 : 3 + (size_t)child->index;

	must(at < s->page_count);
	return &s->pages[at];
}

struct role_start child_start_of(const struct supervisor *s, const struct child *child)
{
	struct role_start start = {
		.role = child->role, .index = child->index, .generation = s->generation,
		.control = -1, .peer = -1, .commands = -1, .metrics = -1, .journal_dir = -1, .records_dir = -1,
		.pages = s->pages, .page_count = s->page_count,
	};

	switch (child->role) {
	case ROLE_GATE:
		start.listener_count = s->listeners.count;
		memcpy(start.listeners, s->listeners.items, sizeof start.listeners);
		start.scan_count = s->scanner_count;
		memcpy(start.scan_channels, s->scan_ends, sizeof start.scan_channels);
		start.commands = s->commands;
		start.journal_dir = s->journal_dir;
		break;
	case ROLE_RECORDS:
		start.commands = s->questions;
		start.metrics = s->metrics;
		start.journal_dir = s->journal_dir;
		start.records_dir = s->records_dir;
		break;
	case ROLE_SCAN:
		start.memory_max = s->setup.scanner_memory_max;
		break;
	case ROLE_SUPERVISOR:
	case ROLE_COUNT:
		break;
	}
	return start;
}

/* In the new process. Never returns to the supervisor's code. */
__attribute__((noreturn)) static void become_role(const struct supervisor *s, const struct child *child, struct role_start *start,
                                                  int32_t parent)
{
	struct slab *settings = NULL; /* mapped for the life of the process */
	struct fault fault = { 0 };
	enum rc      rc = RC_OK;
	int          status = 1;

	counters_use(child_page(s, child));
	if (start->role == ROLE_GATE)
		rc = setup_map(s->bundle.whole, &settings);
	else if (start->role == ROLE_RECORDS)
		rc = setup_map(s->bundle.public_part, &settings);
	if (settings != NULL)
		start->settings = slab_bytes(settings);
	if (rc == RC_OK)
		rc = role_begin(start, &s->user, parent, &fault);
	if (rc != RC_OK) {
		log_error(LOG_EVENT("role.failed"), LOG_STR("rc", rc_word(rc)), LOG_FAULT(&fault));
		_exit(1);
	}
	if (start->role == ROLE_GATE)
		status = role_gate(start);
	else if (start->role == ROLE_RECORDS)
		status = role_records(start);
	else
		status = role_scan(start);
	_exit(status);
}

static bool fork_role(struct supervisor *s, struct child *child, struct role_start *start)
{
	const int32_t parent = getpid();
	const pid_t   pid = fork();

	if (pid == 0)
		become_role(s, child, start, parent);
	if (pid < 0)
		return false;
	child->pid = pid;
	child->started_ms = clock_mono_ms();
	child->restart_ms = 0;
	child->expected = false;
	child->state = child->role == ROLE_SCAN ? CHILD_UP : CHILD_STARTING;
	log_info(LOG_EVENT("role.started"), LOG_STR("which", role_word(child->role)), LOG_NUMBER("index", child->index),
	         LOG_NUMBER("pid", pid));
	return true;
}

/* Send a channel's end to a role that is there; closes it in any case. */
static void send_end(const struct child *to, enum role_saying word, uint32_t index, int *end)
{
	const struct role_message message = { .word = word, .index = index, .fd = *end };

	if (role_wire_send(to->control, &message) != RC_OK)
		log_warning(LOG_EVENT("control.unheard"), LOG_STR("which", role_word(to->role)), LOG_NUMBER("word", word));
	file_close(end);
}

static bool start_scanner(struct supervisor *s, struct child *child)
{
	struct role_start start = child_start_of(s, child);
	int               theirs = -1;

	file_close(&s->scan_ends[child->index]);
	if (ipc_pair(&s->scan_ends[child->index], &theirs) != RC_OK)
		return false;
	start.scan_channels[0] = theirs;
	start.scan_count = 1;
	const bool made = fork_role(s, child, &start);
	file_close(&theirs);
	if (made && s->gate.state != CHILD_DOWN)
		send_end(&s->gate, ROLE_SAYS_SCANNER, child->index, &s->scan_ends[child->index]);
	return made;
}

/* One role with a control channel and an end of the channel between gate and records. */
static bool start_serving_role(struct supervisor *s, struct child *child, int *own_end, int *other_end, const struct child *other)
{
	struct role_start start = child_start_of(s, child);
	int               theirs = -1;
	bool              made = ipc_pair(&child->control, &theirs) == RC_OK;

	if (made && *own_end < 0)
		made = ipc_pair(own_end, other_end) == RC_OK;
	if (made) {
		start.control = theirs;
		start.peer = *own_end;
		made = fork_role(s, child, &start);
	}
	file_close(&theirs);
	file_close(own_end);
	if (!made)
		file_close(&child->control);
	else if (*other_end >= 0 && other->state != CHILD_DOWN)
		send_end(other, ROLE_SAYS_PEER, 0, other_end);
	return made;
}

static bool start_child(struct supervisor *s, struct child *child)
{
	if (child->role == ROLE_SCAN)
		return start_scanner(s, child);
	if (child->role == ROLE_RECORDS)
		return start_serving_role(s, child, &s->records_peer, &s->gate_peer, &s->gate);
	const bool made = start_serving_role(s, child, &s->gate_peer, &s->records_peer, &s->records);
	/* The gate has its own copies of the ends now; ours would keep a dead channel open. */
	for (size_t i = 0; i < s->scanner_count && made; i++)
		file_close(&s->scan_ends[i]);
	return made;
}

bool children_start(struct supervisor *s)
{
	s->gate = (struct child){ .role = ROLE_GATE, .control = -1 };
	s->records = (struct child){ .role = ROLE_RECORDS, .control = -1 };
	for (size_t i = 0; i < s->scanner_count; i++) {
		s->scanners[i] = (struct child){ .role = ROLE_SCAN, .index = (uint32_t)i, .control = -1 };
		if (!start_child(s, &s->scanners[i]))
			return false;
	}
	return start_child(s, &s->records) && start_child(s, &s->gate);
}

bool children_ready(const struct supervisor *s)
{
	return s->gate.state == CHILD_UP && s->records.state == CHILD_UP;
}

static uint64_t restart_one(struct supervisor *s, struct child *child, uint64_t now_ms)
{
	if (child->restart_ms == 0 || child->state != CHILD_DOWN)
		return UINT64_MAX;
	if (child->restart_ms > now_ms)
		return child->restart_ms - now_ms;
	if (!start_child(s, child)) {
		log_error(LOG_EVENT("role.not_started"), LOG_STR("which", role_word(child->role)));
		child->restart_ms = now_ms + RESTART_MAX_MS;
		return RESTART_MAX_MS;
	}
	return UINT64_MAX;
}

/*
 * A gate is handed a channel to every scanner, so it waits for those of its predecessor to be collected and replaced; their own
 * back-off does not count then. False: not yet, the next SIGCHLD will tell.
 */
static bool scanners_wait_for_gate(struct supervisor *s, uint64_t now_ms)
{
	bool all = true;

	if (s->gate.restart_ms == 0 || s->gate.restart_ms > now_ms || s->gate.state != CHILD_DOWN)
		return true;
	for (size_t i = 0; i < s->scanner_count; i++) {
		if (s->scanners[i].state == CHILD_DOWN)
			s->scanners[i].restart_ms = now_ms;
		else if (s->scan_ends[i] < 0)
			all = false;
	}
	return all;
}

uint64_t children_restart_due(struct supervisor *s)
{
	const uint64_t now_ms = clock_mono_ms();
	uint64_t       next = UINT64_MAX;

	if (!scanners_wait_for_gate(s, now_ms))
		return GATE_WAITS_MS;
	for (size_t i = 0; i < s->scanner_count + 2; i++) {
		/* Scanners first: the gate is handed their channels. */
		struct child  *child = i < s->scanner_count ? &s->scanners[i] : i == s->scanner_count ? &s->records : &s->gate;
		const uint64_t wait = restart_one(s, child, now_ms);
		if (wait < next)
			next = wait;
	}
	return next;
}

static bool is_crash(int status)
{
	if (sandbox_is_breach(status))
		return true;
	if (!WIFSIGNALED(status))
		return false;
	const int number = WTERMSIG(status);
	return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGABRT;
}

/* True when there were too many within the time. */
static bool count_crash(struct supervisor *s, uint64_t now_ms)
{
	const uint64_t oldest = s->crashes_ms[s->crash_next];

	s->crashes_ms[s->crash_next] = now_ms;
	s->crash_next = (s->crash_next + 1) % CRASHES_MAX;
	return oldest != 0 && now_ms - oldest < CRASHES_TIME_MS;
}

static void tell_end(const struct child *child, int status)
{
	const char *how = WIFSIGNALED(status) ? "signal" : "exit";
	const int   number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);

	if (sandbox_is_breach(status)) {
		counter_up(COUNT_BOX_BREACHES);
		log_error(LOG_EVENT("box.breach"), LOG_STR("which", role_word(child->role)), LOG_NUMBER("index", child->index),
		          LOG_NUMBER("pid", child->pid), LOG_STR("text", "the kernel killed it for a call outside its box"));
	}
	if (child->expected || status == 0)
		log_info(LOG_EVENT("role.ended"), LOG_STR("which", role_word(child->role)), LOG_NUMBER("index", child->index),
		         LOG_NUMBER("pid", child->pid), LOG_STR("how", how), LOG_NUMBER("number", number));
	else
		log_error(LOG_EVENT("role.ended"), LOG_STR("which", role_word(child->role)), LOG_NUMBER("index", child->index),
		          LOG_NUMBER("pid", child->pid), LOG_STR("how", how), LOG_NUMBER("number", number));
}

static void schedule_restart(struct child *child, uint64_t now_ms)
{
	uint64_t wait_ms = 0;

	if (now_ms - child->started_ms >= LONG_LIFE_MS || child->expected)
		child->short_lives = 0;
	else if (child->short_lives != 0)
		wait_ms = child->short_lives > 8 ? RESTART_MAX_MS : (uint64_t)RESTART_FIRST_MS << (child->short_lives - 1);
	if (!child->expected)
		child->short_lives++;
	child->restart_ms = now_ms + (wait_ms < RESTART_MAX_MS ? wait_ms : RESTART_MAX_MS);
	/* A scanner that ended well lost its channel: most likely the gate is about to be collected, too. */
	if (child->role == ROLE_SCAN && child->let_go)
		child->restart_ms += GATE_WAITS_MS;
	child->restarts++;
	counter_up(COUNT_ROLE_RESTARTS);
}

static void kill_child(struct child *child)
{
	if (child->pid != 0)
		(void)kill(child->pid, SIGKILL);
}

static void ended(struct supervisor *s, struct child *child, int status)
{
	const uint64_t now_ms = clock_mono_ms();

	child->let_go = child->role == ROLE_SCAN && status == 0;
	child->expected = child->expected || child->let_go;
	tell_end(child, status);
	child->pid = 0;
	child->state = CHILD_DOWN;
	file_close(&child->control);
	counters_forget_gauges(child_page(s, child));
	/* The scanners' channels ended with the gate: whatever they still do is for nobody. */
	if (child->role == ROLE_GATE) {
		for (size_t i = 0; i < s->scanner_count; i++) {
			s->scanners[i].expected = true;
			kill_child(&s->scanners[i]);
		}
	}
	/* While the gate drains it still scans; a scanner that ended well was let go. */
	const bool needed = s->drain == DRAIN_NONE || (child->role == ROLE_SCAN && s->drain == DRAIN_GATE && status != 0);
	if (needed)
		schedule_restart(child, now_ms);
	if (is_crash(status) && count_crash(s, now_ms) && s->drain == DRAIN_NONE) {
		log_error(LOG_EVENT("supervisor.crashes"), LOG_NUMBER("crashes", CRASHES_MAX), LOG_NUMBER("within_ms", CRASHES_TIME_MS),
		          LOG_STR("text", "ending, so that everything starts again with a fresh address layout"));
		supervisor_drain(s, 1);
	}
	supervisor_child_gone(s, child);
}

static struct child *child_of(struct supervisor *s, pid_t pid)
{
	if (s->gate.pid == pid)
		return &s->gate;
	if (s->records.pid == pid)
		return &s->records;
	for (size_t i = 0; i < s->scanner_count; i++) {
		if (s->scanners[i].pid == pid)
			return &s->scanners[i];
	}
	return NULL;
}

void children_reap(struct supervisor *s)
{
	for (;;) {
		int           status = 0;
		const pid_t   pid = waitpid(-1, &status, WNOHANG);
		struct child *child = pid > 0 ? child_of(s, pid) : NULL;
		if (pid <= 0)
			return;
		/* One that is nobody's was a reading of the settings; its channel tells how it went. */
		if (child != NULL)
			ended(s, child, status);
	}
}

void children_kill(struct supervisor *s)
{
	kill_child(&s->gate);
	kill_child(&s->records);
	for (size_t i = 0; i < s->scanner_count; i++)
		kill_child(&s->scanners[i]);
}

static void obey(struct supervisor *s, struct child *child, const struct role_message *message)
{
	switch (message->word) {
	case ROLE_SAYS_READY:
		if (child->state == CHILD_STARTING) {
			child->state = CHILD_UP;
			log_notice(LOG_EVENT("role.ready"), LOG_STR("which", role_word(child->role)), LOG_NUMBER("pid", child->pid));
			supervisor_child_up(s, child);
		}
		break;
	case ROLE_SAYS_PREPARED:
	case ROLE_SAYS_REFUSED:
	case ROLE_SAYS_SWITCHED:
		reload_answer(s, child, message);
		break;
	case ROLE_SAYS_SICK:
		log_error(LOG_EVENT("role.sick"), LOG_STR("which", role_word(child->role)), LOG_TEXT("why", message->text));
		break;
	case ROLE_SAYS_KILL:
		if (child->role == ROLE_GATE && message->index < s->scanner_count) {
			log_notice(LOG_EVENT("scanner.killed"), LOG_NUMBER("index", message->index));
			s->scanners[message->index].expected = true;
			kill_child(&s->scanners[message->index]);
		}
		break;
	case ROLE_SAYS_DRAINED:
		child->expected = true;
		break;
	case ROLE_SAYS_PREPARE:
	case ROLE_SAYS_SWITCH:
	case ROLE_SAYS_ABORT:
	case ROLE_SAYS_SCANNER:
	case ROLE_SAYS_PEER:
	case ROLE_SAYS_DRAIN:
	case ROLE_SAYS_END:
		log_warning(LOG_EVENT("control.nonsense"), LOG_STR("which", role_word(child->role)), LOG_NUMBER("word", message->word));
		break;
	}
}

void child_listen(struct supervisor *s, struct child *child)
{
	uint8_t             room[ROLE_WIRE_MAX];
	struct role_message message;
	enum rc             rc = RC_OK;

	/* A role that floods us gets its turn again after the others. */
	for (int i = 0; i < 64 && rc == RC_OK; i++) {
		rc = role_wire_receive(child->control, room, &message);
		if (rc == RC_OK) {
			/* No role sends descriptors; what came is nobody's. */
			file_close(&message.fd);
			for (size_t j = 0; j < message.listener_count; j++)
				file_close(&message.listeners[j].fd);
			obey(s, child, &message);
			/* Its own answer may have ended it. */
			if (child->control < 0)
				return;
		}
	}
	if (rc == RC_OK || rc == RC_AGAIN)
		return;
	if (rc != RC_CLOSED)
		log_error(LOG_EVENT("control.broken"), LOG_STR("which", role_word(child->role)), LOG_STR("rc", rc_word(rc)));
	/* Deaf to us is as good as dead: end it; its replacement hears. */
	file_close(&child->control);
	if (rc != RC_CLOSED)
		kill_child(child);
}
