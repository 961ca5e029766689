/* The frames of records/trace_wire.h. */
#include "records/trace_wire.h"

#include "base/cursor.h"

#define TEXT_MAX EVENT_TEXT_MAX
#define ROW_RESERVE 256u /* kept free at the end of a frame while rows are added */

static void put_text(struct buf *out, struct slice text)
{
	cursor_put_block(out, slice_take(text, TEXT_MAX));
}

static struct slice read_text(struct cursor *c)
{
	return cursor_block(c, TEXT_MAX);
}

/* ---- questions ---- */

void trace_question_put(struct buf *out, enum trace_question what, const struct store_filter *filter)
{
	cursor_put_u8(out, TRACE_WIRE_VERSION);
	cursor_put_u8(out, (uint8_t)what);
	cursor_put_u64(out, filter->message);
	cursor_put_u64(out, filter->session);
	put_text(out, filter->address);
	put_text(out, filter->message_id);
	cursor_put_u64(out, (uint64_t)filter->from_ms);
	cursor_put_u64(out, (uint64_t)filter->until_ms);
	cursor_put_u64(out, filter->before);
	cursor_put_u32(out, filter->limit);
}

enum rc trace_question_read(struct slice frame, enum trace_question *ret_what, struct store_filter *ret_filter)
{
	struct cursor       c = cursor_on(frame);
	struct store_filter filter = { .message = 0 };
	const uint8_t       version = cursor_u8(&c);

	if (c.failed)
		return RC_SYNTAX;
	if (version != TRACE_WIRE_VERSION)
		return RC_UNSUPPORTED;
	const uint8_t what = cursor_u8(&c);
	filter.message = cursor_u64(&c);
	filter.session = cursor_u64(&c);
	filter.address = read_text(&c);
	filter.message_id = read_text(&c);
	filter.from_ms = (int64_t)cursor_u64(&c);
	filter.until_ms = (int64_t)cursor_u64(&c);
	filter.before = cursor_u64(&c);
	filter.limit = cursor_u32(&c);
	if (!cursor_ended(&c) || (what != TRACE_ASK_MESSAGES && what != TRACE_ASK_REFUSALS) || filter.from_ms < 0 ||
	    filter.until_ms < 0 || filter.message > INT64_MAX || filter.session > INT64_MAX || filter.before > INT64_MAX)
		return RC_SYNTAX;
	if (filter.limit == 0 || filter.limit > STORE_LIMIT_MAX)
		return RC_LIMIT;
	*ret_what = (enum trace_question)what;
	*ret_filter = filter;
	return RC_OK;
}

/* ---- answers ---- */

static void begin(struct buf *out, enum trace_frame frame)
{
	buf_clear(out);
	cursor_put_u8(out, TRACE_WIRE_VERSION);
	cursor_put_u8(out, (uint8_t)frame);
}

static void put_message(struct buf *out, const struct event_message *message)
{
	cursor_put_u64(out, message->id);
	cursor_put_u64(out, message->session);
	cursor_put_u64(out, message->parent);
	cursor_put_u64(out, (uint64_t)message->received_ms);
	cursor_put_u8(out, (uint8_t)message->origin);
	cursor_put_u8(out, (uint8_t)message->direction);
	cursor_put_u32(out, message->flags);
	put_text(out, message->listener);
	put_text(out, message->peer);
	cursor_put_u16(out, message->peer_port);
	put_text(out, message->peer_name);
	put_text(out, message->helo);
	put_text(out, message->tls);
	put_text(out, message->account);
	put_text(out, message->sender);
	cursor_put_u64(out, message->body_size);
	put_text(out, message->subject);
	put_text(out, message->author);
	put_text(out, message->message_id);
	cursor_put_u32(out, (uint32_t)message->score);
	put_text(out, message->verdict);
	put_text(out, message->verdict_reason);
}

static void read_message(struct cursor *c, struct event_message *message)
{
	message->id = cursor_u64(c);
	message->session = cursor_u64(c);
	message->parent = cursor_u64(c);
	message->received_ms = (int64_t)cursor_u64(c);
	message->origin = (enum event_origin)cursor_u8(c);
	message->direction = (enum direction)cursor_u8(c);
	message->flags = cursor_u32(c);
	message->listener = read_text(c);
	message->peer = read_text(c);
	message->peer_port = cursor_u16(c);
	message->peer_name = read_text(c);
	message->helo = read_text(c);
	message->tls = read_text(c);
	message->account = read_text(c);
	message->sender = read_text(c);
	message->body_size = cursor_u64(c);
	message->subject = read_text(c);
	message->author = read_text(c);
	message->message_id = read_text(c);
	message->score = (int32_t)cursor_u32(c);
	message->verdict = read_text(c);
	message->verdict_reason = read_text(c);
}

static void put_recipient(struct buf *out, const struct store_recipient *recipient)
{
	cursor_put_u32(out, recipient->index);
	put_text(out, recipient->address);
	put_text(out, recipient->state);
	put_text(out, recipient->reason);
	put_text(out, recipient->host);
	put_text(out, recipient->text);
	cursor_put_u32(out, recipient->code);
	cursor_put_u64(out, (uint64_t)recipient->at_ms);
	cursor_put_u64(out, (uint64_t)recipient->next_ms);
}

static void read_recipient(struct cursor *c, struct store_recipient *recipient)
{
	recipient->index = cursor_u32(c);
	recipient->address = read_text(c);
	recipient->state = read_text(c);
	recipient->reason = read_text(c);
	recipient->host = read_text(c);
	recipient->text = read_text(c);
	recipient->code = cursor_u32(c);
	recipient->at_ms = (int64_t)cursor_u64(c);
	recipient->next_ms = (int64_t)cursor_u64(c);
}

