/*
 * A header section cut into its fields (RFC 5322 section 2.2, obsolete syntax of section 4, RFC 6532), as common
 * readers cut it: lenient, with each place noted where readers differ. Knows offsets, not meanings: values stay raw
 * until someone asks.
 *
 * Lines end in LF or CRLF; a bare CR ends no line here and is noted. The section ends behind the first empty line.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/arena.h"
#include "mail/oddity.h"

/* Fields that someone in the house asks for. */
enum header_id {
	HEADER_OTHER,
	HEADER_FROM,
	HEADER_SENDER,
	HEADER_REPLY_TO,
	HEADER_TO,
	HEADER_CC,
	HEADER_BCC,
	HEADER_SUBJECT,
	HEADER_DATE,
	HEADER_MESSAGE_ID,
	HEADER_IN_REPLY_TO,
	HEADER_REFERENCES,
	HEADER_RECEIVED,
	HEADER_RETURN_PATH,
	HEADER_MIME_VERSION,
	HEADER_CONTENT_TYPE,
	HEADER_CONTENT_TRANSFER_ENCODING,
	HEADER_CONTENT_DISPOSITION,
	HEADER_CONTENT_ID,
	HEADER_CONTENT_LOCATION,
	HEADER_CONTENT_DESCRIPTION,
	HEADER_AUTHENTICATION_RESULTS,
	HEADER_AUTO_SUBMITTED,
	HEADER_PRECEDENCE,
	HEADER_LIST_ID,
	HEADER_LIST_UNSUBSCRIBE,
	HEADER_DKIM_SIGNATURE,
	HEADER_JOURNAL_REPORT, /* X-MS-Journal-Report */
	HEADER_IDS
};

/* The id of a field name (no white space at its end), in any case. */
enum header_id header_id_of(struct slice name);
/* The name as we write it; "" for HEADER_OTHER. */
const char *header_name(enum header_id id);

#define HEADER_FIELD_FOLDED 1u
#define HEADER_FIELD_ODD    2u /* at least one oddity was noted in it */

struct header_field {
	enum header_id id;
	uint32_t       flags;  /* HEADER_FIELD_x */
	struct slice   name;   /* as written, without white space before the colon */
	struct slice   value;  /* raw: behind the colon, folds included, without the last line end */
	uint32_t       offset; /* of the name, in the message */
	uint32_t       size;   /* of the whole field with its last line end */
};

/* How a section ended. */
enum header_end {
	HEADER_END_EMPTY_LINE,
	HEADER_END_OF_BYTES, /* no empty line: there is no body */
	HEADER_END_STOPPED,  /* at a line for which `stop` said so */
	/* bytes or fields: the rest up to the empty line is skipped when it stands within the limit */
	HEADER_END_LIMIT
};

struct header_section {
	const struct header_field *fields; /* in the arena */
	size_t                     count;
	uint32_t                   offset; /* of the section in the message */
	uint32_t                   size;   /* with the empty line: the body begins at offset + size */
	/* of the first line that is no field, where some readers begin the body; 0: none */
	uint32_t        junk_offset;
	uint32_t        line_max;
	enum header_end end;
};

struct header_limits {
	uint32_t bytes;
	uint32_t fields;
};

/*
 * Asked about each line that begins with "--": does the section end before it (a delimiter of an open multipart)?
 * NULL: never.
 */
struct header_stop {
	bool (*stops)(void *context, struct slice line);
	void *context;
};

/*
 * Read the section that begins at `start` of `message`. Names and values borrow from `message`, the list lies in
 * `arena`. `part` is repeated in each oddity. RC_NOMEM: the arena is full; *out is untouched. No bytes make it fail
 * otherwise.
 */
MUST_CHECK enum rc header_section_read(struct slice message, uint32_t start, const struct header_limits *limits,
                                       const struct header_stop *stop, uint16_t part, const struct oddity_sink *sink,
                                       struct arena *arena, struct header_section *out);

/* The first field with that id, or NULL. */
const struct header_field *header_first(const struct header_section *section, enum header_id id);
/* The next one behind `field`, or NULL. */
const struct header_field *header_next(const struct header_section *section, const struct header_field *field);
/* How many there are. */
size_t header_count(const struct header_section *section, enum header_id id);

/*
 * The value on one line: line ends before white space dropped (RFC 5322 section 2.2.3), white space at both ends
 * trimmed. Borrows when there is nothing to drop, else copies into `arena`. RC_NOMEM.
 */
MUST_CHECK enum rc header_unfold(const struct header_field *field, struct arena *arena, struct slice *out);

#endif
