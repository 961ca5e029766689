/*
 * What an Outlook message is made of, however it is stored: properties of [MS-OXPROPS], each with a number and a type.
 * TNEF and .msg files are two ways to store them; both hand them in here one by one, and this tells the sink.
 */
#ifndef DOCUMENT_OUTLOOK_ITEM_H
#define DOCUMENT_OUTLOOK_ITEM_H

#include "base/buf.h"
#include "content/sink.h"

/* A body and an attachment, at most. */
#define OUTLOOK_BODY_BYTES_MAX ((size_t)32 << 20)

/* Types of [MS-OXCDATA] section 2.11.1, as far as they matter. */
#define OUTLOOK_LONG    0x0003u
#define OUTLOOK_OBJECT  0x000du
#define OUTLOOK_STRING8 0x001eu
#define OUTLOOK_UNICODE 0x001fu
#define OUTLOOK_BINARY  0x0102u

struct outlook_property {
	uint16_t     id;
	uint16_t     type;  /* without the flag of several values */
	uint32_t     named; /* of a property from 0x8000 on: the number of its name, or 0 */
	struct slice value; /* borrowed from the file; a fixed one in its bytes */
};

/* The message itself. Everything is borrowed from the file. */
struct outlook_message {
	struct slice subject, body, html, rtf;
	bool         subject_wide, body_wide, html_wide;
	uint32_t     codepage; /* of 8-bit texts; 0: not said */
};

struct outlook_attachment {
	struct slice name, short_name, display, path, kind, bytes;
	bool         name_wide, short_wide, display_wide, path_wide, kind_wide;
	uint32_t     method;   /* PidTagAttachMethod: 1 by value, 2 to 4 by reference, 5 a message, 6 OLE */
	bool         embedded; /* `bytes` is a whole TNEF stream */
};

/* Take a property of a message or attachment into it. Texts of people and reminders go to the sink at once. */
MUST_CHECK enum rc outlook_message_take(struct outlook_message *message, const struct outlook_property *property,
                                        const struct content_sink *sink);
void outlook_attachment_take(struct outlook_attachment *attachment, const struct outlook_property *property);

/* Tell subject and bodies: HTML and RTF as members "body.html" and "body.rtf", RTF that wraps HTML as HTML. */
MUST_CHECK enum rc outlook_message_tell(const struct outlook_message *message, struct budget *budget,
                                        const struct content_sink *sink);
/* Tell an attachment. One without bytes and name is none. `message` is for its character set. */
MUST_CHECK enum rc outlook_attachment_tell(const struct outlook_attachment *attachment, const struct outlook_message *message,
                                           struct budget *budget, const struct content_sink *sink);

/* A text property as UTF-8: UTF-16 little-endian or 8-bit; without the NUL at its end. */
void outlook_put_text(struct slice text, bool wide, uint32_t codepage, struct buf *out);

#endif
