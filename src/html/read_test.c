/* What of a page is seen, by whom, and what it holds besides text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "html/read.h"

#define ARENA_BYTES (1u << 20)

struct taken {
	struct buf shown, some, hidden, labels, links, facts, scripts, forms, embedded, pictures;
	uint32_t   hidden_reasons, some_reasons;
};

static struct html_reader *reader;
static struct arena        reader_arena, arena;

static int set_up(void **state)
{
	(void)state;
	if (arena_init(&reader_arena, HTML_READER_MAX) != RC_OK || arena_init(&arena, ARENA_BYTES) != RC_OK)
		return 1;
	reader = html_reader_make(&reader_arena);
	return reader == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&reader_arena);
	arena_done(&arena);
	return 0;
}

static enum rc on_text(void *context, const struct html_text *text)
{
	struct taken *taken = context;

	switch (text->place) {
	case HTML_PLACE_SHOWN:
		if ((text->flags & HTML_TEXT_REVERSED) != 0)
			buf_put_str(&taken->shown, "<<");
		buf_put(&taken->shown, text->text);
		return RC_OK;
	case HTML_PLACE_SOME:
		buf_put(&taken->some, text->text);
		taken->some_reasons |= text->some;
		return RC_OK;
	case HTML_PLACE_HIDDEN:
		buf_put(&taken->hidden, text->text);
		taken->hidden_reasons |= text->hidden;
		return RC_OK;
	case HTML_PLACE_TITLE:
	case HTML_PLACE_ALT:
	case HTML_PLACE_LABEL:
		buf_put_str(&taken->labels, text->place == HTML_PLACE_TITLE ? "T:" : text->place == HTML_PLACE_ALT ? "A:" : "L:");
		buf_put(&taken->labels, text->text);
		buf_put_byte(&taken->labels, ';');
		return RC_OK;
	case HTML_PLACES:
		break;
	}
	fail_msg("no such place");
	return RC_OK;
}

static enum rc on_link(void *context, const struct html_link *link)
{
	struct taken *taken = context;

	buf_put_u64(&taken->links, link->role);
	buf_put_byte(&taken->links, ' ');
	buf_put(&taken->links, link->address);
	buf_put_byte(&taken->links, '|');
	buf_put(&taken->links, link->shown);
	buf_put_str(&taken->links, link->seen ? ";" : " unseen;");
	return RC_OK;
}

static enum rc on_script(void *context, enum html_script_place place, struct slice source)
{
	struct taken *taken = context;

	buf_put_u64(&taken->scripts, place);
	buf_put_byte(&taken->scripts, ' ');
	buf_put(&taken->scripts, source);
	buf_put_byte(&taken->scripts, ';');
	return RC_OK;
}

static enum rc on_form(void *context, const struct html_form *form)
{
	struct taken *taken = context;

	buf_put(&taken->forms, form->action);
	buf_put_byte(&taken->forms, ' ');
	buf_put_u64(&taken->forms, form->inputs);
	buf_put_byte(&taken->forms, ';');
	return RC_OK;
}

static enum rc on_embedded(void *context, const struct html_embedded *embedded)
{
	struct taken *taken = context;

	buf_put(&taken->embedded, embedded->media);
	buf_put_byte(&taken->embedded, ' ');
	buf_put(&taken->embedded, embedded->bytes);
	buf_put_byte(&taken->embedded, ';');
	return RC_OK;
}

static enum rc on_picture(void *context, const struct html_cells *cells)
{
	struct taken *taken = context;

	for (unsigned y = 0; y < cells->height; y++) {
		for (unsigned x = 0; x < cells->width; x++)
			buf_put_byte(&taken->pictures, (cells->bits[y * HTML_CELLS_STRIDE + x / 8] & 0x80u >> x % 8) != 0 ? '#' : '.');
		buf_put_byte(&taken->pictures, '\n');
	}
	return RC_OK;
}

static enum rc on_fact(void *context, enum html_fact fact, struct slice evidence)
{
	struct taken *taken = context;

	assert_true(evidence.len <= HTML_EVIDENCE_MAX);
	buf_put_str(&taken->facts, html_fact_name(fact));
	buf_put_byte(&taken->facts, ' ');
	return RC_OK;
}

static void taken_init(struct taken *taken)
{
	struct buf *bufs = &taken->shown;

	for (size_t i = 0; i < 10; i++)
		bufs[i] = buf_make(1u << 20);
	taken->hidden_reasons = taken->some_reasons = 0;
}

static void taken_done(struct taken *taken)
{
	struct buf *bufs = &taken->shown;

	for (size_t i = 0; i < 10; i++)
		buf_done(&bufs[i]);
}

static struct html_summary take_with(struct slice page, bool scripting, uint64_t *steps, struct taken *taken)
{
	const struct html_options options = { .scripting = scripting };
	const struct html_sink    sink = { .context = taken,
		                           .text = on_text,
		                           .link = on_link,
		                           .script = on_script,
		                           .form = on_form,
		                           .embedded = on_embedded,
		                           .picture = on_picture,
		                           .fact = on_fact };
	struct html_summary       summary;

	taken_init(taken);
	arena_reset(&arena);
	assert_int_equal(html_read(reader, page, &options, &arena, &sink, steps, &summary), RC_OK);
	return summary;
}

static struct html_summary take(struct slice page, struct taken *taken)
{
	uint64_t steps = 1u << 26;

	return take_with(page, false, &steps, taken);
}

#define NO  0u
#define R(x) HTML_HIDDEN_BIT(HTML_HIDDEN_##x)

struct text_row {
	const char  *name;
	struct slice page;
	const char  *shown, *some, *hidden;
	uint32_t     reasons; /* of hidden, or where that is empty, of some */
};

