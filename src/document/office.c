/* Which reader a file is for. */
#include "document/office.h"

#include "archive/zip.h"
#include "document/ole.h"
#include "document/ole_office.h"
#include "document/onenote.h"
#include "document/ooxml.h"
#include "document/rtf.h"
#include "document/xlm_sylk.h"

enum rc office_ready(void)
{
	return ole_cipher_ready();
}

/* The zip's members go to the reader of the package; all else that is said about them the opener of archives says. */
static enum rc on_part(void *context, const struct content_member *member)
{
	return ooxml_part(context, member->name, member->bytes);
}

static enum rc package_open(void *passwords, struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct ooxml *package = NULL;
	enum rc       rc = ooxml_open(budget, sink, &package);

	if (rc != RC_OK)
		return rc;
	const struct content_sink parts = { .context = package, .member = on_part };
	const struct archive_job  job = { bytes, passwords, budget, &parts };
	rc = zip_open(&job);
	if (rc == RC_OK || rc == RC_UNSUPPORTED || rc == RC_LIMIT) {
		const enum rc told = ooxml_end(package);
		rc = told != RC_OK || rc == RC_UNSUPPORTED ? told : rc;
	}
	ooxml_close(&package);
	return rc;
}

static bool is_package(enum kind kind)
{
	return kind == KIND_OOXML || kind == KIND_DOCX || kind == KIND_XLSX || kind == KIND_PPTX || kind == KIND_ODF;
}

static enum rc compound_open(const struct password_list *list, struct slice bytes, struct budget *budget,
                             const struct content_sink *sink)
{
	struct slice         words[PASSWORDS_MAX];
	struct ole_passwords passwords = { words, 0 };

	for (size_t i = 0; list != NULL && i < list->count; i++)
		words[passwords.count++] = list->items[i].text;
	return ole_office_open(bytes, &passwords, budget, sink);
}

/* By how it begins: a reader's own test says more than a name or a label. */
static enum rc one_open(void *passwords, struct slice bytes, enum kind kind, struct budget *budget,
                        const struct content_sink *sink)
{
	if (ole_is(bytes))
		return compound_open(passwords, bytes, budget, sink);
	if (rtf_is(bytes))
		return rtf_open(bytes, budget, sink);
	if (onenote_is(bytes))
		return onenote_open(bytes, budget, sink);
	if (xlm_sylk_is(bytes))
		return xlm_sylk_open(bytes, budget, sink);
	if (ooxml_flat_is(bytes))
		return ooxml_flat(bytes, budget, sink);
	if (kind == KIND_CSV)
		return xlm_table_open(bytes, budget, sink);
	return RC_SYNTAX;
}

enum rc office_open(void *passwords, struct slice bytes, const struct sniff *kinds, struct budget *budget,
                    const struct content_sink *sink)
{
	bool    opened = false, package = false;
	size_t  from = bytes.len; /* where the last one began: two kinds may name the same place */
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < kinds->count; i++) {
		const enum kind kind = kinds->hits[i].kind;
		const size_t    at = kinds->hits[i].at;
		if (is_package(kind) && !package) {
			package = opened = true;
			rc = package_open(passwords, bytes, budget, sink);
			continue;
		}
		if (at == from)
			continue;
		from = at;
		rc = one_open(passwords, slice_drop(bytes, at), kind == KIND_TEXT ? kinds->by_name : kind, budget,
		              sink);
		opened = opened || rc != RC_SYNTAX;
		if (rc == RC_SYNTAX)
			rc = RC_OK;
	}
	return rc == RC_OK && !opened ? RC_UNSUPPORTED : rc;
}
