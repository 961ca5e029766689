/*
 * One walk over the lines of a message. Each line that begins with "--" is held against the boundaries of all open
 * multiparts, innermost first; everything else only belongs to the part that is open. mail/header.c reads the
 * headers, mail/mime.c their fields.
 */
#include "base/must.h"
#include "mail/body.h"
#include "mail/message_inner.h"

#define EARLY_MAX 512u /* bytes at the front of a body that are looked at for fields */

void reader_note(const struct reader *reader, enum oddity_kind kind, const struct message_part *part, uint32_t offset,
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

	oddity_note(&reader->ears, &oddity);
}

void reader_note_limit(const struct reader *reader, enum oddity_kind kind, const struct message_part *part, uint64_t limit)
{
	reader_note(reader, kind, part, part->header.offset, 0, (int64_t)limit);
}

void reader_note_field(const struct reader *reader, enum oddity_kind kind, const struct message_part *part,
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

	oddity_note(&reader->ears, &oddity);
}

static void hear(void *context, const struct oddity *oddity)
{
	struct reader *reader = context;

	reader->oddities |= UINT64_C(1) << oddity->kind;
	oddity_note(reader->sink, oddity);
}

/* ---- one part's header ---- */

/* The field that counts. */
static const struct header_field *field_that_counts(const struct reader *reader, const struct message_part *part,
                                                    enum header_id id)
{
	const struct header_field *field = header_first(&part->header, id);

	while (field != NULL && (reader->rules & MESSAGE_LAST_FIELD) != 0) {
		const struct header_field *next = header_next(&part->header, field);
		if (next == NULL)
			break;
		field = next;
	}
	return field;
}

