/* The reader's text, a character at a time; words are normalise_words.c's. */
#include "text/normalise.h"

#include "text/normalise_inside.h"
#include "text/utf8.h"

#define ROOM_LEFT       64u
#define FORMED_MAX      16u /* bytes that one character may become */
#define LEFT_TO_RIGHT   0x202du
#define RIGHT_TO_LEFT   0x202eu
#define END_OF_OVERRIDE 0x202cu
#define BLACK_FLAG      0x1f3f4u /* flags of regions are this and tags */

void normalise_count(struct normalise_run *run, enum normalise_kind kind, uint32_t count, size_t offset)
{
	struct normalise_difference *difference = &run->out->differences[kind];

	if (difference->count == 0)
		difference->offset = (uint32_t)offset;
	difference->count += count;
	run->out->differs = run->out->differs || count != 0;
}

/* ---- what goes out ---- */

static bool is_ideograph(uint32_t c)
{
	return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x20000 && c <= 0x3ffff) || (c >= 0xf900 && c <= 0xfaff);
}

/* Part of a word: a letter or digit that is no ideograph, kana or syllable of Hangul. Marks are handled before. */
static bool is_word_character(uint32_t c, enum unicode_script *script)
{
	*script = UNICODE_COMMON;
	if (c < 0x80) {
		*script = byte_is_alpha((uint8_t)c) ? UNICODE_LATIN : UNICODE_COMMON;
		return byte_is_alnum((uint8_t)c) || c == '@' || c == '$';
	}
	if (is_ideograph(c) || !unicode_is_letter(c))
		return false;
	*script = unicode_script(c);
	return *script != UNICODE_HAN && *script != UNICODE_KANA && *script != UNICODE_HANGUL;
}

/* Invisible characters stood in front of `c`, which is visible or 0 at the end. */
static void hidden_settle(struct normalise_run *run, uint32_t c)
{
	enum unicode_script script;

	if (run->hidden == 0)
		return;
	const bool inside = run->before != 0 && c != 0 && (run->in_word || is_ideograph(run->before)) &&
	                    (is_word_character(c, &script) || is_ideograph(c));
	normalise_count(run, inside ? NORMALISE_INVISIBLE : NORMALISE_FILLER, run->hidden, run->hidden_offset);
	run->hidden = 0;
}

/* A visible character: written, and given to its word. */
static void visible_put(struct normalise_run *run, uint32_t c)
{
	enum unicode_script script = UNICODE_COMMON;
	const bool          in_word = is_word_character(c, &script);

	hidden_settle(run, c);
	if (!in_word)
		normalise_word_end(run, c);
	const size_t start = run->size;
	run->size += utf8_encode(c, &run->text[run->size]);
	run->marks = 0;
	if (in_word) {
		run->out->letters[script] += script != UNICODE_COMMON;
		normalise_word_add(run, c, start);
	} else if (is_ideograph(c)) {
		run->out->letters[UNICODE_HAN]++;
		const uint32_t whole = run->before == 0 ? 0 : normalise_joined(run->before, c);
		if (whole != 0) {
			uint8_t left[4];
			normalise_count(run, NORMALISE_SPLIT, 1, run->offset);
			run->size = start - utf8_encode(run->before, left);
			run->size += utf8_encode(whole, &run->text[run->size]);
			run->spaced = 0;
			run->single_end = run->size;
			c = whole;
		} else {
			normalise_word_single(run, start, run->offset);
		}
	} else if (c >= 0x80 && unicode_is_letter(c)) {
		run->out->letters[unicode_script(c)]++;
	}
	run->before = c;
}

/* ---- characters of one kind ---- */

/* A mark behind a letter: composed with it where there is such a character, dropped where too many stand there. */
static void mark_put(struct normalise_run *run, uint32_t c)
{
	uint8_t bytes[8], formed[FORMED_MAX];
	size_t  size, formed_size, width;

	if (++run->marks > NORMALISE_MARKS_MAX) {
		normalise_count(run, NORMALISE_STACK, 1, run->offset);
		return;
	}
	if (run->marks == 1 && run->before != 0 && unicode_is_letter(run->before)) {
		const size_t base = utf8_encode(run->before, bytes);
		size = base + utf8_encode(c, &bytes[base]);
		if (unicode_normalise(UNICODE_NFC, slice_of(bytes, size), formed, sizeof formed, &formed_size) ==
		    RC_OK) {
			const uint32_t whole = utf8_decode(slice_of(formed, formed_size), &width);
			if (width == formed_size && run->size >= base &&
			    memcmp(&run->text[run->size - base], bytes, base) == 0) {
				run->size -= base;
				memcpy(&run->text[run->size], formed, formed_size);
				run->size += formed_size;
				run->before = whole;
				return;
			}
		}
	}
	run->size += utf8_encode(c, &run->text[run->size]);
}

