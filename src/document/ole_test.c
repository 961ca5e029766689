/* Compound files: lawful ones of the harness, then ones that lie in each field. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "document/ole.h"
#include "harness/compound.h"

static uint8_t large[9000];

static void make(struct buf *out)
{
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (uint8_t)(i * 7);
	const struct compound_stream streams[] = {
		{ "WordDocument", slice_of(large, sizeof large) },
		{ "Macros/VBA/dir", SLICE("a directory") },
		{ "Macros/VBA/Module1", slice_of(large, 4095) },
		{ "Macros/PROJECT", slice_of(large, 4096) },
		{ "\1Ole10Native", SLICE("") },
		{ "ObjectPool/", SLICE("") },
	};
	compound_make(streams, sizeof streams / sizeof streams[0], out);
}

static enum rc stream_at(const struct ole *ole, const char *path, struct arena *arena, struct slice *out, bool *whole)
{
	struct budget  budget = budget_make(&BUDGET_LIMITS_STANDARD);
	const uint32_t at = ole_path(ole, 0, slice_str(path));

	if (at == OLE_NONE)
		return RC_NOTFOUND;
	return ole_stream(ole, at, &budget, arena, out, whole);
}

static void test_lawful(void **state)
{
	struct buf    file = buf_make(1u << 20);
	struct arena  arena;
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct ole    ole;
	struct slice  bytes;
	bool          whole;

	(void)state;
	make(&file);
	assert_int_equal(arena_init(&arena, OLE_ARENA(file.len)), RC_OK);
	assert_true(ole_is(buf_slice(&file)));
	assert_int_equal(ole_open(buf_slice(&file), &budget, &arena, &ole), RC_OK);
	assert_false(ole.damaged);
	assert_int_equal(ole.count, 9);
	assert_int_equal(stream_at(&ole, "WordDocument", &arena, &bytes, &whole), RC_OK);
	assert_true(whole && slice_eq(bytes, slice_of(large, sizeof large)));
	assert_int_equal(stream_at(&ole, "macros/vba/DIR", &arena, &bytes, &whole), RC_OK);
	assert_true(whole && slice_eq(bytes, SLICE("a directory")));
	assert_int_equal(stream_at(&ole, "Macros/VBA/Module1", &arena, &bytes, &whole), RC_OK);
	assert_true(whole && slice_eq(bytes, slice_of(large, 4095)));
	assert_int_equal(stream_at(&ole, "Macros/PROJECT", &arena, &bytes, &whole), RC_OK);
	assert_true(whole && slice_eq(bytes, slice_of(large, 4096)));
	assert_int_equal(stream_at(&ole, "\1Ole10Native", &arena, &bytes, &whole), RC_OK);
	assert_true(whole && bytes.len == 0);
	assert_int_equal(stream_at(&ole, "ObjectPool", &arena, &bytes, &whole), RC_OK);
	assert_true(whole && bytes.len == 0);
	assert_int_equal(stream_at(&ole, "Macros/VBA/none", &arena, &bytes, &whole), RC_NOTFOUND);
	for (uint32_t i = 0; i < ole.count; i++)
		assert_false(ole.entries[i].orphan);
	arena_done(&arena);
	buf_done(&file);
}

/* Reads all there is; whatever the answer, it ends and stays inside. */
static void read_all(struct slice file, size_t arena_bytes_max, uint64_t steps)
{
	struct arena  arena;
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct ole    ole;

	budget.left[BUDGET_STEPS] = steps;
	assert_int_equal(arena_init(&arena, arena_bytes_max), RC_OK);
	if (ole_open(file, &budget, &arena, &ole) == RC_OK)
		for (uint32_t i = 0; i < ole.count; i++) {
			const size_t mark = arena.used;
			struct slice bytes;
			bool         whole;
			if (ole_stream(&ole, i, &budget, &arena, &bytes, &whole) == RC_OK)
				assert_true(bytes.len <= file.len);
			arena.used = mark;
		}
	arena_done(&arena);
}

static void test_cut_anywhere(void **state)
{
	struct buf file = buf_make(1u << 20);

	(void)state;
	make(&file);
	for (size_t cut = 0; cut < file.len; cut += cut < 4096 ? 1 : 97)
		read_all(slice_take(buf_slice(&file), cut), OLE_ARENA(cut), 1u << 24);
	for (size_t size = 16; size < 60000; size += 997)
		read_all(buf_slice(&file), size, 1u << 24);
	for (uint64_t steps = 0; steps < 40000; steps += 511)
		read_all(buf_slice(&file), OLE_ARENA(file.len), steps);
	buf_done(&file);
}

/* Every field of the header, the directory and the table set to values that lie. */
static void test_lies(void **state)
{
	static const uint32_t lies[] = { 0, 1, 2, 17, 0x7fffffffu, 0xfffffff9u, 0xfffffffeu, 0xffffffffu };
	struct buf            file = buf_make(1u << 20);

	(void)state;
	make(&file);
	for (size_t at = 24; at + 4 <= file.len; at += at < 512 ? 2 : at < 9728 ? 509 : 4)
		for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
			uint8_t saved[4];
			memcpy(saved, file.ptr + at, 4);
			for (size_t byte = 0; byte < 4; byte++)
				file.ptr[at + byte] = (uint8_t)(lies[i] >> 8 * byte);
			read_all(buf_slice(&file), OLE_ARENA(file.len), 1u << 24);
			memcpy(file.ptr + at, saved, 4);
		}
	buf_done(&file);
}

