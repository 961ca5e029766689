/* Little-endian fields out of untrusted bytes, and back. */
#include "base/cursor.h"

#include "base/must.h"

struct slice cursor_bytes(struct cursor *c, size_t count)
{
	if (c->failed || c->rest.len < count) {
		c->failed = true;
		return (struct slice){ NULL, 0 };
	}
	const struct slice bytes = slice_take(c->rest, count);
	c->rest = slice_drop(c->rest, count);
	return bytes;
}

static uint64_t little_endian(struct slice bytes)
{
	uint64_t number = 0;

	for (size_t i = bytes.len; i != 0; i--)
		number = number << 8 | bytes.ptr[i - 1];
	return number;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)little_endian(cursor_bytes(c, 1));
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)little_endian(cursor_bytes(c, 2));
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)little_endian(cursor_bytes(c, 4));
}

uint64_t cursor_u64(struct cursor *c)
{
	return little_endian(cursor_bytes(c, 8));
}

struct slice cursor_block(struct cursor *c, size_t max)
{
	const uint32_t count = cursor_u32(c);

	if (count > max)
		c->failed = true;
	return cursor_bytes(c, count);
}

bool cursor_ended(const struct cursor *c)
{
	return !c->failed && c->rest.len == 0;
}

static void put_little_endian(struct buf *b, uint64_t number, size_t size)
{
	uint8_t *to = buf_reserve(b, size);

	if (to == NULL)
		return;
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(number >> (8 * i));
	buf_grew(b, size);
}

void cursor_put_u8(struct buf *b, uint8_t number)
{
	put_little_endian(b, number, 1);
}

void cursor_put_u16(struct buf *b, uint16_t number)
{
	put_little_endian(b, number, 2);
}

void cursor_put_u32(struct buf *b, uint32_t number)
{
	put_little_endian(b, number, 4);
}

void cursor_put_u64(struct buf *b, uint64_t number)
{
	put_little_endian(b, number, 8);
}

void cursor_put_block(struct buf *b, struct slice s)
{
	must(s.len <= UINT32_MAX);
	cursor_put_u32(b, (uint32_t)s.len);
	buf_put(b, s);
}
