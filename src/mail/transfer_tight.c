/*
 * Quoted-printable as the other half of the readers takes it where it is broken: an escape that is none is dropped and
 * not shown, one that a line end cuts in two is joined, and white space and line ends beside an escape do not count.
 * mail/transfer.c shows all of that as it stands. Sound text whose every line ends in a soft break comes out alike.
 */
#include "mail/transfer_inner.h"

static int hex_value(const struct transfer *t, int byte)
{
	const int lower = byte | 0x20;

	if (byte == lower && byte > '9' && t->encoding == TRANSFER_QUOTED_UPPER)
		return -1;

	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte == 'O' || byte == 'o')
		return 0; /* a letter for a digit: some readers use the C library's leniency, some their own */
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_space(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* White space that does not count beside an escape. */
static bool is_loose(const struct transfer *t, int byte)
{
	if (byte == ' ' || byte == '\t')
		return t->encoding != TRANSFER_QUOTED_SIGN;
	return (byte == '\r' || byte == '\n') && t->encoding == TRANSFER_QUOTED_TIGHT;
}

/* Behind a line end that stands at `at`, with or without "=" before it; `at` itself when none does. */
static size_t line_end_skip(struct slice s, size_t at)
{
	size_t i = at + (slice_at(s, at) == '=');

	while (slice_at(s, i) == ' ' || slice_at(s, i) == '\t')
		i++;
	const bool cr = slice_at(s, i) == '\r';
	i += cr;
	if (slice_at(s, i) == '\n')
		return i + 1;
	return cr ? i : at;
}

/* "=" stands at the front. Returns bytes written, 0 or 1. */
static size_t escape_take(struct transfer *t, uint8_t *out)
{
	const struct slice rest = t->rest;
	const int          high = hex_value(t, slice_at(rest, 1));
	const size_t       soft = line_end_skip(rest, 1);

	if (soft > 1 && slice_at(rest, 1) != '=') {
		t->rest = slice_drop(rest, soft);
		return 0;
	}
	if (high >= 0) {
		const size_t second = line_end_skip(rest, 2);
		const int    low = hex_value(t, slice_at(rest, second));
		if (low >= 0) {
			out[0] = (uint8_t)(high << 4 | low);
			t->rest = slice_drop(rest, second + 1);
			return 1;
		}
	}
	t->flaws |= TRANSFER_FLAW_ESCAPE;
	t->foreign++;
	size_t used = 1;
	if (t->encoding != TRANSFER_QUOTED_SIGN) {
		used += high >= 0;
		const int next = slice_at(rest, used);
		used += next >= 0 && next != '=' && !is_space(next);
	}
	t->rest = slice_drop(rest, used);
	return 0;
}

size_t tight_read(struct transfer *t, uint8_t *out, size_t room)
{
	size_t made = 0;

	while (t->rest.len != 0 && made < room) {
		const uint8_t byte = t->rest.ptr[0];
		if (t->blanks != 0) {
			t->blanks--;
		} else if (byte == '=') {
			made += escape_take(t, &out[made]);
			t->padded = true; /* an escape stands before what follows */
			continue;
		} else if (is_loose(t, byte)) {
			uint32_t run = 1;
			while (is_loose(t, slice_at(t->rest, run)))
				run++;
			if (t->padded || slice_at(t->rest, run) == '=') {
				t->rest = slice_drop(t->rest, run);
				continue;
			}
			t->blanks = run - 1;
		}
		t->padded = false;
		out[made++] = byte;
		t->rest = slice_drop(t->rest, 1);
	}
	return made;
}
