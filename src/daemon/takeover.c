/*
 * A new binary takes the place of the old one: it gets the listening sockets, waits until the old one has drained and closed the
 * journal, and serves. Connections made meanwhile wait in the sockets' own backlog.
 */
#include "daemon/inside.h"

#include "base/must.h"
#include "sys/file.h"
#include "sys/ipc.h"

#include <stdio.h>

#define ANSWER_TIME_MS 10000u

static enum rc ask(int connection, struct fault *fault)
{
	const struct supervisor_message request = { .word = SUPERVISOR_ASK_TAKEOVER };
	struct ipc_peer                 peer;

	if (ipc_peer(connection, &peer) != RC_OK || !ipc_peer_trusted(&peer))
		return fault_set(fault, RC_DENIED, "the socket belongs to somebody else", 0, 0);
	if (supervisor_wire_send(connection, &request) != RC_OK)
		return fault_set(fault, RC_IO, "asking the old hangud", 0, 0);
	return RC_OK;
}

/* Frames until DONE. What came before an error is closed. */
static enum rc take(int connection, struct listeners *out, struct fault *fault)
{
	uint8_t                   room[SUPERVISOR_WIRE_MAX];
	struct supervisor_message message;

	out->count = 0;
	for (unsigned frames = 0; frames < 8; frames++) {
		enum rc rc = ipc_wait(connection, 0, ANSWER_TIME_MS);
		if (rc == RC_OK)
			rc = supervisor_wire_receive(connection, room, &message);
		if (rc != RC_OK) {
			listeners_close(out);
			return fault_set(fault, RC_IO, "the old hangud did not answer", 0, rc);
		}
		if (message.word == SUPERVISOR_SAYS_DONE) {
			if (message.rc == RC_OK)
				return RC_OK;
			listeners_close(out);
			return fault_set(fault, RC_DENIED, "the old hangud refused", 0, message.rc);
		}
		for (size_t i = 0; i < message.listener_count; i++) {
			if (out->count < ROLE_LISTENERS_MAX)
				out->items[out->count++] = message.listeners[i];
			else
				file_close(&message.listeners[i].fd);
		}
	}
	listeners_close(out);
	return fault_set(fault, RC_LIMIT, "the old hangud sent too much", 0, 0);
}

enum rc takeover_ask(int run_dir, struct listeners *out, int *connection, struct fault *fault)
{
	int     fd = -1;
	enum rc rc = ipc_connect_below(run_dir, "supervisor.sock", &fd);

	if (rc != RC_OK)
		return fault_set(fault, rc, "connecting to supervisor.sock", 0, 0);
	rc = ask(fd, fault);
	if (rc == RC_OK)
		rc = take(fd, out, fault);
	if (rc != RC_OK) {
		file_close(&fd);
		return rc;
	}
	*connection = fd;
	return RC_OK;
}

enum rc takeover_wait(int connection, uint64_t timeout_ms)
{
	uint8_t                   room[SUPERVISOR_WIRE_MAX];
	struct supervisor_message message;

	/* It has nothing more to say: what wakes us is its end. */
	const enum rc rc = ipc_wait(connection, 0, timeout_ms);
	if (rc != RC_OK)
		return rc;
	return supervisor_wire_receive(connection, room, &message) == RC_CLOSED ? RC_OK : RC_SYNTAX;
}

enum rc takeover_give(const struct supervisor *s, int connection)
{
	struct supervisor_message message = { .word = SUPERVISOR_SAYS_LISTENERS, .listener_count = s->listeners.count };
	enum rc                   rc;

	memcpy(message.listeners, s->listeners.items, sizeof message.listeners);
	rc = supervisor_wire_send(connection, &message);
	if (rc == RC_OK && s->metrics >= 0) {
		message.listener_count = 1;
		message.listeners[0] = (struct role_listener){ .name = "@metrics", .fd = s->metrics };
		(void)snprintf(message.listeners[0].address, sizeof message.listeners[0].address, "%s", s->setup.metrics);
		rc = supervisor_wire_send(connection, &message);
	}
	if (rc != RC_OK)
		return rc;
	message = (struct supervisor_message){ .word = SUPERVISOR_SAYS_DONE, .rc = RC_OK };
	return supervisor_wire_send(connection, &message);
}
