/*
 * The gate: SMTP sessions in and out, the queue, the journal's writer, the verdict. One process, several threads: event loops
 * that hold sessions, one delivery loop that holds the queue and all outgoing connections, the journal's committer, and a
 * worker for what takes long (passwords).
 *
 * The life of the role: gate_open() while files and libraries can still be loaded; the box closes; gate_run() starts the
 * threads and serves until it is told to drain.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "base/fault.h"
#include "config/config.h"
#include "sys/role.h"

struct gate; /* opaque */

struct gate_options {
	const struct role_start *start;      /* borrowed for the life of the gate */
	gate_settings_reader    *reader;     /* reads start->settings and every later bundle */
	struct slice             resolv_conf; /* bytes of /etc/resolv.conf, for when [dns] names no server; borrowed during the call */
	struct slice             authorities; /* PEM of who may sign next hops' certificates; may be empty; borrowed during the call */
};

/*
 * Read the settings, load what libraries load lazily, replay the journal into the queue. No thread is started. `why` gets a
 * sentence when the answer is not RC_OK: RC_BUSY (another gate has the journal), RC_CORRUPT, RC_SYNTAX (settings), RC_IO, RC_NOMEM.
 */
MUST_CHECK enum rc gate_open(const struct gate_options *options, struct buf *why, struct gate **out);

/* Start the threads and serve. Returns 0 after a drain, 1 when something broke that only a new process can mend. */
int gate_run(struct gate *gate);

#endif
