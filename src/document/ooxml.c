/* Parts, relationships, and what joins them. */
#include "document/ooxml.h"

#include "base/memory.h"
#include "document/ooxml_inside.h"
#include "document/xlm.h"

#define NAMES_BYTES (1u << 20)

static const struct slice nothing = { NULL, 0 };

enum rc ooxml_open(struct budget *budget, const struct content_sink *sink, struct ooxml **out)
{
	struct ooxml *o = memory_take(1, sizeof *o);

	if (o == NULL)
		return RC_NOMEM;
	o->budget = budget;
	o->sink = sink;
	o->formulas = buf_make(XLM_SHEET_MAX);
	if (arena_init(&o->names, NAMES_BYTES) != RC_OK) {
		memory_give(o);
		return RC_NOMEM;
	}
	*out = o;
	return RC_OK;
}

void ooxml_close(struct ooxml **package)
{
	if (*package == NULL)
		return;
	arena_done(&(*package)->names);
	buf_done(&(*package)->formulas);
	memory_give(*package);
	*package = NULL;
}

bool ooxml_reads(struct slice name)
{
	if (slice_ends_nocase(name, SLICE(".xml")) || slice_ends_nocase(name, SLICE(".rels")) ||
	    slice_ends_nocase(name, SLICE(".vml")))
		return true;
	return slice_ends_nocase(name, SLICE(".bin")) &&
	       (slice_search_nocase(name, SLICE("sheets/")) < name.len ||
	        slice_search_nocase(name, SLICE("externalLinks/")) < name.len ||
	        slice_ends_nocase(name, SLICE("workbook.bin")) || slice_ends_nocase(name, SLICE("sharedStrings.bin")));
}

static struct slice last_name(struct slice path)
{
	const size_t slash = slice_find_last(path, '/'), back = slice_find_last(path, '\\');

	if (slash < path.len)
		return slice_drop(path, slash + 1);
	return back < path.len ? slice_drop(path, back + 1) : path;
}

void ooxml_keep(struct ooxml *o, struct ooxml_link *list, size_t *count, struct slice part, struct slice id,
                struct slice text, bool *kept)
{
	struct ooxml_link link;

	part = last_name(part);
	if (slice_ends_nocase(part, SLICE(".rels")))
		part = slice_take(part, part.len - 5);
	*kept = *count < OOXML_LINKS_MAX && arena_copy(&o->names, part, &link.part) == RC_OK &&
	        arena_copy(&o->names, id, &link.id) == RC_OK && arena_copy(&o->names, text, &link.text) == RC_OK;
	if (*kept)
		list[(*count)++] = link;
}

enum rc ooxml_dde(struct ooxml *o, struct slice service, struct slice topic)
{
	struct buf text = buf_make(CONTENT_EVIDENCE_MAX);

	buf_put(&text, slice_take(service, CONTENT_EVIDENCE_MAX / 2 - 1));
	buf_put_byte(&text, '|');
	buf_put(&text, slice_take(topic, CONTENT_EVIDENCE_MAX / 2));
	const enum rc rc = sink_fact(o->sink, CONTENT_FACT_OFFICE_DDE, buf_slice(&text));
	buf_done(&text);
	return rc;
}

enum rc ooxml_formula(struct ooxml *o, struct slice formula)
{
	bool   text = false;
	size_t bar = formula.len;

	for (size_t i = 0; i < formula.len && bar == formula.len; i++) {
		text = formula.ptr[i] == '"' ? !text : text;
		if (formula.ptr[i] == '|' && !text && i != 0)
			bar = i;
	}
	/* service|'topic'!item */
	const struct slice behind = slice_drop(formula, bar);
	if (slice_find(behind, '!') >= behind.len)
		return RC_OK;
	return sink_fact(o->sink, CONTENT_FACT_OFFICE_DDE, formula);
}

/* Types of relationships by their last word: what the reader fetches by itself. */
static enum rc external_tell(struct ooxml *o, struct slice part, struct slice type, struct slice id,
                             struct slice target)
{
	bool    kept = false;
	enum rc rc;

	if (slice_eq_nocase(type, SLICE("hyperlink"))) {
		ooxml_keep(o, o->targets, &o->target_count, part, id, target, &kept);
		return kept ? RC_OK : sink_link(o->sink, CONTENT_PLACE_BODY, target, nothing);
	}
	if (slice_eq_nocase(type, SLICE("attachedTemplate"))) {
		/* A template on the own disk is where everybody has one. */
		const bool remote = slice_search(target, SLICE("://")) < target.len
		                            ? !slice_starts_nocase(target, SLICE("file:///")) ||
		                                      slice_starts_nocase(target, SLICE("file:///\\\\"))
		                            : slice_starts(target, SLICE("\\\\"));
		rc = remote ? sink_fact(o->sink, CONTENT_FACT_OFFICE_TEMPLATE, target) : RC_OK;
	} else {
		rc = sink_fact(o->sink, CONTENT_FACT_OFFICE_EXTERNAL, target);
	}
	return rc == RC_OK ? sink_link(o->sink, CONTENT_PLACE_REFERENCE, target, type) : rc;
}

