/* Events go in as journal records, traces come out; the same records twice change nothing; a store knows its own mark. */
#include "records/project.h"
#include "records/trace_wire.h"

#include "base/memory.h"
#include "base/must.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define PATH "records-test.db"
#define ID(ms, n) (((uint64_t)(ms) << 20) | (n))

static uint64_t next_seq;

static void apply(struct store *store, uint16_t type, const struct buf *payload)
{
	uint8_t                     memory[65536];
	struct arena                arena = arena_on(memory, sizeof memory);
	uint64_t                    skipped = 0;
	const struct journal_record record = { .type = type, .place = { .position = { .seq = ++next_seq } },
		                               .payload = buf_slice(payload) };

	assert_int_equal(project_record(store, &record, &arena, &skipped), RC_OK);
	assert_int_equal(skipped, 0);
}

static void add_message(struct store *store, uint64_t id, const char *sender, const char *to, const char *message_id)
{
	struct buf                   payload = buf_make(65536);
	const struct event_recipient recipients[] = { { .address = slice_str(to) },
		                                      { .address = SLICE("held@example.com"), .disposition = DISPOSITION_HOLD,
		                                        .reason = SLICE("content.eicar") } };
	const struct event_message message = { .id = id, .session = id - 1, .received_ms = event_id_time_ms(id), .body_size = 10,
		                               .header_size = 5, .sender = slice_str(sender), .message_id = slice_str(message_id),
		                               .subject = SLICE("' OR 1=1 --"), .verdict = SLICE("clean"), .recipients = recipients,
		                               .recipient_count = 2 };

	event_message_put(&payload, &message);
	apply(store, EVENT_MESSAGE, &payload);
	buf_done(&payload);
}

static void add_outcome(struct store *store, uint64_t id, enum event_result result)
{
	struct buf                          payload = buf_make(65536);
	const struct event_recipient_result results[] = { { .recipient = 0, .result = result, .code = 250, .text = SLICE("taken") } };
	const struct event_outcome          outcome = { .message = id, .at_ms = event_id_time_ms(id) + 5, .host = SLICE("mx.example.com"),
		                                        .results = results, .result_count = 1 };

	event_outcome_put(&payload, &outcome);
	apply(store, EVENT_OUTCOME, &payload);
	buf_done(&payload);
}

struct seen {
	size_t   count;
	uint64_t ids[10];
	char     state[2][20];
	size_t   steps;
};

static void see(void *context, const struct store_trace *trace)
{
	struct seen *seen = context;

	must(seen->count < 10);
	seen->ids[seen->count++] = trace->message.id;
	seen->steps = trace->step_count;
	for (size_t i = 0; i < 2 && i < trace->recipient_count; i++)
		(void)slice_to_cstr(trace->recipients[i].state, seen->state[i], sizeof seen->state[i]);
}

static struct seen ask(struct store *store, struct store_filter filter)
{
	struct arena arena;
	struct seen  seen = { .count = 0 };

	must(arena_init(&arena, TRACE_ARENA_BYTES) == RC_OK);
	if (filter.limit == 0)
		filter.limit = 10;
	assert_int_equal(store->calls->trace(store, &filter, &arena, see, &seen), RC_OK);
	arena_done(&arena);
	return seen;
}

static struct store *fresh_store(void)
{
	struct store *store;

	(void)unlink(PATH);
	(void)unlink(PATH "-wal");
	next_seq = 0;
	assert_int_equal(store_sqlite_open(PATH, NULL, &store), RC_OK);
	return store;
}

static void a_certificate_is_told_with_its_session(void **state)
{
	(void)state;
	struct store                  *store = fresh_store();
	const uint64_t                 first = ID(1700000000000, 2), other = ID(1700000001000, 2);
	const struct journal_mark      mark = { .position = { 1, 5000, 9 }, .epoch = 1 };
	struct buf                     payload = buf_make(65536);
	const struct event_certificate certificate = { .session = first - 1, .at_ms = 1699999999000, .subject = SLICE("CN=a"),
		                                       .issuer = SLICE("CN=b"), .why = SLICE("expired") };
	const struct event_certificate nobodys = { .subject = SLICE("CN=of no session") };

	assert_int_equal(store->calls->begin(store), RC_OK);
	event_certificate_put(&payload, &certificate);
	apply(store, EVENT_CERTIFICATE, &payload);
	buf_clear(&payload);
	event_certificate_put(&payload, &nobodys);
	apply(store, EVENT_CERTIFICATE, &payload);
	add_message(store, first, "a@example.org", "b@example.com", "<one@x>");
	add_message(store, other, "a@example.org", "b@example.com", "<two@x>");
	assert_int_equal(store->calls->commit(store, &mark), RC_OK);
	assert_int_equal(ask(store, (struct store_filter){ .message = first }).steps, 1);
	assert_int_equal(ask(store, (struct store_filter){ .message = other }).steps, 0);
	buf_done(&payload);
	store_close(&store);
}

