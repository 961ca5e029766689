/* From the settings to the running gateway, and its end. */
#include "daemon/supervisor.h"

#include "base/digest.h"
#include "base/must.h"
#include "daemon/inside.h"
#include "daemon/notify.h"
#include "daemon/roles.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAKEOVER_GRACE_MS 20000u
#define PREDECESSOR_MS    3000u
#define DESCRIPTORS_WANTED (1u << 20)
#define DESCRIPTORS_FEW    16384u

/* Problems of the start are for the person who started us: each line of `why` as an event. */
static void tell_lines(const char *event_is_settings, struct slice why)
{
	while (why.len != 0) {
		const struct slice line = slice_until(&why, '\n');
		if (line.len != 0)
			log_error(LOG_EVENT("settings.wrong"), LOG_STR("file", event_is_settings), LOG_TEXT("text", line));
	}
}

void supervisor_tell_notes(const struct supervisor *s, struct slice notes)
{
	while (notes.len != 0) {
		const struct slice line = slice_until(&notes, '\n');
		if (line.len != 0)
			log_notice(LOG_EVENT("settings.note"), LOG_STR("file", s->settings_path), LOG_TEXT("text", line));
	}
}

/* ---- directories and sockets ---- */

static enum rc make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return file_rc(errno);
	return RC_OK;
}

/* What roles write belongs to the user they become. */
static enum rc give_to_user(const struct supervisor *s, int dir)
{
	if (s->user.change && fchown(dir, s->user.uid, s->user.gid) != 0)
		return file_rc(errno);
	return RC_OK;
}

static enum rc open_below(const struct supervisor *s, int dir, const char *name, int *out)
{
	enum rc rc = file_dir_make(dir, name);

	if (rc == RC_OK || rc == RC_EXISTS)
		rc = file_dir_open_below(dir, name, out);
	return rc == RC_OK ? give_to_user(s, *out) : rc;
}

static enum rc open_directories(struct supervisor *s)
{
	int     state = -1;
	enum rc rc = make_directory(s->setup.state, 0750);

	if (rc == RC_OK)
		rc = file_dir_open(s->setup.state, &state);
	if (rc == RC_OK)
		rc = give_to_user(s, state);
	if (rc == RC_OK)
		rc = open_below(s, state, "journal", &s->journal_dir);
	if (rc == RC_OK)
		rc = open_below(s, state, "records", &s->records_dir);
	file_close(&state);
	if (rc != RC_OK) {
		log_error(LOG_EVENT("state.failed"), LOG_STR("directory", s->setup.state), LOG_STR("rc", rc_word(rc)));
		return rc;
	}
	rc = make_directory(s->setup.run, 0750);
	if (rc == RC_OK)
		rc = file_dir_open(s->setup.run, &s->run_dir);
	if (rc == RC_OK)
		rc = give_to_user(s, s->run_dir);
	if (rc != RC_OK)
		log_error(LOG_EVENT("run.failed"), LOG_STR("directory", s->setup.run), LOG_STR("rc", rc_word(rc)));
	return rc;
}

/* Nobody but root and the roles' user may connect; SO_PEERCRED is asked besides. */
static enum rc bind_control(const struct supervisor *s, const char *name, int *out)
{
	enum rc rc = ipc_listen(s->run_dir, name, 0600, out);

	if (rc == RC_OK && s->user.change && fchownat(s->run_dir, name, s->user.uid, s->user.gid, AT_SYMLINK_NOFOLLOW) != 0)
		rc = file_rc(errno);
	if (rc != RC_OK)
		log_error(LOG_EVENT("control.failed"), LOG_STR("socket", name), LOG_STR("rc", rc_word(rc)));
	return rc;
}

static bool bind_controls(struct supervisor *s)
{
	return bind_control(s, "supervisor.sock", &s->asks) == RC_OK && bind_control(s, "control.sock", &s->commands) == RC_OK &&
	       bind_control(s, "records.sock", &s->questions) == RC_OK;
}

