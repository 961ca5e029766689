/* Bodies read back in any slices, packed or not; dropped ones are gone, first to the reader and then from the disk. */
#include "journal/body.h"

#include "base/memory.h"
#include "harness/journal_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define SIZE 30000u

static struct rig rig; /* large; each test opens it anew */
static uint8_t    plain[SIZE];

static void begin(bool compress)
{
	for (unsigned i = 0; i < SIZE; i++)
		plain[i] = (uint8_t)(i / 100 * 7 + i % 5);
	rig_open(&rig, 1);
	rig.limits.compress_level = compress ? 3 : 0;
	rig.limits.compress_from_bytes = 100;
	assert_int_equal(rig_start(&rig), RC_OK);
}

static void check_reading(bool compress)
{
	static const struct {
		uint64_t offset;
		size_t   room;
	} rows[] = { { 0, 1 },         { 0, SIZE }, { 1, 100 },   { 29999, 5 },
		     { 10000, 20000 }, { 10, 10 },  { SIZE, 10 }, { SIZE + 5, 1 } };
	struct journal_place place;
	struct journal_body *body;
	struct digest        digest;
	uint8_t              got[SIZE];
	size_t               size;
	const struct slice   whole = slice_of(plain, SIZE);

	begin(compress);
	assert_int_equal(rig_write_body(&rig, whole, "text", &place), RC_OK);
	assert_int_equal(place.bytes, SIZE);
	assert_int_equal(place.stored_bytes < SIZE / 4, compress);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &body), RC_OK);
	assert_int_equal(journal_body_bytes(body), SIZE);
	digest_of(&whole, 1, &digest);
	assert_true(digest_eq(journal_body_digest(body), &digest));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(journal_body_read(body, rows[i].offset, got, rows[i].room, &size), RC_OK);
		assert_int_equal(size == 0, rows[i].offset >= SIZE);
		assert_true(size <= rows[i].room);
		assert_true(size == 0 || memcmp(got, plain + rows[i].offset, size) == 0);
	}
	for (size_t step = 1; step < SIZE; step = step * 3 + 1) {
		for (size_t at = 0; at < SIZE; at += size) {
			assert_int_equal(journal_body_read(body, at, got, step, &size), RC_OK);
			assert_in_range(size, 1, step);
			assert_memory_equal(got, plain + at, size);
		}
	}
	assert_int_equal(journal_body_check(body), RC_OK);
	journal_body_close(&body);
	/* A bit on the disk. */
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), place.position.offset + JOURNAL_RECORD_HEAD_SIZE + 50, 1));
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &body), RC_OK);
	assert_int_equal(journal_body_check(body), RC_CORRUPT);
	journal_body_close(&body);
	rig_close(&rig);
}

static void a_body_reads_in_any_slices(void **state)
{
	(void)state;
	check_reading(false);
}

static void a_compressed_body_reads_the_same(void **state)
{
	(void)state;
	check_reading(true);
}

static void an_empty_body_is_a_body(void **state)
{
	(void)state;
	struct journal_place place;
	struct journal_body *body;
	size_t               size = 1;

	begin(true);
	assert_int_equal(rig_write_body(&rig, slice_of(NULL, 0), "text", &place), RC_OK);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &body), RC_OK);
	assert_int_equal(journal_body_read(body, 0, plain, 10, &size), RC_OK);
	assert_int_equal(size, 0);
	assert_int_equal(journal_body_check(body), RC_OK);
	journal_body_close(&body);
	rig_close(&rig);
}

