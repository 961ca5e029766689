/* Both directions of records.sock as hostile bytes, and the durable frame that gate sends. */
#include "records/trace_wire.h"
#include "records/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t      memory[1 << 20];
	const struct slice  frame = slice_of(data, size);
	struct arena        arena = arena_on(memory, sizeof memory);
	struct trace_answer answer;
	struct store_filter filter;
	enum trace_question what;
	struct journal_mark mark;

	(void)!trace_question_read(frame, &what, &filter);
	(void)!trace_answer_read(frame, &arena, &answer);
	(void)!records_durable_read(frame, &mark);
	return 0;
}
