/* The supervisor: binds, boxes, forks, replaces, reloads, hands over. main.c gives it what was said on the command line. */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include <stdbool.h>

struct supervisor_options {
	const char *settings_path;
	bool        check;    /* read and check the settings, say so, end */
	bool        takeover; /* take the sockets of the one that runs, wait for its end */
	bool        name_breaches;
};

/* Returns the exit status: 0 after a drain or a good check. */
int supervisor_run(const struct supervisor_options *options);

#endif
