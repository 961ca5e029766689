/* What the steps of one scan share. Inside this room; scan/scan.c is where they are called in their order. */
#ifndef SCAN_WORK_H
#define SCAN_WORK_H

#include "mail/message.h"
#include "scan/collect.h"
#include "scan/scan.h"

struct scan_work {
	struct slice               bytes;
	const struct scan_options *options;
	struct arena              *arena;
	struct collector           collector;
	struct message             message;
	struct facts               facts;
	uint64_t                   steps;
	uint64_t                   decoded_bytes;
	uint64_t                   reading_steps; /* of `steps`: for other readings than the primary one */
};

/* Count work; false when scan_limits.steps is used up (and limit.steps is found). */
bool scan_step(struct scan_work *work, uint64_t steps);

/*
 * The same for work on readings besides the primary one, which has a bound of its own as well (limit.readings): so many
 * steps for each message and a few for each of its bytes.
 */
bool scan_reading_step(struct scan_work *work, uint64_t steps);

/* What message_read() may use up from here on. */
struct message_limits scan_message_limits(const struct scan_work *work);

/* Part 0's header: what is missing, doubled or malformed, and the facts about it. */
void scan_header(struct scan_work *work);
/* Who the author is, and whether all readers agree on it. */
void scan_author(struct scan_work *work);
/* The fields that are cut. */
void scan_firewall(struct scan_work *work);
/* Names of attachments, of every part. */
void scan_names(struct scan_work *work);
/* Names in another reading, or in a message that was decoded out of a part; told of `shown`, a part of the message. */
void scan_names_of(struct scan_work *work, const struct message *message, const struct message_part *shown);
/* One name (UTF-8), which stands at offset and size of the message: what Windows and its user would make of it. */
void scan_name(struct scan_work *work, uint16_t part, uint32_t offset, uint32_t size, struct slice name);
/* Test strings in what can be decoded, in all readings, and how the encodings are kept. */
void scan_content(struct scan_work *work);

/* `field` on one line, or its raw value when the arena is full. */
struct slice scan_unfold(struct scan_work *work, const struct header_field *field);

/*
 * `text` decoded (RFC 2047), control characters as blanks, at most `max` bytes, in the arena; empty when that is
 * full.
 */
struct slice scan_display(struct scan_work *work, struct slice text, size_t max);

#endif
