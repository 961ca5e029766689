/*
 * hangu-av: a second engine beside the gateway, libclamav in a program and a package of its own.
 *
 * The front holds the listening socket and parses nothing: it starts a loader (one generation of signatures), and when
 * SIGHUP comes or the signatures on disk have changed, another one; the old one goes when the new one is ready. A new
 * one that cannot load leaves the old one in service.
 */
#include "clamav/folder.h"
#include "clamav/loader.h"

#include "base/num.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS       60000u /* how often the folders are looked at */
#define REST_MS       10000u /* before a loader that failed is tried again */
#define STALE_DAYS    7u
#define SOCKET_MODE   0660u
#define NAMES_MAX     100000u
#define DAY_S         86400u

static const char usage[] =
	"usage: hangu-av --socket PATH --temporary DIR [--signatures DIR]... [options]\n"
	"\n"
	"  --socket PATH      where the gateway asks\n"
	"  --temporary DIR    an own, empty folder for what is unpacked; best on a tmpfs\n"
	"  --signatures DIR   a folder of signatures: the vendor's, or your own (.ndb .hdb .hsb .yara); up to 8 of them\n"
	"  --scanners N       processes that scan (as many as processors, 1 to 64)\n"
	"  --memory-max MIB   address space of one of them (4096; 0: no bound)\n"
	"  --stale DAYS       warn when the newest file of signatures is older (7; 0: never)\n"
	"  --user NAME        become this user, when started as root\n"
	"  --check            load the signatures, look for the canary, say what there is, and end\n"
	"  --name-breaches    for finding out what a box lacks: a breach says which call it was\n"
	"  --version, --help\n"
	"\n"
	"SIGHUP loads the signatures anew; changed ones are noticed within a minute.\n";

struct front {
	struct loader_options loader;
	struct sandbox_user   user;
	uint64_t              stale_s;
	bool                  check;
	const char           *socket;
	pid_t                 serving; /* the loader in service, 0: none yet */
	pid_t                 coming;  /* the one that loads, 0: none */
	int                   ready;   /* its pipe's other end */
	uint64_t              again_ms;
	uint64_t              look_ms;
	uint64_t              seen;    /* what the folders looked like when the last loader began */
};

static volatile sig_atomic_t ending, wanted;

static void on_signal(int number)
{
	if (number == SIGHUP)
		wanted = 1;
	else if (number != SIGCHLD)
		ending = 1;
}

/* For builds with a sanitizer: as in daemon/main.c, whose reasons hold here, too. The library keeps what it has taken until the end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:symbolize=0:abort_on_error=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "symbolize=0:print_stacktrace=0:abort_on_error=1";
}

/* ---- command line ---- */

enum { OPTION_SOCKET = 1, OPTION_TEMPORARY, OPTION_SIGNATURES, OPTION_SCANNERS, OPTION_MEMORY, OPTION_STALE, OPTION_USER, OPTION_CHECK, OPTION_BREACHES, OPTION_VERSION, OPTION_HELP };

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "temporary", required_argument, NULL, OPTION_TEMPORARY },
	{ "signatures", required_argument, NULL, OPTION_SIGNATURES },
	{ "scanners", required_argument, NULL, OPTION_SCANNERS },
	{ "memory-max", required_argument, NULL, OPTION_MEMORY },
	{ "stale", required_argument, NULL, OPTION_STALE },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "name-breaches", no_argument, NULL, OPTION_BREACHES },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static bool number_of(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
	return num_u64(slice_str(text), high, out) == RC_OK && *out >= low;
}

/* One option; false: its value is wrong. */
static bool take(struct front *front, int option, const char *value)
{
	struct engine_options *engine = &front->loader.engine;
	uint64_t               number = 0;

	switch (option) {
	case OPTION_SOCKET:
		front->socket = value;
		return true;
	case OPTION_TEMPORARY:
		engine->temporary = value;
		return true;
	case OPTION_SIGNATURES:
		if (engine->folder_count == ENGINE_FOLDERS_MAX)
			return false;
		engine->folders[engine->folder_count++] = value;
		return true;
	case OPTION_SCANNERS:
		if (!number_of(value, 1, LOADER_SCANNERS_MAX, &number))
			return false;
		front->loader.scanners = (unsigned)number;
		return true;
	case OPTION_MEMORY:
		if (!number_of(value, 0, 1u << 20, &number))
			return false;
		front->loader.memory_max = number << 20;
		return true;
	case OPTION_STALE:
		if (!number_of(value, 0, 3650, &number))
			return false;
		front->stale_s = number * DAY_S;
		return true;
	case OPTION_USER:
		return sandbox_user_find(value, &front->user) == RC_OK;
	case OPTION_CHECK:
		front->check = true;
		return true;
	case OPTION_BREACHES:
		sandbox_name_breaches();
		return true;
	default:
		return false;
	}
}

