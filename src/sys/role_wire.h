/*
 * The control channel between the supervisor and a role (gate, records): small frames over ipc, version 1, little-endian.
 * Both ends parse them with distrust; a frame that does not parse ends the role, or is logged and dropped by the supervisor.
 *
 * Reload is two-phase: PREPARE with the new bundle (and new listeners) -> the role parses and opens everything aside and
 * answers PREPARED or REFUSED; when every role is prepared each gets SWITCH, otherwise ABORT. A new PREPARE replaces a
 * prepared generation that was neither switched nor aborted.
 *
 *   frame       from        carries                                   descriptors
 *   READY       role        -                                         -            it serves now
 *   PREPARE     supervisor  generation, listeners (name, address)     bundle, then one a listener
 *   PREPARED    role        generation                                -
 *   REFUSED     role        generation, why (text of ours)            -
 *   SWITCH      supervisor  generation                                -
 *   SWITCHED    role        generation                                -
 *   ABORT       supervisor  generation                                -
 *   SCANNER     supervisor  index                                     gate's end of a fresh channel; the old one is dead
 *   PEER        supervisor  -                                         gate <-> records channel, fresh; the old one is dead
 *   DRAIN       supervisor  deadline in ms                            -            stop accepting, finish sessions, then end
 *   DRAINED     role        -                                         -            last word before it ends with exit 0
 *   SICK        role        why (text of ours)                        -            e.g. the journal's sync failed: replace me
 *   KILL        gate        index                                     -            this scanner overran: kill it, send SCANNER
 */
#ifndef SYS_ROLE_WIRE_H
#define SYS_ROLE_WIRE_H

#include "base/buf.h"
#include "base/rc.h"
#include "base/slice.h"
#include "sys/ipc.h"
#include "sys/role.h"

#define ROLE_WIRE_VERSION  1u
#define ROLE_WIRE_TEXT_MAX 1000u
#define ROLE_WIRE_MAX      (16u << 10) /* bytes of a frame */

enum role_saying {
	ROLE_SAYS_READY = 1,
	ROLE_SAYS_PREPARE,
	ROLE_SAYS_PREPARED,
	ROLE_SAYS_REFUSED,
	ROLE_SAYS_SWITCH,
	ROLE_SAYS_SWITCHED,
	ROLE_SAYS_ABORT,
	ROLE_SAYS_SCANNER,
	ROLE_SAYS_PEER,
	ROLE_SAYS_DRAIN,
	ROLE_SAYS_DRAINED,
	ROLE_SAYS_SICK,
	ROLE_SAYS_KILL,
	ROLE_SAYS_END /* none: one past the last */
};

/* A frame, parsed. Fields that its word does not carry are 0, empty or -1. */
struct role_message {
	enum role_saying      word;
	uint64_t             generation;
	uint32_t             index;       /* SCANNER, KILL: below ROLE_SCANNERS_MAX */
	uint64_t             deadline_ms; /* DRAIN: from now, in milliseconds */
	struct slice         text;        /* REFUSED, SICK; borrowed from the frame, at most ROLE_WIRE_TEXT_MAX bytes */
	int                  fd;          /* PREPARE: the bundle; SCANNER, PEER: the channel */
	struct role_listener listeners[ROLE_LISTENERS_MAX]; /* PREPARE */
	size_t               listener_count;
};

/* Append the frame's bytes to `out` (check out->failed). Descriptors are not part of it: role_wire_send() adds them. */
void role_wire_put(const struct role_message *message, struct buf *out);

/*
 * Parse a frame's bytes with the descriptors that came along. RC_OK: descriptors stand in *out and are the caller's to close.
 * RC_SYNTAX, RC_UNSUPPORTED (another version), RC_LIMIT: the caller closes the frame's descriptors (ipc_frame_close).
 */
MUST_CHECK enum rc role_wire_read(struct slice bytes, const int *fds, size_t fd_count, struct role_message *out);

/* Both in one with ipc_send()/ipc_receive(). On errors of reading, the descriptors are closed already. */
MUST_CHECK enum rc role_wire_send(int control, const struct role_message *message);
MUST_CHECK enum rc role_wire_receive(int control, uint8_t room[ROLE_WIRE_MAX], struct role_message *out);

/* For words that carry nothing else. */
MUST_CHECK enum rc role_wire_say(int control, enum role_saying word, uint64_t generation);
/* REFUSED and SICK; the text is cut at ROLE_WIRE_TEXT_MAX. */
MUST_CHECK enum rc role_wire_explain(int control, enum role_saying word, uint64_t generation, struct slice text);

#endif
