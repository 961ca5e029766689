/*
 * A whole text under its label. What its readers' software does comes first: a mark decides, then the label as long
 * as the bytes bear it out. Where they do not, or where there is no label, the bytes speak for themselves; and where
 * some reader may well see another text, `other` names the set of that one.
 */
#include "text/charset.h"

#include "text/charset_guess.h"
#include "text/charset_table.h"
#include "text/utf8.h"

#define UNLIKELY     100 /* charset_likeness() of a text that is hardly in that set */
#define BAD_SHARE    10u /* more than one byte in so many means nothing: the label is not believed */
#define UTF8_ALIEN   3u  /* so many characters of UTF-8 under another label are no accident */
#define GUESS_SAMPLE 2048u

static enum rc decode(enum charset charset, struct slice bytes, struct arena *arena, struct charset_text *out)
{
	struct charset_run run = charset_begin(charset);
	const size_t       want = charset_room(bytes.len), left = arena_left(arena);
	const size_t       room = want < left ? want : left;
	uint8_t           *text = arena_bytes(arena, room);
	size_t             size = 0, count;

	if (text == NULL)
		return RC_NOMEM;
	do {
		if (room - size < CHARSET_ROOM_MIN) {
			arena_keep(arena, text, 0);
			return RC_NOMEM;
		}
		count = charset_read(&run, &bytes, true, &text[size], room - size);
		size += count;
	} while (count != 0 || bytes.len != 0);
	arena_keep(arena, text, size);
	out->text = slice_of(text, size);
	out->used = run.charset;
	out->replaced = run.replaced;
	return RC_OK;
}

enum rc charset_text_as(enum charset charset, struct slice bytes, struct arena *arena, struct charset_text *out)
{
	struct charset_text text = { .used = charset };
	const bool          as_it_is =
                charset == CHARSET_UTF8
				 ? !slice_starts(bytes, SLICE("\xef\xbb\xbf")) && utf8_valid_size(bytes) == bytes.len
				 : charset_keeps_ascii(charset) && utf8_ascii_size(bytes) == bytes.len;
	enum rc rc = RC_OK;

	if (as_it_is)
		text.text = bytes;
	else
		rc = decode(charset, bytes, arena, &text);
	if (rc == RC_OK)
		*out = text;
	return rc;
}

/* ---- lines of UTF-8 among lines of something else ---- */

static struct slice line_take(struct slice *rest)
{
	const size_t       size = slice_find(*rest, '\n');
	const struct slice line = slice_take(*rest, size + 1);

	*rest = slice_drop(*rest, line.len);
	return line;
}

/* What a line is: plain, UTF-8 with more characters than flaws, or of another set. */
enum line { LINE_PLAIN, LINE_UTF8, LINE_OTHER };

static enum line line_of(struct slice line)
{
	size_t characters = 0, flaws = 0;

	for (;;) {
		line = slice_drop(line, utf8_ascii_size(line));
		if (line.len == 0)
			break;
		size_t size = 1;
		if (utf8_decode(line, &size) == UINT32_MAX) {
			flaws++;
			size = utf8_bad_size(line);
		} else {
			characters++;
		}
		line = slice_drop(line, size);
	}
	if (flaws == 0)
		return characters == 0 ? LINE_PLAIN : LINE_UTF8;
	return characters > 2 * flaws ? LINE_UTF8 : LINE_OTHER;
}

struct lines {
	size_t  utf8, other;
	uint8_t sample[GUESS_SAMPLE]; /* of the others */
	size_t  sample_size;
};

static void lines_look(struct slice bytes, struct lines *lines)
{
	lines->utf8 = lines->other = lines->sample_size = 0;
	while (bytes.len != 0) {
		const struct slice line = line_take(&bytes);
		const enum line    what = line_of(line);
		lines->utf8 += what == LINE_UTF8;
		lines->other += what == LINE_OTHER;
		const struct slice piece = slice_take(line, what == LINE_OTHER ? GUESS_SAMPLE - lines->sample_size : 0);
		if (piece.len != 0)
			memcpy(&lines->sample[lines->sample_size], piece.ptr, piece.len);
		lines->sample_size += piece.len;
	}
}

/* Each line in UTF-8 or in `set`. */
static enum rc lines_decode(struct slice bytes, enum charset set, struct arena *arena, struct charset_text *out)
{
	const size_t want = charset_room(bytes.len), left = arena_left(arena);
	const size_t room = want < left ? want : left;
	uint8_t     *text = arena_bytes(arena, room);
	size_t       size = 0, count;

