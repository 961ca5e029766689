/* The attach frame as a scanner sees it: gate may have been taken over, too. */
#include "gate/scan_channel.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count;

	for (size_t fds = 0; fds <= SCAN_CHANNELS_MAX + 2; fds++) {
		if (scan_attach_read(slice_of(data, size), fds, &count) == RC_OK)
			must(count != 0 && count <= SCAN_CHANNELS_MAX && count + 1 == fds);
	}
	return 0;
}
