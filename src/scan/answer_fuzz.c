/*
 * Answers as gate reads them, from a scanner that may be anyone's: what gets through keeps every promise of the
 * header.
 */
#include "base/must.h"
#include "scan/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct slice message =
		SLICE_INIT("X-Hangu-Class: clean\r\nFrom: a@b\r\nC: d\rX-Hangu-Score: 1\r\n\r\nbody\r\n");
	static uint8_t            memory[1 << 18];
	const struct scan_request request = {
		.id = 1,
		.message_bytes = message.len,
		.options = { .cut = SCAN_CUT_ALL, .limits = SCAN_LIMITS_STANDARD, .own_name = SLICE("mx.example") },
	};
	/* All zeros, so that the fuzzer has no digest to guess. */
	const struct digest engine = { .bytes = { 0 } };
	struct arena        arena = arena_on(memory, sizeof memory);
	struct findings     findings = { .count = 0 };
	enum scan_end       end = SCAN_ENDS;
	uint64_t            id;

	if (scan_answer_id(slice_of(data, size), &id) != RC_OK)
		return 0;
	if (scan_answer_decode(slice_of(data, size), &request, &engine, message, &arena, &end, &findings, NULL) !=
	    RC_OK)
		return 0;
	must((unsigned)end < SCAN_ENDS);
	if (end != SCAN_END_DONE)
		return 0;
	must(findings.count <= FINDINGS_MAX && findings.facts.cut_count <= FINDINGS_CUTS_MAX);
	for (size_t i = 0; i < findings.count; i++) {
		must((unsigned)findings.list[i].kind < FINDING_KINDS &&
		     findings.list[i].evidence.len <= FINDING_EVIDENCE_MAX);
		must((size_t)findings.list[i].offset + findings.list[i].size <= message.len);
	}
	for (size_t i = 0; i < findings.facts.cut_count; i++)
		must(scan_cut_valid(message, &request.options, &findings.facts.cuts[i]));
	return 0;
}
