/*
 * Text, the modes of text, comments and what "<" begins. The states of HTML 13.2.5 are read here a construct at a time:
 * the whole input is there, so that "wait in this state" becomes "look for the end". Each function names its states.
 */
#include "html/tokenizer.h"

#include "base/must.h"
#include "html/tokenizer_part.h"

static const uint8_t line_end[] = "\n";
static const uint8_t replacement[] = "\xef\xbf\xbd";

void html_tokenizer_init(struct html_tokenizer *t, struct slice input, struct arena *arena)
{
	t->input = input;
	t->at = 0;
	t->arena = arena;
	t->arena_mark = arena->used;
	t->mode = HTML_MODE_DATA;
	t->cdata = t->unclosed = false;
	t->unclosed_at = 0;
	t->last = (struct slice){ NULL, 0 };
	t->script = HTML_SCRIPT_PLAIN;
	t->dashes = 0;
	t->cdata_end = SIZE_MAX;
}

void html_tokenizer_mode(struct html_tokenizer *t, enum html_mode mode)
{
	t->mode = mode;
	t->script = HTML_SCRIPT_PLAIN;
	t->dashes = 0;
	t->cdata_end = SIZE_MAX;
}

void html_tokenizer_last(struct html_tokenizer *t, struct slice name)
{
	name = slice_take(name, sizeof t->last_text);
	if (name.len != 0)
		memcpy(t->last_text, name.ptr, name.len);
	t->last = slice_of(t->last_text, name.len);
}

enum html_mode html_element_mode(enum html_element element, bool scripting)
{
	if (element == HTML_ELEMENT_TITLE || element == HTML_ELEMENT_TEXTAREA)
		return HTML_MODE_RCDATA;
	if (element == HTML_ELEMENT_SCRIPT)
		return HTML_MODE_SCRIPT;
	if (element == HTML_ELEMENT_PLAINTEXT)
		return HTML_MODE_PLAINTEXT;
	if (element == HTML_ELEMENT_STYLE || element == HTML_ELEMENT_XMP || element == HTML_ELEMENT_IFRAME ||
	    element == HTML_ELEMENT_NOEMBED || element == HTML_ELEMENT_NOFRAMES ||
	    (scripting && element == HTML_ELEMENT_NOSCRIPT))
		return HTML_MODE_RAWTEXT;
	return HTML_MODE_DATA;
}

const struct html_attribute *html_token_attribute(const struct html_token *token, enum html_attribute_name name)
{
	for (size_t i = 0; i < token->count; i++) {
		if (token->attributes[i].name == name)
			return &token->attributes[i];
	}
	return NULL;
}

struct slice html_token_value(const struct html_token *token, enum html_attribute_name name)
{
	const struct html_attribute *attribute = html_token_attribute(token, name);

	return attribute != NULL ? attribute->value : (struct slice){ NULL, 0 };
}

static size_t folded_byte(struct slice s, size_t *at, unsigned folds, uint8_t *out)
{
	const uint8_t byte = s.ptr[*at];

	if (byte == '\r' && (folds & HTML_FOLD_LINES) != 0) {
		*at += slice_at(s, *at + 1) == '\n' ? 2 : 1;
		*out = '\n';
		return 1;
	}
	if (byte == '\0' && (folds & HTML_FOLD_NUL) != 0) {
		++*at;
		memcpy(out, replacement, 3);
		return 3;
	}
	struct html_reference reference;
	if (byte == '&' && (folds & HTML_FOLD_REFERENCE) != 0 && html_reference_take(slice_drop(s, *at), true, &reference)) {
		*at += reference.taken;
		memcpy(out, reference.text, reference.size);
		return reference.size;
	}
	++*at;
	*out = (folds & HTML_FOLD_LOWER) != 0 ? byte_lower(byte) : byte;
	return 1;
}

struct slice html_fold(struct html_tokenizer *t, struct slice s, unsigned folds, uint32_t *flags)
{
	/* A NUL becomes three bytes, and no reference more than its own bytes and one: "&nGt;" is six. */
	size_t room = s.len;
	if ((folds & (HTML_FOLD_NUL | HTML_FOLD_REFERENCE)) != 0) {
		for (size_t i = 0; i < s.len; i++)
			room += s.ptr[i] == '\0' ? 2 : s.ptr[i] == '&';
	}
	uint8_t *text = arena_bytes(t->arena, room);
	if (text == NULL) {
		*flags |= HTML_TOKEN_FULL;
		return s;
	}
	size_t size = 0;
	for (size_t at = 0; at < s.len;)
		size += folded_byte(s, &at, folds, &text[size]);
	must(size <= room);
	return slice_of(text, size);
}

