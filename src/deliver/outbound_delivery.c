/*
 * One message for some of its recipients over one connection: the envelope (DSN, SIZE, 8BITMIME, SMTPUTF8: I-4, I-5), the bytes, and for each recipient what the next hop's words mean.
 *
 * The bytes are our prefix and then the message as it was received, header fields of other people's making that could be taken for ours cut out (I-12), dots doubled or in one BDAT chunk (I-3).
 * They come from memory when the message is fresh, else from the journal, a window at a time.
 */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "deliver/route_fields.h"
#include "sys/counters.h"
#include "sys/log.h"

/* ---- what is sent ---- */

static struct slice hot_body(const struct delivery *delivery)
{
	return slab_bytes(delivery->hot->slab);
}

/* The prefix with what this route wants written below it (I-15, I-16). */
static enum rc take_route_fields(struct delivery *delivery, const struct event_message *message)
{
	const struct destination *destination = delivery->connection->destination;
	struct buf fields = buf_make(ROUTE_FIELDS_MAX);

	route_fields_put(message, destination->config, destination->route->settings, &fields);
	if (fields.len == 0 && !fields.failed)
		return RC_OK;
	buf_put(&delivery->fields, message->prefix);
	buf_put(&delivery->fields, buf_slice(&fields));
	delivery->fields.failed |= fields.failed;
	buf_done(&fields);
	if (delivery->fields.failed)
		return RC_NOMEM;
	delivery->prefix = buf_slice(&delivery->fields);
	return RC_OK;
}

/* Prefix and cuts from the message's event, which lies in `payload` as long as the delivery. */
static enum rc take_event(struct delivery *delivery, struct slice payload)
{
	struct outbound *outbound = delivery->connection->destination->outbound;
	struct event_message message;
	enum rc rc;

	arena_reset(&outbound->arena);
	rc = event_message_read(payload, &outbound->arena, &message);
	if (rc != RC_OK)
		return rc;
	delivery->prefix = message.prefix;
	rc = take_route_fields(delivery, &message);
	if (rc != RC_OK)
		return rc;
	delivery->size = delivery->prefix.len + message.body_size;
	if (message.cut_count == 0)
		return RC_OK;
	delivery->cuts = memory_take(message.cut_count, sizeof(*delivery->cuts));
	if (delivery->cuts == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < message.cut_count; i++) {
		const struct event_cut *cut = &message.cuts[i];
		uint64_t end = (uint64_t)cut->offset + cut->size;
		uint64_t before = i == 0 ? 0 : (uint64_t)message.cuts[i - 1].offset + message.cuts[i - 1].size;

		if (cut->offset < before || end > message.body_size)
			return RC_CORRUPT;
		delivery->cuts[delivery->cut_count++] = *cut;
		delivery->size -= cut->size;
	}
	return RC_OK;
}

enum rc delivery_source(struct delivery *delivery)
{
	struct outbound *outbound = delivery->connection->destination->outbound;
	enum rc rc;

	if (delivery->entry->hot != NULL) {
		delivery->hot = delivery->entry->hot;
		outbound_hot_use(delivery->hot);
		return take_event(delivery, buf_slice(&delivery->hot->payload));
	}
	rc = journal_event_load(outbound->bodies, &delivery->entry->place.message, &delivery->record);
	if (rc == RC_OK)
		rc = take_event(delivery, buf_slice(&delivery->record));
	return rc == RC_OK ? journal_body_open(outbound->bodies, &delivery->entry->place.body, &delivery->body) : rc;
}

static void delivery_free(struct delivery *delivery)
{
	struct connection *connection = delivery->connection;
	struct outbound *outbound = connection->destination->outbound;

	if (connection->sending == delivery) {
		connection->sending = NULL;
		if (connection->pieces.index < connection->pieces.count)
			stream_close(&connection->stream); /* its bytes are still borrowed: they must not be sent after this */
	}
	connection->delivery = NULL;
	outbound->busy_count--;
	if (delivery->waiter != NULL)
		delivery->waiter->delivery = NULL;
	outbound_hot_release(outbound, &delivery->hot);
	journal_body_close(&delivery->body);
	buf_done(&delivery->record);
	buf_done(&delivery->texts);
	buf_done(&delivery->fields);
	memory_give(delivery->cuts);
	memory_give(delivery->window);
	memory_give(delivery);
}

