/* Forms: where they go and what they ask for. Fields without a form count as one without an address. */
#include "html/read_part.h"

struct kind {
	char     type[16];
	uint32_t input;
};

static const struct kind kinds[] = {
	{ "password", HTML_INPUT_PASSWORD }, { "email", HTML_INPUT_EMAIL },   { "tel", HTML_INPUT_PHONE },
	{ "file", HTML_INPUT_FILE },         { "hidden", HTML_INPUT_HIDDEN }, { "submit", HTML_INPUT_SUBMIT },
	{ "image", HTML_INPUT_SUBMIT },      { "button", HTML_INPUT_SUBMIT }, { "reset", HTML_INPUT_SUBMIT },
	{ "checkbox", HTML_INPUT_CHOICE },   { "radio", HTML_INPUT_CHOICE },  { "date", HTML_INPUT_CHOICE },
	{ "range", HTML_INPUT_CHOICE },      { "color", HTML_INPUT_CHOICE },  { "time", HTML_INPUT_CHOICE },
};

static bool has_word(struct slice text, struct slice word)
{
	return slice_search_nocase(text, word) < text.len;
}

/* A field of letters may be for something that its name tells. */
static uint32_t by_name(const struct html_token *token)
{
	const struct slice complete = html_token_value(token, HTML_ATTRIBUTE_AUTOCOMPLETE);
	const struct slice name = html_token_value(token, HTML_ATTRIBUTE_NAME);
	const struct slice label = html_token_value(token, HTML_ATTRIBUTE_PLACEHOLDER);

	if (has_word(complete, SLICE("cc-")) || has_word(name, SLICE("cardn")) || has_word(name, SLICE("cvv")) ||
	    has_word(name, SLICE("card_n")) || has_word(label, SLICE("card number")) || has_word(label, SLICE("cvv")))
		return HTML_INPUT_CARD | HTML_INPUT_TEXT;
	/* A password that is typed in the clear, or whose dots are made by a style. */
	if (has_word(complete, SLICE("password")) || has_word(name, SLICE("passw")) || has_word(label, SLICE("password")))
		return HTML_INPUT_PASSWORD | HTML_INPUT_TEXT;
	return HTML_INPUT_TEXT;
}

static uint32_t input_of(const struct html_token *token)
{
	const struct slice type = slice_trim(html_token_value(token, HTML_ATTRIBUTE_TYPE));

	if (token->element == HTML_ELEMENT_SELECT)
		return HTML_INPUT_CHOICE;
	if (token->element == HTML_ELEMENT_BUTTON)
		return HTML_INPUT_SUBMIT;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (token->element == HTML_ELEMENT_INPUT && slice_eq_nocase(type, slice_str(kinds[i].type)))
			return kinds[i].input;
	}
	return by_name(token);
}

void reader_form_start(struct html_reader *r, const struct html_token *token)
{
	const struct slice action = slice_take(html_token_value(token, HTML_ATTRIBUTE_ACTION), ADDRESS_MAX - 8);
	const struct slice method = slice_take(html_token_value(token, HTML_ATTRIBUTE_METHOD), 8);

	reader_form_end(r);
	r->form = (struct html_form){ .action = slice_of(r->form_text, action.len),
		                      .method = slice_of(&r->form_text[action.len], method.len) };
	if (action.len != 0)
		memcpy(r->form_text, action.ptr, action.len);
	if (method.len != 0)
		memcpy(&r->form_text[action.len], method.ptr, method.len);
	r->form_open = true;
	reader_fact(r, HTML_FACT_FORM, action);
}

void reader_form_input(struct html_reader *r, const struct html_token *token)
{
	const uint32_t input = input_of(token);
	const uint32_t news = input & ~r->form.inputs;

	r->form.inputs |= input;
	r->form.count += r->form.count != UINT32_MAX;
	const struct slice name = html_token_value(token, HTML_ATTRIBUTE_NAME);
	if ((news & HTML_INPUT_PASSWORD) != 0)
		reader_fact(r, HTML_FACT_FORM_PASSWORD, name);
	if ((news & HTML_INPUT_CARD) != 0)
		reader_fact(r, HTML_FACT_FORM_CARD, name);
	if ((news & HTML_INPUT_FILE) != 0)
		reader_fact(r, HTML_FACT_FORM_FILE, name);
}

void reader_form_end(struct html_reader *r)
{
	const bool any = r->form_open || r->form.count != 0;

	r->form.base = r->base;
	if (any && r->rc == RC_OK && r->sink->form != NULL)
		r->rc = r->sink->form(r->sink->context, &r->form);
	r->form = (struct html_form){ .count = 0 };
	r->form_open = false;
}
