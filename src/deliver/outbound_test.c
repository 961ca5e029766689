/*
 * Tests of the way out: a real queue, a real journal on a simulated disk, real connections on loopback to next hops that do what a script says. Names are answered by a
 * resolver made here. The journal has no threads: it takes a step in each round of the loop.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

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

static uint64_t next_id(void *context)
{
	struct rig *rig = context;

	return ++rig->last_id + (UINT64_C(1) << 40);
}

static void hop_open(struct rig *rig, const struct fake_rule *rules, size_t count)
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

static struct gate_route_settings route_standard(struct rig *rig)
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

static void journal_open(struct rig *rig)
{
	struct journal_writer_options options = { .disk = sim_disk_calls(rig->disk), .limits = &rig->limits,
		                                  .replay = { .context = rig->outbound, .restore = outbound_restore, .apply = outbound_replay } };
	struct fault fault = { 0 };

	assert_int_equal(journal_writer_open(&options, NULL, &fault, &rig->journal), RC_OK);
	assert_int_equal(outbound_claim(rig->outbound, rig->journal), RC_OK);
}

static void outbound_up(struct rig *rig)
{
	struct outbound_options options = { .loop = rig->loop, .config = &rig->config, .next_id = next_id, .context = rig, .seed = 42 };

	assert_int_equal(outbound_open(&options, &rig->outbound), RC_OK);
	journal_open(rig);
	outbound_start(rig->outbound);
}

static void rig_begin(struct rig *rig)
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
static void routes_up(struct rig *rig, size_t count)
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
static void rig_up(struct rig *rig, const struct fake_rule *rules, size_t count)
{
	rig_begin(rig);
	hop_open(rig, rules, count);
	rig->route[0] = route_standard(rig);
	routes_up(rig, 1);
	outbound_up(rig);
}

static void outbound_down(struct rig *rig)
{
	journal_writer_close(&rig->journal);
	(void)loop_drain(rig->loop);
	outbound_close(&rig->outbound);
	(void)loop_drain(rig->loop);
}

static void rig_down(struct rig *rig)
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

static void round_once(struct rig *rig)
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

static struct queue_counts counts(struct rig *rig)
{
	struct outbound_counts out;

	outbound_count(rig->outbound, &out);
	return out.queue;
}

static uint64_t messages(struct rig *rig)
{
	return counts(rig).messages;
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

static void committed(struct journal_group *group, enum rc rc)
{
	struct commit *commit = LIST_OF(group, struct commit, group);

	assert_int_equal(rc, RC_OK);
	commit->message->body = commit->items[0].place;
	commit->message->message = commit->items[1].place;
	commit->message->after = group->after;
	commit->done = true;
	outbound_accept(commit->outbound, commit->message);
}

static void through_answered(struct loop_task *task)
{
	LIST_OF(task, struct rig, through.task)->through_answered = true;
}

static uint64_t take_in(struct rig *rig, const struct shape *shape)
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

static void take_one(struct rig *rig, const char *sender, const char *to)
{
	struct shape shape = { .sender = sender, .to = { to } };

	(void)take_in(rig, &shape);
}

static void assert_bytes(const struct buf *bytes, const char *expected)
{
	if (!slice_eq(buf_slice(bytes), slice_str(expected)))
		print_error("got:\n%.*s\nexpected:\n%s\n", (int)bytes->len, (const char *)bytes->ptr, expected);
	assert_true(slice_eq(buf_slice(bytes), slice_str(expected)));
}

static const struct queue_recipient *recipient(struct rig *rig, uint64_t id, size_t index)
{
	const struct queue_entry *entry = queue_find(rig->outbound->queue, id);

	assert_non_null(entry);
	return &entry->recipients[index];
}

static bool state_is(struct rig *rig, uint64_t id, size_t index, enum queue_state state)
{
	const struct queue_entry *entry = queue_find(rig->outbound->queue, id);

	return entry != NULL && queue_recipient_state(&entry->recipients[index]) == state;
}

/* ---- delivering ---- */

static void a_message_arrives_byte_for_byte(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b" }, .prefix = "Received: here\r\n", .body = "X-Hangu-Class: clean\r\nSubject: a\r\n\r\n.\r\nend",
		               .cut = { 0, 22 } };

	(void)state;
	for (int cold = 0; cold < 2; cold++) {
		rig_up(&rig, NULL, 0);
		shape.cold = cold == 1;
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_bytes(&rig.hops[0].messages[0].bytes, "Received: here\r\nSubject: a\r\n\r\n.\r\nend\r\n");
		assert_bytes(&rig.hops[0].messages[0].envelope, "MAIL FROM:<s@x> SIZE=36\nRCPT TO:<a@b>\n");
		assert_int_equal(rig.outbound->hot_bytes, 0);
		rig_down(&rig);
	}
}

