/*
 * The tables behind charset.h: of this room only. charset_icu.c fills them once, from ICU's converters, corrected
 * where those differ from the WHATWG Encoding Standard (charset_fixes.h); after that everybody reads and nobody
 * writes them.
 */
#ifndef TEXT_CHARSET_TABLE_H
#define TEXT_CHARSET_TABLE_H

#include "text/charset.h"

#define CHARSET_SINGLE_FIRST CHARSET_WINDOWS_1252
#define CHARSET_SINGLE_COUNT (CHARSET_COUNT - CHARSET_SINGLE_FIRST)

#define GB18030_POINTERS 23940u /* 126 leads of 190 trails */
#define BIG5_POINTERS    19782u /* 126 leads of 157 trails */
#define EUC_KR_POINTERS  23940u
#define JIS0208_POINTERS 11280u /* 60 leads of Shift_JIS of 188 trails */
#define PLANE_POINTERS   8836u  /* 94 rows of 94 cells */
#define GB18030_RANGES   256u   /* the standard has 207 */

/* Four-byte codes from `pointer` on stand for the characters from `first` on. */
struct charset_range {
	uint32_t pointer;
	uint16_t first;
};

/* 0 where a pointer has no character. "Pointer" is the Encoding Standard's word (its section 5, Indexes). */
struct charset_tables {
	bool     ready;
	uint16_t gb18030[GB18030_POINTERS];
	uint32_t big5[BIG5_POINTERS];
	uint16_t euc_kr[EUC_KR_POINTERS];
	uint16_t jis0208[JIS0208_POINTERS];
	uint16_t jis0212[PLANE_POINTERS];
	uint16_t cns1[PLANE_POINTERS]; /* CNS 11643 plane 1 */
	uint32_t cns2[PLANE_POINTERS];
	uint16_t single[CHARSET_SINGLE_COUNT][256];
	bool     single_ascii[CHARSET_SINGLE_COUNT]; /* bytes below 128 are ASCII */

	struct charset_range gb18030_ranges[GB18030_RANGES];
	size_t               gb18030_range_count;
};

const struct charset_tables *charset_tables(void);

/* ---- the decoders: a byte at a time ---- */

struct charset_out {
	uint8_t *ptr;
	size_t   size;
};

/*
 * One character; and one that stands for bytes that mean nothing. The caller of a decoder keeps CHARSET_ROOM_MIN
 * bytes free.
 */
void charset_put(struct charset_run *run, struct charset_out *out, uint32_t character);
void charset_bad(struct charset_run *run, struct charset_out *out);

/*
 * How a set is read. `byte` takes the next byte: at most CHARSET_ROOM_MIN bytes of output. `end` puts out what is
 * held at the end. `ascii`: while nothing is held, mode and shift are 0, a byte below 128 is ASCII, except those in
 * `special` (0: none, up to 4).
 */
struct charset_way {
	void (*byte)(struct charset_run *run, struct charset_out *out, uint8_t byte);
	void (*end)(struct charset_run *run, struct charset_out *out);
	bool    ascii;
	uint8_t special[4];
};

void charset_gb18030_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_big5_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_shift_jis_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_euc_jp_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_euc_kr_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_euc_tw_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
/* Whatever is held is one character that was cut. */
void charset_held_end(struct charset_run *run, struct charset_out *out);

void charset_iso_2022_jp_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_iso_2022_jp_end(struct charset_run *run, struct charset_out *out);
void charset_iso_2022_shift_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_iso_2022_shift_end(struct charset_run *run, struct charset_out *out);
void charset_hz_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_hz_end(struct charset_run *run, struct charset_out *out);
void charset_utf7_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_utf7_end(struct charset_run *run, struct charset_out *out);

void charset_utf8_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_utf16_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);
void charset_utf16_end(struct charset_run *run, struct charset_out *out);
void charset_utf32_byte(struct charset_run *run, struct charset_out *out, uint8_t byte);

/* Characters of two-byte planes; 0: none. `row` and `cell` count from 0 and may be anything. */
uint32_t charset_gb2312_cell(uint32_t row, uint32_t cell);
uint32_t charset_ksc_cell(uint32_t row, uint32_t cell);
uint32_t charset_jis0208_cell(uint32_t row, uint32_t cell);
uint32_t charset_jis0212_cell(uint32_t row, uint32_t cell);
uint32_t charset_cns_cell(uint32_t plane, uint32_t row, uint32_t cell);

#endif
