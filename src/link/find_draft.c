/* From what was understood to what is handed out: the tail with its folds, the text as one would type it, its URL. */
#include "link/find_start.h"

#define FOLDS_MAX 16u
#define LINE_MIN  60u /* a shorter line did not break a link because it had to */

static bool is_path_start(const struct link_finder *f, size_t index, bool wide)
{
	const uint32_t c = at(f, index);

	if (!wide && index < f->count && (f->character[index] & WAS_WIDE) != 0 && c != '/')
		return false;
	return c == '/' || c == '?' || c == '#' || c == '\\';
}

/* ":8080" at `index`: its size, 0 when there is none. */
static size_t port_size(const struct link_finder *f, size_t index)
{
	size_t size = 1;

	if (at(f, index) != ':' || !is_digit(at(f, index + 1)))
		return 0;
	while (size < 7 && is_digit(at(f, index + size)))
		size++;
	return size;
}

/* RFC 3986 appendix C: between "<" and ">" nothing is the sentence's. The index of ">", or `index` when blanks come first. */
static size_t bracket_end(const struct link_finder *f, size_t index)
{
	size_t end = index;

	while (!is_terminator(at(f, end)) && end - index < LINK_CHARACTERS_MAX)
		end++;
	return at(f, end) == '>' ? end : index;
}

/* "<http://... over lines >": every line up to the bracket. False: it does not end with one. */
static bool unfold(const struct link_finder *f, struct draft *draft)
{
	size_t end = draft->end, spans = draft->spans, longer;

	for (size_t folds = 0; folds < FOLDS_MAX && spans < DRAFT_SPANS_MAX; folds++) {
		const size_t next = fold_at(f, end);
		if (next == 0)
			return false;
		end = next;
		while (!is_terminator(at(f, end)) && end - next < LINK_CHARACTERS_MAX)
			end++;
		draft->span[spans][0] = next;
		draft->span[spans++][1] = end;
		longer = end;
		while (is_blank(at(f, longer)))
			longer++;
		if (at(f, longer) == '>') {
			draft->spans = spans;
			draft->end = end;
			draft->flags |= LINK_FOLDED;
			return true;
		}
	}
	return false;
}

void draft_tail(const struct link_finder *f, struct draft *draft, size_t from, size_t *longer)
{
	bool wide = (draft->flags & LINK_WIDE) != 0 || (draft->host != NULL && (draft->host->flags & LINK_WIDE) != 0);
	const size_t path = from + port_size(f, from);

	draft->end = *longer = path;
	/* "[/]": the slash of a link that was made harmless; the brackets are left out. */
	if (at(f, path) == '[' && at(f, path + 1) == '/' && at(f, path + 2) == ']') {
		draft->span[0][0] = path + 1;
		draft->span[0][1] = path + 2;
		draft->end = tail_end(f, path + 3, wide, longer);
		draft->span[1][0] = path + 3;
		draft->span[1][1] = draft->end;
		draft->spans = 2;
		draft->flags |= LINK_DOT_WORD;
		draft->certainty = LINK_GUESS;
		return;
	}
	if (is_path_start(f, path, wide)) {
		wide |= path < f->count && (f->character[path] & WAS_WIDE) != 0;
		draft->end = tail_end(f, path, wide, longer);
		const size_t bracket =
			draft->start != 0 && at(f, draft->start - 1) == '<' ? bracket_end(f, path) : path;
		if (bracket > path)
			draft->end = *longer = bracket;
		if (draft->end - path >= LINK_CHARACTERS_MAX)
			draft->flags |= LINK_CUT;
		if (wide)
			draft->flags |= LINK_WIDE;
		if (*longer != draft->end)
			draft->flags |= LINK_ADJACENT;
	}
	draft->span[0][0] = from;
	draft->span[0][1] = draft->end;
	draft->spans = 1;
	if (draft->start != 0 && at(f, draft->start - 1) == '<' && unfold(f, draft))
		*longer = draft->end;
}

static void write_characters(const struct link_finder *f, size_t from, size_t to, struct writer *out)
{
	for (size_t i = from; i < to; i++)
		writer_utf8(out, at(f, i));
}

static enum rc draft_write(const struct link_finder *f, const struct draft *draft, struct arena *arena,
                           struct slice *out)
{
	const size_t  characters = draft->end - draft->start + HOST_CHARACTERS;
	struct writer writer = { .room = draft->prefix.len + 4 * characters };

