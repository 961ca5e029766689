/* Reading settings at arm's length: what the supervisor learns, what it never gets to see, and how a mistake is told. */
#include "daemon/setup.h"

#include "base/digest.h"
#include "daemon/inside.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/slab.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/hangu-setup-XXXXXX";
static char path[64];
static int  dir = -1;

static void write_settings(const char *text)
{
	assert_int_equal(file_replace(dir, "hangu.conf", slice_str(text)), RC_OK);
}

static const char good[] =
	"[gateway]\nhostname = gateway.example\nuser = nobody\nstate = /var/lib/hangu-test\nrun = /run/hangu-test\ndrain = 7s\n"
	"[listener internet]\naddress = 127.0.0.1:2525, [::1]:2525\n"
	"[listener inner]\nrole = internal\naddress = 127.0.0.1:2587\npeers = 127.0.0.0/8\n"
	"[domain example.cn]\nrecipients = list\nrecipient_file = people\n"
	"[route all]\ndomains = *\nhosts = 127.0.0.1:2526\n"
	"[scanner]\ncount = 3\nmemory_max = 256M\n[metrics]\naddress = 127.0.0.1:9925\n[log]\nformat = json\nlevel = notice\n";

static void test_what_is_learnt(void **state)
{
	struct setup  setup;
	struct bundle bundle = BUNDLE_NONE;
	struct buf    why = buf_make(SETUP_WHY_MAX);
	struct slab  *mapped[2] = { NULL, NULL };

	(void)state;
	assert_int_equal(file_replace(dir, "people", SLICE("postmaster\nsecret-person\n")), RC_OK);
	write_settings(good);
	const enum rc rc = setup_read(path, &bundle, &setup, &why);
	if (rc != RC_OK)
		fail_msg("%.*s", (int)why.len, (const char *)why.ptr);
	assert_string_equal(setup.user, "nobody");
	assert_string_equal(setup.state, "/var/lib/hangu-test");
	assert_string_equal(setup.run, "/run/hangu-test");
	assert_string_equal(setup.metrics, "127.0.0.1:9925");
	assert_int_equal(setup.drain_ms, 7000);
	assert_int_equal(setup.scanner_count, 3);
	assert_int_equal(setup.scanner_memory_max, 256u << 20);
	assert_int_equal(setup.log_form, LOG_FORM_JSON);
	assert_int_equal(setup.log_least, LOG_LEVEL_NOTICE);
	assert_int_equal(setup.listener_count, 3);
	assert_string_equal(setup.listeners[1].name, "internet");
	assert_string_equal(setup.listeners[1].address, "[::1]:2525");
	assert_string_equal(setup.listeners[2].name, "inner");
	assert_int_equal(setup.listeners[2].fd, -1);
	/* The gate's part has the files; the other one does not, and neither can be changed. */
	assert_int_equal(setup_map(bundle.whole, &mapped[0]), RC_OK);
	assert_int_equal(setup_map(bundle.public_part, &mapped[1]), RC_OK);
	const struct slice whole = slab_bytes(mapped[0]), part = slab_bytes(mapped[1]);
	assert_true(slice_search(whole, SLICE("secret-person")) < whole.len);
	assert_true(slice_search(part, SLICE("secret-person")) == part.len);
	assert_true(slice_search(part, SLICE("gateway.example")) < part.len);
	assert_int_equal(write(bundle.whole, "x", 1), -1);
	slab_close(&mapped[0]);
	slab_close(&mapped[1]);
	bundle_close(&bundle);
	assert_int_equal(bundle.whole, -1);
	buf_done(&why);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* the reader was collected */
}

