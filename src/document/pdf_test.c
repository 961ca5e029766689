/* PDF: what each construct is told as, names that are escaped, files that are broken, and the bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "document/pdf.h"
#include "document/pdf_file.h"
#include "document/pdf_filter.h"
#include "document/pdf_font.h"
#include "harness/told.h"

struct row {
	const char  *name;
	struct slice bytes;
	const char  *told;
};

#define ROW(name, bytes, told) { name, SLICE_INIT(bytes), told }

/* clang-format off: a table */
static const struct row rows[] = {
	ROW("a link", "1 0 obj <</S/URI/URI(http://a.test/)>> endobj", "link http://a.test/|"),
	ROW("a link in two", "1 0 obj <</S/URI/URI 2 0 R>> endobj 2 0 obj (http://a.te\\\nst) endobj", "link http://a.test|"),
	ROW("a link as UTF-16", "1 0 obj <</URI<FEFF0061002e0062>>>", "link a.b|"),
	ROW("an escaped name", "1 0 obj <</#55RI(x)>>", "fact pdf.name_escaped|link x|"),
	ROW("a name escaped for no reason", "1 0 obj <</A#20B(x)>>", ""),
	ROW("a script", "1 0 obj <</S/JavaScript/JS(a\\(1\\))>>", "fact pdf.script|[64]member  text/javascript a(1)|"),
	ROW("a script in a stream", "1 0 obj <</JS 2 0 R>> endobj 2 0 obj <</Length 3>> stream\nabc\nendstream",
	    "fact pdf.script|[64]member  text/javascript abc|"),
	ROW("a script that two refer to", "1 0 obj [<</JS 2 0 R>><</JS 2 0 R>>] 2 0 obj (a)", "fact pdf.script|[64]member  text/javascript a|"),
	ROW("a launch", "1 0 obj <</S/Launch/F(c.exe)>>", "fact pdf.launch|link c.exe|"),
	ROW("a launch for Windows", "1 0 obj <</S/Launch/Win<</F(cmd)/P(/c x)>>>>", "fact pdf.launch|link cmd|[script]text /c x|"),
	ROW("another file", "1 0 obj <</S/GoToR/F<</F(\\\\\\\\h\\\\s)>>>>", "fact pdf.remote|link \\\\h\\s|"),
	ROW("a form that is sent", "1 0 obj <</S/SubmitForm/F<</FS/URL/F(http://h/)>>>>",
	    "fact pdf.submit|link http://h/|fact pdf.remote|[reference]link http://h/|"),
	ROW("opening with a jump", "1 0 obj <</OpenAction[2 0 R/Fit]>>", ""),
	ROW("opening with a jump action", "1 0 obj <</OpenAction<</S/GoTo/D[0]>>>>", ""),
	ROW("opening with a script", "1 0 obj <</OpenAction 2 0 R>> endobj 2 0 obj <</S/JavaScript/JS()>>", "fact pdf.open_action|fact pdf.script|"),
	ROW("an embedded file", "1 0 obj <</F(a.txt)/EF<</F 2 0 R>>>> endobj 2 0 obj <</Length 2>> stream\nhi\nendstream endobj",
	    "fact pdf.embedded|member a.txt  hi|"),
	ROW("an embedded file that nobody names", "2 0 obj <</Type/EmbeddedFile>> stream\nhi\nendstream", "[128]member   hi\n|"),
	ROW("a form", "1 0 obj <</AcroForm<</Fields[2 0 R]>>>>", "fact pdf.form|"),
	ROW("a form without fields", "1 0 obj <</AcroForm<</Fields[]>>>>", ""),
	ROW("XFA in two streams", "1 0 obj <</XFA[(a)2 0 R(b)3 0 R]>> endobj 2 0 obj <<>> stream\nx\nendstream endobj 3 0 obj <<>> stream\ny\nendstream",
	    "fact pdf.xfa|member xfa.xml application/vnd.adobe.xfa+xml x\ny\n|"),
	ROW("a film", "1 0 obj <</Subtype/RichMedia>>", "fact pdf.rich_media|"),
	ROW("bytes from elsewhere", "1 0 obj <</F(http://h/x)/Length 0>> stream\n.\nendstream", "fact pdf.remote|[reference]link http://h/x|"),
	ROW("a title", "1 0 obj <</Title(T)>>", "[metadata]text T|[metadata]text \n|"),
	ROW("data in front", "GIF89a %PDF-1.4 1 0 obj null", "fact content.trailing|"),
	ROW("no end of anything", "1 0 obj <</A<</S/URI/URI(http://a", "link http://a|"),
	ROW("closed and nobody can open it",
	    "1 0 obj <</JS(a)/URI(b)>> endobj trailer <</Root 1 0 R/Encrypt<</Filter/Standard/V 9/R 9>>>>",
	    "fact pdf.encrypted|fact content.encrypted|fact pdf.script|"),
	ROW("text", "1 0 obj <</Type/Page/Contents 2 0 R/Resources<</Font<</F 3 0 R>>>>>> endobj 2 0 obj <<>> stream\n"
	    "BT /F 1 Tf (Hel) Tj [(lo)-300(you\\344)]TJ 0 -9 Td (all)Tj ET\nendstream endobj 3 0 obj <</Subtype/Type1>>",
	    "text Hello you\xc3\xa4\nall\n|"),
	ROW("text that is not shown", "1 0 obj <</Type/Page/Contents 2 0 R/Resources<</Font<</F<<>>>>>>>> endobj 2 0 obj <<>> stream\n"
	    "/F 1 Tf (a)Tj 3 Tr (b)Tj 0 Tr (c)Tj\nendstream", "text a\n|[hidden]text b\n|text c\n|"),
	ROW("text by a map", "1 0 obj <</Type/Page/Contents 2 0 R/Resources<</Font<</F 3 0 R>>>>>> endobj 2 0 obj <<>> stream\n"
	    "/F 1 Tf <00010002>Tj\nendstream endobj 3 0 obj <</Subtype/Type0/Encoding/Identity-H/ToUnicode 4 0 R>> endobj 4 0 obj <<>> stream\n"
	    "1 beginbfchar <0001> <4e2d> endbfchar 1 beginbfrange <0002> <0003> <6587> endbfrange\nendstream",
	    "text \xe4\xb8\xad\xe6\x96\x87\n|"),
	ROW("text whose codes are Unicode", "1 0 obj <</Type/Page/Contents 2 0 R/Resources<</Font<</F 3 0 R>>>>>> endobj 2 0 obj <<>> stream\n"
	    "/F 1 Tf <4e2d>Tj\nendstream endobj 3 0 obj <</Subtype/Type0/Encoding/UniGB-UCS2-H>>", "text \xe4\xb8\xad\n|"),
	ROW("text in a form", "1 0 obj <</Type/Page/Contents 2 0 R/Resources<</XObject<</X 4 0 R>>/Font<</F<<>>>>>>>> endobj 2 0 obj <<>> stream\n"
	    "/X Do\nendstream endobj 4 0 obj <</Subtype/Form>> stream\n/F 1 Tf (in)Tj /X Do\nendstream",
	    "text inininininininin\n|"),
	ROW("a picture in JPEG", "1 0 obj <</Subtype/Image/Filter[/AHx/DCTDecode]>> stream\nffd8>\nendstream", "member  image/jpeg \xff\xd8|"),
};
/* clang-format on */

