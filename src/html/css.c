/* Declarations: cut at ";" outside quotes and brackets, each value read by the kind of its property. */
#include "html/css.h"

#include "html/colour.h"
#include "html/entity.h"
#include "html/tokenizer.h"

#define NAME_MAX_BYTES 48u
#define DEPTH_MAX      64u
#define NUMBER_MAX     1000000

enum kind {
	KIND_DISPLAY,
	KIND_VISIBILITY,
	KIND_NUMBER,
	KIND_COLOUR,
	KIND_BACKGROUND,
	KIND_IMAGE,
	KIND_FONT_SIZE,
	KIND_FONT,
	KIND_LENGTH,
	KIND_LINE_HEIGHT,
	KIND_OVERFLOW,
	KIND_POSITION,
	KIND_HIDE,
	KIND_CLIP,
	KIND_TRANSFORM,
	KIND_DIRECTION,
	KIND_BIDI,
	KIND_SPACE,
	KIND_MARGIN,
	KIND_FILTER,
	KIND_INSET,
	KIND_SCALE,
	KIND_SCRIPT,
};

struct property {
	struct slice name;
	uint8_t      kind;
	uint8_t      property;
};

#define PROPERTY(name, kind, property) { SLICE_INIT(name), kind, property }

static const struct property properties[] = {
	PROPERTY("-moz-binding", KIND_SCRIPT, HTML_PROPERTIES),
	PROPERTY("-webkit-text-fill-color", KIND_COLOUR, HTML_PROPERTY_COLOUR),
	PROPERTY("background", KIND_BACKGROUND, HTML_PROPERTY_BACKGROUND),
	PROPERTY("background-color", KIND_COLOUR, HTML_PROPERTY_BACKGROUND),
	PROPERTY("background-image", KIND_IMAGE, HTML_PROPERTY_IMAGE),
	PROPERTY("behavior", KIND_SCRIPT, HTML_PROPERTIES),
	PROPERTY("bottom", KIND_LENGTH, HTML_PROPERTY_BOTTOM),
	PROPERTY("clip", KIND_CLIP, HTML_PROPERTY_CLIP),
	PROPERTY("clip-path", KIND_CLIP, HTML_PROPERTY_CLIP),
	PROPERTY("color", KIND_COLOUR, HTML_PROPERTY_COLOUR),
	PROPERTY("direction", KIND_DIRECTION, HTML_PROPERTY_DIRECTION),
	PROPERTY("display", KIND_DISPLAY, HTML_PROPERTY_DISPLAY),
	PROPERTY("filter", KIND_FILTER, HTML_PROPERTY_OPACITY),
	PROPERTY("font", KIND_FONT, HTML_PROPERTY_FONT_SIZE),
	PROPERTY("font-size", KIND_FONT_SIZE, HTML_PROPERTY_FONT_SIZE),
	PROPERTY("height", KIND_LENGTH, HTML_PROPERTY_HEIGHT),
	PROPERTY("inset", KIND_INSET, HTML_PROPERTY_LEFT),
	PROPERTY("left", KIND_LENGTH, HTML_PROPERTY_LEFT),
	PROPERTY("line-height", KIND_LINE_HEIGHT, HTML_PROPERTY_LINE_HEIGHT),
	PROPERTY("margin", KIND_MARGIN, HTML_PROPERTY_MARGIN_LEFT),
	PROPERTY("margin-left", KIND_LENGTH, HTML_PROPERTY_MARGIN_LEFT),
	PROPERTY("margin-top", KIND_LENGTH, HTML_PROPERTY_MARGIN_TOP),
	PROPERTY("max-height", KIND_LENGTH, HTML_PROPERTY_MAX_HEIGHT),
	PROPERTY("max-width", KIND_LENGTH, HTML_PROPERTY_MAX_WIDTH),
	PROPERTY("mso-hide", KIND_HIDE, HTML_PROPERTY_MSO_HIDE),
	PROPERTY("opacity", KIND_NUMBER, HTML_PROPERTY_OPACITY),
	PROPERTY("overflow", KIND_OVERFLOW, HTML_PROPERTY_OVERFLOW),
	PROPERTY("overflow-x", KIND_OVERFLOW, HTML_PROPERTY_OVERFLOW),
	PROPERTY("overflow-y", KIND_OVERFLOW, HTML_PROPERTY_OVERFLOW),
	PROPERTY("position", KIND_POSITION, HTML_PROPERTY_POSITION),
	PROPERTY("right", KIND_LENGTH, HTML_PROPERTY_RIGHT),
	PROPERTY("scale", KIND_SCALE, HTML_PROPERTY_SCALE),
	PROPERTY("text-indent", KIND_LENGTH, HTML_PROPERTY_TEXT_INDENT),
	PROPERTY("top", KIND_LENGTH, HTML_PROPERTY_TOP),
	PROPERTY("transform", KIND_TRANSFORM, HTML_PROPERTY_SCALE),
	PROPERTY("unicode-bidi", KIND_BIDI, HTML_PROPERTY_BIDI),
	PROPERTY("visibility", KIND_VISIBILITY, HTML_PROPERTY_VISIBILITY),
	PROPERTY("white-space", KIND_SPACE, HTML_PROPERTY_SPACE),
	PROPERTY("width", KIND_LENGTH, HTML_PROPERTY_WIDTH),
};

