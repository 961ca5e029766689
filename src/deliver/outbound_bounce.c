/*
 * Notices about messages (RFC 3461, 3464; I-28): who they are from and to, what of the original they carry. The text is mail/compose.h's; whether anybody is told at all
 * was decided before (queue/notice.h). A notice is a message like any other from here on: journaled, queued, sent with the empty sender.
 */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "mail/compose.h"
#include "sys/log.h"

#define RETURN_FULL_MAX (1u << 20) /* RET=FULL of a larger message returns its header only (RFC 3461 section 6.2 allows it) */

/* The first `max` bytes of a message as it was received. */
static enum rc original_read(struct outbound *outbound, struct queue_entry *entry, size_t max, struct buf *out)
{
	struct journal_body *body = NULL;
	size_t left = entry->body_size < max ? (size_t)entry->body_size : max;
	uint64_t offset = 0;
	enum rc rc;

	if (entry->hot != NULL) {
		const struct outbound_message *hot = entry->hot;

		buf_put(out, slice_take(slab_bytes(hot->slab), left));
		return out->failed ? RC_NOMEM : RC_OK;
	}
	rc = journal_body_open(outbound->bodies, &entry->place.body, &body);
	while (rc == RC_OK && left != 0) {
		size_t part = left < OUTBOUND_WINDOW_BYTES ? left : OUTBOUND_WINDOW_BYTES;
		size_t count = 0;
		uint8_t *to = buf_reserve(out, part);

		if (to == NULL) {
			rc = RC_NOMEM;
			break;
		}
		rc = journal_body_read(body, offset, to, part, &count);
		if (rc != RC_OK || count == 0)
			break;
		buf_grew(out, count);
		offset += count;
		left -= count;
	}
	journal_body_close(&body);
	return rc;
}

/* ---- is it robots' mail? ---- */

static bool field_says(struct slice line, struct slice name, struct slice *ret_value)
{
	if (!slice_starts_nocase(line, name))
		return false;
	*ret_value = slice_trim(slice_drop(line, name.len));
	return true;
}

static enum bounce_nature line_nature(struct slice line)
{
	struct slice value;
	bool automatic = false;

	if (field_says(line, SLICE("X-MS-Journal-Report:"), &value))
		return BOUNCE_REPORT;
	if (field_says(line, SLICE("Content-Identifier:"), &value)) /* Exchange 2003 */
		return slice_eq_nocase(value, SLICE("exjournalreport")) ? BOUNCE_REPORT : BOUNCE_ORDINARY;
	if (field_says(line, SLICE("Auto-Submitted:"), &value)) /* RFC 3834 section 5 */
		automatic = !slice_starts_nocase(value, SLICE("no"));
	else if (field_says(line, SLICE("List-Id:"), &value) || field_says(line, SLICE("List-Unsubscribe:"), &value))
		automatic = true;
	else if (field_says(line, SLICE("Precedence:"), &value))
		automatic = slice_starts_nocase(value, SLICE("bulk")) || slice_starts_nocase(value, SLICE("list")) ||
		            slice_starts_nocase(value, SLICE("junk"));
	return automatic ? BOUNCE_AUTOMATIC : BOUNCE_ORDINARY;
}

enum bounce_nature bounce_nature(struct outbound *outbound, struct queue_entry *entry)
{
	struct buf header = buf_make(DSN_HEADERS_MAX);
	size_t max = entry->header_size != 0 && entry->header_size < DSN_HEADERS_MAX ? entry->header_size : DSN_HEADERS_MAX;
	enum bounce_nature nature = BOUNCE_ORDINARY;

	if (original_read(outbound, entry, max, &header) == RC_OK) {
		struct slice rest = buf_slice(&header);

		while (rest.len != 0 && nature != BOUNCE_REPORT) {
			struct slice line = slice_until(&rest, '\n');
			enum bounce_nature found;

			if (slice_trim(line).len == 0)
				break;
			found = line_nature(line);
			nature = found > nature ? found : nature;
		}
	}
	buf_done(&header);
	return nature;
}

/* ---- composing ---- */

static enum dsn_action action_of(const struct bounce_recipient *about)
{
	switch (about->kind) {
	case NOTICE_DELAYED:
		return DSN_DELAYED;
	case NOTICE_RELAYED:
		return about->final ? DSN_DELIVERED : DSN_RELAYED;
	case NOTICE_FAILED:
	case NOTICE_KIND_COUNT:
		break;
	}
	return DSN_FAILED;
}

/* The subject as the event of the message has it, for the human part. Lies in the outbound's arena. */
static struct slice subject_of(struct outbound *outbound, struct queue_entry *entry, struct buf *record)
{
	struct event_message message;
	struct slice payload;

	if (entry->hot != NULL) {
		payload = buf_slice(&((const struct outbound_message *)entry->hot)->payload);
	} else {
		if (journal_event_load(outbound->bodies, &entry->place.message, record) != RC_OK)
			return (struct slice){ NULL, 0 };
		payload = buf_slice(record);
	}
	arena_reset(&outbound->arena);
	if (event_message_read(payload, &outbound->arena, &message) != RC_OK)
		return (struct slice){ NULL, 0 };
	return message.subject;
}

struct making {
	struct outbound             *outbound;
	const struct attempt        *attempt;
	const struct bounce_recipient *about;
	size_t                       count;
	uint64_t                     id;
	int64_t                      now_ms;
	struct slice                 to;
	struct slice                 subject;
	struct slice                 original;
	bool                         full;
};

