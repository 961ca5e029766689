/*
 * One outgoing connection: from the first SYN to the session that is ready for mail, its reuse for one message after the other, and its end. The protocol is smtp/client.h's; here are
 * its bytes, its time-outs (I-6) and the next address when one fails (fail-over within one attempt, I-33).
 */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/counters.h"
#include "sys/log.h"

#include <errno.h>

static const struct stream_limits limits = { .window = SMTP_REPLY_BYTES_MAX, .out_max = 256u << 10 };

static void try_next(struct connection *connection);

/* ---- time ---- */

static uint64_t timeout_ms(const struct connection *connection)
{
	const struct gate_route_settings *settings = connection->destination->route->settings;

	switch ((enum smtp_client_stage)connection->client.stage) {
	case SMTP_STAGE_GREETING:
		return settings->timeout_greeting;
	case SMTP_STAGE_DATA:
		return settings->timeout_data;
	case SMTP_STAGE_BODY:
		return settings->timeout_block;
	case SMTP_STAGE_FINAL:
		return settings->timeout_end;
	case SMTP_STAGE_QUIT:
	case SMTP_STAGE_CLOSED:
		return settings->timeout_command < 10000 ? settings->timeout_command : 10000;
	case SMTP_STAGE_HELLO:
	case SMTP_STAGE_STARTTLS:
	case SMTP_STAGE_HANDSHAKE:
	case SMTP_STAGE_AUTH:
	case SMTP_STAGE_READY:
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RCPT:
	case SMTP_STAGE_RSET:
	case SMTP_STAGE_COUNT:
		break;
	}
	return settings->timeout_command;
}

void connection_set_timer(struct connection *connection)
{
	loop_timer_set(connection->destination->outbound->loop, &connection->timer, timeout_ms(connection));
}

/* Where the conversation stands, in the words of retry.h. */
static enum retry_stage stage_of(const struct connection *connection)
{
	if (connection->delivery != NULL && delivery_end_left(connection->delivery))
		return RETRY_STAGE_END;
	switch ((enum smtp_client_stage)connection->client.stage) {
	case SMTP_STAGE_GREETING:
		return RETRY_STAGE_GREETING;
	case SMTP_STAGE_HELLO:
		return RETRY_STAGE_HELLO;
	case SMTP_STAGE_STARTTLS:
	case SMTP_STAGE_HANDSHAKE:
		return RETRY_STAGE_TLS;
	case SMTP_STAGE_AUTH:
		return RETRY_STAGE_AUTH;
	case SMTP_STAGE_RCPT:
		return RETRY_STAGE_RCPT;
	case SMTP_STAGE_DATA:
		return RETRY_STAGE_DATA;
	case SMTP_STAGE_BODY:
	case SMTP_STAGE_FINAL:
		return RETRY_STAGE_BODY;
	case SMTP_STAGE_READY:
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RSET:
	case SMTP_STAGE_QUIT:
	case SMTP_STAGE_CLOSED:
	case SMTP_STAGE_COUNT:
		break;
	}
	return RETRY_STAGE_MAIL;
}

/* ---- the end ---- */

static void unbind(struct connection *connection)
{
	struct destination *destination = connection->destination;
	struct outbound *outbound = destination->outbound;
	bool was_full = outbound->connection_count >= outbound->config->settings.queue->connections_max;

	timer_stop(&connection->timer);
	list_remove(&connection->link);
	destination->connection_count--;
	outbound->connection_count--;
	if (!connection->ready)
		destination->opening_count--;
	memory_give(connection);
	/* This may have been the last thing that kept the destination. */
	destination_settle(destination);
	for (struct list *at = outbound->destinations.next; was_full && at != &outbound->destinations; at = at->next)
		destination_consider(LIST_OF(at, struct destination, link)); /* there is room for others now */
	outbound_pump_soon(outbound);
	outbound_settle_drain(outbound);
}

