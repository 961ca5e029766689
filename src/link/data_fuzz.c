/* data: URLs and MIME types over any bytes. A type that was serialised is read as itself. */
#include "base/must.h"
#include "link/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t  memory[1 << 20];
	struct arena    arena = arena_on(memory, sizeof memory);
	struct data_url found;
	struct slice    type, again;

	if (size > 1 << 14)
		return 0;
	if (data_url_read(slice_of(data, size), &arena, &found) == RC_OK)
		must(found.bytes.len <= 3 * size && found.type.len != 0);
	if (data_type_read(slice_of(data, size), &arena, &type) == RC_OK && type.len <= DATA_TYPE_MAX) {
		must(data_type_read(type, &arena, &again) == RC_OK);
		must(slice_eq(type, again));
	}
	return 0;
}
