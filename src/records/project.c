/* Events to rows. One function for each type of event; each is short because an event says what happened in the row's own words. */
#include "records/project.h"

/* An event that does not fit the arena will never fit: it is like one that cannot be read, and not like a store that is short of memory. */
static enum rc unread(enum rc rc)
{
	return rc == RC_NOMEM ? RC_SYNTAX : rc;
}

static enum rc project_message(struct store *store, const struct journal_record *record, struct arena *arena)
{
	struct event_message event;
	enum rc              rc = unread(event_message_read(record->payload, arena, &event));

	if (rc != RC_OK)
		return rc;
	rc = store->calls->message(store, &event);
	for (size_t i = 0; rc == RC_OK && i < event.recipient_count; i++) {
		const struct event_recipient *from = &event.recipients[i];
		const char *state = from->disposition == DISPOSITION_DELIVER ? "queued"
		                  : from->disposition == DISPOSITION_HOLD   ? "held"
		                                                            : "discarded";
		const struct store_recipient recipient = { .index = (uint32_t)i, .address = from->address, .state = slice_str(state),
			                                   .reason = from->reason, .at_ms = event.received_ms };
		rc = store->calls->recipient(store, event.id, &recipient, true);
	}
	return rc;
}

static enum rc project_outcome(struct store *store, const struct journal_record *record, struct arena *arena)
{
	struct event_outcome event;
	enum rc              rc = unread(event_outcome_read(record->payload, arena, &event));

	for (size_t i = 0; rc == RC_OK && i < event.result_count; i++) {
		const struct event_recipient_result *result = &event.results[i];
		const struct slice                   word = slice_str(event_result_word(result->result));
		const struct slice                   who = event.host.len != 0 ? event.host : event.address;
		const struct store_recipient recipient = { .index = result->recipient, .state = word, .host = who, .text = result->text,
			                                   .code = result->code, .at_ms = event.at_ms, .next_ms = result->next_ms };
		const struct store_step step = { .seq = record->place.position.seq, .message = event.message, .at_ms = event.at_ms,
			                         .what = word, .recipient = result->recipient, .code = result->code,
			                         .status = result->enhanced, .who = who, .text = result->text };
		rc = store->calls->recipient(store, event.message, &recipient, false);
		if (rc == RC_OK)
			rc = store->calls->step(store, &step);
	}
	return rc;
}

/* What an act makes of its recipients; NULL: where they stand does not change by it. */
static const char *state_after(enum event_verb verb)
{
	switch (verb) {
	case VERB_HOLD:
		return "held";
	case VERB_RELEASE:
		return "queued";
	case VERB_DROP:
		return "dropped";
	case VERB_BOUNCE:
		return "bounced";
	case VERB_RETRY:
	case VERB_REROUTE:
	case VERB_COUNT:
		break;
	}
	return NULL;
}

static enum rc project_act(struct store *store, const struct journal_record *record)
{
	struct event_act event;
	enum rc          rc = event_act_read(record->payload, &event);

	if (rc != RC_OK)
		return rc;
	const struct slice           word = slice_str(event_verb_word(event.verb));
	const char                  *state = state_after(event.verb);
	const struct store_recipient recipient = { .index = event.recipient, .state = slice_str(state), .text = event.reason,
		                                   .at_ms = event.at_ms };
	const struct store_step step = { .seq = record->place.position.seq, .message = event.message, .at_ms = event.at_ms, .what = word,
		                         .recipient = event.recipient, .who = event.who,
		                         .text = event.argument.len != 0 ? event.argument : event.reason };
	if (state != NULL)
		rc = store->calls->recipient(store, event.message, &recipient, false);
	return rc == RC_OK ? store->calls->step(store, &step) : rc;
}

static enum rc project_refused(struct store *store, const struct journal_record *record)
{
	struct event_refused event;
	const enum rc        rc = event_refused_read(record->payload, &event);

	return rc == RC_OK ? store->calls->refusal(store, record->place.position.seq, &event) : rc;
}

static enum rc project_session(struct store *store, const struct journal_record *record)
{
	struct event_session event;
	const enum rc        rc = event_session_read(record->payload, &event);

	if (rc != RC_OK)
		return rc;
	const struct store_step step = { .seq = record->place.position.seq, .session = event.session, .at_ms = event.closed_ms,
		                         .what = SLICE("session"), .recipient = EVENT_ALL_RECIPIENTS, .who = event.peer,
		                         .text = event.end };
	return store->calls->step(store, &step);
}

/* A session's certificate: a step without a message, shown with every message of that session. */
static enum rc project_certificate(struct store *store, const struct journal_record *record)
{
	struct event_certificate event;
	enum rc                  rc = event_certificate_read(record->payload, &event);
	struct buf               text = buf_make(4096);

	if (rc != RC_OK)
		return rc;
	buf_put_str(&text, event.verified ? "verified" : "not verified");
	if (event.why.len != 0) {
		buf_put_str(&text, " (");
		buf_put(&text, event.why);
		buf_put_str(&text, ")");
	}
	buf_put_str(&text, event.ours ? ", one of ours, SHA-256 " : ", SHA-256 ");
	buf_put_hex(&text, slice_of(event.fingerprint.bytes, DIGEST_SIZE));
	buf_put_str(&text, ", issued by ");
	buf_put(&text, event.issuer);
	const struct store_step step = { .seq = record->place.position.seq, .session = event.session, .at_ms = event.at_ms,
		                         .what = slice_str(event_type_word(EVENT_CERTIFICATE)), .recipient = EVENT_ALL_RECIPIENTS,
		                         .who = event.subject, .text = buf_slice(&text) };
	rc = text.failed ? RC_NOMEM : store->calls->step(store, &step);
	buf_done(&text);
	return rc;
}

static enum rc project_node(struct store *store, const struct journal_record *record)
{
	struct event_node event;
	const enum rc     rc = event_node_read(record->payload, &event);

	if (rc != RC_OK)
		return rc;
	const struct store_step step = { .seq = record->place.position.seq, .at_ms = event.at_ms, .what = event.what,
		                         .recipient = EVENT_ALL_RECIPIENTS, .text = event.text };
	return store->calls->step(store, &step);
}

enum rc project_record(struct store *store, const struct journal_record *record, struct arena *arena, uint64_t *ret_skipped)
{
	enum rc rc = RC_OK;

	arena_reset(arena);
	switch ((enum event_type)record->type) {
	case EVENT_BODY:
		break;
	case EVENT_MESSAGE:
		rc = project_message(store, record, arena);
		break;
	case EVENT_OUTCOME:
		rc = project_outcome(store, record, arena);
		break;
	case EVENT_REFUSED:
		rc = project_refused(store, record);
		break;
	case EVENT_ACT:
		rc = project_act(store, record);
		break;
	case EVENT_SESSION:
		rc = project_session(store, record);
		break;
	case EVENT_NODE:
		rc = project_node(store, record);
		break;
	case EVENT_CERTIFICATE:
		rc = project_certificate(store, record);
		break;
	}
	if (rc != RC_SYNTAX && rc != RC_UNSUPPORTED)
		return rc;
	++*ret_skipped;
	return RC_OK;
}
