/*
 * UTF-8 (RFC 3629 section 4; The Unicode Standard section 3.9): taken apart, put together and checked. No function
 * here fails, allocates or reads past its slice.
 */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include "base/slice.h"

#define UTF8_REPLACEMENT 0xfffdu   /* what stands for bytes that mean nothing */
#define UTF8_LAST        0x10ffffu /* the last code point */

/*
 * The character at the front of `s` and its size in *ret_size; UINT32_MAX for bytes that are not UTF-8 (size 1). `s`
 * is not empty.
 */
uint32_t utf8_decode(struct slice s, size_t *ret_size);

/*
 * How many bytes at the front of `s`, where no character stands, one U+FFFD replaces: 1 to 3, the longest beginning
 * of a character that is there ("maximal subpart", The Unicode Standard section 3.9; what browsers do). `s` is not
 * empty.
 */
size_t utf8_bad_size(struct slice s);

/* `character` as 1 to 4 bytes; one above UTF8_LAST and a surrogate as U+FFFD. Returns how many. */
size_t utf8_encode(uint32_t character, uint8_t out[4]);

/* How many bytes at the front of `s` are ASCII; at memory speed. */
size_t utf8_ascii_size(struct slice s);

/* How many bytes at the front of `s` are whole characters of UTF-8; s.len when all is. */
size_t utf8_valid_size(struct slice s);

/* The largest size <= `size` that cuts `s` between two characters. `s` is valid UTF-8. */
size_t utf8_cut(struct slice s, size_t size);

#endif
