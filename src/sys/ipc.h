/*
 * Frames between processes: AF_UNIX SOCK_SEQPACKET, one frame a message, with descriptors by SCM_RIGHTS. Everything is
 * non-blocking and bounded. What a frame holds is declared by the room that answers it and parsed with the same distrust
 * as mail.
 */
#ifndef SYS_IPC_H
#define SYS_IPC_H

#include "base/rc.h"
#include "base/slice.h"

#include <stdint.h>

#define IPC_FRAME_MAX  (64u << 10)  /* bytes of one frame of ipc_send() */
#define IPC_GATHER_MAX (200u << 10) /* bytes of one frame of ipc_send_pieces(): by the kernel's defaults a socket takes 212,960 */
#define IPC_PIECES_MAX 4u           /* pieces of it */
#define IPC_FDS_MAX   64u         /* descriptors with one frame */

/* Two connected ends, non-blocking, O_CLOEXEC. RC_LIMIT, RC_IO. Close with file_close(). */
MUST_CHECK enum rc ipc_pair(int *ret_a, int *ret_b);

/*
 * A listening socket called `name` below `dir` (a directory handle) with permissions `mode`; a stale socket there is
 * replaced, anything else is not (RC_EXISTS). Accept with ipc_accept().
 */
MUST_CHECK enum rc ipc_listen(int dir, const char *name, unsigned mode, int *out);
/* RC_AGAIN: nobody waits. The connection is non-blocking. */
MUST_CHECK enum rc ipc_accept(int listener, int *out);
/* Connect to the socket at `path` (at most 107 bytes). RC_NOTFOUND, RC_DENIED, RC_CLOSED: nobody listens there. */
MUST_CHECK enum rc ipc_connect(const char *path, int *out);
/* The same below a directory handle. */
MUST_CHECK enum rc ipc_connect_below(int dir, const char *name, int *out);

/*
 * Send one frame of `bytes` (1 to IPC_FRAME_MAX) and `count` descriptors (to IPC_FDS_MAX), which stay the caller's. RC_AGAIN: the other side does not keep up,
 * nothing was sent. RC_CLOSED: it has gone. RC_LIMIT: too many descriptors are on their way.
 */
MUST_CHECK enum rc ipc_send(int socket, struct slice bytes, const int *fds, size_t count);
/*
 * The same for a frame that is gathered from 1 to IPC_PIECES_MAX pieces (any of them may be empty, not all), together at most IPC_GATHER_MAX
 * bytes, without descriptors. RC_LIMIT also: more than the kernel takes in one frame (its buffer for the socket is smaller than it used to be).
 */
MUST_CHECK enum rc ipc_send_pieces(int socket, const struct slice *pieces, size_t count);

/* What arrived. Descriptors are the receiver's to close. */
struct ipc_frame {
	struct slice bytes;            /* lies in the room given */
	int          fds[IPC_FDS_MAX]; /* O_CLOEXEC */
	size_t       fd_count;
};

/*
 * One frame into `room` (at least one byte; frames larger than it: RC_LIMIT, the frame is dropped and its descriptors
 * closed). `fds_max` bounds the descriptors taken; more than that: RC_LIMIT likewise. RC_AGAIN: nothing there. RC_CLOSED:
 * the other side has gone. Only RC_OK writes *out.
 */
MUST_CHECK enum rc ipc_receive(int socket, uint8_t *room, size_t room_size, size_t fds_max, struct ipc_frame *out);
/* Close every descriptor of a frame and forget them. */
void ipc_frame_close(struct ipc_frame *frame);

/* Wait until `socket` can be read (or written, when `write` is not 0) or `timeout_ms` passed: RC_OK, RC_TIMEOUT, RC_IO. For tools and tests. */
MUST_CHECK enum rc ipc_wait(int socket, int write, uint64_t timeout_ms);

/* Who is at the other end, as the kernel saw it when the connection was made. */
struct ipc_peer {
	int32_t  pid;
	uint32_t uid;
	uint32_t gid;
};

MUST_CHECK enum rc ipc_peer(int socket, struct ipc_peer *out);
/* May this peer give us orders? Root, or the user we run as. */
int ipc_peer_trusted(const struct ipc_peer *peer);

/* ipc_accept() of one who may. RC_AGAIN: nobody waits. RC_DENIED: somebody else, whose connection was closed. */
MUST_CHECK enum rc ipc_accept_trusted(int listener, int *out, struct ipc_peer *ret_peer);

#endif
