/*
 * What delimits the parts of a multipart: which of the readings of its boundary parameter counts, and which lines.
 * mail/message.c walks over the lines.
 */
#include "base/must.h"
#include "mail/message_inner.h"

#define BOUNDARY_LAWFUL_MAX 70u /* RFC 2046 section 5.1.1 */
#define TAIL_MAX            16u /* dashes and blanks around a delimiter at the very end of a message */

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!byte_is_wsp(s.ptr[i]) && s.ptr[i] != '\r')
			return false;
	}
	return true;
}

/* `text` is a line behind its "--". */
static enum match match_of(struct slice text, struct slice boundary)
{
	if (!slice_starts(text, boundary))
		return MATCH_NONE;
	const struct slice rest = slice_drop(text, boundary.len);
	if (is_blank(rest))
		return MATCH_NEXT;
	if (slice_starts(rest, SLICE("--")) && is_blank(slice_drop(rest, 2)))
		return MATCH_FINAL;
	return boundary.len != 0 ? MATCH_LOOSE : MATCH_NONE;
}

/*
 * Whose delimiter is this line? An exact one wins over a loose one, an inner one over an outer one, or the other way
 * round for MESSAGE_OUTER_FIRST.
 */
static struct delimiter delimiter_of(struct reader *reader, struct slice line)
{
	const bool         outer_first = (reader->rules & MESSAGE_OUTER_FIRST) != 0;
	const struct slice text = slice_drop(line, 2);
	struct delimiter   loose = { .match = MATCH_NONE };

	reader->steps += reader->depth;
	for (size_t i = 0; i < reader->depth; i++) {
		const size_t            level = outer_first ? i : reader->depth - 1 - i;
		const struct open_part *open = &reader->stack[level];
		if (!open->waits)
			continue;
		const enum match match = match_of(text, open->part->boundary);
		if (match == MATCH_NEXT || match == MATCH_FINAL || (reader->rules & MESSAGE_INNER_ONLY) != 0)
			return (struct delimiter){ match, level };
		if (match == MATCH_LOOSE && loose.match == MATCH_NONE)
			loose = (struct delimiter){ match, level };
	}
	return loose;
}

/* A loose delimiter counts when its multipart has no better one. */
static struct delimiter loose_settle(const struct reader *reader, struct delimiter found, struct slice line)
{
	const struct open_part *open = &reader->stack[found.level];

	if (!open->loose && (reader->rules & (MESSAGE_LOOSE | MESSAGE_INNER_ONLY)) == 0)
		return (struct delimiter){ .match = MATCH_NONE };
	const struct slice rest = slice_drop(line, 2 + open->part->boundary.len);
	found.match = slice_starts(rest, SLICE("--")) ? MATCH_FINAL : MATCH_NEXT;
	return found;
}

/* The line behind `line`, which stands in the message: does a Content-* field begin there? */
static bool content_follows(const struct reader *reader, struct slice line)
{
	struct slice rest = slice_drop(reader->bytes, (size_t)(line.ptr - reader->bytes.ptr) + line.len);

	rest = slice_drop(rest, slice_at(rest, 0) == '\r');
	return slice_at(rest, 0) == '\n' && slice_starts_nocase(slice_drop(rest, 1), SLICE("content-"));
}

/* MESSAGE_BY_SHAPE: "--x" with a Content-* field behind it delimits, and from then on every line that begins alike. */
static struct delimiter shape_match(const struct reader *reader, struct slice line)
{
	const struct slice text = slice_drop(line, 2);
	struct delimiter   found = { .match = MATCH_NONE, .level = 0 };

	if (reader->depth == 0 || text.len == 0 || text.len > BOUNDARY_USED_MAX)
		return found;
	if (content_follows(reader, line))
		found.match = MATCH_NEXT;
	else if (reader->shape.len != 0 && slice_starts(text, reader->shape))
		found.match = text.len == reader->shape.len ? MATCH_NEXT : MATCH_FINAL;
	return found;
}

