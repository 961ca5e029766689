/*
 * Content in readings other than the primary one: what one reader finds and another does not is found here. The rows
 * stand for the ways of the published attacks; the last tests are about what such messages may cost.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "mail/reading.h"
#include "scan/work.h"
#include "text/charset.h"

#define EICAR64                                            \
	"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNU" \
	"QU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=\n"
#define PART "Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n" EICAR64
#define TOP  "From: a@b.example\nMIME-Version: 1.0\n"

static const struct {
	const char  *name;
	struct slice bytes;
} rows[] = {
	{ "the second of two boundaries",
	  SLICE_INIT(TOP "Content-Type: multipart/mixed; boundary=x; boundary=y\n\n--x\n\nhi\n--y\n" PART "--y--\n--x--\n") },
	{ "the second of two types",
	  SLICE_INIT(TOP "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=y\n\n--y\n" PART "--y--\n") },
	{ "a boundary that nobody names", SLICE_INIT(TOP "Content-Type: multipart/mixed\n\n--y\n" PART "--y--\n") },
	{ "no type at all", SLICE_INIT(TOP "\n--y\n" PART "--y--\n") },
	{ "a type in a continuation line", SLICE_INIT(TOP "X :y\n Content-Type: multipart/mixed; boundary=y\n\n--y\n" PART) },
	{ "a type behind a bare CR", SLICE_INIT(TOP "X: y\rContent-Type: multipart/mixed; boundary=y\n\n--y\n" PART) },
	{ "line ends of CR alone", SLICE_INIT("From: a@b.example\rContent-Transfer-Encoding: base64\r\r" EICAR64) },
	{ "an encoding behind the empty line", SLICE_INIT(TOP "\nContent-Transfer-Encoding: base64\n\n" EICAR64) },
	{ "an encoding that is misspelt", SLICE_INIT(TOP "Content-Transfer-Encoding: xbase64\n\n" EICAR64) },
	{ "a delimiter behind a CR",
	  SLICE_INIT(TOP "Content-Type: multipart/mixed; boundary=y\n\n\r--y\nContent-Type: a/b\n"
	                 "Content-Transfer-Encoding: base64\n\n" EICAR64 "--y--\n") },
	{ "a message in quoted-printable in a message in base64",
	  SLICE_INIT(TOP "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
	                 "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgpDb250ZW50LVRyYW5zZmVyLUVuY29kaW5nOiBx\n"
	                 "dW90ZWQtcHJpbnRhYmxlCgpDb250ZW50LVR5cGU6IGEvYgpDb250ZW50LVRyYW5zZmVyLUVuY29k\n"
	                 "aW5nOiBiYXNlNjQKCldEVlBJVkFsUUVGUVd6UmNVRnBZTlRRb1VGNHBOME5ES1RkOUpFVkpRMEZT\n"
	                 "TFZOVVFVNUVRVkpFTFVGT1ZFbFdTVkpWVXkxVVJWTlVMVVpKVEVVaEpFZ3JTQ289Cg==\n") },
	{ "a multipart in an encoding",
	  SLICE_INIT(TOP "Content-Type: multipart/mixed; boundary=y\nContent-Transfer-Encoding: quoted-printable\n\n"
	                 "=2D-y\nContent-Transfer-Encoding: base64\nContent-Type: a/b\n\n"
	                 "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNU"
	                 "QU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=3D\n=2D-y--\n") },
	{ "BinHex", SLICE_INIT(TOP "Content-Type: a/b\nContent-Transfer-Encoding: mac-binhex40\n\n"
	                           "(This file must be converted with BinHex 4.0)\n\n:!AJ!9%9B9(4dH(3!!!!!!%3!!!!!%M4B08mK8#9!39\"E0&a3@PJe0#K3ALNh3d-T\n"
	                           "0hdN48P$39)Y8e4\"6N4\"8N3Y38j859C*8P96,94&8e3Y4NP-45%N5#Y)+J:\n") },
	{ "quoted-printable without soft breaks",
	  SLICE_INIT(TOP "Content-Type: a/b\nContent-Transfer-Encoding: quoted-printable\n\n"
	                 "=58=35=4F=21=50=25=40=41\n=50=5B=34=5C=50=5A=58=35\n=34=28=50=5E=29=37=43=43\n"
	                 "=29=37=7D=24=45=49=43=41\n=52=2D=53=54=41=4E=44=41\n=52=44=2D=41=4E=54=49=56\n"
	                 "=49=52=55=53=2D=54=45=53\n=54=2D=46=49=4C=45=21=24\n=48=2B=48=2A\n") },
};

static struct scan_options options_make(void)
{
	return (struct scan_options){ .cut = SCAN_CUT_ALL, .limits = SCAN_LIMITS_STANDARD };
}

static void run(struct slice message, struct arena *arena, struct findings *out)
{
	const struct scan_options options = options_make();
	struct digest             engine;

	scan_engine_digest(&options, &engine);
	arena_reset(arena);
	assert_int_equal(scan_message(message, &options, &engine, arena, out), RC_OK);
}

static void test_rows(void **state)
{
	struct arena    arena;
	struct findings findings;

	(void)state;
	assert_int_equal(arena_init(&arena, SCAN_ARENA_BYTES), RC_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		run(rows[i].bytes, &arena, &findings);
		if (findings_first(&findings, FINDING_CONTENT_EICAR) == NULL)
			fail_msg("%s", rows[i].name);
	}
	arena_done(&arena);
}

/* The steps of all other readings: one below, at, and one above their bound. */
static void test_steps(void **state)
{
	const struct scan_options options = options_make();
	struct arena     arena;
	struct scan_work work = { .bytes = SLICE("0123456789"), .options = &options, .arena = &arena };
	const uint64_t   most = READINGS_STEPS_MAX + 2 * READINGS_MAX * (uint64_t)work.bytes.len;

	(void)state;
	assert_int_equal(arena_init(&arena, SCAN_ARENA_BYTES), RC_OK);
	assert_int_equal(collector_init(&work.collector, work.bytes, &arena), RC_OK);
	assert_true(scan_reading_step(&work, most - 1));
	assert_true(scan_reading_step(&work, 1));
	assert_int_equal(work.collector.count, 0);
	assert_false(scan_reading_step(&work, 1));
	assert_int_equal(work.collector.count, 1);
	assert_int_equal(work.collector.list[0].kind, FINDING_LIMIT_READINGS);
	arena_done(&arena);
}

