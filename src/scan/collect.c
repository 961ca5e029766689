/* Keeping findings within their bounds, and the names that oddities of mail/ have here. */
#include "scan/collect.h"

#include "base/must.h"

static const uint8_t kind_of_oddity[ODDITY_KINDS] = {
	[ODDITY_HEADER_NUL] = FINDING_HEADER_NUL,
	[ODDITY_HEADER_8BIT] = FINDING_HEADER_8BIT,
	[ODDITY_HEADER_CONTROL] = FINDING_HEADER_CONTROL,
	[ODDITY_HEADER_BARE_CR] = FINDING_HEADER_BARE_CR,
	[ODDITY_HEADER_LINE_LONG] = FINDING_HEADER_LINE_LONG,
	[ODDITY_HEADER_SPACE_BEFORE_COLON] = FINDING_HEADER_SPACE_BEFORE_COLON,
	[ODDITY_HEADER_NAME_MALFORMED] = FINDING_HEADER_NAME_MALFORMED,
	[ODDITY_HEADER_NOT_A_FIELD] = FINDING_HEADER_NOT_A_FIELD,
	[ODDITY_HEADER_MBOX_FROM] = FINDING_HEADER_MBOX_FROM,
	[ODDITY_HEADER_CONTINUATION_FIRST] = FINDING_HEADER_CONTINUATION_FIRST,
	[ODDITY_HEADER_BLANK_FOLD] = FINDING_HEADER_BLANK_FOLD,
	[ODDITY_HEADER_NO_END] = FINDING_HEADER_NO_END,
	[ODDITY_TYPE_MALFORMED] = FINDING_MIME_TYPE_MALFORMED,
	[ODDITY_PARAMETER_MALFORMED] = FINDING_MIME_PARAMETER_MALFORMED,
	[ODDITY_PARAMETER_DUPLICATE] = FINDING_MIME_PARAMETER_DUPLICATE,
	[ODDITY_FIELD_DUPLICATE] = FINDING_MIME_FIELD_DUPLICATE,
	[ODDITY_BOUNDARY_MISSING] = FINDING_MIME_BOUNDARY_MISSING,
	[ODDITY_BOUNDARY_MALFORMED] = FINDING_MIME_BOUNDARY_MALFORMED,
	[ODDITY_BOUNDARY_UNUSED] = FINDING_MIME_BOUNDARY_UNUSED,
	[ODDITY_BOUNDARY_CLASH] = FINDING_MIME_BOUNDARY_CLASH,
	[ODDITY_BOUNDARY_LOOSE] = FINDING_MIME_BOUNDARY_LOOSE,
	[ODDITY_END_MISSING] = FINDING_MIME_END_MISSING,
	[ODDITY_PART_HEADER] = FINDING_MIME_PART_HEADER,
	[ODDITY_CONTENT_OUTSIDE] = FINDING_MIME_CONTENT_OUTSIDE,
	[ODDITY_ENCODING_UNKNOWN] = FINDING_MIME_ENCODING_UNKNOWN,
	[ODDITY_ENCODING_COMPOSITE] = FINDING_MIME_ENCODING_COMPOSITE,
	[ODDITY_LIMIT_HEADER_BYTES] = FINDING_LIMIT_HEADER_BYTES,
	[ODDITY_LIMIT_HEADER_FIELDS] = FINDING_LIMIT_HEADER_FIELDS,
	[ODDITY_LIMIT_PARAMETERS] = FINDING_LIMIT_PARAMETERS,
	[ODDITY_LIMIT_PARTS] = FINDING_LIMIT_PARTS,
	[ODDITY_LIMIT_DEPTH] = FINDING_LIMIT_DEPTH,
	[ODDITY_LIMIT_STEPS] = FINDING_LIMIT_STEPS,
	[ODDITY_LIMIT_MEMORY] = FINDING_LIMIT_MEMORY,
	[ODDITY_ENCODING_RARE] = FINDING_MIME_ENCODING_RARE,
};
_Static_assert(FINDING_KINDS <= UINT8_MAX, "a kind fits a cell");

