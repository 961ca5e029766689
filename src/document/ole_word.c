/*
 * Documents of Word 6 to 2003: where the text lies says the piece table ([MS-DOC] section 2.4.1); fields are in the text
 * between the characters 0x13, 0x14 and 0x15.
 */
#include "document/ole_bytes.h"
#include "document/ole_field.h"
#include "document/ole_inside.h"
#include "document/ole_text.h"

#define FIELDS_MAX     32u /* fields in fields */
#define FIB_PLAIN      68u /* bytes that stay plain when the document is encrypted */
#define BLOCK_BYTES    512u
#define FIB_ENCRYPTED  0x0100u
#define FIB_TABLE_ONE  0x0200u
#define FIB_OBFUSCATED 0x8000u

struct word {
	const struct ole_office *o;
	struct slice             main, table;
	struct buf               text;
	/* open fields: where in `fields` the instruction begins, and where in `text` the result */
	struct buf fields;
	size_t     instruction[FIELDS_MAX], result[FIELDS_MAX];
	bool       in_result[FIELDS_MAX];
	size_t     depth;
	enum rc    rc;
};

static void field_end(struct word *w)
{
	const size_t       at = --w->depth;
	const struct slice instruction = slice_drop(buf_slice(&w->fields), w->instruction[at]);
	const struct slice shown =
		w->in_result[at] ? slice_drop(buf_slice(&w->text), w->result[at]) : (struct slice){ NULL, 0 };
	struct buf quoted = buf_make(OLE_FIELD_MAX);

	w->rc = ole_field_tell(instruction, shown, w->o->sink);
	const bool is_quote = ole_field_quote(instruction, &quoted);
	buf_truncate(&w->fields, w->instruction[at]);
	/* A field in the instruction of another one stands for its result. */
	if (w->depth != 0 && !w->in_result[w->depth - 1]) {
		if (is_quote)
			buf_put(&w->fields, buf_slice(&quoted));
		else if (shown.len <= OLE_FIELD_MAX)
			buf_put(&w->fields, shown);
	}
	buf_done(&quoted);
}

static void character(struct word *w, uint32_t code)
{
	if (code == 0x13 && w->depth < FIELDS_MAX) {
		w->instruction[w->depth] = w->fields.len;
		w->in_result[w->depth] = false;
		w->depth++;
	} else if (code == 0x14 && w->depth != 0) {
		w->in_result[w->depth - 1] = true;
		w->result[w->depth - 1] = w->text.len;
	} else if (code == 0x15 && w->depth != 0) {
		field_end(w);
	} else if (w->depth != 0 && !w->in_result[w->depth - 1]) {
		if (w->fields.len - w->instruction[w->depth - 1] < OLE_FIELD_MAX)
			ole_put_code(&w->fields, code);
	} else if (code == 0x0d || code == 0x0b || code == 0x0c || code == 0x07) {
		buf_put_byte(&w->text, '\n');
	} else if (code == 0x09 || code >= 0x20) {
		ole_put_code(&w->text, code == 0x1e ? '-' : code);
	}
}

static void run(struct word *w, struct slice bytes, bool wide)
{
	for (size_t at = 0; at < bytes.len && w->rc == RC_OK; at += wide ? 2 : 1) {
		uint32_t code = wide ? bytes_u16(bytes, at) : bytes.ptr[at];
		if (wide && code >= 0xd800 && code < 0xdc00) {
			const uint32_t low = bytes_u16(bytes, at + 2);
			if (low >= 0xdc00 && low < 0xe000) {
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
				at += 2;
			}
		}
		if (!wide && code >= 0x80 && code < 0xa0) {
			struct buf one = buf_make(8);
			ole_put_codepage(1252, slice_cut(bytes, at, 1), &one);
			if (w->depth == 0 || w->in_result[w->depth - 1])
				buf_put(&w->text, buf_slice(&one));
			else
				buf_put(&w->fields, buf_slice(&one));
			buf_done(&one);
			continue;
		}
		character(w, code);
	}
	if (w->rc == RC_OK && w->text.failed)
		w->rc = RC_LIMIT;
}

