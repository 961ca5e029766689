/* Listening sockets and taking connections from them. */
#include "net/acceptor.h"

#include "base/must.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static void ready(struct loop_watch *watch, uint32_t events);

static enum rc watch_again(struct acceptor *acceptor)
{
	return loop_watch(acceptor->loop, &acceptor->watch, acceptor->fd, LOOP_IN | LOOP_EXCLUSIVE, ready);
}

static void retry(struct timer *timer)
{
	struct acceptor *acceptor = LIST_OF(timer, struct acceptor, retry);

	if (!acceptor->stopped && watch_again(acceptor) != RC_OK)
		loop_timer_set(acceptor->loop, &acceptor->retry, ACCEPTOR_PAUSE_MS);
}

/* Errors of the connection itself (accept(2): it went away while it waited), not of ours. */
static bool is_theirs(int error)
{
	return error == ECONNABORTED || error == EPROTO || error == ENETDOWN || error == ENOPROTOOPT ||
	       error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH || error == ENETUNREACH || error == EINTR;
}

static void ready(struct loop_watch *watch, uint32_t events)
{
	struct acceptor *acceptor = LIST_OF(watch, struct acceptor, watch);

	(void)events;
	for (unsigned count = 0; count < ACCEPTOR_PER_TURN && !acceptor->stopped; count++) {
		struct sockaddr_storage address;
		socklen_t               size = sizeof address;
		struct net_address      peer;
		const int fd = accept4(acceptor->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && is_theirs(errno))
			continue;
		if (fd < 0) {
			const int error = errno;
			if (error == EAGAIN)
				return;
			/* Nothing to accept with: look away for a while, instead of turning round and round. */
			loop_unwatch(acceptor->loop, &acceptor->watch);
			loop_timer_set(acceptor->loop, &acceptor->retry, ACCEPTOR_PAUSE_MS);
			if (acceptor->on_trouble != NULL)
				acceptor->on_trouble(acceptor, error);
			return;
		}
		if (net_address_of_sockaddr((struct sockaddr *)&address, size, &peer) != RC_OK) {
			(void)close(fd);
			continue;
		}
		acceptor->on_accept(acceptor, fd, &peer);
	}
}

enum rc acceptor_start(struct acceptor *acceptor, struct loop *loop, int fd)
{
	const int on = 1;

	must(acceptor->on_accept != NULL);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	timer_init(&acceptor->retry, retry);
	acceptor->loop = loop;
	acceptor->fd = fd;
	acceptor->stopped = false;
	return watch_again(acceptor);
}

void acceptor_stop(struct acceptor *acceptor)
{
	if (acceptor->loop == NULL || acceptor->stopped)
		return;
	acceptor->stopped = true;
	timer_stop(&acceptor->retry);
	loop_unwatch(acceptor->loop, &acceptor->watch);
}

enum rc net_listen(const struct net_address *address, int backlog, int *out_fd, struct fault *fault)
{
	struct sockaddr_storage storage;
	const socklen_t         size = net_address_sockaddr(address, &storage);
	const char             *step = "opening a listening socket";
	const int               on = 1;
	const int               family = address->family == NET_FAMILY_V6 ? AF_INET6 : AF_INET;
	const int               fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fault_set(fault, RC_IO, step, errno, address->port);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	step = "binding a listening socket";
	if (bind(fd, (struct sockaddr *)&storage, size) != 0)
		goto refused;
	step = "listening";
	if (listen(fd, backlog) != 0)
		goto refused;
	*out_fd = fd;
	return RC_OK;
refused:;
	const int error = errno;
	(void)close(fd);
	return fault_set(fault, RC_IO, step, error, address->port);
}

enum rc net_socket_local(int fd, struct net_address *out)
{
	struct sockaddr_storage storage;
	socklen_t               size = sizeof storage;

	if (getsockname(fd, (struct sockaddr *)&storage, &size) != 0 ||
	    net_address_of_sockaddr((struct sockaddr *)&storage, size, out) != RC_OK)
		return RC_IO;
	return RC_OK;
}

bool net_is_here(const struct net_address *address)
{
	struct sockaddr_storage storage;
	struct net_address      asked = *address, local;
	socklen_t               size;

	asked.port = 9; /* discard: a datagram socket must name one, and is sent nothing */
	size = net_address_sockaddr(&asked, &storage);
	const int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	const bool here = connect(fd, (struct sockaddr *)&storage, size) == 0 && net_socket_local(fd, &local) == RC_OK &&
	                  net_address_eq(&local, address);
	(void)close(fd);
	return here;
}