/* First letters of the names above, so that most others cost one look. */
static bool may_be_property(uint8_t first)
{
	return first == '-' || (byte_is_alpha(first) && (1u << (byte_lower(first) - 'a') & 0x007ed9aeu) != 0);
}

struct reader {
	const struct html_css_sink *sink;
	bool                        important;
};

static void put(const struct reader *r, enum html_property property, enum html_unit unit, int32_t number)
{
	const struct html_declaration declaration = { .property = (uint8_t)property,
		                                      .unit = (uint8_t)unit,
		                                      .important = r->important,
		                                      .number = number };

	r->sink->declaration(r->sink->context, &declaration);
}

static void put_word(const struct reader *r, enum html_property property, enum html_keyword word)
{
	put(r, property, HTML_UNIT_KEYWORD, (int32_t)word);
}

size_t html_css_skip(struct slice s)
{
	const int first = slice_at(s, 0);

	if (first == '/' && slice_at(s, 1) == '*') {
		const size_t end = slice_search(slice_drop(s, 2), SLICE("*/"));
		return end + 4 < s.len ? end + 4 : s.len;
	}
	if (first == '\\')
		return s.len < 2 ? s.len : 2;
	if (first != '"' && first != '\'')
		return 0;
	size_t at = 1;
	/* A quoted string that its line does not close ends there (CSS Syntax 3 section 4.3.5). */
	while (at < s.len && s.ptr[at] != first && s.ptr[at] != '\n')
		at += s.ptr[at] == '\\' ? 2 : 1;
	return at < s.len ? at + 1 : s.len;
}

/* An escape at s.ptr[at] (CSS Syntax 3 section 4.3.7) as UTF-8. Returns the bytes it takes. */
static size_t escape_take(struct slice s, uint8_t *out, size_t *size)
{
	uint32_t code = 0;
	size_t   at = 1;

	for (; at < s.len && at < 7; at++) {
		const uint8_t byte = byte_lower(s.ptr[at]);
		if (byte_is_digit(byte))
			code = code * 16 + (uint32_t)(byte - '0');
		else if (byte >= 'a' && byte <= 'f')
			code = code * 16 + (uint32_t)(byte - 'a') + 10;
		else
			break;
	}
	if (at == 1) {
		*size = s.len > 1 && s.ptr[1] != '\n';
		if (*size != 0)
			out[0] = s.ptr[1];
		return s.len > 1 ? 2 : 1;
	}
	*size = html_utf8_put(code == 0 ? 0xfffd : code, out);
	return at + html_is_space(slice_at(s, at));
}

size_t html_css_plain(struct slice s, uint8_t *out, size_t room)
{
	size_t size = 0;

	for (size_t at = 0; at < s.len && size < room;) {
		const uint8_t byte = s.ptr[at];
		if (byte == '/' && slice_at(s, at + 1) == '*') {
			at += html_css_skip(slice_drop(s, at));
			continue;
		}
		if (html_is_space(byte)) {
			if (size != 0 && out[size - 1] != ' ')
				out[size++] = ' ';
			at++;
			continue;
		}
		if (byte == '\\') {
			uint8_t text[4];
			size_t  text_size;
			at += escape_take(slice_drop(s, at), text, &text_size);
			for (size_t i = 0; i < text_size && size < room; i++)
				out[size++] = byte_lower(text[i]);
			continue;
		}
		out[size++] = byte_lower(byte);
		at++;
	}
	while (size != 0 && out[size - 1] == ' ')
		size--;
	return size;
}