/* I-15, I-16: what a route wants below our own fields, and when it is not written. */
static void a_route_adds_fields(void **state)
{
#define PREFIX "Received: here\r\n"
#define SPAM "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=6.5 required=5.0\r\nX-Spam-Level: ******\r\n"
#define HAM "X-Spam-Flag: NO\r\nX-Spam-Status: No, score=0.5 required=5.0\r\nX-Spam-Level: \r\n"
#define SCL "X-MS-Exchange-Organization-SCL: "
#define END "A: b\r\n\r\nc\r\n"
	static const struct {
		enum route_spam_headers spam;
		bool                    all_routes, scl;
		int32_t                 score;
		uint32_t                flags;
		enum direction          direction;
		const char             *arrives;
	} rows[] = {
		{ ROUTE_SPAM_HEADERS_STANDARD, false, false, 6500, 0, DIRECTION_INBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_STANDARD, true, false, 6500, 0, DIRECTION_INBOUND, PREFIX SPAM END },
		{ ROUTE_SPAM_HEADERS_NO, true, false, 6500, 0, DIRECTION_INBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_YES, false, false, 500, 0, DIRECTION_OUTBOUND, PREFIX HAM END },
		{ ROUTE_SPAM_HEADERS_YES, false, true, 6500, 0, DIRECTION_INBOUND, PREFIX SPAM SCL "5\r\n" END },
		{ ROUTE_SPAM_HEADERS_NO, false, true, 500, 0, DIRECTION_INBOUND, PREFIX SCL "1\r\n" END },
		{ ROUTE_SPAM_HEADERS_NO, false, true, 12000, 0, DIRECTION_OUTBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_NO, false, true, 500, 0, DIRECTION_INTERNAL, PREFIX END },
		{ ROUTE_SPAM_HEADERS_YES, false, true, 0, EVENT_FLAG_UNSCANNED, DIRECTION_INBOUND, PREFIX END },
		{ ROUTE_SPAM_HEADERS_YES, false, true, 0, EVENT_FLAG_UNSCANNABLE, DIRECTION_INBOUND, PREFIX END },
	};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t row = i / 2;
		struct shape shape = { .sender = "s@x", .to = { "a@b" }, .prefix = PREFIX, .body = END, .cold = i % 2 == 1, .score = rows[row].score,
			               .flags = rows[row].flags, .direction = rows[row].direction };
		struct buf envelope = buf_make(100);

		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.route[0] = route_standard(&rig);
		rig.route[0].spam_headers = rows[row].spam;
		rig.route[0].scl = rows[row].scl;
		rig.config.settings.policy.spam_headers = rows[row].all_routes;
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_bytes(&rig.hops[0].messages[0].bytes, rows[row].arrives);
		buf_printf(&envelope, "MAIL FROM:<s@x> SIZE=%zu\nRCPT TO:<a@b>\n", strlen(rows[row].arrives));
		buf_put_byte(&envelope, 0);
		assert_bytes(&rig.hops[0].messages[0].envelope, (const char *)envelope.ptr);
		buf_done(&envelope);
		rig_down(&rig);
	}
#undef PREFIX
#undef SPAM
#undef HAM
#undef SCL
#undef END
}

static void a_long_message_comes_in_windows(void **state)
{
	struct rig rig;
	size_t size = 300000;
	char *body = memory_take(1, size + 1);
	struct shape shape = { .sender = "s@x", .to = { "a@b" }, .prefix = "Received: here\r\n", .body = body };

	(void)state;
	for (size_t i = 0; i < size; i++)
		body[i] = i % 80 == 78 ? '\r' : i % 80 == 79 ? '\n' : i % 80 == 0 ? '.' : 'x';
	memcpy(body, "A: b\r\n\r\n", 8);
	for (int cold = 0; cold < 4; cold++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.route[0] = route_standard(&rig);
		rig.route[0].chunking = cold >= 2;
		routes_up(&rig, 1);
		outbound_up(&rig);
		shape.cold = cold % 2 == 1;
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].messages[0].chunked, cold >= 2);
		assert_int_equal(rig.hops[0].messages[0].bytes.len, size + 16);
		assert_memory_equal(rig.hops[0].messages[0].bytes.ptr + 16, body, size);
		rig_down(&rig);
	}
	memory_give(body);
}

static void connections_are_reused(void **state)
{
	struct rig rig;

	(void)state;
	rig_up(&rig, NULL, 0);
	for (int i = 0; i < 40; i++)
		take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 40);
	assert_in_range(rig.hops[0].connections, 1, 5);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	assert_in_range(rig.hops[0].connections, 1, 5);
	rig_down(&rig);
}

/* I-7: a connection on which the next hop found four errors is left before the fifth. */
static void protocol_errors_end_a_connection(void **state)
{
	static const struct fake_rule rules[] = { { .on = "RCPT TO:<bad@", .say = "501 5.1.3 bad address" } };
	struct shape shape = { .sender = "", .to = { "bad@b", "good@b" } };
	struct rig rig;

	(void)state;
	for (unsigned errors = OUTBOUND_ERRORS_MAX - 1; errors <= OUTBOUND_ERRORS_MAX + 1; errors++) {
		rig_begin(&rig);
		hop_open(&rig, rules, 1);
		rig.route[0] = route_standard(&rig);
		rig.route[0].connections_max = 1;
		routes_up(&rig, 1);
		outbound_up(&rig);
		for (unsigned i = 0; i < errors; i++) {
			take_in(&rig, &shape);
			UNTIL(&rig, rig.hops[0].delivered == i + 1);
		}
		assert_int_equal(rig.hops[0].connections, errors <= OUTBOUND_ERRORS_MAX ? 1 : 2);
		UNTIL(&rig, fake_next_hop_heard(&rig.hops[0], "QUIT") == (errors >= OUTBOUND_ERRORS_MAX));
		rig_down(&rig);
	}
}

static void recipients_share_a_transaction(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@d", "e@f" } };

	(void)state;
	rig_up(&rig, NULL, 0);
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].message_count, 1);
	assert_int_equal(fake_next_hop_heard(&rig.hops[0], "RCPT"), 3);
	rig_down(&rig);
}

static void too_many_recipients_go_on_at_once(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<c@d>", 1, FAKE_SAY, "452 4.5.3 too many" }, { "RCPT TO:<e@f>", 1, FAKE_SAY, "552 too many" } };
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@d", "e@f" } };

	(void)state;
	rig_up(&rig, rules, 2);
	rig.route[0].retry = (struct setting_list){ 0 };
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 2);
	assert_int_equal(rig.outbound->counts.deferred, 0);
	rig_down(&rig);
}

static void replies_decide_for_each_recipient(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<later@b>", 1, FAKE_SAY, "451 4.7.1 greylisted" },
		                                  { "RCPT TO:<never@b>", 0, FAKE_SAY, "550 5.1.1 no such user" } };
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "good@b", "later@b", "never@b" } };
	uint64_t id;

	(void)state;
	rig_up(&rig, rules, 2);
	id = take_in(&rig, &shape);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DELIVERED] == 1);
	/* The stranger is not told: the message is held instead (I-27). */
	assert_int_equal(queue_recipient_state(recipient(&rig, id, 2)), QUEUE_HELD);
	assert_true(slice_eq(queue_memo_text(recipient(&rig, id, 2)), SLICE("no such user")));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 2)), SLICE("5.1.1")));
	assert_int_equal(recipient(&rig, id, 1)->attempts, 1);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DELIVERED] == 2);
	assert_int_equal(rig.hops[0].delivered, 2);
	rig_down(&rig);
}

