/*
 * May the sender be told what became of a message (RFC 3461, I-5, I-27)? A table of who may and who wants to, without any knowledge of how. Backscatter is mail to
 * somebody who never wrote: so only senders are told that we have reason to believe.
 */
#ifndef QUEUE_NOTICE_H
#define QUEUE_NOTICE_H

#include "base/slice.h"

enum notice_kind {
	NOTICE_FAILED,  /* given up */
	NOTICE_DELAYED, /* late, still tried */
	NOTICE_RELAYED, /* delivered, by request */
	NOTICE_KIND_COUNT
};

enum notice_answer {
	NOTICE_SEND,       /* to the sender */
	NOTICE_POSTMASTER, /* the sender is <>: a copy for the postmaster */
	NOTICE_NOBODY,     /* not wanted, or not worth it: only the journal knows */
	NOTICE_HOLD,       /* it failed and must not be told: keep the message for a person instead of losing it */
	NOTICE_ANSWER_COUNT
};

struct notice_question {
	enum notice_kind kind;
	uint32_t         notify;      /* EVENT_NOTIFY_ bits of the recipient */
	bool             trusted;     /* authenticated, or one of our own mail systems */
	bool             null_sender; /* <>: a notice itself */
	bool             own_notice;  /* one of ours: when it fails for the postmaster, nobody is left */
	bool             automatic;   /* Auto-Submitted, a list, bulk: told of failure only */
	bool             report;      /* a mail system's journal report: nobody is ever told (I-27) */
	bool             postmaster;  /* somebody is named for double bounces */
	bool             enabled;     /* [queue] notices */
};

enum notice_answer notice_judge(const struct notice_question *question);

#endif