/* One allocation for a delivery and what it knows of each recipient. */
static struct delivery *delivery_make(struct connection *connection, struct queue_recipient **recipients, size_t count)
{
	size_t size = sizeof(struct delivery) + count * (sizeof(struct smtp_client_recipient) + sizeof(struct queue_recipient *) +
	                                                 sizeof(struct answered));
	struct delivery *delivery = memory_take(1, size);

	if (delivery == NULL)
		return NULL;
	delivery->connection = connection;
	delivery->entry = queue_entry_of(recipients[0]);
	delivery->count = count;
	delivery->asked = (struct smtp_client_recipient *)(void *)(delivery + 1);
	delivery->recipients = (struct queue_recipient **)(void *)(delivery->asked + count);
	delivery->answered = (struct answered *)(void *)(delivery->recipients + count);
	delivery->record = buf_make(EVENT_PAYLOAD_MAX);
	delivery->texts = buf_make(1u << 20);
	delivery->fields = buf_make(EVENT_PREFIX_MAX + ROUTE_FIELDS_MAX);
	for (size_t i = 0; i < count; i++)
		delivery->recipients[i] = recipients[i];
	connection->delivery = delivery;
	connection->destination->outbound->busy_count++;
	return delivery;
}

/* ---- answers ---- */

static void settle_one(struct delivery *delivery, size_t index, enum retry_stage stage, enum retry_answer answer, struct retry_reply reply,
                       uint32_t text, uint32_t text_size)
{
	delivery->answered[index] =
		(struct answered){ .settled = true, .stage = stage, .answer = answer, .reply = reply, .text = text, .text_size = text_size };
}

static uint32_t keep_text(struct delivery *delivery, struct slice text, uint32_t *ret_size)
{
	uint32_t at = (uint32_t)delivery->texts.len;

	buf_put(&delivery->texts, slice_take(text, OUTBOUND_TEXT_MAX));
	*ret_size = (uint32_t)delivery->texts.len - at;
	return at;
}

/* All that have no answer yet get this one. */
static void settle_rest(struct delivery *delivery, enum retry_stage stage, enum retry_answer answer, struct retry_reply reply, struct slice text)
{
	uint32_t size, at = keep_text(delivery, text, &size);

	for (size_t i = 0; i < delivery->count; i++)
		if (!delivery->answered[i].settled)
			settle_one(delivery, i, stage, answer, reply, at, size);
}

static struct retry_reply boil(const struct smtp_reply_read *reply)
{
	if (reply->lines == 0)
		return (struct retry_reply){ 0 };
	return (struct retry_reply){ reply->code, reply->enhanced.class, reply->enhanced.subject, reply->enhanced.detail };
}

/* What the waiting client would be told, while the reply's bytes are still there. */
static void tell_waiter(struct delivery *delivery, const struct smtp_reply_read *reply)
{
	struct outbound_through *through;
	struct buf text = buf_make(OUTBOUND_REPLY_TEXT_MAX);

	if (delivery->waiter == NULL || reply->lines == 0 || reply->code < 400)
		return;
	through = delivery->waiter->through;
	through->reply = smtp_reply_map(reply, &text);
	if (through->reply.text.len > OUTBOUND_REPLY_TEXT_MAX)
		through->reply.text.len = OUTBOUND_REPLY_TEXT_MAX;
	if (through->reply.text.len != 0)
		memcpy(through->text, through->reply.text.ptr, through->reply.text.len);
	through->reply.text.ptr = through->text;
	buf_done(&text);
}

static void answer_one(struct delivery *delivery, size_t index, enum retry_stage stage, const struct smtp_reply_read *reply, bool too_many)
{
	struct buf text = buf_make(OUTBOUND_TEXT_MAX + 16);
	enum retry_answer answer = retry_judge(stage, boil(reply), delivery->accepted);
	uint32_t size, at;

	if (too_many && delivery->accepted)
		answer = RETRY_AGAIN_NOW;
	smtp_reply_text(reply, OUTBOUND_TEXT_MAX, &text);
	at = keep_text(delivery, buf_slice(&text), &size);
	buf_done(&text);
	tell_waiter(delivery, reply);
	if (index == SMTP_CLIENT_ALL) {
		for (size_t i = 0; i < delivery->count; i++)
			if (!delivery->answered[i].settled)
				settle_one(delivery, i, stage, answer, boil(reply), at, size);
	} else if (index < delivery->count && !delivery->answered[index].settled) {
		settle_one(delivery, index, stage, answer, boil(reply), at, size);
	}
}

