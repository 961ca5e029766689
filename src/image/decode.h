/*
 * Pictures as people send them, decoded into struct picture: PNG, JPEG, GIF, BMP, WebP, TIFF, and PNM, in which documents
 * hand out pictures that have no file format of their own. The kind is told by the content alone.
 */
#ifndef IMAGE_DECODE_H
#define IMAGE_DECODE_H

#include "content/budget.h"
#include "image/picture.h"

/* Frames of an animation and pages of a TIFF beyond it are not read. */
#define IMAGE_FRAMES_MAX 8u

/* Does the content say that it is a picture which image_decode() reads? */
bool image_is(struct slice bytes);

/*
 * Frame `frame` (0 is the first) of a picture. Of a GIF, what is shown at that time: frames lie on those before.
 *
 * RC_OK           *out is to be given back with picture_done(). Of a damaged file, as far as it went.
 * RC_NOTFOUND     no such frame.
 * RC_SYNTAX       damaged before its first row, or of a size that is none or above the limits of picture.h.
 * RC_LIMIT        the budget has not enough bytes or steps left: width * height of both, and more steps for kinds that are
 *                 decoded in several passes.
 * RC_UNSUPPORTED  none of the kinds, or a rare variant of one.
 * RC_NOMEM
 */
MUST_CHECK enum rc image_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out);

/*
 * To be called once in a process before its box closes: decodes a small picture of every kind, so that every library has
 * loaded what it loads. RC_UNSUPPORTED: a library does not do what it should. After it the libraries make no system call
 * but those of memory (brk, mmap, munmap, mremap, madvise).
 */
MUST_CHECK enum rc image_ready(void);

#endif