	if (text == NULL)
		return RC_NOMEM;
	while (bytes.len != 0) {
		struct slice       line = line_take(&bytes);
		struct charset_run run = charset_begin(line_of(line) == LINE_OTHER ? set : CHARSET_UTF8);
		do {
			if (room - size < CHARSET_ROOM_MIN) {
				arena_keep(arena, text, 0);
				return RC_NOMEM;
			}
			count = charset_read(&run, &line, true, &text[size], room - size);
			size += count;
		} while (count != 0 || line.len != 0);
		out->replaced += run.replaced;
	}
	arena_keep(arena, text, size);
	out->text = slice_of(text, size);
	out->used = CHARSET_UTF8;
	out->other = set;
	out->flags |= CHARSET_MIXED;
	return RC_OK;
}

/* ---- the decision ---- */

/* A byte-order mark at the front; CHARSET_NONE: none. */
static enum charset mark_of(struct slice bytes)
{
	if (slice_starts(bytes, SLICE("\xef\xbb\xbf")))
		return CHARSET_UTF8;
	if (slice_starts(bytes, SLICE("\xff\xfe\0\0")))
		return CHARSET_UTF32LE;
	if (slice_starts(bytes, SLICE("\0\0\xfe\xff")))
		return CHARSET_UTF32BE;
	if (slice_starts(bytes, SLICE("\xff\xfe")))
		return CHARSET_UTF16LE;
	return slice_starts(bytes, SLICE("\xfe\xff")) ? CHARSET_UTF16BE : CHARSET_NONE;
}

/* A label that promises units of two or four bytes, and bytes without a zero among them. */
static bool is_false_wide(enum charset label, struct slice bytes)
{
	return label >= CHARSET_UTF16LE && label <= CHARSET_UTF32 && bytes.len >= 4 &&
	       utf8_ascii_size(bytes) == bytes.len && slice_find(bytes, '\0') == bytes.len;
}

/* 7-bit bytes whose label leaves them ASCII. */
static enum rc text_plain(struct slice bytes, struct arena *arena, struct charset_text *text)
{
	const enum charset escapes = charset_escapes(bytes);

	text->text = bytes;
	text->used = text->label == CHARSET_NONE ? CHARSET_ASCII : text->label;
	if (charset_has_utf7(bytes)) {
		text->flags |= CHARSET_UTF7_FOUND;
		text->other = CHARSET_UTF7;
	}
	if (escapes == CHARSET_NONE)
		return RC_OK;
	text->flags |= CHARSET_ESCAPES;
	text->other = escapes;
	if (text->label > CHARSET_ASCII)
		return RC_OK;
	text->flags |= CHARSET_GUESSED | (text->label == CHARSET_ASCII ? CHARSET_WRONG : 0);
	text->other = CHARSET_NONE;
	return decode(escapes, bytes, arena, text);
}

/* Bytes above 127 of more than one set, or of UTF-8 with flaws. */
static enum rc text_lines(struct slice bytes, enum charset guess, struct arena *arena, struct charset_text *text)
{
	struct lines lines;

	lines_look(bytes, &lines);
	if (lines.utf8 == 0)
		return decode(guess, bytes, arena, text);
	if (lines.other == 0)
		return decode(CHARSET_UTF8, bytes, arena, text);
	return lines_decode(bytes, charset_guess(slice_of(lines.sample, lines.sample_size)), arena, text);
}

/* Without a label, or with one that is not true: what the bytes say. */
static enum rc text_guess(struct slice bytes, struct arena *arena, struct charset_text *text)
{
	const enum charset guess = charset_guess(bytes);
	enum rc            rc = RC_OK;

	if (guess == CHARSET_UTF8 && utf8_valid_size(bytes) == bytes.len) {
		text->text = bytes;
		text->used = CHARSET_UTF8;
	} else if (utf8_valid_size(bytes) == bytes.len ||
	           (guess <= CHARSET_ISO_2022_CN && !(guess >= CHARSET_GB18030 && guess <= CHARSET_EUC_TW))) {
		rc = decode(guess, bytes, arena, text);
	} else {
		rc = text_lines(bytes, guess, arena, text);
	}
	if (text->used != text->label)
		text->flags |= CHARSET_GUESSED | (text->label != CHARSET_NONE ? CHARSET_WRONG : 0);
	return rc;
}

/* Characters of UTF-8 in bytes that are nothing else; 0 when there is anything else. */
static bool is_utf8_alien(struct slice bytes)
{
	size_t characters = 0, size;

	if (utf8_valid_size(bytes) != bytes.len)
		return false;
	while ((bytes = slice_drop(bytes, utf8_ascii_size(bytes))).len != 0 && characters < UTF8_ALIEN) {
		(void)utf8_decode(bytes, &size);
		bytes = slice_drop(bytes, size);
		characters++;
	}
	return characters >= UTF8_ALIEN;
}

