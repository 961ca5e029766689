/* Tests of the second engine's frames: there and back, bounds of each text, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "antivirus/wire.h"

static void a_request_goes_there_and_back(void **state)
{
	static uint8_t name[AV_NAME_MAX + 1];

	(void)state;
	memset(name, 0xe9, sizeof name);
	for (size_t size = 0; size <= AV_NAME_MAX + 1; size += size == 0 ? AV_NAME_MAX - 1 : 1) {
		const struct av_request request = { .id = 77, .bytes = AV_BYTES_MAX, .name = { name, size } };
		struct buf              frame = buf_make(AV_FRAME_MAX);
		struct av_request       read;

		av_request_put(&request, &frame);
		assert_false(frame.failed);
		assert_int_equal(av_request_read(buf_slice(&frame), &read), RC_OK);
		assert_int_equal(read.id, 77);
		assert_true(read.bytes == AV_BYTES_MAX);
		assert_true(slice_eq(read.name, slice_of(name, size < AV_NAME_MAX ? size : AV_NAME_MAX)));
		for (size_t cut = 0; cut < frame.len; cut++)
			assert_int_equal(av_request_read(slice_take(buf_slice(&frame), cut), &read), RC_SYNTAX);
		buf_put_byte(&frame, 0);
		assert_int_equal(av_request_read(buf_slice(&frame), &read), RC_SYNTAX);
		buf_done(&frame);
	}
}

static void sizes_have_a_bound(void **state)
{
	(void)state;
	for (uint64_t bytes = AV_BYTES_MAX - 1; bytes <= AV_BYTES_MAX + 1; bytes++) {
		struct buf        frame = buf_make(AV_FRAME_MAX);
		struct av_request read;

		av_request_put(&(struct av_request){ .bytes = bytes }, &frame);
		assert_int_equal(av_request_read(buf_slice(&frame), &read), bytes <= AV_BYTES_MAX ? RC_OK : RC_LIMIT);
		buf_done(&frame);
	}
}

static void an_answer_goes_there_and_back(void **state)
{
	(void)state;
	for (int result = 0; result < AV_RESULTS; result++) {
		const struct av_answer answer = { .id = 5, .result = (enum av_result)result, .signature = SLICE("Win.Test\n\xff"),
			                          .engine = SLICE("ClamAV 1.4"), .database = 27000, .database_s = 1700000000, .signature_count = 9 };
		struct buf             frame = buf_make(AV_FRAME_MAX);
		struct av_answer       read;

		av_answer_put(&answer, &frame);
		assert_int_equal(av_answer_read(buf_slice(&frame), &read), RC_OK);
		assert_int_equal(read.id, 5);
		assert_int_equal(read.result, result);
		assert_true(slice_eq(read.signature, result == AV_FOUND ? SLICE("Win.Test??") : SLICE("")));
		assert_true(slice_eq(read.engine, SLICE("ClamAV 1.4")));
		assert_int_equal(read.database, 27000);
		assert_true(read.database_s == 1700000000);
		assert_int_equal(read.signature_count, 9);
		for (size_t cut = 0; cut < frame.len; cut++)
			assert_int_equal(av_answer_read(slice_take(buf_slice(&frame), cut), &read), RC_SYNTAX);
		buf_done(&frame);
		assert_true(strlen(av_result_word((enum av_result)result)) > 2);
	}
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *name;
		size_t      at; /* of the byte that is changed in an answer that found "X" */
		uint8_t     to;
		enum rc     rc;
	} rows[] = {
		{ "another version", 0, 2, RC_UNSUPPORTED }, { "another kind", 1, 'Q', RC_SYNTAX },    { "no such result", 10, AV_RESULTS, RC_SYNTAX },
		{ "clean, with a name", 10, 0, RC_SYNTAX },  { "a longer name", 11, 200, RC_SYNTAX },  { "not printable", 15, 0x07, RC_SYNTAX },
		{ "nothing changed", 1, 'A', RC_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct av_answer answer = { .result = AV_FOUND, .signature = SLICE("X") };
		struct buf             frame = buf_make(AV_FRAME_MAX);
		struct av_answer       read;

		av_answer_put(&answer, &frame);
		frame.ptr[rows[i].at] = rows[i].to;
		if (av_answer_read(buf_slice(&frame), &read) != rows[i].rc)
			fail_msg("%s", rows[i].name);
		buf_done(&frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_there_and_back),
		cmocka_unit_test(sizes_have_a_bound),
		cmocka_unit_test(an_answer_goes_there_and_back),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
