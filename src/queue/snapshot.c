/*
 * The snapshot part of fold.h. Little-endian:
 *
 *   u8 version, u64 highest id there ever was (since version 2), u64 count of messages, then for each, in the journal's order:
 *     u64 id, parent; i64 received_ms; u64 body_size; u32 header_size, flags; u8 origin, direction; place of the body, of the message
 *     block sender, envelope id; u32 count of recipients, then for each:
 *       u8 state, notify, bits (1 quarantined, 2 noticed, 4 memo); u16 attempts; i64 tried_ms, due_ms; block address, original
 *       with a memo: u16 code; block enhanced, route, host, text
 */
#include "queue/state.h"

#include "base/cursor.h"
#include "base/must.h"

#define BIT_QUARANTINED 1u
#define BIT_NOTICED     2u
#define BIT_MEMO        4u

/* Bytes of the fixed parts, counted from the lists above. */
#define HEAD_BYTES      17u
#define PLACE_BYTES     32u
#define ENTRY_BYTES     (4u * 8 + 2 * 4 + 2 + 2 * PLACE_BYTES + 2 * 4 + 4)
#define RECIPIENT_BYTES (3u + 2 + 2 * 8 + 2 * 4)
#define MEMO_BYTES      (2u + 4 * 4)

uint64_t queue_snapshot_size(const struct queue *queue)
{
	uint64_t size = HEAD_BYTES;

	for (const struct queue_entry *entry = queue_first(queue); entry != NULL; entry = queue_after(queue, entry)) {
		size += ENTRY_BYTES + entry->sender_size + entry->envelope_size;
		for (uint32_t i = 0; i < entry->recipient_count; i++) {
			const struct queue_recipient *recipient = &entry->recipients[i];
			const struct queue_memo *memo = recipient->memo;

			size += RECIPIENT_BYTES + (uint64_t)recipient->address_size + recipient->original_size;
			if (memo != NULL)
				size += MEMO_BYTES + (uint64_t)memo->enhanced_size + memo->route_size + memo->host_size + memo->text_size;
		}
	}
	return size;
}

/* A place as journal/record.h describes it for snapshots. */
static void place_put(struct buf *out, const struct journal_place *place)
{
	cursor_put_u64(out, place->position.segment);
	cursor_put_u64(out, place->position.offset);
	cursor_put_u64(out, place->position.seq);
	cursor_put_u32(out, place->bytes);
	cursor_put_u32(out, place->stored_bytes);
}

static struct journal_place place_take(struct cursor *from)
{
	struct journal_place place = { 0 };

	place.position.segment = cursor_u64(from);
	place.position.offset = cursor_u64(from);
	place.position.seq = cursor_u64(from);
	place.bytes = cursor_u32(from);
	place.stored_bytes = cursor_u32(from);
	return place;
}

static void recipient_put(struct buf *out, const struct queue_recipient *recipient)
{
	uint32_t bits = (recipient->quarantined ? BIT_QUARANTINED : 0) | (recipient->noticed ? BIT_NOTICED : 0) |
	                (recipient->memo != NULL ? BIT_MEMO : 0);
	bool waits = recipient->state == QUEUE_DEFERRED || recipient->state == QUEUE_UNCERTAIN;

	cursor_put_u8(out, recipient->state);
	cursor_put_u8(out, recipient->notify);
	cursor_put_u8(out, (uint8_t)bits);
	cursor_put_u16(out, recipient->attempts);
	cursor_put_u64(out, (uint64_t)recipient->tried_ms);
	cursor_put_u64(out, waits ? (uint64_t)recipient->timer.at_ms : 0);
	cursor_put_block(out, queue_address(recipient));
	cursor_put_block(out, queue_original(recipient));
	if (recipient->memo == NULL)
		return;
	cursor_put_u16(out, recipient->memo->code);
	cursor_put_block(out, queue_memo_enhanced(recipient));
	cursor_put_block(out, queue_memo_route(recipient));
	cursor_put_block(out, queue_memo_host(recipient));
	cursor_put_block(out, queue_memo_text(recipient));
}