static enum rc open_with(struct slice bytes, struct budget *budget)
{
	told_begin();
	return pdf_open(bytes, NULL, 0, budget, &told_sink);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		const enum rc rc = open_with(rows[i].bytes, &budget);
		if (rc != RC_OK || !slice_eq(buf_slice(&told), slice_str(rows[i].told)))
			fail_msg("%s: %s, %.*s", rows[i].name, rc_word(rc), (int)told.len, (const char *)told.ptr);
		for (size_t cut = 0; cut < rows[i].bytes.len; cut++) {
			uint8_t *exact = malloc(cut + 1);
			memcpy(exact, rows[i].bytes.ptr, cut);
			assert_in_range(open_with(slice_of(exact, cut), &budget), RC_OK, RC_LIMIT);
			free(exact);
		}
	}
}

static void test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (long count = 0; count < 40; count++) {
			struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
			told_begin();
			memory_fail_after(count);
			const enum rc rc = pdf_open(rows[i].bytes, NULL, 0, &budget, &(struct content_sink){ .context = NULL });
			memory_fail_after(-1);
			assert_true(rc == RC_OK || rc == RC_NOMEM || rc == RC_LIMIT);
		}
		for (uint64_t steps = 0; steps < 400; steps += 13) {
			struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
			budget.left[BUDGET_STEPS] = steps;
			const enum rc rc = open_with(rows[i].bytes, &budget);
			assert_true(rc == RC_OK || rc == RC_LIMIT);
			assert_true(rc == RC_OK || budget.cut[BUDGET_STEPS]);
		}
	}
}

