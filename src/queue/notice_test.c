/* Tests of queue/notice: who is told what. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/notice.h"

#include "journal/event.h"

static void only_who_wrote_is_told(void **state)
{
	static const struct {
		const char            *name;
		struct notice_question question;
		enum notice_answer     answer;
	} rows[] = {
		{ "failure, own user", { .trusted = true, .enabled = true }, NOTICE_SEND },
		{ "failure, own user, from a list", { .trusted = true, .enabled = true, .automatic = true }, NOTICE_SEND },
		{ "failure, asked for", { .trusted = true, .enabled = true, .notify = EVENT_NOTIFY_FAILURE }, NOTICE_SEND },
		{ "failure, a stranger", { .enabled = true }, NOTICE_HOLD },
		{ "failure, switched off", { .trusted = true }, NOTICE_HOLD },
		{ "failure, never wanted", { .trusted = true, .enabled = true, .notify = EVENT_NOTIFY_NEVER }, NOTICE_NOBODY },
		{ "failure, never wanted by a stranger", { .enabled = true, .notify = EVENT_NOTIFY_NEVER }, NOTICE_NOBODY },
		{ "failure, only success wanted", { .trusted = true, .enabled = true, .notify = EVENT_NOTIFY_SUCCESS }, NOTICE_NOBODY },
		{ "double bounce, nobody named", { .trusted = true, .enabled = true, .null_sender = true }, NOTICE_HOLD },
		{ "double bounce, postmaster", { .enabled = true, .null_sender = true, .postmaster = true }, NOTICE_POSTMASTER },
		{ "our notice to the postmaster failed", { .enabled = true, .null_sender = true, .postmaster = true, .own_notice = true }, NOTICE_NOBODY },
		{ "failure of a journal report", { .trusted = true, .enabled = true, .report = true }, NOTICE_HOLD },
		{ "failure of a journal report, postmaster", { .trusted = true, .enabled = true, .report = true, .null_sender = true, .postmaster = true },
		  NOTICE_HOLD },
		{ "delay of a journal report", { .kind = NOTICE_DELAYED, .trusted = true, .enabled = true, .report = true }, NOTICE_NOBODY },
		{ "delay, own user", { .kind = NOTICE_DELAYED, .trusted = true, .enabled = true }, NOTICE_SEND },
		{ "delay, a stranger", { .kind = NOTICE_DELAYED, .enabled = true }, NOTICE_NOBODY },
		{ "delay of a notice", { .kind = NOTICE_DELAYED, .trusted = true, .enabled = true, .null_sender = true }, NOTICE_NOBODY },
		{ "delay of list mail", { .kind = NOTICE_DELAYED, .trusted = true, .enabled = true, .automatic = true }, NOTICE_NOBODY },
		{ "delay, only failure wanted", { .kind = NOTICE_DELAYED, .trusted = true, .enabled = true, .notify = EVENT_NOTIFY_FAILURE }, NOTICE_NOBODY },
		{ "delay, asked for", { .kind = NOTICE_DELAYED, .trusted = true, .enabled = true, .notify = EVENT_NOTIFY_DELAY }, NOTICE_SEND },
		{ "success, not asked for", { .kind = NOTICE_RELAYED, .trusted = true, .enabled = true }, NOTICE_NOBODY },
		{ "success, asked for", { .kind = NOTICE_RELAYED, .trusted = true, .enabled = true, .notify = EVENT_NOTIFY_SUCCESS }, NOTICE_SEND },
		{ "success, asked for by a stranger", { .kind = NOTICE_RELAYED, .enabled = true, .notify = EVENT_NOTIFY_SUCCESS }, NOTICE_NOBODY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum notice_answer answer = notice_judge(&rows[i].question);

		if (answer != rows[i].answer)
			print_error("row \"%s\": %d\n", rows[i].name, (int)answer);
		assert_int_equal(answer, rows[i].answer);
	}
}

/* Whatever is asked: a stranger, a null sender, a journal report and a NOTIFY=NEVER never get a notice. */
static void nobody_else_is_ever_told(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < NOTICE_KIND_COUNT; kind++)
		for (unsigned bits = 0; bits < 128; bits++)
			for (uint32_t notify = 0; notify < 16; notify++) {
				struct notice_question question = { (enum notice_kind)kind, notify, bits & 1, bits & 2, bits & 4, bits & 8,
					                            bits & 16, bits & 32, bits & 64 };

				if (notice_judge(&question) != NOTICE_SEND)
					continue;
				assert_true(question.trusted && !question.null_sender && !question.report && question.enabled);
				assert_false((notify & EVENT_NOTIFY_NEVER) != 0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_wrote_is_told),
		cmocka_unit_test(nobody_else_is_ever_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
