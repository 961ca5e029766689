/* From declarations to what is seen. Each rule of thumb stands at its property. */
#include "html/style.h"

#include "base/must.h"
#include "html/colour.h"

#define OPACITY_SEEN 50        /* thousandths */
#define SIZE_SEEN    1000      /* thousandths of a pixel: a box of one pixel shows nothing to read */
#define FONT_MAX     100000000 /* so that products stay within 64 bits and results within 32 */

static const char *const words[HTML_HIDDENS] = {
#define HTML_HIDDEN_WORD(name, text) text,
	HTML_HIDDEN_TABLE(HTML_HIDDEN_WORD)
#undef HTML_HIDDEN_WORD
};

_Static_assert(HTML_HIDDENS <= 32, "reasons fit a mask");

const char *html_hidden_word(enum html_hidden reason)
{
	must(reason < HTML_HIDDENS);
	return words[reason];
}

struct html_look html_look_start(void)
{
	return (struct html_look){ .colour = HTML_COLOUR_BLACK,
		                   .background = HTML_COLOUR_WHITE,
		                   .font = HTML_FONT_STANDARD,
		                   .line_height = -1,
		                   .opacity = 1000,
		                   .block = true };
}

void html_own_hint(struct html_own *own, enum html_property property, enum html_unit unit, int32_t number)
{
	const struct html_declaration declaration = { .property = (uint8_t)property, .unit = (uint8_t)unit, .number = number };

	html_cascade_put(&own->cascade, &declaration, HTML_WEIGHT_HINT);
}

static const struct html_value *value_of(const struct html_own *own, enum html_property property)
{
	const struct html_value *value = &own->cascade.values[property];

	return value->set != 0 ? value : NULL;
}

static bool is_word(const struct html_own *own, enum html_property property, enum html_keyword word)
{
	const struct html_value *value = value_of(own, property);

	return value != NULL && value->unit == HTML_UNIT_KEYWORD && value->number == (int32_t)word;
}

/* In thousandths of a pixel; `whole` is what percent are of. False: not set, or no length. */
static bool length_of(const struct html_own *own, enum html_property property, int32_t font, int32_t whole, int32_t *out)
{
	const struct html_value *value = value_of(own, property);
	int64_t                  px;

	if (value == NULL || value->unit == HTML_UNIT_KEYWORD || value->unit == HTML_UNIT_COLOUR)
		return false;
	if (value->unit == HTML_UNIT_EM)
		px = (int64_t)value->number * font / 1000;
	else if (value->unit == HTML_UNIT_PERCENT)
		px = (int64_t)value->number * whole / 100000;
	else
		px = value->number;
	*out = (int32_t)(px > INT32_MAX ? INT32_MAX : px < -INT32_MAX ? -INT32_MAX : px);
	return true;
}

static void inherited_take(const struct html_own *own, struct html_look *out)
{
	int32_t size;

	if (length_of(own, HTML_PROPERTY_FONT_SIZE, out->font, out->font, &size) && size >= 0)
		out->font = size < FONT_MAX ? size : FONT_MAX;
	if (length_of(own, HTML_PROPERTY_LINE_HEIGHT, out->font, out->font, &size))
		out->line_height = size;
	else if (is_word(own, HTML_PROPERTY_LINE_HEIGHT, HTML_KEYWORD_OTHER))
		out->line_height = -1;
	if (length_of(own, HTML_PROPERTY_TEXT_INDENT, out->font, 800000, &size))
		out->indent = size;
	const struct html_value *colour = value_of(own, HTML_PROPERTY_COLOUR);
	if (colour != NULL && colour->unit == HTML_UNIT_COLOUR)
		out->colour = (uint32_t)colour->number;
	if (is_word(own, HTML_PROPERTY_VISIBILITY, HTML_KEYWORD_NONE) || is_word(own, HTML_PROPERTY_VISIBILITY, HTML_KEYWORD_OTHER))
		out->invisible = is_word(own, HTML_PROPERTY_VISIBILITY, HTML_KEYWORD_NONE);
	if (is_word(own, HTML_PROPERTY_MSO_HIDE, HTML_KEYWORD_NONE) || is_word(own, HTML_PROPERTY_MSO_HIDE, HTML_KEYWORD_OTHER))
		out->mso_hidden = is_word(own, HTML_PROPERTY_MSO_HIDE, HTML_KEYWORD_NONE);
	if (value_of(own, HTML_PROPERTY_SPACE) != NULL && !is_word(own, HTML_PROPERTY_SPACE, HTML_KEYWORD_INHERIT))
		out->pre = is_word(own, HTML_PROPERTY_SPACE, HTML_KEYWORD_OTHER);
	if (value_of(own, HTML_PROPERTY_DIRECTION) != NULL && !is_word(own, HTML_PROPERTY_DIRECTION, HTML_KEYWORD_INHERIT))
		out->rtl = is_word(own, HTML_PROPERTY_DIRECTION, HTML_KEYWORD_OTHER);
	if (value_of(own, HTML_PROPERTY_BIDI) != NULL && !is_word(own, HTML_PROPERTY_BIDI, HTML_KEYWORD_INHERIT))
		out->override = is_word(own, HTML_PROPERTY_BIDI, HTML_KEYWORD_OTHER);
}

