/* Macro projects: packing, the directory, and projects that hide from it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/memory.h"
#include "document/vba.h"
#include "harness/compound.h"
#include "harness/heard.h"

#define SOURCE "Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\nShell \"calc\"\r\nEnd Sub\r\n"

/* Packed with literals only, but for the first copy that every source has: "Attribut" and "e VB_" are literals, too. */
static void pack(struct slice plain, struct buf *out)
{
	cursor_put_u8(out, 1);
	while (plain.len != 0) {
		const struct slice piece = slice_take(plain, 3000);
		const size_t       size = piece.len + (piece.len + 7) / 8;
		cursor_put_u16(out, (uint16_t)(0xb000 | (size - 1)));
		for (size_t i = 0; i < piece.len; i++) {
			if (i % 8 == 0)
				cursor_put_u8(out, 0);
			cursor_put_u8(out, piece.ptr[i]);
		}
		plain = slice_drop(plain, 3000);
	}
}

static void record(struct buf *out, unsigned id, struct slice data)
{
	cursor_put_u16(out, (uint16_t)id);
	cursor_put_u32(out, (uint32_t)data.len);
	buf_put(out, data);
}

/* One module in stream "M" whose source begins at `offset`. */
static void directory(struct buf *out, unsigned codepage, uint32_t offset)
{
	struct buf plain = buf_make(4096), number = buf_make(16);

	cursor_put_u16(&number, (uint16_t)codepage);
	record(&plain, 0x03, buf_slice(&number));
	cursor_put_u16(&plain, 0x09);
	cursor_put_u32(&plain, 4);
	cursor_put_u32(&plain, 1);
	cursor_put_u16(&plain, 1);
	record(&plain, 0x19, SLICE("M"));
	record(&plain, 0x1a, SLICE("M"));
	record(&plain, 0x32, SLICE("M\0"));
	buf_clear(&number);
	cursor_put_u32(&number, offset);
	record(&plain, 0x31, buf_slice(&number));
	record(&plain, 0x2b, SLICE(""));
	record(&plain, 0x10, SLICE(""));
	pack(buf_slice(&plain), out);
	buf_done(&plain);
	buf_done(&number);
}

struct unpack_row {
	const char  *name;
	struct slice packed;
	enum rc      rc;
	const char  *plain;
	bool         damaged;
};

#define ROW(name, packed, rc, plain, damaged)                \
	{                                                    \
		name, SLICE_INIT(packed), rc, plain, damaged \
	}

/* clang-format off: a table; the first three are the examples of [MS-OVBA] section 3.2 */
static const struct unpack_row unpack_rows[] = {
	ROW("nothing to compress",
	    "\x01\x19\xb0\x00"
	    "abcdefgh\x00"
	    "ijklmnop\x00"
	    "qrstuv.",
	    RC_OK, "abcdefghijklmnopqrstuv.", false),
	ROW("some",
	    "\x01\x2f\xb0\x00"
	    "#aaabcde\x82"
	    "f\x00\x70"
	    "aghij\x01\x38\x08"
	    "akl\x00\x30"
	    "mnop\x06"
	    "q\x02\x70\x04\x10"
	    "rstuv\x10"
	    "wxyz\x00\x3c",
	    RC_OK, "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa", false),
	ROW("all", "\x01\x03\xb0\x02\x61\x45\x00", RC_OK,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
	ROW("plain chunk",
	    "\x01\x03\x30"
	    "abcd",
	    RC_OK, "abcd", false),
	ROW("two chunks",
	    "\x01\x02\xb0\x00"
	    "ab\x02\xb0\x00"
	    "cd",
	    RC_OK, "abcd", false),
	ROW("something behind",
	    "\x01\x02\xb0\x00"
	    "ab\x00\x00xx",
	    RC_OK, "ab", false),
	ROW("no mark",
	    "\x02\x02\xb0\x00"
	    "ab",
	    RC_SYNTAX, "", false),
	ROW("no chunk",
	    "\x01\x02\x00\x00"
	    "ab",
	    RC_SYNTAX, "", false),
	ROW("nothing", "", RC_SYNTAX, "", false),
	ROW("a mark only", "\x01", RC_SYNTAX, "", false),
	ROW("a chunk cut",
	    "\x01\x19\xb0\x00"
	    "abc",
	    RC_OK, "abc", true),
	ROW("a copy from before the beginning",
	    "\x01\x04\xb0\x02"
	    "a\x00\x10"
	    "b",
	    RC_OK, "a", true),
	ROW("a copy that is cut",
	    "\x01\x02\xb0\x02"
	    "a\x00",
	    RC_OK, "a", true),
};
/* clang-format on */

static void test_unpack(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unpack_rows / sizeof unpack_rows[0]; i++) {
		const struct unpack_row *row = &unpack_rows[i];
		struct budget            budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf               plain = buf_make(65536);
		bool                     damaged = false;
		const enum rc            rc = vba_unpack(row->packed, &budget, &plain, &damaged);
		if (rc != row->rc || !slice_eq(buf_slice(&plain), slice_str(row->plain)) || damaged != row->damaged)
			fail_msg("%s: %s, \"%.*s\", damaged %d", row->name, rc_word(rc), (int)plain.len,
			         (const char *)plain.ptr, damaged);
		for (size_t cut = 0; cut < row->packed.len; cut++) {
			buf_clear(&plain);
			(void)!vba_unpack(slice_take(row->packed, cut), &budget, &plain, &damaged);
		}
		buf_done(&plain);
	}
}