/* A message within a message within a message, each encoded: READING_DEPTH_MAX of them, and one more. */
static void test_depth(void **state)
{
	struct buf      text = buf_make(1 << 20);
	struct arena    arena;
	struct findings findings;

	(void)state;
	assert_int_equal(arena_init(&arena, SCAN_ARENA_BYTES), RC_OK);
	for (unsigned depth = READING_DEPTH_MAX - 1; depth <= READING_DEPTH_MAX + 1; depth++) {
		buf_clear(&text);
		/* Quoted-printable leaves it as it stands, but every "=" would have to be spelt: there is none. */
		for (unsigned i = 0; i < depth; i++)
			buf_put_str(&text, "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n");
		buf_put_str(&text, "A: b\n\nhello\n");
		run(buf_slice(&text), &arena, &findings);
		assert_int_equal(findings_first(&findings, FINDING_LIMIT_DEPTH) != NULL, depth > READING_DEPTH_MAX);
	}
	arena_done(&arena);
	buf_done(&text);
}

/* What a hostile message costs grows with its size, whatever it is made of. */
static void test_cost(void **state)
{
	static const char *const units[] = {
		"--x\nContent-Type: multipart/mixed; boundary=x; boundary=y\nContent-Type: message/rfc822\n\n",
		"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n*\n",
		"begin 644 x\n",
		"=ybegin name=x\n(This file must be",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n",
	};
	struct buf      text = buf_make(1 << 21);
	struct arena    arena;
	struct findings findings;

	(void)state;
	assert_int_equal(arena_init(&arena, SCAN_ARENA_BYTES), RC_OK);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		buf_clear(&text);
		buf_put_str(&text, "Content-Type: multipart/mixed; boundary=x; boundary=y\nno field\n\n");
		while (text.len < 1 << 20)
			buf_put_str(&text, units[i]);
		run(buf_slice(&text), &arena, &findings);
		assert_true(findings.facts.steps <= READINGS_STEPS_MAX + 300 * (uint64_t)text.len);
	}
	arena_done(&arena);
	buf_done(&text);
}

int main(void)
{
	if (digest_ready() != RC_OK || charset_ready() != RC_OK)
		return 1;
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_steps),
		                            cmocka_unit_test(test_depth), cmocka_unit_test(test_cost) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
