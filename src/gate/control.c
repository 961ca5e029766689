/* Orders from the supervisor and from administrators; news for records. Everything here runs on the delivery loop. */
#include "gate/control.h"

#include "base/memory.h"
#include "records/wire.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/role_wire.h"

#include <unistd.h>

#define DURABLE_EVERY_MS 100u
#define DELIVERY_LEAST_MS 2000u /* for deliveries under way when sessions took all of the drain's time; the supervisor waits longer than that */

/* One administrator's connection: one request at a time, its answers as frames. */
struct control_client {
	struct loop_watch watch;
	struct control   *control;
	int               fd;     /* -1: this place is free */
	struct buf        who;
	bool              busy;   /* a request is being answered */
	bool              broken; /* to be closed once it is answered */
};

struct control {
	struct gate          *gate;
	struct loop          *loop;
	struct loop_watch     supervisor;
	struct loop_watch     commands;
	struct control_client clients[CONTROL_CLIENTS_MAX];
	int                   records;       /* channel to records; -1: none now */
	uint64_t              told_seq;      /* durable position that records knows */
	atomic_bool           durable_posted;
	struct loop_task      durable_task;
	struct timer          durable_timer;
	struct loop_task      failed_task;
	atomic_bool           failed_posted;
	_Atomic uint64_t      replace_mask;  /* scanners to be replaced */
	struct loop_task      replace_task;
	atomic_bool           replace_posted;
	struct config        *prepared;
	struct gate_sockets  *prepared_sockets;
	uint64_t              prepared_generation;
	uint64_t              generation;
	uint64_t              drain_until_ms; /* sessions and deliveries together; the loop's clock */
	uint8_t               room[IPC_FRAME_MAX];
};

/* ---- to the supervisor ---- */

static void say(struct control *control, enum role_saying word, uint64_t generation)
{
	if (control->supervisor.fd >= 0 && role_wire_say(control->supervisor.fd, word, generation) != RC_OK)
		log_warning(LOG_EVENT("control.unheard"), LOG_NUMBER("word", word));
}

static void explain(struct control *control, enum role_saying word, uint64_t generation, struct slice text)
{
	if (control->supervisor.fd >= 0 && role_wire_explain(control->supervisor.fd, word, generation, text) != RC_OK)
		log_warning(LOG_EVENT("control.unheard"), LOG_NUMBER("word", word));
}

/* ---- the journal's news ---- */

static void tell_records(struct control *control)
{
	const struct journal_mark mark = journal_writer_durable(control->gate->journal);
	struct buf                frame = buf_make(RECORDS_DURABLE_BYTES);

	if (control->records < 0 || mark.position.seq == control->told_seq)
		return;
	records_durable_put(&frame, &mark);
	const enum rc rc = ipc_send(control->records, buf_slice(&frame), NULL, 0);
	buf_done(&frame);
	if (rc == RC_OK)
		control->told_seq = mark.position.seq;
	else if (rc == RC_AGAIN)
		loop_timer_set(control->loop, &control->durable_timer, DURABLE_EVERY_MS);
}

static void durable_due(struct timer *timer)
{
	struct control *control = LIST_OF(timer, struct control, durable_timer);

	atomic_store(&control->durable_posted, false);
	tell_records(control);
}

static void durable_news(struct loop_task *task)
{
	struct control *control = LIST_OF(task, struct control, durable_task);

	if (!timer_is_set(&control->durable_timer))
		loop_timer_set(control->loop, &control->durable_timer, DURABLE_EVERY_MS);
}

void control_durable(struct control *control)
{
	if (!atomic_exchange(&control->durable_posted, true))
		loop_post(control->loop, &control->durable_task);
}

static void journal_failed(struct loop_task *task)
{
	struct control *control = LIST_OF(task, struct control, failed_task);

	explain(control, ROLE_SAYS_SICK, control->generation, SLICE("the journal could not be written; nothing more is promised"));
	control->gate->exit_code = 1;
	loop_stop(control->loop);
}

void control_journal_failed(struct control *control)
{
	if (!atomic_exchange(&control->failed_posted, true))
		loop_post(control->loop, &control->failed_task);
}

/* ---- scanners ---- */

