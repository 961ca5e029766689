#include "base/setting.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define ARENA_BYTES (256u << 10)

struct house {
	bool                lit;
	uint64_t            number;
	uint64_t            size;
	uint64_t            wait;
	uint32_t            colour;
	struct slice        motto;
	struct slice        secret;
	struct setting_list guests;
};

struct door {
	struct slice        name;
	uint64_t            width;
	struct setting_list keys;
};

static const char *const colours[] = { "red", "green", "blue", NULL };

/* clang-format off */
static const struct setting house_settings[] = {
	{ .key = "lit", .kind = SETTING_BOOL, .offset = offsetof(struct house, lit), .standard = "no", .help = "Is there light?" },
	{ .key = "number", .kind = SETTING_NUMBER, .offset = offsetof(struct house, number), .min = 1, .max = 99, .standard = "7",
	  .unit = "houses", .help = "Where it stands." },
	{ .key = "size", .kind = SETTING_SIZE, .offset = offsetof(struct house, size), .min = 1024, .max = 2ull << 30, .standard = "50M",
	  .help = "How large it is." },
	{ .key = "wait", .kind = SETTING_DURATION, .offset = offsetof(struct house, wait), .min = 0, .max = 432000000, .standard = "1500ms",
	  .help = "How long one waits." },
	{ .key = "colour", .kind = SETTING_WORD, .offset = offsetof(struct house, colour), .words = colours, .standard = "green",
	  .help = "Its colour." },
	{ .key = "motto", .kind = SETTING_TEXT, .offset = offsetof(struct house, motto), .min = 0, .max = 10, .standard = "",
	  .help = "What stands above its door." },
	{ .key = "secret", .kind = SETTING_TEXT, .offset = offsetof(struct house, secret), .min = 4, .max = 8, .standard = "none",
	  .secret = true, .help = "What nobody sees." },
	{ .key = "guests", .kind = SETTING_LIST, .offset = offsetof(struct house, guests), .min = 0, .max = 9, .standard = "ann, bob",
	  .help = "Who may come." },
	{ .key = NULL },
};
/* clang-format on */

static const struct setting door_settings[] = {
	{ .key = "width", .kind = SETTING_NUMBER, .offset = offsetof(struct door, width), .min = 1, .max = 9, .help = "How wide it is." },
	{ .key = "keys", .kind = SETTING_LIST, .offset = offsetof(struct door, keys), .min = 2, .max = 4, .standard = "a, b",
	  .help = "What opens it." },
	{ .key = NULL },
};

static const struct setting_section sections[] = {
	{ .name = "house", .settings = house_settings, .size = sizeof(struct house), .max = 1, .help = "The house." },
	{ .name = "door", .named = true, .settings = door_settings, .size = sizeof(struct door), .max = 3, .help = "One of its doors." },
};

static uint8_t               memory[ARENA_BYTES] __attribute__((aligned(16)));
static struct setting_values values;
static struct setting_error  errors[8];
static size_t                error_count;

static enum rc read_text(struct slice text)
{
	struct arena arena = arena_on(memory, sizeof memory);

	return setting_read(text, sections, COUNT(sections), &arena, &values, errors, COUNT(errors), &error_count);
}

static const struct house *house(void)
{
	return values.sections[0].items;
}

static const struct door *doors(void)
{
	return values.sections[1].items;
}

static void assert_slice(struct slice s, const char *text)
{
	assert_true(slice_eq(s, slice_str(text)));
}

static void an_empty_file_gives_the_standards(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# only a comment", "\r\n  \t # x\r\n", "\xef\xbb\xbf", "[house]\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(read_text(slice_str(texts[i])), RC_OK);
		assert_int_equal(error_count, 0);
		assert_int_equal(values.sections[0].count, 1);
		assert_int_equal(values.sections[0].lines[0], i == 5 ? 1 : 0);
		assert_int_equal(values.sections[1].count, 0);
		assert_false(house()->lit);
		assert_int_equal(house()->number, 7);
		assert_int_equal(house()->size, 50u << 20);
		assert_int_equal(house()->wait, 1500);
		assert_int_equal(house()->colour, 1);
		assert_int_equal(house()->motto.len, 0);
		assert_slice(house()->secret, "none");
		assert_int_equal(house()->guests.count, 2);
		assert_slice(house()->guests.items[1], "bob");
	}
}

static const char full_text[] =
	"# the house\r\n"
	"[house]\n"
	"lit = yes # by day, too\n"
	"number=99\n"
	"  size =\t2G\n"
	"wait = 5d\n"
	"colour = blue\n"
	"motto = a#b = c\n"
	"secret = 12345678\n"
	"guests = eve,  dan\n"
	"guests = kim\n"
	"[ door  front ]\n"
	"width = 1\n"
	"[door back-1.x]\n"
	"width = 9\n"
	"keys = k\n"
	"keys = l, m\n"
	"keys = n";

