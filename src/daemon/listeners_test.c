/* Binding: what becomes a socket, what is kept, what is refused with which words. */
#include "daemon/listeners.h"

#include "daemon/notify.h"
#include "sys/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A port of loopback that is free now. */
static unsigned free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          size = sizeof address;
	const int          fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

static struct role_listener wanted(const char *name, const char *host, unsigned port)
{
	struct role_listener listener = { .fd = -1 };

	(void)snprintf(listener.name, sizeof listener.name, "%s", name);
	(void)snprintf(listener.address, sizeof listener.address, "%s:%u", host, port);
	return listener;
}

static bool same_socket(int one, int two)
{
	uint64_t  a = 0, b = 0;
	socklen_t size = sizeof a;

	return getsockopt(one, SOL_SOCKET, SO_COOKIE, &a, &size) == 0 && getsockopt(two, SOL_SOCKET, SO_COOKIE, &b, &size) == 0 && a == b;
}

static void test_unlawful(void **state)
{
	static const struct {
		const char *address;
		bool        loopback;
		enum rc     rc;
	} rows[] = {
		{ "", false, RC_SYNTAX }, { "127.0.0.1", false, RC_SYNTAX }, { "localhost:25", false, RC_SYNTAX }, { "127.0.0.1:0", false, RC_SYNTAX },
		{ "127.0.0.1:65536", false, RC_SYNTAX }, { "[::1]:", false, RC_SYNTAX }, { "0.0.0.0:9100", true, RC_SYNTAX },
		{ "192.0.2.1:2525", true, RC_SYNTAX }, { "192.0.2.1:2525", false, RC_NOTFOUND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf why = buf_make(500);
		int        fd = -1;
		assert_int_equal(listeners_bind(rows[i].address, rows[i].loopback, &fd, &why), rows[i].rc);
		assert_int_equal(fd, -1);
		assert_true(why.len != 0);
		buf_done(&why);
	}
}

static void test_kept_over_a_reload(void **state)
{
	const unsigned             one = free_port(), two = free_port(), three = free_port();
	const struct role_listener first[] = { wanted("internet", "127.0.0.1", one), wanted("internal", "127.0.0.1", two) };
	/* The order changes, one goes, one comes, one has another name. */
	const struct role_listener second[] = { wanted("extern", "127.0.0.1", three), wanted("internal2", "127.0.0.1", two) };
	const struct listeners     none = { .count = 0 };
	struct listeners           before, after;
	struct buf                 why = buf_make(500);

	(void)state;
	assert_int_equal(listeners_open(first, 2, &none, &before, &why), RC_OK);
	assert_int_equal(before.count, 2);
	assert_int_equal(listeners_open(second, 2, &before, &after, &why), RC_OK);
	assert_string_equal(after.items[1].name, "internal2");
	assert_true(same_socket(after.items[1].fd, before.items[1].fd));
	assert_true(after.items[1].fd != before.items[1].fd);
	assert_false(same_socket(after.items[0].fd, before.items[0].fd));
	/* Whoever holds the address may be bound again only when the last copy is closed. */
	int fd = -1;
	listeners_close(&before);
	assert_int_equal(listeners_bind(second[1].address, false, &fd, &why), RC_EXISTS);
	listeners_close(&after);
	assert_int_equal(listeners_bind(second[1].address, true, &fd, &why), RC_OK);
	file_close(&fd);
	buf_done(&why);
}

static void test_all_or_nothing(void **state)
{
	const unsigned         one = free_port(), taken = free_port();
	const struct listeners none = { .count = 0 };
	struct listeners       out = { .count = 4711 };
	struct buf             why = buf_make(500);
	int                    somebody = -1, again = -1;
	struct role_listener   both[] = { wanted("a", "127.0.0.1", one), wanted("b", "127.0.0.1", taken) };

	(void)state;
	assert_int_equal(listeners_bind(both[1].address, false, &somebody, &why), RC_OK);
	assert_int_equal(listeners_open(both, 2, &none, &out, &why), RC_EXISTS);
	assert_int_equal(out.count, 4711);
	assert_true(slice_search(buf_slice(&why), slice_str(both[1].address)) == 0);
	/* The first one was let go. */
	assert_int_equal(listeners_bind(both[0].address, false, &again, &why), RC_OK);
	file_close(&again);
	file_close(&somebody);
	buf_done(&why);
}

static void test_both_families_on_one_port(void **state)
{
	const unsigned             port = free_port();
	const struct role_listener both[] = { wanted("a", "127.0.0.1", port), wanted("a", "[::1]", port) };
	const struct listeners     none = { .count = 0 };
	struct listeners           out;
	struct buf                 why = buf_make(500);
	const enum rc              rc = listeners_open(both, 2, &none, &out, &why);

	(void)state;
	if (rc == RC_NOTFOUND) {
		print_message("skipped: this machine has no IPv6\n");
		skip();
	}
	assert_int_equal(rc, RC_OK);
	listeners_close(&out);
	buf_done(&why);
}

static void test_readiness(void **state)
{
	char               path[] = "/tmp/hangu-notify-XXXXXX", name[64], text[200] = "";
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	/* Without the variable, and with ones that are no socket, nothing happens. */
	(void)unsetenv("NOTIFY_SOCKET");
	notify_open();
	notify_send("READY=1");
	assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
	notify_open();
	assert_int_equal(notify_descriptor(), -1);
	assert_int_equal(setenv("NOTIFY_SOCKET", "/tmp/hangu-no-such-socket", 1), 0);
	notify_open();
	assert_int_equal(notify_descriptor(), -1);

	assert_non_null(mkdtemp(path));
	(void)snprintf(name, sizeof name, "%s/s", path);
	memcpy(address.sun_path, name, strlen(name));
	const int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	notify_open();
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_send("READY=1");
	assert_int_equal(recv(manager, text, sizeof text - 1, MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	notify_reloading();
	assert_true(recv(manager, text, sizeof text - 1, MSG_DONTWAIT) > 30);
	assert_memory_equal(text, "RELOADING=1\nMONOTONIC_USEC=", 27);
	(void)close(manager);
	notify_send("READY=1"); /* nobody there any more */
	(void)unlink(name);
	(void)rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_kept_over_a_reload),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_both_families_on_one_port),
		cmocka_unit_test(test_readiness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
