/*
 * The body: DATA with its dots (RFC 5321 section 4.1.1.4) and BDAT with its sizes (RFC 3030). Whatever is wrong with
 * it, its bytes are swallowed as body and never looked at as commands.
 */
#include "smtp/server_part.h"

#include "base/must.h"

static const struct smtp_reply too_large = SMTP_REPLY_INIT(552, 3, 4, "Message larger than this server takes");
static const struct smtp_reply bare_ends =
	SMTP_REPLY_INIT(554, 6, 0, "Message refused: a bare CR, a bare LF or a NUL in it; lines end with CR LF");
static const struct smtp_reply line_long = SMTP_REPLY_INIT(554, 6, 0, "Message refused: a line in it is too long");
static const struct smtp_reply no_recipient = SMTP_REPLY_INIT(554, 5, 1, "No valid recipients");

static uint64_t swallow_max(const struct smtp_server *server)
{
	const uint64_t max = server->config->message_bytes_max;

	return max > SMTP_SWALLOW_MAX ? max : SMTP_SWALLOW_MAX;
}

/* One reply for the message; LMTP: one for each accepted recipient. */
static void put_final(const struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	const uint32_t count = server->config->lmtp ? server->recipients : 1;

	for (uint32_t i = 0; i < count; i++)
		smtp_server_put(server, reply, out);
}

static void begin_body(struct smtp_server *server)
{
	server->body_bytes = 0;
	server->swallowed = 0;
	server->check = (struct smtp_line_check){ .after_cr = false };
	smtp_dot_decoder_init(&server->decoder, server->config->line_ends, server->config->data_line_bytes_max);
}

/* The transaction is over, answered. */
static void end_body(struct smtp_server *server)
{
	server->at = SMTP_AT_READY;
	server->phase = PHASE_COMMAND;
	server->idle = 0;
	smtp_server_forget(server);
}

static void tell_dead(struct smtp_feed *feed, enum smtp_refusal refusal, const struct smtp_reply *reply)
{
	feed->server->held = *reply;
	feed->server->closing = refusal == SMTP_REFUSAL_LINE_ENDS ? refusal : SMTP_REFUSAL_NONE;
	if (feed->server->errors != UINT32_MAX)
		feed->server->errors++;
	feed->event->kind = SMTP_EVENT_BODY_DEAD;
	feed->event->refusal = refusal;
	feed->event->reply = *reply;
}

void smtp_server_data(struct smtp_feed *feed)
{
	static const struct smtp_reply form = SMTP_REPLY_INIT(501, 5, 4, "DATA takes no arguments");
	struct smtp_server            *server = feed->server;

	if (server->at == SMTP_AT_MAIL && server->recipients_refused != 0) {
		smtp_server_refuse(feed, SMTP_REFUSAL_NO_RECIPIENT, &no_recipient);
		return;
	}
	if (!smtp_server_may(feed, ON_DATA))
		return;
	if (feed->command.args.len != 0) {
		smtp_server_refuse(feed, SMTP_REFUSAL_ARGUMENTS, &form);
		return;
	}
	begin_body(server);
	smtp_server_ask(feed, SMTP_EVENT_DATA);
}

bool smtp_server_unchanged(const struct smtp_server *server)
{
	return smtp_dot_unchanged(&server->decoder); /* BDAT never feeds it */
}

bool smtp_server_data_bytes(struct smtp_feed *feed)
{
	struct smtp_server *server = feed->server;

	const enum rc rc = smtp_dot_decode(&server->decoder, feed->input, &feed->event->body);

	if (rc == RC_AGAIN)
		return false;
	if (rc == RC_CLOSED) {
		server->phase = PHASE_COMMAND;
		server->replies_owed = server->config->lmtp ? server->recipients : 1;
		smtp_server_ask(feed, SMTP_EVENT_BODY_END);
		return true;
	}
	if (rc == RC_OK) {
		server->body_bytes += feed->event->body.len;
		feed->event->kind = SMTP_EVENT_BODY;
		if (server->bytes_max == 0 || server->body_bytes <= server->bytes_max)
			return true;
	}
	server->phase = PHASE_DATA_SWALLOW;
	if (rc == RC_OK)
		tell_dead(feed, SMTP_REFUSAL_SIZE, &too_large);
	else if (rc == RC_LIMIT)
		tell_dead(feed, SMTP_REFUSAL_LINE_LONG, &line_long);
	else
		tell_dead(feed, SMTP_REFUSAL_LINE_ENDS, &bare_ends);
	return true;
}

