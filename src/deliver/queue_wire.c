/* See queue_wire.h. */
#include "deliver/queue_wire.h"

#include "base/cursor.h"
#include "base/must.h"

/* Where the answer's head has what is only known at the end. */
#define ANSWER_AFTER_AT 4u
#define ANSWER_MATCHED_AT (ANSWER_AFTER_AT + 8)
#define ANSWER_COUNT_AT (4u + 4 * 8)

void queue_wire_request_put(struct buf *out, const struct queue_wire_request *request)
{
	const struct queue_filter *filter = &request->filter;

	cursor_put_u8(out, QUEUE_WIRE_VERSION);
	cursor_put_u8(out, (uint8_t)request->kind);
	cursor_put_u8(out, (uint8_t)request->verb);
	cursor_put_u8(out, 0);
	cursor_put_u64(out, filter->id);
	cursor_put_u32(out, filter->states);
	cursor_put_u64(out, (uint64_t)filter->older_ms);
	cursor_put_u64(out, (uint64_t)filter->younger_ms);
	cursor_put_u8(out, filter->quarantined ? 1 : 0);
	cursor_put_block(out, filter->destination);
	cursor_put_block(out, filter->domain);
	cursor_put_block(out, filter->recipient);
	cursor_put_block(out, filter->sender);
	cursor_put_block(out, filter->cause);
	cursor_put_u64(out, request->after);
	cursor_put_u32(out, request->max);
	cursor_put_block(out, request->route);
	cursor_put_block(out, request->reason);
}

static bool read_bool(struct cursor *from)
{
	uint8_t byte = cursor_u8(from);

	if (byte > 1)
		from->failed = true;
	return byte == 1;
}

static int64_t read_time(struct cursor *from)
{
	uint64_t number = cursor_u64(from);

	if (number > INT64_MAX)
		from->failed = true;
	return from->failed ? 0 : (int64_t)number;
}

enum rc queue_wire_request_read(struct slice bytes, struct queue_wire_request *out)
{
	struct cursor from = cursor_on(bytes);
	struct queue_wire_request request = { .max = 0 };
	uint8_t version = cursor_u8(&from), kind = cursor_u8(&from), verb = cursor_u8(&from), zero = cursor_u8(&from);

	if (from.failed)
		return RC_SYNTAX;
	if (version != QUEUE_WIRE_VERSION)
		return RC_UNSUPPORTED;
	request.kind = (enum queue_wire_kind)kind;
	request.verb = (enum event_verb)verb;
	request.filter.id = cursor_u64(&from);
	request.filter.states = cursor_u32(&from);
	request.filter.older_ms = read_time(&from);
	request.filter.younger_ms = read_time(&from);
	request.filter.quarantined = read_bool(&from);
	request.filter.destination = cursor_block(&from, QUEUE_WIRE_TEXT_MAX);
	request.filter.domain = cursor_block(&from, QUEUE_WIRE_TEXT_MAX);
	request.filter.recipient = cursor_block(&from, QUEUE_WIRE_TEXT_MAX);
	request.filter.sender = cursor_block(&from, QUEUE_WIRE_TEXT_MAX);
	request.filter.cause = cursor_block(&from, QUEUE_WIRE_TEXT_MAX);
	request.after = cursor_u64(&from);
	request.max = cursor_u32(&from);
	request.route = cursor_block(&from, UINT8_MAX);
	request.reason = cursor_block(&from, QUEUE_WIRE_TEXT_MAX);
	if (!cursor_ended(&from) || kind >= QUEUE_WIRE_KIND_COUNT || verb >= VERB_COUNT || zero != 0 || request.max == 0 ||
	    request.max > QUEUE_WIRE_ROWS_MAX || request.filter.states >= 1u << QUEUE_STATE_COUNT)
		return RC_SYNTAX;
	*out = request;
	return RC_OK;
}

/* ---- answers ---- */

