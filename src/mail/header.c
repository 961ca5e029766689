/*
 * Cutting a header section into fields. Two walks over the same bytes: the first counts, the second fills a list of
 * just that size, so that hostile messages cannot make it larger than they pay for. mail/message.c is the reader
 * above this one.
 */
#include "mail/header.h"

#include "base/must.h"

#define LINE_LAWFUL_MAX 998u /* RFC 5322 section 2.1.1 */

static const struct slice names[HEADER_IDS] = {
	[HEADER_FROM] = SLICE_INIT("From"),
	[HEADER_SENDER] = SLICE_INIT("Sender"),
	[HEADER_REPLY_TO] = SLICE_INIT("Reply-To"),
	[HEADER_TO] = SLICE_INIT("To"),
	[HEADER_CC] = SLICE_INIT("Cc"),
	[HEADER_BCC] = SLICE_INIT("Bcc"),
	[HEADER_SUBJECT] = SLICE_INIT("Subject"),
	[HEADER_DATE] = SLICE_INIT("Date"),
	[HEADER_MESSAGE_ID] = SLICE_INIT("Message-ID"),
	[HEADER_IN_REPLY_TO] = SLICE_INIT("In-Reply-To"),
	[HEADER_REFERENCES] = SLICE_INIT("References"),
	[HEADER_RECEIVED] = SLICE_INIT("Received"),
	[HEADER_RETURN_PATH] = SLICE_INIT("Return-Path"),
	[HEADER_MIME_VERSION] = SLICE_INIT("MIME-Version"),
	[HEADER_CONTENT_TYPE] = SLICE_INIT("Content-Type"),
	[HEADER_CONTENT_TRANSFER_ENCODING] = SLICE_INIT("Content-Transfer-Encoding"),
	[HEADER_CONTENT_DISPOSITION] = SLICE_INIT("Content-Disposition"),
	[HEADER_CONTENT_ID] = SLICE_INIT("Content-ID"),
	[HEADER_CONTENT_LOCATION] = SLICE_INIT("Content-Location"),
	[HEADER_CONTENT_DESCRIPTION] = SLICE_INIT("Content-Description"),
	[HEADER_AUTHENTICATION_RESULTS] = SLICE_INIT("Authentication-Results"),
	[HEADER_AUTO_SUBMITTED] = SLICE_INIT("Auto-Submitted"),
	[HEADER_PRECEDENCE] = SLICE_INIT("Precedence"),
	[HEADER_LIST_ID] = SLICE_INIT("List-Id"),
	[HEADER_LIST_UNSUBSCRIBE] = SLICE_INIT("List-Unsubscribe"),
	[HEADER_DKIM_SIGNATURE] = SLICE_INIT("DKIM-Signature"),
	[HEADER_JOURNAL_REPORT] = SLICE_INIT("X-MS-Journal-Report"),
};

enum header_id header_id_of(struct slice name)
{
	if (name.len == 0)
		return HEADER_OTHER;
	const uint8_t first = byte_lower(name.ptr[0]);
	for (unsigned id = HEADER_OTHER + 1; id < HEADER_IDS; id++) {
		if (names[id].len == name.len && byte_lower(names[id].ptr[0]) == first &&
		    slice_eq_nocase(names[id], name))
			return (enum header_id)id;
	}
	return HEADER_OTHER;
}

const char *header_name(enum header_id id)
{
	must((unsigned)id < HEADER_IDS);
	return names[id].ptr == NULL ? "" : (const char *)names[id].ptr;
}

/* One physical line: `text` without its line end, `size` with it. */
struct line {
	uint32_t     offset;
	uint32_t     size;
	struct slice text;
};

struct walk {
	struct slice              message;
	uint32_t                  start;
	uint32_t                  end; /* no byte at or behind it is looked at */
	uint32_t                  at;
	uint16_t                  part;
	const struct header_stop *stop;
	const struct oddity_sink *sink; /* NULL on the counting walk */
	struct header_section    *section;
	struct header_field      *fields; /* NULL on the counting walk */
	struct header_field      *open;   /* the field that continuation lines belong to */
	size_t                    count;
	size_t                    count_max;
};

