/* The adapter to ICU: libicuuc and its data. See idna_icu.h. */
#include "link/idna_icu.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

/*
 * UTS 46 mapping as a normaliser. ICU keeps it after the first call (a look-up in its cache then), so nothing of ours
 * remembers it.
 */
static const UNormalizer2 *mapper(void)
{
	UErrorCode          error = U_ZERO_ERROR;
	const UNormalizer2 *found = unorm2_getInstance(NULL, "uts46", UNORM2_COMPOSE, &error);

	return U_SUCCESS(error) ? found : NULL;
}

enum rc idna_icu_ready(void)
{
	static const uint32_t wide[] = { 0xff27, 0x00df, 0x1f71, 0xe000 };
	static const uint32_t mapped[] = { 'g', 0x00df, 0x03ac, 0xfffd };
	uint32_t              out[8];
	size_t                count = 0;

	const enum rc rc = idna_icu_map(wide, 4, out, 8, &count);
	if (rc != RC_OK || count != 4 || memcmp(out, mapped, sizeof mapped) != 0)
		return RC_UNSUPPORTED;
	if (idna_icu_bidi(0x05d0) != IDNA_BIDI_R || !idna_icu_is_mark(0x0308) || !idna_icu_is_virama(0x094d) ||
	    idna_icu_joining(0x0628) != 'D' || idna_icu_script(0x4e2d) != IDNA_SCRIPT_HAN)
		return RC_UNSUPPORTED;
	return RC_OK;
}

enum rc idna_icu_map(const uint32_t *source, size_t count, uint32_t *out, size_t room, size_t *out_count)
{
	UChar               text[2 * IDNA_POINTS_MAX], mapped[8 * IDNA_POINTS_MAX];
	const UNormalizer2 *normalizer = mapper();
	UErrorCode          error = U_ZERO_ERROR;
	int32_t             size = 0;
	size_t              points = 0;

	if (normalizer == NULL)
		return RC_UNSUPPORTED;
	if (count > IDNA_POINTS_MAX)
		return RC_LIMIT;
	for (size_t i = 0; i < count; i++) {
		const UChar32 code_point = (UChar32)source[i];
		U16_APPEND_UNSAFE(text, size, code_point);
	}
	size = unorm2_normalize(normalizer, text, size, mapped, (int32_t)(sizeof mapped / sizeof mapped[0]), &error);
	if (U_FAILURE(error))
		return error == U_BUFFER_OVERFLOW_ERROR ? RC_LIMIT : RC_UNSUPPORTED;
	for (int32_t at = 0; at < size;) {
		uint32_t point = mapped[at++];
		if (U16_IS_LEAD(point) && at < size && U16_IS_TRAIL(mapped[at]))
			point = ((point - 0xd800) << 10) + (mapped[at++] - 0xdc00u) + 0x10000;
		if (points == room)
			return RC_LIMIT;
		out[points++] = point;
	}
	*out_count = points;
	return RC_OK;
}

enum idna_bidi idna_icu_bidi(uint32_t code_point)
{
	/* Not every class is named here: those that no label may have are one. */
	switch ((int)u_charDirection((UChar32)code_point)) {
	case U_LEFT_TO_RIGHT:
		return IDNA_BIDI_L;
	case U_RIGHT_TO_LEFT:
	case U_RIGHT_TO_LEFT_ARABIC:
		return IDNA_BIDI_R;
	case U_ARABIC_NUMBER:
		return IDNA_BIDI_AN;
	case U_EUROPEAN_NUMBER:
		return IDNA_BIDI_EN;
	case U_EUROPEAN_NUMBER_SEPARATOR:
	case U_COMMON_NUMBER_SEPARATOR:
	case U_EUROPEAN_NUMBER_TERMINATOR:
	case U_OTHER_NEUTRAL:
	case U_BOUNDARY_NEUTRAL:
		return IDNA_BIDI_NEUTRAL;
	case U_DIR_NON_SPACING_MARK:
		return IDNA_BIDI_NSM;
	default:
		return IDNA_BIDI_OTHER;
	}
}

bool idna_icu_is_mark(uint32_t code_point)
{
	return (U_GET_GC_MASK((UChar32)code_point) & U_GC_M_MASK) != 0;
}

bool idna_icu_is_virama(uint32_t code_point)
{
	return u_getCombiningClass((UChar32)code_point) == 9;
}

char idna_icu_joining(uint32_t code_point)
{
	switch (u_getIntPropertyValue((UChar32)code_point, UCHAR_JOINING_TYPE)) {
	case U_JT_LEFT_JOINING:
		return 'L';
	case U_JT_RIGHT_JOINING:
		return 'R';
	case U_JT_DUAL_JOINING:
		return 'D';
	case U_JT_TRANSPARENT:
		return 'T';
	default:
		return 0;
	}
}

uint32_t idna_icu_script(uint32_t code_point)
{
	UErrorCode error = U_ZERO_ERROR;

	switch ((int)uscript_getScript((UChar32)code_point, &error)) {
	case USCRIPT_COMMON:
	case USCRIPT_INHERITED:
		return 0;
	case USCRIPT_LATIN:
		return IDNA_SCRIPT_LATIN;
	case USCRIPT_CYRILLIC:
		return IDNA_SCRIPT_CYRILLIC;
	case USCRIPT_GREEK:
		return IDNA_SCRIPT_GREEK;
	case USCRIPT_ARMENIAN:
		return IDNA_SCRIPT_ARMENIAN;
	case USCRIPT_HAN:
		return IDNA_SCRIPT_HAN;
	case USCRIPT_HIRAGANA:
	case USCRIPT_KATAKANA:
		return IDNA_SCRIPT_KANA;
	case USCRIPT_HANGUL:
		return IDNA_SCRIPT_HANGUL;
	case USCRIPT_BOPOMOFO:
		return IDNA_SCRIPT_BOPOMOFO;
	case USCRIPT_HEBREW:
		return IDNA_SCRIPT_HEBREW;
	case USCRIPT_ARABIC:
		return IDNA_SCRIPT_ARABIC;
	case USCRIPT_CHEROKEE:
		return IDNA_SCRIPT_CHEROKEE;
	default:
		return IDNA_SCRIPT_OTHER;
	}
}