static void counts_put(struct buf *out, const struct queue_counts *counts)
{
	cursor_put_u64(out, counts->messages);
	for (size_t i = 0; i < QUEUE_STATE_COUNT; i++)
		cursor_put_u64(out, counts->recipients[i]);
	cursor_put_u64(out, counts->ready);
	cursor_put_u64(out, counts->destinations);
	cursor_put_u64(out, counts->body_bytes);
	cursor_put_u64(out, counts->memory_bytes);
	cursor_put_u64(out, counts->oldest_ms);
}

static void counts_take(struct cursor *from, struct queue_counts *counts)
{
	counts->messages = cursor_u64(from);
	for (size_t i = 0; i < QUEUE_STATE_COUNT; i++)
		counts->recipients[i] = cursor_u64(from);
	counts->ready = cursor_u64(from);
	counts->destinations = cursor_u64(from);
	counts->body_bytes = cursor_u64(from);
	counts->memory_bytes = cursor_u64(from);
	counts->oldest_ms = cursor_u64(from);
}

void queue_wire_answer_put(struct buf *out, const struct queue_wire_answer *answer)
{
	cursor_put_u8(out, QUEUE_WIRE_VERSION);
	cursor_put_u8(out, (uint8_t)answer->kind);
	cursor_put_u8(out, (uint8_t)answer->rc);
	cursor_put_u8(out, 0);
	cursor_put_u64(out, answer->after);
	cursor_put_u64(out, answer->matched);
	cursor_put_u64(out, answer->changed);
	cursor_put_u64(out, answer->busy);
	cursor_put_u32(out, 0);
	if (answer->kind == QUEUE_WIRE_SUMMARY)
		counts_put(out, &answer->counts);
}

/* True when what was written since `start` fits; otherwise it is taken back. */
static bool row_ended(struct buf *out, size_t start)
{
	if (!out->failed && out->len <= QUEUE_WIRE_ANSWER_MAX)
		return true;
	out->failed = false;
	buf_truncate(out, start);
	return false;
}

bool queue_wire_row_put(struct buf *out, const struct queue_wire_row *row)
{
	size_t start = out->len;

	cursor_put_u64(out, row->id);
	cursor_put_u32(out, row->recipient);
	cursor_put_u8(out, row->state);
	cursor_put_u8(out, row->quarantined ? 1 : 0);
	cursor_put_u16(out, row->attempts);
	cursor_put_u16(out, row->code);
	cursor_put_u64(out, (uint64_t)row->received_ms);
	cursor_put_u64(out, (uint64_t)row->tried_ms);
	cursor_put_u64(out, (uint64_t)row->due_ms);
	cursor_put_u64(out, row->bytes);
	cursor_put_block(out, slice_take(row->sender, QUEUE_WIRE_TEXT_MAX));
	cursor_put_block(out, slice_take(row->address, QUEUE_WIRE_TEXT_MAX));
	cursor_put_block(out, slice_take(row->destination, QUEUE_WIRE_TEXT_MAX));
	cursor_put_block(out, slice_take(row->enhanced, QUEUE_WIRE_TEXT_MAX));
	cursor_put_block(out, slice_take(row->host, QUEUE_WIRE_TEXT_MAX));
	cursor_put_block(out, slice_take(row->text, QUEUE_WIRE_TEXT_MAX));
	return row_ended(out, start);
}

bool queue_wire_destination_put(struct buf *out, const struct queue_wire_destination *destination)
{
	size_t start = out->len;

	cursor_put_block(out, slice_take(destination->key, QUEUE_WIRE_TEXT_MAX));
	cursor_put_u64(out, destination->recipients);
	cursor_put_u64(out, destination->ready);
	cursor_put_u8(out, destination->paused ? 1 : 0);
	cursor_put_u64(out, (uint64_t)destination->paused_until_ms);
	cursor_put_u32(out, destination->connections);
	cursor_put_u32(out, destination->window);
	cursor_put_block(out, slice_take(destination->trouble, QUEUE_WIRE_TEXT_MAX));
	return row_ended(out, start);
}

static void put_at(struct buf *out, size_t at, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out->ptr[at + i] = (uint8_t)(number >> (8 * i));
}

