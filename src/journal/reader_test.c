/* What a reader takes, where it stops, and what it calls damage. */
#include "journal/reader.h"

#include "base/memory.h"
#include "harness/journal_rig.h"
#include "journal/segment.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define MESSAGES  12u
#define FLIP_STEP 3u

static struct rig rig; /* large; each test opens it anew */

static void ignore_answer(struct journal_group *group, enum rc rc)
{
	(void)group;
	(void)rc;
}

static const char *text_of(unsigned i)
{
	static char text[32];

	(void)snprintf(text, sizeof text, "message %u", i);
	return text;
}

static void write_texts(unsigned from, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(rig_write(&rig, text_of(from + i)), RC_OK);
}

/* The texts replayed are the first ones that were written. */
static bool is_prefix(unsigned most)
{
	for (unsigned i = 0; i < rig.count; i++) {
		if (i >= most || strcmp(rig.texts[i], text_of(i)) != 0)
			return false;
	}
	return true;
}

static void begin(void)
{
	rig_open(&rig, 1);
	assert_int_equal(rig_start(&rig), RC_OK);
	write_texts(0, MESSAGES);
	rig_stop(&rig);
}

static void what_was_written_comes_back(void **state)
{
	(void)state;
	begin();
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, MESSAGES);
	assert_true(is_prefix(MESSAGES));
	assert_int_equal(rig.recovery.cut_bytes, 0);
	rig_close(&rig);
}

/* Every byte of the segment in turn: either it does not matter, or the start is refused, or the last batch is gone. */
static void no_changed_byte_is_taken_for_another_truth(void **state)
{
	(void)state;
	begin();
	const uint64_t end = rig.after.position.offset;
	unsigned       refused = 0, cut = 0, harmless = 0;
	rig_close(&rig);

	for (uint64_t at = 0; at < end + 16; at += at < 130 || at >= JOURNAL_SEGMENT_HEAD_SIZE ? FLIP_STEP : 512) {
		begin();
		assert_true(sim_disk_flip(rig.sim, rig_segment(1), at, 0x40));
		const enum rc rc = rig_start(&rig);
		assert_true(rc == RC_OK || rc == RC_CORRUPT);
		assert_true(is_prefix(MESSAGES));
		if (rc == RC_CORRUPT) {
			refused++;
			assert_true(at < end);
			assert_int_equal(rig.recovery.bad.segment, at < JOURNAL_SEGMENT_HEAD_SIZE ? 0 : 1);
		} else if (rig.count < MESSAGES) {
			cut++;
			assert_int_equal(rig.count, MESSAGES - 1);
			assert_true(rig.recovery.cut_bytes != 0);
		} else {
			harmless++;
		}
		rig_close(&rig);
	}
	assert_true(refused > 300);
	assert_in_range(cut, 20, 60);
	assert_in_range(harmless, 1, 60);
}

static void salvage_keeps_what_is_before_the_damage(void **state)
{
	(void)state;
	begin();
	const uint64_t end = rig.after.position.offset;
	rig_close(&rig);

	for (uint64_t at = JOURNAL_SEGMENT_HEAD_SIZE; at < end; at += 29) {
		struct journal_verdict verdict;
		begin();
		assert_true(sim_disk_flip(rig.sim, rig_segment(1), at, 0x40));
		rig.salvage = true;
		assert_int_equal(rig_start(&rig), RC_OK);
		assert_true(is_prefix(MESSAGES));
		const unsigned kept = (unsigned)rig.count;
		assert_int_equal(rig_write(&rig, text_of(kept)), RC_OK);
		rig.salvage = false;
		assert_int_equal(rig_start(&rig), RC_OK);
		assert_int_equal(rig.count, kept + 1);
		assert_true(is_prefix(MESSAGES + 1));
		rig_stop(&rig);
		assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, NULL), RC_OK);
		rig_close(&rig);
	}
}

