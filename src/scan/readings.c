/*
 * Which bodies a message has: those of the primary reading, of the messages that stand encoded in its parts, and of
 * the other readings that it asks for (mail/reading.h). A body that was seen once, in the same encoding, is not looked
 * at again.
 */
#include "mail/reading.h"
#include "mail/wrap.h"

#include "scan/content.h"

/* ---- bodies that were looked at ---- */

#define SEEN_PLACES 4096u /* a power of two; when they are full, bodies are looked at again, as long as the steps last */
#define SEEN_FILLED (SEEN_PLACES / 4 * 3)

struct seen_body {
	const uint8_t         *ptr; /* NULL: a free place */
	size_t                 size;
	enum transfer_encoding encoding;
};

struct seen {
	struct seen_body *places;
	size_t            count;
};

/* Remember a body; false when it was there. */
static bool seen_add(struct seen *seen, struct slice body, enum transfer_encoding encoding)
{
	size_t at = ((uintptr_t)body.ptr * 31 + body.len * 7 + encoding) % SEEN_PLACES;

	if (seen->places == NULL || body.ptr == NULL)
		return true;
	for (; seen->places[at].ptr != NULL; at = (at + 1) % SEEN_PLACES) {
		if (seen->places[at].ptr == body.ptr && seen->places[at].size == body.len &&
		    seen->places[at].encoding == encoding)
			return false;
	}
	if (seen->count == SEEN_FILLED)
		return true;
	seen->count++;
	seen->places[at] = (struct seen_body){ body.ptr, body.len, encoding };
	return true;
}

/* ---- one tree ---- */

/* A message that is walked, and where it stands. */
struct tree {
	const struct message      *message;
	const struct message_part *outer; /* it was decoded out of that part of the message itself; NULL: it is that message */
	unsigned                   depth; /* of decoding */
	bool                       other; /* not the primary reading of it */
	struct seen               *seen;
	unsigned                   fresh; /* bodies that no reading before had */
};

bool scan_reading_step(struct scan_work *work, uint64_t steps)
{
	const uint64_t most = READINGS_STEPS_MAX + 2 * READINGS_MAX * (uint64_t)work->bytes.len;

	work->reading_steps += steps;
	if (work->reading_steps <= most)
		return scan_step(work, steps);
	collect_limit(&work->collector, FINDING_LIMIT_READINGS, 0, most);
	return false;
}

static void tree_walk(struct scan_work *work, struct tree *tree);

struct message_limits scan_message_limits(const struct scan_work *work)
{
	const struct scan_limits *limits = &work->options->limits;

	return (struct message_limits){
		.header = { .bytes = limits->header_bytes, .fields = limits->header_fields },
		.parts = limits->parts,
		.depth = limits->depth,
		.parameters = limits->parameters,
		.steps = limits->steps > work->steps ? limits->steps - work->steps : 1,
	};
}

/* A message or multipart inside an encoded part, which its reader opens: in all of its readings again. */
static void inside_walk(struct scan_work *work, const struct tree *tree, const struct message_part *part)
{
	const struct message_limits limits = scan_message_limits(work);
	const struct message_part  *outer = tree->outer == NULL ? part : tree->outer;
	const size_t                mark = work->arena->used;
	struct collector_place      place = { &work->collector, outer->index, outer->body_offset,
		                              (uint32_t)outer->body.len };
	const struct oddity_sink    sink = collector_place_sink(&place);
	struct message              message;
	bool                        cut = false;

	if (tree->depth == READING_DEPTH_MAX) {
		collect_limit(&work->collector, FINDING_LIMIT_DEPTH, outer->index, READING_DEPTH_MAX);
		return;
	}
	const uint64_t most = part->body.len < READING_OPEN_MAX ? part->body.len : READING_OPEN_MAX;
	if (!scan_reading_step(work, most))
		return;
	work->decoded_bytes += most;
	if (reading_open(part, &limits, &sink, work->arena, &message, &cut) != RC_OK) {
		collect_limit(&work->collector, FINDING_LIMIT_READINGS, outer->index, work->arena->size);
	} else {
		struct seen seen = { .places = NULL };
		struct tree inner = {
			.message = &message, .outer = outer, .depth = tree->depth + 1, .other = true, .seen = &seen
		};
		if (scan_reading_step(work, message.steps)) {
			scan_names_of(work, &message, outer);
			tree_walk(work, &inner);
		}
	}
	if (cut)
		collect_limit(&work->collector, FINDING_LIMIT_READINGS, outer->index, READING_OPEN_MAX);
	arena_release(work->arena, mark);
}

static struct scan_body body_of(const struct tree *tree, const struct message_part *part)
{
	const struct message_part *shown = tree->outer == NULL ? part : tree->outer;

