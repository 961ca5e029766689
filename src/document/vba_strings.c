/* Constants, codings and addresses in strings of scripts. */
#include "document/vba_strings.h"

#include "document/ole_bytes.h"
#include "document/ole_text.h"

/* Shorter ones are words. */
#define CODED_MIN 16u
#define CODED_MAX (8u << 20)

static int hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

bool vba_strings_number(struct slice *rest, uint32_t *out)
{
	struct slice s = *rest;
	uint32_t     number = 0;
	unsigned     base = 10;

	if (slice_at(s, 0) == '&' && byte_lower((uint8_t)(slice_at(s, 1) & 0xff)) == 'h') {
		base = 16;
		s = slice_drop(s, 2);
	}
	const size_t before = s.len;
	for (int digit = hex_digit(slice_at(s, 0)); digit >= 0 && (unsigned)digit < base;
	     digit = hex_digit(slice_at(s, 0))) {
		number = number > 0xffffff ? 0xffffff : number * base + (unsigned)digit;
		s = slice_drop(s, 1);
	}
	if (s.len == before)
		return false;
	if (slice_at(s, 0) == '&' || slice_at(s, 0) == '%')
		s = slice_drop(s, slice_at(s, 1) == ' ' || slice_at(s, 1) == '"' ? 0 : 1);
	*rest = s;
	*out = number;
	return true;
}

static struct slice blanks_skip(struct slice s)
{
	while (slice_at(s, 0) == ' ' || slice_at(s, 0) == '\t')
		s = slice_drop(s, 1);
	return s;
}

bool vba_strings_sum(struct slice *rest, uint32_t *out)
{
	struct slice s = blanks_skip(*rest);
	uint32_t     sum, number;

	if (!vba_strings_number(&s, &sum))
		return false;
	for (;;) {
		s = blanks_skip(s);
		const int sign = slice_at(s, 0);
		const bool xor = slice_starts_nocase(s, SLICE("xor"));
		if (!xor&&sign != '+' && sign != '-' && sign != '*')
			break;
		s = blanks_skip(slice_drop(s, xor? 3 : 1));
		if (!vba_strings_number(&s, &number))
			return false;
		sum = xor? sum ^ number : sign == '+' ? sum + number : sign == '-' ? sum - number : sum *number;
	}
	*rest = s;
	*out = sum;
	return true;
}

bool vba_strings_printable(struct slice text)
{
	size_t good = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == 0)
			return false;
		good += byte_is_print(text.ptr[i]) || text.ptr[i] == '\n' || text.ptr[i] == '\r' || text.ptr[i] == '\t';
	}
	return text.len != 0 && good >= text.len - text.len / 10;
}

static bool ends_address(uint8_t byte)
{
	return byte <= ' ' || byte == '"' || byte == '\'' || byte == '<' || byte == '>' || byte == '`' || byte == '|' ||
	       byte == ')';
}

enum rc vba_strings_links(struct slice text, const struct content_sink *sink)
{
	static const struct slice starts[] = {
		SLICE_INIT("http://"), SLICE_INIT("https://"), SLICE_INIT("ftp://"),
		SLICE_INIT("file://"), SLICE_INIT("\\\\"),     SLICE_INIT("mhtml:"),
	};
	struct slice rest = text;
	enum rc      rc = RC_OK;

	while (rc == RC_OK && rest.len != 0) {
		size_t size = 0;
		for (size_t i = 0; i < sizeof starts / sizeof starts[0] && size == 0; i++)
			if (slice_starts_nocase(rest, starts[i]))
				size = starts[i].len;
		if (size == 0) {
			rest = slice_drop(rest, 1);
			continue;
		}
		const size_t start = size;
		while (size < rest.len && !ends_address(rest.ptr[size]))
			size++;
		/* A share is a machine and a folder; other double backslashes are only quoted ones. */
		const struct slice address = slice_take(rest, size);
		const bool         share = address.ptr[0] != '\\' || (size > 4 && byte_is_alnum(address.ptr[2]) &&
                                                              slice_find(slice_drop(address, 2), '\\') < size - 2);
		if (size > start && share)
			rc = sink_link(sink, CONTENT_PLACE_SCRIPT, address, (struct slice){ NULL, 0 });
		rest = slice_drop(rest, size);
	}
	return rc;
}