#define ROW(name, page, shown, some, hidden, reasons) { name, SLICE_INIT(page), shown, some, hidden, reasons }

static const struct text_row text_rows[] = {
	ROW("plain text", "a <b>b</b>  c\r\n d", "a b c d", "", "", NO),
	ROW("blocks break lines", "<p>a</p><div>b<br>c</div>d", "a\nb\nc\nd", "", "", NO),
	ROW("cells are apart", "<table><tr><td>a<td>b<tr><td>c</table>", "a\tb\nc", "", "", NO),
	ROW("blanks count in pre", "<pre>a  b\n c</pre>", "a  b\n c", "", "", NO),
	ROW("references", "a&amp;b&#x41;&nbsp;c", "a&bA\xc2\xa0" "c", "", "", NO),
	ROW("display", "a<i style='display:none'>x</i>b", "ab", "", "x", R(DISPLAY)),
	ROW("display with a comment and an escape", "a<i style='disp\\00006Cay:/*x*/NONE !important'>x</i>b", "ab", "", "x", R(DISPLAY)),
	ROW("the last declaration counts", "<i style='display:none;display:inline'>x</i>", "x", "", "", NO),
	ROW("an important one counts more", "<i style='display:none!important;display:inline'>x</i>", "", "", "x", R(DISPLAY)),
	ROW("nobody undoes display", "<div style='display:none'><i style='display:block'>x</i></div>", "", "", "x", R(DISPLAY)),
	ROW("visibility", "<div style='visibility:hidden'>x<i style='visibility:visible'>y</i></div>", "y", "", "x", R(VISIBILITY)),
	ROW("opacity", "<i style='opacity:0'>x</i><i style='opacity:.9'>y</i>", "y", "", "x", R(OPACITY)),
	ROW("opacity adds up", "<i style='opacity:.2'><i style='opacity:20%'>x</i></i>", "", "", "x", R(OPACITY)),
	ROW("the filter of old", "<i style='filter:alpha(opacity=0)'>x</i>", "", "", "x", R(OPACITY)),
	ROW("font of 0", "<i style='font-size:0'>x<b style='font-size:12px'>y</b></i>", "y", "", "x", R(FONT)),
	ROW("font of 1 point", "<i style='font-size:1pt'>x</i>", "", "", "x", R(FONT)),
	ROW("font of 3.99 pixels", "<i style='font-size:3.99px'>x</i>", "", "", "x", R(FONT)),
	ROW("font of 4 pixels", "<i style='font-size:4px'>x</i>", "x", "", "", NO),
	ROW("font in em of em", "<i style='font-size:.4em'><i style='font-size:.4em'>x</i></i>", "", "", "x", R(FONT)),
	ROW("font shorthand", "<i style='font:0/0 a'>x</i>", "", "", "x", R(FONT)),
	ROW("font shorthand with weight", "<i style='font:italic 400 12px/1.2 a, b'>x</i>", "x", "", "", NO),
	ROW("white on white", "<font color=white>x</font>y", "y", "", "x", R(COLOUR)),
	ROW("nearly white on white", "<font color='#fefefe'>x</font>y", "y", "", "x", R(COLOUR)),
	ROW("20 apart", "<font color='#ebebeb'>x</font>y", "y", "", "x", R(COLOUR)),
	ROW("21 apart", "<font color='#eaeaea'>x</font>y", "xy", "", "", NO),
	ROW("white on black", "<td>no table</td><table bgcolor=black><tr><td><font color=white>x</table>", "no table\nx", "", "", NO),
	ROW("black on black in a cell", "<table><tr><td bgcolor='#000'>x<td>y</table>", "y", "", "x", R(COLOUR)),
	ROW("clear colour", "<i style='color:rgba(0,0,0,.01)'>x</i>", "", "", "x", R(COLOUR)),
	ROW("hsl", "<i style='color:hsl(0,0%,100%)'>x</i>", "", "", "x", R(COLOUR)),
	ROW("white on a picture", "<body background=a.png><font color=white>x", "", "x", "", R(COLOUR)),
	ROW("no height and what is over is cut", "<div style='max-height:0;overflow:hidden'>x</div>", "", "", "x", R(SIZE)),
	ROW("no height and nothing is cut", "<div style='max-height:0'>x</div>", "x", "", "", NO),
	ROW("off the left edge", "<div style='position:absolute;left:-9999px'>x</div>", "", "", "x", R(OFFSCREEN)),
	ROW("static: left means nothing", "<div style='left:-9999px'>x</div>", "x", "", "", NO),
	ROW("off by a margin", "<div style='margin:0 0 0 -999em'>x</div>", "", "", "x", R(OFFSCREEN)),
	ROW("text-indent", "<div style='text-indent:-9999px'>x</div>", "", "", "x", R(INDENT)),
	ROW("clip", "<div style='position:absolute;clip:rect(0 0 0 0)'>x</div>", "", "", "x", R(CLIP)),
	ROW("clip-path", "<div style='clip-path:inset(50%)'>x</div>", "", "", "x", R(CLIP)),
	ROW("scale", "<div style='transform:scale(0)'>x</div>", "", "", "x", R(SCALE)),
	ROW("line-height 0", "<div style='line-height:0'>x</div>", "", "x", "", R(LINE)),
	ROW("mso-hide", "<div style='mso-hide:all'>x</div>", "", "x", "", R(MSO)),
	ROW("the hidden attribute", "<div hidden>x</div>", "", "", "x", R(DISPLAY)),
	ROW("hidden, but shown by a style", "<div hidden style='display:block'>x</div>", "x", "", "", NO),
	ROW("template", "<template>x</template>y", "y", "", "x", R(INERT)),
	ROW("noscript", "<noscript>x</noscript>", "x", "", "", NO),
	ROW("closed details", "<details><p>x</details><details open>y</details>", "y", "x", "", R(CLOSED)),
	ROW("a comment", "a<!-- x -->b", "ab", "", "x", R(COMMENT)),
	ROW("a conditional comment", "a<!--[if mso]><p>x</p><![endif]-->b", "ab", "x", "", R(CONDITIONAL)),
	ROW("a conditional comment on lines of its own", "a<!--\r\n [if mso]>\r\nx\r\n<![endif]\r\n-->b", "ab", "x", "", R(CONDITIONAL)),
	ROW("a conditional comment without its end", "a<!--[if mso]>x y-->b", "ab", "x y", "", R(CONDITIONAL)),
	ROW("what all but Outlook show", "<!--[if !mso]><!-->x<!--<![endif]-->", "x", "", "<![endif]", R(COMMENT)),
	ROW("downlevel revealed", "<![if !mso]>x<![endif]>", "x", "", "", NO),
	ROW("a sheet", "<style>.h{display:none}</style><p class='a h'>x<p>y", "y", "", "x", R(DISPLAY)),
	ROW("a sheet behind", "<p class=h>x</p>y<style>.h{display:none}</style>", "y", "", "x", R(DISPLAY)),
	ROW("a sheet in a comment of HTML", "<style><!-- .h{display:none} --></style><p class=h>x", "", "", "x", R(DISPLAY)),
	ROW("a sheet in a comment counts not", "<!--<style>.h{display:none}</style>--><p class=h>x", "x", "", "<style>.h{display:none}</style>", R(COMMENT)),
	ROW("by id, in a list", "<style>h1,#q{font-size:0}</style><p id=q>x<p>y", "y", "", "x", R(FONT)),
	ROW("descendants", "<style>.a b{display:none}</style><p class=a><i><b>x</b></i></p><b>y</b>", "y", "", "x", R(DISPLAY)),
	ROW("children", "<style>.a>b{display:none}</style><p class=a><i><b>x</b></i><b>y</b>", "x", "", "y", R(DISPLAY)),
	ROW("specificity", "<style>#a{display:block}.b{display:none}</style><p id=a class=b>x", "x", "", "", NO),
	ROW("order", "<style>.b{display:none}.a{display:block}</style><p class='a b'>x", "x", "", "", NO),
	ROW("important in a sheet beats style", "<style>p{display:none!important}</style><p style='display:block'>x", "", "", "x", R(DISPLAY)),
	ROW("classes without case", "<style>.HID{display:none}</style><p class=hid>x", "", "", "x", R(DISPLAY)),
	ROW("print", "<style>@media print{p{display:none}}</style><p>x", "x", "", "", NO),
	ROW("screen", "<style>@media screen{p{display:none}}</style><p>x", "", "", "x", R(DISPLAY)),
	ROW("narrow screens hide it", "<style>@media (max-width:600px){p{display:none}}</style><p>x", "", "x", "", R(MEDIUM)),
	ROW("narrow screens show it", "<style>p{display:none}@media (max-width:600px){p{display:block!important}}</style><p>x", "", "x", "",
	    R(MEDIUM)),
	ROW("a font that a block cut short goes on", "<div><font color=white>x</div>z", "", "", "x\nz", R(COLOUR)),
	ROW("a block in a font that ends", "<font color=white><div></font>y</div>", "y", "", "", NO),
	ROW("text in a table, but in no cell", "<table style='display:none'>y<tr><td>x</table>", "y", "", "x", R(DISPLAY)),
	ROW("void elements hold nothing", "<img style='display:none'>x<br hidden>y", "xy", "", "", NO),
	ROW("a paragraph ends a paragraph", "<p style='display:none'>x<p>y", "y", "", "x", R(DISPLAY)),
	ROW("a cell ends a cell", "<table><tr><td style='display:none'>x<td>y</table>", "y", "", "x", R(DISPLAY)),
	ROW("an end tag that is for nothing", "<div style='display:none'></span></p>x</div>y", "y", "", "x", R(DISPLAY)),
	ROW("from right to left", "a<bdo dir=rtl>x</bdo>b", "a<<xb", "", "", NO),
	ROW("textarea", "<textarea><b>x</textarea>", "<b>x", "", "", NO),
	ROW("svg title and text", "<svg><text>x</text><style>p{display:none}</style></svg>", "x", "", "p{display:none}", R(INERT)),
};

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof text_rows / sizeof text_rows[0]; i++) {
		const struct text_row *row = &text_rows[i];
		struct taken           taken;
		(void)take(row->page, &taken);
		const uint32_t reasons = taken.hidden.len != 0 ? taken.hidden_reasons : taken.some_reasons;
		if (!slice_eq(buf_slice(&taken.shown), slice_str(row->shown)) || !slice_eq(buf_slice(&taken.some), slice_str(row->some)) ||
		    !slice_eq(buf_slice(&taken.hidden), slice_str(row->hidden)) || reasons != row->reasons)
			fail_msg("%s: \"%.*s\", some \"%.*s\", hidden \"%.*s\", reasons %x", row->name, (int)taken.shown.len,
			         (const char *)taken.shown.ptr, (int)taken.some.len, (const char *)taken.some.ptr, (int)taken.hidden.len,
			         (const char *)taken.hidden.ptr, reasons);
		taken_done(&taken);
		for (size_t cut = 0; cut < row->page.len; cut++) {
			(void)take(slice_take(row->page, cut), &taken);
			taken_done(&taken);
		}
	}
}

