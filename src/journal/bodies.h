/*
 * The inside of the table of live bodies, for the writer and its keeper only. Everybody else uses journal/body.h.
 */
#ifndef JOURNAL_BODIES_H
#define JOURNAL_BODIES_H

#include "journal/body.h"
#include "journal/segment.h"

/* RC_NOMEM. `disk` is borrowed; the segments named are taken as sealed. */
MUST_CHECK enum rc journal_bodies_open(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE],
                                       const struct journal_numbers *segments, struct journal_bodies **out);
void               journal_bodies_close(struct journal_bodies **bodies);

/* A segment begins (it is the open one until sealed). RC_NOMEM. */
MUST_CHECK enum rc journal_bodies_begin(struct journal_bodies *bodies, uint64_t segment);
void               journal_bodies_seal(struct journal_bodies *bodies, uint64_t segment);
/* At a start: the last segment is the open one again. */
void journal_bodies_unseal(struct journal_bodies *bodies, uint64_t segment);

bool journal_bodies_live(struct journal_bodies *bodies, uint64_t segment, uint64_t offset);

/* The lowest sealed segment from `from` on without live bodies that has not been called compacted; 0: none. */
uint64_t journal_bodies_to_compact(struct journal_bodies *bodies, uint64_t from);
void     journal_bodies_compacted(struct journal_bodies *bodies, uint64_t segment);

/*
 * The lowest segment from `from` on, sealed and below `below`, that keeps live bodies and has at least `dropped_min`
 * stored bytes of bodies dropped since the last journal_bodies_punched(); 0: none.
 */
uint64_t journal_bodies_to_punch(struct journal_bodies *bodies, uint64_t from, uint64_t below, uint64_t dropped_min);
void     journal_bodies_punched(struct journal_bodies *bodies, uint64_t segment);
/* Its file has holes, so that it is no use as a spare. */
bool journal_bodies_has_holes(struct journal_bodies *bodies, uint64_t segment);

#endif