void queue_wire_answer_end(struct buf *out, uint64_t after, uint64_t matched, uint32_t count)
{
	must(!out->failed && out->len >= ANSWER_COUNT_AT + 4);
	put_at(out, ANSWER_AFTER_AT, after, 8);
	put_at(out, ANSWER_MATCHED_AT, matched, 8);
	put_at(out, ANSWER_COUNT_AT, count, 4);
}

static void row_take(struct cursor *from, struct queue_wire_row *row)
{
	row->id = cursor_u64(from);
	row->recipient = cursor_u32(from);
	row->state = cursor_u8(from);
	row->quarantined = read_bool(from);
	row->attempts = cursor_u16(from);
	row->code = cursor_u16(from);
	row->received_ms = read_time(from);
	row->tried_ms = read_time(from);
	row->due_ms = read_time(from);
	row->bytes = cursor_u64(from);
	row->sender = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
	row->address = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
	row->destination = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
	row->enhanced = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
	row->host = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
	row->text = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
	if (row->state >= QUEUE_STATE_COUNT)
		from->failed = true;
}

static void destination_take(struct cursor *from, struct queue_wire_destination *destination)
{
	destination->key = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
	destination->recipients = cursor_u64(from);
	destination->ready = cursor_u64(from);
	destination->paused = read_bool(from);
	destination->paused_until_ms = read_time(from);
	destination->connections = cursor_u32(from);
	destination->window = cursor_u32(from);
	destination->trouble = cursor_block(from, QUEUE_WIRE_TEXT_MAX);
}

static enum rc rows_take(struct cursor *from, struct arena *arena, struct queue_wire_answer *answer)
{
	struct queue_wire_row *rows;
	struct queue_wire_destination *destinations;

	if (answer->count == 0)
		return RC_OK;
	if (answer->kind == QUEUE_WIRE_LIST) {
		rows = arena_take(arena, answer->count, sizeof(*rows));
		if (rows == NULL)
			return RC_NOMEM;
		for (size_t i = 0; i < answer->count; i++)
			row_take(from, &rows[i]);
		answer->rows = rows;
		return RC_OK;
	}
	destinations = arena_take(arena, answer->count, sizeof(*destinations));
	if (destinations == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < answer->count; i++)
		destination_take(from, &destinations[i]);
	answer->destinations = destinations;
	return RC_OK;
}

enum rc queue_wire_answer_read(struct slice bytes, struct arena *arena, struct queue_wire_answer *out)
{
	struct cursor from = cursor_on(bytes);
	struct queue_wire_answer answer = { .rc = RC_OK };
	uint8_t version = cursor_u8(&from), kind = cursor_u8(&from), rc = cursor_u8(&from), zero = cursor_u8(&from);
	enum rc taken;

	if (from.failed)
		return RC_SYNTAX;
	if (version != QUEUE_WIRE_VERSION)
		return RC_UNSUPPORTED;
	if (kind >= QUEUE_WIRE_KIND_COUNT || rc >= RC_COUNT || zero != 0)
		return RC_SYNTAX;
	answer.kind = (enum queue_wire_kind)kind;
	answer.rc = (enum rc)rc;
	answer.after = cursor_u64(&from);
	answer.matched = cursor_u64(&from);
	answer.changed = cursor_u64(&from);
	answer.busy = cursor_u64(&from);
	answer.count = cursor_u32(&from);
	if (answer.kind == QUEUE_WIRE_SUMMARY)
		counts_take(&from, &answer.counts);
	if (answer.count > QUEUE_WIRE_ROWS_MAX || (answer.count != 0 && answer.kind != QUEUE_WIRE_LIST && answer.kind != QUEUE_WIRE_DESTINATIONS))
		return RC_SYNTAX;
	taken = rows_take(&from, arena, &answer);
	if (taken != RC_OK)
		return taken;
	if (!cursor_ended(&from))
		return RC_SYNTAX;
	*out = answer;
	return RC_OK;
}
