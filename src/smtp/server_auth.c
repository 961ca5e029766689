/*
 * AUTH PLAIN and LOGIN: RFC 4954, RFC 4616. Over TLS only. Credentials are decoded into server->secret, handed out with
 * the event, and wiped when it is decided; whether they are right is checked elsewhere.
 */
#include "smtp/server_part.h"

#include "base/codec.h"

static const struct smtp_reply bad_base64 = SMTP_REPLY_INIT(501, 5, 2, "Cannot decode this response");

/* The exchange is over without an event. */
static void give_up(struct smtp_feed *feed, enum smtp_refusal refusal, const struct smtp_reply *reply)
{
	feed->server->phase = PHASE_COMMAND;
	smtp_server_wipe(feed->server);
	smtp_server_refuse(feed, refusal, reply);
}

/* Append the decoded response to the secret. False: it has been refused. */
static bool decode(struct smtp_feed *feed, struct slice response)
{
	static const struct smtp_reply memory = SMTP_REPLY_INIT(454, 7, 0, "Temporary authentication failure");
	struct buf                    *secret = &feed->server->secret;

	/* Room for everything at once: a buf that grows leaves its old bytes behind. */
	const bool    room = buf_reserve(secret, secret->max - secret->len) != NULL;
	const enum rc rc = !room ? RC_NOMEM : codec_base64_decode(response, secret);
	if (rc == RC_OK)
		return true;
	if (rc == RC_SYNTAX)
		give_up(feed, SMTP_REFUSAL_AUTH_FORM, &bad_base64);
	else
		give_up(feed, SMTP_REFUSAL_MEMORY, &memory);
	return false;
}

/* authzid NUL user NUL password. */
static void plain_response(struct smtp_feed *feed, struct slice response)
{
	struct smtp_credentials auth = { .mechanism = SMTP_AUTH_PLAIN };

	if (!decode(feed, response))
		return;
	struct slice rest = buf_slice(&feed->server->secret);
	const size_t first = slice_find(rest, '\0');
	auth.authzid = slice_until(&rest, '\0');
	const size_t second = slice_find(rest, '\0');
	const bool   whole = second < rest.len && first < feed->server->secret.len;
	auth.user = slice_until(&rest, '\0');
	auth.password = rest;
	if (!whole || auth.user.len == 0 || slice_find(rest, '\0') != rest.len) {
		give_up(feed, SMTP_REFUSAL_AUTH_FORM, &bad_base64);
		return;
	}
	feed->server->phase = PHASE_COMMAND;
	feed->event->auth = auth;
	smtp_server_ask(feed, SMTP_EVENT_AUTH);
}

static void login_user(struct smtp_feed *feed, struct slice response)
{
	if (!decode(feed, response))
		return;
	const struct slice user = buf_slice(&feed->server->secret);
	if (user.len == 0 || slice_find(user, '\0') != user.len) {
		give_up(feed, SMTP_REFUSAL_AUTH_FORM, &bad_base64);
		return;
	}
	feed->server->user_bytes = (uint16_t)user.len;
	feed->server->phase = PHASE_AUTH;
	buf_put_str(feed->out, "334 UGFzc3dvcmQ6\r\n"); /* "Password:" */
}

static void login_password(struct smtp_feed *feed, struct slice response)
{
	struct smtp_credentials auth = { .mechanism = SMTP_AUTH_LOGIN };

	if (!decode(feed, response))
		return;
	const struct slice both = buf_slice(&feed->server->secret);
	auth.user = slice_take(both, feed->server->user_bytes);
	auth.password = slice_drop(both, feed->server->user_bytes);
	if (slice_find(auth.password, '\0') != auth.password.len) {
		give_up(feed, SMTP_REFUSAL_AUTH_FORM, &bad_base64);
		return;
	}
	feed->server->phase = PHASE_COMMAND;
	feed->event->auth = auth;
	smtp_server_ask(feed, SMTP_EVENT_AUTH);
}

static bool may_auth(struct smtp_feed *feed)
{
	static const struct smtp_reply none = SMTP_REPLY_INIT(502, 5, 1, "AUTH is not offered");
	static const struct smtp_reply tls = SMTP_REPLY_INIT(538, 7, 11, "Encryption required; send STARTTLS first");
	static const struct smtp_reply done = SMTP_REPLY_INIT(503, 5, 1, "Authenticated already");
	struct smtp_server            *server = feed->server;

	if (!(server->extensions & SMTP_EXT_AUTH)) {
		smtp_server_refuse(feed, SMTP_REFUSAL_OFFER, &none);
		return false;
	}
	if (!server->tls) {
		smtp_server_refuse(feed, SMTP_REFUSAL_TLS, &tls);
		return false;
	}
	if (server->authenticated) {
		smtp_server_refuse(feed, SMTP_REFUSAL_ORDER, &done);
		return false;
	}
	return smtp_server_may(feed, ON_AUTH);
}

void smtp_server_auth(struct smtp_feed *feed)
{
	static const struct smtp_reply unknown = SMTP_REPLY_INIT(504, 5, 4, "Unknown authentication mechanism");
	struct slice                   args = feed->command.args;
	struct smtp_server            *server = feed->server;

	if (!may_auth(feed))
		return;
	const struct slice mechanism = slice_until(&args, ' ');
	struct slice       initial = slice_trim(args);
	const bool         given = initial.len != 0;
	const bool         plain = slice_eq_nocase(mechanism, SLICE("PLAIN"));

	if (!plain && !slice_eq_nocase(mechanism, SLICE("LOGIN"))) {
		smtp_server_refuse(feed, SMTP_REFUSAL_AUTH_FORM, &unknown);
		return;
	}
	/* RFC 4954 section 4: "=" is an initial response of no bytes. */
	if (slice_eq(initial, SLICE("=")))
		initial = (struct slice){ NULL, 0 };
	smtp_server_wipe(server);
	server->mechanism = plain ? SMTP_AUTH_PLAIN : SMTP_AUTH_LOGIN;
	server->user_bytes = 0;
	if (given && plain)
		plain_response(feed, initial);
	else if (given)
		login_user(feed, initial);
	else {
		server->phase = PHASE_AUTH;
		buf_put_str(feed->out, plain ? "334 \r\n" : "334 VXNlcm5hbWU6\r\n"); /* "Username:" */
	}
}

bool smtp_server_auth_line(struct smtp_feed *feed)
{
	static const struct smtp_reply cancelled = SMTP_REPLY_INIT(501, 7, 0, "Authentication cancelled");
	struct slice                   line;

	feed->event->verb = SMTP_VERB_AUTH;
	if (!smtp_server_take_line(feed, &line))
		return feed->event->kind != SMTP_EVENT_NONE;
	if (slice_eq(line, SLICE("*")))
		give_up(feed, SMTP_REFUSAL_AUTH_FORM, &cancelled);
	else if (feed->server->mechanism == SMTP_AUTH_PLAIN)
		plain_response(feed, line);
	else if (feed->server->user_bytes == 0)
		login_user(feed, line);
	else
		login_password(feed, line);
	return true;
}