static void background_take(const struct html_own *own, struct html_look *out)
{
	const struct html_value *value = value_of(own, HTML_PROPERTY_BACKGROUND);

	if (value != NULL && value->unit == HTML_UNIT_COLOUR) {
		const uint32_t colour = (uint32_t)value->number;
		if (colour >> 24 == 255)
			out->picture = false;
		out->background = html_colour_over(colour, out->background);
	}
	if (is_word(own, HTML_PROPERTY_IMAGE, HTML_KEYWORD_OTHER))
		out->picture = true;
}

static bool is_tiny(const struct html_own *own, enum html_property property, int32_t font)
{
	int32_t size;

	return length_of(own, property, font, 800000, &size) && size <= SIZE_SEEN;
}

static bool is_away(const struct html_own *own, enum html_property property, int32_t font, bool far_too)
{
	int32_t distance;

	return length_of(own, property, font, 800000, &distance) &&
	       (distance <= -HTML_OFFSCREEN || (far_too && distance >= HTML_OFFSCREEN_FAR));
}

static bool is_offscreen(const struct html_own *own, int32_t font)
{
	const bool is_static = value_of(own, HTML_PROPERTY_POSITION) == NULL ||
	                       is_word(own, HTML_PROPERTY_POSITION, HTML_KEYWORD_NONE);

	if (!is_static && (is_away(own, HTML_PROPERTY_LEFT, font, true) || is_away(own, HTML_PROPERTY_TOP, font, true) ||
	                   is_away(own, HTML_PROPERTY_RIGHT, font, true) || is_away(own, HTML_PROPERTY_BOTTOM, font, true)))
		return true;
	return is_away(own, HTML_PROPERTY_MARGIN_LEFT, font, true) || is_away(own, HTML_PROPERTY_MARGIN_TOP, font, false) ||
	       is_away(own, HTML_PROPERTY_SHIFT, font, true);
}

/* What an element does to all inside it, whatever they say. */
static void sticky_take(const struct html_own *own, struct html_look *out)
{
	uint32_t hidden = own->hidden, some = own->some;
	int32_t  opacity;

	if (is_word(own, HTML_PROPERTY_DISPLAY, HTML_KEYWORD_NONE)) {
		if (own->some_show)
			some |= HTML_HIDDEN_BIT(HTML_HIDDEN_MEDIUM);
		else
			hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_DISPLAY);
	}
	if (length_of(own, HTML_PROPERTY_OPACITY, 0, 0, &opacity) && opacity < 1000)
		out->opacity = (int32_t)((int64_t)out->opacity * (opacity < 0 ? 0 : opacity) / 1000);
	if (out->opacity < OPACITY_SEEN)
		hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_OPACITY);
	const bool tiny = is_tiny(own, HTML_PROPERTY_HEIGHT, out->font) || is_tiny(own, HTML_PROPERTY_MAX_HEIGHT, out->font) ||
	                  is_tiny(own, HTML_PROPERTY_WIDTH, out->font) || is_tiny(own, HTML_PROPERTY_MAX_WIDTH, out->font);
	if (tiny && is_word(own, HTML_PROPERTY_OVERFLOW, HTML_KEYWORD_NONE))
		hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_SIZE);
	if (is_offscreen(own, out->font))
		hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_OFFSCREEN);
	if (is_word(own, HTML_PROPERTY_CLIP, HTML_KEYWORD_NONE))
		hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_CLIP);
	if (is_word(own, HTML_PROPERTY_SCALE, HTML_KEYWORD_NONE))
		hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_SCALE);
	out->sticky_hidden |= hidden;
	out->sticky_some |= some;
}

void html_look_of(const struct html_look *parent, const struct html_own *own, struct html_look *out)
{
	*out = *parent;
	inherited_take(own, out);
	background_take(own, out);
	sticky_take(own, out);
	out->display_set = value_of(own, HTML_PROPERTY_DISPLAY) != NULL;
	out->block = is_word(own, HTML_PROPERTY_DISPLAY, HTML_KEYWORD_BLOCK);
	out->hidden = out->sticky_hidden;
	out->some = out->sticky_some;
	if (out->invisible)
		out->hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_VISIBILITY);
	if (out->font < HTML_FONT_TINY)
		out->hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_FONT);
	if (out->indent <= -HTML_OFFSCREEN)
		out->hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_INDENT);
	if (out->line_height >= 0 && out->line_height <= SIZE_SEEN)
		out->some |= HTML_HIDDEN_BIT(HTML_HIDDEN_LINE);
	if (out->mso_hidden)
		out->some |= HTML_HIDDEN_BIT(HTML_HIDDEN_MSO);
	const uint32_t seen = html_colour_over(out->colour, out->background);
	if (html_colour_distance(seen, out->background) <= HTML_COLOUR_NEAR) {
		if (out->picture && out->colour >> 24 != 0)
			out->some |= HTML_HIDDEN_BIT(HTML_HIDDEN_COLOUR);
		else
			out->hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_COLOUR);
	}
}
