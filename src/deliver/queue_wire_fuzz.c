/* Fuzz target: both directions of the queue's commands. What is read is written again to the same bytes; rows are never more than the bytes can hold. */
#include "base/must.h"
#include "deliver/queue_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(struct slice bytes)
{
	struct queue_wire_answer answer;
	struct arena arena;
	struct buf again = buf_make(QUEUE_WIRE_ANSWER_MAX + 4096);

	if (arena_init(&arena, 1u << 20) != RC_OK)
		return;
	if (queue_wire_answer_read(bytes, &arena, &answer) == RC_OK) {
		bool fits = true;

		queue_wire_answer_put(&again, &answer);
		for (size_t i = 0; i < answer.count && fits; i++)
			fits = answer.kind == QUEUE_WIRE_LIST ? queue_wire_row_put(&again, &answer.rows[i])
			                                      : queue_wire_destination_put(&again, &answer.destinations[i]);
		if (fits) {
			queue_wire_answer_end(&again, answer.after, answer.matched, (uint32_t)answer.count);
			must(slice_eq(buf_slice(&again), bytes));
		}
	}
	buf_done(&again);
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of(data, size);
	struct queue_wire_request request;
	struct buf again = buf_make(QUEUE_WIRE_REQUEST_MAX);

	if (queue_wire_request_read(bytes, &request) == RC_OK) {
		queue_wire_request_put(&again, &request);
		must(slice_eq(buf_slice(&again), bytes));
	}
	buf_done(&again);
	read_answer(bytes);
	return 0;
}
