/*
 * XML parts of documents. What an element means is told by its name, whatever part it stands in, so that a part under
 * another name, or all of them in one file, are read alike.
 */
#include "base/codec.h"
#include "document/inflate.h"
#include "document/ole_field.h"
#include "document/ooxml_inside.h"
#include "document/vba_marks.h"
#include "document/xlm.h"

#define BINARY_MAX       (64u << 20)
#define SHOWN_MAX        1024u
/* Behind its name and header ActiveMime holds a compressed compound file. */
#define ACTIVE_MIME_HEAD 0x32u

enum capture {
	CAPTURE_NONE,
	CAPTURE_BODY,
	CAPTURE_META,
	CAPTURE_FIELD,
	CAPTURE_FORMULA,
	CAPTURE_NAME, /* a defined name's formula */
	CAPTURE_SCRIPT,
	CAPTURE_BINARY,
};

struct part {
	struct ooxml *o;
	struct slice  name;
	enum capture  capture;
	bool          meta, macrosheet, odf, flat;
	bool          hidden; /* the run's text is not shown */
	bool          loaded; /* an event that comes by itself */
	struct buf    text, captured, shown;
	struct buf    link_id; /* of the hyperlink we are in */
	bool          in_link;
	/* fields: where each instruction begins in `fields` */
	struct buf fields, results;
	size_t     instruction[OOXML_FIELDS_MAX], result[OOXML_FIELDS_MAX];
	bool       in_result[OOXML_FIELDS_MAX];
	size_t     depth;
	struct buf label; /* name of the binary or script that is captured */
};

static enum rc fact(const struct part *p, enum content_fact which, struct slice evidence)
{
	return sink_fact(p->o->sink, which, evidence);
}

static enum rc text_flush(struct part *p)
{
	const enum content_place place = p->meta     ? CONTENT_PLACE_METADATA
	                                 : p->hidden ? CONTENT_PLACE_HIDDEN
	                                             : CONTENT_PLACE_BODY;
	const enum rc            rc = sink_text(p->o->sink, place, buf_slice(&p->text));

	buf_clear(&p->text);
	return rc;
}

static enum rc newline(struct part *p)
{
	if (p->text.len != 0)
		buf_put_byte(&p->text, '\n');
	return p->text.len > 32768 ? text_flush(p) : RC_OK;
}

static enum rc field_tell(struct part *p, struct slice instruction, struct slice shown)
{
	struct buf quoted = buf_make(OLE_FIELD_MAX * 2);
	enum rc    rc = RC_OK;

	/* QUOTE in the instruction of the field around it gives that one's words. */
	if (ole_field_quote(instruction, &quoted) && p->depth != 0 && !p->in_result[p->depth - 1]) {
		buf_truncate(&p->fields, p->instruction[p->depth]);
		buf_put(&p->fields, buf_slice(&quoted));
	} else {
		rc = ole_field_tell(instruction, shown, p->o->sink);
		if (p->depth < OOXML_FIELDS_MAX)
			buf_truncate(&p->fields, p->instruction[p->depth]);
	}
	buf_done(&quoted);
	return rc;
}

static enum rc field_char(struct part *p, struct slice type)
{
	if (slice_eq_nocase(type, SLICE("begin")) && p->depth < OOXML_FIELDS_MAX) {
		p->instruction[p->depth] = p->fields.len;
		p->in_result[p->depth] = false;
		p->result[p->depth] = p->results.len;
		p->depth++;
	} else if (slice_eq_nocase(type, SLICE("separate")) && p->depth != 0) {
		p->in_result[p->depth - 1] = true;
		p->result[p->depth - 1] = p->results.len;
	} else if (slice_eq_nocase(type, SLICE("end")) && p->depth != 0) {
		p->depth--;
		const struct slice shown = slice_drop(buf_slice(&p->results), p->result[p->depth]);
		const enum rc rc = field_tell(p, slice_drop(buf_slice(&p->fields), p->instruction[p->depth]), shown);
		if (p->depth == 0)
			buf_clear(&p->results);
		return rc;
	}
	return RC_OK;
}

static enum rc capture_begin(struct part *p, enum capture capture)
{
	p->capture = capture;
	buf_clear(&p->captured);
	return RC_OK;
}

static void label_set(struct part *p, struct slice label)
{
	buf_clear(&p->label);
	buf_put(&p->label, slice_take(label, SHOWN_MAX));
}