/* Somebody who answers on our own socket would lose it to us without a word. */
static bool somebody_runs(const struct supervisor *s)
{
	int socket = -1;

	if (ipc_connect_below(s->run_dir, "supervisor.sock", &socket) != RC_OK)
		return false;
	file_close(&socket);
	log_error(LOG_EVENT("supervisor.running"), LOG_STR("directory", s->setup.run),
	          LOG_STR("text", "another hangud runs here; --takeover would take its place"));
	return true;
}

/* ---- the start ---- */

static bool take_over(struct supervisor *s, struct listeners *taken)
{
	struct fault fault = { 0 };
	int          connection = -1;
	enum rc      rc = takeover_ask(s->run_dir, taken, &connection, &fault);

	if (rc == RC_NOTFOUND || rc == RC_CLOSED) {
		log_notice(LOG_EVENT("takeover.nobody"), LOG_STR("text", "no hangud runs here; starting as usual"));
		return true;
	}
	if (rc != RC_OK) {
		log_error(LOG_EVENT("takeover.refused"), LOG_FAULT(&fault));
		return false;
	}
	log_notice(LOG_EVENT("takeover.sockets"), LOG_NUMBER("listeners", taken->count));
	/* It has its own drain time, which its settings say; ours is the best guess of it. */
	rc = takeover_wait(connection, s->setup.drain_ms + DRAIN_GRACE_MS + TAKEOVER_GRACE_MS);
	file_close(&connection);
	if (rc != RC_OK)
		log_error(LOG_EVENT("takeover.late"), LOG_STR("text", "the old hangud has not ended in its time"));
	return rc == RC_OK;
}

static bool open_listeners(struct supervisor *s, struct listeners *taken)
{
	struct buf     why = buf_make(512);
	const uint64_t until_ms = clock_mono_ms() + PREDECESSOR_MS;
	enum rc        rc = listeners_open(s->setup.listeners, s->setup.listener_count, taken, &s->listeners, &why);

	/* After a kill of the supervisor its roles end with it, but not in the same moment. */
	while (rc == RC_EXISTS && clock_mono_ms() < until_ms) {
		clock_sleep_ms(50);
		buf_clear(&why);
		rc = listeners_open(s->setup.listeners, s->setup.listener_count, taken, &s->listeners, &why);
	}
	if (rc == RC_OK && s->setup.metrics[0] != '\0') {
		for (size_t i = 0; i < taken->count && s->metrics < 0; i++) {
			if (strcmp(taken->items[i].name, "@metrics") == 0 && strcmp(taken->items[i].address, s->setup.metrics) == 0)
				s->metrics = fcntl(taken->items[i].fd, F_DUPFD_CLOEXEC, 3);
		}
		if (s->metrics < 0)
			rc = listeners_bind(s->setup.metrics, true, &s->metrics, &why);
	}
	listeners_close(taken);
	if (rc != RC_OK)
		log_error(LOG_EVENT("listener.failed"), LOG_TEXT("why", buf_slice(&why)), LOG_STR("rc", rc_word(rc)));
	for (size_t i = 0; rc == RC_OK && i < s->listeners.count; i++)
		log_notice(LOG_EVENT("listener.bound"), LOG_STR("listener", s->listeners.items[i].name),
		           LOG_STR("address", s->listeners.items[i].address));
	buf_done(&why);
	return rc == RC_OK;
}

static bool find_user(struct supervisor *s)
{
	s->user = (struct sandbox_user){ .change = false };
	if (geteuid() != 0 || s->setup.user[0] == '\0')
		return true;
	if (sandbox_user_find(s->setup.user, &s->user) != RC_OK) {
		log_error(LOG_EVENT("user.unknown"), LOG_STR("user", s->setup.user),
		          LOG_STR("text", "there is no such account; make it, or name another one as user in [gateway]"));
		return false;
	}
	if (s->user.uid == 0)
		log_warning(LOG_EVENT("user.root"), LOG_STR("text", "the roles keep root's name; all its capabilities are given up"));
	return true;
}

