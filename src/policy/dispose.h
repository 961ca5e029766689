/*
 * Findings -> one disposition for a recipient, by the small table built into policy/dispose.c and the administrator's
 * changes to it (policy/settings.h). Pure: the same findings, settings and query give the same answer.
 */
#ifndef POLICY_DISPOSE_H
#define POLICY_DISPOSE_H

#include "policy/disposition.h"
#include "policy/settings.h"

struct dispose_query {
	enum policy_direction direction;
	/* postmaster, abuse, security, hostmaster: looked at for malware and loops only (I-29) */
	bool postmaster;
};

/* The disposition of a message that was scanned. */
void policy_dispose(const struct policy_settings *settings, const struct dispose_query *query,
                    const struct findings *findings, struct disposition *out);

/* Of a message that two scanners failed at: held, never deferred, never silently delivered. */
void policy_dispose_unscannable(struct disposition *out);

/*
 * Of a message for which no scanner was available, by `on_scan_failure`: defer (POLICY_REJECT with 451 4.3.0), hold,
 * or deliver with a mark (POLICY_DELIVER, cause POLICY_CAUSE_UNSCANNED: it is scanned again afterwards).
 */
void policy_dispose_unscanned(const struct policy_settings *settings, struct disposition *out);

/* Does the table ask for anything at all because of this kind? For docs and tests. */
enum policy_action policy_action_of(enum finding_kind kind, enum policy_direction direction);

#endif
