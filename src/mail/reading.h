/*
 * The other readings of a message: by which rules the readers that differ from the primary reading would take it
 * apart, as far as what the primary reading noted gives them a reason; and the message that stands encoded inside a
 * part. Bounded: a hostile message gets so many readings and steps, and no more.
 */
#ifndef MAIL_READING_H
#define MAIL_READING_H

#include "mail/message.h"

#define READINGS_MAX       9u                    /* of one message, besides the primary one */
#define READINGS_STEPS_MAX (UINT64_C(1) << 26)   /* for all of them, their decoding included: see message.steps */
#define READING_OPEN_MAX   ((size_t)1 << 20)     /* decoded bytes of a message inside an encoded part that are read */
#define READING_DEPTH_MAX  4u                    /* of encoded messages inside encoded messages */

struct readings {
	uint32_t rules[READINGS_MAX]; /* MESSAGE_x, each set different from the others and from none */
	size_t   count;
	bool     doubtful; /* body_begin_doubtful() over the whole message is worth it, too */
};

/* Which readings the oddities of the primary one ask for. None for a sound message. */
struct readings readings_of(const struct message *primary);

/* Does this leaf hold a message or multipart in an encoding, which some readers open? */
bool reading_is_inside(const struct message_part *part);

/*
 * Decode that leaf (at most READING_OPEN_MAX bytes; *ret_cut says whether more would have come) into `arena` and read
 * it. For a multipart its own Content-Type is put in front, so that the boundary is known. Offsets of *out and of the
 * oddities are those in out->bytes, not in the outer message. RC_NOMEM.
 */
MUST_CHECK enum rc reading_open(const struct message_part *part, const struct message_limits *limits,
                                const struct oddity_sink *sink, struct arena *arena, struct message *out,
                                bool *ret_cut);

#endif
