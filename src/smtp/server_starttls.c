/* STARTTLS (RFC 3207) and XCLIENT: the two commands after which a session begins anew. */
#include "smtp/server_part.h"

void smtp_server_starttls(struct smtp_feed *feed)
{
	static const struct smtp_reply none = SMTP_REPLY_INIT(502, 5, 1, "STARTTLS is not offered");
	static const struct smtp_reply on = SMTP_REPLY_INIT(503, 5, 1, "TLS is on already");
	static const struct smtp_reply form = SMTP_REPLY_INIT(501, 5, 4, "STARTTLS takes no arguments");
	static const struct smtp_reply behind =
		SMTP_REPLY_INIT(554, 5, 0, "Commands were sent behind STARTTLS in plain text; closing the connection");
	struct smtp_server *server = feed->server;

	if (!(server->extensions & SMTP_EXT_STARTTLS)) {
		smtp_server_refuse(feed, SMTP_REFUSAL_OFFER, &none);
		return;
	}
	if (server->tls) {
		smtp_server_refuse(feed, SMTP_REFUSAL_ORDER, &on);
		return;
	}
	if (!smtp_server_may(feed, ON_STARTTLS))
		return;
	if (feed->command.args.len != 0) {
		smtp_server_refuse(feed, SMTP_REFUSAL_ARGUMENTS, &form);
		return;
	}
	/* RFC 3207 section 4: the client waits for the answer. What came with the command may be an attacker's. */
	if (feed->input->len != 0) {
		smtp_server_refuse_last(feed, SMTP_REFUSAL_INJECTION, &behind);
		return;
	}
	smtp_server_ask(feed, SMTP_EVENT_STARTTLS);
}

void smtp_server_xclient(struct smtp_feed *feed)
{
	static const struct smtp_reply denied = SMTP_REPLY_INIT(550, 7, 0, "XCLIENT is not for you");
	static const struct smtp_reply form = SMTP_REPLY_INIT(501, 5, 4, "Bad XCLIENT attribute");
	static const struct smtp_reply memory = SMTP_REPLY_INIT(421, 3, 2, "No memory");
	struct smtp_server            *server = feed->server;

	if (!(smtp_server_offers(server) & SMTP_EXT_XCLIENT)) {
		smtp_server_refuse(feed, SMTP_REFUSAL_OFFER, &denied);
		return;
	}
	if (!smtp_server_may(feed, ON_XCLIENT))
		return;
	/* Room for all the texts first: then a limit found by the reader is the peer's fault. */
	smtp_server_wipe(server);
	if (buf_reserve(&server->secret, SMTP_COMMAND_LINE_MAX) == NULL) {
		smtp_server_wipe(server);
		smtp_server_refuse_last(feed, SMTP_REFUSAL_MEMORY, &memory);
		return;
	}
	if (xclient_read(feed->command.args, &server->secret, &feed->event->xclient) != RC_OK) {
		smtp_server_wipe(server);
		smtp_server_refuse(feed, SMTP_REFUSAL_ARGUMENTS, &form);
		return;
	}
	smtp_server_ask(feed, SMTP_EVENT_XCLIENT);
}
