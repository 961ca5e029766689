/* IP addresses as text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mail/ip.h"

static const struct {
	const char *text;
	const char *written;
} lawful[] = {
	{ "0.0.0.0", "0.0.0.0" },
	{ "192.0.2.255", "192.0.2.255" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "1::", "1::" },
	{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
	{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
	{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
	{ "0:0:0:0:0:0:0:0", "::" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ "::ffff:c000:201", "::ffff:192.0.2.1" },
	{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
	{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "1:0:0:2::", "1:0:0:2::" },
};

static const char *const unlawful[] = {
	"",
	"1",
	"1.2.3",
	"1.2.3.4.5",
	"1.2.3.",
	".1.2.3",
	"1..2.3",
	"256.1.1.1",
	"01.2.3.4",
	"1.2.3.4 ",
	"1.2.3.-4",
	"0x1.2.3.4",
	"1.2.3.1000",
	"a.b.c.d",
	":",
	":::",
	"::1::",
	"1::2::3",
	"1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7:8:9",
	"1:2:3:4:5:6:7:8::",
	"::1:2:3:4:5:6:7:8",
	"1:2:3:4:5:6:7:",
	":1:2:3:4:5:6:7",
	"12345::",
	"g::",
	"::1.2.3",
	"::1.2.3.4.5",
	"::1.2.3.4:5",
	"1:2:3:4:5:6:7:1.2.3.4",
	"::1%eth0",
	"[::1]",
	"::ffff:01.2.3.4",
	"1:",
	"1:2",
	":1",
	"1.2.3.4::",
	"::1 ",
	"1:::2",
};

static void test_lawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lawful / sizeof lawful[0]; i++) {
		struct ip  ip, back;
		struct buf out = buf_make(IP_TEXT_MAX);
		if (ip_read(slice_str(lawful[i].text), &ip) != RC_OK)
			fail_msg("%s refused", lawful[i].text);
		ip_write(&ip, &out);
		if (!slice_eq(buf_slice(&out), slice_str(lawful[i].written)))
			fail_msg("%s became %.*s", lawful[i].text, (int)out.len, (char *)out.ptr);
		assert_int_equal(ip_read(buf_slice(&out), &back), RC_OK);
		assert_true(ip_eq(&ip, &back));
		buf_done(&out);
	}
}

static void test_unlawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unlawful / sizeof unlawful[0]; i++) {
		struct ip ip = { .family = IP_NONE };
		if (ip_read(slice_str(unlawful[i]), &ip) != RC_SYNTAX || ip.family != IP_NONE)
			fail_msg("%s taken", unlawful[i]);
	}
}

static void test_unmapped(void **state)
{
	struct ip mapped, plain, other;

	(void)state;
	assert_int_equal(ip_read(SLICE("::ffff:192.0.2.1"), &mapped), RC_OK);
	assert_int_equal(ip_read(SLICE("192.0.2.1"), &plain), RC_OK);
	assert_int_equal(ip_read(SLICE("::fffe:192.0.2.1"), &other), RC_OK);
	mapped = ip_unmapped(mapped);
	assert_true(ip_eq(&mapped, &plain));
	plain = ip_unmapped(other);
	assert_true(ip_eq(&plain, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lawful),
		cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_unmapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
