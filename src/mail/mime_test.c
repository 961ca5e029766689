/* MIME fields: the grammar, the readings of one parameter, and what hostile senders make of both. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/mime.h"
#include "text/charset.h"

#define BAD       MIME_FIELD_MALFORMED
#define DUP       MIME_FIELD_DUPLICATE
#define NOTE      MIME_FIELD_COMMENT
#define ANY_FLAGS UINT32_MAX

struct row {
	const char  *name;
	struct slice value;
	const char  *word;
	const char  *readings; /* of "name", joined with "|" */
	uint32_t     flags;
};

#define ROW(name, value, word, readings, flags)                \
	{                                                      \
		name, SLICE_INIT(value), word, readings, flags \
	}

static const struct row rows[] = {
	ROW("type only", "text/plain", "text/plain", "", 0),
	ROW("letters in any case", "Text/PLAIN; NAME=a", "text/plain", "a", 0),
	ROW("a quoted value", "a/b; name=\"x y.txt\"", "a/b", "x y.txt", 0),
	ROW("backslashes in quotes", "a/b; name=\"x\\\"y\\\\z\"", "a/b", "x\"y\\z", 0),
	ROW("blanks around everything", " a / b ; name = x ", "a/b", "x", 0),
	ROW("a semicolon in quotes", "a/b; name=\"x;y\"; c=d", "a/b", "x;y", 0),
	ROW("an empty quoted value", "a/b; name=\"\"", "a/b", "", 0),
	ROW("a trailing semicolon", "a/b; name=x;", "a/b", "x", 0),
	ROW("semicolons in a row", "a/b;; ;name=x", "a/b", "x", 0),
	ROW("extended", "a/b; name*=utf-8'en'%e4%b8%ad.txt", "a/b", "\xe4\xb8\xad.txt", 0),
	ROW("extended latin-1", "a/b; name*=iso-8859-1''%e9", "a/b", "\xc3\xa9", 0),
	ROW("extended UTF-16", "a/b; name*=utf-16be''%00a%00b", "a/b", "ab", 0),
	ROW("continued", "a/b; name*0=one; name*1=two", "a/b", "onetwo", 0),
	ROW("continued and extended", "a/b; name*0*=utf-8''%41; name*1*=%42; name*2=%43", "a/b", "AB%43", 0),
	ROW("an encoded word", "a/b; name=\"=?utf-8?Q?x=2Ezip?=\"", "a/b", "x.zip|=?utf-8?Q?x=2Ezip?=", 0),
	ROW("extended before plain", "a/b; name=x.png; name*=utf-8''y.zip", "a/b", "y.zip|x.png", 0),
	ROW("a comment", "a/b (hello); name=x (there)", "a/b", "x|x (there)", NOTE),
	ROW("nested comments", "a/b; (a (b \\) c)) name=x", "a/b", "x", NOTE),
	ROW("nothing", "", "", "", BAD),
	ROW("no subtype", "text", "text", "", 0),
	ROW("an empty subtype", "text/; name=x", "text/", "x", BAD),
	ROW("no type", "/plain", "/plain", "", BAD),
	ROW("a parameter only", "name=x", "name=x", "", 0),
	ROW("a missing semicolon", "a/b name=x", "a/b", "x", BAD),
	ROW("a missing semicolon between parameters", "a/b; c=d name=x", "a/b", "x", BAD),
	ROW("no value", "a/b; name", "a/b", "", BAD),
	ROW("an empty value", "a/b; name=", "a/b", "", 0),
	ROW("an empty value and more", "a/b; name=; c=d", "a/b", "", 0),
	ROW("no end of quotes", "a/b; name=\"x.zip", "a/b", "x.zip|\"x.zip", BAD),
	ROW("text behind quotes", "a/b; name=\"x\".zip", "a/b", "x|x\".zip|x.zip|\"x\".zip", BAD),
	ROW("blanks in an unquoted value", "a/b; name=x y.zip", "a/b", "x y.zip|x", BAD),
	ROW("twice, the same", "a/b; name=x; name=x", "a/b", "x", 0),
	ROW("twice, different", "a/b; name=x.txt; name=y.zip", "a/b", "x.txt|y.zip", DUP),
	ROW("continued out of order", "a/b; name*1=zip; name*0=x.", "a/b", "x.zip|zipx.", 0),
	ROW("continued with a gap", "a/b; name*0=x.; name*2=zip", "a/b", "x.zip", 0),
	ROW("continued without its first", "a/b; name*1=x; name*2=y", "a/b", "xy", 0),
	ROW("extended without a charset", "a/b; name*=x%2Ezip", "a/b", "x.zip|x%2Ezip", 0),
	ROW("extended, percent without digits", "a/b; name*=''x%zz%4", "a/b", "x%zz%4", 0),
	ROW("a section that is no number", "a/b; name*x=y", "a/b", "", 0),
	ROW("an unclosed comment", "a/b; name=(x", "a/b", "(x", BAD),
	ROW("a comment inside a value", "a/b; name=x.z(y)ip", "a/b", "x.z(y)ip|x.zip", ANY_FLAGS),
	ROW("a comment inside a name", "a/b; na()me=x.zip", "a/b", "x.zip", ANY_FLAGS),
	ROW("a semicolon inside a value", "a/b; name=x;.zip", "a/b", "x|x;.zip", BAD),
	ROW("quotes of the other sort", "a/b; name='x.zip'", "a/b", "'x.zip'|x.zip", 0),
	ROW("UTF-16 in the other order", "a/b; name*=utf-16be''x%00", "a/b", "\xe7\xa0\x80|x", 0),
	ROW("equals signs only", "a/b; ====", "a/b", "", ANY_FLAGS),
	ROW("quotes only", "\"\"\"\"", "\"\"\"\"", "", 0),
};

