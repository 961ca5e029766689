/* What the readers of ole_office.c share; nobody else includes this. */
#ifndef DOCUMENT_OLE_INSIDE_H
#define DOCUMENT_OLE_INSIDE_H

#include "base/buf.h"
#include "content/sink.h"
#include "document/ole.h"
#include "document/ole_crypt.h"

#define OLE_TEXT_MAX (16u << 20) /* bytes of text of one document */

struct ole_office {
	const struct ole           *ole;
	const struct ole_passwords *passwords;
	struct budget              *budget;
	struct arena               *arena;
	const struct content_sink  *sink;
};

/* Each reads the document whose main stream is entry `index`; streams beside it are looked up by name. */
MUST_CHECK enum rc ole_word_read(const struct ole_office *o, uint32_t index);
MUST_CHECK enum rc ole_excel_read(const struct ole_office *o, uint32_t index);
MUST_CHECK enum rc ole_powerpoint_read(const struct ole_office *o, uint32_t index);

/* A workbook's records by themselves, as files of Excel 2 to 4 are. */
MUST_CHECK enum rc ole_excel_records(const struct ole_office *o, struct slice records);

/* A copy of stream `index` that may be changed. */
MUST_CHECK enum rc ole_office_copy(const struct ole_office *o, uint32_t index, uint8_t **out, size_t *size);

/* Try the passwords and tell what came of it; *open: the key is known. */
MUST_CHECK enum rc ole_office_unlock(const struct ole_office *o, struct ole_crypt *crypt, bool *open);

static inline enum rc ole_office_fact(const struct ole_office *o, enum content_fact fact, struct slice evidence)
{
	return sink_fact(o->sink, fact, evidence);
}

#endif
