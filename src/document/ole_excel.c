/*
 * Workbooks of Excel 5 to 2003: records in a row ([MS-XLS]). Text comes from the table of strings and from cells that
 * hold their own; macro sheets are told as the text of their formulas.
 */
#include "base/must.h"
#include "document/ole_bytes.h"
#include "document/ole_inside.h"
#include "document/ole_object.h"
#include "document/ole_text.h"
#include "document/xlm.h"

#define MACRO_SHEETS_MAX 256u
#define RECORD_HEAD      4u

enum record {
	RECORD_FORMULA = 0x0006,
	RECORD_EXTERNSHEET = 0x0017,
	RECORD_NAME = 0x0018,
	RECORD_FILEPASS = 0x002f,
	RECORD_CONTINUE = 0x003c,
	RECORD_CODEPAGE = 0x0042,
	RECORD_BOUNDSHEET = 0x0085,
	RECORD_RSTRING = 0x00d6,
	RECORD_INTERFACEHDR = 0x00e1,
	RECORD_SST = 0x00fc,
	RECORD_RRDHEAD = 0x0138,
	RECORD_USREXCL = 0x0194,
	RECORD_FILELOCK = 0x0195,
	RECORD_RRDINFO = 0x0196,
	RECORD_SUPBOOK = 0x01ae,
	RECORD_TXO = 0x01b6,
	RECORD_HLINK = 0x01b8,
	RECORD_LABEL = 0x0204,
	RECORD_FORMULA3 = 0x0206,
	RECORD_STRING = 0x0207,
	RECORD_FORMULA4 = 0x0406,
	RECORD_BOF = 0x0809,
};

struct workbook {
	const struct ole_office *o;
	struct slice             stream;
	unsigned                 codepage; /* of strings before Excel 97 */
	size_t                   at;       /* of the record behind the present one */
	bool                     begun;
	bool                     wide;                     /* strings of Excel 97 and later */
	bool                     macros;                   /* the sheet we are in has formulas that are macros */
	bool                     dialect;                  /* something of Excel 4 was seen: macro sheets */
	uint32_t                 sheets[MACRO_SHEETS_MAX]; /* where macro sheets begin */
	size_t                   sheet_count;
	bool                     txo; /* the next CONTINUE is text */
	struct buf               text, formulas;
};

static bool is_plain(unsigned id)
{
	return id == RECORD_BOF || id == RECORD_FILEPASS || id == RECORD_USREXCL || id == RECORD_FILELOCK ||
	       id == RECORD_INTERFACEHDR || id == RECORD_RRDINFO || id == RECORD_RRDHEAD;
}

/* The next record; false at the end, or where the rest is no record. */
static bool record_take(struct workbook *w, unsigned *id, struct slice *data)
{
	if (w->at + RECORD_HEAD > w->stream.len)
		return false;
	const size_t size = bytes_u16(w->stream, w->at + 2);
	*id = bytes_u16(w->stream, w->at);
	*data = slice_cut(w->stream, w->at + RECORD_HEAD, size);
	w->at += RECORD_HEAD + size;
	return true;
}

/* A string without its count: in Excel 97 a byte says whether it is UTF-16. Appended; gives the bytes it took. */
static size_t string_put(const struct workbook *w, struct slice s, size_t count, struct buf *out)
{
	if (!w->wide) {
		ole_put_codepage(w->codepage, slice_take(s, count), out);
		return count;
	}
	if ((bytes_u8(s, 0) & 1) != 0) {
		ole_put_utf16(slice_cut(s, 1, count * 2), out);
		return 1 + count * 2;
	}
	ole_put_codepage(1252, slice_cut(s, 1, count), out);
	return 1 + count;
}

/* The string table goes on in CONTINUE records; one that breaks in its characters has its flags anew ([MS-XLS] section 2.5.293). */
struct strings {
	struct workbook *w;
	struct slice     data;
};

static bool strings_more(struct strings *s)
{
	while (s->data.len == 0) {
		unsigned     id;
		const size_t before = s->w->at;
		if (!record_take(s->w, &id, &s->data) || id != RECORD_CONTINUE) {
			s->w->at = before;
			s->data = (struct slice){ NULL, 0 };
			return false;
		}
	}
	return true;
}

static uint32_t strings_number(struct strings *s, size_t size)
{
	uint32_t number = 0;

	for (size_t i = 0; i < size && strings_more(s); i++) {
		number |= (uint32_t)s->data.ptr[0] << 8 * i;
		s->data = slice_drop(s->data, 1);
	}
	return number;
}

