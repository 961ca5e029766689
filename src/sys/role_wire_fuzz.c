/* Any bytes as a control frame: the first byte says how many descriptors came along. What parses must write the same bytes again. */
#include "sys/role_wire.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int    fds[IPC_FDS_MAX] = { 3, 4, 5 };
	struct slice        bytes = slice_of(data, size);
	struct role_message message;

	if (size == 0)
		return 0;
	const size_t count = data[0] % IPC_FDS_MAX;
	bytes = slice_drop(bytes, 1);
	if (role_wire_read(bytes, fds, count, &message) != RC_OK)
		return 0;
	must(message.listener_count <= ROLE_LISTENERS_MAX);
	must(message.index < ROLE_SCANNERS_MAX);
	struct buf again = buf_make(ROLE_WIRE_MAX);
	role_wire_put(&message, &again);
	must(slice_eq(buf_slice(&again), bytes));
	buf_done(&again);
	return 0;
}
