/*
 * The keys of the sections [scan] and [policy]: how deep is looked, and what the built-in table is overridden by.
 *
 *     [policy]
 *     on_executable = hold           # none | tag | hold | reject | discard
 *
 *     [policy_for inbound]           # one section per direction: its keys win over those of [policy]
 */
#ifndef POLICY_SETTINGS_H
#define POLICY_SETTINGS_H

#include "base/setting.h"
#include "policy/disposition.h"
#include "scan/scan.h"

/*
 * What a message's findings may be about, as far as the administrator can decide it. Each finding kind belongs to one
 * group.
 */
enum policy_group {
	POLICY_GROUP_NONE,       /* known, and nothing is done about it */
	POLICY_GROUP_MALWARE,    /* EICAR now; every engine's detections later */
	POLICY_GROUP_EXECUTABLE, /* names of programs, double extensions, turned-round names */
	POLICY_GROUP_TEST_SPAM,  /* GTUBE */
	POLICY_GROUP_FROM,       /* who the author is cannot be said with one voice */
	POLICY_GROUP_AMBIGUOUS,  /* readers take the structure differently, so that content may hide */
	POLICY_GROUP_LOOP,       /* the message goes round */
	POLICY_GROUP_LIMIT,      /* not read to its end */
	POLICY_GROUPS
};

/* SETTING_WORD values of the keys: "standard" leaves it to [policy], and there to the built-in table. */
enum policy_choice {
	POLICY_CHOICE_STANDARD,
	POLICY_CHOICE_NONE,
	POLICY_CHOICE_TAG,
	POLICY_CHOICE_HOLD,
	POLICY_CHOICE_REJECT,
	POLICY_CHOICE_DISCARD,
	POLICY_CHOICES
};

/* [policy] and [policy_for DIRECTION]: first member `name` as base/setting.h asks of named sections. */
struct policy_section {
	struct slice name;                   /* empty for [policy]; inbound, outbound, internal or relay */
	uint32_t     choices[POLICY_GROUPS]; /* enum policy_choice; [0] is unused */
};

enum scan_failure { SCAN_FAILURE_DEFER, SCAN_FAILURE_HOLD, SCAN_FAILURE_PASS };

/* [scan] */
struct scan_section {
	uint32_t depth;                                                 /* enum scan_depth */
	uint32_t on_scan_failure;                                       /* enum scan_failure */
	uint64_t header_bytes, header_fields, parts, nesting, received; /* see struct scan_limits */
	uint64_t deadline_ms;  /* wall clock a scanner gets for one message; gate has it killed after that */
	bool     spam_headers; /* write X-Spam-Flag, -Status and -Level, on routes that do not say otherwise (I-15) */
};

/* The keys of [policy] and [policy_for DIRECTION] (one table for both), and of [scan]; each ends with a NULL key. */
extern const struct setting policy_rule_settings[];
extern const struct setting policy_scan_settings[];

/* Everything of this room, ready to use. */
struct policy_settings {
	enum policy_choice choices[POLICY_DIRECTIONS][POLICY_GROUPS];
	enum scan_failure  on_scan_failure;
	enum scan_depth    depth;
	struct scan_limits limits;
	uint32_t           deadline_ms;
	bool               spam_headers;
};

/* What an empty file gives. */
struct policy_settings policy_settings_standard(void);

/*
 * Join what base/setting.h read. RC_SYNTAX: `directions` has a section for no direction, or two for one; *ret_bad is
 * its index.
 */
MUST_CHECK enum rc policy_settings_join(const struct policy_section *plain, const struct policy_section *directions,
                                        size_t count, const struct scan_section *scan, struct policy_settings *out,
                                        size_t *ret_bad);

#endif
