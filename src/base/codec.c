/* base64, hexadecimal, xtext, and the quoting of peer bytes for people to read. */
#include "base/codec.h"

static const uint8_t base64_letters[64] = {
	'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V',
	'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r',
	's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/',
};

static const uint8_t hex_upper[16] = {
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
};

static const uint8_t hex_lower[16] = {
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
};

/* 0 to 63, or -1 for a byte that is no base64 letter ("=" is none). */
static int base64_value(int byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	if (byte == '+')
		return 62;
	return byte == '/' ? 63 : -1;
}

/* 0 to 15, or -1. */
static int hex_value(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Are all of these letters, and are the bits that padding cuts off zero? `letters` holds no "=". */
static bool base64_lawful(struct slice letters)
{
	for (size_t i = 0; i < letters.len; i++) {
		if (base64_value(letters.ptr[i]) < 0)
			return false;
	}
	const int last = letters.len == 0 ? 0 : base64_value(slice_last(letters));
	switch (letters.len % 4) {
	case 0:
		return true;
	case 2:
		return (last & 15) == 0;
	case 3:
		return (last & 3) == 0;
	default:
		return false;
	}
}

enum rc codec_base64_decode(struct slice text, struct buf *out)
{
	struct slice letters = text;

	if (text.len % 4 != 0)
		return RC_SYNTAX;
	for (unsigned padding = 0; padding < 2 && slice_last(letters) == '='; padding++)
		letters = slice_take(letters, letters.len - 1);
	if (!base64_lawful(letters))
		return RC_SYNTAX;
	const size_t size = letters.len / 4 * 3 + (letters.len % 4 == 0 ? 0 : letters.len % 4 - 1);
	if (size == 0)
		return RC_OK;
	uint8_t *to = buf_reserve(out, size);
	if (to == NULL)
		return RC_LIMIT;
	uint32_t bits = 0;
	size_t   written = 0;
	for (size_t i = 0; i < letters.len; i++) {
		bits = bits << 6 | (uint32_t)base64_value(letters.ptr[i]);
		/* Letters 1, 2, 3 of each four complete a byte. */
		if (i % 4 != 0)
			to[written++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	buf_grew(out, written);
	return RC_OK;
}

void codec_base64_encode(struct slice bytes, struct buf *out)
{
	if (bytes.len == 0)
		return;
	const size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);
	/* A count that would overflow is far above any buf's bound: ask for the bound's breach instead. */
	uint8_t *to = buf_reserve(out, groups > SIZE_MAX / 4 ? SIZE_MAX : groups * 4);
	if (to == NULL)
		return;
	size_t written = 0;
	for (size_t i = 0; i < bytes.len; i += 3) {
		const size_t   count = bytes.len - i < 3 ? bytes.len - i : 3;
		const uint32_t group = (uint32_t)bytes.ptr[i] << 16 | (count > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0u) |
		                       (count > 2 ? (uint32_t)bytes.ptr[i + 2] : 0u);
		to[written++] = base64_letters[group >> 18];
		to[written++] = base64_letters[group >> 12 & 63];
		to[written++] = count > 1 ? base64_letters[group >> 6 & 63] : '=';
		to[written++] = count > 2 ? base64_letters[group & 63] : '=';
	}
	buf_grew(out, written);
}

enum rc codec_hex_decode(struct slice text, struct buf *out)
{
	if (text.len % 2 != 0)
		return RC_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		if (hex_value(text.ptr[i]) < 0)
			return RC_SYNTAX;
	}
	if (text.len == 0)
		return RC_OK;
	uint8_t *to = buf_reserve(out, text.len / 2);
	if (to == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < text.len; i += 2)
		to[i / 2] = (uint8_t)(hex_value(text.ptr[i]) << 4 | hex_value(text.ptr[i + 1]));
	buf_grew(out, text.len / 2);
	return RC_OK;
}

/* RFC 3461 section 4: xchar. */
static bool is_xchar(uint8_t byte)
{
	return byte >= '!' && byte <= '~' && byte != '+' && byte != '=';
}

enum rc codec_xtext_decode(struct slice text, struct buf *out)
{
	size_t size = 0;

	for (size_t i = 0; i < text.len; i++, size++) {
		if (is_xchar(text.ptr[i]))
			continue;
		/* The RFC wants upper-case digits here; some senders write lower-case ones, and nothing else can be meant. */
		if (text.ptr[i] != '+' || hex_value(slice_at(text, i + 1)) < 0 || hex_value(slice_at(text, i + 2)) < 0)
			return RC_SYNTAX;
		i += 2;
	}
	if (size == 0)
		return RC_OK;
	uint8_t *to = buf_reserve(out, size);
	if (to == NULL)
		return RC_LIMIT;
	for (size_t i = 0, written = 0; i < text.len; i++, written++) {
		to[written] = text.ptr[i];
		if (text.ptr[i] == '+') {
			to[written] = (uint8_t)(hex_value(text.ptr[i + 1]) << 4 | hex_value(text.ptr[i + 2]));
			i += 2;
		}
	}
	buf_grew(out, size);
	return RC_OK;
}

void codec_xtext_encode(struct slice bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++) {
		const uint8_t byte = bytes.ptr[i];
		if (is_xchar(byte)) {
			buf_put_byte(out, byte);
			continue;
		}
		const uint8_t escaped[3] = { '+', hex_upper[byte >> 4], hex_upper[byte & 15] };
		buf_put(out, slice_of(escaped, sizeof escaped));
	}
}

/* May this byte stand in a log line as it is? */
static bool is_plain(uint8_t byte)
{
	return byte_is_print(byte) && byte != '\\' && byte != '"';
}

void codec_quote(struct slice bytes, size_t max, struct buf *out)
{
	const struct slice dots = SLICE("...");

	/* How many bytes go in whole, and how many when the dots need room behind them. */
	size_t written = 0, whole = 0, cut = 0;
	for (; whole < bytes.len; whole++) {
		const size_t size = is_plain(bytes.ptr[whole]) ? 1 : 4;
		if (size > max - written)
			break;
		written += size;
		if (written + dots.len <= max)
			cut = whole + 1;
	}
	const size_t count = whole == bytes.len ? whole : cut;
	for (size_t i = 0; i < count; i++) {
		const uint8_t byte = bytes.ptr[i];
		if (is_plain(byte)) {
			buf_put_byte(out, byte);
			continue;
		}
		const uint8_t escaped[4] = { '\\', 'x', hex_lower[byte >> 4], hex_lower[byte & 15] };
		buf_put(out, slice_of(escaped, sizeof escaped));
	}
	if (count != bytes.len)
		buf_put(out, slice_take(dots, max));
}
