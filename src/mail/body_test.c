/* Readings of bodies as text: "how:decoded", joined with "|". */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/body.h"

struct row {
	const char            *name;
	enum transfer_encoding encoding;
	uint32_t               flags; /* BODY_OF_TEXT ..., or DOUBTFUL */
	struct slice           bytes;
	const char            *readings;
};

#define DOUBTFUL 0x8000u
#define FILES    BODY_MAY_HOLD_FILES
#define ROW(name, encoding, flags, bytes, readings)                            \
	{                                                                      \
		name, TRANSFER_##encoding, flags, SLICE_INIT(bytes), readings \
	}
#define HELLO "aGVsbG8sIHdvcmxkISBoZWxsbyB5b3Uh" /* hello, world! hello you! */

static const struct row rows[] = {
	ROW("plain text", 7BIT, BODY_OF_TEXT, "hello", "1:hello"),
	ROW("nothing", 7BIT, 0, "", "1:"),
	ROW("base64", BASE64, 0, "aGVsbG8=", "1:hello"),
	ROW("base64 that goes on", BASE64, 0, "aGVs=bG8=", "1:hello|2:hello|2:hel\x01\xb1\xbc|2:hello|2:hello"),
	ROW("base64 with something else in it", BASE64, 0, "aGVs#x\nbG8=",
	    "1:hel\xc5\xb1\xbc|2:hel\xc5\xb1\xbc|2:hello|2:hello|32:aGVs#x\nbG8="),
	ROW("an encoding that few know", BINHEX, 0, "x", "1:|32:x"),
	ROW("sound text in quoted-printable", QUOTED_PRINTABLE, BODY_OF_TEXT, "a=3Db", "1:a=b"),
	ROW("broken text in quoted-printable", QUOTED_PRINTABLE, BODY_OF_TEXT, "a=4=42",
	    "1:a=4B|4:aB|4:aB|4:a4B|4:aB"),
	ROW("a file in quoted-printable", QUOTED_PRINTABLE, 0, "=41\n=42",
	    "1:A\nB|4:AB|4:A\nB|4:A\nB|4:A\nB"),
	ROW("hidden base64", 7BIT, BODY_OF_TEXT, HELLO, "1:" HELLO "|16:hello, world! hello you!"),
	ROW("a word", 7BIT, BODY_OF_TEXT, "hello", "1:hello"),
	ROW("a file in text, nobody said so", 7BIT, BODY_OF_TEXT, "begin 644 a.txt\n#9F]O\n`\nend\n",
	    "1:begin 644 a.txt\n#9F]O\n`\nend\n"),
	ROW("a file in text", 7BIT, BODY_OF_TEXT | FILES, "x\nbegin 644 a.txt\n#9F]O\n`\nend\n",
	    "1:x\nbegin 644 a.txt\n#9F]O\n`\nend\n|8 a.txt:foo"),
	ROW("no file after all", 7BIT, BODY_OF_TEXT | FILES, "begin to read\nxbegin 644 a\nbegin 64 a\n",
	    "1:begin to read\nxbegin 644 a\nbegin 64 a\n"),
	ROW("yEnc", 8BIT, FILES, "=ybegin line=128 size=3 name=b.bin\n\x90\x99\x99\n=yend\n",
	    "1:=ybegin line=128 size=3 name=b.bin\n\x90\x99\x99\n=yend\n|8 b.bin:foo"),
	ROW("doubtful", 7BIT, DOUBTFUL, "A: b", "32:A: b|4:A: b|4:A: b|4:A: b|4:A: b|4:A: b"),
	ROW("a doubtful run", 7BIT, DOUBTFUL, "A\n\n" HELLO "\n\n--",
	    "32:A\n\n" HELLO "\n\n--|4:A\n\n" HELLO "\n\n--|4:A\n\n" HELLO "\n\n--|4:A\n\n" HELLO
	    "\n\n--|4:A\n\n" HELLO "\n\n--|4:A\n\n" HELLO "\n\n--|16:hello, world! hello you!|"
	    "16:hello, world! hello you!"),
};

static void readings_put(struct body_walk *walk, struct buf *out)
{
	struct body_reading reading;

	while (body_next(walk, &reading)) {
		struct transfer transfer = body_open(&reading);
		uint8_t         piece[64];
		size_t          made;
		buf_put_str(out, out->len == 0 ? "" : "|");
		buf_put_u64(out, reading.how);
		if (reading.name.len != 0) {
			buf_put_byte(out, ' ');
			buf_put(out, reading.name);
		}
		buf_put_byte(out, ':');
		while ((made = transfer_read(&transfer, piece, sizeof piece)) != 0)
			buf_put(out, slice_of(piece, made));
		body_told(walk, transfer.flaws);
	}
}

static void test_rows(void **state)
{
	struct buf text = buf_make(4096);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct body_walk walk = rows[i].flags == DOUBTFUL
		                                ? body_begin_doubtful(rows[i].bytes)
		                                : body_begin(rows[i].bytes, rows[i].encoding, rows[i].flags);
		buf_clear(&text);
		readings_put(&walk, &text);
		assert_false(walk.cut);
		if (!slice_eq(buf_slice(&text), slice_str(rows[i].readings)))
			fail_msg("%s: %.*s", rows[i].name, (int)text.len, (const char *)text.ptr);
	}
	buf_done(&text);
}

/* The bound of one walk, at both sides; and the work stays linear. */
static void test_bound(void **state)
{
	struct buf text = buf_make(4 << 20);

	(void)state;
	for (unsigned files = BODY_READINGS_MAX - 2; files <= BODY_READINGS_MAX; files++) {
		struct body_reading reading;
		unsigned            count = 0;
		buf_clear(&text);
		for (unsigned i = 0; i < files; i++)
			buf_put_str(&text, "begin 644 x\nend\n");
		struct body_walk walk = body_begin(buf_slice(&text), TRANSFER_7BIT, BODY_MAY_HOLD_FILES);
		while (body_next(&walk, &reading))
			count++;
		assert_int_equal(count, files < BODY_READINGS_MAX ? files + 1 : BODY_READINGS_MAX);
		assert_int_equal(walk.cut, files + 1 > BODY_READINGS_MAX);
		assert_true(walk.steps <= 200 * text.len);
	}
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_bound) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
