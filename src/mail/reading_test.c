/* Other readings: trees by other rules, which of them a message asks for, and messages inside encoded parts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/reading.h"

static const struct message_limits limits = {
	.header = { .bytes = 8192, .fields = 50 },
	.parts = 50,
	.depth = 6,
	.parameters = 16,
	.steps = 1 << 22,
};

struct row {
	const char  *name;
	struct slice bytes;
	uint32_t     rules;
	const char  *primary; /* "kind depth:body", joined with " " */
	const char  *other;
	bool         asked; /* the message asks for that reading */
};

#define ROW(name, text, rules, primary, other, asked)                \
	{                                                            \
		name, SLICE_INIT(text), rules, primary, other, asked \
	}
#define TOP "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct row rows[] = {
	ROW("a sound message", TOP "--b\n\none\n--b--\n", MESSAGE_BY_SHAPE, "M0 L1:one", "M0", false),
	ROW("the last type", "Content-Type: text/plain\nContent-Type: text/html\n\nx", MESSAGE_LAST_FIELD, "L0:x", "L0:x",
	    true),
	ROW("the last encoding counts",
	    "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\neA==", MESSAGE_LAST_FIELD, "L0:eA==",
	    "L0:eA==", true),
	ROW("the last boundary",
	    "Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--b\n\none\n--c\n\ntwo\n--c--\n--b--\n",
	    MESSAGE_LAST_FIELD, "M0 L1:one\n--c\n\ntwo\n--c--", "M0 L1:two", true),
	ROW("the other boundary",
	    "Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--b\n\none\n--c\n\ntwo\n--c--\n--b--\n",
	    MESSAGE_OTHER_BOUNDARY, "M0 L1:one\n--c\n\ntwo\n--c--", "M0 L1:two", true),
	ROW("loose delimiters", TOP "--b\n\none\n--bx\n\ntwo\n--b--\n", MESSAGE_LOOSE, "M0 L1:one\n--bx\n\ntwo",
	    "M0 L1:one L1:two", true),
	ROW("the outer one first",
	    TOP "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b--\n", MESSAGE_OUTER_FIRST,
	    "M0 M1 L2:one", "M0 M1 L1:one", true),
	ROW("nothing behind the end", TOP "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n", MESSAGE_ENDED, "M0 L1:one L1:two",
	    "M0 L1:one", true),
	ROW("a header that ends early", "A: b\njunk\nC: d\n\nbody", MESSAGE_HEADER_SHORT, "L0:body", "L0:junk\nC: d\n\nbody",
	    true),
	ROW("a header that ends late", "A: b\n\nContent-Transfer-Encoding: base64\n\nbody", MESSAGE_HEADER_LONG,
	    "L0:Content-Transfer-Encoding: base64\n\nbody", "L0:body", true),
	ROW("parts by their shape", "A: b\n\n--x\nContent-Type: text/plain\n\none\n--x\n\ntwo\n--x--\nthree",
	    MESSAGE_BY_SHAPE, "L0:--x\nContent-Type: text/plain\n\none\n--x\n\ntwo\n--x--\nthree", "M0 L1:one L1:two",
	    true),
	ROW("parts of two shapes", "A: b\n\n--x\nContent-Type: a/b\n\none\n--y\nContent-Type: a/b\n\ntwo",
	    MESSAGE_BY_SHAPE, "L0:--x\nContent-Type: a/b\n\none\n--y\nContent-Type: a/b\n\ntwo", "M0 L1:one L1:two",
	    true),
};

static void tree_put(const struct message *message, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < message->count; i++) {
		const struct message_part *part = message->parts[i];
		buf_put_str(out, i == 0 ? "" : " ");
		buf_put_byte(out, part->kind == PART_LEAF ? 'L' : part->kind == PART_MULTIPART ? 'M' : 'R');
		buf_put_u64(out, part->depth);
		if (part->kind == PART_LEAF) {
			buf_put_byte(out, ':');
			buf_put(out, part->body);
		}
	}
}

static void tree_check(const char *name, const struct message *message, const char *expected)
{
	struct buf text = buf_make(4096);

	tree_put(message, &text);
	if (!slice_eq(buf_slice(&text), slice_str(expected)))
		fail_msg("%s: %.*s", name, (int)text.len, (const char *)text.ptr);
	buf_done(&text);
}