void queue_snapshot_put(const struct queue *queue, struct buf *out)
{
	cursor_put_u8(out, QUEUE_SNAPSHOT_VERSION);
	cursor_put_u64(out, queue->last_id);
	cursor_put_u64(out, queue->entry_count);
	for (const struct queue_entry *entry = queue_first(queue); entry != NULL; entry = queue_after(queue, entry)) {
		cursor_put_u64(out, entry->id);
		cursor_put_u64(out, entry->parent);
		cursor_put_u64(out, (uint64_t)entry->received_ms);
		cursor_put_u64(out, entry->body_size);
		cursor_put_u32(out, entry->header_size);
		cursor_put_u32(out, entry->flags);
		cursor_put_u8(out, entry->origin);
		cursor_put_u8(out, entry->direction);
		place_put(out, &entry->place.body);
		place_put(out, &entry->place.message);
		cursor_put_block(out, queue_sender(entry));
		cursor_put_block(out, queue_envelope_id(entry));
		cursor_put_u32(out, entry->recipient_count);
		for (uint32_t i = 0; i < entry->recipient_count; i++)
			recipient_put(out, &entry->recipients[i]);
	}
}

/* What a snapshot says of a recipient beyond what a message event does. */
struct extra {
	uint8_t      state, bits;
	uint16_t     attempts, code;
	int64_t      tried_ms, due_ms;
	struct slice enhanced, route, host, text;
};

static void recipient_read(struct cursor *from, struct event_recipient *recipient, struct extra *extra)
{
	extra->state = cursor_u8(from);
	recipient->notify = cursor_u8(from);
	extra->bits = cursor_u8(from);
	extra->attempts = cursor_u16(from);
	extra->tried_ms = (int64_t)cursor_u64(from);
	extra->due_ms = (int64_t)cursor_u64(from);
	recipient->address = cursor_block(from, EVENT_TEXT_MAX);
	recipient->original = cursor_block(from, EVENT_TEXT_MAX);
	if (extra->bits & BIT_MEMO) {
		extra->code = cursor_u16(from);
		extra->enhanced = cursor_block(from, 15);
		extra->route = cursor_block(from, UINT8_MAX);
		extra->host = cursor_block(from, UINT8_MAX);
		extra->text = cursor_block(from, QUEUE_REASON_MAX);
	}
	if (extra->state >= QUEUE_STATE_COUNT || extra->state == QUEUE_SENDING || (extra->bits & ~7u) != 0 || extra->due_ms < 0 ||
	    (queue_state_ends((enum queue_state)extra->state) && (extra->bits & BIT_MEMO)) || recipient->address.len == 0 ||
	    recipient->notify > 15)
		from->failed = true;
	/* An ended one needs no destination: it comes in as dropped. */
	recipient->disposition =
		queue_state_ends((enum queue_state)extra->state) ? DISPOSITION_DISCARD : DISPOSITION_DELIVER;
}

static enum rc recipient_restore(struct queue *queue, struct queue_recipient *recipient, const struct extra *extra)
{
	enum queue_state state = (enum queue_state)extra->state;

	recipient->quarantined = (extra->bits & BIT_QUARANTINED) != 0;
	recipient->noticed = (extra->bits & BIT_NOTICED) != 0;
	recipient->attempts = extra->attempts;
	recipient->tried_ms = extra->tried_ms;
	if (queue_state_ends(state)) {
		queue->state_count[recipient->state]--;
		queue->state_count[state]++;
		recipient->state = extra->state;
		return RC_OK;
	}
	if (extra->bits & BIT_MEMO) {
		recipient->memo = queue_memo_make(queue, extra->code, extra->enhanced, extra->route, extra->host, extra->text);
		if (recipient->memo == NULL)
			return RC_NOMEM;
	}
	if (extra->route.len != 0) {
		struct queue_destination *old = recipient->destination;
		enum rc rc = queue_destination_for(queue, queue_address(recipient), extra->route, &recipient->destination);

		if (rc != RC_OK) {
			recipient->destination = old;
			return rc;
		}
		recipient->destination->recipient_count++;
		old->recipient_count--;
		queue_destination_settle(queue, old);
	}
	queue_set_state(queue, recipient, state);
	recipient->timer.at_ms = extra->due_ms;
	queue_place_recipient(queue, recipient, false);
	return RC_OK;
}

/* Read one message's head and its recipients into the scratch arena. */
static enum rc entry_read(struct queue *queue, struct cursor *from, struct event_message *message, struct queue_place *place,
                          struct extra **ret_extras)
{
	struct event_recipient *recipients;