struct part_row {
	const char  *name;
	struct slice page;
	const char  *links, *facts;
};

#define PART(name, page, links, facts) { name, SLICE_INIT(page), links, facts }

static const struct part_row part_rows[] = {
	PART("a link", "<a href=' http://x/?a&amp;b '>t <b>u</b></a>", "0  http://x/?a&b |t u;", ""),
	PART("a link whose text is hidden", "<a href=x><i hidden>t</i></a>", "0 x| unseen;", ""),
	PART("a link of a picture", "<a href=x><img src=y alt=z></a>", "2 y|;0 x|;", ""),
	PART("a link ends a link", "<a href=x>t<a href=y>u</a>", "0 x|t;0 y|u;", ""),
	PART("a block cuts a link", "<div><a href=x>t</div>u</a>v", "0 x|t u;", ""),
	PART("base", "<base href='http://b/'><a href=x>t</a>", "7 http://b/|;0 x|t;", "html.base "),
	PART("refresh", "<meta http-equiv=Refresh content='0; URL=\"http://x/\"'>", "6 http://x/|;", "html.refresh "),
	PART("refresh without url=", "<meta http-equiv=refresh content='5;http://x/'>", "6 http://x/|;", "html.refresh "),
	PART("a remote picture", "<img src='https://x/'>", "2 https://x/|;", "html.picture_remote "),
	PART("a pixel", "<img src='https://x/' width=1 height=1>", "2 https://x/|;", "html.picture_remote html.pixel "),
	PART("srcset", "<img srcset='a 1x, b,c 2x'>", "2 a|;2 b,c|;", ""),
	PART("url() in style", "<p style=\"background:url('http://x/')\">", "2 http://x/| unseen;", "html.style_remote "),
	PART("url() in a sheet", "<style>p{background:url(http://x/)}@import 'y';</style>", "2 http://x/| unseen;2 y| unseen;",
	     "html.style_remote "),
	PART("a script", "<script>a</script>", "", "html.script "),
	PART("a script from elsewhere", "<script src=//x/></script>", "4 //x/| unseen;", "html.script_remote "),
	PART("a handler", "<img src=x onerror=alert(1)>", "2 x|;", "html.handler "),
	PART("a script's address", "<a href='java\tscript:x()'>t</a>", "0 java\tscript:x()|t;", "html.script_url "),
	PART("with controls in front", "<a href='\1 javascript:x()'>t</a>", "0 \1 javascript:x()|t;", "html.script_url "),
	PART("svg animates an address", "<svg><a><set attributeName=href to='javascript:x'></a></svg>", "0 javascript:x|;",
	     "html.svg html.script_url "),
	PART("a frame", "<iframe src=x></iframe>", "5 x|;", "html.frame "),
	PART("srcdoc", "<iframe srcdoc='<a href=x>t</a>'></iframe>", "0 x|t;", "html.frame_text html.frame "),
	PART("data: is read too", "<iframe src='data:text/html,<a href=x>t</a>'></iframe>", "5 data:text/html,<a href=x>t</a>|;0 x|t;",
	     "html.data_url html.frame "),
	PART("data: in base64", "<a href='data:text/html;base64,PHNjcmlwdD54PC9zY3JpcHQ+'>t</a>",
	     "0 data:text/html;base64,PHNjcmlwdD54PC9zY3JpcHQ+|t;", "html.data_url html.script "),
	PART("a form", "<form action=x><input type=password></form>", "1 x|;", "html.form html.form_password "),
	PART("smuggling", "<script>var b=new Blob([Uint8Array.from(atob(x))]);a.href=URL.createObjectURL(b);a['download']='x.zip'</script>", "",
	     "html.script html.smuggling html.script_decodes html.script_blob "),
	PART("eval", "<script>eval(unescape('%41'))</script>", "", "html.script html.script_decodes html.script_evaluates "),
	PART("markup in a value", "<p title='</p><img src=x onerror=y>'>", "2 x| unseen;", "html.markup_in_value html.handler "),
	PART("an unclosed tag", "<a href='x", "0 x| unseen;", "html.unclosed "),
	PART("an attribute twice", "<a href=x href=y>t</a>", "0 x|t;", "html.duplicate "),
	PART("vml", "<!--[if mso]><v:roundrect href='http://x/'>t</v:roundrect><![endif]-->", "0 http://x/|t;", "html.conditional "),
	PART("a style's script", "<p style='width:expression(x())'>", "", "html.style_script "),
	PART("Outlook's own behaviour", "<style>v\\:*{behavior:url(#default#VML)}</style>", "2 #default#VML| unseen;", ""),
};