/* The bound of what comes out: one less than the text, as much, one more. */
static void test_unpack_bounds(void **state)
{
	struct buf packed = buf_make(65536);
	struct buf text = buf_make(65536);

	(void)state;
	for (size_t i = 0; i < 9000; i++)
		buf_put_byte(&text, (uint8_t)('a' + i % 23));
	pack(buf_slice(&text), &packed);
	for (size_t max = text.len - 1; max <= text.len + 1; max++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf    plain = buf_make(max);
		bool          damaged = false;
		assert_int_equal(vba_unpack(buf_slice(&packed), &budget, &plain, &damaged),
		                 max < text.len ? RC_LIMIT : RC_OK);
		assert_int_equal(plain.len, max < text.len ? plain.len : text.len);
		buf_done(&plain);
	}
	for (uint64_t steps = 3 * 4096 - 1; steps <= 3 * 4096 + 1; steps++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct buf    plain = buf_make(65536);
		bool          damaged = false;
		budget.left[BUDGET_STEPS] = steps;
		assert_int_equal(vba_unpack(buf_slice(&packed), &budget, &plain, &damaged),
		                 steps < 3 * 4096 ? RC_LIMIT : RC_OK);
		buf_done(&plain);
	}
	buf_done(&packed);
	buf_done(&text);
}

/* Reads the project of a file with these streams. */
static enum rc project(const struct compound_stream *streams, size_t count, struct heard *heard)
{
	struct buf                file = buf_make(1u << 20);
	struct arena              arena;
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	const struct content_sink sink = heard_sink(heard);
	struct ole                ole;

	compound_make(streams, count, &file);
	if (arena_init(&arena, OLE_ARENA(file.len)) != RC_OK) {
		buf_done(&file);
		return RC_NOMEM;
	}
	enum rc rc = ole_open(buf_slice(&file), &budget, &arena, &ole);
	if (rc == RC_OK)
		rc = vba_project(&ole, ole_path(&ole, 0, SLICE("Macros/VBA")), &budget, &arena, &sink);
	arena_done(&arena);
	buf_done(&file);
	return rc;
}

struct sample {
	struct buf module, directory, misplaced;
};

static void sample_make(struct sample *s, const char *source)
{
	s->module = buf_make(65536);
	s->directory = buf_make(65536);
	s->misplaced = buf_make(65536);
	buf_put_str(&s->module, "compiled Shell AutoOpen");
	pack(slice_str(source), &s->module);
	directory(&s->directory, 1252, 23);
	directory(&s->misplaced, 1252, 7);
}

static void sample_done(struct sample *s)
{
	buf_done(&s->module);
	buf_done(&s->directory);
	buf_done(&s->misplaced);
}

