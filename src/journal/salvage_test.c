/* What a salvage keeps, what it makes again, and what it names. */
#include "journal/salvage.h"

#include "harness/journal_rig.h"
#include "journal/segment.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define MESSAGES 24u
#define BODY     9000u

static struct rig rig; /* large; each test opens it anew */

static struct {
	unsigned mended, texts, bodies;
	bool     seen[MESSAGES];
} told;

static struct journal_salvage_report report;

static void on_mended(void *context, uint64_t segment)
{
	(void)context;
	(void)segment;
	told.mended++;
}

static void on_lost(void *context, uint64_t segment, const struct journal_record *record)
{
	(void)context;
	assert_true(segment != 0);
	if (journal_record_is_body(record)) {
		told.bodies++;
		assert_int_equal(record->payload.len, BODY);
		return;
	}
	told.texts++;
	for (unsigned i = 0; i < MESSAGES; i++) {
		char text[32];
		(void)snprintf(text, sizeof text, "message %u", i);
		if (slice_eq(record->payload, slice_str(text)))
			told.seen[i] = true;
	}
}

static const struct journal_salvage_calls calls = { .mended = on_mended, .lost = on_lost };

static enum rc salvage(void)
{
	memset(&told, 0, sizeof told);
	rig_stop(&rig);
	return journal_salvage(rig.disk, &rig.limits, &calls, &report, &rig.fault);
}

/* Several segments of messages with bodies; every second one packs well. */
static void begin(unsigned level)
{
	static uint8_t body[BODY];

	rig_open(&rig, 1);
	rig.limits.compress_level = level;
	assert_int_equal(rig_start(&rig), RC_OK);
	for (unsigned i = 0; i < MESSAGES; i++) {
		char text[32];
		(void)snprintf(text, sizeof text, "message %u", i);
		for (size_t k = 0; k < sizeof body; k++)
			body[k] = (uint8_t)(i % 2 == 0 ? k * k * 31 + k / 7 : i);
		assert_int_equal(rig_write_body(&rig, slice_of(body, sizeof body), text, NULL), RC_OK);
	}
	rig_stop(&rig);
}

/* It opens, is whole, and goes on. Returns how many of the messages are there. */
static unsigned kept(void)
{
	struct journal_verdict verdict;

	assert_int_equal(rig_start(&rig), RC_OK);
	const unsigned count = (unsigned)rig.count;
	assert_int_equal(rig_write(&rig, "goes on"), RC_OK);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, count + 1);
	assert_string_equal(rig.texts[count], "goes on");
	rig_stop(&rig);
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, NULL), RC_OK);
	return count;
}

static void a_whole_journal_stays_as_it_is(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(salvage(), RC_OK);
	assert_false(report.cut);
	assert_int_equal(report.mended + report.aside + report.lost, 0);
	assert_int_equal(kept(), MESSAGES);
	rig_close(&rig);
}

static void no_journal_is_not_made_one(void **state)
{
	(void)state;
	rig_open(&rig, 1);
	assert_int_equal(salvage(), RC_NOTFOUND);
	rig_close(&rig);
}

/* Every byte of every segment's header in turn: it is made again, and nothing is lost. */
static void a_damaged_header_is_made_again(void **state)
{
	(void)state;
	begin(0);
	const uint64_t segments = rig.after.position.segment;
	rig_close(&rig);
	assert_true(segments >= 3);
	for (uint64_t number = 1; number <= segments; number++) {
		for (uint64_t at = 0; at < JOURNAL_SEGMENT_HEAD_USED; at++) {
			begin(0);
			assert_true(sim_disk_flip(rig.sim, rig_segment(number), at, 0x40));
			assert_int_equal(salvage(), RC_OK);
			assert_int_equal(told.mended, 1);
			assert_false(report.cut);
			assert_int_equal(kept(), MESSAGES);
			rig_close(&rig);
		}
	}
}

static void wipe_header(uint64_t number)
{
	for (uint64_t at = 0; at < JOURNAL_SEGMENT_HEAD_USED; at++) {
		const uint8_t byte = sim_disk_bytes(rig.sim, rig_segment(number))[at];
		if (byte != 0)
			assert_true(sim_disk_flip(rig.sim, rig_segment(number), at, byte));
	}
}

/* A block of zeros where the header was, in any segment: what it said can be proved from its neighbours. */
static void a_lost_header_is_made_again(void **state)
{
	(void)state;
	for (uint64_t number = 1; number <= 3; number++) {
		begin(number == 1 ? 3 : 0);
		wipe_header(number);
		assert_int_equal(salvage(), RC_OK);
		assert_int_equal(told.mended, 1);
		assert_false(report.cut);
		assert_int_equal(kept(), MESSAGES);
		rig_close(&rig);
	}
}

