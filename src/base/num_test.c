#include "base/num.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct row {
	const char  *name;
	struct slice text;
	uint64_t     max;
	enum rc      rc;
	uint64_t     number;
	size_t       used; /* bytes num_take() takes off the front */
};

#define ROW(name, text, max, rc, number, used) { name, SLICE_INIT(text), max, rc, number, used }

static const struct row decimal_rows[] = {
	ROW("nought", "0", 0, RC_OK, 0, 1),
	ROW("one digit", "7", 9, RC_OK, 7, 1),
	ROW("zeros in front", "0000000000000000000000000000042", 42, RC_OK, 42, 31),
	ROW("at the bound", "65535", 65535, RC_OK, 65535, 5),
	ROW("the largest there is", "18446744073709551615", UINT64_MAX, RC_OK, UINT64_MAX, 20),
	ROW("empty", "", 9, RC_SYNTAX, 0, 0),
	ROW("above the bound", "65536", 65535, RC_LIMIT, 0, 0),
	ROW("one above the largest", "18446744073709551616", UINT64_MAX, RC_LIMIT, 0, 0),
	ROW("wraps to a small number", "18446744073709551617", UINT64_MAX, RC_LIMIT, 0, 0),
	ROW("wraps in the multiplication", "99999999999999999999999", UINT64_MAX, RC_LIMIT, 0, 0),
	ROW("minus", "-1", 9, RC_SYNTAX, 0, 0),
	ROW("plus", "+1", 9, RC_SYNTAX, 0, 0),
	ROW("blank in front", " 1", 9, RC_SYNTAX, 0, 0),
	ROW("hexadecimal", "x1", 9, RC_SYNTAX, 0, 0),
	ROW("only NUL", "\0", 9, RC_SYNTAX, 0, 0),
};

/* Whole-number readers refuse these; num_take() reads their front. */
/* clang-format off */
static const struct row front_rows[] = {
	ROW("blank behind", "12 ", 99, RC_OK, 12, 2),
	ROW("a unit", "50M", 99, RC_OK, 50, 2),
	ROW("NUL behind", "1\0", 9, RC_OK, 1, 1),
	ROW("a prefix of base 16", "0x10", 99, RC_OK, 0, 1),
	ROW("a fraction", "1.5", 9, RC_OK, 1, 1),
};
/* clang-format on */

static const struct row hex_rows[] = {
	ROW("lower case", "ff", 255, RC_OK, 255, 0),
	ROW("upper case", "FF", 255, RC_OK, 255, 0),
	ROW("the largest", "FFFFffffFFFFffff", UINT64_MAX, RC_OK, UINT64_MAX, 0),
	ROW("above", "100", 255, RC_LIMIT, 0, 0),
	ROW("seventeen digits", "10000000000000000", UINT64_MAX, RC_LIMIT, 0, 0),
	ROW("empty", "", 255, RC_SYNTAX, 0, 0),
	ROW("prefix", "0xff", 255, RC_SYNTAX, 0, 0),
	ROW("letter g", "fg", 255, RC_SYNTAX, 0, 0),
	ROW("at sign, before A", "@", 255, RC_SYNTAX, 0, 0),
};

#define MARK 0x5555u /* what *out holds before; errors must leave it */

static void reads_decimal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof decimal_rows / sizeof *decimal_rows; i++) {
		const struct row *row = &decimal_rows[i];
		uint64_t          number = MARK, taken = MARK;
		struct slice      rest = row->text;

		print_message("%s\n", row->name);
		assert_int_equal(num_u64(row->text, row->max, &number), row->rc);
		assert_int_equal(number, row->rc == RC_OK ? row->number : MARK);
		assert_int_equal(num_take(&rest, row->max, &taken), row->rc);
		assert_int_equal(taken, row->rc == RC_OK ? row->number : MARK);
		assert_int_equal(rest.len, row->text.len - row->used);
	}
}

static void takes_the_front(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof front_rows / sizeof *front_rows; i++) {
		const struct row *row = &front_rows[i];
		uint64_t          number = MARK;
		struct slice      rest = row->text;

		print_message("%s\n", row->name);
		assert_int_equal(num_u64(row->text, row->max, &number), RC_SYNTAX);
		assert_int_equal(number, MARK);
		assert_int_equal(num_take(&rest, row->max, &number), RC_OK);
		assert_int_equal(number, row->number);
		assert_int_equal(rest.len, row->text.len - row->used);
	}
}

static void reads_hexadecimal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hex_rows / sizeof *hex_rows; i++) {
		const struct row *row = &hex_rows[i];
		uint64_t          number = MARK;

		print_message("%s\n", row->name);
		assert_int_equal(num_hex(row->text, row->max, &number), row->rc);
		assert_int_equal(number, row->rc == RC_OK ? row->number : MARK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_decimal),
		cmocka_unit_test(takes_the_front),
		cmocka_unit_test(reads_hexadecimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
