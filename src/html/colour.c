/* Colours by name and by number. */
#include "html/colour.h"

#include "html/tokenizer.h"

struct named {
	char     name[22];
	uint32_t rgb;
};

/* CSS Color 4 section 6.1, and the system colours that mail uses (section 6.2). Sorted. */
/* clang-format off: a table */
static const struct named names[] = {
	{ "aliceblue", 0xf0f8ff }, { "antiquewhite", 0xfaebd7 }, { "aqua", 0x00ffff }, { "aquamarine", 0x7fffd4 }, { "azure", 0xf0ffff },
	{ "beige", 0xf5f5dc }, { "bisque", 0xffe4c4 }, { "black", 0x000000 }, { "blanchedalmond", 0xffebcd }, { "blue", 0x0000ff },
	{ "blueviolet", 0x8a2be2 }, { "brown", 0xa52a2a }, { "burlywood", 0xdeb887 }, { "buttontext", 0x000000 }, { "cadetblue", 0x5f9ea0 },
	{ "canvas", 0xffffff }, { "canvastext", 0x000000 }, { "chartreuse", 0x7fff00 }, { "chocolate", 0xd2691e }, { "coral", 0xff7f50 },
	{ "cornflowerblue", 0x6495ed }, { "cornsilk", 0xfff8dc }, { "crimson", 0xdc143c }, { "cyan", 0x00ffff }, { "darkblue", 0x00008b },
	{ "darkcyan", 0x008b8b }, { "darkgoldenrod", 0xb8860b }, { "darkgray", 0xa9a9a9 }, { "darkgreen", 0x006400 }, { "darkgrey", 0xa9a9a9 },
	{ "darkkhaki", 0xbdb76b }, { "darkmagenta", 0x8b008b }, { "darkolivegreen", 0x556b2f }, { "darkorange", 0xff8c00 },
	{ "darkorchid", 0x9932cc }, { "darkred", 0x8b0000 }, { "darksalmon", 0xe9967a }, { "darkseagreen", 0x8fbc8f },
	{ "darkslateblue", 0x483d8b }, { "darkslategray", 0x2f4f4f }, { "darkslategrey", 0x2f4f4f }, { "darkturquoise", 0x00ced1 },
	{ "darkviolet", 0x9400d3 }, { "deeppink", 0xff1493 }, { "deepskyblue", 0x00bfff }, { "dimgray", 0x696969 }, { "dimgrey", 0x696969 },
	{ "dodgerblue", 0x1e90ff }, { "firebrick", 0xb22222 }, { "floralwhite", 0xfffaf0 }, { "forestgreen", 0x228b22 }, { "fuchsia", 0xff00ff },
	{ "gainsboro", 0xdcdcdc }, { "ghostwhite", 0xf8f8ff }, { "gold", 0xffd700 }, { "goldenrod", 0xdaa520 }, { "gray", 0x808080 },
	{ "green", 0x008000 }, { "greenyellow", 0xadff2f }, { "grey", 0x808080 }, { "honeydew", 0xf0fff0 }, { "hotpink", 0xff69b4 },
	{ "indianred", 0xcd5c5c }, { "indigo", 0x4b0082 }, { "ivory", 0xfffff0 }, { "khaki", 0xf0e68c }, { "lavender", 0xe6e6fa },
	{ "lavenderblush", 0xfff0f5 }, { "lawngreen", 0x7cfc00 }, { "lemonchiffon", 0xfffacd }, { "lightblue", 0xadd8e6 },
	{ "lightcoral", 0xf08080 }, { "lightcyan", 0xe0ffff }, { "lightgoldenrodyellow", 0xfafad2 }, { "lightgray", 0xd3d3d3 },
	{ "lightgreen", 0x90ee90 }, { "lightgrey", 0xd3d3d3 }, { "lightpink", 0xffb6c1 }, { "lightsalmon", 0xffa07a },
	{ "lightseagreen", 0x20b2aa }, { "lightskyblue", 0x87cefa }, { "lightslategray", 0x778899 }, { "lightslategrey", 0x778899 },
	{ "lightsteelblue", 0xb0c4de }, { "lightyellow", 0xffffe0 }, { "lime", 0x00ff00 }, { "limegreen", 0x32cd32 }, { "linen", 0xfaf0e6 },
	{ "magenta", 0xff00ff }, { "maroon", 0x800000 }, { "mediumaquamarine", 0x66cdaa }, { "mediumblue", 0x0000cd },
	{ "mediumorchid", 0xba55d3 }, { "mediumpurple", 0x9370db }, { "mediumseagreen", 0x3cb371 }, { "mediumslateblue", 0x7b68ee },
	{ "mediumspringgreen", 0x00fa9a }, { "mediumturquoise", 0x48d1cc }, { "mediumvioletred", 0xc71585 }, { "midnightblue", 0x191970 },
	{ "mintcream", 0xf5fffa }, { "mistyrose", 0xffe4e1 }, { "moccasin", 0xffe4b5 }, { "navajowhite", 0xffdead }, { "navy", 0x000080 },
	{ "oldlace", 0xfdf5e6 }, { "olive", 0x808000 }, { "olivedrab", 0x6b8e23 }, { "orange", 0xffa500 }, { "orangered", 0xff4500 },
	{ "orchid", 0xda70d6 }, { "palegoldenrod", 0xeee8aa }, { "palegreen", 0x98fb98 }, { "paleturquoise", 0xafeeee },
	{ "palevioletred", 0xdb7093 }, { "papayawhip", 0xffefd5 }, { "peachpuff", 0xffdab9 }, { "peru", 0xcd853f }, { "pink", 0xffc0cb },
	{ "plum", 0xdda0dd }, { "powderblue", 0xb0e0e6 }, { "purple", 0x800080 }, { "rebeccapurple", 0x663399 }, { "red", 0xff0000 },
	{ "rosybrown", 0xbc8f8f }, { "royalblue", 0x4169e1 }, { "saddlebrown", 0x8b4513 }, { "salmon", 0xfa8072 }, { "sandybrown", 0xf4a460 },
	{ "seagreen", 0x2e8b57 }, { "seashell", 0xfff5ee }, { "sienna", 0xa0522d }, { "silver", 0xc0c0c0 }, { "skyblue", 0x87ceeb },
	{ "slateblue", 0x6a5acd }, { "slategray", 0x708090 }, { "slategrey", 0x708090 }, { "snow", 0xfffafa }, { "springgreen", 0x00ff7f },
	{ "steelblue", 0x4682b4 }, { "tan", 0xd2b48c }, { "teal", 0x008080 }, { "thistle", 0xd8bfd8 }, { "tomato", 0xff6347 },
	{ "turquoise", 0x40e0d0 }, { "violet", 0xee82ee }, { "wheat", 0xf5deb3 }, { "white", 0xffffff }, { "whitesmoke", 0xf5f5f5 },
	{ "window", 0xffffff }, { "windowtext", 0x000000 }, { "yellow", 0xffff00 }, { "yellowgreen", 0x9acd32 },
};
/* clang-format on */

