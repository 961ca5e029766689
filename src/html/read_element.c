/* The styles that a start tag brings, and the cells of tables. */
#include "html/read_part.h"

#include "base/num.h"
#include "html/colour.h"

#define SPAN_MAX 1000u /* HTML 4.9.11: colspan is at most that */
#define LINK_BLUE 0xff0000eeu

struct inline_style {
	struct html_reader  *r;
	struct html_cascade *cascade;
};

static void inline_declaration(void *context, const struct html_declaration *declaration)
{
	const struct inline_style *style = context;

	html_cascade_put(style->cascade, declaration, HTML_WEIGHT_INLINE);
}

static void inline_url(void *context, struct slice address)
{
	const struct inline_style *style = context;

	reader_style_url(style->r, address);
}

static void hint_colour(struct html_own *own, enum html_property property, struct slice text)
{
	uint32_t colour;

	if (html_colour_legacy(text, &colour))
		html_own_hint(own, property, HTML_UNIT_COLOUR, (int32_t)colour);
}

static void hint_word(struct html_own *own, enum html_property property, enum html_keyword word)
{
	html_own_hint(own, property, HTML_UNIT_KEYWORD, (int32_t)word);
}

/* <font size>: 1 to 7, or relative to 3 (HTML 15.3.1). */
static void hint_font_size(struct html_own *own, struct slice text)
{
	static const int32_t px[] = { 10, 10, 13, 16, 18, 24, 32, 48 };
	const int            sign = slice_at(slice_trim(text), 0);
	struct slice         digits = slice_trim(text);
	uint64_t             size;

	if (sign == '+' || sign == '-')
		digits = slice_drop(digits, 1);
	if (num_take(&digits, 100, &size) != RC_OK)
		return;
	if (sign == '+')
		size += 3;
	else if (sign == '-')
		size = size < 3 ? 3 - size : 1;
	html_own_hint(own, HTML_PROPERTY_FONT_SIZE, HTML_UNIT_PX, px[size > 7 ? 7 : size] * 1000);
}

/* What browsers' own sheet says (HTML 15.3), as far as it matters. */
static void hint_element(struct html_reader *r, const struct html_token *token, struct html_open *item)
{
	struct html_own *own = &item->own;

	switch ((unsigned)token->element) {
	case HTML_ELEMENT_A:
		if (html_token_attribute(token, HTML_ATTRIBUTE_HREF) != NULL)
			html_own_hint(own, HTML_PROPERTY_COLOUR, HTML_UNIT_COLOUR,
			              (int32_t)(r->link_coloured ? r->link_colour : LINK_BLUE));
		break;
	case HTML_ELEMENT_H1:
		html_own_hint(own, HTML_PROPERTY_FONT_SIZE, HTML_UNIT_EM, 2000);
		break;
	case HTML_ELEMENT_SMALL:
	case HTML_ELEMENT_SUB:
	case HTML_ELEMENT_SUP:
		html_own_hint(own, HTML_PROPERTY_FONT_SIZE, HTML_UNIT_EM, 833);
		break;
	case HTML_ELEMENT_BIG:
		html_own_hint(own, HTML_PROPERTY_FONT_SIZE, HTML_UNIT_EM, 1200);
		break;
	case HTML_ELEMENT_PRE:
	case HTML_ELEMENT_LISTING:
	case HTML_ELEMENT_XMP:
	case HTML_ELEMENT_PLAINTEXT:
	case HTML_ELEMENT_TEXTAREA:
		hint_word(own, HTML_PROPERTY_SPACE, HTML_KEYWORD_OTHER);
		break;
	case HTML_ELEMENT_BDO:
		hint_word(own, HTML_PROPERTY_BIDI, HTML_KEYWORD_OTHER);
		break;
	case HTML_ELEMENT_HEAD:
	case HTML_ELEMENT_TEMPLATE:
	case HTML_ELEMENT_SCRIPT:
	case HTML_ELEMENT_STYLE:
	case HTML_ELEMENT_TITLE:
	case HTML_ELEMENT_DATALIST:
	case HTML_ELEMENT_XML:
	case HTML_ELEMENT_METADATA:
	case HTML_ELEMENT_DEFS:
		own->hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_INERT);
		break;
	case HTML_ELEMENT_NOSCRIPT:
		if (r->options.scripting)
			own->some |= HTML_HIDDEN_BIT(HTML_HIDDEN_FALLBACK);
		break;
	case HTML_ELEMENT_IFRAME:
	case HTML_ELEMENT_NOEMBED:
	case HTML_ELEMENT_NOFRAMES:
	case HTML_ELEMENT_OBJECT:
	case HTML_ELEMENT_APPLET:
	case HTML_ELEMENT_AUDIO:
	case HTML_ELEMENT_VIDEO:
	case HTML_ELEMENT_CANVAS:
	case HTML_ELEMENT_RP:
		own->some |= HTML_HIDDEN_BIT(HTML_HIDDEN_FALLBACK);
		break;
	case HTML_ELEMENT_DIALOG:
	case HTML_ELEMENT_DETAILS:
		/* A closed one is opened by a click; readers that know neither show all of it. */
		if (html_token_attribute(token, HTML_ATTRIBUTE_OPEN) == NULL)
			own->some |= HTML_HIDDEN_BIT(HTML_HIDDEN_CLOSED);
		break;
	default:
		break;
	}
}

