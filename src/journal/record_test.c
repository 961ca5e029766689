/* Headers survive the way to bytes and back; every changed bit is refused; the chain does not see dropped bytes. */
#include "journal/record.h"

#include "base/cursor.h"
#include "journal/chain.h"
#include "journal/segment.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const uint8_t id[JOURNAL_ID_SIZE] = "a journal's id.";

static struct journal_head sample(void)
{
	return (struct journal_head){
		.type = 0x1234,
		.flags = JOURNAL_FLAG_LAST | JOURNAL_FLAG_BODY | JOURNAL_FLAG_COMPRESSED,
		.seq = 7,
		.time_ms = -5,
		.epoch = 3,
		.checksum = 0xdeadbeef,
		.bytes = 1000,
		.stored_bytes = 900,
		.synced = 6,
		.digest = { { 1, 2, 3 } },
		.chain = { { 4, 5, 6 } },
	};
}

static void a_header_comes_back_as_it_went(void **state)
{
	(void)state;
	const struct journal_head sent = sample();
	struct journal_head       got;
	uint8_t                   bytes[JOURNAL_RECORD_HEAD_SIZE];

	journal_head_encode(&sent, journal_seed(id, 9), bytes);
	assert_int_equal(journal_head_decode(slice_of(bytes, sizeof bytes), journal_seed(id, 9), &got), RC_OK);
	assert_int_equal(got.type, sent.type);
	assert_int_equal(got.flags, sent.flags);
	assert_int_equal(got.seq, 7);
	assert_int_equal(got.time_ms, -5);
	assert_int_equal(got.epoch, 3);
	assert_int_equal(got.checksum, 0xdeadbeef);
	assert_int_equal(got.bytes, 1000);
	assert_int_equal(got.stored_bytes, 900);
	assert_int_equal(got.synced, 6);
	assert_true(digest_eq(&got.digest, &sent.digest));
	assert_true(digest_eq(&got.chain, &sent.chain));
	assert_int_equal(journal_head_span(&got), 1024);
	got.flags |= JOURNAL_FLAG_DROPPED;
	assert_int_equal(journal_head_span(&got), 120);
}

static void every_changed_bit_is_refused(void **state)
{
	(void)state;
	const struct journal_head sent = sample();
	struct journal_head       got;
	uint8_t                   bytes[JOURNAL_RECORD_HEAD_SIZE];

	for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
		journal_head_encode(&sent, 1, bytes);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(journal_head_decode(slice_of(bytes, sizeof bytes), 1, &got), RC_CORRUPT);
	}
	for (size_t size = 0; size < sizeof bytes; size++)
		assert_int_equal(journal_head_decode(slice_of(bytes, size), 1, &got), RC_AGAIN);
}

static void a_header_is_good_in_its_own_segment_only(void **state)
{
	(void)state;
	static const uint8_t      other[JOURNAL_ID_SIZE] = "another journal";
	const struct journal_head sent = sample();
	struct journal_head       got;
	uint8_t                   bytes[JOURNAL_RECORD_HEAD_SIZE];

	journal_head_encode(&sent, journal_seed(id, 9), bytes);
	assert_int_equal(journal_head_decode(slice_of(bytes, sizeof bytes), journal_seed(id, 8), &got), RC_CORRUPT);
	assert_int_equal(journal_head_decode(slice_of(bytes, sizeof bytes), journal_seed(other, 9), &got), RC_CORRUPT);
	memset(bytes, 0, sizeof bytes);
	assert_int_equal(journal_head_decode(slice_of(bytes, sizeof bytes), journal_seed(id, 9), &got), RC_NOTFOUND);
}

