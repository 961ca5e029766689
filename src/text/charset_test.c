/*
 * Sets by rows: what their bytes are, whole and cut at each byte; labels; and that nothing is opened once the tables
 * are filled.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "text/charset.h"
#include "text/utf8.h"

struct row {
	const char  *name;
	enum charset charset;
	struct slice bytes;
	struct slice text;
	uint64_t     replaced;
};

#define ROW(name, charset, bytes, text, replaced)                            \
	{                                                                    \
		name, charset, SLICE_INIT(bytes), SLICE_INIT(text), replaced \
	}
#define BAD "\xef\xbf\xbd"

static const struct row rows[] = {
	ROW("nothing", CHARSET_GB18030, "", "", 0),
	ROW("ASCII", CHARSET_ASCII, "a\0b\x7f", "a\0b\x7f", 0),
	ROW("8 bits in ASCII", CHARSET_ASCII, "a\xe9z", "a" BAD "z", 1),
	ROW("UTF-8", CHARSET_UTF8, "\xe4\xb8\xad\xf0\x9f\x98\x80", "\xe4\xb8\xad\xf0\x9f\x98\x80", 0),
	ROW("UTF-8 with a mark", CHARSET_UTF8,
	    "\xef\xbb\xbf"
	    "a\xef\xbb\xbf",
	    "a\xef\xbb\xbf", 0),
	ROW("UTF-8 that is none", CHARSET_UTF8, "a\xff\xe4\xb8z\xc0\x80\xed\xa0\x80",
	    "a" BAD BAD "z" BAD BAD BAD BAD BAD, 7),
	ROW("UTF-8 cut in two", CHARSET_UTF8, "a\xf0\x9f\x98", "a" BAD, 1),
	ROW("UTF-16 little", CHARSET_UTF16LE, "a\0\x2d\x4e\x3d\xd8\x00\xde", "a\xe4\xb8\xad\xf0\x9f\x98\x80", 0),
	ROW("UTF-16 big", CHARSET_UTF16BE, "\0a\x4e\x2d\xd8\x3d\xde\x00", "a\xe4\xb8\xad\xf0\x9f\x98\x80", 0),
	ROW("UTF-16 with the other order's mark", CHARSET_UTF16LE, "\xfe\xff\0a", "a", 0),
	ROW("UTF-16 of no order, big by its zeros", CHARSET_UTF16, "\0a\0b", "ab", 0),
	ROW("UTF-16 of no order, little by its zeros", CHARSET_UTF16, "a\0b\0", "ab", 0),
	ROW("UTF-16, a low surrogate first", CHARSET_UTF16LE,
	    "\x00\xde"
	    "a\0",
	    BAD "a", 1),
	ROW("UTF-16, half a pair and a half unit", CHARSET_UTF16LE,
	    "\x3d\xd8"
	    "a\0b",
	    BAD "a" BAD, 2),
	ROW("UTF-32", CHARSET_UTF32, "a\0\0\0\x00\xf6\x01\0", "a\xf0\x9f\x98\x80", 0),
	ROW("UTF-32 out of range", CHARSET_UTF32BE, "\0\x11\0\0\0\0\xd8\0\0\0\0a", BAD BAD "a", 2),
	ROW("UTF-7", CHARSET_UTF7, "Hi Mom +Jjo-!+ZeVnLIqe-",
	    "Hi Mom \xe2\x98\xba!\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 0),
	ROW("UTF-7, plus signs", CHARSET_UTF7, "1 +- 2 +ADw-", "1 + 2 <", 0),
	ROW("UTF-7, a pair", CHARSET_UTF7, "+2D3eAA-", "\xf0\x9f\x98\x80", 0),
	ROW("UTF-7, ended by a dot", CHARSET_UTF7, "+AGE.", "a.", 0),
	ROW("UTF-7, bits left over", CHARSET_UTF7, "+AGF-", "a" BAD, 1),
	ROW("GB2312", CHARSET_GB18030, "a\xd6\xd0\xce\xc4z", "a\xe4\xb8\xad\xe6\x96\x87z", 0),
	ROW("GBK", CHARSET_GB18030, "\x81\x40\xfd\x9c\x80", "\xe4\xb8\x82\xef\xa4\xac\xe2\x82\xac", 0),
	ROW("GB18030 of four", CHARSET_GB18030, "\x81\x30\x81\x30\x94\x39\xfc\x36\xe3\x32\x9a\x35",
	    "\xc2\x80\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 0),
	ROW("GB18030, a number that is none", CHARSET_GB18030, "\xe3\x32\x9a\x36", BAD, 1),
	ROW("GB18030, four that break off", CHARSET_GB18030, "\x81\x30\x81z\x81\x30z\x81 \xff",
	    BAD "0\xe4\xba\x83" BAD "0z" BAD " " BAD, 4),
	ROW("GB18030, cut", CHARSET_GB18030, "\x81\x30\x81", BAD, 1),
	ROW("Big5", CHARSET_BIG5, "\xa4\xa4\xa4\xe5", "\xe4\xb8\xad\xe6\x96\x87", 0),
	ROW("Big5 with a mark", CHARSET_BIG5, "\x88\x62\x88\xa5", "\xc3\x8a\xcc\x84\xc3\xaa\xcc\x8c", 0),
	ROW("Big5-HKSCS above the first plane", CHARSET_BIG5, "\x87\x45", "\xf0\xa7\x89\xa7", 0),
	ROW("Big5, half", CHARSET_BIG5, "\xa4z\xa4", "\xe5\xb9\xb2" BAD, 1),
	ROW("Shift_JIS", CHARSET_SHIFT_JIS, "\x93\xfa\x96{\xb6\\", "\xe6\x97\xa5\xe6\x9c\xac\xef\xbd\xb6\\", 0),
	ROW("Shift_JIS of NEC and of users", CHARSET_SHIFT_JIS, "\x87\x40\xf0\x40\xfc\x4b",
	    "\xe2\x91\xa0\xee\x80\x80\xe9\xbb\x91", 0),
	ROW("EUC-JP", CHARSET_EUC_JP, "\xc6\xfc\xcb\xdc\x8e\xb6\x8f\xb0\xa1",
	    "\xe6\x97\xa5\xe6\x9c\xac\xef\xbd\xb6\xe4\xb8\x82", 0),
	ROW("EUC-JP, broken", CHARSET_EUC_JP, "\x8f\xb0z\x8e\xe0\xa0", BAD "z" BAD BAD, 3),
	ROW("EUC-KR", CHARSET_EUC_KR, "\xc7\xd1\xb1\xdb\x81\x41", "\xed\x95\x9c\xea\xb8\x80\xea\xb0\x82", 0),
	ROW("EUC-TW", CHARSET_EUC_TW, "\xc4\xe3\x8e\xa1\xc4\xe3", "\xe4\xb8\xad\xe4\xb8\xad", 0),
	ROW("EUC-TW, broken", CHARSET_EUC_TW, "\x8e\xa1\xc4z\x8e\xa0", BAD "z" BAD, 2),
	ROW("ISO-2022-JP", CHARSET_ISO_2022_JP, "a\x1b$BF|K\\\x1b(Jz\\~\x1b(I6\x1b(B.",
	    "a\xe6\x97\xa5\xe6\x9c\xacz\xc2\xa5\xe2\x80\xbe\xef\xbd\xb6.", 0),
	ROW("ISO-2022-JP, two escapes side by side", CHARSET_ISO_2022_JP, "\x1b$B\x1b(Ba", BAD "a", 1),
	ROW("ISO-2022-JP, no sequence", CHARSET_ISO_2022_JP, "\x1b$x\x1b\x0e\xe9", BAD "$x" BAD BAD BAD, 4),
	ROW("ISO-2022-JP, a sequence of another set", CHARSET_ISO_2022_JP, "\x1b$(D", BAD "$(D", 1),
	ROW("ISO-2022-JP-1", CHARSET_ISO_2022_JP_2, "\x1b$(D0!\x1b(B\xb6", "\xe4\xb8\x82\xef\xbd\xb6", 0),
	ROW("ISO-2022-JP-2", CHARSET_ISO_2022_JP_2, "\x1b$AVP\x1b$(CGQ\x1b(B", "\xe4\xb8\xad\xed\x95\x9c", 0),
	ROW("ISO-2022-JP, half a pair", CHARSET_ISO_2022_JP, "\x1b$BF\x1b(Ba", BAD "a", 1),
	ROW("ISO-2022-KR", CHARSET_ISO_2022_KR, "\x1b$)Ca\x0eGQ1[\x0f!\n\x0eGQ",
	    "a\xed\x95\x9c\xea\xb8\x80!\n\xed\x95\x9c", 0),
	ROW("ISO-2022-CN", CHARSET_ISO_2022_CN,
	    "\x1b$)A\x0eVP\x0f\x1b$)G\x0e"
	    "Dc\x1b$*H\x1bN!!\x0f",
	    "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb9\x82", 0),
	ROW("ISO-2022-CN, broken", CHARSET_ISO_2022_CN, "\x0eV\x0f\x1bxa\xe9", BAD BAD "xa" BAD, 3),
	ROW("HZ", CHARSET_HZ, "a~{VPND~}~~~\nb", "a\xe4\xb8\xad\xe6\x96\x87~b", 0),
	ROW("HZ that a line ends", CHARSET_HZ, "~{VP\nVP", "\xe4\xb8\xad\nVP", 0),
	ROW("HZ, broken", CHARSET_HZ, "~x\xe9~{V", BAD "x" BAD BAD, 3),
	ROW("of a user's own", CHARSET_USER_DEFINED, "a\x80\xff", "a\xef\x9e\x80\xef\x9f\xbf", 0),
	ROW("windows-1252", CHARSET_WINDOWS_1252, "caf\xe9 \x80\x81", "caf\xc3\xa9 \xe2\x82\xac\xc2\x81", 0),
	ROW("windows-1251", CHARSET_WINDOWS_1251, "\xcf\xf0\xe8\x98", "\xd0\x9f\xd1\x80\xd0\xb8\xc2\x98", 0),
	ROW("windows-1255 has holes", CHARSET_WINDOWS_1255, "\xe0\xd9", "\xd7\x90" BAD, 1),
	ROW("KOI8-R", CHARSET_KOI8_R, "\xf0\xd2\xc9", "\xd0\x9f\xd1\x80\xd0\xb8", 0),
	ROW("ISO-8859-2", CHARSET_ISO_8859_2, "\xb1\x85", "\xc4\x85\xc2\x85", 0),
	ROW("IBM437", CHARSET_IBM_437, "\x82z", "\xc3\xa9z", 0),
	ROW("EBCDIC", CHARSET_IBM_037, "\xc8\x85\x93\x93\x96", "Hello", 0),
};

static struct slice decode(enum charset charset, struct slice bytes, size_t cut, uint8_t *out, size_t room,
                           uint64_t *replaced)
{
	struct charset_run run = charset_begin(charset);
	struct slice       first = slice_take(bytes, cut), rest = slice_drop(bytes, cut);
	size_t             size = 0, count;

	if (run.charset == CHARSET_UTF16)
		first = bytes, rest = slice_of(NULL, 0);
	while ((count = charset_read(&run, &first, false, &out[size], room - size)) != 0)
		size += count;
	while ((count = charset_read(&run, &rest, true, &out[size], room - size)) != 0)
		size += count;
	assert_int_equal(rest.len + first.len, 0);
	*replaced = run.replaced;
	return slice_of(out, size);
}

static void test_rows(void **state)
{
	uint8_t  out[512];
	uint64_t replaced;
	size_t   wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t cut = 0; cut <= rows[i].bytes.len; cut++) {
			const struct slice text =
				decode(rows[i].charset, rows[i].bytes, cut, out, sizeof out, &replaced);
			if (!slice_eq(text, rows[i].text) || replaced != rows[i].replaced)
				print_message("%s, cut at %zu: \"%.*s\", %lu replaced\n", rows[i].name, cut,
				              (int)text.len, (const char *)text.ptr, (unsigned long)replaced),
					wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* Every set reads every pair of bytes, in pieces of the smallest room, and gives UTF-8 within its bound. */
