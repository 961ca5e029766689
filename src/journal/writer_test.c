/* The writer's promises: what is answered, in which order, when it refuses, and what it does when the disk does not. */
#include "journal/writer.h"

#include "base/memory.h"
#include "harness/journal_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define GROUPS  10u
#define THREADS 6u
#define EACH    50u

static struct rig rig; /* large; each test opens it anew */
static uint8_t    body_bytes[20000];

/* Groups whose answers are written down. */
struct one {
	struct journal_group group;
	struct journal_item  item;
	struct slice         piece;
	enum rc              rc;
	unsigned             order; /* from 1; 0: not answered */
};

static unsigned answers;

static void note_answer(struct journal_group *group, enum rc rc)
{
	struct one *one = LIST_OF(group, struct one, group);

	one->rc = rc;
	one->order = ++answers;
}

static enum rc submit(struct one *one, struct slice piece, enum journal_urgency urgency)
{
	*one = (struct one){ .piece = piece };
	one->item = (struct journal_item){ .type = RIG_TYPE_TEXT, .pieces = &one->piece, .piece_count = 1 };
	one->group = (struct journal_group){
		.items = &one->item, .item_count = 1, .urgency = urgency, .answer = note_answer
	};
	return journal_writer_submit(rig.writer, &one->group);
}

static void begin(void)
{
	answers = 0;
	rig_open(&rig, 1);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_true(rig.recovery.created);
}

static void one_sync_answers_all_who_wait_in_their_order(void **state)
{
	(void)state;
	struct one all[GROUPS];

	begin();
	const struct journal_writer_statistics before = journal_writer_statistics(rig.writer);
	for (unsigned i = 0; i < GROUPS; i++)
		assert_int_equal(submit(&all[i], SLICE("text"), i % 3 == 0 ? JOURNAL_LAZY : JOURNAL_NOW), RC_OK);
	assert_int_equal(answers, 0);
	journal_writer_step(rig.writer);
	const struct journal_writer_statistics after = journal_writer_statistics(rig.writer);
	assert_int_equal(answers, GROUPS);
	assert_int_equal(after.syncs - before.syncs, 1);
	assert_int_equal(after.groups - before.groups, GROUPS);
	assert_int_equal(after.now_groups - before.now_groups, 6);
	for (unsigned i = 0; i < GROUPS; i++) {
		assert_int_equal(all[i].rc, RC_OK);
		assert_int_equal(all[i].order, i + 1);
		assert_int_equal(all[i].item.place.position.seq, i + 2);
		assert_int_equal(all[i].group.after.position.seq, i + 3);
	}
	const struct journal_mark durable = journal_writer_durable(rig.writer);
	assert_int_equal(durable.position.seq, GROUPS + 2);
	assert_true(digest_eq(&durable.chain, &all[GROUPS - 1].group.after.chain));
	assert_int_equal(rig.durable, 1);
	rig_close(&rig);
}

static void groups_beyond_the_bounds_are_refused(void **state)
{
	(void)state;
	static struct slice        pieces[JOURNAL_ITEM_PIECES_MAX + 1];
	static struct journal_item many[JOURNAL_GROUP_RECORDS_MAX + 1];
	struct slice               large = slice_of(body_bytes, JOURNAL_EVENT_BYTES_MAX + 1);
	struct slice               largest = slice_of(body_bytes, JOURNAL_EVENT_BYTES_MAX);
	struct slice               huge = slice_of(body_bytes, (size_t)JOURNAL_BODY_BYTES_MAX + 1);
	struct {
		const char         *name;
		struct journal_item items[3];
		size_t              count;
	} rows[] = {
		{ "no record", { { .type = 1 } }, 0 },
		{ "a type of the journal's own", { { .type = JOURNAL_TYPE_OWN } }, 1 },
		{ "too many pieces",
		  { { .type = 1, .pieces = pieces, .piece_count = JOURNAL_ITEM_PIECES_MAX + 1 } },
		  1 },
		{ "an event too large", { { .type = 1, .pieces = &large, .piece_count = 1 } }, 1 },
		{ "a body too large", { { .type = 1, .body = true, .pieces = &huge, .piece_count = 1 } }, 1 },
		{ "events too large together",
		  { { .type = 1, .pieces = &largest, .piece_count = 1 },
		    { .type = 1, .pieces = &largest, .piece_count = 1 },
		    { .type = 1, .pieces = &largest, .piece_count = 1 } },
		  3 },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct journal_group group = { .items = rows[i].items,
			                       .item_count = rows[i].count,
			                       .answer = note_answer };
		if (journal_writer_submit(rig.writer, &group) != RC_LIMIT)
			fail_msg("%s was taken", rows[i].name);
	}
	for (unsigned i = 0; i <= JOURNAL_GROUP_RECORDS_MAX; i++)
		many[i] = (struct journal_item){ .type = RIG_TYPE_TEXT,
			                         .pieces = pieces,
			                         .piece_count = JOURNAL_ITEM_PIECES_MAX };
	struct one group = {
		.group = { .items = many, .item_count = JOURNAL_GROUP_RECORDS_MAX + 1, .answer = note_answer }
	};
	assert_int_equal(journal_writer_submit(rig.writer, &group.group), RC_LIMIT);
	group.group.item_count = JOURNAL_GROUP_RECORDS_MAX;
	assert_int_equal(journal_writer_submit(rig.writer, &group.group), RC_OK);
	journal_writer_step(rig.writer);
	assert_int_equal(group.rc, RC_OK);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, JOURNAL_GROUP_RECORDS_MAX);
	rig_close(&rig);
}

