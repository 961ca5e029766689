/* The service manager's socket. */
#include "daemon/notify.h"

#include "sys/clock.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Opened once at the start; the supervisor alone uses it. */
static int socket_fd = -1;

void notify_open(void)
{
	const char        *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t       size = path != NULL ? strlen(path) : 0;

	if (size < 2 || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, size);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract name space */
	socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (socket_fd >= 0 && connect(socket_fd, (struct sockaddr *)&address,
	                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) != 0) {
		(void)close(socket_fd);
		socket_fd = -1;
	}
	(void)unsetenv("NOTIFY_SOCKET");
}

int notify_descriptor(void)
{
	return socket_fd;
}

void notify_send(const char *state)
{
	if (socket_fd >= 0)
		(void)send(socket_fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_reloading(void)
{
	char state[80];

	(void)snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_mono_us());
	notify_send(state);
}