/* The session before the first message has failed at this address: the next one, or the destination has failed. */
static void opening_failed(struct connection *connection, const struct trouble *trouble)
{
	struct destination *destination = connection->destination;

	stream_close(&connection->stream);
	if (destination->queue == NULL) {
		unbind(connection);
		return;
	}
	/* Opportunistic TLS that fails is not a reason to wait: the same address once more, in plain text (RFC 7435). */
	if (trouble->stage == RETRY_STAGE_TLS && !connection->clear && destination->route->settings->tls == ROUTE_TLS_OPPORTUNISTIC) {
		connection->clear = true;
		try_next(connection);
		return;
	}
	log_info(LOG_EVENT("delivery.host_failed"), LOG_STR("host", trouble->host), LOG_STR("stage", retry_stage_word(trouble->stage)),
	         LOG_NUMBER("code", trouble->reply.code), LOG_STR("text", trouble->text));
	if (connection->target < destination->target_count &&
	    net_address_eq_port(&destination->targets[connection->target].address, &connection->address))
		destination_target_failed(destination, connection->target, trouble);
	connection->order_next++;
	connection->clear = false;
	connection->trouble = *trouble;
	try_next(connection);
}

/* Gone, with or without a word: whoever has no answer yet learns what that means. */
static void connection_ended(struct connection *connection, const struct trouble *trouble)
{
	struct destination *destination = connection->destination;
	struct delivery *delivery = connection->delivery;

	if (!connection->ready) {
		opening_failed(connection, trouble);
		return;
	}
	stream_close(&connection->stream);
	if (delivery != NULL) {
		/* A kept connection that the peer had closed already is no trouble; anything else is. */
		if (retry_is_strain(trouble->stage, trouble->reply) && (connection->transactions <= 1 || delivery->offered)) {
			retry_window_strain(&destination->window);
			destination->trouble = *trouble;
		}
		delivery_lost(delivery, trouble);
	}
	unbind(connection);
}

void connection_close(struct connection *connection)
{
	struct trouble trouble;

	trouble_set(&trouble, stage_of(connection), (struct retry_reply){ 0 }, SLICE(""), SLICE("the gateway closed the connection"));
	stream_close(&connection->stream);
	if (connection->delivery != NULL)
		delivery_lost(connection->delivery, &trouble);
	unbind(connection);
}

static struct slice host_name(const struct connection *connection)
{
	const struct destination *destination = connection->destination;

	if (connection->target < destination->target_count &&
	    net_address_eq_port(&destination->targets[connection->target].address, &connection->address))
		return destination_host_name(destination, connection->target);
	return (struct slice){ NULL, 0 };
}

static void fail_with(struct connection *connection, enum retry_stage stage, struct slice text)
{
	struct trouble trouble;

	trouble_set(&trouble, stage, (struct retry_reply){ 0 }, host_name(connection), text);
	connection_ended(connection, &trouble);
}

static void timed_out(struct timer *timer)
{
	struct connection *connection = LIST_OF(timer, struct connection, timer);

	if (connection->quitting) {
		connection_close(connection);
		return;
	}
	if (connection->ready && connection->delivery == NULL) { /* idle for long enough */
		connection_quit(connection);
		return;
	}
	if (!connection->connected)
		fail_with(connection, RETRY_STAGE_CONNECT, SLICE("no answer within the time allowed"));
	else
		fail_with(connection, stage_of(connection), SLICE("the next hop did not answer within the time allowed"));
}

/* ---- bytes ---- */

void connection_send_line(struct connection *connection)
{
	struct buf *line = &connection->destination->outbound->line;

	/* What the stream does not take has no answer either: the time-out, or on_closed before it, ends the connection. */
	if (line->failed || (line->len != 0 && stream_send(&connection->stream, buf_slice(line)) != RC_OK))
		log_debug(LOG_EVENT("delivery.unsent"), LOG_NUMBER("bytes", line->len));
	buf_clear(line);
}