static int base64_digit(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte_is_digit(byte))
		return byte - '0' + 52;
	return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

static void hex_decode(struct slice text, struct buf *out)
{
	for (size_t i = 0; i + 1 < text.len; i += 2)
		buf_put_byte(out, (uint8_t)(hex_digit(text.ptr[i]) << 4 | hex_digit(text.ptr[i + 1])));
}

static void base64_decode(struct slice text, struct buf *out)
{
	uint32_t bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++) {
		const int digit = base64_digit(text.ptr[i]);
		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_put_byte(out, (uint8_t)(bits >> count));
		}
	}
}

/* UTF-16 of nothing but ASCII: every second byte is 0. */
static bool is_wide(struct slice bytes)
{
	if (bytes.len < 8 || bytes.len % 2 != 0)
		return false;
	for (size_t i = 1; i < bytes.len; i += 2)
		if (bytes.ptr[i] != 0)
			return false;
	return true;
}

static bool is_file(struct slice bytes)
{
	static const struct slice starts[] = {
		SLICE_INIT("MZ\x90"),
		SLICE_INIT("\x7f"
		           "ELF"),
		SLICE_INIT("PK\3\4"),
		SLICE_INIT("\xd0\xcf\x11\xe0"),
		SLICE_INIT("%PDF"),
		SLICE_INIT("\x1f\x8b\x08"),
	};

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		if (slice_starts(bytes, starts[i]))
			return true;
	return false;
}

/* 'x': hexadecimal, 'b': base64, 0: neither. */
static char coding_of(struct slice word)
{
	bool   hex = word.len % 2 == 0, mixed = false, digit = false;
	size_t pad = 0;

	for (size_t i = 0; i < word.len; i++) {
		const uint8_t byte = word.ptr[i];
		if (byte == '=' && i + 2 >= word.len) {
			pad++;
			hex = false;
			continue;
		}
		if (base64_digit(byte) < 0 || pad != 0)
			return 0;
		hex = hex && hex_digit(byte) >= 0;
		mixed = mixed || (i != 0 && (byte_lower(byte) != byte) != (byte_lower(word.ptr[0]) != word.ptr[0]));
		digit = digit || byte_is_digit(byte);
	}
	if (hex)
		return 'x';
	return (word.len % 4 == 0 || word.len % 4 == 2 || word.len % 4 == 3) && (mixed || digit || pad != 0) ? 'b' : 0;
}

static enum rc word_decode(struct slice word, char coding, struct budget *budget, const struct content_sink *sink,
                           enum rc (*decoded)(void *context, const char *how, struct slice text), void *context)
{
	struct buf out = buf_make(CODED_MAX), plain = buf_make(CODED_MAX);
	enum rc    rc = RC_OK;

	if (!budget_take(budget, BUDGET_BYTES, word.len))
		return RC_LIMIT;
	if (coding == 'x')
		hex_decode(word, &out);
	else
		base64_decode(word, &out);
	struct slice bytes = buf_slice(&out);
	if (is_wide(bytes)) {
		ole_put_utf16(bytes, &plain);
		bytes = buf_slice(&plain);
	}
	if (out.failed || plain.failed)
		rc = RC_NOMEM;
	else if (is_file(bytes))
		rc = sink_member(sink, budget, &(struct content_member){ .name = SLICE("decoded"), .bytes = bytes });
	else if (vba_strings_printable(bytes))
		rc = decoded(context, coding == 'x' ? "a string in hexadecimal" : "a string in base64", bytes);
	buf_done(&out);
	buf_done(&plain);
	return rc;
}

enum rc vba_strings_decode(struct slice text, struct budget *budget, const struct content_sink *sink,
                           enum rc (*decoded)(void *context, const char *how, struct slice text), void *context)
{
	struct slice rest = text;
	enum rc      rc = RC_OK;

	while (rc == RC_OK && rest.len >= CODED_MIN) {
		size_t size = 0;
		while (size < rest.len && (base64_digit(rest.ptr[size]) >= 0 || rest.ptr[size] == '='))
			size++;
		const struct slice word = slice_take(rest, size);
		const char         coding = size >= CODED_MIN ? coding_of(word) : 0;
		if (coding != 0)
			rc = word_decode(word, coding, budget, sink, decoded, context);
		rest = slice_drop(rest, size + 1);
	}
	return rc;
}
