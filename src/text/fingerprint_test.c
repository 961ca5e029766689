/* Masks by rows; copies of a campaign are near each other, other texts are far; the estimate against the true share. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/fingerprint.h"

static uint8_t memory[1 << 17];

static const struct {
	const char *text, *masked;
} masks[] = {
	{ "", "" },
	{ " \r\n\t ", "" },
	{ "  Hello,\r\n\tWorld ", "hello, world" },
	{ "Order 12345 of 2024-05-06, 12:30", "order 0 of 0, 0" },
	{ "You owe $1,234.50.", "you owe $0." },
	{ "write to Some.One+x@mail.example.com now", "write to @ now" },
	{ "<a@b>", "<@>" },
	{ "@home and user@ and @", "@home and user@ and @" },
	{ "see https://example.com/a?b=1 or (WWW.Example.com/x) or HTTP://x", "see :// or (://) or ://" },
	{ "awww.x", "awww.x" },
	{ "看 https://例子", "看 ://例子" },
	{ "发票12张", "发票0张" },
};

static void test_masks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		struct arena       arena = arena_on(memory, sizeof memory);
		struct slice       masked;
		const struct slice text = slice_str(masks[i].text);
		assert_int_equal(fingerprint_mask(text, &arena, &masked), RC_OK);
		if (!slice_eq(masked, slice_str(masks[i].masked)))
			fail_msg("\"%s\": \"%.*s\"", masks[i].text, (int)masked.len, (const char *)masked.ptr);
		struct arena small = arena_on(memory, 64);
		small.used = 64 - (text.len == 0 ? 0 : text.len - 1 < 64 ? text.len - 1 : 64);
		assert_int_equal(fingerprint_mask(text, &small, &masked),
		                 text.len == 0 || text.len - 1 >= 64 ? (text.len == 0 ? RC_OK : RC_NOMEM) : RC_NOMEM);
	}
}

/* The mail address's local part: one byte less than its most, its most, one more. */
static void test_address_limit(void **state)
{
	uint8_t text[80];

	(void)state;
	for (size_t size = 63; size <= 65; size++) {
		struct arena arena = arena_on(memory, sizeof memory);
		struct slice masked;
		memset(text, 'x', sizeof text);
		text[size] = '@';
		assert_int_equal(fingerprint_mask(slice_of(text, size + 5), &arena, &masked), RC_OK);
		assert_int_equal(masked.len, size <= 64 ? 1 : size + 5);
	}
}

static struct fingerprint of(struct slice text)
{
	struct arena       arena = arena_on(memory, sizeof memory);
	struct fingerprint made;

	assert_int_equal(fingerprint_of(text, &arena, &made), RC_OK);
	assert_int_equal(arena.used, 0);
	return made;
}

#define CAMPAIGN(name, number, link)                                                                                                \
	"Dear " name ",\n\nyour parcel " number                                                                                     \
	" could not be delivered because the address on it was incomplete. Please confirm "                                         \
	"the address within 24 hours, or it will be returned to its sender. A fee of 1.99 is due for the second delivery. You can " \
	"pay it with any card at " link ".\n\nKind regards,\nYour delivery service\n"

static void test_campaign(void **state)
{
	const struct fingerprint one = of(SLICE(CAMPAIGN("Anna", "RR123456789", "https://a.example/x")));
	const struct fingerprint same = of(SLICE(CAMPAIGN("ANNA", "RR987654321", "http://b.example/y?z=1")));
	const struct fingerprint near = of(SLICE(CAMPAIGN("Mr Bernard Smith", "LX 5", "www.c.example")));
	const struct fingerprint other = of(SLICE(
		"Hello all, the minutes of yesterday's meeting are attached. Please send corrections until Friday; "
		"we shall vote on the budget of the next quarter on Monday at ten. Thanks to everybody who came!"));

	(void)state;
	assert_true(digest_eq(&one.exact, &same.exact));
	assert_int_equal(fingerprint_similarity(&one, &same), 100);
	assert_false(digest_eq(&one.exact, &near.exact));
	assert_in_range(fingerprint_similarity(&one, &near), 70, 99);
	assert_in_range(fingerprint_similarity(&one, &other), 0, 10);
	assert_int_equal(fingerprint_similarity(&one, &other), fingerprint_similarity(&other, &one));
}

static void test_short(void **state)
{
	const struct fingerprint empty = of(SLICE(" \n")), one = of(SLICE("x")), other = of(SLICE("y"));
	const struct fingerprint eleven = of(SLICE("abcdefghijk")), twelve = of(SLICE("abcdefghijkl")),
				 more = of(SLICE("abcdefghijklm"));

	(void)state;
	assert_int_equal(fingerprint_similarity(&empty, &empty), 0);
	assert_int_equal(fingerprint_similarity(&empty, &one), 0);
	assert_int_equal(fingerprint_similarity(&one, &one), 100);
	assert_in_range(fingerprint_similarity(&one, &other), 0, 5);
	assert_in_range(fingerprint_similarity(&eleven, &twelve), 0, 5);
	assert_in_range(fingerprint_similarity(&twelve, &more), 20, 80);
}

/*
 * Texts that share a front of known size: the estimate is within four times its standard deviation, 50 / sqrt(64)
 * points.
 */
static void test_estimate(void **state)
{
	static uint8_t a[4000], b[4000];
	uint32_t       seed = 1;

	(void)state;
	for (size_t shared = 0; shared <= sizeof a; shared += 500) {
		for (size_t i = 0; i < sizeof a; i++) {
			seed = seed * 1103515245 + 12345;
			a[i] = (uint8_t)('a' + (seed >> 16) % 26);
			seed = seed * 1103515245 + 12345;
			b[i] = i < shared ? a[i] : (uint8_t)('a' + (seed >> 16) % 26);
		}
		const struct fingerprint one = of(slice_of(a, sizeof a)), other = of(slice_of(b, sizeof b));
		const int                truth = (int)(100 * shared / (2 * sizeof a - shared));
		const int                estimate = (int)fingerprint_similarity(&one, &other);
		assert_in_range(estimate + 25, truth, truth + 50);
	}
}

static int ready(void **state)
{
	(void)state;
	return digest_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_masks), cmocka_unit_test(test_address_limit),
		                            cmocka_unit_test(test_campaign), cmocka_unit_test(test_short),
		                            cmocka_unit_test(test_estimate) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
