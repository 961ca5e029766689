/*
 * One walk over the lines of a message. Each line that begins with "--" is held against the boundaries of all open
 * multiparts, innermost first; everything else only belongs to the part that is open. mail/header.c reads the
 * headers, mail/mime.c their fields.
 */
#include "mail/message.h"

#include "base/must.h"

#define BOUNDARY_LAWFUL_MAX 70u /* RFC 2046 section 5.1.1 */
#define BOUNDARY_USED_MAX   1024u
/* a preamble longer than this is not searched for a boundary that readers differ on */
#define LOOKAHEAD_MAX       16384u

/* A part whose end has not come yet. Multiparts have a boundary to wait for. */
struct open_part {
	struct message_part *part;
	bool                 waits;  /* for its boundary */
	bool                 seen;   /* a delimiter came */
	bool                 closed; /* the final delimiter came */
	bool                 loose;  /* no exact delimiter stands near, so a loose one counts */
	bool                 outside_noted;
	bool                 loose_noted;
};

struct reader {
	struct slice                 bytes;
	const struct message_limits *limits;
	const struct oddity_sink    *sink;
	struct arena                *arena;
	struct message_part        **parts;
	size_t                       count;
	struct open_part             stack[2 * MESSAGE_DEPTH_MAX + 2];
	size_t                       depth; /* used places of the stack */
	uint32_t                     deepest;
	uint32_t                     line_max;
	uint64_t                     steps;
	bool                         stopped; /* by a limit: no more parts */
};

static void note(const struct reader *reader, enum oddity_kind kind, const struct message_part *part, uint32_t offset,
                 size_t size, int64_t value)
{
	const struct oddity oddity = {
		.kind = kind,
		.part = part->index,
		.offset = offset,
		.size = (uint32_t)size,
		.evidence_offset = offset,
		.evidence_size = (uint32_t)size,
		.value = value,
	};

	oddity_note(reader->sink, &oddity);
}

static void limit_note(struct reader *reader, enum oddity_kind kind, const struct message_part *part, uint64_t limit)
{
	note(reader, kind, part, part->header.offset, 0, (int64_t)limit);
}

static void note_field(const struct reader *reader, enum oddity_kind kind, const struct message_part *part,
                       const struct header_field *field, int64_t value)
{
	const bool          name_only = kind == ODDITY_FIELD_DUPLICATE;
	const struct oddity oddity = {
		.kind = kind,
		.part = part->index,
		.offset = field->offset,
		.size = field->size,
		.evidence_offset = field->offset,
		.evidence_size = name_only ? (uint32_t)field->name.len : field->size,
		.value = value,
	};

	oddity_note(reader->sink, &oddity);
}

/* ---- delimiters ---- */

enum match { MATCH_NONE, MATCH_LOOSE, MATCH_NEXT, MATCH_FINAL };

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

struct delimiter {
	enum match match;
	size_t     level;
};

/* Whose delimiter is this line? An exact one wins over a loose one, an inner one over an outer one. */
static struct delimiter delimiter_of(struct reader *reader, struct slice line)
{
	const struct slice text = slice_drop(line, 2);
	struct delimiter   loose = { .match = MATCH_NONE };

	reader->steps += reader->depth;
	for (size_t level = reader->depth; level-- != 0;) {
		struct open_part *open = &reader->stack[level];
		if (!open->waits)
			continue;
		const enum match match = match_of(text, open->part->boundary);
		if (match == MATCH_NEXT || match == MATCH_FINAL)
			return (struct delimiter){ match, level };
		if (match == MATCH_LOOSE && loose.match == MATCH_NONE)
			loose = (struct delimiter){ match, level };
	}
	return loose;
}

/* A loose delimiter counts when its multipart has no better one. */
static struct delimiter loose_settle(struct reader *reader, struct delimiter found, struct slice line, uint32_t offset)
{
	struct open_part *open = &reader->stack[found.level];

	if (!open->loose_noted)
		note(reader, ODDITY_BOUNDARY_LOOSE, open->part, offset, line.len, 0);
	open->loose_noted = true;
	if (!open->loose)
		return (struct delimiter){ .match = MATCH_NONE };
	const struct slice rest = slice_drop(line, 2 + open->part->boundary.len);
	found.match = slice_starts(rest, SLICE("--")) ? MATCH_FINAL : MATCH_NEXT;
	return found;
}