static void check_full(void)
{
	assert_int_equal(error_count, 0);
	assert_true(house()->lit);
	assert_int_equal(house()->number, 99);
	assert_true(house()->size == 2ull << 30);
	assert_int_equal(house()->wait, 432000000);
	assert_int_equal(house()->colour, 2);
	assert_slice(house()->motto, "a#b = c");
	assert_slice(house()->secret, "12345678");
	assert_int_equal(house()->guests.count, 3);
	assert_slice(house()->guests.items[0], "eve");
	assert_slice(house()->guests.items[2], "kim");
	assert_int_equal(values.sections[1].count, 2);
	assert_int_equal(values.sections[1].lines[1], 14);
	assert_slice(doors()[0].name, "front");
	assert_int_equal(doors()[0].width, 1);
	assert_slice(doors()[0].keys.items[0], "a");
	assert_slice(doors()[1].name, "back-1.x");
	assert_int_equal(doors()[1].keys.count, 4);
	assert_slice(doors()[1].keys.items[3], "n");
}

static void a_full_file_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_text(slice_str(full_text)), RC_OK);
	check_full();
}

struct row {
	const char  *name;
	struct slice text;
	size_t       line, column;
	const char  *expected;
	const char  *found;
};

#define ROW(name, text, line, column, expected, found) { name, SLICE_INIT(text), line, column, expected, found }

/* clang-format off */
static const struct row unlawful[] = {
	ROW("bool as in C", "[house]\nlit = true", 2, 7, "expected yes or no", "true"),
	ROW("bool empty", "[house]\nlit =", 2, 1, "expected yes or no", "lit"),
	ROW("number below", "[house]\nnumber = 0", 2, 10, "expected a number from 1 to 99", "0"),
	ROW("number above", "[house]\nnumber = 100", 2, 10, "expected a number from 1 to 99", "100"),
	ROW("number negative", "[house]\nnumber = -1", 2, 10, "expected a number from 1 to 99", "-1"),
	ROW("number and more", "[house]\nnumber = 1 2", 2, 10, "expected a number from 1 to 99", "1 2"),
	ROW("size below", "[house]\nsize = 1023", 2, 8, "expected a size such as 50M, from 1K to 2G", "1023"),
	ROW("size above", "[house]\nsize = 2097153K", 2, 8, "expected a size such as 50M, from 1K to 2G", "2097153K"),
	ROW("size with a strange unit", "[house]\nsize = 1T", 2, 8, "expected a size such as 50M, from 1K to 2G", "1T"),
	ROW("size that wraps", "[house]\nsize = 17179869185G", 2, 8, "expected a size such as 50M, from 1K to 2G", "17179869185G"),
	ROW("duration without unit", "[house]\nwait = 30", 2, 8,
	    "expected a duration such as 500ms, 30s, 5m, 4h or 5d, from 0 to 5d", "30"),
	ROW("duration above", "[house]\nwait = 6d", 2, 8, "expected a duration such as 500ms, 30s, 5m, 4h or 5d, from 0 to 5d", "6d"),
	ROW("duration of blanks", "[house]\nwait = 5 d", 2, 8, "expected a duration such as 500ms, 30s, 5m, 4h or 5d, from 0 to 5d", "5 d"),
	ROW("word of no colour", "[house]\ncolour = pink", 2, 10, "expected one of the words red, green, blue", "pink"),
	ROW("word in capitals", "[house]\ncolour = Red", 2, 10, "expected one of the words red, green, blue", "Red"),
	ROW("text too long", "[house]\nmotto = 12345678901", 2, 9, "expected text of at most 10 bytes", "12345678901"),
	ROW("text with a control byte", "[house]\nmotto = a\001b", 2, 10, "expected text of at most 10 bytes", "\001"),
	ROW("a bare CR", "[house]\nmotto = a\rb", 2, 10, "expected text of at most 10 bytes", "\r"),
	ROW("a secret is not shown", "[house]\nsecret = abc", 2, 10, "expected text of 4 to 8 bytes", ""),
	ROW("list with a hole", "[house]\nguests = a,,b", 2, 10, "expected a list of at most 9 values, separated by commas", "a,,b"),
	ROW("list that ends in a comma", "[house]\nguests = a,", 2, 10, "expected a list of at most 9 values, separated by commas", "a,"),
	ROW("list with a hole and more of it", "[house]\nguests = a,,b\nguests = 1,2,3\nguests = 4,5", 2, 10,
	    "expected a list of at most 9 values, separated by commas", "a,,b"),
	ROW("list too long", "[house]\nguests = 1,2,3,4,5,6,7,8,9,10", 2, 28, "expected a list of at most 9 values, separated by commas", "10"),
	ROW("list too long in two lines", "[house]\nguests = 1,2,3,4,5,6\nguests=7,8,9,10", 3, 14,
	    "expected a list of at most 9 values, separated by commas", "10"),
	ROW("list too short", "[door a]\nwidth=1\nkeys = x", 3, 1, "expected a list of 2 to 4 values, separated by commas", ""),
	ROW("key twice", "[house]\nlit = no\nlit = no", 3, 1, "expected this key once; it stands on line 2", "lit"),
	ROW("key misspelt", "[house]\ncolor = red", 2, 1, "expected a key of [house], perhaps colour", "color"),
	ROW("key unknown", "[house]\nchimney = 1", 2, 1, "expected a key of [house]", "chimney"),
	ROW("key of another section", "[house]\nwidth = 1", 2, 1, "expected a key of [house]", "width"),
	ROW("no key", "[house]\n = 1", 2, 2, "expected a key of [house]", "= 1"),
	ROW("no equals sign", "[house]\nlit yes", 2, 1, "expected key = value", ""),
	ROW("key before a heading", "lit = yes\nlit = no", 1, 1, "expected a heading such as [gateway] before the first key", "lit = yes"),
	ROW("section misspelt", "[hous]", 1, 2, "expected perhaps [house]", "hous"),
	ROW("section unknown", "[garden]\nx = 1", 1, 2, "expected one of [house], [door NAME]", "garden"),
	ROW("section twice", "[house]\n[house]", 2, 2, "expected this section once", "house"),
	ROW("section without end", "[house", 1, 1, "expected a heading such as [gateway] or [listener internet]", "[house"),
	ROW("section empty", "[ ]", 1, 1, "expected a heading such as [gateway] or [listener internet]", "[ ]"),
	ROW("a name too many", "[house two]", 1, 8, "expected no name in this heading", "two"),
	ROW("a name missing", "[door]", 1, 2, "expected a name behind the word, as in [listener internet]", "door"),
	ROW("a name of two words", "[door a b]", 1, 1, "expected a heading such as [gateway] or [listener internet]", "[door a b]"),
	ROW("a name twice", "[door a]\nwidth=1\n[door a]\nwidth=1", 3, 7, "expected another name: there is such a section already", "a"),
	ROW("a required key missing", "[house]\n[door a]\n\n", 2, 1, "expected the key width in [door NAME]", "door"),
	ROW("too many of them", "[door a]\nwidth=1\n[door b]\nwidth=1\n[door c]\nwidth=1\n[door d]\nwidth=1", 7, 2,
	    "expected at most 3 sections [door NAME]", "door"),
	ROW("a NUL", "[house]\nlit = yes\0", 2, 10, "expected yes or no", "\0"),
};
/* clang-format on */

