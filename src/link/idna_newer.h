/*
 * Characters whose place in UTS 46 changed, or that Unicode gained, after the Unicode that Debian's ICU knows (15.0).
 * Of the new ones only Chinese characters are here: the other new scripts are historic or have no names yet, and a
 * name in them is refused. For idna.c alone.
 */
#ifndef LINK_IDNA_NEWER_H
#define LINK_IDNA_NEWER_H

#include "link/idna_icu.h"

struct idna_newer {
	uint32_t       mapped; /* to itself when valid, U+FFFD when disallowed, 0 when ignored */
	enum idna_bidi bidi;
	char           joining; /* as idna_icu_joining() */
	bool           mark;
	bool           virama;
};

/* Whether the table has that character. */
bool idna_newer_find(uint32_t code_point, struct idna_newer *out);

#endif
