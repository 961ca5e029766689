/* The scan channel: what goes in comes out, and nothing a taken-over scanner could send gets through. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/memory.h"
#include "scan/serve.h"

static const struct slice message = SLICE_INIT(
	"X-Hangu-Class: clean\r\nFrom: a@b.example, c@d.example\r\nSubject: hi\r\nX-Y: z\rX-Hangu-Score: 1\r\n more\r\n"
	"Authentication-Results: (x) mx.hangu.example;\r\n\tspf=pass\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	"--b\r\nContent-Type: a/b; name=a.exe\r\n\r\nhi\r\n--b--\r\n");

static struct scan_request request_make(size_t size)
{
	return (struct scan_request){
		.id = 42,
		.message_bytes = size,
		.lane = SCAN_LANE_ALONE,
		.deadline_ms = 20000,
		.options = { .cut = SCAN_CUT_ALL,
		             .limits = SCAN_LIMITS_STANDARD,
		             .own_name = SLICE("mx.hangu.example"),
		             .authserv_id = SLICE("mx.hangu.example") },
	};
}

struct fixture {
	struct scan_request request;
	struct scan_server  server;
	struct arena        arena;
	struct arena        decoded;
	struct buf          frame;
	struct buf          answer;
};

static void fixture_open(struct fixture *fixture)
{
	*fixture = (struct fixture){ .request = request_make(message.len) };
	assert_int_equal(digest_ready(), RC_OK);
	assert_int_equal(arena_init(&fixture->arena, SCAN_ARENA_BYTES), RC_OK);
	assert_int_equal(arena_init(&fixture->decoded, 1 << 18), RC_OK);
	fixture->frame = buf_make(SCAN_FRAME_MAX);
	fixture->answer = buf_make(SCAN_FRAME_MAX);
	assert_int_equal(scan_request_encode(&fixture->request, &fixture->frame), RC_OK);
	assert_false(fixture->frame.failed);
	scan_serve_one(&fixture->server, buf_slice(&fixture->frame), message, &fixture->arena, &fixture->answer);
	assert_false(fixture->answer.failed);
}

static void fixture_close(struct fixture *fixture)
{
	arena_done(&fixture->arena);
	arena_done(&fixture->decoded);
	buf_done(&fixture->frame);
	buf_done(&fixture->answer);
}

static enum rc decode(struct fixture *fixture, struct slice answer, struct findings *out)
{
	enum scan_end end = SCAN_ENDS;
	struct fault  fault;

	arena_reset(&fixture->decoded);
	const enum rc rc = scan_answer_decode(answer, &fixture->request, &fixture->server.engine, message,
	                                      &fixture->decoded, &end, out, &fault);
	if (rc == RC_OK && end != SCAN_END_DONE)
		return RC_BUSY; /* told apart for the tests only */
	return rc;
}

