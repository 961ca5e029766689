/* The structure reader over any bytes: every part lies in the message, parents come first, limits hold. */
#include "base/must.h"
#include "mail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t              memory[1 << 20];
	struct arena                arena = arena_on(memory, sizeof memory);
	const struct message_limits limits = {
		.header = { .bytes = 8192, .fields = 64 },
		.parts = 50,
		.depth = 10,
		.parameters = 16,
		.steps = 1 << 22,
	};
	struct message message;

	if (message_read(slice_of(data, size), &limits, NULL, &arena, &message) != RC_OK)
		return 0;
	must(message.count >= 1 && message.count <= limits.parts && message.depth <= limits.depth);
	for (size_t i = 0; i < message.count; i++) {
		const struct message_part *part = message.parts[i];
		must(part->index == i && (i == 0 || part->parent < i));
		must((size_t)part->body_offset + part->body.len <= size);
		must(part->preamble_size <= part->body.len && part->epilogue_offset <= size);
	}
	return 0;
}
