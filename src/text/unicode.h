/*
 * What the Unicode standard says of characters, behind ICU: normal forms (UAX 15), skeletons of what looks alike (UTS
 * 39), scripts (UAX 24). All of it works on UTF-8 in the caller's memory. unicode_ready() is called once per process
 * before its threads start and its sandbox closes; after it nothing is loaded, and every function may be called from
 * any thread.
 */
#ifndef TEXT_UNICODE_H
#define TEXT_UNICODE_H

#include "base/rc.h"
#include "base/slice.h"

/* RC_UNSUPPORTED: the library lacks its data. Legal twice. */
MUST_CHECK enum rc unicode_ready(void);

enum unicode_form {
	UNICODE_NFC,
	UNICODE_NFD,
	UNICODE_NFKC,
	UNICODE_NFKC_FOLDED /* NFKC_Casefold: caseless, invisible characters dropped */
};

#define UNICODE_TEXT_MAX \
	4096u /* bytes of one text that has a form or a skeleton made; longer ones are taken in pieces by their callers */

/*
 * `s` (valid UTF-8) in that form in `out`, its size in *ret_size. RC_LIMIT: longer than UNICODE_TEXT_MAX, or it does
 * not fit into `room`. RC_UNSUPPORTED before unicode_ready().
 */
MUST_CHECK enum rc unicode_normalise(enum unicode_form form, struct slice s, uint8_t *out, size_t room,
                                     size_t *ret_size);

/* The skeleton of `s`: two texts that UTS 39 (section 4) holds for confusable have the same one. Errors as above. */
MUST_CHECK enum rc unicode_skeleton(struct slice s, uint8_t *out, size_t room, size_t *ret_size);

/* Scripts that findings tell apart. */
enum unicode_script {
	UNICODE_COMMON, /* digits, punctuation, marks that any script takes */
	UNICODE_LATIN,
	UNICODE_GREEK,
	UNICODE_CYRILLIC,
	UNICODE_ARMENIAN,
	UNICODE_CHEROKEE,
	UNICODE_HEBREW,
	UNICODE_ARABIC,
	UNICODE_THAI,
	UNICODE_HAN,
	UNICODE_KANA, /* hiragana and katakana */
	UNICODE_HANGUL,
	UNICODE_OTHER,
	UNICODE_SCRIPTS
};
enum unicode_script unicode_script(uint32_t character);

/* General properties of a character, as far as this room asks. */
bool unicode_is_letter(uint32_t character);    /* letters, and ideographs */
bool unicode_is_mark(uint32_t character);      /* combining marks */
bool unicode_is_invisible(uint32_t character); /* Default_Ignorable_Code_Point: nothing is drawn */

#endif