static void joined(const struct mime_readings *readings, char *out, size_t room)
{
	size_t size = 0;

	for (size_t i = 0; i < readings->count; i++) {
		const struct slice text = readings->items[i].text;
		assert_true(size + text.len + 2 < room);
		if (i != 0)
			out[size++] = '|';
		if (text.len != 0)
			memcpy(&out[size], text.ptr, text.len);
		size += text.len;
	}
	out[size] = '\0';
}

static void test_rows(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena         arena;
		struct mime_field    field;
		struct mime_readings readings = { .count = 0 };
		assert_int_equal(arena_init(&arena, 65536), RC_OK);
		assert_int_equal(mime_field_read(rows[i].value, 16, &arena, &field), RC_OK);
		assert_int_equal(mime_readings_add(&field, SLICE("name"), &arena, &readings), RC_OK);
		joined(&readings, text, sizeof text);
		if (!slice_eq(field.word, slice_str(rows[i].word)) ||
		    !slice_eq(slice_str(text), slice_str(rows[i].readings)) ||
		    (rows[i].flags != ANY_FLAGS && field.flags != rows[i].flags))
			fail_msg("%s: %.*s, %s, flags %u", rows[i].name, (int)field.word.len,
			         (const char *)field.word.ptr, text, field.flags);
		for (size_t cut = 0; cut < rows[i].value.len; cut++) {
			arena_reset(&arena);
			readings.count = 0;
			assert_int_equal(mime_field_read(slice_take(rows[i].value, cut), 16, &arena, &field), RC_OK);
			assert_int_equal(mime_readings_add(&field, SLICE("name"), &arena, &readings), RC_OK);
		}
		for (size_t size = 0; size < 4096; size += 16) {
			uint8_t      memory[4096];
			struct arena small = arena_on(memory, size);
			if (mime_field_read(rows[i].value, 16, &small, &field) != RC_OK)
				continue;
			readings.count = 0;
			assert_in_range(mime_readings_add(&field, SLICE("name"), &small, &readings), RC_OK, RC_NOMEM);
		}
		arena_done(&arena);
	}
}

static void test_parameter_limit(void **state)
{
	static const struct slice value = SLICE_INIT("a/b; a=1; b=2; c=3; d=4; e=5");
	struct arena              arena;
	struct mime_field         field;

	(void)state;
	assert_int_equal(arena_init(&arena, 65536), RC_OK);
	for (size_t limit = 4; limit <= 6; limit++) {
		assert_int_equal(mime_field_read(value, limit, &arena, &field), RC_OK);
		assert_int_equal(field.count, limit < 5 ? limit : 5);
		assert_int_equal((field.flags & MIME_FIELD_LIMIT) != 0, limit < 5);
	}
	arena_done(&arena);
}

static int ready(void **state)
{
	(void)state;
	return charset_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_parameter_limit) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
