/* Opening a file, closed ones with the passwords that are there, and the order of looking at it. */
#include "document/pdf.h"

#include "document/pdf_file.h"
#include "document/pdf_look.h"
#include "document/pdf_qpdf.h"
#include "document/pdf_text.h"

/*
 * An encrypted object stream cannot be measured before it is opened, and deflate packs a thousand to one: with larger ones
 * in it the file stays closed.
 */
#define SEALED_PACK_BYTES_MAX ((size_t)128 << 10)

bool pdf_is(struct slice bytes)
{
	const struct slice head = slice_take(bytes, PDF_HEAD_BYTES_MAX + 5);
	return slice_search(head, SLICE("%PDF-")) < head.len;
}

/* Is there an object stream that may be a bomb? */
static enum rc has_large_pack(struct pdf_file *file, bool *out)
{
	*out = false;
	for (size_t i = 0; i < file->count && !*out; i++) {
		const size_t     used = file->arena.used;
		struct pdf_value value;
		struct slice     stream;
		const enum rc    rc = pdf_file_read(file, &file->objects[i], &value, &stream);
		if (rc == RC_LIMIT)
			return rc;
		if (rc == RC_OK && stream.len != 0 && pdf_get(&value, "N") != NULL && pdf_get(&value, "First") != NULL) {
			const struct pdf_value *filter = pdf_get(&value, "Filter"), *length = pdf_get(&value, "Length");
			*out = stream.len > SEALED_PACK_BYTES_MAX || length == NULL || length->kind != PDF_NUMBER ||
			       (size_t)(length->number < 0 ? 0 : length->number) > SEALED_PACK_BYTES_MAX ||
			       (filter != NULL && filter->kind != PDF_NAME && !(filter->kind == PDF_ARRAY && filter->count == 1));
		}
		file->arena.used = used;
	}
	return RC_OK;
}

static enum rc read_all(struct pdf_file *file, const struct content_sink *sink, bool sealed)
{
	struct pdf_text text;
	enum rc         rc = pdf_look_all(file, sink, sealed);

	if (rc != RC_OK || sealed)
		return rc;
	rc = pdf_text_make(file, sink, &text);
	for (size_t i = 0; i < file->count && rc == RC_OK; i++) {
		const size_t     used = file->arena.used;
		struct pdf_value value;
		struct slice     stream;
		rc = pdf_file_read(file, &file->objects[i], &value, &stream);
		if (rc == RC_OK && pdf_is_name(pdf_get(&value, "Type"), "Page"))
			rc = pdf_text_page(&text, &value);
		file->arena.used = used;
		if (rc == RC_SYNTAX || rc == RC_NOMEM)
			rc = RC_OK;
	}
	pdf_text_done(&text);
	return rc;
}

/* Facts about the file as a whole. */
static enum rc tell_file(const struct pdf_file *file, const struct content_sink *sink)
{
	enum rc rc = RC_OK;

	if (file->cut)
		rc = sink_fact(sink, CONTENT_FACT_PDF_LIMIT, slice_of(NULL, 0));
	if (rc == RC_OK && file->bomb && !file->encrypted)
		rc = sink_fact(sink, CONTENT_FACT_BOMB, slice_of(NULL, 0));
	if (rc == RC_OK && file->damaged && !file->encrypted)
		rc = sink_fact(sink, CONTENT_FACT_DAMAGED, slice_of(NULL, 0));
	return rc;
}

static enum rc read_plain(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct pdf_file file;
	enum rc         rc = pdf_file_open(bytes, budget, &file);

	if (rc == RC_OK)
		rc = read_all(&file, sink, false);
	const enum rc told = rc == RC_OK || rc == RC_LIMIT ? tell_file(&file, sink) : RC_OK;
	pdf_file_close(&file);
	return rc != RC_OK ? rc : told;
}

/* Try the passwords, the empty one first; *which is the one, counted from 0 for the empty one. */
static enum rc unseal(struct slice bytes, const struct slice *passwords, size_t count, struct budget *budget, struct buf *out,
                      size_t *which)
{
	enum rc rc = RC_DENIED;

	for (*which = 0; *which <= count; ++*which) {
		if (*which != 0 && !budget_take(budget, BUDGET_TRIES, 1))
			return RC_DENIED;
		if (!budget_take(budget, BUDGET_STEPS, bytes.len * 4))
			return RC_LIMIT;
		rc = pdf_qpdf_open(bytes, *which == 0 ? slice_of(NULL, 0) : passwords[*which - 1], out);
		if (rc != RC_DENIED)
			return rc;
	}
	return RC_DENIED;
}

static enum rc read_sealed(struct pdf_file *file, const struct slice *passwords, size_t count, struct budget *budget,
                           const struct content_sink *sink)
{
	bool       large;
	struct buf plain = buf_make(PDF_QPDF_BYTES_MAX * 2);
	size_t     which = 0;
	enum rc    rc = sink_fact(sink, CONTENT_FACT_PDF_ENCRYPTED, slice_of(NULL, 0));

	if (rc == RC_OK)
		rc = has_large_pack(file, &large);
	if (rc != RC_OK)
		return rc;
	rc = large ? RC_DENIED : unseal(file->bytes, passwords, count, budget, &plain, &which);
	if (rc == RC_OK) {
		if (!budget_take(budget, BUDGET_BYTES, plain.len))
			rc = RC_LIMIT;
		if (rc == RC_OK && which != 0)
			rc = sink_fact(sink, CONTENT_FACT_PASSWORD, slice_of(NULL, 0));
		if (rc == RC_OK)
			rc = read_plain(buf_slice(&plain), budget, sink);
	} else if (rc == RC_DENIED || rc == RC_SYNTAX || rc == RC_LIMIT) {
		rc = sink_fact(sink, CONTENT_FACT_ENCRYPTED, slice_of(NULL, 0));
		if (rc == RC_OK)
			rc = read_all(file, sink, true);
	}
	buf_done(&plain);
	return rc;
}

enum rc pdf_open(struct slice bytes, const struct slice *passwords, size_t password_count, struct budget *budget,
                 const struct content_sink *sink)
{
	struct pdf_file    file;
	const struct slice head = slice_take(bytes, PDF_HEAD_BYTES_MAX + 5);
	const size_t       before = slice_search(head, SLICE("%PDF-"));
	enum rc            rc = pdf_file_open(bytes, budget, &file);

	if (rc == RC_OK && before != 0 && before < head.len)
		rc = sink_fact(sink, CONTENT_FACT_TRAILING, slice_take(bytes, before));
	if (rc == RC_OK)
		rc = file.encrypted ? read_sealed(&file, passwords, password_count, budget, sink) : read_all(&file, sink, false);
	const enum rc told = rc == RC_OK || rc == RC_LIMIT ? tell_file(&file, sink) : RC_OK;
	pdf_file_close(&file);
	return rc != RC_OK ? rc : told;
}
