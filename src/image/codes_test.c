/* Codes: plain, negative, turned, coloured, cut in two, without a margin; and what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "image/codes.h"
#include "image/decode.h"

#define SIDE 21u
#define TEXT "https://h.test/A"

/* TEXT as version 1, level L. */
static const char *const drawn[SIDE] = {
	"#######   # # #######",
	"#     # # #   #     #",
	"# ### # # #   # ### #",
	"# ### #  #  # # ### #",
	"# ### # ###   # ### #",
	"#     # ###   #     #",
	"####### # # # #######",
	"        #  #         ",
	"## #  ##  # # ### ## ",
	"  #  #    # # ###   #",
	"   # ## #  ##     # #",
	" ## ## ## ### # ## ##",
	" # ## #     #  # #   ",
	"        # # # ##    #",
	"####### # # #   #### ",
	"#     #  ##  # ##  # ",
	"# ### #  # ###  ## ##",
	"# ### # ##  #   #   #",
	"# ### #    ##   # # #",
	"#     # ## # #       ",
	"####### ### ### #  # ",
};

static struct code_reader *reader;
static uint8_t             memory[65536];
static uint8_t             cells[SIDE * SIDE];

static struct budget budget;

static struct codes none(void)
{
	static struct arena arena;

	arena = arena_on(memory, sizeof memory);
	budget = budget_make(&BUDGET_LIMITS_STANDARD);
	return (struct codes){ .arena = &arena };
}

static void is_found(const char *name, const struct codes *codes, enum rc rc)
{
	if (rc != RC_OK || codes->count != 1 || !slice_eq(codes->items[0].text, SLICE(TEXT)))
		fail_msg("%s: %s, %zu codes", name, rc_word(rc), codes->count);
}

/* The code with `factor` pixels for a module and `margin` pixels around it. */
static struct picture picture_of(uint32_t factor, uint32_t margin)
{
	struct picture small, large;

	assert_int_equal(picture_make(SIDE, SIDE, &small), RC_OK);
	for (size_t i = 0; i < sizeof cells; i++)
		small.planes[PICTURE_GREY][i] = cells[i] != 0 ? 0 : 255;
	assert_int_equal(picture_enlarge(&small, PICTURE_GREY, factor, margin, &large), RC_OK);
	picture_done(&small);
	return large;
}

static int begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cells; i++)
		cells[i] = drawn[i / SIDE][i % SIDE] == '#';
	return image_ready() == RC_OK && code_reader_open(&reader) == RC_OK ? 0 : 1;
}

static int end(void **state)
{
	(void)state;
	code_reader_close(&reader);
	code_reader_close(&reader);
	return 0;
}

static void test_matrix(void **state)
{
	struct codes codes = none();
	uint8_t      turned[SIDE * SIDE], negative[SIDE * SIDE];

	(void)state;
	is_found("as it is", &codes, codes_find_matrix(reader, cells, SIDE, SIDE, &budget, &codes));
	for (size_t i = 0; i < sizeof cells; i++) {
		turned[i % SIDE * SIDE + (SIDE - 1 - i / SIDE)] = cells[i];
		negative[i] = cells[i] == 0;
	}
	codes = none();
	is_found("turned", &codes, codes_find_matrix(reader, turned, SIDE, SIDE, &budget, &codes));
	codes = none();
	is_found("negative", &codes, codes_find_matrix(reader, negative, SIDE, SIDE, &budget, &codes));
	assert_true(codes.items[0].inverted);
	codes = none();
	assert_int_equal(codes_find_matrix(reader, cells, 0, SIDE, &budget, &codes), RC_LIMIT);
	uint8_t *wide = calloc(CODE_MATRIX_MAX + 1, 2);
	assert_int_equal(codes_find_matrix(reader, wide, CODE_MATRIX_MAX - 1, 1, &budget, &codes), RC_OK);
	assert_int_equal(codes_find_matrix(reader, wide, CODE_MATRIX_MAX, 1, &budget, &codes), RC_OK);
	assert_int_equal(codes_find_matrix(reader, wide, CODE_MATRIX_MAX + 1, 1, &budget, &codes), RC_LIMIT);
	assert_int_equal(codes_find_matrix(reader, wide, 1, CODE_MATRIX_MAX + 1, &budget, &codes), RC_LIMIT);
	free(wide);
	assert_int_equal(codes.count, 0);
}

static void test_pictures(void **state)
{
	(void)state;
	for (uint32_t factor = 1; factor < 12; factor++) {
		for (uint32_t margin = 0; margin <= 8; margin += 8) {
			struct picture picture = picture_of(factor, margin);
			struct codes   codes = none();
			char           name[64];
			(void)snprintf(name, sizeof name, "%u pixels a module, margin %u", factor, margin);
			is_found(name, &codes, codes_find(reader, &picture, &budget, &codes));
			picture_done(&picture);
		}
	}
}