static struct slice fold_if_needed(struct html_tokenizer *t, struct slice s, uint32_t *flags)
{
	if (s.len == 0 || (memchr(s.ptr, '\r', s.len) == NULL && memchr(s.ptr, '\0', s.len) == NULL))
		return s;
	return html_fold(t, s, HTML_FOLD_LINES | HTML_FOLD_NUL, flags);
}

static enum rc text_end(struct html_tokenizer *t, size_t end, struct html_token *out)
{
	out->kind = HTML_TOKEN_TEXT;
	out->text = slice_cut(t->input, t->at, end - t->at);
	t->at = end;
	out->end = end;
	return RC_OK;
}

/* One token for what stands at t->at and is not itself: `text` in place of `taken` bytes. */
static enum rc text_instead(struct html_tokenizer *t, size_t taken, struct slice text, struct html_token *out)
{
	out->kind = HTML_TOKEN_TEXT;
	out->text = text;
	t->at += taken;
	out->end = t->at;
	return RC_OK;
}

/*
 * CR, NUL and "&" at the front of text. False: it is text like any other, or a CR that is left out because LF follows
 * (t->at is moved then).
 */
static bool text_odd(struct html_tokenizer *t, struct html_token *out)
{
	const int byte = slice_at(t->input, t->at);

	if (byte == '\r') {
		if (slice_at(t->input, t->at + 1) == '\n') {
			t->at++;
			return false;
		}
		(void)text_instead(t, 1, slice_of(line_end, 1), out);
		return true;
	}
	if (byte == '\0' && t->mode != HTML_MODE_DATA && t->mode != HTML_MODE_CDATA) {
		(void)text_instead(t, 1, slice_of(replacement, 3), out);
		return true;
	}
	if (byte == '&' && (t->mode == HTML_MODE_DATA || t->mode == HTML_MODE_RCDATA) &&
	    html_reference_take(slice_drop(t->input, t->at), false, &t->reference)) {
		out->flags |= HTML_TOKEN_REFERENCE;
		(void)text_instead(t, t->reference.taken, slice_of(t->reference.text, t->reference.size), out);
		return true;
	}
	return false;
}

/* Whether text in the present mode ends before this byte, so that text_odd() looks at it. */
static bool text_stops(const struct html_tokenizer *t, size_t at)
{
	struct html_reference reference;

	switch (t->input.ptr[at]) {
	case '\r':
		return true;
	case '\0':
		return t->mode != HTML_MODE_DATA && t->mode != HTML_MODE_CDATA;
	case '&':
		return (t->mode == HTML_MODE_DATA || t->mode == HTML_MODE_RCDATA) &&
		       html_reference_take(slice_drop(t->input, at), false, &reference);
	default:
		return false;
	}
}

/* "</" and the name of the last start tag and what ends a name: the "appropriate end tag" of HTML 13.2.5. */
static bool end_tag_at(const struct html_tokenizer *t, size_t at)
{
	const struct slice rest = slice_drop(t->input, at);

	if (slice_at(rest, 1) != '/' || t->last.len == 0 || !slice_starts_nocase(slice_drop(rest, 2), t->last))
		return false;
	const int next = slice_at(rest, 2 + t->last.len);
	return html_is_space(next) || next == '/' || next == '>';
}

/*
 * "<" in an escaped or doubly escaped script (13.2.5.23 to .30): "<script" makes it double and "</script" takes that
 * back. Returns the bytes it takes, none of which ends a run of text.
 */
static size_t script_less_than(struct html_tokenizer *t, size_t at)
{
	const bool         is_double = t->script == HTML_SCRIPT_DOUBLE;
	const struct slice rest = slice_drop(t->input, at + (is_double ? 2 : 1));
	size_t             size = 0;

	t->dashes = 0;
	if (is_double && slice_at(t->input, at + 1) != '/')
		return 1;
	while (size < rest.len && byte_is_alpha(rest.ptr[size]))
		size++;
	const int next = slice_at(rest, size);
	if (size == 6 && slice_starts_nocase(rest, SLICE("script")) && (html_is_space(next) || next == '/' || next == '>'))
		t->script = is_double ? HTML_SCRIPT_ESCAPED : HTML_SCRIPT_DOUBLE;
	return size + (is_double ? 2 : 1);
}