static void a_lost_answer_is_uncertain_and_tried_again(void **state)
{
	static const struct fake_rule rules[] = { { ".", 1, FAKE_CLOSE, NULL } };
	struct rig rig;

	(void)state;
	rig_up(&rig, rules, 1);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, rig.outbound->counts.uncertain == 1);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].message_count, 2);
	assert_int_equal(rig.hops[0].delivered, 1);
	rig_down(&rig);
}

static void a_line_lost_before_the_end_is_no_delivery(void **state)
{
	static const char *const places[] = { "MAIL", "RCPT", "DATA" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (int how = 0; how < 2; how++) {
			struct fake_rule rule = { places[i], 1, how == 0 ? FAKE_CLOSE : FAKE_RESET, NULL };
			struct rig rig;

			rig_up(&rig, &rule, 1);
			take_one(&rig, "s@x", "a@b");
			UNTIL(&rig, messages(&rig) == 0);
			assert_int_equal(rig.hops[0].delivered, 1);
			assert_int_equal(rig.outbound->counts.uncertain, 0);
			assert_int_equal(rig.outbound->counts.deferred, 1);
			rig_down(&rig);
		}
}

static void a_kept_connection_that_is_gone_costs_no_attempt(void **state)
{
	/* The second MAIL on a connection finds it closed. */
	static const struct fake_rule rules[] = { { "MAIL", 1, FAKE_SAY, "250 2.1.0 fine" }, { "MAIL", 1, FAKE_CLOSE, NULL } };
	struct rig rig;

	(void)state;
	rig_up(&rig, rules, 2);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 2);
	assert_int_equal(rig.outbound->counts.deferred, 0);
	assert_int_equal(rig.hops[0].connections, 2);
	rig_down(&rig);
}

static void a_silent_peer_runs_out_of_time(void **state)
{
	static const char *const places[] = { "", "EHLO", "MAIL", "." };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fake_rule rule = { places[i], 1, FAKE_STALL, NULL };
		struct rig rig;

		rig_begin(&rig);
		hop_open(&rig, &rule, 1);
		rig.route[0] = route_standard(&rig);
		rig.route[0].timeout_greeting = rig.route[0].timeout_command = rig.route[0].timeout_end = 100;
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_one(&rig, "s@x", "a@b");
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_int_equal(rig.outbound->counts.uncertain, i == 3);
		rig_down(&rig);
	}
}

static void the_next_host_is_tried_in_the_same_attempt(void **state)
{
	static const struct fake_rule greeting[] = { { "", 0, FAKE_CLOSE, "554 not today" } };
	struct rig rig;

	(void)state;
	for (int how = 0; how < 2; how++) {
		rig_begin(&rig);
		hop_open(&rig, how == 0 ? greeting : NULL, how == 0 ? 1 : 0);
		hop_open(&rig, NULL, 0);
		if (how == 1)
			fake_next_hop_stop(&rig.hops[0]); /* refused */
		rig.route[0] = route_standard(&rig);
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_one(&rig, "s@x", "a@b");
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[1].delivered, 1);
		assert_int_equal(rig.outbound->counts.deferred, 0);
		rig_down(&rig);
	}
}

static void a_dead_destination_comes_back(void **state)
{
	struct rig rig;
	uint64_t id;
	struct shape shape = { .sender = "s@x", .to = { "a@b" } };

	(void)state;
	rig_up(&rig, NULL, 0);
	fake_next_hop_stop(&rig.hops[0]);
	id = take_in(&rig, &shape);
	UNTIL(&rig, rig.outbound->counts.deferred >= 1);
	UNTIL(&rig, queue_find(rig.outbound->queue, id)->recipients[0].memo != NULL);
	assert_true(slice_eq(queue_memo_text(recipient(&rig, id, 0)), SLICE("connection refused")));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("4.4.1")));
	fake_next_hop_restart(&rig.hops[0]);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 1);
	rig_down(&rig);
}

static void lmtp_answers_each_recipient(void **state)
{
	static const struct fake_rule rules[] = { { ".", 1, FAKE_SAY, "250 2.0.0 first" }, { ".", 1, FAKE_SAY, "452 4.2.2 full" },
		                                  { ".", 1, FAKE_SAY, "550 5.2.1 closed" } };
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@b", "e@b" } };
	uint64_t id;

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, rules, 3);
	rig.hops[0].lmtp = true;
	rig.route[0] = route_standard(&rig);
	rig.route[0].protocol = ROUTE_LMTP;
	routes_up(&rig, 1);
	outbound_up(&rig);
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_DELIVERED));
	assert_int_equal(queue_recipient_state(recipient(&rig, id, 2)), QUEUE_HELD);
	UNTIL(&rig, state_is(&rig, id, 1, QUEUE_DELIVERED));
	assert_int_equal(fake_next_hop_heard(&rig.hops[0], "LHLO"), 1);
	rig_down(&rig);
}

static void what_the_next_hop_lacks_decides(void **state)
{
	struct rig rig;
	struct shape utf8 = { .sender = "s@x", .to = { "\xc3\xbc@b" }, .flags = EVENT_FLAG_SMTPUTF8 };
	struct shape eight = { .sender = "s@x", .to = { "a@b" }, .flags = EVENT_FLAG_8BITMIME };
	uint64_t id;

	(void)state;
	for (int bounce = 0; bounce < 2; bounce++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.hops[0].extensions = "SIZE 20";
		rig.route[0] = route_standard(&rig);
		rig.route[0].eightbit = bounce == 1 ? ROUTE_EIGHTBIT_BOUNCE : ROUTE_EIGHTBIT_SEND;
		routes_up(&rig, 1);
		outbound_up(&rig);
		id = take_in(&rig, &utf8);
		UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
		assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.6.7")));
		id = take_in(&rig, &eight);
		UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
		assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), bounce == 1 ? SLICE("5.6.3") : SLICE("5.3.4")));
		rig_down(&rig);
	}
}

/* ---- notices ---- */