static bool line_take(struct walk *walk, struct line *out)
{
	if (walk->at >= walk->end)
		return false;
	const struct slice rest = slice_cut(walk->message, walk->at, walk->end - walk->at);
	const size_t       feed = slice_find(rest, '\n');
	size_t             text = feed;

	if (feed < rest.len && feed != 0 && rest.ptr[feed - 1] == '\r')
		text--;
	*out = (struct line){ .offset = walk->at,
		              .size = (uint32_t)(feed < rest.len ? feed + 1 : feed),
		              .text = slice_take(rest, text) };
	walk->at += out->size;
	return true;
}

static void note(struct walk *walk, enum oddity_kind kind, uint32_t offset, size_t size, int64_t value)
{
	const struct oddity oddity = {
		.kind = kind,
		.part = walk->part,
		.offset = offset,
		.size = (uint32_t)size,
		.evidence_offset = walk->open != NULL ? walk->open->offset : offset,
		.evidence_size = walk->open != NULL ? (uint32_t)walk->open->name.len : (uint32_t)size,
		.value = value,
	};

	if (walk->open != NULL)
		walk->open->flags |= HEADER_FIELD_ODD;
	oddity_note(walk->sink, &oddity);
}

/* Is the rest well-formed UTF-8 at `*index`? Moves past one character. RFC 3629 section 4. */
static bool utf8_take(struct slice s, size_t *index)
{
	const uint8_t lead = s.ptr[*index];
	const size_t  more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;

	if (lead < 0xc2 || lead > 0xf4 || *index + more >= s.len)
		return false;
	const uint8_t second = s.ptr[*index + 1];
	if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
	    (lead == 0xf4 && second > 0x8f))
		return false;
	for (size_t i = 1; i <= more; i++) {
		if ((s.ptr[*index + i] & 0xc0) != 0x80)
			return false;
	}
	*index += more;
	return true;
}

/* The bytes of a line that no reader is sure about; each kind once a line. */
static void line_examine(struct walk *walk, const struct line *line)
{
	bool nul = false, wild = false, control = false, bare_cr = false;

	if (line->text.len > LINE_LAWFUL_MAX)
		note(walk, ODDITY_HEADER_LINE_LONG, line->offset, line->text.len, (int64_t)line->text.len);
	for (size_t i = 0; i < line->text.len; i++) {
		const uint8_t  byte = line->text.ptr[i];
		const uint32_t offset = line->offset + (uint32_t)i;
		if (byte_is_print(byte) || byte == '\t')
			continue;
		if (byte == '\0' && !nul) {
			note(walk, ODDITY_HEADER_NUL, offset, 1, 0);
			nul = true;
		} else if (byte == '\r' && !bare_cr) {
			note(walk, ODDITY_HEADER_BARE_CR, offset, 1, 0);
			bare_cr = true;
		} else if (byte >= 0x80 && !wild && !utf8_take(line->text, &i)) {
			note(walk, ODDITY_HEADER_8BIT, offset, 1, 0);
			wild = true;
		} else if (byte != '\0' && byte != '\r' && byte < 0x80 && !control) {
			note(walk, ODDITY_HEADER_CONTROL, offset, 1, byte);
			control = true;
		}
	}
}

/* Does the line only hold printable ASCII and tabs? Eight bytes a time. */
static bool line_is_plain(struct slice text)
{
	size_t   i = 0;
	uint64_t bad = 0;

	for (; i + 8 <= text.len; i += 8) {
		uint64_t word;
		memcpy(&word, &text.ptr[i], sizeof word);
		/* A byte below 0x20 borrows into its top bit; one above 0x7f has it; 0x7f gets it by adding one. */
		bad |= (word - UINT64_C(0x2020202020202020)) | word | (word + UINT64_C(0x0101010101010101));
	}
	if ((bad & UINT64_C(0x8080808080808080)) != 0)
		return false;
	for (; i < text.len; i++) {
		if (!byte_is_print(text.ptr[i]))
			return false;
	}
	return true;
}

static bool is_blank(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_wsp(text.ptr[i]) && text.ptr[i] != '\v' && text.ptr[i] != '\f' && text.ptr[i] != '\r')
			return false;
	}
	return true;
}

