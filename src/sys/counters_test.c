/* Counters over pages, and the text that a Prometheus server reads. */
#include "sys/counters.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_pages(void **state)
{
	struct counters_page *pages = NULL, *before = counters_mine;

	(void)state;
	assert_int_equal(counters_make(3, &pages), RC_OK);
	counters_use(&pages[0]);
	counter_up(COUNT_SESSIONS);
	gauge_set(GAUGE_SESSIONS_OPEN, 5);
	/* A child counts on its own page and the parent sees it, also after the child's end. */
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		counters_use(&pages[2]);
		counter_add(COUNT_SESSIONS, 41);
		gauge_add(GAUGE_SESSIONS_OPEN, -2);
		histogram_add(HISTOGRAM_SCAN, 100);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(counters_sum(pages, 3, COUNT_SESSIONS), 42);
	assert_int_equal(counters_gauge_sum(pages, 3, GAUGE_SESSIONS_OPEN), 3);
	counters_forget_gauges(&pages[2]);
	assert_int_equal(counters_gauge_sum(pages, 3, GAUGE_SESSIONS_OPEN), 5);
	assert_int_equal(counters_sum(pages, 3, COUNT_SESSIONS), 42);
	counters_use(before);
}

static bool has(const struct buf *text, const char *line)
{
	return slice_search(buf_slice(text), slice_str(line)) < text->len;
}

static void test_text(void **state)
{
	struct counters_page *pages = NULL, *before = counters_mine;
	struct buf            text = buf_make(1u << 20), small = buf_make(100);

	(void)state;
	assert_int_equal(counters_make(2, &pages), RC_OK);
	counters_use(&pages[1]);
	counter_add(COUNT_MESSAGES_DEFERRED, 7);
	gauge_set(GAUGE_QUEUE_HELD, -1);
	histogram_add(HISTOGRAM_SCAN, 0);
	histogram_add(HISTOGRAM_SCAN, 64);
	histogram_add(HISTOGRAM_SCAN, 65);
	histogram_add(HISTOGRAM_SCAN, 2000000);
	histogram_add(HISTOGRAM_SCAN, UINT64_MAX / 4);
	counters_write(pages, 2, &text);
	assert_false(text.failed);
	assert_true(has(&text, "# HELP hangu_messages_total Messages that reached their final dot.\n# TYPE hangu_messages_total counter\n"
	                       "hangu_messages_total{result=\"accepted\"} 0\n"));
	assert_true(has(&text, "\nhangu_messages_total{result=\"deferred\"} 7\n"));
	assert_true(has(&text, "\nhangu_queue_held -1\n"));
	assert_true(has(&text, "# TYPE hangu_scan_seconds histogram\nhangu_scan_seconds_bucket{le=\"0.000064\"} 2\n"
	                       "hangu_scan_seconds_bucket{le=\"0.000128\"} 3\n"));
	assert_true(has(&text, "hangu_scan_seconds_bucket{le=\"33.554432\"} 4\nhangu_scan_seconds_bucket{le=\"+Inf\"} 5\n"));
	assert_true(has(&text, "hangu_scan_seconds_count 5\n"));
	/* Every line is a comment or "name[{labels}] number", every family has its help once and not twice. */
	struct slice rest = buf_slice(&text);
	while (rest.len != 0) {
		const struct slice row = slice_until(&rest, '\n');
		assert_true(slice_starts(row, SLICE("# ")) || slice_starts(row, SLICE("hangu_")));
		if (slice_starts(row, SLICE("# HELP "))) {
			struct slice again = rest;
			while (again.len != 0)
				assert_false(slice_eq(slice_until(&again, '\n'), row));
			assert_true(row.len > 40);
		}
	}
	counters_write(pages, 2, &small);
	assert_true(small.failed);
	buf_done(&text);
	buf_done(&small);
	counters_use(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
