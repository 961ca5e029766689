/* Digits to numbers, with the bound checked before it can be passed. */
#include "base/num.h"

static int digit_of(uint8_t byte, unsigned base)
{
	if (byte_is_digit(byte))
		return byte - '0';
	const uint8_t low = byte_lower(byte);
	return base == 16 && low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* The number at the front of `s`; *used says how many digits it had. RC_SYNTAX when that is none, RC_LIMIT above `max`. */
static enum rc read_digits(struct slice s, unsigned base, uint64_t max, uint64_t *out, size_t *used)
{
	uint64_t number = 0;
	size_t   count = 0;
	bool     above = false;

	for (; count < s.len; count++) {
		const int digit = digit_of(s.ptr[count], base);
		if (digit < 0)
			break;
		above = above || __builtin_mul_overflow(number, base, &number) ||
		        __builtin_add_overflow(number, (uint64_t)digit, &number);
	}
	*used = count;
	if (count == 0)
		return RC_SYNTAX;
	if (above || number > max)
		return RC_LIMIT;
	*out = number;
	return RC_OK;
}

static enum rc read_whole(struct slice s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t      number = 0;
	size_t        used;
	const enum rc rc = read_digits(s, base, max, &number, &used);

	if (used != s.len)
		return RC_SYNTAX;
	if (rc == RC_OK)
		*out = number;
	return rc;
}

enum rc num_u64(struct slice s, uint64_t max, uint64_t *out)
{
	return read_whole(s, 10, max, out);
}

enum rc num_hex(struct slice s, uint64_t max, uint64_t *out)
{
	return read_whole(s, 16, max, out);
}

enum rc num_take(struct slice *rest, uint64_t max, uint64_t *out)
{
	size_t        used;
	const enum rc rc = read_digits(*rest, 10, max, out, &used);

	if (rc == RC_OK)
		*rest = slice_drop(*rest, used);
	return rc;
}