/*
 * One step of a script at input[at] (13.2.5.15 to .31): how many bytes belong to the text, 0 at the end tag. Text may
 * be cut between two calls: the state is in *t.
 */
static size_t script_step(struct html_tokenizer *t, size_t at)
{
	const uint8_t byte = t->input.ptr[at];

	if (byte == '<') {
		if (t->script != HTML_SCRIPT_DOUBLE && end_tag_at(t, at))
			return 0;
		if (t->script != HTML_SCRIPT_PLAIN)
			return script_less_than(t, at);
		if (slice_starts(slice_drop(t->input, at), SLICE("<!--"))) {
			t->script = HTML_SCRIPT_ESCAPED;
			t->dashes = 2;
			return 4;
		}
		return 1;
	}
	if (t->script == HTML_SCRIPT_PLAIN)
		return 1;
	if (byte == '>' && t->dashes >= 2)
		t->script = HTML_SCRIPT_PLAIN;
	t->dashes = byte == '-' ? t->dashes + 1 : 0;
	return 1;
}

/* The next place from `at` where a script's text may change its state, end, or need text_odd(). */
static size_t script_skip(const struct html_tokenizer *t, size_t at)
{
	const uint8_t *ptr = t->input.ptr;

	if (t->script != HTML_SCRIPT_PLAIN)
		return at;
	while (at < t->input.len && ptr[at] != '<' && ptr[at] != '\r' && ptr[at] != '\0')
		at++;
	return at;
}

static enum rc script_text(struct html_tokenizer *t, struct html_token *out)
{
	size_t at = t->at;

	for (;;) {
		at = script_skip(t, at);
		if (at >= t->input.len)
			break;
		if (text_stops(t, at)) {
			t->dashes = 0;
			break;
		}
		const size_t step = script_step(t, at);
		if (step == 0)
			break;
		at += step;
	}
	return text_end(t, at, out);
}

/* The bytes that may end a run of text. */
static const bool text_special[256] = { ['<'] = true, ['&'] = true, ['\r'] = true, ['\0'] = true };

/* Text up to where the mode ends. Returns with t->at at the end; the text may be empty. */
static enum rc text_take(struct html_tokenizer *t, struct html_token *out)
{
	const uint8_t *ptr = t->input.ptr;
	size_t         at = t->at;

	if (t->mode == HTML_MODE_SCRIPT)
		return script_text(t, out);
	for (; at < t->input.len; at++) {
		const uint8_t byte = ptr[at];
		if (!text_special[byte])
			continue;
		if (byte != '<') {
			if (text_stops(t, at))
				break;
			continue;
		}
		if (t->mode == HTML_MODE_PLAINTEXT || t->mode == HTML_MODE_CDATA)
			continue;
		if (t->mode != HTML_MODE_DATA) {
			if (end_tag_at(t, at))
				break;
			continue;
		}
		const int next = slice_at(t->input, at + 1);
		if (next >= 0 && (byte_is_alpha((uint8_t)next) || next == '!' || next == '?' ||
		                  (next == '/' && at + 2 < t->input.len)))
			break;
	}
	return text_end(t, at, out);
}

/* In a CDATA section: up to "]]>", which is left out (13.2.5.69 to .71). RC_AGAIN: it has ended. */
static enum rc cdata_take(struct html_tokenizer *t, struct html_token *out)
{
	const struct slice whole = t->input;

	if (t->cdata_end == SIZE_MAX)
		t->cdata_end = t->at + slice_search(slice_drop(whole, t->at), SLICE("]]>"));
	if (t->at == t->cdata_end) {
		t->at += 3;
		html_tokenizer_mode(t, HTML_MODE_DATA);
		return RC_AGAIN;
	}
	if (text_odd(t, out))
		return RC_OK;
	t->input = slice_take(whole, t->cdata_end);
	const enum rc rc = text_take(t, out);
	t->input = whole;
	return rc;
}

/* Bytes of a comment's text from `s`, which stands behind "<!--", and in *taken all that belongs to it (13.2.5.43 to .52). */
static size_t comment_size(struct slice s, size_t *taken)
{
	if (slice_at(s, 0) == '>' || slice_starts(s, SLICE("->"))) {
		*taken = slice_at(s, 0) == '>' ? 1 : 2;
		return 0;
	}
	for (size_t at = 0;; at++) {
		const uint8_t *dash = at < s.len ? memchr(s.ptr + at, '-', s.len - at) : NULL;
		if (dash == NULL)
			break;
		at = (size_t)(dash - s.ptr);
		if (slice_at(s, at + 1) != '-')
			continue;
		if (slice_at(s, at + 2) == '>') {
			*taken = at + 3;
			return at;
		}
		if (slice_at(s, at + 2) == '!' && slice_at(s, at + 3) == '>') {
			*taken = at + 4;
			return at;
		}
	}
	*taken = s.len;
	if (slice_ends(s, SLICE("--!")))
		return s.len - 3;
	return s.len - (slice_ends(s, SLICE("--")) ? 2 : slice_last(s) == '-');
}

