/*
 * What this room asks of ICU about characters: the mapping of UTS 46 and a few properties. Code points in and out, no
 * type of ICU's. For idna.c and facts of hosts.
 *
 * idna_icu_ready() loads ICU's data and proves that it answers; call it before the box closes, nothing is loaded
 * afterwards. Until then, and when it failed, the other functions answer as if every name were wrong.
 */
#ifndef LINK_IDNA_ICU_H
#define LINK_IDNA_ICU_H

#include "base/rc.h"
#include "base/slice.h"

/* RC_UNSUPPORTED: ICU has no data, or answers wrongly. */
MUST_CHECK enum rc idna_icu_ready(void);

/*
 * UTS 46 section 4 steps 1 and 2: map, then NFC; what is disallowed becomes U+FFFD. RC_LIMIT: more than `room`, or
 * more than IDNA_POINTS_MAX code points; RC_UNSUPPORTED: ICU does not answer.
 */
#define IDNA_POINTS_MAX 1024u
MUST_CHECK enum rc idna_icu_map(const uint32_t *source, size_t count, uint32_t *out, size_t room, size_t *out_count);

/* Bidi_Class, as far as RFC 5893 asks for it. */
enum idna_bidi {
	IDNA_BIDI_OTHER, /* none that a label may have */
	IDNA_BIDI_L,
	IDNA_BIDI_R, /* R or AL */
	IDNA_BIDI_AN,
	IDNA_BIDI_EN,
	IDNA_BIDI_NEUTRAL, /* ES CS ET ON BN */
	IDNA_BIDI_NSM,
};
enum idna_bidi idna_icu_bidi(uint32_t code_point);

/* General category M. */
bool idna_icu_is_mark(uint32_t code_point);
/* Canonical combining class 9. */
bool idna_icu_is_virama(uint32_t code_point);

/* Joining_Type: 'L', 'R', 'D', 'T', or 0 for the rest. */
char idna_icu_joining(uint32_t code_point);

/*
 * Scripts of a label, as a bit each: those that may be told from each other by look are apart; Common and Inherited
 * are none.
 */
#define IDNA_SCRIPT_LATIN    (1u << 0)
#define IDNA_SCRIPT_CYRILLIC (1u << 1)
#define IDNA_SCRIPT_GREEK    (1u << 2)
#define IDNA_SCRIPT_ARMENIAN (1u << 3)
#define IDNA_SCRIPT_HAN      (1u << 4)
#define IDNA_SCRIPT_KANA     (1u << 5) /* Hiragana, Katakana */
#define IDNA_SCRIPT_HANGUL   (1u << 6)
#define IDNA_SCRIPT_BOPOMOFO (1u << 7)
#define IDNA_SCRIPT_HEBREW   (1u << 8)
#define IDNA_SCRIPT_ARABIC   (1u << 9)
#define IDNA_SCRIPT_CHEROKEE (1u << 10)
#define IDNA_SCRIPT_OTHER    (1u << 31)
uint32_t idna_icu_script(uint32_t code_point);

#endif
