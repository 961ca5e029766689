/* Header fields for the mail system behind a route. */
#include "deliver/route_fields.h"

#include "mail/compose.h"

/* From here on a score says spam, as SpamAssassin has taught mail systems to read it. */
#define SPAM_SCORE 5000

/* The spam confidence level of Exchange (I-16): 5 and 6 go to the junk folder, 9 is certain, 1 is mail. */
static int scl_of(uint32_t mail_class, int32_t score)
{
	switch ((enum mail_class)mail_class) {
	case MAIL_CLASS_MALWARE:
	case MAIL_CLASS_PHISH:
		return 9;
	case MAIL_CLASS_SPAM:
	case MAIL_CLASS_BEC:
	case MAIL_CLASS_SPOOF:
		return 6;
	case MAIL_CLASS_BULK:
		return 5;
	case MAIL_CLASS_CLEAN:
	case MAIL_CLASS_POLICY:
	case MAIL_CLASSES:
		break;
	}
	return score >= SPAM_SCORE ? 5 : 1;
}

void route_fields_put(const struct event_message *event, const struct config *config, const struct gate_route_settings *route, struct buf *out)
{
	const int scl = scl_of(event->verdict_class, event->score);

	if (event->origin == ORIGIN_NOTICE || (event->flags & (EVENT_FLAG_UNSCANNED | EVENT_FLAG_UNSCANNABLE)) != 0)
		return;
	if (config_writes_spam(config, route)) {
		const struct compose_spam spam = { .score = event->score, .required = SPAM_SCORE, .is_spam = scl >= 5 };

		compose_spam(&spam, out);
	}
	if (route->scl && event->direction == DIRECTION_INBOUND)
		compose_scl(scl, out);
}