static void test_turned(void **state)
{
	(void)state;
	for (unsigned degrees = 0; degrees < 360; degrees += 15) {
		struct picture picture = picture_of(6, 30), turned;
		struct codes   codes = none();
		char           name[64];
		assert_int_equal(picture_turn(&picture, PICTURE_GREY, degrees, &turned), RC_OK);
		(void)snprintf(name, sizeof name, "turned by %u", degrees);
		is_found(name, &codes, codes_find(reader, &turned, &budget, &codes));
		picture_done(&picture);
		picture_done(&turned);
	}
}

/* Two colours of the same luma. */
static void test_coloured(void **state)
{
	struct picture      picture = picture_of(5, 20), made;
	struct picture_feed feed;
	struct codes        codes = none();
	uint8_t            *row = malloc(picture.width * 3u);

	(void)state;
	assert_int_equal(picture_feed_begin(&feed, picture.width, picture.height), RC_OK);
	for (uint32_t y = 0; y < picture.height; y++) {
		for (uint32_t x = 0; x < picture.width; x++) {
			const bool dark = picture.planes[PICTURE_GREY][y * picture.width + x] == 0;
			memcpy(&row[3 * x], dark ? "\xff\x00\x00" : "\x00\x82\x00", 3);
		}
		picture_feed_row(&feed, PICTURE_ROW_RGB, row);
	}
	assert_int_equal(picture_feed_end(&feed, &made), RC_OK);
	is_found("red on green", &codes, codes_find(reader, &made, &budget, &codes));
	free(row);
	picture_done(&made);
	picture_done(&picture);
}

static void test_pairs(void **state)
{
	struct picture picture = picture_of(6, 24), first, second;
	const uint32_t half = picture.width / 2;

	(void)state;
	for (unsigned way = 0; way < 4; way++) {
		struct codes codes = none();
		const bool   below = way >= 2;
		char         name[64];
		assert_int_equal(picture_crop(&picture, PICTURE_GREY, 0, 0, below ? picture.width : half, below ? half : picture.height, &first), RC_OK);
		assert_int_equal(picture_crop(&picture, PICTURE_GREY, below ? 0 : half, below ? half : 0, below ? picture.width : picture.width - half,
		                              below ? picture.height - half : picture.height, &second), RC_OK);
		(void)snprintf(name, sizeof name, "%s, %s", below ? "above each other" : "beside each other", way & 1 ? "swapped" : "in order");
		is_found(name, &codes, codes_find_pair(reader, way & 1 ? &second : &first, way & 1 ? &first : &second, &budget, &codes));
		picture_done(&first);
		picture_done(&second);
	}
	picture_done(&picture);
}

static unsigned links, texts, facts;

static enum rc take_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	(void)context;
	assert_int_equal(place, CONTENT_PLACE_CODE);
	assert_true(slice_eq(address, SLICE(TEXT)) && shown.len == 0);
	links++;
	return RC_OK;
}

static enum rc take_text(void *context, enum content_place place, struct slice text)
{
	(void)context;
	(void)text;
	assert_int_equal(place, CONTENT_PLACE_CODE);
	texts++;
	return RC_OK;
}

static enum rc take_fact(void *context, enum content_fact fact, struct slice evidence)
{
	(void)context;
	(void)evidence;
	assert_int_equal(fact, CONTENT_FACT_IMAGE_CODE);
	facts++;
	return RC_OK;
}

static void test_open(void **state)
{
	const struct content_sink sink = { .link = take_link, .text = take_text, .fact = take_fact };
	struct picture            picture = picture_of(4, 16);
	struct codes              codes = none();
	char                      head[64];
	const int                 head_size = snprintf(head, sizeof head, "P5 %u %u 255\n", picture.width, picture.height);
	const size_t              size = (size_t)picture.width * picture.height;
	uint8_t                  *file = malloc((size_t)head_size + size);

	(void)state;
	memcpy(file, head, (size_t)head_size);
	memcpy(file + head_size, picture.planes[PICTURE_GREY], size);
	assert_int_equal(codes_open(reader, slice_of(file, (size_t)head_size + size), codes.arena, &budget, &sink), RC_OK);
	assert_int_equal(links, 1);
	assert_int_equal(texts, 0);
	assert_int_equal(facts, 1);
	/* A step short of its first two looks. */
	codes = none();
	budget.left[BUDGET_STEPS] = size + 1;
	assert_int_equal(codes_open(reader, slice_of(file, (size_t)head_size + size), codes.arena, &budget, &sink), RC_LIMIT);
	assert_int_equal(codes_open(reader, SLICE("nothing"), codes.arena, &budget, &sink), RC_UNSUPPORTED);
	codes.count = 2;
	codes.items[0].text = SLICE("just words");
	codes.items[1].text = SLICE("1234567890128");
	assert_int_equal(codes_tell(&codes, &sink), RC_OK);
	assert_int_equal(links, 1);
	assert_int_equal(texts, 4);
	free(file);
	picture_done(&picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),   cmocka_unit_test(test_pictures), cmocka_unit_test(test_turned),
		cmocka_unit_test(test_coloured), cmocka_unit_test(test_pairs),    cmocka_unit_test(test_open),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