static void a_full_queue_says_busy_and_drains(void **state)
{
	(void)state;
	struct one all[4];

	answers = 0;
	rig_open(&rig, 1);
	rig.limits.queue_groups_max = 2;
	rig.limits.queue_bytes_max = 1000;
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(submit(&all[0], SLICE("one"), JOURNAL_NOW), RC_OK);
	assert_int_equal(submit(&all[1], SLICE("two"), JOURNAL_LAZY), RC_OK);
	assert_int_equal(submit(&all[2], SLICE("three"), JOURNAL_NOW), RC_BUSY);
	journal_writer_step(rig.writer);
	assert_int_equal(answers, 2);
	/* One that is larger than the queue itself passes when nothing else waits. */
	assert_int_equal(submit(&all[2], slice_of(body_bytes, 1001), JOURNAL_NOW), RC_OK);
	assert_int_equal(submit(&all[3], SLICE("x"), JOURNAL_NOW), RC_BUSY);
	journal_writer_step(rig.writer);
	assert_int_equal(submit(&all[3], SLICE("x"), JOURNAL_NOW), RC_OK);
	assert_int_equal(journal_writer_statistics(rig.writer).busy, 2);
	rig_close(&rig);
	assert_int_equal(all[3].rc, RC_OK);
}

static void who_is_late_for_the_end_is_refused(void **state)
{
	(void)state;
	struct one           waits, late;
	struct journal_place place;
	struct journal_body *body = NULL;

	begin();
	assert_int_equal(rig_write_body(&rig, SLICE("kept"), "text", &place), RC_OK);
	assert_int_equal(submit(&waits, SLICE("in time"), JOURNAL_LAZY), RC_OK);
	journal_writer_stop(rig.writer);
	assert_int_equal(waits.order, 1);
	assert_int_equal(waits.rc, RC_OK);
	assert_int_equal(submit(&late, SLICE("late"), JOURNAL_NOW), RC_CLOSED);
	journal_writer_stop(rig.writer);
	assert_int_equal(answers, 1);
	/* Bodies are there until the writer is closed. */
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &body), RC_OK);
	journal_body_close(&body);
	journal_bodies_drop(journal_writer_bodies(rig.writer), &place);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &body), RC_NOTFOUND);
	rig_close(&rig);
}

static void a_failed_sync_is_final(void **state)
{
	(void)state;
	struct one one, two;

	begin();
	assert_int_equal(submit(&one, SLICE("one"), JOURNAL_NOW), RC_OK);
	assert_int_equal(submit(&two, SLICE("two"), JOURNAL_NOW), RC_OK);
	sim_disk_fail_at(rig.sim, sim_disk_operations(rig.sim) + 2, 1, RC_IO); /* the write passes, the sync does not */
	journal_writer_step(rig.writer);
	assert_int_equal(one.rc, RC_IO);
	assert_int_equal(two.rc, RC_IO);
	assert_true(journal_writer_failed(rig.writer));
	assert_int_equal(rig.failed, 1);
	assert_int_equal(submit(&two, SLICE("three"), JOURNAL_NOW), RC_IO);
	journal_writer_step(rig.writer);
	assert_int_equal(rig.failed, 1);
	/* The next process goes on; whether it finds what was not acknowledged is open. */
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig_write(&rig, "goes on"), RC_OK);
	rig_close(&rig);
}

