/* Pictures from pictures. All of it is linear in the pixels of the larger of the two. */
#include "image/picture.h"

#include "base/memory.h"
#include "base/must.h"

#include <math.h>

enum rc picture_crop(const struct picture *from, enum picture_plane plane, int64_t left, int64_t top, uint32_t width,
                     uint32_t height, struct picture *out)
{
	const enum rc rc = picture_make(width, height, out);

	if (rc != RC_OK)
		return rc;
	for (uint32_t y = 0; y < height; y++) {
		uint8_t      *row = out->planes[PICTURE_GREY] + (size_t)y * width;
		const int64_t source_y = top + y;
		for (uint32_t x = 0; x < width; x++) {
			const int64_t source_x = left + x;
			const bool    inside = source_x >= 0 && source_y >= 0 && source_x < from->width && source_y < from->height;
			row[x] = inside ? from->planes[plane][(size_t)source_y * from->width + (size_t)source_x] : 255;
		}
	}
	return RC_OK;
}

/* The value at a place between pixels; the edge goes on outside. */
static uint8_t between(const struct picture *from, enum picture_plane plane, double x, double y)
{
	const double   right = from->width - 1, bottom = from->height - 1;
	const double   at_x = x < 0 ? 0 : x > right ? right : x, at_y = y < 0 ? 0 : y > bottom ? bottom : y;
	const uint32_t left = (uint32_t)at_x, top = (uint32_t)at_y;
	const uint32_t next_x = left + 1 < from->width ? left + 1 : left, next_y = top + 1 < from->height ? top + 1 : top;
	const double   part_x = at_x - left, part_y = at_y - top;
	const uint8_t *first = from->planes[plane] + (size_t)top * from->width;
	const uint8_t *second = from->planes[plane] + (size_t)next_y * from->width;
	const double   above = first[left] + part_x * (first[next_x] - first[left]);
	const double   below = second[left] + part_x * (second[next_x] - second[left]);

	return (uint8_t)(above + part_y * (below - above) + 0.5);
}

enum rc picture_scale(const struct picture *from, enum picture_plane plane, uint32_t width, uint32_t height,
                      struct picture *out)
{
	const enum rc rc = picture_make(width, height, out);

	if (rc != RC_OK)
		return rc;
	const double step_x = (double)from->width / width, step_y = (double)from->height / height;
	for (uint32_t y = 0; y < height; y++) {
		uint8_t *row = out->planes[PICTURE_GREY] + (size_t)y * width;
		for (uint32_t x = 0; x < width; x++)
			row[x] = between(from, plane, (x + 0.5) * step_x - 0.5, (y + 0.5) * step_y - 0.5);
	}
	return RC_OK;
}

enum rc picture_enlarge(const struct picture *from, enum picture_plane plane, uint32_t factor, uint32_t margin,
                        struct picture *out)
{
	const uint64_t width = (uint64_t)from->width * factor + 2 * (uint64_t)margin;
	const uint64_t height = (uint64_t)from->height * factor + 2 * (uint64_t)margin;

	if (factor == 0 || width > PICTURE_PIXELS_MAX || height > PICTURE_PIXELS_MAX)
		return RC_LIMIT;
	const enum rc rc = picture_make((uint32_t)width, (uint32_t)height, out);
	if (rc != RC_OK)
		return rc;
	memset(out->planes[PICTURE_GREY], 255, (size_t)(width * height));
	for (uint32_t y = 0; y < from->height * factor; y++) {
		uint8_t       *row = out->planes[PICTURE_GREY] + (y + margin) * (size_t)width + margin;
		const uint8_t *source = from->planes[plane] + (size_t)(y / factor) * from->width;
		for (uint32_t x = 0; x < from->width * factor; x++)
			row[x] = source[x / factor];
	}
	return RC_OK;
}

enum rc picture_turn(const struct picture *from, enum picture_plane plane, double degrees, struct picture *out)
{
	const double angle = degrees * 3.14159265358979323846 / 180;
	const double cosine = cos(angle), sine = sin(angle);
	const double width = fabs(from->width * cosine) + fabs(from->height * sine);
	const double height = fabs(from->width * sine) + fabs(from->height * cosine);

