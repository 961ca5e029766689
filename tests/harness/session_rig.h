/*
 * What tests of whole sessions stand on: one event loop whose sessions talk over socket pairs, a real journal on a simulated disk that takes
 * a step only when a test says so, a real way out to a next hop on loopback. Settings are written as in the file. There is no scanner: with
 * `on_scan_failure` = pass a message goes on without one. What sessions note for the trace is kept here instead of in the journal.
 *
 * It stands in for gate/gate.c, so it is included by the test itself, once; behind cmocka's headers.
 */
#ifndef HARNESS_SESSION_RIG_H
#define HARNESS_SESSION_RIG_H

#include "gate/inside.h"
#include "deliver/outbound_inside.h"
#include "gate/session.h"
#include "gate/transaction.h"

#include "harness/fake_next_hop.h"
#include "harness/sim_disk.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define REFUSALS_MAX 64u

struct refusal {
	enum event_stage stage;
	uint32_t         code;
	char             status[16];
	char             text[512];
	char             reason[64];
};

struct rig {
	struct gate           gate;
	struct gate_loop     *home;
	struct loop          *loop;
	struct sim_disk      *disk;
	struct journal_limits limits;
	struct fake_next_hop  hop;
	int                   client; /* our end of the connection; -1: closed */
	struct buf            heard;
	struct refusal        refusals[REFUSALS_MAX];
	size_t                refusal_count;
};

static struct rig *rig_now; /* whose gate the functions below stand in for: they are handed nothing better */

/* ---- in place of gate/gate.c ---- */

uint64_t gate_next_id(struct gate *gate)
{
	return atomic_fetch_add(&gate->last_id, 1) + 1;
}

bool gate_session_enter(struct gate *gate, uint32_t listener, uint64_t max)
{
	return atomic_fetch_add(&gate->listener_sessions[listener], 1) < max;
}

void gate_session_leave(struct gate *gate, uint32_t listener)
{
	atomic_fetch_sub(&gate->listener_sessions[listener], 1);
}

void gate_note(struct gate *gate, enum event_type type, struct buf *payload)
{
	struct event_refused event;
	(void)gate;

	assert_false(payload->failed);
	if (type == EVENT_REFUSED && rig_now->refusal_count < REFUSALS_MAX) {
		struct refusal *refusal = &rig_now->refusals[rig_now->refusal_count++];
		assert_int_equal(event_refused_read(buf_slice(payload), &event), RC_OK);
		refusal->stage = event.stage;
		refusal->code = event.code;
		(void)slice_to_cstr(event.enhanced, refusal->status, sizeof refusal->status);
		(void)slice_to_cstr(event.text, refusal->text, sizeof refusal->text);
		(void)slice_to_cstr(event.reason, refusal->reason, sizeof refusal->reason);
	}
	buf_clear(payload);
}

/* ---- settings ---- */

static struct policy_settings policy;

static inline enum rc read_settings(struct slice bundle, struct arena *arena, struct gate_settings *out)
{
	static const struct setting_section sections[] = {
		{ "gateway", false, gate_gateway_settings, sizeof(struct gate_gateway_settings), 1, "" },
		{ "listener", true, gate_listener_settings, sizeof(struct gate_listener_settings), 4, "" },
		{ "domain", true, gate_domain_settings, sizeof(struct gate_domain_settings), 4, "" },
		{ "organisation", false, gate_organisation_settings, sizeof(struct gate_organisation_settings), 1, "" },
		{ "accounts", false, gate_accounts_settings, sizeof(struct gate_accounts_settings), 1, "" },
		{ "tls", false, gate_tls_settings, sizeof(struct gate_tls_settings), 1, "" },
		{ "dns", false, gate_dns_settings, sizeof(struct gate_dns_settings), 1, "" },
		{ "scanner", false, gate_scanner_settings, sizeof(struct gate_scanner_settings), 1, "" },
		{ "queue", false, gate_queue_settings, sizeof(struct gate_queue_settings), 1, "" },
		{ "callahead", false, gate_callahead_settings, sizeof(struct gate_callahead_settings), 1, "" },
		{ "route", true, gate_route_settings, sizeof(struct gate_route_settings), 4, "" },
	};
	struct setting_values values;
	struct setting_error  errors[4];
	size_t                error_count = 0;
	const enum rc rc = setting_read(bundle, sections, sizeof sections / sizeof *sections, arena, &values, errors, 4, &error_count);

	if (rc != RC_OK) {
		print_error("settings, line %zu: %s\n", error_count == 0 ? 0 : errors[0].line, error_count == 0 ? "" : errors[0].text);
		return rc;
	}
	*out = (struct gate_settings){
		.gateway = values.sections[0].items, .listeners = values.sections[1].items, .listener_count = values.sections[1].count,
		.domains = values.sections[2].items, .domain_count = values.sections[2].count, .organisation = values.sections[3].items,
		.accounts = values.sections[4].items, .tls = values.sections[5].items, .dns = values.sections[6].items,
		.scanner = values.sections[7].items, .queue = values.sections[8].items, .callahead = values.sections[9].items,
		.routes = values.sections[10].items, .route_count = values.sections[10].count, .policy = policy, .journal = &rig_now->limits,
	};
	return RC_OK;
}

