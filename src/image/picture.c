/* Memory of pictures, and rows that become one. Turning pictures into others is picture_change.c's. */
#include "image/picture.h"

#include "base/memory.h"
#include "base/must.h"

/* Mean distance of the colours of a pixel above which a picture counts as coloured: below it is noise of JPEG. */
#define COLOURED_MEAN 4u

enum rc picture_make(uint32_t width, uint32_t height, struct picture *out)
{
	if (width == 0 || height == 0 || (uint64_t)width * height > PICTURE_PIXELS_MAX)
		return RC_LIMIT;
	uint8_t *grey = memory_take(width, height);
	if (grey == NULL)
		return RC_NOMEM;
	*out = (struct picture){ .width = width, .height = height, .planes = { [PICTURE_GREY] = grey } };
	return RC_OK;
}

void picture_done(struct picture *picture)
{
	for (size_t i = 0; i < PICTURE_PLANES; i++)
		memory_give(picture->planes[i]);
	*picture = (struct picture){ .width = 0 };
}

bool picture_size_lawful(uint64_t width, uint64_t height)
{
	return width != 0 && height != 0 && width <= PICTURE_SOURCE_SIDE_MAX && height <= PICTURE_SOURCE_SIDE_MAX &&
	       width * height <= PICTURE_SOURCE_PIXELS_MAX;
}

enum rc picture_feed_begin(struct picture_feed *feed, uint32_t width, uint32_t height)
{
	enum rc rc;

	*feed = (struct picture_feed){ .width = width, .height = height, .factor = 1 };
	if (!picture_size_lawful(width, height))
		return RC_LIMIT;
	while ((uint64_t)(width / feed->factor) * (height / feed->factor) > PICTURE_PIXELS_MAX)
		feed->factor++;
	if (width < feed->factor || height < feed->factor)
		return RC_LIMIT;
	rc = picture_make(width / feed->factor, height / feed->factor, &feed->picture);
	if (rc != RC_OK)
		return rc;
	const size_t pixels = (size_t)feed->picture.width * feed->picture.height;
	for (size_t i = PICTURE_RED; i < PICTURE_PLANES; i++) {
		feed->picture.planes[i] = memory_take(pixels, 1);
		if (feed->picture.planes[i] == NULL)
			return RC_NOMEM;
	}
	feed->sums = memory_take((size_t)feed->picture.width * PICTURE_PLANES, sizeof *feed->sums);
	return feed->sums == NULL ? RC_NOMEM : RC_OK;
}

static void add_pixel(struct picture_feed *feed, uint32_t *sums, unsigned red, unsigned green, unsigned blue)
{
	const unsigned low = red < green ? (red < blue ? red : blue) : (green < blue ? green : blue);
	const unsigned high = red > green ? (red > blue ? red : blue) : (green > blue ? green : blue);

	feed->colour += high - low;
	sums[PICTURE_GREY] += (299 * red + 587 * green + 114 * blue + 500) / 1000;
	sums[PICTURE_RED] += red;
	sums[PICTURE_GREEN] += green;
	sums[PICTURE_BLUE] += blue;
}

static void end_row(struct picture_feed *feed)
{
	const uint32_t area = feed->factor * feed->factor;
	const uint32_t row = feed->row / feed->factor - 1;

	for (uint32_t x = 0; x < feed->picture.width; x++) {
		uint32_t *sums = &feed->sums[(size_t)x * PICTURE_PLANES];
		for (size_t plane = 0; plane < PICTURE_PLANES; plane++) {
			feed->picture.planes[plane][(size_t)row * feed->picture.width + x] = (uint8_t)(sums[plane] / area);
			sums[plane] = 0;
		}
	}
}

void picture_feed_row(struct picture_feed *feed, enum picture_row kind, const uint8_t *row)
{
	if (feed->row / feed->factor >= feed->picture.height)
		return;
	const uint32_t used = feed->picture.width * feed->factor;
	for (uint32_t x = 0; x < used; x++) {
		uint32_t *sums = &feed->sums[(size_t)(x / feed->factor) * PICTURE_PLANES];
		unsigned  red, green, blue;
		if (kind == PICTURE_ROW_GREY) {
			red = green = blue = row[x];
		} else if (kind == PICTURE_ROW_RGB) {
			red = row[3 * (size_t)x];
			green = row[3 * (size_t)x + 1];
			blue = row[3 * (size_t)x + 2];
		} else {
			const uint8_t *pixel = &row[4 * (size_t)x];
			const unsigned white = 255 * (255u - pixel[3]);
			red = (pixel[0] * (unsigned)pixel[3] + white) / 255;
			green = (pixel[1] * (unsigned)pixel[3] + white) / 255;
			blue = (pixel[2] * (unsigned)pixel[3] + white) / 255;
		}
		add_pixel(feed, sums, red, green, blue);
	}
	feed->row++;
	if (feed->row % feed->factor == 0)
		end_row(feed);
}

enum rc picture_feed_end(struct picture_feed *feed, struct picture *out)
{
	const uint32_t rows = feed->row / feed->factor;

	memory_give(feed->sums);
	feed->sums = NULL;
	if (rows == 0) {
		picture_done(&feed->picture);
		return RC_SYNTAX;
	}
	const size_t done = (size_t)rows * feed->picture.width;
	const size_t pixels = (size_t)feed->picture.height * feed->picture.width;
	const bool   grey = feed->colour < (uint64_t)COLOURED_MEAN * feed->width * feed->row;
	for (size_t i = 0; i < PICTURE_PLANES; i++) {
		if (i != PICTURE_GREY && grey) {
			memory_give(feed->picture.planes[i]);
			feed->picture.planes[i] = NULL;
		} else if (done < pixels) {
			memset(feed->picture.planes[i] + done, 255, pixels - done);
		}
	}
	*out = feed->picture;
	feed->picture = (struct picture){ .width = 0 };
	return RC_OK;
}
