/* Tokens, and an explicit stack for what stands in each other. */
#include "document/pdf_value.h"

bool pdf_is_blank(int byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f' || byte == 0;
}

bool pdf_is_delimiter(int byte)
{
	return byte == '(' || byte == ')' || byte == '<' || byte == '>' || byte == '[' || byte == ']' || byte == '{' ||
	       byte == '}' || byte == '/' || byte == '%';
}

static int peek(const struct pdf_parser *parser, size_t ahead)
{
	return slice_at(parser->text, parser->at + ahead);
}

static void skip_blanks(struct pdf_parser *parser)
{
	for (;;) {
		const int byte = peek(parser, 0);
		if (byte == '%') {
			while (peek(parser, 0) >= 0 && peek(parser, 0) != '\n' && peek(parser, 0) != '\r')
				parser->at++;
		} else if (byte >= 0 && pdf_is_blank(byte)) {
			parser->at++;
		} else {
			return;
		}
	}
}

static int hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* Section 7.3.5. */
static enum rc read_name(struct pdf_parser *parser, struct pdf_value *out)
{
	const size_t start = ++parser->at;

	while (peek(parser, 0) >= 0 && !pdf_is_blank(peek(parser, 0)) && !pdf_is_delimiter(peek(parser, 0)))
		parser->at++;
	const struct slice raw = slice_cut(parser->text, start, parser->at - start);
	*out = (struct pdf_value){ .kind = PDF_NAME, .text = raw };
	if (slice_find(raw, '#') == raw.len)
		return RC_OK;
	uint8_t *text = arena_bytes(parser->arena, raw.len);
	if (text == NULL)
		return RC_NOMEM;
	size_t size = 0;
	for (size_t i = 0; i < raw.len; i++) {
		const int high = hex_digit(slice_at(raw, i + 1)), low = hex_digit(slice_at(raw, i + 2));
		if (raw.ptr[i] == '#' && high >= 0 && low >= 0) {
			const uint8_t byte = (uint8_t)(high << 4 | low);
			text[size++] = byte;
			out->escaped = out->escaped || byte_is_alnum(byte);
			i += 2;
		} else {
			text[size++] = raw.ptr[i];
		}
	}
	out->text = slice_of(text, size);
	return RC_OK;
}

/* The byte that a backslash stands for, or -1 for none (a line that goes on); moves behind it. Section 7.3.4.2. */
static int unescape(struct pdf_parser *parser)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	const int         byte = peek(parser, 0);

	if (byte < 0)
		return -1;
	parser->at++;
	for (size_t i = 0; from[i] != '\0'; i++) {
		if (byte == from[i])
			return to[i];
	}
	if (byte >= '0' && byte <= '7') {
		int number = byte - '0';
		for (size_t i = 0; i < 2 && peek(parser, 0) >= '0' && peek(parser, 0) <= '7'; i++)
			number = number * 8 + (parser->text.ptr[parser->at++] - '0');
		return number & 0xff;
	}
	if (byte == '\r' && peek(parser, 0) == '\n')
		parser->at++;
	return byte == '\r' || byte == '\n' ? -1 : byte;
}

/* Where the string that begins at `at` (behind its parenthesis) ends: the index of its last parenthesis, or the end. */
static size_t string_end(struct slice text, size_t at)
{
	size_t depth = 1;

	for (; at < text.len; at++) {
		const uint8_t byte = text.ptr[at];
		if (byte == '\\')
			at++;
		else if (byte == '(')
			depth++;
		else if (byte == ')' && --depth == 0)
			return at;
	}
	return text.len;
}

static enum rc read_string(struct pdf_parser *parser, struct pdf_value *out)
{
	const size_t start = ++parser->at, end = string_end(parser->text, start);
	struct slice raw = slice_cut(parser->text, start, end - start);

	if (slice_find(raw, '\\') != raw.len || slice_find(raw, '\r') != raw.len) {
		uint8_t *text = arena_bytes(parser->arena, raw.len);
		size_t   size = 0;
		if (text == NULL)
			return RC_NOMEM;
		while (parser->at < end) {
			int byte = parser->text.ptr[parser->at++];
			if (byte == '\\')
				byte = unescape(parser);
			else if (byte == '\r' && peek(parser, 0) == '\n')
				byte = -1; /* any line end is one LF */
			else if (byte == '\r')
				byte = '\n';
			if (byte >= 0)
				text[size++] = (uint8_t)byte;
		}
		raw = slice_of(text, size);
	}
	parser->at = end < parser->text.len ? end + 1 : end;
	*out = (struct pdf_value){ .kind = PDF_STRING, .text = raw };
	return RC_OK;
}

static enum rc read_hex_string(struct pdf_parser *parser, struct pdf_value *out)
{
	const struct slice rest = slice_drop(parser->text, ++parser->at);
	const size_t       end = slice_find(rest, '>');
	uint8_t           *text = arena_bytes(parser->arena, end / 2 + 1);
	size_t             size = 0;
	int                high = -1;

