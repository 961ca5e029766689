/* The queue in front of the committer, its thread, and the public calls. What happens to a batch is batch.c's. */
#include "journal/writer.h"

#include "base/memory.h"
#include "base/must.h"
#include "journal/engine.h"
#include "journal/snapshot.h"
#include "sys/clock.h"

static struct journal_group *group_of(struct list *link)
{
	return LIST_OF(link, struct journal_group, link);
}

static uint64_t group_bytes(const struct journal_group *group)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < group->item_count; i++) {
		for (size_t k = 0; k < group->items[i].piece_count; k++)
			bytes += group->items[i].pieces[k].len;
	}
	return bytes;
}

/* The bounds of journal/record.h. */
static bool within_bounds(const struct journal_group *group)
{
	uint64_t events = 0;

	if (group->item_count == 0 || group->item_count > JOURNAL_GROUP_RECORDS_MAX)
		return false;
	for (size_t i = 0; i < group->item_count; i++) {
		const struct journal_item *item = &group->items[i];
		uint64_t                   bytes = 0;
		if (item->piece_count > JOURNAL_ITEM_PIECES_MAX || item->type >= JOURNAL_TYPE_OWN)
			return false;
		for (size_t k = 0; k < item->piece_count; k++) {
			if (item->pieces[k].len > JOURNAL_BODY_BYTES_MAX)
				return false;
			bytes += item->pieces[k].len;
		}
		if (bytes > (item->body ? JOURNAL_BODY_BYTES_MAX : JOURNAL_EVENT_BYTES_MAX))
			return false;
		events += item->body ? 0 : bytes;
	}
	return events <= JOURNAL_GROUP_EVENT_BYTES_MAX;
}

/* Put it into the queue; called with the lock held. True when the committer has a reason to wake. */
static bool enqueue(struct journal_writer *writer, struct journal_group *group, uint64_t bytes)
{
	const bool     empty = writer->queued_groups == 0;
	const uint64_t now_us = clock_mono_us();

	list_append(&writer->queue, &group->link);
	writer->queued_groups++;
	writer->queued_bytes += bytes;
	if (group->urgency == JOURNAL_LAZY) {
		if (writer->queued_groups - writer->queued_now == 1)
			writer->first_lazy_us = now_us;
		return empty;
	}
	if (writer->queued_now++ == 0) {
		writer->first_now_us = now_us;
		journal_crowd_came(&writer->crowd, now_us);
	}
	if (writer->queued_now == 1 || writer->queued_bytes >= JOURNAL_BATCH_BYTES_MAX)
		return true;
	return atomic_load(&writer->expected) <= 0 && writer->queued_now >= journal_crowd_goal(&writer->crowd);
}

enum rc journal_writer_submit(struct journal_writer *writer, struct journal_group *group)
{
	const uint64_t bytes = group_bytes(group);
	enum rc        rc = RC_OK;

	if (group->announced)
		atomic_fetch_sub(&writer->expected, 1);
	if (!within_bounds(group)) {
		journal_writer_expect(writer, 0);
		return RC_LIMIT;
	}
	mutex_lock(&writer->lock);
	if (writer->closing)
		rc = RC_CLOSED;
	else if (atomic_load(&writer->failed))
		rc = RC_IO;
	else if (writer->queued_groups >= writer->limits.queue_groups_max ||
	         (writer->queued_groups != 0 && writer->queued_bytes + bytes > writer->limits.queue_bytes_max))
		rc = RC_BUSY;
	const bool wakes = rc == RC_OK && enqueue(writer, group, bytes) && writer->sleeping;
	mutex_unlock(&writer->lock);
	/* Outside the lock, or the committer would wake only to wait for it. */
	if (wakes)
		condition_signal(&writer->wake);
	if (rc == RC_BUSY)
		journal_count(&writer->counters.busy, 1);
	if (rc != RC_OK)
		journal_writer_expect(writer, 0);
	return rc;
}