/* `listener` are lines of [listener main], `more` are sections behind it. */
static inline struct config *settings_of(struct rig *rig, const char *listener, const char *more)
{
	const struct config_surroundings surroundings = { .seed = 1 };
	struct buf                       text = buf_make(8192), why = buf_make(1000);
	struct config                   *config = NULL;
	char                             hop[NET_ADDRESS_TEXT_MAX];

	buf_printf(&text, "[gateway]\nhostname = gate.example\nuser = nobody\nstate = /nowhere\nrun = /nowhere\n"
	                  "[listener main]\naddress = 127.0.0.1:25\nrole = internet\n%s\n"
	                  "[domain example.net]\nrecipients = any\n[dns]\nreverse = no\n"
	                  "[route all]\ndomains = *\nhosts = %s\ntls = none\nthrough_wait = 30s\n%s\n",
	           listener, net_address_text_port(&rig->hop.address, hop), more);
	if (config_make(buf_slice(&text), read_settings, &surroundings, &why, NULL, &config) != RC_OK)
		fail_msg("%.*s", (int)why.len, (const char *)why.ptr);
	buf_done(&text);
	buf_done(&why);
	return config;
}

/* ---- the rig ---- */

static inline void home_up(struct rig *rig)
{
	struct gate_loop *home = rig->home;

	home->gate = &rig->gate;
	home->loop = rig->loop;
	home->config = config_hold(rig->gate.config);
	list_init(&home->sessions);
	home->out = buf_make(GATE_OUT_MAX);
	home->payload = buf_make(EVENT_PAYLOAD_MAX);
	assert_int_equal(arena_init(&home->arena, GATE_ARENA_BYTES), RC_OK);
	assert_int_equal(scan_port_open(rig->gate.scan, rig->loop, &home->scan), RC_OK);
}

static inline void no_scanner(void *context, size_t index)
{
	(void)context;
	(void)index;
}

static inline void rig_up(struct rig *rig, const char *listener, const char *more, const struct fake_rule *rules, size_t rule_count)
{
	struct fault fault = { 0 };

	memset(rig, 0, sizeof *rig);
	rig_now = rig;
	rig->client = -1;
	rig->heard = buf_make(1u << 20);
	rig->limits = journal_limits_standard();
	rig->limits.segment_bytes = 4u << 20;
	rig->limits.lazy_ms = 0;
	log_open(LOG_FORM_TEXT, LOG_LEVEL_ERROR);
	assert_int_equal(digest_ready(), RC_OK);
	assert_int_equal(loop_open(0, &rig->loop, &fault), RC_OK);
	fake_next_hop_open(&rig->hop, rig->loop, rules, rule_count);
	policy = policy_settings_standard();
	policy.on_scan_failure = SCAN_FAILURE_PASS;
	policy.deadline_ms = 1;
	rig->gate.config = settings_of(rig, listener, more);
	rig->gate.delivery = rig->loop;
	assert_int_equal(peers_open(1, &rig->gate.peers), RC_OK);
	const struct scan_link_options scan = { .scanner_count = 1, .waiting_max = 100, .lost_ms = SCAN_LOST_MS, .replace = no_scanner };
	assert_int_equal(scan_link_open(&scan, &rig->gate.scan), RC_OK);
	const struct outbound_options outbound = { .loop = rig->loop, .config = rig->gate.config, .seed = 42 };
	assert_int_equal(outbound_open(&outbound, &rig->gate.outbound), RC_OK);
	rig->disk = sim_disk_open(7);
	const struct journal_writer_options journal = { .disk = sim_disk_calls(rig->disk), .limits = &rig->limits,
		                                        .replay = { .context = rig->gate.outbound, .restore = outbound_restore,
		                                                    .apply = outbound_replay } };
	assert_int_equal(journal_writer_open(&journal, NULL, &fault, &rig->gate.journal), RC_OK);
	assert_int_equal(outbound_claim(rig->gate.outbound, rig->gate.journal), RC_OK);
	outbound_start(rig->gate.outbound);
	rig->home = &rig->gate.loops[0];
	rig->gate.loop_count = 1;
	home_up(rig);
}