static void unlawful_headers_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char         *name;
		struct journal_head head;
	} rows[] = {
		{ "seq 0", { .seq = 0 } },
		{ "durable before it was written", { .seq = 5, .synced = 5 } },
		{ "an event with a digest", { .seq = 5, .digest = { { 1 } } } },
		{ "an event that is compressed", { .seq = 5, .flags = JOURNAL_FLAG_COMPRESSED } },
		{ "an event that is dropped", { .seq = 5, .flags = JOURNAL_FLAG_DROPPED } },
		{ "an event of two sizes", { .seq = 5, .bytes = 5, .stored_bytes = 4 } },
		{ "an event over the bound",
		  { .seq = 5, .bytes = JOURNAL_EVENT_BYTES_MAX + 1, .stored_bytes = JOURNAL_EVENT_BYTES_MAX + 1 } },
		{ "a body over the bound",
		  { .seq = 5,
		    .flags = JOURNAL_FLAG_BODY,
		    .bytes = JOURNAL_BODY_BYTES_MAX + 1,
		    .stored_bytes = JOURNAL_BODY_BYTES_MAX + 1 } },
		{ "a body that grew",
		  { .seq = 5, .flags = JOURNAL_FLAG_BODY | JOURNAL_FLAG_COMPRESSED, .bytes = 5, .stored_bytes = 6 } },
		{ "a body of two sizes, not compressed",
		  { .seq = 5, .flags = JOURNAL_FLAG_BODY, .bytes = 5, .stored_bytes = 4 } },
		{ "a body of the journal's own", { .seq = 5, .flags = JOURNAL_FLAG_BODY, .type = JOURNAL_TYPE_OWN } },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t             bytes[JOURNAL_RECORD_HEAD_SIZE];
		struct journal_head got;
		journal_head_encode(&rows[i].head, 1, bytes);
		if (journal_head_decode(slice_of(bytes, sizeof bytes), 1, &got) != RC_SYNTAX)
			fail_msg("%s was taken", rows[i].name);
	}
}

static void a_later_version_is_named_as_such(void **state)
{
	(void)state;
	static const struct {
		size_t  at;
		uint8_t value;
	} rows[] = { { 6, 2 }, { 7, 0x10 }, { 112, 1 } };
	struct journal_head head = { .seq = 5 }, got;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t bytes[JOURNAL_RECORD_HEAD_SIZE];
		journal_head_encode(&head, 1, bytes);
		bytes[rows[i].at] = rows[i].value;
		journal_head_finish(bytes, 1, &head.chain);
		assert_int_equal(journal_head_decode(slice_of(bytes, sizeof bytes), 1, &got), RC_UNSUPPORTED);
	}
}

