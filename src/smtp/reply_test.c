/* Replies written and read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtp/reply.h"

struct row {
	const char  *name;
	struct slice input;
	enum rc      rc;
	unsigned     code, class, subject, detail, lines;
	const char  *text;
	size_t       left;
};

#define IN(text)                                              \
	{                                                     \
		(const uint8_t *)"" text "", sizeof(text) - 1 \
	}

static const struct row rows[] = {
	{ "one line", IN("250 Ok\r\nX"), RC_OK, 250, 0, 0, 0, 1, "Ok", 1 },
	{ "no text", IN("250\r\n"), RC_OK, 250, 0, 0, 0, 1, "", 0 },
	{ "LF alone", IN("220 hi\n"), RC_OK, 220, 0, 0, 0, 1, "hi", 0 },
	{ "enhanced", IN("550 5.1.1 No such user\r\n"), RC_OK, 550, 5, 1, 1, 1, "No such user", 0 },
	{ "enhanced and nothing else", IN("550 5.1.1\r\n"), RC_OK, 550, 5, 1, 1, 1, "", 0 },
	{ "large numbers", IN("450 4.999.999 x\r\n"), RC_OK, 450, 4, 999, 999, 1, "x", 0 },
	{ "three lines", IN("250-a\r\n250-b\r\n250 c\r\n"), RC_OK, 250, 0, 0, 0, 3, "a b c", 0 },
	{ "enhanced on each line", IN("550-5.7.1 a\r\n550 5.7.1 b\r\n"), RC_OK, 550, 5, 7, 1, 2, "a b", 0 },
	{ "class that does not fit the code", IN("550 2.0.0 x\r\n"), RC_OK, 550, 0, 0, 0, 1, "2.0.0 x", 0 },
	{ "a version number", IN("250 2.10 x\r\n"), RC_OK, 250, 0, 0, 0, 1, "2.10 x", 0 },
	{ "four digits", IN("250 2.1234.1 x\r\n"), RC_OK, 250, 0, 0, 0, 1, "2.1234.1 x", 0 },
	{ "control bytes in the text", IN("250 a\x1b[1m\xff\r\n"), RC_OK, 250, 0, 0, 0, 1, "a?[1m?", 0 },
	{ "nothing", IN(""), RC_AGAIN, 0, 0, 0, 0, 0, NULL, 0 },
	{ "half a line", IN("25"), RC_AGAIN, 0, 0, 0, 0, 0, NULL, 2 },
	{ "more to come", IN("250-a\r\n"), RC_AGAIN, 0, 0, 0, 0, 0, NULL, 7 },
	{ "no reply", IN("hello\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 7 },
	{ "an empty line", IN("\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 2 },
	{ "class 1", IN("150 x\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 7 },
	{ "class 6", IN("650 x\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 7 },
	{ "four digits of code", IN("2500 x\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 8 },
	{ "no separator", IN("250x\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 6 },
	{ "codes that differ", IN("250-a\r\n251 b\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 14 },
	{ "NUL", IN("250 a\0b\r\n"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 9 },
	{ "NUL in half a line", IN("250 a\0"), RC_SYNTAX, 0, 0, 0, 0, 0, NULL, 6 },
};

static void test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row      *row = &rows[i];
		struct smtp_reply_read reply = { 0 };
		struct slice           input = row->input;
		const enum rc          rc = smtp_reply_take(&input, &reply);
		if (rc != row->rc || reply.code != row->code || reply.lines != row->lines || input.len != row->left ||
		    reply.enhanced.class != row->class || reply.enhanced.subject != row->subject ||
		    reply.enhanced.detail != row->detail)
			fail_msg("%s: %d code %u lines %u left %zu", row->name, rc, reply.code, reply.lines, input.len);
		if (rc == RC_OK) {
			struct buf text = buf_make(1000);
			smtp_reply_text(&reply, 900, &text);
			if (!slice_eq(buf_slice(&text), slice_str(row->text)))
				fail_msg("%s: text %.*s", row->name, (int)text.len, (char *)text.ptr);
			buf_done(&text);
		}
		for (size_t cut = 0; cut < row->input.len - row->left; cut++) {
			input = slice_take(row->input, cut);
			assert_int_equal(smtp_reply_take(&input, &reply), RC_AGAIN);
		}
	}
}

static void test_read_bounds(void **state)
{
	struct buf             many = buf_make(100000);
	struct smtp_reply_read reply;

	(void)state;
	for (unsigned lines = SMTP_REPLY_LINES_MAX - 1; lines <= SMTP_REPLY_LINES_MAX + 1; lines++) {
		buf_clear(&many);
		for (unsigned i = 1; i < lines; i++)
			buf_put_str(&many, "250-x\r\n");
		buf_put_str(&many, "250 x\r\n");
		struct slice input = buf_slice(&many);
		assert_int_equal(smtp_reply_take(&input, &reply), lines <= SMTP_REPLY_LINES_MAX ? RC_OK : RC_LIMIT);
	}
	for (size_t size = SMTP_REPLY_BYTES_MAX - 1; size <= SMTP_REPLY_BYTES_MAX + 1; size++) {
		buf_clear(&many);
		buf_put_str(&many, "250 ");
		while (many.len < size - 2)
			buf_put_byte(&many, 'x');
		buf_put_str(&many, "\r\n");
		struct slice input = buf_slice(&many);
		assert_int_equal(smtp_reply_take(&input, &reply), size <= SMTP_REPLY_BYTES_MAX ? RC_OK : RC_LIMIT);
	}
	buf_done(&many);
}

static void expect_written(struct smtp_reply reply, bool enhanced, const char *expected)
{
	struct buf out = buf_make(10000);

	smtp_reply_write(&reply, enhanced, &out);
	if (!slice_eq(buf_slice(&out), slice_str(expected)))
		fail_msg("wrote %.*s", (int)out.len, (char *)out.ptr);
	buf_done(&out);
}

static void test_write(void **state)
{
	(void)state;
	expect_written(SMTP_REPLY(250, 1, 0, "Ok"), true, "250 2.1.0 Ok\r\n");
	expect_written(SMTP_REPLY(250, 1, 0, "Ok"), false, "250 Ok\r\n");
	expect_written((struct smtp_reply){ .code = 354, .text = SLICE("Go") }, true, "354 Go\r\n");
	expect_written(SMTP_REPLY(550, 7, 1, "a\nb\r\nc"), true, "550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c\r\n");
	expect_written(SMTP_REPLY(550, 7, 1, "a\rb\0c\x7f\xc3\xa4"), true, "550 5.7.1 a?b?c???\r\n");
	expect_written(SMTP_REPLY(550, 7, 1, ""), true, "550 5.7.1 \r\n");
}

/* Whatever the text, lines stay short, nothing is lost but what is cut, and our own reader takes it back. */
static void test_write_long(void **state)
{
	(void)state;
	for (unsigned blank = 0; blank < 500; blank += 7) {
		uint8_t    text[3000];
		struct buf out = buf_make(10000);
		memset(text, 'x', sizeof text);
		for (size_t i = blank; blank != 0 && i < sizeof text; i += blank)
			text[i] = ' ';
		const struct smtp_reply reply = { .code = 550, .enhanced = { 5, 7, 1 }, .text = { text, sizeof text } };
		smtp_reply_write(&reply, true, &out);
		struct slice           input = buf_slice(&out), raw, line;
		struct smtp_reply_read read;
		size_t                 bytes = 0;
		assert_int_equal(smtp_reply_take(&input, &read), RC_OK);
		assert_int_equal(input.len, 0);
		raw = read.raw;
		while (smtp_reply_line(&raw, &line)) {
			assert_true(line.len + 6 <= SMTP_REPLY_LINE_MAX);
			bytes += line.len;
		}
		assert_true(bytes <= SMTP_REPLY_TEXT_MAX + 6 * 20u && bytes > SMTP_REPLY_TEXT_MAX - 20);
		buf_done(&out);
	}
}

