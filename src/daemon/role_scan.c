/* A scanner: everything hostile is read here, and there is nothing here to steal. No file, no network, no key, no other message. */
#include "daemon/roles.h"

#include "base/digest.h"
#include "gate/scan_loop.h"
#include "text/charset.h"
#include "text/normalise.h"

const struct sandbox scan_box = {
	.role = "scan", .calls = SANDBOX_CALLS_LOOPS,
	.network = SANDBOX_NET_NONE, .paths = SANDBOX_NO_PATHS,
	.files_max = 256, .core_dump = false,
};

int role_scan(const struct role_start *start)
{
	/* The digests' library loads what it needs now or never, and the tables of characters are filled. */
	if (digest_ready() != RC_OK || charset_ready() != RC_OK || normalise_ready() != RC_OK || !role_close_box(start))
		return 1;
	return scan_loop_run(start->scan_channels[0]);
}