static void test_anything(void **state)
{
	uint8_t bytes[2], out[1024];

	(void)state;
	for (enum charset charset = CHARSET_NONE; charset < CHARSET_COUNT; charset++) {
		for (unsigned pair = 0; pair < 0x10000; pair += 7) {
			struct charset_run run = charset_begin(charset);
			size_t             size = 0, count;
			bytes[0] = (uint8_t)(pair >> 8);
			bytes[1] = (uint8_t)pair;
			struct slice rest = slice_of(bytes, 2);
			while ((count = charset_read(&run, &rest, true, &out[size], CHARSET_ROOM_MIN)) != 0)
				size += count;
			assert_int_equal(rest.len, 0);
			assert_true(size <= charset_room(2));
			assert_int_equal(utf8_valid_size(slice_of(out, size)), size);
		}
	}
}

static const struct {
	const char  *label;
	enum charset charset;
} labels[] = {
	{ "utf-8", CHARSET_UTF8 },
	{ "UTF8", CHARSET_UTF8 },
	{ " \"Utf-8\" ", CHARSET_UTF8 },
	{ "unicode-1-1-utf-7", CHARSET_UTF7 },
	{ "x-unicode-2-0-utf-7", CHARSET_UTF7 },
	{ "GB2312", CHARSET_GB18030 },
	{ "x-gbk", CHARSET_GB18030 },
	{ "cp936", CHARSET_GB18030 },
	{ "windows-936", CHARSET_GB18030 },
	{ "ms936", CHARSET_GB18030 },
	{ "GB18030", CHARSET_GB18030 },
	{ "gb_2312-80", CHARSET_GB18030 },
	{ "Big5-HKSCS", CHARSET_BIG5 },
	{ "cn-big5", CHARSET_BIG5 },
	{ "cp950", CHARSET_BIG5 },
	{ "Shift_JIS", CHARSET_SHIFT_JIS },
	{ "x-sjis", CHARSET_SHIFT_JIS },
	{ "windows-31j", CHARSET_SHIFT_JIS },
	{ "cp932", CHARSET_SHIFT_JIS },
	{ "ks_c_5601-1987", CHARSET_EUC_KR },
	{ "cp949", CHARSET_EUC_KR },
	{ "euc-jp", CHARSET_EUC_JP },
	{ "iso-2022-jp", CHARSET_ISO_2022_JP },
	{ "iso-2022-jp-1", CHARSET_ISO_2022_JP_2 },
	{ "cp50221", CHARSET_ISO_2022_JP_2 },
	{ "hz-gb-2312", CHARSET_HZ },
	{ "iso-8859-1", CHARSET_WINDOWS_1252 },
	{ "iso_8859-1:1987", CHARSET_WINDOWS_1252 },
	{ "ISO8859-15", CHARSET_ISO_8859_15 },
	{ "csISO88596E", CHARSET_ISO_8859_6 },
	{ "iso-8859-8-i", CHARSET_ISO_8859_8 },
	{ "iso-8859-9", CHARSET_WINDOWS_1254 },
	{ "iso-8859-11", CHARSET_WINDOWS_874 },
	{ "iso-8859-12", CHARSET_NONE },
	{ "iso-8859-17", CHARSET_NONE },
	{ "tis-620", CHARSET_WINDOWS_874 },
	{ "latin1", CHARSET_WINDOWS_1252 },
	{ "cp1252", CHARSET_WINDOWS_1252 },
	{ "x-cp1250", CHARSET_WINDOWS_1250 },
	{ "ANSI_X3.4-1968", CHARSET_ASCII },
	{ "us-ascii", CHARSET_ASCII },
	{ "IBM850", CHARSET_IBM_850 },
	{ "ibm00858", CHARSET_IBM_858 },
	{ "dos-866", CHARSET_IBM_866 },
	{ "IBM037", CHARSET_IBM_037 },
	{ "x-mac-roman", CHARSET_MACINTOSH },
	{ "koi8-r", CHARSET_KOI8_R },
	{ "charset=utf-8", CHARSET_UTF8 },
	{ "", CHARSET_NONE },
	{ "=", CHARSET_NONE },
	{ "x-", CHARSET_NONE },
	{ "klingon", CHARSET_NONE },
	{ "cp99999999999999999999", CHARSET_NONE },
	{ "extendedunixcodepackedformatforjapanese", CHARSET_EUC_JP },
	{ "extendedunixcodepackedformatforjapanesex", CHARSET_NONE },
	{ "extendedunixcodepackedformatforjapanesexx", CHARSET_NONE },
};

