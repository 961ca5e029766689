/* Each kind of document gets to its reader, through a walk as the scanner makes it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive/open.h"
#include "archive/password.h"
#include "base/cursor.h"
#include "content/inflate.h"
#include "content/walk.h"
#include "document/office.h"
#include "harness/compound.h"
#include "harness/heard.h"

static void walk(struct slice name, struct slice bytes, struct heard *heard)
{
	const struct content_opener openers[] = { { NULL, archive_open }, { NULL, office_open } };
	const struct content_sink   sink = heard_sink(heard);
	struct budget               budget = budget_make(&BUDGET_LIMITS_STANDARD);
	const struct walk_plan      plan = { openers, 2, &budget, NULL, NULL, &sink };
	const struct content_member root = { .name = name, .bytes = bytes };

	assert_int_equal(content_walk(&plan, &root), RC_OK);
}

/* A zip of stored members. */
static void zip_make(const struct compound_stream *parts, size_t count, struct buf *out)
{
	struct buf central = buf_make(65536);

	for (size_t i = 0; i < count; i++) {
		const struct slice name = slice_str(parts[i].path), bytes = parts[i].bytes;
		const uint32_t     at = (uint32_t)out->len, crc = inflate_crc32(0, bytes);
		for (unsigned directory = 0; directory < 2; directory++) {
			struct buf *to = directory ? &central : out;
			cursor_put_u32(to, directory ? 0x02014b50 : 0x04034b50);
			if (directory)
				cursor_put_u16(to, 20);
			cursor_put_u16(to, 20);
			cursor_put_u32(to, 0);
			cursor_put_u32(to, 0);
			cursor_put_u32(to, crc);
			cursor_put_u32(to, (uint32_t)bytes.len);
			cursor_put_u32(to, (uint32_t)bytes.len);
			cursor_put_u16(to, (uint16_t)name.len);
			cursor_put_u16(to, 0);
			if (directory) {
				cursor_put_u16(to, 0);
				cursor_put_u32(to, 0);
				cursor_put_u32(to, 0);
				cursor_put_u32(to, at);
			}
			buf_put(to, name);
			if (!directory)
				buf_put(to, bytes);
		}
	}
	const uint32_t start = (uint32_t)out->len;
	buf_put(out, buf_slice(&central));
	cursor_put_u32(out, 0x06054b50);
	cursor_put_u32(out, 0);
	cursor_put_u16(out, (uint16_t)count);
	cursor_put_u16(out, (uint16_t)count);
	cursor_put_u32(out, (uint32_t)central.len);
	cursor_put_u32(out, start);
	cursor_put_u16(out, 0);
	assert_false(out->failed || central.failed);
	buf_done(&central);
}

static void test_kinds(void **state)
{
	static const struct {
		const char  *name;
		struct slice bytes;
		const char  *wanted;
	} rows[] = {
		{ "a.rtf", SLICE_INIT("{\\rtf1{\\*\\template http://a.example/t}}"), "fact office.template" },
		{ "a.doc", SLICE_INIT("{\\rtf1{\\*\\template http://a.example/t}}"), "fact office.template" },
		{ "a.slk", SLICE_INIT("ID;P\nO;E\nC;EEXEC(\"calc\")\n"), "fact macro.xlm" },
		{ "a.csv", SLICE_INIT("a,b\n=cmd|'/c calc'!A0\n"), "fact office.dde" },
		{ "a.xml", SLICE_INIT("<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><W><Cell ss:Formula=\"=cmd|'/c'!A1\"/></W>"), "fact office.dde" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct heard heard = heard_make();
		walk(slice_str(rows[i].name), rows[i].bytes, &heard);
		if (!heard_line(&heard, rows[i].wanted))
			fail_msg("%s: %.*s", rows[i].name, (int)heard.lines.len, (const char *)heard.lines.ptr);
		heard_done(&heard);
	}
}

/* A package with an embedded compound file: its parts are read, and the file in it is walked into. */
static void test_package(void **state)
{
	const struct compound_stream inner[] = { { "\1Ole10Native", SLICE("\x2e\0\0\0\2\0a.lnk\0C:\\a.lnk\0\0\0\3\0\2\0\0\0b\0\4\0\0\0data") } };
	struct buf                   object = buf_make(65536), file = buf_make(262144);
	struct heard                 heard = heard_make();

	(void)state;
	compound_make(inner, 1, &object);
	const struct compound_stream parts[] = {
		{ "[Content_Types].xml", SLICE("<Types/>") },
		{ "word/document.xml", SLICE("<w:document><w:p><w:hyperlink r:id=\"r1\"><w:t>bank</w:t></w:hyperlink></w:p></w:document>") },
		{ "word/_rels/document.xml.rels", SLICE("<R><Relationship Id=\"r1\" Type=\"x/hyperlink\" Target=\"http://a.example/\" TargetMode=\"External\"/></R>") },
		{ "word/embeddings/oleObject1.bin", buf_slice(&object) },
	};
	zip_make(parts, 4, &file);
	walk(SLICE("a.docx"), buf_slice(&file), &heard);
	assert_true(heard_line(&heard, "link 0 http://a.example/|bank"));
	assert_true(heard_line(&heard, "fact office.package a.lnk"));
	for (size_t cut = 0; cut < file.len; cut += 37) {
		buf_clear(&heard.lines);
		walk(SLICE("a.docx"), slice_take(buf_slice(&file), cut), &heard);
	}
	buf_done(&object);
	buf_done(&file);
	heard_done(&heard);
}

static void test_others(void **state)
{
	struct heard              heard = heard_make();
	const struct content_sink sink = heard_sink(&heard);
	struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct sniff              kinds;

	(void)state;
	sniff(SLICE("just a text"), SLICE("a.txt"), SLICE("text/plain"), &kinds);
	assert_int_equal(office_open(NULL, SLICE("just a text"), &kinds, &budget, &sink), RC_UNSUPPORTED);
	assert_int_equal(heard.lines.len, 0);
	heard_done(&heard);
}

static int ready(void **state)
{
	(void)state;
	return office_ready() == RC_OK && archive_ready() == RC_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_package), cmocka_unit_test(test_others) };
	return cmocka_run_group_tests(all, ready, NULL);
}
