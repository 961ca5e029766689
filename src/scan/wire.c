/*
 * The frames of the scan channel. Encoders write what the structs say; decoders believe nothing. Both walk the same
 * tables of fields, so that they cannot drift apart.
 */
#include "scan/wire.h"

#include "base/cursor.h"
#include "scan/firewall.h"
#include "text/utf8.h"

#define MAGIC_REQUEST 0x51524853u /* "SHRQ" */
#define MAGIC_ANSWER  0x4e414853u /* "SHAN" */

/* Sums of all bounds, so that a request and an answer always fit their frames. */
#define REQUEST_WIRE_MAX (4u + 2u + 3u * 8u + 2u + 8u * 4u + 8u + 2u * (4u + SCAN_NAME_MAX))
_Static_assert(REQUEST_WIRE_MAX <= SCAN_REQUEST_MAX, "the longest request fits its frame");
#define FINDING_WIRE_MAX (2u + 2u + 4u + 4u + 8u + 4u + FINDING_EVIDENCE_MAX)
#define ANSWER_WIRE_MAX                                                                                            \
	(4u + 2u + 8u + 1u + DIGEST_SIZE + 10u * 4u + 8u + 3u * 4u + FACT_SUBJECT_MAX + FACT_FROM_MAX +            \
	 FACT_MESSAGE_ID_MAX + 4u + FACT_AUTHORS_MAX * (4u + FACT_AUTHOR_MAX) + 4u + FINDINGS_CUTS_MAX * 9u + 8u + \
	 FINDINGS_MAX * FINDING_WIRE_MAX)
_Static_assert(ANSWER_WIRE_MAX <= SCAN_FRAME_MAX, "the longest answer fits a frame");

/* ---- requests ---- */

enum rc scan_request_encode(const struct scan_request *request, struct buf *out)
{
	const struct scan_options *options = &request->options;
	const struct scan_limits  *limits = &options->limits;

	if (scan_options_check(options) != RC_OK || (unsigned)request->lane >= SCAN_LANES ||
	    request->message_bytes > SCAN_MESSAGE_MAX)
		return RC_LIMIT;
	cursor_put_u32(out, MAGIC_REQUEST);
	cursor_put_u16(out, SCAN_WIRE_VERSION);
	cursor_put_u64(out, request->id);
	cursor_put_u64(out, request->message_bytes);
	cursor_put_u8(out, (uint8_t)request->lane);
	cursor_put_u32(out, request->deadline_ms);
	cursor_put_u8(out, (uint8_t)options->depth);
	cursor_put_u32(out, options->cut);
	cursor_put_u32(out, limits->header_bytes);
	cursor_put_u32(out, limits->header_fields);
	cursor_put_u32(out, limits->parts);
	cursor_put_u32(out, limits->depth);
	cursor_put_u32(out, limits->parameters);
	cursor_put_u64(out, limits->steps);
	cursor_put_u64(out, limits->decoded_bytes);
	cursor_put_u32(out, limits->received);
	cursor_put_block(out, options->own_name);
	cursor_put_block(out, options->authserv_id);
	return RC_OK;
}

enum rc scan_request_decode(struct slice frame, struct scan_request *out, uint64_t *ret_id)
{
	struct cursor       c = cursor_on(frame);
	struct scan_request request = { 0 };
	struct scan_limits *limits = &request.options.limits;

