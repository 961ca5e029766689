/* See outbound.h and outbound_inside.h: the life of the way out, arrivals, and the pump that gives work to destinations. */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "journal/snapshot.h"
#include "sys/clock.h"
#include "sys/counters.h"
#include "sys/log.h"

#define OUTBOUND_ARENA_BYTES  (4u << 20) /* a message of EVENT_RECIPIENTS_MAX recipients and its results */
#define OUTBOUND_LINE_MAX     (1u << 20)
#define SNAPSHOT_BUSY_MS      1000u
#define CLOCK_STEP_MS         60000      /* the least step of the wall clock that moves what waits for it */
#define HOT_OVERHEAD          4096u      /* what a message kept in memory takes beside its bytes */

int64_t outbound_wall_ms(void)
{
	return (int64_t)clock_wall_ms();
}

uint64_t outbound_chance(struct outbound *outbound)
{
	outbound->chance ^= outbound->chance << 13;
	outbound->chance ^= outbound->chance >> 7;
	outbound->chance ^= outbound->chance << 17;
	return outbound->chance;
}

/* ---- messages kept in memory ---- */

struct outbound_message *outbound_message_make(void)
{
	struct outbound_message *message = memory_take(1, sizeof(*message));

	if (message != NULL)
		message->payload = buf_make(EVENT_PAYLOAD_MAX);
	return message;
}

void outbound_message_drop(struct outbound_message **message)
{
	struct outbound_message *gone = *message;

	*message = NULL;
	if (gone == NULL)
		return;
	buf_done(&gone->payload);
	slab_close(&gone->slab);
	memory_give(gone);
}

static uint64_t hot_size(const struct outbound_message *message)
{
	return message->payload.room + (message->slab != NULL ? slab_bytes(message->slab).len : 0) + HOT_OVERHEAD;
}

void outbound_hot_use(struct outbound_message *message)
{
	message->uses++;
}

void outbound_hot_release(struct outbound *outbound, struct outbound_message **message)
{
	struct outbound_message *gone = *message;

	*message = NULL;
	if (gone == NULL)
		return;
	must(gone->uses != 0);
	if (--gone->uses != 0)
		return;
	outbound->hot_bytes -= hot_size(gone);
	outbound_message_drop(&gone);
}

/* ---- through ---- */

bool outbound_is_through(const struct route_table *table, struct slice address)
{
	const struct route *route = route_of(table, address, (struct slice){ NULL, 0 });

	return route != NULL && route->settings->mode == ROUTE_THROUGH;
}

void waiter_answer(struct waiter *waiter, enum through_result result)
{
	struct outbound_through *through = waiter->through;

	timer_stop(&waiter->timer);
	list_remove(&waiter->link);
	if (waiter->delivery != NULL)
		waiter->delivery->waiter = NULL;
	through->result = result;
	loop_post(through->home, &through->task);
	memory_give(waiter);
}

static void waiter_late(struct timer *timer)
{
	waiter_answer(LIST_OF(timer, struct waiter, timer), THROUGH_QUEUED);
}

/* Those whose answer is on its way into the journal stand in no destination any more: they hear what it says. */
static void through_stop(struct loop_task *task)
{
	struct outbound *outbound = LIST_OF(task, struct outbound, through_task);

	outbound->through_stopped = true;
	for (struct list *link = outbound->destinations.next; link != &outbound->destinations; link = link->next) {
		struct destination *destination = LIST_OF(link, struct destination, link);

		while (!list_empty(&destination->through))
			waiter_answer(LIST_OF(destination->through.next, struct waiter, link), THROUGH_QUEUED);
		for (struct list *at = destination->busy.next; at != &destination->busy; at = at->next) {
			struct connection *connection = LIST_OF(at, struct connection, link);

			if (connection->delivery != NULL && connection->delivery->waiter != NULL)
				waiter_answer(connection->delivery->waiter, THROUGH_QUEUED);
		}
	}
}

void outbound_through_stop(struct outbound *outbound)
{
	if (!atomic_exchange(&outbound->through_posted, true))
		loop_post(outbound->loop, &outbound->through_task);
}