static void test_request(void **state)
{
	struct buf          frame = buf_make(SCAN_FRAME_MAX);
	struct scan_request request = request_make(1000), read;
	uint64_t            id = 0;

	(void)state;
	assert_int_equal(scan_request_encode(&request, &frame), RC_OK);
	assert_int_equal(scan_request_decode(buf_slice(&frame), &read, &id), RC_OK);
	assert_int_equal(id, 42);
	assert_int_equal(read.message_bytes, 1000);
	assert_int_equal(read.lane, SCAN_LANE_ALONE);
	assert_int_equal(read.deadline_ms, 20000);
	/* All of the options: written again they give the same bytes. */
	struct buf again = buf_make(SCAN_FRAME_MAX);
	assert_int_equal(scan_request_encode(&read, &again), RC_OK);
	assert_true(slice_eq(buf_slice(&again), buf_slice(&frame)));
	buf_done(&again);
	assert_true(slice_eq(read.options.own_name, request.options.own_name));
	/* Every shorter frame, every longer one, and every byte changed to another value. */
	for (size_t cut = 0; cut < frame.len; cut++)
		assert_int_equal(scan_request_decode(slice_take(buf_slice(&frame), cut), &read, NULL), RC_SYNTAX);
	buf_put_byte(&frame, 0);
	assert_int_equal(scan_request_decode(buf_slice(&frame), &read, NULL), RC_SYNTAX);
	buf_truncate(&frame, frame.len - 1);
	for (size_t i = 0; i < frame.len; i++) {
		for (unsigned change = 1; change < 256; change *= 2) {
			frame.ptr[i] ^= (uint8_t)change;
			if (scan_request_decode(buf_slice(&frame), &read, NULL) == RC_OK)
				assert_int_equal(scan_options_check(&read.options), RC_OK);
			frame.ptr[i] ^= (uint8_t)change;
		}
	}
	frame.ptr[4] = 2;
	id = 0;
	assert_int_equal(scan_request_decode(buf_slice(&frame), &read, &id), RC_UNSUPPORTED);
	assert_int_equal(id, 42);
	request.options.limits.parts = 0;
	assert_int_equal(scan_request_encode(&request, &frame), RC_LIMIT);
	buf_done(&frame);
}

static void test_answer(void **state)
{
	struct fixture  fixture;
	struct findings findings, direct;
	uint64_t        id = 0;

	(void)state;
	fixture_open(&fixture);
	assert_int_equal(scan_answer_id(buf_slice(&fixture.answer), &id), RC_OK);
	assert_int_equal(id, 42);
	assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_OK);
	arena_reset(&fixture.arena);
	assert_int_equal(
		scan_message(message, &fixture.request.options, &fixture.server.engine, &fixture.arena, &direct),
		RC_OK);
	assert_int_equal(findings.count, direct.count);
	for (size_t i = 0; i < direct.count; i++) {
		assert_int_equal(findings.list[i].kind, direct.list[i].kind);
		assert_int_equal(findings.list[i].part, direct.list[i].part);
		assert_int_equal(findings.list[i].offset, direct.list[i].offset);
		assert_int_equal(findings.list[i].size, direct.list[i].size);
		assert_int_equal(findings.list[i].value, direct.list[i].value);
		assert_true(slice_eq(findings.list[i].evidence, direct.list[i].evidence));
	}
	assert_int_equal(findings.facts.author_count, 2);
	assert_true(slice_eq(findings.facts.authors[1], SLICE("c@d.example")));
	assert_true(slice_eq(findings.facts.subject, SLICE("hi")));
	assert_int_equal(findings.facts.cut_count, 3);
	assert_true(slice_eq(slice_cut(message, findings.facts.cuts[1].offset, findings.facts.cuts[1].size),
	                     SLICE("\rX-Hangu-Score: 1")));
	assert_int_equal(findings.facts.steps, direct.facts.steps);
	fixture_close(&fixture);
}

/* Every cut, every flipped bit: refused, or an answer within all bounds. */
static void test_damaged_answers(void **state)
{
	struct fixture  fixture;
	struct findings findings;
	size_t          accepted = 0;

	(void)state;
	fixture_open(&fixture);
	const struct slice answer = buf_slice(&fixture.answer);
	for (size_t cut = 0; cut < answer.len; cut++)
		assert_int_not_equal(decode(&fixture, slice_take(answer, cut), &findings), RC_OK);
	for (size_t i = 0; i < answer.len; i++) {
		for (unsigned change = 1; change < 256; change *= 2) {
			fixture.answer.ptr[i] ^= (uint8_t)change;
			if (decode(&fixture, answer, &findings) == RC_OK) {
				accepted++;
				for (size_t j = 0; j < findings.facts.cut_count; j++)
					assert_true(scan_cut_valid(message, &fixture.request.options,
					                           &findings.facts.cuts[j]));
				for (size_t j = 0; j < findings.count; j++)
					assert_true((size_t)findings.list[j].offset + findings.list[j].size <=
					            message.len);
			}
			fixture.answer.ptr[i] ^= (uint8_t)change;
		}
	}
	assert_true(accepted != 0); /* a changed piece of evidence is only that */
	assert_int_equal(decode(&fixture, answer, &findings), RC_OK);
	buf_put_byte(&fixture.answer, 0);
	assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_SYNTAX);
	fixture_close(&fixture);
}