	if (cursor_u32(&c) != MAGIC_REQUEST)
		return RC_SYNTAX;
	const uint16_t version = cursor_u16(&c);
	request.id = cursor_u64(&c);
	if (c.failed)
		return RC_SYNTAX;
	if (ret_id != NULL)
		*ret_id = request.id;
	if (version != SCAN_WIRE_VERSION)
		return RC_UNSUPPORTED;
	request.message_bytes = cursor_u64(&c);
	const uint8_t lane = cursor_u8(&c);
	request.deadline_ms = cursor_u32(&c);
	const uint8_t depth = cursor_u8(&c);
	request.options.cut = cursor_u32(&c);
	limits->header_bytes = cursor_u32(&c);
	limits->header_fields = cursor_u32(&c);
	limits->parts = cursor_u32(&c);
	limits->depth = cursor_u32(&c);
	limits->parameters = cursor_u32(&c);
	limits->steps = cursor_u64(&c);
	limits->decoded_bytes = cursor_u64(&c);
	limits->received = cursor_u32(&c);
	request.options.own_name = cursor_block(&c, SCAN_NAME_MAX);
	request.options.authserv_id = cursor_block(&c, SCAN_NAME_MAX);
	if (!cursor_ended(&c) || lane >= SCAN_LANES || depth >= SCAN_DEPTHS)
		return RC_SYNTAX;
	request.lane = (enum scan_lane)lane;
	request.options.depth = (enum scan_depth)depth;
	if (request.message_bytes > SCAN_MESSAGE_MAX || scan_options_check(&request.options) != RC_OK)
		return RC_LIMIT;
	*out = request;
	return RC_OK;
}

/* ---- answers, writing ---- */

static void facts_put(const struct facts *facts, struct buf *out)
{
	cursor_put_u32(out, facts->message_bytes);
	cursor_put_u32(out, facts->header_bytes);
	cursor_put_u32(out, facts->header_fields);
	cursor_put_u32(out, facts->received_count);
	cursor_put_u32(out, facts->received_own);
	cursor_put_u32(out, facts->part_count);
	cursor_put_u32(out, facts->part_depth);
	cursor_put_u32(out, facts->line_max);
	cursor_put_u32(out, facts->flags);
	cursor_put_u32(out, facts->steps);
	cursor_put_u64(out, (uint64_t)facts->date_s);
	cursor_put_block(out, facts->subject);
	cursor_put_block(out, facts->from);
	cursor_put_block(out, facts->message_id);
	cursor_put_u32(out, (uint32_t)facts->author_count);
	for (size_t i = 0; i < facts->author_count; i++)
		cursor_put_block(out, facts->authors[i]);
	cursor_put_u32(out, (uint32_t)facts->cut_count);
	for (size_t i = 0; i < facts->cut_count; i++) {
		cursor_put_u32(out, facts->cuts[i].offset);
		cursor_put_u32(out, facts->cuts[i].size);
		cursor_put_u8(out, (uint8_t)facts->cuts[i].kind);
	}
}

void scan_answer_encode(uint64_t id, enum scan_end end, const struct findings *findings, struct buf *out)
{
	cursor_put_u32(out, MAGIC_ANSWER);
	cursor_put_u16(out, SCAN_WIRE_VERSION);
	cursor_put_u64(out, id);
	cursor_put_u8(out, (uint8_t)end);
	if (end != SCAN_END_DONE)
		return;
	buf_put(out, slice_of(findings->engine.bytes, DIGEST_SIZE));
	facts_put(&findings->facts, out);
	cursor_put_u32(out, findings->dropped);
	cursor_put_u32(out, (uint32_t)findings->count);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		cursor_put_u16(out, (uint16_t)finding->kind);
		cursor_put_u16(out, finding->part);
		cursor_put_u32(out, finding->offset);
		cursor_put_u32(out, finding->size);
		cursor_put_u64(out, (uint64_t)finding->value);
		cursor_put_block(out, finding->evidence);
	}
}

/* ---- answers, reading ---- */

struct answer {
	struct cursor              cursor;
	const struct scan_request *request;
	struct slice               message;
	struct arena              *arena;
	struct fault              *fault;
};

static enum rc answer_head(struct cursor *c, uint64_t *ret_id)
{
	if (cursor_u32(c) != MAGIC_ANSWER)
		return RC_SYNTAX;
	const uint16_t version = cursor_u16(c);
	*ret_id = cursor_u64(c);
	if (c->failed)
		return RC_SYNTAX;
	return version == SCAN_WIRE_VERSION ? RC_OK : RC_UNSUPPORTED;
}