static enum rc comment_end(struct html_tokenizer *t, struct slice text, size_t end, struct html_token *out)
{
	out->kind = HTML_TOKEN_COMMENT;
	out->text = fold_if_needed(t, text, &out->flags);
	t->at = out->end = end;
	return RC_OK;
}

/* Up to ">" or the end (13.2.5.41); t->at at its first byte. */
static enum rc bogus_take(struct html_tokenizer *t, struct html_token *out)
{
	const struct slice rest = slice_drop(t->input, t->at);
	const size_t       size = slice_find(rest, '>');

	out->flags |= HTML_TOKEN_BOGUS;
	return comment_end(t, slice_take(rest, size), t->at + size + (size < rest.len), out);
}

/* Behind "<!" (13.2.5.42). RC_AGAIN: a CDATA section begins. */
static enum rc declaration_take(struct html_tokenizer *t, struct html_token *out)
{
	t->at += 2;
	const struct slice rest = slice_drop(t->input, t->at);
	if (slice_starts(rest, SLICE("--"))) {
		size_t             taken;
		const struct slice text = slice_drop(rest, 2);
		const size_t       size = comment_size(text, &taken);
		return comment_end(t, slice_take(text, size), t->at + 2 + taken, out);
	}
	if (slice_starts_nocase(rest, SLICE("doctype"))) {
		t->at += 7;
		html_doctype_take(t, out);
		out->end = t->at;
		return RC_OK;
	}
	if (slice_starts(rest, SLICE("[CDATA["))) {
		if (t->cdata) {
			t->at += 7;
			html_tokenizer_mode(t, HTML_MODE_CDATA);
			return RC_AGAIN;
		}
		out->flags |= HTML_TOKEN_CDATA;
	}
	return bogus_take(t, out);
}

static enum rc tag_take(struct html_tokenizer *t, struct html_token *out)
{
	const size_t start = t->at;

	out->kind = slice_at(t->input, t->at + 1) == '/' ? HTML_TOKEN_END : HTML_TOKEN_START;
	t->at += out->kind == HTML_TOKEN_END ? 2 : 1;
	if (!html_tag_take(t, out)) {
		t->unclosed = true;
		t->unclosed_at = start;
		t->at = t->input.len;
		return RC_CLOSED;
	}
	if (t->mode != HTML_MODE_DATA)
		html_tokenizer_mode(t, HTML_MODE_DATA);
	if (out->kind == HTML_TOKEN_START)
		html_tokenizer_last(t, out->name);
	out->end = t->at;
	return RC_OK;
}

/* "<" that is no text (13.2.5.6 and .7), or the appropriate end tag of another mode. RC_AGAIN: nothing came of it. */
static enum rc markup_take(struct html_tokenizer *t, struct html_token *out)
{
	const int next = slice_at(t->input, t->at + 1);

	if (next == '!')
		return declaration_take(t, out);
	if (next == '?') {
		t->at++;
		return bogus_take(t, out);
	}
	if (next == '/') {
		const int third = slice_at(t->input, t->at + 2);
		if (third == '>') {
			t->at += 3;
			return RC_AGAIN;
		}
		if (third < 0 || !byte_is_alpha((uint8_t)third)) {
			t->at += 2;
			return bogus_take(t, out);
		}
	}
	return tag_take(t, out);
}

static enum rc token_take(struct html_tokenizer *t, struct html_token *out)
{
	*out = (struct html_token){ .start = t->at };
	if (t->at >= t->input.len)
		return RC_CLOSED;
	if (t->mode == HTML_MODE_CDATA)
		return cdata_take(t, out);
	if (text_odd(t, out))
		return RC_OK;
	out->start = t->at;
	const enum rc rc = text_take(t, out);
	if (out->text.len != 0)
		return rc;
	return markup_take(t, out);
}

enum rc html_tokenizer_next(struct html_tokenizer *t, struct html_token *out)
{
	enum rc rc;

	t->arena->used = t->arena_mark;
	do {
		rc = token_take(t, out);
	} while (rc == RC_AGAIN);
	return rc;
}
