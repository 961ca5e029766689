/*
 * The tries that are made with one picture, and what becomes of what they find. The first ones are made with every
 * picture; the others only where squares stand that look like the corners of a QR code, until one is read.
 */
#include "image/codes.h"

#include "base/memory.h"
#include "image/decode.h"
#include "image/finder.h"
#include "image/scanner.h"

/* Steps for a pixel of a try: zbar looks along rows and columns. */
#define STEPS_FOR_PIXEL 8u
/* Pictures whose sides are below it are enlarged before the first try: zbar wants modules of two pixels and more. */
#define SMALL_SIDE 300u
/* White around a picture, in pixels of the result; codes need a quiet zone, which cuttings lack. */
#define MARGIN 24u
/* Rows that a corner fills at least, of a picture worth further tries. */
#define CORNER_ROWS_MIN 2u
#define CORNERS_MIN     2u

/* Sizes of a module, from the largest down to 3 pixels, in which a matrix is drawn. */
#define MATRIX_FACTORS 4u

struct code_reader {
	struct scanner *scanner;
};

/* How a try changes the picture before it is looked at. */
enum change {
	CHANGE_NONE,
	CHANGE_STRETCH,
	CHANGE_BLUR,
	CHANGE_SHARPEN,
	CHANGE_LEVEL,      /* black and white by the mean of a wide window */
	CHANGE_LEVEL_FINE, /* of a narrow one */
	CHANGE_BLUR_LEVEL,
	CHANGE_SHARPEN_LEVEL,
};

struct try {
	unsigned    percent; /* of the size */
	enum change change;
	unsigned    degrees;
};

static const struct try tries[] = {
	{ 100, CHANGE_LEVEL, 0 },      { 200, CHANGE_NONE, 0 },          { 200, CHANGE_LEVEL, 0 },
	{ 50, CHANGE_NONE, 0 },        { 100, CHANGE_BLUR, 0 },          { 200, CHANGE_BLUR_LEVEL, 0 },
	{ 300, CHANGE_NONE, 0 },       { 100, CHANGE_SHARPEN, 0 },       { 300, CHANGE_LEVEL_FINE, 0 },
	{ 150, CHANGE_LEVEL_FINE, 0 }, { 100, CHANGE_STRETCH, 0 },       { 200, CHANGE_SHARPEN_LEVEL, 0 },
	{ 75, CHANGE_LEVEL, 0 },       { 400, CHANGE_BLUR_LEVEL, 0 },    { 200, CHANGE_NONE, 45 },
	{ 150, CHANGE_NONE, 0 },       { 100, CHANGE_NONE, 20 },         { 250, CHANGE_BLUR_LEVEL, 0 },
	{ 100, CHANGE_NONE, 70 },      { 300, CHANGE_SHARPEN_LEVEL, 0 },
};
#define TRIES (sizeof tries / sizeof tries[0])

/* Work on one picture. */
struct search {
	struct scanner *scanner;
	struct budget  *budget;
	struct codes   *codes;
	uint64_t        pixels; /* left of CODES_PIXELS_MAX */
};

/* "HANGU" as a QR code (version 1, level L), a row a number: what the reader must be able to read. */
static const uint32_t proof[21] = { 0x1fc57f, 0x104141, 0x17545d, 0x17415d, 0x174b5d, 0x104e41, 0x1fd57f,
	                            0x001400, 0x1df5c4, 0x0b26ad, 0x0462e7, 0x080bba, 0x066ae9, 0x001441,
	                            0x1fdd10, 0x105047, 0x175159, 0x174eaa, 0x1756e5, 0x1057bb, 0x1fdee5 };

static enum rc prove(struct code_reader *reader)
{
	uint8_t       cells[21 * 21], memory[64];
	struct arena  arena = arena_on(memory, sizeof memory);
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct codes  codes = { .arena = &arena };

	for (size_t i = 0; i < sizeof cells; i++)
		cells[i] = (uint8_t)(proof[i / 21] >> (20 - i % 21) & 1);
	const enum rc rc = codes_find_matrix(reader, cells, 21, 21, &budget, &codes);
	if (rc != RC_OK)
		return rc;
	return codes.count == 1 && slice_eq(codes.items[0].text, SLICE("HANGU")) ? RC_OK : RC_UNSUPPORTED;
}