/* A journal of one segment with two messages, no snapshot. */
static void begin_small(void)
{
	rig_open(&rig, 2);
	rig.limits.segment_bytes = 1u << 20;
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig_write(&rig, "message 0"), RC_OK);
	assert_int_equal(rig_write(&rig, "message 1"), RC_OK);
	rig_stop(&rig);
}

/* The only segment, no snapshot, and its header is gone with the id: the records' own checksums give it away. */
static void the_only_header_is_made_again(void **state)
{
	(void)state;
	begin_small();
	wipe_header(1);
	assert_int_equal(rig_start(&rig), RC_CORRUPT);
	assert_int_equal(salvage(), RC_OK);
	assert_int_equal(report.mended, 1);
	assert_int_equal(kept(), 2);
	rig_close(&rig);
}

/* Header and first record of the only segment: nothing can be kept; what can be read is named, and a new journal begins. */
static void nothing_to_keep_is_a_new_journal(void **state)
{
	(void)state;
	begin_small();
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), 60, 1));
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), JOURNAL_SEGMENT_HEAD_SIZE + 20, 1));
	assert_int_equal(salvage(), RC_OK);
	assert_true(report.cut);
	assert_int_equal(report.kept_seq, 0);
	assert_int_equal(report.aside, 1);
	assert_int_equal(told.texts, 2);
	assert_true(told.seen[0] && told.seen[1]);
	assert_int_equal(kept(), 0);
	rig_close(&rig);
}

/* The oldest of several cannot be read: the journal begins behind it. */
static void a_lost_front_is_set_aside(void **state)
{
	(void)state;
	begin(0);
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), 60, 1));
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), JOURNAL_SEGMENT_HEAD_SIZE + 20, 1));
	assert_int_equal(rig_start(&rig), RC_CORRUPT);
	assert_int_equal(salvage(), RC_OK);
	assert_true(report.cut);
	assert_int_equal(report.bad.segment, 1);
	const unsigned there = kept();
	assert_true(there != 0 && there < MESSAGES);
	assert_int_equal(told.texts, MESSAGES - there);
	assert_int_equal(told.bodies, MESSAGES - there);
	rig_close(&rig);
}

/* A record in the middle, at every place: what lies before is kept, what lies behind is named, and nothing is both or neither. */
static void what_lies_behind_the_damage_is_named(void **state)
{
	(void)state;
	for (unsigned level = 0; level <= 3; level += 3) {
		begin(level);
		const uint64_t second = sim_disk_size(rig.sim, rig_segment(2));
		rig_close(&rig);
		for (uint64_t at = JOURNAL_SEGMENT_HEAD_SIZE; at < second; at += 1237) {
			begin(level);
			assert_true(sim_disk_flip(rig.sim, rig_segment(2), at, 0x20));
			assert_int_equal(salvage(), RC_OK);
			const unsigned lost = told.texts;
			const unsigned there = kept();
			assert_in_range(there + lost, MESSAGES - 1, MESSAGES);
			for (unsigned i = 0; i < there; i++)
				assert_false(told.seen[i]);
			for (unsigned i = there + 1; i < MESSAGES; i++)
				assert_true(told.seen[i]);
			rig_close(&rig);
		}
	}
}

/* A second salvage finds nothing to do, and names nothing again. */
static void once_is_enough(void **state)
{
	(void)state;
	begin(0);
	assert_true(sim_disk_flip(rig.sim, rig_segment(2), JOURNAL_SEGMENT_HEAD_SIZE + 30, 0x20));
	assert_int_equal(salvage(), RC_OK);
	assert_true(report.cut);
	assert_int_equal(salvage(), RC_OK);
	assert_false(report.cut);
	assert_int_equal(told.texts + told.bodies + told.mended, 0);
	rig_close(&rig);
}

/* The n-th operation of the disk fails, n = 1, 2, 3 ...: another try does the rest. */
static void a_failing_disk_can_be_tried_again(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		begin(0);
		assert_true(sim_disk_flip(rig.sim, rig_segment(2), JOURNAL_SEGMENT_HEAD_SIZE + 30, 0x20));
		wipe_header(1);
		sim_disk_fail_at(rig.sim, sim_disk_operations(rig.sim) + n, 1, RC_IO);
		const enum rc first = salvage();
		if (first != RC_OK) {
			assert_int_equal(salvage(), RC_OK);
			assert_in_range(kept(), 1, MESSAGES);
		}
		rig_close(&rig);
		if (first == RC_OK && n > 200)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_journal_stays_as_it_is),
		cmocka_unit_test(no_journal_is_not_made_one),
		cmocka_unit_test(a_damaged_header_is_made_again),
		cmocka_unit_test(a_lost_header_is_made_again),
		cmocka_unit_test(the_only_header_is_made_again),
		cmocka_unit_test(nothing_to_keep_is_a_new_journal),
		cmocka_unit_test(a_lost_front_is_set_aside),
		cmocka_unit_test(what_lies_behind_the_damage_is_named),
		cmocka_unit_test(once_is_enough),
		cmocka_unit_test(a_failing_disk_can_be_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
