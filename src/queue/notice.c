/* See notice.h. */
#include "queue/notice.h"

#include "journal/event.h"

/* RFC 3461 section 4.1: without NOTIFY, failure and (by custom) delay are told. */
static bool wanted(const struct notice_question *question)
{
	static const uint32_t bits[NOTICE_KIND_COUNT] = {
		[NOTICE_FAILED] = EVENT_NOTIFY_FAILURE,
		[NOTICE_DELAYED] = EVENT_NOTIFY_DELAY,
		[NOTICE_RELAYED] = EVENT_NOTIFY_SUCCESS,
	};

	if ((question->notify & EVENT_NOTIFY_NEVER) != 0)
		return false;
	if (question->notify == 0)
		return question->kind != NOTICE_RELAYED;
	return (question->notify & bits[question->kind]) != 0;
}

enum notice_answer notice_judge(const struct notice_question *question)
{
	if (question->report)
		return question->kind == NOTICE_FAILED ? NOTICE_HOLD : NOTICE_NOBODY;
	if (question->kind != NOTICE_FAILED) {
		bool told = question->enabled && question->trusted && !question->null_sender && !question->automatic && wanted(question);

		return told ? NOTICE_SEND : NOTICE_NOBODY;
	}
	if (question->null_sender) {
		if (question->postmaster && question->enabled)
			return question->own_notice ? NOTICE_NOBODY : NOTICE_POSTMASTER;
		return NOTICE_HOLD;
	}
	if (!wanted(question))
		return NOTICE_NOBODY;
	return question->trusted && question->enabled ? NOTICE_SEND : NOTICE_HOLD;
}
