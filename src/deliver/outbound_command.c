/*
 * Administrators' commands on the queue: lists are answered at once; an act is a record in the journal for each recipient it is about, takes effect when that is durable, and
 * is answered then. A recipient that is being sent just now is left as it is and counted as busy.
 */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/log.h"

/* One request under way: answered when its last act is durable. */
struct command {
	struct outbound         *outbound;
	struct queue_wire_answer answer;
	size_t                   open; /* acts not yet durable, and one while they are being written */
	void                   (*done)(void *context, struct slice bytes);
	void                    *context;
};

static void answer_send(const struct queue_wire_answer *answer, void (*done)(void *context, struct slice bytes), void *context)
{
	struct buf bytes = buf_make(QUEUE_WIRE_ANSWER_MAX + 1024);

	queue_wire_answer_put(&bytes, answer);
	if (!bytes.failed) {
		queue_wire_answer_end(&bytes, answer->after, answer->matched, 0);
		done(context, buf_slice(&bytes));
	} else {
		done(context, (struct slice){ NULL, 0 });
	}
	buf_done(&bytes);
}

static void command_settle(struct command *command)
{
	if (--command->open != 0)
		return;
	answer_send(&command->answer, command->done, command->context);
	memory_give(command);
}

void command_item_done(struct command *command, enum rc rc)
{
	if (rc == RC_OK)
		command->answer.changed++;
	else
		command->answer.rc = rc;
	command_settle(command);
}

/* ---- lists ---- */

struct listing {
	struct buf *out;
	uint32_t    count;
	uint64_t    matched; /* those that did not fit, too */
	bool        full;
};

static void list_row(void *context, const struct queue_recipient *recipient)
{
	struct listing *listing = context;
	const struct queue_entry *entry = queue_entry_of(recipient);
	struct queue_wire_row row = {
		.id = entry->id,
		.recipient = recipient->index,
		.state = (uint8_t)queue_recipient_state(recipient),
		.quarantined = recipient->quarantined,
		.attempts = recipient->attempts,
		.code = queue_memo_code(recipient),
		.received_ms = entry->received_ms,
		.tried_ms = recipient->tried_ms,
		.due_ms = recipient->timer.at_ms,
		.bytes = entry->body_size,
		.sender = queue_sender(entry),
		.address = queue_address(recipient),
		.destination = recipient->destination == NULL ? (struct slice){ NULL, 0 } : queue_destination_key(recipient->destination),
		.enhanced = queue_memo_enhanced(recipient),
		.host = queue_memo_host(recipient),
		.text = queue_memo_text(recipient),
	};

	listing->matched++;
	if (listing->full || listing->count >= QUEUE_WIRE_ROWS_MAX || !queue_wire_row_put(listing->out, &row))
		listing->full = true;
	else
		listing->count++;
}

/* Message by message, so that a page ends between two of them; a message larger than a page is cut, and `matched` says so. */
static void command_list(struct outbound *outbound, const struct queue_wire_request *request, struct buf *out)
{
	struct queue_wire_answer head = { .kind = QUEUE_WIRE_LIST };
	struct listing listing = { .out = out };
	uint64_t after = request->after, behind;
	int64_t now_ms = outbound_wall_ms();

	queue_wire_answer_put(out, &head);
	for (;;) {
		size_t start = out->len;
		uint32_t count = listing.count;
		uint64_t matched = listing.matched;

		if (queue_list(outbound->queue, &request->filter, now_ms, after, 1, list_row, &listing, &behind) == 0) {
			after = 0;
			break;
		}
		if (listing.full && count != 0) { /* the page ends before this message */
			buf_truncate(out, start);
			listing.count = count;
			listing.matched = matched;
			break;
		}
		after = behind;
		if (behind == 0 || listing.full || listing.count >= request->max)
			break;
	}
	queue_wire_answer_end(out, after, listing.matched, listing.count);
}

static void command_destinations(struct outbound *outbound, const struct queue_wire_request *request, struct buf *out)
{
	struct queue_wire_answer head = { .kind = QUEUE_WIRE_DESTINATIONS };
	struct queue_destination *at = NULL;
	uint64_t index = 0;
	uint32_t count = 0;

	queue_wire_answer_put(out, &head);
	while ((at = queue_destination_after(outbound->queue, at)) != NULL) {
		const struct destination *owner = at->owner;
		struct queue_wire_destination row = { .key = queue_destination_key(at), .recipients = at->recipient_count, .ready = at->ready_count,
			                              .paused = at->paused, .paused_until_ms = at->timer.at_ms };

		if (index++ < request->after)
			continue;
		if (owner != NULL) {
			row.connections = owner->connection_count;
			row.window = owner->window.limit;
			row.trouble = owner->failures != 0 ? slice_str(owner->trouble.text) : (struct slice){ NULL, 0 };
		}
		if (count >= request->max || !queue_wire_destination_put(out, &row)) {
			index--;
			break;
		}
		count++;
	}
	queue_wire_answer_end(out, at == NULL ? 0 : index, 0, count);
}

