/* One event loop with its sessions: accepting, changing over to new settings, draining. */
#include "gate/inside.h"

#include "base/memory.h"
#include "gate/control.h"
#include "gate/session.h"
#include "sys/log.h"

#include <unistd.h>

#define COUNT_EVERY_MS 1000u

/* ---- listening ---- */

static void on_accept(struct acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct gate_acceptor *own = LIST_OF(acceptor, struct gate_acceptor, acceptor);

	session_accept(own->home, own->listener, fd, peer);
}

static void on_trouble(struct acceptor *acceptor, int error)
{
	const struct gate_acceptor *own = LIST_OF(acceptor, struct gate_acceptor, acceptor);

	log_warning(LOG_EVENT("listener.trouble"), LOG_TEXT("listener", own->home->config->settings.listeners[own->listener].name),
	            LOG_NUMBER("errno", error));
}

static uint32_t listener_index(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->settings.listener_count; i++) {
		if (slice_eq(config->settings.listeners[i].name, slice_str(name)))
			return (uint32_t)i;
	}
	return UINT32_MAX;
}

void gate_loop_listen(struct gate_loop *home)
{
	const struct gate_sockets *sockets = home->sockets;

	for (size_t i = 0; i < sockets->count; i++) {
		struct gate_acceptor *own = &home->acceptors[home->acceptor_count];
		own->home = home;
		own->listener = listener_index(home->config, sockets->items[i].name);
		own->acceptor.on_accept = on_accept;
		own->acceptor.on_trouble = on_trouble;
		if (own->listener == UINT32_MAX)
			continue;
		if (acceptor_start(&own->acceptor, home->loop, sockets->items[i].fd) == RC_OK)
			home->acceptor_count++;
		else
			log_error(LOG_EVENT("listener.failed"), LOG_STR("listener", sockets->items[i].name),
			          LOG_STR("address", sockets->items[i].address));
	}
}

void gate_loop_unlisten(struct gate_loop *home)
{
	for (size_t i = 0; i < home->acceptor_count; i++)
		acceptor_stop(&home->acceptors[i].acceptor);
	home->acceptor_count = 0;
}

struct gate_sockets *gate_sockets_hold(struct gate_sockets *sockets)
{
	atomic_fetch_add(&sockets->holders, 1);
	return sockets;
}

void gate_sockets_drop(struct gate_sockets **sockets)
{
	struct gate_sockets *gone = *sockets;

	*sockets = NULL;
	if (gone == NULL || atomic_fetch_sub(&gone->holders, 1) != 1)
		return;
	for (size_t i = 0; i < gone->count; i++)
		(void)close(gone->items[i].fd);
	memory_give(gone);
}

/* ---- new settings ---- */

/*
 * Sessions take the new settings when they next speak between two messages. Until then they are counted by the index of the listener they
 * came in by, which may mean another one now: a reload that reorders listeners shifts their limits for a while, no more.
 */
static void switch_over(struct loop_task *task)
{
	struct gate_loop *home = LIST_OF(task, struct gate_loop, switch_task);

	gate_loop_unlisten(home);
	config_drop(&home->config);
	gate_sockets_drop(&home->sockets);
	mutex_lock(&home->next_lock);
	home->config = home->next;
	home->sockets = home->next_sockets;
	home->next = NULL;
	home->next_sockets = NULL;
	home->switching = false;
	mutex_unlock(&home->next_lock);
	if (!home->draining)
		gate_loop_listen(home);
}

/* The loop may still be busy with something when the next settings come: then it never sees the ones between. */
void gate_loop_switch(struct gate_loop *home, struct config *config, struct gate_sockets *sockets)
{
	mutex_lock(&home->next_lock);
	const bool           posted = home->switching;
	struct config       *old = home->next;
	struct gate_sockets *old_sockets = home->next_sockets;
	home->next = config_hold(config);
	home->next_sockets = gate_sockets_hold(sockets);
	home->switching = true;
	mutex_unlock(&home->next_lock);
	config_drop(&old);
	gate_sockets_drop(&old_sockets);
	if (!posted)
		loop_post(home->loop, &home->switch_task);
}

/* ---- numbers ---- */

/* The resolver counts for itself; what has come since the last look goes to the metrics. */
static void count_questions(struct timer *timer)
{
	struct gate_loop             *home = LIST_OF(timer, struct gate_loop, count_timer);
	const struct resolver_counts *now = resolver_counts(home->resolver);

	counter_add(COUNT_DNS_QUESTIONS, now->asked - home->counted.asked);
	counter_add(COUNT_DNS_FAILED, now->failed + now->timeouts - home->counted.failed - home->counted.timeouts);
	home->counted = *now;
	loop_timer_set(home->loop, &home->count_timer, COUNT_EVERY_MS);
}

