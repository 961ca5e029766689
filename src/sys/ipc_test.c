/* Frames and descriptors between two ends of a pair, and sockets with a name. */
#include "sys/ipc.h"

#include "sys/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int descriptors_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 200; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_frames(void **state)
{
	int                    a = -1, b = -1;
	static uint8_t         room[IPC_FRAME_MAX + 1], large[IPC_FRAME_MAX];
	struct ipc_frame       frame;

	(void)state;
	assert_int_equal(ipc_pair(&a, &b), RC_OK);
	assert_int_equal(ipc_receive(a, room, sizeof room, 0, &frame), RC_AGAIN);
	assert_int_equal(ipc_send(a, SLICE("one"), NULL, 0), RC_OK);
	assert_int_equal(ipc_send(a, SLICE("two"), NULL, 0), RC_OK);
	assert_int_equal(ipc_receive(b, room, sizeof room, 0, &frame), RC_OK);
	assert_true(slice_eq(frame.bytes, SLICE("one")));
	assert_int_equal(frame.fd_count, 0);
	assert_int_equal(ipc_receive(b, room, sizeof room, 0, &frame), RC_OK);
	assert_true(slice_eq(frame.bytes, SLICE("two")));
	/* The largest frame, and room one too small for it: that frame is lost, the next is whole. */
	assert_int_equal(ipc_send(a, slice_of(large, sizeof large), NULL, 0), RC_OK);
	assert_int_equal(ipc_receive(b, room, sizeof room, 0, &frame), RC_OK);
	assert_int_equal(frame.bytes.len, sizeof large);
	assert_int_equal(ipc_send(a, SLICE("12345"), NULL, 0), RC_OK);
	assert_int_equal(ipc_send(a, SLICE("1234"), NULL, 0), RC_OK);
	assert_int_equal(ipc_receive(b, room, 4, 0, &frame), RC_LIMIT);
	assert_int_equal(ipc_receive(b, room, 4, 0, &frame), RC_OK);
	assert_true(slice_eq(frame.bytes, SLICE("1234")));
	/* A reader that does not keep up. */
	enum rc rc = RC_OK;
	size_t  sent = 0;
	while (rc == RC_OK && sent < 1000) {
		rc = ipc_send(a, slice_of(large, sizeof large), NULL, 0);
		sent++;
	}
	assert_int_equal(rc, RC_AGAIN);
	file_close(&b);
	assert_int_equal(ipc_send(a, SLICE("x"), NULL, 0), RC_CLOSED);
	assert_int_equal(ipc_receive(a, room, sizeof room, 0, &frame), RC_CLOSED);
	file_close(&a);
}

static void test_frames_in_pieces(void **state)
{
	static const size_t  sizes[] = { 1, IPC_FRAME_MAX + 1, IPC_GATHER_MAX - 1, IPC_GATHER_MAX };
	static uint8_t       room[IPC_GATHER_MAX], large[IPC_GATHER_MAX];
	const int            little = 1;
	int                  a = -1, b = -1;
	struct ipc_frame     frame;

	(void)state;
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (uint8_t)(i * 31 + i / 253);
	assert_int_equal(ipc_pair(&a, &b), RC_OK);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		const struct slice pieces[IPC_PIECES_MAX] = { { NULL, 0 }, slice_of(large, sizes[i] / 3), { NULL, 0 },
			                                      slice_of(large + sizes[i] / 3, sizes[i] - sizes[i] / 3) };
		assert_int_equal(ipc_send_pieces(a, pieces, IPC_PIECES_MAX), RC_OK);
		assert_int_equal(ipc_receive(b, room, sizeof room, 0, &frame), RC_OK);
		assert_true(slice_eq(frame.bytes, slice_of(large, sizes[i])));
	}
	/* A kernel that was told to take less in one frame; what fits still goes. */
	assert_int_equal(setsockopt(a, SOL_SOCKET, SO_SNDBUF, &little, sizeof little), 0);
	const struct slice all = slice_of(large, sizeof large), word = SLICE("word");
	assert_int_equal(ipc_send_pieces(a, &all, 1), RC_LIMIT);
	assert_int_equal(ipc_send_pieces(a, &word, 1), RC_OK);
	assert_int_equal(ipc_receive(b, room, sizeof room, 0, &frame), RC_OK);
	assert_true(slice_eq(frame.bytes, word));
	file_close(&b);
	assert_int_equal(ipc_send_pieces(a, &word, 1), RC_CLOSED);
	file_close(&a);
}

