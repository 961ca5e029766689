/*
 * The reader's text of any text: valid UTF-8 within its bound, places inside the raw text, and nothing left of what
 * is never shown.
 */
#include "base/must.h"
#include "text/charset.h"
#include "text/normalise.h"
#include "text/skeleton.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t      memory[1 << 17];
	struct arena        arena = arena_on(memory, sizeof memory);
	struct charset_text raw;
	struct normalised   text;
	uint8_t             bones[SKELETON_ROOM];
	size_t              width, count;

	if (size > 4096 || charset_ready() != RC_OK || normalise_ready() != RC_OK)
		return 0;
	must(charset_text_as(CHARSET_UTF8, slice_of(data, size), &arena, &raw) == RC_OK);
	must(normalise_text(raw.text, &arena, &text) == RC_OK);
	must(utf8_valid_size(text.reader) == text.reader.len);
	must(text.reader.len <= NORMALISE_GROWTH * raw.text.len);
	for (size_t kind = 0; kind < NORMALISE_KINDS; kind++)
		must(text.differences[kind].count == 0 || text.differences[kind].offset < raw.text.len);
	for (struct slice rest = text.reader; rest.len != 0; rest = slice_drop(rest, width)) {
		const uint32_t c = utf8_decode(rest, &width);
		must(c != 0x202e && c != 0x200b && !(c >= 0xe0000 && c <= 0xe007f));
	}
	if (skeleton_of(slice_take(raw.text, utf8_cut(raw.text, 200)), bones, sizeof bones, &count) == RC_OK)
		must(count <= sizeof bones && utf8_valid_size(slice_of(bones, count)) == count);
	return 0;
}
