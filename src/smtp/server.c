/*
 * The frame of the server: phases, commands, refusals, decisions. Each verb has its own file beside this one; the order
 * of commands is smtp/order.c.
 */
#include "smtp/server.h"

#include "base/memory.h"
#include "base/must.h"
#include "smtp/server_part.h"

/* The longest decoded AUTH response or XCLIENT text: less than a command line. */
#define SECRET_MAX SMTP_COMMAND_LINE_MAX

static const char *const refusal_words[SMTP_REFUSAL_COUNT] = {
	[SMTP_REFUSAL_NONE] = "none",
	[SMTP_REFUSAL_VERB] = "unknown-command",
	[SMTP_REFUSAL_OFFER] = "not-offered",
	[SMTP_REFUSAL_FOREIGN] = "foreign-protocol",
	[SMTP_REFUSAL_ORDER] = "bad-sequence",
	[SMTP_REFUSAL_ARGUMENTS] = "bad-arguments",
	[SMTP_REFUSAL_ADDRESS] = "bad-address",
	[SMTP_REFUSAL_UTF8] = "utf8-without-smtputf8",
	[SMTP_REFUSAL_PARAMETER] = "unknown-parameter",
	[SMTP_REFUSAL_LINE_ENDS] = "bare-line-end",
	[SMTP_REFUSAL_LINE_LONG] = "line-too-long",
	[SMTP_REFUSAL_SIZE] = "message-too-large",
	[SMTP_REFUSAL_RECIPIENTS] = "too-many-recipients",
	[SMTP_REFUSAL_NO_RECIPIENT] = "no-valid-recipient",
	[SMTP_REFUSAL_TLS] = "tls-required",
	[SMTP_REFUSAL_AUTH] = "authentication-required",
	[SMTP_REFUSAL_AUTH_FORM] = "bad-authentication-exchange",
	[SMTP_REFUSAL_MEMORY] = "no-memory",
	[SMTP_REFUSAL_INJECTION] = "plaintext-behind-starttls",
	[SMTP_REFUSAL_CHUNK] = "bad-chunk-size",
	[SMTP_REFUSAL_ERRORS] = "too-many-errors",
	[SMTP_REFUSAL_DECIDED] = "message-refused-before",
	[SMTP_REFUSAL_AHEAD] = "sent-ahead",
};

const char *smtp_refusal_word(enum smtp_refusal refusal)
{
	return refusal < SMTP_REFUSAL_COUNT ? refusal_words[refusal] : refusal_words[SMTP_REFUSAL_NONE];
}

void smtp_server_init(struct smtp_server *server, const struct smtp_server_config *config,
                      const struct smtp_server_peer *peer)
{
	must(config->host.len != 0);
	*server = (struct smtp_server){
		.config = config,
		.extensions = config->extensions,
		.secret = buf_make(SECRET_MAX),
		.bytes_max = config->message_bytes_max,
		.at = SMTP_AT_START,
		.phase = PHASE_COMMAND,
		.tls = peer->tls,
		.xclient = peer->xclient,
		.long_addresses = peer->long_addresses,
	};
}

void smtp_server_wipe(struct smtp_server *server)
{
	if (server->secret.ptr != NULL)
		memory_wipe(server->secret.ptr, server->secret.room);
	buf_done(&server->secret);
}

void smtp_server_done(struct smtp_server *server)
{
	smtp_server_wipe(server);
}

void smtp_server_greet(struct smtp_server *server, struct slice text, struct buf *out)
{
	buf_put_str(out, "220 ");
	buf_put(out, server->config->host);
	buf_put_str(out, server->config->lmtp ? " LMTP Hangu" : " ESMTP Hangu");
	if (text.len != 0) {
		buf_put_byte(out, ' ');
		buf_put(out, text);
	}
	buf_put_str(out, "\r\n");
	server->greeted = true;
}

