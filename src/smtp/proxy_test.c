/* PROXY protocol headers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtp/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

struct row {
	const char  *name;
	struct slice input;
	enum rc      rc;
	const char  *said; /* "source:port target:port", or "local" */
};

#define ROW(row_name, text, row_rc, row_said)                                                       \
	{                                                                                           \
		(row_name), { (const uint8_t *)"" text "", sizeof(text) - 1 }, (row_rc), (row_said) \
	}

static const struct row rows[] = {
	ROW("v1, IPv4", "PROXY TCP4 192.0.2.1 198.51.100.2 5678 25\r\n", RC_OK, "192.0.2.1:5678 198.51.100.2:25"),
	ROW("v1, IPv6", "PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", RC_OK, "2001:db8::1:65535 ::1:0"),
	ROW("v1, unknown", "PROXY UNKNOWN\r\n", RC_OK, "local"),
	ROW("v1, unknown with words", "PROXY UNKNOWN ffff::1 x 1 2\r\n", RC_OK, "local"),
	ROW("v2, IPv4", SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x16\x2e\0\x19", RC_OK,
	    "192.0.2.1:5678 198.51.100.2:25"),
	ROW("v2, IPv4 and a TLV", SIGNATURE "\x21\x11\0\x10\xc0\0\2\1\xc6\x33\x64\2\x16\x2e\0\x19\1\0\1x", RC_OK,
	    "192.0.2.1:5678 198.51.100.2:25"),
	ROW("v2, IPv6",
	    SIGNATURE
	    "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x16\x2e\0\x19",
	    RC_OK, "2001:db8::1:5678 ::1:25"),
	ROW("v2, LOCAL", SIGNATURE "\x20\0\0\0", RC_OK, "local"),
	ROW("v2, LOCAL with addresses", SIGNATURE "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x16\x2e\0\x19", RC_OK,
	    "local"),
	ROW("v2, PROXY of an unspecified family", SIGNATURE "\x21\0\0\0", RC_OK, "local"),
	ROW("nothing", "", RC_AGAIN, NULL),
	ROW("half of v1", "PROXY TCP4 192.0.2.1", RC_AGAIN, NULL),
	ROW("half of v2", SIGNATURE "\x21\x11\0\x0c\xc0\0", RC_AGAIN, NULL),
	ROW("SMTP", "EHLO x\r\n", RC_SYNTAX, NULL),
	ROW("lower case", "proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n", RC_SYNTAX, NULL),
	ROW("unknown family", "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", RC_SYNTAX, NULL),
	ROW("IPv6 in TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n", RC_SYNTAX, NULL),
	ROW("IPv4 in TCP6", "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n", RC_SYNTAX, NULL),
	ROW("a missing port", "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n", RC_SYNTAX, NULL),
	ROW("one word too many", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n", RC_SYNTAX, NULL),
	ROW("two blanks", "PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n", RC_SYNTAX, NULL),
	ROW("a port of 65536", "PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n", RC_SYNTAX, NULL),
	ROW("a port with a zero in front", "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n", RC_SYNTAX, NULL),
	ROW("an octet of 256", "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n", RC_SYNTAX, NULL),
	ROW("bare LF", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n", RC_SYNTAX, NULL),
	ROW("108 bytes",
	    "PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
	    RC_LIMIT, NULL),
	ROW("a wrong signature", "\r\n\r\n\0\r\nQUIT\r\x21\x11\0\0", RC_SYNTAX, NULL),
	ROW("version 1 in binary", SIGNATURE "\x11\x11\0\0", RC_SYNTAX, NULL),
	ROW("an unknown command", SIGNATURE "\x22\x11\0\0", RC_SYNTAX, NULL),
	ROW("UDP", SIGNATURE "\x21\x12\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x16\x2e\0\x19", RC_UNSUPPORTED, NULL),
	ROW("an unknown family in binary", SIGNATURE "\x21\x41\0\0", RC_SYNTAX, NULL),
	ROW("too short for its addresses", SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\2\x16\x2e\0", RC_SYNTAX,
	    NULL),
	ROW("longer than we read", SIGNATURE "\x21\x11\x08\0", RC_LIMIT, NULL),
};

static void check(const struct row *row, struct slice input)
{
	struct proxy_header header;
	struct buf          said = buf_make(200);
	const struct slice  whole = input;
	const enum rc       rc = proxy_take(&input, &header);

	if (rc != (whole.len == row->input.len ? row->rc : rc == RC_AGAIN ? RC_AGAIN : row->rc))
		fail_msg("%s, %zu bytes: %s", row->name, whole.len, rc_word(rc));
	if (rc != RC_OK) {
		assert_int_equal(input.len, whole.len);
		return;
	}
	assert_int_equal(input.len, 0);
	if (header.local) {
		assert_int_equal(header.source.family, IP_NONE);
		buf_put_str(&said, "local");
	} else {
		ip_write(&header.source, &said);
		buf_printf(&said, ":%u ", header.source_port);
		ip_write(&header.target, &said);
		buf_printf(&said, ":%u", header.target_port);
	}
	if (!slice_eq(buf_slice(&said), slice_str(row->said)))
		fail_msg("%s: %.*s", row->name, (int)said.len, (char *)said.ptr);
	buf_done(&said);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t cut = 0; cut <= rows[i].input.len; cut++)
			check(&rows[i], slice_take(rows[i].input, cut));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
