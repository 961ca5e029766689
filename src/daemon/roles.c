/* What all roles do between the fork and their own body. */
#include "daemon/roles.h"

#include "base/must.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/threads.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* No role can do what this cannot: it is inherited. Without paths: it reads certificates wherever they lie. */
const struct sandbox supervisor_box = {
	.role = "supervisor",
	.calls = SANDBOX_CALLS_SUPERVISE | SANDBOX_CALLS_FILES | SANDBOX_CALLS_SLABS | SANDBOX_CALLS_LOOPS | SANDBOX_CALLS_THREADS,
	.network = SANDBOX_NET_BIND, .paths = SANDBOX_NO_PATHS, .core_dump = false,
};

struct sandbox role_box(const struct role_start *start, struct sandbox_path paths[ROLE_PATHS_MAX])
{
	struct sandbox box = supervisor_box;

	switch (start->role) {
	case ROLE_GATE:
		box = gate_box;
		paths[0] = (struct sandbox_path){ .handle = start->journal_dir, .write = true };
		box.paths = paths;
		box.path_count = 1;
		break;
	case ROLE_RECORDS:
		box = records_box;
		paths[0] = (struct sandbox_path){ .handle = start->journal_dir, .write = false };
		paths[1] = (struct sandbox_path){ .handle = start->records_dir, .write = true };
		box.paths = paths;
		box.path_count = 2;
		break;
	case ROLE_SCAN:
		box = scan_box;
		box.memory_max = start->memory_max;
		break;
	case ROLE_SUPERVISOR:
	case ROLE_COUNT:
		break;
	}
	return box;
}

/* The supervisor gives the orders; a terminal's interrupt or a manager's signal to the whole group must not end us beneath it. */
static void set_signals(void)
{
	static const int deaf[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2 };
	sigset_t         none;

	for (size_t i = 0; i < sizeof deaf / sizeof deaf[0]; i++)
		(void)signal(deaf[i], SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	must(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

static void keep_own(const struct role_start *start)
{
	int    keep[FILE_KEEP_MAX];
	size_t count = 0;
	const int single[] = { start->control, start->peer, start->commands, start->metrics, start->journal_dir, start->records_dir,
		               log_descriptor() };

	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
		keep[count++] = single[i];
	for (size_t i = 0; i < start->listener_count; i++)
		keep[count++] = start->listeners[i].fd;
	for (size_t i = 0; i < start->scan_count; i++)
		keep[count++] = start->scan_channels[i];
	_Static_assert(7 + ROLE_LISTENERS_MAX + ROLE_SCANNERS_MAX <= FILE_KEEP_MAX, "all of them fit");
	file_keep_only(keep, count);
}

enum rc role_begin(const struct role_start *start, const struct sandbox_user *user, int32_t parent, struct fault *fault)
{
	static const char *const names[ROLE_COUNT] = { "hangud", "hangu-gate", "hangu-records", "hangu-scan" };

	thread_name(names[start->role]);
	log_role(role_word(start->role));
	set_signals();
	keep_own(start);
	const enum rc rc = sandbox_become(user, fault);
	if (rc != RC_OK)
		return rc;
	/* Without the supervisor nobody would replace what breaks; and a successor must find ports and journal free. After the
	 * change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return fault_set(fault, RC_IO, "asking to end with the supervisor", errno, 0);
	if (getppid() != parent)
		return fault_set(fault, RC_CLOSED, "the supervisor has gone", 0, 0);
	return RC_OK;
}

bool role_close_box(const struct role_start *start)
{
	struct sandbox_path   paths[ROLE_PATHS_MAX];
	struct sandbox_report report = { 0 };
	struct fault          fault = { 0 };
	const struct sandbox  box = role_box(start, paths);

	if (sandbox_enter(&box, NULL, &report, &fault) != RC_OK) {
		log_error(LOG_EVENT("box.failed"), LOG_FAULT(&fault));
		return false;
	}
	log_debug(LOG_EVENT("box.closed"), LOG_NUMBER("landlock", report.landlock_abi), LOG_STR("missing", report.missing));
	return true;
}