/* A text of many lines is cut at its bound; the last line that is left ends the reply. */
static void test_write_many_lines(void **state)
{
	(void)state;
	for (unsigned lines = SMTP_REPLY_TEXT_LINES_MAX - 1; lines <= SMTP_REPLY_TEXT_LINES_MAX + 1; lines++) {
		struct buf text = buf_make(1000), out = buf_make(10000);
		for (unsigned i = 1; i < lines; i++)
			buf_put_str(&text, "x\n");
		buf_put_str(&text, "x");
		const struct smtp_reply reply = { .code = 550, .enhanced = { 5, 7, 1 }, .text = buf_slice(&text) };
		smtp_reply_write(&reply, true, &out);
		struct slice           input = buf_slice(&out);
		struct smtp_reply_read read;
		assert_int_equal(smtp_reply_take(&input, &read), RC_OK);
		assert_int_equal(input.len, 0);
		assert_int_equal(read.lines, lines < SMTP_REPLY_TEXT_LINES_MAX ? lines : SMTP_REPLY_TEXT_LINES_MAX);
		buf_done(&text);
		buf_done(&out);
	}
}

struct mapping {
	const char *from;
	const char *to;
};

/* I-25: what a waiting client is told. */
static const struct mapping mappings[] = {
	{ "421 4.3.2 down\r\n", "451 4.3.2 deferred by next hop: down\r\n" },
	{ "450 4.2.1 busy\r\n", "451 4.2.1 deferred by next hop: busy\r\n" },
	{ "451 later\r\n", "451 4.4.0 deferred by next hop: later\r\n" },
	{ "452 4.2.2 full\r\n", "451 4.2.2 deferred by next hop: full\r\n" },
	{ "550 5.1.1 no such user\r\n", "550 5.1.1 no such user\r\n" },
	{ "550 5.1.10 gone\r\n", "550 5.1.10 gone\r\n" },
	{ "552 5.3.4 too big\r\n", "552 5.3.4 too big\r\n" },
	{ "552 5.2.2 full\r\n", "552 5.2.2 full\r\n" },
	{ "552 5.2.3 odd\r\n", "552 5.2.3 rejected by next hop: odd\r\n" },
	{ "554 5.7.9 spam\r\n", "554 5.7.1 rejected by next hop: spam\r\n" },
	{ "550 5.7.1 no\r\n", "550 5.7.1 rejected by next hop: no\r\n" },
	{ "521 never\r\n", "554 5.0.0 rejected by next hop: never\r\n" },
	{ "550 5.1.1 a\x07\xe4\r\n", "550 5.1.1 a??\r\n" },
	{ "550 5.1.1\r\n", "550 5.1.1 refused by next hop\r\n" },
};