enum rc scan_answer_id(struct slice frame, uint64_t *out)
{
	struct cursor c = cursor_on(frame);
	uint64_t      id = 0;
	const enum rc rc = answer_head(&c, &id);

	if (rc == RC_OK)
		*out = id;
	return rc;
}

static enum rc bad(const struct answer *answer, enum rc rc, const char *text, int64_t number)
{
	return fault_set(answer->fault, rc, text, 0, number);
}

/* UTF-8 without control characters: it is shown to people and stored. */
static bool is_display(struct slice s)
{
	while (s.len != 0) {
		size_t         bytes;
		const uint32_t character = utf8_decode(s, &bytes);
		if (character == UINT32_MAX || character < 0x20 || character == 0x7f)
			return false;
		s = slice_drop(s, bytes);
	}
	return true;
}

static enum rc text_take(struct answer *answer, size_t max, const char *what, struct slice *out)
{
	const struct slice text = cursor_block(&answer->cursor, max);

	if (answer->cursor.failed || !is_display(text))
		return bad(answer, RC_SYNTAX, what, (int64_t)text.len);
	return arena_copy(answer->arena, text, out);
}

static enum rc numbers_take(struct answer *answer, struct facts *facts)
{
	struct cursor            *c = &answer->cursor;
	const struct scan_limits *limits = &answer->request->options.limits;
	const size_t              bytes = answer->message.len;

	facts->message_bytes = cursor_u32(c);
	facts->header_bytes = cursor_u32(c);
	facts->header_fields = cursor_u32(c);
	facts->received_count = cursor_u32(c);
	facts->received_own = cursor_u32(c);
	facts->part_count = cursor_u32(c);
	facts->part_depth = cursor_u32(c);
	facts->line_max = cursor_u32(c);
	facts->flags = cursor_u32(c);
	facts->steps = cursor_u32(c);
	facts->date_s = (int64_t)cursor_u64(c);
	if (c->failed)
		return bad(answer, RC_SYNTAX, "the answer ends within its facts", 0);
	if (facts->message_bytes != bytes)
		return bad(answer, RC_CORRUPT, "the answer is about a message of another size", facts->message_bytes);
	if (facts->part_count != 0 &&
	    facts->header_bytes != firewall_header_end(slice_take(answer->message, limits->header_bytes)))
		return bad(answer, RC_CORRUPT, "the header does not end there", facts->header_bytes);
	if (facts->part_count == 0 && facts->header_bytes != 0)
		return bad(answer, RC_SYNTAX, "a header without a message", facts->header_bytes);
	if (facts->header_fields > limits->header_fields || facts->received_count > facts->header_fields ||
	    facts->received_own > facts->received_count)
		return bad(answer, RC_SYNTAX, "more header fields than there can be", facts->header_fields);
	if (facts->part_count > limits->parts || facts->part_depth > limits->depth || facts->line_max > bytes)
		return bad(answer, RC_SYNTAX, "more parts or longer lines than there can be", facts->part_count);
	if ((facts->flags & ~FACT_FLAGS_ALL) != 0 || ((facts->flags & FACT_DATE) == 0 && facts->date_s != 0))
		return bad(answer, RC_SYNTAX, "facts that do not exist", facts->flags);
	return RC_OK;
}

static enum rc authors_take(struct answer *answer, struct facts *facts)
{
	const uint32_t count = cursor_u32(&answer->cursor);

	if (answer->cursor.failed || count > FACT_AUTHORS_MAX)
		return bad(answer, RC_SYNTAX, "too many authors", count);
	struct slice *authors = arena_take(answer->arena, count == 0 ? 1 : count, sizeof *authors);
	if (authors == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const enum rc rc = text_take(answer, FACT_AUTHOR_MAX, "an author that is no text", &authors[i]);
		if (rc != RC_OK)
			return rc;
		const size_t at = slice_find_last(authors[i], '@');
		if (at == 0 || at + 1 >= authors[i].len)
			return bad(answer, RC_SYNTAX, "an author that is no address", i);
	}
	facts->authors = authors;
	facts->author_count = count;
	return RC_OK;
}