static void test_project(void **state)
{
	struct sample s;
	struct heard  heard = heard_make();

	(void)state;
	sample_make(&s, SOURCE);
	const struct compound_stream streams[] = { { "Macros/VBA/dir", buf_slice(&s.directory) },
		                                   { "Macros/VBA/M", buf_slice(&s.module) } };
	assert_int_equal(project(streams, 2, &heard), RC_OK);
	assert_true(heard_line(&heard, "fact macro.vba"));
	assert_true(heard_line(&heard, "member 64 M|Attribute VB_Name"));
	assert_true(heard_line(&heard, "fact macro.autorun AutoOpen"));
	assert_true(heard_line(&heard, "fact macro.execute Shell"));
	assert_false(heard_line(&heard, "fact macro.damaged"));
	assert_false(heard_line(&heard, "fact macro.stomped"));
	for (long count = 0; count < 8; count++) {
		buf_clear(&heard.lines);
		heard.fail_after = count;
		const enum rc rc = project(streams, 2, &heard);
		assert_true(rc == RC_OK || rc == RC_CONFLICT);
	}
	sample_done(&s);
	heard_done(&heard);
}

/* Where the directory is missing, damaged or points beside the source, the source is found all the same. */
static void test_project_hidden(void **state)
{
	static const struct slice broken = SLICE_INIT("\1\1\xb0garbage");
	struct sample             s;

	(void)state;
	sample_make(&s, SOURCE);
	const struct compound_stream cases[][2] = {
		{ { "Macros/VBA/M", buf_slice(&s.module) }, { "Macros/VBA/x", SLICE("") } },
		{ { "Macros/VBA/dir", broken }, { "Macros/VBA/M", buf_slice(&s.module) } },
		{ { "Macros/VBA/dir", buf_slice(&s.misplaced) }, { "Macros/VBA/M", buf_slice(&s.module) } },
		{ { "Macros/VBA/dir", buf_slice(&s.directory) }, { "Macros/VBA/N", buf_slice(&s.module) } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct heard heard = heard_make();
		assert_int_equal(project(cases[i], 2, &heard), RC_OK);
		if (!heard_line(&heard, "fact macro.autorun AutoOpen") || !heard_line(&heard, "fact macro.damaged"))
			fail_msg("case %zu: %.*s", i, (int)heard.lines.len, (const char *)heard.lines.ptr);
		heard_done(&heard);
	}
	sample_done(&s);
}

static void test_stomped(void **state)
{
	struct sample s;
	struct heard  heard = heard_make();

	(void)state;
	sample_make(&s, "Attribute VB_Name = \"M\"\r\nSub Hello()\r\nEnd Sub\r\n");
	const struct compound_stream streams[] = { { "Macros/VBA/dir", buf_slice(&s.directory) },
		                                   { "Macros/VBA/M", buf_slice(&s.module) } };
	assert_int_equal(project(streams, 2, &heard), RC_OK);
	assert_true(heard_line(&heard, "fact macro.stomped"));
	buf_clear(&heard.lines);
	/* No source at all, only what is compiled. */
	memset(s.module.ptr + 23, 0xaa, s.module.len - 23);
	assert_int_equal(project(streams, 2, &heard), RC_OK);
	assert_true(heard_line(&heard, "fact macro.stomped"));
	sample_done(&s);
	heard_done(&heard);
}

static void test_locked(void **state)
{
	struct sample s;
	struct heard  heard = heard_make();

	(void)state;
	sample_make(&s, SOURCE);
	const struct compound_stream streams[] = {
		{ "Macros/VBA/dir", buf_slice(&s.directory) },
		{ "Macros/VBA/M", buf_slice(&s.module) },
		{ "Macros/PROJECT",
		  SLICE("ID=\"{0}\"\r\nDPB=\"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789\"\r\n") },
	};
	assert_int_equal(project(streams, 3, &heard), RC_OK);
	assert_true(heard_line(&heard, "fact macro.locked"));
	buf_clear(&heard.lines);
	assert_int_equal(project(streams, 2, &heard), RC_OK);
	assert_false(heard_line(&heard, "fact macro.locked"));
	sample_done(&s);
	heard_done(&heard);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_unpack),  cmocka_unit_test(test_unpack_bounds),
		cmocka_unit_test(test_project), cmocka_unit_test(test_project_hidden),
		cmocka_unit_test(test_stomped), cmocka_unit_test(test_locked),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
