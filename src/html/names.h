/*
 * The element and attribute names this room knows, as numbers. Others are HTML_ELEMENT_OTHER and HTML_ATTRIBUTE_OTHER
 * and keep their text. The tables below are read by tables.py too, which makes name_table.h (the hash slots) of them.
 */
#ifndef HTML_NAMES_H
#define HTML_NAMES_H

#include "base/slice.h"

#define HTML_VOID    1u   /* no content, no end tag (HTML 13.1.2) */
#define HTML_BLOCK   2u   /* stands on lines of its own */
#define HTML_SPECIAL 4u   /* "special" of HTML 13.2.4.2: an end tag does not reach through it */
#define HTML_FORMAT  8u   /* a formatting element: opened again where a block cut it short (HTML 13.2.4.3) */
#define HTML_CLOSE_P 16u  /* its start ends an open p */
#define HTML_SCOPE   32u  /* an end tag for what lies outside does not count inside it (HTML 13.2.4.2) */
#define HTML_BREAKS  64u  /* its start leaves SVG and MathML (HTML 13.2.6.5) */

/* clang-format off: tables */
#define HTML_ELEMENT_TABLE(X) \
	X(A, "a", HTML_FORMAT) X(ABBR, "abbr", 0) X(ADDRESS, "address", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(APPLET, "applet", HTML_SPECIAL | HTML_SCOPE) X(AREA, "area", HTML_VOID | HTML_SPECIAL) \
	X(ARTICLE, "article", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(ASIDE, "aside", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(AUDIO, "audio", 0) X(B, "b", HTML_FORMAT | HTML_BREAKS) X(BASE, "base", HTML_VOID | HTML_SPECIAL) \
	X(BASEFONT, "basefont", HTML_VOID | HTML_SPECIAL) X(BDI, "bdi", 0) X(BDO, "bdo", 0) \
	X(BGSOUND, "bgsound", HTML_VOID | HTML_SPECIAL) X(BIG, "big", HTML_FORMAT | HTML_BREAKS) \
	X(BLOCKQUOTE, "blockquote", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(BODY, "body", HTML_BLOCK | HTML_SPECIAL | HTML_BREAKS) X(BR, "br", HTML_VOID | HTML_SPECIAL | HTML_BREAKS) \
	X(BUTTON, "button", HTML_SPECIAL) X(CANVAS, "canvas", 0) X(CAPTION, "caption", HTML_BLOCK | HTML_SPECIAL | HTML_SCOPE) \
	X(CENTER, "center", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(CITE, "cite", 0) \
	X(CODE, "code", HTML_FORMAT | HTML_BREAKS) X(COL, "col", HTML_VOID | HTML_SPECIAL) X(COLGROUP, "colgroup", HTML_SPECIAL) \
	X(DATA, "data", 0) X(DATALIST, "datalist", 0) X(DD, "dd", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(DEL, "del", 0) X(DESC, "desc", HTML_SPECIAL | HTML_SCOPE) X(DETAILS, "details", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(DFN, "dfn", 0) X(DIALOG, "dialog", HTML_BLOCK | HTML_CLOSE_P) X(DIR, "dir", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(DIV, "div", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(DL, "dl", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(DT, "dt", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(EM, "em", HTML_FORMAT | HTML_BREAKS) \
	X(EMBED, "embed", HTML_VOID | HTML_SPECIAL | HTML_BREAKS) X(FIELDSET, "fieldset", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(FIGCAPTION, "figcaption", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(FIGURE, "figure", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(FONT, "font", HTML_FORMAT) \
	X(FOOTER, "footer", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(FOREIGNOBJECT, "foreignobject", HTML_SPECIAL | HTML_SCOPE) \
	X(FORM, "form", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(FRAME, "frame", HTML_VOID | HTML_SPECIAL) \
	X(FRAMESET, "frameset", HTML_BLOCK | HTML_SPECIAL) X(H1, "h1", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(H2, "h2", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(H3, "h3", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(H4, "h4", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(H5, "h5", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(H6, "h6", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(HEAD, "head", HTML_SPECIAL | HTML_BREAKS) \
	X(HEADER, "header", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(HGROUP, "hgroup", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(HR, "hr", HTML_VOID | HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(HTML, "html", HTML_BLOCK | HTML_SPECIAL | HTML_SCOPE) \
	X(I, "i", HTML_FORMAT | HTML_BREAKS) X(IFRAME, "iframe", HTML_SPECIAL) X(IMAGE, "image", 0) \
	X(IMG, "img", HTML_VOID | HTML_SPECIAL | HTML_BREAKS) X(INPUT, "input", HTML_VOID | HTML_SPECIAL) X(INS, "ins", 0) \
	X(ISINDEX, "isindex", HTML_VOID) X(KBD, "kbd", 0) X(KEYGEN, "keygen", HTML_VOID | HTML_SPECIAL) X(LABEL, "label", 0) \
	X(LEGEND, "legend", HTML_BLOCK) X(LI, "li", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(LINK, "link", HTML_VOID | HTML_SPECIAL) X(LISTING, "listing", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(MAIN, "main", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(MAP, "map", 0) X(MARK, "mark", 0) \
	X(MARQUEE, "marquee", HTML_BLOCK | HTML_SPECIAL | HTML_SCOPE) X(MATH, "math", 0) \
	X(MENU, "menu", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(META, "meta", HTML_VOID | HTML_SPECIAL | HTML_BREAKS) \
	X(METER, "meter", 0) X(MI, "mi", HTML_SPECIAL | HTML_SCOPE) X(MO, "mo", HTML_SPECIAL | HTML_SCOPE) \
	X(MN, "mn", HTML_SPECIAL | HTML_SCOPE) X(MS, "ms", HTML_SPECIAL | HTML_SCOPE) X(MTEXT, "mtext", HTML_SPECIAL | HTML_SCOPE) \
	X(ANNOTATION_XML, "annotation-xml", HTML_SPECIAL | HTML_SCOPE) \
	X(NAV, "nav", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(NOBR, "nobr", HTML_FORMAT | HTML_BREAKS) \
	X(NOEMBED, "noembed", HTML_SPECIAL) X(NOFRAMES, "noframes", HTML_SPECIAL) X(NOSCRIPT, "noscript", HTML_SPECIAL) \
	X(OBJECT, "object", HTML_SPECIAL | HTML_SCOPE) X(OL, "ol", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) \
	X(OPTGROUP, "optgroup", HTML_BLOCK) X(OPTION, "option", HTML_BLOCK) X(OUTPUT, "output", 0) \
	X(P, "p", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(PARAM, "param", HTML_VOID | HTML_SPECIAL) \
	X(PICTURE, "picture", 0) X(PLAINTEXT, "plaintext", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(PRE, "pre", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(PROGRESS, "progress", 0) X(Q, "q", 0) X(RB, "rb", 0) \
	X(RP, "rp", 0) X(RT, "rt", 0) X(RTC, "rtc", 0) X(RUBY, "ruby", HTML_BREAKS) X(S, "s", HTML_FORMAT | HTML_BREAKS) X(SAMP, "samp", 0) \
	X(SCRIPT, "script", HTML_SPECIAL) X(SEARCH, "search", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	X(SECTION, "section", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(SELECT, "select", HTML_SPECIAL) X(SLOT, "slot", 0) \
	X(SMALL, "small", HTML_FORMAT | HTML_BREAKS) X(SOURCE, "source", HTML_VOID | HTML_SPECIAL) X(SPAN, "span", HTML_BREAKS) \
	X(STRIKE, "strike", HTML_FORMAT | HTML_BREAKS) X(STRONG, "strong", HTML_FORMAT | HTML_BREAKS) X(STYLE, "style", HTML_SPECIAL) \
	X(SUB, "sub", HTML_BREAKS) X(SUMMARY, "summary", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) X(SUP, "sup", HTML_BREAKS) \
	X(SVG, "svg", 0) X(TABLE, "table", HTML_BLOCK | HTML_SPECIAL | HTML_SCOPE | HTML_BREAKS) \
	X(TBODY, "tbody", HTML_BLOCK | HTML_SPECIAL) X(TD, "td", HTML_BLOCK | HTML_SPECIAL | HTML_SCOPE) \
	X(TEMPLATE, "template", HTML_SPECIAL | HTML_SCOPE) X(TEXTAREA, "textarea", HTML_SPECIAL) X(TFOOT, "tfoot", HTML_BLOCK | HTML_SPECIAL) \
	X(TH, "th", HTML_BLOCK | HTML_SPECIAL | HTML_SCOPE) X(THEAD, "thead", HTML_BLOCK | HTML_SPECIAL) X(TIME, "time", 0) \
	X(TITLE, "title", HTML_SPECIAL) X(TR, "tr", HTML_BLOCK | HTML_SPECIAL) X(TRACK, "track", HTML_VOID | HTML_SPECIAL) \
	X(TT, "tt", HTML_FORMAT | HTML_BREAKS) X(U, "u", HTML_FORMAT | HTML_BREAKS) \
	X(UL, "ul", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P | HTML_BREAKS) X(VAR, "var", HTML_BREAKS) X(VIDEO, "video", 0) \
	X(WBR, "wbr", HTML_VOID | HTML_SPECIAL) X(XMP, "xmp", HTML_BLOCK | HTML_SPECIAL | HTML_CLOSE_P) \
	/* SVG, and the office formats' own */ \
	X(ANIMATE, "animate", 0) X(ANIMATEMOTION, "animatemotion", 0) X(ANIMATETRANSFORM, "animatetransform", 0) X(SET, "set", 0) \
	X(USE, "use", 0) X(TEXT, "text", 0) X(TSPAN, "tspan", 0) X(FEIMAGE, "feimage", 0) X(DEFS, "defs", 0) X(METADATA, "metadata", 0) \
	X(XML, "xml", 0) X(V_RECT, "v:rect", 0) X(V_ROUNDRECT, "v:roundrect", 0) X(V_SHAPE, "v:shape", 0) \
	X(V_IMAGEDATA, "v:imagedata", HTML_VOID) X(V_FILL, "v:fill", HTML_VOID) X(O_P, "o:p", 0)

#define HTML_ATTRIBUTE_TABLE(X) \
	X(ACTION, "action") X(ALIGN, "align") X(ALINK, "alink") X(ALT, "alt") X(ARCHIVE, "archive") X(ARIA_HIDDEN, "aria-hidden") \
	X(ARIA_LABEL, "aria-label") X(ATTRIBUTENAME, "attributename") X(AUTOCOMPLETE, "autocomplete") X(BACKGROUND, "background") \
	X(BGCOLOR, "bgcolor") X(BORDER, "border") X(BY, "by") X(CELLPADDING, "cellpadding") X(CELLSPACING, "cellspacing") \
	X(CHARSET, "charset") X(CITE, "cite") X(CLASS, "class") X(CLASSID, "classid") X(CODE, "code") X(CODEBASE, "codebase") \
	X(COLOR, "color") X(COLS, "cols") X(COLSPAN, "colspan") X(CONTENT, "content") X(DATA, "data") X(DATETIME, "datetime") X(DIR, "dir") \
	X(DOWNLOAD, "download") X(DYNSRC, "dynsrc") X(ENCTYPE, "enctype") X(FACE, "face") X(FILL, "fill") X(FORMACTION, "formaction") \
	X(FROM, "from") X(HEIGHT, "height") X(HIDDEN, "hidden") X(HREF, "href") X(HSPACE, "hspace") X(HTTP_EQUIV, "http-equiv") \
	X(ICON, "icon") X(ID, "id") X(IMAGESRCSET, "imagesrcset") X(LABEL, "label") X(LANG, "lang") X(LINK, "link") \
	X(LONGDESC, "longdesc") X(LOWSRC, "lowsrc") X(MANIFEST, "manifest") X(METHOD, "method") X(NAME, "name") X(OPACITY, "opacity") \
	X(OPEN, "open") X(PING, "ping") X(PLACEHOLDER, "placeholder") X(POSTER, "poster") X(PROFILE, "profile") X(REL, "rel") X(ROLE, "role") \
	X(ROWSPAN, "rowspan") X(SANDBOX, "sandbox") X(SIZE, "size") X(SIZES, "sizes") X(SRC, "src") X(SRCDOC, "srcdoc") X(SRCSET, "srcset") \
	X(STYLE, "style") X(SUMMARY, "summary") X(TABINDEX, "tabindex") X(TARGET, "target") X(TEXT, "text") X(TITLE, "title") X(TO, "to") \
	X(TYPE, "type") X(USEMAP, "usemap") X(VALIGN, "valign") X(VALUE, "value") X(VALUES, "values") X(VLINK, "vlink") X(VSPACE, "vspace") \
	X(WIDTH, "width") X(XLINK_HREF, "xlink:href") X(XMLNS, "xmlns")
/* clang-format on */

enum html_element {
	HTML_ELEMENT_OTHER = 0,
#define HTML_ELEMENT_ENUMERATOR(name, text, flags) HTML_ELEMENT_##name,
	HTML_ELEMENT_TABLE(HTML_ELEMENT_ENUMERATOR)
#undef HTML_ELEMENT_ENUMERATOR
	HTML_ELEMENTS
};

enum html_attribute_name {
	HTML_ATTRIBUTE_OTHER = 0,
#define HTML_ATTRIBUTE_ENUMERATOR(name, text) HTML_ATTRIBUTE_##name,
	HTML_ATTRIBUTE_TABLE(HTML_ATTRIBUTE_ENUMERATOR)
#undef HTML_ATTRIBUTE_ENUMERATOR
	HTML_ATTRIBUTES
};

/* The hash of a name in lower case, as tables.py computes it. */
static inline uint32_t html_name_hash(struct slice name)
{
	uint32_t hash = (uint32_t)name.len;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ name.ptr[i]) * 0x01000193u;
	return hash ^ hash >> 15;
}

/* The number of a name in lower case whose hash is `hash`; HTML_x_OTHER when it is none of ours. */
enum html_element        html_element_find(struct slice name, uint32_t hash);
enum html_attribute_name html_attribute_find(struct slice name, uint32_t hash);

/* HTML_VOID ... of an element; 0 for HTML_ELEMENT_OTHER. */
unsigned html_element_flags(enum html_element element);

/* The text of a name; empty for HTML_x_OTHER. */
struct slice html_element_text(enum html_element element);
struct slice html_attribute_text(enum html_attribute_name attribute);

#endif
