/*
 * The parameter grammar, leniently. The cutter below never gives up: what it cannot understand it takes as raw text
 * up to the next ";" and says that the field is malformed.
 */
#include "mail/mime.h"

#include "base/must.h"
#include "mail/encoded_word.h"
#include "text/utf8.h"

#define SECTION_MAX 999
#define COMMENT_MAX 1024u /* a longer one is text to us: looking for its end again and again would cost too much */

struct scanner {
	struct slice rest;
	uint32_t     flags;
};

static bool is_space(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\v' || byte == '\f';
}

/*
 * Bytes of a comment at the front, nested ones included; an unclosed one goes on to the next ";" for us (0: take it
 * as text).
 */
static size_t comment_size(struct slice s)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.len && i < COMMENT_MAX; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* White space and comments. Returns whether anything was skipped. */
static bool blanks_skip(struct scanner *scanner)
{
	const size_t before = scanner->rest.len;

	for (;;) {
		if (is_space(slice_at(scanner->rest, 0))) {
			scanner->rest = slice_drop(scanner->rest, 1);
			continue;
		}
		const size_t size = slice_at(scanner->rest, 0) == '(' ? comment_size(scanner->rest) : 0;
		if (size == 0)
			break;
		scanner->flags |= MIME_FIELD_COMMENT;
		scanner->rest = slice_drop(scanner->rest, size);
	}
	return scanner->rest.len != before;
}

static enum rc lower_copy(struct slice s, struct arena *arena, struct slice *out)
{
	uint8_t *text = arena_bytes(arena, s.len == 0 ? 1 : s.len);
	size_t   size = 0;

	if (text == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_space(s.ptr[i]))
			text[size++] = byte_lower(s.ptr[i]);
	}
	*out = slice_of(text, size);
	return RC_OK;
}

static size_t run_until(struct slice s, struct slice stops)
{
	size_t i = 0;

	while (i < s.len && slice_find(stops, s.ptr[i]) == stops.len)
		i++;
	return i;
}

static struct slice word_take(struct scanner *scanner, struct slice stops)
{
	const struct slice word = slice_take(scanner->rest, run_until(scanner->rest, stops));

	scanner->rest = slice_drop(scanner->rest, word.len);
	return word;
}

/* "type / subtype", or one token of a disposition. */
static enum rc head_take(struct scanner *scanner, struct arena *arena, struct slice *out)
{
	struct slice parts[2] = { { NULL, 0 }, { NULL, 0 } };
	bool         slash = false;

	(void)blanks_skip(scanner);
	parts[0] = word_take(scanner, SLICE("/; \t\r\n("));
	(void)blanks_skip(scanner);
	if (slice_at(scanner->rest, 0) == '/') {
		slash = true;
		scanner->rest = slice_drop(scanner->rest, 1);
		(void)blanks_skip(scanner);
		parts[1] = word_take(scanner, SLICE("; \t\r\n("));
		(void)blanks_skip(scanner);
	}
	if (scanner->rest.len != 0 && scanner->rest.ptr[0] != ';')
		scanner->flags |= MIME_FIELD_MALFORMED;
	if (parts[0].len == 0 || (slash && parts[1].len == 0))
		scanner->flags |= MIME_FIELD_MALFORMED;
	if (!slash)
		return lower_copy(parts[0], arena, out);
	uint8_t *text = arena_bytes(arena, parts[0].len + 1 + parts[1].len);
	if (text == NULL)
		return RC_NOMEM;
	size_t size = 0;
	for (size_t i = 0; i < parts[0].len; i++)
		text[size++] = byte_lower(parts[0].ptr[i]);
	text[size++] = '/';
	for (size_t i = 0; i < parts[1].len; i++)
		text[size++] = byte_lower(parts[1].ptr[i]);
	*out = slice_of(text, size);
	return RC_OK;
}