static bool header_stops(void *context, struct slice line)
{
	struct reader         *reader = context;
	const struct delimiter found = delimiter_of(reader, line);

	return found.match == MATCH_NEXT || found.match == MATCH_FINAL ||
	       (found.match == MATCH_LOOSE && reader->stack[found.level].loose);
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
			note_field(reader, ODDITY_BOUNDARY_CLASH, part, field, 0);
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

/* Choose the boundary of a multipart: the first reading that really delimits something near. */
static enum rc boundary_choose(struct reader *reader, struct message_part *part, struct open_part *open)
{
	const struct slice         near = slice_cut(reader->bytes, part->body_offset, LOOKAHEAD_MAX);
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TYPE);
	struct mime_readings       readings = { .count = 0 };
	enum match                 best = MATCH_NONE;
	const enum rc              rc = boundary_readings(reader, part, &readings);

	must(field != NULL);
	if (rc != RC_OK)
		return rc;
	open->waits = readings.count != 0;
	for (size_t i = 0; i < readings.count && best < MATCH_NEXT; i++) {
		const struct slice text = readings.items[i].text;
		const enum match   match =
                        text.len > BOUNDARY_USED_MAX ? MATCH_NONE : boundary_search(reader, near, text);
		if (i == 0 || match > best) {
			part->boundary = text;
			best = match;
		}
	}
	if (readings.count == 0)
		note_field(reader, ODDITY_BOUNDARY_MISSING, part, field, 0);
	else if (!boundary_is_lawful(part->boundary))
		note_field(reader, ODDITY_BOUNDARY_MALFORMED, part, field, (int64_t)part->boundary.len);
	if (best < MATCH_NEXT) {
		const struct slice sniffed = boundary_sniff(reader, near);
		if (sniffed.ptr != NULL && best == MATCH_NONE) {
			if (readings.count != 0)
				note_field(reader, ODDITY_BOUNDARY_UNUSED, part, field, 0);
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

/* ---- one part's header ---- */

static void duplicates_note(struct reader *reader, const struct message_part *part)
{
	static const enum header_id once[] = { HEADER_CONTENT_TYPE, HEADER_CONTENT_TRANSFER_ENCODING,
		                               HEADER_CONTENT_DISPOSITION, HEADER_CONTENT_ID, HEADER_MIME_VERSION };

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
		const struct header_field *first = header_first(&part->header, once[i]);
		const struct header_field *second = first == NULL ? NULL : header_next(&part->header, first);
		if (second != NULL)
			note_field(reader, ODDITY_FIELD_DUPLICATE, part, second,
			           (int64_t)header_count(&part->header, once[i]));
	}
}

static enum rc field_parse(struct reader *reader, const struct message_part *part, const struct header_field *field,
                           struct mime_field *out)
{
	struct slice value;
	enum rc      rc = header_unfold(field, reader->arena, &value);

	if (rc == RC_OK)
		rc = mime_field_read(value, reader->limits->parameters, reader->arena, out);
	if (rc != RC_OK)
		return rc;
	if ((out->flags & MIME_FIELD_MALFORMED) != 0)
		note_field(reader, ODDITY_PARAMETER_MALFORMED, part, field, 0);
	if ((out->flags & MIME_FIELD_DUPLICATE) != 0)
		note_field(reader, ODDITY_PARAMETER_DUPLICATE, part, field, 0);
	if ((out->flags & MIME_FIELD_LIMIT) != 0)
		limit_note(reader, ODDITY_LIMIT_PARAMETERS, part, reader->limits->parameters);
	return RC_OK;
}

/* The first Content-Transfer-Encoding that says something we know. */
static enum rc encoding_read(struct reader *reader, struct message_part *part)
{
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TRANSFER_ENCODING);
	struct mime_field          parsed;

	part->encoding = field == NULL ? TRANSFER_7BIT : TRANSFER_UNKNOWN;
	for (; field != NULL && part->encoding == TRANSFER_UNKNOWN; field = header_next(&part->header, field)) {
		struct slice value;
		if (header_unfold(field, reader->arena, &value) != RC_OK ||
		    mime_field_read(value, reader->limits->parameters, reader->arena, &parsed) != RC_OK)
			return RC_NOMEM;
		part->encoding = parsed.word.len == 0 ? TRANSFER_UNKNOWN : transfer_encoding_of(parsed.word);
		if (part->encoding == TRANSFER_UNKNOWN || !slice_eq_nocase(parsed.word, value))
			note_field(reader, ODDITY_ENCODING_UNKNOWN, part, field, 0);
	}
	return RC_OK;
}

static bool type_is_message(struct slice word)
{
	return slice_eq(word, SLICE("message/rfc822")) || slice_eq(word, SLICE("message/global")) ||
	       slice_eq(word, SLICE("message/news"));
}

/* What Content-Type says; without one, what the parent's default is (RFC 2046 section 5.1.5 for digests). */
static enum rc type_read(struct reader *reader, struct message_part *part)
{
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TYPE);

	if (field == NULL) {
		const struct message_part *parent =
			part->parent == MESSAGE_NO_PART ? NULL : reader->parts[part->parent];
		if (parent != NULL && slice_eq(parent->type.word, SLICE("multipart/digest")))
			part->kind = PART_MESSAGE;
		return RC_OK;
	}
	if (field_parse(reader, part, field, &part->type) != RC_OK)
		return RC_NOMEM;
	if (slice_find(part->type.word, '/') == part->type.word.len)
		note_field(reader, ODDITY_TYPE_MALFORMED, part, field, 0);
	if (slice_starts(part->type.word, SLICE("multipart/")))
		part->kind = PART_MULTIPART;
	else if (type_is_message(part->type.word))
		part->kind = PART_MESSAGE;
	/* A second field may say multipart where the first does not: readers that take the last one would open it. */
	for (field = header_next(&part->header, field); field != NULL && part->kind == PART_LEAF;
	     field = header_next(&part->header, field)) {
		if (slice_starts_nocase(slice_trim(field->value), SLICE("multipart/")))
			part->kind = PART_MULTIPART;
	}
	return RC_OK;
}

