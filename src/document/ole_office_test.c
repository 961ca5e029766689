/* Documents in compound files, each made here byte by byte: Word, Excel, PowerPoint, objects, links, encryption. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/memory.h"
#include "document/ole_office.h"
#include "harness/compound.h"
#include "harness/heard.h"

static enum rc read_streams(const struct compound_stream *streams, size_t count, struct heard *heard)
{
	struct buf                file = buf_make(4u << 20);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	const struct content_sink sink = heard_sink(heard);

	compound_make(streams, count, &file);
	const enum rc rc = ole_office_open(buf_slice(&file), NULL, &budget, &sink);
	buf_done(&file);
	return rc;
}

/* One stream in a file of its own must give these lines, whole and cut anywhere it must end. */
static void stream_gives(const char *name, const char *path, struct slice bytes, const char *const *lines)
{
	const struct compound_stream stream = { path, bytes };
	struct heard                 heard = heard_make();

	assert_int_equal(read_streams(&stream, 1, &heard), RC_OK);
	for (; *lines != NULL; lines++)
		if (heard_line(&heard, (*lines)[0] == '-' ? *lines + 1 : *lines) == ((*lines)[0] == '-'))
			fail_msg("%s: %s\n%.*s", name, *lines, (int)heard.lines.len, (const char *)heard.lines.ptr);
	for (size_t cut = 0; cut<bytes.len; cut += bytes.len> 600 ? 13 : 1) {
		const struct compound_stream part = { path, slice_take(bytes, cut) };
		buf_clear(&heard.lines);
		assert_int_equal(read_streams(&part, 1, &heard), RC_OK);
	}
	heard_done(&heard);
}

#define GIVES(name, path, bytes, ...) stream_gives(name, path, bytes, (const char *const[]){ __VA_ARGS__, NULL })

static void put_record(struct buf *out, unsigned id, struct slice data)
{
	cursor_put_u16(out, (uint16_t)id);
	cursor_put_u16(out, (uint16_t)data.len);
	buf_put(out, data);
}

#define BOF(kind) SLICE("\0\6" kind "\0\0\0\0\0\0\0\0\0\0\0\0")