static void reply_trouble(const struct connection *connection, struct trouble *trouble, enum retry_stage stage,
                          const struct smtp_reply_read *reply, const char *otherwise)
{
	struct buf text = buf_make(sizeof(trouble->text));
	struct retry_reply boiled = { reply->lines == 0 ? 0 : reply->code, reply->enhanced.class, reply->enhanced.subject, reply->enhanced.detail };

	if (reply->lines != 0)
		smtp_reply_text(reply, sizeof(trouble->text) - 1, &text);
	else
		buf_put_str(&text, otherwise);
	trouble_set(trouble, stage, boiled, host_name(connection), buf_slice(&text));
	buf_done(&text);
}

static enum retry_stage stage_of_client(enum smtp_client_stage stage)
{
	switch (stage) {
	case SMTP_STAGE_GREETING:
		return RETRY_STAGE_GREETING;
	case SMTP_STAGE_STARTTLS:
	case SMTP_STAGE_HANDSHAKE:
		return RETRY_STAGE_TLS;
	case SMTP_STAGE_AUTH:
		return RETRY_STAGE_AUTH;
	case SMTP_STAGE_HELLO:
	case SMTP_STAGE_READY:
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RCPT:
	case SMTP_STAGE_DATA:
	case SMTP_STAGE_BODY:
	case SMTP_STAGE_FINAL:
	case SMTP_STAGE_RSET:
	case SMTP_STAGE_QUIT:
	case SMTP_STAGE_CLOSED:
	case SMTP_STAGE_COUNT:
		break;
	}
	return RETRY_STAGE_HELLO;
}

/* Names that were written as addresses stand in no certificate and in no server_name. */
static bool is_address(struct slice name)
{
	struct net_address address;

	return net_address_parse_port(name, 1, &address) == RC_OK;
}

static bool start_tls(struct connection *connection)
{
	const struct route *route = connection->destination->route;
	struct slice own_name = host_name(connection);
	struct tls_client_names names = { .names = route->tls_names, .names_count = route->tls_name_count };

	if (route->tls == NULL)
		return false;
	if (names.names_count == 0) {
		names.names = &own_name;
		names.names_count = own_name.len != 0 && !is_address(own_name) ? 1 : 0;
	}
	if (names.names_count != 0 && slice_at(names.names[0], 0) != '.')
		names.sni = names.names[0];
	return stream_start_tls_client(&connection->stream, route->tls, &names) == RC_OK;
}

static void became_ready(struct connection *connection)
{
	struct destination *destination = connection->destination;

	connection->ready = true;
	destination->opening_count--;
	if (connection->target < destination->target_count &&
	    net_address_eq_port(&destination->targets[connection->target].address, &connection->address))
		destination_target_good(destination, connection->target);
	counter_up(COUNT_DELIVERY_CONNECTIONS);
}

enum after_event { GO_ON, STOP };

/* One event of the machine. STOP: the connection may be gone, or waits for something else than bytes. */
static enum after_event take_event(struct connection *connection, const struct smtp_client_event *event)
{
	struct trouble trouble;