/* A number and its unit at the front of `s`. False: there is none; *s stays. */
static bool length_take(struct slice *s, enum html_unit *unit, int32_t *out)
{
	struct slice rest = *s;
	bool         negative = false, any = false;
	int64_t      value = 0, scale = 1000;

	if (slice_at(rest, 0) == '-' || slice_at(rest, 0) == '+') {
		negative = rest.ptr[0] == '-';
		rest = slice_drop(rest, 1);
	}
	for (; rest.len != 0 && byte_is_digit(rest.ptr[0]); rest = slice_drop(rest, 1), any = true)
		value = value < NUMBER_MAX ? value * 10 + (rest.ptr[0] - '0') : NUMBER_MAX;
	value *= 1000;
	if (slice_at(rest, 0) == '.') {
		for (rest = slice_drop(rest, 1); rest.len != 0 && byte_is_digit(rest.ptr[0]); rest = slice_drop(rest, 1), any = true) {
			scale /= 10;
			value += (rest.ptr[0] - '0') * scale;
		}
	}
	if (!any)
		return false;
	size_t letters = 0;
	while (letters < rest.len && (byte_is_alpha(rest.ptr[letters]) || rest.ptr[letters] == '%'))
		letters++;
	const struct slice word = slice_take(rest, letters);
	*unit = HTML_UNIT_PX;
	if (letters == 0)
		*unit = HTML_UNIT_NUMBER;
	else if (slice_eq(word, SLICE("%")))
		*unit = HTML_UNIT_PERCENT;
	else if (slice_eq(word, SLICE("em")))
		*unit = HTML_UNIT_EM;
	else if (slice_eq(word, SLICE("ex")) || slice_eq(word, SLICE("ch"))) {
		*unit = HTML_UNIT_EM;
		value /= 2;
	} else if (slice_eq(word, SLICE("rem")))
		value *= 16;
	else if (slice_eq(word, SLICE("pt")))
		value = value * 4 / 3;
	else if (slice_eq(word, SLICE("pc")))
		value *= 16;
	else if (slice_eq(word, SLICE("in")))
		value *= 96;
	else if (slice_eq(word, SLICE("cm")))
		value = value * 378 / 10;
	else if (slice_eq(word, SLICE("mm")))
		value = value * 378 / 100;
	else if (slice_eq(word, SLICE("vw")) || slice_eq(word, SLICE("vh")) || slice_eq(word, SLICE("vmin")) ||
	         slice_eq(word, SLICE("vmax")))
		value *= 8; /* of a window of 800 pixels */
	if (value > (int64_t)NUMBER_MAX * 1000)
		value = (int64_t)NUMBER_MAX * 1000;
	*out = (int32_t)(negative ? -value : value);
	*s = slice_drop(rest, letters);
	return true;
}

/* The next word of a value: up to a blank outside brackets. */
static struct slice word_take(struct slice *s)
{
	size_t   size = 0;
	unsigned depth = 0;

	while (slice_at(*s, 0) == ' ' || slice_at(*s, 0) == ',')
		*s = slice_drop(*s, 1);
	for (; size < s->len; size++) {
		if (s->ptr[size] == '(')
			depth++;
		else if (s->ptr[size] == ')' && depth != 0)
			depth--;
		else if (depth == 0 && (s->ptr[size] == ' ' || s->ptr[size] == ','))
			break;
	}
	const struct slice word = slice_take(*s, size);
	*s = slice_drop(*s, size);
	return word;
}

static bool is_inherit(struct slice value)
{
	return slice_eq(value, SLICE("inherit")) || slice_eq(value, SLICE("unset"));
}

static void length_put(const struct reader *r, enum html_property property, struct slice value)
{
	enum html_unit unit;
	int32_t        number;

	if (length_take(&value, &unit, &number) && value.len == 0) {
		put(r, property, unit == HTML_UNIT_NUMBER ? HTML_UNIT_PX : unit, number);
	} else if (slice_eq(value, SLICE("auto")) || slice_eq(value, SLICE("none")) || slice_eq(value, SLICE("initial")) ||
	           slice_eq(value, SLICE("unset")) || slice_eq(value, SLICE("normal"))) {
		put_word(r, property, HTML_KEYWORD_OTHER);
	} else if (is_inherit(value)) {
		put_word(r, property, HTML_KEYWORD_INHERIT);
	}
}

