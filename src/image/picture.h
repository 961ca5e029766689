/*
 * A decoded picture: 8-bit grey, and its three colours apart where it has any. Decoders feed rows; what is larger
 * than PICTURE_PIXELS_MAX is averaged down by a whole number on the way, so that no decoder holds a large picture.
 * Transparent pixels lie on white.
 */
#ifndef IMAGE_PICTURE_H
#define IMAGE_PICTURE_H

#include "base/rc.h"
#include "base/slice.h"

/* Of what is kept: 1,200 times 1,200, in any shape. */
#define PICTURE_PIXELS_MAX (1200u * 1200u)
/* Of what is read: above it nothing is decoded. */
#define PICTURE_SOURCE_SIDE_MAX   65500u
#define PICTURE_SOURCE_PIXELS_MAX 40000000u
/* Of what its library can only decode as a whole. */
#define PICTURE_WHOLE_PIXELS_MAX 16000000u

enum picture_plane {
	PICTURE_GREY, /* luma (ITU-R BT.601), always there */
	PICTURE_RED,
	PICTURE_GREEN,
	PICTURE_BLUE,
	PICTURE_PLANES
};

/* An empty one is all zero. The colours are NULL in a picture of greys. Give back with picture_done(). */
struct picture {
	uint32_t width; /* pixels */
	uint32_t height;
	uint8_t *planes[PICTURE_PLANES]; /* width * height bytes each, rows from the top, 0 is black */
};

/* A grey picture, all black. RC_LIMIT: a side is 0 or it is larger than PICTURE_PIXELS_MAX; RC_NOMEM. */
MUST_CHECK enum rc picture_make(uint32_t width, uint32_t height, struct picture *out);
/* Legal twice. */
void picture_done(struct picture *picture);

/* May a decoder read a picture of that size at all? */
bool picture_size_lawful(uint64_t width, uint64_t height);

enum picture_row {
	PICTURE_ROW_GREY, /* one byte a pixel */
	PICTURE_ROW_RGB,
	PICTURE_ROW_RGBA, /* not multiplied */
};

/* Making a picture row by row. */
struct picture_feed {
	struct picture picture;
	uint32_t       width, height; /* of the source */
	uint32_t       factor;        /* so many pixels of a row, and rows, become one */
	uint32_t       row;           /* the next of the source */
	uint32_t      *sums;          /* PICTURE_PLANES for each pixel of a row of the picture */
	uint64_t       colour;        /* sum of the distance between the largest and the smallest colour of each pixel */
};

/* RC_LIMIT: picture_size_lawful() says no; RC_NOMEM. End with picture_feed_end(), whatever happens. */
MUST_CHECK enum rc picture_feed_begin(struct picture_feed *feed, uint32_t width, uint32_t height);
/* The next row of the source; rows behind the last are ignored. `row` holds all of it. */
void picture_feed_row(struct picture_feed *feed, enum picture_row kind, const uint8_t *row);
/*
 * What was fed becomes *out, whose rows that were not fed are white. RC_SYNTAX: no row was fed, *out is untouched. Frees
 * the rest in any case.
 */
MUST_CHECK enum rc picture_feed_end(struct picture_feed *feed, struct picture *out);

/*
 * New pictures of one plane; RC_LIMIT, RC_NOMEM as above. `plane` of `from` is there.
 */
/* The rectangle; what lies outside of `from` is white. */
MUST_CHECK enum rc picture_crop(const struct picture *from, enum picture_plane plane, int64_t left, int64_t top,
                                uint32_t width, uint32_t height, struct picture *out);
/* Enlarged or shrunk to that size, bilinear. */
MUST_CHECK enum rc picture_scale(const struct picture *from, enum picture_plane plane, uint32_t width, uint32_t height,
                                 struct picture *out);
/* Enlarged by a whole number, every pixel a square, with a white margin of `margin` pixels of the result. */
MUST_CHECK enum rc picture_enlarge(const struct picture *from, enum picture_plane plane, uint32_t factor, uint32_t margin,
                                   struct picture *out);
/* Turned clockwise by `degrees` about its middle, bilinear; large enough to hold all of it, corners white. */
MUST_CHECK enum rc picture_turn(const struct picture *from, enum picture_plane plane, double degrees, struct picture *out);

/* On the grey plane, in place. */
void picture_invert(struct picture *picture);
/* The darkest and lightest hundredth become black and white. */
void picture_stretch(struct picture *picture);
/* The mean of the 3 by 3 pixels around each. RC_NOMEM. */
MUST_CHECK enum rc picture_blur(struct picture *picture);
/* Away from that mean. RC_NOMEM. */
MUST_CHECK enum rc picture_sharpen(struct picture *picture);
/*
 * Black or white: a pixel is black that is darker by `percent` than the mean of the window of 2 * `radius` + 1 pixels
 * around it. RC_NOMEM.
 */
MUST_CHECK enum rc picture_threshold(struct picture *picture, uint32_t radius, unsigned percent);

#endif
