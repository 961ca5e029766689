/* Tests of queue/retry: what replies mean, when the next attempt is, how windows move. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/retry.h"

#define NONE   { 0, 0, 0, 0 }
#define PLAIN(code) { (code), 0, 0, 0 }

static void replies_mean_what_the_table_says(void **state)
{
	static const struct {
		const char        *name;
		enum retry_stage   stage;
		struct retry_reply reply;
		bool               accepted_before;
		enum retry_answer  answer;
	} rows[] = {
		{ "delivered", RETRY_STAGE_END, { 250, 2, 0, 0 }, true, RETRY_DELIVERED },
		{ "greylisted", RETRY_STAGE_RCPT, { 451, 4, 7, 1 }, false, RETRY_DEFER },
		{ "unknown user", RETRY_STAGE_RCPT, { 550, 5, 1, 1 }, true, RETRY_BOUNCE },
		{ "too many recipients", RETRY_STAGE_RCPT, { 452, 4, 5, 3 }, true, RETRY_AGAIN_NOW },
		{ "too many, said by the first one", RETRY_STAGE_RCPT, { 452, 4, 5, 3 }, false, RETRY_DEFER },
		{ "too many, old server", RETRY_STAGE_RCPT, PLAIN(552), true, RETRY_AGAIN_NOW },
		{ "too many, plain 452", RETRY_STAGE_RCPT, PLAIN(452), true, RETRY_AGAIN_NOW },
		{ "mailbox full for now", RETRY_STAGE_RCPT, { 452, 4, 2, 2 }, true, RETRY_DEFER },
		{ "mailbox full", RETRY_STAGE_RCPT, { 552, 5, 2, 2 }, true, RETRY_BOUNCE },
		{ "system storage", RETRY_STAGE_RCPT, { 452, 4, 3, 1 }, true, RETRY_DEFER },
		{ "452 is not about recipients after DATA", RETRY_STAGE_DATA, PLAIN(452), true, RETRY_DEFER },
		{ "message too big at MAIL", RETRY_STAGE_MAIL, { 552, 5, 3, 4 }, false, RETRY_BOUNCE },
		{ "storage at MAIL", RETRY_STAGE_MAIL, PLAIN(452), false, RETRY_DEFER },
		{ "refused connection", RETRY_STAGE_CONNECT, NONE, false, RETRY_NEXT_HOST },
		{ "greeting 421", RETRY_STAGE_GREETING, PLAIN(421), false, RETRY_NEXT_HOST },
		{ "greeting 554", RETRY_STAGE_GREETING, PLAIN(554), false, RETRY_NEXT_HOST },
		{ "EHLO refused", RETRY_STAGE_HELLO, PLAIN(550), false, RETRY_NEXT_HOST },
		{ "no STARTTLS where it must be", RETRY_STAGE_TLS, PLAIN(454), false, RETRY_NEXT_HOST },
		{ "wrong password", RETRY_STAGE_AUTH, { 535, 5, 7, 8 }, false, RETRY_NEXT_HOST },
		{ "421 at MAIL", RETRY_STAGE_MAIL, PLAIN(421), false, RETRY_NEXT_HOST },
		{ "421 at RCPT", RETRY_STAGE_RCPT, PLAIN(421), true, RETRY_NEXT_HOST },
		{ "lost at RCPT", RETRY_STAGE_RCPT, NONE, true, RETRY_NEXT_HOST },
		{ "DATA refused for good", RETRY_STAGE_DATA, PLAIN(554), true, RETRY_BOUNCE },
		{ "lost in the body", RETRY_STAGE_BODY, NONE, true, RETRY_DEFER },
		{ "chunk refused", RETRY_STAGE_BODY, PLAIN(552), true, RETRY_BOUNCE },
		{ "lost after the dot", RETRY_STAGE_END, NONE, true, RETRY_UNCERTAIN },
		{ "421 after the dot is an answer", RETRY_STAGE_END, PLAIN(421), true, RETRY_DEFER },
		{ "not redundant (I-6)", RETRY_STAGE_END, { 451, 4, 4, 0 }, true, RETRY_DEFER },
		{ "content refused", RETRY_STAGE_END, { 554, 5, 7, 1 }, true, RETRY_BOUNCE },
		{ "3xx where none belongs", RETRY_STAGE_RCPT, PLAIN(354), true, RETRY_DEFER },
		{ "null MX", RETRY_STAGE_ROUTE, { 556, 5, 1, 10 }, false, RETRY_BOUNCE },
		{ "no such domain now", RETRY_STAGE_ROUTE, PLAIN(451), false, RETRY_DEFER },
		{ "no name server", RETRY_STAGE_ROUTE, NONE, false, RETRY_DEFER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum retry_answer answer = retry_judge(rows[i].stage, rows[i].reply, rows[i].accepted_before);

		if (answer != rows[i].answer)
			print_error("row \"%s\": %s\n", rows[i].name, retry_answer_word(answer));
		assert_int_equal(answer, rows[i].answer);
	}
}

static void every_stage_and_code_has_an_answer(void **state)
{
	(void)state;
	for (unsigned stage = 0; stage < RETRY_STAGE_COUNT; stage++)
		for (unsigned code = 0; code <= 1000; code++) {
			struct retry_reply reply = { (uint16_t)code, 0, 0, 0 };
			enum retry_answer answer = retry_judge((enum retry_stage)stage, reply, (code & 1) != 0);
			struct retry_reply status = retry_status((enum retry_stage)stage, reply, answer);

			assert_true(answer < RETRY_ANSWER_COUNT);
			assert_true(status.class == 2 || status.class == 4 || status.class == 5);
			assert_true((answer == RETRY_BOUNCE) == (status.class == 5));
			if (answer == RETRY_UNCERTAIN)
				assert_true(stage == RETRY_STAGE_END && code == 0);
			if (answer == RETRY_DELIVERED)
				assert_true(stage == RETRY_STAGE_END && code / 100 == 2);
		}
	assert_string_equal(retry_stage_word(RETRY_STAGE_COUNT), "unknown");
	assert_string_equal(retry_answer_word(RETRY_ANSWER_COUNT), "unknown");
}

static void a_status_is_made_where_none_was_said(void **state)
{
	static const struct {
		const char        *name;
		enum retry_stage   stage;
		struct retry_reply reply;
		enum retry_answer  answer;
		unsigned           class, subject, detail;
	} rows[] = {
		{ "its own", RETRY_STAGE_RCPT, { 550, 5, 1, 1 }, RETRY_BOUNCE, 5, 1, 1 },
		{ "none at RCPT", RETRY_STAGE_RCPT, PLAIN(550), RETRY_BOUNCE, 5, 1, 0 },
		{ "no answer", RETRY_STAGE_CONNECT, NONE, RETRY_DEFER, 4, 4, 1 },
		{ "lost line", RETRY_STAGE_END, NONE, RETRY_UNCERTAIN, 4, 4, 2 },
		{ "a 5xx greeting only defers", RETRY_STAGE_GREETING, { 554, 5, 7, 1 }, RETRY_DEFER, 4, 3, 2 },
		{ "class and code disagree", RETRY_STAGE_RCPT, { 550, 4, 1, 1 }, RETRY_BOUNCE, 5, 1, 1 },
		{ "deferred for so long that it bounces", RETRY_STAGE_RCPT, { 451, 4, 7, 1 }, RETRY_BOUNCE, 5, 7, 1 },
		{ "delivered without a code", RETRY_STAGE_END, PLAIN(250), RETRY_DELIVERED, 2, 0, 0 },
		{ "TLS failed", RETRY_STAGE_TLS, NONE, RETRY_DEFER, 4, 7, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct retry_reply status = retry_status(rows[i].stage, rows[i].reply, rows[i].answer);

		if (status.class != rows[i].class || status.subject != rows[i].subject || status.detail != rows[i].detail)
			print_error("row \"%s\": %u.%u.%u\n", rows[i].name, status.class, status.subject, status.detail);
		assert_int_equal(status.class, rows[i].class);
		assert_int_equal(status.subject, rows[i].subject);
		assert_int_equal(status.detail, rows[i].detail);
	}
}

static void strain_halves_the_window(void **state)
{
	struct retry_window window = retry_window_make(20);

	(void)state;
	assert_int_equal(window.limit, 5);
	for (int i = 0; i < 4; i++)
		retry_window_success(&window);
	assert_int_equal(window.limit, 5);
	retry_window_success(&window);
	assert_int_equal(window.limit, 6);
	for (int i = 0; i < 1000; i++)
		retry_window_success(&window);
	assert_int_equal(window.limit, 20);
	retry_window_strain(&window);
	assert_int_equal(window.limit, 10);
	for (int i = 0; i < 10; i++)
		retry_window_strain(&window);
	assert_int_equal(window.limit, 1);
	retry_window_success(&window);
	assert_int_equal(window.limit, 2);
	retry_window_bound(&window, 1);
	assert_int_equal(window.limit, 1);
	assert_int_equal(retry_window_make(2).limit, 2);

	assert_true(retry_is_strain(RETRY_STAGE_CONNECT, (struct retry_reply)NONE));
	assert_true(retry_is_strain(RETRY_STAGE_RCPT, (struct retry_reply)PLAIN(421)));
	assert_true(retry_is_strain(RETRY_STAGE_GREETING, (struct retry_reply)PLAIN(450)));
	assert_false(retry_is_strain(RETRY_STAGE_RCPT, (struct retry_reply)PLAIN(450)));
	assert_false(retry_is_strain(RETRY_STAGE_GREETING, (struct retry_reply)PLAIN(554)));
	assert_false(retry_is_strain(RETRY_STAGE_ROUTE, (struct retry_reply)NONE));
}

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define HALF   (UINT32_C(1) << 31)

static void waits_follow_the_plan(void **state)
{
	const struct retry_plan *plan = &retry_plan_standard;
	static const struct {
		uint32_t attempts;
		int64_t  age, wait;
	} rows[] = {
		{ 1, 0, MINUTE },          { 2, MINUTE, 5 * MINUTE },     { 3, 6 * MINUTE, 10 * MINUTE },
		{ 4, 16 * MINUTE, 20 * MINUTE }, { 5, 36 * MINUTE, 30 * MINUTE }, { 9, 3 * HOUR, 30 * MINUTE },
		{ 12, 4 * HOUR, HOUR },    { 200, 100 * HOUR, HOUR },     { 0, 0, MINUTE },
		{ 300, 120 * HOUR - 5 * MINUTE, 5 * MINUTE }, /* the last try falls on the moment of expiry */
		{ 301, 120 * HOUR, HOUR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t arrived = 1000000, now = arrived + rows[i].age;
		int64_t middle = retry_next_ms(plan, rows[i].attempts, arrived, now, HALF);
		int64_t first = retry_next_ms(plan, rows[i].attempts, arrived, now, 0);
		int64_t last = retry_next_ms(plan, rows[i].attempts, arrived, now, UINT32_MAX);

		assert_in_range(middle - now, rows[i].wait - 1000, rows[i].wait + 1000);
		assert_true(first >= now + rows[i].wait * 8 / 10 - 1000 || rows[i].attempts == 300);
		assert_true(last <= now + rows[i].wait * 12 / 10 + 1000);
		assert_true(first <= middle && middle <= last);
	}
	assert_false(retry_expired(plan, 0, 120 * HOUR - 1));
	assert_true(retry_expired(plan, 0, 120 * HOUR));
	assert_false(retry_expired(plan, 1000, 0));       /* the clock jumped back */
	assert_false(retry_expired(plan, INT64_MAX, 0));
	assert_true(retry_expired(plan, INT64_MIN, 0) || !retry_expired(plan, INT64_MIN, 0)); /* no overflow */
	assert_false(retry_notice_due(plan, 0, 4 * HOUR - 1));
	assert_true(retry_notice_due(plan, 0, 4 * HOUR));
}

static void hosts_are_left_alone_longer_and_longer(void **state)
{
	(void)state;
	assert_in_range(retry_host_pause_ms(1, HALF), 4000, 6000);
	assert_in_range(retry_host_pause_ms(2, HALF), 9000, 11000);
	assert_in_range(retry_host_pause_ms(1000000, UINT32_MAX), 10 * MINUTE, 12 * MINUTE + 1000);
	assert_true(retry_host_pause_ms(0, 0) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_mean_what_the_table_says),
		cmocka_unit_test(every_stage_and_code_has_an_answer),
		cmocka_unit_test(a_status_is_made_where_none_was_said),
		cmocka_unit_test(strain_halves_the_window),
		cmocka_unit_test(waits_follow_the_plan),
		cmocka_unit_test(hosts_are_left_alone_longer_and_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
