/* Parts of packages, alone and joined. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "document/ooxml.h"
#include "document/ooxml_xml.h"
#include "harness/heard.h"

/* Lines that must be heard, one a line; a line that begins with "-" must not. */
#define ROW(name, bytes, wanted)                \
	{                                       \
		name, SLICE_INIT(bytes), wanted \
	}

/* clang-format off: a table */
static const struct heard_row rows[] = {
	ROW("text",
	    "w<w:document><w:p><w:r><w:t>Hello</w:t></w:r></w:p><w:p><w:r><w:t>World</w:t></w:r></w:p></w:document>",
	    "text 0 Hello\\x0aWorld"),
	ROW("hidden text",
	    "w<w:p><w:r><w:t>a</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>b</w:t></w:r><w:r><w:t>c</w:t></w:r></w:p>",
	    "text 0 a\ntext 1 b\ntext 0 c"),
	ROW("not hidden after all", "w<w:p><w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t>b</w:t></w:r></w:p>",
	    "text 0 b"),
	ROW("DDE in pieces",
	    "w<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText>DDE</w:instrText></w:r><w:r><w:instrText>AUTO c:\\\\x</w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>",
	    "fact office.dde DDEAUTO"),
	ROW("DDE in QUOTE",
	    "w<w:p><w:fldChar w:fldCharType=\"begin\"/><w:instrText xml:space=\"preserve\"> </w:instrText><w:fldChar w:fldCharType=\"begin\"/><w:instrText> QUOTE 68 68 69 32 </w:instrText><w:fldChar w:fldCharType=\"end\"/><w:instrText>c</w:instrText><w:fldChar w:fldCharType=\"end\"/></w:p>",
	    "fact office.dde DDE"),
	ROW("DDE without an end", "w<w:p><w:fldChar w:fldCharType=\"begin\"/><w:instrText>DDE a b</w:instrText></w:p>",
	    "fact office.dde DDE a b"),
	ROW("a simple field", "w<w:fldSimple w:instr=\"INCLUDETEXT &quot;http://a.example/&quot;\"/>",
	    "fact office.external http://a.example/"),
	ROW("a link in a field",
	    "w<w:p><w:fldChar w:fldCharType=\"begin\"/><w:instrText>HYPERLINK \"http://a.example/\"</w:instrText><w:fldChar w:fldCharType=\"separate\"/><w:t>here</w:t><w:fldChar w:fldCharType=\"end\"/></w:p>",
	    "link 0 http://a.example/|here"),
	ROW("a template",
	    "r<Relationships><Relationship Id=\"a\" Type=\"http://x/y/attachedTemplate\" Target=\"http://a.example/t.dotm\" TargetMode=\"External\"/></Relationships>",
	    "fact office.template http://a.example/t.dotm\nlink 4 http://a.example/t.dotm|attachedTemplate"),
	ROW("a template on the own disk",
	    "r<Relationships><Relationship Id=\"a\" Type=\"http://x/y/attachedTemplate\" Target=\"file:///C:\\\\t.dotm\" TargetMode=\"External\"/></Relationships>",
	    "-fact office.template"),
	ROW("an object from elsewhere",
	    "r<Relationships><Relationship Id=\"a\" Type=\"http://x/oleObject\" Target=\"mhtml:http://a.example/!x-usc:http://b.example/\" TargetMode=\"External\"/></Relationships>",
	    "fact office.external mhtml:"),
	ROW("an embedded object",
	    "r<Relationships><Relationship Id=\"a\" Type=\"http://x/oleObject\" Target=\"embeddings/oleObject1.bin\"/></Relationships>",
	    "fact office.object embeddings/oleObject1.bin"),
	ROW("a macro sheet by its relation",
	    "r<Relationships><Relationship Id=\"a\" Type=\"http://x/xlMacrosheet\" Target=\"sheets/1.xml\"/></Relationships>",
	    "fact macro.xlm sheets/1.xml"),
	ROW("a very hidden sheet", "x<workbook><sheets><sheet name=\"M\" state=\"veryHidden\"/></sheets></workbook>",
	    "fact office.hidden_sheet M"),
	ROW("a name that runs",
	    "x<workbook><definedNames><definedName name=\"_xlnm.Auto_Open\">M!$A$1</definedName></definedNames></workbook>",
	    "fact macro.autorun _xlnm.Auto_Open"),
	ROW("a macro sheet", "m<xm:macrosheet><c><f>EXEC(\"powershell\")</f></c></xm:macrosheet>",
	    "fact macro.xlm\nmember 64 macrosheet|=EXEC\nfact macro.execute EXEC\nfact macro.execute powershell"),
	ROW("a sheet's name is no comment",
	    "m<xm:macrosheet><c><f>'A b'!A1&amp;EXEC(CHAR(112)&amp;\"owershell\")</f></c></xm:macrosheet>",
	    "fact macro.execute powershell"),
	ROW("DDE in a cell", "x<worksheet><c><f>cmd|'/c calc'!A0</f></c></worksheet>", "fact office.dde cmd|"),
	ROW("a bar in a string is none", "x<worksheet><c><f>IF(A1=\"a|b\",1,2)!x</f></c></worksheet>",
	    "-fact office.dde"),
	ROW("a link to DDE", "x<externalLink><ddeLink ddeService=\"cmd\" ddeTopic=\"/c calc\"/></externalLink>",
	    "fact office.dde cmd|/c calc"),
	ROW("a query", "x<connections><connection><webPr url=\"http://a.example/\"/></connection></connections>",
	    "fact office.external http://a.example/"),
	ROW("a mouse that moves", "w<a:hlinkMouseOver r:id=\"x\" action=\"ppaction://program\"/>",
	    "fact office.action ppaction://program"),
	ROW("a part of the interface", "x<customUI onLoad=\"Go\"/>", "fact office.add_in\nfact macro.autorun Go"),
	ROW("a control", "x<ax:ocx ax:classid=\"{D27CDB6E}\"/>", "fact office.activex {D27CDB6E}"),
	ROW("an entity", "w<!DOCTYPE a [<!ENTITY b \"c\">]><w:p><w:t>&b;x</w:t></w:p>",
	    "fact office.entities\ntext 0 x"),
	ROW("not well formed", "w<w:p><w:t>a</w:t></w:q>", "text 0 a\nfact content.damaged"),
	ROW("in UTF-16", "w\xff\xfe<\0t\0>\0h\0i\0<\0/\0t\0>\0", "text 0 hi"),
	ROW("OpenDocument",
	    "o<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\"><text:p>a<text:span>b</text:span></text:p><text:a xlink:href=\"http://a.example/\"/></office:document-content>",
	    "text 0 ab\nlink 0 http://a.example/"),
	ROW("Basic", "b<script:module script:name=\"M\">Sub Main\nShell(\"calc\")\nEnd Sub</script:module>",
	    "fact macro.basic M\nmember 64 M|Sub Main\nfact macro.execute Shell"),
	ROW("an event",
	    "o<o xmlns=\"urn:oasis:names:tc:opendocument:x\"><script:event-listener script:event-name=\"dom:load\" xlink:href=\"vnd.sun.star.script:M.x\"/></o>",
	    "fact macro.autorun vnd.sun.star.script:M.x"),
	ROW("an encrypted one", "e<manifest:encryption-data/>", "fact content.encrypted"),
	ROW("noise", "w\1\2\3", "-fact"),
	ROW("a binary sheet",
	    "v\x9c\x01\x1a\x02\0\0\0\0\0\0\0\x02\0\0\0r\0"
	    "1\0\x01\0\0\0M\0\0\0\0\0",
	    "fact office.hidden_sheet M"),
	ROW("a binary formula", "n\x0a\x1a\0\0\0\0\0\0\0\0\0\0\0\x0b\0\0\0\x17\x01\0c\0\x42\x01n\0\0\0\0",
	    "fact macro.xlm\nmember 64 macrosheet|=EXEC(\\x22c\\x22)\nfact macro.execute EXEC"),
	ROW("binary DDE", "v\xe8\x02\x16\x01\0\x03\0\0\0c\0m\0d\0\x02\0\0\0/\0c\0\0\0\0\0", "fact office.dde cmd|/c"),
};
/* clang-format on */