/* A quoted string at the front, its backslashes undone. An unclosed one takes all that is left. */
static enum rc quoted_take(struct scanner *scanner, struct arena *arena, struct slice *out)
{
	struct slice rest = slice_drop(scanner->rest, 1);
	size_t       end = 0;
	bool         escaped = false;

	while (end < rest.len && rest.ptr[end] != '"') {
		escaped |= rest.ptr[end] == '\\';
		end += rest.ptr[end] == '\\' && end + 1 < rest.len ? 2 : 1;
	}
	if (end >= rest.len) {
		end = rest.len;
		scanner->flags |= MIME_FIELD_MALFORMED;
	}
	const struct slice text = slice_take(rest, end);
	scanner->rest = slice_drop(rest, end + 1);
	if (!escaped) {
		*out = text;
		return RC_OK;
	}
	uint8_t *plain = arena_bytes(arena, text.len);
	size_t   size = 0;
	if (plain == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\' && i + 1 < text.len)
			i++;
		plain[size++] = text.ptr[i];
	}
	*out = slice_of(plain, size);
	return RC_OK;
}

/*
 * The value behind "=". Afterwards rest begins with ";" or is empty, or with the name of the next parameter when a
 * ";" is missing.
 */
static enum rc value_take(struct scanner *scanner, struct arena *arena, struct mime_parameter *parameter)
{
	(void)blanks_skip(scanner);
	const struct slice start = scanner->rest;
	enum rc            rc = RC_OK;

	parameter->tail = slice_trim(start);
	if (slice_at(scanner->rest, 0) == '"')
		rc = quoted_take(scanner, arena, &parameter->value);
	else
		parameter->value = word_take(scanner, SLICE("; \t\r\n("));
	const bool         blank = blanks_skip(scanner);
	const struct slice more = slice_take(scanner->rest, slice_find(scanner->rest, ';'));
	if (more.len != 0) {
		/*
		 * Text behind the value: the next parameter without its ";", or the rest of a value with blanks in
		 * it.
		 */
		scanner->flags |= MIME_FIELD_MALFORMED;
		if (!blank || slice_find(more, '=') == more.len) {
			scanner->rest = slice_drop(scanner->rest, more.len);
			parameter->raw = slice_trim(slice_take(start, start.len - scanner->rest.len));
			if (slice_at(start, 0) != '"')
				parameter->value = parameter->raw;
			return rc;
		}
	}
	parameter->raw = slice_trim(slice_take(start, start.len - scanner->rest.len));
	return rc;
}

/* Cut "*0*" from a name: RFC 2231 sections 3 and 4. */
static void name_read(struct slice name, struct mime_parameter *parameter)
{
	parameter->section = MIME_SECTION_NONE;
	if (slice_last(name) == '*') {
		parameter->extended = true;
		name.len--;
	}
	const size_t star = slice_find_last(name, '*');
	if (star < name.len && name.len - star <= 4) {
		int                section = 0;
		const struct slice digits = slice_drop(name, star + 1);
		for (size_t i = 0; i < digits.len; i++)
			section = byte_is_digit(digits.ptr[i]) && section <= SECTION_MAX
			                  ? section * 10 + (digits.ptr[i] - '0')
			                  : SECTION_MAX + 1;
		if (digits.len != 0 && section <= SECTION_MAX) {
			parameter->section = section;
			name = slice_take(name, star);
		}
	}
	parameter->name = name;
}

/* The name in front of "=", in lower case. A comment inside it is dropped: "na(x)me" is "name" to some. */
static enum rc name_take(struct scanner *scanner, struct arena *arena, struct slice *out)
{
	const struct slice start = scanner->rest;
	const struct slice first = word_take(scanner, SLICE("=; \t\r\n("));
	const bool         comment = slice_at(scanner->rest, 0) == '(';
	enum rc            rc = lower_copy(first, arena, out);

