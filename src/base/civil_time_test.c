#include "base/civil_time.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

struct written {
	const char *name;
	int64_t     unix_s;
	int32_t     offset;
	const char *mail;
};

static const struct written written_rows[] = {
	{ "the beginning", 0, 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
	{ "China", 1795329439, 480, "Sun, 22 Nov 2026 14:37:19 +0800" },
	{ "the same in New York", 1795329439, -300, "Sun, 22 Nov 2026 01:37:19 -0500" },
	{ "half an hour", 1795329439, -210, "Sun, 22 Nov 2026 03:07:19 -0330" },
	{ "leap day", 951782400, 0, "Tue, 29 Feb 2000 00:00:00 +0000" },
	{ "a century without leap day", 4107542399, 0, "Sun, 28 Feb 2100 23:59:59 +0000" },
	{ "the second after", 4107542400, 0, "Mon, 1 Mar 2100 00:00:00 +0000" },
	{ "new year is elsewhere already", 1798732800, 480, "Fri, 1 Jan 2027 00:00:00 +0800" },
	{ "the last second", 253402300799, 0, "Fri, 31 Dec 9999 23:59:59 +0000" },
	{ "before the beginning", -1, 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
	{ "far before", INT64_MIN, -1439, "Thu, 1 Jan 1970 00:00:00 -2359" },
	{ "far after", INT64_MAX, 1439, "Fri, 31 Dec 9999 23:59:59 +2359" },
	{ "offset beyond a day", 86400, 99999, "Fri, 2 Jan 1970 23:59:00 +2359" },
};

static void writes_mail_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(written_rows); i++) {
		struct buf out = buf_make(100);

		print_message("%s\n", written_rows[i].name);
		civil_time_put_mail(&out, written_rows[i].unix_s, written_rows[i].offset);
		assert_true(slice_eq(buf_slice(&out), slice_str(written_rows[i].mail)));
		buf_done(&out);
	}
}

/* Each day from 1970 to 2400 counted up by hand, there and back. */
static void counts_every_day(void **state)
{
	static const unsigned lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t               day = 0;

	(void)state;
	for (int32_t year = 1970; year <= 2400; year++) {
		const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		for (unsigned month = 1; month <= 12; month++) {
			for (unsigned i = 1; i <= lengths[month - 1] + (month == 2 && leap); i++, day++) {
				const struct civil_time t = civil_time_of(day * 86400 + 86399, 0);
				int64_t                 back = 0;
				assert_int_equal(t.year, year);
				assert_int_equal(t.month, month);
				assert_int_equal(t.day, i);
				assert_int_equal(t.hour, 23);
				assert_int_equal(t.second, 59);
				assert_int_equal(t.weekday, (day + 4) % 7);
				assert_int_equal(civil_time_unix(&t, &back), RC_OK);
				assert_int_equal(back, day * 86400 + 86399);
			}
		}
	}
}

struct read {
	const char  *name;
	struct slice text;
	enum rc      rc;
	int64_t      unix_ms;
};

#define READ(name, text, rc, ms) { name, SLICE_INIT(text), rc, ms }

static const struct read read_rows[] = {
	READ("as written", "2026-11-22T06:37:19.123Z", RC_OK, 1795329439123),
	READ("without milliseconds", "2026-11-22T06:37:19Z", RC_OK, 1795329439000),
	READ("with an offset", "2026-11-22T14:37:19+08:00", RC_OK, 1795329439000),
	READ("west", "2026-11-22T01:37:19.5-05:00", RC_OK, 1795329439500),
	READ("a blank and small letters", "2026-11-22 06:37:19z", RC_OK, 1795329439000),
	READ("nine digits behind the dot", "2026-11-22T06:37:19.123999999Z", RC_OK, 1795329439123),
	READ("one digit", "1970-01-01T00:00:00.1Z", RC_OK, 100),
	READ("a date", "1970-01-02", RC_OK, 86400000),
	READ("leap second", "2016-12-31T23:59:60Z", RC_OK, 1483228800000),
	READ("leap day", "2000-02-29", RC_OK, 951782400000),
	READ("the last", "9999-12-31T23:59:59.999Z", RC_OK, 253402300799999),
};