void journal_writer_expect(struct journal_writer *writer, int change)
{
	const int now = atomic_fetch_add(&writer->expected, change) + change;

	if (change > 0 || now > 0)
		return;
	/* Nobody else is coming: those who wait need wait no longer. */
	mutex_lock(&writer->lock);
	if (writer->sleeping && writer->queued_now != 0)
		condition_signal(&writer->wake);
	mutex_unlock(&writer->lock);
}

/* Move everything queued into `out`. Called with the lock held. */
static void take_all(struct journal_writer *writer, struct list *out)
{
	list_init(out);
	if (list_empty(&writer->queue))
		return;
	out->next = writer->queue.next;
	out->prev = writer->queue.prev;
	out->next->prev = out;
	out->prev->next = out;
	list_init(&writer->queue);
	journal_crowd_took(&writer->crowd, writer->queued_now);
	writer->queued_groups = 0;
	writer->queued_bytes = 0;
	writer->queued_now = 0;
}

/*
 * The moment at which what is queued has to be written; 0: now, UINT64_MAX: nothing is queued. Called with the lock
 * held.
 */
static uint64_t due_us(struct journal_writer *writer)
{
	if (writer->closing)
		return 0;
	if (writer->queued_groups == 0)
		return UINT64_MAX;
	if (writer->queued_bytes >= JOURNAL_BATCH_BYTES_MAX || atomic_load(&writer->failed))
		return 0;
	if (writer->queued_now == 0)
		return writer->first_lazy_us + writer->limits.lazy_ms * 1000;
	if (atomic_load(&writer->expected) <= 0 && writer->queued_now >= journal_crowd_goal(&writer->crowd))
		return 0;
	return writer->first_now_us + writer->limits.delay_ms * 1000;
}

static void committer_run(void *argument)
{
	struct journal_writer *writer = argument;
	struct list            groups;

	mutex_lock(&writer->lock);
	for (;;) {
		const uint64_t due = due_us(writer);
		if (due == UINT64_MAX) {
			writer->sleeping = true;
			condition_wait(&writer->wake, &writer->lock);
			writer->sleeping = false;
			continue;
		}
		if (due > clock_mono_us()) {
			writer->sleeping = true;
			(void)condition_wait_until(&writer->wake, &writer->lock, due);
			writer->sleeping = false;
			continue;
		}
		const bool last = writer->closing && writer->queued_groups == 0;
		take_all(writer, &groups);
		mutex_unlock(&writer->lock);
		journal_batch_run(writer, &groups);
		if (last)
			return;
		mutex_lock(&writer->lock);
		journal_crowd_answered(&writer->crowd, clock_mono_us());
	}
}

enum rc journal_writer_start(struct journal_writer *writer)
{
	must(writer->committer == NULL);

	enum rc rc = thread_start("committer", THREAD_STACK_WORK, committer_run, writer, &writer->committer);
	if (rc == RC_OK)
		rc = thread_start("keeper", THREAD_STACK_WORK, journal_keeper_run, writer, &writer->keeper);
	return rc == RC_LIMIT ? RC_NOMEM : rc;
}

void journal_writer_step(struct journal_writer *writer)
{
	struct list groups;

	must(writer->committer == NULL);
	mutex_lock(&writer->lock);
	take_all(writer, &groups);
	mutex_unlock(&writer->lock);
	journal_batch_run(writer, &groups);
	journal_keeper_pass(writer);
}

/* After the threads, if there were any. */
static void answer_rest(struct journal_writer *writer)
{
	struct list groups;

	take_all(writer, &groups);
	if (writer->file != NULL && !atomic_load(&writer->failed)) {
		journal_batch_run(writer, &groups);
		return;
	}
	for (struct list *link = list_shift(&groups); link != NULL; link = list_shift(&groups))
		group_of(link)->answer(group_of(link), atomic_load(&writer->failed) ? RC_IO : RC_CLOSED);
}

