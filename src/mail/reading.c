/* A table: which oddity makes which reader differ. */
#include "mail/reading.h"

#define BIT(kind) (UINT64_C(1) << ODDITY_##kind)

#define HEADER_BROKEN                                                                                            \
	(BIT(HEADER_NOT_A_FIELD) | BIT(HEADER_BLANK_FOLD) | BIT(HEADER_SPACE_BEFORE_COLON) | BIT(HEADER_BARE_CR) | \
	 BIT(HEADER_CONTROL) | BIT(HEADER_NUL) | BIT(HEADER_MBOX_FROM) | BIT(HEADER_CONTINUATION_FIRST) |         \
	 BIT(HEADER_NAME_MALFORMED) | BIT(PART_HEADER))
#define BOUNDARY_BROKEN                                                                                       \
	(BIT(BOUNDARY_MISSING) | BIT(BOUNDARY_MALFORMED) | BIT(BOUNDARY_UNUSED) | BIT(BOUNDARY_CLASH) |       \
	 BIT(BOUNDARY_LOOSE) | BIT(CONTENT_OUTSIDE))
#define VALUE_BROKEN \
	(BIT(TYPE_MALFORMED) | BIT(PARAMETER_MALFORMED) | BIT(PARAMETER_DUPLICATE) | BIT(FIELD_DUPLICATE))

/* In the order of worth: a message that asks for more than READINGS_MAX loses the last ones. */
static const struct {
	uint32_t rules;
	uint64_t when;
} table[] = {
	{ MESSAGE_BY_SHAPE, HEADER_BROKEN | BOUNDARY_BROKEN | VALUE_BROKEN | BIT(END_MISSING) | BIT(LIMIT_DEPTH) },
	{ MESSAGE_LAST_FIELD, BIT(FIELD_DUPLICATE) | BIT(PARAMETER_DUPLICATE) | BIT(PARAMETER_MALFORMED) },
	{ MESSAGE_OTHER_BOUNDARY, BIT(FIELD_DUPLICATE) | BIT(PARAMETER_DUPLICATE) | BIT(PARAMETER_MALFORMED) },
	{ MESSAGE_LOOSE, BIT(BOUNDARY_LOOSE) | BIT(END_MISSING) },
	{ MESSAGE_INNER_ONLY, BIT(BOUNDARY_CLASH) | BIT(END_MISSING) },
	{ MESSAGE_OUTER_FIRST, BIT(BOUNDARY_CLASH) },
	{ MESSAGE_ENDED, BIT(CONTENT_OUTSIDE) },
	{ MESSAGE_HEADER_SHORT, BIT(HEADER_NOT_A_FIELD) | BIT(HEADER_BLANK_FOLD) | BIT(HEADER_MBOX_FROM) },
	{ MESSAGE_HEADER_LONG, BIT(PART_HEADER) },
	{ MESSAGE_HEADER_LONG | MESSAGE_LAST_FIELD, BIT(PART_HEADER) },
};

struct readings readings_of(const struct message *primary)
{
	struct readings readings = { .count = 0 };

	for (size_t i = 0; i < sizeof table / sizeof table[0] && readings.count < READINGS_MAX; i++) {
		const bool shape = table[i].rules == MESSAGE_BY_SHAPE && primary->shape;
		if ((primary->oddities & table[i].when) != 0 || shape)
			readings.rules[readings.count++] = table[i].rules;
	}
	readings.doubtful = primary->shape || (primary->oddities & (HEADER_BROKEN | BOUNDARY_BROKEN | VALUE_BROKEN |
	                                                            BIT(ENCODING_UNKNOWN) | BIT(ENCODING_RARE) |
	                                                            BIT(ENCODING_COMPOSITE) |
	                                                            BIT(LIMIT_DEPTH))) != 0;
	return readings;
}

bool reading_is_inside(const struct message_part *part)
{
	return part->kind == PART_LEAF && transfer_is_coded(part->encoding) &&
	       (slice_eq(part->type.word, SLICE("message/rfc822")) ||
	        slice_eq(part->type.word, SLICE("message/global")) ||
	        slice_eq(part->type.word, SLICE("message/news")) ||
	        slice_starts(part->type.word, SLICE("multipart/")));
}

/* The field that names a multipart's boundary, as it stands in the message; empty for a message. */
static struct slice prefix_of(const struct message_part *part)
{
	const struct header_field *field = header_first(&part->header, HEADER_CONTENT_TYPE);

	if (field == NULL || !slice_starts(part->type.word, SLICE("multipart/")))
		return (struct slice){ NULL, 0 };
	return slice_of(field->name.ptr, field->size);
}

enum rc reading_open(const struct message_part *part, const struct message_limits *limits,
                     const struct oddity_sink *sink, struct arena *arena, struct message *out, bool *ret_cut)
{
	const struct slice prefix = prefix_of(part);
	const size_t       most = part->body.len < READING_OPEN_MAX ? part->body.len : READING_OPEN_MAX;
	const size_t       room = prefix.len + 1 + most + TRANSFER_ROOM_MIN;
	uint8_t           *bytes = arena_bytes(arena, room);
	size_t             size = prefix.len;

	if (bytes == NULL)
		return RC_NOMEM;
	if (size != 0) {
		memcpy(bytes, prefix.ptr, size);
		bytes[size++] = '\n';
	}
	struct transfer transfer = transfer_begin(part->encoding, TRANSFER_PADDING_RESTARTS, part->body);
	size_t          made = 1;
	while (made != 0 && room - size >= TRANSFER_ROOM_MIN) {
		made = transfer_read(&transfer, &bytes[size], room - size);
		size += made;
	}
	*ret_cut = made != 0;
	return message_read(slice_of(bytes, size), limits, sink, arena, out);
}
