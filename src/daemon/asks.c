/* What `hangu` and a successor ask of the supervisor. One request a connection. */
#include "daemon/inside.h"

#include "base/must.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"

#include <unistd.h>

#define SEND_WAIT_MS 200u

static void drop(struct asker *asker)
{
	file_close(&asker->fd);
	asker->waits = false;
}

/* A reader that is a little slow is waited for a moment; one that does not read loses its answer. */
static void say(int fd, const struct supervisor_message *message)
{
	if (supervisor_wire_send(fd, message) == RC_AGAIN && ipc_wait(fd, 1, SEND_WAIT_MS) == RC_OK &&
	    supervisor_wire_send(fd, message) != RC_OK)
		log_debug(LOG_EVENT("asker.lost"));
}

static void say_line(int fd, struct slice line)
{
	const struct supervisor_message message = { .word = SUPERVISOR_SAYS_LINE, .text = line };

	say(fd, &message);
}

static void finish(struct asker *asker, enum rc rc)
{
	const struct supervisor_message message = { .word = SUPERVISOR_SAYS_DONE, .rc = rc };

	say(asker->fd, &message);
	drop(asker);
}

/* A free place, or that of the one who has been silent the longest. */
static struct asker *find_place(struct supervisor *s, uint64_t now_ms)
{
	struct asker *oldest = NULL;

	for (size_t i = 0; i < ASKERS_MAX; i++) {
		struct asker *asker = &s->askers[i];
		if (asker->fd < 0)
			return asker;
		if (!asker->waits && (oldest == NULL || asker->since_ms < oldest->since_ms))
			oldest = asker;
	}
	return oldest != NULL && now_ms - oldest->since_ms >= ASKER_PATIENCE_MS ? oldest : NULL;
}

void asks_accept(struct supervisor *s)
{
	struct ipc_peer peer;
	int             fd = -1;

	const enum rc rc = ipc_accept_trusted(s->asks, &fd, &peer);
	if (rc != RC_OK && rc != RC_DENIED)
		return;
	struct asker *free_one = find_place(s, clock_mono_ms());
	if (free_one == NULL || rc != RC_OK) {
		log_warning(LOG_EVENT("asker.refused"), LOG_NUMBER("full", free_one == NULL));
		file_close(&fd);
		return;
	}
	drop(free_one);
	*free_one = (struct asker){ .fd = fd, .since_ms = clock_mono_ms() };
}

static const char *state_word(const struct child *child)
{
	switch (child->state) {
	case CHILD_DOWN:
		return "down";
	case CHILD_STARTING:
		return "starting";
	case CHILD_UP:
		return "up";
	}
	return "?";
}

static void tell_child(int fd, const struct child *child)
{
	struct buf     line = buf_make(200);
	const uint64_t life_ms = child->pid != 0 ? clock_mono_ms() - child->started_ms : 0;

	if (child->role == ROLE_SCAN)
		buf_printf(&line, "scan %u", child->index);
	else
		buf_put_str(&line, role_word(child->role));
	buf_printf(&line, " %s pid %d seconds %llu restarts %llu", state_word(child), child->pid, (unsigned long long)life_ms / 1000,
	           (unsigned long long)child->restarts);
	say_line(fd, buf_slice(&line));
	buf_done(&line);
}

static void tell_status(const struct supervisor *s, struct asker *asker)
{
	struct sandbox_report report;
	struct buf            line = buf_make(400);

	sandbox_look(&report);
	buf_printf(&line, "supervisor %s pid %d version " HANGU_VERSION " settings %llu landlock %d", s->drain != DRAIN_NONE ? "draining" : s->serving ? "serving" : "starting",
	           (int)getpid(), (unsigned long long)s->generation, report.landlock_abi);
	say_line(asker->fd, buf_slice(&line));
	buf_done(&line);
	tell_child(asker->fd, &s->gate);
	tell_child(asker->fd, &s->records);
	for (size_t i = 0; i < s->scanner_count; i++)
		tell_child(asker->fd, &s->scanners[i]);
	finish(asker, RC_OK);
}

void asks_reload_ended(struct supervisor *s, enum rc rc, struct slice why)
{
	for (size_t i = 0; i < ASKERS_MAX; i++) {
		struct slice rest = why;
		if (s->askers[i].fd < 0 || !s->askers[i].waits)
			continue;
		while (rest.len != 0)
			say_line(s->askers[i].fd, slice_until(&rest, '\n'));
		finish(&s->askers[i], rc == RC_OK ? RC_OK : RC_DENIED);
	}
}

static void tell_proof(void *context, struct slice line)
{
	const struct asker *asker = context;

	say_line(asker->fd, line);
}

static void hand_over(struct supervisor *s, struct asker *asker)
{
	if (s->drain != DRAIN_NONE || s->successor >= 0) {
		finish(asker, RC_BUSY);
		return;
	}
	const enum rc rc = takeover_give(s, asker->fd);
	if (rc != RC_OK) {
		log_error(LOG_EVENT("takeover.failed"), LOG_STR("rc", rc_word(rc)));
		finish(asker, RC_IO);
		return;
	}
	log_notice(LOG_EVENT("takeover.given"), LOG_NUMBER("listeners", s->listeners.count));
	/* Its end tells the successor that the journal is closed. */
	s->successor = asker->fd;
	asker->fd = -1;
	supervisor_drain(s, 0);
}

void asks_read(struct supervisor *s, struct asker *asker)
{
	uint8_t                   room[SUPERVISOR_WIRE_MAX];
	struct supervisor_message message;
	const enum rc             rc = supervisor_wire_receive(asker->fd, room, &message);

	if (rc == RC_AGAIN)
		return;
	if (rc != RC_OK) {
		drop(asker);
		return;
	}
	switch (message.word) {
	case SUPERVISOR_ASK_STATUS:
		tell_status(s, asker);
		break;
	case SUPERVISOR_ASK_RELOAD:
		asker->waits = true;
		reload_begin(s);
		break;
	case SUPERVISOR_ASK_PROVE:
		finish(asker, prove_all(s, tell_proof, asker) ? RC_OK : RC_DENIED);
		break;
	case SUPERVISOR_ASK_DRAIN:
		finish(asker, RC_OK);
		supervisor_drain(s, 0);
		break;
	case SUPERVISOR_ASK_TAKEOVER:
		hand_over(s, asker);
		break;
	case SUPERVISOR_SAYS_LISTENERS:
		for (size_t i = 0; i < message.listener_count; i++)
			file_close(&message.listeners[i].fd);
		drop(asker);
		break;
	case SUPERVISOR_SAYS_LINE:
	case SUPERVISOR_SAYS_DONE:
	case SUPERVISOR_WORD_END:
		drop(asker);
		break;
	}
}