static void replace_scanners(struct loop_task *task)
{
	struct control *control = LIST_OF(task, struct control, replace_task);

	atomic_store(&control->replace_posted, false);
	const uint64_t mask = atomic_exchange(&control->replace_mask, 0);
	for (uint32_t i = 0; i < 64; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		const struct role_message kill = { .word = ROLE_SAYS_KILL, .index = i, .fd = -1 };
		log_warning(LOG_EVENT("scanner.replace"), LOG_NUMBER("scanner", i));
		if (role_wire_send(control->supervisor.fd, &kill) != RC_OK)
			log_error(LOG_EVENT("control.unheard"), LOG_NUMBER("word", ROLE_SAYS_KILL));
	}
}

void control_replace_scanner(struct control *control, size_t index)
{
	atomic_fetch_or(&control->replace_mask, UINT64_C(1) << index);
	if (!atomic_exchange(&control->replace_posted, true))
		loop_post(control->loop, &control->replace_task);
}

/* ---- settings ---- */

static void forget_prepared(struct control *control)
{
	config_drop(&control->prepared);
	gate_sockets_drop(&control->prepared_sockets);
	control->prepared_generation = 0;
}

static enum rc read_bundle(struct control *control, int fd, struct buf *why, struct config **out)
{
	const struct config_surroundings surroundings = gate_surroundings(control->gate);
	struct slab                     *slab = NULL;
	uint64_t                         size = 0;
	enum rc                          rc = slab_published_size(fd, &size);

	if (rc != RC_OK) {
		(void)close(fd);
		buf_put_str(why, "the settings did not come whole");
		return rc;
	}
	rc = slab_take(fd, size, SLAB_SIZE_MAX, &slab);
	if (rc == RC_OK)
		rc = config_make(slab_bytes(slab), control->gate->options.reader, &surroundings, why, NULL, out);
	slab_close(&slab);
	return rc;
}

/* Everything that can fail, fails here; nothing is changed. */
static void prepare(struct control *control, struct role_message *message)
{
	struct buf           why = buf_make(ROLE_WIRE_TEXT_MAX);
	struct gate_sockets *sockets = memory_take(1, sizeof *sockets);

	forget_prepared(control);
	const enum rc rc = read_bundle(control, message->fd, &why, &control->prepared);
	if (sockets != NULL) {
		atomic_init(&sockets->holders, 1);
		sockets->count = message->listener_count;
		memcpy(sockets->items, message->listeners, sizeof sockets->items);
	}
	if (rc != RC_OK || sockets == NULL) {
		if (sockets == NULL) {
			for (size_t i = 0; i < message->listener_count; i++)
				(void)close(message->listeners[i].fd);
		}
		gate_sockets_drop(&sockets);
		config_drop(&control->prepared);
		explain(control, ROLE_SAYS_REFUSED, message->generation, buf_slice(&why));
	} else {
		control->prepared_sockets = sockets;
		control->prepared_generation = message->generation;
		say(control, ROLE_SAYS_PREPARED, message->generation);
	}
	buf_done(&why);
}

static void switch_over(struct control *control, uint64_t generation)
{
	struct gate *gate = control->gate;

	if (control->prepared == NULL || control->prepared_generation != generation)
		return;
	config_drop(&gate->config);
	gate->config = control->prepared;
	control->prepared = NULL;
	control->generation = generation;
	slab_limit_set(gate->config->settings.gateway->message_bytes_max);
	scan_link_waiting_max(gate->scan, gate->config->settings.scanner->waiting_max);
	if (gate_accounts_open(gate) != RC_OK)
		log_error(LOG_EVENT("accounts.failed"));
	if (outbound_config(gate->outbound, gate->config) != RC_OK)
		log_error(LOG_EVENT("settings.memory"));
	callahead_config(gate->callahead, gate->config);
	for (size_t i = 0; i < gate->loop_count; i++)
		gate_loop_switch(&gate->loops[i], gate->config, control->prepared_sockets);
	gate_sockets_drop(&control->prepared_sockets);
	say(control, ROLE_SAYS_SWITCHED, generation);
	log_notice(LOG_EVENT("settings.switched"), LOG_NUMBER("generation", generation));
}

