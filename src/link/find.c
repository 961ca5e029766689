/*
 * The search itself: bytes that may belong to a link are looked for in the raw text, which is nearly all of the work;
 * around such a place the text is folded into a window of characters, and the readers of find_start.c say what stands
 * there. Hosts: find_host.c. Ends: find_tail.c.
 */
#include "link/find_inside.h"
#include "link/find_start.h"

#include "base/must.h"

enum rc link_find_open(struct slice text, const struct suffix_list *list, struct arena *arena, struct link_finder **out)
{
	struct link_finder *f = arena_take(arena, 1, sizeof *f);

	if (f == NULL)
		return RC_NOMEM;
	f->text = text;
	f->list = list;
	f->character = arena_take(arena, WINDOW_CHARACTERS, sizeof *f->character);
	f->offset = arena_take(arena, WINDOW_CHARACTERS + 1, sizeof *f->offset);
	if (f->character == NULL || f->offset == NULL)
		return RC_NOMEM;
	*out = f;
	return RC_OK;
}

/* No width: readers see nothing there, and names are mapped without them (UTS 46, "ignored"). */
static bool is_invisible(uint32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x2064) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

/* Letters and digits of mathematics and enclosed ones are drawn as ASCII; circled digits number lists and stay. */
static uint32_t folded(uint32_t c)
{
	if (c < 0x2400)
		return c;
	if (c >= 0x24b6 && c <= 0x24e9)
		return (c <= 0x24cf ? c - 0x24b6 + 'A' : c - 0x24d0 + 'a') | WAS_WIDE;
	if (c >= 0x1d400 && c <= 0x1d6a3)
		return ((c - 0x1d400) % 52 < 26 ? (c - 0x1d400) % 52 + 'A' : (c - 0x1d400) % 52 - 26 + 'a') | WAS_WIDE;
	if (c >= 0x1d7ce && c <= 0x1d7ff)
		return ((c - 0x1d7ce) % 10 + '0') | WAS_WIDE;
	if (c >= 0xff01 && c <= 0xff5e)
		return (c - 0xff01 + '!') | WAS_WIDE;
	if (c == 0x3002 || c == 0xff61)
		return '.' | WAS_STOP;
	return c;
}

/* Fill the window from byte `from` on. */
static void window_fill(struct link_finder *f, size_t from)
{
	struct slice rest = slice_drop(f->text, from);
	uint32_t     mark = 0;

	f->from = from;
	f->count = 0;
	while (rest.len != 0 && f->count < WINDOW_CHARACTERS) {
		uint32_t     c = rest.ptr[0];
		bool         valid = true;
		const size_t size = c < 0x80 ? 1 : utf8_take(rest, &c, &valid);
		f->offset[f->count] = (uint32_t)(f->text.len - from - rest.len);
		rest = slice_drop(rest, size);
		if (c >= 0x80 && is_invisible(c)) {
			mark = HAD_INVISIBLE;
			continue;
		}
		f->character[f->count++] = (valid ? folded(c) : 0) | mark;
		mark = 0;
	}
	f->offset[f->count] = (uint32_t)(f->text.len - from - rest.len);
	f->to = f->text.len - rest.len;
}

