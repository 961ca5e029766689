/*
 * Office Open XML (docx, xlsx, pptx, xlsb and kin) and OpenDocument: parts of a package, handed in one by one by whoever
 * unpacks it, in any order; and the single XML files that Word and Excel also read. Source: ECMA-376, [MS-XLSB],
 * OASIS OpenDocument 1.3.
 *
 * Binary parts (macro projects, embedded files, pictures) are files of their own for the one who unpacks; only those of
 * binary workbooks are read here. What a relationship fetches from elsewhere, fields, formulas, hidden sheets, texts.
 */
#ifndef DOCUMENT_OOXML_H
#define DOCUMENT_OOXML_H

#include "content/sink.h"

#define OOXML_LINKS_MAX 4096u /* addresses that wait for the text that carries them; further ones are told without */
#define OOXML_TEXT_MAX  (16u << 20) /* bytes of text of one part */

struct ooxml; /* opaque: one package */

/* Both outlive it. RC_NOMEM. Close with ooxml_close(). */
MUST_CHECK enum rc ooxml_open(struct budget *budget, const struct content_sink *sink, struct ooxml **out);

/* Whether a part of that name is read by ooxml_part(), so that nobody else needs to. */
bool ooxml_reads(struct slice name);

/*
 * One part. Parts that ooxml_reads() does not want are passed over. RC_OK also for one that is damaged (a fact);
 * RC_LIMIT, RC_NOMEM, or what the sink returned.
 */
MUST_CHECK enum rc ooxml_part(struct ooxml *package, struct slice name, struct slice bytes);

/* All parts were there: tell the addresses with their texts. */
MUST_CHECK enum rc ooxml_end(struct ooxml *package);

/* NULL inside is legal; clears the caller's pointer. */
void ooxml_close(struct ooxml **package);

/* Whether a single XML file is a document of an office program: Word 2003 and 2007, Excel 2003, OpenDocument. */
bool ooxml_flat_is(struct slice file);

/* Read such a file whole. RC_LIMIT, RC_NOMEM, or what the sink returned. */
MUST_CHECK enum rc ooxml_flat(struct slice file, struct budget *budget, const struct content_sink *sink);

#endif