static void a_trusted_sender_is_told(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<gone@b>", 0, FAKE_SAY, "550 5.1.1 no such user" } };
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "gone@b" }, .flags = EVENT_FLAG_TRUSTED, .envelope_id = "id7", .original = "rfc822;Gone@b" };

	(void)state;
	for (int cold = 0; cold < 2; cold++) {
		rig_up(&rig, rules, 1);
		shape.cold = cold == 1;
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_int_equal(rig.outbound->counts.notices, 1);

		const struct fake_message *notice = &rig.hops[0].messages[rig.hops[0].message_count - 1];
		struct slice bytes = buf_slice(&notice->bytes);

		assert_true(slice_starts(buf_slice(&notice->envelope), SLICE("MAIL FROM:<>")));
		assert_true(slice_search(buf_slice(&notice->envelope), SLICE("RCPT TO:<user@own> NOTIFY=NEVER")) != notice->envelope.len);
		assert_true(slice_search(bytes, SLICE("Action: failed")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Status: 5.1.1")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Original-Recipient: rfc822; Gone@b")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Original-Envelope-Id: id7")) != bytes.len);
		assert_true(slice_search(bytes, SLICE("Subject: hello")) != bytes.len);
		rig_down(&rig);
	}
}

static void success_is_told_when_the_next_hop_will_not(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "a@b" }, .flags = EVENT_FLAG_TRUSTED, .notify = EVENT_NOTIFY_SUCCESS };

	(void)state;
	for (int dsn = 0; dsn < 2; dsn++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		rig.hops[0].extensions = dsn == 1 ? "DSN" : "8BITMIME";
		rig.route[0] = route_standard(&rig);
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_in(&rig, &shape);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.outbound->counts.notices, dsn == 1 ? 0 : 1);
		assert_int_equal(rig.hops[0].delivered, dsn == 1 ? 1 : 2);
		if (dsn == 1)
			assert_int_equal(fake_next_hop_heard(&rig.hops[0], "RCPT TO:<a@b> NOTIFY=SUCCESS"), 1);
		else
			assert_true(slice_search(buf_slice(&rig.hops[0].messages[1].bytes), SLICE("Action: relayed")) != rig.hops[0].messages[1].bytes.len);
		rig_down(&rig);
	}
}

static void the_time_of_a_message_ends(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<late@b>", 0, FAKE_SAY, "451 4.2.1 later" } };
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "late@b" }, .flags = EVENT_FLAG_TRUSTED };

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, rules, 1);
	rig.route[0] = route_standard(&rig);
	rig.route[0].expire = 150;
	rig.route[0].delay_notice = 60;
	routes_up(&rig, 1);
	outbound_up(&rig);
	take_in(&rig, &shape);
	UNTIL(&rig, rig.outbound->counts.expired == 1);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.outbound->counts.notices, 2); /* late, once; then given up */
	assert_int_equal(rig.hops[0].delivered, 2);
	rig_down(&rig);
}

static void a_notice_that_fails_makes_no_notice(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<postmaster@own>", 0, FAKE_SAY, "250 2.1.5 fine" }, { "RCPT", 0, FAKE_SAY, "550 5.1.1 no" } };
	struct rig rig;
	struct shape shape = { .sender = "user@own", .to = { "gone@b" }, .flags = EVENT_FLAG_TRUSTED };

	(void)state;
	for (int postmaster = 0; postmaster < 2; postmaster++) {
		rig_up(&rig, rules, 2);
		rig.queue.postmaster = postmaster == 1 ? SLICE("postmaster@own") : SLICE("");
		take_in(&rig, &shape);
		if (postmaster == 1) {
			UNTIL(&rig, messages(&rig) == 0);
			assert_int_equal(rig.outbound->counts.notices, 2);
			assert_int_equal(rig.hops[0].delivered, 1);
		} else {
			UNTIL(&rig, counts(&rig).recipients[QUEUE_HELD] == 1);
			assert_int_equal(rig.outbound->counts.notices, 1);
			assert_int_equal(messages(&rig), 1);
		}
		rig_down(&rig);
	}
}

/* ---- names and routes ---- */

static void mx_up(struct rig *rig, const struct fake_rule *rules, size_t count)
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

static void the_mx_of_the_domain_is_asked(void **state)
{
	struct rig rig;
	uint64_t id;
	struct shape shape = { .sender = "s@x", .to = { "a@b" } };

	(void)state;
	mx_up(&rig, NULL, 0);
	take_in(&rig, &shape);
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 2);
	assert_int_equal(names.asked, 3); /* MX, A, AAAA: once */
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.mx_status = RESOLVER_NODATA; /* no MX: the domain itself */
	take_in(&rig, &shape);
	UNTIL(&rig, messages(&rig) == 0);
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.null_mx = true; /* RFC 7505 */
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.1.10")));
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.mx_status = RESOLVER_NXDOMAIN;
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.1.2")));
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	names.mx_status = RESOLVER_TIMEOUT;
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_DEFERRED));
	names.mx_status = RESOLVER_OK;
	UNTIL(&rig, messages(&rig) == 0);
	rig_down(&rig);

	mx_up(&rig, NULL, 0);
	route_table_close(&rig.config.route_table);
	rig.own = rig.hops[0].address; /* I-19d: the MX is this gateway */
	routes_up(&rig, 1);
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_HELD));
	assert_true(slice_eq(queue_memo_enhanced(recipient(&rig, id, 0)), SLICE("5.4.6")));
	assert_int_equal(rig.hops[0].connections, 0);
	rig_down(&rig);
}

static void without_a_route_mail_waits(void **state)
{
	static const struct slice other[] = { S("other.example") };
	struct rig rig;
	uint64_t id;
	struct shape shape = { .sender = "s@x", .to = { "a@b" } };

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, NULL, 0);
	rig.route[0] = route_standard(&rig);
	rig.route[0].domains = (struct setting_list){ other, 1 };
	routes_up(&rig, 1);
	outbound_up(&rig);
	id = take_in(&rig, &shape);
	UNTIL(&rig, state_is(&rig, id, 0, QUEUE_DEFERRED));

	/* New settings bring one. */
	static struct config fresh;

	fresh = rig.config;
	rig.route[1] = route_standard(&rig);
	rig.config.route_table = NULL;
	rig.route[0] = rig.route[1];
	routes_up(&rig, 1);
	{
		struct route_table *old = fresh.route_table;

		fresh.route_table = rig.config.route_table;
		rig.config.route_table = old;
	}
	atomic_store(&fresh.holders, 1000);
	assert_int_equal(outbound_config(rig.outbound, &fresh), RC_OK);
	assert_int_equal(queue_find(rig.outbound->queue, id)->recipients[0].state, QUEUE_DEFERRED);
	struct event_act retry = { .message = id, .verb = VERB_RETRY, .recipient = 0, .who = SLICE("test") };
	outbound_act(rig.outbound, &retry);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 1);
	outbound_down(&rig);
	route_table_close(&fresh.route_table);
	rig.outbound = NULL;
	rig_down(&rig);
}