static void a_message_is_found_by_all_it_is_known_by(void **state)
{
	(void)state;
	struct store             *store = fresh_store();
	const uint64_t            first = ID(1700000000000, 1), second = ID(1700000001000, 2);
	const struct journal_mark mark = { .position = { 1, 5000, 9 }, .epoch = 1 };

	assert_int_equal(store->calls->begin(store), RC_OK);
	add_message(store, first, "Anna@Example.org", "bob@example.com", "<one@x>");
	add_message(store, second, "", "Carol@Example.com", "<two@x>");
	add_outcome(store, first, RESULT_DELIVERED);
	assert_int_equal(store->calls->commit(store, &mark), RC_OK);

	struct seen seen = ask(store, (struct store_filter){ .message = first });
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.state[0], "delivered");
	assert_string_equal(seen.state[1], "held");
	assert_int_equal(seen.steps, 1);
	assert_int_equal(ask(store, (struct store_filter){ .address = SLICE("anna@example.ORG") }).count, 1);
	assert_int_equal(ask(store, (struct store_filter){ .address = SLICE("carol@example.com") }).ids[0] == second, 1);
	assert_int_equal(ask(store, (struct store_filter){ .address = SLICE("held@example.com") }).count, 2);
	assert_int_equal(ask(store, (struct store_filter){ .address = SLICE("nobody@example.com") }).count, 0);
	assert_int_equal(ask(store, (struct store_filter){ .message_id = SLICE("<two@x>") }).count, 1);
	assert_int_equal(ask(store, (struct store_filter){ .message_id = SLICE("two@x") }).count, 1);
	assert_int_equal(ask(store, (struct store_filter){ .message_id = SLICE("three@x") }).count, 0);
	assert_int_equal(ask(store, (struct store_filter){ .session = first - 1 }).count, 1);
	/* Newest first, and the bounds of time are from (in) and until (out). */
	seen = ask(store, (struct store_filter){ .limit = 10 });
	assert_int_equal(seen.count, 2);
	assert_true(seen.ids[0] == second);
	assert_int_equal(ask(store, (struct store_filter){ .from_ms = 1700000001000 }).count, 1);
	assert_int_equal(ask(store, (struct store_filter){ .until_ms = 1700000001000 }).count, 1);
	assert_int_equal(ask(store, (struct store_filter){ .from_ms = 1700000001001 }).count, 0);
	assert_int_equal(ask(store, (struct store_filter){ .limit = 1 }).count, 1);
	assert_true(ask(store, (struct store_filter){ .before = second }).ids[0] == first);
	store_close(&store);
}

static void the_mark_survives_and_an_abort_does_not(void **state)
{
	(void)state;
	struct store             *store = fresh_store();
	const struct journal_mark mark = { .position = { 3, 4096, 77 }, .epoch = 2 };
	struct journal_mark       got;

	assert_int_equal(store->calls->mark(store, &got), RC_OK);
	assert_int_equal(got.position.seq, 0);
	assert_int_equal(store->calls->begin(store), RC_OK);
	add_message(store, ID(1700000000000, 1), "a@x", "b@x", "");
	assert_int_equal(store->calls->commit(store, &mark), RC_OK);
	assert_int_equal(store->calls->begin(store), RC_OK);
	add_message(store, ID(1700000000000, 2), "a@x", "b@x", "");
	store->calls->abort(store);
	store_close(&store);
	assert_int_equal(store_sqlite_open(PATH, NULL, &store), RC_OK);
	assert_int_equal(store->calls->mark(store, &got), RC_OK);
	assert_int_equal(got.position.seq, 77);
	assert_int_equal(got.epoch, 2);
	assert_int_equal(ask(store, (struct store_filter){ .address = SLICE("a@x") }).count, 1);
	store_close(&store);
}

static void a_damaged_store_is_told(void **state)
{
	(void)state;
	struct store *store = fresh_store();

	store_close(&store);
	assert_int_equal(truncate(PATH, 100), 0);
	assert_int_equal(store_sqlite_open(PATH, NULL, &store), RC_CORRUPT);
	(void)unlink(PATH);
}

static void an_unreadable_record_is_passed_over(void **state)
{
	(void)state;
	struct store               *store = fresh_store();
	uint8_t                     memory[4096];
	struct arena                arena = arena_on(memory, sizeof memory);
	uint64_t                    skipped = 0;
	const struct journal_record record = { .type = EVENT_MESSAGE, .payload = SLICE("\x63garbage") };

	assert_int_equal(project_record(store, &record, &arena, &skipped), RC_OK);
	assert_int_equal(skipped, 1);
	store_close(&store);
	(void)unlink(PATH);
}

