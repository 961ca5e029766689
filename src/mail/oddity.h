/*
 * Where a message's bytes break their grammar or can be read in more than one way: what the readers of this room note
 * down on their way, bounded. scan/ turns each into a finding of the same name.
 */
#ifndef MAIL_ODDITY_H
#define MAIL_ODDITY_H

#include "base/slice.h"

enum oddity_kind {
	ODDITY_HEADER_NUL,
	ODDITY_HEADER_8BIT,
	ODDITY_HEADER_CONTROL,
	ODDITY_HEADER_BARE_CR,
	ODDITY_HEADER_LINE_LONG,
	ODDITY_HEADER_SPACE_BEFORE_COLON,
	ODDITY_HEADER_NAME_MALFORMED,
	ODDITY_HEADER_NOT_A_FIELD,
	ODDITY_HEADER_MBOX_FROM,
	ODDITY_HEADER_CONTINUATION_FIRST,
	ODDITY_HEADER_BLANK_FOLD,
	ODDITY_HEADER_NO_END,
	ODDITY_TYPE_MALFORMED,
	ODDITY_PARAMETER_MALFORMED,
	ODDITY_PARAMETER_DUPLICATE,
	ODDITY_FIELD_DUPLICATE,
	ODDITY_BOUNDARY_MISSING,
	ODDITY_BOUNDARY_MALFORMED,
	ODDITY_BOUNDARY_UNUSED,
	ODDITY_BOUNDARY_CLASH,
	ODDITY_BOUNDARY_LOOSE,
	ODDITY_END_MISSING,
	ODDITY_PART_HEADER,
	ODDITY_CONTENT_OUTSIDE,
	ODDITY_ENCODING_UNKNOWN,
	ODDITY_ENCODING_COMPOSITE,
	ODDITY_LIMIT_HEADER_BYTES,
	ODDITY_LIMIT_HEADER_FIELDS,
	ODDITY_LIMIT_PARAMETERS,
	ODDITY_LIMIT_PARTS,
	ODDITY_LIMIT_DEPTH,
	ODDITY_LIMIT_STEPS,
	ODDITY_LIMIT_MEMORY,
	ODDITY_ENCODING_RARE,
	ODDITY_KINDS
};

struct oddity {
	enum oddity_kind kind;
	uint16_t         part;
	uint32_t         offset; /* in the message */
	uint32_t         size;
	uint32_t         evidence_offset; /* bytes worth showing, also in the message */
	uint32_t         evidence_size;
	int64_t          value;
};

/*
 * Where oddities go. The caller provides it; `note` may be called any number of times and bounds what it keeps
 * itself.
 */
struct oddity_sink {
	void (*note)(void *context, const struct oddity *oddity);
	void *context;
};

static inline void oddity_note(const struct oddity_sink *sink, const struct oddity *oddity)
{
	if (sink != NULL && sink->note != NULL)
		sink->note(sink->context, oddity);
}

#endif
