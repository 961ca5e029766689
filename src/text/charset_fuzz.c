/*
 * Character sets over any bytes: the first byte picks the set, the second a cut. What comes out is UTF-8, the same in
 * any pieces; then as a text with a label.
 */
#include "base/must.h"
#include "text/charset.h"
#include "text/charset_guess.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t decode(enum charset charset, struct slice bytes, size_t piece, uint8_t *out)
{
	struct charset_run run = charset_begin(charset);
	size_t             size = 0, count;

	while (bytes.len > piece && charset != CHARSET_UTF16 && charset != CHARSET_UTF32) {
		struct slice part = slice_take(bytes, piece);
		while ((count = charset_read(&run, &part, false, &out[size], CHARSET_ROOM_MIN)) != 0)
			size += count;
		must(part.len == 0);
		bytes = slice_drop(bytes, piece);
	}
	while ((count = charset_read(&run, &bytes, true, &out[size], CHARSET_ROOM_MIN)) != 0)
		size += count;
	must(bytes.len == 0);
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t whole[16384], parts[16384], memory[32768];

	if (size < 2 || size > 4096 || charset_ready() != RC_OK)
		return 0;
	const enum charset charset = data[0] % CHARSET_COUNT;
	const struct slice bytes = slice_of(data + 2, size - 2);
	const size_t       count = decode(charset, bytes, bytes.len, whole);

	must(count <= charset_room(bytes.len));
	must(utf8_valid_size(slice_of(whole, count)) == count);
	must(decode(charset, bytes, (size_t)data[1] + 1, parts) == count);
	must(memcmp(whole, parts, count) == 0);

	struct arena        arena = arena_on(memory, sizeof memory);
	struct charset_text text;
	const struct slice  label =
                data[1] % 2 != 0 ? slice_take(bytes, data[1] / 8u) : slice_str(charset_name(charset));
	if (charset_text(label, bytes, &arena, &text) == RC_OK) {
		must(utf8_valid_size(text.text) == text.text.len);
		must(arena.used <= charset_room(bytes.len));
	}
	(void)charset_has_utf7(bytes);
	return 0;
}
