/* MIME structure: trees as text, one part a word, and the places where readers differ. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/message.h"

struct heard {
	unsigned counts[ODDITY_KINDS];
	unsigned total;
};

static void hear(void *context, const struct oddity *oddity)
{
	struct heard *heard = context;

	assert_true((unsigned)oddity->kind < ODDITY_KINDS);
	heard->counts[oddity->kind]++;
	heard->total++;
}

static const struct message_limits standard = {
	.header = { .bytes = 8192, .fields = 50 },
	.parts = 20,
	.depth = 6,
	.parameters = 16,
	.steps = 1 << 20,
};

struct row {
	const char  *name;
	struct slice bytes;
	const char  *tree;   /* "kind depth:body", joined with " " */
	int          oddity; /* -1: none */
};

#define ROW(name, text, tree, oddity)                \
	{                                            \
		name, SLICE_INIT(text), tree, oddity \
	}
#define TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static const struct row lawful[] = {
	ROW("a text", "A: b\r\n\r\nhello", "L0:hello", -1),
	ROW("no body", "A: b\r\n\r\n", "L0:", -1),
	ROW("two parts", TOP "--b\r\n\r\none\r\n--b\r\nC: d\r\n\r\ntwo\r\n--b--\r\n", "M0 L1:one L1:two", -1),
	ROW("LF line ends", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n", "M0 L1:one", -1),
	ROW("preamble and epilogue", TOP "pre\r\n--b\r\n\r\none\r\n--b--\r\nepi\r\n", "M0 L1:one", -1),
	ROW("blanks behind a delimiter", TOP "--b \t\r\n\r\none\r\n--b-- \r\n", "M0 L1:one", -1),
	ROW("an empty part", TOP "--b\r\n\r\n\r\n--b--\r\n", "M0 L1:", -1),
	ROW("a part of blank lines", TOP "--b\r\n\r\n\r\n\r\n--b--\r\n", "M0 L1:\r\n", -1),
	ROW("no line end at the end", TOP "--b\r\n\r\none\r\n--b--", "M0 L1:one", -1),
	ROW("nested",
	    TOP
	    "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\none\r\n--c--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "M0 M1 L2:one L1:two", -1),
	ROW("a message inside", "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nhello", "R0 L1:hello", -1),
	ROW("a message in a part",
	    TOP "--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\nin\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "M0 R1 L2:in L1:two", -1),
	ROW("a digest", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\nin\r\n--b--\r\n",
	    "M0 R1 L2:in", -1),
	ROW("a quoted boundary",
	    "Content-Type: multipart/mixed; boundary=\"b c\"\r\n\r\n--b c\r\n\r\none\r\n--b c--\r\n", "M0 L1:one", -1),
	ROW("dashes in the text", TOP "--b\r\n\r\n--\r\n-- \r\n--x\r\n--b--\r\n", "M0 L1:--\r\n-- \r\n--x", -1),
	ROW("a boundary in small pieces",
	    "Content-Type: multipart/mixed; boundary*0=\"b\"; boundary*1=c\r\n\r\n--bc\r\n\r\none\r\n--bc--\r\n",
	    "M0 L1:one", -1),
};

static const struct row unlawful[] = {
	ROW("no end", TOP "--b\r\n\r\none\r\n", "M0 L1:one\r\n", ODDITY_END_MISSING),
	ROW("no end of the inner one",
	    TOP "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "M0 M1 L2:one L1:two", ODDITY_END_MISSING),
	ROW("no boundary", "Content-Type: multipart/mixed\r\n\r\nhello", "M0", ODDITY_BOUNDARY_MISSING),
	ROW("no boundary, but one to be seen",
	    "Content-Type: multipart/mixed\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b--\r\n", "M0 L1:one",
	    ODDITY_BOUNDARY_MISSING),
	ROW("another boundary than named",
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b--\r\n",
	    "M0 L1:one", ODDITY_BOUNDARY_UNUSED),
	ROW("a boundary that never comes", "Content-Type: multipart/mixed; boundary=x\r\n\r\nhello", "M0",
	    ODDITY_BOUNDARY_UNUSED),
	ROW("an empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\none\r\n----\r\n",
	    "M0 L1:one", ODDITY_BOUNDARY_MALFORMED),
	ROW("a boundary that ends in a blank",
	    "Content-Type: multipart/mixed; boundary=\"b \"\r\n\r\n--b \r\n\r\none\r\n--b --\r\n", "M0 L1:one",
	    ODDITY_BOUNDARY_MALFORMED),
	ROW("the inner boundary is the outer one",
	    TOP "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n", "M0 M1 L2:one",
	    ODDITY_BOUNDARY_CLASH),
	ROW("the inner boundary begins like the outer one",
	    TOP "--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\none\r\n--bb--\r\n--b--\r\n",
	    "M0 M1 L2:one", ODDITY_BOUNDARY_CLASH),
	ROW("text behind a delimiter", TOP "--b\r\n\r\none\r\n--bxx\r\ntwo\r\n--b--\r\n", "M0 L1:one\r\n--bxx\r\ntwo",
	    ODDITY_BOUNDARY_LOOSE),
	ROW("only delimiters with text behind", TOP "--bx\r\n\r\none\r\n--b--x\r\n", "M0 L1:one",
	    ODDITY_BOUNDARY_LOOSE),
	ROW("a part behind the end", TOP "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n", "M0 L1:one L1:two",
	    ODDITY_CONTENT_OUTSIDE),
	ROW("a header before the first delimiter",
	    TOP "Content-Type: text/html\r\n\r\nhi\r\n--b\r\n\r\none\r\n--b--\r\n", "M0 L1:one",
	    ODDITY_CONTENT_OUTSIDE),
	ROW("a part's header without its empty line", TOP "--b\r\nC: d\r\n--b--\r\n", "M0 L1:", -2),
	ROW("two types",
	    "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
	    "M0 L1:one", ODDITY_FIELD_DUPLICATE),
	ROW("two encodings", "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhello",
	    "L0:hello", ODDITY_FIELD_DUPLICATE),
	ROW("a type that is none", "Content-Type: foo\r\n\r\nhello", "L0:hello", ODDITY_TYPE_MALFORMED),
	ROW("two boundaries",
	    "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n", "M0 L1:one",
	    ODDITY_PARAMETER_DUPLICATE),
	ROW("an unknown encoding", "Content-Transfer-Encoding: rot13\r\n\r\nhello", "L0:hello",
	    ODDITY_ENCODING_UNKNOWN),
	ROW("an encoding with a comment", "Content-Transfer-Encoding: base64 (yes)\r\n\r\nhello", "L0:hello",
	    ODDITY_ENCODING_UNKNOWN),
	ROW("an encoded multipart in the clear",
	    "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
	    "M0 L1:one", ODDITY_ENCODING_COMPOSITE),
	ROW("an encoded message", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTogYg==",
	    "L0:QTogYg==", ODDITY_ENCODING_COMPOSITE),
	ROW("deeper than the limit",
	    "Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nhello",
	    "R0 R1 R2 R3 R4 R5 L6:A: b\r\n\r\nhello", ODDITY_LIMIT_DEPTH),
};

static void tree_put(const struct message *message, struct buf *out)
{
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

static void check(const struct message *message, struct slice bytes)
{
	assert_true(message->count >= 1);
	for (size_t i = 0; i < message->count; i++) {
		const struct message_part *part = message->parts[i];
		assert_int_equal(part->index, i);
		assert_true(i == 0 ? part->parent == MESSAGE_NO_PART : part->parent < i);
		assert_true((size_t)part->body_offset + part->body.len <= bytes.len);
		assert_true(part->preamble_size <= bytes.len && part->epilogue_offset <= bytes.len);
	}
}

static void run(const struct row *row, bool is_lawful)
{
	struct arena             arena;
	struct message           message;
	struct heard             heard = { .total = 0 };
	struct buf               tree = buf_make(4096);
	const struct oddity_sink sink = { hear, &heard };

	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	assert_int_equal(message_read(row->bytes, &standard, &sink, &arena, &message), RC_OK);
	check(&message, row->bytes);
	tree_put(&message, &tree);
	if (!slice_eq(buf_slice(&tree), slice_str(row->tree)) || (is_lawful && heard.total != 0) ||
	    (row->oddity >= 0 && heard.counts[row->oddity] == 0))
		fail_msg("%s: %.*s, %u oddities", row->name, (int)tree.len, (const char *)tree.ptr, heard.total);
	for (size_t cut = 0; cut < row->bytes.len; cut++) {
		arena_reset(&arena);
		assert_int_equal(message_read(slice_take(row->bytes, cut), &standard, &sink, &arena, &message), RC_OK);
		check(&message, slice_take(row->bytes, cut));
	}
	/* An arena of every size: no memory at all, or a message and an oddity that says it was cut. */
	for (size_t size = 0; size < 6000; size += 24) {
		uint8_t      memory[6000];
		struct arena small = arena_on(memory, size);
		heard = (struct heard){ .total = 0 };
		const enum rc rc = message_read(row->bytes, &standard, &sink, &small, &message);
		assert_true(rc == RC_OK || rc == RC_NOMEM);
		if (rc == RC_OK)
			check(&message, row->bytes);
	}
	arena_done(&arena);
	buf_done(&tree);
}

static void test_lawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lawful / sizeof lawful[0]; i++)
		run(&lawful[i], true);
}

static void test_unlawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unlawful / sizeof unlawful[0]; i++)
		run(&unlawful[i], false);
}