/* ---- acts ---- */

struct chosen {
	uint64_t message;
	uint32_t recipient;
};

/* States that a verb changes anything about; what stands in another state does not match at all. */
static uint32_t states_for(enum event_verb verb)
{
	const uint32_t waiting = 1u << QUEUE_DUE | 1u << QUEUE_DEFERRED | 1u << QUEUE_UNCERTAIN | 1u << QUEUE_SENDING;
	const uint32_t held = 1u << QUEUE_HELD;

	switch (verb) {
	case VERB_RETRY:
	case VERB_HOLD:
		return waiting;
	case VERB_RELEASE:
		return held;
	case VERB_DROP:
	case VERB_BOUNCE:
	case VERB_REROUTE:
	case VERB_COUNT:
		break;
	}
	return waiting | held;
}

/* A request ends behind the message with which it comes to its bound: nobody would come back for the rest of it. */
#define CHOICE_MAX (QUEUE_WIRE_ACTS_MAX - 1u + EVENT_RECIPIENTS_MAX)

struct choice {
	struct chosen *items; /* CHOICE_MAX */
	size_t         count;
	uint64_t       matched;
	uint64_t       busy;
};

static void choose(void *context, const struct queue_recipient *recipient)
{
	struct choice *choice = context;

	must(choice->count < CHOICE_MAX);
	choice->matched++;
	if (recipient->sending)
		choice->busy++;
	else
		choice->items[choice->count++] = (struct chosen){ queue_entry_of(recipient)->id, recipient->index };
}

/* An administrator who says "retry" knows that something has changed: hosts are asked again at once. */
static void wake_destination(struct outbound *outbound, const struct queue_recipient *recipient)
{
	struct queue_destination *at = recipient->destination;
	struct destination *owner = at == NULL ? NULL : at->owner;

	if (owner != NULL) {
		for (size_t i = 0; i < owner->target_count; i++)
			owner->targets[i].rest_until_ms = 0;
		owner->known_until_ms = 0;
	}
	if (at != NULL && at->paused)
		queue_destination_pause(outbound->queue, at, 0);
}

static struct batch *act_record(struct outbound *outbound, const struct event_act *act)
{
	struct buf payload = buf_make(8u << 10);
	struct record_item item = { .type = EVENT_ACT };
	struct batch *batch = NULL;

	event_act_put(&payload, act);
	item.payload = buf_slice(&payload);
	if (!payload.failed)
		batch = outbound_record(outbound, &item, 1, true);
	buf_done(&payload);
	return batch;
}

void outbound_act(struct outbound *outbound, const struct event_act *act)
{
	if (act_record(outbound, act) == NULL)
		log_error(LOG_EVENT("queue.act"), LOG_NUMBER("message", act->message), LOG_STR("rc", "nomem"));
}

/* VERB_BOUNCE: the act, and in the same group the notice for the sender where he may be told. */
static struct batch *bounce_record(struct outbound *outbound, struct queue_entry *entry, struct event_act *act)
{
	const struct queue_recipient *recipient = &entry->recipients[act->recipient];
	struct notice_question question = { .kind = NOTICE_FAILED, .notify = recipient->notify,
		                            .trusted = (entry->flags & EVENT_FLAG_TRUSTED) != 0, .null_sender = entry->sender_size == 0,
		                            .enabled = outbound->config->settings.queue->notices };
	struct attempt attempt = { .entry = entry };
	struct bounce_recipient about = { .recipient = recipient, .kind = NOTICE_FAILED, .enhanced = SLICE("5.0.0"),
		                          .text = act->reason.len != 0 ? act->reason : SLICE("given up by the administrator") };
	struct buf body = buf_make(OUTBOUND_BATCH_BYTES), message = buf_make(EVENT_PAYLOAD_MAX), payload = buf_make(8u << 10);
	struct record_item items[3];
	size_t count = 0;
	struct batch *batch = NULL;