static void test_map(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++) {
		struct slice           input = slice_str(mappings[i].from);
		struct smtp_reply_read read;
		struct buf             text = buf_make(1000), out = buf_make(1000);
		assert_int_equal(smtp_reply_take(&input, &read), RC_OK);
		const struct smtp_reply reply = smtp_reply_map(&read, &text);
		smtp_reply_write(&reply, true, &out);
		if (!slice_eq(buf_slice(&out), slice_str(mappings[i].to)))
			fail_msg("%s became %.*s", mappings[i].from, (int)out.len, (char *)out.ptr);
		buf_done(&text);
		buf_done(&out);
	}
}

static void test_map_bound(void **state)
{
	struct buf             from = buf_make(10000), text = buf_make(1000);
	struct smtp_reply_read read;

	(void)state;
	buf_put_str(&from, "554 5.7.1 ");
	for (unsigned i = 0; i < 900; i++)
		buf_put_byte(&from, 'x');
	buf_put_str(&from, "\r\n");
	struct slice input = buf_slice(&from);
	assert_int_equal(smtp_reply_take(&input, &read), RC_OK);
	assert_int_equal(smtp_reply_map(&read, &text).text.len, 400);
	buf_done(&from);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_bounds),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_long),
		cmocka_unit_test(test_write_many_lines),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