/* What settings_check() notes reaches the supervisor, in whole lines and never more than a frame takes. */
static void test_notes(void **state)
{
	static const char head[] = "[gateway]\nhostname = gateway.example\n[listener internet]\naddress = 127.0.0.1:2525\n"
	                           "[route all]\ndomains = *\nhosts = 127.0.0.1:2526\nmode = through\nthrough_wait = ";
	static const struct {
		const char *name, *wait;
		unsigned    domains; /* each a note of its own */
		const char *told;    /* NULL: nothing */
	} rows[] = {
		{ "nothing to say", "30s\n", 0, NULL },
		{ "one line", "31s\n", 0, "this counts as 30s\n" },
		{ "what v0.1.0 took", "2m\n", 0, "this counts as 30s\n" },
		{ "more than a frame", "30s\n", 200, "there are more notes: hangu check tells them\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct setup  setup;
		struct bundle bundle = BUNDLE_NONE;
		struct buf    why = buf_make(SETUP_WHY_MAX), text = buf_make(1u << 20);
		buf_put_str(&text, head);
		buf_put_str(&text, rows[i].wait);
		for (unsigned domain = 0; domain < rows[i].domains; domain++)
			buf_printf(&text, "[domain d%u.example]\n", domain);
		assert_int_equal(file_replace(dir, "hangu.conf", buf_slice(&text)), RC_OK);
		const enum rc rc = setup_read(path, &bundle, &setup, &why);
		if (rc != RC_OK)
			fail_msg("%s: %.*s", rows[i].name, (int)why.len, (const char *)why.ptr);
		assert_false(why.failed);
		if (rows[i].told == NULL)
			assert_int_equal(why.len, 0);
		else if (!slice_ends(buf_slice(&why), slice_str(rows[i].told)))
			fail_msg("%s: %.*s", rows[i].name, (int)why.len, (const char *)why.ptr);
		bundle_close(&bundle);
		buf_done(&why);
		buf_done(&text);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *name, *text, *told;
	} rows[] = {
		{ "no such key", "[gateway]\nhostname = a.example\nnonsense = 1\n", "hangu.conf:3:" },
		{ "no hostname", "[gateway]\nuser = nobody\n", "hostname" },
		{ "not a settings file", "\x7f" "ELF", "hangu.conf:1:" },
		{ "empty", "", "hangu.conf" },
		{ "a file that is not there", "[gateway]\nhostname = a.example\n[listener x]\naddress = 127.0.0.1:2525\ntls = starttls\ncertificate = c\n"
		  "[certificate c]\nfile = absent.pem\nkey = absent.pem\n", "absent.pem" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct setup  setup = { .drain_ms = 4711 };
		struct bundle bundle = BUNDLE_NONE;
		struct buf    why = buf_make(SETUP_WHY_MAX);
		write_settings(rows[i].text);
		assert_true(setup_read(path, &bundle, &setup, &why) != RC_OK);
		if (slice_search(buf_slice(&why), slice_str(rows[i].told)) == why.len)
			fail_msg("%s: %.*s", rows[i].name, (int)why.len, (const char *)why.ptr);
		assert_int_equal(setup.drain_ms, 4711);
		assert_int_equal(bundle.whole, -1);
		buf_done(&why);
	}
	struct setup  setup;
	struct bundle bundle = BUNDLE_NONE;
	struct buf    why = buf_make(SETUP_WHY_MAX);
	assert_true(setup_read("/nonexistent/hangu.conf", &bundle, &setup, &why) != RC_OK);
	assert_true(slice_search(buf_slice(&why), SLICE("/nonexistent/hangu.conf")) < why.len);
	buf_done(&why);
}

static void test_a_reader_that_lies_or_dies(void **state)
{
	static const struct {
		struct slice bytes;
		enum rc      rc;
	} rows[] = { { { (const uint8_t *)"y", 1 }, RC_SYNTAX }, { { (const uint8_t *)"nwhy", 4 }, RC_SYNTAX }, { { NULL, 0 }, RC_CLOSED } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct setup_reading reading = { .pid = 0 };
		struct setup         setup;
		struct bundle        bundle = BUNDLE_NONE;
		struct buf           why = buf_make(SETUP_WHY_MAX);
		int                  theirs = -1;
		assert_int_equal(ipc_pair(&reading.channel, &theirs), RC_OK);
		assert_int_equal(setup_finish(&reading, &bundle, &setup, &why), RC_AGAIN);
		if (rows[i].bytes.len != 0)
			assert_int_equal(ipc_send(theirs, rows[i].bytes, NULL, 0), RC_OK);
		file_close(&theirs);
		assert_int_equal(setup_finish(&reading, &bundle, &setup, &why), rows[i].rc);
		assert_int_equal(reading.channel, -1);
		assert_int_equal(bundle.whole, -1);
		buf_done(&why);
	}
	/* Descriptors that are no sealed memory. */
	struct setup_reading reading = { .pid = 0 };
	struct setup         setup;
	struct bundle        bundle = BUNDLE_NONE;
	struct buf           why = buf_make(SETUP_WHY_MAX);
	int                  theirs = -1;
	const int            fds[2] = { dir, dir };
	assert_int_equal(ipc_pair(&reading.channel, &theirs), RC_OK);
	assert_int_equal(ipc_send(theirs, SLICE("y"), fds, 2), RC_OK);
	assert_true(setup_finish(&reading, &bundle, &setup, &why) != RC_OK);
	assert_int_equal(bundle.whole, -1);
	file_close(&theirs);
	buf_done(&why);
}

static void test_takeover_of_nobody(void **state)
{
	struct listeners taken = { .count = 0 };
	struct fault     fault;
	int              connection = -1, listener = -1;

	(void)state;
	assert_int_equal(takeover_ask(dir, &taken, &connection, &fault), RC_NOTFOUND);
	assert_int_equal(ipc_listen(dir, "supervisor.sock", 0600, &listener), RC_OK);
	file_close(&listener); /* what a crash leaves */
	assert_int_equal(takeover_ask(dir, &taken, &connection, &fault), RC_CLOSED);
	assert_int_equal(connection, -1);
	assert_int_equal(file_remove(dir, "supervisor.sock"), RC_OK);
}

/* Two supervisors that have only what a takeover looks at. */
static void test_takeover(void **state)
{
	static struct supervisor old = { .metrics = -1 };
	struct listeners         none = { .count = 0 }, taken = { .count = 0 };
	struct role_listener     wanted[1] = { { .name = "internet", .address = "127.0.0.1:24781", .fd = -1 } };
	struct buf               why = buf_make(500);
	struct fault             fault = { 0 };
	int                      listener = -1, connection = -1;

	(void)state;
	assert_int_equal(listeners_open(wanted, 1, &none, &old.listeners, &why), RC_OK);
	old.metrics = old.listeners.items[0].fd;
	assert_int_equal(ipc_listen(dir, "supervisor.sock", 0600, &listener), RC_OK);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		uint8_t                   room[SUPERVISOR_WIRE_MAX];
		struct supervisor_message message;
		int                       fd = -1;
		if (ipc_wait(listener, 0, 5000) != RC_OK || ipc_accept(listener, &fd) != RC_OK || ipc_wait(fd, 0, 5000) != RC_OK ||
		    supervisor_wire_receive(fd, room, &message) != RC_OK || message.word != SUPERVISOR_ASK_TAKEOVER ||
		    takeover_give(&old, fd) != RC_OK)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(takeover_ask(dir, &taken, &connection, &fault), RC_OK);
	assert_int_equal(taken.count, 2);
	assert_string_equal(taken.items[0].address, "127.0.0.1:24781");
	assert_string_equal(taken.items[1].name, "@metrics");
	assert_int_equal(takeover_wait(connection, 5000), RC_OK);
	int status = 1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	file_close(&connection);
	listeners_close(&taken);
	listeners_close(&old.listeners);
	file_close(&listener);
	assert_int_equal(file_remove(dir, "supervisor.sock"), RC_OK);
	buf_done(&why);
}

static int set_up(void **state)
{
	(void)state;
	if (digest_ready() != RC_OK || mkdtemp(root) == NULL || file_dir_open(root, &dir) != RC_OK)
		return -1;
	(void)snprintf(path, sizeof path, "%s/hangu.conf", root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlinkat(dir, "hangu.conf", 0);
	(void)unlinkat(dir, "people", 0);
	file_close(&dir);
	return rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_learnt),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_a_reader_that_lies_or_dies),
		cmocka_unit_test(test_takeover_of_nobody),
		cmocka_unit_test(test_takeover),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
