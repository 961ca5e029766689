/*
 * The list of findings while it grows: bounded in count, per kind and in evidence; what does not fit is counted.
 * Inside this room.
 */
#ifndef SCAN_COLLECT_H
#define SCAN_COLLECT_H

#include "base/arena.h"
#include "mail/oddity.h"
#include "scan/findings.h"

struct collector {
	struct slice    message;
	struct arena    evidence; /* room for FINDINGS_MAX of them */
	struct finding *list; /* FINDINGS_MAX places */
	size_t          count;
	uint32_t        dropped;
	uint8_t         per_kind[FINDING_KINDS];
};

/* RC_NOMEM: the arena cannot hold the list. */
MUST_CHECK enum rc collector_init(struct collector *collector, struct slice message, struct arena *arena);

/* What is found: `span` is a place in the message, `evidence` any bytes (copied, cut to FINDING_EVIDENCE_MAX). */
void collect(struct collector *collector, enum finding_kind kind, uint16_t part, uint32_t offset, uint32_t size,
             int64_t value, struct slice evidence);

/* A limit that cut the reading. */
void collect_limit(struct collector *collector, enum finding_kind kind, uint16_t part, uint64_t limit);

/* The sink for the readers of mail/: each oddity becomes the finding of its name. */
struct oddity_sink collector_sink(struct collector *collector);

/* The same for what was decoded out of one part: whatever is noted is told of that part, without evidence. */
struct collector_place {
	struct collector *collector;
	uint16_t          part;
	uint32_t          offset, size;
};

/* `place` must outlive the sink. */
struct oddity_sink collector_place_sink(struct collector_place *place);

/* Put the list in order of parts and add limit.findings when something was dropped. */
void collector_end(struct collector *collector, struct findings *out);

#endif
