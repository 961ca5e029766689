/* One look of the foreign reader at one picture; trying again in other ways is codes.c's. */
#ifndef IMAGE_SCANNER_H
#define IMAGE_SCANNER_H

#include "image/codes.h"

struct scanner; /* opaque */

/* As code_reader_open(). */
MUST_CHECK enum rc scanner_open(struct scanner **out);
void scanner_close(struct scanner **scanner);

/* Add what stands on the grey plane to *codes; `inverted` is passed on. RC_NOMEM. */
MUST_CHECK enum rc scanner_look(struct scanner *scanner, const struct picture *picture, bool inverted, struct codes *codes);

#endif