static void a_full_disk_is_said_and_survived(void **state)
{
	(void)state;
	unsigned written = 0;
	enum rc  rc = RC_OK;

	begin();
	journal_writer_step(rig.writer); /* the next segment's file is made */
	sim_disk_full(rig.sim, true);
	while (written < 20 &&
	       (rc = rig_write_body(&rig, slice_of(body_bytes, sizeof body_bytes), "large", NULL)) == RC_OK)
		written++;
	assert_int_equal(rc, RC_NOMEM);
	assert_in_range(written, 4, 8);
	assert_false(journal_writer_failed(rig.writer));
	assert_true(rig.upkeep_failed != 0);
	/* What fits into the open segment still goes. */
	assert_int_equal(rig_write(&rig, "small"), RC_OK);
	sim_disk_full(rig.sim, false);
	assert_int_equal(rig_write_body(&rig, slice_of(body_bytes, sizeof body_bytes), "large again", NULL), RC_OK);
	assert_true(journal_writer_statistics(rig.writer).no_space >= 1);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, written + 2);
	rig_close(&rig);
}

static void below_the_floor_there_is_no_room(void **state)
{
	(void)state;
	rig_open(&rig, 1);
	rig.limits.free_floor_bytes = 1u << 20;
	rig.limits.spare_segments = 0;
	sim_disk_free_bytes(rig.sim, (1u << 20) - 1);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_false(journal_writer_has_room(rig.writer));
	/* The prepared segment counts as free space. */
	journal_writer_step(rig.writer);
	assert_true(journal_writer_has_room(rig.writer));
	assert_int_equal(journal_writer_free_bytes(rig.writer), (1u << 20) - 1 + rig.limits.segment_bytes);
	sim_disk_free_bytes(rig.sim, 1000);
	journal_writer_step(rig.writer);
	assert_false(journal_writer_has_room(rig.writer));
	rig_close(&rig);
}

static void a_group_larger_than_a_segment_gets_its_own(void **state)
{
	(void)state;
	const size_t         size = 300000;
	uint8_t             *large = memory_take(1, size);
	struct journal_place place;
	struct journal_body *body;

	begin();
	assert_int_equal(rig_write(&rig, "before"), RC_OK);
	assert_int_equal(rig_write_body(&rig, slice_of(large, size), "large", &place), RC_OK);
	assert_int_equal(place.position.segment, 2);
	assert_int_equal(rig_write_body(&rig, slice_of(large, 5000), "behind", NULL), RC_OK);
	assert_int_equal(rig.after.position.segment, 3);
	assert_true(sim_disk_size(rig.sim, rig_segment(2)) > size);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &body), RC_OK);
	assert_int_equal(journal_body_check(body), RC_OK);
	journal_body_close(&body);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, 3);
	rig_close(&rig);
	memory_give(large);
}

static enum rc store(const char *text)
{
	struct buf blob = buf_make(1000);

	buf_put_str(&blob, text);
	const enum rc rc = journal_writer_snapshot(rig.writer, &rig.after, &blob);
	buf_done(&blob);
	journal_writer_step(rig.writer);
	return rc;
}

static void a_start_reads_from_the_newest_good_snapshot(void **state)
{
	(void)state;
	char     name[64];
	uint64_t seq[2];

	begin();
	assert_int_equal(rig_write(&rig, "one"), RC_OK);
	assert_int_equal(store("after one"), RC_OK);
	seq[0] = rig.after.position.seq;
	assert_int_equal(rig_write(&rig, "two"), RC_OK);
	assert_int_equal(store("after two"), RC_OK);
	seq[1] = rig.after.position.seq;
	assert_int_equal(rig_write(&rig, "three"), RC_OK);

	assert_int_equal(rig_start(&rig), RC_OK);
	assert_string_equal(rig.restored, "after two");
	assert_int_equal(rig.count, 1);
	assert_string_equal(rig.texts[0], "three");
	assert_int_equal(rig.recovery.snapshots_bad, 0);

	/* A fold that does not know this form of it gets the older ones, at last none. */
	rig.restore_rc = RC_UNSUPPORTED;
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, 3);
	assert_int_equal(rig.recovery.snapshots_bad, 2);
	rig.restore_rc = RC_OK;

	for (unsigned i = 2; i-- != 0;) {
		(void)snprintf(name, sizeof name, "%020llu.snapshot", (unsigned long long)seq[i]);
		assert_true(sim_disk_flip(rig.sim, name, 150, 1));
		assert_int_equal(rig_start(&rig), RC_OK);
		assert_string_equal(rig.restored, i == 1 ? "after one" : "");
		assert_int_equal(rig.count, i == 1 ? 2 : 3);
		assert_int_equal(rig.recovery.snapshots_bad, 2 - i);
	}
	rig_close(&rig);
}