static void a_segment_header_comes_back_or_is_refused(void **state)
{
	(void)state;
	struct journal_segment_head sent = {
		.flags = JOURNAL_SEGMENT_FLAG_COMPACTED,
		.number = 5,
		.first_seq = 77,
		.size = 65536,
		.time_ms = 9,
		.epoch = 4,
		.chain = { { 9 } },
	};
	struct journal_segment_head got;
	uint8_t                     bytes[JOURNAL_SEGMENT_HEAD_SIZE];

	memcpy(sent.id, id, sizeof id);
	journal_segment_head_encode(&sent, bytes);
	assert_int_equal(journal_segment_head_decode(slice_of(bytes, JOURNAL_SEGMENT_HEAD_USED), &got), RC_OK);
	assert_int_equal(got.flags, sent.flags);
	assert_int_equal(got.number, 5);
	assert_int_equal(got.first_seq, 77);
	assert_int_equal(got.size, 65536);
	assert_int_equal(got.epoch, 4);
	assert_memory_equal(got.id, id, sizeof id);
	assert_int_equal(journal_segment_head_decode(slice_of(bytes, JOURNAL_SEGMENT_HEAD_USED - 1), &got), RC_AGAIN);
	for (size_t bit = 0; bit < JOURNAL_SEGMENT_HEAD_USED * 8u; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(journal_segment_head_decode(slice_of(bytes, sizeof bytes), &got), RC_CORRUPT);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void marks_and_places_come_back(void **state)
{
	(void)state;
	const struct journal_mark  mark = { { 3, 8192, 44 }, 2, { { 8 } } };
	const struct journal_place place = { { 3, 8192, 44 }, 100, 90 };
	struct buf                 bytes = buf_make(1000);

	journal_mark_put(&bytes, &mark);
	assert_int_equal(bytes.len, 64);
	journal_place_put(&bytes, &place);
	assert_int_equal(bytes.len, 96);
	struct cursor             cursor = cursor_on(buf_slice(&bytes));
	const struct journal_mark got = journal_mark_take(&cursor);
	assert_int_equal(got.position.seq, 44);
	assert_int_equal(got.epoch, 2);
	assert_true(digest_eq(&got.chain, &mark.chain));
	assert_int_equal(journal_place_take(&cursor).stored_bytes, 90);
	assert_true(cursor_ended(&cursor));
	for (size_t size = 0; size < bytes.len; size++) {
		cursor = cursor_on(slice_take(buf_slice(&bytes), size));
		(void)journal_mark_take(&cursor);
		(void)journal_place_take(&cursor);
		assert_true(cursor.failed);
	}
	buf_done(&bytes);
}

static void the_chain_covers_all_but_the_bytes_of_bodies(void **state)
{
	(void)state;
	const struct digest zero = { { 0 } };
	struct journal_head head = { .seq = 5, .bytes = 3, .stored_bytes = 3, .flags = JOURNAL_FLAG_LAST };
	const struct slice  abc = SLICE("abc"), a_bc[] = { SLICE_INIT("a"), SLICE_INIT("bc") }, abd = SLICE("abd");
	struct digest       one, other;
	uint8_t             bytes[JOURNAL_RECORD_HEAD_SIZE];

	assert_int_equal(digest_ready(), RC_OK);
	journal_head_encode(&head, 1, bytes);
	journal_chain_next(&zero, bytes, &abc, 1, &one);
	journal_chain_next(&zero, bytes, a_bc, 2, &other);
	assert_true(digest_eq(&one, &other));
	journal_chain_next(&zero, bytes, &abd, 1, &other);
	assert_false(digest_eq(&one, &other));
	journal_chain_next(&one, bytes, &abc, 1, &other);
	assert_false(digest_eq(&one, &other));

	/* A body: neither its bytes, nor the segment, nor that it was dropped. */
	head.flags |= JOURNAL_FLAG_BODY;
	journal_head_encode(&head, 1, bytes);
	journal_chain_next(&zero, bytes, &abc, 1, &one);
	head.flags |= JOURNAL_FLAG_DROPPED;
	journal_head_encode(&head, 2, bytes);
	journal_chain_next(&zero, bytes, NULL, 0, &other);
	assert_true(digest_eq(&one, &other));
	/* But its digest. */
	head.digest.bytes[0] = 1;
	journal_head_encode(&head, 2, bytes);
	journal_chain_next(&zero, bytes, NULL, 0, &other);
	assert_false(digest_eq(&one, &other));
}

static void names_come_back_and_others_are_not_ours(void **state)
{
	(void)state;
	static const char *const others[] = { "lock",
		                              "",
		                              "1.segment",
		                              "00000000000000000001.segmen",
		                              "0000000000000000000x.segment",
		                              "99999999999999999999.segment",
		                              "00000000000000000001.segment.newer",
		                              "probe.new" };
	uint64_t                 number;

	for (unsigned kind = 0; kind < JOURNAL_NAME_OTHER; kind++) {
		const struct journal_file_name name = journal_name((enum journal_name)kind, 1234567890123);
		assert_int_equal(journal_name_read(name.text, &number), kind);
		assert_int_equal(number, 1234567890123);
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(journal_name_read(others[i], &number), JOURNAL_NAME_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_comes_back_as_it_went),
		cmocka_unit_test(every_changed_bit_is_refused),
		cmocka_unit_test(a_header_is_good_in_its_own_segment_only),
		cmocka_unit_test(unlawful_headers_are_refused),
		cmocka_unit_test(a_later_version_is_named_as_such),
		cmocka_unit_test(a_segment_header_comes_back_or_is_refused),
		cmocka_unit_test(marks_and_places_come_back),
		cmocka_unit_test(the_chain_covers_all_but_the_bytes_of_bodies),
		cmocka_unit_test(names_come_back_and_others_are_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