static bool asks_for(const struct readings *readings, uint32_t rules)
{
	for (size_t i = 0; i < readings->count; i++) {
		if (readings->rules[i] == rules)
			return true;
	}
	return false;
}

static void test_rows(void **state)
{
	static uint8_t memory[1 << 18];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct arena      arena = arena_on(memory, sizeof memory);
		struct message    message;
		assert_int_equal(message_read(row->bytes, &limits, NULL, &arena, &message), RC_OK);
		tree_check(row->name, &message, row->primary);
		const struct readings readings = readings_of(&message);
		if (asks_for(&readings, row->rules) != row->asked || (readings.count != 0) != row->asked)
			fail_msg("%s: asks for %zu readings", row->name, readings.count);
		assert_int_equal(message_read_as(row->bytes, row->rules, &limits, NULL, &arena, &message), RC_OK);
		tree_check(row->name, &message, row->other);
	}
}

/* Every oddity at once asks for READINGS_MAX readings and not for one more. */
static void test_bound(void **state)
{
	const struct message all = { .oddities = UINT64_MAX, .shape = true }, none = { .oddities = 0 };
	const struct readings most = readings_of(&all), least = readings_of(&none);

	(void)state;
	assert_int_equal(most.count, READINGS_MAX);
	assert_true(most.doubtful);
	assert_int_equal(least.count, 0);
	assert_false(least.doubtful);
}

static const struct message_part *leaf_of(struct slice bytes, struct arena *arena, struct message *message)
{
	assert_int_equal(message_read(bytes, &limits, NULL, arena, message), RC_OK);
	return message->parts[message->count - 1];
}

static void test_inside(void **state)
{
	static uint8_t memory[1 << 18];
	struct arena   arena = arena_on(memory, sizeof memory);
	struct message outer, inner;
	bool           cut = true;

	(void)state;
	/* "A: b\n\nhello" */
	const struct message_part *part =
		leaf_of(SLICE("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTogYgoKaGVsbG8="),
	                &arena, &outer);
	assert_true(reading_is_inside(part));
	assert_int_equal(reading_open(part, &limits, NULL, &arena, &inner, &cut), RC_OK);
	assert_false(cut);
	tree_check("a message", &inner, "L0:hello");
	part = leaf_of(SLICE("Content-Type: multipart/mixed;\n boundary=b\nContent-Transfer-Encoding: quoted-printable\n\n"
	                     "=2D-b\n\none\n=2D-b--\n"),
	               &arena, &outer);
	assert_true(reading_is_inside(part));
	assert_int_equal(reading_open(part, &limits, NULL, &arena, &inner, &cut), RC_OK);
	tree_check("a multipart", &inner, "M0 L1:one");
	part = leaf_of(SLICE("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nQTogYgoKaGVsbG8="), &arena,
	               &outer);
	assert_false(reading_is_inside(part));
	part = leaf_of(SLICE("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTogYgoKaGVsbG8="), &arena,
	               &outer);
	struct arena small = arena_on(memory, 16);
	assert_int_equal(reading_open(part, &limits, NULL, &small, &inner, &cut), RC_NOMEM);
}

/* READING_OPEN_MAX at both sides. */
static void test_inside_bound(void **state)
{
	struct buf   text = buf_make(4 << 20);
	struct arena arena;

	(void)state;
	assert_int_equal(arena_init(&arena, 4 << 20), RC_OK);
	for (int more = -1; more <= 1; more++) {
		struct message outer, inner;
		bool           cut;
		buf_clear(&text);
		arena_reset(&arena);
		buf_put_str(&text, "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n\n");
		const size_t body = text.len - 1;
		while (text.len - body < READING_OPEN_MAX + (size_t)(more + 1) - 1)
			buf_put_byte(&text, 'x');
		const struct message_part *part = leaf_of(buf_slice(&text), &arena, &outer);
		assert_int_equal(part->body.len, READING_OPEN_MAX + (size_t)(more + 1) - 1);
		assert_int_equal(reading_open(part, &limits, NULL, &arena, &inner, &cut), RC_OK);
		assert_int_equal(cut, inner.bytes.len < part->body.len);
		assert_true(inner.bytes.len <= READING_OPEN_MAX + TRANSFER_ROOM_MIN);
	}
	arena_done(&arena);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_bound),
		                            cmocka_unit_test(test_inside), cmocka_unit_test(test_inside_bound) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