static void strings_skip(struct strings *s, size_t size)
{
	while (size != 0 && strings_more(s)) {
		const size_t step = size < s->data.len ? size : s->data.len;
		s->data = slice_drop(s->data, step);
		size -= step;
	}
}

static void strings_one(struct strings *s)
{
	size_t         count = strings_number(s, 2);
	const unsigned flags = strings_number(s, 1);
	const size_t   runs = (flags & 8) != 0 ? strings_number(s, 2) : 0;
	const size_t   extra = (flags & 4) != 0 ? strings_number(s, 4) : 0;
	bool           wide = (flags & 1) != 0;

	while (count != 0) {
		if (s->data.len == 0) {
			if (!strings_more(s))
				break;
			wide = (s->data.ptr[0] & 1) != 0;
			s->data = slice_drop(s->data, 1);
			continue;
		}
		const size_t fit = wide ? s->data.len / 2 : s->data.len;
		const size_t step = count < fit ? count : fit;
		if (wide)
			ole_put_utf16(slice_take(s->data, step * 2), &s->w->text);
		else
			ole_put_codepage(1252, slice_take(s->data, step), &s->w->text);
		s->data = slice_drop(s->data, step == 0 ? 1 : wide ? step * 2 : step);
		count -= step;
	}
	strings_skip(s, runs * 4 + extra);
	buf_put_byte(&s->w->text, '\n');
}

static void strings_read(struct workbook *w, struct slice data)
{
	struct strings s = { w, slice_drop(data, 8) };

	while (strings_more(&s) && !w->text.failed)
		strings_one(&s);
}

static enum rc sheet_take(struct workbook *w, struct slice data)
{
	const unsigned state = bytes_u8(data, 4) & 3, type = bytes_u8(data, 5);
	struct buf     name = buf_make(1024);
	enum rc        rc = RC_OK;

	(void)string_put(w, slice_drop(data, 7), bytes_u8(data, 6), &name);
	if (state == 2)
		rc = ole_office_fact(w->o, CONTENT_FACT_OFFICE_HIDDEN_SHEET, buf_slice(&name));
	if (rc == RC_OK && type == 1) {
		rc = ole_office_fact(w->o, CONTENT_FACT_MACRO_XLM, buf_slice(&name));
		w->dialect = true;
		if (w->sheet_count < MACRO_SHEETS_MAX)
			w->sheets[w->sheet_count++] = bytes_u32(data, 0);
	}
	buf_put_byte(&name, '\n');
	if (rc == RC_OK)
		rc = sink_text(w->o->sink, CONTENT_PLACE_NAME, buf_slice(&name));
	buf_done(&name);
	return rc;
}

static enum rc sheet_begin(struct workbook *w, struct slice data)
{
	const size_t at = w->at - RECORD_HEAD - data.len;

	/* The first one decides: Excel writes sheets of the old form under the number of the new one. */
	if (!w->begun)
		w->wide = bytes_u16(data, 0) >= 0x0600;
	w->begun = true;
	w->macros = bytes_u16(data, 2) == 0x0040;
	for (size_t i = 0; i < w->sheet_count; i++)
		w->macros = w->macros || w->sheets[i] == at;
	if (w->macros && !w->dialect) {
		w->dialect = true;
		return ole_office_fact(w->o, CONTENT_FACT_MACRO_XLM, (struct slice){ NULL, 0 });
	}
	return RC_OK;
}

static enum rc name_take(struct workbook *w, struct slice data)
{
	static const char *const built_in[] = { "", "Auto_Open", "Auto_Close" };
	const unsigned           flags = bytes_u16(data, 0), first = bytes_u8(data, w->wide ? 15 : 14);
	struct buf               name = buf_make(1024);
	enum rc                  rc = RC_OK;
	size_t                   used = string_put(w, slice_drop(data, 14), bytes_u8(data, 3), &name);

	if ((flags & 0x20) != 0 && (first == 1 || first == 2 || first == 10 || first == 11)) {
		buf_clear(&name);
		buf_put_str(&name, first < 3 ? built_in[first] : first == 10 ? "Auto_Activate" : "Auto_Deactivate");
	}
	if (xlm_name_runs(buf_slice(&name)))
		rc = ole_office_fact(w->o, CONTENT_FACT_MACRO_AUTORUN, buf_slice(&name));
	buf_put(&w->formulas, buf_slice(&name));
	buf_put_str(&w->formulas, " = ");
	if (rc == RC_OK)
		rc = xlm_formula(slice_cut(data, 14 + used, bytes_u16(data, 4)), w->wide ? XLM_EXCEL97 : XLM_EXCEL5,
		                 w->o->budget, &w->formulas);
	buf_put_byte(&w->formulas, '\n');
	buf_done(&name);
	return rc;
}

