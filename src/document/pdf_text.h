/*
 * The text of pages: content streams read as far as text goes (ISO 32000-1 section 9.4), with the forms that they draw.
 * Words come in the order in which they are drawn.
 */
#ifndef DOCUMENT_PDF_TEXT_H
#define DOCUMENT_PDF_TEXT_H

#include "content/sink.h"
#include "document/pdf_font.h"

/* Forms in forms. */
#define PDF_FORMS_DEPTH_MAX 8u
/* Forms drawn in one file, each as often as it is drawn. */
#define PDF_FORMS_MAX 4096u
/* Fonts that are kept at one time, and their memory. */
#define PDF_FONTS_MAX         64u
#define PDF_FONTS_ARENA_BYTES ((size_t)8 << 20)
/* Text handed to the sink in one piece. */
#define PDF_TEXT_PIECE 8192u

struct pdf_text {
	struct pdf_file           *file;
	const struct content_sink *sink;
	struct arena               arena; /* of fonts */
	struct pdf_font           *fonts; /* PDF_FONTS_MAX */
	int32_t                    ids[PDF_FONTS_MAX];
	size_t                     count;
	struct buf                 out;
	enum content_place         place; /* of what `out` holds */
	unsigned                   depth; /* of forms */
	unsigned                   forms; /* drawn until now */
};

/* RC_NOMEM. End with pdf_text_done() whatever it returned. */
MUST_CHECK enum rc pdf_text_make(struct pdf_file *file, const struct content_sink *sink, struct pdf_text *out);
void pdf_text_done(struct pdf_text *text);

/*
 * Tell the sink what a page shows: CONTENT_PLACE_BODY, or CONTENT_PLACE_HIDDEN for what is drawn invisibly. RC_LIMIT,
 * RC_NOMEM, or what the sink returned.
 */
MUST_CHECK enum rc pdf_text_page(struct pdf_text *text, const struct pdf_value *page);

#endif
