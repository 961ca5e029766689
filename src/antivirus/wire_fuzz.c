/* Any bytes as a request and as an answer: what is read is within its bounds and is written again as it was. */
#include "antivirus/wire.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice frame = { data, size };
	struct buf         again = buf_make(AV_FRAME_MAX);
	struct av_request  request;
	struct av_answer   answer;

	if (av_request_read(frame, &request) == RC_OK) {
		must(request.bytes <= AV_BYTES_MAX && request.name.len <= AV_NAME_MAX);
		av_request_put(&request, &again);
		must(!again.failed && slice_eq(buf_slice(&again), frame));
	} else if (av_answer_read(frame, &answer) == RC_OK) {
		must(answer.result < AV_RESULTS && answer.signature.len <= AV_NAME_MAX && answer.engine.len <= AV_ENGINE_MAX);
		av_answer_put(&answer, &again);
		must(!again.failed && slice_eq(buf_slice(&again), frame));
	}
	buf_done(&again);
	return 0;
}
