/* Pictures: bounds, rows that become one, and each change on a picture that one can work out by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "image/picture.h"

static void test_bounds(void **state)
{
	struct picture picture;

	(void)state;
	assert_int_equal(picture_make(0, 5, &picture), RC_LIMIT);
	assert_int_equal(picture_make(5, 0, &picture), RC_LIMIT);
	assert_int_equal(picture_make(PICTURE_PIXELS_MAX + 1, 1, &picture), RC_LIMIT);
	assert_int_equal(picture_make(PICTURE_PIXELS_MAX, 1, &picture), RC_OK);
	picture_done(&picture);
	picture_done(&picture);
	assert_true(picture_size_lawful(PICTURE_SOURCE_SIDE_MAX, 1));
	assert_false(picture_size_lawful(PICTURE_SOURCE_SIDE_MAX + 1, 1));
	assert_false(picture_size_lawful(0, 1));
	assert_true(picture_size_lawful(8000, PICTURE_SOURCE_PIXELS_MAX / 8000));
	assert_true(picture_size_lawful(8000, PICTURE_SOURCE_PIXELS_MAX / 8000 - 1));
	assert_false(picture_size_lawful(8000, PICTURE_SOURCE_PIXELS_MAX / 8000 + 1));
	memory_fail_after(0);
	assert_int_equal(picture_make(2, 2, &picture), RC_NOMEM);
	memory_fail_after(-1);
}

static void test_feed(void **state)
{
	static const uint8_t colours[] = { 255, 0, 0, 0, 0, 255 };
	static const uint8_t clear[] = { 0, 0, 0, 0, 0, 0, 0, 255 };
	static const uint8_t greys[] = { 7, 200 };
	struct picture_feed  feed;
	struct picture       picture;

	(void)state;
	assert_int_equal(picture_feed_begin(&feed, 2, 2), RC_OK);
	picture_feed_row(&feed, PICTURE_ROW_RGB, colours);
	assert_int_equal(picture_feed_end(&feed, &picture), RC_OK);
	assert_int_equal(picture.planes[PICTURE_GREY][0], 76);
	assert_int_equal(picture.planes[PICTURE_GREY][1], 29);
	assert_int_equal(picture.planes[PICTURE_RED][0], 255);
	assert_int_equal(picture.planes[PICTURE_BLUE][1], 255);
	assert_int_equal(picture.planes[PICTURE_GREY][3], 255); /* not fed */
	picture_done(&picture);
	assert_int_equal(picture_feed_begin(&feed, 2, 2), RC_OK);
	picture_feed_row(&feed, PICTURE_ROW_RGBA, clear);
	picture_feed_row(&feed, PICTURE_ROW_GREY, greys);
	picture_feed_row(&feed, PICTURE_ROW_GREY, greys); /* one too many */
	assert_int_equal(picture_feed_end(&feed, &picture), RC_OK);
	assert_memory_equal(picture.planes[PICTURE_GREY], ((const uint8_t[]){ 255, 0, 7, 200 }), 4);
	assert_null(picture.planes[PICTURE_RED]);
	picture_done(&picture);
	assert_int_equal(picture_feed_begin(&feed, 2, 2), RC_OK);
	assert_int_equal(picture_feed_end(&feed, &picture), RC_SYNTAX);
	assert_int_equal(picture_feed_begin(&feed, 0, 2), RC_LIMIT);
	assert_int_equal(picture_feed_end(&feed, &picture), RC_SYNTAX);
	for (long count = 0; count < 6; count++) {
		memory_fail_after(count);
		const enum rc rc = picture_feed_begin(&feed, 2, 2);
		memory_fail_after(-1);
		assert_int_equal(rc, count < 5 ? RC_NOMEM : RC_OK);
		assert_int_equal(picture_feed_end(&feed, &picture), RC_SYNTAX);
	}
}

