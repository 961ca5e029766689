/*
 * Readers of what may be a link, each for one kind of place: `index` is the character in the window that made somebody
 * look. For find.c alone.
 *
 * RC_OK sets *out, and moves finder->at and finder->floor behind it. RC_NOTFOUND: no link; finder->at may have moved
 * over what need not be read again. RC_NOMEM: the arena is full.
 */
#ifndef LINK_FIND_START_H
#define LINK_FIND_START_H

#include "link/find_inside.h"

MUST_CHECK enum rc start_colon(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out);
MUST_CHECK enum rc start_at_sign(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out);
MUST_CHECK enum rc start_slashes(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out);
MUST_CHECK enum rc start_dot(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out);

/* What a reader has understood, before it is written down. */
#define DRAFT_SPANS_MAX 18u

struct draft {
	size_t              start; /* window indices of the whole */
	size_t              end;
	struct slice        prefix;     /* our scheme, in front of all */
	size_t              head_start; /* as it stands there: scheme, slashes, user name, "@" */
	size_t              head_end;
	const struct host  *host; /* its text stands between head and spans; NULL: none */
	size_t              span[DRAFT_SPANS_MAX][2];
	size_t              spans;
	enum link_kind      kind;
	enum link_certainty certainty;
	uint32_t            flags;
};

/* A port, path, query and fragment behind draft->host, into the draft; *longer is where the second reading ends. */
void draft_tail(const struct link_finder *f, struct draft *draft, size_t from, size_t *longer);

/* Write it and parse it; RC_NOTFOUND when no browser would take it. `longer` as above, or draft->end. */
MUST_CHECK enum rc draft_emit(struct link_finder *f, const struct draft *draft, size_t longer, struct arena *arena,
                              struct link_found *out);

#endif