static enum rc formula_take(struct workbook *w, struct slice data)
{
	if (!w->macros || w->formulas.len > XLM_SHEET_MAX / 2)
		return RC_OK;
	buf_put_str(&w->formulas, "=");
	const enum rc rc = xlm_formula(slice_cut(data, 22, bytes_u16(data, 20)), w->wide ? XLM_EXCEL97 : XLM_EXCEL5,
	                               w->o->budget, &w->formulas);
	buf_put_byte(&w->formulas, '\n');
	return rc;
}

/* Another workbook, or another program by DDE: its path has codes below space in it ([MS-XLS] section 2.5.277). */
static enum rc book_tell(struct workbook *w, struct slice path)
{
	struct buf plain = buf_make(4096);
	bool       dde = false;
	enum rc    rc = RC_OK;

	for (size_t i = 0; i < path.len; i++) {
		/* In front it only says that a sheet of this workbook follows. */
		dde = dde || (path.ptr[i] == 3 && i != 0);
		if (path.ptr[i] == 3 && i != 0)
			buf_put_byte(&plain, '|');
		else if (path.ptr[i] >= ' ')
			buf_put_byte(&plain, path.ptr[i]);
	}
	struct slice text = buf_slice(&plain);
	const bool   coded = slice_at(path, 0) == 1;
	if (dde && !coded) {
		rc = ole_office_fact(w->o, CONTENT_FACT_OFFICE_DDE, text);
	} else {
		const size_t http = slice_search_nocase(text, SLICE("http"));
		const bool   share = coded && slice_at(path, 1) == 1 && slice_at(path, 2) == '@';
		if (http < text.len)
			text = slice_drop(text, http);
		if (http < plain.len || share || slice_starts(text, SLICE("\\\\"))) {
			rc = ole_office_fact(w->o, CONTENT_FACT_OFFICE_EXTERNAL, text);
			if (rc == RC_OK)
				rc = sink_link(w->o->sink, CONTENT_PLACE_REFERENCE, text, (struct slice){ NULL, 0 });
		}
	}
	buf_done(&plain);
	return rc;
}

static enum rc reference_take(struct workbook *w, unsigned id, struct slice data)
{
	struct buf path = buf_make(4096);
	enum rc    rc = RC_OK;

	if (id == RECORD_SUPBOOK && bytes_u16(data, 2) <= 0xff)
		(void)string_put(w, slice_drop(data, 4), bytes_u16(data, 2), &path);
	else if (id == RECORD_EXTERNSHEET && !w->wide)
		(void)string_put(w, slice_drop(data, 1), bytes_u8(data, 0), &path);
	if (path.len != 0)
		rc = book_tell(w, buf_slice(&path));
	buf_done(&path);
	return rc;
}

static void label_take(struct workbook *w, struct slice data)
{
	(void)string_put(w, slice_drop(data, 8), bytes_u16(data, 6), &w->text);
	buf_put_byte(&w->text, '\n');
}

static enum rc record_read(struct workbook *w, unsigned id, struct slice data)
{
	const bool text = w->txo && id == RECORD_CONTINUE;
	size_t     count = 0;

	w->txo = id == RECORD_TXO && bytes_u16(data, 10) != 0;
	if (text && data.len > 1) {
		const size_t size = (data.ptr[0] & 1) != 0 ? (data.len - 1) / 2 : data.len - 1;
		(void)string_put(w, data, size, &w->text);
		buf_put_byte(&w->text, '\n');
		return RC_OK;
	}
	switch (id) {
	case RECORD_BOF:
		return sheet_begin(w, data);
	case RECORD_BOUNDSHEET:
		return sheet_take(w, data);
	case RECORD_CODEPAGE:
		w->codepage = bytes_u16(data, 0);
		return RC_OK;
	case RECORD_NAME:
		return name_take(w, data);
	case RECORD_FORMULA:
	case RECORD_FORMULA3:
	case RECORD_FORMULA4:
		return formula_take(w, data);
	case RECORD_SUPBOOK:
	case RECORD_EXTERNSHEET:
		return reference_take(w, id, data);
	case RECORD_HLINK:
		return ole_monikers_tell(data, CONTENT_PLACE_BODY, w->o->sink, &count);
	case RECORD_SST:
		strings_read(w, data);
		return RC_OK;
	case RECORD_LABEL:
	case RECORD_RSTRING:
		label_take(w, data);
		return RC_OK;
	case RECORD_STRING:
		(void)string_put(w, slice_drop(data, 2), bytes_u16(data, 0), &w->text);
		buf_put_byte(&w->text, '\n');
		return RC_OK;
	default:
		return RC_OK;
	}
}