/* What is larger than the bound is averaged. */
static void test_shrink(void **state)
{
	static uint8_t      row[2400];
	struct picture_feed feed;
	struct picture      picture;

	(void)state;
	for (size_t i = 0; i < sizeof row; i++)
		row[i] = (uint8_t)(i % 2 != 0 ? 100 : 200);
	assert_int_equal(picture_feed_begin(&feed, 2400, 2400), RC_OK);
	for (size_t y = 0; y < 2400; y++)
		picture_feed_row(&feed, PICTURE_ROW_GREY, row);
	assert_int_equal(picture_feed_end(&feed, &picture), RC_OK);
	assert_int_equal(picture.width, 1200);
	assert_int_equal(picture.height, 1200);
	assert_int_equal(picture.planes[PICTURE_GREY][0], 150);
	assert_int_equal(picture.planes[PICTURE_GREY][1200 * 1200 - 1], 150);
	picture_done(&picture);
}

static struct picture of(uint32_t width, uint32_t height, const uint8_t *pixels)
{
	struct picture picture;

	assert_int_equal(picture_make(width, height, &picture), RC_OK);
	memcpy(picture.planes[PICTURE_GREY], pixels, (size_t)width * height);
	return picture;
}

static void test_changes(void **state)
{
	static const uint8_t pixels[] = { 0, 255, 255, 0 };
	struct picture       small = of(2, 2, pixels), made;

	(void)state;
	assert_int_equal(picture_crop(&small, PICTURE_GREY, -1, 1, 3, 2, &made), RC_OK);
	assert_memory_equal(made.planes[PICTURE_GREY], ((const uint8_t[]){ 255, 255, 0, 255, 255, 255 }), 6);
	picture_done(&made);
	assert_int_equal(picture_enlarge(&small, PICTURE_GREY, 2, 1, &made), RC_OK);
	assert_int_equal(made.width, 6);
	assert_int_equal(made.planes[PICTURE_GREY][0], 255);
	assert_int_equal(made.planes[PICTURE_GREY][7], 0);
	assert_int_equal(made.planes[PICTURE_GREY][6 * 4 + 4], 0);
	picture_done(&made);
	assert_int_equal(picture_enlarge(&small, PICTURE_GREY, 0, 1, &made), RC_LIMIT);
	assert_int_equal(picture_enlarge(&small, PICTURE_GREY, UINT32_MAX, 1, &made), RC_LIMIT);
	assert_int_equal(picture_scale(&small, PICTURE_GREY, 4, 4, &made), RC_OK);
	assert_int_equal(made.planes[PICTURE_GREY][0], 0);
	assert_int_equal(made.planes[PICTURE_GREY][3], 255);
	picture_done(&made);
	assert_int_equal(picture_turn(&small, PICTURE_GREY, 90, &made), RC_OK);
	picture_done(&made);
	picture_invert(&small);
	assert_int_equal(small.planes[PICTURE_GREY][0], 255);
	picture_done(&small);
}

static void test_levels(void **state)
{
	static const uint8_t dim[] = { 100, 120, 100, 120, 100, 120, 100, 120, 100 };
	struct picture       picture = of(3, 3, dim);

	(void)state;
	picture_stretch(&picture);
	assert_int_equal(picture.planes[PICTURE_GREY][0], 0);
	assert_int_equal(picture.planes[PICTURE_GREY][1], 255);
	picture_done(&picture);
	picture = of(3, 3, dim);
	assert_int_equal(picture_threshold(&picture, 3, 3), RC_OK);
	assert_int_equal(picture.planes[PICTURE_GREY][0], 0);
	assert_int_equal(picture.planes[PICTURE_GREY][1], 255);
	picture_done(&picture);
	picture = of(3, 3, dim);
	assert_int_equal(picture_blur(&picture), RC_OK);
	assert_int_equal(picture.planes[PICTURE_GREY][4], 108);
	assert_int_equal(picture_sharpen(&picture), RC_OK);
	memory_fail_after(0);
	assert_int_equal(picture_blur(&picture), RC_NOMEM);
	assert_int_equal(picture_threshold(&picture, 3, 3), RC_NOMEM);
	memory_fail_after(-1);
	picture_done(&picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),  cmocka_unit_test(test_feed),   cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_changes), cmocka_unit_test(test_levels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