/* ---- the end ---- */

void gate_loop_shed(struct gate_loop *home, bool now)
{
	static const struct smtp_reply closing = { 421, { 4, 3, 2 }, SLICE_INIT("The service is closing, come back in a moment") };

	home->shedding = true;
	for (struct list *link = home->sessions.next, *next; link != &home->sessions; link = next) {
		struct session *session = LIST_OF(link, struct session, link);
		next = link->next;
		if (now || session_idle(session))
			session_end(session, &closing, "closing");
	}
}

void gate_loop_settle(struct gate_loop *home)
{
	if (!home->draining || home->drained || home->session_count != 0)
		return;
	home->drained = true;
	timer_stop(&home->drain_timer);
	if (atomic_fetch_sub(&home->gate->loops_draining, 1) == 1)
		loop_post(home->gate->delivery, &home->gate->drained_task);
}

static void drain_over(struct timer *timer)
{
	struct gate_loop *home = LIST_OF(timer, struct gate_loop, drain_timer);

	log_notice(LOG_EVENT("gate.drain.cut"), LOG_NUMBER("sessions", home->session_count));
	gate_loop_shed(home, true);
	outbound_through_stop(home->gate->outbound);
	/* A session that is closing in order, or waits for its commit, may still be there: it has its own deadline, and this comes again. */
	if (home->session_count != 0)
		loop_timer_set(home->loop, &home->drain_timer, 1000);
}

static void drain(struct loop_task *task)
{
	struct gate_loop *home = LIST_OF(task, struct gate_loop, drain_task);

	home->draining = true;
	gate_loop_unlisten(home);
	gate_loop_shed(home, false);
	loop_timer_set(home->loop, &home->drain_timer, atomic_load(&home->gate->drain_ms));
	gate_loop_settle(home);
}

/* ---- made and run ---- */

static void run(void *argument)
{
	struct gate_loop *home = argument;

	loop_timer_set(home->loop, &home->count_timer, COUNT_EVERY_MS);
	gate_loop_listen(home);
	if (loop_run(home->loop) != RC_OK)
		log_error(LOG_EVENT("gate.loop.failed"));
}

enum rc gate_loop_open(struct gate *gate, struct gate_loop *home, struct config *config, struct gate_sockets *sockets)
{
	struct fault fault;

	home->gate = gate;
	mutex_init(&home->next_lock);
	list_init(&home->sessions);
	home->out = buf_make(GATE_OUT_MAX);
	home->payload = buf_make(EVENT_PAYLOAD_MAX);
	home->switch_task.run = switch_over;
	home->drain_task.run = drain;
	timer_init(&home->drain_timer, drain_over);
	timer_init(&home->count_timer, count_questions);
	enum rc rc = arena_init(&home->arena, GATE_ARENA_BYTES);
	if (rc == RC_OK)
		rc = loop_open(0, &home->loop, &fault);
	if (rc == RC_OK)
		rc = scan_port_open(gate->scan, home->loop, &home->scan);
	if (rc == RC_OK)
		rc = resolver_open(gate->resolver_core, home->loop, GATE_RESOLVER_ENTRIES, GATE_RESOLVER_UNDER_WAY, &home->resolver);
	home->config = config_hold(config);
	home->sockets = gate_sockets_hold(sockets);
	return rc;
}

enum rc gate_loop_start(struct gate_loop *home)
{
	return thread_start("gate-loop", THREAD_STACK_LOOP, run, home, &home->thread);
}

void gate_loop_stop(struct gate_loop *home)
{
	if (home->loop == NULL)
		return;
	loop_stop(home->loop);
	thread_join(&home->thread);
	home->draining = home->drained = true; /* no more listening, and nobody waits to hear of it */
	gate_loop_unlisten(home);
	timer_stop(&home->count_timer);
	timer_stop(&home->drain_timer);
	/* The first time for the sentence, the second time for those that now wait for their peers to close. */
	gate_loop_shed(home, true);
	gate_loop_shed(home, true);
}

/* Those that waited for the journal have had its last answer by now. */
static void close_sessions(struct gate_loop *home)
{
	while (!list_empty(&home->sessions))
		session_close(LIST_OF(home->sessions.next, struct session, link), "closing");
}

void gate_loop_close(struct gate_loop *home)
{
	if (home->loop == NULL)
		return;
	(void)loop_drain(home->loop);
	close_sessions(home);
	scan_port_close(&home->scan);
	resolver_close(&home->resolver);
	loop_close(&home->loop);
	config_drop(&home->config);
	gate_sockets_drop(&home->sockets);
	buf_done(&home->out);
	buf_done(&home->payload);
	arena_done(&home->arena);
	mutex_done(&home->next_lock);
}
