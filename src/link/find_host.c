/* Hosts in running text: labels, the many ways to write a dot, and where a host ends when no space does it. */
#include "link/find_inside.h"

#include "link/idna.h"

bool is_cjk(uint32_t c)
{
	return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3105 && c <= 0x318f) || (c >= 0x31a0 && c <= 0x31bf) ||
	       (c >= 0x31f0 && c <= 0x31ff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
	       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff) ||
	       c == 0x3005 || c == 0x3007;
}

bool is_terminator(uint32_t c)
{
	if (c < 0x80)
		return c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '`';
	if (c <= 0xbf)
		return c <= 0xa0 || c == 0xab || c == 0xbb;
	if (c >= 0x2000 && c <= 0x206f)
		return true;
	if (c >= 0x3000 && c <= 0x303f)
		return !is_cjk(c);
	return c == 0x1680 || (c >= 0xff61 && c <= 0xff65) || (c >= 0xfe10 && c <= 0xfe1f) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xffe0 && c <= 0xffff) || (c >= 0xe000 && c <= 0xf8ff) ||
	       c == 0x2329 || c == 0x232a;
}

bool is_host_character(uint32_t c)
{
	return c < 0x80 ? is_alnum(c) || c == '-' || c == '_' : !is_terminator(c);
}

/* "word" in any case at `index`. */
static bool word_at(const struct link_finder *f, size_t index, const char *word)
{
	for (size_t i = 0; word[i] != '\0'; i++) {
		const uint32_t c = at(f, index + i);
		if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (uint8_t)word[i])
			return false;
	}
	return true;
}

static size_t blanks_at(const struct link_finder *f, size_t index)
{
	size_t count = 0;

	while (count < 3 && is_blank(at(f, index + count)))
		count++;
	return count;
}

static uint32_t closing_of(uint32_t c)
{
	switch (c) {
	case '[':
		return ']';
	case '(':
		return ')';
	case '{':
		return '}';
	case '<':
		return '>';
	default:
		return 0;
	}
}

/* ".", "dot" or the Chinese word for it: how many characters. */
static size_t dot_word_at(const struct link_finder *f, size_t index)
{
	const uint32_t c = at(f, index);

	if (c == '.' || c == 0x3002 || c == 0x70b9 || c == 0x9ede || c == 0xb7 || c == ',')
		return 1;
	return word_at(f, index, "dot") ? 3 : 0;
}

static size_t bracketed_dot_at(const struct link_finder *f, size_t index)
{
	const uint32_t closing = closing_of(at(f, index));
	size_t         size = 1;

	if (closing == 0)
		return 0;
	size += blanks_at(f, index + size);
	const size_t word = dot_word_at(f, index + size);
	size += word;
	size += blanks_at(f, index + size);
	return word != 0 && at(f, index + size) == closing ? size + 1 : 0;
}

/* An ideographic full stop ends sentences; it is a dot only between letters that are no Chinese ones. */
static bool stop_is_dot(const struct link_finder *f, size_t index)
{
	return index != 0 && is_alnum(at(f, index - 1)) && is_alnum(at(f, index + 1));
}

size_t dot_at(const struct link_finder *f, size_t index, bool spaced, uint32_t *flags)
{
	const uint32_t c = at(f, index);

	if (c == '.' && !(spaced && is_blank(at(f, index + 1)))) {
		const uint32_t raw = f->character[index];
		if ((raw & WAS_STOP) != 0 && !stop_is_dot(f, index))
			return 0;
		*flags |= (raw & (WAS_WIDE | WAS_STOP)) != 0 ? LINK_WIDE : 0;
		return 1;
	}
	if (c == 0x70b9 && index != 0 && is_alnum(at(f, index - 1)) && is_alnum(at(f, index + 1))) {
		*flags |= LINK_DOT_WORD;
		return 1;
	}
	const size_t before = blanks_at(f, index);
	const size_t bracketed = bracketed_dot_at(f, index + before);
	if (bracketed != 0) {
		const size_t after = blanks_at(f, index + before + bracketed);
		*flags |= LINK_DOT_WORD | (before + after != 0 ? LINK_SPACED : 0);
		return before + bracketed + after;
	}
	const size_t word = dot_word_at(f, index + before);
	const size_t after = word == 0 ? 0 : blanks_at(f, index + before + word);
	/* "done. In": a space behind the dot alone ends a sentence, but for "www. example.com". */
	const bool sentence =
		before == 0 && !(index >= 3 && (at(f, index - 1) | 0x20) == 'w' && (at(f, index - 3) | 0x20) == 'w');
	if (word != 0 && at(f, index + before) == '.' && spaced && before + after != 0 && !sentence) {
		*flags |= LINK_SPACED;
		return before + 1 + after;
	}
	if (before != 0 && after != 0 && (word == 3 || at(f, index + before) == 0x70b9)) {
		*flags |= LINK_DOT_WORD | LINK_SPACED;
		return before + word + after;
	}
	return 0;
}