static void put_step(struct buf *out, const struct store_step *step)
{
	cursor_put_u64(out, step->seq);
	cursor_put_u64(out, (uint64_t)step->at_ms);
	put_text(out, step->what);
	cursor_put_u32(out, step->recipient);
	cursor_put_u32(out, step->code);
	put_text(out, step->status);
	put_text(out, step->who);
	put_text(out, step->text);
}

static void read_step(struct cursor *c, struct store_step *step)
{
	step->seq = cursor_u64(c);
	step->at_ms = (int64_t)cursor_u64(c);
	step->what = read_text(c);
	step->recipient = cursor_u32(c);
	step->code = cursor_u32(c);
	step->status = read_text(c);
	step->who = read_text(c);
	step->text = read_text(c);
}

/* The counts are written over once it is known how many rows fitted. */
static void set_count(struct buf *out, size_t place, uint32_t count)
{
	for (unsigned i = 0; i < 4 && !out->failed; i++)
		out->ptr[place + i] = (uint8_t)(count >> (8 * i));
}

void trace_message_put(struct buf *out, const struct store_trace *trace)
{
	begin(out, TRACE_FRAME_MESSAGE);
	put_message(out, &trace->message);
	cursor_put_u32(out, (uint32_t)trace->recipient_count);
	cursor_put_u32(out, (uint32_t)trace->step_count);
	const size_t place = out->len;
	uint32_t     recipients = 0, steps = 0;
	cursor_put_u32(out, 0);
	cursor_put_u32(out, 0);
	/* Half of what is left for recipients, the rest for steps. */
	const size_t half = out->len + (TRACE_FRAME_MAX - out->len) / 2;
	for (size_t kept = out->len; !out->failed && recipients < trace->recipient_count; kept = out->len) {
		put_recipient(out, &trace->recipients[recipients]);
		if (out->failed || out->len > half) {
			out->failed = false;
			buf_truncate(out, kept);
			break;
		}
		recipients++;
	}
	for (size_t kept = out->len; !out->failed && steps < trace->step_count; kept = out->len) {
		put_step(out, &trace->steps[steps]);
		if (out->failed || out->len > TRACE_FRAME_MAX - ROW_RESERVE) {
			out->failed = false;
			buf_truncate(out, kept);
			break;
		}
		steps++;
	}
	set_count(out, place, recipients);
	set_count(out, place + 4, steps);
}

void trace_refusal_put(struct buf *out, const struct store_refusal *refusal)
{
	struct buf payload = buf_make(TRACE_FRAME_MAX / 2);

	begin(out, TRACE_FRAME_REFUSAL);
	event_refused_put(&payload, &refusal->refused);
	cursor_put_u64(out, refusal->seq);
	cursor_put_block(out, buf_slice(&payload));
	if (payload.failed)
		out->failed = true;
	buf_done(&payload);
}

void trace_end_put(struct buf *out, enum rc rc, struct slice text)
{
	begin(out, TRACE_FRAME_END);
	cursor_put_u8(out, (uint8_t)rc);
	put_text(out, text);
}

static enum rc read_trace(struct cursor *c, struct arena *arena, struct store_trace *out)
{
	read_message(c, &out->message);
	const uint32_t known_recipients = cursor_u32(c), known_steps = cursor_u32(c);
	const uint32_t recipients = cursor_u32(c), steps = cursor_u32(c);
	if (c->failed || recipients > STORE_RECIPIENTS_SHOWN || steps > STORE_STEPS_SHOWN || recipients > known_recipients ||
	    steps > known_steps)
		return RC_SYNTAX;
	struct store_recipient *recipient_rows = arena_take(arena, recipients + 1, sizeof *recipient_rows);
	struct store_step      *step_rows = arena_take(arena, steps + 1, sizeof *step_rows);
	if (recipient_rows == NULL || step_rows == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < recipients && !c->failed; i++)
		read_recipient(c, &recipient_rows[i]);
	for (uint32_t i = 0; i < steps && !c->failed; i++)
		read_step(c, &step_rows[i]);
	out->message.recipient_count = known_recipients;
	out->recipients = recipient_rows;
	out->recipient_count = recipients;
	out->steps = step_rows;
	out->step_count = steps;
	return RC_OK;
}

enum rc trace_answer_read(struct slice bytes, struct arena *arena, struct trace_answer *out)
{
	struct cursor       c = cursor_on(bytes);
	struct trace_answer answer = { .rc = RC_OK };
	const uint8_t       version = cursor_u8(&c);
	const uint8_t       frame = cursor_u8(&c);
	enum rc             rc = RC_OK;

	if (c.failed)
		return RC_SYNTAX;
	if (version != TRACE_WIRE_VERSION)
		return RC_UNSUPPORTED;
	answer.frame = (enum trace_frame)frame;
	if (frame == TRACE_FRAME_MESSAGE) {
		rc = read_trace(&c, arena, &answer.trace);
	} else if (frame == TRACE_FRAME_REFUSAL) {
		answer.refusal.seq = cursor_u64(&c);
		rc = event_refused_read(cursor_block(&c, TRACE_FRAME_MAX), &answer.refusal.refused);
	} else if (frame == TRACE_FRAME_END) {
		const uint8_t word = cursor_u8(&c);
		answer.rc = word < RC_COUNT ? (enum rc)word : RC_CORRUPT;
		answer.text = read_text(&c);
	} else {
		rc = RC_SYNTAX;
	}
	if (rc == RC_OK && !cursor_ended(&c))
		rc = RC_SYNTAX;
	if (rc == RC_OK)
		*out = answer;
	return rc;
}