static void test_excel(void **state)
{
	struct buf book = buf_make(65536);

	(void)state;
	put_record(&book, 0x809, BOF("\5\0"));
	put_record(&book, 0x85, SLICE("\0\0\0\0\2\1\2\0M1"));
	put_record(&book, 0x18, SLICE("\x20\0\0\1\7\0\0\0\0\0\0\0\0\0\0\1\x3a\0\0\0\0\0\0"));
	put_record(&book, 0x1ae, SLICE("\1\0\x06\0\0cmd\3/c"));
	/* Two strings in the table, the second broken in its characters, and wide behind the break. */
	put_record(&book, 0xfc, SLICE("\2\0\0\0\2\0\0\0\5\0\0hello\4\0\0ab"));
	put_record(&book, 0x3c, SLICE("\1c\0d\0"));
	put_record(&book, 0x809, BOF("\x40\0"));
	put_record(&book, 0x06,
	           SLICE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0"
	                 "\x17\2\0ca\x17\2\0lc\x08\x42\1\x6e\0\0"));
	put_record(&book, 0x06, SLICE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\x1e\x41\0\x41\x6f\0"));
	put_record(&book, 0x204, SLICE("\0\0\0\0\0\0\3\0\0cel"));
	put_record(&book, 0x1b6, SLICE("\0\0\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"));
	put_record(&book, 0x3c, SLICE("\0box"));
	put_record(
		&book, 0x1b8,
		SLICE("\0\0\0\0\0\0\0\0\xd0\xc9\xea\x79\2\0\0\0\3\0\0\0"
	              "\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\0\xaa\0\x4b\xa9\x0b\x14\0\0\0h\0t\0t\0p\0:\0/\0/\0x\0/\0\0\0"));
	GIVES("workbook", "Workbook", buf_slice(&book), "fact office.hidden_sheet M1", "fact macro.xlm M1",
	      "fact macro.autorun Auto_Open", "fact office.dde cmd|/c", "text 0 hello\\x0aabcd\\x0acel\\x0abox\\x0a",
	      "member 64 macrosheet|Auto_Open = ", "fact macro.execute EXEC", "link 0 http://x/|");
	buf_clear(&book);
	put_record(&book, 0x809, BOF("\5\0"));
	put_record(&book, 0x85, SLICE("\0\0\0\0\0\0\2\0S1"));
	put_record(&book, 0x809, BOF("\x10\0"));
	put_record(&book, 0x06, SLICE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\x1e\1\0\x41\x6f\0"));
	GIVES("no macros", "Workbook", buf_slice(&book), "-fact", "-member");
	buf_clear(&book);
	put_record(&book, 0x809, BOF("\5\0"));
	put_record(&book, 0x2f, SLICE("\0\0\1\2\3\4"));
	put_record(&book, 0xfc, SLICE("\1\0\0\0\1\0\0\0\5\0\0hello"));
	GIVES("a password nobody knows", "Workbook", buf_slice(&book), "fact content.encrypted", "-text 0 hello");
	buf_done(&book);
}

/* Field characters and text in one piece of 8-bit characters behind the header. */
static void word_make(struct buf *main, struct buf *table, struct slice text, unsigned flags, bool wide)
{
	static const uint8_t zero[0x400];
	const uint32_t       count = (uint32_t)text.len / (wide ? 2 : 1);

	buf_put(main, slice_of(zero, sizeof zero));
	main->ptr[0] = 0xec;
	main->ptr[1] = 0xa5;
	main->ptr[2] = 0xc1;
	main->ptr[0x0a] = (uint8_t)flags;
	main->ptr[0x0b] = (uint8_t)(flags >> 8);
	main->ptr[0x1a6] = 5 + 16;
	buf_put(main, text);
	cursor_put_u8(table, 2);
	cursor_put_u32(table, 16);
	cursor_put_u32(table, 0);
	cursor_put_u32(table, count);
	cursor_put_u16(table, 0);
	cursor_put_u32(table, wide ? 0x400u : 0x800u | 0x40000000u);
	cursor_put_u16(table, 0);
}

static void test_word(void **state)
{
	struct buf   main = buf_make(8192), table = buf_make(8192);
	struct heard heard = heard_make();

	(void)state;
	word_make(&main, &table,
	          SLICE("Hello\r\x13 HYPERLINK \"http://a.example/\" \x14here\x15 \x13 DDEAUTO c:\\\\x y \x15"), 0,
	          false);
	const struct compound_stream narrow[] = { { "WordDocument", buf_slice(&main) },
		                                  { "0Table", buf_slice(&table) } };
	assert_int_equal(read_streams(narrow, 2, &heard), RC_OK);
	assert_true(heard_line(&heard, "text 0 Hello\\x0ahere"));
	assert_true(heard_line(&heard, "link 0 http://a.example/|here"));
	assert_true(heard_line(&heard, "fact office.dde DDEAUTO"));
	buf_clear(&heard.lines);
	buf_clear(&main);
	buf_clear(&table);
	word_make(&main, &table, SLICE("H\0\x2d\x4e"), 0x200, true);
	const struct compound_stream wide[] = { { "WordDocument", buf_slice(&main) }, { "1Table", buf_slice(&table) } };
	assert_int_equal(read_streams(wide, 2, &heard), RC_OK);
	assert_true(heard_line(&heard, "text 0 H\\xe4\\xb8\\xad"));
	buf_clear(&heard.lines);
	main.ptr[0x0b] = 3; /* encrypted */
	assert_int_equal(read_streams(wide, 2, &heard), RC_OK);
	assert_true(heard_line(&heard, "fact content.encrypted"));
	assert_false(heard_line(&heard, "text 0"));
	buf_done(&main);
	buf_done(&table);
	heard_done(&heard);
}

static void put_atom(struct buf *out, unsigned version, unsigned type, struct slice data)
{
	cursor_put_u16(out, (uint16_t)version);
	cursor_put_u16(out, (uint16_t)type);
	cursor_put_u32(out, (uint32_t)data.len);
	buf_put(out, data);
}

static void test_powerpoint(void **state)
{
	struct buf show = buf_make(65536);

	(void)state;
	put_atom(&show, 0x0f, 0x03e8, SLICE("\0\0\xa0\x0f\2\0\0\0H\0\0\0\xa8\x0f\2\0\0\0ij"));
	put_atom(&show, 0x0f, 0x0fd7, SLICE("\x10\0\xba\x0f\x06\0\0\0x\0:\0y\0"));
	put_atom(&show, 0, 0x0ff3, SLICE("\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"));
	put_atom(&show, 0x10, 0x1011, SLICE("\3\0\0\0\x78\x9c\x4b\x4c\x4a\x06\0\x02\x4d\x01\x27"));
	put_atom(&show, 0, 0x1011, SLICE("plain"));
	GIVES("slides", "PowerPoint Document", buf_slice(&show), "text 0 H\\x0aij\\x0a", "link 0 x:y|",
	      "fact office.action program", "member 0 |abc", "member 0 |plain");
	GIVES("encrypted slides", "Current User", SLICE("\0\0\0\0\0\0\0\0\x14\0\0\0\xdf\xc4\xd1\xf3"),
	      "fact content.encrypted");
	buf_done(&show);
}

static void test_objects(void **state)
{
	(void)state;
	GIVES("a package", "ObjectPool/_1/\1Ole10Native",
	      SLICE("\x2e\0\0\0\2\0a.lnk\0C:\\a.lnk\0\0\0\3\0\x0b\0\0\0C:\\x\\b.lnk\0\4\0\0\0data"),
	      "fact office.object _1", "fact office.package a.lnk", "member 0 a.lnk|data");
	GIVES("its size lies", "\1Ole10Native", SLICE("\1\0\0\0\2\0a.lnk\0C:\\a.lnk\0\0\0\3\0\2\0\0\0b\0\4\0\0\0data"),
	      "member 0 a.lnk|data");
	GIVES("it is cut", "\1Ole10Native", SLICE("\x7f\0\0\0\2\0a.lnk\0C:\\a.lnk\0\0\0\3\0\2\0\0\0b\0\x40\0\0\0data"),
	      "member 2 a.lnk|data");
	GIVES("a linked package", "\1Ole10Native", SLICE("\x7f\0\0\0\2\0a\0\\\\h\\a\0\0\0\1\0\2\0\0\0b\0"),
	      "fact office.external", "link 4 \\x5c\\x5ch\\x5ca|a");
	GIVES("another program's", "\1Ole10Native", SLICE("\4\0\0\0BM12"), "fact office.object",
	      "member 0 \\x01Ole10Native|");
	GIVES("a link to the net", "ObjectPool/_1/\1Ole",
	      SLICE("\1\0\0\2\1\0\0\0\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\0\xaa\0\x4b\xa9\x0b\x14\0\0\0h\0t\0t\0p\0:\0/\0/\0x\0/\0\0\0"),
	      "fact office.external http://x/", "link 4 http://x/|");
	GIVES("the Equation Editor", "Equation Native", SLICE("\x1c\0"), "fact office.equation");
	GIVES("a control", "ObjectPool/_1/\3OCXNAME", SLICE("x"), "fact office.activex");
	GIVES("rights", "\11DRMContent", SLICE("x"), "fact office.rights", "fact content.encrypted");
	GIVES("a form", "Macros/F/o", SLICE("\1\2http://a\3ab\4"), "text 3 http://a\\x0a");
	GIVES("a package whose key is unknown", "EncryptedPackage", SLICE("\0\0\0\0\0\0\0\0xxxxxxxxxxxxxxxx"),
	      "fact content.encrypted");
	GIVES("the title", "\5SummaryInformation",
	      SLICE("\xfe\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x30\0\0\0"
	            "\x20\0\0\0\1\0\0\0\2\0\0\0\x10\0\0\0\x1e\0\0\0\5\0\0\0Bill\0"),
	      "text 2 Bill");
}

/* What is told when the sink stops, memory ends or steps run out: never anything but an answer. */
static void test_broken(void **state)
{
	const struct compound_stream streams[] = {
		{ "ObjectPool/_1/\1Ole10Native",
		  SLICE("\x2e\0\0\0\2\0a.lnk\0C:\\a.lnk\0\0\0\3\0\2\0\0\0b\0\4\0\0\0data") },
		{ "Workbook", SLICE("\x09\x08\x10\0\0\6\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\x85\0\x0a\0\0\0\0\0\2\1\2\0M1") },
		{ "Macros/VBA/dir", SLICE("\1\1\xb0\0") },
	};
	struct buf   file = buf_make(1u << 20);
	struct heard heard = heard_make();

	(void)state;
	compound_make(streams, 3, &file);
	for (long count = 0; count < 16; count++) {
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const struct content_sink sink = heard_sink(&heard);
		heard.fail_after = count;
		const enum rc rc = ole_office_open(buf_slice(&file), NULL, &budget, &sink);
		assert_true(rc == RC_OK || rc == RC_CONFLICT);
		assert_int_equal(budget.left[BUDGET_DEPTH], BUDGET_LIMITS_STANDARD.depth);
	}
	heard.fail_after = -1;
	for (long count = 0; count < 24; count++) {
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const struct content_sink sink = heard_sink(&heard);
		buf_clear(&heard.lines);
		memory_fail_after(count);
		(void)!ole_office_open(buf_slice(&file), NULL, &budget, &sink);
		memory_fail_after(-1);
	}
	for (uint64_t steps = 0; steps < 20000; steps += 97) {
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const struct content_sink sink = heard_sink(&heard);
		buf_clear(&heard.lines);
		budget.left[BUDGET_STEPS] = steps;
		const enum rc rc = ole_office_open(buf_slice(&file), NULL, &budget, &sink);
		assert_true(rc == RC_OK || rc == RC_LIMIT);
	}
	buf_done(&file);
	heard_done(&heard);
}

static void test_rc4(void **state)
{
	struct ole_rc4 rc4;
	uint8_t        bytes[9];

	(void)state;
	memcpy(bytes, "Plaintext", 9);
	ole_rc4_begin(&rc4, SLICE("Key"));
	ole_rc4_apply(&rc4, bytes, 9);
	assert_memory_equal(bytes, "\xbb\xf3\x16\xe8\xd9\x40\xaf\x0a\xd3", 9);
}

static void test_crypt_headers(void **state)
{
	static const struct {
		const char  *name;
		struct slice info;
		enum rc      rc;
	} rows[] = {
		{ "nothing", SLICE_INIT(""), RC_SYNTAX },
		{ "a version nobody has", SLICE_INIT("\7\0\7\0\0\0\0\0"), RC_UNSUPPORTED },
		{ "RC4 cut", SLICE_INIT("\1\0\1\0xxxxxxxx"), RC_SYNTAX },
		{ "standard cut", SLICE_INIT("\3\0\2\0\0\0\0\0\x20\0\0\0"), RC_SYNTAX },
		{ "a header larger than the file", SLICE_INIT("\3\0\2\0\0\0\0\0\xff\xff\xff\xff"), RC_SYNTAX },
		{ "agile without anything", SLICE_INIT("\4\0\4\0\x40\0\0\0"), RC_SYNTAX },
		{ "agile without a key",
		  SLICE_INIT("\4\0\4\0\x40\0\0\0<encryption><keyData keyBits=\"256\" blockSize=\"16\"/></encryption>"),
		  RC_SYNTAX },
		{ "agile with another cipher",
		  SLICE_INIT(
			  "\4\0\4\0\x40\0\0\0<keyData saltValue=\"AAAA\" keyBits=\"256\" blockSize=\"16\" cipherAlgorithm=\"RC2\"/>"),
		  RC_UNSUPPORTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ole_crypt crypt;
		const enum rc    rc = ole_crypt_read(rows[i].info, &crypt);
		if (rc != rows[i].rc)
			fail_msg("%s: %s", rows[i].name, rc_word(rc));
	}
}

/* The caller's passwords take tries, the one that Excel knows does not: 1 less than there are, as many, 1 more. */
static void test_tries(void **state)
{
	static const struct slice  words[] = { SLICE_INIT("one"), SLICE_INIT("two"), SLICE_INIT("three") };
	const struct ole_passwords passwords = { words, 3 };
	struct ole_crypt           crypt;
	bool                       by_default;

	(void)state;
	for (uint64_t tries = 2; tries <= 4; tries++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		budget.left[BUDGET_TRIES] = tries;
		ole_crypt_xor(1, 2, &crypt);
		assert_int_equal(ole_crypt_unlock(&crypt, &passwords, &budget, &by_default),
		                 tries < 3 ? RC_LIMIT : RC_DENIED);
	}
}

static int ready(void **state)
{
	(void)state;
	return ole_cipher_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_excel),         cmocka_unit_test(test_word),   cmocka_unit_test(test_powerpoint),
		cmocka_unit_test(test_objects),       cmocka_unit_test(test_broken), cmocka_unit_test(test_rc4),
		cmocka_unit_test(test_crypt_headers), cmocka_unit_test(test_tries),
	};
	return cmocka_run_group_tests(all, ready, NULL);
}
