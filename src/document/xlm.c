/*
 * Parsed expressions stand in postfix order: operands first. The text of each operand is kept in one buffer, in order;
 * an operator puts its sign between the last two.
 */
#include "document/xlm.h"

#include "document/ole_bytes.h"
#include "document/ole_text.h"
#include "document/vba_marks.h"
#include "document/xlm_names.h"

/* Where each waiting operand begins in the text. */
struct expression {
	struct buf    *text;
	size_t         start[XLM_DEPTH_MAX];
	size_t         depth;
	struct budget *budget;
	enum xlm_form  form;
};

/* Bytes behind the token, by its number without class; 0xff: none such. Excel 5, 97, 2007. */
struct token_size {
	uint8_t token, size[3];
};

static const struct token_size token_sizes[] = {
	{ 0x01, { 4, 4, 4 } },  { 0x02, { 4, 4, 4 } },    { 0x18, { 5, 5, 5 } },  { 0x1a, { 10, 10, 10 } },
	{ 0x1b, { 4, 4, 4 } },  { 0x20, { 7, 7, 14 } },   { 0x23, { 14, 4, 4 } }, { 0x24, { 3, 4, 6 } },
	{ 0x25, { 6, 8, 12 } }, { 0x26, { 6, 6, 6 } },    { 0x27, { 6, 6, 6 } },  { 0x28, { 6, 6, 6 } },
	{ 0x29, { 2, 2, 2 } },  { 0x2a, { 3, 4, 6 } },    { 0x2b, { 6, 8, 12 } }, { 0x2c, { 3, 4, 6 } },
	{ 0x2d, { 6, 8, 12 } }, { 0x39, { 24, 6, 6 } },   { 0x3a, { 17, 6, 8 } }, { 0x3b, { 20, 10, 14 } },
	{ 0x3c, { 17, 6, 8 } }, { 0x3d, { 20, 10, 14 } },
};

static bool insert(struct expression *e, size_t at, struct slice text)
{
	const size_t tail = e->text->len - at;

	if (!budget_take(e->budget, BUDGET_STEPS, tail + text.len))
		return false;
	uint8_t *end = buf_reserve(e->text, text.len);
	if (end == NULL)
		return false;
	buf_grew(e->text, text.len);
	memmove(e->text->ptr + at + text.len, e->text->ptr + at, tail);
	if (text.len != 0)
		memcpy(e->text->ptr + at, text.ptr, text.len);
	return true;
}

static bool operand(struct expression *e)
{
	if (e->depth >= XLM_DEPTH_MAX)
		return false;
	e->start[e->depth++] = e->text->len;
	return true;
}

static bool binary(struct expression *e, const char *sign)
{
	if (e->depth < 2)
		return false;
	e->depth--;
	return insert(e, e->start[e->depth], slice_str(sign));
}

/* NAME(a,b,c) of the last `count` operands. */
static bool call(struct expression *e, struct slice name, size_t count)
{
	if (count > e->depth)
		count = e->depth;
	const size_t first = e->depth - count;
	for (size_t i = e->depth; i > first + 1; i--)
		if (!insert(e, e->start[i - 1], SLICE(",")))
			return false;
	e->depth = first;
	const size_t at = count == 0 ? e->text->len : e->start[first];
	if (!insert(e, at, SLICE("(")) || !insert(e, at, name))
		return false;
	buf_put_byte(e->text, ')');
	if (!operand(e))
		return false;
	e->start[e->depth - 1] = at;
	return !e->text->failed;
}

/* The string's characters with quotes doubled. */
static void quoted(struct slice text, bool wide, struct buf *out)
{
	struct buf plain = buf_make(XLM_FORMULA_MAX);

	if (wide)
		ole_put_utf16(text, &plain);
	else
		ole_put_codepage(1252, text, &plain);
	buf_put_byte(out, '"');
	for (size_t i = 0; i < plain.len; i++) {
		if (plain.ptr[i] == '"')
			buf_put_byte(out, '"');
		buf_put_byte(out, plain.ptr[i] == '\n' || plain.ptr[i] == '\r' ? ' ' : plain.ptr[i]);
	}
	buf_put_byte(out, '"');
	buf_done(&plain);
}

static bool string_take(struct expression *e, struct slice *rest)
{
	size_t count = bytes_u8(*rest, 0), skip = 1;
	bool   wide = false;

	if (e->form == XLM_EXCEL97) {
		wide = (bytes_u8(*rest, 1) & 1) != 0;
		skip = 2;
	} else if (e->form == XLM_EXCEL2007) {
		count = bytes_u16(*rest, 0);
		wide = true;
		skip = 2;
	}
	if (wide)
		count *= 2;
	if (!operand(e))
		return false;
	quoted(slice_cut(*rest, skip, count), wide, e->text);
	*rest = slice_drop(*rest, skip + count);
	return true;
}

