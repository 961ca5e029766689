/*
 * Events of ours on their way: collected over a turn of the loop, written as one group, applied to the queue when the journal has answered. What the journal cannot take
 * now (busy, disk full) waits here; its recipients stay "being sent" until it is written, so nothing is sent twice.
 */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/log.h"

#define STUCK_BUSY_MS 50u
#define STUCK_FULL_MS 1000u

static struct batch *batch_make(struct outbound *outbound)
{
	struct batch *batch = memory_take(1, sizeof(*batch));

	if (batch == NULL)
		return NULL;
	batch->outbound = outbound;
	batch->payload = buf_make(OUTBOUND_BATCH_BYTES);
	list_init(&batch->waiters);
	return batch;
}

static void batch_free(struct batch *batch)
{
	list_remove(&batch->link);
	buf_done(&batch->payload);
	memory_give(batch);
}

/* Tell everybody who waits for this batch. */
static void batch_tell(struct batch *batch, enum rc rc)
{
	while (!list_empty(&batch->waiters))
		waiter_answer(LIST_OF(batch->waiters.next, struct waiter, link), rc == RC_OK ? THROUGH_REFUSED : THROUGH_QUEUED);
	for (size_t i = 0; i < batch->count; i++)
		if (batch->commands[i] != NULL)
			command_item_done(batch->commands[i], rc);
}

static void batch_submit(struct batch *batch);

/* On the loop again: durable, or not. */
static void batch_written(struct loop_task *task)
{
	struct batch *batch = LIST_OF(task, struct batch, task);
	struct outbound *outbound = batch->outbound;

	list_remove(&batch->link);
	if (batch->rc == RC_LIMIT) { /* no space just now: these are results, they must not be lost */
		list_append(&outbound->stuck, &batch->link);
		loop_timer_set(outbound->loop, &outbound->again, STUCK_FULL_MS);
		return;
	}
	if (batch->rc == RC_OK) {
		for (size_t i = 0; i < batch->count; i++) {
			struct journal_record record = { .type = batch->items[i].type, .place = batch->items[i].place,
				                         .payload = batch->items[i].body ? (struct slice){ NULL, 0 } : batch->pieces[i] };

			outbound_apply(outbound, &record);
		}
		outbound->mark = batch->group.after;
	} else {
		log_error(LOG_EVENT("queue.journal"), LOG_STR("rc", rc_word(batch->rc)), LOG_NUMBER("records", batch->count));
	}
	batch_tell(batch, batch->rc);
	batch_free(batch);
	outbound_pump_soon(outbound);
	outbound_settle_drain(outbound);
}

/* On the committer's thread. */
static void batch_answered(struct journal_group *group, enum rc rc)
{
	struct batch *batch = LIST_OF(group, struct batch, group);

	batch->rc = rc;
	loop_post(batch->outbound->loop, &batch->task);
}

static void batch_submit(struct batch *batch)
{
	struct outbound *outbound = batch->outbound;
	enum rc rc;

	batch->group = (struct journal_group){ .items = batch->items, .item_count = batch->count,
		                               .urgency = batch->urgent ? JOURNAL_NOW : JOURNAL_LAZY, .answer = batch_answered };
	batch->task.run = batch_written;
	list_append(&outbound->writing, &batch->link);
	rc = journal_writer_submit(outbound->journal, &batch->group);
	if (rc == RC_OK)
		return;
	list_remove(&batch->link);
	if (rc == RC_BUSY) {
		list_append(&outbound->stuck, &batch->link);
		loop_timer_set(outbound->loop, &outbound->again, STUCK_BUSY_MS);
		return;
	}
	/* Failed or closed: the process ends, and the next one finds these recipients as they were. */
	batch_tell(batch, rc);
	batch_free(batch);
}

void outbound_record_again(struct timer *timer)
{
	struct outbound *outbound = LIST_OF(timer, struct outbound, again);
	struct list *link;

	/* Those that are refused again go to the end of the same list: try as many as there are now. */
	for (struct list *last = outbound->stuck.prev; (link = list_shift(&outbound->stuck)) != NULL;) {
		batch_submit(LIST_OF(link, struct batch, link));
		if (link == last)
			break;
	}
}

void outbound_record_flush(struct loop_defer *defer)
{
	struct outbound *outbound = LIST_OF(defer, struct outbound, flush);
	struct batch *batch = outbound->open;
	size_t offset = 0;

	loop_defer_stop(defer);
	if (batch == NULL)
		return;
	outbound->open = NULL;
	for (size_t i = 0; i < batch->count; i++) { /* the buf has stopped moving: sizes become slices */
		batch->pieces[i] = slice_cut(buf_slice(&batch->payload), offset, batch->pieces[i].len);
		offset += batch->pieces[i].len;
		batch->items[i].pieces = &batch->pieces[i];
		batch->items[i].piece_count = 1;
	}
	if (list_empty(&outbound->stuck)) {
		batch_submit(batch);
		return;
	}
	list_append(&outbound->stuck, &batch->link);
}

struct batch *outbound_record(struct outbound *outbound, const struct record_item *items, size_t count, bool urgent)
{
	size_t bytes = 0, start;

	must(count <= OUTBOUND_BATCH_ITEMS);
	for (size_t i = 0; i < count; i++)
		bytes += items[i].payload.len;
	if (outbound->open != NULL &&
	    (outbound->open->count + count > OUTBOUND_BATCH_ITEMS || outbound->open->payload.len + bytes > OUTBOUND_BATCH_BYTES))
		outbound_record_flush(&outbound->flush);
	if (outbound->open == NULL) {
		outbound->open = batch_make(outbound);
		if (outbound->open == NULL)
			return NULL;
	}

	struct batch *batch = outbound->open;

	start = batch->payload.len;
	for (size_t i = 0; i < count; i++)
		buf_put(&batch->payload, items[i].payload);
	if (batch->payload.failed) {
		batch->payload.failed = false;
		buf_truncate(&batch->payload, start);
		loop_defer(outbound->loop, &outbound->flush);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		batch->pieces[batch->count] = (struct slice){ NULL, items[i].payload.len };
		batch->items[batch->count] = (struct journal_item){ .type = (uint16_t)items[i].type, .body = items[i].type == EVENT_BODY };
		batch->count++;
	}
	batch->urgent = batch->urgent || urgent;
	loop_defer(outbound->loop, &outbound->flush);
	return batch;
}

void outbound_record_close(struct outbound *outbound)
{
	struct list *link;

	if (outbound->open != NULL) {
		batch_tell(outbound->open, RC_CLOSED);
		batch_free(outbound->open);
		outbound->open = NULL;
	}
	while ((link = list_shift(&outbound->stuck)) != NULL) {
		batch_tell(LIST_OF(link, struct batch, link), RC_CLOSED);
		batch_free(LIST_OF(link, struct batch, link));
	}
	while ((link = list_shift(&outbound->writing)) != NULL) { /* the journal is closed and the loop has ended: nobody comes back for them */
		batch_tell(LIST_OF(link, struct batch, link), RC_CLOSED);
		batch_free(LIST_OF(link, struct batch, link));
	}
}
