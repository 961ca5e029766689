/*
 * Where the corners of QR codes may be: squares within squares whose runs are 1:1:3:1:1 (ISO/IEC 18004 section 6.3.3).
 * Much cheaper than reading the code, so that pictures without any are left alone.
 */
#ifndef IMAGE_FINDER_H
#define IMAGE_FINDER_H

#include "image/picture.h"

#define FINDERS_MAX 64u

struct finder {
	double   x, y;   /* its middle, pixels */
	double   module; /* width of a module, pixels */
	unsigned rows;   /* how many rows showed it */
};

/*
 * Those of a black and white picture, at most FINDERS_MAX, whose dark parts are `dark` (0: black, 255: white). Returns how
 * many. Linear in the pixels but for FINDERS_MAX comparisons at each place that looks like one.
 */
size_t finders_find(const struct picture *picture, uint8_t dark, struct finder *out);

#endif