static int hex_of(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

static bool name_find(struct slice text, uint32_t *out)
{
	size_t low = 0, high = sizeof names / sizeof names[0];

	while (low < high) {
		const size_t       middle = (low + high) / 2;
		const struct slice name = slice_str(names[middle].name);
		size_t             i = 0;
		while (i < name.len && i < text.len && name.ptr[i] == byte_lower(text.ptr[i]))
			i++;
		const int order = (i < text.len ? byte_lower(text.ptr[i]) : 0) - (i < name.len ? name.ptr[i] : 0);
		if (order == 0) {
			*out = 0xff000000u | names[middle].rgb;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* "rgb", "rgba", "rrggbb", "rrggbbaa" behind "#". */
static bool hex_read(struct slice text, uint32_t *out)
{
	uint32_t     parts[4] = { 0, 0, 0, 255 };
	const size_t digits = text.len >= 6 ? 2 : 1;

	if (text.len != 3 && text.len != 4 && text.len != 6 && text.len != 8)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const int digit = hex_of(text.ptr[i]);
		if (digit < 0)
			return false;
		if (digits == 1)
			parts[i] = (uint32_t)digit * 17;
		else
			parts[i / 2] = i % 2 == 0 ? (uint32_t)digit * 16 : parts[i / 2] + (uint32_t)digit;
	}
	*out = parts[3] << 24 | parts[0] << 16 | parts[1] << 8 | parts[2];
	return true;
}

/* A number in thousandths, at most 1,000,000 whole ones; *percent when "%" stands behind it. False: there is none. */
static bool number_take(struct slice *s, int32_t *out, bool *percent)
{
	bool    negative = false, any = false;
	int32_t whole = 0, part = 0, scale = 100;

	while (html_is_space(slice_at(*s, 0)) || slice_at(*s, 0) == ',' || slice_at(*s, 0) == '/')
		*s = slice_drop(*s, 1);
	if (slice_at(*s, 0) == '-' || slice_at(*s, 0) == '+') {
		negative = s->ptr[0] == '-';
		*s = slice_drop(*s, 1);
	}
	for (; slice_at(*s, 0) >= 0 && byte_is_digit(s->ptr[0]); *s = slice_drop(*s, 1), any = true)
		whole = whole < 100000 ? whole * 10 + (s->ptr[0] - '0') : 1000000;
	if (slice_at(*s, 0) == '.') {
		*s = slice_drop(*s, 1);
		for (; slice_at(*s, 0) >= 0 && byte_is_digit(s->ptr[0]); *s = slice_drop(*s, 1), any = true) {
			part += (s->ptr[0] - '0') * scale;
			scale /= 10;
		}
	}
	*percent = slice_at(*s, 0) == '%';
	while (slice_at(*s, 0) >= 0 && (s->ptr[0] == '%' || byte_is_alpha(s->ptr[0])))
		*s = slice_drop(*s, 1);
	*out = (negative ? -1 : 1) * (whole * 1000 + part);
	return any;
}

static uint32_t channel(int32_t thousandths, int32_t full)
{
	const int64_t value = (int64_t)thousandths * 255 / full;

	return value < 0 ? 0 : value > 255 ? 255 : (uint32_t)value;
}

/* CSS Color 4 section 7.1, with hue in degrees and the others in thousandths. */
static uint32_t hsl_channel(int32_t n, int32_t hue, int64_t saturation, int64_t light)
{
	const int32_t k = (n * 1000 + hue * 1000 / 30) % 12000;
	const int64_t a = saturation * (light < 1000 - light ? light : 1000 - light) / 1000;
	int32_t       low = k - 3000 < 9000 - k ? k - 3000 : 9000 - k;

	low = low > 1000 ? 1000 : low < -1000 ? -1000 : low;
	return channel((int32_t)(light - a * low / 1000), 1000);
}

/* "rgb(...", "hsla(..." and the like: up to four numbers. */
static bool function_read(struct slice text, uint32_t *out)
{
	const size_t       open = slice_find(text, '(');
	const struct slice word = slice_trim(slice_take(text, open));
	struct slice       rest = slice_drop(text, open + 1);
	const bool         is_hsl = slice_starts_nocase(word, SLICE("hsl"));
	int32_t            numbers[4] = { 0, 0, 0, 1000 };
	bool               percents[4] = { false, false, false, false };
	size_t             count = 0;

	if (open == text.len || (!is_hsl && !slice_starts_nocase(word, SLICE("rgb"))))
		return false;
	while (count < 4 && number_take(&rest, &numbers[count], &percents[count]))
		count++;
	if (count < 3)
		return false;
	const uint32_t alpha = count < 4 ? 255 : channel(numbers[3], percents[3] ? 100000 : 1000);
	if (!is_hsl) {
		*out = alpha << 24;
		for (size_t i = 0; i < 3; i++)
			*out |= channel(numbers[i], percents[i] ? 100000 : 255000) << (16 - 8 * i);
		return true;
	}
	const int32_t hue = (numbers[0] / 1000 % 360 + 360) % 360;
	const int64_t saturation = numbers[1] < 0 ? 0 : numbers[1] > 100000 ? 1000 : numbers[1] / 100;
	const int64_t light = numbers[2] < 0 ? 0 : numbers[2] > 100000 ? 1000 : numbers[2] / 100;
	*out = alpha << 24 | hsl_channel(0, hue, saturation, light) << 16 | hsl_channel(8, hue, saturation, light) << 8 |
	       hsl_channel(4, hue, saturation, light);
	return true;
}

bool html_colour_css(struct slice text, uint32_t *out)
{
	text = slice_trim(text);
	if (slice_at(text, 0) == '#')
		return hex_read(slice_drop(text, 1), out);
	if (slice_eq_nocase(text, SLICE("transparent"))) {
		*out = HTML_COLOUR_CLEAR;
		return true;
	}
	if (slice_last(text) == ')')
		return function_read(text, out);
	return name_find(text, out);
}

/* The steps of HTML 2.3.6 behind the known forms: what is no digit is 0, cut in three, the first two that matter of each. */
static uint32_t legacy_digits(struct slice text)
{
	uint8_t digits[129] = { 0 };
	size_t  count = 0;

	for (size_t i = 0; i < text.len && count < 128; i++) {
		if ((text.ptr[i] & 0xc0) == 0x80)
			continue; /* one digit for a character */
		const int digit = hex_of(text.ptr[i]);
		digits[count++] = digit < 0 ? 0 : (uint8_t)digit;
		if (text.ptr[i] >= 0xf0 && count < 128)
			digits[count++] = 0; /* two UTF-16 units */
	}
	while (count == 0 || count % 3 != 0)
		count++;
	size_t third = count / 3, start = 0;
	if (third > 8) {
		start = third - 8;
		third = 8;
	}
	while (third > 2 && digits[start] == 0 && digits[count / 3 + start] == 0 && digits[count / 3 * 2 + start] == 0) {
		start++;
		third--;
	}
	uint32_t rgb = 0;
	for (size_t part = 0; part < 3; part++) {
		const size_t at = count / 3 * part + start;
		rgb = rgb << 8 | (third == 1 ? digits[at] : (uint32_t)digits[at] * 16 + digits[at + 1]);
	}
	return 0xff000000u | rgb;
}

bool html_colour_legacy(struct slice text, uint32_t *out)
{
	text = slice_trim(text);
	if (text.len == 0 || slice_eq_nocase(text, SLICE("transparent")))
		return false;
	if (name_find(text, out))
		return true;
	if (text.len == 4 && text.ptr[0] == '#' && hex_read(slice_drop(text, 1), out))
		return true;
	*out = legacy_digits(text.ptr[0] == '#' ? slice_drop(text, 1) : text);
	return true;
}

uint32_t html_colour_over(uint32_t top, uint32_t under)
{
	const uint32_t alpha = top >> 24;
	uint32_t       rgb = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		const uint32_t mixed = ((top >> shift & 255) * alpha + (under >> shift & 255) * (255 - alpha)) / 255;
		rgb |= mixed << shift;
	}
	return 0xff000000u | rgb;
}

unsigned html_colour_distance(uint32_t a, uint32_t b)
{
	unsigned most = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		const unsigned one = a >> shift & 255, two = b >> shift & 255;
		const unsigned apart = one > two ? one - two : two - one;
		most = apart > most ? apart : most;
	}
	return most;
}