/* Its one recipient may go at once: put it first in its destination. Otherwise the client hears that it is queued. */
static void through_begin(struct outbound *outbound, struct outbound_through *through, struct queue_entry *entry)
{
	struct waiter *waiter = NULL;
	struct destination *destination = NULL;

	if (entry != NULL && entry->recipient_count == 1 && entry->recipients[0].state == QUEUE_DUE && !outbound->draining &&
	    !outbound->through_stopped)
		destination = destination_of(outbound, entry->recipients[0].destination);
	if (destination != NULL && destination->route != NULL && !destination->queue->paused)
		waiter = memory_take(1, sizeof(*waiter));
	if (waiter == NULL) {
		through->result = THROUGH_QUEUED;
		loop_post(through->home, &through->task);
		return;
	}
	waiter->outbound = outbound;
	waiter->through = through;
	waiter->message = entry->id;
	timer_init(&waiter->timer, waiter_late);
	loop_timer_set(outbound->loop, &waiter->timer, destination->route->through_wait_ms);
	list_append(&destination->through, &waiter->link);
}

/* ---- arrivals ---- */

/* What other threads and the metrics page may know without asking: always as of the last record applied. */
static void room_tell(struct outbound *outbound)
{
	struct queue_counts counts;

	queue_count(outbound->queue, &counts);
	gauge_set(GAUGE_QUEUE_MESSAGES, (int64_t)counts.messages);
	gauge_set(GAUGE_QUEUE_RECIPIENTS, (int64_t)(counts.recipients[QUEUE_DUE] + counts.recipients[QUEUE_SENDING] +
	                                            counts.recipients[QUEUE_DEFERRED] + counts.recipients[QUEUE_UNCERTAIN]));
	gauge_set(GAUGE_QUEUE_HELD, (int64_t)counts.recipients[QUEUE_HELD]);
	atomic_store_explicit(&outbound->has_room, queue_room(outbound->queue, 1), memory_order_relaxed);
}

bool outbound_has_room(const struct outbound *outbound)
{
	return atomic_load_explicit(&outbound->has_room, memory_order_relaxed);
}

static void body_needless(struct outbound *outbound, const struct queue_place *place)
{
	if (outbound->bodies != NULL)
		journal_bodies_drop(outbound->bodies, &place->body);
}

/*
 * What was put off because its destination was away, and stands so in the journal only now: if that one has come back meanwhile, nobody
 * else will hasten it.
 */
static void hasten_late(struct outbound *outbound, const struct queue_entry *entry)
{
	const struct queue_destination *last = NULL;

	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		const struct queue_recipient   *recipient = &entry->recipients[i];
		const struct queue_destination *to = recipient->destination;
		const struct destination       *destination = to == NULL ? NULL : to->owner;

		if (to == last || recipient->state != QUEUE_DEFERRED || !recipient->stranded || destination == NULL || destination->failures != 0 || to->paused)
			continue;
		last = to;
		queue_destination_hasten(outbound->queue, to);
	}
}

void outbound_apply(struct outbound *outbound, const struct journal_record *record)
{
	struct queue_change change;
	enum rc rc = queue_apply(outbound->queue, record, &change);
	struct outbound_message *hot;

	if (rc != RC_OK) {
		if (rc != RC_NOTFOUND)
			log_error(LOG_EVENT("queue.apply"), LOG_STR("rc", rc_word(rc)), LOG_NUMBER("type", record->type));
		must(rc != RC_NOMEM); /* the journal has it: only a new process can catch up */
		return;
	}
	if (change.ended) {
		body_needless(outbound, &change.place);
		hot = change.hot;
		outbound_hot_release(outbound, &hot);
	} else if (change.entry != NULL && record->type == EVENT_OUTCOME && change.entry->pin_count == 0 && change.entry->hot != NULL) {
		hot = change.entry->hot; /* it will wait: from now on the journal's copy serves */
		change.entry->hot = NULL;
		outbound_hot_release(outbound, &hot);
	}
	if (!change.ended && change.entry != NULL && record->type == EVENT_OUTCOME && outbound->started)
		hasten_late(outbound, change.entry);
	room_tell(outbound);
}