/* One step below, at and above what parses. */
static void test_depth(void **state)
{
	(void)state;
	for (size_t depth = PDF_DEPTH_MAX - 1; depth <= PDF_DEPTH_MAX + 1; depth++) {
		struct buf    bytes = buf_make(4096);
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		buf_put_str(&bytes, "1 0 obj ");
		for (size_t i = 0; i < depth - 1; i++)
			buf_put_byte(&bytes, '[');
		buf_put_str(&bytes, "<</URI(a)>>");
		assert_int_equal(open_with(buf_slice(&bytes), &budget), RC_OK);
		const bool cut = slice_search(buf_slice(&told), SLICE("pdf.limit")) < told.len;
		assert_int_equal(cut, depth > PDF_DEPTH_MAX);
		buf_done(&bytes);
	}
}

struct filter_row {
	const char  *name;
	struct slice filter, bytes;
	const char  *out;
};

#define FILTER(name, filter, bytes, out) { name, SLICE_INIT(filter), SLICE_INIT(bytes), out }

static const struct filter_row filters[] = {
	FILTER("hexadecimal", "ASCIIHexDecode", "61 6 2>63", "ab"),
	FILTER("an odd digit", "AHx", "614>", "a@"),
	FILTER("base 85", "ASCII85Decode", "<~87cUR~>", "Hell"),
	FILTER("base 85, a rest", "A85", "87cURD]~>", "Hello"),
	FILTER("runs", "RunLengthDecode", "\x01hi\xfe!\x80z", "hi!!!"),
	FILTER("a run without its byte", "RL", "\xfe", ""),
	FILTER("LZW", "LZWDecode", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", "-----A---B"),
	FILTER("a stored block", "FlateDecode", "\x78\x01\x01\x02\0\xfd\xffhi", "hi"),
	FILTER("without its head", "Fl", "\x01\x02\0\xfd\xffhi", "hi"),
	FILTER("nothing", "FlateDecode", "", ""),
};

static void test_filters(void **state)
{
	const struct pdf_predictor none = { .predictor = 1, .early = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
		struct buf    out = buf_make(1024);
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		bool          damaged = false;
		const enum rc rc = pdf_filter(filters[i].filter, &none, filters[i].bytes, &budget, &out, &damaged);
		if (rc != RC_OK || !slice_eq(buf_slice(&out), slice_str(filters[i].out)))
			fail_msg("%s: %s, %.*s", filters[i].name, rc_word(rc), (int)out.len, (const char *)out.ptr);
		buf_done(&out);
		/* A bound that holds all but a byte of it. */
		struct buf small = buf_make(strlen(filters[i].out));
		if (small.max-- != 0)
			assert_int_equal(pdf_filter(filters[i].filter, &none, filters[i].bytes, &budget, &small, &damaged), RC_LIMIT);
		buf_done(&small);
	}
	struct buf    out = buf_make(16);
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
	bool          damaged = false;
	assert_int_equal(pdf_filter(SLICE("DCTDecode"), &none, SLICE("x"), &budget, &out, &damaged), RC_UNSUPPORTED);
	const struct pdf_predictor png = { .predictor = 12, .colors = 1, .bits = 8, .columns = 2 };
	assert_int_equal(pdf_filter(SLICE("Fl"), &png, SLICE("\x01\x06\0\xf9\xff\1\1\1\2\1\1"), &budget, &out, &damaged), RC_OK);
	assert_memory_equal(out.ptr, "\1\2\2\3", 4);
	assert_int_equal(out.len, 4);
	buf_done(&out);
}

static void test_glyphs(void **state)
{
	(void)state;
	assert_int_equal(pdf_glyph_code(SLICE("A")), 'A');
	assert_int_equal(pdf_glyph_code(SLICE("a.alt")), 'a');
	assert_int_equal(pdf_glyph_code(SLICE("uni20AC")), 0x20ac);
	assert_int_equal(pdf_glyph_code(SLICE("u1F600")), 0x1f600);
	assert_int_equal(pdf_glyph_code(SLICE("hyphen")), '-');
	assert_int_equal(pdf_glyph_code(SLICE("g12")), 0);
	assert_int_equal(pdf_glyph_code(SLICE("")), 0);
}

static int end(void **state)
{
	(void)state;
	buf_done(&told);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),    cmocka_unit_test(test_failures), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_filters), cmocka_unit_test(test_glyphs),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
