/*
 * What a scanner process does with one request, apart from sockets and slabs: daemon/role_scan hands over the frame
 * and the mapped message and sends what comes out.
 */
#ifndef SCAN_SERVE_H
#define SCAN_SERVE_H

#include "base/arena.h"
#include "scan/wire.h"

/*
 * Kept by the process from request to request: the engine's digest is computed when the options change, not per
 * message.
 */
struct scan_server {
	struct digest      engine;
	struct scan_limits limits;
	enum scan_depth    depth;
	bool               known;
};

/*
 * Answer one request. `arena` is reset first (SCAN_ARENA_BYTES is right); `out` is cleared first and has a bound of
 * at least SCAN_FRAME_MAX. There is always an answer: a request that makes no sense, or a message of another size
 * than it says, is refused (SCAN_END_REFUSED) with the id it claims, or 0.
 */
void scan_serve_one(struct scan_server *server, struct slice frame, struct slice message, struct arena *arena,
                    struct buf *out);

#endif