/* The window around byte `place`, and the index of the character there. */
static size_t window_at(struct link_finder *f, size_t place)
{
	const bool inside = f->to != 0 && place >= f->from && place < f->to;
	size_t     low = 0, high = f->count;

	while (inside && low < high) {
		const size_t middle = low + (high - low) / 2;
		if (f->from + f->offset[middle] < place)
			low = middle + 1;
		else
			high = middle;
	}
	if (inside && (f->to == f->text.len || low + LINK_CHARACTERS_MAX + WINDOW_BACK < WINDOW_CHARACTERS))
		return low;
	size_t from = place > 4 * WINDOW_BACK ? place - 4 * WINDOW_BACK : 0;
	for (unsigned i = 0; i < 3 && from != 0 && (f->text.ptr[from] & 0xc0) == 0x80; i++)
		from--;
	window_fill(f, from);
	must(place < f->to);
	for (low = 0, high = f->count; low < high;) {
		const size_t middle = low + (high - low) / 2;
		if (f->from + f->offset[middle] < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What a byte may be the beginning of. */
enum trigger {
	TRIGGER_NONE,
	TRIGGER_DOT,
	TRIGGER_COLON,
	TRIGGER_AT,
	TRIGGER_SLASH,
	TRIGGER_D,    /* "dot" */
	TRIGGER_STOP, /* E3 80 82, the ideographic full stop */
	TRIGGER_WIDE, /* EF BC 8E, 9A, A0; EF BD A1 */
	TRIGGER_WORD, /* E7 82 B9, "dot" in Chinese */
};

static const uint8_t triggers[256] = {
	['.'] = TRIGGER_DOT, [':'] = TRIGGER_COLON, ['@'] = TRIGGER_AT,    ['/'] = TRIGGER_SLASH, ['d'] = TRIGGER_D,
	['D'] = TRIGGER_D,   [0xe3] = TRIGGER_STOP, [0xef] = TRIGGER_WIDE, [0xe7] = TRIGGER_WORD,
};

static bool may_be_host(int byte)
{
	return byte >= 0x80 || (byte >= 0 && (byte_is_alnum((uint8_t)byte) || byte == '-' || byte == '_'));
}

static bool is_bracket(int byte)
{
	return byte == '[' || byte == '(' || byte == '{' || byte == '<' || byte == ']' || byte == ')' || byte == '}' ||
	       byte == '>';
}

static bool dot_counts(struct slice s, size_t i)
{
	const int before = i == 0 ? -1 : s.ptr[i - 1], after = slice_at(s, i + 1);

	if (may_be_host(before))
		return may_be_host(after) || (after == ' ' && i >= 3 && byte_lower(s.ptr[i - 1]) == 'w' &&
		                              byte_lower(s.ptr[i - 2]) == 'w' && byte_lower(s.ptr[i - 3]) == 'w');
	if (before == ' ')
		return after == ' ' || (after >= 0 && byte_is_alpha((uint8_t)after)) || is_bracket(after);
	return is_bracket(before) && (is_bracket(after) || after == ' ');
}

static bool d_counts(struct slice s, size_t i)
{
	if (i == 0 || byte_lower((uint8_t)slice_at(s, i + 1)) != 'o' || byte_lower((uint8_t)slice_at(s, i + 2)) != 't')
		return false;
	const int before = s.ptr[i - 1], after = slice_at(s, i + 3);
	return (byte_is_wsp((uint8_t)before) || is_bracket(before)) && after >= 0 &&
	       (byte_is_wsp((uint8_t)after) || is_bracket(after));
}

static bool colon_counts(struct slice s, size_t i)
{
	const int before = i == 0 ? -1 : s.ptr[i - 1], after = slice_at(s, i + 1);

	if (after == '/' || after == '\\' || after == ']' || after == 0xef)
		return true;
	return before >= 0 && byte_is_alpha((uint8_t)before) && after > ' ';
}

/* A letter or digit, perhaps a full-width one, ends before `i`, begins at `i`. */
static bool letter_before(struct slice s, size_t i)
{
	if (i == 0)
		return false;
	return byte_is_alnum(s.ptr[i - 1]) || (i >= 3 && s.ptr[i - 3] == 0xef && (s.ptr[i - 2] & 0xfe) == 0xbc);
}

static bool letter_after(struct slice s, size_t i)
{
	const int byte = slice_at(s, i);

	return byte >= 0 && (byte_is_alnum((uint8_t)byte) || (byte == 0xef && (slice_at(s, i + 1) & 0xfe) == 0xbc));
}

/* Full-width ".", ":", "@" and the half-width ideographic full stop. */
static bool wide_counts(struct slice s, size_t i)
{
	const int second = slice_at(s, i + 1), third = slice_at(s, i + 2), next = slice_at(s, i + 3);

	if (second == 0xbd)
		return third == 0xa1 && letter_before(s, i) && letter_after(s, i + 3);
	if (second != 0xbc)
		return false;
	if (third == 0x9a)
		return next == '/' || next == '\\' || next == ']' || (next == 0xef && slice_at(s, i + 5) == 0x8f);
	return third == 0xa0 || (third == 0x8e && may_be_host(next));
}

/* The ideographic full stop, and the Chinese word: three bytes that end sentences and are common. */
static bool chinese_counts(struct slice s, size_t i, int second, int third)
{
	if (slice_at(s, i + 1) != second || slice_at(s, i + 2) != third)
		return false;
	if (letter_before(s, i) && letter_after(s, i + 3))
		return true;
	return second == 0x82 && i != 0 && slice_at(s, i + 3) >= 0 &&
	       (s.ptr[i - 1] == ' ' || is_bracket(s.ptr[i - 1])) &&
	       (slice_at(s, i + 3) == ' ' || is_bracket(slice_at(s, i + 3)));
}

/* Whether it is worth looking at the window there. Reads three bytes to each side at most. */
static bool counts(struct slice s, size_t i)
{
	switch ((enum trigger)triggers[s.ptr[i]]) {
	case TRIGGER_NONE:
		return false;
	case TRIGGER_DOT:
		return dot_counts(s, i);
	case TRIGGER_COLON:
		return colon_counts(s, i);
	case TRIGGER_AT:
		return true;
	case TRIGGER_SLASH:
		return slice_at(s, i + 1) == '/' && may_be_host(slice_at(s, i + 2)) &&
		       (i == 0 || (s.ptr[i - 1] != ':' && s.ptr[i - 1] != '/' && s.ptr[i - 1] != '\\'));
	case TRIGGER_D:
		return d_counts(s, i);
	case TRIGGER_STOP:
		return chinese_counts(s, i, 0x80, 0x82);
	case TRIGGER_WIDE:
		return wide_counts(s, i);
	case TRIGGER_WORD:
		return chinese_counts(s, i, 0x82, 0xb9);
	}
	return false;
}

static enum rc read_at(struct link_finder *f, size_t place, struct arena *arena, struct link_found *out)
{
	const size_t index = window_at(f, place);

	if (index >= f->count)
		return RC_NOTFOUND;
	switch (at(f, index)) {
	case ':':
		return start_colon(f, index, arena, out);
	case '@':
		return start_at_sign(f, index, arena, out);
	case '/':
		return start_slashes(f, index, arena, out);
	default:
		return start_dot(f, index, arena, out);
	}
}

enum rc link_find_next(struct link_finder *f, struct arena *arena, struct link_found *out)
{
	if (f->has_longer) {
		f->has_longer = false;
		*out = f->longer;
		return RC_OK;
	}
	while (f->at < f->text.len) {
		const uint8_t *bytes = f->text.ptr;
		size_t         place = f->at;
		while (place < f->text.len && triggers[bytes[place]] == TRIGGER_NONE)
			place++;
		f->at = place + 1;
		if (place >= f->text.len)
			break;
		if (!counts(f->text, place))
			continue;
		const enum rc rc = read_at(f, place, arena, out);
		must(f->at > place);
		if (rc != RC_NOTFOUND)
			return rc;
	}
	f->at = f->text.len;
	return RC_CLOSED;
}
