/*
 * `hangu salvage`: a damaged journal made one that opens again, offline. What can be kept is kept, what is lost is named.
 *
 * A segment whose header is damaged gets it made again where the records behind it prove what it said: nothing is lost then. Otherwise
 * the journal ends before the first damaged record, and the segments from there on are set aside as *.damaged; whatever in them is still
 * readable is told, record by record, bodies included. Oldest segments that cannot be read at all are set aside, too, and the journal
 * begins behind them; when nothing is left, a new and empty journal is begun.
 */
#ifndef JOURNAL_SALVAGE_H
#define JOURNAL_SALVAGE_H

#include "journal/limits.h"
#include "journal/writer.h"

struct journal_salvage_calls {
	void *context;
	/* The header of this segment has been made again. */
	void (*mended)(void *context, uint64_t segment);
	/*
	 * A record that the journal has no more, found in `segment`.segment.damaged; the payload, of bodies, too, is unpacked,
	 * checked, and borrowed until the call returns. In the order in which they lie there. It may be one that was never
	 * promised to anybody.
	 */
	void (*lost)(void *context, uint64_t segment, const struct journal_record *record);
};

struct journal_salvage_report {
	uint64_t                mended;   /* headers made again */
	bool                    cut;      /* records were lost: the rest says which */
	struct journal_position bad;      /* the first damaged record; seq 0: a header */
	uint64_t                kept_seq; /* the last record that was kept; 0: none, the journal is a new one */
	uint64_t                aside;    /* files set aside */
	uint64_t                lost;     /* records told by `lost` */
	uint64_t                dark;     /* bodies and events among them whose bytes are damaged, and are not told */
};

/*
 * RC_OK: the journal opens now; *out says what was done, all zero when it was whole. RC_BUSY: a gateway uses it. RC_NOTFOUND: no journal
 * there. RC_UNSUPPORTED: written by a later version: nothing was changed. RC_NOMEM, RC_IO: `fault` says at what; what was set aside stays
 * so, and another try goes on from there. *out is always written.
 */
MUST_CHECK enum rc journal_salvage(struct journal_disk *disk, const struct journal_limits *limits, const struct journal_salvage_calls *calls,
                                   struct journal_salvage_report *out, struct fault *fault);

#endif
