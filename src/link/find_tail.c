/* What follows a host: path, query and fragment, and where punctuation of the sentence begins. */
#include "link/find_inside.h"

#define BRACKETS_MAX 32u

static uint32_t opening_of(uint32_t c)
{
	switch (c) {
	case ')':
		return '(';
	case ']':
		return '[';
	case '}':
		return '{';
	default:
		return 0;
	}
}

static bool is_sentence_mark(uint32_t c)
{
	return c == '.' || c == ',' || c == '!' || c == '?' || c == ';' || c == ':';
}

/* Open brackets and quotes that wait for their end. */
struct open {
	uint32_t kind[BRACKETS_MAX];
	size_t   index[BRACKETS_MAX];
	size_t   count;
};

static bool open_push(struct open *open, uint32_t c, size_t index)
{
	if (open->count == BRACKETS_MAX)
		return false;
	open->kind[open->count] = c;
	open->index[open->count++] = index;
	return true;
}

/* Whether the link goes over the bracket or quote at `index`. */
static bool bracket_passes(const struct link_finder *f, struct open *open, size_t index)
{
	const uint32_t c = at(f, index), opening = opening_of(c);
	const uint32_t top = open->count == 0 ? 0 : open->kind[open->count - 1];

	if (c == '(' || c == '[' || c == '{')
		return open_push(open, c, index);
	if (opening != 0) {
		if (top != opening)
			return false;
		open->count--;
		return true;
	}
	if (c == '"') {
		if (top == '"') {
			open->count--;
			return true;
		}
		return open_push(open, c, index);
	}
	/* An apostrophe stands inside words, too. */
	const uint32_t next = at(f, index + 1);
	if (top == '\'') {
		open->count--;
		return true;
	}
	if (is_alnum(next) || next == '-')
		return true;
	for (size_t i = index; i-- > 0 && index - i < 64 && !is_terminator(at(f, i));) {
		if (at(f, i) == '\'' && i != 0 && !is_alnum(at(f, i - 1)))
			return true;
	}
	return false;
}

size_t tail_end(const struct link_finder *f, size_t index, bool wide, size_t *longer)
{
	struct open open = { .count = 0 };
	size_t      end = index, cut = 0;
	bool        chinese = false;

	for (; end < f->count && end - index < LINK_CHARACTERS_MAX; end++) {
		const uint32_t raw = f->character[end], c = raw & CHARACTER;
		if (is_terminator(c) || (!wide && (raw & WAS_STOP) != 0) ||
		    (!wide && (raw & WAS_WIDE) != 0 && !is_alnum(c)))
			break;
		if (!chinese && is_cjk(c) && end != index && is_alnum(at(f, end - 1))) {
			chinese = true;
			cut = end;
		}
		if ((c == '(' || c == ')' || c == '[' || c == ']' || c == '{' || c == '}' || c == '"' || c == '\'') &&
		    !bracket_passes(f, &open, end))
			break;
	}
	/* A bracket without its end belongs to the sentence. */
	if (open.count != 0)
		end = open.index[0];
	while (end > index && is_sentence_mark(at(f, end - 1)))
		end--;
	if (!chinese || cut > end) {
		*longer = end;
		return end;
	}
	*longer = end;
	while (cut > index && is_sentence_mark(at(f, cut - 1)))
		cut--;
	return cut;
}

size_t fold_at(const struct link_finder *f, size_t index)
{
	size_t next = index;

	while (is_blank(at(f, next)))
		next++;
	if (!is_line_end(at(f, next)))
		return 0;
	next += at(f, next) == '\r' && at(f, next + 1) == '\n' ? 2 : 1;
	while (at(f, next) == '>' || is_blank(at(f, next)))
		next++;
	return is_terminator(at(f, next)) ? 0 : next;
}