/* Joiners and direction marks have work to do in these scripts, and between the parts of an emoji. */
static bool is_joiner_due(const struct normalise_run *run, uint32_t c)
{
	if (c != 0x200c && c != 0x200d && c != 0x200e && c != 0x200f && c != 0x61c && !(c >= 0x202a && c <= 0x202c) &&
	    !(c >= 0x2066 && c <= 0x2069))
		return false;
	if (run->out->letters[UNICODE_ARABIC] + run->out->letters[UNICODE_HEBREW] + run->out->letters[UNICODE_OTHER] !=
	    0)
		return true;
	return c == 0x200d && run->before >= 0x2190 && !unicode_is_letter(run->before);
}

static void invisible_drop(struct normalise_run *run, uint32_t c)
{
	if (c >= 0xe0001 && c <= 0xe007f) {
		if (!run->flag && run->before != BLACK_FLAG)
			normalise_count(run, NORMALISE_TAG, 1, run->offset);
		return;
	}
	if ((c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef)) {
		/* Ideographs, signs and digits have variants; letters have none, and nothing has two. */
		if (run->before == 0 || (unicode_is_letter(run->before) && !is_ideograph(run->before)) ||
		    run->marks != 0)
			normalise_count(run, NORMALISE_VARIATION, 1, run->offset);
		run->marks++;
		return;
	}
	if (is_joiner_due(run, c))
		return;
	if (run->hidden++ == 0)
		run->hidden_offset = run->offset;
}

/*
 * Letters in forms that plain writing does not use for words; and Chinese characters in forms that only old sets
 * have.
 */
static bool is_styled(uint32_t c, enum normalise_kind *kind)
{
	*kind = NORMALISE_STROKE;
	if ((c >= 0x2e80 && c <= 0x2fdf) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f))
		return true;
	*kind = NORMALISE_STYLE;
	return (c >= 0x1d400 && c <= 0x1d7ff) || (c >= 0x2460 && c <= 0x24ff) || (c >= 0x2100 && c <= 0x214f) ||
	       (c >= 0x1f110 && c <= 0x1f189) || (c >= 0xfb00 && c <= 0xfb06) || (c >= 0x1d2c && c <= 0x1d6a) ||
	       (c >= 0x2b0 && c <= 0x2b8) || (c >= 0x1d00 && c <= 0x1d2b);
}

/* False when the character has no plain form. */
static bool styled_put(struct normalise_run *run, uint32_t c, enum normalise_kind kind)
{
	uint8_t bytes[4], formed[FORMED_MAX];
	size_t  size, width;

	/* White letters on black circles and squares have no compatibility form. */
	if ((c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189)) {
		normalise_count(run, kind, 1, run->offset);
		visible_put(run, 'A' + (c - 0x1f150) % 32);
		return true;
	}
	const uint8_t pose = c >= 0x1d00 && c <= 0x1d2b ? normalise_pose(c) : 0;
	if (pose != 0) {
		normalise_count(run, kind, 1, run->offset);
		visible_put(run, pose);
		return true;
	}
	if (unicode_normalise(UNICODE_NFKC, slice_of(bytes, utf8_encode(c, bytes)), formed, sizeof formed, &size) !=
	    RC_OK)
		return false;
	uint32_t first = utf8_decode(slice_of(formed, size), &width);
	if (first == c)
		return false;
	/* Signs that everybody writes ("TM", numbers in circles) are what they are, and no trick. */
	if (kind != NORMALISE_STYLE ||
	    (unicode_is_letter(first) && c != 0x2122 && c != 0x2116 && c != 0x212b && c != 0x2103))
		normalise_count(run, kind, 1, run->offset);
	for (struct slice rest = slice_of(formed, size); rest.len != 0; rest = slice_drop(rest, width))
		visible_put(run, utf8_decode(rest, &width));
	return true;
}

