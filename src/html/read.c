/* The walk over a page: tokens to the stack of open elements, and from both to the sink. */
#include "html/read_part.h"

#define REOPEN_STEPS 16u

_Static_assert(sizeof(struct html_reader) <= HTML_READER_MAX - 64, "as read.h says");

struct html_reader *html_reader_make(struct arena *arena)
{
	return arena_take(arena, 1, sizeof(struct html_reader));
}

void reader_fact(struct html_reader *r, enum html_fact fact, struct slice evidence)
{
	if (r->told[fact] == FACT_EACH_MAX || r->rc != RC_OK)
		return;
	r->told[fact]++;
	if (r->sink->fact != NULL)
		r->rc = r->sink->fact(r->sink->context, fact, slice_take(evidence, HTML_EVIDENCE_MAX));
}

void reader_fact_once(struct html_reader *r, enum html_fact fact, struct slice evidence)
{
	if (r->told[fact] == 0)
		reader_fact(r, fact, evidence);
}

void reader_cut(struct html_reader *r, struct slice which)
{
	r->summary->cut = true;
	reader_fact_once(r, HTML_FACT_CUT, which);
}

void reader_link(struct html_reader *r, const struct html_link *link)
{
	r->summary->links += r->summary->links != UINT32_MAX;
	if (r->rc == RC_OK && r->sink->link != NULL)
		r->rc = r->sink->link(r->sink->context, link);
}

struct slice reader_keep(struct html_reader *r, struct slice s)
{
	struct slice kept;

	if (arena_copy(r->arena, s, &kept) == RC_OK)
		return kept;
	reader_cut(r, SLICE("memory"));
	return (struct slice){ NULL, 0 };
}

/* False: there are not so many steps left. */
static bool steps_take(struct html_reader *r, uint64_t count)
{
	if (*r->steps < count) {
		*r->steps = 0;
		reader_cut(r, SLICE("steps"));
		return false;
	}
	*r->steps -= count;
	return true;
}

/* What is opened again costs about what its tag has cost. */
static void reopen(struct html_reader *r)
{
	const size_t count = html_tree_reopen(&r->tree);

	if (count != 0)
		(void)steps_take(r, count * REOPEN_STEPS);
}

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!html_is_space(s.ptr[i]))
			return false;
	}
	return true;
}

static void on_text(struct html_reader *r, const struct html_token *token)
{
	const bool blank = is_blank(token->text);

	if (r->raw_element == HTML_ELEMENT_TITLE) {
		const struct html_text text = { .place = HTML_PLACE_TITLE, .text = token->text };
		if (r->rc == RC_OK && r->sink->text != NULL)
			r->rc = r->sink->text(r->sink->context, &text);
		return;
	}
	if (r->raw_element != HTML_ELEMENT_OTHER && r->raw_element != HTML_ELEMENT_TEXTAREA &&
	    r->raw_element != HTML_ELEMENT_XMP && r->raw_element != HTML_ELEMENT_PLAINTEXT)
		return;
	if (!blank) {
		html_tree_text(&r->tree);
		reopen(r);
	}
	const struct html_open *top = html_tree_top(&r->tree);
	const struct html_look *look = blank && top != NULL ? &top->look : html_tree_here(&r->tree);
	reader_text(r, look, top != NULL ? top->link : 0, token->text);
}

static bool is_block(const struct html_open *item)
{
	if (item->look.display_set)
		return item->look.block;
	return (html_element_flags(item->element) & HTML_BLOCK) != 0;
}

static uint8_t mark_of(const struct html_open *item)
{
	if (item->element == HTML_ELEMENT_TD || item->element == HTML_ELEMENT_TH)
		return '\t';
	return is_block(item) || item->element == HTML_ELEMENT_BR ? '\n' : 0;
}

/* The stack tells of each element that ends. */
static void on_closed(void *context, const struct html_open *item)
{
	struct html_reader *r = context;
	const uint8_t       mark = mark_of(item);

	if (mark != 0)
		reader_mark(r, &item->look, mark);
	if (item->foreign != 0)
		return;
	if (item->element == HTML_ELEMENT_TABLE)
		reader_table_end(r);
	else if (item->element == HTML_ELEMENT_TD || item->element == HTML_ELEMENT_TH)
		reader_cell_end(r);
	else if (item->element == HTML_ELEMENT_FORM)
		reader_form_end(r);
}

