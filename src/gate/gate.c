/* The gate as a whole: what is made before the box closes, in which order threads begin and end. Read gate/inside.h first. */
#include "gate/gate.h"

#include "base/memory.h"
#include "gate/control.h"
#include "gate/inside.h"
#include "gate/watch.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/random.h"

#include <unistd.h>

#define LOOPS_STANDARD_MAX 8u
#define TICKET_ROTATE_S 28800u

/* ---- ids ---- */

uint64_t gate_next_id(struct gate *gate)
{
	const uint64_t now = clock_wall_ms() << 20;
	uint64_t       last = atomic_load_explicit(&gate->last_id, memory_order_relaxed);
	uint64_t       next;

	do {
		next = now > last ? now : last + 1;
	} while (!atomic_compare_exchange_weak_explicit(&gate->last_id, &last, next, memory_order_relaxed, memory_order_relaxed));
	return next;
}

static uint64_t next_id(void *context)
{
	return gate_next_id(context);
}

/* ---- sessions of a listener ---- */

bool gate_session_enter(struct gate *gate, uint32_t listener, uint64_t max)
{
	if (atomic_fetch_add(&gate->listener_sessions[listener], 1) < max) {
		gauge_add(GAUGE_SESSIONS_OPEN, 1);
		return true;
	}
	atomic_fetch_sub(&gate->listener_sessions[listener], 1);
	return false;
}

void gate_session_leave(struct gate *gate, uint32_t listener)
{
	atomic_fetch_sub(&gate->listener_sessions[listener], 1);
	gauge_add(GAUGE_SESSIONS_OPEN, -1);
}

/* ---- notes ---- */

struct note {
	struct journal_group group;
	struct journal_item  item;
	struct slice         piece;
	struct buf           payload;
};

static void note_free(struct note *note)
{
	buf_done(&note->payload);
	memory_give(note);
}

static void note_answered(struct journal_group *group, enum rc rc)
{
	(void)rc;
	note_free(LIST_OF(group, struct note, group));
}

void gate_note(struct gate *gate, enum event_type type, struct buf *payload)
{
	struct note *note = payload->failed ? NULL : memory_take(1, sizeof *note);

	if (note == NULL) {
		buf_clear(payload);
		return;
	}
	/* An exact copy: the loop's own buf keeps its room for the next one. */
	note->payload = buf_make(payload->len + 1);
	buf_put(&note->payload, buf_slice(payload));
	buf_clear(payload);
	note->piece = buf_slice(&note->payload);
	note->item = (struct journal_item){ .type = (uint16_t)type, .pieces = &note->piece, .piece_count = 1 };
	note->group = (struct journal_group){ .items = &note->item, .item_count = 1, .urgency = JOURNAL_LAZY, .answer = note_answered };
	if (note->payload.failed || journal_writer_submit(gate->journal, &note->group) != RC_OK)
		note_free(note);
}

void gate_note_node(struct gate *gate, const char *what, const char *text)
{
	struct buf              payload = buf_make(4096);
	const struct event_node event = { .at_ms = (int64_t)clock_wall_ms(), .what = slice_str(what), .text = slice_str(text),
		                          .digest = gate->config->settings.digest };

	event_node_put(&payload, &event);
	gate_note(gate, EVENT_NODE, &payload);
	buf_done(&payload);
}

/* ---- open ---- */

static enum rc fail(struct buf *why, enum rc rc, const char *what, const struct fault *fault)
{
	buf_put_str(why, what);
	if (fault != NULL && fault->text != NULL) {
		buf_put_str(why, ": ");
		buf_put_str(why, fault->text);
	}
	buf_put_str(why, " (");
	buf_put_str(why, rc_word(rc));
	buf_put_str(why, ")");
	return rc;
}

/* What the libraries would otherwise load when the box is closed already. */
static enum rc open_libraries(struct gate *gate, struct buf *why)
{
	struct fault fault = { .rc = RC_OK };
	enum rc      rc = digest_ready();

