/* The words of classes, actions and causes, as headers, journal and trace show them. */
#include "policy/disposition.h"

static const char *const class_words[MAIL_CLASSES] = {
	[MAIL_CLASS_CLEAN] = "clean", [MAIL_CLASS_BULK] = "bulk",     [MAIL_CLASS_SPAM] = "spam",
	[MAIL_CLASS_PHISH] = "phish", [MAIL_CLASS_BEC] = "bec",       [MAIL_CLASS_MALWARE] = "malware",
	[MAIL_CLASS_SPOOF] = "spoof", [MAIL_CLASS_POLICY] = "policy",
};

static const char *const action_words[POLICY_ACTIONS] = {
	[POLICY_DELIVER] = "deliver", [POLICY_TAG] = "tag",       [POLICY_DISCARD] = "discard",
	[POLICY_HOLD] = "hold",       [POLICY_REJECT] = "reject",
};

const char *mail_class_word(enum mail_class mail_class)
{
	return (unsigned)mail_class < MAIL_CLASSES ? class_words[mail_class] : "unknown";
}

const char *policy_action_word(enum policy_action action)
{
	return (unsigned)action < POLICY_ACTIONS ? action_words[action] : "unknown";
}

struct slice disposition_reason(const struct disposition *disposition)
{
	switch (disposition->cause) {
	case POLICY_CAUSE_FINDING:
		return slice_str(finding_about(disposition->reason)->name);
	case POLICY_CAUSE_UNSCANNABLE:
		return SLICE("unscannable");
	case POLICY_CAUSE_UNSCANNED:
		return SLICE("unscanned");
	case POLICY_CAUSE_NONE:
	case POLICY_CAUSES:
		break;
	}
	return (struct slice){ NULL, 0 };
}
