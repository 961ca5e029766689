/*
 * Zips made by hand: what every reading gives, and what each kind of lie is told as. Members are stored, so that the bytes
 * can be laid by hand; methods and encryption stand in open_test.c and in the conformance suite.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive/libarchive.h"
#include "archive/zip.h"
#include "archive/zip_index.h"
#include "base/cursor.h"
#include "content/inflate.h"

struct heard {
	struct buf text; /* "name=bytes" and flags of each member, then a blank */
	bool       facts[CONTENT_FACTS];
	size_t     members;
};

static enum rc on_member(void *context, const struct content_member *member)
{
	struct heard *heard = context;

	buf_put(&heard->text, member->name);
	buf_put_byte(&heard->text, '=');
	buf_put(&heard->text, slice_take(member->bytes, 20));
	if (member->flags != 0)
		buf_put_byte(&heard->text, '/');
	if (member->flags != 0)
		buf_put_u64(&heard->text, member->flags);
	buf_put_byte(&heard->text, ' ');
	heard->members++;
	return RC_OK;
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	struct heard *heard = context;

	(void)evidence;
	heard->facts[fact] = true;
	return RC_OK;
}

static struct buf   zip;
static struct heard heard;
static struct budget budget;

static void fresh(void)
{
	zip = buf_make(1 << 20);
	heard = (struct heard){ .text = buf_make(1 << 20) };
	budget = budget_make(&BUDGET_LIMITS_STANDARD);
}

static void done(void)
{
	buf_done(&zip);
	buf_done(&heard.text);
}

struct row {
	const char *name, *bytes;
	uint16_t    flags, method;
	size_t      at; /* of its local header */
};

/* A local header and data; remembers where. */
static void put_local(struct row *row)
{
	const struct slice bytes = slice_str(row->bytes);

	row->at = zip.len;
	cursor_put_u32(&zip, 0x04034b50u);
	cursor_put_u16(&zip, 20);
	cursor_put_u16(&zip, row->flags);
	cursor_put_u16(&zip, row->method);
	cursor_put_u32(&zip, 0);
	cursor_put_u32(&zip, inflate_crc32(0, bytes));
	cursor_put_u32(&zip, (uint32_t)bytes.len);
	cursor_put_u32(&zip, (uint32_t)bytes.len);
	cursor_put_u16(&zip, (uint16_t)strlen(row->name));
	cursor_put_u16(&zip, 0);
	buf_put_str(&zip, row->name);
	buf_put(&zip, bytes);
}

static void put_central(const struct row *row)
{
	const struct slice bytes = slice_str(row->bytes);

	cursor_put_u32(&zip, 0x02014b50u);
	cursor_put_u16(&zip, 20);
	cursor_put_u16(&zip, 20);
	cursor_put_u16(&zip, row->flags);
	cursor_put_u16(&zip, row->method);
	cursor_put_u32(&zip, 0);
	cursor_put_u32(&zip, inflate_crc32(0, bytes));
	cursor_put_u32(&zip, (uint32_t)bytes.len);
	cursor_put_u32(&zip, (uint32_t)bytes.len);
	cursor_put_u16(&zip, (uint16_t)strlen(row->name));
	cursor_put_u32(&zip, 0);
	cursor_put_u32(&zip, 0);
	cursor_put_u32(&zip, 0);
	cursor_put_u32(&zip, (uint32_t)row->at);
	buf_put_str(&zip, row->name);
}

static void put_end(size_t directory, size_t shift, uint16_t comment)
{
	const size_t size = zip.len - directory;

	cursor_put_u32(&zip, 0x06054b50u);
	cursor_put_u32(&zip, 0);
	cursor_put_u16(&zip, 1);
	cursor_put_u16(&zip, 1);
	cursor_put_u32(&zip, (uint32_t)size);
	cursor_put_u32(&zip, (uint32_t)(directory - shift));
	cursor_put_u16(&zip, comment);
}

/* All rows with local headers, a directory of them, an end. */
static void put_all(struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_local(&rows[i]);
	const size_t directory = zip.len;
	for (size_t i = 0; i < count; i++)
		put_central(&rows[i]);
	put_end(directory, 0, 0);
}

static enum rc open_it(void)
{
	const struct content_sink sink = { .context = &heard, .member = on_member, .fact = on_fact };
	const struct archive_job  job = { buf_slice(&zip), NULL, &budget, &sink };

	assert_false(zip.failed);
	return zip_open(&job);
}

static unsigned facts_count(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < CONTENT_FACTS; i++)
		count += heard.facts[i];
	return count;
}

static void expect(const char *members, int fact)
{
	assert_int_equal(open_it(), RC_OK);
	if (!slice_eq(buf_slice(&heard.text), slice_str(members)))
		fail_msg("members: %.*s", (int)heard.text.len, (const char *)heard.text.ptr);
	assert_int_equal(facts_count(), fact >= 0);
	if (fact >= 0)
		assert_true(heard.facts[fact]);
	done();
}

