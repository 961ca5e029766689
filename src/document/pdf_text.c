/* Operators of content streams that set fonts, move the place and show text. */
#include "document/pdf_text.h"

#include "base/memory.h"

/* Operands of one operator; more are dropped from the front. */
#define OPERANDS_MAX 8u
/* Parents of a page that are asked for its resources. */
#define PARENTS_MAX 16u
/* Contents of one page. */
#define CONTENT_BYTES_MAX ((size_t)32 << 20)
/* A gap in a line, in thousandths of the font's size, that reads as a blank. */
#define GAP_IS_BLANK (-180.0)

enum rc pdf_text_make(struct pdf_file *file, const struct content_sink *sink, struct pdf_text *out)
{
	*out = (struct pdf_text){ .file = file, .sink = sink, .out = buf_make(PDF_TEXT_PIECE * 8), .place = CONTENT_PLACE_BODY };
	out->fonts = memory_take(PDF_FONTS_MAX, sizeof *out->fonts);
	return out->fonts == NULL ? RC_NOMEM : arena_init(&out->arena, PDF_FONTS_ARENA_BYTES);
}

void pdf_text_done(struct pdf_text *text)
{
	memory_give(text->fonts);
	text->fonts = NULL;
	arena_done(&text->arena);
	buf_done(&text->out);
}

static enum rc flush(struct pdf_text *text)
{
	const enum rc rc = sink_text(text->sink, text->place, buf_slice(&text->out));

	buf_clear(&text->out);
	return rc;
}

/* The font that `value` is or refers to, read once. NULL with *rc set. */
static const struct pdf_font *font_of(struct pdf_text *text, const struct pdf_value *value, enum rc *rc)
{
	const int32_t    id = value->kind == PDF_REFERENCE ? value->number : -1;
	struct pdf_value dictionary;
	struct slice     none;

	for (size_t i = 0; i < text->count && id >= 0; i++) {
		if (text->ids[i] == id)
			return &text->fonts[i];
	}
	*rc = pdf_file_follow(text->file, value, &dictionary, &none);
	if (*rc != RC_OK || dictionary.kind != PDF_DICTIONARY)
		return NULL;
	if (text->count == PDF_FONTS_MAX) {
		text->count = 0;
		arena_reset(&text->arena);
	}
	enum rc read = pdf_font_read(text->file, &dictionary, &text->arena, &text->fonts[text->count]);
	if (read == RC_NOMEM && text->count != 0) {
		/* The memory is full of the fonts before. */
		text->count = 0;
		arena_reset(&text->arena);
		read = pdf_font_read(text->file, &dictionary, &text->arena, &text->fonts[0]);
	}
	if (read != RC_OK) {
		*rc = read == RC_NOMEM ? RC_OK : read;
		return NULL;
	}
	text->ids[text->count] = id;
	return &text->fonts[text->count++];
}

/* What is known while one content stream is read. */
struct state {
	struct pdf_value       resources;
	const struct pdf_font *font;
	struct pdf_value       operands[OPERANDS_MAX];
	size_t                 count;
};

static enum rc show(struct pdf_text *text, const struct state *state, struct slice string)
{
	if (state->font == NULL || string.len > PDF_TEXT_PIECE)
		return RC_OK;
	if (text->out.len > PDF_TEXT_PIECE) {
		const enum rc rc = flush(text);
		if (rc != RC_OK)
			return rc;
	}
	return budget_take(text->file->budget, BUDGET_STEPS, pdf_font_put(state->font, string, &text->out)) ? RC_OK : RC_LIMIT;
}

