/*
 * The structure reader over any bytes, in the primary reading and in every other one: every part lies in the message,
 * parents come first, limits hold, and the work of each reading stays within a few steps a byte. Then all that is
 * decoded out of it, which is bounded, too.
 */
#include "base/must.h"
#include "mail/body.h"
#include "mail/part_name.h"
#include "mail/reading.h"
#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct message_limits limits = {
	.header = { .bytes = 8192, .fields = 64 },
	.parts = 50,
	.depth = 10,
	.parameters = 16,
	.steps = 1 << 22,
};

static void body_check(struct body_walk walk, size_t size)
{
	struct body_reading reading;
	unsigned            count = 0;

	while (body_next(&walk, &reading)) {
		struct transfer transfer = body_open(&reading);
		uint8_t         piece[512];
		size_t          made = 0;
		must((size_t)reading.offset + reading.bytes.len <= size);
		/* Not all of it: what the decoders do is the other target's subject. */
		for (unsigned i = 0; i < 4; i++)
			made += transfer_read(&transfer, piece, sizeof piece);
		body_told(&walk, transfer.flaws);
		must(made <= 4 * sizeof piece && ++count <= BODY_READINGS_MAX);
	}
	must(walk.steps <= 200 * (uint64_t)size + 1000);
}

static void tree_check(const struct message *message, struct arena *arena)
{
	const size_t size = message->bytes.len;

	must(message->count >= 1 && message->count <= limits.parts && message->depth <= limits.depth);
	for (size_t i = 0; i < message->count; i++) {
		const struct message_part *part = message->parts[i];
		struct part_names          names;
		struct message             inner;
		bool                       cut;
		const size_t               mark = arena->used;
		must(part->index == i && (i == 0 || part->parent < i));
		must((size_t)part->body_offset + part->body.len <= size);
		must(part->preamble_size <= part->body.len && part->epilogue_offset <= size);
		must(part->file_offset <= size);
		if (part_names_read(part, limits.parameters, arena, &names) == RC_OK)
			must(names.type.count <= MIME_READINGS_MAX && names.disposition.count <= MIME_READINGS_MAX);
		if (part->kind == PART_LEAF)
			body_check(body_begin(part->body, part->encoding, i % 4), part->body.len);
		if (reading_is_inside(part) && reading_open(part, &limits, NULL, arena, &inner, &cut) == RC_OK)
			must(inner.count >= 1 && inner.bytes.len <= READING_OPEN_MAX + part->header.size + 100);
		arena_release(arena, mark);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[4 << 20];
	struct arena   arena = arena_on(memory, sizeof memory);
	struct message message, other;

	if (charset_ready() != RC_OK ||
	    message_read(slice_of(data, size), &limits, NULL, &arena, &message) != RC_OK)
		return 0;
	tree_check(&message, &arena);
	const struct readings readings = readings_of(&message);
	must(readings.count <= READINGS_MAX);
	for (size_t i = 0; i < readings.count; i++) {
		const size_t mark = arena.used;
		must(readings.rules[i] != 0);
		if (message_read_as(slice_of(data, size), readings.rules[i], &limits, NULL, &arena, &other) == RC_OK)
			tree_check(&other, &arena);
		arena_release(&arena, mark);
	}
	if (readings.doubtful)
		body_check(body_begin_doubtful(slice_of(data, size)), size);
	return 0;
}
