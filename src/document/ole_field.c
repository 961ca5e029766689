/* Instructions of fields: a word, arguments in quotes or not, switches that begin with a backslash. */
#include "document/ole_field.h"

#include "base/buf.h"
#include "base/num.h"
#include "document/ole_text.h"

#define ARGUMENTS_MAX 16u

/* Blanks and control characters are between arguments; typographic quotes serve as quotes, as Word has it. */
static bool is_blank(uint8_t byte)
{
	return byte <= ' ';
}

static size_t quote_size(struct slice s)
{
	if (slice_at(s, 0) == '"')
		return 1;
	return slice_starts(s, SLICE("\xe2\x80\x9c")) || slice_starts(s, SLICE("\xe2\x80\x9d")) ? 3 : 0;
}

/* The next argument into `out`, with doubled backslashes made one; false at the end. */
static bool argument_take(struct slice *rest, struct buf *out)
{
	buf_clear(out);
	while (rest->len != 0 && is_blank(rest->ptr[0]))
		*rest = slice_drop(*rest, 1);
	if (rest->len == 0)
		return false;
	const size_t quote = quote_size(*rest);
	*rest = slice_drop(*rest, quote);
	while (rest->len != 0) {
		if (quote == 0 && is_blank(rest->ptr[0]))
			break;
		if (quote_size(*rest) != 0) {
			if (quote != 0)
				*rest = slice_drop(*rest, quote_size(*rest));
			break;
		}
		if (rest->ptr[0] == '\\' && slice_at(*rest, 1) == '\\')
			*rest = slice_drop(*rest, 1);
		buf_put_byte(out, rest->ptr[0]);
		*rest = slice_drop(*rest, 1);
	}
	return true;
}

static bool is_remote(struct slice address)
{
	return slice_search(address, SLICE("://")) < address.len || slice_starts(address, SLICE("\\\\")) ||
	       slice_starts(address, SLICE("\\")) || slice_starts(address, SLICE("//")) ||
	       slice_starts_nocase(address, SLICE("mhtml:"));
}

/* Switches that have an argument of their own, by the letter: it is not the address. */
static bool switch_takes(struct slice word)
{
	return word.len == 2 && (slice_at(word, 1) == 'o' || slice_at(word, 1) == 't' || slice_at(word, 1) == 'm' ||
	                         slice_at(word, 1) == '*' || slice_at(word, 1) == 'c');
}

/* The first argument that is no switch; "\l" names a place in the document, which is no address. */
static enum rc address_tell(struct slice rest, enum content_place place, struct slice shown,
                            const struct content_sink *sink)
{
	struct buf word = buf_make(OLE_FIELD_MAX);
	enum rc    rc = RC_OK;
	bool       skip = false;

	for (size_t i = 0; i < ARGUMENTS_MAX && argument_take(&rest, &word); i++) {
		const struct slice text = buf_slice(&word);
		if (text.len == 0)
			continue;
		if (skip || (text.ptr[0] == '\\' && text.len == 2)) {
			skip = !skip && (switch_takes(text) || text.ptr[1] == 'l');
			continue;
		}
		if (place == CONTENT_PLACE_REFERENCE && is_remote(text))
			rc = sink_fact(sink, CONTENT_FACT_OFFICE_EXTERNAL, text);
		if (rc == RC_OK && (place != CONTENT_PLACE_REFERENCE || is_remote(text)))
			rc = sink_link(sink, place, text, shown);
		break;
	}
	buf_done(&word);
	return rc;
}

enum rc ole_field_tell(struct slice instruction, struct slice shown, const struct content_sink *sink)
{
	struct slice rest = slice_take(instruction, OLE_FIELD_MAX);
	struct buf   word = buf_make(OLE_FIELD_MAX);
	enum rc      rc = RC_OK;

	if (argument_take(&rest, &word)) {
		const struct slice name = buf_slice(&word);
		if (slice_eq_nocase(name, SLICE("DDE")) || slice_eq_nocase(name, SLICE("DDEAUTO")))
			rc = sink_fact(sink, CONTENT_FACT_OFFICE_DDE, slice_trim(instruction));
		else if (slice_eq_nocase(name, SLICE("HYPERLINK")))
			rc = address_tell(rest, CONTENT_PLACE_BODY, shown, sink);
		else if (slice_eq_nocase(name, SLICE("INCLUDEPICTURE")) ||
		         slice_eq_nocase(name, SLICE("INCLUDETEXT")) || slice_eq_nocase(name, SLICE("INCLUDE")) ||
		         slice_eq_nocase(name, SLICE("IMPORT")) || slice_eq_nocase(name, SLICE("RD")))
			rc = address_tell(rest, CONTENT_PLACE_REFERENCE, shown, sink);
		else if (slice_eq_nocase(name, SLICE("LINK"))) {
			(void)argument_take(&rest, &word); /* the class of the linked object */
			rc = address_tell(rest, CONTENT_PLACE_REFERENCE, shown, sink);
		}
	}
	buf_done(&word);
	return rc;
}

bool ole_field_quote(struct slice instruction, struct buf *out)
{
	struct slice rest = slice_take(instruction, OLE_FIELD_MAX);
	struct buf   word = buf_make(OLE_FIELD_MAX);
	bool         quoted = argument_take(&rest, &word) && slice_eq_nocase(buf_slice(&word), SLICE("QUOTE"));

	while (quoted && argument_take(&rest, &word)) {
		uint64_t code;
		if (num_u64(buf_slice(&word), 0x10ffff, &code) == RC_OK)
			ole_put_code(out, (uint32_t)code);
		else
			buf_put(out, buf_slice(&word));
	}
	buf_done(&word);
	return quoted;
}