static enum rc compose(const struct making *making, struct buf *body)
{
	const struct queue_entry *entry = making->attempt->entry;
	const struct retry_plan *plan = making->attempt->route != NULL ? &making->attempt->route->plan : &retry_plan_standard;
	struct slice hostname = making->outbound->config->settings.gateway->hostname;
	struct dsn_recipient *recipients = memory_take(making->count, sizeof(*recipients));
	struct buf from = buf_make(512), message_id = buf_make(512), id = buf_make(EVENT_ID_TEXT), own = buf_make(EVENT_ID_TEXT);
	enum rc rc = RC_NOMEM;

	event_id_put(&id, entry->id);
	event_id_put(&own, making->id);
	buf_put_str(&from, "MAILER-DAEMON@");
	buf_put(&from, hostname);
	buf_put(&message_id, buf_slice(&own));
	buf_put_str(&message_id, "@");
	buf_put(&message_id, hostname);
	for (size_t i = 0; recipients != NULL && i < making->count; i++)
		recipients[i] = (struct dsn_recipient){
			.address = queue_address(making->about[i].recipient),
			.original = queue_original(making->about[i].recipient),
			.action = action_of(&making->about[i]),
			.status = making->about[i].enhanced,
			.remote_name = making->attempt->host,
			.code = making->about[i].code,
			.text = making->about[i].text,
			.last_attempt_s = making->attempt->counted ? making->now_ms / 1000 : 0,
			.retry_until_s = making->about[i].kind == NOTICE_DELAYED ? (entry->received_ms + plan->expire_ms) / 1000 : 0,
		};
	if (recipients != NULL) {
		struct compose_dsn dsn = {
			.own_name = hostname,
			.from = buf_slice(&from),
			.to = making->to,
			.message_id = buf_slice(&message_id),
			.envelope_id = queue_envelope_id(entry),
			.id = buf_slice(&id),
			.subject = making->subject,
			.boundary_seed = buf_slice(&own),
			.unix_s = making->now_ms / 1000,
			.arrival_s = entry->received_ms / 1000,
			.smtputf8 = (entry->flags & EVENT_FLAG_SMTPUTF8) != 0,
			.returned = making->full ? DSN_RETURN_FULL : DSN_RETURN_HEADERS,
			.original = making->original,
			.recipients = recipients,
			.recipient_count = making->count,
		};

		rc = compose_dsn(&dsn, body);
	}
	memory_give(recipients);
	buf_done(&from);
	buf_done(&message_id);
	buf_done(&id);
	buf_done(&own);
	return rc;
}

static bool has_eightbit(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.ptr[i] >= 0x80)
			return true;
	return false;
}

static void event_of(const struct making *making, struct slice body, struct buf *payload)
{
	const struct queue_entry *entry = making->attempt->entry;
	/* RFC 3461 section 5.2.1: nobody is told what becomes of a notice. */
	struct event_recipient recipient = { .address = making->to, .notify = EVENT_NOTIFY_NEVER, .disposition = DISPOSITION_DELIVER };
	struct slice header_end = SLICE("\r\n\r\n");
	struct event_message message = {
		.id = making->id,
		.parent = entry->id,
		.received_ms = making->now_ms,
		.origin = ORIGIN_NOTICE,
		.direction = DIRECTION_OUTBOUND,
		.flags = (has_eightbit(body) ? EVENT_FLAG_8BITMIME : 0) | (entry->flags & EVENT_FLAG_SMTPUTF8),
		.body_size = body.len,
		.header_size = (uint32_t)(slice_search(body, header_end) + header_end.len),
		.subject = SLICE("delivery status notification"),
		.verdict = SLICE("clean"),
		.settings = making->outbound->config->settings.digest,
		.recipients = &recipient,
		.recipient_count = 1,
	};

	/* A notice to the postmaster must be able to fail loudly: see notice.h. */
	digest_of(&body, 1, &message.body_digest);
	event_message_put(payload, &message);
}

enum rc bounce_make(struct outbound *outbound, const struct attempt *attempt, const struct bounce_recipient *recipients, size_t count,
                    struct slice postmaster, uint64_t *ret_id, struct buf *body, struct buf *payload)
{
	struct queue_entry *entry = attempt->entry;
	struct buf original = buf_make(RETURN_FULL_MAX + 1), record = buf_make(EVENT_PAYLOAD_MAX);
	struct making making = {
		.outbound = outbound,
		.attempt = attempt,
		.about = recipients,
		.count = count < DSN_RECIPIENTS_MAX ? count : DSN_RECIPIENTS_MAX,
		.now_ms = outbound_wall_ms(),
		.to = postmaster.len != 0 ? postmaster : queue_sender(entry),
		.full = (entry->flags & EVENT_FLAG_RET_FULL) != 0 && recipients[0].kind == NOTICE_FAILED && entry->body_size <= RETURN_FULL_MAX,
	};
	size_t header = entry->header_size != 0 && entry->header_size < DSN_HEADERS_MAX ? entry->header_size : DSN_HEADERS_MAX;
	enum rc rc = original_read(outbound, entry, making.full ? RETURN_FULL_MAX : header, &original);

	if (rc != RC_OK) {
		log_warning(LOG_EVENT("delivery.notice_without_original"), LOG_NUMBER("message", entry->id), LOG_STR("rc", rc_word(rc)));
		buf_clear(&original);
		making.full = false;
	}
	making.id = outbound->options.next_id(outbound->options.context);
	making.original = buf_slice(&original);
	making.subject = subject_of(outbound, entry, &record);
	rc = compose(&making, body);
	if (rc == RC_OK) {
		event_of(&making, buf_slice(body), payload);
		rc = payload->failed || body->failed ? RC_NOMEM : RC_OK;
	}
	if (rc == RC_OK)
		*ret_id = making.id;
	buf_done(&original);
	buf_done(&record);
	return rc;
}
