/* Decoders: what is lawful, what lies about its size, what is cut, and the budget. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "image/decode.h"

#define BMP_HEAD(size, width, height, bits, compression) \
	"BM\0\0\0\0\0\0\0\0" size "\0\0\0" "(\0\0\0" width height "\1\0" bits "\0" compression "\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

struct row {
	const char  *name;
	struct slice bytes;
	enum rc      rc;
	uint32_t     width, height;
	int          first; /* of the grey plane */
};

/* clang-format off: a table */
#define ROW(name, bytes, rc, width, height, first) { name, SLICE_INIT(bytes), rc, width, height, first }
static const struct row rows[] = {
	ROW("grey PNM", "P5 2 1 255\n\x07\xff", RC_OK, 2, 1, 7),
	ROW("PNM with a comment", "P5\n# a 9 9\n2 1\n255\n\x07\xff", RC_OK, 2, 1, 7),
	ROW("bits", "P4 8 1 \x80", RC_OK, 8, 1, 0),
	ROW("colours", "P6 1 1 255\n\xff\xff\xff", RC_OK, 1, 1, 255),
	ROW("PNM cut in its second row", "P5 1 2 255\n\x07", RC_OK, 1, 2, 7),
	ROW("PNM without a row", "P5 2 2 255\n\x07", RC_SYNTAX, 0, 0, 0),
	ROW("PNM of 16 bits", "P5 1 1 65535\n\x07\x07", RC_UNSUPPORTED, 0, 0, 0),
	ROW("PNM of no width", "P5 0 1 255\n\x07", RC_SYNTAX, 0, 0, 0),
	ROW("PNM that is too wide", "P5 65501 1 255\n\x07", RC_SYNTAX, 0, 0, 0),
	ROW("24 bits", BMP_HEAD("\x36", "\1\0\0\0", "\1\0\0\0", "\x18", "\0") "\x07\x07\x07\0", RC_OK, 1, 1, 7),
	ROW("from the top", BMP_HEAD("\x36", "\1\0\0\0", "\xff\xff\xff\xff", "\x18", "\0") "\x07\x07\x07\0", RC_OK, 1, 1, 7),
	ROW("a palette", BMP_HEAD("\x3e", "\1\0\0\0", "\1\0\0\0", "\1", "\0") "\7\7\7\0\x8\x8\x8\0\x80\0\0\0", RC_OK, 1, 1, 8),
	ROW("a run", BMP_HEAD("\x3e", "\2\0\0\0", "\1\0\0\0", "\x8", "\1") "\7\7\7\0\x8\x8\x8\0\2\1\0\1", RC_OK, 2, 1, 8),
	ROW("a run outside", BMP_HEAD("\x3e", "\2\0\0\0", "\1\0\0\0", "\x8", "\1") "\7\7\7\0\x8\x8\x8\0\0\2\xff\xff\x09\1", RC_OK, 2, 1, 7),
	ROW("three bits a pixel", BMP_HEAD("\x36", "\1\0\0\0", "\1\0\0\0", "\3", "\0") "\x07\x07\x07\0", RC_UNSUPPORTED, 0, 0, 0),
	ROW("no width", BMP_HEAD("\x36", "\0\0\0\0", "\1\0\0\0", "\x18", "\0") "\x07\x07\x07\0", RC_SYNTAX, 0, 0, 0),
	ROW("the lowest height", BMP_HEAD("\x36", "\1\0\0\0", "\0\0\0\x80", "\x18", "\0") "\x07\x07\x07\0", RC_SYNTAX, 0, 0, 0),
	ROW("a cut head", "BM\0\0\0\0\0\0\0\0\x36\0\0\0(\0\0\0\1", RC_SYNTAX, 0, 0, 0),
	ROW("a PNG's signature", "\x89PNG\r\n\x1a\n", RC_SYNTAX, 0, 0, 0),
	ROW("a JPEG's", "\xff\xd8\xff\xe0", RC_SYNTAX, 0, 0, 0),
	ROW("a GIF's", "GIF89a", RC_SYNTAX, 0, 0, 0),
	ROW("a WebP's", "RIFF\4\0\0\0WEBP", RC_SYNTAX, 0, 0, 0),
	ROW("a TIFF's", "II*\0\x08\0\0\0", RC_SYNTAX, 0, 0, 0),
	ROW("nothing", "", RC_UNSUPPORTED, 0, 0, 0),
	ROW("text", "hello", RC_UNSUPPORTED, 0, 0, 0),
};
/* clang-format on */

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(image_ready(), RC_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct budget  budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct picture picture = { .width = 0 };
		const enum rc  rc = image_decode(rows[i].bytes, 0, &budget, &picture);
		if (rc != rows[i].rc || (rc == RC_OK && (picture.width != rows[i].width || picture.height != rows[i].height ||
		                                         picture.planes[PICTURE_GREY][0] != rows[i].first)))
			fail_msg("%s: %s, %ux%u", rows[i].name, rc_word(rc), picture.width, picture.height);
		picture_done(&picture);
		for (size_t cut = 0; cut < rows[i].bytes.len; cut++) {
			uint8_t *exact = malloc(cut + 1);
			memcpy(exact, rows[i].bytes.ptr, cut);
			if (image_decode(slice_of(exact, cut), 0, &budget, &picture) == RC_OK)
				picture_done(&picture);
			free(exact);
		}
		assert_int_equal(image_decode(rows[i].bytes, IMAGE_FRAMES_MAX, &budget, &picture), RC_NOTFOUND);
		assert_int_not_equal(image_decode(rows[i].bytes, IMAGE_FRAMES_MAX - 1, &budget, &picture), RC_OK);
	}
}

static void test_budget(void **state)
{
	struct budget  budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct picture picture;

	(void)state;
	budget.left[BUDGET_BYTES] = 1;
	assert_int_equal(image_decode(rows[0].bytes, 0, &budget, &picture), RC_LIMIT);
	assert_true(budget.cut[BUDGET_BYTES]);
	budget = budget_make(&BUDGET_LIMITS_STANDARD);
	budget.left[BUDGET_STEPS] = 1;
	assert_int_equal(image_decode(rows[0].bytes, 0, &budget, &picture), RC_LIMIT);
	assert_true(budget.cut[BUDGET_STEPS]);
	budget = budget_make(&BUDGET_LIMITS_STANDARD);
	budget.left[BUDGET_BYTES] = budget.left[BUDGET_STEPS] = 2;
	assert_int_equal(image_decode(rows[0].bytes, 0, &budget, &picture), RC_OK);
	picture_done(&picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
