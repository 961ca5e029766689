/* RFC 2047 in three steps: cut the word, undo its B or Q encoding, bring its character set to UTF-8. */
#include "mail/encoded_word.h"

#include "mail/transfer.h"

#define WORD_BYTES_MAX 2048u /* RFC 2047 section 2 says 75 characters; senders write longer ones */
#define REPLACEMENT    0xfffdu

struct target {
	uint8_t           *ptr;
	size_t             room;
	struct word_result result;
};

uint32_t utf8_decode(struct slice s, size_t *ret_size)
{
	const uint8_t lead = s.ptr[0];
	const size_t  size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	*ret_size = 1;
	if (lead < 0x80)
		return lead;
	if (lead < 0xc2 || lead > 0xf4 || size > s.len)
		return UINT32_MAX;
	uint32_t character = lead & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((s.ptr[i] & 0xc0) != 0x80)
			return UINT32_MAX;
		character = character << 6 | (s.ptr[i] & 0x3fu);
	}
	if ((size == 3 && character < 0x800) || (size == 4 && character < 0x10000) || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return UINT32_MAX;
	*ret_size = size;
	return character;
}

/* False when it does not fit. */
static bool character_put(struct target *target, uint32_t character)
{
	uint8_t bytes[4];
	size_t  size = 0;

	if (character < 0x80) {
		bytes[size++] = (uint8_t)character;
	} else if (character < 0x800) {
		bytes[size++] = (uint8_t)(0xc0 | character >> 6);
	} else if (character < 0x10000) {
		bytes[size++] = (uint8_t)(0xe0 | character >> 12);
		bytes[size++] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
	} else {
		bytes[size++] = (uint8_t)(0xf0 | character >> 18);
		bytes[size++] = (uint8_t)(0x80 | (character >> 12 & 0x3f));
		bytes[size++] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
	}
	if (size > 1 || character >= 0x80)
		bytes[size++] = (uint8_t)(0x80 | (character & 0x3f));
	if (target->room - target->result.size < size) {
		target->result.flags |= WORD_CUT;
		return false;
	}
	memcpy(&target->ptr[target->result.size], bytes, size);
	target->result.size += size;
	return true;
}

static void control_note(struct target *target, uint32_t character)
{
	if ((character >= 0x20 && character != 0x7f) || character == '\t' || (target->result.flags & WORD_CONTROL) != 0)
		return;
	target->result.flags |= WORD_CONTROL;
	target->result.control = (uint8_t)character;
}

enum word_charset word_charset_of(struct slice name)
{
	static const struct {
		struct slice      name;
		enum word_charset charset;
	} known[] = {
		{ SLICE_INIT("utf-8"), WORD_UTF8 },        { SLICE_INIT("utf8"), WORD_UTF8 },
		{ SLICE_INIT("us-ascii"), WORD_ASCII },    { SLICE_INIT("ascii"), WORD_ASCII },
		{ SLICE_INIT("iso-8859-1"), WORD_LATIN1 }, { SLICE_INIT("latin1"), WORD_LATIN1 },
		{ SLICE_INIT("iso8859-1"), WORD_LATIN1 },  { SLICE_INIT("windows-1252"), WORD_LATIN1 },
		{ SLICE_INIT("utf-16be"), WORD_UTF16BE },  { SLICE_INIT("utf-16"), WORD_UTF16BE },
		{ SLICE_INIT("utf-16le"), WORD_UTF16LE },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (slice_eq_nocase(name, known[i].name))
			return known[i].charset;
	}
	return WORD_OTHER;
}

/* UTF-16, the byte-order mark honoured (RFC 2781). */
static void utf16_put(struct target *target, struct slice bytes, bool little)
{
	for (size_t i = 0; i + 1 < bytes.len; i += 2) {
		uint32_t unit = little ? (uint32_t)(bytes.ptr[i] | bytes.ptr[i + 1] << 8)
		                       : (uint32_t)(bytes.ptr[i] << 8 | bytes.ptr[i + 1]);
		if (i == 0 && (unit == 0xfeff || unit == 0xfffe)) {
			little = unit == 0xfffe ? !little : little;
			continue;
		}
		if (unit >= 0xd800 && unit <= 0xdfff) {
			const size_t high = little ? i + 3 : i + 2, low = little ? i + 2 : i + 3;
			const bool   pair = unit < 0xdc00 && i + 3 < bytes.len && (bytes.ptr[high] & 0xfc) == 0xdc;
			if (pair)
				unit = 0x10000 +
				       ((unit & 0x3ff) << 10 | (uint32_t)(bytes.ptr[high] & 3) << 8 | bytes.ptr[low]);
			else
				target->result.flags |= WORD_CHARSET;
			i += pair ? 2 : 0;
			unit = pair ? unit : REPLACEMENT;
		}
		control_note(target, unit);
		if (!character_put(target, unit))
			return;
	}
	if (bytes.len % 2 != 0)
		target->result.flags |= WORD_CHARSET;
}

/* One character of UTF-8, or a byte that is none. */
static bool utf8_put(struct target *target, struct slice *bytes, enum word_charset charset)
{
	size_t   size = 1;
	uint32_t character = utf8_decode(*bytes, &size);

	if (charset == WORD_LATIN1) {
		size = 1;
		character = bytes->ptr[0];
	} else if (character == UINT32_MAX || (size > 1 && charset != WORD_UTF8)) {
		size = 1;
		character = REPLACEMENT;
		target->result.flags |= WORD_CHARSET;
	}
	*bytes = slice_drop(*bytes, size);
	control_note(target, character);
	return character_put(target, character);
}