void delivery_event(struct delivery *delivery, const struct smtp_client_event *event)
{
	enum retry_stage stage;

	delivery->offered = true;
	switch (event->kind) {
	case SMTP_CLIENT_SENDER:
		answer_one(delivery, SMTP_CLIENT_ALL, RETRY_STAGE_MAIL, &event->reply, false);
		break;
	case SMTP_CLIENT_RECIPIENT:
		if (event->accepted)
			delivery->accepted = true;
		else
			answer_one(delivery, event->index, RETRY_STAGE_RCPT, &event->reply, event->too_many);
		break;
	case SMTP_CLIENT_BODY:
		delivery->chunked = event->chunked;
		smtp_dot_encoder_init(&delivery->dot, SMTP_LINE_ENDS_NORMALISE);
		delivery_send(delivery);
		break;
	case SMTP_CLIENT_RESULT:
		/* A refusal before the end had left us is one of DATA or of the chunk. */
		stage = delivery->body_handed ? RETRY_STAGE_END : event->stage == SMTP_STAGE_DATA ? RETRY_STAGE_DATA : RETRY_STAGE_BODY;
		answer_one(delivery, event->index, stage, &event->reply, false);
		break;
	case SMTP_CLIENT_NONE:
	case SMTP_CLIENT_STARTTLS:
	case SMTP_CLIENT_READY:
	case SMTP_CLIENT_DONE:
	case SMTP_CLIENT_REFUSED:
	case SMTP_CLIENT_CLOSING:
	case SMTP_CLIENT_BROKEN:
	case SMTP_CLIENT_COUNT:
		break;
	}
}

/* ---- the end ---- */

void delivery_end(struct delivery *delivery)
{
	struct connection *connection = delivery->connection;
	struct destination *destination = connection->destination;
	struct outbound *outbound = destination->outbound;
	struct settled *settled;
	struct buf address = buf_make(NET_ADDRESS_TEXT_MAX);
	struct attempt attempt = { .entry = delivery->entry,
		                   .route = destination->route,
		                   .tls = slice_str(connection->tls),
		                   .lmtp = connection->session.lmtp,
		                   .dsn = (connection->client.extensions & SMTP_EXT_DSN) != 0 && destination->route->settings->dsn,
		                   .counted = true,
		                   .waiter = delivery->waiter };
	struct slice host = (struct slice){ NULL, 0 };
	struct slice key = destination->queue != NULL ? queue_destination_key(destination->queue) : destination->route->name;

	settle_rest(delivery, RETRY_STAGE_BODY, RETRY_DEFER, (struct retry_reply){ 0 }, SLICE("the transaction ended without an answer"));
	settled = memory_take(delivery->count, sizeof(*settled));
	if (settled == NULL) { /* as if it had not been tried; what was delivered may be delivered twice */
		for (size_t i = 0; i < delivery->count; i++)
			queue_untake(outbound->queue, delivery->recipients[i]);
		buf_done(&address);
		delivery_free(delivery);
		return;
	}
	bool good = false;

	for (size_t i = 0; i < delivery->count; i++) {
		const struct answered *answered = &delivery->answered[i];

		settled[i] = (struct settled){ .recipient = delivery->recipients[i], .stage = answered->stage, .answer = answered->answer,
			                       .reply = answered->reply,
			                       .text = slice_cut(buf_slice(&delivery->texts), answered->text, answered->text_size) };
		good = good || (answered->stage == RETRY_STAGE_END && answered->reply.code != 0);
	}
	if (good)
		retry_window_success(&destination->window);
	if (connection->target < destination->target_count &&
	    net_address_eq_port(&destination->targets[connection->target].address, &connection->address))
		host = destination_host_name(destination, connection->target);
	net_address_put_port(&address, &connection->address);
	attempt.host = host;
	attempt.address = buf_slice(&address);
	attempt.destination = key;
	if (delivery->waiter != NULL) {
		delivery->waiter->delivery = NULL;
		delivery->waiter = NULL;
	}
	outbound->counts.attempts++;
	outbound_results(outbound, &attempt, settled, delivery->count);
	memory_give(settled);
	buf_done(&address);
	delivery_free(delivery);
}

