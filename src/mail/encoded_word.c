/* RFC 2047 in three steps: cut the word, undo its B or Q encoding, bring its character set to UTF-8. */
#include "mail/encoded_word.h"

#include "mail/transfer.h"
#include "text/charset_guess.h"
#include "text/utf8.h"

#define WORD_BYTES_MAX 2048u /* RFC 2047 section 2 says 75 characters; senders write longer ones */
#define PIECE_BYTES    256u

struct target {
	uint8_t           *ptr;
	size_t             room;
	struct word_result result;
	struct charset_run run; /* of the words one behind the other in one set */
};

/* False when it does not fit. */
static bool character_put(struct target *target, struct slice bytes)
{
	if (target->room - target->result.size < bytes.len) {
		target->result.flags |= WORD_CUT;
		return false;
	}
	memcpy(&target->ptr[target->result.size], bytes.ptr, bytes.len);
	target->result.size += bytes.len;
	return true;
}

static void control_note(struct target *target, uint32_t character)
{
	if ((character >= 0x20 && character != 0x7f) || character == '\t' || (target->result.flags & WORD_CONTROL) != 0)
		return;
	target->result.flags |= WORD_CONTROL;
	target->result.control = (uint8_t)character;
}

/* Characters of UTF-8. */
static void text_put(struct target *target, struct slice text)
{
	size_t size;

	for (; text.len != 0; text = slice_drop(text, size)) {
		control_note(target, utf8_decode(text, &size));
		if (!character_put(target, slice_take(text, size)))
			return;
	}
}

/* `bytes` of the set under way; what is left half stays in it. */
static void run_put(struct target *target, struct slice bytes, bool last)
{
	uint8_t        piece[PIECE_BYTES];
	size_t         count;
	const uint64_t before = target->run.replaced;

	while ((target->result.flags & WORD_CUT) == 0 &&
	       (count = charset_read(&target->run, &bytes, last, piece, sizeof piece)) != 0)
		text_put(target, slice_of(piece, count));
	if (target->run.replaced != before)
		target->result.flags |= WORD_CHARSET;
}

static void run_end(struct target *target)
{
	run_put(target, slice_of(NULL, 0), true);
	target->run = charset_begin(CHARSET_NONE);
}

static void charset_put(struct target *target, struct slice bytes, enum charset charset)
{
	if (charset == CHARSET_NONE) {
		charset = charset_guess(bytes);
		target->result.flags |= charset != CHARSET_ASCII ? WORD_CHARSET : 0;
	}
	target->run = charset_begin(charset);
	run_put(target, bytes, true);
	target->run = charset_begin(CHARSET_NONE);
}

struct word_result word_to_utf8(struct slice bytes, enum charset charset, uint8_t *out, size_t room)
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

/* A word, behind another one (`joined`) or not. */
static void word_put(struct target *target, const struct word *word, bool joined)
{
	uint8_t            bytes[WORD_BYTES_MAX];
	const enum charset charset = charset_of(word->charset);
	size_t             size;

	size = word->encoding == 'b' ? b_decode(word->text, bytes, &target->result.flags)
	                             : q_decode(word->text, bytes, &target->result.flags);
	target->result.flags |= WORD_FOUND;
	if (charset == CHARSET_NONE) {
		run_end(target);
		charset_put(target, slice_of(bytes, size), charset);
		return;
	}
	if (!joined || target->run.charset != charset) {
		run_end(target);
		target->run = charset_begin(charset);
	} else if (target->run.held != 0 || target->run.high != 0) {
		target->result.flags |= WORD_BROKEN;
	}
	run_put(target, slice_of(bytes, size), false);
}

/* Only white space up to the next word? RFC 2047 section 6.2: it is not shown. */
static size_t blanks_before_word(struct slice s)
{
	size_t i = 0;

	while (i < s.len && (byte_is_wsp(s.ptr[i]) || s.ptr[i] == '\r' || s.ptr[i] == '\n'))
		i++;
	return slice_starts(slice_drop(s, i), SLICE("=?")) ? i : 0;
}

/* UTF-8, but for fewer bytes than there are characters of it. */
static bool is_mostly_utf8(struct slice s)
{
	size_t characters = 0, flaws = 0, size;

	for (; s.len != 0; s = slice_drop(s, size)) {
		const uint32_t character = utf8_decode(s, &size);
		flaws += character == UINT32_MAX;
		characters += character != UINT32_MAX && size > 1;
	}
	return characters > flaws;
}

/* Bytes that stand in no word. */
static void plain_put(struct target *target, struct slice s)
{
	size_t size;

	if (utf8_valid_size(s) == s.len) {
		text_put(target, s);
		return;
	}
	if (!is_mostly_utf8(s)) {
		target->run = charset_begin(charset_guess(s));
		run_put(target, s, true);
		target->run = charset_begin(CHARSET_NONE);
		return;
	}
	for (; s.len != 0 && (target->result.flags & WORD_CUT) == 0; s = slice_drop(s, size)) {
		const bool is_utf8 = utf8_decode(s, &size) != UINT32_MAX;
		target->run = charset_begin(is_utf8 ? CHARSET_UTF8 : CHARSET_WINDOWS_1252);
		run_put(target, slice_take(s, size), true);
	}
	target->run = charset_begin(CHARSET_NONE);
}

struct word_result encoded_word_decode(struct slice text, uint8_t *out, size_t room)
{
	struct target target = { .ptr = out, .room = room };
	struct word   word;
	bool          joined = false;

	while (text.len != 0 && (target.result.flags & WORD_CUT) == 0) {
		if (slice_starts(text, SLICE("=?")) && word_cut(text, &word) &&
		    (word.encoding == 'b' || word.encoding == 'q')) {
			word_put(&target, &word, joined);
			text = slice_drop(text, word.size);
			text = slice_drop(text, blanks_before_word(text));
			joined = true;
			continue;
		}
		run_end(&target);
		joined = false;
		if (slice_starts(text, SLICE("=?")))
			target.result.flags |= WORD_BROKEN;
		/* Up to the next "=?"; one that begins no word is text. */
		const size_t size = 1 + slice_search(slice_drop(text, 1), SLICE("=?"));
		plain_put(&target, slice_take(text, size));
		text = slice_drop(text, size);
	}
	run_end(&target);
	return target.result;
}