static void test_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
		if (charset_of(slice_str(labels[i].label)) != labels[i].charset)
			fail_msg("%s: \"%s\"", labels[i].label, charset_name(charset_of(slice_str(labels[i].label))));
	}
	/* What a set is called names it. */
	for (enum charset charset = CHARSET_ASCII; charset < CHARSET_COUNT; charset++) {
		if (charset_of(slice_str(charset_name(charset))) != charset)
			fail_msg("%s", charset_name(charset));
	}
	assert_string_equal(charset_name(CHARSET_NONE), "");
	assert_string_equal(charset_name(CHARSET_COUNT), "");
}

/* Once the tables are filled no file is opened: a process that may open none reads every set. */
static void test_opens_nothing(void **state)
{
	struct rlimit limit, none;
	uint8_t       out[512];
	uint64_t      replaced;

	(void)state;
	assert_int_equal(charset_ready(), RC_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_true(
			slice_eq(decode(rows[i].charset, rows[i].bytes, 1, out, sizeof out, &replaced), rows[i].text));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int ready(void **state)
{
	(void)state;
	/* Before: what needs no table is read, and nothing breaks. */
	struct charset_run run = charset_begin(CHARSET_GB18030);
	struct slice       rest = SLICE("a\xd6\xd0");
	uint8_t            out[64];
	if (charset_read(&run, &rest, true, out, sizeof out) != 4 || run.replaced != 1)
		return -1;
	return charset_ready() == RC_OK && charset_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_anything),
		                            cmocka_unit_test(test_labels), cmocka_unit_test(test_opens_nothing) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