static size_t high_count(struct slice bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes.len; i++)
		count += bytes.ptr[i] >= 0x80;
	return count;
}

/* The label names a set in which the bytes can be read, well or not. */
static enum rc text_labelled(struct slice bytes, struct arena *arena, struct charset_text *text)
{
	const size_t used = arena->used;
	enum rc      rc = decode(text->label, bytes, arena, text);

	if (rc != RC_OK || utf8_ascii_size(bytes) == bytes.len)
		return rc;
	const enum charset guess = is_utf8_alien(bytes) ? CHARSET_UTF8
	                           : text->replaced != 0 || charset_likeness(text->label, bytes) < UNLIKELY
	                                   ? charset_guess(bytes)
	                                   : text->label;
	if (guess == text->label)
		return RC_OK;
	/* Sets of one family, or a guess that is no better, say nothing. */
	if (guess != CHARSET_UTF8 && charset_likeness(guess, bytes) < charset_likeness(text->label, bytes) + UNLIKELY)
		return RC_OK;
	text->flags |= CHARSET_WRONG;
	text->other = guess;
	if (text->replaced * BAD_SHARE <= high_count(bytes))
		return RC_OK;
	const struct charset_text before = *text;
	arena->used = used; /* the label's reading is given back */
	rc = charset_text_as(guess, bytes, arena, text);
	text->label = before.label;
	text->other = before.label;
	text->flags = before.flags | CHARSET_GUESSED;
	return rc;
}

static enum rc text_marked(enum charset mark, struct slice bytes, struct arena *arena, struct charset_text *text)
{
	const bool agrees = mark == text->label ||
	                    (text->label == CHARSET_UTF16 && mark >= CHARSET_UTF16LE && mark <= CHARSET_UTF16BE) ||
	                    (text->label == CHARSET_UTF32 && mark >= CHARSET_UTF32LE && mark <= CHARSET_UTF32BE);

	text->flags |= CHARSET_MARKED | (agrees || text->label <= CHARSET_ASCII ? 0 : CHARSET_WRONG);
	if (!agrees && text->label > CHARSET_ASCII)
		text->other = text->label;
	if (mark != CHARSET_UTF8)
		return decode(mark, bytes, arena, text);
	const struct slice rest = slice_drop(bytes, 3);
	if (utf8_valid_size(rest) != rest.len)
		return decode(mark, bytes, arena, text);
	text->text = rest;
	text->used = mark;
	return RC_OK;
}

static enum rc text_decide(struct slice bytes, struct arena *arena, struct charset_text *text)
{
	const enum charset mark = mark_of(bytes);
	const bool         ascii = utf8_ascii_size(bytes) == bytes.len;

	if (mark != CHARSET_NONE)
		return text_marked(mark, bytes, arena, text);
	if (text->label == CHARSET_UTF7)
		text->flags |= CHARSET_UTF7_FOUND;
	if (is_false_wide(text->label, bytes)) {
		text->flags |= CHARSET_WRONG | CHARSET_GUESSED;
		text->other = text->label;
		text->text = bytes;
		text->used = CHARSET_ASCII;
		return RC_OK;
	}
	if (text->label > CHARSET_ASCII && !charset_keeps_ascii(text->label))
		return text_labelled(bytes, arena, text);
	if (ascii && slice_find(slice_take(bytes, 16), '\0') == (bytes.len < 16 ? bytes.len : 16))
		return text_plain(bytes, arena, text);
	if (text->label <= CHARSET_ASCII)
		return text_guess(bytes, arena, text);
	if (text->label != CHARSET_UTF8)
		return text_labelled(bytes, arena, text);
	if (utf8_valid_size(bytes) == bytes.len) {
		text->text = bytes;
		text->used = CHARSET_UTF8;
		return RC_OK;
	}
	return text_guess(bytes, arena, text);
}

enum rc charset_text(struct slice label, struct slice bytes, struct arena *arena, struct charset_text *out)
{
	struct charset_text text = { .label = charset_of(label) };
	const size_t        used = arena->used;

	if (text.label == CHARSET_NONE && slice_trim(label).len != 0)
		text.flags |= CHARSET_LABEL_UNKNOWN;
	const enum rc rc = text_decide(bytes, arena, &text);
	if (rc == RC_OK)
		*out = text;
	else
		arena->used = used;
	return rc;
}
