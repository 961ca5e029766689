/*
 * The built-in table: what each kind of finding is about, what class it makes of a message, how much it counts, and
 * what is done. The administrator changes the doing by group and direction (policy/settings.h), never the class.
 */
#include "policy/dispose.h"

#include "base/must.h"

/*
 * Kinds that are not named here are known and nothing is done about them: they are in the trace, for a person to look
 * at.
 */
struct rule {
	enum policy_group  group;
	enum mail_class    mail_class;
	enum policy_action inbound; /* from strangers */
	enum policy_action other;   /* outbound, internal, relay: from people we know or serve */
	int32_t            score;   /* thousandths */
};

#define RULE(id, group_name, class_name, in, out, points) \
	[FINDING_##id] = { POLICY_GROUP_##group_name, MAIL_CLASS_##class_name, POLICY_##in, POLICY_##out, points }

static const struct rule rules[FINDING_KINDS] = {
	RULE(CONTENT_EICAR, MALWARE, MALWARE, HOLD, HOLD, 20000),
	RULE(CONTENT_GTUBE, TEST_SPAM, SPAM, REJECT, REJECT, 1000000),
	RULE(NAME_EXECUTABLE, EXECUTABLE, MALWARE, HOLD, HOLD, 8000),
	RULE(NAME_DOUBLE, EXECUTABLE, MALWARE, HOLD, HOLD, 12000),
	RULE(NAME_BIDI, EXECUTABLE, MALWARE, HOLD, HOLD, 12000),
	RULE(HEADER_FROM_MISSING, FROM, POLICY, TAG, TAG, 2500),
	RULE(HEADER_FROM_DUPLICATE, FROM, SPOOF, HOLD, TAG, 6000),
	RULE(HEADER_FROM_MALFORMED, FROM, SPOOF, HOLD, TAG, 4000),
	RULE(HEADER_FROM_AMBIGUOUS, FROM, SPOOF, HOLD, TAG, 6000),
	/* What bounces look like: a tag would be noise. */
	RULE(HEADER_FROM_NO_DOMAIN, FROM, CLEAN, DELIVER, DELIVER, 1000),
	RULE(HEADER_FROM_SEVERAL, FROM, SPOOF, TAG, TAG, 2500),
	RULE(HEADER_RECEIVED_MANY, LOOP, POLICY, REJECT, REJECT, 0),
	RULE(HEADER_RECEIVED_OWN, LOOP, POLICY, REJECT, REJECT, 0),
	RULE(HEADER_NUL, AMBIGUOUS, POLICY, TAG, TAG, 2500),
	RULE(HEADER_BARE_CR, AMBIGUOUS, POLICY, TAG, TAG, 2500),
	RULE(HEADER_HIDDEN_CONTROL, AMBIGUOUS, POLICY, TAG, TAG, 2500),
	RULE(MIME_TYPE_MALFORMED, AMBIGUOUS, POLICY, TAG, DELIVER, 1000),
	RULE(MIME_PARAMETER_MALFORMED, NONE, CLEAN, DELIVER, DELIVER, 500),
	RULE(MIME_PARAMETER_DUPLICATE, AMBIGUOUS, POLICY, TAG, DELIVER, 2000),
	RULE(MIME_FIELD_DUPLICATE, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(MIME_BOUNDARY_MISSING, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(MIME_BOUNDARY_MALFORMED, AMBIGUOUS, POLICY, TAG, DELIVER, 2000),
	RULE(MIME_BOUNDARY_UNUSED, AMBIGUOUS, POLICY, TAG, DELIVER, 2000),
	RULE(MIME_BOUNDARY_CLASH, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(MIME_BOUNDARY_LOOSE, AMBIGUOUS, POLICY, TAG, DELIVER, 1500),
	RULE(MIME_PART_HEADER, AMBIGUOUS, POLICY, TAG, DELIVER, 2000),
	RULE(MIME_CONTENT_OUTSIDE, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(MIME_ENCODING_UNKNOWN, AMBIGUOUS, POLICY, TAG, DELIVER, 2000),
	/* Nobody means well with it: what one program decodes is noise to the next. */
	RULE(MIME_ENCODING_RARE, AMBIGUOUS, POLICY, HOLD, TAG, 4000),
	RULE(MIME_ENCODING_COMPOSITE, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(MIME_ENCODING_BROKEN, AMBIGUOUS, POLICY, TAG, DELIVER, 1500),
	RULE(MIME_ENCODING_HIDDEN, AMBIGUOUS, POLICY, TAG, DELIVER, 2000),
	/* For people to know; whether such mail passes is decided by rules of the administrator. */
	RULE(MIME_ENCRYPTED, NONE, CLEAN, DELIVER, DELIVER, 0),
	/* All of them were looked at: nothing is hidden by it. */
	RULE(MIME_READINGS, NONE, CLEAN, DELIVER, DELIVER, 500),
	RULE(MIME_FRAGMENT, AMBIGUOUS, POLICY, HOLD, TAG, 4000),
	RULE(MIME_EXTERNAL, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(NAME_TRAILING, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(NAME_CONTROL, AMBIGUOUS, POLICY, TAG, DELIVER, 2500),
	RULE(NAME_DISAGREE, NONE, CLEAN, DELIVER, DELIVER, 500),
	RULE(NAME_ENCODING, NONE, CLEAN, DELIVER, DELIVER, 500),
	RULE(LIMIT_HEADER_BYTES, LIMIT, POLICY, REJECT, REJECT, 0),
	RULE(LIMIT_HEADER_FIELDS, LIMIT, POLICY, REJECT, REJECT, 0),
	RULE(LIMIT_CUTS, LIMIT, POLICY, REJECT, REJECT, 0),
	RULE(LIMIT_PARAMETERS, LIMIT, POLICY, HOLD, TAG, 2500),
	RULE(LIMIT_PARTS, LIMIT, POLICY, HOLD, TAG, 2500),
	RULE(LIMIT_DEPTH, LIMIT, POLICY, HOLD, TAG, 2500),
	RULE(LIMIT_STEPS, LIMIT, POLICY, HOLD, TAG, 2500),
	RULE(LIMIT_MEMORY, LIMIT, POLICY, HOLD, TAG, 2500),
	RULE(LIMIT_READINGS, LIMIT, POLICY, HOLD, TAG, 2500),
};

#define SCORE_MAX 1000000

/* How a refusal is worded for the sender's administrator, by group and for some kinds of their own. */
struct reply {
	uint32_t     code;
	struct slice enhanced;
	struct slice text;
};

static struct reply reply_of(enum finding_kind kind, enum policy_group group)
{
	if (kind == FINDING_LIMIT_HEADER_BYTES || kind == FINDING_LIMIT_HEADER_FIELDS || kind == FINDING_LIMIT_CUTS)
		return (struct reply){ 552, SLICE("5.3.4"),
			               SLICE("The header of the message is larger than this system takes") };
	switch (group) {
	case POLICY_GROUP_MALWARE:
		return (struct reply){ 554, SLICE("5.7.1"), SLICE("The message contains malware") };
	case POLICY_GROUP_EXECUTABLE:
		return (struct reply){ 554, SLICE("5.7.1"),
			               SLICE("Attachments with the name of a program are not accepted here") };
	case POLICY_GROUP_TEST_SPAM:
		return (struct reply){ 554, SLICE("5.7.1"), SLICE("The message is the GTUBE test for unwanted mail") };
	case POLICY_GROUP_FROM:
		return (struct reply){
			550, SLICE("5.7.1"),
			SLICE("The From field does not name one author clearly (RFC 5322 section 3.6.2)")
		};
	case POLICY_GROUP_AMBIGUOUS:
		return (struct reply){
			550, SLICE("5.6.0"),
			SLICE("The message breaks the rules of MIME and can be read in different ways")
		};
	case POLICY_GROUP_LOOP:
		return (struct reply){ 554, SLICE("5.4.6"),
			               SLICE("Mail loop: the message has passed through here too often") };
	case POLICY_GROUP_LIMIT:
		return (struct reply){ 552, SLICE("5.3.4"),
			               SLICE("The message has more parts than this system reads") };
	case POLICY_GROUP_NONE:
	case POLICY_GROUPS:
		break;
	}
	return (struct reply){ 550, SLICE("5.7.1"), SLICE("The message is not accepted here") };
}

static enum policy_action action_of_choice(enum policy_choice choice, enum policy_action standard)
{
	switch (choice) {
	case POLICY_CHOICE_NONE:
		return POLICY_DELIVER;
	case POLICY_CHOICE_TAG:
		return POLICY_TAG;
	case POLICY_CHOICE_HOLD:
		return POLICY_HOLD;
	case POLICY_CHOICE_REJECT:
		return POLICY_REJECT;
	case POLICY_CHOICE_DISCARD:
		return POLICY_DISCARD;
	case POLICY_CHOICE_STANDARD:
	case POLICY_CHOICES:
		break;
	}
	return standard;
}

enum policy_action policy_action_of(enum finding_kind kind, enum policy_direction direction)
{
	must((unsigned)kind < FINDING_KINDS);
	return direction == POLICY_INBOUND ? rules[kind].inbound : rules[kind].other;
}

/* postmaster and the like get everything but malware and loops (RFC 5321 section 4.5.1, I-29). */
static bool spares_postmaster(enum policy_group group)
{
	return group != POLICY_GROUP_MALWARE && group != POLICY_GROUP_LOOP;
}

/*
 * A header that was not read to its end may hold forged fields that nobody cut: whatever the settings say, such a
 * message is not delivered.
 */
static bool must_not_pass(enum finding_kind kind)
{
	return kind == FINDING_LIMIT_HEADER_BYTES || kind == FINDING_LIMIT_HEADER_FIELDS || kind == FINDING_LIMIT_CUTS;
}

static enum policy_action decide(const struct policy_settings *settings, const struct dispose_query *query,
                                 enum finding_kind kind)
{
	const struct rule       *rule = &rules[kind];
	const enum policy_action standard = policy_action_of(kind, query->direction);

	if (must_not_pass(kind)) {
		const enum policy_action chosen =
			action_of_choice(settings->choices[query->direction][rule->group], standard);
		return chosen < POLICY_DISCARD ? standard : chosen;
	}
	if (rule->group == POLICY_GROUP_NONE || (query->postmaster && spares_postmaster(rule->group)))
		return POLICY_DELIVER;
	return action_of_choice(settings->choices[query->direction][rule->group], standard);
}

/* Our own name in a Received field is a loop from the third time on (I-19 b). */
#define RECEIVED_OWN_LOOP 3

static bool counts(const struct finding *finding)
{
	return finding->kind != FINDING_HEADER_RECEIVED_OWN || finding->value >= RECEIVED_OWN_LOOP;
}

void policy_dispose(const struct policy_settings *settings, const struct dispose_query *query,
                    const struct findings *findings, struct disposition *out)
{
	struct disposition result = { .action = POLICY_DELIVER,
		                      .mail_class = MAIL_CLASS_CLEAN,
		                      .reason = FINDING_KINDS };
	bool               seen[FINDING_KINDS] = { false };

	must((unsigned)query->direction < POLICY_DIRECTIONS);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		const struct rule    *rule = &rules[finding->kind];
		if (seen[finding->kind] || !counts(finding))
			continue;
		seen[finding->kind] = true;
		result.score = result.score > SCORE_MAX - rule->score ? SCORE_MAX : result.score + rule->score;
		const enum policy_action action = decide(settings, query, finding->kind);
		const bool stronger = action > result.action || (action == result.action && action != POLICY_DELIVER &&
		                                                 rule->score > rules[result.reason].score);
		if (!stronger)
			continue;
		result.action = action;
		result.cause = POLICY_CAUSE_FINDING;
		result.reason = finding->kind;
		result.mail_class = rule->mail_class;
	}
	if (result.action == POLICY_REJECT) {
		const struct reply reply = reply_of(result.reason, rules[result.reason].group);
		result.code = reply.code;
		result.enhanced = reply.enhanced;
		result.text = reply.text;
	}
	*out = result;
}

void policy_dispose_unscannable(struct disposition *out)
{
	*out = (struct disposition){ .action = POLICY_HOLD,
		                     .mail_class = MAIL_CLASS_POLICY,
		                     .cause = POLICY_CAUSE_UNSCANNABLE,
		                     .reason = FINDING_KINDS };
}

void policy_dispose_unscanned(const struct policy_settings *settings, struct disposition *out)
{
	struct disposition result = { .action = POLICY_DELIVER,
		                      .mail_class = MAIL_CLASS_CLEAN,
		                      .cause = POLICY_CAUSE_UNSCANNED,
		                      .reason = FINDING_KINDS };

	switch (settings->on_scan_failure) {
	case SCAN_FAILURE_DEFER:
		result.action = POLICY_REJECT;
		result.code = 451;
		result.enhanced = SLICE("4.3.0");
		result.text = SLICE("The message cannot be examined at present, please try again later");
		break;
	case SCAN_FAILURE_HOLD:
		result.action = POLICY_HOLD;
		result.mail_class = MAIL_CLASS_POLICY;
		break;
	case SCAN_FAILURE_PASS:
		break;
	}
	*out = result;
}