/* Names are looked up again after a while; what is known of an address stays known. */
static void health_outlives_a_lookup(void **state)
{
	struct rig rig;
	char host[64];

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, NULL, 0);
	(void)snprintf(host, sizeof(host), "mx.example:%u", (unsigned)rig.hops[0].address.port);
	rig.host_texts[0] = slice_str(host);
	names.address_status = RESOLVER_OK;
	names.address = rig.hops[0].address;
	names.address.port = 0;
	rig.route[0] = route_standard(&rig);
	routes_up(&rig, 1);
	outbound_up(&rig);
	fake_next_hop_stop(&rig.hops[0]);
	take_one(&rig, "s@x", "a@b");
	struct destination *destination = LIST_OF(rig.outbound->destinations.next, struct destination, link);
	for (unsigned failures = 1; failures <= 3; failures++) {
		const unsigned asked = names.asked;

		UNTIL(&rig, destination->target_count == 1 && destination->targets[0].failures >= failures && names.asked > asked - (failures == 1));
		assert_int_equal(destination->targets[0].failures, failures);
		destination->known_until_ms = 0; /* its time is up */
	}
	fake_next_hop_restart(&rig.hops[0]);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(destination->targets[0].failures, 0);
	rig_down(&rig);
}

/* I-33: what waits for a host that was away goes when it is back, and not an hour later. */
static void a_host_that_is_back_gets_its_mail_at_once(void **state)
{
	static const struct fake_rule later[] = { { "RCPT TO:<later", 1, FAKE_SAY, "450 4.2.1 later" } };
	static const struct slice retry[] = { S("1h") };
	struct rig rig;
	struct shape away = { .sender = "s@x", .to = { "a@b" } }, later_one = { .sender = "s@x", .to = { "later@b" } };

	(void)state;
	for (int named = 0; named < 2; named++) {
		char host[64];

		rig_begin(&rig);
		hop_open(&rig, later, 1);
		if (named == 1) {
			(void)snprintf(host, sizeof(host), "mx.example:%u", (unsigned)rig.hops[0].address.port);
			rig.host_texts[0] = slice_str(host);
			names.address_status = RESOLVER_OK;
			names.address = rig.hops[0].address;
			names.address.port = 0;
		}
		rig.route[0] = route_standard(&rig);
		rig.route[0].retry = (struct setting_list){ retry, 1 };
		routes_up(&rig, 1);
		outbound_up(&rig);
		/* One that the host itself put off is its own affair. */
		const uint64_t put_off = take_in(&rig, &later_one);
		UNTIL(&rig, state_is(&rig, put_off, 0, QUEUE_DEFERRED) && outbound_wall_ms() > recipient(&rig, put_off, 0)->tried_ms);
		fake_next_hop_stop(&rig.hops[0]);
		const uint64_t waiting = take_in(&rig, &away);
		UNTIL(&rig, state_is(&rig, waiting, 0, QUEUE_DEFERRED));
		fake_next_hop_restart(&rig.hops[0]);
		UNTIL(&rig, rig.hops[0].delivered == 1);
		UNTIL(&rig, messages(&rig) == 1);
		assert_true(state_is(&rig, put_off, 0, QUEUE_DEFERRED));
		rig_down(&rig);
	}
}

/* A route's own hosts are asked every [route] probe; those of other people's domains less and less often. */
static void hosts_of_other_domains_are_asked_less_often(void **state)
{
	struct rig rig;

	(void)state;
	for (int named = 0; named < 2; named++) {
		rig_begin(&rig);
		hop_open(&rig, NULL, 0);
		names.mx[0] = "mx.example";
		names.address_status = RESOLVER_OK;
		names.address = rig.hops[0].address;
		names.address.port = 0;
		rig.route[0] = route_standard(&rig);
		rig.route[0].port = rig.hops[0].address.port;
		rig.route[0].hosts.count = (size_t)named;
		routes_up(&rig, 1);
		outbound_up(&rig);
		fake_next_hop_stop(&rig.hops[0]);
		take_one(&rig, "s@x", "a@b");
		struct destination *destination = LIST_OF(rig.outbound->destinations.next, struct destination, link);
		UNTIL(&rig, destination->failures != 0);
		assert_int_equal(destination->probe.due_ms > loop_now_ms(rig.loop) + 1000, named == 0);
		rig_down(&rig);
	}
}

/* ---- through ---- */

static void through_waits_for_the_next_hop(void **state)
{
	static const struct fake_rule refuse[] = { { ".", 0, FAKE_SAY, "554 5.7.1 smells" } }, defer[] = { { "RCPT", 1, FAKE_SAY, "451 4.7.1 later" } },
				      lose[] = { { ".", 1, FAKE_RESET, NULL } };
	static const struct {
		const char             *name;
		const struct fake_rule *rules;
		bool                    away;
		enum through_result     result;
		unsigned                messages; /* afterwards in the queue, at once */
	} rows[] = {
		{ "taken", NULL, false, THROUGH_DELIVERED, 0 }, { "refused", refuse, false, THROUGH_REFUSED, 0 },
		{ "deferred", defer, false, THROUGH_QUEUED, 1 }, { "lost", lose, false, THROUGH_QUEUED, 1 },
		{ "nobody there", NULL, true, THROUGH_QUEUED, 1 },
	};
	struct shape shape = { .sender = "user@own", .to = { "a@b" }, .flags = EVENT_FLAG_TRUSTED, .through = true };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;

		rig_up(&rig, rows[i].rules, rows[i].rules == NULL ? 0 : 1);
		if (rows[i].away)
			fake_next_hop_stop(&rig.hops[0]);
		take_in(&rig, &shape);
		UNTIL(&rig, rig.through_answered);
		if (rig.through.result != rows[i].result)
			print_error("row \"%s\": %d\n", rows[i].name, (int)rig.through.result);
		assert_int_equal(rig.through.result, rows[i].result);
		if (rows[i].result == THROUGH_REFUSED) {
			assert_int_equal(rig.through.reply.code, 554);
			assert_true(slice_search(rig.through.reply.text, SLICE("smells")) != rig.through.reply.text.len);
			assert_int_equal(messages(&rig), 0);
			assert_int_equal(rig.outbound->counts.notices, 0);
		}
		if (rows[i].away)
			fake_next_hop_restart(&rig.hops[0]);
		UNTIL(&rig, messages(&rig) == 0);
		rig_down(&rig);
	}
}

