/* AF_UNIX SOCK_SEQPACKET, one frame at a time. */
#include "sys/ipc.h"

#include "base/must.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

static enum rc socket_rc(int error)
{
	switch (error) {
	case EAGAIN:
		return RC_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ECONNREFUSED:
	case ENOTCONN:
		return RC_CLOSED;
	case ETOOMANYREFS:
	case EMSGSIZE:
		return RC_LIMIT;
	case ENOBUFS:
		return RC_AGAIN;
	default:
		return file_rc(error);
	}
}

enum rc ipc_pair(int *ret_a, int *ret_b)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return file_rc(errno);
	*ret_a = ends[0];
	*ret_b = ends[1];
	return RC_OK;
}

static enum rc open_socket(int *out)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return file_rc(errno);
	*out = fd;
	return RC_OK;
}

/* A Unix socket has no "at" call; the kernel's own link to the directory handle stands in for it. */
static bool address_below(int dir, const char *name, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	must(strchr(name, '/') == NULL);
	const int size = snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", dir, name);
	return size > 0 && (size_t)size < sizeof out->sun_path;
}

enum rc ipc_listen(int dir, const char *name, unsigned mode, int *out)
{
	struct sockaddr_un address;
	struct stat        about;
	int                fd = -1;

	if (!address_below(dir, name, &address))
		return RC_LIMIT;
	if (fstatat(dir, name, &about, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISSOCK(about.st_mode))
			return RC_EXISTS;
		const enum rc removed = file_remove(dir, name);
		if (removed != RC_OK)
			return removed;
	}
	enum rc rc = open_socket(&fd);
	if (rc != RC_OK)
		return rc;
	/* Closed to everyone until its mode is right: nobody can connect before listen(). */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || fchmodat(dir, name, (mode_t)mode, 0) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		rc = file_rc(errno);
		file_close(&fd);
		return rc;
	}
	*out = fd;
	return RC_OK;
}

enum rc ipc_accept(int listener, int *out)
{
	int fd;

	do {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		return socket_rc(errno);
	*out = fd;
	return RC_OK;
}

static enum rc connect_to(const struct sockaddr_un *address, int *out)
{
	int     fd = -1;
	enum rc rc = open_socket(&fd);

	if (rc != RC_OK)
		return rc;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
		rc = socket_rc(errno);
		file_close(&fd);
		return rc;
	}
	*out = fd;
	return RC_OK;
}

enum rc ipc_connect(const char *path, int *out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t       size = strlen(path);

	if (size == 0 || size >= sizeof address.sun_path)
		return RC_LIMIT;
	memcpy(address.sun_path, path, size);
	return connect_to(&address, out);
}

enum rc ipc_connect_below(int dir, const char *name, int *out)
{
	struct sockaddr_un address;

	if (!address_below(dir, name, &address))
		return RC_LIMIT;
	return connect_to(&address, out);
}

/* Room for the descriptors of one frame, aligned as the kernel wants it. */
union ancillary {
	struct cmsghdr header;
	char           bytes[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
};

/* One frame of `size` bytes, whole or not at all. */
static enum rc send_frame(int socket, const struct msghdr *message, size_t size)
{
	ssize_t sent;