static const struct read unlawful_rows[] = {
	READ("nothing", "", RC_SYNTAX, 0),
	READ("a year", "2026", RC_SYNTAX, 0),
	READ("short year", "26-11-22", RC_SYNTAX, 0),
	READ("no zone", "2026-11-22T06:37:19", RC_SYNTAX, 0),
	READ("no seconds", "2026-11-22T06:37Z", RC_SYNTAX, 0),
	READ("dot without digits", "2026-11-22T06:37:19.Z", RC_SYNTAX, 0),
	READ("ten digits behind the dot", "2026-11-22T06:37:19.1234567890Z", RC_SYNTAX, 0),
	READ("month 0", "2026-00-22", RC_SYNTAX, 0),
	READ("month 13", "2026-13-22", RC_SYNTAX, 0),
	READ("day 0", "2026-11-00", RC_SYNTAX, 0),
	READ("the 31st of November", "2026-11-31", RC_SYNTAX, 0),
	READ("no leap day", "2100-02-29", RC_SYNTAX, 0),
	READ("hour 24", "2026-11-22T24:00:00Z", RC_SYNTAX, 0),
	READ("minute 60", "2026-11-22T06:60:00Z", RC_SYNTAX, 0),
	READ("second 61", "2026-11-22T06:37:61Z", RC_SYNTAX, 0),
	READ("offset of 24 hours", "2026-11-22T06:37:19+24:00", RC_SYNTAX, 0),
	READ("offset of 60 minutes", "2026-11-22T06:37:19+00:60", RC_SYNTAX, 0),
	READ("offset without colon", "2026-11-22T06:37:19+0800", RC_SYNTAX, 0),
	READ("offset without minutes", "2026-11-22T06:37:19+08", RC_SYNTAX, 0),
	READ("something behind", "2026-11-22T06:37:19Zx", RC_SYNTAX, 0),
	READ("a blank behind a date", "2026-11-22 ", RC_SYNTAX, 0),
	READ("letters", "yyyy-mm-dd", RC_SYNTAX, 0),
	READ("signs inside", "2026-+1-22", RC_SYNTAX, 0),
	READ("slashes", "2026/11/22", RC_SYNTAX, 0),
	READ("before the beginning", "1969-12-31", RC_SYNTAX, 0),
	READ("before it by its offset", "1970-01-01T00:00:00+08:00", RC_SYNTAX, 0),
	READ("NUL", "2026-11-2\0", RC_SYNTAX, 0),
};

static void reads_iso(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(read_rows) + COUNT(unlawful_rows); i++) {
		const struct read *row = i < COUNT(read_rows) ? &read_rows[i] : &unlawful_rows[i - COUNT(read_rows)];
		int64_t            ms = -7;

		print_message("%s\n", row->name);
		assert_int_equal(civil_time_read_iso(row->text, &ms), row->rc);
		assert_int_equal(ms, row->rc == RC_OK ? row->unix_ms : -7);
	}
}

static void iso_goes_round(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms < 253402300799999; ms += 86399999 * 997ll) {
		struct buf out = buf_make(100);
		int64_t    back = 0;

		civil_time_put_iso(&out, ms);
		assert_int_equal(out.len, 24);
		assert_int_equal(civil_time_read_iso(buf_slice(&out), &back), RC_OK);
		assert_int_equal(back, ms);
		/* Every front of it is refused, but the date alone. */
		for (size_t size = 0; size < out.len; size++)
			assert_int_equal(civil_time_read_iso(slice_take(buf_slice(&out), size), &back), size == 10 ? RC_OK : RC_SYNTAX);
		buf_done(&out);
	}
}

static void refuses_fields_out_of_range(void **state)
{
	const struct civil_time good = { .year = 2000, .month = 2, .day = 29 };
	struct civil_time       bad;
	int64_t                 out = -7;

	(void)state;
	assert_int_equal(civil_time_unix(&good, &out), RC_OK);
	assert_int_equal(out, 951782400);
#define REFUSED(field, value) bad = good, bad.field = (value), assert_int_equal(civil_time_unix(&bad, &out), RC_SYNTAX)
	REFUSED(year, 1969);
	REFUSED(year, 10000);
	REFUSED(year, INT32_MIN);
	REFUSED(month, 0);
	REFUSED(month, UINT32_MAX);
	REFUSED(day, 30);
	REFUSED(day, 0);
	REFUSED(hour, 24);
	REFUSED(minute, 60);
	REFUSED(second, 61);
	REFUSED(offset_minutes, 1440);
	REFUSED(offset_minutes, -1440);
	assert_int_equal(out, 951782400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_mail_dates),
		cmocka_unit_test(counts_every_day),
		cmocka_unit_test(reads_iso),
		cmocka_unit_test(iso_goes_round),
		cmocka_unit_test(refuses_fields_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
