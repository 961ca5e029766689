/* The words for the answers in base/rc.h, as logs and traces show them. */
#include "base/rc.h"

static const char *const words[RC_COUNT] = {
	[RC_OK] = "ok",
	[RC_AGAIN] = "again",
	[RC_SYNTAX] = "syntax",
	[RC_LIMIT] = "limit",
	[RC_NOMEM] = "nomem",
	[RC_NOTFOUND] = "notfound",
	[RC_EXISTS] = "exists",
	[RC_DENIED] = "denied",
	[RC_UNSUPPORTED] = "unsupported",
	[RC_CONFLICT] = "conflict",
	[RC_BUSY] = "busy",
	[RC_TIMEOUT] = "timeout",
	[RC_CLOSED] = "closed",
	[RC_IO] = "io",
	[RC_CORRUPT] = "corrupt",
	[RC_UNCERTAIN] = "uncertain",
};

const char *rc_word(enum rc rc)
{
	if ((unsigned)rc >= RC_COUNT)
		return "unknown";
	return words[rc];
}
