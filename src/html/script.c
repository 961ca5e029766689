/* Identifiers and quoted texts of a script; a scanner, no parser. */
#include "html/script.h"

struct word {
	char     text[22];
	uint32_t signs;
};

static const struct word words[] = {
	{ "Blob", HTML_SCRIPT_MEMORY },
	{ "File", HTML_SCRIPT_MEMORY },
	{ "Function", HTML_SCRIPT_EVALUATES },
	{ "MSBlobBuilder", HTML_SCRIPT_MEMORY },
	{ "TextDecoder", HTML_SCRIPT_DECODES },
	{ "Uint8Array", HTML_SCRIPT_MEMORY },
	{ "WebSocket", HTML_SCRIPT_SENDS },
	{ "XMLHttpRequest", HTML_SCRIPT_SENDS },
	{ "ajax", HTML_SCRIPT_SENDS },
	{ "atob", HTML_SCRIPT_DECODES },
	{ "createObjectURL", HTML_SCRIPT_SAVES },
	{ "decodeURIComponent", HTML_SCRIPT_DECODES },
	{ "download", HTML_SCRIPT_SAVES },
	{ "eval", HTML_SCRIPT_EVALUATES },
	{ "execScript", HTML_SCRIPT_EVALUATES },
	{ "fetch", HTML_SCRIPT_SENDS },
	{ "fromCharCode", HTML_SCRIPT_DECODES },
	{ "fromCodePoint", HTML_SCRIPT_DECODES },
	{ "innerHTML", HTML_SCRIPT_EVALUATES },
	{ "insertAdjacentHTML", HTML_SCRIPT_EVALUATES },
	{ "location", HTML_SCRIPT_NAVIGATES },
	{ "msSaveBlob", HTML_SCRIPT_SAVES | HTML_SCRIPT_MEMORY },
	{ "msSaveOrOpenBlob", HTML_SCRIPT_SAVES | HTML_SCRIPT_MEMORY },
	{ "outerHTML", HTML_SCRIPT_EVALUATES },
	{ "saveAs", HTML_SCRIPT_SAVES },
	{ "sendBeacon", HTML_SCRIPT_SENDS },
	{ "srcdoc", HTML_SCRIPT_EVALUATES },
	{ "unescape", HTML_SCRIPT_DECODES },
	{ "write", HTML_SCRIPT_EVALUATES },
	{ "writeln", HTML_SCRIPT_EVALUATES },
};

static bool is_word_byte(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '_' || byte == '$';
}

static uint32_t signs_of(struct slice word)
{
	size_t low = 0, high = sizeof words / sizeof words[0];

	if (word.len < 4 || word.len >= sizeof words[0].text)
		return 0;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		const int    order = slice_compare(word, slice_str(words[middle].text));
		if (order == 0)
			return words[middle].signs;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

static bool is_code_byte(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '+' || byte == '/' || byte == '=' || byte == '-' || byte == '_' || byte == '%';
}

/* A quoted text at the front: its size with quotes, or 1 where nothing closes it on its line. */
static size_t text_size(struct slice s, struct slice *inside, bool *code)
{
	const uint8_t quote = s.ptr[0];
	size_t        at = 1;

	*code = true;
	for (; at < s.len && s.ptr[at] != quote; at++) {
		if (s.ptr[at] == '\\' && at + 1 < s.len)
			at++;
		else if (s.ptr[at] == '\n' && quote != '`') {
			*code = false;
			*inside = (struct slice){ NULL, 0 };
			return at;
		}
		*code = *code && (is_code_byte(s.ptr[at]) || s.ptr[at] == '\n' || s.ptr[at] == '\r');
	}
	*inside = slice_cut(s, 1, at - 1);
	return at < s.len ? at + 1 : at;
}

void html_script_read(struct slice source, struct html_script_signs *out)
{
	for (size_t at = 0; at < source.len;) {
		const uint8_t byte = source.ptr[at];
		if (is_word_byte(byte)) {
			size_t size = 1;
			while (at + size < source.len && is_word_byte(source.ptr[at + size]))
				size++;
			if (byte_is_alpha(byte))
				out->signs |= signs_of(slice_cut(source, at, size));
			at += size;
		} else if (byte == '"' || byte == '\'' || byte == '`') {
			struct slice inside;
			bool         code;
			at += text_size(slice_drop(source, at), &inside, &code);
			out->signs |= signs_of(inside);
			if (code && inside.len >= HTML_LITERAL_MIN) {
				out->signs |= HTML_SCRIPT_LITERAL;
				if (inside.len > out->literal.len)
					out->literal = inside;
			}
		} else {
			at++;
		}
	}
	const bool makes = (out->signs & (HTML_SCRIPT_DECODES | HTML_SCRIPT_MEMORY | HTML_SCRIPT_LITERAL)) != 0;
	const bool saves = (out->signs & HTML_SCRIPT_SAVES) != 0;
	if (makes && saves && (out->signs & (HTML_SCRIPT_MEMORY | HTML_SCRIPT_LITERAL)) != 0)
		out->signs |= HTML_SCRIPT_SMUGGLES;
}
