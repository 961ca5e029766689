/* Header sections: lawful ones, and the many ways in which they break. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/header.h"

#define ARENA_BYTES 262144u

struct heard {
	unsigned counts[ODDITY_KINDS];
	unsigned total;
	size_t   message_bytes;
};

static void hear(void *context, const struct oddity *oddity)
{
	struct heard *heard = context;

	assert_true((unsigned)oddity->kind < ODDITY_KINDS);
	assert_true((size_t)oddity->offset + oddity->size <= heard->message_bytes);
	assert_true((size_t)oddity->evidence_offset + oddity->evidence_size <= heard->message_bytes);
	heard->counts[oddity->kind]++;
	heard->total++;
}

static const struct header_limits standard = { .bytes = 4096, .fields = 20 };

static void read_section(struct slice bytes, const struct header_limits *limits, struct arena *arena,
                         struct header_section *out, struct heard *heard)
{
	*heard = (struct heard){ .message_bytes = bytes.len };
	const struct oddity_sink sink = { hear, heard };

	assert_int_equal(header_section_read(bytes, 0, limits, NULL, 0, &sink, arena, out), RC_OK);
	for (size_t i = 0; i < out->count; i++) {
		const struct header_field *field = &out->fields[i];
		assert_true((size_t)field->offset + field->size <= bytes.len);
		assert_true(slice_eq(slice_cut(bytes, field->offset, field->name.len), field->name));
	}
}

struct row {
	const char  *name;
	struct slice bytes;
	size_t       fields;
	size_t       size;   /* of the section */
	int          oddity; /* -1: none */
};

#define ROW(name, text, fields, size, oddity)                \
	{                                                    \
		name, SLICE_INIT(text), fields, size, oddity \
	}

static const struct row lawful[] = {
	ROW("two fields", "A: b\r\nC: d\r\n\r\nbody", 2, 14, -1),
	ROW("LF line ends", "A: b\nC: d\n\nbody", 2, 11, -1),
	ROW("a folded field", "A: b\r\n c\r\n\td\r\nE: f\r\n\r\n", 2, 22, -1),
	ROW("no fields at all", "\r\nbody", 0, 2, -1),
	ROW("an empty value", "A:\r\n\r\n", 1, 6, -1),
	ROW("no blank after the colon", "A:b\r\n\r\n", 1, 7, -1),
	ROW("UTF-8 in a value", "A: \xe4\xb8\xad\xe6\x96\x87\r\n\r\n", 1, 13, -1),
	ROW("a tab in a value", "A: b\tc\r\n\r\n", 1, 10, -1),
	ROW("every lawful byte in a name", "!#$%&'*+-.^_`|~09AZaz: b\r\n\r\n", 1, 28, -1),
	ROW("a colon in the value", "A: b: c\r\n\r\n", 1, 11, -1),
};