static void test_descriptors(void **state)
{
	int              a = -1, b = -1, fds[IPC_FDS_MAX];
	uint8_t          room[16];
	struct ipc_frame frame;

	(void)state;
	assert_int_equal(ipc_pair(&a, &b), RC_OK);
	const int before = descriptors_open();
	for (size_t i = 0; i < IPC_FDS_MAX; i++)
		fds[i] = a;
	assert_int_equal(ipc_send(a, SLICE("all"), fds, IPC_FDS_MAX), RC_OK);
	assert_int_equal(ipc_receive(b, room, sizeof room, IPC_FDS_MAX, &frame), RC_OK);
	assert_int_equal(frame.fd_count, IPC_FDS_MAX);
	assert_int_equal(fcntl(frame.fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(descriptors_open(), before + (int)IPC_FDS_MAX);
	ipc_frame_close(&frame);
	assert_int_equal(descriptors_open(), before);
	/* One more than is wanted, none wanted, and a frame too large: nothing stays open. */
	assert_int_equal(ipc_send(a, SLICE("two"), fds, 2), RC_OK);
	assert_int_equal(ipc_receive(b, room, sizeof room, 1, &frame), RC_LIMIT);
	assert_int_equal(ipc_send(a, SLICE("one"), fds, 1), RC_OK);
	assert_int_equal(ipc_receive(b, room, sizeof room, 0, &frame), RC_LIMIT);
	assert_int_equal(ipc_send(a, SLICE("much too long for the room"), fds, 1), RC_OK);
	assert_int_equal(ipc_receive(b, room, sizeof room, 1, &frame), RC_LIMIT);
	assert_int_equal(descriptors_open(), before);
	file_close(&a);
	file_close(&b);
}

static void test_names(void **state)
{
	char             root[] = "/tmp/hangu-ipc-XXXXXX", path[64];
	int              dir = -1, listener = -1, client = -1, server = -1, second = -1;
	uint8_t          room[16];
	struct ipc_frame frame;
	struct ipc_peer  peer;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(file_dir_open(root, &dir), RC_OK);
	assert_int_equal(ipc_listen(dir, "control.sock", 0600, &listener), RC_OK);
	assert_int_equal(ipc_accept(listener, &server), RC_AGAIN);
	assert_int_equal(ipc_accept_trusted(listener, &server, &peer), RC_AGAIN);
	(void)snprintf(path, sizeof path, "%s/control.sock", root);
	assert_int_equal(ipc_connect(path, &client), RC_OK);
	assert_int_equal(ipc_accept_trusted(listener, &server, &peer), RC_OK);
	assert_int_equal(peer.pid, getpid());
	file_close(&client);
	file_close(&server);
	assert_int_equal(ipc_connect(path, &client), RC_OK);
	assert_int_equal(ipc_accept(listener, &server), RC_OK);
	assert_int_equal(ipc_send(client, SLICE("hello"), NULL, 0), RC_OK);
	assert_int_equal(ipc_wait(server, 0, 1000), RC_OK);
	assert_int_equal(ipc_receive(server, room, sizeof room, 0, &frame), RC_OK);
	assert_int_equal(ipc_wait(server, 0, 1), RC_TIMEOUT);
	assert_int_equal(ipc_wait(server, 1, 1000), RC_OK);
	assert_int_equal(ipc_peer(server, &peer), RC_OK);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, geteuid());
	assert_true(ipc_peer_trusted(&peer));
	peer.uid = geteuid() + 4711;
	assert_false(ipc_peer_trusted(&peer));
	file_close(&client);
	assert_int_equal(ipc_receive(server, room, sizeof room, 0, &frame), RC_CLOSED);
	file_close(&server);

	/* A stale socket is replaced; a file in the way is not. */
	file_close(&listener);
	assert_int_equal(ipc_connect_below(dir, "control.sock", &client), RC_CLOSED);
	assert_int_equal(ipc_listen(dir, "control.sock", 0600, &second), RC_OK);
	assert_int_equal(ipc_connect_below(dir, "control.sock", &client), RC_OK);
	file_close(&client);
	file_close(&second);
	assert_int_equal(file_replace(dir, "file", SLICE("text")), RC_OK);
	assert_int_equal(ipc_listen(dir, "file", 0600, &second), RC_EXISTS);
	assert_int_equal(ipc_connect_below(dir, "absent", &client), RC_NOTFOUND);
	assert_int_equal(ipc_connect("", &client), RC_LIMIT);
	char longest[200];
	memset(longest, 'x', sizeof longest);
	longest[199] = '\0';
	assert_int_equal(ipc_connect(longest, &client), RC_LIMIT);
	assert_int_equal(ipc_connect_below(dir, longest, &client), RC_LIMIT);
	assert_int_equal(file_remove(dir, "file"), RC_OK);
	assert_int_equal(file_remove(dir, "control.sock"), RC_OK);
	file_close(&dir);
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_frames_in_pieces),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