static void hint_attribute(struct html_reader *r, const struct html_token *token, const struct html_attribute *attribute,
                           struct html_own *own)
{
	switch ((unsigned)attribute->name) {
	case HTML_ATTRIBUTE_BGCOLOR:
		hint_colour(own, HTML_PROPERTY_BACKGROUND, attribute->value);
		break;
	case HTML_ATTRIBUTE_BACKGROUND:
		if (attribute->value.len != 0)
			hint_word(own, HTML_PROPERTY_IMAGE, HTML_KEYWORD_OTHER);
		break;
	case HTML_ATTRIBUTE_COLOR:
		if (token->element == HTML_ELEMENT_FONT || token->element == HTML_ELEMENT_BASEFONT)
			hint_colour(own, HTML_PROPERTY_COLOUR, attribute->value);
		break;
	case HTML_ATTRIBUTE_TEXT:
		if (token->element == HTML_ELEMENT_BODY)
			hint_colour(own, HTML_PROPERTY_COLOUR, attribute->value);
		break;
	case HTML_ATTRIBUTE_LINK:
		if (token->element == HTML_ELEMENT_BODY)
			r->link_coloured = html_colour_legacy(attribute->value, &r->link_colour) || r->link_coloured;
		break;
	case HTML_ATTRIBUTE_SIZE:
		if (token->element == HTML_ELEMENT_FONT)
			hint_font_size(own, attribute->value);
		break;
	case HTML_ATTRIBUTE_HIDDEN:
		hint_word(own, HTML_PROPERTY_DISPLAY, HTML_KEYWORD_NONE);
		break;
	case HTML_ATTRIBUTE_DIR:
		hint_word(own, HTML_PROPERTY_DIRECTION,
		          slice_eq_nocase(attribute->value, SLICE("rtl")) ? HTML_KEYWORD_OTHER : HTML_KEYWORD_NONE);
		break;
	default:
		break;
	}
}

static void classes_take(struct html_reader *r, struct slice value, struct html_subject *subject)
{
	for (size_t at = 0; at < value.len;) {
		size_t size = 0;
		while (at < value.len && html_is_space(value.ptr[at]))
			at++;
		while (at + size < value.len && !html_is_space(value.ptr[at + size]))
			size++;
		if (size == 0)
			return;
		if (subject->class_count == HTML_CLASSES_MAX) {
			reader_cut(r, SLICE("classes"));
			return;
		}
		subject->classes[subject->class_count++] = html_style_hash(slice_cut(value, at, size));
		at += size;
	}
}

struct family {
	const struct html_open *item;
	const struct html_tree *tree;
};

static const struct html_subject *family_at(const void *context, size_t up)
{
	const struct family *family = context;

	if (up == 0)
		return &family->item->subject;
	return up <= family->tree->depth ? &family->tree->items[family->tree->depth - up].subject : NULL;
}

/* Rules for some screens: only what they do to display is kept. */
static void some_take(const struct html_cascade *some, struct html_own *own)
{
	const struct html_value *display = &some->values[HTML_PROPERTY_DISPLAY];
	const struct html_value *always = &own->cascade.values[HTML_PROPERTY_DISPLAY];

	if (display->set == 0)
		return;
	if (display->number == (int32_t)HTML_KEYWORD_NONE) {
		if (always->set == 0 || display->weight >= always->weight)
			own->some |= HTML_HIDDEN_BIT(HTML_HIDDEN_MEDIUM);
	} else if (always->set == 0 || display->weight >= always->weight) {
		own->some_show = true;
	}
}