static void an_honest_one_has_no_facts(void **state)
{
	struct row rows[] = { { .name = "a", .bytes = "one" }, { .name = "d/", .bytes = "" }, { .name = "d/b", .bytes = "two" } };

	(void)state;
	fresh();
	put_all(rows, 3);
	expect("a=one d/b=two ", -1);
}

static void both_names_are_told(void **state)
{
	struct row row = { .name = "safe.txt", .bytes = "one" };

	(void)state;
	fresh();
	put_local(&row);
	const size_t directory = zip.len;
	row.name = "evil.exe";
	put_central(&row);
	put_end(directory, 0, 0);
	expect("evil.exe=one safe.txt=one ", CONTENT_FACT_ARCHIVE_NAME);
}

static void members_that_no_directory_knows_are_told(void **state)
{
	struct row rows[] = { { .name = "a", .bytes = "one" }, { .name = "b", .bytes = "two" } };

	(void)state;
	fresh();
	put_local(&rows[0]);
	put_local(&rows[1]);
	const size_t directory = zip.len;
	put_central(&rows[0]);
	put_end(directory, 0, 0);
	assert_int_equal(open_it(), RC_OK);
	assert_true(slice_starts(buf_slice(&heard.text), SLICE("a=one b=two/128 ")));
	assert_true(heard.facts[CONTENT_FACT_ARCHIVE_HIDDEN]);
	done();
}

static void sizes_that_differ_give_both_readings(void **state)
{
	struct row row = { .name = "a", .bytes = "one and more" };

	(void)state;
	fresh();
	put_local(&row);
	const size_t directory = zip.len;
	row.bytes = "one";
	put_central(&row);
	put_end(directory, 0, 0);
	expect("a=one a=one and more ", CONTENT_FACT_ARCHIVE_DIRECTORY);
}

static void the_same_name_twice_is_told(void **state)
{
	struct row rows[] = { { .name = "a", .bytes = "one" }, { .name = "a", .bytes = "two" } };

	(void)state;
	fresh();
	put_all(rows, 2);
	expect("a=one a=two ", CONTENT_FACT_ARCHIVE_DUPLICATE);
}

static void shared_bytes_are_told(void **state)
{
	struct row row = { .name = "a", .bytes = "one" };

	(void)state;
	fresh();
	put_local(&row);
	const size_t directory = zip.len;
	put_central(&row);
	row.name = "b";
	put_central(&row);
	put_end(directory, 0, 0);
	assert_int_equal(open_it(), RC_OK);
	assert_true(heard.facts[CONTENT_FACT_ARCHIVE_OVERLAP]);
	assert_int_equal(heard.members, 2);
	done();
}

/* So many names for the same data have its bytes; one more has its name only. */
static void names_for_the_same_bytes_are_bounded(void **state)
{
	static const char names[] = "abcde";
	char              name[2] = "";
	struct row        row = { .name = name, .bytes = "one" };

	(void)state;
	for (size_t count = 3; count <= 5; count++) {
		fresh();
		name[0] = 'a';
		put_local(&row);
		const size_t directory = zip.len;
		for (size_t i = 0; i < count; i++) {
			name[0] = names[i];
			put_central(&row);
		}
		put_end(directory, 0, 0);
		assert_int_equal(open_it(), RC_OK);
		assert_int_equal(heard.members, count);
		assert_int_equal(slice_ends(buf_slice(&heard.text), SLICE("e=/2 ")), count == 5);
		done();
	}
}

static void what_stands_before_and_behind_is_told(void **state)
{
	static uint8_t stub[ZIP_GAP_MIN];
	struct row     row = { .name = "a", .bytes = "one" };

	(void)state;
	memset(stub, 'x', sizeof stub);
	for (unsigned shifted = 0; shifted < 2; shifted++) {
		fresh();
		buf_put(&zip, slice_of(stub, sizeof stub));
		put_local(&row);
		const size_t directory = zip.len;
		row.at -= shifted * sizeof stub;
		put_central(&row);
		put_end(directory, shifted * sizeof stub, 0);
		expect("a=one =xxxxxxxxxxxxxxxxxxxx/128 ", CONTENT_FACT_TRAILING);
	}
	fresh();
	put_all(&row, 1);
	buf_put(&zip, slice_of(stub, sizeof stub));
	expect("a=one =xxxxxxxxxxxxxxxxxxxx/128 ", CONTENT_FACT_TRAILING);
	/* one byte less is padding */
	fresh();
	put_all(&row, 1);
	buf_put(&zip, slice_of(stub, sizeof stub - 1));
	expect("a=one ", -1);
}