/* A store in front of another one that is short of memory at its n-th call. */
static struct {
	struct store       face;
	struct store      *behind;
	unsigned           left;
} poor;

static bool is_out(void)
{
	return poor.left == 0 || --poor.left == 0;
}

static enum rc poor_message(struct store *store, const struct event_message *message)
{
	(void)store;
	return is_out() ? RC_NOMEM : poor.behind->calls->message(poor.behind, message);
}

static enum rc poor_recipient(struct store *store, uint64_t message, const struct store_recipient *recipient, bool fresh)
{
	(void)store;
	return is_out() ? RC_NOMEM : poor.behind->calls->recipient(poor.behind, message, recipient, fresh);
}

static enum rc poor_step(struct store *store, const struct store_step *step)
{
	(void)store;
	return is_out() ? RC_NOMEM : poor.behind->calls->step(poor.behind, step);
}

static enum rc poor_refusal(struct store *store, uint64_t seq, const struct event_refused *refused)
{
	(void)store;
	return is_out() ? RC_NOMEM : poor.behind->calls->refusal(poor.behind, seq, refused);
}

/* Every row in turn meets a store without memory: the record is not taken for unreadable, and is whole when it is read again. */
static void a_store_without_memory_loses_no_row(void **state)
{
	static const struct store_calls calls = { .message = poor_message, .recipient = poor_recipient, .step = poor_step,
		                                  .refusal = poor_refusal };
	const uint64_t             id = ID(1700000000000, 1);
	const struct event_recipient recipients[] = { { .address = SLICE("b@x") }, { .address = SLICE("c@x") } };
	const struct event_message message = { .id = id, .body_size = 10, .header_size = 5, .sender = SLICE("a@x"), .recipients = recipients,
		                               .recipient_count = 2 };
	struct buf                 payload = buf_make(65536);
	uint8_t                    memory[65536];
	(void)state;

	event_message_put(&payload, &message);
	poor.face.calls = &calls;
	poor.behind = fresh_store();
	for (unsigned nth = 1; nth < 100; nth++) {
		struct arena                arena = arena_on(memory, sizeof memory);
		uint64_t                    skipped = 0;
		const struct journal_record record = { .type = EVENT_MESSAGE, .payload = buf_slice(&payload) };

		poor.left = nth;
		assert_int_equal(poor.behind->calls->begin(poor.behind), RC_OK);
		const enum rc rc = project_record(&poor.face, &record, &arena, &skipped);
		assert_int_equal(skipped, 0);
		if (rc == RC_OK) {
			assert_int_equal(nth, 4);
			assert_int_equal(poor.behind->calls->commit(poor.behind, &(struct journal_mark){ .epoch = 1 }), RC_OK);
			break;
		}
		assert_int_equal(rc, RC_NOMEM);
		poor.behind->calls->abort(poor.behind);
	}
	assert_int_equal(ask(poor.behind, (struct store_filter){ .address = SLICE("c@x") }).count, 1);
	store_close(&poor.behind);
	buf_done(&payload);
	(void)unlink(PATH);
}

static void a_mark_that_cannot_be_written_is_told(void **state)
{
	(void)state;
	struct store             *store = fresh_store();
	const struct journal_mark mark = { .position = { 3, 4096, 77 }, .epoch = 2 };
	struct journal_mark       got;

	assert_int_equal(store->calls->begin(store), RC_OK);
	memory_fail_after(0);
	const enum rc rc = store->calls->commit(store, &mark);
	memory_fail_after(-1);
	assert_int_equal(rc, RC_NOMEM);
	store->calls->abort(store);
	assert_int_equal(store->calls->mark(store, &got), RC_OK);
	assert_int_equal(got.position.seq, 0);
	store_close(&store);
	(void)unlink(PATH);
}