/* ---- overridden order ---- */

static uint32_t mirrored(uint32_t c)
{
	static const char both[] = "()[]{}<>";

	for (size_t i = 0; c < 0x80 && i + 1 < sizeof both; i++) {
		if ((uint32_t)both[i] == c)
			return (uint32_t)both[i ^ 1];
	}
	return c;
}

/* What was written since U+202E, from its last character to its first, as it is drawn. */
static void override_end(struct normalise_run *run)
{
	uint8_t *const text = &run->text[run->override_start];
	const size_t   size = run->size - run->override_start;

	if (!run->override)
		return;
	normalise_word_end(run, 0);
	run->override = false;
	run->spaced = 0;
	for (size_t i = 0; i < size / 2; i++) {
		const uint8_t byte = text[i];
		text[i] = text[size - 1 - i];
		text[size - 1 - i] = byte;
	}
	/* Now each character's bytes stand from its last to its lead. */
	for (size_t i = 0; i < size;) {
		size_t width = 1;
		while (i + width < size && (text[i + width - 1] & 0xc0) == 0x80)
			width++;
		for (size_t k = 0; k < width / 2; k++) {
			const uint8_t byte = text[i + k];
			text[i + k] = text[i + width - 1 - k];
			text[i + width - 1 - k] = byte;
		}
		if (width == 1)
			text[i] = (uint8_t)mirrored(text[i]);
		i += width;
	}
	run->before = 0;
}

static void override_begin(struct normalise_run *run)
{
	normalise_word_end(run, 0);
	normalise_spaced_end(run);
	if (!run->override)
		normalise_count(run, NORMALISE_BIDI, 1, run->offset);
	run->override_start = run->override ? run->override_start : run->size;
	run->override = true;
}

/* ---- the text ---- */

static void ascii_put(struct normalise_run *run, uint8_t c)
{
	if (c == '\n')
		override_end(run);
	if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7f) {
		normalise_count(run, NORMALISE_CONTROL, 1, run->offset);
		return;
	}
	visible_put(run, c);
}

static void other_put(struct normalise_run *run, uint32_t c)
{
	enum normalise_kind kind;

	run->flag = (run->flag || run->before == BLACK_FLAG) && c >= 0xe0020 && c <= 0xe007e;
	if (c >= 0x4e00 && c <= 0x9fff) {
		visible_put(run, c);
	} else if (c < 0xa0) {
		normalise_count(run, NORMALISE_CONTROL, 1, run->offset);
	} else if (c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f) {
		visible_put(run, ' ');
	} else if (c >= 0xff01 && c <= 0xff5e) {
		if (byte_is_alnum((uint8_t)(c - 0xff01 + '!')))
			normalise_count(run, NORMALISE_WIDTH, 1, run->offset);
		visible_put(run, c - 0xff01 + '!');
	} else if (c == RIGHT_TO_LEFT) {
		override_begin(run);
	} else if (c == END_OF_OVERRIDE && run->override) {
		override_end(run);
	} else if (c == LEFT_TO_RIGHT && run->override) {
		override_end(run);
	} else if (unicode_is_invisible(c) || c == 0x2800) {
		invisible_drop(run, c);
	} else if (unicode_is_mark(c)) {
		mark_put(run, c);
	} else if (!is_styled(c, &kind) || !styled_put(run, c, kind)) {
		visible_put(run, c);
	}
}

/* How a byte of plain text is taken: not here, a sign between words, a letter, a digit. */
enum plain { PLAIN_NOT, PLAIN_SIGN, PLAIN_LETTER, PLAIN_DIGIT };

static enum plain plain_of(uint8_t byte)
{
	if (byte_is_alpha(byte))
		return PLAIN_LETTER;
	if (byte_is_digit(byte))
		return PLAIN_DIGIT;
	return byte_is_print(byte) ? (byte == '@' || byte == '$' ? PLAIN_NOT : PLAIN_SIGN)
	                           : (byte == '\n' || byte == '\r' || byte == '\t' ? PLAIN_SIGN : PLAIN_NOT);
}