struct delimiter boundary_match(struct reader *reader, struct slice line, uint32_t offset)
{
	if ((reader->rules & MESSAGE_BY_SHAPE) != 0) {
		const struct delimiter shaped = shape_match(reader, line);
		if (shaped.match == MATCH_NEXT && content_follows(reader, line))
			reader->shape = slice_drop(line, 2);
		return shaped;
	}
	const struct delimiter found = delimiter_of(reader, line);
	if (found.match != MATCH_LOOSE)
		return found;
	struct open_part *open = &reader->stack[found.level];
	if (!open->loose_noted)
		reader_note(reader, ODDITY_BOUNDARY_LOOSE, open->part, offset, line.len, 0);
	open->loose_noted = true;
	return loose_settle(reader, found, line);
}

bool boundary_stops_header(void *context, struct slice line)
{
	struct reader *reader = context;

	if ((reader->rules & MESSAGE_BY_SHAPE) != 0)
		return shape_match(reader, line).match != MATCH_NONE;
	const struct delimiter found = delimiter_of(reader, line);
	return found.match == MATCH_NEXT || found.match == MATCH_FINAL ||
	       (found.match == MATCH_LOOSE && loose_settle(reader, found, line).match != MATCH_NONE);
}

/* ---- which boundary ---- */

/* Does a line of `near` begin with "--" and the boundary? The best match there is. */
static enum match boundary_search(struct reader *reader, struct slice near, struct slice boundary)
{
	enum match best = MATCH_NONE;

	for (size_t at = 0; at < near.len && best < MATCH_NEXT;) {
		const struct slice rest = slice_drop(near, at);
		size_t             found = slice_search(rest, SLICE("--"));
		reader->steps += found + 16;
		if (found == rest.len)
			break;
		found += at;
		at = found + 1;
		if (found != 0 && near.ptr[found - 1] != '\n')
			continue;
		struct slice line = slice_drop(near, found + 2);
		line = slice_take(line, slice_find(slice_take(line, BOUNDARY_USED_MAX + 8), '\n'));
		const enum match match = match_of(line, boundary);
		best = match > best ? match : best;
		at = found + 2;
	}
	return best;
}

/*
 * Without a boundary that works: a line "--x" followed by a line "Content-...:" is what a forgiving reader would go
 * by.
 */
static struct slice boundary_sniff(struct reader *reader, struct slice near)
{
	while (near.len != 0) {
		struct slice line = slice_until(&near, '\n');
		reader->steps += line.len + 1;
		if (slice_last(line) == '\r')
			line.len--;
		if (!slice_starts(line, SLICE("--")) || line.len <= 2 || line.len > BOUNDARY_USED_MAX)
			continue;
		if (delimiter_of(reader, line).match >= MATCH_NEXT)
			break; /* of an outer multipart */
		if (slice_starts_nocase(near, SLICE("content-")))
			return slice_drop(line, 2);
	}
	return (struct slice){ NULL, 0 };
}

static bool boundary_is_lawful(struct slice boundary)
{
	const struct slice specials = SLICE("'()+_,-./:=? ");

	for (size_t i = 0; i < boundary.len; i++) {
		if (!byte_is_alnum(boundary.ptr[i]) && slice_find(specials, boundary.ptr[i]) == specials.len)
			return false;
	}
	return boundary.len != 0 && boundary.len <= BOUNDARY_LAWFUL_MAX && slice_last(boundary) != ' ';
}

static void clashes_find(struct reader *reader, const struct message_part *part, const struct header_field *field)
{
	for (size_t level = 0; level < reader->depth; level++) {
		const struct open_part *open = &reader->stack[level];
		if (open->waits && (slice_starts(open->part->boundary, part->boundary) ||
		                    slice_starts(part->boundary, open->part->boundary))) {
			reader_note_field(reader, ODDITY_BOUNDARY_CLASH, part, field, 0);
			return;
		}
	}
}