	do {
		sent = sendmsg(socket, message, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return socket_rc(errno);
	return (size_t)sent == size ? RC_OK : RC_IO;
}

enum rc ipc_send(int socket, struct slice bytes, const int *fds, size_t count)
{
	union ancillary ancillary;
	struct iovec    vector = { .iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len };
	struct msghdr   message = { .msg_iov = &vector, .msg_iovlen = 1 };

	must(bytes.len != 0);
	must(bytes.len <= IPC_FRAME_MAX);
	must(count <= IPC_FDS_MAX);
	if (count != 0) {
		memset(&ancillary, 0, sizeof ancillary);
		message.msg_control = ancillary.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		must(header != NULL);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	}
	return send_frame(socket, &message, bytes.len);
}

enum rc ipc_send_pieces(int socket, const struct slice *pieces, size_t count)
{
	struct iovec  vectors[IPC_PIECES_MAX];
	struct msghdr message = { .msg_iov = vectors, .msg_iovlen = count };
	size_t        size = 0;

	must(count <= IPC_PIECES_MAX);
	for (size_t i = 0; i < count; i++) {
		vectors[i] = (struct iovec){ .iov_base = (void *)(uintptr_t)pieces[i].ptr, .iov_len = pieces[i].len };
		size += pieces[i].len;
	}
	must(size != 0);
	must(size <= IPC_GATHER_MAX);
	return send_frame(socket, &message, size);
}

void ipc_frame_close(struct ipc_frame *frame)
{
	for (size_t i = 0; i < frame->fd_count; i++)
		file_close(&frame->fds[i]);
	frame->fd_count = 0;
}

/* Descriptors that came with the frame. Whatever else the kernel may have put there is not ours to keep. */
static void collect_fds(struct msghdr *message, struct ipc_frame *frame)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
			if (frame->fd_count < IPC_FDS_MAX)
				frame->fds[frame->fd_count++] = fd;
			else
				(void)close(fd);
		}
	}
}

enum rc ipc_receive(int socket, uint8_t *room, size_t room_size, size_t fds_max, struct ipc_frame *out)
{
	union ancillary  ancillary;
	struct iovec     vector = { .iov_base = room, .iov_len = room_size };
	struct msghdr    message = { .msg_iov = &vector, .msg_iovlen = 1 };
	struct ipc_frame frame;
	ssize_t          got;

	must(room_size != 0);
	must(fds_max <= IPC_FDS_MAX);
	memset(&ancillary, 0, sizeof(struct cmsghdr));
	message.msg_control = ancillary.bytes;
	message.msg_controllen = sizeof ancillary.bytes;
	do {
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return socket_rc(errno);
	frame.fd_count = 0;
	frame.bytes = slice_of(room, (size_t)got);
	collect_fds(&message, &frame);
	/* Frames are never empty, so that no bytes means the end. */
	if (got == 0) {
		ipc_frame_close(&frame);
		return RC_CLOSED;
	}
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || frame.fd_count > fds_max) {
		ipc_frame_close(&frame);
		return RC_LIMIT;
	}
	out->bytes = frame.bytes;
	out->fd_count = frame.fd_count;
	if (frame.fd_count != 0)
		memcpy(out->fds, frame.fds, sizeof(int) * frame.fd_count);
	return RC_OK;
}

enum rc ipc_wait(int socket, int write, uint64_t timeout_ms)
{
	struct pollfd  ask = { .fd = socket, .events = (short)(write != 0 ? POLLOUT : POLLIN) };
	const uint64_t until = clock_mono_ms() + timeout_ms;

	for (;;) {
		const uint64_t now = clock_mono_ms();
		const uint64_t left = until > now ? until - now : 0;
		const int      count = poll(&ask, 1, left > 1000000u ? 1000000 : (int)left);
		if (count > 0)
			return RC_OK;
		if (count < 0 && errno != EINTR)
			return RC_IO;
		if (count == 0 && left <= 1000000u)
			return RC_TIMEOUT;
	}
}

enum rc ipc_peer(int socket, struct ipc_peer *out)
{
	struct ucred about;
	socklen_t    size = sizeof about;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &about, &size) != 0)
		return file_rc(errno);
	*out = (struct ipc_peer){ .pid = about.pid, .uid = about.uid, .gid = about.gid };
	return RC_OK;
}

int ipc_peer_trusted(const struct ipc_peer *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}

enum rc ipc_accept_trusted(int listener, int *out, struct ipc_peer *ret_peer)
{
	int     fd = -1;
	enum rc rc = ipc_accept(listener, &fd);

	if (rc != RC_OK)
		return rc;
	if (ipc_peer(fd, ret_peer) != RC_OK || !ipc_peer_trusted(ret_peer)) {
		(void)close(fd);
		return RC_DENIED;
	}
	*out = fd;
	return RC_OK;
}
