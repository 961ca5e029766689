/* Event payloads as hostile bytes: every decoder on every input; what decodes is encoded again and must come back the same. */
#include "journal/event.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t       memory[1 << 20];
	const struct slice   payload = slice_of(data, size);
	struct arena         arena = arena_on(memory, sizeof memory);
	struct event_message message;
	struct event_outcome outcome;
	struct event_refused refused;
	struct event_act     act;
	struct event_session session;
	struct event_node    node;
	struct event_certificate certificate;

	if (event_message_read(payload, &arena, &message) == RC_OK) {
		struct buf again = buf_make(EVENT_PAYLOAD_MAX);
		event_message_put(&again, &message);
		must(slice_eq(buf_slice(&again), payload));
		buf_done(&again);
	}
	arena_reset(&arena);
	if (event_outcome_read(payload, &arena, &outcome) == RC_OK) {
		struct buf again = buf_make(EVENT_PAYLOAD_MAX);
		event_outcome_put(&again, &outcome);
		must(slice_eq(buf_slice(&again), payload));
		buf_done(&again);
	}
	(void)!event_refused_read(payload, &refused);
	(void)!event_act_read(payload, &act);
	(void)!event_session_read(payload, &session);
	(void)!event_node_read(payload, &node);
	if (event_certificate_read(payload, &certificate) == RC_OK) {
		struct buf again = buf_make(EVENT_PAYLOAD_MAX);
		event_certificate_put(&again, &certificate);
		must(slice_eq(buf_slice(&again), payload));
		buf_done(&again);
	}
	return 0;
}