/* The comment of the one end record is another end record, with a directory of its own. */
static void two_directories_are_both_read(void **state)
{
	struct row rows[] = { { .name = "a", .bytes = "one" }, { .name = "b", .bytes = "two" } };

	(void)state;
	fresh();
	put_local(&rows[0]);
	put_local(&rows[1]);
	const size_t second = zip.len;
	put_central(&rows[1]);
	const size_t first = zip.len;
	put_central(&rows[0]);
	put_end(first, 0, 23);
	const size_t size = first - second;
	cursor_put_u32(&zip, 0x06054b50u);
	cursor_put_u32(&zip, 0);
	cursor_put_u32(&zip, 0x00010001u);
	cursor_put_u32(&zip, (uint32_t)size);
	cursor_put_u32(&zip, (uint32_t)second);
	cursor_put_u16(&zip, 0);
	buf_put_byte(&zip, 'x');
	assert_int_equal(open_it(), RC_OK);
	assert_true(slice_starts(buf_slice(&heard.text), SLICE("a=one b=two ")));
	assert_true(heard.facts[CONTENT_FACT_ARCHIVE_DIRECTORY]);
	done();
}

static void an_encrypted_flag_may_lie(void **state)
{
	struct row row = { .name = "a", .bytes = "one", .flags = ZIP_FLAG_ENCRYPTED };

	(void)state;
	fresh();
	put_all(&row, 1);
	expect("a=one ", -1);
}

static void unknown_methods_are_told(void **state)
{
	struct row row = { .name = "a", .bytes = "one", .method = 1 };

	(void)state;
	fresh();
	put_all(&row, 1);
	expect("a=/8 ", CONTENT_FACT_UNREADABLE);
}

static void without_a_directory_the_members_are_read(void **state)
{
	struct row row = { .name = "a", .bytes = "one" };

	(void)state;
	fresh();
	put_local(&row);
	expect("a=one ", CONTENT_FACT_DAMAGED);
}

static void names_that_lead_out_are_told(void **state)
{
	static const char *const bad[] = { "../a", "a/../b", "..\\a", "/a", "\\a", "C:a", "a\nb", "con", "a/NUL.txt", "com1", "a/.." };
	static const char *const good[] = { "a", "a/b", "..a", "a..", "...", "console", "ab:c", "com10", "nulls/x" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_true(archive_name_is_bad(slice_str(bad[i])));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_false(archive_name_is_bad(slice_str(good[i])));
	assert_true(archive_name_is_bad(SLICE("a\0.txt")));
}

/* Every prefix, and every byte changed: never more comes out than the budget has. */
static void damage_is_harmless(void **state)
{
	struct row rows[] = { { .name = "a", .bytes = "one" }, { .name = "b", .bytes = "two", .flags = ZIP_FLAG_DESCRIPTOR } };

	(void)state;
	fresh();
	put_all(rows, 2);
	const size_t whole = zip.len;
	for (size_t cut = 0; cut < whole; cut++) {
		zip.len = cut;
		budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const enum rc rc = open_it();
		assert_true(rc == RC_OK || rc == RC_UNSUPPORTED);
		zip.len = whole;
		for (unsigned value = 0; value < 256; value += 15) {
			const uint8_t before = zip.ptr[cut];
			zip.ptr[cut] = (uint8_t)value;
			budget = budget_make(&BUDGET_LIMITS_STANDARD);
			const enum rc changed = open_it();
			assert_true(changed == RC_OK || changed == RC_UNSUPPORTED);
			zip.ptr[cut] = before;
			buf_clear(&heard.text);
		}
	}
	done();
}

static void limits_cut_it(void **state)
{
	struct row rows[] = { { .name = "a", .bytes = "one" }, { .name = "b", .bytes = "two" } };

	(void)state;
	for (uint64_t left = 0; left < 8; left++) {
		fresh();
		put_all(rows, 2);
		budget.left[BUDGET_BYTES] = left;
		assert_int_equal(open_it(), left < 6 ? RC_LIMIT : RC_OK);
		assert_int_equal(budget.cut[BUDGET_BYTES], left < 6);
		done();
	}
	for (uint64_t left = 0; left < 4; left++) {
		fresh();
		put_all(rows, 2);
		budget.left[BUDGET_ITEMS] = left;
		assert_int_equal(open_it(), left < 2 ? RC_LIMIT : RC_OK);
		assert_int_equal(heard.members, left < 2 ? left : 2);
		done();
	}
}

static int ready(void **state)
{
	(void)state;
	return libarchive_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_one_has_no_facts),
		cmocka_unit_test(both_names_are_told),
		cmocka_unit_test(members_that_no_directory_knows_are_told),
		cmocka_unit_test(sizes_that_differ_give_both_readings),
		cmocka_unit_test(the_same_name_twice_is_told),
		cmocka_unit_test(shared_bytes_are_told),
		cmocka_unit_test(names_for_the_same_bytes_are_bounded),
		cmocka_unit_test(what_stands_before_and_behind_is_told),
		cmocka_unit_test(two_directories_are_both_read),
		cmocka_unit_test(an_encrypted_flag_may_lie),
		cmocka_unit_test(unknown_methods_are_told),
		cmocka_unit_test(without_a_directory_the_members_are_read),
		cmocka_unit_test(names_that_lead_out_are_told),
		cmocka_unit_test(damage_is_harmless),
		cmocka_unit_test(limits_cut_it),
	};

	return cmocka_run_group_tests(tests, ready, NULL);
}