	if (notice_judge(&question) == NOTICE_SEND &&
	    bounce_make(outbound, &attempt, &about, 1, (struct slice){ NULL, 0 }, &act->notice, &body, &message) == RC_OK) {
		items[count++] = (struct record_item){ EVENT_BODY, buf_slice(&body) };
		items[count++] = (struct record_item){ EVENT_MESSAGE, buf_slice(&message) };
		outbound->counts.notices++;
	}
	event_act_put(&payload, act);
	items[count++] = (struct record_item){ EVENT_ACT, buf_slice(&payload) };
	if (!payload.failed)
		batch = outbound_record(outbound, items, count, true);
	buf_done(&body);
	buf_done(&message);
	buf_done(&payload);
	return batch;
}

static void act_one(struct command *command, const struct queue_wire_request *request, struct slice who, const struct chosen *chosen)
{
	struct outbound *outbound = command->outbound;
	struct queue_entry *entry = queue_find(outbound->queue, chosen->message);
	struct event_act act = { .message = chosen->message, .at_ms = outbound_wall_ms(), .verb = request->verb, .recipient = chosen->recipient,
		                 .who = who.len != 0 ? who : SLICE("root"), .reason = request->reason, .argument = request->route };
	struct batch *batch;

	if (entry == NULL)
		return;
	if (request->verb == VERB_RETRY || request->verb == VERB_RELEASE)
		wake_destination(outbound, &entry->recipients[chosen->recipient]);
	batch = request->verb == VERB_BOUNCE ? bounce_record(outbound, entry, &act) : act_record(outbound, &act);
	if (batch == NULL) {
		command->answer.rc = RC_NOMEM;
		return;
	}
	command->open++;
	batch->commands[batch->count - 1] = command;
}

static void command_act(struct outbound *outbound, const struct queue_wire_request *request, struct slice who,
                        void (*done)(void *context, struct slice bytes), void *context)
{
	struct command *command = memory_take(1, sizeof(*command));
	struct choice choice = { .items = memory_take(CHOICE_MAX, sizeof(struct chosen)) };
	uint64_t after = 0;

	if (request->verb == VERB_REROUTE && request->route.len != 0 && route_by_name(outbound->config->route_table, request->route) == NULL) {
		memory_give(command);
		memory_give(choice.items);
		answer_send(&(struct queue_wire_answer){ .kind = QUEUE_WIRE_ACT, .rc = RC_NOTFOUND }, done, context);
		return;
	}
	if (command == NULL || choice.items == NULL) {
		memory_give(command);
		memory_give(choice.items);
		answer_send(&(struct queue_wire_answer){ .kind = QUEUE_WIRE_ACT, .rc = RC_NOMEM }, done, context);
		return;
	}
	struct queue_filter filter = request->filter;

	filter.states = (filter.states != 0 ? filter.states : UINT32_MAX) & states_for(request->verb);
	*command = (struct command){ .outbound = outbound, .answer = { .kind = QUEUE_WIRE_ACT }, .open = 1, .done = done, .context = context };
	if (filter.states != 0)
		(void)queue_list(outbound->queue, &filter, outbound_wall_ms(), request->after, QUEUE_WIRE_ACTS_MAX, choose, &choice, &after);
	command->answer.matched = choice.matched;
	command->answer.busy = choice.busy;
	command->answer.after = after;
	for (size_t i = 0; i < choice.count; i++)
		act_one(command, request, who, &choice.items[i]);
	log_notice(LOG_EVENT("queue.act"), LOG_STR("verb", event_verb_word(request->verb)), LOG_TEXT("who", who), LOG_NUMBER("matched", choice.matched),
	           LOG_NUMBER("busy", choice.busy), LOG_TEXT("reason", request->reason));
	memory_give(choice.items);
	command_settle(command);
}

void outbound_command(struct outbound *outbound, struct slice bytes, struct slice who, void (*answer)(void *context, struct slice bytes),
                      void *context)
{
	struct queue_wire_request request;
	struct queue_wire_answer summary = { .kind = QUEUE_WIRE_SUMMARY };
	struct buf out = buf_make(QUEUE_WIRE_ANSWER_MAX + 1024);
	enum rc rc = queue_wire_request_read(bytes, &request);

	if (rc != RC_OK) {
		summary.rc = rc;
		answer_send(&summary, answer, context);
		return;
	}
	switch (request.kind) {
	case QUEUE_WIRE_SUMMARY:
		queue_count(outbound->queue, &summary.counts);
		answer_send(&summary, answer, context);
		return;
	case QUEUE_WIRE_ACT:
		command_act(outbound, &request, who, answer, context);
		return;
	case QUEUE_WIRE_LIST:
		command_list(outbound, &request, &out);
		break;
	case QUEUE_WIRE_DESTINATIONS:
		command_destinations(outbound, &request, &out);
		break;
	case QUEUE_WIRE_KIND_COUNT:
		must(false);
	}
	answer(context, buf_slice(&out));
	buf_done(&out);
}