static void element_facts(struct html_reader *r, const struct html_token *token, const struct html_open *item)
{
	switch ((unsigned)token->element) {
	case HTML_ELEMENT_SVG:
		reader_fact_once(r, HTML_FACT_SVG, token->name);
		break;
	case HTML_ELEMENT_FOREIGNOBJECT:
		reader_fact_once(r, HTML_FACT_SVG_FOREIGN, token->name);
		break;
	case HTML_ELEMENT_IFRAME:
	case HTML_ELEMENT_FRAME:
		reader_fact(r, HTML_FACT_FRAME, html_token_value(token, HTML_ATTRIBUTE_SRC));
		break;
	case HTML_ELEMENT_OBJECT:
	case HTML_ELEMENT_EMBED:
	case HTML_ELEMENT_APPLET:
		reader_fact(r, HTML_FACT_OBJECT, slice_cut(r->page, token->start, token->end - token->start));
		break;
	default:
		break;
	}
	if (item->look.override && item->look.rtl)
		reader_fact_once(r, HTML_FACT_DIRECTION, slice_cut(r->page, token->start, token->end - token->start));
	if ((token->flags & HTML_TOKEN_DUPLICATE) != 0)
		reader_fact_once(r, HTML_FACT_DUPLICATE, slice_cut(r->page, token->start, token->end - token->start));
	if ((token->flags & HTML_TOKEN_LIMIT) != 0)
		reader_cut(r, SLICE("attributes"));
	if ((token->flags & HTML_TOKEN_FULL) != 0)
		reader_cut(r, SLICE("value"));
}

static void element_parts(struct html_reader *r, const struct html_token *token, const struct html_open *item)
{
	switch ((unsigned)token->element) {
	case HTML_ELEMENT_TABLE:
		reader_table_start(r);
		break;
	case HTML_ELEMENT_TR:
		reader_row(r);
		break;
	case HTML_ELEMENT_TD:
	case HTML_ELEMENT_TH:
		reader_cell(r, token, &item->look);
		break;
	case HTML_ELEMENT_FORM:
		reader_form_start(r, token);
		break;
	case HTML_ELEMENT_INPUT:
	case HTML_ELEMENT_SELECT:
	case HTML_ELEMENT_TEXTAREA:
	case HTML_ELEMENT_BUTTON:
		reader_form_input(r, token);
		break;
	default:
		if (r->table_depth != 0 && item->parent < HTML_DEPTH_MAX && r->tree.depth != 0 &&
		    item->look.background != html_tree_top(&r->tree)->look.background)
			reader_cell_inside(r, &item->look);
		break;
	}
}

static void on_start(struct html_reader *r, const struct html_token *token)
{
	struct html_open item;
	const bool       means = html_tree_before(&r->tree, token);
	const bool       foreign = html_tree_foreign(&r->tree);
	const unsigned   flags = html_element_flags(token->element);

	if (!foreign && (flags & (HTML_BLOCK | HTML_SCOPE)) == 0 && token->element != HTML_ELEMENT_HEAD)
		reopen(r);
	html_tree_item(&r->tree, token, &item);
	reader_style(r, token, &item);
	html_tree_look(&r->tree, &item);
	r->summary->elements += r->summary->elements != UINT32_MAX;
	html_fingerprint_add(&r->summary->fingerprint, token->hash, html_token_value(token, HTML_ATTRIBUTE_CLASS));
	const uint8_t mark = mark_of(&item);
	if (mark != 0)
		reader_mark(r, &item.look, mark);
	reader_attributes(r, token, &item);
	element_facts(r, token, &item);
	if (!means)
		return;
	if (!foreign)
		element_parts(r, token, &item);
	const bool is_void = foreign ? (token->flags & HTML_TOKEN_SELF_CLOSING) != 0
	                             : (flags & HTML_VOID) != 0 || token->element == HTML_ELEMENT_IMAGE ||
	                                   (item.foreign != 0 && (token->flags & HTML_TOKEN_SELF_CLOSING) != 0);
	if (is_void)
		return;
	html_tree_push(&r->tree, &item);
	const enum html_mode mode = foreign ? HTML_MODE_DATA : html_element_mode(token->element, r->options.scripting);
	if (mode != HTML_MODE_DATA || token->element == HTML_ELEMENT_SCRIPT) {
		r->raw_element = token->element;
		r->raw_start = token->end;
	}
	if (mode != HTML_MODE_DATA)
		html_tokenizer_mode(&r->tokenizer, mode);
}