/* The first byte of a row says which part the rest is. */
static enum rc part_read(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	static const struct {
		char        letter;
		const char *name;
	} parts[] = {
		{ 'w', "word/document.xml" },
		{ 'r', "word/_rels/document.xml.rels" },
		{ 'x', "xl/workbook.xml" },
		{ 'm', "xl/macrosheets/sheet1.xml" },
		{ 'o', "content.xml" },
		{ 'b', "Basic/Standard/M.xml" },
		{ 'e', "META-INF/manifest.xml" },
		{ 'v', "xl/workbook.bin" },
		{ 'n', "xl/macrosheets/sheet1.bin" },
	};
	struct ooxml *package = NULL;
	enum rc       rc = ooxml_open(budget, sink, &package);

	for (size_t i = 0; rc == RC_OK && i < sizeof parts / sizeof parts[0]; i++)
		if (slice_at(bytes, 0) == parts[i].letter) {
			rc = ooxml_part(package, slice_str(parts[i].name), slice_drop(bytes, 1));
			break;
		}
	if (rc == RC_OK)
		rc = ooxml_end(package);
	ooxml_close(&package);
	return rc;
}

static enum rc read_row(struct slice bytes, struct budget *budget, struct heard *heard)
{
	const struct content_sink sink = heard_sink(heard);