	(void)blanks_skip(scanner);
	if (rc != RC_OK || !comment || first.len == 0)
		return rc;
	const struct slice second = word_take(scanner, SLICE("=; \t\r\n("));
	if (second.len == 0)
		return RC_OK;
	uint8_t *text = arena_bytes(arena, start.len - scanner->rest.len);
	if (text == NULL)
		return RC_NOMEM;
	memcpy(text, first.ptr, first.len);
	memcpy(&text[first.len], second.ptr, second.len);
	scanner->flags |= MIME_FIELD_MALFORMED;
	(void)blanks_skip(scanner);
	return lower_copy(slice_of(text, first.len + second.len), arena, out);
}

/* One parameter; false when there is none any more. */
static enum rc parameter_take(struct scanner *scanner, struct arena *arena, struct mime_parameter *out, bool *ret_found)
{
	*ret_found = false;
	for (;;) {
		(void)blanks_skip(scanner);
		if (slice_at(scanner->rest, 0) != ';')
			break;
		scanner->rest = slice_drop(scanner->rest, 1);
	}
	if (scanner->rest.len == 0)
		return RC_OK;
	struct mime_parameter parameter = { .section = MIME_SECTION_NONE };
	struct slice          name;
	enum rc               rc = name_take(scanner, arena, &name);
	if (rc == RC_OK && slice_at(scanner->rest, 0) == '=') {
		scanner->rest = slice_drop(scanner->rest, 1);
		rc = value_take(scanner, arena, &parameter);
	} else {
		scanner->flags |= MIME_FIELD_MALFORMED;
		/* Neither "=" nor anything else we know: step over one byte, so that this ends. */
		if (name.len == 0 && slice_at(scanner->rest, 0) != ';')
			scanner->rest = slice_drop(scanner->rest, 1);
	}
	if (name.len == 0)
		scanner->flags |= MIME_FIELD_MALFORMED;
	name_read(name, &parameter);
	*out = parameter;
	*ret_found = rc == RC_OK;
	return rc;
}

static void duplicates_find(struct mime_field *field)
{
	for (size_t i = 1; i < field->count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct mime_parameter *a = &field->parameters[i], *b = &field->parameters[j];
			if (a->section == b->section && a->extended == b->extended && slice_eq(a->name, b->name) &&
			    a->name.len != 0 && !slice_eq(a->value, b->value))
				field->flags |= MIME_FIELD_DUPLICATE;
		}
	}
}

enum rc mime_field_read(struct slice value, size_t parameters_max, struct arena *arena, struct mime_field *out)
{
	struct scanner    scanner = { .rest = value };
	struct mime_field field = { 0 };
	size_t            room = 1;

	for (size_t i = 0; i < value.len && room < parameters_max; i++)
		room += value.ptr[i] == '=' || value.ptr[i] == ';';
	struct mime_parameter *list = arena_take(arena, room, sizeof *list);
	if (list == NULL || head_take(&scanner, arena, &field.word) != RC_OK)
		return RC_NOMEM;
	for (;;) {
		struct mime_parameter parameter;
		bool                  found;
		if (parameter_take(&scanner, arena, &parameter, &found) != RC_OK)
			return RC_NOMEM;
		if (!found)
			break;
		if (field.count == room) {
			scanner.flags |= room >= parameters_max ? MIME_FIELD_LIMIT : MIME_FIELD_MALFORMED;
			break;
		}
		list[field.count++] = parameter;
	}
	field.parameters = list;
	field.flags = scanner.flags;
	duplicates_find(&field);
	*out = field;
	return RC_OK;
}

/* ---- readings ---- */

static bool reading_known(const struct mime_readings *readings, struct slice text)
{
	for (size_t i = 0; i < readings->count; i++) {
		if (slice_eq(readings->items[i].text, text))
			return true;
	}
	return false;
}

static void reading_keep(struct mime_readings *readings, struct slice text, uint32_t flags)
{
	if (readings->count < MIME_READINGS_MAX && !reading_known(readings, text))
		readings->items[readings->count++] = (struct mime_reading){ .text = text, .flags = flags };
}