void smtp_server_put(const struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	smtp_reply_write(reply, (server->extensions & SMTP_EXT_ENHANCED) != 0, out);
}

static void close_with(struct smtp_server *server, enum smtp_refusal refusal)
{
	server->phase = PHASE_CLOSE;
	server->closing = refusal;
	server->pending = 0;
}

/* Count an error; true when that was one too many, the 421 is written and the session over. */
static bool count_error(struct smtp_feed *feed)
{
	struct smtp_server *server = feed->server;
	const uint32_t      max = server->config->errors_max;

	if (server->errors != UINT32_MAX)
		server->errors++;
	if (max == 0 || server->errors <= max)
		return false;
	const struct smtp_reply reply = SMTP_REPLY(421, 7, 0, "Too many errors, closing the connection");
	smtp_server_put(server, &reply, feed->out);
	close_with(server, SMTP_REFUSAL_ERRORS);
	feed->event->kind = SMTP_EVENT_REFUSED;
	feed->event->refusal = SMTP_REFUSAL_ERRORS;
	feed->event->reply = reply;
	return true;
}

void smtp_server_refuse(struct smtp_feed *feed, enum smtp_refusal refusal, const struct smtp_reply *reply)
{
	if (count_error(feed))
		return;
	smtp_server_put(feed->server, reply, feed->out);
	feed->event->kind = SMTP_EVENT_REFUSED;
	feed->event->refusal = refusal;
	feed->event->reply = *reply;
}

void smtp_server_refuse_last(struct smtp_feed *feed, enum smtp_refusal refusal, const struct smtp_reply *reply)
{
	smtp_server_put(feed->server, reply, feed->out);
	if (feed->server->errors != UINT32_MAX)
		feed->server->errors++;
	close_with(feed->server, refusal);
	feed->event->kind = SMTP_EVENT_REFUSED;
	feed->event->refusal = refusal;
	feed->event->reply = *reply;
}

void smtp_server_idle(struct smtp_feed *feed)
{
	if (feed->server->idle < SMTP_IDLE_COMMANDS_MAX)
		feed->server->idle++;
	else
		(void)count_error(feed);
}

void smtp_server_ask(struct smtp_feed *feed, enum smtp_event_kind kind)
{
	feed->server->pending = (uint8_t)kind;
	feed->server->verb = (uint8_t)feed->event->verb;
	feed->event->kind = kind;
}

void smtp_server_refuse_order(struct smtp_feed *feed)
{
	static const struct smtp_reply start = SMTP_REPLY_INIT(503, 5, 1, "Send EHLO first");
	static const struct smtp_reply other = SMTP_REPLY_INIT(503, 5, 1, "Bad sequence of commands");
	static const struct smtp_reply nested =
		SMTP_REPLY_INIT(503, 5, 1, "A transaction is open already; send RSET first");
	static const struct smtp_reply sender = SMTP_REPLY_INIT(503, 5, 1, "Send MAIL first");
	static const struct smtp_reply none = SMTP_REPLY_INIT(503, 5, 1, "Send RCPT first");
	const struct smtp_reply       *reply = &other;
	const enum smtp_verb           verb = feed->event->verb;

	switch ((enum smtp_at)feed->server->at) {
	case SMTP_AT_START:
		reply = &start;
		break;
	case SMTP_AT_READY:
		reply = &sender;
		break;
	case SMTP_AT_MAIL:
		reply = verb == SMTP_VERB_DATA || verb == SMTP_VERB_BDAT ? &none : &nested;
		break;
	case SMTP_AT_RCPT:
	case SMTP_AT_BDAT:
	case SMTP_AT_DEAD:
		if (verb == SMTP_VERB_MAIL)
			reply = &nested;
		break;
	case SMTP_AT_COUNT:
		break;
	}
	smtp_server_refuse(feed, SMTP_REFUSAL_ORDER, reply);
}

