/* What `hangu` and the supervisor say: each word there and back, cut anywhere, and with descriptors that do not belong. */
#include "sys/supervisor_wire.h"

#include "sys/file.h"
#include "sys/ipc.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

static void test_there_and_back(void **state)
{
	static const int fds[IPC_FDS_MAX] = { 100 };
	struct buf       frame = buf_make(SUPERVISOR_WIRE_MAX);

	(void)state;
	for (int word = SUPERVISOR_ASK_STATUS; word < SUPERVISOR_WORD_END; word++) {
		struct supervisor_message sent = { .word = (enum supervisor_word)word, .rc = RC_DENIED, .text = SLICE("gate 42 up"),
			                           .listener_count = 1 };
		struct supervisor_message got = { .listener_count = 4711 };
		const size_t              count = word == SUPERVISOR_SAYS_LISTENERS;

		(void)snprintf(sent.listeners[0].name, ROLE_NAME_MAX, "internet");
		(void)snprintf(sent.listeners[0].address, ROLE_NAME_MAX, "0.0.0.0:25");
		buf_clear(&frame);
		supervisor_wire_put(&sent, &frame);
		for (size_t size = 0; size < frame.len; size++)
			assert_int_equal(supervisor_wire_read(slice_take(buf_slice(&frame), size), fds, count, &got), RC_SYNTAX);
		for (size_t other = 0; other < IPC_FDS_MAX; other++) {
			if (other != count)
				assert_int_equal(supervisor_wire_read(buf_slice(&frame), fds, other, &got), RC_SYNTAX);
		}
		assert_int_equal(got.listener_count, 4711);
		assert_int_equal(supervisor_wire_read(buf_slice(&frame), fds, count, &got), RC_OK);
		assert_int_equal(got.word, sent.word);
		assert_int_equal(got.rc, word == SUPERVISOR_SAYS_DONE ? RC_DENIED : RC_OK);
		assert_int_equal(got.text.len, word == SUPERVISOR_SAYS_LINE ? sent.text.len : 0);
		assert_int_equal(got.listener_count, count);
		if (count != 0) {
			assert_string_equal(got.listeners[0].address, "0.0.0.0:25");
			assert_int_equal(got.listeners[0].fd, 100);
		}
		buf_put_byte(&frame, 0);
		assert_int_equal(supervisor_wire_read(buf_slice(&frame), fds, count, &got), RC_SYNTAX);
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
		enum rc      rc;
	} rows[] = {
		{ "nothing", { NULL, 0 }, RC_SYNTAX },
		{ "another version", BYTES("\2\1"), RC_UNSUPPORTED },
		{ "no word", BYTES("\1\0"), RC_SYNTAX },
		{ "a word past the last", BYTES("\1\11"), RC_SYNTAX },
		{ "a code past the last", BYTES("\1\10\20"), RC_SYNTAX },
		{ "a line longer than its frame", BYTES("\1\6\5\0\0\0four"), RC_SYNTAX },
		{ "a line of 4 GiB", BYTES("\1\6\377\377\377\377"), RC_SYNTAX },
		{ "a request that carries something", BYTES("\1\2x"), RC_SYNTAX },
	};
	struct supervisor_message got = { .listener_count = 4711 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (supervisor_wire_read(rows[i].bytes, NULL, 0, &got) != rows[i].rc)
			fail_msg("%s", rows[i].name);
	}
	assert_int_equal(got.listener_count, 4711);
}

static void test_over_a_socket(void **state)
{
	int                       a = -1, b = -1;
	uint8_t                   room[SUPERVISOR_WIRE_MAX], much[2 * SUPERVISOR_WIRE_LINE_MAX];
	struct supervisor_message message = { .word = SUPERVISOR_SAYS_LINE }, got;

	(void)state;
	memset(much, 'l', sizeof much);
	message.text = slice_of(much, sizeof much);
	assert_int_equal(ipc_pair(&a, &b), RC_OK);
	assert_int_equal(supervisor_wire_send(a, &message), RC_OK);
	assert_int_equal(supervisor_wire_receive(b, room, &got), RC_OK);
	assert_int_equal(got.text.len, SUPERVISOR_WIRE_LINE_MAX);
	/* The most listeners there can be, with their longest names. */
	message = (struct supervisor_message){ .word = SUPERVISOR_SAYS_LISTENERS, .listener_count = ROLE_LISTENERS_MAX };
	for (size_t i = 0; i < ROLE_LISTENERS_MAX; i++) {
		memset(message.listeners[i].name, 'n', ROLE_NAME_MAX - 1);
		memset(message.listeners[i].address, 'a', ROLE_NAME_MAX - 1);
		message.listeners[i].fd = a;
	}
	assert_int_equal(supervisor_wire_send(a, &message), RC_OK);
	assert_int_equal(supervisor_wire_receive(b, room, &got), RC_OK);
	assert_int_equal(got.listener_count, ROLE_LISTENERS_MAX);
	for (size_t i = 0; i < ROLE_LISTENERS_MAX; i++)
		file_close(&got.listeners[i].fd);
	file_close(&a);
	assert_int_equal(supervisor_wire_receive(b, room, &got), RC_CLOSED);
	file_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_over_a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
