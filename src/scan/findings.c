/* The table of findings as data, and what can be asked of it. */
#include "scan/findings.h"

#include "base/must.h"

static const struct finding_about table[FINDING_KINDS] = {
#define FINDING_ROW(id, finding_name, evidence_kind, value_kind, text) \
	[FINDING_##id] = { .name = finding_name,                       \
		           .evidence = EVIDENCE_##evidence_kind,       \
		           .value = VALUE_##value_kind,                \
		           .meaning = text },
	FINDING_TABLE(FINDING_ROW)
#undef FINDING_ROW
};

static const char *const evidence_words[EVIDENCE_COUNT] = {
	[EVIDENCE_NONE] = "-",
	[EVIDENCE_FIELD] = "field name",
	[EVIDENCE_BYTES] = "bytes of the message",
	[EVIDENCE_NAME] = "attachment name",
};

static const char *const value_words[VALUE_KINDS] = {
	[VALUE_NONE] = "-",          [VALUE_COUNT_OF] = "how many",
	[VALUE_BYTES] = "bytes",     [VALUE_BYTE] = "the character",
	[VALUE_LIMIT] = "the limit",
};

const struct finding_about *finding_about(enum finding_kind kind)
{
	must((unsigned)kind < FINDING_KINDS);
	return &table[kind];
}

enum rc finding_kind_of(struct slice name, enum finding_kind *out)
{
	for (unsigned kind = 0; kind < FINDING_KINDS; kind++) {
		if (slice_eq(name, slice_str(table[kind].name))) {
			*out = (enum finding_kind)kind;
			return RC_OK;
		}
	}
	return RC_NOTFOUND;
}

void finding_table_put(struct buf *out)
{
	buf_put_str(
		out,
		"# Findings\n\n"
		"What a scan can find in a message. This page is written from the table in `src/scan/findings.h`; a test compares the two.\n"
		"A finding also says in which part it stands, and at which offset and over how many bytes of the message.\n\n"
		"| name | meaning | evidence | value |\n"
		"| --- | --- | --- | --- |\n");
	for (unsigned kind = 0; kind < FINDING_KINDS; kind++) {
		buf_put_str(out, "| `");
		buf_put_str(out, table[kind].name);
		buf_put_str(out, "` | ");
		buf_put_str(out, table[kind].meaning);
		buf_put_str(out, " | ");
		buf_put_str(out, evidence_words[table[kind].evidence]);
		buf_put_str(out, " | ");
		buf_put_str(out, value_words[table[kind].value]);
		buf_put_str(out, " |\n");
	}
}

const struct finding *findings_first(const struct findings *findings, enum finding_kind kind)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->list[i].kind == kind)
			return &findings->list[i];
	}
	return NULL;
}