bool smtp_server_may(struct smtp_feed *feed, enum smtp_on on)
{
	enum smtp_at next;

	if (smtp_order((enum smtp_at)feed->server->at, on, &next))
		return true;
	smtp_server_refuse_order(feed);
	return false;
}

void smtp_server_move(struct smtp_server *server, enum smtp_on on)
{
	enum smtp_at next = SMTP_AT_START;

	must(smtp_order((enum smtp_at)server->at, on, &next));
	server->at = (uint8_t)next;
}

void smtp_server_forget(struct smtp_server *server)
{
	server->recipients = 0;
	server->recipients_refused = 0;
	server->replies_owed = 0;
	server->body_bytes = 0;
	server->bytes_max = server->config->message_bytes_max;
	server->smtputf8 = false;
	server->last_chunk = false;
}

unsigned smtp_server_offers(const struct smtp_server *server)
{
	unsigned offers = server->extensions;

	if (server->tls)
		offers &= ~(unsigned)SMTP_EXT_STARTTLS;
	else
		offers &= ~(unsigned)SMTP_EXT_AUTH;
	if (!server->xclient)
		offers &= ~(unsigned)SMTP_EXT_XCLIENT;
	return offers;
}

static void do_rset(struct smtp_feed *feed)
{
	static const struct smtp_reply ok = SMTP_REPLY_INIT(250, 0, 0, "Ok");

	smtp_server_move(feed->server, ON_RSET);
	smtp_server_forget(feed->server);
	smtp_server_put(feed->server, &ok, feed->out);
	feed->event->kind = SMTP_EVENT_RESET;
	smtp_server_idle(feed);
}

static void do_told(struct smtp_feed *feed, const struct smtp_reply *reply)
{
	smtp_server_put(feed->server, reply, feed->out);
	smtp_server_idle(feed);
}

static void do_vrfy(struct smtp_feed *feed)
{
	static const struct smtp_reply vrfy =
		SMTP_REPLY_INIT(252, 1, 5, "Cannot verify, but will take a message and try");
	static const struct smtp_reply expn = SMTP_REPLY_INIT(502, 5, 1, "EXPN is not offered");
	static const struct smtp_reply empty = SMTP_REPLY_INIT(501, 5, 4, "Say whom to verify");

	if (feed->command.args.len == 0) {
		smtp_server_refuse(feed, SMTP_REFUSAL_ARGUMENTS, &empty);
		return;
	}
	if (feed->command.verb == SMTP_VERB_EXPN) {
		smtp_server_refuse(feed, SMTP_REFUSAL_OFFER, &expn);
		return;
	}
	feed->event->kind = SMTP_EVENT_VRFY;
	feed->event->name = feed->command.args;
	do_told(feed, &vrfy);
}

static void do_quit(struct smtp_feed *feed)
{
	static const struct smtp_reply bye = SMTP_REPLY_INIT(221, 0, 0, "Bye");

	smtp_server_put(feed->server, &bye, feed->out);
	close_with(feed->server, SMTP_REFUSAL_NONE);
	feed->event->kind = SMTP_EVENT_QUIT;
}

/*
 * RFC 3207 section 4: what a client may do before TLS on a listener that demands it. BDAT is judged where its size is
 * known.
 */
static bool needs_tls(const struct smtp_feed *feed)
{
	if (!feed->server->config->tls_required || feed->server->tls)
		return false;
	switch (feed->command.verb) {
	case SMTP_VERB_MAIL:
	case SMTP_VERB_RCPT:
	case SMTP_VERB_DATA:
	case SMTP_VERB_VRFY:
	case SMTP_VERB_EXPN:
	case SMTP_VERB_XCLIENT:
		return true;
	case SMTP_VERB_UNKNOWN:
	case SMTP_VERB_HELO:
	case SMTP_VERB_EHLO:
	case SMTP_VERB_LHLO:
	case SMTP_VERB_BDAT:
	case SMTP_VERB_RSET:
	case SMTP_VERB_NOOP:
	case SMTP_VERB_QUIT:
	case SMTP_VERB_HELP:
	case SMTP_VERB_STARTTLS:
	case SMTP_VERB_AUTH:
	case SMTP_VERB_FOREIGN:
	case SMTP_VERB_COUNT:
		break;
	}
	return false;
}