/* The piece table: positions in the text, then descriptors with an offset in the main stream. False: there is none. */
static bool pieces_read(struct word *w)
{
	struct slice clx = slice_cut(w->table, bytes_u32(w->main, 0x1a2), bytes_u32(w->main, 0x1a6));

	while (clx.len >= 3 && clx.ptr[0] == 1)
		clx = slice_drop(clx, 3 + (size_t)bytes_u16(clx, 1));
	if (clx.len < 5 || clx.ptr[0] != 2)
		return false;
	const struct slice plc = slice_cut(clx, 5, bytes_u32(clx, 1));
	if (plc.len < 16)
		return false;
	const size_t count = (plc.len - 4) / 12;
	uint64_t     left = (uint64_t)w->main.len * 2;
	for (size_t i = 0; i < count && w->rc == RC_OK; i++) {
		const uint32_t from = bytes_u32(plc, i * 4), to = bytes_u32(plc, i * 4 + 4);
		const uint32_t fc = bytes_u32(plc, (count + 1) * 4 + i * 8 + 2);
		const bool     wide = (fc & 0x40000000u) == 0;
		const size_t   start = wide ? fc & 0x3fffffffu : (fc & 0x3fffffffu) / 2;
		if (to <= from)
			continue;
		/* Pieces may lie on each other: all of them together are not more than twice the stream. */
		struct slice bytes = slice_cut(w->main, start, (size_t)(to - from) * (wide ? 2 : 1));
		bytes = slice_take(bytes, left);
		left -= bytes.len;
		if (!budget_take(w->o->budget, BUDGET_STEPS, bytes.len))
			w->rc = RC_LIMIT;
		else
			run(w, bytes, wide);
	}
	return true;
}

static void text_read(struct word *w)
{
	const unsigned version = bytes_u16(w->main, 2);
	const size_t   from = bytes_u32(w->main, 0x18), to = bytes_u32(w->main, 0x1c);

	if (version >= 0xc1 && pieces_read(w))
		return;
	/* Word 6 and 95, and tables that make no sense: the text lies in a row. */
	const struct slice bytes = slice_cut(w->main, from, to > from ? to - from : 0);
	if (!budget_take(w->o->budget, BUDGET_STEPS, bytes.len))
		w->rc = RC_LIMIT;
	else
		run(w, bytes, false);
}

/* RC4 of both kinds, its header at the beginning of the table; XOR is told and not opened. */
static enum rc unlock(struct word *w, uint32_t main_index, uint32_t table_index, bool *open)
{
	struct ole_crypt crypt;
	uint8_t         *main, *table;
	size_t           main_size, table_size;
	enum rc          rc = RC_UNSUPPORTED;

	*open = false;
	if ((bytes_u16(w->main, 0x0a) & FIB_OBFUSCATED) == 0)
		rc = ole_crypt_read(slice_take(w->table, bytes_u32(w->main, 0x0e)), &crypt);
	if (rc != RC_OK || (crypt.kind != OLE_CRYPT_RC4 && crypt.kind != OLE_CRYPT_RC4_API))
		return ole_office_fact(w->o, CONTENT_FACT_ENCRYPTED, SLICE("document"));
	rc = ole_office_unlock(w->o, &crypt, open);
	if (rc != RC_OK || !*open)
		return rc;
	rc = ole_office_copy(w->o, main_index, &main, &main_size);
	if (rc == RC_OK)
		rc = ole_office_copy(w->o, table_index, &table, &table_size);
	if (rc == RC_OK)
		rc = ole_crypt_stream(&crypt, main, main_size, BLOCK_BYTES, 0);
	if (rc == RC_OK)
		rc = ole_crypt_stream(&crypt, table, table_size, BLOCK_BYTES, 0);
	if (rc != RC_OK)
		return rc;
	memcpy(main, w->main.ptr, main_size < FIB_PLAIN ? main_size : FIB_PLAIN);
	w->main = slice_of(main, main_size);
	w->table = slice_of(table, table_size);
	return RC_OK;
}

enum rc ole_word_read(const struct ole_office *o, uint32_t index)
{
	struct word w = {
		.o = o, .text = buf_make(OLE_TEXT_MAX), .fields = buf_make(FIELDS_MAX * OLE_FIELD_MAX), .rc = RC_OK
	};
	const uint32_t parent = o->ole->entries[index].parent;
	bool           whole, open = true;
	enum rc        rc = ole_stream(o->ole, index, o->budget, o->arena, &w.main, &whole);

	if (rc != RC_OK)
		return rc;
	const unsigned flags = bytes_u16(w.main, 0x0a);
	const uint32_t table =
		ole_child(o->ole, parent, (flags & FIB_TABLE_ONE) != 0 ? SLICE("1Table") : SLICE("0Table"));
	if (table != OLE_NONE)
		rc = ole_stream(o->ole, table, o->budget, o->arena, &w.table, &whole);
	if (rc == RC_OK && (flags & FIB_ENCRYPTED) != 0 && table != OLE_NONE)
		rc = unlock(&w, index, table, &open);
	else if (rc == RC_OK && (flags & FIB_ENCRYPTED) != 0) {
		open = false;
		rc = ole_office_fact(o, CONTENT_FACT_ENCRYPTED, SLICE("document"));
	}
	if (rc == RC_OK && open) {
		text_read(&w);
		while (w.rc == RC_OK && w.depth != 0)
			field_end(&w);
		rc = sink_text(o->sink, CONTENT_PLACE_BODY, buf_slice(&w.text));
		rc = rc == RC_OK ? w.rc : rc;
	}
	buf_done(&w.text);
	buf_done(&w.fields);
	return rc;
}