/* The queue has a new entry: those of its destinations that could take more learn of it. */
static void work_came(struct outbound *outbound, const struct queue_entry *entry)
{
	const struct queue_destination *last = NULL;

	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		const struct queue_destination *to = entry->recipients[i].destination;

		if (to == NULL || to == last)
			continue;
		last = to;
		if (to->owner != NULL)
			destination_consider(to->owner);
	}
	outbound_pump_soon(outbound);
}

static void accept_one(struct loop_task *task)
{
	struct outbound_message *message = LIST_OF(task, struct outbound_message, task);
	struct outbound *outbound = message->owner;
	struct outbound_through *through = message->through;
	struct journal_record record = { .type = EVENT_BODY, .place = message->body };
	uint64_t size = hot_size(message);
	struct queue_change change;
	enum rc rc;

	outbound_look_at_clock(outbound);
	rc = queue_apply(outbound->queue, &record, &change);
	must(rc == RC_OK);
	record = (struct journal_record){ .type = EVENT_MESSAGE, .place = message->message, .payload = buf_slice(&message->payload) };
	rc = queue_apply(outbound->queue, &record, &change);
	must(rc == RC_OK);
	outbound->mark = message->after;
	message->uses = 1;
	outbound->hot_bytes += size;
	if (change.entry != NULL && message->slab != NULL && outbound->hot_bytes <= outbound->config->settings.queue->hot_bytes_max &&
	    change.entry->open_count != 0 && outbound->started) {
		change.entry->hot = message;
		message = NULL;
	}
	if (message != NULL)
		outbound_hot_release(outbound, &message);
	if (change.ended)
		body_needless(outbound, &change.place);
	if (through != NULL)
		through_begin(outbound, through, change.entry);
	if (change.entry != NULL)
		work_came(outbound, change.entry);
	room_tell(outbound);
}

void outbound_accept(struct outbound *outbound, struct outbound_message *message)
{
	message->owner = outbound;
	message->task.run = accept_one;
	loop_put(outbound->loop, &message->task);
}

void outbound_wake(struct outbound *outbound)
{
	loop_wake(outbound->loop);
}

/* ---- the pump ---- */

static void wake_set(struct outbound *outbound)
{
	int64_t at_ms = queue_wake_ms(outbound->queue);
	int64_t now_ms = outbound_wall_ms();

	if (at_ms == INT64_MAX) {
		timer_stop(&outbound->wake);
		return;
	}
	/* The wall clock may jump: look again after a minute at the latest. */
	loop_timer_set(outbound->loop, &outbound->wake, at_ms <= now_ms ? 1 : at_ms - now_ms < 60000 ? (uint64_t)(at_ms - now_ms) : 60000);
}

static void drop_expired(struct outbound *outbound)
{
	struct queue_recipient *recipient;

	while ((recipient = queue_take_expired(outbound->queue)) != NULL) {
		struct event_act act = { .message = queue_entry_of(recipient)->id, .at_ms = outbound_wall_ms(), .verb = VERB_DROP,
			                 .recipient = recipient->index, .who = SLICE("hangu"), .reason = SLICE("held for too long") };

		outbound_act(outbound, &act);
	}
}

static void clock_moved(struct outbound *outbound, int64_t by_ms)
{
	if (by_ms < 0)
		log_warning(LOG_EVENT("queue.clock_back"), LOG_SIGNED("ms", -by_ms));
	else
		log_warning(LOG_EVENT("queue.clock_ahead"), LOG_SIGNED("ms", by_ms));
	queue_clock_moved(outbound->queue, by_ms);
}

static int64_t clock_ahead_ms(const struct outbound *outbound)
{
	return outbound_wall_ms() - (int64_t)loop_now_ms(outbound->loop);
}

/*
 * A step, not a drift: what creeps on is followed, what creeps back is kept in mind until it is a step. Both ways alike, for a clock that is
 * far ahead is set back sooner or later, and what then moved one way only would come too early.
 */
