/*
 * A way out for unit tests: a real queue, a real journal on a simulated disk, real connections on loopback to next hops that do what a
 * script says. Names are answered by a resolver made here. The journal has no threads: it takes a step in each round of the loop.
 *
 * To be included by one file of a program, behind cmocka.
 */
#ifndef HARNESS_OUTBOUND_RIG_H
#define HARNESS_OUTBOUND_RIG_H

#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "harness/certificate.h"
#include "harness/fake_next_hop.h"
#include "harness/sim_disk.h"
#include "sys/clock.h"
#include "sys/log.h"

/* ---- names ---- */

static struct {
	bool                 null_mx;
	enum resolver_status mx_status;
	const char          *mx[3];
	enum resolver_status address_status;
	struct net_address   address;
	unsigned             asked;
} names;

enum rc resolver_ask(struct resolver *resolver, struct resolver_query *query, enum resolver_type type, struct slice name, uint64_t timeout_ms,
                     struct resolver_answer *answer)
{
	(void)resolver;
	(void)timeout_ms;
	(void)name;
	names.asked++;
	*answer = (struct resolver_answer){ .type = type, .ttl_s = 60 };
	if (type == RESOLVER_MX) {
		struct resolver_mx *mx = arena_take(query->arena, 3, sizeof(*mx));

		answer->status = names.mx_status;
		answer->null_mx = names.null_mx;
		for (; answer->count < 3 && names.mx[answer->count] != NULL; answer->count++)
			mx[answer->count] = (struct resolver_mx){ (uint16_t)(10 + answer->count), slice_str(names.mx[answer->count]) };
		answer->mx = mx;
	} else if (type == RESOLVER_A) {
		answer->status = names.address_status;
		answer->addresses = &names.address;
		answer->count = answer->status == RESOLVER_OK ? 1 : 0;
	} else {
		answer->status = RESOLVER_NODATA;
	}
	return RC_OK;
}

void resolver_cancel(struct resolver_query *query)
{
	(void)query;
}

/* ---- a gateway's inside ---- */

#define HOPS_MAX 2
#define S(text) { (const uint8_t *)(text), sizeof(text) - 1 }

struct rig {
	struct loop                 *loop;
	struct sim_disk             *disk;
	struct journal_limits        limits;
	struct journal_writer       *journal;
	struct config                config;
	struct gate_route_settings   route[2];
	struct slice                 host_texts[HOPS_MAX];
	char                         host_bytes[HOPS_MAX][64];
	struct gate_queue_settings   queue;
	struct gate_gateway_settings gateway;
	struct outbound             *outbound;
	struct fake_next_hop         hops[HOPS_MAX];
	size_t                       hop_count;
	struct net_address           own;
	struct tls_authorities      *authorities;
	uint64_t                     last_id;
	struct buf                   answer; /* of the last command */
	bool                         answered;
	bool                         drained;
	struct outbound_through      through;
	bool                         through_answered;
};

static inline uint64_t next_id(void *context)
{
	struct rig *rig = context;

	return ++rig->last_id + (UINT64_C(1) << 40);
}

static inline void hop_open(struct rig *rig, const struct fake_rule *rules, size_t count)
{
	struct fake_next_hop *hop = &rig->hops[rig->hop_count];
	char text[NET_ADDRESS_TEXT_MAX];
	struct buf line = buf_make(64);

	fake_next_hop_open(hop, rig->loop, rules, count);
	buf_printf(&line, "%s priority=%u", net_address_text_port(&hop->address, text), (unsigned)(10 + rig->hop_count));
	(void)slice_to_cstr(buf_slice(&line), rig->host_bytes[rig->hop_count], 64);
	buf_done(&line);
	rig->host_texts[rig->hop_count] = slice_str(rig->host_bytes[rig->hop_count]);
	rig->hop_count++;
}

static inline struct gate_route_settings route_standard(struct rig *rig)
{
	static const struct slice all[] = { S("*") };
	static const struct slice retry[] = { S("20ms") };

	return (struct gate_route_settings){
		.name = S("main"), .domains = { all, 1 }, .hosts = { rig->host_texts, rig->hop_count }, .port = 25, .tls = ROUTE_TLS_NONE, .dsn = true,
		.connections_max = 5, .messages_per_connection = 100, .recipients_max = 100, .connection_lifetime = 60000, .connection_idle = 5000,
		.timeout_connect = 5000, .timeout_greeting = 5000, .timeout_command = 5000, .timeout_data = 5000, .timeout_block = 5000,
		.timeout_end = 5000, .through_wait = 5000, .retry = { retry, 1 }, .expire = 3600000, .probe = 30,
	};
}

