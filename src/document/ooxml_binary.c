/* Parts of binary workbooks ([MS-XLSB]): records with numbers and sizes of 7 bits a byte. */
#include "document/ole_bytes.h"
#include "document/ole_text.h"
#include "document/ooxml_inside.h"
#include "document/xlm.h"

enum record {
	RECORD_CELL_STRING = 6,
	RECORD_FORMULA_STRING = 8,
	RECORD_FORMULA_NUMBER = 9,
	RECORD_FORMULA_BOOL = 10,
	RECORD_FORMULA_ERROR = 11,
	RECORD_STRING = 19,
	RECORD_NAME = 39,
	RECORD_SHEET = 156,
	RECORD_BOOK = 360,
};

static uint32_t number_take(struct slice *rest, unsigned bytes_max)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < bytes_max && rest->len != 0; i++) {
		const uint8_t byte = rest->ptr[0];
		*rest = slice_drop(*rest, 1);
		number |= (uint32_t)(byte & 0x7f) << 7 * i;
		if ((byte & 0x80) == 0)
			break;
	}
	return number;
}

/* A count of characters, then UTF-16; gives the bytes it took. */
static size_t string_put(struct slice s, struct buf *out)
{
	const uint32_t count = bytes_u32(s, 0);

	if (count == UINT32_MAX) /* the string that is none */
		return 4;
	const struct slice text = slice_cut(s, 4, (size_t)count * 2);
	ole_put_utf16(text, out);
	return 4 + text.len;
}

static enum rc sheet_take(struct ooxml *o, struct slice data)
{
	struct buf id = buf_make(2048), name = buf_make(2048);
	enum rc    rc = RC_OK;

	const size_t at = 8 + string_put(slice_take(slice_drop(data, 8), 1024), &id);
	(void)string_put(slice_drop(data, at), &name);
	if ((bytes_u32(data, 0) & 3) == 2)
		rc = sink_fact(o->sink, CONTENT_FACT_OFFICE_HIDDEN_SHEET, buf_slice(&name));
	buf_put_byte(&name, '\n');
	if (rc == RC_OK)
		rc = sink_text(o->sink, CONTENT_PLACE_NAME, buf_slice(&name));
	buf_done(&id);
	buf_done(&name);
	return rc;
}

static enum rc tokens_put(struct ooxml *o, struct slice data)
{
	const enum rc rc = xlm_formula(slice_cut(data, 4, bytes_u32(data, 0)), XLM_EXCEL2007, o->budget, &o->formulas);

	buf_put_byte(&o->formulas, '\n');
	return rc;
}

static enum rc name_take(struct ooxml *o, struct slice data)
{
	struct buf   name = buf_make(2048);
	const size_t used = string_put(slice_take(slice_drop(data, 9), 1024), &name);
	enum rc      rc = RC_OK;

	if (xlm_name_runs(buf_slice(&name)))
		rc = sink_fact(o->sink, CONTENT_FACT_MACRO_AUTORUN, buf_slice(&name));
	buf_put(&o->formulas, buf_slice(&name));
	buf_put_str(&o->formulas, " = ");
	buf_done(&name);
	return rc == RC_OK ? tokens_put(o, slice_drop(data, 9 + used)) : rc;
}

static enum rc formula_take(struct ooxml *o, unsigned id, struct slice data)
{
	size_t at = 8;

	if (id == RECORD_FORMULA_STRING)
		at += 4 + (size_t)bytes_u32(data, 8) * 2;
	else
		at += id == RECORD_FORMULA_NUMBER ? 8 : 1;
	if (o->formulas.len > XLM_SHEET_MAX / 2)
		return RC_OK;
	buf_put_byte(&o->formulas, '=');
	return tokens_put(o, slice_drop(data, at + 2));
}

/* Another workbook, or a service by DDE ([MS-XLSB] section 2.4.22). */
static enum rc book_take(struct ooxml *o, struct slice data)
{
	struct buf service = buf_make(8192), topic = buf_make(8192);
	enum rc    rc = RC_OK;

	const size_t at = 2 + string_put(slice_take(slice_drop(data, 2), 4096), &service);
	(void)string_put(slice_take(slice_drop(data, at), 4096), &topic);
	if (bytes_u16(data, 0) == 1)
		rc = ooxml_dde(o, buf_slice(&service), buf_slice(&topic));
	buf_done(&service);
	buf_done(&topic);
	return rc;
}

enum rc ooxml_read_binary(struct ooxml *o, struct slice name, struct slice bytes)
{
	const bool macros = slice_search_nocase(name, SLICE("macrosheets/")) < name.len;
	struct buf text = buf_make(OOXML_TEXT_MAX);
	enum rc    rc = RC_OK;

	if (macros && !o->macros) {
		o->macros = true;
		rc = sink_fact(o->sink, CONTENT_FACT_MACRO_XLM, name);
	}
	while (rc == RC_OK && bytes.len != 0) {
		unsigned id = number_take(&bytes, 2);
		/* Both bytes of the number count whole: 0x9c 0x01 is 156. */
		const uint32_t     size = number_take(&bytes, 4);
		const struct slice data = slice_take(bytes, size);
		bytes = slice_drop(bytes, size);
		if (!budget_take(o->budget, BUDGET_STEPS, (uint64_t)data.len + 2))
			rc = RC_LIMIT;
		else if (id == RECORD_SHEET)
			rc = sheet_take(o, data);
		else if (id == RECORD_NAME)
			rc = name_take(o, data);
		else if (macros && id >= RECORD_FORMULA_STRING && id <= RECORD_FORMULA_ERROR)
			rc = formula_take(o, id, data);
		else if (id == RECORD_BOOK)
			rc = book_take(o, data);
		else if (id == RECORD_STRING || id == RECORD_CELL_STRING) {
			(void)string_put(slice_drop(data, id == RECORD_STRING ? 1 : 8), &text);
			buf_put_byte(&text, '\n');
		}
	}
	if (rc == RC_OK || rc == RC_LIMIT) {
		const enum rc told = sink_text(o->sink, CONTENT_PLACE_BODY, buf_slice(&text));
		rc = told == RC_OK ? rc : told;
	}
	buf_done(&text);
	return rc;
}
