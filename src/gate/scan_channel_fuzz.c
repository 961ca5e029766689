/* The attach frame and the parcel as a scanner sees them: gate may have been taken over, too. */
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
	for (size_t fds = 0; fds <= 2; fds++) {
		struct slice request, message;
		if (scan_parcel_read(slice_of(data, size), fds, &request, &message) == RC_OK)
			must(SCAN_PARCEL_HEAD + request.len + message.len == size && (fds == 0 || (fds == 1 && message.len == 0)));
	}
	return 0;
}