/*
 * What is decided here, without an answer of the next hop to this message, is told to who waits, too: he is the only one who is told, so a 250
 * would be the end of the message.
 */
static void through_is_refused_here(void **state)
{
	static const struct fake_rule later[] = { { "RCPT", 0, FAKE_SAY, "451 4.7.1 later" } };
	static const struct {
		const char             *name, *extensions, *to;
		const struct fake_rule *rules;
		uint32_t                flags;
		int64_t                 age_ms;
		struct smtp_reply       reply;
	} rows[] = {
		{ "too large", "SIZE 20", "a@b", NULL, 0, 0, { .code = 552, .enhanced = { 5, 3, 4 } } },
		{ "no SMTPUTF8", "SIZE", "\xc3\xbc@b", NULL, EVENT_FLAG_SMTPUTF8, 0, { .code = 550, .enhanced = { 5, 6, 7 } } },
		{ "no 8BITMIME", "SIZE", "a@b", NULL, EVENT_FLAG_8BITMIME, 0, { .code = 554, .enhanced = { 5, 6, 3 } } },
		{ "later than it may be", "SIZE", "a@b", later, 0, 3600000, { .code = 554, .enhanced = { 5, 7, 1 } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct shape shape = { .sender = "user@own", .to = { rows[i].to }, .flags = EVENT_FLAG_TRUSTED | rows[i].flags,
		                       .age_ms = rows[i].age_ms, .through = true };
		const struct smtp_reply *reply;
		struct rig rig;

		rig_begin(&rig);
		hop_open(&rig, rows[i].rules, rows[i].rules == NULL ? 0 : 1);
		rig.hops[0].extensions = rows[i].extensions;
		rig.route[0] = route_standard(&rig);
		rig.route[0].eightbit = ROUTE_EIGHTBIT_BOUNCE;
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_in(&rig, &shape);
		UNTIL(&rig, rig.through_answered);
		reply = &rig.through.reply;
		if (rig.through.result != THROUGH_REFUSED || reply->code != rows[i].reply.code || reply->enhanced.class != rows[i].reply.enhanced.class ||
		    reply->enhanced.subject != rows[i].reply.enhanced.subject || reply->enhanced.detail != rows[i].reply.enhanced.detail ||
		    reply->text.len == 0)
			fail_msg("row \"%s\": result %d, %u %u.%u.%u %.*s", rows[i].name, (int)rig.through.result, reply->code, reply->enhanced.class,
			         reply->enhanced.subject, reply->enhanced.detail, (int)reply->text.len, (const char *)reply->text.ptr);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.outbound->counts.notices, 0);
		rig_down(&rig);
	}
}

/* ---- restart ---- */

static void after_a_restart_it_goes_on(void **state)
{
	struct rig rig;
	struct shape shape = { .sender = "s@x", .to = { "a@b", "c@b" }, .prefix = "Received: here\r\n" };

	(void)state;
	for (int snapshot = 0; snapshot < 2; snapshot++) {
		rig_up(&rig, NULL, 0);
		fake_next_hop_stop(&rig.hops[0]);
		take_in(&rig, &shape);
		UNTIL(&rig, rig.outbound->counts.deferred >= 2);
		if (snapshot == 1) {
			outbound_snapshot_due(rig.outbound);
			for (int i = 0; i < 10; i++)
				round_once(&rig);
		}
		outbound_down(&rig);
		sim_disk_new_process(rig.disk);
		outbound_up(&rig);
		assert_int_equal(messages(&rig), 1);
		fake_next_hop_restart(&rig.hops[0]);
		UNTIL(&rig, messages(&rig) == 0);
		assert_int_equal(rig.hops[0].delivered, 1);
		assert_bytes(&rig.hops[0].messages[0].bytes, "Received: here\r\nSubject: hello\r\n\r\n.dot\r\n..two\r\nend\r\n");
		rig_down(&rig);
	}
}

static void done(void *context)
{
	((struct rig *)context)->drained = true;
}

static void a_drain_lets_what_is_sent_end(void **state)
{
	static const struct fake_rule rules[] = { { ".", 1, FAKE_STALL, NULL } };
	struct rig rig;

	(void)state;
	rig_up(&rig, NULL, 0);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, messages(&rig) == 0);
	outbound_drain(rig.outbound, 5000, done, &rig);
	UNTIL(&rig, rig.drained);
	take_one(&rig, "s@x", "a@b");
	for (int i = 0; i < 10; i++)
		round_once(&rig);
	assert_int_equal(messages(&rig), 1);
	rig_down(&rig);

	rig_up(&rig, rules, 1);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, rig.hops[0].taken[0] == 1);
	outbound_drain(rig.outbound, 50, done, &rig);
	assert_false(rig.drained);
	UNTIL(&rig, rig.drained);
	assert_int_equal(rig.outbound->counts.uncertain, 1);
	rig_down(&rig);
}

/* ---- commands ---- */

static void keep_answer(void *context, struct slice bytes)
{
	struct rig *rig = context;

	buf_clear(&rig->answer);
	buf_put(&rig->answer, bytes);
	rig->answered = true;
}

static struct queue_wire_answer ask(struct rig *rig, const struct queue_wire_request *request, struct arena *arena)
{
	struct buf bytes = buf_make(QUEUE_WIRE_REQUEST_MAX);
	struct queue_wire_answer answer;

	queue_wire_request_put(&bytes, request);
	rig->answered = false;
	outbound_command(rig->outbound, buf_slice(&bytes), SLICE("root"), keep_answer, rig);
	UNTIL(rig, rig->answered);
	buf_done(&bytes);
	arena_reset(arena);
	assert_int_equal(queue_wire_answer_read(buf_slice(&rig->answer), arena, &answer), RC_OK);
	return answer;
}