	return (struct scan_body){
		/* Another reading has parts of its own: what it finds is told of the message. */
		.part = tree->other && tree->outer == NULL ? 0 : shown->index,
		.bytes = part->body,
		.offset = shown->body_offset,
		.size = (uint32_t)shown->body.len,
		.text = part->type.word.len == 0 || slice_starts(part->type.word, SLICE("text/")),
		.other = tree->other,
		.inside = tree->outer != NULL,
	};
}

static void leaf_walk(struct scan_work *work, struct tree *tree, const struct message_part *part)
{
	struct scan_body body = body_of(tree, part);
	const uint32_t   flags = (body.text ? BODY_OF_TEXT : 0) | (part->file_offset != 0 ? BODY_MAY_HOLD_FILES : 0);
	struct body_walk walk = body_begin(part->body, part->encoding, flags);

	scan_body_walk(work, &body, &walk);
	if (reading_is_inside(part))
		inside_walk(work, tree, part);
}

static void leaves_walk(struct scan_work *work, struct tree *tree)
{
	for (size_t i = 0; i < tree->message->count; i++) {
		const struct message_part *part = tree->message->parts[i];
		if (part->kind != PART_LEAF || !seen_add(tree->seen, part->body, part->encoding))
			continue;
		tree->fresh += part->body.len != 0;
		leaf_walk(work, tree, part);
	}
}

/* ---- the other readings of one tree ---- */

/* Bodies of one other reading. False: the bounds of all of them are used up. */
static bool other_walk(struct scan_work *work, const struct tree *primary, uint32_t rules, struct seen *seen,
                       unsigned *fresh)
{
	const struct message_limits limits = scan_message_limits(work);
	const size_t                mark = work->arena->used;
	struct message              message;
	bool                        more = true;

	if (message_read_as(primary->message->bytes, rules, &limits, NULL, work->arena, &message) != RC_OK) {
		collect_limit(&work->collector, FINDING_LIMIT_READINGS, 0, work->arena->size);
	} else if (!scan_reading_step(work, message.steps)) {
		more = false;
	} else {
		struct tree other = { .message = &message,
			              .outer = primary->outer,
			              .depth = primary->depth,
			              .other = true,
			              .seen = seen };
		scan_names_of(work, &message, primary->outer == NULL ? work->message.parts[0] : primary->outer);
		leaves_walk(work, &other);
		*fresh += other.fresh != 0;
	}
	arena_release(work->arena, mark);
	return more;
}

/* The whole of it by shape alone, when structure and headers leave open what stands where. */
static void doubtful_walk(struct scan_work *work, const struct tree *tree)
{
	const struct message_part *outer = tree->outer;
	struct body_walk           walk = body_begin_doubtful(tree->message->bytes);
	struct scan_body           body = {
			  .part = outer == NULL ? 0 : outer->index,
			  .bytes = tree->message->bytes,
			  .offset = outer == NULL ? 0 : outer->body_offset,
			  .size = (uint32_t)(outer == NULL ? work->bytes.len : outer->body.len),
			  .other = true,
			  .inside = outer != NULL,
	};

	scan_body_walk(work, &body, &walk);
}

static void tree_walk(struct scan_work *work, struct tree *tree)
{
	const struct readings readings = readings_of(tree->message);
	const size_t          mark = work->arena->used;
	struct seen           seen = { .places = NULL };
	unsigned              fresh = 0;

	if (readings.count != 0)
		seen.places = arena_take(work->arena, SEEN_PLACES, sizeof *seen.places);
	tree->seen = &seen;
	leaves_walk(work, tree);
	for (size_t i = 0; i < readings.count; i++) {
		if (!other_walk(work, tree, readings.rules[i], &seen, &fresh))
			break;
	}
	if (readings.doubtful)
		doubtful_walk(work, tree);
	if (fresh != 0)
		collect(&work->collector, FINDING_MIME_READINGS, tree->outer == NULL ? 0 : tree->outer->index, 0,
		        (uint32_t)work->bytes.len, fresh, (struct slice){ NULL, 0 });
	arena_release(work->arena, mark);
}

static void wrap_look(struct scan_work *work, const struct message_part *part)
{
	const enum wrap   wrap = wrap_of(&work->message, part);
	enum finding_kind kind = FINDING_MIME_ENCRYPTED;

	if (wrap == WRAP_FRAGMENT)
		kind = FINDING_MIME_FRAGMENT;
	else if (wrap == WRAP_EXTERNAL)
		kind = FINDING_MIME_EXTERNAL;
	else if (!wrap_hides(wrap))
		return;
	collect(&work->collector, kind, part->index, part->header.offset, part->header.size, 0,
	        (struct slice){ NULL, 0 });
}

void scan_content(struct scan_work *work)
{
	struct tree tree = { .message = &work->message };

	for (size_t i = 0; i < work->message.count; i++)
		wrap_look(work, work->message.parts[i]);
	tree_walk(work, &tree);
}