	*message = (struct event_message){ .id = cursor_u64(from), .parent = 0 };
	message->parent = cursor_u64(from);
	message->received_ms = (int64_t)cursor_u64(from);
	message->body_size = cursor_u64(from);
	message->header_size = cursor_u32(from);
	message->flags = cursor_u32(from);

	uint8_t origin = cursor_u8(from), direction = cursor_u8(from);

	message->origin = (enum event_origin)origin;
	message->direction = (enum direction)direction;
	place->body = place_take(from);
	place->message = place_take(from);
	message->sender = cursor_block(from, EVENT_TEXT_MAX);
	message->envelope_id = cursor_block(from, EVENT_TEXT_MAX);
	message->recipient_count = cursor_u32(from);
	if (from->failed || place->message.position.seq == 0 || origin >= ORIGIN_COUNT || direction >= DIRECTION_COUNT || message->received_ms < 0 ||
	    message->recipient_count == 0 || message->recipient_count > EVENT_RECIPIENTS_MAX)
		return RC_SYNTAX;
	/* No more than the bytes can hold, so that a short lie takes little memory. */
	if (message->recipient_count > from->rest.len / RECIPIENT_BYTES)
		return RC_SYNTAX;
	arena_reset(&queue->scratch);
	recipients = arena_take(&queue->scratch, message->recipient_count, sizeof(*recipients));
	*ret_extras = arena_take(&queue->scratch, message->recipient_count, sizeof(**ret_extras));
	if (recipients == NULL || *ret_extras == NULL)
		return RC_NOMEM;
	message->recipients = recipients;
	for (size_t i = 0; i < message->recipient_count; i++)
		recipient_read(from, &recipients[i], &(*ret_extras)[i]);
	return from->failed ? RC_SYNTAX : RC_OK;
}

static enum rc entry_restore(struct queue *queue, struct cursor *from)
{
	struct event_message message;
	struct queue_place place;
	struct extra *extras;
	struct queue_entry *entry;
	enum rc rc = entry_read(queue, from, &message, &place, &extras);

	if (rc != RC_OK)
		return rc;
	rc = queue_entry_make(queue, &message, &place, &entry);
	if (rc != RC_OK)
		return rc == RC_EXISTS ? RC_SYNTAX : rc;
	for (uint32_t i = 0; i < entry->recipient_count && rc == RC_OK; i++)
		rc = recipient_restore(queue, &entry->recipients[i], &extras[i]);
	if (rc == RC_OK && entry->open_count == 0)
		rc = RC_SYNTAX; /* it had ended: no snapshot holds such a message */
	return rc;
}

/* Empty the queue again, whatever it held. */
static void clear(struct queue *queue)
{
	struct queue_entry *entry;

	while ((entry = queue_first(queue)) != NULL) {
		for (uint32_t i = 0; i < entry->recipient_count; i++) {
			struct queue_recipient *recipient = &entry->recipients[i];

			if (queue_state_ends((enum queue_state)recipient->state))
				continue;
			queue_unplace_recipient(queue, recipient);
			queue_set_state(queue, recipient, QUEUE_DROPPED);
		}
		queue_entry_end(queue, entry);
	}
	queue->last_id = 0;
}

enum rc queue_snapshot_read(struct queue *queue, struct slice bytes)
{
	struct cursor from = cursor_on(bytes);
	uint64_t count, last_id = 0;
	enum rc rc = RC_OK;

	must(queue->entry_count == 0);
	if (bytes.len != 0 && (bytes.ptr[0] == 0 || bytes.ptr[0] > QUEUE_SNAPSHOT_VERSION))
		return RC_UNSUPPORTED;
	if (cursor_u8(&from) >= 2)
		last_id = cursor_u64(&from);
	count = cursor_u64(&from);
	while (count-- != 0 && !from.failed && rc == RC_OK)
		rc = entry_restore(queue, &from);
	if (rc == RC_OK && !cursor_ended(&from))
		rc = RC_SYNTAX;
	if (rc == RC_OK && last_id > queue->last_id)
		queue->last_id = last_id;
	if (rc != RC_OK)
		clear(queue);
	return rc;
}

uint64_t queue_last_id(const struct queue *queue)
{
	return queue->last_id;
}
