/*
 * `hangu sink`: the demonstration mailbox behind the gateway. It speaks LMTP on a loopback address and writes each message as a file
 * into a Maildir. One client after the other in one process: for `make run`, and never for real mail.
 */
#include "tools/tool.h"

#include "net/address.h"
#include "net/acceptor.h"
#include "smtp/server.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 32u
#define MESSAGE_BYTES_MAX ((size_t)64 << 20)
#define INPUT_MAX (64u << 10)

struct client {
	int                fd; /* -1: none */
	struct smtp_server server;
	struct buf         in, out, body;
	size_t             recipients;
};

struct sink {
	int           fresh, inbox; /* Maildir's tmp and new */
	unsigned      count;
	struct client clients[CLIENTS_MAX];
};

static const struct smtp_server_config config = {
	.host = SLICE_INIT("sink.localhost"),
	.extensions = SMTP_EXT_PIPELINING | SMTP_EXT_SIZE | SMTP_EXT_8BITMIME | SMTP_EXT_ENHANCED | SMTP_EXT_SMTPUTF8,
	.message_bytes_max = MESSAGE_BYTES_MAX,
	.recipients_max = 1000,
	.lmtp = true,
};

/* Maildir as its author described it: written in tmp, synced, moved to new. */
static enum rc store(struct sink *sink, struct slice message)
{
	char name[64];
	int  file;

	(void)snprintf(name, sizeof name, "%llu.%d_%u.hangu", (unsigned long long)clock_wall_ms(), (int)getpid(), sink->count++);
	enum rc rc = file_open(sink->fresh, name, FILE_CREATE, &file);
	if (rc != RC_OK)
		return rc;
	rc = file_write_at(file, message, 0);
	if (rc == RC_OK)
		rc = file_sync(file);
	file_close(&file);
	if (rc == RC_OK)
		rc = file_rename(sink->fresh, name, sink->inbox, name);
	if (rc == RC_OK)
		(void)printf("%s: %zu bytes\n", name, message.len);
	(void)fflush(stdout);
	return rc;
}

static void client_close(struct client *client)
{
	(void)close(client->fd);
	smtp_server_done(&client->server);
	buf_done(&client->in);
	buf_done(&client->out);
	buf_done(&client->body);
	client->fd = -1;
}

static void client_event(struct sink *sink, struct client *client, const struct smtp_event *event)
{
	static const struct smtp_reply trouble = { 451, { 4, 3, 0 }, SLICE_INIT("The mailbox cannot be written") };

	switch (event->kind) {
	case SMTP_EVENT_MAIL:
		buf_clear(&client->body);
		client->recipients = 0;
		smtp_server_accept(&client->server, &client->out);
		break;
	case SMTP_EVENT_RCPT:
		client->recipients++;
		smtp_server_accept(&client->server, &client->out);
		break;
	case SMTP_EVENT_BODY:
		buf_put(&client->body, event->body);
		break;
	case SMTP_EVENT_BODY_END: {
		const bool stored = !client->body.failed && store(sink, buf_slice(&client->body)) == RC_OK;
		/* LMTP: an answer for each recipient. */
		for (size_t i = 0; i < client->recipients; i++) {
			if (stored)
				smtp_server_accept(&client->server, &client->out);
			else
				smtp_server_reply(&client->server, &trouble, &client->out);
		}
		buf_done(&client->body);
		break;
	}
	case SMTP_EVENT_HELLO:
	case SMTP_EVENT_DATA:
		smtp_server_accept(&client->server, &client->out);
		break;
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_STARTTLS:
	case SMTP_EVENT_AUTH:
	case SMTP_EVENT_XCLIENT:
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

/* False when the client is done. */
static bool client_flush(struct client *client)
{
	struct slice rest = buf_slice(&client->out);

	while (rest.len != 0) {
		const ssize_t sent = send(client->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		rest = slice_drop(rest, (size_t)sent);
	}
	buf_clear(&client->out);
	return true;
}

static bool client_ready(struct sink *sink, struct client *client)
{
	struct smtp_event event;
	uint8_t          *room = buf_reserve(&client->in, INPUT_MAX / 2);
	const ssize_t     got = room == NULL ? 0 : recv(client->fd, room, INPUT_MAX / 2, 0);
	bool              closing = false;

	if (got <= 0)
		return false;
	buf_grew(&client->in, (size_t)got);
	struct slice input = buf_slice(&client->in);
	while (!closing && smtp_server_feed(&client->server, &input, &client->out, &event) != SMTP_EVENT_NONE) {
		client_event(sink, client, &event);
		closing = event.kind == SMTP_EVENT_CLOSE;
	}
	buf_drop(&client->in, client->in.len - input.len);
	return client_flush(client) && !closing;
}

static void client_accept(struct sink *sink, int listener)
{
	const struct smtp_server_peer peer = { .tls = false };
	const int                     fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < CLIENTS_MAX; i++) {
		struct client *client = &sink->clients[i];
		if (client->fd >= 0)
			continue;
		*client = (struct client){ .fd = fd, .in = buf_make(INPUT_MAX), .out = buf_make(INPUT_MAX), .body = buf_make(MESSAGE_BYTES_MAX) };
		smtp_server_init(&client->server, &config, &peer);
		smtp_server_greet(&client->server, SLICE(""), &client->out);
		if (!client_flush(client))
			client_close(client);
		return;
	}
	if (fd >= 0)
		(void)close(fd);
}

static enum rc open_maildir(struct sink *sink, const char *path)
{
	static const char *const parts[] = { "tmp", "new", "cur" };
	int                      dir;
	enum rc                  rc = file_dir_open(path, &dir);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < sizeof parts / sizeof *parts; i++) {
		rc = file_dir_make(dir, parts[i]);
		if (rc == RC_EXISTS)
			rc = RC_OK;
	}
	if (rc == RC_OK)
		rc = file_dir_open_below(dir, "tmp", &sink->fresh);
	if (rc == RC_OK)
		rc = file_dir_open_below(dir, "new", &sink->inbox);
	file_close(&dir);
	return rc;
}

int tool_sink(const struct tool_options *options, int argc, char **argv)
{
	static struct sink sink;
	struct net_address address;
	struct fault       fault = { .rc = RC_OK };
	struct pollfd      fds[CLIENTS_MAX + 1];
	int                listener;
	(void)options;

	if (argc != 3 || net_address_parse_port(slice_str(argv[2]), 24, &address) != RC_OK || !net_address_is_loopback(&address))
		return tool_usage("sink");
	if (open_maildir(&sink, argv[1]) != RC_OK)
		return tool_complain(TOOL_REFUSED, "%s: the folder must exist and be writable", argv[1]);
	if (net_listen(&address, 16, &listener, &fault) != RC_OK)
		return tool_complain(TOOL_REFUSED, "%s cannot be listened to: %s", argv[2], fault.text);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		sink.clients[i].fd = -1;
	for (;;) {
		fds[CLIENTS_MAX] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			fds[i] = (struct pollfd){ .fd = sink.clients[i].fd, .events = POLLIN };
		if (poll(fds, CLIENTS_MAX + 1, -1) <= 0)
			continue;
		for (size_t i = 0; i < CLIENTS_MAX; i++) {
			if (fds[i].revents != 0 && sink.clients[i].fd == fds[i].fd && !client_ready(&sink, &sink.clients[i]))
				client_close(&sink.clients[i]);
		}
		if (fds[CLIENTS_MAX].revents != 0)
			client_accept(&sink, listener);
	}
}