static void test_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof part_rows / sizeof part_rows[0]; i++) {
		const struct part_row *row = &part_rows[i];
		struct taken           taken;
		(void)take(row->page, &taken);
		if (!slice_eq(buf_slice(&taken.links), slice_str(row->links)) || !slice_eq(buf_slice(&taken.facts), slice_str(row->facts)))
			fail_msg("%s: links \"%.*s\", facts \"%.*s\"", row->name, (int)taken.links.len, (const char *)taken.links.ptr,
			         (int)taken.facts.len, (const char *)taken.facts.ptr);
		taken_done(&taken);
		for (size_t cut = 0; cut < row->page.len; cut++) {
			(void)take(slice_take(row->page, cut), &taken);
			taken_done(&taken);
		}
	}
}

static void test_labels(void **state)
{
	struct taken taken;

	(void)state;
	(void)take(SLICE("<title>a b</title><img alt=' c ' title=d><input placeholder=e value=f><input type=hidden value=g>"), &taken);
	assert_true(slice_eq(buf_slice(&taken.labels), SLICE("T:a b;L:d;A:c;L:e;L:f;")));
	taken_done(&taken);
}

static void test_scripting(void **state)
{
	struct taken taken;
	uint64_t     steps = 1u << 20;

	(void)state;
	(void)take_with(SLICE("a<noscript>x</noscript>"), true, &steps, &taken);
	assert_true(slice_eq(buf_slice(&taken.shown), SLICE("a")));
	assert_true(slice_eq(buf_slice(&taken.some), SLICE("x")));
	assert_int_equal(taken.some_reasons, R(FALLBACK));
	taken_done(&taken);
}

