/* What name and label say, and how that agrees with the content. */
#include "content/sniff.h"

#define BLANKS_MIN 8u /* so many blanks in a row before the extension are no accident */

static const struct {
	struct slice bytes;
	uint32_t     odd;
} characters[] = {
	{ SLICE_INIT("\xe2\x80\xaa"), SNIFF_ODD_BIDI },    /* U+202A..202E: embedding and override */
	{ SLICE_INIT("\xe2\x80\xab"), SNIFF_ODD_BIDI },
	{ SLICE_INIT("\xe2\x80\xac"), SNIFF_ODD_BIDI },
	{ SLICE_INIT("\xe2\x80\xad"), SNIFF_ODD_BIDI },
	{ SLICE_INIT("\xe2\x80\xae"), SNIFF_ODD_BIDI },
	{ SLICE_INIT("\xe2\x81\xa6"), SNIFF_ODD_BIDI },    /* U+2066..2069: isolates */
	{ SLICE_INIT("\xe2\x81\xa7"), SNIFF_ODD_BIDI },
	{ SLICE_INIT("\xe2\x81\xa8"), SNIFF_ODD_BIDI },
	{ SLICE_INIT("\xe2\x81\xa9"), SNIFF_ODD_BIDI },
	{ SLICE_INIT("\xe2\x80\x8f"), SNIFF_ODD_BIDI },    /* U+200F: right-to-left mark */
	{ SLICE_INIT("\xe2\x80\x8b"), SNIFF_ODD_CONTROL }, /* U+200B: zero-width space */
	{ SLICE_INIT("\xe2\x81\xa0"), SNIFF_ODD_CONTROL }, /* U+2060: word joiner */
	{ SLICE_INIT("\xef\xbb\xbf"), SNIFF_ODD_CONTROL }, /* U+FEFF */
};

static uint32_t name_odd(struct slice name)
{
	uint32_t odd = 0;
	size_t   blanks = 0;

	for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
		if (slice_search(name, characters[i].bytes) < name.len)
			odd |= characters[i].odd;
	}
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
			odd |= SNIFF_ODD_CONTROL;
		blanks = byte_is_wsp(name.ptr[i]) ? blanks + 1 : 0;
		if (blanks >= BLANKS_MIN && i + 1 < name.len)
			odd |= SNIFF_ODD_BLANKS;
	}
	if (slice_last(name) == '.' || slice_last(name) == ' ')
		odd |= SNIFF_ODD_TRAILING;
	return odd;
}

/* "a.pdf.exe": the last extension runs, and one before it is of a kind that does not. */
static bool is_double(struct slice name)
{
	while (slice_last(name) == '.' || slice_last(name) == ' ')
		name.len--;

	const struct slice stem = slice_trim(slice_take(name, slice_find_last(name, '.')));
	unsigned           runs = 0, before = 0;

	(void)kind_of_name(name, &runs);
	if (stem.len == name.len || !(runs & KIND_NAME_RUNS))
		return false;
	return kind_of_name(stem, &before) != KIND_UNKNOWN && !(before & KIND_NAME_RUNS);
}

static bool runs(enum kind kind)
{
	return kind_class(kind) == KIND_CLASS_PROGRAM || kind_class(kind) == KIND_CLASS_SCRIPT;
}

/* Classes that stand for each other without anybody lying. */
static bool akin(enum kind claimed, enum kind found)
{
	const enum kind_class a = kind_class(claimed), b = kind_class(found);

	if (a == b || a == KIND_CLASS_NONE || b == KIND_CLASS_NONE)
		return true;
	if (found == KIND_TEXT) /* any source, table or message in words that we do not know */
		return a == KIND_CLASS_SCRIPT || a == KIND_CLASS_MARKUP || a == KIND_CLASS_MAIL || a == KIND_CLASS_CRYPTO ||
		       a == KIND_CLASS_DATA || claimed == KIND_SVG;
	if (claimed == KIND_TEXT) /* source and markup are text too, unless they run */
		return b == KIND_CLASS_MAIL || b == KIND_CLASS_DATA || b == KIND_CLASS_CRYPTO || found == KIND_XML;
	if (claimed == KIND_SVG || claimed == KIND_XML || claimed == KIND_HTML)
		return b == KIND_CLASS_MARKUP || found == KIND_SVG;
	/* ".doc" files that are HTML, RTF, MHTML or XML are what Office writes; zips are behind many names */
	if (a == KIND_CLASS_DOCUMENT)
		return b == KIND_CLASS_MARKUP || found == KIND_CSV;
	if (claimed == KIND_CERTIFICATE || claimed == KIND_PGP)
		return b == KIND_CLASS_MAIL;
	return found == KIND_ZIP && (a == KIND_CLASS_PROGRAM || a == KIND_CLASS_DOCUMENT);
}

/* A document, package or installer that is a zip all the same: its second name is no second nature. */
static bool is_its_zip(const struct sniff *s, size_t index)
{
	return index != 0 && s->hits[index].kind == KIND_ZIP && s->hits[index - 1].at == s->hits[index].at &&
	       s->hits[index - 1].kind != KIND_ZIP;
}

static uint32_t compare(const struct sniff *s, bool named, bool labelled)
{
	const enum kind found = s->hits[0].kind;
	uint32_t        odd = 0;

	if (named && !akin(s->by_name, found))
		odd |= SNIFF_ODD_NAME;
	if (labelled && !akin(s->by_label, found))
		odd |= SNIFF_ODD_LABEL;
	if (named && labelled && !akin(s->by_label, s->by_name))
		odd |= SNIFF_ODD_NAME_LABEL;
	for (size_t i = 0; i < s->count; i++) {
		if (runs(s->hits[i].kind) && ((named && !runs(s->by_name)) || (labelled && !named && !runs(s->by_label))))
			odd |= SNIFF_ODD_PROGRAM;
		if (kind_class(s->hits[i].kind) != kind_class(found) && !is_its_zip(s, i))
			odd |= SNIFF_ODD_POLYGLOT;
	}
	return odd;
}

void sniff(struct slice bytes, struct slice name, struct slice label, struct sniff *out)
{
	sniff_content(bytes, out);
	out->by_name = kind_of_name(name, &out->runs);
	out->by_label = kind_of_label(label);
	out->odd = name_odd(name);
	if (out->runs & KIND_NAME_RUNS)
		out->odd |= SNIFF_ODD_RUNS;
	if (out->runs & KIND_NAME_BLOCKED)
		out->odd |= SNIFF_ODD_BLOCKED;
	if (is_double(name))
		out->odd |= SNIFF_ODD_DOUBLE;
	out->odd |= compare(out, out->by_name != KIND_UNKNOWN, out->by_label != KIND_UNKNOWN);
}

const char *sniff_odd_word(uint32_t odd)
{
	static const char *const words[] = { "odd_name",   "odd_label", "odd_program",  "odd_double",
		                             "odd_bidi",   "odd_blanks", "odd_trailing", "odd_runs",
		                             "odd_blocked", "odd_polyglot", "odd_control", "odd_name_label" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (odd == 1u << i)
			return words[i];
	}
	return NULL;
}