void delivery_lost(struct delivery *delivery, const struct trouble *trouble)
{
	struct connection *connection = delivery->connection;
	enum retry_stage stage = trouble->stage;
	enum retry_answer answer;

	/* A kept connection that the peer had closed meanwhile: nothing was tried, so nothing is counted. */
	if (!delivery->offered && connection->transactions > 1 && trouble->reply.code == 0) {
		settle_rest(delivery, stage, RETRY_AGAIN_NOW, trouble->reply, (struct slice){ NULL, 0 });
		delivery_end(delivery);
		return;
	}
	if (delivery_end_left(delivery) && smtp_client_lost(&connection->client) == RC_UNCERTAIN)
		stage = RETRY_STAGE_END;
	else if (stage == RETRY_STAGE_END)
		stage = RETRY_STAGE_BODY;
	answer = retry_judge(stage, trouble->reply, delivery->accepted);
	/* Once a message was offered, its loss counts as its attempt: a message that makes a peer fall over must not go round and round. */
	if (answer == RETRY_NEXT_HOST || answer == RETRY_AGAIN_NOW)
		answer = RETRY_DEFER;
	settle_rest(delivery, stage, answer, trouble->reply, slice_str(trouble->text));
	delivery_end(delivery);
}

/* ---- the start ---- */

static bool refuse_here(struct delivery *delivery, enum retry_answer answer, struct retry_reply reply, const char *text)
{
	settle_rest(delivery, RETRY_STAGE_MAIL, answer, reply, slice_str(text));
	delivery_end(delivery);
	return false;
}

static bool refuse_rc(struct delivery *delivery, enum rc rc)
{
	switch (rc) {
	case RC_UNSUPPORTED: /* I-5 */
		return refuse_here(delivery, RETRY_BOUNCE, (struct retry_reply){ 550, 5, 6, 7 },
		                   "the next hop does not take internationalized addresses (SMTPUTF8)");
	case RC_LIMIT:
		return refuse_here(delivery, RETRY_BOUNCE, (struct retry_reply){ 552, 5, 3, 4 }, "the message is larger than the next hop takes");
	case RC_SYNTAX:
		return refuse_here(delivery, RETRY_BOUNCE, (struct retry_reply){ 553, 5, 1, 3 }, "the address cannot be sent by SMTP");
	case RC_OK:
	case RC_AGAIN:
	case RC_NOMEM:
	case RC_NOTFOUND:
	case RC_EXISTS:
	case RC_DENIED:
	case RC_CONFLICT:
	case RC_BUSY:
	case RC_TIMEOUT:
	case RC_CLOSED:
	case RC_IO:
	case RC_CORRUPT:
	case RC_UNCERTAIN:
	case RC_COUNT:
		break;
	}
	return refuse_here(delivery, RETRY_DEFER, (struct retry_reply){ 451, 4, 3, 0 }, "the message could not be sent just now");
}

static void envelope_set(struct delivery *delivery)
{
	struct queue_entry *entry = delivery->entry;
	bool dsn = delivery->connection->destination->route->settings->dsn;

	for (size_t i = 0; i < delivery->count; i++)
		delivery->asked[i] = (struct smtp_client_recipient){ .address = queue_address(delivery->recipients[i]),
			                                             .notify = dsn ? delivery->recipients[i]->notify : 0,
			                                             .orcpt = dsn ? queue_original(delivery->recipients[i])
			                                                          : (struct slice){ NULL, 0 } };
	delivery->envelope = (struct smtp_client_envelope){
		.sender = queue_sender(entry),
		.recipients = delivery->asked,
		.count = delivery->count,
		.size = delivery->size,
		.eightbit = (entry->flags & EVENT_FLAG_8BITMIME) != 0,
		.smtputf8 = (entry->flags & EVENT_FLAG_SMTPUTF8) != 0,
		.ret = !dsn                                      ? SMTP_RET_UNSAID
		       : (entry->flags & EVENT_FLAG_RET_FULL) != 0 ? SMTP_RET_FULL
		       : (entry->flags & EVENT_FLAG_RET_HDRS) != 0 ? SMTP_RET_HDRS
		                                                   : SMTP_RET_UNSAID,
		.envid = dsn ? queue_envelope_id(entry) : (struct slice){ NULL, 0 },
	};
}