/* A lie about what gate can see for itself. */
static void test_lies(void **state)
{
	struct fixture  fixture;
	struct findings findings, lie;
	struct buf      out = buf_make(SCAN_FRAME_MAX);

	(void)state;
	fixture_open(&fixture);
	assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_OK);
	struct header_cut cuts[3] = { findings.facts.cuts[0], findings.facts.cuts[1], findings.facts.cuts[2] };
	struct finding    list[1] = { findings.list[0] };
	struct slice      authors[1] = { SLICE("a@b\r\nBcc: x") };
	uint8_t           long_text[FACT_SUBJECT_MAX + 1];
	memset(long_text, 'x', sizeof long_text);
	for (unsigned kind = 0; kind < 21; kind++) {
		enum rc expected = RC_SYNTAX;
		lie = findings;
		lie.facts.cuts = cuts;
		memcpy(cuts, findings.facts.cuts, sizeof cuts);
		list[0] = findings.list[0];
		uint64_t id = 42;
		switch (kind) {
		case 0:
			id = 43;
			break;
		case 1:
			lie.facts.message_bytes--;
			expected = RC_CORRUPT;
			break;
		case 2:
			lie.facts.header_bytes--;
			expected = RC_CORRUPT;
			break;
		case 3:
			lie.engine.bytes[0] ^= 1;
			expected = RC_CORRUPT;
			break;
		case 4:
			cuts[0].offset++;
			expected = RC_CORRUPT;
			break;
		case 5:
			cuts[0].size--;
			expected = RC_CORRUPT;
			break;
		case 6:
			cuts[0].size += 32;
			expected = RC_CORRUPT;
			break;
		case 7:
			cuts[0].kind = CUT_EXCHANGE;
			expected = RC_CORRUPT;
			break;
		case 8:
			cuts[1] = cuts[0];
			break;
		case 9: /* an innocent field */
			cuts[0].offset = 22;
			cuts[0].size = 32;
			expected = RC_CORRUPT;
			break;
		case 10: /* in the body */
			cuts[2].offset = (uint32_t)message.len - 3;
			cuts[2].size = 3;
			expected = RC_CORRUPT;
			break;
		case 11:
			lie.list = list;
			lie.count = 1;
			list[0].offset = (uint32_t)message.len;
			list[0].size = 1;
			break;
		case 12:
			lie.list = list;
			lie.count = 1;
			list[0].part = 77;
			break;
		case 13:
			lie.list = list;
			lie.count = 1;
			list[0].kind = FINDING_CONTENT_GTUBE;
			list[0].value = 1;
			list[0].evidence = SLICE("");
			break;
		case 14:
			lie.list = list;
			lie.count = 1;
			list[0].kind = FINDING_CONTENT_EICAR;
			list[0].evidence = SLICE("x");
			break;
		case 15:
			lie.facts.authors = authors;
			lie.facts.author_count = 1;
			break;
		case 16:
			lie.facts.subject = SLICE("a\nb");
			break;
		case 17:
			lie.facts.subject = slice_of(long_text, sizeof long_text);
			break;
		case 18:
			lie.facts.part_count = 1001;
			break;
		case 19:
			lie.facts.flags = 1u << 31;
			break;
		default:
			lie.facts.received_own = 9;
			break;
		}
		buf_clear(&out);
		scan_answer_encode(id, SCAN_END_DONE, &lie, &out);
		const enum rc rc = decode(&fixture, buf_slice(&out), &findings);
		if (rc != expected)
			fail_msg("lie %u: %s", kind, rc_word(rc));
		assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_OK);
	}
	fixture_close(&fixture);
	buf_done(&out);
}