/* Put back what was never encrypted, and open what XOR hides: record by record. */
static void records_restore(const struct ole_crypt *crypt, struct slice original, uint8_t *opened)
{
	for (size_t at = 0; at + RECORD_HEAD <= original.len;) {
		const unsigned id = bytes_u16(original, at);
		const size_t   size = slice_cut(original, at + RECORD_HEAD, bytes_u16(original, at + 2)).len;
		size_t         plain = is_plain(id) ? size : id == RECORD_BOUNDSHEET ? 4 : 0;
		if (plain > size)
			plain = size;
		memcpy(opened + at, original.ptr + at, RECORD_HEAD + plain);
		if (crypt->kind == OLE_CRYPT_XOR)
			ole_crypt_xor_apply(crypt, opened + at + RECORD_HEAD + plain, size - plain,
			                    at + RECORD_HEAD + size + plain);
		at += RECORD_HEAD + bytes_u16(original, at + 2);
	}
}

static enum rc pass_read(struct slice data, struct ole_crypt *out)
{
	/* Before Excel 97 the record is key and verifier only. */
	if (data.len <= 4 || bytes_u16(data, 0) == 0) {
		const size_t at = data.len <= 4 ? 0 : 2;
		ole_crypt_xor(bytes_u16(data, at), bytes_u16(data, at + 2), out);
		return RC_OK;
	}
	return ole_crypt_read(slice_drop(data, 2), out);
}

/* The whole stream opened, if the password is found; *open false: it is not. */
static enum rc workbook_unlock(struct workbook *w, struct slice data, bool *open)
{
	struct ole_crypt crypt;
	uint8_t         *copy;

	*open = false;
	enum rc rc = pass_read(data, &crypt);
	if (rc != RC_OK)
		return ole_office_fact(w->o, CONTENT_FACT_ENCRYPTED, SLICE("workbook"));
	rc = ole_office_unlock(w->o, &crypt, open);
	if (rc != RC_OK || !*open)
		return rc;
	if (!budget_take(w->o->budget, BUDGET_STEPS, w->stream.len))
		return RC_LIMIT;
	copy = arena_bytes(w->o->arena, w->stream.len);
	if (copy == NULL)
		return RC_NOMEM;
	memcpy(copy, w->stream.ptr, w->stream.len);
	if (crypt.kind != OLE_CRYPT_XOR)
		rc = ole_crypt_stream(&crypt, copy, w->stream.len, 1024, 0);
	if (rc == RC_OK)
		records_restore(&crypt, w->stream, copy);
	w->stream = slice_of(copy, w->stream.len);
	return rc;
}

static enum rc records_read(struct workbook *w)
{
	unsigned     id;
	struct slice data;
	bool         locked = false, open = false;
	enum rc      rc = RC_OK;

	while (rc == RC_OK && record_take(w, &id, &data)) {
		if (!budget_take(w->o->budget, BUDGET_STEPS, RECORD_HEAD + data.len))
			return RC_LIMIT;
		if (id == RECORD_FILEPASS && !locked) {
			locked = true;
			rc = workbook_unlock(w, data, &open);
			continue;
		}
		/* Without the password what follows is noise, but for the kinds of the sheets' beginnings. */
		if (!locked || open || id == RECORD_BOF)
			rc = record_read(w, id, data);
	}
	return rc;
}

enum rc ole_excel_records(const struct ole_office *o, struct slice records)
{
	struct workbook w = {
		.o = o, .stream = records, .text = buf_make(OLE_TEXT_MAX), .formulas = buf_make(XLM_SHEET_MAX)
	};
	enum rc rc = records_read(&w);

	if (rc == RC_OK || rc == RC_LIMIT) {
		const enum rc told = sink_text(o->sink, CONTENT_PLACE_BODY, buf_slice(&w.text));
		rc = told == RC_OK ? rc : told;
	}
	if (rc == RC_OK && w.dialect)
		rc = xlm_sheet(buf_slice(&w.formulas), o->budget, o->sink);
	buf_done(&w.text);
	buf_done(&w.formulas);
	return rc;
}

enum rc ole_excel_read(const struct ole_office *o, uint32_t index)
{
	struct slice  stream;
	bool          whole;
	const enum rc rc = ole_stream(o->ole, index, o->budget, o->arena, &stream, &whole);

	return rc == RC_OK ? ole_excel_records(o, stream) : rc;
}
