/*
 * What reading HTML can find, besides texts, links, forms, scripts and embedded bytes. One table: enumerator, name,
 * meaning. Each becomes the finding of the same name; facts are added at the end of their group.
 */
#ifndef HTML_FACTS_H
#define HTML_FACTS_H

/* clang-format off: a table */
#define HTML_FACT_TABLE(X)                                                                                          \
	/* what runs */                                                                                             \
	X(SCRIPT, "html.script", "A script stands in the page.")                                                    \
	X(SCRIPT_REMOTE, "html.script_remote", "A script is loaded from elsewhere.")                                \
	X(HANDLER, "html.handler", "An element has a script for an event (onclick, onerror ...).")                  \
	X(SCRIPT_URL, "html.script_url", "An address is a script (javascript:, vbscript:).")                        \
	X(STYLE_SCRIPT, "html.style_script", "A style runs a script (expression(), behavior, -moz-binding).")       \
	/* what makes a file out of the page */                                                                     \
	X(SMUGGLING, "html.smuggling", "A script puts a file together and gives it to be saved.")                   \
	X(SCRIPT_DECODES, "html.script_decodes", "A script decodes text (atob, unescape, fromCharCode).")           \
	X(SCRIPT_EVALUATES, "html.script_evaluates", "A script runs text as a script (eval, Function, document.write).") \
	X(SCRIPT_BLOB, "html.script_blob", "A script makes a file in memory (Blob, File, createObjectURL, msSaveBlob).") \
	X(SCRIPT_LITERAL, "html.script_literal", "A script holds a long encoded text.")                             \
	X(SCRIPT_NAVIGATES, "html.script_navigates", "A script leads to another page.")                             \
	X(SCRIPT_SENDS, "html.script_sends", "A script sends data (XMLHttpRequest, fetch, sendBeacon, WebSocket).") \
	X(DOWNLOAD, "html.download", "A link names the file that it is saved as.")                                  \
	/* where it leads */                                                                                        \
	X(REFRESH, "html.refresh", "The page leads to another one by itself.")                                      \
	X(BASE, "html.base", "The page says what its relative addresses belong to.")                                \
	X(DATA_URL, "html.data_url", "An address contains what it leads to (data:).")                               \
	X(BLOB_URL, "html.blob_url", "An address is of a file in memory (blob:).")                                  \
	X(FORM, "html.form", "There is a form.")                                                                    \
	X(FORM_PASSWORD, "html.form_password", "A form asks for a password.")                                       \
	X(FORM_CARD, "html.form_card", "A form asks for the number of a payment card.")                             \
	X(FORM_FILE, "html.form_file", "A form asks for a file.")                                                   \
	X(FRAME, "html.frame", "The page shows another one inside of it.")                                          \
	X(FRAME_TEXT, "html.frame_text", "A frame's page stands in an attribute (srcdoc).")                         \
	X(OBJECT, "html.object", "The page embeds an object, a plugin or an applet.")                               \
	/* what is fetched */                                                                                       \
	X(PICTURE_REMOTE, "html.picture_remote", "A picture is loaded from elsewhere.")                             \
	X(PIXEL, "html.pixel", "A picture that cannot be seen is loaded from elsewhere.")                           \
	X(STYLE_REMOTE, "html.style_remote", "A style loads something from elsewhere.")                             \
	/* what eyes see otherwise */                                                                               \
	X(SVG, "html.svg", "A drawing stands in the page (SVG).")                                                   \
	X(SVG_FOREIGN, "html.svg_foreign", "A drawing contains HTML (foreignObject).")                              \
	X(CELLS, "html.cells", "A table or block characters draw a picture, such as a QR code.")                    \
	X(DIRECTION, "html.direction", "Text is shown in another order than it is written in.")                     \
	X(CONDITIONAL, "html.conditional", "A comment holds what some versions of one reader show.")                \
	X(MARKUP_IN_VALUE, "html.markup_in_value", "An attribute, a comment or plain text holds tags with scripts, which other readers run.") \
	X(UNCLOSED, "html.unclosed", "The page ends inside a tag; readers differ on whether it counts.")            \
	X(DUPLICATE, "html.duplicate", "A tag has one attribute twice; readers take different ones.")              \
	/* bounds */                                                                                                \
	X(CUT, "html.cut", "The page, its style or its parts are larger than the limits; not all was read.")
/* clang-format on */

enum html_fact {
#define HTML_FACT_ENUMERATOR(name, text, meaning) HTML_FACT_##name,
	HTML_FACT_TABLE(HTML_FACT_ENUMERATOR)
#undef HTML_FACT_ENUMERATOR
	HTML_FACTS
};

/* "html.script"; and one sentence about it. */
const char *html_fact_name(enum html_fact fact);
const char *html_fact_meaning(enum html_fact fact);

#endif
