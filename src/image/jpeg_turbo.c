/*
 * libjpeg-turbo through its TurboJPEG interface: JPEG. A progressive file may have hundreds of scans, each a pass over
 * the whole picture: they are counted first, and charged.
 */
#include "image/decoder.h"

#include "base/memory.h"

#include <limits.h>
#include <turbojpeg.h>

bool jpeg_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("\xff\xd8\xff"));
}

/* Markers of scans; one that stands in a comment counts, too. */
static uint64_t scans_of(struct slice bytes)
{
	uint64_t count = 0;

	for (size_t i = 0; i + 1 < bytes.len; i++)
		count += bytes.ptr[i] == 0xff && bytes.ptr[i + 1] == 0xda;
	return count == 0 ? 1 : count;
}

/* Inverted CMYK, as Adobe writes it and TurboJPEG hands it out, to RGB in place of its first three. */
static void from_cmyk(uint8_t *row, uint32_t width)
{
	for (size_t x = 0; x < width; x++) {
		uint8_t       *pixel = &row[4 * x];
		const unsigned key = pixel[3];
		for (size_t i = 0; i < 3; i++)
			pixel[i] = (uint8_t)(pixel[i] * key / 255);
		pixel[3] = 255;
	}
}

static enum rc decode_pixels(tjhandle handle, struct slice bytes, bool cmyk, struct picture_feed *feed)
{
	const size_t row_bytes = (size_t)feed->width * 4;
	uint8_t     *pixels = memory_take(feed->height, row_bytes);

	if (pixels == NULL)
		return RC_NOMEM;
	const int done = tjDecompress2(handle, bytes.ptr, bytes.len, pixels, (int)feed->width, (int)row_bytes,
	                               (int)feed->height, cmyk ? TJPF_CMYK : TJPF_RGBA, TJFLAG_LIMITSCANS);
	if (done == 0 || tjGetErrorCode(handle) == TJERR_WARNING) {
		for (uint32_t y = 0; y < feed->height; y++) {
			if (cmyk)
				from_cmyk(pixels + y * row_bytes, feed->width);
			picture_feed_row(feed, PICTURE_ROW_RGBA, pixels + y * row_bytes);
		}
	}
	memory_give(pixels);
	return RC_OK;
}

static enum rc decode_with(tjhandle handle, struct slice bytes, struct budget *budget, struct picture *out)
{
	int                 width, height, sampling, colours;
	struct picture_feed feed;

	if (tjDecompressHeader3(handle, bytes.ptr, bytes.len, &width, &height, &sampling, &colours) != 0 || width <= 0 ||
	    height <= 0)
		return RC_SYNTAX;
	const uint64_t scans = scans_of(bytes);
	enum rc        rc = decoder_charge(budget, (uint64_t)width, (uint64_t)height,
	                                   scans > 1 ? PICTURE_WHOLE_PIXELS_MAX : PICTURE_SOURCE_PIXELS_MAX, scans);
	if (rc != RC_OK)
		return rc;
	/* Halved by the decoder itself, which is faster than averaging, as long as enough is left. */
	int divisor = 1;
	while (divisor < 8 && (uint64_t)width * (uint64_t)height / (uint64_t)(divisor * divisor * 4) >= PICTURE_PIXELS_MAX)
		divisor *= 2;
	rc = picture_feed_begin(&feed, (uint32_t)((width + divisor - 1) / divisor), (uint32_t)((height + divisor - 1) / divisor));
	if (rc == RC_OK)
		rc = decode_pixels(handle, bytes, colours == TJCS_CMYK || colours == TJCS_YCCK, &feed);
	const enum rc ended = picture_feed_end(&feed, out);
	if (rc != RC_OK && ended == RC_OK)
		picture_done(out);
	return rc != RC_OK ? rc : ended;
}

enum rc jpeg_decode(struct slice bytes, struct budget *budget, struct picture *out)
{
	if (bytes.len > INT_MAX)
		return RC_SYNTAX;
	tjhandle handle = tjInitDecompress();
	if (handle == NULL)
		return RC_NOMEM;
	const enum rc rc = decode_with(handle, bytes, budget, out);
	(void)tjDestroy(handle);
	return rc;
}