static void administrators_act(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT TO:<slow@b>", 0, FAKE_SAY, "451 4.2.1 later" } };
	struct rig rig;
	struct arena arena;
	struct shape shape = { .sender = "user@own", .to = { "slow@b", "slow@b", "slow@b" }, .flags = EVENT_FLAG_TRUSTED };
	struct queue_wire_request request = { .kind = QUEUE_WIRE_ACT, .verb = VERB_HOLD, .max = 10, .reason = SLICE("why not") };
	struct queue_wire_answer answer;
	static const struct slice retry[] = { S("1h") };
	uint64_t id;

	(void)state;
	assert_int_equal(arena_init(&arena, 1u << 20), RC_OK);
	rig_begin(&rig);
	hop_open(&rig, rules, 1);
	rig.route[0] = route_standard(&rig);
	rig.route[0].retry = (struct setting_list){ retry, 1 };
	routes_up(&rig, 1);
	outbound_up(&rig);
	id = take_in(&rig, &shape);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);

	answer = ask(&rig, &(struct queue_wire_request){ .kind = QUEUE_WIRE_LIST, .max = 10 }, &arena);
	assert_int_equal(answer.count, 3);
	assert_int_equal(answer.rows[0].id, id);
	assert_int_equal(answer.rows[0].state, QUEUE_DEFERRED);
	assert_int_equal(answer.rows[0].code, 451);
	assert_true(slice_eq(answer.rows[0].text, SLICE("later")));
	assert_true(slice_eq(answer.rows[0].destination, SLICE("main/")));
	answer = ask(&rig, &(struct queue_wire_request){ .kind = QUEUE_WIRE_SUMMARY, .max = 1 }, &arena);
	assert_int_equal(answer.counts.messages, 1);
	answer = ask(&rig, &(struct queue_wire_request){ .kind = QUEUE_WIRE_DESTINATIONS, .max = 10 }, &arena);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.destinations[0].recipients, 3);

	request.filter.cause = SLICE("451");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	assert_int_equal(counts(&rig).recipients[QUEUE_HELD], 3);
	request.filter.cause = SLICE("");
	request.verb = VERB_RETRY;
	answer = ask(&rig, &request, &arena); /* what is held is released, not retried */
	assert_int_equal(answer.matched, 0);
	request.filter.states = 1u << QUEUE_HELD;
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.matched, 0);
	request.verb = VERB_RELEASE;
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	assert_int_equal(recipient(&rig, id, 0)->attempts, 2);
	request = (struct queue_wire_request){ .kind = QUEUE_WIRE_ACT, .verb = VERB_RETRY, .max = 10, .filter = { .id = id } };
	answer = ask(&rig, &request, &arena);
	UNTIL(&rig, recipient(&rig, id, 0)->attempts == 3);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	request.verb = VERB_REROUTE;
	request.route = SLICE("nowhere");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.rc, RC_NOTFOUND);
	request.route = SLICE("main");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	UNTIL(&rig, recipient(&rig, id, 0)->attempts == 4);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	assert_true(slice_eq(queue_memo_route(recipient(&rig, id, 0)), SLICE("main")));
	request.route = SLICE("");
	request.verb = VERB_BOUNCE;
	request.filter.recipient = SLICE("slow@b");
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.matched, 3);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 3); /* three notices */
	take_in(&rig, &shape);
	UNTIL(&rig, counts(&rig).recipients[QUEUE_DEFERRED] == 3);
	request = (struct queue_wire_request){ .kind = QUEUE_WIRE_ACT, .verb = VERB_DROP, .max = 10 };
	answer = ask(&rig, &request, &arena);
	assert_int_equal(answer.changed, 3);
	assert_int_equal(messages(&rig), 0);
	assert_int_equal(rig.hops[0].delivered, 3);
	rig_down(&rig);
	arena_done(&arena);
}

/* ---- TLS ---- */

static void tls_is_as_the_route_says(void **state)
{
	enum offer { NOT_OFFERED, REFUSED, GOOD, OTHER_NAME, BROKEN };
	static const struct {
		const char    *name;
		enum route_tls policy;
		enum offer     offer;
		bool           delivered;
		bool           encrypted;
	} rows[] = {
		{ "opportunistic, not offered", ROUTE_TLS_OPPORTUNISTIC, NOT_OFFERED, true, false },
		{ "opportunistic, refused", ROUTE_TLS_OPPORTUNISTIC, REFUSED, true, false },
		{ "opportunistic, offered", ROUTE_TLS_OPPORTUNISTIC, GOOD, true, true },
		{ "opportunistic, any name", ROUTE_TLS_OPPORTUNISTIC, OTHER_NAME, true, true },
		{ "opportunistic, no handshake", ROUTE_TLS_OPPORTUNISTIC, BROKEN, true, false },
		{ "never, offered", ROUTE_TLS_NONE, GOOD, true, false },
		{ "required, not offered", ROUTE_TLS_REQUIRE, NOT_OFFERED, false, false },
		{ "required, refused", ROUTE_TLS_REQUIRE, REFUSED, false, false },
		{ "required, any name", ROUTE_TLS_REQUIRE, OTHER_NAME, true, true },
		{ "required, no handshake", ROUTE_TLS_REQUIRE, BROKEN, false, false },
		{ "verified", ROUTE_TLS_VERIFY, GOOD, true, true },
		{ "verified, another name", ROUTE_TLS_VERIFY, OTHER_NAME, false, false },
	};
	static const struct fake_rule broken[] = { { "STARTTLS", 0, FAKE_CLOSE, "220 2.0.0 go on" } };
	static const struct slice tls_names[] = { S("good.example") };
	struct certificate root, good, other;
	struct fault fault;

	(void)state;
	assert_int_equal(net_tls_ready(&fault), RC_OK);
	certificate_make(&root, &(struct certificate_wish){ .common_name = "root", .authority = true }, NULL);
	certificate_make(&good, &(struct certificate_wish){ .common_name = "x", .names = "DNS:good.example" }, &root);
	certificate_make(&other, &(struct certificate_wish){ .common_name = "x", .names = "DNS:other.example" }, &root);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_server_settings server = { .pairs = rows[i].offer == OTHER_NAME ? &other.pair : &good.pair, .pairs_count = 1 };
		struct rig rig;

		rig_begin(&rig);
		hop_open(&rig, broken, rows[i].offer == BROKEN ? 1 : 0);
		rig.hops[0].extensions = rows[i].offer == NOT_OFFERED ? "8BITMIME" : "STARTTLS";
		if (rows[i].offer == GOOD || rows[i].offer == OTHER_NAME)
			assert_int_equal(tls_server_open(&server, &rig.hops[0].tls, &fault), RC_OK);
		assert_int_equal(tls_authorities_open(root.pair.certificates, &rig.authorities, &fault), RC_OK);
		rig.route[0] = route_standard(&rig);
		rig.route[0].tls = rows[i].policy;
		rig.route[0].tls_names = (struct setting_list){ tls_names, 1 };
		routes_up(&rig, 1);
		outbound_up(&rig);
		take_one(&rig, "s@x", "a@b");
		UNTIL(&rig, messages(&rig) == 0 || rig.outbound->counts.deferred != 0);
		if ((rig.hops[0].delivered == 1) != rows[i].delivered)
			print_error("row \"%s\"\n", rows[i].name);
		assert_int_equal(rig.hops[0].delivered, rows[i].delivered);
		assert_int_equal(rows[i].delivered && fake_next_hop_heard(&rig.hops[0], "EHLO") == 2 && rig.hops[0].connections == 1 &&
		                         rows[i].offer != REFUSED,
		                 rows[i].encrypted);
		struct tls_context *context = rig.hops[0].tls;
		struct tls_authorities *authorities = rig.authorities;

		rig_down(&rig);
		tls_context_close(&context);
		tls_authorities_close(&authorities);
	}
	certificate_done(&root);
	certificate_done(&good);
	certificate_done(&other);
}

