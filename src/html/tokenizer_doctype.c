/* Doctypes: the states 13.2.5.53 to .68 of HTML. Mail has them, and nobody reads them but a quirk or two. */
#include "html/tokenizer_part.h"

static int here(const struct html_tokenizer *t)
{
	return slice_at(t->input, t->at);
}

static void space_skip(struct html_tokenizer *t)
{
	while (html_is_space(here(t)))
		t->at++;
}

/* Takes ">" and returns true, also at the end of the input, where the doctype has quirks. */
static bool end_take(struct html_tokenizer *t, struct html_token *out)
{
	if (t->at >= t->input.len) {
		out->flags |= HTML_TOKEN_QUIRKS;
		return true;
	}
	if (here(t) != '>')
		return false;
	t->at++;
	return true;
}

/* The bogus doctype state: all up to ">" is ignored. */
static void bogus_skip(struct html_tokenizer *t)
{
	t->at += slice_find(slice_drop(t->input, t->at), '>');
	if (t->at < t->input.len)
		t->at++;
}

/*
 * A quoted identifier (13.2.5.59, .60, .65, .66), t->at at its quote. False: it ends with ">" or with the input and
 * the doctype has ended too.
 */
static bool identifier_take(struct html_tokenizer *t, uint32_t *flags, struct slice *out)
{
	const uint8_t quote = (uint8_t)here(t);

	t->at++;
	const struct slice rest = slice_drop(t->input, t->at);
	size_t             size = 0;
	while (size < rest.len && rest.ptr[size] != quote && rest.ptr[size] != '>')
		size++;
	*out = html_fold(t, slice_take(rest, size), HTML_FOLD_LINES | HTML_FOLD_NUL, flags);
	t->at += size + (size < rest.len);
	if (slice_at(rest, size) == quote)
		return true;
	*flags |= HTML_TOKEN_QUIRKS;
	return false;
}

static bool at_quote(const struct html_tokenizer *t)
{
	return here(t) == '"' || here(t) == '\'';
}

/* The system identifier and what may follow it (13.2.5.63 to .67). */
static void system_take(struct html_tokenizer *t, struct html_token *out)
{
	out->flags |= HTML_TOKEN_SYSTEM;
	if (!identifier_take(t, &out->flags, &out->system_id))
		return;
	space_skip(t);
	if (!end_take(t, out))
		bogus_skip(t);
}

void html_doctype_take(struct html_tokenizer *t, struct html_token *out)
{
	out->kind = HTML_TOKEN_DOCTYPE;
	space_skip(t);
	if (here(t) < 0 || here(t) == '>') {
		out->flags |= HTML_TOKEN_QUIRKS;
		(void)end_take(t, out);
		return;
	}
	const struct slice rest = slice_drop(t->input, t->at);
	size_t             size = 0;
	while (size < rest.len && !html_is_space(rest.ptr[size]) && rest.ptr[size] != '>')
		size++;
	out->name = html_fold(t, slice_take(rest, size), HTML_FOLD_LOWER | HTML_FOLD_NUL, &out->flags);
	out->flags |= HTML_TOKEN_NAME;
	t->at += size;
	space_skip(t);
	if (end_take(t, out))
		return;
	const struct slice word = slice_cut(t->input, t->at, 6);
	const bool         is_public = slice_eq_nocase(word, SLICE("public"));
	if (!is_public && !slice_eq_nocase(word, SLICE("system"))) {
		out->flags |= HTML_TOKEN_QUIRKS;
		bogus_skip(t);
		return;
	}
	t->at += 6;
	space_skip(t);
	if (!at_quote(t)) {
		out->flags |= HTML_TOKEN_QUIRKS;
		bogus_skip(t);
		return;
	}
	if (!is_public) {
		system_take(t, out);
		return;
	}
	out->flags |= HTML_TOKEN_PUBLIC;
	if (!identifier_take(t, &out->flags, &out->public_id))
		return;
	space_skip(t);
	if (end_take(t, out))
		return;
	if (at_quote(t)) {
		system_take(t, out);
		return;
	}
	out->flags |= HTML_TOKEN_QUIRKS;
	bogus_skip(t);
}