static enum rc cuts_take(struct answer *answer, struct facts *facts)
{
	struct cursor *c = &answer->cursor;
	const uint32_t count = cursor_u32(c);
	uint32_t       end = 0;

	if (c->failed || count > FINDINGS_CUTS_MAX)
		return bad(answer, RC_SYNTAX, "too many cuts", count);
	struct header_cut *cuts = arena_take(answer->arena, count == 0 ? 1 : count, sizeof *cuts);
	if (cuts == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		cuts[i].offset = cursor_u32(c);
		cuts[i].size = cursor_u32(c);
		const uint8_t kind = cursor_u8(c);
		if (c->failed || kind >= CUT_KINDS || cuts[i].offset < end)
			return bad(answer, RC_SYNTAX, "cuts out of order", i);
		cuts[i].kind = (enum cut_kind)kind;
		/* facts->header_bytes was compared with the message already. */
		if (!firewall_cut_valid(answer->message, facts->header_bytes, &answer->request->options, &cuts[i]))
			return bad(answer, RC_CORRUPT, "a cut that is no such field", cuts[i].offset);
		end = cuts[i].offset + cuts[i].size;
	}
	facts->cuts = cuts;
	facts->cut_count = count;
	return RC_OK;
}

static bool value_fits(enum finding_kind kind, int64_t value)
{
	switch (finding_about(kind)->value) {
	case VALUE_NONE:
		return value == 0;
	case VALUE_BYTE:
		return value >= 0 && value <= 0x10ffff;
	case VALUE_COUNT_OF:
	case VALUE_BYTES:
	case VALUE_LIMIT:
	case VALUE_KINDS:
		break;
	}
	return value >= 0;
}

static enum rc finding_take(struct answer *answer, const struct facts *facts, uint16_t part_before, struct finding *out)
{
	struct cursor *c = &answer->cursor;
	struct finding finding;
	const uint16_t kind = cursor_u16(c);

	finding.part = cursor_u16(c);
	finding.offset = cursor_u32(c);
	finding.size = cursor_u32(c);
	finding.value = (int64_t)cursor_u64(c);
	finding.evidence = cursor_block(c, FINDING_EVIDENCE_MAX);
	if (c->failed || kind >= FINDING_KINDS)
		return bad(answer, RC_SYNTAX, "a finding of no known kind", kind);
	finding.kind = (enum finding_kind)kind;
	if (finding.part < part_before ||
	    (finding.part != FINDING_NO_PART && finding.part != 0 && finding.part >= facts->part_count))
		return bad(answer, RC_SYNTAX, "a finding in no such part", finding.part);
	if (finding.offset > answer->message.len || finding.size > answer->message.len - finding.offset)
		return bad(answer, RC_SYNTAX, "a finding outside the message", finding.offset);
	if (!value_fits(finding.kind, finding.value))
		return bad(answer, RC_SYNTAX, "a finding with a value it cannot have", kind);
	if (finding_about(finding.kind)->evidence == EVIDENCE_NONE && finding.evidence.len != 0)
		return bad(answer, RC_SYNTAX, "evidence where there is none", kind);
	const enum rc rc = arena_copy(answer->arena, finding.evidence, &finding.evidence);
	if (rc == RC_OK)
		*out = finding;
	return rc;
}

static enum rc list_take(struct answer *answer, struct findings *findings)
{
	struct cursor *c = &answer->cursor;

	findings->dropped = cursor_u32(c);
	const uint32_t count = cursor_u32(c);
	if (c->failed || count > FINDINGS_MAX)
		return bad(answer, RC_SYNTAX, "too many findings", count);
	struct finding *list = arena_take(answer->arena, count == 0 ? 1 : count, sizeof *list);
	if (list == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const enum rc rc = finding_take(answer, &findings->facts, i == 0 ? 0 : list[i - 1].part, &list[i]);
		if (rc != RC_OK)
			return rc;
	}
	findings->list = list;
	findings->count = count;
	return RC_OK;
}