/* Addresses that stand as attributes: not in a relationship, as in OpenDocument and VML. */
static enum rc href_tell(struct part *p, struct slice element, struct slice href)
{
	const bool anchor =
		slice_eq(element, SLICE("a")) || slice_eq(element, SLICE("shape")) || slice_eq(element, SLICE("hlink"));
	const bool remote = slice_search(href, SLICE("://")) < href.len || slice_starts(href, SLICE("\\\\"));
	enum rc    rc = RC_OK;

	if (slice_starts_nocase(href, SLICE("vnd.sun.star.script:")) || slice_starts_nocase(href, SLICE("macro:"))) {
		rc = fact(p, CONTENT_FACT_MACRO_BASIC, href);
		return rc == RC_OK && p->loaded ? fact(p, CONTENT_FACT_MACRO_AUTORUN, href) : rc;
	}
	if (!remote || slice_starts_nocase(href, SLICE("http://www.w3.org/")) ||
	    slice_starts_nocase(href, SLICE("http://schemas.")))
		return RC_OK;
	if (anchor)
		return sink_link(p->o->sink, CONTENT_PLACE_BODY, href, (struct slice){ NULL, 0 });
	rc = fact(p, CONTENT_FACT_OFFICE_EXTERNAL, href);
	return rc == RC_OK ? sink_link(p->o->sink, CONTENT_PLACE_REFERENCE, href, (struct slice){ NULL, 0 }) : rc;
}

typedef enum rc begin_fn(struct part *p, struct slice name, const struct ooxml_attributes *a);

static enum rc begin_relationship(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name;
	return ooxml_relationship(p->o, p->name, a);
}

static enum rc begin_text(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name, (void)a;
	return capture_begin(p, CAPTURE_BODY);
}

static enum rc begin_instruction(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name, (void)a;
	p->capture = CAPTURE_FIELD;
	return RC_OK;
}

static enum rc begin_simple_field(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name;
	return ole_field_tell(ooxml_attribute(a, SLICE("instr")), (struct slice){ NULL, 0 }, p->o->sink);
}

static enum rc begin_field_char(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name;
	return field_char(p, ooxml_attribute(a, SLICE("fldCharType")));
}

/* A run begins visible; its properties come first. */
static enum rc begin_run(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name, (void)a;
	if (!p->hidden)
		return RC_OK;
	const enum rc rc = text_flush(p);
	p->hidden = false;
	return rc;
}

static enum rc begin_vanish(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice value = ooxml_attribute(a, SLICE("val"));
	enum rc            rc = RC_OK;

	(void)name;
	if (slice_eq(value, SLICE("0")) || slice_eq_nocase(value, SLICE("false")) ||
	    slice_eq_nocase(value, SLICE("off")) || p->hidden)
		return RC_OK;
	rc = text_flush(p);
	p->hidden = true;
	return rc;
}

static enum rc begin_link(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice action = ooxml_attribute(a, SLICE("action"));

	(void)name;
	buf_clear(&p->link_id);
	buf_put(&p->link_id, slice_take(ooxml_attribute(a, SLICE("id")), 64));
	buf_clear(&p->shown);
	p->in_link = true;
	if (slice_starts_nocase(action, SLICE("ppaction://program")) ||
	    slice_starts_nocase(action, SLICE("ppaction://macro")) ||
	    slice_starts_nocase(action, SLICE("ppaction://hlinkfile")))
		return fact(p, CONTENT_FACT_OFFICE_ACTION, action);
	return RC_OK;
}

static enum rc begin_formula(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name, (void)a;
	return capture_begin(p, CAPTURE_FORMULA);
}

/* Excel 2003 has formulas as attributes. */
static enum rc begin_cell(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice formula = ooxml_attribute(a, SLICE("Formula"));

	(void)name;
	if (formula.len == 0)
		return RC_OK;
	if (p->macrosheet) {
		buf_put(&p->o->formulas, formula);
		buf_put_byte(&p->o->formulas, '\n');
	}
	return ooxml_formula(p->o, formula);
}

static enum rc begin_dde(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name;
	if (p->odf)
		return ooxml_dde(p->o, ooxml_attribute(a, SLICE("dde-application")),
		                 ooxml_attribute(a, SLICE("dde-topic")));
	return ooxml_dde(p->o, ooxml_attribute(a, SLICE("ddeService")), ooxml_attribute(a, SLICE("ddeTopic")));
}