/* css-fonts 4 section 2.5, the sizes browsers give the words. False: it is no size. */
static bool font_size_put(const struct reader *r, struct slice value)
{
	static const struct {
		char    name[10];
		int32_t px;
	} sizes[] = {
		{ "xx-small", 9 }, { "x-small", 10 }, { "small", 13 }, { "medium", 16 }, { "initial", 16 },
		{ "large", 18 }, { "x-large", 24 }, { "xx-large", 32 }, { "xxx-large", 48 },
	};
	enum html_unit unit;
	int32_t        number;

	if (length_take(&value, &unit, &number)) {
		if ((value.len != 0 && value.ptr[0] != '/') || number < 0)
			return false;
		put(r, HTML_PROPERTY_FONT_SIZE, unit == HTML_UNIT_NUMBER ? HTML_UNIT_PX : unit, number);
		return true;
	}
	value = slice_take(value, slice_find(value, '/'));
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		if (slice_eq(value, slice_str(sizes[i].name))) {
			put(r, HTML_PROPERTY_FONT_SIZE, HTML_UNIT_PX, sizes[i].px * 1000);
			return true;
		}
	}
	if (slice_eq(value, SLICE("smaller")) || slice_eq(value, SLICE("larger"))) {
		put(r, HTML_PROPERTY_FONT_SIZE, HTML_UNIT_EM, value.ptr[0] == 's' ? 833 : 1200);
		return true;
	}
	if (is_inherit(value)) {
		put(r, HTML_PROPERTY_FONT_SIZE, HTML_UNIT_EM, 1000);
		return true;
	}
	return false;
}

static void line_height_put(const struct reader *r, struct slice value)
{
	enum html_unit unit;
	int32_t        number;

	/* A number alone is so many times the font's size. */
	if (length_take(&value, &unit, &number) && value.len == 0)
		put(r, HTML_PROPERTY_LINE_HEIGHT, unit == HTML_UNIT_NUMBER ? HTML_UNIT_EM : unit, number);
	else
		put_word(r, HTML_PROPERTY_LINE_HEIGHT, is_inherit(value) ? HTML_KEYWORD_INHERIT : HTML_KEYWORD_OTHER);
}

/* "font: italic 0/0 a": the first word that is a size. */
static void font_put(const struct reader *r, struct slice value)
{
	while (value.len != 0) {
		const struct slice word = word_take(&value);
		/* A weight is a number without a unit. */
		const int32_t weight = word.len == 3 && byte_is_digit(word.ptr[0]) && word.ptr[1] == '0' && word.ptr[2] == '0';
		if (weight != 0 || !font_size_put(r, word))
			continue;
		const size_t slash = slice_find(word, '/');
		if (slash < word.len)
			line_height_put(r, slice_drop(word, slash + 1));
		return;
	}
}

static void colour_put(const struct reader *r, enum html_property property, struct slice value)
{
	uint32_t colour;

	if (html_colour_css(value, &colour))
		put(r, property, HTML_UNIT_COLOUR, (int32_t)colour);
	else if (is_inherit(value))
		put_word(r, property, HTML_KEYWORD_INHERIT);
}

static void background_put(const struct reader *r, struct slice value)
{
	uint32_t colour = HTML_COLOUR_CLEAR;
	bool     image = false;

	while (value.len != 0) {
		const struct slice word = word_take(&value);
		image |= slice_starts(word, SLICE("url(")) || slice_search(word, SLICE("gradient(")) < word.len;
		(void)html_colour_css(word, &colour);
	}
	put(r, HTML_PROPERTY_BACKGROUND, HTML_UNIT_COLOUR, (int32_t)colour);
	put_word(r, HTML_PROPERTY_IMAGE, image ? HTML_KEYWORD_OTHER : HTML_KEYWORD_NONE);
}