	switch (event->kind) {
	case SMTP_CLIENT_READY:
		if (!connection->ready)
			became_ready(connection);
		connection_next(connection);
		return GO_ON;
	case SMTP_CLIENT_STARTTLS:
		if (!start_tls(connection)) {
			fail_with(connection, RETRY_STAGE_TLS, SLICE("TLS could not be started"));
			return STOP;
		}
		return GO_ON;
	case SMTP_CLIENT_SENDER:
	case SMTP_CLIENT_RECIPIENT:
	case SMTP_CLIENT_RESULT:
	case SMTP_CLIENT_BODY:
		if (connection->delivery != NULL)
			delivery_event(connection->delivery, event);
		return GO_ON;
	case SMTP_CLIENT_DONE:
		if (connection->delivery != NULL)
			delivery_end(connection->delivery);
		if (!stream_is_open(&connection->stream)) { /* answered before the message was whole: nothing more can be said here */
			unbind(connection);
			return STOP;
		}
		connection_next(connection);
		return GO_ON;
	case SMTP_CLIENT_REFUSED:
		connection->refused = true;
		reply_trouble(connection, &connection->trouble, stage_of_client(event->stage), &event->reply,
		              "the next hop does not offer what the route asks for");
		return GO_ON;
	case SMTP_CLIENT_CLOSING:
		if (connection->quitting) {
			connection_close(connection);
			return STOP;
		}
		if (connection->refused)
			trouble = connection->trouble;
		else
			reply_trouble(connection, &trouble, stage_of(connection), &event->reply, "the next hop closed the session");
		connection_ended(connection, &trouble);
		return STOP;
	case SMTP_CLIENT_BROKEN:
		fail_with(connection, stage_of(connection), SLICE("the next hop's answer is not SMTP"));
		return STOP;
	case SMTP_CLIENT_NONE:
	case SMTP_CLIENT_COUNT:
		break;
	}
	return STOP;
}

static size_t on_data(struct stream *stream, struct slice data)
{
	struct connection *connection = LIST_OF(stream, struct connection, stream);
	struct outbound *outbound = connection->destination->outbound;
	struct slice input = data;
	struct smtp_client_event event;
	bool starttls = false;

	for (;;) {
		enum smtp_client_event_kind kind = smtp_client_feed(&connection->client, &input, &outbound->line, &event);

		if (kind == SMTP_CLIENT_NONE)
			break;
		starttls = starttls || kind == SMTP_CLIENT_STARTTLS;
		/* What was composed goes out first: an event may start the body, or TLS. */
		connection_send_line(connection);
		if (take_event(connection, &event) == STOP)
			return data.len - input.len; /* perhaps freed: touch nothing */
		connection_send_line(connection);
	}
	connection_send_line(connection);
	if (!(connection->ready && connection->delivery == NULL && !connection->quitting)) /* an idle one has its own time */
		connection_set_timer(connection);
	return starttls ? data.len : data.len - input.len;
}

static void on_end(struct stream *stream)
{
	struct connection *connection = LIST_OF(stream, struct connection, stream);

	if (connection->refused) {
		struct trouble trouble = connection->trouble;

		connection_ended(connection, &trouble);
		return;
	}
	fail_with(connection, stage_of(connection), SLICE("the next hop closed the connection"));
}

static void on_open(struct stream *stream)
{
	struct connection *connection = LIST_OF(stream, struct connection, stream);

	connection->connected = true;
	connection_set_timer(connection);
}

static void on_secure(struct stream *stream)
{
	struct connection *connection = LIST_OF(stream, struct connection, stream);
	struct outbound *outbound = connection->destination->outbound;
	struct tls_facts facts;
	struct buf text = buf_make(sizeof(connection->tls));

	arena_reset(&outbound->arena);
	if (stream->tls != NULL && tls_session_facts(stream->tls, &outbound->arena, &facts) == RC_OK) {
		buf_printf(&text, "%s %s%s", facts.version, facts.cipher, facts.peer_verified ? " verified" : "");
		(void)slice_to_cstr(buf_slice(&text), connection->tls, sizeof(connection->tls));
	}
	buf_done(&text);
	smtp_client_tls_started(&connection->client, &outbound->line);
	connection_send_line(connection);
	connection_set_timer(connection);
}

static void on_closed(struct stream *stream, const struct fault *fault)
{
	struct connection *connection = LIST_OF(stream, struct connection, stream);
	enum retry_stage stage = stage_of(connection);
	struct slice text = SLICE("the connection was lost");

	if (connection->quitting) {
		unbind(connection);
		return;
	}
	if (!connection->connected)
		stage = RETRY_STAGE_CONNECT;
	if (stage == RETRY_STAGE_CONNECT)
		text = fault->error == ECONNREFUSED ? SLICE("connection refused") : SLICE("the host could not be connected to");
	else if (connection->client.stage == SMTP_STAGE_HANDSHAKE)
		text = fault->rc == RC_DENIED ? SLICE("the certificate is not the one expected") : SLICE("the TLS handshake failed");
	fail_with(connection, stage, text);
}