static void a_place_that_names_no_live_body_is_refused(void **state)
{
	(void)state;
	struct journal_place   place, wrong;
	struct journal_body   *body;
	struct journal_bodies *bodies;

	begin(false);
	assert_int_equal(rig_write_body(&rig, slice_of(plain, 100), "text", &place), RC_OK);
	bodies = journal_writer_bodies(rig.writer);
	wrong = place;
	wrong.position.segment = 7;
	assert_int_equal(journal_body_open(bodies, &wrong, &body), RC_NOTFOUND);
	assert_int_equal(journal_bodies_claim(bodies, &wrong), RC_NOTFOUND);
	wrong = place;
	wrong.position.offset += 8;
	assert_int_equal(journal_body_open(bodies, &wrong, &body), RC_NOTFOUND);
	assert_int_equal(journal_bodies_claim(bodies, &wrong), RC_OK); /* believed, and found out when opened */
	assert_int_equal(journal_body_open(bodies, &wrong, &body), RC_CORRUPT);
	journal_bodies_drop(bodies, &wrong);
	wrong = place;
	wrong.position.seq++;
	assert_int_equal(journal_body_open(bodies, &wrong, &body), RC_CORRUPT);
	assert_int_equal(journal_bodies_statistics(bodies).live, 1);
	assert_int_equal(journal_bodies_claim(bodies, &place), RC_OK);
	assert_int_equal(journal_bodies_statistics(bodies).live, 1);
	journal_bodies_drop(bodies, &place);
	journal_bodies_drop(bodies, &place);
	assert_int_equal(journal_bodies_statistics(bodies).live, 0);
	assert_int_equal(journal_body_open(bodies, &place, &body), RC_NOTFOUND);
	rig_close(&rig);
}

static void an_event_loads_from_its_place_or_not_at_all(void **state)
{
	(void)state;
	const struct slice   text = SLICE("the prefix and the cuts");
	struct journal_place place, body;
	struct buf           out = buf_make(100), small = buf_make(10);

	begin(false);
	assert_int_equal(rig_write_body(&rig, slice_of(plain, 100), "the prefix and the cuts", &body), RC_OK);
	place = body;
	place.position.offset += 120 + 104;
	place.position.seq++;
	place.bytes = place.stored_bytes = (uint32_t)text.len;
	buf_put_str(&out, "before ");
	assert_int_equal(journal_event_load(journal_writer_bodies(rig.writer), &place, &out), RC_OK);
	assert_true(slice_eq(buf_slice(&out), SLICE("before the prefix and the cuts")));
	assert_int_equal(journal_event_load(journal_writer_bodies(rig.writer), &place, &small), RC_NOMEM);
	assert_int_equal(journal_event_load(journal_writer_bodies(rig.writer), &body, &out), RC_CORRUPT);
	place.position.segment = 9;
	assert_int_equal(journal_event_load(journal_writer_bodies(rig.writer), &place, &out), RC_NOTFOUND);
	place.position.segment = 1;
	memory_fail_after(0);
	assert_int_equal(journal_event_load(journal_writer_bodies(rig.writer), &place, &(struct buf){ .max = 100 }),
	                 RC_NOMEM);
	memory_fail_after(-1);
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), place.position.offset + JOURNAL_RECORD_HEAD_SIZE, 1));
	assert_int_equal(journal_event_load(journal_writer_bodies(rig.writer), &place, &out), RC_CORRUPT);
	assert_true(slice_eq(buf_slice(&out), SLICE("before the prefix and the cuts")));
	buf_done(&out);
	rig_close(&rig);
}

/* Bytes `needle` anywhere in the files of the journal? */
static enum rc look(void *context, const char *name)
{
	struct slice       needle = *(struct slice *)context;
	const struct slice file = slice_of(sim_disk_bytes(rig.sim, name), sim_disk_size(rig.sim, name));

	return file.len >= needle.len && slice_search(file, needle) != file.len ? RC_EXISTS : RC_OK;
}

static void segments_without_live_bodies_lose_their_bytes(void **state)
{
	(void)state;
	struct journal_place   places[12];
	struct journal_verdict verdict;

	begin(false);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(rig_write_body(&rig, slice_of(plain, 10000), "text", &places[i]), RC_OK);
	const uint64_t size = sim_disk_size(rig.sim, rig_segment(1));
	for (unsigned i = 0; i < 12; i++) {
		if (places[i].position.segment == 1)
			journal_bodies_drop(journal_writer_bodies(rig.writer), &places[i]);
	}
	journal_writer_step(rig.writer);
	assert_int_equal(journal_writer_statistics(rig.writer).compacted, 1);
	assert_true(sim_disk_size(rig.sim, rig_segment(1)) < size / 4);
	rig_stop(&rig);
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, NULL), RC_OK);
	assert_int_equal(verdict.compacted, 1);
	assert_int_equal(verdict.bodies + verdict.bodies_dropped, 12);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(rig.count, 12);
	rig_close(&rig);
}