static inline void journal_open(struct rig *rig)
{
	struct journal_writer_options options = { .disk = sim_disk_calls(rig->disk), .limits = &rig->limits,
		                                  .replay = { .context = rig->outbound, .restore = outbound_restore, .apply = outbound_replay } };
	struct fault fault = { 0 };

	assert_int_equal(journal_writer_open(&options, NULL, &fault, &rig->journal), RC_OK);
	assert_int_equal(outbound_claim(rig->outbound, rig->journal), RC_OK);
}

static inline void outbound_up(struct rig *rig)
{
	struct outbound_options options = { .loop = rig->loop, .config = &rig->config, .next_id = next_id, .context = rig, .seed = 42 };

	assert_int_equal(outbound_open(&options, &rig->outbound), RC_OK);
	journal_open(rig);
	outbound_start(rig->outbound);
}

static inline void rig_begin(struct rig *rig)
{
	struct fault fault;

	memset(rig, 0, sizeof(*rig));
	memset(&names, 0, sizeof(names));
	log_open(LOG_FORM_TEXT, LOG_LEVEL_ERROR);
	assert_int_equal(digest_ready(), RC_OK);
	assert_int_equal(loop_open(0, &rig->loop, &fault), RC_OK);
	rig->disk = sim_disk_open(7);
	assert_non_null(rig->disk);
	rig->limits = journal_limits_standard();
	rig->limits.segment_bytes = 4u << 20;
	rig->limits.lazy_ms = 0;
	rig->answer = buf_make(1u << 20);
}

/* Routes as they stand in rig->route. */
static inline void routes_up(struct rig *rig, size_t count)
{
	struct route_source source = { .routes = rig->route, .count = count, .hostname = S("gate.example"), .own = &rig->own,
		                       .own_count = rig->own.family != NET_FAMILY_NONE, .authorities = rig->authorities, .seed = 1 };
	struct buf why = buf_make(1000);

	assert_int_equal(route_table_make(&source, &why, &rig->config.route_table), RC_OK);
	buf_done(&why);
	rig->queue = (struct gate_queue_settings){ .messages_max = 1000, .memory_max = 1u << 26, .hot_bytes_max = 1u << 26, .connections_max = 50,
		                                   .notices = true };
	rig->gateway = (struct gate_gateway_settings){ .hostname = S("gate.example") };
	rig->config.settings.queue = &rig->queue;
	rig->config.settings.gateway = &rig->gateway;
	atomic_store(&rig->config.holders, 1000);
}

/* The usual: one hop that follows `rules`, one route to it. */
static inline void rig_up(struct rig *rig, const struct fake_rule *rules, size_t count)
{
	rig_begin(rig);
	hop_open(rig, rules, count);
	rig->route[0] = route_standard(rig);
	routes_up(rig, 1);
	outbound_up(rig);
}

static inline void outbound_down(struct rig *rig)
{
	journal_writer_close(&rig->journal);
	(void)loop_drain(rig->loop);
	outbound_close(&rig->outbound);
	(void)loop_drain(rig->loop);
}

static inline void rig_down(struct rig *rig)
{
	outbound_down(rig);
	for (size_t i = 0; i < rig->hop_count; i++)
		fake_next_hop_close(&rig->hops[i]);
	(void)loop_drain(rig->loop);
	route_table_close(&rig->config.route_table);
	loop_close(&rig->loop);
	struct journal_disk *disk = sim_disk_calls(rig->disk);

	journal_disk_close(&disk);
	buf_done(&rig->answer);
}

static inline void round_once(struct rig *rig)
{
	assert_int_equal(loop_turn(rig->loop, 2), RC_OK);
	journal_writer_step(rig->journal);
}

/* Go on until `condition` holds; a test that waits for what never comes fails after ten seconds. */
#define UNTIL(rig, condition)                                                                                          \
	do {                                                                                                           \
		uint64_t until_ms = clock_mono_ms() + 10000;                                                           \
		while (!(condition) && clock_mono_ms() < until_ms)                                                     \
			round_once(rig);                                                                               \
		assert_true(condition);                                                                                \
	} while (0)

static inline struct queue_counts counts(struct rig *rig)
{
	struct outbound_counts out;

	outbound_count(rig->outbound, &out);
	return out.queue;
}

static inline uint64_t messages(struct rig *rig)
{
	return counts(rig).messages;
}

static inline void mx_up(struct rig *rig, const struct fake_rule *rules, size_t count)
{
	rig_begin(rig);
	hop_open(rig, rules, count);
	rig->route[0] = route_standard(rig);
	rig->route[0].hosts = (struct setting_list){ 0 };
	rig->route[0].port = rig->hops[0].address.port;
	names.address = rig->hops[0].address;
	names.address.port = 0;
	names.mx[0] = "mx.b";
	routes_up(rig, 1);
	outbound_up(rig);
}

/* ---- accepting ---- */