static const struct row unlawful[] = {
	ROW("no empty line", "A: b\r\n", 1, 6, ODDITY_HEADER_NO_END),
	ROW("no line end at all", "A: b", 1, 4, ODDITY_HEADER_NO_END),
	ROW("nothing at all", "", 0, 0, ODDITY_HEADER_NO_END),
	ROW("a NUL in a value", "A: b\0c\r\n\r\n", 1, 10, ODDITY_HEADER_NUL),
	ROW("latin-1 in a value", "A: \xe9t\xe9\r\n\r\n", 1, 10, ODDITY_HEADER_8BIT),
	ROW("an overlong UTF-8 form", "A: \xc0\xaf\r\n\r\n", 1, 9, ODDITY_HEADER_8BIT),
	ROW("a UTF-8 surrogate", "A: \xed\xa0\x80\r\n\r\n", 1, 10, ODDITY_HEADER_8BIT),
	ROW("UTF-8 cut short at the end of the line", "A: \xe4\xb8\r\n\r\n", 1, 9, ODDITY_HEADER_8BIT),
	ROW("a bell in a value", "A: \a\r\n\r\n", 1, 8, ODDITY_HEADER_CONTROL),
	ROW("a DEL in a value",
	    "A: b\x7f"
	    "c\r\n\r\n",
	    1, 10, ODDITY_HEADER_CONTROL),
	ROW("a bare CR", "A: b\rX: c\r\n\r\n", 1, 13, ODDITY_HEADER_BARE_CR),
	ROW("CR CR LF", "A: b\r\r\n\r\n", 1, 9, ODDITY_HEADER_BARE_CR),
	ROW("a blank before the colon", "A : b\r\n\r\n", 1, 9, ODDITY_HEADER_SPACE_BEFORE_COLON),
	ROW("a tab before the colon", "A\t: b\r\n\r\n", 1, 9, ODDITY_HEADER_SPACE_BEFORE_COLON),
	ROW("a blank inside the name", "A b: c\r\n\r\n", 0, 10, ODDITY_HEADER_NOT_A_FIELD),
	ROW("an 8-bit byte in the name", "From\xff: a\r\n\r\n", 1, 12, ODDITY_HEADER_NAME_MALFORMED),
	ROW("a NUL in the name", "Fr\0om: a\r\n\r\n", 1, 12, ODDITY_HEADER_NAME_MALFORMED),
	ROW("an empty name", ": a\r\n\r\n", 0, 7, ODDITY_HEADER_NOT_A_FIELD),
	ROW("a line without a colon", "A: b\r\nhello\r\nC: d\r\n\r\n", 2, 21, ODDITY_HEADER_NOT_A_FIELD),
	ROW("an mbox line", "From a@b Sat Jan  3 2026\r\nA: b\r\n\r\n", 1, 34, ODDITY_HEADER_MBOX_FROM),
	ROW("a quoted mbox line", ">From a@b Sat\r\nA: b\r\n\r\n", 1, 23, ODDITY_HEADER_MBOX_FROM),
	ROW("a continuation line first", " x\r\nA: b\r\n\r\n", 1, 12, ODDITY_HEADER_CONTINUATION_FIRST),
	ROW("a fold of blanks only", "A: b\r\n \r\nC: d\r\n\r\n", 2, 17, ODDITY_HEADER_BLANK_FOLD),
	ROW("a fold of a vertical tab only", "A: b\r\n \v\r\nC: d\r\n\r\n", 2, 18, ODDITY_HEADER_BLANK_FOLD),
	ROW("a CR before the empty line's CRLF", "A: b\r\n\r\r\nC: d\r\n\r\n", 2, 17, ODDITY_HEADER_NOT_A_FIELD),
};

static void run(const struct row *row, bool is_lawful)
{
	struct arena          arena;
	struct header_section section;
	struct heard          heard;

	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	read_section(row->bytes, &standard, &arena, &section, &heard);
	if (section.count != row->fields || section.size != row->size || (is_lawful && heard.total != 0) ||
	    (!is_lawful && heard.counts[row->oddity] == 0))
		fail_msg("%s: %zu fields, %u bytes, %u oddities", row->name, section.count, section.size, heard.total);
	/* Cut at every byte: never an error, never a field outside. */
	for (size_t cut = 0; cut <= row->bytes.len; cut++) {
		arena_reset(&arena);
		read_section(slice_take(row->bytes, cut), &standard, &arena, &section, &heard);
	}
	arena_done(&arena);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lawful / sizeof lawful[0]; i++)
		run(&lawful[i], true);
	for (size_t i = 0; i < sizeof unlawful / sizeof unlawful[0]; i++)
		run(&unlawful[i], false);
}

static void test_field_is_not_mbox_line(void **state)
{
	struct arena          arena;
	struct header_section section;
	struct heard          heard;

	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	read_section(SLICE("From : a@b\r\n\r\n"), &standard, &arena, &section, &heard);
	assert_int_equal(section.count, 1);
	assert_int_equal(section.fields[0].id, HEADER_FROM);
	assert_int_equal(heard.counts[ODDITY_HEADER_MBOX_FROM], 0);
	arena_done(&arena);
}

