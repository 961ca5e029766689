/* One generation: load, fork, mend. */
#include "clamav/loader.h"

#include "clamav/folder.h"
#include "clamav/scanner.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/sandbox.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHY_MAX       2000u
#define REST_MIN_MS   100u   /* before a scanner that ended is replaced, doubled each time */
#define REST_MAX_MS   30000u
#define GOOD_AFTER_MS 60000u /* one that lived so long ended for another reason than its start */

struct place {
	pid_t    pid; /* 0: empty */
	uint64_t began_ms;
	uint64_t next_ms;
	uint64_t rest_ms;
};

struct loader {
	const struct loader_options *options;
	struct engine               *engine;
	struct place                 places[LOADER_SCANNERS_MAX];
};

static volatile sig_atomic_t ending;

static void on_signal(int number)
{
	if (number == SIGTERM)
		ending = 1;
}

/* In the child. */
static int scan(struct loader *loader, const struct folder *folder)
{
	if (engine_temporary(loader->engine, folder->path) != RC_OK)
		return 1;
	return scanner_run(loader->engine, loader->options->listener, folder->handle, loader->options->memory_max);
}

static void begin_scanner(struct loader *loader, struct place *place)
{
	const pid_t   parent = getpid();
	struct folder folder;
	const enum rc rc = folder_make(loader->options->engine.temporary, parent, (unsigned)(place - loader->places), &folder);
	const pid_t   pid = rc == RC_OK ? fork() : -1;

	if (pid == 0) {
		/* Without the loader nobody would replace it, or tell it to go. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
			_exit(1);
		log_role("av-scan");
		_exit(scan(loader, &folder));
	}
	folder_close(&folder);
	place->began_ms = clock_mono_ms();
	if (pid > 0) {
		place->pid = pid;
		return;
	}
	place->next_ms = place->began_ms + REST_MAX_MS;
	log_error(LOG_EVENT("av.scanner_failed"), LOG_STR("text", "no room for a process, or for its folder"), LOG_STR("rc", rc_word(rc)));
}

static void ended(struct loader *loader, pid_t pid, int status)
{
	const uint64_t now = clock_mono_ms();

	for (unsigned i = 0; i < loader->options->scanners; i++) {
		struct place *place = &loader->places[i];

		if (place->pid != pid)
			continue;
		place->pid = 0;
		if (now - place->began_ms >= GOOD_AFTER_MS || place->rest_ms == 0)
			place->rest_ms = REST_MIN_MS;
		else
			place->rest_ms = place->rest_ms * 2 < REST_MAX_MS ? place->rest_ms * 2 : REST_MAX_MS;
		place->next_ms = now + place->rest_ms;
	}
	if (ending)
		return;
	if (sandbox_is_breach(status))
		log_error(LOG_EVENT("box.breach"), LOG_NUMBER("pid", pid), LOG_STR("text", "the kernel killed it for a call outside its box"));
	log_warning(LOG_EVENT("av.scanner_ended"), LOG_NUMBER("pid", pid), LOG_STR("how", WIFSIGNALED(status) ? "signal" : "exit"),
	            LOG_NUMBER("number", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
}

/* Until all are gone when `all`, else only those that are. */
static void reap(struct loader *loader, bool all)
{
	int   status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, all ? 0 : WNOHANG)) > 0)
		ended(loader, pid, status);
}

static void mend(struct loader *loader)
{
	for (unsigned i = 0; i < loader->options->scanners; i++)
		if (loader->places[i].pid == 0 && clock_mono_ms() >= loader->places[i].next_ms)
			begin_scanner(loader, &loader->places[i]);
}

/* A child's end or a second, whichever comes first. */
static void rest(void)
{
	const struct timespec second = { .tv_sec = 1 };
	sigset_t              none;

	(void)sigemptyset(&none);
	(void)ppoll(NULL, 0, &second, &none);
}

static bool load(struct loader *loader)
{
	struct buf          why = buf_make(WHY_MAX);
	struct av_answer    says = { .id = 0 };
	struct loader_ready ready;
	const enum rc       rc = engine_load(&loader->options->engine, &why, &loader->engine);
	bool                good = rc == RC_OK && engine_check(loader->engine);

	if (rc != RC_OK)
		log_error(LOG_EVENT("av.load_failed"), LOG_TEXT("why", buf_slice(&why)), LOG_STR("rc", rc_word(rc)));
	else if (!good)
		log_error(LOG_EVENT("av.load_failed"), LOG_STR("why", "the canary is not found: is the folder for temporary files full?"));
	buf_done(&why);
	if (!good)
		return false;
	engine_describe(loader->engine, &says);
	ready = (struct loader_ready){ .signatures = says.signature_count, .database = says.database, .database_s = says.database_s };
	return write(loader->options->ready, &ready, sizeof ready) == (ssize_t)sizeof ready;
}

int loader_run(const struct loader_options *options)
{
	static struct loader   loader; /* one a process */
	const struct sigaction heard = { .sa_handler = on_signal };
	sigset_t               held;

	loader = (struct loader){ .options = options };
	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGTERM);
	(void)sigaddset(&held, SIGCHLD);
	(void)sigprocmask(SIG_SETMASK, &held, NULL);
	(void)sigaction(SIGTERM, &heard, NULL);
	(void)sigaction(SIGCHLD, &heard, NULL);
	if (!load(&loader))
		return 1;
	while (!ending) {
		reap(&loader, false);
		mend(&loader);
		rest();
	}
	for (unsigned i = 0; i < options->scanners; i++)
		if (loader.places[i].pid != 0)
			(void)kill(loader.places[i].pid, SIGTERM);
	reap(&loader, true);
	for (unsigned i = 0; i < options->scanners; i++)
		folder_remove(options->engine.temporary, getpid(), i);
	engine_drop(&loader.engine);
	return 0;
}
