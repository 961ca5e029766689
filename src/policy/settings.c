/*
 * The keys of [scan], [policy] and [policy_for DIRECTION], and what is made of them. The table they change is in
 * policy/dispose.c.
 */
#include "policy/settings.h"

static const char *const choice_words[] = { "standard", "none", "tag", "hold", "reject", "discard", NULL };
static const char *const depth_words[] = { "structure", NULL };
static const char *const failure_words[] = { "defer", "hold", "pass", NULL };

#define CHOICE(name, group, text)                                                                \
	{                                                                                        \
		.key = name, .kind = SETTING_WORD,                                               \
		.offset = offsetof(struct policy_section, choices) + sizeof(uint32_t) * (group), \
		.standard = "standard", .words = choice_words, .unit = "", .help = text          \
	}

const struct setting policy_rule_settings[] = {
	CHOICE("on_malware", POLICY_GROUP_MALWARE, "What happens to malware; standard: hold."),
	CHOICE("on_executable", POLICY_GROUP_EXECUTABLE,
	       "What happens to attachments with the name of a program; standard: hold."),
	CHOICE("on_test_spam", POLICY_GROUP_TEST_SPAM, "What happens to the GTUBE test message; standard: reject."),
	CHOICE("on_unclear_from", POLICY_GROUP_FROM,
	       "What happens when readers see different authors; standard: hold inbound, tag elsewhere."),
	CHOICE("on_ambiguous", POLICY_GROUP_AMBIGUOUS,
	       "What happens when readers see different contents, so that something may be hidden; standard: tag."),
	CHOICE("on_loop", POLICY_GROUP_LOOP, "What happens to a message that goes round; standard: reject."),
	CHOICE("on_limit", POLICY_GROUP_LIMIT,
	       "What happens to a message that was not read to its end; standard: hold."),
	{ .key = NULL },
};

#define NUMBER(name, field, low, high, normal, what, text)                                                       \
	{                                                                                                        \
		.key = name, .kind = SETTING_NUMBER, .offset = offsetof(struct scan_section, field), .min = low, \
		.max = high, .standard = normal, .unit = what, .help = text                                      \
	}

const struct setting policy_scan_settings[] = {
	{ .key = "depth",
	  .kind = SETTING_WORD,
	  .offset = offsetof(struct scan_section, depth),
	  .standard = "structure",
	  .words = depth_words,
	  .unit = "",
	  .help = "How deep a message is looked into." },
	{ .key = "on_scan_failure",
	  .kind = SETTING_WORD,
	  .offset = offsetof(struct scan_section, on_scan_failure),
	  .standard = "defer",
	  .words = failure_words,
	  .unit = "",
	  .help = "When no scanner is available: defer with 451, hold in quarantine, or pass with a mark." },
	{ .key = "header_bytes",
	  .kind = SETTING_SIZE,
	  .offset = offsetof(struct scan_section, header_bytes),
	  .min = 1024,
	  .max = 4u << 20,
	  .standard = "256K",
	  .unit = "bytes",
	  .help = "How much of a header is read; Exchange takes no more than 256K." },
	NUMBER("header_fields", header_fields, 16, 100000, "1000", "", "How many fields of a header are read."),
	NUMBER("parts", parts, 1, 10000, "1000", "", "How many MIME parts of a message are read."),
	NUMBER("nesting", nesting, 1, 100, "32", "", "How deep MIME parts may lie in each other and are still read."),
	NUMBER("received", received, 10, 1000, "100", "", "More Received fields than this are a mail loop."),
	{ .key = "deadline",
	  .kind = SETTING_DURATION,
	  .offset = offsetof(struct scan_section, deadline_ms),
	  .min = 100,
	  .max = 120000,
	  .standard = "20s",
	  .unit = "",
	  .help = "How long a scanner may take for one message before it is replaced." },
	{ .key = "spam_headers",
	  .kind = SETTING_BOOL,
	  .offset = offsetof(struct scan_section, spam_headers),
	  .standard = "no",
	  .unit = "",
	  .help = "Write X-Spam-Flag, X-Spam-Status and X-Spam-Level as SpamAssassin does, on routes that do not say otherwise." },
	{ .key = NULL },
};

static const struct slice direction_names[POLICY_DIRECTIONS] = {
	[POLICY_INBOUND] = SLICE_INIT("inbound"),
	[POLICY_OUTBOUND] = SLICE_INIT("outbound"),
	[POLICY_INTERNAL] = SLICE_INIT("internal"),
	[POLICY_RELAY] = SLICE_INIT("relay"),
};

struct policy_settings policy_settings_standard(void)
{
	return (struct policy_settings){
		.on_scan_failure = SCAN_FAILURE_DEFER,
		.depth = SCAN_DEPTH_STRUCTURE,
		.limits = SCAN_LIMITS_STANDARD,
		.deadline_ms = 20000,
	};
}

static enum policy_choice choice_of(uint32_t word)
{
	return word < POLICY_CHOICES ? (enum policy_choice)word : POLICY_CHOICE_STANDARD;
}

/* Which direction a section is about; POLICY_DIRECTIONS: none. */
static unsigned direction_of(struct slice name)
{
	unsigned direction = 0;

	while (direction < POLICY_DIRECTIONS && !slice_eq(name, direction_names[direction]))
		direction++;
	return direction;
}

enum rc policy_settings_join(const struct policy_section *plain, const struct policy_section *directions, size_t count,
                             const struct scan_section *scan, struct policy_settings *out, size_t *ret_bad)
{
	struct policy_settings settings = policy_settings_standard();
	bool                   given[POLICY_DIRECTIONS] = { false };

	settings.on_scan_failure = (enum scan_failure)scan->on_scan_failure;
	settings.depth = (enum scan_depth)scan->depth;
	settings.limits.header_bytes = (uint32_t)scan->header_bytes;
	settings.limits.header_fields = (uint32_t)scan->header_fields;
	settings.limits.parts = (uint32_t)scan->parts;
	settings.limits.depth = (uint32_t)scan->nesting;
	settings.limits.received = (uint32_t)scan->received;
	settings.deadline_ms = (uint32_t)scan->deadline_ms;
	settings.spam_headers = scan->spam_headers;
	for (unsigned direction = 0; direction < POLICY_DIRECTIONS; direction++) {
		for (unsigned group = 0; group < POLICY_GROUPS; group++)
			settings.choices[direction][group] = choice_of(plain->choices[group]);
	}
	for (size_t i = 0; i < count; i++) {
		const unsigned direction = direction_of(directions[i].name);
		if (direction == POLICY_DIRECTIONS || given[direction]) {
			*ret_bad = i;
			return RC_SYNTAX;
		}
		given[direction] = true;
		for (unsigned group = 0; group < POLICY_GROUPS; group++) {
			const enum policy_choice choice = choice_of(directions[i].choices[group]);
			if (choice != POLICY_CHOICE_STANDARD)
				settings.choices[direction][group] = choice;
		}
	}
	*out = settings;
	return RC_OK;
}
