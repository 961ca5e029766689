/* Any bytes as a frame of supervisor.sock: the first byte says how many descriptors came along. What parses must write the same bytes again. */
#include "sys/supervisor_wire.h"

#include "base/must.h"
#include "sys/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int          fds[IPC_FDS_MAX] = { 3, 4, 5 };
	struct slice              bytes = slice_of(data, size);
	struct supervisor_message message;

	if (size == 0)
		return 0;
	const size_t count = data[0] % IPC_FDS_MAX;
	bytes = slice_drop(bytes, 1);
	if (supervisor_wire_read(bytes, fds, count, &message) != RC_OK)
		return 0;
	must(message.listener_count <= ROLE_LISTENERS_MAX);
	struct buf again = buf_make(SUPERVISOR_WIRE_MAX);
	supervisor_wire_put(&message, &again);
	must(slice_eq(buf_slice(&again), bytes));
	buf_done(&again);
	return 0;
}