static void charset_put(struct target *target, struct slice bytes, enum word_charset charset)
{
	if (charset == WORD_UTF16BE || charset == WORD_UTF16LE) {
		utf16_put(target, bytes, charset == WORD_UTF16LE);
		return;
	}
	while (bytes.len != 0 && utf8_put(target, &bytes, charset))
		continue;
}

struct word_result word_to_utf8(struct slice bytes, enum word_charset charset, uint8_t *out, size_t room)
{
	struct target target = { .ptr = out, .room = room };

	charset_put(&target, bytes, charset);
	return target.result;
}

/* ---- the words ---- */

struct word {
	struct slice charset;
	uint8_t      encoding; /* 'b' or 'q' */
	struct slice text;
	size_t       size; /* of the whole, with "=?" and "?=" */
};

/* A word at the front of `s`; its text may hold blanks, as careless senders write them. */
static bool word_cut(struct slice s, struct word *out)
{
	struct slice rest = slice_drop(slice_take(s, WORD_BYTES_MAX), 2);
	struct word  word = { .charset = slice_until(&rest, '?') };

	if (rest.len < 2 || rest.ptr[1] != '?')
		return false;
	word.encoding = byte_lower(rest.ptr[0]);
	rest = slice_drop(rest, 2);
	const size_t end = slice_search(rest, SLICE("?="));
	if (end == rest.len || slice_find(slice_take(rest, end), '\0') != end)
		return false;
	word.text = slice_take(rest, end);
	word.size = (size_t)(rest.ptr - s.ptr) + end + 2;
	word.charset = slice_take(word.charset, slice_find(word.charset, '*'));
	*out = word;
	return true;
}

static int hex_value(int byte)
{
	const int lower = byte | 0x20;

	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* RFC 2047 section 4.2. */
static size_t q_decode(struct slice text, uint8_t *out, uint32_t *flags)
{
	size_t made = 0;

	for (size_t i = 0; i < text.len; i++) {
		const uint8_t byte = text.ptr[i];
		const int     high = byte == '=' ? hex_value(slice_at(text, i + 1)) : -1;
		const int     low = byte == '=' ? hex_value(slice_at(text, i + 2)) : -1;
		if (high >= 0 && low >= 0) {
			out[made++] = (uint8_t)(high << 4 | low);
			i += 2;
			continue;
		}
		if (byte == '=' || byte == ' ' || byte >= 0x80)
			*flags |= WORD_BROKEN;
		out[made++] = byte == '_' ? ' ' : byte;
	}
	return made;
}

static size_t b_decode(struct slice text, uint8_t *out, uint32_t *flags)
{
	struct transfer transfer = transfer_begin(TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, text);
	size_t          made = 0;

	for (;;) {
		const size_t count = transfer_read(&transfer, &out[made], WORD_BYTES_MAX - made);
		made += count;
		if (count == 0 || WORD_BYTES_MAX - made < TRANSFER_ROOM_MIN)
			break;
	}
	if ((transfer.flaws & (TRANSFER_FLAW_FOREIGN | TRANSFER_FLAW_PADDING_INSIDE)) != 0)
		*flags |= WORD_BROKEN;
	return made;
}

static void word_put(struct target *target, const struct word *word)
{
	uint8_t bytes[WORD_BYTES_MAX];
	size_t  size;

	size = word->encoding == 'b' ? b_decode(word->text, bytes, &target->result.flags)
	                             : q_decode(word->text, bytes, &target->result.flags);
	charset_put(target, slice_of(bytes, size), word_charset_of(word->charset));
	target->result.flags |= WORD_FOUND;
}

/* Only white space up to the next word? RFC 2047 section 6.2: it is not shown. */
static size_t blanks_before_word(struct slice s)
{
	size_t i = 0;

	while (i < s.len && (byte_is_wsp(s.ptr[i]) || s.ptr[i] == '\r' || s.ptr[i] == '\n'))
		i++;
	return slice_starts(slice_drop(s, i), SLICE("=?")) ? i : 0;
}

struct word_result encoded_word_decode(struct slice text, uint8_t *out, size_t room)
{
	struct target target = { .ptr = out, .room = room };
	struct word   word;

	while (text.len != 0 && (target.result.flags & WORD_CUT) == 0) {
		if (text.ptr[0] != '=' || slice_at(text, 1) != '?') {
			const bool is_utf8 = text.ptr[0] < 0x80 || utf8_decode(text, &(size_t){ 0 }) != UINT32_MAX;
			if (!utf8_put(&target, &text, is_utf8 ? WORD_UTF8 : WORD_LATIN1))
				break;
			continue;
		}
		if (!word_cut(text, &word) || (word.encoding != 'b' && word.encoding != 'q')) {
			target.result.flags |= WORD_BROKEN;
			(void)character_put(&target, '=');
			text = slice_drop(text, 1);
			continue;
		}
		word_put(&target, &word);
		text = slice_drop(text, word.size);
		text = slice_drop(text, blanks_before_word(text));
	}
	return target.result;
}