enum rc code_reader_open(struct code_reader **out)
{
	struct code_reader *reader = memory_take(1, sizeof *reader);

	if (reader == NULL)
		return RC_NOMEM;
	enum rc rc = scanner_open(&reader->scanner);
	if (rc == RC_OK)
		rc = prove(reader);
	if (rc != RC_OK) {
		code_reader_close(&reader);
		return rc;
	}
	*out = reader;
	return RC_OK;
}

void code_reader_close(struct code_reader **reader)
{
	if (*reader == NULL)
		return;
	scanner_close(&(*reader)->scanner);
	memory_give(*reader);
	*reader = NULL;
}

static bool has_qr(const struct codes *codes)
{
	for (size_t i = 0; i < codes->count; i++) {
		if (codes->items[i].kind == CODE_QR)
			return true;
	}
	return false;
}

/* RC_AGAIN: our own bound is reached. RC_LIMIT: the budget's. */
static enum rc look(struct search *search, const struct picture *picture, bool inverted)
{
	const uint64_t pixels = (uint64_t)picture->width * picture->height;

	if (pixels > search->pixels)
		return RC_AGAIN;
	search->pixels -= pixels;
	if (!budget_take(search->budget, BUDGET_STEPS, pixels * STEPS_FOR_PIXEL))
		return RC_LIMIT;
	return scanner_look(search->scanner, picture, inverted, search->codes);
}

static enum rc change(struct picture *picture, enum change how)
{
	const uint32_t side = picture->width < picture->height ? picture->width : picture->height;
	enum rc        rc = RC_OK;

	switch (how) {
	case CHANGE_NONE:
		return RC_OK;
	case CHANGE_STRETCH:
		picture_stretch(picture);
		return RC_OK;
	case CHANGE_BLUR:
		return picture_blur(picture);
	case CHANGE_SHARPEN:
		return picture_sharpen(picture);
	case CHANGE_LEVEL:
		return picture_threshold(picture, side / 8 + 4, 5);
	case CHANGE_LEVEL_FINE:
		return picture_threshold(picture, side / 24 + 4, 3);
	case CHANGE_BLUR_LEVEL:
		rc = picture_blur(picture);
		return rc != RC_OK ? rc : picture_threshold(picture, side / 12 + 4, 3);
	case CHANGE_SHARPEN_LEVEL:
		rc = picture_sharpen(picture);
		return rc != RC_OK ? rc : picture_threshold(picture, side / 8 + 4, 5);
	}
	return RC_OK;
}

/* `plane`, or its negative, in a picture of its own with a light margin; enlarged when it is small. */
static enum rc prepare(const struct picture *picture, enum picture_plane plane, bool inverted, struct picture *out)
{
	const uint32_t side = picture->width > picture->height ? picture->width : picture->height;
	const uint32_t factor = side < SMALL_SIDE / 3 ? 4 : side < SMALL_SIDE / 2 ? 3 : side < SMALL_SIDE ? 2 : 1;
	struct picture copy;
	enum rc        rc = picture_crop(picture, plane, 0, 0, picture->width, picture->height, &copy);

	if (rc != RC_OK)
		return rc;
	if (inverted)
		picture_invert(&copy);
	rc = picture_enlarge(&copy, PICTURE_GREY, factor, MARGIN, out);
	if (rc == RC_LIMIT) { /* so large that the margin does not fit */
		*out = copy;
		return RC_OK;
	}
	picture_done(&copy);
	return rc;
}

/* Do squares stand there that look like the corners of a code? */
static enum rc has_corners(const struct search *search, const struct picture *picture, bool *out)
{
	struct finder  finders[FINDERS_MAX];
	struct picture level;
	size_t         good = 0;

	if (!budget_take(search->budget, BUDGET_STEPS, 4 * (uint64_t)picture->width * picture->height))
		return RC_LIMIT;
	enum rc rc = picture_crop(picture, PICTURE_GREY, 0, 0, picture->width, picture->height, &level);
	if (rc != RC_OK)
		return rc;
	rc = change(&level, CHANGE_LEVEL);
	const size_t count = rc == RC_OK ? finders_find(&level, 0, finders) : 0;
	for (size_t i = 0; i < count; i++)
		good += finders[i].rows >= CORNER_ROWS_MIN;
	picture_done(&level);
	*out = good >= CORNERS_MIN;
	return rc;
}