/* The end of what was no markup: script, style, title, iframe and so on. */
static void raw_end(struct html_reader *r, size_t end)
{
	const enum html_element element = r->raw_element;
	const struct slice      raw = slice_cut(r->page, r->raw_start, end - r->raw_start);

	r->raw_element = HTML_ELEMENT_OTHER;
	switch ((unsigned)element) {
	case HTML_ELEMENT_SCRIPT:
		if (!is_blank(raw))
			reader_script(r, HTML_SCRIPT_ELEMENT, raw);
		return;
	case HTML_ELEMENT_IFRAME:
	case HTML_ELEMENT_NOEMBED:
	case HTML_ELEMENT_NOFRAMES:
	case HTML_ELEMENT_NOSCRIPT:
		if (!is_blank(raw))
			reader_inner_add(r, raw, 0, HTML_HIDDEN_BIT(HTML_HIDDEN_FALLBACK));
		return;
	default:
		if (raw.len != 0 && memchr(raw.ptr, '<', raw.len) != NULL)
			reader_markup(r, raw);
		return;
	}
}

static void on_end(struct html_reader *r, const struct html_token *token)
{
	if (r->raw_element == token->element && r->raw_element != HTML_ELEMENT_OTHER)
		raw_end(r, token->start);
	const bool breaks = token->element == HTML_ELEMENT_BR || (token->element == HTML_ELEMENT_P && r->tree.open[HTML_ELEMENT_P] == 0);
	html_tree_end(&r->tree, token);
	if (breaks)
		reader_mark(r, html_tree_here(&r->tree), '\n');
	if (token->element == HTML_ELEMENT_A)
		reader_link_flush(r);
}

static void on_token(struct html_reader *r, const struct html_token *token)
{
	switch (token->kind) {
	case HTML_TOKEN_TEXT:
		on_text(r, token);
		return;
	case HTML_TOKEN_START:
		on_start(r, token);
		r->tokenizer.cdata = html_tree_foreign(&r->tree);
		return;
	case HTML_TOKEN_END:
		on_end(r, token);
		r->tokenizer.cdata = html_tree_foreign(&r->tree);
		return;
	case HTML_TOKEN_COMMENT:
		reader_comment(r, token);
		return;
	case HTML_TOKEN_DOCTYPE:
		return;
	}
}

/* Where the last "<style" of a page begins, or the page's size. */
static size_t last_style(struct slice page)
{
	size_t last = page.len;

	for (size_t at = 0; at + 6 < page.len;) {
		const uint8_t *less = memchr(page.ptr + at, '<', page.len - 6 - at);
		if (less == NULL)
			break;
		at = (size_t)(less - page.ptr);
		if ((page.ptr[at + 1] | 0x20) == 's' && slice_eq_nocase(slice_cut(page, at + 1, 5), SLICE("style")))
			last = at;
		at++;
	}
	return last;
}

/*
 * A sheet counts for what stands before it too, so that all of them are read first. Pages have them at their front,
 * which is all that is tokenised twice.
 */
static void sheets_read(struct html_reader *r, struct slice page)
{
	const size_t      last = last_style(page);
	struct html_token token;
	size_t            start = SIZE_MAX;

	if (last == page.len)
		return;
	html_tokenizer_init(&r->tokenizer, page, &r->token_arena);
	while (html_tokenizer_next(&r->tokenizer, &token) == RC_OK && (token.start <= last || start != SIZE_MAX)) {
		if (!steps_take(r, token.end - token.start))
			return;
		if (token.kind == HTML_TOKEN_START) {
			const enum html_mode mode = html_element_mode(token.element, r->options.scripting);
			if (mode != HTML_MODE_DATA)
				html_tokenizer_mode(&r->tokenizer, mode);
			if (token.element == HTML_ELEMENT_STYLE)
				start = token.end;
		} else if (token.kind == HTML_TOKEN_END && token.element == HTML_ELEMENT_STYLE && start != SIZE_MAX) {
			html_sheet_add(&r->sheet, slice_cut(page, start, token.start - start), r->steps);
			start = SIZE_MAX;
		}
	}
	if (start != SIZE_MAX) /* never closed */
		html_sheet_add(&r->sheet, slice_drop(page, start), r->steps);
	if (r->sheet.cut || *r->steps == 0)
		reader_cut(r, r->sheet.cut ? SLICE("rules") : SLICE("steps"));
}

