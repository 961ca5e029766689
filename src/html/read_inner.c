/* Scripts, what addresses contain, and pages inside the page. */
#include "html/read_part.h"

#define MARKUP_MAX 16u /* texts with tags that are read as pages */

static const struct {
	uint32_t       sign;
	enum html_fact fact;
} signs[] = {
	{ HTML_SCRIPT_SMUGGLES, HTML_FACT_SMUGGLING },         { HTML_SCRIPT_DECODES, HTML_FACT_SCRIPT_DECODES },
	{ HTML_SCRIPT_EVALUATES, HTML_FACT_SCRIPT_EVALUATES }, { HTML_SCRIPT_MEMORY, HTML_FACT_SCRIPT_BLOB },
	{ HTML_SCRIPT_LITERAL, HTML_FACT_SCRIPT_LITERAL },     { HTML_SCRIPT_NAVIGATES, HTML_FACT_SCRIPT_NAVIGATES },
	{ HTML_SCRIPT_SENDS, HTML_FACT_SCRIPT_SENDS },
};

void reader_script(struct html_reader *r, enum html_script_place place, struct slice source)
{
	static const enum html_fact facts[] = { [HTML_SCRIPT_ELEMENT] = HTML_FACT_SCRIPT,
		                                [HTML_SCRIPT_HANDLER] = HTML_FACT_HANDLER,
		                                [HTML_SCRIPT_ADDRESS] = HTML_FACT_SCRIPT_URL };
	struct html_script_signs    found = { .signs = 0 };

	reader_fact(r, facts[place], source);
	html_script_read(source, &found);
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		if ((found.signs & signs[i].sign) != 0)
			reader_fact(r, signs[i].fact, source);
	}
	if (r->rc == RC_OK && r->sink->script != NULL)
		r->rc = r->sink->script(r->sink->context, place, source);
	if (found.literal.len != 0 && r->rc == RC_OK && r->sink->embedded != NULL) {
		const struct html_embedded embedded = { .kind = HTML_EMBEDDED_LITERAL, .bytes = found.literal };
		r->rc = r->sink->embedded(r->sink->context, &embedded);
	}
}

void reader_inner_add(struct html_reader *r, struct slice page, uint32_t hidden, uint32_t some)
{
	if (page.len == 0)
		return;
	if (r->inner_count == HTML_INNER_MAX || r->depth == HTML_INNER_DEPTH) {
		reader_cut(r, SLICE("pages"));
		return;
	}
	r->inner[r->inner_count++] =
	    (struct inner){ .page = page, .depth = r->depth + 1, .hidden = hidden, .some = some };
}

/* "onx =" at text[at], behind what ends a value or a name. */
static bool handler_at(struct slice text, size_t at)
{
	const size_t first = at + 2;
	size_t       end = first;

	if (at == 0 || (text.ptr[at - 1] > ' ' && text.ptr[at - 1] != '/' && text.ptr[at - 1] != '"' && text.ptr[at - 1] != '\''))
		return false;
	if (!slice_starts_nocase(slice_drop(text, at), SLICE("on")))
		return false;
	while (end < text.len && end < first + 32 && byte_is_alpha(text.ptr[end]))
		end++;
	const bool named = end > first;
	while (end < text.len && end < first + 36 && text.ptr[end] <= ' ')
		end++;
	return named && slice_at(text, end) == '=';
}

/* Whether `text` has a tag and something that could run in it. */
static bool has_script(struct slice text)
{
	bool tag = false, active = false;

	for (size_t i = 0; i + 2 < text.len && !(tag && active); i++) {
		const uint8_t byte = text.ptr[i];
		if (byte == '<') {
			tag |= byte_is_alpha(text.ptr[i + 1]) || text.ptr[i + 1] == '/';
			active |= slice_starts_nocase(slice_drop(text, i + 1), SLICE("script"));
		} else if (byte == 'o' || byte == 'O') {
			active |= handler_at(text, i);
		} else if (byte == 's' || byte == 'S') {
			active |= slice_starts_nocase(slice_drop(text, i), SLICE("script:"));
		}
	}
	return tag && active;
}

void reader_markup(struct html_reader *r, struct slice text)
{
	if (!has_script(text) || r->depth != 0)
		return;
	reader_fact(r, HTML_FACT_MARKUP_IN_VALUE, text);
	if (r->inner_count < MARKUP_MAX)
		reader_inner_add(r, reader_keep(r, text), HTML_HIDDEN_BIT(HTML_HIDDEN_INERT), 0);
}