/* The numbers in the brackets of a function, in thousandths: whether all are 0, and the largest by size. */
static bool brackets_read(struct slice value, size_t at, bool *all_zero, int32_t *most)
{
	struct slice   rest = slice_drop(value, at);
	enum html_unit unit;
	int32_t        number;

	rest = slice_drop(rest, slice_find(rest, '(') + 1);
	rest = slice_take(rest, slice_find(rest, ')'));
	*all_zero = false;
	*most = 0;
	for (bool first = true; rest.len != 0; first = false) {
		while (rest.len != 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == ','))
			rest = slice_drop(rest, 1);
		if (!length_take(&rest, &unit, &number))
			return !first;
		*all_zero = first ? number == 0 : *all_zero && number == 0;
		if ((number < 0 ? -number : number) > (*most < 0 ? -*most : *most))
			*most = number;
	}
	return true;
}

/* clip: rect(0,0,0,0); clip-path: inset(50%) or circle(0). */
static void clip_put(const struct reader *r, struct slice value)
{
	bool    all_zero;
	int32_t most;

	(void)brackets_read(value, 0, &all_zero, &most);
	const bool rect = slice_starts(value, SLICE("rect(")) && most <= 1000 && most >= -1000;
	const bool inset = slice_starts(value, SLICE("inset(")) && (most >= 50000);
	const bool circle = slice_starts(value, SLICE("circle(")) && all_zero;
	const bool auto_clip = slice_starts(value, SLICE("rect(")) && slice_search(value, SLICE("auto")) < value.len;
	put_word(r, HTML_PROPERTY_CLIP, (rect && !auto_clip) || inset || circle ? HTML_KEYWORD_NONE : HTML_KEYWORD_OTHER);
}

static void transform_put(const struct reader *r, struct slice value)
{
	const size_t scale = slice_search(value, SLICE("scale"));
	const size_t shift = slice_search(value, SLICE("translate"));
	bool         all_zero = false, ignored;
	int32_t      most = 0;

	if (scale < value.len && brackets_read(value, scale, &all_zero, &most) && (all_zero || (most <= 10 && most >= -10)))
		put_word(r, HTML_PROPERTY_SCALE, HTML_KEYWORD_NONE);
	else
		put_word(r, HTML_PROPERTY_SCALE, HTML_KEYWORD_OTHER);
	if (shift < value.len && brackets_read(value, shift, &ignored, &most))
		put(r, HTML_PROPERTY_SHIFT, HTML_UNIT_PX, most);
}

static void margin_put(const struct reader *r, struct slice value)
{
	struct slice words[4] = { { NULL, 0 } };
	size_t       count = 0;

	while (value.len != 0 && count < 4)
		words[count++] = word_take(&value);
	if (count == 0)
		return;
	length_put(r, HTML_PROPERTY_MARGIN_TOP, words[0]);
	length_put(r, HTML_PROPERTY_MARGIN_LEFT, count == 4 ? words[3] : count >= 2 ? words[1] : words[0]);
}

static void filter_put(const struct reader *r, struct slice value)
{
	const size_t opacity = slice_search(value, SLICE("opacity"));
	bool         all_zero;
	int32_t      most;

	if (opacity < value.len) {
		const size_t equals = slice_find(value, '=');
		/* The old form is alpha(opacity=0), the new one opacity(0). */
		struct slice   rest = slice_drop(value, equals + 1);
		enum html_unit unit;
		if (equals < value.len && length_take(&rest, &unit, &most))
			put(r, HTML_PROPERTY_OPACITY, HTML_UNIT_NUMBER, most / 100);
		else if (brackets_read(value, opacity, &all_zero, &most) && all_zero)
			put(r, HTML_PROPERTY_OPACITY, HTML_UNIT_NUMBER, 0);
	}
}

static enum html_keyword either(bool none)
{
	return none ? HTML_KEYWORD_NONE : HTML_KEYWORD_OTHER;
}