static enum rc try_one(struct search *search, const struct picture *base, const struct try *try, bool inverted)
{
	const uint64_t width = (uint64_t)base->width * try->percent / 100, height = (uint64_t)base->height * try->percent / 100;
	struct picture scaled, turned;

	if (width == 0 || height == 0 || width * height > PICTURE_PIXELS_MAX)
		return RC_OK;
	enum rc rc = picture_scale(base, PICTURE_GREY, (uint32_t)width, (uint32_t)height, &scaled);
	if (rc != RC_OK)
		return rc;
	if (try->degrees != 0) {
		rc = picture_turn(&scaled, PICTURE_GREY, try->degrees, &turned);
		picture_done(&scaled);
		if (rc != RC_OK)
			return rc == RC_LIMIT ? RC_OK : rc;
		scaled = turned;
	}
	rc = change(&scaled, try->change);
	if (rc == RC_OK)
		rc = look(search, &scaled, inverted);
	picture_done(&scaled);
	return rc;
}

/* The plane and its negative as they are, then all tries with the one that has corners. */
static enum rc search_plane(struct search *search, const struct picture *picture, enum picture_plane plane)
{
	struct picture bases[2] = { { .width = 0 }, { .width = 0 } };
	bool           corners[2] = { false, false };
	enum rc        rc = RC_OK;

	for (unsigned i = 0; i < 2 && rc == RC_OK; i++) {
		rc = prepare(picture, plane, i != 0, &bases[i]);
		if (rc == RC_OK)
			rc = look(search, &bases[i], i != 0);
	}
	for (unsigned i = 0; i < 2 && rc == RC_OK && !has_qr(search->codes); i++)
		rc = has_corners(search, &bases[i], &corners[i]);
	for (size_t i = 0; i < 2 * TRIES && rc == RC_OK && !has_qr(search->codes); i++) {
		if (corners[i % 2])
			rc = try_one(search, &bases[i % 2], &tries[i / 2], i % 2 != 0);
	}
	picture_done(&bases[0]);
	picture_done(&bases[1]);
	return rc;
}

enum rc codes_find(struct code_reader *reader, const struct picture *picture, struct budget *budget, struct codes *codes)
{
	struct search search = { .scanner = reader->scanner, .budget = budget, .codes = codes, .pixels = CODES_PIXELS_MAX };
	enum rc       rc = RC_OK;

	for (unsigned plane = PICTURE_GREY; plane < PICTURE_PLANES && rc == RC_OK && !has_qr(codes); plane++) {
		if (picture->planes[plane] != NULL)
			rc = search_plane(&search, picture, (enum picture_plane)plane);
	}
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* `first` and `second` as one picture of grey: beside each other, or the second below. */
static enum rc join(const struct picture *first, const struct picture *second, bool below, struct picture *out)
{
	const uint64_t across = below ? first->width : first->height, along = below ? first->height : first->width;
	const uint64_t other_across = below ? second->width : second->height, other = below ? second->height : second->width;
	const uint64_t scaled = (other * across + other_across / 2) / other_across;
	struct picture fitted;

	if (scaled == 0 || (along + scaled) * across > PICTURE_PIXELS_MAX)
		return RC_AGAIN;
	enum rc rc = picture_scale(second, PICTURE_GREY, (uint32_t)(below ? across : scaled), (uint32_t)(below ? scaled : across), &fitted);
	if (rc != RC_OK)
		return rc;
	rc = picture_crop(first, PICTURE_GREY, 0, 0, (uint32_t)(below ? across : along + scaled),
	                  (uint32_t)(below ? along + scaled : across), out);
	if (rc == RC_OK) {
		for (uint32_t y = 0; y < fitted.height; y++) {
			const size_t at = below ? (size_t)(first->height + y) * out->width : (size_t)y * out->width + first->width;
			memcpy(out->planes[PICTURE_GREY] + at, fitted.planes[PICTURE_GREY] + (size_t)y * fitted.width, fitted.width);
		}
	}
	picture_done(&fitted);
	return rc;
}

enum rc codes_find_pair(struct code_reader *reader, const struct picture *first, const struct picture *second,
                        struct budget *budget, struct codes *codes)
{
	const struct picture *halves[2] = { first, second };
	enum rc               rc = RC_OK;