/* "[if gte mso 9]> ... <![endif]" (Outlook). The text is that of the comment as it stands in the page. */
static void conditional_take(struct html_reader *r, struct slice text)
{
	const size_t       open = slice_search(text, SLICE("]>"));
	const struct slice condition = slice_trim(slice_take(slice_drop(text, 3), open < 3 ? 0 : open - 3));
	struct slice       page = slice_drop(text, open + 2);
	const size_t       end = slice_search_nocase(page, SLICE("<![endif]"));

	page = slice_take(page, end);
	reader_fact_once(r, HTML_FACT_CONDITIONAL, text);
	/* "<!--[if !mso]><!-->" ends itself: what follows is shown to all but Outlook. */
	page = slice_trim(page);
	if (page.len == 0 || slice_eq(page, SLICE("<!")))
		return;
	/* "[if !mso]" in a comment is read by nobody: Outlook leaves it out, for the others it is a comment. */
	const bool nobody = slice_at(condition, 0) == '!';
	reader_inner_add(r, page, nobody ? HTML_HIDDEN_BIT(HTML_HIDDEN_COMMENT) : 0, HTML_HIDDEN_BIT(HTML_HIDDEN_CONDITIONAL));
}

void reader_comment(struct html_reader *r, const struct html_token *token)
{
	if ((token->flags & HTML_TOKEN_BOGUS) != 0 && (token->flags & HTML_TOKEN_CDATA) == 0)
		return;
	const struct slice text = slice_trim(token->text);
	if (slice_starts_nocase(text, SLICE("[if"))) {
		/* From the page itself: the token's text may lie where the next token will. */
		struct slice raw = slice_trim(slice_cut(r->page, token->start + 4, token->end - token->start - 4));
		if (slice_ends(raw, SLICE("-->")))
			raw = slice_take(raw, raw.len - 3);
		conditional_take(r, raw);
		return;
	}
	struct html_look look = *html_tree_here(&r->tree);
	look.hidden |= HTML_HIDDEN_BIT(HTML_HIDDEN_COMMENT);
	look.sticky_hidden = look.hidden;
	look.pre = false;
	reader_mark(r, &look, '\n');
	reader_text(r, &look, 0, text);
	reader_mark(r, &look, '\n');
}

static int hex_of(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

static int base64_of(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	return byte == '+' || byte == '-' ? 62 : byte == '/' || byte == '_' ? 63 : -1;
}

/* In place: "%41" is "A"; tabs and line ends are no part of an address. Returns the bytes that are left. */
static size_t percent_undo(uint8_t *text, size_t size)
{
	const struct slice s = slice_of(text, size);
	size_t             out = 0;

	for (size_t at = 0; at < size; at++) {
		const int high = s.ptr[at] == '%' ? hex_of(slice_at(s, at + 1)) : -1;
		const int low = high >= 0 ? hex_of(slice_at(s, at + 2)) : -1;
		if (low >= 0) {
			text[out++] = (uint8_t)(high * 16 + low);
			at += 2;
		} else if (text[at] != '\n' && text[at] != '\r' && text[at] != '\t') {
			text[out++] = text[at];
		}
	}
	return out;
}

static size_t base64_undo(uint8_t *text, size_t size)
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t   out = 0;

	for (size_t at = 0; at < size; at++) {
		const int value = base64_of(text[at]);
		if (value < 0)
			continue;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			text[out++] = (uint8_t)(bits >> count);
		}
	}
	return out;
}

static bool is_page(struct slice media)
{
	return slice_search_nocase(media, SLICE("html")) < media.len || slice_search_nocase(media, SLICE("svg")) < media.len ||
	       slice_search_nocase(media, SLICE("xml")) < media.len;
}

void reader_data_url(struct html_reader *r, struct slice address, const struct html_link *link)
{
	const struct slice behind = slice_drop(address, slice_find(address, ':') + 1);
	const size_t       comma = slice_find(behind, ',');
	const struct slice media = slice_trim(slice_take(behind, comma));
	const struct slice data = slice_drop(behind, comma + 1);

	reader_fact(r, HTML_FACT_DATA_URL, address);
	if (data.len == 0)
		return;
	uint8_t *text = arena_bytes(r->arena, data.len);
	if (text == NULL) {
		reader_cut(r, SLICE("data"));
		return;
	}
	memcpy(text, data.ptr, data.len);
	size_t size = percent_undo(text, data.len);
	if (slice_ends_nocase(media, SLICE("base64")))
		size = base64_undo(text, size);
	const struct html_embedded embedded = { .kind = HTML_EMBEDDED_DATA,
		                                .media = slice_take(media, slice_find(media, ';')),
		                                .bytes = slice_of(text, size) };
	if (r->rc == RC_OK && r->sink->embedded != NULL)
		r->rc = r->sink->embedded(r->sink->context, &embedded);
	if (!is_page(embedded.media))
		return;
	/* A frame shows it at once, a link after a click, and a picture runs nothing. */
	const uint32_t some = link->role == HTML_ROLE_FRAME ? 0 : HTML_HIDDEN_BIT(HTML_HIDDEN_CLOSED);
	reader_inner_add(r, embedded.bytes, link->role == HTML_ROLE_PICTURE ? HTML_HIDDEN_BIT(HTML_HIDDEN_INERT) : 0, some);
}
