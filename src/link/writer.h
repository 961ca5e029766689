/*
 * Bytes written into room that somebody else owns, with a failure that sticks; and single UTF-8 sequences. For the
 * files of this room only.
 */
#ifndef LINK_WRITER_H
#define LINK_WRITER_H

#include "base/slice.h"

struct writer {
	uint8_t *ptr;
	size_t   len;    /* written */
	size_t   room;   /* of ptr */
	bool     failed; /* something did not fit; later writes change nothing */
};

static inline void writer_put(struct writer *w, struct slice s)
{
	if (w->failed || s.len > w->room - w->len) {
		w->failed = true;
		return;
	}
	if (s.len != 0)
		memcpy(w->ptr + w->len, s.ptr, s.len);
	w->len += s.len;
}

static inline void writer_byte(struct writer *w, uint8_t byte)
{
	writer_put(w, (struct slice){ &byte, 1 });
}

/* What was written from `start` on. */
static inline struct slice writer_from(const struct writer *w, size_t start)
{
	return (struct slice){ w->ptr + start, w->len - start };
}

/* Decimal, without padding. */
void writer_number(struct writer *w, uint32_t number);

/* "%XX" with upper-case digits. */
void writer_percent(struct writer *w, uint8_t byte);

/* One code point up to U+10FFFF as UTF-8; a surrogate as U+FFFD. */
void writer_utf8(struct writer *w, uint32_t code_point);

/*
 * The code point at the front of `s`, which is not empty, and how many bytes it takes. Bytes that are no UTF-8 give
 * U+FFFD for each maximal part (Unicode, section 3.9, as the WHATWG decoder does), `*valid` false.
 */
size_t utf8_take(struct slice s, uint32_t *code_point, bool *valid);

/* 0 to 15, or -1. */
int hex_digit(int byte);

/*
 * Append `s` with each "%XX" undone; a "%" without its two digits stays. Takes at most s.len bytes of room.
 */
void writer_percent_decoded(struct writer *w, struct slice s);

#endif
