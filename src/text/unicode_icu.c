/* ICU's normalizers, spoof checker and properties. No ICU type leaves this file. */
#include "text/unicode.h"

#include <unicode/uchar.h>
#include <unicode/udata.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#define FORMS 4
#define UNITS_MAX           \
	(UNICODE_TEXT_MAX * \
	 4) /* NFKC makes up to 18 of one, hardly ever more than 4 on the whole: what is longer is RC_LIMIT */

/* Made by unicode_ready() before any thread starts; only read after. ICU's const objects may be shared by threads. */
static const UNormalizer2 *normalizers[FORMS];
static USpoofChecker      *checker;

enum rc unicode_ready(void)
{
	UErrorCode status = U_ZERO_ERROR;

	if (checker != NULL)
		return RC_OK;
	udata_setFileAccess(UDATA_NO_FILES, &status); /* its data stands in its library */
	normalizers[UNICODE_NFC] = unorm2_getNFCInstance(&status);
	normalizers[UNICODE_NFD] = unorm2_getNFDInstance(&status);
	normalizers[UNICODE_NFKC] = unorm2_getNFKCInstance(&status);
	normalizers[UNICODE_NFKC_FOLDED] = unorm2_getNFKCCasefoldInstance(&status);
	USpoofChecker *made = uspoof_open(&status);
	if (U_FAILURE(status)) {
		uspoof_close(made);
		return RC_UNSUPPORTED;
	}
	checker = made;
	/* Once, so that what it loads lazily is loaded. */
	uint8_t out[64];
	size_t  size;
	return unicode_skeleton(SLICE("\xd1\x80\xc3\xa9"), out, sizeof out, &size);
}

static enum rc units_put(const UChar *units, int32_t count, uint8_t *out, size_t room, size_t *ret_size)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t    size = 0;

	u_strToUTF8((char *)out, room > INT32_MAX ? INT32_MAX : (int32_t)room, &size, units, count, &status);
	if (U_FAILURE(status))
		return RC_LIMIT;
	*ret_size = (size_t)size;
	return RC_OK;
}

enum rc unicode_normalise(enum unicode_form form, struct slice s, uint8_t *out, size_t room, size_t *ret_size)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar      source[UNICODE_TEXT_MAX], target[UNITS_MAX];
	int32_t    count = 0;

	if (checker == NULL)
		return RC_UNSUPPORTED;
	if (s.len > UNICODE_TEXT_MAX)
		return RC_LIMIT;
	if (s.len == 0) {
		*ret_size = 0;
		return RC_OK;
	}
	u_strFromUTF8(source, UNICODE_TEXT_MAX, &count, (const char *)s.ptr, (int32_t)s.len, &status);
	count = unorm2_normalize(normalizers[form], source, count, target, UNITS_MAX, &status);
	return U_FAILURE(status) ? RC_LIMIT : units_put(target, count, out, room, ret_size);
}

enum rc unicode_skeleton(struct slice s, uint8_t *out, size_t room, size_t *ret_size)
{
	UErrorCode status = U_ZERO_ERROR;

	if (checker == NULL)
		return RC_UNSUPPORTED;
	if (s.len > UNICODE_TEXT_MAX)
		return RC_LIMIT;
	if (s.len == 0) {
		*ret_size = 0;
		return RC_OK;
	}
	const int32_t size = uspoof_getSkeletonUTF8(checker, 0, (const char *)s.ptr, (int32_t)s.len, (char *)out,
	                                            room > INT32_MAX ? INT32_MAX : (int32_t)room, &status);
	if (U_FAILURE(status))
		return RC_LIMIT;
	*ret_size = (size_t)size;
	return RC_OK;
}

enum unicode_script unicode_script(uint32_t character)
{
	UErrorCode        status = U_ZERO_ERROR;
	const UScriptCode code = uscript_getScript((UChar32)character, &status);

	switch ((int)code) {
	case USCRIPT_COMMON:
	case USCRIPT_INHERITED:
		return UNICODE_COMMON;
	case USCRIPT_LATIN:
		return UNICODE_LATIN;
	case USCRIPT_GREEK:
		return UNICODE_GREEK;
	case USCRIPT_CYRILLIC:
		return UNICODE_CYRILLIC;
	case USCRIPT_ARMENIAN:
		return UNICODE_ARMENIAN;
	case USCRIPT_CHEROKEE:
		return UNICODE_CHEROKEE;
	case USCRIPT_HEBREW:
		return UNICODE_HEBREW;
	case USCRIPT_ARABIC:
		return UNICODE_ARABIC;
	case USCRIPT_THAI:
		return UNICODE_THAI;
	case USCRIPT_HAN:
	case USCRIPT_BOPOMOFO:
		return UNICODE_HAN;
	case USCRIPT_HIRAGANA:
	case USCRIPT_KATAKANA:
		return UNICODE_KANA;
	case USCRIPT_HANGUL:
		return UNICODE_HANGUL;
	default:
		return UNICODE_OTHER;
	}
}

bool unicode_is_letter(uint32_t character)
{
	return u_isalpha((UChar32)character) != 0;
}

bool unicode_is_mark(uint32_t character)
{
	const int8_t type = u_charType((UChar32)character);

	return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_COMBINING_SPACING_MARK;
}

bool unicode_is_invisible(uint32_t character)
{
	return u_hasBinaryProperty((UChar32)character, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
}
