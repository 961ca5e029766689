/* EHLO, HELO, LHLO: RFC 5321 section 4.1.1.1, RFC 2033 section 4.1. What is offered is one list of keywords. */
#include "smtp/server_part.h"

#include "mail/domain.h"

static const struct {
	const char *word;
	unsigned    extension;
} keywords[] = {
	{ "PIPELINING", SMTP_EXT_PIPELINING },
	{ "SIZE", SMTP_EXT_SIZE },
	{ "STARTTLS", SMTP_EXT_STARTTLS },
	{ "AUTH PLAIN LOGIN", SMTP_EXT_AUTH },
	{ "ENHANCEDSTATUSCODES", SMTP_EXT_ENHANCED },
	{ "8BITMIME", SMTP_EXT_8BITMIME },
	{ "DSN", SMTP_EXT_DSN },
	{ "SMTPUTF8", SMTP_EXT_SMTPUTF8 },
	{ "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT REVERSE_NAME", SMTP_EXT_XCLIENT },
	{ "CHUNKING", SMTP_EXT_CHUNKING },
};

/* A name, a literal, or what broken clients make of it: visible bytes. Whether it is believed is the caller's. */
static bool is_name(struct slice name)
{
	if (name.len == 0 || name.len > DOMAIN_BYTES_MAX || !utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] <= ' ' || name.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

void smtp_server_hello(struct smtp_feed *feed)
{
	static const struct smtp_reply other = SMTP_REPLY_INIT(500, 5, 1, "Unknown command");
	static const struct smtp_reply form = SMTP_REPLY_INIT(501, 5, 4, "Say your host name or address literal");
	const bool                     is_lhlo = feed->command.verb == SMTP_VERB_LHLO;

	if (is_lhlo != feed->server->config->lmtp) {
		smtp_server_refuse(feed, SMTP_REFUSAL_VERB, &other);
		return;
	}
	if (!is_name(feed->command.args)) {
		smtp_server_refuse(feed, SMTP_REFUSAL_ARGUMENTS, &form);
		return;
	}
	smtp_server_idle(feed);
	if (feed->event->kind != SMTP_EVENT_NONE)
		return;
	feed->event->name = feed->command.args;
	smtp_server_ask(feed, SMTP_EVENT_HELLO);
}

static void put_line(struct slice text, bool last, struct buf *out)
{
	buf_put_str(out, last ? "250 " : "250-");
	buf_put(out, text);
}

void smtp_server_hello_accept(struct smtp_server *server, struct buf *out)
{
	server->extensions = server->config->extensions;
	const unsigned offers = server->verb == SMTP_VERB_HELO ? 0 : smtp_server_offers(server);
	unsigned       left = 0;

	smtp_server_move(server, ON_HELLO);
	smtp_server_forget(server);
	server->extended = server->verb != SMTP_VERB_HELO;
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
		left += (offers & keywords[i].extension) != 0;
	put_line(server->config->host, left == 0, out);
	buf_put_str(out, "\r\n");
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
		if (!(offers & keywords[i].extension))
			continue;
		put_line(slice_str(keywords[i].word), --left == 0, out);
		if (keywords[i].extension == SMTP_EXT_SIZE && server->config->message_bytes_max != 0) {
			buf_put_byte(out, ' ');
			buf_put_u64(out, server->config->message_bytes_max);
		}
		buf_put_str(out, "\r\n");
	}
}