static void duplicates_note(struct reader *reader, const struct message_part *part)
{
	static const enum header_id once[] = { HEADER_CONTENT_TYPE, HEADER_CONTENT_TRANSFER_ENCODING,
		                               HEADER_CONTENT_DISPOSITION, HEADER_CONTENT_ID, HEADER_MIME_VERSION };

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
		const struct header_field *first = header_first(&part->header, once[i]);
		const struct header_field *second = first == NULL ? NULL : header_next(&part->header, first);
		if (second != NULL)
			reader_note_field(reader, ODDITY_FIELD_DUPLICATE, part, second,
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
		reader_note_field(reader, ODDITY_PARAMETER_MALFORMED, part, field, 0);
	if ((out->flags & MIME_FIELD_DUPLICATE) != 0)
		reader_note_field(reader, ODDITY_PARAMETER_DUPLICATE, part, field, 0);
	if ((out->flags & MIME_FIELD_LIMIT) != 0)
		reader_note_limit(reader, ODDITY_LIMIT_PARAMETERS, part, reader->limits->parameters);
	return RC_OK;
}

/* The first Content-Transfer-Encoding that says something we know. */
static enum rc encoding_read(struct reader *reader, struct message_part *part)
{
	const struct header_field *field = field_that_counts(reader, part, HEADER_CONTENT_TRANSFER_ENCODING);
	struct mime_field          parsed;

	part->encoding = field == NULL ? TRANSFER_7BIT : TRANSFER_UNKNOWN;
	for (; field != NULL && part->encoding == TRANSFER_UNKNOWN; field = header_next(&part->header, field)) {
		struct slice value;
		if (header_unfold(field, reader->arena, &value) != RC_OK ||
		    mime_field_read(value, reader->limits->parameters, reader->arena, &parsed) != RC_OK)
			return RC_NOMEM;
		part->encoding = parsed.word.len == 0 ? TRANSFER_UNKNOWN : transfer_encoding_of(parsed.word);
		if (part->encoding == TRANSFER_UNKNOWN || !slice_eq_nocase(parsed.word, value))
			reader_note_field(reader, ODDITY_ENCODING_UNKNOWN, part, field, 0);
		if (part->encoding == TRANSFER_YENC || part->encoding == TRANSFER_BINHEX)
			reader_note_field(reader, ODDITY_ENCODING_RARE, part, field, 0);
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
	const struct header_field *field = field_that_counts(reader, part, HEADER_CONTENT_TYPE);

	if ((reader->rules & MESSAGE_BY_SHAPE) != 0)
		return field == NULL ? RC_OK : field_parse(reader, part, field, &part->type);
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
		reader_note_field(reader, ODDITY_TYPE_MALFORMED, part, field, 0);
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
	const struct header_field *field = field_that_counts(reader, part, HEADER_CONTENT_DISPOSITION);

	return field == NULL ? RC_OK : field_parse(reader, part, field, &part->disposition);
}

/* ---- opening and closing ---- */

/* MESSAGE_HEADER_SHORT: what stands behind the first line that is no field is body. */
static void header_shorten(struct message_part *part)
{
	struct header_section *header = &part->header;

	if (header->junk_offset == 0)
		return;
	while (header->count != 0 && header->fields[header->count - 1].offset >= header->junk_offset)
		header->count--;
	header->size = header->junk_offset - header->offset;
}

#define HEADER_LONG_BLANKS 8u /* empty lines that are skipped to find more fields */

/* MESSAGE_HEADER_LONG: more fields behind the empty line belong to the header. */
static enum rc header_lengthen(struct reader *reader, struct message_part *part, const struct header_stop *stop)
{
	struct header_section *header = &part->header, more;
	uint32_t               at = header->offset + header->size;

	for (unsigned i = 0; i < HEADER_LONG_BLANKS; i++)
		at += slice_at(reader->bytes, at) == '\r' || slice_at(reader->bytes, at) == '\n';
	if (header->end != HEADER_END_EMPTY_LINE ||
	    !slice_starts_nocase(slice_drop(reader->bytes, at), SLICE("content-")))
		return RC_OK;
	const enum rc rc = header_section_read(reader->bytes, at, &reader->limits->header, stop, part->index, NULL,
	                                       reader->arena, &more);
	if (rc != RC_OK)
		return rc;
	struct header_field *fields = arena_take(reader->arena, header->count + more.count + 1, sizeof *fields);
	if (fields == NULL)
		return RC_NOMEM;
	if (header->count != 0)
		memcpy(fields, header->fields, header->count * sizeof *fields);
	if (more.count != 0)
		memcpy(&fields[header->count], more.fields, more.count * sizeof *fields);
	header->fields = fields;
	header->count += more.count;
	header->size = at + more.size - header->offset;
	return RC_OK;
}

static enum rc header_read(struct reader *reader, struct message_part *part, uint32_t start)
{
	const struct header_stop stop = { boundary_stops_header, reader };
	enum rc rc = header_section_read(reader->bytes, start, &reader->limits->header, &stop, part->index,
	                                 &reader->ears, reader->arena, &part->header);

	if (rc == RC_OK && (reader->rules & MESSAGE_HEADER_SHORT) != 0)
		header_shorten(part);
	if (rc == RC_OK && (reader->rules & MESSAGE_HEADER_LONG) != 0)
		rc = header_lengthen(reader, part, &stop);
	return rc;
}

/* The header at `start` becomes a part. NULL: a limit; the reader is stopped then. */
static struct message_part *part_make(struct reader *reader, uint32_t start)
{
	struct message_part     *parent = reader->depth == 0 ? NULL : reader->stack[reader->depth - 1].part;
	struct message_part     *part = arena_take(reader->arena, 1, sizeof *part);
	enum rc                  rc = part == NULL ? RC_NOMEM : RC_OK;

	if (rc == RC_OK) {
		part->index = (uint16_t)reader->count;
		part->parent = parent == NULL ? MESSAGE_NO_PART : parent->index;
		part->depth = (uint16_t)reader->depth;
		reader->parts[reader->count] = part;
		rc = header_read(reader, part, start);
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
			reader_note_limit(reader, ODDITY_LIMIT_MEMORY, parent, reader->arena->size);
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
	reader_note_field(reader, ODDITY_ENCODING_COMPOSITE, part, field, 0);
	if (part->kind == PART_MULTIPART) {
		const struct slice near = slice_cut(reader->bytes, part->body_offset, LOOKAHEAD_MAX);
		if (open->waits && boundary_stands_in(reader, near, part->boundary))
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
			reader_note_limit(reader, ODDITY_LIMIT_PARTS, reader->stack[reader->depth - 1].part,
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
			reader_note_limit(reader, ODDITY_LIMIT_DEPTH, part, reader->limits->depth);
			part->kind = PART_LEAF;
		}
		struct open_part open = { .part = part };
		if (part->index == 0 && (reader->rules & MESSAGE_BY_SHAPE) != 0)
			part->kind = PART_MULTIPART;
		else if (part->kind == PART_MULTIPART && boundary_choose(reader, part, &open) != RC_OK) {
			reader_note_limit(reader, ODDITY_LIMIT_MEMORY, part, reader->arena->size);
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

/* A body that begins like a header: the header ended too early for readers that go on past an empty line. */
static void early_body_look(struct reader *reader, const struct message_part *part)
{
	struct slice body = slice_take(part->body, EARLY_MAX);

	while (body.len != 0 && (body.ptr[0] == '\r' || body.ptr[0] == '\n' || byte_is_wsp(body.ptr[0])))
		body = slice_drop(body, 1);
	if (!slice_starts_nocase(body, SLICE("content-")))
		return;
	const struct slice line = slice_take(body, slice_find(body, '\n'));
	if (slice_find(line, ':') < line.len)
		reader_note(reader, ODDITY_PART_HEADER, part, (uint32_t)(line.ptr - reader->bytes.ptr), line.len, 0);
}

/* Everything above `level` ends at `end`. */
static void parts_close(struct reader *reader, size_t level, uint32_t end)
{
	while (reader->depth > level) {
		const struct open_part *open = &reader->stack[--reader->depth];
		struct message_part    *part = open->part;
		uint32_t                body_end = end > part->body_offset ? end : part->body_offset;
		if ((reader->rules & MESSAGE_LOOSE) != 0 && end == reader->bytes.len && part->kind == PART_LEAF &&
		    reader->depth != 0)
			body_end = boundary_tail(reader, reader->stack[reader->depth - 1].part->boundary,
			                         part->body_offset, body_end);
		part->body = slice_cut(reader->bytes, part->body_offset, body_end - part->body_offset);
		if (part->kind == PART_LEAF)
			early_body_look(reader, part);
		if (!open->waits)
			continue;
		if (!open->seen) {
			const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TYPE);
			part->preamble_size = (uint32_t)part->body.len;
			reader_note_field(reader, ODDITY_BOUNDARY_UNUSED, part, field, 0);
		} else if (!open->closed) {
			reader_note(reader, ODDITY_END_MISSING, part, body_end, 0, 0);
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
	/* Behind the last delimiter of a message that was cut off there is no part. */
	if (next == reader->bytes.len || (open->closed && (reader->rules & MESSAGE_ENDED) != 0))
		return next;
	if (open->closed && !open->outside_noted) {
		reader_note(reader, ODDITY_CONTENT_OUTSIDE, open->part, line, next - line, 0);
		open->outside_noted = true;
	}
	return part_open(reader, next);
}

/* Before the first and behind the last delimiter nothing should look like a part. */
static void outside_look(struct reader *reader, struct slice line, uint32_t offset, bool dashes_before)
{
	struct open_part *open = &reader->stack[reader->depth - 1];

	if (!slice_starts_nocase(line, SLICE("content-")))
		return;
	reader->shape_seen |= dashes_before || slice_starts_nocase(line, SLICE("content-transfer-encoding"));
	if (!open->waits || open->outside_noted)
		return;
	open->outside_noted = true;
	reader_note(reader, ODDITY_CONTENT_OUTSIDE, open->part, offset, line.len, 0);
}

/* First bytes of lines that delimit nothing and are looked at all the same. */
static const bool is_of_interest[256] = { ['c'] = true, ['C'] = true, ['b'] = true, ['='] = true, ['('] = true };

static void line_look(struct reader *reader, struct slice line, uint32_t offset, bool dashes_before)
{
	struct message_part *part = reader->stack[reader->depth - 1].part;

	if (byte_lower(line.ptr[0]) == 'c')
		outside_look(reader, line, offset, dashes_before);
	else if (part->file_offset == 0 && body_file_begins(line))
		part->file_offset = offset;
}

static void lines_walk(struct reader *reader, uint32_t at)
{
	bool dashes = false; /* the line before began with "--" and delimited nothing */

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
			reader_note_limit(reader, ODDITY_LIMIT_STEPS, reader->parts[0], reader->limits->steps);
			reader->stopped = true;
			return;
		}
		if (text >= 2 && rest.ptr[0] == '-' && rest.ptr[1] == '-') {
			const struct delimiter found = boundary_match(reader, line, at);
			dashes = found.match == MATCH_NONE;
			if (!dashes) {
				at = delimiter_take(reader, found, at, next);
				continue;
			}
		} else {
			if (text != 0 && is_of_interest[rest.ptr[0]])
				line_look(reader, line, at, dashes);
			dashes = false;
		}
		at = next;
	}
}

enum rc message_read(struct slice bytes, const struct message_limits *limits, const struct oddity_sink *sink,
                     struct arena *arena, struct message *out)
{
	return message_read_as(bytes, 0, limits, sink, arena, out);
}

enum rc message_read_as(struct slice bytes, uint32_t rules, const struct message_limits *limits,
                        const struct oddity_sink *sink, struct arena *arena, struct message *out)
{
	must((rules & ~MESSAGE_RULES_ALL) == 0);
	must(limits->depth <= MESSAGE_DEPTH_MAX && limits->parts <= MESSAGE_PARTS_MAX && limits->parts != 0);
	must(bytes.len <= UINT32_MAX / 2);
	struct reader reader = { .bytes = bytes, .rules = rules, .limits = limits, .sink = sink, .arena = arena };

	reader.ears = (struct oddity_sink){ hear, &reader };
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
		.oddities = reader.oddities,
		.shape = reader.shape_seen,
	};
	out->parts = reader.parts;
	return RC_OK;
}
