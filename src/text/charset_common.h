/*
 * The characters that mail is made of, by language: of this room only, for charset_guess.c. UTF-8, each list
 * unordered, without regard to repeats.
 */
#ifndef TEXT_CHARSET_COMMON_H
#define TEXT_CHARSET_COMMON_H

extern const char charset_common_simplified[];
extern const char charset_common_traditional[];
extern const char charset_common_japanese[];
extern const char charset_common_hangul[];
extern const char charset_common_letters
	[]; /* Cyrillic, Greek, Hebrew, Arabic, Thai, and letters with marks of Western, Central and Turkish writing */

#endif
