/*
 * Chunks: a session in which a recipient was accepted already, then what the peer sends. Nothing of a chunk may be read
 * as a command.
 */
#include "base/must.h"
#include "smtp/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct smtp_server_config config = {
	.host = { (const uint8_t *)"mx", 2 },
	.extensions = 2u * SMTP_EXT_XCLIENT - 1,
	.message_bytes_max = 300,
	.recipients_max = 100,
};

struct sums {
	uint64_t body, accepted, limit_passed;
};

static void on_event(struct smtp_server *server, const struct smtp_event *event, struct buf *out, struct sums *sums)
{
	switch (event->kind) {
	case SMTP_EVENT_HELLO:
	case SMTP_EVENT_STARTTLS:
	case SMTP_EVENT_AUTH:
	case SMTP_EVENT_XCLIENT:
	case SMTP_EVENT_MAIL:
	case SMTP_EVENT_RCPT:
		smtp_server_accept(server, out);
		break;
	case SMTP_EVENT_DATA:
		sums->body = 0;
		smtp_server_accept(server, out);
		break;
	case SMTP_EVENT_BODY:
		sums->body += event->body.len;
		must(sums->body <= config.message_bytes_max);
		must(sums->body == server->body_bytes);
		break;
	case SMTP_EVENT_BODY_END:
		sums->accepted++;
		smtp_server_accept(server, out);
		break;
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_BODY_DEAD:
	case SMTP_EVENT_RESET:
	case SMTP_EVENT_VRFY:
	case SMTP_EVENT_REFUSED:
	case SMTP_EVENT_QUIT:
	case SMTP_EVENT_CLOSE:
	case SMTP_EVENT_COUNT:
		break;
	}
}

static void feed(struct smtp_server *server, struct slice input, struct buf *out, struct sums *sums)
{
	struct smtp_event event;

	while (smtp_server_feed(server, &input, out, &event) != SMTP_EVENT_NONE && event.kind != SMTP_EVENT_CLOSE)
		on_event(server, &event, out, sums);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct smtp_server_peer peer = { .tls = false };
	struct smtp_server            server;
	struct buf                    out = buf_make(1u << 22);
	struct sums                   sums = { 0 };

	if (size > (1u << 15))
		return 0;
	smtp_server_init(&server, &config, &peer);
	smtp_server_greet(&server, (struct slice){ NULL, 0 }, &out);
	feed(&server, SLICE("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"), &out, &sums);
	must(server.at == SMTP_AT_RCPT);
	feed(&server, (struct slice){ data, size }, &out, &sums);
	must(sums.accepted == server.transactions);
	smtp_server_done(&server);
	buf_done(&out);
	return 0;
}