static enum rc begin_sheet(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice title = ooxml_attribute(a, SLICE("name"));

	(void)name;
	if (slice_eq_nocase(ooxml_attribute(a, SLICE("state")), SLICE("veryHidden"))) {
		const enum rc rc = fact(p, CONTENT_FACT_OFFICE_HIDDEN_SHEET, title);
		if (rc != RC_OK)
			return rc;
	}
	return sink_text(p->o->sink, CONTENT_PLACE_NAME, title);
}

static enum rc begin_macrosheet(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name, (void)a;
	p->macrosheet = true;
	if (p->o->macros)
		return RC_OK;
	p->o->macros = true;
	return fact(p, CONTENT_FACT_MACRO_XLM, p->name);
}

static enum rc begin_defined_name(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	struct slice title = ooxml_attribute(a, SLICE("name"));

	(void)name;
	if (title.len == 0)
		title = ooxml_attribute(a, SLICE("Name"));
	label_set(p, title);
	(void)capture_begin(p, CAPTURE_NAME);
	return xlm_name_runs(title) ? fact(p, CONTENT_FACT_MACRO_AUTORUN, title) : RC_OK;
}

static enum rc begin_binary(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	/* The part's name stands in the element around it, or in the element itself. */
	if (slice_eq(name, SLICE("binData")) || slice_eq(name, SLICE("docOleData")))
		label_set(p, ooxml_attribute(a, SLICE("name")));
	return capture_begin(p, CAPTURE_BINARY);
}

static enum rc begin_package_part(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice title = ooxml_attribute(a, SLICE("name"));

	(void)name;
	if (title.len != 0)
		label_set(p, title);
	return RC_OK;
}

static enum rc begin_control(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice class = ooxml_attribute(a, SLICE("classid"));

	return fact(p, CONTENT_FACT_OFFICE_ACTIVEX, class.len != 0 ? class : name);
}

static enum rc begin_object(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice class = ooxml_attribute(a, SLICE("ProgID"));
	enum rc rc = fact(p, CONTENT_FACT_OFFICE_OBJECT, class.len != 0 ? class : name);

	/* A linked object that is fetched each time the document is opened. */
	if (rc == RC_OK && slice_eq_nocase(ooxml_attribute(a, SLICE("Type")), SLICE("Link")) &&
	    slice_eq_nocase(ooxml_attribute(a, SLICE("UpdateMode")), SLICE("Always")))
		rc = fact(p, CONTENT_FACT_OFFICE_AUTO_OBJECT, class);
	if (rc == RC_OK && slice_starts_nocase(class, SLICE("Equation.")))
		rc = fact(p, CONTENT_FACT_OFFICE_EQUATION, class);
	return rc;
}

static enum rc begin_custom_ui(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice call = ooxml_attribute(a, SLICE("onLoad"));
	enum rc            rc = fact(p, CONTENT_FACT_OFFICE_ADD_IN, name);

	return rc == RC_OK && call.len != 0 ? fact(p, CONTENT_FACT_MACRO_AUTORUN, call) : rc;
}

static enum rc begin_query(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	struct slice address = ooxml_attribute(a, SLICE("url"));

	(void)name;
	if (address.len == 0)
		address = ooxml_attribute(a, SLICE("sourceFile"));
	if (slice_search(address, SLICE("://")) >= address.len && !slice_starts(address, SLICE("\\\\")))
		return RC_OK;
	const enum rc rc = fact(p, CONTENT_FACT_OFFICE_EXTERNAL, address);
	return rc == RC_OK ? sink_link(p->o->sink, CONTENT_PLACE_REFERENCE, address, (struct slice){ NULL, 0 }) : rc;
}

static enum rc begin_encryption(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)a;
	return fact(p, CONTENT_FACT_ENCRYPTED, name);
}

static enum rc begin_event(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	const struct slice event = ooxml_attribute(a, SLICE("event-name"));

	(void)name;
	p->loaded = slice_search_nocase(event, SLICE("load")) < event.len ||
	            slice_search_nocase(event, SLICE("new")) < event.len ||
	            slice_search_nocase(event, SLICE("start")) < event.len;
	return RC_OK;
}