/* Sessions are descriptors: take as many as root may, else as the hard limit gives. Before the box, which only lowers. */
static void raise_descriptors(void)
{
	struct rlimit       now;
	const struct rlimit wanted = { .rlim_cur = DESCRIPTORS_WANTED, .rlim_max = DESCRIPTORS_WANTED };

	if (geteuid() == 0 && setrlimit(RLIMIT_NOFILE, &wanted) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &now) != 0)
		return;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur < DESCRIPTORS_FEW)
		log_warning(LOG_EVENT("limit.descriptors"), LOG_NUMBER("limit", now.rlim_cur),
		            LOG_STR("text", "each session needs a descriptor; raise LimitNOFILE"));
}

static bool open_signals(struct supervisor *s)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals >= 0;
}

static bool close_own_box(void)
{
	struct sandbox_report report = { 0 };
	struct fault          fault = { 0 };

	if (sandbox_enter(&supervisor_box, NULL, &report, &fault) != RC_OK) {
		log_error(LOG_EVENT("box.failed"), LOG_FAULT(&fault));
		return false;
	}
	if (report.degraded)
		log_warning(LOG_EVENT("box.degraded"), LOG_NUMBER("landlock", report.landlock_abi), LOG_STR("missing", report.missing));
	else
		log_notice(LOG_EVENT("box.closed"), LOG_NUMBER("landlock", report.landlock_abi));
	if (sandbox_word()[0] != '\0')
		log_warning(LOG_EVENT("box.wider"), LOG_STR("text", sandbox_word()));
	return true;
}

static bool start(struct supervisor *s, const struct supervisor_options *options)
{
	struct listeners taken = { .count = 0 };

	if (!find_user(s) || open_directories(s) != RC_OK)
		return false;
	if (options->takeover ? !take_over(s, &taken) : somebody_runs(s))
		return false;
	raise_descriptors();
	if (!open_listeners(s, &taken) || !bind_controls(s) || !open_signals(s))
		return false;
	s->scanner_count = s->setup.scanner_count;
	s->page_count = 3 + s->scanner_count;
	if (counters_make(s->page_count, &s->pages) != RC_OK)
		return false;
	counters_use(&s->pages[0]);
	gauge_set(GAUGE_START_SECONDS, (int64_t)(clock_wall_ms() / 1000));
	if (options->name_breaches)
		sandbox_name_breaches();
	if (!prove_at_start(s) || !close_own_box())
		return false;
	return children_start(s);
}

/* ---- the end ---- */

void supervisor_drain(struct supervisor *s, int exit_status)
{
	const struct role_message drain = { .word = ROLE_SAYS_DRAIN, .deadline_ms = s->setup.drain_ms, .fd = -1 };

	if (s->drain != DRAIN_NONE)
		return;
	log_notice(LOG_EVENT("supervisor.drain"), LOG_NUMBER("deadline_ms", s->setup.drain_ms));
	notify_send("STOPPING=1");
	s->exit_status = exit_status;
	s->drain = DRAIN_GATE;
	s->drain_deadline_ms = clock_mono_ms() + s->setup.drain_ms + DRAIN_GRACE_MS;
	s->gate.restart_ms = 0;
	s->records.restart_ms = 0;
	if (s->gate.pid == 0 || s->gate.control < 0 || role_wire_send(s->gate.control, &drain) != RC_OK) {
		if (s->gate.pid != 0)
			(void)kill(s->gate.pid, SIGKILL);
		else
			supervisor_child_gone(s, &s->gate);
	}
}

static void drain_records(struct supervisor *s)
{
	const struct role_message drain = { .word = ROLE_SAYS_DRAIN, .deadline_ms = RECORDS_DRAIN_MS, .fd = -1 };

	s->drain = DRAIN_RECORDS;
	s->drain_deadline_ms = clock_mono_ms() + RECORDS_DRAIN_MS + 1000;
	for (size_t i = 0; i < s->scanner_count; i++) {
		s->scanners[i].restart_ms = 0;
		s->scanners[i].expected = true;
		if (s->scanners[i].pid != 0)
			(void)kill(s->scanners[i].pid, SIGKILL);
	}
	if (s->records.pid == 0)
		s->drain = DRAIN_DONE;
	else if (s->records.control < 0 || role_wire_send(s->records.control, &drain) != RC_OK)
		(void)kill(s->records.pid, SIGKILL);
}

