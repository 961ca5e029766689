/* Log lines: how they look, and that nothing a peer sends can look like another line or field. */
#include "sys/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOMENT_MS 1709208000123ull /* 2024-02-29T12:00:00.123Z */

static struct buf line = { .max = 100000 };

#define COMPOSE(form, level, ...)                                                                                      	compose(form, level, (const struct log_field[]){ __VA_ARGS__ },                                                	        sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

static const char *compose(enum log_form form, enum log_level level, const struct log_field *fields, size_t count)
{
	buf_clear(&line);
	log_compose(form, level, MOMENT_MS, fields, count, &line);
	assert_false(line.failed);
	buf_put_byte(&line, 0);
	return (const char *)line.ptr;
}

static void test_forms(void **state)
{
	const struct fault fault = { .rc = RC_IO, .text = "opening the segment", .error = 5, .number = -7 };

	(void)state;
	log_role("gate");
	assert_string_equal(COMPOSE(LOG_FORM_TEXT, LOG_LEVEL_INFO, LOG_EVENT("session.refused"), LOG_STR("peer", "mx.example"),
	                            LOG_NUMBER("code", 550), LOG_SIGNED("offset", -3)),
	                    "2024-02-29T12:00:00.123Z info gate session.refused peer=\"mx.example\" code=550 offset=-3\n");
	assert_string_equal(COMPOSE(LOG_FORM_JSON, LOG_LEVEL_ERROR, LOG_EVENT("x"), LOG_STR("peer", "a"), LOG_NUMBER("code", 1)),
	                    "{\"time\":\"2024-02-29T12:00:00.123Z\",\"level\":\"error\",\"role\":\"gate\",\"event\":\"x\","
	                    "\"peer\":\"a\",\"code\":1}\n");
	assert_string_equal(COMPOSE(LOG_FORM_TEXT, LOG_LEVEL_ERROR, LOG_EVENT("x"), LOG_FAULT(&fault)),
	                    "2024-02-29T12:00:00.123Z error gate x fault=\"opening the segment\" rc=\"io\" "
	                    "errno=\"Input/output error\" number=-7\n");
	assert_string_equal(COMPOSE(LOG_FORM_JOURNALD, LOG_LEVEL_WARNING, LOG_EVENT("x.y"), LOG_STR("peer.name", "a\nb"),
	                            LOG_NUMBER("code", 2)),
	                    "SYSLOG_IDENTIFIER=hangu\nPRIORITY=4\nHANGU_ROLE=gate\nHANGU_EVENT=x.y\n"
	                    "MESSAGE=warning gate x.y peer.name=\"a\\x0ab\" code=2\nHANGU_PEER_NAME=\"a\\x0ab\"\nHANGU_CODE=2\n");
	assert_string_equal(COMPOSE(LOG_FORM_TEXT, LOG_LEVEL_DEBUG, LOG_EVENT("x"), LOG_TEXT("empty", ((struct slice){ NULL, 0 }))),
	                    "2024-02-29T12:00:00.123Z debug gate x empty=\"\"\n");
}

static void test_forgery(void **state)
{
	(void)state;
	assert_string_equal(COMPOSE(LOG_FORM_TEXT, LOG_LEVEL_INFO, LOG_EVENT("x"), LOG_STR("helo", "a\" code=250 b=\"\r\n2024 \\ \x1b[2J\xff")),
	                    "2024-02-29T12:00:00.123Z info gate x "
	                    "helo=\"a\\x22 code=250 b=\\x22\\x0d\\x0a2024 \\x5c \\x1b[2J\\xff\"\n");
	assert_string_equal(COMPOSE(LOG_FORM_JSON, LOG_LEVEL_INFO, LOG_EVENT("x"), LOG_STR("helo", "\",\"code\":1}\n")),
	                    "{\"time\":\"2024-02-29T12:00:00.123Z\",\"level\":\"info\",\"role\":\"gate\",\"event\":\"x\","
	                    "\"helo\":\"\\u0022,\\u0022code\\u0022:1}\\u000a\"}\n");
	/* Every byte there is: one line, one pair of quotes. */
	for (int form = LOG_FORM_TEXT; form <= LOG_FORM_JSON; form++) {
		uint8_t every[256];
		for (int i = 0; i < 256; i++)
			every[i] = (uint8_t)i;
		const struct log_field fields[] = { LOG_EVENT("x"), LOG_TEXT("v", slice_of(every, 256)) };
		buf_clear(&line);
		log_compose((enum log_form)form, LOG_LEVEL_INFO, MOMENT_MS, fields, 2, &line);
		unsigned feeds = 0, quotes = 0;
		for (size_t i = 0; i < line.len; i++) {
			feeds += line.ptr[i] == '\n';
			quotes += line.ptr[i] == '"';
			assert_true(line.ptr[i] == '\n' || byte_is_print(line.ptr[i]));
		}
		assert_int_equal(feeds, 1);
		assert_int_equal(quotes, form == LOG_FORM_TEXT ? 2 : 20);
	}
}

