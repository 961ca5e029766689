/*
 * Answers the conformance driver (smtp.py): one request a line on standard input, one answer a line on standard output.
 * Bytes are written in hexadecimal, nothing as "-". It decides nothing but what a listener without any policy would:
 * every sender, recipient and message is taken.
 *
 *   path FLAGS BYTES   -> ok LOCAL DOMAIN | syntax | limit | unsupported
 *                         flags: u (UTF-8), n (null), p (postmaster), b (bare)
 *   list BYTES         -> ODDITIES GROUPS [NAME LOCAL DOMAIN GROUP ODDITIES]...
 *   domain BYTES       -> ok ASCII | syntax | limit
 *   ip BYTES           -> ok | syntax
 *   open OPTIONS       -> OUTPUT
 *                         options: n (normalise), t (TLS on), a (AUTH succeeds), l (LMTP), x (XCLIENT),
 *                         p (no PIPELINING)
 *   feed BYTES         -> OUTPUT STATE [MESSAGE]...   state: open, tls or closed; messages taken by this feed
 *   tls                -> STATE
 *   timeout            -> OUTPUT
 *   send refuse|normalise BYTES -> ok BYTES | syntax   what leaves by DATA
 */
#include "mail/address.h"
#include "mail/domain.h"
#include "base/codec.h"
#include "smtp/server.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES (8u << 20)

struct session {
	struct smtp_server        server;
	struct smtp_server_config config;
	struct buf                out, rest, message, taken;
	bool                      open, tls_next, closed, auth_succeeds;
};

static void put_hex(struct buf *answer, struct slice bytes)
{
	buf_put_byte(answer, ' ');
	if (bytes.len == 0)
		buf_put_byte(answer, '-');
	buf_put_hex(answer, bytes);
}

static struct slice take_word(struct slice *line)
{
	return slice_until(line, ' ');
}

static struct slice take_bytes(struct slice *line, struct buf *into)
{
	const struct slice word = take_word(line);

	buf_clear(into);
	if (!slice_eq(word, SLICE("-")) && codec_hex_decode(word, into) != RC_OK) {
		fprintf(stderr, "no hexadecimal\n");
		exit(2);
	}
	return buf_slice(into);
}

static bool has(struct slice flags, uint8_t flag)
{
	return slice_find(flags, flag) != flags.len;
}

static void answer_path(struct slice line, struct buf *answer)
{
	const struct slice flags = take_word(&line);
	struct buf         bytes = buf_make(LINE_MAX_BYTES);
	struct address     address;
	const unsigned     wanted = (has(flags, 'u') ? ADDRESS_UTF8 : 0u) | (has(flags, 'n') ? ADDRESS_NULL : 0u) |
	                        (has(flags, 'p') ? ADDRESS_POSTMASTER : 0u) | (has(flags, 'b') ? ADDRESS_BARE : 0u);
	const enum rc rc = address_path_read(take_bytes(&line, &bytes), wanted, &address);

	buf_put_str(answer, rc_word(rc));
	if (rc == RC_OK) {
		put_hex(answer, address.local);
		put_hex(answer, address.domain);
	}
	buf_done(&bytes);
}

static void answer_list(struct slice line, struct buf *answer)
{
	struct buf          bytes = buf_make(LINE_MAX_BYTES);
	struct arena        arena;
	struct address_list list;

	if (arena_init(&arena, 4u << 20) != RC_OK)
		exit(2);
	if (address_list_read(take_bytes(&line, &bytes), &arena, &list) != RC_OK)
		exit(2);
	buf_printf(answer, "%u %zu", list.oddities, list.groups);
	for (size_t i = 0; i < list.count; i++) {
		const struct address_item *item = &list.items[i];
		put_hex(answer, item->name);
		put_hex(answer, item->local);
		put_hex(answer, item->domain);
		put_hex(answer, item->group);
		buf_printf(answer, " %u", item->oddities);
	}
	arena_done(&arena);
	buf_done(&bytes);
}

