/* Looking at each object of a PDF in turn; pdf.c opens the file and calls it. */
#ifndef DOCUMENT_PDF_LOOK_H
#define DOCUMENT_PDF_LOOK_H

#include "content/sink.h"
#include "document/pdf_file.h"

#define PDF_EMBEDDED_MAX 1024u
/* One script, and one name. */
#define PDF_SCRIPT_BYTES_MAX ((size_t)16 << 20)

/* An embedded file's stream, and the name that a file specification gives it. */
struct pdf_embedded {
	int32_t     id;
	struct slice name; /* as in the file, not decoded */
};

struct pdf_look {
	struct pdf_file           *file;
	const struct content_sink *sink;
	bool                       sealed; /* strings and streams are encrypted: only names count */
	bool                       told[CONTENT_FACTS];
	uint8_t                   *seen; /* a bit for each object: its script or file was told */
	struct arena               names; /* of embedded files */
	struct pdf_embedded       *embedded; /* PDF_EMBEDDED_MAX */
	size_t                     embedded_count;
	struct buf                 text; /* for one string at a time */
};

/* Look at everything but the text of pages. As pdf_open(). */
MUST_CHECK enum rc pdf_look_all(struct pdf_file *file, const struct content_sink *sink, bool sealed);

/* A stream with a picture as a member; pdf_picture.c. `dictionary` has /Subtype /Image. */
MUST_CHECK enum rc pdf_picture_tell(struct pdf_file *file, const struct content_sink *sink, const struct pdf_value *dictionary,
                                    struct slice stream);

#endif
