/*
 * `hangu send`: hand a message file to a gateway by SMTP, for trying out. Line ends of the file are made CRLF as SMTP wants
 * them; nothing else is changed. Plain SMTP to one address; the conversation is the gateway's own client machine.
 */
#include "tools/tool.h"

#include "net/address.h"
#include "smtp/client.h"
#include "smtp/dot.h"
#include "sys/file.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)1 << 30)
#define RECIPIENTS_MAX 100u
#define WAIT_MS 60000
#define HOST_STANDARD "127.0.0.1:2525"

struct sending {
	struct slice                 message;
	struct slice                 from;
	struct smtp_client_recipient to[RECIPIENTS_MAX];
	size_t                       to_count;
	struct net_address           host;
	const char                  *file;
	int                          socket;
	struct smtp_client           client;
	struct buf                   in, out;
	int                          code;
};

static enum rc connect_to(struct sending *sending)
{
	struct sockaddr_storage address;
	const socklen_t         size = net_address_sockaddr(&sending->host, &address);

	sending->socket = socket(sending->host.family == NET_FAMILY_V6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sending->socket < 0 || connect(sending->socket, (const struct sockaddr *)&address, size) != 0)
		return RC_CLOSED;
	return RC_OK;
}

static enum rc send_all(int socket, struct slice bytes)
{
	while (bytes.len != 0) {
		const ssize_t sent = send(socket, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (sent <= 0)
			return RC_CLOSED;
		bytes = slice_drop(bytes, (size_t)sent);
	}
	return RC_OK;
}

static enum rc send_body(struct sending *sending)
{
	struct smtp_dot_encoder encoder;
	struct slice            rest = sending->message, run;
	enum rc                 rc = RC_OK;

