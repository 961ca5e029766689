/*
 * One scan from its first byte to its list of findings: the order of the steps, the options' bounds, the engine's
 * name.
 */
#include "scan/scan.h"

#include "base/must.h"
#include "scan/survey.h"
#include "scan/work.h"

static bool within(uint64_t value, uint64_t low, uint64_t high)
{
	return value >= low && value <= high;
}

static enum rc limits_check(const struct scan_limits *limits)
{
	const bool lawful =
		within(limits->header_bytes, 1024, 4u << 20) && within(limits->header_fields, 16, 100000) &&
		within(limits->parts, 1, MESSAGE_PARTS_MAX) && within(limits->depth, 1, MESSAGE_DEPTH_MAX) &&
		within(limits->parameters, 4, 1000) && within(limits->steps, UINT64_C(1) << 16, UINT64_C(1) << 40) &&
		within(limits->decoded_bytes, 64u << 10, UINT64_C(64) << 30) && within(limits->received, 10, 1000);

	return lawful ? RC_OK : RC_LIMIT;
}

enum rc scan_options_check(const struct scan_options *options)
{
	if ((unsigned)options->depth >= SCAN_DEPTHS || (options->cut & ~SCAN_CUT_ALL) != 0 ||
	    options->own_name.len > SCAN_NAME_MAX || options->authserv_id.len > SCAN_NAME_MAX)
		return RC_LIMIT;
	return limits_check(&options->limits);
}

void scan_engine_digest(const struct scan_options *options, struct digest *out)
{
	const struct scan_limits *limits = &options->limits;
	const uint64_t            numbers[] = { SCAN_ENGINE_REVISION,  FINDING_KINDS,         (uint64_t)options->depth,
		                                limits->header_bytes,  limits->header_fields, limits->parts,
		                                limits->depth,         limits->parameters,    limits->steps,
		                                limits->decoded_bytes, limits->received,      FINDINGS_MAX,
		                                FINDINGS_PER_KIND_MAX, FINDING_EVIDENCE_MAX };
	uint8_t                   bytes[sizeof numbers];
	struct slice              pieces[FINDING_KINDS + 2];

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		for (unsigned byte = 0; byte < 8; byte++)
			bytes[i * 8 + byte] = (uint8_t)(numbers[i] >> (8 * byte));
	}
	pieces[0] = SLICE("hangu " HANGU_VERSION " scan ");
	pieces[1] = slice_of(bytes, sizeof bytes);
	for (unsigned kind = 0; kind < FINDING_KINDS; kind++)
		pieces[kind + 2] = slice_str(finding_about((enum finding_kind)kind)->name);
	digest_of(pieces, sizeof pieces / sizeof pieces[0], out);
}

bool scan_step(struct scan_work *work, uint64_t steps)
{
	work->steps += steps;
	if (work->steps <= work->options->limits.steps)
		return true;
	collect_limit(&work->collector, FINDING_LIMIT_STEPS, 0, work->options->limits.steps);
	return false;
}

/* What the bytes are like as a whole: for the next hop, and for readers that stop at a NUL. */
static void survey_take(struct scan_work *work)
{
	const struct slice  body = slice_drop(work->bytes, work->facts.header_bytes);
	const struct survey header = survey_of(slice_take(work->bytes, work->facts.header_bytes));
	const struct survey rest = survey_of(body);
	uint32_t            flags = 0;

	flags |= header.high ? FACT_8BIT_HEADER : 0;
	flags |= rest.high ? FACT_8BIT_BODY : 0;
	flags |= header.nul + rest.nul != 0 ? FACT_NUL : 0;
	flags |= header.bare_cr + rest.bare_cr != 0 ? FACT_BARE_CR : 0;
	flags |= header.bare_lf + rest.bare_lf != 0 ? FACT_BARE_LF : 0;
	flags |= work->bytes.len != 0 && slice_last(work->bytes) != '\n' ? FACT_NO_FINAL_EOL : 0;
	work->facts.flags |= flags;
	if (rest.nul != 0)
		collect(&work->collector, FINDING_MIME_NUL, 0, work->facts.header_bytes, (uint32_t)body.len,
		        (int64_t)rest.nul, (struct slice){ NULL, 0 });
	(void)scan_step(work, work->bytes.len / 8);
}

static enum rc structure_read(struct scan_work *work)
{
	const struct message_limits bounds = scan_message_limits(work);
	const struct oddity_sink    sink = collector_sink(&work->collector);

	return message_read(work->bytes, &bounds, &sink, work->arena, &work->message);
}

enum rc scan_message(struct slice message, const struct scan_options *options, const struct digest *engine,
                     struct arena *arena, struct findings *out)
{
	struct scan_work work = { .bytes = message, .options = options, .arena = arena };

	if (message.len > SCAN_MESSAGE_MAX || scan_options_check(options) != RC_OK)
		return RC_LIMIT;
	if (collector_init(&work.collector, message, arena) != RC_OK)
		return RC_NOMEM;
	const enum rc rc = structure_read(&work);
	work.facts.message_bytes = (uint32_t)message.len;
	if (rc == RC_OK) {
		work.steps = work.message.steps;
		work.facts.part_count = (uint32_t)work.message.count;
		work.facts.part_depth = work.message.depth;
		work.facts.line_max = work.message.line_max;
		scan_header(&work);
		scan_firewall(&work);
		survey_take(&work);
		scan_author(&work);
		scan_names(&work);
		scan_content(&work);
	} else {
		/*
		 * Not even the header was read, so nothing of it could be cut: policy never lets such a message pass.
		 */
		collect_limit(&work.collector, FINDING_LIMIT_MEMORY, 0, arena->size);
		collect_limit(&work.collector, FINDING_LIMIT_CUTS, 0, 0);
	}
	work.facts.steps = work.steps > UINT32_MAX ? UINT32_MAX : (uint32_t)work.steps;
	out->facts = work.facts;
	out->engine = *engine;
	collector_end(&work.collector, out);
	return RC_OK;
}
