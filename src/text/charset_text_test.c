/*
 * Whole texts: guesses on subjects of a few characters, labels true and false, lines in two sets, escapes under a
 * foreign label.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/charset.h"
#include "text/charset_guess.h"

#define ARENA_BYTES 65536u

static uint8_t memory[ARENA_BYTES];

/* clang-format off */
static const struct {
	const char  *text;
	struct slice bytes;
	enum charset charset;
} subjects[] = {
	{ "代开发票", SLICE_INIT("\xb4\xfa\xbf\xaa\xb7\xa2\xc6\xb1"), CHARSET_GB18030 },
	{ "您的账户异常", SLICE_INIT("\xc4\xfa\xb5\xc4\xd5\xcb\xbb\xa7\xd2\xec\xb3\xa3"), CHARSET_GB18030 },
	{ "通知", SLICE_INIT("\xcd\xa8\xd6\xaa"), CHARSET_GB18030 },
	{ "答复", SLICE_INIT("\xb4\xf0\xb8\xb4"), CHARSET_GB18030 },
	{ "李鹏", SLICE_INIT("\xc0\xee\xc5\xf4"), CHARSET_GB18030 },
	{ "答覆", SLICE_INIT("\xb5\xaa\xc2\xd0"), CHARSET_BIG5 },
	{ "สวัสดีครับ ใบแจ้งหนี้", SLICE_INIT("\xca\xc7\xd1\xca\xb4\xd5\xa4\xc3\xd1\xba\x20\xe3\xba\xe1\xa8\xe9\xa7\xcb\xb9\xd5\xe9"), CHARSET_WINDOWS_874 },
	{ "会议通知", SLICE_INIT("\xbb\xe1\xd2\xe9\xcd\xa8\xd6\xaa"), CHARSET_GB18030 },
	{ "关于2024年度工资补贴的通知", SLICE_INIT("\xb9\xd8\xd3\xda" "2024\xc4\xea\xb6\xc8\xb9\xa4\xd7\xca\xb2\xb9\xcc\xf9\xb5\xc4\xcd\xa8\xd6\xaa"), CHARSET_GB18030 },
	{ "你好", SLICE_INIT("\xc4\xe3\xba\xc3"), CHARSET_GB18030 },
	{ "请查收附件中的订单", SLICE_INIT("\xc7\xeb\xb2\xe9\xca\xd5\xb8\xbd\xbc\xfe\xd6\xd0\xb5\xc4\xb6\xa9\xb5\xa5"), CHARSET_GB18030 },
	{ "优惠", SLICE_INIT("\xd3\xc5\xbb\xdd"), CHARSET_GB18030 },
	{ "【重要】邮箱容量已满", SLICE_INIT("\xa1\xbe\xd6\xd8\xd2\xaa\xa1\xbf\xd3\xca\xcf\xe4\xc8\xdd\xc1\xbf\xd2\xd1\xc2\xfa"), CHARSET_GB18030 },
	{ "北京", SLICE_INIT("\xb1\xb1\xbe\xa9"), CHARSET_GB18030 },
	{ "生日快乐", SLICE_INIT("\xc9\xfa\xc8\xd5\xbf\xec\xc0\xd6"), CHARSET_GB18030 },
	{ "發票通知", SLICE_INIT("\xb5o\xb2\xbc\xb3q\xaa\xbe"), CHARSET_BIG5 },
	{ "您的帳號異常", SLICE_INIT("\xb1z\xaa\xba\xb1" "b\xb8\xb9\xb2\xa7\xb1`"), CHARSET_BIG5 },
	{ "會議通知", SLICE_INIT("\xb7|\xc4\xb3\xb3q\xaa\xbe"), CHARSET_BIG5 },
	{ "請查收附件", SLICE_INIT("\xbd\xd0\xac" "d\xa6\xac\xaa\xfe\xa5\xf3"), CHARSET_BIG5 },
	{ "你好", SLICE_INIT("\xa7" "A\xa6n"), CHARSET_BIG5 },
	{ "台北", SLICE_INIT("\xa5x\xa5_"), CHARSET_BIG5 },
	{ "優惠活動", SLICE_INIT("\xc0u\xb4" "f\xac\xa1\xb0\xca"), CHARSET_BIG5 },
	{ "【重要】信箱容量已滿", SLICE_INIT("\xa1i\xad\xab\xadn\xa1j\xabH\xbd" "c\xae" "e\xb6q\xa4w\xba\xa1"), CHARSET_BIG5 },
	{ "訂單確認", SLICE_INIT("\xadq\xb3\xe6\xbdT\xbb{"), CHARSET_BIG5 },
	{ "恭喜中獎", SLICE_INIT("\xae\xa5\xb3\xdf\xa4\xa4\xbc\xfa"), CHARSET_BIG5 },
	{ "請求書のご案内", SLICE_INIT("\x90\xbf\x8b\x81\x8f\x91\x82\xcc\x82\xb2\x88\xc4\x93\xe0"), CHARSET_SHIFT_JIS },
	{ "パスワードの確認", SLICE_INIT("\x83p\x83X\x83\x8f\x81[\x83h\x82\xcc\x8am\x94" "F"), CHARSET_SHIFT_JIS },
	{ "会議のお知らせ", SLICE_INIT("\x89\xef\x8b" "c\x82\xcc\x82\xa8\x92m\x82\xe7\x82\xb9"), CHARSET_SHIFT_JIS },
	{ "重要なお知らせ", SLICE_INIT("\x8f" "d\x97v\x82\xc8\x82\xa8\x92m\x82\xe7\x82\xb9"), CHARSET_SHIFT_JIS },
	{ "東京", SLICE_INIT("\x93\x8c\x8b\x9e"), CHARSET_SHIFT_JIS },
	{ "お支払い", SLICE_INIT("\x82\xa8\x8ex\x95\xa5\x82\xa2"), CHARSET_SHIFT_JIS },
	{ "アカウント", SLICE_INIT("\x83" "A\x83J\x83" "E\x83\x93\x83g"), CHARSET_SHIFT_JIS },
	{ "ご注文ありがとうございます", SLICE_INIT("\x82\xb2\x92\x8d\x95\xb6\x82\xa0\x82\xe8\x82\xaa\x82\xc6\x82\xa4\x82\xb2\x82\xb4\x82\xa2\x82\xdc\x82\xb7"), CHARSET_SHIFT_JIS },
	{ "請求書のご案内", SLICE_INIT("\xc0\xc1\xb5\xe1\xbd\xf1\xa4\xce\xa4\xb4\xb0\xc6\xc6\xe2"), CHARSET_EUC_JP },
	{ "パスワードの確認", SLICE_INIT("\xa5\xd1\xa5\xb9\xa5\xef\xa1\xbc\xa5\xc9\xa4\xce\xb3\xce\xc7\xa7"), CHARSET_EUC_JP },
	{ "会議のお知らせ", SLICE_INIT("\xb2\xf1\xb5\xc4\xa4\xce\xa4\xaa\xc3\xce\xa4\xe9\xa4\xbb"), CHARSET_EUC_JP },
	{ "重要なお知らせ", SLICE_INIT("\xbd\xc5\xcd\xd7\xa4\xca\xa4\xaa\xc3\xce\xa4\xe9\xa4\xbb"), CHARSET_EUC_JP },
	{ "お支払い", SLICE_INIT("\xa4\xaa\xbb\xd9\xca\xa7\xa4\xa4"), CHARSET_EUC_JP },
	{ "アカウント", SLICE_INIT("\xa5\xa2\xa5\xab\xa5\xa6\xa5\xf3\xa5\xc8"), CHARSET_EUC_JP },
	{ "ご注文ありがとうございます", SLICE_INIT("\xa4\xb4\xc3\xed\xca\xb8\xa4\xa2\xa4\xea\xa4\xac\xa4\xc8\xa4\xa6\xa4\xb4\xa4\xb6\xa4\xa4\xa4\xde\xa4\xb9"), CHARSET_EUC_JP },
	{ "안녕하세요", SLICE_INIT("\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4"), CHARSET_EUC_KR },
	{ "세금계산서", SLICE_INIT("\xbc\xbc\xb1\xdd\xb0\xe8\xbb\xea\xbc\xad"), CHARSET_EUC_KR },
	{ "회의 안내", SLICE_INIT("\xc8\xb8\xc0\xc7 \xbe\xc8\xb3\xbb"), CHARSET_EUC_KR },
	{ "비밀번호 변경", SLICE_INIT("\xba\xf1\xb9\xd0\xb9\xf8\xc8\xa3 \xba\xaf\xb0\xe6"), CHARSET_EUC_KR },
	{ "광고", SLICE_INIT("\xb1\xa4\xb0\xed"), CHARSET_EUC_KR },
	{ "주문 확인", SLICE_INIT("\xc1\xd6\xb9\xae \xc8\xae\xc0\xce"), CHARSET_EUC_KR },
	{ "계정이 정지되었습니다", SLICE_INIT("\xb0\xe8\xc1\xa4\xc0\xcc \xc1\xa4\xc1\xf6\xb5\xc7\xbe\xfa\xbd\xc0\xb4\xcf\xb4\xd9"), CHARSET_EUC_KR },
	{ "Привет", SLICE_INIT("\xcf\xf0\xe8\xe2\xe5\xf2"), CHARSET_WINDOWS_1251 },
	{ "Счет на оплату", SLICE_INIT("\xd1\xf7\xe5\xf2 \xed\xe0 \xee\xef\xeb\xe0\xf2\xf3"), CHARSET_WINDOWS_1251 },
	{ "Ваш аккаунт заблокирован", SLICE_INIT("\xc2\xe0\xf8 \xe0\xea\xea\xe0\xf3\xed\xf2 \xe7\xe0\xe1\xeb\xee\xea\xe8\xf0\xee\xe2\xe0\xed"), CHARSET_WINDOWS_1251 },
	{ "Москва", SLICE_INIT("\xcc\xee\xf1\xea\xe2\xe0"), CHARSET_WINDOWS_1251 },
	{ "договор", SLICE_INIT("\xe4\xee\xe3\xee\xe2\xee\xf0"), CHARSET_WINDOWS_1251 },
	{ "Скидки до 50%", SLICE_INIT("\xd1\xea\xe8\xe4\xea\xe8 \xe4\xee 50%"), CHARSET_WINDOWS_1251 },
	{ "Привет", SLICE_INIT("\xf0\xd2\xc9\xd7\xc5\xd4"), CHARSET_KOI8_R },
	{ "Счет на оплату", SLICE_INIT("\xf3\xde\xc5\xd4 \xce\xc1 \xcf\xd0\xcc\xc1\xd4\xd5"), CHARSET_KOI8_R },
	{ "Ваш аккаунт заблокирован", SLICE_INIT("\xf7\xc1\xdb \xc1\xcb\xcb\xc1\xd5\xce\xd4 \xda\xc1\xc2\xcc\xcf\xcb\xc9\xd2\xcf\xd7\xc1\xce"), CHARSET_KOI8_R },
	{ "Москва", SLICE_INIT("\xed\xcf\xd3\xcb\xd7\xc1"), CHARSET_KOI8_R },
	{ "договор", SLICE_INIT("\xc4\xcf\xc7\xcf\xd7\xcf\xd2"), CHARSET_KOI8_R },
	{ "Скидки до 50%", SLICE_INIT("\xf3\xcb\xc9\xc4\xcb\xc9 \xc4\xcf 50%"), CHARSET_KOI8_R },
	{ "Café", SLICE_INIT("Caf\xe9"), CHARSET_WINDOWS_1252 },
	{ "Rechnung für Müller", SLICE_INIT("Rechnung f\xfcr M\xfcller"), CHARSET_WINDOWS_1252 },
	{ "Votre compte a été bloqué", SLICE_INIT("Votre compte a \xe9t\xe9 bloqu\xe9"), CHARSET_WINDOWS_1252 },
	{ "Información", SLICE_INIT("Informaci\xf3n"), CHARSET_WINDOWS_1252 },
	{ "Prêt à payer", SLICE_INIT("Pr\xeat \xe0 payer"), CHARSET_WINDOWS_1252 },
	{ "Größe", SLICE_INIT("Gr\xf6\xdf" "e"), CHARSET_WINDOWS_1252 },
	{ "“quoted”", SLICE_INIT("\x93quoted\x94"), CHARSET_WINDOWS_1252 },
	{ "£100 – now", SLICE_INIT("\xa3" "100 \x96 now"), CHARSET_WINDOWS_1252 },
	{ "São Paulo", SLICE_INIT("S\xe3o Paulo"), CHARSET_WINDOWS_1252 },
	{ "Été", SLICE_INIT("\xc9t\xe9"), CHARSET_WINDOWS_1252 },
	{ "Zażółć gęślą jaźń", SLICE_INIT("Za\xbf\xf3\xb3\xe6 g\xea\x9cl\xb9 ja\x9f\xf1"), CHARSET_WINDOWS_1250 },
	{ "Příliš žluťoučký kůň", SLICE_INIT("P\xf8\xedli\x9a \x9elu\x9dou\xe8k\xfd k\xf9\xf2"), CHARSET_WINDOWS_1250 },
	{ "Potwierdź płatność", SLICE_INIT("Potwierd\x9f p\xb3" "atno\x9c\xe6"), CHARSET_WINDOWS_1250 },
	{ "Καλημέρα", SLICE_INIT("\xca\xe1\xeb\xe7\xec\xdd\xf1\xe1"), CHARSET_WINDOWS_1253 },
	{ "Τιμολόγιο πληρωμής", SLICE_INIT("\xd4\xe9\xec\xef\xeb\xfc\xe3\xe9\xef \xf0\xeb\xe7\xf1\xf9\xec\xde\xf2"), CHARSET_WINDOWS_1253 },
	{ "Şifrenizi değiştirin", SLICE_INIT("\xdeifrenizi de\xf0i\xfetirin"), CHARSET_WINDOWS_1254 },
	{ "ödeme bildirimi için tıklayın", SLICE_INIT("\xf6" "deme bildirimi i\xe7in t\xfdklay\xfdn"), CHARSET_WINDOWS_1254 },
	{ "שלום", SLICE_INIT("\xf9\xec\xe5\xed"), CHARSET_WINDOWS_1255 },
	{ "חשבונית לתשלום", SLICE_INIT("\xe7\xf9\xe1\xe5\xf0\xe9\xfa \xec\xfa\xf9\xec\xe5\xed"), CHARSET_WINDOWS_1255 },
	{ "مرحبا", SLICE_INIT("\xe3\xd1\xcd\xc8\xc7"), CHARSET_WINDOWS_1256 },
	{ "فاتورة الدفع", SLICE_INIT("\xdd\xc7\xca\xe6\xd1\xc9 \xc7\xe1\xcf\xdd\xda"), CHARSET_WINDOWS_1256 },
	{ "ใบแจ้งหนี้", SLICE_INIT("\xe3\xba\xe1\xa8\xe9\xa7\xcb\xb9\xd5\xe9"), CHARSET_WINDOWS_874 },
};
/* clang-format on */