static enum rc disposition_read(struct reader *reader, struct message_part *part)
{
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_DISPOSITION);

	return field == NULL ? RC_OK : field_parse(reader, part, field, &part->disposition);
}

/* ---- opening and closing ---- */

/* The header at `start` becomes a part. NULL: a limit; the reader is stopped then. */
static struct message_part *part_make(struct reader *reader, uint32_t start)
{
	const struct header_stop stop = { header_stops, reader };
	struct message_part     *parent = reader->depth == 0 ? NULL : reader->stack[reader->depth - 1].part;
	struct message_part     *part = arena_take(reader->arena, 1, sizeof *part);
	enum rc                  rc = part == NULL ? RC_NOMEM : RC_OK;

	if (rc == RC_OK) {
		part->index = (uint16_t)reader->count;
		part->parent = parent == NULL ? MESSAGE_NO_PART : parent->index;
		part->depth = (uint16_t)reader->depth;
		reader->parts[reader->count] = part;
		rc = header_section_read(reader->bytes, start, &reader->limits->header, &stop, part->index,
		                         reader->sink, reader->arena, &part->header);
	}
	if (rc == RC_OK) {
		part->body_offset = start + part->header.size;
		reader->steps += part->header.size;
		if (part->header.line_max > reader->line_max)
			reader->line_max = part->header.line_max;
		duplicates_note(reader, part);
		rc = type_read(reader, part);
	}
	if (rc == RC_OK)
		rc = disposition_read(reader, part);
	if (rc == RC_OK)
		rc = encoding_read(reader, part);
	if (rc != RC_OK) {
		reader->stopped = true;
		if (parent != NULL)
			limit_note(reader, ODDITY_LIMIT_MEMORY, parent, reader->arena->size);
		return NULL;
	}
	reader->count++;
	return part;
}

/* A multipart or message that is itself encoded is opened only when its delimiters stand there in the clear. */
static void encoded_settle(struct reader *reader, struct message_part *part, struct open_part *open)
{
	if (part->kind == PART_LEAF || !transfer_is_coded(part->encoding))
		return;
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TRANSFER_ENCODING);
	must(field != NULL);
	note_field(reader, ODDITY_ENCODING_COMPOSITE, part, field, 0);
	if (part->kind == PART_MULTIPART) {
		const struct slice near = slice_cut(reader->bytes, part->body_offset, LOOKAHEAD_MAX);
		if (open->waits && boundary_search(reader, near, part->boundary) >= MATCH_NEXT)
			return;
	}
	part->kind = PART_LEAF;
	open->waits = false;
}

/* Push one part and, for message/rfc822, the message inside it, and so on. Returns where its body begins. */
static uint32_t part_open(struct reader *reader, uint32_t start)
{
	for (;;) {
		if (reader->count == reader->limits->parts) {
			limit_note(reader, ODDITY_LIMIT_PARTS, reader->stack[reader->depth - 1].part,
			           reader->limits->parts);
			reader->stopped = true;
			return start;
		}
		struct message_part *part = part_make(reader, start);
		if (part == NULL)
			return start;
		if (part->depth > reader->deepest)
			reader->deepest = part->depth;
		if (part->kind != PART_LEAF && part->depth >= reader->limits->depth) {
			limit_note(reader, ODDITY_LIMIT_DEPTH, part, reader->limits->depth);
			part->kind = PART_LEAF;
		}
		struct open_part open = { .part = part };
		if (part->kind == PART_MULTIPART && boundary_choose(reader, part, &open) != RC_OK) {
			limit_note(reader, ODDITY_LIMIT_MEMORY, part, reader->arena->size);
			reader->stopped = true;
		}
		encoded_settle(reader, part, &open);
		must(reader->depth < sizeof reader->stack / sizeof reader->stack[0]);
		reader->stack[reader->depth++] = open;
		start = part->body_offset;
		if (part->kind != PART_MESSAGE || reader->stopped)
			return start;
	}
}