static void a_snapshot_is_due_after_so_many_bytes(void **state)
{
	(void)state;
	answers = 0;
	rig_open(&rig, 1);
	rig.limits.snapshot_bytes = 10000;
	assert_int_equal(rig_start(&rig), RC_OK);
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(rig_write_body(&rig, slice_of(body_bytes, 1000), "x", NULL), RC_OK);
		assert_int_equal(journal_writer_snapshot_due(rig.writer), i >= 8);
	}
	assert_int_equal(rig.snapshots_due, 1);
	assert_int_equal(store("state"), RC_OK);
	assert_false(journal_writer_snapshot_due(rig.writer));
	rig_close(&rig);
}

/* Every allocation in turn fails: nothing worse than a refusal comes of it, and what was acknowledged is there. */
static void no_allocation_that_fails_does_harm(void **state)
{
	(void)state;
	for (long count = 0; count < 400; count++) {
		unsigned acknowledged = 0;
		begin();
		assert_int_equal(rig_write(&rig, "first"), RC_OK);
		acknowledged++;
		rig_stop(&rig);
		rig.limits.compress_level = 1;
		rig.limits.compress_from_bytes = 100;
		memory_fail_after(count);
		const enum rc rc = rig_start(&rig);
		if (rc == RC_OK) {
			for (unsigned i = 0; i < 6; i++)
				acknowledged += rig_write_body(&rig, slice_of(body_bytes, sizeof body_bytes), "large",
				                               NULL) == RC_OK;
		}
		memory_fail_after(-1);
		assert_true(rc == RC_OK || rc == RC_NOMEM);
		assert_int_equal(rig_start(&rig), RC_OK);
		assert_true(rig.count >= acknowledged);
		assert_true(rc == RC_OK || rig.count == 1);
		rig_close(&rig);
	}
}

/* With threads, on a real file system. */

struct sender {
	struct journal_writer *writer;
	pthread_t              thread;
	pthread_mutex_t        lock;
	pthread_cond_t         answered;
	struct journal_group   group;
	bool                   waiting;
	unsigned               good;
};

static void wake(struct journal_group *group, enum rc rc)
{
	struct sender *sender = LIST_OF(group, struct sender, group);

	pthread_mutex_lock(&sender->lock);
	sender->good += rc == RC_OK;
	sender->waiting = false;
	pthread_cond_signal(&sender->answered);
	pthread_mutex_unlock(&sender->lock);
}

static void *send_all(void *argument)
{
	struct sender      *sender = argument;
	const struct slice  piece = SLICE("a text from a thread");
	struct journal_item item = { .type = RIG_TYPE_TEXT, .pieces = &piece, .piece_count = 1 };

	for (unsigned i = 0; i < EACH; i++) {
		const bool announced = i % 2 == 0;
		if (announced)
			journal_writer_expect(sender->writer, 1);
		sender->waiting = true;
		sender->group = (struct journal_group){
			.items = &item,
			.item_count = 1,
			.announced = announced,
			.answer = wake,
			.urgency = i % 10 == 9 ? JOURNAL_LAZY : JOURNAL_NOW,
		};
		if (journal_writer_submit(sender->writer, &sender->group) != RC_OK)
			return NULL;
		pthread_mutex_lock(&sender->lock);
		while (sender->waiting)
			pthread_cond_wait(&sender->answered, &sender->lock);
		pthread_mutex_unlock(&sender->lock);
	}
	return NULL;
}

static enum rc count_one(void *context, const struct journal_record *records, size_t count)
{
	(void)records;
	*(size_t *)context += count;
	return RC_OK;
}

static void remove_folder(const char *folder, struct journal_disk *disk);

static enum rc remove_one(void *context, const char *name)
{
	struct journal_disk *disk = context;

	return disk->calls->remove(disk, name);
}

static void remove_folder(const char *folder, struct journal_disk *disk)
{
	assert_int_equal(disk->calls->list(disk, remove_one, disk), RC_OK);
	assert_int_equal(rmdir(folder), 0);
}