void journal_writer_stop(struct journal_writer *writer)
{
	mutex_lock(&writer->lock);
	writer->closing = true;
	condition_broadcast(&writer->wake);
	mutex_unlock(&writer->lock);
	thread_join(&writer->committer);
	mutex_lock(&writer->keep_lock);
	writer->keeper_ends = true;
	condition_broadcast(&writer->keep_wake);
	mutex_unlock(&writer->keep_lock);
	thread_join(&writer->keeper);
	answer_rest(writer);
}

void journal_writer_close(struct journal_writer **writer)
{
	struct journal_writer *me = *writer;

	if (me == NULL)
		return;
	journal_writer_stop(me);
	journal_bodies_close(&me->bodies);
	journal_keeper_done(me);
	journal_batch_done(me);
	if (me->file != NULL)
		me->disk->calls->close(me->disk, me->file);
	mutex_done(&me->lock);
	condition_done(&me->wake);
	mutex_done(&me->keep_lock);
	condition_done(&me->keep_wake);
	memory_give(me);
	*writer = NULL;
}

struct journal_mark journal_writer_durable(struct journal_writer *writer)
{
	mutex_lock(&writer->lock);
	const struct journal_mark mark = writer->durable;
	mutex_unlock(&writer->lock);
	return mark;
}

bool journal_writer_failed(const struct journal_writer *writer)
{
	return atomic_load(&writer->failed);
}

uint64_t journal_writer_free_bytes(struct journal_writer *writer)
{
	return atomic_load(&writer->free_bytes);
}

bool journal_writer_has_room(const struct journal_writer *writer)
{
	return atomic_load(&writer->has_room);
}

struct journal_writer_statistics journal_writer_statistics(struct journal_writer *writer)
{
	const struct journal_counters   *counters = &writer->counters;
	struct journal_writer_statistics sum = {
		.syncs = atomic_load(&counters->syncs),
		.batches = atomic_load(&counters->batches),
		.groups = atomic_load(&counters->groups),
		.now_groups = atomic_load(&counters->now_groups),
		.records = atomic_load(&counters->records),
		.bytes = atomic_load(&counters->bytes),
		.body_bytes = atomic_load(&counters->body_bytes),
		.stored_bytes = atomic_load(&counters->stored_bytes),
		.sync_us = atomic_load(&counters->sync_us),
		.segments = atomic_load(&counters->segments),
		.recycled = atomic_load(&counters->recycled),
		.compacted = atomic_load(&counters->compacted),
		.punched_bytes = atomic_load(&counters->punched_bytes),
		.snapshots = atomic_load(&counters->snapshots),
		.busy = atomic_load(&counters->busy),
		.no_space = atomic_load(&counters->no_space),
	};

	mutex_lock(&writer->lock);
	sum.queued_groups = writer->queued_groups;
	sum.queued_bytes = writer->queued_bytes;
	mutex_unlock(&writer->lock);
	return sum;
}

struct journal_bodies *journal_writer_bodies(struct journal_writer *writer)
{
	return writer->bodies;
}

bool journal_writer_snapshot_due(const struct journal_writer *writer)
{
	return atomic_load(&writer->snapshot_due);
}

enum rc journal_writer_snapshot(struct journal_writer *writer, const struct journal_mark *mark, struct buf *blob)
{
	enum rc rc = RC_BUSY;

	must(!blob->failed);
	if (blob->len > JOURNAL_SNAPSHOT_BYTES_MAX)
		return RC_LIMIT;
	mutex_lock(&writer->keep_lock);
	if (!writer->snapshot_busy) {
		writer->snapshot = *blob;
		writer->snapshot_mark = *mark;
		writer->snapshot_busy = true;
		*blob = buf_make(blob->max);
		atomic_store(&writer->snapshot_due, false);
		condition_signal(&writer->keep_wake);
		rc = RC_OK;
	}
	mutex_unlock(&writer->keep_lock);
	return rc;
}