	if (!(width < PICTURE_PIXELS_MAX) || !(height < PICTURE_PIXELS_MAX))
		return RC_LIMIT;
	const enum rc rc = picture_make((uint32_t)width + 1, (uint32_t)height + 1, out);
	if (rc != RC_OK)
		return rc;
	for (uint32_t y = 0; y < out->height; y++) {
		uint8_t     *row = out->planes[PICTURE_GREY] + (size_t)y * out->width;
		const double across = y + 0.5 - out->height / 2.0;
		for (uint32_t x = 0; x < out->width; x++) {
			const double along = x + 0.5 - out->width / 2.0;
			const double source_x = along * cosine + across * sine + from->width / 2.0 - 0.5;
			const double source_y = across * cosine - along * sine + from->height / 2.0 - 0.5;
			const bool   inside = source_x >= -0.5 && source_y >= -0.5 && source_x < from->width - 0.5 &&
			                    source_y < from->height - 0.5;
			row[x] = inside ? between(from, plane, source_x, source_y) : 255;
		}
	}
	return RC_OK;
}

void picture_invert(struct picture *picture)
{
	const size_t pixels = (size_t)picture->width * picture->height;

	for (size_t i = 0; i < pixels; i++)
		picture->planes[PICTURE_GREY][i] = (uint8_t)(255 - picture->planes[PICTURE_GREY][i]);
}

void picture_stretch(struct picture *picture)
{
	const size_t pixels = (size_t)picture->width * picture->height;
	size_t       counts[256] = { 0 }, seen = 0;
	unsigned     low = 0, high = 255;

	for (size_t i = 0; i < pixels; i++)
		counts[picture->planes[PICTURE_GREY][i]]++;
	while (low < 255 && (seen += counts[low]) <= pixels / 100)
		low++;
	seen = 0;
	while (high > low && (seen += counts[high]) <= pixels / 100)
		high--;
	if (high == low)
		return;
	for (size_t i = 0; i < pixels; i++) {
		const unsigned value = picture->planes[PICTURE_GREY][i];
		picture->planes[PICTURE_GREY][i] =
			(uint8_t)(value <= low ? 0 : value >= high ? 255 : (value - low) * 255 / (high - low));
	}
}

/* The mean of 3 by 3, the edge repeated. */
static unsigned mean_around(const uint8_t *plane, uint32_t width, uint32_t height, uint32_t x, uint32_t y)
{
	unsigned sum = 0;

	for (int down = -1; down <= 1; down++) {
		const uint32_t at_y = down < 0 ? (y == 0 ? 0 : y - 1) : down > 0 && y + 1 < height ? y + 1 : y;
		for (int right = -1; right <= 1; right++) {
			const uint32_t at_x = right < 0 ? (x == 0 ? 0 : x - 1) : right > 0 && x + 1 < width ? x + 1 : x;
			sum += plane[(size_t)at_y * width + at_x];
		}
	}
	return sum / 9;
}

static enum rc filter(struct picture *picture, bool sharpen)
{
	uint8_t *old = picture->planes[PICTURE_GREY];
	uint8_t *made = memory_take(picture->width, picture->height);

	if (made == NULL)
		return RC_NOMEM;
	for (uint32_t y = 0; y < picture->height; y++) {
		for (uint32_t x = 0; x < picture->width; x++) {
			const size_t at = (size_t)y * picture->width + x;
			const int    mean = (int)mean_around(old, picture->width, picture->height, x, y);
			const int    value = sharpen ? old[at] + 2 * (old[at] - mean) : mean;
			made[at] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
		}
	}
	memory_give(old);
	picture->planes[PICTURE_GREY] = made;
	return RC_OK;
}

enum rc picture_blur(struct picture *picture)
{
	return filter(picture, false);
}

enum rc picture_sharpen(struct picture *picture)
{
	return filter(picture, true);
}

enum rc picture_threshold(struct picture *picture, uint32_t radius, unsigned percent)
{
	const size_t width = picture->width, height = picture->height, stride = width + 1;
	uint8_t     *plane = picture->planes[PICTURE_GREY];
	uint32_t    *sums = memory_take(stride * (height + 1), sizeof *sums); /* of all above and left; fits: 1.44 M * 255 */

	if (sums == NULL)
		return RC_NOMEM;
	for (size_t y = 0; y < height; y++) {
		uint32_t row = 0;
		for (size_t x = 0; x < width; x++) {
			row += plane[y * width + x];
			sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
		}
	}
	for (size_t y = 0; y < height; y++) {
		const size_t top = y > radius ? y - radius : 0, bottom = y + radius + 1 < height ? y + radius + 1 : height;
		for (size_t x = 0; x < width; x++) {
			const size_t   left = x > radius ? x - radius : 0;
			const size_t   right = x + radius + 1 < width ? x + radius + 1 : width;
			const uint64_t sum = (uint64_t)sums[bottom * stride + right] - sums[top * stride + right] -
			                     sums[bottom * stride + left] + sums[top * stride + left];
			const uint64_t area = (right - left) * (bottom - top);
			plane[y * width + x] = plane[y * width + x] * area * 100 < sum * (100 - percent) ? 0 : 255;
		}
	}
	memory_give(sums);
	return RC_OK;
}