static void each_error_says_where_and_what(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unlawful); i++) {
		const struct row *row = &unlawful[i];

		print_message("%s\n", row->name);
		assert_int_equal(read_text(row->text), RC_SYNTAX);
		assert_int_equal(error_count, 1);
		assert_int_equal(errors[0].line, row->line);
		assert_string_equal(errors[0].text, row->expected);
		assert_int_equal(errors[0].column, row->column);
		if (row->found[0] != '\0')
			assert_slice(errors[0].found, row->found);
	}
}

static void goes_on_after_an_error(void **state)
{
	(void)state;
	assert_int_equal(read_text(SLICE("[house]\nlit=1\nnumber=x\n[door]\nx=1\n[door a]\n[cellar]\nlit=2\n")), RC_SYNTAX);
	assert_int_equal(error_count, 5);
	assert_int_equal(errors[2].line, 4);
	assert_int_equal(errors[3].line, 6);
	assert_int_equal(errors[4].line, 7);
	/* As many as there is room for. */
	assert_int_equal(read_text(SLICE("[house]\na=1\nb=1\nc=1\nd=1\ne=1\nf=1\ng=1\nh=1\ni=1\n")), RC_SYNTAX);
	assert_int_equal(error_count, COUNT(errors));
}

static void lines_and_files_have_bounds(void **state)
{
	static uint8_t text[SETTING_FILE_MAX + 1];
	struct arena   arena = arena_on(memory, sizeof memory);

	(void)state;
	memset(text, '#', sizeof text);
	assert_int_equal(read_text(slice_of(text, SETTING_LINE_MAX)), RC_OK);
	assert_int_equal(read_text(slice_of(text, SETTING_LINE_MAX + 1)), RC_SYNTAX);
	assert_int_equal(errors[0].line, 1);
	memset(text, '\n', sizeof text);
	assert_int_equal(read_text(slice_of(text, SETTING_FILE_MAX)), RC_OK);
	assert_int_equal(read_text(slice_of(text, SETTING_FILE_MAX + 1)), RC_LIMIT);
	assert_int_equal(setting_read(SLICE(""), sections, 0, &arena, &values, errors, 1, &error_count), RC_OK);
}