/* "From someone date" or ">From ..." as mbox files have it; not "From : x", which is a field. */
static bool is_mbox_line(struct slice text)
{
	if (slice_at(text, 0) == '>')
		text = slice_drop(text, 1);
	if (!slice_starts(text, SLICE("From ")))
		return false;
	const struct slice rest = slice_trim(slice_drop(text, 5));
	return rest.len != 0 && rest.ptr[0] != ':';
}

/*
 * Where the name ends and the colon stands. False when the line is no field: no colon, an empty name, or white space
 * inside the name.
 */
static bool name_cut(struct slice text, struct slice *ret_name, size_t *ret_colon)
{
	const size_t colon = slice_find(text, ':');
	struct slice name = slice_take(text, colon);

	if (colon == text.len)
		return false;
	while (name.len != 0 && byte_is_wsp(name.ptr[name.len - 1]))
		name.len--;
	if (name.len == 0 || slice_find(name, ' ') < name.len || slice_find(name, '\t') < name.len)
		return false;
	*ret_name = name;
	*ret_colon = colon;
	return true;
}

static bool name_is_lawful(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] < 33 || name.ptr[i] > 126)
			return false;
	}
	return true;
}

/* Readers that trim lines before they look end the header here. */
static void blank_found(struct walk *walk, const struct line *line)
{
	if (walk->section->junk_offset == 0)
		walk->section->junk_offset = line->offset;
	note(walk, ODDITY_HEADER_BLANK_FOLD, line->offset, line->text.len, 0);
}

static void continuation_take(struct walk *walk, const struct line *line)
{
	if (walk->open == NULL) {
		if (walk->count == 0)
			note(walk, ODDITY_HEADER_CONTINUATION_FIRST, line->offset, line->text.len, 0);
		return;
	}
	struct header_field *field = walk->open;
	if (is_blank(line->text))
		blank_found(walk, line);
	field->flags |= HEADER_FIELD_FOLDED;
	field->size = line->offset + line->size - field->offset;
	const size_t value_at = (size_t)(field->value.ptr - walk->message.ptr);
	field->value = slice_cut(walk->message, value_at, line->offset + line->text.len - value_at);
}

/* False: the line is no field. */
static bool field_take(struct walk *walk, const struct line *line)
{
	struct slice name;
	size_t       colon;

	if (!name_cut(line->text, &name, &colon))
		return false;
	walk->open = NULL;
	walk->count++;
	if (walk->fields == NULL)
		return true;
	must(walk->count <= walk->count_max);
	struct header_field *field = &walk->fields[walk->count - 1];
	*field = (struct header_field){
		.id = header_id_of(name),
		.name = name,
		.offset = line->offset,
		.size = line->size,
		/* Never NULL, so that a continuation line finds its place again. */
		.value = slice_of(&line->text.ptr[colon + 1], line->text.len - colon - 1),
	};
	walk->open = field;
	if (name.len != colon)
		note(walk, ODDITY_HEADER_SPACE_BEFORE_COLON, line->offset, colon + 1, 0);
	if (!name_is_lawful(name))
		note(walk, ODDITY_HEADER_NAME_MALFORMED, line->offset, colon + 1, 0);
	return true;
}

static void line_judge(struct walk *walk, const struct line *line)
{
	if (line->text.len > walk->section->line_max)
		walk->section->line_max = (uint32_t)line->text.len;
	if (byte_is_wsp(line->text.ptr[0])) {
		continuation_take(walk, line);
	} else if (!field_take(walk, line)) {
		const bool mbox = is_mbox_line(line->text);
		walk->open = NULL;
		if (!mbox && walk->section->junk_offset == 0)
			walk->section->junk_offset = line->offset;
		note(walk, mbox ? ODDITY_HEADER_MBOX_FROM : ODDITY_HEADER_NOT_A_FIELD, line->offset, line->text.len, 0);
	}
	if (walk->fields != NULL && (line->text.len > LINE_LAWFUL_MAX || !line_is_plain(line->text)))
		line_examine(walk, line);
}

