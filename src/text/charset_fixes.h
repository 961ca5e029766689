/*
 * Where ICU's tables differ from the WHATWG Encoding Standard's: of this room only, put into the tables by
 * charset_icu.c.
 */
#ifndef TEXT_CHARSET_FIXES_H
#define TEXT_CHARSET_FIXES_H

#include <stddef.h>
#include <stdint.h>

enum charset_fix_table {
	CHARSET_FIX_GB18030,
	CHARSET_FIX_BIG5,
	CHARSET_FIX_EUC_KR,
	CHARSET_FIX_JIS0208,
	CHARSET_FIX_JIS0212,
	CHARSET_FIX_SINGLE, /* pointer: which set (from CHARSET_SINGLE_FIRST) * 256 + byte */
};

/* `count` pointers from `pointer` on stand for `first`, `first + step` and so on; 0: for none. */
struct charset_fix {
	uint8_t  table;
	uint8_t  step;
	uint16_t pointer;
	uint16_t count;
	uint32_t first;
};

extern const struct charset_fix charset_fixes[];
extern const size_t             charset_fixes_count;

#endif
