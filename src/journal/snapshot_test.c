/* Snapshots: taken only when they are whole and of this journal; two are kept. */
#include "journal/snapshot.h"

#include "harness/journal_rig.h"
#include "journal/holes.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static const uint8_t id[JOURNAL_ID_SIZE] = "a journal's id.", other_id[JOURNAL_ID_SIZE] = "another journal";

static struct sim_disk     *sim;
static struct journal_disk *disk;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(digest_ready(), RC_OK);
	sim = sim_disk_open(1);
	assert_non_null(sim);
	disk = sim_disk_calls(sim);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	journal_disk_close(&disk);
	return 0;
}

static struct journal_mark mark_of(uint64_t seq)
{
	return (struct journal_mark){ .position = { 1, 8192, seq }, .epoch = 1 };
}

static const char *name_of(uint64_t seq)
{
	static char name[64];

	(void)snprintf(name, sizeof name, "%020llu.snapshot", (unsigned long long)seq);
	return name;
}

static void write_one(uint64_t seq, const char *text)
{
	const struct journal_mark mark = mark_of(seq);

	assert_int_equal(journal_snapshot_write(disk, id, &mark, slice_str(text), NULL), RC_OK);
}

static void every_changed_bit_and_every_cut_is_refused(void **state)
{
	(void)state;
	struct journal_mark mark;
	struct slice        blob;
	uint8_t             bytes[256];

	write_one(5, "the state of the queue");
	const size_t size = (size_t)sim_disk_size(sim, name_of(5));
	assert_int_equal(size, JOURNAL_SNAPSHOT_HEAD_SIZE + 22);
	memcpy(bytes, sim_disk_bytes(sim, name_of(5)), size);
	assert_int_equal(journal_snapshot_decode(slice_of(bytes, size), id, &mark, &blob), RC_OK);
	assert_int_equal(mark.position.seq, 5);
	assert_true(slice_eq(blob, SLICE("the state of the queue")));
	assert_int_equal(journal_snapshot_decode(slice_of(bytes, size), NULL, &mark, &blob), RC_OK);
	assert_int_equal(journal_snapshot_decode(slice_of(bytes, size), other_id, &mark, &blob), RC_CORRUPT);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(journal_snapshot_decode(slice_of(bytes, cut), id, &mark, &blob), RC_AGAIN);
	bytes[size] = 0;
	assert_int_equal(journal_snapshot_decode(slice_of(bytes, size + 1), id, &mark, &blob), RC_CORRUPT);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(journal_snapshot_decode(slice_of(bytes, size), id, &mark, &blob), RC_CORRUPT);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void the_newest_good_one_is_loaded_and_two_are_kept(void **state)
{
	(void)state;
	struct journal_mark mark;
	struct slice        blob;
	struct buf          file;
	uint32_t            bad = 0;

	assert_int_equal(journal_snapshot_load(disk, id, 0, &file, &mark, &blob, &bad), RC_NOTFOUND);
	write_one(5, "five");
	write_one(9, "nine");
	write_one(12, "");
	assert_int_equal(sim_disk_size(sim, name_of(5)), 0);
	assert_int_equal(journal_snapshot_load(disk, id, 0, &file, &mark, &blob, &bad), RC_OK);
	assert_int_equal(mark.position.seq, 12);
	assert_int_equal(blob.len, 0);
	buf_done(&file);
	assert_int_equal(journal_snapshot_load(disk, id, 12, &file, &mark, &blob, &bad), RC_OK);
	assert_true(slice_eq(blob, SLICE("nine")));
	buf_done(&file);
	assert_int_equal(bad, 0);
	assert_true(sim_disk_flip(sim, name_of(12), 20, 1));
	assert_int_equal(journal_snapshot_load(disk, id, 0, &file, &mark, &blob, &bad), RC_OK);
	assert_int_equal(mark.position.seq, 9);
	assert_int_equal(bad, 1);
	buf_done(&file);
	assert_int_equal(journal_snapshot_load(disk, other_id, 0, &file, &mark, &blob, &bad), RC_NOTFOUND);
	/* One of a history that was cut off is ahead of the newest, and goes. */
	write_one(10, "ten");
	assert_int_equal(sim_disk_size(sim, name_of(12)), 0);
}

static void every_operation_that_fails_leaves_the_older_ones(void **state)
{
	(void)state;
	const struct journal_mark newer = mark_of(9);
	struct journal_mark       mark;
	struct slice              blob;
	struct buf                file;
	enum rc                   rc = RC_IO;

	write_one(5, "five");
	for (uint64_t number = 1; rc != RC_OK; number++) {
		assert_true(number < 20);
		sim_disk_fail_at(sim, sim_disk_operations(sim) + number, 1, RC_IO);
		rc = journal_snapshot_write(disk, id, &newer, SLICE("nine"), NULL);
		assert_true(rc == RC_OK || rc == RC_IO);
		sim_disk_fail_at(sim, 0, 0, RC_OK);
		assert_int_equal(journal_snapshot_load(disk, id, 0, &file, &mark, &blob, NULL), RC_OK);
		assert_true(slice_eq(blob, SLICE("five")) || slice_eq(blob, SLICE("nine")));
		buf_done(&file);
	}
}

static void a_list_of_holes_comes_back_or_is_refused(void **state)
{
	(void)state;
	uint64_t                     offsets[] = { 4096, 5000, 70000 };
	const struct journal_numbers sent = { .items = offsets, .count = 3, .room = 3 };
	struct journal_numbers       got;
	const char                  *name = "00000000000000000004.holes";

	assert_int_equal(journal_holes_load(disk, id, 4, &got), RC_NOTFOUND);
	assert_int_equal(journal_holes_write(disk, id, 4, &sent), RC_OK);
	assert_int_equal(journal_holes_load(disk, id, 4, &got), RC_OK);
	assert_int_equal(got.count, 3);
	assert_true(journal_holes_have(&got, 4096) && journal_holes_have(&got, 5000) &&
	            journal_holes_have(&got, 70000));
	assert_false(journal_holes_have(&got, 4104) || journal_holes_have(&got, 0) || journal_holes_have(&got, 70001));
	journal_numbers_done(&got);
	assert_int_equal(journal_holes_load(disk, other_id, 4, &got), RC_CORRUPT);
	for (uint64_t at = 0; at < sim_disk_size(sim, name); at++) {
		assert_true(sim_disk_flip(sim, name, at, 4));
		assert_int_equal(journal_holes_load(disk, id, 4, &got), RC_CORRUPT);
		journal_numbers_done(&got);
		assert_true(sim_disk_flip(sim, name, at, 4));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_changed_bit_and_every_cut_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_newest_good_one_is_loaded_and_two_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_operation_that_fails_leaves_the_older_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_list_of_holes_comes_back_or_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