/* TJ: strings, and moves between them. */
static enum rc show_array(struct pdf_text *text, const struct state *state, const struct pdf_value *array)
{
	for (size_t i = 0; array->kind == PDF_ARRAY && i < array->count; i++) {
		const struct pdf_value *item = &array->items[i];
		enum rc                 rc = RC_OK;
		if (item->kind == PDF_STRING)
			rc = show(text, state, item->text);
		else if (item->kind == PDF_NUMBER && item->real < GAP_IS_BLANK && text->out.len != 0 && slice_last(buf_slice(&text->out)) != ' ')
			buf_put_byte(&text->out, ' ');
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static void new_line(struct pdf_text *text)
{
	if (text->out.len != 0 && slice_last(buf_slice(&text->out)) != '\n')
		buf_put_byte(&text->out, '\n');
}

static enum rc set_font(struct pdf_text *text, struct state *state)
{
	struct pdf_value fonts;
	enum rc          rc = RC_OK;

	if (state->count < 2 || state->operands[state->count - 2].kind != PDF_NAME)
		return RC_OK;
	const struct slice name = state->operands[state->count - 2].text;
	rc = pdf_file_get(text->file, &state->resources, "Font", &fonts);
	state->font = NULL;
	for (size_t i = 0; rc == RC_OK && fonts.kind == PDF_DICTIONARY && i + 1 < fonts.count; i += 2) {
		if (slice_eq(fonts.items[i].text, name)) {
			state->font = font_of(text, &fonts.items[i + 1], &rc);
			break;
		}
	}
	return rc;
}

static enum rc run(struct pdf_text *text, struct slice content, const struct pdf_value *resources);

/* Do: a form is a content stream of its own. */
static enum rc draw_form(struct pdf_text *text, const struct state *state)
{
	struct pdf_value forms, form, resources;
	struct slice     stream, rest;
	enum rc          rc = pdf_file_get(text->file, &state->resources, "XObject", &forms);

	if (rc != RC_OK || state->count == 0 || forms.kind != PDF_DICTIONARY || text->depth >= PDF_FORMS_DEPTH_MAX ||
	    text->forms > PDF_FORMS_MAX)
		return rc;
	const struct pdf_value *found = NULL;
	for (size_t i = 0; i + 1 < forms.count && found == NULL; i += 2) {
		if (slice_eq(forms.items[i].text, state->operands[state->count - 1].text))
			found = &forms.items[i + 1];
	}
	rc = pdf_file_follow(text->file, found, &form, &stream);
	if (rc != RC_OK || stream.len == 0 || !pdf_is_name(pdf_get(&form, "Subtype"), "Form"))
		return rc;
	rc = pdf_file_get(text->file, &form, "Resources", &resources);
	if (rc != RC_OK)
		return rc;
	if (text->forms++ == PDF_FORMS_MAX) {
		text->file->cut = true;
		return RC_OK;
	}
	struct buf content = buf_make(CONTENT_BYTES_MAX);
	rc = pdf_file_decode(text->file, &form, stream, &content, &rest);
	text->depth++;
	if (rc == RC_OK)
		rc = run(text, buf_slice(&content), resources.kind == PDF_DICTIONARY ? &resources : &state->resources);
	text->depth--;
	buf_done(&content);
	return rc;
}

/* Tr: 3 and 7 show nothing. */
static enum rc set_mode(struct pdf_text *text, const struct pdf_value *mode)
{
	const bool               hidden = mode->kind == PDF_NUMBER && (mode->number == 3 || mode->number == 7);
	const enum content_place place = hidden ? CONTENT_PLACE_HIDDEN : CONTENT_PLACE_BODY;

	if (place == text->place)
		return RC_OK;
	new_line(text);
	const enum rc rc = flush(text);
	text->place = place;
	return rc;
}

static enum rc operate(struct pdf_text *text, struct state *state, struct slice word)
{
	static const struct pdf_value nothing = { .kind = PDF_NULL };
	const struct pdf_value *last = state->count != 0 ? &state->operands[state->count - 1] : &nothing;

	if (slice_eq(word, SLICE("Tj")))
		return show(text, state, last->kind == PDF_STRING ? last->text : slice_of(NULL, 0));
	if (slice_eq(word, SLICE("TJ")))
		return show_array(text, state, last);
	if (slice_eq(word, SLICE("'")) || slice_eq(word, SLICE("\""))) {
		new_line(text);
		return show(text, state, last->kind == PDF_STRING ? last->text : slice_of(NULL, 0));
	}
	if (slice_eq(word, SLICE("Tf")))
		return set_font(text, state);
	if (slice_eq(word, SLICE("Tr")))
		return set_mode(text, last);
	if (slice_eq(word, SLICE("Do")))
		return draw_form(text, state);
	if (slice_eq(word, SLICE("Td")) || slice_eq(word, SLICE("TD"))) {
		if (last->kind == PDF_NUMBER && last->real != 0)
			new_line(text);
		else if (text->out.len != 0 && slice_last(buf_slice(&text->out)) > ' ')
			buf_put_byte(&text->out, ' ');
	} else if (slice_eq(word, SLICE("T*")) || slice_eq(word, SLICE("BT")) || slice_eq(word, SLICE("Tm"))) {
		new_line(text);
	}
	return RC_OK;
}

/* Behind "ID" the bytes of a picture stand until "EI" between blanks (section 8.9.7). */
static void skip_picture(struct pdf_parser *parser)
{
	for (; parser->at + 3 < parser->text.len; parser->at++) {
		const uint8_t *p = parser->text.ptr + parser->at;
		if (pdf_is_blank(p[0]) && p[1] == 'E' && p[2] == 'I' && pdf_is_blank(p[3])) {
			parser->at += 3;
			return;
		}
	}
	parser->at = parser->text.len;
}

static enum rc run(struct pdf_text *text, struct slice content, const struct pdf_value *resources)
{
	struct pdf_parser parser = { .text = content, .arena = &text->file->arena, .stack = text->file->stack, .content = true };
	struct state      state = { .resources = *resources };
	const size_t      used = text->file->arena.used;
	enum rc           rc = budget_take(text->file->budget, BUDGET_STEPS, content.len) ? RC_OK : RC_LIMIT;

	while (rc == RC_OK) {
		struct pdf_value value;
		rc = pdf_parse(&parser, &value);
		if (rc != RC_OK)
			break;
		if (value.kind != PDF_WORD) {
			if (state.count == OPERANDS_MAX) {
				memmove(state.operands, state.operands + 1, (OPERANDS_MAX - 1) * sizeof state.operands[0]);
				state.count--;
			}
			state.operands[state.count++] = value;
			continue;
		}
		if (slice_eq(value.text, SLICE("ID")))
			skip_picture(&parser);
		else
			rc = operate(text, &state, value.text);
		state.count = 0;
		text->file->arena.used = used;
	}
	text->file->arena.used = used;
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* One stream of a page, or all of an array joined by a line end. */
static enum rc gather(struct pdf_text *text, const struct pdf_value *contents, struct buf *out)
{
	struct pdf_value value;
	struct slice     stream, rest;
	struct buf       part = buf_make(CONTENT_BYTES_MAX);
	enum rc          rc = pdf_file_follow(text->file, contents, &value, &stream);
	const size_t     count = rc == RC_OK && value.kind == PDF_ARRAY ? value.count : 1;
	const bool       many = rc == RC_OK && value.kind == PDF_ARRAY;
	const bool       bomb = text->file->bomb;

	text->file->bomb = false; /* a bomb ends this page, not the next */
	for (size_t i = 0; i < count && rc == RC_OK && !out->failed && !text->file->bomb; i++) {
		const size_t     used = text->file->arena.used;
		struct pdf_value one = value;
		if (many)
			rc = pdf_file_follow(text->file, &value.items[i], &one, &stream);
		if (rc == RC_OK && stream.len != 0) {
			buf_clear(&part);
			rc = pdf_file_decode(text->file, &one, stream, &part, &rest);
			buf_put(out, buf_slice(&part));
			buf_put_byte(out, '\n');
		}
		text->file->arena.used = used;
	}
	text->file->bomb = text->file->bomb || bomb;
	buf_done(&part);
	return rc;
}

/* The resources of a page or of the nearest of its parents that has some. */
static enum rc resources_of(struct pdf_text *text, const struct pdf_value *page, struct pdf_value *out)
{
	struct pdf_value now = *page;

	for (size_t i = 0; i < PARENTS_MAX; i++) {
		struct pdf_value parent;
		enum rc          rc = pdf_file_get(text->file, &now, "Resources", out);
		if (rc != RC_OK || out->kind == PDF_DICTIONARY)
			return rc;
		rc = pdf_file_get(text->file, &now, "Parent", &parent);
		if (rc != RC_OK || parent.kind != PDF_DICTIONARY)
			return rc;
		now = parent;
	}
	return RC_OK;
}

enum rc pdf_text_page(struct pdf_text *text, const struct pdf_value *page)
{
	struct pdf_value resources = { .kind = PDF_NULL };
	struct buf       content = buf_make(CONTENT_BYTES_MAX);
	const size_t     used = text->file->arena.used;
	enum rc          rc = resources_of(text, page, &resources);

	if (rc == RC_OK)
		rc = gather(text, pdf_get(page, "Contents"), &content);
	if (rc == RC_OK || rc == RC_LIMIT) {
		const enum rc ran = run(text, buf_slice(&content), &resources);
		rc = rc != RC_OK ? rc : ran;
	}
	new_line(text);
	const enum rc told = flush(text);
	text->place = CONTENT_PLACE_BODY;
	text->file->arena.used = used;
	buf_done(&content);
	return told != RC_OK ? told : rc;
}
