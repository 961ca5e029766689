/* The supervisor's control frames: each word there and back, every way of cutting one, and descriptors that do not fit. */
#include "sys/role_wire.h"

#include "base/cursor.h"
#include "sys/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>

static struct role_message example(enum role_saying word)
{
	struct role_message message = {
		.word = word, .generation = 77, .index = 3, .deadline_ms = 30000, .text = SLICE("the key does not fit the certificate"), .fd = 0,
		.listener_count = 2,
	};

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(message.listeners[i].name, ROLE_NAME_MAX, "listener%zu", i);
		(void)snprintf(message.listeners[i].address, ROLE_NAME_MAX, "[::1]:%zu", 2500 + i);
		message.listeners[i].fd = (int)i + 1;
	}
	return message;
}

static size_t descriptors_of(enum role_saying word)
{
	if (word == ROLE_SAYS_PREPARE)
		return 3;
	return word == ROLE_SAYS_SCANNER || word == ROLE_SAYS_PEER;
}

static void test_there_and_back(void **state)
{
	static const int fds[IPC_FDS_MAX] = { 100, 101, 102 };
	struct buf       frame = buf_make(ROLE_WIRE_MAX);

	(void)state;
	for (int word = ROLE_SAYS_READY; word < ROLE_SAYS_END; word++) {
		const struct role_message sent = example((enum role_saying)word);
		struct role_message       got = { .generation = 1 };
		const size_t              count = descriptors_of(sent.word);

		buf_clear(&frame);
		role_wire_put(&sent, &frame);
		assert_false(frame.failed);
		assert_int_equal(role_wire_read(buf_slice(&frame), fds, count, &got), RC_OK);
		assert_int_equal(got.word, sent.word);
		assert_true(got.generation == 0 || got.generation == 77);
		assert_true(got.text.len == 0 || slice_eq(got.text, sent.text));
		assert_int_equal(got.fd, count != 0 ? 100 : -1);
		assert_int_equal(got.listener_count, word == ROLE_SAYS_PREPARE ? 2 : 0);
		if (word == ROLE_SAYS_PREPARE) {
			assert_string_equal(got.listeners[1].name, "listener1");
			assert_string_equal(got.listeners[1].address, "[::1]:2501");
			assert_int_equal(got.listeners[1].fd, 102);
		}
		/* Any shorter or longer frame, and any other number of descriptors, is refused and writes nothing. */
		got.generation = 4711;
		for (size_t size = 0; size < frame.len; size++)
			assert_int_equal(role_wire_read(slice_take(buf_slice(&frame), size), fds, count, &got), RC_SYNTAX);
		for (size_t other = 0; other < IPC_FDS_MAX; other++) {
			if (other != count)
				assert_int_equal(role_wire_read(buf_slice(&frame), fds, other, &got), RC_SYNTAX);
		}
		buf_put_byte(&frame, 0);
		assert_int_equal(role_wire_read(buf_slice(&frame), fds, count, &got), RC_SYNTAX);
		assert_int_equal(got.generation, 4711);
	}
	buf_done(&frame);
}

/* As SLICE, for the initialiser of a static table. */
#define BYTES(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