/* The largest answer there can be fits its frame. */
static void test_largest_answer(void **state)
{
	static struct finding    list[FINDINGS_MAX];
	static struct header_cut cuts[FINDINGS_CUTS_MAX];
	static struct slice      authors[FACT_AUTHORS_MAX];
	static uint8_t           text[FACT_SUBJECT_MAX];
	struct buf               out = buf_make(SCAN_FRAME_MAX);
	struct findings          findings = { .list = list, .count = FINDINGS_MAX };

	(void)state;
	for (size_t i = 0; i < FINDINGS_MAX; i++)
		list[i].evidence = slice_of(text, FINDING_EVIDENCE_MAX);
	for (size_t i = 0; i < FACT_AUTHORS_MAX; i++)
		authors[i] = slice_of(text, FACT_AUTHOR_MAX);
	findings.facts.authors = authors;
	findings.facts.author_count = FACT_AUTHORS_MAX;
	findings.facts.cuts = cuts;
	findings.facts.cut_count = FINDINGS_CUTS_MAX;
	findings.facts.subject = findings.facts.from = findings.facts.message_id = slice_of(text, sizeof text);
	scan_answer_encode(1, SCAN_END_DONE, &findings, &out);
	assert_false(out.failed);
	buf_done(&out);
}

static void test_serve(void **state)
{
	struct fixture  fixture;
	struct findings findings;

	(void)state;
	fixture_open(&fixture);
	/* Nonsense, a message of another size, another version: refused, by the id that was claimed. */
	scan_serve_one(&fixture.server, SLICE("nonsense"), message, &fixture.arena, &fixture.answer);
	assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_SYNTAX);
	scan_serve_one(&fixture.server, buf_slice(&fixture.frame), slice_take(message, 5), &fixture.arena,
	               &fixture.answer);
	assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_BUSY);
	fixture.frame.ptr[4] = 9;
	scan_serve_one(&fixture.server, buf_slice(&fixture.frame), message, &fixture.arena, &fixture.answer);
	assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_BUSY);
	fixture.frame.ptr[4] = SCAN_WIRE_VERSION;
	/* A scanner whose arena is too small says so. */
	uint8_t      memory[256];
	struct arena small = arena_on(memory, sizeof memory);
	scan_serve_one(&fixture.server, buf_slice(&fixture.frame), message, &small, &fixture.answer);
	assert_int_equal(decode(&fixture, buf_slice(&fixture.answer), &findings), RC_BUSY);
	fixture_close(&fixture);
}

static void test_no_memory(void **state)
{
	struct fixture  fixture;
	struct findings findings;
	bool            done = false;

	(void)state;
	fixture_open(&fixture);
	for (size_t size = 0; !done; size += 16) {
		uint8_t *memory = memory_take(size + 1, 1);
		assert_non_null(memory);
		struct arena  small = arena_on(memory, size);
		enum scan_end end;
		const enum rc rc = scan_answer_decode(buf_slice(&fixture.answer), &fixture.request,
		                                      &fixture.server.engine, message, &small, &end, &findings, NULL);
		assert_true(rc == RC_OK || rc == RC_NOMEM);
		done = rc == RC_OK;
		memory_give(memory);
	}
	fixture_close(&fixture);
}

struct cut_row {
	const char       *name;
	struct slice      header;
	struct header_cut cut;
	bool              valid;
};

#define CUT(name, header, offset, size, kind, valid)                    \
	{                                                               \
		name, SLICE_INIT(header), { offset, size, kind }, valid \
	}