static void test_subjects(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
		struct arena        arena = arena_on(memory, sizeof memory);
		struct charset_text text;
		assert_int_equal(charset_text(SLICE(""), subjects[i].bytes, &arena, &text), RC_OK);
		if (text.used != subjects[i].charset || !slice_eq(text.text, slice_str(subjects[i].text)))
			print_message("%s was taken for %s\n", subjects[i].text, charset_name(text.used)), wrong++;
		assert_int_equal(text.flags, CHARSET_GUESSED);
		/* Its own label is believed, and nothing is said against it. */
		assert_int_equal(
			charset_text(slice_str(charset_name(subjects[i].charset)), subjects[i].bytes, &arena, &text),
			RC_OK);
		if (text.flags != 0 || text.other != CHARSET_NONE)
			print_message("%s in %s: flags %u, other %s\n", subjects[i].text, charset_name(text.used),
			              (unsigned)text.flags, charset_name(text.other)),
				wrong++;
	}
	assert_int_equal(wrong, 0);
}

struct row {
	const char  *name;
	const char  *label;
	struct slice bytes;
	struct slice text;
	enum charset used, other;
	uint32_t     flags;
	uint64_t     replaced;
};

#define ROW(name, label, bytes, text, used, other, flags, replaced)                            \
	{                                                                                      \
		name, label, SLICE_INIT(bytes), SLICE_INIT(text), used, other, flags, replaced \
	}