/* The last batch cut after each of its bytes: a torn tail, never damage, and what follows is written over it. */
static void a_torn_tail_is_cut_off_at_every_byte(void **state)
{
	(void)state;
	begin();
	assert_int_equal(rig_start(&rig), RC_OK);
	const uint64_t from = journal_writer_durable(rig.writer).position.offset;
	assert_int_equal(rig_write_body(&rig, SLICE("a body of the last group"), text_of(MESSAGES), NULL), RC_OK);
	const uint64_t to = rig.after.position.offset;
	rig_stop(&rig);
	const uint64_t size = sim_disk_size(rig.sim, rig_segment(1));
	uint8_t       *whole = memory_take(1, size);
	memcpy(whole, sim_disk_bytes(rig.sim, rig_segment(1)), size);
	rig_close(&rig);

	for (uint64_t cut = from; cut < to; cut++) {
		uint8_t *torn = memory_take(1, size);
		memcpy(torn, whole, cut);
		rig_open(&rig, 2);
		sim_disk_put(rig.sim, rig_segment(1), slice_of(torn, size));
		memory_give(torn);
		assert_int_equal(rig_start(&rig), RC_OK);
		/* The last bytes may be padding, without which the group is whole. */
		assert_true(rig.count == MESSAGES || to - cut < JOURNAL_ALIGN);
		assert_int_equal(rig.recovery.cut_bytes != 0, cut != from && rig.count == MESSAGES);
		assert_int_equal(rig_write(&rig, "after"), RC_OK);
		assert_int_equal(rig_start(&rig), RC_OK);
		assert_string_equal(rig.texts[rig.count - 1], "after");
		rig_close(&rig);
	}
	memory_give(whole);
}

/* Records cut off with a torn tail never come back, even when new records end exactly where they begin. */
static void what_was_cut_off_never_resurfaces(void **state)
{
	(void)state;
	/*
	 * As much as the first record of an epoch (136) and one with 8 bytes of payload (128) take, less a header
	 * (120).
	 */
	static const uint8_t long_text[144] = "stale 1";
	struct slice         pieces[] = { slice_of(long_text, sizeof long_text), SLICE("stale 2"), SLICE("stale 3") };
	struct journal_item  items[3];
	struct journal_group groups[3];

	/* One batch of three groups; the first is torn, so that all three are cut off. */
	begin();
	assert_int_equal(rig_start(&rig), RC_OK);
	const uint64_t at = journal_writer_durable(rig.writer).position.offset;
	for (unsigned i = 0; i < 3; i++) {
		items[i] = (struct journal_item){ .type = RIG_TYPE_TEXT, .pieces = &pieces[i], .piece_count = 1 };
		groups[i] = (struct journal_group){ .items = &items[i], .item_count = 1, .answer = ignore_answer };
		assert_int_equal(journal_writer_submit(rig.writer, &groups[i]), RC_OK);
	}
	journal_writer_step(rig.writer);
	rig_stop(&rig);
	const uint64_t second = at + JOURNAL_RECORD_HEAD_SIZE + 144;
	uint8_t        stale[JOURNAL_ALIGN];
	memcpy(stale, sim_disk_bytes(rig.sim, rig_segment(1)) + second, sizeof stale);
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), at + JOURNAL_RECORD_HEAD_SIZE, 1));
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, MESSAGES);
	assert_true(rig.recovery.cut_bytes > 2 * JOURNAL_RECORD_HEAD_SIZE);
	assert_int_equal(rig_write(&rig, "8 bytes."), RC_OK);
	assert_int_equal(rig.after.position.offset, second);
	rig_stop(&rig);
	/* Even if the zero behind the new tail had not been written: the epoch tells. */
	for (unsigned i = 0; i < sizeof stale; i++)
		assert_true(sim_disk_flip(rig.sim, rig_segment(1), second + i, stale[i]));
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, MESSAGES + 1);
	assert_string_equal(rig.texts[MESSAGES], "8 bytes.");
	rig_close(&rig);
}