static void inline_script(void *context, struct slice text)
{
	const struct inline_style *style = context;

	reader_style_script(style->r, text);
}

void reader_style(struct html_reader *r, const struct html_token *token, struct html_open *item)
{
	struct inline_style        style = { .r = r, .cascade = &item->own.cascade };
	const struct html_css_sink sink = {
		.context = &style, .declaration = inline_declaration, .url = inline_url, .script = inline_script
	};

	hint_element(r, token, item);
	for (size_t i = 0; i < token->count; i++) {
		const struct html_attribute *attribute = &token->attributes[i];
		if (attribute->name == HTML_ATTRIBUTE_STYLE)
			html_css_read(attribute->value, &sink, r->steps);
		else if (attribute->name == HTML_ATTRIBUTE_ID && attribute->value.len != 0)
			item->subject.id = html_style_hash(attribute->value);
		else if (attribute->name == HTML_ATTRIBUTE_CLASS)
			classes_take(r, attribute->value, &item->subject);
		else
			hint_attribute(r, token, attribute, &item->own);
	}
	if (r->sheet.count != 0) {
		struct html_cascade      some;
		bool                     some_set = false;
		const struct family      members = { .item = item, .tree = &r->tree };
		const struct html_family family = { .at = family_at, .context = &members };
		memset(&some, 0, sizeof some);
		html_sheet_match(&r->sheet, &family, &item->own.cascade, &some, &some_set, r->steps);
		if (some_set)
			some_take(&some, &item->own);
	}
}

static struct open_table *table_here(struct html_reader *r)
{
	return r->table_depth != 0 && r->table_depth <= TABLES_MAX ? &r->tables[r->table_depth - 1] : NULL;
}

void reader_table_start(struct html_reader *r)
{
	r->table_depth++;
	struct open_table *table = table_here(r);
	if (table == NULL)
		return;
	html_cells_init(&table->cells);
	table->x = table->count = table->with_text = 0;
	table->in_row = table->in_cell = table->cell_text = false;
}

void reader_cell_end(struct html_reader *r)
{
	struct open_table *table = table_here(r);

	if (table == NULL || !table->in_cell)
		return;
	table->with_text += table->cell_text;
	table->in_cell = table->cell_text = false;
}

void reader_table_end(struct html_reader *r)
{
	struct open_table *table = table_here(r);

	if (table != NULL) {
		reader_cell_end(r);
		if (html_cells_is_picture(&table->cells) && table->with_text <= table->count / 16) {
			reader_fact(r, HTML_FACT_CELLS, SLICE("table"));
			if (r->rc == RC_OK && r->sink->picture != NULL)
				r->rc = r->sink->picture(r->sink->context, &table->cells);
		}
	}
	if (r->table_depth != 0)
		r->table_depth--;
}

void reader_row(struct html_reader *r)
{
	struct open_table *table = table_here(r);

	if (table == NULL)
		return;
	reader_cell_end(r);
	table->x = 0;
	table->in_row = html_cells_row(&table->cells);
}

static bool is_dark(const struct html_look *look)
{
	const uint32_t colour = look->background;

	/* The weights of BT.601. */
	return (colour >> 16 & 255) * 299 + (colour >> 8 & 255) * 587 + (colour & 255) * 114 < 128000;
}

static void cell_paint(struct open_table *table, bool dark)
{
	for (unsigned i = 0; i < table->cell_width; i++)
		html_cells_put(&table->cells, table->cell_x + i, dark);
}

void reader_cell(struct html_reader *r, const struct html_token *token, const struct html_look *look)
{
	struct open_table *table = table_here(r);
	struct slice       span = slice_trim(html_token_value(token, HTML_ATTRIBUTE_COLSPAN));
	uint64_t           width = 1;

	if (table == NULL)
		return;
	if (!table->in_row)
		reader_row(r);
	reader_cell_end(r);
	if (num_take(&span, SPAN_MAX, &width) != RC_OK || width == 0)
		width = 1;
	table->cell_x = table->x;
	table->cell_width = (unsigned)width;
	table->x += table->x < HTML_CELLS_MAX ? (unsigned)width : 0;
	table->count++;
	table->in_cell = true;
	cell_paint(table, is_dark(look));
}

/* A box in a cell that fills it with another colour. */
void reader_cell_inside(struct html_reader *r, const struct html_look *look)
{
	struct open_table *table = table_here(r);

	if (table == NULL || !table->in_cell || table->cell_text)
		return;
	cell_paint(table, is_dark(look));
}
