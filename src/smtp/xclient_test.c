/* XCLIENT attributes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "smtp/xclient.h"

static void test_all(void **state)
{
	struct buf     texts = buf_make(1000), ip = buf_make(100);
	struct xclient x;

	(void)state;
	assert_int_equal(
		xclient_read(SLICE("NAME=spike.example ADDR=192.0.2.7 PORT=1234 PROTO=ESMTP HELO=a+2Bb "
	                           "LOGIN=us+20er DESTADDR=IPV6:2001:db8::1 DESTPORT=25 REVERSE_NAME=r.example"),
	                     &texts, &x),
		RC_OK);
	assert_int_equal(x.given, 0x1ff);
	assert_int_equal(x.gone, 0);
	assert_true(slice_eq(x.name, SLICE("spike.example")));
	assert_true(slice_eq(x.helo, SLICE("a+b")));
	assert_true(slice_eq(x.login, SLICE("us er")));
	assert_true(slice_eq(x.reverse_name, SLICE("r.example")));
	assert_int_equal(x.port, 1234);
	assert_int_equal(x.destport, 25);
	assert_true(x.esmtp);
	ip_write(&x.addr, &ip);
	buf_put_byte(&ip, ' ');
	ip_write(&x.destaddr, &ip);
	assert_true(slice_eq(buf_slice(&ip), SLICE("192.0.2.7 2001:db8::1")));
	buf_clear(&texts);
	assert_int_equal(xclient_read(SLICE("name=[UNAVAILABLE] addr=[TEMPUNAVAIL]"), &texts, &x), RC_OK);
	assert_int_equal(x.given, 0);
	assert_int_equal(x.gone, XCLIENT_NAME | XCLIENT_ADDR);
	buf_done(&texts);
	buf_done(&ip);
}

static void test_unlawful(void **state)
{
	static const struct {
		const char *args;
		enum rc     rc;
	} rows[] = {
		{ "", RC_SYNTAX },
		{ "  ", RC_SYNTAX },
		{ "NAME", RC_SYNTAX },
		{ "NAME=", RC_SYNTAX },
		{ "=x", RC_UNSUPPORTED },
		{ "FOO=bar", RC_UNSUPPORTED },
		{ "NAME=a NAME=b", RC_SYNTAX },
		{ "NAME=a NAME=[UNAVAILABLE]", RC_SYNTAX },
		{ "NAME=a+0D+0Ab", RC_SYNTAX },
		{ "NAME=a+00", RC_SYNTAX },
		{ "NAME=a+zz", RC_SYNTAX },
		{ "NAME=a+", RC_SYNTAX },
		{ "ADDR=x", RC_SYNTAX },
		{ "ADDR=1.2.3", RC_SYNTAX },
		{ "ADDR=IPV6:1.2.3.4", RC_SYNTAX },
		{ "PORT=65536", RC_SYNTAX },
		{ "PORT=-1", RC_SYNTAX },
		{ "PROTO=HTTP", RC_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf     texts = buf_make(1000);
		struct xclient x;
		const enum rc  rc = xclient_read(slice_str(rows[i].args), &texts, &x);
		if (rc != rows[i].rc || texts.len != 0)
			fail_msg("%s: %s", rows[i].args, rc_word(rc));
		buf_done(&texts);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	for (size_t size = XCLIENT_NAME_MAX - 1; size <= XCLIENT_NAME_MAX + 1; size++) {
		struct buf     args = buf_make(1000), texts = buf_make(1000), small = buf_make(10);
		struct xclient x;
		buf_put_str(&args, "HELO=");
		while (args.len < size + 5)
			buf_put_byte(&args, 'x');
		assert_int_equal(xclient_read(buf_slice(&args), &texts, &x),
		                 size <= XCLIENT_NAME_MAX ? RC_OK : RC_LIMIT);
		assert_int_equal(xclient_read(buf_slice(&args), &small, &x), RC_LIMIT);
		assert_false(small.failed);
		buf_done(&args);
		buf_done(&texts);
		buf_done(&small);
	}
}

static void test_no_memory(void **state)
{
	struct buf     texts = buf_make(1000);
	struct xclient x;

	(void)state;
	memory_fail_after(0);
	const enum rc rc = xclient_read(SLICE("NAME=x"), &texts, &x);
	memory_fail_after(-1);
	assert_int_equal(rc, RC_LIMIT);
	assert_int_equal(xclient_read(SLICE("NAME=x"), &texts, &x), RC_OK);
	buf_done(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