static const struct stream_handlers handlers = {
	.on_data = on_data, .on_end = on_end, .on_open = on_open, .on_secure = on_secure, .on_closed = on_closed,
};

/* ---- opening ---- */

static void session_set(struct connection *connection)
{
	static const enum smtp_client_tls levels[ROUTE_TLS_COUNT] = {
		[ROUTE_TLS_NONE] = SMTP_CLIENT_TLS_NEVER,
		[ROUTE_TLS_OPPORTUNISTIC] = SMTP_CLIENT_TLS_IF_OFFERED,
		[ROUTE_TLS_REQUIRE] = SMTP_CLIENT_TLS_REQUIRED,
		[ROUTE_TLS_VERIFY] = SMTP_CLIENT_TLS_REQUIRED,
	};
	const struct route *route = connection->destination->route;

	connection->session = (struct smtp_client_config){
		.host = route->helo,
		.tls = connection->clear ? SMTP_CLIENT_TLS_NEVER : levels[route->settings->tls],
		.lmtp = route->settings->protocol == ROUTE_LMTP,
		.pipelining = true,
		.chunking = route->settings->chunking,
		.user = route->settings->user,
		.password = route->settings->password,
	};
	smtp_client_init(&connection->client, &connection->session);
	connection->tls[0] = '\0';
	connection->refused = false;
	connection->connected = false;
}

/* Connect to the next address of the order; without one left the destination has failed. */
static void try_next(struct connection *connection)
{
	struct destination *destination = connection->destination;
	struct trouble trouble;

	for (; connection->order_next < connection->order_count; connection->order_next++) {
		const struct net_address *source;
		struct fault fault = { 0 };

		connection->target = connection->order[connection->order_next];
		if (connection->target >= destination->target_count)
			continue; /* looked up anew meanwhile */
		connection->address = destination->targets[connection->target].address;
		source = connection->address.family == NET_FAMILY_V4 ? &destination->route->source_v4 : &destination->route->source_v6;
		session_set(connection);
		if (stream_connect(&connection->stream, destination->outbound->loop, &connection->address,
		                   source->family == NET_FAMILY_NONE ? NULL : source, &limits, &handlers, &fault) == RC_OK) {
			loop_timer_set(destination->outbound->loop, &connection->timer, destination->route->settings->timeout_connect);
			return;
		}
		trouble_set(&trouble, RETRY_STAGE_CONNECT, (struct retry_reply){ 0 }, host_name(connection),
		            fault.error == ECONNREFUSED ? SLICE("connection refused") : SLICE("the host could not be connected to"));
		destination_target_failed(destination, connection->target, &trouble);
		connection->trouble = trouble;
	}
	trouble = connection->trouble;
	if (connection->order_count == 0)
		trouble_set(&trouble, RETRY_STAGE_ROUTE, (struct retry_reply){ 0 }, SLICE(""), SLICE("no address is left to try"));
	/* Others may still be connected: then only this attempt has failed. */
	bool alone = true, probe = connection->probe;

	for (struct list *at = destination->busy.next; at != &destination->busy; at = at->next)
		alone = alone && !LIST_OF(at, struct connection, link)->ready;
	alone = alone && list_empty(&destination->idle);
	destination->connection_count++; /* unbind() must not let it go yet */
	unbind(connection);
	destination->connection_count--;
	/* Of several that were opened together the first to fail speaks for all; a probe, opened during that rest, speaks for itself. */
	if (alone && destination->queue != NULL && (probe || !destination->queue->paused))
		destination_failed(destination, &trouble);
	destination_settle(destination);
}

