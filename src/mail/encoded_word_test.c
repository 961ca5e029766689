/* Encoded words, whole and cut at each byte, into rooms of every size. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/encoded_word.h"
#include "text/utf8.h"

struct row {
	const char  *name;
	struct slice text;
	struct slice decoded;
	uint32_t     flags;
};

#define ROW(name, text, decoded, flags)                            \
	{                                                          \
		name, SLICE_INIT(text), SLICE_INIT(decoded), flags \
	}

static const struct row rows[] = {
	ROW("plain text", "hello", "hello", 0),
	ROW("nothing", "", "", 0),
	ROW("base64 and UTF-8", "=?utf-8?B?5Lit5paH?=", "\xe4\xb8\xad\xe6\x96\x87", WORD_FOUND),
	ROW("letters in any case", "=?UTF-8?b?5Lit?=", "\xe4\xb8\xad", WORD_FOUND),
	ROW("Q and latin-1", "=?iso-8859-1?Q?caf=E9_au_lait?=", "caf\xc3\xa9 au lait", WORD_FOUND),
	ROW("a language suffix", "=?us-ascii*en?Q?hi?=", "hi", WORD_FOUND),
	ROW("text around", "a =?utf-8?Q?b?= c", "a b c", WORD_FOUND),
	ROW("blank between two words is dropped", "=?utf-8?Q?a?= \t =?utf-8?Q?b?=", "ab", WORD_FOUND),
	ROW("fold between two words is dropped", "=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab", WORD_FOUND),
	ROW("UTF-16", "=?utf-16be?B?TkBlhw==?=", "\xe4\xb9\x80\xe6\x96\x87", WORD_FOUND),
	ROW("a pair of UTF-16", "=?utf-16le?B?PdgA3g==?=", "\xf0\x9f\x98\x80", WORD_FOUND),
	ROW("an unknown set keeps its ASCII", "=?klingon?Q?ab?=", "ab", WORD_FOUND),
	ROW("an unknown set is guessed", "=?klingon?Q?caf=E9?=", "caf\xc3\xa9", WORD_FOUND | WORD_CHARSET),
	ROW("GB2312", "=?gb2312?B?1tDOxA==?=", "\xe4\xb8\xad\xe6\x96\x87", WORD_FOUND),
	ROW("ISO-2022-JP", "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac", WORD_FOUND),
	ROW("a character split between two words", "=?gb2312?Q?=D6=D0=CE?= =?gb2312?Q?=C4?=", "\xe4\xb8\xad\xe6\x96\x87", WORD_FOUND | WORD_BROKEN),
	ROW("a character split between words of two sets", "=?gb2312?Q?=D6?= =?gbk?Q?=D0?= =?big5?Q?=A4?=",
	    "\xe4\xb8\xad\xef\xbf\xbd", WORD_FOUND | WORD_BROKEN | WORD_CHARSET),
	ROW("a character cut at its word's end", "=?gb2312?Q?=D6?= x", "\xef\xbf\xbd x", WORD_FOUND | WORD_CHARSET),
	ROW("GBK outside of words", "\xb4\xfa\xbf\xaa\xb7\xa2\xc6\xb1", "\xe4\xbb\xa3\xe5\xbc\x80\xe5\x8f\x91\xe7\xa5\xa8", 0),
	ROW("UTF-8 outside of words, one flaw", "\xe4\xb8\xad\xe6\x96\x87\xe9", "\xe4\xb8\xad\xe6\x96\x87\xc3\xa9", 0),
	ROW("bytes that are not of their set", "=?us-ascii?Q?=E9?=", "\xef\xbf\xbd", WORD_FOUND | WORD_CHARSET),
	ROW("half a UTF-16 pair", "=?utf-16le?B?Pdg=?=", "\xef\xbf\xbd", WORD_FOUND | WORD_CHARSET),
	ROW("8-bit bytes outside of words", "caf\xe9", "caf\xc3\xa9", 0),
	ROW("no end", "=?utf-8?Q?abc", "=?utf-8?Q?abc", WORD_BROKEN),
	ROW("no text", "=?utf-8?Q", "=?utf-8?Q", WORD_BROKEN),
	ROW("no encoding", "=?utf-8??x?=", "=?utf-8??x?=", WORD_BROKEN),
	ROW("an unknown encoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?=", WORD_BROKEN),
	ROW("the beginning only", "=?", "=?", WORD_BROKEN),
	ROW("a blank inside Q", "=?utf-8?Q?a b?=", "a b", WORD_FOUND | WORD_BROKEN),
	ROW("foreign bytes inside B", "=?utf-8?B?5L*it?=", "\xe4\xb8\xad", WORD_FOUND | WORD_BROKEN),
	ROW("a hidden NUL", "=?utf-8?Q?a=00b?=", "a\0b", WORD_FOUND | WORD_CONTROL),
	ROW("a hidden line end", "=?utf-8?B?YQ0KQmNjOiB4?=", "a\r\nBcc: x", WORD_FOUND | WORD_CONTROL),
	ROW("a word inside a word stays text", "=?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?=", "=?utf-8?Q?a?=", WORD_FOUND),
};

static void test_rows(void **state)
{
	uint8_t out[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct word_result result = encoded_word_decode(rows[i].text, out, sizeof out);
		if (!slice_eq(slice_of(out, result.size), rows[i].decoded) || result.flags != rows[i].flags)
			fail_msg("%s: %zu bytes, flags %u", rows[i].name, result.size, result.flags);
		/* Any room, any cut: never more than there is, and whole characters. */
		for (size_t room = 0; room <= result.size; room++) {
			const struct word_result cut = encoded_word_decode(rows[i].text, out, room);
			assert_true(cut.size <= room);
			for (struct slice rest = slice_of(out, cut.size); rest.len != 0;) {
				size_t size;
				assert_true(utf8_decode(rest, &size) != UINT32_MAX);
				rest = slice_drop(rest, size);
			}
		}
		for (size_t cut = 0; cut < rows[i].text.len; cut++)
			(void)encoded_word_decode(slice_take(rows[i].text, cut), out, sizeof out);
	}
}

static int ready(void **state)
{
	(void)state;
	return charset_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
