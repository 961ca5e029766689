/*
 * What a label names: the WHATWG Encoding Standard's table (section 4.2), the names of IANA's registry for sets that
 * mail uses, code pages by number, and the misspellings that mail is full of. A label is compared by its letters and
 * digits alone.
 */
#include "base/num.h"
#include "text/charset.h"

#define KEY_MAX      40u /* the longest known name has 39 letters and digits */
#define CODEPAGE_MAX 65535u

struct name {
	struct slice key;
	uint8_t      charset;
};

/* By key: lower case, letters and digits only. */
static const struct name names[] = {
	{ SLICE_INIT("5601"), CHARSET_EUC_KR },
	{ SLICE_INIT("646"), CHARSET_ASCII },
	{ SLICE_INIT("7bit"), CHARSET_ASCII },
	{ SLICE_INIT("866"), CHARSET_IBM_866 },
	{ SLICE_INIT("8859"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("ansi"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("ansi1251"), CHARSET_WINDOWS_1251 },
	{ SLICE_INIT("ansix341968"), CHARSET_ASCII },
	{ SLICE_INIT("ansix341986"), CHARSET_ASCII },
	{ SLICE_INIT("arabic"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("ascii"), CHARSET_ASCII },
	{ SLICE_INIT("ascii7bit"), CHARSET_ASCII },
	{ SLICE_INIT("asmo708"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("big5"), CHARSET_BIG5 },
	{ SLICE_INIT("big52003"), CHARSET_BIG5 },
	{ SLICE_INIT("big5eten"), CHARSET_BIG5 },
	{ SLICE_INIT("big5hk"), CHARSET_BIG5 },
	{ SLICE_INIT("big5hkscs"), CHARSET_BIG5 },
	{ SLICE_INIT("bigfive"), CHARSET_BIG5 },
	{ SLICE_INIT("cesu8"), CHARSET_UTF8 },
	{ SLICE_INIT("chinese"), CHARSET_GB18030 },
	{ SLICE_INIT("chinesebig5"), CHARSET_BIG5 },
	{ SLICE_INIT("chinesesimplified"), CHARSET_GB18030 },
	{ SLICE_INIT("chinesetraditional"), CHARSET_BIG5 },
	{ SLICE_INIT("cn"), CHARSET_GB18030 },
	{ SLICE_INIT("cnbig5"), CHARSET_BIG5 },
	{ SLICE_INIT("cngb"), CHARSET_GB18030 },
	{ SLICE_INIT("cns11643"), CHARSET_EUC_TW },
	{ SLICE_INIT("cp866"), CHARSET_IBM_866 },
	{ SLICE_INIT("cp936"), CHARSET_GB18030 },
	{ SLICE_INIT("csascii"), CHARSET_ASCII },
	{ SLICE_INIT("csbig5"), CHARSET_BIG5 },
	{ SLICE_INIT("csbig5hkscs"), CHARSET_BIG5 },
	{ SLICE_INIT("cseuckr"), CHARSET_EUC_KR },
	{ SLICE_INIT("cseucpkdfmtjapanese"), CHARSET_EUC_JP },
	{ SLICE_INIT("cseuctw"), CHARSET_EUC_TW },
	{ SLICE_INIT("csgb18030"), CHARSET_GB18030 },
	{ SLICE_INIT("csgb2312"), CHARSET_GB18030 },
	{ SLICE_INIT("csgbk"), CHARSET_GB18030 },
	{ SLICE_INIT("cshproman8"), CHARSET_HP_ROMAN8 },
	{ SLICE_INIT("cshzgb2312"), CHARSET_HZ },
	{ SLICE_INIT("csibm866"), CHARSET_IBM_866 },
	{ SLICE_INIT("csiso2022cn"), CHARSET_ISO_2022_CN },
	{ SLICE_INIT("csiso2022jp"), CHARSET_ISO_2022_JP },
	{ SLICE_INIT("csiso2022jp1"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("csiso2022jp2"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("csiso2022kr"), CHARSET_ISO_2022_KR },
	{ SLICE_INIT("csiso58gb231280"), CHARSET_GB18030 },
	{ SLICE_INIT("csiso885915"), CHARSET_ISO_8859_15 },
	{ SLICE_INIT("csiso885916"), CHARSET_ISO_8859_16 },
	{ SLICE_INIT("csiso88596e"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("csiso88596i"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("csiso88598e"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("csiso88598i"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("csisolatin1"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("csisolatin2"), CHARSET_ISO_8859_2 },
	{ SLICE_INIT("csisolatin3"), CHARSET_ISO_8859_3 },
	{ SLICE_INIT("csisolatin4"), CHARSET_ISO_8859_4 },
	{ SLICE_INIT("csisolatin5"), CHARSET_WINDOWS_1254 },
	{ SLICE_INIT("csisolatin6"), CHARSET_ISO_8859_10 },
	{ SLICE_INIT("csisolatin9"), CHARSET_ISO_8859_15 },
	{ SLICE_INIT("csisolatinarabic"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("csisolatincyrillic"), CHARSET_ISO_8859_5 },
	{ SLICE_INIT("csisolatingreek"), CHARSET_ISO_8859_7 },
	{ SLICE_INIT("csisolatinhebrew"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("cskoi8r"), CHARSET_KOI8_R },
	{ SLICE_INIT("cskoi8u"), CHARSET_KOI8_U },
	{ SLICE_INIT("csksc56011987"), CHARSET_EUC_KR },
	{ SLICE_INIT("csmacintosh"), CHARSET_MACINTOSH },
	{ SLICE_INIT("csshiftjis"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("cstis620"), CHARSET_WINDOWS_874 },
	{ SLICE_INIT("csucs4"), CHARSET_UTF32 },
	{ SLICE_INIT("csunicode"), CHARSET_UTF16LE },
	{ SLICE_INIT("csunicode11utf7"), CHARSET_UTF7 },
	{ SLICE_INIT("csutf16"), CHARSET_UTF16 },
	{ SLICE_INIT("csutf16be"), CHARSET_UTF16BE },
	{ SLICE_INIT("csutf16le"), CHARSET_UTF16LE },
	{ SLICE_INIT("csutf32"), CHARSET_UTF32 },
	{ SLICE_INIT("csutf32be"), CHARSET_UTF32BE },
	{ SLICE_INIT("csutf32le"), CHARSET_UTF32LE },
	{ SLICE_INIT("csutf7"), CHARSET_UTF7 },
	{ SLICE_INIT("csutf8"), CHARSET_UTF8 },
	{ SLICE_INIT("cswindows31j"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("cswindows949"), CHARSET_EUC_KR },
	{ SLICE_INIT("cyrillic"), CHARSET_ISO_8859_5 },
	{ SLICE_INIT("default"), CHARSET_ASCII },
	{ SLICE_INIT("dos866"), CHARSET_IBM_866 },
	{ SLICE_INIT("dos874"), CHARSET_WINDOWS_874 },
	{ SLICE_INIT("ecma114"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("ecma118"), CHARSET_ISO_8859_7 },
	{ SLICE_INIT("elot928"), CHARSET_ISO_8859_7 },
	{ SLICE_INIT("euc"), CHARSET_EUC_JP },
	{ SLICE_INIT("euccn"), CHARSET_GB18030 },
	{ SLICE_INIT("eucgb2312cn"), CHARSET_GB18030 },
	{ SLICE_INIT("eucj"), CHARSET_EUC_JP },
	{ SLICE_INIT("eucjp"), CHARSET_EUC_JP },
	{ SLICE_INIT("eucjpms"), CHARSET_EUC_JP },
	{ SLICE_INIT("eucjpwin"), CHARSET_EUC_JP },
	{ SLICE_INIT("euckr"), CHARSET_EUC_KR },
	{ SLICE_INIT("euctw"), CHARSET_EUC_TW },
	{ SLICE_INIT("extendedunixcodepackedformatforjapanese"), CHARSET_EUC_JP },
	{ SLICE_INIT("gb"), CHARSET_GB18030 },
	{ SLICE_INIT("gb18030"), CHARSET_GB18030 },
	{ SLICE_INIT("gb180302000"), CHARSET_GB18030 },
	{ SLICE_INIT("gb180302005"), CHARSET_GB18030 },
	{ SLICE_INIT("gb180302022"), CHARSET_GB18030 },
	{ SLICE_INIT("gb1988"), CHARSET_GB18030 },
	{ SLICE_INIT("gb198880"), CHARSET_GB18030 },
	{ SLICE_INIT("gb2312"), CHARSET_GB18030 },
	{ SLICE_INIT("gb231200"), CHARSET_GB18030 },
	{ SLICE_INIT("gb231280"), CHARSET_GB18030 },
	{ SLICE_INIT("gb2312charset"), CHARSET_GB18030 },
	{ SLICE_INIT("gb2312gb2312"), CHARSET_GB18030 },
	{ SLICE_INIT("gb2312hz"), CHARSET_HZ },
	{ SLICE_INIT("gb2321"), CHARSET_GB18030 },
	{ SLICE_INIT("gbk"), CHARSET_GB18030 },
	{ SLICE_INIT("gbk2312"), CHARSET_GB18030 },
	{ SLICE_INIT("greek"), CHARSET_ISO_8859_7 },
	{ SLICE_INIT("greek8"), CHARSET_ISO_8859_7 },
	{ SLICE_INIT("hebrew"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("hkscs"), CHARSET_BIG5 },
	{ SLICE_INIT("hproman8"), CHARSET_HP_ROMAN8 },
	{ SLICE_INIT("hz"), CHARSET_HZ },
	{ SLICE_INIT("hzgb"), CHARSET_HZ },
	{ SLICE_INIT("hzgb2312"), CHARSET_HZ },
	{ SLICE_INIT("hzgbk"), CHARSET_GB18030 },
	{ SLICE_INIT("ibm866"), CHARSET_IBM_866 },
	{ SLICE_INIT("iso10646ucs2"), CHARSET_UTF16LE },
	{ SLICE_INIT("iso10646ucs4"), CHARSET_UTF32 },
	{ SLICE_INIT("iso2022cn"), CHARSET_ISO_2022_CN },
	{ SLICE_INIT("iso2022cnext"), CHARSET_ISO_2022_CN },
	{ SLICE_INIT("iso2022cngb"), CHARSET_ISO_2022_CN },
	{ SLICE_INIT("iso2022jp"), CHARSET_ISO_2022_JP },
	{ SLICE_INIT("iso2022jp1"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("iso2022jp2"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("iso2022jp2004"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("iso2022jp3"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("iso2022jpext"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("iso2022jpmobile"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("iso2022jpms"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("iso2022kr"), CHARSET_ISO_2022_KR },
	{ SLICE_INIT("iso646irv"), CHARSET_ASCII },
	{ SLICE_INIT("iso646us"), CHARSET_ASCII },
	{ SLICE_INIT("iso88591windows31latin1"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("iso88596e"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("iso88596i"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("iso88598e"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("iso88598i"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("isoceltic"), CHARSET_ISO_8859_14 },
	{ SLICE_INIT("isoir100"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("isoir101"), CHARSET_ISO_8859_2 },
	{ SLICE_INIT("isoir109"), CHARSET_ISO_8859_3 },
	{ SLICE_INIT("isoir110"), CHARSET_ISO_8859_4 },
	{ SLICE_INIT("isoir126"), CHARSET_ISO_8859_7 },
	{ SLICE_INIT("isoir127"), CHARSET_ISO_8859_6 },
	{ SLICE_INIT("isoir138"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("isoir144"), CHARSET_ISO_8859_5 },
	{ SLICE_INIT("isoir148"), CHARSET_WINDOWS_1254 },
	{ SLICE_INIT("isoir149"), CHARSET_EUC_KR },
	{ SLICE_INIT("isoir157"), CHARSET_ISO_8859_10 },
	{ SLICE_INIT("isoir166"), CHARSET_WINDOWS_874 },
	{ SLICE_INIT("isoir199"), CHARSET_ISO_8859_14 },
	{ SLICE_INIT("isoir226"), CHARSET_ISO_8859_16 },
	{ SLICE_INIT("isoir58"), CHARSET_GB18030 },
	{ SLICE_INIT("isoir6"), CHARSET_ASCII },
	{ SLICE_INIT("isoir6us"), CHARSET_ASCII },
	{ SLICE_INIT("isolatin1"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("isolatin2"), CHARSET_ISO_8859_2 },
	{ SLICE_INIT("jis"), CHARSET_ISO_2022_JP },
	{ SLICE_INIT("jis7"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("jis8"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("junet"), CHARSET_ISO_2022_JP },
	{ SLICE_INIT("koi"), CHARSET_KOI8_R },
	{ SLICE_INIT("koi8"), CHARSET_KOI8_R },
	{ SLICE_INIT("koi8r"), CHARSET_KOI8_R },
	{ SLICE_INIT("koi8ru"), CHARSET_KOI8_U },
	{ SLICE_INIT("koi8rur"), CHARSET_KOI8_R },
	{ SLICE_INIT("koi8u"), CHARSET_KOI8_U },
	{ SLICE_INIT("korea"), CHARSET_EUC_KR },
	{ SLICE_INIT("korean"), CHARSET_EUC_KR },
	{ SLICE_INIT("kr"), CHARSET_EUC_KR },
	{ SLICE_INIT("ksc5601"), CHARSET_EUC_KR },
	{ SLICE_INIT("ksc56011987"), CHARSET_EUC_KR },
	{ SLICE_INIT("ksc56011989"), CHARSET_EUC_KR },
	{ SLICE_INIT("ksc56011992"), CHARSET_EUC_KR },
	{ SLICE_INIT("kscs56011987"), CHARSET_EUC_KR },
	{ SLICE_INIT("ksx1001"), CHARSET_EUC_KR },
	{ SLICE_INIT("l1"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("l10"), CHARSET_ISO_8859_16 },
	{ SLICE_INIT("l2"), CHARSET_ISO_8859_2 },
	{ SLICE_INIT("l3"), CHARSET_ISO_8859_3 },
	{ SLICE_INIT("l4"), CHARSET_ISO_8859_4 },
	{ SLICE_INIT("l5"), CHARSET_WINDOWS_1254 },
	{ SLICE_INIT("l6"), CHARSET_ISO_8859_10 },
	{ SLICE_INIT("l7"), CHARSET_ISO_8859_13 },
	{ SLICE_INIT("l8"), CHARSET_ISO_8859_14 },
	{ SLICE_INIT("l9"), CHARSET_ISO_8859_15 },
	{ SLICE_INIT("latin"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("latin0"), CHARSET_ISO_8859_15 },
	{ SLICE_INIT("latin1"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("latin10"), CHARSET_ISO_8859_16 },
	{ SLICE_INIT("latin2"), CHARSET_ISO_8859_2 },
	{ SLICE_INIT("latin3"), CHARSET_ISO_8859_3 },
	{ SLICE_INIT("latin4"), CHARSET_ISO_8859_4 },
	{ SLICE_INIT("latin5"), CHARSET_WINDOWS_1254 },
	{ SLICE_INIT("latin6"), CHARSET_ISO_8859_10 },
	{ SLICE_INIT("latin7"), CHARSET_ISO_8859_13 },
	{ SLICE_INIT("latin8"), CHARSET_ISO_8859_14 },
	{ SLICE_INIT("latin9"), CHARSET_ISO_8859_15 },
	{ SLICE_INIT("logical"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("mac"), CHARSET_MACINTOSH },
	{ SLICE_INIT("maccentraleurope"), CHARSET_MAC_CENTRAL },
	{ SLICE_INIT("maccyrillic"), CHARSET_MAC_CYRILLIC },
	{ SLICE_INIT("macintosh"), CHARSET_MACINTOSH },
	{ SLICE_INIT("macroman"), CHARSET_MACINTOSH },
	{ SLICE_INIT("mskanji"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("none"), CHARSET_ASCII },
	{ SLICE_INIT("r8"), CHARSET_HP_ROMAN8 },
	{ SLICE_INIT("roman8"), CHARSET_HP_ROMAN8 },
	{ SLICE_INIT("shiftjis"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("shiftjis2004"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("shiftjisms"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("shiftjisx0213"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("sjis"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("sjisms"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("sjiswin"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("suneugreek"), CHARSET_ISO_8859_7 },
	{ SLICE_INIT("thai"), CHARSET_WINDOWS_874 },
	{ SLICE_INIT("tis620"), CHARSET_WINDOWS_874 },
	{ SLICE_INIT("tis6202533"), CHARSET_WINDOWS_874 },
	{ SLICE_INIT("turkish"), CHARSET_WINDOWS_1254 },
	{ SLICE_INIT("ucs2"), CHARSET_UTF16LE },
	{ SLICE_INIT("ucs2be"), CHARSET_UTF16BE },
	{ SLICE_INIT("ucs2le"), CHARSET_UTF16LE },
	{ SLICE_INIT("ucs4"), CHARSET_UTF32 },
	{ SLICE_INIT("ucs4be"), CHARSET_UTF32BE },
	{ SLICE_INIT("ucs4le"), CHARSET_UTF32LE },
	{ SLICE_INIT("uhc"), CHARSET_EUC_KR },
	{ SLICE_INIT("ujis"), CHARSET_EUC_JP },
	{ SLICE_INIT("unicode"), CHARSET_UTF16LE },
	{ SLICE_INIT("unicode11utf7"), CHARSET_UTF7 },
	{ SLICE_INIT("unicode11utf8"), CHARSET_UTF8 },
	{ SLICE_INIT("unicode20utf7"), CHARSET_UTF7 },
	{ SLICE_INIT("unicode20utf8"), CHARSET_UTF8 },
	{ SLICE_INIT("unicodebig"), CHARSET_UTF16BE },
	{ SLICE_INIT("unicodefeff"), CHARSET_UTF16LE },
	{ SLICE_INIT("unicodefffe"), CHARSET_UTF16BE },
	{ SLICE_INIT("unicodelittle"), CHARSET_UTF16LE },
	{ SLICE_INIT("us"), CHARSET_ASCII },
	{ SLICE_INIT("usascii"), CHARSET_ASCII },
	{ SLICE_INIT("usascii7"), CHARSET_ASCII },
	{ SLICE_INIT("utf"), CHARSET_UTF8 },
	{ SLICE_INIT("utf16"), CHARSET_UTF16 },
	{ SLICE_INIT("utf16be"), CHARSET_UTF16BE },
	{ SLICE_INIT("utf16le"), CHARSET_UTF16LE },
	{ SLICE_INIT("utf32"), CHARSET_UTF32 },
	{ SLICE_INIT("utf32be"), CHARSET_UTF32BE },
	{ SLICE_INIT("utf32le"), CHARSET_UTF32LE },
	{ SLICE_INIT("utf7"), CHARSET_UTF7 },
	{ SLICE_INIT("utf8"), CHARSET_UTF8 },
	{ SLICE_INIT("utf8mac"), CHARSET_UTF8 },
	{ SLICE_INIT("utf8mb4"), CHARSET_UTF8 },
	{ SLICE_INIT("utf8n"), CHARSET_UTF8 },
	{ SLICE_INIT("utf8sig"), CHARSET_UTF8 },
	{ SLICE_INIT("visual"), CHARSET_ISO_8859_8 },
	{ SLICE_INIT("western"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("westerneuropean"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("win"), CHARSET_WINDOWS_1251 },
	{ SLICE_INIT("win31j"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("windows31j"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("windowscyrillic"), CHARSET_WINDOWS_1251 },
	{ SLICE_INIT("wtf8"), CHARSET_UTF8 },
	{ SLICE_INIT("xansi"), CHARSET_WINDOWS_1252 },
	{ SLICE_INIT("xascii"), CHARSET_ASCII },
	{ SLICE_INIT("xbig5"), CHARSET_BIG5 },
	{ SLICE_INIT("xbig5eten"), CHARSET_BIG5 },
	{ SLICE_INIT("xbig5hkscs"), CHARSET_BIG5 },
	{ SLICE_INIT("xeuc"), CHARSET_EUC_JP },
	{ SLICE_INIT("xeuccn"), CHARSET_GB18030 },
	{ SLICE_INIT("xeucjp"), CHARSET_EUC_JP },
	{ SLICE_INIT("xeuckr"), CHARSET_EUC_KR },
	{ SLICE_INIT("xeuctw"), CHARSET_EUC_TW },
	{ SLICE_INIT("xgb"), CHARSET_GB18030 },
	{ SLICE_INIT("xgb18030"), CHARSET_GB18030 },
	{ SLICE_INIT("xgb2312"), CHARSET_GB18030 },
	{ SLICE_INIT("xgbk"), CHARSET_GB18030 },
	{ SLICE_INIT("xhz"), CHARSET_HZ },
	{ SLICE_INIT("xiso2022cn"), CHARSET_ISO_2022_CN },
	{ SLICE_INIT("xiso2022jp"), CHARSET_ISO_2022_JP },
	{ SLICE_INIT("xmacce"), CHARSET_MAC_CENTRAL },
	{ SLICE_INIT("xmaccentraleuropean"), CHARSET_MAC_CENTRAL },
	{ SLICE_INIT("xmaccentraleurroman"), CHARSET_MAC_CENTRAL },
	{ SLICE_INIT("xmacchinesesimp"), CHARSET_GB18030 },
	{ SLICE_INIT("xmacchinesetrad"), CHARSET_BIG5 },
	{ SLICE_INIT("xmaccyrillic"), CHARSET_MAC_CYRILLIC },
	{ SLICE_INIT("xmacgreek"), CHARSET_MAC_GREEK },
	{ SLICE_INIT("xmacjapanese"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("xmackorean"), CHARSET_EUC_KR },
	{ SLICE_INIT("xmacroman"), CHARSET_MACINTOSH },
	{ SLICE_INIT("xmacsimpchinese"), CHARSET_GB18030 },
	{ SLICE_INIT("xmacturkish"), CHARSET_MAC_TURKISH },
	{ SLICE_INIT("xmacukrainian"), CHARSET_MAC_CYRILLIC },
	{ SLICE_INIT("xmscp932"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("xshiftjis"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("xsjis"), CHARSET_SHIFT_JIS },
	{ SLICE_INIT("xtis620"), CHARSET_WINDOWS_874 },
	{ SLICE_INIT("xunicode20utf7"), CHARSET_UTF7 },
	{ SLICE_INIT("xunicode20utf8"), CHARSET_UTF8 },
	{ SLICE_INIT("xuserdefined"), CHARSET_USER_DEFINED },
	{ SLICE_INIT("xutf16"), CHARSET_UTF16 },
	{ SLICE_INIT("xutf16be"), CHARSET_UTF16BE },
	{ SLICE_INIT("xutf16le"), CHARSET_UTF16LE },
	{ SLICE_INIT("xutf8"), CHARSET_UTF8 },
	{ SLICE_INIT("xwindows949"), CHARSET_EUC_KR },
	{ SLICE_INIT("xwindowsiso2022jp"), CHARSET_ISO_2022_JP_2 },
	{ SLICE_INIT("xxbig5"), CHARSET_BIG5 },
	{ SLICE_INIT("zhcngb2312"), CHARSET_GB18030 },
	{ SLICE_INIT("zhcngbk"), CHARSET_GB18030 },
	{ SLICE_INIT("zhtwbig5"), CHARSET_BIG5 },
};

struct codepage {
	uint16_t number;
	uint8_t  charset;
};

/* By number, as Windows and IBM count them. */
static const struct codepage codepages[] = {
	{ 37, CHARSET_IBM_037 },
	{ 367, CHARSET_ASCII },
	{ 437, CHARSET_IBM_437 },
	{ 500, CHARSET_IBM_500 },
	{ 620, CHARSET_WINDOWS_874 },
	{ 708, CHARSET_ISO_8859_6 },
	{ 720, CHARSET_IBM_720 },
	{ 737, CHARSET_IBM_737 },
	{ 775, CHARSET_IBM_775 },
	{ 813, CHARSET_ISO_8859_7 },
	{ 819, CHARSET_WINDOWS_1252 },
	{ 850, CHARSET_IBM_850 },
	{ 852, CHARSET_IBM_852 },
	{ 855, CHARSET_IBM_855 },
	{ 857, CHARSET_IBM_857 },
	{ 858, CHARSET_IBM_858 },
	{ 860, CHARSET_IBM_860 },
	{ 861, CHARSET_IBM_861 },
	{ 862, CHARSET_IBM_862 },
	{ 863, CHARSET_IBM_863 },
	{ 864, CHARSET_IBM_864 },
	{ 865, CHARSET_IBM_865 },
	{ 866, CHARSET_IBM_866 },
	{ 869, CHARSET_IBM_869 },
	{ 874, CHARSET_WINDOWS_874 },
	{ 878, CHARSET_KOI8_R },
	{ 912, CHARSET_ISO_8859_2 },
	{ 913, CHARSET_ISO_8859_3 },
	{ 914, CHARSET_ISO_8859_4 },
	{ 915, CHARSET_ISO_8859_5 },
	{ 916, CHARSET_ISO_8859_8 },
	{ 919, CHARSET_ISO_8859_10 },
	{ 920, CHARSET_WINDOWS_1254 },
	{ 921, CHARSET_ISO_8859_13 },
	{ 923, CHARSET_ISO_8859_15 },
	{ 932, CHARSET_SHIFT_JIS },
	{ 936, CHARSET_GB18030 },
	{ 942, CHARSET_SHIFT_JIS },
	{ 943, CHARSET_SHIFT_JIS },
	{ 949, CHARSET_EUC_KR },
	{ 950, CHARSET_BIG5 },
	{ 951, CHARSET_BIG5 },
	{ 954, CHARSET_EUC_JP },
	{ 964, CHARSET_EUC_TW },
	{ 970, CHARSET_EUC_KR },
	{ 1047, CHARSET_IBM_1047 },
	{ 1051, CHARSET_HP_ROMAN8 },
	{ 1089, CHARSET_ISO_8859_6 },
	{ 1140, CHARSET_IBM_1140 },
	{ 1162, CHARSET_WINDOWS_874 },
	{ 1168, CHARSET_KOI8_U },
	{ 1200, CHARSET_UTF16LE },
	{ 1201, CHARSET_UTF16BE },
	{ 1202, CHARSET_UTF16LE },
	{ 1208, CHARSET_UTF8 },
	{ 1250, CHARSET_WINDOWS_1250 },
	{ 1251, CHARSET_WINDOWS_1251 },
	{ 1252, CHARSET_WINDOWS_1252 },
	{ 1253, CHARSET_WINDOWS_1253 },
	{ 1254, CHARSET_WINDOWS_1254 },
	{ 1255, CHARSET_WINDOWS_1255 },
	{ 1256, CHARSET_WINDOWS_1256 },
	{ 1257, CHARSET_WINDOWS_1257 },
	{ 1258, CHARSET_WINDOWS_1258 },
	{ 1275, CHARSET_MACINTOSH },
	{ 1280, CHARSET_MAC_GREEK },
	{ 1281, CHARSET_MAC_TURKISH },
	{ 1282, CHARSET_MAC_CENTRAL },
	{ 1283, CHARSET_MAC_CYRILLIC },
	{ 1363, CHARSET_EUC_KR },
	{ 1370, CHARSET_BIG5 },
	{ 1375, CHARSET_BIG5 },
	{ 1381, CHARSET_GB18030 },
	{ 1383, CHARSET_GB18030 },
	{ 1386, CHARSET_GB18030 },
	{ 1392, CHARSET_GB18030 },
	{ 5050, CHARSET_EUC_JP },
	{ 5348, CHARSET_WINDOWS_1252 },
	{ 5488, CHARSET_GB18030 },
	{ 10000, CHARSET_MACINTOSH },
	{ 10001, CHARSET_SHIFT_JIS },
	{ 10002, CHARSET_BIG5 },
	{ 10003, CHARSET_EUC_KR },
	{ 10006, CHARSET_MAC_GREEK },
	{ 10007, CHARSET_MAC_CYRILLIC },
	{ 10017, CHARSET_MAC_CYRILLIC },
	{ 10029, CHARSET_MAC_CENTRAL },
	{ 10081, CHARSET_MAC_TURKISH },
	{ 12000, CHARSET_UTF32LE },
	{ 12001, CHARSET_UTF32BE },
	{ 13488, CHARSET_UTF16BE },
	{ 20000, CHARSET_EUC_TW },
	{ 20127, CHARSET_ASCII },
	{ 20866, CHARSET_KOI8_R },
	{ 20932, CHARSET_EUC_JP },
	{ 20936, CHARSET_GB18030 },
	{ 20949, CHARSET_EUC_KR },
	{ 21866, CHARSET_KOI8_U },
	{ 28591, CHARSET_WINDOWS_1252 },
	{ 28592, CHARSET_ISO_8859_2 },
	{ 28593, CHARSET_ISO_8859_3 },
	{ 28594, CHARSET_ISO_8859_4 },
	{ 28595, CHARSET_ISO_8859_5 },
	{ 28596, CHARSET_ISO_8859_6 },
	{ 28597, CHARSET_ISO_8859_7 },
	{ 28598, CHARSET_ISO_8859_8 },
	{ 28599, CHARSET_WINDOWS_1254 },
	{ 28600, CHARSET_ISO_8859_10 },
	{ 28601, CHARSET_WINDOWS_874 },
	{ 28603, CHARSET_ISO_8859_13 },
	{ 28604, CHARSET_ISO_8859_14 },
	{ 28605, CHARSET_ISO_8859_15 },
	{ 28606, CHARSET_ISO_8859_16 },
	{ 33722, CHARSET_EUC_JP },
	{ 38598, CHARSET_ISO_8859_8 },
	{ 50220, CHARSET_ISO_2022_JP_2 },
	{ 50221, CHARSET_ISO_2022_JP_2 },
	{ 50222, CHARSET_ISO_2022_JP_2 },
	{ 50225, CHARSET_ISO_2022_KR },
	{ 50227, CHARSET_ISO_2022_CN },
	{ 50229, CHARSET_ISO_2022_CN },
	{ 51932, CHARSET_EUC_JP },
	{ 51936, CHARSET_GB18030 },
	{ 51949, CHARSET_EUC_KR },
	{ 51950, CHARSET_EUC_TW },
	{ 52936, CHARSET_HZ },
	{ 54936, CHARSET_GB18030 },
	{ 65000, CHARSET_UTF7 },
	{ 65001, CHARSET_UTF8 },
};

/* ISO-8859-1 to -16; there is no 12. */
static const uint8_t iso_8859[] = {
	CHARSET_NONE,        CHARSET_WINDOWS_1252, CHARSET_ISO_8859_2, CHARSET_ISO_8859_3,  CHARSET_ISO_8859_4,
	CHARSET_ISO_8859_5,  CHARSET_ISO_8859_6,   CHARSET_ISO_8859_7, CHARSET_ISO_8859_8,  CHARSET_WINDOWS_1254,
	CHARSET_ISO_8859_10, CHARSET_WINDOWS_874,  CHARSET_NONE,       CHARSET_ISO_8859_13, CHARSET_ISO_8859_14,
	CHARSET_ISO_8859_15, CHARSET_ISO_8859_16,
};

/*
 * Lower-case letters and digits of the label, up to a colon with the year of its standard ("iso_8859-1:1987"); 0 when
 * there are too many.
 */
static size_t key_of(struct slice label, char key[KEY_MAX])
{
	size_t size = 0;

	label = slice_take(label, slice_find(label, ':'));
	for (size_t i = 0; i < label.len; i++) {
		if (!byte_is_alnum(label.ptr[i]))
			continue;
		if (size == KEY_MAX)
			return 0;
		key[size++] = (char)byte_lower(label.ptr[i]);
	}
	return size;
}

static enum charset by_name(struct slice key)
{
	size_t low = 0, high = sizeof names / sizeof names[0];

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int    order = slice_compare(names[middle].key, key);
		if (order == 0)
			return names[middle].charset;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return CHARSET_NONE;
}

/* The key behind the first of `prefixes` that it begins with; all of it when none does. */
static struct slice without_prefix(struct slice key, const struct slice *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_starts(key, prefixes[i]))
			return slice_drop(key, prefixes[i].len);
	}
	return key;
}

/* "iso8859-1", "8859_1", "ISO-IR-8859-1", "csISO8859-15". */
static enum charset by_part(struct slice key)
{
	const size_t at = slice_search(key, SLICE("8859"));
	uint64_t     part;

	if (at == key.len || at > 5 || num_u64(slice_drop(key, at + 4), sizeof iso_8859 - 1, &part) != RC_OK)
		return CHARSET_NONE;
	return iso_8859[part];
}

/* "cp936", "windows-1252", "ibm00858", "x-cp1250", "ms932", "csIBM850", "1251". */
static enum charset by_number(struct slice key)
{
	static const struct slice prefixes[] = {
		SLICE_INIT("windows"), SLICE_INIT("window"), SLICE_INIT("win"), SLICE_INIT("codepage"),
		SLICE_INIT("cspc"),    SLICE_INIT("cp"),     SLICE_INIT("ibm"), SLICE_INIT("ccsid"),
		SLICE_INIT("mswin"),   SLICE_INIT("ms"),     SLICE_INIT("dos"), SLICE_INIT("oem"),
		SLICE_INIT("ansi"),
	};
	uint64_t number;

	if (num_u64(without_prefix(key, prefixes, sizeof prefixes / sizeof prefixes[0]), CODEPAGE_MAX, &number) !=
	    RC_OK)
		return CHARSET_NONE;
	for (size_t i = 0; i < sizeof codepages / sizeof codepages[0]; i++) {
		if (codepages[i].number == number)
			return codepages[i].charset;
	}
	return CHARSET_NONE;
}

static enum charset by_key(struct slice key)
{
	enum charset charset = by_name(key);

	if (charset == CHARSET_NONE)
		charset = by_part(key);
	return charset != CHARSET_NONE ? charset : by_number(key);
}

enum charset charset_of(struct slice label)
{
	static const struct slice decorations[] = { SLICE_INIT("charset"), SLICE_INIT("cs"), SLICE_INIT("x") };
	char                      text[KEY_MAX];
	const struct slice        key = slice_of(text, key_of(label, text));
	const enum charset        charset = by_key(key);

	if (charset != CHARSET_NONE || key.len == 0)
		return charset;
	return by_key(without_prefix(key, decorations, sizeof decorations / sizeof decorations[0]));
}

const char *charset_name(enum charset charset)
{
	static const char *const words[CHARSET_COUNT] = {
		[CHARSET_NONE] = "",
		[CHARSET_ASCII] = "us-ascii",
		[CHARSET_UTF8] = "utf-8",
		[CHARSET_UTF16LE] = "utf-16le",
		[CHARSET_UTF16BE] = "utf-16be",
		[CHARSET_UTF16] = "utf-16",
		[CHARSET_UTF32LE] = "utf-32le",
		[CHARSET_UTF32BE] = "utf-32be",
		[CHARSET_UTF32] = "utf-32",
		[CHARSET_UTF7] = "utf-7",
		[CHARSET_GB18030] = "gb18030",
		[CHARSET_BIG5] = "big5",
		[CHARSET_SHIFT_JIS] = "shift_jis",
		[CHARSET_EUC_JP] = "euc-jp",
		[CHARSET_EUC_KR] = "euc-kr",
		[CHARSET_EUC_TW] = "euc-tw",
		[CHARSET_ISO_2022_JP] = "iso-2022-jp",
		[CHARSET_ISO_2022_JP_2] = "iso-2022-jp-2",
		[CHARSET_ISO_2022_KR] = "iso-2022-kr",
		[CHARSET_ISO_2022_CN] = "iso-2022-cn",
		[CHARSET_HZ] = "hz-gb-2312",
		[CHARSET_USER_DEFINED] = "x-user-defined",
		[CHARSET_WINDOWS_1252] = "windows-1252",
		[CHARSET_WINDOWS_1250] = "windows-1250",
		[CHARSET_WINDOWS_1251] = "windows-1251",
		[CHARSET_WINDOWS_1253] = "windows-1253",
		[CHARSET_WINDOWS_1254] = "windows-1254",
		[CHARSET_WINDOWS_1255] = "windows-1255",
		[CHARSET_WINDOWS_1256] = "windows-1256",
		[CHARSET_WINDOWS_1257] = "windows-1257",
		[CHARSET_WINDOWS_1258] = "windows-1258",
		[CHARSET_WINDOWS_874] = "windows-874",
		[CHARSET_ISO_8859_2] = "iso-8859-2",
		[CHARSET_ISO_8859_3] = "iso-8859-3",
		[CHARSET_ISO_8859_4] = "iso-8859-4",
		[CHARSET_ISO_8859_5] = "iso-8859-5",
		[CHARSET_ISO_8859_6] = "iso-8859-6",
		[CHARSET_ISO_8859_7] = "iso-8859-7",
		[CHARSET_ISO_8859_8] = "iso-8859-8",
		[CHARSET_ISO_8859_10] = "iso-8859-10",
		[CHARSET_ISO_8859_13] = "iso-8859-13",
		[CHARSET_ISO_8859_14] = "iso-8859-14",
		[CHARSET_ISO_8859_15] = "iso-8859-15",
		[CHARSET_ISO_8859_16] = "iso-8859-16",
		[CHARSET_KOI8_R] = "koi8-r",
		[CHARSET_KOI8_U] = "koi8-u",
		[CHARSET_MACINTOSH] = "macintosh",
		[CHARSET_MAC_CYRILLIC] = "x-mac-cyrillic",
		[CHARSET_MAC_GREEK] = "x-mac-greek",
		[CHARSET_MAC_TURKISH] = "x-mac-turkish",
		[CHARSET_MAC_CENTRAL] = "x-mac-ce",
		[CHARSET_IBM_437] = "ibm437",
		[CHARSET_IBM_720] = "ibm720",
		[CHARSET_IBM_737] = "ibm737",
		[CHARSET_IBM_775] = "ibm775",
		[CHARSET_IBM_850] = "ibm850",
		[CHARSET_IBM_852] = "ibm852",
		[CHARSET_IBM_855] = "ibm855",
		[CHARSET_IBM_857] = "ibm857",
		[CHARSET_IBM_858] = "ibm858",
		[CHARSET_IBM_860] = "ibm860",
		[CHARSET_IBM_861] = "ibm861",
		[CHARSET_IBM_862] = "ibm862",
		[CHARSET_IBM_863] = "ibm863",
		[CHARSET_IBM_864] = "ibm864",
		[CHARSET_IBM_865] = "ibm865",
		[CHARSET_IBM_866] = "ibm866",
		[CHARSET_IBM_869] = "ibm869",
		[CHARSET_IBM_037] = "ibm037",
		[CHARSET_IBM_500] = "ibm500",
		[CHARSET_IBM_1047] = "ibm1047",
		[CHARSET_IBM_1140] = "ibm1140",
		[CHARSET_HP_ROMAN8] = "hp-roman8",
	};

	return charset < CHARSET_COUNT ? words[charset] : "";
}