struct shape {
	const char      *sender;
	const char      *to[8];
	const char      *body;
	const char      *prefix;
	struct event_cut cut;
	uint32_t         flags, notify;
	enum direction   direction;
	int32_t          score;
	const char      *envelope_id, *original;
	int64_t          age_ms; /* since it was received */
	bool             cold, through;
};

static const char standard_body[] = "Subject: hello\r\n\r\n.dot\r\n..two\r\nend\r\n";

struct commit {
	struct journal_group     group;
	struct journal_item      items[2];
	struct slice             pieces[2];
	struct outbound_message *message;
	struct outbound         *outbound;
	bool                     done;
};

static inline void committed(struct journal_group *group, enum rc rc)
{
	struct commit *commit = LIST_OF(group, struct commit, group);

	assert_int_equal(rc, RC_OK);
	commit->message->body = commit->items[0].place;
	commit->message->message = commit->items[1].place;
	commit->message->after = group->after;
	commit->done = true;
	outbound_accept(commit->outbound, commit->message);
	outbound_wake(commit->outbound);
}

static inline void through_answered(struct loop_task *task)
{
	LIST_OF(task, struct rig, through.task)->through_answered = true;
}

static inline uint64_t take_in(struct rig *rig, const struct shape *shape)
{
	struct event_recipient recipients[8] = { 0 };
	struct slice body = slice_str(shape->body != NULL ? shape->body : standard_body);
	struct event_message event = { .id = ++rig->last_id, .received_ms = outbound_wall_ms() - shape->age_ms, .sender = slice_str(shape->sender), .flags = shape->flags,
		                       .body_size = body.len, .header_size = (uint32_t)(slice_search(body, SLICE("\r\n\r\n")) + 4),
		                       .prefix = slice_str(shape->prefix), .recipients = recipients, .envelope_id = slice_str(shape->envelope_id),
		                       .subject = SLICE("hello"), .cuts = &shape->cut, .cut_count = shape->cut.size != 0,
		                       .direction = shape->direction, .score = shape->score };
	struct outbound_message *message = outbound_message_make();
	struct commit commit = { .message = message, .outbound = rig->outbound };

	for (; event.recipient_count < 8 && shape->to[event.recipient_count] != NULL; event.recipient_count++)
		recipients[event.recipient_count] = (struct event_recipient){ .address = slice_str(shape->to[event.recipient_count]),
			                                                      .notify = shape->notify, .original = slice_str(shape->original) };
	digest_of(&body, 1, &event.body_digest);
	event_message_put(&message->payload, &event);
	assert_false(message->payload.failed);
	if (!shape->cold) {
		assert_int_equal(slab_open(body.len, &message->slab), RC_OK);
		assert_int_equal(slab_append(message->slab, body), RC_OK);
		assert_int_equal(slab_seal(message->slab), RC_OK);
	}
	if (shape->through) {
		rig->through = (struct outbound_through){ .home = rig->loop, .task.run = through_answered };
		rig->through_answered = false;
		message->through = &rig->through;
	}
	commit.pieces[0] = body;
	commit.pieces[1] = buf_slice(&message->payload);
	commit.items[0] = (struct journal_item){ .type = EVENT_BODY, .body = true, .digest = &event.body_digest, .pieces = &commit.pieces[0], .piece_count = 1 };
	commit.items[1] = (struct journal_item){ .type = EVENT_MESSAGE, .pieces = &commit.pieces[1], .piece_count = 1 };
	commit.group = (struct journal_group){ .items = commit.items, .item_count = 2, .urgency = JOURNAL_NOW, .answer = committed };
	assert_int_equal(journal_writer_submit(rig->journal, &commit.group), RC_OK);
	journal_writer_step(rig->journal);
	assert_true(commit.done);
	assert_int_equal(loop_turn(rig->loop, 0), RC_OK);
	return event.id;
}

static inline void take_one(struct rig *rig, const char *sender, const char *to)
{
	struct shape shape = { .sender = sender, .to = { to } };

	(void)take_in(rig, &shape);
}

static inline void assert_bytes(const struct buf *bytes, const char *expected)
{
	if (!slice_eq(buf_slice(bytes), slice_str(expected)))
		print_error("got:\n%.*s\nexpected:\n%s\n", (int)bytes->len, (const char *)bytes->ptr, expected);
	assert_true(slice_eq(buf_slice(bytes), slice_str(expected)));
}

static inline const struct queue_recipient *recipient(struct rig *rig, uint64_t id, size_t index)
{
	const struct queue_entry *entry = queue_find(rig->outbound->queue, id);

	assert_non_null(entry);
	return &entry->recipients[index];
}

static inline bool state_is(struct rig *rig, uint64_t id, size_t index, enum queue_state state)
{
	const struct queue_entry *entry = queue_find(rig->outbound->queue, id);

	return entry != NULL && queue_recipient_state(&entry->recipients[index]) == state;
}

#endif