static enum rc findings_take(struct answer *answer, const struct digest *engine, struct findings *out)
{
	struct findings    findings = { .count = 0 };
	const struct slice name = cursor_bytes(&answer->cursor, DIGEST_SIZE);
	enum rc            rc;

	if (name.len != DIGEST_SIZE)
		return bad(answer, RC_SYNTAX, "the answer ends within its digest", 0);
	memcpy(findings.engine.bytes, name.ptr, DIGEST_SIZE);
	if (!digest_eq(&findings.engine, engine))
		return bad(answer, RC_CORRUPT, "the answer comes from another engine", 0);
	rc = numbers_take(answer, &findings.facts);
	if (rc == RC_OK)
		rc = text_take(answer, FACT_SUBJECT_MAX, "a subject that is no text", &findings.facts.subject);
	if (rc == RC_OK)
		rc = text_take(answer, FACT_FROM_MAX, "a From that is no text", &findings.facts.from);
	if (rc == RC_OK)
		rc = text_take(answer, FACT_MESSAGE_ID_MAX, "a Message-ID that is no text", &findings.facts.message_id);
	if (rc == RC_OK)
		rc = authors_take(answer, &findings.facts);
	if (rc == RC_OK)
		rc = cuts_take(answer, &findings.facts);
	if (rc == RC_OK)
		rc = list_take(answer, &findings);
	if (rc == RC_OK && !cursor_ended(&answer->cursor))
		rc = bad(answer, RC_SYNTAX, "bytes behind the answer", (int64_t)answer->cursor.rest.len);
	if (rc == RC_OK)
		*out = findings;
	return rc;
}

enum rc scan_answer_decode(struct slice frame, const struct scan_request *request, const struct digest *engine,
                           struct slice message, struct arena *arena, enum scan_end *ret_end, struct findings *out,
                           struct fault *fault)
{
	struct answer answer = {
		.cursor = cursor_on(frame), .request = request, .message = message, .arena = arena, .fault = fault
	};
	uint64_t id = 0;
	enum rc  rc = answer_head(&answer.cursor, &id);

	if (rc != RC_OK)
		return bad(&answer, rc, "no answer of this version", 0);
	if (id != request->id)
		return bad(&answer, RC_SYNTAX, "the answer is to another question", 0);
	const uint8_t end = cursor_u8(&answer.cursor);
	if (answer.cursor.failed || end >= SCAN_ENDS)
		return bad(&answer, RC_SYNTAX, "an answer of no known kind", end);
	if (end == SCAN_END_DONE)
		rc = findings_take(&answer, engine, out);
	else if (!cursor_ended(&answer.cursor))
		rc = bad(&answer, RC_SYNTAX, "bytes behind the answer", (int64_t)answer.cursor.rest.len);
	if (rc == RC_OK)
		*ret_end = (enum scan_end)end;
	else if (rc == RC_NOMEM)
		(void)bad(&answer, rc, "no memory for the answer", 0);
	return rc;
}

enum rc scan_cuts_find(struct slice message, const struct scan_options *options, struct header_cut *cuts, size_t *ret_count)
{
	const struct slice front = slice_take(message, options->limits.header_bytes);
	const size_t       end = firewall_header_end(front);
	const bool         whole = end < front.len || front.len == message.len || slice_ends(front, SLICE("\r\n\r\n"));

	return firewall_find(front, end, options, cuts, ret_count) && whole ? RC_OK : RC_LIMIT;
}

bool scan_cut_valid(struct slice message, const struct scan_options *options, const struct header_cut *cut)
{
	return firewall_cut_valid(message, firewall_header_end(slice_take(message, options->limits.header_bytes)),
	                          options, cut);
}