/* ---- the end ---- */

static void outbound_drained(void *context)
{
	struct control *control = context;

	/* The last word is said by control_farewell(): until no loop runs any more, somebody may still use the journal. */
	control->gate->exit_code = 0;
	loop_stop(control->loop);
}

void control_farewell(struct control *control)
{
	if (!atomic_load(&control->failed_posted))
		say(control, ROLE_SAYS_DRAINED, control->generation);
}

void control_loops_drained(struct control *control)
{
	const uint64_t now = loop_now_ms(control->loop);
	const uint64_t left = control->drain_until_ms > now ? control->drain_until_ms - now : 0;

	outbound_drain(control->gate->outbound, left > DELIVERY_LEAST_MS ? left : DELIVERY_LEAST_MS, outbound_drained, control);
}

static void loops_drained(struct loop_task *task)
{
	control_loops_drained(LIST_OF(task, struct gate, drained_task)->control);
}

static void drain(struct control *control, uint64_t deadline_ms)
{
	struct gate *gate = control->gate;

	if (atomic_load(&gate->loops_draining) != 0 || gate->exit_code == 0)
		return;
	log_notice(LOG_EVENT("gate.drain"), LOG_NUMBER("deadline_ms", deadline_ms));
	atomic_store(&gate->drain_ms, deadline_ms);
	control->drain_until_ms = loop_now_ms(control->loop) + deadline_ms;
	atomic_store(&gate->loops_draining, gate->loop_count);
	for (size_t i = 0; i < gate->loop_count; i++)
		loop_post(gate->loops[i].loop, &gate->loops[i].drain_task);
}

/* ---- the supervisor's channel ---- */

static void take_records_channel(struct control *control, int fd)
{
	if (control->records >= 0)
		(void)close(control->records);
	control->records = fd;
	control->told_seq = 0;
	tell_records(control);
}

static void obey(struct control *control, struct role_message *message)
{
	switch (message->word) {
	case ROLE_SAYS_PREPARE:
		prepare(control, message);
		break;
	case ROLE_SAYS_SWITCH:
		switch_over(control, message->generation);
		break;
	case ROLE_SAYS_ABORT:
		forget_prepared(control);
		break;
	case ROLE_SAYS_SCANNER:
		if (message->index >= control->gate->options.start->scan_count) {
			(void)close(message->fd);
		} else if (scan_link_attach(control->gate->scan, message->index, message->fd) != RC_OK) {
			log_error(LOG_EVENT("scanner.attach"), LOG_NUMBER("scanner", message->index));
		}
		break;
	case ROLE_SAYS_PEER:
		take_records_channel(control, message->fd);
		break;
	case ROLE_SAYS_DRAIN:
		drain(control, message->deadline_ms);
		break;
	case ROLE_SAYS_READY:
	case ROLE_SAYS_PREPARED:
	case ROLE_SAYS_REFUSED:
	case ROLE_SAYS_SWITCHED:
	case ROLE_SAYS_DRAINED:
	case ROLE_SAYS_SICK:
	case ROLE_SAYS_KILL:
	case ROLE_SAYS_END:
		break;
	}
}

static void supervisor_ready(struct loop_watch *watch, uint32_t events)
{
	struct control     *control = LIST_OF(watch, struct control, supervisor);
	struct role_message message;
	enum rc             rc;
	(void)events;

	while ((rc = role_wire_receive(watch->fd, control->room, &message)) == RC_OK)
		obey(control, &message);
	if (rc == RC_AGAIN)
		return;
	/* Without a supervisor nobody replaces what breaks: end, so that all of us begin anew. */
	log_error(LOG_EVENT("supervisor.lost"), LOG_STR("rc", rc_word(rc)));
	loop_unwatch(control->loop, &control->supervisor);
	control->gate->exit_code = 1;
	loop_stop(control->loop);
}

/* ---- administrators ---- */

static enum rc client_watch(struct control_client *client);

/* A client that goes while its request is being answered stays in its place until the answer has come. */
static void client_close(struct control_client *client)
{
	loop_unwatch(client->control->loop, &client->watch);
	if (client->busy) {
		client->broken = true;
		return;
	}
	(void)close(client->fd);
	client->fd = -1;
	buf_done(&client->who);
}