/* IEEE 754 double that is a whole number, or 0 and false. Macros compute with whole numbers. */
static bool whole_number(uint64_t bits, uint64_t *out)
{
	const int      exponent = (int)(bits >> 52 & 0x7ff) - 1023;
	const uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;

	*out = 0;
	if (bits << 1 == 0)
		return true;
	if (exponent < 0 || exponent > 52 || bits >> 63 != 0)
		return false;
	*out = mantissa >> (52 - exponent);
	return exponent == 52 || mantissa << (12 + exponent) == 0;
}

static bool number_take(struct expression *e, struct slice *rest, uint8_t token)
{
	const size_t size = token == 0x1f ? 8 : token == 0x1e ? 2 : 1;
	uint64_t     number = token == 0x1e ? bytes_u16(*rest, 0) : bytes_u8(*rest, 0);
	bool         whole = true;

	if (rest->len < size || !operand(e))
		return false;
	if (token == 0x1f)
		whole = whole_number(bytes_u64(*rest, 0), &number);
	if (token == 0x1d)
		buf_put_str(e->text, number != 0 ? "TRUE" : "FALSE");
	else if (token == 0x1c || !whole)
		buf_put_str(e->text, token == 0x1c ? "#ERROR" : "0.5");
	else
		buf_put_u64(e->text, number);
	*rest = slice_drop(*rest, size);
	return true;
}

static bool function_take(struct expression *e, struct slice *rest, bool variable)
{
	struct slice name;
	uint8_t      room[8];
	size_t       count;
	unsigned     number;

	if (rest->len < (variable ? 3u : 2u))
		return false;
	if (variable) {
		count = bytes_u8(*rest, 0) & 0x7f;
		number = bytes_u16(*rest, 1);
		*rest = slice_drop(*rest, 3);
	} else {
		number = bytes_u16(*rest, 0);
		count = xlm_name_arguments(number);
		*rest = slice_drop(*rest, 2);
	}
	name = xlm_name_of(number, room);
	if (number == 255 && count != 0) /* a function of the user's: its name is the first argument */
		name = SLICE("USER");
	return call(e, name, count);
}

/* Row and column of a reference, as R1C1: the rest of the workbook is not at hand. */
static bool reference_take(struct expression *e, struct slice *rest, uint8_t token, size_t size)
{
	const bool   apart = token == 0x3a;
	const size_t at = apart && e->form != XLM_EXCEL5 ? 2 : apart ? 14 : 0;
	uint32_t     row = bytes_u16(*rest, at) & (e->form == XLM_EXCEL5 ? 0x3fffu : 0xffffu);
	uint32_t     column = e->form == XLM_EXCEL5 ? bytes_u8(*rest, at + 2) : bytes_u16(*rest, at + 2) & 0xffu;

	if (e->form == XLM_EXCEL2007) {
		row = bytes_u32(*rest, at);
		column = bytes_u16(*rest, at + 4) & 0x3fffu;
	}
	if (rest->len < size || !operand(e))
		return false;
	buf_put_str(e->text, "R");
	buf_put_u64(e->text, (uint64_t)row + 1);
	buf_put_str(e->text, "C");
	buf_put_u64(e->text, (uint64_t)column + 1);
	*rest = slice_drop(*rest, size);
	return true;
}

static bool attribute_take(struct expression *e, struct slice *rest)
{
	const unsigned type = bytes_u8(*rest, 0);
	const size_t   count = bytes_u16(*rest, 1);

	if (rest->len < 3)
		return false;
	*rest = slice_drop(*rest, 3);
	if ((type & 0x04) != 0)
		*rest = slice_drop(*rest, (count + 1) * 2);
	return (type & 0x10) == 0 || call(e, SLICE("SUM"), 1);
}

static bool other_take(struct expression *e, struct slice *rest, uint8_t token)
{
	for (size_t i = 0; i < sizeof token_sizes / sizeof token_sizes[0]; i++) {
		const size_t size = token_sizes[i].size[e->form];
		if (token_sizes[i].token != token)
			continue;
		if (token == 0x24 || token == 0x2c || token == 0x3a)
			return reference_take(e, rest, token, size);
		if (rest->len < size)
			return false;
		if (token >= 0x20 && token != 0x26 && token != 0x27 && token != 0x28 && token != 0x29) {
			if (!operand(e))
				return false;
			buf_put_str(e->text, token == 0x23 || token == 0x39 ? "NAME" : "AREA");
			buf_put_u64(e->text, bytes_u16(*rest, token == 0x39 ? 2 : 0));
		}
		*rest = slice_drop(*rest, size);
		return true;
	}
	return false;
}

