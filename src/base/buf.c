/* Bounded growing bytes. */
#include "base/buf.h"

#include "base/memory.h"
#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>

#define BUF_FIRST_ROOM 64u

void buf_done(struct buf *b)
{
	memory_give(b->ptr);
	*b = buf_make(b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_drop(struct buf *b, size_t count)
{
	if (count >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->ptr, b->ptr + count, b->len - count);
	b->len -= count;
}

void buf_truncate(struct buf *b, size_t len)
{
	must(len <= b->len);
	b->len = len;
}

static bool grow(struct buf *b, size_t need)
{
	size_t room = b->room < BUF_FIRST_ROOM ? BUF_FIRST_ROOM : b->room;

	while (room < need)
		room = room > b->max / 2 ? b->max : room * 2;
	if (room > b->max)
		room = b->max;
	uint8_t *ptr = memory_resize(b->ptr, room);
	if (ptr == NULL)
		return false;
	b->ptr = ptr;
	b->room = room;
	return true;
}

uint8_t *buf_reserve(struct buf *b, size_t count)
{
	must(b->len <= b->max);
	if (b->failed)
		return NULL;
	if (count > b->max - b->len || (b->len + count > b->room && !grow(b, b->len + count))) {
		b->failed = true;
		return NULL;
	}
	return b->ptr + b->len;
}

void buf_grew(struct buf *b, size_t count)
{
	must(count <= b->room - b->len);
	b->len += count;
}

void buf_put(struct buf *b, struct slice s)
{
	if (s.len == 0)
		return;
	uint8_t *to = buf_reserve(b, s.len);
	if (to == NULL)
		return;
	memcpy(to, s.ptr, s.len);
	b->len += s.len;
}

void buf_put_byte(struct buf *b, uint8_t byte)
{
	buf_put(b, (struct slice){ &byte, 1 });
}

void buf_put_str(struct buf *b, const char *text)
{
	buf_put(b, slice_str(text));
}

void buf_put_padded(struct buf *b, uint64_t number, unsigned width)
{
	uint8_t digits[20];
	size_t  at = sizeof digits;

	do {
		digits[--at] = (uint8_t)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	while (sizeof digits - at < width && at != 0)
		digits[--at] = '0';
	buf_put(b, slice_of(digits + at, sizeof digits - at));
}

void buf_put_u64(struct buf *b, uint64_t number)
{
	buf_put_padded(b, number, 1);
}

void buf_put_i64(struct buf *b, int64_t number)
{
	if (number < 0)
		buf_put_byte(b, '-');
	buf_put_u64(b, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void buf_put_hex(struct buf *b, struct slice s)
{
	static const uint8_t digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.len; i++) {
		buf_put_byte(b, digits[s.ptr[i] >> 4]);
		buf_put_byte(b, digits[s.ptr[i] & 15]);
	}
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	const int wanted = vsnprintf(NULL, 0, format, args);
	va_end(args);
	must(wanted >= 0);
	/* vsnprintf writes a NUL behind the text, so one byte more than the text has to fit. */
	uint8_t *to = buf_reserve(b, (size_t)wanted + 1);
	if (to == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf((char *)to, (size_t)wanted + 1, format, args);
	va_end(args);
	b->len += (size_t)wanted;
}
