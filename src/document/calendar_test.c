/* Calendars and cards: what is shown, what is linked, what is carried; folding and escapes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "document/calendar.h"
#include "harness/told.h"

struct row {
	const char  *name;
	struct slice bytes;
	enum rc      rc;
	const char  *told;
};

#define ROW(name, bytes, rc, told) { name, SLICE_INIT(bytes), rc, told }

/* clang-format off: a table */
static const struct row rows[] = {
	ROW("a summary", "BEGIN:VCALENDAR\r\nSUMMARY:a\\, b\\nc\r\n", RC_OK, "text a, b\nc\n|"),
	ROW("folded", "BEGIN:VCALENDAR\nDESCRIPTION:go to ht\n tp://a\n\t/b\n", RC_OK, "text go to http://a/b\n|"),
	ROW("quoted-printable", "BEGIN:VCALENDAR\nDESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=\nb=41\n", RC_OK, "text abA\n|"),
	ROW("a link", "BEGIN:VCALENDAR\nURL;VALUE=URI:http://a/;b\n", RC_OK, "link http://a/;b|"),
	ROW("an organizer", "BEGIN:VCALENDAR\nORGANIZER;CN=\"A: B\":mailto:a@b\n", RC_OK, "[metadata]text A: B\n|[metadata]text mailto:a@b\n|"),
	ROW("an invitation", "BEGIN:VCALENDAR\nMETHOD:REQUEST\n", RC_OK, "fact calendar.invitation|"),
	ROW("an answer", "BEGIN:VCALENDAR\nMETHOD:REPLY\n", RC_OK, ""),
	ROW("a file in it", "BEGIN:VCALENDAR\nATTACH;FMTTYPE=text/plain;FILENAME=a.txt;ENCODING=BASE64;VALUE=BINARY:aGk=\n", RC_OK,
	    "fact calendar.attachment|member a.txt text/plain hi|"),
	ROW("a file elsewhere", "BEGIN:VCALENDAR\nATTACH:http://h/x.exe\n", RC_OK, "fact calendar.attachment|link http://h/x.exe|"),
	ROW("a program as alarm", "BEGIN:VCALENDAR\nBEGIN:VALARM\nACTION:PROCEDURE\nATTACH:file:///c.exe\nEND:VALARM\nACTION:PROCEDURE\n", RC_OK,
	    "fact calendar.alarm|fact calendar.attachment|link file:///c.exe|"),
	ROW("another form elsewhere", "BEGIN:VCALENDAR\nSUMMARY;ALTREP=\"http://h/\":x\n", RC_OK, "[reference]link http://h/|text x\n|"),
	ROW("HTML", "BEGIN:VCALENDAR\nX-ALT-DESC;FMTTYPE=text/html:<p>\n", RC_OK, "member description.html text/html <p>|"),
	ROW("a card", "\xef\xbb\xbf BEGIN:VCARD\nFN:A\nitem1.URL:http://a\nEMAIL:a@b\n", RC_OK, "text A\n|link http://a|[metadata]text \n|[metadata]text a@b\n|"),
	ROW("a photograph", "BEGIN:VCARD\nPHOTO;ENCODING=b;TYPE=PNG:aG\n k\n", RC_OK, "member   hi|"),
	ROW("a photograph as data", "BEGIN:VCARD\nPHOTO:data:image/png;base64,aGk\n", RC_OK, "member  image/png hi|"),
	ROW("a photograph elsewhere", "BEGIN:VCARD\nPHOTO;VALUE=URI:http://h/p\n", RC_OK, "[reference]link http://h/p|"),
	ROW("no line", "BEGIN:VCARD", RC_OK, ""),
	ROW("no colon", "BEGIN:VCARD\nFN", RC_OK, "text \n|"),
	ROW("neither", "BEGIN:VTODO", RC_SYNTAX, ""),
};
/* clang-format on */

static enum rc open_it(struct slice bytes, struct budget *budget)
{
	told_begin();
	return calendar_open(bytes, budget, &told_sink);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const enum rc rc = open_it(rows[i].bytes, &budget);
		if (rc != rows[i].rc || !slice_eq(buf_slice(&told), slice_str(rows[i].told)))
			fail_msg("%s: %s, %.*s", rows[i].name, rc_word(rc), (int)told.len, (const char *)told.ptr);
		for (size_t cut = 0; cut < rows[i].bytes.len; cut++) {
			uint8_t *exact = malloc(cut + 1);
			memcpy(exact, rows[i].bytes.ptr, cut);
			assert_in_range(open_it(slice_of(exact, cut), &budget), RC_OK, RC_LIMIT);
			free(exact);
		}
		budget.left[BUDGET_STEPS] = 0;
		assert_int_equal(open_it(rows[i].bytes, &budget), rc == RC_OK && rows[i].bytes.len != 0 ? RC_LIMIT : rc);
	}
}

static int end(void **state)
{
	(void)state;
	buf_done(&told);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
	return cmocka_run_group_tests(tests, NULL, end);
}