/* Everything above `level` ends at `end`. */
static void parts_close(struct reader *reader, size_t level, uint32_t end)
{
	while (reader->depth > level) {
		const struct open_part *open = &reader->stack[--reader->depth];
		struct message_part    *part = open->part;
		const uint32_t          body_end = end > part->body_offset ? end : part->body_offset;
		part->body = slice_cut(reader->bytes, part->body_offset, body_end - part->body_offset);
		if (!open->waits)
			continue;
		if (!open->seen) {
			const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TYPE);
			part->preamble_size = (uint32_t)part->body.len;
			note_field(reader, ODDITY_BOUNDARY_UNUSED, part, field, 0);
		} else if (!open->closed) {
			note(reader, ODDITY_END_MISSING, part, body_end, 0, 0);
		}
	}
}

/* The line end before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1). */
static uint32_t before_line_end(const struct reader *reader, uint32_t offset)
{
	if (offset != 0 && reader->bytes.ptr[offset - 1] == '\n')
		offset--;
	if (offset != 0 && reader->bytes.ptr[offset - 1] == '\r')
		offset--;
	return offset;
}

/*
 * A delimiter of the multipart at found.level stands at `line`; `next` is behind its line end. Returns where to go
 * on.
 */
static uint32_t delimiter_take(struct reader *reader, struct delimiter found, uint32_t line, uint32_t next)
{
	struct open_part *open = &reader->stack[found.level];

	parts_close(reader, found.level + 1, before_line_end(reader, line));
	if (!open->seen)
		open->part->preamble_size = line - open->part->body_offset;
	open->seen = true;
	if (found.match == MATCH_FINAL) {
		open->closed = true;
		open->part->epilogue_offset = next;
		return next;
	}
	if (open->closed && !open->outside_noted) {
		note(reader, ODDITY_CONTENT_OUTSIDE, open->part, line, next - line, 0);
		open->outside_noted = true;
	}
	return part_open(reader, next);
}

/* Before the first and behind the last delimiter nothing should look like a part. */
static void outside_look(struct reader *reader, struct slice line, uint32_t offset)
{
	struct open_part *open = &reader->stack[reader->depth - 1];

	if (!open->waits || open->outside_noted || !slice_starts_nocase(line, SLICE("content-")))
		return;
	open->outside_noted = true;
	note(reader, ODDITY_CONTENT_OUTSIDE, open->part, offset, line.len, 0);
}

static void lines_walk(struct reader *reader, uint32_t at)
{
	while (at < reader->bytes.len && !reader->stopped) {
		const struct slice rest = slice_drop(reader->bytes, at);
		const size_t       feed = slice_find(rest, '\n');
		const size_t       text = feed < rest.len && feed != 0 && rest.ptr[feed - 1] == '\r' ? feed - 1 : feed;
		const uint32_t     next = at + (uint32_t)(feed < rest.len ? feed + 1 : feed);
		const struct slice line = slice_take(rest, text);
		if (text > reader->line_max)
			reader->line_max = (uint32_t)text;
		reader->steps += next - at;
		if (reader->steps > reader->limits->steps) {
			limit_note(reader, ODDITY_LIMIT_STEPS, reader->parts[0], reader->limits->steps);
			reader->stopped = true;
			return;
		}
		if (text >= 2 && rest.ptr[0] == '-' && rest.ptr[1] == '-') {
			struct delimiter found = delimiter_of(reader, line);
			if (found.match == MATCH_LOOSE)
				found = loose_settle(reader, found, line, at);
			if (found.match != MATCH_NONE) {
				at = delimiter_take(reader, found, at, next);
				continue;
			}
		} else if (text != 0 && byte_lower(rest.ptr[0]) == 'c') {
			outside_look(reader, line, at);
		}
		at = next;
	}
}

enum rc message_read(struct slice bytes, const struct message_limits *limits, const struct oddity_sink *sink,
                     struct arena *arena, struct message *out)
{
	must(limits->depth <= MESSAGE_DEPTH_MAX && limits->parts <= MESSAGE_PARTS_MAX && limits->parts != 0);
	must(bytes.len <= UINT32_MAX / 2);
	struct reader reader = { .bytes = bytes, .limits = limits, .sink = sink, .arena = arena };

	reader.parts = arena_take(arena, limits->parts, sizeof *reader.parts);
	if (reader.parts == NULL)
		return RC_NOMEM;
	const uint32_t start = part_open(&reader, 0);
	if (reader.count == 0)
		return RC_NOMEM;
	lines_walk(&reader, start);
	parts_close(&reader, 0, (uint32_t)bytes.len);
	*out = (struct message){
		.bytes = bytes,
		.count = reader.count,
		.depth = reader.deepest,
		.line_max = reader.line_max,
		.steps = reader.steps,
	};
	out->parts = reader.parts;
	return RC_OK;
}