/* A module of OpenDocument's Basic. */
static enum rc begin_module(struct part *p, struct slice name, const struct ooxml_attributes *a)
{
	(void)name;
	if (!p->odf)
		return RC_OK;
	label_set(p, ooxml_attribute(a, SLICE("name")));
	return capture_begin(p, CAPTURE_SCRIPT);
}

static const struct {
	struct slice name;
	begin_fn    *begin;
} elements[] = {
	{ SLICE_INIT("Relationship"), begin_relationship },
	{ SLICE_INIT("t"), begin_text },
	{ SLICE_INIT("r"), begin_run },
	{ SLICE_INIT("delText"), begin_text },
	{ SLICE_INIT("vanish"), begin_vanish },
	{ SLICE_INIT("instrText"), begin_instruction },
	{ SLICE_INIT("delInstrText"), begin_instruction },
	{ SLICE_INIT("fldSimple"), begin_simple_field },
	{ SLICE_INIT("fldChar"), begin_field_char },
	{ SLICE_INIT("hyperlink"), begin_link },
	{ SLICE_INIT("hlinkClick"), begin_link },
	{ SLICE_INIT("hlinkHover"), begin_link },
	{ SLICE_INIT("hlinkMouseOver"), begin_link },
	{ SLICE_INIT("f"), begin_formula },
	{ SLICE_INIT("Cell"), begin_cell },
	{ SLICE_INIT("Data"), begin_text },
	{ SLICE_INIT("ddeLink"), begin_dde },
	{ SLICE_INIT("dde-source"), begin_dde },
	{ SLICE_INIT("dde-connection-decl"), begin_dde },
	{ SLICE_INIT("sheet"), begin_sheet },
	{ SLICE_INIT("macrosheet"), begin_macrosheet },
	{ SLICE_INIT("MacroSheet"), begin_macrosheet },
	{ SLICE_INIT("definedName"), begin_defined_name },
	{ SLICE_INIT("NamedRange"), begin_defined_name },
	{ SLICE_INIT("binData"), begin_binary },
	{ SLICE_INIT("binaryData"), begin_binary },
	{ SLICE_INIT("binary-data"), begin_binary },
	{ SLICE_INIT("docOleData"), begin_binary },
	{ SLICE_INIT("part"), begin_package_part },
	{ SLICE_INIT("ocx"), begin_control },
	{ SLICE_INIT("control"), begin_control },
	{ SLICE_INIT("OLEObject"), begin_object },
	{ SLICE_INIT("oleObj"), begin_object },
	{ SLICE_INIT("oleObject"), begin_object },
	{ SLICE_INIT("customUI"), begin_custom_ui },
	{ SLICE_INIT("webPr"), begin_query },
	{ SLICE_INIT("textPr"), begin_query },
	{ SLICE_INIT("encryption-data"), begin_encryption },
	{ SLICE_INIT("event-listener"), begin_event },
	{ SLICE_INIT("module"), begin_module },
};

/* OpenDocument: all characters within paragraphs; metadata likewise. */
static bool odf_text(struct slice name)
{
	return slice_eq(name, SLICE("p")) || slice_eq(name, SLICE("h")) || slice_eq(name, SLICE("title")) ||
	       slice_eq(name, SLICE("subject")) || slice_eq(name, SLICE("description")) ||
	       slice_eq(name, SLICE("creator"));
}

static enum rc on_begin(void *context, struct slice name, const struct ooxml_attributes *attributes)
{
	struct part       *p = context;
	const struct slice href = ooxml_attribute(attributes, SLICE("href"));
	enum rc            rc = RC_OK;

	if (p->odf && odf_text(name))
		p->capture = CAPTURE_BODY;
	for (size_t i = 0; rc == RC_OK && i < sizeof elements / sizeof elements[0]; i++)
		if (slice_eq(name, elements[i].name)) {
			rc = elements[i].begin(p, name, attributes);
			break;
		}
	if (rc == RC_OK && href.len != 0)
		rc = href_tell(p, name, href);
	return rc;
}

static enum rc formula_end(struct part *p)
{
	if (p->macrosheet) {
		buf_put_byte(&p->o->formulas, '=');
		buf_put(&p->o->formulas, buf_slice(&p->captured));
		buf_put_byte(&p->o->formulas, '\n');
	}
	return ooxml_formula(p->o, buf_slice(&p->captured));
}