	writer.ptr = arena_bytes(arena, writer.room);
	if (writer.ptr == NULL)
		return RC_NOMEM;
	writer_put(&writer, draft->prefix);
	write_characters(f, draft->head_start, draft->head_end, &writer);
	for (size_t i = 0; draft->host != NULL && i < draft->host->count; i++)
		writer_utf8(&writer, draft->host->text[i]);
	for (size_t i = 0; i < draft->spans; i++)
		write_characters(f, draft->span[i][0], draft->span[i][1], &writer);
	arena->used -= writer.room - writer.len;
	*out = writer_from(&writer, 0);
	return writer.failed ? RC_NOMEM : RC_OK;
}

/* Marks of the characters, which the readers do not carry along. */
static uint32_t marks_of(const struct link_finder *f, const struct draft *draft)
{
	uint32_t flags = 0;

	for (size_t i = draft->start; i < draft->end && i < f->count; i++) {
		if ((f->character[i] & HAD_INVISIBLE) != 0 && i != draft->start)
			flags |= LINK_INVISIBLE;
	}
	return flags;
}

static enum rc draft_found(struct link_finder *f, const struct draft *draft, struct arena *arena,
                           struct link_found *out)
{
	const size_t      used = arena->used;
	struct link_found found = { .kind = draft->kind, .certainty = draft->certainty };

	enum rc rc = draft_write(f, draft, arena, &found.written);
	if (rc == RC_OK)
		rc = url_parse(found.written, NULL, arena, &found.url);
	if (rc != RC_OK) {
		arena->used = used;
		return rc == RC_NOMEM ? RC_NOMEM : RC_NOTFOUND;
	}
	found.offset = place_of(f, draft->start);
	found.size = place_of(f, draft->end) - found.offset;
	found.flags = draft->flags | (draft->host == NULL ? 0 : draft->host->flags) | marks_of(f, draft);
	*out = found;
	return RC_OK;
}

/* Looks like the rest of a link, not like a word or a link of its own. */
static bool is_rest(const struct link_finder *f, size_t from, size_t to)
{
	bool marks = false;

	for (size_t i = from; i < to; i++) {
		const uint32_t c = at(f, i);
		if (c == ':')
			return false;
		marks |=
			is_digit(c) || c == '/' || c == '%' || c == '=' || c == '&' || c == '?' || c == '_' || c == '-';
	}
	return marks;
}

/* The second reading: over the next line, where this one is so long that it may have been broken inside its path. */
static size_t next_line(const struct link_finder *f, const struct draft *draft, size_t *end)
{
	size_t line = draft->end, unused;

	if (draft->spans != 1 || draft->span[0][0] == draft->span[0][1])
		return 0;
	while (line != 0 && draft->end - line < LINE_MIN && !is_line_end(at(f, line - 1)))
		line--;
	const size_t next = draft->end - line < LINE_MIN ? 0 : fold_at(f, draft->end);
	if (next == 0 || !is_line_end(at(f, next - 1)))
		return 0;
	*end = tail_end(f, next, false, &unused);
	return is_rest(f, next, *end) ? next : 0;
}

enum rc draft_emit(struct link_finder *f, const struct draft *draft, size_t longer, struct arena *arena,
                   struct link_found *out)
{
	enum rc rc = draft_found(f, draft, arena, out);

	if (rc != RC_OK)
		return rc;
	f->at = f->floor = out->offset + out->size;
	struct draft second = *draft;
	size_t       end = 0;
	const size_t next = draft->kind == LINK_URL ? next_line(f, draft, &end) : 0;
	second.flags |= LINK_LONGER;
	if (longer > draft->end) {
		second.span[second.spans - 1][1] = second.end = longer;
		second.flags |= LINK_ADJACENT;
	} else if (next != 0) {
		second.span[second.spans][0] = next;
		second.span[second.spans++][1] = second.end = end;
		second.flags |= LINK_FOLDED;
		second.certainty = LINK_GUESS;
	} else {
		return RC_OK;
	}
	rc = draft_found(f, &second, arena, &f->longer);
	if (rc == RC_NOMEM)
		return rc;
	f->has_longer = rc == RC_OK;
	return RC_OK;
}