static bool wide_label_is_listed(const struct link_finder *f, const uint32_t *label, size_t count)
{
	uint8_t       text[256], ascii[IDNA_ASCII_MAX];
	struct writer writer = { .ptr = text, .room = sizeof text };
	size_t        size = 0;

	for (size_t i = 0; i < count; i++)
		writer_utf8(&writer, label[i]);
	return !writer.failed && idna_ascii(writer_from(&writer, 0), 0, ascii, sizeof ascii, &size) == RC_OK &&
	       suffix_is_top(f->list, slice_of(ascii, size));
}

/* Whether a registry has that label. None of ASCII has a single letter. */
static bool label_is_listed(const struct link_finder *f, const uint32_t *label, size_t count)
{
	uint8_t text[63];

	if (count == 0 || count > sizeof text)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (label[i] >= 0x80)
			return wide_label_is_listed(f, label, count);
		text[i] = (uint8_t)label[i];
	}
	return count > 1 && suffix_is_top(f->list, slice_of(text, count));
}

bool host_is_listed(const struct link_finder *f, const struct host *host)
{
	return label_is_listed(f, host->text + host->last, host->count - host->last);
}

bool host_is_sound(const struct host *host)
{
	size_t start = 0, label = 0;

	for (size_t i = 0; i <= host->count; i++) {
		if (i < host->count && host->text[i] != '.')
			continue;
		if (i == start || host->text[start] == '-' || host->text[i - 1] == '-')
			return false;
		for (size_t k = start; label + 2 >= host->labels && k < i; k++) {
			if (host->text[k] == '_')
				return false;
		}
		start = i + 1;
		label++;
	}
	return true;
}

/*
 * Letters of one label from `index` on. Where Chinese follows ASCII, or the other way round, the label may end
 * there: it does when what came before is a registry's label.
 */
static size_t label_size(const struct link_finder *f, size_t index, struct host *host)
{
	uint32_t label[64];
	size_t   size = 0;

	for (; is_host_character(at(f, index + size)); size++) {
		const uint32_t c = at(f, index + size), before = size == 0 ? 0 : at(f, index + size - 1);
		if (dot_at(f, index + size, false, &(uint32_t){ 0 }) != 0)
			break;
		if (size == sizeof label / sizeof label[0])
			return size;
		const bool border = size != 0 && is_cjk(c) != is_cjk(before);
		const bool chinese = size >= 2 && size <= 5 && is_cjk(before);
		if ((border || chinese) && host->labels != 0 && label_is_listed(f, label, size)) {
			host->flags |= LINK_ADJACENT;
			break;
		}
		label[size] = c;
	}
	return size;
}

static void label_add(const struct link_finder *f, size_t index, size_t size, struct host *host)
{
	if (size > HOST_CHARACTERS - host->count) {
		host->broken = true;
		return;
	}
	host->last = host->count;
	host->labels++;
	for (size_t i = index; i < index + size; i++) {
		const uint32_t raw = f->character[i];
		host->flags |= (raw & WAS_WIDE) != 0 ? LINK_WIDE : 0;
		host->flags |= (raw & HAD_INVISIBLE) != 0 && host->count != 0 ? LINK_INVISIBLE : 0;
		host->text[host->count++] = raw & CHARACTER;
	}
}

static bool label_is(const struct host *host, const char *word)
{
	const size_t size = strlen(word);

	if (host->count - host->last != size)
		return false;
	for (size_t i = 0; i < size; i++) {
		if ((host->text[host->last + i] | 0x20) != (uint8_t)word[i])
			return false;
	}
	return true;
}

/*
 * Whether a dot with spaces may go on with this host: not behind a registry's label, unless a country's follows, as
 * in "com . cn".
 */
static bool may_be_spaced(const struct link_finder *f, const struct host *host, size_t index)
{
	static const char *const halves[] = { "com", "net", "org", "gov", "edu", "ac", "co" };

	/* "www.baidu" has a registry's label at its end and is no whole name. */
	const bool www =
		host->labels == 2 && host->last == 4 && (host->text[0] | 0x20) == 'w' && (host->text[2] | 0x20) == 'w';
	if (www || !host_is_listed(f, host))
		return true;
	size_t next = index + blanks_at(f, index);
	next += at(f, next) == '.';
	next += blanks_at(f, next);
	if (!is_letter(at(f, next)) || !is_letter(at(f, next + 1)) || is_host_character(at(f, next + 2)))
		return false;
	for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
		if (label_is(host, halves[i]))
			return true;
	}
	return false;
}