/* -1: go on; else the exit status. */
static int read_command_line(int argc, char **argv, struct front *front)
{
	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
		if (option == OPTION_VERSION) {
			(void)printf("hangu-av %s\n", HANGU_VERSION);
			return 0;
		}
		if (option == OPTION_HELP) {
			(void)fputs(usage, stdout);
			return 0;
		}
		if (option == '?' || !take(front, option, optarg)) {
			if (option != '?')
				(void)fprintf(stderr, "hangu-av: --%s %s: out of its range, or not there\n", long_options[option - 1].name, optarg);
			(void)fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc || front->loader.engine.temporary == NULL || (front->socket == NULL && !front->check)) {
		(void)fputs(usage, stderr);
		return 2;
	}
	return -1;
}

/* ---- generations ---- */

struct sum {
	int      dir;
	uint64_t value;
};

static enum rc add_file(void *context, const char *name)
{
	struct sum *sum = context;
	struct stat about;

	if (fstatat(sum->dir, name, &about, 0) == 0)
		sum->value += ((uint64_t)about.st_mtim.tv_sec * 1000003u + (uint64_t)about.st_mtim.tv_nsec) ^ ((uint64_t)about.st_size << 20) ^ about.st_ino;
	return RC_OK;
}

/* A number that changes when a file of the folders comes, goes or changes. */
static uint64_t look(const struct engine_options *options)
{
	struct sum sum = { .dir = -1 };

	for (size_t i = 0; i < options->folder_count; i++) {
		if (file_dir_open(options->folders[i], &sum.dir) != RC_OK)
			continue;
		(void)(file_list(sum.dir, NAMES_MAX, add_file, &sum) == RC_OK);
		file_close(&sum.dir);
	}
	return sum.value;
}

static void begin_loader(struct front *front)
{
	const pid_t parent = getpid();
	int         ends[2];

	if (front->serving == 0)
		folder_remove_all(front->loader.engine.temporary);
	front->seen = look(&front->loader.engine);
	front->again_ms = clock_mono_ms() + REST_MS;
	if (pipe(ends) != 0)
		return;
	front->coming = fork();
	if (front->coming == 0) {
		struct fault fault = { 0 };

		(void)close(ends[0]);
		front->loader.ready = ends[1];
		log_role("av-load");
		if (sandbox_become(&front->user, &fault) != RC_OK) {
			log_error(LOG_EVENT("av.user_failed"), LOG_FAULT(&fault));
			_exit(1);
		}
		if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 || getppid() != parent)
			_exit(1);
		_exit(loader_run(&front->loader));
	}
	(void)close(ends[1]);
	if (front->coming < 0) {
		front->coming = 0;
		(void)close(ends[0]);
		return;
	}
	front->ready = ends[0];
}

static void warn_stale(const struct front *front, const struct loader_ready *ready)
{
	const uint64_t now_s = clock_wall_ms() / 1000;

	if (front->stale_s == 0 || ready->database_s == 0 || now_s < ready->database_s || now_s - ready->database_s <= front->stale_s)
		return;
	log_warning(LOG_EVENT("av.stale"), LOG_NUMBER("days", (now_s - ready->database_s) / DAY_S),
	            LOG_STR("text", "the newest file of signatures is old: is their update still running?"));
}

static void loader_is_ready(struct front *front, const struct loader_ready *ready)
{
	log_notice(LOG_EVENT("av.serving"), LOG_NUMBER("pid", front->coming), LOG_NUMBER("signatures", ready->signatures),
	           LOG_NUMBER("database", ready->database), LOG_NUMBER("scanners", front->loader.scanners));
	warn_stale(front, ready);
	if (front->serving != 0)
		(void)kill(front->serving, SIGTERM);
	front->serving = front->coming;
	front->coming = 0;
}

static void hear_loader(struct front *front)
{
	struct loader_ready ready;
	const ssize_t       count = read(front->ready, &ready, sizeof ready);

	file_close(&front->ready);
	if (count == (ssize_t)sizeof ready)
		loader_is_ready(front, &ready);
	else
		front->coming = 0; /* it has said why, and ends */
}

static void reap(struct front *front)
{
	int   status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != front->serving)
			continue;
		front->serving = 0;
		front->again_ms = 0;
		log_error(LOG_EVENT("av.loader_ended"), LOG_NUMBER("pid", pid), LOG_NUMBER("status", status));
	}
}