static void test_bounds(void **state)
{
	static uint8_t   much[100000];
	struct log_field fields[100] = { LOG_EVENT("x") };

	(void)state;
	for (size_t size = LOG_VALUE_MAX - 2; size < LOG_VALUE_MAX + 3; size++) {
		memset(much, 'a', sizeof much);
		const char *text = COMPOSE(LOG_FORM_TEXT, LOG_LEVEL_INFO, LOG_EVENT("x"), LOG_TEXT("v", slice_of(much, size)));
		assert_int_equal(strstr(text, "...\"\n") != NULL, size > LOG_VALUE_MAX);
	}
	for (int form = LOG_FORM_TEXT; form <= LOG_FORM_JOURNALD; form++) {
		memset(much, 0, sizeof much);
		for (size_t i = 1; i < 100; i++)
			fields[i] = (struct log_field)LOG_TEXT("field", slice_of(much, i % 2 == 0 ? sizeof much : 10));
		buf_clear(&line);
		log_compose((enum log_form)form, LOG_LEVEL_INFO, MOMENT_MS, fields, 100, &line);
		assert_false(line.failed);
		assert_in_range(line.len, 1000, form == LOG_FORM_JOURNALD ? 2 * LOG_LINE_MAX : LOG_LINE_MAX);
		assert_int_equal(line.ptr[line.len - 1], '\n');
		assert_true(slice_search(buf_slice(&line), SLICE("cut")) < line.len);
	}
}

static void test_writing(void **state)
{
	char      path[] = "/tmp/hangu-log-XXXXXX";
	char      text[512] = "";
	const int file = mkstemp(path), before = dup(2);

	(void)state;
	assert_true(file >= 0 && before >= 0);
	assert_int_equal(dup2(file, 2), 2);
	log_open(LOG_FORM_TEXT, LOG_LEVEL_WARNING);
	log_info(LOG_EVENT("unseen"));
	log_warning(LOG_EVENT("seen"), LOG_NUMBER("n", 1));
	assert_false(log_wanted(LOG_LEVEL_INFO));
	assert_true(log_wanted(LOG_LEVEL_ERROR));
	/* A reader that is gone or slow costs lines, not the caller's time. */
	assert_int_equal(log_dropped(), 0);
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(dup2(ends[1], 2), 2);
	for (int i = 0; i < 5000; i++)
		log_error(LOG_EVENT("flood"), LOG_STR("text", "0123456789012345678901234567890123456789"));
	assert_int_equal(dup2(before, 2), 2);
	assert_true(log_dropped() > 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_true(pread(file, text, sizeof text - 1, 0) > 0);
	assert_non_null(strstr(text, " warning gate seen n=1\n"));
	assert_null(strstr(text, "unseen"));
	(void)close(file);
	(void)close(before);
	(void)unlink(path);
	log_open(LOG_FORM_JOURNALD, LOG_LEVEL_INFO); /* with or without journald: it must not fail */
	log_open(LOG_FORM_TEXT, LOG_LEVEL_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_forgery),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_writing),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_done(&line);
	return failed;
}