/* A table of `side` times `side` cells, dark where x * y is even. */
static void put_table(struct buf *page, unsigned side)
{
	buf_put_str(page, "<table><tr><td><table>");
	for (unsigned y = 0; y < side; y++) {
		buf_put_str(page, "<tr>");
		for (unsigned x = 0; x < side; x++)
			buf_put_str(page, x * y % 2 == 0 ? "<td bgcolor=#000000>&nbsp;</td>" : "<td bgcolor=white></td>");
	}
	buf_put_str(page, "</table></table>");
}

static void test_cells(void **state)
{
	(void)state;
	for (unsigned side = HTML_CELLS_MIN - 1; side <= HTML_CELLS_MIN + 1; side++) {
		struct buf   page = buf_make(1u << 20);
		struct taken taken;
		put_table(&page, side);
		(void)take(buf_slice(&page), &taken);
		assert_int_equal(taken.pictures.len, side < HTML_CELLS_MIN ? 0 : side * (side + 1));
		for (unsigned at = 0; at < taken.pictures.len; at++) {
			const unsigned x = at % (side + 1), y = at / (side + 1);
			assert_int_equal(taken.pictures.ptr[at], x == side ? '\n' : x * y % 2 == 0 ? '#' : '.');
		}
		taken_done(&taken);
		buf_done(&page);
	}
}