void outbound_look_at_clock(struct outbound *outbound)
{
	int64_t ahead_ms = clock_ahead_ms(outbound);
	int64_t step_ms = ahead_ms - outbound->clock_ms;

	if (!outbound->started)
		return;
	if (step_ms > CLOCK_STEP_MS || step_ms < -CLOCK_STEP_MS)
		clock_moved(outbound, step_ms);
	if (step_ms < -CLOCK_STEP_MS || step_ms > 0)
		outbound->clock_ms = ahead_ms;
}

static void pump(struct loop_defer *defer)
{
	struct outbound *outbound = LIST_OF(defer, struct outbound, pump);
	struct queue_destination *next;

	outbound_look_at_clock(outbound);
	queue_tick(outbound->queue, outbound_wall_ms());
	drop_expired(outbound);
	/* Each round takes a destination out of turn: by using its work up, or by shutting it. */
	while (!outbound->draining && (next = queue_next(outbound->queue)) != NULL) {
		struct destination *destination = destination_of(outbound, next);

		if (destination == NULL) { /* no memory: later */
			queue_destination_pause(outbound->queue, next, outbound_wall_ms() + 1000);
			continue;
		}
		destination_work(destination);
	}
	wake_set(outbound);
}

void outbound_pump_soon(struct outbound *outbound)
{
	if (outbound->started)
		loop_defer(outbound->loop, &outbound->pump);
}

static void wake_fired(struct timer *timer)
{
	outbound_pump_soon(LIST_OF(timer, struct outbound, wake));
}

/* ---- snapshots ---- */

static void snapshot_take(struct outbound *outbound)
{
	struct buf blob = buf_make(JOURNAL_SNAPSHOT_BYTES_MAX);
	enum rc rc;

	queue_snapshot_put(outbound->queue, &blob);
	if (blob.failed) {
		log_error(LOG_EVENT("queue.snapshot"), LOG_STR("rc", "nomem"));
		buf_done(&blob);
		return;
	}
	rc = journal_writer_snapshot(outbound->journal, &outbound->mark, &blob);
	buf_done(&blob);
	if (rc == RC_BUSY)
		loop_timer_set(outbound->loop, &outbound->snapshot_timer, SNAPSHOT_BUSY_MS);
	else if (rc != RC_OK)
		log_warning(LOG_EVENT("queue.snapshot"), LOG_STR("rc", rc_word(rc)));
}

static void snapshot_run(struct loop_task *task)
{
	struct outbound *outbound = LIST_OF(task, struct outbound, snapshot_task);

	atomic_store(&outbound->snapshot_posted, false);
	snapshot_take(outbound);
}

static void snapshot_again(struct timer *timer)
{
	snapshot_take(LIST_OF(timer, struct outbound, snapshot_timer));
}

void outbound_snapshot_due(struct outbound *outbound)
{
	if (!atomic_exchange(&outbound->snapshot_posted, true))
		loop_post(outbound->loop, &outbound->snapshot_task);
}

/* ---- open, replay, start ---- */

static void key_of(void *context, struct slice address, struct slice route, struct buf *out)
{
	route_key(((const struct config *)context)->route_table, address, route, out);
}

static struct queue_settings queue_settings_of(struct config *config, uint64_t seed)
{
	const struct gate_queue_settings *settings = config->settings.queue;

	return (struct queue_settings){ .messages_max = settings->messages_max, .memory_max = settings->memory_max,
		                        .hold_expire_ms = (int64_t)settings->hold_expire, .seed = seed, .key = key_of, .context = config };
}

enum rc outbound_open(const struct outbound_options *options, struct outbound **out)
{
	struct outbound *outbound = memory_take(1, sizeof(*outbound));
	struct queue_settings settings = queue_settings_of(options->config, options->seed);

