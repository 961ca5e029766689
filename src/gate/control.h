/*
 * Who gives the gate orders: the supervisor over the role's control channel (settings, scanners, drain), administrators over the
 * control socket (the queue). And whom it tells: records, how far the journal is durable. All of it on the delivery loop.
 */
#ifndef GATE_CONTROL_H
#define GATE_CONTROL_H

#include "gate/inside.h"

#define CONTROL_CLIENTS_MAX 16u

/* RC_NOMEM, RC_IO. On the delivery loop's thread. */
MUST_CHECK enum rc control_open(struct gate *gate, struct control **out);
void control_close(struct control **control);
/* Tell the supervisor that we serve. */
void control_ready(struct control *control);
/* The drain is over and the journal is closed: everything that was promised is synced, unless the journal failed at the last. */
void control_farewell(struct control *control);

/* Any thread: something became durable. Coalesced. */
void control_durable(struct control *control);
/* Any thread: the journal has failed; the gate ends so that a new one can begin. */
void control_journal_failed(struct control *control);
/* Any thread: scanner `index` is to be killed and replaced. */
void control_replace_scanner(struct control *control, size_t index);
/* On the delivery loop: every event loop has ended its sessions. */
void control_loops_drained(struct control *control);

#endif