static unsigned follow(struct journal_reader *reader, unsigned *next)
{
	const struct journal_mark    durable = journal_writer_durable(rig.writer);
	const struct journal_record *records;
	size_t                       count;
	unsigned                     groups = 0;
	enum rc                      rc;

	while ((rc = journal_reader_next(reader, &durable.position, &records, &count, NULL)) == RC_OK) {
		if (records[0].type >= JOURNAL_TYPE_OWN)
			continue;
		assert_true(slice_eq(records[count - 1].payload, slice_str(text_of((*next)++))));
		groups++;
	}
	assert_int_equal(rc, RC_AGAIN);
	return groups;
}

static void a_follower_reads_behind_the_writer_and_no_further(void **state)
{
	(void)state;
	struct journal_reader *reader;
	unsigned               next = 0;

	begin();
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(journal_reader_open(rig.disk, NULL, JOURNAL_CHECK_NO_BODIES, NULL, &reader), RC_OK);
	assert_int_equal(follow(reader, &next), MESSAGES);
	assert_int_equal(follow(reader, &next), 0);
	write_texts(MESSAGES, 3);
	assert_int_equal(follow(reader, &next), 3);
	/* It stores its mark, ends, and another goes on there. */
	const struct journal_mark mark = journal_reader_mark(reader);
	journal_reader_close(&reader);
	write_texts(MESSAGES + 3, 2);
	assert_int_equal(journal_reader_open(rig.disk, &mark, JOURNAL_CHECK_NO_BODIES, NULL, &reader), RC_OK);
	assert_int_equal(follow(reader, &next), 2);
	journal_reader_close(&reader);
	rig_close(&rig);
}

/* While the reader stands in a segment, that is emptied, compacted, and its old file filled with other records. */
static void a_follower_survives_compaction_and_recycling(void **state)
{
	(void)state;
	static uint8_t               body[9000];
	struct journal_place         places[64];
	const struct journal_record *records;
	struct journal_reader       *reader;
	size_t                       count;
	unsigned                     next = 0;

	rig_open(&rig, 3);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(journal_reader_open(rig.disk, NULL, JOURNAL_CHECK_NO_BODIES, NULL, &reader), RC_OK);
	const struct journal_position far = { .segment = UINT64_MAX, .seq = UINT64_MAX };
	assert_int_equal(rig_write_body(&rig, slice_of(body, sizeof body), text_of(0), &places[0]), RC_OK);
	while (next == 0) {
		assert_int_equal(journal_reader_next(reader, &far, &records, &count, NULL), RC_OK);
		next += records[0].type < JOURNAL_TYPE_OWN;
	}
	for (unsigned i = 1; i < 40; i++) {
		assert_int_equal(rig_write_body(&rig, slice_of(body, sizeof body), text_of(i), &places[i]), RC_OK);
		if (i >= 3)
			journal_bodies_drop(journal_writer_bodies(rig.writer), &places[i - 3]);
	}
	const struct journal_writer_statistics statistics = journal_writer_statistics(rig.writer);
	assert_true(statistics.compacted >= 3);
	assert_true(statistics.recycled >= 2);
	assert_int_equal(follow(reader, &next), 39);
	journal_reader_close(&reader);

	/* A mark inside a compacted segment leads to the same record though its offset does not. */
	assert_int_equal(journal_reader_open(rig.disk, NULL, JOURNAL_CHECK_ALL, NULL, &reader), RC_OK);
	next = 0;
	assert_int_equal(journal_reader_next(reader, NULL, &records, &count, NULL), RC_OK);
	assert_int_equal(journal_reader_next(reader, NULL, &records, &count, NULL), RC_OK);
	struct journal_mark mark = journal_reader_mark(reader);
	journal_reader_close(&reader);
	next = 1;
	mark.position.offset += 8888;
	assert_int_equal(journal_reader_open(rig.disk, &mark, JOURNAL_CHECK_NO_BODIES, NULL, &reader), RC_OK);
	assert_int_equal(follow(reader, &next), 39);
	journal_reader_close(&reader);
	mark.chain.bytes[0] ^= 1;
	assert_int_equal(journal_reader_open(rig.disk, &mark, JOURNAL_CHECK_NO_BODIES, NULL, &reader), RC_CORRUPT);
	rig_close(&rig);
}

