/*
 * A next hop that says anything. The first byte chooses how we speak; the bytes come once whole, once in pieces. Both
 * must end alike, what we send must be lines of ours, and no recipient may hear of its fate twice.
 */
#include "base/must.h"
#include "smtp/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	WITH_TLS = 1,
	WITH_LMTP = 2,
	WITH_CHUNKS = 4,
	WITH_AUTH = 8,
	WITHOUT_PIPELINING = 16,
	WITH_MANY = 32,
	WITHOUT_DATA = 64
};

#define RECIPIENTS 80u

struct session {
	struct smtp_client           client;
	struct smtp_client_config    config;
	struct smtp_client_envelope  envelope;
	struct smtp_client_recipient recipients[RECIPIENTS];
	uint8_t                      told[RECIPIENTS]; /* 1: refused or settled; 2: accepted, result to come */
	struct buf                   out, log, rest;
	unsigned                     started;
};

static void session_begin(struct session *s, uint8_t options)
{
	*s = (struct session){
		.config = {
			.host = SLICE("me"),
			.tls = options & WITH_TLS ? SMTP_CLIENT_TLS_IF_OFFERED : SMTP_CLIENT_TLS_NEVER,
			.lmtp = options & WITH_LMTP,
			.pipelining = !(options & WITHOUT_PIPELINING),
			.chunking = options & WITH_CHUNKS,
			.auth_in_clear = true,
		},
		.envelope = {
			.sender = SLICE("a@b"),
			.count = options & WITH_MANY ? RECIPIENTS : 2,
			.size = 5,
			.no_data = options & WITHOUT_DATA,
		},
		.out = buf_make(1u << 22),
		.log = buf_make(1u << 22),
		.rest = buf_make(1u << 22),
	};
	if (options & WITH_AUTH) {
		s->config.user = SLICE("user");
		s->config.password = SLICE("pass");
	}
	for (size_t i = 0; i < RECIPIENTS; i++)
		s->recipients[i].address = SLICE("c@d");
	s->envelope.recipients = s->recipients;
	smtp_client_init(&s->client, &s->config);
}

static void settle(struct session *s, size_t index, bool accepted_before)
{
	must(index < s->envelope.count);
	must(s->told[index] == (accepted_before ? 2 : 0));
	s->told[index] = 1;
}

static void on_result(struct session *s, const struct smtp_client_event *event)
{
	if (event->index != SMTP_CLIENT_ALL) {
		settle(s, event->index, true);
		return;
	}
	for (size_t i = 0; i < s->envelope.count; i++) {
		if (s->told[i] == 2)
			s->told[i] = 1;
	}
}

static void start(struct session *s)
{
	if (s->started++ == 3) {
		smtp_client_quit(&s->client, &s->out);
		return;
	}
	memset(s->told, 0, sizeof s->told);
	must(smtp_client_start(&s->client, &s->envelope, &s->out) != RC_CONFLICT || s->started > 3);
}

static void on_event(struct session *s, const struct smtp_client_event *event)
{
	buf_printf(&s->log, "%d %zu %d;", (int)event->kind, event->index, event->reply.code);
	switch (event->kind) {
	case SMTP_CLIENT_STARTTLS:
		smtp_client_tls_started(&s->client, &s->out);
		break;
	case SMTP_CLIENT_READY:
	case SMTP_CLIENT_DONE:
		start(s);
		break;
	case SMTP_CLIENT_RECIPIENT:
		if (event->accepted) {
			must(s->told[event->index] == 0);
			s->told[event->index] = 2;
		} else {
			settle(s, event->index, false);
		}
		break;
	case SMTP_CLIENT_BODY:
		smtp_client_body_sent(&s->client);
		break;
	case SMTP_CLIENT_RESULT:
		on_result(s, event);
		break;
	case SMTP_CLIENT_NONE:
	case SMTP_CLIENT_SENDER:
	case SMTP_CLIENT_REFUSED:
	case SMTP_CLIENT_CLOSING:
	case SMTP_CLIENT_BROKEN:
	case SMTP_CLIENT_COUNT:
		break;
	}
}

static void feed(struct session *s, struct slice bytes)
{
	struct smtp_client_event event;

	buf_put(&s->rest, bytes);
	struct slice input = buf_slice(&s->rest);
	while (smtp_client_feed(&s->client, &input, &s->out, &event) != SMTP_CLIENT_NONE)
		on_event(s, &event);
	must(input.len < SMTP_REPLY_BYTES_MAX);
	buf_drop(&s->rest, s->rest.len - input.len);
	(void)smtp_client_lost(&s->client);
	(void)smtp_client_timeout_s(&s->client);
}

static void session_end(struct session *s)
{
	buf_done(&s->out);
	buf_done(&s->log);
	buf_done(&s->rest);
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
	session_begin(&cut, options);
	while (bytes.len != 0) {
		const size_t piece = 1 + bytes.ptr[0] % 13;
		feed(&cut, slice_take(bytes, piece));
		bytes = slice_drop(bytes, piece);
	}
	/* Bytes behind the 220 of STARTTLS are told from the others by when they come. */
	if (!(options & WITH_TLS)) {
		must(slice_eq(buf_slice(&whole.out), buf_slice(&cut.out)));
		must(slice_eq(buf_slice(&whole.log), buf_slice(&cut.log)));
	}
	session_end(&whole);
	session_end(&cut);
	return 0;
}
