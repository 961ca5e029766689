/* Tests of gate/queue_wire: what is written is read again; whatever is cut or changed is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "deliver/queue_wire.h"

static struct queue_wire_request full_request(void)
{
	return (struct queue_wire_request){ .kind = QUEUE_WIRE_ACT, .verb = VERB_REROUTE, .max = 7, .after = 9, .route = SLICE("backup"),
		                            .reason = SLICE("moved"), .filter = { .id = 5, .states = 3, .destination = SLICE("r/b"), .domain = SLICE("b"),
		                                                                   .recipient = SLICE("a@b"), .sender = SLICE("<>"), .cause = SLICE("451"),
		                                                                   .older_ms = 1, .younger_ms = 2, .quarantined = true } };
}

static void a_request_comes_back(void **state)
{
	struct queue_wire_request request = full_request(), read;
	struct buf bytes = buf_make(QUEUE_WIRE_REQUEST_MAX);

	(void)state;
	queue_wire_request_put(&bytes, &request);
	assert_int_equal(queue_wire_request_read(buf_slice(&bytes), &read), RC_OK);
	assert_int_equal(read.kind, QUEUE_WIRE_ACT);
	assert_int_equal(read.verb, VERB_REROUTE);
	assert_int_equal(read.max, 7);
	assert_int_equal(read.filter.older_ms, 1);
	assert_true(read.filter.quarantined);
	assert_true(slice_eq(read.filter.cause, SLICE("451")));
	assert_true(slice_eq(read.route, SLICE("backup")));
	assert_true(slice_eq(read.reason, SLICE("moved")));
	for (size_t size = 0; size < bytes.len; size++)
		assert_int_equal(queue_wire_request_read(slice_take(buf_slice(&bytes), size), &read), RC_SYNTAX);
	buf_put_byte(&bytes, 0);
	assert_int_equal(queue_wire_request_read(buf_slice(&bytes), &read), RC_SYNTAX);
	buf_done(&bytes);
}

static void odd_requests_are_refused(void **state)
{
	struct queue_wire_request rows[6], read;
	static const char *const names[] = { "no rows wanted", "too many rows wanted", "unknown state", "unknown verb", "unknown kind", "long text" };
	static uint8_t many[QUEUE_WIRE_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		rows[i] = full_request();
	rows[0].max = 0;
	rows[1].max = QUEUE_WIRE_ROWS_MAX + 1;
	rows[2].filter.states = 1u << QUEUE_STATE_COUNT;
	rows[3].verb = VERB_COUNT;
	rows[4].kind = QUEUE_WIRE_KIND_COUNT;
	rows[5].reason = slice_of(many, sizeof(many));
	for (size_t i = 0; i < 6; i++) {
		struct buf bytes = buf_make(QUEUE_WIRE_REQUEST_MAX);
		enum rc rc;

		queue_wire_request_put(&bytes, &rows[i]);
		rc = queue_wire_request_read(buf_slice(&bytes), &read);
		if (rc != RC_SYNTAX)
			print_error("row \"%s\": %s\n", names[i], rc_word(rc));
		assert_int_equal(rc, RC_SYNTAX);
		bytes.ptr[0] = 2;
		assert_int_equal(queue_wire_request_read(buf_slice(&bytes), &read), RC_UNSUPPORTED);
		buf_done(&bytes);
	}
}

static void an_answer_comes_back(void **state)
{
	struct queue_wire_answer answer = { .kind = QUEUE_WIRE_LIST, .matched = 2, .changed = 1, .busy = 3 }, read;
	struct queue_wire_row row = { .id = 1, .state = QUEUE_HELD, .attempts = 2, .code = 451, .due_ms = 5, .address = SLICE("a@b"), .text = SLICE("why") };
	struct arena arena;
	struct buf bytes = buf_make(QUEUE_WIRE_ANSWER_MAX + 4096);
	uint32_t count = 0;

	(void)state;
	assert_int_equal(arena_init(&arena, 1u << 20), RC_OK);
	queue_wire_answer_put(&bytes, &answer);
	for (; count < 3; count++)
		assert_true(queue_wire_row_put(&bytes, &row));
	queue_wire_answer_end(&bytes, 77, 9, count);
	assert_int_equal(queue_wire_answer_read(buf_slice(&bytes), &arena, &read), RC_OK);
	assert_int_equal(read.count, 3);
	assert_int_equal(read.after, 77);
	assert_int_equal(read.matched, 9);
	assert_int_equal(read.busy, 3);
	assert_true(slice_eq(read.rows[2].address, SLICE("a@b")));
	assert_int_equal(read.rows[1].state, QUEUE_HELD);
	for (size_t size = 0; size < bytes.len; size++) {
		arena_reset(&arena);
		assert_int_not_equal(queue_wire_answer_read(slice_take(buf_slice(&bytes), size), &arena, &read), RC_OK);
	}
	/* A page is full before it is too large. */
	while (queue_wire_row_put(&bytes, &row))
		count++;
	assert_true(bytes.len <= QUEUE_WIRE_ANSWER_MAX);
	assert_false(bytes.failed);
	buf_done(&bytes);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_comes_back),
		cmocka_unit_test(odd_requests_are_refused),
		cmocka_unit_test(an_answer_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