static enum rc script_end(struct part *p)
{
	const struct content_member member = { .name = buf_slice(&p->label),
		                               .bytes = buf_slice(&p->captured),
		                               .kind = SLICE("text/x-basic"),
		                               .flags = CONTENT_MEMBER_SCRIPT };
	enum rc                     rc = p->o->told_basic ? RC_OK : fact(p, CONTENT_FACT_MACRO_BASIC, member.name);

	p->o->told_basic = true;
	if (rc == RC_OK)
		rc = sink_member(p->o->sink, p->o->budget, &member);
	return rc == RC_OK ? vba_marks(member.bytes, p->o->budget, p->o->sink) : rc;
}

/* Base64 with line ends, of a part or of ActiveMime, which holds the compound file of the macros. */
static enum rc binary_end(struct part *p)
{
	struct buf   digits = buf_make(BINARY_MAX), bytes = buf_make(BINARY_MAX), plain = buf_make(BINARY_MAX);
	struct slice rest = buf_slice(&p->captured);
	enum rc      rc = RC_OK;

	for (size_t i = 0; i < rest.len; i++)
		if (rest.ptr[i] > ' ')
			buf_put_byte(&digits, rest.ptr[i]);
	if (!budget_take(p->o->budget, BUDGET_BYTES, digits.len))
		rc = RC_LIMIT;
	else if (digits.failed || codec_base64_decode(buf_slice(&digits), &bytes) != RC_OK)
		rc = fact(p, CONTENT_FACT_DAMAGED, buf_slice(&p->label));
	struct content_member member = { .name = buf_slice(&p->label), .bytes = buf_slice(&bytes) };
	if (rc == RC_OK && slice_starts(member.bytes, SLICE("ActiveMime"))) {
		bool damaged = false;
		rc = inflate_all(slice_drop(member.bytes, ACTIVE_MIME_HEAD), p->o->budget, &plain, &damaged);
		member.flags = (damaged ? CONTENT_MEMBER_DAMAGED : 0) | (rc == RC_LIMIT ? CONTENT_MEMBER_CUT : 0);
		member.bytes = buf_slice(&plain);
		if (rc == RC_LIMIT)
			rc = RC_OK;
	}
	if (rc == RC_OK && member.bytes.len != 0)
		rc = sink_member(p->o->sink, p->o->budget, &member);
	buf_done(&digits);
	buf_done(&bytes);
	buf_done(&plain);
	return rc;
}

static enum rc link_end(struct part *p)
{
	bool kept = false;

	p->in_link = false;
	if (p->link_id.len != 0)
		ooxml_keep(p->o, p->o->shown, &p->o->shown_count, p->name, buf_slice(&p->link_id), buf_slice(&p->shown),
		           &kept);
	return RC_OK;
}

static enum rc capture_end(struct part *p, enum capture capture)
{
	switch (capture) {
	case CAPTURE_FORMULA:
		return formula_end(p);
	case CAPTURE_SCRIPT:
		return script_end(p);
	case CAPTURE_BINARY:
		return binary_end(p);
	case CAPTURE_NAME:
		buf_put(&p->o->formulas, buf_slice(&p->label));
		buf_put_str(&p->o->formulas, " = ");
		buf_put(&p->o->formulas, buf_slice(&p->captured));
		return newline(p);
	case CAPTURE_NONE:
	case CAPTURE_BODY:
	case CAPTURE_META:
	case CAPTURE_FIELD:
		return RC_OK;
	}
	return RC_OK;
}

static enum rc on_end(void *context, struct slice name)
{
	struct part       *p = context;
	const enum capture capture = p->capture;
	enum rc            rc = RC_OK;

	if (p->odf && !odf_text(name) && capture == CAPTURE_BODY)
		return RC_OK;
	p->capture = CAPTURE_NONE;
	if (capture != CAPTURE_NONE)
		rc = capture_end(p, capture);
	if (rc == RC_OK && slice_eq(name, SLICE("hyperlink")))
		rc = link_end(p);
	if (rc == RC_OK &&
	    (slice_eq(name, SLICE("p")) || slice_eq(name, SLICE("h")) || slice_eq(name, SLICE("si")) ||
	     slice_eq(name, SLICE("c")) || slice_eq(name, SLICE("Cell")) || slice_eq(name, SLICE("br")) || p->meta))
		rc = newline(p);
	return rc;
}

static enum rc on_text(void *context, struct slice text)
{
	struct part *p = context;

