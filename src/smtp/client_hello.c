/* From the greeting to READY: EHLO with its fall back to HELO, STARTTLS, AUTH. */
#include "smtp/client_part.h"

#include "base/codec.h"
#include "base/memory.h"
#include "base/num.h"

#define CREDENTIALS_MAX 1024u

static const struct {
	const char *word;
	unsigned    extension;
} keywords[] = {
	{ "PIPELINING", SMTP_EXT_PIPELINING }, { "SIZE", SMTP_EXT_SIZE }, { "8BITMIME", SMTP_EXT_8BITMIME },
	{ "CHUNKING", SMTP_EXT_CHUNKING },     { "DSN", SMTP_EXT_DSN },   { "SMTPUTF8", SMTP_EXT_SMTPUTF8 },
	{ "STARTTLS", SMTP_EXT_STARTTLS },     { "AUTH", SMTP_EXT_AUTH }, { "ENHANCEDSTATUSCODES", SMTP_EXT_ENHANCED },
};

void smtp_client_hello(struct smtp_client *client, bool extended, struct buf *out)
{
	buf_put_str(out, client->config->lmtp ? "LHLO " : extended ? "EHLO " : "HELO ");
	buf_put(out, client->config->host);
	buf_put_str(out, "\r\n");
	client->extended = extended;
	client->extensions = 0;
	client->size_max = 0;
	client->auth_plain = false;
	client->auth_login = false;
	client->stage = SMTP_STAGE_HELLO;
}

void smtp_client_on_greeting(struct smtp_answer *answer)
{
	if (answer->reply->code != 220) {
		smtp_client_refused(answer, SMTP_STAGE_GREETING, true);
		return;
	}
	smtp_client_hello(answer->client, true, answer->out);
}

static void read_mechanisms(struct smtp_client *client, struct slice args)
{
	while (args.len != 0) {
		const struct slice word = slice_until(&args, ' ');
		if (slice_eq_nocase(word, SLICE("PLAIN")))
			client->auth_plain = true;
		else if (slice_eq_nocase(word, SLICE("LOGIN")))
			client->auth_login = true;
	}
}

/* One line of the answer to EHLO. Unknown keywords are nobody's (X-ANONYMOUSTLS, X-EXPS, XRDST ...). */
static void read_keyword(struct smtp_client *client, struct slice line)
{
	size_t end = 0;

	/* "AUTH=LOGIN" is how servers wrote it before RFC 2554. */
	while (end < line.len && line.ptr[end] != ' ' && line.ptr[end] != '=')
		end++;
	const struct slice word = slice_take(line, end), args = slice_trim(slice_drop(line, end + 1));
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
		if (slice_eq_nocase(word, slice_str(keywords[i].word)))
			client->extensions |= keywords[i].extension;
	}
	if (slice_eq_nocase(word, SLICE("SIZE"))) {
		/* Without a number, or with one we cannot read, there is no bound to go by. */
		if (num_u64(args, UINT64_MAX, &client->size_max) != RC_OK)
			client->size_max = 0;
	} else if (slice_eq_nocase(word, SLICE("AUTH"))) {
		read_mechanisms(client, args);
	}
}

static void read_keywords(struct smtp_client *client, struct slice raw)
{
	struct slice line;
	bool         first = true;

	while (smtp_reply_line(&raw, &line)) {
		if (!first)
			read_keyword(client, line);
		first = false;
	}
}

static void put_plain(const struct smtp_client_config *config, struct buf *out)
{
	struct buf plain = buf_make(CREDENTIALS_MAX);

	(void)buf_reserve(&plain, CREDENTIALS_MAX);
	buf_put_byte(&plain, '\0');
	buf_put(&plain, config->user);
	buf_put_byte(&plain, '\0');
	buf_put(&plain, config->password);
	if (plain.failed)
		out->failed = true;
	else
		codec_base64_encode(buf_slice(&plain), out);
	if (plain.ptr != NULL)
		memory_wipe(plain.ptr, plain.room);
	buf_done(&plain);
}

static void begin_auth(struct smtp_client *client, struct buf *out)
{
	client->stage = SMTP_STAGE_AUTH;
	client->auth_step = 0;
	if (client->auth_plain) {
		buf_put_str(out, "AUTH PLAIN ");
		put_plain(client->config, out);
		buf_put_str(out, "\r\n");
	} else {
		buf_put_str(out, "AUTH LOGIN\r\n");
	}
}

/* What comes next: STARTTLS, AUTH, or READY. */
static void next_step(struct smtp_answer *answer)
{
	struct smtp_client              *client = answer->client;
	const struct smtp_client_config *config = client->config;
	const bool                       offered = (client->extensions & SMTP_EXT_STARTTLS) != 0;

	if (!client->tls && config->tls != SMTP_CLIENT_TLS_NEVER && !client->starttls_refused) {
		if (offered) {
			buf_put_str(answer->out, "STARTTLS\r\n");
			client->stage = SMTP_STAGE_STARTTLS;
			return;
		}
		if (config->tls == SMTP_CLIENT_TLS_REQUIRED) {
			smtp_client_refused(answer, SMTP_STAGE_STARTTLS, false);
			return;
		}
	}
	if (config->user.len != 0 && !client->authenticated) {
		if ((client->tls || config->auth_in_clear) && (client->auth_plain || client->auth_login))
			begin_auth(client, answer->out);
		else
			smtp_client_refused(answer, SMTP_STAGE_AUTH, false);
		return;
	}
	client->stage = SMTP_STAGE_READY;
	answer->event->kind = SMTP_CLIENT_READY;
	answer->event->stage = SMTP_STAGE_READY;
}

void smtp_client_on_hello(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;
	const uint16_t      code = answer->reply->code;

	if (code == 250) {
		if (client->extended)
			read_keywords(client, answer->reply->raw);
		next_step(answer);
		return;
	}
	/*
	 * RFC 5321 section 3.2: a server that does not know EHLO is asked by HELO. 521 takes no mail at all (RFC 7504).
	 */
	if (code >= 500 && code != 521 && client->extended && !client->config->lmtp) {
		smtp_client_hello(client, false, answer->out);
		return;
	}
	smtp_client_refused(answer, SMTP_STAGE_HELLO, true);
}

void smtp_client_on_starttls(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;

	if (answer->reply->code != 220) {
		if (client->config->tls == SMTP_CLIENT_TLS_REQUIRED) {
			smtp_client_refused(answer, SMTP_STAGE_STARTTLS, true);
			return;
		}
		client->starttls_refused = true;
		next_step(answer);
		return;
	}
	if (answer->behind.len != 0) {
		smtp_client_break(client, RC_SYNTAX, answer->event);
		return;
	}
	client->stage = SMTP_STAGE_HANDSHAKE;
	smtp_client_tell(answer, SMTP_CLIENT_STARTTLS);
}

void smtp_client_on_auth(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;
	const uint16_t      code = answer->reply->code;

	if (code == 235) {
		client->authenticated = true;
		next_step(answer);
		return;
	}
	/* PLAIN: a server that wants the response asked for. LOGIN: user, then password. */
	const unsigned steps = client->auth_plain ? 1 : 2;
	if (code != 334 || client->auth_step == steps) {
		smtp_client_refused(answer, SMTP_STAGE_AUTH, true);
		return;
	}
	if (client->auth_plain)
		put_plain(client->config, answer->out);
	else if (client->auth_step == 0)
		codec_base64_encode(client->config->user, answer->out);
	else
		codec_base64_encode(client->config->password, answer->out);
	buf_put_str(answer->out, "\r\n");
	client->auth_step++;
}