static void test_blocks(void **state)
{
	struct buf   page = buf_make(1u << 20);
	struct taken taken;

	(void)state;
	buf_put_str(&page, "<p>Scan:</p><pre>");
	for (unsigned y = 0; y < 6; y++) {
		for (unsigned x = 0; x < 12; x++)
			buf_put_str(&page, x % 3 == 0 ? "\xe2\x96\x88" : x % 3 == 1 ? "\xe2\x96\x80" : " ");
		buf_put_str(&page, "\n");
	}
	buf_put_str(&page, "</pre>");
	(void)take(buf_slice(&page), &taken);
	assert_int_equal(taken.pictures.len, 12 * 13);
	taken_done(&taken);
	buf_done(&page);
}

/* Each bound: what is below it is read, what is above is told. */
static void test_steps(void **state)
{
	const struct slice page = SLICE("<p>one</p><p>two</p>");
	struct taken       taken;
	uint64_t           needed = 1u << 20;

	(void)state;
	(void)take_with(page, false, &needed, &taken);
	taken_done(&taken);
	needed = (1u << 20) - needed;
	for (uint64_t have = 0; have <= needed + 1; have++) {
		uint64_t                  steps = have;
		const struct html_summary summary = take_with(page, false, &steps, &taken);
		assert_int_equal(summary.cut, have < needed);
		assert_int_equal(slice_eq(buf_slice(&taken.facts), SLICE("html.cut ")), have < needed);
		taken_done(&taken);
	}
}

static void test_inner_limit(void **state)
{
	(void)state;
	for (unsigned count = HTML_INNER_MAX - 1; count <= HTML_INNER_MAX + 1; count++) {
		struct buf   page = buf_make(1u << 16);
		struct taken taken;
		for (unsigned i = 0; i < count; i++)
			buf_put_str(&page, "<!--[if mso]><b>x</b><![endif]-->");
		assert_int_equal(take(buf_slice(&page), &taken).cut, count > HTML_INNER_MAX);
		taken_done(&taken);
		buf_done(&page);
	}
}