static const struct cut_row cut_rows[] = {
	CUT("the first field", "X-Hangu-A: b\r\nC: d\r\n\r\n", 0, 14, CUT_HANGU, true),
	CUT("a later field", "C: d\r\nx-HANGU-a: b\r\n\r\n", 6, 14, CUT_HANGU, true),
	CUT("a folded field", "X-Hangu-A: b\r\n c\r\n\td\r\nC: d\r\n\r\n", 0, 22, CUT_HANGU, true),
	CUT("blanks before the colon", "X-Hangu-A \t: b\r\n\r\n", 0, 16, CUT_HANGU, true),
	CUT("LF line ends", "X-Hangu-A: b\n c\nC: d\n\n", 0, 16, CUT_HANGU, true),
	CUT("at the end of the bytes", "X-Hangu-A: b", 0, 12, CUT_HANGU, true),
	CUT("behind a bare CR", "C: d\rX-Hangu-A: b\r\n\r\n", 4, 13, CUT_HANGU, true),
	CUT("between two bare CRs", "C: d\rX-Hangu-A: b\rE: f\r\n\r\n", 4, 13, CUT_HANGU, true),
	CUT("continuation lines at the front", " a\r\n b\r\nC: d\r\n\r\n", 0, 8, CUT_LEADING, true),
	CUT("our authentication results", "Authentication-Results: mx.hangu.example 1; none\r\n\r\n", 0, 50,
	    CUT_AUTHENTICATION, true),
	CUT("quoted, with a comment", "Authentication-Results:\r\n (a) \"MX.hangu.example\"; none\r\n\r\n", 0, 56,
	    CUT_AUTHENTICATION, true),
	CUT("with a final full stop", "Authentication-Results: mx.hangu.example.; none\r\n\r\n", 0, 49,
	    CUT_AUTHENTICATION, true),
	CUT("an empty cut", "X-Hangu-A: b\r\n\r\n", 0, 0, CUT_HANGU, false),
	CUT("another's authentication results", "Authentication-Results: other.example; none\r\n\r\n", 0, 45,
	    CUT_AUTHENTICATION, false),
	CUT("results without an id", "Authentication-Results: spf=pass\r\n\r\n", 0, 34, CUT_AUTHENTICATION, false),
	CUT("a name that only begins alike", "X-Hangu: b\r\n\r\n", 0, 12, CUT_HANGU, false),
	CUT("no colon", "X-Hangu-A\r\n\r\n", 0, 11, CUT_HANGU, false),
	CUT("in the middle of a line", "C: X-Hangu-A: b\r\n\r\n", 3, 14, CUT_HANGU, false),
	CUT("without its fold", "X-Hangu-A: b\r\n c\r\nC: d\r\n\r\n", 0, 14, CUT_HANGU, false),
	CUT("with the next field", "X-Hangu-A: b\r\nC: d\r\n\r\n", 0, 20, CUT_HANGU, false),
	CUT("without its line end", "X-Hangu-A: b\r\nC: d\r\n\r\n", 0, 12, CUT_HANGU, false),
	CUT("in the body", "C: d\r\n\r\nX-Hangu-A: b\r\n", 8, 14, CUT_HANGU, false),
	CUT("behind the end", "C: d\r\n\r\n", 8, 1, CUT_HANGU, false),
	CUT("far behind the end", "C: d\r\n\r\n", UINT32_MAX, UINT32_MAX, CUT_HANGU, false),
	CUT("the whole header", "C: d\r\nX-Hangu-A: b\r\n\r\n", 0, 22, CUT_HANGU, false),
};

static void test_cuts(void **state)
{
	const struct scan_request request = request_make(0);

	(void)state;
	for (size_t i = 0; i < sizeof cut_rows / sizeof cut_rows[0]; i++) {
		if (scan_cut_valid(cut_rows[i].header, &request.options, &cut_rows[i].cut) != cut_rows[i].valid)
			fail_msg("%s", cut_rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),         cmocka_unit_test(test_answer),
		cmocka_unit_test(test_damaged_answers), cmocka_unit_test(test_lies),
		cmocka_unit_test(test_largest_answer),  cmocka_unit_test(test_serve),
		cmocka_unit_test(test_no_memory),       cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