bool smtp_server_data_swallow(struct smtp_feed *feed)
{
	struct smtp_server *server = feed->server;
	const size_t        before = feed->input->len;
	const enum rc       rc = smtp_dot_swallow(&server->decoder, feed->input);

	server->swallowed += before - feed->input->len;
	const bool too_much = server->swallowed > swallow_max(server);
	if (rc != RC_CLOSED && !too_much)
		return false;
	const enum smtp_refusal closing = server->closing;
	put_final(server, &server->held, feed->out);
	end_body(server);
	/* Who sends bare line ends may mean another end of data than we do: no command of his is read any more. */
	if (closing != SMTP_REFUSAL_NONE || too_much || server->held.code == 421 || server->held.code == 521)
		server->phase = PHASE_CLOSE;
	return true;
}

/* "size" or "size LAST". */
static bool read_chunk(struct slice args, uint64_t *ret_size, bool *ret_last)
{
	uint64_t size = 0;
	size_t   digits = 0;

	while (digits < args.len && byte_is_digit(args.ptr[digits])) {
		if (__builtin_mul_overflow(size, 10u, &size) ||
		    __builtin_add_overflow(size, args.ptr[digits] - (uint64_t)'0', &size))
			return false;
		digits++;
	}
	const struct slice rest = slice_drop(args, digits);
	*ret_size = size;
	*ret_last = slice_eq_nocase(slice_trim(rest), SLICE("LAST"));
	return digits != 0 && (rest.len == 0 || (byte_is_wsp(rest.ptr[0]) && *ret_last));
}

/* The chunk on its way is not wanted: it has been answered, its bytes are swallowed. */
static void swallow_chunk(struct smtp_server *server)
{
	server->phase = PHASE_CHUNK_SWALLOW;
	if (server->chunk_left > swallow_max(server))
		server->phase = PHASE_CLOSE;
}

/* The message of this chunk is refused for good: what follows of it is answered alike. */
static void kill_message(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	server->held = *reply;
	if (server->last_chunk) {
		put_final(server, reply, out);
		end_body(server);
	} else {
		smtp_server_put(server, reply, out);
		server->at = SMTP_AT_DEAD;
	}
	swallow_chunk(server);
}

/* May BDAT come here at all? If not it is answered. */
static bool chunk_may(struct smtp_feed *feed)
{
	static const struct smtp_reply tls = SMTP_REPLY_INIT(530, 7, 0, "Must issue a STARTTLS command first");
	static const struct smtp_reply none = SMTP_REPLY_INIT(502, 5, 1, "CHUNKING is not offered");
	struct smtp_server            *server = feed->server;

	if (!(server->extensions & SMTP_EXT_CHUNKING)) {
		/* Who was not offered it cannot mean it: the bytes behind it could be anything. */
		smtp_server_refuse_last(feed, SMTP_REFUSAL_OFFER, &none);
		return false;
	}
	if (server->config->tls_required && !server->tls) {
		smtp_server_refuse(feed, SMTP_REFUSAL_TLS, &tls);
		return false;
	}
	if (server->at == SMTP_AT_MAIL && server->recipients_refused != 0) {
		smtp_server_refuse(feed, SMTP_REFUSAL_NO_RECIPIENT, &no_recipient);
		return false;
	}
	return smtp_server_may(feed, ON_BDAT);
}

void smtp_server_bdat(struct smtp_feed *feed)
{
	static const struct smtp_reply form =
		SMTP_REPLY_INIT(501, 5, 4, "Syntax: BDAT size [LAST]; closing the connection");
	static const struct smtp_reply empty = SMTP_REPLY_INIT(504, 5, 4, "Only the last chunk can be empty");
	struct smtp_server            *server = feed->server;
	bool                           last;

	if (!read_chunk(feed->command.args, &server->chunk_left, &last)) {
		smtp_server_refuse_last(feed, SMTP_REFUSAL_CHUNK, &form);
		return;
	}
	server->swallowed = 0;
	if (!chunk_may(feed)) {
		if (server->phase != PHASE_CLOSE)
			swallow_chunk(server);
		return;
	}
	/* Nobody means an empty chunk with more to come; a flood of them would move nothing. */
	if (server->chunk_left == 0 && !last) {
		smtp_server_refuse(feed, SMTP_REFUSAL_ARGUMENTS, &empty);
		return;
	}
	server->last_chunk = last;
	if (server->at == SMTP_AT_DEAD) {
		const struct smtp_reply held = server->held;
		feed->event->kind = SMTP_EVENT_REFUSED;
		feed->event->refusal = SMTP_REFUSAL_DECIDED;
		feed->event->reply = held;
		kill_message(server, &held, feed->out);
		return;
	}
	if (server->at == SMTP_AT_RCPT) {
		begin_body(server);
		smtp_server_ask(feed, SMTP_EVENT_DATA);
		return;
	}
	server->phase = PHASE_CHUNK;
}