static void a_lasting_body_keeps_only_its_own_bytes(void **state)
{
	(void)state;
	static const uint8_t   secret[] = "the words of a message that was dropped";
	static uint8_t         bytes[10000];
	struct slice           needle = slice_of(secret, sizeof secret - 1);
	struct journal_place   kept, place;
	struct journal_body   *body;
	struct journal_verdict verdict;

	begin(false);
	rig.limits.spare_segments = 0;
	memcpy(bytes + 3000, secret, sizeof secret);
	assert_int_equal(rig_write_body(&rig, slice_of(plain, 10000), "kept", &kept), RC_OK);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(rig_write_body(&rig, slice_of(bytes, sizeof bytes), "dropped", &place), RC_OK);
		journal_bodies_drop(journal_writer_bodies(rig.writer), &place);
	}
	journal_writer_step(rig.writer);
	assert_true(journal_writer_statistics(rig.writer).punched_bytes >= 30000);
	assert_int_equal(look(&needle, rig_segment(1)), RC_OK);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &kept, &body), RC_OK);
	assert_int_equal(journal_body_check(body), RC_OK);
	journal_body_close(&body);
	rig_stop(&rig);
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, NULL), RC_OK);
	assert_true(verdict.bodies_dropped >= 3);
	/* The kept one is still checked. */
	assert_true(sim_disk_flip(rig.sim, rig_segment(1), kept.position.offset + JOURNAL_RECORD_HEAD_SIZE, 1));
	assert_int_equal(journal_verify(rig.disk, NULL, NULL, &verdict, NULL), RC_CORRUPT);
	assert_int_equal(verdict.bad.seq, kept.position.seq);
	rig_close(&rig);
}

/* After a start only claimed bodies are kept. */
static void claims_after_a_start_decide(void **state)
{
	(void)state;
	struct journal_place places[12];
	struct journal_body *body;

	begin(false);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(rig_write_body(&rig, slice_of(plain, 10000), "text", &places[i]), RC_OK);
	assert_int_equal(rig_start(&rig), RC_OK);
	assert_int_equal(journal_bodies_claim(journal_writer_bodies(rig.writer), &places[11]), RC_OK);
	assert_int_equal(journal_bodies_claim(journal_writer_bodies(rig.writer), &places[3]), RC_OK);
	assert_int_equal(journal_bodies_claim(journal_writer_bodies(rig.writer), &places[1]), RC_OK);
	journal_writer_step(rig.writer);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &places[0], &body), RC_NOTFOUND);
	for (unsigned i = 1; i < 12; i += i == 1 ? 2 : 8) {
		assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &places[i], &body), RC_OK);
		assert_int_equal(journal_body_check(body), RC_OK);
		journal_body_close(&body);
	}
	rig_close(&rig);
}

static void a_body_may_be_closed_after_the_writer(void **state)
{
	(void)state;
	struct journal_place place;
	struct journal_body *one, *other;

	begin(false);
	assert_int_equal(rig_write_body(&rig, slice_of(plain, 10000), "text", &place), RC_OK);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &one), RC_OK);
	assert_int_equal(journal_body_open(journal_writer_bodies(rig.writer), &place, &other), RC_OK);
	journal_writer_close(&rig.writer);
	journal_body_close(&one);
	journal_body_close(&other);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_may_be_closed_after_the_writer),
		cmocka_unit_test(a_body_reads_in_any_slices),
		cmocka_unit_test(a_compressed_body_reads_the_same),
		cmocka_unit_test(an_empty_body_is_a_body),
		cmocka_unit_test(a_place_that_names_no_live_body_is_refused),
		cmocka_unit_test(an_event_loads_from_its_place_or_not_at_all),
		cmocka_unit_test(segments_without_live_bodies_lose_their_bytes),
		cmocka_unit_test(a_lasting_body_keeps_only_its_own_bytes),
		cmocka_unit_test(claims_after_a_start_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