static void read_text(const struct buf *text, const struct message_limits *limits, struct arena *arena,
                      struct message *message, struct heard *heard)
{
	*heard = (struct heard){ .total = 0 };
	const struct oddity_sink sink = { hear, heard };

	arena_reset(arena);
	assert_int_equal(message_read(buf_slice(text), limits, &sink, arena, message), RC_OK);
	check(message, buf_slice(text));
}

/* Parts at one below, at and one above the limit: the multipart itself counts. */
static void test_part_limit(void **state)
{
	struct arena   arena;
	struct message message;
	struct heard   heard;

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	for (unsigned parts = 18; parts <= 20; parts++) {
		struct buf text = buf_make(4096);
		buf_put_str(&text, TOP);
		for (unsigned i = 0; i < parts; i++)
			buf_put_str(&text, "--b\r\n\r\nx\r\n");
		buf_put_str(&text, "--b--\r\n");
		read_text(&text, &standard, &arena, &message, &heard);
		assert_int_equal(message.count, parts < 20 ? parts + 1 : 20);
		assert_int_equal(heard.counts[ODDITY_LIMIT_PARTS], parts == 20);
		buf_done(&text);
	}
	arena_done(&arena);
}

/* A thousand nested multiparts cost a limit, not a stack. */
static void test_deep_nesting(void **state)
{
	struct arena   arena;
	struct message message;
	struct heard   heard;
	struct buf     text = buf_make(1 << 20);

	(void)state;
	assert_int_equal(arena_init(&arena, 4 << 20), RC_OK);
	for (unsigned i = 0; i < 1000; i++)
		buf_printf(&text, "Content-Type: multipart/mixed; boundary=\"b%u\"\r\n\r\n--b%u\r\n", i, i);
	struct message_limits limits = standard;
	limits.parts = MESSAGE_PARTS_MAX;
	limits.depth = MESSAGE_DEPTH_MAX;
	limits.steps = 1 << 30;
	read_text(&text, &limits, &arena, &message, &heard);
	assert_int_equal(message.depth, MESSAGE_DEPTH_MAX);
	assert_int_equal(heard.counts[ODDITY_LIMIT_DEPTH], 1);
	arena_done(&arena);
	buf_done(&text);
}

static void test_steps(void **state)
{
	struct arena   arena;
	struct message message;
	struct heard   heard;
	struct buf     text = buf_make(1 << 20);

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 20), RC_OK);
	buf_put_str(&text, "A: b\r\n\r\n");
	for (unsigned i = 0; i < 1000; i++)
		buf_put_str(&text, "hello\r\n");
	struct message_limits limits = standard;
	limits.steps = text.len;
	read_text(&text, &limits, &arena, &message, &heard);
	assert_int_equal(heard.counts[ODDITY_LIMIT_STEPS], 0);
	limits.steps = message.steps - 1;
	read_text(&text, &limits, &arena, &message, &heard);
	assert_int_equal(heard.counts[ODDITY_LIMIT_STEPS], 1);
	assert_int_equal(message.parts[0]->body.len, 7000);
	arena_done(&arena);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lawful), cmocka_unit_test(test_unlawful),
		                            cmocka_unit_test(test_part_limit), cmocka_unit_test(test_deep_nesting),
		                            cmocka_unit_test(test_steps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