	if (p->meta) {
		buf_put(&p->text, text);
		return RC_OK;
	}
	switch (p->capture) {
	case CAPTURE_BODY:
		buf_put(&p->text, text);
		if (p->in_link && p->shown.len + text.len < SHOWN_MAX)
			buf_put(&p->shown, text);
		if (p->depth != 0 && p->in_result[p->depth - 1] && p->results.len + text.len < OLE_FIELD_MAX)
			buf_put(&p->results, text);
		return RC_OK;
	case CAPTURE_FIELD:
		if (p->depth != 0 && p->fields.len < OLE_FIELD_MAX * OOXML_FIELDS_MAX)
			buf_put(&p->fields, slice_take(text, OLE_FIELD_MAX));
		return RC_OK;
	case CAPTURE_FORMULA:
	case CAPTURE_NAME:
	case CAPTURE_SCRIPT:
	case CAPTURE_BINARY:
		buf_put(&p->captured, text);
		return p->captured.failed ? RC_LIMIT : RC_OK;
	case CAPTURE_NONE:
	case CAPTURE_META:
		return RC_OK;
	}
	return RC_OK;
}

static enum rc on_declared(void *context)
{
	struct part *p = context;

	/* OpenDocument's own modules and manifests begin with a document type. */
	if (p->odf || p->o->told_entities)
		return RC_OK;
	p->o->told_entities = true;
	return fact(p, CONTENT_FACT_OFFICE_ENTITIES, p->name);
}

static bool is_odf(struct slice name, struct slice bytes)
{
	const struct slice start = slice_take(bytes, 4096);

	return slice_starts(name, SLICE("Basic/")) || slice_starts(name, SLICE("META-INF/manifest")) ||
	       slice_search(start, SLICE("urn:oasis:names:tc:opendocument")) < start.len ||
	       slice_search(start, SLICE("http://openoffice.org/")) < start.len;
}

/* Parts of an encrypted OpenDocument package are called like XML and are none. */
static bool may_be_xml(struct slice bytes)
{
	while (bytes.len != 0 && bytes.ptr[0] <= ' ' && bytes.ptr[0] != 0)
		bytes = slice_drop(bytes, 1);
	return slice_at(bytes, 0) == '<' || slice_starts(bytes, SLICE("\xef\xbb\xbf")) ||
	       slice_starts(bytes, SLICE("\xff\xfe")) || slice_starts(bytes, SLICE("\xfe\xff")) ||
	       slice_starts(bytes, SLICE("\0<"));
}

enum rc ooxml_read_xml(struct ooxml *o, struct slice name, struct slice bytes)
{
	struct part p = {
		.o = o,
		.name = name,
		.meta = slice_starts_nocase(name, SLICE("docProps/")),
		.macrosheet = slice_search_nocase(name, SLICE("macrosheets/")) < name.len,
		.odf = is_odf(name, bytes),
		.text = buf_make(OOXML_TEXT_MAX),
		.captured = buf_make(BINARY_MAX),
		.shown = buf_make(SHOWN_MAX),
		.link_id = buf_make(64),
		.fields = buf_make(OLE_FIELD_MAX * (OOXML_FIELDS_MAX + 1u)),
		.results = buf_make(OLE_FIELD_MAX),
		.label = buf_make(SHOWN_MAX),
	};
	const struct ooxml_events events = { &p, on_begin, on_end, on_text, on_declared };
	enum rc                   rc = RC_OK;

	if (!may_be_xml(bytes))
		return RC_OK;
	if (p.macrosheet && !o->macros) {
		o->macros = true;
		rc = fact(&p, CONTENT_FACT_MACRO_XLM, name);
	}
	if (rc == RC_OK)
		rc = ooxml_xml_read(bytes, o->budget, &events);
	/* Fields that do not end are fields all the same. */
	while (p.depth != 0 && (rc == RC_OK || rc == RC_SYNTAX))
		rc = field_char(&p, SLICE("end"));
	if (rc == RC_OK || rc == RC_SYNTAX || rc == RC_LIMIT) {
		const enum rc told = text_flush(&p);
		rc = told == RC_OK ? rc : told;
	}
	if (rc == RC_SYNTAX)
		rc = fact(&p, CONTENT_FACT_DAMAGED, name);
	buf_done(&p.text);
	buf_done(&p.captured);
	buf_done(&p.shown);
	buf_done(&p.link_id);
	buf_done(&p.fields);
	buf_done(&p.results);
	buf_done(&p.label);
	return rc;
}