static void do_command(struct smtp_feed *feed)
{
	static const struct smtp_reply unknown = SMTP_REPLY_INIT(500, 5, 1, "Unknown command");
	static const struct smtp_reply foreign = SMTP_REPLY_INIT(500, 5, 1, "This is SMTP; closing the connection");
	static const struct smtp_reply tls = SMTP_REPLY_INIT(530, 7, 0, "Must issue a STARTTLS command first");
	static const struct smtp_reply ok = SMTP_REPLY_INIT(250, 0, 0, "Ok");
	static const struct smtp_reply help = SMTP_REPLY_INIT(214, 0, 0, "See RFC 5321");

	if (needs_tls(feed)) {
		smtp_server_refuse(feed, SMTP_REFUSAL_TLS, &tls);
		return;
	}
	switch (feed->command.verb) {
	case SMTP_VERB_HELO:
	case SMTP_VERB_EHLO:
	case SMTP_VERB_LHLO:
		smtp_server_hello(feed);
		break;
	case SMTP_VERB_MAIL:
		smtp_server_mail(feed);
		break;
	case SMTP_VERB_RCPT:
		smtp_server_rcpt(feed);
		break;
	case SMTP_VERB_DATA:
		smtp_server_data(feed);
		break;
	case SMTP_VERB_BDAT:
		smtp_server_bdat(feed);
		break;
	case SMTP_VERB_STARTTLS:
		smtp_server_starttls(feed);
		break;
	case SMTP_VERB_AUTH:
		smtp_server_auth(feed);
		break;
	case SMTP_VERB_XCLIENT:
		smtp_server_xclient(feed);
		break;
	case SMTP_VERB_RSET:
		do_rset(feed);
		break;
	case SMTP_VERB_NOOP:
		do_told(feed, &ok);
		break;
	case SMTP_VERB_HELP:
		do_told(feed, &help);
		break;
	case SMTP_VERB_VRFY:
	case SMTP_VERB_EXPN:
		do_vrfy(feed);
		break;
	case SMTP_VERB_QUIT:
		do_quit(feed);
		break;
	case SMTP_VERB_FOREIGN:
		smtp_server_refuse_last(feed, SMTP_REFUSAL_FOREIGN, &foreign);
		break;
	case SMTP_VERB_UNKNOWN:
	case SMTP_VERB_COUNT:
		smtp_server_refuse(feed, SMTP_REFUSAL_VERB, &unknown);
		break;
	}
}

bool smtp_server_take_line(struct smtp_feed *feed, struct slice *line)
{
	static const struct smtp_reply bare =
		SMTP_REPLY_INIT(500, 5, 2, "A bare CR, a bare LF or a NUL; closing the connection");
	static const struct smtp_reply wide = SMTP_REPLY_INIT(500, 5, 2, "Line too long; closing the connection");
	const bool                     lf_ends = feed->server->config->line_ends == SMTP_LINE_ENDS_NORMALISE;

	const enum rc rc = smtp_line_take(feed->input, SMTP_COMMAND_LINE_MAX, lf_ends, line);

	if (rc == RC_LIMIT)
		smtp_server_refuse_last(feed, SMTP_REFUSAL_LINE_LONG, &wide);
	else if (rc == RC_SYNTAX)
		smtp_server_refuse_last(feed, SMTP_REFUSAL_LINE_ENDS, &bare);
	return rc == RC_OK;
}

/*
 * Without PIPELINING nothing may follow before the answer (RFC 2920 section 3.1): who goes on talking does not listen.
 * The bytes of a chunk belong to its command.
 */