#define BAD "\xef\xbf\xbd"

static const struct row rows[] = {
	ROW("nothing", "", "", "", CHARSET_ASCII, CHARSET_NONE, 0, 0),
	ROW("plain", "us-ascii", "hello", "hello", CHARSET_ASCII, CHARSET_NONE, 0, 0),
	ROW("plain under another label", "gb2312", "hello", "hello", CHARSET_GB18030, CHARSET_NONE, 0, 0),
	ROW("an unknown label", "klingon", "hello", "hello", CHARSET_ASCII, CHARSET_NONE, CHARSET_LABEL_UNKNOWN, 0),
	ROW("an unknown label of blanks", " \t", "hello", "hello", CHARSET_ASCII, CHARSET_NONE, 0, 0),
	ROW("an unknown label, UTF-8", "unknown-8bit", "caf\xc3\xa9", "caf\xc3\xa9", CHARSET_UTF8, CHARSET_NONE,
	    CHARSET_LABEL_UNKNOWN | CHARSET_GUESSED, 0),
	ROW("UTF-8 as labelled", "utf-8", "caf\xc3\xa9", "caf\xc3\xa9", CHARSET_UTF8, CHARSET_NONE, 0, 0),
	ROW("UTF-8 under ASCII", "us-ascii", "caf\xc3\xa9", "caf\xc3\xa9", CHARSET_UTF8, CHARSET_NONE,
	    CHARSET_GUESSED | CHARSET_WRONG, 0),
	ROW("UTF-8, one flaw", "utf-8", "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xff",
	    "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad" BAD, CHARSET_UTF8, CHARSET_NONE, 0, 1),
	ROW("GBK under UTF-8", "utf-8", "\xb4\xfa\xbf\xaa\xb7\xa2\xc6\xb1",
	    "\xe4\xbb\xa3\xe5\xbc\x80\xe5\x8f\x91\xe7\xa5\xa8", CHARSET_GB18030, CHARSET_NONE,
	    CHARSET_GUESSED | CHARSET_WRONG, 0),
	ROW("GBK under ISO-8859-1", "iso-8859-1", "\xb4\xfa\xbf\xaa\xb7\xa2\xc6\xb1",
	    "\xc2\xb4\xc3\xba\xc2\xbf\xc2\xaa\xc2\xb7\xc2\xa2\xc3\x86\xc2\xb1", CHARSET_WINDOWS_1252, CHARSET_GB18030,
	    CHARSET_WRONG, 0),
	ROW("UTF-8 under GBK, lawful there", "gbk", "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa0\xe5\xa5\xbd",
	    "\xe6\xb5\xa3\xe7\x8a\xb2\xe3\x82\xbd\xe6\xb5\xa3\xe7\x8a\xb2\xe3\x82\xbd", CHARSET_GB18030, CHARSET_UTF8,
	    CHARSET_WRONG, 0),
	ROW("UTF-8 under Big5, hardly lawful there", "big5", "\xe4\xbb\xa3\xe5\xbc\x80\xe5\x8f\x91\xe7\xa5\xa8",
	    "\xe4\xbb\xa3\xe5\xbc\x80\xe5\x8f\x91\xe7\xa5\xa8", CHARSET_UTF8, CHARSET_BIG5,
	    CHARSET_GUESSED | CHARSET_WRONG, 0),
	ROW("UTF-8 and GBK by line", "utf-8", "\xe4\xb8\xad\xe6\x96\x87\n\xb4\xfa\xbf\xaa\xb7\xa2\xc6\xb1\nok\n",
	    "\xe4\xb8\xad\xe6\x96\x87\n\xe4\xbb\xa3\xe5\xbc\x80\xe5\x8f\x91\xe7\xa5\xa8\nok\n", CHARSET_UTF8,
	    CHARSET_GB18030, CHARSET_MIXED, 0),
	ROW("a mark of UTF-8", "gbk", "\xef\xbb\xbfok\xc3\xa9", "ok\xc3\xa9", CHARSET_UTF8, CHARSET_GB18030,
	    CHARSET_MARKED | CHARSET_WRONG, 0),
	ROW("a mark of UTF-16", "", "\xff\xfe\x2d\x4e", "\xe4\xb8\xad", CHARSET_UTF16LE, CHARSET_NONE, CHARSET_MARKED,
	    0),
	ROW("a mark of UTF-32", "utf-32", "\0\0\xfe\xff\0\0\x4e\x2d", "\xe4\xb8\xad", CHARSET_UTF32BE, CHARSET_NONE,
	    CHARSET_MARKED, 0),
	ROW("UTF-16 without a word about it", "", "h\0e\0l\0l\0o\0", "hello", CHARSET_UTF16LE, CHARSET_NONE,
	    CHARSET_GUESSED, 0),
	ROW("ASCII under UTF-16", "utf-16", "hello", "hello", CHARSET_ASCII, CHARSET_UTF16,
	    CHARSET_WRONG | CHARSET_GUESSED, 0),
	ROW("UTF-7 as labelled", "utf-7", "+AGE-", "a", CHARSET_UTF7, CHARSET_NONE, CHARSET_UTF7_FOUND, 0),
	ROW("UTF-7 under another label", "utf-8", "+ADw-script+AD4-", "+ADw-script+AD4-", CHARSET_UTF8, CHARSET_UTF7,
	    CHARSET_UTF7_FOUND, 0),
	ROW("plus signs that are none", "utf-8", "1+1=2, c++-mode, a+b-c", "1+1=2, c++-mode, a+b-c", CHARSET_UTF8,
	    CHARSET_NONE, 0, 0),
	ROW("ISO-2022-JP without a label", "", "\x1b$BF|K\\\x1b(B", "\xe6\x97\xa5\xe6\x9c\xac", CHARSET_ISO_2022_JP,
	    CHARSET_NONE, CHARSET_ESCAPES | CHARSET_GUESSED, 0),
	ROW("ISO-2022-JP under UTF-8", "utf-8", "\x1b$BF|K\\\x1b(B", "\x1b$BF|K\\\x1b(B", CHARSET_UTF8,
	    CHARSET_ISO_2022_JP, CHARSET_ESCAPES, 0),
	ROW("HZ without a label", "", "~{VPND~}", "\xe4\xb8\xad\xe6\x96\x87", CHARSET_HZ, CHARSET_NONE,
	    CHARSET_ESCAPES | CHARSET_GUESSED, 0),
	ROW("tildes and braces that are no HZ", "", "~{x~} ~{ab", "~{x~} ~{ab", CHARSET_ASCII, CHARSET_NONE, 0, 0),
	ROW("Shift_JIS under ISO-2022-JP", "iso-2022-jp", "\x90\xbf\x8b\x81\x8f\x91\x82\xcc\x82\xb2\x88\xc4\x93\xe0",
	    "\xe8\xab\x8b\xe6\xb1\x82\xe6\x9b\xb8\xe3\x81\xae\xe3\x81\x94\xe6\xa1\x88\xe5\x86\x85", CHARSET_SHIFT_JIS,
	    CHARSET_ISO_2022_JP, CHARSET_GUESSED | CHARSET_WRONG, 0),
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row   *row = &rows[i];
		struct arena        arena = arena_on(memory, sizeof memory);
		struct charset_text text;
		assert_int_equal(charset_text(slice_str(row->label), row->bytes, &arena, &text), RC_OK);
		if (!slice_eq(text.text, row->text) || text.used != row->used || text.other != row->other ||
		    text.flags != row->flags || text.replaced != row->replaced)
			fail_msg("%s: \"%.*s\", used %s, other %s, flags %u, replaced %u", row->name,
			         (int)text.text.len, (const char *)text.text.ptr, charset_name(text.used),
			         charset_name(text.other), (unsigned)text.flags, (unsigned)text.replaced);
		/* What an arena has not is asked for and not given; what is taken is no more than is needed. */
		assert_true(arena.used == 0 || text.text.ptr < memory || arena.used == text.text.len);
		for (size_t room = 1; room < CHARSET_ROOM_MIN; room++) {
			struct arena  small = arena_on(memory, room);
			const enum rc rc = charset_text(slice_str(row->label), row->bytes, &small, &text);
			assert_true(rc == RC_NOMEM || (rc == RC_OK && small.used == 0));
			assert_int_equal(small.used, 0);
		}
	}
}

/* The sample for statistics: one byte below its bound, at it and above it, the answer is the same. */
static void test_sample(void **state)
{
	static uint8_t bytes[2 * CHARSET_SAMPLE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i += 2)
		memcpy(&bytes[i], "\xb5\xc4", 2);
	for (size_t size = CHARSET_SAMPLE_MAX - 2; size <= CHARSET_SAMPLE_MAX + 2; size++)
		assert_int_equal(charset_guess(slice_of(bytes, size)), CHARSET_GB18030);
	/* Far behind plain text. */
	memset(bytes, 'a', sizeof bytes);
	memcpy(&bytes[1500], "\xb7\xa2\xc6\xb1", 4);
	assert_int_equal(charset_guess(slice_of(bytes, sizeof bytes)), CHARSET_GB18030);
	assert_int_equal(charset_guess(slice_of(bytes, 1500)), CHARSET_ASCII);
}

static int ready(void **state)
{
	(void)state;
	return charset_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_subjects), cmocka_unit_test(test_texts),
		                            cmocka_unit_test(test_sample) };

	return cmocka_run_group_tests(tests, ready, NULL);
}