	for (unsigned way = 0; way < 4 && rc == RC_OK && !has_qr(codes); way++) {
		struct picture joined;
		rc = join(halves[way & 1], halves[1 - (way & 1)], way >= 2, &joined);
		if (rc == RC_OK) {
			rc = codes_find(reader, &joined, budget, codes);
			picture_done(&joined);
		} else if (rc == RC_AGAIN) {
			rc = RC_OK;
		}
	}
	return rc;
}

enum rc codes_find_matrix(struct code_reader *reader, const uint8_t *cells, uint32_t width, uint32_t height,
                          struct budget *budget, struct codes *codes)
{
	struct picture small;

	if (width > CODE_MATRIX_MAX || height > CODE_MATRIX_MAX)
		return RC_LIMIT;
	enum rc rc = picture_make(width, height, &small);
	if (rc != RC_OK)
		return rc;
	struct search search = { .scanner = reader->scanner, .budget = budget, .codes = codes, .pixels = CODES_PIXELS_MAX };
	for (unsigned way = 0; way < 2 * MATRIX_FACTORS && rc == RC_OK && !has_qr(codes); way++) {
		struct picture large;
		const bool     inverted = way % 2 != 0;
		for (size_t i = 0; i < (size_t)width * height; i++)
			small.planes[PICTURE_GREY][i] = (cells[i] != 0) == inverted ? 255 : 0;
		rc = picture_enlarge(&small, PICTURE_GREY, 2 + MATRIX_FACTORS - way / 2, MARGIN, &large);
		if (rc == RC_OK) {
			rc = look(&search, &large, inverted);
			picture_done(&large);
		} else if (rc == RC_LIMIT) {
			rc = RC_OK;
		}
	}
	picture_done(&small);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* "https://x", "www.x", "mailto:x", "x.example/y": a scheme or a dot, and no blank. */
static bool is_address(struct slice text)
{
	const size_t colon = slice_find(text, ':'), dot = slice_find(text, '.');

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ')
			return false;
	}
	for (size_t i = 0; i < colon && colon < text.len; i++) {
		if (!byte_is_alnum(text.ptr[i]) && text.ptr[i] != '+' && text.ptr[i] != '-' && text.ptr[i] != '.')
			return dot < text.len;
	}
	return (colon != 0 && colon < text.len) || (dot != 0 && dot + 1 < text.len);
}

enum rc codes_tell(const struct codes *codes, const struct content_sink *sink)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < codes->count && rc == RC_OK; i++) {
		const struct code *code = &codes->items[i];
		rc = sink_fact(sink, CONTENT_FACT_IMAGE_CODE, code->text);
		if (rc == RC_OK && is_address(code->text))
			rc = sink_link(sink, CONTENT_PLACE_CODE, code->text, slice_of(NULL, 0));
		else if (rc == RC_OK)
			rc = sink_text(sink, CONTENT_PLACE_CODE, code->text);
		if (rc == RC_OK && !is_address(code->text))
			rc = sink_text(sink, CONTENT_PLACE_CODE, SLICE("\n"));
	}
	return rc;
}

enum rc codes_open(struct code_reader *reader, struct slice bytes, struct arena *arena, struct budget *budget,
                   const struct content_sink *sink)
{
	struct codes codes = { .arena = arena };
	enum rc      rc = RC_OK;

	for (uint32_t frame = 0; frame < IMAGE_FRAMES_MAX; frame++) {
		struct picture picture;
		rc = image_decode(bytes, frame, budget, &picture);
		if (rc != RC_OK) {
			if (frame != 0 && rc != RC_LIMIT && rc != RC_NOMEM)
				rc = RC_OK;
			break;
		}
		rc = codes_find(reader, &picture, budget, &codes);
		picture_done(&picture);
		if (rc != RC_OK)
			break;
	}
	const enum rc told = codes_tell(&codes, sink);
	return told != RC_OK ? told : rc;
}
