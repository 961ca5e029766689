/*
 * A message as a tree of parts (RFC 2045, 2046, 5322): one walk over the lines, with an explicit stack of open parts.
 * message_read() gives the primary reading, the one most readers take; where readers differ, an oddity says so, and
 * message_read_as() reads by the rules of the others. mail/reading.h says which of them are worth it for a message.
 *
 * Multiparts and message/rfc822 are opened as far as their bytes stand in the message itself; what is encoded stays a
 * leaf, which reading_open() of mail/reading.h opens.
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "mail/header.h"
#include "mail/mime.h"
#include "mail/transfer.h"

#define MESSAGE_DEPTH_MAX 100u   /* of nesting; limits.depth is at most this */
#define MESSAGE_PARTS_MAX 10000u /* limits.parts is at most this */
#define MESSAGE_NO_PART   0xffffu

enum part_kind {
	PART_LEAF,
	PART_MULTIPART,
	PART_MESSAGE, /* its only child is the message inside */
};

struct message_part {
	enum part_kind         kind;
	uint16_t               index;
	uint16_t               parent; /* MESSAGE_NO_PART for part 0, the message itself */
	uint16_t               depth;  /* 0 for part 0 */
	struct header_section  header;
	struct mime_field      type;        /* word is empty when there is no Content-Type */
	struct mime_field      disposition; /* word is empty when there is no Content-Disposition */
	enum transfer_encoding encoding;
	struct slice           body; /* in the message; for a multipart from its preamble to its epilogue */
	uint32_t               body_offset;
	struct slice           boundary;      /* of a multipart: as it was used */
	uint32_t               preamble_size; /* of a multipart: bytes of its body before its first delimiter */
	/* of a multipart: in the message, behind its final delimiter; 0: it has none */
	uint32_t epilogue_offset;
	/* of a leaf: in the message, a line that may begin a file in text (mail/body.h); 0: there is none */
	uint32_t file_offset;
};

/* Rules in which a reader may differ from the primary reading. */
#define MESSAGE_LAST_FIELD     1u   /* of several fields of one name the last counts, and of several values, too */
#define MESSAGE_OTHER_BOUNDARY 2u   /* of several readings of a boundary that fit, the second counts */
#define MESSAGE_LOOSE          4u   /* a line that begins with a delimiter is one, whatever stands behind it */
#define MESSAGE_OUTER_FIRST    8u   /* a line is held against the outer boundaries first */
#define MESSAGE_ENDED          16u  /* behind a final delimiter nothing is a part any more */
#define MESSAGE_HEADER_SHORT   32u  /* a line that is blank or no field ends the header */
#define MESSAGE_HEADER_LONG    64u  /* an empty line does not end the header when a Content-* field follows */
#define MESSAGE_BY_SHAPE       128u /* "--x" with a Content-* field behind it delimits, whatever the header says */
#define MESSAGE_INNER_ONLY     256u /* only the boundary of the innermost multipart counts, whatever stands behind it */
#define MESSAGE_RULES_ALL      511u

struct message_limits {
	struct header_limits header;
	uint32_t             parts;
	uint32_t             depth;
	uint32_t             parameters;
	uint64_t             steps; /* about one a byte looked at */
};

struct message {
	struct slice                bytes;
	struct message_part *const *parts;    /* in the order they begin; [0] is the message itself */
	size_t                      count;    /* at least 1 */
	uint32_t                    depth;    /* of the deepest part */
	uint32_t                    line_max; /* longest line of what was walked, without its line end */
	uint64_t                    steps;
	uint64_t                    oddities; /* bit 1 << kind for each that was noted */
	bool                        shape;    /* a leaf holds what looks like a delimiter, or like a part's header */
};
_Static_assert(ODDITY_KINDS <= 64, "a bit for each kind");

/*
 * Read `bytes` (at most 1 GiB). Everything borrows from `bytes` or lies in `arena`.
 *
 * RC_NOMEM: the arena cannot hold even the first header. When it fills up later, or a limit is met, what was read so
 * far is the result and an oddity says which limit it was. No bytes make it fail otherwise.
 */
MUST_CHECK enum rc message_read(struct slice bytes, const struct message_limits *limits, const struct oddity_sink *sink,
                                struct arena *arena, struct message *out);

/* The same by other rules, MESSAGE_x. */
MUST_CHECK enum rc message_read_as(struct slice bytes, uint32_t rules, const struct message_limits *limits,
                                   const struct oddity_sink *sink, struct arena *arena, struct message *out);

#endif