/* Where the directory's sectors begin: field 48 of the header. */
static size_t directory_at(const struct buf *file)
{
	return ((size_t)file->ptr[48] + 1 + (size_t)file->ptr[49] * 256) * 512;
}

static void test_orphan(void **state)
{
	struct buf    file = buf_make(1u << 20);
	struct arena  arena;
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct ole    ole;
	struct slice  bytes;
	bool          whole;
	size_t        orphans = 0;

	(void)state;
	make(&file);
	/* The root leads nowhere: all others are orphans, and still readable. */
	memset(file.ptr + directory_at(&file) + 76, 0xff, 4);
	assert_int_equal(arena_init(&arena, OLE_ARENA(file.len)), RC_OK);
	assert_int_equal(ole_open(buf_slice(&file), &budget, &arena, &ole), RC_OK);
	for (uint32_t i = 0; i < ole.count; i++) {
		orphans += ole.entries[i].orphan;
		if (slice_eq(ole.entries[i].name, SLICE("dir"))) {
			assert_int_equal(ole_stream(&ole, i, &budget, &arena, &bytes, &whole), RC_OK);
			assert_true(slice_eq(bytes, SLICE("a directory")));
		}
	}
	assert_int_equal(orphans, 8);
	assert_int_equal(ole_path(&ole, 0, SLICE("Macros")), OLE_NONE);
	arena_done(&arena);
	buf_done(&file);
}

/* OLE_NAME_MAX: names of 30, 31 and 32 units that take three bytes each; the 32nd is where the NUL belongs. */
static void test_name_max(void **state)
{
	(void)state;
	for (size_t units = 30; units <= 32; units++) {
		struct buf    file = buf_make(1u << 20);
		struct arena  arena;
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct ole    ole;
		make(&file);
		uint8_t *entry = file.ptr + directory_at(&file) + 128;
		memset(entry, 0, 64);
		memset(entry, 0x4e, units * 2);
		entry[64] = 64;
		assert_int_equal(arena_init(&arena, OLE_ARENA(file.len)), RC_OK);
		assert_int_equal(ole_open(buf_slice(&file), &budget, &arena, &ole), RC_OK);
		assert_int_equal(ole.entries[1].name.len, units < 31 ? units * 3 : OLE_NAME_MAX);
		arena_done(&arena);
		buf_done(&file);
	}
}

static void test_not_compound(void **state)
{
	struct arena  arena;
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct ole    ole;
	uint8_t       header[512] = { 0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1 };

	(void)state;
	assert_int_equal(arena_init(&arena, 65536), RC_OK);
	assert_false(ole_is(SLICE("")));
	assert_int_equal(ole_open(SLICE(""), &budget, &arena, &ole), RC_SYNTAX);
	assert_int_equal(ole_open(SLICE("PK\3\4"), &budget, &arena, &ole), RC_SYNTAX);
	assert_int_equal(ole_open(slice_of(header, 511), &budget, &arena, &ole), RC_SYNTAX);
	assert_int_equal(ole_open(slice_of(header, 512), &budget, &arena, &ole), RC_SYNTAX);
	arena_done(&arena);
}

/* OLE_ENTRIES_MAX: a directory of as many sectors as it takes, one entry less, just as many, one more. */
static void test_entries_max(void **state)
{
	(void)state;
	for (uint32_t entries = OLE_ENTRIES_MAX - 1; entries <= OLE_ENTRIES_MAX + 1; entries++) {
		const uint32_t directory = (entries + 3) / 4, fat = (directory + 200) / 128 + 1;
		struct buf     file = buf_make(4u << 20);
		struct arena   arena;
		struct budget  budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct ole     ole;
		static uint8_t zero[512];
		buf_put(&file, slice_of(zero, 512));
		memcpy(file.ptr, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
		file.ptr[30] = 9;
		memset(file.ptr + 60, 0xff, 452);
		file.ptr[48] = (uint8_t)fat;
		file.ptr[49] = (uint8_t)(fat >> 8);
		for (uint32_t i = 0; i < fat && i < 109; i++)
			file.ptr[76 + i * 4] = (uint8_t)i, file.ptr[77 + i * 4] = 0, file.ptr[78 + i * 4] = 0,
					  file.ptr[79 + i * 4] = 0;
		for (uint32_t i = 0; i < fat * 128; i++)
			cursor_put_u32(&file, i >= fat && i + 1 < fat + directory ? i + 1 : 0xfffffffeu);
		for (uint32_t i = 0; i < entries; i++) {
			buf_put(&file, slice_of(zero, 128));
			file.ptr[file.len - 128 + 66] = 2;
		}
		assert_false(file.failed);
		assert_int_equal(arena_init(&arena, OLE_ARENA(file.len)), RC_OK);
		assert_int_equal(ole_open(buf_slice(&file), &budget, &arena, &ole), RC_OK);
		assert_int_equal(ole.count, entries < OLE_ENTRIES_MAX ? entries : OLE_ENTRIES_MAX);
		arena_done(&arena);
		buf_done(&file);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_lawful), cmocka_unit_test(test_cut_anywhere), cmocka_unit_test(test_lies),
		cmocka_unit_test(test_orphan), cmocka_unit_test(test_not_compound), cmocka_unit_test(test_entries_max), cmocka_unit_test(test_name_max),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