	if (text == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < end; i++) {
		const int digit = hex_digit(rest.ptr[i]);
		if (digit < 0)
			continue;
		if (high >= 0)
			text[size++] = (uint8_t)(high << 4 | digit);
		high = high >= 0 ? -1 : digit;
	}
	if (high >= 0)
		text[size++] = (uint8_t)(high << 4);
	parser->at += end < rest.len ? end + 1 : end;
	*out = (struct pdf_value){ .kind = PDF_STRING, .text = slice_of(text, size) };
	return RC_OK;
}

/* "-12.5", also "--5" and "1.2.3" as far as it goes. False: it is a word. */
static bool read_number(struct slice word, struct pdf_value *out)
{
	double value = 0, unit = 0;
	bool   minus = false, digits = false;

	for (size_t i = 0; i < word.len; i++) {
		const uint8_t byte = word.ptr[i];
		if (byte_is_digit(byte)) {
			digits = true;
			if (unit == 0)
				value = value * 10 + (byte - '0');
			else
				value += (byte - '0') * unit;
			unit /= 10;
		} else if (byte == '-' || byte == '+') {
			if (digits)
				break;
			minus = minus || byte == '-';
		} else if (byte == '.' && unit == 0) {
			unit = 0.1;
		} else {
			return false;
		}
	}
	if (!digits)
		return false;
	if (minus)
		value = -value;
	*out = (struct pdf_value){ .kind = PDF_NUMBER, .real = value };
	out->number = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
	return true;
}

static void read_word(struct pdf_parser *parser, struct pdf_value *out)
{
	const size_t start = parser->at;

	while (peek(parser, 0) >= 0 && !pdf_is_blank(peek(parser, 0)) && !pdf_is_delimiter(peek(parser, 0)))
		parser->at++;
	if (parser->at == start)
		parser->at++; /* a lone brace or parenthesis */
	const struct slice word = slice_cut(parser->text, start, parser->at - start);
	if (read_number(word, out))
		return;
	*out = (struct pdf_value){ .kind = PDF_WORD, .text = word };
	if (slice_eq(word, SLICE("true")) || slice_eq(word, SLICE("false")))
		*out = (struct pdf_value){ .kind = PDF_BOOL, .number = word.len == 4, .text = word };
	else if (slice_eq(word, SLICE("null")))
		*out = (struct pdf_value){ .kind = PDF_NULL };
}

/* The number of a reference, when "<number> G R" stands before us and `value` was its number. Moves behind it. */
static bool read_reference(struct pdf_parser *parser, struct pdf_value *value)
{
	const size_t     before = parser->at;
	struct pdf_value part;

	skip_blanks(parser);
	if (byte_is_digit((uint8_t)(peek(parser, 0) < 0 ? 0 : peek(parser, 0)))) {
		read_word(parser, &part);
		skip_blanks(parser);
		if (part.kind == PDF_NUMBER && peek(parser, 0) == 'R' &&
		    (peek(parser, 1) < 0 || pdf_is_blank(peek(parser, 1)) || pdf_is_delimiter(peek(parser, 1)))) {
			parser->at++;
			*value = (struct pdf_value){ .kind = PDF_REFERENCE, .number = value->number };
			return true;
		}
	}
	parser->at = before;
	return false;
}

/* The values above `bottom` become one of `kind`. */
static enum rc close_group(struct pdf_parser *parser, enum pdf_kind kind, size_t bottom, size_t top, struct pdf_value *out)
{
	size_t count = top - bottom;

	if (kind == PDF_DICTIONARY) {
		/* Keys are names: a value that stands where a key belongs is dropped. */
		size_t kept = 0;
		for (size_t i = 0; i < count;) {
			if (parser->stack[bottom + i].kind != PDF_NAME || i + 1 == count) {
				i++;
				continue;
			}
			const struct pdf_value key = parser->stack[bottom + i], value = parser->stack[bottom + i + 1];
			parser->stack[bottom + kept++] = key;
			parser->stack[bottom + kept++] = value;
			i += 2;
		}
		count = kept;
	}
	*out = (struct pdf_value){ .kind = kind, .count = count };
	if (count == 0)
		return RC_OK;
	struct pdf_value *items = arena_take(parser->arena, count, sizeof *items);
	if (items == NULL)
		return RC_NOMEM;
	memcpy(items, &parser->stack[bottom], count * sizeof *items);
	out->items = items;
	return RC_OK;
}

static enum rc read_scalar(struct pdf_parser *parser, struct pdf_value *out)
{
	const int byte = peek(parser, 0);

	if (byte == '/')
		return read_name(parser, out);
	if (byte == '(')
		return read_string(parser, out);
	if (byte == '<')
		return read_hex_string(parser, out);
	read_word(parser, out);
	if (out->kind == PDF_NUMBER && out->number >= 0 && !parser->content)
		(void)read_reference(parser, out);
	return RC_OK;
}

enum rc pdf_parse(struct pdf_parser *parser, struct pdf_value *out)
{
	struct {
		enum pdf_kind kind;
		size_t        bottom;
	} groups[PDF_DEPTH_MAX];
	size_t           depth = 0, top = 0;
	struct pdf_value value;

