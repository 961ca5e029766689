/*
 * A scanner of hangu-av: forked from the process that loaded the signatures, so that all share one copy of them. It
 * takes one connection after the other from the listening socket, one request each; whoever is free takes the next.
 */
#ifndef CLAMAV_SCANNER_H
#define CLAMAV_SCANNER_H

#include "clamav/engine.h"

#define SCANNER_REQUEST_WAIT_MS 2000u /* a connection that says nothing for so long is closed */
#define SCANNER_CHECK_MS        60000u
#define SCANNER_CHECK_DOWN_MS   5000u /* while the canary is silent */

/*
 * Serve until SIGTERM. `temporary` is the handle of its own folder for temporary files: the only place where the box
 * lets it write. Returns the exit status: 0 at the end, 1 when the box cannot be closed.
 */
int scanner_run(struct engine *engine, int listener, int temporary, uint64_t memory_max);

#endif