static inline void hang_up(struct rig *rig)
{
	if (rig->client >= 0)
		(void)close(rig->client);
	rig->client = -1;
}

/* As gate_close() goes: sessions, journal, way out, and then what the sessions still had to hear. */
static inline void rig_down(struct rig *rig)
{
	struct gate_loop    *home = rig->home;
	struct journal_disk *disk = sim_disk_calls(rig->disk);

	gate_loop_shed(home, true);
	gate_loop_shed(home, true);
	journal_writer_stop(rig->gate.journal);
	(void)loop_drain(rig->loop);
	outbound_close(&rig->gate.outbound);
	fake_next_hop_close(&rig->hop);
	timer_stop(&home->drain_timer);
	gate_loop_close(home); /* and the loop */
	journal_writer_close(&rig->gate.journal);
	assert_int_equal(home->session_count, 0);
	hang_up(rig);
	scan_link_close(&rig->gate.scan);
	peers_close(&rig->gate.peers);
	assert_int_equal(atomic_load(&rig->gate.config->holders), 1);
	config_drop(&rig->gate.config);
	journal_disk_close(&disk);
	buf_done(&rig->heard);
	assert_int_equal(slab_count(), 0);
}

static inline void listen_in(struct rig *rig)
{
	uint8_t room[4096];
	ssize_t count;

	while (rig->client >= 0 && (count = recv(rig->client, room, sizeof room, MSG_DONTWAIT)) >= 0) {
		buf_put(&rig->heard, slice_of(room, (size_t)count));
		if (count == 0)
			hang_up(rig);
	}
}

enum { WITHOUT_JOURNAL, WITH_JOURNAL };

static inline void round_once(struct rig *rig, int with_journal)
{
	assert_int_equal(loop_turn(rig->loop, 2), RC_OK);
	if (with_journal == WITH_JOURNAL)
		journal_writer_step(rig->gate.journal);
	listen_in(rig);
}

/* Go on until `condition` holds; a test that waits for what never comes fails after ten seconds. */
#define UNTIL(rig, condition, with_journal)                                                                            \
	do {                                                                                                           \
		uint64_t until_ms = clock_mono_ms() + 10000;                                                           \
		while (!(condition) && clock_mono_ms() < until_ms)                                                     \
			round_once(rig, with_journal);                                                                 \
		if (!(condition))                                                                                      \
			print_error("heard: %.*s\n", (int)(rig)->heard.len, (const char *)(rig)->heard.ptr);           \
		assert_true(condition);                                                                                \
	} while (0)

static inline bool heard(const struct rig *rig, const char *text)
{
	const struct slice all = buf_slice(&rig->heard);

	return slice_search(all, slice_str(text)) != all.len;
}

static inline void say(struct rig *rig, const char *text)
{
	assert_int_equal(send(rig->client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Say `text` and hear `reply`; what was heard before is forgotten. */
static inline void talk(struct rig *rig, const char *text, const char *reply)
{
	buf_clear(&rig->heard);
	say(rig, text);
	UNTIL(rig, heard(rig, reply), WITH_JOURNAL);
}

static inline void come_in(struct rig *rig, const char *address)
{
	struct net_address peer;
	int                ends[2];

	hang_up(rig);
	buf_clear(&rig->heard);
	assert_int_equal(net_address_parse(slice_str(address), &peer), RC_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	rig->client = ends[0];
	session_accept(rig->home, 0, ends[1], &peer);
}

static inline void greeted(struct rig *rig)
{
	come_in(rig, "192.0.2.1");
	UNTIL(rig, heard(rig, "220 "), WITH_JOURNAL);
	talk(rig, "EHLO c.example\r\n", "250 ");
}

static inline struct session *the_session(struct rig *rig)
{
	assert_int_equal(rig->home->session_count, 1);
	return LIST_OF(rig->home->sessions.next, struct session, link);
}

static const struct refusal *refused(const struct rig *rig, const char *reason)
{
	for (size_t i = 0; i < rig->refusal_count; i++) {
		if (strcmp(rig->refusals[i].reason, reason) == 0)
			return &rig->refusals[i];
	}
	return NULL;
}

static inline uint64_t counted(enum counter counter)
{
	return atomic_load(&counters_mine->counters[counter]);
}

static const char envelope[] = "MAIL FROM:<s@example.org>\r\nRCPT TO:<r@example.net>\r\nDATA\r\n";
static const char message[] = "Subject: hello\r\n\r\nText\r\n.\r\n";

static inline bool is_committing(struct rig *rig)
{
	const struct session *session = the_session(rig);

	return session->transaction != NULL && transaction_commits(session->transaction);
}

#endif
