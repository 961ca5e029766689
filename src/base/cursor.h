/*
 * Reading binary records from untrusted bytes: a cursor whose failure sticks, so that ten fields need one question. After a
 * failure reads return 0 or empty slices and change nothing. The writing side is the cursor_put family on a struct buf.
 *
 * All integers are little-endian. A "block" is a u32 count followed by that many bytes.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/buf.h"
#include "base/slice.h"

struct cursor {
	struct slice rest;
	bool         failed;
};

static inline struct cursor cursor_on(struct slice s)
{
	return (struct cursor){ .rest = s };
}

uint8_t      cursor_u8(struct cursor *c);
uint16_t     cursor_u16(struct cursor *c);
uint32_t     cursor_u32(struct cursor *c);
uint64_t     cursor_u64(struct cursor *c);
/* Exactly `count` bytes, borrowed. */
struct slice cursor_bytes(struct cursor *c, size_t count);
/* A block of at most `max` bytes, borrowed; a larger one fails the cursor. */
struct slice cursor_block(struct cursor *c, size_t max);
/* True when nothing failed and nothing is left. */
bool         cursor_ended(const struct cursor *c);

void cursor_put_u8(struct buf *b, uint8_t number);
void cursor_put_u16(struct buf *b, uint16_t number);
void cursor_put_u32(struct buf *b, uint32_t number);
void cursor_put_u64(struct buf *b, uint64_t number);
/* A block; `s` is shorter than 4 GiB. */
void cursor_put_block(struct buf *b, struct slice s);

#endif