	return part_read(bytes, budget, &sink);
}

static void test_rows(void **state)
{
	(void)state;
	heard_rows(rows, sizeof rows / sizeof rows[0], read_row);
}

static void test_rows_broken(void **state)
{
	(void)state;
	heard_rows_broken(rows, sizeof rows / sizeof rows[0], read_row);
}

static void test_links_joined(void **state)
{
	static const struct slice document =
		SLICE_INIT("<w:p><w:hyperlink r:id=\"r1\"><w:r><w:t>my bank</w:t></w:r></w:hyperlink></w:p>");
	static const struct slice rels = SLICE_INIT(
		"<Relationships><Relationship Id=\"r1\" Type=\"x/hyperlink\" Target=\"http://a.example/\" TargetMode=\"External\"/></Relationships>");

	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct ooxml             *package = NULL;
		assert_int_equal(ooxml_open(&budget, &sink, &package), RC_OK);
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(ooxml_part(package,
			                            i == order ? SLICE("word/document.xml")
			                                       : SLICE("word/_rels/document.xml.rels"),
			                            i == order ? document : rels),
			                 RC_OK);
		assert_int_equal(ooxml_end(package), RC_OK);
		assert_true(heard_line(&heard, "link 0 http://a.example/|my bank"));
		ooxml_close(&package);
		ooxml_close(&package);
		heard_done(&heard);
	}
}

/* OOXML_LINKS_MAX: one less, as many, one more; every address is told. */
static void test_links_max(void **state)
{
	(void)state;
	for (size_t count = OOXML_LINKS_MAX - 1; count <= OOXML_LINKS_MAX + 1; count++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct ooxml             *package = NULL;
		struct buf                part = buf_make(4u << 20);
		size_t                    lines = 0;
		buf_put_str(&part, "<R>");
		for (size_t i = 0; i < count; i++)
			buf_printf(
				&part,
				"<Relationship Id=\"%zu\" Type=\"x/hyperlink\" Target=\"http://a/%zu\" TargetMode=\"External\"/>",
				i, i);
		buf_put_str(&part, "</R>");
		assert_int_equal(ooxml_open(&budget, &sink, &package), RC_OK);
		assert_int_equal(ooxml_part(package, SLICE("a/_rels/b.xml.rels"), buf_slice(&part)), RC_OK);
		assert_int_equal(ooxml_end(package), RC_OK);
		for (size_t i = 0; i < heard.lines.len; i++)
			lines += heard.lines.ptr[i] == '\n';
		assert_int_equal(lines, count);
		ooxml_close(&package);
		buf_done(&part);
		heard_done(&heard);
	}
}

/* OOXML_XML_DEPTH_MAX: the element at the bound is read, the one below it ends the part. */
static void test_depth_max(void **state)
{
	(void)state;
	for (size_t depth = OOXML_XML_DEPTH_MAX - 1; depth <= OOXML_XML_DEPTH_MAX + 1; depth++) {
		struct heard              heard = heard_make();
		const struct content_sink sink = heard_sink(&heard);
		struct budget             budget = budget_make(&BUDGET_LIMITS_STANDARD);
		struct ooxml             *package = NULL;
		struct buf                part = buf_make(1u << 20);
		for (size_t i = 1; i < depth; i++)
			buf_put_str(&part, "<a>");
		buf_put_str(&part, "<t>deep</t>");
		for (size_t i = 1; i < depth; i++)
			buf_put_str(&part, "</a>");
		assert_int_equal(ooxml_open(&budget, &sink, &package), RC_OK);
		assert_int_equal(ooxml_part(package, SLICE("x.xml"), buf_slice(&part)),
		                 depth <= OOXML_XML_DEPTH_MAX ? RC_OK : RC_LIMIT);
		assert_int_equal(heard_line(&heard, "text 0 deep"), depth <= OOXML_XML_DEPTH_MAX);
		ooxml_close(&package);
		buf_done(&part);
		heard_done(&heard);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_rows),         cmocka_unit_test(test_rows_broken),
		cmocka_unit_test(test_links_joined), cmocka_unit_test(test_links_max),
		cmocka_unit_test(test_depth_max),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
