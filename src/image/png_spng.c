/* libspng: PNG. Rows are taken one by one; an interlaced picture is decoded as a whole and therefore smaller. */
#include "image/decoder.h"

#include "base/memory.h"

#include <spng.h>

/* Of text, colour profiles and the like, which nobody here reads. */
#define PNG_CHUNK_MAX ((size_t)1 << 20)
#define PNG_CACHE_MAX ((size_t)4 << 20)

bool png_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("\x89PNG\r\n\x1a\n"));
}

static enum rc take_rows(spng_ctx *context, size_t row_bytes, struct picture_feed *feed)
{
	uint8_t *row = memory_take(row_bytes, 1);

	if (row == NULL)
		return RC_NOMEM;
	if (spng_decode_image(context, NULL, 0, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE) == 0) {
		for (uint32_t y = 0; y < feed->height; y++) {
			const int result = spng_decode_row(context, row, row_bytes);
			if (result != 0 && result != SPNG_EOI)
				break;
			picture_feed_row(feed, PICTURE_ROW_RGBA, row);
		}
	}
	memory_give(row);
	return RC_OK;
}

static enum rc take_whole(spng_ctx *context, size_t row_bytes, struct picture_feed *feed)
{
	const size_t size = row_bytes * feed->height;
	uint8_t     *pixels = memory_take(size, 1);

	if (pixels == NULL)
		return RC_NOMEM;
	/* What is missing at the end stays transparent. */
	(void)spng_decode_image(context, pixels, size, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS);
	for (uint32_t y = 0; y < feed->height; y++)
		picture_feed_row(feed, PICTURE_ROW_RGBA, pixels + y * row_bytes);
	memory_give(pixels);
	return RC_OK;
}

static enum rc decode_with(spng_ctx *context, struct slice bytes, struct budget *budget, struct picture *out)
{
	struct spng_ihdr    header;
	struct picture_feed feed;

	if (spng_set_image_limits(context, PICTURE_SOURCE_SIDE_MAX, PICTURE_SOURCE_SIDE_MAX) != 0 ||
	    spng_set_chunk_limits(context, PNG_CHUNK_MAX, PNG_CACHE_MAX) != 0 ||
	    spng_set_crc_action(context, SPNG_CRC_USE, SPNG_CRC_USE) != 0 ||
	    spng_set_png_buffer(context, bytes.ptr, bytes.len) != 0 || spng_get_ihdr(context, &header) != 0)
		return RC_SYNTAX;
	const bool interlaced = header.interlace_method != 0;
	enum rc    rc = decoder_charge(budget, header.width, header.height,
	                               interlaced ? PICTURE_WHOLE_PIXELS_MAX : PICTURE_SOURCE_PIXELS_MAX, 1);
	if (rc != RC_OK)
		return rc;
	rc = picture_feed_begin(&feed, header.width, header.height);
	if (rc == RC_OK)
		rc = (interlaced ? take_whole : take_rows)(context, (size_t)header.width * 4, &feed);
	const enum rc ended = picture_feed_end(&feed, out);
	if (rc != RC_OK && ended == RC_OK)
		picture_done(out);
	return rc != RC_OK ? rc : ended;
}

enum rc png_decode(struct slice bytes, struct budget *budget, struct picture *out)
{
	spng_ctx *context = spng_ctx_new(SPNG_CTX_IGNORE_ADLER32);

	if (context == NULL)
		return RC_NOMEM;
	const enum rc rc = decode_with(context, bytes, budget, out);
	spng_ctx_free(context);
	return rc;
}