	if (outbound == NULL)
		return RC_NOMEM;
	outbound->line = buf_make(OUTBOUND_LINE_MAX);
	if (arena_init(&outbound->arena, OUTBOUND_ARENA_BYTES) != RC_OK || queue_open(&settings, &outbound->queue) != RC_OK) {
		arena_done(&outbound->arena);
		memory_give(outbound);
		return RC_NOMEM;
	}
	outbound->options = *options;
	outbound->loop = options->loop;
	outbound->config = config_hold(options->config);
	outbound->chance = options->seed | 1;
	list_init(&outbound->destinations);
	list_init(&outbound->writing);
	list_init(&outbound->stuck);
	timer_init(&outbound->wake, wake_fired);
	timer_init(&outbound->again, outbound_record_again);
	timer_init(&outbound->snapshot_timer, snapshot_again);
	loop_defer_init(&outbound->pump, pump);
	loop_defer_init(&outbound->flush, outbound_record_flush);
	outbound->snapshot_task.run = snapshot_run;
	outbound->through_task.run = through_stop;
	room_tell(outbound);
	*out = outbound;
	return RC_OK;
}

enum rc outbound_restore(void *context, struct slice blob, const struct journal_mark *mark)
{
	struct outbound *outbound = context;
	struct queue_settings settings = queue_settings_of(outbound->config, outbound->options.seed);
	struct queue *fresh = NULL;
	enum rc rc = queue_open(&settings, &fresh);

	if (rc == RC_OK && blob.len != 0)
		rc = queue_snapshot_read(fresh, blob);
	if (rc != RC_OK) {
		queue_close(&fresh);
		return rc;
	}
	queue_close(&outbound->queue);
	outbound->queue = fresh;
	outbound->mark = *mark;
	return RC_OK;
}

enum rc outbound_replay(void *context, const struct journal_record *records, size_t count)
{
	struct outbound *outbound = context;

	for (size_t i = 0; i < count; i++) {
		enum rc rc = queue_apply(outbound->queue, &records[i], NULL);

		/* What is about a message that has ended, or what a later version wrote, does not keep the gate from starting. */
		if (rc == RC_NOMEM)
			return rc;
		if (rc != RC_OK && rc != RC_NOTFOUND)
			log_error(LOG_EVENT("queue.replay"), LOG_STR("rc", rc_word(rc)), LOG_NUMBER("type", records[i].type),
			          LOG_NUMBER("seq", records[i].place.position.seq));
	}
	return RC_OK;
}

enum rc outbound_claim(struct outbound *outbound, struct journal_writer *journal)
{
	uint64_t lost = 0;

	outbound->journal = journal;
	outbound->bodies = journal_writer_bodies(journal);
	outbound->mark = journal_writer_durable(journal);
	for (struct queue_entry *entry = queue_first(outbound->queue); entry != NULL; entry = queue_after(outbound->queue, entry)) {
		enum rc rc = journal_bodies_claim(outbound->bodies, &entry->place.body);

		if (rc == RC_NOMEM)
			return rc;
		if (rc == RC_OK)
			continue;
		lost++;
		log_error(LOG_EVENT("queue.body_lost"), LOG_NUMBER("message", entry->id), LOG_STR("rc", rc_word(rc)));
	}
	if (lost != 0)
		log_error(LOG_EVENT("queue.bodies_lost"), LOG_NUMBER("count", lost));
	room_tell(outbound);
	return RC_OK;
}

uint64_t outbound_last_id(const struct outbound *outbound)
{
	return queue_last_id(outbound->queue);
}

void outbound_start(struct outbound *outbound)
{
	/* Ids are made from the clock: one from the future means that the clock was set back while nobody looked. */
	int64_t back_ms = event_id_time_ms(outbound_last_id(outbound)) - outbound_wall_ms();

	outbound->clock_ms = clock_ahead_ms(outbound);
	if (back_ms > CLOCK_STEP_MS)
		clock_moved(outbound, -back_ms);
	outbound->started = true;
	log_notice(LOG_EVENT("queue.start"), LOG_NUMBER("messages", queue_first(outbound->queue) == NULL ? 0 : 1));
	outbound_pump_soon(outbound);
}

enum rc outbound_config(struct outbound *outbound, struct config *config)
{
	struct queue_settings settings = queue_settings_of(config, outbound->options.seed);
	struct list *next;
	enum rc rc;

