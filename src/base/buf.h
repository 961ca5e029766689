/*
 * Owned bytes that grow up to the bound given when they were made; there is no way to make one without a bound.
 *
 * Writing past the bound (or a failed allocation) sets `failed`, which sticks: later writes change nothing, so that ten
 * writes need one question at the end. A buf takes no memory before its first byte.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/rc.h"
#include "base/slice.h"

struct buf {
	uint8_t *ptr;    /* owned */
	size_t   len;    /* bytes written */
	size_t   room;   /* bytes allocated */
	size_t   max;    /* the bound */
	bool     failed; /* a write did not fit; sticks until buf_clear() */
};

/* An empty buf that will never hold more than `max` bytes. Give back with buf_done(). */
static inline struct buf buf_make(size_t max)
{
	return (struct buf){ .max = max };
}

/* Free the bytes; the buf is empty and usable again with the same bound. */
void buf_done(struct buf *b);

/* Forget the bytes and the failure, keep the memory. */
void buf_clear(struct buf *b);

/* Remove the first `count` bytes (all, if there are fewer). */
void buf_drop(struct buf *b, size_t count);

/* Cut back to `len` bytes; `len` is not above what is there. */
void buf_truncate(struct buf *b, size_t len);

/* Make room for `count` more bytes and return where they go, or NULL with `failed` set. buf_grew() then says how many came. */
uint8_t *buf_reserve(struct buf *b, size_t count);
void     buf_grew(struct buf *b, size_t count);

void buf_put(struct buf *b, struct slice s);
void buf_put_byte(struct buf *b, uint8_t byte);
void buf_put_str(struct buf *b, const char *text);
/* Decimal, without padding. */
void buf_put_u64(struct buf *b, uint64_t number);
void buf_put_i64(struct buf *b, int64_t number);
/* Decimal, at least `width` digits, zeros in front. */
void buf_put_padded(struct buf *b, uint64_t number, unsigned width);
/* Lower-case hexadecimal of each byte. */
void buf_put_hex(struct buf *b, struct slice s);
/*
 * printf for our own fixed formats. Peer bytes never enter through %s; they go through the quoting function of the place
 * they are written to, and then buf_put().
 */
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *format, ...);

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){ b->len != 0 ? b->ptr : NULL, b->len };
}

#endif