static void a_missing_segment_is_damage(void **state)
{
	(void)state;
	static uint8_t body[20000];

	rig_open(&rig, 4);
	assert_int_equal(rig_start(&rig), RC_OK);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(rig_write_body(&rig, slice_of(body, sizeof body), text_of(i), NULL), RC_OK);
	assert_true(rig.after.position.segment >= 3);
	rig_stop(&rig);
	assert_int_equal(rig.disk->calls->remove(rig.disk, rig_segment(2)), RC_OK);
	assert_int_equal(rig_start(&rig), RC_CORRUPT);
	assert_string_equal(rig.fault.text, "a segment is missing");
	assert_int_equal(rig.recovery.bad.segment, 2);
	rig.salvage = true;
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_true(is_prefix(12));
	assert_int_equal(rig_write(&rig, "goes on"), RC_OK);
	rig.salvage = false;
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_string_equal(rig.texts[rig.count - 1], "goes on");
	rig_close(&rig);
}

static void verify_names_the_first_bad_record(void **state)
{
	(void)state;
	static uint8_t         body[3000];
	struct journal_verdict verdict;
	struct journal_place   place;
	struct fault           fault;

	rig_open(&rig, 5);
	assert_int_equal(rig_start(&rig), RC_OK);
	write_texts(0, 3);
	assert_int_equal(rig_write_body(&rig, slice_of(body, sizeof body), "with a body", &place), RC_OK);
	write_texts(3, 3);
	rig_stop(&rig);
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, &fault), RC_OK);
	assert_int_equal(verdict.bad.segment, 0);
	assert_int_equal(verdict.bodies, 1);
	assert_int_equal(verdict.body_bytes, sizeof body);
	assert_int_equal(verdict.groups, 8);
	assert_int_equal(verdict.records, 9);
	const struct digest history = verdict.end.chain;

	/* One bit of the body: a start does not read it once later batches stand behind it, verify does. */
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), place.position.offset + JOURNAL_RECORD_HEAD_SIZE + 1500, 1));
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, &fault), RC_CORRUPT);
	assert_int_equal(verdict.bad.segment, 1);
	assert_int_equal(verdict.bad.offset, place.position.offset);
	assert_int_equal(verdict.bad.seq, place.position.seq);
	assert_int_equal(verdict.groups, 4);
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), place.position.offset + JOURNAL_RECORD_HEAD_SIZE + 1500, 1));
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, &fault), RC_OK);
	assert_true(digest_eq(&verdict.end.chain, &history));
	rig_close(&rig);
}

static void no_journal_is_said_so(void **state)
{
	(void)state;
	struct journal_reader *reader;
	struct journal_verdict verdict;

	rig_open(&rig, 6);
	assert_int_equal(journal_reader_open(rig.disk, NULL, JOURNAL_CHECK_ALL, NULL, &reader), RC_NOTFOUND);
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, NULL), RC_NOTFOUND);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_comes_back),
		cmocka_unit_test(no_changed_byte_is_taken_for_another_truth),
		cmocka_unit_test(salvage_keeps_what_is_before_the_damage),
		cmocka_unit_test(a_torn_tail_is_cut_off_at_every_byte),
		cmocka_unit_test(what_was_cut_off_never_resurfaces),
		cmocka_unit_test(a_follower_reads_behind_the_writer_and_no_further),
		cmocka_unit_test(a_follower_survives_compaction_and_recycling),
		cmocka_unit_test(a_missing_segment_is_damage),
		cmocka_unit_test(verify_names_the_first_bad_record),
		cmocka_unit_test(no_journal_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