static void questions_and_answers_survive_the_wire(void **state)
{
	(void)state;
	struct buf                frame = buf_make(TRACE_FRAME_MAX);
	const struct store_filter filter = { .address = SLICE("a@b"), .from_ms = 5, .limit = 7 };
	struct store_filter       got;
	enum trace_question       what;

	trace_question_put(&frame, TRACE_ASK_REFUSALS, &filter);
	assert_int_equal(trace_question_read(buf_slice(&frame), &what, &got), RC_OK);
	assert_int_equal(what, TRACE_ASK_REFUSALS);
	assert_int_equal(got.limit, 7);
	for (size_t size = 0; size < frame.len; size++)
		assert_int_equal(trace_question_read(slice_take(buf_slice(&frame), size), &what, &got), RC_SYNTAX);

	struct store_recipient recipients[STORE_RECIPIENTS_SHOWN];
	struct arena           arena;
	struct trace_answer    answer;
	for (size_t i = 0; i < STORE_RECIPIENTS_SHOWN; i++)
		recipients[i] = (struct store_recipient){ .index = (uint32_t)i, .address = SLICE("somebody.with.a.long.name@example.com"),
			                                  .state = SLICE("queued") };
	const struct store_trace trace = { .message = { .id = 5 }, .recipients = recipients, .recipient_count = STORE_RECIPIENTS_SHOWN };
	trace_message_put(&frame, &trace);
	assert_false(frame.failed);
	assert_true(frame.len <= TRACE_FRAME_MAX);
	must(arena_init(&arena, TRACE_ARENA_BYTES) == RC_OK);
	assert_int_equal(trace_answer_read(buf_slice(&frame), &arena, &answer), RC_OK);
	assert_int_equal(answer.trace.message.recipient_count, STORE_RECIPIENTS_SHOWN);
	assert_true(answer.trace.recipient_count > 300 && answer.trace.recipient_count < STORE_RECIPIENTS_SHOWN);
	for (size_t size = 0; size < frame.len; size += 97) {
		arena_reset(&arena);
		assert_int_not_equal(trace_answer_read(slice_take(buf_slice(&frame), size), &arena, &answer), RC_OK);
	}
	arena_done(&arena);
	buf_done(&frame);
}

static void a_question_has_a_limit_that_is_bounded(void **state)
{
	static const struct {
		uint32_t limit;
		enum rc  rc;
	} rows[] = {
		{ 0, RC_LIMIT },
		{ 1, RC_OK },
		{ STORE_LIMIT_MAX - 1, RC_OK },
		{ STORE_LIMIT_MAX, RC_OK },
		{ STORE_LIMIT_MAX + 1, RC_LIMIT },
		{ UINT32_MAX, RC_LIMIT },
	};
	struct buf frame = buf_make(TRACE_FRAME_MAX);
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct store_filter filter = { .limit = rows[i].limit };
		struct store_filter       got = { .limit = 0 };
		enum trace_question       what;

		buf_clear(&frame);
		trace_question_put(&frame, TRACE_ASK_MESSAGES, &filter);
		assert_int_equal(trace_question_read(buf_slice(&frame), &what, &got), rows[i].rc);
		if (rows[i].rc == RC_OK)
			assert_int_equal(got.limit, rows[i].limit);
	}
	buf_done(&frame);
}

static void count_them(void *context, const struct store_trace *trace)
{
	(void)trace;
	++*(uint32_t *)context;
}

/* As many are found as were asked for, to the largest number that may be asked for, in a store that has one more. */
static void as_many_are_found_as_were_asked_for(void **state)
{
	const struct journal_mark mark = { .position = { 1, 5000, 9 }, .epoch = 1 };
	struct store             *store = fresh_store();
	struct arena              arena;
	(void)state;

	must(arena_init(&arena, TRACE_ARENA_BYTES) == RC_OK);
	assert_int_equal(store->calls->begin(store), RC_OK);
	for (uint32_t i = 0; i < STORE_LIMIT_MAX + 1; i++)
		add_message(store, ID(1700000000000 + i, 1), "a@example.org", "b@example.com", "<one@x>");
	assert_int_equal(store->calls->commit(store, &mark), RC_OK);
	for (uint32_t limit = STORE_LIMIT_MAX - 1; limit <= STORE_LIMIT_MAX; limit++) {
		const struct store_filter filter = { .limit = limit };
		uint32_t                  found = 0;

		assert_int_equal(store->calls->trace(store, &filter, &arena, count_them, &found), RC_OK);
		assert_int_equal(found, limit);
	}
	arena_done(&arena);
	store_close(&store);
	(void)unlink(PATH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_told_with_its_session),
		cmocka_unit_test(a_message_is_found_by_all_it_is_known_by),
		cmocka_unit_test(the_mark_survives_and_an_abort_does_not),
		cmocka_unit_test(a_damaged_store_is_told),
		cmocka_unit_test(an_unreadable_record_is_passed_over),
		cmocka_unit_test(a_store_without_memory_loses_no_row),
		cmocka_unit_test(a_mark_that_cannot_be_written_is_told),
		cmocka_unit_test(questions_and_answers_survive_the_wire),
		cmocka_unit_test(a_question_has_a_limit_that_is_bounded),
		cmocka_unit_test(as_many_are_found_as_were_asked_for),
	};
	char folder[] = "/tmp/hangu-records-XXXXXX";

	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		return 1;
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(PATH);
	(void)unlink(PATH "-wal");
	return chdir("/") != 0 || rmdir(folder) != 0 ? 1 : failed;
}