/* The last place of the list is for limit.findings. */
#define KEPT_MAX       (FINDINGS_MAX - 1)
#define EVIDENCE_BYTES ((size_t)FINDINGS_MAX * FINDING_EVIDENCE_MAX)

enum rc collector_init(struct collector *collector, struct slice message, struct arena *arena)
{
	struct finding *list = arena_take(arena, FINDINGS_MAX, sizeof *list);

	uint8_t        *evidence = arena_bytes(arena, EVIDENCE_BYTES);

	if (list == NULL || evidence == NULL)
		return RC_NOMEM;
	*collector = (struct collector){ .message = message,
		                         .evidence = arena_on(evidence, EVIDENCE_BYTES),
		                         .list = list };
	return RC_OK;
}

static bool is_limit(enum finding_kind kind)
{
	return (kind >= FINDING_LIMIT_HEADER_BYTES && kind <= FINDING_LIMIT_FINDINGS) ||
	       kind == FINDING_LIMIT_READINGS;
}

/*
 * Kinds that decide what happens to a message must not be crowded out by a flood of small ones: the first of each
 * kind always finds a place, since there are fewer kinds than places.
 */
_Static_assert(FINDING_KINDS < KEPT_MAX - 64, "the first finding of each kind has a place");

static bool has_room(struct collector *collector, enum finding_kind kind)
{
	if (collector->per_kind[kind] == 0)
		return collector->count < KEPT_MAX;
	return collector->per_kind[kind] < FINDINGS_PER_KIND_MAX && collector->count < KEPT_MAX - FINDING_KINDS;
}

void collect(struct collector *collector, enum finding_kind kind, uint16_t part, uint32_t offset, uint32_t size,
             int64_t value, struct slice evidence)
{
	struct slice copy = { NULL, 0 };

	must((unsigned)kind < FINDING_KINDS);
	must(offset <= collector->message.len && size <= collector->message.len - offset);
	if (!has_room(collector, kind)) {
		collector->dropped++;
		return;
	}
	if (evidence.len != 0) {
		const enum rc rc =
			arena_copy(&collector->evidence, slice_take(evidence, FINDING_EVIDENCE_MAX), &copy);
		must(rc == RC_OK); /* there is room for that of every place of the list */
	}
	collector->per_kind[kind]++;
	collector->list[collector->count++] = (struct finding){
		.kind = kind, .part = part, .offset = offset, .size = size, .value = value, .evidence = copy
	};
}

void collect_limit(struct collector *collector, enum finding_kind kind, uint16_t part, uint64_t limit)
{
	must(is_limit(kind));
	if (collector->per_kind[kind] == 0)
		collect(collector, kind, part, 0, 0, (int64_t)limit, (struct slice){ NULL, 0 });
}

/* In a part's header these leave open where the part's body begins. */
static enum finding_kind part_kind(const struct oddity *oddity)
{
	const enum finding_kind kind = (enum finding_kind)kind_of_oddity[oddity->kind];

