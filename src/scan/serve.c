/*
 * From one frame to the other. The only state kept is the digest of the engine, which is the same for nearly every
 * message.
 */
#include "scan/serve.h"

static bool limits_eq(const struct scan_limits *a, const struct scan_limits *b)
{
	return a->header_bytes == b->header_bytes && a->header_fields == b->header_fields && a->parts == b->parts &&
	       a->depth == b->depth && a->parameters == b->parameters && a->steps == b->steps &&
	       a->decoded_bytes == b->decoded_bytes && a->received == b->received;
}

static void engine_settle(struct scan_server *server, const struct scan_options *options)
{
	if (server->known && server->depth == options->depth && limits_eq(&server->limits, &options->limits))
		return;
	scan_engine_digest(options, &server->engine);
	server->limits = options->limits;
	server->depth = options->depth;
	server->known = true;
}

void scan_serve_one(struct scan_server *server, struct slice frame, struct slice message, struct arena *arena,
                    struct buf *out)
{
	struct scan_request request;
	struct findings     findings;
	uint64_t            id = 0;

	arena_reset(arena);
	buf_clear(out);
	if (scan_request_decode(frame, &request, &id) != RC_OK || request.message_bytes != message.len) {
		scan_answer_encode(id, SCAN_END_REFUSED, NULL, out);
		return;
	}
	engine_settle(server, &request.options);
	const enum rc rc = scan_message(message, &request.options, &server->engine, arena, &findings);
	scan_answer_encode(id, rc == RC_OK ? SCAN_END_DONE : SCAN_END_NOMEM, rc == RC_OK ? &findings : NULL, out);
}