	/* Destinations by their old names first: their queue sides are let go, so that rekeying may remove them. */
	for (struct list *link = outbound->destinations.next; link != &outbound->destinations; link = next) {
		next = link->next;
		destination_retire(LIST_OF(link, struct destination, link));
	}
	rc = queue_rekey(outbound->queue, &settings);
	if (rc == RC_OK) {
		config_drop(&outbound->config);
		outbound->config = config_hold(config);
	}
	room_tell(outbound);
	outbound_pump_soon(outbound);
	return rc;
}

/* ---- the end ---- */

void outbound_settle_drain(struct outbound *outbound)
{
	if (!outbound->draining || outbound->drained == NULL)
		return;
	if (outbound->busy_count != 0 || outbound->open != NULL || !list_empty(&outbound->writing) || !list_empty(&outbound->stuck))
		return;
	timer_stop(&outbound->drain_timer);

	void (*drained)(void *context) = outbound->drained;

	outbound->drained = NULL;
	drained(outbound->drain_context);
}

static void close_connections(struct outbound *outbound, bool idle_only)
{
	struct list *next, *after;

	for (struct list *link = outbound->destinations.next; link != &outbound->destinations; link = next) {
		struct destination *destination = LIST_OF(link, struct destination, link);

		next = link->next;
		destination->connection_count++; /* so that its last connection does not take it along */
		for (struct list *at = destination->idle.next; at != &destination->idle; at = after) {
			after = at->next;
			connection_quit(LIST_OF(at, struct connection, link));
		}
		for (struct list *at = destination->busy.next; !idle_only && at != &destination->busy; at = after) {
			after = at->next;
			connection_close(LIST_OF(at, struct connection, link));
		}
		destination->connection_count--;
		destination_settle(destination);
	}
}

static void drain_late(struct timer *timer)
{
	struct outbound *outbound = LIST_OF(timer, struct outbound, drain_timer);

	close_connections(outbound, false);
	outbound_record_flush(&outbound->flush);
	outbound_settle_drain(outbound);
}

void outbound_drain(struct outbound *outbound, uint64_t wait_ms, void (*done)(void *context), void *context)
{
	outbound->draining = true;
	outbound->drained = done;
	outbound->drain_context = context;
	timer_init(&outbound->drain_timer, drain_late);
	loop_timer_set(outbound->loop, &outbound->drain_timer, wait_ms);
	for (struct list *at = outbound->destinations.next; at != &outbound->destinations; at = at->next) {
		struct destination *destination = LIST_OF(at, struct destination, link);

		while (!list_empty(&destination->through)) /* their mail will not be tried here any more */
			waiter_answer(LIST_OF(destination->through.next, struct waiter, link), THROUGH_QUEUED);
	}
	close_connections(outbound, true);
	outbound_settle_drain(outbound);
}

void outbound_close(struct outbound **outbound)
{
	struct outbound *gone = *outbound;

	*outbound = NULL;
	if (gone == NULL)
		return;
	gone->draining = true;
	gone->closing = true;
	gone->drained = NULL;
	close_connections(gone, false);
	while (!list_empty(&gone->destinations))
		destination_retire(LIST_OF(gone->destinations.next, struct destination, link));
	outbound_record_close(gone);
	for (struct queue_entry *entry = queue_first(gone->queue); entry != NULL; entry = queue_after(gone->queue, entry)) {
		struct outbound_message *hot = entry->hot;

		entry->hot = NULL;
		outbound_hot_release(gone, &hot);
	}
	timer_stop(&gone->wake);
	timer_stop(&gone->again);
	timer_stop(&gone->snapshot_timer);
	timer_stop(&gone->drain_timer);
	loop_defer_stop(&gone->pump);
	loop_defer_stop(&gone->flush);
	queue_close(&gone->queue);
	config_drop(&gone->config);
	arena_done(&gone->arena);
	buf_done(&gone->line);
	memory_give(gone);
}

void outbound_count(const struct outbound *outbound, struct outbound_counts *out)
{
	*out = outbound->counts;
	queue_count(outbound->queue, &out->queue);
	out->connections = outbound->connection_count;
	out->busy_connections = outbound->busy_count;
	out->hot_bytes = outbound->hot_bytes;
}