static void keyword_put(const struct reader *r, enum kind kind, enum html_property property, struct slice value)
{
	if (is_inherit(value) && kind != KIND_DISPLAY)
		put_word(r, property, HTML_KEYWORD_INHERIT);
	else if (kind == KIND_DISPLAY)
		put_word(r, property,
		         slice_eq(value, SLICE("none")) ? HTML_KEYWORD_NONE
		         : slice_starts(value, SLICE("inline")) || slice_eq(value, SLICE("contents")) ? HTML_KEYWORD_OTHER
		                                                                                      : HTML_KEYWORD_BLOCK);
	else if (kind == KIND_VISIBILITY)
		put_word(r, property, either(slice_eq(value, SLICE("hidden")) || slice_eq(value, SLICE("collapse"))));
	else if (kind == KIND_OVERFLOW)
		put_word(r, property, either(!slice_eq(value, SLICE("visible")) && !slice_eq(value, SLICE("initial"))));
	else if (kind == KIND_POSITION)
		put_word(r, property, either(slice_eq(value, SLICE("static")) || slice_eq(value, SLICE("initial"))));
	else if (kind == KIND_HIDE)
		put_word(r, property, either(slice_eq(value, SLICE("all")) || slice_eq(value, SLICE("screen"))));
	else if (kind == KIND_DIRECTION)
		put_word(r, property, either(!slice_eq(value, SLICE("rtl"))));
	else if (kind == KIND_BIDI)
		put_word(r, property, either(slice_search(value, SLICE("override")) == value.len));
	else if (kind == KIND_SPACE)
		put_word(r, property, either(!slice_starts(value, SLICE("pre")) && !slice_eq(value, SLICE("break-spaces"))));
}

static void number_put(const struct reader *r, enum html_property property, struct slice value)
{
	enum html_unit unit;
	int32_t        number;

	if (length_take(&value, &unit, &number) && value.len == 0)
		put(r, property, HTML_UNIT_NUMBER, unit == HTML_UNIT_PERCENT ? number / 100 : number);
}

static void value_put(const struct reader *r, const struct property *property, struct slice value)
{
	const enum html_property which = (enum html_property)property->property;
	enum html_unit           unit;
	int32_t                  number;

	switch ((enum kind)property->kind) {
	case KIND_NUMBER:
		number_put(r, which, value);
		return;
	case KIND_COLOUR:
		colour_put(r, which, value);
		return;
	case KIND_BACKGROUND:
		background_put(r, value);
		return;
	case KIND_IMAGE:
		put_word(r, which, either(slice_eq(value, SLICE("none")) || slice_eq(value, SLICE("initial"))));
		return;
	case KIND_FONT_SIZE:
		(void)font_size_put(r, value);
		return;
	case KIND_FONT:
		font_put(r, value);
		return;
	case KIND_LENGTH:
		length_put(r, which, value);
		return;
	case KIND_LINE_HEIGHT:
		line_height_put(r, value);
		return;
	case KIND_CLIP:
		clip_put(r, value);
		return;
	case KIND_TRANSFORM:
		transform_put(r, value);
		return;
	case KIND_MARGIN:
		margin_put(r, value);
		return;
	case KIND_INSET: {
		struct slice words[4] = { { NULL, 0 } };
		size_t       count = 0;
		while (value.len != 0 && count < 4)
			words[count++] = word_take(&value);
		length_put(r, HTML_PROPERTY_TOP, words[0]);
		length_put(r, HTML_PROPERTY_LEFT, count == 4 ? words[3] : count >= 2 ? words[1] : words[0]);
		return;
	}
	case KIND_FILTER:
		filter_put(r, value);
		return;
	case KIND_SCALE:
		put_word(r, which, either(length_take(&value, &unit, &number) && number == 0));
		return;
	case KIND_SCRIPT:
		/* Every mail of Outlook has "behavior: url(#default#VML)". */
		if (r->sink->script != NULL && slice_search(value, SLICE("url(#")) == value.len)
			r->sink->script(r->sink->context, value);
		return;
	case KIND_DISPLAY:
	case KIND_VISIBILITY:
	case KIND_OVERFLOW:
	case KIND_POSITION:
	case KIND_HIDE:
	case KIND_DIRECTION:
	case KIND_BIDI:
	case KIND_SPACE:
		keyword_put(r, (enum kind)property->kind, which, value);
		return;
	}
}

static const struct property *property_find(struct slice name)
{
	for (size_t i = 0; i < sizeof properties / sizeof properties[0] && name.len != 0; i++) {
		const struct slice known = properties[i].name;
		if (known.len == name.len && known.ptr[0] == byte_lower(name.ptr[0]) && slice_eq_nocase(known, name))
			return &properties[i];
	}
	return NULL;
}

