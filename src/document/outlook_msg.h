/*
 * Outlook .msg files: [MS-OXMSG]. A compound file whose streams are properties; attachments and recipients are storages,
 * and so are messages in messages, which are read as the outer one is.
 */
#ifndef DOCUMENT_OUTLOOK_MSG_H
#define DOCUMENT_OUTLOOK_MSG_H

#include "content/sink.h"
#include "document/ole.h"

/* Of one message. */
#define OUTLOOK_ATTACHMENTS_MAX 1024u
#define OUTLOOK_RECIPIENTS_MAX  1024u
/* Messages in messages; each is also a level of BUDGET_DEPTH. */
#define OUTLOOK_DEPTH_MAX 8u

bool outlook_msg_is(const struct ole *ole);

/*
 * Read an open compound file. `arena` is for streams that do not lie in one piece. RC_SYNTAX: no message; RC_LIMIT,
 * RC_NOMEM, or what the sink returned: told until then.
 */
MUST_CHECK enum rc outlook_msg_open(const struct ole *ole, struct budget *budget, struct arena *arena, const struct content_sink *sink);

#endif
