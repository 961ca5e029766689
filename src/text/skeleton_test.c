/* What looks alike and what does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/skeleton.h"
#include "text/unicode.h"

static const struct {
	const char *a, *b;
	bool        alike;
} rows[] = {
	{ "paypal", "p\xd0\xb0yp\xd0\xb0l", true },
	{ "paypal", "\xef\xbd\x90\xef\xbd\x81ypal", true },
	{ "PayPal", "PayPa1", true },
	{ "icbc", "lcbc", true },
	{ "icbc", "1cbc", true },
	{ "microsoft", "rnicrosoft", true },
	{ "microsoft", "micr0soft", true },
	{ "google", "g\xce\xbf\xd0\xbegle", true },
	{ "wechat", "vvechat", true },
	{ "docusign", "clocusign", true },
	{ "工商银行", "工商銀行", true },
	{ "招商证券", "招商証券", true },
	{ "中国", "中國", true },
	{ "paypal", "pay\xe2\x80\x8bpal", true },
	{ "paypal", "PAYPAL", false }, /* the same, not alike */
	{ "paypal", "paypal", false },
	{ "paypal", "payroll", false },
	{ "工商银行", "建设银行", false },
	{ "", "a", false },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (skeleton_is_alike(slice_str(rows[i].a), slice_str(rows[i].b)) != rows[i].alike)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
}

static void test_limits(void **state)
{
	uint8_t text[SKELETON_TEXT_MAX + 1], out[SKELETON_ROOM];
	size_t  size;

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t length = SKELETON_TEXT_MAX - 1; length <= SKELETON_TEXT_MAX + 1; length++)
		assert_int_equal(skeleton_of(slice_of(text, length), out, sizeof out, &size),
		                 length <= SKELETON_TEXT_MAX ? RC_OK : RC_LIMIT);
	assert_int_equal(skeleton_of(SLICE("m"), out, 1, &size), RC_LIMIT);
	assert_int_equal(skeleton_of(SLICE("m"), out, 2, &size), RC_OK);
	assert_int_equal(skeleton_of(SLICE(""), out, 0, &size), RC_OK);
	assert_int_equal(size, 0);
}

static int ready(void **state)
{
	(void)state;
	return unicode_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_limits) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
