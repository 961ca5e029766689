/*
 * What mail/message.c (the walk, and what a part's header says) and mail/boundary.c (what delimits parts) share. For
 * these two alone.
 */
#ifndef MAIL_MESSAGE_INNER_H
#define MAIL_MESSAGE_INNER_H

#include "mail/message.h"

#define BOUNDARY_USED_MAX MIME_READING_PLAIN_MAX
/* a preamble longer than this is not searched for a boundary that readers differ on */
#define LOOKAHEAD_MAX     16384u

/* A part whose end has not come yet. Multiparts have a boundary to wait for. */
struct open_part {
	struct message_part *part;
	bool                 waits;  /* for its boundary */
	bool                 seen;   /* a delimiter came */
	bool                 closed; /* the final delimiter came */
	bool                 loose;  /* no exact delimiter stands near, so a loose one counts */
	bool                 outside_noted;
	bool                 loose_noted;
};

struct reader {
	struct slice                 bytes;
	const struct message_limits *limits;
	uint32_t                     rules; /* MESSAGE_x */
	const struct oddity_sink    *sink;  /* the caller's */
	struct oddity_sink           ears;  /* remembers the kind, and passes it on */
	uint64_t                     oddities;
	struct arena                *arena;
	struct message_part        **parts;
	size_t                       count;
	struct open_part             stack[2 * MESSAGE_DEPTH_MAX + 2];
	size_t                       depth; /* used places of the stack */
	uint32_t                     deepest;
	uint32_t                     line_max;
	uint64_t                     steps;
	struct slice                 shape;   /* MESSAGE_BY_SHAPE: what delimits so far, without its "--" */
	bool                         shape_seen; /* message.shape */
	bool                         stopped; /* by a limit: no more parts */
};

/* What was found, at a place of the message, a field, or a limit that was met. */
void reader_note(const struct reader *reader, enum oddity_kind kind, const struct message_part *part, uint32_t offset,
                 size_t size, int64_t value);
void reader_note_field(const struct reader *reader, enum oddity_kind kind, const struct message_part *part,
                       const struct header_field *field, int64_t value);
void reader_note_limit(const struct reader *reader, enum oddity_kind kind, const struct message_part *part, uint64_t limit);

enum match { MATCH_NONE, MATCH_LOOSE, MATCH_NEXT, MATCH_FINAL };

struct delimiter {
	enum match match;
	size_t     level; /* of the open part whose delimiter it is */
};

/*
 * Does `line`, which begins with "--" and stands in the message at `offset`, delimit anything? MATCH_NONE: no. Never
 * MATCH_LOOSE: it counts or it does not.
 */
struct delimiter boundary_match(struct reader *reader, struct slice line, uint32_t offset);

/* Does a line of a header end it, since it delimits? */
bool boundary_stops_header(void *context, struct slice line);

/*
 * Choose the boundary of a multipart: the first reading of the parameter that really delimits something near. RC_NOMEM.
 */
MUST_CHECK enum rc boundary_choose(struct reader *reader, struct message_part *part, struct open_part *open);

/*
 * MESSAGE_LOOSE: where a final delimiter begins that stands in the middle of the last line of a message's part, which
 * goes from `start` to `end`; `end` when there is none.
 */
uint32_t boundary_tail(const struct reader *reader, struct slice boundary, uint32_t start, uint32_t end);

/* Does a line of `near` begin with "--" and the boundary, and end as a delimiter does? */
bool boundary_stands_in(struct reader *reader, struct slice near, struct slice boundary);

#endif
