/* What the findings of a message mean for each recipient, and the words about it that travel with the message. */
#include "gate/verdict.h"

#include "mail/compose.h"
#include "scan/wire.h"

_Static_assert((int)DIRECTION_INBOUND == POLICY_INBOUND && (int)DIRECTION_OUTBOUND == POLICY_OUTBOUND &&
               (int)DIRECTION_INTERNAL == POLICY_INTERNAL && (int)DIRECTION_RELAY == POLICY_RELAY,
               "the journal and the policy speak of the same directions");

enum rc verdict_make(const struct config *config, enum scan_state state, const struct findings *findings,
                     const struct scan_options *options, struct slice body, struct arena *arena, struct verdict *out)
{
	const struct policy_settings *settings = &config->settings.policy;

	*out = (struct verdict){ .settings = settings, .config = config, .state = state, .findings = findings };
	if (findings != NULL) {
		out->cuts = findings->facts.cuts;
		out->cut_count = findings->facts.cut_count;
		return RC_OK;
	}
	struct header_cut *cuts = arena_take(arena, FINDINGS_CUTS_MAX, sizeof *cuts);
	if (cuts == NULL)
		return RC_NOMEM;
	out->cuts = cuts;
	if (scan_cuts_find(body, options, cuts, &out->cut_count) != RC_OK && state == SCAN_STATE_UNAVAILABLE &&
	    settings->on_scan_failure == SCAN_FAILURE_PASS)
		out->state = SCAN_STATE_UNSCANNABLE;
	return RC_OK;
}

static void dispose(const struct verdict *verdict, enum direction direction, bool postmaster, struct disposition *out)
{
	const struct dispose_query query = { .direction = (enum policy_direction)direction, .postmaster = postmaster };

	switch (verdict->state) {
	case SCAN_STATE_DONE:
		policy_dispose(verdict->settings, &query, verdict->findings, out);
		break;
	case SCAN_STATE_UNSCANNABLE:
		policy_dispose_unscannable(out);
		break;
	case SCAN_STATE_UNAVAILABLE:
		policy_dispose_unscanned(verdict->settings, out);
		break;
	}
}

void verdict_recipient(struct verdict *verdict, enum direction direction, bool postmaster, struct event_recipient *recipient)
{
	struct disposition disposition;

	dispose(verdict, direction, postmaster, &disposition);
	if (verdict->recipients++ == 0 || disposition.action > verdict->worst.action)
		verdict->worst = disposition;
	switch (disposition.action) {
	case POLICY_DELIVER:
	case POLICY_TAG:
		recipient->disposition = DISPOSITION_DELIVER;
		break;
	case POLICY_DISCARD:
		recipient->disposition = DISPOSITION_DISCARD;
		recipient->reason = disposition_reason(&disposition);
		break;
	case POLICY_REJECT:
		if (verdict->refused++ == 0)
			verdict->refusal = disposition;
		recipient->disposition = DISPOSITION_HOLD;
		recipient->reason = disposition_reason(&disposition);
		break;
	case POLICY_HOLD:
		recipient->disposition = DISPOSITION_HOLD;
		recipient->reason = disposition_reason(&disposition);
		break;
	case POLICY_ACTIONS:
		break;
	}
}

/* "5.7.1" of our own table. */
static struct smtp_enhanced enhanced_of(const struct disposition *disposition)
{
	struct slice         rest = disposition->enhanced;
	struct smtp_enhanced enhanced = { (uint8_t)(disposition->code / 100), 0, 0 };

	(void)slice_until(&rest, '.');
	const struct slice subject = slice_until(&rest, '.');
	for (size_t i = 0; i < subject.len; i++)
		enhanced.subject = (uint16_t)(enhanced.subject * 10 + (subject.ptr[i] - '0'));
	for (size_t i = 0; i < rest.len; i++)
		enhanced.detail = (uint16_t)(enhanced.detail * 10 + (rest.ptr[i] - '0'));
	return enhanced;
}

bool verdict_refuses(const struct verdict *verdict, struct smtp_reply *reply)
{
	if (verdict->refused == 0 || verdict->refused != verdict->recipients)
		return false;
	*reply = (struct smtp_reply){ .code = (uint16_t)verdict->refusal.code, .enhanced = enhanced_of(&verdict->refusal),
		                      .text = verdict->refusal.text };
	return true;
}

bool verdict_is_loop(const struct verdict *verdict)
{
	return verdict->worst.cause == POLICY_CAUSE_FINDING && (verdict->worst.reason == FINDING_HEADER_RECEIVED_MANY ||
	                                                         verdict->worst.reason == FINDING_HEADER_RECEIVED_OWN);
}

const char *verdict_reason(const struct verdict *verdict)
{
	switch (verdict->worst.cause) {
	case POLICY_CAUSE_FINDING:
		return finding_about(verdict->worst.reason)->name;
	case POLICY_CAUSE_UNSCANNABLE:
		return "unscannable";
	case POLICY_CAUSE_UNSCANNED:
		return "unscanned";
	case POLICY_CAUSE_NONE:
	case POLICY_CAUSES:
		break;
	}
	return "";
}

