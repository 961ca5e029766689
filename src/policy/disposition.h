/*
 * What is done with a message for one recipient, and why: a plain type that gate carries out and the journal keeps.
 * What decides stands in policy/dispose.h.
 */
#ifndef POLICY_DISPOSITION_H
#define POLICY_DISPOSITION_H

#include "base/slice.h"
#include "scan/findings.h"

/*
 * The class of a message (X-Hangu-Class, I-15). The order is not a rank; numbers are kept in the journal: add at the
 * end.
 */
enum mail_class {
	MAIL_CLASS_CLEAN,
	MAIL_CLASS_BULK,
	MAIL_CLASS_SPAM,
	MAIL_CLASS_PHISH,
	MAIL_CLASS_BEC,
	MAIL_CLASS_MALWARE,
	MAIL_CLASS_SPOOF,
	MAIL_CLASS_POLICY,
	MAIL_CLASSES
};

/* What happens, mildest first. When several findings ask for something, the last of this list wins. */
enum policy_action {
	POLICY_DELIVER, /* send it on with our trace header */
	POLICY_TAG,     /* the same, with a class other than clean in that header */
	POLICY_DISCARD, /* accept, record, deliver nowhere, say nothing */
	POLICY_HOLD,    /* accept, keep in quarantine until released */
	POLICY_REJECT,  /* refuse at the final dot with `code` */
	POLICY_ACTIONS
};

/* The same order and numbers as enum direction of journal/event.h, which this room may not include; gate asserts it. */
enum policy_direction { POLICY_INBOUND, POLICY_OUTBOUND, POLICY_INTERNAL, POLICY_RELAY, POLICY_DIRECTIONS };

/* Which way a disposition came about when no finding decided. */
enum policy_cause {
	POLICY_CAUSE_NONE,        /* nothing was found that matters: deliver */
	POLICY_CAUSE_FINDING,     /* `reason` decided */
	POLICY_CAUSE_UNSCANNABLE, /* two scanners failed at the message: held, named `unscannable` */
	POLICY_CAUSE_UNSCANNED,   /* no scanner was available and on_scan_failure says so */
	POLICY_CAUSES
};

struct disposition {
	enum policy_action action;
	enum mail_class    mail_class;
	int32_t            score; /* thousandths; 0 = nothing known, 5000 and above = would be called spam */
	enum policy_cause  cause;
	enum finding_kind  reason; /* for POLICY_CAUSE_FINDING; FINDING_KINDS otherwise */
	/*
	 * For POLICY_REJECT, else 0 and empty: a reply that a sender's administrator understands. Static text, no
	 * peer bytes.
	 */
	uint32_t     code;     /* 550, 554, 451 ... */
	struct slice enhanced; /* "5.7.1" */
	struct slice text;     /* one sentence, printable ASCII */
};

/* "clean", "malware" ...: the word of X-Hangu-Class; "unknown" out of range. */
const char *mail_class_word(enum mail_class mail_class);
/* "deliver", "hold" ... */
const char *policy_action_word(enum policy_action action);
/*
 * The name of what decided: a finding's name, "unscannable", "unscanned", or "" when nothing did. For the journal and
 * the trace.
 */
struct slice disposition_reason(const struct disposition *disposition);

#endif