static void declaration_read(const struct html_css_sink *sink, struct slice name, struct slice raw)
{
	uint8_t       text[HTML_CSS_VALUE_MAX];
	struct reader r = { .sink = sink };

	/* Hardly any name has an escape or a comment in it. */
	name = slice_trim(name);
	if (slice_find(name, '\\') < name.len || slice_find(name, '/') < name.len || slice_find(name, '\f') < name.len)
		name = slice_of(text, html_css_plain(name, text, NAME_MAX_BYTES));
	const struct property *property = property_find(name);
	if (property == NULL)
		return;
	struct slice value = slice_of(text, html_css_plain(raw, text, sizeof text));
	const size_t bang = slice_find_last(value, '!');
	if (bang < value.len) {
		r.important = slice_eq(slice_trim(slice_drop(value, bang + 1)), SLICE("important"));
		if (!r.important)
			return;
		value = slice_trim(slice_take(value, bang));
	}
	value_put(&r, property, value);
}

/* Behind "url(": reports it and returns the bytes up to its bracket. */
static size_t url_take(const struct html_css_sink *sink, struct slice s)
{
	size_t at = 0;

	while (html_is_space(slice_at(s, at)))
		at++;
	const int quote = slice_at(s, at);
	if (quote == '"' || quote == '\'') {
		const size_t size = html_css_skip(slice_drop(s, at));
		const bool   closed = size >= 2 && s.ptr[at + size - 1] == quote;
		if (sink->url != NULL)
			sink->url(sink->context, slice_cut(s, at + 1, size - 1 - (size_t)closed));
		return at + size;
	}
	const struct slice address = slice_take(slice_drop(s, at), slice_find(slice_drop(s, at), ')'));
	if (sink->url != NULL)
		sink->url(sink->context, slice_trim(address));
	return at + address.len;
}

static bool is_url_at(struct slice s, size_t at)
{
	return s.ptr[at] == '(' && at >= 3 && slice_eq_nocase(slice_cut(s, at - 3, 3), SLICE("url"));
}

/* The bytes that mean something between the letters of a declaration. */
static const bool css_special[256] = {
	[';'] = true, [':'] = true, ['('] = true, [')'] = true, ['['] = true,  [']'] = true,
	['{'] = true, ['}'] = true, ['"'] = true, ['\''] = true, ['\\'] = true, ['/'] = true,
};

void html_css_read(struct slice text, const struct html_css_sink *sink, uint64_t *steps)
{
	size_t   start = 0, colon = SIZE_MAX, at = 0;
	unsigned depth = 0;

	while (at <= text.len) {
		while (at < text.len && !css_special[text.ptr[at]])
			at++;
		const uint8_t byte = at < text.len ? text.ptr[at] : ';';
		if (at == text.len || (byte == ';' && depth == 0)) {
			if (*steps < at + 1 - start) {
				*steps = 0;
				return;
			}
			*steps -= at + 1 - start;
			while (start < at && html_is_space(text.ptr[start]))
				start++;
			if (colon != SIZE_MAX && colon > start &&
			    (may_be_property(text.ptr[start]) || text.ptr[start] == '\\' || text.ptr[start] == '/'))
				declaration_read(sink, slice_cut(text, start, colon - start),
				                 slice_cut(text, colon + 1, at - colon - 1));
			start = ++at;
			colon = SIZE_MAX;
			continue;
		}
		if (byte == ':' && colon == SIZE_MAX)
			colon = at;
		else if ((byte == '(' || byte == '[' || byte == '{') && depth < DEPTH_MAX)
			depth++;
		else if ((byte == ')' || byte == ']' || byte == '}') && depth != 0)
			depth--;
		if (byte == '(' && is_url_at(text, at)) {
			at += 1 + url_take(sink, slice_drop(text, at + 1));
			continue;
		}
		if (byte == '(' && at >= 10 && sink->script != NULL &&
		    slice_eq_nocase(slice_cut(text, at - 10, 10), SLICE("expression")))
			sink->script(sink->context, slice_take(slice_drop(text, at - 10), HTML_CSS_VALUE_MAX));
		const size_t skip = byte == '"' || byte == '\'' || byte == '\\' || byte == '/' ? html_css_skip(slice_drop(text, at)) : 0;
		at += skip != 0 ? skip : 1;
	}
}