	if (rc == RC_OK)
		rc = accounts_ready();
	if (rc == RC_OK)
		rc = net_tls_ready(&fault);
	if (rc == RC_OK)
		rc = resolver_ready(&fault);
	if (rc == RC_OK)
		rc = tls_tickets_open(TICKET_ROTATE_S, &gate->tickets);
	return rc == RC_OK ? RC_OK : fail(why, rc, "a library cannot be used", &fault);
}

struct config_surroundings gate_surroundings(const struct gate *gate)
{
	return (struct config_surroundings){ .tickets = gate->tickets, .seed = gate->seed, .authorities = gate->authorities };
}

static enum rc open_config(struct gate *gate, struct buf *why)
{
	struct fault fault = { .rc = RC_OK };

	if (gate->options.authorities.len != 0) {
		const enum rc rc = tls_authorities_open(gate->options.authorities, &gate->authorities, &fault);
		if (rc != RC_OK)
			return fail(why, rc, "the system's certificate authorities cannot be read", &fault);
	}
	const struct config_surroundings surroundings = gate_surroundings(gate);
	return config_make(gate->options.start->settings, gate->options.reader, &surroundings, why, NULL, &gate->config);
}

static enum rc open_resolver(struct gate *gate, struct buf *why)
{
	const struct gate_dns_settings *dns = gate->config->settings.dns;
	struct net_address              servers[RESOLVER_SERVERS_MAX];
	struct fault                    fault = { .rc = RC_OK };
	size_t                          count = 0;

	for (; count < dns->servers.count && count < RESOLVER_SERVERS_MAX; count++) {
		if (net_address_parse_port(dns->servers.items[count], 53, &servers[count]) != RC_OK)
			return fail(why, RC_SYNTAX, "[dns] server: not an address", NULL);
	}
	if (count == 0)
		count = resolver_servers_parse(gate->options.resolv_conf, servers, RESOLVER_SERVERS_MAX);
	const struct resolver_settings settings = { .servers = servers, .servers_count = count, .cache_bytes = dns->cache_bytes,
		                                    .ipv6 = true, .private_names = dns->servers.count != 0 };
	enum rc rc = resolver_core_open(&settings, gate->delivery, &gate->resolver_core, &fault);
	if (rc == RC_OK)
		rc = resolver_open(gate->resolver_core, gate->delivery, GATE_RESOLVER_ENTRIES, GATE_RESOLVER_UNDER_WAY, &gate->resolver);
	return rc == RC_OK ? RC_OK : fail(why, rc, "the resolver cannot be set up", &fault);
}

static void replace_scanner(void *context, size_t index)
{
	struct gate *gate = context;

	if (gate->control != NULL)
		control_replace_scanner(gate->control, index);
}

static enum rc open_loops(struct gate *gate, struct buf *why)
{
	const struct role_start *start = gate->options.start;
	const uint64_t           wanted = gate->config->settings.gateway->loops;
	const struct scan_link_options scan = { .scanner_count = start->scan_count,
		                                .waiting_max = gate->config->settings.scanner->waiting_max, .lost_ms = SCAN_LOST_MS,
		                                .context = gate, .replace = replace_scanner };
	const size_t processors = thread_processors();
	size_t       count = wanted != 0 ? wanted : processors < LOOPS_STANDARD_MAX ? processors : LOOPS_STANDARD_MAX;
	enum rc      rc = scan_link_open(&scan, &gate->scan);

	count = count < GATE_LOOPS_MAX ? count : GATE_LOOPS_MAX;
	struct gate_sockets *sockets = memory_take(1, sizeof *sockets);
	if (rc != RC_OK || sockets == NULL)
		return fail(why, RC_NOMEM, "no memory for the event loops", NULL);
	atomic_init(&sockets->holders, 1);
	sockets->count = start->listener_count;
	memcpy(sockets->items, start->listeners, sizeof sockets->items);
	for (; rc == RC_OK && gate->loop_count < count; gate->loop_count++)
		rc = gate_loop_open(gate, &gate->loops[gate->loop_count], gate->config, sockets);
	gate_sockets_drop(&sockets);
	return rc == RC_OK ? RC_OK : fail(why, rc, "an event loop cannot be made", NULL);
}