enum rc ooxml_relationship(struct ooxml *o, struct slice part, const struct ooxml_attributes *attributes)
{
	const struct slice target = ooxml_attribute(attributes, SLICE("Target"));
	const struct slice type = last_name(ooxml_attribute(attributes, SLICE("Type")));

	if (slice_eq_nocase(ooxml_attribute(attributes, SLICE("TargetMode")), SLICE("External")))
		return external_tell(o, part, type, ooxml_attribute(attributes, SLICE("Id")), target);
	if (slice_eq_nocase(type, SLICE("oleObject")) || slice_eq_nocase(type, SLICE("package")) ||
	    slice_eq_nocase(type, SLICE("aFChunk")))
		return sink_fact(o->sink, CONTENT_FACT_OFFICE_OBJECT, target);
	if (slice_eq_nocase(type, SLICE("control")) || slice_eq_nocase(type, SLICE("activeXControlBinary")))
		return sink_fact(o->sink, CONTENT_FACT_OFFICE_ACTIVEX, target);
	if (slice_eq_nocase(type, SLICE("xlMacrosheet")) || slice_eq_nocase(type, SLICE("xlIntlMacrosheet"))) {
		o->macros = true;
		return sink_fact(o->sink, CONTENT_FACT_MACRO_XLM, target);
	}
	if (slice_eq_nocase(type, SLICE("vbaProject")))
		return sink_fact(o->sink, CONTENT_FACT_MACRO_VBA, target);
	return RC_OK;
}

enum rc ooxml_part(struct ooxml *package, struct slice name, struct slice bytes)
{
	if (!ooxml_reads(name))
		return RC_OK;
	if (slice_ends_nocase(name, SLICE(".bin")))
		return ooxml_read_binary(package, name, bytes);
	return ooxml_read_xml(package, name, bytes);
}

static enum rc links_tell(struct ooxml *o)
{
	enum rc rc = RC_OK;

	/* At most OOXML_LINKS_MAX squared, which is charged. */
	for (size_t i = 0; rc == RC_OK && i < o->target_count; i++) {
		const struct ooxml_link *target = &o->targets[i];
		bool                     told = false;
		if (!budget_take(o->budget, BUDGET_STEPS, o->shown_count + 1))
			return RC_LIMIT;
		for (size_t j = 0; rc == RC_OK && j < o->shown_count; j++)
			if (slice_eq(o->shown[j].id, target->id) && slice_eq_nocase(o->shown[j].part, target->part)) {
				told = true;
				rc = sink_link(o->sink, CONTENT_PLACE_BODY, target->text, o->shown[j].text);
			}
		if (rc == RC_OK && !told)
			rc = sink_link(o->sink, CONTENT_PLACE_BODY, target->text, nothing);
	}
	o->target_count = o->shown_count = 0;
	return rc;
}

enum rc ooxml_end(struct ooxml *package)
{
	const enum rc rc = links_tell(package);

	return rc == RC_OK && package->macros ? xlm_sheet(buf_slice(&package->formulas), package->budget, package->sink)
	                                      : rc;
}

bool ooxml_flat_is(struct slice file)
{
	static const struct slice marks[] = {
		SLICE_INIT("schemas.microsoft.com/office/word/2003/wordml"),
		SLICE_INIT("schemas.microsoft.com/office/2006/xmlPackage"),
		SLICE_INIT("urn:schemas-microsoft-com:office:spreadsheet"),
		SLICE_INIT("progid=\"Word.Document\""),
		SLICE_INIT("progid=\"Excel.Sheet\""),
		SLICE_INIT("urn:oasis:names:tc:opendocument"),
	};
	const struct slice start = slice_take(file, 4096);

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (slice_search(start, marks[i]) < start.len)
			return true;
	return false;
}

enum rc ooxml_flat(struct slice file, struct budget *budget, const struct content_sink *sink)
{
	struct ooxml *o = NULL;
	enum rc       rc = ooxml_open(budget, sink, &o);

	if (rc != RC_OK)
		return rc;
	rc = ooxml_read_xml(o, SLICE("flat.xml"), file);
	if (rc == RC_OK)
		rc = ooxml_end(o);
	ooxml_close(&o);
	return rc;
}
