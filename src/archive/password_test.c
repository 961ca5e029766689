/* Which candidates a text gives, and in which order; the bounds of the list. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive/password.h"

static uint8_t              memory[1 << 16];
static struct arena         arena;
static struct password_list list;

static void fresh(void)
{
	arena = arena_on(memory, sizeof memory);
	password_init(&list, &arena);
}

static size_t place_of(struct slice text)
{
	for (size_t i = 0; i < list.count; i++) {
		if (slice_eq(list.items[i].text, text))
			return i;
	}
	return SIZE_MAX;
}

/* `first`: among the first so many candidates. */
static const struct {
	struct slice text, password;
	size_t       first;
} said[] = {
	{ SLICE_INIT("The password is: Xy7!q"), SLICE_INIT("Xy7!q"), 2 },
	{ SLICE_INIT("Password:hunter2."), SLICE_INIT("hunter2"), 1 },
	{ SLICE_INIT("PASSWORD = abc"), SLICE_INIT("abc"), 1 },
	{ SLICE_INIT("password for the archive is 4477"), SLICE_INIT("4477"), 6 },
	{ SLICE_INIT("Use \"open sesame\" as the password"), SLICE_INIT("open sesame"), 8 },
	{ SLICE_INIT("the password is \"two words\""), SLICE_INIT("two words"), 1 },
	{ SLICE_INIT("Password\r\n\r\n  9981\r\n"), SLICE_INIT("9981"), 1 },
	{ SLICE_INIT("pwd: (a.b)"), SLICE_INIT("a.b"), 1 },
	{ SLICE_INIT("Kennwort: Stra\xc3\x9f" "e1"), SLICE_INIT("Stra\xc3\x9f" "e1"), 1 },
	{ SLICE_INIT("mot de passe : soleil"), SLICE_INIT("soleil"), 1 },
	{ SLICE_INIT("\xe8\xa7\xa3\xe5\x8e\x8b\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9a" "a1b2c3"), SLICE_INIT("a1b2c3"), 1 },
	{ SLICE_INIT("\xe5\xaf\x86\xe7\xa0\x81\xe6\x98\xaf" "8848\xe3\x80\x82"), SLICE_INIT("8848"), 1 },
	{ SLICE_INIT("\xe6\x8f\x90\xe5\x8f\x96\xe7\xa0\x81: x9k2"), SLICE_INIT("x9k2"), 1 },
	{ SLICE_INIT("\xe5\x8f\xa3\xe4\xbb\xa4\xe4\xb8\xba\xe3\x80\x8c" "abcd\xe3\x80\x8d"), SLICE_INIT("abcd"), 1 },
	{ SLICE_INIT("\xe5\xaf\x86\xe7\xa0\x81" "abc123\xe8\xaf\xb7\xe6\x9f\xa5\xe6\x94\xb6"), SLICE_INIT("abc123"), 2 },
	{ SLICE_INIT("\xd0\x9f\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c: 777"), SLICE_INIT("777"), 1 },
};

static void what_is_said_comes_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		fresh();
		assert_int_equal(password_text(&list, said[i].text), RC_OK);
		if (place_of(said[i].password) >= said[i].first)
			fail_msg("row %zu: at %zu", i, place_of(said[i].password));
	}
}

static void common_ones_are_always_there(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(place_of(SLICE("infected")), 0);
	assert_true(place_of(SLICE("123456")) < 3);
	assert_int_equal(password_text(&list, SLICE("password: 123456")), RC_OK);
	assert_int_equal(place_of(SLICE("123456")), 0);
}

static void names_give_their_words(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(password_words(&list, SLICE("Invoice_8841-b77 (final).zip")), RC_OK);
	assert_true(place_of(SLICE("8841")) < 20);
	assert_true(place_of(SLICE("b77")) < 20);
	assert_true(place_of(SLICE("Invoice_8841-b77 (final)")) < 20);
	assert_true(place_of(SLICE("infected")) > place_of(SLICE("8841")));
}

static void the_list_is_bounded(void **state)
{
	static uint8_t long_one[PASSWORD_BYTES_MAX + 1];
	uint8_t        text[3];

	(void)state;
	fresh();
	const size_t common = list.count;
	memset(long_one, 'x', sizeof long_one);
	assert_int_equal(password_add(&list, slice_of(long_one, PASSWORD_BYTES_MAX - 1), PASSWORD_WORD), RC_OK);
	assert_int_equal(password_add(&list, slice_of(long_one, PASSWORD_BYTES_MAX), PASSWORD_WORD), RC_OK);
	assert_int_equal(password_add(&list, slice_of(long_one, PASSWORD_BYTES_MAX + 1), PASSWORD_WORD), RC_OK);
	assert_int_equal(password_add(&list, SLICE(""), PASSWORD_SAID), RC_OK);
	assert_int_equal(password_add(&list, SLICE("a\0b"), PASSWORD_SAID), RC_OK);
	assert_int_equal(list.count, common + 2);
	for (unsigned i = 0; i < PASSWORDS_MAX + 50; i++) {
		text[0] = (uint8_t)('a' + i / 26 % 26);
		text[1] = (uint8_t)('a' + i % 26);
		text[2] = '1';
		assert_int_equal(password_add(&list, slice_of(text, 3), PASSWORD_WORD), RC_OK);
		assert_true(list.count <= PASSWORDS_MAX);
	}
	assert_int_equal(list.count, PASSWORDS_MAX);
	/* better ones push out worse ones, and come before them */
	assert_int_equal(password_add(&list, SLICE("said"), PASSWORD_SAID), RC_OK);
	assert_int_equal(list.count, PASSWORDS_MAX);
	assert_int_equal(place_of(SLICE("said")), 0);
	assert_int_equal(password_add(&list, SLICE("late"), PASSWORD_COMMON), RC_OK);
	assert_int_equal(place_of(SLICE("late")), SIZE_MAX);
}

static void the_right_one_goes_to_the_front(void **state)
{
	(void)state;
	fresh();
	const struct slice third = list.items[2].text, first = list.items[0].text;
	password_was_right(&list, 2);
	assert_true(slice_eq(list.items[0].text, third));
	assert_true(slice_eq(list.items[1].text, first));
	password_was_right(&list, 0);
	password_was_right(&list, PASSWORDS_MAX);
	assert_true(slice_eq(list.items[0].text, third));
}

static void a_full_arena_is_told(void **state)
{
	(void)state;
	fresh();
	arena = arena_on(memory, 2);
	assert_int_equal(password_text(&list, SLICE("password: abc")), RC_NOMEM);
	assert_int_equal(place_of(SLICE("infected")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_comes_first),      cmocka_unit_test(common_ones_are_always_there),
		cmocka_unit_test(names_give_their_words),        cmocka_unit_test(the_list_is_bounded),
		cmocka_unit_test(the_right_one_goes_to_the_front), cmocka_unit_test(a_full_arena_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
