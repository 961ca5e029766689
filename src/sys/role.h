/*
 * What a role is handed at its start by the supervisor. Forked, never exec'ed: everything here was made before the fork, and
 * a role finds it in its memory. Room gate, scan and records program against this; daemon/role_*.c fill it.
 *
 * The life of a role: `x_open(start, &x, &fault)` opens and parses everything it needs while files and libraries can still
 * be loaded; then daemon/role_x.c closes the box; then `x_run(x)` starts threads and serves until told to end.
 */
#ifndef SYS_ROLE_H
#define SYS_ROLE_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/slice.h"
#include "sys/counters.h"

#include <stdint.h>

#define ROLE_LISTENERS_MAX 60u
#define ROLE_SCANNERS_MAX  64u
#define ROLE_NAME_MAX      64u

enum role {
	ROLE_SUPERVISOR,
	ROLE_GATE,
	ROLE_RECORDS,
	ROLE_SCAN,
	ROLE_COUNT
};

/* One bound and listening TCP socket, non-blocking. */
struct role_listener {
	char name[ROLE_NAME_MAX];    /* of its section in the settings, [listener NAME] */
	char address[ROLE_NAME_MAX]; /* as written there, "192.0.2.1:25" or "[::]:25" */
	int  fd;
};

/* -1 stands in every descriptor that this role is not given. */
struct role_start {
	enum role             role;
	uint32_t              index;          /* which scanner, from 0 */
	uint64_t              generation;     /* of the settings, from 1 */
	int                   control;        /* to the supervisor: sys/role_wire.h. Not for scan, which ends when its channel does */
	struct slice          settings;       /* the bundle (room settings), mapped read-only for the life of the process */
	struct role_listener  listeners[ROLE_LISTENERS_MAX]; /* gate */
	size_t                listener_count;
	int                   scan_channels[ROLE_SCANNERS_MAX]; /* gate: its end to each scanner; scan: [0] is its own end */
	size_t                scan_count;
	int                   peer;           /* gate <-> records: durable positions */
	int                   commands;       /* listening control.sock (gate) or records.sock (records) */
	int                   metrics;        /* records: listening TCP socket on loopback, or -1 */
	int                   journal_dir;    /* gate: to write; records: to read */
	int                   records_dir;    /* records */
	uint64_t              memory_max;     /* scan: bytes of address space; 0: no limit */
	struct counters_page *pages;          /* all pages, for records to read */
	size_t                page_count;
};

/* "supervisor", "gate", "records", "scan"; static. */
const char *role_word(enum role role);

/* Names and addresses of listeners as part of a frame; their descriptors go beside it. Check out->failed. */
void role_listeners_put(const struct role_listener *listeners, size_t count, struct buf *out);
/* Reads what role_listeners_put() wrote; fails the cursor unless there is exactly one descriptor for each. `out` has room for all. */
void role_listeners_read(struct cursor *c, const int *fds, size_t fd_count, struct role_listener *out, size_t *ret_count);

#endif