/* A field past the limit is neither counted nor kept; its continuation lines fall with it. */
static bool is_over_limit(struct walk *walk, const struct line *line)
{
	struct slice name;
	size_t       colon;

	if (walk->count < walk->count_max)
		return false;
	if (byte_is_wsp(line->text.ptr[0]))
		return walk->open == NULL;
	walk->open = NULL;
	return name_cut(line->text, &name, &colon);
}

/* One walk over the section; says how it ended and sets walk->at behind it. */
static enum header_end section_walk(struct walk *walk)
{
	struct line     line;
	enum header_end end = HEADER_END_OF_BYTES;

	while (line_take(walk, &line)) {
		if (line.text.len == 0)
			return end == HEADER_END_LIMIT ? end : HEADER_END_EMPTY_LINE;
		if (walk->stop != NULL && slice_starts(line.text, SLICE("--")) &&
		    walk->stop->stops(walk->stop->context, line.text)) {
			walk->at = line.offset;
			return HEADER_END_STOPPED;
		}
		if (is_over_limit(walk, &line))
			end = HEADER_END_LIMIT;
		else
			line_judge(walk, &line);
	}
	return end;
}

enum rc header_section_read(struct slice message, uint32_t start, const struct header_limits *limits,
                            const struct header_stop *stop, uint16_t part, const struct oddity_sink *sink,
                            struct arena *arena, struct header_section *out)
{
	must(start <= message.len);
	const size_t          left = message.len - start;
	struct header_section section = { .offset = start };
	struct walk           walk = {
			  .message = message,
			  .start = start,
			  .end = start + (uint32_t)(left < limits->bytes ? left : limits->bytes),
			  .at = start,
			  .part = part,
			  .stop = stop,
			  .section = &section,
			  .count_max = limits->fields,
	};

	(void)section_walk(&walk);
	const size_t count = walk.count;
	walk.fields = arena_take(arena, count == 0 ? 1 : count, sizeof *walk.fields);
	if (walk.fields == NULL)
		return RC_NOMEM;
	walk.at = start;
	walk.count = 0;
	walk.open = NULL;
	walk.sink = sink;
	section.junk_offset = 0;
	section.end = section_walk(&walk);
	must(walk.count == count);
	walk.open = NULL;
	if (section.end == HEADER_END_LIMIT)
		note(&walk, ODDITY_LIMIT_HEADER_FIELDS, start, walk.at - start, limits->fields);
	if (section.end == HEADER_END_OF_BYTES && left > limits->bytes) {
		section.end = HEADER_END_LIMIT;
		note(&walk, ODDITY_LIMIT_HEADER_BYTES, start, walk.at - start, limits->bytes);
	} else if (section.end == HEADER_END_OF_BYTES) {
		note(&walk, ODDITY_HEADER_NO_END, walk.at, 0, 0);
	}
	section.fields = walk.fields;
	section.count = count;
	section.size = walk.at - start;
	*out = section;
	return RC_OK;
}

const struct header_field *header_first(const struct header_section *section, enum header_id id)
{
	for (size_t i = 0; i < section->count; i++) {
		if (section->fields[i].id == id)
			return &section->fields[i];
	}
	return NULL;
}

const struct header_field *header_next(const struct header_section *section, const struct header_field *field)
{
	for (size_t i = (size_t)(field - section->fields) + 1; i < section->count; i++) {
		if (section->fields[i].id == field->id)
			return &section->fields[i];
	}
	return NULL;
}

size_t header_count(const struct header_section *section, enum header_id id)
{
	size_t count = 0;

	for (size_t i = 0; i < section->count; i++)
		count += section->fields[i].id == id;
	return count;
}

enum rc header_unfold(const struct header_field *field, struct arena *arena, struct slice *out)
{
	const struct slice value = slice_trim(field->value);

	if ((field->flags & HEADER_FIELD_FOLDED) == 0 || slice_find(value, '\n') == value.len) {
		*out = value;
		return RC_OK;
	}
	uint8_t *text = arena_bytes(arena, value.len);
	size_t   size = 0;
	if (text == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < value.len; i++) {
		const uint8_t byte = value.ptr[i];
		if (byte == '\n' || (byte == '\r' && slice_at(value, i + 1) == '\n'))
			continue;
		text[size++] = byte;
	}
	*out = slice_of(text, size);
	return RC_OK;
}