/* The page ends inside a tag: browsers drop it, some readers close it. */
static void unclosed_take(struct html_reader *r)
{
	const struct slice raw = slice_take(slice_drop(r->page, r->tokenizer.unclosed_at), ADDRESS_MAX);

	reader_fact(r, HTML_FACT_UNCLOSED, raw);
	uint8_t *text = r->depth == 0 ? arena_bytes(r->arena, raw.len + 2) : NULL;
	if (text == NULL)
		return;
	memcpy(text, raw.ptr, raw.len);
	/* Whichever quote is open: the first of them that stands behind "=" closes it. */
	const size_t equals = slice_find_last(raw, '=');
	const int    quote = slice_at(raw, equals + 1);
	text[raw.len] = quote == '"' || quote == '\'' ? (uint8_t)quote : ' ';
	text[raw.len + 1] = '>';
	reader_inner_add(r, slice_of(text, raw.len + 2), 0, HTML_HIDDEN_BIT(HTML_HIDDEN_FALLBACK));
}

static void page_read(struct html_reader *r, const struct inner *inner)
{
	struct html_token token;
	enum rc           rc = RC_OK;

	r->page = inner->page;
	r->depth = inner->depth;
	r->raw_element = HTML_ELEMENT_OTHER;
	r->table_depth = 0;
	sheets_read(r, inner->page);
	html_tokenizer_init(&r->tokenizer, inner->page, &r->token_arena);
	html_tree_init(&r->tree, on_closed, r);
	r->tree.root.hidden = r->tree.root.sticky_hidden = inner->hidden;
	r->tree.root.some = r->tree.root.sticky_some = inner->some;
	while (r->rc == RC_OK) {
		rc = html_tokenizer_next(&r->tokenizer, &token);
		if (rc != RC_OK || !steps_take(r, token.end - token.start + 8))
			break;
		on_token(r, &token);
	}
	if (r->raw_element != HTML_ELEMENT_OTHER)
		raw_end(r, inner->page.len);
	html_tree_close(&r->tree);
	reader_link_flush(r);
	reader_form_end(r);
	if (rc == RC_CLOSED && r->tokenizer.unclosed)
		unclosed_take(r);
	reader_mark(r, &r->tree.root, '\n');
	reader_streams_flush(r);
	reader_drawing_end(r);
}

static void stream_start(struct stream *s)
{
	s->place = HTML_PLACE_SHOWN;
	s->hidden = s->some = s->flags = 0;
	s->space = s->any = false;
	s->mark = 0;
	s->size = 0;
}

enum rc html_read(struct html_reader *r, struct slice page, const struct html_options *options, struct arena *arena,
                  const struct html_sink *sink, uint64_t *steps, struct html_summary *out)
{
	const struct html_css_sink told = { .context = r, .url = reader_style_url, .script = reader_style_script };
	const struct inner         whole = { .page = page };

	*out = (struct html_summary){ .cut = false };
	html_fingerprint_init(&out->fingerprint);
	r->sink = sink;
	r->options = *options;
	r->arena = arena;
	r->steps = steps;
	r->summary = out;
	r->rc = RC_OK;
	memset(r->told, 0, sizeof r->told);
	r->inner_count = 0;
	r->base = (struct slice){ NULL, 0 };
	r->link_coloured = r->form_open = r->drawing = false;
	r->form = (struct html_form){ .count = 0 };
	r->link.serial = 0;
	r->drawing_size = 0;
	stream_start(&r->seen);
	stream_start(&r->unseen);
	r->unseen.place = HTML_PLACE_HIDDEN;
	r->token_arena = arena_on(r->token_bytes, sizeof r->token_bytes);
	html_sheet_init(&r->sheet, arena, &told);
	page_read(r, &whole);
	for (size_t i = 0; i < r->inner_count && r->rc == RC_OK && *steps != 0; i++)
		page_read(r, &r->inner[i]);
	return r->rc;
}