/* Fields at one below, at and one above the limit. */
static void test_field_limit(void **state)
{
	static const struct {
		unsigned fields, kept;
		bool     limited;
	} rows[] = { { 3, 3, false }, { 4, 4, false }, { 5, 4, true } };
	const struct header_limits limits = { .bytes = 4096, .fields = 4 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf            text = buf_make(4096);
		struct arena          arena;
		struct header_section section;
		struct heard          heard;
		for (unsigned field = 0; field < rows[i].fields; field++)
			buf_put_str(&text, "A: b\r\n c\r\n");
		buf_put_str(&text, "\r\nbody");
		assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
		read_section(buf_slice(&text), &limits, &arena, &section, &heard);
		assert_int_equal(section.count, rows[i].kept);
		assert_int_equal(heard.counts[ODDITY_LIMIT_HEADER_FIELDS], rows[i].limited);
		assert_int_equal(section.end, rows[i].limited ? HEADER_END_LIMIT : HEADER_END_EMPTY_LINE);
		assert_int_equal(section.size, text.len - 4);
		assert_true(slice_eq(slice_trim(section.fields[section.count - 1].value), SLICE("b\r\n c")));
		arena_done(&arena);
		buf_done(&text);
	}
}

static void test_byte_limit(void **state)
{
	const struct slice    bytes = SLICE("A: 1234567\r\n\r\nbody"); /* the section has 14 bytes */
	struct arena          arena;
	struct header_section section;
	struct heard          heard;

	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	for (uint32_t limit = 12; limit < 17; limit++) {
		const struct header_limits limits = { .bytes = limit, .fields = 4 };
		arena_reset(&arena);
		read_section(bytes, &limits, &arena, &section, &heard);
		assert_int_equal(heard.counts[ODDITY_LIMIT_HEADER_BYTES], limit < 14);
		assert_int_equal(section.size, limit < 14 ? limit : 14);
	}
	arena_done(&arena);
}

static void test_long_line(void **state)
{
	(void)state;
	for (size_t size = 997; size <= 999; size++) {
		struct buf            text = buf_make(4096);
		struct arena          arena;
		struct header_section section;
		struct heard          heard;
		buf_put_str(&text, "A: ");
		while (text.len < size)
			buf_put_byte(&text, 'x');
		buf_put_str(&text, "\r\n\r\n");
		assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
		read_section(buf_slice(&text), &standard, &arena, &section, &heard);
		assert_int_equal(section.line_max, size);
		assert_int_equal(heard.counts[ODDITY_HEADER_LINE_LONG], size > 998);
		arena_done(&arena);
		buf_done(&text);
	}
}

static void test_lookup(void **state)
{
	struct arena          arena;
	struct header_section section;
	struct heard          heard;
	struct slice          value;

	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	read_section(SLICE("to: a\r\nFROM: b\r\nFrom: c\r\nSubject: one\r\n two\r\n\tthree\r\n\r\n"), &standard, &arena,
	             &section, &heard);
	const struct header_field *from = header_first(&section, HEADER_FROM);
	assert_non_null(from);
	assert_true(slice_eq(slice_trim(from->value), SLICE("b")));
	from = header_next(&section, from);
	assert_non_null(from);
	assert_null(header_next(&section, from));
	assert_int_equal(header_count(&section, HEADER_FROM), 2);
	assert_null(header_first(&section, HEADER_DATE));
	assert_int_equal(header_unfold(header_first(&section, HEADER_SUBJECT), &arena, &value), RC_OK);
	assert_true(slice_eq(value, SLICE("one two\tthree")));
	for (unsigned id = HEADER_OTHER + 1; id < HEADER_IDS; id++)
		assert_int_equal(header_id_of(slice_str(header_name((enum header_id)id))), id);
	arena_done(&arena);
}

static void test_full_arena(void **state)
{
	uint8_t               memory[2048];
	struct header_section section;

	(void)state;
	for (size_t size = 0; size < sizeof memory; size += 8) {
		struct arena arena = arena_on(memory, size);
		section.count = 99;
		const enum rc rc = header_section_read(SLICE("A: b\r\nC: d\r\n\r\n"), 0, &standard, NULL, 0, NULL,
		                                       &arena, &section);
		assert_true(rc == RC_OK || (rc == RC_NOMEM && section.count == 99));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),        cmocka_unit_test(test_field_is_not_mbox_line),
		cmocka_unit_test(test_field_limit), cmocka_unit_test(test_byte_limit),
		cmocka_unit_test(test_long_line),   cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
