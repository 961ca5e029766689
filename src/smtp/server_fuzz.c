/*
 * Whole sessions. The first byte chooses a listener, the others are what the peer sends: once in one piece, once in
 * pieces whose sizes the bytes themselves give. Both must end alike: same replies, same messages. What comes out must
 * be replies, and messages without stray line ends.
 */
#include "base/must.h"
#include "smtp/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	WITH_STARTTLS = 1,
	WITH_TLS = 2,
	WITH_LMTP = 4,
	WITH_NORMALISE = 8,
	WITH_SMALL = 16,
	WITH_XCLIENT = 32,
	WITH_ANY_BYTES = 64
};

struct session {
	struct smtp_server        server;
	struct smtp_server_config config;
	struct buf                out, rest, message, taken;
	uint32_t                  events;
	bool                      closed, tls_next;
};

static void session_begin(struct session *s, uint8_t options)
{
	const struct smtp_server_peer peer = { .tls = options & WITH_TLS, .xclient = options & WITH_XCLIENT };
	unsigned                      extensions = 2u * SMTP_EXT_XCLIENT - 1;

	if (!(options & WITH_STARTTLS))
		extensions &= ~(unsigned)SMTP_EXT_STARTTLS;
	*s = (struct session){
		.config = {
			.host = SLICE("mx.example"),
			.extensions = extensions,
			.message_bytes_max = options & WITH_SMALL ? 64 : 1u << 20,
			.data_line_bytes_max = options & WITH_SMALL ? 40 : 0,
			.recipients_max = options & WITH_SMALL ? 2 : 100,
			.errors_max = options & WITH_SMALL ? 20 : 0,
			.line_ends = options & WITH_NORMALISE ? SMTP_LINE_ENDS_NORMALISE : SMTP_LINE_ENDS_REFUSE,
			.lmtp = options & WITH_LMTP,
			.bdat_any_bytes = options & WITH_ANY_BYTES,
		},
		.out = buf_make(1u << 24),
		.rest = buf_make(1u << 24),
		.message = buf_make(1u << 24),
		.taken = buf_make(1u << 24),
	};
	smtp_server_init(&s->server, &s->config, &peer);
	smtp_server_greet(&s->server, (struct slice){ NULL, 0 }, &s->out);
}

static void session_end(struct session *s)
{
	smtp_server_done(&s->server);
	buf_done(&s->out);
	buf_done(&s->rest);
	buf_done(&s->message);
	buf_done(&s->taken);
}

/* Decisions are the same in both runs: they hang on how many were made. */
static void decide(struct session *s)
{
	static const struct smtp_reply refusals[] = {
		SMTP_REPLY_INIT(451, 3, 0, "Later"),
		SMTP_REPLY_INIT(550, 7, 1, "No"),
	};
	const uint32_t turn = s->events++;

	if (turn % 7 == 6)
		smtp_server_reply(&s->server, &refusals[turn % 2], &s->out);
	else
		smtp_server_accept(&s->server, &s->out);
}

static void on_event(struct session *s, const struct smtp_event *event)
{
	switch (event->kind) {
	case SMTP_EVENT_STARTTLS:
		s->tls_next = true;
		smtp_server_accept(&s->server, &s->out);
		break;
	case SMTP_EVENT_BODY:
		must(event->body.len != 0);
		buf_put(&s->message, event->body);
		break;
	case SMTP_EVENT_DATA:
		buf_clear(&s->message);
		decide(s);
		break;
	case SMTP_EVENT_BODY_END:
		buf_put(&s->taken, buf_slice(&s->message));
		buf_put_str(&s->taken, "|");
		if (!s->config.bdat_any_bytes) {
			struct smtp_line_check check = { .after_cr = false };
			must(smtp_line_check(&check, buf_slice(&s->message)) == RC_OK);
			must(smtp_line_check_end(&check) == RC_OK);
		}
		must(s->config.message_bytes_max == 0 || s->message.len <= s->config.message_bytes_max);
		while (smtp_server_waits(&s->server))
			decide(s);
		break;
	case SMTP_EVENT_CLOSE:
		s->closed = true;
		break;
	case SMTP_EVENT_HELLO:
	case SMTP_EVENT_AUTH:
	case SMTP_EVENT_XCLIENT:
	case SMTP_EVENT_MAIL:
	case SMTP_EVENT_RCPT:
		decide(s);
		break;
	case SMTP_EVENT_REFUSED:
	case SMTP_EVENT_BODY_DEAD:
		must(event->reply.code >= 400 && event->refusal != SMTP_REFUSAL_NONE);
		break;
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_RESET:
	case SMTP_EVENT_VRFY:
	case SMTP_EVENT_QUIT:
	case SMTP_EVENT_COUNT:
		break;
	}
}

static void feed(struct session *s, struct slice bytes)
{
	struct smtp_event event;

	if (s->tls_next)
		smtp_server_tls_started(&s->server);
	s->tls_next = false;
	buf_put(&s->rest, bytes);
	struct slice input = buf_slice(&s->rest);
	while (!s->closed && smtp_server_feed(&s->server, &input, &s->out, &event) != SMTP_EVENT_NONE)
		on_event(s, &event);
	/* What is left over is part of a line, or plain text behind STARTTLS. */
	must(s->tls_next || s->closed || input.len < SMTP_COMMAND_LINE_MAX);
	buf_drop(&s->rest, s->rest.len - input.len);
}

/* Everything said is a reply, whole, of lines that are short. */
static void check_replies(struct slice out)
{
	while (out.len != 0) {
		const size_t end = slice_find(out, '\n');
		must(end < out.len && end >= 4 && end <= 510 && out.ptr[end - 1] == '\r');
		const struct slice line = slice_take(out, end - 1);
		must(byte_is_digit(line.ptr[0]) && byte_is_digit(line.ptr[1]) && byte_is_digit(line.ptr[2]));
		must(line.ptr[3] == ' ' || line.ptr[3] == '-');
		for (size_t i = 0; i < line.len; i++)
			must(byte_is_print(line.ptr[i]));
		out = slice_drop(out, end + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session whole, cut;
	struct slice          bytes = { data, size };

	if (size == 0 || size > (1u << 16))
		return 0;
	const uint8_t options = data[0];
	bytes = slice_drop(bytes, 1);
	session_begin(&whole, options);
	feed(&whole, bytes);
	check_replies(buf_slice(&whole.out));
	session_begin(&cut, options);
	while (bytes.len != 0) {
		const size_t piece = 1 + bytes.ptr[0] % 13;
		feed(&cut, slice_take(bytes, piece));
		bytes = slice_drop(bytes, piece);
	}
	check_replies(buf_slice(&cut.out));
	if (!(options & WITH_STARTTLS)) {
		must(slice_eq(buf_slice(&whole.out), buf_slice(&cut.out)));
		must(slice_eq(buf_slice(&whole.taken), buf_slice(&cut.taken)));
	}
	session_end(&whole);
	session_end(&cut);
	return 0;
}