/* All that readers may take for the boundary, from all Content-Type fields that say multipart. */
static enum rc boundary_readings(struct reader *reader, const struct message_part *part, struct mime_readings *out)
{
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TYPE);
	enum rc                    rc = RC_OK;

	for (; field != NULL && rc == RC_OK; field = header_next(&part->header, field)) {
		struct slice      value;
		struct mime_field type;
		rc = header_unfold(field, reader->arena, &value);
		if (rc == RC_OK)
			rc = mime_field_read(value, reader->limits->parameters, reader->arena, &type);
		if (rc == RC_OK)
			rc = mime_readings_add(&type, SLICE("boundary"), reader->arena, out);
	}
	return rc;
}

/*
 * The reading that counts: the first that delimits something near; the last such one for readers that take the last
 * of several values, or the second for those that take neither.
 */
static enum match reading_choose(struct reader *reader, struct slice near, const struct mime_readings *readings,
                                 struct slice *ret_boundary)
{
	const bool last = (reader->rules & MESSAGE_LAST_FIELD) != 0;
	bool       other = (reader->rules & MESSAGE_OTHER_BOUNDARY) != 0;
	enum match best = MATCH_NONE;

	for (size_t i = 0; i < readings->count; i++) {
		const struct slice text = readings->items[last ? readings->count - 1 - i : i].text;
		const enum match   match =
                        text.len > BOUNDARY_USED_MAX ? MATCH_NONE : boundary_search(reader, near, text);
		if (i == 0 || match > best || (other && match == best && match >= MATCH_NEXT)) {
			other = other && best < MATCH_NEXT;
			*ret_boundary = text;
			best = match;
		}
		if (best >= MATCH_NEXT && !other)
			break;
	}
	return best;
}

bool boundary_stands_in(struct reader *reader, struct slice near, struct slice boundary)
{
	return boundary_search(reader, near, boundary) >= MATCH_NEXT;
}

uint32_t boundary_tail(const struct reader *reader, struct slice boundary, uint32_t start, uint32_t end)
{
	const size_t       most = boundary.len + TAIL_MAX;
	const uint32_t     from = end - start > most ? end - (uint32_t)most : start;
	const struct slice tail = slice_cut(reader->bytes, from, end - from);
	size_t             at = slice_search(tail, SLICE("--"));

	while (at < tail.len) {
		const struct slice rest = slice_drop(tail, at + 2);
		if (boundary.len != 0 && match_of(slice_trim(rest), boundary) == MATCH_FINAL)
			return from + (uint32_t)at;
		at += 1 + slice_search(slice_drop(tail, at + 1), SLICE("--"));
	}
	return end;
}

enum rc boundary_choose(struct reader *reader, struct message_part *part, struct open_part *open)
{
	const struct slice         near = slice_cut(reader->bytes, part->body_offset, LOOKAHEAD_MAX);
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TYPE);
	struct mime_readings       readings = { .count = 0 };
	const enum rc              rc = boundary_readings(reader, part, &readings);

	must(field != NULL);
	if (rc != RC_OK)
		return rc;
	open->waits = readings.count != 0;
	const enum match best = reading_choose(reader, near, &readings, &part->boundary);
	if (readings.count == 0)
		reader_note_field(reader, ODDITY_BOUNDARY_MISSING, part, field, 0);
	else if (!boundary_is_lawful(part->boundary))
		reader_note_field(reader, ODDITY_BOUNDARY_MALFORMED, part, field, (int64_t)part->boundary.len);
	if (best < MATCH_NEXT) {
		const struct slice sniffed = boundary_sniff(reader, near);
		if (sniffed.ptr != NULL && best == MATCH_NONE) {
			if (readings.count != 0)
				reader_note_field(reader, ODDITY_BOUNDARY_UNUSED, part, field, 0);
			part->boundary = sniffed;
			open->waits = true;
		}
	}
	open->waits = open->waits && (part->boundary.len != 0 || best >= MATCH_NEXT);
	open->loose = best == MATCH_LOOSE;
	if (open->waits)
		clashes_find(reader, part, field);
	return RC_OK;
}
