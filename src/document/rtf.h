/*
 * Rich Text Format, as Word reads it and not as its specification has it: objects whose hexadecimal digits have words,
 * groups and binary data strewn among them, templates that are fetched, fields, pictures, and the text.
 *
 * Linear in the file; groups are counted to any depth and remembered to RTF_DEPTH_MAX.
 */
#ifndef DOCUMENT_RTF_H
#define DOCUMENT_RTF_H

#include "content/sink.h"

#define RTF_DEPTH_MAX  512u        /* deeper groups are read like their parents */
#define RTF_OBJECT_MAX (64u << 20) /* bytes of one object or picture */
#define RTF_TEXT_MAX   (16u << 20)

/* "{\rt" is all that Word wants to see, behind blanks. */
bool rtf_is(struct slice file);

/* RC_SYNTAX: not RTF; nothing was told. RC_LIMIT, RC_NOMEM, or what the sink returned. */
MUST_CHECK enum rc rtf_open(struct slice file, struct budget *budget, const struct content_sink *sink);

#endif
