/* RFC 3492, with the parameters of section 5. */
#include "link/idna.h"

#define BASE         36u
#define T_MIN        1u
#define T_MAX        26u
#define SKEW         38u
#define DAMP         700u
#define INITIAL_BIAS 72u
#define INITIAL_N    128u

/* Section 6.1. */
static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > ((BASE - T_MIN) * T_MAX) / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias)
{
	if (k <= bias + T_MIN)
		return T_MIN;
	return k >= bias + T_MAX ? T_MAX : k - bias;
}

static uint8_t digit_of(uint32_t value)
{
	return (uint8_t)(value < 26 ? 'a' + value : '0' + (value - 26));
}

struct digits {
	uint8_t *ptr;
	size_t   size;
	size_t   room;
	bool     full;
};

static void digits_put(struct digits *digits, uint8_t byte)
{
	if (digits->size == digits->room)
		digits->full = true;
	else
		digits->ptr[digits->size++] = byte;
}

/* A delta as a generalised variable-length integer. */
static void delta_put(struct digits *digits, uint32_t delta, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		const uint32_t t = threshold(k, bias);
		if (delta < t)
			break;
		digits_put(digits, digit_of(t + (delta - t) % (BASE - t)));
		delta = (delta - t) / (BASE - t);
	}
	digits_put(digits, digit_of(delta));
}

/* The smallest code point that is not below `n`. */
static uint32_t next_point(const uint32_t *code_points, size_t count, uint32_t n)
{
	uint32_t next = UINT32_MAX;

	for (size_t i = 0; i < count; i++) {
		if (code_points[i] >= n && code_points[i] < next)
			next = code_points[i];
	}
	return next;
}

enum rc punycode_encode(const uint32_t *code_points, size_t count, uint8_t *out, size_t room, size_t *size)
{
	struct digits digits = { .ptr = out, .room = room };
	uint32_t      n = INITIAL_N, delta = 0, bias = INITIAL_BIAS;

	for (size_t i = 0; i < count; i++) {
		if (code_points[i] < 0x80)
			digits_put(&digits, (uint8_t)code_points[i]);
	}
	const size_t basic = digits.size;
	size_t       handled = basic;
	if (digits.full)
		return RC_LIMIT;
	if (basic != 0)
		digits_put(&digits, '-');
	while (handled < count) {
		const uint32_t next = next_point(code_points, count, n);
		uint32_t       step;
		if (__builtin_mul_overflow(next - n, (uint32_t)handled + 1, &step) ||
		    __builtin_add_overflow(delta, step, &delta))
			return RC_LIMIT;
		n = next;
		for (size_t i = 0; i < count; i++) {
			if (code_points[i] < n && ++delta == 0)
				return RC_LIMIT;
			if (code_points[i] != n)
				continue;
			delta_put(&digits, delta, bias);
			bias = adapt(delta, (uint32_t)handled + 1, handled == basic);
			delta = 0;
			handled++;
		}
		delta++;
		n++;
	}
	if (digits.full)
		return RC_LIMIT;
	*size = digits.size;
	return RC_OK;
}

static uint32_t value_of(int byte)
{
	if (byte >= '0' && byte <= '9')
		return (uint32_t)(byte - '0') + 26;
	if (byte >= 'a' && byte <= 'z')
		return (uint32_t)(byte - 'a');
	if (byte >= 'A' && byte <= 'Z')
		return (uint32_t)(byte - 'A');
	return BASE;
}

/* One delta at the front of *text, added to *i. */
static bool delta_take(struct slice *text, uint32_t bias, uint32_t *i)
{
	uint32_t weight = 1;

	for (uint32_t k = BASE;; k += BASE) {
		const uint32_t digit = value_of(slice_at(*text, 0));
		const uint32_t t = threshold(k, bias);
		uint32_t       part;
		if (digit >= BASE || __builtin_mul_overflow(digit, weight, &part) ||
		    __builtin_add_overflow(*i, part, i))
			return false;
		*text = slice_drop(*text, 1);
		if (digit < t)
			return true;
		if (__builtin_mul_overflow(weight, BASE - t, &weight))
			return false;
	}
}

enum rc punycode_decode(struct slice text, uint32_t *out, size_t room, size_t *count)
{
	const size_t dash = slice_find_last(text, '-');
	struct slice basic = { NULL, 0 };
	uint32_t     n = INITIAL_N, i = 0, bias = INITIAL_BIAS;
	size_t       points = 0;

	if (dash != text.len) {
		basic = slice_take(text, dash);
		text = slice_drop(text, dash + 1);
	}
	if (basic.len > room)
		return RC_LIMIT;
	for (; points < basic.len; points++) {
		if (basic.ptr[points] >= 0x80)
			return RC_SYNTAX;
		out[points] = basic.ptr[points];
	}
	while (text.len != 0) {
		const uint32_t before = i;
		if (!delta_take(&text, bias, &i))
			return RC_SYNTAX;
		if (points == room)
			return RC_LIMIT;
		const uint32_t length = (uint32_t)points + 1;
		bias = adapt(i - before, length, before == 0);
		if (__builtin_add_overflow(n, i / length, &n) || n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff))
			return RC_SYNTAX;
		i %= length;
		memmove(out + i + 1, out + i, (points - i) * sizeof *out);
		out[i++] = n;
		points++;
	}
	*count = points;
	return RC_OK;
}