static void answer_domain(struct slice line, struct buf *answer)
{
	struct buf    bytes = buf_make(LINE_MAX_BYTES), ascii = buf_make(1000);
	const enum rc rc = domain_ascii(take_bytes(&line, &bytes), &ascii);

	buf_put_str(answer, rc_word(rc));
	if (rc == RC_OK)
		put_hex(answer, buf_slice(&ascii));
	buf_done(&bytes);
	buf_done(&ascii);
}

static void answer_ip(struct slice line, struct buf *answer)
{
	struct buf bytes = buf_make(LINE_MAX_BYTES);
	struct ip  ip;

	buf_put_str(answer, rc_word(ip_read(take_bytes(&line, &bytes), &ip)));
	buf_done(&bytes);
}

static void answer_send(struct slice line, struct buf *answer)
{
	const bool              normalise = slice_eq(take_word(&line), SLICE("normalise"));
	struct buf              bytes = buf_make(LINE_MAX_BYTES), sent = buf_make(LINE_MAX_BYTES);
	struct slice            input = take_bytes(&line, &bytes), run;
	struct smtp_dot_encoder encoder;
	enum rc                 rc;

	smtp_dot_encoder_init(&encoder, normalise ? SMTP_LINE_ENDS_NORMALISE : SMTP_LINE_ENDS_REFUSE);
	while ((rc = smtp_dot_encode(&encoder, &input, &run)) == RC_OK)
		buf_put(&sent, run);
	if (rc == RC_AGAIN)
		rc = smtp_dot_encode_end(&encoder, &run);
	buf_put_str(answer, rc_word(rc));
	if (rc == RC_OK) {
		buf_put(&sent, run);
		put_hex(answer, buf_slice(&sent));
	}
	buf_done(&bytes);
	buf_done(&sent);
}

/* --- Sessions --- */

static void session_close(struct session *s)
{
	if (s->open) {
		smtp_server_done(&s->server);
		buf_done(&s->out);
		buf_done(&s->rest);
		buf_done(&s->message);
		buf_done(&s->taken);
	}
	s->open = false;
}

static void session_open(struct session *s, struct slice options, struct buf *answer)
{
	const struct smtp_server_peer peer = { .tls = has(options, 't'), .xclient = has(options, 'x') };

	const unsigned all = 2u * SMTP_EXT_XCLIENT - 1;

	session_close(s);
	*s = (struct session){
		.config = {
			.host = SLICE("mx.hangu.example"),
			.extensions = has(options, 'p') ? all & ~(unsigned)SMTP_EXT_PIPELINING : all,
			.message_bytes_max = 1u << 20,
			.recipients_max = 100,
			.line_ends = has(options, 'n') ? SMTP_LINE_ENDS_NORMALISE : SMTP_LINE_ENDS_REFUSE,
			.lmtp = has(options, 'l'),
		},
		.out = buf_make(LINE_MAX_BYTES),
		.rest = buf_make(LINE_MAX_BYTES),
		.message = buf_make(LINE_MAX_BYTES),
		.taken = buf_make(LINE_MAX_BYTES),
		.open = true,
		.auth_succeeds = has(options, 'a'),
	};
	smtp_server_init(&s->server, &s->config, &peer);
	smtp_server_greet(&s->server, (struct slice){ NULL, 0 }, &s->out);
	buf_put_hex(answer, buf_slice(&s->out));
	buf_clear(&s->out);
}

