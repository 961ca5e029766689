/*
 * Tokens. The conformance suite has the long list (tests/conformance/html.py); here stands what must hold beside it:
 * each state once, bounds, memory, and that nothing is lost between tokens.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "html/tokenizer.h"

struct row {
	const char    *name;
	enum html_mode mode;
	const char    *last;
	struct slice   input;
	const char    *tokens;
};

#define ROW(name, mode, last, input, tokens) { name, HTML_MODE_##mode, last, SLICE_INIT(input), tokens }

static const struct row rows[] = {
	ROW("text", DATA, "", "a\r\nb\rc\0d", "[a\nb\nc\0d]"),
	ROW("tags", DATA, "", "<A HREF=x Y='&lt;' z>t</a >", "<a href=x y=< z=>[t]</a>"),
	ROW("no tags", DATA, "", "a < b <3 </", "[a < b <3 </]"),
	ROW("empty end tag", DATA, "", "a</>b", "[ab]"),
	ROW("self-closing", DATA, "", "<br/><a /b>", "<br/><a b=>"),
	ROW("references", DATA, "", "&amp;&ampx&amp=&#x41;&#128;&nosuch;&nGt;", "[&&x&=A\xe2\x82\xac&nosuch;\xe2\x89\xab\xe2\x83\x92]"),
	ROW("references in values", DATA, "", "<a b='&ampx&amp=&amp;&copy'>", "<a b=&ampx&amp=&\xc2\xa9>"),
	ROW("numbers out of range", DATA, "", "&#0;&#xd800;&#x110000;&#99999999999;&#;&#x;", "[\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&#;&#x;]"),
	ROW("comments", DATA, "", "<!--a--><!--><!---><!--a--!><!--a-", "{a}{}{}{a}{a}"),
	ROW("bogus comments", DATA, "", "<?a><!b></1>", "{?a}{b}{1}"),
	ROW("CDATA is a comment", DATA, "", "<![CDATA[a]]>", "{[CDATA[a]]}"),
	ROW("doctype", DATA, "", "<!doctype HTML PUBLIC 'a' \"b\">", "(html a b)"),
	ROW("doctype cut short", DATA, "", "<!doctype a SYSTEM 'b", "(a  b)"),
	ROW("RCDATA", RCDATA, "title", "<b>&amp;</title x>a", "[<b>&]</title>[a]"),
	ROW("RAWTEXT", RAWTEXT, "style", "<b>&amp;</styles></style>", "[<b>&amp;</styles>]</style>"),
	ROW("script", SCRIPT, "script", "a</b>c</script>", "[a</b>c]</script>"),
	ROW("script, escaped", SCRIPT, "script", "<!--<script></script>--></script>", "[<!--<script></script>-->]</script>"),
	ROW("script, escaped and ended", SCRIPT, "script", "<!--a</script>", "[<!--a]</script>"),
	ROW("script, escape ended at once", SCRIPT, "script", "<!--><script></script>", "[<!--><script>]</script>"),
	ROW("PLAINTEXT", PLAINTEXT, "", "<a></plaintext>", "[<a></plaintext>]"),
	ROW("CDATA", CDATA, "", "<a>]]]>b<c>", "[<a>]b]<c>"),
	ROW("attributes of odd names", DATA, "", "<a =b \"c' <d/e=f/>", "<a =b= \"c'= <d= e=f/>"),
	ROW("of two the first", DATA, "", "<a b=1 B=2>", "<a b=1>"),
	ROW("an unclosed tag", DATA, "", "a<b c='d", "[a]"),
	ROW("capitals and NUL in names", DATA, "", "<A\0B C\0=\0>", "<a\xef\xbf\xbd" "b c\xef\xbf\xbd=\xef\xbf\xbd>"),
};

static void put_token(struct buf *out, const struct html_token *token, bool *text)
{
	if (*text && token->kind != HTML_TOKEN_TEXT)
		buf_put_byte(out, ']');
	if (token->kind == HTML_TOKEN_TEXT && !*text)
		buf_put_byte(out, '[');
	*text = token->kind == HTML_TOKEN_TEXT;
	switch (token->kind) {
	case HTML_TOKEN_TEXT:
		buf_put(out, token->text);
		return;
	case HTML_TOKEN_START:
		buf_put_byte(out, '<');
		buf_put(out, token->name);
		for (size_t i = 0; i < token->count; i++) {
			buf_put_byte(out, ' ');
			buf_put(out, token->attributes[i].text);
			buf_put_byte(out, '=');
			buf_put(out, token->attributes[i].value);
		}
		buf_put_str(out, (token->flags & HTML_TOKEN_SELF_CLOSING) != 0 ? "/>" : ">");
		return;
	case HTML_TOKEN_END:
		buf_put_str(out, "</");
		buf_put(out, token->name);
		buf_put_byte(out, '>');
		return;
	case HTML_TOKEN_COMMENT:
		buf_put_byte(out, '{');
		buf_put(out, token->text);
		buf_put_byte(out, '}');
		return;
	case HTML_TOKEN_DOCTYPE:
		buf_put_byte(out, '(');
		buf_put(out, token->name);
		buf_put_byte(out, ' ');
		buf_put(out, token->public_id);
		buf_put_byte(out, ' ');
		buf_put(out, token->system_id);
		buf_put_byte(out, ')');
		return;
	}
}

/* All tokens of an input; how many there were. */
static size_t take(struct slice input, enum html_mode mode, const char *last, struct arena *arena, struct buf *out)
{
	static struct html_tokenizer tokenizer;
	struct html_token            token;
	size_t                       count = 0, end = 0;
	bool                         text = false;

	html_tokenizer_init(&tokenizer, input, arena);
	html_tokenizer_last(&tokenizer, slice_str(last));
	html_tokenizer_mode(&tokenizer, mode);
	while (html_tokenizer_next(&tokenizer, &token) == RC_OK) {
		assert_true(token.start >= end && token.end > token.start && token.end <= input.len);
		end = token.end;
		count++;
		put_token(out, &token, &text);
	}
	if (text)
		buf_put_byte(out, ']');
	assert_int_equal(html_tokenizer_next(&tokenizer, &token), RC_CLOSED);
	return count;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf   out = buf_make(4096);
		struct arena arena;
		assert_int_equal(arena_init(&arena, 4096), RC_OK);
		(void)take(rows[i].input, rows[i].mode, rows[i].last, &arena, &out);
		/* One row has a NUL in its text. */
		const struct slice want = i == 0 ? SLICE("[a\nb\nc\0d]") : slice_str(rows[i].tokens);
		if (!slice_eq(buf_slice(&out), want))
			fail_msg("%s: %.*s", rows[i].name, (int)out.len, (const char *)out.ptr);
		for (size_t cut = 0; cut < rows[i].input.len; cut++) {
			buf_clear(&out);
			assert_true(take(slice_take(rows[i].input, cut), rows[i].mode, rows[i].last, &arena, &out) <= cut);
		}
		for (size_t size = 0; size < 64; size++) {
			uint8_t      memory[64];
			struct arena small = arena_on(memory, size);
			buf_clear(&out);
			(void)take(rows[i].input, rows[i].mode, rows[i].last, &small, &out);
		}
		buf_done(&out);
		arena_done(&arena);
	}
}