static void test_unlawful(void **state)
{
	static const struct {
		const char  *name;
		struct slice bytes;
		size_t       fds;
		enum rc      rc;
	} rows[] = {
		{ "nothing", { NULL, 0 }, 0, RC_SYNTAX },
		{ "another version", BYTES("\2\1"), 0, RC_UNSUPPORTED },
		{ "version nought", BYTES("\0\1"), 0, RC_UNSUPPORTED },
		{ "no word", BYTES("\1\0"), 0, RC_SYNTAX },
		{ "a word past the last", BYTES("\1\16"), 0, RC_SYNTAX },
		{ "word 255", BYTES("\1\377"), 0, RC_SYNTAX },
		{ "scanner 64 of 64", BYTES("\1\10\100\0\0\0"), 1, RC_LIMIT },
		{ "scanner 2^32-1", BYTES("\1\15\377\377\377\377"), 0, RC_LIMIT },
		{ "text longer than its frame", BYTES("\1\14\377\0\0\0why"), 0, RC_SYNTAX },
		{ "text of 4 GiB", BYTES("\1\14\377\377\377\377why"), 0, RC_SYNTAX },
		{ "listeners without names", BYTES("\1\2\1\0\0\0\0\0\0\0\1\0"), 2, RC_SYNTAX },
		{ "a NUL in a name", BYTES("\1\2\1\0\0\0\0\0\0\0\1\0\3\0\0\0a\0b\1\0\0\0c"), 2, RC_SYNTAX },
		{ "65,535 listeners", BYTES("\1\2\1\0\0\0\0\0\0\0\377\377"), 1, RC_SYNTAX },
	};
	static const int    fds[4] = { 100, 101, 102, 103 };
	struct role_message got = { .generation = 4711 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (role_wire_read(rows[i].bytes, fds, rows[i].fds, &got) != rows[i].rc)
			fail_msg("%s", rows[i].name);
	}
	assert_int_equal(got.generation, 4711);
}

static void test_names_at_their_bound(void **state)
{
	static const int fds[1] = { 5 };

	(void)state;
	for (size_t size = ROLE_NAME_MAX - 2; size <= ROLE_NAME_MAX; size++) {
		struct buf           bytes = buf_make(1000);
		struct role_listener out[ROLE_LISTENERS_MAX];
		size_t               count = 9;
		uint8_t              name[ROLE_NAME_MAX];

		memset(name, 'a', sizeof name);
		cursor_put_u16(&bytes, 1);
		cursor_put_block(&bytes, slice_of(name, size));
		cursor_put_block(&bytes, SLICE("1.2.3.4:25"));
		struct cursor c = cursor_on(buf_slice(&bytes));
		role_listeners_read(&c, fds, 1, out, &count);
		assert_int_equal(c.failed, size > ROLE_NAME_MAX - 1);
		assert_int_equal(count, c.failed ? 0 : 1);
		buf_done(&bytes);
	}
}

static void test_over_a_socket(void **state)
{
	int                 a = -1, b = -1;
	uint8_t             room[ROLE_WIRE_MAX];
	struct role_message got;
	struct role_message sent = example(ROLE_SAYS_PREPARE);
	uint8_t             much[2 * ROLE_WIRE_TEXT_MAX];

	(void)state;
	memset(much, 'w', sizeof much);
	assert_int_equal(ipc_pair(&a, &b), RC_OK);
	sent.fd = a;
	sent.listeners[0].fd = b;
	sent.listeners[1].fd = a;
	assert_int_equal(role_wire_send(a, &sent), RC_OK);
	assert_int_equal(role_wire_receive(b, room, &got), RC_OK);
	assert_true(got.fd > 2 && got.fd != a && fcntl(got.fd, F_GETFD) == FD_CLOEXEC);
	file_close(&got.fd);
	file_close(&got.listeners[0].fd);
	file_close(&got.listeners[1].fd);
	assert_int_equal(role_wire_say(a, ROLE_SAYS_SWITCH, 9), RC_OK);
	assert_int_equal(role_wire_receive(b, room, &got), RC_OK);
	assert_int_equal(got.generation, 9);
	/* A reason of any length arrives, cut. */
	assert_int_equal(role_wire_explain(a, ROLE_SAYS_REFUSED, 9, slice_of(much, sizeof much)), RC_OK);
	assert_int_equal(role_wire_receive(b, room, &got), RC_OK);
	assert_int_equal(got.text.len, ROLE_WIRE_TEXT_MAX);
	assert_int_equal(ipc_send(a, SLICE("\1\1junk"), &b, 1), RC_OK);
	assert_int_equal(role_wire_receive(b, room, &got), RC_SYNTAX);
	assert_int_equal(fcntl(b + 1, F_GETFD), -1); /* the descriptor that came with it is closed */
	assert_int_equal(role_wire_receive(b, room, &got), RC_AGAIN);
	file_close(&a);
	assert_int_equal(role_wire_receive(b, room, &got), RC_CLOSED);
	file_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_names_at_their_bound),
		cmocka_unit_test(test_over_a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
