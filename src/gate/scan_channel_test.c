/* The frames by which gate and a scanner meet: what is written is read again, what is cut or contradicts itself is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gate/scan_channel.h"

static void an_attach_frame_comes_back(void **state)
{
	(void)state;
	for (size_t channels = 0; channels <= SCAN_CHANNELS_MAX + 1; channels++) {
		struct buf frame = buf_make(SCAN_ATTACH_BYTES);
		size_t     count = 0;
		scan_attach_put(&frame, channels);
		const bool lawful = channels >= 1 && channels <= SCAN_CHANNELS_MAX;
		assert_int_equal(scan_attach_read(buf_slice(&frame), channels + 1, &count), lawful ? RC_OK : RC_SYNTAX);
		assert_int_equal(count, lawful ? channels : 0);
		assert_int_equal(scan_attach_read(buf_slice(&frame), channels, &count), RC_SYNTAX);
		assert_int_equal(scan_attach_read(buf_slice(&frame), channels + 2, &count), RC_SYNTAX);
		for (size_t size = 0; size < frame.len; size++)
			assert_int_equal(scan_attach_read(slice_take(buf_slice(&frame), size), channels + 1, &count), RC_SYNTAX);
		buf_done(&frame);
	}
}

static struct scan_request a_request(void)
{
	return (struct scan_request){ .id = 7, .message_bytes = 12, .deadline_ms = 500,
		                      .options = { .depth = SCAN_DEPTH_STRUCTURE, .limits = SCAN_LIMITS_STANDARD, .own_name = SLICE("mx.example") } };
}

static void a_parcel_comes_back(void **state)
{
	const struct scan_request request = a_request();
	struct scan_request       again;
	struct buf                parcel = buf_make(SCAN_PARCEL_MAX);
	struct slice              asked, message;

	(void)state;
	assert_int_equal(scan_parcel_put(&request, &parcel), RC_OK);
	const size_t bare = parcel.len;
	buf_put_str(&parcel, "Subject: x\r\n");
	assert_int_equal(scan_parcel_read(buf_slice(&parcel), 0, &asked, &message), RC_OK);
	assert_true(slice_eq(message, SLICE("Subject: x\r\n")));
	assert_int_equal(scan_request_decode(asked, &again, NULL), RC_OK);
	assert_int_equal(again.id, 7);
	assert_true(slice_eq(again.options.own_name, SLICE("mx.example")));
	/* With a slab beside it there is no message in it; without one there may be none, too: that is for the size to tell. */
	assert_int_equal(scan_parcel_read(buf_slice(&parcel), 1, &asked, &message), RC_SYNTAX);
	assert_int_equal(scan_parcel_read(slice_take(buf_slice(&parcel), bare), 1, &asked, &message), RC_OK);
	assert_int_equal(message.len, 0);
	assert_int_equal(scan_parcel_read(slice_take(buf_slice(&parcel), bare), 2, &asked, &message), RC_SYNTAX);
	assert_int_equal(scan_parcel_read(slice_take(buf_slice(&parcel), bare), 0, &asked, &message), RC_OK);
	assert_int_equal(message.len, 0);
	for (size_t size = 0; size < bare; size++)
		assert_int_equal(scan_parcel_read(slice_take(buf_slice(&parcel), size), 0, &asked, &message), RC_SYNTAX);
	buf_done(&parcel);
}

static void a_length_beyond_the_parcel_is_refused(void **state)
{
	static const uint8_t rows[][6] = { { 3, 0, 0, 0, 'a', 'b' }, { 0xff, 0xff, 0xff, 0xff, 'a', 'b' }, { 0, 0, 0, 0x80, 'a', 'b' } };
	struct slice         asked, message;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(scan_parcel_read(slice_of(rows[i], sizeof rows[i]), 0, &asked, &message), RC_SYNTAX);
}

static void what_no_scanner_takes_is_not_wrapped(void **state)
{
	struct scan_request request = a_request();
	struct buf          parcel = buf_make(SCAN_PARCEL_MAX), narrow = buf_make(SCAN_PARCEL_HEAD + 10);

	(void)state;
	assert_int_equal(scan_parcel_put(&request, &narrow), RC_OK);
	assert_true(narrow.failed);
	request.message_bytes = SCAN_MESSAGE_MAX + 1ull;
	assert_int_equal(scan_parcel_put(&request, &parcel), RC_LIMIT);
	buf_done(&parcel);
	buf_done(&narrow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attach_frame_comes_back),
		cmocka_unit_test(a_parcel_comes_back),
		cmocka_unit_test(a_length_beyond_the_parcel_is_refused),
		cmocka_unit_test(what_no_scanner_takes_is_not_wrapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