static void test_attributes_limit(void **state)
{
	static struct html_tokenizer tokenizer;
	static uint8_t               memory[256];
	struct html_token            token;

	(void)state;
	for (unsigned count = HTML_ATTRIBUTES_MAX - 1; count <= HTML_ATTRIBUTES_MAX + 1; count++) {
		struct arena arena = arena_on(memory, sizeof memory);
		struct buf   page = buf_make(4096);
		buf_put_str(&page, "<a");
		for (unsigned i = 0; i < count; i++)
			buf_printf(&page, " b%u", i);
		buf_put_str(&page, ">");
		html_tokenizer_init(&tokenizer, buf_slice(&page), &arena);
		assert_int_equal(html_tokenizer_next(&tokenizer, &token), RC_OK);
		assert_int_equal(token.count, count < HTML_ATTRIBUTES_MAX ? count : HTML_ATTRIBUTES_MAX);
		assert_int_equal((token.flags & HTML_TOKEN_LIMIT) != 0, count > HTML_ATTRIBUTES_MAX);
		buf_done(&page);
	}
}

static void test_unclosed(void **state)
{
	static struct html_tokenizer tokenizer;
	static uint8_t               memory[64];
	struct arena                 arena = arena_on(memory, sizeof memory);
	struct html_token            token;

	(void)state;
	html_tokenizer_init(&tokenizer, SLICE("ab<c d"), &arena);
	assert_int_equal(html_tokenizer_next(&tokenizer, &token), RC_OK);
	assert_int_equal(html_tokenizer_next(&tokenizer, &token), RC_CLOSED);
	assert_true(tokenizer.unclosed);
	assert_int_equal(tokenizer.unclosed_at, 2);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 1; i < HTML_ELEMENTS; i++) {
		const struct slice text = html_element_text((enum html_element)i);
		assert_int_equal(html_element_find(text, html_name_hash(text)), i);
	}
	for (int i = 1; i < HTML_ATTRIBUTES; i++) {
		const struct slice text = html_attribute_text((enum html_attribute_name)i);
		assert_int_equal(html_attribute_find(text, html_name_hash(text)), i);
	}
	assert_int_equal(html_element_find(SLICE("nosuch"), html_name_hash(SLICE("nosuch"))), HTML_ELEMENT_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_attributes_limit),
		cmocka_unit_test(test_unclosed),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