static bool token_take(struct expression *e, struct slice *rest)
{
	static const char *const signs[] = { "+", "-",  "*", "/",  "^", "&", "<", "<=",
		                             "=", ">=", ">", "<>", " ", ",", ":" };
	uint8_t                  token = rest->ptr[0];

	*rest = slice_drop(*rest, 1);
	if (token >= 0x40)
		token = (uint8_t)((token & 0x1f) | 0x20);
	if (token >= 0x03 && token <= 0x11)
		return binary(e, signs[token - 0x03]);
	if (token >= 0x12 && token <= 0x15)
		return e->depth != 0 && (token != 0x13 || insert(e, e->start[e->depth - 1], SLICE("-")));
	if (token == 0x16)
		return operand(e);
	if (token == 0x17)
		return string_take(e, rest);
	if (token == 0x19)
		return attribute_take(e, rest);
	if (token >= 0x1c && token <= 0x1f)
		return number_take(e, rest, token);
	if (token == 0x21 || token == 0x22)
		return function_take(e, rest, token == 0x22);
	return other_take(e, rest, token);
}

enum rc xlm_formula(struct slice tokens, enum xlm_form form, struct budget *budget, struct buf *out)
{
	struct buf        text = buf_make(XLM_FORMULA_MAX);
	struct expression e = { .text = &text, .budget = budget, .form = form };
	bool              good = budget_take(budget, BUDGET_STEPS, tokens.len);
	const bool        paid = good;

	while (good && tokens.len != 0 && !text.failed)
		good = token_take(&e, &tokens);
	buf_put(out, buf_slice(&text));
	buf_done(&text);
	return paid && !budget->cut[BUDGET_STEPS] ? RC_OK : RC_LIMIT;
}

bool xlm_name_runs(struct slice name)
{
	static const struct slice names[] = { SLICE_INIT("auto_open"), SLICE_INIT("auto_close"),
		                              SLICE_INIT("auto_activate"), SLICE_INIT("auto_deactivate") };

	if (slice_starts_nocase(name, SLICE("_xlnm.")))
		name = slice_drop(name, 6);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_starts_nocase(name, names[i]))
			return true;
	return false;
}

/* Function names outside of strings; a quote of a sheet's name is no comment. */
static enum rc calls_tell(struct slice formulas, struct buf *plain, const struct content_sink *sink)
{
	struct slice rest = formulas;
	bool         text = false;
	enum rc      rc = RC_OK;

	while (rc == RC_OK && rest.len != 0) {
		size_t size = 0;
		while (!text && size < rest.len &&
		       (byte_is_alnum(rest.ptr[size]) || rest.ptr[size] == '.' || rest.ptr[size] == '_'))
			size++;
		if (size != 0 && slice_at(rest, size) == '(')
			rc = xlm_name_tell(slice_take(rest, size), sink);
		if (size == 0) {
			text = rest.ptr[0] == '"' ? !text : rest.ptr[0] == '\n' ? false : text;
			buf_put_byte(plain, rest.ptr[0] == '\'' && !text ? ' ' : rest.ptr[0]);
			size = 1;
		} else {
			buf_put(plain, slice_take(rest, size));
		}
		rest = slice_drop(rest, size);
	}
	return rc;
}

enum rc xlm_sheet(struct slice formulas, struct budget *budget, const struct content_sink *sink)
{
	const struct content_member member = { .name = SLICE("macrosheet"),
		                               .bytes = formulas,
		                               .kind = SLICE("text/x-excel4"),
		                               .flags = CONTENT_MEMBER_SCRIPT };
	struct buf                  plain = buf_make(XLM_SHEET_MAX);

	if (formulas.len == 0)
		return RC_OK;
	if (!budget_take(budget, BUDGET_STEPS, formulas.len))
		return RC_LIMIT;
	enum rc rc = sink_member(sink, budget, &member);
	if (rc == RC_OK)
		rc = calls_tell(formulas, &plain, sink);
	if (rc == RC_OK)
		rc = plain.failed ? RC_NOMEM : vba_marks(buf_slice(&plain), budget, sink);
	buf_done(&plain);
	return rc;
}