bool smtp_server_sent_ahead(struct smtp_feed *feed)
{
	static const struct smtp_reply ahead =
		SMTP_REPLY_INIT(554, 5, 0, "Commands were sent ahead of an answer; closing the connection");

	if (feed->server->extensions & SMTP_EXT_PIPELINING || feed->input->len == 0)
		return false;
	smtp_server_refuse_last(feed, SMTP_REFUSAL_AHEAD, &ahead);
	return true;
}

static bool command_line(struct smtp_feed *feed)
{
	struct slice line;

	if (!smtp_server_take_line(feed, &line))
		return feed->event->kind != SMTP_EVENT_NONE;
	feed->command = smtp_command_read(line);
	feed->event->verb = feed->command.verb;
	/* A line of AUTH may hold a password. */
	if (feed->command.verb != SMTP_VERB_AUTH)
		feed->event->line = line;
	if (feed->command.verb == SMTP_VERB_BDAT || !smtp_server_sent_ahead(feed))
		do_command(feed);
	return true;
}

/* Bytes between STARTTLS and the handshake, RFC 3207 section 4.2 and CVE-2011-0411: nothing of it may live on. */
static bool tls_bytes(struct smtp_feed *feed)
{
	if (feed->input->len == 0)
		return false;
	close_with(feed->server, SMTP_REFUSAL_INJECTION);
	return true;
}

static bool closed(struct smtp_feed *feed)
{
	*feed->input = (struct slice){ NULL, 0 };
	feed->event->kind = SMTP_EVENT_CLOSE;
	feed->event->refusal = feed->server->closing;
	return true;
}

static bool feed_phase(struct smtp_feed *feed)
{
	switch ((enum smtp_phase)feed->server->phase) {
	case PHASE_COMMAND:
		return command_line(feed);
	case PHASE_AUTH:
		return smtp_server_auth_line(feed);
	case PHASE_DATA:
		return smtp_server_data_bytes(feed);
	case PHASE_DATA_SWALLOW:
		return smtp_server_data_swallow(feed);
	case PHASE_CHUNK:
		return smtp_server_chunk_bytes(feed);
	case PHASE_CHUNK_SWALLOW:
		return smtp_server_chunk_swallow(feed);
	case PHASE_TLS:
		return tls_bytes(feed);
	case PHASE_CLOSE:
		return closed(feed);
	}
	return false;
}

enum smtp_event_kind smtp_server_feed(struct smtp_server *server, struct slice *input, struct buf *out,
                                      struct smtp_event *event)
{
	struct smtp_feed feed = { .server = server, .input = input, .out = out, .event = event };

	*event = (struct smtp_event){ .kind = SMTP_EVENT_NONE };
	if (!server->greeted && server->phase != PHASE_CLOSE)
		return SMTP_EVENT_NONE;
	while (server->pending == 0 && event->kind == SMTP_EVENT_NONE) {
		*event = (struct smtp_event){ .kind = SMTP_EVENT_NONE };
		if (!feed_phase(&feed))
			break;
	}
	return event->kind;
}

