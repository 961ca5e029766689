/* Tags and attributes: the states 13.2.5.8 and 13.2.5.32 to .40 of HTML. */
#include "html/tokenizer_part.h"

#include "base/must.h"

/* Bytes of a name: up to what ends it. *folds: what has to be done to it. */
static size_t name_size(struct slice s, bool attribute, unsigned *folds)
{
	size_t size = 0;

	/* "=" is a letter like any other where an attribute's name begins (13.2.5.32). */
	for (; size < s.len; size++) {
		const uint8_t byte = s.ptr[size];
		if (byte <= ' ') {
			if (html_is_space(byte))
				break;
			if (byte == '\0')
				*folds |= HTML_FOLD_NUL;
		} else if (byte == '/' || byte == '>' || (attribute && byte == '=' && size != 0)) {
			break;
		} else if (byte >= 'A' && byte <= 'Z') {
			*folds |= HTML_FOLD_LOWER;
		}
	}
	return size;
}

static struct slice name_take(struct html_tokenizer *t, bool attribute, uint32_t *flags)
{
	unsigned           folds = 0;
	const struct slice rest = slice_drop(t->input, t->at);
	const struct slice name = slice_take(rest, name_size(rest, attribute, &folds));

	t->at += name.len;
	return folds != 0 ? html_fold(t, name, folds, flags) : name;
}

static void space_skip(struct html_tokenizer *t)
{
	while (t->at < t->input.len && html_is_space(t->input.ptr[t->at]))
		t->at++;
}

/* The bytes that may end a value, or have to be undone in it. */
static const bool value_special[256] = { ['"'] = true,  ['\''] = true, ['>'] = true,  [' '] = true,  ['\t'] = true,
	                                 ['\n'] = true, ['\f'] = true, ['\r'] = true, ['\0'] = true, ['&'] = true };

/* Bytes of a value up to `quote`, or, where that is 0, up to a blank or ">". s.len: there is no end. */
static size_t value_size(struct slice s, uint8_t quote, unsigned *folds)
{
	for (size_t i = 0; i < s.len; i++) {
		const uint8_t byte = s.ptr[i];
		if (!value_special[byte])
			continue;
		if (quote != 0 ? byte == quote : byte == '>' || html_is_space(byte))
			return i;
		if (byte == '&')
			*folds |= HTML_FOLD_REFERENCE;
		else if (byte == '\r')
			*folds |= HTML_FOLD_LINES;
		else if (byte == '\0')
			*folds |= HTML_FOLD_NUL;
	}
	return s.len;
}

/* Behind "=" (13.2.5.35 to .39). False: the input ends in it. */
static bool value_take(struct html_tokenizer *t, struct html_attribute *out, uint32_t *flags)
{
	space_skip(t);
	const int first = slice_at(t->input, t->at);
	if (first < 0)
		return false;
	const uint8_t quote = first == '"' || first == '\'' ? (uint8_t)first : 0;
	if (quote != 0)
		t->at++;
	unsigned           folds = 0;
	const struct slice rest = slice_drop(t->input, t->at);
	const size_t       size = value_size(rest, quote, &folds);
	if (size == rest.len)
		return false;
	t->at += size + (quote != 0);
	out->raw = out->value = slice_take(rest, size);
	if (folds != 0)
		out->value = html_fold(t, out->raw, folds, flags);
	return true;
}

static bool is_known(const struct html_attribute *attributes, size_t count, const struct html_attribute *attribute)
{
	for (size_t i = 0; i < count; i++) {
		if (attributes[i].hash == attribute->hash && slice_eq(attributes[i].text, attribute->text))
			return true;
	}
	return false;
}

/* One attribute, t->at at its first byte. False: the input ends in it. */
static bool attribute_take(struct html_tokenizer *t, struct html_token *out)
{
	struct html_attribute attribute = { .text = name_take(t, true, &out->flags) };

	space_skip(t);
	if (slice_at(t->input, t->at) == '=') {
		t->at++;
		if (!value_take(t, &attribute, &out->flags))
			return false;
	}
	attribute.hash = html_name_hash(attribute.text);
	attribute.name = html_attribute_find(attribute.text, attribute.hash);
	if (out->count == HTML_ATTRIBUTES_MAX)
		out->flags |= HTML_TOKEN_LIMIT;
	else if (is_known(t->attributes, out->count, &attribute))
		out->flags |= HTML_TOKEN_DUPLICATE;
	else
		t->attributes[out->count++] = attribute;
	return true;
}

bool html_tag_take(struct html_tokenizer *t, struct html_token *out)
{
	out->name = name_take(t, false, &out->flags);
	out->hash = html_name_hash(out->name);
	out->element = html_element_find(out->name, out->hash);
	out->attributes = t->attributes;
	for (;;) {
		space_skip(t);
		const int byte = slice_at(t->input, t->at);
		if (byte < 0)
			return false;
		if (byte == '>') {
			t->at++;
			return true;
		}
		if (byte == '/') {
			t->at++;
			if (slice_at(t->input, t->at) == '>') {
				out->flags |= HTML_TOKEN_SELF_CLOSING;
				t->at++;
				return true;
			}
			continue;
		}
		if (!attribute_take(t, out))
			return false;
	}
}
