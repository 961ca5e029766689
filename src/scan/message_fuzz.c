/* A whole scan of any bytes, over the wire and back: no error, every bound kept, every cut valid. */
#include "base/must.h"
#include "scan/serve.h"
#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t            memory[SCAN_ARENA_BYTES], decoded[1 << 18];
	const struct slice        message = slice_of(data, size);
	const struct scan_request request = {
		.id = 1,
		.message_bytes = size,
		.options = { .cut = SCAN_CUT_ALL, .limits = SCAN_LIMITS_STANDARD, .own_name = SLICE("mx.example") },
	};
	struct scan_server server = { .known = false };
	struct arena       arena = arena_on(memory, sizeof memory), answer_arena = arena_on(decoded, sizeof decoded);
	struct buf         frame = buf_make(SCAN_FRAME_MAX), out = buf_make(SCAN_FRAME_MAX);
	struct findings    findings;
	enum scan_end      end = SCAN_ENDS;
	struct fault       fault;

	if (digest_ready() != RC_OK || charset_ready() != RC_OK)
		return 0;
	must(scan_request_encode(&request, &frame) == RC_OK);
	scan_serve_one(&server, buf_slice(&frame), message, &arena, &out);
	must(scan_answer_decode(buf_slice(&out), &request, &server.engine, message, &answer_arena, &end, &findings,
	                        &fault) == RC_OK);
	must(end == SCAN_END_DONE);
	buf_done(&frame);
	buf_done(&out);
	return 0;
}
