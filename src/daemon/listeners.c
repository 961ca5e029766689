/* Binding what the settings name. */
#include "daemon/listeners.h"

#include "net/address.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define BACKLOG 4096 /* the kernel cuts it at net.core.somaxconn */

static enum rc rc_of_bind(int error)
{
	switch (error) {
	case EADDRINUSE:
		return RC_EXISTS;
	case EADDRNOTAVAIL:
		return RC_NOTFOUND;
	default:
		return file_rc(error);
	}
}

static enum rc bind_socket(int fd, const struct net_address *address)
{
	struct sockaddr_storage name;
	const socklen_t         size = net_address_sockaddr(address, &name);
	const int               on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		return RC_IO;
	/* [::] means IPv6 only: 0.0.0.0 is written beside it, and each has its own line in the settings. */
	if (address->family == NET_FAMILY_V6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
		return RC_IO;
	if (bind(fd, (struct sockaddr *)&name, size) != 0 || listen(fd, BACKLOG) != 0)
		return rc_of_bind(errno);
	return RC_OK;
}

static const char *word_of(enum rc rc)
{
	if (rc == RC_EXISTS)
		return "somebody else listens there";
	if (rc == RC_NOTFOUND)
		return "this machine has no such address";
	if (rc == RC_DENIED)
		return "not permitted (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
	return "the system refused";
}

enum rc listeners_bind(const char *text, bool loopback, int *out, struct buf *why)
{
	struct net_address address;

	if (net_address_parse_port(slice_str(text), 0, &address) != RC_OK || address.port == 0 ||
	    (loopback && !net_address_is_loopback(&address))) {
		buf_printf(why, "%s: expected %s with a port", text, loopback ? "a loopback address" : "an address");
		return RC_SYNTAX;
	}
	int fd = socket(address.family == NET_FAMILY_V6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		const enum rc refused = file_rc(errno);
		buf_printf(why, "%s: no socket can be made", text);
		return refused;
	}
	const enum rc rc = bind_socket(fd, &address);
	if (rc != RC_OK) {
		buf_printf(why, "%s: %s", text, word_of(rc));
		file_close(&fd);
		return rc;
	}
	*out = fd;
	return RC_OK;
}

static int find(const struct listeners *have, const char *address)
{
	for (size_t i = 0; i < have->count; i++) {
		if (have->items[i].fd >= 0 && strcmp(have->items[i].address, address) == 0)
			return have->items[i].fd;
	}
	return -1;
}

enum rc listeners_open(const struct role_listener *wanted, size_t count, const struct listeners *have, struct listeners *out,
                       struct buf *why)
{
	struct listeners made = { .count = 0 };

	for (size_t i = 0; i < count; i++) {
		struct role_listener *item = &made.items[i];
		const int             old = find(have, wanted[i].address);
		enum rc               rc = RC_OK;
		*item = wanted[i];
		item->fd = old < 0 ? -1 : fcntl(old, F_DUPFD_CLOEXEC, 3);
		if (old >= 0 && item->fd < 0)
			rc = RC_LIMIT;
		if (old < 0)
			rc = listeners_bind(item->address, false, &item->fd, why);
		if (rc != RC_OK) {
			listeners_close(&made);
			return rc;
		}
		made.count++;
	}
	*out = made;
	return RC_OK;
}

void listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		file_close(&listeners->items[i].fd);
	listeners->count = 0;
}
