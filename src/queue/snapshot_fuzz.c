/* Fuzz target: a snapshot from untrusted bytes. What is accepted must be written again to the same bytes, and be handed out whole. */
#include "base/must.h"
#include "queue/fold.h"
#include "queue/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void key(void *context, struct slice address, struct slice route, struct buf *out)
{
	(void)context;
	buf_put(out, slice_take(route, 100));
	buf_put_str(out, "/");
	buf_put(out, slice_take(queue_domain(address), 100));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct queue_settings settings = { .messages_max = 1000, .memory_max = 1u << 24, .seed = 1, .key = key };
	struct queue *queue = NULL;
	struct queue_recipient *taken[4];
	struct queue_destination *next;
	struct buf again = buf_make(1u << 24);

	if (queue_open(&settings, &queue) != RC_OK)
		return 0;
	if (queue_snapshot_read(queue, slice_of(data, size)) == RC_OK) {
		queue_snapshot_put(queue, &again);
		must(!again.failed && again.len == queue_snapshot_size(queue));
		must(again.len == size + (data[0] == 1 ? 8 : 0));
		queue_tick(queue, INT64_MAX);
		for (int tries = 0; tries < 100 && (next = queue_next(queue)) != NULL; tries++) {
			size_t count = queue_take(queue, next, 4, taken);

			must(count != 0);
			for (size_t i = 0; i < count; i++)
				queue_untake(queue, taken[i]);
		}
	}
	buf_done(&again);
	queue_close(&queue);
	return 0;
}