static enum rc open_outbound(struct gate *gate, struct buf *why)
{
	const struct outbound_options outbound = { .loop = gate->delivery, .resolver = gate->resolver, .config = gate->config,
		                                   .seed = gate->seed, .next_id = next_id, .context = gate };
	const struct callahead_options callahead = { .loop = gate->delivery, .resolver = gate->resolver, .config = gate->config,
		                                     .seed = gate->seed };
	enum rc rc = outbound_open(&outbound, &gate->outbound);

	if (rc == RC_OK)
		rc = callahead_open(&callahead, &gate->callahead);
	return rc == RC_OK ? RC_OK : fail(why, rc, "the way out cannot be set up", NULL);
}

static void on_durable(void *context, const struct journal_mark *reached)
{
	struct gate *gate = context;
	(void)reached;

	if (gate->control != NULL)
		control_durable(gate->control);
}

static void on_journal_failed(void *context, const struct fault *fault)
{
	struct gate *gate = context;

	log_error(LOG_EVENT("journal.failed"), LOG_FAULT(fault));
	counter_up(COUNT_JOURNAL_FAILED);
	if (gate->control != NULL)
		control_journal_failed(gate->control);
}

static void on_snapshot_due(void *context)
{
	struct gate *gate = context;

	outbound_snapshot_due(gate->outbound);
}

static void on_upkeep_failed(void *context, const struct fault *fault)
{
	(void)context;
	log_warning(LOG_EVENT("journal.upkeep"), LOG_FAULT(fault));
}

static enum rc open_journal(struct gate *gate, struct buf *why)
{
	struct journal_recovery recovery;
	struct fault            fault = { .rc = RC_OK };
	enum rc                 rc = journal_disk_open_at(gate->options.start->journal_dir, &gate->disk);

	if (rc != RC_OK)
		return fail(why, rc, "the journal's folder cannot be used", NULL);
	const struct journal_writer_options options = {
		.disk = gate->disk,
		.limits = gate->config->settings.journal,
		.events = { .context = gate, .durable = on_durable, .failed = on_journal_failed, .snapshot_due = on_snapshot_due,
		            .upkeep_failed = on_upkeep_failed },
		.replay = { .context = gate->outbound, .restore = outbound_restore, .apply = outbound_replay },
	};
	rc = journal_writer_open(&options, &recovery, &fault, &gate->journal);
	if (rc == RC_OK)
		rc = outbound_claim(gate->outbound, gate->journal);
	if (rc != RC_OK)
		return fail(why, rc, rc == RC_CORRUPT ? "the journal is damaged (hangu salvage)" : "the journal cannot be opened", &fault);
	/* The clock may have been set back since the gate ran last. */
	atomic_store(&gate->last_id, outbound_last_id(gate->outbound));
	log_notice(LOG_EVENT("journal.open"), LOG_NUMBER("seq", recovery.end.position.seq), LOG_NUMBER("replayed", recovery.groups),
	           LOG_NUMBER("cut_bytes", recovery.cut_bytes), LOG_NUMBER("snapshots_bad", recovery.snapshots_bad));
	return RC_OK;
}

static void gate_close(struct gate **gate)
{
	struct gate *gone = *gate;

	*gate = NULL;
	if (gone == NULL)
		return;
	for (size_t i = 0; i < gone->loop_count; i++)
		gate_loop_stop(&gone->loops[i]);
	watch_close(&gone->watch);
	struct accounts *accounts = atomic_exchange(&gone->accounts, NULL);
	accounts_close(&accounts);
	/* Its last answers are now on their way to the loops, where they still drop bodies and find a journal that takes no more. */
	if (gone->journal != NULL)
		journal_writer_stop(gone->journal);
	if (gone->control != NULL && gone->exit_code == 0)
		control_farewell(gone->control);
	if (gone->delivery != NULL)
		(void)loop_drain(gone->delivery);
	control_close(&gone->control);
	callahead_close(&gone->callahead);
	outbound_close(&gone->outbound);
	/* These two have answered everybody who waited, on the event loops: they go after them. */
	for (size_t i = 0; i < gone->loop_count; i++)
		gate_loop_close(&gone->loops[i]);
	journal_writer_close(&gone->journal);
	journal_disk_close(&gone->disk);
	scan_link_close(&gone->scan);
	resolver_close(&gone->resolver);
	resolver_core_close(&gone->resolver_core);
	loop_close(&gone->delivery);
	peers_close(&gone->peers);
	config_drop(&gone->config);
	tls_tickets_close(&gone->tickets);
	tls_authorities_close(&gone->authorities);
	memory_give(gone);
}

