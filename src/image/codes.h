/*
 * QR codes and the common bar codes in pictures. Readers of such codes are patient, so this one is, too: it tries the
 * picture as it is and its negative, each colour alone, enlarged and shrunk, with its contrast levelled, sharpened,
 * smoothed and turned. The number of tries depends on the pixels and the budget, never on a clock.
 */
#ifndef IMAGE_CODES_H
#define IMAGE_CODES_H

#include "base/arena.h"
#include "content/budget.h"
#include "content/sink.h"
#include "image/picture.h"

/* Codes of one picture beyond it are not reported. */
#define CODES_MAX 16u

/* Pixels that are looked at for one picture in all tries together. */
#define CODES_PIXELS_MAX 40000000u

enum code_kind {
	CODE_QR,
	CODE_BARS, /* EAN, Code 39, Code 93, Code 128 */
};

struct code {
	enum code_kind kind;
	struct slice   text;     /* its bytes, in the arena: UTF-8 mostly, else a charset that nobody names */
	bool           inverted; /* light on dark */
};

struct codes {
	struct code  items[CODES_MAX]; /* different from each other */
	size_t       count;
	struct arena *arena;
};

struct code_reader; /* opaque: what the library keeps between pictures */

/*
 * To be opened once in a process before its box closes: the library loads tables of character sets, which are then kept
 * open. Afterwards it makes no system call but those of memory. RC_NOMEM; RC_UNSUPPORTED: it does not read a code that it
 * should.
 */
MUST_CHECK enum rc code_reader_open(struct code_reader **out);
void code_reader_close(struct code_reader **reader);

/*
 * Add the codes of a picture to *codes, whose `arena` is set. RC_LIMIT: the budget has not 8 steps for each pixel of a
 * try left; what was found before stays. RC_NOMEM.
 */
MUST_CHECK enum rc codes_find(struct code_reader *reader, const struct picture *picture, struct budget *budget,
                              struct codes *codes);

/*
 * The same for a code that was cut in two pictures: beside each other and above each other, in either order, brought to
 * the same height or width.
 */
MUST_CHECK enum rc codes_find_pair(struct code_reader *reader, const struct picture *first, const struct picture *second,
                                   struct budget *budget, struct codes *codes);

/* Sides of a matrix, in cells. */
#define CODE_MATRIX_MAX 400u

/*
 * The same for a code drawn with the cells of a table or with characters: `cells` holds width * height bytes, row by row, 0
 * is light, anything else dark. RC_LIMIT also: a side is 0 or above CODE_MATRIX_MAX.
 */
MUST_CHECK enum rc codes_find_matrix(struct code_reader *reader, const uint8_t *cells, uint32_t width, uint32_t height,
                                     struct budget *budget, struct codes *codes);

/*
 * Tell a sink: each text that reads like an address as a link, others as text, both of CONTENT_PLACE_CODE, and the fact
 * image.code.
 */
MUST_CHECK enum rc codes_tell(const struct codes *codes, const struct content_sink *sink);

/*
 * A picture file from its bytes to the sink: all frames decoded (image/decode.h) and searched. RC_UNSUPPORTED, RC_SYNTAX: not
 * one frame could be decoded; RC_LIMIT, RC_NOMEM; or what the sink returned. `arena` is for texts and needs 64 KiB.
 */
MUST_CHECK enum rc codes_open(struct code_reader *reader, struct slice bytes, struct arena *arena, struct budget *budget,
                              const struct content_sink *sink);

#endif
