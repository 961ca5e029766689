/* MAIL and RCPT: RFC 5321 sections 4.1.1.2 and 4.1.1.3. */
#include "smtp/server_part.h"

#include "base/must.h"

struct answer {
	enum smtp_refusal refusal;
	struct smtp_reply reply;
};

#define ANSWER(fault_refusal, code, subject, detail, text)                    \
	{                                                                     \
		(fault_refusal), SMTP_REPLY_INIT(code, subject, detail, text) \
	}

/* What each fault of the arguments is answered: those of MAIL, then those of RCPT. */
static const struct answer answers[2][SMTP_FAULT_COUNT] = {
	{
		[SMTP_FAULT_FORM] = ANSWER(SMTP_REFUSAL_ARGUMENTS, 501, 5, 4, "Syntax: MAIL FROM:<address>"),
		[SMTP_FAULT_ADDRESS] = ANSWER(SMTP_REFUSAL_ADDRESS, 501, 1, 7, "Bad sender address syntax"),
		[SMTP_FAULT_LONG] = ANSWER(SMTP_REFUSAL_ADDRESS, 501, 1, 7, "Sender address too long"),
		[SMTP_FAULT_UTF8] = ANSWER(SMTP_REFUSAL_UTF8, 553, 6, 7, "This sender address needs SMTPUTF8"),
		[SMTP_FAULT_UNKNOWN] = ANSWER(SMTP_REFUSAL_PARAMETER, 555, 5, 4, "Unknown MAIL parameter"),
		[SMTP_FAULT_VALUE] = ANSWER(SMTP_REFUSAL_ARGUMENTS, 501, 5, 4, "Bad value of a MAIL parameter"),
		[SMTP_FAULT_TWICE] = ANSWER(SMTP_REFUSAL_ARGUMENTS, 501, 5, 4, "A MAIL parameter stands twice"),
	},
	{
		[SMTP_FAULT_FORM] = ANSWER(SMTP_REFUSAL_ARGUMENTS, 501, 5, 4, "Syntax: RCPT TO:<address>"),
		[SMTP_FAULT_ADDRESS] = ANSWER(SMTP_REFUSAL_ADDRESS, 501, 1, 3, "Bad recipient address syntax"),
		[SMTP_FAULT_LONG] = ANSWER(SMTP_REFUSAL_ADDRESS, 501, 1, 3, "Recipient address too long"),
		[SMTP_FAULT_UTF8] = ANSWER(SMTP_REFUSAL_UTF8, 553, 6, 7, "This recipient address needs SMTPUTF8"),
		[SMTP_FAULT_UNKNOWN] = ANSWER(SMTP_REFUSAL_PARAMETER, 555, 5, 4, "Unknown RCPT parameter"),
		[SMTP_FAULT_VALUE] = ANSWER(SMTP_REFUSAL_ARGUMENTS, 501, 5, 4, "Bad value of a RCPT parameter"),
		[SMTP_FAULT_TWICE] = ANSWER(SMTP_REFUSAL_ARGUMENTS, 501, 5, 4, "A RCPT parameter stands twice"),
	},
};

static void refuse_fault(struct smtp_feed *feed, bool rcpt, enum smtp_fault fault)
{
	must(fault != SMTP_FAULT_NONE && fault < SMTP_FAULT_COUNT);
	const struct answer *answer = &answers[rcpt][fault];
	smtp_server_refuse(feed, answer->refusal, &answer->reply);
}

/* AUTH= is a parameter wherever AUTH is configured, also before TLS: it is read and then weighed by the caller. */
static unsigned parameters_of(const struct smtp_server *server)
{
	return server->extensions;
}

static unsigned address_flags(const struct smtp_server *server)
{
	return (server->long_addresses ? ADDRESS_LONG : 0u) | (server->smtputf8 ? ADDRESS_UTF8 : 0u);
}

void smtp_server_mail(struct smtp_feed *feed)
{
	static const struct smtp_reply auth = SMTP_REPLY_INIT(530, 7, 0, "Authentication required");
	static const struct smtp_reply size = SMTP_REPLY_INIT(552, 3, 4, "Message larger than this server takes");
	struct smtp_server            *server = feed->server;

	if (!smtp_server_may(feed, ON_MAIL))
		return;
	if (server->config->auth_required && !server->authenticated) {
		smtp_server_refuse(feed, SMTP_REFUSAL_AUTH, &auth);
		return;
	}
	const enum smtp_fault fault =
		smtp_mail_read(feed->command.args, parameters_of(server), address_flags(server), &feed->event->mail);
	if (fault != SMTP_FAULT_NONE) {
		refuse_fault(feed, false, fault);
		return;
	}
	/* RFC 1870 section 6.1. */
	if (server->config->message_bytes_max != 0 && feed->event->mail.size > server->config->message_bytes_max) {
		smtp_server_refuse(feed, SMTP_REFUSAL_SIZE, &size);
		return;
	}
	server->smtputf8 = feed->event->mail.smtputf8;
	smtp_server_ask(feed, SMTP_EVENT_MAIL);
}

void smtp_server_rcpt(struct smtp_feed *feed)
{
	static const struct smtp_reply many =
		SMTP_REPLY_INIT(452, 5, 3, "Too many recipients; send the others in another transaction");
	struct smtp_server *server = feed->server;

	if (!smtp_server_may(feed, ON_RCPT))
		return;
	const enum smtp_fault fault =
		smtp_rcpt_read(feed->command.args, parameters_of(server), address_flags(server), &feed->event->rcpt);
	if (fault != SMTP_FAULT_NONE) {
		server->recipients_refused++;
		refuse_fault(feed, true, fault);
		return;
	}
	if (server->recipients >= server->config->recipients_max) {
		server->recipients_refused++;
		/* Lawful, and the way to say so: no error of the peer's (RFC 5321 section 4.5.3.1.10). */
		smtp_server_put(server, &many, feed->out);
		feed->event->kind = SMTP_EVENT_REFUSED;
		feed->event->refusal = SMTP_REFUSAL_RECIPIENTS;
		feed->event->reply = many;
		return;
	}
	smtp_server_ask(feed, SMTP_EVENT_RCPT);
}