static bool is_number(const struct host *host)
{
	uint32_t value = 0;
	size_t   digits = 0, parts = 0;

	for (size_t i = 0; i <= host->count; i++) {
		if (i == host->count || host->text[i] == '.') {
			if (digits == 0 || digits > 3 || value > 255)
				return false;
			parts++;
			digits = value = 0;
			continue;
		}
		if (!is_digit(host->text[i]) || digits == 3)
			return false;
		value = value * 10 + (host->text[i] - '0');
		digits++;
	}
	return parts == 4;
}

/* Letters with a space between each ("b a i d u"): how many characters, 0 if it is not so. */
static size_t letters_size(const struct link_finder *f, size_t index)
{
	size_t size = 0;

	while (is_alnum(at(f, index + size)) && !is_alnum(at(f, index + size + 1))) {
		size++;
		if (at(f, index + size) != ' ' || !is_alnum(at(f, index + size + 1)) ||
		    is_alnum(at(f, index + size + 2)))
			break;
		size++;
	}
	return size > 1 ? size : 0;
}

static void letters_add(const struct link_finder *f, size_t index, size_t size, struct host *host)
{
	if (size > HOST_CHARACTERS - host->count) {
		host->broken = true;
		return;
	}
	host->last = host->count;
	host->labels++;
	host->flags |= LINK_SPACED;
	for (size_t i = 0; i < size; i += 2)
		host->text[host->count++] = at(f, index + i);
}

/* "the end . www.example.com": behind a dot with spaces stands a name of its own. */
static bool is_own_name(const struct link_finder *f, const struct host *host, size_t index)
{
	size_t end = index;

	while (end - index < 64 && is_host_character(at(f, end)))
		end++;
	return !label_is(host, "www") && at(f, end) == '.' && is_host_character(at(f, end + 1));
}

void host_read(const struct link_finder *f, size_t index, bool spaced, struct host *out)
{
	out->count = out->last = out->labels = 0;
	out->flags = 0;
	out->broken = out->number = false;
	out->end = index;
	for (;;) {
		const size_t letters = spaced ? letters_size(f, index) : 0;
		const size_t size = letters != 0 ? letters : label_size(f, index, out);
		if (size == 0)
			break;
		if (letters != 0)
			letters_add(f, index, size, out);
		else
			label_add(f, index, size, out);
		index += size;
		out->end = index;
		uint32_t     flags = 0;
		const bool   wide_apart = spaced && !out->broken && may_be_spaced(f, out, index);
		const size_t dot = dot_at(f, index, wide_apart, &flags);
		size_t       dots = 0;
		while (dot == 1 && at(f, index + 1 + dots) == '.')
			dots++;
		if (dot == 0 || !is_host_character(at(f, index + dot + dots)) || out->broken)
			break;
		if (dot > 1 && !is_alnum(at(f, index + dot)) && !is_cjk(at(f, index + dot)))
			break;
		if (flags == LINK_SPACED && is_own_name(f, out, index + dot))
			break;
		out->broken |= dots != 0;
		index += dot + dots;
		if (out->count == HOST_CHARACTERS)
			out->broken = true;
		else
			out->text[out->count++] = '.';
		out->flags |= flags;
	}
	while (out->count != 0 && out->text[out->count - 1] == '.')
		out->count--;
	/* "www.example.com-----": a line drawn behind it. */
	while (out->count > out->last + 1 && out->text[out->count - 1] == '-' && out->labels > 1) {
		out->count--;
		out->end--;
	}
	out->number = is_number(out);
}

size_t label_start(const struct link_finder *f, size_t index, size_t least)
{
	size_t start = index;

	while (start > least && index - start < 64 && is_host_character(at(f, start - 1)) &&
	       dot_at(f, start - 1, false, &(uint32_t){ 0 }) == 0)
		start--;
	/* "访问baidu": what stands before the last change from Chinese to ASCII is running text. */
	for (size_t i = index; i > start + 1; i--) {
		if (is_cjk(at(f, i - 1)))
			break;
		if (is_cjk(at(f, i - 2)) && is_alnum(at(f, i - 1)))
			return i - 1;
	}
	return start;
}
