/* Any bytes: what is found lies in the message, and is as plain as glance.h says. */
#include "base/must.h"
#include "gate/glance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice message = slice_of(data, size);
	struct glance      glance;

	for (size_t bound = 0; bound <= size; bound = bound == 0 ? 64 : bound * 4) {
		glance_read(message, bound, &glance);
		must((glance.author == GLANCE_AUTHOR_ONE) == (glance.address.len != 0));
		must(glance.address.len == 0 || slice_offset(message, glance.address) + glance.address.len <= bound);
		must(glance.message_id.len <= GLANCE_MESSAGE_ID_MAX);
		must(glance.message_id.len == 0 || slice_offset(message, glance.message_id) + glance.message_id.len <= bound);
		for (size_t i = 0; i < glance.address.len; i++)
			must(byte_is_print(glance.address.ptr[i]));
	}
	return 0;
}