static void client_answer(void *context, struct slice frame)
{
	struct control_client *client = context;

	client->busy = false;
	if (client->broken || ipc_send(client->fd, frame, NULL, 0) != RC_OK ||
	    (client->watch.fd < 0 && client_watch(client) != RC_OK))
		client_close(client);
}

static void client_ready(struct loop_watch *watch, uint32_t events)
{
	struct control_client *client = LIST_OF(watch, struct control_client, watch);
	struct control        *control = client->control;
	struct ipc_frame       frame;
	(void)events;

	const enum rc rc = ipc_receive(watch->fd, control->room, sizeof control->room, 0, &frame);
	if (rc == RC_AGAIN)
		return;
	client->busy = rc == RC_OK;
	/* One request at a time: the next one waits in the socket until this one is answered. */
	if (rc == RC_OK)
		loop_unwatch(control->loop, &client->watch);
	if (rc == RC_OK)
		outbound_command(control->gate->outbound, frame.bytes, buf_slice(&client->who), client_answer, client);
	else
		client_close(client);
}

static enum rc client_watch(struct control_client *client)
{
	return loop_watch(client->control->loop, &client->watch, client->fd, LOOP_IN, client_ready);
}

/* `fd` is -1: one who may not. */
static void client_accept(struct control *control, int fd, const struct ipc_peer *peer)
{
	struct control_client *client = NULL;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX && client == NULL; i++)
		client = control->clients[i].fd < 0 ? &control->clients[i] : NULL;
	if (client == NULL || fd < 0) {
		log_warning(LOG_EVENT("control.refused"), LOG_NUMBER("full", client == NULL));
		file_close(&fd);
		return;
	}
	client->fd = fd;
	client->broken = false;
	client->who = buf_make(64);
	buf_printf(&client->who, "uid %u", peer->uid);
	if (client_watch(client) != RC_OK)
		client_close(client);
}

static void commands_ready(struct loop_watch *watch, uint32_t events)
{
	struct control *control = LIST_OF(watch, struct control, commands);
	struct ipc_peer peer;
	(void)events;

	for (;;) {
		int           fd = -1;
		const enum rc rc = ipc_accept_trusted(watch->fd, &fd, &peer);
		if (rc != RC_OK && rc != RC_DENIED)
			return;
		client_accept(control, fd, &peer);
	}
}

/* ---- open and close ---- */

enum rc control_open(struct gate *gate, struct control **out)
{
	const struct role_start *start = gate->options.start;
	struct control          *control = memory_take(1, sizeof *control);

	if (control == NULL)
		return RC_NOMEM;
	control->gate = gate;
	control->loop = gate->delivery;
	control->generation = start->generation;
	control->records = start->peer;
	control->supervisor.fd = -1;
	control->commands.fd = -1;
	control->durable_task.run = durable_news;
	control->failed_task.run = journal_failed;
	control->replace_task.run = replace_scanners;
	gate->drained_task.run = loops_drained;
	timer_init(&control->durable_timer, durable_due);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		control->clients[i].fd = -1;
		control->clients[i].watch.fd = -1;
		control->clients[i].control = control;
	}
	enum rc rc = loop_watch(control->loop, &control->supervisor, start->control, LOOP_IN, supervisor_ready);
	if (rc == RC_OK && start->commands >= 0)
		rc = loop_watch(control->loop, &control->commands, start->commands, LOOP_IN, commands_ready);
	if (rc != RC_OK) {
		control_close(&control);
		return rc;
	}
	*out = control;
	return RC_OK;
}

void control_ready(struct control *control)
{
	say(control, ROLE_SAYS_READY, control->generation);
}

void control_close(struct control **control)
{
	struct control *gone = *control;

	*control = NULL;
	if (gone == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		gone->clients[i].busy = false;
		if (gone->clients[i].fd >= 0)
			client_close(&gone->clients[i]);
	}
	loop_unwatch(gone->loop, &gone->supervisor);
	loop_unwatch(gone->loop, &gone->commands);
	timer_stop(&gone->durable_timer);
	forget_prepared(gone);
	memory_give(gone);
}