	if (oddity->part == 0)
		return kind;
	switch (oddity->kind) {
	case ODDITY_HEADER_NOT_A_FIELD:
	case ODDITY_HEADER_MBOX_FROM:
	case ODDITY_HEADER_CONTINUATION_FIRST:
	case ODDITY_HEADER_BLANK_FOLD:
	case ODDITY_HEADER_NO_END:
		return FINDING_MIME_PART_HEADER;
	case ODDITY_HEADER_NUL:
	case ODDITY_HEADER_8BIT:
	case ODDITY_HEADER_CONTROL:
	case ODDITY_HEADER_BARE_CR:
	case ODDITY_HEADER_LINE_LONG:
	case ODDITY_HEADER_SPACE_BEFORE_COLON:
	case ODDITY_HEADER_NAME_MALFORMED:
	case ODDITY_TYPE_MALFORMED:
	case ODDITY_PARAMETER_MALFORMED:
	case ODDITY_PARAMETER_DUPLICATE:
	case ODDITY_FIELD_DUPLICATE:
	case ODDITY_BOUNDARY_MISSING:
	case ODDITY_BOUNDARY_MALFORMED:
	case ODDITY_BOUNDARY_UNUSED:
	case ODDITY_BOUNDARY_CLASH:
	case ODDITY_BOUNDARY_LOOSE:
	case ODDITY_END_MISSING:
	case ODDITY_PART_HEADER:
	case ODDITY_CONTENT_OUTSIDE:
	case ODDITY_ENCODING_UNKNOWN:
	case ODDITY_ENCODING_COMPOSITE:
	case ODDITY_LIMIT_HEADER_BYTES:
	case ODDITY_LIMIT_HEADER_FIELDS:
	case ODDITY_LIMIT_PARAMETERS:
	case ODDITY_LIMIT_PARTS:
	case ODDITY_LIMIT_DEPTH:
	case ODDITY_LIMIT_STEPS:
	case ODDITY_LIMIT_MEMORY:
	case ODDITY_ENCODING_RARE:
	case ODDITY_KINDS:
		break;
	}
	return kind;
}

static void oddity_take(void *context, const struct oddity *oddity)
{
	struct collector       *collector = context;
	const enum finding_kind kind = part_kind(oddity);
	struct slice            evidence = { NULL, 0 };

	if (is_limit(kind)) {
		collect_limit(collector, kind, oddity->part, (uint64_t)oddity->value);
		return;
	}
	if (finding_about(kind)->evidence != EVIDENCE_NONE)
		evidence = slice_cut(collector->message, oddity->evidence_offset, oddity->evidence_size);
	collect(collector, kind, oddity->part, oddity->offset, oddity->size,
	        finding_about(kind)->value == VALUE_NONE ? 0 : oddity->value, evidence);
}

struct oddity_sink collector_sink(struct collector *collector)
{
	return (struct oddity_sink){ oddity_take, collector };
}

static void place_take(void *context, const struct oddity *oddity)
{
	const struct collector_place *place = context;
	const enum finding_kind       told = (enum finding_kind)kind_of_oddity[oddity->kind];
	/* A header inside does not carry what must be cut from ours: its limits are no more than those of any reading. */
	const bool              header = told == FINDING_LIMIT_HEADER_BYTES || told == FINDING_LIMIT_HEADER_FIELDS;
	const enum finding_kind kind = header ? FINDING_LIMIT_READINGS : told;

	if (is_limit(kind))
		collect_limit(place->collector, kind, place->part, (uint64_t)oddity->value);
	else
		collect(place->collector, kind, place->part, place->offset, place->size,
		        finding_about(kind)->value == VALUE_NONE ? 0 : oddity->value, (struct slice){ NULL, 0 });
}

struct oddity_sink collector_place_sink(struct collector_place *place)
{
	return (struct oddity_sink){ place_take, place };
}

void collector_end(struct collector *collector, struct findings *out)
{
	if (collector->dropped != 0)
		collector->list[collector->count++] = (struct finding){ .kind = FINDING_LIMIT_FINDINGS,
			                                                .part = FINDING_NO_PART,
			                                                .value = FINDINGS_MAX };
	/* Insertion keeps what was found in one part in its order; the list is short and nearly sorted. */
	for (size_t i = 1; i < collector->count; i++) {
		const struct finding finding = collector->list[i];
		size_t               at = i;
		for (; at != 0 && collector->list[at - 1].part > finding.part; at--)
			collector->list[at] = collector->list[at - 1];
		collector->list[at] = finding;
	}
	out->list = collector->list;
	out->count = collector->count;
	out->dropped = collector->dropped;
}
