/*
 * A borrowed run of bytes: any byte may occur, NUL too; owned by someone else. {NULL, 0} is empty and always legal.
 *
 * Everything that came from a peer, a file or another process is held as a slice and cut with the functions here; no
 * pointer sums on such bytes stand outside base/. No function here allocates, fails or reads past `len`.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *ptr;
	size_t         len;
};

/* A literal as a slice, without its final NUL; NULs inside count. */
#define SLICE(literal) ((struct slice)SLICE_INIT(literal))
/* The same as an initialiser, for static tables. */
#define SLICE_INIT(literal) { (const uint8_t *)("" literal ""), sizeof(literal) - 1 }

static inline struct slice slice_of(const void *ptr, size_t size)
{
	return (struct slice){ ptr, ptr == NULL ? 0 : size };
}

/* A C string of our own (never one from a peer) as a slice. NULL gives the empty slice. */
static inline struct slice slice_str(const char *text)
{
	return text == NULL ? (struct slice){ NULL, 0 } : (struct slice){ (const uint8_t *)text, strlen(text) };
}

/* The first `count` bytes of `s`; all of it if it is shorter. */
static inline struct slice slice_take(struct slice s, size_t count)
{
	return (struct slice){ s.ptr, count < s.len ? count : s.len };
}

/* `s` without its first `count` bytes; empty if it is shorter. */
static inline struct slice slice_drop(struct slice s, size_t count)
{
	if (count < s.len)
		return (struct slice){ s.ptr + count, s.len - count };
	return (struct slice){ NULL, 0 };
}

/* `count` bytes of `s` from `start`; what lies outside `s` is left out. */
static inline struct slice slice_cut(struct slice s, size_t start, size_t count)
{
	return slice_take(slice_drop(s, start), count);
}

/* Where `part`, which borrows from `whole`, begins in it; SIZE_MAX when it is empty or does not. */
size_t slice_offset(struct slice whole, struct slice part);

/* The byte at `index`, or -1 past the end. */
static inline int slice_at(struct slice s, size_t index)
{
	return index < s.len ? s.ptr[index] : -1;
}

/* The last byte, or -1 when empty. */
static inline int slice_last(struct slice s)
{
	return s.len != 0 ? s.ptr[s.len - 1] : -1;
}

bool slice_eq(struct slice a, struct slice b);

/* Equal when ASCII letters count without their case; other bytes as they are. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* Like memcmp over the shorter one, then the shorter one first. */
int slice_compare(struct slice a, struct slice b);

bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
bool slice_ends_nocase(struct slice s, struct slice suffix);

/* Index of the first `byte`, or s.len when there is none. */
size_t slice_find(struct slice s, uint8_t byte);
/* Index of the last `byte`, or s.len when there is none. */
size_t slice_find_last(struct slice s, uint8_t byte);
/* Index of the first occurrence of `needle`, or s.len when there is none. An empty needle is found at 0. */
size_t slice_search(struct slice s, struct slice needle);
/* The same, ASCII letters without their case. */
size_t slice_search_nocase(struct slice s, struct slice needle);

/*
 * Cut `*rest` at its first `byte`: returns what stands before it and moves `*rest` past it. Without one, returns all of
 * `*rest` and leaves it empty.
 */
struct slice slice_until(struct slice *rest, uint8_t byte);

/* `s` without leading and trailing bytes that are space, tab, CR or LF. */
struct slice slice_trim(struct slice s);

/* Copies at most `room - 1` bytes and a NUL into `out`; a NUL in `s` ends the copy. Returns bytes copied. For C APIs only. */
size_t slice_to_cstr(struct slice s, char *out, size_t room);

static inline uint8_t byte_lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static inline bool byte_is_alpha(uint8_t byte)
{
	return (uint8_t)((byte | 0x20u) - 'a') < 26;
}

static inline bool byte_is_digit(uint8_t byte)
{
	return (uint8_t)(byte - '0') < 10;
}

static inline bool byte_is_alnum(uint8_t byte)
{
	return byte_is_alpha(byte) || byte_is_digit(byte);
}

/* Printable ASCII, space included. */
static inline bool byte_is_print(uint8_t byte)
{
	return byte >= 0x20 && byte <= 0x7e;
}

static inline bool byte_is_wsp(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

#endif