void supervisor_child_gone(struct supervisor *s, struct child *child)
{
	reload_lost(s, child);
	if (s->drain == DRAIN_GATE && child->role == ROLE_GATE)
		drain_records(s);
	else if (s->drain == DRAIN_RECORDS && child->role == ROLE_RECORDS)
		s->drain = DRAIN_DONE;
	/* What cannot start the first time would not start the second time either: tell whoever started us, at once. */
	if (!s->serving && s->drain == DRAIN_NONE && child->role != ROLE_SCAN) {
		log_error(LOG_EVENT("supervisor.start_failed"), LOG_STR("which", role_word(child->role)));
		s->exit_status = 1;
		s->drain = DRAIN_DONE;
	}
}

void supervisor_child_up(struct supervisor *s, struct child *child)
{
	(void)child;
	if (!children_ready(s))
		return;
	reload_go_on(s);
	if (s->serving)
		return;
	s->serving = true;
	log_notice(LOG_EVENT("supervisor.serving"), LOG_NUMBER("listeners", s->listeners.count), LOG_NUMBER("scanners", s->scanner_count));
	notify_send("READY=1\nSTATUS=serving");
}

static void drain_time(struct supervisor *s, uint64_t now_ms)
{
	if (s->drain == DRAIN_NONE || s->drain == DRAIN_DONE || now_ms < s->drain_deadline_ms)
		return;
	log_warning(LOG_EVENT("supervisor.drain_late"), LOG_STR("which", s->drain == DRAIN_GATE ? "gate" : "records"));
	if (s->drain == DRAIN_GATE && s->gate.pid != 0)
		(void)kill(s->gate.pid, SIGKILL);
	else if (s->records.pid != 0)
		(void)kill(s->records.pid, SIGKILL);
	s->drain_deadline_ms = now_ms + 1000;
}

/* ---- the loop ---- */

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			children_reap(s);
			break;
		case SIGHUP:
			reload_begin(s);
			break;
		default:
			supervisor_drain(s, 0);
			break;
		}
	}
}

/* Everything we listen to, in one fixed order. A descriptor of -1 is skipped by poll(). */
enum { WATCH_SIGNALS, WATCH_ASKS, WATCH_GATE, WATCH_RECORDS, WATCH_READING, WATCH_ASKER, WATCH_COUNT = WATCH_ASKER + ASKERS_MAX };

static void watch(const struct supervisor *s, struct pollfd fds[WATCH_COUNT])
{
	fds[WATCH_SIGNALS].fd = s->signals;
	fds[WATCH_ASKS].fd = s->asks;
	fds[WATCH_GATE].fd = s->gate.control;
	fds[WATCH_RECORDS].fd = s->records.control;
	fds[WATCH_READING].fd = s->reload.stage == RELOAD_READING ? s->reload.reading.channel : -1;
	for (size_t i = 0; i < ASKERS_MAX; i++)
		fds[WATCH_ASKER + i].fd = s->askers[i].waits ? -1 : s->askers[i].fd;
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
}

static int timeout_of(const struct supervisor *s, uint64_t restart_wait_ms)
{
	const uint64_t now_ms = clock_mono_ms();
	uint64_t       wait = restart_wait_ms;
	uint64_t       until = UINT64_MAX;

	if (s->drain != DRAIN_NONE)
		until = s->drain_deadline_ms;
	if (s->reload.stage != RELOAD_NONE && s->reload.deadline_ms < until)
		until = s->reload.deadline_ms;
	if (until != UINT64_MAX && (until <= now_ms || until - now_ms < wait))
		wait = until <= now_ms ? 0 : until - now_ms;
	return wait > 60000 ? 60000 : (int)wait;
}