bool delivery_start(struct connection *connection, struct queue_recipient **recipients, size_t count, struct waiter *waiter)
{
	struct outbound *outbound = connection->destination->outbound;
	const struct gate_route_settings *settings = connection->destination->route->settings;
	struct delivery *delivery = delivery_make(connection, recipients, count);
	enum rc rc;

	if (delivery == NULL) {
		for (size_t i = 0; i < count; i++)
			queue_untake(outbound->queue, recipients[i]);
		queue_destination_pause(outbound->queue, connection->destination->queue, outbound_wall_ms() + 1000);
		return false;
	}
	if (waiter != NULL) {
		list_remove(&waiter->link);
		waiter->delivery = delivery;
		delivery->waiter = waiter;
	}
	rc = delivery_source(delivery);
	if (rc != RC_OK) {
		log_error(LOG_EVENT("delivery.read"), LOG_NUMBER("message", delivery->entry->id), LOG_STR("rc", rc_word(rc)));
		return refuse_here(delivery, RETRY_DEFER, (struct retry_reply){ 451, 4, 3, 0 }, "the message could not be read from the journal");
	}
	if ((delivery->entry->flags & EVENT_FLAG_8BITMIME) != 0 && settings->eightbit == ROUTE_EIGHTBIT_BOUNCE &&
	    (connection->client.extensions & SMTP_EXT_8BITMIME) == 0) /* I-4 */
		return refuse_here(delivery, RETRY_BOUNCE, (struct retry_reply){ 554, 5, 6, 3 }, "the next hop does not take 8-bit messages");
	envelope_set(delivery);
	rc = smtp_client_start(&connection->client, &delivery->envelope, &outbound->line);
	if (rc != RC_OK)
		return refuse_rc(delivery, rc);
	if (connection->transactions++ != 0)
		counter_up(COUNT_DELIVERY_REUSED);
	return true;
}

/* ---- the bytes ---- */

/* The next raw piece of the message, at most to the next cut. Empty at the end. RC_AGAIN: the window is still being sent. */
static enum rc next_input(struct delivery *delivery, bool window_busy)
{
	uint64_t offset = delivery->offset;
	uint64_t body_size = delivery->entry->body_size;
	uint64_t until = body_size;
	size_t count = 0;
	enum rc rc;

	if (offset < delivery->prefix.len) {
		delivery->input = slice_drop(delivery->prefix, (size_t)offset);
		delivery->offset = delivery->prefix.len;
		return RC_OK;
	}
	offset -= delivery->prefix.len;
	while (delivery->cut_index < delivery->cut_count && delivery->cuts[delivery->cut_index].offset <= offset) {
		uint64_t end = (uint64_t)delivery->cuts[delivery->cut_index].offset + delivery->cuts[delivery->cut_index].size;

		offset = end > offset ? end : offset;
		delivery->cut_index++;
	}
	if (delivery->cut_index < delivery->cut_count)
		until = delivery->cuts[delivery->cut_index].offset;
	delivery->offset = delivery->prefix.len + offset;
	if (offset >= body_size)
		return RC_OK;
	if (delivery->hot != NULL) {
		delivery->input = slice_cut(hot_body(delivery), (size_t)offset, (size_t)(until - offset));
		delivery->offset += delivery->input.len;
		return delivery->input.len != 0 ? RC_OK : RC_CORRUPT;
	}
	if (window_busy)
		return RC_AGAIN;
	if (delivery->window == NULL)
		delivery->window = memory_take(1, OUTBOUND_WINDOW_BYTES);
	if (delivery->window == NULL)
		return RC_NOMEM;
	rc = journal_body_read(delivery->body, offset, delivery->window,
	                       until - offset < OUTBOUND_WINDOW_BYTES ? (size_t)(until - offset) : OUTBOUND_WINDOW_BYTES, &count);
	if (rc != RC_OK)
		return rc;
	delivery->input = slice_of(delivery->window, count);
	delivery->input_windowed = true;
	delivery->offset += count;
	return count != 0 ? RC_OK : RC_CORRUPT;
}