	for (;;) {
		skip_blanks(parser);
		const int  byte = peek(parser, 0), next = peek(parser, 1);
		const bool opens = byte == '[' || (byte == '<' && next == '<');
		const bool ends = byte < 0 || (!parser->content && depth != 0 && slice_starts(slice_drop(parser->text, parser->at), SLICE("endobj")));
		if (ends && depth == 0)
			return RC_NOTFOUND;
		if (opens) {
			parser->at += byte == '[' ? 1 : 2;
			if (depth < PDF_DEPTH_MAX) {
				groups[depth].kind = byte == '[' ? PDF_ARRAY : PDF_DICTIONARY;
				groups[depth++].bottom = top;
			} else {
				parser->cut = true;
			}
			continue;
		}
		if (ends || byte == ']' || (byte == '>' && next == '>')) {
			if (!ends)
				parser->at += byte == ']' ? 1 : 2;
			if (depth == 0)
				continue; /* closes nothing */
			depth--;
			const enum rc rc = close_group(parser, groups[depth].kind, groups[depth].bottom, top, &value);
			if (rc != RC_OK)
				return rc;
			top = groups[depth].bottom;
		} else if (byte == '>') {
			parser->at++;
			continue;
		} else {
			const enum rc rc = read_scalar(parser, &value);
			if (rc != RC_OK)
				return rc;
		}
		if (depth == 0) {
			*out = value;
			return RC_OK;
		}
		if (top < PDF_VALUES_MAX)
			parser->stack[top++] = value;
		else
			parser->cut = true;
	}
}

const struct pdf_value *pdf_get(const struct pdf_value *dictionary, const char *key)
{
	if (dictionary == NULL || dictionary->kind != PDF_DICTIONARY)
		return NULL;
	for (size_t i = 0; i + 1 < dictionary->count; i += 2) {
		if (slice_eq(dictionary->items[i].text, slice_str(key)))
			return &dictionary->items[i + 1];
	}
	return NULL;
}

bool pdf_is_name(const struct pdf_value *value, const char *name)
{
	return value != NULL && value->kind == PDF_NAME && slice_eq(value->text, slice_str(name));
}

void pdf_put_code(struct buf *out, uint32_t code)
{
	uint8_t bytes[4];
	size_t  size = 0;

	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		code = 0xfffd;
	if (code < 0x80) {
		bytes[size++] = (uint8_t)code;
	} else {
		const unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
		static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
		bytes[size++] = (uint8_t)(lead[more] | code >> (6 * more));
		for (unsigned i = more; i-- > 0;)
			bytes[size++] = (uint8_t)(0x80 | (code >> (6 * i) & 0x3f));
	}
	buf_put(out, slice_of(bytes, size));
}

void pdf_put_utf16(struct slice text, bool little, struct buf *out)
{
	uint32_t high = 0;

	for (size_t i = 0; i + 1 < text.len; i += 2) {
		const uint32_t unit = (uint32_t)text.ptr[i + little] << 8 | text.ptr[i + !little];
		if (unit >= 0xdc00 && unit < 0xe000 && high != 0) {
			pdf_put_code(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
			high = 0;
			continue;
		}
		if (high != 0)
			pdf_put_code(out, 0xfffd);
		high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
		if (high == 0)
			pdf_put_code(out, unit);
	}
	if (high != 0)
		pdf_put_code(out, 0xfffd);
}

/* PDFDocEncoding where it differs from Latin-1: ISO 32000-1 annex D.2. */
static uint32_t document_code(uint8_t byte)
{
	static const uint16_t low[] = { 0x2d8, 0x2c7, 0x2c6, 0x2d9, 0x2dd, 0x2db, 0x2da, 0x2dc };
	static const uint16_t high[] = { 0x2022, 0x2020, 0x2021, 0x2026, 0x2014, 0x2013, 0x192,  0x2044, 0x2039, 0x203a, 0x2212,
		                         0x2030, 0x201e, 0x201c, 0x201d, 0x2018, 0x2019, 0x201a, 0x2122, 0xfb01, 0xfb02, 0x141,
		                         0x152,  0x160,  0x178,  0x17d,  0x131,  0x142,  0x153,  0x161,  0x17e,  0xfffd, 0x20ac };

	if (byte >= 0x18 && byte < 0x20)
		return low[byte - 0x18];
	return byte >= 0x80 && byte <= 0xa0 ? high[byte - 0x80] : byte;
}

void pdf_put_text(struct slice string, struct buf *out)
{
	if (slice_starts(string, SLICE("\xfe\xff")) || slice_starts(string, SLICE("\xff\xfe"))) {
		pdf_put_utf16(slice_drop(string, 2), string.ptr[0] == 0xff, out);
	} else if (slice_starts(string, SLICE("\xef\xbb\xbf"))) {
		buf_put(out, slice_drop(string, 3));
	} else {
		for (size_t i = 0; i < string.len; i++)
			pdf_put_code(out, document_code(string.ptr[i]));
	}
}