static uint32_t flags_of(const struct word_result *result, uint32_t flags)
{
	return flags | ((result->flags & WORD_CONTROL) != 0 ? MIME_READING_CONTROL : 0) |
	       ((result->flags & WORD_CHARSET) != 0 ? MIME_READING_CHARSET : 0) |
	       ((result->flags & WORD_CUT) != 0 ? MIME_READING_CUT : 0);
}

static bool is_clean(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_print(text.ptr[i]))
			return false;
	}
	return text.len <= MIME_READING_PLAIN_MAX;
}

/* Bytes of a set as a reading in UTF-8. */
static enum rc reading_add(struct slice bytes, enum charset charset, uint32_t flags, struct arena *arena,
                           struct mime_readings *out)
{
	if (is_clean(bytes) && charset_keeps_ascii(charset)) {
		reading_keep(out, bytes, flags);
		return RC_OK;
	}
	uint8_t *text = arena_bytes(arena, MIME_READING_BYTES_MAX);
	if (text == NULL)
		return RC_NOMEM;
	const struct word_result result = word_to_utf8(bytes, charset, text, MIME_READING_BYTES_MAX);
	reading_keep(out, slice_of(text, result.size), flags_of(&result, flags));
	/* The order of UTF-16 is the sender's to some readers, whatever he calls it. */
	const bool utf16 = charset == CHARSET_UTF16 || charset == CHARSET_UTF16BE || charset == CHARSET_UTF16LE;
	const enum charset seen = slice_at(bytes, 0) == 0 ? CHARSET_UTF16BE : CHARSET_UTF16LE;
	if (utf16 && seen != charset && (slice_at(bytes, 0) == 0) != (slice_at(bytes, 1) == 0))
		return reading_add(bytes, seen, flags | MIME_READING_BROKEN, arena, out);
	return RC_OK;
}

/* A plain value: as it stands, and with encoded words undone, which is what most readers show. */
static enum rc plain_add(struct slice value, uint32_t flags, struct arena *arena, struct mime_readings *out)
{
	if (slice_search(value, SLICE("=?")) < value.len) {
		uint8_t *text = arena_bytes(arena, MIME_READING_BYTES_MAX);
		if (text == NULL)
			return RC_NOMEM;
		const struct word_result result = encoded_word_decode(value, text, MIME_READING_BYTES_MAX);
		const bool               broken = (result.flags & WORD_BROKEN) != 0;
		if ((result.flags & WORD_FOUND) != 0)
			reading_keep(out, slice_of(text, result.size),
			             flags_of(&result, flags | MIME_READING_WORD | (broken ? MIME_READING_BROKEN : 0)));
	}
	/* Bytes above 127 without a word about their set. */
	const enum charset charset = utf8_valid_size(value) == value.len ? CHARSET_UTF8 : CHARSET_NONE;
	const enum rc      rc = reading_add(value, charset, flags, arena, out);
	/* Quotes of the other sort are quotes to some. */
	if (rc == RC_OK && value.len > 2 && value.ptr[0] == '\'' && slice_last(value) == '\'')
		return reading_add(slice_cut(value, 1, value.len - 2), charset, flags | MIME_READING_BROKEN, arena, out);
	return rc;
}