static void run_add(struct delivery *delivery, size_t *count, size_t *bytes, struct slice run)
{
	if (run.len == 0)
		return;
	delivery->connection->runs[(*count)++] = run;
	*bytes += run.len;
}

/* Is the present input the whole body, and known to need no dots? A scanner's cuts could make a line begin anywhere. */
static bool goes_as_it_came(const struct delivery *delivery)
{
	return delivery->hot != NULL && delivery->hot->unchanged && delivery->cut_count == 0 && delivery->offset > delivery->prefix.len;
}

/* Fill the runs with what comes next; *ended once the end of the data is among them. */
static enum rc fill(struct delivery *delivery, size_t *ret_count, bool *ret_ended)
{
	size_t count = 0, bytes = 0;
	bool window_used = false;
	struct slice run;

	while (count + 2 < OUTBOUND_PIECES_MAX && bytes < OUTBOUND_CHUNK_BYTES) {
		if (delivery->input.len == 0) {
			enum rc rc = next_input(delivery, window_used);

			if (rc == RC_AGAIN)
				break;
			if (rc != RC_OK)
				return rc;
			if (delivery->input.len == 0) {
				if (!delivery->chunked && smtp_dot_encode_end(&delivery->dot, &run) == RC_OK)
					run_add(delivery, &count, &bytes, run);
				*ret_ended = true;
				break;
			}
		}
		window_used = window_used || delivery->input_windowed;
		if (delivery->chunked) {
			run = slice_take(delivery->input, OUTBOUND_CHUNK_BYTES);
			delivery->input = slice_drop(delivery->input, run.len);
			run_add(delivery, &count, &bytes, run);
		} else if (goes_as_it_came(delivery)) {
			smtp_dot_encode_unchanged(&delivery->dot, &delivery->input, &run);
			run_add(delivery, &count, &bytes, run);
		} else if (smtp_dot_encode(&delivery->dot, &delivery->input, &run) == RC_OK) {
			run_add(delivery, &count, &bytes, run);
		}
	}
	*ret_count = count;
	return RC_OK;
}

bool delivery_end_left(const struct delivery *delivery)
{
	const struct connection *connection = delivery->connection;

	if (delivery->end_left)
		return true;
	return delivery->body_handed && connection->sending == delivery && connection->pieces.index >= connection->pieces.count;
}

static void pieces_done(struct stream *stream, struct stream_pieces *pieces, enum rc rc)
{
	struct delivery *delivery = LIST_OF(pieces, struct connection, pieces)->sending;

	(void)stream;
	if (rc != RC_OK || delivery == NULL)
		return; /* on_closed follows, or the connection is being closed; or the delivery is over */
	if (delivery->body_handed) {
		delivery->end_left = true;
		return;
	}
	delivery_send(delivery);
}

void delivery_send(struct delivery *delivery)
{
	struct connection *connection = delivery->connection;
	size_t count = 0;
	bool ended = false;
	enum rc rc = fill(delivery, &count, &ended);

	if (rc != RC_OK) {
		/* The end has not been sent: breaking off here makes the next hop forget it. */
		log_error(LOG_EVENT("delivery.read"), LOG_NUMBER("message", delivery->entry->id), LOG_STR("rc", rc_word(rc)));
		stream_reset(&connection->stream);
		loop_timer_set(connection->destination->outbound->loop, &connection->timer, 1);
		return;
	}
	connection->sending = delivery;
	connection->pieces = (struct stream_pieces){ .items = connection->runs, .count = count, .done = pieces_done };
	delivery->body_handed = ended;
	if (ended)
		smtp_client_body_sent(&connection->client);
	if (count == 0)
		delivery->end_left = ended;
	else if (stream_send_pieces(&connection->stream, &connection->pieces) != RC_OK)
		loop_timer_set(connection->destination->outbound->loop, &connection->timer, 1); /* on_closed comes, or this */
	else
		connection_set_timer(connection);
}
