/*
 * What the decoders of this room share. One adapter a library; each checks the size before it decodes, charges the
 * budget for what it is about to do, and fails without a trace.
 */
#ifndef IMAGE_DECODER_H
#define IMAGE_DECODER_H

#include "content/budget.h"
#include "image/picture.h"

/* Is this of a kind that it reads? */
bool png_is(struct slice bytes);
bool jpeg_is(struct slice bytes);
bool gif_is(struct slice bytes);
bool webp_is(struct slice bytes);
bool tiff_is(struct slice bytes);
bool bmp_is(struct slice bytes);
bool pnm_is(struct slice bytes);

/*
 * As image_decode(). Those without frames are asked for frame 0 only. Each takes what its library does from the budget:
 * decoder_charge().
 */
MUST_CHECK enum rc png_decode(struct slice bytes, struct budget *budget, struct picture *out);
MUST_CHECK enum rc jpeg_decode(struct slice bytes, struct budget *budget, struct picture *out);
MUST_CHECK enum rc gif_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out);
MUST_CHECK enum rc webp_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out);
MUST_CHECK enum rc tiff_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out);
MUST_CHECK enum rc bmp_decode(struct slice bytes, struct budget *budget, struct picture *out);
MUST_CHECK enum rc pnm_decode(struct slice bytes, struct budget *budget, struct picture *out);

/*
 * Before a picture is decoded: RC_SYNTAX when its size is none or larger than `pixels_max`; RC_LIMIT when the budget has
 * not width * height bytes, and `passes` times as many steps, left.
 */
MUST_CHECK enum rc decoder_charge(struct budget *budget, uint64_t width, uint64_t height, uint64_t pixels_max, uint64_t passes);

/* Silences libtiff; called by image_ready(). */
void tiff_quiet(void);

#endif