static void chunk_dead(struct smtp_feed *feed, enum smtp_refusal refusal, const struct smtp_reply *reply)
{
	tell_dead(feed, refusal, reply);
	feed->server->closing = SMTP_REFUSAL_NONE;
	kill_message(feed->server, reply, feed->out);
}

/* All bytes of the chunk are here. */
static void chunk_end(struct smtp_feed *feed)
{
	struct smtp_server *server = feed->server;

	server->phase = PHASE_COMMAND;
	if (smtp_server_sent_ahead(feed))
		return;
	if (server->last_chunk) {
		if (!server->config->bdat_any_bytes && smtp_line_check_end(&server->check) != RC_OK) {
			chunk_dead(feed, SMTP_REFUSAL_LINE_ENDS, &bare_ends);
			return;
		}
		server->replies_owed = server->config->lmtp ? server->recipients : 1;
		smtp_server_ask(feed, SMTP_EVENT_BODY_END);
		return;
	}
	static const struct smtp_reply taken = SMTP_REPLY_INIT(250, 0, 0, "Chunk taken");
	smtp_server_put(server, &taken, feed->out);
}

/* How many bytes of the chunk are here. */
static size_t chunk_here(const struct smtp_feed *feed)
{
	const uint64_t left = feed->server->chunk_left;

	return left < feed->input->len ? (size_t)left : feed->input->len;
}

bool smtp_server_chunk_bytes(struct smtp_feed *feed)
{
	struct smtp_server *server = feed->server;

	if (server->bytes_max != 0 &&
	    (server->body_bytes > server->bytes_max || server->chunk_left > server->bytes_max - server->body_bytes)) {
		chunk_dead(feed, SMTP_REFUSAL_SIZE, &too_large);
		return true;
	}
	if (server->chunk_left == 0) {
		chunk_end(feed);
		return true;
	}
	if (feed->input->len == 0)
		return false;
	const struct slice body = slice_take(*feed->input, chunk_here(feed));
	if (!server->config->bdat_any_bytes && smtp_line_check(&server->check, body) != RC_OK) {
		chunk_dead(feed, SMTP_REFUSAL_LINE_ENDS, &bare_ends);
		return true;
	}
	*feed->input = slice_drop(*feed->input, body.len);
	server->chunk_left -= body.len;
	server->body_bytes += body.len;
	feed->event->kind = SMTP_EVENT_BODY;
	feed->event->body = body;
	return true;
}

bool smtp_server_chunk_swallow(struct smtp_feed *feed)
{
	struct smtp_server *server = feed->server;
	const size_t        count = chunk_here(feed);

	*feed->input = slice_drop(*feed->input, count);
	server->chunk_left -= count;
	server->swallowed += count;
	if (server->chunk_left != 0)
		return false;
	server->phase = PHASE_COMMAND;
	if (server->answer_owed) {
		const struct smtp_reply held = server->held;
		server->answer_owed = false;
		kill_message(server, &held, feed->out);
	}
	return true;
}

void smtp_server_data_decide(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	static const struct smtp_reply go = { .code = 354,
		                              .text = { (const uint8_t *)"Send the message, end with CRLF.CRLF", 36 } };
	const bool                     bdat = server->verb == SMTP_VERB_BDAT;

	server->pending = 0;
	if (reply == NULL || reply->code < 400) {
		smtp_server_move(server, bdat ? ON_BDAT : ON_DATA);
		server->phase = bdat ? PHASE_CHUNK : PHASE_DATA;
		if (!bdat)
			smtp_server_put(server, reply != NULL ? reply : &go, out);
		return;
	}
	if (bdat) {
		kill_message(server, reply, out);
		return;
	}
	smtp_server_put(server, reply, out);
	end_body(server);
}

void smtp_server_end_decide(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	static const struct smtp_reply ok = SMTP_REPLY_INIT(250, 0, 0, "Ok");

	must(server->replies_owed != 0);
	smtp_server_put(server, reply != NULL ? reply : &ok, out);
	if (--server->replies_owed != 0)
		return;
	server->pending = 0;
	server->transactions++;
	end_body(server);
}

void smtp_server_refuse_body(struct smtp_server *server, const struct smtp_reply *reply)
{
	must(server->phase == PHASE_DATA || server->phase == PHASE_CHUNK);
	must(reply->code >= 400);
	server->held = *reply;
	server->closing = SMTP_REFUSAL_NONE;
	if (server->phase == PHASE_DATA) {
		server->phase = PHASE_DATA_SWALLOW;
		return;
	}
	server->answer_owed = true;
	swallow_chunk(server);
}