/* The transmission type of RFC 3848 and RFC 6531 section 4.3. */
static struct slice protocol_of(const struct event_message *event, bool tls, bool extended)
{
	static const struct slice words[2][2][2] = {
		{ { SLICE_INIT("ESMTP"), SLICE_INIT("ESMTPA") }, { SLICE_INIT("ESMTPS"), SLICE_INIT("ESMTPSA") } },
		{ { SLICE_INIT("UTF8SMTP"), SLICE_INIT("UTF8SMTPA") }, { SLICE_INIT("UTF8SMTPS"), SLICE_INIT("UTF8SMTPSA") } },
	};

	if (!extended)
		return SLICE("SMTP");
	return words[(event->flags & EVENT_FLAG_SMTPUTF8) != 0][tls][event->account.len != 0];
}

static void put_prefix(const struct verdict *verdict, const struct event_message *event, bool tls, bool extended, struct buf *out)
{
	struct buf   id = buf_make(EVENT_ID_TEXT);
	struct slice facts = event->tls;

	event_id_put(&id, event->id);
	const struct compose_received received = {
		.helo = event->helo,
		.reverse_name = event->peer_name,
		.address = event->peer,
		.own_name = verdict->config->settings.gateway->hostname,
		.protocol = protocol_of(event, tls, extended),
		.tls = slice_until(&facts, ','), /* whose certificate it was is nobody's business further on */
		.id = buf_slice(&id),
		.recipient = event->recipient_count == 1 ? event->recipients[0].address : (struct slice){ NULL, 0 },
		.unix_s = event->received_ms / 1000,
	};
	const struct compose_verdict words = {
		.class_word = mail_class_word(verdict->worst.mail_class),
		.score = verdict->worst.score,
		.id = buf_slice(&id),
		.mark = verdict->worst.cause == POLICY_CAUSE_UNSCANNED ? "unscanned" : NULL,
	};
	/* The trace record stands first (RFC 5321 section 4.4): who reads the top line reads where the message came from. */
	compose_received(&received, out);
	compose_verdict(&words, out);
	buf_done(&id);
}

/* Up to and with the empty line, for messages that nobody could read. */
static uint32_t header_size(struct slice body)
{
	const size_t end = slice_search(body, SLICE("\r\n\r\n"));

	return (uint32_t)(end == body.len ? body.len : end + 4);
}

static enum rc put_cuts(const struct verdict *verdict, struct arena *arena, struct event_message *event)
{
	struct event_cut *cuts = verdict->cut_count == 0 ? NULL : arena_take(arena, verdict->cut_count, sizeof *cuts);

	if (verdict->cut_count != 0 && cuts == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < verdict->cut_count; i++)
		cuts[i] = (struct event_cut){ verdict->cuts[i].offset, verdict->cuts[i].size };
	event->cuts = cuts;
	event->cut_count = verdict->cut_count;
	return RC_OK;
}

enum rc verdict_compose(const struct verdict *verdict, struct event_message *event, struct slice body, bool tls, bool extended,
                        struct arena *arena, struct buf *payload)
{
	struct buf prefix = buf_make(EVENT_PREFIX_MAX);
	enum rc    rc = put_cuts(verdict, arena, event);

	event->verdict_class = verdict->worst.mail_class;
	event->verdict = slice_str(mail_class_word(verdict->worst.mail_class));
	event->verdict_reason = slice_str(verdict_reason(verdict));
	event->score = verdict->worst.score;
	event->engine = verdict->config->engine;
	event->header_size = verdict->findings != NULL ? verdict->findings->facts.header_bytes : header_size(body);
	if (verdict->state == SCAN_STATE_UNSCANNABLE)
		event->flags |= EVENT_FLAG_UNSCANNABLE;
	if (verdict->state == SCAN_STATE_UNAVAILABLE)
		event->flags |= EVENT_FLAG_UNSCANNED;
	if (verdict->findings != NULL) {
		const struct facts *facts = &verdict->findings->facts;
		event->subject = facts->subject;
		event->message_id = facts->message_id;
		event->author = facts->author_count == 1 ? facts->authors[0] : (struct slice){ NULL, 0 };
		if ((facts->flags & (FACT_8BIT_BODY | FACT_8BIT_HEADER)) != 0)
			event->flags |= EVENT_FLAG_8BITMIME;
	}
	put_prefix(verdict, event, tls, extended, &prefix);
	event->prefix = buf_slice(&prefix);
	if (rc == RC_OK)
		event_message_put(payload, event);
	if (prefix.failed || payload->failed)
		rc = RC_NOMEM;
	buf_done(&prefix);
	event->prefix = (struct slice){ NULL, 0 };
	return rc;
}