static void serve(struct supervisor *s)
{
	struct pollfd fds[WATCH_COUNT];

	while (s->drain != DRAIN_DONE) {
		const uint64_t restart_wait_ms = children_restart_due(s);
		watch(s, fds);
		const int count = poll(fds, WATCH_COUNT, timeout_of(s, restart_wait_ms));
		must(count >= 0 || errno == EINTR);
		if (count > 0) {
			/* Words first, then ends: a role's last word counts. */
			if (fds[WATCH_GATE].revents != 0 && s->gate.control == fds[WATCH_GATE].fd)
				child_listen(s, &s->gate);
			if (fds[WATCH_RECORDS].revents != 0 && s->records.control == fds[WATCH_RECORDS].fd)
				child_listen(s, &s->records);
			if (fds[WATCH_READING].revents != 0)
				reload_read(s);
			if (fds[WATCH_SIGNALS].revents != 0)
				take_signals(s);
			for (size_t i = 0; i < ASKERS_MAX; i++) {
				if (fds[WATCH_ASKER + i].revents != 0 && s->askers[i].fd == fds[WATCH_ASKER + i].fd)
					asks_read(s, &s->askers[i]);
			}
			if (fds[WATCH_ASKS].revents != 0)
				asks_accept(s);
		}
		const uint64_t now_ms = clock_mono_ms();
		reload_time(s, now_ms);
		drain_time(s, now_ms);
	}
}

static void finish(struct supervisor *s)
{
	static const char *const names[] = { "supervisor.sock", "control.sock", "records.sock" };

	children_kill(s);
	/* A successor has these names next; only without one are they ours to take away. */
	for (size_t i = 0; s->run_dir >= 0 && s->asks >= 0 && s->successor < 0 && i < sizeof names / sizeof names[0]; i++) {
		if (file_remove(s->run_dir, names[i]) == RC_IO)
			log_warning(LOG_EVENT("control.left"), LOG_STR("socket", names[i]));
	}
	log_notice(LOG_EVENT("supervisor.end"), LOG_NUMBER("status", s->exit_status));
}

/* The notes come when the log is as the settings want it, except for --check, which ends before. */
static bool read_settings(struct supervisor *s, const struct supervisor_options *options)
{
	struct buf    why = buf_make(SETUP_WHY_MAX);
	const enum rc rc = setup_read(options->settings_path, &s->bundle, &s->setup, &why);

	if (rc == RC_OK && !options->check)
		log_open(s->setup.log_form, s->setup.log_least);
	if (rc == RC_OK)
		supervisor_tell_notes(s, buf_slice(&why));
	else
		tell_lines(options->settings_path, buf_slice(&why));
	buf_done(&why);
	return rc == RC_OK;
}

int supervisor_run(const struct supervisor_options *options)
{
	static struct supervisor s = {
		.bundle = { -1, -1 }, .generation = 1, .metrics = -1, .run_dir = -1, .journal_dir = -1, .records_dir = -1, .asks = -1,
		.commands = -1, .questions = -1, .signals = -1, .gate_peer = -1, .records_peer = -1, .successor = -1,
		.gate = { .control = -1 }, .records = { .control = -1 }, .exit_status = 0,
		.reload = { .bundle = { -1, -1 }, .reading = { .channel = -1 }, .metrics = -1 },
	};

	s.settings_path = options->settings_path;
	for (size_t i = 0; i < ASKERS_MAX; i++)
		s.askers[i].fd = -1;
	for (size_t i = 0; i < ROLE_SCANNERS_MAX; i++)
		s.scan_ends[i] = -1;
	(void)umask(077);
	log_role(role_word(ROLE_SUPERVISOR));
	/* Before any box, and for all who are forked from us. */
	if (digest_ready() != RC_OK) {
		log_error(LOG_EVENT("digest.missing"), LOG_STR("text", "libcrypto has no SHA-256"));
		return 1;
	}
	if (!read_settings(&s, options))
		return 1;
	if (options->check) {
		log_notice(LOG_EVENT("settings.good"), LOG_STR("file", options->settings_path));
		return 0;
	}
	notify_open();
	log_notice(LOG_EVENT("supervisor.start"), LOG_STR("version", HANGU_VERSION), LOG_STR("settings", options->settings_path));
	if (!start(&s, options)) {
		children_kill(&s);
		return 1;
	}
	serve(&s);
	finish(&s);
	return s.exit_status;
}
