/*
 * The frame of the client: which reply is due, how a session ends, what is waited for. Session set-up is
 * client_hello.c, a transaction client_transaction.c.
 */
#include "smtp/client.h"

#include "base/must.h"
#include "smtp/client_part.h"

static const char *const stage_words[SMTP_STAGE_COUNT] = {
	[SMTP_STAGE_GREETING] = "greeting",   [SMTP_STAGE_HELLO] = "ehlo",    [SMTP_STAGE_STARTTLS] = "starttls",
	[SMTP_STAGE_HANDSHAKE] = "handshake", [SMTP_STAGE_AUTH] = "auth",     [SMTP_STAGE_READY] = "ready",
	[SMTP_STAGE_MAIL] = "mail",           [SMTP_STAGE_RCPT] = "rcpt",     [SMTP_STAGE_DATA] = "data",
	[SMTP_STAGE_BODY] = "body",           [SMTP_STAGE_FINAL] = "dot",     [SMTP_STAGE_RSET] = "rset",
	[SMTP_STAGE_QUIT] = "quit",           [SMTP_STAGE_CLOSED] = "closed",
};

const char *smtp_client_stage_word(enum smtp_client_stage stage)
{
	return stage < SMTP_STAGE_COUNT ? stage_words[stage] : "unknown";
}

void smtp_client_init(struct smtp_client *client, const struct smtp_client_config *config)
{
	must(config->host.len != 0);
	*client = (struct smtp_client){
		.config = config,
		.stage = SMTP_STAGE_GREETING,
		.tls = config->tls_on_connect,
	};
}

void smtp_client_tell(struct smtp_answer *answer, enum smtp_client_event_kind kind)
{
	answer->event->kind = kind;
	answer->event->reply = *answer->reply;
}

void smtp_client_refused(struct smtp_answer *answer, enum smtp_client_stage stage, bool answered)
{
	answer->event->kind = SMTP_CLIENT_REFUSED;
	answer->event->stage = stage;
	if (answered)
		answer->event->reply = *answer->reply;
	answer->client->stage = SMTP_STAGE_QUIT;
	buf_put_str(answer->out, "QUIT\r\n");
}

void smtp_client_break(struct smtp_client *client, enum rc rc, struct smtp_client_event *event)
{
	client->fate = (uint8_t)smtp_client_lost(client);
	client->stage = SMTP_STAGE_CLOSED;
	event->kind = SMTP_CLIENT_BROKEN;
	event->rc = rc;
}

/*
 * 421, RFC 5321 section 3.8: the peer ends the session, whatever was asked. It is a definite answer to all that is
 * open.
 */
static void on_closing(struct smtp_answer *answer)
{
	smtp_client_tell(answer, SMTP_CLIENT_CLOSING);
	answer->client->fate = RC_OK;
	answer->client->stage = SMTP_STAGE_CLOSED;
}

static void on_reply(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;

	answer->event->stage = (enum smtp_client_stage)client->stage;
	if (answer->reply->code == 421 || client->stage == SMTP_STAGE_QUIT) {
		on_closing(answer);
		return;
	}
	switch ((enum smtp_client_stage)client->stage) {
	case SMTP_STAGE_GREETING:
		smtp_client_on_greeting(answer);
		break;
	case SMTP_STAGE_HELLO:
		smtp_client_on_hello(answer);
		break;
	case SMTP_STAGE_STARTTLS:
		smtp_client_on_starttls(answer);
		break;
	case SMTP_STAGE_AUTH:
		smtp_client_on_auth(answer);
		break;
	case SMTP_STAGE_RSET:
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RCPT:
	case SMTP_STAGE_DATA:
		smtp_client_on_transaction(answer);
		break;
	case SMTP_STAGE_BODY:
		smtp_client_on_body(answer);
		break;
	case SMTP_STAGE_FINAL:
		smtp_client_on_final(answer);
		break;
	case SMTP_STAGE_HANDSHAKE:
	case SMTP_STAGE_READY:
		/* Nothing was asked. */
		smtp_client_break(client, RC_SYNTAX, answer->event);
		break;
	case SMTP_STAGE_QUIT:
	case SMTP_STAGE_CLOSED:
	case SMTP_STAGE_COUNT:
		break;
	}
}

