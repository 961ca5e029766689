/* Tests of sessions that live through a change of settings. See harness/session_rig.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness/session_rig.h"

/* What a reload does. */
static void change(struct rig *rig, const char *listener, const char *more)
{
	struct config *fresh = settings_of(rig, listener, more);

	config_drop(&rig->gate.config);
	config_drop(&rig->home->config);
	rig->gate.config = fresh;
	rig->home->config = config_hold(fresh);
	assert_int_equal(outbound_config(rig->gate.outbound, fresh), RC_OK);
}

static void the_next_message_goes_by_the_new_settings(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, "message_size_max = 1M", "", NULL, 0);
	struct config *old = config_hold(rig.gate.config);
	greeted(&rig);
	talk(&rig, "MAIL FROM:<s@example.org> SIZE=100000\r\n", "250 2.1.0");
	change(&rig, "message_size_max = 64K", "[domain more.example]\nrecipients = any\n");
	/* The message that is under way does not notice. */
	talk(&rig, "RCPT TO:<r@more.example>\r\n", "550 5.7.1");
	talk(&rig, "RCPT TO:<r@example.net>\r\nDATA\r\n", "354 ");
	talk(&rig, message, "250 2.0.0 Ok: kept as");
	assert_true(atomic_load(&old->holders) > 1);
	talk(&rig, "MAIL FROM:<s@example.org> SIZE=100000\r\n", "552 5.3.4");
	talk(&rig, "MAIL FROM:<s@example.org>\r\nRCPT TO:<r@more.example>\r\nDATA\r\n", "354 ");
	talk(&rig, message, "250 2.0.0 Ok: kept as");
	talk(&rig, "EHLO c.example\r\n", "SIZE 65536\r\n");
	/* Nobody else keeps the old ones. */
	UNTIL(&rig, atomic_load(&old->holders) == 1, WITH_JOURNAL);
	config_drop(&old);
	rig_down(&rig);
}

static void what_was_offered_stays_until_the_next_ehlo(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, "chunking = yes", "", NULL, 0);
	greeted(&rig);
	change(&rig, "chunking = no", "");
	talk(&rig, "MAIL FROM:<s@example.org>\r\nRCPT TO:<r@example.net>\r\nBDAT 5 LAST\r\n\r\na\r\n", "250 2.0.0 Ok: kept as");
	talk(&rig, "EHLO c.example\r\n", "250 ");
	assert_false(heard(&rig, "CHUNKING"));
	talk(&rig, "MAIL FROM:<s@example.org>\r\nRCPT TO:<r@example.net>\r\nBDAT 5 LAST\r\n\r\na\r\n", "502 5.5.1");
	rig_down(&rig);
}

static void who_may_not_be_there_any_more_is_told(void **state)
{
	static const struct {
		const char *name, *before, *after;
	} rows[] = {
		{ "its address is not allowed", "", "peers = 203.0.113.0/24" },
		{ "its listener has gone", "", "tls = none\n[listener other]\naddress = 127.0.0.1:26\nrole = internet\n" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rig rig;

		rig_up(&rig, rows[i].before, "", NULL, 0);
		greeted(&rig);
		change(&rig, rows[i].after, "");
		if (i == 1) /* the one that is there has another name now */
			((struct gate_listener_settings *)(uintptr_t)rig.home->config->listeners[0].settings)->name = SLICE("third");
		talk(&rig, "NOOP\r\n", "421 4.3.2 The settings have changed");
		assert_false(heard(&rig, "250 "));
		assert_non_null(refused(&rig, "settings_changed"));
		UNTIL(&rig, rig.client < 0, WITH_JOURNAL);
		rig_down(&rig);
	}
}

/* Who passes clients on with XCLIENT is the one whose address was looked at, and whose certificate it was. */
static void who_passes_clients_on_stays(void **state)
{
	static const char passes[] = "peers = 192.0.2.0/24\nxclient = 192.0.2.1";
	struct rig        rig;
	(void)state;

	rig_up(&rig, passes, "", NULL, 0);
	greeted(&rig);
	the_session(&rig)->certificate = true;
	talk(&rig, "MAIL FROM:<s@example.org>\r\nRCPT TO:<r@else.example>\r\n", "250 2.1.5");
	talk(&rig, "RSET\r\nXCLIENT ADDR=198.51.100.7\r\n", "220 ");
	talk(&rig, "EHLO c.example\r\nMAIL FROM:<s@example.org>\r\nRCPT TO:<r@else.example>\r\n", "550 5.7.1");
	change(&rig, passes, "");
	talk(&rig, "RSET\r\nXCLIENT ADDR=198.51.100.8\r\n", "220 ");
	change(&rig, "peers = 192.0.2.0/24", "");
	talk(&rig, "EHLO c.example\r\nXCLIENT ADDR=198.51.100.9\r\n", "550 ");
	change(&rig, "peers = 198.51.100.0/24", "");
	talk(&rig, "NOOP\r\n", "421 4.3.2 The settings have changed");
	rig_down(&rig);
}

/* Its place among its listener's connections goes with it. */
static void it_is_counted_where_its_listener_stands_now(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, "", "", NULL, 0);
	greeted(&rig);
	assert_int_equal(atomic_load(&rig.gate.listener_sessions[0]), 1);
	change(&rig, "\n[listener other]\naddress = 127.0.0.1:26\nrole = internet\n", "");
	/* As if the other one stood first in the file. */
	((struct gate_listener_settings *)(uintptr_t)rig.home->config->listeners[0].settings)->name = SLICE("other");
	((struct gate_listener_settings *)(uintptr_t)rig.home->config->listeners[1].settings)->name = SLICE("main");
	talk(&rig, "NOOP\r\n", "250 ");
	assert_int_equal(atomic_load(&rig.gate.listener_sessions[0]), 0);
	assert_int_equal(atomic_load(&rig.gate.listener_sessions[1]), 1);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_message_goes_by_the_new_settings),
		cmocka_unit_test(what_was_offered_stays_until_the_next_ehlo),
		cmocka_unit_test(who_may_not_be_there_any_more_is_told),
		cmocka_unit_test(who_passes_clients_on_stays),
		cmocka_unit_test(it_is_counted_where_its_listener_stands_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