	smtp_dot_encoder_init(&encoder, SMTP_LINE_ENDS_NORMALISE);
	while (rc == RC_OK && (rc = smtp_dot_encode(&encoder, &rest, &run)) == RC_OK)
		rc = send_all(sending->socket, run);
	if (rc == RC_AGAIN)
		rc = smtp_dot_encode_end(&encoder, &run);
	return rc == RC_OK ? send_all(sending->socket, run) : rc;
}

static void show(const char *what, const struct smtp_client_event *event)
{
	struct buf text = buf_make(1024);

	smtp_reply_text(&event->reply, 500, &text);
	(void)printf("%s: %u %.*s\n", what, event->reply.code, (int)text.len, (const char *)text.ptr);
	buf_done(&text);
}

/* True when the conversation is over. */
static bool step(struct sending *sending, const struct smtp_client_event *event, const struct smtp_client_envelope *envelope)
{
	switch (event->kind) {
	case SMTP_CLIENT_READY:
		if (smtp_client_start(&sending->client, envelope, &sending->out) != RC_OK) {
			sending->code = tool_complain(TOOL_REFUSED, "the message cannot be sent there: too large, or an address is wrong");
			smtp_client_quit(&sending->client, &sending->out);
		}
		return false;
	case SMTP_CLIENT_SENDER:
		show("sender", event);
		return false;
	case SMTP_CLIENT_RECIPIENT:
		if (!event->accepted)
			show("recipient", event);
		return false;
	case SMTP_CLIENT_BODY:
		if (send_all(sending->socket, buf_slice(&sending->out)) != RC_OK || send_body(sending) != RC_OK)
			return true;
		buf_clear(&sending->out);
		smtp_client_body_sent(&sending->client);
		return false;
	case SMTP_CLIENT_RESULT:
		show("message", event);
		sending->code = event->accepted ? TOOL_DONE : TOOL_REFUSED;
		return false;
	case SMTP_CLIENT_DONE:
		/* Without a word about the message there was none: every recipient was refused, and each has been told. */
		if (sending->code == TOOL_SILENT)
			sending->code = TOOL_REFUSED;
		smtp_client_quit(&sending->client, &sending->out);
		return false;
	case SMTP_CLIENT_REFUSED:
		show(smtp_client_stage_word(event->stage), event);
		sending->code = TOOL_REFUSED;
		return false;
	case SMTP_CLIENT_CLOSING:
	case SMTP_CLIENT_BROKEN:
		return true;
	case SMTP_CLIENT_NONE:
	case SMTP_CLIENT_STARTTLS:
	case SMTP_CLIENT_COUNT:
		break;
	}
	return false;
}

static void converse(struct sending *sending)
{
	const struct smtp_client_config   config = { .host = SLICE("localhost"), .tls = SMTP_CLIENT_TLS_NEVER, .pipelining = true };
	const struct smtp_client_envelope envelope = { .sender = sending->from, .recipients = sending->to, .count = sending->to_count,
		                                       .size = sending->message.len, .eightbit = true };
	struct smtp_client_event          event;
	bool                              over = false;

	smtp_client_init(&sending->client, &config);
	while (!over) {
		struct pollfd ready = { .fd = sending->socket, .events = POLLIN };
		uint8_t      *room = buf_reserve(&sending->in, 4096);
		const ssize_t got = room != NULL && poll(&ready, 1, WAIT_MS) == 1 ? recv(sending->socket, room, 4096, 0) : 0;
		if (got <= 0)
			break;
		buf_grew(&sending->in, (size_t)got);
		struct slice input = buf_slice(&sending->in);
		while (!over && smtp_client_feed(&sending->client, &input, &sending->out, &event) != SMTP_CLIENT_NONE)
			over = step(sending, &event, &envelope);
		buf_drop(&sending->in, sending->in.len - input.len);
		if (!over && send_all(sending->socket, buf_slice(&sending->out)) != RC_OK)
			break;
		buf_clear(&sending->out);
	}
}

static bool read_arguments(struct sending *sending, int argc, char **argv)
{
	const char *host = HOST_STANDARD;

	for (int at = 1; at < argc; at++) {
		const bool more = at + 1 < argc;
		if (strcmp(argv[at], "--to") == 0 && more) {
			for (at++; at < argc && strncmp(argv[at], "--", 2) != 0 && sending->to_count < RECIPIENTS_MAX; at++)
				sending->to[sending->to_count++].address = slice_str(argv[at]);
			at--;
		} else if (strcmp(argv[at], "--from") == 0 && more) {
			sending->from = slice_str(argv[++at]);
		} else if (strcmp(argv[at], "--host") == 0 && more) {
			host = argv[++at];
		} else if (sending->file == NULL && strncmp(argv[at], "--", 2) != 0) {
			sending->file = argv[at];
		} else {
			return false;
		}
	}
	if (net_address_parse_port(slice_str(host), 25, &sending->host) != RC_OK) {
		(void)tool_complain(0, "--host %s: expected an address and a port, such as 127.0.0.1:25 or [::1]:25; names are not looked up", host);
		return false;
	}
	return sending->file != NULL && sending->to_count != 0;
}

int tool_send(const struct tool_options *options, int argc, char **argv)
{
	static struct sending sending;
	struct buf            bytes = buf_make(FILE_BYTES_MAX);
	(void)options;

	sending.from = SLICE("sender@sender.example");
	sending.code = TOOL_SILENT;
	sending.in = buf_make(2 * SMTP_REPLY_BYTES_MAX);
	sending.out = buf_make((size_t)1 << 20);
	if (!read_arguments(&sending, argc, argv))
		return tool_usage("send");
	const enum rc rc = file_read_path(sending.file, &bytes);
	if (rc != RC_OK)
		return tool_complain(TOOL_REFUSED, "%s: %s", sending.file, tool_why(rc));
	sending.message = buf_slice(&bytes);
	if (connect_to(&sending) != RC_OK)
		return tool_complain(TOOL_SILENT, "nobody answers at that address; is the gateway running, and is --host right?");
	converse(&sending);
	(void)close(sending.socket);
	buf_done(&bytes);
	buf_done(&sending.in);
	buf_done(&sending.out);
	return sending.code == TOOL_SILENT ? tool_complain(TOOL_SILENT, "the conversation broke off") : sending.code;
}
