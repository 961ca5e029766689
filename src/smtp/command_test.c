/* Command lines. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtp/command.h"

struct row {
	const char    *name;
	struct slice   input;
	enum rc        rc;
	enum smtp_verb verb;
	size_t         left; /* bytes of the input that stay */
};

#define ROW(row_name, text, row_rc, row_verb, row_left)                                                         \
	{                                                                                                       \
		(row_name), { (const uint8_t *)"" text "", sizeof(text) - 1 }, (row_rc), (row_verb), (row_left) \
	}

static const struct row rows[] = {
	ROW("whole line", "MAIL FROM:<a@b>\r\nX", RC_OK, SMTP_VERB_MAIL, 1),
	ROW("verb alone", "QUIT\r\n", RC_OK, SMTP_VERB_QUIT, 0),
	ROW("mixed case", "sTaRtTlS\r\n", RC_OK, SMTP_VERB_STARTTLS, 0),
	ROW("a blank behind", "RSET \r\n", RC_OK, SMTP_VERB_RSET, 0),
	ROW("a tab between", "HELO\tx\r\n", RC_OK, SMTP_VERB_HELO, 0),
	ROW("unknown", "FOO\r\n", RC_OK, SMTP_VERB_UNKNOWN, 0),
	ROW("empty line", "\r\n", RC_OK, SMTP_VERB_UNKNOWN, 0),
	ROW("a blank in front", " QUIT\r\n", RC_OK, SMTP_VERB_UNKNOWN, 0),
	ROW("verb and more", "DATAX\r\n", RC_OK, SMTP_VERB_UNKNOWN, 0),
	ROW("8-bit verb", "QU\xcft\r\n", RC_OK, SMTP_VERB_UNKNOWN, 0),
	ROW("HTTP", "GET / HTTP/1.1\r\n", RC_OK, SMTP_VERB_FOREIGN, 0),
	ROW("a field of HTTP", "Content-Type: x\r\n", RC_OK, SMTP_VERB_FOREIGN, 0),
	ROW("a colon alone", ":\r\n", RC_OK, SMTP_VERB_UNKNOWN, 0),
	ROW("the word unknown", "unknown\r\n", RC_OK, SMTP_VERB_UNKNOWN, 0),
	ROW("nothing", "", RC_AGAIN, SMTP_VERB_UNKNOWN, 0),
	ROW("half a line", "RCPT TO:<a", RC_AGAIN, SMTP_VERB_UNKNOWN, 10),
	ROW("CR at the edge", "QUIT\r", RC_AGAIN, SMTP_VERB_UNKNOWN, 5),
	ROW("bare LF", "DATA\n", RC_SYNTAX, SMTP_VERB_UNKNOWN, 5),
	ROW("LF first", "\nDATA\r\n", RC_SYNTAX, SMTP_VERB_UNKNOWN, 7),
	ROW("bare CR", "DA\rTA\r\n", RC_SYNTAX, SMTP_VERB_UNKNOWN, 7),
	ROW("two CRs", "DATA\r\r\n", RC_SYNTAX, SMTP_VERB_UNKNOWN, 7),
	ROW("NUL inside", "DA\0TA\r\n", RC_SYNTAX, SMTP_VERB_UNKNOWN, 7),
	ROW("NUL in half a line", "DA\0", RC_SYNTAX, SMTP_VERB_UNKNOWN, 3),
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct slice        input = rows[i].input;
		struct smtp_command command = { .verb = SMTP_VERB_UNKNOWN };
		const enum rc       rc = smtp_command_take(&input, &command);
		if (rc != rows[i].rc || command.verb != rows[i].verb || input.len != rows[i].left)
			fail_msg("%s: %d %d %zu", rows[i].name, rc, command.verb, input.len);
	}
}

/* A prefix of a line never gives another answer than "again" or what the whole line gives. */
static void test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct slice whole = rows[i].input;
		for (size_t cut = 0; cut < whole.len; cut++) {
			struct slice        input = slice_take(whole, cut);
			struct smtp_command command;
			const enum rc       rc = smtp_command_take(&input, &command);
			if (rc != RC_AGAIN && rc != rows[i].rc)
				fail_msg("%s cut at %zu: %d", rows[i].name, cut, rc);
		}
	}
}

static void test_words(void **state)
{
	struct smtp_command command = smtp_command_read(SLICE("rcpt   TO:<a@b>  NOTIFY=NEVER "));

	(void)state;
	assert_int_equal(command.verb, SMTP_VERB_RCPT);
	assert_true(slice_eq(command.word, SLICE("rcpt")));
	assert_true(slice_eq(command.args, SLICE("TO:<a@b>  NOTIFY=NEVER")));
	for (unsigned verb = 0; verb < SMTP_VERB_COUNT; verb++)
		assert_non_null(smtp_verb_word((enum smtp_verb)verb));
}

static void test_bound(void **state)
{
	uint8_t      line[SMTP_COMMAND_LINE_MAX + 1];
	struct slice taken;

	(void)state;
	for (size_t size = SMTP_COMMAND_LINE_MAX - 1; size <= SMTP_COMMAND_LINE_MAX + 1; size++) {
		memset(line, 'x', sizeof line);
		line[size - 2] = '\r';
		line[size - 1] = '\n';
		struct slice  input = { line, size };
		const enum rc rc = smtp_line_take(&input, SMTP_COMMAND_LINE_MAX, false, &taken);
		assert_int_equal(rc, size <= SMTP_COMMAND_LINE_MAX ? RC_OK : RC_LIMIT);
	}
	/* Without an end, as soon as it cannot come any more. */
	memset(line, 'x', sizeof line);
	struct slice input = { line, SMTP_COMMAND_LINE_MAX - 1 };
	assert_int_equal(smtp_line_take(&input, SMTP_COMMAND_LINE_MAX, false, &taken), RC_AGAIN);
	input.len++;
	assert_int_equal(smtp_line_take(&input, SMTP_COMMAND_LINE_MAX, false, &taken), RC_LIMIT);
}

static void test_lf_ends(void **state)
{
	struct slice input = SLICE("A\nB\r\nC\rD\n"), line;

	(void)state;
	assert_int_equal(smtp_line_take(&input, 10, true, &line), RC_OK);
	assert_true(slice_eq(line, SLICE("A")));
	assert_int_equal(smtp_line_take(&input, 10, true, &line), RC_OK);
	assert_true(slice_eq(line, SLICE("B")));
	assert_int_equal(smtp_line_take(&input, 10, true, &line), RC_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_split),   cmocka_unit_test(test_words),
		cmocka_unit_test(test_bound), cmocka_unit_test(test_lf_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
