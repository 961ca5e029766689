/*
 * The ways in which readers decode one body: as its header announces it, and, where the body breaks its encoding or
 * hides another one, as the rest of them do. Whoever scans content walks over all of them; each is a run of bytes of
 * the message and a decoder for it (mail/transfer.h).
 *
 * A doubtful walk (body_begin_doubtful) knows nothing about headers and finds what is encoded by its shape alone. It
 * is made over everything that structure and headers leave open: whole messages whose readers disagree.
 */
#ifndef MAIL_BODY_H
#define MAIL_BODY_H

#include "mail/transfer.h"

/* How a reading came about. */
#define BODY_ANNOUNCED 1u  /* what the header says */
#define BODY_LOOSE     2u  /* base64 that breaks its rules, as other readers take it */
#define BODY_TIGHT     4u  /* quoted-printable whose broken escapes are dropped */
#define BODY_FILE      8u  /* a uuencoded, yEnc or BinHex file in text, as readers show it for an attachment */
#define BODY_HIDDEN    16u /* encoded although nothing announces it */
#define BODY_PLAIN     32u /* the bytes as they stand although something announces an encoding */

struct body_reading {
	enum transfer_encoding encoding;
	enum transfer_padding  padding;
	struct slice           bytes; /* still encoded; borrowed */
	uint32_t               offset; /* of `bytes` in the body */
	uint32_t               how;    /* BODY_x */
	struct slice           name;   /* of a BODY_FILE that gives one */
};

/*
 * How many readings one walk gives at most; one more makes the walk `cut`. So many, since logs and lists of digests in
 * honest text look like runs, too: who decodes counts his steps, and has a bound for those.
 */
#define BODY_READINGS_MAX 65536u
/* A hidden run is read so many bytes beyond its last whole line. */
#define BODY_RUN_SLACK    4096u

/* Fields are for mail/body.c, but for `steps` and `cut`. */
struct body_walk {
	struct slice           body;
	struct slice           rest; /* of the present stage */
	enum transfer_encoding encoding;
	unsigned               stage;
	unsigned               count;
	uint32_t               flags; /* BODY_OF_TEXT, BODY_MAY_HOLD_FILES */
	bool                   doubtful;
	uint32_t               flaws; /* that body_told() brought since the last reading */
	uint32_t               announced_flaws;
	struct slice           run; /* that was given last */
	unsigned               state; /* of the present stage */
	uint64_t               steps; /* bytes looked at so far, decoding not counted: at most about 200 a byte */
	bool                   cut;   /* BODY_READINGS_MAX was met */
};

/* What is known about a body. */
#define BODY_OF_TEXT        1u /* its type is text, whose flaws are mostly careless senders' */
#define BODY_MAY_HOLD_FILES 2u /* a line of it begins like a file in text (message_part.file_offset): look for them */

struct body_walk body_begin(struct slice body, enum transfer_encoding encoding, uint32_t flags);
struct body_walk body_begin_doubtful(struct slice bytes);

/* The next reading; false when there is none. The first of body_begin() is the announced one. */
bool body_next(struct body_walk *walk, struct body_reading *out);

/* The decoder for a reading. */
struct transfer body_open(const struct body_reading *reading);

/* May a file in text begin with this line? Cheap, and wrong in one direction only. */
static inline bool body_file_begins(struct slice line)
{
	return slice_starts(line, SLICE("begin ")) || slice_starts(line, SLICE("begin-base64 ")) || slice_starts(line, SLICE("=ybegin ")) ||
	       slice_starts(line, SLICE("(This file must be"));
}

/* What decoding the last reading showed (transfer.flaws): what comes next may depend on it. Optional. */
void body_told(struct body_walk *walk, uint32_t flaws);

#endif
