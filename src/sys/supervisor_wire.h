/*
 * What `hangu` (and a new hangud that takes over) says to the supervisor through supervisor.sock, and what it answers:
 * ipc frames, version 1, little-endian. Only root and the supervisor's own user are heard (SO_PEERCRED).
 *
 * One request a connection: the answer is any number of LINE frames (a line of text for people, without LF) and then one
 * DONE frame with a code; the supervisor closes the connection behind it. TAKEOVER is answered by LISTENERS frames that carry the
 * sockets, then DONE; the old supervisor then drains. The new one keeps the connection: its end (RC_CLOSED) says that the old
 * one has closed its journal.
 */
#ifndef SYS_SUPERVISOR_WIRE_H
#define SYS_SUPERVISOR_WIRE_H

#include "base/buf.h"
#include "base/rc.h"
#include "base/slice.h"
#include "sys/role.h"

#define SUPERVISOR_WIRE_VERSION  1u
#define SUPERVISOR_WIRE_LINE_MAX 2000u
#define SUPERVISOR_WIRE_MAX      (16u << 10) /* bytes of a frame */

enum supervisor_word {
	/* requests */
	SUPERVISOR_ASK_STATUS = 1, /* a line per process: role, pid, state, restarts */
	SUPERVISOR_ASK_RELOAD,     /* DONE: RC_OK switched; RC_DENIED refused, the lines say why */
	SUPERVISOR_ASK_PROVE,      /* a line per attempt of the hostile doubles; DONE: RC_OK when all failed as they must */
	SUPERVISOR_ASK_DRAIN,      /* as SIGTERM */
	SUPERVISOR_ASK_TAKEOVER,
	/* answers */
	SUPERVISOR_SAYS_LINE,
	SUPERVISOR_SAYS_LISTENERS,
	SUPERVISOR_SAYS_DONE,
	SUPERVISOR_WORD_END /* none: one past the last */
};

struct supervisor_message {
	enum supervisor_word word;
	enum rc              rc;    /* DONE */
	struct slice         text;  /* LINE: at most SUPERVISOR_WIRE_LINE_MAX bytes; borrowed from the frame */
	struct role_listener listeners[ROLE_LISTENERS_MAX]; /* LISTENERS; a metrics listener is called "@metrics" */
	size_t               listener_count;
};

/* As role_wire_put() / role_wire_read() / ... */
void supervisor_wire_put(const struct supervisor_message *message, struct buf *out);
MUST_CHECK enum rc supervisor_wire_read(struct slice bytes, const int *fds, size_t fd_count, struct supervisor_message *out);
MUST_CHECK enum rc supervisor_wire_send(int socket, const struct supervisor_message *message);
MUST_CHECK enum rc supervisor_wire_receive(int socket, uint8_t room[SUPERVISOR_WIRE_MAX], struct supervisor_message *out);

#endif
