/* hangud: the gateway. This file reads the command line; daemon/supervisor.c is what happens then. */
#include "daemon/supervisor.h"

#include <getopt.h>
#include <stdio.h>

#define SETTINGS_STANDARD "/etc/hangu/hangu.conf"

static const char usage[] =
	"usage: hangud [--settings FILE] [--foreground] [--takeover] [--check]\n"
	"\n"
	"  --settings FILE   settings to read (" SETTINGS_STANDARD ")\n"
	"  --foreground      stay in the foreground: always so, accepted for service scripts\n"
	"  --takeover        take the listening sockets of the hangud that runs, while it drains\n"
	"  --check           read and check the settings, then end: status 0 when they are good\n"
	"  --name-breaches   for finding out what a box lacks: a breach says which call it was\n"
	"  --version, --help\n";

enum { OPTION_SETTINGS = 1, OPTION_FOREGROUND, OPTION_TAKEOVER, OPTION_CHECK, OPTION_NAME_BREACHES, OPTION_VERSION, OPTION_HELP };

static const struct option long_options[] = {
	{ "settings", required_argument, NULL, OPTION_SETTINGS },
	{ "foreground", no_argument, NULL, OPTION_FOREGROUND },
	{ "takeover", no_argument, NULL, OPTION_TAKEOVER },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "name-breaches", no_argument, NULL, OPTION_NAME_BREACHES },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

/*
 * For builds with a sanitizer. Inside a box nothing can be opened or started to decorate a report, nor can the search for leaks stop the
 * threads; and a process that a report ends must die of a signal, or the supervisor would not count it as a crash.
 */
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

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "symbolize=0:halt_on_error=1:abort_on_error=1:report_thread_leaks=0";
}

int main(int argc, char **argv)
{
	struct supervisor_options options = { .settings_path = SETTINGS_STANDARD };

	for (;;) {
		switch (getopt_long(argc, argv, "", long_options, NULL)) {
		case -1:
			if (optind != argc) {
				(void)fputs(usage, stderr);
				return 2;
			}
			return supervisor_run(&options);
		case OPTION_SETTINGS:
			options.settings_path = optarg;
			break;
		case OPTION_FOREGROUND:
			break;
		case OPTION_TAKEOVER:
			options.takeover = true;
			break;
		case OPTION_CHECK:
			options.check = true;
			break;
		case OPTION_NAME_BREACHES:
			options.name_breaches = true;
			break;
		case OPTION_VERSION:
			(void)puts("hangud " HANGU_VERSION);
			return 0;
		case OPTION_HELP:
			(void)fputs(usage, stdout);
			return 0;
		default:
			(void)fputs(usage, stderr);
			return 2;
		}
	}
}