/* ---- bounds ---- */

static void a_busy_journal_loses_no_result(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	rig.limits.queue_groups_max = 1;
	hop_open(&rig, NULL, 0);
	rig.route[0] = route_standard(&rig);
	routes_up(&rig, 1);
	outbound_up(&rig);
	for (int i = 0; i < 8; i++)
		take_one(&rig, "s@x", "a@b");
	for (int i = 0; i < 200 && rig.hops[0].delivered < 8; i++) /* the journal takes no step: its queue of one group is full at once */
		assert_int_equal(loop_turn(rig.loop, 2), RC_OK);
	assert_int_equal(rig.hops[0].delivered, 8);
	assert_int_equal(messages(&rig), 8);
	assert_int_equal(counts(&rig).recipients[QUEUE_SENDING], 8);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 8);
	rig_down(&rig);
}

static void all_connections_together_are_bounded(void **state)
{
	static const char *const to[] = { "a@b1", "a@b2", "a@b3", "a@b4", "a@b5", "a@b6" };
	struct rig rig;

	(void)state;
	mx_up(&rig, NULL, 0);
	rig.queue.connections_max = 2;
	for (int i = 0; i < 6; i++)
		take_one(&rig, "s@x", to[i]);
	for (int i = 0; i < 20; i++) {
		round_once(&rig);
		assert_true(rig.outbound->connection_count <= 2);
	}
	/* Kept connections make room for others when their time is up. */
	rig.route[0].connection_idle = 20;
	for (struct list *at = rig.outbound->destinations.next; at != &rig.outbound->destinations; at = at->next)
		for (struct list *one = LIST_OF(at, struct destination, link)->idle.next; one != &LIST_OF(at, struct destination, link)->idle;) {
			struct connection *connection = LIST_OF(one, struct connection, link);

			one = one->next;
			connection_quit(connection);
		}
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.hops[0].delivered, 6);
	rig_down(&rig);
}

static void what_is_held_too_long_is_dropped(void **state)
{
	static const struct fake_rule rules[] = { { "RCPT", 0, FAKE_SAY, "550 5.1.1 no" } };
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	hop_open(&rig, rules, 1);
	rig.route[0] = route_standard(&rig);
	routes_up(&rig, 1);
	rig.queue.hold_expire = 200;
	outbound_up(&rig);
	take_one(&rig, "s@x", "a@b");
	UNTIL(&rig, counts(&rig).recipients[QUEUE_HELD] == 1);
	UNTIL(&rig, messages(&rig) == 0);
	assert_int_equal(rig.outbound->counts.notices, 0);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_byte_for_byte),
		cmocka_unit_test(a_route_adds_fields),
		cmocka_unit_test(a_long_message_comes_in_windows),
		cmocka_unit_test(connections_are_reused),
		cmocka_unit_test(protocol_errors_end_a_connection),
		cmocka_unit_test(recipients_share_a_transaction),
		cmocka_unit_test(too_many_recipients_go_on_at_once),
		cmocka_unit_test(replies_decide_for_each_recipient),
		cmocka_unit_test(a_lost_answer_is_uncertain_and_tried_again),
		cmocka_unit_test(a_line_lost_before_the_end_is_no_delivery),
		cmocka_unit_test(a_kept_connection_that_is_gone_costs_no_attempt),
		cmocka_unit_test(a_silent_peer_runs_out_of_time),
		cmocka_unit_test(the_next_host_is_tried_in_the_same_attempt),
		cmocka_unit_test(a_dead_destination_comes_back),
		cmocka_unit_test(lmtp_answers_each_recipient),
		cmocka_unit_test(what_the_next_hop_lacks_decides),
		cmocka_unit_test(a_trusted_sender_is_told),
		cmocka_unit_test(success_is_told_when_the_next_hop_will_not),
		cmocka_unit_test(the_time_of_a_message_ends),
		cmocka_unit_test(a_notice_that_fails_makes_no_notice),
		cmocka_unit_test(the_mx_of_the_domain_is_asked),
		cmocka_unit_test(without_a_route_mail_waits),
		cmocka_unit_test(a_host_that_is_back_gets_its_mail_at_once),
		cmocka_unit_test(hosts_of_other_domains_are_asked_less_often),
		cmocka_unit_test(health_outlives_a_lookup),
		cmocka_unit_test(through_waits_for_the_next_hop),
		cmocka_unit_test(through_is_refused_here),
		cmocka_unit_test(after_a_restart_it_goes_on),
		cmocka_unit_test(a_drain_lets_what_is_sent_end),
		cmocka_unit_test(administrators_act),
		cmocka_unit_test(tls_is_as_the_route_says),
		cmocka_unit_test(a_busy_journal_loses_no_result),
		cmocka_unit_test(all_connections_together_are_bounded),
		cmocka_unit_test(what_is_held_too_long_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
