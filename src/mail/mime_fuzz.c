/* MIME fields over any bytes, and the readings of the parameters that are asked for. */
#include "base/must.h"
#include "mail/mime.h"
#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t       memory[1 << 18];
	struct arena         arena = arena_on(memory, sizeof memory);
	struct mime_field    field;
	struct mime_readings readings = { .count = 0 };

	if (charset_ready() != RC_OK || size > 1 << 14 || mime_field_read(slice_of(data, size), 32, &arena, &field) != RC_OK)
		return 0;
	must(field.count <= 32);
	if (mime_readings_add(&field, SLICE("name"), &arena, &readings) != RC_OK ||
	    mime_readings_add(&field, SLICE("filename"), &arena, &readings) != RC_OK)
		return 0;
	must(readings.count <= MIME_READINGS_MAX);
	for (size_t i = 0; i < readings.count; i++)
		must(readings.items[i].text.len <= MIME_READING_PLAIN_MAX);
	return 0;
}