static void many_threads_share_syncs_on_a_real_disk(void **state)
{
	(void)state;
	char                          folder[] = "/tmp/hangu-journal-XXXXXX";
	struct journal_limits         limits = journal_limits_standard();
	struct journal_disk          *disk, *other;
	struct journal_writer        *writer;
	static struct sender          senders[THREADS];
	size_t                        found = 0;
	struct journal_writer_options options = { .limits = &limits,
		                                  .replay = { .context = &found, .apply = count_one } };

	assert_int_equal(digest_ready(), RC_OK);
	assert_non_null(mkdtemp(folder));
	limits.segment_bytes = 256u << 10;
	limits.lazy_ms = 1;
	assert_int_equal(journal_disk_open(folder, &disk), RC_OK);
	options.disk = disk;
	assert_int_equal(journal_writer_open(&options, NULL, NULL, &writer), RC_OK);
	assert_int_equal(journal_writer_start(writer), RC_OK);

	/* Nobody else can write here. */
	struct journal_writer *second = NULL;
	assert_int_equal(journal_disk_open(folder, &other), RC_OK);
	options.disk = other;
	assert_int_equal(journal_writer_open(&options, NULL, NULL, &second), RC_BUSY);
	journal_disk_close(&other);

	for (unsigned i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){ .writer = writer };
		assert_int_equal(pthread_mutex_init(&senders[i].lock, NULL), 0);
		assert_int_equal(pthread_cond_init(&senders[i].answered, NULL), 0);
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
		assert_int_equal(senders[i].good, EACH);
	}
	assert_true(journal_writer_statistics(writer).syncs <= THREADS * EACH + 10);
	journal_writer_close(&writer);
	journal_disk_close(&disk);

	/* Closing the disk gave the lock back. */
	assert_int_equal(journal_disk_open(folder, &disk), RC_OK);
	options.disk = disk;
	assert_int_equal(journal_writer_open(&options, NULL, NULL, &writer), RC_OK);
	assert_int_equal(found, THREADS * EACH);
	journal_writer_close(&writer);
	remove_folder(folder, disk);
	journal_disk_close(&disk);
}

static void the_defaults_stand_in_the_table_too(void **state)
{
	(void)state;
	static uint8_t               memory[65536];
	struct arena                 arena = arena_on(memory, sizeof memory);
	const struct setting_section section = {
		.name = "journal",
		.settings = journal_settings,
		.size = sizeof(struct journal_limits),
		.max = 1,
		.help = "x",
	};
	struct setting_values values;
	struct setting_error  errors[4];
	size_t                error_count = 0;

	assert_int_equal(setting_read(SLICE(""), &section, 1, &arena, &values, errors, 4, &error_count), RC_OK);
	const struct journal_limits *read = values.sections[0].items;
	const struct journal_limits  standard = journal_limits_standard();
	assert_int_equal(read->segment_bytes, standard.segment_bytes);
	assert_int_equal(read->spare_segments, standard.spare_segments);
	assert_int_equal(read->delay_ms, standard.delay_ms);
	assert_int_equal(read->lazy_ms, standard.lazy_ms);
	assert_int_equal(read->queue_bytes_max, standard.queue_bytes_max);
	assert_int_equal(read->queue_groups_max, standard.queue_groups_max);
	assert_int_equal(read->free_floor_bytes, standard.free_floor_bytes);
	assert_int_equal(read->snapshot_bytes, standard.snapshot_bytes);
	assert_int_equal(read->compress_level, standard.compress_level);
	assert_int_equal(read->compress_from_bytes, standard.compress_from_bytes);
	assert_int_equal(read->prewrite, standard.prewrite);
	assert_int_equal(read->folder.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_sync_answers_all_who_wait_in_their_order),
		cmocka_unit_test(groups_beyond_the_bounds_are_refused),
		cmocka_unit_test(a_full_queue_says_busy_and_drains),
		cmocka_unit_test(who_is_late_for_the_end_is_refused),
		cmocka_unit_test(a_failed_sync_is_final),
		cmocka_unit_test(a_full_disk_is_said_and_survived),
		cmocka_unit_test(below_the_floor_there_is_no_room),
		cmocka_unit_test(a_group_larger_than_a_segment_gets_its_own),
		cmocka_unit_test(a_start_reads_from_the_newest_good_snapshot),
		cmocka_unit_test(a_snapshot_is_due_after_so_many_bytes),
		cmocka_unit_test(no_allocation_that_fails_does_harm),
		cmocka_unit_test(many_threads_share_syncs_on_a_real_disk),
		cmocka_unit_test(the_defaults_stand_in_the_table_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