static int hex_value(int byte)
{
	const int lower = byte | 0x20;

	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Percent signs undone, appended to `text`; returns the new size. */
static size_t percent_decode(struct slice value, uint8_t *text, size_t size, size_t room)
{
	for (size_t i = 0; i < value.len && size < room; i++) {
		const int high = value.ptr[i] == '%' ? hex_value(slice_at(value, i + 1)) : -1;
		const int low = value.ptr[i] == '%' ? hex_value(slice_at(value, i + 2)) : -1;
		if (high >= 0 && low >= 0) {
			text[size++] = (uint8_t)(high << 4 | low);
			i += 2;
		} else {
			text[size++] = value.ptr[i];
		}
	}
	return size;
}

/* "charset'language'" in front of an extended value (RFC 2231 section 4). False: it is missing. */
static bool charset_take(struct slice *value, enum charset *out)
{
	const size_t first = slice_find(*value, '\'');
	const size_t second = first + 1 + slice_find(slice_drop(*value, first + 1), '\'');

	if (first == value->len || second >= value->len)
		return false;
	*out = first == 0 ? CHARSET_UTF8 : charset_of(slice_take(*value, first));
	*value = slice_drop(*value, second + 1);
	return true;
}

/* "name*=": one extended value. */
static enum rc extended_add(const struct mime_parameter *parameter, struct arena *arena, struct mime_readings *out)
{
	struct slice      value = parameter->value;
	enum charset charset = CHARSET_UTF8;
	const bool        whole = charset_take(&value, &charset);
	uint8_t          *text = arena_bytes(arena, value.len == 0 ? 1 : value.len);

	if (text == NULL)
		return RC_NOMEM;
	const size_t size = percent_decode(value, text, 0, value.len);
	enum rc      rc = reading_add(slice_of(text, size), charset,
	                              MIME_READING_EXTENDED | (whole ? 0 : MIME_READING_BROKEN), arena, out);
	if (rc == RC_OK && !whole)
		rc = plain_add(parameter->value, MIME_READING_BROKEN, arena, out);
	return rc;
}

struct pieces {
	const struct mime_field *field;
	struct slice             name;
	uint8_t                 *text;
	size_t                   room;
	size_t                   size;
	enum charset             charset;
	bool                     broken;
	bool                     started;
};

static void piece_add(struct pieces *pieces, const struct mime_parameter *parameter)
{
	struct slice value = parameter->value;

	if (!pieces->started && parameter->extended && !charset_take(&value, &pieces->charset))
		pieces->broken = true;
	pieces->started = true;
	if (parameter->extended) {
		pieces->size = percent_decode(value, pieces->text, pieces->size, pieces->room);
		return;
	}
	const struct slice part = slice_take(value, pieces->room - pieces->size);
	if (part.len != 0)
		memcpy(&pieces->text[pieces->size], part.ptr, part.len);
	pieces->size += part.len;
}

static bool is_piece(const struct pieces *pieces, const struct mime_parameter *parameter)
{
	return parameter->section != MIME_SECTION_NONE && slice_eq(parameter->name, pieces->name);
}

/* "name*0=", "name*1*=" ...: joined by number, or as they stand when `as_written`. */
static enum rc pieces_add(const struct mime_field *field, struct slice name, bool as_written, struct arena *arena,
                          struct mime_readings *out)
{
	struct pieces pieces = { .field = field, .name = name, .charset = CHARSET_UTF8 };
	int           lowest = SECTION_MAX + 1, highest = -1, previous = -1;
	size_t        count = 0;

	for (size_t i = 0; i < field->count; i++) {
		const struct mime_parameter *parameter = &field->parameters[i];
		if (!is_piece(&pieces, parameter))
			continue;
		count++;
		pieces.room += parameter->value.len;
		lowest = parameter->section < lowest ? parameter->section : lowest;
		highest = parameter->section > highest ? parameter->section : highest;
		pieces.broken |= parameter->section <= previous; /* out of order or twice: readers differ */
		previous = parameter->section;
	}
	if (count == 0)
		return RC_OK;
	pieces.broken |= lowest != 0 || (size_t)highest + 1 != count;
	pieces.text = arena_bytes(arena, pieces.room == 0 ? 1 : pieces.room);
	if (pieces.text == NULL)
		return RC_NOMEM;
	for (int section = as_written ? highest : lowest; section <= highest; section++) {
		for (size_t i = 0; i < field->count; i++) {
			const struct mime_parameter *parameter = &field->parameters[i];
			if (is_piece(&pieces, parameter) && (as_written || parameter->section == section))
				piece_add(&pieces, parameter);
		}
	}
	return reading_add(slice_of(pieces.text, pieces.size), pieces.charset,
	                   MIME_READING_EXTENDED | (pieces.broken ? MIME_READING_BROKEN : 0), arena, out);
}

static struct slice quotes_drop(struct slice s)
{
	while (s.len != 0 && (s.ptr[0] == '"' || s.ptr[0] == '\''))
		s = slice_drop(s, 1);
	while (s.len != 0 && (s.ptr[s.len - 1] == '"' || s.ptr[s.len - 1] == '\''))
		s.len--;
	return s;
}

/* Without comments, quotes and backslashes, wherever they stand. */
static enum rc bare_copy(struct slice raw, struct arena *arena, struct slice *out)
{
	uint8_t *text = arena_bytes(arena, raw.len == 0 ? 1 : raw.len);
	size_t   size = 0;
	bool     open = false; /* one that does not end: looking for the end of each inside it would cost too much */

	if (text == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < raw.len; i++) {
		const size_t comment = raw.ptr[i] == '(' && !open ? comment_size(slice_drop(raw, i)) : 0;
		open = open || (raw.ptr[i] == '(' && comment == 0);
		if (comment != 0)
			i += comment - 1;
		else if (raw.ptr[i] != '"' && raw.ptr[i] != '\\')
			text[size++] = raw.ptr[i];
	}
	*out = slice_trim(slice_of(text, size));
	return RC_OK;
}

/* What readers make of a value whose grammar is broken: the raw text, without quotes, up to the first ";" or blank. */
static enum rc broken_add(const struct mime_parameter *parameter, struct arena *arena, struct mime_readings *out)
{
	const struct slice raw = slice_take(parameter->raw, MIME_READING_BYTES_MAX);
	const struct slice tail = slice_take(parameter->tail, MIME_READING_BYTES_MAX);
	struct slice       bare;
	if (bare_copy(raw, arena, &bare) != RC_OK)
		return RC_NOMEM;
	const struct slice tries[] = {
		quotes_drop(raw),
		bare,
		slice_find(tail, '=') == tail.len ? quotes_drop(tail) : raw,
		raw,
		quotes_drop(slice_take(raw, slice_find(raw, ';'))),
		quotes_drop(slice_take(raw, slice_find(raw, ' '))),
		slice_take(quotes_drop(raw), slice_find(quotes_drop(raw), '"')),
	};

	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		const enum rc rc = plain_add(tries[i], MIME_READING_BROKEN, arena, out);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc mime_readings_add(const struct mime_field *field, struct slice name, struct arena *arena,
                          struct mime_readings *out)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < field->count && rc == RC_OK; i++) {
		const struct mime_parameter *parameter = &field->parameters[i];
		if (slice_eq(parameter->name, name) && parameter->section == MIME_SECTION_NONE && parameter->extended)
			rc = extended_add(parameter, arena, out);
	}
	if (rc == RC_OK)
		rc = pieces_add(field, name, false, arena, out);
	for (size_t i = 0; i < field->count && rc == RC_OK; i++) {
		const struct mime_parameter *parameter = &field->parameters[i];
		if (slice_eq(parameter->name, name) && parameter->section == MIME_SECTION_NONE && !parameter->extended)
			rc = plain_add(parameter->value, 0, arena, out);
	}
	if (rc == RC_OK)
		rc = pieces_add(field, name, true, arena, out);
	for (size_t i = 0;
	     i < field->count && rc == RC_OK && (field->flags & (MIME_FIELD_MALFORMED | MIME_FIELD_COMMENT)) != 0;
	     i++) {
		if (slice_eq(field->parameters[i].name, name))
			rc = broken_add(&field->parameters[i], arena, out);
	}
	return rc;
}

struct slice mime_parameter_plain(const struct mime_field *field, struct slice name)
{
	for (size_t i = 0; i < field->count; i++) {
		const struct mime_parameter *parameter = &field->parameters[i];
		if (slice_eq(parameter->name, name) && parameter->section == MIME_SECTION_NONE && !parameter->extended)
			return parameter->value;
	}
	return (struct slice){ NULL, 0 };
}
