/* The prescan of HTML 13.2.3.2, and "extracting a character encoding from a meta element" of HTML 2.5.5. */
#include "html/sniff.h"

#include "html/tokenizer.h"

struct attribute {
	struct slice name, value;
};

static void space_skip(struct slice *s)
{
	while (html_is_space(slice_at(*s, 0)))
		*s = slice_drop(*s, 1);
}

/* "get an attribute" of 13.2.3.2. False: there is no further one; an unclosed one leaves *s empty. */
static bool attribute_take(struct slice *s, struct attribute *out)
{
	size_t size = 0;

	while (html_is_space(slice_at(*s, 0)) || slice_at(*s, 0) == '/')
		*s = slice_drop(*s, 1);
	if (s->len == 0 || s->ptr[0] == '>')
		return false;
	while (size < s->len && !html_is_space(s->ptr[size]) && s->ptr[size] != '/' && s->ptr[size] != '>' &&
	       (s->ptr[size] != '=' || size == 0))
		size++;
	*out = (struct attribute){ .name = slice_take(*s, size) };
	*s = slice_drop(*s, size);
	space_skip(s);
	if (slice_at(*s, 0) != '=')
		return s->len != 0;
	*s = slice_drop(*s, 1);
	space_skip(s);
	const int quote = slice_at(*s, 0);
	if (quote == '"' || quote == '\'') {
		*s = slice_drop(*s, 1);
		size = slice_find(*s, (uint8_t)quote);
		out->value = slice_take(*s, size);
		const bool closed = size < s->len;
		*s = slice_drop(*s, size + 1);
		return closed;
	}
	size = 0;
	while (size < s->len && !html_is_space(s->ptr[size]) && s->ptr[size] != '>')
		size++;
	out->value = slice_take(*s, size);
	*s = slice_drop(*s, size);
	return s->len != 0;
}

/* HTML 2.5.5: what stands behind "charset =" in the content of a meta. */
static struct slice from_content(struct slice s)
{
	for (;;) {
		const size_t at = slice_search_nocase(s, SLICE("charset"));
		if (at == s.len)
			return (struct slice){ NULL, 0 };
		s = slice_drop(s, at + 7);
		space_skip(&s);
		if (slice_at(s, 0) == '=')
			break;
	}
	s = slice_drop(s, 1);
	space_skip(&s);
	const int quote = slice_at(s, 0);
	if (quote == '"' || quote == '\'') {
		s = slice_drop(s, 1);
		const size_t size = slice_find(s, (uint8_t)quote);
		return size < s.len ? slice_take(s, size) : (struct slice){ NULL, 0 };
	}
	size_t size = 0;
	while (size < s.len && !html_is_space(s.ptr[size]) && s.ptr[size] != ';')
		size++;
	return slice_take(s, size);
}

static struct slice label_of(struct slice label, bool (*is_label)(struct slice label))
{
	label = slice_trim(label);
	if (label.len == 0 || (is_label != NULL && !is_label(label)))
		return (struct slice){ NULL, 0 };
	if (slice_starts_nocase(label, SLICE("utf-16")) || slice_eq_nocase(label, SLICE("utf16")) ||
	    slice_eq_nocase(label, SLICE("unicode")) || slice_eq_nocase(label, SLICE("ucs-2")))
		return SLICE("utf-8");
	if (slice_eq_nocase(label, SLICE("x-user-defined")))
		return SLICE("windows-1252");
	return label;
}

#define SEEN_EQUIV   1u
#define SEEN_CONTENT 2u
#define SEEN_CHARSET 4u

/* The attributes of a meta; *s behind its name. */
static struct slice meta_take(struct slice *s, bool (*is_label)(struct slice label))
{
	struct attribute attribute;
	struct slice     label = { NULL, 0 };
	unsigned         seen = 0;
	bool             needs_equiv = false, got_equiv = false;

	while (attribute_take(s, &attribute)) {
		if ((seen & SEEN_EQUIV) == 0 && slice_eq_nocase(attribute.name, SLICE("http-equiv"))) {
			seen |= SEEN_EQUIV;
			got_equiv = slice_eq_nocase(attribute.value, SLICE("content-type"));
		} else if ((seen & SEEN_CONTENT) == 0 && slice_eq_nocase(attribute.name, SLICE("content"))) {
			seen |= SEEN_CONTENT;
			if (label.len == 0) {
				label = from_content(attribute.value);
				needs_equiv = label.len != 0;
			}
		} else if ((seen & SEEN_CHARSET) == 0 && slice_eq_nocase(attribute.name, SLICE("charset"))) {
			seen |= SEEN_CHARSET;
			label = attribute.value;
			needs_equiv = false;
		}
	}
	if (slice_at(*s, 0) != '>' || (needs_equiv && !got_equiv))
		return (struct slice){ NULL, 0 };
	return label_of(label, is_label);
}

/* A tag other than meta, *s behind "<" or "</". */
static void tag_skip(struct slice *s)
{
	struct attribute attribute;
	size_t           size = 0;

	while (size < s->len && !html_is_space(s->ptr[size]) && s->ptr[size] != '>')
		size++;
	*s = slice_drop(*s, size);
	while (attribute_take(s, &attribute))
		continue;
}

struct slice html_sniff(struct slice s, size_t bytes_max, bool (*is_label)(struct slice label))
{
	if (slice_starts(s, SLICE("\xef\xbb\xbf")))
		return SLICE("utf-8");
	if (slice_starts(s, SLICE("\xff\xfe")))
		return SLICE("utf-16le");
	if (slice_starts(s, SLICE("\xfe\xff")))
		return SLICE("utf-16be");
	s = slice_take(s, bytes_max);
	while (s.len != 0) {
		s = slice_drop(s, slice_find(s, '<'));
		const int next = slice_at(s, 1);
		if (slice_starts(s, SLICE("<!--"))) {
			/* The dashes of "<!-->" are both its beginning and its end. */
			s = slice_drop(s, 2);
			s = slice_drop(s, slice_search(s, SLICE("-->")) + 2);
		} else if (slice_starts_nocase(s, SLICE("<meta")) && (html_is_space(slice_at(s, 5)) || slice_at(s, 5) == '/')) {
			s = slice_drop(s, 5);
			const struct slice label = meta_take(&s, is_label);
			if (label.len != 0)
				return label;
		} else if (next >= 0 && byte_is_alpha((uint8_t)next)) {
			s = slice_drop(s, 1);
			tag_skip(&s);
		} else if (next == '/' && slice_at(s, 2) >= 0 && byte_is_alpha((uint8_t)slice_at(s, 2))) {
			s = slice_drop(s, 2);
			tag_skip(&s);
		} else if (next == '!' || next == '/' || next == '?') {
			s = slice_drop(s, slice_find(s, '>'));
		} else {
			s = slice_drop(s, 1);
		}
	}
	return (struct slice){ NULL, 0 };
}