/* Is a new generation due? */
static bool is_due(struct front *front)
{
	const uint64_t now = clock_mono_ms();

	if (front->coming != 0)
		return false;
	if (wanted) {
		wanted = 0;
		return true;
	}
	if (front->serving == 0)
		return now >= front->again_ms;
	if (now < front->look_ms)
		return false;
	front->look_ms = now + LOOK_MS;
	return look(&front->loader.engine) != front->seen;
}

static void rest(const struct front *front)
{
	const struct timespec second = { .tv_sec = 1 };
	struct pollfd         ready = { .fd = front->ready, .events = POLLIN };
	sigset_t              none;

	(void)sigemptyset(&none);
	(void)ppoll(&ready, 1, &second, &none);
}

static void hold_signals(void)
{
	static const int       heard[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t               held;

	(void)sigemptyset(&held);
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++) {
		(void)sigaddset(&held, heard[i]);
		(void)sigaction(heard[i], &action, NULL);
	}
	(void)sigprocmask(SIG_SETMASK, &held, NULL);
}

static int serve(struct front *front)
{
	hold_signals();
	front->look_ms = clock_mono_ms() + LOOK_MS;
	while (!ending) {
		struct pollfd ready = { .fd = front->ready, .events = POLLIN };

		if (front->ready >= 0 && poll(&ready, 1, 0) == 1)
			hear_loader(front);
		reap(front);
		if (is_due(front))
			begin_loader(front);
		rest(front);
	}
	if (front->coming != 0)
		(void)kill(front->coming, SIGKILL);
	if (front->serving != 0)
		(void)kill(front->serving, SIGTERM);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

static int check_only(const struct front *front)
{
	struct engine   *engine = NULL;
	struct buf       why = buf_make(2000);
	struct av_answer says = { .id = 0 };
	enum rc          rc = engine_load(&front->loader.engine, &why, &engine);

	if (rc != RC_OK)
		(void)fprintf(stderr, "hangu-av: %.*s (%s)\n", (int)why.len, (const char *)why.ptr, rc_word(rc));
	else if (!engine_check(engine))
		rc = RC_IO, (void)fputs("hangu-av: the canary is not found: can the folder for temporary files be written?\n", stderr);
	buf_done(&why);
	if (rc != RC_OK)
		return 1;
	engine_describe(engine, &says);
	(void)printf("%.*s, %u signatures, database %u, the canary is found\n", (int)says.engine.len, (const char *)says.engine.ptr, says.signature_count,
	             says.database);
	engine_drop(&engine);
	return 0;
}

static bool is_folder(const char *path)
{
	int           dir = -1;
	const enum rc rc = file_dir_open(path, &dir);

	file_close(&dir);
	if (rc != RC_OK)
		(void)fprintf(stderr, "hangu-av: --temporary %s: %s\n", path, rc_word(rc));
	return rc == RC_OK;
}

/* The socket's folder by handle, its name apart. */
static bool listen_at(const char *path, int *out)
{
	char    folder[108];
	char   *slash;
	int     dir = -1;
	enum rc rc;

	if (slice_to_cstr(slice_str(path), folder, sizeof folder) != strlen(path) || (slash = strrchr(folder, '/')) == NULL || slash[1] == '\0') {
		(void)fprintf(stderr, "hangu-av: --socket %s: an absolute path of at most 107 bytes is wanted\n", path);
		return false;
	}
	*slash = '\0';
	rc = file_dir_open(folder[0] == '\0' ? "/" : folder, &dir);
	if (rc == RC_OK)
		rc = ipc_listen(dir, slash + 1, SOCKET_MODE, out);
	file_close(&dir);
	if (rc != RC_OK)
		(void)fprintf(stderr, "hangu-av: --socket %s: %s\n", path, rc_word(rc));
	return rc == RC_OK;
}

int main(int argc, char **argv)
{
	static struct front front = {
		.loader = { .memory_max = UINT64_C(4096) << 20, .listener = -1 },
		.stale_s = (uint64_t)STALE_DAYS * DAY_S,
		.ready = -1,
	};
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const int  status = read_command_line(argc, argv, &front);

	if (status >= 0)
		return status;
	front.loader.engine.limits = ENGINE_LIMITS_STANDARD;
	log_role("av");
	if (front.loader.scanners == 0)
		front.loader.scanners = processors < 1 ? 1 : processors > (long)LOADER_SCANNERS_MAX ? LOADER_SCANNERS_MAX : (unsigned)processors;
	if (!is_folder(front.loader.engine.temporary))
		return 1;
	if (front.check)
		return check_only(&front);
	if (!listen_at(front.socket, &front.loader.listener))
		return 1;
	return serve(&front);
}