/* The pending event is decided; `reply` NULL or 2xx/3xx: accepted. */
static void decide(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	static const struct smtp_reply tls = SMTP_REPLY_INIT(220, 0, 0, "Ready to start TLS");
	static const struct smtp_reply authenticated = SMTP_REPLY_INIT(235, 7, 0, "Authentication successful");
	static const struct smtp_reply sender = SMTP_REPLY_INIT(250, 1, 0, "Sender ok");
	static const struct smtp_reply recipient = SMTP_REPLY_INIT(250, 1, 5, "Recipient ok");
	const bool                     accepted = reply == NULL || reply->code < 400;
	const struct smtp_reply       *standard = NULL;
	const enum smtp_event_kind     kind = (enum smtp_event_kind)server->pending;

	if (kind == SMTP_EVENT_DATA || kind == SMTP_EVENT_BODY_END) {
		if (kind == SMTP_EVENT_DATA)
			smtp_server_data_decide(server, reply, out);
		else
			smtp_server_end_decide(server, reply, out);
		return;
	}
	server->pending = 0;
	if (kind == SMTP_EVENT_AUTH || kind == SMTP_EVENT_XCLIENT)
		smtp_server_wipe(server);
	if (kind == SMTP_EVENT_RCPT && !accepted)
		server->recipients_refused++;
	if (!accepted) {
		smtp_server_put(server, reply, out);
		return;
	}
	if (kind == SMTP_EVENT_HELLO) {
		smtp_server_hello_accept(server, out);
		return;
	}
	if (kind == SMTP_EVENT_STARTTLS) {
		standard = &tls;
		smtp_server_move(server, ON_STARTTLS);
		smtp_server_forget(server);
		server->phase = PHASE_TLS;
	} else if (kind == SMTP_EVENT_AUTH) {
		standard = &authenticated;
		smtp_server_move(server, ON_AUTH);
		server->authenticated = true;
	} else if (kind == SMTP_EVENT_MAIL) {
		standard = &sender;
		smtp_server_move(server, ON_MAIL);
	} else if (kind == SMTP_EVENT_RCPT) {
		standard = &recipient;
		smtp_server_move(server, ON_RCPT);
		server->recipients++;
	} else {
		must(kind == SMTP_EVENT_XCLIENT);
		smtp_server_move(server, ON_XCLIENT);
		smtp_server_forget(server);
		server->extended = false;
		server->authenticated = false;
		smtp_server_greet(server, (struct slice){ NULL, 0 }, out);
		return;
	}
	smtp_server_put(server, reply != NULL ? reply : standard, out);
}

void smtp_server_accept(struct smtp_server *server, struct buf *out)
{
	must(server->pending != 0);
	decide(server, NULL, out);
}

void smtp_server_reply(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	must(server->pending != 0);
	must(reply->code >= 400 || (server->pending != SMTP_EVENT_HELLO && server->pending != SMTP_EVENT_STARTTLS &&
	                            server->pending != SMTP_EVENT_XCLIENT));
	decide(server, reply, out);
	if ((reply->code == 421 || reply->code == 521) && server->pending == 0)
		close_with(server, SMTP_REFUSAL_NONE);
}

void smtp_server_limit(struct smtp_server *server, uint64_t message_bytes_max)
{
	server->bytes_max = message_bytes_max;
}

bool smtp_server_between(const struct smtp_server *server)
{
	return server->greeted && server->phase == PHASE_COMMAND && server->pending == 0 && server->at <= SMTP_AT_READY;
}

void smtp_server_change(struct smtp_server *server, const struct smtp_server_config *config, const struct smtp_server_peer *peer)
{
	must(smtp_server_between(server));
	must(config->lmtp == server->config->lmtp);
	server->config = config;
	server->bytes_max = config->message_bytes_max;
	server->xclient = peer->xclient;
	server->long_addresses = peer->long_addresses;
}

void smtp_server_tls_started(struct smtp_server *server)
{
	must(server->phase == PHASE_TLS);
	server->phase = PHASE_COMMAND;
	server->tls = true;
	server->at = SMTP_AT_START;
	server->extended = false;
	server->authenticated = false;
}

void smtp_server_end(struct smtp_server *server, const struct smtp_reply *reply, struct buf *out)
{
	smtp_server_put(server, reply, out);
	close_with(server, SMTP_REFUSAL_NONE);
}

bool smtp_server_in_body(const struct smtp_server *server)
{
	return server->phase == PHASE_DATA || server->phase == PHASE_DATA_SWALLOW || server->phase == PHASE_CHUNK ||
	       server->phase == PHASE_CHUNK_SWALLOW;
}