void connection_open(struct destination *destination)
{
	struct connection *connection = memory_take(1, sizeof(*connection));

	if (connection == NULL) {
		queue_destination_pause(destination->outbound->queue, destination->queue, outbound_wall_ms() + 1000);
		return;
	}
	connection->destination = destination;
	connection->opened_ms = loop_now_ms(destination->outbound->loop);
	connection->probe = destination->queue->paused;
	timer_init(&connection->timer, timed_out);
	list_append(&destination->busy, &connection->link);
	destination->connection_count++;
	destination->opening_count++;
	destination->outbound->connection_count++;
	connection->order_count = (uint16_t)destination_order(destination, connection->order);
	try_next(connection);
}

/* ---- reuse ---- */

void connection_quit(struct connection *connection)
{
	struct outbound *outbound = connection->destination->outbound;

	if (connection->quitting)
		return;
	connection->quitting = true;
	list_remove(&connection->link);
	list_append(&connection->destination->busy, &connection->link);
	smtp_client_quit(&connection->client, &outbound->line);
	connection_send_line(connection);
	connection_set_timer(connection);
}

static bool worn_out(const struct connection *connection)
{
	const struct destination *destination = connection->destination;
	const struct gate_route_settings *settings = destination->route->settings;
	uint64_t age_ms = loop_now_ms(destination->outbound->loop) - connection->opened_ms;

	return destination->queue == NULL || destination->outbound->draining || age_ms >= settings->connection_lifetime ||
	       connection->transactions >= settings->messages_per_connection ||
	       (connection->transactions != 0 && connection->client.errors >= OUTBOUND_ERRORS_MAX);
}

/* Somebody who waits for one of these, or NULL. */
static struct waiter *waiter_of(struct destination *destination, uint64_t message)
{
	for (struct list *at = destination->through.next; at != &destination->through; at = at->next) {
		struct waiter *waiter = LIST_OF(at, struct waiter, link);

		if (waiter->message == message)
			return waiter;
	}
	return NULL;
}

/* Those whose client waits go first. */
static size_t take_waiting(struct destination *destination, struct queue_recipient **recipients, struct waiter **ret_waiter)
{
	while (!list_empty(&destination->through)) {
		struct waiter *waiter = LIST_OF(destination->through.next, struct waiter, link);
		struct queue_entry *entry = queue_find(destination->outbound->queue, waiter->message);

		if (entry != NULL && queue_take_of(destination->outbound->queue, entry, destination->queue, 1, recipients) == 1) {
			*ret_waiter = waiter;
			return 1;
		}
		waiter_answer(waiter, THROUGH_QUEUED);
	}
	return 0;
}

void connection_next(struct connection *connection)
{
	struct destination *destination = connection->destination;
	struct outbound *outbound = destination->outbound;
	struct queue_recipient *recipients[1000];
	size_t max = destination->route->settings->recipients_max;

	must(connection->delivery == NULL);
	if (connection->quitting)
		return;
	for (;;) {
		struct waiter *waiter = NULL;
		size_t count;

		if (worn_out(connection)) {
			connection_quit(connection);
			return;
		}
		count = take_waiting(destination, recipients, &waiter);
		if (count == 0) {
			count = queue_take(outbound->queue, destination->queue, max < 1000 ? max : 1000, recipients);
			if (count != 0)
				waiter = waiter_of(destination, queue_entry_of(recipients[0])->id);
		}
		if (count == 0)
			break;
		if (delivery_start(connection, recipients, count, waiter)) {
			list_remove(&connection->link);
			list_append(&destination->busy, &connection->link);
			connection_send_line(connection);
			connection_set_timer(connection);
			destination_consider(destination);
			return;
		}
	}
	list_remove(&connection->link);
	list_append(&destination->idle, &connection->link);
	if (destination->route->settings->connection_idle == 0)
		connection_quit(connection);
	else
		loop_timer_set(outbound->loop, &connection->timer, destination->route->settings->connection_idle);
	destination_consider(destination);
}
