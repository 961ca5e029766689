/* The header reader over any bytes: fields lie in the section, the section in the input. */
#include "base/must.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t             memory[1 << 18];
	struct arena               arena = arena_on(memory, sizeof memory);
	const struct header_limits limits = { .bytes = 4096, .fields = 64 };
	struct header_section      section;

	if (header_section_read(slice_of(data, size), 0, &limits, NULL, 0, NULL, &arena, &section) != RC_OK)
		return 0;
	must(section.size <= size && section.count <= limits.fields);
	for (size_t i = 0; i < section.count; i++) {
		struct slice value;
		must((size_t)section.fields[i].offset + section.fields[i].size <= section.size);
		if (header_unfold(&section.fields[i], &arena, &value) == RC_OK)
			must(slice_find(value, '\n') == value.len);
	}
	return 0;
}
