/* Which decoder reads it. */
#include "image/decode.h"

#include "image/decoder.h"

bool image_is(struct slice bytes)
{
	return png_is(bytes) || jpeg_is(bytes) || gif_is(bytes) || webp_is(bytes) || tiff_is(bytes) || bmp_is(bytes) ||
	       pnm_is(bytes);
}

enum rc decoder_charge(struct budget *budget, uint64_t width, uint64_t height, uint64_t pixels_max, uint64_t passes)
{
	if (!picture_size_lawful(width, height) || width * height > pixels_max)
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_BYTES, width * height) || !budget_take(budget, BUDGET_STEPS, width * height * passes))
		return RC_LIMIT;
	return RC_OK;
}

enum rc image_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out)
{
	if (frame >= IMAGE_FRAMES_MAX)
		return RC_NOTFOUND;
	if (gif_is(bytes))
		return gif_decode(bytes, frame, budget, out);
	if (webp_is(bytes))
		return webp_decode(bytes, frame, budget, out);
	if (tiff_is(bytes))
		return tiff_decode(bytes, frame, budget, out);
	if (frame != 0)
		return RC_NOTFOUND;
	if (png_is(bytes))
		return png_decode(bytes, budget, out);
	if (jpeg_is(bytes))
		return jpeg_decode(bytes, budget, out);
	if (bmp_is(bytes))
		return bmp_decode(bytes, budget, out);
	if (pnm_is(bytes))
		return pnm_decode(bytes, budget, out);
	return RC_UNSUPPORTED;
}