static void test_inner_depth(void **state)
{
	struct taken taken;

	(void)state;
	/* srcdoc in srcdoc: each level's quotes are references of the level around it. */
	assert_false(take(SLICE("<iframe srcdoc=\"<iframe srcdoc='<iframe srcdoc=x></iframe>'></iframe>\"></iframe>"), &taken).cut);
	taken_done(&taken);
	assert_true(take(SLICE("<iframe srcdoc=\"<iframe srcdoc='<iframe srcdoc=&amp;amp;lt;iframe&amp;amp;#32;srcdoc=x&amp;amp;gt;></iframe>'>"
	                       "</iframe>\"></iframe>"), &taken).cut);
	taken_done(&taken);
}

/* Whatever is deep or long costs its length: the steps are a count of that. */
static void repeat(const char *unit, size_t bytes, struct buf *out)
{
	while (out->len < bytes)
		buf_put_str(out, unit);
}

static void test_hostile(void **state)
{
	static const char *const units[] = { "<table><tr><td>", "<b>", "<a href=x>", "<font><div>", "</p>", "<i><p>", "<p><b><table>",
		                             "<svg><a>", "<!--", "<![CDATA[", "&", "<style>", "<style>a{", "<div style='a:", "<", "</",
		                             "<select><option>", "<b><div></b>", "<x a=b a=b a=b>", "<td><b></td>", "<ul><li>", "</>",
		                             "<title>", "<p style=\"x:((((\">", "<math><mi><svg>", "<form><input>", "<noscript>", "\r" };

	(void)state;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		struct buf   page = buf_make(400000);
		struct taken taken;
		uint64_t     steps = 1u << 24;
		repeat(units[i], 300000, &page);
		(void)take_with(buf_slice(&page), i % 2 == 0, &steps, &taken);
		taken_done(&taken);
		buf_done(&page);
	}
}

/* Memory that is full is told, not refused: every size of the arena. */
static void test_memory(void **state)
{
	const struct slice        page = SLICE("<style>.a,.b{display:none}</style><iframe srcdoc='<p>x'></iframe><a href='data:text/html,x'>y"
	                                       "</a><p class=a>z<base href=q><p title='<script>'><a href='x");
	const struct html_options options = { .scripting = false };
	const struct html_sink    sink = { .context = NULL };
	static uint8_t            memory[4096];
	struct html_summary       summary;

	(void)state;
	for (size_t size = 0; size <= sizeof memory; size += 8) {
		struct arena small = arena_on(memory, size);
		uint64_t     steps = 1u << 20;
		assert_int_equal(html_read(reader, page, &options, &small, &sink, &steps, &summary), RC_OK);
		assert_int_equal(summary.cut, size < small.used || summary.cut);
	}
	assert_false(summary.cut);
}

static enum rc refuse(void *context, const struct html_text *text)
{
	(void)context;
	(void)text;
	return RC_LIMIT;
}

static void test_refused(void **state)
{
	const struct html_options options = { .scripting = false };
	const struct html_sink    sink = { .context = NULL, .text = refuse };
	struct html_summary       summary;
	uint64_t                  steps = 1000;

	(void)state;
	arena_reset(&arena);
	assert_int_equal(html_read(reader, SLICE("<p>a<p>b"), &options, &arena, &sink, &steps, &summary), RC_LIMIT);
}

static void test_names(void **state)
{
	(void)state;
	for (int fact = 0; fact < HTML_FACTS; fact++) {
		assert_true(slice_starts(slice_str(html_fact_name((enum html_fact)fact)), SLICE("html.")));
		assert_true(slice_ends(slice_str(html_fact_meaning((enum html_fact)fact)), SLICE(".")));
	}
	for (int reason = 0; reason < HTML_HIDDENS; reason++)
		assert_true(html_hidden_word((enum html_hidden)reason)[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),        cmocka_unit_test(test_parts),       cmocka_unit_test(test_labels),
		cmocka_unit_test(test_scripting),   cmocka_unit_test(test_cells),       cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_steps),       cmocka_unit_test(test_inner_limit), cmocka_unit_test(test_inner_depth),
		cmocka_unit_test(test_hostile),     cmocka_unit_test(test_memory),      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