static void names_have_a_bound(void **state)
{
	char text[SETTING_NAME_MAX + 40];

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		const int size = snprintf(text, sizeof text, "[door %0*d]\nwidth = 1", (int)(SETTING_NAME_MAX + more), 1);
		assert_int_equal(read_text(slice_of(text, (size_t)size)), more == 0 ? RC_OK : RC_SYNTAX);
	}
}

/* With any prefix of a lawful file the reader ends in an answer, and the arena's size decides nothing but RC_NOMEM. */
static void every_prefix_and_every_arena(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof full_text; size++) {
		const enum rc rc = read_text(slice_of(full_text, size));
		assert_true(rc == RC_OK || rc == RC_SYNTAX);
	}
	bool fitted = false;
	for (size_t size = 16; size < 65536; size += 16) {
		struct arena  arena = arena_on(memory, size);
		const enum rc rc = setting_read(slice_str(full_text), sections, COUNT(sections), &arena, &values, errors, COUNT(errors),
		                                &error_count);
		assert_true(rc == RC_NOMEM ? !fitted : rc == RC_OK);
		fitted = rc == RC_OK;
		if (fitted)
			check_full();
	}
	assert_true(fitted);
}

static void survives_every_failed_allocation(void **state)
{
	enum rc rc = RC_NOMEM;

	(void)state;
	for (long allowed = 0; rc == RC_NOMEM; allowed++) {
		memory_fail_after(allowed);
		rc = read_text(SLICE("[house]\ncolor = red\n[door a]\nwidth = 1\n"));
		memory_fail_after(-1);
		assert_true(rc == RC_NOMEM || allowed > 3);
	}
	assert_int_equal(rc, RC_SYNTAX);
	assert_int_equal(error_count, 1);
}

static const char manual[] =
	"# The house.\n"
	"#[house]\n"
	"\n"
	"# Is there light?\n"
	"# Yes or no.\n"
	"#lit = no\n"
	"\n"
	"# Where it stands.\n"
	"# A number from 1 to 99 (houses).\n"
	"#number = 7\n";

static const char manual_end[] =
	"# One of its doors.\n"
	"# There may be up to 3 such sections, each with its own name.\n"
	"#[door NAME]\n"
	"\n"
	"# How wide it is.\n"
	"# A number from 1 to 9; must be given.\n"
	"#width =\n"
	"\n"
	"# What opens it.\n"
	"# A list of 2 to 4 values, separated by commas.\n"
	"#keys = a, b\n";

static void the_manual_is_a_settings_file(void **state)
{
	struct buf out = buf_make(1u << 20), bare = buf_make(1u << 20);

	(void)state;
	setting_describe(sections, COUNT(sections), &out);
	assert_false(out.failed);
	assert_true(slice_starts(buf_slice(&out), slice_str(manual)));
	assert_true(slice_ends(buf_slice(&out), slice_str(manual_end)));
	assert_int_equal(read_text(buf_slice(&out)), RC_OK);
	/* Without the marks in front of its headings and keys, and with the one key that has no standard, it is lawful, too. */
	for (struct slice rest = buf_slice(&out); rest.len != 0;) {
		struct slice line = slice_until(&rest, '\n');
		if (slice_starts(line, SLICE("#")) && !slice_starts(line, SLICE("# ")))
			line = slice_drop(line, 1);
		buf_put(&bare, line);
		buf_put_str(&bare, slice_eq(line, SLICE("width =")) ? "3\n" : "\n");
	}
	assert_int_equal(read_text(buf_slice(&bare)), RC_OK);
	assert_int_equal(house()->wait, 1500);
	assert_slice(doors()[0].name, "NAME");
	buf_done(&out);
	buf_done(&bare);
}

static void the_manual_stops_at_its_bound(void **state)
{
	struct buf out = buf_make(100);

	(void)state;
	setting_describe(sections, COUNT(sections), &out);
	assert_true(out.failed);
	buf_done(&out);
	memory_fail_after(0);
	setting_describe(sections, COUNT(sections), &out);
	memory_fail_after(-1);
	assert_true(out.failed);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_standards),
		cmocka_unit_test(a_full_file_is_read),
		cmocka_unit_test(each_error_says_where_and_what),
		cmocka_unit_test(goes_on_after_an_error),
		cmocka_unit_test(lines_and_files_have_bounds),
		cmocka_unit_test(names_have_a_bound),
		cmocka_unit_test(every_prefix_and_every_arena),
		cmocka_unit_test(survives_every_failed_allocation),
		cmocka_unit_test(the_manual_is_a_settings_file),
		cmocka_unit_test(the_manual_stops_at_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