/* What is due before the next reply is looked at. */
static bool tell_owed(struct smtp_client *client, struct smtp_client_event *event)
{
	const enum smtp_client_event_kind kind = (enum smtp_client_event_kind)client->owed;

	if (kind == SMTP_CLIENT_NONE)
		return false;
	client->owed = SMTP_CLIENT_NONE;
	event->kind = kind;
	event->chunked = kind == SMTP_CLIENT_BODY;
	if (kind == SMTP_CLIENT_DONE) {
		client->stage = SMTP_STAGE_READY;
		client->envelope = NULL;
	} else if (kind == SMTP_CLIENT_CLOSING) {
		client->fate = RC_OK;
		client->stage = SMTP_STAGE_CLOSED;
	}
	event->stage = (enum smtp_client_stage)client->stage;
	return true;
}

enum smtp_client_event_kind smtp_client_feed(struct smtp_client *client, struct slice *input, struct buf *out,
                                             struct smtp_client_event *event)
{
	*event = (struct smtp_client_event){ .kind = SMTP_CLIENT_NONE };
	while (event->kind == SMTP_CLIENT_NONE && !tell_owed(client, event)) {
		if (client->stage == SMTP_STAGE_CLOSED) {
			*input = (struct slice){ NULL, 0 };
			break;
		}
		/* Between 220 and the handshake any byte of plain text is an attacker's (response injection). */
		if (client->stage == SMTP_STAGE_HANDSHAKE && input->len != 0) {
			smtp_client_break(client, RC_SYNTAX, event);
			break;
		}
		struct smtp_reply_read reply;
		const enum rc          rc = smtp_reply_take(input, &reply);
		if (rc == RC_AGAIN)
			break;
		if (rc != RC_OK) {
			smtp_client_break(client, rc, event);
			break;
		}
		client->errors += reply.code >= 500 && reply.code <= 504;
		struct smtp_answer answer = {
			.client = client,
			.reply = &reply,
			.behind = *input,
			.out = out,
			.event = event,
		};
		on_reply(&answer);
	}
	return event->kind;
}

void smtp_client_tls_started(struct smtp_client *client, struct buf *out)
{
	must(client->stage == SMTP_STAGE_HANDSHAKE);
	client->tls = true;
	smtp_client_hello(client, true, out);
}

bool smtp_client_ready(const struct smtp_client *client)
{
	return client->stage == SMTP_STAGE_READY && client->owed == SMTP_CLIENT_NONE;
}

void smtp_client_quit(struct smtp_client *client, struct buf *out)
{
	must(smtp_client_ready(client));
	buf_put_str(out, "QUIT\r\n");
	client->stage = SMTP_STAGE_QUIT;
}

void smtp_client_body_sent(struct smtp_client *client)
{
	if (client->stage == SMTP_STAGE_BODY)
		client->stage = SMTP_STAGE_FINAL;
}

enum rc smtp_client_lost(const struct smtp_client *client)
{
	switch ((enum smtp_client_stage)client->stage) {
	case SMTP_STAGE_GREETING:
	case SMTP_STAGE_HELLO:
	case SMTP_STAGE_STARTTLS:
	case SMTP_STAGE_HANDSHAKE:
	case SMTP_STAGE_AUTH:
	case SMTP_STAGE_READY:
	case SMTP_STAGE_QUIT:
		return RC_OK;
	case SMTP_STAGE_RSET:
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RCPT:
	case SMTP_STAGE_DATA:
	case SMTP_STAGE_BODY:
		return client->owed == SMTP_CLIENT_DONE ? RC_OK : RC_CLOSED;
	case SMTP_STAGE_FINAL:
		if (client->owed == SMTP_CLIENT_DONE)
			return RC_OK;
		return client->accepted != 0 ? RC_UNCERTAIN : RC_CLOSED;
	case SMTP_STAGE_CLOSED:
	case SMTP_STAGE_COUNT:
		break;
	}
	return (enum rc)client->fate;
}

unsigned smtp_client_timeout_s(const struct smtp_client *client)
{
	/* RFC 5321 section 4.5.3.2; what it does not name waits as long as MAIL. */
	static const unsigned seconds[SMTP_STAGE_COUNT] = {
		[SMTP_STAGE_GREETING] = 300,  [SMTP_STAGE_HELLO] = 300, [SMTP_STAGE_STARTTLS] = 120,
		[SMTP_STAGE_HANDSHAKE] = 120, [SMTP_STAGE_AUTH] = 300,  [SMTP_STAGE_READY] = 300,
		[SMTP_STAGE_MAIL] = 300,      [SMTP_STAGE_RCPT] = 300,  [SMTP_STAGE_DATA] = 120,
		[SMTP_STAGE_BODY] = 180,      [SMTP_STAGE_FINAL] = 600, [SMTP_STAGE_RSET] = 300,
		[SMTP_STAGE_QUIT] = 10,       [SMTP_STAGE_CLOSED] = 0,
	};

	must(client->stage < SMTP_STAGE_COUNT);
	return seconds[client->stage];
}
