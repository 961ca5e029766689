/* Lines of fields that end in semicolons; two of them are one in the text. */
#include "document/xlm_sylk.h"

#include "document/xlm.h"

#define FIELD_MAX 32768u

bool xlm_sylk_is(struct slice file)
{
	return slice_starts_nocase(file, SLICE("ID;"));
}

/* The next field of a line, doubled semicolons made one; false at the end. */
static bool field_take(struct slice *rest, struct buf *out)
{
	if (rest->len == 0)
		return false;
	buf_clear(out);
	while (rest->len != 0) {
		const uint8_t byte = rest->ptr[0];
		*rest = slice_drop(*rest, 1);
		if (byte == ';') {
			if (slice_at(*rest, 0) != ';')
				break;
			*rest = slice_drop(*rest, 1);
		}
		if (out->len < FIELD_MAX)
			buf_put_byte(out, byte);
	}
	return true;
}

/* service|'topic'!item */
static enum rc dde_tell(struct slice formula, const struct content_sink *sink)
{
	const size_t bar = slice_find(formula, '|');

	if (bar >= formula.len || slice_find(slice_drop(formula, bar), '!') >= formula.len - bar)
		return RC_OK;
	return sink_fact(sink, CONTENT_FACT_OFFICE_DDE, formula);
}

struct sylk {
	const struct content_sink *sink;
	struct buf                 formulas, text, field;
	bool                       macros;
};

static enum rc line_read(struct sylk *s, struct slice line)
{
	uint8_t kind[2] = { 0, 0 };
	enum rc rc = RC_OK;

	if (!field_take(&line, &s->field))
		return RC_OK;
	for (size_t i = 0; i < 2 && i < s->field.len; i++)
		kind[i] = (uint8_t)(s->field.ptr[i] & 0xdf);
	while (rc == RC_OK && field_take(&line, &s->field)) {
		const struct slice field = buf_slice(&s->field), value = slice_drop(field, 1);
		const int          type = slice_at(field, 0) & 0xdf;
		if (kind[0] == 'O' && type == 'E' && !s->macros) {
			s->macros = true;
			rc = sink_fact(s->sink, CONTENT_FACT_MACRO_XLM, SLICE("SYLK"));
		} else if (kind[0] == 'N' && kind[1] == 'N' && type == 'N' && xlm_name_runs(value)) {
			rc = sink_fact(s->sink, CONTENT_FACT_MACRO_AUTORUN, value);
		} else if (type == 'E' && (kind[0] == 'C' || kind[0] == 'N')) {
			buf_put_byte(&s->formulas, '=');
			buf_put(&s->formulas, value);
			buf_put_byte(&s->formulas, '\n');
			rc = dde_tell(value, s->sink);
		} else if (kind[0] == 'C' && type == 'K') {
			buf_put(&s->text, value);
			buf_put_byte(&s->text, '\n');
		}
	}
	return rc;
}

enum rc xlm_sylk_open(struct slice file, struct budget *budget, const struct content_sink *sink)
{
	struct sylk s = { .sink = sink,
		          .formulas = buf_make(XLM_SHEET_MAX),
		          .text = buf_make(XLM_SHEET_MAX),
		          .field = buf_make(FIELD_MAX) };
	enum rc     rc = RC_OK;

	if (!xlm_sylk_is(file))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, file.len))
		return RC_LIMIT;
	while (rc == RC_OK && file.len != 0)
		rc = line_read(&s, slice_trim(slice_until(&file, '\n')));
	if (rc == RC_OK)
		rc = sink_text(sink, CONTENT_PLACE_BODY, buf_slice(&s.text));
	if (rc == RC_OK && s.macros)
		rc = xlm_sheet(buf_slice(&s.formulas), budget, sink);
	buf_done(&s.formulas);
	buf_done(&s.text);
	buf_done(&s.field);
	return rc;
}

enum rc xlm_table_open(struct slice file, struct budget *budget, const struct content_sink *sink)
{
	enum rc rc = RC_OK;

	if (!budget_take(budget, BUDGET_STEPS, file.len))
		return RC_LIMIT;
	while (rc == RC_OK && file.len != 0) {
		struct slice line = slice_until(&file, '\n');
		/* A cell begins behind a separator, with what Excel takes for a formula, quotes and blanks before it. */
		for (bool start = true; rc == RC_OK && line.len != 0; line = slice_drop(line, 1)) {
			const uint8_t byte = line.ptr[0];
			if (start && (byte == '=' || byte == '+' || byte == '-' || byte == '@')) {
				rc = dde_tell(slice_trim(line), sink);
				break;
			}
			start = byte == ',' || byte == ';' || byte == '\t' ||
			        (start && (byte == '"' || byte == ' ' || byte == 0xef || byte == 0xbb || byte == 0xbf));
		}
	}
	return rc;
}
