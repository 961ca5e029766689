/*
 * Listening sockets, and taking connections from them on an event loop. What becomes of a connection is its owner's
 * matter; usually stream_adopt() (net/stream.h) is next.
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "net/address.h"
#include "net/loop.h"

/* Connections taken from one listening socket per turn of a loop, so that several loops share them. */
#define ACCEPTOR_PER_TURN 16u
/* How long nothing is accepted when descriptors or memory have run out. */
#define ACCEPTOR_PAUSE_MS 100u

/*
 * One listening socket on one loop; lies in its owner. Several loops (also of several processes) may listen to the
 * same socket.
 */
struct acceptor {
	struct loop_watch watch;
	struct timer      retry;
	struct loop      *loop;
	/*
	 * A connection: `fd` (non-blocking, close-on-exec) is the owner's now; usually stream_adopt() is next. It may
	 * stop the acceptor.
	 */
	void (*on_accept)(struct acceptor *acceptor, int fd, const struct net_address *peer);
	/*
	 * Accepting failed and pauses for ACCEPTOR_PAUSE_MS: errno (EMFILE, ENFILE, ENOBUFS, ENOMEM ...). May be
	 * NULL.
	 */
	void (*on_trouble)(struct acceptor *acceptor, int error);
	int  fd;
	bool stopped;
};

/*
 * Listen on `fd`, a bound, listening, non-blocking socket that stays the caller's. Sets TCP_NODELAY on it, which
 * accepted sockets inherit. on_accept and on_trouble are set by the caller before. RC_IO.
 */
MUST_CHECK enum rc acceptor_start(struct acceptor *acceptor, struct loop *loop, int fd);
/* Stop accepting: others who share the socket go on. Legal twice. */
void acceptor_stop(struct acceptor *acceptor);

/*
 * A bound, listening socket (non-blocking, close-on-exec, SO_REUSEADDR, IPv6 only when IPv6). For the supervisor and
 * for tests. Port 0: the kernel chooses; net_socket_local() tells. RC_IO with *fault (EADDRINUSE, EACCES,
 * EADDRNOTAVAIL).
 */
MUST_CHECK enum rc net_listen(const struct net_address *address, int backlog, int *out_fd, struct fault *fault);
MUST_CHECK enum rc net_socket_local(int fd, struct net_address *out);

/*
 * Does this machine have `address`, on whichever interface? The kernel is asked from which address it would speak to it; nothing is sent. False
 * also when it cannot be asked. Its port is not looked at.
 */
bool net_is_here(const struct net_address *address);

#endif