enum rc gate_open(const struct gate_options *options, struct buf *why, struct gate **out)
{
	struct gate *gate = memory_take(1, sizeof *gate);
	struct fault fault = { .rc = RC_OK };

	if (gate == NULL)
		return fail(why, RC_NOMEM, "no memory", NULL);
	gate->options = *options;
	gate->seed = random_u64();
	enum rc rc = open_libraries(gate, why);
	if (rc == RC_OK)
		rc = open_config(gate, why);
	if (rc == RC_OK && (rc = loop_open(0, &gate->delivery, &fault)) != RC_OK)
		(void)fail(why, rc, "the delivery loop cannot be made", &fault);
	if (rc == RC_OK)
		rc = open_resolver(gate, why);
	if (rc == RC_OK && (rc = peers_open(gate->seed, &gate->peers)) != RC_OK)
		(void)fail(why, rc, "no memory for peers", NULL);
	if (rc == RC_OK)
		rc = open_loops(gate, why);
	if (rc == RC_OK)
		rc = open_outbound(gate, why);
	if (rc == RC_OK)
		rc = open_journal(gate, why);
	if (rc != RC_OK) {
		gate_close(&gate);
		return rc;
	}
	slab_limit_set(gate->config->settings.gateway->message_bytes_max);
	*out = gate;
	return RC_OK;
}

/* ---- run ---- */

enum rc gate_accounts_open(struct gate *gate)
{
	struct accounts *accounts = NULL;

	if (gate->config->accounts == NULL || atomic_load(&gate->accounts) != NULL)
		return RC_OK;
	const enum rc rc = accounts_open(&accounts);
	if (rc == RC_OK)
		atomic_store(&gate->accounts, accounts);
	return rc;
}

static enum rc start(struct gate *gate)
{
	const struct role_start *role = gate->options.start;
	enum rc                  rc = control_open(gate, &gate->control);

	if (rc == RC_OK)
		rc = watch_open(gate, &gate->watch);
	if (rc == RC_OK)
		rc = journal_writer_start(gate->journal);
	if (rc == RC_OK)
		rc = gate_accounts_open(gate);
	for (size_t i = 0; rc == RC_OK && i < role->scan_count; i++) {
		rc = scan_link_attach(gate->scan, i, role->scan_channels[i]);
		/* It died before we began: the supervisor collects it and sends us the next one. */
		if (rc == RC_CLOSED) {
			log_warning(LOG_EVENT("scanner.attach"), LOG_NUMBER("scanner", i), LOG_STR("rc", rc_word(rc)));
			rc = RC_OK;
		}
	}
	if (rc == RC_OK)
		outbound_start(gate->outbound);
	for (size_t i = 0; rc == RC_OK && i < gate->loop_count; i++)
		rc = gate_loop_start(&gate->loops[i]);
	return rc;
}

int gate_run(struct gate *gate)
{
	gate->exit_code = 1;
	const enum rc rc = start(gate);
	if (rc == RC_OK) {
		control_ready(gate->control);
		gate_note_node(gate, "start", "the gate serves");
		log_notice(LOG_EVENT("gate.serves"), LOG_NUMBER("loops", gate->loop_count));
		if (loop_run(gate->delivery) != RC_OK)
			log_error(LOG_EVENT("gate.loop.failed"));
	} else {
		log_error(LOG_EVENT("gate.start"), LOG_STR("rc", rc_word(rc)));
	}
	const int exit_code = gate->exit_code;
	gate_close(&gate);
	return exit_code;
}