/* How many bytes at the front are of that kind. */
static size_t plain_size(struct slice s, enum plain kind)
{
	size_t size = 0;

	while (size < s.len && plain_of(s.ptr[size]) == kind)
		size++;
	return size;
}

/*
 * Words of letters alone, numbers, and the signs between them go through as they are: nearly all of most texts. Stops
 * in front of a word of one letter and of one that goes on with anything else. Returns the bytes taken.
 */
static size_t plain_take(struct normalise_run *run, struct slice raw)
{
	size_t   size = 0;
	uint32_t letters = 0;

	if (run->in_word || run->hidden != 0 || run->override)
		return 0;
	while (size < raw.len) {
		const struct slice rest = slice_drop(raw, size);
		const enum plain   kind = plain_of(rest.ptr[0]);
		const size_t       width = kind == PLAIN_NOT ? 0 : plain_size(rest, kind);
		const int          next = slice_at(rest, width);
		if (width == 0 || (kind == PLAIN_LETTER && width == 1) || next >= 0x80 ||
		    (next < 0 && kind != PLAIN_SIGN) ||
		    (kind != PLAIN_SIGN && next >= 0 && plain_of((uint8_t)next) != PLAIN_SIGN))
			break;
		letters += kind == PLAIN_LETTER ? (uint32_t)width : 0;
		size += width;
	}
	if (size == 0)
		return 0;
	if (letters != 0)
		normalise_spaced_end(run);
	memcpy(&run->text[run->size], raw.ptr, size);
	run->size += size;
	run->out->letters[UNICODE_LATIN] += letters;
	run->before = raw.ptr[size - 1];
	run->marks = 0;
	return size;
}

static bool text_put(struct normalise_run *run, struct slice raw, size_t room)
{
	size_t size;

	while (raw.len != 0) {
		if (room - run->size < ROOM_LEFT)
			return false;
		if (raw.ptr[0] < 0x80) {
			size = plain_take(run, slice_take(raw, room - run->size - ROOM_LEFT));
			if (size == 0) {
				ascii_put(run, raw.ptr[0]);
				size = 1;
			}
		} else {
			other_put(run, utf8_decode(raw, &size));
		}
		run->offset += size;
		raw = slice_drop(raw, size);
	}
	hidden_settle(run, 0);
	override_end(run);
	normalise_word_end(run, 0);
	normalise_spaced_end(run);
	return true;
}

enum rc normalise_text(struct slice raw, struct arena *arena, struct normalised *out)
{
	struct normalised    made = { .reader = raw };
	const size_t         want = NORMALISE_GROWTH * raw.len + ROOM_LEFT, left = arena_left(arena);
	const size_t         room = want < left ? want : left;
	struct normalise_run run = { .out = &made, .text = arena_bytes(arena, room) };

	if (run.text == NULL || !text_put(&run, raw, room)) {
		if (run.text != NULL)
			arena_keep(arena, run.text, 0);
		return RC_NOMEM;
	}
	const bool same = slice_eq(slice_of(run.text, run.size), raw);
	arena_keep(arena, run.text, same ? 0 : run.size);
	if (!same)
		made.reader = slice_of(run.text, run.size);
	*out = made;
	return RC_OK;
}

enum rc normalise_ready(void)
{
	const enum rc rc = unicode_ready();

	return rc != RC_OK ? rc : normalise_tables_ready();
}

const char *normalise_word(enum normalise_kind kind)
{
	static const char *const words[NORMALISE_KINDS] = {
		[NORMALISE_INVISIBLE] = "invisible",
		[NORMALISE_FILLER] = "filler",
		[NORMALISE_BIDI] = "bidi",
		[NORMALISE_TAG] = "tag",
		[NORMALISE_VARIATION] = "variation",
		[NORMALISE_STACK] = "stack",
		[NORMALISE_WIDTH] = "width",
		[NORMALISE_STYLE] = "style",
		[NORMALISE_CONFUSABLE] = "confusable",
		[NORMALISE_STROKE] = "stroke",
		[NORMALISE_SPLIT] = "split",
		[NORMALISE_LEET] = "leet",
		[NORMALISE_SPACED] = "spaced",
		[NORMALISE_CONTROL] = "control",
	};

	return kind < NORMALISE_KINDS ? words[kind] : "";
}
