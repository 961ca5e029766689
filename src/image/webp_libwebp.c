/* libwebp: WebP. Frames of an animation are found by our own walk over the RIFF chunks and decoded one by one. */
#include "image/decoder.h"

#include "base/cursor.h"
#include "base/memory.h"

#include <webp/decode.h>

#define WEBP_CHUNKS_MAX 4096u

bool webp_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("RIFF")) && slice_eq(slice_cut(bytes, 8, 4), SLICE("WEBP"));
}

/* The next chunk: its name and content; false at the end. Chunks are padded to an even size (RFC 9649 section 2.3). */
static bool next_chunk(struct slice *rest, struct slice *name, struct slice *content)
{
	struct cursor c = cursor_on(*rest);

	*name = cursor_bytes(&c, 4);
	const uint32_t size = cursor_u32(&c);
	if (c.failed)
		return false;
	*content = slice_take(c.rest, size);
	*rest = slice_drop(c.rest, (size_t)size + (size & 1));
	return true;
}

/* The bytes that libwebp decodes for that frame: all, or VP8 and VP8L chunks alone. RC_NOTFOUND. */
static enum rc find_frame(struct slice bytes, uint32_t wanted, struct slice *out)
{
	struct slice rest = slice_drop(bytes, 12), name, content;
	uint32_t     frames = 0;

	for (size_t i = 0; i < WEBP_CHUNKS_MAX && next_chunk(&rest, &name, &content); i++) {
		if (!slice_eq(name, SLICE("ANMF")) || frames++ != wanted)
			continue;
		struct slice inner = slice_drop(content, 16); /* place, size, duration: RFC 9649 section 2.7.1.3 */
		for (size_t k = 0; k < 4; k++) {
			const struct slice start = inner;
			if (!next_chunk(&inner, &name, &content))
				return RC_SYNTAX;
			if (slice_starts(name, SLICE("VP8"))) {
				*out = start;
				return RC_OK;
			}
		}
		return RC_SYNTAX;
	}
	if (frames != 0 || wanted != 0)
		return RC_NOTFOUND;
	*out = bytes;
	return RC_OK;
}

/* Into `pixels` of four bytes each, scaled by libwebp. */
static enum rc decode_pixels(struct slice bytes, WebPDecoderConfig *config, struct picture_feed *feed)
{
	const size_t row_bytes = (size_t)feed->width * 4;
	uint8_t     *pixels = memory_take(feed->height, row_bytes);

	if (pixels == NULL)
		return RC_NOMEM;
	config->options.use_scaling = 1;
	config->options.scaled_width = (int)feed->width;
	config->options.scaled_height = (int)feed->height;
	config->output.colorspace = MODE_RGBA;
	config->output.is_external_memory = 1;
	config->output.u.RGBA.rgba = pixels;
	config->output.u.RGBA.stride = (int)row_bytes;
	config->output.u.RGBA.size = row_bytes * feed->height;
	const VP8StatusCode status = WebPDecode(bytes.ptr, bytes.len, config);
	for (uint32_t y = 0; y < feed->height && status == VP8_STATUS_OK; y++)
		picture_feed_row(feed, PICTURE_ROW_RGBA, pixels + y * row_bytes);
	memory_give(pixels);
	return status == VP8_STATUS_OUT_OF_MEMORY ? RC_NOMEM : RC_OK;
}

enum rc webp_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out)
{
	WebPDecoderConfig   config;
	struct picture_feed feed;
	enum rc             rc = find_frame(bytes, frame, &bytes);

	if (rc != RC_OK)
		return rc;
	if (WebPInitDecoderConfig(&config) == 0)
		return RC_UNSUPPORTED;
	if (WebPGetFeatures(bytes.ptr, bytes.len, &config.input) != VP8_STATUS_OK || config.input.width <= 0 ||
	    config.input.height <= 0)
		return RC_SYNTAX;
	const uint32_t width = (uint32_t)config.input.width, height = (uint32_t)config.input.height;
	rc = decoder_charge(budget, width, height, PICTURE_WHOLE_PIXELS_MAX, 2);
	if (rc != RC_OK)
		return rc;
	uint32_t factor = 1;
	while ((uint64_t)(width / factor) * (height / factor) > PICTURE_PIXELS_MAX)
		factor++;
	if (width < factor || height < factor)
		return RC_SYNTAX;
	rc = picture_feed_begin(&feed, width / factor, height / factor);
	if (rc == RC_OK)
		rc = decode_pixels(bytes, &config, &feed);
	const enum rc ended = picture_feed_end(&feed, out);
	if (rc != RC_OK && ended == RC_OK)
		picture_done(out);
	return rc != RC_OK ? rc : ended;
}
