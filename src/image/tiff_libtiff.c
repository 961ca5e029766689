/*
 * libtiff: TIFF. It holds a picture as a whole, so that large ones are not read; only the usual compressions are let
 * through, since each brings a decoder of its own.
 */
#include "image/decoder.h"

#include "base/memory.h"

#include <tiffio.h>

/* One piece of memory that it may ask for: more than four bytes for each pixel is never needed. */
#define TIFF_ALLOCATION_MAX ((tmsize_t)PICTURE_WHOLE_PIXELS_MAX * 4 + 65536)

struct place {
	struct slice bytes;
	uint64_t     at;
};

bool tiff_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("II*\0")) || slice_starts(bytes, SLICE("MM\0*"));
}

void tiff_quiet(void)
{
	(void)TIFFSetErrorHandler(NULL);
	(void)TIFFSetWarningHandler(NULL);
	(void)TIFFSetErrorHandlerExt(NULL);
	(void)TIFFSetWarningHandlerExt(NULL);
}

static tmsize_t read_some(thandle_t handle, void *out, tmsize_t size)
{
	struct place      *place = handle;
	const struct slice rest = slice_drop(place->bytes, place->at > place->bytes.len ? place->bytes.len : (size_t)place->at);
	const size_t       count = size > 0 && (size_t)size < rest.len ? (size_t)size : size > 0 ? rest.len : 0;

	if (count != 0)
		memcpy(out, rest.ptr, count);
	place->at += count;
	return (tmsize_t)count;
}

static tmsize_t write_none(thandle_t handle, void *bytes, tmsize_t size)
{
	(void)handle;
	(void)bytes;
	(void)size;
	return 0;
}

static toff_t seek_to(thandle_t handle, toff_t offset, int whence)
{
	struct place *place = handle;

	place->at = (whence == 0 ? 0 : whence == 1 ? place->at : place->bytes.len) + offset;
	return place->at;
}

static int close_none(thandle_t handle)
{
	(void)handle;
	return 0;
}

static toff_t size_of(thandle_t handle)
{
	const struct place *place = handle;
	return place->bytes.len;
}

static bool compression_lawful(TIFF *file)
{
	uint16_t compression = COMPRESSION_NONE;

	(void)TIFFGetFieldDefaulted(file, TIFFTAG_COMPRESSION, &compression);
	switch (compression) {
	case COMPRESSION_NONE:
	case COMPRESSION_CCITTRLE:
	case COMPRESSION_CCITTFAX3:
	case COMPRESSION_CCITTFAX4:
	case COMPRESSION_LZW:
	case COMPRESSION_JPEG:
	case COMPRESSION_ADOBE_DEFLATE:
	case COMPRESSION_DEFLATE:
	case COMPRESSION_PACKBITS:
		return true;
	default:
		return false;
	}
}

/* Words of 0xAABBGGRR, from the top. */
static enum rc take_page(TIFF *file, struct picture_feed *feed)
{
	uint32_t *pixels = memory_take((size_t)feed->width * feed->height, sizeof *pixels);
	uint8_t  *row = memory_take(feed->width, 4);

	if (pixels != NULL && row != NULL) {
		/* Of a damaged page, what was there before the damage. */
		(void)TIFFReadRGBAImageOriented(file, feed->width, feed->height, pixels, ORIENTATION_TOPLEFT, 0);
		for (uint32_t y = 0; y < feed->height; y++) {
			for (uint32_t x = 0; x < feed->width; x++) {
				const uint32_t word = pixels[(size_t)y * feed->width + x];
				for (size_t i = 0; i < 4; i++)
					row[4 * (size_t)x + i] = (uint8_t)(word >> (8 * i));
			}
			picture_feed_row(feed, PICTURE_ROW_RGBA, row);
		}
	}
	const bool full = pixels == NULL || row == NULL;
	memory_give(pixels);
	memory_give(row);
	return full ? RC_NOMEM : RC_OK;
}

static enum rc decode_with(TIFF *file, uint32_t frame, struct budget *budget, struct picture *out)
{
	uint32_t            width = 0, height = 0;
	uint16_t            samples = 1, bits = 1;
	struct picture_feed feed;

	if (frame != 0 && TIFFSetDirectory(file, (tdir_t)frame) == 0)
		return RC_NOTFOUND;
	if (TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &width) == 0 || TIFFGetField(file, TIFFTAG_IMAGELENGTH, &height) == 0)
		return RC_SYNTAX;
	(void)TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &samples);
	(void)TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &bits);
	if (!compression_lawful(file) || samples > 8 || bits > 16)
		return RC_UNSUPPORTED;
	enum rc rc = decoder_charge(budget, width, height, PICTURE_WHOLE_PIXELS_MAX, 4);
	if (rc != RC_OK)
		return rc;
	rc = picture_feed_begin(&feed, width, height);
	if (rc == RC_OK)
		rc = take_page(file, &feed);
	const enum rc ended = picture_feed_end(&feed, out);
	if (rc != RC_OK && ended == RC_OK)
		picture_done(out);
	return rc != RC_OK ? rc : ended;
}

enum rc tiff_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out)
{
	struct place     place = { .bytes = bytes };
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();

	if (options == NULL)
		return RC_NOMEM;
	TIFFOpenOptionsSetMaxSingleMemAlloc(options, TIFF_ALLOCATION_MAX);
	/* "m": no mapping of files; the name is for messages, which are switched off. */
	TIFF *file = TIFFClientOpenExt("", "rm", &place, read_some, write_none, seek_to, close_none, size_of, NULL, NULL, options);
	TIFFOpenOptionsFree(options);
	if (file == NULL)
		return RC_SYNTAX;
	const enum rc rc = decode_with(file, frame, budget, out);
	TIFFClose(file);
	return rc;
}