static void on_event(struct session *s, const struct smtp_event *event)
{
	static const struct smtp_reply wrong = SMTP_REPLY_INIT(535, 7, 8, "Wrong credentials");

	switch (event->kind) {
	case SMTP_EVENT_AUTH:
		if (!s->auth_succeeds) {
			smtp_server_reply(&s->server, &wrong, &s->out);
			break;
		}
		smtp_server_accept(&s->server, &s->out);
		break;
	case SMTP_EVENT_STARTTLS:
		s->tls_next = true;
		smtp_server_accept(&s->server, &s->out);
		break;
	case SMTP_EVENT_DATA:
		buf_clear(&s->message);
		smtp_server_accept(&s->server, &s->out);
		break;
	case SMTP_EVENT_HELLO:
	case SMTP_EVENT_XCLIENT:
	case SMTP_EVENT_MAIL:
	case SMTP_EVENT_RCPT:
		smtp_server_accept(&s->server, &s->out);
		break;
	case SMTP_EVENT_BODY:
		buf_put(&s->message, event->body);
		break;
	case SMTP_EVENT_BODY_END:
		put_hex(&s->taken, buf_slice(&s->message));
		while (smtp_server_waits(&s->server))
			smtp_server_accept(&s->server, &s->out);
		break;
	case SMTP_EVENT_CLOSE:
		s->closed = true;
		break;
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_BODY_DEAD:
	case SMTP_EVENT_RESET:
	case SMTP_EVENT_VRFY:
	case SMTP_EVENT_REFUSED:
	case SMTP_EVENT_QUIT:
	case SMTP_EVENT_COUNT:
		break;
	}
}

static const char *state_of(const struct session *s)
{
	return s->closed ? "closed" : s->tls_next ? "tls" : "open";
}

static void session_feed(struct session *s, struct slice line, struct buf *answer)
{
	struct buf        bytes = buf_make(LINE_MAX_BYTES);
	struct smtp_event event;

	buf_put(&s->rest, take_bytes(&line, &bytes));
	buf_clear(&s->taken);
	struct slice input = buf_slice(&s->rest);
	while (!s->closed && smtp_server_feed(&s->server, &input, &s->out, &event) != SMTP_EVENT_NONE)
		on_event(s, &event);
	buf_drop(&s->rest, s->rest.len - input.len);
	if (s->out.len == 0)
		buf_put_byte(answer, '-');
	buf_put_hex(answer, buf_slice(&s->out));
	buf_put_byte(answer, ' ');
	buf_put_str(answer, state_of(s));
	buf_put(answer, buf_slice(&s->taken));
	buf_clear(&s->out);
	buf_done(&bytes);
}

static void session_timeout(struct session *s, struct buf *answer)
{
	const struct smtp_reply late = SMTP_REPLY(421, 4, 2, "Timeout");

	smtp_server_end(&s->server, &late, &s->out);
	buf_put_hex(answer, buf_slice(&s->out));
	buf_clear(&s->out);
}

static void answer_line(struct session *s, struct slice line, struct buf *answer)
{
	const struct slice verb = take_word(&line);

	if (slice_eq(verb, SLICE("path")))
		answer_path(line, answer);
	else if (slice_eq(verb, SLICE("list")))
		answer_list(line, answer);
	else if (slice_eq(verb, SLICE("domain")))
		answer_domain(line, answer);
	else if (slice_eq(verb, SLICE("ip")))
		answer_ip(line, answer);
	else if (slice_eq(verb, SLICE("send")))
		answer_send(line, answer);
	else if (slice_eq(verb, SLICE("open")))
		session_open(s, line, answer);
	else if (slice_eq(verb, SLICE("feed")) && s->open)
		session_feed(s, line, answer);
	else if (slice_eq(verb, SLICE("timeout")) && s->open)
		session_timeout(s, answer);
	else if (slice_eq(verb, SLICE("tls")) && s->tls_next) {
		smtp_server_tls_started(&s->server);
		s->tls_next = false;
		buf_put_str(answer, state_of(s));
	} else {
		buf_put_str(answer, "what");
	}
}

int main(void)
{
	static struct session s;
	char                 *line = NULL;
	size_t                room = 0;
	ssize_t               count;

	while ((count = getline(&line, &room, stdin)) > 0) {
		struct buf answer = buf_make(4 * LINE_MAX_BYTES);
		answer_line(&s, slice_trim(slice_of(line, (size_t)count)), &answer);
		if (answer.failed)
			return 2;
		buf_put_byte(&answer, '\n');
		fwrite(answer.ptr, 1, answer.len, stdout);
		fflush(stdout);
		buf_done(&answer);
	}
	session_close(&s);
	free(line);
	return 0;
}
